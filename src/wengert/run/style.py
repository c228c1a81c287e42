"""Which TensorFlow a script means: what its source, and that of the local modules that it imports, names."""

from __future__ import annotations

import ast
import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from wengert.run.reading import Source, read
from wengert.surface.serve import listed

__all__ = [
    "cell_names_gradients", "cell_uses_v1", "folders_named", "imported", "root", "style_of", "style_of_trees", "unguarded",
    "wants_recording",
]  # fmt: skip

V1_ONLY = frozenset(listed("compat.v1")) - frozenset(listed(""))
"""The names that only TensorFlow 1 has at the top."""

GRADIENTS = frozenset(["gradients", "hessians"])
PACKAGES = frozenset(["tensorflow", "wengert"])
UNPARSED = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What is no Python: whoever compiles or imports it will say so."""


def style_of(script: str | Source) -> str:
    """Return "tf1" or "tf2": how a script, with the local modules that it imports, means ``import tensorflow``."""
    return style_of_trees(_trees(script))


def style_of_trees(trees: Iterable[ast.AST]) -> str:
    """Return the style that the syntax trees of a program mean, each by itself."""
    return "tf1" if any(map(_uses_v1, trees)) else "tf2"


def wants_recording(script: str | Source) -> bool:
    """Return whether a script, or a local module that it imports, names ``tf.gradients`` where no graph is in sight.

    In sight are functions decorated with `function` and blocks ``with graph.as_default()``. A name too many costs time alone.
    """
    return any(_names_gradients(tree) for tree in _trees(script))


def _trees(script: str | Source) -> Iterator[ast.AST]:
    """Iterate over the syntax trees of a script and of the local modules that it imports."""
    source = read(script) if isinstance(script, str) else script
    with contextlib.suppress(*UNPARSED):
        tree = ast.parse(source.text)
        yield tree
        for _, other in imported([tree], source.folder, source.file):
            yield other


def imported(trees: Iterable[ast.AST], folder: str, *but: str, most: int = 40) -> Iterator[tuple[str, ast.Module]]:
    """Iterate over the local modules that programs import, and that these import: each one's file and its syntax tree.

    ``but``: files that are known already. ``most``: how many are read, nearest first: a program beside a large package is to
    start at once.
    """
    seen = set(but)
    own = list(trees)
    folders = [folder, *(named for tree in own for named in folders_named(tree, folder))]
    pending = deque(file for tree in own for file in _local_imports(tree, folders, folder))
    while pending and len(seen) < most:
        one = pending.popleft()
        if one in seen or not os.path.isfile(one):
            continue
        seen.add(one)
        with contextlib.suppress(*UNPARSED, OSError):
            text = Path(one).read_bytes()
            tree = ast.parse(text, one)
            yield one, tree
            if b"sys.path" in text:
                folders += folders_named(tree, os.path.dirname(one))
            pending.extend(_local_imports(tree, folders, os.path.dirname(one)))


def cell_uses_v1(tree: ast.AST, folder: str, known: Iterable[str]) -> bool:
    """Return whether a cell means TensorFlow 1. ``known``: what TensorFlow is called already."""
    return _uses_v1(tree, known) or any(_uses_v1(other) for _, other in imported([tree], folder))


def cell_names_gradients(tree: ast.AST, folder: str, known: Iterable[str]) -> bool:
    """Return whether a cell names ``tf.gradients`` where no graph is in sight."""
    return _names_gradients(tree, known) or any(_names_gradients(other) for _, other in imported([tree], folder))


def _uses_v1(tree: ast.AST, known: Iterable[str] = ()) -> bool:
    roots: set[str] = set(known)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "tensorflow":
                    roots.add(alias.asname or "tensorflow")
        elif isinstance(node, ast.ImportFrom) and node.module == "tensorflow":
            if any(alias.name in V1_ONLY for alias in node.names):
                return True
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in roots
        and node.attr in V1_ONLY
        and isinstance(node.ctx, ast.Load)
        for node in unguarded(tree, roots)
    )


def unguarded(tree: ast.AST, roots: set[str]) -> Iterator[ast.AST]:
    """Iterate over the nodes that are no branch of a test of TensorFlow's version, or of whether it has a name.

    A branch, too, is what follows a test after which nothing else goes on, and the body of a ``try`` for an AttributeError.
    """
    flags: set[str] = set()

    def asks(node: ast.AST) -> bool:
        return any(_asks(one, roots, flags) for one in ast.walk(node))

    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and asks(node.value):
            flags.update(target.id for target in node.targets if isinstance(target, ast.Name))
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If | ast.IfExp | ast.While) and asks(node.test):
            continue
        if isinstance(node, ast.BoolOp) and asks(node):
            continue
        guarded = node.body if isinstance(node, ast.Try) and any(map(_of_a_name, node.handlers)) else []
        for _, value in ast.iter_fields(node):
            below = value if isinstance(value, list) else [value]
            if below is not guarded:
                pending += _to_the_test(below, asks)


def _asks(node: ast.AST, roots: set[str], flags: set[str]) -> bool:
    """Return whether an expression reads TensorFlow's version, asks whether it has a name, or is a name for such an answer."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("hasattr", "getattr") and node.args:
        return root(node.args[0]) in roots
    if isinstance(node, ast.Attribute) and node.attr in ("__version__", "VERSION", "executing_eagerly"):
        return root(node) in roots
    return isinstance(node, ast.Name) and node.id in flags


