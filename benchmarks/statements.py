"""What a `taylor=` statement of an operation saves: operations of the lowered list, and time, with and without it.

.venv/bin/python benchmarks/statements.py
"""

import statistics
import time

import numpy as np
from machine import describe

import wengert as tf
from wengert.derive.lower import lower
from wengert.execute.plan import plan
from wengert.ops.op import table

ORDER = 6
FUNCTIONS = {
    "sech_squared": ("a tanh layer", lambda x: tf.tanh(1.3 * x)),
    "divide": ("a quotient", lambda x: (1.0 + x) / (2.0 + tf.sin(x))),
    "reciprocal": ("a reciprocal", lambda x: tf.math.reciprocal(2.0 + tf.sin(x))),
    "square": ("a square", lambda x: tf.square(tf.sin(x))),
    "integer_power": ("a power 2", lambda x: tf.sin(x) ** 2),
}


def measure(function):
    """Return (operations of the list, seconds) for the derivative of order ORDER."""
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float64, [20000, 1])
        u = function(x)
        for _ in range(ORDER):
            u = tf.gradients(u, x)[0]
    _, outputs, places, controls = lower(graph, [u], [x], [])
    steps = len(plan(outputs, places, controls, lambda node: None).steps)
    points = np.linspace(-1.0, 1.0, 20000)[:, None]
    times = []
    with graph.as_default(), tf.compat.v1.Session() as sess:
        for _ in range(7):
            begin = time.perf_counter()
            value = sess.run(u, {x: points})
            times.append(time.perf_counter() - begin)
    return steps, statistics.median(times), value


def main() -> None:
    """Print the table."""
    print(describe())
    print(f"order {ORDER}, 20000 points, float64, NumPy\n")
    print(f"{'statement':15}{'of':15}{'operations':>12}{'without':>9}{'ms':>9}{'without':>9}{'differ by':>11}")
    for name, (what, function) in FUNCTIONS.items():
        op = table[name]
        steps, seconds, value = measure(function)
        stated, op.taylor = op.taylor, None
        try:
            more, longer, other = measure(function)
        finally:
            op.taylor = stated
        apart = np.abs(value - other).max() / np.abs(other).max()
        print(f"{name:15}{what:15}{steps:12}{more:9}{seconds * 1e3:9.2f}{longer * 1e3:9.2f}{apart:11.1e}")


if __name__ == "__main__":
    main()
