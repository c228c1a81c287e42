"""``gradients`` in both modes, Hessians, forward mode, and derivatives of Python functions."""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from wengert.derive import forward
from wengert.derive.questions import GRADIENT
from wengert.derive.request import request
from wengert.derive.reverse import located
from wengert.graph.graph import WengertList
from wengert.ground import checks, nest
from wengert.ground.blocks import Leaving, Raised
from wengert.ground.context import Observing, here, state
from wengert.ground.copies import Uncopied
from wengert.ground.errors import InvalidArgumentError, NoGradientError, NoGradientWarning, ShapeError, UnimplementedError
from wengert.ground.shapes import fits, is_full, text
from wengert.ground.weakly import lapse
from wengert.modes.jacobians import jacobian_of
from wengert.modes.recording import Union
from wengert.modes.slices import IndexedSlices, request_within
from wengert.modes.tape import GradientTape, UnconnectedGradients
from wengert.modes.why import warn_none
from wengert.ops import linear
from wengert.ops.state import READ
from wengert.tensor.tensor import (
    Nested,
    SymbolicTensor,
    Tensor,
    TensorLike,
    apply,
    cast,
    convert,
    is_tensor_like,
    lift,
    tensors,
    value_of,
    within,
)

__all__ = ["AggregationMethod", "ForwardAccumulator", "gradients", "hessian", "hessians", "hvp", "jacobian", "jvp", "vjp"]


class AggregationMethod:
    """How contributions to a gradient are summed; all ways give the same sum here."""

    ADD_N = 0
    DEFAULT = 0
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def gradients(
    ys: Any,
    xs: Nested,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
    colocate_gradients_with_ops: bool = False,
) -> list[Any]:
    """Return a list: for each x, the derivative of the sum of ys, with the shape of x.

    In a graph, xs may be any tensors or variables, transformed further or not, and a gradient is a tensor like any other.
    Eagerly it answers for what an open tape or ``recording()`` saw. ``grad_ys``: weights for the ys instead of ones, and
    one may differentiate with respect to them. No derivative passes through ``stop_gradients``. None stands where there
    is none (and a warning says why), or zeros with ``unconnected_gradients="zero"``.

    Raises:
        RuntimeError: eagerly, when nothing is recording.
        ValueError: for tensors of two graphs, and grad_ys of other shapes than the ys.

    >>> import wengert as tf
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
    ...     x = tf.constant([1.0, 2.0])
    ...     g = tf.gradients(x**3, x)[0]
    ...     print(sess.run(tf.gradients(g, x)))
    [array([ 6., 12.], dtype=float32)]
    """
    choice = UnconnectedGradients(unconnected_gradients)
    if xs is None:
        raise AttributeError("gradients: xs is None; give a tensor, a variable, or a list of them.")
    targets = [t for t in nest.flatten(_listed(ys)) if t is not None]
    if len(targets) != len(nest.flatten(_listed(ys))):
        raise TypeError("gradients: one of the ys is None (is it itself a gradient that is not there?)")
    sources = nest.flatten(_listed(xs))
    weights = [None] * len(targets) if grad_ys is None else _weights(_listed(grad_ys), len(targets))
    if len(weights) != len(targets):
        raise ValueError(f"Must have as many initial gradients as ys (got {len(weights)} grad_ys and {len(targets)} ys).")
    for x in sources:
        if not is_tensor_like(x):
            raise TypeError(f"gradients: each x must be a tensor or a variable, not {x!r}.")
    graph = graph_of([*targets, *sources])
    stops = [] if stop_gradients is None else nest.flatten(_listed(stop_gradients))
    if graph is None:
        results = _eagerly(targets, sources, weights, stops)
    else:
        with graph.as_default() if state.graph is not graph else nullcontext():
            results = _in_graph(graph, targets, sources, weights, stops, f"{name or 'gradients'}/grad")
    if choice == UnconnectedGradients.ZERO:
        with graph.as_default() if graph is not None and state.graph is not graph else nullcontext():
            return [apply(linear.ZEROS_LIKE, (convert(x),)) if r is None else r for r, x in zip(results, sources, strict=True)]
    if graph is not None and any(r is None for r in results) and targets:
        missing = [x for x, r in zip(sources, results, strict=True) if r is None]
        warn_none([_lifted(graph, y) for y in targets], missing, None, ())
    return results


