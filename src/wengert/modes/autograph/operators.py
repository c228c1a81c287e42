"""What the names `ag__.*` of converted code mean: variables, calls, truth values, and builtins on symbolic values."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wengert.modes.autograph.leaves import (
    ControlFlowError,
    ConversionError,
    Hooks,
    Undefined,
    UndefinedReturnValue,
    Values,
    is_constant,
    line_of,
)
from wengert.modes.autograph.rewriting import called_by, do_not_convert, function_of, instantiate, is_users, load_malt
from wengert.modes.autograph.statements import Iterated, Statements
from wengert.tensor.tensor import Tensor

__all__ = ["Operators"]


class _FunctionScope:
    """The body of a converted function."""

    def __init__(self, operators: Operators, name: str) -> None:
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

    def ret(self, value: Tensor, did_return: Any) -> Any:
        """The value that the function returns."""
        if self.operators.symbolic(did_return):
            raise ControlFlowError(
                f"{line_of(sys._getframe(1))}: whether this function returns a value depends on a symbolic value; end "
                "it by a `return` that is reached when no other is"
            )
        return None if isinstance(value, UndefinedReturnValue) else value


def _call_noting(fn: Callable[..., Any], args: Values, kwargs: dict[str, Any], reason: Exception) -> Any:
    """Calls `fn` as it is; an error says that, and why."""
    try:
        return fn(*args, **kwargs)
    except Exception as error:
        error.add_note(f"{getattr(fn, '__qualname__', fn)} ran as plain Python: {reason}")
        raise


def _in_frame_of(scope: str | None, fn: Callable[..., Any], args: Values) -> Any:
    """Calls a builtin that looks at its caller's frame as if the converted function had called it."""
    overloads = load_malt().py_builtins
    if fn is super:
        return overloads.super_in_original_context(fn, args, scope)
    if fn is eval:
        return overloads.eval_in_original_context(fn, args, scope)
    return (overloads.locals_in_original_context if fn is locals else overloads.globals_in_original_context)(scope)


class Operators(Statements):
    """What the names `ag__.*` of converted code mean, for one `Hooks`."""

    STD = None  # the options that the rewriting writes into every function; unused
    Undefined = Undefined
    UndefinedReturnValue = UndefinedReturnValue

    def __init__(self, hooks: Hooks) -> None:
        super().__init__(hooks)
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

    def ld(self, value: Tensor) -> Any:
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

    def FunctionScope(self, _name: str, scope_name: str, _options: Any) -> _FunctionScope:
        """Enters the body of a function."""
        return _FunctionScope(self, scope_name)

    def with_function_scope(self, thunk: Callable[[Any], Any], scope_name: str, _options: Any) -> Any:
        """Runs the body of a lambda."""
        with _FunctionScope(self, scope_name) as scope:
            return thunk(scope)

    def autograph_artifact(self, fn: Callable[..., Any]) -> Any:
        """Marks a function that needs no conversion."""
        return do_not_convert(fn)

    def converted_call(
        self, fn: Callable[..., Any], args: Values, kwargs: dict[str, Any] | None, scope: str | None = None
    ) -> Any:
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
            args, kwargs = self._handed(fn, args, kwargs)
            target = self._converted(fn)
        except ConversionError as error:
            return _call_noting(fn, args, kwargs, error)
        return target(*args, **kwargs)

    def _handed(self, fn: Callable[..., Any], args: Values, kwargs: dict[str, Any]) -> tuple[Values, dict[str, Any]]:
        """Arguments, among which a function that `fn` calls in its place is converted."""
        name = called_by(fn)
        if name in kwargs:
            return args, {**kwargs, name: self._converted(kwargs[name])}
        return ((self._converted(args[0]), *args[1:]) if name and args else args), kwargs

    def _converted(self, fn: Callable[..., Any]) -> Any:
        """The conversion of a user's function or method, anything else as it is."""
        function, bound = function_of(fn)
        if function is None or not is_users(function):
            return fn
        converted = instantiate(function, self)
        return converted if bound is None else types.MethodType(converted, bound)

    def not_(self, value: Tensor) -> Any:
        """`not value`."""
        if not self.symbolic(value):
            return not value
        result = self.hooks.logical_not(value)
        self.local.negations[id(result)] = (result, value)  # holding the result keeps its id valid
        return result

    def or_(self, left: Callable[[], Any], right: Callable[[], Any]) -> Any:
        """`left() or right()`: the right one is evaluated only where the left one is false."""
        first = left()
        if not self.symbolic(first):
            return first or right()
        if is_constant(right):
            return True if right() else first
        return self._choose("or", first, lambda: first, right, line_of(sys._getframe(1)))

    def assert_stmt(self, test: Any, message: Callable[[], Any]) -> None:
        """`assert test, message()`."""
        if self.symbolic(test):
            self.hooks.assert_true(test, f"{line_of(sys._getframe(1))}: {message() or 'assertion failed'}")
        elif not test:
            raise AssertionError(*[m for m in (message(),) if m is not None])

    def _range(self, *args: Any) -> Any:
        if not any(map(self.symbolic, args)):
            return range(*args)
        start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        if self.symbolic(step) or not step:
            raise ControlFlowError("the step of a range must be a Python int other than zero")
        if step > 0:
            return Iterated(lambda k: start + k * step < stop, lambda k: start + k * step)
        return Iterated(lambda k: start + k * step > stop, lambda k: start + k * step)

    def _len(self, value: np.ndarray[Any, Any]) -> Any:
        return self.hooks.length(value) if self.symbolic(value) else len(value)

    def _enumerate(self, iterable: Any, start: int = 0) -> Any:
        if not (self.looped(iterable) or isinstance(iterable, Iterated)):
            return enumerate(iterable, start)
        if hasattr(iterable, "enumerate"):
            return iterable.enumerate(start)
        inner = self._iterated(iterable)
        return Iterated(inner.within, lambda k: (k + start, inner.at(k)))

    def _zip(self, *iterables: Any, strict: bool = False) -> Any:
        if not any(self.looped(each) or isinstance(each, Iterated) for each in iterables):
            return zip(*iterables, strict=strict)
        inner = [self._iterated(each) for each in iterables]
        return Iterated(
            lambda k: functools.reduce(self._both, [each.within(k) for each in inner]),
            lambda k: tuple(each.at(k) for each in inner),
        )

    def _both(self, a: Tensor, b: Tensor) -> Any:
        return self._choose("zip", a, lambda: b, lambda: a, "zip") if self.symbolic(a) else a and b

    def _extremum(self, builtin: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        items = list(args[0]) if len(args) == 1 and not self.symbolic(args[0]) else list(args)
        if kwargs or len(items) < 2 or not any(map(self.symbolic, items)):
            return builtin(*args if len(args) > 1 else (items or args[0],), **kwargs)

        def better(a: Tensor, b: Tensor) -> Any:
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
