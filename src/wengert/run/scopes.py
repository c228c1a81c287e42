"""What the text of a program binds, scope by scope: its names, the attributes that anything is given, and its classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Entered", "Found", "Imported", "Own", "Scope", "Text"]

NAMED = frozenset(["hasattr", "getattr", "setattr", "delattr", "__setattr__", "__delattr__"])
"""Functions that are told the name of an attribute."""
GIVEN = frozenset(["setattr", "__setattr__"])
COPIES = frozenset(["__setattr__", "__setstate__", "__getstate__", "__copy__", "__deepcopy__"])
"""Methods that pass on, or copy, what an object has been given elsewhere."""
STATIC = frozenset(["staticmethod", "classmethod", "__new__", "__init_subclass__", "__class_getitem__"])
"""Decorators and names of methods whose first argument is no object of the class."""


class Imported(NamedTuple):
    """A name that an import binds."""

    module: str
    name: str
    """What of the module; empty where it is the module itself."""


class Entered(NamedTuple):
    """What a `with` binds: what the context gives when it is entered."""

    context: ast.expr


class Own(NamedTuple):
    """An object of a class of the program's."""

    cls: ast.ClassDef
    scope: Scope
    """Where the class stands."""


Binding = ast.expr | ast.ClassDef | ast.FunctionDef | Imported | Entered | Own | None
"""What a name is bound to; None where the text does not tell."""


class Found(NamedTuple):
    """A binding, and the scope in which its text is to be read."""

    binding: Binding
    scope: Scope
    at: int = 0
    """In which statement of the name's own scope, counted from 1, it is bound; 0: before them, or at any time."""
    sure: bool = False
    """Whether that statement does nothing else, so that what was bound before is forgotten."""


SIMPLE = ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Delete
"""Statements that bind names whatever comes."""


class Scope:
    """The names of a module, a class, a function, a lambda or a comprehension."""

    def __init__(self, above: Scope | None = None, node: ast.AST | None = None) -> None:
        """Take the scope in which it lies, and what has it."""
        self.above, self.node = above, node
        self.bound: dict[str, list[Found]] = {}
        self.stars: list[str] = []
        """The modules of which it has all names."""
        self.elsewhere: dict[str, Scope] = {}
        """What is said to be global or nonlocal."""
        self.at = 0
        """How many of its statements have been read."""
        self.sure = False
        """Whether the last of them binds names whatever comes."""

    @property
    def top(self) -> Scope:
        """The module's."""
        return self if self.above is None else self.above.top

    def bind(self, name: str, binding: Binding, text: Scope | None = None) -> None:
        """Enter a name, and the scope in which what is bound to it is read."""
        home = self.elsewhere.get(name, self)
        found = Found(binding, text or self, self.at, self.sure) if home is self else Found(binding, text or self)
        home.bound.setdefault(name, []).append(found)

    def find(self, name: str, at: int = 0) -> tuple[Scope, Sequence[Found]]:
        """Return where a name is bound that is read here, in a statement if it is known, and all that it may be bound to.

        Nothing if no scope has it.
        """
        scope: Scope | None = self.elsewhere.get(name, self)
        while scope is not None:
            if name in scope.bound and (scope is self or not isinstance(scope.node, ast.ClassDef)):
                return scope, scope._until(name, at) if scope is self and at else scope.bound[name]
            scope = scope.above
        return self.top, ()

    def _until(self, name: str, at: int) -> Sequence[Found]:
        """Return what a name may be bound to in a statement: what is bound in it, and before as far as it is not forgotten."""
        found: list[Found] = []
        for one in self.bound[name]:
            if one.at == 0 or one.at < at:
                found = [each for each in found if each.at == 0] if one.sure else found
            if one.at < at or (one.at == at and not one.sure):
                found.append(one)
        return found

    def classes(self) -> Iterator[ast.ClassDef]:
        """Iterate over the classes in which it lies, from within."""
        scope: Scope | None = self
        while scope is not None:
            if isinstance(scope.node, ast.ClassDef):
                yield scope.node
            scope = scope.above


