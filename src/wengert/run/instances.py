"""What objects in a program lack here: attributes of those of which the text tells of what class of TensorFlow's they are.

That is told by calls of classes, by `self` in classes that the program derives, by the annotations of what gives them, and by
names and attributes to which nothing else is bound. A name that the program gives to anything, defines in a class or asks for is
not missed, and neither is one of an object that may have any.
"""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from wengert.run.scopes import Binding, Entered, Found, Imported, Own, Scope, Text
from wengert.run.served import NEAR, TOPS, walked

__all__ = ["Instances", "Lacking", "attributes"]

PLAIN = frozenset(["object", "ABC", "abc.ABC"])
"""Bases that have nothing of their own."""
ROUNDS = 5
"""How often what a name may be is looked for anew, where it is bound to what is made of itself."""


class Served(NamedTuple):
    """An object of a class of TensorFlow's, or of one derived from it."""

    full: str
    """What the program calls the class, or what gives the object."""
    cls: type


class Lacking(NamedTuple):
    """An attribute that an object does not have."""

    name: str
    what: str


Kinds = frozenset[Own | Served]
"""Of what classes something may be."""


@functools.cache
def attributes(cls: type) -> frozenset[str] | None:
    """Return the attributes that an object of a class has or may be given; None if they may be any."""
    found = set(dir(cls))
    for one in cls.__mro__:
        asked = "__getattr__" in vars(one) or isinstance(vars(one).get("__getattribute__"), types.FunctionType)
        if asked and "__class__" not in vars(one):  # what says that it is of another class has what that one has
            return None
        found.update(vars(one).get("__annotations__", {}))
        file = getattr(sys.modules.get(one.__module__), "__file__", None) or ""
        if not file.endswith(".py"):
            continue
        text = _text(file)
        if any(node.name == one.__name__ and id(node) in text.open for node in text.classes):
            return None
        found.update(text.stores)
    return frozenset(found)


