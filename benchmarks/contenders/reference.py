"""What is right: series along lines, in NumPy and float64, sharing no code with any contender.

Mixed derivatives follow from derivatives along diagonals; gradients by weights are tested along one random direction for
each array of weights, by a complex step, which has no error of cancellation.
"""

import math
from typing import Any

import numpy as np
import scipy.special
from contenders.problems import NU, ORDER, Layers, Work, data

Series = list[Any]
"""The coefficients of a power series, an array each."""
STEP = 1e-30
TOLERANCE = {"float32": 5e-3, "float64": 1e-9}


def integrated(slope: Any, z: Series, *first: Any) -> list[Series]:
    """Return series that begin with the given numbers and whose derivatives are `slope(z, k, *series)` z', term by term."""
    found = [[value] for value in first]
    for k in range(1, len(z)):
        slopes = [[slope(z, i, *found)[n] for i in range(k)] for n in range(len(found))]
        for series, s in zip(found, slopes, strict=True):
            series.append(sum(j * z[j] * s[k - j] for j in range(1, k + 1)) / k)
    return found


def product(a: Series, b: Series, k: int) -> Any:
    """Return a coefficient of a product."""
    return sum(a[i] * b[k - i] for i in range(k + 1))


def logistic(z: Series) -> Series:
    """Return 1 / (1 + exp(-z)), by y' = (y - y²) z'."""
    return integrated(lambda z, k, y: [y[k] - product(y, y, k)], z, 1.0 / (1.0 + np.exp(-z[0])))[0]


def activated(name: str, z: Series) -> Series:
    """Return what an activation makes of a series."""
    if name == "tanh":
        return integrated(lambda z, k, y: [(k == 0) - product(y, y, k)], z, np.tanh(z[0]))[0]
    if name == "sin":
        return integrated(lambda z, k, sin, cos: [cos[k], -sin[k]], z, np.sin(z[0]), np.cos(z[0]))[0]
    if name == "gelu":  # Φ' = φ z', φ' = -z φ z'
        cdf, pdf = 0.5 * (1.0 + scipy.special.erf(z[0] / math.sqrt(2.0))), np.exp(-z[0] * z[0] / 2.0) / math.sqrt(2.0 * math.pi)
        normal = integrated(lambda z, k, cdf, pdf: [pdf[k], -product(z, pdf, k)], z, cdf, pdf)[0]
        return [product(z, normal, k) for k in range(len(z))]
    y = logistic(z)
    if name == "swish":
        return [product(z, y, k) for k in range(len(z))]
    return integrated(lambda z, k, _: [y[k]], z, np.log(1.0 + np.exp(z[0])))[0]


def along(layers: Layers, points: np.ndarray, direction: np.ndarray, order: int, name: str = "tanh") -> list[np.ndarray]:
    """Return the derivatives of orders 0 to `order` along a line."""
    h = [points, np.broadcast_to(direction, points.shape)] + [np.zeros_like(points)] * max(order - 1, 0)
    for depth, (matrix, bias) in enumerate(layers):
        z = [c @ matrix for c in h[: order + 1]]
        z[0] = z[0] + bias
        if depth == len(layers) - 1:
            return [math.factorial(k) * c for k, c in enumerate(z)]
        h = activated(name, z)
    raise ValueError("no layers")


def laplacian(layers: Layers, points: np.ndarray) -> np.ndarray:
    """Return the Laplacian, all directions in one sweep."""
    h = points
    first = np.broadcast_to(np.eye(points.shape[1])[:, None, :], (points.shape[1], *points.shape))
    second = np.zeros_like(points)
    for matrix, bias in layers[:-1]:
        h = np.tanh(h @ matrix + bias)
        first, second = first @ matrix, second @ matrix
        slope = 1.0 - h * h
        second = slope * second - 2.0 * h * slope * (first * first).sum(0)
        first = slope * first
    return second @ layers[-1][0]


def values(work: Work, layers: Layers, points: np.ndarray) -> np.ndarray:
    """Return what is asked at the points: a derivative, or the residual whose mean square is the loss."""
    unit = np.eye(points.shape[1])
    if work.kind in ("forward", "dx"):
        return along(layers, points, unit[0], work.order, work.activation)[-1]
    if work.kind in ORDER:
        d = along(layers, points, unit[0], ORDER[work.kind], work.activation)
        u_t = along(layers, points, unit[1], 1, work.activation)[1]
        if work.kind == "burgers":
            return u_t + d[0] * d[1] - NU * d[2]
        return u_t + 6.0 * d[0] * d[1] + d[3] if work.kind == "kdv" else u_t + d[0] * d[1] + d[2] + d[4]
    if work.kind == "laplacian":
        return laplacian(layers, points)
    if work.kind == "laplacian-train":
        return laplacian(layers, points) - 1.0

    def fourth(direction: np.ndarray) -> np.ndarray:
        return along(layers, points, direction, 4)[4]

    pure = [fourth(e) for e in unit]

    def mixed(i: int, j: int) -> np.ndarray:  # (a + b)⁴ + (a - b)⁴ = 2 a⁴ + 12 a² b² + 2 b⁴
        return (fourth(unit[i] + unit[j]) + fourth(unit[i] - unit[j]) - 2.0 * pure[i] - 2.0 * pure[j]) / 12.0

    if work.kind == "xxyy":
        return mixed(0, 1)
    return sum(pure) + 2.0 * sum(mixed(i, j) for i in range(len(unit)) for j in range(i))


def expected(work: Work) -> dict[str, Any]:
    """Return what `error` compares with."""
    layers, points = data(work)
    layers = [(matrix.astype("float64"), bias.astype("float64")) for matrix, bias in layers]
    points = points.astype("float64")
    residual = values(work, layers, points)
    if not work.trains:
        return {"values": residual}
    rng = np.random.default_rng(1)
    flat = [array for layer in layers for array in layer]
    directions, slopes = [], []
    for k, array in enumerate(flat):
        direction = rng.standard_normal(array.shape)
        moved = [a + 1j * STEP * direction if i == k else a for i, a in enumerate(flat)]
        r = values(work, list(zip(moved[::2], moved[1::2], strict=True)), points)
        directions.append(direction)
        slopes.append(float(np.mean(r * r).imag / STEP))
    return {"loss": float(np.mean(residual**2)), "directions": directions, "slopes": slopes}


def error(found: list[np.ndarray], right: dict[str, Any]) -> float:
    """Return the largest error, relative to the largest value."""
    found = [np.asarray(array, "float64") for array in found]
    if "values" in right:
        (value,) = found
        if value.size != right["values"].size:
            return math.inf
        return float(np.abs(value.ravel() - right["values"].ravel()).max() / np.abs(right["values"]).max())
    loss, *gradients = found
    if len(gradients) != len(right["slopes"]):
        return math.inf
    errors = [abs(float(loss) - right["loss"]) / right["loss"]]
    floor = 1e-3 * math.sqrt(sum(float((g * g).sum()) for g in gradients))
    for gradient, direction, slope in zip(gradients, right["directions"], right["slopes"], strict=True):
        scale = max(float(np.linalg.norm(gradient)), abs(slope), floor, 1e-300)
        errors.append(abs(float((gradient * direction).sum()) - slope) / scale)
    return max(errors) if all(map(math.isfinite, errors)) else math.inf
