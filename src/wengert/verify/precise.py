"""Arrays of numbers with any number of digits, so that every kernel runs with 50 or 500 of them.

A `Precise` array is a NumPy array of mpmath's numbers that answers `dtype` with a nominal type, float64 or complex64, as
kernels ask for it: a cast to another floating type changes that answer and no digit. Integers and Booleans stay NumPy's.
NumPy's own functions find their way here (NEP 13 and NEP 18), so the namespace `PRECISE` adds only what makes arrays
from nothing, and the special functions. The number of digits is mpmath's: ``with mpmath.workdps(50): ...``.

What is computed is the same branch as in double precision: signs of the vectors of a QR, singular value or eigenvalue
decomposition are LAPACK's, so values can be compared, and differences along a direction are a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import mpmath
import numpy as np

from wengert.ground.types import Dtype, Index, NumPyArray
from wengert.ops.op import Op
from wengert.verify import matrices, numbers
from wengert.verify.numbers import closed, complex_number, number, real_number

__all__ = ["PRECISE", "Precise", "PreciseArrays", "precise", "rounded", "run"]

mp = mpmath.mp
FLOAT64, COMPLEX128 = np.dtype("float64"), np.dtype("complex128")


class Precise(np.ndarray):
    """An array of mpmath's numbers with a nominal dtype."""

    nominal: np.dtype[Any]

    def __array_finalize__(self, source: Any) -> None:
        self.nominal = getattr(source, "nominal", FLOAT64)

    @property
    def dtype(self) -> Any:
        """The nominal dtype."""
        return self.nominal

    @property  # type: ignore[misc]
    def real(self) -> Any:
        """The real parts."""
        return _wrapped(_REAL(_plain(self)), _real_of(self.nominal)) if self.nominal.kind == "c" else self

    @property  # type: ignore[misc]
    def imag(self) -> Any:
        """The imaginary parts."""
        return _wrapped(_IMAG(_plain(self)), _real_of(self.nominal))

    def conj(self) -> Any:
        """Return the complex conjugates."""
        return np.conjugate(self)

    def __getitem__(self, index: Any) -> Any:
        return _wrapped(_plain(self)[index], self.nominal)

    def __setitem__(self, index: Any, value: Any) -> None:
        plain = _plain(_like(value, self.nominal))
        _plain(self)[index] = plain if plain.ndim else plain[()]  # NumPy would keep an array as one element

    def __iter__(self) -> Any:
        return iter([self[i] for i in range(len(self))])

    def __repr__(self) -> str:
        return f"Precise({_plain(self)!r}, {self.nominal.name})"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Compute by mpmath where NumPy's loop over objects would not, or otherwise."""
        if any(v is not None and v is not True for v in (keywords.get("out"), keywords.get("where"))):
            return NotImplemented
        nominal = _common(inputs)
        if method == "at":
            target, index, *values = inputs
            UFUNCS.get(ufunc, ufunc).at(_plain(target), index, *[_plain(_like(v, target.nominal)) for v in values])
            return None
        plain = [_plain(x) if isinstance(x, Precise) else _plain(_like(x, nominal)) for x in inputs]
        if ufunc is np.matmul:
            return _wrapped(matrices.product(*plain), nominal)
        if ufunc is np.divide and method == "__call__":
            try:
                return _wrapped(np.divide(*plain), nominal)
            except ZeroDivisionError:
                return _wrapped(_DIVIDE(*plain), nominal)
        keywords = {k: v for k, v in keywords.items() if k in ("axis", "keepdims", "initial")}
        result = getattr(UFUNCS.get(ufunc, ufunc), method)(*plain, **keywords)
        if ufunc in PREDICATES:
            return np.asarray(result, bool)
        if method == "reduce" and 0 in plain[0].shape:  # of nothing there is a Python number
            result = _plain(_like(result, nominal))
        return _wrapped(result, _real_of(nominal) if ufunc is np.absolute else nominal)

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        """Run NumPy's function over the bare numbers, or ours in its place."""
        own = FUNCTIONS.get(function)
        if own is not None:
            return own(*arguments, **keywords)
        found: list[Any] = []
        nominal = keywords.pop("dtype", None)
        arguments, keywords = _bare(arguments, found), {k: _bare(v, found) for k, v in keywords.items()}
        return _outputs(function(*arguments, **keywords), _common(found) if nominal is None else np.dtype(nominal))


