"""Models of JAX's: order 4 in value and in a step of training, by `wengert.jax.field` and by JAX itself, in turns in one run.

    .venv/bin/python benchmarks/models.py [--points 4096] [--rounds 15]

A tanh network 64x4 of (x, t). JAX by nested `grad` (reverse mode), nested `jvp` and `jet`, each compiled; a field under
`jax.jit`, and outside of it on this library's machine code. Printed: the median in milliseconds, how many times as long as the
field under `jax.jit` each takes, and how far the numbers are apart.
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.jet import jet
from machine import describe

import wengert


def network(key, *sizes):
    """Return weights and biases of a dense network."""
    keys = jax.random.split(key, len(sizes) - 1)
    return [(jax.random.normal(k, (a, b)) / a**0.5, jnp.zeros(b)) for k, a, b in zip(keys, sizes[:-1], sizes[1:], strict=True)]


def net(params, X):
    """Return what the network gives for X of shape (n, 2)."""
    for w, b in params[:-1]:
        X = jnp.tanh(X @ w + b)
    return X @ params[-1][0] + params[-1][1]


def by_field(params, x, t):
    """Return u_t and u_xxxx by a field."""
    u = wengert.jax.field(lambda X: net(params, X), "x t")
    return wengert.jax.evaluate([u.t, u.xxxx], x, t)


def by_grad(params, x, t):
    """Return them by nested reverse mode."""

    def f(x, t):
        return net(params, jnp.stack([x, t])[None])[0, 0]

    d = f
    for _ in range(4):
        d = jax.grad(d)
    return [jax.vmap(g)(x, t)[:, None] for g in (jax.grad(f, 1), d)]


def by_jvp(params, x, t):
    """Return them by nested forward mode."""

    def f(x, t):
        return net(params, jnp.stack([x, t], 1))

    def along(g, k):
        ones = [jnp.ones_like(x) if k == i else jnp.zeros_like(x) for i in range(2)]
        return lambda x, t: jax.jvp(g, (x, t), tuple(ones))[1]

    d = f
    for _ in range(4):
        d = along(d, 0)
    return [along(f, 1)(x, t), d(x, t)]


def by_jet(params, x, t):
    """Return them by JAX's Taylor mode."""

    def f(x, t):
        return net(params, jnp.stack([x, t], 1))

    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    _, (*_, fourth) = jet(f, (x, t), ((one, zero, zero, zero), (zero, zero, zero, zero)))
    return [jax.jvp(f, (x, t), (zero, one))[1], fourth]


def loss_of(derivatives):
    """Return the loss of a residual."""

    def loss(params, x, t):
        u_t, u_xxxx = derivatives(params, x, t)
        return jnp.mean((u_t + u_xxxx) ** 2)

    return loss


def main():
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    print(f"{describe()}, JAX {jax.__version__}, {asked.points} points")
    params = network(jax.random.key(0), 2, 64, 64, 64, 64, 1)
    x, t = (jnp.asarray(v) for v in np.random.default_rng(0).uniform(-1.0, 1.0, (2, asked.points)).astype("float32"))
    ways = {"field": by_field, "nested grad": by_grad, "nested jvp": by_jvp, "jet": by_jet}
    value = {name: jax.jit(f) for name, f in ways.items()} | {"field, outside of jit": by_field}
    step = {name: jax.jit(jax.value_and_grad(loss_of(f))) for name, f in ways.items()}
    for what, functions in (("value, u_t and u_xxxx", value), ("step, by all parameters", step)):
        first = {}
        for name, f in functions.items():
            begin = time.perf_counter()
            first[name] = jax.block_until_ready(f(params, x, t))
            for _ in range(4):
                jax.block_until_ready(f(params, x, t))
            print(f"{what}: {name}: five calls, with tracing and compiling, {time.perf_counter() - begin:.2f} s", flush=True)
        times = {name: [] for name in functions}
        for _ in range(asked.rounds):
            for name, f in functions.items():
                begin = time.perf_counter()
                jax.block_until_ready(f(params, x, t))
                times[name].append(1e3 * (time.perf_counter() - begin))
        median = {name: statistics.median(found) for name, found in times.items()}
        for name in functions:
            apart = max(
                float(jnp.abs(a - b).max() / jnp.abs(b).max())
                for a, b in zip(jax.tree.leaves(first[name]), jax.tree.leaves(first["nested jvp"]), strict=True)
            )
            print(
                f"{what}: {name:22} {median[name]:8.2f} ms  {median[name] / median['field']:5.2f}  apart {apart:.1e}", flush=True
            )


if __name__ == "__main__":
    main()
