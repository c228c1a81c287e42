"""What the functions of ``keras.ops`` make of their arguments: tensors, and which dtype several of them have together.

There is one rule for all functions, that of Keras 3 (whose lattice is JAX's): Booleans give way to integers, integers
to floats, floats to complex numbers, whatever their widths; among themselves the wider one decides. A Python number
is *weak*: it takes the dtype of what it meets, and where it decides the kind the width is that of `floatx`. Where
Keras loses digits, nothing is lost here: complex128 and uint64 stay as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.functions import array
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.keras.configuration import floatx, standardize_dtype
from wengert.tensor import tensor as tensors
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike, is_tensor_like

__all__ = ["axes_of", "floating", "result_type", "summed", "tensor", "together"]

_WEAK = {int: "i", float: "f", complex: "c"}


def result_type(*dtypes: DtypeLike) -> str:
    """Return the dtype of a sum of numbers of these dtypes; the types int and float stand for Python's numbers.

    >>> result_type("int32", "float16"), result_type("int64", float), result_type("bool", int), result_type()
    ('float16', 'float32', 'int32', 'float32')
    """
    strong, weak = [], ""
    for dtype in dtypes:
        if isinstance(dtype, type) and dtype in _WEAK:
            weak += _WEAK[dtype]
        else:
            strong.append(as_dtype(standardize_dtype(dtype)).numpy)
    wide = [d for d in strong if d.kind in "fc"]
    width = floatx()[-2:]
    if not wide and ("f" in weak or "c" in weak or not dtypes or _signs_mix(strong)):
        wide = [np.dtype(f"float{width}")]
    if wide:
        found = np.result_type(*wide)
        return str(np.result_type(found, np.complex64).name if "c" in weak else found.name)
    whole = [d for d in strong if d.kind in "iu"]
    if whole:
        return str(np.result_type(*whole).name)
    return f"int{width}" if "i" in weak else str(strong[0].name if strong[0].kind != "O" else "string")


def _signs_mix(dtypes: list[Any]) -> bool:
    """Whether no integer type holds all values: uint64 and a signed one."""
    return any(d == np.uint64 for d in dtypes) and any(d.kind == "i" for d in dtypes)


def _is_weak(value: TensorLike) -> bool:
    return value.__class__ in (int, float, complex)


def tensor(value: TensorLike, dtype: DtypeLike | None = None) -> Tensor:
    """Return a value as a tensor, of another dtype where one is given."""
    if dtype is None:
        return value if isinstance(value, Tensor) else tensors.convert(value)
    nptype = as_dtype(standardize_dtype(dtype)).numpy
    if not isinstance(value, Tensor):
        try:
            return tensors.convert(value, nptype)  # at once, so that Python's floats keep all digits that there is room for
        except (TypeError, ValueError):
            value = tensors.convert(value)
    made: Tensor = tensors.cast(value, nptype)
    return made


def together(*values: TensorLike, also: tuple[DtypeLike, ...] = ()) -> list[Tensor]:
    """Return values as tensors of the one dtype that they have together, and with the dtypes given beside them."""
    given = [v for v in values if isinstance(v, Tensor)]
    if len(given) == len(values) and not also and all(v.nptype == given[0].nptype for v in given):
        return given
    made = [v if _is_weak(v) or isinstance(v, Tensor) else tensors.convert(v) for v in values]
    dtype = result_type(*(m.dtype if isinstance(m, Tensor) else type(m) for m in made), *also)
    # From the values themselves: a list of Python's floats has digits that its float32 tensor lacks.
    return [tensor(m if is_tensor_like(v) else v, dtype) for v, m in zip(values, made, strict=True)]


def floating(value: TensorLike, wide: bool = False) -> Tensor:
    """Return a value as a tensor of floats or complex numbers: others become `floatx`; `wide`: int64 becomes float64."""
    x = tensor(value)
    if x.nptype.kind in "fc":
        return x
    return tensor(x, "float64" if wide and x.nptype == np.int64 else floatx())


def axes_of(axis: AxisLike) -> list[int]:
    """Return one axis or several as a list."""
    given: Any = axis
    return [int(a) for a in given] if isinstance(given, list | tuple) else [int(given)]


def summed(value: TensorLike) -> Any:
    """Return a value as a tensor in whose dtype sums are taken: Booleans and integers of less than 32 bits become 32."""
    x = tensor(value)
    if x.nptype.kind == "b" or x.nptype in (np.int8, np.int16):
        return array.cast(x, "int32")
    return array.cast(x, "uint32") if x.nptype in (np.uint8, np.uint16) else x
