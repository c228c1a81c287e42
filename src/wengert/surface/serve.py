"""The public modules of the package, such as `wengert.math` and `wengert.compat.v1`, and the finder that serves them.

The table says what each is (`wengert.surface.table`): a module that is made elsewhere, under another name, so that one object is
found in two places; or a namespace of names that several modules make. Static tools, which do not run the finder, read stubs.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from wengert.surface.keywords import called
from wengert.surface.table import TABLE, Names, names, parts

__all__ = ["Namespace", "lay", "listed", "module", "part", "values"]

PACKAGES = frozenset(name.rpartition(".")[0] for name in TABLE) - {""}
"""The public modules that have modules in them."""


def values(namespace: str) -> dict[str, Any]:
    """Return the names of a namespace, and what each is."""
    found = {}
    for public, (place, inner, call) in names(namespace).items():
        value = getattr(importlib.import_module(f"wengert.{place}"), inner)
        found[public] = value if call is None else called(public, value, call)
    return found


def listed(namespace: str) -> list[str]:
    """Return the names of a namespace that are for all, modules in it among them."""
    return sorted(name for name in {*names(namespace), *parts(namespace)} if not name.startswith("_"))


def part(namespace: str, name: str) -> ModuleType:
    """Return a module of a namespace, imported when it is first asked for.

    Raises:
        AttributeError: if there is none of that name.
    """
    place = parts(namespace).get(name)
    if place is None:
        raise AttributeError(_missing(namespace, name))
    return module(place)


def _missing(namespace: str, name: str) -> str:
    row = TABLE[namespace]
    if isinstance(row, Names) and row.known and not name.startswith("__"):
        *most, last = listed(namespace)
        return f"{row.known}.{name} is not in Wengert; of {row.known} there are {', '.join(most)} and {last}."
    return f"module {'.'.join(filter(None, ['wengert', namespace]))!r} has no attribute {name!r}"


def module(name: str) -> ModuleType:
    """Return a public module by its name below `wengert`, imported now if it has not been."""
    return importlib.import_module(f"wengert.{name}")


class Namespace(ModuleType):
    """A public module that the table makes: its names are there at once, the modules in it when they are asked for."""

    def __getattr__(self, name: str) -> ModuleType:
        found = part(self.__name__.removeprefix("wengert."), name)
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__all__})


def place_of(name: str) -> str | None:
    """Return where a public module that is served as it is, or one below it, is made; None for what is not served so."""
    if not name.startswith("wengert."):
        return None
    head, rest = name[len("wengert.") :], ""
    while head not in TABLE:
        head, dot, last = head.rpartition(".")
        if not dot:
            return None
        rest = f".{last}{rest}"
    row = TABLE[head]
    return f"wengert.{row}{rest}" if isinstance(row, str) and row != head else None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the public modules."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        name = fullname.removeprefix("wengert.")
        if name == fullname or not isinstance(TABLE.get(name), Names):
            place = place_of(fullname)
            if place is None or importlib.util.find_spec(place) is None:
                return None
        return ModuleSpec(fullname, self, is_package=name in PACKAGES)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        place = place_of(spec.name)
        if place is None:
            return Namespace(spec.name)
        module = importlib.import_module(place)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        served = module.__spec__
        assert served is not None
        if served.loader_state is not None:
            module.__spec__ = served.loader_state  # its own, which the machinery has just replaced
            return
        namespace = served.name.removeprefix("wengert.")
        row = TABLE[namespace]
        assert isinstance(row, Names)
        module.__doc__ = row.about
        module.__dict__.update(values(namespace), __all__=listed(namespace))


def lay() -> None:
    """Serve the public modules in this process."""
    sys.meta_path[:] = [_Finder(), *[f for f in sys.meta_path if type(f).__module__ != __name__]]
