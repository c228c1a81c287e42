"""Derivatives to order 3 along a direction, and their gradients by inputs and weights, against JAX's of formulas of its own."""

import functools

import numpy as np
import pytest

import wengert as tf

jax = pytest.importorskip("jax")
jnp = jax.numpy

HASTY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True, "xla_cpu_use_fusion_emitters": False}
"""What XLA is told where its code runs once."""
L = tf.keras.layers
rng = np.random.default_rng(5)
ROW, IMAGE = rng.normal(size=(2, 4, 3)), rng.normal(size=(1, 4, 4, 2))
VOLUME = rng.normal(size=(1, 3, 3, 3, 1))
MASK = np.array([[True, False, True, True], [True, True, True, False]])
AXES = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


def conv(x, w, b=0.0, strides=1, padding="VALID", dilation=1, groups=1):
    n = w.ndim - 2
    return jax.lax.conv_general_dilated(
        x, w, [strides] * n, padding, rhs_dilation=[dilation] * n, dimension_numbers=AXES[n], feature_group_count=groups,
        precision="highest",
    ) + b  # fmt: skip


def transpose(x, w, b, strides, padding, shape):
    """The adjoint of a convolution, which JAX finds."""
    back = jax.linear_transpose(lambda y: conv(y, w, strides=strides, padding=padding), jax.ShapeDtypeStruct(shape, x.dtype))
    return back(x)[0] + b


def depthwise(x, w, b):
    return conv(x, w.reshape(*w.shape[:-2], 1, -1), b, groups=x.shape[-1])


def pooled(how):
    def pool(x):
        parts = [x[:, i : i + 3, j : j + 3] for i in range(2) for j in range(2)]
        return how(jnp.stack(parts), 0)

    return lambda x: pool(x)


def split(a, n):
    return jnp.split(a, n, -1)


def scanned(step, states, x, mask):
    rows, kept = [], [jnp.zeros_like(states[0]), *states]
    for t in range(x.shape[1]):
        new = step(x[:, t], kept[1:])
        kept = [jnp.where(mask[:, t, None], a, b) for a, b in zip([new[0], *new], kept, strict=True)]
        rows.append(kept[0])
    return jnp.stack(rows, 1)


def simple(x, w, u, b, mask=None):
    mask = jnp.ones(x.shape[:2], bool) if mask is None else mask
    return scanned(lambda t, s: [jnp.tanh(t @ w + b + s[0] @ u)], [jnp.zeros((x.shape[0], u.shape[0]))], x, mask)


def gru(x, w, u, b, mask=None):
    mask = jnp.ones(x.shape[:2], bool) if mask is None else mask

    def step(t, s):
        (az, ar, ah), (bz, br, bh) = split(t @ w + b[0], 3), split(s[0] @ u + b[1], 3)
        z, r = jax.nn.sigmoid(az + bz), jax.nn.sigmoid(ar + br)
        return [z * s[0] + (1 - z) * jnp.tanh(ah + r * bh)]

    return scanned(step, [jnp.zeros((x.shape[0], u.shape[0]))], x, mask)


def lstm(x, w, u, b, mask=None):
    mask = jnp.ones(x.shape[:2], bool) if mask is None else mask

    def step(t, s):
        i, f, c, o = split(t @ w + s[0] @ u + b, 4)
        c = jax.nn.sigmoid(f) * s[1] + jax.nn.sigmoid(i) * jnp.tanh(c)
        return [jax.nn.sigmoid(o) * jnp.tanh(c), c]

    return scanned(step, [jnp.zeros((x.shape[0], u.shape[0]))] * 2, x, mask)


def both_ways(x, *weights):
    back = lstm(x[:, ::-1], *weights[3:])[:, ::-1]
    return jnp.concatenate([lstm(x, *weights[:3]), back], -1)


def attended(x, scale):
    scores = scale * x @ jnp.swapaxes(x, 1, 2)
    scores = jnp.where(jnp.tril(jnp.ones((4, 4), bool)), scores, -jnp.inf)
    return jax.nn.softmax(scores) @ x


def heads(x, wq, bq, wk, bk, wv, bv, wo, bo):
    q, k, v = (jnp.einsum("btc,chd->bthd", x, w) + b for w, b in ((wq, bq), (wk, bk), (wv, bv)))
    scores = jnp.einsum("bthd,bshd->bhts", q, k) / np.sqrt(q.shape[-1])
    return jnp.einsum("bhts,bshd,hdo->bto", jax.nn.softmax(scores), v, wo) + bo


