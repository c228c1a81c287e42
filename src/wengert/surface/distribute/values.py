"""What a strategy holds for its replicas: values, and datasets of global batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.data.dataset import Dataset
from wengert.data.elements import Structure
from wengert.data.iterators import IteratorBase, OwnedIterator, StagedIterator
from wengert.data.stage import Base
from wengert.ground import nest
from wengert.ground.context import state
from wengert.tensor.tensor import Nested, Tensor, convert

__all__ = ["DistributedDataset", "DistributedIterator", "DistributedValues", "PerReplica", "local"]


class DistributedValues:
    """A value for each replica."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        """Take them."""
        self._values = tuple(values)

    @property
    def values(self) -> tuple[Any, ...]:
        """The values."""
        return self._values

    def _as_tensor(self) -> Tensor:
        """Be the one replica's value wherever a tensor is wanted, so that a function takes it as an argument."""
        return convert(self._values[0])


class PerReplica(DistributedValues):
    """Values of which each replica has its own; there is one."""

    def __repr__(self) -> str:
        return "PerReplica:{\n" + ",\n".join(f"  {i}: {value!r}" for i, value in enumerate(self._values)) + "\n}"


def local(structure: Nested) -> Any:
    """Return a structure with this replica's values."""
    if not any(isinstance(value, DistributedValues) for value in nest.flatten(structure)):
        return structure
    return nest.map_structure(lambda v: v.values[0] if isinstance(v, DistributedValues) else v, structure)


class DistributedIterator(OwnedIterator):
    """An iterator over a dataset of global batches. `Checkpoint` saves where it is."""


class DistributedDataset(Base):
    """The elements of a dataset, each for the one replica as a whole.

    >>> import wengert as tf
    >>> strategy = tf.distribute.MirroredStrategy()
    >>> dataset = strategy.experimental_distribute_dataset(tf.data.Dataset.range(5).batch(2))
    >>> [batch.numpy().tolist() for batch in dataset]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, dataset: Base) -> None:
        """Take the dataset."""
        super().__init__(dataset.stage)

    @property
    def element_spec(self) -> Structure:
        """What is known of the elements: specs, in the structure that the elements have."""
        return self.stage.structure

    @property
    def cardinality(self) -> np.int64:
        """How many elements there are, -1 if there is no end, and -2 if it is not known."""
        return np.int64(self.stage.cardinality())

    def __iter__(self) -> IteratorBase:
        if state.graph is None:
            return DistributedIterator(self)
        found: IteratorBase = iter(Dataset(self.stage))
        return found

    def _iterated(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        return StagedIterator(self)._iterated()

    def reduce(self, initial_state: Nested, reduce_func: Callable[..., Any]) -> Any:
        """Return the last state of ``state = reduce_func(state, element)``."""
        return Dataset(self.stage).reduce(initial_state, reduce_func)
