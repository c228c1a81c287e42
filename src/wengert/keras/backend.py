"""``keras.backend``: settings, sessions, and the old names of functions of tensors."""

from __future__ import annotations

import builtins
import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.calculus.gradients import gradients
from wengert.functions import array, program
from wengert.functions import math as elementary
from wengert.functions import random as draws
from wengert.functions.array import cast, concat, ones_like, reshape, squeeze, stack, tile, zeros_like
from wengert.functions.array import constant as _constant
from wengert.functions.math import (
    abs,
    cos,
    equal,
    exp,
    log,
    maximum,
    minimum,
    pow,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    square,
    tanh,
)
from wengert.ground.blocks import Block, Leaving, Raised
from wengert.ground.context import default_session, state
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.keras import random as random
from wengert.keras import registry, symbolic
from wengert.keras.configuration import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    standardize_dtype,
)
from wengert.keras.functions import (
    all,
    any,
    arange,
    argmin,
    batch_flatten,
    batch_get_value,
    batch_normalization,
    batch_set_value,
    bias_add,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    conv1d,
    conv2d,
    conv2d_transpose,
    conv3d,
    count_params,
    cumprod,
    cumsum,
    depthwise_conv2d,
    dropout,
    eye,
    foldl,
    foldr,
    gather,
    greater,
    greater_equal,
    hard_sigmoid,
    in_top_k,
    is_sparse,
    l2_normalize,
    less,
    less_equal,
    map_fn,
    moving_average_update,
    not_equal,
    one_hot,
    permute_dimensions,
    pool2d,
    pool3d,
    print_tensor,
    random_normal_variable,
    random_uniform_variable,
    repeat,
    resize_images,
    resize_volumes,
    reverse,
    rnn,
    round,
    separable_conv2d,
    softsign,
    sparse_categorical_crossentropy,
    spatial_2d_padding,
    spatial_3d_padding,
    switch,
    temporal_padding,
    to_dense,
    update,
    update_add,
    update_sub,
)
from wengert.keras.layers.layer import Layer
from wengert.keras.layers.tracking import put
from wengert.keras.ops.promotion import result_type
from wengert.keras.registry import get_uid
from wengert.keras.symbolic import is_keras_tensor
from wengert.keras.variable import Variable
from wengert.modes.variable import Variable as AnyVariable
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike, convert

__all__ = [
    "Variable",
    "abs",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "backend",
    "batch_dot",
    "batch_flatten",
    "batch_get_value",
    "batch_normalization",
    "batch_set_value",
    "bias_add",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "cast",
    "cast_to_floatx",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "clear_session",
    "clip",
    "concatenate",
    "constant",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "cos",
    "count_params",
    "cumprod",
    "cumsum",
    "depthwise_conv2d",
    "dot",
    "dropout",
    "dtype",
    "elu",
    "epsilon",
    "equal",
    "eval",
    "exp",
    "expand_dims",
    "eye",
    "flatten",
    "floatx",
    "foldl",
    "foldr",
    "gather",
    "get_session",
    "get_uid",
    "get_value",
    "gradients",
    "greater",
    "greater_equal",
    "hard_sigmoid",
    "image_data_format",
    "in_top_k",
    "int_shape",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "is_sparse",
    "l2_normalize",
    "learning_phase",
    "less",
    "less_equal",
    "log",
    "map_fn",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moving_average_update",
    "name_scope",
    "ndim",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "permute_dimensions",
    "pool2d",
    "pool3d",
    "pow",
    "print_tensor",
    "prod",
    "random_bernoulli",
    "random_normal",
    "random_normal_variable",
    "random_uniform",
    "random_uniform_variable",
    "relu",
    "repeat",
    "repeat_elements",
    "reset_uids",
    "reshape",
    "resize_images",
    "resize_volumes",
    "result_type",
    "reverse",
    "rnn",
    "round",
    "separable_conv2d",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_session",
    "set_value",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "standardize_dtype",
    "std",
    "stop_gradient",
    "sum",
    "switch",
    "tanh",
    "temporal_padding",
    "tile",
    "to_dense",
    "transpose",
    "truncated_normal",
    "update",
    "update_add",
    "update_sub",
    "var",
    "variable",
    "zeros",
    "zeros_like",
]


def clear_session(free_memory: bool = True) -> None:
    """Forget which names layers were given, and the graph that is being built in TensorFlow 1's manner."""
    registry.reset_names()
    symbolic.graph = symbolic.KerasGraph()


