"""Where elements come from: tensors, their rows, numbers in a row, Python's iterators, lines of files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from wengert.data.elements import END, Element, NoneTensorSpec, Spec, Structure, opened
from wengert.data.stage import INFINITE, Base, Run, Seeded, Size, Stage, following
from wengert.ground import nest, shapes
from wengert.ground.context import current, loudly
from wengert.ground.errors import InvalidArgumentError, OpError, ResourceExhaustedError, UnimplementedError, UnknownError
from wengert.ground.types import Dtype, NumPyArray
from wengert.modes.function import TensorSpec
from wengert.tensor.tensor import EagerTensor, Nested, Tensor, as_array

__all__ = ["Generated", "Lines", "Numbers", "Random", "Range", "Rows", "Tensors"]


def _leaves(value: Nested) -> tuple[list[Tensor | Base | None], Structure]:
    leaves, structure = opened(value)
    if not leaves:
        raise ValueError("Invalid `element`. `element` should not be empty.")
    return leaves, structure


class Tensors(Stage):
    """One element."""

    kind = "_TensorDataset"

    def __init__(self, value: Nested) -> None:
        """Take it."""
        self.leaves, self.structure = _leaves(value)
        self.given = [t for t in self.leaves if isinstance(t, Tensor)]
        self.inputs = [t.stage for t in self.leaves if isinstance(t, Base)]

    def cardinality(self) -> int:
        """Return 1."""
        return 1

    def elements(self, run: Run) -> Iterator[Element]:
        """Return the element."""
        return iter([tuple([run.array(t) if isinstance(t, Tensor) else t for t in self.leaves])])


class Rows(Stage):
    """The rows of tensors: their slices along the first axis."""

    kind = "_TensorSliceDataset"

    def __init__(self, value: Nested) -> None:
        """Take the tensors.

        Raises:
            ValueError: for one without axes, and where they have different numbers of rows.
        """
        leaves, structure = _leaves(value)
        self.given = self.tensors = [t for t in leaves if isinstance(t, Tensor)]
        size: shapes.Shape = (None,)
        for t in self.tensors:
            if t.sizes == ():
                raise ValueError("Unbatching a tensor is only supported for rank >= 1")
            if not shapes.fits(size, None if t.sizes is None else t.sizes[:1]):
                raise ValueError(f"Dimensions {size[0] if size else None} and {t.sizes[0]} are not compatible")
            size = shapes.merge(size, None if t.sizes is None else t.sizes[:1])
        self.size = size[0] if size else None
        self.holes = [i for i, t in enumerate(leaves) if t is None]
        self.structure = nest.pack_sequence_as(structure, [
            NoneTensorSpec() if t is None else TensorSpec(None if t.sizes is None else t.sizes[1:], t.nptype)
            for t in leaves if not isinstance(t, Base)])  # fmt: skip

    def cardinality(self) -> int:
        """Return the number of rows."""
        return super().cardinality() if self.size is None else self.size

    def elements(self, run: Run) -> Iterator[Element]:
        """Return the rows."""
        arrays = [run.array(t) for t in self.tensors]
        sizes = {len(a) for a in arrays}
        if len(sizes) > 1:
            raise InvalidArgumentError(f"The tensors have different numbers of rows: {sorted(sizes)}.")
        return map(row_of(arrays, self.holes), range(min(sizes, default=0)))


def row_of(arrays: Sequence[NumPyArray], holes: Sequence[int] = ()) -> Callable[[int], Element]:
    """Return the function that gives the rows of arrays with this number, with None at some places among them."""
    if len(arrays) == 1 and not holes:
        (array,) = arrays
        return lambda i: (array[i, ...],)

    def row(i: int) -> Element:
        found: list[Any] = [a[i, ...] for a in arrays]
        for at in holes:
            found.insert(at, None)
        return tuple(found)

    return row


class Range(Stage):
    """Numbers from one to another, by steps."""

    kind = "_RangeDataset"

    def __init__(self, start: Size, stop: Size, step: Size, dtype: Dtype) -> None:
        """Take them, and the dtype of the numbers.

        Raises:
            InvalidArgumentError: for steps of zero.
        """
        if isinstance(step, int) and not step:
            raise InvalidArgumentError("step must be a non-zero integer.")
        self.given = self.numbers = (start, stop, step)
        self.dtype, self.structure = dtype, TensorSpec([], dtype)

    def cardinality(self) -> int:
        """Return how many there are."""
        known = [n for n in self.numbers if isinstance(n, int)]
        return len(range(*known)) if len(known) == 3 else super().cardinality()

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        return ((np.array(i, self.dtype),) for i in range(*[run.number(n) for n in self.numbers]))


class Numbers(Stage):
    """Numbers without end."""

    kind = "_ScanDataset"

    def __init__(self, start: int, step: int, dtype: Dtype) -> None:
        """Take where they begin, and by how much they rise."""
        self.start, self.step, self.dtype, self.structure = start, step, dtype, TensorSpec([], dtype)

    def cardinality(self) -> int:
        """Return that there is no end."""
        return INFINITE

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        return ((np.array(i, self.dtype),) for i in itertools.count(self.start, self.step))


class Random(Seeded):
    """Random whole numbers of 32 bits, without end."""

    kind = "_RandomDataset"

    def __init__(self, seed: int | Sequence[int] | None, again: bool) -> None:
        """Take a seed, and whether each pass draws other numbers."""
        super().__init__(seed, again)
        self.structure = TensorSpec([], "int64")

    def cardinality(self) -> int:
        """Return that there is no end."""
        return INFINITE

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        rng = self.generator(run)
        return iter(lambda: (np.array(rng.integers(2**32), np.int64),), END)


class Choices(Seeded):
    """Random numbers of what is to be chosen from, with given weights, without end."""

    def __init__(self, weights: NumPyArray, seed: int | Sequence[int] | None, again: bool) -> None:
        """Take the weights."""
        super().__init__(seed, again)
        self.weights, self.structure = weights / weights.sum(), TensorSpec([], "int64")

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        rng = self.generator(run)
        return iter(lambda: (np.array(rng.choice(len(self.weights), p=self.weights), np.int64),), END)


class Lines(Stage):
    """The lines of text files, without their ends."""

    kind = "_TextLineDataset"

    def __init__(self, files: Sequence[str | bytes]) -> None:
        """Take the names of the files."""
        self.files, self.structure = list(files), TensorSpec([], "string")

    def elements(self, run: Run) -> Iterator[Element]:
        """Return the lines."""
        return itertools.chain.from_iterable(map(_lines, self.files))


def _lines(file: str | bytes) -> Iterator[Element]:
    with open(file, "rb") as lines:
        for line in lines:
            yield (np.array(line.rstrip(b"\r\n"), object),)


class Generated(Stage):
    """What a Python function's iterator gives, which is called for each pass."""

    kind = "_FlatMapDataset"

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Tensor], structure: Structure) -> None:
        """Take the function, the tensors that it is called with, as arrays, and what its elements are made of."""
        self.function, self.given, self.structure = function, arguments, structure

    def elements(self, run: Run) -> Iterator[Element]:
        """Return the elements, checked."""
        arguments = [run.array(t).copy() for t in self.given if isinstance(t, Tensor)]
        given: list[Iterator[Nested]] = []

        def one() -> Any:
            with current(graph=None, observers=()):
                try:
                    if not given:
                        given.append(iter(loudly(self.function, *arguments)))
                    value = loudly(next, given[0], END)
                except Exception as error:
                    _failed(error)
            return END if value is END else self._checked(value)

        return following(one)

    def _checked(self, value: Nested) -> Element:
        try:
            given = _like(self.structure, value)
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidArgumentError(
                "TypeError: `generator` yielded an element that did not match the expected structure. The expected structure was "
                f"{self.structure!r}, but the yielded element was {value!r}."
            ) from error
        return tuple([self._leaf(s, v) for s, v in zip(self.specs, given, strict=True)])

    def _leaf(self, spec: Spec, value: Nested) -> NumPyArray | Base | None:
        if not isinstance(spec, TensorSpec):
            return value  # type: ignore[return-value]
        try:
            array: NumPyArray = value.array if isinstance(value, EagerTensor) else as_array(value, spec._nptype)  # type: ignore[arg-type]
            fits = array.dtype == spec._nptype
        except (ValueError, TypeError):
            fits = False
        if not fits:
            raise InvalidArgumentError(
                "TypeError: `generator` yielded an element that could not be converted to the expected type. The expected type "
                f"was {spec.dtype.name}, but the yielded element was {value!r}."
            )
        if not shapes.fits(spec._sizes, array.shape):
            raise InvalidArgumentError(
                f"TypeError: `generator` yielded an element of shape {array.shape} where an element of shape "
                f"{shapes.text(spec._sizes)} was expected."
            )
        return array


def _like(structure: Structure, value: Nested) -> list[Nested]:
    """Return the leaves of a value where a structure has its own."""
    if not nest.is_nested(structure):
        return [value]
    if isinstance(structure, dict):
        if set(structure) != set(value):  # type: ignore[arg-type]
            raise KeyError("The keys differ.")
        pairs = [(structure[k], value[k]) for k in sorted(structure)]  # type: ignore[index]
    else:
        if not isinstance(value, list | tuple):
            raise TypeError("It is no tuple.")
        pairs = list(zip(structure, value, strict=True))  # type: ignore[arg-type]
    return [leaf for s, v in pairs for leaf in _like(s, v)]


def _failed(error: Exception) -> NoReturn:
    """Raise what a failure of the user's function is to whoever asked for an element."""
    if isinstance(error, OpError):
        raise error
    kinds: list[tuple[type[Exception] | tuple[type[Exception], ...], type[OpError]]] = [
        ((TypeError, ValueError), InvalidArgumentError), (MemoryError, ResourceExhaustedError),
        (NotImplementedError, UnimplementedError), (Exception, UnknownError),
    ]  # fmt: skip
    kind = next(to for of, to in kinds if isinstance(error, of))
    raise kind(f"{type(error).__name__}: {error}") from error
