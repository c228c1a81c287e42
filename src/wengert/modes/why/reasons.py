"""Reasons in words: each true, and what it says to do helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.derive.questions import GRADIENT
from wengert.derive.reverse import Entry, rule
from wengert.derive.structure import connected
from wengert.ground.context import Site, left
from wengert.ground.types import Array
from wengert.modes.why.past import Edge, Flaw, Past, Step
from wengert.ops.control import CALL
from wengert.ops.linear import CAST, CONSTANT, STOP_GRADIENT
from wengert.ops.op import values
from wengert.ops.state import CUSTOM, HANDLE, PY_FUNCTION, READ
from wengert.tensor.tensor import FROM_NUMPY, SymbolicTensor, value_of

__all__ = ["reason"]

LIBRARY = "a function of NumPy"


def reason(ys: Sequence[Any], x: Any, tape: Any, entries: Sequence[Any]) -> str:
    """Return the reason in a sentence or two."""
    ys = [value_of(y) for y in ys if y is not None]
    if not ys:
        return "The target is None: it is itself a gradient that is not there. Ask why of that one."
    if getattr(x, "nptype", None) is not None and x.nptype.kind not in "fc":
        return (
            f"The source has dtype {x.dtype.name}: only floating and complex tensors have derivatives. Make it one, such as "
            "constant(10.0) for constant(10), or cast(x, float32) before it is watched and used."
        )
    return _Reason(ys, x, tape, entries).text()


class _Reason:
    def __init__(self, ys: Sequence[Any], x: Any, tape: Any, entries: Sequence[Any]) -> None:
        self.ys, self.x, self.tape, self.entries = ys, x, tape, entries
        self.past = Past(tape, entries, ys, x)

    def text(self) -> str:
        for y in self.ys:
            if y.nptype.kind not in "fc" and y.n != self.x.n:
                made = self.past.step(y.n)
                how = "" if made is None or made.site is None else f", made by {_name(made)}"
                return f"The target has dtype {y.dtype.name}{how}: an integer, a Boolean or text has no derivative."
        if any(y.n == self.x.n for y in self.ys):
            return "Target and source are the same tensor, and the tape did not watch it: call tape.watch(x) before it is used."
        way = self.past.way([y.n for y in self.ys], self.x.n)
        if way is None:
            return self._unconnected()
        sentences = self._of_way(way)
        if not sentences:
            return self._of_no_flaw(way)
        return " ".join([sentences[0], *[f"Besides: {one}" for one in sentences[1:2]]])

    # --- what is wrong on the way ------------------------------------------------------------------------------------------

    def _of_way(self, way: list[Edge]) -> list[str]:
        flaws = [(k, edge.flaw) for k, edge in enumerate(way) if edge.flaw is not None]
        found = [_of_nature(flaw, self._user(way, k)) for k, flaw in flaws if flaw.kind in ("nature", "memory")][:1]
        found += [_outer(flaw.step) for _, flaw in flaws if flaw.kind == "outer"][:1]
        if self.tape is not None:
            found += self._of_tape(way, [flaw.step for _, flaw in flaws if flaw.kind == "hidden"])
        else:
            found += [
                f"The target depends on the source through the gradient that was taken at {flaw.step.where} while nothing "
                "recorded it: take it inside of the with block of a tape."
                for _, flaw in flaws
                if flaw.kind == "hidden"
            ][:1]
        found += [_slope(flaw.step.where) for _, flaw in flaws if flaw.kind == "slope"][:1]
        return found

    def _of_tape(self, way: list[Edge], hidden: list[Step]) -> list[str]:
        tape, x, past = self.tape, self.x, self.past
        first = next((s for s in map(self._step_of, way) if s is not None), None)
        if not past.is_watched() and not (_is_variable(x) and x.trainable and tape._watch_accessed):
            return [self._unwatched(way, first, hidden)]
        if hidden:
            return [self._hidden(hidden[0], way)]
        unseen = next((e for e in way if not past.is_live(e.above) and self._step_of(e) is not None), None)
        if unseen is None or tape._watch_all or any(e.flaw is not None for e in way):
            return []
        if any(past.is_inside(e.above) and past.is_live(e.above) for e in way[: way.index(unseen)]):
            return []  # the tape saw the call of a function, which gave nothing that changes with the source
        step = past.step(unseen.above)
        assert step is not None
        if _is_variable(x) and unseen.below not in tape.live:
            return [
                f"{_name(step)} uses what was read of variable {x._name} before the tape's with block began: read it, or use "
                "the variable itself, inside of the block."
            ]
        return [f"{_name(step)} used the source before the tape watched it: call tape.watch(source) before that line."]

    def _user(self, way: list[Edge], k: int) -> Step | None:
        """Return the next operation on the way."""
        return self.past.step(way[k + 1].above) if k + 1 < len(way) else None

    def _step_of(self, edge: Edge) -> Step | None:
        """Return the user's operation that a step back is, None for the reading of a variable and the like."""
        step = edge.flaw.step if edge.flaw is not None else self.past.step(edge.above)
        assert step is not None
        return None if step.op is READ or step.op is CONSTANT or step.attrs.get("captured") or step.site is None else step

    def _unwatched(self, way: list[Edge], first: Step | None, hidden: list[Step]) -> str:
        tape, x = self.tape, self.x
        uses = "" if first is None else f", which {_name(first)} uses"
        before = "before it is used" if first is None else "before that line"
        if _is_variable(x):
            if not x.trainable:
                return (
                    f"The tape never watched the source{uses}: variable {x._name} has trainable=False (as all those of a frozen "
                    f"layer have), and tapes watch by themselves what is trainable alone. Call tape.watch(source) {before}, "
                    "inside of the with block."
                )
            return (
                f"The tape never watched the source{uses}: it was made with watch_accessed_variables=False. Call "
                f"tape.watch(source) {before}, inside of the with block, or leave that argument out."
            )
        above = {edge.above for edge in way}
        held = [n for n in tape._held if n in above]
        if held and hidden:
            return (
                f"The source was used by {_name(hidden[0])} before the tape watched its result. Watch the source itself "
                "(tape.watch(source)) and make that operation inside of the with block."
            )
        note = ""
        made = self.past.step(x.n)
        watched = [n for n in tape._held if x.n in self.past.all([n])]
        if watched:
            step = self.past.step(watched[0])
            note = "" if step is None else f" It watches another tensor, which {_name(step)} made of it."
        elif made is not None and made.site is not None and any(self._is_read(m) for m in made.inputs):
            note = (
                f" It is no variable, which tapes watch by themselves, but a tensor that {_name(made)} made of one; "
                "variable.assign(value) would have kept the variable."
            )
        if hidden:
            return (
                f"The tape never watched the source, and {_name(hidden[0])} was computed {self._when(way, hidden[0])}: call "
                f"tape.watch(source), and move that line into the with block, after it.{note}"
            )
        return f"The tape never watched the source{uses}: call tape.watch(source) {before}, inside of the with block.{note}"

    def _is_read(self, n: float) -> bool:
        step = self.past.step(n)
        return step is not None and step.op is READ

    def _when(self, way: list[Edge], step: Step) -> str:
        """Return when something was computed that the tape did not record."""
        n = next(edge.above for edge in way if edge.flaw is not None and edge.flaw.step is step)
        spans = self.past.spans
        if n < self.tape.forgot:
            return "before the tape forgot everything (tape.reset())"
        if not spans:
            return "while the tape did not record (nothing was computed in its with block)"
        if n < spans[0][0]:
            return "before the tape's with block began"
        if n > spans[-1][1]:
            return "after the tape's with block had ended"
        return "while the tape did not record (stop_recording)"

    def _hidden(self, step: Step, way: list[Edge]) -> str:
        when = self._when(way, step)
        if step.op is GRADIENT or (step.site is not None and Site(*step.site).sweep):
            return (
                f"The gradient that was taken at {step.where}, on which the target depends, was computed {when}, so that the "
                "tape did not see how: take that gradient inside of the with block."
            )
        if "reset" in when:
            return f"{_name(step)} was computed {when}: reset only before what is to be differentiated."
        if "nothing" in when:
            return f"{_name(step)} was computed {when}: compute inside of the block, or ask the tape in whose block it was."
        return f"{_name(step)} was computed {when}: move that line into the with block, after watch."

    # --- nothing is wrong on the way ---------------------------------------------------------------------------------------

    def _of_no_flaw(self, way: list[Edge]) -> str:
        if self.past.in_graph:
            ys = [y for y in self.ys if y.__class__ is SymbolicTensor]
            if self.x.__class__ is SymbolicTensor and self.x.graph is ys[0].graph and connected(ys, [self.x], frozenset())[0]:
                return self._there()
            for edge in reversed(way):
                step = self.past.step(edge.above)
                if step is not None and step.op is GRADIENT:
                    return _slope(step.where)
            return "Every operation between source and target gives a derivative, but they give none together: it vanishes."
        entries: dict[float, Entry] = {}
        for entry in self.entries:
            for t in entry[2] if isinstance(entry[2], tuple | list) else (entry[2],):
                entries[t.n] = entry
        for edge in reversed(way):
            entry = entries.get(edge.above)
            step = self.past.step(edge.above)
            if step is not None and self.past.is_inside(edge.above):
                if step.op is GRADIENT:
                    return _slope(step.where)
                if step.op is CUSTOM and not _states(step, edge):
                    return f"The custom gradient of {_name(step)} returns None for what comes from the source."
            if entry is None or step is None or step.op is READ or step.attrs.get("captured"):
                continue
            if step.op is CALL and Site(*step.site).sweep:
                return _slope(step.where)
            if not _passes(entry, edge):
                told = "The custom gradient of " if step.op.kind == "custom" else ""
                return f"{told}{_name(step)} returns None for what comes from the source."
        return self._there()

    def _there(self) -> str:
        if self.tape is None and not self.past.in_graph:
            return (
                "Nothing is wrong with the path from source to target: a tape gives the gradient that watches the source, and in "
                "whose with block all of the path is computed."
            )
        return "Nothing is wrong with the path from source to target: the gradient is not None."

    # --- there is no way -----------------------------------------------------------------------------------------------------

    def _unconnected(self) -> str:
        before = self.past.all([y.n for y in self.ys])
        text = self._through_numpy(before)
        if text:
            return text
        return self._beside(before) or self._of_constants(before)

    def _beside(self, before: set[float]) -> str:
        """Return the reason where the source was made of something that the target depends on as well."""
        n, part = self.x.n, True
        made = step = self.past.step(n)
        while made is not None and step is not None:
            inputs = [m for i, m in enumerate(step.inputs) if i not in step.op.constant_inputs]
            if len(inputs) != 1 or step.op.kind == "constant":
                return ""
            n, part = inputs[0], part and step.op.kind == "linear"
            if n in before:
                whole = self._called(n)
                other = f", or take the gradient by {whole} and then the same part of that" if part else ""
                return (
                    f"The target was not computed from the source: both come from {whole}. {_name(made)} made the source of it, "
                    f"and nothing on the way to the target uses that. Compute the target from the source{other}."
                )
            step = self.past.step(n)
        return ""

    def _called(self, n: float) -> str:
        step = self.past.step(n)
        if step is not None and (step.op is READ or step.op is HANDLE):
            return "the variable"
        if step is None or step.site is None or step.op is CONSTANT or not step.inputs:
            return "the same tensor"
        return f"the result of {_name(step)}"

    def _through_numpy(self, before: set[float]) -> str:
        """Return the reason where values that depend on the source left for Python, and others came in later."""
        past, x = self.past, self.x
        entered = sorted(n for n in before if (s := past.step(n)) is not None and s.op.kind == "constant" and not s.inputs)
        gone_before = [one for one in left.copy() if entered and one[2] < entered[-1]]
        depending = past.led_to([n for n, *_ in gone_before], x.n)
        for n, how, when, site in reversed(gone_before):
            if n in depending:
                later = [m for m in entered if m > when]
                arrays = [m for m in later if (s := past.step(m)) is not None and s.attrs is FROM_NUMPY]
                where = self._entry(arrays[0] if arrays else later[0], before)
                gone = "the source" if n == x.n else "what depends on the source"
                if not how.endswith(")") and how != LIBRARY:
                    return (
                        f"At {Site(*site)} {gone} was read as {how}, which has no derivative; nothing else leads from the source "
                        "to the target."
                    )
                return (
                    f"The path ends where the values of {gone} leave for NumPy or Python, by {how} at {Site(*site)}: the "
                    f"target depends on numbers that came in {where}, and numbers have no past. Compute with tensors and "
                    "their functions in between."
                )
        return ""

    def _entry(self, n: float, before: set[float]) -> str:
        """Return where a constant entered: where it was made, or else where it is used."""
        step = self.past.step(n)
        assert step is not None
        if step.site is not None:
            return f"at {step.where}"
        using = [s for m in sorted(before) if (s := self.past.step(m)) is not None and n in s.inputs and s.site is not None]
        return f"at {using[0].where}" if using else "later"

    def _of_constants(self, before: set[float]) -> str:
        past = self.past
        if past.in_graph:
            return (
                "The target does not depend on the source: no operation of the graph leads from one to the other. (What "
                "follows from a tensor's shape alone does not depend on its values.)"
            )
        if any(past.step(n) is None and n < past.oldest and n > self.x.n for n in before):
            memory = "only the latest 4096 operations are remembered, beside what the tape recorded."
            if not past.is_watched():
                return f"{self._unwatched([], None, [])} (Whether the target depends on it is not known: {memory})"
            return f"No way from the source to the target is known: {memory}"
        arrays = [n for n in sorted(before) if (s := past.step(n)) is not None and s.attrs is FROM_NUMPY]
        if arrays:
            return (
                "The target does not depend on the source: nothing leads from one to the other. It depends on numbers that "
                f"came in from NumPy {self._entry(arrays[-1], before)}; if those are the source's, give the source itself."
            )
        return (
            "The target does not depend on the source: the two are not connected by any operation. (A value that goes "
            "through NumPy, float() or int() on the way is a constant.)"
        )


