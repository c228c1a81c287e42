"""What a notebook shows of an object as HTML."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import TypeVar

__all__ = ["displayed"]

T = TypeVar("T")
log = logging.getLogger("wengert")


def displayed(make: Callable[[T], str]) -> Callable[[T], str | None]:
    """Make a ``_repr_html_`` of a method that returns HTML: that in a frame with its style, or None, and a text is shown.

    Whoever looks at an object in a debugger or at the end of a cell wants to see it, whatever state it is in: no error arises
    from looking.
    """

    @functools.wraps(make)
    def _repr_html_(self: T) -> str | None:
        from wengert.ground.display import framed

        try:
            return framed(make(self))
        except Exception:
            log.debug("no HTML of a %s", type(self).__name__, exc_info=True)
            return None

    return _repr_html_
