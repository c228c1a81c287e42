"""What a module or a function of PyTorch's does with points, written down by calling it with tensors that have no values.

Such a tensor is *moving*: it stands for what depends on the coordinates. Operations of which an argument is moving are written
down and not computed, but for their shapes; all others are PyTorch's, computed at once, with the graph that leads to parameters.
So the program is as it runs now: choices and loops by what the module holds are right at each call, and a choice by values of the
points is an error with the line of the module that makes it.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import FrameType
from typing import Any, NamedTuple, Protocol

import numpy as np

from wengert.ground.errors import DTypeError, UnimplementedError
from wengert.ops import linear
from wengert.surface.frameworks.aten import RULES
from wengert.surface.frameworks.expression import Arrayed, Reading, Spec
from wengert.surface.frameworks.torch_arrays import Foreign, torch_arrays
from wengert.tensor.tensor import SymbolicTensor, apply, convert

__all__ = ["reading", "spec_of"]

MOST_SHAPES = 4096
"""Shapes of results that are kept."""


class Place(NamedTuple):
    """A tensor among arguments: one that is held, or the result of an operation."""

    number: int


Told = Place | tuple[Any, ...] | list[Any] | dict[str, Any] | Hashable
"""An argument of an operation."""
Arguments = Sequence[Told]
Keywords = Mapping[str, Told] | None


class Operation(Protocol):
    """An operation of PyTorch's, with its overload."""

    _schema: Any

    def __call__(self, *arguments: Told, **keywords: Told) -> Any: ...
    def decompose(self, *arguments: Told, **keywords: Told) -> Any: ...


class Node(NamedTuple):
    """An operation that is written down, in whose arguments tensors are numbered."""

    name: str
    arguments: Told
    keywords: Told
    results: Told
    stopped: bool
    """Whether no derivative passes: it stands under `torch.no_grad`. What it changes keeps the derivative that it had."""
    changes: bool
    kinds: tuple[str, ...]
    """Of the results: Booleans, integers, real or complex numbers."""
    where: str


def spec_of(tensor: Arrayed) -> Spec:
    """Return the shape of a tensor, and its dtype, NumPy's.

    Raises:
        UnimplementedError: for a dtype that NumPy has not.
    """
    name = str(tensor.dtype).removeprefix("torch.")
    try:
        return tuple(tensor.shape), np.dtype(name)
    except TypeError:
        raise UnimplementedError(f"wengert.torch: NumPy has no {name}; give float32 or float64.") from None


