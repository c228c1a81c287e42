"""Assigning to a variable: its whole, its rows, and the elements at coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ground import dtypes, shapes
from wengert.ground.context import assigned, default_session, here, state
from wengert.ground.errors import InvalidArgumentError, ShapeError
from wengert.modes.storage import Storage
from wengert.modes.valued import Converted
from wengert.ops import linear
from wengert.ops.op import Op
from wengert.ops.state import ASSIGN, ASSIGN_SCATTER
from wengert.tensor.tensor import (
    EagerTensor,
    Graph,
    SymbolicTensor,
    Tensor,
    TensorLike,
    append,
    apply,
    as_array,
    convert,
    is_tensor_like,
)

__all__ = ["Assignable"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Assignable(Converted):
    """What can be assigned to. Eagerly the memory is written at once, in a graph a node is appended that does so in a run."""

    n: int
    sizes: shapes.Shape
    nptype: np.dtype[Any]
    _graph: Graph | None
    _name: str
    _current: EagerTensor | None

    @property
    def storage(self) -> Storage:
        """The memory that is written to."""
        raise NotImplementedError

    def handle_in(self, graph: Graph) -> SymbolicTensor:
        """Return the tensor of a graph that stands for the variable itself."""
        raise NotImplementedError

    def read_value(self) -> Any:
        """Return the value as a tensor, read now."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """TensorFlow's name, as ``"Variable:0"``."""
        return f"{self._name}:0"

    @property
    def dtype(self) -> dtypes.DType:
        """The element type."""
        return dtypes.of(self.nptype)

    def _assign(self, value: Any, how: str, read_value: bool, name: str | None) -> Any:
        value = self._fitting(value)
        if state.graph is None and value.__class__ is EagerTensor and (self._graph is None or self.storage.array is not None):
            if state.memory is not None and state.memory.repeating:
                return self if read_value else None
            self.storage.write(value.array, how)
            self._current = None
            assigned.append((self.n, value.n, "assign" if how == "update" else f"assign_{how}", here(), self._name))
            return self if read_value else None
        graph = state.graph if state.graph is not None else (self._graph or value.graph)
        handle = self.handle_in(graph)
        before = state.observers
        state.observers = ()
        try:
            tensor = append(graph, ASSIGN, (handle, value), {"how": how}, name)
        finally:
            state.observers = before
        if not read_value:
            return tensor.op
        return tensor

    def _fitting(self, value: Any) -> Any:
        value = convert(value, self.dtype)
        if not shapes.fits(self.sizes, value.sizes):
            raise ShapeError(
                f"Cannot assign value to variable '{self.name}': Shape mismatch. The variable shape {shapes.text(self.sizes)}, "
                f"and the assigned value shape {shapes.text(value.sizes)} are incompatible."
            )
        return value

    def assign(self, value: TensorLike, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Set the value.

        Raises:
            ShapeError: (a ValueError) if the shape does not fit.
        """
        return self._assign(value, "update", read_value, name or "Assign")

    def assign_add(self, delta: TensorLike, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Add to the value."""
        return self._assign(self._spread(delta), "add", read_value, name or "AssignAdd")

    def assign_sub(self, delta: TensorLike, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Subtract from the value."""
        return self._assign(self._spread(delta), "sub", read_value, name or "AssignSub")

    def _spread(self, delta: TensorLike) -> Any:
        if not is_tensor_like(delta):
            delta = convert(delta, self.dtype)
        return delta

    def _part_assigner(self, how: str, index: Any) -> Callable[..., Any]:
        """Return the method that assigns to the part of the variable with this index: assign, assign_add or assign_sub."""

        def assign(value: TensorLike, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
            whole = self.read_value()
            places = np.arange(int(np.prod(whole.sizes)), dtype=np.int32).reshape(whole.sizes)[index]
            part = convert(value, self.dtype)
            part = apply(linear.BROADCAST_TO, (part,), {"shape": places.shape}) if part.sizes != places.shape else part
            flat = apply(linear.RESHAPE, (whole,), {"shape": (-1,)})
            at = convert(places.reshape(-1, 1))
            rows = apply(linear.RESHAPE, (part,), {"shape": (places.size,)})
            if how != "assign":
                old = apply(linear.GATHER_ND, (flat, at), {"batch_dims": 0})
                rows = old + rows if how == "assign_add" else old - rows
            changed = apply(linear.SCATTER_UPDATE, (flat, at, rows))
            return self.assign(apply(linear.RESHAPE, (changed,), {"shape": tuple(whole.sizes)}), name=name)

        return assign

    def _scatter(self, slices: Any, how: str) -> Any:
        values: Any
        indices: Any
        values, indices = slices.values, convert(slices.indices)
        values = values if isinstance(values, Tensor) else convert(values, self.dtype)
        if state.graph is None:
            array, at = self.storage.read(), indices.array
            if at.dtype.kind not in "iu" or not array.ndim:
                raise InvalidArgumentError(
                    f"scatter: rows of a variable of shape {array.shape} cannot be named by {indices.dtype.name} indices."
                )
            if state.memory is not None and state.memory.repeating:
                return self
            fits = at.shape + array.shape[1:]
            if values.sizes not in ((), fits):
                raise ShapeError(f"scatter: the rows must have shape {fits}, not {shapes.text(values.sizes)}.")
            if at.size and (at.min() < 0 or at.max() >= array.shape[0]):
                raise InvalidArgumentError(f"scatter: an index of {at} is not in [0, {array.shape[0]})")
            changed = np.array(array)
            if how == "update":
                changed[at] = values.array
            else:
                np.add.at(changed, at, -values.array if how == "sub" else values.array)
            self.storage.write(changed)
            self._current = None
            assigned.append((self.n, values.n, f"scatter_{how}", here(), self._name))
            return self
        graph = state.graph
        return append(graph, ASSIGN_SCATTER, (self.handle_in(graph), indices, values), {"how": how})

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Add the rows of an `IndexedSlices`."""
        return self._scatter(sparse_delta, "add")

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Subtract the rows of an `IndexedSlices`."""
        return self._scatter(sparse_delta, "sub")

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Set the rows of an `IndexedSlices`."""
        return self._scatter(sparse_delta, "update")

    def _scatter_nd(self, op: Op, indices: TensorLike, updates: TensorLike, name: str | None) -> Any:
        whole = self.read_value()
        given = updates if isinstance(updates, Tensor) else convert(updates, self.dtype)
        return self.assign(apply(op, (whole, convert(indices), given)), name=name)

    def scatter_nd_update(self, indices: TensorLike, updates: TensorLike, name: str | None = None) -> Any:
        """Set the elements or slices at coordinates."""
        return self._scatter_nd(linear.SCATTER_UPDATE, indices, updates, name)

    def scatter_nd_add(self, indices: TensorLike, updates: TensorLike, name: str | None = None) -> Any:
        """Add to the elements or slices at coordinates."""
        return self._scatter_nd(linear.SCATTER_ADD, indices, updates, name)

    def scatter_nd_sub(self, indices: TensorLike, updates: TensorLike, name: str | None = None) -> Any:
        """Subtract from the elements or slices at coordinates."""
        given = updates if isinstance(updates, Tensor) else convert(updates, self.dtype)
        return self._scatter_nd(linear.SCATTER_ADD, indices, -given, name)

    def gather_nd(self, indices: TensorLike, name: str | None = None) -> Any:
        """Return the elements or slices at coordinates."""
        return apply(linear.GATHER_ND, (self._as_tensor(), convert(indices)), {"batch_dims": 0}, name)

    def sparse_read(self, indices: TensorLike, name: str | None = None) -> Any:
        """Return rows."""
        return apply(linear.TAKE, (self._as_tensor(), convert(indices)), {"axis": 0, "batch_dims": 0}, name)

    def load(self, value: Tensor, session: Any = None) -> None:
        """Set the value at once, outside of any run."""
        session = session or default_session(None)
        session.storage_of(self).write(as_array(value, self.nptype))
