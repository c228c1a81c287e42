"""Models of JAX's as fields: `field`, and `register` for primitives that nobody has stated.

>>> import jax.numpy as jnp
>>> import wengert
>>> u = wengert.jax.field(lambda x, t: jnp.sin(2.0 * x) * t, "x t")
>>> x, t = jnp.array([[0.5], [1.0]]), jnp.array([[1.0], [2.0]])
>>> [round(float(v), 4) for v in u.xx(x, t)[:, 0]]
[-3.3659, -7.2744]
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from wengert.calculus.fields import Field, evaluate, named, stacks
from wengert.execute.program import compile
from wengert.execute.xla.arrays import arrays
from wengert.ground import checks
from wengert.ground.errors import DTypeError, ShapeError, UnimplementedError
from wengert.ground.options import options
from wengert.ops import linear
from wengert.surface.frameworks import derivatives, indexing, matrices, primitives, windows
from wengert.surface.frameworks.expression import Arrayed, FrameworkHome, Listed, Net, Reading, Spec
from wengert.surface.frameworks.jaxpr import Closed, extend, flat, key_of, known, read, read_closed, split
from wengert.surface.frameworks.rules import RULES
from wengert.surface.frameworks.stating import registered
from wengert.surface.frameworks.walking import walked
from wengert.tensor.tensor import SymbolicTensor, apply

__all__ = ["evaluate", "field", "register"]

STATED = (derivatives, indexing, matrices, primitives, windows)
"""The modules that enter rules."""
NATIVE_ROWS = 512
"""Rows from which concrete arrays are computed by this library's own executor, outside of what JAX compiles."""


class Traced(Closed, Protocol):
    """A traced function."""

    out_avals: Sequence[Any]


class Primitive(Protocol):
    """A primitive of JAX's."""

    name: str


