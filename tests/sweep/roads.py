"""The roads: how a program is run.

Eagerly is the definition. Every road gives an `Outcome`: for each result an array or None, or the class of the error. Roads are
compared with the eager outcome in float64 within a *measured* tolerance: the program is run once more with what each operation
gives, in derivatives too, moved by a random 1e-9 of itself. What the results move by, over 1e-9, is how many roundings each is
sensitive to, and a road may be off by `SLACK` times that many roundings of its dtype.
"""

from __future__ import annotations

import contextlib
import functools
import linecache
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import wengert as tf
from wengert.execute import numpy as numpy_executor
from wengert.execute import tiles
from wengert.execute.native import passes
from wengert.ground.context import state
from wengert.ground.options import Options, options
from wengert.ops.op import table, values

from .program import Choice, Loop, Program, printed, walk

__all__ = [
    "ROADS",
    "TOTALS",
    "Difference",
    "Outcome",
    "Reference",
    "Run",
    "TimeLimit",
    "attempt",
    "compare",
    "needs_autograph",
    "reference",
    "run",
]

NOISE = 1e-9
SLACK = 64.0
FLOOR = {"float32": 1e-30, "float64": 1e-200}
REWRITES = Options.REWRITES


class Outcome(NamedTuple):
    """What a road gave."""

    values: dict[str, Any]
    error: str = ""
    text: str = ""


class Difference(NamedTuple):
    """One disagreement of a road with what it is compared with."""

    road: str
    kind: str
    """value, nan, fewer nan (the rest agrees), none (where a tensor is expected), not none, zeros for none, shape, dtype, error, no error, other error."""
    name: str
    got: str
    want: str
    against: str = "eager"


# --- running ------------------------------------------------------------------------------------------------------------------


ROUNDED = [
    op
    for op in table.values()
    if (op.kind in ("bilinear", "elementwise", "implicit") and op.name not in ("range", "random_gamma", "multiply_no_nan"))
    or op.name in ("add", "subtract", "add_n", "sum", "mean", "cumsum", "sum_like", "sum_to", "segment_sum", "mean_transpose")
]
"""Operations whose results are rounded."""


