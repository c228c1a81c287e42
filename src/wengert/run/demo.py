"""The table of ``wengert demo``: one function's derivatives, found in every mode."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import wengert as tf
from wengert.ground import terminal
from wengert.tensor.tensor import TensorLike

__all__ = ["WANTED", "demo", "table_of_values"]

WANTED = ("u", "u_x", "u_xx", "u_xxx", "u_xxxx", "u_xxxxx", "u_xxxxxx", "u_t", "u_xt")


def _u(x: Any, t: Any) -> Any:
    X = tf.concat([x, t], 1)
    return tf.tanh(tf.matmul(X, tf.constant([[2.0], [1.0]], dtype=x.dtype)))


def _by_gradients(x: TensorLike, t: TensorLike) -> list[Any]:
    u = _u(x, t)
    found = [u]
    for _ in range(6):
        found.append(tf.gradients(found[-1], x)[0])
    return [*found, tf.gradients(u, t)[0], tf.gradients(found[1], t)[0]]


def _eager(x: TensorLike, t: TensorLike) -> list[Any]:
    """Nested tapes; ``recording`` serves as all of them at once for the derivatives by x."""
    with tf.recording():
        return _by_gradients(x, t)


def _tapes(x: TensorLike, t: TensorLike, orders: int) -> Any:
    """The derivative of a given order by x, from as many nested tapes."""
    if orders == 0:
        return _u(x, t)
    with tf.GradientTape() as tape:
        tape.watch(x)
        below = _tapes(x, t, orders - 1)
    return tape.gradient(below, x)


def table_of_values(x: float = 1.0, t: float = 1.0) -> dict[str, list[float]]:
    """Return for each derivative of u = tanh(2x + t) its eager, static, traced and float64 value."""

    def column(values: Any) -> list[float]:
        return [float(np.ravel(v)[0]) for v in values]

    one, two = tf.constant([[x]]), tf.constant([[t]])
    eager = [_tapes(one, two, k) for k in range(7)]
    with tf.GradientTape() as outer:
        outer.watch(two)
        u_x = _tapes(one, two, 1)
    with tf.GradientTape() as tape:
        tape.watch(two)
        u = _u(one, two)
    eager += [tape.gradient(u, two), outer.gradient(u_x, two)]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        fed = [tf.compat.v1.placeholder(tf.float32, [None, 1]) for _ in range(2)]
        static = session.run(_by_gradients(*fed), dict(zip(fed, ([[x]], [[t]]), strict=True)))
    traced = tf.function(_by_gradients)(one, two)
    wide = [tf.constant([[v]], dtype=tf.float64) for v in (x, t)]
    precise = _eager(*wide)
    rows = zip(column(eager), column(static), column(traced), column(precise), strict=True)
    return {name: list(row) for name, row in zip(WANTED, rows, strict=True)}


def digits(values: list[float]) -> float:
    """Return to how many decimal digits the first values agree with the last."""
    truth = values[-1]
    error = max(abs(v - truth) for v in values[:-1])
    if error == 0.0:
        return 16.0
    return -math.log10(error / abs(truth)) if truth else -math.log10(error)


def demo() -> None:
    """Print the table."""
    from rich.table import Table

    table = Table(title="u(x, t) = tanh(2x + t) at x = t = 1", caption="float32, except the fourth column", padding=(0, 0))
    table.add_column("derivative")
    for name in ("eager tapes", "static graph", "traced function", "float64", "digits that agree"):
        table.add_column(name, justify="right", no_wrap=name == "float64", min_width=11)
    for name, values in table_of_values().items():
        shown = [f"{v:.7g}" for v in values[:-1]] + [f"{values[-1]:.10g}"]
        table.add_row(name, *shown, f"{digits(values):.1f}")
    terminal.console().print(table)
