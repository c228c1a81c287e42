"""The order of the rooms, and what importing them may import.

A room is a folder directly below `wengert`; `src/wengert/README.md` draws them. A room may import itself and the rooms below it.
"""

import ast
import functools
import graphlib
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

# From the ground up. Every room stands here once; `__init__` is `wengert` itself, `cli` and `__main__` the command.
ROOMS = [
    "ground",
    "graph",
    "ops",
    "tensor",
    "derive",
    "execute",
    "modes",
    "functions",
    "calculus",
    "train",
    "data",
    "probability",
    "keras",
    "surface",
    "__init__",
    "run",
    "verify",
    "cli",
    "__main__",
]

# Imports that point up and are made inside a function: (module that imports, room imported) -> the reason.
# For example ("ops.control", "function"): "why it cannot be passed in from above".
LAZY_UPWARD: dict[tuple[str, str], str] = {
    ("__init__", "run"): "IPython asks the package itself for its extension: `%load_ext wengert`",
    ("run.kernel", "verify"): "`%%wengert check` hands a cell to the verifier, which runs scripts by `run`",
    ("tensor.exchange", "surface"): "other libraries ask a tensor for the functions over tensors, by its methods",
    ("tensor.tensor", "functions"): "an index with arrays of places is a composition of functions",
    (
        "graph",
        "tensor",
    ): "programs say `from wengert.graph import Graph`, and a graph whose outputs are tensors stands with these",
}

# What `import wengert` leaves alone: slow to import, optional, or both.
NOT_AT_IMPORT = ["jax", "matplotlib", "scipy", "rich", "malt", "torch", "tensorflow"]

# Kernels and rules get their array namespace as the argument `xp`.
NOT_IN_OPS = {"numpy", "scipy", "jax", "jaxlib"}


class Import(NamedTuple):
    module: str  # the module that imports, below wengert: "ops.elementwise"
    line: int
    target: str  # the absolute name of what is imported: "wengert.op.Op", "numpy.linalg"
    lazy: bool  # inside a function

    @property
    def room(self) -> str:
        return self.module.split(".")[0]

    def __str__(self) -> str:
        return f"{self.module} line {self.line} imports {self.target}"


def package() -> Path:
    """The folder of the package under test: src/wengert, or the installed wheel."""
    spec = importlib.util.find_spec("wengert")
    assert spec is not None and spec.origin is not None, "wengert is not installed"
    return Path(spec.origin).parent


def rooms_of(root: Path) -> set[str]:
    folders = {path.relative_to(root).parts[0] for path in root.glob("*/**/*.py")}
    return folders | {path.stem for path in root.glob("*.py")}


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def import_nodes(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Every import that can run, and whether it stands inside a function."""
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, lazy = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call):
            yield node, lazy
        children: Iterator[ast.AST] | list[ast.stmt] = ast.iter_child_nodes(node)
        if isinstance(node, ast.If) and is_type_checking(node.test):
            children = node.orelse
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        pending.extend((child, inside) for child in children)


def targets(node: ast.AST, package_name: str) -> list[str]:
    """The absolute names that a node imports; `package_name` is what one leading dot means."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            parents = package_name.split(".")
            base = [*parents[: len(parents) + 1 - node.level]] if node.level else []
            base += [node.module] if node.module else []
            return [".".join([*base, alias.name]) for alias in node.names]
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]):
            return [name] if called in {"import_module", "__import__"} and not name.startswith(".") else []
    return []


def imports_of(root: Path) -> list[Import]:
    return _of_package(root) if root == package() else _imports_of(root)


@functools.cache
def _of_package(root: Path) -> list[Import]:
    return _imports_of(root)


def _imports_of(root: Path) -> list[Import]:
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        module = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        package_name = ".".join(["wengert", *parts[:-1]])
        for node, lazy in import_nodes(ast.parse(path.read_bytes(), filename=str(path))):
            found += [Import(module, getattr(node, "lineno", 0), name, lazy) for name in targets(node, package_name)]
    return found


