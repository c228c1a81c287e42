"""``keras.ops``: NumPy's functions, linear algebra, and functions of networks, over tensors.

A function with NumPy's name has NumPy's meaning: axes, order of results, values at the edges. Its dtypes are Keras's:
see `promotion`.
"""

import types

import numpy as np

from wengert.keras.ops import algebra, arrangement, distinct, elementwise, network, patterns, program, reduction, spectra, windows
from wengert.keras.ops import image as image
from wengert.keras.ops.algebra import *  # noqa: F403
from wengert.keras.ops.arrangement import *  # noqa: F403
from wengert.keras.ops.distinct import *  # noqa: F403
from wengert.keras.ops.elementwise import *  # noqa: F403
from wengert.keras.ops.network import *  # noqa: F403
from wengert.keras.ops.patterns import *  # noqa: F403
from wengert.keras.ops.program import *  # noqa: F403
from wengert.keras.ops.reduction import *  # noqa: F403
from wengert.keras.ops.spectra import *  # noqa: F403
from wengert.keras.ops.windows import *  # noqa: F403

array = arrangement.array_of
_parts = (algebra, arrangement, distinct, elementwise, network, patterns, program, reduction, spectra, windows)
_names = {name: thing for part in _parts
          for name, thing in vars(part).items() if name in part.__all__}  # fmt: skip
linalg = types.SimpleNamespace(**{name: _names[name] for name in (
    "cholesky cholesky_inverse det eig eigh inv jvp lstsq lu_factor matrix_rank norm pinv qr solve solve_triangular svd"
).split()})  # fmt: skip
"""``keras.ops.linalg``: functions of matrices."""
nn = types.SimpleNamespace(**{name: thing for name, thing in _names.items() if name in (
    *network.__all__, *windows.__all__, "adaptive_average_pool", "adaptive_max_pool", "fold", "unfold", "moments", "polar"
)})  # fmt: skip
"""``keras.ops.nn``: functions of networks."""
numpy = types.SimpleNamespace(
    **{
        name: thing
        for name, thing in _names.items()
        if hasattr(np, name) or name in ("divide_no_nan", "get_item", "slogdet", "view")
    }
)
"""``keras.ops.numpy``: functions with NumPy's names."""

__all__ = sorted(
    {
        "array",
        "image",
        "linalg",
        "nn",
        "numpy",
        *algebra.__all__,
        *arrangement.__all__,
        *distinct.__all__,
        *elementwise.__all__,
        *network.__all__,
        *patterns.__all__,
        *program.__all__,
        *reduction.__all__,
        *spectra.__all__,
        *windows.__all__,
    }
)
