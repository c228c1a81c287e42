"""The devices over which rows are spread: one axis, all of a host or of all processes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from wengert.ground.errors import InvalidArgumentError
from wengert.ground.options import options
from wengert.ground.types import Array, NumPyArray

__all__ = ["ROWS", "STARTED", "Compiled", "Mesh", "Own", "Placed", "mesh_of", "prepare"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

STARTED = (
    "set_devices: JAX has started, and its devices cannot be changed any more: call it before anything runs under XLA, or say "
    "wengert run --devices."
)
COLLECTIVE = re.compile(r"= (\(?[a-z].*?) (all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter)(?:-start)?\(")
"""A collective in the text of a compiled program: the shapes of its results, and its kind."""
SHAPE = re.compile(r"\b([a-z]+\d*)\[([\d,]*)\]")
WIDTHS = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "f16": 2, "bf16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8}
WIDTHS |= {"f64": 8, "c64": 8, "c128": 16}
ROWS = "rows"
"""The name of the mesh's axis."""


def prepare(jax: ModuleType) -> None:
    """See to it, before JAX starts, that its backend on CPUs has as many devices as are wanted.

    Raises:
        RuntimeError: if JAX has started with others.
    """
    wanted = options.devices
    if wanted == 1:
        return
    count = wanted if isinstance(wanted, int) else 1 + max(wanted) if isinstance(wanted, tuple) else None
    if count is None or jax.config.jax_num_cpu_devices == count:
        return
    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError as error:
        raise RuntimeError(STARTED) from error


def mesh_of(jax: ModuleType) -> Mesh | None:
    """Return the mesh that the options ask for; None where one device does everything.

    Raises:
        InvalidArgumentError: if there are not so many devices.
    """
    apart = options.apart or jax.process_count() == 1
    there = jax.local_devices() if apart else jax.devices()
    wanted = options.devices
    if not isinstance(wanted, str):
        places = range(wanted) if isinstance(wanted, int) else wanted
        chosen: list[Any] = []
        for process in sorted({d.process_index for d in there}):
            mine = [d for d in there if d.process_index == process]
            if len(mine) <= max(places):
                raise InvalidArgumentError(
                    f"set_devices: device {max(places)} is asked for, and there are {len(mine)}: {', '.join(map(str, mine))}."
                )
            chosen.extend(mine[k] for k in places)
        there = chosen
    return Mesh(jax, there, not apart) if len(there) > 1 or isinstance(wanted, tuple) else None


class Own:
    """The rows along the first axis that this process has of an array."""

    __slots__ = ("array", "counts", "dtype", "shape")

    def __init__(self, array: NumPyArray, counts: tuple[int, ...]) -> None:
        """Take the rows, and how many each process has."""
        self.array, self.counts, self.dtype = array, counts, array.dtype
        self.shape = (sum(counts), *array.shape[1:])


