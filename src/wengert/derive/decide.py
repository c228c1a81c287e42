"""Whether a gradient by an x is found along directions, and along which; a refusal says why not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.derive.choice import Path, Refusal, mentions_output
from wengert.derive.directions import Directions, tail
from wengert.derive.frame import Frame, axes_of_rows, others_of
from wengert.derive.lowered import Lowered
from wengert.derive.rows import Rows
from wengert.derive.series import Series
from wengert.derive.survey import Survey, name_of
from wengert.graph.node import Node
from wengert.ground.options import options
from wengert.ground.shapes import is_full
from wengert.ground.types import Array
from wengert.ops.state import HANDLE, READ

__all__ = ["Decisions"]


class Decisions:
    """The choices of one lowering, for each gradient and each x."""

    def __init__(self, lowered: Lowered, series: Series, survey: Survey, directions: Directions) -> None:
        """Take the list being made, its series, what is known of the source list, and the directions."""
        self.lowered, self.series, self.survey, self.directions = lowered, series, survey, directions
        self.rows: dict[Any, Rows] = {}
        self.paths: dict[Any, Path] = {}

    def frame(self, node: Node, x: Any, t: Any, out: Any, bases: Any, blocked: frozenset[int]) -> Frame:
        """Return the directions along which a gradient is found.

        ``node``: the Gradient node, ``t`` its x and ``out`` its output in the source list; ``x``: that x as it is lowered.

        Raises:
            Refusal: with the reason, where reverse mode is taken.
        """
        if not options.taylor:
            raise Refusal("Taylor mode is switched off")
        if x.nptype.kind != "f" or any(d.nptype != x.nptype for d, _ in bases):
            raise Refusal("the dtypes are not one real dtype")
        if x.sizes is None:
            raise Refusal(f"the shape of {name_of(t)} is not known")
        if any(b.sizes is None for d, _ in bases for b in d.tensors.values()):
            raise Refusal("a shape on the way is not known")
        self._check_related(x, blocked)
        for other, at, before in self.survey.awkward:
            if other.index > node.index and t.n in before and at.n != t.n:
                raise Refusal(
                    f"a derivative by {name_of(at)} is taken of this one, and {at.node.op.name}, by which that is computed, "
                    "names its output in its derivative"
                )
        high = self.survey.height[node]
        variable = t.node.op in (HANDLE, READ)
        nested = self.survey.nested_by(node, t)
        if variable and not nested:
            raise Refusal("a variable, and the order in it is one")
        if is_full(x.sizes) and math.prod(x.sizes) == 1:
            if high <= 1 and not any(len(b.sizes) == len(x.sizes) for d, _ in bases for b in d.tensors.values()):
                raise Refusal("reverse mode costs less: one number, order one")
            self._check_path(x, bases, blocked)
            return self._allowed(node, t, out, Frame(x, None, None, 1), bases, blocked)
        reasons = []
        for axis in axes_of_rows(x):
            rest = others_of(x, axis)
            if None in rest or not math.prod(rest):
                reasons.append(f"the number of columns of {name_of(t)} is not known")
                continue
            if x.sizes[axis] == 1 and len(x.sizes) > 1:
                continue  # one row: its elements are columns
            try:
                frame = self._row_frame(x, axis, math.prod(rest), bases, blocked)
                return self._allowed(node, t, out, frame, bases, blocked)
            except Refusal as refusal:
                reasons.append(str(refusal))
        if is_full(x.sizes) and 0 < math.prod(x.sizes) <= 64 and len(x.sizes) == 1 and high > 1:
            self._check_path(x, bases, blocked)
            return self._allowed(node, t, out, Frame(x, None, None, math.prod(x.sizes)), bases, blocked)
        raise Refusal(reasons[0] if reasons else "its elements are not independent rows")

    def _check_related(self, x: Any, blocked: frozenset[int]) -> None:
        """Raise Refusal if the order of derivatives by x and by an earlier source matters.

        It does where one is computed from the other by an operation whose partial derivative is stated through its output:
        of exp(x), which is v, a derivative by v is left in the derivative by x, but not the other way round.
        """
        for seed, source in self.directions.taken.items():
            if source.n == x.n:
                continue
            later = x if self.series.depends(x, seed) else None
            if later is None and mentions_output(source.node):
                path = self._path(x, blocked)
                later = source if source.n in path.reasons else None
            if later is not None and mentions_output(later.node):
                raise Refusal(f"{later.node.op.name}, by which {name_of(later)} is computed, names its output in its derivative")

    def _path(self, x: Any, blocked: frozenset[int]) -> Path:
        """Return what depends on x, up to date."""
        path = self.paths.setdefault((x.n, blocked), Path(x, blocked))
        path.advance(self.lowered.nodes)
        return path

    def _allowed(
        self, node: Node, t: Array | None, out: Any, frame: Frame, bases: Sequence[Any], blocked: frozenset[int]
    ) -> Frame:
        """Return the frame with what it costs; raise Refusal where reverse mode costs less, or must decide."""
        if frame.width == 1:
            reason = self.directions.stands_in(self.directions.seed(frame, (0,), blocked), bases)
            if reason is not None:
                raise Refusal(reason)
        dear = self.survey.dear(node, t, out, frame.width)
        if dear is not None and not self.survey.asked[out.n].summed:
            raise Refusal(dear)
        return frame._replace(dear=dear)

    def _row_frame(self, x: Any, axis: int, count: int, bases: Any, blocked: frozenset[int]) -> Frame:
        key = (x.n, axis, blocked)
        if key not in self.rows:
            self.rows[key] = Rows({x.n: axis}, x.node.index + 1, blocked - {x.n})
        rows = self.rows[key]
        rows.advance(self.lowered.nodes, len(self.lowered.nodes))
        self._check_path(x, bases, blocked)
        for d, g in bases:
            for n, base in d.tensors.items():
                if n in rows.mixed and not tail(base, rows):
                    raise Refusal(rows.mixed[n])
                if n in rows.axes and not is_full(base.sizes) and None in others_of(base, rows.axes[n]):
                    raise Refusal("a shape on the way is not known")
            if g is not None and g.sizes is None:
                raise Refusal("the shape of a cotangent is not known")
        return Frame(x, axis, rows, count)

    def _check_path(self, x: Array | None, bases: Any, blocked: frozenset[int]) -> None:
        """Raise Refusal if an operation between x and the bases has no series."""
        path = self._path(x, blocked)
        for d, _ in bases:
            for n in d.tensors:
                if path.reasons.get(n):
                    raise Refusal(path.reasons[n])
