"""What TensorFlow answers at orders 1 to 4, values and None alike: eagerly by nested tapes, statically by nested gradients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.execute.numpy import NumPyProgram

TABLE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "tables" / "none_orders.json").read_text())

DIFFERENT: dict[str, str] = {
    "tf.nn.softsign": "has derivatives of every order here; TensorFlow has none beyond the first",
    "tf.math.cumulative_logsumexp": "is NaN at no order here",
    "tf.linalg.logm": "has derivatives here; TensorFlow has none",
    "tf.math.zeta": "has derivatives by its first argument here; TensorFlow has none",
    "tf.linalg.eigh_vectors": "the sign of an eigenvector is the linear algebra library's choice",
}
"""Functions for which another answer than TensorFlow's is meant."""

ENDLESS = {"tf.while_loop", "tf.scan"}
"""Loops: in a graph it is not known how often they run, so that no order is known to be absent; it is zeros."""

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


def eagerly(expression: str, point: Any) -> tuple[Any, list[Any]]:
    """Return the sum of the expression and its derivatives of orders 1 to 4, the k-th by k nested tapes."""
    found: list[Any] = []
    value = None
    for order in range(1, 5):
        x = tf.constant(point, tf.float64)
        tapes = [tf.GradientTape() for _ in range(order)]
        for tape in tapes:
            tape.__enter__()
            tape.watch(x)
        g: Any = eval(expression, {"tf": tf, "x": x})
        value = tf.reduce_sum(g).numpy()
        for tape in reversed(tapes):
            total = None if g is None else tf.reduce_sum(g)
            tape.__exit__(None, None, None)
            g = None if total is None else tape.gradient(total, x)
        found.append(None if g is None else tf.convert_to_tensor(g).numpy())
    return value, found


def statically(expression: str, point: Any) -> tuple[Any, list[Any]]:
    """Return the same from one graph, each order the gradient of the sum of the one before."""
    with tf.Graph().as_default() as graph:
        x = tf.constant(point, tf.float64)
        y = tf.reduce_sum(eval(expression, {"tf": tf, "x": x}))
        gradients: list[Any] = []
        total: Any = y
        for _ in range(4):
            g = None if total is None else tf.gradients(total, x)[0]
            gradients.append(g)
            total = None if g is None else tf.reduce_sum(g)
    there = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    value, *rest = NumPyProgram(graph, [y, *there], [])()
    values = iter(rest)
    return value, [None if g is None else next(values) for g in gradients]


def number(entry: Any) -> Any:
    return np.array(entry, dtype=object).astype(complex if "j" in str(entry) else float)


@pytest.mark.parametrize("name", [n for n in TABLE if n not in DIFFERENT])
@pytest.mark.parametrize("answers", [eagerly, statically])
def test_as_tensorflow(name: str, answers: Any) -> None:
    row = TABLE[name]
    value, found = answers(row["expr"], row["x"])
    if isinstance(row.get("value"), float):
        np.testing.assert_allclose(value, row["value"], rtol=1e-6, atol=1e-8)
    for order, (mine, theirs) in enumerate(zip(found, row["orders"], strict=False), 1):
        if isinstance(theirs, str):
            assert theirs.startswith("raises")
            break
        if theirs is None and name in ENDLESS and answers is statically:
            theirs = np.zeros_like(row["x"]).tolist()
        assert (mine is None) == (theirs is None), f"order {order}: {mine}, TensorFlow {theirs}"
        if mine is not None:
            np.testing.assert_allclose(mine, number(theirs), rtol=1e-6, atol=1e-8, err_msg=f"order {order}")


def test_softsign_has_all_orders() -> None:
    x = 0.3
    _, found = eagerly("tf.nn.softsign(x)", [x])
    for order, g in enumerate(found, 1):
        expected = -np.prod(-np.arange(1.0, order + 1)) / (1 + x) ** (order + 1)
        np.testing.assert_allclose(g, [expected], rtol=1e-12)
