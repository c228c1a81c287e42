"""What is taken as a tensor wherever one is needed: its operators and conversions are those of that tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.tensor.exchange import Exchanged

__all__ = ["Converted", "Valued"]


def _of_value(name: str) -> Callable[..., Any]:
    def method(self: Valued, *others: Any) -> Any:
        return getattr(self._as_tensor(), name)(*others)

    method.__name__ = name
    method.__doc__ = "Apply to the value."
    return method


class Valued(Exchanged):
    """What has a tensor as its value."""

    __array_priority__ = 100.0

    def _as_tensor(self) -> Any:
        raise NotImplementedError

    __add__ = _of_value("__add__")
    __radd__ = _of_value("__radd__")
    __sub__ = _of_value("__sub__")
    __rsub__ = _of_value("__rsub__")
    __mul__ = _of_value("__mul__")
    __rmul__ = _of_value("__rmul__")
    __truediv__ = _of_value("__truediv__")
    __rtruediv__ = _of_value("__rtruediv__")
    __div__ = _of_value("__div__")
    __floordiv__ = _of_value("__floordiv__")
    __rfloordiv__ = _of_value("__rfloordiv__")
    __mod__ = _of_value("__mod__")
    __rmod__ = _of_value("__rmod__")
    __matmul__ = _of_value("__matmul__")
    __rmatmul__ = _of_value("__rmatmul__")
    __pow__ = _of_value("__pow__")
    __rpow__ = _of_value("__rpow__")
    __neg__ = _of_value("__neg__")
    __pos__ = _of_value("__pos__")
    __abs__ = _of_value("__abs__")
    __invert__ = _of_value("__invert__")
    __and__ = _of_value("__and__")
    __rand__ = _of_value("__rand__")
    __or__ = _of_value("__or__")
    __ror__ = _of_value("__ror__")
    __xor__ = _of_value("__xor__")
    __rxor__ = _of_value("__rxor__")
    __lt__ = _of_value("__lt__")
    __le__ = _of_value("__le__")
    __gt__ = _of_value("__gt__")
    __ge__ = _of_value("__ge__")

    def __getitem__(self, key: Any) -> Any:
        return self._as_tensor()[key]

    @property
    def T(self) -> Any:
        """The transpose of the value."""
        return self._as_tensor().T

    @property
    def mT(self) -> Any:
        """The matrices of the value, with rows and columns exchanged."""
        return self._as_tensor().mT


class Converted(Valued):
    """What Python's own types take too: the one element as a number, the rows in turn."""

    def __bool__(self) -> bool:
        return bool(self._as_tensor())

    def __int__(self) -> int:
        return int(self._as_tensor())

    def __float__(self) -> float:
        return float(self._as_tensor())

    def __index__(self) -> int:
        return self._as_tensor().__index__()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self._as_tensor())

    def __iter__(self) -> Any:
        return iter(self._as_tensor())
