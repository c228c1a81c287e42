"""JAX, compiled by `jit`. Forms: grad, jvp (nested), jet, hessian (forward over reverse, per point), folx.

Where columns are inputs, derivatives are taken of sums over points, or along a column of ones: per point and `vmap` compile
to the same products. All derivatives by x come from one tower, so that no form depends on XLA to find common parts.
"""

import platform
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from contenders.problems import NU, ORDER, Layers, Prepared, Work
from jax.experimental.jet import jet

Function = Callable[..., Any]


def versions(form: str) -> str:
    """Return what runs."""
    found = f"jax {jax.__version__}"
    if form == "folx":
        from importlib.metadata import version

        found = f"folx {version('folx')}, {found}"
    return f"{found}, Python {platform.python_version()}"


ACTIVATE: dict[str, Function] = {
    "tanh": jnp.tanh, "sin": jnp.sin, "swish": jax.nn.silu, "softplus": jax.nn.softplus,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
}  # fmt: skip


def network(layers: Any, X: jax.Array, activation: str = "tanh") -> jax.Array:
    """Return the network's value, for a matrix of points or for one point."""
    h = X
    for matrix, bias in layers[:-1]:
        h = ACTIVATE[activation](h @ matrix + bias)
    return h @ layers[-1][0] + layers[-1][1]


def tower(form: str, f: Function, order: int) -> Function:
    """Return the function that gives the derivatives of orders 0 to `order` along a column."""
    if order == 0:
        return lambda x: (f(x),)
    if form == "jet":

        def series(x: jax.Array) -> tuple[jax.Array, ...]:
            value, terms = jet(f, (x,), ((jnp.ones_like(x), *[jnp.zeros_like(x)] * (order - 1)),))
            return (value, *terms)

        return series
    below = tower(form, f, order - 1)
    if form == "jvp":

        def forward(x: jax.Array) -> tuple[jax.Array, ...]:
            values, slopes = jax.jvp(below, (x,), (jnp.ones_like(x),))
            return (*values, slopes[-1])

        return forward

    def reverse(x: jax.Array) -> tuple[jax.Array, ...]:
        def last(x: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
            values = below(x)
            return values[-1], values

        value, back, values = jax.vjp(last, x, has_aux=True)
        return (*values, *back(jnp.ones_like(value)))

    return reverse


def in_columns(form: str, work: Work, layers: Any, x: jax.Array, t: jax.Array) -> jax.Array:
    """Return what is asked at the points of the plane."""

    def u(x: jax.Array, t: jax.Array) -> jax.Array:
        return network(layers, jnp.concatenate([x, t], 1), work.activation)

    if work.kind in ("forward", "dx"):
        return tower(form, lambda x: u(x, t), work.order)(x)[-1]
    if work.kind == "xxyy":
        return tower(form, lambda t: tower(form, lambda x: u(x, t), 2)(x)[-1], 2)(t)[-1]
    d = tower(form, lambda x: u(x, t), ORDER[work.kind])(x)
    u_t = tower("jvp" if form == "jet" else form, lambda t: u(x, t), 1)(t)[1]
    if work.kind == "burgers":
        return u_t + d[0] * d[1] - NU * d[2]
    return u_t + 6.0 * d[0] * d[1] + d[3] if work.kind == "kdv" else u_t + d[0] * d[1] + d[2] + d[4]


def along(f: Function, x: jax.Array, order: int) -> Function:
    """Return the function of a direction that gives the derivative of this order along it, by jet."""

    def term(direction: jax.Array) -> jax.Array:
        return jet(f, (x,), ((direction, *[jnp.zeros_like(x)] * (order - 1)),))[1][-1]

    return term


def laplacian(form: str, f: Function) -> Function:
    """Return the Laplacian of a function of one point."""
    if form == "hessian":
        return lambda x: jnp.trace(jax.hessian(f)(x))
    if form == "folx":
        import folx

        return lambda x: folx.forward_laplacian(f)(x).laplacian

    def sum_of_pure(x: jax.Array) -> jax.Array:
        basis = jnp.eye(x.shape[0], dtype=x.dtype)
        if form == "jet":
            return jax.vmap(along(f, x, 2))(basis).sum()

        def twice(e: jax.Array) -> jax.Array:
            return jax.jvp(lambda x: jax.jvp(f, (x,), (e,))[1], (x,), (e,))[1]

        return jax.vmap(twice)(basis).sum()

    return sum_of_pure


def biharmonic_by_jets(f: Function) -> Function:
    """Return the Laplacian of the Laplacian of a function of one point from fourth derivatives along d² lines."""

    def compute(x: jax.Array) -> jax.Array:
        d = x.shape[0]
        basis = np.eye(d)
        diagonals = [basis[i] + s * basis[j] for i in range(d) for j in range(i) for s in (1.0, -1.0)]
        fourth = along(f, x, 4)
        pure = jax.vmap(fourth)(jnp.asarray(basis, x.dtype)).sum()
        return (1.0 - (d - 1) / 3.0) * pure + jax.vmap(fourth)(jnp.asarray(np.stack(diagonals), x.dtype)).sum() / 6.0

    return compute


def laplacian_by_columns(f: Function) -> Function:
    """Return the Laplacian of a function of all points by nested reverse sweeps, one for each column."""

    def compute(X: jax.Array) -> jax.Array:
        gradient = jax.grad(lambda X: f(X).sum())
        return sum(jax.grad(lambda X, i=i: gradient(X)[:, i].sum())(X)[:, i] for i in range(X.shape[1]))

    return compute


def in_space(form: str, work: Work, layers: Any, X: jax.Array) -> jax.Array:
    """Return what is asked at the points of a space of more dimensions."""
    twice = work.kind == "biharmonic"
    if form == "grad":
        value = laplacian_by_columns(lambda X: network(layers, X))
        return (laplacian_by_columns(value) if twice else value)(X)

    def f(x: jax.Array) -> jax.Array:
        return network(layers, x)[0]

    if twice:
        return jax.vmap(biharmonic_by_jets(f) if form == "jet" else laplacian(form, laplacian(form, f)))(X)
    return jax.vmap(laplacian(form, f))(X)


def prepare(form: str, work: Work, layers: Layers, points: np.ndarray) -> Prepared:
    """Return a function that runs the work, and one that says what bytes XLA planned for temporaries."""
    jax.clear_caches()
    jax.config.update("jax_enable_x64", work.dtype == "float64")
    weights = [(jnp.asarray(matrix), jnp.asarray(bias)) for matrix, bias in layers]
    inputs = [jnp.asarray(c) for c in ([points[:, :1], points[:, 1:]] if work.columns else [points])]

    def values(weights: Any, *inputs: jax.Array) -> jax.Array:
        return (in_columns if work.columns else in_space)(form, work, weights, *inputs)

    def loss(weights: Any, *inputs: jax.Array) -> jax.Array:
        return jnp.mean((values(weights, *inputs) - (1.0 if work.kind == "laplacian-train" else 0.0)) ** 2)

    compiled = jax.jit(jax.value_and_grad(loss) if work.trains else values).lower(weights, *inputs).compile()
    memory = compiled.memory_analysis()

    def compute() -> list[Any]:
        return jax.tree.leaves(jax.block_until_ready(compiled(weights, *inputs)))

    return compute, lambda: None if memory is None else int(memory.temp_size_in_bytes)
