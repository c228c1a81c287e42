"""Creation functions of the array API standard. A tensor without a dtype is made as `wengert.array_api.dtypes` says."""

from __future__ import annotations

import builtins

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions.numpy import arrangement as shaping
from wengert.functions.numpy.promotion import asarray as made
from wengert.functions.numpy.promotion import dtype_of, float_type, is_number, together
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.surface.array_api.dtypes import device_in
from wengert.tensor import tensor as tensors
from wengert.tensor.exchange import Exporting
from wengert.tensor.tensor import Tensor, TensorLike, is_tensor_like

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "linspace", "meshgrid", "ones",
    "ones_like", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


def asarray(
    obj: TensorLike, /, *, dtype: DtypeLike | None = None, device: str | None = None, copy: builtins.bool | None = None
) -> Tensor:
    """Return a value as a tensor: a number, a nested sequence, a tensor, an array of NumPy's, JAX's or torch's.

    ``copy``: True for a tensor with memory of its own; False for one that shares that of the value.

    Raises:
        ValueError: where ``copy=False`` and a copy is needed.

    >>> asarray([1, 2.5]).dtype, asarray(1, dtype="float32").numpy()
    (tf.float64, np.float32(1.0))
    """
    device_in(device)
    wanted = None if dtype is None else dtype_of(dtype)
    if is_tensor_like(obj):
        x = tensors.convert(obj)
        if copy is False and wanted is not None and wanted != x.nptype:
            raise ValueError(f"asarray: a {x.dtype.name} tensor becomes {np.dtype(wanted).name} by being copied.")
        x = x if wanted is None else arrangement.cast(x, wanted)
        return arrangement.identity(x) if copy else x
    if copy is False:
        found = np.asarray(obj, dtype=wanted, copy=False)
        return tensors.of_array(obj, found)
    if wanted is not None and not (isinstance(obj, list | tuple) and tensors.holds_tensors(obj)):
        return tensors.convert(np.asarray(obj).astype(wanted) if hasattr(obj, "dtype") else np.asarray(obj, dtype=wanted))
    return made(obj, wanted)  # type: ignore[no-any-return]


def from_dlpack(x: Exporting, /, *, device: str | None = None, copy: builtins.bool | None = None) -> Tensor:
    """Return an array of another library as a tensor that shares its memory: what is written there afterwards shows here too.

    ``copy=True`` gives it memory of its own. An array on another device is copied from there.

    >>> import numpy as np
    >>> from_dlpack(np.ones(2)).numpy()
    array([1., 1.])
    """
    device_in(device)
    if isinstance(x, Tensor):
        return asarray(x, copy=copy)
    elsewhere = int(x.__dlpack_device__()[0]) != np.ones(0).__dlpack_device__()[0]
    found = np.from_dlpack(x, device="cpu" if elsewhere else None, copy=copy)  # type: ignore[arg-type]
    return tensors.of_array(found, found)


def arange(
    start: TensorLike,
    /,
    stop: TensorLike | None = None,
    step: TensorLike = 1,
    *,
    dtype: DtypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return start, start + step, ... up to but without stop; with one argument 0, 1, ... up to it.

    >>> arange(3).numpy().tolist(), arange(1, 2, 0.5).numpy().tolist()
    ([0, 1, 2], [1.0, 1.5])
    """
    device_in(device)
    return shaping.arange(start, stop, step, dtype)  # type: ignore[no-any-return]


def linspace(
    start: TensorLike,
    stop: TensorLike,
    /,
    num: int,
    *,
    dtype: DtypeLike | None = None,
    device: str | None = None,
    endpoint: builtins.bool = True,
) -> Tensor:
    """Return num numbers at equal distances from start to stop, which ``endpoint`` includes.

    >>> linspace(0.0, 1.0, 3).numpy().tolist()
    [0.0, 0.5, 1.0]
    """
    device_in(device)
    wanted = None if dtype is None else dtype_of(dtype)
    if is_number(start) and is_number(stop):
        ends = np.asarray([start, stop])
        nptype = wanted if wanted is not None else (ends.dtype if ends.dtype.kind == "c" else float_type())
        return tensors.convert(np.linspace(ends[0], ends[1], num, endpoint, dtype=nptype))
    return shaping.linspace(start, stop, num, endpoint, dtype=wanted)  # type: ignore[no-any-return]


def _filled(shape: ShapeLike, value: TensorLike, dtype: DtypeLike | None, device: str | None) -> Tensor:
    device_in(device)
    return shaping.full(shape, asarray(value, dtype=dtype))  # type: ignore[no-any-return]


def full(shape: ShapeLike, fill_value: TensorLike, *, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return a tensor of one value, with the dtype of that value if none is given.

    >>> full((2,), 1.5).numpy().tolist()
    [1.5, 1.5]
    """
    return _filled(shape, fill_value, dtype, device)


def ones(shape: ShapeLike, *, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return ones, float64 if no dtype is given."""
    return _filled(shape, 1.0, float_type() if dtype is None else dtype, device)


def zeros(shape: ShapeLike, *, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return zeros, float64 if no dtype is given."""
    return _filled(shape, 0.0, float_type() if dtype is None else dtype, device)


def empty(shape: ShapeLike, *, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return zeros: as tensors do not change, there is nothing else that they could be."""
    return zeros(shape, dtype=dtype, device=device)


def full_like(x: TensorLike, /, fill_value: TensorLike, *, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return a tensor of one value in the shape of another, and of its dtype if none is given."""
    device_in(device)
    t = made(x)
    value = asarray(fill_value, dtype=t.dtype if dtype is None else dtype)
    return arrangement.broadcast_to(value, arrangement.shape(t))  # type: ignore[no-any-return]


def ones_like(x: TensorLike, /, *, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return ones in the shape of a tensor, and of its dtype if none is given."""
    device_in(device)
    return shaping.ones_like(x, dtype)  # type: ignore[no-any-return]


def zeros_like(x: TensorLike, /, *, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return zeros in the shape of a tensor, and of its dtype if none is given."""
    device_in(device)
    return shaping.zeros_like(x, dtype)  # type: ignore[no-any-return]


def empty_like(x: TensorLike, /, *, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return zeros in the shape of a tensor, and of its dtype if none is given."""
    return zeros_like(x, dtype=dtype, device=device)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DtypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return a matrix with ones on its k-th diagonal.

    >>> eye(2, 3, k=1).numpy().tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    device_in(device)
    return shaping.eye(n_rows, n_cols, k, dtype)  # type: ignore[no-any-return]


def meshgrid(*arrays: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """Return the coordinates of a grid, one tensor for each vector."""
    return arrangement.meshgrid(*together(*arrays), indexing=indexing) if arrays else []


def tril(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return matrices with zeros above the k-th diagonal."""
    return shaping.tril(x, k)  # type: ignore[no-any-return]


def triu(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return matrices with zeros below the k-th diagonal."""
    return shaping.triu(x, k)  # type: ignore[no-any-return]
