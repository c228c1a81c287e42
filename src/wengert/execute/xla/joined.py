"""Several processes that run one script, joined by `jax.distributed`: what each tells the others.

What they tell goes through the key-value store that the first of them keeps for all, and not over their devices: bytes of any
length, whatever the devices are, and one that waits for another can be interrupted. Each exchange has a number, so all make the
same ones in the same order. One that fails says so, and the others end.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import logging
import math
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, Protocol, TypeVar

from wengert.ground.entropy import share
from wengert.ground.errors import DeadlineExceededError, FailedPreconditionError, InvalidArgumentError, UnavailableError
from wengert.ground.options import Processes, options
from wengert.ground.terminal import tell

__all__ = ["ENDED", "Joined", "begin", "joined"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

ENDED = 143
"""The status of a process that ends because another one has failed."""

GRACE = 10.0
"""Seconds after which it ends whatever it is doing."""

SLICE = 500
"""Milliseconds between two looks at whether somebody interrupts a wait."""

T = TypeVar("T")

PART = 1 << 25
"""Bytes that are sent at once."""

FOREVER = 10**9
"""Seconds: JAX ends the process where it waits in vain for others to join, so that is left to us."""


class Store(Protocol):
    """JAX's key-value store, as a client of it."""

    def key_value_set_bytes(self, key: str, value: bytes, /) -> None:
        """Set; an error if it is there."""

    def blocking_key_value_get_bytes(self, key: str, milliseconds: int, /) -> bytes:
        """Wait for a value."""

    def key_value_increment(self, key: str, by: int, /) -> int:
        """Add to a number, from 0, and return the sum."""

    def key_value_delete(self, key: str, /) -> None:
        """Delete one, or all that begins with it where it ends in a slash."""

    def key_value_dir_get_bytes(self, folder: str, /) -> list[tuple[str, bytes]]:
        """Return all that begins with this, which ends in a slash: keys and values."""


