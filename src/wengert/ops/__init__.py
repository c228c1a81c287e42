"""The operations, a file for a family."""

from wengert.ops import contraction, control, elementwise, linalg, linear, random, reduction, spectral, state, tensor_array

__all__ = [
    "contraction",
    "control",
    "elementwise",
    "linalg",
    "linear",
    "random",
    "reduction",
    "spectral",
    "state",
    "tensor_array",
]
