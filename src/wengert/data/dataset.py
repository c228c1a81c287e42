"""Datasets as users hold them: each method gives another one, by a stage more."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from wengert.data import batches, functions, iterators, orders, sources
from wengert.data.buckets import bucketed
from wengert.data.elements import DatasetSpec, NoneTensorSpec, Spec, Structure, described, pack, standing, tensors
from wengert.data.options import Options
from wengert.data.stage import INFINITE, UNKNOWN, Base, Given, Run, Stage, size_of, tensor_of
from wengert.ground import nest, shapes
from wengert.ground.context import current, state
from wengert.ground.displayed import displayed
from wengert.ground.dtypes import DtypeLike, as_dtype, int64
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.types import NumPyArray
from wengert.modes.function import TensorSpec
from wengert.modes.traces import relaxed
from wengert.tensor.tensor import EagerTensor, Nested, TensorLike, as_array, value_of

__all__ = ["AUTOTUNE", "Dataset", "TextLineDataset"]

AUTOTUNE = -1
D = TypeVar("D", bound="Dataset")
Function = Callable[..., Any]
Seed = int | Sequence[int] | None
"""A seed of its own, or none."""
Types = DtypeLike | Sequence["Types"] | Mapping[Any, "Types"]
"""Dtypes in a structure."""
Shapes = shapes.ShapeLike | TensorLike | Sequence["Shapes"] | Mapping[Any, "Shapes"] | None
"""Shapes in a structure, where a list is a shape."""


class Made(Base):
    """Datasets that read from no other."""

    @classmethod
    def from_tensors(cls, tensors: Nested, name: str | None = None) -> Dataset:
        """Return a dataset of one element."""
        return cls(sources.Tensors(tensors))  # type: ignore[return-value]

    @classmethod
    def from_tensor_slices(cls, tensors: Nested, name: str | None = None) -> Dataset:
        """Return the dataset of the rows of tensors.

        >>> import wengert as tf
        >>> [(int(x), y.decode()) for x, y in tf.data.Dataset.from_tensor_slices(([1, 2], ["a", "b"])).as_numpy_iterator()]
        [(1, 'a'), (2, 'b')]
        """
        return cls(sources.Rows(tensors))  # type: ignore[return-value]

    @classmethod
    def from_generator(
        cls,
        generator: Function,
        output_types: Types | None = None,
        output_shapes: Shapes = None,
        args: Sequence[TensorLike] | None = None,
        output_signature: Structure | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Return the dataset of what a function's iterator gives: it is called for each pass, with ``args`` as arrays.

        What its elements are made of is said by specs, or by dtypes and shapes.

        Raises:
            TypeError: for what is no function, and if neither specs nor dtypes are given.
        """
        if not callable(generator):
            raise TypeError("`generator` must be a Python callable.")
        if output_signature is None:
            if output_types is None:
                raise TypeError(
                    "To specify the output signature you need to provide either the `output_signature` argument or the "
                    "`output_types` argument."
                )
            output_signature = signature(output_types, output_shapes)
        elif output_types is not None or output_shapes is not None:
            raise TypeError("The `output_types` and `output_shapes` arguments can not be used together with `output_signature`.")
        given = [tensor_of(a) for a in args or ()]
        return cls(sources.Generated(generator, given, output_signature))  # type: ignore[return-value]

    @classmethod
    def range(cls, *args: TensorLike, output_type: DtypeLike = int64, name: str | None = None) -> Dataset:
        """Return the dataset of whole numbers, as Python's range."""
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Invalid `args`. Expected one to three arguments: {args!r}.")
        numbers = [size_of(a, "range") for a in args]
        start, stop, step = (0, *numbers, 1) if len(numbers) == 1 else (*numbers, 1)[:3]
        return cls(sources.Range(start, stop, step, as_dtype(output_type).numpy))  # type: ignore[return-value]

    @classmethod
    def counter(cls, start: int = 0, step: int = 1, dtype: DtypeLike = int64, name: str | None = None) -> Dataset:
        """Return the dataset of numbers that rise without end."""
        return cls(sources.Numbers(start, step, as_dtype(dtype).numpy))  # type: ignore[return-value]

    @classmethod
    def random(cls, seed: Seed = None, rerandomize_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
        """Return a dataset of random whole numbers, without end; the same ones in each pass unless told otherwise."""
        return cls(sources.Random(seed, bool(rerandomize_each_iteration)))  # type: ignore[return-value]

    @classmethod
    def zip(cls, *args: Nested, datasets: Nested | None = None, name: str | None = None) -> Dataset:
        """Return the dataset of the elements of several side by side, in the structure that they are given in.

        >>> import wengert as tf
        >>> a, b = tf.data.Dataset.range(3), tf.data.Dataset.range(10, 12)
        >>> [(int(x), int(y)) for x, y in tf.data.Dataset.zip(a, b)]
        [(0, 10), (1, 11)]
        """
        whole: Any = datasets if not args else args[0] if len(args) == 1 else args
        for leaf in nest.flatten(whole):
            if not isinstance(leaf, Base) or _holds_list(whole):
                raise TypeError(
                    "Invalid input to `zip`. Inputs are expected to be (nested) structures of `tf.data.Dataset` objects. Python "
                    "`list` is not supported and you should use `tuple` instead."
                )
        structure = nest.map_structure(lambda d: d.element_spec, whole)
        return cls(orders.Zipped([d.stage for d in nest.flatten(whole)], structure))  # type: ignore[return-value]

    @classmethod
    def choose_from_datasets(cls, datasets: Sequence[Base], choice_dataset: Base, stop_on_empty_dataset: bool = True) -> Dataset:
        """Return the dataset of elements of several, from that one whose number another dataset gives."""
        stages = [d.stage for d in datasets]
        whole = orders.Chosen(choice_dataset.stage, stages, common(stages), stop_on_empty_dataset)
        return cls(whole)  # type: ignore[return-value]

    @classmethod
    def sample_from_datasets(
        cls,
        datasets: Sequence[Base],
        weights: Sequence[float] | NumPyArray | None = None,
        seed: Seed = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Dataset:
        """Return the dataset of elements of several, chosen at random with these weights, evenly by default."""
        shares = np.ones(len(datasets)) if weights is None else np.asarray(weights, np.float64)
        choice = sources.Choices(shares, seed, bool(rerandomize_each_iteration))
        return cls.choose_from_datasets(datasets, Base(choice), stop_on_empty_dataset)

    @classmethod
    def list_files(
        cls, file_pattern: str | Sequence[str], shuffle: bool | None = None, seed: Seed = None, name: str | None = None
    ) -> Dataset:
        """Return the dataset of the names of files that patterns fit, in random order unless told otherwise.

        Raises:
            InvalidArgumentError: if there are none.
        """
        patterns = [file_pattern] if isinstance(file_pattern, str | bytes) else file_pattern
        files = sorted({file for pattern in patterns for file in glob.glob(pattern)})
        if not files:
            raise InvalidArgumentError(f"No files matched pattern: {', '.join(map(str, patterns))}")
        names = cls.from_tensor_slices(files)
        return names.shuffle(len(files), seed) if shuffle is None or shuffle else names


class Consumed(Made):
    """What becomes of a dataset's elements."""

    def __iter__(self) -> Any:
        if state.graph is None:
            return iterators.OwnedIterator(self)
        if not state.graph.building_function:
            raise RuntimeError("`tf.data.Dataset` only supports Python-style iteration in eager mode or within tf.function.")
        return iterators.StagedIterator(self)

    def _iterated(self) -> tuple[Function, Function]:
        return iterators.StagedIterator(self)._iterated()

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        count = self.stage.cardinality()
        if count < 0:
            raise TypeError("The dataset is infinite." if count == INFINITE else "The dataset length is unknown.")
        return count

    def __repr__(self) -> str:
        return f"<{self.stage.kind} element_spec={self.element_spec!r}>"

    @displayed
    def _repr_html_(self) -> str:
        from wengert.ground import display

        count = self.stage.cardinality()
        told = {INFINITE: "without end", UNKNOWN: "not known"}.get(count, f"{count:,}")
        leaves = nest.flatten_with_paths(self.element_spec)
        rows = [("".join(f"[{key!r}]" for key in path), *_told(spec)) for path, spec in leaves]
        head = display.heading(self.stage.kind, elements=told)
        read = " ← ".join(stage.kind for stage in itertools.islice(self.stage.every(), display.MOST))
        return head + display.table(("element", "shape", "dtype"), rows, what="parts") + display.paragraph(read)

    def cardinality(self) -> EagerTensor:
        """Return the number of elements as a tensor, -1 if there is no end, and -2 if it is not known."""
        return EagerTensor(np.array(self.stage.cardinality(), np.int64))

    def as_numpy_iterator(self) -> iterators.NumpyIterator:
        """Return an iterator over the elements as NumPy's arrays.

        >>> import wengert as tf
        >>> [int(n) for n in tf.data.Dataset.range(3).as_numpy_iterator()]
        [0, 1, 2]
        """
        if state.graph is not None:
            raise RuntimeError("`tf.data.Dataset.as_numpy_iterator()` is only supported in eager mode.")
        return iterators.NumpyIterator(self)

    def reduce(self, initial_state: Nested, reduce_func: Function, name: str | None = None) -> Any:
        """Return the last state of ``state = reduce_func(state, element)``.

        >>> import wengert as tf
        >>> int(tf.data.Dataset.range(5).reduce(tf.constant(0, tf.int64), lambda s, x: s + x))
        10
        """
        folding = functions.Folding(reduce_func, initial_state, self.element_spec, False)
        return _evaluated(functions.Folded(self.stage, folding), "ReduceDataset")

    def get_single_element(self, name: str | None = None) -> Any:
        """Return the one element.

        Raises:
            InvalidArgumentError: if there is none, or another one.
        """
        return _evaluated(self.stage, "DatasetToSingleElement")

    def apply(self, transformation_func: Function) -> Any:
        """Return what a function makes of the dataset.

        Raises:
            TypeError: if it is no dataset.
        """
        found = transformation_func(self)
        if not isinstance(found, Base):
            raise TypeError(f"`transformation_func` must return a `tf.data.Dataset` object. Got {type(found)}.")
        return found

    def options(self) -> Options:
        """Return the options that it was given."""
        found = Options()
        for stage in reversed(self.stage.every()):
            if isinstance(stage, _Optioned):
                found = found.merge(stage.options)
        return found


def _evaluated(stage: Stage, name: str) -> Any:
    """Return the one element of a stage: now, or when the graph runs."""
    symbols = stage.symbols()

    def call(*arrays: NumPyArray) -> Any:
        rows = stage.elements(Run(dict(zip([t.n for t in symbols], arrays, strict=True))))
        found = list(zip(range(2), rows, strict=False))
        if len(found) != 1:
            raise InvalidArgumentError("Dataset had more than one element." if found else "Dataset was empty.")
        return found[0][1]

    if state.graph is None and not symbols:
        with current(graph=None, observers=()):
            element = call()
        return tensors(stage.structure, element)
    places = iterators.called(lambda *arrays: iterators.arrays_of(call(*arrays)), symbols, described(stage.specs), name)
    return standing(stage.structure, places, Given)


def _told(spec: Spec) -> tuple[str, str]:
    """Return the shape and the dtype of a part of elements, or what it is instead."""
    return (str(spec.shape), spec.dtype.name) if isinstance(spec, TensorSpec) else ("", repr(spec))


class _Optioned(orders.Through):
    """The elements as they are, with options."""

    def __init__(self, source: Stage, options: Options) -> None:
        super().__init__(source, "_OptionsDataset")
        self.options = options


class Dataset(Consumed):
    """Elements one after another, each a structure of tensors. Nothing is computed before an element is asked for.

    >>> import wengert as tf
    >>> pairs = tf.data.Dataset.from_tensor_slices(([1.0, 2.0, 3.0], [1, 4, 9]))
    >>> for x, y in pairs.map(lambda x, y: (10 * x, y)).batch(2):
    ...     print(x.numpy(), y.numpy())
    [10. 20.] [1 4]
    [30.] [9]
    """

    def _of(self: D, stage: Stage) -> D:
        return type(self)(stage)

    def batch(
        self: D, batch_size: TensorLike, drop_remainder: bool = False, num_parallel_calls: int | None = None,
        deterministic: bool | None = None, name: str | None = None,
    ) -> D:  # fmt: skip
        """Return the dataset of so many elements as one; ``drop_remainder``: without a last one of fewer."""
        return self._of(batches.Batches(self.stage, size_of(batch_size, "batch_size"), bool(drop_remainder)))

    def padded_batch(
        self: D, batch_size: TensorLike, padded_shapes: Shapes = None, padding_values: Nested | None = None,
        drop_remainder: bool = False, name: str | None = None,
    ) -> D:  # fmt: skip
        """Return the dataset of so many elements as one, each filled up to a shape, or to the largest of them.

        Raises:
            ValueError: where no shape is given, and that of the elements has an unknown number of axes.
        """
        specs = self.stage.specs
        if padded_shapes is None:
            sizes = [s._sizes if isinstance(s, TensorSpec) else None for s in specs]
            for i, s in enumerate(specs):
                if isinstance(s, TensorSpec) and s._sizes is None:
                    raise ValueError(f"You must provide `padded_shapes` argument because component {i} has unknown rank.")
        else:
            sizes = [_padded(s) for s in _aligned(self.element_spec, padded_shapes)]
        given = [padding_values] * len(specs) if padding_values is None or not nest.is_nested(padding_values) else (
            _aligned(self.element_spec, padding_values))  # fmt: skip
        values = batches.padding(self.element_spec, sizes, [
            None if v is None else _value(v, s) for v, s in zip(given, specs, strict=True)])  # fmt: skip
        size = size_of(batch_size, "batch_size")
        return self._of(batches.PaddedBatches(self.stage, size, bool(drop_remainder), sizes, values))

    def unbatch(self: D, name: str | None = None) -> D:
        """Return the dataset of the rows of the elements."""
        return self._of(batches.Unbatched(self.stage))

    def rebatch(self: D, batch_size: TensorLike, drop_remainder: bool = False, name: str | None = None) -> D:
        """Return the dataset of batches of another size."""
        return self.unbatch().batch(batch_size, drop_remainder)

    def window(
        self: D, size: TensorLike, shift: TensorLike | None = None, stride: TensorLike = 1, drop_remainder: bool = False,
        name: str | None = None,
    ) -> D:  # fmt: skip
        """Return the dataset of datasets of neighbouring elements, each ``shift`` further than the one before (its size).

        >>> import wengert as tf
        >>> windows = tf.data.Dataset.range(5).window(3, shift=1, drop_remainder=True)
        >>> [w.tolist() for w in windows.flat_map(lambda w: w.batch(3)).as_numpy_iterator()]
        [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        """
        width = size_of(size, "size")
        further = width if shift is None else size_of(shift, "shift")
        apart = size_of(stride, "stride")
        return self._of(batches.Windows(self.stage, width, further, apart, bool(drop_remainder), type(self)))

    def shuffle(
        self: D, buffer_size: TensorLike, seed: Seed = None, reshuffle_each_iteration: bool | None = True, name: str | None = None
    ) -> D:
        """Return the dataset of the elements in random order: each is drawn from a buffer of this size."""
        again = reshuffle_each_iteration is None or bool(reshuffle_each_iteration)
        return self._of(orders.Shuffled(self.stage, size_of(buffer_size, "buffer_size"), seed, again))

    def repeat(self: D, count: TensorLike | None = None, name: str | None = None) -> D:
        """Return the dataset of the elements so many times over; without a number there is no end."""
        return self._of(orders.Repeated(self.stage, -1 if count is None else size_of(count, "count"), "_RepeatDataset"))

    def take(self: D, count: TensorLike, name: str | None = None) -> D:
        """Return the dataset of the first elements; of all, for -1."""
        return self._of(orders.Start(self.stage, size_of(count, "count"), "_TakeDataset"))

    def skip(self: D, count: TensorLike, name: str | None = None) -> D:
        """Return the dataset without the first elements; without any, for -1."""
        return self._of(orders.Rest(self.stage, size_of(count, "count"), "_SkipDataset"))

    def shard(self: D, num_shards: TensorLike, index: TensorLike, name: str | None = None) -> D:
        """Return the dataset of every ``num_shards``-th element, from that with this number on."""
        return self._of(orders.Shard(self.stage, size_of(num_shards, "num_shards"), size_of(index, "index")))

    def concatenate(self: D, dataset: Base, name: str | None = None) -> D:
        """Return the dataset of the elements, and then those of another.

        Raises:
            TypeError: if those are of another structure or dtype.
        """
        stages = [self.stage, dataset.stage]
        return self._of(orders.Joined(stages, common(stages)))

    def cache(self: D, filename: str = "", name: str | None = None) -> D:
        """Return the dataset of the elements, which are kept in memory from the first pass that has come to the end."""
        return self._of(orders.Kept(self.stage))

    def prefetch(self: D, buffer_size: TensorLike, name: str | None = None) -> D:
        """Return the dataset: nothing is read ahead."""
        size_of(buffer_size, "buffer_size")
        return self._of(orders.Through(self.stage, "_PrefetchDataset"))

    def with_options(self: D, options: Options, name: str | None = None) -> D:
        """Return the dataset with options."""
        return self._of(_Optioned(self.stage, options))

    def enumerate(self: D, start: TensorLike = 0, name: str | None = None) -> D:
        """Return the dataset of pairs of a number, which rises, and an element."""
        first = size_of(start, "start")
        numbers = sources.Range(first, np.iinfo(np.int64).max, 1, int64.numpy)
        return self._of(orders.Zipped([numbers, self.stage], (numbers.structure, self.element_spec)))

    def map(
        self: D, map_func: Function, num_parallel_calls: TensorLike | None = None, deterministic: bool | None = None,
        synchronous: bool | None = None, use_unbounded_threadpool: bool = False, name: str | None = None,
    ) -> D:  # fmt: skip
        """Return the dataset of what a function returns for the elements; a tuple is passed as several arguments."""
        return self._of(functions.Mapped(self.stage, map_func))

    def filter(self: D, predicate: Function, name: str | None = None) -> D:
        """Return the dataset of the elements for which a function returns True."""
        return self._of(functions.Filtered(self.stage, predicate))

    def take_while(self: D, predicate: Function, name: str | None = None) -> D:
        """Return the dataset of the elements up to the first for which a function returns False."""
        return self._of(functions.While(self.stage, predicate))

    def flat_map(self: D, map_func: Function, name: str | None = None) -> D:
        """Return the dataset of the elements of the datasets that a function returns, one dataset after the other."""
        return self._of(functions.Interleaved(self.stage, map_func, 1, 1, "_FlatMapDataset"))

    def interleave(
        self: D, map_func: Function, cycle_length: TensorLike | None = None, block_length: TensorLike | None = None,
        num_parallel_calls: TensorLike | None = None, deterministic: bool | None = None, name: str | None = None,
    ) -> D:  # fmt: skip
        """Return the dataset of the elements of the datasets that a function returns, of which ``cycle_length`` take turns."""
        cycle = 1 if cycle_length is None or _plain(cycle_length) == AUTOTUNE else _plain(cycle_length)
        block = 1 if block_length is None else _plain(block_length)
        return self._of(functions.Interleaved(self.stage, map_func, cycle, block, "_InterleaveDataset"))

    def scan(self: D, initial_state: Nested, scan_func: Function, name: str | None = None) -> D:
        """Return the dataset of the results of ``state, result = scan_func(state, element)``."""
        return self._of(functions.Scanned(self.stage, functions.Folding(scan_func, initial_state, self.element_spec, True)))

    def group_by_window(
        self: D, key_func: Function, reduce_func: Function, window_size: TensorLike | None = None,
        window_size_func: Function | None = None, name: str | None = None,
    ) -> D:  # fmt: skip
        """Return the dataset of the elements of ``reduce_func(key, dataset)`` for groups of one key, of so many elements."""
        if (window_size is None) == (window_size_func is None):
            raise ValueError("Either the `window_size` or the `window_size_func` argument must be specified.")
        size: Function = window_size_func or (lambda key: window_size)
        return self._of(functions.Grouped(self.stage, key_func, reduce_func, size, type(self)))

    def bucket_by_sequence_length(
        self: D, element_length_func: Function, bucket_boundaries: Sequence[int], bucket_batch_sizes: Sequence[int],
        padded_shapes: Shapes = None, padding_values: Nested | None = None, pad_to_bucket_boundary: bool = False,
        no_padding: bool = False, drop_remainder: bool = False, name: str | None = None,
    ) -> D:  # fmt: skip
        """Return the dataset of padded batches of elements of like length: ``bucket_boundaries`` say which go together."""
        return bucketed(
            self, element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes, padding_values,
            pad_to_bucket_boundary, no_padding, drop_remainder)  # type: ignore[return-value]  # fmt: skip

    def unique(self: D, name: str | None = None) -> D:
        """Return the dataset of the elements that are equal to none before them."""
        return self._of(orders.Unique(self.stage))

    def ignore_errors(self: D, log_warning: bool = False, name: str | None = None) -> D:
        """Return the dataset of the elements that do not fail."""
        return self._of(orders.Passed(self.stage, log_warning))


class TextLineDataset(Dataset):
    """The dataset of the lines of text files, without their ends."""

    def __init__(
        self, filenames: TensorLike | Stage, compression_type: str | None = None, *_: int, name: str | None = None
    ) -> None:
        """Take the names of the files."""
        if compression_type:
            raise ValueError(f"TextLineDataset reads plain text, not {compression_type!r}.")
        if not isinstance(filenames, Stage):
            filenames = sources.Lines([f.decode() if isinstance(f, bytes) else f for f in as_array(filenames).ravel().tolist()])
        super().__init__(filenames)

    def _of(self, stage: Stage) -> Any:
        return Dataset(stage)


def _plain(value: TensorLike) -> int:
    number = size_of(value, "A length")
    if not isinstance(number, int):
        raise TypeError("The lengths of interleave are numbers, not tensors of a graph.")
    return number


def _holds_list(structure: Nested) -> bool:
    if isinstance(structure, list):
        return True
    parts = structure.values() if isinstance(structure, Mapping) else structure if isinstance(structure, tuple) else ()
    return any(map(_holds_list, parts))


def signature(types: Types, sizes: Shapes) -> Structure:
    """Return the specs that dtypes say, with shapes or without."""
    kinds: Any = types
    if not nest.is_nested(kinds):
        return TensorSpec(shapes.as_shape(sizes), kinds)
    wanted: Any = sizes
    if isinstance(kinds, Mapping):
        return {k: signature(t, None if wanted is None else wanted[k]) for k, t in kinds.items()}
    parts = [signature(t, None if wanted is None else wanted[i]) for i, t in enumerate(kinds)]
    return type(kinds)(*parts) if hasattr(kinds, "_fields") else tuple(parts)


def _aligned(structure: Structure, given: Nested | Shapes) -> list[Any]:
    """Return what is given for each leaf of a structure, in order: shapes may be lists."""
    if not nest.is_nested(structure):
        return [given]
    parts: Any = given
    if isinstance(structure, Mapping):
        return [one for k in sorted(structure) for one in _aligned(structure[k], parts[k])]
    return [one for s, g in zip(structure, parts, strict=True) for one in _aligned(s, g)]  # type: ignore[arg-type]


def _padded(wanted: Shapes) -> shapes.Shape:
    given: Any = value_of(wanted)
    if isinstance(given, EagerTensor):
        given = given.array.tolist()
    if isinstance(given, list | tuple | np.ndarray):
        return tuple([None if n is None or n == -1 else int(n) for n in given])
    return shapes.as_shape(given)


def _value(value: TensorLike, spec: Spec) -> NumPyArray:
    given: Any = value_of(value)
    if isinstance(given, EagerTensor):
        return given.array  # type: ignore[no-any-return]
    return as_array(given, spec._nptype if isinstance(spec, TensorSpec) else None)  # type: ignore[no-any-return]


def common(stages: Sequence[Stage]) -> Structure:
    """Return what is known of the elements of all.

    Raises:
        TypeError: if their structures or dtypes differ.
    """
    structure, specs = stages[0].structure, stages[0].specs
    for stage in stages[1:]:
        try:
            nest.assert_same_structure(structure, stage.structure)
            specs = [either(a, b) for a, b in zip(specs, stage.specs, strict=True)]
        except (ValueError, TypeError):
            raise TypeError(f"Incompatible dataset elements:\n  {structure!r} vs.   {stage.structure!r}") from None
    return pack(structure, specs)  # type: ignore[no-any-return]


def either(a: Spec, b: Spec) -> Spec:
    if isinstance(a, TensorSpec) and isinstance(b, TensorSpec) and a._nptype == b._nptype:
        return a if a._sizes == b._sizes else TensorSpec(relaxed(a._sizes, b._sizes), a._nptype)
    if type(a) is type(b) and isinstance(a, DatasetSpec | NoneTensorSpec):
        return a
    raise TypeError