def _weights(given: list[Any], count: int) -> list[Any]:
    """Return one weight for each y: what was given, where lists of numbers stand for tensors."""
    flat = nest.flatten(given)
    if len(given) == count and not any(isinstance(g, Tensor | IndexedSlices) or hasattr(g, "_as_tensor") for g in flat):
        return list(given)
    return flat


def _weight(g: Any, y: Any) -> Any:
    """Return a weight as a tensor; one element is one element, however many axes of size one it is given with."""
    g = convert(_dense(g, y), like=y)
    if g.sizes is not None and y.sizes is not None and g.sizes != y.sizes and {*g.sizes, *y.sizes} <= {1}:
        return apply(linear.RESHAPE, (g,), {"shape": tuple(y.sizes)})
    return g


def graph_of(items: Sequence[Any]) -> WengertList | None:
    """Return the graph being built, else that of the first tensor or variable of a graph; None eagerly."""
    if state.graph is not None:
        return state.graph  # type: ignore[no-any-return]
    for t in items:
        if isinstance(t, SymbolicTensor):
            return t.graph
        if getattr(t, "_graph", None) is not None:
            return t._graph  # type: ignore[no-any-return]
    return None


def _lifted(graph: WengertList, t: TensorLike) -> Any:
    return lift(graph, convert(t))


def _in_graph(graph: WengertList, ys: list[Any], xs: list[Any], gs: list[Any], stops: list[Any], name: str) -> list[Any]:
    targets = [_lifted(graph, y) for y in ys]
    sources, ends = ([x if hasattr(x, "handle_in") else convert(x) for x in several] for several in (xs, stops))
    weights = []
    for g, y in zip(gs, targets, strict=True):
        weights.append(None if g is None else lift(graph, _weight(g, y)))
    if not targets:
        return [None] * len(xs)
    blocked = [t.handle_in(graph) if hasattr(t, "handle_in") else lift(graph, t) for t in ends]
    outside = {t.n for t in ends}
    return request_within(graph, targets, sources, weights, blocked, lambda n: n not in outside, name)


def _dense(g: Any, like: Any = None) -> Any:
    """Return a gradient as a tensor; rows that do not say of which shape are rows of what has the shape of ``like``."""
    if isinstance(g, IndexedSlices) and g.dense_shape is None and like is not None:
        g = IndexedSlices(g.values, g.indices, apply(linear.SHAPE, (like,), {"dtype": "int32"}))
    return value_of(g)


def _eagerly(ys: list[Any], xs: list[Any], gs: list[Any], stops: list[Any]) -> list[Any]:
    """Return the derivatives by all that any open tape saw: one that opened later saw a part of what leads to the ys."""
    tapes = [o for o in state.observers if isinstance(o, GradientTape)]
    if not tapes:
        raise RuntimeError(
            "gradients: nothing is recording. Eagerly, put the computation and this call into `with recording():`, or into a "
            "GradientTape's with block, or into a function decorated with `function`; in a graph it needs none of these. "
            "(`wengert run` records for a script in which it finds such a call.)"
        )
    targets = [value_of(y) for y in ys]
    weights = [None if g is None else _weight(g, y) for g, y in zip(gs, targets, strict=True)]
    for g, y in zip(weights, targets, strict=True):
        if g is not None and not fits(g.sizes, y.sizes):
            raise ShapeError(f"grad_ys of shape {text(g.sizes)} does not fit y of shape {text(y.sizes)}.")
    whole = Union(tapes, targets, {s.n for s in stops})
    found = [_dense(g) for g in whole._gradient(targets, xs, weights)]
    missing = [x for x, g in zip(xs, found, strict=True) if g is None]
    if missing:
        warn_none(targets, missing, tapes[0], whole.entries)
    return found


