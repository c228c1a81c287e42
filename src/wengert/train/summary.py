"""TensorFlow 2's ``tf.summary``: numbers over the steps of a run, in a plain record.

A writer appends to one file in its folder, ``events.<seconds>.<process>.jsonl``: each line is one event as JSON, for example
``{"wall_time": 1.7e9, "step": 3, "tag": "loss", "scalar": 0.5}``. Beside ``scalar`` there are ``histogram`` (least, greatest,
number, sum, sum of squares, and counts between limits), ``text``, and ``tensor``, ``image`` and ``audio`` (dtype, shape, and the
bytes in base64). Numbers that JSON has not are the strings "NaN", "Infinity" and "-Infinity". `read` returns the events of a
folder or a file.

Lines are written whole: where the disk is full the file ends behind the last whole line, and the others wait. A file has one
writer, of one process: a process that was forked begins its own. What was flushed outlives the process, by whatever it ends, but
not a loss of power.
"""

from __future__ import annotations

import base64
import contextlib
import glob
import itertools
import json
import math
import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.functions.program import numpy_function
from wengert.functions.registry import get_current_name_scope
from wengert.graph.graph import WengertList
from wengert.ground.context import state
from wengert.ground.copies import Uncopied
from wengert.ground.errors import ShapeError
from wengert.ground.options import options
from wengert.ground.replacing import append
from wengert.ground.weakly import Weakly
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

Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | None
"""What JSON holds."""
BINS = 30
EVENT = b'{"wall_time": '
"""What every line begins with."""
LINES = 1000
"""How many lines wait in memory at most."""

_number = itertools.count()


# --- the record -----------------------------------------------------------------------------------------------------------


class _File:
    """Lines, and the file that they are appended to: each once, and whole."""

    def __init__(self, folder: str, suffix: str) -> None:
        """Make a file that nobody else writes to."""
        self.process, self._lock = os.getpid(), threading.RLock()
        self._writing: Callable[[], object] = lambda: None
        """What a flush that is under way holds: it goes with it, wherever Ctrl-C ends it."""
        self._kept: tuple[int, list[bytes]] = 0, []
        """How long the file is, and the lines that wait: one reference, so that Ctrl-C leaves both as they were, or neither."""
        while True:
            name = f"events.{time.time():.0f}.{self.process}.{next(_number)}{suffix}.jsonl"
            self.path = os.path.join(folder, name)
            if not options.writes:
                return
            with contextlib.suppress(FileExistsError):  # another machine may have a process of this number
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
                return

    def add(self, line: bytes) -> int:
        """Let a line wait; return how many do."""
        with self._lock:
            if options.writes:
                self._kept[1].append(line)
            return len(self._kept[1])

    def flush(self) -> None:
        """Write the lines that wait. Where that fails none is written, and all wait.

        Raises:
            OSError: if they cannot be written.
        """
        with self._lock:
            if self._writing() is None:  # else this is a signal handler, called while lines are written
                mark: set[None] = set()
                try:
                    self._writing = weakref.ref(mark)
                    self._flush()
                finally:
                    del mark

    def _flush(self) -> None:
        size, lines = self._kept
        count = len(lines)
        if not options.writes:
            return
        content = b"".join(lines[:count])
        if not content and os.path.exists(self.path):
            return
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            size = min(size, os.fstat(handle).st_size)
            os.ftruncate(handle, size)  # what an attempt that was broken off has left
            try:
                append(handle, content)
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, size)
                error.filename = self.path
                raise
        finally:
            os.close(handle)
        self._kept = size + len(content), lines[count:]

    def finish(self) -> None:
        """Write the lines that wait, at the end of the process that made them."""
        if self.process == os.getpid() and self._kept[1] and os.path.exists(self.path):  # else who removed it has read it
            self.flush()


