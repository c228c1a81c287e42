"""`SparseTensor`: the elements of a tensor that are written down, and where they stand; the others are zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.graph.static import static_value
from wengert.ground import dtypes, nest, shapes
from wengert.ground.displayed import displayed
from wengert.ground.dtypes import DType, DtypeLike
from wengert.ground.errors import DTypeError, InvalidArgumentError, ShapeError
from wengert.ground.shapes import ShapeLike, TensorShape
from wengert.modes.function import TensorSpec
from wengert.ops import elementwise
from wengert.ops.linear import BROADCAST_TO, GATHER_ND
from wengert.tensor.tensor import SymbolicTensor, Tensor, TensorLike, apply, cast, convert

__all__ = ["SparseTensor", "SparseTensorSpec", "SparseTensorValue"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class SparseTensorValue(NamedTuple):
    """The value of a `SparseTensor`, as arrays; it is fed for a sparse placeholder."""

    indices: Any
    values: Any
    dense_shape: Any


def _integers(value: TensorLike, what: str) -> Any:
    t = convert(value) if isinstance(value, Tensor) or hasattr(value, "_as_tensor") else convert(value, dtypes.int64)
    if t.nptype != np.int64:
        raise DTypeError(f"{what}: Tensor conversion requested dtype int64 for Tensor with dtype {t.dtype.name}: {t!r}")
    return t


class SparseTensor(nest.Composite):
    """Elements ``values`` (n,) of a tensor of shape ``dense_shape`` (r,), which stand at ``indices`` (n, r); the rest is zero.

    Structures are flattened into its three tensors, so that functions take and return it, and sessions fetch it. Derivatives
    are those by its values.

    Raises:
        ShapeError: (a ValueError) for parts that do not fit each other.
        DTypeError: (a ValueError, too) for indices and a shape that are tensors of another type than int64.

    >>> SparseTensor([[0, 0], [1, 2]], [1.0, 5.0], [2, 3]).shape
    TensorShape([2, 3])
    """

    def __init__(self, indices: TensorLike, values: TensorLike, dense_shape: TensorLike) -> None:
        """Take where the elements stand, the elements, and the shape of the whole."""
        self.indices: Any = _integers(indices, "indices")
        self.values: Any = convert(values)
        self.dense_shape: Any = _integers(dense_shape, "dense_shape")
        places, elements, whole = self.indices.sizes, self.values.sizes, self.dense_shape.sizes
        for sizes, rank in ((places, 2), (elements, 1), (whole, 1)):
            if sizes is not None and len(sizes) != rank:
                raise ShapeError(f"SparseTensor: Shape {shapes.text(sizes)} must have rank {rank}")
        pairs = ((places, 0, elements), (places, 1, whole))
        for sizes, axis, other in pairs:
            if sizes is not None and other is not None and None not in (sizes[axis], other[0]) and sizes[axis] != other[0]:
                raise ShapeError(f"SparseTensor: Dimensions {other[0]} and {sizes[axis]} are not compatible")
        self._known: shapes.Shape = None

    def _parts(self) -> list[Any]:
        return [self.indices, self.values, self.dense_shape]

    def _of(self, parts: Sequence[Any]) -> Any:
        if isinstance(parts[1], np.ndarray):
            return SparseTensorValue(*parts)
        return _of_parts(parts, self._known if parts[2] is self.dense_shape else None)

    @classmethod
    def from_value(cls, sparse_tensor_value: SparseTensor | Sequence[TensorLike]) -> SparseTensor:
        """Return the SparseTensor of a `SparseTensorValue`."""
        if isinstance(sparse_tensor_value, SparseTensor):
            return sparse_tensor_value
        if not isinstance(sparse_tensor_value, tuple) or len(sparse_tensor_value) != 3:
            raise TypeError(f"Neither a SparseTensor nor SparseTensorValue: {sparse_tensor_value}.")
        return cls(*sparse_tensor_value)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.values.dtype  # type: ignore[no-any-return]

    @property
    def sizes(self) -> shapes.Shape:
        """What is known of the shape of the whole."""
        found = static_value(self.dense_shape)
        if isinstance(found, list | tuple | np.ndarray):
            return shapes.merge(tuple([None if s is None or s < 0 else int(s) for s in found]), self._known)
        rank = self.dense_shape.sizes[0] if self.dense_shape.sizes else None
        if rank is None and self.indices.sizes is not None:
            rank = self.indices.sizes[1]
        return self._known if rank is None else shapes.merge((None,) * rank, self._known)

    @property
    def shape(self) -> TensorShape:
        """The static shape of the whole."""
        return TensorShape(self.sizes)

    @property
    def rank(self) -> int | None:
        """The number of axes of the whole, None if not known."""
        return None if self.sizes is None else len(self.sizes)

    def get_shape(self) -> TensorShape:
        """Return the static shape of the whole."""
        return self.shape

    def set_shape(self, shape: ShapeLike) -> None:
        """Add to what is known of the shape."""
        self._known = shapes.merge(self.sizes, shapes.as_shape(shape))

    @property
    def op(self) -> Any:
        """The operation that gives the values."""
        return self.values.op

    @property
    def graph(self) -> Any:
        """The graph of its parts."""
        return self.values.graph

    def consumers(self) -> list[Any]:
        """Return the operations that read its parts."""
        parts = [t for t in self._parts() if isinstance(t, SymbolicTensor)]
        return list({id(node): node for t in parts for node in t.consumers()}.values())

    def with_values(self, new_values: TensorLike) -> SparseTensor:
        """Return other elements at the same places."""
        return SparseTensor(self.indices, convert(new_values), self.dense_shape)

    def eval(self, feed_dict: Any = None, session: Any = None) -> SparseTensorValue:
        """Run it in the given or the default session."""
        from wengert.ground.context import default_session

        if not isinstance(self.values, SymbolicTensor):
            raise AttributeError("SparseTensor.eval is for those of a graph; this one has its value already.")
        return default_session(session).run(self, feed_dict)  # type: ignore[no-any-return]

    def _with(self, op: Any, other: TensorLike, what: str) -> SparseTensor:
        if isinstance(other, SparseTensor):
            raise TypeError(f"unsupported operand type(s) for {what}: 'SparseTensor' and 'SparseTensor'")
        y = convert(other, like=self.values)
        if y.sizes == ():
            at = y
        else:
            if not shapes.is_full(self.sizes):
                raise InvalidArgumentError(f"SparseTensor {what} takes a scalar where its own shape is not known.")
            whole = apply(BROADCAST_TO, (y,), {"shape": self.sizes})
            at = apply(GATHER_ND, (whole, self.indices), {"batch_dims": 0})
        if at.nptype != self.values.nptype:
            at = cast(at, self.values.nptype)
        return self.with_values(apply(op, (self.values, at)))

    def __mul__(self, other: TensorLike) -> SparseTensor:
        """Multiply the elements by a dense tensor, broadcast to the shape of the whole."""
        return self._with(elementwise.MULTIPLY, other, "*")

    def __truediv__(self, other: TensorLike) -> SparseTensor:
        """Divide the elements by a dense tensor, broadcast to the shape of the whole."""
        return self._with(elementwise.DIVIDE, other, "/")

    __div__ = __truediv__

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self.indices}, values={self.values}, dense_shape={self.dense_shape})"

    __str__ = __repr__

    @displayed
    def _repr_html_(self) -> str:
        from wengert.ground import display

        head = display.heading("tf.SparseTensor", shape=shapes.text(self.sizes), dtype=self.dtype.name)
        places, elements = self.indices, self.values
        if isinstance(places, SymbolicTensor) or isinstance(elements, SymbolicTensor):
            parts = [(p, display.cut(repr(t))) for p, t in zip(("indices", "values", "dense_shape"), self._parts(), strict=True)]
            return head + display.facts(parts)
        count = len(places.array)
        pairs = zip(places.array[: display.MOST].tolist(), elements.array[: display.MOST], strict=True)
        rows = [(", ".join(map(str, at)), display.number(x)) for at, x in pairs]
        return head + display.table(
            ("index", "value"), rows, ("value",), count, f"elements; the others of {shapes.text(self.sizes)} are zero"
        )


class SparseTensorSpec(nest.Composite):
    """Describes a `SparseTensor` for `function`: its parts are described, so that it stands in an ``input_signature``.

    >>> SparseTensorSpec([2, None], "float32")
    SparseTensorSpec(TensorShape([2, None]), tf.float32)
    """

    def __init__(self, shape: ShapeLike | None = None, dtype: DtypeLike = dtypes.float32) -> None:
        """Take the static shape of the whole and the element type."""
        self.shape, self.dtype = TensorShape(shapes.as_shape(shape)), dtypes.as_dtype(dtype)
        rank = self.shape.rank
        places = TensorSpec([None, rank], dtypes.int64)
        self._described = [places, TensorSpec([None], self.dtype), TensorSpec([rank], dtypes.int64)]

    def _parts(self) -> list[Any]:
        return list(self._described)

    def _of(self, parts: Sequence[Any]) -> Any:
        return _of_parts(parts, shapes.as_shape(self.shape))

    def is_compatible_with(self, spec_or_value: SparseTensor | SparseTensorSpec) -> bool:
        """Whether a value is of this type and shape."""
        other = spec_or_value
        return isinstance(other, SparseTensor | SparseTensorSpec) and other.dtype is self.dtype and shapes.fits(
            shapes.as_shape(self.shape), shapes.as_shape(other.shape))  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SparseTensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self.shape!r}, {self.dtype!r})"


def _of_parts(parts: Sequence[Any], known: shapes.Shape) -> SparseTensor:
    """Return a SparseTensor of parts that stand for others, of a shape that may be known otherwise."""
    made = object.__new__(SparseTensor)
    made.indices, made.values, made.dense_shape = parts
    made._known = known
    return made
