"""The three executors beside each other, on networks of many shapes: which is the fastest, and by how much.

    .venv/bin/python benchmarks/executors.py [--only tanh,64x4] [--json FILE]

Each network gives its second and fourth derivative by x, and the gradients of a step for Burgers' equation; the executors take
turns in one process, whose sessions are fed with arrays of NumPy. A result is compared with NumPy's before it is timed. The last
lines count in how many works machine code is the fastest, and name those where it is more than a tenth behind.
"""

import argparse
import json
import time

import numpy as np
from machine import describe

import wengert as tf2
import wengert.compat.v1 as tf

EXECUTORS = "native", "numpy", "xla"
TURN, ROUNDS = 0.15, 3
"""Seconds of an executor's turn, and turns of each."""

ACTIVATIONS = {"tanh": tf.tanh, "sin": tf.sin, "swish": tf.nn.swish, "gelu": tf2.nn.gelu, "softplus": tf.nn.softplus}


def networks():
    """Yield name, width, depth, activation, kind, dtype and rows."""
    shapes = {10: (2, 8, 16), 20: (4, 8, 16), 50: (2, 4, 8), 64: (4,), 100: (2, 4, 8), 128: (4,), 256: (2, 4)}
    for width, depths in shapes.items():
        for depth in depths:
            yield f"tanh {width}x{depth}", width, depth, "tanh", "dense", "float32"
    for activation in ("sin", "swish", "gelu", "softplus"):
        for width, depth in [(20, 8), (50, 4), (64, 4), (128, 2)]:
            yield f"{activation} {width}x{depth}", width, depth, activation, "dense", "float32"
    for kind in ("residual", "fourier", "three outputs"):
        for width, depth in [(20, 8), (64, 4)]:
            yield f"tanh {width}x{depth}, {kind}", width, depth, "tanh", kind, "float32"
    for width, depth, activation in [(20, 8, "tanh"), (64, 4, "tanh"), (128, 2, "tanh"), (64, 4, "sin")]:
        yield f"{activation} {width}x{depth}, float64", width, depth, activation, "dense", "float64"


def built(width, depth, activation, kind, dtype):
    """Return the works of a network, in the default graph, and the feeds."""
    rng, act = np.random.default_rng(1), ACTIVATIONS[activation]
    rows = 4096 if width <= 64 else 1024
    x, t = tf.placeholder(dtype, [None, 1]), tf.placeholder(dtype, [None, 1])
    variables = []

    def dense(h, units):
        w = tf.Variable(rng.normal(0, np.sqrt(1 / int(h.shape[1])), (int(h.shape[1]), units)).astype(dtype))
        b = tf.Variable(rng.normal(0, 0.1, (units,)).astype(dtype))
        variables.extend([w, b])
        return tf.matmul(h, w) + b

    h = tf.concat([x, t], 1)
    if kind == "fourier":
        angles = tf.matmul(h, tf.constant(rng.normal(0, 1, (2, width // 2)).astype(dtype)))
        h = tf.concat([tf.sin(angles), tf.cos(angles)], 1)
    for k in range(depth):
        new = act(dense(h, width))
        h = h + new if kind == "residual" and k else new
    y = dense(h, 3 if kind == "three outputs" else 1)
    u = y[:, 0:1]
    u_t, u_x = tf.gradients(u, t)[0], tf.gradients(u, x)[0]
    u_xx = tf.gradients(u_x, x)[0]
    residual = u_t + u * u_x - 0.003 * u_xx
    if kind == "three outputs":
        residual = residual + tf.gradients(y[:, 1:2], x)[0] + tf.gradients(tf.gradients(y[:, 2:3], t)[0], t)[0]
    loss = tf.reduce_mean(tf.square(residual))
    gradients = [g for g in tf.gradients(loss, variables) if g is not None]
    fourth = tf.gradients(tf.gradients(u_xx, x)[0], x)[0]
    feeds = {x: rng.uniform(-1, 1, (rows, 1)).astype(dtype), t: rng.uniform(0, 1, (rows, 1)).astype(dtype)}
    return {"d2": [u_xx], "d4": [fourth], "step": [loss, *gradients]}, feeds


def measured(fetches, feeds):
    """Return the 10th percentile of each executor's times, in milliseconds."""
    sessions, times, right = {}, {name: [] for name in EXECUTORS}, None
    for name in ("numpy", "native", "xla"):
        tf2.config.set_executor(name, after=0)
        session = sessions[name] = tf.Session()
        tf.set_random_seed(1)
        session.run(tf.global_variables_initializer())
        found = session.run(fetches, feeds)
        right = right or found
        for a, b in zip(found, right, strict=True):
            size = np.max(np.abs(b)) + 1e-30
            assert np.max(np.abs(a - b)) < (2e-3 if b.dtype == np.float32 else 1e-9) * size, name
    for _ in range(ROUNDS):
        for name, session in sessions.items():
            tf2.config.set_executor(name, after=0)
            session.run(fetches, feeds)
            end = time.perf_counter() + TURN
            while time.perf_counter() < end or len(times[name]) < 3:
                begin = time.perf_counter()
                session.run(fetches, feeds)
                times[name].append((time.perf_counter() - begin) * 1e3)
    return {name: float(np.percentile(times[name], 10)) for name in EXECUTORS}


def main():
    """Measure all, or those whose names contain a word."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="words of which a network's name contains one, separated by commas")
    parser.add_argument("--json", help="file for the table")
    arguments = parser.parse_args()
    tf.disable_eager_execution()
    print(describe())
    print(f"{'p10 ms':28}{'work':6}" + "".join(f"{name:>10}" for name in EXECUTORS) + "   native / better of the others")
    table = {}
    for name, *shape in networks():
        if not any(word in name for word in arguments.only.split(",")):
            continue
        with tf.Graph().as_default():
            works, feeds = built(*shape)
            for work, fetches in works.items():
                found = table[f"{name}, {work}"] = measured(fetches, feeds)
                ratio = found["native"] / min(found["numpy"], found["xla"])
                print(f"{name:28}{work:6}" + "".join(f"{found[e]:10.2f}" for e in EXECUTORS) + f"{ratio:10.2f}", flush=True)
    ratios = {name: found["native"] / min(found["numpy"], found["xla"]) for name, found in table.items()}
    print(f"native the fastest in {sum(r < 1 for r in ratios.values())} of {len(ratios)}; more than a tenth behind:")
    print("\n".join(f"  {name}: {r:.2f}" for name, r in ratios.items() if r > 1.1) or "  none")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"machine": describe(), "p10 ms": table}, file, indent=1)


if __name__ == "__main__":
    main()
