"""A script's source, wherever it is: a file, a pipe, standard input, or a folder or an archive with a ``__main__.py``.

It is read once: a pipe gives it only once.
"""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import sys
from importlib.machinery import ModuleSpec
from typing import NamedTuple

__all__ = ["Source", "read", "read_module"]


class Source(NamedTuple):
    """A script, and what Python says of where it is."""

    name: str
    """As it was given: what the script finds as ``sys.argv[0]``."""
    file: str
    """What stands in tracebacks."""
    folder: str
    """What the script finds as ``sys.path[0]``."""
    text: bytes
    spec: ModuleSpec | None = None
    """The specification of ``__main__`` of a folder or an archive."""


def read(path: str) -> Source:
    """Read a script.

    Raises:
        OSError: if it cannot be read.
    """
    if path == "-":
        if sys.stdin is None:
            raise OSError(0, "standard input is closed")
        text = sys.stdin.buffer.read()
        return Source(path, "<stdin>", "", text)
    file = _absolute(path)
    importer = pkgutil.get_importer(file) if path and os.path.exists(file) else None
    if importer is not None:
        spec = importer.find_spec("__main__", None)
        get_data = getattr(spec and spec.loader, "get_data", None)
        if spec is None or get_data is None or spec.origin is None or not spec.origin.endswith(".py"):
            raise FileNotFoundError(2, "there is no __main__.py in it")
        return Source(path, spec.origin, file, get_data(spec.origin), spec)
    with open(path, "rb") as opened:
        text = opened.read()
    return Source(path, file, os.path.dirname(os.path.realpath(path)), text)


def read_module(name: str) -> Source:
    """Read a module that is to be run as `python -m` runs it; its folder is that in which the process works.

    Raises:
        ModuleNotFoundError: if there is none.
        ImportError: if it cannot be run.
    """
    folder = os.getcwd()
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
            if spec is None:
                raise ImportError(f"{name} is a package without a __main__.py")
    finally:
        sys.path.remove(folder)
    if spec is None:
        raise ModuleNotFoundError(f"there is no module {name}", name=name)
    get_source = getattr(spec.loader, "get_source", None)
    text = None if get_source is None else get_source(spec.name)
    if text is None or spec.origin is None:
        raise ImportError(f"there is no source of the module {name}")
    return Source(spec.origin, spec.origin, folder, text.encode(), spec)


def _absolute(path: str) -> str:
    """Return a path from the root on, not shortened, as Python makes ``__file__``."""
    try:
        return os.path.join(os.getcwd(), path)
    except FileNotFoundError:  # the folder in which the process works is gone
        return path
