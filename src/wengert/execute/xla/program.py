"""Lists that are compiled by XLA, and run with the variables' values."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.execute.numpy import NumPyProgram
from wengert.execute.protocol import Request
from wengert.execute.resident import on_host
from wengert.execute.variables import variables_of
from wengert.execute.xla.arrays import Unsupported, arrays
from wengert.execute.xla.executable import Executable, compiled
from wengert.execute.xla.forked import is_lost, keep_readable, tell
from wengert.execute.xla.mesh import Placed
from wengert.execute.xla.rows import Rows
from wengert.execute.xla.sent import Sent
from wengert.execute.xla.values import Key, signature
from wengert.execute.xla.variables import Variables
from wengert.graph.node import Node
from wengert.ground.context import state
from wengert.ground.interrupt import undivided
from wengert.ground.locks import lock
from wengert.ground.options import options
from wengert.ground.types import Array, NumPyArray
from wengert.tensor.tensor import Graph

__all__ = ["XlaProgram"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


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
        self._rows = Rows([bool(t.sizes) and t.sizes[0] is None for t in feeds])
        """What of the feeds each process has rows of its own of, where processes feed their own: what has any number of them."""
        self._variables = Variables(self._xp, *variables_of(self.numpy.request))
        self._constants: dict[tuple[int, int | None], tuple[NumPyArray, Array]] = {}
        """The large constants, and where the device has them, by identity and axis of rows."""
        self._sent = Sent(self._xp)
        self._known: dict[Key, Executable | Unsupported] = {}
        self._lock = lock()

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.numpy.request

    @property
    def decision(self) -> str | None:
        """What is spread over devices, and what each of them does alike; None where there is one device."""
        if self._xp.mesh is None:
            return None
        latest = [e for e in self._known.values() if isinstance(e, Executable)][-1:]
        return f"xla on {self._xp.mesh.size} devices: {latest[0].places.told() if latest else 'nothing has run'}"

    @property
    def own_rows(self) -> bool:
        """Whether each of several processes feeds its own rows."""
        return options.local and (mesh := self._xp.mesh) is not None and mesh.wide

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run.

        Raises:
            Unsupported: if XLA cannot run this list for these shapes; nothing has run then.
            InvalidArgumentError: for a placeholder that is needed and not fed.
            FailedPreconditionError: for a variable that is not initialised.
        """
        return undivided(self.run, arrays)  # type: ignore[no-any-return]  # what JAX calls back would lose a signal

    def inside(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run within another run; what comes back may be shared."""
        return undivided(self.run, arrays, False)  # type: ignore[no-any-return]

    def resident(self, values: Sequence[Array]) -> list[Array]:
        """Run with tensors' values, here or where the device has them; what comes back may be there too."""
        if self.own_rows:  # what others have of the rows is not what a tensor's value says
            return self(*map(np.asarray, values))  # type: ignore[return-value]
        return undivided(self.run, values, True, True)  # type: ignore[no-any-return]

    @property
    def compile_seconds(self) -> float:
        """How long walking and compiling took, over all signatures."""
        return sum(e.seconds for e in self._known.values() if isinstance(e, Executable))

    def analysis(self, *feeds: Any) -> dict[str, float]:
        """Return what XLA says of the executable for feeds like these, compiling it if there is none.

        ``flops``, ``bytes`` (read and written), ``temp_bytes``, ``argument_bytes``, ``output_bytes``, where XLA tells
        them, ``compile_seconds``, and over several devices ``collectives`` and ``collective_bytes``; all for one of them.
        """
        ready = self._ready(feeds)
        entry = self.compile(signature(ready, [v.storage for v in self._variables.all]))
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
        if isinstance(entry.call, Placed):
            sent = entry.call.collectives()
            found |= {"collectives": float(len(sent)), "collective_bytes": float(sum(size for _, size in sent))}
        return found

    def run(self, arrays: Sequence[Any], copy: bool = True, there: bool = False) -> list[Any]:
        """Compile if need be, and run. ``there``: with tensors' values, and results stay where the device has them."""
        if state.numerics is not None or is_lost():  # each result is looked at, which an executable does not show
            if self.own_rows:
                raise Unsupported(None, None, "NumPy would run this list, and it has the rows of one process alone")
            if state.numerics is None:
                tell()
            return on_host(self.numpy, arrays, copy)
        feeds = self._ready(arrays)
        if self._variables.all:
            storages = self._variables.storages()
            while True:
                key = self._variables.key(feeds, storages)
                entry = self._entry(key)
                if entry.call is None:
                    return entry.fetched((), copy)
                found = self._variables.run(entry, key, self._sent(feeds, entry.places.feeds, there), storages)
                if found is not None:
                    return entry.fetched(found, copy, there)
        entry = self._entry(signature(feeds, ()))
        if entry.call is None:
            return entry.fetched((), copy)
        drawn = entry.drawn()
        with self._xp.wide():
            return entry.fetched(entry.call(*entry.constants, *drawn, *self._sent(feeds, entry.places.feeds, there)), copy, there)

    def _entry(self, key: Key) -> Executable:
        entry = self._known.get(key)
        return entry if isinstance(entry, Executable) else self.compile(key)

    def _ready(self, given: Sequence[Array]) -> list[Any]:
        feeds: list[Any] = []
        for a, dtype in zip(given, self._types, strict=True):
            ready = a.dtype == dtype if a.__class__ is np.ndarray or isinstance(a, self._xp.jax.Array) else False
            feeds.append(a if ready else np.asarray(a, dtype))
        return self._rows.own(feeds) if self.own_rows else feeds

    def _held(self, value: NumPyArray, axis: int | None) -> Array:
        """Return a large constant on the device, or its rows on all."""
        found = self._constants.get((id(value), axis))
        if found is None:
            with self._xp.wide():
                found = self._constants[id(value), axis] = (value, self._xp.put(value, axis))
        return found[1]

    # --- compiling ---------------------------------------------------------------------------------------------------

    def compile(self, key: Key) -> Executable:
        """Return the executable for a signature.

        Raises:
            Unsupported: if there can be none.
        """
        if is_lost():
            raise Unsupported(None, None, "XLA is not there in a process that was forked after it had started")
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
        if self._xp.distant:
            keep_readable(self._variables)
        every, assigned = self._variables.all, self._variables.assigned
        shapes, forms = key if every else (key, ())
        return compiled(self._xp, self.numpy, every, assigned, self._types, shapes, forms, self._held)


def _again(error: Unsupported) -> Unsupported:
    """Return a refusal without what it came from, which holds on to much."""
    return Unsupported(error.node_def, error.op, error.message)
