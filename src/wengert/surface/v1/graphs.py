"""TensorFlow 1's graphs and sessions: the default ones, collections, seeds, placeholders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.functions.random import DEFAULT_SEED, set_seed
from wengert.graph.graph import outside_functions
from wengert.ground import checks, shapes
from wengert.ground.context import here, state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike
from wengert.modes.session import (
    default_graph,
    disable_eager_execution,
    enable_eager_execution,
)
from wengert.ops.linear import IDENTITY, PLACEHOLDER
from wengert.tensor import tensor as tensors
from wengert.tensor.tensor import TensorLike, append, convert

get_default_graph = default_graph


class GraphKeys:
    """The names of the collections that TensorFlow 1 keeps."""

    GLOBAL_VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    METRIC_VARIABLES = "metric_variables"
    MODEL_VARIABLES = "model_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    SUMMARIES = "summaries"
    QUEUE_RUNNERS = "queue_runners"
    TABLE_INITIALIZERS = "table_initializer"
    ASSET_FILEPATHS = "asset_filepaths"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    CONCATENATED_VARIABLES = "concatenated_variables"
    SAVERS = "savers"
    WEIGHTS = "weights"
    BIASES = "biases"
    ACTIVATIONS = "activations"
    UPDATE_OPS = "update_ops"
    LOSSES = "losses"
    SAVEABLE_OBJECTS = "saveable_objects"
    RESOURCES = "resources"
    LOCAL_RESOURCES = "local_resources"
    INIT_OP = "init_op"
    LOCAL_INIT_OP = "local_init_op"
    READY_OP = "ready_op"
    READY_FOR_LOCAL_INIT_OP = "ready_for_local_init_op"
    SUMMARY_OP = "summary_op"
    GLOBAL_STEP = "global_step"
    EVAL_STEP = "eval_step"
    TRAIN_OP = "train_op"
    COND_CONTEXT = "cond_context"
    WHILE_CONTEXT = "while_context"
    VARIABLES = GLOBAL_VARIABLES


# --- what is in force ---------------------------------------------------------------------------------------------------

_flow = [True]


def disable_v2_behavior() -> None:
    """Build graphs by default, compare tensors by identity, show unknown sizes as ``Dimension(None)``."""
    disable_eager_execution()
    tensors.V1_EQUALITY[0] = True
    shapes.V1_DIMENSIONS[0] = True
    _flow[0] = False


def enable_v2_behavior() -> None:
    """Run eagerly by default, compare tensors by value."""
    enable_eager_execution()
    tensors.V1_EQUALITY[0] = False
    shapes.V1_DIMENSIONS[0] = False
    _flow[0] = True


def v2_behavior_enabled() -> bool:
    """Return whether operations run eagerly by default."""
    return state.default("graph") is None


def enable_tensor_equality() -> None:
    """Compare tensors by value."""
    tensors.V1_EQUALITY[0] = False


def disable_tensor_equality() -> None:
    """Compare tensors by identity."""
    tensors.V1_EQUALITY[0] = True


def enable_v2_tensorshape() -> None:
    """Show unknown sizes as None."""
    shapes.V1_DIMENSIONS[0] = False


def disable_v2_tensorshape() -> None:
    """Show unknown sizes as ``Dimension(None)``."""
    shapes.V1_DIMENSIONS[0] = True


def enable_control_flow_v2() -> None:
    """Accept: control flow is made of functions in either case."""
    _flow[0] = True


def disable_control_flow_v2() -> None:
    """Accept: control flow is made of functions in either case."""
    _flow[0] = False


def control_flow_v2_enabled() -> bool:
    """Return what was said last."""
    return _flow[0]


def enable_resource_variables() -> None:
    """Accept: there is one kind of variable."""


def disable_resource_variables() -> None:
    """Accept: there is one kind of variable."""


def resource_variables_enabled() -> bool:
    """Return True."""
    return True


def executing_eagerly_outside_functions() -> bool:
    """Return whether operations run at once where no function is being traced."""
    return outside_functions(state.graph) is None


# --- collections and seeds ----------------------------------------------------------------------------------------------


def add_to_collection(name: str, value: TensorLike) -> None:
    """Append a value to a collection of the default graph."""
    default_graph().add_to_collection(name, value)


def add_to_collections(names: Sequence[Any], value: TensorLike) -> None:
    """Append a value to several collections of the default graph."""
    default_graph().add_to_collections(names, value)


def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """Return a collection of the default graph, or those of it whose names match a scope."""
    return default_graph().get_collection(key, scope)


def get_collection_ref(key: Any) -> list[Any]:
    """Return the list itself behind a collection of the default graph."""
    return default_graph().get_collection_ref(key)


set_random_seed = set_seed


def get_seed(op_seed: Any) -> tuple[int | None, int | None]:
    """Return the pair of seeds that an operation gets: the graph's and its own; None twice if there is neither."""
    graph_seed = default_graph().seed
    if graph_seed is None and op_seed is None:
        return None, None
    if graph_seed is None:
        return DEFAULT_SEED, checks.whole(op_seed, "get_seed", "op_seed")
    pair = int(graph_seed), len(default_graph().nodes) if op_seed is None else checks.whole(op_seed, "get_seed", "op_seed")
    return (0, 2**31 - 1) if pair == (0, 0) else pair


# --- placeholders -------------------------------------------------------------------------------------------------------


def placeholder(dtype: DtypeLike, shape: ShapeLike | None = None, name: str | None = None) -> Any:
    """Return a tensor whose value is fed when the graph is run. A size may be None: any.

    Raises:
        RuntimeError: eagerly.
    """
    if state.graph is None:
        raise RuntimeError(
            "tf.placeholder() is not compatible with eager execution: call disable_eager_execution() first, or build in "
            "`with Graph().as_default():`."
        )
    sizes, nptype = shapes.as_shape(shape), as_dtype(dtype).numpy
    node = state.graph.append(PLACEHOLDER, (), {"dtype": nptype, "shape": sizes}, [(sizes, nptype)], name, here())
    return node.outputs[0]


def placeholder_with_default(input: TensorLike, shape: ShapeLike, name: str | None = None) -> Any:
    """Return a tensor that has a value, and can be fed another."""
    value = convert(input)
    wanted = shapes.as_shape(shape)
    shapes.merge(value.sizes, wanted)
    if state.graph is None:
        return value
    out = append(state.graph, IDENTITY, (value,), {}, name or "PlaceholderWithDefault")
    out.sizes = wanted
    return out
