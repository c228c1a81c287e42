"""Models of PyTorch's as fields: `field`, and `register` for operations that nobody has stated.

A module, or a function of tensors, is traced by `torch.fx`; what depends on the coordinates is read into a list, the rest stays
PyTorch's. What a field returns is a tensor of PyTorch's, through whose graph the gradients of parameters flow.
"""

from __future__ import annotations

import functools
import importlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from wengert.calculus.fields import Field, evaluate, named, stacks
from wengert.ground import checks
from wengert.ground.errors import DTypeError, UnimplementedError
from wengert.surface.frameworks import aten_functions, aten_places
from wengert.surface.frameworks.aten import RULES
from wengert.surface.frameworks.expression import Arrayed, FrameworkHome, Listed, Net, Reading, Spec
from wengert.surface.frameworks.stating import registered
from wengert.surface.frameworks.torch_arrays import torch_arrays, walked
from wengert.surface.frameworks.torch_native import Native, plain
from wengert.surface.frameworks.torch_tracing import reading, spec_of
from wengert.tensor.tensor import SymbolicTensor

__all__ = ["evaluate", "field", "register"]

STATED = (aten_functions, aten_places)
"""The modules that enter rules beside `aten`."""


F = TypeVar("F", bound=Callable[..., Any])


def _torch() -> Any:
    try:
        return torch_arrays().torch
    except ImportError as error:
        raise ImportError(f"wengert.torch needs PyTorch ({error}): pip install 'wengert[torch]'") from error


@functools.cache
def _unread() -> None:
    """Have `torch.compile` break its graph at this library's functions, and not read them."""
    importlib.import_module("torch._dynamo.trace_rules").add("wengert")


def _left_alone(function: F) -> F:
    """Return a function that `torch.compile` runs as it is, with all that it calls."""
    _unread()
    return _torch().compiler.disable(function)  # type: ignore[no-any-return]


