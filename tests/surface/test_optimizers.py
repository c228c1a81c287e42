"""TensorFlow 1's optimizers beside what tests/programs/v1_optimizers shows: formulas by hand, executors, compilations."""

import numpy as np
import pytest

import wengert as tf2
import wengert.compat.v1 as tf
from wengert.surface.v1 import optimizers as O


def adam(x, slope, steps, rate=0.1, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Algorithm 1 of D. P. Kingma, J. Ba (2014) in the form before its section 2.1, in double precision."""
    m = v = 0.0
    for t in range(1, steps + 1):
        g = slope(x)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        x = x - rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon)
    return x


EXPECTED = {
    "adam": (lambda: O.AdamOptimizer(0.1), lambda x, s: adam(x, s, 3)),
    "nadam": (lambda: O.NadamOptimizer(0.1), None),
    "adamax": (lambda: O.AdaMaxOptimizer(0.1), None),
    "adamw": (lambda: O.AdamWOptimizer(0.01, 0.1), None),
    "momentumw": (lambda: O.MomentumWOptimizer(0.01, 0.1, 0.9), None),
    "proximal": (lambda: O.ProximalGradientDescentOptimizer(0.1, 0.3, 0.2), None),
    "proximal adagrad": (lambda: O.ProximalAdagradOptimizer(0.1, 0.1, 0.3, 0.2), None),
}


def by_hand(name, x, slope):
    m = v = 0.0
    a = 0.1
    for t in range(1, 4):
        if name == "adamw" or name == "momentumw":
            g = slope(x)  # the gradient is of the point before the decay
            x = x - 0.01 * x
        else:
            g = slope(x)
        if name in ("adam", "nadam", "adamw"):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            ahead = 0.9 * m + 0.1 * g if name == "nadam" else m
            x = x - 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * ahead / (np.sqrt(v) + 1e-8)
        elif name == "adamax":
            m, v = 0.9 * m + 0.1 * g, max(0.999 * v, abs(g))
            x = x - 0.1 / (1 - 0.9**t) * m / (v + 1e-8)
        elif name == "momentumw":
            m = 0.9 * m + g
            x = x - 0.1 * m
        else:
            if name == "proximal adagrad":
                a = a + g * g
            rate = 0.1 if name == "proximal" else 0.1 / np.sqrt(a)
            p = x - rate * g
            x = np.sign(p) * max(abs(p) - rate * 0.3, 0.0) / (1 + rate * 0.2)
    return x


@pytest.mark.parametrize("executor", ["numpy", "xla"])
@pytest.mark.parametrize("name", list(EXPECTED))
def test_formulas(name: str, executor: str):
    if executor == "xla":
        pytest.importorskip("jax", reason="the executor over XLA needs JAX")
    before = tf2.config.get_executor()
    tf2.config.set_executor(executor)
    try:
        with tf.Graph().as_default(), tf.Session() as sess:
            x = tf.Variable(2.0, dtype=tf.float64, name="x")
            train = EXPECTED[name][0]().minimize(x * x * x)
            sess.run(tf.global_variables_initializer())
            for _ in range(3):
                sess.run(train)
            found = sess.run(x)
    finally:
        tf2.config.set_executor(before)
    # TensorFlow keeps the powers of Adam's betas in float32.
    np.testing.assert_allclose(found, by_hand(name, 2.0, lambda x: 3 * x * x), rtol=2e-5)
    if EXPECTED[name][1] is not None:
        np.testing.assert_allclose(found, EXPECTED[name][1](2.0, lambda x: 3 * x * x), rtol=2e-5)


def test_slots_are_there_before_the_initializer_and_two_optimizers_do_not_share_them():
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.Variable(4.0, name="x")
        with tf.name_scope("train"):
            first = O.AdamOptimizer(0.1).minimize(x * x)
        second = O.AdamOptimizer(0.2, name="Adam").minimize(x * x)
        assert [v.name for v in tf.global_variables()][1:] == [
            "train/beta1_power:0", "train/beta2_power:0", "x/Adam:0", "x/Adam_1:0",
            "beta1_power:0", "beta2_power:0", "x/Adam_2:0", "x/Adam_3:0",
        ]  # fmt: skip
        sess.run(tf.global_variables_initializer())
        sess.run(first)
        np.testing.assert_allclose(sess.run(x), 3.9, rtol=1e-6)
        sess.run(second)
        np.testing.assert_allclose(sess.run(x), 3.7, rtol=1e-6)
        assert tf.get_collection("train_op") == [first, second]


def test_eagerly_and_in_a_function():
    x = tf2.Variable(4.0)
    optimizer = O.AdamOptimizer(0.1)
    optimizer.minimize(lambda: x * x)
    np.testing.assert_allclose(x.numpy(), 3.9, rtol=1e-6)
    with pytest.raises(RuntimeError, match="function"):
        optimizer.minimize(x * x)

    @tf2.function
    def step():
        with tf2.GradientTape() as tape:
            loss = x * x
        optimizer.apply_gradients([(tape.gradient(loss, x), x)])
        return loss

    step()
    np.testing.assert_allclose(x.numpy(), adam(4.0, lambda x: 2 * x, 2), rtol=1e-6)


def test_ones_own():
    class Sign(O.Optimizer):
        def __init__(self, rate):
            super().__init__(False, "Sign")
            self.rate = rate

        def _create_slots(self, var_list):
            for v in var_list:
                self._zeros_slot(v, "count", self._name)

        def _apply_dense(self, grad, var):
            count = self.get_slot(var, "count")
            return tf.group(count.assign_add(tf.ones_like(var)), var.assign_sub(self.rate * tf.sign(grad)))

    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.Variable([3.0, -3.0])
        optimizer = Sign(0.5)
        train = optimizer.minimize(tf.reduce_sum(x * x))
        sess.run(tf.global_variables_initializer())
        sess.run(train)
        assert sess.run([x, optimizer.get_slot(x, "count")])[0].tolist() == [2.5, -2.5]
        assert sess.run(optimizer.variables()[0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("executor", ["numpy", "xla"])
def test_many_steps_are_one_program_compiled_once(executor: str):
    if executor == "xla":
        pytest.importorskip("jax", reason="the executor over XLA needs JAX")
    before = tf2.config.get_executor()
    tf2.config.set_executor(executor)
    try:
        with tf.Graph().as_default(), tf.Session() as sess:
            x = tf.placeholder(tf.float32, [None, 1])
            w = tf.Variable([[0.5]])
            u = tf.tanh(tf.matmul(x, w))
            loss = tf.reduce_mean(tf.square(tf.gradients(tf.gradients(u, x)[0], x)[0] - 1.0))
            train = O.AdamOptimizer(0.01).minimize(loss)
            sess.run(tf.global_variables_initializer())
            points = np.linspace(0.0, 1.0, 7)[:, None]
            sess.run(train, {x: points})
            programs, nodes = len(sess._programs), len(tf.get_default_graph().nodes)
            program = sess._programs[next(k for k in sess._programs if k[1] and len(k[2]) == 1)]
            for _ in range(20):
                sess.run(train, {x: points})
            assert (len(sess._programs), len(tf.get_default_graph().nodes)) == (programs, nodes)
            if executor == "xla":
                assert len(program._known) == 1
            else:
                assert len(program.variants) <= 1
    finally:
        tf2.config.set_executor(before)
