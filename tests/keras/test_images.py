"""Layers of images, of categories and of fields, against what Keras 3.15's gave: see record_images.py beside this file."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "images-keras-3.15.json").read_text())
spec = importlib.util.spec_from_file_location("keras_record_images", HERE / "record_images.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)
L = tf.keras.layers


@pytest.mark.parametrize("name", RECORDED["images"])
def test_images_are_those_of_keras(name):
    found = record.both(name, record.images(tf.keras)[name])
    for ours, theirs in zip(found, RECORDED["images"][name], strict=True):
        # Numbers up to 255. Bicubic weights TensorFlow reads from a table: they agree to three digits.
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-4, atol=0.2 if "bicubic" in name else 5e-3)


def test_fields_are_those_of_keras():
    found = record.fields(tf.keras)
    assert found.keys() == RECORDED["fields"].keys()
    for name, values in found.items():
        for ours, theirs in zip(values, RECORDED["fields"][name], strict=True):
            np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-4, atol=2e-5, err_msg=name)


def test_categories_are_those_of_keras():
    found = {name: [record.told(v) for v in values] for name, values in record.categories(tf.keras).items()}
    theirs = RECORDED["categories"]
    assert found.keys() == theirs.keys()
    wrong = {}
    for name, values in found.items():
        for one, other in zip(values, theirs[name], strict=True):
            same = one[0] == other[0] and (
                one[1] == other[1] if one[0] == "string" else np.allclose(one[1], other[1], rtol=1e-5, atol=2e-6)
            )
            if not same:
                wrong[name] = (one, other)
    assert wrong == {}


def test_weights_have_the_names_and_shapes_of_keras():
    assert record.paths(tf.keras) == RECORDED["paths"]


def test_configurations_have_what_those_of_keras_have():
    ours = record.arguments(tf.keras)
    left_out = {"bounding_box_format", "has_input_vocabulary", "vocabulary_size"}
    missing = {name: set(keys) - set(ours[name]) - left_out for name, keys in RECORDED["arguments"].items()}
    assert {name: keys for name, keys in missing.items() if keys} == {}


# --- what is left to chance ---------------------------------------------------------------------------------------------------

IMAGES = np.random.default_rng(3).uniform(0, 255, (400, 4, 5, 3)).astype("float32")


@pytest.mark.parametrize(("mode", "turned"), [("horizontal", [2]), ("vertical", [1]), ("horizontal_and_vertical", [1, 2])])
def test_half_of_the_images_are_flipped(mode, turned):
    y = L.RandomFlip(mode, seed=1)(IMAGES).numpy()
    same = (y == IMAGES).all((1, 2, 3))
    assert ((y == np.flip(IMAGES, turned)).all((1, 2, 3)) | same).all()
    assert 0.4 < same.mean() < 0.6


def test_contrast_is_drawn_around_one():
    y = L.RandomContrast(0.4, (-1e9, 1e9), seed=1)(IMAGES).numpy()
    mean = IMAGES.mean((1, 2), keepdims=True)
    factors = ((y - mean) / (IMAGES - mean)).mean((1, 2, 3))
    np.testing.assert_allclose((IMAGES - mean) * factors[:, None, None, None] + mean, y, rtol=1e-3, atol=0.5)
    assert 0.6 <= factors.min() < 0.65 and 1.35 < factors.max() <= 1.4001 and abs(factors.mean() - 1) < 0.05


def test_each_image_is_turned_by_an_angle_of_its_own():
    same = np.repeat(IMAGES[:1], 40, axis=0)
    y = L.RandomRotation(0.2, seed=4)(same).numpy()
    assert len({tuple(one.ravel().tolist()) for one in y}) == 40


def test_crops_are_parts_of_the_image():
    places = set()
    layer = L.RandomCrop(2, 3, seed=1)
    for _ in range(40):
        y = layer(IMAGES[:2]).numpy()
        found = [(i, j) for i in range(3) for j in range(3) if (IMAGES[:2, i : i + 2, j : j + 3] == y).all()]
        assert len(found) == 1
        places |= set(found)
    assert len(places) == 9


@pytest.mark.parametrize("order", [0, 1])
def test_what_is_wrapped_goes_on_as_scipy_says(order):
    """TensorFlow wraps a place before it looks between pixels, and by another period: its values jump at each edge."""
    ndimage = pytest.importorskip("scipy.ndimage")
    x = IMAGES[0, :, :, 0].astype(float)
    matrix, offset = np.array([[0.9, 0.4], [-0.3, 1.1]]), np.array([-2.3, 3.6])
    numbers = np.array([matrix[1, 1], matrix[1, 0], offset[1], matrix[0, 1], matrix[0, 0], offset[0], 0.0, 0.0])
    way = "nearest" if order == 0 else "bilinear"
    found = tf.keras.ops.image.affine_transform(x[..., None], numbers, way, "wrap").numpy()[..., 0]
    np.testing.assert_allclose(found, ndimage.affine_transform(x, matrix, offset, order=order, mode="grid-wrap"), rtol=1e-5)


def test_shearing_leaves_the_first_row_where_it_is():
    y = L.RandomShear(0.9, seed=2)(IMAGES[:8]).numpy()
    np.testing.assert_allclose(y[:, 0], IMAGES[:8, 0], rtol=1e-5)
    assert (np.abs(y[:, 3] - IMAGES[:8, 3]).max((1, 2)) > 1).all()


CHANCE = {
    "flip": lambda: L.RandomFlip(seed=1), "rotation": lambda: L.RandomRotation(0.2, seed=1),
    "zoom": lambda: L.RandomZoom(0.2, seed=1), "translation": lambda: L.RandomTranslation(0.2, 0.3, seed=1),
    "contrast": lambda: L.RandomContrast(0.3, seed=1), "brightness": lambda: L.RandomBrightness(0.3, seed=1),
    "crop": lambda: L.RandomCrop(2, 3, seed=1), "grey": lambda: L.RandomGrayscale(seed=1),
    "shear": lambda: L.RandomShear(0.2, 0.1, seed=1),
}  # fmt: skip


@pytest.mark.parametrize("executor", ["numpy", "native", "xla"])
@pytest.mark.parametrize("name", CHANCE)
def test_functions_draw_what_layers_draw(name, executor):
    """Of one seed, and of a batch whose size is not known when the function is traced; each call draws anew."""
    eager = CHANCE[name]()
    expected = [eager(IMAGES[:3]).numpy() for _ in range(2)]
    layer = CHANCE[name]()
    step = tf.function(lambda x: layer(x, training=True), input_signature=[tf.TensorSpec([None, 4, 5, 3])])
    tf.config.set_executor(executor)
    try:
        found = [step(tf.constant(IMAGES[:3])).numpy() for _ in range(2)]
    finally:
        tf.config.set_executor("native")
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-3)
    assert not np.array_equal(*expected) or name == "crop"
    np.testing.assert_array_equal(layer(IMAGES[:3], training=False).numpy(), IMAGES[:3])


@pytest.mark.parametrize("name", ["rotation", "zoom", "contrast", "crop"])
def test_derivatives_by_the_image_are_those_of_a_linear_map(name):
    """y is linear in x but where it is cut off: its derivative along v is y(x + v) - y(x), its gradient the adjoint's."""
    layer = CHANCE[name]()
    if name == "contrast":
        layer = L.RandomContrast(0.3, (-1e9, 1e9), seed=1)
    x, v = tf.constant(IMAGES[:2] / 255.0), tf.constant(IMAGES[2:4] / 255.0)

    def again(at):
        layer.generator.state.assign(np.array([1, 0], np.uint32))
        return layer(at)

    with tf.autodiff.ForwardAccumulator(x, v) as forward:
        y = again(x)
    along = forward.jvp(y).numpy()
    np.testing.assert_allclose(along, (again(x + v) - y).numpy(), rtol=1e-3, atol=1e-5)
    w = tf.constant(np.cos(np.arange(y.numpy().size)).reshape(y.shape).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(again(x) * w)
    np.testing.assert_allclose(np.vdot(tape.gradient(total, x), v), np.vdot(along, w), rtol=1e-4)


def test_models_with_these_layers_are_saved_and_made_again(tmp_path):
    x = tf.keras.Input((6, 6, 3))
    y = L.RandomFlip("horizontal")(L.Rescaling(1 / 255)(L.Resizing(4, 4)(x)))
    y = L.AdaptiveAveragePooling2D(2)(L.RandomRotation(0.1)(y))
    model = tf.keras.Model(x, L.Dense(2)(L.Flatten()(y)))
    data = np.cos(np.arange(216.0)).reshape(2, 6, 6, 3).astype("float32")
    model.save(tmp_path / "model.keras")
    again = tf.keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(data, training=False).numpy(), model(data, training=False).numpy())
    np.testing.assert_array_equal(model.predict(data, verbose=0), model(data, training=False).numpy())


