"""Lists of PyTorch's models on this library's own executors, which take and give tensors in the processor's memory.

PyTorch's autograd passes through such a run as through one operation. Its gradients are a list too, of the same series in reverse
mode; a graph of the gradients, for derivatives of these, is that of the list walked with PyTorch's tensors.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from wengert.derive.request import request
from wengert.execute.program import compile
from wengert.execute.protocol import Program
from wengert.ground.locks import lock
from wengert.ground.types import NumPyArray
from wengert.modes.tracing import FuncGraph, tracing
from wengert.surface.frameworks.torch_arrays import Foreign, torch_arrays

__all__ = ["Native", "plain"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

Walked = Callable[..., Sequence[Any]]


def plain(tensors: Sequence[Any]) -> bool:
    """Whether tensors have values of their own in the processor's memory, and PyTorch does no more than record a graph."""
    torch = torch_arrays().torch
    if torch._C._len_torch_dispatch_stack() or torch._C._functorch.peek_interpreter_stack() is not None:
        return False
    own, dual = (torch.Tensor, torch.nn.Parameter), importlib.import_module("torch.autograd.forward_ad").unpack_dual
    return all([type(v) in own and _usual(torch, v) and dual(v).tangent is None for v in tensors])


def _usual(torch: ModuleType, tensor: Foreign) -> bool:
    return tensor.device.type == "cpu" and tensor.layout is torch.strided and not tensor.is_complex()


class Context(Protocol):
    """What PyTorch keeps of a run for its gradients."""

    native: Native
    saved_tensors: Sequence[Any]
    needs_input_grad: Sequence[bool]

    def save_for_backward(self, *tensors: Foreign) -> None: ...


class Native:
    """A list as programs: of its values, and of its gradients by some of its inputs."""

    def __init__(self, graph: FuncGraph, outputs: Sequence[Any], walked: Walked) -> None:
        """Take the list, its outputs, and what gives these with PyTorch's tensors."""
        self.graph, self.outputs, self.inputs, self.walked = graph, outputs, list(graph.inputs), walked
        self.fits = all([y.nptype.kind == "f" for y in outputs])
        """Whether all outputs have gradients, and a dtype of NumPy's and PyTorch's both."""
        self.values = compile(graph, outputs, self.inputs, tell=False)
        self.by: dict[tuple[bool, ...], tuple[Program | None, tuple[bool, ...]]] = {}
        self.making = lock()

    def __call__(self, *tensors: Foreign) -> Sequence[Any]:
        """Return the values of the outputs."""
        return _operation().apply(self, *tensors)  # type: ignore[no-any-return]

    def gradient(self, needed: tuple[bool, ...]) -> tuple[Program | None, tuple[bool, ...]]:
        """Return what gives the gradients by some inputs, given the inputs and the outputs' cotangents, and which there are."""
        with self.making:
            if needed not in self.by:
                sources = [x for x, wanted in zip(self.inputs, needed, strict=True) if wanted]
                with tracing(self.graph):
                    bars = [self.graph.placeholder(y.sizes, y.nptype, "cotangent") for y in self.outputs]
                    found = request(self.outputs, sources, bars)
                waiting = iter(found)
                there = tuple([wanted and next(waiting) is not None for wanted in needed])
                fetched = [g for g in found if g is not None]
                program = compile(self.graph, fetched, [*self.inputs, *bars], tell=False) if fetched else None
                self.by[needed] = program, there
            return self.by[needed]


def _array(tensor: Foreign) -> NumPyArray:
    return tensor.detach().numpy()  # type: ignore[no-any-return]


def _tensor(array: NumPyArray) -> Any:
    return torch_arrays().torch.from_numpy(array if array.flags.writeable else np.array(array))


@functools.cache
def _operation() -> Any:
    torch = torch_arrays().torch

    class Listed(torch.autograd.Function):  # type: ignore[misc, name-defined]
        """A list as an operation of PyTorch's."""

        @staticmethod
        def forward(ctx: Context, native: Native, *tensors: Foreign) -> Any:
            ctx.native = native
            ctx.save_for_backward(*tensors)
            return tuple([_tensor(y) for y in native.values(*[_array(v) for v in tensors])])

        @staticmethod
        def backward(ctx: Context, *bars: Foreign) -> Any:
            native, tensors = ctx.native, ctx.saved_tensors
            needed = tuple(ctx.needs_input_grad[1:])
            if torch.is_grad_enabled() or not plain([*tensors, *bars]):
                own = [v.view_as(v) if wanted else v for v, wanted in zip(tensors, needed, strict=True)]
                sources = [v for v, wanted in zip(own, needed, strict=True) if wanted]
                with torch.enable_grad():
                    ys = native.walked(*own)
                found = iter(torch.autograd.grad(ys, sources, bars, create_graph=torch.is_grad_enabled(), allow_unused=True))
                return (None, *[next(found) if wanted else None for wanted in needed])
            program, there = native.gradient(needed)
            if program is None:
                return (None, *[None for _ in needed])
            given = iter(program(*[_array(v) for v in (*tensors, *bars)]))
            return (None, *[_tensor(next(given)) if wanted else None for wanted in there])

    return Listed
