"""The strategies: each runs a step once, on the whole batch, and says that there is one replica.

A step that `tf.function` traces sees the rows of the whole batch, and whoever runs its list lays them over the devices there are
(`wengert.config.set_devices`). So the sum over replicas, which TensorFlow's programs write out, is a sum over one; a loss that is
divided by the global batch size, and a learning rate that is multiplied by the number of replicas, come out right.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from wengert.data.dataset import Dataset
from wengert.data.iterators import IteratorBase
from wengert.data.stage import Base
from wengert.execute import processes
from wengert.functions import array, math
from wengert.ground import nest
from wengert.ground.context import state
from wengert.ground.dtypes import float64
from wengert.ground.options import options as switches
from wengert.modes.autograph import calls
from wengert.modes.variable import Variable
from wengert.surface.distribute.contexts import (
    DEVICE,
    Devices,
    InputContext,
    Outermost,
    ReplicaContext,
    ValueContext,
    across,
    leaf,
    within,
)
from wengert.surface.distribute.resolvers import ClusterResolver, ProcessResolver, TFConfigClusterResolver
from wengert.surface.distribute.settings import (
    CommunicationOptions,
    CrossDeviceOps,
    InputOptions,
    ReduceOp,
    RunOptions,
    reduction,
)
from wengert.surface.distribute.values import DistributedDataset, DistributedValues, PerReplica, local
from wengert.tensor.tensor import Nested, Tensor, TensorLike

__all__ = [
    "CentralStorageStrategy",
    "MirroredStrategy",
    "MultiWorkerMirroredStrategy",
    "OneDeviceStrategy",
    "Strategy",
    "StrategyExtended",
    "experimental_set_strategy",
    "get_loss_reduction",
    "get_replica_context",
    "get_strategy",
    "has_strategy",
    "in_cross_replica_context",
]

Function = Callable[..., Any]
T = TypeVar("T")
Keywords = Mapping[str, Nested] | None


class Strategy:
    """What all strategies have.

    >>> import wengert as tf
    >>> strategy = tf.distribute.MirroredStrategy()
    >>> with strategy.scope():
    ...     w = tf.Variable(3.0)
    >>> @tf.function
    ... def step(x):
    ...     return strategy.reduce("SUM", strategy.run(lambda x: w * x, args=(x,)), axis=0)
    >>> step(tf.constant([1.0, 2.0])).numpy()
    np.float32(9.0)
    """

    default = False
    """Whether it is the one that holds where no other was chosen."""

    def __init__(self) -> None:
        """Make one."""
        self._extended = StrategyExtended(self)

    @property
    def num_replicas_in_sync(self) -> int:
        """How many replicas there are: one, which sees the rows of all devices."""
        return 1

    @property
    def cluster_resolver(self) -> ClusterResolver | None:
        """Who knows of other machines: None where there are none."""
        return None

    @property
    def extended(self) -> StrategyExtended:
        """What libraries ask."""
        return self._extended

    def scope(self) -> contextlib.AbstractContextManager[Strategy]:
        """Return a with block in which the strategy holds. Variables that are made in it are variables.

        Raises:
            RuntimeError: in a replica, and in the scope of another strategy; when the block is entered.
        """
        return self._scope()

    @contextlib.contextmanager
    def _scope(self) -> Iterator[Strategy]:
        self._outside()
        with across(self):
            yield self

    def _outside(self) -> None:
        """Be called across replicas, or outside of any strategy.

        Raises:
            RuntimeError: in a replica, and in the scope of another strategy.
        """
        if state.distribution is None:
            return
        strategy, context = state.distribution
        if context is not None:
            raise RuntimeError("Method requires being in cross-replica context, use get_replica_context().merge_call()")
        if strategy is not self and not strategy.default:
            raise RuntimeError(f"Mixing different tf.distribute.Strategy objects: {strategy} is not {self}")

    @calls("fn")
    def run(self, fn: Function, args: Sequence[Nested] = (), kwargs: Keywords = None, options: RunOptions | None = None) -> Any:
        """Return what a function returns, called once, in a replica, with the values.

        Raises:
            ValueError: where ``args`` is no list or tuple.
            RuntimeError: in a replica.
        """
        if not isinstance(args, list | tuple):
            raise ValueError(f"positional args must be a list or tuple, got {type(args)}")
        self._outside()
        with within(self, ReplicaContext(self)):
            return fn(*local(args), **local(kwargs or {}))

    def reduce(self, reduce_op: ReduceOp | str, value: Nested, axis: int | Sequence[int] | None) -> Any:
        """Return the sum or mean over replicas, and along ``axis`` within them: for None the value.

        Args:
            reduce_op: SUM or MEAN, or its name.
            value: a tensor, or a structure of them.
            axis: which axes of each value are summed over too, such as 0 for its rows.

        Raises:
            ValueError: for another reduction, and an axis that is not there.
            RuntimeError: in a replica.
        """
        self._outside()
        how = reduction(reduce_op)
        value = local(value)
        if axis is None:
            return self._reduced(value)
        return nest.map_structure(lambda v: _along(how, leaf(v), axis), value)

    def _reduced(self, value: Nested) -> Any:
        return value if nest.is_nested(value) else leaf(value)  # type: ignore[arg-type]

    def gather(self, value: Nested, axis: int) -> Any:
        """Return the values of replicas, one behind another along an axis: the value.

        Raises:
            RuntimeError: in a replica.
        """
        if state.distribution is not None and state.distribution[1] is not None:
            raise RuntimeError(
                "tf.distribute.Strategy.gather method requires cross-replica context, use get_replica_context().all_gather() "
                "instead"
            )
        return nest.map_structure(leaf, local(value))

    def experimental_local_results(self, value: Nested) -> tuple[Any, ...]:
        """Return the values of this process's replicas: a tuple of one."""
        return value.values if isinstance(value, DistributedValues) else (value,)

    unwrap = experimental_local_results

    def group(self, value: Nested, name: str | None = None) -> Any:
        """Return what waits for a value: the value."""
        return value

    def experimental_distribute_dataset(self, dataset: Base, options: InputOptions | None = None) -> Any:
        """Return the dataset of the global batches, which are the dataset's own.

        Where processes feed their own rows (`wengert.config.set_feeds`), each has its part of every batch.

        Raises:
            AttributeError: for what is no dataset.
            InvalidArgumentError: as a batch is taken, if its rows do not divide by the processes.
        """
        count = _sharing()
        if count == 1:
            return DistributedDataset(dataset)
        return DistributedDataset(
            Dataset(dataset.stage).map(lambda *batch: _share(batch[0] if len(batch) == 1 else batch, count))
        )

    def distribute_datasets_from_function(
        self, dataset_fn: Callable[[InputContext], Base], options: InputOptions | None = None
    ) -> Any:
        """Return the dataset that a function makes, told that there is one pipeline.

        Where processes feed their own rows (`wengert.config.set_feeds`), each is told that it is one pipeline of them.

        Raises:
            AttributeError: where it returns no dataset.
        """
        count = _sharing()
        return DistributedDataset(dataset_fn(InputContext(count, processes.index() if count > 1 else 0, count)))

    experimental_distribute_datasets_from_function = distribute_datasets_from_function

    def experimental_distribute_values_from_function(self, value_fn: Callable[[ValueContext], Any]) -> Any:
        """Return the values that a function makes, one for each replica."""
        return PerReplica((value_fn(ValueContext()),))

    def make_dataset_iterator(self, dataset: Base) -> Any:
        """Return an iterator over global batches, as TensorFlow 1's programs ask for one."""
        return iter(self.experimental_distribute_dataset(dataset))

    def experimental_run(self, fn: Function, input_iterator: IteratorBase | None = None) -> Any:
        """Return what a function makes of an iterator's next batch, as TensorFlow 1's programs write it."""
        return self.run(fn, () if input_iterator is None else (input_iterator.get_next(),))

    def colocate_vars_with(self, colocate_with_variable: Variable) -> contextlib.AbstractContextManager[None]:
        """Return a with block that changes nothing: variables have one place."""
        return self._extended.colocate_vars_with(colocate_with_variable)

    def update_config_proto(self, config_proto: T) -> T:
        """Return a session's configuration as it is."""
        return config_proto


