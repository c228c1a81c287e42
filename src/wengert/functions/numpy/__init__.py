"""TensorFlow's ``tf.experimental.numpy``: functions of NumPy's names, with NumPy's meaning, over tensors.

Axes, order of results and dtypes are NumPy's: Python's floats are float64 (float32 after
``experimental_enable_numpy_behavior(prefer_float32=True)``) and its integers int64, but beside a tensor they take its
dtype; an integer with a float32 is a float64. Functions of floats make float64 of every integer, as TensorFlow's do.
"""

from __future__ import annotations

import numpy as np

from wengert.functions.numpy import arrangement, elementwise, products, promotion, random, reduction
from wengert.functions.numpy.arrangement import *  # noqa: F403
from wengert.functions.numpy.behavior import experimental_enable_numpy_behavior
from wengert.functions.numpy.elementwise import *  # noqa: F403
from wengert.functions.numpy.products import *  # noqa: F403
from wengert.functions.numpy.promotion import *  # noqa: F403
from wengert.functions.numpy.reduction import *  # noqa: F403
from wengert.tensor.tensor import Tensor as ndarray

pi, e, inf, newaxis = np.pi, np.e, np.inf, None
nan = np.nan
bool_, float16, float32, float64, int8, int16, int32, int64 = (
    np.bool_, np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64)  # fmt: skip
uint8, uint16, uint32, uint64, complex64, complex128 = (
    np.uint8, np.uint16, np.uint32, np.uint64, np.complex64, np.complex128)  # fmt: skip
complex_, float_, int_, inexact, object_, string_, unicode_ = (
    np.complex128, np.float64, np.int64, np.inexact, np.object_, np.bytes_, np.str_)  # fmt: skip
iinfo, issubdtype = np.iinfo, np.issubdtype

__all__ = [
    "bool_",
    "complex64",
    "complex128",
    "complex_",
    "e",
    "experimental_enable_numpy_behavior",
    "float16",
    "float32",
    "float64",
    "float_",
    "iinfo",
    "inexact",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "int_",
    "issubdtype",
    "nan",
    "ndarray",
    "newaxis",
    "object_",
    "pi",
    "random",
    "string_",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unicode_",
]  # fmt: skip
__all__ += arrangement.__all__
__all__ += elementwise.__all__
__all__ += products.__all__
__all__ += promotion.__all__
__all__ += reduction.__all__
