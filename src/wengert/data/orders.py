"""Which elements, in which order: shuffled, repeated, cut off, joined, kept."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from wengert.data.elements import END, Element, Structure
from wengert.data.stage import INFINITE, UNKNOWN, Run, Seeded, Size, Stage, following
from wengert.ground.errors import InvalidArgumentError

__all__ = ["Chosen", "Joined", "Kept", "Passed", "Repeated", "Rest", "Shard", "Shuffled", "Start", "Through", "Unique", "Zipped"]

log = logging.getLogger("wengert")
BLOCK = 256
"""Random numbers that are drawn at once."""


class Through(Stage):
    """The elements as they are: what is to be done beside them, ahead or in parallel, is accepted."""

    def __init__(self, source: Stage, kind: str) -> None:
        """Take where they come from, and TensorFlow's name of what is to be done."""
        self.inputs, self.structure, self.kind = (source,), source.structure, kind

    def cardinality(self) -> int:
        """Return how many there are."""
        return self.inputs[0].cardinality()

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        return self.inputs[0].elements(run)


class Counted(Through):
    """A step that depends on a number."""

    def __init__(self, source: Stage, count: Size, kind: str) -> None:
        """Take the number."""
        super().__init__(source, kind)
        self.count, self.given = count, (count,)

    def cardinality(self) -> int:
        """Return how many there are, if the number is known."""
        return self.of(self.inputs[0].cardinality(), self.count) if isinstance(self.count, int) else UNKNOWN

    def of(self, cardinality: int, count: int) -> int:
        """Return how many there are of so many."""
        raise NotImplementedError


class Start(Counted):
    """The first elements; a negative number takes all."""

    def of(self, cardinality: int, count: int) -> int:
        """Return how many there are of so many."""
        if count < 0 or cardinality == UNKNOWN:
            return cardinality
        return count if cardinality == INFINITE else min(count, cardinality)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        count = run.number(self.count)
        return itertools.islice(super().elements(run), None if count < 0 else count)


class Rest(Counted):
    """All but the first elements; a negative number leaves none."""

    def of(self, cardinality: int, count: int) -> int:
        """Return how many there are of so many."""
        return 0 if count < 0 else cardinality if cardinality < 0 else max(0, cardinality - count)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        count = run.number(self.count)
        return iter(()) if count < 0 else itertools.islice(super().elements(run), count, None)


class Shard(Through):
    """Every so many-th element."""

    def __init__(self, source: Stage, shards: Size, index: Size) -> None:
        """Take into how many parts the elements are divided, and which part it is.

        Raises:
            InvalidArgumentError: if there is no such part.
        """
        super().__init__(source, "_ShardDataset")
        self.shards, self.index, self.given = shards, index, (shards, index)
        if isinstance(shards, int) and isinstance(index, int):
            _check_shard(shards, index)

    def cardinality(self) -> int:
        """Return how many there are."""
        n = super().cardinality()
        if n < 0 or not isinstance(self.shards, int) or not isinstance(self.index, int):
            return n if n == INFINITE else UNKNOWN
        return len(range(self.index, n, self.shards))

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        shards, index = run.number(self.shards), run.number(self.index)
        _check_shard(shards, index)
        return itertools.islice(super().elements(run), index, None, shards)


def _check_shard(shards: int, index: int) -> None:
    if shards < 1:
        raise InvalidArgumentError(f"Number of shards must be greater than zero (currently num_shards = {shards}).")
    if not 0 <= index < shards:
        raise InvalidArgumentError(f"Index must be between 0 and {shards - 1} (currently index = {index}).")


class Repeated(Counted):
    """The elements several times over; a negative number never ends, unless there are none."""

    def of(self, cardinality: int, count: int) -> int:
        """Return how many there are of so many."""
        if not cardinality or not count:
            return 0
        if count < 0:
            return INFINITE
        return cardinality if cardinality < 0 else cardinality * count

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        left = run.number(self.count)
        source: Iterator[Element] = iter(())
        found = True

        def one() -> Any:
            nonlocal left, source, found
            while True:
                element = next(source, END)
                if element is not END:
                    found = True
                    return element
                if not left or not found:
                    return END
                left -= 1
                source, found = self.inputs[0].elements(run), False

        return following(one)


