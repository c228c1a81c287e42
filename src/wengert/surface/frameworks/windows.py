"""What JAX's convolutions and sums over windows become."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array as arrays
from wengert.functions import math as maths
from wengert.functions import nn
from wengert.ground.errors import UnimplementedError
from wengert.ground.types import Dtype
from wengert.ops import elementwise as E
from wengert.ops.op import Op
from wengert.surface.frameworks.jaxpr import Rule
from wengert.surface.frameworks.primitives import pad, transpose
from wengert.surface.frameworks.rules import Sizes, rule, sizes_of
from wengert.tensor.tensor import Tensor, apply, cast, convert

__all__: list[str] = []

MOST_SHIFTS = 4096
"""Elements of a window that is added up shift by shift."""


@rule("conv_general_dilated")
def convolution(
    x: Tensor, w: Tensor, *, window_strides: Sizes, padding: Sequence[tuple[int, int]], lhs_dilation: Sizes,
    rhs_dilation: Sizes, dimension_numbers: Hashable, feature_group_count: int, batch_group_count: int,
    preferred_element_type: Dtype | None = None, **params: Hashable,
) -> Any:  # fmt: skip
    """A convolution over one to three axes."""
    of_x, of_w, of_y = [tuple(int(k) for k in getattr(dimension_numbers, n)) for n in ("lhs_spec", "rhs_spec", "out_spec")]
    n = len(window_strides)
    if not 1 <= n <= 3:
        raise UnimplementedError(f"wengert.jax: a convolution over {n} axes is not there.")
    if preferred_element_type is not None and np.dtype(preferred_element_type) != x.nptype:
        x, w = cast(x, np.dtype(preferred_element_type)), cast(w, np.dtype(preferred_element_type))
    x = transpose(x, permutation=[of_x[0], *of_x[2:], of_x[1]])  # batch, axes, channels
    w = transpose(w, permutation=[*of_w[2:], of_w[1], of_w[0]])  # axes, channels in, channels out
    edges = [(0, 0, 0), *[(int(a), int(b), int(d) - 1) for (a, b), d in zip(padding, lhs_dilation, strict=True)], (0, 0, 0)]
    x = pad(x, convert(np.zeros((), x.nptype)), padding_config=edges)
    strides, dilations = [int(s) for s in window_strides], [int(d) for d in rhs_dilation]
    groups = max(int(feature_group_count), int(batch_group_count))  # one of them is 1

    def one(x: Tensor, w: Tensor) -> Any:
        if x.nptype.kind == "c":
            (a, b), (c, d) = [(maths.real(z), maths.imag(z)) for z in (x, w)]
            return maths.complex(one(a, c) - one(b, d), one(a, d) + one(b, c))
        if max(strides) > 1 and max(dilations) > 1:  # spread the filter
            spread = [(0, 0, d - 1) for d in dilations] + [(0, 0, 0)] * 2
            return nn.convolution(x, pad(w, convert(np.zeros((), w.nptype)), padding_config=spread), strides, "VALID")
        return nn.convolution(x, w, strides, "VALID", dilations=dilations)

    if groups == 1:
        y = one(x, w)
    else:
        xs, ws = arrays.split(x, groups, 0 if batch_group_count != 1 else -1), arrays.split(w, groups, -1)
        y = arrays.concat([one(a, b) for a, b in zip(xs, ws, strict=True)], -1)
    order = [0] * (n + 2)
    order[of_y[0]], order[of_y[1]] = 0, n + 1
    for k, axis in enumerate(of_y[2:]):
        order[axis] = k + 1
    return transpose(y, permutation=order)


def _over_windows(op: Op, start: float, turned: bool = False) -> Rule:
    """Return the rule of sums over windows by an operation; ``turned``: of negative values."""

    def applied(
        x: Tensor, *, window_dimensions: Sizes, window_strides: Sizes, padding: Sequence[tuple[int, int]],
        base_dilation: Sizes, window_dilation: Sizes, **params: Hashable,
    ) -> Any:  # fmt: skip
        if int(np.prod(window_dimensions)) > MOST_SHIFTS:
            raise UnimplementedError(f"wengert.jax: a window of {window_dimensions} elements is not there.")
        x = -x if turned else x
        edges = [(int(a), int(b), int(d) - 1) for (a, b), d in zip(padding, base_dilation, strict=True)]
        x = pad(x, convert(np.asarray(start, x.nptype)), padding_config=edges)
        reach = [(int(w) - 1) * int(d) for w, d in zip(window_dimensions, window_dilation, strict=True)]
        counts = [(size - r - 1) // int(s) + 1 for size, r, s in zip(sizes_of(x), reach, window_strides, strict=True)]
        total: Any = None
        for place in itertools.product(*[range(int(w)) for w in window_dimensions]):
            first = [p * int(d) for p, d in zip(place, window_dilation, strict=True)]
            bounds = zip(first, counts, window_strides, strict=True)
            part = x[tuple([slice(a, a + (c - 1) * int(s) + 1, int(s)) for a, c, s in bounds])]
            total = part if total is None else apply(op, (total, part))
        return -total if turned else total

    return applied


rule("reduce_window_sum")(_over_windows(E.ADD, 0.0))
# Of equals the first has the derivative.
rule("reduce_window_max")(_over_windows(E.MAXIMUM_FIRST, -np.inf))
rule("reduce_window_min")(_over_windows(E.MAXIMUM_FIRST, -np.inf, turned=True))
