"""Memory: a million eager operations under no tape leave nothing behind, and a tape frees what it recorded."""

import gc
import time
import tracemalloc

import numpy as np
from machine import describe

import wengert as tf


def chain(n: int) -> object:
    """Apply n operations, each to the last result."""
    y = tf.constant(1.0)
    for _ in range(n):
        y = y * 1.000001
    return y


def main() -> None:
    """Print the figures."""
    print(describe())
    chain(10_000)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    chain(100_000)
    gc.collect()
    print(f"100,000 operations under no tape: {tracemalloc.get_traced_memory()[0] - before} bytes left (traced)")
    tracemalloc.stop()
    objects = len(gc.get_objects())
    start = time.perf_counter()
    chain(1_000_000)
    spent = time.perf_counter() - start
    gc.collect()
    print(f"1,000,000 operations under no tape: {len(gc.get_objects()) - objects} objects left, {spent:.2f} s")
    x = tf.constant(np.ones(1_000_000))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in range(20):
            y = y * 1.0001
    held = tracemalloc.get_traced_memory()[0] - before
    del y
    tape = None
    gc.collect()
    print(f"a tape over 20 operations on 8 MB: held {held / 1e6:.0f} MB, after its deletion "
          f"{(tracemalloc.get_traced_memory()[0] - before) / 1e6:.3f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