class Joined:
    """This process among those that run the script."""

    def __init__(self, client: Store, count: int, index: int) -> None:
        """Join the others, who share a store."""
        self.count, self.index = count, index
        self._client, self._process = client, os.getpid()
        self._numbers, self._lock = itertools.count(), threading.Lock()
        self._old: list[str] = []
        """Where what this one has told lies, until all have read it."""
        self.status = 0
        """That with which this one ends; not 0: it has failed, and waits for nobody."""
        self.over = False
        """Whether the script has come to its end."""
        self.meanwhile: Callable[[], None] = lambda: None
        """Called again and again while this one waits for the others; what it raises ends the wait."""
        self._watcher = threading.Thread(target=self._watch, name="wengert-processes", daemon=True)
        self._watcher.start()
        atexit.register(self._end)  # before JAX's own, as that was registered earlier

    def exchange(self, content: bytes | None, tellers: Iterable[int]) -> list[bytes]:
        """Tell all others something, or nothing; return what the ``tellers`` told, once all have come here.

        Raises:
            FailedPreconditionError: if one that is to tell something has come to its end.
            UnavailableError: if the others cannot be reached any more.
        """
        with self._lock:
            folder = f"wengert/{next(self._numbers)}/"
            mine = f"{folder}{self.index}/"
            if self.over:
                self._set(f"{mine}parts", b"-1")
            elif content is not None:
                self._set(f"{mine}parts", b"%d" % -(-len(content) // PART))
                for number, start in enumerate(range(0, len(content), PART)):
                    self._set(f"{mine}{number}", content[start : start + PART])
            read, self._old = self._old, [mine]
            self._meet(folder)
            for key in read:  # since all have come here
                _reached(lambda key=key: self._client.key_value_delete(key))  # type: ignore[misc]
            return [content if content is not None and i == self.index else self._told(f"{folder}{i}/") for i in tellers]

    def _meet(self, folder: str) -> None:
        """Wait until all have come to an exchange: the last one says so."""
        if _reached(lambda: self._client.key_value_increment(f"{folder}count", 1)) == self.count:
            self._set(f"{folder}all", b"1")
            self._old += [f"{folder}count", f"{folder}all"]
        else:
            self._get(f"{folder}all", self.meanwhile)

    def _told(self, folder: str) -> bytes:
        parts = int(self._get(f"{folder}parts"))
        if parts < 0:
            raise FailedPreconditionError(
                f"Process {folder.split('/')[2]} has come to its end, and process {self.index} waits for it."
            )
        return b"".join([self._get(f"{folder}{part}") for part in range(parts)])

    def post(self, key: str, content: str) -> None:
        """Say something to whom it may concern, in place of what was there."""
        _reached(lambda: self._client.key_value_delete(key))
        self._set(key, content.encode())

    def posted(self, folder: str) -> list[tuple[str, bytes]]:
        """Return what has been posted under names that begin with this: the rest of the name, and what it is."""
        return [
            (key.removeprefix(folder), bytes(told))
            for key, told in _reached(lambda: self._client.key_value_dir_get_bytes(folder))
        ]

    def _set(self, key: str, content: bytes) -> None:
        _reached(lambda: self._client.key_value_set_bytes(key, content))

    def _get(self, key: str, meanwhile: Callable[[], None] = lambda: None) -> bytes:
        while True:
            with contextlib.suppress(TimeoutError):
                return _reached(lambda: bytes(self._client.blocking_key_value_get_bytes(key, SLICE)))
            meanwhile()

    # --- the end ------------------------------------------------------------------------------------------------------

    def fail(self, status: int, why: str) -> None:
        """Have the others end, as this one does with a status that is not 0."""
        if self.status:
            return
        self.status = status
        try:
            self._set("wengert/end", f"{self.index} {why}".encode())
        except Exception:  # another one has failed already, or the first, which keeps the store, is no more: they end as well
            return

    def _watch(self) -> None:
        """End this process where another one fails."""
        while True:
            try:
                told = bytes(self._client.blocking_key_value_get_bytes("wengert/end", 10_000_000))
                break
            except Exception as error:
                if "DEADLINE_EXCEEDED" not in str(error):  # the end
                    return
        who, _, why = told.decode(errors="replace").partition(" ")
        if not told or int(who) == self.index or self.status:  # all have come to the end, or this one has failed
            return
        self.status = ENDED
        tell(f"wengert: process {who} has failed ({why}), so process {self.index} ends")
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:  # who owes something pays, where it is not waiting for others
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(GRACE)
        self._leave()

    def _end(self) -> None:
        """End together, or without the others where this one has failed: JAX would wait for them."""
        if os.getpid() != self._process:  # a child
            return
        if not self.status and getattr(sys, "last_value", None) is not None:  # an error that nobody has caught
            self.fail(1, type(sys.last_value).__name__)
        self.over = True
        if not self.status:
            try:
                self.exchange(None, ())
            except InvalidArgumentError as error:  # another one is in the midst of what this one does not do
                tell(f"wengert: {error}")
        if not self.status:
            if not self.index:
                self._set("wengert/end", b"")
            self._watcher.join()  # Python must not end under it
            return
        self._leave()

    def _leave(self) -> None:
        with contextlib.suppress(Exception):  # the store may be gone
            if self.index:
                self._client.key_value_increment("wengert/gone", 1)
            else:  # the others could not read why, were it gone
                until = time.monotonic() + GRACE
                while time.monotonic() < until and self._client.key_value_increment("wengert/gone", 0) < self.count - 1:
                    time.sleep(0.02)
        _exit(self.status)


def _exit(status: int) -> None:
    """End without JAX's part in the end, which would wait for the others, and end with another status."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            if stream is not None:
                stream.flush()
    os._exit(status)


def _reached(ask: Callable[[], T]) -> T:
    """Ask the store.

    Raises:
        TimeoutError: if it has not what was asked for, in the time that was given.
        UnavailableError: if it does not answer.
    """
    try:
        return ask()
    except Exception as error:
        if "DEADLINE_EXCEEDED" in str(error):
            raise TimeoutError from None
        raise UnavailableError(f"The other processes of the script cannot be reached any more: {error}") from error


_joined: list[Joined] = []


def joined() -> Joined | None:
    """Return this process among several that are joined, or None where it is none of such."""
    return _joined[0] if _joined else None


def begin(jax: ModuleType) -> None:
    """Join the processes that were asked for, if any; called right after JAX is imported, before it has started.

    Raises:
        DeadlineExceededError: if the others do not come.
        FailedPreconditionError: if JAX has started already, or what has started the processes is not recognised.
    """
    asked = options.processes
    if asked is None or asked.count == 1 or _joined:
        return
    state: Any = jax._src.distributed.global_state
    if not jax.distributed.is_initialized():
        # Else JAX answers to SIGTERM, by a note in its log, and the process goes on.
        jax.config.update("jax_enable_preemption_service", False)
        if hasattr(jax.config, "jax_cpu_collectives_implementation") and jax.config.jax_cpu_collectives_implementation is None:
            jax.config.update("jax_cpu_collectives_implementation", "gloo")
        _initialized(jax, asked)
    count, index = int(state.num_processes), int(state.process_id)
    options.processes = replace(asked, count=count, index=index, coordinator=str(state.coordinator_address or ""))
    for name in ("WENGERT_PROCESSES", "WENGERT_PROCESS_ID", "WENGERT_COORDINATOR"):
        os.environ.pop(name, None)  # what this one starts is none of them
    if count > 1:
        _joined.append(Joined(state.client, count, index))
        share(int.from_bytes(_joined[0].exchange(None if index else os.urandom(16), [0])[0], "little"))


def _initialized(jax: ModuleType, asked: Processes) -> None:
    """Have JAX join, for as long as there is patience."""
    failures: list[Exception] = []

    def initialize() -> None:
        waits = {
            "initialization_timeout": FOREVER, "shutdown_timeout_seconds": int(GRACE),
            "heartbeat_timeout_seconds": math.ceil(asked.heartbeat),
        }  # fmt: skip
        try:
            if asked.recognised:
                jax.distributed.initialize(**_by_mpirun(os.environ), **waits)
            else:
                jax.distributed.initialize(
                    asked.coordinator, asked.count, asked.index, cluster_detection_method="deactivate", **waits
                )
        except Exception as error:
            failures.append(error)

    joining = threading.Thread(target=initialize, name="wengert-join", daemon=True)
    joining.start()
    until = time.monotonic() + asked.patience
    while joining.is_alive() and time.monotonic() < until:
        joining.join(0.05)
    if joining.is_alive():
        atexit.register(_give_up, os.getpid())
        if asked.recognised:
            raise DeadlineExceededError(f"The processes have not found each other within {asked.patience:g} s.")
        raise DeadlineExceededError(
            f"Process {asked.index} of {asked.count} has waited {asked.patience:g} s, and not all others have come. Start "
            f"{asked.count}, each with its own number from 0 to {asked.count - 1}, and with the coordinator {asked.coordinator}: "
            "the first must be able to listen there, and the others to reach it."
        )
    if not failures:
        return
    if "before" in str(failures[0]) and isinstance(failures[0], RuntimeError):
        what = "JAX has computed something already, before the processes were joined: import wengert first."
    elif asked.recognised:
        what = (
            "What has started this process is not recognised (Slurm, Open MPI and Kubernetes are): say which of how many it is, "
            "and where the first listens: --processes N --process-id I --coordinator HOST:PORT."
        )
    else:
        what = f"Process {asked.index} of {asked.count} cannot join the others at {asked.coordinator}."
    raise FailedPreconditionError(f"{what} JAX: {failures[0]}") from failures[0]


def _by_mpirun(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what JAX is to be told where Open MPI's `mpirun` has started this process; nothing where it has not.

    JAX knows Open MPI by a variable that version 5 does not set any more, and within an allocation of Slurm's it takes the
    numbers that Slurm has given to `mpirun`. The name space of version 5 is that of the process of `mpirun`: command, host,
    number, `@`, job.
    """
    count, index, local = [environment.get(f"OMPI_COMM_WORLD_{name}") for name in ("SIZE", "RANK", "LOCAL_RANK")]
    if count is None or index is None or local is None:
        return {}
    if "OMPI_MCA_orte_hnp_uri" in environment:
        return {"cluster_detection_method": "ompi"}
    started = re.fullmatch(r"[^-]+-(.+)-(\d+)@\d+", environment.get("PMIX_NAMESPACE", ""))
    if started is None:
        return {}
    port = environment.get("JAX_COORDINATOR_PORT") or 61440 + int(started[2]) % 4096  # as JAX has it for earlier versions
    return {
        "coordinator_address": f"{started[1]}:{port}", "num_processes": int(count), "process_id": int(index),
        "local_device_ids": [int(local)], "cluster_detection_method": "deactivate",
    }  # fmt: skip


def _give_up(process: int) -> None:
    """End a process that has not been joined."""
    if os.getpid() == process:
        _exit(1)
