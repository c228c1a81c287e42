"""The update rules of first-order optimizers, each stated once, over tensors.

A rule takes the variable's value x, its gradient g and the values of its slots, and returns the new x and the new slots. The
hyperparameters are numbers, or scalar tensors of x's dtype. Two surfaces use them: ``tf.train`` and ``tf.keras.optimizers``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.functions.array import expand_dims, ones_like, where
from wengert.functions.linalg import matrix_transpose
from wengert.functions.math import (
    abs,
    clip_by_value,
    divide_no_nan,
    greater,
    logical_and,
    matmul,
    maximum,
    pow,
    reduce_mean,
    reduce_sum,
    rsqrt,
    sign,
    sqrt,
    square,
)
from wengert.ground.types import Array
from wengert.tensor.tensor import TensorLike

__all__ = [
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "amsgrad",
    "corrected",
    "descent",
    "ftrl",
    "lamb",
    "lion",
    "momentum",
    "muon",
    "nadam",
    "orthogonal",
    "proximal",
    "proximal_adagrad",
    "rmsprop",
    "rmsprop_centered",
    "velocity",
]


def _toward(old: Any, new: Any, keep: Any) -> Any:
    """Return the moving average keep * old + (1 - keep) * new."""
    return old + (new - old) * (1.0 - keep)


def descent(x: Any, g: Array, *, rate: Array) -> tuple[Any]:
    """Gradient descent: x - rate g.

    >>> import wengert as tf
    >>> descent(tf.constant(1.0), tf.constant(2.0), rate=0.25)[0].numpy()
    np.float32(0.5)
    """
    return (x - g * rate,)


def momentum(x: Array, g: Array, a: Array, *, rate: Array, decay: Any, nesterov: bool = False) -> tuple[Any, Any]:
    """Gradients summed up: a = decay a + g, x - rate a; in Nesterov's manner x - rate (g + decay a).

    I. Sutskever et al. (2013), On the importance of initialization and momentum in deep learning.
    """
    a = a * decay + g
    return x - (g + a * decay if nesterov else a) * rate, a


def velocity(x: Any, g: Array, v: Array | None, *, rate: Array, decay: Any, nesterov: bool = False) -> tuple[Any, Any]:
    """Steps summed up: v = decay v - rate g, x + v; in Nesterov's manner x + decay v - rate g.

    The same as `momentum` as long as the rate does not change.
    """
    step = g * rate
    v = v * decay - step
    return (x + v * decay - step if nesterov else x + v), v


def corrected(rate: TensorLike, power1: Any, power2: Any) -> Any:
    """Return the rate that undoes the start of Adam's averages at zero, from the powers beta1^t and beta2^t."""
    return rate * sqrt(1.0 - power2) / (1.0 - power1)


def adam(
    x: TensorLike,
    g: TensorLike,
    m: Any,
    v: TensorLike,
    *,
    rate: TensorLike,
    beta1: Any,
    beta2: Any,
    epsilon: TensorLike,
    nesterov: bool = False,
) -> tuple[Any, Any, Any]:
    """Averages of g and g²: x - rate m / (√v + epsilon), with the `corrected` rate.

    D. P. Kingma, J. Ba (2014), Adam: a method for stochastic optimization, in the form before its section 2.1. ``nesterov``:
    beta1 m + (1 - beta1) g stands in m's place.
    """
    m, v = _toward(m, g, beta1), _toward(v, square(g), beta2)
    ahead = _toward(m, g, beta1) if nesterov else m
    return x - ahead * rate / (sqrt(v) + epsilon), m, v


def amsgrad(
    x: TensorLike,
    g: TensorLike,
    m: Any,
    v: TensorLike,
    top: Any,
    *,
    rate: TensorLike,
    beta1: Any,
    beta2: Any,
    epsilon: TensorLike,
) -> tuple[Any, Any, Any, Any]:
    """Adam over the greatest v so far: S. J. Reddi, S. Kale, S. Kumar (2018), On the convergence of Adam and beyond."""
    m, v = _toward(m, g, beta1), _toward(v, square(g), beta2)
    top = maximum(top, v)
    return x - m * rate / (sqrt(top) + epsilon), m, v, top


def adamax(
    x: Any, g: TensorLike, m: Any, u: Array, *, rate: Array, beta1: Any, beta2: Any, epsilon: Array
) -> tuple[Any, Any, Any]:
    """Adam with the maximum norm: u = max(beta2 u, |g|), x - rate m / (u + epsilon); rate over 1 - beta1^t."""
    m, u = _toward(m, g, beta1), maximum(u * beta2, abs(g))
    return x - m * rate / (u + epsilon), m, u