class Trace:
    """What a function of columns does."""

    def __init__(self, device: Hashable) -> None:
        """Begin; ``device``: where the columns are."""
        self.device = device
        self.nodes: list[Node] = []
        self.held: dict[int, tuple[int, Any, int]] = {}
        """By identity: the tensors that are known without the columns, their numbers, and how often they had been changed."""
        self.count = 0

    def number(self) -> int:
        """Return the next number."""
        self.count += 1
        return self.count - 1

    def moving(self, shadow: Foreign, family: list[int] | None = None) -> Any:
        """Return a new moving tensor; ``family``: of those that share memory with it, the count."""
        family = [0] if family is None else family
        family[0] += 1
        return _kinds().moving(shadow, self, self.number(), family)

    def place(self, value: Foreign) -> Any:
        """Return an argument, a tensor as its number."""
        if type(value) is _kinds().moving:
            if value.lost:
                raise UnimplementedError(
                    f"wengert.torch: a script (torch.jit), at {value.lost}, brings a derivative of its own, which is not read; "
                    "give the module or the function that it was made of."
                )
            return Place(value.number)
        if isinstance(value, torch_arrays().torch.Tensor):
            number, *_ = self.held.setdefault(id(value), (self.count, value, _changes(value)))
            if number == self.count:
                self.count += 1
            return Place(number)
        return value

    def write(self, function: Operation, arguments: Sequence[Told], keywords: Mapping[str, Told]) -> Any:
        """Write an operation down, and return its moving results.

        Raises:
            UnimplementedError: for an operation without a rule, and one that asks for values or changes what others see.
        """
        name, schema, kinds, stopped = str(function), function._schema, _kinds(), not torch_arrays().torch.is_grad_enabled()
        changed = [a.name for a in schema.arguments if a.alias_info is not None and a.alias_info.is_write]
        if not any("Tensor" in str(r.type) for r in schema.returns):
            return self.asked(function, arguments, keywords)
        if changed:
            name = _unchanging(name)
            target: Any = arguments[0] if changed == [schema.arguments[0].name] else None
            if type(target) is not kinds.moving or target.family[0] > 1:
                raise UnimplementedError(
                    f"wengert.torch: {function} changes what other tensors see, at {_where()}: make a new tensor of the "
                    "parts, by torch.where, torch.cat or torch.stack."
                )
        _refuse_stated()
        if not _ruled(name):
            found = self.parts(function, arguments, keywords)
            if found is not NotImplemented:
                return found
            raise UnimplementedError(
                f"wengert.torch: there is no rule for PyTorch's operation {name!r}, at {_where()}. wengert.torch.register "
                "states one."
            )
        shadows = self.shapes(function, arguments, keywords)
        given, named = _mapped(tuple(arguments), self.place), _mapped(dict(keywords), self.place)
        if changed:
            target.shadow, target.number = shadows, self.number()
            found = target
        else:
            source: Any = next((a for a in arguments if type(a) is kinds.moving), None)
            shares = source is not None and any(r.alias_info is not None for r in schema.returns)
            family = source.family if shares else None
            found = _mapped(shadows, lambda v: self.moving(v, family) if isinstance(v, torch_arrays().torch.Tensor) else v)
        self.nodes.append(
            Node(name, given, named, _mapped(found, self.place), stopped, bool(changed), _kinds_of(shadows), _where())
        )
        if name == "aten.detach.default" and not _asked_to_detach():
            found.lost = _where()
        return found

    def asked(self, function: Operation, arguments: Sequence[Told], keywords: Mapping[str, Told]) -> Any:
        """Return what an operation says of shapes and dtypes.

        Raises:
            UnimplementedError: if it asks for values.
        """
        try:
            found = function(*_mapped(tuple(arguments), self.shadow), **_mapped(dict(keywords), self.shadow))
        except (RuntimeError, NotImplementedError):
            raise UnimplementedError(
                f"wengert.torch: a value of what depends on the coordinates is asked for ({function}), at {_where()}: a choice "
                "or a loop by it, or a number made of it. Choose by torch.where, and compute with tensors."
            ) from None
        return self.device if isinstance(found, torch_arrays().torch.device) else found

    def parts(self, function: Operation, arguments: Sequence[Told], keywords: Mapping[str, Told]) -> Any:
        """Write down what an operation is made of; NotImplemented if PyTorch does not say it."""
        with _kinds().recorder(self):
            return function.decompose(*arguments, **keywords)

    def shapes(self, function: Operation, arguments: Sequence[Told], keywords: Mapping[str, Told]) -> Any:
        """Return the results without values."""
        key: Hashable = (str(function), _hashable(tuple(arguments)), _hashable(dict(keywords)), self.device)
        try:
            found = _SHAPES.get(key)
        except TypeError:  # something that has no hash
            key, found = None, None
        if found is None:
            try:
                found = function(*_mapped(tuple(arguments), self.shadow), **_mapped(dict(keywords), self.shadow))
            except NotImplementedError:  # an operation of which only values are computed: by zeros
                zeros = [_mapped(v, self.zeros) for v in (tuple(arguments), dict(keywords))]
                found = _mapped(function(*zeros[0], **zeros[1]), self.shadow)
            if key is not None:
                if len(_SHAPES) >= MOST_SHAPES:
                    _SHAPES.clear()
                _SHAPES[key] = found
        return found

    def shadow(self, value: Foreign) -> Any:
        """Return an argument without values."""
        torch = torch_arrays().torch
        if type(value) is _kinds().moving:
            return value.shadow
        if isinstance(value, torch.Tensor):
            return torch.empty_like(value, device="meta")
        return torch.device("meta") if isinstance(value, torch.device) else value

    def zeros(self, value: Foreign) -> Any:
        """Return an argument, zeros for what moves."""
        moving = type(value) is _kinds().moving
        return torch_arrays().torch.zeros_like(value.shadow, device=self.device) if moving else value


_SHAPES: dict[Hashable, Any] = {}
"""By an operation and its arguments: the results without values."""


class _Kinds(NamedTuple):
    """Classes that need PyTorch."""

    moving: Any
    recorder: Any


