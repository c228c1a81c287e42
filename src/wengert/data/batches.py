"""Elements put together and taken apart: batches, windows, rows."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.data.elements import END, DatasetSpec, Element, NoneTensorSpec, Spec, Structure, specs_of
from wengert.data.orders import Through
from wengert.data.sources import row_of
from wengert.data.stage import INFINITE, UNKNOWN, Base, Run, Size, Stage, following
from wengert.ground import nest
from wengert.ground.errors import DataLossError, InvalidArgumentError, UnimplementedError
from wengert.ground.shapes import Shape
from wengert.ground.types import NumPyArray
from wengert.modes.function import TensorSpec

__all__ = ["Batches", "Listed", "PaddedBatches", "Unbatched", "Windows"]

Together = Callable[[Sequence[Element]], Element]


class Batches(Through):
    """So many elements as one, each leaf with a new first axis."""

    def __init__(self, source: Stage, size: Size, whole: bool, kind: str = "_BatchDataset") -> None:
        """Take how many elements make one; ``whole``: leave out a last one of fewer.

        Raises:
            InvalidArgumentError: for none.
        """
        super().__init__(source, kind)
        if isinstance(size, int) and size < 1:
            raise InvalidArgumentError("Batch size must be greater than zero.")
        self.size, self.whole, self.given = size, whole, (size,)
        first = size if whole and isinstance(size, int) else None
        self.structure = nest.pack_sequence_as(source.structure, [self._wider(s, first) for s in source.specs])

    def _wider(self, spec: Spec, first: int | None) -> Spec:
        if isinstance(spec, DatasetSpec):
            raise UnimplementedError("Datasets, such as windows, cannot be put into a batch: use flat_map(lambda w: w.batch(n)).")
        return spec if isinstance(spec, NoneTensorSpec) else TensorSpec(
            None if spec._sizes is None else (first, *spec._sizes), spec._nptype)  # fmt: skip

    def cardinality(self) -> int:
        """Return the number of batches."""
        n = super().cardinality()
        if n < 0 or not isinstance(self.size, int):
            return n if n == INFINITE else UNKNOWN
        return n // self.size if self.whole else -(-n // self.size)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return the batches."""
        size = run.number(self.size)
        if size < 1:
            raise InvalidArgumentError("Batch size must be greater than zero.")
        source, together = super().elements(run), self.together(run)

        def one() -> Any:
            rows = list(itertools.islice(source, size))
            if not rows or (self.whole and len(rows) < size):
                return END
            return together(rows)

        return following(one)

    def together(self, run: Run) -> Together:
        """Return what makes one of several elements."""
        return _stacked


def _stacked(rows: Sequence[Element]) -> Element:
    return tuple([_stack(i, column) for i, column in enumerate(zip(*rows, strict=True))])


def _stack(component: int, column: Sequence[NumPyArray | None]) -> NumPyArray | None:
    first = column[0]
    if first is None:
        return None
    for i, array in enumerate(column):
        if array is None or array.shape != first.shape:
            raise InvalidArgumentError(
                f"Cannot batch tensors with different shapes in component {component}. First element had shape "
                f"{list(first.shape)} and element {i} had shape {list(np.shape(array))}."  # type: ignore[arg-type]
            )
    whole: NumPyArray = np.stack(column) if first.dtype.kind == "O" else np.array(column)  # type: ignore[arg-type]
    return whole


class PaddedBatches(Batches):
    """Batches of elements of different sizes: each is filled up to the size that is given, or to the largest in the batch."""

    def __init__(
        self, source: Stage, size: Size, whole: bool, sizes: Sequence[Shape], values: Sequence[NumPyArray | None]
    ) -> None:
        """Take for each leaf the shape that it is filled up to, None for what the batch decides, and what with."""
        super().__init__(source, size, whole, "_PaddedBatchDataset")
        self.sizes, self.values = list(sizes), list(values)
        first = size if whole and isinstance(size, int) else None
        self.structure = nest.pack_sequence_as(
            source.structure,
            [
                TensorSpec((first, *s), spec._nptype) if s is not None and isinstance(spec, TensorSpec) else spec
                for s, spec in zip(sizes, source.specs, strict=True)
            ],
        )

    def together(self, run: Run) -> Together:
        """Return what makes one of several elements."""
        return lambda rows: tuple(
            [
                None if column[0] is None or sizes is None else _filled(column, sizes, value)
                for column, sizes, value in zip(zip(*rows, strict=True), self.sizes, self.values, strict=True)
            ]
        )


def _filled(column: Sequence[NumPyArray], sizes: tuple[int | None, ...], value: NumPyArray | None) -> NumPyArray:
    if any(a.ndim != len(sizes) for a in column):
        raise InvalidArgumentError(f"All elements in a batch must have the same rank as the padded shape, {list(sizes)}.")
    full = [max(a.shape[k] for a in column) if s is None else s for k, s in enumerate(sizes)]
    whole = np.full((len(column), *full), value, column[0].dtype)
    for i, array in enumerate(column):
        if any(n > most for n, most in zip(array.shape, full, strict=True)):
            raise DataLossError(
                f"Attempted to pad to a smaller size than the input element: it has shape {array.shape}, and is to have "
                f"{tuple(full)}."
            )
        place: tuple[int | slice, ...] = (i, *[slice(n) for n in array.shape])
        whole[place] = array
    return whole


