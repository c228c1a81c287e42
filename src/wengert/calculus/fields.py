"""Fields: functions of coordinates, with their partial derivatives as attributes, to be reckoned with like numbers.

``u = field(net, "x t")`` makes one, and ``u.t + u * u.x - nu * u.xx`` is another. A field is an expression; calling it with
columns of coordinates appends the whole expression to a graph (the one being built, or a trace of its own when called
eagerly), with nested Gradient nodes for its derivatives, which the lowering makes one Taylor series of.
"""

from __future__ import annotations

import inspect
import operator
import re
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np

from wengert.calculus.gradients import graph_of
from wengert.calculus.partials import Traced, _order, call, point
from wengert.derive.request import request
from wengert.functions.math import complex as complex_of
from wengert.functions.math import imag, real
from wengert.ground import checks, nest
from wengert.ground.context import state
from wengert.ground.copies import Uncopied
from wengert.ground.errors import DTypeError, InvalidArgumentError, ShapeError
from wengert.ground.locks import lock
from wengert.ground.shapes import fits, text
from wengert.ground.types import Array
from wengert.modes.function import ConcreteFunction
from wengert.ops import linear
from wengert.tensor.tensor import SymbolicTensor, Tensor, TensorLike, apply, convert, lift

__all__ = ["Field", "evaluate", "field"]

Counts = tuple[int, ...]
"""An order for each coordinate."""
Terms = tuple[tuple[Counts, float], ...]
"""A differential operator with constant coefficients: their numbers by orders."""

MOST_TRACES = 64
"""Expressions whose traces are kept for one net, the latest."""