def _plain(x: Any) -> Any:
    return np.ndarray.view(x, np.ndarray) if isinstance(x, Precise) else x


def _wrapped(value: Any, nominal: Any) -> Any:
    """Return numbers, in an array or one alone, as a Precise array."""
    if value.__class__ is not np.ndarray:
        one = np.empty((), object)
        one[()] = value
        value = one
    result = np.ndarray.view(value, Precise)
    result.nominal = nominal
    return result


def _real_of(nominal: Any) -> Any:
    return np.dtype(f"f{nominal.itemsize // 2}") if nominal.kind == "c" else nominal


def _common(inputs: Sequence[Any]) -> Any:
    """Return the nominal dtype of a result: Python's numbers count by their kind alone."""
    nominal = None
    for x in inputs:
        if isinstance(x, Precise):
            nominal = x.nominal if nominal is None or nominal is x.nominal else np.result_type(nominal, x.nominal)
    for x in inputs:
        if not isinstance(x, Precise) and getattr(getattr(x, "dtype", x), "kind", type(x)) in ("c", complex):
            nominal = np.result_type(nominal, x)
    return nominal


def _bare(x: Any, found: list[Any]) -> Any:
    """Return an argument with bare arrays in the place of Precise ones, which are added to the list."""
    if isinstance(x, Precise):
        found.append(x)
        return _plain(x)
    return type(x)([_bare(one, found) for one in x]) if type(x) in (list, tuple) else x


def _outputs(value: Any, nominal: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)([_outputs(one, nominal) for one in value])
    if isinstance(value, np.ndarray):
        return _wrapped(value, nominal) if value.dtype.kind == "O" else value
    return _wrapped(value, nominal) if type(value) in (mp.mpf, mp.mpc) else value


_TO_REAL = np.frompyfunc(real_number, 1, 1)
_TO_COMPLEX = np.frompyfunc(complex_number, 1, 1)
_TO_INT = np.frompyfunc(int, 1, 1)
_REAL = np.frompyfunc(lambda z: z.real, 1, 1)
_IMAG = np.frompyfunc(lambda z: z.imag, 1, 1)
_ANGLE = np.frompyfunc(mp.arg, 1, 1)
_DIVIDE = np.frompyfunc(numbers.divide, 2, 1)


def _like(x: Any, nominal: Any) -> Precise:
    """Return numbers of any kind as a Precise array of a nominal dtype."""
    if isinstance(x, Precise):
        if x.nominal.kind == nominal.kind:
            return x if x.nominal == nominal else _wrapped(_plain(x), nominal)
        if nominal.kind == "f":
            return _wrapped(_REAL(_plain(x)), nominal)  # type: ignore[no-any-return]
    return _wrapped((_TO_COMPLEX if nominal.kind == "c" else _TO_REAL)(_plain(x)), nominal)  # type: ignore[no-any-return]


def precise(x: Any) -> Any:
    """Return a floating or complex array with every bit of it; integers, Booleans and strings as they are.

    >>> import mpmath
    >>> with mpmath.workdps(30):
    ...     print(precise(np.array(2.0)) ** 0.5)
    1.41421356237309504880168872421
    """
    if isinstance(x, Precise):
        return x
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        return x
    with np.errstate(all="ignore"):  # NaN is no accident here
        return _like(x, x.dtype)


def rounded(x: Any, dtype: Any = None) -> Any:
    """Return an array of NumPy's: the nearest numbers of a dtype, by default the nominal one.

    >>> rounded(precise(np.array([0.1, 2.0])), "float32")
    array([0.1, 2. ], dtype=float32)
    """
    if not isinstance(x, Precise):
        return np.asarray(x, dtype)
    dtype = x.nominal if dtype is None else np.dtype(dtype)
    if dtype.kind in "fc":
        with np.errstate(all="ignore"):  # what a narrow dtype does not hold is infinite
            return _plain(x).astype("complex128" if x.nominal.kind == "c" else "float64").astype(dtype)
    return PreciseArrays.astype(x, dtype)


