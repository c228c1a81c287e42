"""CRC-32C (Castagnoli), which TensorFlow's files hold, over NumPy.

The remainder of a message is linear over the field of two elements: the message is cut into many rows, whose remainders are
found side by side, four bytes of each at a time, and then joined two by two. To put n zero bytes behind a message is a linear map
of its remainder, found from that of one byte by squaring. (R. N. Williams, "A painless guide to CRC error detection algorithms".)
"""

from __future__ import annotations

import functools

import numpy as np

from wengert.ground.types import NumPyArray

__all__ = ["crc32c", "unmasked"]

POLYNOMIAL = 0x82F63B78
ROWS = 1 << 12
SHORT = 1 << 12
"""Up to how many bytes it is quicker to take one after another."""


@functools.cache
def _bytewise() -> NumPyArray:
    """Return the remainders of the 256 bytes."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> np.uint32(1)) ^ np.uint32(POLYNOMIAL), table >> np.uint32(1))
    return table


@functools.cache
def _pairwise() -> tuple[NumPyArray, NumPyArray]:
    """Return the remainders of two bytes, where two bytes follow and where none does."""
    table = _bytewise()
    one = np.arange(1 << 16, dtype=np.uint32)
    high = table[table[one & np.uint32(255)] & np.uint32(255) ^ (one >> np.uint32(8))] ^ (
        table[one & np.uint32(255)] >> np.uint32(8)
    )
    return _followed(high, 2), high


@functools.cache
def _zeros(power: int) -> NumPyArray:
    """Return what 2**power zero bytes behind a message make of each bit of its remainder."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    if power == 0:
        one: NumPyArray = _bytewise()[bits & np.uint32(255)] ^ (bits >> np.uint32(8))
        return one
    half = _zeros(power - 1)
    return _mapped(half, half)


def _mapped(columns: NumPyArray, values: NumPyArray) -> NumPyArray:
    """Return the values under the linear map whose columns these are."""
    found = np.zeros_like(values)
    for bit in range(32):
        found ^= np.where((values >> np.uint32(bit)) & np.uint32(1), columns[bit], np.uint32(0))
    return found


def _followed(values: NumPyArray, count: int) -> NumPyArray:
    """Return the remainders with so many zero bytes behind the messages."""
    power = 0
    while count:
        if count & 1:
            values = _mapped(_zeros(power), values)
        count, power = count >> 1, power + 1
    return values


def crc32c(data: bytes | memoryview) -> int:
    """Return the checksum of some bytes.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if len(data) <= SHORT:
        return _one_by_one(data)
    given = np.frombuffer(data, np.uint8)
    rows = 1
    while rows < ROWS and rows * rows * 4 < given.size:
        rows *= 2
    length = -(-given.size // (4 * rows)) * 4
    lost = rows * length - given.size  # zero bytes before a message change nothing of its remainder
    words = np.concatenate([np.zeros(lost, np.uint8), given]).view("<u4") if lost else given.view("<u4")
    columns = words.reshape(rows, length // 4).T
    low, high = _pairwise()
    sums = np.zeros(rows, np.uint32)
    for start in range(0, length // 4, 16):
        for column in np.ascontiguousarray(columns[start : start + 16]):
            sums ^= column
            sums = low[sums & np.uint32(0xFFFF)] ^ high[sums >> np.uint32(16)]
    while len(sums) > 1:
        sums = _followed(sums[0::2], length) ^ sums[1::2]
        length *= 2
    begun = _followed(np.array([0xFFFFFFFF], np.uint32), given.size)
    return int((sums ^ begun)[0]) ^ 0xFFFFFFFF


def _one_by_one(data: bytes | memoryview) -> int:
    table, found = _listed(), 0xFFFFFFFF
    for byte in data:
        found = table[(found ^ byte) & 255] ^ (found >> 8)
    return found ^ 0xFFFFFFFF


@functools.cache
def _listed() -> list[int]:
    return [int(one) for one in _bytewise()]


def unmasked(stored: int) -> int:
    """Return the checksum that stands in a file turned and shifted, as LevelDB's format has it."""
    turned = (stored - 0xA282EAD8) & 0xFFFFFFFF
    return ((turned >> 17) | (turned << 15)) & 0xFFFFFFFF
