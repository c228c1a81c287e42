"""TensorFlow's assertions: eagerly they raise at once; in a graph they are operations that raise when they run.

What is known while a graph is built (types, ranks, constants) is checked then.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from wengert.functions.array import integer_of, shape, size
from wengert.functions.math import abs as absolute
from wengert.functions.math import (
    equal,
    greater,
    greater_equal,
    is_finite,
    less,
    less_equal,
    not_equal,
    number,
    operands,
    reduce_all,
    reduce_any,
)
from wengert.ground import checks, dtypes, shapes
from wengert.ground.context import Observer, Site, state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.shapes import UnknownDimension
from wengert.ground.types import Array
from wengert.ops import elementwise, linear
from wengert.ops.op import Op
from wengert.ops.state import ASSERT
from wengert.tensor.tensor import NONE, EagerTensor, SymbolicTensor, Tensor, TensorLike, append, apply, convert, is_tensor_like

_log_placement = [False]
_filtering = [True]


def Assert(condition: TensorLike, data: TensorLike, summarize: int | None = None, name: str | None = None) -> Any:
    """Raise unless all of a condition is True; in a graph return the operation that does so.

    Raises:
        InvalidArgumentError: (a ValueError) showing the data.

    >>> import wengert as tf
    >>> tf.Assert(True, ["all is well"])
    """
    test = convert(condition)
    if test.nptype.kind != "b":
        value = _known(test)
        test = not_equal(test, 0) if value is None else convert(value != 0)
    items = list(data) if isinstance(data, list | tuple) else [data]
    return _require(test, "", items, summarize, name)


def _require(test: Any, message: str, data: Sequence[Any], summarize: int | None = None, name: str | None = None) -> Any:
    """Check now what is known, else append the operation that checks."""
    value = _known(test)
    if value is not None:
        if np.all(value):
            return None if test.__class__ is EagerTensor else _nothing(test, name)
        shown = " ".join(_shown(d, summarize) for d in data)
        raise InvalidArgumentError(f"{message or 'Expected condition to be true.'} {shown}".strip())
    graph = state.graph if state.graph is not None else test.graph
    texts = [d for d in data if isinstance(d, str)]
    held = [d for d in data if isinstance(d, Tensor)]
    append(graph, ASSERT, (test, *held), {"message": " ".join([message, *texts]).strip()}, name or "Assert")
    return graph.nodes[-1]


def _nothing(test: Any, name: str | None) -> Any:
    graph = state.graph if state.graph is not None else test.graph
    append(graph, ASSERT, (convert(True),), {"message": ""}, name or "Assert")
    return graph.nodes[-1]


def _known(t: Any) -> Any:
    """Return the value of a tensor that has one now, else None."""
    if t.__class__ is EagerTensor:
        return t.array
    return t.node.attrs["value"] if t.node.op is linear.CONSTANT else None


def _shown(item: Any, summarize: int | None) -> str:
    if isinstance(item, SymbolicTensor):
        value = _known(item)
        return item.name if value is None else str(value)
    if is_tensor_like(item):
        array = convert(item).array
        most = 3 if summarize is None else checks.whole(summarize, "debugging", "summarize")
        if most < 0 or array.size <= most:
            return str(array)
        return "[" + " ".join(str(v) for v in array.ravel()[:most]) + "...]"
    return str(item)


# --- values -----------------------------------------------------------------------------------------------------------


def _compare(
    relation: Callable[..., Any],
    sign: str,
    title: str,
    x: TensorLike,
    y: TensorLike,
    message: str | None,
    summarize: int | None,
    name: str | None,
) -> Any:
    """Return the assertion that a relation holds everywhere; constants are compared while a graph is built."""
    if isinstance(x, SymbolicTensor) or not isinstance(y, Tensor):
        a = convert(x)
        b = convert(y, like=a)
    else:
        b = convert(y)
        a = convert(x, like=b)
    va, vb = _known(a), _known(b)
    graph, eager = state.graph, va is not None and vb is not None
    if eager:
        state.graph = None
    try:
        left, right = (EagerTensor(va), EagerTensor(vb)) if eager else (a, b)
        test = relation(left, right)
        good = reduce_all(test)
    finally:
        state.graph = graph
    text = f"{_prefix(message)}Condition x {sign} y did not hold element-wise:".strip()
    if eager:
        if not good.array:
            at = np.argwhere(~np.broadcast_to(test.array, np.broadcast_shapes(test.array.shape)))
            where = f" First 3 elements at indices {at[:3].tolist()}." if len(at) and test.array.ndim else ""
            detail = f"x = {_shown(left, summarize)}, y = {_shown(right, summarize)}."
            raise InvalidArgumentError(f"{_prefix(message)}Condition x {sign} y did not hold.{where} {detail} [{title}]".strip())
        return None if graph is None else _nothing(a, name)
    return _require(good, text, ["x =", left, "y =", right], summarize, name or title)


def _comparison(relation: Callable[..., Any], sign: str, title: str, doc: str) -> Callable[..., Any]:
    def function(
        x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
    ) -> Any:
        return _compare(relation, sign, title, x, y, message, summarize, name)

    function.__name__ = function.__qualname__ = title
    function.__doc__ = doc
    return function


assert_equal = _comparison(
    equal, "==", "assert_equal", """Raise InvalidArgumentError unless x == y everywhere.

    >>> import wengert as tf
    >>> tf.debugging.assert_equal([1, 1], 1)
    """,
)  # fmt: skip
assert_less = _comparison(less, "<", "assert_less", """Raise InvalidArgumentError unless x < y everywhere.""")
assert_less_equal = _comparison(less_equal, "<=", "assert_less_equal", """Raise InvalidArgumentError unless x <= y everywhere.""")
assert_greater = _comparison(greater, ">", "assert_greater", """Raise InvalidArgumentError unless x > y everywhere.""")
assert_greater_equal = _comparison(
    greater_equal, ">=", "assert_greater_equal", """Raise InvalidArgumentError unless x >= y everywhere."""
)


def assert_none_equal(
    x: TensorLike, y: TensorLike, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Any:
    """Raise InvalidArgumentError unless x != y everywhere."""
    return _compare(not_equal, "!=", "assert_none_equal", x, y, message, summarize, name)


def assert_near(
    x: TensorLike,
    y: TensorLike,
    rtol: Any = None,
    atol: Any = None,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Any:
    """Raise InvalidArgumentError unless |x - y| <= atol + rtol |y| everywhere; both are ten times the dtype's step.

    >>> import wengert as tf
    >>> tf.debugging.assert_near(1.0, 1.0 + 1e-7)
    """

    def near(a: Any, b: Array) -> Any:
        a, b = operands(elementwise.SUBTRACT, a, b)
        step = 0 if a.nptype.kind in "iu" else 10.0 * float(np.finfo(a.nptype).eps)
        real = dtypes.of(a.nptype).real_dtype
        relative, allowed = (t if isinstance(t, Tensor) else convert(step if t is None else t, real) for t in (rtol, atol))
        return less_equal(absolute(a - b), allowed + relative * absolute(b))

    return _compare(near, "~=", "assert_near", x, y, message, summarize, name)


def _with_zero(relation: Callable[..., Any], sign: str, title: str, doc: str) -> Callable[..., Any]:
    def function(x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None) -> Any:
        return _compare(relation, sign, title, x, 0, message, summarize, name)

    function.__name__ = function.__qualname__ = title
    function.__doc__ = doc
    return function


assert_positive = _with_zero(greater, ">", "assert_positive", """Raise InvalidArgumentError unless x > 0 everywhere.""")
assert_negative = _with_zero(less, "<", "assert_negative", """Raise InvalidArgumentError unless x < 0 everywhere.""")
assert_non_negative = _with_zero(
    greater_equal, ">=", "assert_non_negative", """Raise InvalidArgumentError unless x >= 0 everywhere."""
)
assert_non_positive = _with_zero(
    less_equal, "<=", "assert_non_positive", """Raise InvalidArgumentError unless x <= 0 everywhere."""
)


def check_numerics(tensor: TensorLike, message: str, name: str | None = None) -> Any:
    """Return the tensor, having checked that it holds neither infinities nor NaN.

    Raises:
        InvalidArgumentError: (a ValueError) with the message.

    >>> import wengert as tf
    >>> tf.debugging.check_numerics([1.0], "bad").numpy().tolist()
    [1.0]
    """
    x = number(tensor, "check_numerics")
    if x.__class__ is EagerTensor and state.graph is None:
        if not np.isfinite(x.array).all():
            bad = [word for word, there in (("Inf", np.isinf(x.array).any()), ("NaN", np.isnan(x.array).any())) if there]
            raise InvalidArgumentError(f"{message} : Tensor had {' and '.join(bad)} values")
        return x
    node = _require(reduce_all(is_finite(x)), f"{message} : Tensor had Inf or NaN values", [])
    with node.graph.control_dependencies([node]):
        return apply(linear.IDENTITY, (x,), NONE, name or "CheckNumerics")


def assert_all_finite(x: TensorLike, message: str, name: str | None = None) -> Any:
    """Return the tensor, having checked that it holds neither infinities nor NaN: `check_numerics`."""
    return check_numerics(x, message, name)


MOVES = frozenset(
    "band_part broadcast_like broadcast_to cast concat concat_part diag diag_part ensure_shape expand_dims fill gather_nd "
    "getitem identity matrix_transpose pad read_variable reshape reshape_like reverse roll shaped split spread_like squeeze "
    "stack take take_along_axis tile transpose unstack where fed snapshot linked".split()
)
"""Operations that hand values on: an infinity among theirs was somebody else's."""


