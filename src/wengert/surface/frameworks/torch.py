"""Models of PyTorch's as fields: `field`, and `register` for operations that nobody has stated.

A module, or a function of tensors, is traced by `torch.fx`; what depends on the coordinates is read into a list, the rest stays
PyTorch's. What a field returns is a tensor of PyTorch's, through whose graph the gradients of parameters flow.
"""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from wengert.calculus.fields import Field, evaluate, named, stacks
from wengert.ground import checks
from wengert.ground.errors import DTypeError, UnimplementedError
from wengert.ops import linear
from wengert.surface.frameworks.aten import RULES
from wengert.surface.frameworks.expression import Arrayed, FrameworkHome, Listed, Net, Reading, Spec
from wengert.surface.frameworks.torch_arrays import torch_arrays, walked
from wengert.tensor.tensor import SymbolicTensor, apply, convert

__all__ = ["evaluate", "field", "register"]


def _torch() -> Any:
    try:
        return torch_arrays().torch
    except ImportError as error:
        raise ImportError(f"wengert.torch needs PyTorch ({error}): pip install 'wengert[torch]'") from error


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
        name = str(array.dtype).removeprefix("torch.")
        if name == "bfloat16":
            raise DTypeError("wengert.torch: NumPy has no bfloat16; give float32 or float64.")
        return tuple(array.shape), np.dtype(name)

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
            found = listed.runs["walked"] = walked(listed.graph, listed.outputs)
        return list(found(*columns, *listed.known(given)))


class _Node(NamedTuple):
    """An operation of a traced function: its name, and its arguments, in which tensors are numbered."""

    name: str
    target: Any
    arguments: Any
    keywords: Any


class _Place(NamedTuple):
    """A tensor among arguments."""

    number: int


Told = _Place | tuple[Any, ...] | list[Any] | dict[str, Any] | Hashable
"""An argument of an operation."""


class Module(Protocol):
    """A module of PyTorch's."""

    def named_modules(self) -> Iterable[tuple[str, Any]]:
        """Give its parts by name."""


class _Traced(NamedTuple):
    """A traced function of columns."""

    nodes: dict[int, _Node]
    """By the number of what an operation gives."""
    columns: tuple[int, ...]
    held: dict[int, Any]
    """The tensors that the function holds: parameters, buffers, others."""
    result: Any
    specs: dict[int, Spec | None]
    moving: frozenset[int]
    """What depends on the coordinates."""


def _trace(function: Callable[..., Any], columns: Sequence[Any]) -> _Traced:
    torch = _torch()
    fx = importlib.import_module("torch.fx")
    make_fx = importlib.import_module("torch.fx.experimental.proxy_tensor").make_fx
    with torch.enable_grad():
        module = make_fx(function, pre_dispatch=True)(*[torch.zeros_like(c) + c.detach() for c in columns])
    numbers: dict[Any, int] = {}
    nodes: dict[int, _Node] = {}
    held: dict[int, Any] = {}
    specs: dict[int, Spec | None] = {}
    places: list[int] = []
    moving: set[int] = set()
    result: Any = None

    def put(value: Told) -> Any:
        return fx.map_arg(value, lambda node: _Place(numbers[node]))

    for node in module.graph.nodes:
        if node.op == "output":
            result = put(node.args[0])
            continue
        number = numbers[node] = len(numbers)
        value = node.meta.get("val")
        specs[number] = None
        if hasattr(value, "shape"):
            name = str(value.dtype).removeprefix("torch.")
            specs[number] = (tuple(value.shape), np.dtype(name)) if name != "bfloat16" else None
        if node.op == "placeholder":
            places.append(number)
            moving.add(number)
        elif node.op == "get_attr":
            held[number] = getattr(module, node.target)
        else:
            found = _Node(str(node.target), node.target, put(tuple(node.args)), put(dict(node.kwargs)))
            nodes[number] = found
            if any(p.number in moving for p in _tensors((found.arguments, found.keywords))):
                moving.add(number)
            if found.name.startswith("aten.") and found.name.split(".")[1].endswith("_"):
                raise UnimplementedError(
                    f"wengert.torch: {found.name} changes a tensor; in training mode, call the module's eval()."
                )
    return _Traced(nodes, tuple(places), held, result, specs, frozenset(moving))


def _tensors(value: Told) -> Iterator[_Place]:
    if isinstance(value, _Place):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _filled(value: Told, of: Callable[[int], Any]) -> Any:
    if isinstance(value, _Place):
        return of(value.number)
    if isinstance(value, tuple | list):
        return type(value)([_filled(one, of) for one in value])
    return {k: _filled(v, of) for k, v in value.items()} if isinstance(value, dict) else value


