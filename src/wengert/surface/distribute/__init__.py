"""TensorFlow's ``tf.distribute``: one replica sees the whole batch, and who runs the lists spreads its rows over the devices."""
