"""The assertions about what a block does: what it raises, what it writes, what its threads raise."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from wengert.ground.errors import OpError
from wengert.ground.types import Array


class _ErrorRaised:
    """The context of assertRaisesWithPredicateMatch."""

    def __init__(self, test: Any, kind: Any, predicate: Callable[[Any], bool]) -> None:
        self.test, self.kind, self.predicate = test, kind, predicate

    def __enter__(self) -> _ErrorRaised:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if error is None:
            self.test.fail(f"{getattr(self.kind, '__name__', self.kind)} not raised")
        if not isinstance(error, self.kind):
            return False
        if not self.predicate(error):
            raise AssertionError(f"Exception of type {type(error)}: {error}") from error
        return True


class Errors(unittest.TestCase):
    """A test that expects errors, and watches streams and threads."""

    def assertRaisesWithPredicateMatch(self, exception_type: Any, expected_err_re_or_predicate: Any) -> Any:
        """Return a context that expects an error for which a predicate holds, or whose text a pattern finds."""
        if callable(expected_err_re_or_predicate):
            predicate = expected_err_re_or_predicate
        else:

            def predicate(error: Any) -> bool:
                text = error.message if isinstance(error, OpError) else str(error)
                return bool(re.search(expected_err_re_or_predicate, text))

        return _ErrorRaised(self, exception_type, predicate)

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """Return a context that expects an operation's error."""
        return self.assertRaisesWithPredicateMatch(OpError, expected_err_re_or_predicate)

    def assertRaisesIncompatibleShapesError(
        self, exception_type: Any = OpError, expected_message: str = "Incompatible shapes|Dimensions must be equal"
    ) -> Any:
        """Return a context that expects an error about shapes."""
        return self.assertRaisesWithPredicateMatch(exception_type, expected_message)

    @contextlib.contextmanager
    def assertErrorLoggedWithin(self, *arguments: Any) -> Iterator[None]:
        """Accept whatever is logged."""
        yield

    @contextlib.contextmanager
    def captureWritesToStream(self, stream: Any) -> Iterator[Any]:
        """Catch what is written to a stream; the value of the context has a method ``contents()``."""
        captured = _Captured(stream)
        captured.flush()
        descriptor = stream.fileno()
        kept = os.dup(descriptor)
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), descriptor)
            captured.file = file
            try:
                yield captured
            finally:
                captured.flush()
                captured.text = captured.contents()
                captured.file = None
                os.dup2(kept, descriptor)
                os.close(kept)

    def checkedThread(self, target: Array, args: Any = None, kwargs: Any = None) -> Any:
        """Return a thread whose failure is the test's when it is joined."""
        return _CheckedThread(target, args or (), kwargs or {})


class _Captured:
    """What is being written to a stream."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.text = stream, ""
        self.file: Any = None

    def flush(self) -> None:
        with contextlib.suppress(ValueError):
            self.stream.flush()

    def contents(self) -> str:
        if self.file is None:
            return self.text
        self.flush()
        self.file.seek(0)
        return bytes(self.file.read()).decode()


class _CheckedThread:
    """A thread that keeps what its target raises."""

    def __init__(self, target: Any, args: Any, kwargs: Any) -> None:
        self._error: BaseException | None = None

        def run() -> None:
            try:
                target(*args, **kwargs)
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=run)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def join(self) -> None:
        """Wait, and raise what the target raised."""
        self._thread.join()
        if self._error is not None:
            raise AssertionError(f"Error in checkedThread: {self._error}") from self._error

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()
