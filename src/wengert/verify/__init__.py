"""The verifier: whether derivatives are right, to which digit, and whose fault it is where they are not.

>>> import wengert as tf
>>> from wengert.verify import check
>>> check(lambda x: tf.sin(x) * x, 0.5, order=4).verdict
'right'
"""

from __future__ import annotations

from typing import Any

__all__ = ["Report", "assert_gradients", "check"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: the verifier needs mpmath, and nothing else does."""
    if name == "Report":
        from wengert.verify.report import Report

        return Report
    if name in ("assert_gradients", "check"):
        try:
            from wengert.verify import verdict
        except ModuleNotFoundError as error:
            if error.name != "mpmath":
                raise
            raise ImportError("The verifier needs mpmath, and it is not installed: pip install 'wengert[verify]'") from None
        return getattr(verdict, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
