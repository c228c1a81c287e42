"""Converted functions against the same functions as plain Python, by a small graph of closures."""

import functools
import inspect
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from wengert.autograph import (
    AutographError,
    ControlFlowError,
    ConversionError,
    Hooks,
    UndefinedVariableError,
    convert,
    do_not_convert,
)

HERE = __file__


# --- a graph: a symbol is a function of the environment that binds the stand-ins --------------------------------------


class SymbolicTruth(TypeError):
    pass


class Sym:
    """A symbolic number, truth value or list."""

    def __init__(self, run: Callable[[dict], Any]):
        self.run = run

    def __bool__(self):
        raise SymbolicTruth("the truth of a symbol")

    def __iter__(self):
        raise TypeError("iteration over a symbol")

    def __index__(self):
        raise TypeError("a symbol as an index")

    __hash__ = object.__hash__

    def __getitem__(self, i):
        return op(lambda a, b: a[b], self, i)


class Env(dict):
    """The values of the stand-ins, and of what has been computed from them."""

    def __init__(self, bound=()):
        super().__init__(bound)
        self.known = {}


def value_in(env, x):
    if not isinstance(x, Sym):
        return x
    if id(x) not in env.known:
        env.known[id(x)] = (x.run(env), x)
    return env.known[id(x)][0]


def op(fn, *args):
    return Sym(lambda env: fn(*[value_in(env, a) for a in args]))


def div(a, b):
    return a / b


for name, fn in {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "truediv": div,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
}.items():
    setattr(Sym, f"__{name}__", lambda self, other, fn=fn: op(fn, self, other))
    setattr(Sym, f"__r{name}__", lambda self, other, fn=fn: op(fn, other, self))
for name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(
        Sym,
        f"__{name}__",
        lambda self, other, n=name: op(lambda a, b: getattr(float(a), f"__{n}__")(float(b)), self, other),
    )
Sym.__neg__ = lambda self: op(lambda a: -a, self)  # type: ignore[attr-defined]
Sym.__abs__ = lambda self: op(abs, self)  # type: ignore[attr-defined]

checks: list[tuple[Any, str]] = []
staged: list[str] = []


def cond(pred, true_fn, false_fn, merge):
    staged.append("cond")
    true, false = merge(true_fn(), false_fn())
    assert len(true) == len(false)

    def pick(i):
        return Sym(lambda env: value_in(env, true[i]) if value_in(env, pred) else value_in(env, false[i]))

    return [pick(i) for i in range(len(true))]


def stand_in():
    sym = Sym(lambda env: env[id(sym)])  # a KeyError: a symbol was used outside of its graph
    return sym


def while_loop(cond_fn, body_fn, loop_vars):
    staged.append("while")
    held = [stand_in() for _ in loop_vars]
    test = cond_fn(*held)
    results = body_fn(*held)
    assert isinstance(results, tuple) and len(results) == len(loop_vars)

    def run(env, i):
        values = [value_in(env, v) for v in loop_vars]
        for _ in range(1000):
            inner = Env({**env, **dict(zip(map(id, held), values, strict=True))})
            if not value_in(inner, test):
                return values[i]
            values = [value_in(inner, r) for r in results]
        raise AssertionError("endless")

    return [Sym(functools.partial(run, i=i)) for i in range(len(held))]


HOOKS = Hooks(
    is_symbolic=lambda v: isinstance(v, Sym),
    cond=cond,
    while_loop=while_loop,
    logical_not=lambda v: op(lambda a: not a, v),
    length=lambda v: op(len, v),
    element=lambda v, i: op(lambda a, k: a[k], v, i),
    assert_true=lambda pred, message: checks.append((pred, message)),
    abstract=lambda fn, args: fn(*[stand_in() for _ in args]),
    zeros_like=lambda v: 0,
)


@pytest.fixture(autouse=True)
def forget():
    checks.clear()
    staged.clear()


def symbolic(value):
    return Sym(lambda env: value)


def evaluated(value):
    if isinstance(value, (tuple, list)):
        return type(value)(evaluated(v) for v in value)
    if isinstance(value, dict):
        return {k: evaluated(v) for k, v in value.items()}
    return value_in(Env(), value)


