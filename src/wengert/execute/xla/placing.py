"""What of a list each device has its own rows of, and what every device has as a whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from wengert.execute.plan import Step
from wengert.execute.tiles.cut import Item
from wengert.execute.tiles.run import Tiling
from wengert.execute.xla.mesh import Mesh
from wengert.execute.xla.state import SMALL
from wengert.execute.xla.walk import Walk
from wengert.graph.node import Node
from wengert.ops.linear import CONSTANT
from wengert.ops.state import ASSIGN, HANDLE, READ

__all__ = ["Places", "Spreading"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def _works(item: Item) -> bool:
    """Whether a step computes anything."""
    return item.step.node.op not in (CONSTANT, HANDLE, READ, ASSIGN)


class Spreading(Tiling):
    """A list that is cut for devices: every row-wise part is spread, however little work it is."""

    def small(self) -> frozenset[int]:
        """Return the numbers of rows that nothing is done for."""
        return frozenset() if self.passes else frozenset({n for n, _ in self.rows.values()})


class Places:
    """For the arguments of an executable, the axes along which their rows are spread; None: each device has them whole.

    What comes from outside is spread if nothing but passes reads it, along one axis. A variable keeps its rows spread from run
    to run, where they divide by the devices and one process sees all of them.
    """

    def __init__(self, tiling: Tiling | None, mesh: Mesh | None, variables: Sequence[Any], feeds: int) -> None:
        """Look at a cut list, of which there are so many feeds; without a mesh nothing is spread."""
        self.of: dict[int, int] = {}
        """By the slots of what comes from outside."""
        self.assigned: dict[Node, int] = {}
        """The assignments to variables that are spread."""
        self.variables: list[int | None] = [None] * len(variables)
        self.feeds: list[int | None] = [None] * feeds
        self.constants: dict[int, int | None] = {}
        self.draws: dict[int, int | None] = {}
        self.mesh, self.tiling = mesh, tiling
        if mesh is not None and tiling is not None:
            self._look(tiling, mesh, variables)

    def _look(self, tiling: Tiling, mesh: Mesh, variables: Sequence[Any]) -> None:
        axes, apart = self._readers(tiling)

        def axis(slot: int) -> int | None:
            found = axes.get(slot, ())
            return next(iter(found)) if len(found) == 1 and slot not in apart else None

        self.feeds = [axis(slot) for slot in tiling.plan.feeds]
        for slot, found in zip(tiling.plan.feeds, self.feeds, strict=True):
            if found is not None:
                self.of[slot] = found
        values: dict[int, list[int]] = defaultdict(list)
        for step in tiling.plan.steps:
            op = step.node.op
            if op is CONSTANT and step.node.attrs["value"].dtype.kind != "O" and step.node.attrs["value"].nbytes > SMALL:
                values[id(step.node.attrs["value"])].append(step.output)
            elif op.draws and op.outputs == 1 and (found := axis(step.output)) is not None:
                self.of[step.output] = found
        for slots in values.values():  # one value, one argument
            alike = {axis(slot) for slot in slots}
            found = alike.pop()
            if not alike and found is not None:
                self.of.update(dict.fromkeys(slots, found))
        if not mesh.wide:
            for at in range(len(variables)):
                self._variable(tiling, mesh, at, variables, axis)

    def _readers(self, tiling: Tiling) -> tuple[dict[int, set[int]], set[int]]:
        """Return along which axes passes load a value, and which values somebody needs with all rows."""
        axes: dict[int, set[int]] = defaultdict(set)
        whole = set(tiling.plan.fetches)
        for pass_ in tiling.passes:
            for load in pass_.loads:
                axes[load.slot].add(load.axis)
        for item in tiling.items:
            shapes = item.step.node.op.shapes_only(len(item.step.inputs))
            for p, slot in enumerate(item.step.inputs):
                if p not in (shapes if item.role == "whole" else item.references) and p not in item.slices:
                    whole.add(slot)
        return axes, whole

    def _variable(self, tiling: Tiling, mesh: Mesh, at: int, variables: Sequence[Any], axis: Callable[[int], int | None]) -> None:
        variable = variables[at]
        handles, reads, assigns = set(), [], []
        for step in tiling.plan.steps:
            if step.node.op is HANDLE and step.node.attrs["variable"] is variable:
                handles.add(step.output)
            elif any(
                slot in handles and p not in step.node.op.shapes_only(len(step.inputs)) for p, slot in enumerate(step.inputs)
            ):
                if step.node.op is READ:
                    reads.append(step)
                elif step.node.op is ASSIGN and step.inputs[0] in handles and step.inputs[1] not in handles:
                    assigns.append(step)
                else:
                    return
        kept, *others = {axis(step.output) for step in reads} or {None}
        if kept is None or others or handles & set(tiling.plan.fetches):
            return
        sizes = variable.sizes
        if sizes is None or None in sizes or sizes[kept] % mesh.size:
            return
        values = [tiling.specs.get(step.inputs[1]) for step in assigns]
        if any(spec is None or tuple(spec.sizes) != tuple(sizes) for spec in values):
            return
        self.variables[at] = kept
        self.of.update((step.output, kept) for step in reads)
        self.assigned.update((step.node, kept) for step in assigns)

    def note(self, walk: Walk, step: Step) -> None:
        """Learn, before a step is walked, which argument it will be."""
        if step.node.op.draws:
            self.draws[len(walk.draws)] = self.of.get(step.output)
        elif step.node.op is CONSTANT:
            at, _ = walk.constants.get(id(step.node.attrs["value"]), (len(walk.constants), None))
            self.constants[at] = self.of.get(step.output)

    def told(self) -> str:
        """Return in words what is spread, and what is not."""
        if self.tiling is None:
            return "all of them do the same, since nothing has rows"
        rows = sorted({pass_.n for pass_ in self.tiling.passes})
        spread = sum(len(pass_.items) for pass_ in self.tiling.passes)
        alike = Counter(item.step.node.op.name for item in self.tiling.items if item.role == "whole" and _works(item))
        names = ", ".join(f"{count} {name}" for name, count in alike.most_common(8))
        text = f"{spread} operations are spread by their {' and '.join(map(str, rows))} rows"
        return f"{text}; each device does the rest alike: {names}" if names else text

    def fetched(self, slot: int) -> bool:
        """Whether a fetch that has rows may come as the devices have it."""
        if self.mesh is None or self.mesh.wide or self.tiling is None:
            return False
        n, _ = self.tiling.rows.get(slot, (1, 0))
        return n % self.mesh.size == 0
