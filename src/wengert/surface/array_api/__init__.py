"""The Python array API standard, version 2024.12: `wengert.array_api`, the namespace of tensors.

Functions written against the standard take tensors by it, eager ones and those of a traced function, and all that they do is
recorded: `tensor.__array_namespace__()` returns this module. Tensors do not change: what assigns to a part is refused.
"""

from __future__ import annotations

import math

from wengert.surface.array_api import arrangement, creation, dtypes, elementwise, fft, linalg, reduction
from wengert.surface.array_api.arrangement import *  # noqa: F403
from wengert.surface.array_api.creation import *  # noqa: F403
from wengert.surface.array_api.dtypes import *  # noqa: F403
from wengert.surface.array_api.elementwise import *  # noqa: F403
from wengert.surface.array_api.info import Info
from wengert.surface.array_api.linalg import matmul, matrix_transpose, tensordot, vecdot
from wengert.surface.array_api.reduction import *  # noqa: F403
from wengert.tensor.exchange import VERSION as __array_api_version__

e, inf, nan, newaxis, pi = math.e, math.inf, math.nan, None, math.pi


def __array_namespace_info__() -> Info:
    """Return what the namespace tells of itself: dtypes, devices, what it can do."""
    return Info()


__all__ = [
    "__array_api_version__",
    "__array_namespace_info__",
    "e",
    "fft",
    "inf",
    "linalg",
    "matmul",
    "matrix_transpose",
    "nan",
    "newaxis",
    "pi",
    "tensordot",
    "vecdot",
]
__all__ += arrangement.__all__
__all__ += creation.__all__
__all__ += dtypes.__all__
__all__ += elementwise.__all__
__all__ += reduction.__all__
