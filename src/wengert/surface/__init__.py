"""TensorFlow's names: what stands at the top of `wengert`, its namespaces, and TensorFlow 1's."""
