"""Stand-in until the real one is here."""
import numpy as np
from wengert.context import state
from wengert.surface import *  # noqa
from wengert.surface import gradients as _g
from wengert import math, linalg, nn, random, debugging, errors, nest  # noqa
from wengert.session import Session, InteractiveSession, disable_eager_execution, enable_eager_execution, reset_default_graph, get_default_session, default_graph as get_default_graph  # noqa
from wengert.tensor import append
from wengert.dtypes import as_dtype
from wengert.shapes import as_shape
from wengert.ops.linear import PLACEHOLDER
from wengert.functions.program import group
def placeholder(dtype, shape=None, name=None):
    if state.graph is None:
        raise RuntimeError("tf.placeholder() is not compatible with eager execution.")
    return append(state.graph, PLACEHOLDER, (), {"dtype": as_dtype(dtype).numpy, "shape": as_shape(shape)}, name)
def global_variables_initializer():
    if state.graph is None:
        return None
    return group(*[v.initializer for v in state.graph.get_collection("variables")], name="init")
def disable_v2_behavior():
    disable_eager_execution()
