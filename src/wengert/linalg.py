"""TensorFlow's ``tf.linalg``."""

from wengert.functions import math as _math
from wengert.functions.linalg import *  # noqa: F403

for _name in ("einsum", "global_norm", "matmul", "matvec", "tensordot"):
    if hasattr(_math, _name):
        globals()[_name] = getattr(_math, _name)
