"""TensorFlow's ``tf.random``.

Seeds as in TensorFlow: with neither a global nor an operation's seed every run draws fresh numbers; a global seed makes
the whole program's sequence repeatable, and `set_seed` starts it again, those of functions too; an operation's seed gives
that operation its own sequence, the same one eagerly and in a function. An operation of a graph starts its sequence anew in
each session. A `Generator` is its state, a variable: eager code and functions go on from each other. The numbers are NumPy's
(Philox), not TensorFlow's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.functions.array import broadcast_to, integer_of, integers_of, sizes_of
from wengert.functions.program import init_scope
from wengert.ground import dtypes
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.entropy import fresh
from wengert.ground.errors import DTypeError, InvalidArgumentError, ShapeError
from wengert.ground.locks import lock
from wengert.ground.shapes import ShapeLike
from wengert.ground.types import Array
from wengert.modes.variable import Variable
from wengert.ops import elementwise, linear, reduction
from wengert.ops import random as ops
from wengert.ops.op import Op
from wengert.tensor.tensor import SymbolicTensor, Tensor, TensorLike, apply, cast, coerce, convert, value_of

DEFAULT_SEED = 87654321
"""What stands for the global seed where an operation alone has one; TensorFlow's number."""


_Drawn = tuple[dict[str, Any], tuple[Any, ...]]
"""The attributes ``seeds`` and ``key`` of a random operation, and the inputs that decide its draws."""


class _Seeds:
    """The global seed of eager programs, and how far its sequences have come."""

    def __init__(self) -> None:
        self.lock = lock()
        self.start(None)

    def start(self, seed: int | None) -> None:
        with self.lock:
            self.seed = seed
            self.runs: dict[Any, int] = {}

    def next(self, seed: int | None, kind: Any) -> Any:
        """Return the seeds for the next eager operation with this seed of its own, of which each kind has a sequence."""
        if self.seed is None and seed is None:
            return ops.FRESH
        with self.lock:
            which = None if seed is None else (seed, kind)
            run = self.runs.get(which, 0)
            self.runs[which] = run + 1
            words = DEFAULT_SEED if self.seed is None else self.seed
            return (words, 0, run, True) if seed is None else (words, seed, run)


_eager = _Seeds()


def set_seed(seed: int | Sequence[int]) -> None:
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
        ops.restart()


def _seeds(seed: int | Sequence[int] | None, *kind: Any) -> dict[str, Any]:
    """Return the attributes ``seeds`` and ``key`` of the next random operation, of this kind (its name and dtype)."""
    own = None if seed is None else integer_of(seed, "seed")
    graph = state.graph
    if graph is None:
        return {"seeds": _eager.next(own, kind), "key": None}
    whole = _eager.seed if graph.seed is None and graph.building_function else graph.seed
    if whole is None and own is None:
        return {"seeds": ops.FRESH, "key": None}
    pair = (DEFAULT_SEED if whole is None else whole, graph.version if own is None else own)
    return {"seeds": pair, "key": object()}


