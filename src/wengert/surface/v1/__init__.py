"""TensorFlow 1's names, where they differ from TensorFlow 2's."""
