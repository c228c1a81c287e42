"""Bilinear operations: products of matrices and sums over shared indices."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from wengert.ground import dtypes, shapes
from wengert.ground.errors import ShapeError
from wengert.ground.types import Array, Attrs, Described, Namespace
from wengert.ops import layout, rows
from wengert.ops.derivative import Bilinear
from wengert.ops.op import Op
from wengert.ops.slopes import Columns

__all__ = ["EINSUM", "MATMUL"]


def _matmul(xp: Namespace, a: Array, b: Array, *, ta: bool = False, tb: bool = False) -> Any:
    if a.ndim == 2 and b.ndim == 2:
        if ta and not tb:
            return xp.dot_over_rows(a, b)
        return xp.dot(a.T if ta else a, b.T if tb else b)
    if b.ndim == 2 and a.ndim > 2 and not ta and 0 not in a.shape:
        # One product of two matrices, not a stack of small ones.
        flat = xp.dot(xp.reshape(a, (-1, a.shape[-1])), b.T if tb else b)
        return xp.reshape(flat, (*a.shape[:-1], flat.shape[-1]))
    return xp.matmul(xp.swapaxes(a, -1, -2) if ta else a, xp.swapaxes(b, -1, -2) if tb else b)


def _matmul_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    a, b = inputs[0].sizes, inputs[1].sizes
    ta, tb = attrs.get("ta", False), attrs.get("tb", False)
    nptype = dtypes.promote(inputs[0].nptype, inputs[1].nptype, "MatMul")
    if a is None or b is None:
        return None, nptype
    if len(a) < 2 or len(b) < 2:
        raise ShapeError(f"matmul takes matrices: In[0]: {shapes.text(a)}, In[1]: {shapes.text(b)} (or use tensordot).")
    rows, inner = (a[-1], a[-2]) if ta else (a[-2], a[-1])
    other, columns = (b[-1], b[-2]) if tb else (b[-2], b[-1])
    if inner is not None and other is not None and inner != other:
        flags = "".join(f", transpose_{n}=True" for n, f in (("a", ta), ("b", tb)) if f)
        raise ShapeError(
            f"Matrix size-incompatible: In[0]: {shapes.text(a)}, In[1]: {shapes.text(b)}{flags}: "
            f"the inner sizes {inner} and {other} differ."
        )
    batch = shapes.broadcast(a[:-2], b[:-2])
    return (None if batch is None else (*batch, rows, columns)), nptype


def _rank(x: Array) -> int | None:
    return x.shape.rank if isinstance(x.shape, shapes.TensorShape) else len(x.shape)


def _matmul_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    # C = A B: the cotangents are G Bᴴ and Aᴴ G; with a factor transposed, its cotangent is transposed too.
    ta, tb = attrs.get("ta", False), attrs.get("tb", False)
    if i == 0:
        b = xp.dual(inputs[1])
        result = xp.matmul(b, g, ta=tb, tb=True) if ta else xp.matmul(g, b, ta=False, tb=not tb)
        return xp.fit(result, inputs[0])
    a = xp.dual(inputs[0])
    rank = _rank(a)
    if not ta and rank is not None and 2 < rank < 12 and _rank(inputs[1]) == 2:
        # A stack times one matrix: one sum over the whole stack.
        stack = "abcdefghijkl"[: rank - 1]
        return xp.einsum(g, a, equation=f"{stack}y,{stack}x->yx") if tb else xp.einsum(a, g, equation=f"{stack}x,{stack}y->xy")
    result = xp.matmul(g, a, ta=True, tb=ta) if tb else xp.matmul(a, g, ta=not ta, tb=False)
    return xp.fit(result, inputs[1])


MATMUL = Op(
    "matmul", Bilinear(transpose=_matmul_transpose), _matmul, _matmul_infer, type="MatMul", kinds="iufc", rows=rows.matmul,
    columns=Columns.MIXED, layout=layout.MATRICES,
)


def _split_equation(equation: str) -> tuple[str, str, str]:
    operands, result = equation.split("->")
    a, b = operands.split(",")
    return a, b, result


def _einsum_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    a, b, result = _split_equation(attrs["equation"])
    nptype = dtypes.promote(inputs[0].nptype, inputs[1].nptype, "einsum")
    sizes: dict[str, int | None] = {}
    for labels, t in ((a, inputs[0]), (b, inputs[1])):
        known = (None,) * len(labels) if t.sizes is None else t.sizes
        if len(known) != len(labels):
            raise ShapeError(f"einsum: the labels {labels!r} do not fit shape {shapes.text(t.sizes)}.")
        for label, size in zip(labels, known, strict=True):
            before = sizes.get(label)
            if before is not None and size is not None and before != size:
                raise ShapeError(f"einsum {attrs['equation']!r}: label {label!r} has sizes {before} and {size}.")
            sizes[label] = size if before is None else before
    return tuple(sizes[label] for label in result), nptype


def _einsum_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    a, b, result = _split_equation(attrs["equation"])
    if i == 0:
        return xp.einsum(g, xp.dual(inputs[1]), equation=f"{result},{b}->{a}")
    return xp.einsum(g, xp.dual(inputs[0]), equation=f"{result},{a}->{b}")


@functools.lru_cache(maxsize=1024)
def _einsum_plan(equation: str) -> Any:
    """Return how an einsum of two is one product of stacks of matrices: permutations, how many labels each group has.

    The labels of each operand fall into three groups: those in both operands and the result (the stack), those in one
    operand and the result, those in both operands only (summed).
    """
    a, b, result = _split_equation(equation)
    stack = [s for s in result if s in a and s in b]
    rows, columns = [s for s in result if s not in b], [s for s in result if s not in a]
    inner = [s for s in a if s in b and s not in result]
    found = [*stack, *rows, *columns]
    return (
        tuple(a.index(s) for s in [*stack, *rows, *inner]), tuple(b.index(s) for s in [*stack, *inner, *columns]),
        tuple(found.index(s) for s in result), len(stack), len(rows), len(inner),
    )


def _einsum(xp: Namespace, a: Array, b: Array, *, equation: str) -> Any:
    first, second, last, stack, rows, inner = _einsum_plan(equation)
    a, b = xp.transpose(a, first), xp.transpose(b, second)
    shape = a.shape[: stack + rows] + b.shape[stack + inner :]
    outer = a.shape[:stack]
    if a.shape[stack + rows :] != b.shape[stack : stack + inner] or outer != b.shape[:stack]:
        raise ValueError(f"einsum {equation!r}: the sizes of a label differ.")
    n, k, m = math.prod(a.shape[stack : stack + rows]), math.prod(a.shape[stack + rows :]), math.prod(b.shape[stack + inner :])
    if not inner:
        product = xp.reshape(a, (*outer, n, 1)) * xp.reshape(b, (*outer, 1, m))
    else:
        product = xp.matmul(xp.reshape(a, (*outer, n, k)), xp.reshape(b, (*outer, k, m)))
    return xp.transpose(xp.reshape(product, shape), last)


EINSUM = Op(
    "einsum", Bilinear(transpose=_einsum_transpose), _einsum, _einsum_infer, kinds="iufc", label="einsum/Einsum",
    rows=rows.einsum, columns=Columns.MIXED, layout=layout.LETTERS,
)
"""Of two operands; each label of an operand stands in the other or in the result (the function of that name sees to it)."""
