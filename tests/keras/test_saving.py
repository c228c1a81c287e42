"""Files of weights: slots go to their variables, and what of an optimizer's state was not restored is said."""

import re
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.keras import weights as files
from wengert.train import archive

X, Y = np.linspace(-1.0, 1.0, 8, dtype="float32").reshape(4, 2), np.ones((4, 1), "float32")


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = tf.Variable(1.0), tf.Variable(1.0)
        self.optimizer = tf.keras.optimizers.Adam(0.1)

    def step(self, order):
        chosen = [getattr(self, name) for name in order]
        with tf.GradientTape() as tape:
            loss = 100.0 * self.a + 0.01 * self.b * self.b
        self.optimizer.apply_gradients(zip(tape.gradient(loss, chosen), chosen, strict=True))
        return [self.a.numpy(), self.b.numpy()]


def dense(units=1, compiled=True):
    model = tf.keras.Sequential([tf.keras.layers.Dense(units, input_shape=(2,), kernel_initializer="ones")])
    if compiled:
        model.compile(tf.keras.optimizers.Adam(0.1), "mse")
    return model


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_slots_go_to_their_variables(order, tmp_path: Path):
    one, two = Net(), Net()
    for _ in range(3):
        one.step("ba")
    one.save_weights(tmp_path / "w")
    two.load_weights(tmp_path / "w").assert_consumed()
    assert two.step(order) == one.step("ba")