def _of_a_name(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler is for errors of names that are not there."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(getattr(kind, "id", "") == "AttributeError" for kind in kinds)


def _to_the_test(below: Sequence[object], asks: Callable[[ast.AST], bool]) -> Iterator[ast.AST]:
    """Iterate over statements up to a test that decides whether those after it are reached."""
    for one in below:
        if isinstance(one, ast.AST):
            yield one
        if isinstance(one, ast.If) and asks(one.test) and one.body and not one.orelse:
            if isinstance(one.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
                return


def _names_gradients(tree: ast.AST, known: Iterable[str] = ()) -> bool:
    roots: set[str] = set(known)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in PACKAGES:
                    roots.add(alias.asname or alias.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PACKAGES:
            if any(alias.name in GRADIENTS for alias in node.names):
                return True
            roots.update(alias.asname or alias.name for alias in node.names)
    return any(
        isinstance(node, ast.Attribute) and node.attr in GRADIENTS and root(node) in roots for node in _outside_of_graphs(tree)
    )


def root(node: ast.AST) -> str | None:
    """Return the name that a chain of attributes begins with: ``tf`` of ``tf.compat.v1.gradients``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _outside_of_graphs(tree: ast.AST) -> Iterator[ast.AST]:
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        decorated = node.decorator_list if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
        entered = [item.context_expr for item in node.items] if isinstance(node, ast.With) else []
        if "function" not in map(_called, decorated) and "as_default" not in map(_called, entered):
            pending.extend(ast.iter_child_nodes(node))


def _called(node: ast.AST) -> str | None:
    """Return the last name of what is called, or named."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def _local_imports(tree: ast.AST, folders: Sequence[str], home: str) -> Iterator[str]:
    """Give the files that the imports of a tree may be of, if they are modules in some folders; ``home`` is the tree's own."""
    for node in ast.walk(tree):
        names: list[str] = []
        within = folders
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = [node.module] if node.module else []
            names = module + [".".join([*module, alias.name]) for alias in node.names]
            if node.level:
                within = [os.path.normpath(os.path.join(home, *[os.pardir] * (node.level - 1)))]
        above = [tuple(name.split(".")[:count]) for name in names for count in range(1, name.count(".") + 2)]
        for parts in dict.fromkeys(above):
            for folder in within:
                base = os.path.join(folder, *parts)
                yield base + ".py"
                yield os.path.join(base, "__init__.py")


def folders_named(tree: ast.AST, folder: str) -> list[str]:
    """Return the folders that a program of a folder puts on ``sys.path``, as far as the text says them."""
    texts: dict[str, list[str]] = {}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            said = _texts(node.value)
            texts.update((target.id, said) for target in node.targets if isinstance(target, ast.Name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _on_path(node.func):
            below = [one for one in ast.walk(node.args[-1]) if isinstance(one, ast.Name)]
            said = _texts(node.args[-1]) + [text for one in below for text in texts.get(one.id, [])]
            found += [os.path.abspath(one) for text in said for one in (text, os.path.join(folder, text.lstrip("/")))]
    return [one for one in dict.fromkeys(found) if os.path.isdir(one)]


def _on_path(node: ast.expr) -> bool:
    """Return whether a function is ``sys.path.append`` or ``sys.path.insert``."""
    match node:
        case ast.Attribute(ast.Attribute(ast.Name("sys"), "path"), "append" | "insert"):
            return True
    return False


def _texts(tree: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value]
