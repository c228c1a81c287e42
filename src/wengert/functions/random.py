"""TensorFlow's ``tf.random``.

Seeds as in TensorFlow: with neither a global nor an operation's seed every run draws fresh numbers; a global seed makes
the whole program's sequence repeatable, and `set_seed` starts it again; an operation's seed gives that operation its own
sequence. An operation of a graph starts its sequence anew in each session. The numbers are NumPy's (Philox), not
TensorFlow's.
"""

from __future__ import annotations

import threading
from typing import Any

from wengert import dtypes
from wengert.context import state
from wengert.dtypes import as_dtype
from wengert.errors import DTypeError, InvalidArgumentError
from wengert.functions.array import integer_of, integers_of, sizes_of
from wengert.op import Op
from wengert.ops import elementwise
from wengert.ops import random as ops
from wengert.tensor import SymbolicTensor, Tensor, apply, cast, coerce, convert

__all__ = [
    "Generator",
    "categorical",
    "gamma",
    "get_global_generator",
    "normal",
    "poisson",
    "set_global_generator",
    "set_seed",
    "shuffle",
    "stateless_normal",
    "stateless_truncated_normal",
    "stateless_uniform",
    "truncated_normal",
    "uniform",
]

DEFAULT_SEED = 87654321
"""What stands for the global seed where an operation alone has one; TensorFlow's number."""


class _Seeds:
    """The global seed of eager programs, and how far its sequences have come."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.start(None)

    def start(self, seed: int | None) -> None:
        with self.lock:
            self.seed = seed
            self.runs: dict[int | None, int] = {}

    def next(self, seed: int | None) -> Any:
        """Return the seeds for the next eager operation with this seed of its own."""
        if self.seed is None and seed is None:
            return ops.FRESH
        with self.lock:
            run = self.runs.get(seed, 0)
            self.runs[seed] = run + 1
            words = (DEFAULT_SEED if self.seed is None else self.seed, 0 if seed is None else seed)
            return (*words, run, seed is None)


_eager = _Seeds()


def set_seed(seed: Any) -> None:
    """Set the global seed, and start all sequences anew; that of the graph being built, if there is one.

    >>> import wengert as tf
    >>> tf.random.set_seed(1)
    >>> a = tf.random.normal([3])
    >>> tf.random.set_seed(1)
    >>> bool(tf.reduce_all(a == tf.random.normal([3])))
    True
    """
    number = None if seed is None else integer_of(seed, "seed")
    graph = state.graph
    if graph is not None:
        graph.seed = number
    if graph is None or graph.building_function:
        _eager.start(number)


def _seeds(seed: Any) -> dict[str, Any]:
    """Return the attributes ``seeds`` and ``key`` of the next random operation."""
    own = None if seed is None else integer_of(seed, "seed")
    graph = state.graph
    if graph is None:
        return {"seeds": _eager.next(own), "key": None}
    whole = _eager.seed if graph.seed is None and graph.building_function else graph.seed
    if whole is None and own is None:
        return {"seeds": ops.FRESH, "key": None}
    pair = (DEFAULT_SEED if whole is None else whole, graph.version if own is None else own)
    return {"seeds": pair, "key": object()}


def _of_pair(seed: Any) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Return what `_seeds` does for an explicit pair, and the pair as an input where a graph decides it."""
    sizes: Any = seed
    if hasattr(sizes, "_as_tensor"):
        sizes = sizes._as_tensor()
    if isinstance(sizes, list | tuple) and any(isinstance(s, SymbolicTensor) for s in sizes):
        sizes = convert(sizes)
    if isinstance(sizes, SymbolicTensor):
        if sizes.nptype.kind not in "iu" or sizes.sizes not in ((2,), (None,), None):
            raise InvalidArgumentError(f"A stateless seed is a pair of integers, not {seed!r}.")
        return {"seeds": None, "key": None}, (sizes,)
    pair = integers_of(sizes, "seed")
    if len(pair) != 2:
        raise InvalidArgumentError(f"A stateless seed is a pair of integers, not {seed!r}.")
    return {"seeds": pair, "key": None}, ()


def _float(dtype: Any) -> Any:
    nptype = as_dtype(dtype).numpy
    if nptype.kind != "f":
        raise DTypeError(f"Random floats have a floating dtype, not {as_dtype(dtype).name}.")
    return nptype


def _operand(value: Any, nptype: Any) -> Any:
    if hasattr(value, "_as_tensor"):
        value = value._as_tensor()
    return value if isinstance(value, Tensor) else convert(value, nptype)