def reset_uids() -> None:
    """Forget which names were given."""
    registry.reset_names()


class name_scope(Block):
    """Put a name before the names of operations of a with block; ``caller`` is the layer at work."""

    def __init__(self, name: str, caller: Layer | None = None, **keywords: Any) -> None:
        """Take the name."""
        if not isinstance(name, str):
            raise ValueError(f"Argument `name` must be a string, not {name!r}.")
        self.name, self.caller = name, caller
        self._inner: Any = None

    def __enter__(self) -> name_scope:
        """Enter."""
        self._inner = program.name_scope(self.name)
        self._inner.guard = self.guard
        self._inner.__enter__()
        return self

    def _leave(self, *exception: Raised) -> None:
        self._inner._leave(*exception)

    __exit__ = Leaving(_leave)


def is_float_dtype(dtype: DtypeLike) -> bool:
    """Return whether a dtype is one of floats."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: DtypeLike) -> bool:
    """Return whether a dtype is one of whole numbers."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


# --- values ------------------------------------------------------------------------------------------------------------


def variable(
    value: TensorLike, dtype: DtypeLike | None = None, name: str | None = None, constraint: Callable[[Any], Any] | None = None
) -> Any:
    """Return a variable of a value, of `floatx` by default."""
    return Variable(np.asarray(value), dtype=dtype or floatx(), name=name, constraint=constraint)


def constant(value: TensorLike, dtype: DtypeLike | None = None, shape: ShapeLike | None = None, name: str | None = None) -> Any:
    """Return a constant, of `floatx` by default."""
    return _constant(value, dtype or floatx(), shape, name or "Const")


def get_value(x: TensorLike) -> Any:
    """Return the value of a variable or tensor as a NumPy array.

    >>> get_value(variable(2.0)).item()
    2.0
    """
    if not isinstance(x, Tensor | AnyVariable):
        return x
    return eval(x)


def eval(x: TensorLike) -> Any:
    """Return the value of a variable or tensor as a NumPy array; of a graph's, in the default session."""
    if state.graph is not None or getattr(x, "_graph", None) is not None or not hasattr(x, "numpy"):
        return default_session(None).run(x)
    return x.numpy()


def set_value(x: Variable, value: TensorLike) -> None:
    """Set the value of a variable."""
    put(x, value)


def get_session(op_input_list: Sequence[TensorLike] = ()) -> Any:
    """Return the default session of TensorFlow 1's graphs."""
    return default_session(None)


def set_session(session: Any) -> None:
    """Make a session the default one, as entering it does."""
    session.__enter__()


def learning_phase() -> int:
    """Return 0: training is an argument of a call."""
    return 0


def int_shape(x: Tensor | AnyVariable) -> Any:
    """Return the static shape as a tuple."""
    return x.sizes


def shape(x: TensorLike) -> Any:
    """Return the shape as a tensor."""
    return array.shape(x)


def ndim(x: Tensor | AnyVariable) -> Any:
    """Return the number of axes."""
    return x.ndim


def dtype(x: Tensor | AnyVariable) -> str:
    """Return the dtype's name."""
    return str(x.dtype if isinstance(x.dtype, str) else x.dtype.name)


def cast_to_floatx(x: TensorLike) -> Any:
    """Return a value in `floatx`."""
    return cast(x, floatx()) if isinstance(x, Tensor | AnyVariable) else np.asarray(x, dtype=floatx())


def zeros(shape: ShapeLike, dtype: DtypeLike | None = None, name: str | None = None) -> Any:
    """Return a variable of zeros."""
    return variable(np.zeros(shape), dtype, name)


def ones(shape: ShapeLike, dtype: DtypeLike | None = None, name: str | None = None) -> Any:
    """Return a variable of ones."""
    return variable(np.ones(shape), dtype, name)


# --- functions of tensors ------------------------------------------------------------------------------------------------