# --- the table --------------------------------------------------------------------------------------------------------


def if_else(x):
    if x > 0:
        y = x * 2
    else:
        y = -x
    return y


def if_without_else(x):
    y = x
    if x > 1:
        y = y * 10
    return y


def if_elif(x):
    if x > 2:
        r = 1
    elif x > 0:
        r = 2
    elif x > -2:
        r = 3
    else:
        r = 4
    return r


def early_returns(x):
    if x > 2:
        return x * 2
    if x < -2:
        return -1
    return -x


def return_in_else(x):
    y = x + 1
    if x > 0:
        y = y * 3
    else:
        return y
    y = y - 1
    return y


def nested_ifs(x):
    a = 0
    b = 1
    if x > 0:
        if x > 2:
            a = x
        else:
            b = x
        b = b + a
    return a, b


def several_outputs(x):
    if x > 0:
        pair = (x, [x + 1, {"k": 2}])
    else:
        pair = (0, [x - 1, {"k": x}])
    return pair


def static_in_both(x):
    if x > 0:
        name, n = "same", 3
        y = x
    else:
        name, n = "same", 3
        y = -x
    return (name * n, y)


def while_sum(x):
    total = 0
    while x > 0:
        total = total + x
        x = x - 1
    return total


def while_python_counter(x):
    i = 0
    while i < x:
        i += 1
    return i


def while_break(x):
    n = 0
    while n < 20:
        n = n + 1
        if n * n > x:
            break
    return n


def while_true_break(x):
    while True:
        x = x - 3
        if x < 0:
            break
    return x


def while_true_return(x):
    while True:
        if x < 0:
            return x
        x = x - 2


def while_continue(x):
    n, odd = 0, 0
    while n < x:
        n += 1
        if n % 2 == 0:
            continue
        odd += n
    return n, odd


def return_in_loop(x):
    n = 0
    while n < x:
        if n * n > x:
            return n * 100
        n = n + 1
    return -1


def return_in_nested_loops(x):
    for i in range(x):
        for j in range(x):
            if i * j > 3:
                return i * 10 + j
    return 0 - x


def collatz(x):
    steps = 0
    while x > 1:
        if x % 2 == 0:
            x = x // 2
        else:
            x = 3 * x + 1
        steps += 1
    return steps


def for_range(x):
    total = 0
    for i in range(x):
        total += i
    return total


def for_range_start_step(x):
    total = 0
    for i in range(x, -7, -2):
        total = total * 2 + i
    return total


def for_range_break_continue(x):
    total = 0
    for i in range(x):
        if i == 1:
            continue
        if i > 3:
            break
        total += i
    return total


def for_python_range_break(x):
    total = 0
    for i in range(6):
        total += i
        if total > x:
            break
    return total, i


def for_list_return(x):
    for _name, scale in [("a", 1), ("b", 2), ("c", 3)]:
        if x < scale:
            return x * scale
    return len([1, 2])


def nested_loops(x):
    total = 0
    for i in range(x):
        j = 0
        while j < i:
            if j == 2:
                j += 2
                continue
            total += i * j
            j += 1
    return total


def loop_variable_after(x):
    for i in range(x + 10):
        last = i * i
    return last + i


def chained(x):
    return 1 if 0 < x < 3 else 2


def ternary_nested(x):
    return (x if x > 2 else x * 5) if x > 0 else (0 if x == 0 else -x)


def logic(x):
    if (x > 0 and not x > 2) or x < -3:
        r = 1
    else:
        r = 0
    return r


def lazy_and(x):
    items = [5, 6, 7]
    i = 0
    while i < 3 and x > i:
        i += 1
    return i + len(items)


def lazy_guard(x):
    return 1 if x != 0 and 10 / x > 3 else 0


def python_only(x):
    out = []
    for k in range(3):
        if k == 1:
            continue
        out.append(x + k)
    n = 0
    while n < 4:
        n += 1
        if n == 3:
            break
    else:
        n = 100
    return out, n


def loop_else(x):
    n = 0
    while n < 5:
        if n > x:
            break
        n += 1
    else:
        n = 50
    for k in range(x):
        if k == 3:
            break
    else:
        n += 1000
    return n


