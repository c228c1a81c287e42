"""TensorFlow's ``tf.config``: one CPU, and settings that are accepted and kept. And Wengert's own: who runs, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from wengert.execute.xla.arrays import check_installed, spread_over
from wengert.ground import checks
from wengert.ground.blocks import changed
from wengert.ground.options import EXECUTORS, Options, options
from wengert.modes.function import _run_eagerly, run_functions_eagerly

__all__ = [
    "LogicalDevice",
    "LogicalDeviceConfiguration",
    "PhysicalDevice",
    "compare_rewrites",
    "experimental",
    "experimental_connect_to_cluster",
    "experimental_connect_to_host",
    "experimental_functions_run_eagerly",
    "experimental_run_functions_eagerly",
    "functions_run_eagerly",
    "get_devices",
    "get_executor",
    "get_feeds",
    "get_logical_device_configuration",
    "get_rewrites",
    "get_soft_device_placement",
    "get_trace_limit",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "optimizer",
    "rewrites",
    "run_functions_eagerly",
    "set_devices",
    "set_executor",
    "set_feeds",
    "set_logical_device_configuration",
    "set_rewrites",
    "set_soft_device_placement",
    "set_threads",
    "set_trace_limit",
    "set_visible_devices",
    "threading",
]


class PhysicalDevice(NamedTuple):
    """A device of this machine."""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device as programs see it."""

    name: str
    device_type: str


class LogicalDeviceConfiguration(NamedTuple):
    """How a device is split; it is not."""

    memory_limit: int | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


_CPU = PhysicalDevice("/physical_device:CPU:0", "CPU")
_settings: dict[str, Any] = {}


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the devices of a type: one CPU.

    >>> list_physical_devices("GPU")
    []
    """
    return [_CPU] if device_type in (None, "CPU") else []


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """Return the devices of a type as programs see them."""
    return [LogicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the devices in use."""
    return list_physical_devices(device_type)


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Accept: the one device stays in use."""


def get_logical_device_configuration(device: Any) -> list[LogicalDeviceConfiguration] | None:
    """Return how a device is split."""
    found: list[LogicalDeviceConfiguration] | None = _settings.get(f"logical {device}")
    return found


def set_logical_device_configuration(device: Any, logical_devices: Any) -> None:
    """Keep a split of a device, without effect."""
    _settings[f"logical {device}"] = list(logical_devices)


def get_soft_device_placement() -> bool:
    """Return whether operations go where they can run: always."""
    return bool(_settings.get("soft placement", True))


def set_soft_device_placement(enabled: bool) -> None:
    """Keep the setting, without effect."""
    _settings["soft placement"] = bool(enabled)


def functions_run_eagerly() -> bool:
    """Return whether traced functions run as plain Python."""
    return _run_eagerly[0]


experimental_functions_run_eagerly = functions_run_eagerly
experimental_run_functions_eagerly = run_functions_eagerly


def experimental_connect_to_cluster(*arguments: Any, **keywords: Any) -> None:
    """Refuse: there are no servers."""
    raise NotImplementedError("config.experimental_connect_to_cluster: there are no servers here; use jax.distributed.")


experimental_connect_to_host = experimental_connect_to_cluster


class threading:
    """TensorFlow's ``tf.config.threading``: numbers that are kept; NumPy's own variables decide (OMP_NUM_THREADS)."""

    @staticmethod
    def get_inter_op_parallelism_threads() -> int:
        """Return the number set, 0 if none."""
        return int(_settings.get("inter", 0))

    @staticmethod
    def set_inter_op_parallelism_threads(num_threads: int) -> None:
        """Keep a number."""
        _settings["inter"] = int(num_threads)

    @staticmethod
    def get_intra_op_parallelism_threads() -> int:
        """Return the number set, 0 if none."""
        return int(_settings.get("intra", 0))

    @staticmethod
    def set_intra_op_parallelism_threads(num_threads: int) -> None:
        """Keep a number."""
        _settings["intra"] = int(num_threads)


class optimizer:
    """TensorFlow's ``tf.config.optimizer``: settings that are kept, without effect."""

    @staticmethod
    def get_jit() -> str:
        """Return what was set."""
        return str(_settings.get("jit", ""))

    @staticmethod
    def set_jit(enabled: Any) -> None:
        """Keep the setting."""
        _settings["jit"] = "autoclustering" if enabled is True else "" if not enabled else str(enabled)

    @staticmethod
    def get_experimental_options() -> dict[str, Any]:
        """Return what was set."""
        return dict(_settings.get("options", {}))

    @staticmethod
    def set_experimental_options(options: dict[str, Any]) -> None:
        """Keep the settings."""
        _settings["options"] = {**_settings.get("options", {}), **options}


