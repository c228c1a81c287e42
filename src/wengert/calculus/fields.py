"""Fields: functions of coordinates, with their partial derivatives as attributes, to be reckoned with like numbers.

``u = field(net, "x t")`` makes one, and ``u.t + u * u.x - nu * u.xx`` is another. A field is an expression; calling it with
columns of coordinates appends the whole expression to a graph (the one being built, or a trace of its own when called
eagerly), with nested Gradient nodes for its derivatives, which the lowering makes one Taylor series of.
"""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np

from wengert.calculus.evaluation import Counts, Home, Point, Terms
from wengert.calculus.partials import _order, call
from wengert.ground import checks, nest
from wengert.ground.context import state
from wengert.ground.copies import Uncopied
from wengert.ground.errors import InvalidArgumentError, ShapeError
from wengert.ground.shapes import text
from wengert.modes.function import ConcreteFunction
from wengert.ops import linear
from wengert.tensor.tensor import SymbolicTensor, Tensor, TensorLike, apply, convert, lift

__all__ = ["Field", "evaluate", "field"]


class Field(Uncopied):
    """A function of coordinates: an expression of nets, coordinates, derivatives, numbers and tensors. See `field`.

    Called with columns it returns its values, shape (n, m). Partial derivatives are attributes, named by the coordinates:
    ``u.x``, ``u.xxt``. Arithmetic with fields, numbers, tensors and variables gives fields. Fields of several nets mix, if
    their coordinates have the same names.
    """

    __array_ufunc__ = None  # so that NumPy's arrays leave arithmetic to fields
    __iter__: ClassVar[None] = None

    def __init__(
        self, home: Home, parts: tuple[Field, ...], build: Callable[..., Any], operator: tuple[Field, Terms] | None = None,
        key: Any = None,
    ) -> None:  # fmt: skip
        """Take the parts, and what appends the value, given a point and the parts' values.

        ``key``: says, with those of the parts, what the field is; two of equal keys have equal values.
        """
        self._home, self._parts, self._build, self._key = home, parts, build, key
        self._operator: tuple[Field, Terms] = operator or (self, ((home.zero(), 1.0),))

    def _instead(self) -> str:
        return (
            "A field is neither copied nor pickled, as it is an expression of the program's own functions: pickle its values, or "
            "the variables of its net, and make it again by field()."
        )

    def __copy__(self) -> Field:
        return self  # nothing changes it

    def _make(self, key: Any, parts: tuple[Field, ...], build: Callable[..., Any], operator: Any = None) -> Field:
        """Return a field, the one that is there if one of this key and these parts is alive."""
        made, whole = self._home.made, (key, *[id(p) for p in parts])
        try:
            found = made.get(whole)
        except TypeError:  # something that has no hash
            return Field(self._home, parts, build, operator, key)
        if found is None:
            found = made[whole] = Field(self._home, parts, build, operator, key)
        return found

    # --- evaluation ----------------------------------------------------------------------------------------------

    def __call__(self, *coordinates: Any, **named: Any) -> Any:
        """Return the values at points: shape (n, m), m the number of components.

        Give a column for each coordinate, in order or by name, or one tensor of shape (n, d). A column has shape (n, 1) or
        (n,), all of them one shape; a number, or a tensor without axes, is the same in every row.

        In a graph this appends to it. Eagerly it runs a trace, which is made once for each signature; tapes see what it does.

        Raises:
            TypeError: for another number of columns, and columns of integers or of several dtypes.
            ValueError: for shapes that are no columns, or differ.
        """
        return evaluate([self], *coordinates, **named)[0]

    def get_concrete_function(self, *coordinates: Any, **named: Any) -> ConcreteFunction:
        """Return the trace that a call with such coordinates runs; it takes the columns, of shape (n, 1)."""
        return self._home.traced((self,)).trace(self._home.columns(coordinates, named))

    # --- derivatives -----------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Field:
        """Return the partial derivative that a name of coordinates says, as ``u.xxt``."""
        if name.startswith("_"):
            raise AttributeError(f"'Field' object has no attribute {name!r}")
        parts = self._home.split(name)
        if not parts:
            names = ", ".join(self._home.names)
            raise AttributeError(
                f"A field of ({names}) has no attribute {name!r}: its derivatives are named by these coordinates, as "
                f"{self._home.names[0] * 2!r}; u.d({self._home.names[0]}=2) is the same."
            )
        return self._derived({tuple([parts.count(n) for n in self._home.names]): 1.0})

    def d(self, **orders: int) -> Field:
        """Return a partial derivative, by the order in each coordinate: ``u.d(x=2, t=1)``.

        Raises:
            TypeError: for an order that is no whole number.
            ValueError: for a negative one, and for names that are no coordinates.
        """
        counts = list(self._home.zero())
        for name, order in orders.items():
            counts[self._home.index(name)] = _order(order, "d")
        return self._derived({tuple(counts): 1.0})

    def __wengert_partial__(self, orders: Any) -> Field:
        """Answer `partial`: orders by name or number of the coordinate."""
        counts = list(self._home.zero())
        for key, order in orders.items() if isinstance(orders, Mapping) else orders:
            whole = isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(counts)
            counts[key if whole else self._home.index(key)] += _order(order, "partial")
        return self._derived({tuple(counts): 1.0})

    def _derived(self, polynomial: dict[Counts, float]) -> Field:
        """Return a differential operator of the field; of a derivative, the product of both."""
        base, own = self._operator
        product: dict[Counts, float] = {}
        for a, c in own:
            for b, e in polynomial.items():
                key = tuple([p + q for p, q in zip(a, b, strict=True)])
                product[key] = product.get(key, 0.0) + c * e
        terms = tuple(sorted((key, c) for key, c in product.items() if c))
        if terms == ((self._home.zero(), 1.0),):
            return base
        return self._make(("operator", terms), (base,), lambda at, y: at.operator(y, terms), (base, terms))

    def gradient(self, names: Sequence[Any] | None = None) -> list[Field]:
        """Return the list of first derivatives, by all coordinates or by those that are named ("x y")."""
        return [self._derived({self._home.unit(k): 1.0}) for k in self._home.chosen(names)]

    def laplacian(self, names: Sequence[Any] | None = None) -> Field:
        """Return the sum of the second derivatives, by all coordinates or by those that are named ("x y")."""
        return self._derived({self._home.unit(k, 2): 1.0 for k in self._home.chosen(names)})

    def biharmonic(self, names: Sequence[Any] | None = None) -> Field:
        """Return the Laplacian of the Laplacian, by all coordinates or by those that are named ("x y")."""
        return self.laplacian(names).laplacian(names)

    def divergence(self, names: Sequence[Any] | None = None) -> Field:
        """Return ∂u₀/∂x₀ + ∂u₁/∂x₁ + ... for a field with as many components as there are coordinates (named or all).

        Raises:
            ValueError: where it is evaluated, for another number of components.
        """
        chosen = tuple(self._home.chosen(names))

        def build(at: Point, y: Any) -> Any:
            if y.sizes is None or len(y.sizes) != 2 or y.sizes[1] != len(chosen):
                raise ShapeError(f"divergence: by {len(chosen)} coordinates, of a field of shape {text(y.sizes)}.")
            parts = [at.operator(y[:, k : k + 1], ((self._home.unit(j), 1.0),)) for k, j in enumerate(chosen)]
            return sum(parts[1:], parts[0])

        return self._make(("divergence", chosen), (self,), build)

    @property
    def coordinates(self) -> tuple[Field, ...]:
        """The coordinates as fields, in order: ``x, t = u.coordinates``."""
        return tuple([self._make(("coordinate", k), (), lambda at, k=k: at.columns[k]) for k in range(len(self._home.names))])

    # --- expressions --------------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Field:
        """Return components: ``u[:, 0:1]``, ``u[..., 0]``; one of them is a column, shape (n, 1), in any case.

        Raises:
            TypeError: for another index: of the rows all are kept.
        """
        if not isinstance(key, tuple) or len(key) != 2 or not (key[0] is Ellipsis or key[0] == slice(None)):
            raise TypeError(f"A field is indexed by its components, as u[:, 0:1] or u[..., 0], not u[{key!r}].")
        item = key[1]
        if not isinstance(item, slice):
            try:
                at = operator.index(item)
            except TypeError:
                raise TypeError(f"A field is indexed by its components, as u[:, 0:1] or u[..., 0], not by {item!r}.") from None
            item = slice(at, at + 1 if at != -1 else None)
        bounds = (item.start, item.stop, item.step)

        def build(at: Point, y: Any) -> Any:
            part = y[:, item]
            if part.sizes[1] == 0:
                raise ShapeError(f"A field of shape {text(y.sizes)} has no component {key[1]!r}.")
            return part

        return self._make(("components", bounds), (self,), build)

    def map(self, fn: Callable[..., Any], *others: Any) -> Field:
        """Return fn of the values: fn gets those of this field, and of the others (fields, or anything else, as it is).

        A value of shape (n,) becomes a column, (n, 1); what else fn returns stands as it is.

        >>> import wengert as tf
        >>> u = tf.field(lambda x: x**2, "x")
        >>> print(u.map(tf.exp).x(1.0).numpy().round(4))
        [[5.4366]]
        """
        checks.function(fn, "map", "fn")

        def apply_to(at: Point, *values: SymbolicTensor) -> Any:
            y = self._home.call(fn, *values)
            y = lift(state.graph, y if isinstance(y, Tensor) else convert(y, like=at.columns[0]))
            rows = at.columns[0].sizes[0]
            column = y.sizes is not None and len(y.sizes) == 1 and (rows is None or y.sizes[0] in (None, rows))
            return apply(linear.RESHAPE, (y,), {"shape": (-1, 1)}) if column else y

        return self._combined(("map", fn), apply_to, (self, *others))

    def _combined(self, key: Any, build: Callable[..., Any], operands: Sequence[Any]) -> Field:
        """Return the field of an operation on fields and other things."""
        operands = [self._home.operand(other) for other in operands]
        for other in operands:
            if isinstance(other, Field) and other._home.names != self._home.names:
                mine, theirs = ", ".join(self._home.names), ", ".join(other._home.names)
                raise InvalidArgumentError(f"A field of ({mine}) and one of ({theirs}) do not mix: name the same coordinates.")
        at = [k for k, other in enumerate(operands) if isinstance(other, Field)]
        rest = [None if k in at else other for k, other in enumerate(operands)]

        def whole(point: Point, *values: TensorLike) -> Any:
            given = list(rest)
            for k, v in zip(at, values, strict=True):
                given[k] = v
            return build(point, *given)

        keys = tuple([("field",) if isinstance(o, Field) else _key(o) for o in operands])
        return self._make((key, keys), tuple([operands[k] for k in at]), whole)

    def _binary(self, name: str, a: TensorLike, b: TensorLike) -> Any:
        if not all(isinstance(other, Field) or self._home.takes(other) for other in (a, b)):
            return NotImplemented
        compute = getattr(operator, name)
        return self._combined(name, lambda at, p, q: compute(p, q), (a, b))

    def __add__(self, other: TensorLike) -> Any:
        return self._binary("add", self, other)

    def __radd__(self, other: TensorLike) -> Any:
        return self._binary("add", other, self)

    def __sub__(self, other: TensorLike) -> Any:
        return self._binary("sub", self, other)

    def __rsub__(self, other: TensorLike) -> Any:
        return self._binary("sub", other, self)

    def __mul__(self, other: TensorLike) -> Any:
        return self._binary("mul", self, other)

    def __rmul__(self, other: TensorLike) -> Any:
        return self._binary("mul", other, self)

    def __truediv__(self, other: TensorLike) -> Any:
        return self._binary("truediv", self, other)

    def __rtruediv__(self, other: TensorLike) -> Any:
        return self._binary("truediv", other, self)

    def __pow__(self, other: TensorLike) -> Any:
        return self._binary("pow", self, other)

    def __rpow__(self, other: TensorLike) -> Any:
        return self._binary("pow", other, self)

    def __neg__(self) -> Field:
        return self._combined("neg", lambda at, p: -p, (self,))

    def __pos__(self) -> Field:
        return self

    def __abs__(self) -> Field:
        return self._combined("abs", lambda at, p: abs(p), (self,))

    def __bool__(self) -> NoReturn:
        raise TypeError("A field is a function of coordinates, and neither true nor false.")

    def __repr__(self) -> str:
        return f"<wengert.Field of ({', '.join(self._home.names)})>"


