"""The parts of TensorFlow Probability that scientific programs call: ``import tensorflow_probability`` finds them."""

from wengert.probability import bijectors, distributions, math, optimizer, python, stats, util

__all__ = ["bijectors", "distributions", "math", "optimizer", "python", "stats", "util"]

__version__ = "0.25.0"  # whose signatures these are