def nadam(
    x: TensorLike,
    g: TensorLike,
    m: Any,
    v: TensorLike,
    *,
    rate: TensorLike,
    beta1: Any,
    beta2: Any,
    epsilon: TensorLike,
    now: Any,
    ahead: Any,
    product: Any,
    power2: Any,
) -> tuple[Any, Any, Any]:
    """Adam with Nesterov's step and a schedule of momenta: T. Dozat (2016), Incorporating Nesterov momentum into Adam.

    ``now``, ``ahead``: the momenta of this step and the next; ``product``: of all momenta up to this step; ``power2``: beta2^t.
    """
    m, v = _toward(m, g, beta1), _toward(v, square(g), beta2)
    mean = m * (ahead / (1.0 - product * ahead)) + g * ((1.0 - now) / (1.0 - product))
    return x - mean * rate / (sqrt(v / (1.0 - power2)) + epsilon), m, v


def rmsprop(
    x: Any, g: Array, a: Array, m: Any = None, *, rate: Array, rho: Any, epsilon: Array, decay: float = 0.0
) -> tuple[Any, ...]:
    """Average of g²: m = decay m + rate g / √(a + epsilon), x - m; without m, plain steps.

    T. Tieleman, G. Hinton (2012), Lecture 6.5.
    """
    a = _toward(a, square(g), rho)
    step = g * rate * rsqrt(a + epsilon)
    if m is None:
        return x - step, a
    m = m * decay + step
    return x - m, a, m


def rmsprop_centered(
    x: Any, g: Array, a: Array, b: Array, m: Any = None, *, rate: Array, rho: Any, epsilon: Array, decay: float = 0.0
) -> tuple[Any, ...]:
    """`rmsprop` over the variance a - b², b the average of g: A. Graves (2013), Generating sequences."""
    a, b = _toward(a, square(g), rho), _toward(b, g, rho)
    step = g * rate * rsqrt(a - square(b) + epsilon)
    if m is None:
        return x - step, a, b
    m = m * decay + step
    return x - m, a, b, m


def adagrad(x: Any, g: Any, a: Any, *, rate: Any, epsilon: Any = 0.0) -> tuple[Any, Any]:
    """Sum of g²: x - rate g / √(a + epsilon). J. Duchi, E. Hazan, Y. Singer (2011), Adaptive subgradient methods."""
    a = a + square(g)
    return x - g * rate * rsqrt(a + epsilon), a


def proximal(x: Any, g: Any, *, rate: Array | None, l1: Any, l2: Any) -> tuple[Any]:
    """Descent, then the penalties' own minimum: sign(p) max(|p| - rate l1, 0) / (1 + rate l2), p = x - rate g.

    J. Duchi, Y. Singer (2009), Efficient learning using forward-backward splitting.
    """
    p = x - g * rate
    return (sign(p) * maximum(abs(p) - rate * l1, 0.0) / (1.0 + rate * l2),)


def proximal_adagrad(x: TensorLike, g: TensorLike, a: TensorLike, *, rate: TensorLike, l1: Any, l2: Any) -> tuple[Any, Any]:
    """`proximal` with the rates of `adagrad`: rate / √a."""
    a = a + square(g)
    return (*proximal(x, g, rate=rate * rsqrt(a), l1=l1, l2=l2), a)


def adadelta(x: Any, g: Array, a: Array, d: Array, *, rate: TensorLike, rho: Any, epsilon: Array) -> tuple[Any, Any, Any]:
    """Steps in the units of x: √(d + epsilon) / √(a + epsilon) g, a and d averages of g² and of the squared steps.

    M. D. Zeiler (2012), Adadelta: an adaptive learning rate method.
    """
    a = _toward(a, square(g), rho)
    step = g * sqrt(d + epsilon) * rsqrt(a + epsilon)
    return x - step * rate, a, _toward(d, square(step), rho)


