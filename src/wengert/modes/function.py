"""``function``: a Python function traced to a graph for each signature that it is called with."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import itertools
import types
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.execute.numpy import NumPyProgram
from wengert.execute.program import compile, told, watchers
from wengert.execute.protocol import Program
from wengert.execute.replay import replay
from wengert.execute.resident import on_tensors
from wengert.graph.graph import VALID_NAME
from wengert.graph.node import Node
from wengert.ground import dtypes, nest, shapes
from wengert.ground.context import state
from wengert.ground.copies import Uncopied
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import InvalidArgumentError, OperatorNotAllowedInGraphError, ShapeError
from wengert.ground.locks import lock
from wengert.ground.options import options
from wengert.ground.shapes import ShapeLike
from wengert.ground.types import Array
from wengert.modes.called import Called, called
from wengert.modes.described import FunctionType, printed, type_of
from wengert.modes.tape import GradientTape
from wengert.modes.traces import Held, Key, Traces, covers, picture, relaxed, stand_in, static, weak
from wengert.modes.tracing import FuncGraph, draws_of, inline, tracing
from wengert.ops import elementwise, linear
from wengert.ops.state import ASSERT, HANDLE
from wengert.tensor.exchange import is_foreign
from wengert.tensor.resident import tensor_of
from wengert.tensor.tensor import (
    EagerTensor,
    Graph,
    SymbolicTensor,
    Tensor,
    append,
    apply,
    cast,
    convert,
    is_tensor_like,
    is_weak,
    lift,
    together,
    value_of,
)

__all__ = ["ConcreteFunction", "Function", "TensorSpec", "function"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

_number = itertools.count(1).__next__


class TensorSpec:
    """The shape and dtype of a tensor that is to come.

    >>> TensorSpec([None, 2], "float32")
    TensorSpec(shape=(None, 2), dtype=tf.float32, name=None)
    """

    __slots__ = ("_name", "_nptype", "_sizes")

    def __init__(self, shape: ShapeLike | None = None, dtype: DtypeLike = dtypes.float32, name: str | None = None) -> None:
        """Take a shape (None: any), a dtype and a name."""
        self._sizes, self._nptype, self._name = shapes.as_shape(shape), as_dtype(dtype).numpy, name

    @property
    def shape(self) -> shapes.TensorShape:
        """The shape."""
        return shapes.TensorShape(self._sizes)

    @property
    def dtype(self) -> dtypes.DType:
        """The element type."""
        return dtypes.of(self._nptype)

    @property
    def name(self) -> str | None:
        """The name."""
        return self._name

    @classmethod
    def from_tensor(cls, tensor: Tensor, name: str | None = None) -> TensorSpec:
        """Return the spec of a tensor."""
        return cls(tensor.shape, tensor.dtype, name)

    from_spec = from_tensor

    def is_compatible_with(self, other: Array) -> bool:
        """Whether a tensor or spec fits."""
        return bool(self.dtype == other.dtype and shapes.fits(self._sizes, shapes.as_shape(other.shape)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self._sizes, self._nptype, self._name) == (
            other._sizes, other._nptype, other._name)  # fmt: skip

    def __hash__(self) -> int:
        return hash((self._sizes, self._nptype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={shapes.text(self._sizes)}, dtype={self.dtype!r}, name={self._name!r})"


def _unnamed(t: Any) -> TensorSpec:
    """Return the specification of a tensor, or of nothing, without a name."""
    return TensorSpec() if t is None else TensorSpec(t.shape, t.dtype)


def _is_tensorlike(leaf: Any) -> bool:
    if isinstance(leaf, Tensor | np.ndarray | np.generic) or is_foreign(leaf):
        return True
    return hasattr(leaf, "_as_tensor") and not hasattr(leaf, "handle_in")


class ConcreteFunction(Uncopied):
    """One trace: a graph, its inputs and captures, and the structure of what it returns."""

    def __init__(
        self,
        graph: FuncGraph,
        name: str,
        inputs: Sequence[Any],
        outputs: Sequence[Tensor],
        described: Any,
        labels: Sequence[str],
        signature: inspect.Signature | None,
    ) -> None:
        """Take the finished trace, the arguments (specs for tensors), the parameters of the inputs, and the signature."""
        self.graph, self.name = graph, name
        self._inputs, self._structured = list(inputs), outputs
        self._flat = [t for t in nest.flatten(outputs) if t is not None]
        self._arguments = described
        self._labels = list(labels)
        # What is left out of a call is not known to be what was traced, so defaults do not stand in.
        self._signature = None if signature is None else signature.replace(
            parameters=[p.replace(default=inspect.Parameter.empty) for p in signature.parameters.values()]
        )  # fmt: skip
        self._programs: dict[Any, Program] = {}
        self._called: Called | bool | None = False
        self._counters: dict[Any, Any] = {}
        self._lock = lock()
        self.used = 0
        """The number of the latest call that found it, among those of its function."""
        self.goes_by: list[Any] = []
        """What keeps it among the traces of its function: arguments, those that go by identity by reference."""

    def _instead(self) -> str:
        return f"The trace {self.name} is neither copied nor pickled: trace the function again, by get_concrete_function()."

    @property
    def inputs(self) -> list[Any]:
        """The symbolic inputs, captures last."""
        return [*self._inputs, *(place for _, place in self.graph.captured.values())]

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs."""
        return list(self._flat)

    @property
    def structured_outputs(self) -> Any:
        """The symbolic outputs as the function returned them."""
        return self._structured

    @property
    def structured_input_signature(self) -> Any:
        """The arguments: specs for tensors, and what else it was traced with; None for an object that is gone."""
        return nest.map_structure(lambda leaf: leaf() if leaf.__class__ is Held else leaf, self._arguments)

    @property
    def function_type(self) -> FunctionType:
        """The parameters and the result, with their specifications."""
        return type_of(self.structured_input_signature, self._signature, self._structured, _unnamed)

    @property
    def inference_fn(self) -> ConcreteFunction:
        """The function itself: it runs as it stands where no tape watches."""
        return self

    def pretty_printed_signature(self, verbose: bool = True) -> str:
        """Return the parameters, the result and what is captured, each on a line."""
        captured = [f"{s.n}: {_unnamed(s)!r}" for s in self.captured_inputs] + [f"{v.n}: {v!r}" for v in self.variables]
        return printed(self.function_type, captured, verbose)

    @property
    def captured_inputs(self) -> list[Any]:
        """The tensors from outside."""
        return [source for source, _ in self.graph.captured.values()]

    @property
    def output_shapes(self) -> Any:
        """The shapes of the outputs."""
        return nest.map_structure(lambda t: None if t is None else t.shape, self._structured)

    @property
    def output_dtypes(self) -> Any:
        """The dtypes of the outputs."""
        return nest.map_structure(lambda t: None if t is None else t.dtype, self._structured)

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables that it uses."""
        return tuple(_variables(self.graph))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """Those of them that are trainable."""
        return tuple(v for v in self.variables if v.trainable)

    def runs(self) -> list[tuple[int, int] | None]:
        """Return how often each of its random operations has run, where that decides the next numbers."""
        return [self._counters.get(key) for key in draws_of(self.graph)]

    def resume(self, runs: Sequence[tuple[int, int] | None]) -> None:
        """Go on with the random numbers where another trace of the same call ended."""
        pairs = zip(draws_of(self.graph), runs, strict=False)
        self._counters.update((key, run) for key, run in pairs if run is not None)

    @property
    def compiled(self) -> Program:
        """The graph as the executor that is chosen runs it."""
        key = options.key()
        program = self._programs.get(key)
        if program is None:
            with self._lock:
                program = self._programs.get(key)
                if program is None:
                    program = self._programs[key] = compile(self.graph, self._flat, self.inputs, self.graph.effects)
        return program

    @property
    def program(self) -> NumPyProgram:
        """The graph as NumPy runs it."""
        return self.compiled.numpy

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call with all arguments, of which those that are no tensors must be what was traced; or with the tensors alone.

        Raises:
            TypeError: for other arguments, and for another value of one that is no tensor.
        """
        try:
            leaves = self._matched(arguments, keywords)
        except TypeError as error:
            try:
                leaves = self._tensors(arguments, keywords)
            except TypeError as other:
                raise TypeError(f"{self.name}(): {error}; and as a call with its tensors alone: {other}.") from None
        for leaf, place in zip(leaves, self._inputs, strict=True):
            if leaf.nptype != place.nptype or not shapes.fits(leaf.sizes, place.sizes):
                raise InvalidArgumentError(f"{self.name}() was traced for {place!r}, and was called with {leaf!r}.")
        return self.call(leaves)

    def _matched(self, arguments: Any, keywords: Any) -> list[Any]:
        """Return the tensors of a call with all arguments."""
        if self._signature is not None:
            bound = self._signature.bind(*arguments, **keywords)
            arguments, keywords = bound.args, bound.kwargs
        leaves = []
        pairs: list[tuple[Any, Any]] = [([list(self._arguments[0]), self._arguments[1]], [list(arguments), keywords])]
        while pairs:
            one, other = pairs.pop()
            if nest.is_nested(one):
                ours, theirs = nest.children(one), nest.children(other) if nest.is_nested(other) else None
                if theirs is None or isinstance(one, dict) != isinstance(other, dict) or len(ours) != len(theirs):
                    raise TypeError(f"{other!r} is not of the structure that was traced, {one!r}")
                if isinstance(one, dict) and one.keys() != other.keys():
                    raise TypeError(f"{sorted(map(str, other))} are not the keys that were traced, {sorted(map(str, one))}")
                pairs.extend(reversed(list(zip(ours, theirs, strict=True))))
            elif isinstance(one, TensorSpec):
                leaves.append(other if isinstance(other, Tensor) else convert(other, one.dtype))
            else:
                was = one() if one.__class__ is Held else one
                if one.__class__ is Held and was is None:
                    raise TypeError(f"it was traced with an object that is gone, and is called with {other!r} in its place")
                if static(was) != static(other):
                    raise TypeError(f"it was traced with {was!r}, and is called with {other!r} in its place")
        return leaves

    def _tensors(self, arguments: Any, keywords: Any) -> list[Any]:
        """Return the tensors of a call with nothing else: in order, or by the names of their parameters."""
        left = dict(enumerate(self._labels))
        found = {}
        for i, value in enumerate(arguments):
            if i not in left:
                raise TypeError(f"it takes {len(self._labels)} tensors, and {len(arguments)} were given")
            found[i] = value
            del left[i]
        for name, value in keywords.items():
            at = next((i for i, label in left.items() if label == name), None)
            if at is None:
                raise TypeError(f"there is no tensor {name!r}" if name not in self._labels else f"{name!r} is given twice")
            found[at] = value
            del left[at]
        if left:
            raise TypeError(f"the tensors {', '.join(left.values())} are missing")
        for value in found.values():
            if not _is_tensorlike(value):
                raise TypeError(f"{value!r} is no tensor")
        return [v if isinstance(v, Tensor) else convert(v) for _, v in sorted(found.items())]

    def call(self, leaves: Sequence[Any]) -> Any:
        """Run on eager tensors, or put the graph into the one that is being built."""
        values = [t if isinstance(t, Tensor) else convert(t) for t in leaves]
        sources = [source for source, _ in self.graph.captured.values()]
        if state.graph is not None or any(isinstance(v, SymbolicTensor) for v in (*values, *sources)):
            flat = self._inline(values, sources)
        elif state.observers:
            flat = self._observed([*values, *sources])
        else:
            flat = self._run([*values, *sources])
        if isinstance(self._structured, Tensor):
            return flat[0]
        found = iter(flat)
        return nest.map_structure(lambda t: None if t is None else next(found), self._structured)

    def _run(self, values: Sequence[Any]) -> list[Any]:
        before, session = state.counters, state.session
        state.counters, state.session = self._counters, None
        try:
            return [tensor_of(a) for a in on_tensors(self.compiled, values)]
        finally:
            state.counters, state.session = before, session

    def _observed(self, values: Sequence[Any]) -> list[Any]:
        before = state.counters
        state.counters = self._counters
        try:
            if not watchers:
                return self._seen(values)
            found: list[Any] = []

            def run() -> list[Any]:
                found[:] = self._seen(values)
                return [t.array for t in found]

            told(self.program.request, [v.array for v in values], run)
            return found
        finally:
            state.counters = before

    def _seen(self, values: Sequence[Any]) -> list[Any]:
        """Run for the observers: as one entry of tapes where it can be one, and else step by step."""
        if all([isinstance(o, GradientTape) and not o._watch_all for o in state.observers]):
            entry = self.called
            found = None if entry is None else entry.run(values)
            if found is not None:
                return found
        return replay(self.program, values)

    @property
    def called(self) -> Called | None:
        """The graph as one entry of a tape, None where it cannot be one."""
        if isinstance(self._called, bool):
            with self._lock:
                if isinstance(self._called, bool):
                    self._called = called(self.graph, self.inputs, self._flat)
        return self._called

    def _inline(self, values: Sequence[Any], sources: Sequence[Any]) -> list[Any]:
        graph = state.graph
        if graph is None:
            graph = next(v.graph for v in (*values, *sources) if isinstance(v, SymbolicTensor))
            with graph.as_default():
                return self._inline(values, sources)
        given = {p.n: lift(graph, v) for p, v in zip(self.inputs, [*values, *sources], strict=True)}
        effects = self.graph.effects
        with graph.name_scope(self.name if _scope_name(self.name) else "StatefulPartitionedCall"):
            outputs, done = inline(self.graph, self._flat, given, effects)
            if done and not graph.building_function:
                with graph.control_dependencies(done):
                    outputs = [apply(linear.IDENTITY, (t,)) for t in outputs]
        return list(outputs)

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.name}({', '.join(repr(t) for t in self._inputs)})>"