def near_heads(x, wq, bq, wk, bk, wg, bg, wv, bv, wo, bo):
    """With a gate, each place sees itself and its neighbours."""
    q, k, v = (jnp.einsum("btc,chd->bthd", x, w) + b for w, b in ((wq, bq), (wk, bk), (wv, bv)))
    gate = jax.nn.sigmoid(jnp.einsum("btc,chd->bthd", x, wg) + bg)
    k, v = (jnp.repeat(one, q.shape[2] // one.shape[2], 2) for one in (k, v))
    scores = jnp.einsum("bthd,bshd->bhts", q, k) / np.sqrt(q.shape[-1])
    apart = np.abs(np.subtract.outer(np.arange(x.shape[1]), np.arange(x.shape[1])))
    weights = jax.nn.softmax(jnp.where(apart < 2, scores, -jnp.inf))
    return jnp.einsum("bthd,hdo->bto", jnp.einsum("bhts,bshd->bthd", weights, v) * gate, wo) + bo


def film(x, w, u, b):
    """(batch, time, steps, channels): an LSTM whose products are convolutions."""
    h = c = jnp.zeros((x.shape[0], x.shape[2] - w.shape[0] + 1, u.shape[1]))
    for t in range(x.shape[1]):
        i, f, a, o = split(conv(x[:, t], w, b) + conv(h, u, padding="SAME"), 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(a)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return h


def quarter(x):
    """Turned by a quarter."""
    return jnp.rot90(x, -1, (1, 2))


def grouped(x, gamma, beta):
    parts = x.reshape(*x.shape[:-1], 2, -1)
    mean = parts.mean((1, 2, 4), keepdims=True)
    variance = ((parts - mean) ** 2).mean((1, 2, 4), keepdims=True)
    return ((parts - mean) / jnp.sqrt(variance + 1e-3)).reshape(x.shape) * gamma + beta


def normal(x, gamma, beta):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / jnp.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + 1e-3) * gamma + beta


MASKED = {"mask": tf.constant(MASK)}
CASES = {
    "Conv1D": (lambda: L.Conv1D(2, 2, padding="causal", dilation_rate=2), ROW, {},
               lambda x, w, b: conv(x, w, b, padding=[(2, 0)], dilation=2)),
    "Conv1D groups": (lambda: L.Conv1D(4, 3, groups=2, padding="same"), IMAGE[0], {},
                      lambda x, w, b: conv(x, w, b, padding="SAME", groups=2)),
    "Conv2D": (lambda: L.Conv2D(3, 3, strides=2, padding="same"), IMAGE, {},
               lambda x, w, b: conv(x, w, b, strides=2, padding="SAME")),
    "Conv3D": (lambda: L.Conv3D(2, 2), VOLUME, {}, conv),
    "Conv1DTranspose": (lambda: L.Conv1DTranspose(2, 3, strides=2, padding="same"), ROW, {},
                        lambda x, w, b: transpose(x, w, b, 2, "SAME", (2, 8, 2))),
    "Conv2DTranspose": (lambda: L.Conv2DTranspose(2, 3, strides=2), IMAGE, {},
                        lambda x, w, b: transpose(x, w, b, 2, "VALID", (1, 9, 9, 2))),
    "Conv3DTranspose": (lambda: L.Conv3DTranspose(1, 2), VOLUME, {},
                        lambda x, w, b: transpose(x, w, b, 1, "VALID", (1, 4, 4, 4, 1))),
    "DepthwiseConv2D": (lambda: L.DepthwiseConv2D(2, depth_multiplier=2), IMAGE, {}, depthwise),
    "SeparableConv1D": (lambda: L.SeparableConv1D(2, 2), ROW, {},
                        lambda x, d, p, b: conv(depthwise(x, d, 0.0), p, b)),
    "MaxPooling2D": (lambda: L.MaxPooling2D(2, 1), IMAGE, {}, pooled(jnp.max)),
    "AveragePooling2D": (lambda: L.AveragePooling2D(2, 1), IMAGE, {}, pooled(jnp.mean)),
    "SimpleRNN": (lambda: L.SimpleRNN(2, return_sequences=True), ROW, {}, simple),
    "GRU": (lambda: L.GRU(2, return_sequences=True), ROW, {}, gru),
    "LSTM": (lambda: L.LSTM(2, return_sequences=True), ROW, {}, lstm),
    "LSTM unrolled": (lambda: L.LSTM(2, return_sequences=True, unroll=True), ROW, {}, lstm),
    "LSTM mask": (lambda: L.LSTM(2, return_sequences=True), ROW, MASKED, lambda *a: lstm(*a, mask=MASK)),
    "GRU mask": (lambda: L.GRU(2, return_sequences=True), ROW, MASKED, lambda *a: gru(*a, mask=MASK)),
    "Bidirectional": (lambda: L.Bidirectional(L.LSTM(2, return_sequences=True)), ROW, {}, both_ways),
    "Attention": (lambda: L.Attention(use_scale=True), ROW, {"use_causal_mask": True}, attended),
    "MultiHeadAttention": (lambda: L.MultiHeadAttention(2, 2), ROW, {}, heads),
    "MultiHeadAttention near": (lambda: L.MultiHeadAttention(2, 2, use_gate=True, sliding_window=2), ROW, {}, near_heads),
    "GroupQueryAttention": (lambda: L.GroupQueryAttention(2, 4, 2, use_gate=True, sliding_window=2), ROW, {}, near_heads),
    "ConvLSTM1D": (lambda: L.ConvLSTM1D(2, 2), IMAGE, {}, film),
    "AdaptiveAveragePooling1D": (lambda: L.AdaptiveAveragePooling1D(3), ROW, {},
                                 lambda x: jnp.stack([x[:, i : i + 2].mean(1) for i in range(3)], 1)),
    "Resizing": (lambda: L.Resizing(8, 3), IMAGE, {}, lambda x: jax.image.resize(x, (1, 8, 3, 2), "linear", antialias=False)),
    "RandomRotation": (lambda: L.RandomRotation((-0.25, -0.25)), IMAGE, {}, quarter),
    "GroupNormalization": (lambda: L.GroupNormalization(2), np.concatenate([IMAGE, IMAGE**2], -1), {}, grouped),
    "LayerNormalization": (lambda: L.LayerNormalization(), ROW, {}, normal),
}  # fmt: skip


def ours(case):
    """Return a layer of random weights, and it as a function of one tensor."""
    make, x, keywords, _ = CASES[case]
    tf.keras.backend.set_floatx("float64")
    layer = make()

    def call(t):
        if isinstance(layer, L.Attention):
            return layer([t, t], **keywords)
        return layer(t, t, **keywords) if isinstance(layer, L.MultiHeadAttention) else layer(t, **keywords)

    call(tf.constant(x))
    draws = np.random.default_rng(1)
    layer.set_weights([0.5 * draws.normal(size=w.shape) for w in layer.weights])
    return layer, call


def way_of(x):
    return np.sin(2.0 + np.arange(x.size)).reshape(x.shape)


def factors(y):
    return np.cos(1.0 + np.arange(y.size)).reshape(y.shape)


@functools.cache
def theirs(case):
    """The derivatives of orders 0 to 3 by JAX, and the gradients of the third by x and by the weights."""
    _, x, _, formula = CASES[case]
    layer, _ = ours(case)

    def along(x, weights):
        def at(s):
            y = formula(jnp.tanh(x + s * way_of(x)), *weights)
            return jnp.sum(y * factors(y))

        found = [at]
        for _ in range(3):
            found.append(lambda s, f=found[-1]: jax.jvp(f, (s,), (jnp.ones(()),))[1])
        return [f(0.0) for f in found]

    def third(x, weights):
        values = along(x, weights)
        return values[3], values

    with jax.enable_x64(True):
        weights = [jnp.asarray(w) for w in layer.get_weights()]
        whole = jax.jit(jax.grad(third, argnums=(0, 1), has_aux=True)).lower(jnp.asarray(x), weights)
        gradients, values = whole.compile(HASTY)(jnp.asarray(x), weights)
        return [np.asarray(v) for v in values], [np.asarray(g) for g in (gradients[0], *gradients[1])]


def directional(call, x, way, weights):
    """The same by nested tapes."""
    with tf.GradientTape() as outside:
        outside.watch([x])
        s = tf.zeros([], tf.float64)
        with tf.GradientTape() as third:
            third.watch(s)
            with tf.GradientTape() as second:
                second.watch(s)
                with tf.GradientTape() as first:
                    first.watch(s)
                    y = call(tf.tanh(x + s * way))
                    value = tf.reduce_sum(y * factors(np.zeros(y.shape)))
                d1 = first.gradient(value, s)
            d2 = second.gradient(d1, s)
        d3 = third.gradient(d2, s)
    return [value, d1, d2, d3], outside.gradient(d3, [x, *weights])


@pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")
@pytest.mark.parametrize("road", ["eager", "numpy", "native", "xla"])
@pytest.mark.parametrize("case", CASES)
def test_derivatives(case, road):
    if road in ("native", "xla") and case not in ("Conv2D", "Conv1DTranspose", "LSTM", "GRU mask", "MultiHeadAttention"):
        pytest.skip("the operations are those of the other cases")
    layer, call = ours(case)
    x = CASES[case][1]
    way = way_of(x)
    values, gradients = theirs(case)
    if road == "eager":
        found = directional(call, tf.constant(x), way, layer.weights)
    else:
        tf.config.set_executor(road)
        try:
            found = tf.function(lambda t: directional(call, t, way, layer.weights))(tf.constant(x))
        finally:
            tf.config.set_executor("native")
    np.testing.assert_allclose(np.array(found[0]), values, rtol=1e-9, atol=1e-9)
    for ours_, theirs_ in zip(found[1], gradients, strict=True):
        ours_ = np.zeros(theirs_.shape) if ours_ is None else ours_.numpy()
        np.testing.assert_allclose(ours_, theirs_, rtol=1e-8, atol=1e-8)
