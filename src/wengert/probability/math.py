"""``tfp.math``: a function's value with its gradient, and functions that densities are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.functions.array import convert_to_tensor
from wengert.ground import nest
from wengert.modes.tape import GradientTape
from wengert.probability.special import (
    betaincinv,
    fill_triangular,
    fill_triangular_inverse,
    igammacinv,
    igammainv,
    lbeta,
    log1mexp,
    softplus_inverse,
)
from wengert.tensor.tensor import TensorLike

__all__ = [
    "betaincinv", "fill_triangular", "fill_triangular_inverse", "igammacinv", "igammainv", "lbeta",
    "log1mexp", "softplus_inverse", "value_and_gradient",
]  # fmt: skip


def value_and_gradient(
    f: Callable[..., Any],
    *args: Any,
    output_gradients: TensorLike | None = None,
    auto_unpack_single_arg: bool = True,
    has_aux: bool = False,
    name: str | None = None,
    **kwargs: Any,
) -> Any:
    """Return f's value, and its gradient by its arguments: one for one argument, a list for several.

    Args:
        f: a function of tensors.
        args: where; what is no tensor becomes one.
        output_gradients: a weight for each element of the value.
        auto_unpack_single_arg: whether the gradient by a single argument comes without a list around it.
        has_aux: whether f returns a pair, of which only the first is differentiated; the value is then the pair.
        name: not used.
        kwargs: further arguments by name, which are differentiated by too; their gradients then follow in a dict.

    >>> value, slope = value_and_gradient(lambda x: x**3, 2.0)
    >>> float(value), float(slope)
    (8.0, 12.0)
    """
    places = nest.map_structure(convert_to_tensor, list(args))
    named = nest.map_structure(convert_to_tensor, kwargs)
    with GradientTape() as tape:
        tape.watch([places, named])
        found = f(*places, **named)
        value = found[0] if has_aux else found
    by_place, by_name = tape.gradient(value, [places, named], output_gradients=output_gradients)
    slopes = by_place[0] if auto_unpack_single_arg and len(args) == 1 else by_place
    if kwargs:
        return found, by_name if not args else (slopes, by_name)
    return found, slopes
