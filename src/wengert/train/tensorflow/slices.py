"""Checkpoints of TensorFlow's version 1: tables of slices of tensors, each with its values, in one file or several."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from wengert.ground.dtypes import DType
from wengert.ground.types import NumPyArray
from wengert.train.tensorflow.table import Block, Table, reading
from wengert.train.tensorflow.tensors import Slice, dtype_of, joined, shape_of, slice_of
from wengert.train.tensorflow.wire import Record

__all__ = ["Slices"]

FIELDS = {
    "float32": (5, "<f4"), "float64": (6, "<f8"), "int32": (7, ""), "uint8": (7, ""), "int16": (7, ""), "int8": (7, ""),
    "uint16": (7, ""), "complex64": (9, "<c8"), "int64": (10, ""), "bool": (11, ""), "complex128": (12, "<c16"),
    "float16": (13, ""), "uint32": (16, ""), "uint64": (17, ""),
}  # fmt: skip
"""In which field of a tensor's record its values stand, by its dtype; and how, if each has the same length."""


class Slices:
    """The tensors of one table or several, by name.

    Raises:
        DataLossError: if one is damaged; it names the file.
    """

    def __init__(self, prefix: str, paths: Sequence[str]) -> None:
        """Read what tensors there are; their values are read again when they are asked for."""
        self._prefix = prefix
        self._tables = [Table(path) for path in paths]
        self._parts: dict[str, list[Slice]] = {}
        self._blocks: dict[tuple[str, Slice], tuple[Table, Block]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.dtypes: dict[str, DType] = {}
        for table in self._tables:
            with reading(table.path):
                for block in table.blocks:
                    for name, value in table.entries(block):
                        if name:
                            held = Record(value).record(2)
                            self._blocks[held.text(1), slice_of(held.record(2))] = table, block
                        else:
                            for one in Record(value).record(1).records(1):
                                self._enter(one)

    def _enter(self, told: Record) -> None:
        name, shape, dtype = told.text(1), shape_of(told.record(2)), dtype_of(told.integer(3))
        if self.shapes.setdefault(name, shape) != shape or self.dtypes.setdefault(name, dtype) is not dtype:
            raise ValueError(f"{name} has two shapes or dtypes")
        self._parts.setdefault(name, []).extend(slice_of(one) for one in told.records(4))

    def read(self, name: str) -> NumPyArray:
        """Return a tensor."""
        dtype = self.dtypes[name]

        def read(part: Slice, sizes: tuple[int, ...]) -> NumPyArray:
            if (name, part) not in self._blocks:
                raise ValueError(f"the part {part} of {name} is missing")
            table, block = self._blocks[name, part]
            with reading(table.path):
                for key, value in table.entries(block):
                    held = Record(value if key else b"").record(2)
                    if held.text(1) == name and slice_of(held.record(2)) == part:
                        return _values(name, held.record(3), dtype, sizes)
                raise ValueError(f"the part {part} of {name} is missing")

        with reading(self._prefix):
            return joined(self.shapes[name], dtype, self._parts.get(name, []), read)


def _values(name: str, record: Record, dtype: DType, shape: tuple[int, ...]) -> NumPyArray:
    """Return the values of a tensor's record, which tells no shape of its own here."""
    number, fixed = FIELDS.get(dtype.name, (8, ""))
    if number == 8:
        strings = record.all(8)
        values = np.empty(len(strings), object)
        values[:] = strings
    elif record.has(4):
        values = np.frombuffer(record.raw(4), dtype.numpy.newbyteorder("<")).astype(dtype.numpy)
    elif fixed:
        values = record.fixed(number, fixed).astype(dtype.numpy)
    else:
        whole = record.whole(number)
        values = whole.astype(np.uint16).view(np.float16) if dtype.name == "float16" else whole.astype(dtype.numpy)
    if values.size != math.prod(shape):
        raise ValueError(f"{name} has {values.size} values, and its shape is {shape}")
    return values.reshape(shape)
