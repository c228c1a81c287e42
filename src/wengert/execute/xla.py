"""The executor over XLA, through JAX's public interface. This is the one file that imports JAX.

A lowered list is walked once for each signature (the shapes of its feeds and variables) with an array namespace over
`jax.numpy`, and what that builds is compiled. While it is walked a value is one of

- a NumPy array: known now. What is computed from such values alone is computed now, by the NumPy kernels, so shapes that
  are computed from shapes stay known;
- an array of JAX: known when it runs;
- a `Ref`: a variable. The values of all variables stand in an environment, which reading and assigning look into, in the
  order of the program. What was assigned comes back as a result.

What XLA cannot do raises `Unsupported`, with the operation and the user's line, before anything has run.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from wengert.execute.chunks import chunked, fits
from wengert.execute.numpy import Program, Variant, _failure, _located, _unfed
from wengert.execute.plan import Plan
from wengert.execute.tiles.run import cut
from wengert.execute.variables import bodies, variables_in, variables_of
from wengert.graph.graph import Node
from wengert.ground import parameters
from wengert.ground.context import quietly, state
from wengert.ground.errors import OpError, ResourceExhaustedError, UnimplementedError
from wengert.ground.interrupt import undivided
from wengert.ground.options import options
from wengert.ops.linear import CONSTANT, SHAPE, SIZE
from wengert.ops.state import ASSERT, NO_OP
from wengert.tensor.tensor import Graph

__all__ = ["Unsupported", "XlaArrays", "XlaProgram", "arrays", "brief", "check_installed", "signature", "variables_of"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SMALL = 1 << 16
"""Bytes up to which a constant stands in the executable; a larger one is an argument."""
ROOMY = 1 << 28
"""Bytes that a run may ask for, beside its arguments, with the only copy of the variables given away."""
STEPS = 2048
"""How many steps a loop may become where it is written out."""
TRIPS = 100_000
"""How many turns of a loop are counted beforehand."""

_dispatch = threading.RLock()
"""Held while a program takes the variables' values and hands them to XLA, so that nobody gives them away meanwhile."""


TEMPORARY = 14 << 20
"""Bytes of temporaries, as tiles count them, from which it is asked whether XLA counts more than `LARGE`."""
LARGE = 30 << 20
"""Bytes of temporaries above which a list runs in chunks on CPUs: the C library gives blocks above 32 MB back after each run."""
CHUNK = 18 << 20
"""Bytes of temporaries that a chunk is to have on CPUs, or less: its rows are a power of 2."""
BLOCK = 512
"""Rows of a block in a product over rows."""


class Unsupported(UnimplementedError):
    """XLA cannot run a list; the message says which operation, where it was made, and why."""


def check_installed() -> None:
    """Check that JAX is there, without importing it.

    Raises:
        ImportError: if it is not installed.
    """
    if importlib.util.find_spec("jax") is None:
        raise ImportError("The executor over XLA needs JAX, and it is not installed: pip install 'wengert[xla]'")


def arrays() -> XlaArrays:
    """Return the array namespace over JAX; JAX is imported when this is first called.

    Raises:
        ImportError: if JAX is not installed.
    """
    if not _made:
        _made.append(XlaArrays())
    return _made[0]


_made: list[XlaArrays] = []


@contextlib.contextmanager
def _draws_apart() -> Iterator[None]:
    """Leave NumPy's global generator alone: JAX draws from it when it is imported, which would change what a seed gives.

    Other threads, which may run the user's program meanwhile, draw as ever.
    """
    before, importer, apart = np.random.rand, threading.get_ident(), np.random.RandomState(0)

    def rand(*sizes: Any) -> Any:
        return (apart.rand if threading.get_ident() == importer else before)(*sizes)

    np.random.rand = rand
    try:
        yield
    finally:
        np.random.rand = before


