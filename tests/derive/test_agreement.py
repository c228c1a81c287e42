"""Random programs on grids and on columns: a graph, with Taylor mode and without, and a function give what eager mode gives.

To the third order, with intermediate values among the sources, at regular points and at points where slopes are infinite, where
NaN and infinities have to stand in the same places. Eager mode is held against JAX for a sample.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import wengert as tf
from wengert.config import rewrites

v1 = tf.compat.v1
pytestmark = [
    pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


class Ours:
    """The operations of the programs, with Wengert."""

    sin, tanh, exp, sqrt, asin, abs = tf.sin, tf.tanh, tf.exp, tf.sqrt, tf.asin, tf.abs
    where, sum, max, concat, cumsum = tf.where, tf.reduce_sum, tf.reduce_max, tf.concat, tf.cumsum
    transpose, softmax, broadcast = tf.transpose, tf.nn.softmax, tf.broadcast_to
    zeros = staticmethod(tf.zeros_like)
    flip = staticmethod(lambda u, a: tf.reverse(u, [a]))
    roll = staticmethod(lambda u, a: tf.roll(u, 1, a))
    sort = staticmethod(lambda u, a: tf.sort(u, a))
    pad = staticmethod(lambda u, a: tf.pad(u, [[1, 0] if k == a else [0, 0] for k in range(len(u.shape))]))
    gather = staticmethod(lambda u, a: tf.gather(u, [u.shape[a] - 1, 0], axis=a))


class Jax:
    """The same, with jax.numpy."""

    def __init__(self) -> None:
        import jax.numpy as jnp

        self.sin, self.tanh, self.exp, self.sqrt, self.asin, self.abs = (
            jnp.sin, jnp.tanh, jnp.exp, jnp.sqrt, jnp.arcsin, jnp.abs)  # fmt: skip
        self.where, self.sum, self.max, self.concat, self.cumsum = jnp.where, jnp.sum, jnp.max, jnp.concatenate, jnp.cumsum
        self.transpose, self.broadcast, self.zeros, self.flip = jnp.transpose, jnp.broadcast_to, jnp.zeros_like, jnp.flip
        self.softmax = lambda u, a: jnp.exp(u) / jnp.exp(u).sum(a, keepdims=True)
        self.roll = lambda u, a: jnp.roll(u, 1, a)
        self.sort = lambda u, a: jnp.sort(u, a)
        self.pad = lambda u, a: jnp.pad(u, [(1, 0) if k == a else (0, 0) for k in range(u.ndim)])
        self.gather = lambda u, a: jnp.take(u, np.array([u.shape[a] - 1, 0]), a)


def part(u: Any, axis: int, to: int) -> Any:
    return u[(slice(None),) * axis + (slice(0, to),)]


SMOOTH: list[Callable[[Any, Any], Any]] = [
    lambda xp, u: xp.sin(u),
    lambda xp, u: xp.tanh(u),
    lambda xp, u: xp.exp(0.3 * u),
    lambda xp, u: u * u,
    lambda xp, u: 0.5 * u + 1.0,
    lambda xp, u: u**3,
    lambda xp, u: xp.sqrt(1.5 + xp.sin(u)),
    lambda xp, u: u / (2.0 + xp.tanh(u)),
]
SINGULAR: list[Callable[[Any, Any], Any]] = [
    *SMOOTH[:4],
    lambda xp, u: xp.sqrt(u),
    lambda xp, u: u**1.5,
    lambda xp, u: u**0.5,
    lambda xp, u: xp.asin(u),
    lambda xp, u: xp.abs(u),
    lambda xp, u: xp.where(u > 0.0, xp.sqrt(u), xp.zeros(u)),
    lambda xp, u: xp.where(u > 0.0, 1.0 / xp.where(u > 0.0, u, xp.exp(xp.zeros(u))), u),
    lambda xp, u: xp.sqrt(xp.sum(u * u, -1, keepdims=True)),
    lambda xp, u: u / xp.sqrt(1.0 + u * u),
]
ALONG: list[Callable[[Any, Any, int], Any]] = [
    lambda xp, u, a: xp.sum(u, a, keepdims=True) + u,
    lambda xp, u, a: xp.sum(u * u, a, keepdims=True),
    lambda xp, u, a: xp.cumsum(u, a),
    lambda xp, u, a: xp.pad(u, a),
    lambda xp, u, a: xp.concat([u, xp.sin(u)], a),
    lambda xp, u, a: xp.flip(u, a),
    lambda xp, u, a: xp.roll(u, a) * u,
    lambda xp, u, a: xp.sort(u, a),
    lambda xp, u, a: xp.max(u, a, keepdims=True) * u,
    lambda xp, u, a: xp.softmax(u, a),
    lambda xp, u, a: xp.gather(u, a),
    lambda xp, u, a: xp.transpose(u),
    lambda xp, u, a: part(u, a, 1),
    lambda xp, u, a: part(u, a, 2) * xp.sum(u, a, keepdims=True),
    lambda xp, u, a: xp.broadcast(xp.sum(u, a, keepdims=True), u.shape) * u,
    lambda xp, u, a: xp.where(u > 0.3, u * u, xp.sin(u)),
]
GRIDS: list[list[tuple[int, ...]]] = [
    [(4, 1), (1, 3)], [(3, 1), (1, 3)], [(3, 1, 1), (1, 2, 1), (1, 1, 2)], [(2, 1, 1), (1, 2, 1), (1, 1, 2)], [(4, 1), (4, 1)],
    [(4, 2)], [(3, 1, 1), (3, 4, 1)], [(3, 3)], [(1, 3), (3, 3)], [(3, 1), (1, 1), (1, 3)],
]  # fmt: skip
COLUMNS: list[list[tuple[int, ...]]] = [[(4, 2)], [(4, 2)], [(4, 1), (4, 1)], [(4, 3)], [(3, 3)], [(4, 1), (1, 3)]]


class Program(NamedTuple):
    """A random program and by what it is differentiated."""

    seed: int
    singular: bool

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.singular])

    @property
    def points(self) -> list[Any]:
        rng, shapes = self.rng, COLUMNS if self.singular else GRIDS
        chosen = shapes[int(rng.integers(len(shapes)))]
        if self.singular:
            return [rng.choice([0.0, 0.0, 1.0, 0.5, 2.0, 0.25], s) for s in chosen]
        return [rng.uniform(-1.0, 1.0, s) for s in chosen]

    def build(self, xp: Any, coordinates: Sequence[Any]) -> list[Any]:
        """Return the values that the program computes; the last is its result."""
        rng = np.random.default_rng([self.seed, self.singular, 1])
        pool, found = list(coordinates), []
        for _ in range(int(rng.integers(3, 8))):
            u = pool[int(rng.integers(len(pool)))] if rng.random() < 0.5 else pool[-1]
            kind, which, axis = rng.random(), int(rng.integers(1000)), int(rng.integers(len(u.shape)))
            if kind < 0.4:
                functions = SINGULAR if self.singular else SMOOTH
                r = functions[which % len(functions)](xp, u)
            elif kind < 0.65:
                w = pool[which % len(pool)]
                try:
                    np.broadcast_shapes(tuple(u.shape), tuple(w.shape))
                except ValueError:
                    w = u
                r = u * w if kind < 0.55 else u + w
            else:
                r = ALONG[which % len(ALONG)](xp, u, axis)
            if np.prod(tuple(r.shape)) < 200:
                pool.append(r)
                found.append(r)
        return found or [xp.sin(coordinates[0])]

    def chain(self, count: int, values: int) -> list[int]:
        """Return the sources, one order after the other: coordinates, and from ``count`` on values that are computed."""
        rng = np.random.default_rng([self.seed, self.singular, 2])
        several = count + int(rng.random() < 0.35)
        return [k if k < count else count + self.seed % values for k in rng.integers(several, size=int(rng.integers(1, 4)))]

    def eagerly(self, *points: Any) -> list[Any]:
        """Return the derivatives by nested tapes, up to one that is None."""
        tapes = [tf.GradientTape(persistent=True) for _ in range(3)]
        for tape in tapes:
            tape.__enter__()
            tape.watch(list(points))
        values = self.build(Ours, points)
        g, found = values[-1], []
        for k in self.chain(len(points), len(values)):
            tape = tapes.pop()
            g = tape.gradient(g, [*points, *values][k])
            tape.__exit__(None, None, None)
            found.append(g)
            if g is None:
                break
            g = tf.convert_to_tensor(g)
        for tape in reversed(tapes):
            tape.__exit__(None, None, None)
        return found

    def in_a_graph(self, taylor: bool) -> list[Any]:
        """Return them by nested gradients, beside the first derivatives by the coordinates."""
        points = self.points
        with tf.Graph().as_default():
            places = [v1.placeholder(tf.float64, p.shape) for p in points]
            values = self.build(Ours, places)
            g, found = values[-1], []
            beside = [g for g in tf.gradients(g, places) if g is not None] if self.seed % 2 else []
            for k in self.chain(len(points), len(values)):
                g = tf.gradients(g, [*places, *values][k])[0]
                found.append(g)
                if g is None:
                    break
            there = [tf.convert_to_tensor(g) for g in found if g is not None]
            with rewrites(taylor=taylor), v1.Session() as session:
                numbers = iter(session.run([*there, *beside], dict(zip(places, points, strict=True))))
            return [None if g is None else next(numbers) for g in found]


def numbers(found: Sequence[Any]) -> list[Any]:
    return [None if g is None else np.asarray(tf.convert_to_tensor(g)) for g in found]


def compare(found: Sequence[Any], expected: Sequence[Any], what: str) -> None:
    assert [g is None for g in found] == [e is None for e in expected], what
    for g, e in zip(found, expected, strict=True):
        if e is not None:
            size = np.abs(e[np.isfinite(e)]).max(initial=1.0)
            np.testing.assert_allclose(g, e, rtol=1e-8, atol=1e-9 * size, err_msg=what)


@pytest.mark.parametrize("singular", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_modes_agree(seed: int, singular: bool) -> None:
    program = Program(seed, singular)
    points = [tf.constant(p) for p in program.points]
    if not all(np.isfinite(u.numpy()).all() for u in program.build(Ours, points)):
        return  # where a value is infinite itself, its derivatives are so in every mode, but may differ in how
    expected = numbers(program.eagerly(*points))
    for taylor in (True, False):
        compare(program.in_a_graph(taylor), expected, f"{program}, in a graph, taylor={taylor}")
    compare(numbers(tf.function(program.eagerly)(*points)), expected, f"{program}, in a function")


@pytest.mark.parametrize("seed", [0, 2, 7, 11])
def test_eager_mode_agrees_with_jax(seed: int) -> None:
    jax = pytest.importorskip("jax")
    program = Program(seed, False)
    points = program.points
    values = program.build(Ours, [tf.constant(p) for p in points])
    chain = program.chain(len(points), len(values))
    assert max(chain) < len(points), "a program that is differentiated by its coordinates alone"
    found = numbers(program.eagerly(*[tf.constant(p) for p in points]))
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        f: Any = lambda *c: program.build(Jax(), c)[-1]  # noqa: E731
        for k, g in zip(chain, found, strict=False):
            f = jax.grad(functools.partial(lambda *c, f: f(*c).sum(), f=f), k)
            expected = np.asarray(f(*points))
            np.testing.assert_allclose(np.zeros_like(expected) if g is None else g, expected, rtol=1e-10, atol=1e-11)
    finally:
        jax.config.update("jax_enable_x64", before)
