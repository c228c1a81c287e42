"""PyTorch's tensors as an array namespace, with the names of `wengert.ground.arrays.NumPyArrays`, and lists walked with them.

What is NumPy's alone in those names is said here, by functions that PyTorch differentiates; the rest is asked of the standard's
namespace over PyTorch, which array-api-compat makes, and of PyTorch itself.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from wengert.execute.numpy import NumPyProgram
from wengert.ground.errors import UnimplementedError
from wengert.ground.types import Dtype, NumPyArray
from wengert.modes.tracing import FuncGraph

__all__ = ["TorchArrays", "torch_arrays", "walked"]

RENAMED = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "invert": "bitwise_not", "power": "pow", "true_divide": "divide", "expit": "sigmoid",
    "concatenate": "concat", "complex_of": "complex",
}  # fmt: skip
"""Names that are others there."""


def _typed(torch: ModuleType) -> Any:
    plain = torch._C.DisableTorchFunctionSubclass

    class Typed(torch.Tensor):  # type: ignore[misc, name-defined]
        @property
        def dtype(self) -> Any:
            with plain():
                name = str(torch.Tensor.dtype.__get__(self))
            return np.dtype(name.removeprefix("torch."))

    return Typed


class Foreign(Protocol):
    """A tensor of PyTorch's, or an array or a number beside one."""

    def __getattr__(self, name: str) -> Any:
        """Whatever it has."""


