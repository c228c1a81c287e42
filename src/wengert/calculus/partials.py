"""Derivatives of high order in functional form: ``taylor`` along a direction or a curve, ``partial`` by name or tensor.

Both append to the graph that is being built, or trace a graph of their own when called eagerly. A Taylor node, or nested
Gradient nodes, are all that they append: the lowering makes one Taylor series of them.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from math import factorial
from typing import Any

import numpy as np

from wengert.calculus.gradients import gradients, graph_of
from wengert.derive.questions import GRADIENT
from wengert.derive.request import request, series
from wengert.derive.series import series_reason
from wengert.derive.structure import ancestors
from wengert.ground import checks, nest
from wengert.ground.context import state
from wengert.ground.errors import (
    DTypeError,
    InvalidArgumentError,
    OperatorNotAllowedInGraphError,
    ShapeError,
    UnimplementedError,
)
from wengert.ground.shapes import fits, text
from wengert.modes.function import ConcreteFunction, Function
from wengert.ops import linear
from wengert.tensor.tensor import Nested, Tensor, TensorLike, apply, convert, is_tensor_like, lift

__all__ = ["Traced", "call", "partial", "point", "taylor"]


class Traced:
    """A function that appends operations: to the graph being built, or to a trace of its own, which is run.

    Traces are kept, one for each signature, as `function` keeps them.
    """

    def __init__(self, build: Callable[..., Any], name: str) -> None:
        """Take the function, which gets symbolic tensors."""
        self.build = build
        self.function = Function(build, autograph=False, name=name)
        self._signature = self.function._signature

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call: in a graph append, eagerly run (tapes see each operation)."""
        graph = graph_of(nest.flatten([*arguments, *keywords.values()]))
        if graph is None:
            trace, arguments, keywords = self._trace(arguments, keywords)
            return trace(*arguments, **keywords)
        if state.graph is graph:
            return self.build(*arguments, **keywords)
        with graph.as_default():
            return self.build(*arguments, **keywords)

    def trace(self, *arguments: Any, **keywords: Any) -> ConcreteFunction:
        """Return the trace for arguments."""
        return self._trace(arguments, keywords)[0]

    def _trace(self, arguments: Any, keywords: Any) -> tuple[ConcreteFunction, Any, Any]:
        if self._signature is not None:
            bound = self._signature.bind(*arguments, **keywords)
            bound.apply_defaults()
            arguments, keywords = bound.args, bound.kwargs
        return self.function.get_concrete_function(*arguments, **keywords), arguments, keywords


