"""Dense, Embedding, Masking, Lambda, Activation and Identity."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Unpack

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.shapes import ShapeLike
from wengert.keras import activations, constraints, initializers, regularizers
from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.calling import Sizes
from wengert.keras.layers.keywords import LayerKeywords, SharedKeywords
from wengert.keras.layers.layer import InputSpec, Layer
from wengert.keras.registry import Identifier
from wengert.ops import contraction, elementwise
from wengert.tensor.tensor import Nested, Tensor, TensorLike, apply, cast

__all__ = ["Activation", "ActivityRegularization", "Dense", "Embedding", "Identity", "Lambda", "Masking"]


class Dense(Layer):
    """activation(x @ kernel + bias), over the last axis of x.

    >>> layer = Dense(2, activation="tanh", kernel_initializer="ones")
    >>> layer([[0.5, 0.25]]).numpy().round(3)
    array([[0.635, 0.635]], dtype=float32)
    """

    supports_masking = True
    _arguments = ("units", "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer",
                  "bias_regularizer", "kernel_constraint", "bias_constraint")  # fmt: skip

    def __init__(
        self,
        units: int,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        **keywords: Unpack[SharedKeywords],
    ) -> None:
        """Take the number of outputs and the choices.

        Raises:
            ValueError: unless units is a positive whole number.
        """
        super().__init__(activity_regularizer=activity_regularizer, **keywords)
        if isinstance(units, bool) or int(units) != units or units < 1:
            raise ValueError(f"Dense: units must be a positive integer, not {units!r}.")
        self.units, self.use_bias = int(units), bool(use_bias)
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = initializers.get(kernel_initializer), initializers.get(bias_initializer)
        self.kernel_regularizer, self.bias_regularizer = regularizers.get(kernel_regularizer), regularizers.get(bias_regularizer)
        self.kernel_constraint, self.bias_constraint = constraints.get(kernel_constraint), constraints.get(bias_constraint)
        self.bias: Any = None

    def build(self, input_shape: Sizes) -> None:
        """Make kernel and bias."""
        size = input_shape[-1]
        if size is None:
            raise ValueError(f'Layer "{self.name}": the size of the last axis must be known; the input has shape {input_shape}.')
        self.kernel = self.add_weight(
            name="kernel", shape=(size, self.units), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer=self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        x, kernel = inputs, self.kernel._as_tensor()
        if kernel.nptype is not self._nptype:
            kernel = cast(kernel, self._nptype)
        if x.nptype is not kernel.nptype:
            x = cast(x, kernel.nptype)
        if x.sizes is not None and len(x.sizes) == 2:
            y = apply(contraction.MATMUL, (x, kernel))
        else:
            y = elementary.tensordot(x, kernel, 1)
        if self.bias is not None:
            bias = self.bias._as_tensor()
            y = apply(elementwise.ADD, (y, bias if bias.nptype is y.nptype else cast(bias, y.nptype)))
        return self.activation(y)


class Embedding(Layer):
    """A row of a table for each whole number.

    >>> rows = Embedding(3, 2, mask_zero=True)(array.constant([[1, 0]]))
    >>> rows.shape, rows._keras_mask.numpy()
    (TensorShape([1, 2, 2]), array([[ True, False]]))
    """

    _arguments = ("input_dim", "output_dim", "embeddings_initializer", "embeddings_regularizer", "embeddings_constraint",
                  "mask_zero")  # fmt: skip

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: Identifier = None, embeddings_constraint: Identifier = None, mask_zero: bool = False,
        input_length: int | None = None, **keywords: Any,
    ) -> None:  # fmt: skip
        """Take how many rows there are, how long each is, and whether 0 stands for what does not count (``mask_zero``)."""
        if input_length is not None:
            keywords.setdefault("input_shape", (input_length,))
        super().__init__(**keywords)
        self.mask_zero = self.supports_masking = bool(mask_zero)
        self.input_dim, self.output_dim, self.autocast = int(input_dim), int(output_dim), False
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)

    def build(self, input_shape: Sizes) -> None:
        """Make the table."""
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.input_dim, self.output_dim), initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
        )  # fmt: skip
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the rows."""
        at = inputs if inputs.nptype.kind in "iu" else array.cast(inputs, "int32")
        return array.cast(array.gather(self.embeddings, at), self.compute_dtype)

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return where the numbers are not 0, if ``mask_zero``."""
        return elementary.not_equal(inputs, 0) if self.mask_zero else None


class Masking(Layer):
    """The input with 0 in each step of time all of whose numbers are ``mask_value``, and a mask that leaves these out.

    >>> x = Masking()([[[1.0, 2.0], [0.0, 0.0]]])
    >>> x._keras_mask.numpy()
    array([[ True, False]])
    """

    supports_masking = True
    _arguments = ("mask_value",)

    def __init__(self, mask_value: float = 0.0, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the number."""
        super().__init__(**keywords)
        self.mask_value = mask_value
        self._built = True

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return which steps count."""
        return elementary.reduce_any(elementary.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return inputs * array.cast(array.expand_dims(self.compute_mask(inputs), -1), inputs.dtype)


class Lambda(Layer):
    """A function as a layer.

    >>> Lambda(lambda x: 2.0 * x + 1.0)([[1.0]]).numpy()
    array([[3.]], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: ShapeLike | None = None,
        mask: Callable[..., Any] | TensorLike | None = None,
        arguments: Mapping[str, Any] | None = None,
        **keywords: Unpack[LayerKeywords],
    ) -> None:
        """Take the function, and keyword arguments for it."""
        super().__init__(**keywords)
        if not callable(function):
            raise TypeError(f"Lambda: expected a function, not {function!r}.")
        self.function, self.arguments = function, dict(arguments or {})
        self._mask = mask
        if mask is not None:
            self.supports_masking = True
        try:
            self._takes_training = "training" in inspect.signature(function).parameters
        except (TypeError, ValueError):
            self._takes_training = False
        self._built = True

    def call(self, inputs: Tensor, training: bool | None = None) -> Any:
        """Return the function's value."""
        if self._takes_training:
            return self.function(inputs, training=training, **self.arguments)
        return self.function(inputs, **self.arguments)

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return what ``mask`` is or, of the inputs and their masks, gives."""
        return self._mask(inputs, previous_mask) if callable(self._mask) else self._mask

    def get_config(self) -> dict[str, Any]:
        """Return the function's name.

        Raises:
            TypeError: for a function without one.
        """
        from wengert.keras import registry

        return {**super().get_config(), "function": registry.serialize(self.function), "arguments": self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make one of a function that is registered by its name; none is made of what a file holds.

        Raises:
            ValueError: for a function that is not registered.
        """
        from wengert.keras import registry

        config = dict(config)
        if isinstance(config["function"], str):
            config["function"] = registry.resolve(config["function"], {}, "function of a Lambda layer (register it first)")
        if not callable(config["function"]):
            raise ValueError("Lambda: code is not loaded from a file. Register the function, and save the model anew.")
        return cls(**config)


class Activation(Layer):
    """An activation as a layer."""

    supports_masking = True
    _arguments = ("activation",)

    def __init__(self, activation: Identifier, **keywords: Unpack[LayerKeywords]) -> None:
        """Take a function or its name."""
        super().__init__(**keywords)
        self.activation = activations.get(activation)
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the activation's value."""
        return self.activation(inputs)


class Identity(Layer):
    """The input as it is."""

    supports_masking = True

    def call(self, inputs: Tensor) -> Any:
        """Return the input."""
        return inputs


class ActivityRegularization(Layer):
    """The input as it is, l1 sum(|x|) + l2 sum(x²) added to the loss."""

    supports_masking = True
    _arguments = ("l1", "l2")

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **keywords: Unpack[SharedKeywords]) -> None:
        """Take the two factors."""
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **keywords)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Tensor) -> Any:
        """Return the input."""
        return inputs
