"""What a script or a notebook needs before it is run: the names of TensorFlow's that it says, and the packages that it imports.

It is read, not run: aliases are followed through imports and plain assignments (``layers = tf.keras.layers``), and a name counts
where it hangs on one of them. What stands behind a test for the name itself, or for TensorFlow's version, does not count.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import os
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from wengert.run.instances import Instances
from wengert.run.mending import SUCCEEDED
from wengert.run.reading import read
from wengert.run.served import TOPS, walked
from wengert.run.style import folders_named, imported, root, style_of_trees, unguarded

__all__ = ["Missing", "Part", "missing", "parts_of", "style_of_parts"]

MAGIC = re.compile(r"^(\s*)(?:[%!?]|[\w., ]+=\s*[%!]|[\w.*%]+\?{1,2}\s*$)")
TIMED = re.compile(r"^(\s*)%(?:time|timeit|prun)\s+(?:-\w+\s*\d*\s+)*([^-\s].*)$")
"""Magics of a line whose text is Python."""
BODIES = frozenset(["time", "timeit", "capture", "prun", "debug", "wengert"])
"""Magics of a whole cell whose body is Python."""


class Part(NamedTuple):
    """A file, or a cell of a notebook."""

    place: str
    """What it is called where a line of it is told: "script.py:", "cell 3, line "."""
    tree: ast.Module
    name: str = ""
    """The last name of a module that the program imports; empty if it is what was asked for."""


class Missing(NamedTuple):
    """Something that is not there."""

    name: str
    what: str
    """Why, and what there is."""
    place: str


def parts_of(path: str) -> list[Part]:
    """Return the parts of a script, with the local modules that it imports, or of a notebook.

    Raises:
        OSError: if it cannot be read.
        SyntaxError: if a part of it is no Python.
        ValueError: if a notebook is no notebook.
    """
    if path.endswith(".ipynb"):
        found = [Part(f"cell {number}, line ", ast.parse(text, f"cell {number}")) for number, text in _cells(path)]
        source = None
    else:
        source = read(path)
        found = [Part(f"{os.path.basename(source.file)}:", ast.parse(source.text, source.file))]
    folder = os.path.dirname(os.path.realpath(path)) if source is None else source.folder
    local = imported([part.tree for part in found], folder, most=400)
    return [*found, *(Part(f"{os.path.basename(file)}:", tree, _module(file)) for file, tree in local)]


def _module(file: str) -> str:
    folder, base = os.path.split(file)
    return os.path.basename(folder) if base == "__init__.py" else base.removesuffix(".py")


def _cells(path: str) -> Iterator[tuple[int, str]]:
    """Give the numbers and the Python of a notebook's code cells; lines that are IPython's are left empty."""
    try:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no notebook of format 4: {error!r}") from None
    for number, text in enumerate(texts, 1):
        first = text.lstrip().partition("\n")[0]
        if first.startswith("%%") and first[2:].split(maxsplit=1)[:1] and first[2:].split()[0] not in BODIES:
            continue
        yield number, _python(_dedented(text))


def _dedented(text: str) -> str:
    """Return a cell without the indentation of its first line, which IPython takes from all of them."""
    text = text.lstrip("\n")
    indent = text[: len(text) - len(text.lstrip(" \t"))]
    return "\n".join(line.removeprefix(indent) for line in text.split("\n")) if indent else text


def _python(text: str) -> str:
    """Return a cell without what is IPython's: line for line, so that places stay."""
    kept: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        magic = None if goes_on else MAGIC.match(line)
        if magic and _open(kept):
            magic = None
        timed = TIMED.match(line) if magic else None
        if timed:
            line = timed[1] + timed[2]
        elif magic or goes_on:
            goes_on = line.endswith("\\")
            line = f"{magic[1]}pass" if magic and magic[1] else ""
        kept.append(line)
    return "\n".join(kept)


