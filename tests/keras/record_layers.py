"""Records what Keras's layers answer: `python tests/keras/record_layers.py > tests/keras/layers-keras-3.15.json`.

The functions below use nothing but names that both have; the tests call them with `wengert.keras` in Keras's place.
"""

import json
import sys

import numpy as np

rng = np.random.RandomState(11)
SEQUENCE, IMAGE = rng.randn(2, 5, 4).astype("float32"), rng.randn(2, 5, 6, 4).astype("float32")
VOLUME = rng.randn(1, 4, 5, 3, 2).astype("float32")
MASK = np.array([[True, True, False, True, False], [False, True, True, True, True]])
STATE = rng.randn(2, 3).astype("float32")


class Fixed:
    """Deterministic weights, which differ from layer to layer by nothing but their shape."""

    def __call__(self, shape, dtype=None):
        n = int(np.prod(shape))
        return (np.cos(1.0 + 0.7 * np.arange(n)) * 0.6).reshape(shape).astype("float32")

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()


def spatial(keras):
    L, k = keras.layers, Fixed()
    conv = {"kernel_initializer": k, "bias_initializer": k}
    depth = {"depthwise_initializer": k, "bias_initializer": k}
    both = {**depth, "pointwise_initializer": k}
    return {
        "conv1d": (L.Conv1D(3, 2, activation="tanh", **conv), SEQUENCE),
        "conv1d_same": (L.Conv1D(3, 3, strides=2, padding="same", **conv), SEQUENCE),
        "conv1d_causal": (L.Conv1D(3, 2, padding="causal", dilation_rate=2, **conv), SEQUENCE),
        "conv1d_groups": (L.Conv1D(4, 2, groups=2, use_bias=False, **conv), SEQUENCE),
        "conv2d": (L.Conv2D(3, (2, 3), **conv), IMAGE),
        "conv2d_same": (L.Conv2D(3, 3, strides=(2, 3), padding="same", **conv), IMAGE),
        "conv2d_dilated": (L.Conv2D(2, 2, dilation_rate=2, padding="same", **conv), IMAGE),
        "conv3d": (L.Conv3D(2, 2, **conv), VOLUME),
        "conv3d_same": (L.Conv3D(2, (2, 3, 1), strides=2, padding="same", **conv), VOLUME),
        "conv1d_transpose": (L.Conv1DTranspose(3, 3, strides=2, **conv), SEQUENCE),
        "conv1d_transpose_same": (L.Conv1DTranspose(3, 2, strides=3, padding="same", **conv), SEQUENCE),
        "conv1d_transpose_wide": (L.Conv1DTranspose(2, 2, strides=3, padding="valid", **conv), SEQUENCE),
        "conv1d_transpose_output": (L.Conv1DTranspose(3, 3, strides=2, padding="same", output_padding=1, **conv), SEQUENCE),
        "conv1d_transpose_valid": (L.Conv1DTranspose(3, 3, strides=2, output_padding=1, **conv), SEQUENCE),
        "conv2d_transpose": (L.Conv2DTranspose(2, 3, strides=2, padding="same", **conv), IMAGE),
        "conv2d_transpose_valid": (L.Conv2DTranspose(2, (2, 3), strides=(1, 2), **conv), IMAGE),
        "conv3d_transpose": (L.Conv3DTranspose(2, 2, strides=2, padding="same", **conv), VOLUME),
        "depthwise1d": (L.DepthwiseConv1D(2, depth_multiplier=2, padding="same", **depth), SEQUENCE),
        "depthwise2d": (L.DepthwiseConv2D(3, strides=2, depth_multiplier=2, padding="same", **depth), IMAGE),
        "separable1d": (L.SeparableConv1D(3, 2, depth_multiplier=2, **both), SEQUENCE),
        "separable2d": (L.SeparableConv2D(3, 2, padding="same", **both), IMAGE),
        "max1d": (L.MaxPooling1D(2), SEQUENCE), "max1d_same": (L.MaxPooling1D(3, 2, "same"), SEQUENCE),
        "max2d": (L.MaxPooling2D((2, 3)), IMAGE), "max2d_same": (L.MaxPooling2D(3, strides=2, padding="same"), IMAGE),
        "max3d": (L.MaxPooling3D(2), VOLUME), "average1d": (L.AveragePooling1D(2), SEQUENCE),
        "average1d_same": (L.AveragePooling1D(3, 2, "same"), SEQUENCE), "average2d": (L.AveragePooling2D(2), IMAGE),
        "average2d_same": (L.AveragePooling2D(3, strides=2, padding="same"), IMAGE), "average3d": (L.AveragePooling3D(2), VOLUME),
        "global_max1d": (L.GlobalMaxPooling1D(), SEQUENCE), "global_max2d": (L.GlobalMaxPooling2D(keepdims=True), IMAGE),
        "global_max3d": (L.GlobalMaxPooling3D(), VOLUME), "global_average1d": (L.GlobalAveragePooling1D(), SEQUENCE),
        "global_average2d": (L.GlobalAveragePooling2D(), IMAGE),
        "global_average3d": (L.GlobalAveragePooling3D(keepdims=True), VOLUME),
        "up1d": (L.UpSampling1D(2), SEQUENCE), "up2d": (L.UpSampling2D((2, 3)), IMAGE),
        "up2d_bilinear": (L.UpSampling2D((2, 3), interpolation="bilinear"), IMAGE), "up3d": (L.UpSampling3D((1, 2, 3)), VOLUME),
        "pad1d": (L.ZeroPadding1D((1, 2)), SEQUENCE), "pad2d": (L.ZeroPadding2D(((1, 0), (2, 1))), IMAGE),
        "pad2d_pair": (L.ZeroPadding2D((1, 2)), IMAGE), "pad3d": (L.ZeroPadding3D(1), VOLUME),
        "crop1d": (L.Cropping1D((1, 2)), SEQUENCE), "crop2d": (L.Cropping2D(((1, 0), (2, 1))), IMAGE),
        "crop3d": (L.Cropping3D(((1, 0), (0, 2), (1, 1))), VOLUME),
        "group": (L.GroupNormalization(2, gamma_initializer=k, beta_initializer=k), IMAGE),
        "group_each": (L.GroupNormalization(-1), IMAGE), "rms": (L.RMSNormalization(), SEQUENCE),
        "rms_axes": (L.RMSNormalization(axis=(1, 2)), SEQUENCE),
        "einsum": (L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="e", **conv), SEQUENCE),
        "einsum_ellipsis": (L.EinsumDense("...x,xy->...y", 3, activation="tanh", **conv), SEQUENCE),
    }  # fmt: skip