def test_words_in_functional_models(tmp_path):
    words = L.TextVectorization(output_sequence_length=4)
    words.adapt(["a bird sang", "the bird sat"])
    x = tf.keras.Input((1,), dtype="string")
    model = tf.keras.Model(x, L.GlobalAveragePooling1D()(L.Embedding(words.vocabulary_size(), 3)(words(x))))
    texts = tf.constant([["the bird"], ["a cat sang"]])
    expected = model(texts).numpy()
    assert expected.shape == (2, 3)
    np.testing.assert_allclose(model.predict(texts, verbose=0), expected, rtol=1e-6)
    model.save(tmp_path / "words.keras")
    np.testing.assert_array_equal(tf.keras.models.load_model(tmp_path / "words.keras")(texts).numpy(), expected)


def test_words_of_a_dataset():
    data = tf.data.Dataset.from_tensor_slices(["a b", "b c", "b"]).batch(2)
    layer = L.TextVectorization()
    layer.adapt(data)
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    rows = [row.numpy().tolist() for row in data.map(layer)]
    assert rows == [[[4, 2], [2, 3]], [[2]]]


def test_layers_made_again_have_what_was_adapted():
    data = np.array([["a", "b"], ["a", "c"]])
    for layer in (L.StringLookup(), L.StringLookup(output_mode="tf_idf"), L.TextVectorization(split=None)):
        layer.adapt(data)
        again = type(layer).from_config(layer.get_config())
        np.testing.assert_array_equal(again(data).numpy(), layer(data).numpy())
    layer = L.Discretization(num_bins=3)
    layer.adapt(np.arange(30.0))
    again = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(again(np.arange(30.0)).numpy(), layer(np.arange(30.0)).numpy())


