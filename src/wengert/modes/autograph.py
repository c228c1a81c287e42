"""Python control flow on symbolic values.

`convert` rewrites the source of a function so that its `if`, `while`, `for`, `and`, `or`, `not`, conditional
expressions and `assert` become calls of operators. An operator does what Python does as long as the value that it
decides on is an ordinary one, and calls a hook of `Hooks` when that value is symbolic. The rewriting itself (break,
continue and return as flags, liveness of variables) is that of Diastatic Malt, TensorFlow's AutoGraph as a library; the
operators and the loading of the result are here. The result is compiled at the lines of the original, so that
tracebacks and `inspect.getsource` show the user's file.

The state of a branch or loop is the tuple of variables that it assigns and that are used outside of it. A variable is
split into leaves (through tuples, lists and dicts). Leaves that are symbolic, or that `Hooks.is_value` accepts, go
through the hooks; any other leaf is static and must be the same object, or equal, on all paths.
"""

from __future__ import annotations
import __future__

import ast
import collections
import functools
import importlib
import inspect
import itertools
import numbers
import re
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "AutographError",
    "ControlFlowError",
    "ConversionError",
    "Hooks",
    "UndefinedVariableError",
    "convert",
    "do_not_convert",
]

Values = tuple[Any, ...]
Merge = Callable[[Values, Values], tuple[Values, Values]]


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


def _is_number_or_array(value: object) -> bool:
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
    is_value: Callable[[Any], bool] = _is_number_or_array


# --- variables as leaves ---------------------------------------------------------------------------------------------


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
class _Fixed:
    """A static leaf."""

    value: Any


def _is_undefined(value: object) -> bool:
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


def _map(fn: Callable[[Any], Any], value: Any) -> Any:
    children = _children(value)
    return fn(value) if children is None else _like(value, [_map(fn, child) for child in children])


def _rebuild(template: Any, leaves: Sequence[Any]) -> Any:
    return _map(lambda part: leaves[part.index] if isinstance(part, _Slot) else part.value, template)


def _same_static(a: Any, b: Any) -> bool:
    """Is it known now that both are the same? Not asked of floats, whose equality hides a zero's sign."""
    if a is b or (isinstance(a, Undefined) and isinstance(b, Undefined)):
        return True
    return type(a) is type(b) and isinstance(a, (bool, int, str, bytes, range, slice, type(None))) and bool(a == b)


_FLAG = re.compile(r"(do_return|break_|continue_)(_\d+)?")
_LOOP_FLAG = re.compile(r"(do_return|break_)(_\d+)?")
_RETURN_VALUE = re.compile(r"retval_(_\d+)?")


def _called(name: str) -> str:
    return "the return value" if _RETURN_VALUE.fullmatch(name) else f"variable '{name}'"


def _where(frame: types.FrameType | None) -> str:
    """The user's file and line: converted code is compiled at the lines of the original."""
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _unreadable(undefined: Undefined, *_: Undefined) -> _Fixed:
    """A variable that may not be read any more: an error at once where a read would not be noticed."""
    if not undefined.name.isidentifier() or _RETURN_VALUE.fullmatch(undefined.name):
        undefined.read()
    return _Fixed(undefined)


# --- iteration -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Iterated:
    """Something to loop over by a symbolic index: is index `k` within it, and the element there."""

    within: Callable[[Any], Any]
    at: Callable[[Any], Any]

    def __iter__(self) -> Iterator[Any]:
        raise ControlFlowError(
            "a range, enumerate or zip of symbolic values can only be looped over by a `for` statement of a converted "
            "function; in a comprehension or another call use a tensor operation instead"
        )


# --- operators -------------------------------------------------------------------------------------------------------


class _Local(threading.local):
    """What a thread knows while converted functions run."""

    def __init__(self) -> None:
        self.depth = 0
        self.negations: dict[int, tuple[Any, Any]] = {}


class _FunctionScope:
    """The body of a converted function."""

    def __init__(self, operators: _Operators, name: str) -> None:
        self.operators = operators
        self.name = name

    def __enter__(self) -> _FunctionScope:
        self.operators.local.depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        local = self.operators.local
        local.depth -= 1
        if not local.depth:
            local.negations.clear()

    def ret(self, value: Any, did_return: Any) -> Any:
        """The value that the function returns."""
        if self.operators.symbolic(did_return):
            raise ControlFlowError(
                f"{_where(sys._getframe(1))}: whether this function returns a value depends on a symbolic value; end "
                "it by a `return` that is reached when no other is"
            )
        return None if isinstance(value, UndefinedReturnValue) else value


