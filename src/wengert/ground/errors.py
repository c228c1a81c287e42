"""The exceptions of Wengert: TensorFlow's names, each also the built-in that Python users expect.

::

    Exception
    └── OpError
        ├── InvalidArgumentError (ValueError)
        │   ├── DTypeError (TypeError)
        │   └── ShapeError
        ├── FailedPreconditionError (RuntimeError)
        ├── NotFoundError (LookupError)
        ├── OutOfRangeError (IndexError)
        ├── UnimplementedError (NotImplementedError)
        │   └── NoGradientError (LookupError)
        ├── CancelledError, UnknownError, DeadlineExceededError, AlreadyExistsError,
        │   PermissionDeniedError, ResourceExhaustedError, AbortedError,
        │   UnavailableError, DataLossError, UnauthenticatedError
        └── InternalError
    TypeError
    ├── OperatorNotAllowedInGraphError
    └── InaccessibleTensorError (ValueError)

Warning:
    └── NoGradientWarning
"""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = [
    "ABORTED",
    "ALREADY_EXISTS",
    "CANCELLED",
    "DATA_LOSS",
    "DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "OK",
    "OUT_OF_RANGE",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
    "UNIMPLEMENTED",
    "UNKNOWN",
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DTypeError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InaccessibleTensorError",
    "InternalError",
    "InvalidArgumentError",
    "LostDerivativeWarning",
    "NoGradientError",
    "NoGradientWarning",
    "NotFoundError",
    "OpError",
    "OperatorNotAllowedInGraphError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "ShapeError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
]

_Kind = TypeVar("_Kind", bound=type[Exception])


(
    OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED,
    RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS,
    UNAUTHENTICATED,
) = range(17)  # fmt: skip


class _Notes:
    """The notes of an error (PEP 678): made when asked for, which is when the error is shown, so that raising costs nothing."""

    def __get__(self, error: Exception | None, kind: type[Exception]) -> list[str]:
        """Return the notes of an error, the first of which says where to read on."""
        if error is None:
            raise AttributeError(f"{kind.__name__} has no notes: its instances have")
        own = next(one for one in kind.__mro__ if one.__module__.partition(".")[0] == "wengert")
        notes: list[str] = error.__dict__.setdefault("__notes__", [hint(own)])
        return notes


def helped(kind: _Kind) -> _Kind:
    """Let the errors of a class, and of those below it, say by which command their page is shown."""
    type.__setattr__(kind, "__notes__", _Notes())
    return kind


def hint(kind: type[Exception]) -> str:
    """Return how the page of an error or a warning is shown."""
    return f"wengert help {kind.__name__}: what it means, and what to do"


@helped
class OpError(Exception):
    """An operation failed; the base of TensorFlow's error classes.

    Called with a message alone, or as TensorFlow does with ``(node_def, op, message)``.
    """

    error_code = 2

    def __init__(self, *arguments: Any) -> None:
        """Keep the message, and the operation where one is named."""
        self.node_def: Any = arguments[0] if len(arguments) >= 3 else None
        self.op: Any = arguments[1] if len(arguments) >= 3 else None
        self.message = str(arguments[2] if len(arguments) >= 3 else arguments[0] if arguments else "")
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process without the operation, which is part of a graph of this one."""
        return type(self), self.args, {**self.__dict__, "node_def": None, "op": None}


class CancelledError(OpError):
    """The operation was cancelled."""

    error_code = 1


class UnknownError(OpError):
    """The cause is not known."""

    error_code = 2


class InvalidArgumentError(OpError, ValueError):
    """An operation was given an argument that it cannot take."""

    error_code = 3


class DTypeError(InvalidArgumentError, TypeError):
    """An operation was given values of a dtype that it cannot take."""


class ShapeError(InvalidArgumentError):
    """An operation was given values whose shapes do not fit."""


class DeadlineExceededError(OpError, TimeoutError):
    """The operation took longer than it was allowed to."""

    error_code = 4


class NotFoundError(OpError, LookupError):
    """A named thing does not exist."""

    error_code = 5


class AlreadyExistsError(OpError):
    """A thing that was to be made exists already."""

    error_code = 6


class PermissionDeniedError(OpError, PermissionError):
    """The caller may not do this."""

    error_code = 7


class ResourceExhaustedError(OpError, MemoryError):
    """Memory or another resource ran out."""

    error_code = 8


class FailedPreconditionError(OpError, RuntimeError):
    """The system is not in the state that the operation needs, as with an uninitialised variable."""

    error_code = 9


class AbortedError(OpError):
    """The operation was aborted."""

    error_code = 10


class OutOfRangeError(OpError, IndexError):
    """An index lies outside of its range, or a sequence has ended."""

    error_code = 11


class UnimplementedError(OpError, NotImplementedError):
    """The operation does not exist for these arguments."""

    error_code = 12


class NoGradientError(UnimplementedError, LookupError):
    """A derivative was asked for that an operation has, and does not state: nothing is left out of a sum in its place."""


class InternalError(OpError, RuntimeError):
    """Wengert broke one of its own laws: a defect to report."""

    error_code = 13


class UnavailableError(OpError):
    """The service is not there at the moment."""

    error_code = 14


class DataLossError(OpError):
    """Stored data is damaged."""

    error_code = 15


class UnauthenticatedError(OpError):
    """The caller is not known."""

    error_code = 16


@helped
class OperatorNotAllowedInGraphError(TypeError):
    """A symbolic tensor was used where Python needs a value, as in ``if tensor:``."""


@helped
class InaccessibleTensorError(TypeError, ValueError):
    """A symbolic tensor was used outside of the function or graph that it belongs to."""


class LostDerivativeWarning(RuntimeWarning):
    """A function of NumPy that is not recorded took the value of a tensor that a tape watches."""


class NoGradientWarning(UserWarning):
    """A gradient is None; the text says which operation broke the path, and where."""


for _name in __all__:  # tracebacks name the public module
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = "wengert.errors"
del _name
