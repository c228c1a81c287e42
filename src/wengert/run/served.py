"""``import tensorflow`` finds Wengert, in this process alone."""

from __future__ import annotations

import difflib
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any

from wengert.ground.errors import helped
from wengert.ground.version import VERSION

__all__ = ["TOPS", "MissingName", "Served", "serve"]


ABSL = {"absl": "wengert.surface.absl"} | {f"absl.{n}": f"wengert.surface.v1.{n}" for n in ("app", "flags", "logging")}
"""Modules that come with TensorFlow, and that scripts take for granted: what serves them where they are not installed."""


TOPS = ("tensorflow", "keras", "tensorflow_probability")
"""The packages that are served."""


@helped
class MissingName(AttributeError):
    """A name of TensorFlow's that is not served here."""


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

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by name: in a process that is served, too, it is the same module."""
        return importlib.import_module, (self.__name__,)

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
        if fullname.partition(".")[0] == "absl":
            return None if fullname not in ABSL else importlib.import_module(ABSL[fullname])
        parts = fullname.split(".")[1:]
        if parts[:1] == ["python"] and not fullname.startswith("tensorflow_probability"):
            from wengert.surface import internal as python

            return python.module(parts[1:])
        if fullname.startswith("keras"):
            parts.insert(0, "keras")
        behind = self.root
        if fullname.startswith("tensorflow_probability"):
            behind = importlib.import_module("wengert.probability")
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


class _Beside(_Finder):
    """Finds what comes with TensorFlow, where it is not installed."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if fullname in ABSL else None


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
    sys.meta_path.append(_Beside(root))
