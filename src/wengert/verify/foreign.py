"""Functions of other libraries: JAX's, PyTorch's, and NumPy's with a gradient given beside them.

Of such a function its values are all that is known, so the oracle is that of double precision (`wengert.verify.numeric`), and
the library's own derivatives are what is judged.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.execute.xla.arrays import arrays as arrays_of_jax
from wengert.tensor.tensor import Tensor, convert, is_tensor_like
from wengert.verify.findings import Fault, Row
from wengert.verify.numeric import Estimate, derivative
from wengert.verify.oracle import indices
from wengert.verify.report import Report

__all__ = ["check", "library_of"]

LIBRARIES = {"jax": "jax", "jaxlib": "jax", "torch": "torch", "numpy": "numpy", "wengert": "wengert"}
Counts = tuple[int, ...]


def library_of(f: Callable[..., Any], call: Callable[..., Any], values: Sequence[Any], gradient: Any) -> str:
    """Return whose function it is: wengert, jax, torch or numpy.

    Raises:
        TypeError: if it takes and returns NumPy arrays and no gradient is given, or what it returns is nobody's.
    """
    if gradient is not None:
        return "numpy"
    for v in values:
        if is_tensor_like(v):
            return "wengert"
        owner = LIBRARIES.get(type(v).__module__.partition(".")[0])
        if owner in ("jax", "torch"):
            return owner
    owner = LIBRARIES.get(str(getattr(f, "__module__", "")).partition(".")[0])
    if owner in ("wengert", "jax", "torch"):
        return owner
    # A function that mentions one of them takes its arrays.
    known = getattr(f, "__globals__", {})
    mentioned = [known.get(name) for name in getattr(getattr(f, "__code__", None), "co_names", ())]
    mentioned += [cell.cell_contents for cell in getattr(f, "__closure__", None) or () if _is_filled(cell)]
    for one in mentioned:
        owner = LIBRARIES.get(str(getattr(one, "__name__", "")).partition(".")[0])
        if owner in ("jax", "torch", "wengert"):
            return owner
    found = _probe(call, [np.asarray(v) for v in values])
    if found is None or isinstance(found, Tensor):
        return "wengert"
    owner = LIBRARIES.get(type(found).__module__.partition(".")[0])
    if owner in ("wengert", "jax", "torch"):
        return owner
    # Plain arithmetic takes whatever it is given.
    if isinstance(_probe(call, [convert(v) for v in values]), Tensor):
        return "wengert"
    raise TypeError(
        "check: f returns NumPy arrays, which carry no derivative. Give the gradient that is to be checked, gradient=df, or "
        "write f with Wengert's functions."
    )


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a name that is bound later
        return False


def _probe(call: Callable[..., Any], values: Sequence[Any]) -> Any:
    """Return what f gives for values, the first of several; None if it does not take them."""
    try:
        found = call(*values)
    except Exception:  # whatever the user's function says to arrays that it does not take: then it is called with tensors
        return None
    while isinstance(found, list | tuple) and found:
        found = found[0]
    return found


class Library:
    """How a function of a library is called and differentiated; arrays are NumPy's outside."""

    roads: tuple[str, ...] = ()

    def value(self, arrays: Sequence[Any]) -> list[Any]:
        """Return the values as NumPy arrays."""
        raise NotImplementedError

    def derivative(self, road: str, directions: Sequence[Sequence[Any]], weights: Sequence[Any]) -> float:
        """Return the derivative of Σ w y along the directions, one after the other."""
        raise NotImplementedError


