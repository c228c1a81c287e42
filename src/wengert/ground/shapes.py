"""Static shapes with unknown sizes.

Inside, a static shape is a tuple of ``int | None`` (None: not known yet), or None where not even the rank is known.
`TensorShape` is what users see of it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.ground.errors import ShapeError

__all__ = ["Dimension", "Shape", "ShapeLike", "TensorShape", "as_shape", "broadcast", "merge"]

Shape = tuple[int | None, ...] | None


class Dimension(int):
    """A known size: an int that also answers TensorFlow 1's ``.value``."""

    @property
    def value(self) -> int:
        """The size."""
        return int(self)

    def __repr__(self) -> str:
        return int.__repr__(self)

    __str__ = __repr__


class KnownDimension(Dimension):
    """A known size that shows as TensorFlow 1's does."""

    def __repr__(self) -> str:
        return f"Dimension({int(self)})"


class UnknownDimension:
    """A size that is not known, where TensorFlow 1 has ``Dimension(None)``."""

    value = None

    def __repr__(self) -> str:
        return "Dimension(None)"

    def __str__(self) -> str:
        return "?"

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, UnknownDimension)

    def __hash__(self) -> int:
        return hash(None)

    def _unknown(self, *others: Any) -> UnknownDimension:
        """Return an unknown size: what arithmetic gives."""
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __rfloordiv__ = __mod__ = _unknown


def make_dimension(value: Any) -> Any:
    """Return TensorFlow 1's ``Dimension(value)``.

    >>> make_dimension(3) + 2, make_dimension(None) + 2
    (5, Dimension(None))
    """
    size = size_of(value)
    return UnknownDimension() if size is None else KnownDimension(size)


def dimension_value(dimension: Any) -> Any:
    """Return the size that a dimension or a number means, or None."""
    return getattr(dimension, "value", dimension)


def dimension_at_index(shape: Any, index: int) -> Any:
    """Return one size of a shape as TensorFlow 1's dimension."""
    sizes = as_shape(shape)
    if sizes is None:
        return UnknownDimension()
    try:
        return make_dimension(sizes[operator.index(index)])
    except (TypeError, IndexError) as error:
        raise ShapeError(f"dimension_at_index: {index!r} is no axis of a shape of {len(sizes)} sizes.") from error


V1_DIMENSIONS = [False]
"""Whether an unknown size shows as ``Dimension(None)``, as in TensorFlow 1, rather than as None."""


def size_of(value: Any) -> int | None:
    """Return one size from an int, a whole float, None, -1-free Dimension, or raise ShapeError."""
    if value is None or isinstance(value, UnknownDimension):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ShapeError(f"A shape holds whole numbers or None, not {value!r}.") from error
    if number != value:
        raise ShapeError(f"A shape holds whole numbers, not {value!r}.")
    if number < 0:
        raise ShapeError(f"A shape holds no negative sizes: {value!r}.")
    if number > 2**62:
        raise ShapeError(f"A size of {value!r} is beyond any memory.")
    return number


def as_shape(value: Any) -> Shape:
    """Return the static shape that a TensorShape, sequence, int or None means."""
    if value is None:
        return None
    if isinstance(value, TensorShape):
        return value.sizes
    if isinstance(value, str | bytes | dict):
        raise ShapeError(f"Cannot read a shape from {value!r}.")
    try:
        items = list(value)
    except TypeError:
        items = [value]
    return tuple(size_of(item) for item in items)


def text(shape: Shape) -> str:
    """Show a static shape as TensorFlow does."""
    if shape is None:
        return "<unknown>"
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def is_full(shape: Shape) -> bool:
    """Whether all sizes are known."""
    return shape is not None and None not in shape


def fits(a: Shape, b: Shape) -> bool:
    """Whether one array can have both shapes."""
    if a is None or b is None:
        return True
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))


