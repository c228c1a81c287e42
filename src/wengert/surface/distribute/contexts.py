"""Where a program is: across replicas, in a strategy's scope, or in a replica, within its `run`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wengert.functions.array import constant
from wengert.ground import nest
from wengert.ground.blocks import Raised
from wengert.ground.context import current, state
from wengert.modes.autograph import calls
from wengert.modes.slices import IndexedSlices
from wengert.surface.distribute.settings import CommunicationOptions, ReduceOp, reduction
from wengert.tensor.tensor import Nested, TensorLike, convert

if TYPE_CHECKING:
    from wengert.surface.distribute.strategies import Strategy

__all__ = ["DEVICE", "InputContext", "Outermost", "ReplicaContext", "ValueContext", "across", "within"]

DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"
"""The name of the one device that a replica sees."""


def leaf(value: TensorLike | IndexedSlices) -> Any:
    """Return a value as a tensor, rows of one as they are."""
    return value if isinstance(value, IndexedSlices) else convert(value)


class ReplicaContext:
    """What a function that a strategy runs may ask: which replica it is, and how values of all become one.

    >>> import wengert as tf
    >>> strategy = tf.distribute.MirroredStrategy()
    >>> def step(x):
    ...     return tf.distribute.get_replica_context().all_reduce("SUM", x)
    >>> strategy.run(step, (tf.constant(2.0),)).numpy()
    np.float32(2.0)
    """

    def __init__(self, strategy: Strategy, replica_id_in_sync_group: int = 0) -> None:
        """Take the strategy, and the replica's number."""
        self._strategy, self._number = strategy, replica_id_in_sync_group

    @property
    def strategy(self) -> Strategy:
        """The strategy that runs it."""
        return self._strategy

    @property
    def replica_id_in_sync_group(self) -> Any:
        """Which replica it is: 0, a scalar int32 (outside of any strategy a Python number)."""
        return constant(self._number)

    @property
    def num_replicas_in_sync(self) -> int:
        """How many there are: one."""
        return self._strategy.num_replicas_in_sync

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of its devices."""
        return (DEVICE,)

    def __enter__(self) -> None:
        self._entered = within(self._strategy, self)
        self._entered.__enter__()

    def __exit__(self, *exception: Raised) -> None:
        self._entered.__exit__(*exception)

    @calls("merge_fn")
    def merge_call(
        self, merge_fn: Callable[..., Any], args: Sequence[Nested] = (), kwargs: Mapping[str, Nested] | None = None
    ) -> Any:
        """Return what a function of the strategy and the values makes of them, called across replicas.

        Raises:
            RuntimeError: across replicas.
        """
        self._inside()
        with across(self._strategy):
            return merge_fn(self._strategy, *args, **(kwargs or {}))

    def all_reduce(self, reduce_op: ReduceOp | str, value: Nested, options: CommunicationOptions | None = None) -> Any:
        """Return the sum or mean over replicas of each value of a structure, which all of them get: the value.

        Raises:
            RuntimeError: across replicas.
            ValueError: for another reduction.
        """
        self._inside()
        reduction(reduce_op)
        return nest.map_structure(leaf, value)

    def all_gather(self, value: Nested, axis: int, options: CommunicationOptions | None = None) -> Any:
        """Return the values of all replicas, one behind another along an axis: the value.

        Raises:
            RuntimeError: across replicas.
        """
        self._inside()
        return nest.map_structure(leaf, value)

    def _inside(self) -> None:
        if state.distribution is not None and state.distribution[1] is None:
            raise RuntimeError("Method requires being in replica context, which `tf.distribute.Strategy.run` gives.")


class Outermost(ReplicaContext):
    """Where a program is that has chosen no strategy."""

    @property
    def replica_id_in_sync_group(self) -> int:
        """Which replica it is: 0."""
        return self._number

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of its devices."""
        return ("",)


def across(strategy: Strategy) -> current[Strategy]:
    """Be across the replicas of a strategy in a with block."""
    return current(strategy, distribution=(strategy, None))


def within(strategy: Strategy, context: ReplicaContext) -> current[None]:
    """Be in a replica in a with block."""
    return current(distribution=(strategy, context))


class InputContext:
    """What a function that makes a dataset may ask.

    >>> InputContext().get_per_replica_batch_size(64)
    64
    """

    def __init__(self, num_input_pipelines: int = 1, input_pipeline_id: int = 0, num_replicas_in_sync: int = 1) -> None:
        """Take how many pipelines there are, which of them this is, and how many replicas read them."""
        self.num_input_pipelines, self.input_pipeline_id = num_input_pipelines, input_pipeline_id
        self.num_replicas_in_sync = num_replicas_in_sync

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """Return the size of a replica's part of a batch.

        Raises:
            ValueError: where it is no whole number.
        """
        size, rest = divmod(global_batch_size, self.num_replicas_in_sync)
        if rest:
            raise ValueError(
                f"The `global_batch_size` {global_batch_size!r} is not divisible by `num_replicas_in_sync` "
                f"{self.num_replicas_in_sync!r} "
            )
        return size

    def __str__(self) -> str:
        return f"tf.distribute.InputContext(input pipeline id {self.input_pipeline_id}, total: {self.num_input_pipelines})"


class ValueContext:
    """What a function that makes the value of a replica may ask."""

    def __init__(self, replica_id_in_sync_group: int = 0, num_replicas_in_sync: int = 1) -> None:
        """Take which replica it is, and how many there are."""
        self.replica_id_in_sync_group, self.num_replicas_in_sync = replica_id_in_sync_group, num_replicas_in_sync

    def __str__(self) -> str:
        return (
            f"tf.distribute.ValueContext(replica id {self.replica_id_in_sync_group},  total replicas in sync: "
            f"{self.num_replicas_in_sync})"
        )


Devices = Sequence[str] | str | None
"""Where values are to go: accepted."""
