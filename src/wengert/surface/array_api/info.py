"""What the namespace tells of itself, by ``__array_namespace_info__()``."""

from __future__ import annotations

import numpy as np

from wengert.functions.numpy.promotion import float_type
from wengert.ground.dtypes import DType, complex64, complex128, int64, of
from wengert.surface.array_api.dtypes import KINDS, NAMED, device_in
from wengert.tensor.exchange import DEVICE
from wengert.tensor.tensor import MOST_AXES

__all__ = ["Info"]


class Info:
    """What the namespace can do, which dtypes it has, and where tensors are."""

    def capabilities(self) -> dict[str, bool | int]:
        """Return what is there of what the standard leaves open."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": MOST_AXES}

    def default_device(self) -> str:
        """Return where tensors are."""
        return DEVICE

    def devices(self) -> list[str]:
        """Return where tensors can be."""
        return [DEVICE]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        """Return the dtypes of what is made of Python's numbers, and of indices."""
        device_in(device)
        real = of(float_type())
        return {
            "real floating": real,
            "complex floating": complex64 if real.numpy == np.float32 else complex128,
            "integral": int64,
            "indexing": int64,
        }

    def dtypes(self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """Return the dtypes by their names, all or those of a kind; see `isdtype`.

        Raises:
            ValueError: for a kind that there is not.
        """
        device_in(device)
        kinds = (kind,) if isinstance(kind, str) else (*KINDS,) if kind is None else kind
        unknown = [k for k in kinds if k not in KINDS]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no kind of dtypes; there are {', '.join(KINDS)}.")
        return {name: d for name, d in NAMED.items() if any(d.kind in KINDS[k] for k in kinds)}
