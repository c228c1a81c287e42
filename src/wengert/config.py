"""TensorFlow's ``tf.config``: one CPU, and settings that are accepted and kept."""

from __future__ import annotations

from typing import Any, NamedTuple

from wengert.function import _run_eagerly, run_functions_eagerly

__all__ = [
    "LogicalDevice",
    "LogicalDeviceConfiguration",
    "PhysicalDevice",
    "experimental",
    "experimental_connect_to_cluster",
    "experimental_connect_to_host",
    "experimental_functions_run_eagerly",
    "experimental_run_functions_eagerly",
    "functions_run_eagerly",
    "get_logical_device_configuration",
    "get_soft_device_placement",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "optimizer",
    "run_functions_eagerly",
    "set_logical_device_configuration",
    "set_soft_device_placement",
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
