"""TensorFlow's ``tf.xla``: `experimental.compile`, which a graph and a traced function do not need here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from wengert.ground import nest
from wengert.tensor.tensor import TensorLike, convert

__all__ = ["experimental"]


class experimental:
    """TensorFlow's ``tf.xla.experimental``."""

    @staticmethod
    def compile(computation: Callable[..., Any], inputs: Sequence[TensorLike] | None = None) -> Any:
        """Return what a function of tensors returns; a single tensor in a list, as in TensorFlow. The executor compiles it."""
        result = computation(*[nest.map_structure(convert, one) for one in inputs or ()])
        return result if nest.is_nested(result) else [result]

    @staticmethod
    def jit_scope(compile_ops: bool = True, separate_compiled_gradients: bool = False) -> contextlib.nullcontext[None]:
        """Do nothing: the executor decides what is compiled."""
        return contextlib.nullcontext()
