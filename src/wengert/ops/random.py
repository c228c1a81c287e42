"""Random numbers: Philox streams (NumPy's), one for each tuple of seeds.

Seeds give a sequence; an operation of a graph takes the next numbers of its own sequence each time it runs, and begins anew where
`restart` has been called, but for the operations of a session. None has a derivative; a mean or a scale enters by ordinary
operations outside.

A generator object's numbers are decided by its state alone, which is the value of a variable: the state is an input (the seed
tensor below), and `SKIP` says what it is after that.

Inputs: parameters, then the shape tensor where the attribute ``shape`` is None, then the seed tensor where ``seeds`` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.ground import dtypes, shapes
from wengert.ground.context import state
from wengert.ground.entropy import fresh
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import Shape
from wengert.ground.types import Array, Attrs, Described, Namespace
from wengert.ops import slopes
from wengert.ops.derivative import Constant, Implicit, Unstated
from wengert.ops.linear import as_sizes, sizes_from
from wengert.ops.op import Op
from wengert.ops.signature import check, first

__all__ = [
    "CATEGORICAL", "GAMMA", "NORMAL", "POISSON", "SHUFFLE", "SKIP", "TRUNCATED_NORMAL", "UNIFORM", "UNIFORM_INT", "restart",
]  # fmt: skip

FRESH = (None, None)
"""Seeds that stand for none: new entropy in each run."""


_starts = [0]
"""How often all sequences outside of sessions have begun anew."""


def restart() -> None:
    """Begin the sequences of all functions anew: each at its next run."""
    _starts[0] += 1


def generator(xp: Any, seeds: Any, key: Any) -> Any:
    """Return the generator for this run of an operation; fresh entropy where no seed is given.

    ``key`` names the operation of a graph, whose runs are counted by the session or the function; None for an eager call.
    """
    if seeds == FRESH and state.memory is None:
        return xp.random.default_rng(fresh())
    run = 0
    if key is not None and state.counters is not None:
        start = 0 if state.session is not None else _starts[0]
        before, run = state.counters.get(key, (start, 0))
        run = run if before == start else 0
        state.counters[key] = (start, run + 1)
    words = [fresh()] if seeds == FRESH else [*(0 if w is None else w for w in seeds), run]
    if state.memory is not None:
        words = state.memory.take(words)
    return xp.random.Generator(xp.random.Philox(xp.random.SeedSequence([w & (2**64 - 1) for w in words])))


def _draw(xp: Any, inputs: Sequence[Any], shape: Any, seeds: Any, key: Any) -> tuple[Any, Any]:
    """Return the generator and the sizes to draw."""
    rest = list(inputs)
    if seeds is None:
        seeds = tuple(int(w) for w in rest.pop())
    return generator(xp, seeds, key), as_sizes(rest[-1]) if shape is None else shape


def _infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    return sizes_from(inputs, 0, attrs["shape"]), dtypes.as_dtype(attrs["dtype"]).numpy


def _narrow(dtype: str) -> str:
    return "float32" if dtype in ("float16", "float32") else "float64"


def _uniform(xp: Namespace, *inputs: Array, shape: Shape, dtype: str, seeds: Any, key: Any) -> Any:
    rng, sizes = _draw(xp, inputs, shape, seeds, key)
    x = xp.asarray(rng.random(sizes, dtype=_narrow(dtype)))
    # Rounded to float16 the greatest values would become 1.
    return xp.astype(xp.floor(x * 2048) / 2048, dtype) if dtype == "float16" else xp.astype(x, dtype)


def _uniform_int(xp: Namespace, *inputs: Array, shape: Shape, dtype: str, low: int, high: int, seeds: Any, key: Any) -> Any:
    rng, sizes = _draw(xp, inputs, shape, seeds, key)
    return rng.integers(low, high, sizes, dtype=dtype)


def _normal(xp: Namespace, *inputs: Array, shape: Shape, dtype: str, seeds: Any, key: Any) -> Any:
    rng, sizes = _draw(xp, inputs, shape, seeds, key)
    return xp.astype(rng.standard_normal(sizes, dtype=_narrow(dtype)), dtype)


def _truncated(xp: Namespace, *inputs: Array, shape: Shape, dtype: str, seeds: Any, key: Any) -> Any:
    """Normal values within two standard deviations, the others drawn again."""
    rng, sizes = _draw(xp, inputs, shape, seeds, key)
    x = xp.asarray(rng.standard_normal(sizes))
    while True:
        outside = xp.abs(x) > 2.0
        n = int(outside.sum())
        if not n:
            return xp.astype(x, dtype)
        x[outside] = rng.standard_normal(n)


def _shuffle(xp: Namespace, x: Array, *, seeds: Any, key: Any) -> Any:
    return generator(xp, seeds, key).permutation(x, axis=0) if x.ndim else x


UNIFORM = Op("random_uniform", Constant(constant_inputs=(0, 1)), _uniform, _infer, stateful=True, rows=None, draws=True)
UNIFORM_INT = Op(
    "random_uniform_int", Constant(constant_inputs=(0, 1)), _uniform_int, _infer, stateful=True, type="RandomUniformInt",
    rows=None, draws=True,
)
NORMAL = Op(
    "random_normal", Constant(constant_inputs=(0, 1)), _normal, _infer, stateful=True, type="RandomStandardNormal", rows=None,
    draws=True,
)
TRUNCATED_NORMAL = Op(
    "truncated_normal", Constant(constant_inputs=(0, 1)), _truncated, _infer, stateful=True, rows=None, draws=True,
)
SHUFFLE = Op("random_shuffle", Unstated(), _shuffle, first, stateful=True, rows=None, draws=True)

# --- of a parameter: numbers of the shape asked for, for each element of the parameter ------------------------------


def _each_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    check("a random distribution", inputs[0], "f")
    sizes, each = sizes_from(inputs, 1, attrs["shape"]), inputs[0].sizes
    return (None if sizes is None or each is None else sizes + each), dtypes.as_dtype(attrs["dtype"]).numpy


def _gamma(xp: Namespace, alpha: Any, *inputs: Array, shape: Shape, dtype: str, seeds: Any, key: Any) -> Any:
    rng, sizes = _draw(xp, inputs, shape, seeds, key)
    return xp.astype(rng.gamma(alpha, size=sizes + alpha.shape), dtype)


def _poisson(xp: Namespace, rate: Any, *inputs: Array, shape: Shape, dtype: str, seeds: Any, key: Any) -> Any:
    rng, sizes = _draw(xp, inputs, shape, seeds, key)
    return xp.astype(rng.poisson(rate, size=sizes + rate.shape), dtype)


def _gamma_slope(xp: Namespace, alpha: Any, v: Array) -> Any:
    # A draw of fixed probability P(α, v) moves with α by dv = -∂P/∂α / p dα (M. Figurnov and others, "Implicit
    # reparameterization gradients", 2018).
    return -xp.divide_no_nan(xp.igamma_by(alpha, v, n=1), xp.gamma_density(alpha, v))


GAMMA = Op(
    "random_gamma", Implicit(
        tangent=lambda xp, t, inputs, v, attrs: t[0] * _gamma_slope(xp, inputs[0], v),
        transpose=lambda xp, g, i, inputs, v, attrs: xp.fit(g * _gamma_slope(xp, inputs[0], v), inputs[0]),
        constant_inputs=(1,), slope=slopes.pole(),
    ),
    _gamma, _each_infer, stateful=True, rows=None, draws=True,
)
POISSON = Op("random_poisson", Constant(), _poisson, _each_infer, stateful=True, type="RandomPoissonV2", rows=None, draws=True)


def _categorical_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    check("categorical", inputs[0], "f")
    logits, nptype = inputs[0].sizes, dtypes.as_dtype(attrs["dtype"]).numpy
    if logits is None:
        return (None, None), nptype
    if len(logits) != 2 or logits[1] == 0:
        raise ShapeError(f"categorical takes logits of shape (rows, classes), not {shapes.text(logits)}.")
    return (logits[0], None if attrs["shape"] is None else attrs["shape"][0]), nptype


def _categorical(xp: Namespace, logits: Any, *inputs: Array, shape: Shape, dtype: str, seeds: Any, key: Any) -> Any:
    rng, (n,) = _draw(xp, inputs, shape, seeds, key)
    wide = xp.astype(logits, "float64")
    below = xp.cumsum(xp.exp(wide - xp.max(wide, axis=-1, keepdims=True)), axis=-1)
    at = rng.random((below.shape[0], n)) * below[:, -1:]
    found = [xp.searchsorted(row, u, side="right") for row, u in zip(below, at, strict=True)]
    drawn = xp.stack(found) if found else xp.zeros((0, n))
    return xp.astype(xp.minimum(drawn, below.shape[-1] - 1), dtype)


CATEGORICAL = Op(
    "categorical", Constant(), _categorical, _categorical_infer, stateful=True, type="Multinomial", rows=None, gives="place",
    draws=True,
)


def _skip(xp: Namespace, at: Array, count: Any) -> Any:
    """Return the state (low and high word of the counter, key) after so many numbers, of which each moves the counter by 256."""
    words = xp.astype(at, "uint64")
    low = words[:1] + xp.reshape(xp.astype(count, "uint64"), (1,)) * xp.asarray(256, dtype="uint64")
    high = words[1:2] + xp.astype(low < words[:1], "uint64")
    return xp.astype(xp.concat([low, high, words[2:]]), "int64")


SKIP = Op("skip_random", Constant(), _skip, first, type="RngSkip", rows=None)
