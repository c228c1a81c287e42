"""``recording``: a tape that sees every operation, and forgets what no living tensor can reach.

There is no list. Each tensor that is made in the block holds how it was made, and that holds what it was made from; so what is
remembered of a program is the past of the tensors that are alive, and Python's own reference counting forgets the rest. Integers
and Booleans hold nothing, for no derivative passes through them: a counter has no past.
"""

from __future__ import annotations

import weakref
from collections.abc import Container, Sequence
from types import FrameType
from typing import Any

from wengert.ground import nest
from wengert.ground.context import state
from wengert.modes.tape import GradientTape
from wengert.ops.op import Op
from wengert.ops.state import READ
from wengert.tensor.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike
from wengert.tensor.tensor import _number as next_number

__all__ = ["Recording", "Union", "recording"]


class Recording(GradientTape):
    """A persistent tape that watches everything; see the module's text.

    In a graph, where what is made lives as long as the graph, it keeps a list as any tape does.
    """

    def __init__(self) -> None:
        """Make one."""
        super().__init__(persistent=True)
        self._watch_all = True
        self._in_graph = False

    def _clear(self) -> None:
        super()._clear()
        self._variables: Any = weakref.WeakValueDictionary()
        self._began = next_number()

    def _start(self, frame: FrameType | None = None) -> None:
        super()._start(frame)
        self._in_graph = state.graph is not None

    def record(self, op: Op, inputs: Sequence[Any], output: Any, attrs: dict[str, Any]) -> None:
        """Hang how a tensor was made on the tensor."""
        if op.kind == "constant" or not inputs:
            return
        outputs = (output,) if op.outputs == 1 else output
        if any(o.__class__ is SymbolicTensor for o in outputs):
            if self._in_graph:  # a static graph knows of itself how its tensors were made
                super().record(op, inputs, output, attrs)
            return
        siblings = None if op.outputs == 1 else tuple([(o.n, o.array) for o in output])
        entry = (op, inputs, attrs, siblings)
        for o in outputs:
            if o.array.dtype.kind in "fc":
                o.made = (*(o.made or (op, [t.n for t in inputs], None, {}))[:4], entry)

    def read(self, variable: Any, tensor: Tensor) -> None:
        """Take note that a variable was read; the tensor knows it of itself."""
        if tensor.__class__ is SymbolicTensor:
            super().read(variable, tensor)
        elif variable.trainable and variable.n not in self._variables:
            self._variables[variable.n] = variable

    def watch(self, tensor: Any) -> None:
        """Do nothing for tensors and variables, which are watched already."""
        for t in nest.flatten(tensor):
            if self._in_graph or not (t.__class__ is EagerTensor or hasattr(t, "readings")):
                super().watch(t)

    def history(self, ys: Sequence[Any]) -> list[Any]:
        """Return the entries of the block that lead to the ys, in order."""
        if any(y.__class__ is SymbolicTensor for y in ys):
            return self.entries
        found: dict[int, Any] = {}
        pending = list(ys)
        while pending:
            t = pending.pop()
            if t.n in found or t.__class__ is not EagerTensor or t.made is None:
                continue
            if t.made[0] is READ:
                found[t.n] = (READ, (_twin(t.made[1][0], t.array, None),), t, {})
            elif len(t.made) > 4 and t.n > self._began:
                op, inputs, attrs, siblings = t.made[4]
                if siblings is None:
                    found[t.n] = (op, inputs, t, attrs)
                else:
                    entry = (op, inputs, tuple([_twin(n, array, t.made) for n, array in siblings]), attrs)
                    found.update([(n, entry) for n, _ in siblings])
                pending.extend(inputs)
        ordered = [found[n] for n in sorted(found)]
        return [e for k, e in enumerate(ordered) if not k or e is not ordered[k - 1]]


class Union(GradientTape):
    """What several tapes saw together, on the way to some tensors; no derivative passes through the stops."""

    def __init__(self, tapes: Sequence[GradientTape], ys: Sequence[Any], stops: Container[int] = ()) -> None:
        """Take the tapes, the tensors, and the stops by their numbers."""
        super().__init__(persistent=True)
        self._watch_all = True
        self.tapes = tapes
        found: dict[int, Any] = {}
        for tape in tapes:
            for entry in tape.history(ys):
                outputs = (entry[2],) if entry[0].outputs == 1 else entry[2]
                if outputs:
                    found[outputs[0].n] = entry
        self.entries = [e for e in (_stopped(found[n], stops) for n in sorted(found)) if e is not None]


def _stopped(entry: Any, stops: Container[int]) -> Any:
    """Return an entry without the outputs that are stops, None if there is no other."""
    op, inputs, output, attrs = entry
    if op.outputs == 1:
        return None if output.n in stops else entry
    if any(o.n in stops for o in output):  # what has another number gets no cotangent
        return op, inputs, tuple([EagerTensor(o.array, o.made) if o.n in stops else o for o in output]), attrs
    return entry


def _twin(n: int, array: TensorLike, made: Any) -> EagerTensor:
    """Return a tensor that stands for another one, which may be gone: it has the same number and value."""
    twin = EagerTensor(array, made)
    twin.n = n
    return twin


def recording() -> Recording:
    """Record every operation of a block, so that ``gradients`` answers for any tensor of it, transformed or not.

    What no living tensor was made from is forgotten at once: a loop needs no more memory the longer it runs.

    >>> import wengert as tf
    >>> with tf.recording():
    ...     x = tf.constant([[1.0], [2.0]])
    ...     X = tf.concat([x, x * x], 1)
    ...     g = tf.gradients(X * X, x)[0]
    >>> g.numpy().tolist()
    [[6.0], [36.0]]
    """
    return Recording()