@functools.cache
def _kinds() -> _Kinds:
    torch = torch_arrays().torch
    modes = importlib.import_module("torch.utils._python_dispatch")
    tracer = importlib.import_module("torch.fx.experimental.proxy_tensor").ProxyTorchDispatchMode

    class Moving(torch.Tensor):  # type: ignore[misc, name-defined]
        """A tensor that depends on the coordinates."""

        @staticmethod
        def __new__(cls: type, shadow: Foreign, trace: Trace, number: int, family: list[int]) -> Any:
            made = torch.Tensor._make_wrapper_subclass(
                cls, shadow.shape, strides=shadow.stride(), dtype=shadow.dtype, device=trace.device
            )
            made.shadow, made.trace, made.number, made.family, made.lost = shadow, trace, number, family, None
            return made

        __torch_function__ = torch._C._disabled_torch_function_impl

        @classmethod
        def __torch_dispatch__(
            cls, function: Operation, types: Told, arguments: Sequence[Told] = (), keywords: Mapping[str, Told] | None = None
        ) -> Any:
            return _first((*arguments, keywords or {})).trace.write(function, arguments, keywords or {})

        def __repr__(self, **keywords: Hashable) -> str:
            return f"<a tensor that depends on the coordinates, shape={tuple(self.shape)}, dtype={self.dtype}>"

    class Recorder(tracer):  # type: ignore[misc, valid-type]
        """What sees operations before PyTorch takes them apart; a tracer of PyTorch's by its place among modes alone."""

        def __init__(self, trace: Trace) -> None:
            modes.TorchDispatchMode.__init__(self, torch._C.DispatchKey.PreDispatch)
            self._mode_key = torch._C._TorchDispatchModeKey.PROXY
            self.enter_stack: list[Any] = []
            self.trace = trace

        def __torch_dispatch__(
            self, function: Operation, types: Told, arguments: Sequence[Told] = (), keywords: Mapping[str, Told] | None = None
        ) -> Any:
            if _first((*arguments, keywords or {})) is None:
                return function(*arguments, **(keywords or {}))
            return self.trace.write(function, arguments, keywords or {})

    return _Kinds(Moving, Recorder)


def _changes(tensor: Foreign) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _mapped(value: Any, of: Callable[[Foreign], Any]) -> Any:
    if isinstance(value, tuple | list) and not isinstance(value, Place) and not hasattr(value, "numel"):
        return type(value)([_mapped(one, of) for one in value])
    return {k: _mapped(v, of) for k, v in value.items()} if isinstance(value, dict) else of(value)


def _leaves(value: Told) -> Iterator[Any]:
    if isinstance(value, tuple | list) and not isinstance(value, Place) and not hasattr(value, "numel"):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))
    else:
        yield value


def _first(value: Told) -> Any:
    """Return the first moving tensor in arguments, or None."""
    moving = _kinds().moving
    return next((v for v in _leaves(value) if type(v) is moving), None)


def _hashable(value: Told) -> Hashable:
    if isinstance(value, Place):
        return "place", value.number
    if isinstance(value, torch_arrays().torch.Tensor):
        return "tensor", tuple(value.shape), value.stride(), value.dtype
    if isinstance(value, tuple | list):
        return tuple([_hashable(v) for v in value])
    if isinstance(value, dict):
        return tuple([(k, _hashable(v)) for k, v in value.items()])
    return type(value).__name__, value


def _ruled(name: str) -> Callable[..., Any] | None:
    return RULES.get(name) or RULES.get(name.rpartition(".")[0])


def _unchanging(name: str) -> str:
    """Return the operation that makes a new tensor, of one that changes its first."""
    space, called, overload = name.split(".")
    return f"{space}.{called.removesuffix('_')}.{overload}"


_OWN = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "")


def _where() -> str:
    """Return the line of the program that is running, and the module that it is in."""
    torch = torch_arrays().torch
    theirs = os.path.join(os.path.dirname(str(torch.__file__)), "")
    frame, part = sys._getframe(1), ""
    while frame is not None:
        file = frame.f_code.co_filename
        if not part and frame.f_code.co_name == "forward":
            owner = frame.f_locals.get("self")
            part = f", in {type(owner).__name__}" if isinstance(owner, torch.nn.Module) else ""
        if not file.startswith((_OWN, theirs, "<")):
            return f"{os.path.basename(file)}:{frame.f_lineno}{part}"
        frame = frame.f_back  # type: ignore[assignment]
    return part.removeprefix(", ")


def _refuse_stated() -> None:
    """Refuse functions that state their derivatives."""
    frame, apply_ = sys._getframe(2), torch_arrays().torch.autograd.Function.apply.__func__.__code__
    while frame is not None and frame.f_code is not _READING:
        if frame.f_code is apply_:
            raise UnimplementedError(
                f"wengert.torch: {frame.f_locals['cls'].__name__} states its own derivative, by torch.autograd.Function, at "
                f"{_where()}: that is not read."
            )
        frame = frame.f_back  # type: ignore[assignment]


_BETWEEN = ("_ops.py", os.path.join("_library", "utils.py"), "_compile.py", os.path.join("_dynamo", "eval_frame.py"))
"""PyTorch's files that stand between a program and what writes it down."""


def _asked_to_detach() -> bool:
    """Whether the program says it: a script that PyTorch has compiled detaches what it is given, and brings a derivative."""
    theirs = os.path.dirname(str(torch_arrays().torch.__file__))
    between = (_OWN, *[os.path.join(theirs, file) for file in _BETWEEN])
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(between) and frame.f_back is not None:
        frame = frame.f_back
    return "detach" in frame.f_code.co_names and not _scripts(frame)


