"""TensorFlow's ``tf.linalg``."""

from wengert.functions.linalg import *  # noqa: F403
from wengert.functions.math import einsum, matmul, matvec, tensordot
