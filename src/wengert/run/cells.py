"""Places in a notebook, "cell 3, line 2", and tracebacks of which our own frames are folded.

IPython compiles each cell under the name of a file that is nowhere. What those names mean is entered in `wengert.ground.context`,
where every place is told: reasons, warnings, errors and plans say it then.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import warnings
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Protocol

from wengert.ground.context import ROOT, cells, place
from wengert.run.notice import Program
from wengert.run.served import TOPS, missing_name

__all__ = ["OWN", "Notebook", "Shell", "folded", "numbered", "saying_cells"]

OWN = (ROOT, "<__autograph_generated")
"""What the names of files begin with whose frames tell a user nothing."""
AROUND = os.path.join(ROOT, "run", "")
"""What runs cells and loads modules: no part of what a user has called."""


class Shell(Protocol):
    """What is asked of IPython's shell, whose types are its own."""

    compile: Any
    events: Any
    InteractiveTB: Any
    ast_transformers: list[Any]
    extension_manager: Any
    magics_manager: Any
    user_ns: dict[str, Any]
    user_global_ns: dict[str, Any]
    push: Any
    register_magic_function: Any
    transform_ast: Any
    transform_cell: Any


class Info(Protocol):
    """What IPython says of a cell that is going to be run."""

    raw_cell: str
    store_history: bool


class Record(Protocol):
    """A frame of a traceback, as IPython tells it."""

    frame: FrameType


class Notebook(Program):
    """The cells of a notebook, and the modules beside it."""

    def __init__(self) -> None:
        """Take the folder in which the kernel works."""
        super().__init__("", os.getcwd())

    def owns(self, filename: str | None) -> bool:
        """Return whether a file is a cell, or lies beside the notebook."""
        return filename in cells or super().owns(filename)


@contextlib.contextmanager
def numbered(shell: Shell) -> Iterator[None]:
    """Enter what cells are called, as a shell compiles them."""
    compiler = shell.compile
    before = type(compiler)
    compiler.__class__ = _numbering(before)
    compiler.outer, compiler.number, compiler.awaited = "", 0, False
    shell.events.register("pre_run_cell", compiler.begin)
    try:
        yield
    finally:
        shell.events.unregister("pre_run_cell", compiler.begin)
        compiler.__class__ = before
        cells.clear()


def _numbering(base: type[Any]) -> type[Any]:
    class Numbering(base):  # type: ignore[misc]
        """IPython's compiler, which enters what it is given."""

        def begin(self, info: Info) -> None:
            """Take note of a cell that is going to be run; magics run others within it, which have no number."""
            if info.store_history:
                self.outer, self.awaited = info.raw_cell, True

        def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
            name: str = super().cache(transformed_code, number, raw_code)
            if self.awaited:
                self.number, self.awaited = number, False
            self._enter(name, raw_code or transformed_code)
            return name

        def __call__(self, source: str | ast.AST, filename: str, symbol: str, **keywords: bool) -> Any:
            if filename in ("<timed exec>", "<timed eval>") and self.outer.lstrip().startswith("%%"):
                body = self.outer.lstrip().partition("\n")[2].lstrip("\n")  # all of them have one name: each gets its own
                filename = f"{filename[:-1]} of cell {self.number}>"
                linecache.cache[filename] = len(body), None, body.splitlines(keepends=True), filename
                self._enter(filename, body)
            return super().__call__(source, filename, symbol, **keywords)

        def _enter(self, name: str, text: str) -> None:
            at = self.outer.rfind(text.strip())  # what is blank above is left out before it is compiled
            cells[name] = f"cell {self.number}", self.outer.count("\n", 0, max(at, 0))

    return Numbering


@contextlib.contextmanager
def saying_cells() -> Iterator[None]:
    """Have warnings say in which cell they arose."""
    before = warnings.formatwarning

    def formatwarning(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        if filename not in cells:
            return before(message, category, filename, lineno, line)
        text = (line or linecache.getline(filename, lineno)).strip()
        return f"{place(filename, lineno)}: {category.__name__}: {message}\n" + (f"  {text}\n" if text else "")

    warnings.formatwarning = formatwarning
    try:
        yield
    finally:
        warnings.formatwarning = before


@contextlib.contextmanager
def folded(shell: Shell, shown: list[bool]) -> Iterator[None]:
    """Fold our own frames in the shell's tracebacks, while ``shown`` is false; say of an import what is there."""
    tracebacks = shell.InteractiveTB
    records, formatted, structured = tracebacks.get_records, tracebacks.format_record, tracebacks.structured_traceback
    counts: dict[int, tuple[int, int]] = {}
    """By the user's frames: how many of ours come before, and after the last."""

    def get_records(etb: TracebackType, context: int, tb_offset: int) -> Any:
        counts.clear()
        seen = etb if shown[0] else _without_ours(etb, counts)
        return [] if seen is None else records(seen, context, tb_offset)

    def format_record(record: Record) -> str:
        before, after = counts.get(id(record.frame), (0, 0))
        return _line(before) + str(formatted(record)) + _line(after)

    def structured_traceback(
        etype: type[BaseException], evalue: BaseException, etb: TracebackType | None = None,
        tb_offset: int | None = None, context: int = 5,
    ) -> list[str]:  # fmt: skip
        if isinstance(evalue, ImportError) and str(evalue.name).partition(".")[0] in TOPS:
            evalue.msg = missing_name(evalue)
        told: list[str] = structured(etype, evalue, etb, tb_offset, context)
        return told

    tracebacks.get_records, tracebacks.format_record = get_records, format_record
    tracebacks.structured_traceback = structured_traceback
    try:
        yield
    finally:
        del tracebacks.get_records, tracebacks.format_record, tracebacks.structured_traceback


def _without_ours(traceback: TracebackType, counts: dict[int, tuple[int, int]]) -> TracebackType | None:
    """Return the user's part of a traceback, None if there is none, and count our frames: to show them would take long, too."""
    every: list[TracebackType] = []
    rest: TracebackType | None = traceback
    while rest is not None:
        every.append(rest)
        rest = rest.tb_next
    kept: list[TracebackType] = []
    count = 0
    for one in every:
        file = one.tb_frame.f_code.co_filename
        if file.startswith(OWN):
            count += not file.startswith(AROUND)
            continue
        counts[id(one.tb_frame)] = count if kept else 0, 0  # what called the user's own is no news
        kept.append(one)
        count = 0
    if not kept:
        return None
    last = id(kept[-1].tb_frame)
    counts[last] = counts[last][0], count
    below: TracebackType | None = None
    for one in reversed(kept):
        below = TracebackType(below, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return below


def _line(count: int | None) -> str:
    if not count:
        return ""
    return f"    [{count} frame{'s' * (count > 1)} of Wengert: %wengert frames on, and run the cell again to see]\n"
