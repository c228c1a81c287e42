"""`wengert run --checkpoint FILE`: a script's variables kept in a file, from which a later run of the script takes them.

Variables of a graph are known by their session's number and their name, those made eagerly by their number and name, numbers
in the order of making. What belongs to a session that this run has not come to is kept in the file as it is.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from typing import Any

from wengert.execute import processes
from wengert.ground import interrupt, searches
from wengert.ground.errors import NotFoundError, OpError
from wengert.ground.terminal import tell
from wengert.modes import session
from wengert.modes import variable as state
from wengert.run.debts import Debt
from wengert.run.notice import note
from wengert.train import files
from wengert.train.archive import NUMBERS
from wengert.train.checkpoint import restored

__all__ = ["Resumption"]


class Resumption(contextlib.AbstractContextManager["Resumption"]):
    """Restores variables from a file as they get their first values, and writes them to it: a context to run a script in.

    The file is written every so many seconds, when no step is half done, and in the end.
    """

    def __init__(self, file: str, every: float = 60.0) -> None:
        """Read the file, if it is there; ``every``: seconds.

        Raises:
            DataLossError: if it cannot be read.
            OSError: if it cannot be written.
            ValueError: if it has no name.
        """
        if not file:
            raise ValueError("the checkpoint has no name")
        self.path, self.every = files.path_of(file), every
        if processes.is_first():
            _try(self.path)
        self.file = os.path.abspath(file)
        """The script may go to another folder."""
        self._saved: dict[str, Any] = files.read(file) if files.checkpoint_exists(file) else {}
        self._left = dict(self._saved)
        """What no variable has taken yet."""
        self._sessions: dict[int, tuple[str, Any]] = {}
        """Sessions of which a variable has a value, by identity, with the beginning of their keys."""
        self._settled: set[int] = set()
        """Those that have all that there was for them."""
        self._variables: list[Any] = []
        """Those made eagerly. They are held: a function that trained may have returned by the time the file is written."""
        self._searches: list[searches.Search] = []
        """Those of SciPy's optimizers, in the order in which they began."""
        self.completed = False
        """Whether the script has come to its end: the next run begins its searches anew."""
        self._misfit = False
        self._next = time.monotonic() + every

    def __enter__(self) -> Resumption:
        """Watch variables, sessions and steps."""
        state.made.append(self._made)
        session.observers.append(self)
        interrupt.between.append(self._between)
        searches.keepers.append(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        """Watch no longer."""
        self.forsake()

    def forsake(self) -> None:
        """Watch no longer, and write nothing: in a child that was forked, too."""
        watching: list[tuple[list[Any], Any]] = [
            (state.made, self._made), (session.observers, self), (interrupt.between, self._between),
            (searches.keepers, self),
        ]  # fmt: skip
        for watchers, mine in watching:
            if mine in watchers:
                watchers.remove(mine)

    # --- restoring ----------------------------------------------------------------------------------------------------

    def _restore(self, wanted: list[tuple[str, Any]], owner: Any = None) -> None:
        try:
            restored(wanted, self._saved, self.path, owner)
        except OpError as error:
            raise self._misfitting(type(error), str(error)) from None
        for key, _ in wanted:
            del self._left[key]
        note("restored", f"variables start with their values of {self.path}")

    def _misfitting(self, kind: type[OpError], what: str) -> OpError:
        """Return the error of a file that is not this script's; from then on it is not written to."""
        self._misfit = True
        return kind(
            f"{what} The file is another script's, or the script has changed. Nothing is written to it; to start anew, remove "
            "it or name another file."
        )

    def _made(self, variable: Any) -> None:
        """Give a variable that was made eagerly its value, if there is one."""
        number = f"variable-{len(self._variables)}/"
        self._variables.append(variable)
        key = number + variable._name
        if key in self._saved:
            self._restore([(key, variable)])
            return
        other = next((k for k in self._saved if k.startswith(number)), None)
        if other is not None:
            what = f"{self.path} holds {other} where the script makes the variable '{variable.name}'."
            raise self._misfitting(NotFoundError, what)

    def before(self, owner: Any, training: Any) -> None:
        """Before a run: a step of training needs all the values that the session had."""
        head = self._head(owner)
        if head is None or id(owner) in self._settled:
            return
        left = [k for k in self._left if k.startswith(head)]
        if left and training():
            what = f"{self.path} holds {', '.join(sorted(left))}, which the script has not initialised before it trains."
            raise self._misfitting(NotFoundError, what)

    def after(self, owner: Any) -> None:
        """After a run: give the variables that it has initialised their values."""
        if id(owner) in self._settled:
            return
        known = self._head(owner)
        there = {name: v for name, v in owner.graph.variables.items() if _value(owner, v) is not None}
        if not there:
            return
        head = known or f"session-{len(self._sessions)}/"
        self._sessions[id(owner)] = head, owner
        any_left = any(k.startswith(head) for k in self._left)
        # At first all must be there; what is initialised later may be newer than the file.
        wanted = [(head + n, v) for n, v in there.items() if head + n in self._left or (known is None and any_left)]
        if wanted:
            self._restore(wanted, owner)
        if not any(k.startswith(head) for k in self._left):
            self._settled.add(id(owner))

    def _head(self, owner: Any) -> str | None:
        found = self._sessions.get(id(owner))
        return None if found is None else found[0]

    def search(self) -> searches.Search:
        """Return the search that begins now, with what the file has of it."""
        head = f"search-{len(self._searches)}/"
        kept = {key.removeprefix(head): self._left.pop(key) for key in list(self._left) if key.startswith(head)}
        self._searches.append(searches.Search(kept))
        return self._searches[-1]

    # --- writing ------------------------------------------------------------------------------------------------------

    def _values(self) -> dict[str, Any]:
        found = dict(self._left)
        for head, owner in self._sessions.values():
            for name, variable in owner.graph.variables.items():
                storage = _value(owner, variable)
                if storage is not None and storage.nptype.kind in NUMBERS:
                    found[head + name] = storage.read()
        for number, variable in enumerate(self._variables):
            storage = variable._storage
            if storage.held is not None and storage.nptype.kind in NUMBERS:
                found[f"variable-{number}/{variable._name}"] = storage.read()
        if self.completed:
            return {key: value for key, value in found.items() if not key.startswith("search-")}
        for number, search in enumerate(self._searches):
            found |= {f"search-{number}/{key}": value for key, value in search.arrays().items()}
        return found

    def _write(self) -> int:
        """Write the values, and return how many.

        Raises:
            OSError: if the file cannot be written.
        """
        if self._misfit or not processes.is_first():
            return 0
        values = self._values()
        if not values:
            return 0
        files.write(self.file, values)
        return sum(not key.startswith("search-") for key in values)

    def _between(self) -> None:
        if time.monotonic() >= self._next:
            try:
                self._write()
            except Exception as error:  # training goes on, and the next time there may be room
                tell(f"wengert run: {self.path} is not written: {error}")
            self._next = time.monotonic() + self.every

    def debts(self) -> list[Debt]:
        """Return what writes the file in the end, and says so."""
        return [(self.path, self._finish)]

    def _finish(self) -> None:
        count = self._write()
        if count:
            tell(f"wengert run: {self.path} holds {count} variables")


def _try(path: str) -> None:
    """See whether a file can be written, before there is something to lose."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a folder: name a file for the checkpoint")
    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from None


def _value(owner: Any, variable: Any) -> Any:
    """Return a session's memory of a variable if there is a value in it, or None; none is made."""
    storage = owner._storages.get(variable.n)
    return None if storage is None or storage.held is None else storage