class _Operators:
    """What the names `ag__.*` of converted code mean, for one `Hooks`."""

    STD = None  # the options that the rewriting writes into every function; unused
    Undefined = Undefined
    UndefinedReturnValue = UndefinedReturnValue

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks
        self.symbolic = hooks.is_symbolic
        self.local = _Local()
        overloads: dict[Any, Callable[..., Any]] = {
            range: self._range,
            len: self._len,
            enumerate: self._enumerate,
            zip: self._zip,
            min: functools.partial(self._extremum, min),
            max: functools.partial(self._extremum, max),
            any: functools.partial(self._fold, any),
            all: functools.partial(self._fold, all),
            map: lambda fn, *rest: map(self._converted(fn), *rest),
            filter: lambda fn, *rest: filter(self._converted(fn), *rest),
            functools.reduce: lambda fn, *rest: functools.reduce(self._converted(fn), *rest),
        }
        self.overloads = {id(builtin): overload for builtin, overload in overloads.items()}

    # variables

    def ld(self, value: Any) -> Any:
        """Reads a variable."""
        if isinstance(value, Undefined):
            value.read()
        return value

    def ldu(self, load: Callable[[], Any], name: str) -> Any:
        """Reads an attribute or item that may not exist."""
        try:
            return load()
        except (KeyError, IndexError, AttributeError, NameError):
            return Undefined(name)

    # functions

    def FunctionScope(self, _name: str, scope_name: str, _options: Any) -> _FunctionScope:
        """Enters the body of a function."""
        return _FunctionScope(self, scope_name)

    def with_function_scope(self, thunk: Callable[[Any], Any], scope_name: str, _options: Any) -> Any:
        """Runs the body of a lambda."""
        with _FunctionScope(self, scope_name) as scope:
            return thunk(scope)

    def autograph_artifact(self, fn: Any) -> Any:
        """Marks a function that needs no conversion."""
        return do_not_convert(fn)

    def converted_call(self, fn: Any, args: Values, kwargs: dict[str, Any] | None, scope: Any = None) -> Any:
        """Calls `fn`, converted if it is the user's."""
        kwargs = kwargs or {}
        if fn in (super, locals, globals, eval) if isinstance(fn, (type, types.BuiltinFunctionType)) else False:
            return _in_frame_of(scope, fn, args)
        overload = self.overloads.get(id(fn))
        if overload is not None:
            return overload(*args, **kwargs)
        if isinstance(fn, functools.partial):
            return self.converted_call(fn.func, fn.args + args, fn.keywords | kwargs, scope)
        try:
            target = self._converted(fn)
        except ConversionError as error:
            return _call_noting(fn, args, kwargs, error)
        return target(*args, **kwargs)

    def _converted(self, fn: Any) -> Any:
        """The conversion of a user's function or method, anything else as it is."""
        function, bound = _function_of(fn)
        if function is None or not _is_users(function):
            return fn
        converted = _instantiate(function, self)
        return converted if bound is None else types.MethodType(converted, bound)

    # truth values

    def not_(self, value: Any) -> Any:
        """`not value`."""
        if not self.symbolic(value):
            return not value
        result = self.hooks.logical_not(value)
        self.local.negations[id(result)] = (result, value)  # holding the result keeps its id valid
        return result

    def and_(self, left: Callable[[], Any], right: Callable[[], Any]) -> Any:
        """`left() and right()`: the right one is evaluated only where the left one is true."""
        first = left()
        if not self.symbolic(first):
            return first and right()
        if _is_constant(right):
            return first if right() else False
        return self._choose("and", first, right, lambda: first, _where(sys._getframe(1)))

    def or_(self, left: Callable[[], Any], right: Callable[[], Any]) -> Any:
        """`left() or right()`: the right one is evaluated only where the left one is false."""
        first = left()
        if not self.symbolic(first):
            return first or right()
        if _is_constant(right):
            return True if right() else first
        return self._choose("or", first, lambda: first, right, _where(sys._getframe(1)))

    def if_exp(self, test: Any, if_true: Callable[[], Any], if_false: Callable[[], Any], _text: str = "") -> Any:
        """`if_true() if test else if_false()`."""
        if not self.symbolic(test):
            return if_true() if test else if_false()
        return self._choose("conditional expression", test, if_true, if_false, _where(sys._getframe(1)))

    def _choose(self, name: str, test: Any, if_true: Callable[[], Any], if_false: Callable[[], Any], where: str) -> Any:
        return self._select(test, lambda: (if_true(),), lambda: (if_false(),), (name,), where)[0]

    def assert_stmt(self, test: Any, message: Callable[[], Any]) -> None:
        """`assert test, message()`."""
        if self.symbolic(test):
            self.hooks.assert_true(test, f"{_where(sys._getframe(1))}: {message() or 'assertion failed'}")
        elif not test:
            raise AssertionError(*[m for m in (message(),) if m is not None])

    # if

    def if_stmt(
        self,
        test: Any,
        body: Callable[[], None],
        orelse: Callable[[], None],
        get_state: Callable[[], Values],
        set_state: Callable[[Values], None],
        names: tuple[str, ...],
        nouts: int,
    ) -> None:
        """`if test: body() else: orelse()`; the first `nouts` of the state's variables are used afterwards."""
        if not self.symbolic(test):
            return body() if test else orelse()
        where = _where(sys._getframe(1))
        return self._stage_if(test, body, orelse, get_state, set_state, names, nouts, where, body, orelse)

    def _stage_if(
        self,
        test: Any,
        body: Callable[[], None],
        orelse: Callable[[], None],
        get_state: Callable[[], Values],
        set_state: Callable[[Values], None],
        names: tuple[str, ...],
        nouts: int,
        where: str,
        *blocks: Callable[..., None],
    ) -> None:
        before = get_state()
        negated = self.local.negations.get(id(test), (None, None))[1]

        def known(name: str, value: Any, taken: bool) -> Any:
            # In the branches of `if not do_return` the flag is known: so is then, where both set it, what follows.
            if value is None or not _FLAG.fullmatch(name):
                return value
            return taken if value is test else (not taken) if value is negated else value

        def branch(block: Callable[[], None], taken: bool) -> Values:
            set_state(tuple(known(name, value, taken) for name, value in zip(names, before, strict=True)))
            block()
            return get_state()[:nouts]

        with _Staging(set_state, before, where, *blocks):
            after = self._select(test, lambda: branch(body, True), lambda: branch(orelse, False), names[:nouts], where)
        set_state(after + before[nouts:])

    def _select(
        self, test: Any, true_fn: Callable[[], Values], false_fn: Callable[[], Values], names: Values, where: str
    ) -> Values:
        """The values of `true_fn` where `test` is true, else of `false_fn`; what is the same in both stays static."""
        templates: list[Any] = []

        def merge(true_values: Values, false_values: Values) -> tuple[Values, Values]:
            true_leaves: list[Any] = []
            false_leaves: list[Any] = []
            templates[:] = [
                self._unify(name, a, b, true_leaves, false_leaves, where)
                for name, a, b in zip(names, true_values, false_values, strict=True)
            ]
            return tuple(true_leaves), tuple(false_leaves)

        leaves = self.hooks.cond(test, true_fn, false_fn, merge)
        return tuple(_rebuild(template, leaves) for template in templates)

    def _unify(self, name: str, a: Any, b: Any, true_leaves: list[Any], false_leaves: list[Any], where: str) -> Any:
        """A template for a variable with value `a` in one branch and `b` in the other."""
        if _same_static(a, b):
            return _Fixed(a)
        if isinstance(a, Undefined) or isinstance(b, Undefined):
            known = [each for each in (a, b) if isinstance(each, Undefined) and each.error is ControlFlowError]
            reason = f"is assigned in only one branch of the `if` at {where}; assign it in both, or before"
            return _unreadable(*known, Undefined(name, reason))
        if isinstance(a, UndefinedReturnValue):
            a = _map(self._zeros, b)
        elif isinstance(b, UndefinedReturnValue):
            b = _map(self._zeros, a)
        if _same_container(a, b):
            pairs = zip(_children(a) or (), _children(b) or (), strict=True)
            return _like(a, [self._unify(name, x, y, true_leaves, false_leaves, where) for x, y in pairs])
        if _same_static(a, b):
            return _Fixed(a)
        if not (self._is_leaf(a) and self._is_leaf(b)):
            reason = (
                f"is {_describe(a)} in one branch and {_describe(b)} in the other of the condition at {where}; these "
                "are not both numbers or tensors, so which it is cannot depend on a symbolic value"
            )
            return _unreadable(Undefined(name, reason, ControlFlowError))
        true_leaves.append(a)
        false_leaves.append(b)
        return _Slot(len(true_leaves) - 1)

    def _is_leaf(self, value: Any) -> bool:
        return self.symbolic(value) or self.hooks.is_value(value)

    def _zeros(self, value: Any) -> Any:
        return self.hooks.zeros_like(value) if self._is_leaf(value) else value

    # while

    def while_stmt(
        self,
        test: Callable[[], Any],
        body: Callable[[], None],
        get_state: Callable[[], Values],
        set_state: Callable[[Values], None],
        names: tuple[str, ...],
        _options: Any = None,
    ) -> None:
        """`while test(): body()`, unrolled for as long as the test is not symbolic."""
        while True:
            first = test()
            if self.symbolic(first):
                where = _where(sys._getframe(1))
                return self._stage_while(first, test, body, get_state, set_state, names, where, body)
            if not first:
                return None
            body()

    def _stage_while(
        self,
        first: Any,
        test: Callable[[], Any],
        body: Callable[[], None],
        get_state: Callable[[], Values],
        set_state: Callable[[Values], None],
        names: tuple[str, ...],
        where: str,
        *blocks: Callable[..., None],
    ) -> None:
        before = get_state()

        def enter(templates: list[Any], leaves: Values, in_body: bool) -> None:
            values = (_rebuild(template, leaves) for template in templates)
            # The test holds that the loop was left by neither break nor return.
            set_state(
                tuple(
                    False if in_body and _LOOP_FLAG.fullmatch(name) else value for name, value in zip(names, values, strict=True)
                )
            )

        with _Staging(set_state, before, where, *blocks):
            start = self._defined(first, before, enter, body, get_state, names, where)
            set_state(before)
            leaves: list[Any] = []
            templates = [self._template(value, leaves) for value in start]

            left_by: set[int] = set()

            def cond_fn(*loop_vars: Any) -> Any:
                enter(templates, loop_vars, in_body=False)
                going_on = test()
                negated = self.local.negations.get(id(going_on), (None, None))[1]
                left_by.update(i for i, value in enumerate(get_state()) if negated is not None and value is negated)
                return going_on

            def body_fn(*loop_vars: Any) -> Values:
                enter(templates, loop_vars, in_body=True)
                body()
                results: list[Any] = []
                for name, template, value in zip(names, templates, get_state(), strict=True):
                    self._match(name, template, value, results, where)
                return tuple(results)

            final = self.hooks.while_loop(cond_fn, body_fn, tuple(leaves))
            # A loop whose test is `not flag` alone ends with the flag set.
            flags = {i for i in left_by if _LOOP_FLAG.fullmatch(names[i])}
            templates = [_Fixed(True) if i in flags else template for i, template in enumerate(templates)]
        enter(templates, tuple(final), in_body=False)

    def _defined(
        self,
        first: Any,
        before: Values,
        enter: Callable[[list[Any], Values, bool], None],
        body: Callable[[], None],
        get_state: Callable[[], Values],
        names: tuple[str, ...],
        where: str,
    ) -> list[Any]:
        """The state before a loop, with zeros for the variables that only the loop's body assigns."""
        start = list(before)
        if not any(map(_is_undefined, start)):
            return start
        leaves: list[Any] = []
        templates = [self._template(value, leaves) for value in start]

        def once(*loop_vars: Any) -> Values:
            enter(templates, loop_vars, True)
            body()
            return get_state()

        for i, value in enumerate(self.hooks.abstract(once, tuple(leaves))):
            if not _is_undefined(start[i]) or _is_undefined(value):
                continue
            if isinstance(start[i], Undefined) and self.symbolic(first):
                self.hooks.assert_true(
                    first, f"variable '{names[i]}' is undefined: the loop at {where}, which assigns it, never ran"
                )
            start[i] = _map(self._zeros, value)
        return start

    def _template(self, value: Any, leaves: list[Any]) -> Any:
        def leaf(part: Any) -> Any:
            if not self._is_leaf(part):
                return _Fixed(part)
            leaves.append(part)
            return _Slot(len(leaves) - 1)

        return _map(leaf, value)

    def _match(self, name: str, template: Any, value: Any, results: list[Any], where: str) -> None:
        """Appends the leaves of `value` to `results`, if it is of the form that the variable had before the loop."""
        if isinstance(template, _Slot) and self._is_leaf(value):
            results.append(value)
        elif isinstance(template, _Fixed) and _same_static(template.value, value):
            pass
        elif _same_container(template, value):
            for part, child in zip(_children(template) or (), _children(value) or (), strict=True):
                self._match(name, part, child, results, where)
        else:
            if isinstance(value, Undefined):
                value.read()
            before = template.value if isinstance(template, _Fixed) else template
            raise ControlFlowError(
                f"{where}: {_called(name)} is {_describe(before)} before the loop and {_describe(value)} after an "
                "iteration; how often a loop runs is symbolic here, so each variable must keep its type and structure"
            )

    # for

    def for_stmt(
        self,
        iterated: Any,
        extra_test: Callable[[], Any] | None,
        body: Callable[[Any], None],
        get_state: Callable[[], Values],
        set_state: Callable[[Values], None],
        names: tuple[str, ...],
        _options: Any = None,
    ) -> None:
        """`for x in iterated: body(x)`, going on while `extra_test` (no break, no return) holds."""
        where = _where(sys._getframe(1))
        if self.symbolic(iterated):
            iterated = self._iterated(iterated)
        if isinstance(iterated, _Iterated):
            return self._stage_for(iterated, extra_test, body, get_state, set_state, names, where)
        if extra_test is None:
            for item in iterated:
                body(item)
            return None
        go_on = extra_test()
        if not self.symbolic(go_on) and not go_on:
            return None
        for item in iterated:
            if self.symbolic(go_on):
                if isinstance(iterated, (itertools.count, itertools.cycle)):
                    raise ControlFlowError(f"{where}: an endless iterator is left on a symbolic condition; use `while`")
                run = functools.partial(body, item)
                self._stage_if(go_on, run, lambda: None, get_state, set_state, names, len(names), where, body)
            else:
                body(item)
            go_on = extra_test()
            if not self.symbolic(go_on) and not go_on:
                return None
        return None

    def _stage_for(
        self,
        iterated: _Iterated,
        extra_test: Callable[[], Any] | None,
        body: Callable[[Any], None],
        get_state: Callable[[], Values],
        set_state: Callable[[Values], None],
        names: tuple[str, ...],
        where: str,
    ) -> None:
        k: Any = 0

        def get() -> Values:
            return (*get_state(), k)

        def set_(values: Values) -> None:
            nonlocal k
            k = values[-1]
            set_state(tuple(values[:-1]))

        def test() -> Any:
            within = functools.partial(iterated.within, k)
            return within() if extra_test is None else self.and_(extra_test, within)

        def step() -> None:
            nonlocal k
            body(iterated.at(k))
            k = k + 1

        first = iterated.within(0)
        if self.symbolic(first) or first:
            self._stage_while(first, test, step, get, set_, (*names, "the loop's counter"), where, body)

    # builtins

    def _iterated(self, value: Any) -> _Iterated:
        if isinstance(value, _Iterated):
            return value
        if not (self.symbolic(value) or isinstance(value, np.ndarray)):
            raise ControlFlowError(f"cannot loop over {_describe(value)} along with a symbolic value")
        length = self.hooks.length(value)
        return _Iterated(lambda k: k < length, lambda k: self.hooks.element(value, k))

    def _range(self, *args: Any) -> Any:
        if not any(map(self.symbolic, args)):
            return range(*args)
        start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        if self.symbolic(step) or not step:
            raise ControlFlowError("the step of a range must be a Python int other than zero")
        if step > 0:
            return _Iterated(lambda k: start + k * step < stop, lambda k: start + k * step)
        return _Iterated(lambda k: start + k * step > stop, lambda k: start + k * step)

    def _len(self, value: Any) -> Any:
        return self.hooks.length(value) if self.symbolic(value) else len(value)

    def _enumerate(self, iterable: Any, start: int = 0) -> Any:
        if not (self.symbolic(iterable) or isinstance(iterable, _Iterated)):
            return enumerate(iterable, start)
        inner = self._iterated(iterable)
        return _Iterated(inner.within, lambda k: (k + start, inner.at(k)))

    def _zip(self, *iterables: Any, strict: bool = False) -> Any:
        if not any(self.symbolic(each) or isinstance(each, _Iterated) for each in iterables):
            return zip(*iterables, strict=strict)
        inner = [self._iterated(each) for each in iterables]
        return _Iterated(
            lambda k: functools.reduce(self._both, [each.within(k) for each in inner]),
            lambda k: tuple(each.at(k) for each in inner),
        )

    def _both(self, a: Any, b: Any) -> Any:
        return self._choose("zip", a, lambda: b, lambda: a, "zip") if self.symbolic(a) else a and b

    def _extremum(self, builtin: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        items = list(args[0]) if len(args) == 1 and not self.symbolic(args[0]) else list(args)
        if kwargs or len(items) < 2 or not any(map(self.symbolic, items)):
            return builtin(*args if len(args) > 1 else (items or args[0],), **kwargs)

        def better(a: Any, b: Any) -> Any:
            test = b < a if builtin is min else b > a
            return self.if_exp(test, lambda: b, lambda: a)

        return functools.reduce(better, items)

    def _fold(self, builtin: Callable[..., Any], items: Iterable[Any]) -> Any:
        decisive = builtin is any
        result: Any = not decisive
        for item in items:
            if not self.symbolic(result):
                result = item
            elif decisive:
                result = self._choose("any", result, lambda r=result: r, lambda i=item: i, "any")  # type: ignore[misc]
            else:
                result = self._choose("all", result, lambda i=item: i, lambda r=result: r, "all")  # type: ignore[misc]
            if not self.symbolic(result) and bool(result) is decisive:
                return decisive
        return result if self.symbolic(result) else bool(result)


class _Staging:
    """The tracing of blocks that run on a symbolic condition: guards what is not part of their state.

    After an error the state is put back, lest attributes keep values of an abandoned graph. Lists and sets that a
    block grows or shrinks in place are refused: it would happen at tracing, once per block, whatever the condition.
    """

    def __init__(self, set_state: Callable[[Values], None], before: Values, where: str, *blocks: Any) -> None:
        self.set_state, self.before, self.where = set_state, before, where
        self.sizes = [(name, held, len(held)) for block in blocks for name, held in _collections_in(block)]

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is None:
            for name, held, size in self.sizes:
                if len(held) != size:
                    raise ControlFlowError(
                        f"{self.where}: '{name}', a {type(held).__name__}, is changed in place where whether that "
                        "happens depends on a symbolic value; assign a new one instead, or use a tensor"
                    )
            return
        if not isinstance(error, ControlFlowError):
            error.add_note(f"while tracing control flow on a symbolic value at {self.where}")
        if not any(isinstance(value, Undefined) for value in self.before):
            self.set_state(self.before)


def _collections_in(block: Any) -> Iterator[tuple[str, Any]]:
    """The lists and sets that a block of converted code refers to, by variable or as an attribute of one."""
    for name, cell in zip(block.__code__.co_freevars, block.__closure__ or (), strict=True):
        try:
            held = cell.cell_contents
        except ValueError:
            continue
        attributes = getattr(held, "__dict__", {}) if not isinstance(held, (types.FunctionType, type)) else {}
        inner = attributes.items() if isinstance(attributes, dict) and not isinstance(held, types.ModuleType) else ()
        for path, value in [(name, held), *((f"{name}.{attribute}", value) for attribute, value in inner)]:
            if type(value) in (list, set, collections.deque):
                yield path, value


def _describe(value: Any) -> str:
    if isinstance(value, _Slot):
        return "a number or tensor"
    if _is_undefined(value):
        return "not assigned"
    children = _children(value)
    if children is not None:
        return f"a {type(value).__name__} of {len(children)}"
    return "None" if value is None else f"a {type(value).__name__}"


def _is_constant(thunk: Any) -> bool:
    """Is this a lambda of a literal? Then it may be evaluated at any time."""
    code = getattr(thunk, "__code__", None)
    return code is not None and not (code.co_names or code.co_freevars or code.co_varnames)


def _call_noting(fn: Any, args: Values, kwargs: dict[str, Any], reason: Exception) -> Any:
    """Calls `fn` as it is; an error says that, and why."""
    try:
        return fn(*args, **kwargs)
    except Exception as error:
        error.add_note(f"{getattr(fn, '__qualname__', fn)} ran as plain Python: {reason}")
        raise


def _in_frame_of(scope: Any, fn: Any, args: Values) -> Any:
    """Calls a builtin that looks at its caller's frame as if the converted function had called it."""
    overloads = _malt().py_builtins
    if fn is super:
        return overloads.super_in_original_context(fn, args, scope)
    if fn is eval:
        return overloads.eval_in_original_context(fn, args, scope)
    return (overloads.locals_in_original_context if fn is locals else overloads.globals_in_original_context)(scope)


# --- rewriting -------------------------------------------------------------------------------------------------------


_ANALYSES = "activity annos liveness reaching_definitions reaching_fndefs"


@functools.cache
def _malt() -> types.SimpleNamespace:
    """The modules of Malt that are used, imported at the first conversion."""
    converters = (
        "functions break_statements continue_statements return_statements call_trees control_flow "
        "conditional_expressions logical_expressions variables"
    ).split()
    paths = {name: f"malt.pyct.{name}" for name in "anno ast_util cfg naming origin_info parser qual_names".split()}
    paths |= {name: f"malt.pyct.{name}" for name in "inspect_utils transformer".split()}
    paths |= {name: f"malt.pyct.static_analysis.{name}" for name in _ANALYSES.split()}
    paths |= {name: f"malt.converters.{name}" for name in converters}
    paths |= {"converter": "malt.core.converter", "py_builtins": "malt.operators.py_builtins"}
    try:
        modules = {name: importlib.import_module(path) for name, path in paths.items()}
    except ImportError as error:
        raise ConversionError(f"converting control flow needs the package diastatic-malt: {error}") from error
    malt = types.SimpleNamespace(**modules)
    passes = {name: modules[name].transform for name in converters}
    passes |= {
        "control_flow": functools.partial(_control_flow, malt),
        "conditional_expressions": lambda node, _: _Conditionals(malt).visit(node),
    }
    malt.passes = list(passes.values())
    return malt


def _control_flow(malt: Any, node: ast.AST, ctx: Any) -> ast.AST:
    """Malt's pass of this name, with a liveness that knows of variables shared with functions and lambdas.

    What a nested function or lambda reads may be read whenever it is called; what is declared nonlocal or global is
    read after the function ends.
    """
    graphs = malt.cfg.build(node)
    node = malt.qual_names.resolve(node)
    node = malt.activity.resolve(node, ctx, None)
    node = malt.reaching_definitions.resolve(node, ctx, graphs)
    node = malt.reaching_fndefs.resolve(node, ctx, graphs)
    node = malt.liveness.resolve(node, ctx, graphs)
    anno, whole = malt.anno, malt.annos.NodeAnno.ARGS_AND_BODY_SCOPE
    inner = [each for each in ast.walk(node) if each is not node and isinstance(each, (ast.FunctionDef, ast.Lambda))]
    captured: frozenset[Any] = frozenset()
    for each in inner:
        scope = anno.getanno(each, whole, None)
        captured |= frozenset(scope.read - scope.bound) if scope else frozenset()

    class Transformer(malt.control_flow.ControlFlowTransformer):  # type: ignore[misc]
        def _get_block_vars(self, node: ast.AST, modified: Any) -> Any:
            scope = self.state[malt.control_flow._Function].scope
            live = anno.getanno(node, anno.Static.LIVE_VARS_OUT) | captured | scope.globals | scope.nonlocals
            anno.setanno(node, anno.Static.LIVE_VARS_OUT, frozenset(live))
            return super()._get_block_vars(node, modified)

    rewritten: ast.AST = Transformer(ctx).visit(node)
    return rewritten


class _Conditionals(ast.NodeTransformer):
    """Rewrites conditional expressions, nested ones too, and asserts with any message."""

    def __init__(self, malt: Any) -> None:
        self.malt = malt

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return self._placed(_call_of("if_exp", node.test, _thunk(node.body), _thunk(node.orelse)), node)

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        self.generic_visit(node)
        call = _call_of("assert_stmt", node.test, _thunk(node.msg or ast.Constant(None)))
        return ast.Expr(self._placed(call, node))

    def _placed(self, new: ast.expr, node: ast.AST) -> ast.expr:
        basic = self.malt.anno.Basic.ORIGIN
        if self.malt.anno.hasanno(node, basic):
            self.malt.anno.setanno(new, basic, self.malt.anno.getanno(node, basic))
        return new


def _thunk(body: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]), body)