def imported_room(name: str, rooms: set[str]) -> str | None:
    """The room that an absolute name lies in; `__init__` for what only the surface offers, None outside of wengert."""
    top, _, rest = name.partition(".")
    if top != "wengert":
        return None
    room = rest.split(".")[0]
    return room if room in rooms else "__init__"


def arrows(root: Path) -> list[tuple[Import, str]]:
    """The imports that lead from one room to another, each with the room that it leads to."""
    rooms = rooms_of(root)
    found = [(item, imported_room(item.target, rooms)) for item in imports_of(root)]
    return [(item, room) for item, room in found if room is not None and room != item.room]


def strangers(root: Path) -> list[str]:
    return sorted(rooms_of(root) - set(ROOMS))


def upward(root: Path) -> list[str]:
    height = {room: level for level, room in enumerate(ROOMS)}
    return [
        f"{item}: {room} is above {item.room}"
        for item, room in arrows(root)
        if height.get(room, -1) > height.get(item.room, len(ROOMS)) and not (item.lazy and (item.module, room) in LAZY_UPWARD)
    ]


def circle(root: Path) -> list[str]:
    """A ring of rooms, each imported by the next; empty where there is none."""
    below: dict[str, set[str]] = {}
    for item, room in arrows(root):
        if not (item.lazy and (item.module, room) in LAZY_UPWARD):
            below.setdefault(item.room, set()).add(room)
    try:
        graphlib.TopologicalSorter(below).prepare()
    except graphlib.CycleError as error:
        ring: list[str] = error.args[1]
        return ring
    return []