def _scope_name(name: str) -> bool:
    return VALID_NAME.match(name) is not None


def _variables(graph: Graph) -> list[Any]:
    found = {}
    for node in graph.nodes:
        if node.op is HANDLE:
            found[node.attrs["variable"].n] = node.attrs["variable"]
    return list(found.values())


def _alive(method: weakref.WeakMethod[Any]) -> Any:
    found = method()
    assert found is not None, "whoever calls a method holds its instance"
    return found


class Function(Uncopied):
    """A Python function that is traced for each signature it is called with; see `function`."""

    def __init__(
        self,
        python_function: Callable[..., Any],
        input_signature: Any = None,
        autograph: bool = True,
        reduce_retracing: bool = False,
        name: str | None = None,
    ) -> None:
        """Take the function, and optionally the one signature to trace it for."""
        self.python_function = python_function
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self._autograph, self._relax = autograph, reduce_retracing
        self._name: str = name or str(getattr(python_function, "__name__", type(python_function).__name__))
        self._traces = Traces(self._name)
        self._number = _number()
        self._bound: dict[int, tuple[weakref.ref[Any], Function]] = {}
        """The functions that are the methods of instances, by the instances' identities: equal ones are two."""
        self._converted: Callable[..., Any] | None = None
        self._made = False
        """Whether it has been traced, so that it makes no more variables."""
        self._method: weakref.WeakMethod[Any] | None = None
        """The method of an instance that it is made for."""
        self._count = 0
        self._signature: inspect.Signature | None = None
        self._positional = -1
        """How many arguments it takes, if it can be given all of them by position."""
        with contextlib.suppress(TypeError, ValueError):  # of what has no signature
            self._sign(inspect.signature(python_function))
        functools.update_wrapper(self, python_function, updated=())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        known = self._bound.get(id(instance))
        if known is None:
            try:
                reference = weakref.ref(instance, functools.partial(_unbind, weakref.ref(self), id(instance)))
            except TypeError:  # of a class with slots that has no such references
                return Function(self.python_function.__get__(instance), self.input_signature, self._autograph, self._relax)
            known = self._bound.setdefault(id(instance), (reference, self._of(instance)))
        return _Bound(known[1], instance)

    def _of(self, instance: Any) -> Function:
        """Return the function that is an instance's method: it lives with it, and does not keep it alive."""
        method = weakref.WeakMethod(self.python_function.__get__(instance))

        @functools.wraps(self.python_function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            return _alive(method)(*arguments, **keywords)

        bound = Function(call, self.input_signature, self._autograph, self._relax, self._name)
        bound._method = method
        parameters = list(inspect.signature(self.python_function).parameters.values())[1:]
        bound._sign(inspect.Signature(parameters))
        return bound

    def _sign(self, signature: inspect.Signature) -> None:
        by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        kinds = [p.kind for p in signature.parameters.values()]
        self._signature, self._positional = signature, len(kinds) if all(k in by_position for k in kinds) else -1

    def _instead(self) -> str:
        return (
            f"The function {self._name} is neither copied nor pickled, as its traces are part of this process: pickle a plain "
            "Python function of a module that calls it, or make it a method (@function in the class), which goes with its object."
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Function:
        """Go with the object that it is part of: a method becomes the copy's, any other is shared, as Python's functions are."""
        if not memo:
            raise TypeError(self._instead())
        if not isinstance(self.python_function, types.MethodType):
            return self
        method = copy.deepcopy(self.python_function, memo)
        return Function(method, self.input_signature, self._autograph, self._relax, self._name)

    def experimental_get_tracing_count(self) -> int:
        """Return how often the function has been traced."""
        return self._count

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """Return the signatures that it has been traced for."""
        return "\n".join(repr(t) for t in self._traces.values())

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call: run the trace for these arguments, making it first if there is none."""
        if _run_eagerly[0]:
            return self.python_function(*arguments, **keywords)
        arguments, keywords = self._canonical(arguments, keywords)
        leaves, key = self._key(arguments, keywords)
        traces = self._traces
        trace = self._found(key, leaves)
        traces.calls += 1
        if trace is None:
            trace = self._trace_for(key, (arguments, keywords), leaves)
            if state.graph is None:
                traces.traced()
        trace.used = traces.calls
        return trace.call([leaf for leaf in leaves if _is_tensorlike(leaf)])

    def get_concrete_function(self, *arguments: Any, **keywords: Any) -> ConcreteFunction:
        """Return the trace for arguments, or for TensorSpecs in their place."""
        if self.input_signature is not None and not arguments and not keywords:
            arguments = self.input_signature
        arguments, keywords = self._canonical(arguments, keywords)
        leaves, key = self._key(arguments, keywords)
        return self._found(key, leaves) or self._trace_for(key, (arguments, keywords), leaves)

    def _canonical(self, arguments: Any, keywords: Any) -> Any:
        """Return the call in one form, so that f(x) and f(x=x) share a trace."""
        if self._signature is not None and (keywords or len(arguments) != self._positional):
            bound = self._signature.bind(*arguments, **keywords)
            bound.apply_defaults()
            arguments, keywords = bound.args, bound.kwargs
        if self.input_signature is not None:
            arguments = self._fitted(arguments, keywords)
            keywords = {}
        return arguments, keywords

    def _fitted(self, arguments: Any, keywords: Any) -> Any:
        specs = self.input_signature
        assert specs is not None
        given = [*arguments, *keywords.values()]
        if len(given) < len(specs):
            raise TypeError(f"{self._name}() needs {len(specs)} arguments by its input_signature, and got {len(given)}.")
        fitted = []
        for value, spec in zip(given, specs, strict=False):
            flat: list[Any] = []
            if isinstance(spec, TensorSpec) and isinstance(value, list | tuple):
                value = convert(value, spec.dtype)
            for leaf, s in zip(nest.flatten(value), nest.flatten(spec), strict=True):
                if isinstance(leaf, TensorSpec):
                    flat.append(leaf)
                    continue
                t = value_of(leaf)
                if not isinstance(t, Tensor):
                    t = convert(t, s.dtype)
                if t.nptype != s.dtype.numpy:
                    raise TypeError(f"{self._name}(): the input_signature says {s!r}, and the argument is {t!r}.")
                if not shapes.fits(t.sizes, shapes.as_shape(s.shape)):
                    raise ShapeMismatch(f"{self._name}(): the input_signature says {s!r}, and the argument is {t!r}.")
                flat.append(t)
            fitted.append(nest.pack_sequence_as(value, flat))
        return (*fitted, *given[len(specs) :])

    def _key(self, arguments: Any, keywords: Any) -> tuple[list[Any], Key]:
        """Return the leaves of the arguments, with tensors for arrays, and by what their trace is found."""
        leaves = nest.flatten([list(arguments), keywords])
        parts: list[Key] = []
        fixed = 0 if self.input_signature is None else len(nest.flatten(list(self.input_signature)))
        for i, leaf in enumerate(leaves):
            if i < fixed:
                parts.append(("signature", i))
            elif isinstance(leaf, TensorSpec):
                parts.append((leaf._nptype, self._kind(leaf._sizes)))
            elif isinstance(leaf, Tensor):
                known = (leaf.nptype, self._kind(leaf.sizes))
                parts.append((*known, "weak") if is_weak(leaf) else known)
            elif _is_tensorlike(leaf):
                t = leaves[i] = convert(leaf)
                parts.append((t.nptype, self._kind(t.sizes)))
            else:
                parts.append(static(leaf))
        return leaves, (picture(arguments, keywords), tuple(parts))

    def _kind(self, sizes: tuple[int | None, ...] | None) -> tuple[int | None, ...] | None:
        """Return what of a shape a trace depends on: not the number of rows, where each process has its own."""
        return None if self._relax else (None, *sizes[1:]) if options.local and sizes else sizes

    def _kept(self, key: Key) -> ConcreteFunction | None:
        """Return the trace of a key: one that serves everywhere, or one that is of use in the current graph alone."""
        trace = self._traces.get(key)
        if trace is None and state.graph is not None and self._number in state.graph.traces:
            return state.graph.traces[self._number].get(key)  # type: ignore[no-any-return]
        return trace

    def _found(self, key: Key, leaves: Sequence[Any]) -> ConcreteFunction | None:
        """Return the trace for a call."""
        trace = self._kept(key)
        if trace is None or not self._relax:
            return trace
        given = [_spec(leaf)._sizes for leaf in leaves if isinstance(leaf, Tensor | TensorSpec)]
        fits = all(covers(place.sizes, sizes) for place, sizes in zip(trace._inputs, given, strict=True))
        return trace if fits else None

    def _trace_for(self, key: Key, structure: Any, leaves: Sequence[Any]) -> ConcreteFunction:
        with self._traces.turn.taken():
            trace = self._found(key, leaves)
            if trace is not None:
                return trace
            former = self._kept(key)
            given = leaves if former is None else _relaxed(leaves, former)
            if options.local:  # the rows of all processes are more than those that are given
                given = [_open(leaf) if isinstance(leaf, Tensor | TensorSpec) else leaf for leaf in given]
            trace = self._trace(structure, given)
            if trace.graph.created:
                # Once more, as TensorFlow does: now that its variables are there, it must make none.
                self._made = True
                trace = self._trace(structure, given)
            self._made = True
            if all(isinstance(source, EagerTensor) for source, _ in trace.graph.captured.values()):
                trace.graph.part()
                traces = self._traces
            else:
                traces = state.graph.traces.setdefault(self._number, Traces(self._name))
            traces.keep(key, trace, leaves)
            return trace

    def _trace(self, structure: Any, leaves: Sequence[Any]) -> ConcreteFunction:
        python = self._converted or self.python_function
        try:
            return self._trace_once(python, structure, leaves)
        except (OperatorNotAllowedInGraphError, TypeError) as error:
            if not self._autograph or self._converted is not None or not _is_control_flow(error):
                raise
            self._converted = self._convert(error)
        return self._trace_once(self._converted, structure, leaves)

    def _convert(self, error: Exception) -> Callable[..., Any]:
        from wengert.modes.autograph import convert as autograph

        method = self._method
        if method is None:
            return autograph(self.python_function, library_hooks())
        plain = autograph(_alive(method).__func__, library_hooks())  # not the bound one, which would hold the instance
        return lambda *arguments, **keywords: plain(_alive(method).__self__, *arguments, **keywords)

    def _trace_once(self, python: Callable[..., Any], structure: Any, leaves: Sequence[Any]) -> ConcreteFunction:
        arguments, keywords = structure
        graph = FuncGraph(state.graph, self._name)
        names = self._names(arguments, keywords)
        specs = nest.flatten(list(self.input_signature)) if self.input_signature is not None else []
        places, symbolic, labels, specified = [], [], [], []
        for i, leaf in enumerate(leaves):
            if i < len(specs):
                place = graph.add_input(specs[i]._sizes, specs[i]._nptype, names[i])
            elif isinstance(leaf, TensorSpec):
                place = graph.add_input(leaf._sizes, leaf._nptype, leaf.name or names[i])
            elif _is_tensorlike(leaf):
                place = together(graph.add_input(leaf.sizes, leaf.nptype, names[i]), (leaf,))
            else:
                symbolic.append(stand_in(leaf))
                specified.append(weak(leaf))
                continue
            places.append(place)
            symbolic.append(place)
            labels.append(names[i])
            specified.append(TensorSpec(place.sizes, place.nptype, names[i]))
        packed_arguments, packed_keywords = nest.pack_sequence_as([list(arguments), keywords], symbolic)
        described, also = nest.pack_sequence_as([list(arguments), keywords], specified)
        self._count += 1
        with tracing(graph):
            result = python(*packed_arguments, **packed_keywords)
            if graph.created and self._made:
                raise ValueError(
                    "tf.function only supports singleton tf.Variables created on the first call. Make the variable once, "
                    "outside of the function."
                )
            outputs = nest.map_structure(lambda leaf: _output(graph, leaf), result)
        return ConcreteFunction(graph, self._name, places, outputs, (tuple(described), also), labels, self._signature)

    def _names(self, arguments: Any, keywords: Any) -> list[str]:
        names: list[str] = []
        parameters = list(self._signature.parameters) if self._signature is not None else []
        for i, a in enumerate(arguments):
            base = parameters[min(i, len(parameters) - 1)] if parameters else "input"
            names += [base] * len(nest.flatten(a))
        for k in sorted(keywords):
            names += [k] * len(nest.flatten(keywords[k]))
        return names

    def __repr__(self) -> str:
        return f"<wengert.Function {self._name}>"


class _Bound(Uncopied):
    """A function bound to an instance, which it keeps alive."""

    __slots__ = ("__weakref__", "_function", "_instance")

    def __init__(self, function: Function, instance: Any) -> None:
        self._function, self._instance = function, instance

    @property  # type: ignore[misc]  # so that it counts as a function
    def __class__(self) -> Any:
        return Function

    @property
    def __self__(self) -> Any:
        return self._instance

    def _instead(self) -> str:
        return f"The method {self._function._name} is neither copied nor pickled: pickle the object that it belongs to."

    def __deepcopy__(self, memo: dict[int, Any]) -> _Bound:
        """Go with the object that it is a method of, as part of something else."""
        if not memo:
            raise TypeError(self._instead())
        found: _Bound = getattr(copy.deepcopy(self._instance, memo), self._function.python_function.__name__)
        return found

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._function(*arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and getattr(other, "_function", other) is self._function

    def __hash__(self) -> int:
        return hash(self._function)

    def __repr__(self) -> str:
        return repr(self._function)


class ShapeMismatch(ShapeError, TypeError):
    """An argument has not the shape that the input_signature says."""


_run_eagerly = [False]


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Make functions run as plain Python, for debugging."""
    _run_eagerly[0] = bool(run_eagerly)


def _spec(leaf: Any) -> TensorSpec:
    return leaf if isinstance(leaf, TensorSpec) else TensorSpec.from_tensor(leaf)


def _relaxed(leaves: Sequence[Any], former: ConcreteFunction) -> list[Any]:
    """Return the leaves of a call, with specs for tensors: of whatever shape they have, and had in a former trace."""
    places = iter(former._inputs)
    found = []
    for leaf in leaves:
        if isinstance(leaf, Tensor | TensorSpec):
            spec = _spec(leaf)
            leaf = TensorSpec(relaxed(next(places).sizes, spec._sizes), spec.dtype, spec.name)
        found.append(leaf)
    return found


def _open(leaf: Tensor | TensorSpec) -> TensorSpec:
    """Return the spec of a tensor with any number of rows."""
    spec = _spec(leaf)
    return TensorSpec((None, *spec._sizes[1:]), spec.dtype, spec.name) if spec._sizes else spec


def _unbind(function: weakref.ref[Function], at: int, _gone: weakref.ref[Any]) -> None:
    """Drop the method of an instance that is gone."""
    found = function()
    if found is not None:
        found._bound.pop(at, None)


def _output(graph: FuncGraph, leaf: Any) -> Any:
    if leaf is None or isinstance(leaf, Node):
        return None
    leaf = value_of(leaf)
    try:
        return lift(graph, convert(leaf))
    except (ValueError, TypeError) as error:
        if isinstance(leaf, Tensor):
            raise
        raise TypeError(f"A traced function returns tensors, numbers, None and structures of them, not {leaf!r}.") from error


def _is_control_flow(error: BaseException) -> bool:
    if isinstance(error, OperatorNotAllowedInGraphError):
        return True
    text = str(error)
    return isinstance(error, TypeError) and ("symbolic" in text or "SymbolicTensor" in text)


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: Any = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: Any = None,
    experimental_compile: Any = None,
    experimental_follow_type_hints: Any = None,
) -> Any:
    """Make a Python function into one that is traced to a graph, once for each signature it is called with.

    A signature is the dtypes and shapes of the tensors (and NumPy arrays) among the arguments, and the values of all
    others. ``input_signature``: TensorSpecs of the one signature to trace for. ``reduce_retracing``: sizes that change from
    call to call are left open, so that one trace serves them all. Python control flow on tensors is converted.
    Usable as a decorator, with arguments or without.

    >>> import wengert as tf
    >>> @tf.function
    ... def f(x):
    ...     return tf.gradients(x * x * x, x)[0]
    >>> f(tf.constant(2.0)).numpy()
    np.float32(12.0)
    """
    if input_signature is not None and not isinstance(input_signature, list | tuple):
        raise TypeError("input_signature must be a possibly nested Python sequence of TensorSpecs.")

    def decorate(f: Callable[..., Any]) -> Function:
        if not callable(f):
            raise TypeError(f"function: expected a callable, not {f!r}.")
        return Function(f, input_signature, autograph, bool(reduce_retracing or experimental_relax_shapes))

    return decorate if func is None else decorate(func)


# --- what converted control flow does ------------------------------------------------------------------------------------

_hooks_made: list[Any] = []


def library_hooks() -> Any:
    if not _hooks_made:
        from wengert.modes.autograph import Hooks
        from wengert.modes.autograph.leaves import is_number_or_array
        from wengert.modes.control import _graph_cond, graph_loop

        def loop(cond: Callable[..., Any], body: Callable[..., Any], values: Sequence[Tensor]) -> Any:
            start = [v if hasattr(v, "_as_carry") else convert(v) for v in values]
            numbers = [not is_tensor_like(v) for v in values]
            return graph_loop(cond, body, start, numbers=numbers)

        def choose(pred: Tensor, true_fn: Callable[..., Any], false_fn: Callable[..., Any], merge: Any) -> Any:
            return _graph_cond(_truth(pred), true_fn, false_fn, merge)

        def length(value: Tensor) -> Any:
            if value.sizes is not None and not value.sizes:
                raise TypeError("Cannot iterate over a scalar tensor.")
            if value.sizes is not None and value.sizes[0] is not None:
                return value.sizes[0]
            return apply(linear.SHAPE, (value,), {"dtype": "int32"})[0]

        def check(pred: Array, message: str) -> None:
            append(state.graph, ASSERT, (_truth(pred),), {"message": message})

        def abstract(fn: Callable[..., Any], arguments: Any) -> Any:
            graph = FuncGraph(state.graph, "abstract", False)
            with tracing(graph):
                places = []
                for a in arguments:
                    if hasattr(a, "_as_carry"):
                        places.append(a._of_carry(graph.placeholder(a._as_carry().sizes, a.dtype.numpy)))
                        continue
                    t = convert(a)
                    places.append(graph.placeholder(t.sizes, t.nptype))
                return fn(*places)

        def zeros_like(value: Tensor) -> Any:
            sizes = [0 if s is None else s for s in (value.sizes or ())]
            return EagerTensor(np.zeros(sizes, value.nptype))

        _hooks_made.append(
            Hooks(
                is_symbolic=lambda v: isinstance(v, SymbolicTensor),
                cond=choose,
                while_loop=loop,
                logical_not=lambda v: apply(elementwise.LOGICAL_NOT, (_truth(v),)),
                length=length,
                element=lambda v, i: v[i],
                assert_true=check,
                abstract=abstract,
                zeros_like=zeros_like,
                is_value=lambda v: (
                    is_number_or_array(v) or isinstance(v, EagerTensor) or is_tensor_like(v) or hasattr(v, "_as_carry")
                ),
            )
        )
    return _hooks_made[0]


def _truth(value: Any) -> Any:
    t = convert(value)
    return t if t.nptype.kind == "b" else cast(t, np.dtype(np.bool_))