def _call_of(operator: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(ast.Name("ag__", ast.Load()), operator, ast.Load()), list(arguments), [])


class _Prepare(ast.NodeTransformer):
    """Rewrites what Malt does not know into what it knows, and refuses the rest."""

    REFUSED: dict[str, str] = {  # noqa: RUF012
        "NamedExpr": "assignment expressions (:=); assign on a line of its own",
        "Match": "match statements; use if and elif",
        "TryStar": "except*",
        "Yield": "generators",
        "YieldFrom": "generators",
        "Await": "coroutines",
        "AsyncFunctionDef": "coroutines",
        "AsyncFor": "coroutines",
        "AsyncWith": "coroutines",
        "ClassDef": "classes defined inside a function; define them outside",
    }

    def __init__(self, malt: Any, namer: Any, owner: str) -> None:
        self.malt = malt
        self.namer = namer
        self.owner = owner.lstrip("_")

    def visit(self, node: ast.AST) -> Any:
        name = type(node).__name__
        if name in self.REFUSED:
            origin = self.malt.anno.getanno(node, self.malt.anno.Basic.ORIGIN, None)
            line = f"line {origin.loc.lineno}: " if origin else ""
            raise ConversionError(f"{line}cannot rewrite {self.REFUSED[name]}")
        new = super().visit(node)
        if new is not node:
            for each in new if isinstance(new, list) else [new]:
                if not self.malt.anno.hasanno(each, self.malt.anno.Basic.ORIGIN):
                    self._place(each, node)
        return new

    def _place(self, new: ast.AST, node: ast.AST) -> None:
        basic = self.malt.anno.Basic.ORIGIN
        for part in ast.walk(new):
            if not self.malt.anno.hasanno(part, basic) and self.malt.anno.hasanno(node, basic):
                self.malt.anno.setanno(part, basic, self.malt.anno.getanno(node, basic))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        # A variable with an annotation cannot be nonlocal, and the annotation of a local one is never evaluated.
        if node.value is None:
            return ast.Pass()
        self.generic_visit(node)
        return ast.Assign(targets=[node.target], value=node.value, lineno=node.lineno)

    def visit_While(self, node: ast.While) -> Any:
        return self._loop(node)

    def visit_For(self, node: ast.For) -> Any:
        return self._loop(node)

    def _loop(self, node: ast.While | ast.For) -> Any:
        """Writes the `else` of a loop as a flag."""
        self.generic_visit(node)
        if not node.orelse:
            return node
        orelse, node.orelse = node.orelse, []
        flag = self.namer.new_symbol("ag__exhausted", ())
        breaks = _Breaks(flag)
        node.body = list(itertools.chain.from_iterable(_as_list(breaks.visit(part)) for part in node.body))
        if not breaks.found:
            return [node, *orelse]
        test: ast.stmt = ast.If(test=ast.Name(flag, ast.Load()), body=orelse, orelse=[])
        new = [*ast.parse(f"{flag} = True").body, node, test]
        for each in new:
            self._place(each, node)
        return new

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        node.attr = self._mangled(node.attr)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._mangled(node.id)
        return node

    def _mangled(self, name: str) -> str:
        return f"_{self.owner}{name}" if self.owner and name.startswith("__") and not name.endswith("__") else name


