"""Data types: TensorFlow's names over NumPy's dtypes, and how mixed dtypes promote."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ground.errors import DTypeError

__all__ = ["ALL", "DType", "DtypeLike", "as_dtype", "promote"]


class DType:
    """An element type. Equal to its name, to NumPy's dtype and to itself.

    >>> as_dtype("float32")
    tf.float32
    >>> as_dtype("float32") == "float32"
    True
    """

    __slots__ = ("_numpy", "enum", "name")

    def __init__(self, name: str, numpy: Any, enum: int) -> None:
        """Take the name, the NumPy type and TensorFlow's number for it."""
        self.name = name
        self._numpy: np.dtype[Any] = np.dtype(numpy)
        self.enum = enum

    @property
    def numpy(self) -> np.dtype[Any]:
        """NumPy's dtype."""
        return self._numpy

    @property
    def kind(self) -> str:
        """NumPy's letter for the kind of type: b, i, u, f, c or O."""
        return str(self._numpy.kind)

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return int(self._numpy.itemsize)

    @property
    def as_numpy_dtype(self) -> Any:
        """NumPy's scalar type; Python's object for strings."""
        return object if self._numpy.kind == "O" else self._numpy.type

    @property
    def as_datatype_enum(self) -> int:
        """TensorFlow's number for this type."""
        return self.enum

    @property
    def base_dtype(self) -> DType:
        """The type itself: there are no reference types here."""
        return self

    @property
    def real_dtype(self) -> DType:
        """The type of the real part."""
        return as_dtype({"complex64": "float32", "complex128": "float64"}.get(self.name, self.name))

    @property
    def is_floating(self) -> bool:
        """Whether this is a real floating type."""
        return bool(self._numpy.kind == "f")

    @property
    def is_complex(self) -> bool:
        """Whether this is a complex type."""
        return bool(self._numpy.kind == "c")

    @property
    def is_integer(self) -> bool:
        """Whether this is an integer type, signed or not."""
        return bool(self._numpy.kind in "iu")

    @property
    def is_unsigned(self) -> bool:
        """Whether this is an unsigned integer type."""
        return bool(self._numpy.kind == "u")

    @property
    def is_bool(self) -> bool:
        """Whether this is the Boolean type."""
        return bool(self._numpy.kind == "b")

    @property
    def is_numeric(self) -> bool:
        """Whether numbers are held: neither strings nor Booleans."""
        return bool(self._numpy.kind in "iufc")

    @property
    def is_quantized(self) -> bool:
        """Always False."""
        return False

    @property
    def is_numpy_compatible(self) -> bool:
        """Always True."""
        return True

    @property
    def size(self) -> int:
        """Bytes of an element."""
        return int(self._numpy.itemsize) if self._numpy.kind != "O" else 1

    @property
    def min(self) -> Any:
        """The least finite value."""
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The greatest finite value."""
        return self._limit("max")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The pair (min, max) of intensity limits."""
        return (0, self.max) if self._numpy.kind in "iub" else (self.min, self.max)

    def _limit(self, which: str) -> Any:
        kind = self._numpy.kind
        if kind == "b":
            return which == "max"
        if kind in "iu":
            return getattr(np.iinfo(self._numpy), which)
        if kind == "f":
            return getattr(np.finfo(self._numpy), which)
        raise DTypeError(f"Cannot find the {which} of dtype {self.name}: it is not ordered.")

    def is_compatible_with(self, other: Any) -> bool:
        """Whether values of the other type may stand here: the types are the same."""
        return as_dtype(other) is self

    def is_subtype_of(self, other: Any) -> bool:
        """Whether the types are the same."""
        return as_dtype(other) is self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self is other
        if other is None:
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


class Bfloat16(DType):
    """The type's name, which programs list and compare: NumPy has no such numbers, and no tensor is made of them."""

    __slots__ = ()

    @property
    def numpy(self) -> np.dtype[Any]:
        """Refuse.

        Raises:
            DTypeError: always.
        """
        raise DTypeError("There are no tensors of dtype bfloat16 here: NumPy has none. Use float16 or float32.")

    @property
    def as_numpy_dtype(self) -> Any:
        """A class of this name, since NumPy has none."""
        return type("bfloat16", (np.generic,), {})


