"""``tf.data.experimental``: what `Dataset.apply` takes, and older names of a dataset's methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.data.dataset import AUTOTUNE, Dataset, common
from wengert.data.elements import END, Element, Structure
from wengert.data.iterators import IteratorBase, Optional
from wengert.data.options import AutotuneOptions, DistributeOptions, OptimizationOptions, ThreadingOptions
from wengert.data.orders import Joined, Through
from wengert.data.sources import Tensors
from wengert.data.stage import INFINITE, UNKNOWN, Base, Run, Stage, following
from wengert.ground.dtypes import DtypeLike, int64
from wengert.ground.errors import FailedPreconditionError
from wengert.tensor.tensor import EagerTensor, Nested, TensorLike

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "AutoShardPolicy",
    "AutotuneOptions",
    "Counter",
    "DistributeOptions",
    "OptimizationOptions",
    "Optional",
    "RandomDataset",
    "ThreadingOptions",
    "assert_cardinality",
    "bucket_by_sequence_length",
    "cardinality",
    "choose_from_datasets",
    "copy_to_device",
    "enumerate_dataset",
    "from_list",
    "get_next_as_optional",
    "get_single_element",
    "get_structure",
    "group_by_window",
    "ignore_errors",
    "map_and_batch",
    "parallel_interleave",
    "prefetch_to_device",
    "sample_from_datasets",
    "scan",
    "shuffle_and_repeat",
    "take_while",
    "unbatch",
    "unique",
]

INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = INFINITE, UNKNOWN
Transformation = Callable[[Dataset], Dataset]


class AutoShardPolicy:
    """How elements are divided among machines; there is one."""

    OFF, AUTO, FILE, DATA, HINT = -1, 0, 1, 2, 3


def Counter(start: int = 0, step: int = 1, dtype: DtypeLike = int64) -> Dataset:
    """Return the dataset of numbers that rise without end."""
    return Dataset.counter(start, step, dtype)


def RandomDataset(seed: int | None = None) -> Dataset:
    """Return a dataset of random whole numbers, without end."""
    return Dataset.random(seed)


def cardinality(dataset: Dataset) -> EagerTensor:
    """Return the number of elements as a tensor, -1 if there is no end, and -2 if it is not known."""
    return dataset.cardinality()


class _Asserted(Through):
    """The elements, of which there are so many."""

    def __init__(self, source: Stage, count: int) -> None:
        super().__init__(source, "_AssertCardinalityDataset")
        self.count = count

    def cardinality(self) -> int:
        """Return how many there are."""
        return self.count

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them.

        Raises:
            FailedPreconditionError: if there are more or fewer.
        """
        source = super().elements(run)
        given = 0

        def one() -> Any:
            nonlocal given
            element: Any = next(source, END)
            given += element is not END
            if given > self.count >= 0 or (element is END and given != self.count):
                more = "at least " if element is not END else ""
                raise FailedPreconditionError(
                    f"Input dataset was expected to contain {self.count} elements but contained {more}{given} elements."
                )
            return element

        return following(one)


def assert_cardinality(expected_cardinality: int) -> Transformation:
    """Return what says of a dataset how many elements it has."""
    return lambda dataset: Dataset(_Asserted(dataset.stage, int(expected_cardinality)))


def bucket_by_sequence_length(
    element_length_func: Callable[..., Any], bucket_boundaries: Sequence[int], bucket_batch_sizes: Sequence[int],
    padded_shapes: Nested | None = None, padding_values: Nested | None = None, pad_to_bucket_boundary: bool = False,
    no_padding: bool = False, drop_remainder: bool = False,
) -> Transformation:  # fmt: skip
    """Return what batches elements of like length: see `Dataset.bucket_by_sequence_length`."""
    return lambda dataset: dataset.bucket_by_sequence_length(
        element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes, padding_values, pad_to_bucket_boundary,
        no_padding, drop_remainder)  # fmt: skip


