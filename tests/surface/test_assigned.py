"""TensorFlow 1: what an assignment returns is assigned to, and parts of variables; lists of variables that are nested."""

import numpy as np
import pytest

import wengert as tf

v1 = tf.compat.v1

CASES = {
    "assign": (lambda a, v: v1.assign(a, [9.0, 9.0, 9.0]), [9.0, 9.0, 9.0]),
    "add": (lambda a, v: v1.assign_add(a, [9.0, 9.0, 9.0]), [12.0, 10.0, 10.0]),
    "subtract": (lambda a, v: v1.assign_sub(a, [9.0, 9.0, 9.0]), [-6.0, -8.0, -8.0]),
    "rows": (lambda a, v: v1.scatter_update(a, [0], [9.0]), [9.0, 1.0, 1.0]),
    "rows are added": (lambda a, v: v1.scatter_add(a, [0], [5.0]), [8.0, 1.0, 1.0]),
    "a part": (lambda a, v: v1.assign(v[0], 7.0), [7.0, 2.0, 3.0]),
    "parts": (lambda a, v: v1.assign(v[0:2], [7.0, 6.0]), [7.0, 6.0, 3.0]),
    "a part of what was assigned": (lambda a, v: a[0].assign(4.0), [4.0, 1.0, 1.0]),
    "thrice": (lambda a, v: v1.assign_add(v1.assign_add(a, [1.0, 1.0, 1.0]), [1.0, 1.0, 1.0]), [5.0, 3.0, 3.0]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_assign_returns_is_assigned_to(case):
    change, wanted = CASES[case]
    with tf.Graph().as_default(), v1.Session() as session:
        v = v1.get_variable("v", initializer=[1.0, 2.0, 3.0])
        result = change(v1.assign(v, [3.0, 1.0, 1.0]), v)
        session.run(v1.global_variables_initializer())
        assert session.run(result).tolist() == wanted and session.run(v).tolist() == wanted


def test_what_is_no_variable():
    with tf.Graph().as_default():
        for call in (v1.assign, v1.assign_add, lambda t, x: v1.scatter_add(t, [0], x)):
            with pytest.raises((AttributeError, ValueError), match=r"variable|attribute 'assign"):
                call(tf.identity([1.0]), [2.0])
        with pytest.raises(ValueError, match="A variable is needed here"):
            v1.assign(3.0, 4.0)


def test_lists_of_variables_are_nested():
    with tf.Graph().as_default(), v1.Session() as session:
        w, b = [v1.Variable(1.0), v1.Variable(0.5)], {"b": v1.Variable(2.0)}
        loss = tf.square((w[0] * 3.0 + b["b"]) * w[1])
        optimizer = v1.train.GradientDescentOptimizer(0.01)
        assert [v for _, v in optimizer.compute_gradients(loss, var_list=[w, b])] == [*w, b["b"]]
        step = optimizer.minimize(loss, var_list=(w, b))
        session.run(v1.global_variables_initializer())
        session.run(step)
        # the derivatives of ((3 u + b) v)² at u = 1, v = 1/2, b = 2: 2 (5/2) (3/2), 2 (5/2) 5, 2 (5/2) (1/2)
        np.testing.assert_allclose(session.run([*w, b["b"]]), [1.0 - 0.075, 0.5 - 0.25, 2.0 - 0.025], rtol=1e-6)


def test_scopes_within_others_may_begin_with_an_underscore():
    with tf.Graph().as_default():
        with tf.name_scope("outer"), tf.name_scope("_inner"):
            assert tf.constant(1.0).name == "outer/_inner/Const:0"
        with v1.variable_scope("outer"), v1.variable_scope("_own"):
            assert v1.get_variable("w", initializer=1.0).name == "outer/_own/w:0"
        for name, around in (("_inner", ""), ("a b", "outer")):
            with pytest.raises(ValueError, match="not a valid scope name"), v1.name_scope(around or None), tf.name_scope(name):
                pass


@pytest.mark.parametrize("shape", [None, []])
def test_layers_whose_training_is_fed_keep_their_shape(shape):
    with tf.Graph().as_default(), v1.Session() as session:
        training, x = v1.placeholder(tf.bool, shape), v1.placeholder(tf.float32, [None, 3])
        layers = tf.keras.layers
        for layer in (layers.Dropout(0.5), layers.GaussianNoise(1.0), layers.GaussianDropout(0.5)):
            y = layer(x, training=training)
            assert y.shape.as_list() == [None, 3]
            (slope,) = v1.gradients(y, x)
            fed = {x: np.ones((50, 3)), training: False}
            assert session.run(y, fed).tolist() == session.run(slope, fed).tolist() == np.ones((50, 3)).tolist()
        y = v1.layers.dropout(x, 0.5, training=training)
        assert y.shape.as_list() == [None, 3]
        assert set(session.run(y, {x: np.ones((50, 3)), training: True}).ravel()) == {0.0, 2.0}
