"""Running a TensorFlow script: ``import tensorflow`` finds Wengert, in this process alone.

A script that uses names which only TensorFlow 1 had at the top (``tf.placeholder``, ``tf.Session``) gets TensorFlow 1's
names there and starts in graph mode; any other gets TensorFlow 2's and starts eagerly. One that calls ``tf.gradients`` eagerly is
recorded.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.ground.context import ROOT, state
from wengert.ground.errors import DataLossError
from wengert.ground.version import VERSION
from wengert.modes.recording import recording
from wengert.run.mending import Mending
from wengert.run.packages import missing_module, python_2
from wengert.run.pictures import Figures
from wengert.run.source import NAMES, compiled
from wengert.surface.serve import listed

__all__ = ["MissingName", "Served", "run_script", "serve", "style_of", "wants_recording"]

V1_ONLY = frozenset(listed("compat.v1")) - frozenset(listed(""))
"""The names that only TensorFlow 1 has at the top."""


class MissingName(AttributeError):
    """A name of TensorFlow's that is not served here."""


GRADIENTS = frozenset(["gradients", "hessians"])
PACKAGES = frozenset(["tensorflow", "wengert"])


def style_of(path: str) -> str:
    """Return "tf1" or "tf2": how a script, with the local modules that it imports, means ``import tensorflow``."""
    return "tf1" if any(_uses_v1(tree) for tree in _trees(path)) else "tf2"


def wants_recording(path: str) -> bool:
    """Return whether a script, or a local module that it imports, names ``tf.gradients`` where no graph is in sight.

    In sight are functions decorated with `function` and blocks ``with graph.as_default()``. A name too many costs time alone.
    """
    return any(_names_gradients(tree) for tree in _trees(path))


def _trees(path: str) -> Iterator[ast.AST]:
    """Iterate over the syntax trees of a script and of the local modules that it imports."""
    seen: set[str] = set()
    pending = [os.path.abspath(path)]
    folder = os.path.dirname(os.path.realpath(path))
    while pending and len(seen) < 200:
        one = pending.pop()
        if one in seen or not os.path.isfile(one):
            continue
        seen.add(one)
        try:
            with open(one, "rb") as file:
                tree = ast.parse(file.read())
        except (SyntaxError, ValueError):
            continue
        yield tree
        pending.extend(_local_imports(tree, folder))


def _uses_v1(tree: ast.AST) -> bool:
    roots: set[str] = set()
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
        for node in ast.walk(tree)
    )


def _names_gradients(tree: ast.AST) -> bool:
    roots: set[str] = set()
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
        isinstance(node, ast.Attribute) and node.attr in GRADIENTS and _root(node) in roots for node in _outside_of_graphs(tree)
    )


def _root(node: ast.AST) -> str | None:
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


def _local_imports(tree: ast.AST, folder: str) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            base = os.path.join(folder, *name.split("."))
            yield base + ".py"
            yield os.path.join(base, "__init__.py")


class Served(types.ModuleType):
    """A module of TensorFlow's name whose attributes are those of one of Wengert's."""

    def __init__(self, name: str, behind: Any) -> None:
        """Take TensorFlow's name for the module, and what stands behind it."""
        super().__init__(name, getattr(behind, "__doc__", None))
        self.__dict__["_behind"] = behind
        self.__path__: list[str] = []
        if name == "tensorflow":
            self.__version__ = VERSION

    def __getattr__(self, name: str) -> Any:
        """Look behind; name the nearest where there is nothing."""
        behind = self.__dict__["_behind"]
        try:
            value = getattr(behind, name)
        except AttributeError:
            if name == "__all__":  # from tensorflow.math import *
                return self.__dir__()
            if name.startswith("__"):
                raise
            raise MissingName(_nearest(f"{self.__name__}.{name}", name, behind)) from None
        if isinstance(value, types.ModuleType) and value.__name__.startswith("wengert"):
            full = f"{self.__name__}.{name}"
            if full not in sys.modules:
                sys.modules[full] = Served(full, value)
            return sys.modules[full]
        return value

    def __dir__(self) -> list[str]:
        return sorted(n for n in dir(self.__dict__["_behind"]) if not n.startswith("_"))


