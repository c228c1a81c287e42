"""What one operation states of itself, and the table of all.

An operation states its mathematics once (`wengert.ops.derivative`); reverse mode, forward mode and the structure of higher
derivatives follow from the record, in `wengert.derive`.

- ``kernel(xp, *arrays, **attrs)``: an array, or a tuple where the operation has several outputs; array data positional, metadata
  by keyword. A kernel that is one function of the array namespace is given by its name.
- ``infer(inputs, attrs)``: (shape, dtype), or a list of such pairs; raises ShapeError or DTypeError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import EllipsisType
from typing import Any

from wengert.graph.node import Node
from wengert.ground.arrays import NP
from wengert.ground.errors import NoGradientError
from wengert.ground.types import Array, Described, Namespace, NumPyArray
from wengert.ops.derivative import Derivative
from wengert.ops.layout import POINTWISE, Layout, moves
from wengert.ops.rows import Rule, elementwise
from wengert.ops.signature import ShapeRule
from wengert.ops.slopes import INFINITE, Bounds, Columns

__all__ = ["Op", "Values", "table", "values"]

table: dict[str, Op] = {}
"""All operations by name."""


class Op:
    """The record of one operation; see the module's text."""

    __slots__ = (
        "acts",
        "aliases",
        "bounds",
        "columns",
        "complete",
        "constant_inputs",
        "derivative",
        "draws",
        "eager",
        "eager_only",
        "gives",
        "infer",
        "jvp",
        "kernel",
        "kind",
        "kinds",
        "label",
        "layout",
        "linear_inputs",
        "moves",
        "name",
        "no_digits",
        "outputs",
        "partials",
        "reference",
        "references",
        "root",
        "rows",
        "saturates",
        "selects",
        "series",
        "slope",
        "spectrum",
        "stated",
        "stateful",
        "static",
        "tangent",
        "taylor",
        "told",
        "transpose",
        "type",
        "vjp",
        "writes",
    )

    def __init__(
        self,
        name: str,
        derivative: Derivative,
        kernel: str | Callable[..., Any],
        infer: Callable[..., Any],
        *,
        outputs: int | None = 1,
        kinds: str = "biufcO",
        type: str | None = None,
        label: str | None = None,
        rows: Rule | EllipsisType | None = ...,
        bounds: Bounds = INFINITE,
        columns: Columns | None = None,
        saturates: tuple[float, ...] = (),
        spectrum: str = "",
        layout: Layout | None = None,
        references: tuple[Any, ...] = (),
        static: Callable[[Node], Any] | None = None,
        gives: str = "",
        eager_only: str = "",
        no_digits: str = "",
        draws: bool = False,
        acts: bool = False,
        aliases: bool = False,
        stateful: bool = False,
        writes: str = "",
        told: bool = False,
        register: bool = True,
    ) -> None:
        """Keep the statement and enter it in the table.

        ``outputs``: how many, None if that depends. ``kinds``: NumPy's dtype kinds that are accepted. ``type`` and ``label``:
        TensorFlow's names for the operation and for its nodes. ``aliases``: the output may share memory with an input.
        ``complete`` tells whether every derivative is stated.
        ``stated`` tells whether ``vjp`` or ``jvp`` is a part of the statement.
        ``rows``: a rule of `wengert.ops.rows`, None where no proof passes; of what states partial derivatives it is known.
        ``told``: whether a tensor remembers the attributes with the operation that made it: those that a reason needs.
        ``bounds``, ``columns``: between what its values lie, and which columns move (`wengert.ops.slopes`).
        ``layout``: how the result lies in memory (`wengert.ops.layout`). ``references``: positions of inputs of which the
        shape alone is read, where the shape rule does not say so; an ellipsis at the end stands for all that follow.
        ``static``: what is known of the result without running it (`wengert.ops.static`).
        ``gives``: what a result without a derivative is, for whoever asks why: "shape", "truth", "place", "step" or "bits".
        ``eager_only``: why it needs the values of its inputs, and cannot be compiled for shapes alone.
        ``no_digits``: why it cannot be computed with more digits than NumPy has: that it draws or acts is known.
        ``saturates``: what its values come close to without end, so that few digits are left of what told them apart.
        ``spectrum``: what its first output has, where the vectors in the others are not defined if two of these are equal.
        ``draws``: it draws random numbers. ``acts``: it changes a variable, prints, stops the program or calls Python.
        ``stateful``: it must run as often and in the order that the program says. ``writes``: what it assigns to: "first",
        the variable whose handle is its first input, or "any", whichever it likes.
        """
        d = derivative
        partials = d.partials
        if rows is ...:
            if register and not partials:
                raise ValueError(f"{name} does not say what becomes of rows")
            rows = elementwise if partials else None
        if d.slope is None and register and d.asks_slope:
            raise ValueError(f"{name} does not say where its derivatives are finite")
        self.name, self.derivative, self.kernel, self.infer = name, derivative, kernel, infer
        # What is read of the statement, by everyone and in every step of a tape.
        self.kind, self.partials, self.tangent, self.transpose, self.vjp, self.jvp = (
            d.kind, partials, d.tangent, d.transpose, d.vjp, d.jvp,
        )  # fmt: skip
        self.taylor, self.series, self.slope, self.selects = d.taylor, d.series, d.slope, d.selects
        self.constant_inputs, self.linear_inputs = d.constant_inputs, d.linear_inputs
        self.stated = d.vjp is not None or d.jvp is not None
        self.complete = d.kind == "constant" or (d.kind != "unstated" and None not in partials)
        self.outputs, self.kinds = outputs, kinds
        self.type = type or "".join(part.capitalize() for part in name.split("_"))
        self.label = label or self.type
        self.rows, self.bounds = rows, bounds
        self.static, self.gives, self.eager_only, self.draws, self.acts = static, gives, eager_only, draws, acts
        self.columns = Columns.ANY if columns is None and partials else columns
        self.layout = POINTWISE if layout is None and rows is elementwise else layout
        self.moves = moves(layout)
        said = infer if isinstance(infer, ShapeRule) else None
        self.root: Callable[..., Any] | None = None if said is None else said.root
        self.reference = None if said is None else said.reference
        self.references = references or ((self.reference,) if self.reference in d.constant_inputs else ())
        self.aliases, self.stateful, self.writes = aliases, stateful, writes
        self.saturates, self.spectrum = saturates, spectrum
        self.no_digits = no_digits or ("draws random numbers" if draws else "acts on the world" if acts else "")
        self.told = bool(partials) or told
        self.eager: Callable[..., Any] = getattr(NP, kernel) if isinstance(kernel, str) else partial(kernel, NP)
        if register:
            if name in table:
                raise ValueError(f"two operations are named {name}")
            table[name] = self

    def bind(self, xp: Namespace) -> Callable[..., Any]:
        """Return the kernel as a function of arrays of the namespace xp."""
        if xp is NP:
            return self.eager
        return getattr(xp, self.kernel) if isinstance(self.kernel, str) else partial(self.kernel, xp)

    def shapes_only(self, count: int) -> tuple[int, ...]:
        """Return the positions, of so many inputs, of those of which the shape alone is read."""
        if self.references and self.references[-1] is ...:
            return tuple(range(self.references[-2], count))
        return self.references

    def passes(self, inputs: Sequence[Described], outputs: Sequence[Described]) -> list[int]:
        """Return the positions of the inputs by which the outputs have a derivative here.

        None of an index, a shape, an integer; and none at all where the outputs are integers, as those of a cast may be.
        """
        if self.kind == "constant" or all([t.nptype.kind not in "fc" for t in outputs]):
            return []
        constant = self.constant_inputs
        return [i for i, t in enumerate(inputs) if i not in constant and t.nptype.kind in "fc"]

    def states(self, i: int) -> bool:
        """Whether the derivative by input i is stated, or is known to be none."""
        return self.complete or (self.kind != "unstated" and self.partials[i] is not None)

    def unstated(self, i: int) -> NoGradientError:
        """Return the error for a derivative that is not stated."""
        return NoGradientError(
            f"{self.type} states no derivative by its input {i}, and one is asked for through it (stop_gradient on that input "
            "makes it a constant)"
        )

    def __repr__(self) -> str:
        return f"<Op {self.name}: {self.kind}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return (_registered, (self.name,)) if table.get(self.name) is self else self.name