class _Module(Text):
    """A module of Wengert's, or of Python's."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.tree = ast.parse(Path(file).read_bytes())
        self.read(self.tree, Scope())
        self.classes = [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]


_text = functools.cache(_Module)


def _derived(cls: type) -> Iterator[type]:
    """Iterate over a class and all that are derived from it."""
    yield cls
    below: list[type] = type.__subclasses__(cls)
    for one in below:
        yield from _derived(one)


class Instances:
    """What the objects in the parts of a program are, as far as the text tells."""

    def __init__(self, parts: Iterable[tuple[str, ast.AST]]) -> None:
        """Take the parts: the last name of each as a module, empty for those that share their names, and its tree."""
        self.text = Text()
        self.modules: dict[str, list[Scope]] = {"": [Scope()]}
        self._known: dict[tuple[Found | str, ...], Kinds | None] = {}
        self._assumed: dict[tuple[Found | str, ...], Kinds] = {}
        """What names may be, as far as is known, while all that is bound to them is looked at."""
        self._read: set[tuple[Found | str, ...]] = set()
        """Which of these have been read."""
        self._busy: set[int] = set()
        self._following: set[tuple[str, str]] = set()
        self._trees = list(parts)
        for name, tree in self._trees:
            known = self.modules.setdefault(name, [])
            if name or not known:
                known.append(Scope())
            self.text.read(tree, known[-1])
        self.told = self.text.named | self.text.stores.keys()

    def lacking(self, node: ast.Attribute) -> Lacking | None:
        """Return what an object lacks of which an attribute is read; None if it has it, or if that is not known."""
        scope = self.text.places.get(id(node))
        if scope is None or node.attr in self.told or self.text.opens_others:
            return None
        kinds = self.kinds(node.value, scope)
        said = [] if kinds is None else [(kind, self._attributes(kind)) for kind in kinds]
        if not said or any(known is None or node.attr in known for _, known in said):
            return None
        full = min(self._said(kind) for kind, _ in said)
        shown = ast.unparse(node) if len(ast.unparse(node)) <= 40 else f"(...).{node.attr}"
        public = sorted(n for _, known in said for n in known or () if not n.startswith("_"))
        near = difflib.get_close_matches(node.attr, public, n=1, cutoff=NEAR)
        who = full if isinstance(_object(full), type) else f"what {full} gives"
        what = f"{shown}: {who} has no {node.attr} in Wengert" + (f"; the nearest is {near[0]}." if near else ".")
        return Lacking(f"{full}.{node.attr}", what)

    # --- what an expression is -------------------------------------------------------------------------------------------

    def kinds(self, one: ast.expr, scope: Scope) -> Kinds | None:
        """Return the classes of which an expression's value may be; None if that is not known."""
        if isinstance(one, ast.Call):
            return self._called(one, scope)
        if isinstance(one, ast.IfExp):
            return _all([self.kinds(one.body, scope), self.kinds(one.orelse, scope)])
        if isinstance(one, ast.NamedExpr):
            return self.kinds(one.value, scope)
        if not isinstance(one, ast.Name | ast.Attribute):
            return None
        meant = self._meant(one, scope)
        if meant:
            return self._fixed(tuple(meant))
        if isinstance(one, ast.Attribute):
            held = self.kinds(one.value, scope)
            return _each(held, lambda kind: self._held(kind, one.attr))
        return None

    def _fixed(self, key: tuple[Found | str, ...]) -> Kinds | None:
        """Return what a name may be of all that it may be bound to, of which some may be made of the name itself."""
        if key in self._known:
            return self._known[key]
        if key in self._assumed:
            self._read.add(key)
            return self._assumed[key]
        before, self._read = self._read, set()
        found: Kinds | None = frozenset()
        for _ in range(ROUNDS):
            last = self._assumed[key] = found or frozenset()
            found = _all([None if isinstance(each, str) else self._bound(each) for each in key])
            if found is None or found == last or key not in self._read:
                break
        else:
            found = None
        del self._assumed[key]
        others = self._read - {key}
        if not others:
            self._known[key] = found
        self._read = before | others
        return found

    def _bound(self, found: Found) -> Kinds | None:
        match found.binding:
            case Own() as own:
                return frozenset([own])
            case Entered(context):
                entered = self.kinds(context, found.scope)
                return _each(entered, lambda kind: self._given(kind, "__enter__"))
            case ast.expr() as value:
                return self.kinds(value, found.scope)
        return None

    def _called(self, one: ast.Call, scope: Scope) -> Kinds | None:
        """Return of what class the value of a call may be."""
        function = one.func
        if isinstance(function, ast.Name) and function.id == "super":
            cls = next(scope.classes(), None)
            above = None if cls is None else self.text.within[id(cls)].above
            return None if cls is None or above is None else frozenset([Own(cls, above)])
        meant = self._meant(function, scope)
        if meant:
            return _all([self._result(each) for each in meant])
        if not isinstance(function, ast.Attribute):
            return None
        held = self.kinds(function.value, scope)
        return _each(held, lambda kind: self._given(kind, function.attr))

    def _result(self, meant: Found | str) -> Kinds | None:
        """Return of what class an object is that a function or a class gives."""
        if isinstance(meant, str):
            found = _object(meant)
            return frozenset([Served(meant, found)]) if isinstance(found, type) else _annotated(meant, found)
        binding, scope = meant.binding, meant.scope
        if isinstance(binding, ast.ClassDef):
            return None if binding.decorator_list else frozenset([Own(binding, scope)])
        if isinstance(binding, ast.FunctionDef):
            return self._returned(binding)
        if isinstance(binding, ast.Name | ast.Attribute):
            others = self._meant(binding, scope)
            return _all([self._result(each) for each in others]) if others else None
        return None

    def _returned(self, function: ast.FunctionDef) -> Kinds | None:
        """Return of what class an object is that a function of the program's returns."""
        own = list(_own(function))
        generator = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own)
        if function.decorator_list or generator or id(function) in self._busy:
            return None
        self._busy.add(id(function))
        values = [node.value for node in own if isinstance(node, ast.Return)]
        scope = self.text.within[id(function)]
        found = _all([None if value is None else self.kinds(value, scope) for value in values])
        self._busy.discard(id(function))
        return found

    # --- what an object has ----------------------------------------------------------------------------------------------

    def _held(self, kind: Own | Served, name: str) -> Kinds | None:
        """Return of what class an object's attribute is: one that the class states, or that is given to it in one place."""
        if isinstance(kind, Served):
            return self._given(kind, name)
        known = self._attributes(kind)
        if known is None or name in known or name in self.text.named or self.text.opens_others:
            return None
        return _all([self._bound(found) for found in self.text.stores.get(name, ())])

    def _given(self, kind: Own | Served, name: str) -> Kinds | None:
        """Return of what class an object is that a method of an object gives, or one of its properties."""
        if isinstance(kind, Own):
            bases = None if name in self.told else self._bases(kind)
            return _each(bases, lambda base: self._given(base, name))
        found = inspect.getattr_static(kind.cls, name, None)
        if isinstance(found, property):
            found = found.fget
        if isinstance(found, staticmethod | classmethod):
            found = found.__func__
        return _annotated(f"{kind.full}.{name}", found, kind)

    def _attributes(self, kind: Own | Served) -> frozenset[str] | None:
        """Return what an object has, or may have; None if it may have anything."""
        if isinstance(kind, Served):
            return _joined(attributes(cls) for cls in _derived(kind.cls))
        if id(kind.cls) in self.text.open or not {"__getattr__", "__getattribute__"}.isdisjoint(
            self.text.within[id(kind.cls)].bound
        ):
            return None
        bases = self._bases(kind)
        if bases is None:
            return None
        return _joined(attributes(one.cls) if isinstance(one, Served) else self._attributes(one) for one in bases)

    def _bases(self, kind: Own) -> Kinds | None:
        """Return the classes from which a class is derived; None if one is not known, or none is TensorFlow's."""
        cls = kind.cls
        if id(cls) in self._busy or any(self._served(one, kind.scope) is None for one in cls.decorator_list):
            return None
        if any(word.arg != "metaclass" or ast.unparse(word.value) not in ("ABCMeta", "abc.ABCMeta") for word in cls.keywords):
            return None
        self._busy.add(id(cls))
        found = [self._class(one, kind.scope) for one in cls.bases if ast.unparse(one) not in PLAIN]
        known = _all(found)
        if known is not None and not any(isinstance(one, Served) or self._bases(one) for one in known):
            known = None
        self._busy.discard(id(cls))
        return known

    def _class(self, one: ast.expr, scope: Scope) -> Kinds | None:
        """Return, as its objects, the classes that an expression may be."""
        found: list[Kinds | None] = []
        for meant in self._meant(one, scope) or ("",):
            if isinstance(meant, str):
                cls = _object(meant) if meant else None
                found.append(frozenset([Served(meant, cls)]) if isinstance(cls, type) else None)
            elif isinstance(meant.binding, ast.ClassDef):
                found.append(frozenset([Own(meant.binding, meant.scope)]))
            else:
                found.append(self._class(meant.binding, meant.scope) if isinstance(meant.binding, ast.expr) else None)
        return _all(found)

    def _said(self, kind: Own | Served) -> str:
        """Return what an object is called by the class of TensorFlow's that it is of."""
        return kind.full if isinstance(kind, Served) else min(self._said(base) for base in self._bases(kind) or ())

    # --- what a name means -----------------------------------------------------------------------------------------------

    def _served(self, one: ast.expr, scope: Scope) -> str | None:
        """Return the whole name of what is TensorFlow's, if an expression means nothing else; that of a decorator's call, too."""
        meant = self._meant(one.func if isinstance(one, ast.Call) else one, scope)
        return meant[0] if len(meant) == 1 and isinstance(meant[0], str) else None

    def _meant(self, one: ast.expr, scope: Scope) -> Sequence[Found | str]:
        """Return what a name, or one in a module, is bound to: bindings of the program's, or whole names of TensorFlow's."""
        if isinstance(one, ast.Attribute):
            found: list[Found | str] = []
            for each in self._meant(one.value, scope):
                if isinstance(each, str):
                    found.append(f"{each}.{one.attr}")
                elif isinstance(each.binding, Imported):
                    found += self._of_module(each.binding, one.attr)
                else:
                    return ()
            return found
        if not isinstance(one, ast.Name):
            return ()
        return self._followed(*scope.find(one.id, self.text.at.get(id(one), 0)), one.id)

    def _followed(self, home: Scope, bindings: Sequence[Found], name: str) -> Sequence[Found | str]:
        """Return what is bound to a name of a scope, where imports are followed to what they name."""
        if name not in home.bound:
            return [found for module in home.stars for found in self._of_module(Imported(module, ""), name)]
        found: list[Found | str] = []
        for each in bindings:
            binding: Binding = each.binding
            if isinstance(binding, Imported):
                top = binding.module.partition(".")[0]
                if top in TOPS:
                    found.append(".".join(filter(None, [binding.module, binding.name])))
                else:
                    found += (self._of_module(Imported(binding.module, ""), binding.name) if binding.name else ()) or [each]
            elif isinstance(binding, ast.Name | ast.Attribute) and (served := self._alias(binding, each.scope)):
                found.append(served)
            else:
                found.append(each)
        return list(dict.fromkeys(found))

    def _alias(self, one: ast.expr, scope: Scope) -> str | None:
        if id(one) in self._busy:
            return None
        self._busy.add(id(one))
        found = self._served(one, scope)
        self._busy.discard(id(one))
        return found

    def _of_module(self, module: Imported, name: str) -> Sequence[Found | str]:
        """Return what a module of the program's has under a name, if one alone is called so and nobody gives it another."""
        last = (module.name or module.module).rpartition(".")[2]
        scopes = self.modules.get(last, []) if last else []
        if len(scopes) != 1 or name in self.text.stores or (last, name) in self._following:
            return ()
        self._following.add((last, name))
        found = self._followed(scopes[0], scopes[0].bound.get(name, ()), name)
        self._following.discard((last, name))
        return found


