"""``keras.regularizers``: what a weight adds to the loss."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.keras import registry
from wengert.tensor.tensor import TensorLike, convert

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer(registry.Stated):
    """Returns what a weight adds to the loss when it is called with it."""

    _arguments: ClassVar[tuple[str, ...] | None] = None

    def __call__(self, x: TensorLike) -> Any:
        """Return the loss of a weight."""
        return 0.0


class L1L2(Regularizer):
    """l1 sum(|x|) + l2 sum(x²).

    >>> float(L1L2(l1=0.5, l2=0.25)([1.0, -2.0]))
    2.75
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        """Take the two factors."""
        self.l1, self.l2 = float(l1 or 0.0), float(l2 or 0.0)

    def __call__(self, x: TensorLike) -> Any:
        """Return the loss of a weight."""
        x = convert(x)
        total: Any = array.zeros([], x.dtype)
        if self.l1:
            total = total + self.l1 * elementary.reduce_sum(elementary.abs(x))
        if self.l2:
            total = total + self.l2 * elementary.reduce_sum(elementary.square(x))
        return total


class L1(L1L2):
    """l1 sum(|x|)."""

    _arguments = ("l1",)

    def __init__(self, l1: float | None = 0.01) -> None:
        """Take the factor."""
        super().__init__(0.01 if l1 is None else l1, 0.0)


class L2(L1L2):
    """l2 sum(x²)."""

    _arguments = ("l2",)

    def __init__(self, l2: float | None = 0.01) -> None:
        """Take the factor."""
        super().__init__(0.0, 0.01 if l2 is None else l2)


class OrthogonalRegularizer(Regularizer):
    """factor times half the mean |cosine| between different rows (or columns) of a matrix."""

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        """Take the factor, and "rows" or "columns"."""
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: the mode is 'rows' or 'columns', not {mode!r}.")
        self.factor, self.mode = factor, mode

    def __call__(self, x: TensorLike) -> Any:
        """Return the loss of a matrix."""
        x = convert(x)
        if x.sizes is None or len(x.sizes) != 2:
            raise ValueError(f"OrthogonalRegularizer: the weight must be a matrix, not of shape {x.shape}.")
        rows = x if self.mode == "rows" else array.transpose(x)
        rows = linalg.l2_normalize(rows, axis=1)
        size = rows.sizes[0]
        product = elementary.matmul(rows, rows, transpose_b=True)
        apart = elementary.abs(product * (1.0 - array.eye(size, dtype=product.dtype)))
        return self.factor * 0.5 * elementary.reduce_sum(apart) / max(1, size * (size - 1) // 2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return l1 sum(|x|) + l2 sum(x²), both factors 0.01 by default."""
    return L1L2(l1, l2)


l1, l2, orthogonal_regularizer = L1, L2, OrthogonalRegularizer

_REGISTRY = registry.Registry(
    "regularizer", {
        "L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": l1_l2, "OrthogonalRegularizer": OrthogonalRegularizer,
        "orthogonal_regularizer": OrthogonalRegularizer,
    },
    adapt=lambda found: l1_l2() if found is l1_l2 else found,
)  # fmt: skip
get, serialize, deserialize = _REGISTRY.get, _REGISTRY.serialize, _REGISTRY.deserialize
