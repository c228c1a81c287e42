"""Metrics and losses against numbers that Keras 3.15 printed: see record_scores.py beside this file."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("keras_record_scores", HERE / "record_scores.py")
recorder = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recorder)
RECORDED = {k: v for line in (HERE / "scores-keras-3.15.json").read_text().splitlines() for k, v in json.loads(line).items()}
METRICS = {recorder.key(i, case): case for i, case in enumerate(recorder.metrics())}
LOSSES = {recorder.key(i, case): case for i, case in enumerate(recorder.losses())}


def test_all_that_was_recorded_is_there():
    assert RECORDED["metrics"].keys() == METRICS.keys()
    assert RECORDED["losses"].keys() == LOSSES.keys()


@pytest.mark.parametrize("key", METRICS)
def test_metrics_are_those_of_keras(key: str):
    *found, dtype = recorder.of_metric(tf, *METRICS[key])
    *expected, their_dtype = RECORDED["metrics"][key]
    assert dtype == their_dtype
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("key", LOSSES)
def test_losses_and_their_gradients_are_those_of_keras(key: str):
    *found, dtype = recorder.of_loss(tf, *LOSSES[key])
    *expected, their_dtype = RECORDED["losses"][key]
    assert dtype == their_dtype
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)


ONE_OF_EACH = {case[0]: case for case in reversed(LOSSES.values())}


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_second_derivatives_of_losses_are_slopes_of_the_first(name: str):
    _, keywords, y_true, y_pred, weights = ONE_OF_EACH[name]
    loss = getattr(tf.keras.losses, name)(**keywords)
    point = np.asarray(y_pred, "float64")
    direction = np.cos(np.arange(point.size)).reshape(point.shape)

    @tf.function
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(y_true, x, sample_weight=weights)
        return tape.gradient(value, x)

    def hessian(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            along = tf.reduce_sum(slope(x) * direction)
        return tape.gradient(along, x).numpy()

    h = 1e-6
    ahead, behind = (slope(tf.constant(point + s * h * direction)).numpy() for s in (1, -1))
    np.testing.assert_allclose(hessian(tf.constant(point)), (ahead - behind) / (2 * h), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", sorted({case[0] for case in METRICS.values()}))
def test_metrics_are_made_again_by_their_configuration(name: str):
    case = next(c for c in METRICS.values() if c[0] == name)
    metric = getattr(tf.keras.metrics, name)(name="mine", **case[1])
    again = tf.keras.metrics.deserialize(tf.keras.metrics.serialize(metric))
    assert again.get_config() == metric.get_config()
    assert again.name == "mine"


def test_metrics_that_make_their_variables_late_are_trained_with():
    x = np.linspace(0.0, 1.0, 24).reshape(12, 2).astype("float32")
    y = np.eye(3, dtype="float32")[np.arange(12) % 3]
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation="softmax", kernel_initializer="ones")])
    names = [tf.keras.metrics.F1Score(average="macro"), tf.keras.metrics.AUC(multi_label=True), tf.keras.metrics.Precision()]
    model.compile("sgd", tf.keras.losses.CategoricalFocalCrossentropy(), metrics=names)
    history = model.fit(x, y, epochs=2, batch_size=4, verbose=0).history
    told = model.evaluate(x, y, verbose=0, return_dict=True)
    assert set(history) == {"loss", "f1_score", "auc", "precision"} == set(told)
    said = model.predict(x, verbose=0)
    np.testing.assert_allclose(told["f1_score"], tf.keras.metrics.F1Score("macro")(y, said).numpy(), rtol=1e-6)


def test_labels_that_do_not_fit_the_time_have_an_infinite_loss():
    assert tf.keras.ops.isinf(tf.keras.losses.ctc(np.array([[1, 1, 1]]), np.zeros((1, 4, 3), "float32"))).numpy().tolist() == [
        True
    ]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda m: m.AUC(curve="POR"), "curve"),
        (lambda m: m.AUC(num_thresholds=1), "num_thresholds"),
        (lambda m: m.Precision(thresholds=[2.0]), "Threshold values"),
        (lambda m: m.RecallAtPrecision(1.5), "precision"),
        (lambda m: m.F1Score(average="all"), "average"),
        (lambda m: m.FBetaScore(beta=-1.0), "beta"),
        (lambda m: m.IoU(2, [2]), "out of range"),
        (lambda m: m.R2Score(num_regressors=-1), "num_regressors"),
    ],
)
def test_what_is_wrong_is_said(make, told: str):
    with pytest.raises(ValueError, match=told):
        make(tf.keras.metrics)


# The lengths, and the sums times cos(0), cos(1), ..., that Keras gives for transposes of kernels of size 3.
TRANSPOSED = {
    (1, "same", 2, 1): ([2, 8, 3], -0.9784),
    (2, "valid", 1, None): ([2, 6, 6, 3], 7.2774),
    (2, "valid", 2, None): ([2, 9, 9, 3], -1.8696),
    (2, "valid", 3, 1): ([2, 13, 13, 3], -0.3152),
    (2, "same", 1, None): ([2, 4, 4, 3], -7.2314),
    (2, "same", 2, None): ([2, 8, 8, 3], 4.8494),
    (2, "same", 3, 1): ([2, 11, 11, 3], -3.3271),
}


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("case", TRANSPOSED)
def test_conv_transpose_is_that_of_keras(case, channels_first: bool):
    n, padding, strides, output_padding = case
    x = np.cos(np.arange(4 * 4**n)).reshape(2, *[4] * n, 2)
    kernel = np.sin(np.arange(6 * 3**n)).reshape(*[3] * n, 3, 2)
    given = np.moveaxis(x, -1, 1) if channels_first else x
    order = "channels_first" if channels_first else "channels_last"
    y = tf.keras.ops.conv_transpose(given, kernel, strides, padding, output_padding, order).numpy()
    y = np.moveaxis(y, 1, -1) if channels_first else y
    shape, total = TRANSPOSED[case]
    assert list(y.shape) == shape
    np.testing.assert_allclose(np.sum(y * np.cos(np.arange(y.size)).reshape(y.shape)), total, atol=1e-4)


def test_ctc_loss_is_that_of_keras():
    logits = np.cos(np.arange(24.0)).reshape(1, 6, 4)
    found = tf.keras.ops.ctc_loss(np.array([[1, 2, 2]]), logits, np.array([2]), np.array([5])).numpy()
    np.testing.assert_allclose(found, [3.54746], rtol=1e-5)