# --- words ------------------------------------------------------------------------------------------------------------------


def _name(step: Step) -> str:
    return f"{step.op.type} at {step.where}"


def _is_variable(x: Array | None) -> bool:
    return hasattr(x, "trainable") and hasattr(x, "readings")


def _slope(where: str) -> str:
    return (
        f"The gradient that was taken at {where} is the same for all values of the source, as the slope of something linear is: "
        "no operation of it uses the source. Its derivative is zero, which None stands for."
    )


def _outer(step: Step) -> str:
    return (
        f"{_name(step)} was computed outside of the graph or function of the target, which has its result as a constant: compute "
        "it inside, from the source."
    )


def _of_nature(flaw: Flaw, user: Step | None) -> str:
    """Say what passes no derivative. ``user``: the next operation on the way."""
    step, where = flaw.step, flaw.step.where
    name = step.op.name
    if flaw.kind == "memory":
        variable = f"variable {flaw.note}" if flaw.note else "a variable"
        return (
            f"{step.attrs['how']} at {where} wrote what depends on the source into {variable}, and what a variable holds has no "
            "past. Compute the target from the tensor that is assigned, not from the variable."
        )
    if name == "numpy_function" or (user is not None and user.op is PY_FUNCTION and user.site == step.site):
        return _NUMPY.format(where=where)
    if step.op is STOP_GRADIENT:
        return f"stop_gradient at {where} blocks the path from source to target: leave it out where a derivative is wanted."
    if step.op is CAST:
        return (
            f"Cast at {where} goes through an integer or Boolean ({step.attrs['dtype']}), which has no derivative, and the path "
            "from source to target passes through it."
        )
    if step.op.gives in _WORDS:
        return _WORDS[step.op.gives].format(name=step.op.type, where=where)
    if name.startswith("strings."):
        return f"{step.op.type} at {where} goes through text, which has no derivative: convert with cast, not with strings."
    if step.op.kind != "constant" and step.op.partials and step.op.partials[flaw.position] is None and step.op.gives != "step":
        return f"{_name(step)} states no derivative by its input number {flaw.position + 1}, through which the path goes."
    if step.op.kind != "constant" and step.op.gives != "step":
        return (
            f"{_name(step)} takes what depends on the source as a condition, as positions or as a shape (its input number "
            f"{flaw.position + 1}), which has no derivative."
        )
    return f"{step.op.type} has no derivative, and the path from source to target passes through it at {where}."


