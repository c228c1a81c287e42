"""Coordinates along different axes: a gradient is a sum over y, whichever proofs of rows other requests made.

A nested gradient of sums is a derivative of one number, Σ y: along the ones of each coordinate but the last, and along one
element of that. So the exact values are differences with 60 digits of a function of a few numbers.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import wengert as tf
from wengert.config import rewrites
from wengert.run.explain import Explanation


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


oracle = load("oracle", Path(__file__).parent / "oracle.py")
v1 = tf.compat.v1
pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")
RNG = np.random.default_rng(8)
SQUARE = RNG.uniform(-1.0, 1.0, (3, 3))
X, T = RNG.uniform(-1.0, 1.0, (3, 1)), RNG.uniform(-1.0, 1.0, (1, 3))


class Digits:
    """Functions of arrays of mpmath's numbers."""

    sin, tanh, exp = (np.frompyfunc(f, 1, 1) for f in (mp.sin, mp.tanh, mp.exp))


def exact(y: Callable[..., Any], points: Sequence[Any], chain: Sequence[int]) -> Any:
    """Return the nested gradients of y(*points) by the coordinates of a chain, one after the other."""
    *inner, last = chain
    found = np.zeros(points[last].shape)
    for place in np.ndindex(found.shape):
        unit = np.zeros(found.shape)
        unit[place] = 1.0

        def total(*steps: Any, unit: Any = unit) -> Any:
            moved = [p.astype(object) + s for p, s in zip(points, steps[:-1], strict=True)]
            moved[last] = moved[last] + steps[-1] * unit
            return np.sum(y(*moved))

        differences = oracle.Differences(total, *[0.0] * (len(points) + 1), digits=100)
        found[place] = float(differences(*[inner.count(k) for k in range(len(points))], 1))
    return found


def nested(y: Any, coordinates: Sequence[Any], chain: Sequence[int]) -> Any:
    return oracle.nested(y, *[coordinates[k] for k in chain])


def check(y: Any, coordinates: Any, points: Any, chains: Any, expected: Any, *beside: Any) -> None:
    """Compare with Taylor mode and without, alone and beside other fetches."""
    gs = [nested(y, coordinates, chain) for chain in chains]
    there = [g for g in gs if g is not None]
    for fetches in ([*there, *beside], there):
        for taylor in (True, False):
            with rewrites(taylor=taylor), v1.Session() as session:
                found = iter(session.run(fetches, dict(zip(coordinates, points, strict=True))))
            for g, e, chain in zip(gs, expected, chains, strict=True):
                value = np.zeros_like(e) if g is None else next(found)
                np.testing.assert_allclose(value, e, rtol=1e-11, atol=1e-12, err_msg=f"{chain}, taylor={taylor}")


# Operations along an axis: with Wengert, and with NumPy.
ALONG: dict[str, tuple[Callable[[Any, int], Any], Callable[[Any, int], Any]]] = {
    "sum": (lambda u, a: tf.reduce_sum(u, a), lambda u, a: u.sum(a)),
    "sum, kept, beside": (lambda u, a: tf.reduce_sum(u, a, keepdims=True) * u, lambda u, a: u.sum(a, keepdims=True) * u),
    "mean": (lambda u, a: u - tf.reduce_mean(u, a, keepdims=True) * u, lambda u, a: u - u.sum(a, keepdims=True) / 3 * u),
    "cumsum": (lambda u, a: tf.cumsum(u, a), lambda u, a: np.cumsum(u, a)),
    "pad": (lambda u, a: tf.pad(u, [[1, 2] if k == a else [0, 0] for k in range(2)]), lambda u, a: u),
    "concat": (lambda u, a: tf.concat([u, u * u], a), lambda u, a: np.concatenate([u, u * u], a)),
    "stack": (lambda u, a: tf.stack([u, tf.ones_like(u)], a) ** 2, lambda u, a: u * u),
    "reverse": (lambda u, a: tf.reverse(u, [a]) * u, lambda u, a: np.flip(u, a) * u),
    "roll": (lambda u, a: tf.roll(u, 1, a) * u, lambda u, a: np.roll(u, 1, a) * u),
    "tile": (lambda u, a: tf.tile(u, [2 if k == a else 1 for k in range(2)]), lambda u, a: 2 * u),
    "slice": (lambda u, a: u[(slice(None),) * a + (slice(0, 2),)], lambda u, a: u[(slice(None),) * a + (slice(0, 2),)]),
    "gather": (lambda u, a: tf.gather(u, [2, 0], axis=a), lambda u, a: np.take(u, [2, 0], a)),
    "sort": (lambda u, a: tf.sort(u, a) * tf.constant(SQUARE), lambda u, a: np.sort(u, a) * SQUARE),
    "max": (lambda u, a: tf.reduce_max(u, a) ** 2, lambda u, a: np.max(u, a) ** 2),
    "softmax": (
        lambda u, a: tf.nn.softmax(u, a) * tf.constant(SQUARE),
        lambda u, a: Digits.exp(u) / Digits.exp(u).sum(a, keepdims=True) * SQUARE),
    "matmul": (
        lambda u, a: tf.matmul(tf.constant(SQUARE), u) if a == 0 else tf.matmul(u, tf.constant(SQUARE)),
        lambda u, a: SQUARE @ u if a == 0 else u @ SQUARE),
    "product with its transpose": (
        lambda u, a: tf.matmul(u, u, transpose_a=a == 0, transpose_b=a == 1), lambda u, a: u.T @ u if a == 0 else u @ u.T),
    "transpose": (lambda u, a: tf.transpose(u) * tf.cumsum(u, a), lambda u, a: u.T * np.cumsum(u, a)),
    "einsum": (lambda u, a: tf.einsum("ij,kj->ik" if a else "ij,ik->jk", u, u), lambda u, a: u @ u.T if a else u.T @ u),
    "spread": (
        lambda u, a: tf.broadcast_to(tf.reduce_sum(u, a, keepdims=True), u.shape) * u,
        lambda u, a: u.sum(a, keepdims=True) * u),
}  # fmt: skip
FIELDS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a sum": lambda xp, x, t: x + t,
    "a product": lambda xp, x, t: xp.sin(x) * t + 0.5 * x * t * t,
}
CHAINS = [(1,), (0, 1), (1, 0), (0, 0, 1)]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", ALONG)
def test_along_the_axis_of_one_of_two_coordinates(name: str, field: str, axis: int) -> None:
    ours, reference = ALONG[name]
    expected = [exact(lambda x, t: reference(FIELDS[field](Digits, x, t), axis), [X, T], chain) for chain in CHAINS]
    with tf.Graph().as_default():
        x, t = v1.placeholder(tf.float64, [3, 1]), v1.placeholder(tf.float64, [1, 3])
        u = FIELDS[field](tf, x, t)
        check(ours(u, axis), [x, t], [X, T], CHAINS, expected, *tf.gradients(u, [x, t]))


