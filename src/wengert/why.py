"""Why a gradient is None: which operation broke the path, and where."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from wengert.context import ROOT, Site, recent
from wengert.dtypes import as_dtype
from wengert.errors import NoGradientWarning
from wengert.tensor import EagerTensor, SymbolicTensor, Tensor

__all__ = ["why"]


def warn_none(ys: Sequence[Any], xs: Sequence[Any], tape: Any, entries: Sequence[Any]) -> None:
    """Warn, once for a call, that some gradients are None, with the reason for the first."""
    text = reason(ys, xs[0], tape, entries)
    more = f" ({len(xs) - 1} more gradients are None.)" if len(xs) > 1 else ""
    warnings.warn(NoGradientWarning(text + more), stacklevel=_outside())


def _outside() -> int:
    import sys

    level, frame = 1, sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(ROOT):
        frame = frame.f_back  # type: ignore[assignment]
        level += 1
    return level


def why(target: Any, source: Any, tape: Any = None) -> str:
    """Return why the gradient of a target by a source is None: the operation that broke the path, its file and line.

    ``tape``: the tape that was asked, where there is one.

    >>> import wengert as tf
    >>> x = tf.constant(2.0)
    >>> print(tf.why(tf.floor(x), x).partition(" at ")[0])
    Floor has no derivative (its output is constant piece by piece), and the path from source to target passes through it
    """
    targets = list(target) if isinstance(target, list | tuple) else [target]
    for t in (*targets, source):
        if not isinstance(t, Tensor) and not hasattr(t, "_as_tensor") and (t is not None or t is source):
            raise TypeError(f"why: target and source must be tensors or variables, not {t!r}.")
    if tape is not None and not hasattr(tape, "entries"):
        raise TypeError(f"why: tape must be a GradientTape, not {tape!r}.")
    return reason(targets, source, tape, () if tape is None else tape.entries)


def reason(ys: Sequence[Any], x: Any, tape: Any, entries: Sequence[Any]) -> str:
    """Return the reason in a sentence or two."""
    ys = [y._as_tensor() if hasattr(y, "_as_tensor") else y for y in ys if y is not None]
    if not ys:
        return "The target is None: it is itself a gradient that is not there. Ask why of that one."
    if getattr(x, "nptype", None) is not None and x.nptype.kind not in "fc":
        return f"The source has dtype {x.dtype.name}: only floating and complex tensors have derivatives. Use cast(x, float32)."
    for y in ys:
        if y.nptype.kind not in "fc":
            return f"The target has dtype {y.dtype.name}, made by {_made(y)}: an integer or Boolean has no derivative."
    if any(isinstance(y, SymbolicTensor) for y in ys):
        return _symbolic(ys, x, tape, entries)
    return _eager(ys, x, tape, entries)


def _name(op: Any) -> str:
    return str(op.type)


def _broken(op: Any, where: str) -> str:
    """Say what an operation without a derivative is."""
    if op.name == "stop_gradient":
        return f"stop_gradient at {where} blocks the path from source to target."
    if op.name == "cast":
        return f"Cast at {where} goes through an integer or Boolean, and the path from source to target passes through it."
    if op.name in ("zeros_like", "ones_like", "shape", "size"):
        return f"{_name(op)} at {where} uses only the shape, not the values; nothing else connects source and target."
    return (
        f"{_name(op)} has no derivative (its output is constant piece by piece), and the path from source to target passes "
        f"through it at {where}."
    )


def _made(t: Any) -> str:
    if isinstance(t, SymbolicTensor):
        return f"{_name(t.op.op)} at {t.op.where}"
    made = t.made
    if made is None:
        return "a constant"
    return f"{_name(made[0])}{_at(made)}"


def _at(made: Any) -> str:
    return "" if made is None or made[2] is None else f" at {Site(*made[2])}"


# --- eagerly: from what tensors remember of themselves, the tape's entries, and the latest operations of the thread ----------


def _eager(ys: Sequence[Any], x: Any, tape: Any, entries: Sequence[Any]) -> str:
    made: dict[int, Any] = dict(recent.copy())
    for op, inputs, output, _ in entries:
        for t in output if op.outputs != 1 else (output,):
            if isinstance(t, EagerTensor) and t.made is not None:
                made[t.n] = t.made
        for t in inputs:
            if isinstance(t, EagerTensor) and t.made is not None:
                made[t.n] = t.made
    held = getattr(tape, "_held", ())
    for t in (*ys, *held, x):
        if isinstance(t, EagerTensor) and t.made is not None:
            made[t.n] = t.made
    live = getattr(tape, "live", None)

    # Back from the target, through everything that is remembered, to the source.
    parent: dict[int, int] = {}
    seen = {y.n for y in ys}
    pending = list(seen)
    source = x.n
    while pending and source not in parent and source not in seen:
        n = pending.pop()
        how = made.get(n)
        if how is None:
            continue
        for m in how[1]:
            if m not in seen:
                seen.add(m)
                parent[m] = n
                pending.append(m)
    if source in {y.n for y in ys}:
        return "Target and source are the same tensor, and the tape did not watch it: call tape.watch(x) before it is used."
    if source in parent:
        path = []
        n = source
        while n in parent:
            n = parent[n]
            path.append(n)
        for n in path:
            op = made[n][0]
            if op.kind == "constant":
                return _broken(op, str(Site(*made[n][2])) if made[n][2] else "an unknown place")
            if op.name == "cast" and as_dtype(made[n][3]["dtype"]).kind not in "fc":
                return _broken(op, str(Site(*made[n][2])))
        if live is not None and path:
            first = made[path[0]]
            if path[0] not in live or source not in live:
                if any(t.n in path for t in held):
                    return (
                        f"The source was used by {_name(first[0])}{_at(first)} before the tape watched its result. Watch the "
                        "source itself (tape.watch(source)) and make that operation inside of the with block."
                    )
                if source not in live:
                    return (
                        f"The tape never watched the source, which {_name(first[0])}{_at(first)} uses: call tape.watch(source) "
                        "before that line, inside of the with block."
                    )
                return (
                    f"{_name(first[0])}{_at(first)} was computed while the tape was not recording (before its with block began, "
                    "after it ended, or within stop_recording): move that line into the with block, after watch."
                )
            for n in path:
                if n not in live:
                    return (
                        f"{_name(made[n][0])}{_at(made[n])} was computed while the tape was not recording: move that line into "
                        "the with block, after watch."
                    )
        return "Target and source are connected, but the derivative is known to vanish (as that of a linear function's slope)."
    if live is not None and any(y.n in live for y in ys) and source in live:
        return (
            "The target does not depend on the source, as far as the operations that the tape recorded show: the derivative of "
            "what connects them is constant, or nothing connects them."
        )
    lost = [y for y in ys if y.made is None]
    if lost or any(made.get(n) is None and n not in {t.n for t in held} for n in seen):
        hint = _numpy_hint(ys, made, seen, source)
        if hint:
            return hint
    if live is not None and source not in live:
        return "The tape never watched the source: call tape.watch(source) before it is used (trainable variables are watched)."
    return (
        "Target and source are not connected by any operation. (A value that goes through NumPy, float() or int() on the way "
        "is a constant.)"
    )


def _numpy_hint(ys: Sequence[Any], made: Any, seen: Any, source: int) -> str:
    for n in sorted(seen, reverse=True):
        if made.get(n) is None and n > source:
            using = [how for how in made.values() if how is not None and n in how[1]]
            where = _at(using[0]) if using else ""
            return (
                f"The target depends on a constant made after the source{' and used' + where if where else ''}, and not on the "
                "source itself: if that constant was computed from the source by NumPy or Python numbers, the path ends there. "
                "Compute it with tensor operations instead."
            )
    return ""


# --- in a graph: from its structure ---------------------------------------------------------------------------------------


def _symbolic(ys: Sequence[Any], x: Any, tape: Any, entries: Sequence[Any]) -> str:
    graph = next(y.graph for y in ys if isinstance(y, SymbolicTensor))
    if hasattr(x, "handle_in"):
        x = x.handle_in(graph)
    if not isinstance(x, SymbolicTensor) or x.graph is not graph:
        return (
            "The source is not a tensor of the target's graph: a value from outside enters a graph as a constant. Make the "
            "source inside, or pass it as an argument of the function."
        )
    parent: dict[int, Any] = {}
    pending = [y for y in ys if isinstance(y, SymbolicTensor)]
    seen = {y.n for y in pending}
    while pending and x.n not in seen:
        t = pending.pop()
        for u in t.op.inputs:
            if u.n not in seen:
                seen.add(u.n)
                parent[u.n] = t
                pending.append(u)
    if x.n not in seen:
        return "The target does not depend on the source: no operation of the graph leads from one to the other."
    path = []
    n = x.n
    while n in parent:
        path.append(parent[n])
        n = parent[n].n
    for t in path:
        if t.op.op.kind == "constant":
            return _broken(t.op.op, t.op.where)
        if t.op.op.name == "cast" and (t.nptype.kind not in "fc" or t.op.inputs[0].nptype.kind not in "fc"):
            return _broken(t.op.op, t.op.where)
    if tape is not None and x.n not in tape.live:
        first = path[0] if path else ys[0]
        return (
            f"The source was used by {_name(first.op.op)} at {first.op.where} before the tape watched its result, and the tape "
            "did not watch the source. Watch the source itself (tape.watch(source)) before that line."
        )
    for t in path:
        if t.op.op.name == "gradient":
            return (
                f"The gradient taken at {t.op.where} does not depend on the source: it is the derivative of something linear in "
                "it, so the next derivative is absent."
            )
    if tape is not None:
        for t in path:
            if t.n not in tape.live:
                return f"{_name(t.op.op)} at {t.op.where} was made while the tape was not recording."
    return "The target does not depend on the source through any operation with a derivative."
