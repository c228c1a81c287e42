"""What programs say of how replicas talk to each other: accepted, as there is one, and XLA sums over devices."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from wengert.modes.variable import VariableAggregation

__all__ = [
    "CollectiveHints",
    "CommunicationImplementation",
    "CommunicationOptions",
    "CrossDeviceOps",
    "HierarchicalCopyAllReduce",
    "InputOptions",
    "InputReplicationMode",
    "NcclAllReduce",
    "ReduceOp",
    "ReductionToOneDevice",
    "RunOptions",
]

T = TypeVar("T")


class ReduceOp(enum.Enum):
    """How the values of replicas become one.

    >>> ReduceOp("SUM")
    <ReduceOp.SUM: 'SUM'>
    """

    SUM = "SUM"
    MEAN = "MEAN"

    @staticmethod
    def from_variable_aggregation(aggregation: int) -> ReduceOp:
        """Return what a variable's aggregation says.

        Raises:
            ValueError: for another one than SUM and MEAN.
        """
        if aggregation not in _AGGREGATED:
            raise ValueError(f"Could not convert from `tf.VariableAggregation` {aggregation} to`tf.distribute.ReduceOp` type")
        return _AGGREGATED[aggregation]


_AGGREGATED = {VariableAggregation.SUM: ReduceOp.SUM, VariableAggregation.MEAN: ReduceOp.MEAN}


def reduction(given: ReduceOp | str) -> ReduceOp:
    """Return a reduction by its name, in letters of any size.

    Raises:
        ValueError: for another name.
        TypeError: for what is no name.
    """
    if isinstance(given, str):
        return ReduceOp(given.upper())
    if not isinstance(given, ReduceOp):
        raise TypeError(f"reduce_op is tf.distribute.ReduceOp.SUM or MEAN, or its name, not {given!r}.")
    return given


class CommunicationImplementation(enum.Enum):
    """Who sums: accepted."""

    AUTO = "AUTO"
    RING = "RING"
    NCCL = "NCCL"


class CommunicationOptions:
    """How sums over replicas are packed: kept, without effect."""

    def __init__(
        self, bytes_per_pack: int = 0, timeout_seconds: float | None = None,
        implementation: CommunicationImplementation | str = CommunicationImplementation.AUTO,
    ) -> None:  # fmt: skip
        """Keep them.

        Raises:
            ValueError: for a negative size, and another implementation.
        """
        if bytes_per_pack < 0:
            raise ValueError(f"Argument `bytes_per_pack` must be >=0, Received {bytes_per_pack}.")
        if isinstance(implementation, str):
            implementation = CommunicationImplementation(implementation.upper())
        self.bytes_per_pack, self.timeout_seconds, self.implementation = bytes_per_pack, timeout_seconds, implementation


class CollectiveHints(CommunicationOptions):
    """The older name of `CommunicationOptions`."""

    def __init__(self, bytes_per_pack: int = 0, timeout_seconds: float | None = None) -> None:
        """Keep them."""
        super().__init__(bytes_per_pack, timeout_seconds)


class InputReplicationMode(enum.Enum):
    """For whom a function of datasets is called: there is one pipeline."""

    PER_WORKER = "PER_WORKER"
    PER_REPLICA = "PER_REPLICA"


class InputOptions(NamedTuple):
    """How datasets are read ahead: kept, without effect."""

    experimental_fetch_to_device: bool | None = True
    experimental_replication_mode: InputReplicationMode = InputReplicationMode.PER_WORKER
    experimental_place_dataset_on_device: bool = False
    experimental_per_replica_buffer_size: int = 1


class RunOptions(NamedTuple):
    """How `Strategy.run` compiles for TPUs: kept, without effect."""

    experimental_enable_dynamic_batch_size: bool = True
    experimental_bucketizing_dynamic_shape: bool = False
    experimental_xla_options: str | None = None


class CrossDeviceOps:
    """How the values of several replicas become one; of one replica they are what they are."""

    def reduce(
        self, reduce_op: ReduceOp | str, per_replica_value: T, destinations: str | Sequence[str] | None = None,
        options: CommunicationOptions | None = None,
    ) -> T:  # fmt: skip
        """Return the value."""
        reduction(reduce_op)
        return per_replica_value

    def batch_reduce(
        self, reduce_op: ReduceOp | str, value_destination_pairs: Sequence[tuple[T, str]],
        options: CommunicationOptions | None = None,
    ) -> list[T]:  # fmt: skip
        """Return the values of pairs of a value and where it goes."""
        reduction(reduce_op)
        return [value for value, _ in value_destination_pairs]

    def broadcast(self, tensor: T, destinations: str | Sequence[str]) -> T:
        """Return the value."""
        return tensor


class ReductionToOneDevice(CrossDeviceOps):
    """Sums on one device: accepted."""

    def __init__(self, reduce_to_device: str | None = None, accumulation_fn: str | None = None) -> None:
        """Keep both, without effect."""
        self.reduce_to_device, self.accumulation_fn = reduce_to_device, accumulation_fn


class NcclAllReduce(CrossDeviceOps):
    """Sums by NCCL: accepted."""

    _called = "NCCL all-reduce"

    def __init__(self, num_packs: int = 1) -> None:
        """Keep how many packs there are, without effect.

        Raises:
            ValueError: for a negative number.
        """
        if num_packs < 0:
            raise ValueError(f"{self._called} requires num_packs >= 0, but {num_packs} is specified")
        self.num_packs = num_packs


class HierarchicalCopyAllReduce(NcclAllReduce):
    """Sums by copies: accepted."""

    _called = "HierarchicalCopy"