class Shuffled(Seeded):
    """The elements in random order: each is drawn from a buffer, in which the next one takes its place."""

    kind = "_ShuffleDataset"

    def __init__(self, source: Stage, size: Size, seed: int | Sequence[int] | None, again: bool) -> None:
        """Take the size of the buffer, -2 for one that all elements go into; a seed; and whether each pass has another order.

        Raises:
            InvalidArgumentError: if there is no room in the buffer.
        """
        super().__init__(seed, again)
        if isinstance(size, int) and size < 1 and size != UNKNOWN:
            raise InvalidArgumentError("buffer_size must be greater than zero or UNKNOWN_CARDINALITY")
        self.inputs, self.structure, self.size, self.given = (source,), source.structure, size, (size,)

    def cardinality(self) -> int:
        """Return how many there are."""
        return self.inputs[0].cardinality()

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        size = run.number(self.size)
        source = self.inputs[0].elements(run)
        buffer: list[Element] = []
        numbers: Iterator[float] | None = None
        ended = False

        def one() -> Any:
            nonlocal numbers, ended
            if numbers is None:  # the pass begins with its first element
                rng = self.generator(run)
                numbers = itertools.chain.from_iterable(iter(lambda: rng.random(BLOCK).tolist(), END))
            while not ended and (size < 0 or len(buffer) < size):
                element: Any = next(source, END)
                if element is END:
                    ended = True
                else:
                    buffer.append(element)
            if not buffer:
                return END
            at = int(next(numbers) * len(buffer))
            buffer[at], buffer[-1] = buffer[-1], buffer[at]
            return buffer.pop()

        return following(one)


class Joined(Stage):
    """The elements of several, one after the other."""

    kind = "_ConcatenateDataset"

    def __init__(self, sources: Sequence[Stage], structure: Structure) -> None:
        """Take them, and what is known of the elements of all."""
        self.inputs, self.structure = sources, structure

    def cardinality(self) -> int:
        """Return how many there are."""
        counts = [s.cardinality() for s in self.inputs]
        return INFINITE if INFINITE in counts else UNKNOWN if UNKNOWN in counts else sum(counts)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        return itertools.chain.from_iterable(s.elements(run) for s in self.inputs)


class Zipped(Stage):
    """Elements of several side by side, as long as each has one."""

    kind = "_ZipDataset"

    def __init__(self, sources: Sequence[Stage], structure: Structure) -> None:
        """Take them, and what is known of the whole."""
        self.inputs, self.structure = sources, structure

    def cardinality(self) -> int:
        """Return how many there are."""
        counts = [s.cardinality() for s in self.inputs]
        return UNKNOWN if UNKNOWN in counts else min((n for n in counts if n != INFINITE), default=INFINITE)

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        return map(_side_by_side, *[s.elements(run) for s in self.inputs])


def _side_by_side(*elements: Element) -> Element:
    return tuple(itertools.chain.from_iterable(elements))


class Kept(Through):
    """The elements, kept in memory from the first pass that has come to the end."""

    def __init__(self, source: Stage) -> None:
        """Take where they come from."""
        super().__init__(source, "CacheDataset")
        self.own: dict[Stage, list[Element]] = {}
        self.lasting = not self.symbols()

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        kept = self.own if self.lasting and not run.alone else run.kept
        if self in kept:
            return iter(kept[self])
        rows: list[Element] = []
        source = super().elements(run)

        def one() -> Any:
            element: Any = next(source, END)
            if element is END:
                kept[self] = rows
            else:
                rows.append(element)
            return element

        return following(one)


class Chosen(Stage):
    """Elements of several, from that one whose number another dataset gives."""

    kind = "_DirectedInterleaveDataset"

    def __init__(self, choice: Stage, sources: Sequence[Stage], structure: Structure, stop: bool) -> None:
        """Take what chooses, and from what; ``stop``: end when one that is chosen has ended, and else pass it over."""
        self.inputs, self.structure, self.stop = (choice, *sources), structure, stop

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        choice, *sources = [s.elements(run) for s in self.inputs]
        left = set(range(len(sources)))

        def one() -> Any:
            while left:
                chosen: Any = next(choice, END)
                if chosen is END:
                    return END
                at = int(chosen[0])
                if not 0 <= at < len(sources):
                    raise InvalidArgumentError(f"Selected index out of bounds, should be less than {len(sources)}, got: {at}.")
                element: Any = next(sources[at], END) if at in left else END
                if element is not END:
                    return element
                left.discard(at)
                if self.stop:
                    return END
            return END

        return following(one)


class Unique(Through):
    """The elements that are equal to none before them."""

    def __init__(self, source: Stage) -> None:
        """Take where they come from."""
        super().__init__(source, "_UniqueDataset")

    def cardinality(self) -> int:
        """Return that it is not known how many there are."""
        return UNKNOWN

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        seen: set[Any] = set()

        def new(element: Element) -> bool:
            key = tuple([(a.shape, tuple(a.ravel().tolist()) if a.dtype.kind == "O" else a.tobytes()) for a in element])
            before = len(seen)
            seen.add(key)
            return len(seen) > before

        return filter(new, super().elements(run))


class Passed(Through):
    """The elements for which nothing was raised."""

    def __init__(self, source: Stage, told: bool) -> None:
        """Take where they come from, and whether errors are logged."""
        super().__init__(source, "_IgnoreErrorsDataset")
        self.told = told

    def cardinality(self) -> int:
        """Return that it is not known how many there are."""
        return UNKNOWN

    def elements(self, run: Run) -> Iterator[Element]:
        """Return them."""
        source = super().elements(run)

        def one() -> Any:
            while True:
                try:
                    return next(source, END)
                except Exception as error:
                    log.log(logging.WARNING if self.told else logging.DEBUG, "An element of a dataset is left out: %s", error)

        return following(one)
