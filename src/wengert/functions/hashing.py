"""Strings spread over buckets by two published hashes: FarmHash's fingerprint (G. Pike, 2014), and SipHash with a key.

Both are defined by their arithmetic in 64 bits. SipHash: Aumasson and Bernstein (2012), two rounds a word and four at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from wengert.functions.strings import computed
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.types import NumPyArray
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["fingerprint", "keyed", "to_hash_bucket_fast", "to_hash_bucket_strong"]

_ALL = 2**64 - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _turn(v: int, by: int) -> int:
    """Return 64 bits turned to the right."""
    v &= _ALL
    return (v >> by | v << (64 - by)) & _ALL


def _fold(v: int) -> int:
    v &= _ALL
    return v ^ v >> 47


def _word(s: bytes, at: int, count: int = 8) -> int:
    return int.from_bytes(s[at : at + count], "little")


def _pair(u: int, v: int, by: int) -> int:
    """Return one word of two."""
    a = _fold((u ^ v) * by)
    return _fold((v ^ a) * by) * by & _ALL


def _short(s: bytes) -> int:
    n = len(s)
    by = _K2 + 2 * n
    if n >= 8:
        a, b = _word(s, 0) + _K2, _word(s, n - 8)
        return _pair(_turn(b, 37) * by + a & _ALL, (_turn(a, 25) + b) * by & _ALL, by)
    if n >= 4:
        return _pair(n + (_word(s, 0, 4) << 3), _word(s, n - 4, 4), by)
    if n > 0:
        y, z = s[0] + (s[n >> 1] << 8), n + (s[n - 1] << 2)
        return _fold(y * _K2 & _ALL ^ z * _K0 & _ALL) * _K2 & _ALL
    return _K2


def _middle(s: bytes) -> int:
    n = len(s)
    by = _K2 + 2 * n
    if n <= 32:
        a, b, c, d = _word(s, 0) * _K1, _word(s, 8), _word(s, n - 8) * by, _word(s, n - 16) * _K2
        return _pair(_turn(a + b, 43) + _turn(c, 30) + d & _ALL, a + _turn(b + _K2, 18) + c & _ALL, by)
    a, b, c, d = _word(s, 0) * _K2, _word(s, 8), _word(s, n - 8) * by, _word(s, n - 16) * _K2
    y = _turn(a + b, 43) + _turn(c, 30) + d & _ALL
    z = _pair(y, a + _turn(b + _K2, 18) + c & _ALL, by)
    e, f = _word(s, 16) * by, _word(s, 24)
    g, h = (y + _word(s, n - 32)) * by, (z + _word(s, n - 24)) * by
    return _pair(_turn(e + f, 43) + _turn(g, 30) + h & _ALL, e + _turn(f + a, 18) + g & _ALL, by)


def _block(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Return two words of four and two."""
    w, x, y, z = (_word(s, at + i) for i in (0, 8, 16, 24))
    a += w
    b = _turn(b + a + z, 21)
    c, a = a, a + x + y
    return a + z & _ALL, b + _turn(a, 44) + c & _ALL


def fingerprint(s: bytes) -> int:
    """Return FarmHash's 64-bit fingerprint of bytes.

    >>> hex(fingerprint(b""))
    '0x9ae16a3b2f90404f'
    """
    n = len(s)
    if n <= 64:
        return _short(s) if n <= 16 else _middle(s)
    x, y = 81, 81 * _K1 + 113 & _ALL
    z = _fold(y * _K2 + 113) * _K2 & _ALL
    v, w = (0, 0), (0, 0)
    x = x * _K2 + _word(s, 0)
    for at in range(0, (n - 1) // 64 * 64, 64):
        x = _turn(x + y + v[0] + _word(s, at + 8), 37) * _K1
        y = _turn(y + v[1] + _word(s, at + 48), 42) * _K1
        x = x & _ALL ^ w[1]
        y = y + v[0] + _word(s, at + 40)
        z = _turn(z + w[0], 33) * _K1
        v = _block(s, at, v[1] * _K1, x + w[0])
        w = _block(s, at + 32, z + w[1], y + _word(s, at + 16))
        z, x = x, z
    by, at = _K1 + ((z & 0xFF) << 1), n - 64
    w = (w[0] + ((n - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x = _turn(x + y + v[0] + _word(s, at + 8), 37) * by
    y = _turn(y + v[1] + _word(s, at + 48), 42) * by
    x = (x & _ALL) ^ (w[1] * 9 & _ALL)
    y = y + v[0] * 9 + _word(s, at + 40)
    z = _turn(z + w[0], 33) * by
    v = _block(s, at, v[1] * by, x + w[0])
    w = _block(s, at + 32, z + w[1], y + _word(s, at + 16))
    z, x = x, z
    one = _pair(v[0], w[0], by) + _fold(y) * _K0 + z & _ALL
    return _pair(one, _pair(v[1], w[1], by) + x & _ALL, by)


def keyed(s: bytes, key: Sequence[int]) -> int:
    """Return SipHash-2-4 of bytes, with a key of two words."""
    left, right = (k & _ALL for k in key)
    a, b = left ^ 0x736F6D6570736575, right ^ 0x646F72616E646F6D
    c, d = left ^ 0x6C7967656E657261, right ^ 0x7465646279746573

    def rounds(count: int) -> None:
        nonlocal a, b, c, d
        for _ in range(count):
            a, c = a + b & _ALL, c + d & _ALL
            b, d = _turn(b, 51) ^ a, _turn(d, 48) ^ c
            a, c = _turn(a, 32) + d & _ALL, c + b & _ALL
            b, d, c = _turn(b, 47) ^ c, _turn(d, 43) ^ a, _turn(c, 32)

    whole = len(s) // 8 * 8
    for at in range(0, whole + 8, 8):
        word = _word(s, at) if at < whole else _word(s, whole) | (len(s) & 0xFF) << 56
        d ^= word
        rounds(2)
        a ^= word
    c ^= 0xFF
    rounds(4)
    return a ^ b ^ c ^ d


def _spread(input: TensorLike, count: int, hashed: Callable[[bytes], int], name: str) -> Tensor:
    if count < 1:
        raise InvalidArgumentError(f"strings.{name}: num_buckets must be at least 1, not {count}.")

    def places(array: NumPyArray) -> NumPyArray:
        return np.array([hashed(v) % count for v in array.ravel().tolist()], np.int64).reshape(array.shape)

    t = convert(input)
    found: Tensor = computed(name, places, [t], np.int64, t.shape)
    return found


def to_hash_bucket_fast(input: TensorLike, num_buckets: int, name: str | None = None) -> Tensor:
    """Return for each string a whole number below ``num_buckets``, by FarmHash's fingerprint.

    >>> to_hash_bucket_fast(["Hello", "TensorFlow", "2.x"], 3).numpy().tolist()
    [0, 2, 2]
    """
    return _spread(input, num_buckets, fingerprint, "to_hash_bucket_fast")


def to_hash_bucket_strong(input: TensorLike, num_buckets: int, key: Sequence[int], name: str | None = None) -> Tensor:
    """Return for each string a whole number below ``num_buckets``, by SipHash with a key of two numbers.

    >>> to_hash_bucket_strong(["Hello", "TF"], 3, [1, 2]).numpy().tolist()
    [2, 0]
    """
    return _spread(input, num_buckets, lambda s: keyed(s, key), "to_hash_bucket_strong")