def _open(lines: Sequence[str]) -> bool:
    """Return whether what follows lines goes on with a bracket, a string or a statement of theirs."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            pass
    except tokenize.TokenError:
        return True
    except SyntaxError:  # who compiles it will say so
        return False
    return False


def missing(parts: Sequence[Part], folder: str) -> tuple[list[Missing], list[Missing]]:
    """Return the names of TensorFlow's that parts say and that are not there, and the packages that are not installed.

    ``import tensorflow`` is to be served in this process, as it would be to the program.
    """
    folders = [folder, *(named for part in parts for named in folders_named(part.tree, folder))]
    reader = _Reader(folders, Instances((part.name, part.tree) for part in parts))
    local = [part for part in parts if part.name]
    for part in local * 2:  # what one has from another is known the second time
        reader.learn(part)
    for part in parts:
        reader.read(part)
    return reader.names, reader.packages


class _Reader:
    """Reads parts in their order; aliases of one hold in the next, as those of a notebook's cells do."""

    def __init__(self, folders: Sequence[str], instances: Instances) -> None:
        self.folders, self.instances = folders, instances
        self.names: list[Missing] = []
        self.packages: list[Missing] = []
        self.stored: set[str | None] = set()
        """The whole names of what the program itself puts into TensorFlow's modules and classes."""
        self._seen: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.given: dict[str, dict[str, str]] = {}
        """By the last name of a local module: the aliases that it has, which others may import."""

    def learn(self, part: Part) -> None:
        """Take down the aliases of a local module."""
        self._aliases(list(ast.walk(part.tree)))
        self.given[part.name], self.aliases = self.aliases, {}

    def _aliases(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._alias(node)
        for node in nodes:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute | ast.Name):
                self._renamed(node)

    def read(self, part: Part) -> None:
        """Take down what a part needs."""
        outer = self.aliases
        self.aliases = {} if part.name else dict(outer)
        nodes = list(ast.walk(part.tree))
        self._aliases(nodes)
        below = {id(n.value) for n in nodes if isinstance(n, ast.Attribute)}
        shadowed = _shadows(part.tree, self.aliases)
        self.stored |= {self._full(n) for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
        roots = {a for a, full in self.aliases.items() if full.partition(".")[0] in TOPS}
        for node in sorted(unguarded(part.tree, roots), key=lambda node: getattr(node, "lineno", 0)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._imports(node, part)
            elif isinstance(node, ast.Attribute):
                full = None if id(node) in below or id(node) in shadowed else self._full(node)
                if full is not None and full not in self.stored:
                    self._name(full, part, node)
                lacking = self.instances.lacking(node)
                if lacking is not None:
                    self._missed(lacking.name, lacking.what, part, node)
        if not part.name:
            outer = self.aliases
        self.aliases = outer

    def _alias(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                self.aliases[alias.asname or name] = name
                continue
            given = self.given.get((node.module or "").rpartition(".")[2], {})
            if alias.name == "*":
                self.aliases.update(given)
            elif alias.name in given:
                self.aliases[alias.asname or alias.name] = given[alias.name]
            elif node.module and not node.level:
                self.aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def _renamed(self, node: ast.Assign) -> None:
        full = self._full(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name) and full is not None and isinstance(walked(full)[0], ModuleType):
                self.aliases[target.id] = full

    def _full(self, one: ast.expr) -> str | None:
        """Return the whole name of an attribute that hangs on an alias of TensorFlow's, or of an alias."""
        names = []
        while isinstance(one, ast.Attribute):
            names.append(one.attr)
            one = one.value
        full = self.aliases.get(one.id) if isinstance(one, ast.Name) else None
        if full is None or full.partition(".")[0] not in TOPS:
            return None
        return ".".join([full, *reversed(names)])

    def _name(self, full: str, part: Part, node: ast.expr | ast.stmt) -> None:
        _, here, why = walked(full)
        if why:
            self._missed(here, why, part, node)

    def _missed(self, name: str, why: str, part: Part, node: ast.expr | ast.stmt) -> None:
        if name not in self._seen:
            self._seen.add(name)
            self.names.append(Missing(name, why, f"{part.place}{node.lineno}"))

    def _imports(self, node: ast.Import | ast.ImportFrom, part: Part) -> None:
        if isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                return
            wanted = [f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*"] or [node.module]
        else:
            wanted = [alias.name for alias in node.names]
        for full in wanted:
            top = full.partition(".")[0]
            if top in TOPS:
                self._name(full, part, node)
            elif top not in self._seen and not _there(top, self.folders):
                self._seen.add(top)
                self.packages.append(Missing(top, "", f"{part.place}{node.lineno}"))


def _there(top: str, folders: Sequence[str]) -> bool:
    """Return whether a module is installed, or served, or lies where the program looks."""
    if top in sys.stdlib_module_names or top in sys.modules or top == SUCCEEDED:
        return True
    beside = [os.path.join(folder, top) for folder in folders]
    if any(os.path.isfile(f"{one}.py") or os.path.isdir(one) for one in beside):
        return True
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _shadows(tree: ast.AST, aliases: Mapping[str, str]) -> set[int]:
    """Return the nodes, by identity, whose root is a parameter that has an alias's name."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            given = node.args
            every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *[a for a in (given.vararg, given.kwarg) if a]]
            names = {a.arg for a in every} & set(aliases)
            if names:
                found.update(id(below) for below in ast.walk(node) if root(below) in names)
    return found


def style_of_parts(parts: Sequence[Part]) -> str:
    """Return the style that parts mean: the own ones together, as an alias of one cell holds in the next."""
    own = ast.Module([statement for part in parts if not part.name for statement in part.tree.body], [])
    return style_of_trees([own, *(part.tree for part in parts if part.name)])