def call(f: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a user's function with symbolic tensors; its control flow on tensors is converted, as `function` does."""
    try:
        return f(*arguments, **keywords)
    except OperatorNotAllowedInGraphError:
        return Function(f)(*arguments, **keywords)


def point(x: TensorLike, name: str | None = None, alone: bool = False) -> Any:
    """Return a symbolic tensor equal to x to differentiate by: what else reads x stays constant.

    ``alone``: for Taylor nodes, whose sources the lowering would merge with x otherwise.
    """
    graph = state.graph
    before, graph.controls = graph.controls, ()
    try:
        if alone:
            zero: Any = convert(0)
            graph.controls = (zero.node,)  # what waits is merged with nothing
        return apply(linear.IDENTITY, (x,), name=name)
    finally:
        graph.controls = before


# --- along a direction ----------------------------------------------------------------------------------------------


def taylor(f: Callable[..., Any], x: Any, direction: Any = None, order: int = 1, *, scaled: bool = False) -> list[Any]:
    """Return [f(x), d/dε f(x + ε d), ..., d^order/dε^order f(x + ε d)] at ε = 0: all from one Taylor series.

    Args:
        f: A function of one tensor, returning a tensor or a structure of tensors; of several, if x is a list of them.
        x: A real or complex tensor of any shape, or a list of them, which is spread over f's arguments.
        direction: d, of the shape and dtype of x; ones by default. Or a list [d1, d2, ...] of such tensors, and the
            derivatives are those along the curve x + d1 ε + d2 ε²/2! + ... For a list of xs a list of these.
        order: The greatest order, a whole number from 0 on.
        scaled: Divide the k-th derivative by k!: the coefficients of the Taylor series.

    Returns:
        A list of order + 1 values of f's structure, each of the shape and dtype of the value. Zeros stand where there is
        no derivative. Rows need not be independent. Eagerly f is traced at each call; inside of a `function` once.

    Raises:
        TypeError: if f is no function, the order no whole number, or x neither real nor complex.
        ValueError: for a negative order, and directions that do not fit x.
        NotImplementedError: if a custom gradient is on the way: it has no series. The text names the line.

    >>> import wengert as tf
    >>> [v.numpy().item() for v in tf.taylor(lambda x: x**3, tf.constant(2.0), order=4)]
    [8.0, 12.0, 12.0, 6.0, 0.0]
    >>> x, d = tf.constant([1.0, 2.0]), tf.constant([1.0, -1.0])
    >>> [v.numpy().item() for v in tf.taylor(lambda x: x[0] * x[1], x, d, order=2)]
    [2.0, 1.0, -2.0]
    """
    checks.function(f, "taylor", "f")
    count = _order(order, "taylor")
    single = not isinstance(x, list | tuple)
    graph = graph_of(nest.flatten([x, direction] if direction is not None else [x]))
    if graph is not None and graph is not state.graph:
        with graph.as_default():
            return taylor(f, x, direction, order, scaled=scaled)
    xs = [_source(v, "taylor", "x") for v in ([x] if single else x)]
    if not xs:
        raise InvalidArgumentError("taylor: x is an empty list; give one tensor at least.")
    curves = _curves(xs, [direction] if single else direction)

    def build(xs: Nested, curves: Any) -> list[Any]:
        return _series(f, xs, curves, count, bool(scaled))

    return list(Traced(build, "taylor")(xs, curves))


def _order(order: Any, who: str) -> int:
    try:
        if isinstance(order, bool | np.bool_ | Tensor):
            raise TypeError
        count = operator.index(order)
    except TypeError:
        raise TypeError(f"{who}: an order must be a whole number (0, 1, 2, ...), not {order!r}.") from None
    if count < 0:
        raise InvalidArgumentError(f"{who}: an order must not be negative, and is {count}.")
    return count


def _source(value: Any, who: str, what: str) -> Any:
    """Return what is differentiated by as a tensor."""
    if isinstance(value, list | tuple | Mapping) or value is None:
        raise TypeError(f"{who}: {what} must be a tensor, not {value!r}.")
    t = convert(value)
    if t.nptype.kind not in "fc":
        raise DTypeError(f"{who}: {what} must be real or complex to be differentiated by, not {t.dtype.name}. Use cast() first.")
    return t


def _curves(xs: Sequence[Any], directions: Any) -> list[list[Any]]:
    """Return for each x the coefficients of its curve, the first being the direction."""
    if directions is None:
        directions = [None] * len(xs)
    if not isinstance(directions, list | tuple) or len(directions) != len(xs):
        shown = f"{len(directions)} directions" if isinstance(directions, list | tuple) else repr(directions)
        raise InvalidArgumentError(f"taylor: x is a list of {len(xs)} tensors; give a list of as many directions, not {shown}.")
    return [_curve(x, d) for x, d in zip(xs, directions, strict=True)]


def _curve(x: Tensor, direction: Any) -> list[Any]:
    if direction is None:
        return [apply(linear.ONES_LIKE, (x,))]
    if not isinstance(direction, list | tuple):
        return [_fitted(x, direction)]
    if direction and x.sizes is not None and _depth(direction) == len(x.sizes):
        return [_fitted(x, direction)]  # nested lists of numbers
    return [_fitted(x, d) for d in direction]


def _depth(value: Any) -> int | None:
    """Return the number of axes of nested lists; None if not known."""
    depth = 0
    while isinstance(value, list | tuple) and value:
        value, depth = value[0], depth + 1
    sizes = value.sizes if hasattr(value, "sizes") else np.shape(value)
    return None if sizes is None else depth + len(sizes)


def _fitted(x: Any, direction: Any) -> Any:
    d = convert(direction, like=x)
    if d.nptype != x.nptype:
        raise DTypeError(f"taylor: x has dtype {x.dtype.name}, and its direction {d.dtype.name}. Use cast() first.")
    if not fits(d.sizes, x.sizes):
        raise ShapeError(f"taylor: x has shape {text(x.sizes)}, and its direction {text(d.sizes)}.")
    return d


def _series(f: Callable[..., Any], xs: Any, curves: Any, order: int, scaled: bool) -> list[Any]:
    graph = state.graph
    points = [point(lift(graph, x), alone=True) for x in xs]
    result = call(f, *points)
    leaves = nest.flatten(result)
    ys = [None if y is None else lift(graph, y if isinstance(y, Tensor) else convert(y)) for y in leaves]
    if order == 0:
        return [nest.pack_sequence_as(result, ys)]
    given = {}
    for i, curve in enumerate(curves):
        for k, d in enumerate(curve[:order], 1):
            given[i, (0,) * k] = lift(graph, d)
    live = [y for y in ys if y is not None and y.nptype.kind in "fc"]
    _check(live, points)
    wanted = [(j, (0,) * k) for j in range(len(live)) for k in range(1, order + 1)]
    found = dict(zip(wanted, series(live, points, given, wanted, 1), strict=True)) if live else {}
    rows = [nest.pack_sequence_as(result, ys)]
    for k in range(1, order + 1):
        parts, j = [], 0
        for y in ys:
            if y is None or y.nptype.kind not in "fc":
                parts.append(None if y is None else apply(linear.ZEROS_LIKE, (y,)))
                continue
            v = found[j, (0,) * k]
            parts.append(v / float(factorial(k)) if scaled and k > 1 else v)
            j += 1
        rows.append(nest.pack_sequence_as(result, parts))
    return rows


def _check(ys: Sequence[Any], points: Sequence[Any]) -> None:
    """Raise UnimplementedError if an operation between points and ys has no series."""
    reasons: dict[int, str | None] = {p.n: None for p in points}
    for node in ancestors(ys):
        touched = [reasons[t.n] for t in node.inputs if t.n in reasons]
        if node.op.kind == "constant" or not touched or node.outputs[0].n in reasons:
            continue
        reason = next((r for r in touched if r), None)
        if reason is None and node.op is not GRADIENT:
            own = series_reason(node.op)
            reason = own and f"{own} ({node.where})"
        reasons.update(dict.fromkeys([t.n for t in node.outputs], reason))
    for y in ys:
        if reasons.get(y.n):
            raise UnimplementedError(
                f"taylor: {reasons[y.n]}, and the value of f depends on x through it. Nested gradients, or `partial`, "
                "differentiate it by reverse mode."
            )


# --- by arguments, or by tensors --------------------------------------------------------------------------------------


def partial(f: Callable[..., Any], orders: Any) -> Any:
    """Return a mixed partial derivative: of a function a function, of a tensor a tensor.

    As nested `gradients` do, it sums over all that depends on an element: where row i of the value depends on row i of the
    argument alone, and the value has one column, it is the partial derivative, row by row. Of several columns it is the sum.

    Args:
        f: A function that returns one tensor; or a tensor, of a graph or seen by an open tape or ``recording()``.
        orders: For a function the orders by name or position of its arguments, as {"x": 2, "t": 1} or {0: 2, 1: 1}. For a
            tensor the orders by tensor: {x: 2, t: 1}, or pairs [(x, 2), (t, 1)] (eager tensors are no keys).

    Returns:
        Of a function: a function of the same arguments. Its value has the shape and dtype of the argument named last, and is
        zero where there is no derivative. Called eagerly it is traced, once for each signature, as by `function`.
        Of a tensor: what nested `gradients` give, so None (and a warning says why) where there is no derivative.

    Raises:
        TypeError: for orders that are no whole numbers, and arguments that are no real tensors.
        ValueError: for a name or position that f does not have.
        RuntimeError: for an eager tensor when nothing is recording.

    >>> import wengert as tf
    >>> u_xxt = tf.partial(lambda x, t: tf.sin(2.0 * x) * t**3, {"x": 2, "t": 1})
    >>> print(u_xxt(tf.constant([[0.5]]), tf.constant([[1.0]])).numpy().round(4))
    [[-10.0977]]
    """
    own = getattr(type(f), "__wengert_partial__", None)  # a field
    if own is not None:
        return own(f, orders)
    pairs = list(orders.items()) if isinstance(orders, Mapping) else orders
    if not isinstance(pairs, list | tuple) or not all(isinstance(p, list | tuple) and len(p) == 2 for p in pairs):
        raise TypeError(f"partial: orders must be a dictionary, as {{'x': 2}}, or a list of pairs, not {orders!r}.")
    pairs = [(key, _order(order, "partial")) for key, order in pairs]
    if is_tensor_like(f):
        tensor: Any = f
        return _of_tensor(tensor, pairs)
    checks.function(f, "partial", "f, a function or a tensor,")
    return _of_function(f, pairs)


def _of_tensor(u: TensorLike, pairs: Sequence[Any]) -> Any:
    for x, order in pairs:
        if not is_tensor_like(x):
            raise TypeError(f"partial: the derivative of a tensor is by tensors and variables, not by {x!r}.")
        for _ in range(order):
            u = gradients(u, x)[0]
            if u is None:
                return None
    return u


def _of_function(f: Callable[..., Any], pairs: Sequence[Any]) -> Callable[..., Any]:
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        signature = None
    places = [(_place(signature, key), order) for key, order in pairs if order]
    if len({place for place, _ in places}) != len(places):
        raise InvalidArgumentError(f"partial: one argument is named twice in {dict(pairs)!r}.")

    def build(*arguments: Any, **keywords: Any) -> Any:
        given: dict[Any, Any] = {**dict(enumerate(arguments)), **keywords}
        xs = []
        for place, _ in places:
            if place not in given:
                raise TypeError(f"partial: the argument {place!r} is to be differentiated by, and is not given.")
            given[place] = point(lift(state.graph, _source(given[place], "partial", f"the argument {place!r}")))
            xs.append(given[place])
        positional = [given[i] for i in range(len(arguments))]
        y = call(f, *positional, **{k: given[k] for k in keywords})
        if isinstance(y, list | tuple | Mapping) or y is None:
            raise TypeError(f"partial: f must return one tensor, not {type(y).__name__}. Take its parts one by one.")
        y = lift(state.graph, convert(y))
        for x, (_, order) in zip(xs, places, strict=True):
            for _ in range(order):
                found = None if y is None else request([y], [x], [None])[0]
                y = found
        return apply(linear.ZEROS_LIKE, (xs[-1],)) if y is None else y

    name = f"partial_{getattr(f, '__name__', type(f).__name__)}".replace("<lambda>", "function")
    if signature is not None:
        build.__dict__["__signature__"] = signature
    traced = Traced(build, name)

    def derivative(*arguments: Any, **keywords: Any) -> Any:
        if signature is not None:
            bound = signature.bind(*arguments, **keywords)
            bound.apply_defaults()
            arguments, keywords = bound.args, bound.kwargs
        return traced(*arguments, **keywords)

    if signature is not None:
        derivative.__dict__["__signature__"] = signature
    derivative.__name__ = name
    derivative.__doc__ = f"Return the partial derivative {dict(pairs)!r} of {getattr(f, '__name__', f)!r}."
    return derivative


def _place(signature: inspect.Signature | None, key: Any) -> Any:
    """Return where an argument stands when a call is bound: its position, or its name if it is given by name alone.

    Raises:
        TypeError: for a key that is neither a name nor a position.
        InvalidArgumentError: for one that the function does not have.
    """
    if isinstance(key, bool) or not isinstance(key, str | int | np.integer):
        raise TypeError(f"partial: an argument of a function is named, as in {{'x': 2}}, or numbered, not {key!r}.")
    if signature is None:
        return key
    kinds = {p.kind for p in signature.parameters.values()}
    ordered = [p.name for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if isinstance(key, str):
        if key in ordered:
            return ordered.index(key)
        known = signature.parameters.get(key)
        if inspect.Parameter.VAR_KEYWORD in kinds or (known is not None and known.kind == known.KEYWORD_ONLY):
            return key
    elif 0 <= key < len(ordered) or (key >= 0 and inspect.Parameter.VAR_POSITIONAL in kinds):
        return int(key)
    shown = ", ".join(signature.parameters) or "none"
    raise InvalidArgumentError(f"partial: the function has no argument {key!r}; its arguments are: {shown}.")
