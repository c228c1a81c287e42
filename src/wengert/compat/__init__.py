"""TensorFlow 1's and 2's names."""
