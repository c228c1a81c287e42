"""Primitives of JAX: values, first and second derivatives of functions of a point, against JAX's own, in float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import wengert

jax = pytest.importorskip("jax", reason="wengert.jax needs JAX")
jnp, lax = jax.numpy, jax.lax
pytestmark = pytest.mark.usefixtures("compiled_hastily")

RNG = np.random.default_rng(3)
W = RNG.normal(size=(3, 4))
S = RNG.normal(size=(3, 3))
K = RNG.normal(size=(2, 1, 2))
FUNCTIONS: dict[str, tuple[Callable[..., Any], str]] = {}
"""By name: a function of x of shape (3,), and where it is tried: "all", "unit" (between 0.1 and 0.9), "positive"."""


def of(where: str = "all") -> Callable[..., Any]:
    def enter(f: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS[f.__name__] = f, where
        return f

    return enter


SPECIAL = "erf erfc log_ndtr ndtr expit erfinv logit gammaln digamma entr".split()
OF_NN = (
    "relu relu6 softplus sigmoid silu gelu elu selu celu leaky_relu log_sigmoid hard_tanh soft_sign softmax log_softmax mish "
    "squareplus hard_swish standardize"
).split()
OTHERS = {
    "rsqrt": lax.rsqrt, "arccosh": lambda x: jnp.arccosh(1.5 + x), "gelu_exact": partial(jax.nn.gelu, approximate=False),
}  # fmt: skip
GROUPS = {  # of functions of numbers and activations, several at once: JAX compiles a group nearly as fast as one
    "circular": ("sin cos tan arctan sinc", "all"),
    "hyperbolic": ("tanh sinh cosh exp exp2 expm1 arcsinh", "all"),
    "piecewise": ("abs sign floor ceil square cbrt relu relu6 leaky_relu hard_tanh hard_swish", "all"),
    "activations": ("softplus sigmoid silu gelu gelu_exact elu selu celu log_sigmoid soft_sign mish squareplus", "all"),
    "over_a_row": ("softmax log_softmax standardize", "all"),
    "errors": ("erf erfc log_ndtr ndtr expit", "all"),
    "inverses": ("arcsin arccos arctanh erfinv logit", "unit"),
    "logarithms": ("log log1p log2 log10 sqrt reciprocal rsqrt arccosh gammaln digamma entr", "positive"),
}


def _function(name: str) -> Callable[..., Any]:
    place = jax.scipy.special if name in SPECIAL else jax.nn if name in OF_NN else jnp
    return OTHERS.get(name) or getattr(place, name)


def _group(names: str) -> Callable[..., Any]:
    functions = [_function(name) for name in names.split()]
    return lambda x: jnp.concatenate([f(x) for f in functions])


for group, (names, where) in GROUPS.items():
    FUNCTIONS[group] = _group(names), where


@of()
def dot(x):
    return x @ W


@of()
def dot_left(x):
    return W.T @ x


@of()
def quadratic(x):
    return x @ S @ x


@of()
def outer(x):
    return jnp.outer(x, jnp.sin(x)).ravel()


@of()
def batched(x):
    a = x * jnp.ones((2, 4, 1))
    return jnp.einsum("bij,bkj->bik", a, jnp.sin(a)).ravel()


@of()
def attention(x):
    tokens = jnp.stack([x, jnp.cos(x), x * x]) @ W
    scores = jax.nn.softmax(tokens @ tokens.T / 2.0, axis=-1)
    return (scores @ tokens).ravel()


@of()
def power(x):
    return jnp.array([x[0] ** 3, x[1] ** -2.0, x[2] ** 2])


@of("positive")
def general_power(x):
    return x ** (x[::-1] + 0.5)


@of()
def two(x):
    return jnp.array([jnp.arctan2(x[0], x[1]), jnp.hypot(x[1], x[2]), jnp.logaddexp(x[0], x[2]), lax.rem(x[0], x[1])])


@of()
def divided(x):
    return x / (2.0 + x[::-1] ** 2)


@of()
def extremes(x):
    return jnp.array([jnp.maximum(x[0], x[1]), jnp.minimum(x[1], x[2]), x.max(), x.min(), x.prod(), x.mean(), x.var()])


@of()
def ties(x):
    y = jnp.stack([x, x])
    return jnp.concatenate([jnp.maximum(x, 1.0 * x), y.max(0), y.min(0), jnp.clip(x, x, 9.0), jnp.clip(x, -0.5, 0.5)])


@of()
def chosen(x):
    return jnp.where(x > 0.0, jnp.sin(x), x**2)


@of()
def select_of_three(x):
    return lax.select_n(jnp.array([0, 1, 2]), x, jnp.sin(x), x**3)


@of()
def shapes(x):
    y = jnp.broadcast_to(x[:, None], (3, 2)).T.reshape(3, 2)
    y = jnp.pad(y, ((1, 0), (0, 2)), constant_values=1.5)
    y = jnp.concatenate([y, jnp.flip(y, 0)], 1)[::2, 1:]
    return jnp.roll(jnp.squeeze(y[None]), 1, 0).ravel()


@of()
def padded(x):
    return jnp.concatenate([lax.pad(x, 2.0, [(1, -1, 2)]), lax.pad(x, 0.0, [(-1, 0, 0)])]) ** 2


@of()
def stacked(x):
    return jnp.vstack([x, jnp.tile(x, 1), jnp.repeat(x[:1], 3)]).ravel() ** 2


@of()
def taken(x):
    a = jnp.take(x, jnp.array([2, 0, 0])) * jnp.arange(1.0, 4.0)
    b = jnp.outer(x, x)[jnp.array([0, 1]), jnp.array([2, 1])]
    c = jnp.take_along_axis(jnp.outer(x, x), jnp.array([[1], [2], [0]]), axis=1).ravel()
    return jnp.concatenate([a, b, c, jnp.outer(x, x)[:, 1], jnp.diag(jnp.outer(x, x))])


@of()
def taken_by_value(x):
    return x[jnp.argmax(x)] ** 2 + jnp.outer(x, x)[jnp.argmin(x)].sum()


@of()
def set_in(x):
    y = jnp.zeros((3, 2)).at[:, 0].set(x).at[1, 1].add(x[0] ** 2)
    return y.at[jnp.array([0, 0])].add(1.0).ravel() ** 2


@of()
def multiplied_in(x):
    return jnp.ones(3).at[jnp.array([0, 2])].mul(x[:2], unique_indices=True) ** 2


@of()
def sliced(x):
    i = jnp.array(1)
    y = lax.dynamic_slice(x, (i,), (2,))
    return jnp.concatenate([y**2, lax.dynamic_update_slice(x, y * y, (i,))])


@of()
def pushed_inside(x):
    y = jnp.outer(x, x)
    at = jnp.array([[2], [7]])  # the second lies outside
    numbers = lax.ScatterDimensionNumbers((1,), (), (0,))
    kept = [lax.scatter_add(x, at, y[:2, :2], numbers, mode=mode) for mode in ("clip", "drop")]
    kept += [lax.scatter(x, at[:1], y[:1, :2], numbers, mode="clip"), lax.dynamic_update_slice(x, y[0, :2], (5,))]
    kept.append(jax.vmap(lambda v, k: lax.dynamic_update_slice(v, v[:2] ** 2, (k,)))(y, jnp.array([0, 1, 9])).ravel())
    return jnp.concatenate(kept)


@of()
def sorted_(x):
    by_two = jnp.concatenate(lax.sort((jnp.floor(x), jnp.sin(3.0 * x), x * x), num_keys=2))
    return jnp.concatenate([jnp.sort(x) ** 2, x[jnp.argsort(x)], jnp.median(x)[None], lax.top_k(x, 2)[0], by_two])


@of()
def folded(x):
    def greater_of_both(a, b):
        first = a[0] > b[0]
        return jnp.where(first, a[0], b[0]), jnp.where(first, a[1], b[1])

    y = jnp.outer(x, jnp.sin(x))
    return jnp.concatenate(lax.reduce((y, y**2), (-np.inf, 0.0), greater_of_both, (1,)))


@of()
def unstacked(x):
    return jnp.concatenate([a * b for a, b in zip(lax.unstack(jnp.outer(x, x), axis=1), jnp.outer(x, x), strict=True)])


@of()
def running(x):
    y = jnp.outer(x, x)
    return jnp.concatenate([
        jnp.cumsum(y, 0).ravel(), jnp.cumprod(y, 1).ravel(), lax.cummax(x), lax.cummin(x, reverse=True), lax.cumlogsumexp(x),
        lax.cumsum(x, reverse=True) ** 2,
    ])  # fmt: skip


@of()
def logsumexp(x):
    return jax.scipy.special.logsumexp(x)


@of()
def norms(x):
    return jnp.array([jnp.linalg.norm(x), jnp.sqrt(jnp.sum(x**2)), jnp.abs(x).sum()])


@of()
def normalised(x):
    y = x @ W
    return (y - y.mean()) * lax.rsqrt(y.var() + 1e-5)


@of()
def fourier_features(x):
    return jnp.concatenate([jnp.sin(x @ W), jnp.cos(x @ W)])


@of()
def convolved(x):
    y = jnp.concatenate([x, jnp.sin(x)]).reshape(1, 1, 6)
    a = lax.conv_general_dilated(y, K, (1,), "SAME", dimension_numbers=("NCH", "OIH", "NCH"))
    b = lax.conv_general_dilated(y, K, (2,), [(1, 2)], rhs_dilation=(2,), dimension_numbers=("NCH", "OIH", "NCH"))
    c = lax.conv_general_dilated(y, K, (1,), [(1, 1)], lhs_dilation=(2,), dimension_numbers=("NCH", "OIH", "NCH"))
    return jnp.concatenate([z.ravel() for z in (a, b, c)]) ** 2


@of()
def convolved_apart(x):
    y = jnp.concatenate([x, jnp.sin(x)]).reshape(1, 1, 6)
    of_batches = lax.conv_general_dilated(
        y.reshape(2, 1, 3), K, (1,), "VALID", dimension_numbers=("NCH", "OIH", "NCH"), batch_group_count=2
    )
    turned = lax.conv_general_dilated(
        lax.complex(y, y**2)[..., :4], jnp.asarray(K * (1.0 + 2.0j)), (1,), "VALID", dimension_numbers=("NCH", "OIH", "NCH")
    )
    return jnp.concatenate([z.ravel() for z in (of_batches, turned.real, turned.imag)]) ** 2


@of()
def convolved_images(x):
    y = jnp.outer(x, jnp.concatenate([x, x])).reshape(1, 3, 3, 2)
    k = jnp.asarray(W[:2].reshape(2, 2, 1, 2))
    return lax.conv_general_dilated(
        y, k, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=2
    ).ravel()


@of()
def pooled(x):
    y = jnp.outer(x, x).reshape(1, 3, 3, 1)
    a = lax.reduce_window(y, 0.0, lax.add, (1, 2, 2, 1), (1, 1, 1, 1), "VALID")
    b = lax.reduce_window(y, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
    return jnp.concatenate([a.ravel(), b.ravel()])


@of()
def solved(x):
    a = jnp.asarray(S @ S.T) + 3.0 * jnp.eye(3) + jnp.outer(x, x)
    return jnp.concatenate(
        [jnp.linalg.solve(a, x), jnp.linalg.inv(a).ravel(), jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(a), x)]
    )


@of()
def solved_by_known(x):
    return jnp.linalg.solve(jnp.asarray(S), x**2)


@of()
def decomposed(x):
    a = jnp.asarray(S @ S.T) + jnp.diag(jnp.arange(1.0, 4.0)) + jnp.outer(x, x)
    return jnp.concatenate([jnp.linalg.cholesky(a).ravel(), jnp.linalg.eigvalsh(a), jnp.linalg.svd(a, compute_uv=False)])


@of()
def determinants(x):
    a = jnp.asarray(S) + jnp.outer(x, x)
    b = jnp.zeros((4, 4)).at[:3, :3].set(a).at[3, 3].set(2.0).at[0, 3].set(x[0])
    return jnp.array([jnp.linalg.det(a), jnp.linalg.det(b), jnp.linalg.slogdet(b)[1]])


@of()
def triangular(x):
    a = jnp.tril(jnp.asarray(S)) + 2.0 * jnp.eye(3) + jnp.outer(x, x)
    return jnp.concatenate([
        jax.scipy.linalg.solve_triangular(a, x, lower=True), jax.scipy.linalg.solve_triangular(a, x, lower=True, trans=1),
        jax.scipy.linalg.solve_triangular(a, x, lower=True, unit_diagonal=True),
    ])  # fmt: skip


@of()
def transformed(x):
    y = jnp.concatenate([x, x**2])
    f = jnp.fft.fft(y)
    of_planes = jnp.fft.rfftn(jnp.outer(y, x).reshape(2, 3, 3))
    g = jnp.fft.fftn(jnp.outer(y, x).reshape(2, 3, 3))
    planes = [of_planes.real.ravel(), jnp.fft.irfft2(of_planes[0] ** 2).ravel(), g.real.ravel(), jnp.fft.ifftn(g**2).real.ravel()]
    return jnp.concatenate([*planes, f.real, f.imag, jnp.fft.irfft(jnp.fft.rfft(y) * 2.0), jnp.abs(jnp.fft.ifft(y)) ** 2])


@of()
def complex_numbers(x):
    z = lax.complex(x, jnp.sin(x))
    return jnp.concatenate([(z * z).real, jnp.exp(z).imag, jnp.abs(z), jnp.conj(z).imag])


@of()
def casts(x):
    return x.astype(jnp.float32).astype(x.dtype) * 0.0 + x * (x > 0).astype(x.dtype) + x.astype(jnp.int32)


@of()
def scanned(x):
    def turn(c, row):
        c = jnp.tanh(c * row + x[0])
        return c, c * x

    c, rows = lax.scan(turn, x, jnp.arange(1.0, 4.0))
    return jnp.concatenate([c, rows.ravel()])


@of()
def scanned_backwards(x):
    return lax.scan(lambda c, r: (c + r**2, jnp.sin(c) * r), x[0], x, reverse=True)[1]


@of()
def counted(x):
    return lax.fori_loop(0, 3, lambda i, c: jnp.sin(c) * (i + 1.0), x)


@of()
def branched(x):
    return lax.cond(x[0] > 0.0, lambda x: jnp.sin(x), lambda x: x**3, x)


@of()
def switched(x):
    return lax.switch(jnp.argmax(x), [jnp.sin, jnp.cos, lambda x: x**3], x)


@of()
def checkpointed(x):
    return jax.checkpoint(lambda x: jnp.sin(x @ W))(x)


@of()
def nested_jit(x):
    return jax.jit(lambda x: jax.jit(jnp.tanh)(x) * 2.0)(x)


@of()
def stopped(x):
    return lax.stop_gradient(x) * x**2


@of()
def xlogy(x):
    return jax.scipy.special.xlogy(x, 2.0 + x**2)


@of()
def differentiated(x):
    return jax.grad(lambda x: jnp.sum(jnp.tanh(x) ** 3))(x)


@of()
def mapped(x):
    return jax.vmap(lambda a, b: jnp.sin(a) * b @ jnp.asarray(W[0, :2]))(x, jnp.stack([x, x**2], 1))


@of("positive")
def special_of_two(x):
    return jnp.array([
        jax.scipy.special.betaln(x[0], x[1]), jax.scipy.special.gammaincc(2.0, x[0]), jax.scipy.special.gammainc(1.5, x[1]),
        jax.scipy.special.polygamma(1, x[2]),
    ])  # fmt: skip


@jax.custom_jvp
def _clipped(x):
    return jnp.sin(x)


@_clipped.defjvp
def _clipped_jvp(primals, tangents):
    return _clipped(primals[0]), 2.0 * tangents[0] * primals[0]  # by no means the derivative of sin


@jax.custom_vjp
def _straight(x):
    return jnp.round(x)


_straight.defvjp(lambda x: (_straight(x), None), lambda _, g: (g,))


@jax.custom_jvp
def _own(x):
    return jnp.exp(x)


@_own.defjvp
def _own_jvp(primals, tangents):
    y = _own(primals[0])
    return y, y * tangents[0]  # it is stated by itself


@of()
def stated_otherwise(x):
    return _clipped(x) * x


@of()
def stated_by_itself(x):
    return _own(x) * x


LARGE = frozenset(
    """
    solved decomposed determinants convolved convolved_apart convolved_images running triangular circular errors norms logarithms
    piecewise special_of_two extremes over_a_row attention taken pooled
    """.split()
)
"""Functions whose third derivatives take JAX long to compile."""


def points(where: str) -> np.ndarray:
    x = np.random.default_rng(5).normal(size=(4, 3))
    if where == "unit":
        return 0.1 + 0.8 / (1.0 + np.exp(-x))
    if where == "positive":
        return 0.2 + np.abs(x)
    x[2] = [0.3, -1.2, 2.0]
    return x


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_derivatives_are_those_of_jax(name):
    f, where = FUNCTIONS[name]
    with jax.enable_x64(True):
        X = jnp.asarray(points(where))
        u = wengert.jax.field(f, "x y z", pointwise=True)
        asked = [u, u.x, u.y, u.xx, u.xz, *([] if name in LARGE else [u.yyy])]
        found = wengert.jax.evaluate(asked, X)
        columns = lambda v: jnp.reshape(v, (X.shape[0], -1))  # noqa: E731
        first = jax.vmap(jax.jacfwd(f))(X)
        second = jax.vmap(jax.jacfwd(jax.jacfwd(f)))(X)
        wanted = [jax.vmap(f)(X), first[..., 0], first[..., 1], second[..., 0, 0], second[..., 0, 2]]
        if name not in LARGE:

            def along_y(f):
                return lambda x: jax.jvp(f, (x,), (jnp.array([0.0, 1.0, 0.0]),))[1]

            wanted.append(jax.vmap(along_y(along_y(along_y(f))))(X))
        for one, v, w in zip("u x y xx xz yyy".split(), found, wanted, strict=False):
            w = columns(w)
            np.testing.assert_allclose(v, w, rtol=1e-9, atol=1e-9 * max(1.0, float(jnp.abs(w).max())), err_msg=one)


def test_a_stated_vjp_is_kept():
    with jax.enable_x64(True):
        X = jnp.asarray(points("all"))
        u = wengert.jax.field(lambda x: _straight(x) * x, "x y z", pointwise=True)
        wanted = jax.vmap(jax.jacrev(lambda x: _straight(x) * x))(X)
        np.testing.assert_allclose(u.x(X), wanted[..., 0], atol=1e-12)
        again = jax.vmap(jax.jacrev(jax.jacrev(lambda x: _straight(x) * x)))(X)
        np.testing.assert_allclose(u.xx(X), again[..., 0, 0], atol=1e-12)


@pytest.mark.parametrize("name", ["relu", "softplus", "silu", "abs", "maximum", "clip", "sign"])
def test_kinks_are_those_of_jax(name):
    f = {
        "abs": jnp.abs, "maximum": lambda x: jnp.maximum(x, 0.0), "clip": lambda x: jnp.clip(x, 0.0, 1.0), "sign": jnp.sign,
    }.get(name) or getattr(jax.nn, name)  # fmt: skip
    with jax.enable_x64(True):
        x = jnp.array([0.0, -0.0, 1.0, -1.0, 0.5])
        u = wengert.jax.field(f, "x", pointwise=True)
        first, second = jax.vmap(jax.grad(f))(x), jax.vmap(jax.grad(jax.grad(f)))(x)
        np.testing.assert_allclose(u.x(x)[:, 0], first, atol=1e-14)
        np.testing.assert_allclose(u.xx(x)[:, 0], second, atol=1e-14)
