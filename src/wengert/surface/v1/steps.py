"""TensorFlow 1's global step: the variable of a graph that counts the steps of training."""

from __future__ import annotations

from typing import Any

from wengert.functions.program import name_scope
from wengert.ground.context import state
from wengert.ground.dtypes import int64
from wengert.modes.session import default_graph
from wengert.modes.variable import Variable
from wengert.surface.v1.graphs import GraphKeys
from wengert.surface.v1.initializers import zeros_initializer
from wengert.surface.v1.variables import get_variable
from wengert.tensor.tensor import Graph


def assert_global_step(global_step_tensor: Any) -> None:
    """Accept a scalar of an integer dtype.

    Raises:
        TypeError: for anything else.
    """
    if not (hasattr(global_step_tensor, "dtype") and hasattr(global_step_tensor, "sizes")):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor!r}.')
    if not global_step_tensor.dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype!r}')
    if global_step_tensor.sizes is not None and len(global_step_tensor.sizes):
        raise TypeError(f'Existing "global_step" is not scalar: {global_step_tensor.shape}')


def get_global_step(graph: Graph | None = None) -> Any:
    """Return the global step of a graph, the default one by default; None if there is none.

    Raises:
        TypeError: if what is there is no scalar of an integer dtype.
    """
    graph = default_graph() if graph is None else graph
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if not found:
        try:
            found = [graph.get_tensor_by_name("global_step:0")]
        except KeyError:
            return None
    if len(found) > 1:
        return None
    assert_global_step(found[0])
    return found[0]


def create_global_step(graph: Graph | None = None) -> Any:
    """Make the global step: an int64 that begins at 0 and is not trained.

    Raises:
        ValueError: if the graph has one.
    """
    graph = default_graph() if graph is None else graph
    if state.graph is None:
        step = Variable(0, trainable=False, dtype=int64, name="global_step")
        graph.get_collection_ref(GraphKeys.GLOBAL_STEP)[:] = [step]
        return step
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists: get_global_step() returns it.')
    with graph.as_default(), name_scope(""):
        return get_variable(
            "global_step", shape=[], dtype=int64, initializer=zeros_initializer(dtype=int64), trainable=False,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )  # fmt: skip


def get_or_create_global_step(graph: Graph | None = None) -> Any:
    """Return the global step of a graph; make it if there is none.

    >>> import wengert as tf
    >>> with tf.Graph().as_default():
    ...     print(get_or_create_global_step().name)
    global_step:0
    """
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """Return the value of the global step in a session."""
    if state.graph is None and sess is None:
        return int(global_step_tensor)
    return int(sess.run(global_step_tensor))
