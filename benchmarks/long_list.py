"""A chain of 100,000 operations: built, differentiated up to three times and run, in a graph, in a function and by tapes.

.venv/bin/python benchmarks/long_list.py [LENGTH [ORDER]]
"""

import resource
import sys
import time
from collections.abc import Callable

from machine import describe

import wengert as tf

LENGTH = 100_000
ORDER = 3


class Clock:
    """Prints the seconds since it was last asked, and at the end those since the start."""

    def __init__(self, what: str) -> None:
        """Start."""
        self.what = what
        self.start = self.last = time.perf_counter()

    def lap(self, part: str) -> None:
        """Print a part."""
        now = time.perf_counter()
        print(f"{self.what:30} {part:36} {now - self.last:7.2f} s")
        self.last = now

    def end(self) -> None:
        """Print the whole."""
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{self.what:30} {'in all':36} {time.perf_counter() - self.start:7.2f} s, {most:.0f} MB at most\n")


def chain(x, length: int):
    """Return the end of the chain."""
    for k in range(length):
        x = x * 1.00001 if k % 2 else tf.sin(x)
    return x


def static(length: int, order: int) -> float:
    """Differentiate in a graph."""
    clock = Clock(f"graph, derivative {order}")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float64, [])
        y = chain(x, length)
        clock.lap("build")
        for _ in range(order):
            y = tf.gradients(y, x)[0]
        clock.lap("gradients")
        session.run(y, {x: 0.5})
        clock.lap("first run (lower, plan, run)")
        value = session.run(y, {x: 0.5})
        clock.lap("second run")
    clock.end()
    return float(value)


def nested(x, length: int, order: int, lap: Callable[[str], None] = lambda part: None):
    """Differentiate by nested tapes."""
    if not order:
        return chain(x, length)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = nested(x, length, order - 1, lap)
    lap(f"record {order}")
    y = tape.gradient(y, x)
    lap(f"gradient {order}")
    return y


def traced(length: int, order: int) -> float:
    """Differentiate in a function."""
    clock = Clock(f"function, derivative {order}")
    f = tf.function(lambda x: nested(x, length, order))
    x = tf.constant(0.5, tf.float64)
    f = f.get_concrete_function(x)
    clock.lap("trace")
    f(x)
    clock.lap("first run (lower, plan, run)")
    value = f(x)
    clock.lap("second run")
    clock.end()
    return float(value)


def eager(length: int, order: int) -> float:
    """Differentiate eagerly."""
    clock = Clock(f"tapes, derivative {order}")
    value = nested(tf.constant(0.5, tf.float64), length, order, clock.lap)
    clock.end()
    return float(value)


def main() -> None:
    """Print the times; the three ways have to agree."""
    length = int(sys.argv[1]) if len(sys.argv) > 1 else LENGTH
    most = int(sys.argv[2]) if len(sys.argv) > 2 else ORDER
    print(f"{describe()}\n{length} operations\n")
    for order in range(1, most + 1):
        values = [road(length, order) for road in (static, traced, eager)]
        if max(values) - min(values) > 1e-6 * abs(values[0]):
            raise SystemExit(f"the ways disagree: {values}")


if __name__ == "__main__":
    main()
