"""What layers over one to three axes of space have in common: sizes given once or for each axis, and where channels stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from wengert.keras.configuration import image_data_format
from wengert.keras.layers.layer import InputSpec, Layer

__all__ = ["Spatial"]


class Spatial(Layer):
    """A layer over ``rank`` axes of space, between the first axis and that of the channels or after both."""

    rank: ClassVar[int]
    data_format: str

    def _places(self, data_format: str | None) -> str:
        """Return the data format, by default that of the configuration, and set what inputs are taken.

        Raises:
            ValueError: for another one.
        """
        found = image_data_format() if data_format is None else str(data_format).lower()
        if found not in ("channels_first", "channels_last"):
            raise ValueError(
                "The `data_format` argument must be one of {'channels_first', 'channels_last'}. Received: " + repr(data_format)
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)
        return found

    def _each(self, value: int | Sequence[int], what: str, least: int = 1) -> tuple[int, ...]:
        """Return a number for each axis, from one or several.

        Raises:
            ValueError: for another number of them, and for numbers below the least.
        """
        found = (value,) * self.rank if isinstance(value, int) else tuple(value)
        if len(found) != self.rank or not all(isinstance(v, int) for v in found):
            raise ValueError(f"The `{what}` argument must be a tuple of {self.rank} integers. Received {what}={value!r}")
        if min(found) < least:
            raise ValueError(f"The `{what}` argument must hold numbers of at least {least}. Received {what}={value!r}")
        return found

    def _pairs(self, value: int | Sequence[int | Sequence[int]], what: str) -> tuple[tuple[int, int], ...]:
        """Return a pair of numbers for each axis, from one, from one for each axis, or from pairs.

        Raises:
            ValueError: for anything else.
        """
        given: Any = (value,) * self.rank if isinstance(value, int) else tuple(value)
        if self.rank == 1 and len(given) == 2:
            given = (given,)
        if len(given) == self.rank:
            pairs = [(one, one) if isinstance(one, int) else tuple(one) for one in given]
            if all(len(pair) == 2 and min(pair) >= 0 for pair in pairs):
                return tuple(pairs)
        raise ValueError(
            f"The `{what}` argument must be a number, or hold one or a pair of them for each of {self.rank} axes, none below 0. "
            f"Received {what}={value!r}"
        )

    @property
    def _letters(self) -> str:
        """TensorFlow's letters for where the channels stand."""
        space = "DHW"[3 - self.rank :]
        return f"N{space}C" if self.data_format == "channels_last" else f"NC{space}"

    @property
    def _channels(self) -> int:
        """The axis of the channels."""
        return -1 if self.data_format == "channels_last" else 1

    @property
    def _axes(self) -> list[int]:
        """The axes of space."""
        first = 1 if self.data_format == "channels_last" else 2
        return list(range(first, first + self.rank))