def _key(value: Any) -> Any:
    """Return what tells an operand from others as long as it is alive, or something without a hash."""
    if isinstance(value, Tensor) or hasattr(value, "handle_in"):
        return "tensor", value.n
    return value if value is None or isinstance(value, np.ndarray) else (type(value), value)


def field(net: Callable[..., Any], names: Sequence[Any], *, stacked: bool | None = None) -> Field:
    """Return a function of coordinates as a field, which has derivatives and can be reckoned with.

    Args:
        net: A function that returns a tensor of shape (n, m), m components at each of n points; (n,) and numbers are taken
            as columns. Row i is to depend on point i alone. It takes one tensor X of shape (n, d), its columns being the
            coordinates in order, or d columns of shape (n, 1).
        names: The coordinates' names, as "x t" or ["x", "t"].
        stacked: Whether net takes one tensor X. None: it does, unless its signature has d arguments that must be given.

    Returns:
        A field u. ``u(x, t)`` are its values, ``u.xx`` or ``u.d(x=2)`` its second derivative by x, ``u.laplacian("x y")``,
        ``u.gradient()``, ``u[:, 0:1]`` a component, ``u.t + u * u.x - nu * u.xx`` an expression, itself a field. An
        expression is one graph, whose derivatives come from one Taylor series; it is traced again only for new shapes and
        dtypes. Derivatives of a value with several components are taken component by component.

    Raises:
        TypeError: if net is no function, or takes neither one argument nor d.
        ValueError: for names that are no identifiers, not different, or methods of fields (d, map, gradient, ...).

    >>> import wengert as tf
    >>> u = tf.field(lambda x, t: tf.sin(3.0 * x) * tf.exp(-t), "x t")
    >>> x, t = tf.constant([[0.5], [1.0]]), tf.constant([[1.0], [2.0]])
    >>> print(u.xx(x, t).numpy().round(4))
    [[-3.3026]
     [-0.1719]]
    >>> heat = u.t - u.xx / 9.0
    >>> abs(heat(x, t)).numpy().max() < 1e-6
    np.True_
    """
    checks.function(net, "field", "net")
    words = named(names, "field")
    whole = stacks(net, len(words)) if stacked is None else bool(stacked)

    def build(at: Point) -> Any:
        given = [apply(linear.CONCAT, at.columns, {"axis": 1})] if whole and len(words) > 1 else at.columns
        return at.column(call(net, *given))

    return Field(Home(words), (), build)