class _Jax(Library):
    roads = ("grad", "jvp")

    def __init__(self, call: Callable[..., Any], arrays: Sequence[Any], moving: Sequence[int]) -> None:
        known = arrays_of_jax()
        self.jax, self.wide = known.jax, known.wide
        self.call, self.arrays, self.moving = call, list(arrays), list(moving)

    def _outputs(self, moved: Sequence[Any]) -> list[Any]:
        given: list[Any] = [self.jax.numpy.asarray(a) for a in self.arrays]
        for k, m in zip(self.moving, moved, strict=True):
            given[k] = m
        return [y for y in self.jax.tree_util.tree_leaves(self.call(*given)) if np.dtype(y.dtype).kind in "fc"]

    def value(self, arrays: Sequence[Any]) -> list[Any]:
        with self.wide():
            return [np.asarray(y) for y in self._outputs([self.jax.numpy.asarray(a) for a in arrays])]

    def derivative(self, road: str, directions: Sequence[Sequence[Any]], weights: Sequence[Any]) -> float:
        jax = self.jax
        with self.wide():
            xs = [jax.numpy.asarray(self.arrays[k]) for k in self.moving]

            def total(*moved: Any) -> Any:
                return sum(jax.numpy.sum(y * w) for y, w in zip(self._outputs(moved), weights, strict=True))

            f: Any = total
            for direction in directions:
                f = _grad_of(jax, f, direction) if road == "grad" else _jvp_of(jax, f, direction)
            return float(f(*xs))


def _grad_of(jax: Any, f: Any, direction: Sequence[Any]) -> Any:
    def along(*xs: Any) -> Any:
        gs = jax.grad(f, argnums=tuple(range(len(xs))))(*xs)
        return sum(jax.numpy.sum(g * d) for g, d in zip(gs, direction, strict=True) if d is not None)

    return along


def _jvp_of(jax: Any, f: Any, direction: Sequence[Any]) -> Any:
    def along(*xs: Any) -> Any:
        ds = [np.zeros(x.shape, x.dtype) if d is None else np.asarray(d, x.dtype) for x, d in zip(xs, direction, strict=True)]
        return jax.jvp(f, tuple(xs), tuple(jax.numpy.asarray(d) for d in ds))[1]

    return along


class _Torch(Library):
    roads = ("grad",)

    def __init__(self, call: Callable[..., Any], arrays: Sequence[Any], moving: Sequence[int]) -> None:
        self.torch: Any = importlib.import_module("torch")
        self.call, self.arrays, self.moving = call, list(arrays), list(moving)

    def _outputs(self, moved: Sequence[Any]) -> list[Any]:
        given: list[Any] = [self.torch.as_tensor(np.array(a)) for a in self.arrays]
        for k, m in zip(self.moving, moved, strict=True):
            given[k] = m
        found = self.call(*given)
        return [y for y in (found if isinstance(found, list | tuple) else [found]) if y.is_floating_point() or y.is_complex()]

    def value(self, arrays: Sequence[Any]) -> list[Any]:
        # Not within no_grad: a function may differentiate inside.
        return [y.detach().numpy() for y in self._outputs([self.torch.as_tensor(np.array(a)).requires_grad_() for a in arrays])]

    def derivative(self, road: str, directions: Sequence[Sequence[Any]], weights: Sequence[Any]) -> float:
        torch = self.torch
        xs = [torch.as_tensor(np.array(self.arrays[k])).requires_grad_() for k in self.moving]
        total = sum((y * torch.as_tensor(np.array(w))).sum() for y, w in zip(self._outputs(xs), weights, strict=True))
        for k, direction in enumerate(directions):
            if not total.requires_grad:
                return 0.0
            more = k + 1 < len(directions)
            gs = torch.autograd.grad(total, xs, create_graph=more, allow_unused=True)
            pairs = [(g, d) for g, d in zip(gs, direction, strict=True) if g is not None and d is not None]
            total = sum(((g * torch.as_tensor(np.array(d))).sum() for g, d in pairs), start=torch.zeros((), dtype=xs[0].dtype))
        return float(total)