class TorchArrays:
    """PyTorch's functions by NumPy's names."""

    name = "torch"
    inf, nan, pi = np.inf, np.nan, np.pi

    def __init__(self) -> None:
        """Import PyTorch."""
        self.torch = importlib.import_module("torch")
        try:
            self.standard = importlib.import_module("array_api_compat.torch")
        except ImportError as error:
            raise ImportError("wengert.torch needs array-api-compat: pip install 'wengert[torch]'") from error
        self.device: Any = None
        """Where new tensors are made."""
        self.typed = _typed(self.torch)
        """Tensors whose dtype is NumPy's, as kernels ask it."""

    def __getattr__(self, name: str) -> Any:
        """Take the rest from PyTorch.

        Raises:
            UnimplementedError: for a function that it does not have.
        """
        if name.startswith("__") or "torch" not in self.__dict__:
            raise AttributeError(name)
        called = RENAMED.get(name, name)
        places = (self.torch, self.torch.special, self.standard)
        found = next((f for f in (getattr(place, called, None) for place in places) if callable(f)), None)
        if found is None:
            raise UnimplementedError(f"wengert.torch: PyTorch has no function {name!r}.")
        function = self.lifted(found)
        setattr(self, name, function)
        return function

    def lifted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that takes NumPy's arrays and numbers beside tensors."""

        @functools.wraps(function)
        def applied(*arguments: Foreign, **keywords: Foreign) -> Any:
            like = next((a for a in arguments if isinstance(a, self.torch.Tensor)), None)
            given = [
                self.asarray(a, None if like is None or isinstance(a, np.ndarray) else like.dtype)
                if isinstance(a, np.ndarray | np.generic | float)
                else a
                for a in arguments
            ]
            if "dtype" in keywords:
                kind: Any = keywords["dtype"]
                keywords["dtype"] = self.dtype(kind)
            return function(*given, **keywords)

        return applied

    def dtype(self, dtype: Dtype | str | None) -> Any:
        """Return a dtype as PyTorch's."""
        if dtype is None or isinstance(dtype, self.torch.dtype):
            return dtype
        return getattr(self.torch, np.dtype(dtype).name)

    def asarray(self, x: Foreign | NumPyArray | float, dtype: Dtype | str | None = None) -> Any:
        """Return a tensor of what may be NumPy's."""
        if isinstance(x, self.torch.Tensor):
            tensor: Any = x.as_subclass(self.typed)
            return tensor if dtype is None else tensor.to(self.dtype(dtype))
        array = np.array(x)
        kind = self.dtype(array.dtype if dtype is None else dtype)
        return self.torch.as_tensor(array, device=self.device).to(kind).as_subclass(self.typed)

    array = asarray

    def astype(self, x: Foreign, dtype: Dtype | str) -> Any:
        """Convert."""
        return self.asarray(x).to(self.dtype(dtype))

    def zeros(self, shape: Sequence[int], dtype: Dtype | str | None = None) -> Any:
        """Return zeros."""
        return self.asarray(self.torch.zeros(tuple(shape), dtype=self.dtype(dtype), device=self.device))

    def ones(self, shape: Sequence[int], dtype: Dtype | str | None = None) -> Any:
        """Return ones."""
        return self.asarray(self.torch.ones(tuple(shape), dtype=self.dtype(dtype), device=self.device))

    def full(self, shape: Sequence[int], value: Foreign, dtype: Dtype | str | None = None) -> Any:
        """Return a tensor of one number."""
        return self.broadcast_to(self.asarray(value, dtype), shape)

    def transpose(self, x: Foreign, axes: Sequence[int] | None = None) -> Any:
        """Return the axes in another order."""
        return x.permute(*(axes if axes is not None else reversed(range(x.ndim))))

    def swapaxes(self, x: Foreign, a: int, b: int) -> Any:
        """Return two axes exchanged."""
        return self.torch.transpose(x, a, b)

    def reshape(self, x: Foreign, shape: int | Sequence[int]) -> Any:
        """Return the elements in another shape."""
        return self.torch.reshape(x, (shape,) if isinstance(shape, int) else tuple(shape))

    def broadcast_to(self, x: Foreign, shape: Sequence[int]) -> Any:
        """Return a tensor repeated to a shape."""
        return self.torch.broadcast_to(self.asarray(x), tuple(int(s) for s in shape))

    def expand_dims(self, x: Foreign, axis: int | Sequence[int]) -> Any:
        """Return new axes of one element."""
        for a in sorted((axis,) if isinstance(axis, int) else axis):
            x = self.torch.unsqueeze(x, a)
        return x

    def squeeze(self, x: Foreign, axis: int | Sequence[int] | None = None) -> Any:
        """Return axes of one element gone."""
        return self.torch.squeeze(x) if axis is None else self.torch.squeeze(x, axis)

    def dot(self, a: Foreign, b: Foreign) -> Any:
        """Return the product of two matrices."""
        return self.torch.matmul(a, b)

    def dot_over_rows(self, a: Foreign, b: Foreign) -> Any:
        """Return aᵀ b."""
        return self.torch.matmul(a.T, b)

    def concatenate(self, xs: Sequence[Any], axis: int = 0) -> Any:
        """Return tensors one after the other."""
        return self.torch.cat([self.asarray(x) for x in xs], axis)

    def stack(self, xs: Sequence[Any], axis: int = 0) -> Any:
        """Return tensors side by side."""
        return self.torch.stack([self.asarray(x) for x in xs], axis)

    def sum(
        self, x: Foreign, axis: int | Sequence[int] | None = None, keepdims: bool = False, dtype: Dtype | str | None = None
    ) -> Any:
        """Return sums over axes."""
        axes = tuple(range(x.ndim)) if axis is None else axis
        return self.torch.sum(x, axes, keepdim=keepdims, dtype=self.dtype(dtype)) if axes != () else x

    def prod(
        self, x: Foreign, axis: int | Sequence[int] | None = None, keepdims: bool = False, dtype: Dtype | str | None = None
    ) -> Any:
        """Return products over axes."""
        axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        for a in sorted((k % x.ndim for k in axes), reverse=True):
            x = self.torch.prod(x, a, keepdim=keepdims)
        return x

    def max(self, x: Foreign, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
        """Return the greatest elements; equal ones share the derivative."""
        return self.torch.amax(x, tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)

    def min(self, x: Foreign, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
        """Return the smallest elements; equal ones share the derivative."""
        return self.torch.amin(x, tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)

    def where(self, condition: Foreign, a: Foreign, b: Foreign) -> Any:
        """Return elements of either."""
        like = a if isinstance(a, self.torch.Tensor) else b
        kind = like.dtype if isinstance(like, self.torch.Tensor) else None
        return self.torch.where(self.asarray(condition), self.asarray(a, kind), self.asarray(b, kind))

    def flip(self, x: Foreign, axis: int | Sequence[int] | None = None) -> Any:
        """Return axes backwards."""
        return self.torch.flip(x, (axis,) if isinstance(axis, int) else tuple(range(x.ndim) if axis is None else axis))

    def take(self, x: Foreign, indices: Foreign, axis: int = 0) -> Any:
        """Return elements along an axis."""
        places = self.asarray(indices).long()
        found = self.torch.index_select(x, axis, places.reshape(-1))
        return found.reshape(*x.shape[:axis], *places.shape, *x.shape[axis:][1:])

    def positive(self, x: Foreign) -> Any:
        """Return x."""
        return x

    def sech_squared(self, x: Foreign) -> Any:
        """Return 1 / cosh², whose derivatives are those of 4 s (1 - s) with s = 1 / (1 + exp(2 x)), which does not cancel."""
        double = self.torch.multiply(x, 2.0)
        return 4.0 * self.torch.sigmoid(double) * self.torch.sigmoid(-double)

    def filled(self, shape: Sequence[int], dtype: Dtype | str | None, index: Foreign, value: Foreign) -> Any:
        """Return zeros but for the value at an index."""
        return self.index_set(self.zeros(shape, dtype), index, value)

    def index_set(self, x: Foreign, index: Foreign, value: Foreign) -> Any:
        """Return x with x[index] = value."""
        result = x.clone()
        result[self.places(index)] = self.asarray(value, x.dtype)
        return result

    def index_add(self, x: Foreign, index: Foreign, value: Foreign) -> Any:
        """Return x with value added at an index, repeats adding up."""
        parts = index if isinstance(index, tuple) else (index,)
        if not any(isinstance(p, np.ndarray | self.torch.Tensor) for p in parts):
            return self.index_set(x, index, self.torch.Tensor.__getitem__(x, index) + value)
        return x.index_put(tuple(self.asarray(p).long() for p in parts), self.asarray(value, x.dtype), accumulate=True)

    def places(self, index: Foreign) -> Any:
        """Return an index of NumPy's as PyTorch takes it."""
        if isinstance(index, tuple):
            return tuple(self.places(i) for i in index)
        return self.asarray(index).long() if isinstance(index, np.ndarray) and index.dtype.kind in "iu" else index


@functools.cache
def torch_arrays() -> TorchArrays:
    """Return the namespace; PyTorch is imported when this is first called."""
    return TorchArrays()


def walked(graph: FuncGraph, outputs: Sequence[Any]) -> Callable[..., list[Any]]:
    """Return a function of PyTorch's tensors, of the graph's inputs, that gives the outputs.

    The list is lowered once, here: all shapes are known.
    """
    plan = NumPyProgram(graph, outputs, graph.inputs).variant().plan
    xp = torch_arrays()
    bound: dict[int, Callable[..., Any]] = {}
    for number, step in enumerate(plan.steps):
        op = step.node.op
        if op.stateful or op.kind == "control" or op.draws:
            raise UnimplementedError(f"wengert.torch: {op.name} is not there in what depends on the coordinates.")
        bound[number] = op.bind(xp)

    def run(*given: Foreign) -> list[Any]:
        slots: list[Any] = [None] * plan.size
        xp.device = given[0].device
        for slot, x in zip(plan.feeds, given, strict=True):
            slots[slot] = xp.asarray(x)
        for number, step in enumerate(plan.steps):
            values = [slots[i] for i in step.inputs]
            node = step.node
            if all([isinstance(v, np.ndarray) for v in values]):
                result = node.op.eager(*values, **node.attrs)
                result = tuple(np.asarray(r) for r in result) if step.several else np.asarray(result)
            else:
                likes = [xp.asarray(v) if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v for v in values]
                result = bound[number](*likes, **node.attrs)
            for k, one in enumerate(result if step.several else (result,)):
                slots[step.output + k] = one
            for i in step.dead:
                slots[i] = None
        return [xp.asarray(slots[i]).as_subclass(xp.torch.Tensor) for i in plan.fetches]

    return run
