"""JAX as an array namespace. This is the one file that imports JAX."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from operator import methodcaller
from types import ModuleType
from typing import Any

import numpy as np

from wengert.execute.xla.forked import watch
from wengert.execute.xla.joined import begin
from wengert.execute.xla.mesh import STARTED, Mesh, mesh_of, prepare
from wengert.ground import parameters, tridiagonal
from wengert.ground.errors import UnimplementedError
from wengert.ground.options import options
from wengert.ground.types import Array, Dtype, Index, Namespace

__all__ = ["Unsupported", "XlaArrays", "arrays", "brief", "check_installed", "spread_over"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

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


def spread_over(devices: int | tuple[int, ...] | str) -> None:
    """Set the option `devices`.

    Raises:
        RuntimeError: if XLA has started, here or by the program's own JAX.
    """
    before = options.devices
    if _made:
        raise RuntimeError(STARTED)
    options.devices = devices
    jax = sys.modules.get("jax")
    if jax is not None:
        try:
            prepare(jax)
        except BaseException:
            options.devices = before
            raise


@contextlib.contextmanager
def _draws_apart() -> Iterator[None]:
    """Leave NumPy's global generator alone: JAX draws from it when it is imported, which would change what a seed gives.

    Other threads, which may run the user's program meanwhile, draw as ever.
    """
    before, importer, apart = np.random.rand, threading.get_ident(), np.random.RandomState(0)

    def rand(*sizes: int) -> Any:
        return (apart.rand if threading.get_ident() == importer else before)(*sizes)

    np.random.rand = rand
    try:
        yield
    finally:
        np.random.rand = before


class _Collector:
    """Calls a function for `gc.callbacks`, with nothing in Python on the way: see `_collect_in_c`."""

    def __init__(self, collect: Callable[[], object]) -> None:
        self.collect = collect

    start = stop = property(methodcaller("collect"))


def _collect_in_c() -> None:
    """Have JAX's part in the collection of garbage, a function in Python, called in C.

    A handler that raises within it, such as that of Ctrl-C, raises in vain: the collector passes over exceptions.
    """
    for at, callback in enumerate(gc.callbacks):
        if getattr(callback, "__name__", "") == "_xla_gc_callback":
            collect = getattr(callback.__globals__.get("_jax"), "collect_garbage", None)
            if collect is not None:
                gc.callbacks[at] = partial(getattr, _Collector(collect))


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
        watch()  # before JAX is imported: a fork may come in the midst of it
        try:
            with _draws_apart():
                jax: Any = importlib.import_module("jax")
                for part in ("numpy", "scipy.linalg", "scipy.special"):
                    importlib.import_module(f"jax.{part}")
        except ImportError as error:
            raise ImportError(
                f"The executor over XLA needs JAX, and it cannot be imported ({error}): pip install 'wengert[xla]'"
            ) from error
        prepare(jax)
        begin(jax)
        _collect_in_c()
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

    @functools.cached_property
    def mesh(self) -> Mesh | None:
        """The devices over which rows are spread; None where one does everything."""
        return mesh_of(self.jax)

    def put(self, x: Array, axis: int | None = None) -> Any:
        """Return a copy of an array on the device, or on all: as a whole on each, or with its rows along an axis spread."""
        return self.array(x) if self.mesh is None else self.mesh.put(np.array(x), axis)

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

    def astype(self, x: Array, dtype: Dtype | str) -> Any:
        """Convert; complex to real keeps the real part, floats to integers are cut."""
        given = self._numpy.asarray(x)
        if given.dtype.kind == "c" and np.dtype(dtype).kind not in "cb":
            given = given.real
        return given.astype(dtype)

    def lgamma(self, x: Array) -> Any:
        """Return log |Γ|."""
        return self._special.gammaln(x)

    def erfcinv(self, x: Array) -> Any:
        """Return the inverse of erfc, through that of the normal distribution, which keeps small x."""
        return self._special.ndtri(0.5 * x) * (-(0.5**0.5))

    def polygamma(self, x: Array, n: int) -> Any:
        """Return the n-th derivative of digamma."""
        return self._special.digamma(x) if n == 0 else self._special.polygamma(self._numpy.asarray(n), x)

    def gammainc_by(self, a: Array, x: Array, n: int) -> Any:
        """Refuse: written out, the rule's many nodes are more than XLA compiles in reasonable time."""
        raise Unsupported("the derivative of igamma by its parameter is computed by NumPy")

    def betainc_by(self, a: Array, b: Array, x: Array, m: int, n: int) -> Any:
        """Refuse, as `gammainc_by` does."""
        raise Unsupported("the derivatives of betainc by its parameters are computed by NumPy")

    def zeta_by(self, s: Array, q: Array, n: int) -> Any:
        """Return the n-th derivative of Hurwitz's zeta function by its first argument."""
        dtype = self._numpy.result_type(s, q)
        return parameters.zeta_by(self, self.astype(s, "float64"), self.astype(q, "float64"), n).astype(dtype)

    def bessel(self, x: Array, family: str, n: int) -> Any:
        """Return a Bessel function of order n; JAX has the modified ones of the first kind, of orders 0 and 1."""
        if family not in ("i", "ie") or n > 1:
            raise Unsupported(f"JAX has no Bessel function {family}{n}")
        return getattr(self._special, f"i{n}{family[1:]}")(x)

    def spherical_bessel(self, x: Array, n: int) -> Any:
        """Refuse."""
        raise Unsupported("JAX has no spherical Bessel functions")

    def fresnel(self, x: Array) -> Any:
        """Return Fresnel's integrals (S, C)."""
        function = getattr(self._special, "fresnel", None)
        if function is None:
            raise Unsupported("this JAX has no Fresnel integrals")
        return function(x)

    def complex_of(self, x: Array, y: Array) -> Any:
        """Return x + iy, with the signs of zeros."""
        return self.jax.lax.complex(*self._numpy.broadcast_arrays(x, y))

    def sech_squared(self, x: Array) -> Any:
        """Return 1 / cosh², by one exponential: 4e / (1 + e)² with e = exp(-2|x|), within 3 units in the last place."""
        jnp = self._numpy
        if x.dtype.kind == "c":
            return 1.0 / jnp.square(jnp.cosh(x))
        e = jnp.exp(-2.0 * jnp.abs(x))
        root = 2.0 / (1.0 + e)
        return e * (root * root)

    def dot_over_rows(self, a: Array, b: Array) -> Any:
        """Return aᵀ b for two matrices, as a sum over blocks of `BLOCK` rows.

        XLA's product over the first axes runs at 40 GFLOP/s where that of blocks runs at 60 (4096 × 64, two cores).
        """
        rows = a.shape[0]
        if rows % BLOCK or rows < 2 * BLOCK:
            return self._numpy.dot(a.T, b)
        shape = (rows // BLOCK, BLOCK)
        return self._numpy.einsum("bri,brj->ij", *[self._numpy.reshape(m, (*shape, -1)) for m in (a, b)])

    def filled(self, shape: tuple[int, ...], dtype: Dtype, index: Index, value: Array) -> Any:
        """Return zeros but for the value at an index."""
        return self.index_set(self._numpy.zeros(shape, dtype), index, value)

    def index_set(self, x: Array, index: Index, value: Array) -> Any:
        """Return x with x[index] = value; of several values for one place the last stays, and what lies outside is left out."""
        jnp = self._numpy
        given = jnp.asarray(x)
        parts = index if isinstance(index, tuple) else (index,)
        if not self.distant or not any([getattr(part, "ndim", 0) for part in parts]):
            return given.at[index].set(value)
        # Accelerators write in any order, and another one for each coefficient of a series.
        places = jnp.arange(given.size).reshape(given.shape).at[index].get(mode="fill", fill_value=given.size)
        if not places.size:
            return given
        numbers = jnp.arange(1, places.size + 1).reshape(places.shape)
        last = jnp.zeros(given.size, numbers.dtype).at[places].max(numbers, mode="drop").reshape(given.shape)
        values = jnp.broadcast_to(jnp.asarray(value, given.dtype), places.shape).ravel()
        return jnp.where(last > 0, values.at[last - 1].get(mode="fill", fill_value=0), given)

    def index_add(self, x: Array, index: Index, value: Array) -> Any:
        """Return x with value added at index, repeated indices adding up."""
        return self._numpy.asarray(x).at[index].add(value)

    def index_min(self, x: Array, index: Index, value: Array) -> Any:
        """Return x with the minimum taken at index."""
        return self._numpy.asarray(x).at[index].min(value)

    def index_max(self, x: Array, index: Index, value: Array) -> Any:
        """Return x with the maximum taken at index."""
        return self._numpy.asarray(x).at[index].max(value)

    def index_multiply(self, x: Array, index: Index, value: Array) -> Any:
        """Return x with values multiplied in at index."""
        return self._numpy.asarray(x).at[index].multiply(value)

    def expm(self, x: Array) -> Any:
        """Return the exponential of matrices."""
        return self.jax.scipy.linalg.expm(x)

    def logm(self, x: Array) -> Any:
        """Refuse."""
        raise Unsupported("JAX has no logarithm of matrices")

    def sqrtm(self, x: Array) -> Any:
        """Return the principal square root of matrices; a real matrix without a real one has NaN."""
        jnp = self._numpy
        x = jnp.asarray(x)
        value = jnp.vectorize(self.jax.scipy.linalg.sqrtm, signature="(n,n)->(n,n)")(x)
        if x.dtype.kind == "c" or value.dtype.kind != "c":
            return value.astype(x.dtype)
        return jnp.where(jnp.abs(value.imag) > 1e-9 * jnp.abs(value), jnp.nan, value.real).astype(x.dtype)

    def solve_triangular(self, a: Array, b: Array, lower: bool) -> Any:
        """Solve a x = b for stacks of triangular matrices, reading one triangle of a."""
        a, b = _stacks(self._numpy, a, b)
        return self.jax.scipy.linalg.solve_triangular(a, b, lower=lower)

    def lu(self, x: Array) -> Any:
        """Return L and U in one matrix, and where each row of L U stands in x."""
        packed, _, place = self.jax.lax.linalg.lu(self._numpy.asarray(x))
        return packed, place

    def solve_tridiagonal(self, d: Array, b: Array, perturb: bool = False) -> Any:
        """Solve a x = b for stacks of matrices given by three diagonals; with perturb, as `wengert.ground.tridiagonal` does."""
        xp, lax = self._numpy, self.jax.lax
        three, sides = _stacks(xp, xp.asarray(d), xp.asarray(b))
        if 0 in sides.shape:
            return sides
        three = three.at[..., 0, -1].set(0).at[..., 2, 0].set(0)
        if perturb:
            return tridiagonal.solve_perturbed(xp, three, sides, lax.scan, lax.while_loop)
        above, main, below = (three[..., i, :] for i in range(3))
        return lax.linalg.tridiagonal_solve(below, main, above, sides)


def _stacks(xp: Namespace, a: Array, b: Array) -> tuple[Any, Any]:
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return xp.broadcast_to(a, batch + a.shape[-2:]), xp.broadcast_to(b, batch + b.shape[-2:])


class _Maximum:
    """NumPy's ``maximum``, which has a method ``accumulate``."""

    def __init__(self, jax: ModuleType) -> None:
        self.jax = jax

    def __call__(self, x: Array, y: Array) -> Any:
        return self.jax.numpy.maximum(x, y)

    def accumulate(self, x: Array, axis: int) -> Any:
        return self.jax.lax.cummax(x, axis=axis % x.ndim)


class _Linalg:
    """`jax.numpy.linalg`, reading the triangle that NumPy reads, and broadcasting stacks."""

    def __init__(self, jax: ModuleType) -> None:
        self.jax = jax

    def __getattr__(self, name: str) -> Any:
        return getattr(self.jax.numpy.linalg, name)

    def cholesky(self, x: Array) -> Any:
        return self.jax.lax.linalg.cholesky(x, symmetrize_input=False)

    def eigh(self, x: Array) -> Any:
        return self.jax.numpy.linalg.eigh(x, UPLO="L", symmetrize_input=False)

    def solve(self, a: Array, b: Array) -> Any:
        return self.jax.numpy.linalg.solve(*_stacks(self.jax.numpy, a, b))


def brief(error: BaseException) -> str:
    """Return an error's kind and the first line of what it says."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