def lambdas(x):
    f = lambda v: v * 2 if v > 0 else v - 1  # noqa: E731
    return f(x) + f(-x)


def closure_inside(x):
    scale = 3

    def inner(v, extra=1):
        if v > 0:
            return v * scale
        return v - extra

    return inner(x) + inner(-x, extra=5)


def nonlocal_inside(x):
    count = 0

    def bump(by):
        nonlocal count
        if x > 0:
            count += by

    bump(2)
    bump(3)
    return count


def helper(v, limit=2):
    if v > limit:
        return limit
    return v


def calls_helper(x):
    return helper(x) + helper(x, limit=1) + helper(*[x], **dict(limit=0))


def calls_partial(x):
    return functools.partial(helper, limit=-1)(x)


def calls_map(x):
    return list(map(helper, [x, x + 1])), sum(functools.reduce(lambda a, b: [*a, helper(b)], [x, -x], []))


def calls_wrapped(x):
    return doubled(x)


def doubling(fn):
    @functools.wraps(fn)
    def wrapper(v):
        out = fn(v)
        if out < 0:
            out = out * 10
        return out * 2

    return wrapper


@doubling
def doubled(v):
    """Has a docstring."""
    if v > 1:
        return v
    return v - 1


class Model:
    def __init__(self, weight):
        self.weight = weight
        self.__hidden = 4
        self.seen = 0

    def __call__(self, v):
        if v > 0:
            return self.weight * v
        return self.__hidden - v

    def method(self, v):
        if v > 0:
            self.seen = v
        return self.seen + self(v)

    @classmethod
    def made(cls, v):
        if v > 0:
            return cls(2)(v)
        return cls(3)(v)

    @staticmethod
    def static(v):
        return 1 if v > 0 else 0


class SubModel(Model):
    def __call__(self, v):
        if v > 2:
            return super().__call__(v) + 100
        return super().__call__(v)


def calls_objects(x):
    m = Model(3)
    return m(x), m.method(x), Model.made(x), Model.static(x), SubModel(5)(x)


def attribute_in_loop(x):
    m = Model(0)
    while m.weight < x:
        m.weight = m.weight + 2
    return m.weight


def item_in_branch(x):
    d = {"a": 1}
    row = [0, 0]
    if x > 0:
        d["a"] = x
        row[1] = x
    return d, row


def with_and_try(x):
    try:
        if x > 0:
            y = x
        else:
            y = 0
    finally:
        z = 1
    return y + z


def list_of_one_branch(x):
    n = 0
    while n < x:
        row = []
        row.append(n)
        for k in range(2):
            row.append(k)
        n = n + sum(row)
    return n


def annotated(x: "NoSuchName", *, n: int = 2) -> "NoSuchName":  # type: ignore[name-defined]  # noqa: F821
    y: float = 0.0
    if x > 0:
        y: float = x * n  # type: ignore[no-redef]
    return y


def extremes(x):
    return max(x, 1), min([x, 2, -x]), abs(x), max(3, 4)


def folds(x):
    return all([x > 0, x < 3, True]), any(v > 2 for v in (x, x + 1)), all([]), any([False])


# fmt: off
def multiline(x):
    total = (
        x
        + 1
    )
    if (
        total
        > 2
    ):
        total = total \
            * 2
    return total
# fmt: on


def unpacking(x):
    a, (b, *c) = 1, (2, 3, 4)
    while a < x:
        a, b = b + a, a
    return a, b, c


def fibonacci_for(x):
    a, b = 0, 1
    for _ in range(x):
        a, b = b, a + b
    return a


def dead_branch_variable(x):
    if x > 0:
        tmp = x * 2
        y = tmp + 1
    else:
        y = 0
    return y


def comparison_of_returns(x):
    if x > 0:
        if x > 2:
            return 1
        else:
            return 2
    else:
        while x < -2:
            x = x + 3
        return x


def captured_by_a_lambda(x):
    y = 0
    f = lambda: y  # noqa: E731
    if x > 0:
        y = x
    n = 0
    while n < x:
        y = y + 1
        n = n + 1
    return f()


def nested_conditional_in_call(x):
    return helper(1 if x > 0 else 2 if x > -2 else 3)