def _hashable(value: Told) -> Hashable:
    if isinstance(value, _Place):
        return "place", value.number
    if isinstance(value, tuple | list):
        return tuple([_hashable(v) for v in value])
    if isinstance(value, dict):
        return tuple([(k, _hashable(v)) for k, v in value.items()])
    hash(value)
    return type(value).__name__, value


def _reading(traced: _Traced, tensors: Mapping[int, Any], rows: Callable[..., Any]) -> Reading:
    """Return what is read of a traced function of columns, given the tensors that it holds now."""
    moving = traced.moving
    if not isinstance(traced.result, _Place):
        raise TypeError("torch.field: the model must return one tensor.")
    read = [k for k in traced.nodes if k in moving]
    needed = {p.number for k in read for p in _tensors((traced.nodes[k].arguments, traced.nodes[k].keywords))} | {
        traced.result.number
    }
    places = sorted(k for k in needed if k not in moving)
    held = list(traced.held)
    key = (
        tuple([(k, n.name, _hashable(n.arguments), _hashable(n.keywords)) for k, n in traced.nodes.items()]),
        tuple([(k, traced.specs[k]) for k in held]), traced.columns, _hashable(traced.result),
        tuple([traced.specs[k] for k in traced.columns]),
    )  # fmt: skip

    def prepared(*arrays: Arrayed) -> list[Any]:
        values = dict(zip(held, arrays, strict=True))
        for k, node in traced.nodes.items():
            if k not in moving:
                values[k] = node.target(
                    *_filled(node.arguments, values.__getitem__), **_filled(node.keywords, values.__getitem__)
                )
        return [values[k] for k in places]

    def build(columns: Sequence[SymbolicTensor], given: Sequence[SymbolicTensor]) -> Any:
        values: dict[int, Any] = {**dict(zip(traced.columns, columns, strict=True)), **dict(zip(places, given, strict=True))}
        for k in read:
            values[k] = _applied(traced.nodes[k], values)
        return apply(linear.IDENTITY, (convert(values[traced.result.number]),))

    specs = [spec for k in places if (spec := traced.specs[k]) is not None]
    if len(specs) < len(places):
        raise UnimplementedError("wengert.torch: what is known without the coordinates is no tensor of a dtype of NumPy's.")
    return Reading(key, [tensors[k] for k in held], specs, prepared, build, lambda columns: rows(*columns))


def _applied(node: _Node, values: Mapping[int, Any]) -> Any:
    arguments, keywords = (_filled(v, values.__getitem__) for v in (node.arguments, node.keywords))
    if node.name.startswith("<built-in function getitem"):
        return arguments[0][arguments[1]]
    rule = RULES.get(node.name) or RULES.get(node.name.rpartition(".")[0])
    if rule is None:
        raise UnimplementedError(
            f"wengert.torch: there is no rule for PyTorch's operation {node.name!r}. wengert.torch.register states one."
        )
    return rule(*arguments, **keywords)


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

    known: dict[Hashable, tuple[_Traced, dict[int, str]]] = {}

    def reader(columns: Sequence[Any]) -> Reading:
        if not isinstance(f, torch.nn.Module):
            traced = _trace(rows, columns)
            return _reading(traced, traced.held, rows)
        own = {**dict(f.named_parameters()), **dict(f.named_buffers())}
        _refuse_training(f)
        key = (
            tuple([(tuple(c.shape), c.dtype, c.device) for c in columns]),
            tuple([(name, tuple(t.shape), t.dtype, t.device) for name, t in own.items()]),
            tuple([part.training for part in f.modules()]),
        )
        if key not in known:
            traced = _trace(rows, columns)
            called = {id(t): name for name, t in own.items()}
            known[key] = traced, {k: called[id(t)] for k, t in traced.held.items() if id(t) in called}
        traced, places = known[key]
        return _reading(traced, {k: own[places[k]] if k in places else t for k, t in traced.held.items()}, rows)

    return Net(TorchHome(words), reader)


def _refuse_training(module: Module) -> None:
    """Refuse what in training mode draws for each point, or mixes the points, before it is called."""
    for name, part in module.named_modules():
        kind = type(part).__name__
        if part.training and (("Dropout" in kind and getattr(part, "p", 0)) or "BatchNorm" in kind or "InstanceNorm" in kind):
            raise UnimplementedError(
                f"wengert.torch: {kind} ({name}) is in training mode, in which it draws numbers or mixes the points; call eval()."
            )


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
    if rule is None:
        return lambda function: register(operation, function)
    checks.function(rule, "torch.register", "rule")
    RULES[operation] = rule
    return rule
