"""``import tensorflow`` finds Wengert, in this process alone."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.abc
import importlib.machinery
import os
import re
import sys
import types
from typing import Any

from wengert.execute import processes
from wengert.ground.context import known, state
from wengert.ground.errors import helped
from wengert.ground.version import VERSION
from wengert.modes.session import reset_default_graph
from wengert.surface.serve import module
from wengert.surface.table import TABLE, parts
from wengert.surface.v1.graphs import enable_v2_behavior
from wengert.tensor.exchange import recorded_functions

__all__ = ["TOPS", "MissingName", "Served", "missing_name", "serve", "serve_no_more", "walked"]


ABSL = {"absl": "wengert.surface.absl"} | {f"absl.{n}": f"wengert.surface.v1.{n}" for n in ("app", "flags", "logging")}
"""Modules that come with TensorFlow, and that scripts take for granted: what serves them where they are not installed."""
MPI = {"mpi4py": "wengert.surface.horovod", "mpi4py.MPI": "wengert.surface.horovod.mpi"}
"""What programs of Horovod's take beside it, where it is not installed, or where no MPI has started the processes."""
STARTED = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")
"""The variables by which an MPI tells a process its number."""
BESIDE = ABSL | MPI


Behind = types.ModuleType | type
"""What stands behind a module that is served: another one, or a class, whose names are its."""

TOPS = ("tensorflow", "keras", "tensorflow_probability", "horovod")
"""The packages that are served."""
APART = {"tensorflow_probability": "wengert.probability", "horovod": "wengert.surface.horovod"}
"""Those that are no part of TensorFlow, and what serves them."""

NEAR = 0.75
"""How much alike, by `difflib`, names are of which one is taken to be meant by the other."""
FEW = 60
"""The names of an area that are all told."""


ITS_OWN = ("__spec__", "__loader__", "__package__", "__cached__")
"""What Python's import asks a module of itself, so that what is behind must not answer."""


@helped
class MissingName(AttributeError):
    """A name of TensorFlow's that is not served here."""


class Served(types.ModuleType):
    """A module of TensorFlow's name whose attributes are those of one of Wengert's."""

    __slots__ = ("_behind",)  # not in its dictionary, which those empty who load modules anew

    def __init__(self, name: str, behind: Behind) -> None:
        """Take TensorFlow's name for the module, and what stands behind it."""
        super().__init__(name)
        self.stand_for(behind)

    def stand_for(self, behind: Behind) -> None:
        """Have something stand behind it: what a program has bound to a name follows where the style changes."""
        self._behind = behind
        self.__doc__ = getattr(behind, "__doc__", None)
        self.__path__: list[str] = []
        if self.__name__ == "tensorflow":
            self.__version__ = VERSION

    def __getattr__(self, name: str) -> Any:
        """Look behind; name the nearest where there is nothing."""
        if name in ITS_OWN:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        behind = self._behind
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

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by name: in a process that is served, too, it is the same module."""
        return importlib.import_module, (self.__name__,)

    def __dir__(self) -> list[str]:
        return sorted(n for n in dir(self._behind) if not n.startswith("_"))


def _nearest(full: str, name: str, behind: Behind) -> str:
    """Return that a name is not there, with the nearest that is, or where none is near, what the area offers."""
    area = full.rpartition(".")[0]
    public = getattr(behind, "__all__", None) or dir(behind)
    known = sorted(n for n in public if not n.startswith("_"))
    space = behind.__name__.removeprefix("wengert").lstrip(".")
    former = ".".join(filter(None, ("compat.v1", space)))
    if former in TABLE and hasattr(module(former), name):
        return f"{full} is TensorFlow 1's, and this is 2; it is here as tensorflow.{former}.{name}."
    near = difflib.get_close_matches(name, known, n=1, cutoff=NEAR)
    near = near or [n for n in known if n.lower() == name.lower()]
    if near:
        return f"{full} is not in Wengert; the nearest is {area}.{near[0]}."
    if len(known) <= FEW:
        return f"{full} is not in Wengert" + (f"; of {area} there are {', '.join(known)}." if known else ".")
    modules = [n for n in known if n in parts(space)] if space in TABLE else []
    told = f"the modules {', '.join(modules)}, and " if modules else ""
    return f"{full} is not in Wengert, and no name there is near; {area} has {told}{len(known)} names: dir({area}) lists them."


IMPORTED = re.compile(r"cannot import name '([^']+)' from '([^']+)'")


def missing_name(error: ImportError) -> str:
    """Return what to say of an import from what is served here that failed: what is said of the name itself."""
    found = IMPORTED.match(str(error))
    area, name = (found[2], found[1]) if found else str(error.name).rpartition(".")[::2]
    with contextlib.suppress(ImportError, ValueError):  # what Python itself says is told
        try:
            getattr(importlib.import_module(area), name)
        except MissingName as missing:
            return str(missing)
    return str(error)


def walked(full: str) -> tuple[object, str, str]:
    """Return what a name of TensorFlow's is; as much of it as is known; and why the rest is not there, empty if it is.

    Modules and classes are known. What an instance has, or what a function gives, is not.
    """
    top, *names = full.split(".")
    found: object = importlib.import_module(top)
    here = top
    for name in names:
        if not isinstance(found, types.ModuleType | type) or name in getattr(found, "__annotations__", {}):
            break
        here = f"{here}.{name}"
        try:
            found = getattr(found, name)
        except AttributeError as error:
            try:
                if isinstance(found, type):
                    raise ImportError
                found = importlib.import_module(here)
            except ImportError:
                return None, here, str(error) if isinstance(error, MissingName) else f"{here} is not in Wengert."
    return found, here, ""


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``tensorflow`` and ``keras``, and their submodules."""

    def __init__(self, root: Any) -> None:
        self.root = root

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        top = fullname.partition(".")[0]
        if top not in TOPS and not (top == "mpi4py" and processes.count() > 1 and os.environ.keys().isdisjoint(STARTED)):
            return None
        if self._behind(fullname) is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def _behind(self, fullname: str) -> Any:
        if fullname.partition(".")[0] in ("absl", "mpi4py"):
            return None if fullname not in BESIDE else importlib.import_module(BESIDE[fullname])
        parts = fullname.split(".")[1:]
        top = fullname.partition(".")[0]
        if parts[:1] == ["python"] and top not in APART:
            from wengert.surface import internal as python

            return python.module(parts[1:])
        if top == "keras":
            parts.insert(0, "keras")
        behind = importlib.import_module(APART[top]) if top in APART else self.root
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
        module.stand_for(self._behind(module.__name__))
        if module.__name__ in TOPS:
            recorded_functions(False)  # a program of TensorFlow's may count on it that NumPy's functions take values


