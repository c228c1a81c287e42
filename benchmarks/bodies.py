"""Loops and their derivatives: what keeping a loop's states costs and saves, in time and memory, beside JAX's scan.

    python benchmarks/bodies.py             # every problem and order, each contender in a process of its own, interleaved

Problems: a scan of 1000 steps, a = tanh(W a + x) over 64 numbers; Runge-Kutta's method of fourth order for the oscillator of
van der Pol, 1000 steps by `while_loop` (JAX: `scan`, as its `while_loop` has no reverse mode). Order 1 is the gradient, order
2 the gradient of its square sum. Milliseconds are medians of the rounds; memory is what a process has at most, less what it
had before the first run.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time

ROUNDS = 3
PROBLEMS = ("scan", "ode")
CONTENDERS = ("wengert numpy", "wengert xla", "jax")


def wengert(problem: str, executor: str):
    """Return what runs a problem's value and its derivatives of order 1 and 2, by order."""
    import numpy as np

    import wengert as tf

    tf.config.set_executor(executor)
    rng = np.random.default_rng(0)
    weights = tf.constant(rng.normal(size=(64, 64)) / 16.0)
    inputs = tf.constant(rng.normal(size=(1000, 64)) / 8.0)

    def scan(x):
        a = tf.scan(lambda a, e: tf.tanh(tf.linalg.matvec(weights, a) + e), inputs, initializer=x)
        return tf.reduce_sum(a[-1] ** 2)

    def slope(y):
        return tf.stack([y[1], 2.0 * (1.0 - y[0] ** 2) * y[1] - y[0]])

    def ode(x):
        def step(i, y):
            k1 = slope(y)
            k2 = slope(y + 0.005 * k1)
            k3 = slope(y + 0.005 * k2)
            k4 = slope(y + 0.01 * k3)
            return i + 1, y + (0.01 / 6.0) * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

        return tf.reduce_sum(tf.while_loop(lambda i, y: i < 1000, step, [0, x])[1] ** 2)

    f, size = (scan, 64) if problem == "scan" else (ode, 2)
    x = tf.constant(np.linspace(0.5, 1.0, size))

    @tf.function
    def first(x):
        return tf.gradients(f(x), x)[0]

    @tf.function
    def second(x):
        return tf.gradients(tf.reduce_sum(tf.gradients(f(x), x)[0] ** 2), x)[0]

    value = tf.function(f)
    return {0: lambda: value(x).numpy(), 1: lambda: first(x).numpy(), 2: lambda: second(x).numpy()}


def with_jax(problem: str):
    """Return the same in JAX."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    weights = jnp.asarray(rng.normal(size=(64, 64)) / 16.0)
    inputs = jnp.asarray(rng.normal(size=(1000, 64)) / 8.0)

    def scan(x):
        a, _ = jax.lax.scan(lambda a, e: (jnp.tanh(weights @ a + e), None), x, inputs)
        return jnp.sum(a**2)

    def slope(y):
        return jnp.stack([y[1], 2.0 * (1.0 - y[0] ** 2) * y[1] - y[0]])

    def ode(x):
        def step(y, _):
            k1 = slope(y)
            k2 = slope(y + 0.005 * k1)
            k3 = slope(y + 0.005 * k2)
            k4 = slope(y + 0.01 * k3)
            return y + (0.01 / 6.0) * (k1 + 2.0 * k2 + 2.0 * k3 + k4), None

        return jnp.sum(jax.lax.scan(step, x, None, length=1000)[0] ** 2)

    f, size = (scan, 64) if problem == "scan" else (ode, 2)
    x = jnp.asarray(np.linspace(0.5, 1.0, size))
    first = jax.jit(jax.grad(f))
    second = jax.jit(jax.grad(lambda x: jnp.sum(jax.grad(f)(x) ** 2)))
    value = jax.jit(f)
    return {0: lambda: np.asarray(value(x)), 1: lambda: np.asarray(first(x)), 2: lambda: np.asarray(second(x))}


def peak() -> float:
    """Return what the process had at most, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(contender: str, problem: str, order: int) -> None:
    """Measure one contender and print what was found."""
    runs = with_jax(problem) if contender == "jax" else wengert(problem, contender.split()[1])
    before = peak()
    begin = time.perf_counter()
    value = runs[order]()
    compiled = time.perf_counter() - begin
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        runs[order]()
        times.append(time.perf_counter() - begin)
    found = {"ms": 1e3 * statistics.median(times), "first": compiled, "MB": peak() - before, "value": float(value.sum())}
    print(json.dumps(found))


def main() -> None:
    """Print the table."""
    import jax
    import numpy

    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"NumPy {numpy.__version__}, JAX {jax.__version__}")  # fmt: skip
    print(f"{'':10} {'order':>5} {'':14} {'ms':>8} {'first s':>8} {'MB':>7}")
    for problem in PROBLEMS:
        for order in (0, 1, 2):
            found: dict[str, list[dict[str, float]]] = {c: [] for c in CONTENDERS}
            for _ in range(ROUNDS):
                for contender in CONTENDERS:
                    command = [sys.executable, __file__, contender, problem, str(order)]
                    found[contender].append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
            values = {round(r["value"], 9) for rows in found.values() for r in rows}
            for contender, rows in found.items():
                ms, first, mb = (statistics.median(r[k] for r in rows) for k in ("ms", "first", "MB"))
                print(f"{problem:10} {order:5} {contender:14} {ms:8.2f} {first:8.2f} {mb:7.1f}")
            if len(values) > 1:
                print("values differ:", values)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        main()
