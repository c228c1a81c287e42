"""How an operation is differentiated: one statement, of one kind.

=============  ============================================================================================
Linear         the kernel is linear in its differentiable inputs; ``transpose`` states its adjoint
Bilinear       linear in each of two inputs; ``transpose`` states both adjoints
Elementwise    ``partials``: for each input, its partial derivative as operations on (inputs, output)
Piecewise      a selection that is held fixed: ``partials`` where elementwise, else ``tangent`` and ``transpose``
Implicit       the output solves an equation; its linearisation is ``tangent`` and ``transpose``
Constant       no derivative at all: comparisons, shapes, integers
Unstated       there is a derivative, and nobody states it: asking for it is an error
Control        holds graphs of its own (cond, loop); states ``vjp`` and ``jvp`` by building graphs
Custom         a user's rule: states ``vjp``
=============  ============================================================================================

Signatures, array data positional, metadata by keyword:

- ``partials[i](xp, *inputs, output, **attrs)``; None where there is a partial that is not stated
- ``transpose(xp, g, i, inputs, output, attrs)``: the cotangent of input i; g is a tuple for several outputs.
- ``tangent(xp, tangents, inputs, output, attrs)``: the output's tangent; an absent tangent is None.
- ``taylor(xp, *inputs, output, **attrs)``: where the coefficients of a Taylor series come cheaper than by the partials: an
  expression that differs from the operation by a constant, or (p, q) where the operation is p / q (p None for 1).
- ``series(xp, moved, indices, node)``, of control operations: the outputs' coefficients from those of the inputs.
- ``vjp(xp, g, inputs, output, attrs, wanted)`` and ``jvp(xp, tangents, inputs, output, attrs)``: where the rule of reverse or of
  forward mode is stated rather than derived (`wengert.derive.reverse`, `wengert.derive.forward`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from wengert.ops.slopes import FINITE, Slope

__all__ = [
    "Bilinear",
    "Constant",
    "Control",
    "Custom",
    "Derivative",
    "Elementwise",
    "Implicit",
    "Linear",
    "Piecewise",
    "Unstated",
]

Statement = Callable[..., Any]


class Derivative:
    """The statement of one operation; see the module's text."""

    kind: ClassVar[str]
    asks_slope: ClassVar[bool] = False
    """Whether a record must say where the derivatives are finite; those of what is linear are everywhere."""

    __slots__ = (
        "constant_inputs", "jvp", "linear_inputs", "partials", "selects", "series", "slope", "tangent", "taylor", "transpose",
        "vjp",
    )  # fmt: skip

    def __init__(
        self,
        *,
        partials: tuple[Statement | None, ...] = (),
        tangent: Statement | None = None,
        transpose: Statement | None = None,
        vjp: Statement | None = None,
        jvp: Statement | None = None,
        taylor: Statement | None = None,
        series: Statement | None = None,
        constant_inputs: tuple[int, ...] = (),
        linear_inputs: tuple[int, ...] = (),
        slope: Slope | Callable[[Any], Slope] | None = None,
        selects: bool | Callable[[Any], bool] = False,
    ) -> None:
        """Keep the statement.

        ``constant_inputs``: positions with no derivative (indices, references for a shape). ``linear_inputs``: those
        that an implicit operation is linear in (the right-hand side of an equation). ``slope``: where the derivatives are
        finite (`wengert.ops.slopes`), or a rule for it by the attributes. ``selects``: whether reverse mode hands back zeros to
        what was not chosen.
        """
        self.partials, self.tangent, self.transpose, self.vjp, self.jvp = partials, tangent, transpose, vjp, jvp
        self.taylor, self.series, self.selects = taylor, series, selects
        self.constant_inputs, self.linear_inputs = constant_inputs, linear_inputs
        self.slope = FINITE if slope is None and self.kind in ("linear", "bilinear") else slope


class Linear(Derivative):
    """The kernel is linear in its differentiable inputs."""

    kind = "linear"
    __slots__ = ()


class Bilinear(Linear):
    """Linear in each of two inputs."""

    kind = "bilinear"
    __slots__ = ()


class Elementwise(Derivative):
    """A function of each element alone."""

    kind, asks_slope = "elementwise", True
    __slots__ = ()


class Piecewise(Derivative):
    """A selection that is held fixed."""

    kind, asks_slope = "piecewise", True
    __slots__ = ()


class Implicit(Derivative):
    """The output solves an equation."""

    kind, asks_slope = "implicit", True
    __slots__ = ()


class Constant(Derivative):
    """No derivative at all."""

    kind = "constant"
    __slots__ = ()


class Unstated(Derivative):
    """There is a derivative, and nobody states it."""

    kind = "unstated"
    __slots__ = ()


class Control(Derivative):
    """Holds graphs of its own."""

    kind = "control"
    __slots__ = ()


class Custom(Derivative):
    """A user's rule."""

    kind = "custom"
    __slots__ = ()
