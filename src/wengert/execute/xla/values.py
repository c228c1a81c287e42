"""What a value is while a list is walked, and the shapes by which lists and executables are found.

A value is one of

- a NumPy array: known now. What is computed from such values alone is computed now, by the NumPy kernels, so shapes that
  are computed from shapes stay known;
- an array of JAX: known when it runs;
- a `Ref`: a variable. The values of all variables stand in an environment, which reading and assigning look into, in the
  order of the program. What was assigned comes back as a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from wengert.execute.numpy import NumPyProgram, Variant

__all__ = ["Env", "Key", "Ref", "signature", "variant"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

Env = list[Any]
"""The values of the variables, in the order of the program's; None for one that has none."""
Key = tuple[Any, ...]
"""What an executable depends on; see `signature`."""


class Ref:
    """A variable while a list is walked: its place in the environment."""

    __slots__ = ("at",)

    def __init__(self, at: int) -> None:
        """Take the place."""
        self.at = at


class _Shaped(NamedTuple):
    """What the shape of a variable is known by."""

    shape: Any


def variant(program: NumPyProgram, given: Sequence[Any]) -> Variant:
    """Return a program's list for values of these shapes."""
    if any(given[k].__class__ is Ref for k in program.open):
        return program.variant()
    key = tuple([given[k].shape for k in program.open]) if program.open else None
    found = program.variants.get(key)
    if found is None:
        places = program.request[2]
        found = program.variant(key, [_Shaped(t.sizes) if v.__class__ is Ref else v for v, t in zip(given, places, strict=True)])
    return found


def signature(feeds: Sequence[Any], storages: Sequence[Any]) -> Key:
    """Return what an executable depends on: the shapes of the feeds and of the variables, None for one without a value."""
    shapes = tuple([a.shape for a in feeds])
    if not storages:
        return shapes
    return shapes, tuple([None if (v := s.held) is None else v.shape for s in storages])
