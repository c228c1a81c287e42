"""Samples of the operations: at which inputs each is tried, a file for a family as in `wengert.ops`.

The one table that `wengert check --operations`, the tests of the operations and benchmarks/mutants.py read.
"""

from wengert.verify.samples import control, elementwise, linalg, linear, random, reduction
from wengert.verify.samples.sample import SAMPLES, Sample

__all__ = ["SAMPLES", "Sample", "control", "elementwise", "linalg", "linear", "random", "reduction"]