def hessians(
    ys: Nested,
    xs: Nested,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
) -> list[Any]:
    """Return, for each x, the second derivatives of the sum of ys: shape x.shape + x.shape.

    Raises:
        ValueError: if ys do not depend on an x, or are linear in it (as in TensorFlow).
    """
    results = []
    for x in _listed(xs):
        if not is_tensor_like(x):
            raise TypeError(f"hessians: each x must be a tensor or a variable, not {x!r}.")
        first = gradients(ys, x, unconnected_gradients="none")[0]
        if first is None:
            raise ValueError(f"hessians: ys do not depend on {x!r}.")
        graph = graph_of([first])
        with warnings.catch_warnings(), graph.as_default() if graph is not None and state.graph is not graph else nullcontext():
            warnings.simplefilter("ignore", NoGradientWarning)
            second = _hessian(convert(first), x)
        if second is None:
            raise ValueError(f"hessians: ys have no second derivative by {x!r}: their first does not depend on it.")
        results.append(second)
    return results


def _hessian(first: Any, x: TensorLike) -> Any:
    """Return the derivative of each element of a gradient by x."""

    def sweep(g: TensorLike) -> list[Any]:
        return gradients(first, x, g)

    if not is_full(first.sizes):
        return jacobian_of(first, [x], sweep)[0]
    flat = apply(linear.RESHAPE, (first,), {"shape": (-1,)})
    return jacobian_of(first, [x], sweep, lambda i: gradients(flat[i], x))[0]


# --- forward mode -------------------------------------------------------------------------------------------------