def merge(a: Shape, b: Shape) -> Shape:
    """Return what is known of a shape that is both a and b.

    Raises:
        ShapeError: if no shape is both.
    """
    if a is None or b is None:
        return b if a is None else a
    if not fits(a, b):
        raise ShapeError(f"Shapes {text(a)} and {text(b)} are not compatible")
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def broadcast(a: Shape, b: Shape, where: str = "") -> Shape:
    """Return the shape of an elementwise operation on shapes a and b.

    Raises:
        ShapeError: naming both.
    """
    if a == b or b == ():
        return a
    if a == ():
        return b
    if a is None or b is None:
        return None
    if len(a) < len(b):
        a = (1,) * (len(b) - len(a)) + a
    elif len(b) < len(a):
        b = (1,) * (len(a) - len(b)) + b
    sizes: list[int | None] = []
    for x, y in zip(a, b, strict=True):
        if x == y or y == 1:
            sizes.append(x)
        elif x == 1:
            sizes.append(y)
        elif x is None or y is None:
            sizes.append(y if x is None else x)
        else:
            raise ShapeError(
                f"Incompatible shapes: {text(a)} and {text(b)}{where}. Dimensions must be equal, or 1, to be broadcast together."
            )
    return tuple(sizes)


def count(shape: Shape) -> int | None:
    """Return the number of elements, None if not known."""
    if shape is None:
        return None
    if 0 in shape:
        return 0
    total = 1
    for size in shape:
        if size is None:
            return None
        total *= size
    return total


def axis_of(axis: Any, rank: int | None, what: str = "axis") -> int:
    """Return an axis counted from the front; from the back it stays negative where the rank is not known.

    Raises:
        ShapeError: if it lies outside.
    """
    try:
        number = axis.__index__()
    except AttributeError:
        raise ShapeError(f"{what} must be an integer, not {axis!r}.") from None
    if rank is None:
        return int(number)
    if not -rank <= number < max(rank, 1):
        raise ShapeError(f"{what} = {number} not in [{-rank}, {rank}): out of range for a tensor of rank {rank}.")
    return int(number) % rank if rank else 0