class experimental:
    """TensorFlow's ``tf.config.experimental``."""

    VirtualDeviceConfiguration = LogicalDeviceConfiguration
    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)
    get_visible_devices = staticmethod(get_visible_devices)
    set_visible_devices = staticmethod(set_visible_devices)
    get_virtual_device_configuration = staticmethod(get_logical_device_configuration)
    set_virtual_device_configuration = staticmethod(set_logical_device_configuration)

    @staticmethod
    def get_memory_growth(device: Any) -> bool:
        """Return what was set for a device."""
        return bool(_settings.get(f"growth {device}", False))

    @staticmethod
    def set_memory_growth(device: Any, enable: bool) -> None:
        """Keep the setting: memory grows as it is needed."""
        _settings[f"growth {device}"] = bool(enable)

    @staticmethod
    def get_device_details(device: Any) -> dict[str, Any]:
        """Return nothing special."""
        return {}

    @staticmethod
    def get_device_policy() -> str:
        """Return "silent"."""
        return "silent"

    @staticmethod
    def set_device_policy(device_policy: Any) -> None:
        """Accept."""

    @staticmethod
    def get_synchronous_execution() -> bool:
        """Return True: each operation is done when its call returns."""
        return True

    @staticmethod
    def set_synchronous_execution(enable: bool) -> None:
        """Accept."""

    @staticmethod
    def enable_tensor_float_32_execution(enabled: bool) -> None:
        """Accept: float32 is computed as float32."""

    @staticmethod
    def tensor_float_32_execution_enabled() -> bool:
        """Return False."""
        return False

    @staticmethod
    def enable_op_determinism() -> None:
        """Accept: operations are deterministic."""

    @staticmethod
    def enable_mlir_bridge() -> None:
        """Accept, without effect."""

    @staticmethod
    def get_memory_info(device: Any) -> dict[str, int]:
        """Refuse: only accelerators are asked for this."""
        raise ValueError(f"Memory information is there for accelerators only, not for {device!r}.")

    get_memory_usage = get_memory_info


# --- Wengert's own --------------------------------------------------------------------------------------------------------


def set_executor(name: str, *, after: int | None = None) -> None:
    """Choose who runs static graphs and traced functions, from the next run on.

    - ``"native"``: machine code for what works on many rows, NumPy for the rest; what holds unless the environment's
      WENGERT_EXECUTOR says something else. The first runs of each list are NumPy's, while the code is made in the background.
    - ``"numpy"``: NumPy alone.
    - ``"xla"``: XLA, through JAX, which compiles a graph at its first run; what XLA cannot run, NumPy does, and the reason
      is logged.
    - ``"auto"``: as ``"native"`` at first; XLA where, compiled in the background, it proves to be faster.

    Args:
        name: one of these.
        after: under ``"native"``, how many runs of a list are NumPy's before machine code takes over, by whose last digits
            results may differ. 2 unless it has been set; with 0 the first run waits for the code, and all runs give the same
            bits.

    Raises:
        ValueError: for another name, and for a negative number of runs.
        ImportError: for "xla" if JAX is not installed.

    >>> before = get_executor()
    >>> set_executor("native", after=2)
    >>> get_executor()
    'native'
    >>> set_executor(before)
    """
    checks.choice(name, EXECUTORS, "set_executor", "name")
    if name == "xla":
        check_installed()
    if after is not None:
        if after < 0:
            raise ValueError(f"set_executor: after is a number of runs, not {after}.")
        options.after = after
    options.executor = name


def get_executor() -> str:
    """Return who runs static graphs and traced functions.

    >>> get_executor() in ("native", "numpy", "xla", "auto")
    True
    """
    return options.executor


def set_devices(devices: int | Sequence[int] | str) -> None:
    """Spread rows over several devices, from the next run on: static graphs and traced functions then run under XLA.

    What a list computes of each row alone is done by the device that has the row; sums over the rows are added up among the
    devices by one collective; everything else is done by each of them alike. Results are those of one device up to rounding.
    Processors of this machine count as devices: ``set_devices(4)`` on a machine without accelerators makes four of them.

    Args:
        devices: how many of each process, the numbers of those that are wanted, or "all". 1: one does everything.

    Raises:
        ValueError: for no devices, a negative number, the same device twice, another word.
        RuntimeError: if XLA has started: its devices cannot be changed any more.
        ImportError: if JAX is not installed.

    >>> get_devices()
    1
    """
    wanted: int | tuple[int, ...] | str
    if isinstance(devices, str):
        checks.choice(devices, ("all",), "set_devices", "devices")
        wanted = devices
    elif isinstance(devices, int):
        if devices < 1:
            raise ValueError(f"set_devices: at least one device is wanted, not {devices}.")
        wanted = devices
    else:
        wanted = tuple(int(k) for k in devices)
        if not wanted or min(wanted) < 0 or len(set(wanted)) < len(wanted):
            raise ValueError(f"set_devices: the numbers of different devices are wanted, from 0, not {list(devices)}.")
    if wanted == options.devices:
        return
    check_installed()
    spread_over(wanted)
    if wanted != 1:
        options.executor = "xla"