class ForwardAccumulator(Observing, Uncopied):
    """Computes Jacobian-vector products alongside the computation, for given tangents of the primals.

    A tangent is forgotten with the tensor that it belongs to: numbers of tensors are never used again.

    >>> import wengert as tf
    >>> x = tf.constant([2.0, 3.0])
    >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
    ...     y = tf.reduce_sum(x * x)
    >>> acc.jvp(y).numpy()
    np.float32(4.0)
    """

    def __init__(self, primals: Any, tangents: Nested) -> None:
        """Take primals (tensors or variables) and their tangents, in the same structure and shapes.

        Raises:
            ValueError: if the structures or shapes differ, or if a primal is there twice.
        """
        flat = nest.flatten(primals)
        given = nest.flatten(tangents)
        if len(given) != len(flat):
            raise ValueError(f"There are {len(flat)} primals and {len(given)} tangents.")
        self._tangents: dict[int, Any] = {}
        self._unstated: dict[int, NoGradientError] = {}
        self._owners: dict[int, Any] = {}
        """References to what has tangents: they and the tangents go with it, and there is no circle."""
        self._turning: set[int] = set()
        """In a graph: what depends on what the turns of a loop are given anew, whose tangents nobody knows in its body."""
        self._still: dict[int, Any] = {}
        """In a graph: what operations took that does not move, whatever it was computed from before the block."""
        for p, t in zip(flat, given, strict=True):
            if not is_tensor_like(p):
                raise ValueError(f"A primal must be a tensor or a variable, not {p!r}.")
            if p.n in self._tangents:
                raise ValueError(
                    f"ForwardAccumulator: {p!r} is a primal multiple times; give it once, with the sum of its tangents."
                )
            tangent = convert(t, like=p)
            if not fits(tangent.sizes, p.sizes):
                raise ValueError(
                    f"ForwardAccumulator: the tangent has shape {text(tangent.sizes)} and the primal {text(p.sizes)}."
                )
            self._keep(p, cast(tangent, p.nptype))
            if state.graph is not None and hasattr(p, "tell"):
                p.tell(state.graph, self)
            elif state.graph is not None and within(state.graph, p):
                self.captured(p, lift(state.graph, p))
        self._primals = [weakref.ref(p) for p in flat]

    def _instead(self) -> str:
        return "A ForwardAccumulator is neither copied nor pickled, as it belongs to what it has seen: pickle what jvp() gives."

    def _keep(self, owner: Any, tangent: Any) -> None:
        """Keep the tangent of a tensor or variable for as long as that lives."""
        n = owner.n
        self._tangents[n] = tangent
        self._owners[n] = lapse(owner, self._tangents, n), lapse(owner, self._owners, n)

    def __enter__(self) -> ForwardAccumulator:
        """Start."""
        if self._recording:
            raise ValueError("Accumulator is already recording.")
        self._begin(sys._getframe(1))
        return self

    def _leave(self, *exception: Raised) -> None:
        self._end()

    __exit__ = Leaving(_leave)

    def follows(self, number: int) -> bool:
        """Whether it takes note of what is computed from the tensor of a number."""
        return number in self._tangents

    def read(self, variable: Any, tensor: Any) -> None:
        """Take note that a variable was read."""
        if variable.n in self._tangents and tensor.n not in self._tangents:
            self._keep(tensor, self._tangents[variable.n])

    def captured(self, source: Any, place: Any) -> None:
        """Take note that a tensor stands for another one in a graph within."""
        if source.n in self._tangents and place.n not in self._tangents:
            self._keep(place, self._tangents[source.n])

    def read_in(self, variable: Any, handle: Any, tensor: TensorLike) -> None:
        """Take note that a variable was read in a graph."""
        self.captured(variable, handle)
        self.captured(variable, tensor)

    def turning(self, places: Sequence[Any]) -> None:
        """Take note of what a loop within the block gives its body anew in each turn."""
        self._turning.update([t.n for t in places if t.nptype.kind in "fc"])

    def closed(self, captures: Sequence[tuple[Any, Any]]) -> None:
        """Take note of what a body took in."""
        for source, place in captures:
            self.captured(place, source)

    def record(self, op: Any, inputs: Sequence[Any], output: Any, attrs: dict[str, Any]) -> None:
        """Carry tangents through an operation, seen by the observers around this one."""
        known = self._tangents
        if self._turning and any(t.n in self._turning for t in inputs):
            self._turning.update([t.n for t in ((output,) if op.outputs == 1 else output)])
            return
        if self._unstated and (error := next((self._unstated[t.n] for t in inputs if t.n in self._unstated), None)):
            self._lost(output if op.outputs != 1 else (output,), error)
            return
        moving = [known.get(t.n) for t in inputs]
        if state.graph is not None:
            self._still.update([(t.n, t) for t, m in zip(inputs, moving, strict=True) if m is None])
        if all(m is None for m in moving) or op.kind == "constant" or (op.outputs != 1 and not output):
            return
        if op is READ:
            self._keep(output, moving[0])
            return
        around = state.observers
        at = next((i for i, o in enumerate(around) if o is self), len(around))
        site = state.site
        state.observers, state.site = around[:at], here()
        try:
            if op is GRADIENT:
                # What it moves with are the primals: its ys and xs are places in the list, not values that it reads.
                living = [p for p in (owner() for owner in self._primals) if p is not None]
                primals = [p.handle_in(state.graph) if hasattr(p, "handle_in") else lift(state.graph, p) for p in living]
                outputs = output if op.outputs != 1 else (output,)
                own = outputs[0].graph
                still = [t for t in self._still.values() if t.__class__ is SymbolicTensor and t.graph is own and t.node.inputs]
                result = _symbolic_jvp([known[p.n] for p in living], primals, outputs, op.outputs != 1, still)
            elif op.kind in ("custom", "control") or (op.tangent is None and op.kind == "implicit"):
                result = _jvp_by_reverse(op, moving, inputs, output, attrs)
            else:
                result = forward.rule(op)(tensors, moving, inputs, output, attrs)
        except NoGradientError as error:
            self._lost(output if op.outputs != 1 else (output,), located(error, output))
            return
        finally:
            state.observers, state.site = around, site
        if result is None:
            return
        pairs = [(output, result)] if op.outputs == 1 else list(zip(output, result, strict=True))
        for out, tangent in pairs:
            if tangent is not None:
                if tangent.sizes != out.sizes and not fits(tangent.sizes, out.sizes):
                    tangent = apply(linear.BROADCAST_LIKE, (tangent, out))
                self._keep(out, tangent)

    def _lost(self, outputs: Sequence[Any], error: NoGradientError) -> None:
        """Note that a tangent is not stated: an error for who asks for it, not for the others."""
        for out in outputs:
            self._unstated[out.n] = error

    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any:
        """Return the tangents of tensors computed since, None (or zeros) where they do not depend on the primals."""
        choice = UnconnectedGradients(unconnected_gradients)
        results = []
        for p in nest.flatten(primals):
            rows = p.values if isinstance(p, IndexedSlices) else p
            if rows.n in self._turning:
                raise UnimplementedError(
                    "ForwardAccumulator.jvp in the body of a loop: the tensor depends on what the loop carries from turn to "
                    "turn, and the accumulator was opened outside of it. Open one inside of the body, or ask after the loop."
                )
            if rows.n in self._unstated:
                raise self._unstated[rows.n]
            tangent = self._tangents.get(rows.n)
            if tangent is not None and rows is not p:
                tangent = IndexedSlices(tangent, p.indices, p.dense_shape)
            if tangent is None and choice == UnconnectedGradients.ZERO:
                tangent = apply(linear.ZEROS_LIKE, (convert(p),))
            results.append(tangent)
        return nest.pack_sequence_as(primals, results)


