"""A chain of 100,000 operations: build it, differentiate it twice, run it; and the same under a tape."""

import time

from machine import describe

import wengert as tf

LENGTH = 100_000


def main() -> None:
    """Print the times."""
    print(describe())
    start = time.perf_counter()

    def lap(what: str) -> None:
        nonlocal start
        now = time.perf_counter()
        print(f"{what:40} {now - start:7.2f} s")
        start = now

    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [])
        y = x
        for k in range(LENGTH):
            y = y * 1.00001 if k % 2 else tf.sin(y)
        lap("static: build")
        g = tf.gradients(y, x)[0]
        lap("static: gradient")
        with tf.compat.v1.Session() as session:
            session.run(g, {x: 0.5})
            lap("static: first run (lower, plan, run)")
            session.run(g, {x: 0.5})
            lap("static: second run")
    x = tf.constant(0.5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for k in range(LENGTH):
            y = y * 1.00001 if k % 2 else tf.sin(y)
    lap("tape: record")
    tape.gradient(y, x)
    lap("tape: gradient")


if __name__ == "__main__":
    main()
