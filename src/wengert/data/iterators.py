"""Iterators: one after another the elements of a dataset, eagerly and in functions, with a position that a checkpoint keeps."""

from __future__ import annotations

import contextlib
import dis
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.data.elements import END, Element, Structure, boxed, described, pack, specs_of, standing, tensors
from wengert.data.stage import Base, Given, Run, Seeded, Stage
from wengert.ground.context import current, loudly, state
from wengert.ground.errors import InvalidArgumentError, OperatorNotAllowedInGraphError, OutOfRangeError
from wengert.ground.shapes import Shape
from wengert.ground.types import Dtype, NumPyArray
from wengert.modes.storage import Storage
from wengert.modes.variable import Variable
from wengert.ops.linear import STOP_GRADIENT
from wengert.ops.signature import BOOL, OBJECT
from wengert.ops.state import PY_FUNCTION
from wengert.tensor.tensor import EagerTensor, Graph, SymbolicTensor, append, apply

__all__ = ["Draw", "IteratorBase", "OwnedIterator", "StagedIterator", "called"]

ENDED = "End of sequence"


class Draw:
    """Where an iteration over a dataset is: what gives the next element, and how many were given."""

    def __init__(self, stage: Stage, values: Mapping[int, NumPyArray] | None = None, alone: bool = False) -> None:
        """Take the dataset, the values of a graph's tensors in it, and whether random numbers begin anew."""
        self.stage, self.values, self.alone = stage, values, alone
        self.seeded = stage.seeded()
        self.run = Run(values, alone)
        self.count = 0
        self._ahead: list[Any] = []
        self._elements: Iterator[Element] | None = None

    def _next(self) -> Any:
        """Return the next element, or `END`."""
        with current(graph=None, observers=()):
            try:
                if self._elements is None:  # it begins, or goes on where it was
                    self._elements = self.stage.elements(self.run)
                    for _ in range(self.count):
                        with contextlib.suppress(Exception):  # an element that failed then has been told of
                            next(self._elements, None)
                found = next(self._elements, END)
            except Exception:
                self.count += 1
                raise
            except BaseException:  # Ctrl-C in the midst of an element, which would be lost: it is read again
                self._again(dict(self.run.first), dict(self.run.words))
                raise
        return found

    def more(self) -> bool:
        """Whether there is another element."""
        if not self._ahead:
            self._ahead.append(self._next())
        return self._ahead[0] is not END

    def draw(self) -> Element | None:
        """Return the next element, None at the end."""
        element = self._ahead.pop() if self._ahead else self._next()
        if element is END:
            return None
        self.count += 1
        return element  # type: ignore[no-any-return]

    def _again(self, first: dict[Seeded, int], words: dict[Seeded, int]) -> None:
        self.run = Run(self.values, self.alone)
        self.run.first, self.run.words = first, words
        self._ahead.clear()
        self._elements = None

    @property
    def position(self) -> NumPyArray:
        """How many elements were given, and for each step that is random its seed and the number of its first pass, if any."""
        words = [
            w
            for s in self.seeded
            for w in (self.run.words.get(s, s.word), self.run.first.get(s, 0 if self.alone else s.following))
        ]
        return np.array([self.count, *words], np.int64)

    @position.setter
    def position(self, position: NumPyArray) -> None:
        if np.array_equal(position, self.position):
            return
        self.count, *rest = map(int, position)
        pairs = list(zip(self.seeded, rest[::2], rest[1::2], strict=True))
        self._again({s: first for s, _, first in pairs}, {s: word for s, word, _ in pairs})


class _Place(Storage):
    """An iterator's position as the memory of a variable, of which it is read and to which it is set."""

    __slots__ = ("draw",)

    def __init__(self, draw: Draw) -> None:
        super().__init__("iterator", draw.position.shape, np.dtype(np.int64))
        self.draw = draw

    @property
    def array(self) -> NumPyArray:
        return self.draw.position

    @array.setter
    def array(self, value: NumPyArray) -> None:
        self.draw.position = value

    held = array

    @property
    def values(self) -> tuple[NumPyArray, None]:
        return self.draw.position, None

    @values.setter
    def values(self, values: tuple[NumPyArray, None]) -> None:
        self.draw.position = values[0]


