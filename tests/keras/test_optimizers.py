"""Optimizers in functions, on both executors, in graphs of TensorFlow 1, saved and restored, and asked wrongly."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "keras-3.15.json").read_text())["optimizers"]
_spec = importlib.util.spec_from_file_location("keras_record", HERE / "record.py")
record = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(record)

CASES = [(name, keywords) for name, cases in record.OPTIMIZERS.items() for keywords in cases]


@pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "xla"])
@pytest.mark.parametrize(("name", "keywords"), CASES, ids=[f"{n}{i}" for i, (n, _) in enumerate(CASES)])
def test_in_a_function(name: str, keywords: dict, compiled: bool):
    if compiled:
        pytest.importorskip("jax", reason="the executor over XLA needs JAX")

    def trajectory(make):
        w, b = make(record.X), make(record.T[0])
        optimizer = getattr(tf.keras.optimizers, name)(**keywords)

        @tf.function(jit_compile=compiled)
        def step(i):
            slope = tf.cast(tf.cos(tf.reshape(tf.range(18, dtype=tf.float64), (6, 3)) + i), tf.float32)
            optimizer.apply_gradients([(w * 0.5 + slope, w), (b - slope[0], b)])

        found = []
        for i in range(5):
            step(tf.constant(float(i), tf.float64))
            found += [w.numpy(), b.numpy()]
        return [float(x) for a in found for x in a.ravel()[:5]]

    ours = trajectory(lambda a: tf.Variable(a))
    np.testing.assert_allclose(ours, RECORDED[f"{name} {keywords} float32"], rtol=1e-5, atol=5e-6)


def test_in_a_graph_of_tensorflow_1():
    with tf.Graph().as_default():
        x = tf.compat.v1.get_variable("x", initializer=4.0)
        optimizer = tf.keras.optimizers.Adam(0.1)
        train = optimizer.apply_gradients([(g, x) for g in tf.gradients(x * x, x)])
        with tf.compat.v1.Session() as sess:
            sess.run(tf.compat.v1.global_variables_initializer())
            for _ in range(3):
                sess.run(train)
            graph = sess.run([x, optimizer.iterations])
    v = tf.Variable(4.0)
    eager = tf.keras.optimizers.Adam(0.1)
    for _ in range(3):
        eager.minimize(lambda: v * v, [v])
    np.testing.assert_allclose(graph, [v.numpy(), 3], rtol=1e-6)


def test_a_step_is_counted_and_the_rate_may_be_set():
    v = tf.Variable([1.0])
    optimizer = tf.keras.optimizers.SGD(lr=0.5)
    assert float(optimizer.lr) == 0.5
    assert int(optimizer.apply_gradients([(tf.constant([1.0]), v)])) == 1
    optimizer.learning_rate = 0.25
    optimizer.apply_gradients([(tf.constant([1.0]), v)])
    optimizer.learning_rate.assign(0.125)
    optimizer.apply_gradients([(tf.constant([1.0]), v)])
    assert v.numpy().tolist() == [1 - 0.5 - 0.25 - 0.125]
    halves = tf.keras.optimizers.SGD(1.0, decay=1.0)  # of Keras 2: rate / (1 + decay · step)
    for _ in range(2):
        halves.apply_gradients([(tf.constant([1.0]), v)])
    assert v.numpy().tolist() == [0.125 - 1.0 - 0.5]
    assert int(halves.iterations) == 2


def test_a_rate_that_is_a_schedule_a_function_or_a_variable():
    rates = {"schedule": tf.keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5), "function": lambda: 0.5,
             "variable": tf.Variable(0.5)}  # fmt: skip
    for kind, rate in rates.items():
        v = tf.Variable(0.0)
        optimizer = tf.keras.optimizers.SGD(rate)
        for _ in range(2):
            optimizer.apply_gradients([(tf.constant(1.0), v)])
        assert v.numpy() == (-0.75 if kind == "schedule" else -1.0)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        tf.keras.optimizers.SGD(rates["schedule"]).learning_rate = 0.1


def test_configurations_make_the_same_optimizer():
    for name, keywords in CASES:
        made = getattr(tf.keras.optimizers, name)(**keywords)
        again = tf.keras.optimizers.get(json.loads(json.dumps(tf.keras.optimizers.serialize(made))))
        assert type(again) is type(made) and again.get_config() == made.get_config()
    schedule = tf.keras.optimizers.schedules.PolynomialDecay(0.1, 20, 0.01)
    made = tf.keras.optimizers.Adam(schedule)
    again = tf.keras.optimizers.Adam.from_config(json.loads(json.dumps(made.get_config())))
    assert float(again._rate(7)) == float(schedule(7))
    with pytest.raises(ValueError, match="adm"):
        tf.keras.optimizers.get("adm")
    with pytest.raises(ValueError, match="Could not interpret"):
        tf.keras.optimizers.get(3)


def test_a_checkpoint_goes_on_where_it_was(tmp_path: Path):
    def pair():
        return tf.Variable([1.0, 2.0]), tf.keras.optimizers.Adam(0.1)

    def steps(v, optimizer, n):
        for _ in range(n):
            optimizer.minimize(lambda: tf.reduce_sum(v * v * v), [v])

    v, optimizer = pair()
    steps(v, optimizer, 3)
    path = tf.train.Checkpoint(v=v, optimizer=optimizer).write(str(tmp_path / "c"))
    steps(v, optimizer, 4)
    for early in (False, True):  # the slots are there when it is restored, or not yet
        w, other = pair()
        if early:
            other.build([w])
        tf.train.Checkpoint(v=w, optimizer=other).read(path)
        steps(w, other, 4)
        assert w.numpy().tolist() == v.numpy().tolist()
    w, other = pair()
    other.build([w])
    other.set_weights(optimizer.get_weights())
    assert int(other.iterations) == 7


def test_variables_may_be_added():
    a, b = tf.Variable(1.0), tf.Variable(1.0)
    optimizer = tf.keras.optimizers.Adam(0.1)
    optimizer.apply_gradients([(tf.constant(1.0), a)])
    optimizer.apply_gradients([(tf.constant(1.0), b)])
    assert len(optimizer.variables) == 6


def test_ones_own():
    class Half(tf.keras.optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.seen = [self.add_variable_from_reference(v, "seen") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            self.seen[self._get_variable_index(variable)].assign_add(gradient)
            variable.assign_sub(0.5 * learning_rate * gradient)

    v = tf.Variable(4.0)
    optimizer = Half(0.5)
    optimizer.apply([tf.constant(2.0)], [v])
    assert v.numpy() == 3.5 and optimizer.seen[0].numpy() == 2.0


def test_sparse_gradients():
    table = tf.Variable([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(table, [1, 1]))
    tf.keras.optimizers.SGD(0.5).apply_gradients([(tape.gradient(loss, table), table)])
    assert table.numpy().tolist() == [[1.0, 1.0], [1.0, 1.0], [3.0, 3.0]]


def test_what_is_wrong_is_said():
    v, w = tf.Variable(1.0), tf.Variable(1.0, name="w")
    K = tf.keras.optimizers
    with pytest.raises(ValueError, match="No gradients provided"):
        K.Adam().apply_gradients([(None, v)])
    with pytest.warns(UserWarning, match="w:0"):
        K.Adam().apply_gradients([(tf.constant(1.0), v), (None, w)])
    with pytest.raises(ValueError, match="2 gradients are given for 1"):
        K.Adam().apply([tf.constant(1.0)] * 2, [v])
    with pytest.raises(TypeError, match="bata_1"):
        K.Adam(bata_1=0.5)
    with pytest.raises(ValueError, match="Only one of"):
        K.SGD(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ValueError, match="learning_rate"):
        K.SGD("fast")
    with pytest.raises(ValueError, match="length"):
        K.schedules.PiecewiseConstantDecay([1], [1.0])
    with pytest.raises(ValueError, match="positive"):
        K.schedules.ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(ValueError, match="tape"):
        K.SGD().minimize(tf.constant(1.0), [v])


def test_a_base_class_takes_its_name_first_as_in_keras_2():
    class Own(tf.keras.optimizers.Optimizer):
        def __init__(self):
            super().__init__("own")

    assert Own().name == "own"
