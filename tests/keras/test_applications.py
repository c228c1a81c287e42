"""Published architectures have the layers, the weights and the values of Keras 3.15's: see record_applications.py."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "applications-keras-3.15.json").read_text())
spec = importlib.util.spec_from_file_location("keras_record_applications", HERE / "record_applications.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)


@pytest.mark.parametrize("name", RECORDED)
def test_architectures_are_those_of_keras(name):
    weights, layers, values = record.values(tf.keras, name)
    assert weights == RECORDED[name][0] and layers == RECORDED[name][1]
    np.testing.assert_allclose(values, RECORDED[name][2], rtol=2e-3, atol=2e-4)


def test_pixels_are_scaled():
    x = np.array([[[0.0, 127.5, 255.0]]])
    np.testing.assert_allclose(tf.keras.applications.xception.preprocess_input(x).numpy().ravel(), [-1, 0, 1])
    np.testing.assert_allclose(
        tf.keras.applications.vgg16.preprocess_input(x).numpy().ravel(), [255 - 103.939, 127.5 - 116.779, -123.68]
    )


def test_weights_of_a_file(tmp_path):
    make = tf.keras.applications.MobileNetV2
    first = make((32, 32, 3), 0.35, include_top=False)
    first.save_weights(tmp_path / "mobile.weights.h5")
    again = make((32, 32, 3), 0.35, include_top=False, weights=tmp_path / "mobile.weights.h5")
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(FileNotFoundError, match="not fetched here"):
        make((32, 32, 3), 0.35, weights="imagenet")
