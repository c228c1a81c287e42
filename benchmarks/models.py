"""Models of JAX's by `wengert.jax.field` and by JAX itself: whether derivatives agree, and how long order 4 takes.

    python benchmarks/models.py [--points 4096] [--rounds 15] [--models mlp,flax,equinox,transformer,siren]

Five models of (x, t), width 64: a tanh network; an MLP of Flax's; a residual network of Equinox's with Fourier features; a
transformer whose tokens are four for each point; a SIREN. Those of Flax and Equinox are left out, with a word, where these are
not installed.

Agreement: u_x to u_xxxx, u_xt, the Laplacian, the biharmonic operator, and the gradient of a residual's loss by all
parameters, against nested `jvp` in float64; of each the greatest difference over the greatest value. Time: u_t and
u_xxxx in value, and a step of a loss of them by all parameters, by a field under `jax.jit` and outside of it on this
library's machine code, and by JAX with nested `grad`, nested `jvp` and `jet`, each compiled, in turns in one run: the
median in milliseconds and how many times as long as the field under `jax.jit`; and the operations that XLA counts in
each program. Reading: processor time from a call to a list that is ready to run, without XLA's compiling.
"""

import argparse
import importlib.util
import statistics
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.jet import jet
from machine import describe

import wengert
from wengert.surface.frameworks.jax import walked

WIDTH = 64


# --- models: parameters, and a function of parameters and X of shape (n, 2) -------------------------------------------------


def dense(key, *sizes):
    """Return weights and biases of a dense network."""
    keys = jax.random.split(key, len(sizes) - 1)
    return [(jax.random.normal(k, (a, b)) / a**0.5, jnp.zeros(b)) for k, a, b in zip(keys, sizes[:-1], sizes[1:], strict=True)]


def forward(params, X, activation=jnp.tanh):
    """Return what a dense network gives."""
    for w, b in params[:-1]:
        X = activation(X @ w + b)
    return X @ params[-1][0] + params[-1][1]


def mlp(layers=4):
    """Return a tanh network."""
    return dense(jax.random.key(0), 2, *[WIDTH] * layers, 1), forward


def siren():
    """Return a network of sines, the first with frequency 5."""
    return dense(jax.random.key(3), 2, *[WIDTH] * 4, 1), lambda params, X: forward(params, 5.0 * X, jnp.sin)


def flax():
    """Return an MLP of Flax's."""
    from flax import linen as nn

    class Model(nn.Module):
        @nn.compact
        def __call__(self, X):
            for _ in range(4):
                X = nn.tanh(nn.Dense(WIDTH)(X))
            return nn.Dense(1)(X)

    model = Model()
    return model.init(jax.random.key(1), jnp.ones((1, 2))), model.apply


