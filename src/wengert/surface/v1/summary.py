"""TensorFlow 1's ``tf.summary``: operations whose values are summaries, as bytes, and a writer of them.

The bytes are JSON, and the file is the plain record of `wengert.summary`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.functions.program import name_scope, numpy_function
from wengert.graph.graph import WengertList
from wengert.ground.copies import Uncopied
from wengert.ground.dtypes import string
from wengert.ground.errors import ShapeError
from wengert.surface.v1.configuration import Event
from wengert.surface.v1.graphs import GraphKeys, add_to_collections, get_collection
from wengert.surface.v1.logging import warning
from wengert.tensor.tensor import TensorLike, convert
from wengert.train.summary import Record, encoded, nodes_of, read, to_json

__all__ = [
    "Event",
    "FileWriter",
    "FileWriterCache",
    "Summary",
    "audio",
    "histogram",
    "image",
    "merge",
    "merge_all",
    "scalar",
    "summary_iterator",
    "tensor_summary",
    "text",
]

_FIELDS = {"simple_value": "scalar", "histo": "histogram", "image": "image", "audio": "audio", "tensor": "tensor", "text": "text"}
"""Fields of TensorFlow's values, and what the record calls them."""


# --- summaries as objects -------------------------------------------------------------------------------------------------


class Summary:
    """Values by tag: what a summary's bytes hold.

    >>> Summary(value=[Summary.Value(tag="loss", simple_value=0.5)]).value[0].simple_value
    0.5
    """

    class Value:
        """A tag, and a number (``simple_value``), a histogram (``histo``), a text, or an array."""

        def __init__(self, tag: str = "", simple_value: float | None = None, node_name: str = "", **others: Any) -> None:
            """Take a tag, and one value.

            Raises:
                ValueError: for a field that a value has not.
            """
            self.tag, self.node_name = str(tag), node_name
            if simple_value is not None:
                others["simple_value"] = float(simple_value)
            for field in others:
                if field not in _FIELDS:
                    raise ValueError(f"Summary.Value has no field {field!r}; it has tag, {', '.join(_FIELDS)}.")
            self._value = others

        def __getattr__(self, name: str) -> Any:
            """Return the value, or 0 where it is of another kind."""
            if name not in _FIELDS:
                raise AttributeError(f"Summary.Value has no field {name!r}; it has tag, {', '.join(_FIELDS)}.")
            return self.__dict__.get("_value", {}).get(name, 0.0 if name == "simple_value" else None)

        def __setattr__(self, name: str, value: Any) -> None:
            if name in _FIELDS:
                self._value = {name: float(value) if name == "simple_value" else value}
            else:
                self.__dict__[name] = value

        def WhichOneof(self, oneof_group: str) -> str | None:
            """Return the field that is set."""
            return next(iter(self._value), None)

        def __repr__(self) -> str:
            return f"tag: {json.dumps(self.tag)}\n" + "".join(f"{k}: {v}\n" for k, v in self._value.items())

    class _Values(list):  # type: ignore[type-arg]
        """A list of values that makes its own."""

        def add(self, **fields: Any) -> Any:
            """Append a value and return it."""
            self.append(Summary.Value(**fields))
            return self[-1]

    def __init__(self, value: Sequence[Any] = ()) -> None:
        self.value = Summary._Values(value)

    def SerializeToString(self) -> bytes:
        """Return the bytes."""
        return to_json([{"tag": v.tag, **{_FIELDS[k]: x for k, x in v._value.items()}} for v in self.value]).encode()

    def ParseFromString(self, serialized: Any) -> int:
        """Take the values of bytes; return how many bytes there were.

        Raises:
            ValueError: if they are no summary.
        """
        self.value[:] = [
            Summary.Value(tag=v.pop("tag"), **{next(f for f, k in _FIELDS.items() if k == kind): x for kind, x in v.items()})
            for v in _parsed(serialized)
        ]
        return len(serialized)

    @classmethod
    def FromString(cls, s: TensorLike) -> Summary:
        """Return the summary of bytes."""
        made = cls()
        made.ParseFromString(s)
        return made

    def __repr__(self) -> str:
        return "".join(f"value {{\n{v!r}}}\n" for v in self.value)