class _NumPy(Library):
    def __init__(
        self, call: Callable[..., Any], arrays: Sequence[Any], moving: Sequence[int], gradient: Any, hessian: Any
    ) -> None:
        self.call, self.arrays, self.moving = call, list(arrays), list(moving)
        self.gradient, self.hessian = gradient, hessian
        self.roads = ("gradient",) if hessian is None else ("gradient", "hessian")

    def _given(self, moved: Sequence[Any]) -> list[Any]:
        given = list(self.arrays)
        for k, m in zip(self.moving, moved, strict=True):
            given[k] = m
        return given

    def value(self, arrays: Sequence[Any]) -> list[Any]:
        found = self.call(*self._given(arrays))
        return [np.asarray(y) for y in (found if isinstance(found, list | tuple) else [found])]

    def derivative(self, road: str, directions: Sequence[Sequence[Any]], weights: Sequence[Any]) -> float:
        point = self._given([self.arrays[k] for k in self.moving])
        if road == "gradient":
            found = self.gradient(*point)
            parts = list(found) if isinstance(found, list | tuple) else [found]
            if len(parts) != len(self.moving):
                raise ValueError(f"gradient() gives {len(parts)} arrays for {len(self.moving)} arguments")
            total = 0.0
            for k, g, d in zip(self.moving, parts, directions[0], strict=True):
                g = np.asarray(g)
                if g.shape != self.arrays[k].shape:
                    raise ValueError(f"gradient() gives shape {g.shape} for an argument of shape {self.arrays[k].shape}")
                total += 0.0 if d is None else float(np.sum(g * d))
            return total
        d, e = (np.asarray(direction[0]).reshape(-1) for direction in directions)
        h = np.asarray(self.hessian(*point)).reshape(d.size, d.size)
        return float(d @ h @ e)


def check(library: str, call: Callable[..., Any], names: Sequence[str], values: Sequence[Any], order: int, gradient: Any,
          hessian: Any, seed: int) -> Report:  # fmt: skip
    """Return what was found about a function of another library."""
    arrays = [_array(v) for v in values]
    moving = [k for k, a in enumerate(arrays) if a.dtype.kind == "f"]
    if not moving:
        raise TypeError("check: none of the arguments is real; there is nothing to differentiate by.")
    known: Library
    if library == "jax":
        known = _Jax(call, arrays, moving)
    elif library == "torch":
        known = _Torch(call, arrays, moving)
    else:
        known = _NumPy(call, arrays, moving, gradient, hessian)
        order = 1 if hessian is None else 2
        if hessian is not None and len(moving) != 1:
            raise TypeError("check: hessian= is for functions of one array.")
    rng = np.random.default_rng(seed)
    points = [arrays[k] for k in moving]
    ys = known.value(points)
    if not ys or any(not np.isfinite(y).all() for y in ys):
        raise ValueError("check: the value of f is not finite at the point, or it gives no real array.")
    ones_only = library == "numpy"
    weights = [np.ones(y.shape, y.dtype) if ones_only else _weights(y, rng) for y in ys]
    rows: list[Row] = []
    faults: list[Fault] = []
    eps = _arithmetic(known, points, ys)
    scale = float(sum(np.abs(y * w).sum() for y, w in zip(ys, weights, strict=True)))
    probes = _probes(points, [names[k] for k in moving], order, rng)
    for by, seeds, counts in probes:
        wide = points if eps > 1e-10 else [p.astype(np.float64) for p in points]

        def value(numbers: Sequence[Any], seeds: Any = seeds, wide: Any = wide) -> Any:
            moved = []
            for k, p in enumerate(wide):
                shift = sum((n * s[k] for n, s in zip(numbers, seeds, strict=True) if s[k] is not None and n != 0), 0.0)
                moved.append(p + shift)
            return sum(np.sum(y.astype(y.dtype if y.dtype.kind == "c" else np.float64) * w)
                       for y, w in zip(known.value(moved), weights, strict=True))  # fmt: skip

        truth = derivative(value, counts, eps=eps)
        path = [seeds[s] for s, n in enumerate(counts) for _ in range(n)]
        for road in known.roads:
            if (road == "gradient" and sum(counts) != 1) or (road == "hessian" and sum(counts) != 2):
                continue
            row = _judged(known, road, by, counts, path, weights, truth, points, scale)
            rows.append(row)
            if row.status == "wrong":
                text = f"{road}, order {row.order} by {by}: {row.value:.9g}, and the oracle ({truth.how}) has {truth.value:.9g}"
                faults.append(Fault("wrong derivative", "", "", "", f"{text} ± {truth.error:.1g}"))
    return Report(rows, _fewest(faults))


