"""Random numbers: Philox streams (NumPy's), one for each pair of seeds.

A pair of seeds gives a sequence; an operation of a graph takes the next numbers of its own sequence each time it runs.
"""

from __future__ import annotations

from typing import Any

from wengert import dtypes
from wengert.context import state
from wengert.op import Op
from wengert.ops.linear import sizes_from
from wengert.ops.signature import first

__all__ = ["GAMMA", "NORMAL", "POISSON", "SHUFFLE", "TRUNCATED_NORMAL", "UNIFORM", "UNIFORM_INT"]


def generator(xp: Any, seeds: tuple[int | None, int | None], key: Any) -> Any:
    """Return the generator for this run of an operation; fresh entropy where no seed is given.

    ``key`` names the operation of a graph, whose runs are counted by the session; None for an eager call.
    """
    if seeds == (None, None):
        return xp.random.default_rng()
    run = 0
    if key is not None and state.counters is not None:
        run = state.counters.get(key, 0)
        state.counters[key] = run + 1
    words = [seeds[0] or 0, seeds[1] or 0, run]
    return xp.random.Generator(xp.random.Philox(xp.random.SeedSequence([w & (2**64 - 1) for w in words])))


def _shape(dims: Any, shape: Any) -> Any:
    return tuple(int(s) for s in dims[0]) if shape is None else shape


def _infer(inputs: Any, attrs: Any) -> Any:
    return sizes_from(inputs, 0, attrs["shape"]), dtypes.as_dtype(attrs["dtype"]).numpy


def _uniform(xp: Any, *dims: Any, shape: Any, dtype: str, seeds: Any, key: Any) -> Any:
    kind = "float32" if dtype in ("float16", "float32") else "float64"
    return xp.astype(generator(xp, seeds, key).random(_shape(dims, shape), dtype=kind), dtype)


def _uniform_int(xp: Any, *dims: Any, shape: Any, dtype: str, low: int, high: int, seeds: Any, key: Any) -> Any:
    return generator(xp, seeds, key).integers(low, high, _shape(dims, shape), dtype=dtype)


def _normal(xp: Any, *dims: Any, shape: Any, dtype: str, seeds: Any, key: Any) -> Any:
    return xp.astype(generator(xp, seeds, key).standard_normal(_shape(dims, shape)), dtype)


def _truncated(xp: Any, *dims: Any, shape: Any, dtype: str, seeds: Any, key: Any) -> Any:
    """Normal values within two standard deviations, the others drawn again."""
    rng = generator(xp, seeds, key)
    x = rng.standard_normal(_shape(dims, shape))
    while True:
        outside = xp.abs(x) > 2.0
        n = int(outside.sum())
        if not n:
            return xp.astype(x, dtype)
        x[outside] = rng.standard_normal(n)


def _shuffle(xp: Any, x: Any, *, seeds: Any, key: Any) -> Any:
    return generator(xp, seeds, key).permutation(x, axis=0) if x.ndim else x


UNIFORM = Op("random_uniform", "constant", _uniform, _infer, stateful=True, constant_inputs=(0,))
UNIFORM_INT = Op(
    "random_uniform_int", "constant", _uniform_int, _infer, stateful=True, constant_inputs=(0,), type="RandomUniformInt"
)
NORMAL = Op(
    "random_normal", "constant", _normal, _infer, stateful=True, constant_inputs=(0,), type="RandomStandardNormal"
)
TRUNCATED_NORMAL = Op("truncated_normal", "constant", _truncated, _infer, stateful=True, constant_inputs=(0,))
GAMMA = Op(
    "random_gamma", "constant",
    lambda xp, *dims, shape, dtype, alpha, seeds, key: xp.astype(
        generator(xp, seeds, key).gamma(alpha, size=_shape(dims, shape)), dtype),
    _infer, stateful=True, constant_inputs=(0,),
)  # fmt: skip
POISSON = Op(
    "random_poisson", "constant",
    lambda xp, *dims, shape, dtype, rate, seeds, key: xp.astype(
        generator(xp, seeds, key).poisson(rate, size=_shape(dims, shape)), dtype),
    _infer, stateful=True, constant_inputs=(0,),
)  # fmt: skip
SHUFFLE = Op("random_shuffle", "constant", _shuffle, first, stateful=True)