class JaxHome(FrameworkHome):
    """What fields of one model share, over JAX."""

    lists: ClassVar[OrderedDict[Hashable, Listed]] = OrderedDict()
    noun = "array"

    def array(self, other: object) -> Any:
        """Return an array of JAX's."""
        jax = arrays().jax
        if isinstance(other, jax.Array | np.ndarray | np.generic):
            return jax.numpy.asarray(other)
        return jax.numpy.asarray(other) if hasattr(other, "__jax_array__") else None

    def spec(self, array: Arrayed) -> Spec:
        """Return the shape and the dtype."""
        return tuple(array.shape), np.dtype(array.dtype)

    def call(self, fn: Callable[..., Any], *values: SymbolicTensor) -> Any:
        """Read a function of arrays of JAX's where it meets tensors."""
        jax = arrays().jax
        closed = jax.make_jaxpr(fn)(*[jax.ShapeDtypeStruct(v.sizes, v.nptype) for v in values])
        if any(isinstance(c, jax.core.Tracer) for c in closed.consts):
            raise UnimplementedError("map: the function holds an array that is being traced; give it as a further argument.")
        found = read_closed(closed, values, RULES)
        if len(found) != 1:
            raise TypeError(f"map: the function must return one array, not {len(found)}.")
        return found[0]

    def converted(self, given: Sequence[Any]) -> list[Any]:
        """Return the coordinates of a call as arrays of one real dtype."""
        jnp = arrays().jax.numpy
        dtype = jnp.result_type(*given)
        if not jnp.issubdtype(dtype, jnp.floating):
            raise DTypeError(f"The coordinates ({', '.join(self.names)}) must have one real dtype, not {dtype}.")
        return [jnp.asarray(v).astype(dtype) for v in given]

    def spread(self, column: Arrayed, rows: int) -> Any:
        """Return a column of so many rows."""
        return arrays().jax.numpy.broadcast_to(column, (rows, 1))

    def run(self, listed: Listed, columns: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        """Return the values of a list's outputs: by XLA in what JAX traces, and for few rows."""
        jax = arrays().jax
        traced = any(isinstance(v, jax.core.Tracer) for v in (*columns, *given))
        few = not columns or columns[0].shape[0] < NATIVE_ROWS
        if traced or few or options.executor == "xla" or arrays().distant:
            return list(self._compiled(listed)(list(columns), list(given)))
        return self._native(listed, columns, given)

    def tell(self, told: Callable[..., None], values: Sequence[Any]) -> None:
        """Call a function with arrays as NumPy's; in what JAX compiles, whenever that runs."""

        def of_numpy(*found: Arrayed) -> None:
            told(*[np.asarray(v) for v in found])

        arrays().jax.debug.callback(of_numpy, *values)

    def _compiled(self, listed: Listed) -> Callable[..., Any]:
        found = listed.runs.get("compiled")
        if found is None:
            walk = walked(listed.graph, listed.outputs)

            def run(columns: Sequence[Any], given: Sequence[Any]) -> list[Any]:
                return walk(*columns, *listed.known(given))

            found = listed.runs["compiled"] = arrays().jax.jit(run)
        return found  # type: ignore[no-any-return]

    def _native(self, listed: Listed, columns: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        runs = listed.runs.get("native")
        if runs is None:
            prepared = arrays().jax.jit(listed.known)
            runs = listed.runs["native"] = (prepared, compile(listed.graph, listed.outputs, listed.graph.inputs, tell=False))
        prepared, program = runs
        jnp = arrays().jax.numpy
        found = program(*[np.asarray(v) for v in (*columns, *prepared(list(given)))])
        return [jnp.asarray(y) for y in found]


def field(f: Callable[..., Any], names: Sequence[Any], *, stacked: bool | None = None, pointwise: bool | None = None) -> Field:
    """Return a function of JAX's arrays as a field of its coordinates.

    Its parameters come in by closure: ``field(lambda X: model.apply(params, X), "x t")``, inside of a loss that `jax.grad`
    differentiates by them. The function is traced when the field is called; lists are found again by what was traced, so
    that a field may be made anew in every step.

    Args:
        f: A function of points. It takes one array X of shape (n, d), the coordinates in its columns, or d columns of shape
            (n, 1), and returns (n, m) or (n,); row i depends on point i alone. Or it takes one point, X of shape (d,) or d
            numbers, and returns (m,) or a number: it is mapped over the points.
        names: The coordinates' names, as "x t" or ["x", "t"].
        stacked: Whether f takes one array of all coordinates. None: it does, unless its signature has d arguments.
        pointwise: Whether f takes one point. None: it takes rows where that gives a row for each, one point otherwise.

    Returns:
        A field, as `wengert.field` gives it. Called with arrays of JAX's, NumPy's arrays or numbers, it returns an array of
        JAX's of shape (n, m) and the coordinates' dtype, and is a function of JAX's: under `jax.jit`, `jax.grad` by
        parameters and points, `jax.vmap`, on any device. Operands of arithmetic may be arrays that are traced, such as a
        coefficient that is sought.

    Raises:
        TypeError: if f is no function, or takes neither one argument nor d.
        ValueError: for names that are no identifiers, not different, or methods of fields; at a call, for shapes that do not fit.
        NotImplementedError: at a call, for a primitive that has no rule: the text names it and its line. See `register`.
        ImportError: if JAX is not installed.
    """
    checks.function(f, "jax.field", "f")
    arrays()
    words = named(names, "jax.field")
    whole = stacks(f, len(words)) if stacked is None else bool(stacked)
    home = JaxHome(words)

    form = _Form(f, whole, pointwise)
    return Net(home, lambda columns: _reading(form.traced(columns)))


class _Form:
    """How a function takes its points: found when it is first traced."""

    def __init__(self, f: Callable[..., Any], whole: bool, pointwise: bool | None) -> None:
        """Take the function, whether it takes one array of all coordinates, and whether it takes one point, if that is said."""
        self.f, self.whole, self.pointwise = f, whole, pointwise

    def rows(self, *xs: Arrayed) -> Any:
        """Call it with all rows."""
        return self.f(_joined(xs)) if self.whole else self.f(*xs)

    def points(self, *xs: Any) -> Any:
        """Map it over the points."""
        jax = arrays().jax
        return jax.vmap(self.f)(_joined(xs)) if self.whole else jax.vmap(self.f)(*[x[:, 0] for x in xs])

    def traced(self, columns: Sequence[Any]) -> Any:
        """Return its jaxpr for columns of these shapes.

        Raises:
            ShapeError: if it gives no row for each point.
            TypeError: if it does not return one array.
        """
        n, failure, closed = columns[0].shape[0], None, None
        if self.pointwise is None:
            try:
                rows = self.of(self.rows, columns, n)
                self.pointwise = not (_rowed(rows, n) and _rowed(self.of(self.rows, columns, n + 1), n + 1))
                closed = None if self.pointwise else rows
            except Exception as error:  # of rows it cannot be called; of one point, perhaps
                self.pointwise, failure = True, error
        try:
            if closed is None:
                closed = self.of(self.points if self.pointwise else self.rows, columns, n)
        except Exception as error:
            if failure is None:
                raise
            raise failure from error
        if len(closed.out_avals) != 1:
            raise TypeError(f"jax.field: f must return one array, not {len(closed.out_avals)}.")
        if not _rowed(closed, n):
            shape = tuple(closed.out_avals[0].shape)
            raise ShapeError(
                f"jax.field: f is to give a row for each of {n} points, or, of one point, a number or a vector; the result "
                f"has shape {shape}."
            )
        return closed

    @staticmethod
    def of(function: Callable[..., Any], columns: Sequence[Any], rows: int) -> Any:
        """Return the jaxpr of a function of columns of so many rows."""
        jax = arrays().jax
        return jax.make_jaxpr(function)(*[jax.ShapeDtypeStruct((rows, 1), c.dtype) for c in columns])


def _joined(xs: Sequence[Any]) -> Any:
    return arrays().jax.numpy.concatenate(xs, 1) if len(xs) > 1 else xs[0]


def _reading(closed: Closed) -> Reading:
    """Return what is read of a traced function of the coordinates."""
    whole = flat(closed)
    part = split(whole, whole.arguments)

    def build(given: Sequence[Any], places: Sequence[Any]) -> Any:
        (found,) = read(part, given, places, RULES)
        return apply(linear.IDENTITY, (found,))

    moving = frozenset(id(line) for line in part.read)
    key = key_of(whole, said=lambda line: derivatives.said(line) if id(line) in moving else None)

    def itself(columns: Sequence[Any]) -> Any:
        return extend().jaxpr_as_fun(closed)(*columns)[0]

    specs = [(tuple(whole.avals[i].shape), np.dtype(whole.avals[i].dtype)) for i in part.places]
    return Reading(key, whole.arrays, specs, known(part), build, itself)


def _rowed(closed: Traced, rows: int) -> bool:
    """Whether a traced function gives a row for each point."""
    shapes = [tuple(aval.shape) for aval in closed.out_avals]
    return len(shapes) == 1 and 1 <= len(shapes[0]) <= 2 and shapes[0][0] == rows


def register(primitive: Primitive | str, rule: Callable[..., Any] | None = None) -> Any:
    """State what a primitive of JAX's is, for `field`.

    Args:
        primitive: A primitive, or its name.
        rule: A function of tensors, ``rule(*inputs, **params)``, with the primitive's parameters as keywords, that returns a
            tensor, or a list where there are several results. It is made of this library's functions, and its derivatives
            are theirs. Without a rule a decorator is returned.

    Returns:
        The rule.

    Raises:
        TypeError: if the primitive is neither a primitive nor a name, and for a rule that is no function.

    >>> import wengert as tf
    >>> @tf.jax.register("my_cube")
    ... def cube(x, **params):
    ...     return x * x * x
    """
    name = primitive if isinstance(primitive, str) else getattr(primitive, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"jax.register: expected a primitive of JAX's or its name, not {primitive!r}.")
    return registered(RULES, "jax.register", name, rule)
