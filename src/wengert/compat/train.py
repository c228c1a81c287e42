"""TensorFlow 1's ``tf.train``: optimizers, learning rates, savers, the global step, moving averages."""

from __future__ import annotations

from typing import Any

from wengert.compat.averages import ExponentialMovingAverage
from wengert.compat.decays import (
    cosine_decay,
    cosine_decay_restarts,
    exponential_decay,
    inverse_time_decay,
    linear_cosine_decay,
    natural_exp_decay,
    noisy_linear_cosine_decay,
    piecewise_constant,
    piecewise_constant_decay,
    polynomial_decay,
)
from wengert.compat.saver import Saver, export_meta_graph, import_meta_graph
from wengert.compat.steps import (
    assert_global_step,
    create_global_step,
    get_global_step,
    get_or_create_global_step,
    global_step,
)
from wengert.compat.summary import summary_iterator
from wengert.train import (
    Checkpoint,
    CheckpointManager,
    CheckpointOptions,
    CheckpointReader,
    CheckpointState,
    checkpoints_iterator,
    get_checkpoint_state,
    latest_checkpoint,
    list_variables,
    load_checkpoint,
    load_variable,
)
from wengert.train.files import checkpoint_exists, get_checkpoint_mtimes, remove_checkpoint, update_checkpoint_state

__all__ = [
    "Checkpoint",
    "CheckpointManager",
    "CheckpointOptions",
    "CheckpointReader",
    "CheckpointState",
    "ExponentialMovingAverage",
    "NewCheckpointReader",
    "Saver",
    "assert_global_step",
    "checkpoint_exists",
    "checkpoints_iterator",
    "cosine_decay",
    "cosine_decay_restarts",
    "create_global_step",
    "exponential_decay",
    "export_meta_graph",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
    "import_meta_graph",
    "inverse_time_decay",
    "latest_checkpoint",
    "linear_cosine_decay",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "natural_exp_decay",
    "noisy_linear_cosine_decay",
    "piecewise_constant",
    "piecewise_constant_decay",
    "polynomial_decay",
    "remove_checkpoint",
    "summary_iterator",
    "update_checkpoint_state",
    "write_graph",
]

NewCheckpointReader = CheckpointReader

OPTIMIZERS = (
    "AdadeltaOptimizer", "AdagradOptimizer", "AdamOptimizer", "FtrlOptimizer", "GradientDescentOptimizer", "MomentumOptimizer",
    "Optimizer", "ProximalAdagradOptimizer", "ProximalGradientDescentOptimizer", "RMSPropOptimizer",
)  # fmt: skip
"""The optimizers of TensorFlow 1, which `wengert.compat.optimizers` has: imported when one is first asked for."""


def write_graph(graph_or_graph_def: Any, logdir: Any, name: str, as_text: bool = True) -> str:
    """Refuse: graphs are not written.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(
        "write_graph: graphs are not written as protocol buffers here. `wengert explain SCRIPT` shows how derivatives are found."
    )


def optimizer_class(name: str) -> Any:
    """Return an optimizer of `wengert.compat.optimizers` or `wengert.compat.external`, None if they have none of this name."""
    from wengert.compat import external, optimizers

    return getattr(optimizers, name, None) or getattr(external, name, None)


def __getattr__(name: str) -> Any:
    """Return an optimizer."""
    found = optimizer_class(name) if name in OPTIMIZERS else None
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found


def __dir__() -> list[str]:
    """List the public names, the optimizers among them."""
    return sorted({*globals(), *OPTIMIZERS})