bfloat16 = Bfloat16("bfloat16", np.float16, 14)
float16 = half = DType("float16", np.float16, 19)
float32 = DType("float32", np.float32, 1)
float64 = double = DType("float64", np.float64, 2)
int8 = DType("int8", np.int8, 6)
int16 = DType("int16", np.int16, 5)
int32 = DType("int32", np.int32, 3)
int64 = DType("int64", np.int64, 9)
uint8 = DType("uint8", np.uint8, 4)
uint16 = DType("uint16", np.uint16, 17)
uint32 = DType("uint32", np.uint32, 22)
uint64 = DType("uint64", np.uint64, 23)
bool_ = DType("bool", np.bool_, 10)
complex64 = DType("complex64", np.complex64, 8)
complex128 = DType("complex128", np.complex128, 18)
string = DType("string", object, 7)

ALL = (
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    bool_,
    complex64,
    complex128,
    string,
)

_BY_NAME: dict[Any, DType] = {d.name: d for d in (*ALL, bfloat16)} | {"half": float16, "double": float64, "float": float32}
_BY_NUMPY: dict[Any, DType] = {d.numpy: d for d in ALL}
_BY_ENUM: dict[int, DType] = {d.enum: d for d in ALL} | {d.enum + 100: d for d in ALL}
_BY_PYTHON: dict[Any, DType] = {float: float32, int: int32, bool: bool_, complex: complex128, str: string}


def of(numpy_dtype: np.dtype[Any]) -> DType:
    """Return the DType of a NumPy dtype."""
    found = _BY_NUMPY.get(numpy_dtype)
    if found is None:
        if numpy_dtype.kind in "SU":
            return string
        found = _BY_NUMPY.get(numpy_dtype.newbyteorder("="))
        if found is None:
            raise DTypeError(f"NumPy's dtype {numpy_dtype} has no tensor type.")
    return found


DtypeLike = DType | np.dtype[Any] | type | str | int
"""What means an element type; see `as_dtype`."""


def as_dtype(value: Any) -> DType:
    """Return the DType that a DType, name, Python type, NumPy dtype or TensorFlow number means.

    Raises:
        DTypeError: (a TypeError) if it means none.

    >>> as_dtype(float), as_dtype("int64"), as_dtype(np.float64)
    (tf.float32, tf.int64, tf.float64)
    """
    if isinstance(value, DType):
        return value
    try:
        if isinstance(value, str) and value in _BY_NAME:
            return _BY_NAME[value]
        if isinstance(value, int) and not isinstance(value, bool) and value in _BY_ENUM:
            return _BY_ENUM[value]
        if isinstance(value, type) and value in _BY_PYTHON:
            return _BY_PYTHON[value]
        if value is not None:
            return of(np.dtype(getattr(value, "dtype", value) if not isinstance(value, type) else value))
    except (TypeError, ValueError) as error:
        raise DTypeError(f"Cannot convert {value!r} to a dtype.") from error
    raise DTypeError(f"Cannot convert {value!r} to a dtype.")


def promote(a: np.dtype[Any], b: np.dtype[Any], where: str) -> np.dtype[Any]:
    """Return the dtype of an operation on tensors of dtypes a and b.

    Floating and complex types promote among themselves as in the array API standard, and so do integers; integers, Booleans
    and floats do not mix, as in TensorFlow, nor do signed integers with uint64.

    Raises:
        DTypeError: for a mixture, naming the operation.
    """
    if a == b:
        return a
    if a.kind in "fc" and b.kind in "fc":
        return np.promote_types(a, b)
    if a.kind in "iu" and b.kind in "iu":
        found = np.promote_types(a, b)
        if found.kind in "iu":
            return found
    raise DTypeError(
        f"cannot compute {where} as input #1(zero-based) was expected to be a {of(a).name} tensor "
        f"but is a {of(b).name} tensor: convert one of them with cast(x, dtype)."
    )
