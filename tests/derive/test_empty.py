"""Derivatives of what has no elements have none either: their shapes, in every mode, up to the third order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.compat import v1

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "a network": lambda x: tf.tanh(tf.matmul(tf.tanh(x), tf.ones([x.shape[-1], 3], tf.float64))),
    "a power of the sum": lambda x: tf.reduce_sum(x) ** 4,
    "columns": lambda x: tf.sin(x[..., :1]) * x[..., 1:] ** 2,
    "a product": lambda x: tf.reduce_prod(x + 1.0, axis=-1),
    "cumulative": lambda x: tf.cumsum(tf.exp(x), axis=0) * tf.math.cumprod(x + 1.0, axis=-1),
    "rows gathered": lambda x: tf.gather(x**4, tf.range(tf.shape(x)[0]), axis=0),
    "sorted": lambda x: tf.sort(tf.exp(x), axis=-1),
    "softmax": lambda x: tf.nn.softmax(x) ** 2,
    "a softmax of few": lambda x: tf.nn.softmax_cross_entropy_with_logits(tf.ones_like(x), tf.sin(x)),
    "concatenated": lambda x: tf.concat([x**4, tf.exp(x)], 0),
    "transposed": lambda x: tf.transpose(tf.exp(x)) * tf.transpose(x),
    "a norm": lambda x: tf.reduce_sum(tf.exp(x), axis=-1, keepdims=True) * x,
    "padded": lambda x: tf.pad(tf.exp(x), [[1, 1], [0, 2]]) ** 2,
    "segments": lambda x: tf.math.segment_sum(tf.exp(x), tf.zeros([tf.shape(x)[0]], tf.int32)),
    "mapped": lambda x: tf.math.xlogy(x, x + 1.0) * tf.where(x > 0.0, x, tf.exp(x)),
    "an inner product": lambda x: tf.einsum("ij,kj->ik", tf.exp(x), x),
}


def nested(f: Callable[[Any], Any], x: Any) -> list[Any]:
    """Return the derivatives of orders 1 to 3, by tapes."""
    tapes = [tf.GradientTape() for _ in range(3)]
    for tape in tapes:
        tape.__enter__()
        tape.watch(x)
    g, found = f(x), []
    for tape in reversed(tapes):
        tape.__exit__(None, None, None)
        g = tape.gradient(g, x)
        found.append(g)
    return found


def static(f: Callable[[Any], Any], known: Any, array: Any) -> list[Any]:
    """Return the same, by a graph that knows so much of x's shape."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float64, known)
        g, found = f(x), []
        for _ in range(3):
            (g,) = tf.gradients(g, x)
            found.append(g)
        return session.run(found, {x: array})


@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (0, 0)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_in_nothing_out(name: str, shape: tuple[int, int]) -> None:
    f, array = FUNCTIONS[name], np.zeros(shape)
    open_ = (None, shape[1])
    found = {"eager": nested(f, tf.constant(array)), "graph": static(f, shape, array), "open graph": static(f, open_, array)}
    for known in (shape, open_):
        traced = tf.function(lambda x: nested(f, x), input_signature=[tf.TensorSpec(known, tf.float64)])
        found[f"function of {known}"] = traced(tf.constant(array))
    for mode, derivatives in found.items():
        assert [tuple(g.shape) for g in derivatives] == [shape] * 3, mode


@pytest.mark.parametrize("known", [(0,), (None,)])
def test_derivatives_by_no_numbers(known: Any) -> None:
    for g in static(lambda x: tf.reduce_sum(x) ** 3, known, np.zeros(0)):
        assert g.shape == (0,)
