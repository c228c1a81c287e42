"""TensorFlow's ``tf.train``: checkpoints; and what optimizers of both TensorFlows are made of (`rules`, `schedules`)."""

from wengert.train.checkpoint import Checkpoint, CheckpointManager, CheckpointOptions, checkpoints_iterator
from wengert.train.cluster import ClusterSpec
from wengert.train.files import (
    CheckpointReader,
    CheckpointState,
    get_checkpoint_state,
    latest_checkpoint,
    list_variables,
    load_checkpoint,
    load_variable,
)

__all__ = [
    "Checkpoint",
    "CheckpointManager",
    "CheckpointOptions",
    "CheckpointReader",
    "CheckpointState",
    "ClusterSpec",
    "checkpoints_iterator",
    "get_checkpoint_state",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
]
