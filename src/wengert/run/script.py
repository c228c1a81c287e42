"""Running a TensorFlow script: ``import tensorflow`` finds Wengert, in this process and in those that it starts for its work.

A script that uses names which only TensorFlow 1 had at the top (``tf.placeholder``, ``tf.Session``) gets TensorFlow 1's
names there and starts in graph mode; any other gets TensorFlow 2's and starts eagerly. One that calls ``tf.gradients`` eagerly is
recorded.
"""

from __future__ import annotations

import contextlib
import os
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from wengert.ground.context import called, state
from wengert.ground.errors import DataLossError
from wengert.ground.terminal import tell
from wengert.modes.recording import recording
from wengert.run.children import Settings, serving
from wengert.run.debts import Debts
from wengert.run.failure import report, report_source, status_of
from wengert.run.mending import Mending
from wengert.run.notice import Program
from wengert.run.pictures import Figures
from wengert.run.reading import Source, read, read_module
from wengert.run.served import MissingName, Served, serve
from wengert.run.source import NAMES, compiled
from wengert.run.style import style_of, wants_recording
from wengert.train import summary

if TYPE_CHECKING:
    from wengert.run.resumption import Resumption

__all__ = ["MissingName", "Served", "run_script", "serve", "style_of", "wants_recording"]


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
    unpickled: Sequence[str] = (),
    module: bool = False,
) -> int:
    """Run a script as ``__main__`` with ``import tensorflow`` served; return the exit status.

    A name that is not served, and an error of the script, are printed to standard error.

    Args:
        path: the script: a file, a pipe, ``-`` for standard input, or a folder or an archive with a ``__main__.py``.
        arguments: what it finds in `sys.argv`.
        style: "tf1" or "tf2"; as its source says unless given.
        executor: who runs graphs and functions, for this and whatever comes after it in this process.
        strict: mend nothing that libraries have dropped or that the machine lacks.
        progress: show steps, loss and rate, where standard error is a terminal.
        figures: a folder for the figures that it shows or leaves open.
        interactive: offer a prompt with its names in the end.
        checkpoint: a file that its variables start from, if it is there, and are written to.
        every: after how many seconds the checkpoint is written again.
        unpickled: files of which ``np.load`` unpickles what is pickled in them, which may run any code.
        module: whether the path is the name of a module, run as ``python -m`` runs it.
    """
    try:
        source = read_module(path) if module else read(path)
    except ImportError as error:
        return _refused(str(error))
    except FileNotFoundError as error:
        return _refused(f"there is no script {path}" + (f": {error.strerror}" if os.path.exists(path) else ""))
    except (OSError, ValueError) as error:
        return _refused(f"the script {path} cannot be read: {getattr(error, 'strerror', None) or error}")
    style = style or style_of(source)
    try:
        code = compiled(source.text, source.file, eased=not strict)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return report_source(error, source.file)
    if executor is not None:
        from wengert.surface.config import set_executor

        try:
            set_executor(executor)
        except ImportError as error:
            return _refused(str(error))
    try:
        kept = None if figures is None else Figures(figures)
        resumption = _resumption(checkpoint, every)
    except (OSError, ValueError, DataLossError) as error:
        return _refused(str(error))
    serve(style)
    called[source.file] = source.name
    main = _main(source, not strict)

    def executed() -> int:
        status = _executed(code, main, usual)
        if resumption is not None and not status:
            resumption.completed = True
        return status

    settings = Settings(source, style, strict, wants_recording(source), unpickled=tuple(unpickled))
    usual = sys.excepthook
    with contextlib.ExitStack() as stack:
        debts = Debts(answering=progress or kept is not None or resumption is not None)
        stack.callback(debts.close)
        stack.enter_context(_in_its_place(main, source, arguments))
        if state.graph is None and settings.recorded:
            stack.enter_context(recording())
        stack.enter_context(Mending(Program(source.file, source.folder), strict, kept, serving(settings), unpickled))
        if progress:
            bar = _bar()
            stack.enter_context(bar)
            debts.owe("the line of steps", lambda: [("the line of steps", bar.close)], bar.forsake)
        if kept is not None:
            debts.owe("the figures", kept.debts)
        if resumption is not None:
            stack.enter_context(resumption)
            debts.owe("the checkpoint", resumption.debts, resumption.forsake)
        debts.owe("the summaries", lambda: [(r.path, r.flush) for r in list(summary.records) if r.wanted()])
        status = debts.settled(executed)
        if interactive and not debts.terminated:
            from wengert.run.prompt import prompt

            ended = status
            status = debts.settled(lambda: prompt(main.__dict__, ended))
    return status


def _refused(why: str) -> int:
    tell(f"wengert run: {why}")
    return 2


def _resumption(file: str | None, every: float) -> Resumption | None:
    if file is None:
        return None
    from wengert.run.resumption import Resumption

    return Resumption(file, every)


def _bar() -> Any:
    from wengert.run.bar import Bar

    return Bar()


def _main(source: Source, eased: bool) -> types.ModuleType:
    main = types.ModuleType("__main__")
    main.__file__ = source.file
    if source.spec is not None:
        main.__spec__, main.__loader__, main.__package__ = source.spec, source.spec.loader, source.spec.parent
    main.__dict__["__builtins__"] = __builtins__
    if eased:
        main.__dict__.update(NAMES)
    return main


@contextlib.contextmanager
def _in_its_place(main: types.ModuleType, source: Source, arguments: Sequence[str]) -> Iterator[None]:
    """Let a script find its arguments, its folder and itself where Python puts them."""
    # multiprocessing has another name for it: what a child gives back is looked up there.
    before = sys.argv, sys.path[0], {name: sys.modules.get(name) for name in ("__main__", "__mp_main__")}
    sys.argv, sys.path[0] = [source.name, *arguments], source.folder
    sys.modules.update(dict.fromkeys(before[2], main))
    try:
        yield
    finally:
        sys.argv, sys.path[0] = before[0], before[1]
        for name, module in before[2].items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def _executed(code: types.CodeType, main: types.ModuleType, usual: Callable[..., object]) -> int:
    """Run the script's code; return the status that it ends with."""
    try:
        exec(code, main.__dict__)
    except SystemExit as error:
        return status_of(error)
    except BaseException as error:
        return report(error, usual)
    return 0