def _jvp_by_reverse(op: Any, moving: Any, inputs: Any, output: Any, attrs: Any) -> Any:
    """Return the tangent from the reverse rule alone: g -> vjp(g) is linear, and its transpose is wanted."""
    from wengert.derive.reverse import rule

    outputs = output if op.outputs != 1 else (output,)
    if isinstance(outputs[0], SymbolicTensor):
        return _symbolic_jvp(moving, inputs, outputs, op.outputs != 1, inputs)
    wanted = [i for i, m in enumerate(moving) if m is not None]
    with GradientTape() as tape:
        gs = [apply(linear.ZEROS_LIKE, (o,)) for o in outputs]
        tape.watch(gs)
        back = rule(op)(tensors, tuple(gs) if op.outputs != 1 else gs[0], inputs, output, attrs, wanted)
        pairs = [(b, moving[i]) for b, i in zip(back, wanted, strict=True) if b is not None]
    if not pairs:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoGradientWarning)
        found = tape.gradient([b for b, _ in pairs], gs, output_gradients=[m for _, m in pairs])
    return tuple(found) if op.outputs != 1 else found[0]


def _symbolic_jvp(moving: Any, inputs: Any, outputs: Any, several: bool, stops: Any) -> Any:
    """Return the tangents of outputs; ``stops``: what no derivative passes through on its way to another input."""
    # A tensor may be several of the inputs: its gradient is by all of them.
    graph = outputs[0].graph
    live = list({t.n: (t, lift(graph, m)) for t, m in zip(inputs, moving, strict=True) if m is not None}.values())
    gs = [apply(linear.ZEROS_LIKE, (o,)) for o in outputs]
    back = request(outputs, [t for t, _ in live], gs, list({t.n: t for t in stops}.values()))
    pairs = [(b, m) for b, (_, m) in zip(back, live, strict=True) if b is not None]
    if not pairs:
        return None
    found = request([b for b, _ in pairs], gs, [m for _, m in pairs])
    return tuple(found) if several else found[0]


# --- of Python functions --------------------------------------------------------------------------------------------


def _call(f: Callable[..., Any], xs: list[Any], single: bool) -> Any:
    return _function(f)(xs[0]) if single else _function(f)(*xs)