class _Breaks(ast.NodeTransformer):
    """Clears a flag before each `break` of one loop."""

    def __init__(self, flag: str) -> None:
        self.flag = flag
        self.found = False

    def visit_Break(self, node: ast.Break) -> list[ast.stmt]:
        self.found = True
        return [*ast.parse(f"{self.flag} = False").body, node]

    def _skip(self, node: ast.AST) -> ast.AST:
        return node

    visit_For = visit_While = visit_FunctionDef = visit_Lambda = _skip


def _as_list(nodes: Any) -> list[Any]:
    return nodes if isinstance(nodes, list) else [nodes]


def _owner(code: types.CodeType) -> str:
    """The class in whose body a function stands, or ''."""
    parts = code.co_qualname.split(".")[:-1]
    while parts and parts[-1] == "<locals>":
        parts = parts[:-2]
    return parts[-1] if parts else ""


def _rewrite(fn: types.FunctionType) -> types.CodeType:
    """Code of a function `inner(ag__)` that returns the converted `fn`, at the lines of the original."""
    malt = _malt()
    node, source = malt.parser.parse_entity(fn, future_features=())
    malt.origin_info.resolve_entity(node, source, fn)
    namespace = malt.inspect_utils.getnamespace(fn)
    namer = malt.naming.Namer(namespace)
    name = namer.new_symbol("ag__converted", ())
    info = malt.transformer.EntityInfo(name, source, fn.__code__.co_filename, (), namespace)
    ctx = malt.transformer.Context(info, namer, malt.converter.ProgramContext(malt.converter.STANDARD_OPTIONS))

    arguments = node.args  # what defaults and annotations refer to may not be in sight of the new function
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
    arguments.kw_defaults = [default and ast.Constant(None) for default in arguments.kw_defaults]
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if isinstance(node, ast.FunctionDef):
        node.returns = None
        node.decorator_list = []

    node = _Prepare(malt, namer, _owner(fn.__code__)).visit(node)
    graphs = malt.cfg.build(node)
    node = malt.qual_names.resolve(node)
    node = malt.activity.resolve(node, ctx, None)
    node = malt.reaching_definitions.resolve(node, ctx, graphs)
    malt.anno.dup(node, {malt.anno.Static.DEFINITIONS: malt.anno.Static.ORIG_DEFINITIONS})
    for each in malt.passes:
        node = each(node, ctx)
    if isinstance(node, ast.Lambda):
        node = ast.Assign(targets=[ast.Name(name, ast.Store())], value=node)
    else:
        node.name = name
    return _compile(malt, fn, name, node)