class _Home:
    """What the fields made from one net share: the coordinates, the fields there are, and the latest traces."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.made: weakref.WeakValueDictionary[Any, Field] = weakref.WeakValueDictionary()
        self.traces: OrderedDict[tuple[Field, ...], Traced] = OrderedDict()
        self.lock = lock()

    def zero(self) -> Counts:
        return (0,) * len(self.names)

    def unit(self, at: int, order: int = 1) -> Counts:
        return tuple([order if k == at else 0 for k in range(len(self.names))])

    def index(self, name: Any) -> int:
        """Return the number of a coordinate.

        Raises:
            InvalidArgumentError: if there is none of this name.
        """
        if name not in self.names:
            raise InvalidArgumentError(f"A field of ({', '.join(self.names)}) has no coordinate {name!r}.")
        return self.names.index(name)

    def split(self, word: str) -> list[str] | None:
        """Return the names that a word is made of, the longest first wherever it can be; None if it is not."""
        if not word:
            return []
        for name in sorted(self.names, key=len, reverse=True):
            if word.startswith(name):
                rest = self.split(word[len(name) :])
                if rest is not None:
                    return [name, *rest]
        return None

    def chosen(self, names: Sequence[Any] | None) -> list[int]:
        """Return the numbers of some coordinates: of all if None is given, of "x y", "xy" or ["x", "y"]."""
        if names is None:
            return list(range(len(self.names)))
        words = [w for w in re.split(r"[\s,]+", names) if w] if isinstance(names, str) else list(names)
        found: list[int] = []
        for word in words:
            parts = self.split(word) if isinstance(word, str) and word else None
            found += [self.index(name) for name in (parts or [word])]
        if len(set(found)) != len(found) or not found:
            raise InvalidArgumentError(f"Name coordinates of ({', '.join(self.names)}), each once, not {names!r}.")
        return found

    def points(self, columns: Sequence[Any]) -> list[Any]:
        """Return what fields are evaluated at and differentiated by."""
        called = [f"coordinate_{name}" if name.isascii() else "coordinate" for name in self.names]
        return [point(lift(state.graph, c), name) for c, name in zip(columns, called, strict=True)]

    def traced(self, fields: tuple[Field, ...]) -> Traced:
        """Return what computes some fields from columns; the same for the same fields."""

        def build(columns: list[Any]) -> list[Any]:
            return _Point(self.points(columns)).values(fields)

        with self.lock:
            found = self.traces.get(fields)
            if found is None:
                found = self.traces[fields] = Traced(build, "field")
                if len(self.traces) > MOST_TRACES:
                    self.traces.popitem(last=False)
            else:
                self.traces.move_to_end(fields)
        return found


class _Point:
    """Where fields are evaluated: symbolic columns, and what has been appended for them."""

    def __init__(self, columns: Sequence[Any]) -> None:
        self.columns = list(columns)
        self.known: dict[Field, Any] = {}
        self.derivatives: dict[tuple[int, Counts], Any] = {}

    def values(self, fields: Sequence[Field]) -> list[Any]:
        """Return the values of fields, each part of them appended once."""
        known = self.known
        pending = list(fields)
        while pending:
            one = pending[-1]
            left = [p for p in one._parts if p not in known] if one not in known else []
            if left:
                pending += left
                continue
            pending.pop()
            if one not in known:
                known[one] = one._build(self, *[known[p] for p in one._parts])
        return [known[f] for f in fields]

    def column(self, y: Any) -> Any:
        """Return what a function gave as a tensor of rows × components."""
        y = lift(state.graph, y if isinstance(y, Tensor) else convert(y, like=self.columns[0]))
        if y.sizes is None or len(y.sizes) == 2:
            return y
        if len(y.sizes) > 2:
            raise ShapeError(f"A field has one row for each point, shape (n, m), and the function's value has {text(y.sizes)}.")
        if not y.sizes:
            return apply(linear.BROADCAST_LIKE, (apply(linear.RESHAPE, (y,), {"shape": (1, 1)}), self.columns[0]))
        return apply(linear.RESHAPE, (y,), {"shape": (-1, 1)})

    def operator(self, y: Any, terms: Terms) -> Any:
        """Return a differential operator of a value, component by component."""
        if y.sizes is None or len(y.sizes) != 2 or y.sizes[1] is None:
            raise ShapeError(
                f"The derivative of a field needs to know its number of components, and its shape is {text(y.sizes)}. Give the "
                "net's value its shape by ensure_shape(value, [None, m])."
            )
        if y.nptype.kind == "c":
            return complex_of(self.operator(real(y), terms), self.operator(imag(y), terms))
        count = y.sizes[1]
        parts = [self.sum(y[:, k : k + 1] if count != 1 else y, terms) for k in range(count)]
        return parts[0] if count == 1 else apply(linear.CONCAT, parts, {"axis": 1}) if parts else y

    def sum(self, y: Array | None, terms: Terms) -> Any:
        """Return an operator of one component."""
        total = None
        for counts, c in terms:
            found = self.derivative(y, counts)
            if found is not None:
                found = found if c == 1.0 else c * found
                total = found if total is None else total + found
        return apply(linear.ZEROS_LIKE, (self.columns[0],)) if total is None else total

    def derivative(self, y: Any, counts: Counts) -> Any:
        """Return one partial derivative of one component, by nested gradients; None if it is zero."""
        if not any(counts):
            return y
        key = (y.n, counts)
        if key not in self.derivatives:
            at = max(k for k, order in enumerate(counts) if order)
            below = self.derivative(y, tuple([order - (k == at) for k, order in enumerate(counts)]))
            found = None if below is None else request([below], [self.columns[at]], [None])[0]
            self.derivatives[key] = found
        return self.derivatives[key]


class Field(Uncopied):
    """A function of coordinates: an expression of nets, coordinates, derivatives, numbers and tensors. See `field`.

    Called with columns it returns its values, shape (n, m). Partial derivatives are attributes, named by the coordinates:
    ``u.x``, ``u.xxt``. Arithmetic with fields, numbers, tensors and variables gives fields. Fields of several nets mix, if
    their coordinates have the same names.
    """

    __array_ufunc__ = None  # so that NumPy's arrays leave arithmetic to fields
    __iter__: ClassVar[None] = None

    def __init__(
        self, home: _Home, parts: tuple[Field, ...], build: Callable[..., Any], operator: tuple[Field, Terms] | None = None
    ) -> None:
        """Take the parts, and what appends the value, given a point and the parts' values."""
        self._home, self._parts, self._build = home, parts, build
        self._operator: tuple[Field, Terms] = operator or (self, ((home.zero(), 1.0),))

    def _instead(self) -> str:
        return (
            "A field is neither copied nor pickled, as it is an expression of the program's own functions: pickle its values, or "
            "the variables of its net, and make it again by field()."
        )

    def __copy__(self) -> Field:
        return self  # nothing changes it

    def _make(self, key: Any, parts: tuple[Field, ...], build: Callable[..., Any], operator: Any = None) -> Field:
        """Return a field, the one that is there if the key is of one that is alive."""
        made = self._home.made
        try:
            found = made.get(key)
        except TypeError:  # something that has no hash
            return Field(self._home, parts, build, operator)
        if found is None:
            found = made[key] = Field(self._home, parts, build, operator)
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
        columns = _columns(self._home, coordinates, named)
        return self._home.traced((self,)).trace(columns)

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
        return self._make(("operator", id(base), terms), (base,), lambda at, y: at.operator(y, terms), (base, terms))

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

        def build(at: _Point, y: Any) -> Any:
            if y.sizes is None or len(y.sizes) != 2 or y.sizes[1] != len(chosen):
                raise ShapeError(f"divergence: by {len(chosen)} coordinates, of a field of shape {text(y.sizes)}.")
            parts = [at.operator(y[:, k : k + 1], ((self._home.unit(j), 1.0),)) for k, j in enumerate(chosen)]
            return sum(parts[1:], parts[0])

        return self._make(("divergence", id(self), chosen), (self,), build)

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

        def build(at: _Point, y: Any) -> Any:
            part = y[:, item]
            if part.sizes[1] == 0:
                raise ShapeError(f"A field of shape {text(y.sizes)} has no component {key[1]!r}.")
            return part

        return self._make(("components", id(self), bounds), (self,), build)

    def map(self, fn: Callable[..., Any], *others: Any) -> Field:
        """Return fn of the values: fn gets those of this field, and of the others (fields, or anything else, as it is).

        A value of shape (n,) becomes a column, (n, 1); what else fn returns stands as it is.

        >>> import wengert as tf
        >>> u = tf.field(lambda x: x**2, "x")
        >>> print(u.map(tf.exp).x(1.0).numpy().round(4))
        [[5.4366]]
        """
        checks.function(fn, "map", "fn")

        def apply_to(at: _Point, *values: TensorLike) -> Any:
            y = call(fn, *values)
            y = lift(state.graph, y if isinstance(y, Tensor) else convert(y, like=at.columns[0]))
            rows = at.columns[0].sizes[0]
            column = y.sizes is not None and len(y.sizes) == 1 and (rows is None or y.sizes[0] in (None, rows))
            return apply(linear.RESHAPE, (y,), {"shape": (-1, 1)}) if column else y

        return self._combined(("map", fn), apply_to, (self, *others))

    def _combined(self, key: Any, build: Callable[..., Any], operands: Sequence[Any]) -> Field:
        """Return the field of an operation on fields and other things."""
        for other in operands:
            if isinstance(other, Field) and other._home.names != self._home.names:
                mine, theirs = ", ".join(self._home.names), ", ".join(other._home.names)
                raise InvalidArgumentError(f"A field of ({mine}) and one of ({theirs}) do not mix: name the same coordinates.")
        at = [k for k, other in enumerate(operands) if isinstance(other, Field)]
        rest = [None if k in at else other for k, other in enumerate(operands)]

        def whole(point: _Point, *values: TensorLike) -> Any:
            given = list(rest)
            for k, v in zip(at, values, strict=True):
                given[k] = v
            return build(point, *given)

        keys = tuple([("field", id(o)) if isinstance(o, Field) else _key(o) for o in operands])
        return self._make((key, keys), tuple([operands[k] for k in at]), whole)

    def _binary(self, name: str, a: TensorLike, b: TensorLike) -> Any:
        for other in (a, b):
            if not isinstance(other, _OPERANDS) and not hasattr(other, "_as_tensor"):
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


