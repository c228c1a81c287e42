"""TensorFlow 2's ``tf.summary``: numbers over the steps of a run, in a plain record.

A writer appends to one file in its folder, ``events.<seconds>.<process>.jsonl``: each line is one event as JSON, for example
``{"wall_time": 1.7e9, "step": 3, "tag": "loss", "scalar": 0.5}``. Beside ``scalar`` there are ``histogram`` (least, greatest,
number, sum, sum of squares, and counts between limits), ``text``, and ``tensor``, ``image`` and ``audio`` (dtype, shape, and the
bytes in base64). `read` returns the events of a folder or a file.
"""

from __future__ import annotations

import base64
import contextlib
import glob
import itertools
import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from wengert.functions.program import numpy_function
from wengert.functions.registry import get_current_name_scope
from wengert.graph.graph import WengertList
from wengert.ground.context import state
from wengert.ground.copies import Uncopied
from wengert.ground.errors import ShapeError
from wengert.tensor.tensor import TensorLike, convert, is_tensor_like

__all__ = [
    "Record",
    "SummaryWriter",
    "audio",
    "create_file_writer",
    "create_noop_writer",
    "encoded",
    "experimental",
    "flush",
    "graph",
    "histogram",
    "image",
    "read",
    "record_if",
    "scalar",
    "should_record_summaries",
    "text",
    "trace_export",
    "trace_off",
    "trace_on",
    "write",
]

BINS = 30
LINES = 1000
"""How many lines wait in memory at most."""

_number = itertools.count()


# --- the record -----------------------------------------------------------------------------------------------------------


class Record:
    """A file of events, one JSON object a line. Lines wait in memory for some seconds, and are written when the program ends."""

    def __init__(self, logdir: str | os.PathLike[str], suffix: str | None = None, seconds: float = 120.0) -> None:
        """Make the folder and the file."""
        folder = os.fspath(logdir)
        os.makedirs(folder, exist_ok=True)
        name = f"events.{time.time():.0f}.{os.getpid()}.{next(_number)}{suffix or ''}.jsonl"
        self.path = os.path.join(folder, name)
        self._lines: list[str] = []
        self._seconds, self._written = seconds, time.monotonic()
        self._finish = weakref.finalize(self, _finish, self.path, self._lines)
        _append(self.path, self._lines)

    def add(self, event: dict[str, Any]) -> None:
        """Add an event; the time is noted with it."""
        self._lines.append(json.dumps({"wall_time": time.time(), **event}) + "\n")
        if len(self._lines) >= LINES or time.monotonic() - self._written > self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        _append(self.path, self._lines)
        self._written = time.monotonic()


def _append(path: str, lines: list[str]) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(lines)
    lines.clear()


def _finish(path: str, lines: list[str]) -> None:
    if lines:  # else the file is whole; by now its folder may be gone
        _append(path, lines)


