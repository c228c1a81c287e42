"""A traced function of JAX's as lines: which of them are known without the coordinates, and how the rest is read.

A jaxpr is flattened: calls that only group (`jit`, checkpoints) are opened, and every value has a number, a *slot*. Lines that
do not depend on the coordinates stay JAX's, whatever they do: draws of dropout's masks, normalised weights, whole networks that
make weights. Lines that do are read into a list, each by the rule of its primitive.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from wengert.ground.errors import NoGradientError, UnimplementedError
from wengert.tensor.tensor import Tensor, convert

__all__ = [
    "Aval",
    "Closed",
    "Equation",
    "Flat",
    "Line",
    "OfLine",
    "Rule",
    "Rules",
    "Split",
    "Value",
    "alone",
    "flat",
    "key_of",
    "known",
    "place_of",
    "read",
    "read_closed",
    "split",
]

Rule = Callable[..., Any]
"""``rule(*inputs, **params)``: what a primitive gives for tensors, a tensor or a list of them."""


OPENED = dict.fromkeys(["jit", "pjit", "remat", "remat2", "checkpoint", "composite"], "jaxpr")
OPENED |= dict.fromkeys(["closed_call", "core_call", "named_call", "xla_call"], "call_jaxpr")
OPENED |= {"custom_vmap_call": "call"}
"""Primitives that only group lines, and where they keep them."""
UNSAID = frozenset(
    """
    jvp_jaxpr_fun fwd_jaxpr_thunk bwd fwd jvp num_consts symbolic_zeros out_trees in_shardings out_shardings sharding out_sharding
    in_layouts out_layouts ctx_mesh donated_invars keep_unused inline compiler_options_kvs name debug_info prevent_cse policy
    differentiated linear unroll _split_transpose precision update_consts
    """.split()
)
"""Parameters that do not change a value, or that other parts of a key stand for."""
SPREADING = frozenset({"broadcast_in_dim", "reshape", "squeeze", "transpose", "convert_element_type"})
"""Lines that are read into the list where they only make a known value larger."""

FOLDED = frozenset("add and convert_element_type div eq ge gt le lt max min mul ne neg not or sub".split())
"""Lines that are done while they are read where they stand between numbers: a choice that is known has one case."""


class Aval(Protocol):
    """What JAX knows of a value while it traces; arrays say it too."""

    shape: tuple[int, ...]
    dtype: Any


class Atom(Protocol):
    """What stands in an equation: a variable or a literal."""

    aval: Aval
    val: Any


class Equation(Protocol):
    """An equation of a jaxpr."""

    primitive: Any
    params: Mapping[str, Any]
    invars: Sequence[Any]
    outvars: Sequence[Any]
    source_info: Any


class Lines(Protocol):
    """A jaxpr."""

    invars: Sequence[Any]
    constvars: Sequence[Any]
    outvars: Sequence[Any]
    eqns: Sequence[Any]


class Closed(Protocol):
    """A jaxpr with the values of its consts."""

    jaxpr: Lines
    consts: Sequence[Any]


class Value(NamedTuple):
    """A number, or a small array, that stands in a line."""

    value: Any


class Line(NamedTuple):
    """One equation of a jaxpr."""

    eqn: Any
    inputs: tuple[int | Value, ...]
    outputs: tuple[int, ...]

    @property
    def primitive(self) -> str:
        """The name of its primitive."""
        return str(self.eqn.primitive.name)


class OfLine(NamedTuple):
    """A rule that takes the line itself."""

    enter: Callable[[Line, Sequence[Any]], Any]


Rules = Mapping[str, Rule | OfLine]


class Flat(NamedTuple):
    """A flattened jaxpr."""

    lines: list[Line]
    arguments: tuple[int, ...]
    consts: tuple[int, ...]
    arrays: list[Any]
    """The values of the consts."""
    results: tuple[int | Value, ...]
    avals: list[Any]
    """Shape and dtype by slot."""


class Split(NamedTuple):
    """A flattened jaxpr in its two parts."""

    flat: Flat
    known: list[Line]
    read: list[Line]
    places: tuple[int, ...]
    """The slots of known values that the read lines need."""


def extend() -> Any:
    """Return JAX's module of jaxprs."""
    return importlib.import_module("jax.extend.core")