def _parsed(serialized: Any) -> list[dict[str, Any]]:
    """Return the values in a summary's bytes."""
    try:
        values = json.loads(serialized)
        if all(isinstance(v["tag"], str) for v in values):
            return list(values)
    except (ValueError, TypeError, KeyError):
        pass
    raise ValueError(f"These are no bytes of a summary: {serialized!r:.80}. Run a summary operation to get some.")


# --- summaries as operations ----------------------------------------------------------------------------------------------


def _summary(
    kind: str,
    name: str,
    tensor: TensorLike,
    collections: Sequence[Any] | None,
    family: str | None = None,
    most: int | None = None,
) -> Any:
    """Return an operation's output: the bytes of a summary with one value."""
    clean = re.sub(r"[^-/\w\.]", "_", name).lstrip("/")
    value = convert(tensor)
    if kind == "scalar" and value.sizes:
        raise ShapeError(f"summary.scalar: '{name}' must be a scalar, and its shape is {value.shape}.")
    group = re.sub(r"[^-/\w\.]", "_", family).lstrip("/") if family else None
    with name_scope(f"{group}/{clean}" if group else clean) as scope:
        whole = scope.rstrip("/")
        tag = f"{group}/{whole}" if group else whole

        def note(array: Any) -> Any:
            return _bytes([{"tag": tag, kind: encoded(kind, array if most is None else array[:most])}])

        made = numpy_function(note, [value], string, name=scope)
    add_to_collections([GraphKeys.SUMMARIES] if collections is None else collections, made)
    return made


def _bytes(values: list[dict[str, Any]]) -> Any:
    return np.asarray(to_json(values).encode(), object)


def scalar(name: str, tensor: TensorLike, collections: Sequence[Any] | None = None, family: str | None = None) -> Any:
    """Return the summary of a number, as bytes when it is run. Its tag is the name, with the scopes around it.

    >>> import wengert as tf
    >>> v1 = tf.compat.v1
    >>> with tf.Graph().as_default(), v1.Session() as sess:
    ...     value = sess.run(scalar("loss", 0.5))
    >>> value
    b'[{"tag": "loss", "scalar": 0.5}]'

    Raises:
        ValueError: for more than one number.
    """
    return _summary("scalar", name, tensor, collections, family)


def histogram(name: str, values: TensorLike, collections: Sequence[Any] | None = None, family: str | None = None) -> Any:
    """Return the summary of how often values fall between limits."""
    return _summary("histogram", name, values, collections, family)


def image(
    name: str, tensor: TensorLike, max_outputs: int = 3, collections: Sequence[Any] | None = None, family: str | None = None
) -> Any:
    """Return the summary of the first few images of a batch, as arrays."""
    return _summary("image", name, tensor, collections, family, max_outputs)


def audio(
    name: str, tensor: TensorLike, sample_rate: Any, max_outputs: int = 3, collections: Sequence[Any] | None = None,
    family: str | None = None,
) -> Any:  # fmt: skip
    """Return the summary of the first few sounds of a batch, as arrays."""
    return _summary("audio", name, tensor, collections, family, max_outputs)


def text(name: str, tensor: TensorLike, collections: Sequence[Any] | None = None) -> Any:
    """Return the summary of texts."""
    return _summary("text", name, tensor, collections)


def tensor_summary(
    name: str, tensor: TensorLike, summary_description: Any = None, collections: Sequence[Any] | None = None,
    summary_metadata: Any = None, family: str | None = None, display_name: str | None = None,
) -> Any:  # fmt: skip
    """Return the summary of a tensor, as an array."""
    return _summary("tensor", name, tensor, collections, family)