def _all(found: Sequence[Kinds | None]) -> Kinds | None:
    """Return what may be one of several; None if one of them, or all, are not known."""
    return None if not found or None in found else frozenset().union(*[one for one in found if one is not None])


def _each(found: Kinds | None, what: Callable[[Own | Served], Kinds | None]) -> Kinds | None:
    """Return what may come of something; nothing where it is not known yet what that may be."""
    return None if found is None else frozenset() if not found else _all([what(one) for one in found])


def _joined(found: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    known: set[str] = set()
    for one in found:
        if one is None:
            return None
        known |= one
    return frozenset(known)


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Iterate over the nodes of a function but for those of functions and classes within."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))


@functools.cache
def _object(full: str) -> object:
    """Return what a whole name of TensorFlow's is; None if there is none."""
    found, here, why = walked(full)
    return None if why or here != full else found


def _annotated(full: str, function: object, owner: Served | None = None) -> Kinds | None:
    """Return of what class an object is that a function gives, by its annotation; None if that is not a class of Wengert's.

    ``owner``: the object whose method it is, where it is one.
    """
    function = function.__func__ if isinstance(function, types.MethodType) else function
    if not isinstance(function, types.FunctionType):
        return None
    try:
        said = typing.get_type_hints(function)
    except (NameError, TypeError):  # names that are there for static tools alone
        return None
    given = said.get("return")
    if isinstance(given, typing.TypeVar) and owner is not None:
        first = next(iter(inspect.signature(function).parameters), "")
        return frozenset([owner]) if said.get(first) is given else None
    if not isinstance(given, type) or given.__module__.partition(".")[0] != "wengert" or getattr(given, "_is_protocol", False):
        return None
    return frozenset([owner if owner is not None and given is owner.cls else Served(full, given)])
