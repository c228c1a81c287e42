"""The assertions about texts and containers, most of them those of absl's test case."""

from __future__ import annotations

import difflib
import re
import unittest
from typing import Any

from wengert.tensor.tensor import TensorLike


class Containers(unittest.TestCase):
    """A test that compares texts and containers."""

    def assertStartsWith(self, actual: str, expected_start: str, msg: str | None = None) -> None:
        """Assert how a string begins."""
        if not actual.startswith(expected_start):
            self.fail(f"{actual!r} does not start with {expected_start!r}. {msg or ''}")

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: str, msg: str | None = None, **options: Any) -> None:
        """Assert that the fields of a configuration are those of another one, or of a text of lines ``field: value``."""
        wanted = expected_message_maybe_ascii
        if isinstance(wanted, str):
            fields = dict(re.findall(r"(\w+)\s*:\s*(\S+)", wanted))
            for name, text in fields.items():
                self.assertEqual(text.strip("\"'").lower(), str(getattr(message, name)).lower(), msg)
        else:
            self.assertEqual(wanted, message, msg)

    def assertLen(self, container: Any, expected_len: int, msg: str | None = None) -> None:
        """Assert the number of elements."""
        if len(container) != expected_len:
            self.fail(f"{container!r} has length of {len(container)}, expected {expected_len}. {msg or ''}")

    def assertEmpty(self, container: Any, msg: str | None = None) -> None:
        """Assert that there are no elements."""
        if len(container):
            self.fail(f"{container!r} has length of {len(container)}, expected 0. {msg or ''}")

    def assertNotEmpty(self, container: Any, msg: str | None = None) -> None:
        """Assert that there are elements."""
        if not len(container):
            self.fail(f"{container!r} is empty. {msg or ''}")

    def assertBetween(self, value: TensorLike, minv: Any, maxv: Any, msg: str | None = None) -> None:
        """Assert minv <= value <= maxv."""
        if not minv <= value <= maxv:
            self.fail(f"{value!r} unexpectedly not between {minv!r} and {maxv!r}. {msg or ''}")

    def assertSameElements(self, expected_seq: Any, actual_seq: Any, msg: str | None = None) -> None:
        """Assert that two sequences have the same set of elements."""
        self.assertEqual(set(expected_seq), set(actual_seq), msg)

    def assertItemsEqual(self, expected_seq: Any, actual_seq: Any, msg: str | None = None) -> None:
        """Assert that two sequences have the same elements, in any order."""
        self.assertCountEqual(expected_seq, actual_seq, msg)

    def assertSequenceAlmostEqual(
        self, expected_seq: Any, actual_seq: Any, places: Any = None, msg: Any = None, delta: Any = None
    ) -> None:
        """Assert that the elements of two sequences are almost equal."""
        self.assertEqual(len(expected_seq), len(actual_seq), msg)
        for one, other in zip(expected_seq, actual_seq, strict=True):
            self.assertAlmostEqual(one, other, places=places, msg=msg, delta=delta)

    def assertContainsInOrder(self, strings: Any, target: str, msg: str | None = None) -> None:
        """Assert that strings occur in a text, one after the other."""
        at = 0
        for string in [strings] if isinstance(strings, str) else strings:
            found = target.find(string, at)
            if found < 0:
                self.fail(f"{string!r} does not follow in {target!r}. {msg or ''}")
            at = found + len(string)

    def assertContainsSubsequence(self, container: Any, subsequence: Any, msg: str | None = None) -> None:
        """Assert that elements occur in this order."""
        rest = iter(container)
        if not all(any(one == item for item in rest) for one in subsequence):
            self.fail(f"{subsequence!r} is no subsequence of {container!r}. {msg or ''}")

    def assertMultiLineEqual(self, first: str, second: str, msg: str | None = None) -> None:
        """Assert that two texts are equal; show their difference."""
        if first != second:
            shown = "".join(difflib.ndiff(first.splitlines(True), second.splitlines(True)))
            self.fail(f"{msg or 'the texts differ'}:\n{shown}")
