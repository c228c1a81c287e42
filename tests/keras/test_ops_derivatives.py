"""First and second derivatives through the functions of `keras.ops`, against central differences in float64."""

import re

import numpy as np
import pytest

import wengert as tf
from wengert.keras import losses, ops

rng = np.random.default_rng(3)
K = rng.normal(size=(3, 3))
VALUES = {
    "x": rng.uniform(0.2, 0.9, (2, 3)), "y": rng.uniform(0.3, 1.4, (2, 3)), "v": rng.uniform(0.2, 1.0, 3),
    "k": K @ K.T + 3.0 * np.eye(3), "t": rng.normal(size=(2, 3, 2)),
}  # fmt: skip
UNARY = """
    arccos arcsin arctanh arctan arcsinh cos cosh sin sinh tan tanh exp expm1 exp2 log log1p log2 log10 sqrt cbrt deg2rad rad2deg
    sinc i0 fabs abs square negative reciprocal rsqrt erf erfc erfinv digamma copy nan_to_num relu relu6 sigmoid softplus softsign
    silu gelu log_sigmoid leaky_relu elu selu celu hard_sigmoid hard_silu hard_tanh tanh_shrink squareplus sparse_plus
    sparse_sigmoid softmax log_softmax sparsemax normalize layer_normalization rms_normalization sum prod mean max min var std
    median logsumexp average ptp cumsum cumprod nanmean nansum nanprod nanvar nanstd nanmedian nanmax nanmin nancumsum nancumprod
    sort flip ravel transpose norm diff trapezoid diagflat triu tril
"""
BINARY = """
    add subtract multiply divide divide_no_nan maximum minimum fmax fmin arctan2 hypot logaddexp logaddexp2 mod fmod power outer
    inner vdot append kron cross cdist
"""
OTHERS = """
    ops.sum(x,axis=0) ops.prod(x,axis=1) ops.mean(x,axis=1,keepdims=True) ops.var(x,axis=0) ops.std(x,axis=1)
    ops.median(x,axis=1) ops.quantile(x,[0.2,0.7],axis=1) ops.percentile(x,30.0) ops.quantile(x,0.3,method="midpoint")
    ops.nanquantile(x,0.4,axis=0) ops.logsumexp(x,axis=1) ops.cumsum(x,axis=1) ops.cumprod(x,axis=0) ops.softmax(x,axis=None)
    ops.softmax(x,axis=(0,1)) ops.log_softmax(x,axis=None) ops.gelu(x,approximate=False) ops.elu(x-0.5,alpha=0.5)
    ops.celu(x-0.5,alpha=2.0) ops.glu(ops.transpose(x)[:,:2]) ops.hard_shrink(x) ops.soft_shrink(x) ops.threshold(x,0.5,0.1)
    ops.leaky_relu(x-0.5,0.1) ops.matmul(x,ops.transpose(y)) ops.matmul(x,v) ops.matmul(v,ops.transpose(x)) ops.matmul(v,v)
    ops.dot(x,v) ops.tensordot(x,y) ops.tensordot(x,y,axes=[[0],[0]]) ops.einsum("ij,kj->ik",x,y) ops.inner(v,x) ops.kron(x,v)
    ops.cross(x,v) ops.det(k) ops.slogdet(k)[1] ops.logdet(k+ops.transpose(k)) ops.inv(k) ops.solve(k,v)
    ops.solve(k,ops.transpose(x)) ops.cholesky(k+ops.transpose(k)) ops.cholesky(k+ops.transpose(k),upper=True)
    ops.lstsq(ops.transpose(x),v) ops.pinv(x) ops.svd(k)[1] ops.svd(x,compute_uv=False) ops.eigh(k)[0] ops.abs(ops.svd(k)[0])
    ops.matmul(ops.svd(x,False)[0],ops.svd(x,False)[2]) ops.qr(ops.transpose(x))[1] ops.solve_triangular(ops.triu(k),v)
    ops.trace(k) ops.trace(k,1) ops.diagonal(k,-1) ops.diag(v) ops.diag(k,1) ops.norm(x,axis=1) ops.norm(x,"nuc")
    ops.norm(x,1) ops.norm(x,2) ops.norm(v,3) ops.norm(v,-1) ops.norm(x,float("inf")) ops.where(x>0.5,x,y) ops.clip(x,0.3,0.6)
    ops.take(x,[0,-1],axis=1) ops.take_along_axis(x,np.array([[2],[0]]),axis=1) ops.roll(x,1) ops.rot90(x) ops.tile(x,2)
    ops.repeat(x,2,axis=1) ops.pad(x,1) ops.concatenate([x,y],axis=1) ops.stack([x,y]) ops.hstack([x,y]) ops.vstack([x,y])
    ops.dstack([x,y]) ops.split(x,[1],axis=1)[1] ops.moveaxis(t,0,-1) ops.swapaxes(t,0,2) ops.reshape(x,(3,2))
    ops.expand_dims(x,(0,2)) ops.squeeze(x[:1]) ops.meshgrid(v,v)[0] ops.linspace(x,y,3) ops.linspace(x,y,3,endpoint=False)
    ops.logspace(x,y,3) ops.geomspace(x,y,3) ops.vander(v) ops.slice_update(x,(0,1),y[:,:1])
    ops.scatter_update(v,np.array([[1],[1]]),v[:2],reduction="mul") ops.select([x>0.5],[x],y) ops.correlate(v,v,"full")
    ops.corrcoef(x) ops.average(x,weights=y) ops.average(x,axis=1,weights=v) ops.trapezoid(x,x=v) ops.diff(x,n=2)
    ops.ldexp(x,2) ops.heaviside(x*0.0,y) ops.batch_normalization(x,v,v,-1,offset=v,scale=v)
    ops.layer_normalization(x,gamma=v,beta=v) ops.binary_crossentropy(x,x*0.9) ops.binary_crossentropy(x,y,from_logits=True)
    ops.categorical_crossentropy(x,y) ops.psnr(x,y,2.0) ops.moments(x,[0])[1] ops.fft((x,y))[1] ops.rfft(x)[0]
    ops.segment_sum(x,np.array([1,0])) ops.top_k(x,2)[0] ops.power(x,3) ops.power(2.0,x) ops.power(x,-1.5) ops.multiply(x,0.1)
    ops.floor_divide(x,0.3)+x ops.nan_to_num(x) ops.arccosh(x+1.5) losses.huber(x,y,delta=0.2) losses.log_cosh(x,y)
    losses.kl_divergence(x,y) losses.poisson(x,y) losses.cosine_similarity(x,y) losses.mean_squared_error(x,y)
    losses.binary_crossentropy(x,0.9*x) losses.categorical_crossentropy(x,y,from_logits=True)
    losses.mean_squared_logarithmic_error(x,y)
"""
CASES = [
    *(f"ops.{name}(x)" for name in UNARY.split()),
    *(f"ops.{name}({pair})" for name in BINARY.split() for pair in ("x,y", "y,x")),
    *OTHERS.split(),
]


