"""Elements of datasets: what one is made of, and what is known of all of them.

An element is a structure of tensors, as a function may return one. Inside it is the tuple of its leaves: arrays, None, and
datasets, as the windows of another. What is known of every element, its specs in that structure, tells how the leaves belong
together. A list is one tensor here, as in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from wengert.ground import nest, shapes
from wengert.ground.shapes import Shape
from wengert.ground.types import NumPyArray
from wengert.modes.function import TensorSpec
from wengert.ops.signature import OBJECT
from wengert.tensor.tensor import (
    EagerTensor,
    Nested,
    SymbolicTensor,
    Tensor,
    as_array,
    convert,
    derived,
    holds_tensors,
    value_of,
)

if TYPE_CHECKING:
    from wengert.data.stage import Base, Stage

__all__ = ["END", "DatasetSpec", "Element", "Leaf", "NoneTensorSpec", "Spec", "Structure", "boxed", "opened", "pack", "specs_of"]


class _End:
    """What stands behind the last element."""


END = _End()


class NoneTensorSpec:
    """What is known of a leaf that is None."""

    def __repr__(self) -> str:
        return "NoneTensorSpec()"


class DatasetSpec:
    """What is known of a leaf that is a dataset: the specs of its elements, and as what users hold it."""

    def __init__(self, element_spec: Structure, made: Callable[[Stage], Base]) -> None:
        """Take both."""
        self.element_spec, self.made = element_spec, made

    @property
    def shape(self) -> shapes.TensorShape:
        """That of one dataset."""
        return shapes.TensorShape([])

    def __repr__(self) -> str:
        return f"DatasetSpec({self.element_spec!r}, TensorShape([]))"


T = TypeVar("T")
Spec = TensorSpec | NoneTensorSpec | DatasetSpec
Structure = Spec | Sequence["Structure"] | Mapping[str, "Structure"]
"""Specs in tuples and dictionaries: what is known of the elements of a dataset."""
Leaf = "NumPyArray | Base | None"
Element = tuple[Any, ...]
"""The leaves of an element, in order: arrays, None, datasets."""


def _leaf(given: Nested | None) -> Tensor | Base | None:
    value: Any = value_of(given)
    if value is None or isinstance(value, Tensor) or hasattr(value, "stage"):
        return value  # type: ignore[no-any-return]
    if isinstance(value, list) and holds_tensors(value):
        return convert(value)
    return EagerTensor(as_array(value))


def _mapped(change: Callable[[Any], T], value: Nested | Mapping[Any, Any] | Sequence[Any] | None) -> Any:
    """Return a structure with its leaves changed: tuples and dictionaries hold others, a list is a leaf."""
    if isinstance(value, Mapping):
        made = {k: _mapped(change, v) for k, v in value.items()}
        made_as: Callable[..., Any] = type(value)
        return made if made_as is dict else made_as(made)
    if not isinstance(value, tuple):
        return change(value)
    parts = [_mapped(change, v) for v in value]
    named: Callable[..., Any] = type(value)
    return named(*parts) if hasattr(value, "_fields") else tuple(parts)


def spec_of(leaf: Tensor | Base | None) -> Spec:
    """Return what is known of a leaf."""
    if leaf is None:
        return NoneTensorSpec()
    if isinstance(leaf, Tensor):
        return TensorSpec(leaf.sizes, leaf.nptype)
    return DatasetSpec(leaf.element_spec, type(leaf))


def opened(value: Nested, results: bool = False) -> tuple[list[Tensor | Base | None], Structure]:
    """Return the leaves of a structure, and what is known of them.

    ``results``: it is what a function returned, where a list at the top stands for a tuple.
    """
    if results and isinstance(value, list):
        value = tuple(value)
    leaves = _mapped(_leaf, value)
    return nest.flatten(leaves), _mapped(spec_of, leaves)


def specs_of(structure: Structure) -> list[Spec]:
    """Return the specs in a structure, in order."""
    return nest.flatten(structure)


def pack(structure: Structure, leaves: Sequence[Any]) -> Any:
    """Return leaves in their structure."""
    if structure.__class__ is TensorSpec:
        return leaves[0]
    return nest.pack_sequence_as(structure, leaves)


def tensors(structure: Structure, element: Element) -> Any:
    """Return an element as users get it eagerly: constants, as far as derivatives go."""
    return pack(structure, [derived(v, "IteratorGetNext") if isinstance(v, np.ndarray) else v for v in element])


# --- elements that a graph computes with: a dataset among the leaves is a tensor, an object that holds it -----------------


def boxed(leaf: NumPyArray | Base) -> NumPyArray:
    """Return a leaf as the array that a graph is given for it."""
    if isinstance(leaf, np.ndarray):
        return leaf
    held = np.empty((), object)
    held[()] = leaf
    return held


def described(specs: Sequence[Spec]) -> tuple[tuple[Shape, np.dtype[Any]], ...]:
    """Return the shape and dtype of what stands for leaves in a graph; None needs none."""
    return tuple(
        [(s._sizes, s._nptype) if isinstance(s, TensorSpec) else ((), OBJECT) for s in specs if not isinstance(s, NoneTensorSpec)]
    )


def standing(structure: Structure, places: Sequence[SymbolicTensor], given: Callable[[SymbolicTensor, Structure], Stage]) -> Any:
    """Return an element of a graph's tensors; ``given``: makes the stage of a dataset that one of them holds."""
    rest: Iterator[SymbolicTensor] = iter(places)

    def leaf(spec: Spec) -> Any:
        if isinstance(spec, NoneTensorSpec):
            return None
        place = next(rest)
        return spec.made(given(place, spec.element_spec)) if isinstance(spec, DatasetSpec) else place

    return pack(structure, [leaf(s) for s in specs_of(structure)])
