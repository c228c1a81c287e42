"""Values of a checkpoint on their way to variables, some of which are still to be made.

What an object does not hold yet, it may hold later: a layer makes its weights in its first call, an optimizer its slots in its
first step, a program appends to a list. Such values wait, by the object and the name that they will be found under. Before any
variable is read or assigned to, those that wait look whether what they wait for is there: so a variable has its saved value
from the moment that it is reached from the restored object on, in eager code, functions and sessions alike, and wherever the
objects that lead to it are lists, dictionaries or modules.

What nothing has taken in the end is said: when neither the status nor any object that could still take a value is left.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.ground import shapes
from wengert.ground.context import state as now
from wengert.ground.errors import DTypeError, ShapeError
from wengert.ground.interrupt import undivided
from wengert.ground.locks import lock
from wengert.ground.types import Array
from wengert.modes import variable as state
from wengert.modes.session import get_default_session
from wengert.modes.storage import Storage
from wengert.modes.variable import Variable
from wengert.train.objects import VALUE, child, children, named, slots, trackable, walk
from wengert.train.placing import Placement, place, ready

__all__ = ["ByNames", "Restoration", "fitting", "memory_of"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")


def memory_of(variable: Variable, session: Any = None) -> Storage | None:
    """Return where a variable's value is: with it, or for one of a graph, in a session; None where there is no session."""
    if variable._graph is None:
        return variable._storage
    for one in (now.session, session, get_default_session()):
        if one is not None and one.graph is variable._graph:
            return one.storage_of(variable)  # type: ignore[no-any-return]
    return None


def fitting(source: str, name: str, value: Array, variable: Variable, end: str = "Nothing has been restored.") -> Any:
    """Return a value if it fits a variable; ``end``: what an error says last.

    Raises:
        ShapeError: if it has another shape.
        DTypeError: if it has another dtype.
    """
    if not shapes.fits(variable.sizes, value.shape):
        raise ShapeError(
            f"{source} holds {name} with shape {shapes.text(value.shape)}, and the variable '{variable.name}' has shape "
            f"{shapes.text(variable.sizes)}. {end}"
        )
    if value.dtype != variable.nptype:
        raise DTypeError(
            f"{source} holds {name} as {value.dtype}, and the variable '{variable.name}' is of dtype {variable.dtype.name}. {end}"
        )
    return value


class _Left:
    """The values that no variable has taken yet, by their keys; and whether anybody is to be told of them."""

    def __init__(self, source: str, values: Mapping[str, Any]) -> None:
        self.source, self.values, self.silent = source, dict(values), False

    def tell(self) -> None:
        if self.values and not self.silent:
            shown = sorted(key.removesuffix(VALUE) for key in self.values)
            more = f" and {len(shown) - 10} more" if len(shown) > 10 else ""
            log.warning(
                "%s holds values that were not restored, as no variable under these names was made: %s%s. "
                "If that is meant, call expect_partial() on what restore() returns.",
                self.source, ", ".join(shown[:10]), more,
            )  # fmt: skip


def _at(owner: Any, path: Sequence[str]) -> Any:
    """Return what names lead to from an object, None if nothing."""
    for name in path:
        owner = child(owner, name)
        if owner is None:
            return None
    return owner


class _Waiting:
    """What an object does not hold yet: nodes by the names that lead to them, and an optimizer's slots."""

    def __init__(self, owner: weakref.ref[Any]) -> None:
        self.owner = owner
        self.names: dict[tuple[str, ...], int] = {}
        self.slots: list[tuple[int, str, int]] = []
        self.places: dict[int, int] = {}
        """The nodes of an optimizer's variables by their places, from a file that has no more than these."""
        self.sizes: dict[int, Any] = {}
        """The shapes of the values at all of these places."""
        self.trained: dict[int, int] = {}
        """The nodes of the variables that an optimizer was built with, by their places."""
        self.seen: tuple[int, int] = (-1, -1)

    def anything(self) -> bool:
        """Whether something is waited for."""
        return bool(self.names or self.slots or self.places or self.trained)

    def built(self) -> bool:
        """Whether an optimizer has been built with as many variables as the file's was: before, places tell nothing."""
        return bool(self.trained) and len(getattr(self.owner(), "_trainable", ())) == len(self.trained)