def _nearest(full: str, name: str, behind: Any) -> str:
    known = [n for n in dir(behind) if not n.startswith("_")]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; the nearest is {full.rpartition('.')[0]}.{near[0]}" if near else ""
    return f"{full} is not in Wengert{hint}."


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``tensorflow`` and ``keras``, and their submodules."""

    def __init__(self, root: Any) -> None:
        self.root = root

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.partition(".")[0] not in ("tensorflow", "keras", "tensorflow_probability"):
            return None
        if self._behind(fullname) is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def _behind(self, fullname: str) -> Any:
        parts = fullname.split(".")[1:]
        if parts[:1] == ["python"]:
            from wengert.surface import internal as python

            return python.module(parts[1:])
        if fullname.startswith("keras"):
            parts.insert(0, "keras")
        behind = self.root
        if fullname.startswith("tensorflow_probability"):
            behind = importlib.import_module("wengert.surface.probability")
        for i, part in enumerate(parts):
            found = getattr(behind, part, None)
            if found is None:
                try:
                    found = importlib.import_module(f"{behind.__name__}.{part}")
                except (ImportError, AttributeError):
                    return None
            if not isinstance(found, types.ModuleType) and i < len(parts):
                return found if hasattr(found, "__dict__") else None
            behind = found
        return behind

    def create_module(self, spec: Any) -> Any:
        return Served(spec.name, self._behind(spec.name))

    def exec_module(self, module: Any) -> None:
        pass


def serve(style: str = "tf2") -> None:
    """Serve ``import tensorflow`` from Wengert in this process: "tf1" in graph mode with TensorFlow 1's names, or "tf2".

    Raises:
        ValueError: for another style.
        RuntimeError: if a real TensorFlow is imported already.
    """
    if style not in ("tf1", "tf2"):
        raise ValueError(f"the style is 'tf1' or 'tf2', not {style!r}")
    present = sys.modules.get("tensorflow")
    if present is not None and not isinstance(present, Served):
        raise RuntimeError("TensorFlow itself is imported in this process already.")
    for name in [n for n in sys.modules if n.partition(".")[0] in ("tensorflow", "keras", "tensorflow_probability")]:
        del sys.modules[name]
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, _Finder)]
    if style == "tf1":
        root: Any = importlib.import_module("wengert.compat.v1")
        root.disable_v2_behavior()
    else:
        root = importlib.import_module("wengert")
    sys.meta_path.insert(0, _Finder(root))


def run_script(
    path: str,
    arguments: Sequence[str] = (),
    style: str | None = None,
    executor: str | None = None,
    *,
    strict: bool = False,
    progress: bool = False,
    figures: str | None = None,
    interactive: bool = False,
    checkpoint: str | None = None,
    every: float = 60.0,
) -> int:
    """Run a script as ``__main__`` with ``import tensorflow`` served; return the exit status.

    A name that is not served, and an error of the script, are printed to standard error.

    Args:
        path: the script.
        arguments: what it finds in `sys.argv`.
        style: "tf1" or "tf2"; as its source says unless given.
        executor: who runs graphs and functions, for this and whatever comes after it in this process.
        strict: mend nothing that libraries have dropped or that the machine lacks.
        progress: show steps, loss and rate, where standard error is a terminal.
        figures: a folder for the figures that it shows or leaves open.
        interactive: offer a prompt with its names in the end.
        checkpoint: a file that its variables start from, if it is there, and are written to.
        every: after how many seconds the checkpoint is written again.
    """
    if not os.path.isfile(path):
        return _refused(f"there is no script {path}")
    style = style or style_of(path)
    try:
        with open(path, "rb") as file:
            code = compiled(file.read(), path, eased=style == "tf1" and not strict)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        told = isinstance(error, SyntaxError) and python_2(error)
        print(f"{path}:{line or '?'}: {told or f'{type(error).__name__}: {error}'}", file=sys.stderr)
        return 1
    if executor is not None:
        from wengert.surface.config import set_executor

        try:
            set_executor(executor)
        except ImportError as error:
            return _refused(str(error))
    try:
        kept = None if figures is None else Figures(figures)
        resumption = _resumption(checkpoint, every)
    except (OSError, DataLossError) as error:
        return _refused(str(error))
    serve(style)
    main = types.ModuleType("__main__")
    main.__file__ = path
    main.__dict__["__builtins__"] = __builtins__
    if style == "tf1" and not strict:
        main.__dict__.update(NAMES)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_in_its_place(main, path, arguments))
        if state.graph is None and wants_recording(path):
            stack.enter_context(recording())
        stack.enter_context(Mending(path, style, strict, kept))
        if resumption is not None:
            stack.enter_context(resumption)
        finish = [one.finish for one in (kept, resumption) if one is not None]
        with _bar() if progress else contextlib.nullcontext():
            status = _executed(code, main, path)
        status = _finished(finish, status)
        if interactive:
            from wengert.run.prompt import prompt

            asked = prompt(main.__dict__)
            status = _finished(finish, status if asked is None else asked)
    return status


def _finished(finish: Sequence[Callable[[], None]], status: int) -> int:
    """Write figures and checkpoint; return the status, another one where Ctrl-C comes meanwhile: files are whole even then."""
    try:
        for write in finish:
            write()
    except KeyboardInterrupt:
        return _interrupted()
    return status


def _interrupted() -> int:
    print("interrupted", file=sys.stderr)
    return 130


def _refused(why: str) -> int:
    print(f"wengert run: {why}", file=sys.stderr)
    return 2


def _resumption(file: str | None, every: float) -> Any:
    if file is None:
        return None
    from wengert.run.resumption import Resumption

    return Resumption(file, every)


def _bar() -> Any:
    from wengert.run.bar import Bar

    return Bar()


@contextlib.contextmanager
def _in_its_place(main: types.ModuleType, path: str, arguments: Sequence[str]) -> Iterator[None]:
    """Let a script find its arguments, its folder and itself where Python puts them."""
    before = sys.argv, sys.path[0], sys.modules.get("__main__")
    sys.argv, sys.path[0], sys.modules["__main__"] = [path, *arguments], os.path.dirname(os.path.realpath(path)), main
    try:
        yield
    finally:
        sys.argv, sys.path[0] = before[0], before[1]
        if before[2] is not None:
            sys.modules["__main__"] = before[2]


def _executed(code: types.CodeType, main: types.ModuleType, path: str) -> int:
    """Run the script's code; return the status that it ends with."""
    try:
        exec(code, main.__dict__)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _interrupted()
    except BaseException as error:
        _report(error, path)
        return 1
    finally:
        sys.stdout.flush()
    return 0


def _report(error: BaseException, path: str) -> None:
    """Print a script's error: a missing name or package in one line, anything else with the user's frames."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith(ROOT) and not f.filename.startswith("<frozen")]
    told = str(error) if isinstance(error, MissingName) else None
    if isinstance(error, ImportError):
        name = str(error.name or "")
        told = str(error) if name.startswith("tensorflow") else missing_module(error)
    if told and own:
        print(f"{own[-1].filename}:{own[-1].lineno}: {told}", file=sys.stderr)
        return
    if isinstance(error, SyntaxError) and (told := python_2(error)):
        print(f"{error.filename}:{error.lineno}: {told}", file=sys.stderr)
        return
    print("Traceback (most recent call last):", file=sys.stderr)
    for line in traceback.format_list(own):
        print(line, end="", file=sys.stderr)
    for line in traceback.format_exception_only(error):
        print(line, end="", file=sys.stderr)