def named(names: Any, who: str) -> tuple[str, ...]:
    """Return the names of coordinates.

    Raises:
        TypeError: if they are no strings.
        ValueError: for names that are no identifiers, not different, or methods of fields.
    """
    if not isinstance(names, str | list | tuple):
        raise TypeError(f"{who}: names must be a string, as 'x t', or a list of strings, not {names!r}.")
    words = tuple([w for w in re.split(r"[\s,]+", names) if w] if isinstance(names, str) else names)
    reserved = [w for w in dir(Field) if not w.startswith("_")]
    for word in words:
        if not isinstance(word, str) or not word.isidentifier() or word.startswith("_"):
            raise InvalidArgumentError(
                f"{who}: a coordinate's name is a Python name without underscores before it, not {word!r}."
            )
        if word in reserved:
            raise InvalidArgumentError(f"{who}: {word!r} is a method of fields; give the coordinate another name.")
    if not words or len(set(words)) != len(words):
        raise InvalidArgumentError(f"{who}: the coordinates' names must be different, and one at least, not {names!r}.")
    return words


def stacks(net: Any, count: int) -> bool:
    """Whether a net takes one tensor of all columns, by its signature."""
    try:
        parameters = inspect.signature(net).parameters.values()
    except (TypeError, ValueError):
        return True
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in places)
    several = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    if several and not places:
        return any(p.kind == p.VAR_KEYWORD for p in parameters)  # (*columns) takes columns; (*args, **kwargs) says nothing
    if needed == count or (not needed and len(places) == count):
        return False
    if needed == 1 or (not needed and places):
        return True
    raise TypeError(
        f"field: net takes {needed} arguments; it must take one, X of shape (n, {count}), or {count} columns. (With stacked=True "
        "or False it is called as you say.)"
    )


