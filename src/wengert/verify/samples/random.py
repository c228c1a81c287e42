"""Samples of `wengert.ops.random`: draws from given seeds."""

from __future__ import annotations

import numpy as np

from wengert.verify.samples.sample import Draw, normal, reals, sample, these

__all__: list[str] = []

SEEDS: dict[str, tuple[int, int] | None] = {"seeds": (3, 5), "key": None}
SIZES = (2, 30)


def _drawn(op: str, *inputs: Draw, **attrs: str | int) -> None:
    sample(op, *inputs, shape=SIZES, smooth=False, **attrs, **SEEDS)
    sample(op, *inputs, these(SIZES), shape=None, smooth=False, open=True, note="tensor", **attrs, **SEEDS)


_drawn("random_uniform", dtype="float64")
_drawn("random_uniform_int", dtype="int32", low=-3, high=9)
_drawn("random_normal", dtype="float64")
_drawn("truncated_normal", dtype="float64")
_drawn("random_gamma", reals(0.5, 1.7), dtype="float64")
_drawn("random_poisson", reals(2.5), dtype="float64")
sample("random_shuffle", normal(5, 2), smooth=False, **SEEDS)
LOGITS = np.log(np.array([[0.2, 0.5, 0.3], [0.0001, 0.0001, 0.9998]]))
sample("categorical", these(LOGITS, "float64"), shape=(20,), dtype="int64", smooth=False, **SEEDS)
sample("skip_random", these([-100, 7, 9], "int64"), these(3, "int64"))