class _Awaiting:
    """What both kinds of restoration have: values left, and a look at the program before variables are read."""

    def __init__(self, source: str, values: Mapping[str, Any], session: Any, along: Sequence[Placement] = ()) -> None:
        self.source, self.session, self._along = source, session, along
        self.left = _Left(source, values)
        self.taken: dict[int, weakref.ref[Variable]] = {}
        """The variables that have got a value, by identity."""
        self.postponed: list[tuple[str, weakref.ref[Variable]]] = []
        self._end: tuple[str, ...] = ()
        """What an error says last, once the program has gone on."""
        self._lock = lock()
        self._looking: Callable[[], object] = lambda: None
        """What a look that is under way holds: it goes with it, wherever Ctrl-C ends it."""

    def _begun(self) -> None:
        """Tell in the end what was left over: not where an error or Ctrl-C has told already that nothing came of it."""
        if self.left.values:
            weakref.finalize(self, self.left.tell)

    def took(self, variable: Variable) -> bool:
        """Whether a variable has got a value."""
        found = self.taken.get(id(variable))
        return found is not None and found() is variable

    def _give(self, found: Sequence[tuple[str, Variable]]) -> None:
        """Set variables to the values of these keys: at first all of them or, if one does not fit, none; later those that fit.

        Raises:
            ShapeError, DTypeError: for a value that does not fit. It is given up.
        """
        wrong: ValueError | None = None
        fits = []
        for key, v in found:
            if key in self.left.values:
                try:
                    fits.append((key, fitting(self.source, key, self.left.values[key], v, *self._end), v))
                except ValueError as error:
                    wrong = wrong or error
                    self.left.values.pop(key)
        if wrong is not None and not self._end:
            raise wrong
        placements, taken, given = list(self._along), dict(self.taken), set()
        for key, value, v in fits:
            memory = memory_of(v, self.session)
            if memory is None:
                self.postponed.append((key, weakref.ref(v)))
                continue
            placements.append(ready(memory, value))
            taken[id(v)] = weakref.ref(v)
            given.add(key)
        left = {key: value for key, value in self.left.values.items() if key not in given}

        def done() -> None:
            self.left.values, self.taken, self._along = left, taken, ()

        if placements:
            place(placements, done)
        if wrong is not None:
            raise wrong

    def in_session(self, session: Any) -> None:
        """Set the variables of a graph whose values have waited for a session."""
        self.session = session
        waiting, self.postponed = self.postponed, []
        self._give([(key, v) for key, ref in waiting if (v := ref()) is not None])

    def look(self) -> None:
        """Give those values whose variables have come to be there."""
        with self._lock:
            if self._looking() is not None:
                return
            mark: set[None] = set()
            try:
                self._looking = weakref.ref(mark)
                self._look()
            finally:
                del mark
                self._listen()

    def _look(self) -> None:
        """Give what has come, whole: Ctrl-C leaves nothing found that is not given."""
        if self._comes():
            undivided(self._take)

    def _take(self) -> None:
        self._give(self._find())

    def _comes(self) -> bool:
        """Whether there may be something to find."""
        raise NotImplementedError

    def _find(self) -> list[tuple[str, Variable]]:
        """Return the variables that have come to be there, by their keys, and wait for them no longer."""
        raise NotImplementedError

    def _waits(self) -> bool:
        raise NotImplementedError

    def _listen(self) -> None:
        """Be asked before variables are read, as long as anything waits."""
        if self._waits() and self.left.values:
            if self not in state.awaited:
                state.awaited.append(self)
        elif self in state.awaited:
            state.awaited.remove(self)


