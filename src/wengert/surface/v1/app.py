"""TensorFlow 1's ``tf.app``: run a script's main function with its flags read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from wengert.surface.v1 import flags

__all__ = ["flags", "run"]


def run(main: Callable[..., Any] | None = None, argv: Sequence[str] | None = None) -> None:
    """Read the flags, call main with what is left of the command line, and end the process with what it returns."""
    function = main if main is not None else sys.modules["__main__"].main
    given = list(sys.argv if argv is None else argv)
    try:
        rest = flags.FLAGS(given)
    except flags.Error as error:
        print(f"FATAL Flags parsing error: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(function(rest))