def _affine(x: Any, scale: Any, offset: Any, name: str) -> Any:
    """Return x * scale + offset, by operations that pass derivatives to both."""
    for op, value, neutral, label in (
        (elementwise.MULTIPLY, scale, 1.0, f"{name}/mul"),
        (elementwise.ADD, offset, 0.0, name),
    ):
        if state.graph is not None or not isinstance(value, int | float) or value != neutral:
            pair = coerce(op, x, _operand(value, x.nptype))
            if pair is None:
                raise DTypeError(f"{name} takes numbers, not {value!r}.")
            x = apply(op, pair, name=label)
    return x


def _draw(op: Op, shape: Any, nptype: Any, seeds: Any, name: str) -> Any:
    """Draw the standard numbers of a distribution."""
    sizes, symbolic = sizes_of(shape)
    attrs, more = seeds
    attrs = {"shape": sizes, "dtype": nptype.name, **attrs}
    return apply(op, (*symbolic, *more), attrs, f"{name}/{op.type}")


def _uniform(shape: Any, minval: Any, maxval: Any, dtype: Any, seeds: Any, name: str) -> Any:
    nptype = as_dtype(dtype).numpy
    if nptype.kind in "iu":
        if maxval is None:
            raise ValueError(f"Must specify maxval for integer dtype {as_dtype(dtype).name}")
        return _uniform_int(shape, minval, maxval, nptype, seeds, name)
    nptype = _float(dtype)
    if maxval is None:
        maxval = 1
    low, high = minval, maxval
    if all(isinstance(v, int | float) for v in (low, high)):
        span: Any = high - low
    else:
        pair = coerce(elementwise.SUBTRACT, _operand(high, nptype), _operand(low, nptype))
        if pair is None:
            raise DTypeError(f"uniform takes numbers, not {low!r} and {high!r}.")
        span = apply(elementwise.SUBTRACT, pair)
    return _affine(_draw(ops.UNIFORM, shape, nptype, seeds, name), span, low, name)


def _uniform_int(shape: Any, minval: Any, maxval: Any, nptype: Any, seeds: Any, name: str) -> Any:
    if isinstance(minval, SymbolicTensor) or isinstance(maxval, SymbolicTensor):
        low, high = (cast(_operand(v, nptype), dtypes.float64.numpy) for v in (minval, maxval))
        u = _draw(ops.UNIFORM, shape, dtypes.float64.numpy, seeds, name)
        return cast(apply(elementwise.FLOOR, (u * (high - low) + low,)), nptype)
    low_, high_ = integer_of(minval, "minval"), integer_of(maxval, "maxval")
    limits = dtypes.of(nptype)
    if low_ >= high_:
        raise InvalidArgumentError(f"Need minval < maxval, got {low_} >= {high_}")
    if low_ < limits.min or high_ > limits.max + 1:
        raise InvalidArgumentError(f"The bounds {low_} and {high_} do not fit {limits.name}.")
    attrs, more = seeds
    return _draw(ops.UNIFORM_INT, shape, nptype, ({**attrs, "low": low_, "high": high_}, more), name)


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Return numbers spread evenly over [minval, maxval); maxval is 1 for floats and must be given for integers.

    minval and maxval may be tensors that broadcast to the shape, and have derivatives.

    Raises:
        ValueError: for integers without maxval, or an empty range of them.

    >>> import wengert as tf
    >>> tf.random.uniform([2, 3], seed=1).shape
    TensorShape([2, 3])
    """
    return _uniform(shape, minval, maxval, dtype, (_seeds(seed), ()), name or "random_uniform")


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Return normally distributed numbers; mean and stddev may be tensors that broadcast, and have derivatives.

    >>> import wengert as tf
    >>> tf.random.normal([2], dtype=tf.float64).dtype
    tf.float64
    """
    name = name or "random_normal"
    return _affine(_draw(ops.NORMAL, shape, _float(dtype), (_seeds(seed), ()), name), stddev, mean, name)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Return normally distributed numbers within two standard deviations of the mean."""
    name = name or "truncated_normal"
    return _affine(_draw(ops.TRUNCATED_NORMAL, shape, _float(dtype), (_seeds(seed), ()), name), stddev, mean, name)


def gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Return numbers of the gamma distribution, shape ``shape + alpha.shape``; beta is the inverse scale.

    There is a derivative by beta, and none by alpha.
    """
    nptype = _float(dtype)
    a = cast(_operand(alpha, nptype), nptype)
    sizes, symbolic = sizes_of(shape)
    attrs = {"shape": sizes, "dtype": nptype.name, **_seeds(seed)}
    if beta is None:
        return apply(ops.GAMMA, (a, *symbolic), attrs, name or "random_gamma")
    b = cast(_operand(beta, nptype), nptype)
    spread = apply(elementwise.ADD, (a, cast(convert(0.0), nptype) * b))
    return apply(ops.GAMMA, (spread, *symbolic), attrs, name or "random_gamma") / b