def cells(keras):
    L, k = keras.layers, Fixed()
    made = {"kernel_initializer": k, "recurrent_initializer": k, "bias_initializer": k}
    return {
        "simple": lambda **kw: L.SimpleRNN(3, **made, **kw), "gru": lambda **kw: L.GRU(3, **made, **kw),
        "gru_before": lambda **kw: L.GRU(3, reset_after=False, **made, **kw), "lstm": lambda **kw: L.LSTM(3, **made, **kw),
        "lstm_relu": lambda **kw: L.LSTM(3, "relu", "hard_sigmoid", False, unit_forget_bias=False, **made, **kw),
        "stacked": lambda **kw: L.RNN([L.LSTMCell(2, **made), L.GRUCell(3, **made), L.SimpleRNNCell(3, **made)], **kw),
    }  # fmt: skip


def recurrent(keras):
    found = {}
    ways = {
        "last": {}, "all": {"return_sequences": True}, "states": {"return_sequences": True, "return_state": True},
        "back": {"go_backwards": True, "return_sequences": True}, "unrolled": {"unroll": True},
        "zeros": {"zero_output_for_mask": True, "return_sequences": True},
    }  # fmt: skip
    for name, make in cells(keras).items():
        for way, keywords in ways.items():
            for label, mask in (("", None), ("_mask", MASK)):
                if way == "zeros" and (mask is None or name != "stacked"):
                    continue
                given = {} if mask is None else {"mask": keras.ops.convert_to_tensor(mask)}
                found[f"{name}_{way}{label}"] = leaves(make(**keywords)(SEQUENCE, **given))
    lstm = cells(keras)["lstm"]()
    found["initial_state"] = leaves(lstm(SEQUENCE, initial_state=[STATE, 2 * STATE]))
    stateful = cells(keras)["gru"](stateful=True)
    found["stateful"] = [leaves(stateful(SEQUENCE)), leaves(stateful(SEQUENCE))]
    stateful.reset_state()
    found["reset"] = leaves(stateful(SEQUENCE))
    return found


def leaves(value):
    if isinstance(value, list | tuple):
        return [one for v in value for one in leaves(v)]
    return [np.asarray(value)]