class Restoration(_Awaiting):
    """The values of a file with a picture of objects, given to the objects that a program has."""

    def __init__(
        self, source: str, values: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], root: Any, session: Any,
        along: Sequence[Placement] = (),
    ) -> None:  # fmt: skip
        """Give an object, and what it holds, the values, and ``along`` with them others; what it does not hold yet waits.

        Raises:
            ShapeError, DTypeError: for a value that does not fit its variable. Nothing has been set then.
        """
        super().__init__(source, values, session, along)
        self.nodes = nodes
        self._objects: dict[tuple[int, int], weakref.ref[Any]] = {}
        """What objects were taken for which nodes: by node and identity."""
        self._variables: dict[int, weakref.ref[Variable]] = {}
        self._numbers: dict[int, int] = {}
        """The nodes of variables, by identity."""
        self._waiting: dict[int, _Waiting] = {}
        for other in [one for one in state.awaited if isinstance(one, Restoration)]:
            other.look()
        undivided(self._begin, root)
        self._begun()

    def _begin(self, root: Any) -> None:
        self._give([*self._bind([(0, root, root, ())]), *self._find()])
        self._end = ("It keeps the value that it was made with.",)
        self._supersede()
        self._listen()

    def _bind(self, found: list[tuple[int, Any, Any, tuple[str, ...]]]) -> list[tuple[str, Variable]]:
        """Take objects for nodes, and what they hold; return the variables among them by their keys.

        found: (node, object, the nearest object around it that may wait, the names that lead from there to it).
        """
        variables: list[tuple[str, Variable]] = []
        seen: set[tuple[int, int]] = set()
        for at, item, owner, path in found:  # grows meanwhile
            if (at, id(item)) in seen:
                continue
            seen.add((at, id(item)))
            node = self.nodes[at]
            if isinstance(item, Variable):
                before = self._variables.setdefault(at, weakref.ref(item))()
                if before is item:
                    self._numbers[id(item)] = at
                    if "value" in node:
                        variables.append((node["value"], item))
                elif before is not None and "value" in node:
                    log.warning(
                        "%s has one variable for %s, where the program has two, '%s' and '%s': the first is restored.",
                        self.source, node["value"].removesuffix(VALUE), before.name, item.name,
                    )  # fmt: skip
                continue
            try:
                own = weakref.ref(item)
            except TypeError:  # a plain list or dictionary, which is known by what holds it
                pass
            else:
                there = self._objects.get((at, id(item)))
                if there is not None and there() is item:
                    continue
                owner, path = item, ()
                self._objects[at, id(item)] = own
            inner = getattr(item, "_trackable_root", None)
            if inner is not None:  # it goes by the same name, and may outlive the checkpoint
                found.append((at, inner, owner, path))
            held = named(item)
            for name, to in node["children"].items():
                if trackable(held.get(name)):
                    found.append((to, held[name], owner, (*path, name)))
                else:
                    self._wait(owner).names[*path, name] = to
            if hasattr(item, "_by_place") and "_trainable_variables" in node["children"]:
                del self._wait(owner).names["_trainable_variables",]
                listed = self.nodes[node["children"]["_trainable_variables"]]["children"]
                self._wait(owner).trained = {int(name): to for name, to in listed.items() if name.isdecimal()}
            if node.get("slots"):
                self._wait(owner).slots += [(of, slot, to) for of, slot, to in node["slots"]]
            elif hasattr(item, "_by_place") and "variables" in node["children"]:
                self._wait(owner).names.pop(("variables",), None)
                places = self.nodes[node["children"]["variables"]]["children"]
                waiting = self._wait(owner)
                waiting.places = {int(name): to for name, to in places.items()}
                waiting.sizes = {i: self.left.values[self.nodes[to]["value"]].shape for i, to in waiting.places.items()}
        return variables

    def _wait(self, owner: Any) -> _Waiting:
        waiting = self._waiting.get(id(owner))
        if waiting is None:
            number, ours = id(owner), weakref.ref(self)

            def gone(_: Any) -> None:
                mine = ours()
                if mine is not None:
                    mine._waiting.pop(number, None)
                    mine._listen()

            waiting = self._waiting[number] = _Waiting(weakref.ref(owner, gone))
        return waiting

    def _waits(self) -> bool:
        return bool(self._waiting or self.postponed)

    def _supersede(self) -> None:
        """Let earlier restorations forget what waits here too."""
        for other in [one for one in state.awaited if isinstance(one, Restoration)]:
            for number, waiting in self._waiting.items():
                theirs = other._waiting.get(number)
                if theirs is not None and theirs.owner() is waiting.owner():
                    theirs.names = {p: at for p, at in theirs.names.items() if p not in waiting.names}
                    theirs.slots = [] if waiting.slots else theirs.slots
                    theirs.places = {} if waiting.places else theirs.places
                    theirs.trained = {} if waiting.trained else theirs.trained
                    if not theirs.anything():
                        del other._waiting[number]
            if not other._waits():
                other.left.silent = True
            other._listen()

    def _comes(self) -> bool:
        for waiting in list(self._waiting.values()):
            owner = waiting.owner()
            if owner is not None and (
                any(trackable(_at(owner, path)) for path in waiting.names)
                or (waiting.slots and waiting.seen != (len(slots(owner)), len(self._numbers)))
                or (waiting.places and owner._by_place(waiting.sizes))
                or waiting.built()
            ):
                return True
        return False

    def _find(self) -> list[tuple[str, Variable]]:
        variables: list[tuple[str, Variable]] = []
        new = True
        while new:
            new = False
            for number, waiting in list(self._waiting.items()):
                owner = waiting.owner()
                found = [] if owner is None else self._found(owner, waiting)
                if found:
                    new = True
                    variables += self._bind(found)
                if owner is not None:
                    variables += self._placed(owner, waiting)
                if not waiting.anything():
                    self._waiting.pop(number, None)
        return variables

    def _found(self, owner: Any, waiting: _Waiting) -> list[tuple[int, Any, Any, tuple[str, ...]]]:
        """Return what an object has come to hold, and forget that it was waited for."""
        found = []
        for path in list(waiting.names):
            item = _at(owner, path)
            if trackable(item):
                found.append((waiting.names.pop(path), item, owner, path))
        if waiting.built():
            found += self._listed(waiting)
        if waiting.slots:
            made = slots(owner)
            if (len(made), len(self._numbers)) != waiting.seen:
                waiting.seen = (len(made), len(self._numbers))
                there = {(self._numbers.get(id(variable)), slot): kept for variable, slot, kept in made}
                for one in list(waiting.slots):
                    kept = there.get((one[0], one[1]))
                    if kept is not None:
                        waiting.slots.remove(one)
                        found.append((one[2], kept, owner, ()))
        return found

    def _listed(self, waiting: _Waiting) -> list[tuple[int, Any, Any, tuple[str, ...]]]:
        """Return the variables that only an optimizer leads to, by their places: those that names lead to keep their nodes.

        One whose names tell of another place shows that the file's optimizer was built in another order: then no place counts.
        """
        owner: Any = waiting.owner()
        pairs = [(to, owner._trainable[place]) for place, to in waiting.trained.items()]
        waiting.trained = {}
        new: list[tuple[int, Any, Any, tuple[str, ...]]] = []
        for at, variable in pairs:
            there = self._variables.get(at, lambda: None)()
            number = self._numbers.get(id(variable))
            if there is None and (number is None or self._variables[number]() is not variable):
                new.append((at, variable, owner, ()))
            elif there is not variable:
                return []
        return new

    def _placed(self, owner: Any, waiting: _Waiting) -> list[tuple[str, Variable]]:
        """Return an optimizer's variables by keys that tell no more than their places, where there is no doubt."""
        if not waiting.places:
            return []
        found = owner._by_place(waiting.sizes)
        return [(self.nodes[waiting.places.pop(at)]["value"], v) for at, v in found.items() if at in waiting.places]


