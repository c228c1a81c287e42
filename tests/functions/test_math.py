"""Mathematical functions against NumPy, SciPy and mpmath: values eagerly and in graphs, derivatives, refusals."""

import json
import math
import warnings
from pathlib import Path

import mpmath
import numpy as np
import pytest
import scipy.special as sp

import wengert as tf
from wengert import errors
from wengert.execute.numpy import NumPyProgram
from wengert.functions import math as M
from wengert.modes.slices import IndexedSlices
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import Graph, apply, convert, tensors

rng = np.random.default_rng(3)
x1, x2, x3 = rng.normal(size=4), rng.normal(size=(3, 4)), rng.normal(size=(2, 3, 4))
pos, unit = np.array([0.3, 0.9, 1.7, 2.6]), np.array([-0.8, -0.2, 0.1, 0.6])
FLOAT, REAL, NUMBER = "fc", "f", "iufc"


def multi(f):
    return np.vectorize(lambda *a: float(f(*[mpmath.mpf(float(v)) for v in a])))


# (function, oracle, points, what dtypes it takes)
UNARY = [
    (M.negative, np.negative, x2, NUMBER),
    (M.reciprocal, lambda x: 1 / x, x2, FLOAT),
    (M.square, np.square, x2, NUMBER),
    (M.sqrt, np.sqrt, pos, FLOAT),
    (M.rsqrt, lambda x: x**-0.5, pos, FLOAT),
    (M.cbrt, np.cbrt, pos, REAL),
    (M.exp, np.exp, x2, FLOAT),
    (M.expm1, np.expm1, x2, FLOAT),
    (M.log, np.log, pos, FLOAT),
    (M.log1p, np.log1p, unit, FLOAT),
    (M.sin, np.sin, x2, FLOAT),
    (M.cos, np.cos, x2, FLOAT),
    (M.tan, np.tan, unit, FLOAT),
    (M.asin, np.arcsin, unit, FLOAT),
    (M.acos, np.arccos, unit, FLOAT),
    (M.atan, np.arctan, x2, FLOAT),
    (M.sinh, np.sinh, x2, FLOAT),
    (M.cosh, np.cosh, x2, FLOAT),
    (M.tanh, np.tanh, x2, FLOAT),
    (M.asinh, np.arcsinh, x2, FLOAT),
    (M.acosh, np.arccosh, pos + 1, FLOAT),
    (M.atanh, np.arctanh, unit, FLOAT),
    (M.sigmoid, sp.expit, x2, FLOAT),
    (M.log_sigmoid, sp.log_expit, x2, REAL),
    (M.softplus, lambda x: np.logaddexp(x, 0), x2, REAL),
    (M.softsign, lambda x: x / (1 + abs(x)), x2, REAL),
    (M.erf, multi(mpmath.erf), x1, REAL),
    (M.erfc, multi(mpmath.erfc), x1, REAL),
    (M.erfinv, multi(mpmath.erfinv), unit, REAL),
    (M.erfcinv, lambda x: multi(mpmath.erfinv)(1 - x), unit + 1, REAL),
    (M.ndtri, sp.ndtri, (unit + 1) / 2, REAL),
    (M.lgamma, multi(mpmath.loggamma), pos, REAL),
    (M.digamma, multi(mpmath.digamma), pos, REAL),
    (M.bessel_i0, multi(lambda x: mpmath.besseli(0, x)), x1, REAL),
    (M.bessel_i1, multi(lambda x: mpmath.besseli(1, x)), x1, REAL),
    (M.bessel_i0e, sp.i0e, x1, REAL),
    (M.bessel_i1e, sp.i1e, x1, REAL),
    (M.sinc, lambda x: np.sinc(x / np.pi), x1, REAL),
    (M.special.bessel_j0, multi(lambda x: mpmath.besselj(0, x)), x1, REAL),
    (M.special.bessel_j1, multi(lambda x: mpmath.besselj(1, x)), x1, REAL),
    (M.special.bessel_y0, multi(lambda x: mpmath.bessely(0, x)), pos, REAL),
    (M.special.bessel_y1, multi(lambda x: mpmath.bessely(1, x)), pos, REAL),
    (M.special.bessel_k0, multi(lambda x: mpmath.besselk(0, x)), pos, REAL),
    (M.special.bessel_k1, multi(lambda x: mpmath.besselk(1, x)), pos, REAL),
    (M.special.bessel_k0e, sp.k0e, pos, REAL),
    (M.special.bessel_k1e, sp.k1e, pos, REAL),
    (M.special.dawsn, sp.dawsn, x1, REAL),
    (M.special.expint, multi(mpmath.ei), pos, REAL),
    (M.special.fresnel_cos, multi(mpmath.fresnelc), x1, REAL),
    (M.special.fresnel_sin, multi(mpmath.fresnels), x1, REAL),
    (M.special.spence, sp.spence, pos, REAL),
    (M.abs, np.abs, x2, NUMBER),
    (M.reciprocal_no_nan, lambda x: 1 / x, x2, FLOAT),
    (M.sign, np.sign, x2, NUMBER),
    (M.floor, np.floor, x2, "iuf"),
    (M.ceil, np.ceil, x2, "iuf"),
    (M.round, np.round, 3 * x2, "iuf"),
    (M.rint, np.rint, 3 * x2, REAL),
    (M.lbeta, lambda x: sp.gammaln(x).sum(-1) - sp.gammaln(x.sum(-1)), pos, REAL),
    (M.real, np.real, x2, NUMBER),
    (M.imag, np.imag, x2, NUMBER),
    (M.conj, np.conj, x2, NUMBER),
    (M.angle, np.angle, x2, FLOAT),
]
y2 = np.array([[0.7, -1.1, 0.9, 1.3], [-0.6, 0.8, -1.7, 2.1], [1.9, -0.4, 0.5, -0.85]])
# (label, function, oracle, inputs that vary)
TABLE = [(f.__name__, f, oracle, [x]) for f, oracle, x, _ in UNARY] + [
    ("add", M.add, np.add, [x2, x1]),
    ("subtract", M.subtract, np.subtract, [x2, x1]),
    ("multiply", M.multiply, np.multiply, [x1, x2]),
    ("divide", M.divide, np.divide, [x2, y2]),
    ("truediv", M.truediv, np.divide, [x1, y2]),
    ("realdiv", M.realdiv, np.divide, [x1, y2]),
    ("floordiv", M.floordiv, np.floor_divide, [x2, y2]),
    ("floormod", M.floormod, np.mod, [x2, y2]),
    ("mod", M.mod, np.mod, [x2, y2]),
    ("truncatemod", M.truncatemod, np.fmod, [x2, y2]),
    ("truncatediv", M.truncatediv, lambda x, y: np.trunc(x / y), [x2, y2]),
    ("divide_no_nan", M.divide_no_nan, np.divide, [x2, y2]),
    ("multiply_no_nan", M.multiply_no_nan, np.multiply, [x2, y2]),
    ("pow", M.pow, np.power, [pos, x2]),
    ("pow 3", lambda x: M.pow(x, 3), lambda x: x**3, [x2]),
    ("pow -0.5", lambda x: M.pow(x, -0.5), lambda x: x**-0.5, [pos]),
    ("2 pow", lambda x: M.pow(2.0, x), lambda x: 2**x, [x2]),
    ("squared_difference", M.squared_difference, lambda x, y: (x - y) ** 2, [x2, x1]),
    ("atan2", M.atan2, np.arctan2, [x2, y2]),
    ("maximum", M.maximum, np.maximum, [x2, x1]),
    ("minimum", M.minimum, np.minimum, [x2, x1]),
    ("xlogy", M.xlogy, sp.xlogy, [x1, pos]),
    ("xlog1py", M.xlog1py, sp.xlog1py, [x1, pos]),
    ("xdivy", M.xdivy, np.divide, [x1, pos]),
    ("zeta", lambda q: M.zeta(2.5, q), lambda q: sp.zeta(2.5, q), [pos]),
    ("igamma", lambda x: M.igamma(2.5, x), lambda x: sp.gammainc(2.5, x), [pos]),
    ("igammac", lambda x: M.igammac(2.5, x), lambda x: sp.gammaincc(2.5, x), [pos]),
    ("betainc", lambda x: M.betainc(2.0, 3.0, x), lambda x: sp.betainc(2.0, 3.0, x), [(unit + 1) / 2]),
    ("polygamma", lambda x: M.polygamma(2.0, x), lambda x: sp.polygamma(2, x), [pos]),
    ("polygamma 0", lambda x: M.polygamma(0.0, x), sp.digamma, [pos]),
    ("polygamma mixed", lambda x: M.polygamma([0.0, 1.0, 2.0, 3.0], x), lambda x: sp.polygamma([0, 1, 2, 3], x), [pos]),
    ("polyval", lambda x: M.polyval([2.0, -1.0, 0.5], x), lambda x: np.polyval([2.0, -1.0, 0.5], x), [x2]),
    ("scalar_mul", lambda x: M.scalar_mul(2.5, x), lambda x: 2.5 * x, [x2]),
    ("add_n", lambda x, y: M.add_n([x, y, x]), lambda x, y: 2 * x + y, [x2, y2]),
    ("accumulate_n", lambda x, y: M.accumulate_n([x, y]), np.add, [x2, y2]),
    ("softmax", M.softmax, lambda x: sp.softmax(x, -1), [x2]),
    ("softmax 0", lambda x: M.softmax(x, axis=0), lambda x: sp.softmax(x, 0), [x2]),
    ("log_softmax", M.log_softmax, lambda x: sp.log_softmax(x, -1), [x2]),
    ("clip_by_value", lambda x: M.clip_by_value(x, -0.5, 0.7), lambda x: np.clip(x, -0.5, 0.7), [x2]),
    ("clip_by_value bounds", M.clip_by_value, lambda x, a, b: np.clip(x, a, b), [x2, np.array(-0.4), np.full(4, 0.6)]),
    (
        "clip_by_value empty",
        lambda x, a, b: M.clip_by_value(x, a, b),
        lambda x, a, b: np.maximum(np.minimum(x, b), a),
        [x2, np.array(0.5), np.array(-0.5)],
    ),
    ("clip_by_norm", lambda x: M.clip_by_norm(x, 1.0), lambda x: x / np.linalg.norm(x), [x2]),
    (
        "clip_by_norm axis",
        lambda x: M.clip_by_norm(x, 0.7, axes=[1]),
        lambda x: x * 0.7 / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 0.7),
        [x2],
    ),
    ("clip_by_average_norm", lambda x: M.clip_by_average_norm(x, 0.01), lambda x: x * 0.01 * x.size / np.linalg.norm(x), [x2]),
    (
        "clip_by_global_norm",
        lambda x, y: M.clip_by_global_norm([x, y], 1.0),
        lambda x, y: (
            [v / np.hypot(np.linalg.norm(x), np.linalg.norm(y)) for v in (x, y)]
            + [np.hypot(np.linalg.norm(x), np.linalg.norm(y))]
        ),
        [x2, x1],
    ),
    (
        "global_norm",
        lambda x, y: M.global_norm([x, None, y]),
        lambda x, y: np.hypot(np.linalg.norm(x), np.linalg.norm(y)),
        [x2, x1],
    ),
    ("complex", lambda x, y: M.real(M.complex(x, y) ** 2), lambda x, y: x * x - y * y, [x2, x1]),
    ("complex abs", lambda x, y: M.abs(M.complex(x, y)), np.hypot, [x2, y2]),
    ("complex angle", lambda x, y: M.angle(M.complex(x, y)), lambda x, y: np.arctan2(y, x), [x2, y2]),
    ("complex sign real", lambda x, y: M.real(M.sign(M.complex(x, y))), lambda x, y: x / np.hypot(x, y), [x2, y2]),
    ("complex sign imag", lambda x, y: M.imag(M.sign(M.complex(x, y))), lambda x, y: y / np.hypot(x, y), [x2, y2]),
    (
        "complex imag conj",
        lambda x, y: M.imag(M.conj(M.complex(x, y) * M.complex(y, x))),
        lambda x, y: -(x * x + y * y),
        [x2, y2],
    ),
    ("reduce_sum", M.reduce_sum, np.sum, [x2]),
    ("reduce_sum 1", lambda x: M.reduce_sum(x, 1), lambda x: x.sum(1), [x3]),
    ("reduce_sum axes", lambda x: M.reduce_sum(x, [0, -1], keepdims=True), lambda x: x.sum((0, 2), keepdims=True), [x3]),
    ("reduce_sum none", lambda x: M.reduce_sum(x, []), lambda x: x, [x2]),
    ("reduce_sum tensor", lambda x: M.reduce_sum(x, tf.constant([0, 1])), lambda x: x.sum((0, 1)), [x3]),
    ("reduce_mean", M.reduce_mean, np.mean, [x2]),
    ("reduce_mean -2", lambda x: M.reduce_mean(x, -2), lambda x: x.mean(-2), [x3]),
    ("reduce_max", M.reduce_max, np.max, [x2]),
    ("reduce_max 0", lambda x: M.reduce_max(x, 0, True), lambda x: x.max(0, keepdims=True), [x2]),
    ("reduce_min", M.reduce_min, np.min, [x2]),
    ("reduce_min axes", lambda x: M.reduce_min(x, (0, 2)), lambda x: x.min((0, 2)), [x3]),
    ("reduce_prod", M.reduce_prod, np.prod, [x2]),
    ("reduce_prod 1", lambda x: M.reduce_prod(x, 1), lambda x: x.prod(1), [x2]),
    ("reduce_prod axes", lambda x: M.reduce_prod(x, [0, 2]), lambda x: x.prod((0, 2)), [x3]),
    ("reduce_prod keep", lambda x: M.reduce_prod(x, keepdims=True), lambda x: x.prod(keepdims=True), [x2]),
    ("reduce_prod zero", lambda x: M.reduce_prod(x, -1, keepdims=True), lambda x: x.prod(-1, keepdims=True), [x2 * (x2 < 1)]),
    ("reduce_logsumexp", M.reduce_logsumexp, sp.logsumexp, [x2]),
    ("reduce_logsumexp 0", lambda x: M.reduce_logsumexp(x, 0, True), lambda x: sp.logsumexp(x, 0, keepdims=True), [x2]),
    ("reduce_variance", M.reduce_variance, np.var, [x2]),
    ("reduce_variance 0", lambda x: M.reduce_variance(x, 0), lambda x: x.var(0), [x2]),
    ("reduce_std", lambda x: M.reduce_std(x, 1, True), lambda x: x.std(1, keepdims=True), [x2]),
    ("reduce_euclidean_norm", lambda x: M.reduce_euclidean_norm(x, 1), lambda x: np.linalg.norm(x, axis=1), [x2]),
    ("l2_normalize", lambda x: M.l2_normalize(x, 1), lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), [x2]),
    ("cumsum", M.cumsum, lambda x: np.cumsum(x, 0), [x2]),
    ("cumsum exclusive", lambda x: M.cumsum(x, 1, exclusive=True), lambda x: np.cumsum(x, 1) - x, [x2]),
    ("cumsum reverse", lambda x: M.cumsum(x, -1, reverse=True), lambda x: np.cumsum(x[..., ::-1], -1)[..., ::-1], [x3]),
    ("cumprod", M.cumprod, lambda x: np.cumprod(x, 0), [x2]),
    (
        "cumprod both",
        lambda x: M.cumprod(x, 1, True, True),
        lambda x: np.cumprod(np.concatenate([np.ones((3, 1)), x[:, :0:-1]], 1), 1)[:, ::-1],
        [x2],
    ),
    ("cumulative_logsumexp", lambda x: M.cumulative_logsumexp(x, 1), lambda x: np.logaddexp.accumulate(x, 1), [x2]),
    (
        "cumulative_logsumexp reverse",
        lambda x: M.cumulative_logsumexp(x, -2, reverse=True),
        lambda x: np.logaddexp.accumulate(x[:, ::-1], 1)[:, ::-1],
        [x3],
    ),
    ("top_k", lambda x: M.top_k(x, 2), lambda x: [-np.sort(-x, -1)[..., :2], np.argsort(-x, -1)[..., :2].astype(np.int32)], [x2]),
    ("segment_sum", lambda x: M.segment_sum(x, [0, 0, 2]), lambda x: np.stack([x[:2].sum(0), 0 * x[0], x[2]]), [x2]),
    ("segment_mean", lambda x: M.segment_mean(x, [0, 0, 2]), lambda x: np.stack([x[:2].mean(0), 0 * x[0], x[2]]), [x2]),
    ("segment_max", lambda x: M.segment_max(x, [0, 0, 2]), lambda x: np.stack([x[:2].max(0), 0 * x[0], x[2]]), [x2]),
    ("segment_min", lambda x: M.segment_min(x, [0, 0, 2]), lambda x: np.stack([x[:2].min(0), 0 * x[0], x[2]]), [x2]),
    ("segment_prod", lambda x: M.segment_prod(x, [0, 0, 2]), lambda x: np.stack([x[0] * x[1], 0 * x[0] + 1, x[2]]), [x2]),
    (
        "unsorted sum",
        lambda x: M.unsorted_segment_sum(x, [1, -1, 1], 3),
        lambda x: np.stack([0 * x[0], x[0] + x[2], 0 * x[0]]),
        [x2],
    ),
    (
        "unsorted mean",
        lambda x: M.unsorted_segment_mean(x, [1, -1, 1], 2),
        lambda x: np.stack([0 * x[0], (x[0] + x[2]) / 2]),
        [x2],
    ),
    (
        "unsorted sqrt_n",
        lambda x: M.unsorted_segment_sqrt_n(x, [1, -1, 1], 2),
        lambda x: np.stack([0 * x[0], (x[0] + x[2]) / 2**0.5]),
        [x2],
    ),
    ("unsorted prod", lambda x: M.unsorted_segment_prod(x, [1, -1, 1], 2), lambda x: np.stack([0 * x[0] + 1, x[0] * x[2]]), [x2]),
    ("unsorted max", lambda x: M.unsorted_segment_max(x, [1, -1, 0], 2), lambda x: x[[2, 0]], [x2]),
    ("unsorted min", lambda x: M.unsorted_segment_min(x, [1, 0, 1], 2), lambda x: np.stack([x[1], np.minimum(x[0], x[2])]), [x2]),
    (
        "unsorted matrix ids",
        lambda x: M.unsorted_segment_sum(x, np.arange(12).reshape(3, 4) % 2, 2),
        lambda x: np.array([x[:, ::2].sum(), x[:, 1::2].sum()]),
        [x2],
    ),
    (
        "unsorted prod matrix ids",
        lambda x: M.unsorted_segment_prod(x, np.arange(12).reshape(3, 4) % 2, 2),
        lambda x: np.array([x[:, ::2].prod(), x[:, 1::2].prod()]),
        [x2],
    ),
    ("bincount weights", lambda w: M.bincount([0, 2, 2, 1], w), lambda w: np.array([w[0], w[3], w[1] + w[2]]), [x1]),
    ("matmul", M.matmul, np.matmul, [x2, x2.T.copy()]),
    ("matmul flags", lambda a, b: M.matmul(a, b, transpose_a=True, adjoint_b=True), lambda a, b: a.T @ b.T, [x2, x2.T.copy()]),
    ("matmul stacks", M.matmul, np.matmul, [x3, rng.normal(size=(4, 2))]),
    ("matvec", M.matvec, lambda a, b: a @ b, [x3, x1]),
    ("matvec transposed", lambda a, b: M.matvec(a, b, transpose_a=True), lambda a, b: np.swapaxes(a, -1, -2) @ b, [x3, x1[:3]]),
    ("tensordot", lambda a, b: M.tensordot(a, b, 1), lambda a, b: np.tensordot(a, b, 1), [x3, rng.normal(size=(4, 2))]),
    ("tensordot 0", lambda a, b: M.tensordot(a, b, 0), lambda a, b: np.tensordot(a, b, 0), [x1, x2]),
    (
        "tensordot axes",
        lambda a, b: M.tensordot(a, b, [[0, 2], [2, 1]]),
        lambda a, b: np.tensordot(a, b, [[0, 2], [2, 1]]),
        [x3, rng.normal(size=(5, 4, 2))],
    ),
    ("tensordot matrices", lambda a, b: M.tensordot(a, b, [[0], [1]]), lambda a, b: a.T @ b.T, [x2, x2.T.copy()]),
    ("tensordot all", lambda a, b: M.tensordot(a, b, 2), np.vdot, [x2, y2]),
]
EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ba,cb", (2, 3), (4, 2)),
    ("i,i->", (3,), (3,)),
    ("i,j->ij", (2,), (3,)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ii->", (3, 3)),
    ("ii", (3, 3)),
    ("bii->bi", (2, 3, 3)),
    ("ijk->j", (2, 3, 4)),
    ("ijk->kji", (2, 3, 4)),
    ("ij->", (2, 3)),
    ("i->i", (3,)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...ij,jk", (5, 2, 3), (3, 4)),
    ("...i,...i", (2, 3), (4, 2, 3)),
    ("...i,...i->...", (1, 3), (4, 2, 3)),
    ("bi,ij,bj->b", (4, 2), (2, 3), (4, 3)),
    ("ij,jk,kl,lm->im", (2, 3), (3, 4), (4, 2), (2, 5)),
    ("ij,k->i", (2, 3), (4,)),
    ("ij,jk,k,l->il", (2, 3), (3, 4), (4,), (2,)),
    ("iij,jkk->ik", (2, 2, 3), (3, 4, 4)),
    ("a b, b c -> a c", (2, 3), (3, 4)),
    ("...->...", (2, 3)),
    ("...i->i...", (2, 3, 4)),
    ("iijj->ij", (2, 2, 3, 3)),
    ("bij,bjk->bki", (2, 3, 4), (2, 4, 5)),
    (",i->i", (), (3,)),
    ("abc,cd,def->abef", (2, 3, 4), (4, 2), (2, 5, 2)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("i,i,i", (3,), (3,), (3,)),
]
TABLE += [
    (f"einsum {e}", lambda *xs, e=e: M.einsum(e, *xs), lambda *xs, e=e: np.einsum(e, *xs), [rng.normal(size=s) for s in sizes])
    for e, *sizes in EINSUMS
]
NOT_RANKLESS = ("polyval", "matvec", "einsum", "segment_prod", "unsorted", "pow", "lbeta", "top_k")
IDS = [row[0] for row in TABLE]


def flat(values):
    return [v for v in tf.nest.flatten(values) if v is not None]


def same(found, expected, rtol=1e-10):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    for f, e in zip(found, expected, strict=True):
        f = np.asarray(f)
        assert f.shape == np.shape(e)
        np.testing.assert_allclose(f, e, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize(("label", "f", "oracle", "arrays"), TABLE, ids=IDS)
def test_value(label, f, oracle, arrays, static):
    expected = oracle(*arrays)
    same(f(*[convert(a) for a in arrays]), expected)
    same(static(f, arrays, "known"), expected)
    same(static(f, arrays, "unknown"), expected)
    if not label.startswith(NOT_RANKLESS):
        same(static(f, arrays, "rankless"), expected)


@pytest.mark.parametrize(("label", "f", "oracle", "arrays"), TABLE, ids=IDS)
@pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")
def test_derivatives(label, f, oracle, arrays, derivatives):
    if label not in ("floordiv", "truncatediv"):
        derivatives(f, arrays)


@pytest.mark.parametrize(("f", "kinds"), [(row[0], row[3]) for row in UNARY], ids=[row[0].__name__ for row in UNARY])
def test_dtypes(f, kinds):
    for dtype in ("int32", "uint8", "float16", "float32", "float64", "complex64", "bool"):
        x = tf.cast(np.array([1, 1]), dtype)
        if x.nptype.kind in kinds and not (dtype == "complex64" and f is M.reciprocal_no_nan):
            if dtype == "float16" and f.__module__.startswith("wengert") and kinds == REAL:
                f(x)
            else:
                assert f(x).dtype.kind in ("iufb" if dtype == "complex64" else x.nptype.kind) + "c"
        elif x.nptype.kind not in kinds:
            with pytest.raises(TypeError):
                f(x)
            with Graph().as_default(), pytest.raises(TypeError):
                f(apply(PLACEHOLDER, (), {"dtype": x.nptype, "shape": None}))


E32 = np.float32
EXACT = [
    ("add ints", lambda: M.add(1, 2), np.int32(3)),
    ("add python float", lambda: M.add(tf.constant([1.0]), 1), np.array([2], E32)),
    ("add promotes", lambda: M.add(tf.constant(1.0), tf.constant(2.0, "float64")), np.float64(3)),
    ("add strings", lambda: M.add("a", "b"), b"ab"),
    ("divide ints", lambda: M.divide(1, 2), np.float64(0.5)),
    ("divide int8", lambda: M.truediv(tf.constant(1, "int8"), tf.constant(2, "int8")), E32(0.5)),
    ("truncatediv", lambda: M.truncatediv([-7, 7], [2, -2]), np.array([-3, -3], np.int32)),
    ("floordiv", lambda: M.floordiv([-7, 7], 2), np.array([-4, 3], np.int32)),
    ("truncatemod", lambda: M.truncatemod(-7, 3), np.int32(-1)),
    ("divide_no_nan", lambda: M.divide_no_nan([1.0, 0.0], 0.0), np.zeros(2, E32)),
    ("reciprocal_no_nan", lambda: M.reciprocal_no_nan([0.0, 2.0]), np.array([0, 0.5], E32)),
    ("multiply_no_nan", lambda: M.multiply_no_nan([np.nan, np.inf, 2.0], [0.0, 0.0, 3.0]), np.array([0, 0, 6], E32)),
    ("xlogy", lambda: M.xlogy([0.0, 0.0], [0.0, np.nan]), np.zeros(2, E32)),
    ("pow ints", lambda: M.pow([2, 3], 3), np.array([8, 27], np.int32)),
    ("pow tensors", lambda: M.pow(tf.constant(2), tf.constant(5)), np.int32(32)),
    ("pow variable", lambda: M.pow(tf.Variable(3.0), 2), E32(9)),
    ("round", lambda: M.round([-1.5, -0.5, 0.5, 1.5, 2.5]), np.array([-2, -0.0, 0, 2, 2], E32)),
    ("sign", lambda: M.sign([-2, 0, 3]), np.array([-1, 0, 1], np.int32)),
    ("equal", lambda: M.equal([1, 2], [1, 3]), np.array([True, False])),
    ("equal strings", lambda: M.equal(["a", "b"], "a"), np.array([True, False])),
    ("not_equal", lambda: M.not_equal([1, 2], 1), np.array([False, True])),
    ("less", lambda: M.less([1, 2], 2), np.array([True, False])),
    ("less_equal", lambda: M.less_equal([1, 3], 2), np.array([True, False])),
    ("greater", lambda: M.greater([1, 3], 2), np.array([False, True])),
    ("greater_equal", lambda: M.greater_equal([1, 2], 2), np.array([False, True])),
    ("and", lambda: M.logical_and([True, False], True), np.array([True, False])),
    ("or", lambda: M.logical_or([True, False], False), np.array([True, False])),
    ("not", lambda: M.logical_not([True]), np.array([False])),
    ("xor", lambda: M.logical_xor([True, True], [True, False]), np.array([False, True])),
    ("is_nan", lambda: M.is_nan([1.0, np.nan]), np.array([False, True])),
    ("is_inf", lambda: M.is_inf([1.0, -np.inf]), np.array([False, True])),
    ("is_finite", lambda: M.is_finite([1.0, np.inf]), np.array([True, False])),
    ("approximate_equal", lambda: M.approximate_equal([1.0, 2.0], [1.0, 2.1], 0.01), np.array([True, False])),
    ("reduce_mean ints", lambda: M.reduce_mean([1, 2, 4]), np.int32(2)),
    ("reduce_sum int8", lambda: M.reduce_sum(tf.constant([1, 2], "int8")), np.int8(3)),
    ("reduce_any", lambda: M.reduce_any([[True, False], [False, False]], 1), np.array([True, False])),
    ("reduce_all", lambda: M.reduce_all([True, False]), np.False_),
    ("reduce_max empty", lambda: M.reduce_max(tf.zeros([0, 2]), 0), np.full(2, -np.inf, E32)),
    ("reduce_sum empty", lambda: M.reduce_sum([]), E32(0)),
    ("reduce_prod ints", lambda: M.reduce_prod([[1, 2], [3, 4]]), np.int32(24)),
    ("reduce_prod no axes", lambda: M.reduce_prod([1.0, 2.0], []), np.array([1, 2], E32)),
    ("norm ints", lambda: M.reduce_euclidean_norm([[1, 2, 3], [1, 1, 1]]), np.int32(4)),
    ("logsumexp -inf", lambda: M.reduce_logsumexp([-np.inf, -np.inf]), E32(-np.inf)),
    ("logsumexp large", lambda: M.reduce_logsumexp([1e4, -1e4]), E32(1e4)),
    ("count_nonzero", lambda: M.count_nonzero([[0, 1], [2, 3]], 0), np.array([1, 2])),
    ("count_nonzero bool", lambda: M.count_nonzero([True, False, True], dtype="int32"), np.int32(2)),
    ("count_nonzero text", lambda: M.count_nonzero(["", "a"]), np.int64(1)),
    ("count_nonzero keep", lambda: M.count_nonzero([[0.0, 1.5]], axis=1, keepdims=True), np.array([[1]])),
    ("zero_fraction", lambda: M.zero_fraction([0, 1, 0, 0]), E32(0.75)),
    ("non_decreasing", lambda: M.is_non_decreasing([1, 1, 2]), np.True_),
    ("increasing", lambda: M.is_strictly_increasing([1, 1, 2]), np.False_),
    ("increasing short", lambda: M.is_strictly_increasing([1]), np.True_),
    ("cumsum ints", lambda: M.cumsum([1, 2, 3], reverse=True), np.array([6, 5, 3], np.int32)),
    ("cum lse far", lambda: M.cumulative_logsumexp([-1e4, 0.0, 1e4]), np.array([-1e4, 0, 1e4], E32)),
    ("cum lse exclusive", lambda: M.cumulative_logsumexp([1.0, 2.0], exclusive=True), np.array([np.finfo(E32).min, 1], E32)),
    (
        "cum lse exclusive reverse",
        lambda: M.cumulative_logsumexp([1.0, 2.0], exclusive=True, reverse=True),
        np.array([2, np.finfo(E32).min], E32),
    ),
    ("cum lse -inf", lambda: M.cumulative_logsumexp([-np.inf, 1.0]), np.array([-np.inf, 1], E32)),
    ("cum lse empty", lambda: M.cumulative_logsumexp([]), np.zeros(0, E32)),
    ("argmax", lambda: M.argmax([1, 5, 5]), np.int64(1)),
    ("argmax axis", lambda: M.argmax([[1, 5], [7, 2]], 1, "int32"), np.array([1, 0], np.int32)),
    ("argmin", lambda: M.argmin([[2, 1], [0, 3]], axis=-1), np.array([1, 0])),
    ("argmax bool", lambda: M.argmax([False, True]), np.int64(1)),
    ("top_k", lambda: M.top_k([2.0, 1.0, 2.0, 2.0], 3), [np.array([2, 2, 2], E32), np.array([0, 2, 3], np.int32)]),
    ("top_k 0", lambda: M.top_k([1.0], 0)[0], np.zeros(0, E32)),
    ("top_k int64", lambda: M.top_k([1, 9], index_type="int64"), [np.array([9], np.int32), np.array([1])]),
    (
        "in_top_k",
        lambda: M.in_top_k(
            [0, 2, 1, 3, 0], [[3.0, 2.0, 1.0], [1.0, 2.0, 0.0], [5.0, 5.0, 5.0], [1.0, 2.0, 3.0], [np.nan, 1.0, 1.0]], 2
        ),
        np.array([True, False, True, False, False]),
    ),
    ("segment ints", lambda: M.segment_sum([1, 2, 3], [0, 1, 1]), np.array([1, 5], np.int32)),
    ("segment none", lambda: M.segment_sum(tf.zeros([0, 2]), np.zeros(0, int)), np.zeros((0, 2), E32)),
    ("segment_max ints", lambda: M.segment_max([-1, -2, 5], [0, 0, 2]), np.array([-1, 0, 5], np.int32)),
    ("unsorted max empty", lambda: M.unsorted_segment_max([1.0], [1], 2), np.array([np.finfo(E32).min, 1], E32)),
    ("unsorted min empty", lambda: M.unsorted_segment_min([1], [1], 2), np.array([2**31 - 1, 1], np.int32)),
    ("unsorted prod ints", lambda: M.unsorted_segment_prod([2, 3, 4], [1, 1, -1], 2), np.array([1, 6], np.int32)),
    ("bincount", lambda: M.bincount([0, 1, 1, 5]), np.array([1, 2, 0, 0, 0, 1], np.int32)),
    ("bincount none", lambda: M.bincount(np.zeros(0, int)), np.zeros(0, np.int32)),
    ("bincount lengths", lambda: M.bincount([1, 7, 2], minlength=5, maxlength=6), np.array([0, 1, 1, 0, 0, 0], np.int32)),
    ("bincount minlength", lambda: M.bincount([1], minlength=4, dtype="int64"), np.array([0, 1, 0, 0])),
    ("bincount binary", lambda: M.bincount([1, 1], binary_output=True), np.array([0, 1], np.int32)),
    ("bincount rows", lambda: M.bincount([[0, 1, 1], [2, 2, 0]], axis=-1), np.array([[1, 2, 0], [1, 0, 2]], np.int32)),
    ("bincount rows max", lambda: M.bincount([[0, 1, 1], [2, 2, 0]], axis=-1, maxlength=2), np.array([[1, 2], [1, 0]], np.int32)),
    ("confusion", lambda: M.confusion_matrix([0, 1, 1], [0, 1, 0]), np.array([[1, 0], [1, 1]], np.int32)),
    (
        "confusion weights",
        lambda: M.confusion_matrix([0, 1], [1, 1], 3, [0.5, 2.0], "float32"),
        np.array([[0, 0.5, 0], [0, 2, 0], [0, 0, 0]], E32),
    ),
    ("matmul ints", lambda: M.matmul([[1, 2]], [[3], [4]]), np.array([[11]], np.int32)),
    ("matmul output_type", lambda: M.matmul([[1.0]], [[2.0]], output_type="float64"), np.array([[2.0]])),
    ("matmul adjoint", lambda: M.matmul([[1 + 2j]], [[1 + 1j]], adjoint_a=True), np.array([[3 - 1j]])),
    ("einsum ints", lambda: M.einsum("ij,j->i", [[1, 2], [3, 4]], [1, 1]), np.array([3, 7], np.int32)),
    ("einsum diagonal", lambda: M.einsum("i->ii", [1.0, 2.0]), np.diag([1, 2]).astype(E32)),
    ("einsum cube", lambda: M.einsum("i->iii", [1, 2])[1], np.diag([0, 2]).astype(np.int32)),
    ("einsum diagonal middle", lambda: M.einsum("ij->iji", [[1, 2]]), np.array([[[1], [2]]], np.int32)),
    ("einsum optimize", lambda: M.einsum("i,i", [1.0], [2.0], optimize="greedy", name="e"), E32(2)),
    ("tensordot tensor", lambda: M.tensordot([1.0], [2.0], tf.constant([[0], [0]])), E32(2)),
    ("real of real", lambda: M.real(1.5), E32(1.5)),
    ("imag of real", lambda: M.imag([1.5]), np.zeros(1, E32)),
    ("angle of real", lambda: M.angle([-1.0, 2.0]), np.array([np.pi, 0], E32)),
    ("abs complex", lambda: M.abs(3 + 4j), np.float64(5)),
    ("sign complex", lambda: M.sign(tf.constant(3 + 4j)), np.complex128(0.6 + 0.8j)),
    ("variance complex", lambda: M.reduce_variance([1 + 1j, 1 - 1j]), np.float64(1)),
    ("nextafter", lambda: M.nextafter(1.0, 2.0), np.nextafter(E32(1), E32(2))),
    ("polyval none", lambda: M.polyval([], [1.0]), np.zeros(1, E32)),
    ("clip zero", lambda: M.clip_by_norm([0.0, 0.0], 1.0), np.zeros(2, E32)),
    ("clip ints", lambda: M.clip_by_value([1, 5], 2, 4), np.array([2, 4], np.int32)),
    ("spence 1", lambda: M.special.spence([1.0]), np.zeros(1, E32)),
    ("softmax large", lambda: M.softmax([1e4, 0.0]), np.array([1, 0], E32)),
    ("add_n one", lambda: M.add_n([[1.0]]), np.ones(1, E32)),
    ("add_n promotes", lambda: M.add_n([tf.constant(1.0), tf.constant(2.0, "float64")]), np.float64(3)),
    ("scalar_mul", lambda: M.scalar_mul(2, [1.5]), np.array([3], E32)),
]


@pytest.mark.parametrize(("label", "f", "expected"), EXACT, ids=[r[0] for r in EXACT])
def test_exact(label, f, expected):
    for found in (flat(f()), in_a_run(f)):
        for v, e in zip(found, flat(expected), strict=True):
            v = np.asarray(v)
            if np.asarray(e).dtype.kind != "S":
                assert v.dtype == np.asarray(e).dtype
                np.testing.assert_allclose(v, e, rtol=1e-6)
            else:
                assert v.item() == e


def in_a_run(f):
    graph = Graph()
    with graph.as_default():
        outputs = flat(f())
    if any(hasattr(o, "array") for o in outputs) or "Variable" in str(f.__code__.co_names):
        return flat(f())
    return NumPyProgram(graph, outputs, [])()


ONE = [[1.0, 2.0], [3.0, 4.0]]
REFUSED = [
    ("None", lambda: M.sin(None), ValueError),
    ("ragged", lambda: M.sin([[1.0], [1.0, 2.0]]), ValueError),
    ("string", lambda: M.sin("a"), TypeError),
    ("dict", lambda: M.add(1.0, {}), TypeError),
    ("callable", lambda: M.add(len, 1.0), TypeError),
    ("add None", lambda: M.add(1.0, None), ValueError),
    ("add mixed", lambda: M.add(tf.constant(1), tf.constant(1.0)), TypeError),
    ("add shapes", lambda: M.add([1.0, 2.0], [1.0, 2.0, 3.0]), errors.InvalidArgumentError),
    ("int + 1.5", lambda: M.add(tf.constant(1), 1.5), TypeError),
    ("integer division", lambda: M.floordiv(1, 0), errors.InvalidArgumentError),
    ("integer remainder", lambda: M.floormod(1, 0), errors.InvalidArgumentError),
    ("truncatediv 0", lambda: M.truncatediv(1, 0), errors.InvalidArgumentError),
    ("negative power", lambda: M.pow(tf.constant(2), -1), errors.InvalidArgumentError),
    ("pow dict", lambda: M.pow(2.0, {}), TypeError),
    ("bool sum", lambda: M.reduce_sum([True]), TypeError),
    ("any of ints", lambda: M.reduce_any([1]), TypeError),
    ("axis", lambda: M.reduce_sum(ONE, 2), errors.ShapeError),
    ("axis -3", lambda: M.reduce_max(ONE, -3), errors.ShapeError),
    ("axis of scalar", lambda: M.reduce_sum(1.0, 0), errors.ShapeError),
    ("axis twice", lambda: M.reduce_sum(ONE, [0, -2]), errors.ShapeError),
    ("axis float", lambda: M.reduce_sum(ONE, 0.0), TypeError),
    ("axis text", lambda: M.reduce_sum(ONE, "x"), errors.InvalidArgumentError),
    ("axis None in list", lambda: M.reduce_mean(ONE, [None]), errors.InvalidArgumentError),
    ("prod axis", lambda: M.reduce_prod(ONE, [0, 5]), errors.ShapeError),
    ("variance of ints", lambda: M.reduce_variance([1, 2]), TypeError),
    ("logsumexp of ints", lambda: M.reduce_logsumexp([1, 2]), TypeError),
    ("cumsum axis", lambda: M.cumsum(ONE, 2), errors.ShapeError),
    ("cumsum scalar", lambda: M.cumsum(1.0), errors.ShapeError),
    ("cumprod bool", lambda: M.cumprod([True]), TypeError),
    ("argmax empty", lambda: M.argmax(tf.zeros([0])), errors.InvalidArgumentError),
    ("argmax axis", lambda: M.argmax([1.0], 1), errors.ShapeError),
    ("argmax complex", lambda: M.argmax([1j]), TypeError),
    ("top_k", lambda: M.top_k([1.0], 2), errors.InvalidArgumentError),
    ("top_k negative", lambda: M.top_k([1.0], -1), errors.InvalidArgumentError),
    ("top_k scalar", lambda: M.top_k(1.0), errors.ShapeError),
    ("in_top_k", lambda: M.in_top_k([0, 1], [[1.0]], 1), errors.ShapeError),
    ("softmax scalar", lambda: M.softmax(1.0), errors.ShapeError),
    ("softmax ints", lambda: M.softmax([1]), TypeError),
    ("softmax axis", lambda: M.softmax([1.0], 1), errors.ShapeError),
    ("clip bounds", lambda: M.clip_by_value([1.0], [1.0, 2.0], 3.0), errors.ShapeError),
    ("clip_by_norm", lambda: M.clip_by_norm([1], 1), TypeError),
    ("clip_by_norm shape", lambda: M.clip_by_norm([1.0], [[1.0], [2.0]]), errors.ShapeError),
    ("global_norm", lambda: M.global_norm(tf.constant([1.0])), TypeError),
    ("global_norm none", lambda: M.global_norm([None]), ValueError),
    ("add_n", lambda: M.add_n([]), ValueError),
    ("add_n shapes", lambda: M.add_n([[1.0], [1.0, 2.0]]), errors.ShapeError),
    ("add_n mixed", lambda: M.add_n([tf.constant(1), tf.constant(1.0)]), TypeError),
    ("scalar_mul", lambda: M.scalar_mul([1.0, 2.0], [1.0]), ValueError),
    ("approximate_equal", lambda: M.approximate_equal([1.0], [1.0, 2.0]), ValueError),
    ("complex ints", lambda: M.complex(1, 2), TypeError),
    ("complex half", lambda: M.complex(tf.constant(1.0, "float16"), tf.constant(1.0, "float16")), TypeError),
    ("lbeta scalar", lambda: M.lbeta(1.0), errors.ShapeError),
    ("polyval", lambda: M.polyval(1.0, 2.0), ValueError),
    ("segments decrease", lambda: M.segment_sum([1.0, 2.0], [1, 0]), errors.InvalidArgumentError),
    ("segments negative", lambda: M.segment_max([1.0], [-1]), errors.InvalidArgumentError),
    ("segment shapes", lambda: M.segment_sum([1.0, 2.0], [0]), errors.ShapeError),
    ("segment floats", lambda: M.segment_sum([1.0], [0.0]), TypeError),
    ("segment matrix", lambda: M.segment_sum(ONE, [[0, 0], [1, 1]]), errors.ShapeError),
    ("segment range", lambda: M.unsorted_segment_sum([1.0], [2], 2), errors.InvalidArgumentError),
    ("segment range max", lambda: M.unsorted_segment_max([1.0], [2], 2), errors.InvalidArgumentError),
    ("segment range prod", lambda: M.unsorted_segment_prod([1.0], [2], 2), errors.InvalidArgumentError),
    ("segment number", lambda: M.unsorted_segment_sum([1.0], [0], -1), errors.InvalidArgumentError),
    ("bincount", lambda: M.bincount([-1]), errors.InvalidArgumentError),
    ("bincount floats", lambda: M.bincount([1.0]), TypeError),
    ("bincount weights", lambda: M.bincount([1, 2], [1.0]), errors.ShapeError),
    ("bincount axis", lambda: M.bincount([1], axis=-2), ValueError),
    ("bincount vector", lambda: M.bincount([1], axis=-1), errors.ShapeError),
    ("bincount both", lambda: M.bincount([1], [1.0], binary_output=True), ValueError),
    ("confusion range", lambda: M.confusion_matrix([3], [0], 2), errors.InvalidArgumentError),
    ("confusion number", lambda: M.confusion_matrix([0, 1], [0]), errors.InvalidArgumentError),
    ("matmul vectors", lambda: M.matmul([1.0], [1.0]), errors.ShapeError),
    ("matmul vector", lambda: M.matmul(ONE, [1.0, 2.0]), errors.ShapeError),
    ("matmul sizes", lambda: M.matmul(ONE, [[1.0, 2.0]]), errors.ShapeError),
    ("matmul flags", lambda: M.matmul(ONE, ONE, transpose_a=True, adjoint_a=True), ValueError),
    ("matmul flags b", lambda: M.matmul(ONE, ONE, transpose_b=True, adjoint_b=True), ValueError),
    ("matmul bools", lambda: M.matmul([[True]], [[True]]), TypeError),
    ("matmul mixed", lambda: M.matmul(tf.constant([[1]]), tf.constant([[1.0]])), TypeError),
    ("matvec scalar", lambda: M.matvec(ONE, 1.0), errors.ShapeError),
    ("matvec sizes", lambda: M.matvec(ONE, [1.0]), errors.ShapeError),
    ("tensordot sizes", lambda: M.tensordot([1.0, 2.0], [1.0], 1), errors.InvalidArgumentError),
    ("tensordot axes", lambda: M.tensordot(ONE, ONE, 3), errors.ShapeError),
    ("tensordot axis", lambda: M.tensordot(ONE, ONE, [[5], [0]]), errors.ShapeError),
    ("tensordot lists", lambda: M.tensordot(ONE, ONE, [[0, 1], [0]]), ValueError),
    ("tensordot text", lambda: M.tensordot(ONE, ONE, "ab"), ValueError),
    ("tensordot none", lambda: M.tensordot(ONE, ONE, None), ValueError),
    ("einsum letters", lambda: M.einsum("i1->", ONE), ValueError),
    ("einsum operands", lambda: M.einsum("ij,jk->ik", ONE), ValueError),
    ("einsum rank", lambda: M.einsum("i->", ONE), errors.ShapeError),
    ("einsum result", lambda: M.einsum("ij->k", ONE), ValueError),
    ("einsum sizes", lambda: M.einsum("ij,jk->ik", ONE, [[1.0, 2.0]]), errors.InvalidArgumentError),
    ("einsum diagonal", lambda: M.einsum("ii->", [[1.0, 2.0]]), errors.ShapeError),
    ("einsum three sizes", lambda: M.einsum("ij,jk,kl->il", ONE, ONE, [[1.0]]), errors.InvalidArgumentError),
    ("einsum equation", lambda: M.einsum(None, ONE), ValueError),
    ("einsum none", lambda: M.einsum("i"), ValueError),
    ("einsum keyword", lambda: M.einsum("ij", ONE, fast=True), TypeError),
    ("einsum bool", lambda: M.einsum("i,i", [True], [True]), TypeError),
    ("einsum dots", lambda: M.einsum("...ijk->...", ONE), errors.ShapeError),
]


@pytest.mark.parametrize(("label", "f", "kind"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refuses(label, f, kind):
    with pytest.raises(kind) as caught:
        f()
    assert isinstance(caught.value, errors.OpError | ValueError | TypeError)
    graph = Graph()
    with pytest.raises(kind), graph.as_default():
        NumPyProgram(graph, flat(f()), [])()


TF_ORDERS = json.loads((Path(__file__).parents[1] / "tables" / "none_orders.json").read_text())
OTHERS = ("signal", "map_fn", "scan", "vectorized", "while_loop", "tf.cond")
ORDERS = [
    (row["expr"], row["x"], row["orders"], row["value"])
    for row in TF_ORDERS.values()
    if "x" in row
    and not any(s in row["expr"] for s in OTHERS)
    and ("linalg" not in row["expr"] or "matvec" in row["expr"])
    and "zeta(x" not in row["expr"]  # TensorFlow states no derivative by that argument
]


@pytest.mark.parametrize(("expr", "at", "orders", "value"), ORDERS, ids=[row[0] for row in ORDERS])
def test_orders_as_in_tensorflow(expr, at, orders, value):
    x = tf.constant(np.array(at), tf.float64)

    def derivative(n):
        if n == 0:
            return tf.reduce_sum(eval(expr))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = derivative(n - 1)
            y = None if y is None else tf.reduce_sum(y)
        return None if y is None else tape.gradient(y, x)

    assert float(tf.cast(derivative(0), tf.float64)) == pytest.approx(value, rel=1e-7, abs=1e-7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n, wanted in enumerate(orders, 1):
            if isinstance(wanted, str):
                break
            g = derivative(n)
            assert (g is None) == (wanted is None)
            if g is None:
                break
            wanted = np.array([[float(v) for v in np.ravel(wanted)]]).ravel()
            if not np.isnan(wanted).any():
                np.testing.assert_allclose(np.ravel(np.asarray(g, np.float64)), wanted, rtol=1e-6, atol=1e-8)


# Bessel functions and sinc at 0, where formulas that divide by x fail: derivatives of orders 1 to 4 by mpmath.
AT_ZERO = [
    (M.bessel_i0, lambda x: mpmath.besseli(0, x)),
    (M.bessel_i1, lambda x: mpmath.besseli(1, x)),
    (M.special.bessel_j0, lambda x: mpmath.besselj(0, x)),
    (M.special.bessel_j1, lambda x: mpmath.besselj(1, x)),
    (M.sinc, mpmath.sinc),
    (M.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x))),
]


@pytest.mark.parametrize(("f", "oracle"), AT_ZERO, ids=[r[0].__name__ for r in AT_ZERO])
@pytest.mark.parametrize("at", [0.0, 1e-7, -0.01, 1.5])
def test_orders_near_zero(f, oracle, at):
    x = tf.constant(at, tf.float64)

    def derivative(n):
        if n == 0:
            return f(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = derivative(n - 1)
        return tape.gradient(y, x)

    with mpmath.workdps(40):
        for n in range(5):
            # The coefficients of a Taylor polynomial, from a circle around the point: no differences.
            wanted = float(mpmath.diff(oracle, mpmath.mpf(at) + mpmath.mpf("1e-30"), n, h=mpmath.mpf("1e-6")))
            assert float(derivative(n)) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def placeholder(nptype, shape=None):
    return apply(PLACEHOLDER, (), {"dtype": np.dtype(nptype), "shape": shape})


DYNAMIC = [
    ("segment_sum", lambda ids: M.segment_sum([1.0, 2.0, 3.0], ids), [0, 0, 2], [3, 0, 3]),
    ("segment_mean", lambda ids: M.segment_mean([1.0, 2.0, 3.0], ids), [0, 0, 2], [1.5, 0, 3]),
    ("segment_max", lambda ids: M.segment_max([1.0, 2.0, 3.0], ids), [0, 0, 2], [2, 0, 3]),
    ("segment_prod", lambda ids: M.segment_prod([4.0, 2.0, 3.0], ids), [0, 0, 2], [8, 1, 3]),
    ("unsorted number", lambda n: M.unsorted_segment_sum([1.0, 2.0], [1, 0], n[0]), [3, 0, 0], [2, 1, 0]),
    ("unsorted max number", lambda n: M.unsorted_segment_max([1.0, 2.0], [1, 0], n[0]), [2, 0, 0], [2, 1]),
    ("unsorted prod number", lambda n: M.unsorted_segment_prod([1.0, 2.0], [1, 1], n[0]), [2, 0, 0], [1, 2]),
    ("bincount", M.bincount, [2, 0, 2], [1, 0, 2]),
    ("bincount longer", lambda v: M.bincount(v, minlength=5, maxlength=6), [2, 9, 2], [0, 0, 2, 0, 0, 0]),
    ("top_k", lambda k: M.top_k([3.0, 1.0, 2.0], k[0]).values, [2, 0, 0], [3, 2]),
    ("in_top_k", lambda t: M.in_top_k(t, np.eye(3, dtype=np.float32), 1), [0, 0, 2], [True, False, True]),
    ("confusion", lambda v: M.confusion_matrix(v, v), [1, 1, 0], [[1, 0], [0, 2]]),
    ("bincount rows", lambda v: M.bincount([v, v], axis=-1), [1, 1, 0], [[1, 2], [1, 2]]),
]


@pytest.mark.parametrize(("label", "f", "value", "expected"), DYNAMIC, ids=[r[0] for r in DYNAMIC])
def test_integers_that_a_run_decides(label, f, value, expected):
    graph = Graph()
    with graph.as_default():
        place = placeholder(np.int32, (3,))
        out = f(place)
    (found,) = NumPyProgram(graph, [out], [place])(np.array(value, np.int32))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.asarray(f(tf.constant(value))), expected)


@pytest.mark.parametrize(
    "f",
    [
        lambda k: M.top_k([3.0, 1.0], k),
        lambda k: M.unsorted_segment_sum([1.0], [3], k),
        lambda k: M.unsorted_segment_max([1.0], [3], k),
    ],
)
def test_a_run_refuses(f):
    graph = Graph()
    with graph.as_default():
        place = placeholder(np.int32, ())
        out = tf.nest.flatten(f(place))[0]
    with pytest.raises(errors.InvalidArgumentError):
        NumPyProgram(graph, [out], [place])(np.int32(3))


def test_axes_that_a_graph_decides_are_refused():
    with Graph().as_default():
        x, axis = placeholder(np.float32, (2, 3)), placeholder(np.int32, ())
        for f in (M.reduce_sum, M.reduce_prod, M.cumsum, M.argmax, M.softmax, M.reduce_logsumexp):
            with pytest.raises(errors.UnimplementedError):
                f(x, axis)
        assert M.reduce_sum(x, tf.constant([1])).sizes == (2,)
        assert M.reduce_sum(x, tf.constant(-1), keepdims=True).sizes == (2, 1)


def test_shapes_of_unknown_sizes():
    with Graph().as_default():
        x, y = placeholder(np.float32, (None, 3)), placeholder(np.float32, None)
        assert (
            M.reduce_sum(x, 0).sizes == (3,) and M.reduce_prod(x).sizes == () and M.reduce_prod(x, [0, 1], True).sizes == (1, 1)
        )
        assert M.matmul(x, x, transpose_a=True).sizes == (3, 3) and M.tensordot(x, x, [[0], [0]]).sizes == (3, 3)
        assert (
            M.einsum("ij,kj->ki", x, x).sizes == (None, None)
            and M.softmax(x).sizes == (None, 3)
            and M.top_k(x, 2).values.sizes == (None, 2)
        )
        assert M.reduce_sum(y).sizes == () and M.add(x, 1.0).sizes == (None, 3) and M.cumulative_logsumexp(x, 1).sizes is not None
        assert M.tensordot(y, x, 1).sizes is None
        with pytest.raises(errors.ShapeError):
            M.einsum("...i->...", y)


def test_a_products_derivative_where_the_rank_of_a_factor_is_never_known():
    a, b = np.arange(16.0).reshape(2, 4, 2) / 8.0, np.arange(6.0).reshape(2, 3)

    @tf.function
    def slope(x, y):
        with tf.GradientTape() as tape:
            tape.watch(y)
            value = tf.reduce_sum(tf.sin(M.matmul(tf.py_function(lambda v: v, [x], tf.float64), y)))
        return tape.gradient(value, y)

    np.testing.assert_allclose(slope(a, b), np.einsum("kij,kil->jl", a, np.cos(a @ b)), rtol=1e-12)


def test_names_of_nodes():
    with Graph().as_default():
        x = placeholder(np.float32, (None, 3))
        made = [
            M.add(x, x),
            M.subtract(x, x),
            M.multiply(x, x),
            M.divide(x, x),
            M.matmul(x, x, transpose_b=True),
            M.exp(x),
            M.maximum(x, x),
            M.reduce_sum(x),
            M.cumsum(x),
            M.argmax(x, 1),
            M.clip_by_value(x, 0.0, 1.0),
            M.add_n([x, x]),
            M.einsum("ij,kj->ik", x, x),
            M.tensordot(x, x, [[1], [1]]),
            M.softmax(x),
            M.sin(x, name="mine"),
            M.top_k(x).values,
            M.pow(x, 2, name="p"),
        ]
        assert [t.name for t in made] == [
            "Add:0",
            "Sub:0",
            "Mul:0",
            "truediv:0",
            "MatMul:0",
            "Exp:0",
            "Maximum:0",
            "Sum:0",
            "Cumsum:0",
            "ArgMax:0",
            "clip_by_value:0",
            "AddN:0",
            "einsum/Einsum:0",
            "Tensordot:0",
            "Softmax:0",
            "mine:0",
            "TopKV2:0",
            "p:0",
        ]


def test_slices_stay_slices():
    rows = IndexedSlices(tf.constant([[3.0], [4.0]]), tf.constant([0, 2]), tf.constant([3, 1]))
    clipped, norm = M.clip_by_global_norm([rows, None], 1.0)
    assert isinstance(clipped[0], IndexedSlices) and clipped[1] is None and float(norm) == 5.0
    np.testing.assert_allclose(clipped[0].numpy(), [[0.6], [0], [0.8]], rtol=1e-6)
    assert isinstance(M.clip_by_norm(rows, 1.0), IndexedSlices) and isinstance(M.scalar_mul(2.0, rows), IndexedSlices)


def test_norm_that_is_not_finite_gives_nan():
    clipped, norm = M.clip_by_global_norm([[np.inf], [1.0]], 1.0)
    assert np.isnan(clipped[1].numpy()).all() and not math.isfinite(float(norm))


def test_variables_are_taken():
    v = tf.Variable([1.0, 4.0])
    assert M.sqrt(v).numpy().tolist() == [1, 2] and M.add(v, v).numpy().tolist() == [2, 8] and M.reduce_sum(v).numpy() == 5
    assert M.matmul([[1.0, 1.0]], v[:, None]).numpy().tolist() == [[5]]


def test_of_equal_names_the_signature_is_tensorflows():
    x = tf.constant([[1.0, 2.0]])
    assert M.reduce_sum(input_tensor=x, axis=1, keepdims=True, name="s").shape == (1, 1)
    assert M.real(input=x) is x and M.softplus(features=x).shape == (1, 2) and M.atan2(y=x, x=x).shape == (1, 2)
    assert M.top_k(input=x, k=1, sorted=True).indices.numpy().tolist() == [[1]]


def test_tensors_namespace_has_the_new_operations():
    x = tf.constant([1.0, 2.0])
    assert tensors.add_n(x, x).numpy().tolist() == [2, 4] and tensors.cummax(x, axis=0, reverse=True).numpy().tolist() == [2, 2]


# Where x or y is infinite, NaN or 0: x y has the derivatives y and x, and 0 whatever x is where the factor beside it is 0.
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_multiply_no_nan_at_what_is_not_finite(mode, dtype):
    nan, inf = np.nan, np.inf
    x, y = tf.constant([0.0, 2.0, nan, inf, -inf, 3.0], dtype), tf.constant([0.0, 0.0, 0.0, 0.0, 0.0, inf], dtype)

    def slopes(x, y):
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            z = tf.math.multiply_no_nan(x, y)
        return z, *tape.gradient(z, [x, y])

    z, dx, dy = slopes(x, y) if mode == "eager" else tf.function(slopes)(x, y)
    np.testing.assert_array_equal(z, [0, 0, 0, 0, 0, inf])
    np.testing.assert_array_equal(dx, [0, 0, 0, 0, 0, inf])
    np.testing.assert_array_equal(dy, [0, 2, nan, inf, -inf, 3])


def test_the_sign_of_a_complex_number_turns_with_it():
    # The real part of (a + ib)/r grows with a by b²/r³, with b by -ab/r³: TensorFlow's gradient is the first plus i the second.
    z = tf.constant([1 + 1j, 3 - 4j, 0j, 1e-310j], tf.complex128)
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = tf.sign(z)
    np.testing.assert_allclose(y, [(1 + 1j) / 2**0.5, 0.6 - 0.8j, 0, 1j])
    np.testing.assert_allclose(tape.gradient(y, z)[:3], [(1 - 1j) / 8**0.5, (16 + 12j) / 125, 0])
