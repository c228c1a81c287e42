"""The traces that a function keeps: by what a call finds its own, how long each is kept, and a word where they become many."""

from __future__ import annotations

import logging
import weakref
from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from wengert.ground import nest
from wengert.ground.options import options
from wengert.ground.shapes import Shape
from wengert.modes.turn import Turn

if TYPE_CHECKING:
    from wengert.modes.function import ConcreteFunction

__all__ = [
    "Held",
    "Key",
    "SupportsTracingProtocol",
    "TraceType",
    "Traces",
    "covers",
    "picture",
    "relaxed",
    "stand_in",
    "static",
    "weak",
]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")
Key = tuple[Any, ...]
"""The structure of the arguments, and for each leaf what a trace depends on."""

OFTEN, CALLS = 5, 10
"""So many traces within so many calls are worth a word."""

_PLAIN = frozenset({bool, int, str, bytes, type(None)})


class TraceType(Protocol):
    """What a class of the program says of an object that a function is traced with: objects of equal types share a trace."""

    def placeholder_value(self, placeholder_context: None) -> object:
        """Return what the function is traced with in the place of the object."""


class SupportsTracingProtocol(Protocol):
    """An object that says of which type it is for a trace."""

    def __tf_tracing_type__(self, context: None) -> TraceType:
        """Return the type, which is hashable."""


def stand_in(leaf: Any) -> Any:
    """Return what a function is traced with for an argument that is no tensor."""
    if hasattr(type(leaf), "__tf_tracing_type__"):
        return leaf.__tf_tracing_type__(None).placeholder_value(None)
    return leaf


def static(leaf: Any) -> Key:
    """Return what stands in a key for an argument that is no tensor.

    Values go by type and value: 1, 1.0 and True differ, and so do 0.0 and -0.0, while NaN is NaN. What is equal to itself alone
    goes by identity; see `weak`.
    """
    kind = type(leaf)
    if kind in _PLAIN:
        return kind, leaf
    if isinstance(leaf, float):
        return kind, float.hex(leaf)
    if hasattr(leaf, "handle_in"):
        return "variable", leaf.n
    if hasattr(kind, "__tf_tracing_type__"):
        return "type", leaf.__tf_tracing_type__(None)
    if isinstance(leaf, complex):
        return kind, leaf.real.hex(), leaf.imag.hex()
    return (kind, id(leaf)) if _itself_alone(leaf) else (kind, leaf)


def _itself_alone(leaf: Any) -> bool:
    kind = type(leaf)
    if getattr(kind, "__hash__", None) is object.__hash__ and getattr(kind, "__eq__", None) is object.__eq__:
        return True
    try:
        hash(leaf)
    except TypeError:
        return True
    return False


class Held(weakref.ref[Any]):
    """An argument, in the description of a trace, that the trace does not keep alive."""

    __slots__ = ()


def weak(leaf: Any) -> Any:
    """Return a reference that keeps nothing alive to what goes by identity, and any other argument as it is.

    When such an object is gone, no call can ask for its trace any more; of a value there may be another one.
    """
    if type(leaf) in _PLAIN or hasattr(leaf, "handle_in") or hasattr(leaf, "__tf_tracing_type__") or not _itself_alone(leaf):
        return leaf
    try:
        return Held(leaf)
    except TypeError:  # of a kind that has no such references
        return leaf


def picture(arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Key:
    """Return the nesting of arguments."""

    def of(item: Any) -> Hashable:
        if not nest.is_nested(item):
            return None
        if isinstance(item, Mapping):
            return (dict, *((type(k), k, of(item[k])) for k in item))
        return (nest.kind(item), *map(of, nest.children(item)))

    return tuple([of(a) for a in arguments]), tuple([(k, of(v)) for k, v in sorted(keywords.items())])


def covers(general: Shape, special: Shape) -> bool:
    """Whether every tensor of one shape is of the other, more general one."""
    if general is None or special is None:
        return general is None
    return len(general) == len(special) and all(g is None or g == s for g, s in zip(general, special, strict=True))


def relaxed(one: Shape, other: Shape) -> Shape:
    """Return the shape of which tensors of both shapes are.

    >>> relaxed((2, 3), (2, 4)), relaxed((2,), (2, 4))
    ((2, None), None)
    """
    if one is None or other is None or len(one) != len(other):
        return None
    return tuple([a if a == b else None for a, b in zip(one, other, strict=True)])


class Traces(dict[Key, "ConcreteFunction"]):
    """The traces of one function, by what a call finds them by."""

    def __init__(self, name: str) -> None:
        """Take the function's name."""
        super().__init__()
        self.name = name
        self.turn = Turn()
        self.calls = 0
        """How many calls found their trace, or made it, as far as threads do not count at once."""
        self._latest: deque[int] = deque(maxlen=OFTEN)
        """The calls that made the latest traces."""
        self._told = self._dropped = False
        self._runs: dict[Key, list[Any]] = {}
        """How often the random operations of traces that were dropped had run."""

    def keep(self, key: Key, trace: ConcreteFunction, leaves: Sequence[Any]) -> None:
        """Keep a trace as long as the objects are there that it goes by, and drop those that were not used for longest."""
        gone = partial(_forget, weakref.ref(self), key)
        held = [weak(leaf) for leaf in leaves if not hasattr(leaf, "sizes")]
        trace.goes_by = [weakref.ref(h(), gone) if h.__class__ is Held else h for h in held]
        trace.used = self.calls
        runs = self._runs.pop(key, None)
        if runs is not None:
            trace.resume(runs)
        self[key] = trace
        most = options.traces
        while most is not None and len(self) > most:
            self._drop(min(self.copy().items(), key=lambda pair: pair[1].used)[0], most)

    def _drop(self, key: Key, most: int) -> None:
        trace = self.pop(key, None)
        runs = [] if trace is None else trace.runs()
        if any(runs):
            self._runs[key] = runs
        if not self._dropped:
            self._dropped = True
            log.warning(
                "%s has more than %d traces; from now on those that were not used for longest are dropped, and traced again "
                "when they are needed. wengert.config.set_trace_limit sets another limit.",
                self.name, most,
            )  # fmt: skip

    def traced(self) -> None:
        """Take note that this call made a trace, and say so where nearly each call does."""
        latest = self._latest
        latest.append(self.calls)
        if self._told or len(latest) < OFTEN or latest[-1] - latest[0] >= CALLS:
            return
        self._told = True
        log.warning(
            "%s was traced anew in %d of its last %d calls, which takes longer than to run it. A trace is made for each "
            "shape and dtype of tensors, and for each value of anything else: give numbers that change as tensors, objects "
            "that are the same ones each time, and for shapes that change reduce_retracing=True or an input_signature.",
            self.name, OFTEN, latest[-1] - latest[0] + 1,
        )  # fmt: skip


def _forget(traces: weakref.ref[Traces], key: Key, _gone: weakref.ref[Any]) -> None:
    """Drop a trace, since an object is gone that it goes by."""
    found = traces()
    if found is not None:
        found.pop(key, None)
