"""Functions of elements: mapped over a dataset, deciding what stays, giving datasets of their own, folding.

A function is traced once, when it is given, as one that ``function`` makes: with tensors that stand for an element's, and its
control flow converted. Each element is then a run of that list. What it captures of a graph around belongs to the iteration.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.data.batches import Listed
from wengert.data.elements import (
    END,
    DatasetSpec,
    Element,
    Structure,
    boxed,
    described,
    opened,
    pack,
    specs_of,
    standing,
)
from wengert.data.orders import Through
from wengert.data.stage import Base, Bound, Given, Run, Stage, following
from wengert.execute.numpy import NumPyProgram
from wengert.ground import shapes
from wengert.ground.context import state
from wengert.ground.errors import InvalidArgumentError, OperatorNotAllowedInGraphError
from wengert.modes.function import TensorSpec, _is_control_flow, library_hooks
from wengert.modes.traces import relaxed
from wengert.modes.tracing import FuncGraph, tracing
from wengert.tensor.tensor import EagerTensor, Nested, Tensor, lift

__all__ = ["Filtered", "Folded", "Folding", "Grouped", "Interleaved", "Mapped", "Scanned", "Traced", "While"]


class Traced:
    """A function of elements, as a list that runs over arrays."""

    def __init__(self, function: Callable[..., Any], structures: Sequence[Structure], spread: bool = False) -> None:
        """Trace a function of elements of these structures. ``spread``: a tuple is not one argument, but several."""
        if not callable(function):
            raise TypeError(f"A function of elements must be callable, not {function!r}.")
        try:
            self._trace(function, structures, spread)
        except (OperatorNotAllowedInGraphError, TypeError) as error:
            if not _is_control_flow(error):
                raise
            from wengert.modes.autograph import convert as autograph

            self._trace(autograph(function, library_hooks()), structures, spread)

    def _trace(self, function: Callable[..., Any], structures: Sequence[Structure], spread: bool) -> None:
        graph = FuncGraph(state.graph, getattr(function, "__name__", "function"))
        arguments = []
        for structure in structures:
            places = [graph.add_input(sizes, nptype) for sizes, nptype in described(specs_of(structure))]
            arguments.append(standing(structure, places, Given))
        if spread and type(arguments[0]) is tuple:
            arguments = list(arguments[0])
        with tracing(graph):
            self.leaves, self.structure = opened(function(*arguments), True)
            found = []
            for leaf in self.leaves:
                if leaf is not None:
                    found += [lift(graph, t) for t in ([leaf] if isinstance(leaf, Tensor) else leaf.stage.symbols())]
        captured = list(graph.captured.values())
        self.captured = [source for source, _ in captured]
        if all(isinstance(t, EagerTensor) for t in self.captured):
            graph.part()
        self.program = NumPyProgram(graph, found, [*graph.inputs, *(place for _, place in captured)], graph.effects)

    @property
    def inner(self) -> list[Stage]:
        """The datasets among what it returns."""
        return [leaf.stage for leaf in self.leaves if isinstance(leaf, Base)]

    def __call__(self, run: Run, element: Element) -> Element:
        """Return what the function does for an element."""
        arrays = [boxed(leaf) for leaf in element if leaf is not None]
        before, state.counters = state.counters, run.counters
        try:
            found = iter(self.program(*arrays, *[run.array(t) for t in self.captured]))
        finally:
            state.counters = before
        results: list[Any] = []
        for leaf in self.leaves:
            if isinstance(leaf, Base):
                values = {t.n: next(found) for t in leaf.stage.symbols()}
                results.append(type(leaf)(Bound(leaf.stage, run.within(values))))
            else:
                results.append(None if leaf is None else next(found))
        return tuple(results)


class _Applied(Through):
    """A step that a function decides about."""

    def __init__(self, source: Stage, function: Traced, kind: str) -> None:
        super().__init__(source, kind)
        self.function = function
        self.inner, self.given = function.inner, function.captured


class Mapped(_Applied):
    """What a function returns for the elements."""

    def __init__(self, source: Stage, function: Callable[..., Any]) -> None:
        """Take the function.

        Raises:
            InvalidArgumentError: if it returns nothing.
        """
        super().__init__(source, Traced(function, [source.structure], True), "_MapDataset")
        self.structure = self.function.structure
        if all(leaf is None for leaf in self.function.leaves):
            raise InvalidArgumentError("map: the function must return something for an element, not None alone.")

    def elements(self, run: Run) -> Iterator[Element]:
        """Return what the function returns."""
        return map(lambda element: self.function(run, element), super().elements(run))


def _predicate(function: Callable[..., Any], source: Stage) -> Traced:
    traced = Traced(function, [source.structure], True)
    spec = traced.structure
    if not (isinstance(spec, TensorSpec) and spec._nptype.kind == "b" and shapes.fits(spec._sizes, ())):
        raise ValueError(
            f"Invalid `predicate`. `predicate` must return a `tf.bool` scalar tensor, but its return type is {spec!r}."
        )
    return traced


class Filtered(_Applied):
    """The elements for which a function returns True."""

    def __init__(self, source: Stage, function: Callable[..., Any]) -> None:
        """Take the function.

        Raises:
            ValueError: unless it returns a Boolean scalar.
        """
        super().__init__(source, _predicate(function, source), "_FilterDataset")

    def cardinality(self) -> int:
        """Return that it is not known how many there are."""
        return Stage.cardinality(self)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        return filter(lambda element: bool(self.function(run, element)[0]), super().elements(run))


class While(Filtered):
    """The elements up to the first for which a function returns False."""

    def __init__(self, source: Stage, function: Callable[..., Any]) -> None:
        """Take the function."""
        super().__init__(source, function)
        self.kind = "_TakeWhileDataset"

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        source = Through.elements(self, run)
        return itertools.takewhile(lambda element: bool(self.function(run, element)[0]), source)


def _dataset_of(traced: Traced, name: str) -> Structure:
    spec = traced.structure
    if not isinstance(spec, DatasetSpec):
        raise TypeError(f"Invalid `{name}`. `{name}` must return a `tf.data.Dataset` object. It returns {spec!r}.")
    return spec.element_spec


class Interleaved(_Applied):
    """The elements of the datasets that a function returns: several at a time take turns, each for so many elements."""

    def __init__(self, source: Stage, function: Callable[..., Any], cycle: int, block: int, kind: str) -> None:
        """Take the function, how many datasets take turns, and how many elements each gives in its turn.

        Raises:
            TypeError: if the function returns no dataset.
        """
        super().__init__(source, Traced(function, [source.structure], True), kind)
        self.structure = _dataset_of(self.function, "map_func")
        for name, number in (("cycle_length", cycle), ("block_length", block)):
            if number < 1:
                raise InvalidArgumentError(f"{name} must be greater than zero.")
        self.cycle, self.block = cycle, block

    def cardinality(self) -> int:
        """Return that it is not known how many there are."""
        return Stage.cardinality(self)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        source = super().elements(run)
        turns: list[Iterator[Element] | None] = [None] * self.cycle
        at = given = 0
        ended = False

        def one() -> Any:
            nonlocal at, given, ended
            while not ended or any(turns):
                turn = turns[at]
                if turn is None and not ended:
                    element: Any = next(source, END)
                    ended = element is END
                    if not ended:
                        turns[at] = self.function(run, element)[0].stage.elements(run)
                        continue
                if turn is not None:
                    element = next(turn, END)
                    if element is not END:
                        given += 1
                        if given == self.block:
                            at, given = (at + 1) % self.cycle, 0
                        return element
                    turns[at] = None
                at, given = (at + 1) % self.cycle, 0
            return END

        return following(one)


class Grouped(Stage):
    """What a function makes of groups of elements: those of one key, so many at a time."""

    kind = "_GroupByWindowDataset"

    def __init__(
        self, source: Stage, key: Callable[..., Any], reduce: Callable[..., Any], size: Callable[..., Any],
        made: Callable[[Stage], Base],
    ) -> None:  # fmt: skip
        """Take the functions that give an element's key, the dataset of a key's group, and how large one with a key is."""
        whole = TensorSpec([], "int64")
        self.key = Traced(key, [source.structure], True)
        self.size = Traced(size, [whole])
        self.reduce = Traced(reduce, [whole, DatasetSpec(source.structure, made)])
        self.structure, self.made = _dataset_of(self.reduce, "reduce_func"), made
        self.inputs, self.inner = (source,), self.reduce.inner
        self.given = [*self.key.captured, *self.size.captured, *self.reduce.captured]

    def elements(self, run: Run) -> Iterator[Element]:
        """Return those of the datasets."""
        return itertools.chain.from_iterable(self._groups(run))

    def _groups(self, run: Run) -> Iterator[Iterator[Element]]:
        source = self.inputs[0]
        groups: dict[int, list[Element]] = {}

        def made(key: int) -> Iterator[Element]:
            group = self.made(Listed(groups.pop(key), source.structure))
            found: Iterator[Element] = self.reduce(run, (np.array(key, np.int64), group))[0].stage.elements(run)
            return found

        for element in source.elements(run):
            (key,) = self.key(run, element)
            rows = groups.setdefault(int(key), [])
            rows.append(element)
            if len(rows) >= int(self.size(run, (np.array(key, np.int64),))[0]):
                yield made(int(key))
        for key in sorted(groups):
            yield made(key)


# --- folding: a state that a function carries from one element to the next -----------------------------------------------


class Folding:
    """A function of a state and an element, traced for states whose shapes may change."""

    def __init__(self, function: Callable[..., Any], start: Nested, element: Structure, pair: bool) -> None:
        """Take it, the first state, and what is known of an element; ``pair``: it returns the next state and something else.

        Raises:
            TypeError: if it returns a state of other dtypes.
        """
        leaves, self.structure = opened(start)
        self.start = [t for t in leaves if isinstance(t, Tensor)]
        self.size = len(self.start)
        while True:
            self.traced = Traced(function, [self.structure, element])
            state_, self.output = self._parts(pair)
            before, after = specs_of(self.structure), specs_of(state_)
            if len(before) != len(after):
                raise TypeError(f"The element structure for the new state must match the initial state: {state_!r} is not "
                                f"{self.structure!r}.")  # fmt: skip
            wider = []
            for a, b in zip(before, after, strict=True):
                if not isinstance(a, TensorSpec) or not isinstance(b, TensorSpec) or a._nptype != b._nptype:
                    raise TypeError(
                        f"The element types for the new state must match the initial state. Expected {a!r}; got {b!r}."
                    )
                wider.append(a if _covers(a, b) else TensorSpec(relaxed(a._sizes, b._sizes), a._nptype))
            if all(a is w for a, w in zip(before, wider, strict=True)):
                return
            self.structure = pack(self.structure, wider)

    def _parts(self, pair: bool) -> tuple[Structure, Structure]:
        found: Any = self.traced.structure
        if not pair:
            return found, found
        if not isinstance(found, tuple) or len(found) != 2:
            raise TypeError("The scan function must return a pair comprising the new state and the output value.")
        return found[0], found[1]


def _covers(general: TensorSpec, special: TensorSpec) -> bool:
    return general._sizes is None or (
        special._sizes is not None
        and len(general._sizes) == len(special._sizes)
        and all(g is None or g == s for g, s in zip(general._sizes, special._sizes, strict=True))
    )


class Scanned(Through):
    """What a function returns beside a state that it carries from one element to the next."""

    def __init__(self, source: Stage, folding: Folding) -> None:
        """Take the function and the first state."""
        super().__init__(source, "_ScanDataset")
        self.folding, self.structure = folding, folding.output
        self.inner = folding.traced.inner
        self.given = [*folding.start, *folding.traced.captured]

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        source, folding = super().elements(run), self.folding
        carry: Element = tuple([run.array(t) for t in folding.start])

        def one() -> Any:
            nonlocal carry
            element: Any = next(source, END)
            if element is END:
                return END
            found = folding.traced(run, (*carry, *element))
            carry = found[: folding.size]
            return found[folding.size :]

        return following(one)


class Folded(Stage):
    """The one state that is there in the end."""

    def __init__(self, source: Stage, folding: Folding) -> None:
        """Take the function and the first state."""
        self.folding, self.structure = folding, folding.structure
        self.inputs, self.inner = (source,), folding.traced.inner
        self.given = [*folding.start, *folding.traced.captured]

    def elements(self, run: Run) -> Iterator[Element]:
        """Return it."""
        carry: Element = tuple([run.array(t) for t in self.folding.start])
        for element in self.inputs[0].elements(run):
            carry = self.folding.traced(run, (*carry, *element))
        yield carry