def merge(inputs: Sequence[Any], collections: Sequence[Any] | None = None, name: str | None = None) -> Any:
    """Return one summary with the values of several.

    Raises:
        ValueError: if there are none.
    """
    several = list(inputs)
    if not several:
        raise ValueError("summary.merge: a list of summaries is needed, and it is empty.")
    with name_scope(name or "Merge"):
        made = numpy_function(
            lambda *parts: _bytes([v for part in parts for v in _parsed(part.item())]), several, string, name="MergeSummary"
        )
    add_to_collections(collections or (), made)
    return made


def merge_all(key: Any = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None) -> Any:
    """Return one summary with the values of all in a collection; None if there are none."""
    several = get_collection(key, scope)
    return merge(several, name=name) if several else None


# --- writers --------------------------------------------------------------------------------------------------------------


class FileWriter(Uncopied):
    """Writes summaries to a record in a folder: see `wengert.summary`."""

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        graph: WengertList | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: Any = None,
    ) -> None:
        """Begin a record; with a graph, its operations are the first event. ``flush_secs``: how long events wait at most."""
        self._logdir, self._record, self._closed = logdir, Record(logdir, filename_suffix, float(flush_secs)), False
        if graph is not None:
            self.add_graph(graph)

    def _instead(self) -> str:
        return "A writer is neither copied nor pickled, as its file is open: make another in the process that is to write."

    def get_logdir(self) -> Any:
        """Return the folder."""
        return self._logdir

    def _add(self, event: dict[str, Any]) -> None:
        if self._closed:
            warning("Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter is explicitly "
                    "reopened.")  # fmt: skip
        else:
            self._record.add(event)

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Write a summary: the bytes that its operation gave, or a `Summary`.

        Raises:
            ValueError: for bytes that are no summary.
        """
        values = _parsed(summary.SerializeToString() if isinstance(summary, Summary) else summary)
        for value in values:
            self._add({"step": 0 if global_step is None else int(global_step), **value})

    def add_event(self, event: Any) -> None:
        """Write an event's summary at its step."""
        if isinstance(event.summary, Summary):
            self.add_summary(event.summary, event.step if isinstance(event.step, int) else 0)

    def add_graph(self, graph: Any = None, global_step: Any = None, graph_def: Any = None) -> None:
        """Write the names and types of a graph's operations, and what each takes."""
        if graph is not None:
            self._add({**nodes_of(graph), "step": 0 if global_step is None else int(global_step)})

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: TensorLike | None = None) -> None:
        """Accept: a run tells nothing of itself."""

    def flush(self) -> None:
        """Write what waits."""
        self._record.flush()

    def close(self) -> None:
        """Write what waits; what is added later is dropped, and a warning logged."""
        self._record.flush()
        self._closed = True

    def reopen(self) -> None:
        """Take events again."""
        self._closed = False

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()


class FileWriterCache:
    """One writer for each folder."""

    _writers: ClassVar[dict[str, FileWriter]] = {}

    @classmethod
    def get(cls, logdir: str | os.PathLike[str]) -> FileWriter:
        """Return the writer of a folder."""
        key = os.fspath(logdir)
        if key not in cls._writers:
            cls._writers[key] = FileWriter(logdir)
        return cls._writers[key]

    @classmethod
    def clear(cls) -> None:
        """Close all writers and forget them."""
        for writer in cls._writers.values():
            writer.close()
        cls._writers.clear()


def summary_iterator(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Iterate over the events of a record, each with its step, its time, and its summary."""
    for event in read(path):
        rest = {k: v for k, v in event.items() if k not in ("wall_time", "step", "graph")}
        values = [] if "graph" in event else [rest]
        yield Event(wall_time=event["wall_time"], step=event["step"], summary=Summary.FromString(to_json(values).encode()))
