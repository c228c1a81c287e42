"""Layers around layers: Wrapper, TimeDistributed, Bidirectional and SpectralNormalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ground import nest
from wengert.keras import initializers, masks, registry
from wengert.keras.layers import restoring
from wengert.keras.layers.calling import Sizes
from wengert.keras.layers.core import Lambda
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.keras.layers.recurrence import RNN
from wengert.tensor.tensor import Nested, Tensor, TensorLike

__all__ = ["Bidirectional", "SpectralNormalization", "TimeDistributed", "Wrapper"]


class Wrapper(Layer):
    """A layer around another, which it has as ``layer``."""

    def __init__(self, layer: Layer, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the layer.

        Raises:
            ValueError: for what is none.
        """
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Please initialize `{type(self).__name__}` layer with a `keras.layers.Layer` instance. Received: {layer}"
            )
        super().__init__(**keywords)
        self.layer = layer

    def build(self, input_shape: Sizes | None = None) -> None:
        """Make the weights of the layer."""
        if not self.layer.built:
            self.layer._build_once(input_shape)
        self._built = True

    def get_config(self) -> dict[str, Any]:
        """Return the layer."""
        return {**super().get_config(), "layer": registry.serialize(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one of what `get_config` returned."""
        return cls(**{**config, "layer": restoring.deserialize(config["layer"], custom_objects)})


class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided, at each step of training, by its largest singular value: Miyato and others (2018).

    The value is found by the power method, which goes on from step to step; ``power_iterations`` says how far in each.

    >>> from wengert.keras.layers import Dense
    >>> layer = SpectralNormalization(Dense(2, kernel_initializer=lambda shape, dtype: [[3.0, 0.0], [0.0, 1.0]]), 20)
    >>> layer([[1.0, 1.0]], training=True).numpy().round(3)
    array([[1.   , 0.333]], dtype=float32)
    """

    _arguments = ("power_iterations",)
    kernel: Any

    def __init__(self, layer: Layer, power_iterations: int = 1, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the layer, which has a kernel or embeddings, and how many steps of the power method are taken.

        Raises:
            ValueError: for other than a positive whole number of them.
        """
        super().__init__(layer, **keywords)
        if power_iterations <= 0:
            raise ValueError(f"`power_iterations` should be greater than zero. Received: `power_iterations={power_iterations}`")
        self.power_iterations = power_iterations

    def build(self, input_shape: Sizes | None = None) -> None:
        """Make the weights of the layer, and the vector that the power method goes on with.

        Raises:
            ValueError: for a layer that has neither a kernel nor embeddings.
        """
        super().build(input_shape)
        self.kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if self.kernel is None:
            raise ValueError(f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'")
        self.vector_u = self.add_weight(
            name="vector_u", shape=(1, self.kernel.shape[-1]), initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False, dtype=self.kernel.dtype,
        )  # fmt: skip

    def call(self, inputs: Tensor, training: bool = False) -> Any:
        """Return the layer's value, in training with the kernel divided first."""
        if training:
            u, kernel = self.normalized_weights()
            zero = elementary.reduce_all(elementary.equal(self.kernel, 0.0))
            self.vector_u.assign(array.where(zero, self.vector_u, u))
            self.kernel.assign(array.where(zero, self.kernel, kernel))
        return array.cast(self.layer(inputs), inputs.dtype)

    def normalized_weights(self) -> tuple[Any, Any]:
        """Return the vector after the power method's steps, and the kernel divided by its largest singular value."""
        whole = self.kernel.read_value()
        weights, u = array.reshape(whole, [-1, whole.sizes[-1]]), self.vector_u.read_value()
        v = u
        for _ in range(self.power_iterations):
            v = linalg.l2_normalize(elementary.matmul(u, weights, transpose_b=True))
            u = linalg.l2_normalize(elementary.matmul(v, weights))
        u, v = array.stop_gradient(u), array.stop_gradient(v)
        sigma = elementary.matmul(elementary.matmul(v, weights), u, transpose_b=True)
        return u, array.reshape(weights / sigma, whole.sizes)


def _by_rows(layer: Layer, training: bool) -> bool:
    """Return whether a layer is known to treat the rows of a batch one by one: with what it is, and all that it is made of."""
    for one in layer._flatten_layers():
        if not type(one).__module__.startswith("wengert.keras.") or isinstance(one, Lambda):
            return False
        if training and one._weights and not all(w._declared for w in one._weights):
            return False  # such as BatchNormalization, whose weights follow the batches
    return True


class TimeDistributed(Wrapper):
    """A layer applied to each step of (batch, time, ...) alone.

    A layer that is known to treat rows one by one has all steps as rows of one batch; another one is called step after step,
    where the number of steps is known.

    >>> from wengert.keras.layers import Dense
    >>> TimeDistributed(Dense(2))(array.ones([3, 4, 5])).shape
    TensorShape([3, 4, 2])
    """

    supports_masking = True

    def build(self, input_shape: Sizes | None = None) -> None:
        """Make the weights of the layer, for one step.

        Raises:
            ValueError: for inputs without an axis of time.
        """
        if input_shape is None or len(input_shape) < 3:
            raise ValueError(
                f"`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: {input_shape}"
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Tensor, training: bool | None = None, mask: TensorLike | None = None) -> Any:
        """Return the layer's value for each step.

        Raises:
            ValueError: for a layer that must be called step after step, where their number is not known.
        """
        if not _by_rows(self.layer, bool(training)):
            return self._one_by_one(inputs, training, mask)
        whole = array.shape(inputs)
        lead = [whole[i] if size is None else size for i, size in enumerate(inputs.sizes[:2])]
        rows = array.reshape(inputs, [-1, *[whole[i + 2] if s is None else s for i, s in enumerate(inputs.sizes[2:])]])
        takes, given = masks.parameters(type(self.layer).call), {}
        if "training" in takes:
            given["training"] = training
        if mask is not None and "mask" in takes:
            given["mask"] = array.reshape(mask, [-1, *nest.flatten(mask)[0].sizes[2:]])
        result = self.layer(rows, **given)

        def unfold(y: Tensor) -> Any:
            sizes = array.shape(y)
            return array.reshape(y, [*lead, *[sizes[i + 1] if s is None else s for i, s in enumerate(y.sizes[1:])]])

        return nest.map_structure(unfold, result)

    def _one_by_one(self, inputs: Tensor, training: bool | None, mask: TensorLike | None) -> Any:
        count, takes = inputs.sizes[1], masks.parameters(type(self.layer).call)
        if count is None:
            raise ValueError(f'Layer "{self.name}": how many steps there are must be known; the input has shape {inputs.shape}.')
        results = []
        for i in range(count):
            given: dict[str, Any] = {"training": training} if "training" in takes else {}
            if mask is not None and "mask" in takes:
                given["mask"] = array.convert_to_tensor(mask)[:, i]
            results.append(self.layer(inputs[:, i], **given))
        return nest.map_structure(lambda *steps: array.stack(steps, 1), *results)


class Bidirectional(Wrapper):
    """A recurrent layer forwards and another one backwards; ``merge_mode`` says what becomes of both outputs.

    It is "concat", "sum", "mul", "ave", or None for both.

    >>> from wengert.keras.layers import GRU
    >>> Bidirectional(GRU(2))(array.ones([3, 4, 5])).shape
    TensorShape([3, 4])
    """

    supports_masking = True
    _arguments = ("merge_mode",)
    _UNTRACKED = ("layer",)

    def __init__(
        self, layer: Layer, merge_mode: str | None = "concat", backward_layer: Layer | None = None,
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the layer, or one for each direction.

        Raises:
            ValueError: for layers that are not recurrent, or not of opposite directions.
        """
        super().__init__(layer, **keywords)
        if merge_mode not in ("sum", "mul", "ave", "concat", None):
            raise ValueError(
                f'Invalid merge mode. Received: {merge_mode}. Merge mode should be one of {{"sum", "mul", "ave", "concat", None}}'
            )
        if not isinstance(layer, RNN):
            raise ValueError(f"Bidirectional: expected a recurrent layer, such as LSTM, not {layer!r}.")
        self.merge_mode, self._own_backward = merge_mode, backward_layer is not None
        self.forward_layer = _again(layer, f"forward_{layer.name}", layer.go_backwards)
        if backward_layer is None:
            self.backward_layer = _again(layer, f"backward_{layer.name}", not layer.go_backwards)
        elif not isinstance(backward_layer, RNN) or backward_layer.go_backwards == layer.go_backwards:
            raise ValueError("Forward layer and backward layer should have different `go_backwards` value.")
        else:
            self.backward_layer = _again(backward_layer, f"backward_{backward_layer.name}", backward_layer.go_backwards)
        for name in ("return_sequences", "return_state", "stateful"):
            if getattr(self.forward_layer, name) != getattr(self.backward_layer, name):
                raise ValueError(f"Forward layer and backward layer are expected to have the same value for attribute {name!r}.")
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful = layer.stateful

    def build(self, sequences_shape: Sizes | None = None, initial_state_shape: Sizes | None = None) -> None:
        """Make the weights of both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer._build_once(sequences_shape)
        self._built = True

    def call(
        self,
        sequences: Tensor,
        initial_state: Nested | None = None,
        mask: TensorLike | None = None,
        training: bool | None = None,
    ) -> Any:
        """Return both layers' outputs, merged, and with ``return_state`` the states of both."""
        given = nest.flatten(initial_state) if initial_state is not None else []
        half, found = len(given) // 2, []
        for layer, states in ((self.forward_layer, given[:half]), (self.backward_layer, given[half:])):
            found.append(layer(sequences, initial_state=states or None, mask=mask, training=training))
        (y, *ends), (back, *back_ends) = found if self.return_state else ([y] for y in found)
        if self.return_sequences:
            back = array.reverse(back, [1])
        merged = self._merged(y, back)
        if not self.return_state:
            return merged
        return (*merged, *ends, *back_ends) if self.merge_mode is None else (merged, *ends, *back_ends)

    def _merged(self, y: Tensor, back: Tensor) -> Any:
        if self.merge_mode == "concat":
            return array.concat([y, back], -1)
        if self.merge_mode == "sum":
            return y + back
        if self.merge_mode == "ave":
            return (y + back) / 2.0
        return y * back if self.merge_mode == "mul" else (y, back)

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return the mask for all outputs, if these are returned; states have none."""
        given = nest.flatten(previous_mask)[0] if self.return_sequences else None
        outputs = [given, given] if self.merge_mode is None else [given]
        if not self.return_state:
            return outputs if self.merge_mode is None else given
        return [*outputs, *[None] * (2 * len(nest.flatten(self.forward_layer.state_size)))]

    def reset_state(self) -> None:
        """Set the states of stateful layers to zero."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    @property
    def states(self) -> Any:
        """The states in which the last batch has ended, if stateful."""
        pairs = self.forward_layer.states, self.backward_layer.states
        return None if pairs[0] is None else (*pairs[0], *pairs[1])

    def get_config(self) -> dict[str, Any]:
        """Return the layers."""
        config = super().get_config()
        return {**config, "backward_layer": registry.serialize(self.backward_layer) if self._own_backward else None}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one of what `get_config` returned."""
        back = config.get("backward_layer")
        made = None if back is None else restoring.deserialize(back, custom_objects)
        return super().from_config({**config, "backward_layer": made}, custom_objects)


def _again(layer: RNN, name: str, go_backwards: bool) -> Any:
    """Return a layer made anew from another's configuration; of several outputs those that do not count are 0."""
    made = type(layer).from_config({**layer.get_config(), "name": name, "go_backwards": go_backwards})
    made.zero_output_for_mask = made.zero_output_for_mask or made.return_sequences
    return made
