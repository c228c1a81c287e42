"""What can be neither copied nor pickled: what is part of a graph, of a process or of a thread."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

__all__ = ["Uncopied"]


class Uncopied:
    """What refuses ``copy``, ``deepcopy`` and ``pickle``, and says what to do instead."""

    __slots__ = ()

    def _instead(self) -> str:
        """Return what it is, why there can be no copy of it, and what to do."""
        raise NotImplementedError

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(self._instead())