def _function(f: Callable[..., Any]) -> Callable[..., Any]:
    return checks.function(f, "autodiff", "f, the first argument,")


def _scalar(f: Callable[..., Any], point: TensorLike, who: str) -> Any:
    """Return f(point), a tensor without axes.

    Raises:
        InvalidArgumentError: if f returns something else.
    """
    y = _function(f)(point)
    if not isinstance(y, Tensor):
        raise InvalidArgumentError(f"{who}: f(x) must be a scalar tensor, and f returned {y!r}.")
    if y.sizes != ():
        raise InvalidArgumentError(f"{who}: f(x) must be a scalar, and has shape {text(y.sizes)}.")
    return y


def _inputs(xs: Nested) -> tuple[list[Any], bool]:
    single = not isinstance(xs, list | tuple)
    given = [convert(x) for x in _listed(xs)]
    first = {t.n: i for i, t in reversed(list(enumerate(given)))}
    # Derivatives are by the arguments: a tensor that is several of them is a tensor of its own for each.
    return [t if first[t.n] == i else apply(linear.IDENTITY, (t,)) for i, t in enumerate(given)], single


def jvp(f: Callable[..., Any], primals: Any, tangents: Nested) -> tuple[Any, Any]:
    """Return (f(primals), the derivative of f along the tangents). A list of primals is spread over f's arguments.

    >>> import wengert as tf
    >>> [v.numpy().item() for v in tf.autodiff.jvp(lambda x: x * x, tf.constant(3.0), tf.constant(1.0))]
    [9.0, 6.0]
    """
    xs, single = _inputs(primals)
    given = _listed(tangents)
    if len(given) != len(xs):
        raise InvalidArgumentError(f"jvp: there are {len(xs)} primals and {len(given)} tangents; each primal needs one.")
    with ForwardAccumulator(xs, [convert(t, like=x) for t, x in zip(given, xs, strict=True)]) as acc:
        y = _call(f, xs, single)
    return y, acc.jvp(y, unconnected_gradients="zero")


def vjp(f: Callable[..., Any], primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return (f(primals), a function of a cotangent of the value that gives the cotangents of the primals)."""
    xs, single = _inputs(primals)
    with GradientTape(persistent=True) as tape:
        tape.watch(xs)
        y = _call(f, xs, single)

    def pull(g: TensorLike) -> Any:
        found = tape.gradient(y, xs, output_gradients=g, unconnected_gradients="zero")
        return found[0] if single else found

    return y, pull


def jacobian(f: Callable[..., Any], x: TensorLike) -> Any:
    """Return the derivative of each element of f(x) by each of x: shape f(x).shape + x.shape."""
    xs, single = _inputs(x)
    with GradientTape() as tape:
        tape.watch(xs)
        y = _call(f, xs, single)
    found = tape.jacobian(y, xs, unconnected_gradients="zero")
    return found[0] if single else found


def hessian(f: Callable[..., Any], x: TensorLike) -> Any:
    """Return the second derivatives of a scalar f(x): shape x.shape + x.shape.

    Raises:
        InvalidArgumentError: if f(x) is not a scalar.
    """
    point = convert(x)
    with GradientTape() as outer:
        outer.watch(point)
        with GradientTape() as inner:
            inner.watch(point)
            y = _scalar(f, point, "hessian")
        g = inner.gradient(y, point, unconnected_gradients="zero")
    return outer.jacobian(g, point, unconnected_gradients="zero")


def hvp(f: Callable[..., Any], x: TensorLike, v: TensorLike) -> Any:
    """Return the product of the Hessian of a scalar f at x with v: forward mode over reverse mode, two sweeps."""
    point = convert(x)
    with ForwardAccumulator(point, convert(v, like=point)) as acc:
        with GradientTape() as tape:
            tape.watch(point)
            y = _scalar(f, point, "hvp")
        g = tape.gradient(y, point, unconnected_gradients="zero")
    return acc.jvp(g, unconnected_gradients="zero")
