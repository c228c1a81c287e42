"""Stages: what a dataset does, one step each, over those that it reads from.

A stage states what its elements are made of, how many there are, and how they come: `Stage.elements`, an iterator for one
iteration over the dataset. Nothing is computed before an element is asked for. An iterator that has raised goes on with the next
element, so stages are no generators where an error may pass through: they are Python's own iterators, or functions that return
one element, in `following`.

What a stage is made with may be tensors of a graph: their values belong to the iteration, `Run`, which also decides the random
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.data.elements import END, Element, Spec, Structure, specs_of
from wengert.functions.random import seed_word
from wengert.ground.entropy import fresh
from wengert.ground.types import NumPyArray
from wengert.tensor.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, convert, value_of

__all__ = ["INFINITE", "UNKNOWN", "Base", "Bound", "Given", "Run", "Seeded", "Size", "Stage", "following", "size_of"]

INFINITE, UNKNOWN = -1, -2
"""How many elements there are where that is no number."""
Size = int | SymbolicTensor
"""A whole number that a graph may compute."""


def size_of(value: TensorLike, what: str) -> Size:
    """Return a whole number, or the tensor of a graph that will be one.

    Raises:
        TypeError: if it is none.
    """
    value = value_of(value)
    if isinstance(value, SymbolicTensor):
        return value
    array = value.array if isinstance(value, EagerTensor) else np.asarray(value)
    if array.ndim or array.dtype.kind not in "iu":
        raise TypeError(f"{what} must be a whole number, not {value!r}.")
    return int(array)


def following(one: Callable[[], Any]) -> Iterator[Element]:
    """Return the iterator over what a function returns, until it is `END`."""
    return iter(one, END)


class Run:
    """One iteration over a dataset: the values of a graph's tensors in it, and its random numbers.

    What is random in a dataset has a seed, and a number for each pass over it: the passes of an iteration go on from those of the
    one before, so that each has another order.
    """

    def __init__(self, values: Mapping[int, NumPyArray] | None = None, alone: bool = False) -> None:
        """Take the values of symbolic tensors, by number. ``alone``: the passes begin anew, as a session's do."""
        self.values = dict(values or {})
        self.alone = alone
        self.first: dict[Seeded, int] = {}
        """The number of the first pass over each of the stages that are random."""
        self.passes: dict[Seeded, int] = {}
        self.words: dict[Seeded, int] = {}
        self.counters: dict[Any, Any] = {}
        """How often the random operations of functions have run."""
        self.kept: dict[Stage, list[Element]] = {}
        """What stages keep for this iteration alone, as they depend on its values."""

    def within(self, values: Mapping[int, NumPyArray]) -> Run:
        """Return the run of a dataset that belongs to one element: it goes on with the random numbers of this one."""
        inner = Run({**self.values, **values}, self.alone)
        inner.first, inner.passes, inner.words, inner.counters = self.first, self.passes, self.words, self.counters
        return inner

    def array(self, tensor: Tensor) -> NumPyArray:
        """Return the value of a tensor."""
        return tensor.array if isinstance(tensor, EagerTensor) else self.values[tensor.n]

    def number(self, size: Size) -> int:
        """Return the value of a whole number."""
        return size if isinstance(size, int) else int(self.values[size.n])


class Stage:
    """A step of a dataset."""

    kind = ""
    """TensorFlow's name of it."""
    inputs: Sequence[Stage] = ()
    """What it reads from, in order."""
    inner: Sequence[Stage] = ()
    """What its functions of elements return: datasets whose tensors are those of the functions' own graphs."""
    given: Sequence[Tensor | Size] = ()
    """The tensors, and what else a graph may compute, that it is made with."""
    structure: Structure

    @property
    def specs(self) -> list[Spec]:
        """What is known of each leaf of its elements."""
        return specs_of(self.structure)

    def cardinality(self) -> int:
        """Return the number of elements, or `INFINITE`, or `UNKNOWN`."""
        return UNKNOWN

    def elements(self, run: Run) -> Iterator[Element]:
        """Return an iterator over the elements."""
        raise NotImplementedError

    def every(self, inner: bool = False) -> list[Stage]:
        """Return it and all that it reads from, each once; ``inner``: and what functions return."""
        found: dict[Stage, None] = {self: None}
        pending: list[Stage] = [self]
        while pending:
            stage = pending.pop()
            for other in (*stage.inputs, *(stage.inner if inner else ())):
                if other not in found:
                    found[other] = None
                    pending.append(other)
        return list(found)

    def symbols(self) -> list[SymbolicTensor]:
        """Return the tensors of graphs that an iteration needs the values of."""
        found = {t.n: t for stage in self.every() for t in stage.given if isinstance(t, SymbolicTensor)}
        return list(found.values())

    def seeded(self) -> list[Seeded]:
        """Return the stages that draw random numbers."""
        return [stage for stage in self.every(inner=True) if isinstance(stage, Seeded)]


def _fresh() -> int:
    return fresh() >> 72


class Seeded(Stage):
    """A stage that draws random numbers. Its seed is decided when it is made."""

    def __init__(self, seed: int | Sequence[int] | None, again: bool) -> None:
        """Take a seed of its own, if it has one, and whether each pass draws other numbers."""
        word = seed_word(seed)
        self.word, self.known, self.again = _fresh() if word is None else word, word is not None, again
        self.following = 0
        """The number of the next pass over it."""

    def generator(self, run: Run) -> np.random.Generator:
        """Return the random numbers of a pass, which begins."""
        turn = run.passes.get(self, 0)
        run.passes[self] = turn + 1
        first = run.first.setdefault(self, 0 if run.alone else self.following)
        if not run.alone:
            self.following = max(self.following, first + turn + 1)
        word = run.words.setdefault(self, self.word if self.known or not run.alone else _fresh())
        sequence = np.random.SeedSequence([word, first + turn if self.again else 0])
        return np.random.Generator(np.random.Philox(sequence))


class Given(Stage):
    """A dataset that a tensor of a graph holds."""

    kind = "_VariantDataset"

    def __init__(self, place: SymbolicTensor, structure: Structure) -> None:
        """Take the tensor, and what is known of the elements."""
        self.place, self.structure = place, structure
        self.given = (place,)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return those of the dataset that it is in this iteration."""
        held: Any = run.array(self.place)[()]
        return held.stage.elements(run)  # type: ignore[no-any-return]


class Bound(Stage):
    """A dataset that a function returned, with the values of what the function computed for it."""

    kind = "_VariantDataset"

    def __init__(self, stage: Stage, run: Run) -> None:
        """Take both."""
        self.stage, self.run, self.structure = stage, run, stage.structure

    def cardinality(self) -> int:
        """Return that of the dataset."""
        return self.stage.cardinality()

    def elements(self, run: Run) -> Iterator[Element]:
        """Return those of the dataset."""
        return self.stage.elements(self.run)


class Base:
    """What users hold: a dataset, of which the last stage is known."""

    def __init__(self, stage: Stage) -> None:
        """Take the stage."""
        self.stage = stage

    @property
    def element_spec(self) -> Structure:
        """What is known of the elements: specs, in the structure that the elements have."""
        return self.stage.structure


def tensor_of(value: TensorLike) -> Tensor:
    """Return a value as a tensor: one of a graph as it is, anything else as a constant that belongs to no graph."""
    value = value_of(value)
    return value if isinstance(value, Tensor) else convert(value)