def _compile(malt: Any, fn: types.FunctionType, name: str, node: ast.AST) -> types.CodeType:
    # The rewritten tree need not be well formed (contexts of names), its text is: so compile that, at the lines of
    # the nodes that it came from.
    again = ast.parse(ast.unparse(ast.fix_missing_locations(node))).body[0]
    first = fn.__code__.co_firstlineno
    origins = {
        id(after): malt.anno.getanno(before, malt.anno.Basic.ORIGIN, None)
        for before, after in malt.ast_util.parallel_walk(node, again)
    }

    def place(part: ast.AST, line: int) -> None:
        origin = origins.get(id(part))
        line = origin.loc.lineno if origin is not None else line
        if "lineno" in part._attributes:
            located: Any = part
            located.lineno = located.end_lineno = line
            located.col_offset = located.end_col_offset = -1  # not known: a traceback then marks no part of the line
        for child in ast.iter_child_nodes(part):
            place(child, line)

    cells = "".join(f"  {cell} = None\n" for cell in fn.__code__.co_freevars)
    tree = ast.parse(f"def outer():\n{cells}  def inner(ag__):\n    pass\n    return {name}\n  return inner\n")
    outer = tree.body[0]
    inner = outer.body[-2]  # type: ignore[attr-defined]
    inner.body[0] = again
    place(tree, first)
    if isinstance(again, ast.FunctionDef):
        again.lineno = again.end_lineno = first  # at the first decorator, where inspect looks for the source
    future = functools.reduce(lambda a, b: a | b, (getattr(__future__, f).compiler_flag for f in _FUTURES))
    code = compile(tree, fn.__code__.co_filename, "exec", flags=fn.__code__.co_flags & future, dont_inherit=True)
    scratch: dict[str, Any] = {}
    exec(code, scratch)
    made: types.CodeType = scratch["outer"]().__code__
    return made