def _look(op: Op, arrays: Sequence[Any], where: str) -> None:
    """Check what an operation gave.

    Raises:
        InvalidArgumentError: for infinities and NaN among it.
    """
    if op.kind == "constant" or op.name in MOVES:
        return
    for k, a in enumerate(arrays):
        if getattr(getattr(a, "dtype", None), "kind", "") in "fc" and not np.isfinite(a).all():
            parts = (a.real, a.imag) if a.dtype.kind == "c" else (a,)
            counts = [
                (sign, sum(int(test(p).sum()) for p in parts))
                for sign, test in (("-Inf", np.isneginf), ("+Inf", np.isposinf), ("NaN", np.isnan))
            ]
            found = "".join(f"\n  # of {sign} elements: {n}" for sign, n in counts if n)
            raise InvalidArgumentError(
                f'!!! Detected Infinity or NaN in output {k} of op "{op.type}" (# of outputs: {len(arrays)}) at {where} !!!\n'
                f"  dtype: {dtypes.of(a.dtype)!r}\n  shape: {shapes.text(a.shape)}{found}"
            )


class _Looker(Observer):
    """Looks at the result of each eager operation; functions run step by step while it is there, as they do for tapes."""

    def record(self, op: Op, inputs: Sequence[Any], output: TensorLike, attrs: dict[str, Any]) -> None:
        """Look at an operation's outputs."""
        outputs = output if isinstance(output, tuple | list) else (output,)
        if outputs and outputs[0].__class__ is EagerTensor:
            made = outputs[0].made
            _look(op, [t.array for t in outputs], str(Site(*made[2])) if made is not None and made[2] else "an unknown place")


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """Have every operation of this thread raise an error where it gives an infinity or NaN: eagerly, in functions, in graphs.

    The error names the operation and its line. Operations that only move values are not looked at. Everything runs on NumPy,
    step by step, until `disable_check_numerics`. ``stack_height_limit`` and ``path_length_limit`` have no effect.

    >>> import wengert as tf
    >>> tf.debugging.enable_check_numerics()
    >>> try:
    ...     tf.math.log(0.0)
    ... except tf.errors.InvalidArgumentError as error:
    ...     print(str(error).partition(" (#")[0])
    ... finally:
    ...     tf.debugging.disable_check_numerics()
    !!! Detected Infinity or NaN in output 0 of op "Log"
    """
    if state.numerics is None:
        state.numerics = _look
        state.observers = (_Looker(), *state.observers)


