"""Functions for networks against NumPy and SciPy: values eagerly and in graphs, derivatives, refusals."""

import itertools
import math

import numpy as np
import pytest
import scipy.special as sp
import scipy.stats

import wengert as tf
from wengert import errors
from wengert.execute.numpy import NumPyProgram
from wengert.functions import nn as N
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import Graph, apply, convert

rng = np.random.default_rng(5)
x2, z2 = rng.normal(size=(3, 4)), rng.uniform(0.1, 0.9, size=(3, 4))
b4 = rng.normal(size=4)
signal, image, volume = rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 5, 6, 2)), rng.normal(size=(1, 3, 4, 3, 2))
k1, k2, k3 = rng.normal(size=(3, 3, 2)), rng.normal(size=(3, 2, 2, 3)), rng.normal(size=(2, 2, 2, 2, 1))
depth = rng.normal(size=(3, 2, 2, 2))


def pads(sizes, extents, strides, padding):
    if not isinstance(padding, str):
        return padding
    if padding == "VALID":
        return [(0, 0)] * len(sizes)
    total = [max((math.ceil(s / t) - 1) * t + e - s, 0) for s, e, t in zip(sizes, extents, strides, strict=True)]
    return [(t // 2, t - t // 2) for t in total]


def windows(x, kernel, strides, padding, dilations, value=0.0):
    """For each output place (batch aside) the patch of x that its window covers: as the definition says, one at a time."""
    n = len(kernel)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    x = np.pad(x, [(0, 0), *pads(x.shape[1:-1], extents, strides, padding), (0, 0)], constant_values=value)
    counts = [(s - e) // t + 1 for s, e, t in zip(x.shape[1:-1], extents, strides, strict=True)]
    for place in itertools.product(*map(range, counts)):
        index = tuple(slice(p * t, p * t + e, d) for p, t, e, d in zip(place, strides, extents, dilations, strict=True))
        yield place, counts, x[(slice(None), *index)], n


def conv(x, w, strides, padding, dilations=None):
    n = w.ndim - 2
    result = None
    for place, counts, patch, _ in windows(x, w.shape[:-2], strides, padding, dilations or [1] * n):
        result = np.zeros((len(x), *counts, w.shape[-1])) if result is None else result
        result[(slice(None), *place)] = np.tensordot(patch, w, n + 1)
    return result


def depthwise(x, w, strides, padding):
    result = None
    for place, counts, patch, _ in windows(x, w.shape[:2], strides, padding, [1, 1]):
        result = np.zeros((len(x), *counts, w.shape[2] * w.shape[3])) if result is None else result
        result[(slice(None), *place)] = np.einsum("nhwc,hwcm->ncm", patch, w).reshape(len(x), -1)
    return result


def pool(x, kernel, strides, padding, how):
    result = None
    for place, counts, patch, n in windows(x, kernel, strides, padding, [1] * len(kernel), np.nan):
        result = np.zeros((len(x), *counts, x.shape[-1])) if result is None else result
        result[(slice(None), *place)] = how(patch, axis=tuple(range(1, n + 1)))
    return result


def transposed(g, w, shape, strides, padding):
    """The adjoint of `conv`, column by column."""
    result = np.zeros(math.prod(shape))
    for i in range(result.size):
        unit = np.zeros(result.size)
        unit[i] = 1.0
        result[i] = np.vdot(conv(unit.reshape(shape), w, strides, padding), g)
    return result.reshape(shape)


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def first(x):
    return np.moveaxis(x, -1, 1)


def last(x):
    return np.moveaxis(x, 1, -1)


def norm(x, m, v, o, s):
    return s * (x - m) / np.sqrt(v + 1e-3) + o


g2 = rng.normal(size=(1, 3, 2, 3))
# (label, function, oracle, inputs that vary)
picture = rng.normal(size=(2, 5, 6, 2))


def np_lrn(x, radius, bias, alpha, beta):
    near = [(x[..., max(c - radius, 0) : c + radius + 1] ** 2).sum(-1) for c in range(x.shape[-1])]
    return x / (bias + alpha * np.stack(near, -1)) ** beta


def np_patches(x, sizes, strides, rates, pads):
    """The windows one by one, over images padded with zeros."""
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    reach = [(k - 1) * r + 1 for k, r in zip(sizes, rates, strict=True)]
    starts = [range(0, x.shape[i + 1] - reach[i] + 1, strides[i]) for i in range(2)]
    rows = [[x[:, i : i + reach[0] : rates[0], j : j + reach[1] : rates[1]] for j in starts[1]] for i in starts[0]]
    return np.stack([np.stack([w.reshape(len(x), -1) for w in row], 1) for row in rows], 1)


TABLE = [
    (
        "patches valid",
        lambda x: N.extract_patches(x, [1, 2, 3, 1], [1, 1, 2, 1], [1, 2, 1, 1], "VALID"),
        lambda x: np_patches(x, (2, 3), (1, 2), (2, 1), [(0, 0), (0, 0)]),
        [picture],
    ),
    (
        "patches same",
        lambda x: N.extract_patches(x, [1, 3, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], "SAME"),
        lambda x: np_patches(x, (3, 2), (2, 1), (1, 2), [(1, 1), (1, 1)]),
        [picture],
    ),
    ("relu", N.relu, lambda x: np.maximum(x, 0), [x2]),
    ("relu6", lambda x: N.relu6(8 * x), lambda x: np.clip(8 * x, 0, 6), [x2]),
    ("leaky_relu", lambda x: N.leaky_relu(x, 0.3), lambda x: np.where(x > 0, x, 0.3 * x), [x2]),
    ("elu", N.elu, lambda x: np.where(x > 0, x, np.expm1(x)), [x2]),
    ("selu", N.selu, lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)), [x2]),
    ("crelu", N.crelu, lambda x: np.maximum(np.concatenate([x, -x], -1), 0), [x2]),
    ("gelu", N.gelu, lambda x: x * scipy.stats.norm.cdf(x), [x2]),
    ("gelu approximate", lambda x: N.gelu(x, True), gelu_tanh, [x2]),
    ("silu", N.silu, lambda x: x * sp.expit(x), [x2]),
    ("swish beta", lambda x: N.swish(x, beta=2.0), lambda x: x * sp.expit(2 * x), [x2]),
    ("l2_loss", N.l2_loss, lambda x: (x * x).sum() / 2, [x2]),
    ("bias_add", N.bias_add, np.add, [x2, b4]),
    ("bias_add NCHW", lambda x, b: N.bias_add(x, b, "NCHW"), lambda x, b: x + b[:, None, None], [image, rng.normal(size=5)]),
    ("xw_plus_b", N.xw_plus_b, lambda x, w, b: x @ w + b, [x2, x2.T.copy(), b4[:3]]),
    ("relu_layer", N.relu_layer, lambda x, w, b: np.maximum(x @ w + b, 0), [x2, x2.T.copy(), b4[:3]]),
    ("moments", lambda x: N.moments(x, [0]), lambda x: [x.mean(0), x.var(0)], [x2]),
    (
        "moments keep",
        lambda x: N.moments(x, [0, 2], keepdims=True),
        lambda x: [x.mean((0, 2), keepdims=True), x.var((0, 2), keepdims=True)],
        [image],
    ),
    (
        "weighted_moments",
        lambda x, w: N.weighted_moments(x, [1], w),
        lambda x, w: [x @ w / w.sum(), x**2 @ w / w.sum() - (x @ w / w.sum()) ** 2],
        [x2, b4**2],
    ),
    (
        "weighted_moments all",
        lambda x: N.weighted_moments(x, None, 2.0, keepdims=True),
        lambda x: [x.mean(keepdims=True), x.var(keepdims=True)],
        [x2],
    ),
    ("batch_normalization", lambda *a: N.batch_normalization(*a, 1e-3), norm, [x2, b4, b4**2, b4 + 1, b4 - 1]),
    (
        "batch_normalization bare",
        lambda x, m, v: N.batch_normalization(x, m, v, None, None, 1e-3),
        lambda x, m, v: norm(x, m, v, 0, 1),
        [x2, b4, b4**2],
    ),
    ("embedding_lookup", lambda x: N.embedding_lookup(x, [[2, 0], [1, 1]]), lambda x: x[[[2, 0], [1, 1]]], [x2]),
    (
        "embedding max_norm",
        lambda x: N.embedding_lookup(x, [2, 0], max_norm=0.1),
        lambda x: (x * 0.1 / np.linalg.norm(x, axis=1, keepdims=True))[[2, 0]],
        [x2],
    ),
    (
        "sigmoid cross entropy",
        lambda z, x: N.sigmoid_cross_entropy_with_logits(labels=z, logits=x),
        lambda z, x: -z * sp.log_expit(x) - (1 - z) * sp.log_expit(-x),
        [z2, x2],
    ),
    (
        "weighted cross entropy",
        lambda z, x: N.weighted_cross_entropy_with_logits(z, x, 2.5),
        lambda z, x: -2.5 * z * sp.log_expit(x) - (1 - z) * sp.log_expit(-x),
        [z2, x2],
    ),
    ("softmax cross entropy", N.softmax_cross_entropy_with_logits, lambda z, x: -(z * sp.log_softmax(x, -1)).sum(-1), [z2, x2]),
    (
        "softmax cross entropy 0",
        lambda z, x: N.softmax_cross_entropy_with_logits(z, x, axis=0),
        lambda z, x: -(z * sp.log_softmax(x, 0)).sum(0),
        [z2, x2],
    ),
    (
        "sparse cross entropy",
        lambda x: N.sparse_softmax_cross_entropy_with_logits([1, 0, 3], x),
        lambda x: -sp.log_softmax(x, -1)[[0, 1, 2], [1, 0, 3]],
        [x2],
    ),
    (
        "sparse cross entropy one",
        lambda x: N.sparse_softmax_cross_entropy_with_logits(2, x),
        lambda x: -sp.log_softmax(x)[2],
        [b4],
    ),
    ("log_poisson", N.log_poisson_loss, lambda z, c: np.exp(c) - c * z, [z2, x2]),
    (
        "log_poisson full",
        lambda c: N.log_poisson_loss(1 + 3 * z2, c, True),
        lambda c: np.exp(c) - c * (1 + 3 * z2) + (lambda z: z * np.log(z) - z + 0.5 * np.log(2 * np.pi * z))(1 + 3 * z2),
        [x2],
    ),
    ("conv1d", lambda x, w: N.conv1d(x, w, 1, "VALID"), lambda x, w: conv(x, w, [1], "VALID"), [signal, k1]),
    ("conv1d same 2", lambda x, w: N.conv1d(x, w, 2, "SAME"), lambda x, w: conv(x, w, [2], "SAME"), [signal, k1]),
    (
        "conv1d NCW",
        lambda x, w: N.conv1d(x, w, 1, "SAME", data_format="NCW"),
        lambda x, w: first(conv(last(x), w, [1], "SAME")),
        [first(signal).copy(), k1],
    ),
    ("conv2d", lambda x, w: N.conv2d(x, w, 1, "VALID"), lambda x, w: conv(x, w, [1, 1], "VALID"), [image, k2]),
    ("conv2d same", lambda x, w: N.conv2d(x, w, [1, 1, 1, 1], "SAME"), lambda x, w: conv(x, w, [1, 1], "SAME"), [image, k2]),
    ("conv2d same 2", lambda x, w: N.conv2d(x, w, [2, 3], "SAME"), lambda x, w: conv(x, w, [2, 3], "SAME"), [image, k2]),
    ("conv2d valid 2", lambda x, w: N.conv2d(x, w, 2, "VALID"), lambda x, w: conv(x, w, [2, 2], "VALID"), [image, k2]),
    (
        "conv2d dilated",
        lambda x, w: N.conv2d(x, w, 1, "SAME", dilations=2),
        lambda x, w: conv(x, w, [1, 1], "SAME", [2, 2]),
        [image, k2],
    ),
    (
        "atrous_conv2d",
        lambda x, w: N.atrous_conv2d(x, w, 2, "VALID"),
        lambda x, w: conv(x, w, [1, 1], "VALID", [2, 2]),
        [image, k2],
    ),
    (
        "conv2d explicit",
        lambda x, w: N.conv2d(x, w, 1, [[0, 0], [1, 0], [2, 1], [0, 0]]),
        lambda x, w: conv(x, w, [1, 1], [(1, 0), (2, 1)]),
        [image, k2],
    ),
    (
        "conv2d NCHW",
        lambda x, w: N.conv2d(x, w, [1, 1, 2, 2], "SAME", "NCHW"),
        lambda x, w: first(conv(last(x), w, [2, 2], "SAME")),
        [first(image).copy(), k2],
    ),
    (
        "conv2d 1x1",
        lambda x, w: N.conv2d(x, w, 1, "SAME"),
        lambda x, w: conv(x, w, [1, 1], "SAME"),
        [image, rng.normal(size=(1, 1, 2, 3))],
    ),
    ("conv3d", lambda x, w: N.conv3d(x, w, [1, 1, 1, 1, 1], "VALID"), lambda x, w: conv(x, w, [1, 1, 1], "VALID"), [volume, k3]),
    ("conv3d same 2", lambda x, w: N.conv3d(x, w, 2, "SAME"), lambda x, w: conv(x, w, [2, 2, 2], "SAME"), [volume, k3]),
    ("convolution", lambda x, w: N.convolution(x, w, padding="SAME"), lambda x, w: conv(x, w, [1, 1], "SAME"), [image, k2]),
    (
        "depthwise",
        lambda x, w: N.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"),
        lambda x, w: depthwise(x, w, [1, 1], "SAME"),
        [image, depth],
    ),
    (
        "depthwise 2",
        lambda x, w: N.depthwise_conv2d(x, w, [1, 2, 2, 1], "VALID"),
        lambda x, w: depthwise(x, w, [2, 2], "VALID"),
        [image, depth],
    ),
    (
        "separable",
        lambda x, w, p: N.separable_conv2d(x, w, p, [1, 1, 1, 1], "SAME"),
        lambda x, w, p: depthwise(x, w, [1, 1], "SAME") @ p[0, 0],
        [image, depth, rng.normal(size=(1, 1, 4, 2))],
    ),
    ("avg_pool2d", lambda x: N.avg_pool2d(x, 2, 2, "VALID"), lambda x: pool(x, [2, 2], [2, 2], "VALID", np.mean), [image]),
    (
        "avg_pool2d same",
        lambda x: N.avg_pool2d(x, [3, 2], 2, "SAME"),
        lambda x: pool(x, [3, 2], [2, 2], "SAME", np.nanmean),
        [image],
    ),
    ("avg_pool", lambda x: N.avg_pool(x, 3, 1, "SAME"), lambda x: pool(x, [3], [1], "SAME", np.nanmean), [signal]),
    ("avg_pool1d", lambda x: N.avg_pool1d(x, 3, 2, "VALID"), lambda x: pool(x, [3], [2], "VALID", np.mean), [signal]),
    ("avg_pool3d", lambda x: N.avg_pool3d(x, 2, 1, "VALID"), lambda x: pool(x, [2] * 3, [1] * 3, "VALID", np.mean), [volume]),
    ("max_pool2d", lambda x: N.max_pool2d(x, 2, 1, "SAME"), lambda x: pool(x, [2, 2], [1, 1], "SAME", np.nanmax), [image]),
    (
        "max_pool2d NCHW",
        lambda x: N.max_pool2d(x, 2, 2, "VALID", "NCHW"),
        lambda x: first(pool(last(x), [2, 2], [2, 2], "VALID", np.max)),
        [first(image).copy()],
    ),
    (
        "pool",
        lambda x: N.pool(x, [2], "MAX", [2], "SAME"),
        lambda x: pool(x, [2], [2], "SAME", np.nanmax),
        [signal],
    ),
    (
        "pool dilated",
        lambda x: N.pool(x, 2, "AVG", dilations=[1, 3]),
        lambda x: (x[:, :-1, :-3] + x[:, :-1, 3:] + x[:, 1:, :-3] + x[:, 1:, 3:]) / 4,
        [image],
    ),
    (
        "max_pool",
        lambda x: N.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"),
        lambda x: pool(x, [2, 2], [2, 2], "VALID", np.max),
        [image],
    ),
    ("max_pool1d", lambda x: N.max_pool1d(x, 2, 2, "SAME"), lambda x: pool(x, [2], [2], "SAME", np.nanmax), [signal]),
    ("max_pool3d", lambda x: N.max_pool3d(x, 2, 1, "VALID"), lambda x: pool(x, [2] * 3, [1] * 3, "VALID", np.max), [volume]),
]
# What needs sizes that are known when the graph is built.
STATIC = [
    (
        "conv_transpose",
        lambda g, w: N.conv_transpose(g, w, [2, 7, 3], 2, "SAME"),
        lambda g, w: transposed(g, w, (2, 7, 3), [2], "SAME"),
        [rng.normal(size=(2, 4, 2)), k1],
    ),
    (
        "lrn",
        lambda x: N.local_response_normalization(x, 1, 0.5, 0.3, 0.75),
        lambda x: np_lrn(x, 1, 0.5, 0.3, 0.75),
        [image],
    ),
    ("lrn wide", lambda x: N.lrn(x), lambda x: np_lrn(x, 5, 1, 1, 0.5), [image]),
    # The rows that TensorFlow 2.21 finds: shards follow one another, or are dealt out like cards ("mod").
    (
        "embedding shards",
        lambda x, y: N.embedding_lookup([x, y], [[0, 4], [2, 3]]),
        lambda x, y: np.concatenate([x, y])[[[0, 4], [2, 3]]],
        [x2, x2[:2] + 1],
    ),
    (
        "embedding mod",
        lambda x, y: N.embedding_lookup([x, y], [[0, 4], [1, 3]], partition_strategy="mod"),
        lambda x, y: np.stack([np.stack([x[0], x[2]]), np.stack([y[0], y[1]])]),
        [x2, x2[:2] + 1],
    ),
    (
        "embedding one shard",
        lambda x: N.embedding_lookup([x], [2, 0], max_norm=0.1),
        lambda x: (x * 0.1 / np.linalg.norm(x, axis=1, keepdims=True))[[2, 0]],
        [x2],
    ),
    (
        "conv2d_transpose",
        lambda g, w: N.conv2d_transpose(g, w, [1, 6, 4, 2], 2),
        lambda g, w: transposed(g, w, (1, 6, 4, 2), [2, 2], "SAME"),
        [g2, k2],
    ),
    (
        "conv2d_transpose odd",
        lambda g, w: N.conv2d_transpose(g, w, [1, 5, 3, 2], 2),
        lambda g, w: transposed(g, w, (1, 5, 3, 2), [2, 2], "SAME"),
        [g2, k2],
    ),
    (
        "conv2d_transpose valid",
        lambda g, w: N.conv2d_transpose(g, w, [1, 8, 5, 2], [1, 2, 3, 1], "VALID"),
        lambda g, w: transposed(g, w, (1, 8, 5, 2), [2, 3], "VALID"),
        [g2, k2],
    ),
    (
        "conv2d_transpose 1",
        lambda g, w: N.conv2d_transpose(g, w, [1, 3, 2, 2], 1),
        lambda g, w: transposed(g, w, (1, 3, 2, 2), [1, 1], "SAME"),
        [g2, k2],
    ),
    (
        "conv2d_transpose NCHW",
        lambda g, w: N.conv2d_transpose(g, w, [1, 2, 6, 4], [1, 1, 2, 2], "SAME", "NCHW"),
        lambda g, w: first(transposed(last(g), w, (1, 6, 4, 2), [2, 2], "SAME")),
        [first(g2).copy(), k2],
    ),
    (
        "conv1d_transpose",
        lambda g, w: N.conv1d_transpose(g, w, [1, 8, 3], 3),
        lambda g, w: transposed(g, w, (1, 8, 3), [3], "SAME"),
        [rng.normal(size=(1, 3, 2)), k1],
    ),
    (
        "conv3d_transpose",
        lambda g, w: N.conv3d_transpose(g, w, [1, 2, 4, 2, 2], [1, 1, 2, 1, 1]),
        lambda g, w: transposed(g, w, (1, 2, 4, 2, 2), [1, 2, 1], "SAME"),
        [rng.normal(size=(1, 2, 2, 2, 1)), k3],
    ),
    (
        "conv2d groups",
        lambda x, w: N.conv2d(x, w, 1, "VALID"),
        lambda x, w: np.concatenate(
            [conv(x[..., :1], w[..., :2], [1, 1], "VALID"), conv(x[..., 1:], w[..., 2:], [1, 1], "VALID")], -1
        ),
        [image, rng.normal(size=(2, 2, 1, 4))],
    ),
]
FILTERED = ("conv", "depthwise", "separable", "atrous", "avg_pool", "max_pool")


def flat(values):
    return tf.nest.flatten(values)


def same(found, expected):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    for f, e in zip(found, expected, strict=True):
        assert np.asarray(f).shape == np.shape(e)
        np.testing.assert_allclose(np.asarray(f), e, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("label", "f", "oracle", "arrays"), TABLE + STATIC, ids=[r[0] for r in TABLE + STATIC])
def test_value(label, f, oracle, arrays, static):
    expected = oracle(*arrays)
    same(f(*[convert(a) for a in arrays]), expected)
    same(static(f, arrays, "known"), expected)


@pytest.mark.parametrize(("label", "f", "oracle", "arrays"), TABLE, ids=[r[0] for r in TABLE])
def test_value_where_sizes_are_not_known(label, f, oracle, arrays, static):
    if label.startswith(FILTERED):
        f, filters = (lambda g: lambda x: g(x, *filters))(f), arrays[1:]
        expected, arrays = oracle(*arrays), arrays[:1]
    else:
        expected = oracle(*arrays)
    same(static(f, arrays, "unknown"), expected)


@pytest.mark.parametrize(("label", "f", "oracle", "arrays"), TABLE + STATIC, ids=[r[0] for r in TABLE + STATIC])
@pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")
def test_derivatives(label, f, oracle, arrays, derivatives):
    derivatives(f, arrays, rtol=1e-4)


def gradient(f, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return np.asarray(tape.gradient(y, x)).ravel().tolist()


def test_kinks_and_ties_as_in_tensorflow():
    assert gradient(N.relu, [-1.0, 0.0, 1.0]) == [0, 0, 1]
    assert gradient(N.relu6, [0.0, 6.0, 3.0]) == [0, 0, 1]
    assert gradient(lambda x: N.leaky_relu(x, 0.25), [-1.0, 0.0, 1.0]) == [0.25, 0.25, 1]
    assert gradient(N.elu, [0.0, 1.0]) == [1, 1]
    assert gradient(lambda x: N.max_pool1d(x[None, :, None], 3, 1, "VALID"), [2.0, 2.0, 2.0]) == [1, 0, 0]


def test_the_second_derivative_of_moments_is_exact():
    x = tf.constant([1.0, 2.0, 4.0], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = N.moments(x, [0])[1]
        g = inner.gradient(y, x)
    np.testing.assert_allclose(outer.jacobian(g, x), 2 / 3 * (np.eye(3) - 1 / 3))


def test_large_logits_do_not_overflow():
    x = tf.constant([1e3, -1e3])
    assert N.sigmoid_cross_entropy_with_logits(labels=[0.0, 0.0], logits=x).numpy().tolist() == [1000, 0]
    assert N.sparse_softmax_cross_entropy_with_logits([1], [[1e3, -1e3]]).numpy().tolist() == [2000]
    assert N.weighted_cross_entropy_with_logits([1.0, 1.0], x, 3.0).numpy().tolist() == [0, 3000]
    assert N.gelu(-40.0).numpy() == 0 and N.silu(-200.0).numpy() == 0


def test_log_poisson_leaves_stirling_out_up_to_one():
    assert N.log_poisson_loss([0.5, 1.0], [0.0, 0.0], True).numpy().tolist() == [1, 1]


def test_dropout():
    x = tf.ones([2000])
    y = N.dropout(x, 0.25, seed=1).numpy()
    assert set(np.unique(y).round(4)) == {0, np.float32(1.3333)} and 0.2 < (y == 0).mean() < 0.3
    assert N.dropout(x, 0) is x
    rows = N.dropout(tf.ones([50, 4]), 0.5, noise_shape=[None, 1]).numpy()
    assert (rows == rows[:, :1]).all() and 0 < (rows == 0).mean() < 1
    with Graph().as_default():
        assert N.dropout(apply(PLACEHOLDER, (), {"dtype": np.dtype("f4"), "shape": (None, 3)}), 0.5).sizes == (None, 3)


def test_half_floats():
    x = tf.cast(np.full(3000, 100.0), "float16")
    mean, variance = N.moments(x, [0])
    assert (float(mean), float(variance)) == (100, 0) and mean.dtype == "float16"
    assert N.batch_normalization(x, mean, variance, None, None, 1e-3).dtype == "float16"
    assert (
        N.gelu(x).dtype == "float16" and N.conv1d(x[None, :, None], tf.ones([2, 1, 1], "float16"), 1, "SAME").dtype == "float16"
    )


def test_shapes_of_an_unknown_batch():
    with Graph().as_default():
        x = apply(PLACEHOLDER, (), {"dtype": np.dtype("f4"), "shape": (None, 5, 6, 2)})
        assert N.conv2d(x, tf.ones([3, 2, 2, 4]), 1, "SAME").sizes == (None, 5, 6, 4)
        assert N.conv2d(x, tf.ones([3, 2, 2, 4]), 2, "VALID").sizes == (None, 2, 3, 4)
        assert N.max_pool2d(x, 2, 2, "SAME").sizes == (None, 3, 3, 2)
        assert N.conv2d_transpose(x, tf.ones([3, 3, 4, 2]), [None, 10, 12, 4], 2).sizes == (None, 10, 12, 4)


ROWS = [[1.0, 2.0]]
IMAGE = np.zeros((1, 4, 4, 2), np.float32)
REFUSED = [
    ("relu bool", lambda: N.relu([True]), TypeError),
    ("elu ints", lambda: N.elu([1]), TypeError),
    ("gelu ints", lambda: N.gelu([1]), TypeError),
    ("None", lambda: N.silu(None), ValueError),
    ("bias rank", lambda: N.bias_add(ROWS, 1.0), errors.ShapeError),
    ("bias size", lambda: N.bias_add(ROWS, [1.0]), errors.ShapeError),
    ("bias vector", lambda: N.bias_add([1.0], [1.0]), errors.ShapeError),
    ("bias format", lambda: N.bias_add(ROWS, [1.0, 2.0], "HWC"), ValueError),
    ("moments ints", lambda: N.moments([1], [0]), TypeError),
    ("moments axis", lambda: N.moments([1.0], [1]), errors.ShapeError),
    ("dropout rate", lambda: N.dropout([1.0], 1.0), ValueError),
    ("dropout ints", lambda: N.dropout([1], 0.5), TypeError),
    ("lrn rank", lambda: N.lrn(ROWS), errors.ShapeError),
    ("lrn radius", lambda: N.lrn(IMAGE, -1), errors.InvalidArgumentError),
    ("patches rank", lambda: N.extract_patches(ROWS, [1] * 4, [1] * 4, [1] * 4, "SAME"), errors.InvalidArgumentError),
    ("embedding shards", lambda: N.embedding_lookup([ROWS, [[1.0, 2.0], [1.0, 2.0]]], [0]), errors.ShapeError),
    ("embedding strategy", lambda: N.embedding_lookup([ROWS, ROWS], [0], partition_strategy="m"), ValueError),
    ("embedding range of one shard", lambda: N.embedding_lookup([ROWS], [1]), errors.InvalidArgumentError),
    ("embedding shards range", lambda: N.embedding_lookup([ROWS, ROWS], [2]), errors.InvalidArgumentError),
    ("embedding range", lambda: N.embedding_lookup(tf.constant(ROWS), [1]), errors.InvalidArgumentError),
    ("labels missing", lambda: N.sigmoid_cross_entropy_with_logits(logits=[1.0]), ValueError),
    ("labels shape", lambda: N.sigmoid_cross_entropy_with_logits([1.0], [1.0, 2.0]), ValueError),
    ("softmax labels", lambda: N.softmax_cross_entropy_with_logits([[1.0, 2.0, 3.0]], ROWS), errors.InvalidArgumentError),
    ("sparse range", lambda: N.sparse_softmax_cross_entropy_with_logits([2], ROWS), errors.InvalidArgumentError),
    ("sparse negative", lambda: N.sparse_softmax_cross_entropy_with_logits([-1], ROWS), errors.InvalidArgumentError),
    ("sparse shape", lambda: N.sparse_softmax_cross_entropy_with_logits([[0]], ROWS), errors.ShapeError),
    ("sparse floats", lambda: N.sparse_softmax_cross_entropy_with_logits([0.0], ROWS), TypeError),
    ("conv rank", lambda: N.conv2d(ROWS, np.ones((1, 1, 1, 1), "f"), 1, "SAME"), errors.ShapeError),
    ("conv filters", lambda: N.conv2d(IMAGE, ROWS, 1, "SAME"), errors.ShapeError),
    ("conv channels", lambda: N.conv2d(IMAGE, np.ones((2, 2, 3, 1), "f"), 1, "SAME"), errors.ShapeError),
    ("conv padding", lambda: N.conv2d(IMAGE, np.ones((2, 2, 2, 1), "f"), 1, "FULL"), ValueError),
    ("conv pairs", lambda: N.conv2d(IMAGE, np.ones((2, 2, 2, 1), "f"), 1, [[1, 1]]), ValueError),
    ("conv strides", lambda: N.conv2d(IMAGE, np.ones((2, 2, 2, 1), "f"), [1, 2, 3], "SAME"), ValueError),
    ("conv stride 0", lambda: N.conv2d(IMAGE, np.ones((2, 2, 2, 1), "f"), 0, "SAME"), ValueError),
    (
        "conv stride of batch",
        lambda: N.conv2d(IMAGE, np.ones((2, 2, 2, 1), "f"), [2, 1, 1, 1], "SAME"),
        errors.UnimplementedError,
    ),
    ("conv format", lambda: N.conv2d(IMAGE, np.ones((2, 2, 2, 1), "f"), 1, "SAME", "CHWN"), ValueError),
    ("conv too small", lambda: N.conv2d(IMAGE, np.ones((5, 2, 2, 1), "f"), 1, "VALID"), errors.ShapeError),
    ("conv ints", lambda: N.conv2d(np.ones((1, 4, 4, 1), int), np.ones((2, 2, 1, 1), int), 1, "SAME"), TypeError),
    ("transpose size", lambda: N.conv2d_transpose(IMAGE, np.ones((2, 2, 1, 2), "f"), [1, 20, 8, 1], 2), errors.ShapeError),
    ("transpose channels", lambda: N.conv2d_transpose(IMAGE, np.ones((2, 2, 1, 3), "f"), [1, 8, 8, 1], 2), errors.ShapeError),
    ("transpose shape", lambda: N.conv2d_transpose(IMAGE, np.ones((2, 2, 1, 2), "f"), [1, 8], 2), ValueError),
    (
        "depthwise channels",
        lambda: N.depthwise_conv2d(IMAGE, np.ones((2, 2, 3, 1), "f"), [1, 1, 1, 1], "SAME"),
        errors.ShapeError,
    ),
    ("pool rank", lambda: N.max_pool2d(ROWS, 2, 2, "SAME"), errors.ShapeError),
    ("pool ints", lambda: N.avg_pool2d(IMAGE.astype(int), 2, 2, "SAME"), TypeError),
    ("pool any rank", lambda: N.max_pool(ROWS, 2, 2, "SAME"), errors.ShapeError),
]


@pytest.mark.parametrize(("label", "f", "kind"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refuses(label, f, kind):
    with pytest.raises(kind):
        f()
    graph = Graph()
    with pytest.raises(kind), graph.as_default():
        NumPyProgram(graph, flat(f()), [])()


# --- the nearest monotone sequence --------------------------------------------------------------------------------


def nearest_falling(x):
    """The falling sequence nearest to x by its minimax formula: the least, over starts, of the greatest mean from there on."""
    n = len(x)
    return np.array([min(max(x[a : b + 1].mean() for b in range(i, n)) for a in range(i + 1)) for i in range(n)])


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_isotonic_regression_is_the_minimax_of_means(mode):
    x = rng.normal(size=(3, 9))
    run = (lambda f: f) if mode == "eager" else (lambda f: tf.function(f))
    falling, segments = run(lambda x: N.isotonic_regression(x))(tf.constant(x))
    np.testing.assert_allclose(falling, [nearest_falling(row) for row in x], rtol=1e-12)
    np.testing.assert_array_equal(np.diff(segments, axis=1) == 1, np.diff(falling, axis=1) < 0)
    rising, _ = run(lambda x: N.isotonic_regression(x, decreasing=False, axis=0))(tf.constant(x))
    np.testing.assert_allclose(rising, np.stack([-nearest_falling(-column) for column in x.T], axis=1), rtol=1e-12)


def test_isotonic_regression_averages_derivatives_in_segments():
    x = tf.constant([[3.0, 1.0, 2.0, -1.0]])  # segments 3 | 1, 2 | -1
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, _ = N.isotonic_regression(x)
        z = y * y
    mean = [[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(tape.jacobian(y, x)[0, :, 0], mean)
    np.testing.assert_allclose(tape.jacobian(z, x)[0, :, 0], 2 * np.array([3, 1.5, 1.5, -1])[:, None] * mean)
    with tf.autodiff.ForwardAccumulator(x, tf.constant([[1.0, 10.0, 20.0, 5.0]])) as forward:
        y, _ = N.isotonic_regression(x)
    np.testing.assert_allclose(forward.jvp(y), [[1.0, 15.0, 15.0, 5.0]])


@pytest.mark.parametrize(("given", "expected"), [("int16", "float32"), ("int32", "float64"), ("float16", "float16")])
def test_isotonic_regression_of_dtypes_and_empty_rows(given, expected):
    y, segments = N.isotonic_regression(tf.constant(np.array([[1, 3], [4, 2]]), given))
    assert y.dtype.name == expected and segments.dtype.name == "int32"
    np.testing.assert_array_equal(y, [[2, 2], [4, 2]])
    for shape in ((0, 3), (2, 0)):
        assert N.isotonic_regression(tf.zeros(shape))[0].shape == shape


def test_the_slope_of_selu_is_rounded_less_than_factor_by_factor():
    x = np.linspace(-3.0, -0.01, 100_001, dtype=np.float32)
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    exact = scale * alpha * np.exp(x.astype(np.float64))

    def error(y):
        return np.mean(np.abs(y / exact - 1))

    assert error(gradient(N.selu, x)) < 0.97 * error(np.float32(scale) * (np.float32(alpha) * np.exp(x)))