def _sharing() -> int:
    """Return how many processes have their own rows of a batch."""
    return processes.count() if switches.local else 1


def _share(batch: Nested, count: int) -> Any:
    """Return the rows of a batch that are this process's, as each of so many has as many."""

    def rows(x: Tensor) -> Any:
        return array.reshape(x, array.concat([[count, -1], array.shape(x)[1:]], 0))[processes.index()]

    return nest.map_structure(rows, batch)


def _along(how: ReduceOp, value: Tensor, axis: int | Sequence[int]) -> Any:
    """Return the sum or mean along axes. A mean of integers is a float64, as the quotient of integers is."""
    total = math.reduce_sum(value, axis)
    if how is ReduceOp.SUM:
        return total
    shape = array.shape(value)
    count = math.reduce_prod(array.stack([shape[i] for i in ([axis] if isinstance(axis, int) else axis)]))
    kind = value.dtype if value.dtype.is_floating or value.dtype.is_complex else float64
    return array.cast(total, kind) / array.cast(count, kind)


class StrategyExtended:
    """What libraries ask of a strategy."""

    experimental_between_graph = False
    experimental_require_static_shapes = False
    experimental_should_init = True

    def __init__(self, container_strategy: Strategy) -> None:
        """Take the strategy."""
        self._strategy = container_strategy

    @property
    def should_checkpoint(self) -> bool:
        """Whether this process writes checkpoints: the first one does."""
        return processes.is_first()

    @property
    def should_save_summary(self) -> bool:
        """Whether this process writes summaries: the first one does."""
        return processes.is_first()

    @property
    def worker_devices(self) -> tuple[str, ...]:
        """The names of the devices that replicas run on."""
        return (DEVICE,)

    @property
    def parameter_devices(self) -> tuple[str, ...]:
        """The names of the devices that hold variables."""
        return (DEVICE,)

    def non_slot_devices(self, var_list: Sequence[Variable]) -> tuple[str, ...]:
        """Return where what belongs to no variable is held."""
        return (DEVICE,)

    def variable_created_in_scope(self, v: TensorLike) -> bool:
        """Whether a variable is one that the strategy can update: every variable is."""
        return isinstance(v, Variable)

    def value_container(self, val: Nested) -> Any:
        """Return what a replica's value is a part of: itself."""
        return val

    def read_var(self, replica_local_var: TensorLike) -> Any:
        """Return the value of a variable."""
        return leaf(replica_local_var)

    def broadcast_to(self, tensor: TensorLike, destinations: Devices | Variable) -> Any:
        """Return a value as all devices have it."""
        return leaf(tensor)

    def reduce_to(
        self, reduce_op: ReduceOp | str, value: Nested, destinations: Devices | Variable,
        options: CommunicationOptions | None = None,
    ) -> Any:  # fmt: skip
        """Return the sum or mean over replicas, which is the value."""
        return self._strategy.reduce(reduce_op, value, None)

    def batch_reduce_to(
        self, reduce_op: ReduceOp | str, value_destination_pairs: Sequence[tuple[Nested, Devices | Variable]],
        options: CommunicationOptions | None = None,
    ) -> list[Any]:  # fmt: skip
        """Return the sums or means over replicas of several values, given with where they go."""
        return [self.reduce_to(reduce_op, value, place, options) for value, place in value_destination_pairs]

    @calls("fn")
    def call_for_each_replica(self, fn: Function, args: Sequence[Nested] = (), kwargs: Keywords = None) -> Any:
        """Return what `Strategy.run` does."""
        return self._strategy.run(fn, args, kwargs)

    def update(
        self, var: Variable, fn: Function, args: Sequence[Nested] = (), kwargs: Keywords = None, group: bool = True
    ) -> Any:
        """Return ``fn(var, *args, **kwargs)``, called once; as a tuple of one where not ``group``."""
        with across(self._strategy):
            found = fn(var, *local(args), **local(kwargs or {}))
        return found if group else (found,)

    def update_non_slot(
        self, colocate_with: Devices, fn: Function, args: Sequence[Nested] = (), kwargs: Keywords = None, group: bool = True
    ) -> Any:
        """Return ``fn(*args, **kwargs)``, called once; as a tuple of one where not ``group``."""
        with across(self._strategy):
            found = fn(*local(args), **local(kwargs or {}))
        return found if group else (found,)

    def colocate_vars_with(self, colocate_with_variable: Variable) -> contextlib.AbstractContextManager[None]:
        """Return a with block that changes nothing: variables have one place."""
        return contextlib.nullcontext()