def global_write_unread(x):
    global LAST
    LAST = 0
    if x > 0:
        LAST = x
    for _ in range(x):
        LAST = LAST + 1


def reads_the_global(x):
    global_write_unread(x)
    return LAST


def global_write(x):
    global LAST
    if x > 0:
        LAST = x
    else:
        LAST = 0
    return LAST


LAST = None

SHAPES = [
    if_else, if_without_else, if_elif, early_returns, return_in_else, nested_ifs, several_outputs, static_in_both,
    while_sum, while_python_counter, while_break, while_true_break, while_true_return, while_continue,
    return_in_loop, return_in_nested_loops, collatz, for_range, for_range_start_step, for_range_break_continue,
    for_python_range_break, for_list_return, nested_loops, loop_variable_after, chained, ternary_nested, logic,
    lazy_and, lazy_guard, python_only, loop_else, lambdas, closure_inside, nonlocal_inside, calls_helper,
    calls_partial, calls_map, calls_wrapped, calls_objects, attribute_in_loop, item_in_branch, with_and_try,
    annotated, extremes, folds, multiline, unpacking, fibonacci_for, dead_branch_variable, comparison_of_returns,
    global_write, list_of_one_branch, captured_by_a_lambda, nested_conditional_in_call, reads_the_global,
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=lambda f: f.__name__)
def test_symbolic_as_python(shape):
    for x in (-6, -3, -1, 0, 1, 2, 3, 4, 7):
        assert evaluated(convert(shape, HOOKS)(symbolic(x))) == shape(x), x


@pytest.mark.parametrize("shape", SHAPES, ids=lambda f: f.__name__)
def test_concrete_as_python(shape):
    for x in (-3, 0, 4):
        assert convert(shape, HOOKS)(x) == shape(x)
    assert not staged


def sum_of(xs):
    total = 0
    for x in xs:
        total = total + x
    return total


def sum_until(xs):
    total = 0
    for x in xs:
        if x < 0:
            continue
        if x > 100:
            break
        total = total + x
    return total


def find(xs):
    for i, x in enumerate(xs):
        if x > 5:
            return i
    return -1


def dot(xs):
    total = 0
    for i, (a, b) in enumerate(zip(xs, xs, strict=False)):
        total = total + a * b * i
    return total


def length_of(xs):
    return len(xs) + 1


def by_index(xs):
    best = xs[0]
    for i in range(1, len(xs)):
        if xs[i] > best:
            best = xs[i]
    return best


def pairs(xs):
    n = 0
    for a in xs:
        for b in xs:
            if a < b:
                n += 1
    return n


@pytest.mark.parametrize("shape", [sum_of, sum_until, find, dot, length_of, by_index, pairs], ids=lambda f: f.__name__)
def test_iteration_over_a_symbol(shape):
    for xs in ([1, -5, 2, 200, 4], [3], [6, 7], [1, 2, 3]):
        assert evaluated(convert(shape, HOOKS)(symbolic(xs))) == shape(xs)
        assert convert(shape, HOOKS)(xs) == shape(xs)


def test_an_empty_symbol():
    assert evaluated(convert(sum_of, HOOKS)(symbolic([]))) == 0


def test_kinds_of_callables():
    m = Model(3)
    for fn in (m, m.method, Model.made, Model.static, functools.partial(helper, limit=1), lambda v: v if v > 0 else -v):
        for x in (-2, 3):
            m.seen = 0
            expected = fn(x)
            m.seen = 0
            assert evaluated(convert(fn, HOOKS)(symbolic(x))) == expected


def made_with(scale):
    def scaled(v, *, by=1):
        if v > 0:
            return v * scale * by
        return v

    return scaled


def test_closures_share_code_not_cells():
    two, three = (convert(made_with(scale), HOOKS) for scale in (2, 3))
    assert (evaluated(two(symbolic(5))), evaluated(three(symbolic(5), by=2))) == (10, 30)


def test_a_converted_function_looks_like_the_original():
    converted = convert(doubled.__wrapped__, HOOKS)
    assert (converted.__name__, converted.__doc__) == ("doubled", "Has a docstring.")
    assert inspect.getsource(converted) == inspect.getsource(doubled.__wrapped__)
    assert convert(converted, HOOKS) is converted