def test_an_optimizer_that_comes_later(tmp_path: Path):
    one = dense()
    one.fit(X, Y, epochs=3, verbose=0)
    one.save(tmp_path / "m.keras")
    one.save_weights(tmp_path / "w")
    two, three = tf.keras.models.load_model(tmp_path / "m.keras", compile=False), dense(compiled=False)
    three.load_weights(tmp_path / "w")
    for model in (two, three):
        model.compile(tf.keras.optimizers.Adam(0.5), "mse")
    for model in (one, two, three):
        model.fit(X, Y, epochs=2, verbose=0)
    for a, b, c in zip(one.get_weights(), two.get_weights(), three.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_a_model_that_gets_no_optimizer_says_nothing(tmp_path: Path, caplog):
    one = dense()
    one.fit(X, Y, verbose=0)
    one.save_weights(tmp_path / "w")
    two = dense(compiled=False)
    status = two.load_weights(tmp_path / "w")
    with pytest.raises(AssertionError, match=r"optimizer\.iteration"):
        status.assert_consumed()
    del two, status
    assert not caplog.records


def test_numbers_of_slots_that_differ_are_said(tmp_path: Path):
    one, two = Net(), Net()
    one.step("a")
    one.save_weights(tmp_path / "w")
    with pytest.warns(UserWarning, match=r"optimizer has optimizer.b:momentum, optimizer.b:velocity, which the file has not"):
        two.load_weights(tmp_path / "w")
    one.step("ab")
    one.save_weights(tmp_path / "w")
    three = Net()
    three.optimizer.build([three.b])
    with pytest.warns(UserWarning, match=r"the file has optimizer.a:momentum, optimizer.a:velocity, which go to no variable"):
        status = three.load_weights(tmp_path / "w")
    assert three.step("ba") == one.step("ab")  # they waited
    status.assert_consumed()


def older(path, sizes):
    """Write the weights of a model of two variables with an optimizer's state by places, as it was once."""
    slots = {f"optimizer.{2 + 2 * i + k}": np.full(s, 10.0 * i + k, "float32") for i, s in enumerate(sizes) for k in (0, 1)}
    weights = {name: np.zeros(s, "float32") for name, s in zip("ab", sizes, strict=True)}
    counts = {"optimizer.0": np.asarray(np.int64(3)), "optimizer.1": np.asarray(np.float32(0.25))}
    files._write(str(path), {**weights, **counts, **slots}, {"format": files.FORMAT})


def test_an_older_file_where_there_is_no_doubt(tmp_path: Path):
    class Two(tf.keras.Model):
        def __init__(self, sizes):
            super().__init__()
            self.a, self.b = tf.Variable(tf.zeros(sizes[0])), tf.Variable(tf.zeros(sizes[1]))
            self.optimizer = tf.keras.optimizers.Adam(0.1)

    older(tmp_path / "w", [(2,), (3,)])
    one = Two([(2,), (3,)])
    one.load_weights(tmp_path / "w")
    assert [v.numpy().ravel()[0] for v in one.optimizer.variables] == [3, 0.25, 0.0, 1.0, 10.0, 11.0]
    older(tmp_path / "v", [(2,), (2,)])
    two = Two([(2,), (2,)])
    with pytest.warns(UserWarning, match="the file has optimizer.2, optimizer.3, optimizer.4 and 1 more"):
        two.load_weights(tmp_path / "v").expect_partial()
    assert [v.numpy().ravel()[0] for v in two.optimizer.variables] == [3, 0.25, 0.0, 0.0, 0.0, 0.0]


# --- damage ---------------------------------------------------------------------------------------------------------------


def small():
    model = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5"])
def test_a_bit_that_has_flipped_is_found(name, tmp_path: Path):
    model, other = small(), small()
    path = tmp_path / name
    (model.save if name.endswith(".keras") else model.save_weights)(path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    before = [v.numpy() for v in (*other.weights, *other.optimizer.variables)]
    found = 0
    for at in rng.integers(0, 8 * len(whole), 100):
        blob = bytearray(whole)
        blob[at // 8] ^= 1 << at % 8
        path.write_bytes(blob)
        for load in (other.load_weights, *[tf.keras.models.load_model] * name.endswith(".keras")):
            try:
                loaded = load(path)
            except ValueError as error:
                assert str(path) in str(error)
                found += 1
                continue
            loaded = loaded if load is tf.keras.models.load_model else other
            assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True))
            other.set_weights(before[:2])
        assert all(np.array_equal(a, v.numpy()) for a, v in zip(before[:2], other.weights, strict=True))
    assert found > 90


@pytest.mark.parametrize(
    "architecture",
    [
        "[" * 100_000 + "]" * 100_000, "{", "null", "3", "[]", "{}", '"Dense"', '{"class_name": "Nothing"}', '{"class_name": 3}',
        '{"class_name": "__builtins__"}', '{"class_name": "__loader__"}', '{"class_name": "Sequential", "config": 3}',
        '{"class_name": "Sequential", "config": {"layers": 3}}', '{"class_name": "Sequential", "config": {"layers": [null]}}',
        '{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"units": "many"}}]}}',
        '{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"units": -1}}]}}',
        '{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"unit": 1}}]}}',
        '{"class_name": "Dense", "config": {"units": 1e400}}',
        '{"class_name": "Functional", "config": {"layers": [], "nodes": [[9]]}}',
        '{"class_name": "Functional", "config": {}}', '{"class_name": "Model", "config": {"layers": {"a": 1}}}',
    ],
    ids=range(21),
)  # fmt: skip
def test_architectures_that_are_none(architecture, tmp_path: Path):
    path = tmp_path / "m.keras"
    archive.dump(str(path), {"layers.0.kernel": np.zeros((3, 2), "f4")}, {"format": files.FORMAT, "architecture": architecture})
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        tf.keras.models.load_model(path)
    assert len(str(caught.value)) < 1000


def test_a_class_of_the_programs_own_is_made_of_the_arguments_that_it_was_given(tmp_path):
    """Without a get_config(): a layer that was made again of its defaults would compute something else, and say nothing."""

    @tf.keras.saving.register_keras_serializable("arguments")
    class Scaled(tf.keras.layers.Layer):
        def __init__(self, units, scale=1.0, **keywords):
            super().__init__(**keywords)
            self.units, self.scale = units, scale

        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], self.units), name="w", initializer="ones")

        def call(self, x):
            return self.scale * x @ self.w

    @tf.keras.saving.register_keras_serializable("arguments")
    class Twice(tf.keras.Model):
        def __init__(self, n):
            super().__init__()
            self.first, self.second = Scaled(n, scale=3.0), Scaled(2)

        def call(self, x):
            return self.second(self.first(x))

    x, data = tf.keras.Input((3,)), np.ones((2, 3), "float32")
    functional, subclass = tf.keras.Model(x, Scaled(4, 5.0)(x)), Twice(4)
    for name, model in (("functional", functional), ("subclass", subclass)):
        expected = model(data).numpy()
        for end in ("keras", "safetensors"):
            model.save(tmp_path / f"{name}.{end}")
            again = tf.keras.models.load_model(tmp_path / f"{name}.{end}")
            np.testing.assert_array_equal(again(data).numpy(), expected)
    assert functional.layers[1].get_config()["scale"] == 5.0

    class Held(tf.keras.layers.Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

    with pytest.raises(NotImplementedError, match=r"inner=.*get_config"):
        tf.keras.Sequential([Held(tf.keras.layers.Dense(1))]).save(tmp_path / "held.keras")


def test_a_layer_that_states_compute_mask_hands_masks_on():
    class Halves(tf.keras.layers.Layer):
        def call(self, inputs):
            return tf.split(inputs, 2, axis=1)

        def compute_mask(self, inputs, mask=None):
            return None if mask is None else tf.split(mask, 2, axis=1)

    words = tf.keras.layers.Embedding(5, 2, mask_zero=True)(np.array([[1, 2, 3, 0]]))
    first, second = Halves()(words)
    assert first._keras_mask.numpy().tolist() == [[True, True]] and second._keras_mask.numpy().tolist() == [[True, False]]


def test_layers_stand_in_the_order_of_keras():
    """What Keras 3.15 gives as `layers`, and so as the order of `get_weights`: by the way to the outputs, not by the calls."""
    L = tf.keras.layers
    x, z, unused = (tf.keras.Input((4,), name=name) for name in ("x", "z", "unused"))
    a = L.Dense(3, name="a")(x)
    b, c = L.Dense(3, name="b")(a), L.Dense(3, name="c")(x)
    e = L.Dense(3, name="e")(L.Dense(3, name="d")(z))
    shared = L.Dense(4, name="sh")
    once = shared(x)
    both = L.Concatenate(name="k")([a, e])
    models = {
        "x a b c s": tf.keras.Model(x, L.Add(name="s")([b, c])),
        "x a c b s": tf.keras.Model(x, L.Add(name="s")([c, b])),
        "z x d a e k b": tf.keras.Model([x, z], [both, b]),
        "z x d a e b k": tf.keras.Model([z, x], [b, both]),
        "x sh q p": tf.keras.Model(x, L.Add(name="p")([shared(once), L.Dense(4, name="q")(once)])),
        "x unused a": tf.keras.Model([x, unused], a),
    }
    assert [" ".join(layer.name for layer in model.layers) for model in models.values()] == list(models)