REFUSED = {
    "factor": lambda: L.RandomRotation(1.5),
    "height_factor": lambda: L.RandomZoom(-1.0),
    "mode": lambda: L.RandomFlip("x"),
    "rank 3 or 4": lambda: L.RandomFlip()(np.ones((2, 3), "float32")),
    "value_range": lambda: L.RandomBrightness(0.1, 3),
    "num_tokens": lambda: L.CategoryEncoding(),
    "range 0 <= values": lambda: L.CategoryEncoding(3)([[3]]),
    "output_mode": lambda: L.Hashing(3, output_mode="x"),
    "num_bins": lambda: L.Hashing(0),
    "adapt": lambda: L.Discretization(num_bins=3)([1.0]),
    "repeated term": lambda: L.StringLookup(vocabulary=["a", "a"]),
    "reserved mask": lambda: L.StringLookup(vocabulary=["a", "m"], mask_token="m"),
    "OOV values": lambda: L.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]),
    "static vocabulary": lambda: L.StringLookup(vocabulary=["a"]).adapt(["b"]),
    "larger than": lambda: L.StringLookup(2, vocabulary=["a", "b"]),
    "input rank": lambda: L.TextVectorization(vocabulary=["a"])([["a", "b"]]),
    "idf_weights": lambda: L.StringLookup(output_mode="tf_idf", vocabulary=["a"]),
    "divisible": lambda: L.GroupQueryAttention(2, 3, 2),
    "sliding_window": lambda: L.MultiHeadAttention(1, 1, sliding_window=0),
    "power_iterations": lambda: L.SpectralNormalization(L.Dense(1), 0),
    "kernel": lambda: L.SpectralNormalization(L.Flatten())(np.ones((1, 2))),
    "sizes and channels": lambda: L.ConvLSTM1D(1, 2)(tf.keras.Input((3, None, 2))),
    "output_size": lambda: L.AdaptiveMaxPooling2D((1, 2, 3)),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_fit_is_refused(text):
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=text):
        REFUSED[text]()