def _arithmetic(known: Library, points: Sequence[Any], ys: Sequence[Any]) -> float:
    """Return the unit of rounding in which values are to be had: float64's, if f takes it and answers in it."""
    try:
        found = known.value([p.astype(np.float64) for p in points])
    except (TypeError, ValueError, RuntimeError):  # PyTorch's functions with weights of float32 refuse
        found = list(ys)
    return max(float(np.finfo(y.dtype).eps) for y in found)


def _fewest(faults: list[Fault]) -> list[Fault]:
    """Return the faults of least order: those above follow from them."""
    return faults[:4]


def _judged(known: Library, road: str, by: str, counts: Counts, path: Any, weights: Any, truth: Estimate,
            points: Any, scale: float) -> Row:  # fmt: skip
    order, dtype = sum(counts), points[0].dtype
    if truth.kind != "smooth" or not np.isfinite(truth.value):
        return Row(
            "", by, order, road, dtype.name, "undecided", None, None, None, truth.kind if truth.kind != "smooth" else "undefined"
        )
    try:
        value = known.derivative(road, path, weights)
    except NotImplementedError as error:
        return Row("", by, order, road, dtype.name, "skipped", None, truth.value, None, str(error))
    eps = float(np.finfo(dtype).eps)
    size = abs(truth.value)
    gap = abs(value - truth.value)
    # The estimate errs, the library rounds, and the weights' sum may cancel.
    explained = 30 * truth.error + 256 * eps * order * (size + 1.0)
    digits = 17.0 if gap == 0 else float(max(0.0, -np.log10(gap / size))) if size else 0.0
    note = f"{truth.how}, ± {truth.error:.1g}"
    if np.isfinite(value) and gap <= explained:
        if truth.error > 0.01 * (size + scale):
            return Row(
                "",
                by,
                order,
                road,
                dtype.name,
                "undecided",
                value,
                truth.value,
                None,
                f"the oracle's own error is {truth.error:.1g}",
            )
        return Row("", by, order, road, dtype.name, "right", value, truth.value, min(digits, 17.0), note)
    return Row("", by, order, road, dtype.name, "wrong", value, truth.value, min(digits, 17.0), note)


def _probes(points: Sequence[Any], names: Sequence[str], order: int, rng: Any) -> list[tuple[str, Any, Counts]]:
    found: list[tuple[str, Any, Counts]] = []
    shown = min(len(points), 3)
    own = [[np.ones(p.shape) if i == k else None for i, p in enumerate(points)] for k in range(shown)]
    for counts in indices(shown, order):
        found.append((" ".join(names[s] for s, n in enumerate(counts) for _ in range(n)), own, counts))
    if len(points) > 1 or points[0].size > 1:
        for k in range(2):
            direction = [[_weights(p, rng) for p in points]]
            found += [(" ".join([f"d{k + 1}"] * n), direction, (n,)) for n in range(1, order + 1)]
        for i in range(points[0].size) if points[0].size <= 16 else []:
            unit = np.zeros(points[0].shape)
            unit.flat[i] = 1.0
            found.append((f"{names[0]}[{i}]", [[unit, *[None] * (len(points) - 1)]], (1,)))
    return found


def _weights(like: Any, rng: Any) -> Any:
    return np.asarray(rng.choice([-1.0, 1.0], like.shape) * rng.integers(32, 96, like.shape) / 64.0, np.float64)


def _array(value: Any) -> Any:
    if "torch" in sys.modules and hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    return array.astype(np.float64) if array.dtype.kind == "f" and array.dtype.itemsize < 4 else array