_OPERANDS = (Field, Tensor, np.ndarray, np.generic, int, float, complex)


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
    if not isinstance(names, str | list | tuple):
        raise TypeError(f"field: names must be a string, as 'x t', or a list of strings, not {names!r}.")
    words = tuple([w for w in re.split(r"[\s,]+", names) if w] if isinstance(names, str) else names)
    reserved = [w for w in dir(Field) if not w.startswith("_")]
    for word in words:
        if not isinstance(word, str) or not word.isidentifier() or word.startswith("_"):
            raise InvalidArgumentError(
                f"field: a coordinate's name is a Python name without underscores before it, not {word!r}."
            )
        if word in reserved:
            raise InvalidArgumentError(f"field: {word!r} is a method of fields; give the coordinate another name.")
    if not words or len(set(words)) != len(words):
        raise InvalidArgumentError(f"field: the coordinates' names must be different, and one at least, not {names!r}.")
    whole = _stacked(net, len(words)) if stacked is None else bool(stacked)

    def build(at: _Point) -> Any:
        given = [apply(linear.CONCAT, at.columns, {"axis": 1})] if whole and len(words) > 1 else at.columns
        return at.column(call(net, *given))

    return Field(_Home(words), (), build)


def _stacked(net: Any, count: int) -> bool:
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
    home = leaves[0]._home
    graph = graph_of(nest.flatten([*coordinates, *named.values()]))
    if graph is None:
        return nest.pack_sequence_as(fields, home.traced(tuple(leaves))(_columns(home, coordinates, named)))
    if graph is not state.graph:
        with graph.as_default():
            return evaluate(fields, *coordinates, **named)
    at = _Point(_points(home, coordinates, named))
    return nest.pack_sequence_as(fields, at.values(leaves))


