"""What is printed: tables, lines of our own, and names in them."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
import unicodedata
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "in_notebook", "is_rewritable", "shown", "tell", "without_folders"]

WIDE = 1 << 14
"""Columns of a line that nobody folds."""

RIGHT_TO_LEFT = frozenset(["R", "AL", "AN"])
"""Classes of characters that are printed and have what stands beside them reordered; marks and overrides are not printed."""


def shown(text: object) -> str:
    r"""Return a text in which nothing colours, moves, hides or reorders what is read beside it: such characters are escapes.

    They are control and format characters (bidirectional marks, what has no width), ends of lines, letters written from right
    to left, lone surrogates, and what Unicode has not assigned.

    >>> print(shown("loss\x1b[31m \u202eevil\u2069 ∂u"))
    loss\x1b[31m \u202eevil\u2069 ∂u
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_plain(c) else c.encode("unicode_escape").decode() for c in text)


def _is_plain(character: str) -> bool:
    return character.isprintable() and unicodedata.bidirectional(character) not in RIGHT_TO_LEFT


def without_folders(text: str) -> str:
    """Return a text with the names of files alone, without the folders.

    >>> without_folders("tanh (/home/ada/heat.py:28)")
    'tanh (heat.py:28)'
    """
    return re.sub(r"(?<![\w.])[\w.~-]*(?:[/\\\\][\w.~ -]+)*[/\\\\]([\w.-]+:\d+)", r"\1", text)


def tell(text: object) -> None:
    """Print a line of ours to standard error, as `shown` has it. Where that cannot be written to, what is to be done goes on."""
    if sys.stderr is not None:  # else print would take standard output
        with contextlib.suppress(Exception):  # whatever stands there: closed, a pipe that nobody reads, an object of the script's
            print(shown(text), file=sys.stderr, flush=True)


def in_notebook(stream: TextIO | None = None) -> bool:
    """Whether a kernel runs this, and its own output is where a stream (standard output, if none is given) goes."""
    kind = type(sys.stdout if stream is None else stream)
    return any(base.__module__.startswith("ipykernel.") for base in kind.__mro__)


def is_rewritable(stream: TextIO) -> bool:
    """Whether a line there can be written over: a terminal, and what a notebook shows of a cell."""
    return bool(getattr(stream, "isatty", bool)()) or in_notebook(stream)


@functools.cache
def _console() -> type[Console]:
    from rich.console import Console

    class Shown(Console):
        """A console through which every text goes as `shown` has it: what is printed, titles, and the cells of tables."""

        def render_str(self, text: str, **options: Any) -> Any:
            return super().render_str(shown(text), **options)

        def on_broken_pipe(self) -> None:
            raise  # what is being handled: the command, and not rich, says what its status is

    return Shown


def console(file: Any = None, stderr: bool = False, width: int | None = None) -> Console:
    """Return a console as wide as the terminal; where there is none (a pipe, a file, a text), a line may have any width.

    What reads a pipe reads lines: a table folded to 80 columns is of no use to it. ``COLUMNS`` says otherwise, and ``width``.
    """
    kind = _console()
    if file is not None:  # neither a kernel's page nor in colours, whatever the process has around it
        return kind(file=file, width=width or WIDE, force_jupyter=False, force_terminal=False)
    usual = kind(file=file, stderr=stderr, width=width)
    if width is not None or usual.is_terminal or usual.is_jupyter or os.environ.get("COLUMNS"):
        return usual
    return kind(file=file, stderr=stderr, width=WIDE)