class Record:
    """A file of events, one JSON object a line. Lines wait in memory for some seconds, and are written when the program ends."""

    def __init__(self, logdir: str | os.PathLike[str], suffix: str | None = None, seconds: float = 120.0) -> None:
        """Make the folder and the file."""
        self._folder, self._suffix, self._seconds = os.fspath(logdir), suffix or "", seconds
        self._begin()
        records.add(self)

    def _begin(self) -> None:
        if options.writes:
            os.makedirs(self._folder, exist_ok=True)
        self._file, self._written = _File(self._folder, self._suffix), time.monotonic()
        weakref.finalize(self, self._file.finish)

    def _own(self) -> _File:
        """Return the file of this process: one that was forked has another than its parent."""
        if self._file.process != os.getpid():
            self._begin()
        return self._file

    @property
    def path(self) -> str:
        """The file."""
        return self._own().path

    def wanted(self) -> bool:
        """Whether the file is there still: a program may have removed it, with its folder, when it had read it."""
        return os.path.exists(self.path)

    def add(self, event: dict[str, Any]) -> None:
        """Add an event; the time is noted with it."""
        waiting = self._own().add(to_json({"wall_time": time.time(), **event}).encode() + b"\n")
        if waiting >= LINES or time.monotonic() - self._written > self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            OSError: if it cannot be written. It waits on.
        """
        self._own().flush()
        self._written = time.monotonic()


records: Weakly[Record] = Weakly()
"""Those that somebody holds: what waits in them is written when the program ends."""


def read(logdir: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Return the events of a folder, or of one file, in the order in which they were written.

    A last line that is not whole, as a kill leaves it, is left out. A warning names other lines that are damaged, by file and
    line; the events in all other lines are returned.

    >>> import tempfile, wengert as tf
    >>> folder = tempfile.mkdtemp()
    >>> writer = tf.summary.create_file_writer(folder)
    >>> with writer.as_default():
    ...     _ = tf.summary.scalar("loss", 0.5, step=3)
    >>> writer.close()
    >>> [(event["tag"], event["step"], event["scalar"]) for event in tf.summary.read(folder)]
    [('loss', 3, 0.5)]
    """
    path = os.fsdecode(logdir)
    paths = sorted(glob.glob(os.path.join(glob.escape(path), "events.*.jsonl"))) if os.path.isdir(path) else [path]
    events: list[dict[str, Any]] = []
    damaged: list[str] = []
    for one in paths:
        with open(one, "rb") as file:
            for number, line in enumerate(file, 1):
                begin = max(line.rfind(EVENT), 0)  # behind the beginning of another, that was broken off, one may be whole
                event = _event(line[begin:])
                if event is not None:
                    events.append(event)
                if line.endswith(b"\n") and line.strip() and (event is None or begin):
                    damaged.append(f"{one}:{number}")
    if damaged:
        more = f" and {len(damaged) - 3} more" if len(damaged) > 3 else ""
        warnings.warn(f"Lines that are damaged were left out: {', '.join(damaged[:3])}{more}.", stacklevel=2)
    return sorted(events, key=lambda event: event["wall_time"])


def _event(line: bytes) -> dict[str, Any] | None:
    """Return the event of a line, None if it is damaged."""
    try:
        event = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("wall_time"), float | int):
        return None
    return {kind: _numbers(value) if kind in ("scalar", "histogram") else value for kind, value in event.items()}


def to_json(value: Json) -> str:
    """Return JSON, with strings for the numbers that it has not.

    >>> to_json({"scalar": float("nan")})
    '{"scalar": "NaN"}'
    """
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_strings(value), allow_nan=False)


def _strings(value: Json) -> Json:
    """Return a value in which numbers that JSON has not are strings."""
    if isinstance(value, dict):
        return {key: _strings(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_strings(one) for one in value]
    return json.dumps(float(value)) if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(value: Json) -> Json:
    """Return a number, or the fields of a histogram, with what `to_json` made strings of."""
    if isinstance(value, dict):
        return {key: _numbers(one) for key, one in value.items()}
    return float(value) if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity") else value


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
    with np.errstate(over="ignore", invalid="ignore"):
        total, squares = values.sum(), (values**2).sum()
    return {
        "min": values.min(), "max": values.max(), "num": values.size, "sum": total, "sum_squares": squares,
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
            _now.writer, _now.step = before
            self.flush()

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
