"""`wengert run -i`: a prompt of Python with the script's names, after the script."""

from __future__ import annotations

import code
import contextlib
import sys
from typing import Any

from wengert.run.failure import status_of

__all__ = ["prompt"]


def prompt(names: dict[str, Any], status: int) -> int:
    """Read and run lines until the input ends; return the status that `exit` was given, the one given if it was not called."""
    if sys.stdin is not None and sys.stdin.isatty():
        with contextlib.suppress(ImportError):  # not on every system
            import readline
            import rlcompleter

            readline.set_completer(rlcompleter.Completer(names).complete)
            readline.parse_and_bind("tab: complete")
    try:
        code.interact(banner="wengert: the script's names are here; exit() or Ctrl-D ends.", local=names, exitmsg="")
    except SystemExit as error:
        return status_of(error)
    return status