def run(op: Op, arrays: Sequence[Any], attrs: Any = None) -> Any:
    """Return an operation's output, or the tuple of its outputs, with mpmath's current number of digits.

    Floating inputs, NumPy's or precise, are taken with every bit; so floating outputs are precise.

    Raises:
        NotImplementedError: for an operation that does not compute, or draws random numbers (``no_digits`` of its record).

    >>> from wengert.ops.op import table
    >>> import wengert.ops
    >>> with mpmath.workdps(30):
    ...     print(run(table["exp"], [np.array(1.0)]))
    2.71828182845904523536028747135
    """
    if op.no_digits:
        raise NotImplementedError(f"{op.name} does not run with more digits: it {op.no_digits}.")
    with np.errstate(all="ignore"):
        value = op.bind(PRECISE)(*[precise(a) for a in arrays], **(attrs or {}))
    return tuple([precise(v) for v in value]) if isinstance(value, tuple | list) else precise(value)


# --- NumPy's functions over these arrays --------------------------------------------------------------------------

PREDICATES = {
    np.equal,
    np.not_equal,
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    np.isfinite,
    np.isinf,
    np.isnan,
    np.logical_not,
    np.logical_and,
    np.logical_or,
}
UFUNCS: dict[Any, Any] = {ufunc: np.frompyfunc(f, 1, 1) for ufunc, f in numbers.UNARY.items()} | {
    np.divide: _DIVIDE,
    np.power: np.frompyfunc(numbers.power, 2, 1),
    np.floor_divide: np.frompyfunc(numbers.floor_divide, 2, 1),
    np.remainder: np.frompyfunc(numbers.remainder, 2, 1),
    np.fmod: np.frompyfunc(numbers.truncated_remainder, 2, 1),
    np.maximum: np.frompyfunc(numbers.maximum, 2, 1),
    np.minimum: np.frompyfunc(numbers.minimum, 2, 1),
    np.hypot: np.frompyfunc(numbers.hypot, 2, 1),
    np.arctan2: np.frompyfunc(mp.atan2, 2, 1),
    np.logaddexp: np.frompyfunc(numbers.logaddexp, 2, 1),
    np.nextafter: np.frompyfunc(numbers.nextafter, 2, 1),
    np.isfinite: np.frompyfunc(mp.isfinite, 1, 1),
    np.isinf: np.frompyfunc(mp.isinf, 1, 1),
    np.isnan: np.frompyfunc(mp.isnan, 1, 1),
}
"""What stands in the place of NumPy's functions; the others have loops over objects that are right."""


def _where(condition: Any, x: Any, y: Any) -> Any:
    nominal = _common((x, y))
    if nominal is None:
        return np.where(_plain(condition), x, y)
    return _wrapped(np.where(_plain(condition), _plain(_like(x, nominal)), _plain(_like(y, nominal))), nominal)


def _pad(x: Any, widths: Any, mode: str = "constant", **keywords: Any) -> Any:
    if mode == "constant":
        keywords["constant_values"] = number(keywords.get("constant_values", 0))
    result = np.pad(_plain(x), widths, mode=mode, **keywords)  # type: ignore[call-overload]
    return _like(result, x.nominal) if mode == "constant" else _wrapped(result, x.nominal)


def _linspace(start: Any, stop: Any, num: int, axis: int = 0, dtype: Any = None) -> Any:
    nominal = _common((start, stop))
    start, stop = _like(start, nominal), _like(stop, nominal)
    at = [start + (stop - start) * k / max(num - 1, 1) for k in range(num)]
    return np.stack(at, axis=axis) if at else _wrapped(np.empty((0, *start.shape), object), nominal)


def _argsort(x: Any, axis: int = -1, **keywords: Any) -> Any:
    return np.argsort(_plain(x), axis=axis, kind="stable")


