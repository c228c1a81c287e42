"""Masks: who makes them, who hands them on, and what takes them; sequences of different lengths."""

import numpy as np
import pytest

import wengert as tf

keras, L = tf.keras, tf.keras.layers
WORDS = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])


class Mean(L.Layer):
    """The mean of the steps that count; it cannot do without a mask."""

    supports_masking = True

    def call(self, inputs, mask=None):
        counted = tf.cast(mask[..., None], inputs.dtype)
        return tf.reduce_sum(inputs * counted, 1) / tf.reduce_sum(counted, 1)

    def compute_mask(self, inputs, previous_mask=None):
        return None


class Halved(L.Layer):
    """Every other step."""

    supports_masking = True

    def call(self, inputs):
        return inputs[:, ::2]

    def compute_mask(self, inputs, previous_mask=None):
        return None if previous_mask is None else previous_mask[:, ::2]


def test_a_functional_model_hands_masks_on_to_layers_of_ones_own():
    table = L.Embedding(5, 3, mask_zero=True)
    x = keras.Input((4,), dtype="int32")
    model = keras.Model(x, Mean()(Halved()(L.Dense(3, kernel_initializer="identity")(table(x)))))
    rows = table.embeddings.numpy()
    np.testing.assert_allclose(model(WORDS).numpy(), rows[[1, 3]], rtol=1e-6)
    np.testing.assert_allclose(tf.function(model)(tf.constant(WORDS)).numpy(), rows[[1, 3]], rtol=1e-6)


def test_a_layer_that_knows_no_masks_says_that_it_loses_one():
    rows = L.Embedding(5, 3, mask_zero=True)(WORDS)
    with pytest.warns(UserWarning, match=r"Layer 'conv1d' \(of type Conv1D\) was passed an input with a mask"):
        y = L.Conv1D(2, 2)(rows)
    assert getattr(y, "_keras_mask", None) is None


def test_masked_steps_have_no_derivative():
    layer, x = L.GRU(2), tf.constant(np.ones((2, 4, 3), "float32"))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x, mask=tf.constant(WORDS != 0)))
    steps = np.abs(tape.gradient(y, x).numpy()).sum(-1) > 0
    np.testing.assert_array_equal(steps, WORDS != 0)


def test_an_initial_state_lets_the_mask_of_the_sequence_be_forgotten():
    """As in Keras; given as an argument it counts."""
    rows, layer = L.Embedding(5, 3, mask_zero=True)(WORDS), L.SimpleRNN(2)
    state = tf.zeros([2, 2])
    plain = layer(tf.identity(rows)).numpy()
    np.testing.assert_array_equal(layer(rows, initial_state=state).numpy(), plain)
    np.testing.assert_array_equal(layer(rows, initial_state=state, mask=rows._keras_mask).numpy(), layer(rows).numpy())


def test_training_counts_the_steps_that_the_mask_leaves():
    x = keras.Input((4,), dtype="int32")
    y = L.Dense(1, kernel_initializer="ones")(L.Embedding(5, 3, mask_zero=True)(x))
    model = keras.Model(x, y)
    model.compile("sgd", "mse", metrics=["mse"])
    error = (model(WORDS).numpy()[..., 0] - 1.0) ** 2
    history = model.fit(WORDS, np.ones((2, 4, 1)), verbose=0, batch_size=2).history
    np.testing.assert_allclose([history["loss"][0], history["mse"][0]], error[WORDS != 0].mean(), rtol=1e-5)


SEQUENCES = [[1, 2, 3], [4], []]


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({}, [[1, 2, 3], [0, 0, 4], [0, 0, 0]]),
        ({"maxlen": 2}, [[2, 3], [0, 4], [0, 0]]),
        ({"maxlen": 2, "truncating": "post", "padding": "post", "value": -1}, [[1, 2], [4, -1], [-1, -1]]),
        ({"maxlen": 4, "padding": "post", "dtype": "float32"}, [[1, 2, 3, 0], [4, 0, 0, 0], [0, 0, 0, 0]]),
    ],
)
def test_pad_sequences(keywords, expected):
    found = keras.utils.pad_sequences(SEQUENCES, **keywords)
    assert found.tolist() == expected and found.dtype == keywords.get("dtype", "int32")
    assert keras.preprocessing.sequence.pad_sequences is keras.utils.pad_sequences


@pytest.mark.parametrize(
    ("sequences", "keywords", "text"),
    [
        (3, {}, "`sequences` must be iterable"),
        ([1, 2], {}, "Found non-iterable: 1"),
        ([[1]], {"padding": "x"}, 'Padding type "x" not understood'),
        ([[1, 2]], {"truncating": "x", "maxlen": 1}, 'Truncating type "x" not understood'),
        ([[[1, 2]], [[1]]], {}, "at position 1 is different"),
        ([["a"]], {"value": "b"}, "dtype=object"),
    ],
)
def test_pad_sequences_refuses(sequences, keywords, text):
    with pytest.raises(ValueError, match=text):
        keras.utils.pad_sequences(sequences, **keywords)
