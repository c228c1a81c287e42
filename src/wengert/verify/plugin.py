"""The plugin for pytest: the fixture `assert_gradients`. It imports the verifier when a test asks for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

__all__ = ["assert_gradients"]


@pytest.fixture
def assert_gradients() -> Callable[..., None]:
    """Return `wengert.verify.assert_gradients`: it fails the test if a derivative is wrong, and says whose fault it is.

    In a test: ``def test_loss(assert_gradients): assert_gradients(loss, x, t, order=3)``.
    """
    from wengert.verify import assert_gradients

    return assert_gradients  # type: ignore[no-any-return]