def wrapped(keras):
    L, k, found = keras.layers, "ones", {}
    made = {"kernel_initializer": k, "recurrent_initializer": k, "bias_initializer": k}
    small = SEQUENCE * 0.1
    for merge in ("concat", "sum", "mul", "ave", None):
        for sequences in (False, True):
            layer = L.Bidirectional(L.GRU(2, return_sequences=sequences, return_state=True, **made), merge_mode=merge)
            found[f"bidirectional_{merge}_{sequences}"] = leaves(layer(small, mask=keras.ops.convert_to_tensor(MASK)))
    layer = L.Bidirectional(L.LSTM(3, **made))
    found["bidirectional_state"] = leaves(layer(small, initial_state=[STATE, STATE, 2 * STATE, -STATE]))
    found["time_dense"] = leaves(L.TimeDistributed(L.Dense(3, kernel_initializer=k))(SEQUENCE))
    found["time_conv"] = leaves(L.TimeDistributed(L.Conv1D(2, 2, kernel_initializer=k))(IMAGE))
    return found


def attention(keras):
    L, k, found = keras.layers, Fixed(), {}
    query, value, key = SEQUENCE[:, :3], SEQUENCE, np.cos(SEQUENCE)
    of_query, of_value = keras.ops.convert_to_tensor(MASK[:, :3]), keras.ops.convert_to_tensor(MASK)
    ways = {
        "": {}, "_mask": {"mask": [of_query, of_value]}, "_causal": {"use_causal_mask": True},
        "_both": {"mask": [None, of_value], "use_causal_mask": True},
    }  # fmt: skip
    kinds = {
        "dot": lambda: L.Attention(), "scaled": lambda: L.Attention(use_scale=True),
        "concat": lambda: L.Attention(score_mode="concat", use_scale=True),
        "additive": lambda: L.AdditiveAttention(use_scale=False),
    }  # fmt: skip
    for name, make in kinds.items():
        for way, given in ways.items():
            found[name + way] = leaves(make()([query, value, key], return_attention_scores=True, **given))
    made = {"kernel_initializer": k, "bias_initializer": k}
    heads = {
        "heads": lambda: L.MultiHeadAttention(2, 3, **made), "value_dim": lambda: L.MultiHeadAttention(2, 3, value_dim=2, **made),
        "output": lambda: L.MultiHeadAttention(2, 3, output_shape=5, use_bias=False, **made),
    }  # fmt: skip
    ways = {
        "": {}, "_mask": {"query_mask": of_query, "value_mask": of_value}, "_causal": {"use_causal_mask": True},
        "_pairs": {"attention_mask": keras.ops.convert_to_tensor(np.broadcast_to(MASK[:, None], (2, 3, 5)))},
    }  # fmt: skip
    for name, make in heads.items():
        for way, given in ways.items():
            for scores in (False, True):
                found[f"{name}{way}{scores}"] = leaves(make()(query, value, key, return_attention_scores=scores, **given))
    layer = L.MultiHeadAttention(2, 3, attention_axes=(1, 2), **made)
    found["axes"] = leaves(layer(IMAGE[:, :2], IMAGE, return_attention_scores=True))
    layer = L.MultiHeadAttention(2, 3, attention_axes=2, **made)
    found["axis"] = leaves(layer(IMAGE, IMAGE, return_attention_scores=True))
    return found