def disable_check_numerics() -> None:
    """End what `enable_check_numerics` began."""
    state.numerics = None
    state.observers = tuple([o for o in state.observers if not isinstance(o, _Looker)])


# --- types ------------------------------------------------------------------------------------------------------------


def _prefix(message: str | None) -> str:
    text = "" if message is None else str(message)
    return f"{text} " if text else ""


def assert_type(tensor: TensorLike, tf_type: Any, message: str | None = None, name: str | None = None) -> Any:
    """Raise TypeError unless the tensor has a dtype.

    >>> import wengert as tf
    >>> tf.debugging.assert_type([1.0], tf.float32)
    """
    t, wanted = convert(tensor), as_dtype(tf_type)
    if t.dtype is not wanted:
        raise TypeError(f"{_prefix(message)}{_name(t)} must be of type {wanted!r}; got {t.dtype!r}.")


def _name(t: TensorLike) -> str:
    return t.name if isinstance(t, SymbolicTensor) else "tensor"


def assert_integer(x: TensorLike, message: str | None = None, name: str | None = None) -> Any:
    """Raise TypeError unless the tensor holds integers."""
    t = convert(x)
    if t.nptype.kind not in "iu":
        raise TypeError(f'{_prefix(message)}Expected "x" to be integer type. Found: {t.dtype!r}')


