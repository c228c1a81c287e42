"""With blocks that change something for as long as they last, and give it back whatever happens.

Ctrl-C, a timer or SIGTERM raise out of a handler, which Python calls between any two instructions: also at the first one of
an ``__exit__`` written in Python, which has given nothing back by then. An interpreter holds the ``__exit__`` of a block on
its stack until the block is left, by whatever way. So what that holds is watched: where it goes and the block has not been
left in order, one call in C gives back what the block found.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from functools import partial
from itertools import starmap
from operator import methodcaller
from types import TracebackType
from typing import Any, Generic, TypeVar

__all__ = ["Block", "Leaving", "changed"]

T = TypeVar("T")
Raised = type[BaseException] | BaseException | TracebackType | None
"""What a with statement tells an ``__exit__``."""


class _Guard(weakref.ref["partial[None]"]):
    """Watches the ``__exit__`` of a block; where that goes first, what was kept is given back: at the start, nothing."""

    give_back: Callable[[], object] = dict


_give_back = methodcaller("give_back")


class Leaving:
    """The ``__exit__`` of a `Block`: a with statement looks it up before it enters, and what it gets is watched."""

    def __init__(self, method: Callable[..., None]) -> None:
        """Take the method."""
        self.method = method

    def __get__(self, block: Block | None, owner: type[Block]) -> Callable[..., None]:
        """Return the method, of a block or not."""
        if block is None:
            return self.method
        leaving = partial(self.method, block)
        block.guard = _Guard(leaving, _give_back)
        return leaving


class Block:
    """A with block that changes entries of dicts, such as what is current in a thread.

    Who derives from it calls `keep` before it changes them, and `kept` when it has given them back. Nothing but the with
    statement may hold what it has looked up, not for a moment: a traceback would hold it, and the guard waits for its end.
    """

    guard: _Guard | None = None

    def keep(self, *changes: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Let dicts get entries back where the block's leaving is broken off."""
        if self.guard is not None:
            self.guard.give_back = partial(any, starmap(dict.update, changes))  # in C; dict.update returns None, so all are

    def kept(self) -> None:
        """Be left in order, or paused."""
        if self.guard is not None:
            self.guard.give_back = dict


class changed(Block, contextlib.ContextDecorator, Generic[T]):
    """Give attributes of an object other values in a with block: plain ones, which lie in its ``__dict__``."""

    def __init__(self, owner: object, giving: T = None, /, **values: Any) -> None:  # type: ignore[assignment]
        """Take the object, what ``as`` gives, and the values."""
        self._owner, self._giving, self._values = owner, giving, values

    def __enter__(self) -> T:
        """Change them."""
        self._known = self._entries()
        self._before = {name: getattr(self._owner, name) for name in self._values}
        self.keep((self._known, self._before))
        self._known.update(self._values)
        return self._giving

    def _entries(self) -> dict[str, Any]:
        return vars(self._owner)

    def _leave(self, *exception: Raised) -> None:
        self._known.update(self._before)
        self.kept()

    __exit__ = Leaving(_leave)