class _Default(Strategy):
    """What holds where no strategy was chosen: a program is in its one replica."""

    default = True

    @contextlib.contextmanager
    def _scope(self) -> Iterator[Strategy]:
        if has_strategy():
            raise RuntimeError("Must not nest tf.distribute.Strategy scopes.")
        yield self

    def _reduced(self, value: Nested) -> Any:
        return value

    def experimental_distribute_dataset(self, dataset: Base, options: InputOptions | None = None) -> Any:
        """Return the dataset."""
        return dataset

    def distribute_datasets_from_function(
        self, dataset_fn: Callable[[InputContext], Base], options: InputOptions | None = None
    ) -> Any:
        """Return the dataset that a function makes."""
        return dataset_fn(InputContext())

    experimental_distribute_datasets_from_function = distribute_datasets_from_function

    def experimental_distribute_values_from_function(self, value_fn: Callable[[ValueContext], Any]) -> Any:
        """Return the value that a function makes."""
        return value_fn(ValueContext())


class MirroredStrategy(Strategy):
    """TensorFlow's strategy for the devices of one machine. Which these are, `wengert.config.set_devices` says."""

    def __init__(self, devices: Sequence[str] | None = None, cross_device_ops: CrossDeviceOps | None = None) -> None:
        """Accept names of devices, and how values are summed.

        Raises:
            ValueError: for a string instead of a sequence of them.
            AssertionError: where a device is named twice.
        """
        super().__init__()
        if isinstance(devices, str):
            raise ValueError(f"`devices` is a sequence of names, such as [{devices!r}], not one name.")
        named = [str(device).lower().removeprefix("/").removeprefix("device:") for device in devices or ()]
        if len(set(named)) < len(named):
            raise AssertionError(f"No duplicates allowed in `devices` argument: {tuple(devices or ())}")


