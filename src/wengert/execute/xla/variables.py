"""Variables under XLA: their values stay on the device from run to run, and what a run assigns to is given away to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.execute.xla.arrays import XlaArrays
from wengert.execute.xla.executable import Executable
from wengert.execute.xla.forked import dispatch
from wengert.execute.xla.values import Key
from wengert.ground.context import state
from wengert.ground.errors import ResourceExhaustedError
from wengert.ground.types import Array

__all__ = ["Variables"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Variables:
    """The variables of a program, and their values as XLA has them."""

    def __init__(self, xp: XlaArrays, variables: Sequence[Any], assigned: int) -> None:
        """Take the variables, first those that the program may assign to, and how many these are."""
        self.xp, self.all, self.assigned = xp, variables, assigned
        self.forms = [None if v.sizes is None or None in v.sizes else tuple(v.sizes) for v in variables]
        """The shapes of those that have one alone."""
        self.rigid = None not in self.forms
        self.kept: tuple[Any, Any] = (None, None)
        """A session, and the memory of the variables in it."""
        self.seen: dict[int, Any] = {}
        """The arrays of variables that are only read, as the latest run found them."""

    def storages(self) -> list[Any]:
        """Return the memory of the variables, which is another one in another session."""
        session, storages = self.kept
        if storages is None or session is not state.session:
            storages = [v.storage for v in self.all]
            self.kept = state.session, storages
        return storages  # type: ignore[no-any-return]

    def key(self, feeds: Sequence[Array], storages: Sequence[Any]) -> Key:
        """Return the `signature`; shapes that cannot change are not asked for."""
        forms = [
            None if s.device is None and s._array is None else s.held.shape if f is None else f
            for s, f in zip(storages, self.forms, strict=True)
        ]
        return tuple([a.shape for a in feeds]), tuple(forms)

    def run(self, entry: Executable, key: Key, feeds: Sequence[Array], storages: Sequence[Any]) -> Any:
        """Run with the variables' values and keep the new ones; None if the variables have changed their shapes."""
        assert entry.call is not None
        n = self.assigned
        changing = storages[:n]
        counters = None if state.counters is None or not entry.draws else dict(state.counters)
        with dispatch:
            for s in changing:
                s.lock.acquire()
            try:
                if not (self.rigid and None not in key[1]) and self.key(feeds, storages) != key:
                    return None
                with self.xp.wide():
                    axes = entry.places.variables
                    values = [self._on_device(s, axis) for s, axis in zip(changing, axes, strict=False)]
                    values += [self._at_hand(i, s, axis) for i, (s, axis) in enumerate(zip(storages[n:], axes[n:], strict=True))]
                    given = values
                    if entry.roomy:  # so much memory that it may not be there: the values stay until the new ones are
                        given = [None if v is None else self.xp.array(v) for v in values[:n]] + values[n:]
                    drawn = entry.drawn()
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

    def _on_device(self, storage: Any, axis: int | None) -> Any:
        """Return a variable's value where XLA has it, moving it there at the first time; its rows, if they are to be spread."""
        value = storage.device
        if value is None:
            with storage.lock:
                if storage.array is None:
                    return None
                value = storage.device = self.xp.put(storage.array, axis)
        elif self.xp.mesh is not None and value.sharding != self.xp.mesh.sharding(axis):  # another list has left it
            with storage.lock:
                value = storage.device = self.xp.mesh.put(value, axis)
        return value

    def _at_hand(self, i: int, storage: Any, axis: int | None) -> Any:
        """Return the value of a variable that is only read: from the second run on where XLA has it.

        What is written before each run anew, as by an optimizer outside of the graph, is passed as it is: moving it costs more.
        """
        if storage.device is not None:
            return self._on_device(storage, axis)
        array = storage.array
        if array is None:
            return None
        if self.seen.get(i) is array:
            return self._on_device(storage, axis)
        self.seen[i] = array
        return array


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
