"""Data in batches: arrays in the order of a new permutation each time, or an iterable as it comes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any

import numpy as np

from wengert.functions import random
from wengert.ground import nest
from wengert.ground.dtypes import as_dtype
from wengert.ground.types import NumPyArray
from wengert.keras.configuration import floatx
from wengert.tensor.tensor import EagerTensor, Nested, Tensor

__all__ = [
    "Batches",
    "Data",
    "Parts",
    "PyDataset",
    "as_batch",
    "class_weights",
    "divided",
    "is_stream",
    "pack_x_y_sample_weight",
    "unpack_x_y_sample_weight",
]

Data = Nested | Iterable[Any] | None
"""Arrays and tensors in any structure, or an iterable of batches of them."""
Parts = Nested | Sequence[Nested | None]
"""x, (x, y) or (x, y, sample_weight)."""


def unpack_x_y_sample_weight(data: Parts) -> tuple[Any, Any, Any]:
    """Return data as (x, y, sample_weight), None for what it lacks.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, list | tuple):
        return data, None, None
    if isinstance(data, list):
        data = tuple(data)
    if not 1 <= len(data) <= 3:
        raise ValueError(f"Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, not {data!r}.")
    return (*data, *[None] * (3 - len(data)))


def pack_x_y_sample_weight(x: Nested, y: Nested | None = None, sample_weight: Nested | None = None) -> Any:
    """Return what there is of x, y and sample_weight as one."""
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def class_weights(y: Nested | None, class_weight: Mapping[int, float], sample_weight: Nested | None) -> NumPyArray:
    """Return the weight of each row's class.

    Raises:
        ValueError: where there are sample weights too.
    """
    if sample_weight is not None:
        raise ValueError("Give class_weight or sample_weight, not both.")
    labels = np.asarray(y)
    labels = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(-1)
    return np.array([float(class_weight.get(int(k), 1.0)) for k in labels])


def is_stream(x: Data) -> bool:
    """Whether data is an iterable of batches, rather than arrays."""
    if (
        x is None
        or isinstance(x, Tensor | np.ndarray | list | tuple | Mapping)
        or hasattr(x, "_as_tensor")
        or hasattr(x, "__array__")
    ):
        return False
    return isinstance(x, Iterable)


def _array(value: Any) -> NumPyArray:
    """Return data as an array, floats in `floatx`."""
    if isinstance(value, EagerTensor):
        value = value.array
    elif hasattr(value, "_as_tensor"):
        value = value._as_tensor().array
    array: NumPyArray = np.asarray(value)
    wanted = as_dtype(floatx()).numpy
    return array.astype(wanted) if array.dtype.kind == "f" and array.dtype != wanted else array


def _is_array(value: Data) -> bool:
    return isinstance(value, Tensor | np.ndarray) or hasattr(value, "_as_tensor") or hasattr(value, "__array__")


def _arrays(data: Data) -> Any:
    """Return a structure with arrays for its leaves; lists of numbers are arrays."""
    if data is None:
        return None
    if _is_array(data):
        return _array(data)
    if isinstance(data, Mapping):
        return {k: _arrays(v) for k, v in data.items()}
    if isinstance(data, list | tuple) and data and all(_is_array(v) or isinstance(v, list | tuple | Mapping) for v in data):
        if any(_is_array(v) and not isinstance(v, np.generic) for v in data) or any(isinstance(v, Mapping) for v in data):
            return type(data)([_arrays(v) for v in data])
    return _array(data)


def as_batch(data: Parts) -> Any:
    """Return (x, y, sample_weight) as a batch of tensors."""
    x, y, w = unpack_x_y_sample_weight(data)
    parts = [nest.map_structure(lambda v: None if v is None else EagerTensor(v), _arrays(p)) for p in (x, y, w)]
    return tuple(parts)


def _length(batches: Data) -> int | None:
    if isinstance(batches, PyDataset):
        return batches.num_batches
    try:
        return len(batches) if isinstance(batches, Sized) else None
    except TypeError:  # a dataset of unknown length, or without an end
        return None


class PyDataset:
    """Batches by their number: subclasses state ``__len__`` and ``__getitem__``, and what is done at the end of an epoch.

    >>> class Halves(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...
    ...     def __getitem__(self, i):
    ...         return i / 2, i
    >>> list(Halves())
    [(0.0, 0), (0.5, 1)]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        """Accept how many would make batches beforehand: they are made when they are needed."""
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Return a batch: x, (x, y) or (x, y, sample_weight)."""
        raise NotImplementedError(f"{type(self).__name__} must state __getitem__(index).")

    @property
    def num_batches(self) -> int | None:
        """How many batches an epoch has; None: the data do not end."""
        return len(self) if isinstance(self, Sized) else None

    def on_epoch_begin(self) -> None:
        """An epoch begins."""

    def on_epoch_end(self) -> None:
        """An epoch has ended."""

    def __iter__(self) -> Iterator[Any]:
        return self.batches(False)

    def batches(self, shuffle: bool) -> Iterator[Any]:
        """Iterate over the batches of an epoch, in a new order or by their numbers."""
        count = self.num_batches
        self.on_epoch_begin()
        for i in itertools.count() if count is None else _order(count) if shuffle else range(count):
            yield self[int(i)]
        self.on_epoch_end()


