"""TensorFlow's ``tf.strings``: a few functions; those whose result has the argument's shape also in graphs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions.program import numpy_function
from wengert.ground import checks, dtypes, shapes
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.types import NumPyArray
from wengert.tensor.tensor import EagerTensor, TensorLike, convert, derived

__all__ = [
    "as_string",
    "bytes_split",
    "format",
    "join",
    "length",
    "lower",
    "regex_replace",
    "split",
    "strip",
    "to_number",
    "unicode_decode",
    "unicode_encode",
    "unicode_split",
    "upper",
]


def _eager(value: Any, what: str) -> Any:
    t = convert(value)
    if not isinstance(t, EagerTensor):
        raise NotImplementedError(f"strings.{what}: strings are computed eagerly here, not in a graph; use numpy_function.")
    return t


def computed(what: str, function: Callable[..., NumPyArray], given: Sequence[Any], nptype: Any, sizes: Any) -> Any:
    """Return a function of tensors' arrays: at once, or each time their graph runs."""
    if all(isinstance(t, EagerTensor) for t in given):
        return derived(function(*[t.array for t in given]), f"strings.{what}", *given)
    result = numpy_function(function, given, as_dtype(nptype))
    result.set_shape(sizes)
    return result


def _each(value: Any, what: str, change: Any, nptype: Any = object) -> Any:
    def changed(array: NumPyArray) -> NumPyArray:
        return np.array([change(v) for v in array.ravel().tolist()], nptype).reshape(array.shape)

    t = convert(value)
    return computed(what, changed, [t], nptype, t.shape)


def as_string(
    input: TensorLike, precision: int = -1, scientific: bool = False, shortest: bool = False, width: int = -1, fill: str = "",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return numbers as strings.

    >>> as_string([1, 2]).numpy().tolist()
    [b'1', b'2']
    """
    kind = convert(input).nptype.kind
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
    t, kind = convert(input), as_dtype(out_type).numpy
    if t.nptype.kind != "O":
        raise InvalidArgumentError(f"to_number takes strings, not {t.nptype}.")

    def number(text: bytes) -> Any:
        try:
            return kind.type(text)
        except ValueError as error:
            raise InvalidArgumentError(f"StringToNumberOp could not correctly convert string: {error}") from None

    return _each(t, "to_number", number, kind)


def join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    """Return strings joined elementwise."""
    given = [convert(i) for i in inputs]
    between = separator.encode()

    def joined(*arrays: NumPyArray) -> NumPyArray:
        whole = np.broadcast_arrays(*arrays)
        rows = zip(*[a.ravel().tolist() for a in whole], strict=True)
        return np.array([between.join(row) for row in rows], object).reshape(whole[0].shape)

    sizes = functools.reduce(shapes.broadcast, [t.sizes for t in given])
    return computed("join", joined, given, object, sizes)


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


def _text(value: Any, what: str) -> bytes:
    t = _eager(value, what)
    if t.sizes != () or t.nptype.kind != "O":
        raise NotImplementedError(
            f"strings.{what}: of one string, not of {t!r}; of several the results differ in length: ragged tensors are not here."
        )
    return bytes(t.array.item())


def bytes_split(input: TensorLike, name: str | None = None) -> Any:
    """Return the bytes of one string.

    >>> bytes_split("ab").numpy().tolist()
    [b'a', b'b']
    """
    text = _text(input, "bytes_split")
    return EagerTensor(np.array([text[i : i + 1] for i in range(len(text))], object))


def _decoded(input: TensorLike, encoding: str, errors: str, replacement: int, what: str) -> str:
    checks.choice(errors, ("strict", "replace", "ignore"), what, "errors")
    try:
        text = _text(input, what).decode(encoding, errors)
    except (UnicodeDecodeError, LookupError) as error:
        raise InvalidArgumentError(f"strings.{what}: Invalid formatting on input string: {error}") from None
    return text.replace("\ufffd", chr(replacement)) if errors == "replace" else text


def unicode_decode(
    input: TensorLike, input_encoding: str, errors: str = "replace", replacement_char: int = 65533,
    replace_control_characters: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Return the code points of one string.

    >>> unicode_decode("a\u00e4".encode(), "UTF-8").numpy().tolist()
    [97, 228]
    """
    points = [ord(c) for c in _decoded(input, input_encoding, errors, replacement_char, "unicode_decode")]
    if replace_control_characters:
        points = [replacement_char if p < 32 else p for p in points]
    return EagerTensor(np.array(points, np.int32))


def unicode_split(
    input: TensorLike, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Return the characters of one string."""
    text = _decoded(input, input_encoding, errors, replacement_char, "unicode_split")
    return EagerTensor(np.array([c.encode(input_encoding) for c in text], object))


def unicode_encode(
    input: TensorLike, output_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Return the string of code points along the last axis.

    >>> unicode_encode([97, 98], "UTF-8").numpy()
    b'ab'
    """
    t = _eager(input, "unicode_encode")
    checks.choice(errors, ("strict", "replace", "ignore"), "unicode_encode", "errors")

    def one(points: Any) -> bytes:
        bad = [p for p in points if not 0 <= p <= 0x10FFFF or 0xD800 <= p <= 0xDFFF]
        if bad and errors == "strict":
            raise InvalidArgumentError(f"strings.unicode_encode: {bad[0]} is no code point.")
        kept = [replacement_char if p in bad else p for p in points if p not in bad or errors == "replace"]
        return "".join(map(chr, kept)).encode(output_encoding)

    rows = t.array.reshape(-1, t.array.shape[-1]).tolist()
    return EagerTensor(np.array([one(row) for row in rows], object).reshape(t.array.shape[:-1]))


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
