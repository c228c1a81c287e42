"""TensorFlow's ``tf.test``: the test case, a file for each kind of assertion, and the functions."""
