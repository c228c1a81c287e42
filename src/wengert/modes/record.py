"""What a tape takes down: the operations that read what is watched, in order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import FrameType
from typing import Any

from wengert.ground import nest
from wengert.ground.blocks import Block, Leaving, Raised
from wengert.ground.context import Observing, known, state
from wengert.ground.copies import Uncopied
from wengert.ground.displayed import displayed
from wengert.ops.control import led_to
from wengert.ops.op import Op
from wengert.ops.state import READ
from wengert.tensor.tensor import EagerTensor, Tensor, lift, within
from wengert.tensor.tensor import _number as next_number

__all__ = ["Record"]

_log = logging.getLogger("wengert")


class Record(Observing, Uncopied):
    """The record of a tape, and an observer of the thread while it is open."""

    times: tuple[int, ...] = ()
    """When it started and stopped to record, in turns: tensors' numbers tell the time."""
    forgot = 0
    """When it was last reset."""

    def __init__(self, watch_accessed_variables: bool) -> None:
        self._watch_accessed = bool(watch_accessed_variables)
        self._watch_all = False
        self._clear()

    def _instead(self) -> str:
        return "A tape is neither copied nor pickled, as it belongs to what it has recorded: pickle the gradients that it gives."

    def _clear(self) -> None:
        self.entries: list[Any] = []
        self.live: set[int] = set()
        self._held: dict[int, Any] = {}
        self._variables: Any = {}
        self._turning: set[int] = set()
        """In a graph: what the turns of a loop within the block are given anew."""

    def follows(self, number: int) -> bool:
        """Whether it takes note of what is computed from the tensor of a number."""
        return self._watch_all or number in self.live

    def record(self, op: Op, inputs: Sequence[Any], output: Any, attrs: dict[str, Any]) -> None:
        """Take note of an operation, if it reads what is watched."""
        live = self.live
        if not self._watch_all:
            for t in inputs:
                if t.n in live:
                    break
            else:
                return
        if op.kind == "constant":
            return
        self.entries.append((op, inputs, output, attrs))
        if op.outputs == 1:
            live.add(output.n)
        else:
            live.update([o.n for o in led_to(op, inputs, output, attrs, live)])

    def read(self, variable: Any, tensor: Tensor) -> None:
        """Take note that a variable was read, giving a tensor."""
        if self._watch_accessed and variable.trainable:
            self._watch_variable(variable)
        if variable.n in self.live and tensor.n not in self.live:
            self.entries.append((READ, (variable,), tensor, {}))
            self.live.add(tensor.n)

    def _watch_variable(self, variable: Any) -> None:
        if variable.n not in self._variables:
            self._variables[variable.n] = variable
            self.live.add(variable.n)

    # While a graph is built, a tensor of another graph, and a variable, are known in it by what stands for them there.

    def read_in(self, variable: Any, handle: Tensor, tensor: Tensor) -> None:
        """Take note that a variable was read in a graph, through its handle, giving a tensor."""
        if self._watch_accessed and variable.trainable:
            self._watch_variable(variable)
        if variable.n in self.live and tensor.n not in self.live:
            self.live.update((handle.n, tensor.n))
            self.entries.append((READ, (handle,), tensor, {}))

    def captured(self, source: Tensor, place: Tensor) -> None:
        """Take note that a tensor stands for another one in a graph within."""
        if source.n in self.live:
            self.live.add(place.n)

    def turning(self, places: Sequence[Tensor]) -> None:
        """Take note of what a loop within the block gives its body anew in each turn."""
        self._turning.update([t.n for t in places])
        self.live.update([t.n for t in places if t.nptype.kind in "fc"])

    def closed(self, captures: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Take note of what a body took in: where it is watched within, so it is around, and the operation is recorded."""
        self.live.update([source.n for source, place in captures if place.n in self.live])

    def _start(self, frame: FrameType | None = None) -> None:
        self.times = (*self.times, next_number())
        self._begin(frame)

    def _stop(self) -> None:
        self._end()
        self.times = (*self.times, next_number())

    def watch(self, tensor: Any) -> None:
        """Watch a tensor or variable, or a structure of them.

        Raises:
            ValueError: for anything else.
        """
        if tensor.__class__ is EagerTensor and state.graph is None and tensor.array.dtype.kind in "fc":
            if tensor.n not in self.live:
                self.live.add(tensor.n)
                self._held[tensor.n] = tensor
            return
        for t in nest.flatten(tensor):
            if hasattr(t, "_as_tensor") and hasattr(t, "trainable"):
                if t.dtype.kind not in "fc":
                    _log.warning("The dtype of the watched tensor must be floating (e.g. tf.float32), got %r", t.dtype)
                    continue
                self._watch_variable(t)
                for other in t.readings():
                    self.read(t, other)
                if state.graph is not None:
                    t.tell(state.graph, self)
            elif isinstance(t, Tensor):
                if t.nptype.kind not in "fc":
                    _log.warning("The dtype of the watched tensor must be floating (e.g. tf.float32), got %r", t.dtype)
                    continue
                if t.n not in self.live:
                    self.live.add(t.n)
                    self._held[t.n] = t
                if state.graph is not None and within(state.graph, t):
                    self.live.add(lift(state.graph, t).n)
            else:
                raise ValueError(
                    f"Passed in object {t!r} of type {type(t).__name__!r}, not tf.Tensor or tf.Variable or ExtensionType."
                )

    def stop_recording(self) -> _Paused:
        """Record nothing in a with block.

        Raises:
            ValueError: if the tape is not recording.
        """
        return _Paused(self)

    def reset(self) -> None:
        """Forget everything, as if the tape began here."""
        self._clear()
        self.forgot = next_number()

    def watched_variables(self) -> tuple[Any, ...]:
        """Return the variables watched, in the order in which they were made."""
        return tuple(sorted(self._variables.values(), key=lambda variable: variable.n))

    @displayed
    def _repr_html_(self) -> str:
        from wengert.modes.displays import taped

        return taped(self)

    def history(self, ys: Sequence[Any]) -> list[Any]:
        """Return the entries among which are those that lead to the ys, in order."""
        return self.entries


class _Paused(Block):
    """A with block in which a record takes nothing down."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def __enter__(self) -> None:
        record = self._record
        if not record.recording:
            raise ValueError("Attempting to stop recording while not recording.")
        self.keep((known(state), {"observers": state.observers}), (vars(record), {"_recording": True}))
        record._stop()

    def _leave(self, *exception: Raised) -> None:
        self._record._start()
        self.kept()

    __exit__ = Leaving(_leave)
