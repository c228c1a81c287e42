"""Attention, AdditiveAttention, MultiHeadAttention and GroupedQueryAttention; EinsumDense, which the last two are made of."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wengert.functions import array, nn
from wengert.functions import math as elementary
from wengert.ground import nest
from wengert.keras import activations, constraints, initializers, masks, regularizers
from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.calling import Sizes
from wengert.keras.layers.keywords import LayerKeywords, SharedKeywords
from wengert.keras.layers.layer import Layer
from wengert.keras.registry import Identifier
from wengert.tensor.tensor import Nested, Tensor, TensorLike

__all__ = ["AdditiveAttention", "Attention", "EinsumDense", "GroupQueryAttention", "GroupedQueryAttention", "MultiHeadAttention"]


def _causal(scores: Tensor) -> Any:
    """Return where the place of the key is not after that of the query, for scores (..., queries, keys)."""
    sizes = array.shape(scores)
    queries, keys = (array.range(sizes[i]) if scores.sizes[i] is None else array.range(scores.sizes[i]) for i in (-2, -1))
    return elementary.greater_equal(array.expand_dims(queries, 1), array.expand_dims(keys, 0))


def _near(scores: Tensor, window: int) -> Any:
    """Return where the places of query and key are less than ``window`` apart."""
    sizes = array.shape(scores)
    queries, keys = (array.range(sizes[i]) if scores.sizes[i] is None else array.range(scores.sizes[i]) for i in (-2, -1))
    return elementary.less(elementary.abs(array.expand_dims(queries, 1) - array.expand_dims(keys, 0)), window)


def _both(one: Tensor | None, other: Tensor | None) -> Any:
    """Return where both masks are true; None stands for everywhere."""
    if one is None or other is None:
        return other if one is None else one
    return elementary.logical_and(one, other)


class Attention(Layer):
    """softmax(query · key) value: Luong and others (2015). It is called with [query, value] or [query, value, key].

    ``use_scale``: the scores are times a weight. ``score_mode="concat"``: they are Σ tanh(scale (query + key)), times another.

    >>> x = array.constant([[[1.0, 0.0], [0.0, 1.0]]])
    >>> y, scores = Attention()([x, x], return_attention_scores=True, use_causal_mask=True)
    >>> scores.numpy().round(4)
    array([[[1.    , 0.    ],
            [0.2689, 0.7311]]], dtype=float32)
    """

    supports_masking = True
    _arguments: ClassVar[tuple[str, ...] | None] = ("use_scale", "score_mode", "dropout", "seed")

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: int | None = None,
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how scores are computed, and the share of them that are dropped in training.

        Raises:
            ValueError: for a score_mode that there is not.
        """
        super().__init__(**keywords)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"Invalid value for argument score_mode. Expected one of {{'dot', 'concat'}}. Received: score_mode={score_mode}"
            )
        self.use_scale, self.score_mode, self.dropout, self.seed = use_scale, score_mode, dropout, seed
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Sequence[Sizes]) -> None:
        """Make the weights that there are."""
        _inputs(self, input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones")
        self._built = True

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Any:
        """Return a score for each query and key."""
        if self.score_mode == "concat":
            query, key = array.expand_dims(query, -2), array.expand_dims(key, -3)
            total = query + key if self.scale is None else self._computed(self.scale) * (query + key)
            return self._computed(self.concat_score_weight) * elementary.reduce_sum(elementary.tanh(total), -1)
        scores = elementary.matmul(query, key, transpose_b=True)
        return scores if self.scale is None else scores * self._computed(self.scale)

    def call(
        self, inputs: Sequence[Tensor], mask: Sequence[TensorLike | None] | None = None, training: bool = False,
        return_attention_scores: bool = False, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """Return for each query the values, as much of each as its key's score says; and the scores if they are asked for.

        Raises:
            ValueError: for inputs that are not two or three tensors.
        """
        query, value, *rest = _inputs(self, inputs)
        scores = self._calculate_scores(query, rest[0] if rest else value)
        of_query, of_value = (None, None) if mask is None else tuple(mask)[:2]
        allowed = None if of_value is None else array.expand_dims(array.cast(of_value, "bool"), -2)
        allowed = _both(allowed, _causal(scores) if use_causal_mask else None)
        if allowed is not None:
            scores = scores - (65504.0 if scores.nptype.itemsize == 2 else 1e9) * array.cast(
                elementary.logical_not(allowed), scores.dtype
            )
        weights = elementary.softmax(scores)
        if training and self.dropout > 0:
            weights = nn.dropout(weights, self.dropout, seed=self.seed)
        result = elementary.matmul(weights, value)
        if of_query is not None:
            result = result * array.cast(array.expand_dims(array.cast(of_query, "bool"), -1), result.dtype)
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return the mask of the query; scores have none."""
        return nest.flatten(previous_mask)[:1]


def _inputs(layer: Layer, inputs: Sequence[Any]) -> Sequence[Any]:
    if not isinstance(inputs, list | tuple) or not 2 <= len(inputs) <= 3:
        found = inputs.shape if isinstance(inputs, Tensor) else inputs
        raise ValueError(
            f"{type(layer).__name__} layer must be called on a list of inputs, namely [query, value] or [query, value, key]. "
            f"Received: inputs={found}."
        )
    return inputs


class AdditiveAttention(Attention):
    """Attention by the scores Σ scale tanh(query + key): Bahdanau and others (2015)."""

    _arguments = ("use_scale", "dropout", "seed")

    def __init__(
        self, use_scale: bool = True, dropout: float = 0.0, seed: int | None = None, **keywords: Unpack[LayerKeywords]
    ) -> None:
        """Take whether there is a weight for each channel, and the share of scores that are dropped in training."""
        super().__init__(use_scale, dropout=dropout, seed=seed, **keywords)

    def build(self, input_shape: Sequence[Sizes]) -> None:
        """Make the weight."""
        size = _inputs(self, input_shape)[0][-1]
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(size,), initializer="glorot_uniform")
        self._built = True

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Any:
        total = elementary.tanh(array.expand_dims(query, -2) + array.expand_dims(key, -3))
        return elementary.reduce_sum(total if self.scale is None else self._computed(self.scale) * total, -1)


class EinsumDense(Layer):
    """activation(einsum(equation, x, kernel) + bias); an ellipsis stands for further axes of x.

    >>> layer = EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")
    >>> layer(array.ones([2, 3, 5])).shape, [w.shape.as_list() for w in layer.weights]
    (TensorShape([2, 3, 4]), [[5, 4], [4]])
    """

    _arguments = ("output_shape", "equation", "activation", "bias_axes", "kernel_initializer", "bias_initializer",
                  "kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
                  "bias_constraint")  # fmt: skip

    def __init__(
        self, equation: str, output_shape: int | Sequence[int | None], activation: Identifier = None,
        bias_axes: str | None = None, kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros", kernel_regularizer: Identifier = None, bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None, kernel_constraint: Identifier = None, bias_constraint: Identifier = None,
        **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the equation, the sizes of the result without its first axis, and the letters of the bias's axes."""
        super().__init__(activity_regularizer=activity_regularizer, **keywords)
        self.equation, self.bias_axes = equation, bias_axes
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = initializers.get(kernel_initializer), initializers.get(bias_initializer)
        self.kernel_regularizer, self.bias_regularizer = regularizers.get(kernel_regularizer), regularizers.get(bias_regularizer)
        self.kernel_constraint, self.bias_constraint = constraints.get(kernel_constraint), constraints.get(bias_constraint)
        self.bias: Any = None

    @property
    def output_shape(self) -> Any:
        """The sizes of the result without its first axis."""
        return self.partial_output_shape

    def build(self, input_shape: Sizes) -> None:
        """Make kernel and bias: each letter has its size of the input's or of the result's shape.

        Raises:
            ValueError: for an equation of another form, and for a letter whose size is not known.
        """
        parts = re.fullmatch(r"(\.*)([a-zA-Z]+)(\.*),([a-zA-Z]+)->\1([a-zA-Z]+)\3", self.equation.replace(" ", ""))
        if parts is None:
            raise ValueError(f"Invalid einsum equation '{self.equation}'. Equations must be in the form [X],[Y]->[Z].")
        lead, of_x, _, of_kernel, of_y = parts.groups()
        sizes: dict[str, int | None] = {}
        whole = (input_shape[0], *self.partial_output_shape)
        for letters, shape in ((of_y, whole), (of_x, input_shape)):
            shape = shape[len(shape) - len(letters) :] if lead else shape[: len(letters)]
            sizes |= {letter: size for letter, size in zip(letters, shape, strict=False) if size is not None}
        bias = [sizes.get(letter) if letter in (self.bias_axes or "") else 1 for letter in of_y]
        kernel = [sizes.get(letter) for letter in of_kernel]
        if None in kernel or None in bias:
            raise ValueError(f"EinsumDense: {self.equation!r} leaves sizes of the weights open for an input of {input_shape}.")
        self.kernel = self.add_weight(
            name="kernel", shape=kernel, initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )  # fmt: skip
        if self.bias_axes:
            first = next(i for i, letter in enumerate(of_y) if letter in self.bias_axes)
            self.bias = self.add_weight(
                name="bias", shape=bias[first:], initializer=self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        y = elementary.einsum(self.equation, inputs, self._computed(self.kernel))
        return self.activation(y if self.bias is None else y + self._computed(self.bias))


class MultiHeadAttention(Layer):
    """Σ over heads of softmax(query · key / √key_dim) value, each a linear function of what it is called with.

    Vaswani and others (2017). It is called with (query, value) or (query, value, key), of shape (batch, length, channels) or
    with several axes of lengths, of which ``attention_axes`` names those that attention is along.

    >>> x = array.ones([2, 3, 4])
    >>> layer = MultiHeadAttention(num_heads=2, key_dim=5)
    >>> y, scores = layer(x, x, return_attention_scores=True)
    >>> y.shape, scores.shape
    (TensorShape([2, 3, 4]), TensorShape([2, 2, 3, 3]))
    """

    supports_masking = True
    _CHOICES = ("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "kernel_constraint",
                "bias_constraint")  # fmt: skip
    _arguments: ClassVar[tuple[str, ...] | None] = (
        "num_heads", "key_dim", "value_dim", "dropout", "use_bias", "attention_axes", "activity_regularizer", "seed",
        "sliding_window", "use_gate", *_CHOICES,
    )  # fmt: skip
    _gate: Any = None

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0, use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None, attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None, flash_attention: bool | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros", kernel_regularizer: Identifier = None, bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None, kernel_constraint: Identifier = None, bias_constraint: Identifier = None,
        use_gate: bool = False, seed: int | None = None, **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the sizes and the choices; ``flash_attention`` changes nothing.

        Raises:
            ValueError: for a window that is no positive whole number.
        """
        super().__init__(activity_regularizer=activity_regularizer, **keywords)
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim or key_dim
        self.dropout, self.use_bias, self.seed = dropout, bool(use_bias), seed
        self._given_output = (output_shape,) if isinstance(output_shape, int) else output_shape
        axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.attention_axes = None if axes is None else tuple(axes)
        if sliding_window is not None and (not isinstance(sliding_window, int) or sliding_window <= 0):
            raise ValueError(f"`sliding_window` must be `None` or a positive integer. Received: sliding_window={sliding_window}")
        self.sliding_window, self.use_gate = sliding_window, bool(use_gate)
        self.kernel_initializer, self.bias_initializer = initializers.get(kernel_initializer), initializers.get(bias_initializer)
        self.kernel_regularizer, self.bias_regularizer = regularizers.get(kernel_regularizer), regularizers.get(bias_regularizer)
        self.kernel_constraint, self.bias_constraint = constraints.get(kernel_constraint), constraints.get(bias_constraint)

    def build(self, query_shape: Sizes, value_shape: Sizes = (), key_shape: Sizes | None = None) -> None:
        """Make the weights of query, key, value and of the output."""
        rank = len(query_shape)
        self._axes = tuple(a % rank for a in self.attention_axes or range(1, rank - 1))
        self._query = self._heads("query", query_shape, self.key_dim)
        self._key = self._heads("key", key_shape or value_shape, self.key_dim, self._value_heads)
        if self.use_gate:
            self._gate = self._heads("gate", query_shape, self.value_dim)
            self._gate.activation = activations.get("sigmoid")
        self._value = self._heads("value", value_shape, self.value_dim, self._value_heads)
        out = tuple(self._given_output or query_shape[-1:])
        inner, results = "abcdefghijklm"[: rank - 1], "tuvwxyz"[: len(out)]
        equation, shape = f"{inner}no,no{results}->{inner}{results}", (*query_shape[1:-1], *out)
        self._output = self._dense("attention_output", equation, shape, results)
        self._output._build_once((*query_shape[:-1], self.num_heads, self.value_dim))
        self._built = True

    @property
    def _value_heads(self) -> int:
        """How many heads key and value have."""
        return self.num_heads

    def _shared(self, x: Tensor) -> Any:
        """Return the heads of key or value, one for each of the query's."""
        return x

    def _heads(self, name: str, shape: Sizes, size: int, count: int | None = None) -> EinsumDense:
        """Return a layer that makes a vector for each head."""
        inner = "abcdefghijklm"[: len(shape) - 1]
        layer = self._dense(name, f"{inner}z,zno->{inner}no", (*shape[1:-1], count or self.num_heads, size), "no")
        layer._build_once(shape)
        return layer

    def _dense(self, name: str, equation: str, shape: Sizes, bias: str) -> EinsumDense:
        made = {choice: getattr(self, choice) for choice in self._CHOICES}
        return EinsumDense(equation, shape, bias_axes=bias if self.use_bias else None, name=name, dtype=self.dtype_policy, **made)

    query_dense = property(lambda self: self._query)
    key_dense = property(lambda self: self._key)
    value_dense = property(lambda self: self._value)
    output_dense = property(lambda self: self._output)

    def _equations(self, rank: int) -> tuple[str, str]:
        """Return the products of query and key, and of scores and value: heads stand before the axes of attention."""
        letters = "abcdefghijklm"[:rank]
        batch = "".join(c for i, c in enumerate(letters[:-1]) if i not in self._axes)
        query = "".join(letters[i] for i in self._axes)
        key = query.upper()
        keys = "".join(c.upper() if i in self._axes else c for i, c in enumerate(letters[:-1]))
        scores = f"{batch}n{query}{key}"
        return f"{letters[:-1]}no,{keys}no->{scores}", f"{scores},{keys}no->{letters[:-1]}no"

    def _allowed(
        self, scores: Tensor, given: Sequence[TensorLike | None], attention_mask: TensorLike | None, causal: bool
    ) -> Any:
        """Return where attention is allowed, None for everywhere: of masks for query, value and key, and for pairs."""
        allowed = None if attention_mask is None else array.cast(attention_mask, "bool")
        for at, mask in zip((-1, -2, -2), given, strict=True):
            if mask is not None:
                allowed = _both(allowed, array.expand_dims(array.cast(mask, "bool"), at))
        allowed = _both(allowed, _causal(scores) if causal else None)
        allowed = _both(allowed, None if self.sliding_window is None else _near(scores, self.sliding_window))
        if allowed is None:
            return None
        missing = len(scores.sizes) - len(allowed.sizes)
        at = -2 * len(self._axes) - 1  # the heads are between the batch and the axes of attention
        for _ in range(missing):
            allowed = array.expand_dims(allowed, max(at, -len(allowed.sizes) - 1))
        return allowed

    def call(
        self, query: Tensor, value: Tensor, key: Tensor | None = None, query_mask: TensorLike | None = None,
        value_mask: TensorLike | None = None, key_mask: TensorLike | None = None, attention_mask: TensorLike | None = None,
        return_attention_scores: bool = False, training: bool | None = None, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """Return the output, and the scores (..., heads, queries, keys) if they are asked for.

        Of the query the mask counts that it carries; as in Keras, a ``query_mask`` that is given changes nothing.
        """
        # `call`, as what the masks of the inputs say is done here.
        q = self._query.call(query)
        k, v = self._shared(self._key.call(value if key is None else key)), self._shared(self._value.call(value))
        dot, mix = self._equations(len(query.sizes))
        scores = elementary.einsum(dot, q * (1.0 / math.sqrt(self.key_dim)), k)
        given = (self._query_mask(query, query_mask), value_mask, key_mask)
        allowed = self._allowed(scores, given, attention_mask, use_causal_mask)
        if allowed is not None:
            least = array.constant(-0.7 * float(np.finfo(scores.nptype).max), scores.dtype)
            scores = array.where(allowed, scores, least)
        if len(self._axes) == 1:
            weights = elementary.softmax(scores)
        else:
            over = [-1 - i for i in range(len(self._axes))]
            weights = elementary.exp(scores - elementary.reduce_logsumexp(scores, over, keepdims=True))
        # Where a query may look at nothing, Keras's Softmax has zeros, and its product of three, which takes the other cases,
        # the mean of all values.
        if allowed is not None and (return_attention_scores or self.dropout > 0 or len(query.sizes) != 3):
            weights = array.where(allowed, weights, array.zeros_like(weights))
        used = nn.dropout(weights, self.dropout, seed=self.seed) if training and self.dropout > 0 else weights
        mixed = elementary.einsum(mix, used, v)
        result = self._output(mixed if self._gate is None else mixed * self._gate.call(query))
        return (result, weights) if return_attention_scores else result

    def _query_mask(self, query: Tensor, given: TensorLike | None) -> Any:
        """Return the mask of the query that counts."""
        return masks.mask_of(query)

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return the mask of the query; scores have none."""
        return previous_mask

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        return {**super().get_config(), "output_shape": self._given_output}


class GroupedQueryAttention(MultiHeadAttention):
    """Attention of many query heads to fewer heads of key and value, each of which several query heads share.

    Ainslie and others (2023). It is called as `MultiHeadAttention` is, with tensors of shape (batch, length, channels).

    >>> x = array.ones([2, 3, 4])
    >>> layer = GroupQueryAttention(head_dim=5, num_query_heads=4, num_key_value_heads=2)
    >>> layer(x, x).shape, layer.key_dense.kernel.shape
    (TensorShape([2, 3, 4]), TensorShape([4, 2, 5]))
    """

    _arguments = ("head_dim", "num_query_heads", "num_key_value_heads", "dropout", "use_bias", "sliding_window",
                  "activity_regularizer", "use_gate", "seed", *MultiHeadAttention._CHOICES)  # fmt: skip

    def __init__(
        self, head_dim: int, num_query_heads: int, num_key_value_heads: int, dropout: float = 0.0, use_bias: bool = True,
        sliding_window: int | None = None, flash_attention: bool | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: Identifier = None, bias_regularizer: Identifier = None, activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None, bias_constraint: Identifier = None, use_gate: bool = False,
        seed: int | None = None, **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the sizes and the choices; ``flash_attention`` changes nothing.

        Raises:
            ValueError: where the heads cannot be shared evenly.
        """
        super().__init__(
            num_query_heads, head_dim, None, dropout, use_bias, None, None, sliding_window, flash_attention, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint,
            use_gate, seed, **keywords,
        )  # fmt: skip
        if num_query_heads % num_key_value_heads:
            raise ValueError("`num_query_heads` must be divisible by `num_key_value_heads`.")
        self.head_dim, self.num_query_heads, self.num_key_value_heads = head_dim, num_query_heads, num_key_value_heads

    @property
    def _value_heads(self) -> int:
        return self.num_key_value_heads

    def _shared(self, x: Tensor) -> Any:
        return array.repeat(x, self.num_query_heads // self.num_key_value_heads, axis=2)

    def _query_mask(self, query: Tensor, given: TensorLike | None) -> Any:
        return given

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        return {key: value for key, value in super().get_config().items() if key != "output_shape"}


GroupQueryAttention = GroupedQueryAttention
