"""`wengert explain`: how each derivative of a script was found, and why."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wengert.derive.choice import Choice
from wengert.derive.lowered import Lowered, watchers
from wengert.execute import program as choose
from wengert.ground import terminal
from wengert.ground.displayed import displayed
from wengert.ground.terminal import without_folders
from wengert.run.plans import NOTHING, PASSES, planned

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Explanation", "explain"]


class Explanation:
    """What was chosen for the derivatives of all lists that were lowered in a with block.

    >>> import wengert as tf
    >>> from wengert.run.explain import Explanation
    >>> with Explanation() as explanation, tf.Graph().as_default():
    ...     x = tf.compat.v1.placeholder(tf.float32, [None, 1])
    ...     u_xx = tf.gradients(tf.gradients(tf.sin(x), x)[0], x)[0]
    ...     with tf.compat.v1.Session() as sess:
    ...         value = sess.run(u_xx, {x: [[0.5], [1.0]]})
    >>> [(c.method, c.order) for c in explanation.choices]
    [('taylor', 1), ('taylor', 2)]
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.choices: list[Choice] = []
        self.notes: list[tuple[str, str]] = []
        self.operations: list[int] = []

    def _see(self, lowered: Lowered) -> None:
        self.choices += [c for c in lowered.choices if c not in self.choices]
        self.notes += [n for n in lowered.notes if n not in self.notes]
        self.operations.append(len(lowered.nodes))

    def __enter__(self) -> Explanation:
        """Begin to look on."""
        self._watcher: Callable[[Lowered], None] = self._see
        watchers.append(self._watcher)
        return self

    def __exit__(self, *exception: Any) -> None:
        """Look on no more."""
        watchers.remove(self._watcher)

    @displayed
    def _repr_html_(self) -> str:
        return planned(self.choices, self.notes, self.operations)

    def show(self, console: Console | None = None) -> None:
        """Print two tables, the derivatives and the sums of them, to the terminal or to a console of rich's."""
        from rich import box
        from rich.markup import escape
        from rich.table import Table

        console = console or terminal.console()
        if not self.choices:
            console.print(NOTHING)
            return
        table = Table(title="Derivatives", box=box.SIMPLE_HEAD)
        for name, side in (("line", "left"), ("by", "left"), ("order", "right"), ("method", "left"), ("passes", "right"),
                           ("nested reverse", "right"), ("why", "left")):  # fmt: skip
            table.add_column(name, justify=side)  # type: ignore[arg-type]
        for c in self.choices:
            passes = f"{c.cost:.0f}" if c.method == "taylor" else ""
            row = (
                without_folders(c.where),
                c.what,
                str(c.order),
                c.method,
                passes,
                f"{c.reverse_cost:.0f}",
                without_folders(c.reason),
            )
            table.add_row(*map(escape, row))
        console.print(table)
        if self.notes:
            sums = Table(title="Sums of derivatives", box=box.SIMPLE_HEAD)
            sums.add_column("line")
            sums.add_column("what became of them")
            for where, text in self.notes:
                sums.add_row(escape(without_folders(where)), escape(text))
            console.print(sums)
        console.print(
            f"{len(self.operations)} lists were lowered, of {', '.join(map(str, self.operations))} operations. {PASSES}"
        )


def explain(run: Callable[[], int]) -> int:
    """Run something, then print how its derivatives were found, and who ran what; return what it returned."""
    choose.looked_at, process = [], os.getpid()
    try:
        with Explanation() as explanation:
            try:
                status = run()
            finally:
                if os.getpid() == process:  # a child that was forked leaves it to its parent
                    explanation.show()
                    for program in choose.looked_at:
                        if program.decision:
                            print(terminal.shown(f"executor: {program.decision}"))
    finally:
        choose.looked_at = None
    return status