class _Position(Variable):
    """An iterator's position, as a checkpoint keeps it."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        super().__init__(draw.position, trainable=False, name="iterator")

    def _prepare(self, sizes: Shape, nptype: Dtype) -> None:
        super()._prepare(sizes, nptype)
        self._storage = _Place(self._draw)


# --- in graphs --------------------------------------------------------------------------------------------------------


def called(
    call: Callable[..., Any], given: Sequence[SymbolicTensor], specs: Sequence[tuple[Shape, Dtype]], name: str
) -> Sequence[SymbolicTensor]:
    """Append a call of Python to the graph: ``call(*arrays)`` returns as many arrays as there are specs, (shape, dtype).

    It has no derivative.
    """

    def outside(keep: bool, *arrays: NumPyArray) -> tuple[NumPyArray, ...]:
        with current(graph=None, observers=()):
            return tuple(loudly(call, *arrays))

    attrs = {"call": outside, "run": None, "keep": False, "specs": tuple(specs), "gradient": None}
    given = [apply(STOP_GRADIENT, (t,)) if t.nptype.kind in "fc" else t for t in given]
    return append(state.graph, PY_FUNCTION, given, attrs, name)  # type: ignore[no-any-return]


def arrays_of(element: Element | None) -> list[NumPyArray]:
    """Return the arrays that a graph is given for an element.

    Raises:
        OutOfRangeError: behind the last one.
    """
    if element is None:
        raise OutOfRangeError(ENDED)
    return [boxed(leaf) for leaf in element if leaf is not None]


def held(place: NumPyArray) -> Any:
    """Return the object that an array holds."""
    return place[()]


def _boxed(value: Draw | Element | None) -> NumPyArray:
    place = np.empty((), object)
    place[()] = value
    return place


class Optional:
    """An element that may be there."""

    def __init__(self, structure: Structure, element: Element | None) -> None:
        """Take what is known of it, and the element."""
        self.element_spec, self._element = structure, element

    def has_value(self, name: str | None = None) -> EagerTensor:
        """Return whether it is there."""
        return EagerTensor(np.array(self._element is not None))

    def get_value(self, name: str | None = None) -> Any:
        """Return it.

        Raises:
            InvalidArgumentError: if it is not there.
        """
        if self._element is None:
            raise InvalidArgumentError("The given optional does not have a value.")
        return tensors(self.element_spec, self._element)


class StagedOptional(Optional):
    """An element that may be there when the graph runs."""

    def __init__(self, structure: Structure, there: SymbolicTensor, place: SymbolicTensor) -> None:
        """Take what is known of it, whether it is there, and the tensor that holds it."""
        super().__init__(structure, None)
        self._there, self._place = there, place

    def has_value(self, name: str | None = None) -> Any:
        """Return whether it is there."""
        return self._there

    def get_value(self, name: str | None = None) -> Any:
        """Return it."""

        def call(place: NumPyArray) -> list[NumPyArray]:
            if held(place) is None:
                raise InvalidArgumentError("The given optional does not have a value.")
            return arrays_of(held(place))

        places = called(call, [self._place], described(specs_of(self.element_spec)), name or "OptionalGetValue")
        return standing(self.element_spec, places, Given)


class IteratorBase:
    """What has elements one after another."""

    element_spec: Structure
    _asked: tuple[Graph | None, int] = (None, 0)
    """How often ``next()`` was called while a graph was built, and which."""

    def _drawn(self) -> tuple[Sequence[SymbolicTensor], Callable[..., Draw]]:
        """Return what a call in a graph is given, and the function that finds the iteration of it."""
        raise NotImplementedError

    def get_next(self, name: str | None = None) -> Any:
        """Return the next element.

        Raises:
            OutOfRangeError: behind the last one; in a graph, when it runs.
        """
        given, find = self._drawn()
        specs = described(specs_of(self.element_spec))
        places = called(lambda *arrays: arrays_of(find(*arrays).draw()), given, specs, name or "IteratorGetNext")
        return standing(self.element_spec, places, Given)

    def get_next_as_optional(self) -> Optional:
        """Return the next element, if there is one."""
        given, find = self._drawn()

        def call(*arrays: NumPyArray) -> list[NumPyArray]:
            element = find(*arrays).draw()
            return [np.array(element is not None), _boxed(element)]

        there, place = called(call, given, [((), BOOL), ((), OBJECT)], "IteratorGetNextAsOptional")
        return StagedOptional(self.element_spec, there, place)

    def _more(self) -> SymbolicTensor:
        """Return whether there is another element, in a graph."""
        given, find = self._drawn()
        return called(lambda *arrays: [np.array(find(*arrays).more())], given, [((), BOOL)], "IteratorHasNext")[0]

    def _iterated(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Return how converted control flow loops over it: whether there is an element at an index, and that element."""
        return lambda k: self._more(), lambda k: self.get_next()

    def __iter__(self) -> IteratorBase:
        return self

    def __next__(self) -> Any:
        """Return the next element."""
        graph, times = self._asked
        times = times + 1 if graph is state.graph else 1
        self._asked = state.graph, times
        if times > MOST or _in_a_loop():
            raise OperatorNotAllowedInGraphError(
                "Iterating over a dataset is not allowed in a graph, where AutoGraph did not convert it: use a `for` statement "
                "in a function with autograph=True, or dataset.reduce."
            )
        return self.get_next()


