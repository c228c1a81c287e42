"""TensorFlow 1's datasets and iterators: nodes of a graph, of which each session holds its own position."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.data.dataset import Dataset, Shapes, Types, either, signature
from wengert.data.elements import DatasetSpec, NoneTensorSpec, Structure, specs_of
from wengert.data.iterators import Draw, IteratorBase, OwnedIterator, called
from wengert.data.stage import Base
from wengert.derive.structure import ancestors
from wengert.execute.numpy import NumPyProgram
from wengert.ground import nest, shapes
from wengert.ground.context import state
from wengert.ground.errors import FailedPreconditionError
from wengert.ground.types import NumPyArray
from wengert.modes.function import TensorSpec
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.signature import OBJECT
from wengert.tensor.tensor import Graph, SymbolicTensor, Tensor, TensorLike, convert

__all__ = [
    "DatasetV1", "Iterator", "get_output_classes", "get_output_shapes", "get_output_types", "make_initializable_iterator",
    "make_one_shot_iterator",
]  # fmt: skip

_number = itertools.count().__next__


def get_output_types(dataset_or_iterator: Base | IteratorBase) -> Any:
    """Return the dtypes of the elements."""
    return nest.map_structure(lambda s: s.dtype, dataset_or_iterator.element_spec)


def get_output_shapes(dataset_or_iterator: Base | IteratorBase) -> Any:
    """Return the shapes of the elements."""
    return nest.map_structure(lambda s: s.shape, dataset_or_iterator.element_spec)


def get_output_classes(dataset_or_iterator: Base | IteratorBase) -> Any:
    """Return the classes of the elements' parts."""
    kinds = {TensorSpec: Tensor, DatasetSpec: Dataset, NoneTensorSpec: type(None)}
    return nest.map_structure(lambda s: kinds[type(s)], dataset_or_iterator.element_spec)


class _Described:
    """What says of what its elements are made as TensorFlow 1 does."""

    output_types = property(get_output_types)
    output_shapes = property(get_output_shapes)
    output_classes = property(get_output_classes)


class Iterator(_Described, IteratorBase):
    """An iterator of a graph. Where it is belongs to the session: it is there from the initializer's run on.

    >>> import wengert.compat.v1 as tf
    >>> with tf.Graph().as_default(), tf.Session() as sess:
    ...     numbers = tf.data.Dataset.range(5).batch(3)
    ...     batch = tf.data.make_one_shot_iterator(numbers).get_next()
    ...     print(sess.run(batch), sess.run(batch))
    [0 1 2] [3 4]
    """

    def __init__(self, structure: Structure, begin: Callable[..., Draw] | None = None) -> None:
        """Take what its elements are made of, and what begins by itself, where no initializer does."""
        self.element_spec = structure
        self._begin = begin
        self._initializer: Any = None
        self._handle: SymbolicTensor | None = None

    @classmethod
    def from_structure(
        cls, output_types: Types, output_shapes: Shapes = None, shared_name: str | None = None,
        output_classes: Structure | None = None,
    ) -> Iterator:  # fmt: skip
        """Return an iterator over datasets of these dtypes and shapes, of which `make_initializer` says which."""
        return cls(signature(output_types, output_shapes))

    @staticmethod
    def from_string_handle(
        string_handle: TensorLike, output_types: Types, output_shapes: Shapes = None,
        output_classes: Structure | None = None,
    ) -> Iterator:  # fmt: skip
        """Return the iterator whose handle, a text, is fed when the graph runs."""
        return _Fed(signature(output_types, output_shapes), convert(string_handle))

    def _find(self, *_: NumPyArray) -> Draw:
        positions = _positions()
        draw = positions.get(self)
        if draw is None:
            if self._begin is None:
                raise FailedPreconditionError(
                    "GetNext() failed because the iterator has not been initialized. Ensure that you have run the initializer "
                    "operation for this iterator before getting the next element."
                )
            draw = positions[self] = self._begin()
        return draw

    def _drawn(self) -> tuple[Sequence[SymbolicTensor], Callable[..., Draw]]:
        return (), self._find

    @property
    def initializer(self) -> Any:
        """The operation that begins."""
        if self._initializer is None:
            raise ValueError(
                "The iterator does not have an initializer. This means it was likely created using "
                "`tf.data.Dataset.make_one_shot_iterator()`. For an initializable iterator, use "
                "`tf.data.Dataset.make_initializable_iterator()` instead."
            )
        return self._initializer

    def make_initializer(self, dataset: Base, name: str | None = None) -> Any:
        """Return the operation that begins with a dataset.

        Raises:
            TypeError: if its elements are of another structure, dtype or shape.
        """
        self._check(dataset)
        stage = dataset.stage
        symbols = stage.symbols()

        def begin(*arrays: NumPyArray) -> list[NumPyArray]:
            _positions()[self] = Draw(stage, dict(zip([t.n for t in symbols], arrays, strict=True)), True)
            return []

        called(begin, symbols, [], name or "MakeIterator")
        return state.graph.nodes[-1]

    def _check(self, dataset: Base) -> None:
        ours, theirs = self.element_spec, dataset.element_spec
        try:
            nest.assert_same_structure(ours, theirs)
            for a, b in zip(specs_of(ours), specs_of(theirs), strict=True):
                either(a, b)
        except (ValueError, TypeError):
            raise TypeError(
                f"Expected output types {get_output_types(self)} but got dataset with output types {get_output_types(dataset)}."
            ) from None
        for a, b in zip(specs_of(ours), specs_of(theirs), strict=True):
            if not shapes.fits(a.shape.sizes, b.shape.sizes):  # type: ignore[union-attr]
                raise TypeError(
                    f"Expected output shapes compatible with {get_output_shapes(self)} but got dataset with output shapes "
                    f"{get_output_shapes(dataset)}."
                )

    def string_handle(self, name: str | None = None) -> Any:
        """Return the text by which `from_string_handle` finds it in a session."""
        if self._handle is None:
            text = f"iterator/{_number()}".encode()

            def tell() -> list[NumPyArray]:
                _positions()[text] = self
                return [np.array(text, object)]

            self._handle = called(tell, (), [((), OBJECT)], name or "IteratorToStringHandle")[0]
        return self._handle


