"""Functions about the program itself: scopes, order, printing, Python calls, custom derivatives."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.graph.graph import device_within, outside_functions
from wengert.graph.node import Node
from wengert.graph.static import static_value
from wengert.ground import checks, nest
from wengert.ground.blocks import Block, Leaving, Raised
from wengert.ground.context import Memory, Observer, current, loudly, scoped, state
from wengert.ground.dtypes import as_dtype
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.types import Attrs, Namespace
from wengert.modes.control import apart
from wengert.modes.function import TensorSpec
from wengert.modes.tape import GradientTape
from wengert.modes.tracing import Body, FuncGraph, tracing
from wengert.ops import linear
from wengert.ops.control import made
from wengert.ops.derivative import Custom
from wengert.ops.linear import CONSTANT
from wengert.ops.op import Op, values
from wengert.ops.signature import OBJECT
from wengert.ops.state import CUSTOM, NO_OP, PRINT, PY_FUNCTION
from wengert.tensor.tensor import (
    EagerTensor,
    Graph,
    Nested,
    SymbolicTensor,
    Tensor,
    TensorLike,
    append,
    apply,
    convert,
    derived,
    is_tensor_like,
    lift,
    value_of,
)
from wengert.tensor.tensor import _number as next_number


def executing_eagerly() -> bool:
    """Return whether operations run at once.

    >>> executing_eagerly()
    True
    """
    return state.graph is None


def init_scope() -> current[None]:
    """Leave any function that is being traced: what is built in the with block belongs outside of it."""
    graph = outside_functions(state.graph)
    return current(graph=graph, observers=state.observers if graph is state.graph else ())


class name_scope(Block):
    """Put a prefix before the names of the operations and variables made in a with block."""

    def __init__(self, name: str | None = None, default_name: Any = None, values: TensorLike | None = None) -> None:
        """Take the scope's name."""
        if name is not None and not isinstance(name, str):
            raise ValueError("name for name_scope must be a string.")
        self._name = name if name is not None else default_name
        self._manager: Any = None

    @property
    def name(self) -> Any:
        """The scope's name."""
        return self._name

    def __enter__(self) -> Any:
        """Enter."""
        self._manager = scoped(self._name) if state.graph is None else state.graph.name_scope(self._name)
        self._manager.guard = self.guard
        return self._manager.__enter__()

    def _leave(self, *exception: Raised) -> None:
        if self._manager is not None:
            self._manager._leave(*exception)

    __exit__ = Leaving(_leave)


def device(device_name: Any = None) -> contextlib.AbstractContextManager[None]:
    """Accept a device for the operations of a with block: the executor decides where they run.

    Raises:
        ValueError: if it is no name of a device.
    """
    if state.graph is None:
        if device_name is not None and not callable(device_name):
            device_within("", device_name)
        return contextlib.nullcontext()
    return state.graph.device(device_name)  # type: ignore[no-any-return]


def control_dependencies(control_inputs: Any) -> contextlib.AbstractContextManager[None]:
    """Run the given operations before those made in the with block; eagerly they have run already."""
    if state.graph is None:
        for c in nest.flatten(control_inputs):
            if callable(c):
                c()
        return contextlib.nullcontext()
    wanted = control_inputs
    if wanted is not None:
        if isinstance(wanted, Tensor | Node):
            wanted = [wanted]
        wanted = [c for c in nest.flatten(wanted) if c is not None and not isinstance(c, EagerTensor)]
    return state.graph.control_dependencies(wanted)  # type: ignore[no-any-return]


def no_op(name: str | None = None) -> Any:
    """Return an operation that does nothing; eagerly None."""
    if state.graph is None:
        return None
    append(state.graph, NO_OP, (), {}, name)
    return state.graph.nodes[-1]


def group(*inputs: Nested, **keywords: Any) -> Any:
    """Return one operation that runs all of the inputs; eagerly None.

    Raises:
        TypeError: for an input that is no operation, tensor or variable.
    """
    name = keywords.pop("name", None)
    if keywords:
        raise ValueError(f"group: unknown keywords {sorted(keywords)}")
    if state.graph is None and not any(isinstance(i, Node | SymbolicTensor) for i in nest.flatten(list(inputs))):
        return None
    graph = state.graph if state.graph is not None else next(
        i.graph for i in nest.flatten(list(inputs)) if isinstance(i, Node | SymbolicTensor))  # fmt: skip
    wanted = [i for i in nest.flatten(list(inputs)) if i is not None]
    for i in wanted:
        if not isinstance(i, Node | Tensor) and not hasattr(i, "_as_graph_element"):
            raise TypeError(f"'inputs' should be zero or more (nested) Tensors or operations. Received {i!r}.")
    with graph.as_default(), graph.control_dependencies(wanted):
        append(graph, NO_OP, (), {}, name or "group_deps")
    return graph.nodes[-1]


