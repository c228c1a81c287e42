"""What a fork leaves of XLA: its values, and nothing that runs. A child made by a fork after XLA had started computes on NumPy.

XLA's threads do not come along, so a run would wait for them for ever. Values on the CPU can still be read; those that an
accelerator holds are read before the fork.
"""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING, ClassVar

from wengert.ground.locks import lock
from wengert.ground.weakly import Weakly
from wengert.tensor.resident import brought

if TYPE_CHECKING:
    from wengert.execute.xla.variables import Variables

__all__ = ["dispatch", "is_lost", "keep_readable", "tell", "watch"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")

dispatch = lock()
"""Held while a program takes the variables' values and hands them to XLA, so that nobody gives them away meanwhile, and no
fork finds them given away."""


class _Process:
    """What this process knows of XLA."""

    watching = False
    lost = False
    told = False
    distant: ClassVar[Weakly[Variables]] = Weakly()
    """The variables of programs whose values a device with a memory of its own may hold."""
    apart = False
    """Whether there have been such programs."""


def watch() -> None:
    """From now on, when XLA is there, children made by a fork are without it."""
    if not _Process.watching and hasattr(os, "register_at_fork"):
        _Process.watching = True
        os.register_at_fork(before=_before, after_in_parent=dispatch.release, after_in_child=_after)


def keep_readable(variables: Variables) -> None:
    """Read these variables' values before each fork, and tensors that programs gave."""
    _Process.distant.add(variables)
    _Process.apart = True


def _before() -> None:
    dispatch.acquire()
    for variables in _Process.distant:
        for storage in variables.kept[1] or ():
            _ = storage.array
    if _Process.apart:
        brought()


def _after() -> None:
    _Process.lost = True
    gc.freeze()  # what XLA made waits for its threads when it is freed, so it is not, as the interpreter ends
    dispatch.release()


def is_lost() -> bool:
    """Whether this process was forked after XLA had started."""
    return _Process.lost


def tell() -> None:
    """Say it, once."""
    if not _Process.told:
        _Process.told = True
        log.warning(
            "This process was forked after XLA had started, whose threads do not come along: NumPy computes here. "
            "multiprocessing's start method 'spawn' gives processes that have XLA."
        )