def flat(closed: Closed, arrays: Sequence[Any] | None = None) -> Flat:
    """Flatten a closed jaxpr; ``arrays``: its consts, in place of those in it."""
    lines: list[Line] = []
    avals: list[Any] = []
    consts: list[int] = []
    values: list[Any] = []
    literal, dropped = extend().Literal, extend().DropVar

    def slot(aval: Aval) -> int:
        avals.append(aval)
        return len(avals) - 1

    def held(value: Aval | None, aval: Aval) -> int:
        consts.append(slot(aval))
        values.append(value)
        return consts[-1]

    def walk(jaxpr: Lines, given: Sequence[Any], inputs: Sequence[int | Value]) -> list[int | Value]:
        places: dict[Any, int | Value] = dict(zip(jaxpr.invars, inputs, strict=True))
        places.update({var: held(value, var.aval) for var, value in zip(jaxpr.constvars, given, strict=True)})

        def of(atom: Atom) -> int | Value:
            return Value(np.asarray(atom.val, atom.aval.dtype)) if isinstance(atom, literal) else places[atom]

        for eqn in jaxpr.eqns:
            ins = tuple([of(atom) for atom in eqn.invars])
            inner = eqn.params.get(OPENED.get(eqn.primitive.name, ""))
            if inner is not None:
                body, own = (inner.jaxpr, inner.consts) if hasattr(inner, "consts") else (inner, ())
                outs: Sequence[int | Value] = walk(body, own, ins)
            elif eqn.primitive.name in FOLDED and not eqn.outvars[0].aval.shape and all([isinstance(i, Value) for i in ins]):
                outs = _folded(Line(eqn, ins, ()))
            else:
                outs = tuple([slot(var.aval) for var in eqn.outvars])
                lines.append(Line(eqn, ins, outs))  # type: ignore[arg-type]
            places.update({var: out for var, out in zip(eqn.outvars, outs, strict=True) if not isinstance(var, dropped)})
        return [of(atom) for atom in jaxpr.outvars]

    arguments = tuple([slot(var.aval) for var in closed.jaxpr.invars])
    results = walk(closed.jaxpr, closed.consts if arrays is None else arrays, arguments)
    return Flat(lines, arguments, tuple(consts), values, tuple(results), avals)


def _folded(line: Line) -> tuple[Value, ...]:
    """Return what a line of numbers comes to, within a trace too."""
    with importlib.import_module("jax").ensure_compile_time_eval():
        return tuple([Value(np.asarray(found)) for found in alone(line)(*[cast(Value, i).value for i in line.inputs])])


def split(whole: Flat, free: Iterable[int]) -> Split:
    """Tell what depends on some slots, the coordinates, from what is known without."""
    moving = set(free)
    for line in whole.lines:
        if any([not isinstance(i, Value) and i in moving for i in line.inputs]):
            moving.update(line.outputs)
    needed = {i for i in whole.results if not isinstance(i, Value) and i not in moving}
    known_lines, read_lines = [], []
    for line in reversed(whole.lines):
        if line.outputs and line.outputs[0] in moving:
            read_lines.append(line)
            needed.update([i for i in line.inputs if not isinstance(i, Value) and i not in moving])
        elif line.primitive in SPREADING and line.outputs[0] in needed and _spreads(whole, line):
            read_lines.append(line)
            needed.discard(line.outputs[0])
            needed.update([i for i in line.inputs if not isinstance(i, Value)])
            known_lines.append(line)  # another known line may need it
        else:
            known_lines.append(line)
    return Split(whole, known_lines[::-1], read_lines[::-1], tuple(sorted(needed)))