class _Fed(Iterator):
    """An iterator that goes by another's handle."""

    def __init__(self, structure: Structure, handle: Tensor) -> None:
        super().__init__(structure)
        self._given = handle

    def _drawn(self) -> tuple[Sequence[SymbolicTensor], Callable[..., Draw]]:
        return [self._given], self._by_handle  # type: ignore[list-item]

    def _by_handle(self, handle: NumPyArray) -> Draw:
        text = handle[()]
        found = _positions().get(text.encode() if isinstance(text, str) else text)
        if found is None:
            raise FailedPreconditionError(
                f"There is no iterator of the handle {text!r} in this session: run its string_handle()."
            )
        return found._find()  # type: ignore[no-any-return]


def _positions() -> dict[Any, Any]:
    """Return where the iterators of the session at work are."""
    if state.counters is None:
        raise FailedPreconditionError("An iterator of a graph is read by a session.")
    return state.counters


def make_one_shot_iterator(dataset: Base) -> Any:
    """Return an iterator that begins by itself, in each session.

    Raises:
        ValueError: for a dataset that depends on what is fed or on variables.
    """
    if state.graph is None:
        return OwnedIterator(dataset)
    stage = dataset.stage
    symbols = stage.symbols()
    for node in ancestors(symbols):
        if node.op is PLACEHOLDER:
            raise ValueError(f"Cannot capture a placeholder (name:{node.name}, type:Placeholder) by value.")
        if node.op.stateful:
            raise ValueError(
                f"Cannot capture a stateful node (name:{node.name}, type:{node.op.type}) by value: use "
                "make_initializable_iterator."
            )
    graph: Graph = state.graph
    program = NumPyProgram(graph, symbols, []) if symbols else None

    def begin() -> Draw:
        values = [] if program is None else program()
        return Draw(stage, dict(zip([t.n for t in symbols], values, strict=True)), True)

    return Iterator(dataset.element_spec, begin)


def make_initializable_iterator(dataset: Base, shared_name: str | None = None) -> Iterator:
    """Return an iterator that begins when its initializer runs.

    Raises:
        RuntimeError: eagerly.
    """
    if state.graph is None:
        raise RuntimeError(
            "`tf.compat.v1.data.make_initializable_iterator()` is not supported when eager execution is enabled. Use "
            "`for elem in dataset:` instead."
        )
    iterator = Iterator(dataset.element_spec)
    iterator._initializer = iterator.make_initializer(dataset)
    return iterator


class DatasetV1(_Described, Dataset):
    """A dataset with TensorFlow 1's methods."""

    def make_one_shot_iterator(self) -> Any:
        """Return an iterator that begins by itself, in each session."""
        return make_one_shot_iterator(self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """Return an iterator that begins when its initializer runs."""
        return make_initializable_iterator(self, shared_name)
