"""Counts that may only fall: what the layout of the package is to lose, step by step.

Each is the number of today. Where one has fallen by more than a fiftieth, the new number is entered in the same commit, so that
it does not rise again.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

import wengert.ops  # noqa: F401
from wengert.ops.op import table


class Ratchet(NamedTuple):
    limit: int
    what: str


NAMED = Ratchet(0, "operations known by name in the engine, outside of ops/")
ANY = Ratchet(2498, "parameters annotated Any or by another name of it")
ENTRIES = Ratchet(19, "modules and folders in the root of the package")
HOOKS = Ratchet(0, "statements that change another module of the package while a module is imported")
IGNORED = Ratchet(0, "attributes hung on what the type checker knows without them")
LARGE = Ratchet(0, "classes of more than 300 lines")

# Where operations are known by name of necessity: their records, and the surface, which has TensorFlow's names of them.
NAMES_OPERATIONS = ("ops", "functions", "keras", "surface", "run", "train", "cli.py", "__init__.py")
SAMPLES = "verify/samples/"
"""Rows for each operation: at which inputs it is tried."""


def package() -> Path:
    spec = find_spec("wengert")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


@cache
def modules() -> dict[str, ast.Module]:
    root = package()
    return {str(p.relative_to(root)): ast.parse(p.read_bytes()) for p in sorted(root.rglob("*.py"))}


def known_by_name(tree: ast.Module) -> Iterator[str]:
    """The strings that are compared with a name (``op.name == "cast"``) or stand in a table of the module's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            if not any(isinstance(s, ast.Name | ast.Attribute) and ast.unparse(s).split(".")[-1] == "name" for s in sides):
                continue
        elif isinstance(node, ast.Match):
            sides = tuple(c.pattern for c in node.cases)
        else:
            continue
        yield from _strings(sides)
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if not any(isinstance(t, ast.Name) and t.id.startswith("__") for t in targets):
                yield from _strings([statement.value])


def _strings(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        yield from (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def named_operations() -> dict[str, int]:
    """For each module of the engine: how many names of operations it knows."""
    counts = {}
    for path, tree in modules().items():
        if path.split("/")[0] in NAMES_OPERATIONS or path.startswith(SAMPLES):
            continue
        words = (text.split() for text in known_by_name(tree))
        count = sum(len(w) for w in words if w and all(word in table for word in w))
        if count:
            counts[path] = count
    return counts


def any_parameters() -> dict[str, int]:
    counts = {}
    for path, tree in modules().items():
        names = {"Any", "object", "typing.Any"}
        for node in tree.body:  # another name for it
            if isinstance(node, ast.Assign) and ast.unparse(node.value) in names:
                names.update(t.id for t in node.targets if isinstance(t, ast.Name))
            elif isinstance(node, ast.AnnAssign) and node.value is not None and ast.unparse(node.value) in names:
                names.add(ast.unparse(node.target))
        count = 0
        for node in ast.walk(tree):
            if isinstance(node, ast.arguments):
                every = (*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg)
                count += sum(a is not None and a.annotation is not None and ast.unparse(a.annotation) in names for a in every)
        if count:
            counts[path] = count
    return counts


def entries() -> list[str]:
    root = package()
    return sorted(p.name for p in root.iterdir() if (p.is_dir() and any(p.glob("**/*.py"))) or (p.suffix == ".py"))


def _base(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.For | ast.Try | ast.With):
            yield from _statements([*statement.body, *getattr(statement, "orelse", [])])


def hooks() -> list[str]:
    """Statements at the level of a module that change what the module has imported from another of the package."""
    found = []
    for path, tree in modules().items():
        ours: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "wengert":
                ours.update(alias.asname or alias.name for alias in node.names)
            elif isinstance(node, ast.Import):
                ours.update((a.asname or "wengert") for a in node.names if a.name.split(".")[0] == "wengert")
        for node in _statements(tree.body):
            changed: list[ast.AST] = []
            if isinstance(node, ast.Assign | ast.AugAssign):
                changed = node.targets if isinstance(node, ast.Assign) else [node.target]
                changed = [t for t in changed if isinstance(t, ast.Attribute | ast.Subscript)]
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
                changed = [node.value.func]
            if any(_base(t) in ours for t in changed) and (path, ast.unparse(node)) != FINDER:
                found.append(f"{path} line {node.lineno}: {ast.unparse(node)}")
    return found


def ignored() -> dict[str, int]:
    root = package()
    counts = {path: (root / path).read_text().count("type: ignore[attr-defined]") for path in modules()}
    return {path: count for path, count in counts.items() if count}


def large() -> list[str]:
    return [
        f"{path}: {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.end_lineno is not None and node.end_lineno - node.lineno >= 300
    ]


FINDER = ("__init__.py", "_serve.lay()")
"""What may be done while the package is imported: the finder of the public modules is laid."""

COUNTED = {"named": (named_operations, NAMED), "any": (any_parameters, ANY), "entries": (entries, ENTRIES),
           "hooks": (hooks, HOOKS), "ignored": (ignored, IGNORED), "large": (large, LARGE)}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_it_has_not_risen_and_the_limit_follows_it_down(name: str):
    count, ratchet = COUNTED[name]
    found = count()
    total = sum(found.values()) if isinstance(found, dict) else len(found)
    lines = (
        [f"{n:5} {path}" for path, n in sorted(found.items(), key=lambda pair: -pair[1])] if isinstance(found, dict) else found
    )
    told = "\n".join(lines)
    assert total <= ratchet.limit, f"{total} {ratchet.what}; the limit is {ratchet.limit}\n{told}"
    assert total >= 0.98 * ratchet.limit - 1, f"{total} {ratchet.what}: enter it as the limit, which is {ratchet.limit}"
