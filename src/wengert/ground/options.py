"""What may be switched: the rewrites, the executor. `wengert.config` is what users call."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wengert.ground.blocks import changed

__all__ = ["EXECUTORS", "SECONDS", "Options", "Processes", "devices_of", "options"]

SECONDS = "WENGERT_JOIN_SECONDS", "WENGERT_HEARTBEAT_SECONDS"
"""The variables of the environment that say how long processes wait for each other at the start, and for a sign of life."""

EXECUTORS = ("native", "numpy", "xla", "auto")


@dataclass(frozen=True)
class Processes:
    """Which of how many processes that run one script this is, and where the first of them is reached."""

    count: int = 0
    """How many; 0: as what has started them says (Slurm, Open MPI, Kubernetes), which `jax.distributed` recognises."""
    index: int = 0
    """Which of them this is, from 0."""
    coordinator: str = ""
    """Host and port at which the first listens."""
    patience: float = 300.0
    """How many seconds the others are waited for at the start."""
    heartbeat: float = 30.0
    """After how many seconds in which a process gives no sign of life the others take it for dead."""
    apart: bool = False
    """Whether the script itself knows which of them it runs in: each computes for itself, and reads and writes its own files."""

    @property
    def recognised(self) -> bool:
        """Whether count, index and coordinator are left to what has started the processes."""
        return not self.count

    @staticmethod
    def named(
        count: str, index: str | None = None, coordinator: str | None = None, patience: str | None = None,
        heartbeat: str | None = None,
    ) -> Processes:  # fmt: skip
        """Return what was asked for in words: by the command line, or the environment.

        Raises:
            ValueError: if it does not say which of how many this is and where the first is.
        """
        if count == "auto":
            if index is not None or coordinator is not None:
                raise ValueError(
                    "processes are 'auto', which finds the process's number and the coordinator itself: leave them out"
                )
            return Processes(patience=_seconds(patience, 300.0), heartbeat=_seconds(heartbeat, 30.0))
        if not count.isdecimal() or not int(count):
            raise ValueError(f"processes are a number, 1 or more, or 'auto', not {count!r}")
        if int(count) > 1 and (index is None or not index.isdecimal() or int(index) >= int(count)):
            what = "is missing" if index is None else f"is {index!r}"
            raise ValueError(
                f"of {count} processes each is told its number, from 0 to {int(count) - 1}: the process's number {what}"
            )
        host, _, port = (coordinator or "").rpartition(":")
        if int(count) > 1 and (not host or not port.isdecimal()):
            what = "is missing" if coordinator is None else f"is {coordinator!r}"
            raise ValueError(f"{count} processes need a coordinator, HOST:PORT at which the first of them can listen: it {what}")
        seconds = _seconds(patience, 300.0), _seconds(heartbeat, 30.0)
        return Processes(int(count), int(index or 0), coordinator or "", *seconds)

    @staticmethod
    def of(environment: Mapping[str, str]) -> Processes | None:
        """Return what an environment asks for, or None."""
        names = "WENGERT_PROCESSES", "WENGERT_PROCESS_ID", "WENGERT_COORDINATOR"
        count, *others = [environment.get(name) or None for name in (*names, *SECONDS)]
        try:
            return None if count is None else Processes.named(count, *others)
        except ValueError as error:
            raise ValueError(f"{', '.join(names)} in the environment: {error}") from None


def _seconds(text: str | None, usual: float) -> float:
    try:
        seconds = usual if text is None else float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds < math.inf:
        raise ValueError(f"processes wait for each other for a number of seconds, more than 0, not {text!r}")
    return seconds


def devices_of(text: str) -> int | tuple[int, ...] | str:
    """Read devices: how many, numbers with commas between them, or "all".

    Raises:
        ValueError: for anything else.
    """
    if text == "all":
        return text
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = [-1]
    if "," in text and min(numbers) >= 0 and len(set(numbers)) == len(numbers):
        return tuple(numbers)
    if len(numbers) > 1 or numbers[0] < 1:
        raise ValueError(f"devices are a number from 1, different numbers with commas between them, or all; not {text!r}")
    return numbers[0]


class Options:
    """The switches of the process, as attributes. What is compiled is kept by `key`, so a change takes effect at once."""

    KEY = (
        "adjoint",
        "apart",
        "batch",
        "collapse",
        "compare",
        "devices",
        "executor",
        "local",
        "simplify",
        "taylor",
        "threads",
        "tiles",
    )
    """What a compiled list depends on."""

    REWRITES = ("taylor", "collapse", "batch", "adjoint", "simplify", "tiles")

    def __init__(self) -> None:
        """Set what holds until something else is asked for."""
        self.taylor = True
        """Nested gradients become coefficients of one Taylor series, where rows are proved independent."""
        self.collapse = True
        """A sum of top coefficients (a Laplacian) is carried as one."""
        self.batch = True
        """Many directions of one sum stand side by side in one array."""
        self.adjoint = True
        """Reverse mode over a series uses the transposed Cauchy product."""
        self.simplify = True
        """Additions of zero, multiplications by one and their like are left out."""
        self.tiles = True
        """NumPy runs row-wise lists tile by tile."""
        self.threads = os.cpu_count() or 1
        """How many threads run tiles."""
        self.devices: int | tuple[int, ...] | str = devices_of(os.environ.get("WENGERT_DEVICES", "1"))
        """Over how many devices of a process XLA spreads rows, or over which; "all"."""
        self.executor = os.environ.get("WENGERT_EXECUTOR", "native" if self.devices == 1 else "xla")
        """Who runs static graphs and traced functions."""
        self.local = False
        """Whether each process feeds its own rows."""
        self.after = 2
        """How many runs of a list are NumPy's before machine code takes over, under "native"."""
        self.compare = False
        """Every list is run with and without the rewrites, and the results compared."""
        self.traces: int | None = 1000
        """How many traces a function keeps; None for as many as there are."""
        self.processes = Processes.of(os.environ)
        """Which of several processes that run one script this is; None where it runs alone."""

    @property
    def apart(self) -> bool:
        """Whether each process computes for itself: what is fed is its own, as programs of Horovod's and MPI's have it."""
        return self.processes is not None and self.processes.apart

    @property
    def writes(self) -> bool:
        """Whether this process writes files: it runs alone, is the first, or its script says which writes what."""
        return self.processes is None or self.processes.apart or self.processes.index == 0

    def key(self) -> tuple[Any, ...]:
        """Return the values that matter to what is compiled, as part of its key."""
        return tuple([getattr(self, name) for name in self.KEY])

    def set(self, **values: Any) -> changed[None]:
        """Set options for a with block."""
        return changed(self, **values)


options = Options()
"""The one instance."""
