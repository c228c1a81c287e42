"""What nested derivatives cost before they are computed: building, and the first run, up to order 32.

.venv/bin/python benchmarks/orders.py
"""

import time
from itertools import pairwise

import numpy as np
from machine import describe

import wengert as tf

ORDERS = (4, 8, 12, 16, 32)
ROWS = 100


def network():
    """Return a tanh network 1-64-64-64-64-1."""
    rng = np.random.default_rng(0)
    sizes = [1, 64, 64, 64, 64, 1]
    weights = [rng.normal(size=pair) / 8 for pair in pairwise(sizes)]

    def u(x):
        for w in weights[:-1]:
            x = tf.tanh(x @ tf.constant(w))
        return x @ tf.constant(weights[-1])

    return u


def static(u, order: int) -> tuple[float, float]:
    """Return the seconds to build and to run first, in a graph."""
    begin = time.perf_counter()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float64, [ROWS, 1])
        y = u(x)
        for _ in range(order):
            y = tf.gradients(y, x)[0]
        built = time.perf_counter()
        session.run(y, {x: np.full((ROWS, 1), 0.3)})
    return built - begin, time.perf_counter() - built


def traced(u, order: int) -> tuple[float, float]:
    """Return the same of nested tapes in a function."""

    def derivative(x, k: int):
        if not k:
            return u(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = derivative(x, k - 1)
        return tape.gradient(y, x)

    begin = time.perf_counter()
    x = tf.constant(np.full((ROWS, 1), 0.3))
    f = tf.function(lambda x: derivative(x, order)).get_concrete_function(x)
    built = time.perf_counter()
    f(x)
    return built - begin, time.perf_counter() - built


def field(u, order: int) -> tuple[float, float]:
    """Return the same of a field."""
    begin = time.perf_counter()
    x = tf.constant(np.full((ROWS, 1), 0.3))
    f = tf.field(lambda x: u(x), "x").d(x=order)
    concrete = f.get_concrete_function(x)
    built = time.perf_counter()
    concrete([x])
    return built - begin, time.perf_counter() - built


def main() -> None:
    """Print the table."""
    print(describe())
    functions = {"a network 1-64-64-64-64-1": network(), "sin(x exp(sin x))": lambda x: tf.sin(tf.exp(tf.sin(x)) * x)}
    print(f"\n{'of':28}{'in':12}{'order':>6}{'build s':>10}{'first run s':>13}")
    for what, u in functions.items():
        for where, road in {"a graph": static, "a function": traced, "a field": field}.items():
            for order in ORDERS:
                build, run = road(u, order)
                print(f"{what:28}{where:12}{order:6}{build:10.2f}{run:13.2f}")


if __name__ == "__main__":
    main()