def equinox():
    """Return a residual network of Equinox's with Fourier features."""
    import equinox as eqx

    class Model(eqx.Module):
        frequencies: jax.Array
        blocks: list
        last: eqx.nn.Linear

        def __init__(self, key):
            keys = jax.random.split(key, 5)
            self.frequencies = jax.random.normal(keys[0], (2, WIDTH // 2))
            self.blocks = [eqx.nn.Linear(WIDTH, WIDTH, key=k) for k in keys[1:4]]
            self.last = eqx.nn.Linear(WIDTH, 1, key=keys[4])

        def __call__(self, x):
            angles = x @ self.frequencies
            h = jnp.concatenate([jnp.sin(angles), jnp.cos(angles)])
            for block in self.blocks:
                h = h + jax.nn.silu(block(h))
            return self.last(h)

    params, rest = eqx.partition(Model(jax.random.key(2)), eqx.is_inexact_array)
    return params, lambda params, X: jax.vmap(eqx.combine(params, rest))(X)


def transformer():
    """Return a transformer: four tokens a point, two blocks of two heads with layer normalisation."""
    keys = jax.random.split(jax.random.key(4), 14)
    wide, heads = WIDTH // 2, 2
    matrix = lambda k, a, b: jax.random.normal(k, (a, b)) / a**0.5  # noqa: E731
    params = {
        "in": matrix(keys[0], 2, 4 * wide), "place": 0.1 * jax.random.normal(keys[1], (4, wide)), "out": matrix(keys[2], wide, 1),
        "blocks": [{name: matrix(keys[3 + 5 * b + k], wide, wide) for k, name in enumerate(["q", "k", "v", "o", "up"])}
                   for b in range(2)],
    }  # fmt: skip

    def normal(h):
        return (h - h.mean(-1, keepdims=True)) / jnp.sqrt(h.var(-1, keepdims=True) + 1e-6)

    def apply(params, X):
        h = (X @ params["in"]).reshape(-1, 4, wide) + params["place"]
        for p in params["blocks"]:
            g = normal(h)
            q, k, v = [(g @ p[name]).reshape(-1, 4, heads, wide // heads) for name in "qkv"]
            weights = jax.nn.softmax(jnp.einsum("nihc,njhc->nhij", q, k) / (wide // heads) ** 0.5, -1)
            h = h + jnp.einsum("nhij,njhc->nihc", weights, v).reshape(-1, 4, wide) @ p["o"]
            h = h + jax.nn.gelu(normal(h) @ p["up"])
        return normal(h).mean(1) @ params["out"]

    return params, apply


MODELS = {"mlp": mlp, "flax": flax, "equinox": equinox, "transformer": transformer, "siren": siren}
NEEDED = {"flax": "flax", "equinox": "equinox"}


# --- derivatives of a model, in several ways ------------------------------------------------------------------------------


def by_field(net, params, x, t):
    """Return u_t and u_xxxx by a field."""
    u = wengert.jax.field(lambda X: net(params, X), "x t")
    return wengert.jax.evaluate([u.t, u.xxxx], x, t)


def by_grad(net, params, x, t):
    """Return them by nested reverse mode."""

    def f(x, t):
        return net(params, jnp.stack([x, t])[None])[0, 0]

    d = f
    for _ in range(4):
        d = jax.grad(d)
    return [jax.vmap(g)(x, t)[:, None] for g in (jax.grad(f, 1), d)]


def along(g, place):
    """Return the derivative by x (0) or t (1), by forward mode."""
    return lambda x, t: jax.jvp(g, (x, t), tuple(jnp.full_like(x, float(k == place)) for k in range(2)))[1]


def nested(net, params, word):
    """Return a partial derivative by nested forward mode, a function of columns."""
    f = lambda x, t: net(params, jnp.stack([x, t], 1))  # noqa: E731
    for name in word:
        f = along(f, "xt".index(name))
    return f


def by_jvp(net, params, x, t):
    """Return them by nested forward mode."""
    return [nested(net, params, "t")(x, t), nested(net, params, "xxxx")(x, t)]


def by_jet(net, params, x, t):
    """Return them by JAX's Taylor mode."""

    def f(x, t):
        return net(params, jnp.stack([x, t], 1))

    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    _, (*_, fourth) = jet(f, (x, t), ((one, zero, zero, zero), (zero, zero, zero, zero)))
    return [jax.jvp(f, (x, t), (zero, one))[1], fourth]


WAYS = {"field": by_field, "nested grad": by_grad, "nested jvp": by_jvp, "jet": by_jet}


# --- agreement ------------------------------------------------------------------------------------------------------------


WORDS = ["x", "xx", "xxx", "xxxx", "xt"]


def all_by_field(net, params, x, t):
    """Return the derivatives that are compared, by a field, and the gradient of a residual's loss."""
    u = wengert.jax.field(lambda X: net(params, X), "x t")
    return wengert.jax.evaluate([*[getattr(u, w) for w in WORDS], u.laplacian(), u.biharmonic()], x, t)


def all_by_jvp(net, params, x, t):
    """Return them by nested forward mode."""
    d = {w: nested(net, params, w)(x, t) for w in [*WORDS, "tt", "xxtt", "tttt"]}
    return [*[d[w] for w in WORDS], d["xx"] + d["tt"], d["xxxx"] + 2.0 * d["xxtt"] + d["tttt"]]


def field_loss(net, params, x, t):
    """Return the loss of Burgers' equation by a field."""
    u = wengert.jax.field(lambda X: net(params, X), "x t")
    return jnp.mean((u.t + u * u.x - 0.01 * u.xx)(x, t) ** 2)


def jvp_loss(net, params, x, t):
    """Return it by nested forward mode."""
    u, u_t, u_x, u_xx = [nested(net, params, w)(x, t) for w in ("", "t", "x", "xx")]
    return jnp.mean((u_t + u * u_x - 0.01 * u_xx) ** 2)


def apart(found, wanted):
    """Return the greatest difference over the greatest value, of the worst of some arrays."""
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True)
    arrays = [(np.asarray(a, np.float64), np.asarray(b, np.float64)) for a, b in pairs]
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300)) for a, b in arrays)


def whole(found):
    """Return a gradient as one array: some of its parts are zero but for rounding, such as those by biases of softmax's keys."""
    return np.concatenate([np.asarray(a, np.float64).ravel() for a in jax.tree.leaves(found)])


def agree(name, params, net, points=64):
    """Print how far the derivatives of a model are from those of JAX in float64."""
    x, t = np.random.default_rng(1).uniform(-1.0, 1.0, (2, points))
    for dtype in ("float64", "float32"):
        with jax.enable_x64(True):
            wide = jax.tree.map(lambda p: jnp.asarray(p, "float64"), params)
            wanted = jax.jit(partial(all_by_jvp, net))(wide, jnp.asarray(x), jnp.asarray(t))
            gradient = whole(jax.jit(jax.grad(partial(jvp_loss, net)))(wide, jnp.asarray(x), jnp.asarray(t)))
            own = jax.tree.map(lambda p: jnp.asarray(p, dtype), params)  # noqa: B023
            given = own, jnp.asarray(x, dtype), jnp.asarray(t, dtype)
            line = []
            for derivatives, loss in ((all_by_field, field_loss), (all_by_jvp, jvp_loss)):
                worst = [apart(a, b) for a, b in zip(jax.jit(partial(derivatives, net))(*given), wanted, strict=True)]
                line.append((max(worst), apart(whole(jax.jit(jax.grad(partial(loss, net)))(*given)), gradient), worst))
        (mine, of_mine, worst), (jaxs, of_jaxs, _) = line
        each = " ".join(f"{w}:{v:.0e}" for w, v in zip([*WORDS, "laplacian", "biharmonic"], worst, strict=True))
        own_too = f"field {mine:.1e}, its gradient {of_mine:.1e}; nested jvp in {dtype} {jaxs:.1e}, {of_jaxs:.1e}"
        print(f"{name}: {dtype}: {own_too}; {each}", flush=True)


# --- time -----------------------------------------------------------------------------------------------------------------


def loss_of(derivatives):
    """Return the loss of a residual."""

    def loss(net, params, x, t):
        u_t, u_xxxx = derivatives(net, params, x, t)
        return jnp.mean((u_t + u_xxxx) ** 2)

    return loss


def took(f, params, x, t):
    """Return how many milliseconds a call takes."""
    begin = time.perf_counter()
    jax.block_until_ready(f(params, x, t))
    return 1e3 * (time.perf_counter() - begin)


def measure(name, params, net, x, t, rounds):
    """Print how long each way takes, in turns."""
    value = {way: jax.jit(partial(f, net)) for way, f in WAYS.items()} | {"field, outside of jit": partial(by_field, net)}
    step = {way: jax.jit(jax.value_and_grad(partial(loss_of(f), net))) for way, f in WAYS.items()}
    for what, functions in (("value", value), ("step", step)):
        for way, f in list(functions.items()):
            begin, work = time.perf_counter(), ""
            try:
                if hasattr(f, "lower"):
                    f = functions[way] = f.lower(params, x, t).compile()
                    work = f", {f.cost_analysis()['flops'] / 1e6:.0f} MFLOP"
                jax.block_until_ready(f(params, x, t))
            except NotImplementedError as error:
                print(f"{name}: {what}: {way} is not there: {str(error)[:70]}")
                del functions[way]
                continue
            print(f"{name}: {what}: {way}: first call {time.perf_counter() - begin:.2f} s{work}", flush=True)
            for _ in range(4):
                took(f, params, x, t)
        times = {way: [] for way in functions}
        for _ in range(rounds):
            for way, f in functions.items():
                times[way].append(took(f, params, x, t))
        median = {way: statistics.median(found) for way, found in times.items()}
        for way, found in median.items():
            print(f"{name}: {what}: {way:22} {found:8.2f} ms  {found / median['field']:5.2f}", flush=True)


def reading():
    """Print how long it takes to read a network of ten layers, when JAX and this library have read a small one."""
    x, t = jnp.linspace(-1.0, 1.0, 1000), jnp.linspace(0.0, 1.0, 1000)
    found = []
    for layers in (2, 9, 9, 9):
        params, net = mlp(layers)
        u = wengert.jax.field(lambda X: net(params, X), "x t")  # noqa: B023
        residual, home = u.t + u * u.x - u.xx, u._home
        begin = time.process_time()
        columns = home.columns((x, t), {})
        listed = home._listed([residual], [home.spec(c) for c in columns], [u], [u.read(columns)])
        walked(listed.graph, listed.outputs)
        found.append(1e3 * (time.process_time() - begin))
    print(f"reading ten layers, processor time: the first {found[1]:.0f} ms, then {min(found[2:]):.0f} ms", flush=True)


def main():
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--models", default=",".join(MODELS))
    asked = parser.parse_args()
    print(f"{describe()}, JAX {jax.__version__}, {asked.points} points")
    reading()
    x, t = (jnp.asarray(v, "float32") for v in np.random.default_rng(0).uniform(-1.0, 1.0, (2, asked.points)))
    for name in asked.models.split(","):
        if name in NEEDED and importlib.util.find_spec(NEEDED[name]) is None:
            print(f"{name}: left out, {NEEDED[name]} is not installed")
            continue
        params, net = MODELS[name]()
        agree(name, params, net)
        measure(name, params, net, x, t, asked.rounds)


if __name__ == "__main__":
    main()
