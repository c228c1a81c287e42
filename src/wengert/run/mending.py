"""What is mended while a script runs, and put back afterwards: in this process alone, each with a line when it takes effect."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from wengert.run import arrays, names, pictures
from wengert.run.notice import Program, forget, note
from wengert.run.source import LocalFinder

__all__ = ["SUCCEEDED", "Mending"]

SUCCEEDED = "pyDOE"
"""The module that is gone, and that a successor of the same names serves."""


class _After(importlib.abc.Loader):
    """Loads a module as another loader does, and has something done to it then."""

    def __init__(self, loader: Any, then: Callable[[ModuleType], None]) -> None:
        self.loader, self.then = loader, then

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.then(module)


class _Watch(importlib.abc.MetaPathFinder):
    """Has modules of certain names mended right after they are imported."""

    def __init__(self, wanted: dict[str, Callable[[ModuleType], None]]) -> None:
        self.wanted = wanted

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        then = self.wanted.get(fullname)
        if then is None:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = None if find is None else find(fullname, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _After(spec.loader, then)
                return spec
        return None


class _Successor(importlib.abc.MetaPathFinder):
    """Serves the module that is gone to the program where nobody else has it."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != SUCCEEDED or not self.program.imports():
            return None
        what = "there is no module pyDOE: Wengert's lhs serves it, with pyDOE 0.3.8's points for the same numpy.random.seed"
        note("pyDOE", f"{what} ({self.program.line()})")
        found = importlib.util.find_spec("wengert.run.experiments")
        assert found is not None and found.origin is not None
        return importlib.util.spec_from_file_location(fullname, found.origin)


class Mending(contextlib.ExitStack):
    """A context in which a script is run.

    What the machine lacks (a screen, LaTeX) is made up for, and what libraries have dropped since, where it is asked for.
    ``strict``: nothing is. ``figures``: takes the figures that are shown. ``others``: by the names of modules, what else is done
    to each when it is there; it returns what undoes it. ``unpickled``: files of which `numpy.load` loads pickled objects.
    """

    def __init__(
        self,
        program: Program,
        strict: bool = False,
        figures: pictures.Figures | None = None,
        others: Mapping[str, Callable[[ModuleType], Callable[[], None]]] | None = None,
        unpickled: Sequence[str] = (),
        screenless: str = "agg",
    ) -> None:
        """Take the script, and who keeps the figures. ``screenless``: matplotlib's backend where there is no screen."""
        super().__init__()
        self.program, self.others, self.unpickled = program, others or {}, unpickled
        self.strict, self.figures, self.screenless = strict, figures, screenless

    def __enter__(self) -> Mending:
        """Put everything in place."""
        super().__enter__()
        forget()
        wanted: dict[str, Callable[[ModuleType], None]] = {}
        if not self.strict:
            wanted |= {name: self._serve_names for name in names.MODULES}
            # Before the finder that would find them as they stand, and behind those of what is built in.
            paths = importlib.machinery.PathFinder
            self._find(LocalFinder(self.program), sys.meta_path.index(paths) if paths in sys.meta_path else 0)
            self._find(_Successor(self.program), len(sys.meta_path))
            self.callback(sys.modules.pop, SUCCEEDED, None)
        if not self.strict or self.figures is not None:
            drawing = pictures.Drawing(self.program, self.strict, self.figures, self.callback, self.screenless)
            for name, mend in drawing.modules.items():
                wanted[name] = _both(wanted.get(name), mend)
        wanted["numpy"] = _both(wanted.get("numpy"), self._arrays)
        wanted |= dict.fromkeys(self.others, self._do)
        for name, mend in wanted.items():
            present = sys.modules.get(name)
            if isinstance(present, ModuleType):
                mend(present)
        self._find(_Watch(wanted), 0)
        return self

    def _serve_names(self, module: ModuleType) -> None:
        self.callback(names.serve(module, self.program))

    def _arrays(self, numpy: ModuleType) -> None:
        if not self.strict:
            self.callback(arrays.crossing(numpy, self.program))
        if self.unpickled:
            self.callback(arrays.unpickling(numpy, self.unpickled))

    def _do(self, module: ModuleType) -> None:
        self.callback(self.others[module.__name__](module))

    def _find(self, finder: Any, at: int) -> None:
        sys.meta_path.insert(at, finder)
        self.callback(_taken_out, finder)


def _taken_out(finder: Any) -> None:
    if finder in sys.meta_path:  # the script may have seen to that
        sys.meta_path.remove(finder)


def _both(first: Callable[[ModuleType], None] | None, second: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    if first is None:
        return second

    def mend(module: ModuleType) -> None:
        first(module)
        second(module)

    return mend