def choose_from_datasets(datasets: Sequence[Base], choice_dataset: Base, stop_on_empty_dataset: bool = False) -> Dataset:
    """Return the dataset of elements of several, from that one whose number another dataset gives."""
    return Dataset.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


def copy_to_device(target_device: str, source_device: str = "/cpu:0") -> Transformation:
    """Return what leaves a dataset as it is: there is one device."""
    return lambda dataset: dataset


def enumerate_dataset(start: TensorLike = 0) -> Transformation:
    """Return what puts a number, which rises, before each element."""
    return lambda dataset: dataset.enumerate(start)


def from_list(elements: Sequence[Nested], name: str | None = None) -> Dataset:
    """Return the dataset of the elements of a list, which have one structure.

    Raises:
        ValueError: for an empty list.
    """
    if not elements:
        raise ValueError("Invalid `elements`. `elements` should not be empty.")
    stages = [Tensors(element) for element in elements]
    return Dataset(Joined(stages, common(stages)))


def get_next_as_optional(iterator: IteratorBase) -> Optional:
    """Return an iterator's next element, if there is one."""
    return iterator.get_next_as_optional()


def get_single_element(dataset: Dataset) -> Any:
    """Return the one element of a dataset."""
    return dataset.get_single_element()


def get_structure(dataset_or_iterator: Base | IteratorBase) -> Structure:
    """Return what is known of the elements."""
    return dataset_or_iterator.element_spec


def group_by_window(
    key_func: Callable[..., Any], reduce_func: Callable[..., Any], window_size: TensorLike | None = None,
    window_size_func: Callable[..., Any] | None = None,
) -> Transformation:  # fmt: skip
    """Return what groups elements by a key: see `Dataset.group_by_window`."""
    return lambda dataset: dataset.group_by_window(key_func, reduce_func, window_size, window_size_func)


def ignore_errors(log_warning: bool = False) -> Transformation:
    """Return what leaves out the elements that fail."""
    return lambda dataset: dataset.ignore_errors(log_warning)


def map_and_batch(
    map_func: Callable[..., Any], batch_size: TensorLike, num_parallel_batches: int | None = None,
    drop_remainder: bool = False, num_parallel_calls: int | None = None,
) -> Transformation:  # fmt: skip
    """Return what maps a function over a dataset and makes batches."""
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


def parallel_interleave(
    map_func: Callable[..., Any], cycle_length: TensorLike, block_length: TensorLike = 1, sloppy: bool = False,
    buffer_output_elements: int | None = None, prefetch_input_elements: int | None = None,
) -> Transformation:  # fmt: skip
    """Return what interleaves the datasets that a function returns, in order."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


def prefetch_to_device(device: str, buffer_size: int | None = None) -> Transformation:
    """Return what leaves a dataset as it is: there is one device."""
    return lambda dataset: dataset.prefetch(AUTOTUNE)


def sample_from_datasets(
    datasets: Sequence[Base], weights: Sequence[float] | None = None, seed: int | None = None,
    stop_on_empty_dataset: bool = False,
) -> Dataset:  # fmt: skip
    """Return the dataset of elements of several, chosen at random."""
    return Dataset.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


def scan(initial_state: Nested, scan_func: Callable[..., Any]) -> Transformation:
    """Return what carries a state from one element to the next: see `Dataset.scan`."""
    return lambda dataset: dataset.scan(initial_state, scan_func)


def shuffle_and_repeat(buffer_size: TensorLike, count: TensorLike | None = None, seed: int | None = None) -> Transformation:
    """Return what shuffles a dataset, and repeats it."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def take_while(predicate: Callable[..., Any]) -> Transformation:
    """Return what ends a dataset where a function returns False."""
    return lambda dataset: dataset.take_while(predicate)


def unbatch() -> Transformation:
    """Return what takes elements apart into rows."""
    return lambda dataset: dataset.unbatch()


def unique() -> Transformation:
    """Return what leaves out elements that are equal to one before them."""
    return lambda dataset: dataset.unique()