def seed_word(seed: int | Sequence[int] | None) -> int | None:
    """Return what decides the random numbers of something that draws many, such as a shuffled dataset; None: nothing does.

    With a seed of its own it is always the same one for a global seed. With the global seed alone it is the next of a sequence.
    """
    own = None if seed is None else integer_of(seed, "seed")
    graph = state.graph
    whole = _eager.seed if graph is None or (graph.seed is None and graph.building_function) else graph.seed
    if own is not None:
        words: Sequence[int] = (DEFAULT_SEED if whole is None else whole, own)
    elif whole is None:
        return None
    else:
        words = (whole, graph.version, 0, 1) if graph is not None else tuple(map(int, _eager.next(None, "words")))
    return int(np.random.SeedSequence([w & (2**64 - 1) for w in words]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _of_pair(seed: int | Sequence[int]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Return what `_seeds` does for an explicit pair, and the pair as an input where a graph decides it."""
    sizes: Any = seed
    sizes = value_of(sizes)
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


def _float(dtype: DtypeLike | None) -> Any:
    nptype = as_dtype(dtype).numpy
    if nptype.kind != "f":
        raise DTypeError(f"Random floats have a floating dtype, not {as_dtype(dtype).name}.")
    return nptype


def _operand(value: Any, nptype: Any) -> Any:
    value = value_of(value)
    return value if isinstance(value, Tensor) else convert(value, nptype)


def _affine(x: Any, scale: TensorLike, offset: Any, name: str) -> Any:
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


def _draw(op: Op, shape: ShapeLike | Tensor | None, nptype: Any, seeds: Any, name: str) -> Any:
    """Draw the standard numbers of a distribution."""
    sizes, symbolic = sizes_of(shape)
    attrs, more = seeds
    attrs = {"shape": sizes, "dtype": nptype.name, **attrs}
    return apply(op, (*symbolic, *more), attrs, f"{name}/{op.type}")


def _uniform(shape: ShapeLike | Tensor | None, minval: Any, maxval: Any, dtype: Any, seeds: Any, name: str) -> Any:
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


def _uniform_int(
    shape: ShapeLike | Tensor | None, minval: Array | None, maxval: Array, nptype: Any, seeds: Any, name: str
) -> Any:
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
    shape: ShapeLike,
    minval: TensorLike = 0,
    maxval: TensorLike | None = None,
    dtype: DtypeLike = dtypes.float32,
    seed: int | Sequence[int] | None = None,
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
    return _uniform(shape, minval, maxval, dtype, (_seeds(seed, "uniform", as_dtype(dtype)), ()), name or "random_uniform")


def normal(
    shape: ShapeLike,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DtypeLike = dtypes.float32,
    seed: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return normally distributed numbers; mean and stddev may be tensors that broadcast, and have derivatives.

    >>> import wengert as tf
    >>> tf.random.normal([2], dtype=tf.float64).dtype
    tf.float64
    """
    name = name or "random_normal"
    return _affine(
        _draw(ops.NORMAL, shape, _float(dtype), (_seeds(seed, "normal", as_dtype(dtype)), ()), name), stddev, mean, name
    )


def truncated_normal(
    shape: ShapeLike,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DtypeLike = dtypes.float32,
    seed: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return normally distributed numbers within two standard deviations of the mean."""
    name = name or "truncated_normal"
    seeds = _seeds(seed, "truncated", as_dtype(dtype))
    return _affine(_draw(ops.TRUNCATED_NORMAL, shape, _float(dtype), (seeds, ()), name), stddev, mean, name)


def gamma(
    shape: ShapeLike,
    alpha: TensorLike,
    beta: TensorLike | None = None,
    dtype: DtypeLike = dtypes.float32,
    seed: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return numbers of the gamma distribution, shape ``shape + alpha.shape``; beta is the inverse scale.

    There is a derivative by beta, and none by alpha.
    """
    nptype = _float(dtype)
    return _gamma(shape, alpha, beta, nptype, (_seeds(seed, "gamma", nptype), ()), name or "random_gamma")


def _gamma(shape: ShapeLike, alpha: TensorLike, beta: TensorLike | None, nptype: np.dtype[Any], seeds: _Drawn, name: str) -> Any:
    a = cast(_operand(alpha, nptype), nptype)
    sizes, symbolic = sizes_of(shape)
    attrs, more = seeds
    attrs = {"shape": sizes, "dtype": nptype.name, **attrs}
    if beta is None:
        return apply(ops.GAMMA, (a, *symbolic, *more), attrs, name)
    b = cast(_operand(beta, nptype), nptype)
    spread = apply(elementwise.ADD, (a, cast(convert(0.0), nptype) * b))
    return apply(ops.GAMMA, (spread, *symbolic, *more), attrs, name) / b


def poisson(
    shape: ShapeLike,
    lam: TensorLike,
    dtype: DtypeLike = dtypes.float32,
    seed: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return numbers of the Poisson distribution, shape ``shape + lam.shape``; there is no derivative by the rate lam."""
    return _poisson(shape, lam, dtype, (_seeds(seed, "poisson", as_dtype(dtype).numpy), ()), name or "random_poisson")


def _poisson(shape: ShapeLike, lam: TensorLike, dtype: DtypeLike, seeds: _Drawn, name: str) -> Any:
    nptype = as_dtype(dtype).numpy
    if nptype.kind not in "iuf":
        raise DTypeError(f"poisson gives numbers, not {as_dtype(dtype).name}.")
    rate = _operand(lam, dtypes.float32 if nptype.kind != "f" else nptype)
    if rate.nptype.kind != "f":
        rate = cast(rate, dtypes.float64.numpy)
    sizes, symbolic = sizes_of(shape)
    attrs, more = seeds
    attrs = {"shape": sizes, "dtype": nptype.name, **attrs}
    return apply(ops.POISSON, (rate, *symbolic, *more), attrs, name)


def shuffle(value: TensorLike, seed: int | Sequence[int] | None = None, name: str | None = None) -> Any:
    """Return the tensor with its rows (along the first axis) in random order."""
    return apply(ops.SHUFFLE, (convert(value),), _seeds(seed, "shuffle"), name or "random_shuffle")


def categorical(
    logits: TensorLike,
    num_samples: Any,
    dtype: DtypeLike | None = None,
    seed: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return classes drawn with probabilities softmax(logits), shape (rows, num_samples), int64.

    Raises:
        ShapeError: (a ValueError) unless logits have shape (rows, classes).
    """
    kind = dtypes.int64 if dtype is None else dtype
    seeds = _seeds(seed, "categorical", as_dtype(kind))
    return _classes(logits, num_samples, kind, (seeds, ()), name or "categorical/Multinomial")


def _classes(logits: Any, num_samples: Any, dtype: Any, seeds: Any, name: str) -> Any:
    x = convert(logits)
    sizes, symbolic = sizes_of([num_samples])
    attrs, more = seeds
    attrs = {"shape": sizes, "dtype": as_dtype(dtype).name, **attrs}
    if state.graph is None:
        ops.CATEGORICAL.infer((x,), attrs)
    return apply(ops.CATEGORICAL, (x, *symbolic, *more), attrs, name)


# --- without state --------------------------------------------------------------------------------------------------


def stateless_uniform(
    shape: ShapeLike,
    seed: int | Sequence[int],
    minval: TensorLike = 0,
    maxval: TensorLike | None = None,
    dtype: DtypeLike = dtypes.float32,
    name: str | None = None,
    alg: str = "auto_select",
) -> Any:
    """Return what `uniform` does, decided by a pair of integers alone."""
    return _uniform(shape, minval, maxval, dtype, _of_pair(seed), name or "stateless_random_uniform")


def stateless_normal(
    shape: ShapeLike,
    seed: int | Sequence[int],
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DtypeLike = dtypes.float32,
    name: str | None = None,
    alg: str = "auto_select",
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
    shape: ShapeLike,
    seed: int | Sequence[int],
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DtypeLike = dtypes.float32,
    name: str | None = None,
    alg: str = "auto_select",
) -> Any:
    """Return what `truncated_normal` does, decided by a pair of integers alone."""
    name = name or "stateless_truncated_normal"
    return _affine(_draw(ops.TRUNCATED_NORMAL, shape, _float(dtype), _of_pair(seed), name), stddev, mean, name)


def stateless_categorical(
    logits: TensorLike, num_samples: Any, seed: int | Sequence[int], dtype: DtypeLike = dtypes.int64, name: str | None = None
) -> Any:  # fmt: skip
    """Return what `categorical` does, decided by a pair of integers alone."""
    return _classes(logits, num_samples, dtype, _of_pair(seed), name or "stateless_categorical")


def stateless_gamma(
    shape: ShapeLike, seed: int | Sequence[int], alpha: TensorLike, beta: TensorLike | None = None,
    dtype: DtypeLike = dtypes.float32, name: str | None = None,
) -> Any:  # fmt: skip
    """Return numbers of the gamma distribution as `gamma` draws them, decided by a pair of integers alone.

    The shape is that of all numbers, which ends in what alpha and beta broadcast to.

    Raises:
        ShapeError: (a ValueError) if it does not.
    """
    nptype = _float(dtype)
    each = broadcast_to(_operand(alpha, nptype), shape)
    return _gamma((), each, beta, nptype, _of_pair(seed), name or "stateless_random_gamma")


def stateless_poisson(
    shape: ShapeLike, seed: int | Sequence[int], lam: TensorLike, dtype: DtypeLike = dtypes.int32, name: str | None = None
) -> Any:
    """Return numbers of the Poisson distribution as `poisson` draws them, decided by a pair of integers alone.

    The shape is that of all numbers, which ends in the shape of lam.

    Raises:
        ShapeError: (a ValueError) if it does not.
    """
    rate = lam if hasattr(lam, "dtype") else convert(lam, dtypes.float32)
    return _poisson((), broadcast_to(rate, shape), dtype, _of_pair(seed), name or "stateless_random_poisson")


# --- generators -----------------------------------------------------------------------------------------------------


class _State(Variable):
    """The state of a generator."""

    counts_draws = True


class Generator:
    """A sequence of random numbers that belongs to an object: its state, a variable that each draw moves on.

    The state is TensorFlow's for the algorithm Philox: the two words of a counter, and a key. Eager code, functions and graphs
    share it, `Checkpoint` saves it.

    >>> import wengert as tf
    >>> g, h = (tf.random.Generator.from_seed(7) for _ in range(2))
    >>> draw = tf.function(lambda: h.normal([2]))
    >>> [bool(tf.reduce_all(g.normal([2]) == draw())) for _ in range(2)]
    [True, True]
    """

    def __init__(self, copy_from: Any = None, state: Any = None, alg: Any = None) -> None:
        """Take a generator to copy, or a state; with neither begin with fresh entropy. ``alg`` is accepted: there is one.

        Raises:
            ValueError: for both, and for a state that is no three whole numbers.
        """
        if copy_from is not None and state is not None:
            raise ValueError("Generator: give copy_from or state, not both.")
        if copy_from is not None:
            start = convert(copy_from.state)
        elif state is not None:
            start = _state_of(state)
        else:
            start = convert(np.random.SeedSequence(fresh()).generate_state(3, np.uint64).view(np.int64))
        self._state_var = _State(start, trainable=False, name="random_generator/StateVar", dtype=dtypes.int64)

    @classmethod
    def from_state(cls, state: Any, alg: Any = None) -> Generator:
        """Make a generator of a state, which is copied."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_seed(cls, seed: int | Sequence[int], alg: Any = None) -> Generator:
        """Make a generator whose numbers a seed decides: a whole number, or up to three."""
        if seed is None:
            raise InvalidArgumentError("Generator.from_seed takes an integer; see from_non_deterministic_state.")
        return cls(state=_state_of_seed(seed))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Make a generator from fresh entropy."""
        return cls()

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any = None) -> Generator:
        """Make a generator of a key and the two words of a counter."""
        return cls(state=_joined(key, counter))

    def _trackable_children(self) -> dict[str, Any]:
        return {"_state_var": self._state_var}

    @property
    def state(self) -> Variable:
        """The state: a variable of three whole numbers."""
        return self._state_var

    @property
    def key(self) -> Any:
        """The last of the state's numbers."""
        return self._state_var.read_value()[2]

    @property
    def algorithm(self) -> int:
        """TensorFlow's number of Philox."""
        return 1

    def reset(self, state: Any) -> None:
        """Go on from a state."""
        self._state_var.assign(_state_of(state))

    def reset_from_seed(self, seed: int | Sequence[int]) -> None:
        """Start again, as if made from this seed."""
        self.reset(_state_of_seed(seed))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Go on from a key and the two words of a counter."""
        self.reset(_joined(key, counter))

    def skip(self, delta: TensorLike) -> Any:
        """Move on by so many numbers, as if they were drawn; return the state before that."""
        count = cast(convert(delta), dtypes.int64.numpy)
        graph = state.graph
        if graph is None:
            with self._state_var.storage.lock:
                before = self._state_var.read_value()
                self._state_var.assign(apply(ops.SKIP, (before, count)))
            return before
        before = self._state_var.read_value()
        done = self._state_var.assign(apply(ops.SKIP, (before, count)))
        if graph.building_function:
            return before
        with graph.control_dependencies([done]):
            return apply(linear.IDENTITY, (before,))

    def _next(self, shape: ShapeLike) -> Any:
        """Return what `_seeds` does for numbers of a shape, and the state that decides them; move on."""
        sizes, symbolic = sizes_of(shape)
        if sizes is None:
            count = apply(reduction.PROD, (cast(symbolic[0], dtypes.int64.numpy),), {"axis": None, "keepdims": False})
        else:
            count = math.prod(sizes)
        return {"seeds": None, "key": None}, (self.skip(count),)

    def uniform(
        self,
        shape: ShapeLike,
        minval: TensorLike = 0,
        maxval: TensorLike | None = None,
        dtype: DtypeLike = dtypes.float32,
        name: str | None = None,
    ) -> Any:
        """Return numbers spread evenly over [minval, maxval)."""
        return _uniform(shape, minval, maxval, dtype, self._next(shape), name or "stateful_uniform")

    def uniform_full_int(self, shape: ShapeLike, dtype: DtypeLike = dtypes.uint64, name: str | None = None) -> Any:
        """Return whole numbers spread evenly over all that the dtype has."""
        kind = as_dtype(dtype)
        if not kind.is_integer:
            raise DTypeError(f"uniform_full_int: expected an integer dtype, not {kind.name}.")
        return _uniform_int(shape, kind.min, kind.max + 1, kind.numpy, self._next(shape), name or "stateful_uniform_full_int")

    def normal(
        self,
        shape: ShapeLike,
        mean: TensorLike = 0.0,
        stddev: TensorLike = 1.0,
        dtype: DtypeLike = dtypes.float32,
        name: str | None = None,
    ) -> Any:
        """Return normally distributed numbers."""
        name = name or "stateful_normal"
        return _affine(_draw(ops.NORMAL, shape, _float(dtype), self._next(shape), name), stddev, mean, name)

    def truncated_normal(
        self,
        shape: ShapeLike,
        mean: TensorLike = 0.0,
        stddev: TensorLike = 1.0,
        dtype: DtypeLike = dtypes.float32,
        name: str | None = None,
    ) -> Any:
        """Return normally distributed numbers within two standard deviations of the mean."""
        name = name or "truncated_normal"
        return _affine(_draw(ops.TRUNCATED_NORMAL, shape, _float(dtype), self._next(shape), name), stddev, mean, name)

    def make_seeds(self, count: int = 1) -> Any:
        """Return so many pairs of seeds for the functions without state, as columns."""
        drawn = self.uniform_full_int([count], dtypes.int64)
        return apply(linear.STACK, (drawn, convert(np.zeros(count, np.int64))), {"axis": 0})

    def split(self, count: int = 1) -> list[Generator]:
        """Return new generators, each with a sequence of its own; this one moves on."""
        keys = self.make_seeds(count)[0]
        return [Generator.from_key_counter(keys[i], [0, 0]) for i in range(count)]


def _state_of(value: TensorLike) -> Any:
    """Return a state as a tensor.

    Raises:
        ShapeError: (a ValueError) unless it is of three whole numbers.
    """
    value = value_of(value)
    state = value if isinstance(value, Tensor) else convert(np.asarray(value))
    if state.nptype.kind not in "iu" or state.sizes not in ((3,), (None,), None):
        raise ShapeError(f"The state of a generator is of three whole numbers, not {value!r}.")
    return cast(state, dtypes.int64.numpy)


def _state_of_seed(seed: int | Sequence[int]) -> Any:
    """Return the state that a seed stands for: its numbers, as many as there are, before them zeros, or after a single one."""
    seed = value_of(seed)
    if isinstance(seed, SymbolicTensor):
        seed = cast(seed, dtypes.int64.numpy)
        zeros = convert(np.zeros(2, np.int64))
        return apply(linear.CONCAT, (apply(linear.RESHAPE, (seed,), {"shape": (1,)}), zeros), {"axis": 0})
    words = [int(w) for w in np.asarray(seed, object).reshape(-1)]
    if len(words) > 3:
        raise InvalidArgumentError(f"A seed is a whole number, or up to three, not {seed!r}.")
    words = [*words, 0, 0] if np.ndim(seed) == 0 else [0] * (3 - len(words)) + words
    return convert(np.array([w & (2**64 - 1) for w in words], np.uint64).astype(np.int64))


def _joined(key: Any, counter: Any) -> Any:
    """Return the state of a counter and a key."""
    parts = [cast(convert(counter), dtypes.int64.numpy), cast(convert(key), dtypes.int64.numpy)]
    return apply(linear.CONCAT, tuple(apply(linear.RESHAPE, (p,), {"shape": (n,)}) for p, n in zip(parts, (2, 1), strict=True)),
                 {"axis": 0})  # fmt: skip


_shared: list[Generator] = []


def get_global_generator() -> Generator:
    """Return the generator that a program shares; it starts from fresh entropy."""
    if not _shared:
        with init_scope():
            _shared.append(Generator())
    return _shared[0]


def set_global_generator(generator: Generator) -> None:
    """Let programs share another generator."""
    _shared[:] = [generator]