MOST = 1000
"""How often ``next()`` may be called while one graph is built: more often it is a loop that does not end."""


def _in_a_loop() -> bool:
    """Whether Python asks for the next element in a ``for``, which would go on for ever, rather than by ``next()``."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in ("FOR_ITER", "UNPACK_SEQUENCE", "UNPACK_EX", "LIST_EXTEND")


class StagedIterator(IteratorBase):
    """An iterator that a function makes each time it runs."""

    def __init__(self, dataset: Base) -> None:
        """Append its making to the graph."""
        stage = dataset.stage
        symbols = stage.symbols()

        def make(*arrays: NumPyArray) -> list[NumPyArray]:
            return [_boxed(Draw(stage, dict(zip([t.n for t in symbols], arrays, strict=True))))]

        self.element_spec = dataset.element_spec
        self._place = called(make, symbols, [((), OBJECT)], "MakeIterator")[0]

    def _drawn(self) -> tuple[Sequence[SymbolicTensor], Callable[..., Draw]]:
        return [self._place], held


def _alive(draw: weakref.ref[Draw]) -> Draw:
    found = draw()
    assert found is not None, "who calls a trace has the iterator that it was made with"
    return found


class OwnedIterator(IteratorBase):
    """An iterator over a dataset. `Checkpoint` saves where it is."""

    def __init__(self, dataset: Base) -> None:
        """Begin."""
        self._dataset, self._draw = dataset, Draw(dataset.stage)
        self.element_spec = dataset.element_spec
        self._position: Variable | None = None

    def _drawn(self) -> tuple[Sequence[SymbolicTensor], Callable[..., Draw]]:
        draw = weakref.ref(self._draw)  # a trace does not keep it: who calls the trace has it
        return (), lambda: _alive(draw)

    def get_next(self, name: str | None = None) -> Any:
        """Return the next element.

        Raises:
            OutOfRangeError: behind the last one.
        """
        if state.graph is not None:
            return super().get_next(name)
        element = self._draw.draw()
        if element is None:
            raise OutOfRangeError(ENDED)
        return tensors(self.element_spec, element)

    def get_next_as_optional(self) -> Optional:
        """Return the next element, if there is one."""
        return Optional(self.element_spec, self._draw.draw()) if state.graph is None else super().get_next_as_optional()

    def __next__(self) -> Any:
        """Return the next element."""
        if state.graph is not None:
            return super().__next__()
        element = self._draw.draw()
        if element is None:
            raise StopIteration
        return tensors(self.element_spec, element)

    def _trackable_children(self) -> dict[str, Variable]:
        if self._position is None:
            with current(graph=None, observers=()):
                self._position = _Position(self._draw)
        return {"position": self._position}


class NumpyIterator:
    """An iterator that gives NumPy's arrays."""

    def __init__(self, dataset: Base) -> None:
        """Begin.

        Raises:
            TypeError: for elements that are not tensors.
        """
        for spec in specs_of(dataset.element_spec):
            if not hasattr(spec, "_sizes"):
                raise TypeError(
                    f"`tf.data.Dataset.as_numpy_iterator()` is not supported for datasets that produce values of type {spec!r}."
                )
        self._dataset, self._draw = dataset, Draw(dataset.stage)

    def __iter__(self) -> NumpyIterator:
        return self

    def __next__(self) -> Any:
        """Return the next element."""
        element = self._draw.draw()
        if element is None:
            raise StopIteration
        return pack(self._dataset.element_spec, [a.copy() if a.ndim else a[()] for a in element])