def test_what_stays_unconverted():
    import statistics

    import numpy as np

    for fn in (np.mean, statistics.mean, len, dict, convert):
        assert convert(fn, HOOKS) is fn
    marked = do_not_convert(made_with(2))
    assert convert(marked, HOOKS) is marked
    with pytest.raises(SymbolicTruth):
        convert(lambda v: marked(v), HOOKS)(symbolic(1))


# --- what is staged ---------------------------------------------------------------------------------------------------


def test_returns_in_both_branches_need_no_further_cond():
    convert(early_returns, HOOKS)(symbolic(1))
    assert staged == ["cond", "cond"]


def test_a_staged_loop_is_traced_once():
    calls = []

    def body(x):
        calls.append(x)
        return x - 1

    def loop(x):
        while x > 0:
            x = body(x)
        return x

    assert evaluated(convert(loop, HOOKS)(symbolic(5))) == 0
    assert len(calls) == 1


def test_assert_on_a_symbol():
    def checked(x):
        assert x > 0, f"bad {1 + 1}"
        assert True, "never"
        return x

    converted = convert(checked, HOOKS)
    converted(symbolic(1))
    line = checked.__code__.co_firstlineno + 1
    assert [message for _, message in checks] == [f"{HERE}:{line}: bad 2"]
    with pytest.raises(AssertionError, match="bad 2"):
        converted(0)


def test_a_variable_that_only_the_loop_assigns_is_checked_at_run_time():
    def shape(n):
        while n > 0:
            last = n
            n = n - 1
        return last

    assert evaluated(convert(shape, HOOKS)(symbolic(3))) == 1
    [(ran, message)] = checks
    assert evaluated(ran) and "'last'" in message


# --- errors -----------------------------------------------------------------------------------------------------------


def only_one_branch(x):
    if x > 0:
        made = x
    return made


def none_or_number(x):
    y = None
    if x > 0:
        y = x
    return y


def appends(x):
    items = [0]
    if x > 0:
        items.append(x)
    return items


def appends_in_loop(x):
    m = Model(0)
    m.log = []
    for i in range(x):
        m.log.append(i)
    return m.log


def returns_none(x):
    if x > 0:
        return x
    return None


def grows(x):
    items = []
    while x > 0:
        items = [*items, x]
        x = x - 1
    return items


def becomes_a_number(x):
    y = None
    while x > 0:
        y = x
        x = x - 1
    return y


def falls_off(x):
    while x > 0:
        if x > 5:
            return x
        x = x - 1


def one_branch_attribute(x):
    m = Model(1)
    if x > 0:
        m.fresh = x
    return m.fresh


def reads_before_assigning(x):
    while x > 0:
        y = y + x  # noqa: F821
        x = x - 1
    return y


def deleted(x):
    y = x
    if x > 0:
        del y
    return y


def endless(x):
    import itertools

    for k in itertools.count():
        if x < k:
            break
    return k


