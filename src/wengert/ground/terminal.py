"""Where tables are printed."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["console"]

WIDE = 1 << 14
"""Columns of a line that nobody folds."""


def console(file: Any = None) -> Any:
    """Return a console as wide as the terminal; where there is none (a pipe, a file), a line may have any width.

    What reads a pipe reads lines: a table folded to 80 columns is of no use to it. ``COLUMNS`` says otherwise.
    """
    from rich.console import Console

    usual = Console(file=file)
    if usual.is_terminal or usual.is_jupyter or os.environ.get("COLUMNS"):
        return usual
    return Console(file=file, width=WIDE)