_FUTURES = ("annotations", "generator_stop")
_rewritten: weakref.WeakKeyDictionary[types.CodeType, types.CodeType | ConversionError] = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def _instantiate(fn: types.FunctionType, operators: _Operators) -> types.FunctionType:
    """The conversion of `fn`, with its globals, closure and defaults; source is rewritten once per code object."""
    code = fn.__code__
    with _lock:
        inner = _rewritten.get(code)
        if inner is None:
            inner = _rewritten[code] = _try_rewrite(fn)
    if isinstance(inner, ConversionError):
        raise ConversionError(*inner.args) from inner.__cause__
    cells = dict(zip(code.co_freevars, fn.__closure__ or (), strict=True))
    factory = types.FunctionType(inner, fn.__globals__, closure=tuple(cells[name] for name in inner.co_freevars))
    made: types.FunctionType = factory(operators)
    made.__code__ = made.__code__.replace(co_name=code.co_name, co_qualname=code.co_qualname)
    made.__defaults__, made.__kwdefaults__ = fn.__defaults__, fn.__kwdefaults__
    functools.update_wrapper(made, fn)
    del made.__wrapped__  # type: ignore[attr-defined]
    do_not_convert(made)
    return made


def _try_rewrite(fn: types.FunctionType) -> types.CodeType | ConversionError:
    kind = "coroutine" if inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn) else ""
    kind = kind or ("generator" if inspect.isgeneratorfunction(fn) else "")
    where = f"{fn.__qualname__} ({fn.__code__.co_filename}:{fn.__code__.co_firstlineno})"
    if kind:
        return ConversionError(f"cannot convert the control flow of {where}: it is a {kind}")
    # The copy has no __wrapped__, by which inspect would go on to another function.
    bare = types.FunctionType(fn.__code__, fn.__globals__, fn.__name__, None, fn.__closure__)
    try:
        inspect.findsource(bare)
    except (OSError, TypeError) as error:
        return ConversionError(
            f"cannot convert the control flow of {where}: its source is not available; define it in a file, or use "
            f"cond and while_loop in it ({error})"
        )
    try:
        return _rewrite(bare)
    except Exception as error:
        failure = ConversionError(f"cannot convert the control flow of {where}: {error}")
        failure.__cause__ = error
        return failure