def _reduction(ufunc: Any) -> Callable[..., Any]:
    def function(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, **keywords: Any) -> Any:
        axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        if not axes:
            return x
        for a in axes:  # a function of Python's takes one axis at a time
            x = ufunc.reduce(x, axis=a, keepdims=True, **keywords)
        return x if keepdims else np.squeeze(x, axes)

    return function


def _matrices(function: Callable[..., Any], real: tuple[int, ...] = (), complex_: bool = False) -> Callable[..., Any]:
    """Return a function of `matrices` over Precise arrays; the outputs numbered in ``real`` are real."""

    def over(x: Any, *rest: Any, **keywords: Any) -> Any:
        nominal = _common((x, *rest))
        rest = tuple([_plain(_like(r, nominal)) if isinstance(r, np.ndarray) else r for r in rest])
        value = function(_plain(_like(x, nominal)), *rest, **keywords)
        if complex_:
            nominal = np.result_type(nominal, np.complex64)
        if not isinstance(value, tuple):
            return _wrapped(value, nominal)
        return tuple([_wrapped(v, _real_of(nominal) if k in real else nominal) for k, v in enumerate(value)])

    return over


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.real: lambda x: x.real,
    np.imag: lambda x: x.imag,
    np.angle: lambda x: _wrapped(_ANGLE(_plain(x)), _real_of(x.nominal)),
    np.round: lambda x: np.rint(x),
    np.where: _where,
    np.pad: _pad,
    np.linspace: _linspace,
    np.argsort: _argsort,
    np.max: _reduction(np.maximum),
    np.min: _reduction(np.minimum),
    np.sum: _reduction(np.add),
    np.prod: _reduction(np.multiply),
    np.dot: lambda a, b: np.matmul(a, b) if np.ndim(a) == 2 == np.ndim(b) else np.multiply(a, b).sum(),
    np.zeros_like: lambda x: PreciseArrays.zeros(x.shape, x.dtype),
    np.ones_like: lambda x: PreciseArrays.ones(x.shape, x.dtype),
    np.copy: lambda x: PreciseArrays.array(x),
    np.fft.fft: _matrices(matrices.fft),
    np.fft.ifft: _matrices(matrices.ifft),
    np.linalg.inv: _matrices(matrices.inv),
    np.linalg.solve: _matrices(matrices.solve),
    np.linalg.cholesky: _matrices(matrices.cholesky),
    np.linalg.det: _matrices(matrices.det),
    np.linalg.slogdet: _matrices(matrices.slogdet, real=(1,)),
    np.linalg.eigh: _matrices(matrices.eigh, real=(0,)),
    np.linalg.svd: _matrices(matrices.svd, real=(1,)),
    np.linalg.qr: _matrices(matrices.qr),
    np.linalg.eig: _matrices(matrices.eig, complex_=True),
}
"""What stands in the place of NumPy's functions; the others only move elements, or compare them."""


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs: _map(function, *xs)


def _map(function: Callable[..., Any], *xs: Any) -> Any:
    """Apply a function of numbers to arrays, element by element."""
    xs = tuple([precise(x) for x in xs])
    nominal = _common(xs)
    return _wrapped(np.frompyfunc(function, len(xs), 1)(*[_plain(_like(x, nominal)) for x in xs]), nominal)