def assert_same_float_dtype(tensors: TensorLike | None = None, dtype: DtypeLike | None = None) -> Any:
    """Return the floating dtype that tensors, and the dtype where one is given, share; float32 for none.

    Raises:
        ValueError: if they differ, or are not floating.
    """
    found = None if dtype is None else as_dtype(dtype)
    for t in () if tensors is None else checks.listed(tensors, "assert_same_float_dtype", "tensors"):
        if t is None:
            continue
        one = convert(t).dtype
        if found is not None and one is not found:
            raise ValueError(f"Tensors must have one dtype: expected {found!r}, got {one!r}.")
        found = one
    found = dtypes.float32 if found is None else found
    if found.kind not in "fc":
        raise ValueError(f"Expected floating point type, got {found!r}.")
    return found


def is_numeric_tensor(tensor: TensorLike) -> bool:
    """Return whether this is a tensor of numbers.

    >>> import wengert as tf
    >>> tf.debugging.is_numeric_tensor(tf.constant(1)), tf.debugging.is_numeric_tensor(1)
    (True, False)
    """
    return isinstance(tensor, Tensor) and tensor.nptype.kind in "iufc"


def assert_proper_iterable(values: TensorLike) -> None:
    """Raise TypeError unless this is something to iterate over other than a tensor, an array or a string."""
    if isinstance(values, Tensor | np.ndarray | str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"Expected argument 'values' to be a 'proper' iterable. Found: {type(values)}")


# --- shapes -----------------------------------------------------------------------------------------------------------


def _ranked(
    x: TensorLike,
    holds: Callable[[int], bool],
    wanted: str,
    symbolic: Callable[[Any], Any] | None,
    message: str | None,
    name: str | None,
) -> Any:
    """Check a rank that is known, else append the operation that does."""
    t = convert(x)
    if t.sizes is not None:
        if not holds(len(t.sizes)):
            raise ValueError(
                f"{_prefix(message)}Tensor {_name(t)} must have rank {wanted}. Received rank {len(t.sizes)}, shape "
                f"{shapes.text(t.sizes)}"
            )
        return None if state.graph is None else _nothing(t, name)
    assert symbolic is not None
    return _require(symbolic(size(shape(t))), f"{_prefix(message)}Tensor {_name(t)} must have rank {wanted}", [], None, name)


def assert_rank(x: TensorLike, rank: Any, message: str | None = None, name: str | None = None) -> Any:
    """Raise ValueError unless a tensor has a number of axes.

    >>> import wengert as tf
    >>> tf.debugging.assert_rank([1.0], 1)
    """
    n = integer_of(rank, "rank")
    return _ranked(x, lambda r: r == n, str(n), lambda r: equal(r, n), message, name or "assert_rank")


def assert_rank_at_least(x: TensorLike, rank: Any, message: str | None = None, name: str | None = None) -> Any:
    """Raise ValueError unless a tensor has at least so many axes."""
    n = integer_of(rank, "rank")
    return _ranked(x, lambda r: r >= n, f"at least {n}", lambda r: greater_equal(r, n), message, name or "assert_rank_at_least")