def masked(keras):
    L, found = keras.layers, {}
    made = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
    words = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])

    def rows():
        return L.Embedding(5, 3, mask_zero=True, embeddings_initializer=Fixed())(words)

    def kept(value):
        return [np.asarray(value), np.asarray(value._keras_mask)]

    found["embedding"], found["masking"] = kept(rows()), kept(L.Masking(0.5)(np.array([[[0.5, 0.5], [0.5, 1.0]]], "float32")))
    found["dense"] = kept(L.Dense(2, kernel_initializer="ones")(L.Dropout(0.5)(rows())))
    found["lstm"] = kept(L.LSTM(2, return_sequences=True, **made)(rows()))
    found["bidirectional"] = kept(L.Bidirectional(L.LSTM(2, return_sequences=True, **made))(rows()))
    found["time"] = kept(L.TimeDistributed(L.Dense(2, kernel_initializer="ones"))(rows()))
    found["average"] = leaves(L.GlobalAveragePooling1D()(rows()[:, :])) + leaves(L.GlobalAveragePooling1D()(rows()))
    found["add"], found["concatenate"] = kept(L.Add()([rows(), rows()])), kept(L.Concatenate(axis=1)([rows(), rows()]))
    found["beside"] = kept(L.Concatenate()([rows(), keras.ops.ones((2, 4, 1))]))
    found["heads"] = kept(L.MultiHeadAttention(1, 2, kernel_initializer="ones")(rows(), rows()))
    found["attention"] = kept(L.Attention()([rows(), rows()]))
    found["softmax"] = leaves(L.Softmax()(SEQUENCE[0], mask=keras.ops.convert_to_tensor(SEQUENCE[0] > 0)))
    layer = L.BatchNormalization(momentum=0.5)
    found["batch"] = leaves(layer(SEQUENCE, training=True, mask=keras.ops.convert_to_tensor(MASK))) + layer.get_weights()
    x = keras.Input((None,), dtype="int32")
    y = L.Embedding(5, 3, mask_zero=True, embeddings_initializer=Fixed())(x)
    model = keras.Model(x, L.GRU(2, return_sequences=True, **made)(y))
    found["model"] = kept(model(words))
    model.compile("sgd", "mse", metrics=["mae"])
    found["evaluated"] = [np.asarray(v) for v in model.evaluate(words, np.ones((2, 4, 2)), verbose=0)]
    loss = keras.losses.MeanSquaredError
    for reduction in ("sum", "none", "sum_over_batch_size", "mean_with_sample_weight"):
        weights = np.array([[1.0, 2.0, 3.0, 4.0], [0.5, 0.0, 1.0, 1.0]], "float32")
        found[f"loss_{reduction}"] = [np.asarray(loss(reduction=reduction)(np.zeros((2, 4, 2)), model(words), w))
                                      for w in (None, weights)]  # fmt: skip
    return found


def paths(keras):
    """The weights of all layers: their names, and their shapes."""
    keras.backend.clear_session()
    L, found = keras.layers, {}
    layers = [layer for layer, _ in spatial(keras).values() if layer.name.startswith(("conv", "dep", "sep", "group"))]
    layers += [make() for make in cells(keras).values()]
    layers += [L.Bidirectional(L.LSTM(2)), L.TimeDistributed(L.Dense(3)), L.MultiHeadAttention(2, 3), L.AdditiveAttention()]
    for layer in layers:
        if isinstance(layer, L.MultiHeadAttention):
            layer(SEQUENCE, SEQUENCE)
        elif isinstance(layer, L.AdditiveAttention):
            layer([SEQUENCE, SEQUENCE])
        else:
            inputs = {"depthwise_conv2": IMAGE, "separable_conv2": IMAGE, "conv2": IMAGE, "conv3": VOLUME, "group": IMAGE}
            layer(next((x for start, x in inputs.items() if layer.name.startswith(start)), SEQUENCE))
        found[layer.name] = [[w.path, list(w.shape)] for w in layer.weights]
    return found


def arguments(keras):
    """The names of the arguments that make a layer again."""
    L = keras.layers
    made = [
        L.Conv2D(2, 3), L.Conv2DTranspose(2, 3), L.DepthwiseConv2D(3), L.SeparableConv2D(2, 3), L.MaxPooling2D(),
        L.GlobalAveragePooling1D(), L.UpSampling2D(), L.ZeroPadding2D(), L.Cropping2D(), L.SimpleRNN(3), L.GRU(3), L.LSTM(3),
        L.LSTMCell(3), L.GRUCell(3), L.SimpleRNNCell(3), L.RNN(L.LSTMCell(3)), L.StackedRNNCells([L.LSTMCell(3)]),
        L.Bidirectional(L.LSTM(3)), L.TimeDistributed(L.Dense(3)), L.Attention(), L.MultiHeadAttention(2, 3),
        L.GroupNormalization(), L.RMSNormalization(), L.Masking(), L.Embedding(3, 4, mask_zero=True),
    ]  # fmt: skip
    return {type(layer).__name__: sorted(layer.get_config()) for layer in made}


def values(keras):
    found = {name: leaves(layer(x)) for name, (layer, x) in spatial(keras).items()}
    for part in (recurrent, wrapped, attention, masked):
        found |= {f"{part.__name__}_{name}": leaves(value) for name, value in part(keras).items()}
    return found


if __name__ == "__main__":
    import keras

    numbers = {k: [np.round(v.astype("float64"), 7).tolist() for v in found] for k, found in values(keras).items()}
    recorded = {"keras": keras.__version__, "values": numbers, "paths": paths(keras), "arguments": arguments(keras)}
    json.dump(recorded, sys.stdout)
