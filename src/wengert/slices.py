"""`IndexedSlices`: some rows of a tensor, as the gradient of a gather is."""

from __future__ import annotations

from typing import Any

from wengert.dtypes import DType
from wengert.graph import static_value
from wengert.ops.linear import EXPAND_DIMS, SCATTER_ND
from wengert.shapes import TensorShape
from wengert.tensor import apply, convert

__all__ = ["IndexedSlices"]


class IndexedSlices:
    """Rows ``values`` that stand at ``indices`` of the first axis of a tensor; repeated rows add up.

    Wherever a tensor is needed it is taken as the whole tensor.
    """

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        """Take the rows (n, ...), where they stand (n,), and the shape of the whole."""
        self.values, self.indices, self.dense_shape = values, indices, dense_shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.values.dtype  # type: ignore[no-any-return]

    @property
    def shape(self) -> TensorShape:
        """The shape of the whole."""
        if self.dense_shape is None:
            return TensorShape(None)
        return TensorShape(static_value(self.dense_shape))

    @property
    def device(self) -> str:
        """Where it is."""
        return str(self.values.device)

    @property
    def name(self) -> Any:
        """The name of the rows."""
        return self.values.name

    @property
    def op(self) -> Any:
        """The operation that gives the rows."""
        return self.values.op

    @property
    def graph(self) -> Any:
        """The graph of the rows."""
        return self.values.graph

    def _as_tensor(self) -> Any:
        if self.dense_shape is None:
            raise ValueError("IndexedSlices without a dense_shape cannot become a tensor.")
        index = apply(EXPAND_DIMS, (convert(self.indices),), {"axis": -1})
        known = static_value(self.dense_shape)
        if isinstance(known, list) and None not in known:
            return apply(SCATTER_ND, (convert(self.values), index), {"shape": tuple(known)})
        return apply(SCATTER_ND, (convert(self.values), index, convert(self.dense_shape)), {"shape": None})

    def numpy(self) -> Any:
        """Return the whole as a NumPy array."""
        return self._as_tensor().numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return the whole for NumPy."""
        return self._as_tensor().__array__(dtype, copy)

    def __getitem__(self, key: Any) -> Any:
        """Index the whole."""
        return self._as_tensor()[key]

    def __neg__(self) -> IndexedSlices:
        """Negate the rows."""
        return IndexedSlices(-self.values, self.indices, self.dense_shape)

    def __repr__(self) -> str:
        """Show as TensorFlow does."""
        shape = "" if self.dense_shape is None else f", dense_shape={self.dense_shape}"
        return f"IndexedSlices(indices={self.indices}, values={self.values}{shape})"

    __str__ = __repr__


def _binary(name: str) -> Any:
    def method(self: IndexedSlices, other: Any) -> Any:
        return getattr(self._as_tensor(), name)(other)

    return method


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "matmul"):
    setattr(IndexedSlices, f"__{_name}__", _binary(f"__{_name}__"))