def weighted(case: str, names: list[str], tensors: list) -> object:
    """A sum of the result's elements with weights that tell them apart."""
    found = eval(case, {"ops": ops, "losses": losses, "np": np, **dict(zip(names, tensors, strict=True))})
    found = ops.cast(found, "float64")
    weights = tf.cos(1.0 + tf.cast(tf.range(tf.size(found)), tf.float64))
    return tf.reduce_sum(found * tf.reshape(weights, tf.shape(found)))


@pytest.mark.parametrize("case", CASES)
def test_derivatives(case: str):
    names = sorted(set(re.findall(r"\b[xyvkt]\b", case)))
    arrays = [VALUES[name] for name in names]
    ways = [np.sin(2.0 + np.arange(a.size)).reshape(a.shape) for a in arrays]

    def along(*tensors):
        with tf.GradientTape() as outer:
            outer.watch(tensors)
            with tf.GradientTape() as inner:
                inner.watch(tensors)
                y = weighted(case, names, tensors)
            slopes = inner.gradient(y, tensors, unconnected_gradients="zero")
            first = tf.add_n([tf.reduce_sum(s * w) for s, w in zip(slopes, ways, strict=True)])
        bends = outer.gradient(first, tensors, unconnected_gradients="zero")
        return first, tf.add_n([tf.reduce_sum(b * w) for b, w in zip(bends, ways, strict=True)])

    def at(step: float) -> float:
        return float(weighted(case, names, [tf.constant(a + step * w) for a, w in zip(arrays, ways, strict=True)]))

    first, second = (float(d) for d in along(*map(tf.constant, arrays)))
    assert first == pytest.approx((at(1e-5) - at(-1e-5)) / 2e-5, rel=1e-6, abs=1e-7)
    assert second == pytest.approx((at(1e-4) - 2.0 * at(0.0) + at(-1e-4)) / 1e-8, rel=1e-4, abs=1e-5)
    assert [float(d) for d in tf.function(along)(*map(tf.constant, arrays))] == pytest.approx([first, second], rel=1e-9, abs=1e-9)


# Smooth functions that are composed of pieces: their derivatives where the pieces meet, from their formulas.
@pytest.mark.parametrize(
    ("function", "at", "derivatives"),
    [
        (lambda x: ops.celu(x), 0.0, [0.0, 1.0]),
        (lambda x: ops.elu(x), 0.0, [0.0, 1.0]),
        (lambda x: ops.logaddexp(x, 0.0), 0.0, [np.log(2.0), 0.5, 0.25]),
        (lambda x: ops.logaddexp2(x, 0.0), 0.0, [1.0, 0.5, 0.25 * np.log(2.0)]),
        (lambda x: ops.softplus(x), 0.0, [np.log(2.0), 0.5, 0.25]),
        (lambda x: ops.sinc(x), 0.0, [1.0, 0.0, -(np.pi**2) / 3]),
        (lambda x: ops.power(x, 2), 0.0, [0.0, 0.0, 2.0]),
        (lambda x: ops.sparse_plus(x), -1.0, [0.0, 0.0]),
        (lambda x: losses.huber([[0.0]], x[None, None])[0], 0.0, [0.0, 0.0, 1.0]),
        (lambda x: losses.log_cosh([[0.0]], x[None, None])[0], 0.0, [0.0, 0.0, 1.0]),
        (lambda x: ops.median(ops.stack([x - 1.0, 2.0 * x, x + 5.0])), 0.0, [0.0, 2.0]),
    ],
)  # fmt: skip
def test_derivatives_where_pieces_meet(function, at, derivatives):
    def nested(x, order):
        if not order:
            return function(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = nested(x, order - 1)
        return tape.gradient(y, x, unconnected_gradients="zero")

    for order, wanted in enumerate(derivatives):
        assert float(nested(tf.constant(at, tf.float64), order)) == pytest.approx(wanted, rel=1e-12, abs=1e-14)