def poisson(shape: Any, lam: Any, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None) -> Any:
    """Return numbers of the Poisson distribution, shape ``shape + lam.shape``; there is no derivative by the rate lam."""
    nptype = as_dtype(dtype).numpy
    if nptype.kind not in "iuf":
        raise DTypeError(f"poisson gives numbers, not {as_dtype(dtype).name}.")
    rate = _operand(lam, dtypes.float32 if nptype.kind != "f" else nptype)
    if rate.nptype.kind != "f":
        rate = cast(rate, dtypes.float64.numpy)
    sizes, symbolic = sizes_of(shape)
    attrs = {"shape": sizes, "dtype": nptype.name, **_seeds(seed)}
    return apply(ops.POISSON, (rate, *symbolic), attrs, name or "random_poisson")


def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Any:
    """Return the tensor with its rows (along the first axis) in random order."""
    return apply(ops.SHUFFLE, (convert(value),), _seeds(seed), name or "random_shuffle")


def categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: str | None = None) -> Any:
    """Return classes drawn with probabilities softmax(logits), shape (rows, num_samples), int64.

    Raises:
        ShapeError: (a ValueError) unless logits have shape (rows, classes).
    """
    x = convert(logits)
    sizes, symbolic = sizes_of([num_samples])
    attrs = {"shape": sizes, "dtype": as_dtype(dtypes.int64 if dtype is None else dtype).name, **_seeds(seed)}
    if state.graph is None:
        ops.CATEGORICAL.infer((x,), attrs)
    return apply(ops.CATEGORICAL, (x, *symbolic), attrs, name or "categorical/Multinomial")


# --- without state --------------------------------------------------------------------------------------------------


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Return what `uniform` does, decided by a pair of integers alone."""
    return _uniform(shape, minval, maxval, dtype, _of_pair(seed), name or "stateless_random_uniform")


def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Return what `normal` does, decided by a pair of integers alone.

    >>> import wengert as tf
    >>> a, b = (tf.random.stateless_normal([3], seed=[1, 2]) for _ in range(2))
    >>> bool(tf.reduce_all(a == b))
    True
    """
    name = name or "stateless_random_normal"
    return _affine(_draw(ops.NORMAL, shape, _float(dtype), _of_pair(seed), name), stddev, mean, name)


def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Return what `truncated_normal` does, decided by a pair of integers alone."""
    name = name or "stateless_truncated_normal"
    return _affine(_draw(ops.TRUNCATED_NORMAL, shape, _float(dtype), _of_pair(seed), name), stddev, mean, name)


# --- generators -----------------------------------------------------------------------------------------------------


class Generator:
    """A sequence of random numbers that belongs to an object.

    >>> import wengert as tf
    >>> g, h = (tf.random.Generator.from_seed(7) for _ in range(2))
    >>> bool(tf.reduce_all(g.normal([2]) == h.normal([2])))
    True
    """

    def __init__(self, seed: Any = None) -> None:
        """Take a seed; None: fresh entropy."""
        self.reset_from_seed(seed)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """Make a generator whose numbers a seed decides."""
        if seed is None:
            raise InvalidArgumentError("Generator.from_seed takes an integer; see from_non_deterministic_state.")
        return cls(seed)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Make a generator from fresh entropy."""
        return cls()

    def reset_from_seed(self, seed: Any) -> None:
        """Start again, as if made from this seed."""
        self._seed = None if seed is None else integer_of(seed, "seed")
        self._made = 0

    def _seeds(self) -> Any:
        if self._seed is None:
            return {"seeds": ops.FRESH, "key": None}, ()
        self._made += 1
        return {"seeds": (self._seed, self._made, 1), "key": None if state.graph is None else object()}, ()

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Any:
        """Return numbers spread evenly over [minval, maxval)."""
        return _uniform(shape, minval, maxval, dtype, self._seeds(), name or "stateful_uniform")

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
        """Return normally distributed numbers."""
        name = name or "stateful_normal"
        return _affine(_draw(ops.NORMAL, shape, _float(dtype), self._seeds(), name), stddev, mean, name)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Any:
        """Return normally distributed numbers within two standard deviations of the mean."""
        name = name or "truncated_normal"
        return _affine(_draw(ops.TRUNCATED_NORMAL, shape, _float(dtype), self._seeds(), name), stddev, mean, name)

    def split(self, count: int = 1) -> list[Generator]:
        """Return new generators, each with a sequence of its own."""
        if self._seed is None:
            return [Generator() for _ in range(count)]
        made = []
        for _ in range(count):
            self._made += 1
            made.append(Generator(hash((self._seed, self._made)) & (2**62 - 1)))
        return made


_shared: list[Generator] = []


def get_global_generator() -> Generator:
    """Return the generator that a program shares; it starts from fresh entropy."""
    if not _shared:
        _shared.append(Generator())
    return _shared[0]


def set_global_generator(generator: Generator) -> None:
    """Let programs share another generator."""
    _shared[:] = [generator]
