"""The public modules of the package, such as `wengert.math` and `wengert.compat.v1`, and the finder that serves them.

A public module is the module that makes it, under another name: there is one object, found in two places. Static tools, which
do not run the finder, read stubs instead (`stubs`), which are written when the package is built.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

__all__ = ["PLACES", "lay", "module", "stubs"]

PLACES = {
    "autodiff": "surface.autodiff",
    "autograph": "surface.autograph",
    "bitwise": "functions.bitwise",
    "compat": "surface.compat",
    "compat.contrib": "surface.contrib",
    "compat.probability": "surface.probability",
    "compat.python": "surface.internal",
    "compat.v1": "surface.v1.names",
    "compat.v2": "surface.v2",
    "config": "surface.config",
    "context": "ground.context",
    "debugging": "surface.debugging",
    "dtypes": "ground.dtypes",
    "errors": "ground.errors",
    "experimental": "surface.experimental",
    "experimental.numpy": "functions.numpy",
    "fields": "calculus.fields",
    "image": "functions.image",
    "interrupt": "ground.interrupt",
    "io": "functions.io",
    "linalg": "surface.linalg",
    "math": "surface.math",
    "nest": "ground.nest",
    "nn": "surface.nn",
    "random": "surface.random",
    "raw_ops": "surface.raw_ops",
    "signal": "functions.signal",
    "sparse": "functions.sparse",
    "strings": "functions.strings",
    "summary": "train.summary",
    "sysconfig": "surface.sysconfig",
    "test": "surface.testing",
    "types": "surface.types",
    "version": "ground.version",
}
"""Where each public module is made, both below `wengert`."""
PACKAGES = frozenset(name.rpartition(".")[0] for name in PLACES) - {""}
"""Those that have modules in them."""


def place_of(name: str) -> str | None:
    """Return the true name of a public module, or of one below it; None for what is not served."""
    if not name.startswith("wengert."):
        return None
    head, rest = name[len("wengert.") :], ""
    while head not in PLACES:
        head, dot, last = head.rpartition(".")
        if not dot:
            return None
        rest = f".{last}{rest}"
    return f"wengert.{PLACES[head]}{rest}"


def module(name: str) -> ModuleType:
    """Return a public module by its name below `wengert`, imported now if it has not been."""
    return importlib.import_module(f"wengert.{PLACES[name]}")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the public modules where they are made."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        place = place_of(fullname)
        if place is None or importlib.util.find_spec(place) is None:
            return None
        return ModuleSpec(fullname, self, is_package=fullname.removeprefix("wengert.") in PACKAGES)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        place = place_of(spec.name)
        assert place is not None
        module = importlib.import_module(place)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        served = module.__spec__
        assert served is not None
        module.__spec__ = served.loader_state  # its own, which the machinery has just replaced


def lay() -> None:
    """Serve the public modules in this process."""
    sys.meta_path[:] = [_Finder(), *[f for f in sys.meta_path if type(f).__module__ != __name__]]


def stubs(root: Path) -> list[Path]:
    """Write a stub for each public module into a folder that stands for the package; return the files.

    Each says that the public module has the names of the one that makes it.
    """
    written = []
    for name, place in PLACES.items():
        stem = root / name.replace(".", "/")
        file = stem / "__init__.pyi" if name in PACKAGES else stem.with_suffix(".pyi")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"from wengert.{place} import *\n")
        written.append(file)
    return written