class CentralStorageStrategy(MirroredStrategy):
    """TensorFlow's strategy with variables on the host: accepted, they lie where they are used."""

    def __init__(self, compute_devices: Sequence[str] | None = None, parameter_device: str | None = None) -> None:
        """Accept names of devices."""
        super().__init__(compute_devices)


class OneDeviceStrategy(Strategy):
    """TensorFlow's strategy for one device."""

    def __init__(self, device: str) -> None:
        """Accept its name."""
        super().__init__()

    def _reduced(self, value: Nested) -> Any:
        return value

    def experimental_distribute_values_from_function(self, value_fn: Callable[[ValueContext], Any]) -> Any:
        """Return the value that a function makes."""
        return value_fn(ValueContext())


class MultiWorkerMirroredStrategy(Strategy):
    """TensorFlow's strategy for several machines. `wengert run --processes` and ``wengert launch`` start the processes."""

    def __init__(
        self, cluster_resolver: ClusterResolver | None = None, communication_options: CommunicationOptions | None = None
    ) -> None:
        """Accept who knows of other machines; by default the processes there are, or the variable ``TF_CONFIG``."""
        super().__init__()
        if cluster_resolver is None:
            cluster_resolver = ProcessResolver() if processes.count() > 1 else TFConfigClusterResolver()
        self._cluster_resolver = cluster_resolver

    @property
    def cluster_resolver(self) -> ClusterResolver:
        """Who knows of other machines."""
        return self._cluster_resolver


# --- what holds now ----------------------------------------------------------------------------------------------------------

_default = _Default()
_outermost = Outermost(_default)


def get_strategy() -> Strategy:
    """Return the strategy that holds.

    >>> get_strategy().num_replicas_in_sync
    1
    """
    found: Strategy = _default if state.distribution is None else state.distribution[0]
    return found


def has_strategy() -> bool:
    """Whether a strategy was chosen."""
    return not get_strategy().default


def in_cross_replica_context() -> bool:
    """Whether the program is across replicas: in a strategy's scope, and not in a function that it runs."""
    return state.distribution is not None and state.distribution[1] is None


def get_replica_context() -> ReplicaContext | None:
    """Return what a replica may ask, None across replicas."""
    return _outermost if state.distribution is None else state.distribution[1]


def experimental_set_strategy(strategy: Strategy | None) -> None:
    """Let a strategy hold from here on; None: that of the outset.

    Raises:
        RuntimeError: in a replica.
    """
    if state.distribution is not None and state.distribution[1] is not None:
        raise RuntimeError("Method requires being in cross-replica context, use get_replica_context().merge_call()")
    state.distribution = None if strategy is None or strategy.default else (strategy, None)


def get_loss_reduction() -> ReduceOp:
    """Return how TensorFlow 1's losses of replicas become one: by their sum."""
    return ReduceOp.SUM
