"""`if`, `while` and `for` whose condition is symbolic: their blocks traced, and their variables handed to the hooks."""

from __future__ import annotations

import collections
import functools
import itertools
import sys
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.ground.context import state
from wengert.modes.autograph.leaves import (
    FLAG,
    LOOP_FLAG,
    ControlFlowError,
    Fixed,
    Hooks,
    Leaves,
    Undefined,
    Values,
    describe,
    is_constant,
    is_undefined,
    line_of,
    map_leaves,
    rebuild,
)
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["Iterated", "Statements"]


class _Local(threading.local):
    """What a thread knows while converted functions run."""

    def __init__(self) -> None:
        self.depth = 0
        self.negations: dict[int, tuple[Any, Any]] = {}


@dataclass(frozen=True)
class Iterated:
    """Something to loop over by a symbolic index: is index `k` within it, and the element there."""

    within: Callable[[Any], Any]
    at: Callable[[Any], Any]

    def __iter__(self) -> Iterator[Any]:
        raise ControlFlowError(
            "a range, enumerate or zip of symbolic values can only be looped over by a `for` statement of a converted "
            "function; in a comprehension or another call use a tensor operation instead"
        )


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


class Statements(Leaves):
    """Statements over symbolic values."""

    def __init__(self, hooks: Hooks) -> None:
        super().__init__(hooks)
        self.local = _Local()

    def and_(self, left: Callable[[], Any], right: Callable[[], Any]) -> Any:
        """`left() and right()`: the right one is evaluated only where the left one is true."""
        first = left()
        if not self.symbolic(first):
            return first and right()
        if is_constant(right):
            return first if right() else False
        return self._choose("and", first, right, lambda: first, line_of(sys._getframe(1)))

    def _choose(self, name: str, test: Any, if_true: Callable[[], Any], if_false: Callable[[], Any], where: str) -> Any:
        return self._select(test, lambda: (if_true(),), lambda: (if_false(),), (name,), where)[0]

    def if_exp(self, test: Any, if_true: Callable[[], Any], if_false: Callable[[], Any], _text: str = "") -> Any:
        """`if_true() if test else if_false()`."""
        if not self.symbolic(test):
            return if_true() if test else if_false()
        return self._choose("conditional expression", test, if_true, if_false, line_of(sys._getframe(1)))

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
        where = line_of(sys._getframe(1))
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

        def known(name: str, value: Tensor, taken: bool) -> Any:
            # In the branches of `if not do_return` the flag is known: so is then, where both set it, what follows.
            if value is None or not FLAG.fullmatch(name):
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
        return tuple(rebuild(template, leaves) for template in templates)

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
                where = line_of(sys._getframe(1))
                return self._stage_while(first, test, body, get_state, set_state, names, where, body)
            if not first:
                return None
            body()

    def _stage_while(
        self,
        first: TensorLike,
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
            values = (rebuild(template, leaves) for template in templates)
            # The test holds that the loop was left by neither break nor return.
            set_state(
                tuple(
                    False if in_body and LOOP_FLAG.fullmatch(name) else value for name, value in zip(names, values, strict=True)
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
            flags = {i for i in left_by if LOOP_FLAG.fullmatch(names[i])}
            templates = [Fixed(True) if i in flags else template for i, template in enumerate(templates)]
        enter(templates, tuple(final), in_body=False)

    def _defined(
        self,
        first: TensorLike,
        before: Values,
        enter: Callable[[list[Any], Values, bool], None],
        body: Callable[[], None],
        get_state: Callable[[], Values],
        names: tuple[str, ...],
        where: str,
    ) -> list[Any]:
        """The state before a loop, with zeros for the variables that only the loop's body assigns."""
        start = list(before)
        if not any(map(is_undefined, start)):
            return start
        leaves: list[Any] = []
        templates = [self._template(value, leaves) for value in start]

        def once(*loop_vars: Any) -> Values:
            enter(templates, loop_vars, True)
            body()
            return get_state()

        for i, value in enumerate(self.hooks.abstract(once, tuple(leaves))):
            if not is_undefined(start[i]) or is_undefined(value):
                continue
            if isinstance(start[i], Undefined) and self.symbolic(first):
                self.hooks.assert_true(
                    first, f"variable '{names[i]}' is undefined: the loop at {where}, which assigns it, never ran"
                )
            start[i] = map_leaves(self._zeros, value)
        return start

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
        where = line_of(sys._getframe(1))
        if self.looped(iterated):
            iterated = self._iterated(iterated)
        if isinstance(iterated, Iterated):
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
        iterated: Iterated,
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

    def looped(self, value: Tensor) -> bool:
        """Whether a loop over a value is one of the graph's: over a tensor, or what says itself how it is looped over."""
        return self.symbolic(value) or (state.graph is not None and hasattr(value, "_iterated"))

    def _iterated(self, value: Tensor) -> Iterated:
        if isinstance(value, Iterated):
            return value
        if hasattr(value, "_iterated"):
            return Iterated(*value._iterated())
        if not (self.symbolic(value) or isinstance(value, np.ndarray)):
            raise ControlFlowError(f"cannot loop over {describe(value)} along with a symbolic value")
        length = self.hooks.length(value)
        return Iterated(lambda k: k < length, lambda k: self.hooks.element(value, k))
