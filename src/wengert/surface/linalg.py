"""TensorFlow's ``tf.linalg``."""

from wengert.functions.linalg import *  # noqa: F403
from wengert.functions.math import einsum as einsum
from wengert.functions.math import matmul as matmul
from wengert.functions.math import matvec as matvec
from wengert.functions.math import tensordot as tensordot