def assert_rank_in(x: TensorLike, ranks: Any, message: str | None = None, name: str | None = None) -> Any:
    """Raise ValueError unless the number of a tensor's axes is among some."""
    allowed = [integer_of(r, "rank") for r in checks.listed(ranks, "assert_rank_in", "ranks")]
    return _ranked(
        x, lambda r: r in allowed, f"in {tuple(allowed)}", lambda r: reduce_any(equal(r, allowed)), message, name or "assert_rank"
    )


def assert_scalar(tensor: TensorLike, message: str | None = None, name: str | None = None) -> Any:
    """Return the tensor; raise ValueError if it has axes."""
    t = convert(tensor)
    if t.sizes not in ((), None):
        raise ValueError(f"{_prefix(message)}Expected scalar shape, saw shape: {shapes.text(t.sizes)}.")
    return t


def _is_scalar(value: Any) -> bool:
    return value.sizes == () if isinstance(value, Tensor) else isinstance(value, np.ndarray) and not value.ndim


def _symbol(value: Any) -> Any:
    """Return what stands for a size in `assert_shapes`: a name, ``...``, None for any, else a whole number."""
    if value is None or value is Ellipsis or isinstance(value, str):
        return value
    return None if isinstance(value, UnknownDimension) else integer_of(value, "assert_shapes: a size")


def assert_shapes(
    shapes: Any, data: TensorLike | None = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Any:
    """Raise ValueError unless tensors have the shapes that symbols state; a symbol has one size.

    ``shapes``: a dictionary, or a list of pairs (tensor, shape). A size is a number, a symbol, or None or "." for any
    size; "..." or "*" first stands for any axes before the rest.

    >>> import wengert as tf
    >>> tf.debugging.assert_shapes([(tf.ones([2, 3]), ("N", 3)), (tf.ones([2]), ("N",))])
    """
    pairs = list(shapes.items()) if isinstance(shapes, dict) else checks.listed(shapes, "assert_shapes", "shapes")
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise TypeError(f"assert_shapes: each element of shapes must be a pair (tensor, shape), not {pair!r}.")
    found: dict[Any, tuple[int, str]] = {}
    for item, wanted in pairs:
        item = item.deref() if hasattr(item, "deref") else item
        t = convert(item)
        symbols = [_symbol(s) for s in (wanted if isinstance(wanted, str | Iterable) and not _is_scalar(wanted) else [wanted])]
        open_ended = builtins.bool(symbols) and symbols[0] in (Ellipsis, "*", "...")
        symbols = symbols[1:] if open_ended else symbols
        if t.sizes is None:
            continue
        if len(t.sizes) < len(symbols) or (len(t.sizes) != len(symbols) and not open_ended):
            least = "at least " if open_ended else ""
            raise ValueError(f"{_prefix(message)}{_name(t)}. Tensor {t!r} must have rank {least}{len(symbols)}.")
        sizes = t.sizes[len(t.sizes) - len(symbols) :]
        for axis, (symbol, actual) in enumerate(zip(symbols, sizes, strict=True)):
            if symbol in (None, ".") or actual is None:
                continue
            if isinstance(symbol, str) and not symbol.isdigit():
                before, first = found.setdefault(symbol, (actual, f"{_name(t)} dimension {axis}"))
                text = f"size {before}, which {first} has"
            else:
                before, text = int(symbol), f"size {int(symbol)}"
            if before != actual:
                raise ValueError(
                    f"{_prefix(message)}{_name(t)}. Tensor dimension {axis} must have {text}. Received size {actual} in shape "
                    f"{t.shape}."
                )


# --- switches ---------------------------------------------------------------------------------------------------------


def set_log_device_placement(enabled: Any) -> None:
    """Accept, and keep for `get_log_device_placement`: there is one device."""
    _log_placement[0] = checks.flag(enabled, "set_log_device_placement", "enabled")


def get_log_device_placement() -> bool:
    """Return what `set_log_device_placement` was told last."""
    return _log_placement[0]


def enable_traceback_filtering() -> None:
    """Accept: errors name the user's line already."""
    _filtering[0] = True


def disable_traceback_filtering() -> None:
    """Accept: errors name the user's line already."""
    _filtering[0] = False


def is_traceback_filtering_enabled() -> bool:
    """Return what was asked for last; True at first."""
    return _filtering[0]