def _points(home: _Home, coordinates: Any, named: Any) -> list[Any]:
    """Return what is differentiated by, in a graph: for the same tensors the same, so that two calls share a series.

    Not where a tape watches them: it would not see how points made before come from what it watches.
    """
    given = [*coordinates, *[named[k] for k in sorted(named)]]
    shared = all(isinstance(t, SymbolicTensor) and not _observed(t) for t in given)
    table = vars(state.graph).setdefault("points_of_fields", {})
    key = (home.names, len(coordinates), tuple(sorted(named)), tuple([getattr(t, "n", None) for t in given]))
    if shared and key in table:
        return list(table[key])
    found = home.points(_columns(home, coordinates, named))
    if shared:
        table[key] = found
    return found


def _observed(t: Any) -> bool:
    """Whether a tape or an accumulator watches a tensor."""
    for observer in state.observers:
        if getattr(observer, "_watch_all", False) or t.n in getattr(observer, "live", ()):
            return True
        if t.n in getattr(observer, "_tangents", ()):
            return True
    return False


def _columns(home: _Home, coordinates: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
    """Return the coordinates as columns of shape (n, 1) and one dtype."""
    names = home.names
    shown = ", ".join(names)
    given = list(coordinates)
    if named:
        missing = [n for n in names[len(given) :] if n not in named]
        wrong = [n for n in named if n not in names[len(given) :]]
        if missing or wrong:
            raise TypeError(f"A field of ({shown}) was called without {missing}, and with {wrong}.")
        given += [named[n] for n in names[len(given) :]]
    if len(given) == 1 and len(names) > 1:
        X = _converted(given, shown)[0]
        if X.sizes is not None and (len(X.sizes) != 2 or X.sizes[1] not in (None, len(names))):
            raise ShapeError(
                f"A field of ({shown}) takes {len(names)} columns, or one tensor of shape (n, {len(names)}), not one of shape "
                f"{text(X.sizes)}."
            )
        return [X[:, k : k + 1] for k in range(len(names))]
    if len(given) != len(names):
        raise TypeError(f"A field of ({shown}) takes {len(names)} columns, or one tensor of all, not {len(given)} arguments.")
    tensors = _converted(given, shown)
    full = [t for t in tensors if t.sizes != ()]
    for t in full:
        if t.sizes is not None and (len(t.sizes) > 2 or (len(t.sizes) == 2 and t.sizes[1] not in (1, None))):
            raise ShapeError(f"A coordinate is a column, of shape (n, 1) or (n,), not {text(t.sizes)}; a field of ({shown}).")
        if not fits(t.sizes, full[0].sizes):
            raise ShapeError(f"The coordinates ({shown}) must have one shape, not {', '.join(text(u.sizes) for u in tensors)}.")
    columns = [
        t if t.sizes is not None and len(t.sizes) == 2 else apply(linear.RESHAPE, (t,), {"shape": (-1, 1)}) for t in tensors
    ]
    if full and len(full) < len(tensors):
        like = next(c for c, t in zip(columns, tensors, strict=True) if t.sizes != ())
        columns = [apply(linear.BROADCAST_LIKE, (c, like)) if t.sizes == () else c for c, t in zip(columns, tensors, strict=True)]
    return columns


def _converted(given: Sequence[Any], shown: str) -> list[Any]:
    """Return coordinates as tensors of one dtype, which those decide that are no numbers and no lists."""
    free = [isinstance(v, int | float | np.floating | list | tuple) and not isinstance(v, bool) for v in given]
    found = [convert(v) for v in given]
    typed = [t for t, yes in zip(found, free, strict=True) if not yes]
    typed += [t for t, v in zip(found, given, strict=True) if isinstance(v, np.floating | list | tuple) and t.nptype.kind == "f"]
    like = typed[0] if typed else convert(0.0)
    found = [convert(v, like=like) if yes else t for v, t, yes in zip(given, found, free, strict=True)]
    for t in found:
        if t.nptype.kind != "f" or t.nptype != found[0].nptype:
            dtypes = ", ".join(u.dtype.name for u in found)
            raise DTypeError(f"The coordinates ({shown}) must have one real dtype, not {dtypes}. Use cast() first.")
    return found