class XlaArrays:
    """`jax.numpy` as an array namespace, with the names of `wengert.ground.arrays.NumPyArrays`.

    It works in JAX's own types: call its functions within `scope()`, so that float64 and int64 are what they say.
    """

    name = "xla"

    SPECIAL = (
        "erf erfc erfinv ndtri log_ndtr digamma zeta gammainc gammaincc betainc i0 i1 i0e i1e dawsn expit ndtr spence expi "
    ).split()

    def __init__(self) -> None:
        """Import JAX."""
        check_installed()
        try:
            with _draws_apart():
                jax: Any = importlib.import_module("jax")
                for part in ("numpy", "scipy.linalg", "scipy.special"):
                    importlib.import_module(f"jax.{part}")
        except ImportError as error:
            raise ImportError(
                f"The executor over XLA needs JAX, and it cannot be imported ({error}): pip install 'wengert[xla]'"
            ) from error
        self.jax = jax
        self._numpy, self._special = jax.numpy, jax.scipy.special
        wide = getattr(jax, "enable_x64", None)
        if wide is None:
            wide = importlib.import_module("jax.experimental").enable_x64
        self.wide = partial(wide, True)
        """A context in which this thread's 64-bit types are 64 bits wide; what the user's own JAX does is left alone."""
        errors = jax.errors
        self.value_needed: tuple[type[Exception], ...] = (
            errors.ConcretizationTypeError, errors.TracerArrayConversionError, errors.TracerIntegerConversionError,
            errors.NonConcreteBooleanIndexError,
        )  # fmt: skip
        """What JAX raises where Python asks for a value that is not there yet."""
        self.linalg = _Linalg(jax)
        self.maximum = _Maximum(jax)

    @functools.cached_property
    def distant(self) -> bool:
        """Whether the device has a memory of its own, as accelerators do."""
        return bool(self.jax.devices()[0].platform != "cpu")

    def scope(self) -> Any:
        """Return the context of this thread in which lists are walked and compiled: wide types, exact products."""
        stack = contextlib.ExitStack()
        stack.enter_context(self.wide())
        stack.enter_context(self.jax.default_matmul_precision("highest"))
        stack.enter_context(self.jax.numpy_dtype_promotion("standard"))
        return stack

    def __getattr__(self, name: str) -> Any:
        """Take the rest from JAX."""
        if name.startswith("__") or "jax" not in self.__dict__:
            raise AttributeError(name)
        if name == "random":
            raise Unsupported("XLA draws no random numbers of NumPy's")
        value = getattr(self._special if name in self.SPECIAL else self._numpy, name, None)
        if value is None:
            raise Unsupported(f"JAX has no function {name!r}")
        setattr(self, name, value)
        return value

    def astype(self, x: Any, dtype: Any) -> Any:
        """Convert; complex to real keeps the real part, floats to integers are cut."""
        x = self._numpy.asarray(x)
        if x.dtype.kind == "c" and np.dtype(dtype).kind not in "cb":
            x = x.real
        return x.astype(dtype)

    def lgamma(self, x: Any) -> Any:
        """Return log |Γ|."""
        return self._special.gammaln(x)

    def erfcinv(self, x: Any) -> Any:
        """Return the inverse of erfc, through that of the normal distribution, which keeps small x."""
        return self._special.ndtri(0.5 * x) * (-(0.5**0.5))

    def polygamma(self, x: Any, n: int) -> Any:
        """Return the n-th derivative of digamma."""
        return self._special.digamma(x) if n == 0 else self._special.polygamma(self._numpy.asarray(n), x)

    def gammainc_by(self, a: Any, x: Any, n: int) -> Any:
        """Refuse: written out, the rule's many nodes are more than XLA compiles in reasonable time."""
        raise Unsupported("the derivative of igamma by its parameter is computed by NumPy")

    def betainc_by(self, a: Any, b: Any, x: Any, m: int, n: int) -> Any:
        """Refuse, as `gammainc_by` does."""
        raise Unsupported("the derivatives of betainc by its parameters are computed by NumPy")

    def zeta_by(self, s: Any, q: Any, n: int) -> Any:
        """Return the n-th derivative of Hurwitz's zeta function by its first argument."""
        dtype = self._numpy.result_type(s, q)
        return parameters.zeta_by(self, self.astype(s, "float64"), self.astype(q, "float64"), n).astype(dtype)

    def bessel(self, x: Any, family: str, n: int) -> Any:
        """Return a Bessel function of order n; JAX has the modified ones of the first kind, of orders 0 and 1."""
        if family not in ("i", "ie") or n > 1:
            raise Unsupported(f"JAX has no Bessel function {family}{n}")
        return getattr(self._special, f"i{n}{family[1:]}")(x)

    def spherical_bessel(self, x: Any, n: int) -> Any:
        """Refuse."""
        raise Unsupported("JAX has no spherical Bessel functions")

    def fresnel(self, x: Any) -> Any:
        """Return Fresnel's integrals (S, C)."""
        function = getattr(self._special, "fresnel", None)
        if function is None:
            raise Unsupported("this JAX has no Fresnel integrals")
        return function(x)

    def complex_of(self, x: Any, y: Any) -> Any:
        """Return x + iy, with the signs of zeros."""
        return self.jax.lax.complex(*self._numpy.broadcast_arrays(x, y))

    def sech_squared(self, x: Any) -> Any:
        """Return 1 / cosh², by one exponential: 4e / (1 + e)² with e = exp(-2|x|), within 3 units in the last place."""
        jnp = self._numpy
        if x.dtype.kind == "c":
            return 1.0 / jnp.square(jnp.cosh(x))
        e = jnp.exp(-2.0 * jnp.abs(x))
        root = 2.0 / (1.0 + e)
        return e * (root * root)

    def dot_over_rows(self, a: Any, b: Any) -> Any:
        """Return aᵀ b for two matrices, as a sum over blocks of `BLOCK` rows.

        XLA's product over the first axes runs at 40 GFLOP/s where that of blocks runs at 60 (4096 × 64, two cores).
        """
        rows = a.shape[0]
        if rows % BLOCK or rows < 2 * BLOCK:
            return self._numpy.dot(a.T, b)
        shape = (rows // BLOCK, BLOCK)
        return self._numpy.einsum("bri,brj->ij", a.reshape(*shape, -1), b.reshape(*shape, -1))

    def index_set(self, x: Any, index: Any, value: Any) -> Any:
        """Return x with x[index] = value; of several values for one place the last stays, and what lies outside is left out."""
        jnp = self._numpy
        x = jnp.asarray(x)
        parts = index if isinstance(index, tuple) else (index,)
        if not self.distant or not any([getattr(part, "ndim", 0) for part in parts]):
            return x.at[index].set(value)
        # Accelerators write in any order, and another one for each coefficient of a series.
        places = jnp.arange(x.size).reshape(x.shape).at[index].get(mode="fill", fill_value=x.size)
        if not places.size:
            return x
        numbers = jnp.arange(1, places.size + 1).reshape(places.shape)
        last = jnp.zeros(x.size, numbers.dtype).at[places].max(numbers, mode="drop").reshape(x.shape)
        values = jnp.broadcast_to(jnp.asarray(value, x.dtype), places.shape).ravel()
        return jnp.where(last > 0, values.at[last - 1].get(mode="fill", fill_value=0), x)

    def index_add(self, x: Any, index: Any, value: Any) -> Any:
        """Return x with value added at index, repeated indices adding up."""
        return self._numpy.asarray(x).at[index].add(value)

    def index_min(self, x: Any, index: Any, value: Any) -> Any:
        """Return x with the minimum taken at index."""
        return self._numpy.asarray(x).at[index].min(value)

    def index_max(self, x: Any, index: Any, value: Any) -> Any:
        """Return x with the maximum taken at index."""
        return self._numpy.asarray(x).at[index].max(value)

    def index_multiply(self, x: Any, index: Any, value: Any) -> Any:
        """Return x with values multiplied in at index."""
        return self._numpy.asarray(x).at[index].multiply(value)

    def expm(self, x: Any) -> Any:
        """Return the exponential of matrices."""
        return self.jax.scipy.linalg.expm(x)

    def logm(self, x: Any) -> Any:
        """Refuse."""
        raise Unsupported("JAX has no logarithm of matrices")

    def sqrtm(self, x: Any) -> Any:
        """Return the principal square root of matrices; a real matrix without a real one has NaN."""
        jnp = self._numpy
        x = jnp.asarray(x)
        value = jnp.vectorize(self.jax.scipy.linalg.sqrtm, signature="(n,n)->(n,n)")(x)
        if x.dtype.kind == "c" or value.dtype.kind != "c":
            return value.astype(x.dtype)
        return jnp.where(jnp.abs(value.imag) > 1e-9 * jnp.abs(value), jnp.nan, value.real).astype(x.dtype)

    def solve_triangular(self, a: Any, b: Any, lower: bool) -> Any:
        """Solve a x = b for stacks of triangular matrices, reading one triangle of a."""
        a, b = _stacks(self._numpy, a, b)
        return self.jax.scipy.linalg.solve_triangular(a, b, lower=lower)


def _stacks(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return xp.broadcast_to(a, batch + a.shape[-2:]), xp.broadcast_to(b, batch + b.shape[-2:])


class _Maximum:
    """NumPy's ``maximum``, which has a method ``accumulate``."""

    def __init__(self, jax: Any) -> None:
        self.jax = jax

    def __call__(self, x: Any, y: Any) -> Any:
        return self.jax.numpy.maximum(x, y)

    def accumulate(self, x: Any, axis: int) -> Any:
        return self.jax.lax.cummax(x, axis=axis % x.ndim)


class _Linalg:
    """`jax.numpy.linalg`, reading the triangle that NumPy reads, and broadcasting stacks."""

    def __init__(self, jax: Any) -> None:
        self.jax = jax

    def __getattr__(self, name: str) -> Any:
        return getattr(self.jax.numpy.linalg, name)

    def cholesky(self, x: Any) -> Any:
        return self.jax.lax.linalg.cholesky(x, symmetrize_input=False)

    def eigh(self, x: Any) -> Any:
        return self.jax.numpy.linalg.eigh(x, UPLO="L", symmetrize_input=False)

    def solve(self, a: Any, b: Any) -> Any:
        return self.jax.numpy.linalg.solve(*_stacks(self.jax.numpy, a, b))


# --- what a plan uses -----------------------------------------------------------------------------------------------


class Ref:
    """A variable while a list is walked: its place in the environment."""

    __slots__ = ("at",)

    def __init__(self, at: int) -> None:
        """Take the place."""
        self.at = at


class _Shaped(NamedTuple):
    """What the shape of a variable is known by."""

    shape: Any


def variant(program: Program, given: Sequence[Any]) -> Variant:
    """Return a program's list for values of these shapes."""
    if any(given[k].__class__ is Ref for k in program.open):
        return program.variant()
    key = tuple([given[k].shape for k in program.open]) if program.open else None
    found = program.variants.get(key)
    if found is None:
        places = program.request[2]
        found = program.variant(key, [_Shaped(t.sizes) if v.__class__ is Ref else v for v, t in zip(given, places, strict=True)])
    return found


def signature(feeds: Sequence[Any], storages: Sequence[Any]) -> Any:
    """Return what an executable depends on: the shapes of the feeds and of the variables, None for one without a value."""
    shapes = tuple([a.shape for a in feeds])
    if not storages:
        return shapes
    return shapes, tuple([None if (v := s.held) is None else v.shape for s in storages])


# --- walking --------------------------------------------------------------------------------------------------------


class Walk:
    """One reading of a list with arrays of JAX."""

    def __init__(self, xp: XlaArrays, variables: Sequence[Any], large: Sequence[Any] | None, drawn: Sequence[Any] | None) -> None:
        """Take the variables in the order of the environment, the large constants, and the random numbers.

        ``large`` and ``drawn``: arrays in the order in which they are first used; None: only note which there are.
        """
        self.xp, self.jax, self.variables, self.large = xp, xp.jax, variables, large
        self.places = {id(v): i for i, v in enumerate(variables)}
        self.drawn = drawn
        self.constants: dict[int, tuple[int, Any]] = {}
        """By identity: the large constants, numbered as they are first used."""
        self.draws: list[tuple[Any, list[Any], dict[str, Any]]] = []
        self.kernels: dict[Any, Callable[..., Any]] = {}

    def __call__(self, plan: Plan, given: Sequence[Any], env: list[Any], inner: bool = False) -> list[Any]:
        """Walk a plan; ``env`` is changed. ``inner``: what stands here may run any number of times, or not at all."""
        if plan.unfed:
            raise _unfed(plan.unfed[0])
        slots: list[Any] = [None] * plan.size
        for i, a in zip(plan.feeds, given, strict=True):
            slots[i] = a
        for step in plan.steps:
            node = step.node
            values = [slots[i] for i in step.inputs]
            try:
                result = self.step(node, values, env, inner)
            except Unsupported as error:
                if error.op is not None:
                    raise
                raise _refusal(node, error.message) from error
            except OpError as error:
                if inner:  # what NumPy might never come to
                    raise _refusal(node, error.message) from error
                raise error if " at " in error.message else _located(error, node) from None
            if not step.several:
                slots[step.output] = result
            else:
                for k, one in enumerate(result):
                    slots[step.output + k] = one
            for i in step.dead:
                slots[i] = None
        return [slots[i] for i in plan.fetches]

    def step(self, node: Node, values: list[Any], env: list[Any], inner: bool) -> Any:
        """Return the result of one operation."""
        op, name = node.op, node.op.name
        rule = getattr(self, "_" + name, None)
        if rule is not None:
            return rule(node, values, env, inner)
        known = all([v.__class__ is np.ndarray for v in values])
        if op.draws:
            return self.draw(node, values, known, inner)
        if op is ASSERT and known and bool(np.all(values[0])):
            return ()
        if op.stateful and op is not NO_OP:
            raise Unsupported(op.eager_only or "it acts on the world")
        if op is NO_OP:
            return ()
        values = [self.read(v.at, env) if v.__class__ is Ref else v for v in values]
        if op in (SHAPE, SIZE) or (known and op.kind != "control" and _modest(node)):
            return self.now(node, values)
        if op.eager_only:
            raise Unsupported(op.eager_only)
        if any([t.nptype.kind == "O" for t in (*node.inputs, *node.outputs)]):
            raise Unsupported("XLA has no strings")
        return self.later(node, values)

    def now(self, node: Node, values: list[Any]) -> Any:
        """Run the NumPy kernel."""
        try:
            result = quietly(partial(node.op.eager, *values, **node.attrs))
        except OpError:
            raise
        except Exception as error:
            raise _failure(node, values, error) from error
        return tuple([np.asarray(r) for r in result]) if node.op.outputs != 1 else np.asarray(result)

    def later(self, node: Node, values: list[Any]) -> Any:
        """Run the kernel on arrays of JAX."""
        kernel = self.kernels.get(node.op)
        if kernel is None:
            kernel = self.kernels[node.op] = node.op.bind(self.xp)
        try:
            try:
                result = kernel(*values, **node.attrs)
            except self.xp.value_needed:
                # An array that is known was asked at a place that is not.
                result = kernel(*[self.xp.asarray(v) for v in values], **node.attrs)
        except self.xp.value_needed as error:
            raise Unsupported("its work depends on values that are not known beforehand") from error
        except OpError:
            raise
        except Exception as error:
            raise Unsupported(f"JAX says {brief(error)}") from error
        if node.op.outputs == 1:
            return self.typed(result, node.outputs[0].nptype)
        return [self.typed(r, t.nptype) for r, t in zip(result, node.outputs, strict=True)]

    def typed(self, x: Any, nptype: Any) -> Any:
        """Return an array of JAX with this very dtype, not a weak one."""
        if getattr(x, "dtype", None) != nptype or getattr(x, "weak_type", False) or isinstance(x, np.ndarray | np.generic):
            return self.xp.astype(x, nptype)
        return x

    def read(self, at: int, env: list[Any]) -> Any:
        """Return a variable's value.

        Raises:
            FailedPreconditionError: if it has none.
        """
        if env[at] is None:
            raise self.variables[at].storage.missing()
        return env[at]

    # --- random numbers: NumPy's, drawn before the run ---------------------------------------------------------------

    def draw(self, node: Node, values: list[Any], known: bool, inner: bool) -> Any:
        """Return numbers that are drawn on the host before the run, so that they are the same as without XLA."""
        if inner:
            raise Unsupported("how often it draws numbers depends on values")
        if not known:
            raise Unsupported("how it draws numbers depends on values that are not known beforehand")
        self.draws.append((node.op.eager, values, node.attrs))
        if self.drawn is not None:
            return self.drawn[len(self.draws) - 1]
        x = sample(self.draws[-1])
        return self.xp.zeros(x.shape, x.dtype)

    # --- sources and variables ---------------------------------------------------------------------------------------

    def _constant(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        value = node.attrs["value"]
        if value.dtype.kind == "O" or value.nbytes <= SMALL:
            return value
        at, _ = self.constants.setdefault(id(value), (len(self.constants), value))
        return self.xp.zeros(value.shape, value.dtype) if self.large is None else self.large[at]

    def _variable_handle(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return Ref(self.places[id(node.attrs["variable"])])

    def _read_variable(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return self.read(values[0].at, env)

    def _snapshot(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return values[0] if env[values[0].at] is None else env[values[0].at]

    def _fed(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return self.read(values[1].at, env) if values[1].__class__ is Ref else values[1]

    def _is_initialized(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return np.asarray(env[values[0].at] is not None)

    def _assign(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        at, value, how = values[0].at, values[1], node.attrs["how"]
        if how == "add":
            value = self.xp.add(self.read(at, env), value)
        elif how == "sub":
            value = self.xp.subtract(self.read(at, env), value)
        return self.store(at, value, env)

    def _assign_scatter(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        ref, indices, updates = values
        x, how = self.read(ref.at, env), node.attrs["how"]
        if how == "update":
            return self.store(ref.at, self.xp.index_set(x, indices, updates), env)
        return self.store(ref.at, self.xp.index_add(x, indices, -updates if how == "sub" else updates), env)

    def store(self, at: int, value: Any, env: list[Any]) -> Any:
        """Put a value into the environment."""
        variable = self.variables[at]
        value = self.typed(value, variable.nptype)
        variable.storage.check(value.shape)
        env[at] = value
        return value

    # --- choices and loops -------------------------------------------------------------------------------------------

    def ready(self, found: Sequence[Any], specs: Sequence[Any]) -> list[Any]:
        """Return what a body gave as arrays of JAX."""
        if any([nptype.kind == "O" for _, nptype in specs]):
            raise Unsupported("XLA has no strings")
        return [self.typed(v, nptype) for v, (_, nptype) in zip(found, specs, strict=True)]

    def changed(self, node: Node, values: Sequence[Any]) -> list[int]:
        """Return the places of the variables that the bodies may assign to."""
        found: set[int] = set()
        for body, given in bodies(node, values):
            pairs = zip(body.places, given, strict=True)
            places = {p.n: self.variables[v.at] for p, v in pairs if v.__class__ is Ref}
            found.update([self.places[n] for n in variables_in(body.graph.nodes, places)[1]])
        return sorted(found)

    def _cond(self, node: Node, values: Any, env: list[Any], inner: bool) -> Any:
        yes, no = node.attrs["yes"], node.attrs["no"]
        predicate, rest = values[0], values[1:]
        if predicate.__class__ is np.ndarray:
            return self(variant((yes if predicate else no).program, rest).plan, rest, env, inner)
        ids = self.changed(node, values)

        def branch(body: Any) -> Any:
            def run() -> Any:
                own = list(env)
                found = self.ready(self(variant(body.program, rest).plan, rest, own, True), body.specs)
                return found, [own[i] for i in ids]

            return run

        try:
            found, after = self.jax.lax.cond(self.xp.reshape(predicate, ()) != 0, branch(yes), branch(no))
        except (TypeError, ValueError) as error:
            raise Unsupported("the two branches give different shapes") from error
        for i, value in zip(ids, after, strict=True):
            env[i] = value
        return found

    def _loop(self, node: Node, values: Any, env: list[Any], inner: bool) -> Any:
        body, test, reverse, limit = (node.attrs[k] for k in ("body", "test", "reverse", "limit"))
        carries, sequences, _ = node.attrs["counts"]
        start, over, held = values[:carries], values[carries : carries + sequences], values[carries + sequences :]
        length = over[0].shape[0] if over else limit
        known = True
        if test is not None:
            trips = _count(body, test, carries, sequences, values, length)
            known, length = trips is not None, length if trips is None else trips
        elif length is None:
            raise Unsupported("it has no end")
        if known and over and length < over[0].shape[0]:
            over = [s[over[0].shape[0] - length :] if reverse else s[:length] for s in over]
        if not known and len(body.specs) > carries:
            raise Unsupported("how many rows it gives depends on values")
        specs = [body.specs[k] for k in range(carries)]
        ids = self.changed(node, values)

        def turn(carry: Any, rows: Any) -> Any:
            own = list(env)
            for i, value in zip(ids, carry[1], strict=True):
                own[i] = value
            given = [*carry[0], *rows, *held]
            found = self.ready(self(variant(body.program, given).plan, given, own, True), body.specs)
            return (found[:carries], [own[i] for i in ids]), found[carries:]

        def first() -> Any:
            return self.ready(start, specs), [env[i] for i in ids]

        try:
            if known:
                (found, after), rows = self.jax.lax.scan(turn, first(), list(over), length=length, reverse=reverse)
            else:
                found, after = self.while_loop(test, turn, first(), over, held, length, reverse, env, ids)
                rows = []
        except (TypeError, ValueError) as error:
            # What it carries changes its shape: written out, each turn has its own.
            if not known or length * max(1, len(body.program.plan.steps)) > STEPS:
                raise Unsupported("what it carries changes its shape") from error
            return self.written_out(body, carries, start, over, held, length, reverse, env, inner)
        for i, value in zip(ids, after, strict=True):
            env[i] = value
        return [*found, *rows]

    def while_loop(
        self, test: Any, turn: Any, first: Any, over: Any, held: Any, length: Any, reverse: bool, env: Any, ids: Any
    ) -> Any:
        """Run a loop whose end depends on values."""
        jnp = self.xp

        def go(carry: Any) -> Any:
            own = list(env)
            for i, value in zip(ids, carry[1][1], strict=True):
                own[i] = value
            given = [*carry[1][0], *held]
            more = self(variant(test.program, given).plan, given, own, True)[0]
            more = jnp.reshape(jnp.asarray(more), ()) != 0
            return more if length is None else jnp.logical_and(more, carry[0] < length)

        def once(carry: Any) -> Any:
            at = length - 1 - carry[0] if reverse else carry[0]
            return carry[0] + 1, turn(carry[1], [jnp.asarray(s)[at] for s in over])[0]

        return self.jax.lax.while_loop(go, once, (jnp.zeros((), np.int64), first))[1]

    def written_out(
        self, body: Any, carries: int, start: Any, over: Any, held: Any, length: int, reverse: bool,
        env: Any, inner: bool,
    ) -> Any:  # fmt: skip
        """Run a loop turn by turn."""
        carry: list[Any] = list(start)
        rows: list[Any] = []
        for k in range(length):
            at = length - 1 - k if reverse else k
            given = [*carry, *[s[at] for s in over], *held]
            found = self(variant(body.program, given).plan, given, env, inner)
            carry = found[:carries]
            rows.append(self.ready(found[carries:], body.specs[carries:]))
        if reverse:
            rows.reverse()
        stacked = []
        for k, (sizes, nptype) in enumerate(body.specs[carries:]):
            if len({row[k].shape for row in rows}) > 1:
                raise Unsupported("the rows that it gives have different shapes")
            if rows:
                stacked.append(self.xp.stack([row[k] for row in rows]))
            else:
                stacked.append(self.xp.zeros((0, *(s or 0 for s in sizes or ())), nptype))
        return [*carry, *stacked]


def _refusal(node: Node, why: str) -> Unsupported:
    return Unsupported(node, node, f"xla cannot run {node.op.name} at {node.where}: {why}")


def _modest(node: Node) -> bool:
    """Whether a result that can be computed beforehand may stand in the executable."""
    for t in node.outputs:
        if t.sizes is not None and None not in t.sizes and t.nptype.kind != "O":
            if int(np.prod(t.sizes, dtype=object)) * t.nptype.itemsize > SMALL:
                return False
    return True


def sample(draw: tuple[Any, list[Any], dict[str, Any]]) -> Any:
    """Return numbers like those of a random operation, without counting it as a run."""
    before = state.counters
    state.counters = {}
    try:
        return np.asarray(quietly(partial(draw[0], *draw[1], **draw[2])))
    finally:
        state.counters = before


def _count(body: Any, test: Any, carries: int, sequences: int, values: Sequence[Any], length: Any) -> int | None:
    """Return how often a loop turns, where that is known beforehand, else None.

    It is where the test depends on carries that start with known values and change by what is known.
    """
    main, check = body.program.plan, test.program.plan
    held = list(range(carries + sequences, len(values)))
    wanted = _needed(check, [0])
    if -1 in wanted:
        return None
    # The test takes (carry..., captures...), the body (carry..., slices..., captures...).
    need = {i if i < carries else i + sequences for i in wanted}
    while True:
        more = set(need)
        for i in need:
            if i < carries:
                more |= _needed(main, [i])
        if more == need:
            break
        need = more
    if any(i < 0 or carries <= i < carries + sequences or values[i].__class__ is not np.ndarray for i in need):
        return None
    moving = sorted(i for i in need if i < carries)
    current: list[Any] = [v if i in need else None for i, v in enumerate(values)]
    ask, turn = _chain(check, [0])[0], _chain(main, moving)[0]
    count = 0
    try:
        while length is None or count < length:
            if not bool(quietly(_run, check, ask, [*current[:carries], *[current[i] for i in held]], [0])[0]):
                return count
            found = quietly(_run, main, turn, current, moving)
            for i, value in zip(moving, found, strict=True):
                current[i] = value
            count += 1
            if count > TRIPS:
                return None
    except Exception:  # NumPy tells it when the loop is run
        return None
    return count


def _chain(plan: Plan, wanted: Sequence[int]) -> tuple[list[Any], set[int]]:
    """Return the steps that the fetches with these numbers need, and the slots that these read."""
    slots = {plan.fetches[k] for k in wanted}
    steps = []
    for step in reversed(plan.steps):
        if any(step.output + k in slots for k in range(max(1, len(step.node.outputs)))) and step.node.outputs:
            steps.append(step)
            slots |= set(step.inputs)
    return steps[::-1], slots


def _needed(plan: Plan, wanted: Sequence[int]) -> set[int]:
    """Return the numbers of the feeds that some fetches depend on, and -1 if on anything that is not a plain operation."""
    steps, slots = _chain(plan, wanted)
    found = {k for k, slot in enumerate(plan.feeds) if slot in slots}
    odd = any(step.node.op.stateful or step.node.op.kind in ("control", "custom") for step in steps)
    return found | {-1} if odd else found


def _run(plan: Plan, steps: Sequence[Any], given: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """Run on NumPy the steps that some fetches need."""
    slots = dict(zip(plan.feeds, given, strict=True))
    for step in steps:
        node = step.node
        result = node.op.eager(*[slots[i] for i in step.inputs], **node.attrs)
        for k, one in enumerate(result if step.several else (result,)):
            slots[step.output + k] = np.asarray(one)
    return [slots[plan.fetches[k]] for k in wanted]


# --- programs -------------------------------------------------------------------------------------------------------


class Executable:
    """What was compiled for one signature."""

    __slots__ = ("call", "constants", "distant", "draws", "fixed", "order", "roomy", "seconds")

    def __init__(self, call: Any, constants: Any, draws: Any, fixed: Any, order: Any, roomy: bool, distant: bool) -> None:
        """Take JAX's function, the large constants, the draws, the fetches that are constants, and where the others come.

        ``roomy``: a run may ask for more memory than there is; ``distant``: results come from a memory of the device's own.
        """
        self.call, self.constants, self.draws, self.fixed, self.order = call, constants, draws, fixed, order
        self.roomy, self.distant, self.seconds = roomy, distant, 0.0


class XlaProgram:
    """The part of a graph that some fetches and controls need, compiled by XLA for each signature that it is called with.

    Calling it with the feeds' arrays returns the fetches' arrays, which are the caller's.
    """

    def __init__(
        self, graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node] = (),
        program: Program | None = None,
    ) -> None:  # fmt: skip
        """Lower and plan, or take a program that did.

        Raises:
            ImportError: if JAX is not installed.
        """
        self._xp = arrays()
        self.program = Program(graph, fetches, feeds, controls) if program is None else program
        self._types = [t.nptype for t in feeds]
        self._variables, self._assigned = variables_of(self.program.request)
        self._constants: dict[int, tuple[Any, Any]] = {}
        """The large constants, and where the device has them, by identity."""
        self._known: dict[Any, Executable | Unsupported] = {}
        self._forms = [None if v.sizes is None or None in v.sizes else tuple(v.sizes) for v in self._variables]
        self._rigid = None not in self._forms
        self._kept: tuple[Any, Any] = (None, None)
        self._seen: dict[int, Any] = {}
        """The arrays of variables that are only read, as the latest run found them."""
        self._lock = threading.RLock()

    @property
    def lowered(self) -> Any:
        """The list for feeds of any shape."""
        return self.program.lowered

    @property
    def outputs(self) -> list[Any]:
        """Its fetches."""
        return self.program.outputs

    @property
    def plan(self) -> Plan:
        """Its plan."""
        return self.program.plan

    @property
    def compile_seconds(self) -> float:
        """How long walking and compiling took, over all signatures."""
        return sum(e.seconds for e in self._known.values() if isinstance(e, Executable))

    def analysis(self, *feeds: Any) -> dict[str, float]:
        """Return what XLA says of the executable for feeds like these, compiling it if there is none.

        ``flops``, ``bytes`` (read and written), ``temp_bytes``, ``argument_bytes``, ``output_bytes``, where XLA tells
        them, and ``compile_seconds``.
        """
        ready = self._ready(feeds)
        entry = self.compile(signature(ready, [v.storage for v in self._variables]))
        found = {"compile_seconds": entry.seconds}
        if entry.call is None:
            return found
        cost: Any = entry.call.cost_analysis() or {}
        cost = cost[0] if isinstance(cost, list) else cost
        for name, key in (("flops", "flops"), ("bytes", "bytes accessed")):
            if key in cost:
                found[name] = float(cost[key])
        memory = entry.call.memory_analysis()
        for name in ("temp", "argument", "output"):
            size = getattr(memory, f"{name}_size_in_bytes", None)
            if size is not None:
                found[f"{name}_bytes"] = float(size)
        return found

    def __call__(self, *arrays: Any) -> list[Any]:
        """Run.

        Raises:
            Unsupported: if XLA cannot run this list for these shapes; nothing has run then.
            InvalidArgumentError: for a placeholder that is needed and not fed.
            FailedPreconditionError: for a variable that is not initialised.
        """
        return self.run(arrays)

    def inside(self, *arrays: Any) -> list[Any]:
        """Run within another run; what comes back may be shared."""
        return self.run(arrays, copy=False)

    def run(self, arrays: Sequence[Any], copy: bool = True) -> list[Any]:
        """Compile if need be, and run."""
        if state.numerics is not None:  # each result is looked at, which an executable does not show
            return self.program(*arrays) if copy else self.program.inside(*arrays)
        feeds = self._ready(arrays)
        if self._variables:
            storages = self._storages()
            while True:
                key = self._key(feeds, storages)
                entry = self._entry(key)
                if entry.call is None:
                    return self._fetched(entry, (), copy)
                found = undivided(self._with_variables, entry, key, feeds, storages)  # XLA has given the old values up
                if found is not None:
                    return self._fetched(entry, found, copy)
        entry = self._entry(signature(feeds, ()))
        if entry.call is None:
            return self._fetched(entry, (), copy)
        drawn = self._draw(entry) if entry.draws else ()
        with self._xp.wide():
            return self._fetched(entry, entry.call(*entry.constants, *drawn, *feeds), copy)

    def _storages(self) -> list[Any]:
        """Return the memory of the variables, which is another one in another session."""
        session, storages = self._kept
        if storages is None or session is not state.session:
            storages = [v.storage for v in self._variables]
            self._kept = state.session, storages
        return storages  # type: ignore[no-any-return]

    def _key(self, feeds: Sequence[Any], storages: Sequence[Any]) -> Any:
        """Return the `signature`; shapes that cannot change are not asked for."""
        forms = [
            None if s.device is None and s._array is None else s.held.shape if f is None else f
            for s, f in zip(storages, self._forms, strict=True)
        ]
        return tuple([a.shape for a in feeds]), tuple(forms)

    def _entry(self, key: Any) -> Executable:
        entry = self._known.get(key)
        return entry if isinstance(entry, Executable) else self.compile(key)

    def _ready(self, given: Sequence[Any]) -> list[Any]:
        feeds = []
        for a, dtype in zip(given, self._types, strict=True):
            feeds.append(a if a.__class__ is np.ndarray and a.dtype == dtype else np.asarray(a, dtype))
        return feeds

    def _held(self, value: Any) -> Any:
        """Return a large constant on the device."""
        found = self._constants.get(id(value))
        if found is None:
            with self._xp.wide():
                found = self._constants[id(value)] = (value, self._xp.array(value))
        return found[1]

    def _draw(self, entry: Executable) -> list[Any]:
        return [np.asarray(quietly(partial(kernel, *values, **attrs))) for kernel, values, attrs in entry.draws]

    def _fetched(self, entry: Executable, found: Any, copy: bool) -> list[Any]:
        results = []
        if entry.distant:
            for one in found:  # all set out before the first is waited for
                one.copy_to_host_async()
        for at, fixed in zip(entry.order, entry.fixed, strict=True):
            if at >= 0:
                results.append(np.array(found[at]) if copy else np.asarray(found[at]))
            else:
                results.append(np.array(fixed) if copy else fixed)
        return results

    def _with_variables(self, entry: Executable, key: Any, feeds: Any, storages: Any) -> Any:
        """Run with the variables' values and keep the new ones; None if the variables have changed their shapes."""
        n = self._assigned
        changing = storages[:n]
        counters = None if state.counters is None or not entry.draws else dict(state.counters)
        with _dispatch:
            for s in changing:
                s.lock.acquire()
            try:
                if not (self._rigid and None not in key[1]) and self._key(feeds, storages) != key:
                    return None
                with self._xp.wide():
                    values = [self._on_device(s) for s in changing] + [self._at_hand(i, s) for i, s in enumerate(storages[n:])]
                    given = values
                    if entry.roomy:  # so much memory that it may not be there: the values stay until the new ones are
                        given = [None if v is None else self._xp.array(v) for v in values[:n]] + values[n:]
                    drawn = self._draw(entry) if entry.draws else ()
                    try:
                        found = entry.call(*given, *entry.constants, *drawn, *feeds)
                        for one in found:
                            if one is not None:  # all come at once
                                one.block_until_ready()
                                break
                    except BaseException as error:
                        if counters is not None and state.counters is not None:
                            state.counters.clear()
                            state.counters.update(counters)
                        _saved(changing, values, error)
                        raise
                for s, value in zip(changing, found, strict=False):
                    if value is not None:
                        s.device, s._array = value, None  # its lock is held
            finally:
                for s in changing:
                    s.lock.release()
        return found[n:]

    def _on_device(self, storage: Any) -> Any:
        """Return a variable's value where XLA has it, moving it there at the first time."""
        value = storage.device
        if value is None:
            with storage.lock:
                if storage.array is None:
                    return None
                value = storage.device = self._xp.array(storage.array)
        return value

    def _at_hand(self, i: int, storage: Any) -> Any:
        """Return the value of a variable that is only read: from the second run on where XLA has it.

        What is written before each run anew, as by an optimizer outside of the graph, is passed as it is: moving it costs more.
        """
        if storage.device is not None:
            return storage.device
        array = storage.array
        if array is None:
            return None
        if self._seen.get(i) is array:
            return self._on_device(storage)
        self._seen[i] = array
        return array

    # --- compiling ---------------------------------------------------------------------------------------------------

    def compile(self, key: Any) -> Executable:
        """Return the executable for a signature.

        Raises:
            Unsupported: if there can be none.
        """
        with self._lock:
            entry = self._known.get(key)
            if entry is None:
                begin = time.perf_counter()
                try:
                    with self._xp.scope():
                        entry = self._compile(key)
                except Unsupported as error:
                    entry = _again(error)
                else:
                    entry.seconds = time.perf_counter() - begin
                self._known[key] = entry
        if isinstance(entry, Unsupported):
            raise _again(entry)
        return entry

    def _compile(self, key: Any) -> Executable:
        jax = self._xp.jax
        shapes, forms = key if self._variables else (key, ())
        kinds = {t.kind for t in self._types}
        if "O" in kinds:
            raise Unsupported(None, None, "xla cannot take strings as feeds")
        as_spec = jax.ShapeDtypeStruct
        n = self._assigned
        variables = [None if f is None else as_spec(f, v.nptype) for f, v in zip(forms, self._variables, strict=True)]
        feeds = [as_spec(s, t) for s, t in zip(shapes, self._types, strict=True)]
        chosen = variant(self.program, feeds)
        if chosen.plan.unfed:
            raise _unfed(chosen.plan.unfed[0])
        fixed: list[Any] = []
        order: list[int] = []
        tiling = cut(chosen.plan, [(f.shape, f.dtype) for f in feeds]) if options.tiles else None
        room = 0.0 if tiling is None or not fits(tiling) else sum(p.per_row * p.n for p in tiling.passes)
        pieces = 1.0

        def walk(one: Walk, inputs: Sequence[Any], given: Sequence[Any]) -> Any:
            env = list(inputs)
            if tiling is not None and pieces > 1.0:
                found = chunked(one, tiling, given, env, pieces)
            else:
                found = one(chosen.plan, given, env)
            fixed.clear()
            order.clear()
            results: list[Any] = []
            for value, t in zip(found, chosen.outputs, strict=True):
                if value.__class__ is Ref:
                    raise Unsupported(None, None, f"xla cannot fetch the handle {t.name}")
                known = value.__class__ is np.ndarray
                fixed.append(value if known else None)
                order.append(-1 if known else len(results))
                if not known:
                    results.append(value)
            if any([new is not old for new, old in zip(env[n:], inputs[n:], strict=True)]):
                raise Unsupported(None, None, "xla cannot tell which variables this list assigns to")
            return env[:n], results

        # At first only to see which large constants and random numbers there are, if any.
        constants: list[Any] = []
        draws: list[Any] = []
        if _has_more(chosen.plan):
            first = Walk(self._xp, self._variables, None, None)
            jax.eval_shape(lambda inputs, given: walk(first, inputs, given), variables, feeds)
            constants, draws = [value for _, value in first.constants.values()], first.draws
        numbers = [as_spec(x.shape, x.dtype) for x in [*constants, *map(sample, draws)]]
        nv, nc, nd = len(variables), len(constants), len(draws)

        def main(*arguments: Any) -> Any:
            inputs, rest = arguments[:nv], arguments[nv:]
            one = Walk(self._xp, self._variables, rest[:nc], rest[nc : nc + nd])
            after, results = walk(one, inputs, rest[nc + nd :])
            # A value that is another's argument would be shared with whoever holds that argument.
            foreign = {id(a) for a in arguments if a is not None}
            kept = [
                self._xp.array(new, copy=True) if new is not None and new is not old and id(new) in foreign else new
                for new, old in zip(after, inputs, strict=False)
            ]
            return (*kept, *results)

        # A variable of one shape alone: the room of its value is the room of the next.
        given = [i for i, v in enumerate(self._variables[:n]) if v.sizes is not None and None not in v.sizes]
        device = jax.devices()[0]
        try:
            lowered = jax.jit(main, donate_argnums=tuple(given)).lower(*variables, *numbers, *feeds)
            call = lowered.compile() if n or any(at >= 0 for at in order) else None
            large, chunk = _limits(device)
            if room > TEMPORARY and call is not None and _temporary(call) > large:
                pieces = _temporary(call) / chunk
                again = jax.jit(lambda *arguments: main(*arguments), donate_argnums=tuple(given))  # another function to JAX
                call = again.lower(*variables, *numbers, *feeds).compile()
        except OpError:
            raise
        except Exception as error:
            raise Unsupported(None, None, f"xla cannot compile this list: {brief(error)}") from error
        roomy = bool(given) and _is_roomy(call, variables[:n])
        held = [self._held(v) for v in constants]
        return Executable(call, held, draws, fixed, order, roomy, self._xp.distant)


def _has_more(plan: Plan) -> bool:
    """Whether there may be large constants or random numbers, which become arguments."""
    for step in plan.steps:
        node = step.node
        if node.op.kind == "control" or node.op.draws:
            return True
        if node.op is CONSTANT and node.attrs["value"].dtype.kind != "O" and node.attrs["value"].nbytes > SMALL:
            return True
    return False


def brief(error: BaseException) -> str:
    """Return an error's kind and the first line of what it says."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__


def _again(error: Unsupported) -> Unsupported:
    """Return a refusal without what it came from, which holds on to much."""
    return Unsupported(error.node_def, error.op, error.message)


def _limits(device: Any) -> tuple[float, float]:
    """Return the bytes of temporaries above which a list runs in chunks on a device, and those that a chunk is to have.

    An accelerator wants many rows at once: it cuts only what would not fit beside everything else in its memory.
    """
    if device.platform == "cpu":
        return LARGE, CHUNK
    room = (device.memory_stats() or {}).get("bytes_limit", float("inf"))
    return room / 2, room / 4


def _temporary(call: Any) -> float:
    """Return the bytes of temporaries of an executable."""
    return float(getattr(call.memory_analysis(), "temp_size_in_bytes", 0))


def _is_roomy(call: Any, variables: Sequence[Any]) -> bool:
    """Whether a run asks for much memory beside what the variables take, so that asking may fail."""
    memory = call.memory_analysis()
    temporary = getattr(memory, "temp_size_in_bytes", 0) + getattr(memory, "output_size_in_bytes", 0)
    asked = temporary - getattr(memory, "alias_size_in_bytes", 0)
    held = sum(int(np.prod(v.shape)) * v.dtype.itemsize for v in variables if v is not None)
    return bool(asked > ROOMY and held < asked)


def _saved(storages: Sequence[Any], values: Sequence[Any], error: BaseException) -> None:
    """See to it that each variable has a value after a run that failed.

    Raises:
        ResourceExhaustedError: where XLA has given a value up, and there is no copy of it.
    """
    lost = []
    for s, value in zip(storages, values, strict=False):
        if value is not None and value.is_deleted():
            if not s.restore():
                lost.append(s.name)
    if lost:
        raise ResourceExhaustedError(
            f"The run failed ({error}), and the values of {', '.join(lost)} went with it: initialise or restore them."
        ) from error