class ByNames(_Awaiting):
    """The values of a file by the names of variables (a Saver's), given to those that some objects lead to, now or later."""

    def __init__(self, source: str, values: Mapping[str, Any], root: Any, session: Any) -> None:
        """Give the variables that an object leads to the values of their names.

        Raises:
            ShapeError, DTypeError: for a value that does not fit its variable. Nothing has been set then.
        """
        super().__init__(source, values, session)
        ours = weakref.ref(self)

        def gone(_: Any) -> None:
            mine = ours()
            if mine is not None:
                mine._listen()

        self._roots: list[weakref.ref[Any]] = []
        for item in (root, *children(root).values()):
            # Lists and dictionaries are known by what holds them, and a variable leads to no other.
            if type(item) not in (list, dict, tuple) and not isinstance(item, Variable):
                self._roots.append(weakref.ref(item, gone))
        self._made = True

        def note(_: Variable) -> None:
            mine = ours()
            if mine is not None:
                mine._made = True

        state.made.append(note)
        weakref.finalize(self, state.made.remove, note)
        self._look()
        self._end = ("It keeps the value that it was made with.",)
        self._listen()
        self._begun()

    def _waits(self) -> bool:
        self._roots = [one for one in self._roots if one() is not None]
        return bool(self._roots or self.postponed)

    def _comes(self) -> bool:
        return self._made

    def _find(self) -> list[tuple[str, Variable]]:
        found: dict[str, Variable] = {}
        for one in self._roots:
            root = one()
            for _, item in () if root is None else walk(root):
                if isinstance(item, Variable) and item._name in self.left.values and not self.took(item):
                    found.setdefault(item._name, item)
        self._made = False
        return list(found.items())