class PreciseArrays:
    """mpmath's numbers as an array namespace; see the module's text."""

    name = "mpmath"
    newaxis = None

    def __getattr__(self, name: str) -> Any:
        """Take the rest from NumPy."""
        value = getattr(np, name)
        setattr(self, name, value)
        return value

    @property
    def random(self) -> Any:
        """Nothing.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Random numbers have no further digits: draw them by NumPy, and take them as constants.")

    # --- arrays from nothing --------------------------------------------------------------------------------------

    @staticmethod
    def asarray(x: Any, dtype: Any = None) -> Any:
        """Return an array; a floating dtype, given or of x, makes it precise."""
        if dtype is None:
            return precise(x)
        return PreciseArrays.astype(x, dtype)

    @staticmethod
    def array(x: Any, dtype: Any = None) -> Any:
        """Return a copy."""
        x = PreciseArrays.asarray(x, dtype)
        return _wrapped(_plain(x).copy(), x.nominal) if isinstance(x, Precise) else np.array(x)

    @staticmethod
    def full(shape: Any, value: Any, dtype: Any = None) -> Any:
        """Return an array of one number."""
        if dtype is None:
            dtype = np.asarray(value).dtype if not isinstance(value, Precise) else value.nominal
        if np.dtype(dtype).kind not in "fc":
            return np.full(shape, value, dtype)
        one = _plain(_like(value, np.dtype(dtype)))
        filled = np.empty(shape, object)
        filled[...] = one
        return _wrapped(filled, np.dtype(dtype))

    @staticmethod
    def zeros(shape: Any, dtype: Any = FLOAT64) -> Any:
        """Return an array of zeros."""
        return PreciseArrays.full(shape, 0, dtype)

    @staticmethod
    def ones(shape: Any, dtype: Any = FLOAT64) -> Any:
        """Return an array of ones."""
        return PreciseArrays.full(shape, 1, dtype)

    @staticmethod
    def zeros_like(x: Any) -> Any:
        """Return zeros of the shape and dtype of x."""
        return PreciseArrays.full(x.shape, 0, x.dtype)

    @staticmethod
    def ones_like(x: Any) -> Any:
        """Return ones of the shape and dtype of x."""
        return PreciseArrays.full(x.shape, 1, x.dtype)

    @staticmethod
    def eye(n: int, dtype: Any = FLOAT64) -> Any:
        """Return the identity matrix."""
        return PreciseArrays.asarray(np.eye(n), dtype)

    @staticmethod
    def arange(*bounds: Any, dtype: Any = None) -> Any:
        """Return the numbers of a range."""
        x = np.arange(*bounds)
        return precise(x) if dtype is None else PreciseArrays.astype(x, dtype)

    @staticmethod
    def where(condition: Any, x: Any, y: Any) -> Any:
        """Choose; a Python number takes the other's dtype."""
        return _where(condition, x, y)

    @staticmethod
    def astype(x: Any, dtype: Any) -> Any:
        """Convert: to a floating type with every digit; complex to real keeps the real part, floats to integers are cut."""
        dtype = np.dtype(dtype)
        if dtype.kind in "fc":
            return _like(x if isinstance(x, Precise) else np.asarray(x), dtype)
        if not isinstance(x, Precise):
            return np.asarray(x).astype(dtype)
        if dtype.kind == "b":
            return np.not_equal(x, 0)
        return _TO_INT(_plain(x.real)).astype(dtype)

    # --- special functions ----------------------------------------------------------------------------------------

    erf = staticmethod(_elementwise(numbers.erf))
    erfc = staticmethod(_elementwise(numbers.erfc))
    erfinv = staticmethod(_elementwise(closed(numbers.erfinv)))
    erfcinv = staticmethod(_elementwise(closed(numbers.erfcinv)))
    ndtr = staticmethod(_elementwise(closed(numbers.ndtr)))
    ndtri = staticmethod(_elementwise(closed(numbers.ndtri)))
    log_ndtr = staticmethod(_elementwise(closed(numbers.log_ndtr)))
    lgamma = staticmethod(_elementwise(closed(numbers.lgamma)))
    digamma = staticmethod(_elementwise(closed(mp.digamma)))
    zeta = staticmethod(_elementwise(closed(numbers.zeta)))
    gammainc = staticmethod(_elementwise(closed(numbers.gammainc)))
    gammaincc = staticmethod(_elementwise(closed(numbers.gammaincc)))
    betainc = staticmethod(_elementwise(closed(numbers.betainc)))
    gammaincinv = staticmethod(_elementwise(closed(numbers.gammaincinv)))
    gammainccinv = staticmethod(_elementwise(closed(numbers.gammainccinv)))
    betaincinv = staticmethod(_elementwise(closed(numbers.betaincinv)))
    i0 = staticmethod(_elementwise(numbers.bessel("i", 0)))
    i1 = staticmethod(_elementwise(numbers.bessel("i", 1)))
    i0e = staticmethod(_elementwise(numbers.bessel("ie", 0)))
    i1e = staticmethod(_elementwise(numbers.bessel("ie", 1)))
    dawsn = staticmethod(_elementwise(closed(numbers.dawsn)))
    expit = staticmethod(_elementwise(numbers.expit))
    spence = staticmethod(_elementwise(closed(numbers.spence)))
    expi = staticmethod(_elementwise(closed(mp.ei)))
    sech_squared = staticmethod(_elementwise(numbers.sech_squared))

    # --- what else the standard lacks ----------------------------------------------------------------------------------

    @staticmethod
    def complex_of(x: Any, y: Any) -> Any:
        """Return x + iy."""
        return PreciseArrays.astype(x, f"c{2 * x.dtype.itemsize}") + 1j * y

    @staticmethod
    def dot_over_rows(a: Any, b: Any) -> Any:
        """Return aᵀ b for two matrices."""
        return np.matmul(a.T, b)

    @staticmethod
    def polygamma(x: Any, n: int) -> Any:
        """Return the n-th derivative of digamma."""
        return _map(numbers.polygamma(n), x)

    @staticmethod
    def gammainc_by(a: Any, x: Any, n: int) -> Any:
        """Return the n-th derivative of gammainc by a, by differences with the digits that they need."""
        return _map(numbers.gammainc_by(n), a, x)

    @staticmethod
    def betainc_by(a: Any, b: Any, x: Any, m: int, n: int) -> Any:
        """Return the derivative of betainc of orders m by a and n by b, by differences with the digits that they need."""
        return _map(numbers.betainc_by(m, n), a, b, x)

    @staticmethod
    def zeta_by(s: Any, q: Any, n: int) -> Any:
        """Return the n-th derivative of Hurwitz's zeta function by its first argument."""
        return _map(numbers.zeta_by(n), s, q)

    @staticmethod
    def bessel(x: Any, family: str, n: int) -> Any:
        """Return a Bessel function; see `wengert.ground.arrays.NumPyArrays.bessel`."""
        return _map(numbers.bessel(family, n), x)

    @staticmethod
    def spherical_bessel(x: Any, n: int) -> Any:
        """Return the spherical Bessel function of the first kind of order n."""
        return _map(numbers.spherical_bessel(n), x)

    @staticmethod
    def fresnel(x: Any) -> Any:
        """Return Fresnel's integrals (S, C)."""
        return _map(numbers.fresnels, x), _map(numbers.fresnelc, x)

    @staticmethod
    def filled(shape: tuple[int, ...], dtype: Dtype, index: Index, value: NumPyArray) -> Any:
        """Return zeros but for the value at an index."""
        return PreciseArrays.index_set(PreciseArrays.zeros(shape, dtype), index, value)

    @staticmethod
    def index_set(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with x[index] = value."""
        result = PreciseArrays.array(x)
        result[index] = value
        return result

    @staticmethod
    def index_add(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with value added at index, repeated indices adding up."""
        return _at(np.add, x, index, value)

    @staticmethod
    def index_min(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with the minimum taken at index."""
        return _at(np.minimum, x, index, value)

    @staticmethod
    def index_max(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with the maximum taken at index."""
        return _at(np.maximum, x, index, value)

    @staticmethod
    def index_multiply(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with values multiplied in at index."""
        return _at(np.multiply, x, index, value)

    expm = staticmethod(_matrices(matrices.expm))
    logm = staticmethod(_matrices(matrices.logm))
    sqrtm = staticmethod(_matrices(matrices.sqrtm))
    solve_triangular = staticmethod(_matrices(matrices.solve_triangular))

    @staticmethod
    def lu(x: Any) -> Any:
        """Return L and U in one matrix, and where each row of L U stands in x."""
        packed, place = _matrices(matrices.lu)(x)
        return packed, _plain(place).astype(np.int32)

    solve_tridiagonal = staticmethod(_matrices(matrices.solve_tridiagonal))


def _at(ufunc: np.ufunc, x: NumPyArray, index: Index, value: NumPyArray) -> Any:
    result, places = PreciseArrays.array(x), cast(Any, index)
    ufunc.at(result, places, value)
    return result


PRECISE: PreciseArrays = PreciseArrays()
"""The one instance."""