# --- what is converted -----------------------------------------------------------------------------------------------

_MARK = "__wengert_converted__"
_SKIPPED = frozenset({"wengert", "numpy", "scipy", "malt", *sys.stdlib_module_names})


def do_not_convert(fn: Any) -> Any:
    """Marks a function so that `convert` and converted code leave it as it is.

    >>> @do_not_convert
    ... def double(x):
    ...     return x + x
    >>> convert(double, hooks=None) is double
    True
    """
    setattr(fn, _MARK, fn.__code__)  # by its code: functools.wraps copies attributes onto other functions
    return fn


def _is_users(fn: types.FunctionType) -> bool:
    top = str(fn.__globals__.get("__name__", "")).partition(".")[0]
    return top not in _SKIPPED and getattr(fn, _MARK, None) is not fn.__code__


def _function_of(fn: Any) -> tuple[types.FunctionType | None, Any]:
    """The Python function behind a callable, and the object that it is bound to, or None."""
    if isinstance(fn, types.FunctionType):
        return fn, None
    if isinstance(fn, types.MethodType):
        return (fn.__func__, fn.__self__) if isinstance(fn.__func__, types.FunctionType) else (None, None)
    if isinstance(fn, (type, types.BuiltinFunctionType, types.MethodWrapperType)):
        return None, None
    call = type(fn).__call__ if callable(fn) else None
    return (call, fn) if isinstance(call, types.FunctionType) else (None, None)


