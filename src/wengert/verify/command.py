"""The command `wengert check`: of a function at a point, of all that a script differentiates, or of the operations themselves."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import math
import os
import re
import sys
import traceback
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.ground import terminal
from wengert.ground.context import ROOT
from wengert.verify.report import Report

__all__ = ["Trouble", "add_arguments", "check_command", "value_of"]

RANDOM = re.compile(r"random\(\s*(\d+(?:\s*,\s*\d+)*)?\s*,?\s*\)")


MOST = 10_000_000
"""Numbers of one argument of a point."""


class Trouble(Exception):
    """The command cannot be carried out; the message says why."""


def value_of(text: str, rng: np.random.Generator) -> Any:
    """Return the value that a text says: Python's numbers and lists, ``random(8, 1)``, or ``@FILE.npy``.

    Raises:
        Trouble: if it says none.

    >>> value_of("[[0.5], [1]]", np.random.default_rng(0)).tolist()
    [[0.5], [1.0]]
    >>> value_of("random(8, 1)", np.random.default_rng(0)).shape
    (8, 1)
    """
    if text.startswith("@"):
        return _read(text[1:])
    random = RANDOM.fullmatch(text.strip())
    if random:
        return _random(text, random.group(1) or "", rng)
    try:
        array = np.asarray(ast.literal_eval(text.strip()))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise Trouble(f"{_cut(text)!r} is no value: give a number, a list of numbers, random(8, 1), or @FILE.npy") from None
    if array.dtype.kind not in "iufcb":
        raise Trouble(f"{_cut(text)!r} is no array of numbers")
    # A point is real: `--at x=1` does not mean an integer.
    return array.astype(np.float64) if array.dtype.kind in "iu" else array


def _read(path: str) -> Any:
    try:
        if zipfile.is_zipfile(path):
            raise Trouble(f"{path} holds several arrays; give a file of one (.npy)")
        # Mapped, so that its size is known before anything is allocated: a damaged header may say any.
        found = np.lib.format.open_memmap(path, mode="r")
        _bounded(path, found.shape)
        return np.array(found)
    except (OSError, ValueError, EOFError, MemoryError, OverflowError, SyntaxError) as error:
        raise Trouble(f"{path} is not an array that can be read: {error}") from None


def _random(text: str, sizes: str, rng: np.random.Generator) -> Any:
    try:
        shape = tuple(int(n) for n in sizes.split(",") if n.strip())
        _bounded(_cut(text), shape)
        return rng.normal(size=shape)
    except ValueError as error:
        raise Trouble(f"{_cut(text)!r} is no shape of an array: {error}") from None


def _bounded(what: str, shape: tuple[int, ...]) -> None:
    if math.prod(max(n, 1) for n in shape) > MOST:
        raise Trouble(f"{what} is more numbers than {MOST:,}, and a derivative is proved at a point of so many at most")


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _function(target: str, style: str | None) -> Callable[..., Any]:
    """Import MODULE:FUNCTION or FILE.py:FUNCTION, with `import tensorflow` served."""
    from wengert.run.script import serve, style_of

    name, _, attribute = target.rpartition(":")
    if not name or not all(part.isidentifier() for part in attribute.split(".")):
        raise Trouble(f"{target!r} is neither a script nor MODULE:FUNCTION")
    folder = os.path.dirname(os.path.abspath(name)) if name.endswith(".py") else os.getcwd()
    sys.path.insert(0, folder)
    try:
        if name.endswith(".py"):
            if not os.path.isfile(name):
                raise Trouble(f"there is no file {name}")
            serve(style or style_of(name))
            module_name = os.path.splitext(os.path.basename(name))[0]
            spec = importlib.util.spec_from_file_location(module_name, name)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[module_name] = module
            spec.loader.exec_module(module)
        else:
            serve(style or "tf2")
            module = importlib.import_module(name)
    except Trouble:
        raise
    except ModuleNotFoundError as error:
        raise Trouble(f"cannot import {name}: {error}") from None
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((ROOT, "<frozen"))]
        place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
        raise Trouble(f"{name} fails when it is imported: {type(error).__name__}: {error}{place}") from error
    found: Any = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise Trouble(f"{name} has no function {attribute}")
    return found  # type: ignore[no-any-return]


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show what is being done, on stderr where that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = terminal.console(stderr=True)
    columns = [TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("checking", total=None)

        def show(what: str, done: int, count: int) -> None:
            bar.update(task, description=terminal.shown(what), completed=done, total=count)

        yield show


def check_command(given: Any) -> int:
    """Carry out `wengert check`; return 0 if nothing is wrong, 1 if something is, 2 if the command cannot be carried out."""
    try:
        report, status = _checked(given)
        if given.html is not None:
            _write(given.html, report.html(f"wengert check {given.target or 'operations'}"))
        if given.json == "-":
            print(report.json())
        else:
            if given.json is not None:
                _write(given.json, report.json() + "\n")
            report.show(every=given.every)
    except Trouble as trouble:
        terminal.tell(f"wengert check: {trouble}")
        return 2
    if status:
        terminal.tell(f"the script ended with status {status}; what it differentiated until then was checked")
    return 1 if status or not report.ok else 0


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise Trouble(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None


def _checked(given: Any) -> tuple[Report, int]:
    try:
        from wengert.verify import check
    except ImportError as error:
        raise Trouble(str(error)) from None
    rng = np.random.default_rng(given.seed)
    if given.operations:
        from wengert.verify.operations import check_operations

        names = given.target.split(",") if given.target else None
        try:
            with _progress() as show:
                return check_operations(order=given.order or 4, points=given.points, names=names, progress=show), 0
        except KeyError as error:
            raise Trouble(f"there is no operation {error.args[0]!r}") from None
    if not given.target:
        raise Trouble("name a script, or MODULE:FUNCTION with --at")
    if given.target.endswith(".py") or (":" not in given.target and os.path.isfile(given.target)):
        if given.at:
            raise Trouble("--at goes with MODULE:FUNCTION; a script is checked at the values with which it runs")
        return _of_script(given)
    f = _function(given.target, given.style)
    if not given.at:
        raise Trouble("say at which point: --at x=0.5, or --at x=random(8,1) --at t=random(8,1)")
    point: dict[str, Any] = {}
    for item in given.at:
        name, equals, text = item.partition("=")
        if not equals or not name:
            raise Trouble(f"--at takes NAME=VALUE, not {item!r}")
        point[name] = value_of(text, rng)
    try:
        with _progress() as show:
            show(given.target, 0, 1)
            report = check(f, point, given.order or 2, executors=not given.rules, seed=given.seed)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise Trouble(str(error)) from error
    return report, 0


def _of_script(given: Any) -> tuple[Report, int]:
    from wengert.run.script import run_script
    from wengert.verify.script import check_script

    if given.order not in (None, 1):
        raise Trouble("--order goes with MODULE:FUNCTION; of a script each derivative is checked that it takes")

    def run() -> int:
        # What a program prints must not mix with what is printed here as JSON.
        with contextlib.redirect_stdout(sys.stderr) if given.json == "-" else contextlib.nullcontext():
            process = os.getpid()
            status = run_script(given.target, given.arguments, given.style, "numpy")
            if os.getpid() != process:  # a child that was forked: its parent judges
                raise SystemExit(status)
            return status

    if not os.path.isfile(given.target):
        raise Trouble(f"there is no script {given.target}")
    with _progress() as show:
        status, report = check_script(run, show, given.seed)
    return report, status


def add_arguments(parser: Any) -> None:
    """Add the command's arguments to a parser."""
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--tf1", dest="style", action="store_const", const="tf1", help="TensorFlow 1's names, graph mode")
    style.add_argument("--tf2", dest="style", action="store_const", const="tf2", help="TensorFlow 2's names, eagerly")
    parser.add_argument("--at", action="append", default=[], metavar="NAME=VALUE",
                        help="the point, an argument at a time: a number, a list, random(8,1), @FILE.npy")  # fmt: skip
    parser.add_argument("--order", type=_whole(1, 8), help="the greatest order, 1 to 8 (2 for a function)")
    parser.add_argument("--rules", action="store_true", help="judge the rules alone, and not what executors make of them")
    parser.add_argument("--operations", action="store_true", help="check the library's own operations (or those named: a,b,c)")
    parser.add_argument("--points", type=_whole(1, 1_000_000), default=20, help="random points for each operation (20)")
    parser.add_argument("--every", action="store_true", help="a line for each road")
    parser.add_argument("--seed", type=_whole(0, 2**64), default=0, help="of random points, directions and weights (0)")
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="write everything as JSON, to stdout or a file")
    parser.add_argument("--html", metavar="FILE", help="write a page that can be read without a network")
    parser.add_argument("target", nargs="?", metavar="SCRIPT.py | MODULE:FUNCTION")
    parser.add_argument("arguments", nargs="*", metavar="ARGS", help="arguments of the script")


def _whole(least: int, most: int) -> Callable[[str], int]:
    import argparse

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= 20) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most} is wanted, not {_cut(text)!r}")
        return int(text)

    return read
