"""Short-time transforms and their kin: values are Keras 3.15's (record_spectra.py), derivatives those of JAX."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "spectra-keras-3.15.json").read_text())
spec = importlib.util.spec_from_file_location("keras_record_spectra", HERE / "record_spectra.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)
ops = tf.keras.ops


@pytest.fixture(scope="module")
def answers():
    return record.answers(tf.keras)


@pytest.mark.parametrize("row", RECORDED)
def test_values_are_those_of_keras(row, answers):
    for (kind, ours), (wanted, theirs) in zip(answers[row], RECORDED[row], strict=True):
        assert kind == wanted
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=3e-5 if kind == "float32" else 2e-6)


@pytest.mark.parametrize("road", ["eager", "native", "xla"])
def test_two_derivatives_are_those_of_jax(road):
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    x, v = record.SOUND[:1, :20], np.cos(np.arange(20.0))[None]
    bell = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(6) / 6)
    kernel = np.exp(-2j * np.pi * np.outer(np.arange(5), np.arange(8)) / 8) * np.pad(bell, 1)

    def theirs(s):
        wide = jnp.pad(x + s * v, [[0, 0], [4, 4]], mode="reflect")
        pieces = jnp.stack([wide[:, i : i + 8] for i in range(0, 21, 3)], 1)
        z = pieces @ kernel.T
        return jnp.sum(jnp.log(1.0 + jnp.real(z) ** 2 + jnp.imag(z) ** 2))

    def ours(s):
        with tf.GradientTape() as second:
            second.watch(s)
            with tf.GradientTape() as first:
                first.watch(s)
                real, imaginary = ops.stft(x + s * v, 6, 3, 8)
                value = tf.reduce_sum(tf.math.log(1.0 + real**2 + imaginary**2))
            slope = first.gradient(value, s)
        return value, slope, second.gradient(slope, s)

    call = ours
    if road != "eager":
        tf.config.set_executor(road)
        call = tf.function(ours)
    try:
        found = [float(one) for one in call(tf.constant(0.1, tf.float64))]
    finally:
        tf.config.set_executor("native")
    with jax.enable_x64(True):
        wanted = [float(f(0.1)) for f in (theirs, jax.grad(theirs), jax.grad(jax.grad(theirs)))]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_what_does_not_fit_is_refused():
    for call in (
        lambda: ops.stft(np.ones(9), 5, 2, 4), lambda: ops.stft(np.ones(9), 4, 2, 4, "x"),
        lambda: ops.stft(np.ones(9), 4, 2, 4, np.ones(3)),
        lambda: ops.view(np.ones(3, "float32"), "float64"),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            call()
    with pytest.raises(TypeError):
        ops.stft(np.ones(9, int), 4, 2, 4)