def evaluate(fields: Any, *coordinates: Any, **named: Any) -> Any:
    """Return the values of several fields at the same points, from one graph: what they share is computed once.

    Args:
        fields: Fields in a list, a tuple, a dictionary, nested or not. They have the same coordinates.
        coordinates: As for a field's call: columns in order, or one tensor of shape (n, d).
        named: Columns by name.

    Returns:
        The values in the structure of the fields.

    Raises:
        TypeError: for what is no field, and columns that do not fit (as a field's call).
        ValueError: for fields of different coordinates, and shapes that are no columns, or differ.

    >>> import wengert as tf
    >>> u = tf.field(lambda x, y: x**3 * y, "x y")
    >>> values = tf.fields.evaluate({"u": u, "u_xx": u.xx}, 2.0, 5.0)
    >>> {name: v.numpy().item() for name, v in values.items()}
    {'u': 40.0, 'u_xx': 60.0}
    """
    leaves = nest.flatten(fields)
    for leaf in leaves:
        if not isinstance(leaf, Field):
            raise TypeError(f"evaluate: expected a field, or a structure of fields, not {leaf!r}.")
        if leaf._home.names != leaves[0]._home.names:
            raise InvalidArgumentError("evaluate: the fields have different coordinates.")
    if not leaves:
        return fields
    return nest.pack_sequence_as(fields, leaves[0]._home.evaluate(leaves, coordinates, named))
