"""TensorFlow's ``tf.strings``: a few functions, eagerly."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from wengert.ground import checks, dtypes
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import InvalidArgumentError
from wengert.tensor.tensor import EagerTensor, TensorLike, convert, derived

__all__ = ["as_string", "format", "join", "length", "lower", "regex_replace", "split", "strip", "to_number", "upper"]


def _eager(value: Any, what: str) -> Any:
    t = convert(value)
    if not isinstance(t, EagerTensor):
        raise NotImplementedError(f"strings.{what}: strings are computed eagerly here, not in a graph; use numpy_function.")
    return t


def _each(value: Any, what: str, change: Any, nptype: Any = object) -> Any:
    t = _eager(value, what)
    return derived(np.array([change(v) for v in t.array.ravel().tolist()], nptype).reshape(t.sizes), f"strings.{what}", t)


def as_string(
    input: TensorLike, precision: int = -1, scientific: bool = False, shortest: bool = False, width: int = -1, fill: str = "",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return numbers as strings.

    >>> as_string([1, 2]).numpy().tolist()
    [b'1', b'2']
    """
    kind = _eager(input, "as_string").nptype.kind
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


def to_number(input: TensorLike, out_type: DtypeLike = dtypes.float32, name: str | None = None) -> Any:
    """Return strings as numbers.

    Raises:
        InvalidArgumentError: (a ValueError) for a string that is no number.
    """
    t, kind = _eager(input, "to_number"), as_dtype(out_type).numpy
    if t.nptype.kind != "O":
        raise InvalidArgumentError(f"to_number takes strings, not {t.nptype}.")
    try:
        return _each(t, "to_number", kind.type, kind)
    except ValueError as error:
        raise InvalidArgumentError(f"StringToNumberOp could not correctly convert string: {error}") from None


def join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    """Return strings joined elementwise."""
    given = [_eager(i, "join") for i in inputs]
    arrays = np.broadcast_arrays(*[t.array for t in given])
    rows = zip(*[a.ravel().tolist() for a in arrays], strict=True)
    joined = np.array([separator.encode().join(row) for row in rows], object).reshape(arrays[0].shape)
    return derived(joined, "strings.join", *given)


def format(template: str, inputs: TensorLike, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Any:
    """Return a template with tensors in its places."""
    text = template
    for one in inputs if isinstance(inputs, list | tuple) else [inputs]:
        value: Any = convert(one)
        text = text.replace(placeholder, str(value.numpy()), 1)
    return convert(text)


def length(input: TensorLike, unit: str = "BYTE", name: str | None = None) -> Any:
    """Return the lengths of strings."""
    return _each(input, "length", lambda v: len(v if unit == "BYTE" else v.decode()), np.int32)


def lower(input: TensorLike, encoding: str = "", name: str | None = None) -> Any:
    """Return strings in lower case."""
    return _each(input, "lower", lambda v: v.lower())


def upper(input: TensorLike, encoding: str = "", name: str | None = None) -> Any:
    """Return strings in upper case."""
    return _each(input, "upper", lambda v: v.upper())


def strip(input: TensorLike, name: str | None = None) -> Any:
    """Return strings without spaces at their ends."""
    return _each(input, "strip", lambda v: v.strip())


def regex_replace(input: TensorLike, pattern: str, rewrite: str, replace_global: bool = True, name: str | None = None) -> Any:
    """Return strings with what a pattern finds replaced."""
    count = 0 if replace_global else 1
    return _each(input, "regex_replace", lambda v: re.sub(pattern.encode(), rewrite.encode(), v, count=count))


def split(input: Any, sep: str | None = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """Return the parts of one string.

    Raises:
        NotImplementedError: for several strings: their parts would not make a rectangle.
    """
    t = _eager(input, "split")
    if t.array.ndim:
        raise NotImplementedError("strings.split: one string only; several would give a ragged tensor.")
    parts = t.array.item().split(None if sep is None else sep.encode(), maxsplit)
    return derived(np.array(parts, object), "strings.split", t)