def tuple_of(tensors: TensorLike, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """Return the tensors, each available only when all of them (and the control inputs) are computed."""
    tensors = checks.listed(tensors, "tuple", "tensors")
    after = () if control_inputs is None else checks.listed(control_inputs, "tuple", "control_inputs")
    kept = [t for t in tensors if t is not None]
    if not kept:
        raise ValueError("tuple: at least one tensor is needed.")
    with control_dependencies([*kept, *after]):
        return [None if t is None else apply(linear.IDENTITY, (convert(t),)) for t in tensors]


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """Return a tensor's value as a NumPy array if it is known without a run, else None."""
    if hasattr(tensor, "current"):
        return None
    if not isinstance(tensor, Tensor):
        return np.asarray(tensor)
    if isinstance(tensor, EagerTensor):
        return tensor.numpy()
    node = tensor.node
    if node.op is CONSTANT:
        return np.array(node.attrs["value"])
    known = static_value(tensor)
    if known is None or (not partial and None in nest.flatten(known)):
        return None
    return np.array(known, dtype=tensor.nptype if not partial else None)


# --- printing -----------------------------------------------------------------------------------------------------


def _shown(value: Any, summarize: int) -> str:
    """Show a value as TensorFlow's print does."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, np.ndarray):
        return _nested(value, summarize)
    return str(value)


def _scalar(value: TensorLike | None) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, np.bool_):
        return "1" if value else "0"
    if isinstance(value, np.floating):
        short = f"{float(value):.{9 if value.dtype.itemsize <= 4 else 17}g}"
        best = np.format_float_positional(value, trim="-") if 1e-5 <= abs(value) < 1e16 or value == 0 else short
        return best.rstrip(".")
    return str(value)


def _nested(array: Any, summarize: int) -> str:
    if array.ndim == 0:
        value = array[()]
        return f'"{value.decode(errors="replace")}"' if isinstance(value, bytes) else _scalar(value)
    n = len(array)
    if summarize < 0 or n <= 2 * summarize:
        parts = [_nested(a, summarize) for a in array]
    else:
        parts = [*(_nested(a, summarize) for a in array[:summarize]), "...", *(_nested(a, summarize) for a in array[-summarize:])]
    return "[" + ("\n " if array.ndim > 1 else " ").join(p.replace("\n", "\n ") for p in parts) + "]"


def print_tensors(*inputs: Any, **keywords: Any) -> Any:
    """Print tensors and other things to ``output_stream`` (standard error), when the operation runs.

    Keywords: ``output_stream`` (a file, or "file://path"), ``summarize`` (how many elements at each end: 3, -1 for all),
    ``sep``, ``end``, ``name``.
    """
    stream = keywords.pop("output_stream", sys.stderr)
    summarize = keywords.pop("summarize", 3)
    sep, end, name = keywords.pop("sep", " "), keywords.pop("end", "\n"), keywords.pop("name", None)
    if keywords:
        raise ValueError(f"print: unknown keywords {sorted(keywords)}")
    summarize = 3 if summarize is None else summarize
    items: list[Any] = [value_of(i) for i in inputs]
    held: list[Any] = []
    for item in items:
        for leaf in nest.flatten(item):
            leaf = value_of(leaf)
            if isinstance(leaf, Tensor):
                held.append(leaf)

    def write(arrays: Sequence[Any]) -> None:
        rest = iter(arrays)
        texts = []
        for item in items:
            if nest.is_nested(item):
                filled = nest.map_structure(
                    lambda leaf: _Text(_shown(next(rest), summarize)) if is_tensor_like(leaf) else leaf, item
                )
                texts.append(str(filled))
            else:
                texts.append(_shown(next(rest), summarize) if isinstance(item, Tensor) else _shown(item, summarize))
        line = sep.join(texts) + end
        if isinstance(stream, str):
            with open(stream.removeprefix("file://"), "a", encoding="utf-8") as file:
                file.write(line)
        else:
            stream.write(line)
            stream.flush()

    if state.graph is None and not any(isinstance(t, SymbolicTensor) for t in held):
        write([t.array for t in held])
        return None
    graph = state.graph or next(t.graph for t in held if isinstance(t, SymbolicTensor))
    append(graph, PRINT, held, {"write": write}, name or "PrintV2")
    return graph.nodes[-1]


class _Text(str):
    def __repr__(self) -> str:
        return str(self)


# --- Python inside of a graph ---------------------------------------------------------------------------------------


def _eagerly() -> current[None]:
    return current(graph=None, observers=())


def _types(Tout: Any) -> tuple[list[Any], bool]:
    single = not isinstance(Tout, list | tuple)
    return [Tout] if single else list(Tout), single


def _spec_of(kind: str) -> Any:
    if isinstance(kind, TensorSpec):
        return kind._sizes, kind._nptype
    return None, as_dtype(kind).numpy


def py_function(func: Callable[..., Any] | None = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:
    """Call a Python function of eager tensors; in a graph, each time the operation runs. Derivatives pass through it.

    Without ``func`` it is a decorator, which has a function called so.

    >>> import wengert as tf
    >>> @tf.py_function(Tout=tf.float32)
    ... def double(x):
    ...     return 2.0 * x
    >>> double(tf.constant(3.0)).numpy()
    np.float32(6.0)
    """
    if func is None:
        return _decorator(lambda f, arguments: py_function(f, arguments, Tout, name))
    if not callable(func):
        raise TypeError("py_function: func must be callable.")
    arguments = [convert(a) for a in (inp or [])]
    kinds, single = _types(Tout)
    if state.graph is None:
        result = func(*arguments)
        if Tout is None or not kinds:
            return result
        if single:
            return convert(result, kinds[0] if not isinstance(kinds[0], TensorSpec) else kinds[0].dtype)
        given = result if isinstance(result, list | tuple) else [result]
        return [convert(r, k.dtype if isinstance(k, TensorSpec) else k) for r, k in zip(given, kinds, strict=True)]
    specs = tuple(_spec_of(k) for k in kinds)

    def begin(given: Sequence[Any], keep: bool) -> _Run:
        tape = GradientTape(persistent=True)
        with tape if keep else contextlib.nullcontext():
            if keep:
                tape.watch([t for t in given if t.nptype.kind in "fc"])
            result = func(*given)
            found = list(result) if isinstance(result, list | tuple) else ([] if not specs else [result])
            return _Run(tape, list(given), [convert(r, s[1]) for r, s in zip(found, specs, strict=True)])

    results = append(state.graph, PY_FUNCTION, arguments, _called(begin, specs), name)
    if Tout is None or not kinds:
        return state.graph.nodes[-1]
    return results[0] if single else list(results)


def _decorator(call: Callable[[Callable[..., Any], tuple[Any, ...]], Any]) -> Callable[..., Any]:
    """Return what makes of a function one that has it called with its arguments."""

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(func)(lambda *arguments: call(func, arguments))

    return decorate


class _Run(NamedTuple):
    """What a run of a Python function computed, and the tape that saw it: its derivative is of that run."""

    tape: GradientTape
    inputs: list[Any]
    outputs: list[Any]

    def derivative(self, weights: Sequence[Any], wanted: Sequence[int], keep: bool) -> _Run:
        """Return the run of the derivative of the weighted outputs by the wanted inputs; ``keep``: it has one of its own."""
        tape = self.tape.continued() if keep else self.tape
        with tape if keep else contextlib.nullcontext():
            if keep:
                tape.watch([w for w in weights if w.nptype.kind in "fc"])
            found = self.tape.gradient(self.outputs, [self.inputs[i] for i in wanted], list(weights), "zero")
            return _Run(tape, [*self.inputs, *weights], [convert(f) for f in found])


def _called(begin: Callable[[Sequence[Any], bool], _Run], specs: Any) -> Any:
    """Return the attributes of a Python function in a list.

    ``begin``: runs it for eager tensors; the second argument tells whether a derivative may be asked for.
    """

    def run(given: Sequence[Any], keep: bool) -> list[Any]:
        this = begin(given, keep)
        if not keep:
            return this.outputs
        held = np.empty((), object)
        held[()] = this
        return [*this.outputs, EagerTensor(held)]

    def call(keep: bool, *arrays: TensorLike) -> tuple[Any, ...]:
        with _eagerly():
            return tuple(t.array for t in loudly(run, [EagerTensor(np.asarray(a)) for a in arrays], keep))

    def gradient(xp: Any, gs: Any, inputs: Any, outputs: Any, wanted: Any) -> Any:
        runs = inputs[-1:] if inputs and inputs[-1].nptype == OBJECT else ()
        inputs = inputs[: len(inputs) - len(runs)]
        by = [i for i in wanted if i < len(inputs) and inputs[i].nptype.kind in "fc"]
        weights = [xp.zeros_like(o) if g is None else g for g, o in zip(gs, outputs, strict=True)]
        count = len(inputs)

        def further(given: Sequence[Any], keep: bool) -> _Run:
            first = given[-1].array[()] if runs else begin(given[:count], True)
            found = first.derivative(given[count : count + len(weights)], by, keep)
            return found._replace(inputs=[*found.inputs, *given[count + len(weights) :]])  # one for each input of the node

        attrs = _called(further, tuple((inputs[i].sizes, inputs[i].nptype) for i in by))
        found = made(PY_FUNCTION, [*inputs, *weights, *runs], attrs, xp, outputs[0].node.graph)
        there = dict(zip(by, found, strict=True))
        return [there.get(i) for i in wanted]

    return {"call": call, "run": run, "keep": False, "specs": specs, "gradient": gradient}


def numpy_function(
    func: Callable[..., Any] | None = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """Call a Python function of NumPy arrays; it has no derivative. Without ``func`` it is a decorator."""
    if func is None:
        return _decorator(lambda f, arguments: numpy_function(f, arguments, Tout, stateful, name))
    if not callable(func):
        raise TypeError("numpy_function: func must be callable.")
    arguments = [convert(a) for a in (inp or [])]
    kinds, single = _types(Tout)
    specs = tuple(_spec_of(k) for k in kinds)

    def call(keep: bool, *arrays: TensorLike) -> tuple[Any, ...]:
        with _eagerly():
            result = loudly(func, *[np.array(a) for a in arrays])
        found = list(result) if isinstance(result, list | tuple) else ([] if not specs else [result])
        if len(found) != len(specs):
            raise InvalidArgumentError(f"numpy_function: {len(specs)} results were announced, and {len(found)} came.")
        for r, (_, nptype) in zip(found, specs, strict=True):
            if np.asarray(r).dtype != nptype:
                raise InvalidArgumentError(
                    f"numpy_function: Tout says {nptype}, and the function returned {np.asarray(r).dtype}."
                )
        return tuple(np.asarray(r, s[1]) for r, s in zip(found, specs, strict=True))

    if state.graph is None:
        flat = [derived(a, "numpy_function", *arguments) for a in call(False, *[t.array for t in arguments])]
    else:
        arguments = [apply(linear.STOP_GRADIENT, (a,)) for a in arguments]
        attrs = {"call": call, "run": None, "keep": False, "specs": specs, "gradient": None}
        flat = list(append(state.graph, PY_FUNCTION, arguments, attrs, name))
    if not flat:
        return None if state.graph is None else state.graph.nodes[-1]
    return flat[0] if single else flat


# --- custom derivatives ---------------------------------------------------------------------------------------------


def custom_gradient(f: Callable[..., Any] | None = None) -> Any:
    """Decorate a function that returns (its value, a function from the value's cotangents to the arguments').

    If f uses variables, the second takes a keyword ``variables`` and returns (cotangents of the arguments, those of the
    variables). It is differentiated itself for second derivatives.

    >>> import wengert as tf
    >>> @tf.custom_gradient
    ... def log1pexp(x):
    ...     e = tf.exp(x)
    ...     return tf.math.log(1 + e), lambda g: g * (1 - 1 / (1 + e))
    >>> x = tf.constant(100.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = log1pexp(x)
    >>> tape.gradient(y, x).numpy()
    np.float32(1.0)
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*arguments: Any, **keywords: Any) -> Any:
        given = [_argument(a) for a in arguments]
        if state.graph is None:
            return _custom_eagerly(f, given, keywords)
        return _custom_in_graph(f, given, keywords)

    vars(decorated)["__original_wrapped__"] = f  # under which name TensorFlow keeps what it decorates
    return decorated


def _argument(a: TensorLike) -> Any:
    if hasattr(a, "handle_in"):
        return a
    return nest.map_structure(_tensor_or_object, a)


def _tensor_or_object(leaf: Any) -> Any:
    """Return an argument as a tensor; an object that is no value (the instance of a method, a function) as it is."""
    if hasattr(leaf, "handle_in") or isinstance(leaf, Tensor):
        return leaf
    if hasattr(leaf, "_as_tensor"):
        return leaf._as_tensor()
    plain = isinstance(leaf, int | float | complex | str | bytes | np.ndarray | np.generic) or hasattr(leaf, "__array__")
    return convert(leaf) if plain else leaf


def _inputs(arguments: Any) -> list[Any]:
    """Return the tensors and variables among arguments: those that have cotangents."""
    return [t for t in nest.flatten(arguments) if isinstance(t, Tensor) or hasattr(t, "handle_in")]


def _unpack(pair: Any) -> tuple[Any, Any]:
    if not isinstance(pair, tuple) or len(pair) != 2 or not callable(pair[1]):
        raise TypeError("A function with a custom gradient returns (value, function of the value's cotangent).")
    return pair


def _takes_variables(grad_fn: Any, variables: Sequence[Any]) -> None:
    """Raise unless the user's derivative takes the variables that the function uses.

    Raises:
        TypeError: if it does not.
    """
    if not variables:
        return
    try:
        parameters = inspect.signature(grad_fn).parameters.values()
    except (TypeError, ValueError):
        return
    if not any(p.name == "variables" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        raise TypeError(
            "If using @custom_gradient with a function that uses variables, then grad_fn must accept a 'variables' keyword "
            "argument."
        )


def _cotangents(grad_fn: Any, gs: Sequence[Any], variables: Sequence[Any], count: int) -> list[Any]:
    """Call the user's derivative; return the cotangents of arguments and variables, flat."""
    if variables:
        try:
            result = grad_fn(*gs, variables=list(variables))
        except TypeError as error:
            if "variables" in str(error):
                raise TypeError(
                    "If using @custom_gradient with a function that uses variables, then grad_fn must accept a 'variables' "
                    "keyword argument."
                ) from error
            raise
        by_argument, by_variable = result
        flat = nest.flatten([by_argument] if isinstance(by_argument, Tensor) else list(by_argument))
        found = [*flat, *(list(by_variable) if by_variable is not None else [None] * len(variables))]
    else:
        result = grad_fn(*gs)
        found = nest.flatten(list(result) if isinstance(result, list | tuple) else [result])
    if len(found) != count:
        raise ValueError(f"custom_gradient: {count} cotangents are needed, and the function returned {len(found)}.")
    return found


def _custom_eagerly(f: Callable[..., Any], arguments: list[Any], keywords: Any) -> Any:
    with GradientTape() as watcher:
        result, grad_fn = _unpack(f(*arguments, **keywords))
    flat = _inputs(arguments)
    own = {t.n for t in flat}
    variables = [v for v in watcher.watched_variables() if v.n not in own]
    _takes_variables(grad_fn, variables)
    inputs = [*flat, *variables]

    def vjp(xp: Namespace, gs: Any, ins: Any, outs: Any, attrs: Attrs, wanted: Any) -> Any:
        raw = xp is values
        full = [xp.zeros_like(o) if g is None else g for g, o in zip(gs, outs, strict=True)]
        if raw:
            full = [EagerTensor(np.asarray(g)) for g in full]
            with current(observers=()):
                found = loudly(_cotangents, grad_fn, full, variables, len(inputs))
            return [None if found[i] is None else convert(found[i]).array for i in wanted]
        found = _cotangents(grad_fn, full, variables, len(inputs))
        return [None if found[i] is None else convert(found[i]) for i in wanted]

    op = Op("custom", Custom(vjp=vjp), lambda xp, *arrays: arrays, lambda i, a: [], outputs=None, register=False,
            type=getattr(f, "__name__", "CustomGradient"))  # fmt: skip
    outputs = [derived(convert(r).array, op, *inputs) for r in nest.flatten(result)]
    for observer in state.observers:
        observer.record(op, inputs, tuple(outputs), {"function": f, "arguments": arguments, "keywords": keywords})
    return nest.pack_sequence_as(result, outputs)


def _custom_in_graph(f: Callable[..., Any], arguments: list[Any], keywords: Any) -> Any:
    graph: Graph = state.graph
    with GradientTape() as watcher:
        result, grad_fn = _unpack(f(*arguments, **keywords))
    flat = _inputs(arguments)
    own = {t.n for t in flat}
    variables = [v for v in watcher.watched_variables() if v.n not in own]
    _takes_variables(grad_fn, variables)
    results = [lift(graph, convert(r)) for r in nest.flatten(result)]
    body = FuncGraph(graph, "custom_gradient", share_variables=False)
    body.function = f
    gs = [body.add_input(r.sizes, r.nptype, "g") for r in results]
    failure = None
    found: list[Any] = []
    kept: list[Any] = []
    with tracing(body):
        try:
            found = _cotangents(grad_fn, gs, variables, len(flat) + len(variables))
            kept = [lift(body, convert(g)) for g in found if g is not None]
        except Exception as error:  # the user's derivative fails: who asks for it is told
            failure = error
    sources = [source for source, _ in body.captured.values()]
    places = [*gs, *(place for _, place in body.captured.values())]
    inputs = [t.handle_in(graph) if hasattr(t, "handle_in") else lift(graph, t) for t in (*flat, *variables)]
    attrs = {
        "results": len(results),
        "arguments": len(inputs),
        "body": Body(body, kept, places),
        "there": tuple(g is not None for g in found),
        "failure": failure,
    }
    outputs = append(graph, CUSTOM, (*results, *inputs, *sources), attrs, "IdentityN")
    if failure is not None:
        graph.failing.append(outputs[0].node)
    return nest.pack_sequence_as(result, list(outputs))


def recompute_grad(f: Callable[..., Any]) -> Any:
    """Decorate a function so that what it computes on the way is not kept for derivatives, but computed again.

    What it reads from the world, random numbers and variables, is kept: the derivative is that of the call that was made.
    """

    @functools.wraps(f)
    def decorated(*arguments: Any, **keywords: Any) -> Any:
        if state.graph is not None:
            return apart(lambda: f(*arguments, **keywords), "recompute_grad")
        return _recomputed(f, arguments, keywords)

    return decorated


def _recomputed(f: Callable[..., Any], arguments: Any, keywords: Any) -> Any:
    given = [_argument(a) for a in arguments]
    memory, around = Memory(), _Around()
    with GradientTape() as watcher, memory.kept(), around.seen():
        result = f(*given, **keywords)
    variables = watcher.watched_variables()
    read = {t.n for v in variables for t in v.readings()}  # the derivative by the variable is by these
    taken = [t for n, t in around.tensors.items() if n not in read]
    # Each once, wherever f takes it: the derivative below is by the tensor, in all of its places.
    inputs = list({t.n: t for t in (*_inputs(given), *variables, *taken)}.values())
    outputs = [EagerTensor(convert(r).array) for r in nest.flatten(result)]

    def vjp(xp: Namespace, gs: Any, ins: Any, outs: Any, attrs: Attrs, wanted: Any) -> Any:
        raw = xp is values
        weights = [None if g is None else EagerTensor(np.asarray(g)) if raw else g for g in gs]
        with current(observers=() if raw else state.observers):
            with GradientTape() as tape, memory.given():
                tape.watch(inputs)
                again = nest.flatten(loudly(f, *given, **keywords))
            pairs = [(y, g) for y, g in zip(again, weights, strict=True) if g is not None]
            ys, given_gs = [y for y, _ in pairs], [g for _, g in pairs]
            found = tape.gradient(ys, [inputs[i] for i in wanted], output_gradients=given_gs, unconnected_gradients="zero")
        return [convert(g).array if raw else convert(g) for g in found]

    op = Op("recomputed", Custom(vjp=vjp), lambda xp, *arrays: arrays, lambda i, a: [], outputs=None, register=False,
            type=getattr(f, "__name__", "RecomputeGrad"))  # fmt: skip
    for observer in state.observers:
        observer.record(op, inputs, tuple(outputs), {})
    return nest.pack_sequence_as(result, outputs)


class _Around(Observer):
    """The tensors that a with block uses, and that were there before it."""

    def __init__(self) -> None:
        self.tensors: dict[int, Any] = {}
        self._began = next_number()

    @contextlib.contextmanager
    def seen(self) -> Iterator[None]:
        before, state.observers = state.observers, (*state.observers, self)
        try:
            yield
        finally:
            state.observers = before

    def record(self, op: Op, inputs: Sequence[Any], output: TensorLike, attrs: Attrs) -> None:
        self.tensors.update({t.n: t for t in inputs if t.n < self._began and t.nptype.kind in "fc"})


def grad_pass_through(f: Callable[..., Any]) -> Any:
    """Decorate a function so that its derivative is that of the identity."""

    @custom_gradient
    def inner(*arguments: Any, **keywords: Any) -> Any:
        def grad(*gs: Any, variables: Sequence[Any] | None = None) -> Any:
            if variables is not None:
                return gs, [None] * len(variables)
            return gs

        return f(*arguments, **keywords), grad

    return inner