class Mesh:
    """Devices in a row."""

    def __init__(self, jax: ModuleType, devices: Sequence[Any], wide: bool) -> None:
        """Take the devices. ``wide``: they belong to several processes, each of which has what is put here in full."""
        self.jax, self.size, self.wide = jax, len(devices), wide
        self.mesh = jax.sharding.Mesh(np.array(devices), (ROWS,))
        self._shardings: dict[int | None, Any] = {}
        self._moves: dict[Hashable, Callable[..., Any]] = {}
        """What brings rows that processes have to where a list wants them, by shape and axis."""

    def spec(self, axis: int | None) -> Any:
        """Return how an array lies whose rows are along an axis; None: as a whole on each device."""
        return (
            self.jax.sharding.PartitionSpec(*[None] * (axis or 0), ROWS)
            if axis is not None
            else self.jax.sharding.PartitionSpec()
        )

    def sharding(self, axis: int | None) -> Any:
        """Return the same with the devices."""
        found = self._shardings.get(axis)
        if found is None:
            found = self._shardings[axis] = self.jax.sharding.NamedSharding(self.mesh, self.spec(axis))
        return found

    def like(self, x: Array, axis: int | None) -> Any:
        """Return the description of an array, as it lies when it is put here."""
        shape = list(x.shape)
        if axis is not None:
            shape[axis] = self.rows(shape[axis]) * self.size
        return self.jax.ShapeDtypeStruct(tuple(shape), x.dtype, sharding=self.sharding(axis))

    def rows(self, n: int) -> int:
        """Return how many of n rows a device has, the last ones fewer or none."""
        return -(-n // self.size)

    def filled(self, xp: ModuleType, x: Array, axis: int) -> Any:
        """Return an array whose rows divide by the devices: filled up with copies of the last."""
        missing = self.rows(x.shape[axis]) * self.size - x.shape[axis]
        return xp.pad(x, [(0, missing if k == axis else 0) for k in range(x.ndim)], mode="edge") if missing else x

    def put(self, x: Array | Own, axis: int | None = None) -> Any:
        """Return an array on the devices; rows that do not divide are filled up with copies of the last."""
        sharding = self.sharding(axis)
        if isinstance(x, Own):
            return self._together(x, axis)
        if getattr(x, "sharding", None) == sharding:
            return x
        if axis is not None and x.shape[axis] % self.size:
            x = self.filled(np, np.asarray(x), axis)
        if not self.wide:
            return self.jax.device_put(x, sharding)
        whole = np.asarray(x)
        return self.jax.make_array_from_callback(whole.shape, sharding, lambda index: whole[index])

    def _together(self, own: Own, axis: int | None) -> Any:
        """Return the rows of all processes on the devices."""
        jax, mine, n = self.jax, own.array, own.array.shape[0]
        devices = len(self.mesh.local_devices)
        each = -(-max(own.counts) // devices) * devices
        if each > n:  # up to what the greatest number of rows wants of the devices
            mine = np.concatenate([mine, np.zeros((each - n, *mine.shape[1:]), mine.dtype)])
        spread = jax.make_array_from_process_local_data(self.sharding(0), mine)
        if each == min(own.counts) and axis == 0:
            return spread
        key = own.counts, own.shape, axis
        if key not in self._moves:
            rows = np.concatenate([each * process + np.arange(count) for process, count in enumerate(own.counts)])

            def moved(x: Array) -> Any:
                return x[rows] if axis is None else self.filled(jax.numpy, x[rows], axis)

            self._moves[key] = jax.jit(moved, out_shardings=self.sharding(axis))
        return self._moves[key](spread)

    def mapped(self, function: Callable[..., Any], axes: Sequence[int | None], outer: tuple[Hashable, ...]) -> Any:
        """Return a function that every device runs on its rows. ``outer``: specs of the results."""
        specs = tuple(self.spec(a) for a in axes)
        return self.jax.shard_map(function, mesh=self.mesh, in_specs=specs, out_specs=outer, check_vma=False)


class Compiled(Protocol):
    """An executable of JAX's."""

    def __call__(self, *arguments: Array | None) -> Any:
        """Run."""

    def cost_analysis(self) -> Any:
        """Return figures by name."""

    def memory_analysis(self) -> Any:
        """Return sizes in bytes as attributes."""

    def as_text(self) -> str:
        """Return the program of a device."""


class Placed:
    """An executable whose arguments are put where it wants them."""

    def __init__(self, call: Compiled, mesh: Mesh, axes: Sequence[int | None]) -> None:
        """Take what JAX has compiled, and for each argument the axis along which its rows are spread."""
        self.call, self.mesh, self.axes = call, mesh, list(axes)

    def __call__(self, *arguments: Array | None) -> Any:
        """Run."""
        put = self.mesh.put
        return self.call(*[None if a is None else put(a, axis) for a, axis in zip(arguments, self.axes, strict=True)])

    def cost_analysis(self) -> Any:
        """Return figures of one device by name."""
        return self.call.cost_analysis()

    def memory_analysis(self) -> Any:
        """Return sizes of one device in bytes as attributes."""
        return self.call.memory_analysis()

    def as_text(self) -> str:
        """Return the program of a device."""
        return self.call.as_text()

    def collectives(self) -> list[tuple[str, int]]:
        """Return what devices send to each other in a run, as the compiled program says."""
        found = []
        for line in self.as_text().splitlines():
            match = COLLECTIVE.search(line)
            if match:
                shapes = SHAPE.findall(match[1])
                found.append(
                    (match[2], sum(WIDTHS[kind] * math.prod(map(int, filter(None, sizes.split(",")))) for kind, sizes in shapes))
                )
        return found
