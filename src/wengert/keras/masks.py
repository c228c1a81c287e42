"""Masks: which elements along the axes of time count. A tensor carries its mask as ``_keras_mask``, from layer to layer."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from wengert.ground import nest
from wengert.tensor.tensor import Nested, Tensor, TensorLike

__all__ = ["attach", "filled", "hand_on", "joined", "mask_of", "masks_of", "parameters", "takes_masks"]


class Masked(Protocol):
    """A layer, as far as masks know it."""

    supports_masking: bool

    @property
    def name(self) -> str:
        """The name."""

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return the masks of the results."""


def mask_of(value: Nested | None) -> Any:
    """Return the mask that a tensor carries, None if there is none."""
    return getattr(value, "_keras_mask", None)


def masks_of(value: Nested | None) -> Any:
    """Return the masks of tensors in a structure, in the same structure."""
    return nest.map_structure(mask_of, value) if nest.is_nested(value) else mask_of(value)


def attach(value: Nested, mask: Nested | None) -> Any:
    """Let tensors in a structure carry masks, those that carry one keep it; return the structure."""
    if mask is None:
        return value
    tensors, masks = nest.flatten(value), nest.flatten(mask)
    for tensor, one in zip(tensors, masks, strict=False):
        if isinstance(tensor, Tensor) and one is not None and mask_of(tensor) is None:
            tensor._keras_mask = one
    return value


@functools.cache
def takes_masks(call: Callable[..., Any]) -> bool:
    """Return whether a layer's call has a parameter for masks."""
    return any(name.endswith("mask") for name in parameters(call))


@functools.cache
def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a method's parameters, without ``self``."""
    return tuple(inspect.signature(function).parameters)[1:]


def filled(call: Callable[..., Any], arguments: Sequence[Nested], keywords: Mapping[str, Nested]) -> Mapping[str, Nested]:
    """Return the keywords, with the masks that a layer's call takes and was not given.

    Of one tensor (or one list of them) it is ``mask``; of several, ``NAME_mask`` for the parameter NAME.
    """
    names = parameters(call)
    given = {**dict(zip(names, arguments, strict=False)), **keywords}
    holding = [k for k, v in given.items() if not k.endswith("mask") and any(isinstance(t, Tensor) for t in nest.flatten(v))]
    found = {}
    for key in holding:
        name = "mask" if len(holding) == 1 else f"{key}_mask"
        if name in names and given.get(name) is None:
            masks = masks_of(given[key])
            if any(m is not None for m in nest.flatten(masks)):
                found[name] = masks
    return {**keywords, **found} if found else keywords


def hand_on(layer: Masked, inputs: Nested | None, outputs: Nested) -> None:
    """Let the results of a layer carry the masks that it computes of those of its first argument.

    A layer that knows nothing of masks loses them, which is said in a warning.
    """
    before = masks_of(inputs)
    if layer.supports_masking:
        if any(mask_of(t) is None for t in nest.flatten(outputs)):
            attach(outputs, layer.compute_mask(inputs, before))
    elif any(m is not None for m in nest.flatten(before)):
        warnings.warn(
            f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an input with a mask attached to it. However, "
            "this layer does not support masking and will therefore destroy the mask information. Downstream layers will not "
            "see the mask.", stacklevel=4,
        )  # fmt: skip


def joined(masks: Sequence[TensorLike | None], two: Callable[[Any, Any], Any]) -> Any:
    """Return one mask of several; None where one is missing."""
    if not masks or any(m is None for m in masks):
        return None
    return functools.reduce(two, masks)