@contextlib.contextmanager
def noise(seed: int, more: float = 0.0) -> Iterator[None]:
    """Move what each operation gives eagerly, in derivatives too, by a random `NOISE` of itself; or, if given, by up to ``more``."""
    rng = np.random.default_rng(seed)

    def move(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple([move(one) for one in x])
        if not isinstance(x, np.ndarray | np.floating) or x.dtype.kind != "f":
            return x
        moved = x * (1.0 + (0.0 if more else NOISE) * rng.uniform(-1, 1, x.shape)) + more * rng.uniform(-1, 1, x.shape)
        return np.asarray(moved if more else np.where(x == np.round(x), x, moved), x.dtype)  # exponents stay whole

    def moved(f: Any) -> Any:
        return lambda *arrays, **attrs: move(f(*arrays, **attrs))

    before = [(op, op.eager) for op in ROUNDED]
    for op, f in before:
        op.eager = moved(f)
        values.__dict__.pop(op.name, None)
    try:
        yield
    finally:
        for op, f in before:
            op.eager = f
            values.__dict__.pop(op.name, None)


_serial = [0]


class Source:
    """A program's text, compiled once, from which each road gets functions with variables of their own."""

    def __init__(self, program: Program, given: bool = False) -> None:
        self.text = printed(program, given)
        _serial[0] += 1
        self.file = f"<program {_serial[0]}>"
        self.code = compile(self.text, self.file, "exec")
        linecache.cache[self.file] = (len(self.text), None, self.text.splitlines(True), self.file)

    def function(self, program: Program, dtype: str, **names: Any) -> tuple[Any, dict[str, Any]]:
        """Return the function and its variables, made where this is called."""
        variables = {v.name: tf.Variable(np.asarray(v.value, dtype), trainable=v.trainable) for v in program.variables}
        space = {"tf": tf, "np": np, "F": getattr(tf, dtype), "N": getattr(np, dtype), **variables, **names}
        exec(self.code, space)
        return space["program"], variables

    def close(self) -> None:
        linecache.cache.pop(self.file, None)


class Run:
    """Everything that is run of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.source = Source(program)
        self.sources = {False: self.source}
        self.arrays = [np.asarray(x.value, program.dtype) for x in program.inputs]
        self.traced: Any = None

    def close(self) -> None:
        for source in self.sources.values():
            source.close()

    def variant(self, given: bool) -> Source:
        if given not in self.sources:
            self.sources[given] = Source(self.program, given)
        return self.sources[given]

    def tensors(self, dtype: str | None = None) -> list[Any]:
        return [tf.constant(a if dtype is None else a.astype(dtype)) for a in self.arrays]

    def reset(self, variables: dict[str, Any], dtype: str) -> None:
        for v in self.program.variables:
            variables[v.name].assign(np.asarray(v.value, dtype))

    def eager(self, dtype: str | None = None, given: Any = None) -> Outcome:
        dtype = dtype or self.program.dtype
        f, _ = self.variant(given is not None).function(self.program, dtype, given=given)
        with self.around():
            return outcome(f(*self.tensors(dtype)))

    def around(self) -> Any:
        """Return what gradients need eagerly."""
        return tf.recording() if "gradients" in self.program.tags else contextlib.nullcontext()

    def function(self, captured: bool = False) -> Outcome:
        f, variables = self.source.function(self.program, self.program.dtype)
        inputs = self.tensors()
        if captured:
            return outcome(tf.function(lambda: f(*inputs))())
        signature = None
        if self.program.unknown:
            signature = [tf.TensorSpec([None, *a.shape[1:]] if a.ndim else [], self.program.dtype) for a in self.arrays]
        traced = tf.function(f, input_signature=signature)
        found = outcome(traced(*inputs))
        self.traced = traced, variables, inputs
        return found

    def again(self) -> Outcome:
        """Run the traced function once more, as the options now are."""
        if self.traced is None:
            self.function()
        traced, variables, inputs = self.traced
        self.reset(variables, self.program.dtype)
        return outcome(traced(*inputs))

    def graph(self) -> Outcome:
        with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
            f, _ = self.source.function(self.program, self.program.dtype)
            shapes = [[None, *a.shape[1:]] if a.ndim and self.program.unknown else a.shape for a in self.arrays]
            holders = [tf.compat.v1.placeholder(self.program.dtype, s) for s in shapes]
            initial = {o.name for o in graph.get_operations()}
            results = (tf.function(f) if needs_autograph(self.program) else f)(*holders)
            effects = [o for o in graph.get_operations() if writes(o) and o.name not in initial]
            if self.program.variables:
                session.run(tf.compat.v1.global_variables_initializer())
            kept = {k: v for k, v in results.items() if v is not None}
            found, _ = session.run([kept, effects], dict(zip(holders, self.arrays, strict=True)))
            return outcome({k: found.get(k) for k in results})

    # --- the whole program as a function of its inputs

    def directions(self) -> list[Any]:
        rng = np.random.default_rng(7)
        return [(np.round(rng.uniform(-1, 1, a.shape) * 64) / 64).astype(a.dtype) for a in self.arrays]

    def total(self, how: str, dtype: str | None = None) -> Outcome:
        """Return the derivative of a weighted sum of all results along a direction, and the sum."""
        program = self.program
        dtype = dtype or program.dtype
        f, _ = self.source.function(program, dtype)
        inputs = self.tensors(dtype)
        ds = [tf.constant(d.astype(dtype)) for d in self.directions()]

        def summed(results: Any) -> Any:
            parts = [(0.5 + k % 3 / 4) * tf.reduce_sum(r) for k, r in enumerate(results.values()) if r is not None]
            return tf.add_n(parts)

        def zero(d: Any) -> Any:
            return tf.zeros([], dtype) if d is None else d

        def reverse(inner: Any, *xs: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(list(xs))
                y = summed(inner(*xs))
            gs = tape.gradient(y, list(xs), unconnected_gradients="zero")
            return {"total": tf.add_n([tf.reduce_sum(g * d) for g, d in zip(gs, ds, strict=True)]), "sum": y}

        def forward(inner: Any, *xs: Any) -> Any:
            with tf.autodiff.ForwardAccumulator(list(xs), ds) as acc:
                y = summed(inner(*xs))
            return {"total": zero(acc.jvp(y)), "sum": y}

        if how in ("reverse", "forward"):
            with self.around():
                return outcome((reverse if how == "reverse" else forward)(f, *inputs))
        if how == "forward in function":
            return outcome(tf.function(functools.partial(forward, f))(*inputs))
        if how == "tape in function":
            return outcome(tf.function(functools.partial(reverse, f))(*inputs))
        return outcome((reverse if how == "tape around function" else forward)(tf.function(f), *inputs))


def writes(operation: Any) -> bool:
    """Say whether an operation of a graph may write variables: a session runs it only if it is fetched, or what needs it."""
    return operation.type.startswith("Assign") or operation.op.kind == "control"


def needs_autograph(program: Program) -> bool:
    """Say whether Python's own if, for or while decide on tensors."""
    return any(isinstance(s, Choice | Loop) and s.style in ("if", "for", "while") for s in walk(program.statements))


def outcome(results: dict[str, Any]) -> Outcome:
    """Return results as arrays."""
    return Outcome({k: None if r is None else np.asarray(dense(r)) for k, r in results.items()})


def dense(value: Any) -> Any:
    """Return rows that a graph or a tape gave as an array."""
    if isinstance(value, tf.IndexedSlices):
        return tf.convert_to_tensor(value)
    if hasattr(value, "dense_shape"):
        full = np.zeros(tuple(value.dense_shape), value.values.dtype)
        np.add.at(full, value.indices, value.values)
        return full
    return value


@contextlib.contextmanager
def small_tiles() -> Iterator[None]:
    """Let every list be cut that can be cut: for NumPy into tiles of two rows."""
    least = [
        (tiles.cut, "LEAST_ROWS", 2), (tiles.run, "LEAST_STEPS", 1), (tiles.run, "LEAST_BYTES", 0), (tiles.layout, "FEWEST", 1),
        (passes, "LEAST_STEPS", 1), (passes, "LEAST_BYTES", 0),
    ]  # fmt: skip
    before = [(module, name, getattr(module, name)) for module, name, _ in least]
    before.append((numpy_executor, "cut", numpy_executor.cut))
    for module, name, value in least:
        setattr(module, name, value)
    numpy_executor.cut = functools.partial(numpy_executor.cut, tile=2)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


@contextlib.contextmanager
def executor(name: str) -> Iterator[None]:
    """Let another executor run."""
    with options.set(executor=name, after=0):
        yield


def _small(r: Run) -> Outcome:
    with small_tiles(), executor("numpy"):
        return r.function()


def _native(r: Run) -> Outcome:
    with small_tiles(), executor("native"):
        return r.function()


def _xla(r: Run) -> Outcome:
    with executor("xla"):
        return r.function()


def _without(*names: str) -> Callable[[Run], Outcome]:
    def road(r: Run) -> Outcome:
        with tf.config.rewrites(**dict.fromkeys(names, False)):
            return r.again()

    return road


ROADS: dict[str, Callable[[Run], Outcome]] = {
    "function": lambda r: r.function(),
    "function, small tiles": _small,
    "native": _native,
    "function, captured": lambda r: r.function(captured=True),
    "graph": lambda r: r.graph(),
    **{f"without {name}": _without(name) for name in REWRITES},
    "without rewrites": _without(*REWRITES),
    "xla": _xla,
}
TOTALS = ("forward", "forward in function", "tape in function", "tape around function", "forward around function")
for _how in TOTALS:
    ROADS[_how] = functools.partial(Run.total, how=_how)


def attempt(road: Callable[[], Outcome]) -> Outcome:
    """Run a road; an error is an outcome."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return road()
    except (TimeLimit, KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        return Outcome({}, type(error).__name__, str(error))


class TimeLimit(BaseException):
    """A program took too long."""


def run(r: Run, road: str) -> Outcome:
    """Run a road."""
    return attempt(lambda: ROADS[road](r))


# --- comparing ----------------------------------------------------------------------------------------------------------------


class Reference(NamedTuple):
    """What a road is compared with: values, and by how much each may be off; None: compared exactly as NaN, None and shape."""

    outcome: Outcome
    sensitivity: dict[str, float]
    """Roundings, in float64's of a value of size 1: |change| / change of each statement."""


def given_by(program: Program, found: Outcome) -> Any:
    """Return a function that gives the draws of an outcome again, in order; the same where `recompute_grad` repeats its function."""
    rows = {site: list(drawn(found.values[record])) for site, record in program.draws}

    def give(site: str, shape: Any) -> Any:
        memory = state.memory
        if memory is not None and memory.repeating:
            return memory.take(None)
        value = tf.constant(rows[site].pop(0).reshape(shape))
        return value if memory is None else memory.take(value)

    return give


def drawn(record: Any) -> list[Any]:
    """Return the rows of a record that were drawn: those that are not NaN."""
    return [row for row in record if not np.isnan(row).any()] if record.size else list(record)


def reference(
    r: Run, found: Outcome | None = None, total: bool = False, times: int = 1, clean: Outcome | None = None
) -> Reference:
    """Return the eager outcome, in float64 where points are regular, and its sensitivity.

    ``found``: given that one's draws. ``clean``: the outcome, where it is known.
    """
    program = r.program
    dtype = program.dtype if program.singular else "float64"
    give = (lambda: None) if found is None else (lambda: given_by(program, found))

    def one(seed: int | None = None) -> Outcome:
        with contextlib.nullcontext() if seed is None else noise(seed):
            return attempt(lambda: r.total("reverse", dtype) if total else r.eager(dtype, give()))

    if clean is None:
        clean = one()
    sensitivity: dict[str, float] = {}
    if not clean.error:
        moved = [] if program.singular else [one(k) for k in range(times)]
        for name, value in clean.values.items():
            if value is None or not value.size:
                continue
            with np.errstate(all="ignore"):
                size = float(np.max(np.abs(value[np.isfinite(value)]), initial=0.0))
                moves = [np.abs(m.values[name] - value) for m in moved if not m.error and m.values.get(name) is not None]
                moved_by = max([float(np.max(x[np.isfinite(x)], initial=0.0)) for x in moves], default=0.0)
            # Numbers on the way are about 1: what is exactly zero by one way may be a rounding of that by another. (At singular
            # points nothing can be moved.)
            sensitivity[name] = 1.0 + size if program.singular else 0.0625 + (8 if times > 1 else 1) * moved_by / NOISE + size
    return Reference(clean, sensitivity)


def compare(program: Program, road: str, want: Reference, got: Outcome, against: str = "eager") -> list[Difference]:
    """Return the differences of an outcome."""
    expected = want.outcome
    if expected.error or got.error:
        if expected.error == got.error:
            return []
        kind = "error" if not expected.error else "no error" if not got.error else "other error"
        return [Difference(road, kind, "", f"{got.error}: {got.text}"[:300], f"{expected.error}: {expected.text}"[:300], against)]
    if "sum" in expected.values and not np.isfinite(expected.values["sum"]):
        return []  # of what is no number there is no derivative
    found = []
    records = {record for _, record in program.draws}
    for name, value in expected.values.items():
        if name in records:
            continue
        other = got.values.get(name)
        kind = kind_of(program.dtype, value, other, want.sensitivity.get(name, 0.0))
        if kind:
            found.append(Difference(road, kind, name, shown(other), shown(value), against))
    return found


def kind_of(dtype: str, value: Any, other: Any, sensitivity: float) -> str:
    """Return how a value differs from what is expected; nothing if it does not."""
    if value is None or other is None:
        if value is other:
            return ""
        if other is None:
            return "none"
        return "not none" if np.any(other != 0) else "zeros for none"
    if value.shape != other.shape:
        return "shape"
    if other.dtype.kind == "f" and str(other.dtype) != dtype:
        return "dtype"
    with np.errstate(all="ignore"):
        nan, others = np.isnan(value), np.isnan(other)
        fewer = bool(np.any(nan & ~others))
        if np.any(others & ~nan):
            return "nan"
        value = np.where(nan, other, value)
        finite = np.isfinite(value)
        if not np.array_equal(value[~finite], other[~finite], equal_nan=True):
            return "value"
        off = np.abs(value[finite].astype(np.float64) - other[finite])
        most = SLACK * float(np.finfo(dtype).eps) * sensitivity + FLOOR[dtype]
        return "value" if off.size and not float(np.max(off)) <= most else "fewer nan" if fewer else ""


def shown(value: Any) -> str:
    return "None" if value is None else np.array2string(np.asarray(value), precision=8, separator=", ", threshold=40)
