"""TensorFlow 1's ``tf.debugging``: assertions take the data to print, and the message after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.functions import debugging as two
from wengert.surface.debugging import (
    Assert,
    assert_all_finite,
    assert_proper_iterable,
    assert_same_float_dtype,
    assert_shapes,
    assert_type,
    check_numerics,
    disable_check_numerics,
    disable_traceback_filtering,
    enable_check_numerics,
    enable_traceback_filtering,
    get_log_device_placement,
    is_numeric_tensor,
    is_traceback_filtering_enabled,
    set_log_device_placement,
)
from wengert.surface.v1.keywords import renamed

__all__ = [
    "Assert",
    "assert_all_finite",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_shapes",
    "assert_type",
    "check_numerics",
    "disable_check_numerics",
    "disable_traceback_filtering",
    "enable_check_numerics",
    "enable_traceback_filtering",
    "get_log_device_placement",
    "is_numeric_tensor",
    "is_traceback_filtering_enabled",
    "set_log_device_placement",
    "verify_tensor_all_finite",
]


def _of_two(name: str) -> Callable[..., Any]:
    def check(x: Any, y: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None) -> Any:
        """Check two tensors; the error shows the message."""
        return getattr(two, which)(x, y, message=message, summarize=summarize, name=name)

    which = name
    check.__name__ = check.__qualname__ = name
    return check


def _of_one(name: str) -> Callable[..., Any]:
    def check(x: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None) -> Any:
        """Check a tensor; the error shows the message."""
        return getattr(two, which)(x, message=message, summarize=summarize, name=name)

    which = name
    check.__name__ = check.__qualname__ = name
    return check


def _of_rank(name: str) -> Callable[..., Any]:
    def check(
        x: Any, rank: Any = None, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None,
        ranks: Any = None,
    ) -> Any:  # fmt: skip
        """Check the rank of a tensor; the error shows the message."""
        return getattr(two, which)(x, rank if ranks is None else ranks, message, name)

    which = name
    check.__name__ = check.__qualname__ = name
    return check


assert_equal, assert_none_equal = _of_two("assert_equal"), _of_two("assert_none_equal")
assert_less, assert_less_equal = _of_two("assert_less"), _of_two("assert_less_equal")
assert_greater, assert_greater_equal = _of_two("assert_greater"), _of_two("assert_greater_equal")
assert_positive, assert_negative = _of_one("assert_positive"), _of_one("assert_negative")
assert_non_positive, assert_non_negative = _of_one("assert_non_positive"), _of_one("assert_non_negative")
assert_rank, assert_rank_at_least = _of_rank("assert_rank"), _of_rank("assert_rank_at_least")
assert_rank_in = _of_rank("assert_rank_in")


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, data: Any = None, summarize: Any = None, message: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Check that two tensors are close."""
    return two.assert_near(x, y, rtol, atol, message, summarize, name)


def assert_integer(x: Any, message: Any = None, name: str | None = None) -> Any:
    """Check that a tensor holds integers."""
    return two.assert_integer(x, message, name)


def assert_scalar(tensor: Any, name: str | None = None, message: Any = None) -> Any:
    """Check that a tensor has no axes; return it."""
    return two.assert_scalar(tensor, message, name)


def verify_tensor_all_finite(t: Any = None, msg: Any = None, name: str | None = None, x: Any = None, message: Any = None) -> Any:
    """Return the tensor, checked to be finite."""
    value = renamed("x", x, "t", t)
    return two.assert_all_finite(value, renamed("message", message, "msg", msg, ""), name)