GRIDS: dict[str, list[tuple[int, ...]]] = {
    "three axes": [(2, 1, 1), (1, 3, 1), (1, 1, 2)],
    "three axes, the first of unknown size": [(2, 1, 1), (1, 3, 1), (1, 1, 2)],
    "one alone, broadcast later": [(3, 1), (3, 2)],
    "a batch of grids": [(2, 2, 1), (2, 1, 3)],
    "the same axis": [(3, 1), (3, 1)],
    "a row and a number": [(1, 3), (1, 1)],
}


@pytest.mark.parametrize("name", GRIDS)
def test_mixed_derivatives_on_grids(name: str) -> None:
    """A sum over the last axis stands in the function."""
    points = [np.random.default_rng(k).uniform(-1.0, 1.0, shape) for k, shape in enumerate(GRIDS[name])]
    chains = [(0, 1), (1, 0, 0), (len(points) - 1, 0, 1)]

    def field(xp: Any, total: Any, c: Any) -> Any:
        u = xp.sin(c[0]) * c[1] + 0.3 * c[0] * c[-1] * c[1] ** 2
        return u * total(u) + xp.tanh(u + c[-1])

    expected = [exact(lambda *c: field(Digits, lambda u: u.sum(-1, keepdims=True), c), points, chain) for chain in chains]
    with tf.Graph().as_default():
        shapes = [[None, *s[1:]] if "unknown" in name and k == 0 else s for k, s in enumerate(GRIDS[name])]
        c = [v1.placeholder(tf.float64, shape) for shape in shapes]
        check(field(tf, lambda u: tf.reduce_sum(u, -1, keepdims=True), c), c, points, chains, expected)


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
def test_a_derivative_by_a_product_with_a_transpose(ta: bool, tb: bool) -> None:
    """Of w = Σ_j v x by v it is x, of which sin is differentiated by x: cos(x)."""
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [3, 3])
        v = tf.matmul(x, x, transpose_a=ta, transpose_b=tb)
        g = tf.gradients(tf.sin(tf.gradients(tf.reduce_sum(v * x, 1), v)[0]), x)[0]
        with v1.Session() as session:
            np.testing.assert_allclose(session.run(g, {x: SQUARE}), np.cos(SQUARE), rtol=1e-14)


def test_rows_along_a_middle_axis_are_a_series() -> None:
    weights = RNG.uniform(size=(2, 1, 4))
    with tf.Graph().as_default(), Explanation() as explanation:
        t = v1.placeholder(tf.float64, [1, 3, 1])
        g = nested(tf.sin(t * tf.constant(weights)), [t], (0, 0))
        with v1.Session() as session:
            found = session.run(g, {t: np.ones((1, 3, 1))})
    np.testing.assert_allclose(found, np.full((1, 3, 1), -(weights**2 * np.sin(weights)).sum()), rtol=1e-14)
    assert {choice.method for choice in explanation.choices} == {"taylor"}