def _spreads(whole: Flat, line: Line) -> bool:
    before = line.inputs[0]
    size = 1 if isinstance(before, Value) else int(np.prod(whole.avals[before].shape))
    return line.primitive != "broadcast_in_dim" or size < int(np.prod(whole.avals[line.outputs[0]].shape))


# --- keys ---------------------------------------------------------------------------------------------------------


def key_of(whole: Flat, lines: Sequence[Line] | None = None, said: Callable[[Line], Hashable] = lambda line: None) -> Hashable:
    """Return what tells a flattened jaxpr from others; ``said``: what is to be told of a line beside its parameters."""
    return (
        tuple([
            (line.primitive, *[_told(i) for i in line.inputs], line.outputs, _parameters(line.eqn.params), said(line))
            for line in (whole.lines if lines is None else lines)
        ]),
        tuple([_aval(whole.avals[i]) for i in (*whole.arguments, *whole.consts)]),
        whole.arguments, whole.consts, tuple([_told(i) for i in whole.results]),
    )  # fmt: skip


def _aval(aval: Aval) -> Hashable:
    return tuple(getattr(aval, "shape", ())), str(getattr(aval, "dtype", aval))


def _told(value: int | Value) -> Hashable:
    return _hashable(value.value) if isinstance(value, Value) else value


def _parameters(params: Mapping[str, Any]) -> Hashable:
    return tuple([(name, _hashable(value)) for name, value in sorted(params.items()) if name not in UNSAID])


def _hashable(said: Hashable | Closed) -> Hashable:
    value: Any = said
    if isinstance(value, np.ndarray | np.generic):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, tuple | list):
        return type(value).__name__, *[_hashable(v) for v in value]
    if isinstance(value, Mapping):
        return _parameters(value)
    if hasattr(value, "eqns"):
        return key_of(flat(SimpleNamespace(jaxpr=value, consts=[None] * len(value.constvars))))
    if hasattr(value, "jaxpr") and hasattr(value, "consts"):
        whole = flat(value)
        return key_of(whole), tuple([_hashable(_concrete(a)) for a in whole.arrays])
    return value  # type: ignore[no-any-return]


def _concrete(array: Aval) -> Any:
    try:
        return np.asarray(array)
    except Exception as error:
        raise UnimplementedError(
            "A scan, a loop, a choice or a custom derivative holds an array that is being traced; give it as an argument."
        ) from error


# --- the known part -----------------------------------------------------------------------------------------------


def alone(line: Line) -> Callable[..., Sequence[Any]]:
    """Return a line as a function of JAX's, of all of its inputs."""
    core, jax = extend(), importlib.import_module("jax")
    specs = [jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype) for atom in line.eqn.invars]
    fresh = jax.make_jaxpr(lambda *xs: xs)(*specs).jaxpr
    eqn = line.eqn.replace(invars=list(fresh.invars))
    info = _debug(len(specs), len(eqn.outvars))
    jaxpr = core.Jaxpr((), list(fresh.invars), list(eqn.outvars), [eqn], eqn.effects, info)
    return core.jaxpr_as_fun(core.ClosedJaxpr(jaxpr, ()))  # type: ignore[no-any-return]


def _debug(inputs: int, outputs: int) -> Any:
    info = getattr(extend(), "DebugInfo", None)
    names = tuple([f"x{k}" for k in range(inputs)]), tuple([f"y{k}" for k in range(outputs)])
    return None if info is None else info("line", "line", *names)


def known(part: Split) -> Callable[..., list[Any]]:
    """Return what computes, in JAX, what the read lines need, from the consts; it is made when it is first called."""

    @functools.cache
    def kept() -> list[tuple[Line, Callable[..., Sequence[Any]]]]:
        wanted = set(part.places)
        found: list[tuple[Line, Callable[..., Sequence[Any]]]] = []
        for line in reversed(part.known):
            if wanted.intersection(line.outputs):
                wanted.update([i for i in line.inputs if not isinstance(i, Value)])
                found.append((line, alone(line)))
        return found[::-1]

    def computed(*arrays: Aval) -> list[Any]:
        values: dict[int, Any] = dict(zip(part.flat.consts, arrays, strict=True))
        for line, function in kept():
            found = function(*[i.value if isinstance(i, Value) else values[i] for i in line.inputs])
            values.update(zip(line.outputs, found, strict=True))
        return [values[i] for i in part.places]

    return computed


