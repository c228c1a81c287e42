"""Against numbers that Keras 3.15's layers gave: see record_layers.py beside this file."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "layers-keras-3.15.json").read_text())


def recorder():
    spec = importlib.util.spec_from_file_location("keras_record_layers", HERE / "record_layers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def different(ours: dict, theirs: dict) -> list[str]:
    wrong = [f"not in both: {ours.keys() ^ theirs.keys()}"] if ours.keys() != theirs.keys() else []
    for key in theirs.keys() & ours.keys():
        pairs = [(np.asarray(a, dtype=float), np.asarray(b, dtype=float)) for a, b in zip(ours[key], theirs[key], strict=True)]
        if not all(a.shape == b.shape and np.allclose(a, b, rtol=3e-5, atol=3e-6) for a, b in pairs):
            wrong.append(f"{key}: {[np.asarray(a).tolist() for a in ours[key]]} and not {theirs[key]}")
    return wrong


def test_values_are_those_of_keras():
    assert different(recorder().values(tf.keras), RECORDED["values"]) == []


def test_weights_have_the_names_and_shapes_of_keras():
    assert recorder().paths(tf.keras) == RECORDED["paths"]


def test_configurations_have_what_those_of_keras_have():
    ours = recorder().arguments(tf.keras)
    left_out = {
        "Embedding": {"quantization_config", "activity_regularizer"},
    }
    missing = {name: set(keys) - set(ours[name]) - left_out.get(name, set()) for name, keys in RECORDED["arguments"].items()}
    assert {name: keys for name, keys in missing.items() if keys} == {}


def graph_values(call, x):
    with tf.Graph().as_default():
        place = tf.compat.v1.placeholder(tf.float32, x.shape)
        y = call(place)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            return session.run(y, {place: x})


ROADS = "conv1d_causal conv2d_same conv2d_transpose separable2d max2d_same average2d_same up2d_bilinear pad2d crop2d group einsum"


@pytest.mark.parametrize("executor", ["numpy", "native", "xla"])
@pytest.mark.parametrize("name", ROADS.split())
def test_functions_have_the_values_of_eager_layers(name, executor):
    layer, x = recorder().spatial(tf.keras)[name]
    expected = layer(x).numpy()
    tf.config.set_executor(executor)
    try:
        found = tf.function(layer)(tf.constant(x)).numpy()
    finally:
        tf.config.set_executor("native")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["conv1d", "conv2d_transpose", "max2d", "global_average1d"])
def test_sessions_have_the_values_of_eager_layers(name):
    expected = recorder().spatial(tf.keras)[name][0](recorder().spatial(tf.keras)[name][1]).numpy()
    layer, x = recorder().spatial(tf.keras)[name]
    np.testing.assert_allclose(graph_values(layer, x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("executor", ["numpy", "xla"])
@pytest.mark.parametrize("name", ["simple", "gru", "lstm", "stacked"])
def test_recurrent_layers_are_loops_in_functions(name, executor):
    records = recorder()
    layer = records.cells(tf.keras)[name](return_sequences=True, return_state=True)
    mask = tf.constant(records.MASK)
    expected = records.leaves(layer(records.SEQUENCE, mask=mask))
    traced = tf.function(lambda x: layer(x, mask=mask), input_signature=[tf.TensorSpec([None, None, 4])])
    tf.config.set_executor(executor)
    try:
        found = records.leaves(traced(tf.constant(records.SEQUENCE)))
    finally:
        tf.config.set_executor("native")
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_states_stay_from_batch_to_batch():
    layer = tf.keras.layers.LSTM(2, stateful=True)
    x = np.cos(np.arange(24.0)).reshape(2, 4, 3).astype("float32")
    whole = tf.keras.layers.LSTM(2)
    expected = whole(x).numpy()
    layer(x[:, :2])
    layer.reset_state()
    layer.set_weights(whole.get_weights())
    step = tf.function(layer)
    step(tf.constant(x[:, :2]))
    np.testing.assert_allclose(step(tf.constant(x[:, 2:])).numpy(), expected, rtol=1e-5)
    assert len(layer.weights) == 3


def test_dropout_keeps_its_mask_from_step_to_step():
    """Of one draw: with kernel 1 and no state, all steps of a channel are kept or dropped together."""
    ones = {"kernel_initializer": "identity", "recurrent_initializer": "zeros"}
    layer = tf.keras.layers.SimpleRNN(64, "linear", dropout=0.5, return_sequences=True, **ones)
    x = tf.ones([1, 5, 64])
    np.testing.assert_array_equal(layer(x).numpy(), np.ones((1, 5, 64)))
    for call in (layer, tf.function(layer)):
        y = call(x, training=True).numpy()[0]
        assert set(np.unique(y)) == {0.0, 2.0} and (y == y[0]).all()


@pytest.mark.parametrize("name", ["SpatialDropout1D", "AlphaDropout"])
def test_dropouts(name):
    layer, x = getattr(tf.keras.layers, name)(0.5), tf.random.normal([2000, 3, 4], seed=1)
    y = layer(x, training=True).numpy()
    np.testing.assert_array_equal(layer(x).numpy(), x.numpy())
    if name == "AlphaDropout":
        assert abs(y.mean()) < 0.05 and abs(y.std() - 1) < 0.05
    else:
        gone = y == 0
        assert (gone == gone[:, :1]).all() and 0.45 < gone.mean() < 0.55


def test_models_of_these_layers_are_saved_and_made_again(tmp_path):
    K = tf.keras.layers
    x = tf.keras.Input((6, 3))
    y = K.MaxPooling1D()(K.Conv1D(4, 2, padding="same", activation="tanh")(x))
    y = K.Bidirectional(K.GRU(3, return_sequences=True))(y)
    y = K.TimeDistributed(K.Dense(2))(K.MultiHeadAttention(2, 2)(y, y))
    y = K.RNN(K.StackedRNNCells([K.LSTMCell(3), K.SimpleRNNCell(2)]))(y)
    model = tf.keras.Model(x, y)
    data = np.cos(np.arange(36.0)).reshape(2, 6, 3).astype("float32")
    model.save(tmp_path / "model.keras")
    again = tf.keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(data).numpy(), model(data).numpy())
    assert [w.path for w in again.weights] == [w.path for w in model.weights]


REFUSED = {
    "filters": lambda K: K.Conv2D(0, 3), "kernel_size": lambda K: K.Conv2D(2, (1, 2, 3)),
    "padding": lambda K: K.Conv2D(2, 2, padding="causal"), "strides > 1": lambda K: K.Conv2D(2, 3, strides=2, dilation_rate=2),
    "divisible by the number of groups": lambda K: K.Conv2D(3, 3, groups=2), "units": lambda K: K.LSTM(0),
    "batch size must be static": lambda K: K.LSTM(2, stateful=True)(tf.keras.Input((3, 2))),
    "pool_size": lambda K: K.MaxPooling2D((1, 2, 3)), "list of inputs": lambda K: K.Attention()(tf.ones([2, 3, 4])),
    "score_mode": lambda K: K.Attention(score_mode="x"), "`call` method": lambda K: K.RNN(3),
    "ndim": lambda K: K.LSTM(2)(np.ones((2, 3), "float32")), "multiple of": lambda K: K.GroupNormalization(3)(tf.ones([2, 4])),
    "recurrent layer": lambda K: K.Bidirectional(K.Dense(2)), "TimeDistributed": lambda K: K.TimeDistributed(3),
    "smaller than the input": lambda K: K.Cropping1D((3, 3))(tf.ones([1, 4, 1])),
    "undefined": lambda K: K.LSTM(2, unroll=True)(tf.keras.Input((None, 2))),
    "merge mode": lambda K: K.Bidirectional(K.GRU(1), "x"),
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_fit_is_refused(text):
    with pytest.raises(ValueError, match=text):
        REFUSED[text](tf.keras.layers)
