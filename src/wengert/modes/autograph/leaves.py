"""Variables on the paths of symbolic control flow: the errors, the hooks, and variables split into leaves and joined again."""

from __future__ import annotations

import numbers
import re
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.ground.context import place
from wengert.ground.errors import helped
from wengert.tensor.tensor import Tensor

__all__ = [
    "FLAG",
    "LOOP_FLAG",
    "AutographError",
    "ControlFlowError",
    "ConversionError",
    "Fixed",
    "Hooks",
    "Leaves",
    "Merge",
    "Undefined",
    "UndefinedReturnValue",
    "UndefinedVariableError",
    "Values",
    "describe",
    "is_constant",
    "is_undefined",
    "line_of",
    "map_leaves",
    "rebuild",
]

Values = tuple[Any, ...]
Merge = Callable[[Values, Values], tuple[Values, Values]]


@helped
class AutographError(Exception):
    """Base of the errors of this module.

    ::

        AutographError
          ConversionError          the source of a function cannot be rewritten
          ControlFlowError         the rewritten function cannot be traced
            UndefinedVariableError a variable is read that not every path has assigned (UnboundLocalError, ValueError)
    """


class ConversionError(AutographError):
    """The source of a function is missing, or holds a construct that cannot be rewritten."""


class ControlFlowError(AutographError):
    """The paths through symbolic control flow leave a variable with values that do not fit together."""


class UndefinedVariableError(ControlFlowError, UnboundLocalError, ValueError):
    """A variable is read that not every path has assigned: Python's error for it, and TensorFlow's."""


def is_number_or_array(value: object) -> bool:
    return isinstance(value, (numbers.Number, np.ndarray, np.generic))


@dataclass(frozen=True)
class Hooks:
    """What converted code does where control flow meets a symbolic value.

    Attributes:
        is_symbolic: `is_symbolic(value)`: is this a value that only running the graph will know?
        cond: `cond(pred, true_fn, false_fn, merge)`. It calls `true_fn()` and then `false_fn()`, once each, each into
            its own graph, passes both results to `merge(true_result, false_result)`, which returns two tuples of
            equal length (leaves for either graph, perhaps none), and returns the tuple of symbolic results.
            `pred` may have any numeric dtype. Leaves may be numbers, arrays, or symbols of an outer graph.
        while_loop: `while_loop(cond_fn, body_fn, loop_vars)`: `cond_fn(*vars)` returns a truth value, `body_fn(*vars)`
            a tuple as long as `loop_vars`; returns the tuple of final values. Elements of `loop_vars` and the body's
            results may be Python numbers: choosing the common dtype is the hook's task. May call either function
            several times.
        logical_not: `logical_not(value)` of a symbolic value.
        length: `length(value)`: the number of elements along the first axis, an int or symbolic.
        element: `element(value, i)`: the `i`-th slice along the first axis, `i` symbolic.
        assert_true: `assert_true(pred, message)`: record a check for run time.
        abstract: `abstract(fn, args)`: call `fn` once with symbolic stand-ins for `args` into a graph that is then
            thrown away, and return what `fn` returned, untouched. Only dtypes and shapes of it are looked at.
        zeros_like: `zeros_like(value)`: zeros of the dtype and shape of `value`, which may belong to a graph that was
            thrown away; the result must belong to none.
        is_value: may this non-symbolic value become a constant of the graph? Numbers and NumPy arrays unless told
            otherwise; add concrete tensors.
    """

    is_symbolic: Callable[[Any], bool]
    cond: Callable[[Any, Callable[[], Values], Callable[[], Values], Merge], Sequence[Any]]
    while_loop: Callable[[Callable[..., Any], Callable[..., Values], Values], Sequence[Any]]
    logical_not: Callable[[Any], Any]
    length: Callable[[Any], Any]
    element: Callable[[Any, Any], Any]
    assert_true: Callable[[Any, str], None]
    abstract: Callable[[Callable[..., Any], Values], Any]
    zeros_like: Callable[[Any], Any]
    is_value: Callable[[Any], bool] = is_number_or_array


class Undefined:
    """The value of a variable that has none; reading it raises."""

    __slots__ = ("error", "name", "reason")

    def __init__(
        self,
        name: str,
        reason: str = "is used before it is assigned",
        error: type[ControlFlowError] = UndefinedVariableError,
    ) -> None:
        """Notes the variable's name, why it has no value, and what reading it raises."""
        self.name = name
        self.reason = reason
        self.error = error

    def __repr__(self) -> str:
        return f"<undefined {self.name}>"

    def read(self) -> None:
        """Raises the error."""
        raise self.error(f"{_called(self.name)} {self.reason}")


class UndefinedReturnValue:
    """The return value of a function that has not returned; valid only once the return flag is set."""


@dataclass(frozen=True)
class _Slot:
    """A leaf that goes through the hooks, by its position."""

    index: int


@dataclass(frozen=True)
class Fixed:
    """A static leaf."""

    value: Any


def is_undefined(value: object) -> bool:
    """Whether no path has given the variable a value."""
    return isinstance(value, (Undefined, UndefinedReturnValue))


def _children(value: Any) -> list[Any] | None:
    """The parts of a container, or None for a leaf."""
    if type(value) in (tuple, list) or (isinstance(value, tuple) and hasattr(value, "_fields")):
        return list(value)
    return list(value.values()) if type(value) is dict else None


def _like(value: Any, children: Iterable[Any]) -> Any:
    """A container like `value` that holds `children`."""
    if type(value) is dict:
        return dict(zip(value, children, strict=True))
    return type(value)(*children) if hasattr(value, "_fields") else type(value)(children)


