"""The parts of TensorFlow Probability that scientific programs call: ``import tensorflow_probability`` finds them."""

from wengert.surface.probability import math, optimizer

__all__ = ["math", "optimizer"]

__version__ = "0.25.0"  # whose signatures these are
