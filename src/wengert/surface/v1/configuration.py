"""TensorFlow 1's configurations: objects that take any field, as protocol buffers do, and have no effect."""

from __future__ import annotations

from typing import Any

from wengert.tensor.tensor import TensorLike


class Fields:
    """An object with any fields: one that was never set is another such object, false and empty.

    >>> config = ConfigProto(allow_soft_placement=True)
    >>> config.gpu_options.allow_growth = True
    >>> config.gpu_options.allow_growth, config.allow_soft_placement
    (True, True)
    """

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        """Return a field that was not set yet, as an object with fields of its own."""
        if name.startswith("__"):
            raise AttributeError(name)
        value = Fields()
        self.__dict__[name] = value
        return value

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Accept a call such as ``options.add()``: return an object with fields."""
        return Fields(**keywords)

    def __getitem__(self, key: Any) -> Any:
        return self.__dict__.setdefault(f"[{key}]", Fields())

    def __setitem__(self, key: Any, value: TensorLike) -> None:
        self.__dict__[f"[{key}]"] = value

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return any(not isinstance(v, Fields) or bool(v) for v in self.__dict__.values())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Fields):
            return _set(self) == _set(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def HasField(self, name: str) -> bool:
        """Whether a field is set."""
        return name in self.__dict__

    def CopyFrom(self, other: TensorLike) -> None:
        """Take the fields of another."""
        self.__dict__.clear()
        self.__dict__.update(other.__dict__)

    MergeFrom = CopyFrom

    def SerializeToString(self) -> bytes:
        """Return the text as bytes."""
        return str(self).encode()

    def __repr__(self) -> str:
        return "".join(f"{k}: {str(v).lower() if isinstance(v, bool) else v!r}\n" for k, v in _set(self).items())


def _set(fields: Fields) -> dict[str, Any]:
    return {k: v for k, v in sorted(fields.__dict__.items()) if not isinstance(v, Fields) or bool(v)}


class ConfigProto(Fields):
    """What a session is configured by."""

    class Experimental(Fields):
        """Further fields."""


class GPUOptions(Fields):
    """Settings for GPUs."""


class OptimizerOptions(Fields):
    """Settings for the optimisation of graphs."""

    L1, L0 = 0, -1
    DEFAULT, OFF, ON_1, ON_2 = 0, -1, 1, 2


class GraphOptions(Fields):
    """Settings for graphs."""


class RunOptions(Fields):
    """Settings for one run."""

    NO_TRACE, SOFTWARE_TRACE, HARDWARE_TRACE, FULL_TRACE = range(4)


class RunMetadata(Fields):
    """What a run tells of itself: nothing."""


class GraphDef(Fields):
    """A graph as a protocol buffer: there is none here, and the object stays empty."""


class NodeDef(Fields):
    """A node as a protocol buffer."""


class MetaGraphDef(Fields):
    """A graph with what belongs to it as a protocol buffer."""


class NameAttrList(Fields):
    """A function's name and attributes."""


class SummaryMetadata(Fields):
    """About a summary."""


class HistogramProto(Fields):
    """A histogram."""


class Event(Fields):
    """An event of a log."""


class SessionLog(Fields):
    """A session's log."""