class Text:
    """What parts of a program say; each part goes on in a scope that it is given."""

    def __init__(self) -> None:
        """Have read nothing."""
        self.places: dict[int, Scope] = {}
        """By the identity of an attribute's node: the scope in which it stands."""
        self.at: dict[int, int] = {}
        """By the identity of a name's node: in which statement of its scope it is read."""
        self.within: dict[int, Scope] = {}
        """By the identity of a class's or a function's node: its own scope."""
        self.stores: dict[str, list[Found]] = {}
        """By the name of an attribute: what anything is given under it."""
        self.named: set[str] = set()
        """Names of attributes that a class of the program's defines, or that a function is told."""
        self.open: set[int] = set()
        """The identities of the classes whose methods give their object attributes under names that are computed."""
        self.opens_others = False
        """Whether any other object may be given some."""

    def read(self, tree: ast.AST, scope: Scope) -> None:
        """Read a part. Nodes are told from each other by their identity: whoever has it read keeps the tree."""
        _Walk(self, scope).visit(tree)


class _Walk(ast.NodeVisitor):
    """Reads one part."""

    def __init__(self, text: Text, scope: Scope) -> None:
        self.text, self.scope = text, scope

    def _statements(self, body: Sequence[ast.AST]) -> None:
        """Visit the statements of the scope itself."""
        for node in body:
            self.scope.at += 1
            self.scope.sure = isinstance(node, SIMPLE)
            self.visit(node)
        self.scope.sure = False

    def visit_Module(self, node: ast.Module) -> None:
        self._statements(node.body)

    def _inside(self, scope: Scope, *parts: Sequence[ast.AST]) -> None:
        before, self.scope = self.scope, scope
        for part in parts:
            for node in part:
                self.visit(node)
        self.scope = before

    # --- what binds ------------------------------------------------------------------------------------------------------

    def _bind(self, target: ast.expr, value: Binding) -> None:
        if isinstance(target, ast.Name):
            self.scope.bind(target.id, value)
        elif isinstance(target, ast.Attribute):
            self.text.places[id(target)] = self.scope
            self.text.stores.setdefault(target.attr, []).append(Found(value, self.scope))
            self.visit(target.value)
        elif isinstance(target, ast.Tuple | ast.List):
            values: Sequence[ast.expr | None] = [None] * len(target.elts)
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                starred = any(isinstance(one, ast.Starred) for one in [*value.elts, *target.elts])
                values = values if starred else value.elts
            for one, part in zip(target.elts, values, strict=True):
                self._bind(one, part)
        else:
            self.visit(target)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._dictionary(node.value)  # under another name
        for target in node.targets:
            self._bind(target, node.value)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._bind(node.target, node.value)
            self.visit(node.value)
        elif isinstance(node.target, ast.Attribute):
            self._bind(node.target, None)
        elif isinstance(self.scope.node, ast.ClassDef):
            self.text.named.add(getattr(node.target, "id", ""))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        scope = self.scope
        while isinstance(scope.node, ast.comprehension) and scope.above is not None:
            scope = scope.above
        sure, scope.sure = scope.sure, False
        scope.bind(node.target.id, node.value, self.scope)
        scope.sure = sure
        self.visit(node.value)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, Entered(item.context_expr))
        self._inside(self.scope, node.body)

    def visit_Name(self, node: ast.Name) -> None:
        self.text.at[id(node)] = self.scope.at
        if not isinstance(node.ctx, ast.Load):  # of a loop, a comprehension, `del`, `+=`
            self.scope.bind(node.id, None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.text.places[id(node)] = self.scope
        if not isinstance(node.ctx, ast.Load):
            self.text.stores.setdefault(node.attr, []).append(Found(None, self.scope))
        if node.attr == "__dict__" and not isinstance(node.ctx, ast.Load):
            self._computed(node.value)
        elif node.attr in ("update", "setdefault", "__setitem__"):
            self._dictionary(node.value)
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._dictionary(node.value)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self.scope.bind(alias.asname or top, Imported(alias.name if alias.asname else top, ""))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.scope.stars.append(module)
            else:
                self.scope.bind(alias.asname or alias.name, Imported(module, alias.name))

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.elsewhere.update(dict.fromkeys(node.names, self.scope.top))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            above = self.scope.above
            self.scope.elsewhere[name] = self.scope.top if above is None else above.find(name)[0]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.scope.bind(node.name, None)
        self.generic_visit(node)

    def _matched(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self.scope.bind(name, None)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = visit_MatchMapping = _matched

    # --- what has names of its own ---------------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scope.bind(node.name, node)
        scope = self.text.within[id(node)] = Scope(self.scope, node)
        self._inside(self.scope, node.decorator_list, node.bases, node.keywords)
        self._inside(scope, node.body)
        self.text.named |= scope.bound.keys()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scope.bind(node.name, node)
        self._function(node, node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.scope.bind(node.name, None)
        self._function(node, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, [node.body])

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, body: Sequence[ast.AST]) -> None:
        outer, scope, takes = self.scope, Scope(self.scope, node), node.args
        self.text.within[id(node)] = scope
        method = not isinstance(node, ast.Lambda) and isinstance(outer.node, ast.ClassDef)
        said = [] if isinstance(node, ast.Lambda) else [*node.decorator_list, *([node.returns] if node.returns else [])]
        static = {getattr(one, "id", "") for one in said} | {getattr(node, "name", "")}
        ordered = [*takes.posonlyargs, *takes.args]
        for number, one in enumerate([*ordered, *takes.kwonlyargs, *[a for a in (takes.vararg, takes.kwarg) if a]]):
            first = method and number == 0 and bool(ordered) and not static & STATIC
            own = Own(outer.node, outer.above or outer) if first and isinstance(outer.node, ast.ClassDef) else None
            scope.bind(one.arg, own)
        self._inside(outer, said, takes.defaults, [one for one in takes.kw_defaults if one])
        self.scope = scope
        self._statements(body)
        self.scope = outer

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._inside(Scope(self.scope, node.generators[0]), node.generators, results)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    # --- names of attributes that are told, or computed ------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> None:
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in NAMED:
            told = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            self.text.named.update(told)
            if called in GIVEN and not told:
                self._computed(node.args[0] if node.args else node)
        elif called == "update_wrapper" and node.args:
            self._computed(node.args[0])
        elif called in ("exec", "globals"):
            self.text.opens_others = True
        self.generic_visit(node)

    def _dictionary(self, one: ast.expr) -> None:
        """Take down that what is written to may be the dictionary of an object."""
        match one:
            case ast.Attribute(owner, "__dict__") | ast.Call(ast.Name("vars"), [owner]):
                self._computed(owner)

    def _computed(self, given: ast.AST) -> None:
        """Take down that an object is, or may be, given attributes of which the text does not tell the names."""
        scope: Scope | None = self.scope
        while scope is not None and not isinstance(scope.above and scope.above.node, ast.ClassDef):
            scope = scope.above
        if scope is None or scope.node is None:
            self.text.opens_others = True
            return
        if getattr(scope.node, "name", "") in COPIES:
            return
        found = self.scope.find(given.id)[1] if isinstance(given, ast.Name) else ()
        own = [one.binding for one in found]
        if len(own) == 1 and isinstance(own[0], Own):
            self.text.open.add(id(own[0].cls))
        elif isinstance(given, ast.Call) and getattr(given.func, "id", "") == "super":
            self.text.open.update(id(one) for one in self.scope.classes())
        else:
            self.text.opens_others = True
