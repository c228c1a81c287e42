"""Lists that are compiled by XLA, and run with the variables' values."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.execute.numpy import NumPyProgram
from wengert.execute.protocol import Request
from wengert.execute.variables import variables_of
from wengert.execute.xla.arrays import Unsupported, arrays
from wengert.execute.xla.executable import Executable, compiled
from wengert.execute.xla.values import Key, signature
from wengert.graph.node import Node
from wengert.ground.context import quietly, state
from wengert.ground.errors import ResourceExhaustedError
from wengert.ground.interrupt import undivided
from wengert.ground.types import Array, NumPyArray
from wengert.tensor.tensor import Graph

__all__ = ["XlaProgram"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

_dispatch = threading.RLock()
"""Held while a program takes the variables' values and hands them to XLA, so that nobody gives them away meanwhile."""


class XlaProgram:
    """The part of a graph that some fetches and controls need, compiled by XLA for each signature that it is called with.

    Calling it with the feeds' arrays returns the fetches' arrays, which are the caller's.
    """

    def __init__(
        self, graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node] = (),
        numpy: NumPyProgram | None = None,
    ) -> None:  # fmt: skip
        """Lower and plan, or take a program that did.

        Raises:
            ImportError: if JAX is not installed.
        """
        self._xp = arrays()
        self.numpy = NumPyProgram(graph, fetches, feeds, controls) if numpy is None else numpy
        self._types = [t.nptype for t in feeds]
        self._variables, self._assigned = variables_of(self.numpy.request)
        self._constants: dict[int, tuple[NumPyArray, Array]] = {}
        """The large constants, and where the device has them, by identity."""
        self._known: dict[Key, Executable | Unsupported] = {}
        self._forms = [None if v.sizes is None or None in v.sizes else tuple(v.sizes) for v in self._variables]
        self._rigid = None not in self._forms
        self._kept: tuple[Any, Any] = (None, None)
        self._seen: dict[int, Any] = {}
        """The arrays of variables that are only read, as the latest run found them."""
        self._lock = threading.RLock()

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.numpy.request

    @property
    def decision(self) -> None:
        """Nothing was to be decided."""
        return None

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run.

        Raises:
            Unsupported: if XLA cannot run this list for these shapes; nothing has run then.
            InvalidArgumentError: for a placeholder that is needed and not fed.
            FailedPreconditionError: for a variable that is not initialised.
        """
        return self.run(arrays)

    def inside(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run within another run; what comes back may be shared."""
        return self.run(arrays, copy=False)

    @property
    def compile_seconds(self) -> float:
        """How long walking and compiling took, over all signatures."""
        return sum(e.seconds for e in self._known.values() if isinstance(e, Executable))

    def analysis(self, *feeds: Any) -> dict[str, float]:
        """Return what XLA says of the executable for feeds like these, compiling it if there is none.

        ``flops``, ``bytes`` (read and written), ``temp_bytes``, ``argument_bytes``, ``output_bytes``, where XLA tells
        them, and ``compile_seconds``.
        """
        ready = self._ready(feeds)
        entry = self.compile(signature(ready, [v.storage for v in self._variables]))
        found = {"compile_seconds": entry.seconds}
        if entry.call is None:
            return found
        cost: Any = entry.call.cost_analysis() or {}
        cost = cost[0] if isinstance(cost, list) else cost
        for name, key in (("flops", "flops"), ("bytes", "bytes accessed")):
            if key in cost:
                found[name] = float(cost[key])
        memory = entry.call.memory_analysis()
        for name in ("temp", "argument", "output"):
            size = getattr(memory, f"{name}_size_in_bytes", None)
            if size is not None:
                found[f"{name}_bytes"] = float(size)
        return found

    def run(self, arrays: Sequence[NumPyArray], copy: bool = True) -> list[NumPyArray]:
        """Compile if need be, and run."""
        if state.numerics is not None:  # each result is looked at, which an executable does not show
            return self.numpy(*arrays) if copy else self.numpy.inside(*arrays)
        feeds = self._ready(arrays)
        if self._variables:
            storages = self._storages()
            while True:
                key = self._key(feeds, storages)
                entry = self._entry(key)
                if entry.call is None:
                    return self._fetched(entry, (), copy)
                found = undivided(self._with_variables, entry, key, feeds, storages)  # XLA has given the old values up
                if found is not None:
                    return self._fetched(entry, found, copy)
        entry = self._entry(signature(feeds, ()))
        if entry.call is None:
            return self._fetched(entry, (), copy)
        drawn = self._draw(entry) if entry.draws else ()
        with self._xp.wide():
            return self._fetched(entry, entry.call(*entry.constants, *drawn, *feeds), copy)

    def _storages(self) -> list[Any]:
        """Return the memory of the variables, which is another one in another session."""
        session, storages = self._kept
        if storages is None or session is not state.session:
            storages = [v.storage for v in self._variables]
            self._kept = state.session, storages
        return storages  # type: ignore[no-any-return]

    def _key(self, feeds: Sequence[Array], storages: Sequence[Any]) -> Key:
        """Return the `signature`; shapes that cannot change are not asked for."""
        forms = [
            None if s.device is None and s._array is None else s.held.shape if f is None else f
            for s, f in zip(storages, self._forms, strict=True)
        ]
        return tuple([a.shape for a in feeds]), tuple(forms)

    def _entry(self, key: Key) -> Executable:
        entry = self._known.get(key)
        return entry if isinstance(entry, Executable) else self.compile(key)

    def _ready(self, given: Sequence[Array]) -> list[NumPyArray]:
        feeds = []
        for a, dtype in zip(given, self._types, strict=True):
            feeds.append(a if a.__class__ is np.ndarray and a.dtype == dtype else np.asarray(a, dtype))
        return feeds

    def _held(self, value: NumPyArray) -> Array:
        """Return a large constant on the device."""
        found = self._constants.get(id(value))
        if found is None:
            with self._xp.wide():
                found = self._constants[id(value)] = (value, self._xp.array(value))
        return found[1]

    def _draw(self, entry: Executable) -> list[NumPyArray]:
        return [np.asarray(quietly(partial(kernel, *values, **attrs))) for kernel, values, attrs in entry.draws]

    def _fetched(self, entry: Executable, found: Sequence[Any], copy: bool) -> list[NumPyArray]:
        results: list[NumPyArray] = []
        if entry.distant:
            for one in found:  # all set out before the first is waited for
                one.copy_to_host_async()
        for at, fixed in zip(entry.order, entry.fixed, strict=True):
            if at >= 0:
                results.append(np.array(found[at]) if copy else np.asarray(found[at]))
            else:
                results.append(np.array(fixed) if copy else np.asarray(fixed))
        return results

    def _with_variables(self, entry: Executable, key: Key, feeds: Sequence[Array], storages: Sequence[Any]) -> Any:
        """Run with the variables' values and keep the new ones; None if the variables have changed their shapes."""
        assert entry.call is not None
        n = self._assigned
        changing = storages[:n]
        counters = None if state.counters is None or not entry.draws else dict(state.counters)
        with _dispatch:
            for s in changing:
                s.lock.acquire()
            try:
                if not (self._rigid and None not in key[1]) and self._key(feeds, storages) != key:
                    return None
                with self._xp.wide():
                    values = [self._on_device(s) for s in changing] + [self._at_hand(i, s) for i, s in enumerate(storages[n:])]
                    given = values
                    if entry.roomy:  # so much memory that it may not be there: the values stay until the new ones are
                        given = [None if v is None else self._xp.array(v) for v in values[:n]] + values[n:]
                    drawn = self._draw(entry) if entry.draws else ()
                    try:
                        found = entry.call(*given, *entry.constants, *drawn, *feeds)
                        for one in found:
                            if one is not None:  # all come at once
                                one.block_until_ready()
                                break
                    except BaseException as error:
                        if counters is not None and state.counters is not None:
                            state.counters.clear()
                            state.counters.update(counters)
                        _saved(changing, values, error)
                        raise
                for s, value in zip(changing, found, strict=False):
                    if value is not None:
                        s.device, s._array = value, None  # its lock is held
            finally:
                for s in changing:
                    s.lock.release()
        return found[n:]

    def _on_device(self, storage: Any) -> Any:
        """Return a variable's value where XLA has it, moving it there at the first time."""
        value = storage.device
        if value is None:
            with storage.lock:
                if storage.array is None:
                    return None
                value = storage.device = self._xp.array(storage.array)
        return value

    def _at_hand(self, i: int, storage: Any) -> Any:
        """Return the value of a variable that is only read: from the second run on where XLA has it.

        What is written before each run anew, as by an optimizer outside of the graph, is passed as it is: moving it costs more.
        """
        if storage.device is not None:
            return storage.device
        array = storage.array
        if array is None:
            return None
        if self._seen.get(i) is array:
            return self._on_device(storage)
        self._seen[i] = array
        return array

    # --- compiling ---------------------------------------------------------------------------------------------------

    def compile(self, key: Key) -> Executable:
        """Return the executable for a signature.

        Raises:
            Unsupported: if there can be none.
        """
        with self._lock:
            entry = self._known.get(key)
            if entry is None:
                begin = time.perf_counter()
                try:
                    with self._xp.scope():
                        entry = self._made(key)
                except Unsupported as error:
                    entry = _again(error)
                else:
                    entry.seconds = time.perf_counter() - begin
                self._known[key] = entry
        if isinstance(entry, Unsupported):
            raise _again(entry)
        return entry

    def _made(self, key: Key) -> Executable:
        shapes, forms = key if self._variables else (key, ())
        return compiled(self._xp, self.numpy, self._variables, self._assigned, self._types, shapes, forms, self._held)


def _again(error: Unsupported) -> Unsupported:
    """Return a refusal without what it came from, which holds on to much."""
    return Unsupported(error.node_def, error.op, error.message)


def _saved(storages: Sequence[Any], values: Sequence[Any], error: BaseException) -> None:
    """See to it that each variable has a value after a run that failed.

    Raises:
        ResourceExhaustedError: where XLA has given a value up, and there is no copy of it.
    """
    lost = []
    for s, value in zip(storages, values, strict=False):
        if value is not None and value.is_deleted():
            if not s.restore():
                lost.append(s.name)
    if lost:
        raise ResourceExhaustedError(
            f"The run failed ({error}), and the values of {', '.join(lost)} went with it: initialise or restore them."
        ) from error
