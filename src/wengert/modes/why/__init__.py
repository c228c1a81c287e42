"""Why a gradient is None: what broke the path, where, and what to do."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any

from wengert.ground.context import ROOT
from wengert.ground.displayed import displayed
from wengert.ground.errors import NoGradientWarning, hint
from wengert.modes.why.reasons import reason
from wengert.tensor.tensor import Tensor, is_tensor_like, value_of

__all__ = ["Reason", "why"]


def warn_none(ys: Sequence[Any], xs: Sequence[Any], tape: Any, entries: Sequence[Any]) -> None:
    """Warn, once for a call, that some gradients are None, with the reason for the first."""
    if _ignored():
        return
    text = reason(ys, xs[0], tape, entries)
    more = f" ({len(xs) - 1} more gradients are None.)" if len(xs) > 1 else ""
    warnings.warn(NoGradientWarning(f"{text}{more} ({hint(NoGradientWarning)})"), stacklevel=_outside())


def _ignored() -> bool:
    """Whether such a warning is ignored whatever it says, so that no reason need be found."""
    for action, message, category, module, line in warnings.filters:
        if issubclass(NoGradientWarning, category):
            return action == "ignore" and message is None and module is None and not line
    return False


def _outside() -> int:
    level, frame = 1, sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(ROOT):
        frame = frame.f_back  # type: ignore[assignment]
        level += 1
    return level


class Reason(str):
    """Why a gradient is None: a text, which a notebook shows sentence by sentence."""

    __slots__ = ()

    @displayed
    def _repr_html_(self) -> str:
        from wengert.ground import display

        first, *others = str(self).split(" Besides: ")
        besides = "".join(f"<p><strong>Besides:</strong> {display.cut(text, 2000)}</p>" for text in others)
        return f"{display.heading('Why the gradient is None')}<p>{display.cut(first, 2000)}</p>{besides}"


def why(target: Tensor, source: Tensor, tape: Any = None) -> Reason:
    """Return why the gradient of a target by a source is None: what broke the path, its file and line, and what to do.

    ``tape``: the tape that was asked, where there is one.

    >>> import wengert as tf
    >>> x = tf.constant(2.0)
    >>> print(tf.why(tf.floor(x), x).partition(" at ")[0])
    Floor has no derivative (its output is constant piece by piece), and the path from source to target passes through it
    """
    targets = list(target) if isinstance(target, list | tuple) else [target]
    for t in (*targets, source):
        if not is_tensor_like(t) and (t is not None or t is source):
            raise TypeError(f"why: target and source must be tensors or variables, not {t!r}.")
    if tape is not None and not hasattr(tape, "history"):
        raise TypeError(f"why: tape must be a GradientTape, not {tape!r}.")
    found = [value_of(t) for t in targets if t is not None]
    return Reason(reason(found, source, tape, () if tape is None else tape.history(found)))
