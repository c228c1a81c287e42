"""What a script under `wengert run` starts for its work with multiprocessing is served ``import tensorflow`` too.

A child that is forked has all that its parent has. One that is spawned, or started by a fork server, is a new Python: it is
sent how to set itself up, in a dictionary that it unpickles first of all, and then imports the script under another name. Here
that dictionary gets two more entries. Unpickling the one sets the child up as Python would have, but for the script;
unpickling the other serves TensorFlow and runs the script as its parent has compiled it.
"""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, NamedTuple

from wengert.ground.context import state
from wengert.ground.errors import NoGradientWarning
from wengert.ground.options import options
from wengert.modes.recording import recording
from wengert.run import notice
from wengert.run.failure import report, report_source, status_of
from wengert.run.mending import Mending
from wengert.run.reading import Source
from wengert.run.served import serve
from wengert.run.source import NAMES, compiled
from wengert.surface.config import set_executor

__all__ = ["Settings", "begin", "serving"]

SPAWNING = ("multiprocessing.spawn", "loky.backend.spawn", "joblib.externals.loky.backend.spawn")
"""The modules that send it."""

MAIN = "init_main_from_path"
"""Its entry that names the script's file, where there is one."""

NAMED = "init_main_from_name"
"""Its entry that names the script's module, where it is run as one."""


class Settings(NamedTuple):
    """How a script is run."""

    source: Source
    style: str
    strict: bool
    recorded: bool
    imported: bool = False
    """Whether the child is to import the script."""
    executor: str = "native"
    quiet: bool = False
    """Whether nothing is said of gradients that are None."""
    told: frozenset[str] = frozenset()
    """What has been said already of what was mended."""
    unpickled: tuple[str, ...] = ()
    """Files of which pickled objects are loaded."""


class _Call:
    """An object that is unpickled by a call."""

    def __init__(self, function: Callable[..., object], argument: Settings | dict[str, Any]) -> None:
        self.call = function, (argument,)

    def __reduce__(self) -> Any:
        return self.call


def serving(settings: Settings) -> dict[str, Callable[[ModuleType], Callable[[], None]]]:
    """Return, by the names of the modules that start processes, what has each serve them; that returns what undoes it."""

    def serve(module: ModuleType) -> Callable[[], None]:
        before = module.get_preparation_data

        def get_preparation_data(name: str, *more: bool) -> dict[str, Any]:
            data: dict[str, Any] = before(name, *more)
            imported = data.pop(MAIN, None) is not None
            module_name = data.pop(NAMED, None)  # of `wengert run -m`: else Python would import it, and nothing were served yet
            imported |= module_name is not None and module_name.rpartition(".")[2] != "__main__"
            quiet = any(action == "ignore" and kind is NoGradientWarning for action, _, kind, *_ in warnings.filters)
            now = settings._replace(imported=imported, executor=options.executor, quiet=quiet, told=notice.told())
            # The first sets sys.path, on which the second is found.
            return data | {"wengert": (_Call(module.prepare, data), _Call(begin, now))}

        vars(module)["get_preparation_data"] = get_preparation_data

        def undo() -> None:
            vars(module)["get_preparation_data"] = before

        return undo

    return dict.fromkeys(SPAWNING, serve)


_held: list[AbstractContextManager[object]] = []
"""In a child: the contexts in which it runs, which nobody leaves."""


def begin(settings: Settings) -> None:
    """Serve TensorFlow in a child, for as long as it lives, and run its parent's script there as a module."""
    serve(settings.style)
    set_executor(settings.executor)
    if settings.quiet:
        warnings.simplefilter("ignore", NoGradientWarning)
    program = notice.Program(settings.source.file, settings.source.folder)
    mending = Mending(program, settings.strict, None, serving(settings), settings.unpickled).__enter__()
    _held.append(mending)
    notice.forget(settings.told)
    if state.graph is None and settings.recorded:
        mending.enter_context(recording())
    if settings.imported:
        _import(settings)


def _import(settings: Settings) -> None:
    eased, file = not settings.strict, settings.source.file
    main = types.ModuleType("__mp_main__")
    main.__file__ = file
    if eased:
        main.__dict__.update(NAMES)
    sys.modules["__main__"] = sys.modules["__mp_main__"] = main
    try:
        code = compiled(settings.source.text, file, eased)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SystemExit(report_source(error, file)) from None
    try:
        exec(code, main.__dict__)
    except SystemExit as error:
        raise SystemExit(status_of(error)) from None
    except BaseException as error:
        raise SystemExit(report(error, sys.excepthook)) from None
