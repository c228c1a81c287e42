"""What every layer takes by keyword."""

from __future__ import annotations

from typing import TypedDict

from wengert.ground.shapes import ShapeLike
from wengert.ground.types import NumPyArray
from wengert.keras.dtype_policies import PolicyLike
from wengert.keras.registry import Identifier

__all__ = ["FirstKeywords", "LayerKeywords", "SharedKeywords"]


class FirstKeywords(TypedDict, total=False):
    """What a layer takes that a model begins with: the shape of what comes in, and values for its weights."""

    input_shape: ShapeLike | None
    input_dim: int
    batch_input_shape: ShapeLike
    batch_shape: ShapeLike
    weights: list[NumPyArray] | None
    dynamic: bool


class SharedKeywords(FirstKeywords, total=False):
    """What all layers take, but for a regularizer of the result, which some have a place for among their own arguments."""

    trainable: bool
    dtype: PolicyLike
    autocast: bool
    name: str | None


class LayerKeywords(SharedKeywords, total=False):
    """What all layers take."""

    activity_regularizer: Identifier