# --- the list -----------------------------------------------------------------------------------------------------


def read(part: Split, arguments: Sequence[Tensor], places: Sequence[Tensor], rules: Rules) -> list[Any]:
    """Append the lines that depend on the coordinates; return the results, tensors."""
    return _appended(part.flat, part.read, (*part.flat.arguments, *part.places), (*arguments, *places), rules)


def read_closed(closed: Closed, inputs: Sequence[Any], rules: Rules) -> list[Any]:
    """Append a closed jaxpr, its consts being constants."""
    whole = flat(closed)
    held = [convert(_concrete(a)) for a in whole.arrays]
    return _appended(whole, whole.lines, (*whole.arguments, *whole.consts), (*inputs, *held), rules)


def _appended(whole: Flat, lines: Sequence[Line], slots: Sequence[int], given: Sequence[Any], rules: Rules) -> list[Any]:
    values: dict[int, Any] = dict(zip(slots, given, strict=True))
    for line in lines:
        if not line.outputs:  # it prints
            continue
        inputs = [i.value if isinstance(i, Value) else values[i] for i in line.inputs]
        found = applied(line, inputs, rules)
        values.update(zip(line.outputs, found if isinstance(found, list | tuple) else [found], strict=True))
    return [convert(i.value) if isinstance(i, Value) else values[i] for i in whole.results]


def applied(line: Line, inputs: Sequence[Any], rules: Rules) -> Any:
    """Return what a line gives.

    Raises:
        UnimplementedError: for a primitive without a rule, and one whose rule does not take its parameters.
    """
    rule = rules.get(line.primitive)
    if isinstance(rule, OfLine):
        return rule.enter(line, [convert(x) for x in inputs])
    if rule is None:
        raise UnimplementedError(
            f"wengert.jax: there is no rule for JAX's primitive {line.primitive!r}, which stands at {place_of(line.eqn)}. "
            "wengert.jax.register states one."
        )
    if any([x is None for x in inputs]):
        raise UnimplementedError(
            f"wengert.jax: the exchanges of rows of an LU factorisation are not there for {line.primitive!r}, which stands at "
            f"{place_of(line.eqn)}."
        )
    try:
        return rule(*[convert(x) for x in inputs], **line.eqn.params)
    except UnimplementedError as error:
        if "stands at" in error.message:
            raise
        raise UnimplementedError(f"{error.message} It stands at {place_of(line.eqn)}.") from error


def place_of(eqn: Equation) -> str:
    """Return the user's line of an equation, as text."""
    traceback = getattr(eqn.source_info, "traceback", None)
    for frame in getattr(traceback, "frames", ()):
        name = frame.file_name.replace("\\", "/")
        if "/jax/" not in name and "/wengert/" not in name and "/flax/" not in name and "/equinox/" not in name:
            return f"{frame.file_name}:{frame.line_num}"
    return "an unknown line"


MOST_NESTED = 6
"""How often a stated derivative may be differentiated by what it states itself."""
_nested: list[object] = []


@contextlib.contextmanager
def deeper(what: object) -> Iterator[None]:
    """Append a derivative that is stated: within it, others may be asked for.

    Raises:
        NoGradientError: where that has gone deeper than `MOST_NESTED`: it is kept until somebody asks for this derivative.
    """
    if len(_nested) > MOST_NESTED:
        raise NoGradientError(f"A stated derivative was differentiated {MOST_NESTED} times by what it states, and no further.")
    _nested.append(what)
    try:
        yield
    finally:
        _nested.pop()