def inner_circles(root: Path) -> list[list[str]]:
    """Rings of modules within a room, each imported by the next, be it inside of a function."""
    paths = {path.relative_to(root).with_suffix("").parts for path in root.rglob("*.py")}
    modules = {".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in paths} - {""}
    below: dict[str, set[str]] = {}
    for item in imports_of(root):
        target = item.target.removeprefix("wengert.")
        while target and target not in modules:
            target = target.rpartition(".")[0]
        if target and target != item.module and target.split(".")[0] == item.room:
            below.setdefault(item.module, set()).add(target)
    found = []
    while True:
        try:
            graphlib.TopologicalSorter(below).prepare()
        except graphlib.CycleError as error:
            ring = error.args[1]
            found.append(ring)
            below[ring[1]].discard(ring[0])
        else:
            return found


def arrays_in_ops(root: Path) -> list[str]:
    return [str(item) for item in imports_of(root) if item.room == "ops" and item.target.split(".")[0] in NOT_IN_OPS]


def test_every_room_is_in_the_list_once():
    assert len(ROOMS) == len(set(ROOMS))
    assert strangers(package()) == [], "enter the room into ROOMS, where its imports allow"


def test_the_readme_draws_the_rooms_in_their_order():
    drawn = re.findall(r"^(\w+)/ ", (package() / "README.md").read_text(), re.MULTILINE)
    assert drawn == [room for room in ROOMS if (package() / room).is_dir()]
    assert len(drawn) == 16


def test_nothing_else_lies_in_the_root():
    files = {"__init__.py", "__main__.py", "cli.py", "py.typed", "README.md"}
    found = {p.name for p in package().iterdir() if p.name != "__pycache__" and p.suffix != ".pyi"}
    folders = {name for name in found - files if (package() / name).is_dir() and any((package() / name).rglob("*.py"))}
    assert found - files - {n for n in found if (package() / n).is_dir()} == set()
    assert folders == {room for room in ROOMS if (package() / room).is_dir()}


def test_no_arrow_points_up():
    assert upward(package()) == []


def test_no_circle_among_the_rooms():
    assert circle(package()) == []


def test_no_circle_within_a_room():
    assert inner_circles(package()) == []


def test_every_lazy_upward_import_is_used_and_has_a_reason():
    used = {(item.module, room) for item, room in arrows(package()) if item.lazy}
    assert [key for key, reason in LAZY_UPWARD.items() if key not in used or not reason.strip()] == []


def test_ops_import_no_array_library():
    assert arrays_in_ops(package()) == []


@pytest.mark.parametrize("name", NOT_AT_IMPORT)
def test_importing_wengert_leaves_alone(name: str, modules_after_import: set[str]):
    assert name not in modules_after_import


@pytest.fixture(scope="module")
def modules_after_import() -> set[str]:
    """The names in sys.modules of a fresh interpreter after `import wengert`."""
    code = "import sys, wengert; print(*sys.modules, sep='\\n')"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


# The checks above, on a package of three rooms.


def write(root: Path, **modules: str) -> Path:
    for name, source in modules.items():
        path = root.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    return root


@pytest.mark.parametrize(
    "source",
    [
        "import wengert.modes",
        "import wengert.modes as t",
        "from wengert import modes",
        "from wengert.modes import GradientTape",
        "from wengert.modes import *",
        "from .. import modes",
        "from ..modes import GradientTape",
        "def f():\n    from ..modes import GradientTape",
        "class A:\n    import wengert.modes",
        "try:\n    import wengert.modes\nexcept ImportError:\n    pass",
        "import importlib\nimportlib.import_module('wengert.modes')",
        "if TYPE_CHECKING:\n    pass\nelse:\n    import wengert.modes",
    ],
)
def test_finds_an_arrow_that_points_up(tmp_path: Path, source: str):
    write(tmp_path, ops__linear=source, modes="")
    assert [line.split(": ")[1] for line in upward(tmp_path)] == ["modes is above ops"]


def test_finds_the_surface_imported_from_below(tmp_path: Path):
    assert len(upward(write(tmp_path, modes="from wengert import Tensor"))) == 1
    assert len(upward(write(tmp_path, modes="import wengert"))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from wengert.graph import Op",
        "from ..graph import Op",
        "from . import reduction",
        "from .reduction import total",
        "import math",
        "import modes",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from wengert.modes import GradientTape",
        "import typing\nif typing.TYPE_CHECKING:\n    import numpy",
    ],
)
def test_lets_pass(tmp_path: Path, source: str):
    write(tmp_path, ops__linear=source, ops__reduction="", graph="", modes="")
    assert (strangers(tmp_path), upward(tmp_path), circle(tmp_path), arrays_in_ops(tmp_path)) == ([], [], [], [])


def test_an_exception_is_for_lazy_imports_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(LAZY_UPWARD, ("ops.linear", "modes"), "a reason")
    write(tmp_path, ops__linear="def f():\n    import wengert.modes", modes="import wengert.ops")
    assert (upward(tmp_path), circle(tmp_path)) == ([], [])
    write(tmp_path, ops__linear="import wengert.modes")
    assert len(upward(tmp_path)) == 1


def test_finds_a_circle(tmp_path: Path):
    write(tmp_path, graph="import wengert.modes", modes="import wengert.execute", execute="def f():\n    import wengert.graph")
    assert set(circle(tmp_path)) == {"graph", "modes", "execute"}


def test_finds_a_stranger(tmp_path: Path):
    assert strangers(write(tmp_path, graph="", utils="", helpers__arrays="")) == ["helpers", "utils"]


@pytest.mark.parametrize("source", ["import numpy as np", "from jax import numpy", "def f():\n    import jax.numpy"])
def test_finds_an_array_library_in_ops(tmp_path: Path, source: str):
    assert len(arrays_in_ops(write(tmp_path, ops__linear=source))) == 1


def test_finds_a_circle_within_a_room(tmp_path: Path):
    write(tmp_path, modes__one="def f():\n    import wengert.modes.two", modes__two="from wengert.modes import one")
    assert [set(ring) for ring in inner_circles(tmp_path)] == [{"modes.one", "modes.two"}]