@pytest.mark.parametrize(
    ("fn", "kind", "text", "line"),
    [
        (only_one_branch, UndefinedVariableError, "'made' is assigned in only one branch", 1),
        (none_or_number, ControlFlowError, "'y' is a Sym in one branch and None in the other", 2),
        (appends, ControlFlowError, "'items', a list, is changed in place", 2),
        (appends_in_loop, ControlFlowError, "'m.log', a list, is changed in place", 3),
        (returns_none, ControlFlowError, "the return value is a Sym in one branch and None in the other", 1),
        (grows, ControlFlowError, "'items' is a list of 0 before the loop and a list of 1", 2),
        (becomes_a_number, ControlFlowError, "'y' is None before the loop", 2),
        (falls_off, ControlFlowError, "whether this function returns a value depends", None),
        (one_branch_attribute, UndefinedVariableError, "'m.fresh' is assigned in only one branch", 2),
        (reads_before_assigning, UndefinedVariableError, "'y' is used before it is assigned", None),
        (deleted, UndefinedVariableError, "'y' is assigned in only one branch", 2),
        (endless, ControlFlowError, "an endless iterator", 3),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_control_flow_errors(fn, kind, text, line):
    with pytest.raises(kind) as caught:
        convert(fn, HOOKS)(symbolic(1))
    message = str(caught.value)
    assert text in message
    where = f"{HERE}:{fn.__code__.co_firstlineno + line}" if line else ""
    assert where in message


def test_an_undefined_variable_that_is_not_read_is_no_error():
    def shape(x):
        if x > 0:
            tmp = x
        y = x
        if x > 10:
            tmp = y
            y = tmp + 1
        return y

    assert evaluated(convert(shape, HOOKS)(symbolic(11))) == 12


def with_walrus(x):
    while (y := x - 1) > 0:
        x = y
    return x


def with_match(x):
    match x:
        case 1:
            return 1
    return x


def with_class(x):
    class Inner:
        pass

    return x if x > 0 else Inner


def with_yield(x):
    yield x


async def with_await(x):
    return x


@pytest.mark.parametrize(
    ("fn", "text"),
    [
        (with_walrus, "assignment expressions"),
        (with_match, "match statements"),
        (with_class, "classes defined inside a function"),
        (with_yield, "it is a generator"),
        (with_await, "it is a coroutine"),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_what_cannot_be_rewritten(fn, text):
    with pytest.raises(ConversionError, match=text) as caught:
        convert(fn, HOOKS)
    assert f"{HERE}:{fn.__code__.co_firstlineno}" in str(caught.value)


def test_no_source():
    scope: dict[str, Any] = {"__name__": "user"}
    exec("def f(x):\n    return x if x > 0 else -x", scope)
    with pytest.raises(ConversionError, match="source is not available"):
        convert(scope["f"], HOOKS)


def test_lambdas_alike_on_one_line():
    first, _ = (lambda v: v if v > 0 else -v), (lambda v: v + 1)
    with pytest.raises(ConversionError, match="identical signatures"):
        convert(first, HOOKS)


def test_not_a_function():
    with pytest.raises(ConversionError, match="not a function"):
        convert(3, HOOKS)  # type: ignore[arg-type]


def test_a_called_function_that_cannot_be_converted():
    def calls(x):
        return with_match(x) + sum(with_yield(x))

    assert convert(calls, HOOKS)(3) == 6

    def fails(x):
        return with_walrus(x)

    with pytest.raises(SymbolicTruth) as caught:
        convert(fails, HOOKS)(symbolic(1))
    assert "ran as plain Python" in caught.value.__notes__[0] and "assignment expressions" in caught.value.__notes__[0]


def raises_inside(x):
    y = 0
    if x > 0:
        y = helper(
            [].missing,
        )
    return y


def test_tracebacks_show_the_users_lines():
    with pytest.raises(AttributeError) as caught:
        convert(raises_inside, HOOKS)(symbolic(1))
    frames = [(f.filename, f.lineno) for f in traceback.extract_tb(caught.value.__traceback__)]
    first = raises_inside.__code__.co_firstlineno
    assert (HERE, first + 4) in frames
    assert caught.value.__notes__ == [f"while tracing control flow on a symbolic value at {HERE}:{first + 2}"]
    assert not [name for name, _ in frames if "generated" in name or name == "<string>"]


def test_attributes_are_restored_after_an_error():
    m = Model(1)

    def shape(x):
        if x > 0:
            m.weight = x
            raise KeyError("no")
        return x

    with pytest.raises(KeyError):
        convert(shape, HOOKS)(symbolic(1))
    assert m.weight == 1


def test_errors_have_one_base():
    for kind in (ConversionError, ControlFlowError, UndefinedVariableError):
        assert issubclass(kind, AutographError)


def test_malt_is_imported_by_the_first_conversion():
    code = "import sys, wengert.autograph; sys.exit('malt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


class Point(NamedTuple):
    x: Any
    y: Any


def test_named_tuples_through_a_loop():
    def walk(n):
        p = Point(0, 1)
        while n > 0:
            p = Point(p.y, p.x + p.y)
            n = n - 1
        return p

    result = convert(walk, HOOKS)(symbolic(6))
    assert type(result) is Point and evaluated(tuple(result)) == tuple(walk(6))
