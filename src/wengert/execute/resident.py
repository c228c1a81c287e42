"""Running a program on tensors, which may be where a device has them, and stay there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wengert.execute.protocol import Program
from wengert.ground.types import Array, NumPyArray
from wengert.tensor.resident import value_there
from wengert.tensor.tensor import Tensor

__all__ = ["on_host", "on_tensors"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def on_tensors(program: Program, tensors: Sequence[Tensor], *more: NumPyArray) -> Sequence[Array]:
    """Return what a program gives for the values of tensors, and for arrays; `tensor_of` takes it."""
    resident = getattr(program, "resident", None)
    if resident is None:
        return program(*[t.array for t in tensors], *more)
    return resident([*map(value_there, tensors), *more])  # type: ignore[no-any-return]


def on_host(program: Program, values: Sequence[Array], copy: bool) -> list[NumPyArray]:
    """Return what a program gives that has arrays of NumPy's alone, for values that may be where a device has them."""
    arrays = map(np.asarray, values)
    return program(*arrays) if copy else program.inside(*arrays)