def read(logdir: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Return the events of a folder, or of one file, in the order in which they were written.

    >>> import tempfile, wengert as tf
    >>> folder = tempfile.mkdtemp()
    >>> writer = tf.summary.create_file_writer(folder)
    >>> with writer.as_default():
    ...     _ = tf.summary.scalar("loss", 0.5, step=3)
    >>> writer.close()
    >>> [(event["tag"], event["step"], event["scalar"]) for event in tf.summary.read(folder)]
    [('loss', 3, 0.5)]
    """
    path = os.fspath(logdir)
    paths = sorted(glob.glob(os.path.join(glob.escape(path), "events.*.jsonl"))) if os.path.isdir(path) else [path]
    events = []
    for one in paths:
        with open(one, encoding="utf-8") as file:
            events += [json.loads(line) for line in file]
    return sorted(events, key=lambda event: event["wall_time"])


def encoded(kind: str, value: TensorLike) -> Any:
    """Return a value as JSON has it: "scalar", "histogram", "text", or an array of another kind."""
    array = np.asarray(value)
    if kind == "scalar":
        return array.item()
    if kind == "text":
        return np.vectorize(lambda t: t.decode() if isinstance(t, bytes) else str(t), otypes=[object])(array).tolist()
    if kind == "histogram":
        return _histogram(array)
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "base64": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode(),
    }


def _histogram(array: Any, bins: int = BINS) -> dict[str, Any]:
    values = array.astype(np.float64).ravel()
    if not values.size:
        return {"num": 0, "sum": 0.0, "sum_squares": 0.0, "bucket_limit": [], "bucket": []}
    finite = values[np.isfinite(values)]
    counts, limits = np.histogram(finite, bins)
    return {
        "min": values.min(), "max": values.max(), "num": values.size, "sum": values.sum(), "sum_squares": (values**2).sum(),
        "bucket_limit": limits[1:].tolist(), "bucket": counts.tolist(),
    }  # fmt: skip


# --- writers --------------------------------------------------------------------------------------------------------------


class _Now(threading.local):
    """What is in force in a thread."""

    writer: SummaryWriter | None = None
    step: Any = None
    condition: Any = True


_now = _Now()


class SummaryWriter(Uncopied):
    """Writes the summaries of a with block to a record, or nowhere."""

    def __init__(self, record: Record | None = None) -> None:
        """Take a record."""
        self._record = record
        self._closed = False

    def _instead(self) -> str:
        return "A writer is neither copied nor pickled, as its file is open: make another in the process that is to write."

    @contextlib.contextmanager
    def as_default(self, step: TensorLike | None = None) -> Iterator[SummaryWriter]:
        """Write the summaries of the with block, by default at this step."""
        before = _now.writer, _now.step
        _now.writer = self
        if step is not None:
            _now.step = step
        try:
            yield self
        finally:
            self.flush()
            _now.writer, _now.step = before

    def set_as_default(self, step: TensorLike | None = None) -> None:
        """Write the summaries from here on."""
        _now.writer = self
        if step is not None:
            _now.step = step

    def init(self) -> None:
        """Do nothing: the file is there."""

    def flush(self) -> None:
        """Write what waits."""
        if self._record is not None:
            self._record.flush()

    def close(self) -> None:
        """Write what waits, and take no more.

        A summary that is written later raises RuntimeError.
        """
        self.flush()
        self._closed = True

    def _add(self, event: dict[str, Any]) -> None:
        if self._closed:
            raise RuntimeError("SummaryWriter is already closed")
        if self._record is not None:
            self._record.add(event)


def create_file_writer(
    logdir: str | os.PathLike[str],
    max_queue: int | None = None,
    flush_millis: int | None = None,
    filename_suffix: str | None = None,
    name: str | None = None,
    experimental_trackable: bool = False,
    experimental_mesh: Any = None,
) -> SummaryWriter:
    """Return a writer of a new record in a folder. ``flush_millis``: how long events wait at most (two minutes)."""
    seconds = 120.0 if flush_millis is None else flush_millis / 1000.0
    return SummaryWriter(Record(logdir, filename_suffix, seconds))


def create_noop_writer() -> SummaryWriter:
    """Return a writer that writes nowhere."""
    return SummaryWriter()


def flush(writer: SummaryWriter | None = None, name: str | None = None) -> None:
    """Write what waits in a writer, by default in the current one."""
    writer = writer or _now.writer
    if writer is not None:
        writer.flush()


@contextlib.contextmanager
def record_if(condition: TensorLike) -> Iterator[None]:
    """Write the summaries of the with block only if the condition (a Boolean, a tensor, or a function) holds."""
    before, _now.condition = _now.condition, condition
    try:
        yield
    finally:
        _now.condition = before


def should_record_summaries() -> Any:
    """Return whether there is a writer, and the condition of `record_if` holds."""
    if _now.writer is None:
        return False
    return _now.condition() if callable(_now.condition) else _now.condition


# --- summaries ------------------------------------------------------------------------------------------------------------


def _write(kind: str, name: str, data: Any, step: Any, shown: Callable[[Any], Any] = lambda value: value) -> Any:
    """Write a value where a writer is in force; return whether it was, in a traced function the operation."""
    writer = _now.writer
    if writer is None:
        return convert(False)
    step = _now.step if step is None else step
    if step is None:
        raise ValueError(f"summary.{kind}: No step set. Give `step`, or call tf.summary.experimental.set_step.")
    scope = get_current_name_scope()
    tag = f"{scope}/{name}" if scope else name

    def note(value: TensorLike, number: Any, recorded: Any) -> None:
        if recorded:
            writer._add({"step": int(number), "tag": tag, kind: encoded(kind, shown(value))})

    value: Any = data if is_tensor_like(data) else convert(data)
    if kind == "scalar" and value.sizes:
        raise ShapeError(f"summary.scalar: '{name}' must be a scalar, and its shape is {value.shape}.")
    done = numpy_function(note, [value, step, should_record_summaries()], [])
    return convert(should_record_summaries()) if state.graph is None else done


def scalar(name: str, data: TensorLike, step: TensorLike | None = None, description: str | None = None) -> Any:
    """Write a number.

    Raises:
        ValueError: without a step, and for more than one number.
    """
    return _write("scalar", name, data, step)


def histogram(
    name: str, data: TensorLike, step: TensorLike | None = None, buckets: int | None = None, description: str | None = None
) -> Any:
    """Write how often values of a tensor fall between limits, in 30 equal buckets."""
    return _write("histogram", name, data, step)


def image(
    name: str, data: TensorLike, step: TensorLike | None = None, max_outputs: int = 3, description: str | None = None
) -> Any:
    """Write the first few images of a batch, as arrays."""
    return _write("image", name, data, step, lambda value: value[:max_outputs])


def audio(
    name: str,
    data: TensorLike,
    sample_rate: int,
    step: TensorLike | None = None,
    max_outputs: int = 3,
    encoding: str | None = None,
    description: str | None = None,
) -> Any:
    """Write the first few sounds of a batch, as arrays."""
    return _write("audio", name, data, step, lambda value: value[:max_outputs])


def text(name: str, data: TensorLike, step: TensorLike | None = None, description: str | None = None) -> Any:
    """Write a text, or an array of them."""
    return _write("text", name, data, step)


def write(
    tag: str,
    tensor: TensorLike,
    step: TensorLike | None = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Any:
    """Write a tensor, as an array."""
    return _write("tensor", tag, tensor, step)


def graph(graph_data: Any) -> bool:
    """Write the names and types of a graph's operations, and what each takes."""
    writer = _now.writer
    if writer is None:
        return False
    writer._add(nodes_of(graph_data))
    return True


def nodes_of(graph: WengertList) -> dict[str, Any]:
    """Return the event that a graph is."""
    return {"step": 0, "tag": "graph", "graph": [
        {"name": n.name, "type": n.type, "input": [t.name for t in n.inputs]} for n in graph.get_operations()
    ]}  # fmt: skip


def trace_on(graph: bool = True, profiler: bool = False, profiler_outdir: Any = None) -> None:
    """Accept: functions are not traced into summaries; `wengert explain` shows what derivatives are made of."""


def trace_off() -> None:
    """Accept: see `trace_on`."""


def trace_export(name: str, step: TensorLike | None = None, profiler_outdir: Any = None) -> None:
    """Accept: see `trace_on`."""


class experimental:
    """The step that summaries are written at by default."""

    @staticmethod
    def set_step(step: TensorLike) -> None:
        """Set it: a number, or a variable that is read at each summary."""
        _now.step = step

    @staticmethod
    def get_step() -> Any:
        """Return it."""
        return _now.step
