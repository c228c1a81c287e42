"""``horovod.tensorflow.keras`` and ``horovod.keras``: what programs of Keras exchange between processes, eagerly as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert.keras.models import load_model as load
from wengert.keras.optimizers import Optimizer
from wengert.surface.horovod import callbacks as callbacks
from wengert.surface.horovod import collectives
from wengert.surface.horovod.built import (
    ccl_built,
    cuda_built,
    ddl_built,
    gloo_built,
    gloo_enabled,
    mpi_built,
    mpi_enabled,
    mpi_threads_supported,
    nccl_built,
    rocm_built,
)
from wengert.surface.horovod.collectives import Average, Compression, NoneCompressor, Sum, broadcast_global_variables
from wengert.surface.horovod.optimizers import DistributedOptimizer
from wengert.surface.horovod.world import (
    ProcessSet,
    cross_rank,
    cross_size,
    global_process_set,
    init,
    is_initialized,
    local_rank,
    local_size,
    rank,
    shutdown,
    size,
)
from wengert.tensor.tensor import EagerTensor, TensorLike

__all__ = [
    "Average",
    "Compression",
    "DistributedOptimizer",
    "ProcessSet",
    "Sum",
    "allgather",
    "allreduce",
    "broadcast",
    "broadcast_global_variables",
    "callbacks",
    "ccl_built",
    "cross_rank",
    "cross_size",
    "cuda_built",
    "ddl_built",
    "global_process_set",
    "gloo_built",
    "gloo_enabled",
    "init",
    "is_initialized",
    "load_model",
    "local_rank",
    "local_size",
    "mpi_built",
    "mpi_enabled",
    "mpi_threads_supported",
    "nccl_built",
    "rank",
    "rocm_built",
    "shutdown",
    "size",
]


def _read(value: TensorLike) -> Any:
    return value.numpy() if isinstance(value, EagerTensor) else value


def allreduce(
    value: TensorLike, name: str | None = None, average: bool | None = None, prescale_factor: float = 1.0,
    postscale_factor: float = 1.0, op: int | None = None, compression: type[NoneCompressor] = Compression.none,
) -> Any:  # fmt: skip
    """Return the mean of a value over the processes, or what ``op`` says."""
    return _read(
        collectives.allreduce(
            value, average, compression=compression, op=op, prescale_factor=prescale_factor, postscale_factor=postscale_factor
        )
    )


def allgather(value: TensorLike, name: str | None = None) -> Any:
    """Return the rows of a value of all processes."""
    return _read(collectives.allgather(value))


def broadcast(value: TensorLike, root_rank: int, name: str | None = None) -> Any:
    """Return one process's value."""
    return _read(collectives.broadcast(value, root_rank))


def load_model(
    filepath: str, custom_optimizers: Sequence[type[Optimizer]] | None = None, custom_objects: Mapping[str, Any] | None = None,
    compression: type[NoneCompressor] = Compression.none, legacy_opts: bool = False,
) -> Any:  # fmt: skip
    """Return a model of a file, whose optimizer takes its steps by the mean of all processes' gradients."""
    model = load(filepath, custom_objects)
    if isinstance(model.optimizer, Optimizer):
        model.optimizer = DistributedOptimizer(model.optimizer, compression=compression)
    return model
