"""Keras over datasets: `fit`, `evaluate` and `predict` see what the arrays would give them."""

import numpy as np
import pytest

import wengert as tf

keras = tf.keras
D = tf.data.Dataset
X = np.linspace(-1.0, 1.0, 32, dtype=np.float32)[:, None]
Y = 2.0 * X - 1.0


@pytest.fixture(autouse=True)
def anew():
    keras.utils.set_random_seed(1)
    yield
    tf.random.set_seed(None)


def model(**more):
    made = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    made.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", **more)
    return made


def test_as_the_arrays():
    by_arrays, by_dataset = model(), model()
    by_dataset.set_weights(by_arrays.get_weights())
    dataset = D.from_tensor_slices((X, Y)).batch(8)
    one = by_arrays.fit(X, Y, batch_size=8, epochs=3, shuffle=False, validation_data=(X, Y), verbose=0).history
    other = by_dataset.fit(dataset, epochs=3, validation_data=dataset, verbose=0).history
    assert list(one) == list(other)
    for name in one:
        assert np.allclose(one[name], other[name], rtol=1e-5)
    assert np.isclose(by_dataset.evaluate(dataset, verbose=0), by_arrays.evaluate(X, Y, batch_size=8, verbose=0), rtol=1e-5)
    assert np.allclose(by_dataset.predict(dataset, verbose=0), by_arrays.predict(X, verbose=0), atol=1e-6)
    assert np.allclose(
        by_dataset.predict(D.from_tensor_slices(X).batch(5), verbose=0), by_arrays.predict(X, verbose=0), atol=1e-6
    )


def test_weights_and_named_inputs():
    a, b = keras.Input([1], name="a"), keras.Input([1], name="b")
    made = keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(keras.layers.Concatenate()([a, b])))
    made.compile(optimizer="sgd", loss="mse")
    w = np.ones((32,), np.float32)
    history = made.fit(D.from_tensor_slices(({"a": X, "b": -X}, Y, w)).batch(16), epochs=2, verbose=0).history
    assert len(history["loss"]) == 2 and history["loss"][1] < history["loss"][0]


@pytest.mark.parametrize("unknown", [False, True])
def test_endless_and_of_unknown_length(unknown):
    steps = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    dataset = D.from_tensor_slices((X, Y)).shuffle(32).batch(8)
    if unknown:
        model().fit(dataset.filter(lambda x, y: tf.shape(x)[0] > 0), epochs=2, callbacks=[count], verbose=0)
        assert steps == [0, 1, 2, 3] * 2
    else:
        model().fit(dataset.repeat(), epochs=2, steps_per_epoch=5, callbacks=[count], verbose=0)
        assert steps == [0, 1, 2, 3, 4] * 2