def padding(structure: Structure, sizes: Sequence[Shape], values: Sequence[NumPyArray | None]) -> list[NumPyArray | None]:
    """Return for each leaf what it is filled up with: what is given, or zero, or no text.

    Raises:
        TypeError: for a value of another dtype.
    """
    found: list[NumPyArray | None] = []
    for spec, value in zip(specs_of(structure), values, strict=True):
        if not isinstance(spec, TensorSpec):
            found.append(None)
        elif value is None:
            found.append(np.array(b"" if spec._nptype.kind == "O" else 0, spec._nptype))
        elif value.dtype != spec._nptype:
            raise TypeError(
                f"Mismatched type between padding value ({value.dtype}) and input dataset's component {spec.dtype!r}."
            )
        else:
            found.append(value)
    return found


class Unbatched(Through):
    """The rows of the elements."""

    def __init__(self, source: Stage) -> None:
        """Take where the elements come from.

        Raises:
            ValueError: for leaves without axes.
        """
        super().__init__(source, "_UnbatchDataset")
        self.holes = [i for i, s in enumerate(self.specs) if isinstance(s, NoneTensorSpec)]
        firsts = []
        specs: list[Spec] = []
        for s in source.specs:
            if isinstance(s, TensorSpec):
                if s._sizes == ():
                    raise ValueError("Cannot unbatch an input with scalar components.")
                firsts.append(None if s._sizes is None else s._sizes[0])
                specs.append(TensorSpec(None if s._sizes is None else s._sizes[1:], s._nptype))
            else:
                specs.append(s)
        self.first = next((n for n in firsts if n is not None), None)
        self.structure = nest.pack_sequence_as(source.structure, specs)

    def cardinality(self) -> int:
        """Return the number of rows, if each element has as many."""
        n = super().cardinality()
        return UNKNOWN if self.first is None and n != INFINITE else n if n < 0 else n * (self.first or 0)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return the rows."""
        return itertools.chain.from_iterable(map(self._rows, super().elements(run)))

    def _rows(self, element: Element) -> Iterator[Element]:
        arrays = [a for i, a in enumerate(element) if i not in self.holes]
        sizes = {len(a) for a in arrays}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"Input tensors should have the same number of rows: {sorted(sizes)}.")
        return map(row_of(arrays, self.holes), range(sizes.pop()))


class Listed(Stage):
    """Elements that are there: those of a window."""

    kind = "_VariantDataset"

    def __init__(self, rows: Sequence[Element], structure: Structure) -> None:
        """Take them."""
        self.rows, self.structure = rows, structure

    def cardinality(self) -> int:
        """Return how many there are."""
        return len(self.rows)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        return iter(self.rows)


class Windows(Stage):
    """Datasets of neighbouring elements: one for each leaf."""

    kind = "_WindowDataset"

    def __init__(self, source: Stage, size: Size, shift: Size, stride: Size, whole: bool, made: Callable[[Stage], Base]) -> None:
        """Take how many elements a window has, by how many the next is further, and how many lie from one to the next.

        Raises:
            InvalidArgumentError: if any of them is not positive.
        """
        self.given = self.numbers = (size, shift, stride)
        self.inputs, self.whole, self.made = (source,), whole, made
        for name, number in zip(("size", "shift", "stride"), self.numbers, strict=True):
            if isinstance(number, int) and number < 1:
                raise InvalidArgumentError(f"Window {name} must be greater than zero.")
        self.parts = [s.element_spec if isinstance(s, DatasetSpec) else s for s in source.specs]
        self.structure = nest.pack_sequence_as(source.structure, [DatasetSpec(s, made) for s in source.specs])

    def cardinality(self) -> int:
        """Return the number of windows."""
        n = self.inputs[0].cardinality()
        numbers = [k for k in self.numbers if isinstance(k, int)]
        if n < 0 or len(numbers) < 3:
            return n if n == INFINITE else UNKNOWN
        size, shift, stride = numbers
        return max(0, (n - (size - 1) * stride - 1) // shift + 1) if self.whole else -(-n // shift)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return the windows."""
        size, shift, stride = [run.number(k) for k in self.numbers]
        source, span = self.inputs[0].elements(run), (size - 1) * stride + 1
        buffer: deque[Element] = deque()
        skip = 0

        def one() -> Any:
            nonlocal skip
            deque(itertools.islice(source, skip), maxlen=0)
            buffer.extend(itertools.islice(source, span - len(buffer)))
            if not buffer or (self.whole and len(buffer) < span):
                return END
            rows = list(buffer)[::stride]
            skip = max(0, shift - len(buffer))
            for _ in range(min(shift, len(buffer))):
                buffer.popleft()
            return tuple(
                [
                    self.made(Listed([(leaf,) for leaf in column], part))
                    for column, part in zip(zip(*rows, strict=True), self.parts, strict=True)
                ]
            )

        return following(one)
