"""`TensorArray`: a list of tensors that is written and read by index, in loops too."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.functions import array
from wengert.ground import checks, shapes
from wengert.ground.context import state
from wengert.ground.dtypes import DType, DtypeLike, as_dtype
from wengert.ground.errors import DTypeError, InvalidArgumentError, OutOfRangeError, ResourceExhaustedError, ShapeError
from wengert.ops.tensor_array import WRITE_ROW
from wengert.tensor.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, apply, convert, value_of

__all__ = ["TensorArray"]

MOST = 2**26
"""Elements that a list of tensors can have."""


class TensorArray:
    """A list of tensors of one dtype and shape, written and read by index.

    Each write returns the array to go on with. In a loop of a graph the rows stand in one tensor that the loop carries.

    >>> ta = TensorArray("float32", size=2)
    >>> ta.write(0, 1.0).write(1, 2.0).stack().numpy()
    array([1., 2.], dtype=float32)
    """

    def __init__(
        self,
        dtype: DtypeLike,
        size: TensorLike | None = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        """Make an array of a size, which grows with ``dynamic_size``. ``element_shape``: that of each element."""
        self._dtype = as_dtype(dtype)
        self._grows = checks.flag(dynamic_size, "TensorArray", "dynamic_size")
        self._infer = checks.flag(infer_shape, "TensorArray", "infer_shape")
        # What is known of the elements' shape; arrays made from one another share it.
        self._element: list[shapes.Shape] = [shapes.as_shape(element_shape)]
        self._items: list[Any] | None = None
        self._data: Any = None
        self._size: Any = None
        size = 0 if size is None else size
        size = value_of(size)
        if isinstance(size, SymbolicTensor):
            known = array.get_static_value(size)
            size = size if known is None else int(known)
        if isinstance(size, SymbolicTensor):
            self._size = size
        else:
            number = array.integer_of(size, "TensorArray: size")
            if not 0 <= number <= MOST:
                raise ResourceExhaustedError(f"TensorArray: size must lie between 0 and {MOST}, and is {number}.")
            self._items = [None] * number

    # --- what it is --------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return self._dtype

    @property
    def dynamic_size(self) -> bool:
        """Whether it grows."""
        return self._grows

    @property
    def element_shape(self) -> shapes.TensorShape:
        """What is known of the elements' shape."""
        return shapes.TensorShape(self._element[0])

    @property
    def flow(self) -> Any:
        """A number: TensorFlow 1 carried it through loops."""
        return convert(np.float32(0.0))

    @property
    def handle(self) -> None:
        """None: there is no resource behind it."""
        return None

    def identity(self) -> TensorArray:
        """Return the array."""
        return self

    def close(self, name: str | None = None) -> None:
        """Do nothing."""

    def mark_used(self) -> None:
        """Do nothing."""

    def size(self, name: str | None = None) -> Any:
        """Return the number of elements as an int32 tensor."""
        if self._items is not None:
            return convert(np.int32(len(self._items)))
        if self._data is None:
            return array.cast(self._size, "int32")
        return array.shape(self._data)[0]

    # --- writing -----------------------------------------------------------------------------------------------

    def _with(self, items: list[Any] | None = None, data: TensorLike | None = None) -> TensorArray:
        """Return the array with other contents: itself when run eagerly, as in TensorFlow."""
        if state.graph is None and items is not None:
            self._items, self._data = items, None
            return self
        other = object.__new__(TensorArray)
        other.__dict__.update(self.__dict__, _items=items, _data=data, _size=None)
        return other

    def _value(self, value: Any) -> Any:
        value = value_of(value)
        t = value if isinstance(value, Tensor) else convert(value, self._dtype)
        if t.nptype != self._dtype.numpy:
            raise DTypeError(f"TensorArray dtype is {self._dtype.name} but Op is trying to write dtype {t.dtype.name}.")
        return t

    def _learn(self, sizes: shapes.Shape) -> None:
        if not self._infer:
            return
        known = self._element[0]
        if not shapes.fits(known, sizes):
            raise ShapeError(
                f"Incompatible shape for value ({shapes.text(sizes)}), expected ({shapes.text(known)}) of the TensorArray's "
                "elements."
            )
        self._element[0] = shapes.merge(known, sizes)

    def write(self, index: Any, value: TensorLike, name: str | None = None) -> TensorArray:
        """Set the element at an index; return the array.

        Raises:
            OutOfRangeError: if the index lies outside and the array does not grow.
            ShapeError: (a ValueError) if the element's shape differs from the others'.
        """
        t = self._value(value)
        self._learn(t.sizes)
        at = _number(index)
        if at is None or self._items is None:
            attrs = {"grows": self._grows}
            return self._with(data=apply(WRITE_ROW, (self._rows(), _index(index), t), attrs, name))
        items = list(self._items) if state.graph is not None else self._items
        if at < 0 or (at >= len(items) and not self._grows):
            raise OutOfRangeError(f"Tried to write to index {at} but array is not resizeable and size is: {len(items)}")
        items.extend([None] * (at + 1 - len(items)))
        items[at] = t
        return self._with(items)

    def unstack(self, value: TensorLike, name: str | None = None) -> TensorArray:
        """Set all elements from the rows of a tensor.

        Raises:
            OutOfRangeError: if there are more rows than places.
        """
        t = self._value(value)
        if t.sizes == ():
            raise ShapeError("TensorArray.unstack needs a tensor with at least one axis.")
        rows = t.sizes[0] if t.sizes is not None else None
        self._learn(None if t.sizes is None else t.sizes[1:])
        if rows is not None and self._items is not None and rows > len(self._items) and not self._grows:
            raise OutOfRangeError(
                f"Tried to unstack {rows} rows, and the array is not resizeable and size is: {len(self._items)}"
            )
        if state.graph is None:
            return self._with(array.unstack(t))
        # The array is a tensor of its own: what is read of it is no gather from the value, whose gradient stays dense.
        return self._with(data=array.identity(t))

    def scatter(self, indices: TensorLike, value: TensorLike, name: str | None = None) -> TensorArray:
        """Set the elements at some indices from the rows of a tensor."""
        t = self._value(value)
        places = array.get_static_value(convert(indices))
        if places is None:
            raise InvalidArgumentError("TensorArray.scatter: the indices must be known while the graph is built.")
        result = self
        for k, at in enumerate(places.ravel().tolist()):
            result = result.write(at, t[k])
        return result

    def split(self, value: Any, lengths: TensorLike, name: str | None = None) -> TensorArray:
        """Set the elements from parts of a tensor, of the given lengths along the first axis."""
        t = self._value(value)
        sizes = array.get_static_value(convert(lengths))
        if sizes is None:
            raise InvalidArgumentError("TensorArray.split: the lengths must be known while the graph is built.")
        parts = array.split(t, sizes.astype(int).tolist(), 0)
        if len(parts) != len(self._items or parts) and not self._grows:
            raise InvalidArgumentError(
                f"TensorArray's size is not equal to the size of lengths ({len(self._items or [])} vs. {len(parts)}), and the "
                "TensorArray is not marked as dynamically resizeable."
            )
        return self._with(parts)

    # --- reading -----------------------------------------------------------------------------------------------

    def read(self, index: Any, name: str | None = None) -> Any:
        """Return the element at an index.

        Raises:
            OutOfRangeError: if it lies outside.
        """
        at = _number(index)
        if self._items is None or at is None:
            return array.gather(self._rows(), _index(index))
        if not 0 <= at < len(self._items):
            raise OutOfRangeError(f"Tried to read from index {at} but array size is: {len(self._items)}")
        return self._filled(self._items[at], at)

    def _filled(self, item: Any, at: int) -> Any:
        if item is not None:
            return item
        element = self._element[0]
        if not shapes.is_full(element):
            raise InvalidArgumentError(
                f"Could not read index {at}: it was never written, and the elements' shape is not known to be zeros of."
            )
        return array.zeros(element, self._dtype)

    def stack(self, name: str | None = None) -> Any:
        """Return all elements as the rows of one tensor; those never written are zeros."""
        if self._items is None:
            return self._rows()
        if not self._items:
            element = self._element[0]
            return array.zeros([0, *(s or 0 for s in element or ())], self._dtype)
        return array.stack([self._filled(item, i) for i, item in enumerate(self._items)])

    def gather(self, indices: TensorLike, name: str | None = None) -> Any:
        """Return some elements as the rows of one tensor."""
        places = array.get_static_value(convert(indices))
        if self._items is None or places is None:
            return array.gather(self._rows(), indices)
        return array.stack([self.read(int(i)) for i in places.ravel()])

    def concat(self, name: str | None = None) -> Any:
        """Return all elements joined along their first axis."""
        if self._items is not None:
            return array.concat([self._filled(item, i) for i, item in enumerate(self._items)], 0)
        rows = self._rows()
        if rows.sizes is not None and len(rows.sizes) > 1:
            return array.reshape(rows, [-1, *(_known(s, rows, i) for i, s in enumerate(rows.sizes[2:], 2))])
        raise ShapeError("TensorArray.concat: the rank of the elements is not known; give element_shape.")

    # --- as the rows of one tensor, which loops and branches carry --------------------------------------------------

    def _rows(self) -> Any:
        if self._data is not None:
            return self._data
        element = self._element[0]
        if self._items is not None and any(i is not None for i in self._items):
            like = next(i for i in self._items if i is not None)
            items = [array.zeros_like(like) if i is None else i for i in self._items]
            return array.stack(items)
        size = len(self._items) if self._items is not None else self._size
        if shapes.is_full(element):
            return array.zeros([size, *(element or ())], self._dtype)
        # Not known yet: rows without elements, which the first write fills.
        rows = array.zeros([size, *([0] if element is None else [s or 0 for s in element])], self._dtype)
        if isinstance(rows, EagerTensor) and state.graph is not None:
            rows = convert(rows.array)
        if isinstance(rows, SymbolicTensor):
            rows.sizes = None if element is None else (rows.sizes[0] if rows.sizes else None, *element)
        return rows

    def _as_carry(self) -> Any:
        return self._rows()

    def _of_carry(self, rows: Any) -> TensorArray:
        """Return the array whose rows are those of a tensor."""
        other = object.__new__(TensorArray)
        other.__dict__.update(self.__dict__, _items=None, _data=rows, _size=None)
        return other

    def _knows_elements(self) -> bool:
        return self._element[0] is not None or self._data is not None

    def __repr__(self) -> str:
        size = len(self._items) if self._items is not None else "?"
        return f"<wengert.TensorArray dtype={self._dtype.name} size={size} element_shape={self.element_shape}>"


def _known(size: TensorLike, tensor: TensorLike, axis: int) -> Any:
    return array.shape(tensor)[axis] if size is None else size


def _number(index: Any) -> int | None:
    """Return an index that is known, or None."""
    if isinstance(index, SymbolicTensor):
        known = array.get_static_value(index)
        return None if known is None else int(known)
    return int(index)


def _index(index: Any) -> Any:
    return index if isinstance(index, Tensor) else convert(np.int32(int(index)))