def _registered(name: str) -> Op:
    """Return the operation of a name, for what was pickled."""
    return table[name]


class Values:
    """The operations as a namespace over plain arrays: a rule that gets this as its ``xp`` computes at once.

    ``fit`` and ``dual`` are what every reading of a rule offers beside the operations: the sum over broadcast axes,
    and the complex conjugate where there is one.
    """

    def __init__(self, xp: Namespace) -> None:
        """Take the array namespace."""
        self._xp = xp

    def __getattr__(self, name: str) -> Any:
        """Bind an operation when it is first asked for."""
        if name not in table:
            raise AttributeError(f"no operation is named {name!r}")
        bound = table[name].bind(self._xp)
        setattr(self, name, bound)
        return bound

    def fit(self, g: Array, x: Array) -> Any:
        """Return g summed over the axes along which x was broadcast."""
        return g if g.shape == x.shape else self.sum_like(g, x)

    def dual(self, p: NumPyArray) -> Any:
        """Return the conjugate of a complex p, and a real p as it is."""
        return p.conj() if p.dtype.kind == "c" else p


values = Values(NP)
"""The operations over NumPy."""


def operations() -> Iterator[Op]:
    """Iterate over all operations by name."""
    return iter(sorted(table.values(), key=lambda op: op.name))