def _same_container(a: Any, b: Any) -> bool:
    if type(a) is not type(b) or _children(a) is None:
        return False
    return list(a) == list(b) if type(a) is dict else len(a) == len(b)


def map_leaves(fn: Callable[[Any], Any], value: Tensor) -> Any:
    """Return a nested value with a function applied to each leaf."""
    children = _children(value)
    return fn(value) if children is None else _like(value, [map_leaves(fn, child) for child in children])


def rebuild(template: Any, leaves: Sequence[Any]) -> Any:
    """Return a template with leaves in its places."""
    return map_leaves(lambda part: leaves[part.index] if isinstance(part, _Slot) else part.value, template)


def _same_static(a: Tensor, b: Tensor) -> bool:
    """Is it known now that both are the same? Not asked of floats, whose equality hides a zero's sign."""
    if a is b or (isinstance(a, Undefined) and isinstance(b, Undefined)):
        return True
    return type(a) is type(b) and isinstance(a, (bool, int, str, bytes, range, slice, type(None))) and bool(a == b)


FLAG = re.compile(r"(do_return|break_|continue_)(_\d+)?")
LOOP_FLAG = re.compile(r"(do_return|break_)(_\d+)?")
_RETURN_VALUE = re.compile(r"retval_(_\d+)?")


def _called(name: str) -> str:
    return "the return value" if _RETURN_VALUE.fullmatch(name) else f"variable '{name}'"


def line_of(frame: types.FrameType | None) -> str:
    """The user's file and line: converted code is compiled at the lines of the original."""
    return "" if frame is None else place(frame.f_code.co_filename, frame.f_lineno)


def _unreadable(undefined: Undefined, *_: Undefined) -> Fixed:
    """A variable that may not be read any more: an error at once where a read would not be noticed."""
    if not undefined.name.isidentifier() or _RETURN_VALUE.fullmatch(undefined.name):
        undefined.read()
    return Fixed(undefined)


def describe(value: Tensor) -> str:
    """Return what a value is, for an error."""
    if isinstance(value, _Slot):
        return "a number or tensor"
    if is_undefined(value):
        return "not assigned"
    children = _children(value)
    if children is not None:
        return f"a {type(value).__name__} of {len(children)}"
    return "None" if value is None else f"a {type(value).__name__}"


def is_constant(thunk: Any) -> bool:
    """Is this a lambda of a literal? Then it may be evaluated at any time."""
    code = getattr(thunk, "__code__", None)
    return code is not None and not (code.co_names or code.co_freevars or code.co_varnames)


class Leaves:
    """Values as hooks see them: what is a leaf, and how two paths agree on a variable."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks
        self.symbolic = hooks.is_symbolic

    def _is_leaf(self, value: Tensor) -> bool:
        return self.symbolic(value) or self.hooks.is_value(value)

    def _zeros(self, value: Tensor) -> Any:
        return self.hooks.zeros_like(value) if self._is_leaf(value) else value

    def _template(self, value: Tensor, leaves: list[Any]) -> Any:
        def leaf(part: Any) -> Any:
            if not self._is_leaf(part):
                return Fixed(part)
            leaves.append(part)
            return _Slot(len(leaves) - 1)

        return map_leaves(leaf, value)

    def _match(self, name: str, template: Any, value: Tensor, results: list[Any], where: str) -> None:
        """Appends the leaves of `value` to `results`, if it is of the form that the variable had before the loop."""
        if isinstance(template, _Slot) and self._is_leaf(value):
            results.append(value)
        elif isinstance(template, Fixed) and _same_static(template.value, value):
            pass
        elif _same_container(template, value):
            for part, child in zip(_children(template) or (), _children(value) or (), strict=True):
                self._match(name, part, child, results, where)
        else:
            if isinstance(value, Undefined):
                value.read()
            before = template.value if isinstance(template, Fixed) else template
            raise ControlFlowError(
                f"{where}: {_called(name)} is {describe(before)} before the loop and {describe(value)} after an "
                "iteration; how often a loop runs is symbolic here, so each variable must keep its type and structure"
            )

    def _unify(self, name: str, a: Tensor, b: Tensor, true_leaves: list[Any], false_leaves: list[Any], where: str) -> Any:
        """A template for a variable with value `a` in one branch and `b` in the other."""
        if _same_static(a, b):
            return Fixed(a)
        if isinstance(a, Undefined) or isinstance(b, Undefined):
            known = [each for each in (a, b) if isinstance(each, Undefined) and each.error is ControlFlowError]
            reason = f"is assigned in only one branch of the `if` at {where}; assign it in both, or before"
            return _unreadable(*known, Undefined(name, reason))
        if isinstance(a, UndefinedReturnValue):
            a = map_leaves(self._zeros, b)
        elif isinstance(b, UndefinedReturnValue):
            b = map_leaves(self._zeros, a)
        if _same_container(a, b):
            pairs = zip(_children(a) or (), _children(b) or (), strict=True)
            return _like(a, [self._unify(name, x, y, true_leaves, false_leaves, where) for x, y in pairs])
        if _same_static(a, b):
            return Fixed(a)
        if not (self._is_leaf(a) and self._is_leaf(b)):
            reason = (
                f"is {describe(a)} in one branch and {describe(b)} in the other of the condition at {where}; these "
                "are not both numbers or tensors, so which it is cannot depend on a symbolic value"
            )
            return _unreadable(Undefined(name, reason, ControlFlowError))
        true_leaves.append(a)
        false_leaves.append(b)
        return _Slot(len(true_leaves) - 1)
