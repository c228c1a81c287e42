"""``tf.data.Options``: accepted, one thread reads a dataset's elements in order."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["Options", "ThreadingOptions"]


class _Fields:
    """Attributes of these names alone."""

    NAMES: ClassVar[dict[str, Any]] = {}
    """The names, with the classes of those that are groups of others."""

    def __init__(self) -> None:
        """Set none."""
        vars(self).update({name: group() if group else None for name, group in self.NAMES.items()})

    def __setattr__(self, name: str, value: _Fields | str | float | None) -> None:
        if name not in self.NAMES:
            raise AttributeError(f"Cannot set the property {name} on {type(self).__name__}.")
        vars(self)[name] = value

    def _given(self, other: _Fields) -> None:
        """Take what others say."""
        for name, value in vars(other).items():
            if isinstance(value, _Fields):
                vars(self)[name]._given(value)
            elif value is not None:
                vars(self)[name] = value


def _names(text: str) -> dict[str, Any]:
    return dict.fromkeys(text.split())


class AutotuneOptions(_Fields):
    """How buffers are chosen."""

    NAMES = _names("autotune_algorithm cpu_budget enabled initial_parallelism min_parallelism ram_budget")


class DistributeOptions(_Fields):
    """How elements are divided among machines."""

    NAMES = _names("auto_shard_policy num_devices")


class OptimizationOptions(_Fields):
    """Which steps are put together."""

    NAMES = _names("""
        apply_default_optimizations filter_fusion filter_parallelization inject_prefetch map_and_batch_fusion
        map_and_filter_fusion map_fusion map_parallelization noop_elimination parallel_batch seq_interleave_prefetch
        shuffle_and_repeat_fusion
    """)


class ThreadingOptions(_Fields):
    """How many threads there are."""

    NAMES = _names("max_intra_op_parallelism private_threadpool_size")


class Options(_Fields):
    """How a dataset is to be read. Nothing depends on it here.

    >>> options = Options()
    >>> options.deterministic = False
    >>> options.experimental_optimization.map_fusion = True
    """

    NAMES: ClassVar[dict[str, Any]] = {
        **_names("""
            dataset_name deterministic experimental_deterministic experimental_external_state_policy experimental_slack
            experimental_service experimental_symbolic_checkpoint experimental_warm_start framework_type
        """),
        "autotune": AutotuneOptions, "experimental_distribute": DistributeOptions,
        "experimental_optimization": OptimizationOptions, "experimental_threading": ThreadingOptions,
        "threading": ThreadingOptions,
    }  # fmt: skip

    def merge(self, options: Options) -> Options:
        """Return these options, and what others say in their place."""
        found = Options()
        found._given(self)
        found._given(options)
        return found