_operators = functools.cache(_Operators)


def convert(fn: Callable[..., Any], hooks: Hooks) -> Callable[..., Any]:
    """Returns `fn` with its control flow, and that of the functions it calls, handed to `hooks`.

    Functions of this library, NumPy, SciPy and the standard library, builtins, and functions marked by
    `do_not_convert` stay as they are, here and where converted code calls them. Classes are called unconverted. A
    called function that cannot be converted runs as plain Python; an error in it says so in a note.

    The source is rewritten once per code object; each call makes a new function with the closure of `fn`.

    Args:
        fn: a function, lambda, method, partial, or object with `__call__`.
        hooks: what to do at symbolic values.

    Raises:
        ConversionError: the source is not available, or holds what cannot be rewritten: `:=`, `match`, `except*`,
            `yield`, `await`, a class; or lambdas with the same parameters on one line.
    """
    if isinstance(fn, functools.partial):
        return functools.partial(convert(fn.func, hooks), *fn.args, **fn.keywords)
    function, bound = _function_of(fn)
    if function is None:
        if callable(fn):
            return fn  # a class, or native code: no Python statements to rewrite
        raise ConversionError(f"cannot convert {fn!r}: it is not a function")
    if not _is_users(function):
        return fn
    converted = _instantiate(function, _operators(hooks))
    return converted if bound is None else types.MethodType(converted, bound)