def sum(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the sum along axes."""
    return elementary.reduce_sum(x, axis=axis, keepdims=keepdims)


def _counted(x: TensorLike | None) -> Any:
    """Return Booleans as 0 and 1 of `floatx`."""
    x = convert(x)
    return cast(x, floatx()) if x.nptype.kind == "b" else x


def mean(x: TensorLike | None, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the mean along axes; of integers it is cut to one, as these old names do: see `keras.ops.mean`."""
    return elementary.reduce_mean(_counted(x), axis=axis, keepdims=keepdims)


def prod(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the product along axes."""
    return elementary.reduce_prod(x, axis=axis, keepdims=keepdims)


def max(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the greatest element along axes."""
    return elementary.reduce_max(x, axis=axis, keepdims=keepdims)


def min(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the least element along axes."""
    return elementary.reduce_min(x, axis=axis, keepdims=keepdims)


def std(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the standard deviation along axes."""
    return elementary.reduce_std(_counted(x), axis=axis, keepdims=keepdims)


def var(x: TensorLike | None, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the variance along axes."""
    return elementary.reduce_variance(_counted(x), axis=axis, keepdims=keepdims)


def argmax(x: TensorLike, axis: int = -1) -> Any:
    """Return where the greatest element along an axis stands."""
    return elementary.argmax(x, axis)


def dot(x: Tensor | AnyVariable, y: Tensor | AnyVariable) -> Any:
    """Return the product over the last axis of x and the last but one of y."""
    return elementary.matmul(x, y) if len(x.shape) <= 2 else elementary.tensordot(x, y, [[len(x.shape) - 1], [max_axis(y)]])


def max_axis(y: Tensor | AnyVariable) -> int:
    """Return the number of the last axis but one."""
    return len(y.shape) - 2 if len(y.shape) > 1 else 0


def batch_dot(x: Tensor, y: Tensor, axes: int | Sequence[int] | None = None) -> Any:
    """Return the product of each row of x with the one of y."""
    from wengert.keras.layers.merging import Dot

    return Dot([len(x.shape) - 1, max_axis(y)] if axes is None else axes)([x, y])


def transpose(x: TensorLike) -> Any:
    """Return the axes reversed."""
    return array.transpose(x)


def flatten(x: TensorLike) -> Any:
    """Return x as one axis."""
    return array.reshape(x, [-1])


def concatenate(tensors: TensorLike, axis: int = -1) -> Any:
    """Return tensors beside each other."""
    return concat(tensors, axis)


def clip(x: TensorLike, min_value: TensorLike | None, max_value: TensorLike | None) -> Any:
    """Return x kept within limits; None is no limit, and a maximum below the minimum counts as the minimum."""
    if isinstance(min_value, int | float) and isinstance(max_value, int | float):
        max_value = builtins.max(min_value, max_value)
    low = -math.inf if min_value is None else min_value
    return elementary.clip_by_value(x, low, math.inf if max_value is None else max_value)


def sqrt(x: TensorLike) -> Any:
    """Return √max(x, 0)."""
    x = convert(x)
    return elementary.sqrt(elementary.maximum(x, array.zeros_like(x)))


def expand_dims(x: TensorLike, axis: int = -1) -> Any:
    """Return x with a new axis of size 1 at a place, the last by default."""
    return array.expand_dims(x, axis)


def relu(x: TensorLike, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Return the rectified linear unit."""
    from wengert.keras.activations import relu as full

    return full(x, alpha, max_value, threshold)


def elu(x: TensorLike, alpha: float = 1.0) -> Any:
    """Return the exponential linear unit."""
    from wengert.keras.activations import elu as full

    return full(x, alpha)


def repeat_elements(x: TensorLike, rep: int, axis: int) -> Any:
    """Return each element along an axis several times."""
    return array.repeat(x, rep, axis)


def stop_gradient(variables: Sequence[Any]) -> Any:
    """Return tensors that no derivative passes."""
    return [array.stop_gradient(v) for v in variables] if isinstance(variables, list | tuple) else array.stop_gradient(variables)


def random_normal(
    shape: ShapeLike,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DtypeLike | None = None,
    seed: int | random.SeedGenerator | None = None,
) -> Any:
    """Return numbers of a normal distribution."""
    return random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(
    shape: ShapeLike,
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: DtypeLike | None = None,
    seed: int | random.SeedGenerator | None = None,
) -> Any:
    """Return numbers spread evenly."""
    return random.uniform(shape, minval, maxval, dtype, seed)


def truncated_normal(
    shape: ShapeLike,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DtypeLike | None = None,
    seed: int | random.SeedGenerator | None = None,
) -> Any:
    """Return numbers of a normal distribution, within two standard deviations."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def random_bernoulli(
    shape: ShapeLike, p: float = 0.0, dtype: DtypeLike | None = None, seed: int | Sequence[int] | None = None
) -> Any:
    """Return ones with probability p, else zeros."""
    kind = standardize_dtype(dtype)
    return cast(draws.uniform(shape, dtype="float32", seed=seed) < p, kind)


@contextlib.contextmanager
def device_scope(device_name: str) -> Iterator[None]:
    """Accept a device."""
    yield


random_binomial = random_bernoulli
