"""TensorFlow 2's names at the top. `wengert` itself is these; `wengert.compat.v1` begins from them."""

from __future__ import annotations

from wengert.control import case, cond, foldl, foldr, map_fn, scan, switch_case, vectorized_map, while_loop
from wengert.dtypes import (
    DType,
    as_dtype,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from wengert.dtypes import bool_ as bool  # noqa: A004
from wengert.function import Function, TensorSpec, function
from wengert.functions.array import *  # noqa: F403
from wengert.functions.linalg import *  # noqa: F403
from wengert.functions.math import *  # noqa: F403
from wengert.functions.program import (
    control_dependencies,
    custom_gradient,
    device,
    executing_eagerly,
    get_static_value,
    grad_pass_through,
    group,
    init_scope,
    name_scope,
    no_op,
    numpy_function,
    py_function,
    recompute_grad,
)
from wengert.functions.program import print_tensors as print  # noqa: A004
from wengert.functions.program import tuple_of as tuple  # noqa: A004
from wengert.gradients import (
    AggregationMethod,
    ForwardAccumulator,
    gradients,
    hessian,
    hessians,
    hvp,
    jacobian,
    jvp,
    vjp,
)
from wengert.graph import Graph
from wengert.graph import Node as Operation
from wengert.module import Module
from wengert.shapes import TensorShape
from wengert.slices import IndexedSlices
from wengert.state import Variable, VariableAggregation, VariableSynchronization
from wengert.tape import GradientTape, UnconnectedGradients, recording
from wengert.tensor import Tensor
from wengert.why import why