class TorchHome(FrameworkHome):
    """What fields of one model share, over PyTorch."""

    lists: ClassVar[OrderedDict[Hashable, Listed]] = OrderedDict()
    noun = "tensor"

    def array(self, other: object) -> Any:
        """Return a tensor of PyTorch's."""
        torch = _torch()
        if isinstance(other, torch.Tensor):
            return other
        return torch.as_tensor(other) if isinstance(other, np.ndarray | np.generic) else None

    def spec(self, array: Arrayed) -> Spec:
        """Return the shape and the dtype."""
        return spec_of(array)

    def call(self, fn: Callable[..., Any], *values: SymbolicTensor) -> Any:
        """Refuse: a function of PyTorch's does not take what stands in a list."""
        raise UnimplementedError(
            "wengert.torch: map is not there; put the function into the module or the function of the field."
        )

    def converted(self, given: Sequence[Any]) -> list[Any]:
        """Return the coordinates of a call as tensors of one real dtype, on one device."""
        torch = _torch()
        tensors = [v for v in given if isinstance(v, torch.Tensor)]
        like = tensors[0] if tensors else None
        dtype = like.dtype if like is not None else torch.get_default_dtype()
        if not dtype.is_floating_point or any(v.dtype != dtype for v in tensors):
            shown, dtypes = ", ".join(self.names), ", ".join(str(v.dtype) for v in tensors)
            raise DTypeError(f"The coordinates ({shown}) must have one real dtype, not {dtypes}.")
        device = like.device if like is not None else None
        return [v if isinstance(v, torch.Tensor) else torch.as_tensor(v, dtype=dtype, device=device) for v in given]

    def spread(self, column: Arrayed, rows: int) -> Any:
        """Return a column of so many rows."""
        return _torch().broadcast_to(column, (rows, 1))

    def tell(self, told: Callable[..., None], values: Sequence[Any]) -> None:
        """Call a function with tensors as NumPy's arrays; not within `torch.func`, where they have no values of their own."""
        if any(_torch()._C._functorch.is_functorch_wrapped_tensor(v) for v in values):
            return
        told(*[v.detach().cpu().numpy() for v in values])

    def run(self, listed: Listed, columns: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        """Return the values of a list's outputs."""
        found = listed.runs.get("walked")
        if found is None:
            walk = walked(listed.graph, listed.outputs)
            found = listed.runs["walked"] = walk, Native(listed.graph, listed.outputs, walk)
        walk, native = found
        tensors = [*columns, *listed.known(given)]
        with _torch().autocast(columns[0].device.type, enabled=False):
            return list(native(*tensors) if native.fits and plain(tensors) else walk(*tensors))


class Norm(Protocol):
    """A module of PyTorch's that may learn statistics."""

    track_running_stats: bool


class Module(Protocol):
    """A module of PyTorch's."""

    def named_modules(self) -> Iterable[tuple[str, Any]]:
        """Give its parts by name."""


def field(f: Callable[..., Any], names: Sequence[Any], *, stacked: bool | None = None) -> Field:
    """Return a module or a function of PyTorch's tensors as a field of its coordinates.

    Parameters and buffers are the module's own at each call: a step of an optimizer, `load_state_dict` and `to` are seen. A
    module is traced once for each shape and dtype of the points and of what it holds, and for each mode, training or not, of its
    parts; a function at each call.

    Args:
        f: A `torch.nn.Module`, or a function, of points: it takes one tensor X of shape (n, d), the coordinates in its
            columns, or d columns of shape (n, 1), and returns (n, m) or (n,); row i depends on point i alone.
        names: The coordinates' names, as "x t" or ["x", "t"].
        stacked: Whether f takes one tensor of all coordinates. None: it does, unless its signature has d arguments.

    Returns:
        A field, as `wengert.field` gives it. Called with tensors of PyTorch's or numbers it returns a tensor of shape (n, m),
        of the coordinates' dtype and on their device; its graph leads to the parameters, to tensors in the expression and
        to the points: ``((u.t + u * u.x)(x, t) ** 2).mean().backward()`` fills the module's ``.grad``.

    Raises:
        TypeError: if f is no function, takes neither one argument nor d, or does not return one tensor.
        ValueError: for names that are no identifiers, not different, or methods of fields; at a call, for shapes that do not fit.
        NotImplementedError: at a call, for an operation without a rule, and for dropout and BatchNorm in training mode.
        ImportError: if PyTorch is not installed.
    """
    checks.function(f, "torch.field", "f")
    torch = _torch()
    words = named(names, "torch.field")
    forward = f.forward if isinstance(f, torch.nn.Module) else f
    whole = stacks(forward, len(words)) if stacked is None else bool(stacked)

    def rows(*xs: Arrayed) -> Any:
        return f(torch.cat(xs, 1) if len(xs) > 1 else xs[0]) if whole else f(*xs)

    def reader(columns: Sequence[Any]) -> Reading:
        if isinstance(f, torch.nn.Module):
            _refuse_training(f)
        with torch.autocast(columns[0].device.type, enabled=False):
            return reading(rows, columns)

    return Net(TorchHome(words), _left_alone(reader))


def _refuse_training(module: Module) -> None:
    """Refuse what in training mode draws for each point, or mixes the points, before it is called."""
    for name, part in module.named_modules():
        kind = type(part).__name__
        if part.training and (("Dropout" in kind and getattr(part, "p", 0)) or "BatchNorm" in kind or _learns(part)):
            raise UnimplementedError(
                f"wengert.torch: {kind} ({name}) is in training mode, in which it draws numbers or mixes the points; call eval()."
            )


def _learns(part: Norm) -> bool:
    return "InstanceNorm" in type(part).__name__ and part.track_running_stats


def register(operation: str, rule: Callable[..., Any] | None = None) -> Any:
    """State what an operation of PyTorch's is, for `field`.

    Args:
        operation: Its name, as "aten.softplus", or with the overload, "aten.max.other".
        rule: A function of tensors, called as PyTorch calls the operation, made of this library's functions: its derivatives are
            theirs. Without a rule a decorator is returned.

    Returns:
        The rule.

    Raises:
        TypeError: if the operation is no name, and for a rule that is no function.
    """
    if not isinstance(operation, str):
        raise TypeError(f"torch.register: expected the name of an operation, not {operation!r}.")
    TorchHome.lists.clear()  # of which some may have been made by another rule
    return registered(RULES, "torch.register", operation, rule)