def _order(count: int) -> NumPyArray:
    return np.asarray(random.shuffle(np.arange(count)))


_END = object()


class Batches:
    """Data in batches: arrays in the order of a new permutation each time, or an iterable as it comes.

    A batch is what steps are given: x, (x, y) or (x, y, sample_weight), as many as there are. With ``steps`` each iteration takes
    so many, and goes on where the one before it has ended.
    """

    def __init__(
        self, x: Data, y: Nested | None, w: Nested | None, batch_size: int | None, shuffle: bool, steps: int | None
    ) -> None:
        self.stream: Any = None
        self.steps = steps
        self.ended = False
        """Whether the data have ended before an epoch has."""
        self.count: Any = None
        self._going: Iterator[Any] | None = None
        self.shuffle = bool(shuffle)
        if is_stream(x):
            if y is not None:
                raise ValueError("y must be None where x is an iterable of batches: they hold their own.")
            self.stream = x
            self.count = steps if steps is not None else _length(x)
            return
        self.data = tuple(_arrays(p) for p in (x, y, w))
        flat = [v for v in nest.flatten(list(self.data)) if v is not None]
        if not flat:
            raise ValueError("There is no data: x is None.")
        sizes = {v.shape[0] if v.ndim else None for v in flat}
        if len(sizes) != 1 or None in sizes:
            raise ValueError(
                f"Make sure all arrays contain the same number of samples: the numbers of rows are {sorted(map(str, sizes))}."
            )
        self.rows = int(next(iter(sizes)))  # type: ignore[arg-type]
        self.size = int(batch_size) if batch_size is not None else math.ceil(self.rows / steps) if steps else 32
        self.count = math.ceil(self.rows / self.size)
        self.whole: Any = None
        if steps:
            self.count = min(steps, self.count)

    def __iter__(self) -> Iterator[Any]:
        if self.steps is None:
            found = False
            for batch in self._once():
                found = True
                yield batch
            if not found:
                self.ended = True
            return
        for i in range(self.steps):
            carried = self._going is not None
            if self._going is None:
                self._going = self._once()
            batch = next(self._going, _END)
            if batch is _END and i == 0 and carried:  # the data ended with the last epoch
                self._going = self._once()
                batch = next(self._going, _END)
            if batch is _END:
                self._going = None
                self.ended = True
                return
            yield batch

    @property
    def shortfall(self) -> str:
        """What to say where the data have ended before an epoch has."""
        more = " times epochs" if self.steps is not None else ""
        return (
            f"The data have ended before an epoch has: {'an iterable' if self.stream is not None else 'x'} must give as many "
            f"batches as steps{more}, or begin anew when it is iterated over."
        )

    def _once(self) -> Iterator[Any]:
        """Iterate over all batches that there are."""
        if self.stream is not None:
            whole = isinstance(self.stream, PyDataset)
            for batch in self.stream.batches(self.shuffle) if whole else self.stream:
                parts = as_batch(batch)
                yield parts[: len(batch)] if isinstance(batch, list | tuple) else parts[0]
            return
        if self.size >= self.rows:  # the order of the rows of one batch does not matter
            if self.whole is None:
                self.whole = self._tensors(self.data, slice(None))
            yield self.whole
            return
        data = self.data
        if self.shuffle:
            order = _order(self.rows)
            data = tuple(nest.map_structure(lambda v: None if v is None else v[order], p) for p in data)
        for i in range(math.ceil(self.rows / self.size)):
            yield self._tensors(data, slice(i * self.size, (i + 1) * self.size))

    def _tensors(self, data: Sequence[Any], rows: slice) -> Any:
        parts = [nest.map_structure(lambda v: None if v is None else EagerTensor(v[rows]), p) for p in data]
        return pack_x_y_sample_weight(*parts)


def divided(x: Data, y: Nested | None, w: Nested | None, share: float) -> tuple[Any, Any]:
    """Return data without its last rows, and these."""
    parts = [_arrays(p) for p in (x, y, w)]
    rows = next(v for v in nest.flatten(parts) if v is not None).shape[0]
    at = math.floor(rows * (1.0 - share))
    if not 0 < at < rows:
        raise ValueError(f"validation_split={share} leaves no rows on one side: there are {rows}.")

    def cut(piece: slice) -> tuple[Any, ...]:
        return tuple(nest.map_structure(lambda v: None if v is None else v[piece], p) for p in parts)

    return cut(slice(0, at)), cut(slice(at, None))
