"""TensorFlow 2's functions, by subject."""
