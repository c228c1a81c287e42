"""What TensorFlow 1's ``tf.contrib`` has that nothing else has: layers, and default arguments in a with block."""
