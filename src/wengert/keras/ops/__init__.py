"""``keras.ops``: NumPy's functions, linear algebra, and functions of networks, over tensors.

A function with NumPy's name has NumPy's meaning: axes, order of results, values at the edges. Its dtypes are Keras's:
see `promotion`.
"""

from wengert.keras.ops import algebra, arrangement, elementwise, network, program, reduction, windows
from wengert.keras.ops.algebra import *  # noqa: F403
from wengert.keras.ops.arrangement import *  # noqa: F403
from wengert.keras.ops.elementwise import *  # noqa: F403
from wengert.keras.ops.network import *  # noqa: F403
from wengert.keras.ops.program import *  # noqa: F403
from wengert.keras.ops.reduction import *  # noqa: F403
from wengert.keras.ops.windows import *  # noqa: F403

array = arrangement.array_of

__all__ = sorted(
    {
        "array",
        *algebra.__all__,
        *arrangement.__all__,
        *elementwise.__all__,
        *network.__all__,
        *program.__all__,
        *reduction.__all__,
        *windows.__all__,
    }
)