def _scripts(frame: FrameType) -> bool:
    """Whether names in a frame's code are those of scripts."""
    torch = torch_arrays().torch
    script = (torch.jit.ScriptFunction, torch.jit.ScriptModule)
    found = [v for n in frame.f_code.co_names for v in (frame.f_globals.get(n), getattr(frame.f_locals.get("self"), n, None))]
    return any(isinstance(v, script) for v in (*found, *frame.f_locals.values()))


def reading(function: Callable[..., Any], columns: Sequence[Any]) -> Reading:
    """Return what is read of a function of columns of these shapes, dtypes and devices.

    Raises:
        TypeError: if it does not return one tensor.
        UnimplementedError: for what has no rule, or asks for values.
    """
    torch = torch_arrays().torch
    trace = Trace(columns[0].device)
    moving = [trace.moving(torch.empty(c.shape, dtype=c.dtype, device="meta")) for c in columns]
    starts = [m.number for m in moving]
    dispatcher = importlib.import_module("torch._dispatch.python").enable_python_dispatcher
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(torch.enable_grad())
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        stack.callback(torch._C._set_mkldnn_enabled, torch._C._get_mkldnn_enabled())
        torch._C._set_mkldnn_enabled(False)  # its operations are made of no others
        stack.enter_context(torch.jit.optimized_execution(False))  # which detaches what a scripted module is given
        stack.enter_context(dispatcher())
        stack.enter_context(_kinds().recorder(trace))
        result = function(*moving)
    if not isinstance(result, torch.Tensor):
        raise TypeError("torch.field: the model must return one tensor.")
    last = trace.place(result)
    nodes, places = trace.nodes, [number for number, *_ in trace.held.values()]
    held = [tensor for _, tensor, _ in trace.held.values()]
    if any(_changes(tensor) != changes for _, tensor, changes in trace.held.values()):
        raise UnimplementedError("wengert.torch: the model changes a tensor that it has used; call the module's eval().")
    specs = [spec_of(tensor) for tensor in held]

    def build(given: Sequence[SymbolicTensor], known: Sequence[SymbolicTensor]) -> Any:
        values: dict[int, Any] = {**dict(zip(starts, given, strict=True)), **dict(zip(places, known, strict=True))}
        for node in nodes:
            _put(node.results, _applied(node, values), values)
        return apply(linear.IDENTITY, (convert(values[last.number]),))

    key = tuple([_hashable(node[:7]) for node in nodes]), tuple(places), tuple(starts), last.number, tuple(specs)
    return Reading(key, held, specs, _as_they_are, build, lambda columns: function(*columns))


_READING = reading.__code__


def _as_they_are(*arrays: Arrayed) -> Sequence[Any]:
    return arrays


def _put(results: Told, found: Told, values: dict[int, Any]) -> None:
    """Enter the results of a rule by their numbers."""
    if isinstance(results, Place):
        values[results.number] = found[0] if isinstance(found, tuple | list) else found
    elif isinstance(results, tuple | list):
        several: Iterable[Any] = found if isinstance(found, tuple | list) else [found]
        for one, value in zip(results, several, strict=False):  # of what nobody uses, a rule gives nothing
            _put(one, value, values)


def _stopped(y: Foreign) -> Any:
    value: Any = y
    return apply(linear.STOP_GRADIENT, (convert(value),))


def _kinds_of(results: Told) -> tuple[str, ...]:
    """Return the kinds of dtypes of tensors: b for Booleans, i for integers, f for real and c for complex numbers."""
    tensors = [v for v in _leaves(results) if hasattr(v, "dtype")]
    names = [str(v.dtype).removeprefix("torch.") for v in tensors]
    return tuple(["i" if name == "uint8" else name[0] for name in names])


def _checked(node: Node, found: Any) -> Any:
    """Return what a rule gave, if it is of the kind that PyTorch gives: a number that was cut would be wrong.

    Raises:
        UnimplementedError: if it is not.
    """
    given = [convert(v).nptype.kind.replace("u", "i") for v in (found if isinstance(found, tuple | list) else [found])]
    if any(a != b for a, b in zip(given, node.kinds, strict=False)):
        raise UnimplementedError(f"wengert.torch: the rule gives another dtype than PyTorch ({given[0]}, not {node.kinds[0]})")
    return found


def _applied(node: Node, values: Mapping[int, Any]) -> Any:
    def of(value: Foreign) -> Any:
        return values[value.number] if isinstance(value, Place) else value

    rule = _ruled(node.name)
    assert rule is not None
    try:
        found = _checked(node, rule(*_mapped(node.arguments, of), **_mapped(node.keywords, of)))
        if node.stopped and node.changes:
            before = of(node.arguments[0])  # type: ignore[index]
            return before + apply(linear.STOP_GRADIENT, (convert(found) - before,))
        return _mapped(found, _stopped) if node.stopped else found
    except (UnimplementedError, DTypeError) as error:
        raise UnimplementedError(f"{error.message} ({node.name}, at {node.where})") from error
