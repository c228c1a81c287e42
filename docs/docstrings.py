"""A Griffe extension: doctests in docstrings become code blocks of the pages."""

from __future__ import annotations

import re
from typing import Any

import griffe

DOCTEST = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Puts fences around what begins with `>>>` and ends with an empty line, and drops the `::` before literal blocks."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring is not None:
            text = DOCTEST.sub(lambda block: f"```pycon\n{block[0]}\n```", obj.docstring.value)
            obj.docstring.value = re.sub(r"^::$", "", text, flags=re.MULTILINE)