def ftrl(
    x: Any, g: Any, a: Any, z: Any, *, rate: Array | None, power: Any, l1: Any = 0.0, l2: float = 0.0, shrinkage: Any = 0.0
) -> tuple[Any, Any, Any]:
    """Follow the regularised leader: H. B. McMahan et al. (2013), Ad click prediction.

    a = a + g², z = z + g + 2 shrinkage x - (a_new^-power - a_old^-power) x / rate,
    x = (clip(z, ±l1) - z) / (a^-power / rate + 2 l2).
    """
    after = a + square(g)
    new, old = (sqrt(after), sqrt(a)) if isinstance(power, float) and power == -0.5 else (pow(after, -power), pow(a, -power))
    pull = g + x * (2.0 * shrinkage) if not isinstance(shrinkage, float) or shrinkage else g
    z = z + pull - (new - old) / rate * x
    least = -z if isinstance(l1, float) and l1 == 0.0 else clip_by_value(z, -l1, l1) - z
    return least / (new / rate + 2.0 * l2), after, z


def lion(x: TensorLike, g: TensorLike, m: Any, *, rate: TensorLike, beta1: Any, beta2: Any) -> tuple[Any, Any]:
    """The sign of an average: X. Chen et al. (2023), Symbolic discovery of optimization algorithms."""
    return x - sign(_toward(m, g, beta1)) * rate, _toward(m, g, beta2)


def lamb(
    x: TensorLike, g: TensorLike, m: Array, v: TensorLike, *, rate: TensorLike, beta1: float, beta2: float, epsilon: TensorLike,
    power1: Array, power2: Array,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Adam's step, of the variable's own length: x - rate |x| / |r| r, r = m̂ / (√v̂ + epsilon); r as it is where a norm is 0.

    Y. You and others (2019), Large batch optimization for deep learning. ``power1``, ``power2``: beta1^t, beta2^t.
    """
    m, v = _toward(m, g, beta1), _toward(v, square(g), beta2)
    r = m / (1.0 - power1) / (sqrt(v / (1.0 - power2)) + epsilon)
    long, step = (sqrt(reduce_sum(square(t))) for t in (x, r))
    both = logical_and(greater(long, 0.0), greater(step, 0.0))
    return x - r * rate * where(both, divide_no_nan(long, step), ones_like(long)), m, v


def adafactor(
    x: Array,
    g: Array,
    rows: Array,
    columns: Array,
    v: Array,
    *,
    rate: Array,
    keep: Array,
    epsilon1: float,
    epsilon2: float,
    threshold: float,
) -> tuple[Any, Any, Any, Any]:
    """Steps over the root of an average of g², of matrices its rows' and its columns' means alone, in the units of x.

    u = g / √v̂, v̂ = rows columns / mean(rows), x - max(epsilon2, rms(x)) rate u / max(1, rms(u) / threshold).

    N. Shazeer, M. Stern (2018), Adafactor: adaptive learning rates with sublinear memory cost. ``keep``: of the averages.
    """
    power = square(g) + epsilon1
    if len(x.shape) > 1:
        rows, columns = _toward(rows, reduce_mean(power, -1), keep), _toward(columns, reduce_mean(power, -2), keep)
        share = rows / reduce_mean(rows, -1, True)
        v = expand_dims(share, -1) * expand_dims(columns, -2)
    else:
        v = _toward(v, power, keep)
    u = g * rsqrt(v)
    scale = maximum(_rms(x), epsilon2) * rate / maximum(_rms(u) / threshold, 1.0)
    return x - u * scale, rows, columns, v


def _rms(x: Array) -> Any:
    return sqrt(reduce_mean(square(x)))


def muon(
    x: Array, g: Array, m: Array, *, rate: Array, decay: float, nesterov: bool, factors: Sequence[float], steps: int
) -> tuple[Any, Any]:
    """Gradients summed up, made orthogonal: x - rate `orthogonal`(m), m = decay m + g.

    K. Jordan and others (2024), Muon: an optimizer for hidden layers in neural networks.
    """
    m = m * decay + g
    return x - orthogonal(g + m * decay if nesterov else m, factors, steps) * rate, m


def orthogonal(x: Any, factors: Sequence[float], steps: int) -> Any:
    """Return matrices near to x without its singular values: some steps of x ← a x + b (x xᵀ) x + c (x xᵀ)² x from x / |x|."""
    a, b, c = factors
    tall = x.shape[-2] > x.shape[-1]
    x = matrix_transpose(x) if tall else x
    x = x / (sqrt(reduce_sum(square(x), (-2, -1), True)) + 1e-7)
    for _ in range(steps):
        s = matmul(x, x, transpose_b=True)
        x = x * a + matmul(s * b + matmul(s, s) * c, x)
    return matrix_transpose(x) if tall else x