_NUMPY = (
    "numpy_function at {where} (or a dataset there) computes with NumPy, where no derivative follows: use tensors and their "
    "functions outside of it, in py_function if it has to be Python."
)
_WORDS = dict(
    shape="{name} at {where} uses only the shape, not the values; nothing else connects source and target.",
    truth="{name} at {where} gives Booleans, which have no derivative (they are constant piece by piece). Where a choice "
          "between values is meant, where(condition, a, b) passes on the derivatives of a and b.",
    place="{name} at {where} gives positions, whole numbers that have no derivative. Take the values there, with gather or "
          "reduce_max: those have one.",
    step="{name} has no derivative (its output is constant piece by piece), and the path from source to target passes "
            "through it at {where}.",
    bits="{name} at {where} reads bits, not a value, and has no derivative: use cast.",
)  # fmt: skip
"""By what an operation gives."""


def _states(step: Step, edge: Edge) -> bool:
    """Return whether a function with a custom gradient, in a graph, gives one along a step back."""
    first = step.attrs["results"]
    there = dict(enumerate(step.attrs["there"], first))
    return any(there.get(i, False) for i, n in enumerate(step.inputs) if n == edge.below)


def _passes(entry: Any, edge: Edge) -> bool:
    """Return whether an operation's rule gives a derivative along a step back."""
    op, inputs, output, attrs = entry
    wanted = [i for i, t in enumerate(inputs) if t.n == edge.below]
    several = op.outputs != 1
    outputs = [o.array for o in output] if several else [output.array]
    ones: list[Any] = [values.ones_like(a) for a in outputs]
    found = rule(op)(values, tuple(ones) if several else ones[0], [t.array for t in inputs],
                     outputs if several else outputs[0], attrs, wanted)  # fmt: skip
    return any(f is not None for f in found)
