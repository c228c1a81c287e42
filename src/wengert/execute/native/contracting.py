"""Products of matrices and sums of products, read as one form: which axes are summed, and which are those of the result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from wengert.execute.native.code import NoForm
from wengert.execute.native.places import Places, ordered
from wengert.execute.native.work import Outer, Place, Product, Shared
from wengert.execute.tiles.cut import Item, lies_of
from wengert.ground.types import Dtype
from wengert.ops.layout import Lies

__all__ = ["LEFT", "product", "sum_of_products"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

LARGE = 1 << 18
"""Elements of a shared matrix from which its product is left to the BLAS."""
LEFT = "a product with a large matrix, which the BLAS does"
Letter = str | int
"""The name of an axis."""


class Equation(NamedTuple):
    """The axes of two factors and of their product, by letters."""

    left: list[Letter]
    right: list[Letter]
    result: list[Letter]


class Side(NamedTuple):
    """A factor: where its elements lie, and the letters of their axes, the rows' left out."""

    place: Place
    axes: list[Letter]

    def turned(self, sizes: Mapping[Letter, int], *groups: Sequence[Letter]) -> Place:
        """Return it with an axis for each group of letters, repeated along those that it has not."""
        order = [letter for group in groups for letter in group]
        lacking = [letter for letter in order if letter not in self.axes]
        at = self.place.at.reshape(self.place.at.shape + (1,) * len(lacking))
        at = at.transpose([[*self.axes, *lacking].index(letter) for letter in order])
        at = np.broadcast_to(at, [sizes[letter] for letter in order])
        return self.place._replace(at=at.reshape([math.prod(sizes[letter] for letter in group) for group in groups]))


def equation(places: Places, item: Item) -> Equation:
    """Return how the axes of a product of matrices, or of a sum of products, meet."""
    attrs = item.step.node.attrs
    if lies_of(item.step.node.op) is Lies.LETTERS:
        operands, out = attrs["equation"].split("->")
        parts = operands.split(",")
        if "." in operands or len(parts) != 2 or any(len(set(q)) < len(q) for q in (*parts, out)):
            raise NoForm("an equation of this form")
        return Equation(list(parts[0]), list(parts[1]), list(out))
    # -1 and -2 are the columns and the rows of a matrix, and what is before them its batch; the inner axis is "k".
    sides: list[list[Letter]] = []
    for slot, flag, inner in zip(item.step.inputs, ("ta", "tb"), (-1, -2), strict=True):
        letters: list[Letter] = ["k" if k == inner else k for k in range(-len(places.specs[slot].sizes), 0)]
        if attrs.get(flag, False):
            letters[-2:] = letters[:-3:-1]
        sides.append(letters)
    return Equation(sides[0], sides[1], [*range(-len(places.specs[item.step.output].sizes), 0)])


def _floats(places: Places, item: Item) -> Dtype:
    nptype: Dtype = places.specs[item.step.output].nptype
    if nptype.kind != "f" or any(places.specs[s].nptype != nptype for s in item.step.inputs):
        raise NoForm(f"a product of {nptype.name}")
    return nptype


def product(places: Places, item: Item) -> None:
    """Read a product whose result has rows."""
    nptype = _floats(places, item)
    left, right, out = equation(places, item)
    rows = out[item.axes[0]]
    sizes: dict[Letter, int] = {}
    sides = []
    for p, letters in enumerate((left, right)):
        place, axes = places.place(item, p), list(letters)
        if p in item.slices:
            if axes.pop(item.slices[p]) != rows:
                raise NoForm("rows that do not meet")
        elif rows in axes:
            k = axes.index(rows)
            if place.at.shape[k] != 1:
                raise NoForm("a shared value as long as the rows")
            place = place._replace(at=np.take(place.at, 0, k))
            del axes[k]
        for letter, s in zip(axes, place.at.shape, strict=True):
            sizes[letter] = max(s, sizes.get(letter, 1))
        sides.append(Side(place, axes))
    x, w = sides if 0 in item.slices else sides[::-1]
    result = [letter for letter in out if letter != rows]
    if any(letter not in sizes for letter in result):
        raise NoForm("an axis of the result that no factor has")
    if isinstance(w.place.source, Shared) and w.place.at.size > LARGE:
        raise NoForm(LEFT)
    summed = [letter for letter in dict.fromkeys((*x.axes, *w.axes)) if letter not in result]
    columns = [letter for letter in result if letter not in x.axes]
    others = [letter for letter in result if letter in x.axes]
    # A matrix that is the same for all others has one of them, of which its place repeats nothing.
    batch = others if any(letter in w.axes for letter in others) else []
    matrix = w.turned(sizes, batch, summed, columns)
    matrix = matrix if isinstance(matrix.source, Shared) else places.solid(matrix)
    given = places.solid(x.turned(sizes, others, summed))
    buffer = places.fresh([sizes[letter] for letter in result], nptype)
    places.works.append(Product([given, matrix], [buffer]))
    order = [*others, *columns]
    made = ordered([sizes[letter] for letter in order]).transpose([order.index(letter) for letter in result])
    places.set(item.step.output, Place(buffer, made, nptype))


def sum_of_products(places: Places, item: Item, number: int) -> None:
    """Read a sum of products over the rows, of which the number in its pass is known."""
    _floats(places, item)
    left, right, out = equation(places, item)
    spec = places.specs[item.step.output]
    if math.prod(spec.sizes) > LARGE:
        raise NoForm(LEFT)
    sizes: dict[Letter, int] = {}
    sides = []
    for p, letters in enumerate((left, right)):
        place, axes = places.place(item, p), list(letters)
        del axes[item.slices[p]]
        sizes.update(zip(axes, place.at.shape, strict=True))
        sides.append(Side(place, axes))
    y, g = sides
    down = [letter for letter in out if letter in y.axes and letter not in g.axes]
    across = [letter for letter in out if letter in g.axes and letter not in y.axes]
    inner = [letter for letter in y.axes if letter in g.axes and letter not in out]
    if [len(out), len(y.axes), len(g.axes)] != [len(down) + len(across), len(down) + len(inner), len(across) + len(inner)]:
        raise NoForm("an equation of this form")
    at = ordered(spec.sizes).transpose([out.index(letter) for letter in (*down, *across)])
    at = at.reshape(math.prod(sizes[s] for s in down), math.prod(sizes[s] for s in across))
    pair = [places.solid(y.turned(sizes, inner, down)), places.solid(g.turned(sizes, inner, across))]
    places.works.append(Outer(pair, number, at))
