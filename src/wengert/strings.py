"""TensorFlow's ``tf.strings``: a few functions, eagerly."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from wengert import checks, dtypes
from wengert.dtypes import as_dtype
from wengert.errors import InvalidArgumentError
from wengert.tensor import EagerTensor, convert

__all__ = ["as_string", "format", "join", "length", "lower", "regex_replace", "split", "strip", "to_number", "upper"]


def _array(value: Any, what: str) -> Any:
    t = convert(value)
    if not isinstance(t, EagerTensor):
        raise NotImplementedError(f"strings.{what}: strings are computed eagerly here, not in a graph; use numpy_function.")
    return t.array


def _each(value: Any, what: str, change: Any) -> Any:
    a = _array(value, what)
    return EagerTensor(np.array([change(v) for v in a.ravel().tolist()], object).reshape(a.shape))


def as_string(
    input: Any, precision: int = -1, scientific: bool = False, shortest: bool = False, width: int = -1, fill: str = "",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return numbers as strings.

    >>> as_string([1, 2]).numpy().tolist()
    [b'1', b'2']
    """
    kind = _array(input, "as_string").dtype.kind
    if kind == "O":
        raise InvalidArgumentError("as_string takes numbers, not strings.")
    exponent, short = checks.flag(scientific, "as_string", "scientific"), checks.flag(shortest, "as_string", "shortest")
    letter = "e" if exponent else "g" if short else "f"
    checks.choice(fill, ("", " ", "0", "+", "-", "#"), "as_string", "fill")
    most = checks.whole(precision, "as_string", "precision")
    if most > 1000:
        raise InvalidArgumentError(f"as_string: precision must be at most 1000, not {most}.")
    width = checks.whole(width, "as_string", "width")
    if width > 1000:
        raise InvalidArgumentError(f"as_string: width must be at most 1000, not {width}.")
    digits = "" if most < 0 else f".{most}"

    def text(v: Any) -> bytes:
        if kind == "b":
            return b"true" if v else b"false"
        if kind in "iu":
            return f"{v}".encode()
        if kind == "c":
            return f"({v.real:{digits}{letter}},{v.imag:{digits}{letter}})".encode()
        return f"{v:{fill}{width if width > 0 else ''}{digits}{letter}}".encode()

    return _each(input, "as_string", text)


def to_number(input: Any, out_type: Any = dtypes.float32, name: str | None = None) -> Any:
    """Return strings as numbers.

    Raises:
        InvalidArgumentError: (a ValueError) for a string that is no number.
    """
    a, kind = _array(input, "to_number"), as_dtype(out_type).numpy
    if a.dtype.kind != "O":
        raise InvalidArgumentError(f"to_number takes strings, not {a.dtype}.")
    try:
        return EagerTensor(np.array([kind.type(v) for v in a.ravel().tolist()], kind).reshape(a.shape))
    except ValueError as error:
        raise InvalidArgumentError(f"StringToNumberOp could not correctly convert string: {error}") from None


def join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    """Return strings joined elementwise."""
    arrays = np.broadcast_arrays(*[_array(i, "join") for i in inputs])
    rows = zip(*[a.ravel().tolist() for a in arrays], strict=True)
    return EagerTensor(np.array([separator.encode().join(row) for row in rows], object).reshape(arrays[0].shape))


def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Any:
    """Return a template with tensors in its places."""
    text = template
    for one in inputs if isinstance(inputs, list | tuple) else [inputs]:
        text = text.replace(placeholder, str(convert(one).numpy()), 1)
    return convert(text)


def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """Return the lengths of strings."""
    a = _array(input, "length")
    sizes = [len(v if unit == "BYTE" else v.decode()) for v in a.ravel().tolist()]
    return EagerTensor(np.array(sizes, np.int32).reshape(a.shape))


def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Return strings in lower case."""
    return _each(input, "lower", lambda v: v.lower())


def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Return strings in upper case."""
    return _each(input, "upper", lambda v: v.upper())


def strip(input: Any, name: str | None = None) -> Any:
    """Return strings without spaces at their ends."""
    return _each(input, "strip", lambda v: v.strip())


def regex_replace(input: Any, pattern: str, rewrite: str, replace_global: bool = True, name: str | None = None) -> Any:
    """Return strings with what a pattern finds replaced."""
    count = 0 if replace_global else 1
    return _each(input, "regex_replace", lambda v: re.sub(pattern.encode(), rewrite.encode(), v, count=count))


def split(input: Any, sep: str | None = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """Return the parts of one string.

    Raises:
        NotImplementedError: for several strings: their parts would not make a rectangle.
    """
    a = _array(input, "split")
    if a.ndim:
        raise NotImplementedError("strings.split: one string only; several would give a ragged tensor.")
    return EagerTensor(np.array(a.item().split(None if sep is None else sep.encode(), maxsplit), object))
