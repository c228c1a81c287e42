"""Fields over JAX: models, whole residuals, their gradients by parameters, and what JAX does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.errors import DTypeError, ShapeError, UnimplementedError
from wengert.surface.frameworks.jax import JaxHome

jax = pytest.importorskip("jax", reason="wengert.jax needs JAX")
jnp = jax.numpy
pytestmark = pytest.mark.usefixtures("compiled_hastily")


def dense(key: Any, *sizes: int) -> list[Any]:
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (jax.random.normal(k, (a, b)) / np.sqrt(a), 0.1 * jax.random.normal(k, (b,)))
        for k, a, b in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def mlp(p: Any, X: Any, act: Callable[..., Any] = jnp.tanh) -> Any:
    for w, b in p[:-1]:
        X = act(X @ w + b)
    return X @ p[-1][0] + p[-1][1]


def siren(p: Any, X: Any) -> Any:
    return mlp(p, 3.0 * X, jnp.sin)


def residual_of_fourier_features(p: Any, X: Any) -> Any:
    first, *rest = p
    h = jnp.concatenate([jnp.sin(X @ first[0]), jnp.cos(X @ first[0])], 1)
    for w, b in rest[:-1]:
        h = h + jax.nn.silu(h @ w + b)
    return h @ rest[-1][0] + rest[-1][1]


def transformer(p: Any, X: Any) -> Any:
    (embed, place), (q, _), (k, _), (v, _), (out, bias) = p
    tokens = X[:, :, None] * embed[None] + place  # a token for each coordinate
    a, b, c = tokens @ q, tokens @ k, tokens @ v
    scores = jax.nn.softmax(jnp.einsum("nid,njd->nij", a, b) / np.sqrt(a.shape[-1]), -1)
    h = tokens + scores @ c
    h = (h - h.mean(-1, keepdims=True)) / jnp.sqrt(h.var(-1, keepdims=True) + 1e-6)
    return jnp.tanh(h).mean(1) @ out + bias


def models() -> dict[str, Any]:
    key = jax.random.key(3)
    return {
        "mlp": (mlp, dense(key, 2, 16, 16, 1)),
        "siren": (siren, dense(key, 2, 16, 16, 1)),
        "residual": (residual_of_fourier_features, [*dense(key, 2, 8), *dense(key, 16, 16, 16, 1)]),
        "transformer": (transformer, [dense(key, 2, 8)[0], *[dense(key, 8, 8)[0] for _ in range(3)], dense(key, 8, 1)[0]]),
    }


NAMES = ["mlp", "siren", "residual", "transformer"]


def nested(f: Callable[..., Any], word: str) -> Callable[..., Any]:
    """Return a partial derivative by JAX, of a function of numbers x and t."""

    def along(f: Callable[..., Any], one: tuple[float, float]) -> Callable[..., Any]:
        return lambda x, t: jax.jvp(f, (x, t), tuple(jnp.asarray(v, x.dtype) for v in one))[1]

    for name in word:
        f = along(f, (1.0, 0.0) if name == "x" else (0.0, 1.0))
    return f


def points(n: int = 6) -> Any:
    return jnp.asarray(np.random.default_rng(0).uniform(-1.0, 1.0, (n, 2)))


@pytest.mark.parametrize(("name", "wide"), [*[(name, True) for name in NAMES], ("mlp", False)])
def test_derivatives_to_the_fourth_order_are_those_of_jax(name, wide):
    with jax.enable_x64(wide):
        net, p = models()[name]
        X = points()
        u = wengert.jax.field(lambda X: net(p, X), "x t")
        words = ["x", "xx", "xxxx", "xxt"]
        found = wengert.jax.evaluate([getattr(u, w) for w in words] + [u.laplacian()], X)
        f = lambda x, t: net(p, jnp.stack([x, t])[None])[0, 0]  # noqa: E731
        of = {w: jax.vmap(nested(f, w))(X[:, 0], X[:, 1]) for w in [*words, "tt"]}
        wanted = [of[w] for w in words] + [of["xx"] + of["tt"]]
        for word, a, b in zip([*words, "laplacian"], found, wanted, strict=True):
            scale = float(jnp.abs(b).max())
            np.testing.assert_allclose(a[:, 0], b, atol=scale * (1e-12 if wide else 2e-5), rtol=0, err_msg=word)
            assert a.dtype == X.dtype


@pytest.mark.parametrize("name", NAMES)
def test_a_residuals_gradient_by_all_parameters_is_that_of_jax(name):
    with jax.enable_x64(True):
        net, p = models()[name]
        X = points()

        def loss(p, nu):
            u = wengert.jax.field(lambda X: net(p, X), "x t")
            r = u.t + u * u.x - nu * u.xx
            return jnp.mean(r(X) ** 2)

        def plain(p, nu):
            f = lambda x, t: net(p, jnp.stack([x, t])[None])[0, 0]  # noqa: E731
            x, t = X[:, 0], X[:, 1]
            d = {w: jax.vmap(nested(f, w))(x, t) for w in ("", "x", "t", "xx")}
            return jnp.mean((d["t"] + d[""] * d["x"] - nu * d["xx"]) ** 2)

        nu = jnp.asarray(0.3)
        value, found = jax.value_and_grad(loss, (0, 1))(p, nu)
        compiled = jax.jit(jax.grad(loss, (0, 1)))(p, nu)
        expected, wanted = jax.value_and_grad(plain, (0, 1))(p, nu)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        for a, b, c in zip(*[jax.tree.leaves(g) for g in (found, wanted, compiled)], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12 * max(1.0, float(jnp.abs(b).max())))
            np.testing.assert_allclose(c, b, atol=1e-12 * max(1.0, float(jnp.abs(b).max())))


def test_the_second_derivative_by_parameters_is_right_where_a_unit_is_at_zero():
    with jax.enable_x64(True):

        def loss(w):
            u = wengert.jax.field(lambda x: jnp.tanh(w * x), "x")
            return u.xx(jnp.array([0.0, 0.5])).sum()

        def plain(w):
            f = jax.grad(jax.grad(lambda x: jnp.tanh(w * x)))
            return jax.vmap(f)(jnp.array([0.0, 0.5])).sum()

        at = 0.7
        for order in range(4):
            np.testing.assert_allclose(loss(at), plain(at), rtol=1e-10, err_msg=str(order))
            loss, plain = jax.grad(loss), jax.grad(plain)


def test_it_is_a_function_of_jax():
    u = wengert.jax.field(lambda x, t: jnp.sin(2.0 * x) * t**3, "x t")
    x, t = jnp.linspace(0.0, 1.0, 5), jnp.linspace(1.0, 2.0, 5)
    wanted = -4.0 * jnp.sin(2.0 * x) * 3.0 * t**2
    np.testing.assert_allclose(jax.jit(u.xxt)(x, t)[:, 0], wanted, rtol=1e-5)
    np.testing.assert_allclose(jax.vmap(lambda a, b: u.xxt(a, b)[0, 0])(x, t), wanted, rtol=1e-5)
    by_x = jax.vmap(jax.grad(lambda a, b: u.xxt(a, b)[0, 0]))(x, t)
    np.testing.assert_allclose(by_x, -8.0 * jnp.cos(2.0 * x) * 3.0 * t**2, rtol=1e-5)
    assert isinstance(u(x, t), jax.Array) and u(x[:, None], t[:, None]).shape == (5, 1)
    assert u(0.5, 1.0).shape == (1, 1) and u(x, 1.0).shape == (5, 1)
    np.testing.assert_allclose(u.map(jnp.exp)(x, t), jnp.exp(u(x, t)), rtol=1e-6)


def test_operands_may_be_traced():
    u = wengert.jax.field(lambda x: x**3, "x")
    x = jnp.array([1.0, 2.0])
    assert jax.grad(lambda c: (c * u.xx + c**2)(x).sum())(2.0) == 6.0 * 3.0 + 2 * 2 * 2.0
    np.testing.assert_allclose((np.array([[1.0], [10.0]], np.float32) * u)(x)[:, 0], [1.0, 80.0])


def test_many_rows_are_computed_by_this_librarys_executor_and_agree():
    net, p = models()["mlp"]
    X = points(1000).astype(jnp.float32)
    u = wengert.jax.field(lambda X: net(p, X), "x t")
    np.testing.assert_allclose(u.xx(X), jax.jit(u.xx)(X), rtol=2e-4, atol=2e-4)


def test_reading_is_kept_by_structure():
    JaxHome.lists.clear()
    net, p = models()["mlp"]
    X = points().astype(jnp.float32)
    results = []
    for k in range(3):
        scaled = jax.tree.map(lambda w, k=k: w * (1.0 + k), p)
        u = wengert.jax.field(lambda X, scaled=scaled: net(scaled, X), "x t")
        results.append((u.t - u.xx)(X))
    assert len(JaxHome.lists) == 1
    assert not np.allclose(results[0], results[1])
    u = wengert.jax.field(lambda X: 2.0 * net(p, X), "x t")
    np.testing.assert_allclose((u.t - u.xx)(X), 2.0 * results[0], rtol=1e-5, atol=1e-5)


def test_what_does_not_depend_on_the_coordinates_is_whatever_jax_does():
    key = jax.random.key(0)
    mask = jax.random.bernoulli(key, 0.5, (8,))

    def f(x):
        kept = jax.random.bernoulli(key, 0.5, (8,))  # drawn by JAX: no primitive of it is read
        w = jnp.linalg.qr(jnp.arange(64.0).reshape(8, 8) + jnp.eye(8))[0][0]
        return jnp.sin(x @ w[None, :] * 2.0) * kept

    u = wengert.jax.field(f, "x")
    w = jnp.linalg.qr(jnp.arange(64.0).reshape(8, 8) + jnp.eye(8))[0][0]
    x = jnp.array([[0.3], [0.4]])
    np.testing.assert_allclose(u.x(x), jnp.cos(x * w * 2.0) * 2.0 * w * mask, rtol=1e-5, atol=1e-6)


def test_a_function_of_one_point_is_mapped():
    def f(x):
        return jnp.dot(x, x) * jnp.array([1.0, x[0]])

    u = wengert.jax.field(f, "x y")
    X = points(4).astype(jnp.float32)
    np.testing.assert_allclose(u(X), jax.vmap(f)(X), rtol=1e-6)
    np.testing.assert_allclose(u.xx(X), jax.vmap(jax.jacfwd(jax.jacfwd(f)))(X)[..., 0, 0], rtol=1e-5)
    v = wengert.jax.field(lambda x, y: jnp.where(x > 0.0, x * y, y), "x y", pointwise=True)
    np.testing.assert_allclose(v.y(X)[:, 0], jnp.where(X[:, 0] > 0.0, X[:, 0], 1.0))


def test_an_unknown_primitive_is_named_with_its_line():
    u = wengert.jax.field(lambda x: jax.lax.population_count(x.astype(jnp.int32)).astype(x.dtype) * x, "x")
    with pytest.raises(UnimplementedError, match="population_count") as told:
        u.x(jnp.array([1.0, 2.0]))
    assert "test_jax_field.py" in str(told.value)


def test_a_rule_can_be_registered(monkeypatch):
    from wengert.surface.frameworks.rules import RULES

    monkeypatch.setattr("wengert.surface.frameworks.jax.RULES", RULES)
    cube = jax.extend.core.Primitive("test_cube")
    cube.def_abstract_eval(lambda x: x)
    cube.def_impl(lambda x: x**3)
    try:
        assert wengert.jax.register(cube)(lambda x, **params: x * x * x)
        u = wengert.jax.field(lambda x: cube.bind(x), "x")
        np.testing.assert_allclose(u.xx(jnp.array([2.0])), [[12.0]])
    finally:
        RULES.pop("test_cube", None)
    with pytest.raises(TypeError):
        wengert.jax.register(3, lambda x: x)


def test_wrong_calls_say_so():
    u = wengert.jax.field(lambda x, t: x * t, "x t")
    with pytest.raises(DTypeError):
        u(jnp.array([1, 2]), jnp.array([1, 2]))
    with pytest.raises(ShapeError):
        u(jnp.ones((3, 3)))
    with pytest.raises(ShapeError):
        u(jnp.ones(3), jnp.ones(4))
    with pytest.raises(TypeError):
        u(jnp.ones(3), jnp.ones(3), jnp.ones(3))
    with pytest.raises(TypeError):
        wengert.jax.field(3, "x")
    with pytest.raises(ValueError, match="method"):
        wengert.jax.field(lambda x: x, "map")
    with pytest.raises(ShapeError):
        wengert.jax.field(lambda x, t: jnp.ones((2, 3, 4)) * x.sum(), "x t")(jnp.ones(5), jnp.ones(5))
    with pytest.raises(TypeError):
        wengert.jax.field(lambda x: (x, x), "x")(jnp.ones(3))


def test_flax_and_equinox():
    nn = pytest.importorskip("flax.linen", reason="a model of Flax's needs flax")
    eqx = pytest.importorskip("equinox", reason="a model of Equinox's needs equinox")

    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            for _ in range(2):
                x = nn.tanh(nn.Dense(8)(x))
            x = nn.LayerNorm()(x)
            x = nn.MultiHeadDotProductAttention(2)(x[:, None, :])[:, 0]
            return nn.Dense(1)(x)

    X = points().astype(jnp.float32)
    model = Model()
    params = model.init(jax.random.key(0), X)
    u = wengert.jax.field(lambda X: model.apply(params, X), "x t")
    f = lambda x, t: model.apply(params, jnp.stack([x, t])[None])[0, 0]  # noqa: E731
    np.testing.assert_allclose(u.xx(X)[:, 0], jax.vmap(nested(f, "xx"))(X[:, 0], X[:, 1]), rtol=1e-3, atol=1e-4)
    net = eqx.nn.MLP(2, 1, 8, 2, activation=jax.nn.gelu, key=jax.random.key(1))
    v = wengert.jax.field(net, "x t")
    g = lambda x, t: net(jnp.stack([x, t]))[0]  # noqa: E731
    np.testing.assert_allclose(v.xxt(X)[:, 0], jax.vmap(nested(g, "xxt"))(X[:, 0], X[:, 1]), rtol=1e-3, atol=1e-4)


def test_a_model_of_keras_3(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="a model of Keras 3's needs keras")
    if keras.backend.backend() != "jax":
        pytest.skip("Keras was imported with another backend")
    points_in = keras.Input((2,))
    h = keras.layers.Reshape((4, 3))(keras.layers.Dense(12, "gelu")(points_in))
    h = keras.layers.LayerNormalization()(keras.layers.MultiHeadAttention(2, 3)(h, h) + h)
    h = keras.layers.Flatten()(keras.layers.Conv1D(4, 2, activation="tanh")(h))
    h = keras.layers.Dropout(0.3)(keras.layers.BatchNormalization()(h))  # as when it is not trained
    model = keras.Model(points_in, keras.layers.Dense(1)(h))
    X = points().astype(jnp.float32)
    u = wengert.jax.field(model, "x t")
    f = nested(lambda x, t: model(jnp.stack([x, t])[None])[0, 0], "xxt")
    wanted = jax.jit(jax.vmap(f))(X[:, 0], X[:, 1])
    np.testing.assert_allclose(u.xxt(X)[:, 0], wanted, atol=2e-5 * float(jnp.abs(wanted).max()))
    own, others = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]

    def loss(own):
        u = wengert.jax.field(lambda X: model.stateless_call(own, others, X)[0], "x t")
        return jnp.mean((u.t + u * u.x)(X) ** 2)

    def plain(own):
        f = lambda x, t: model.stateless_call(own, others, jnp.stack([x, t])[None])[0][0, 0]  # noqa: E731
        u, u_t, u_x = [jax.vmap(nested(f, w))(X[:, 0], X[:, 1]) for w in ("", "t", "x")]
        return jnp.mean((u_t + u * u_x) ** 2)

    for a, b in zip(jax.jit(jax.grad(loss))(own), jax.jit(jax.grad(plain))(own), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5 * max(1.0, float(jnp.abs(b).max())))
    before = u.x(X)
    model.trainable_variables[-2].assign(2.0 * own[-2])
    np.testing.assert_allclose(u.x(X), 2.0 * before, rtol=1e-5)  # its variables are its own at each call
