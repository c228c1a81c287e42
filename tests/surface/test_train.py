"""``tf.train`` and ``tf.losses`` of TensorFlow 1, against numbers of TensorFlow 2.21's compat.v1: see record.py here."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "tensorflow-2.21.json").read_text())
T = tf.compat.v1.train


def recorder():
    spec = importlib.util.spec_from_file_location("compat_record", HERE / "record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- learning rates -----------------------------------------------------------------------------------------------------


def test_decays_in_a_graph(v1, graph):
    record = recorder()
    step = v1.placeholder(tf.int64, [])
    made = record.decays(T, step, lambda t: tf.cast(t, tf.int32))
    with v1.Session() as sess:
        found = {k: [sess.run(v, {step: t}) for t in record.STEPS] for k, v in made.items()}
    assert found.keys() == RECORDED["decays"].keys()
    for name, values in RECORDED["decays"].items():
        np.testing.assert_allclose(found[name], values, rtol=2e-5, atol=2e-8, err_msg=name)


def test_decays_eagerly_are_functions_that_read_the_step():
    record = recorder()
    step = tf.Variable(0, dtype=tf.int64)
    made = record.decays(T, step, lambda t: tf.Variable(0))
    for number, t in enumerate(record.STEPS):
        step.assign(t)
        for name, rate in made.items():
            if name != "piecewise":  # of a step of its own
                np.testing.assert_allclose(rate().numpy(), RECORDED["decays"][name][number], rtol=2e-5, atol=2e-8, err_msg=name)


def test_dtypes_and_names_of_decays(graph):
    one = T.exponential_decay(0.1, tf.constant(4), 10, 0.5)
    assert (one.name, one.dtype, one.shape.as_list()) == ("ExponentialDecay:0", tf.float32, [])
    assert T.exponential_decay(np.float64(0.1), tf.constant(4), 10, 0.5).dtype == tf.float64
    assert T.exponential_decay(0.1, tf.constant(4, tf.int64), tf.constant(10, tf.int64), 0.5, True, "rate").name == "rate:0"


def test_the_noise_of_a_noisy_decay_is_drawn_anew_each_time(v1, graph):
    rate = T.noisy_linear_cosine_decay(0.1, tf.constant(3), 10)
    with v1.Session() as sess:
        assert len({float(sess.run(rate)) for _ in range(4)}) == 4


@pytest.mark.parametrize("name", ["exponential_decay", "natural_exp_decay", "inverse_time_decay"])
def test_a_decay_needs_a_step(name: str):
    with pytest.raises(ValueError, match="global_step"):
        getattr(T, name)(0.1, None, 10, 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, [1, 2], [0.1, 0.2]), "1 less"),
        ((1, [1.5, 2], [0.1, 0.2, 0.3]), "Boundaries"),
        ((1.0, [1, 2], [0.1, 0.2, 0.3]), "Boundaries"),
        ((1, [1, 2], [0.1, 0.2, 1]), "Values"),
    ],
)
def test_what_piecewise_constant_refuses(arguments, message: str, graph):
    with pytest.raises(ValueError, match=message):
        T.piecewise_constant(*arguments)


def test_a_learning_rate_is_a_floating_number(graph):
    with pytest.raises(TypeError, match="learning_rate"):
        T.exponential_decay(1, 4, 10, 0.5)


# --- the global step ----------------------------------------------------------------------------------------------------


def test_global_step(v1, graph):
    assert T.get_global_step() is None
    step = T.create_global_step()
    assert (step.name, step.dtype, step.trainable) == ("global_step:0", tf.int64, False)
    assert T.get_or_create_global_step() is step
    assert graph.get_collection("global_step") == [step]
    assert v1.trainable_variables() == []
    with pytest.raises(ValueError, match="already exists"):
        T.create_global_step()
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        sess.run(step.assign_add(3))
        assert T.global_step(sess, step) == 3


def test_a_tensor_named_global_step_is_found(graph):
    made = tf.Variable(7, name="global_step", trainable=False)
    assert T.get_global_step().name == made.name


@pytest.mark.parametrize("wrong", [[1, 2], 1.0])
def test_a_global_step_is_an_integer(wrong, graph):
    with pytest.raises(TypeError, match="global_step"):
        T.assert_global_step(tf.constant(wrong))


def test_global_step_eagerly():
    step = T.create_global_step()
    assert T.get_or_create_global_step() is step
    step.assign_add(2)
    assert T.global_step(None, step) == 2


# --- moving averages ----------------------------------------------------------------------------------------------------


def test_moving_averages(v1, graph):
    found, wanted = recorder().averages(v1), RECORDED["averages"]
    for ours, theirs in zip(found.pop("values"), wanted.pop("values"), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=3e-5)
    assert found == wanted


def test_moving_averages_eagerly():
    w = tf.Variable([1.0, 2.0], name="w")
    average = T.ExponentialMovingAverage(0.5)
    average.apply([w])
    w.assign([3.0, 4.0])
    average.apply([w])
    assert average.average(w).numpy().tolist() == [2.0, 3.0]
    assert average.average_name(w) == "w/ExponentialMovingAverage"


def test_only_floating_numbers_are_averaged(graph):
    with pytest.raises(TypeError, match="half, float, or double"):
        T.ExponentialMovingAverage(0.9).apply([tf.Variable(0)])


def test_graphs_are_not_written(graph):
    with pytest.raises(NotImplementedError, match="explain"):
        T.write_graph(graph, ".", "graph.pb")


# --- losses -------------------------------------------------------------------------------------------------------------


def test_losses(v1, graph):
    found, wanted = recorder().losses(v1), RECORDED["losses"]
    assert found["noted"] == wanted["noted"]
    assert found["values"].keys() == wanted["values"].keys()
    for name, value in wanted["values"].items():
        np.testing.assert_allclose(found["values"][name], value, rtol=3e-6, atol=1e-7, err_msg=name)


def test_what_losses_refuse(v1, graph):
    with pytest.raises(ValueError, match="incompatible"):
        v1.losses.mean_squared_error([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="Reduction"):
        v1.losses.mean_squared_error([1.0], [1.0], reduction="mean")
    with pytest.raises(ValueError, match="no losses"):
        v1.losses.get_total_loss(scope="nothing")
    with pytest.raises(ValueError, match="None"):
        v1.losses.mean_squared_error(None, [1.0])


def test_averages_in_each_mode(v1):
    """s becomes s/2 + value/2: 1, then 3/2, 9/4, 25/8 for the values 2, 3, 4, as TensorFlow has it."""
    wanted = [1.5, 2.25, 3.125]
    eager, traced = (tf.Variable(1.0) for _ in range(2))
    first, second = (v1.train.ExponentialMovingAverage(0.5) for _ in range(2))

    @tf.function
    def step(x):
        traced.assign(x)
        second.apply([traced])
        return second.average(traced)

    first.apply([eager])
    for x, value in zip((2.0, 3.0, 4.0), wanted, strict=True):
        eager.assign(x)
        first.apply([eager])
        assert float(first.average(eager)) == value
        assert float(step(tf.constant(x))) == value
    with tf.Graph().as_default():
        v = v1.get_variable("v", initializer=1.0)
        third = v1.train.ExponentialMovingAverage(0.5)
        with tf.control_dependencies([v.assign_add(1.0)]):
            move = third.apply([v])
        with v1.Session() as sess:
            sess.run(v1.global_variables_initializer())
            for value in wanted:
                sess.run(move)
                assert sess.run(third.average(v)) == value