class _Beside(_Finder):
    """Finds what comes with TensorFlow, where it is not installed."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if fullname in BESIDE else None


def serve(style: str = "tf2") -> None:
    """Serve ``import tensorflow`` from Wengert in this process: "tf1" in graph mode with TensorFlow 1's names, or "tf2".

    Each call starts from a clean slate: the mode, the default graph, sessions and open tapes of this thread, Keras' names. Names
    that a program has bound to ``tensorflow`` follow.

    Raises:
        ValueError: for another style.
        RuntimeError: if a real TensorFlow is imported already.
    """
    if style not in ("tf1", "tf2"):
        raise ValueError(f"the style is 'tf1' or 'tf2', not {style!r}")
    present = sys.modules.get("tensorflow")
    if present is not None and not isinstance(present, Served):
        raise RuntimeError("TensorFlow itself is imported in this process already.")
    root: Any = importlib.import_module("wengert.compat.v1" if style == "tf1" else "wengert")
    finder = _Finder(root)
    before = _taken_out()
    _clean()
    recorded_functions(not before)
    if style == "tf1":
        root.disable_v2_behavior()
    for name, one in before.items():
        behind = finder._behind(name) if isinstance(one, Served) else None
        if behind is not None:
            one.stand_for(behind)
            sys.modules[name] = one
        elif isinstance(above := before.get(name.rpartition(".")[0]), Served):
            vars(above).pop(name.rpartition(".")[2], None)  # where the import of it has put it
    sys.meta_path.insert(0, finder)
    sys.meta_path.append(_Beside(root))


def serve_no_more() -> None:
    """Let ``import tensorflow`` find what it would without us, and clean the slate."""
    _taken_out()
    _clean()
    recorded_functions(True)


def _taken_out() -> dict[str, Any]:
    """Take the finders out, and the modules that are served; return these."""
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, _Finder)]
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in TOPS}


def _clean() -> None:
    """Forget what was built and entered: in this thread, and what others begin with."""
    enable_v2_behavior()
    reset_default_graph()
    for name in ("distribution", "graph", "graphs", "observers", "scope", "session", "sessions"):
        known(state).pop(name, None)
    keras = sys.modules.get("wengert.keras.backend")
    if keras is not None:
        keras.clear_session()
