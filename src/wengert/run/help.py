"""`wengert help NAME`: what an error or a warning means, and what to do."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from wengert.ground import terminal
from wengert.ground.terminal import tell

__all__ = ["help_on", "sections"]


def sections() -> dict[str, str]:
    """Return what is written about each error and warning, in Markdown, by its name.

    >>> sections()["ShapeError"].splitlines()[0]
    '## ShapeError'
    """
    text = Path(__file__).with_name("errors.md").read_text(encoding="utf-8")
    found = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {one.partition("\n")[0].removeprefix("## "): one for one in found}


def help_on(name: str | None = None) -> int:
    """Print the section of an error or a warning, or the names of all; return 1 where there is none of that name."""
    known = sections()
    if name is None:
        console = terminal.console()
        console.print("wengert help NAME, where NAME is one of")
        for one in known:
            console.print(f"  {one}", markup=False)
        return 0
    wanted = name.rpartition(".")[2]  # as a traceback says it: wengert.errors.ShapeError
    by_case = {one.casefold(): one for one in known}
    found = by_case.get(wanted.casefold())
    if found is None:
        near = [by_case[one] for one in difflib.get_close_matches(wanted.casefold(), by_case, n=3, cutoff=0.5)]
        hint = f"; near: {', '.join(near)}" if near else ""
        tell(f"wengert help: there is no page of {wanted}{hint}. `wengert help` lists all.")
        return 1
    console = terminal.console()
    if not console.is_terminal:  # as it is written: rich would fill each line with blanks up to the width, which a pipe has not
        print(known[found], end="")
        return 0
    from rich.markdown import Markdown

    console.print(Markdown(known[found]))
    return 0