@Sequence.register
class TensorShape:
    """A static shape as users see it.

    >>> TensorShape([None, 3]).concatenate([2])
    TensorShape([None, 3, 2])
    """

    __slots__ = ("sizes",)

    def __init__(self, dims: Any = None) -> None:
        """Take a sequence of sizes (None: unknown), an int, another shape, or None for unknown rank."""
        self.sizes: Shape = as_shape(dims)

    @property
    def rank(self) -> int | None:
        """Number of axes, None if not known."""
        return None if self.sizes is None else len(self.sizes)

    ndims = rank

    @property
    def dims(self) -> list[Any] | None:
        """The sizes as TensorFlow 1's dimensions."""
        return None if self.sizes is None else [UnknownDimension() if s is None else KnownDimension(s) for s in self.sizes]

    def _known(self) -> tuple[int | None, ...]:
        if self.sizes is None:
            raise ShapeError("Cannot take the length of shape with unknown rank.")
        return self.sizes

    def _show(self, size: int | None) -> Any:
        if size is None:
            return UnknownDimension() if V1_DIMENSIONS[0] else None
        return KnownDimension(size) if V1_DIMENSIONS[0] else Dimension(size)

    def as_list(self) -> list[int | None]:
        """Return the sizes as a list of ints and None.

        Raises:
            ShapeError: (a ValueError) if the rank is not known.
        """
        if self.sizes is None:
            raise ShapeError("as_list() is not defined on an unknown TensorShape.")
        return list(self.sizes)

    def as_proto(self) -> Any:
        """Return the sizes as a list, -1 where not known: there are no protocol buffers here."""
        return None if self.sizes is None else [-1 if s is None else s for s in self.sizes]

    def num_elements(self) -> int | None:
        """Return the number of elements, None if not known."""
        return count(self.sizes)

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return is_full(self.sizes)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether an array could have both shapes."""
        return fits(self.sizes, as_shape(other))

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ShapeError (a ValueError) unless compatible."""
        merge(self.sizes, as_shape(other))

    def assert_is_fully_defined(self) -> None:
        """Raise ShapeError unless every size is known."""
        if not self.is_fully_defined():
            raise ShapeError(f"Shape {self} is not fully defined.")

    def assert_has_rank(self, rank: int) -> None:
        """Raise ShapeError unless the rank can be this."""
        if self.sizes is not None and len(self.sizes) != rank:
            raise ShapeError(f"Shape {self} must have rank {rank}")

    assert_same_rank = assert_is_compatible_with

    def merge_with(self, other: Any) -> TensorShape:
        """Return what is known of both."""
        return TensorShape(merge(self.sizes, as_shape(other)))

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """Return the shape that keeps only the sizes that both share."""
        mine, theirs = self.sizes, as_shape(other)
        if mine is None or theirs is None or len(mine) != len(theirs):
            return TensorShape(None)
        return TensorShape([x if x == y else None for x, y in zip(mine, theirs, strict=True)])

    def concatenate(self, other: Any) -> TensorShape:
        """Return this shape followed by another."""
        theirs = as_shape(other)
        return TensorShape(None if self.sizes is None or theirs is None else self.sizes + theirs)

    def with_rank(self, rank: int) -> TensorShape:
        """Return this shape, given that its rank is known to be this."""
        if self.sizes is None:
            return TensorShape([None] * rank)
        self.assert_has_rank(rank)
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """Return this shape if its rank is at least this, or raise ShapeError."""
        if self.sizes is not None and len(self.sizes) < rank:
            raise ShapeError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """Return this shape if its rank is at most this, or raise ShapeError."""
        if self.sizes is not None and len(self.sizes) > rank:
            raise ShapeError(f"Shape {self} must have rank at most {rank}")
        return self

    def __len__(self) -> int:
        return len(self._known())

    def __iter__(self) -> Iterator[Any]:
        return iter([self._show(s) for s in self._known()])

    def __getitem__(self, key: Any) -> Any:
        if self.sizes is None:
            if isinstance(key, slice):
                return TensorShape(None)
            return self._show(None)
        if isinstance(key, slice):
            return TensorShape(self.sizes[key])
        return self._show(self.sizes[key])

    def index(self, size: int | None) -> int:
        """Return the first axis of a size."""
        return self._known().index(size)

    def count(self, size: int | None) -> int:
        """Return how many axes are of a size."""
        return self._known().count(size)

    def __bool__(self) -> bool:
        return self.sizes is not None

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        try:
            return self.sizes == as_shape(other)
        except (ShapeError, TypeError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self.sizes)

    def __repr__(self) -> str:
        return f"TensorShape({None if self.sizes is None else list(self.sizes)})"

    def __str__(self) -> str:
        return text(self.sizes)

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorShape, (self.sizes,)


def as_sizes(values: Iterable[Any]) -> list[int]:
    """Return whole numbers, -1 allowed, from ints, whole floats and dimensions."""
    result = []
    for value in values:
        number = -1 if value is None else value
        try:
            whole = int(number)
        except (TypeError, ValueError, OverflowError) as error:
            raise ShapeError(f"A shape holds whole numbers, not {value!r}.") from error
        if whole != number:
            raise ShapeError(f"A shape holds whole numbers, not {value!r}.")
        result.append(whole)
    return result


def reduced(shape: Shape, axes: Sequence[int] | None, keepdims: bool) -> Shape:
    """Return the shape after a reduction over axes (None: all)."""
    if shape is None:
        return () if axes is None and not keepdims else None
    over = range(len(shape)) if axes is None else [axis_of(a, len(shape)) for a in axes]
    if keepdims:
        return tuple(1 if i in over else s for i, s in enumerate(shape))
    return tuple(s for i, s in enumerate(shape) if i not in over)


ShapeLike = TensorShape | Sequence[int | None] | np.ndarray[Any, Any] | int
"""What `as_shape` takes for a static shape, beside None."""