def get_devices() -> int | tuple[int, ...] | str:
    """Return over how many devices of each process rows are spread, or over which, as `set_devices` was told.

    >>> get_devices()
    1
    """
    return options.devices


def set_feeds(feeds: str) -> None:
    """Say what several processes feed, from the next run on: the same arrays in each, or each its own rows of them.

    With "local", what is fed to a placeholder whose first axis is None, and each argument of a function that has an axis, are
    rows that this process has and the others have not, along the first axis; the rows of all, in the order of the processes,
    are what the list sees, and results are those of all rows, the same in each process. The processes may have different
    numbers of rows, which change in all of them in the same run; a run in which they have changed in one alone raises an
    InvalidArgumentError there, and ends the others. What a function captures, and variables, are the same in all. Eager
    operations see the rows of their process alone.

    Args:
        feeds: "global" or "local".

    Raises:
        ValueError: for another word; for "local" where the executor is not "xla", which alone joins rows.

    >>> set_feeds("global")
    >>> get_feeds()
    'global'
    """
    checks.choice(feeds, ("global", "local"), "set_feeds", "feeds")
    if feeds == "local" and options.processes is not None and options.executor != "xla":
        raise ValueError(f"set_feeds: rows of several processes are joined under the executor xla, not {options.executor}.")
    options.local = feeds == "local"


def get_feeds() -> str:
    """Return what several processes feed, as `set_feeds` was told.

    >>> get_feeds()
    'global'
    """
    return "local" if options.local else "global"


def _switches(who: str, switches: dict[str, Any]) -> dict[str, bool]:
    for name, value in switches.items():
        if name not in Options.REWRITES:
            raise ValueError(f"{who}: there is no rewrite {name!r}; there are {', '.join(Options.REWRITES)}.")
        if not isinstance(value, bool):
            raise TypeError(f"{who}: {name} must be True or False, not {value!r}.")
    return switches


def set_rewrites(**switches: bool) -> None:
    """Switch rewrites on or off; those that are not named stay as they are.

    Rewrites are how lists become faster without becoming anything else. All are on.

    Raises:
        ValueError: for a rewrite that there is not.
        TypeError: for a value that is not True or False.

    >>> before = get_rewrites()
    >>> set_rewrites(taylor=False, simplify=False)
    >>> get_rewrites()["taylor"]
    False
    >>> set_rewrites(**before)
    """
    for name, value in _switches("set_rewrites", switches).items():
        setattr(options, name, value)


def get_rewrites() -> dict[str, bool]:
    """Return which rewrites are on.

    >>> sorted(get_rewrites())
    ['adjoint', 'batch', 'collapse', 'simplify', 'taylor', 'tiles']
    """
    return {name: getattr(options, name) for name in Options.REWRITES}


def rewrites(**switches: bool) -> changed[None]:
    """Switch rewrites on or off for a with block.

    Raises:
        ValueError: for a rewrite that there is not.
        TypeError: for a value that is not True or False.

    >>> with rewrites(taylor=False):
    ...     print(get_rewrites()["taylor"])
    False
    """
    return options.set(**_switches("rewrites", switches))


def compare_rewrites(enabled: bool) -> None:
    """Run every list with and without the rewrites and compare the results: slow, and for finding defects.

    Raises:
        TypeError: for a value that is not True or False.

    >>> compare_rewrites(False)
    """
    if not isinstance(enabled, bool):
        raise TypeError(f"compare_rewrites: enabled must be True or False, not {enabled!r}.")
    options.compare = enabled


def set_threads(n: int) -> None:
    """Set how many threads run the tiles of one list; NumPy's own threads (OMP_NUM_THREADS) are another matter.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for less than one.

    >>> set_threads(options.threads)
    """
    count = checks.whole(n, "set_threads", "n")
    if count < 1:
        raise ValueError(f"set_threads: n must be at least 1, not {count}.")
    options.threads = count


def set_trace_limit(n: int | None) -> None:
    """Set how many traces a function keeps, 1000 unless told otherwise; None for as many as there are.

    Beyond the limit the trace that was not used for longest is dropped, and made again where a call needs it: its variables
    and the sequences of its random numbers go on. It holds from the next trace on.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for less than one.

    >>> before = get_trace_limit()
    >>> set_trace_limit(20)
    >>> get_trace_limit()
    20
    >>> set_trace_limit(before)
    """
    most = None if n is None else checks.whole(n, "set_trace_limit", "n")
    if most is not None and most < 1:
        raise ValueError(f"set_trace_limit: n must be at least 1, or None, not {most}.")
    options.traces = most


def get_trace_limit() -> int | None:
    """Return how many traces a function keeps, None for as many as there are.

    >>> get_trace_limit()
    1000
    """
    return options.traces
