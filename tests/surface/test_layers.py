"""``tf.layers`` and ``tf.contrib.layers``: TensorFlow 1's names of variables, and values by their formulas."""

import numpy as np
import pytest

import wengert as tf

L = tf.compat.v1.layers
C = tf.compat.v1.contrib.layers


def names(variables):
    return [v.name.removesuffix(":0") for v in variables]


@pytest.fixture
def x(v1, graph):
    return v1.placeholder(tf.float32, [None, 3])


VALUES = np.arange(12.0).reshape(4, 3)


def test_names_are_numbered_within_scopes(v1, x):
    with v1.variable_scope("net"):
        h = L.dense(inputs=x, units=4, activation=tf.nn.tanh)
        h = L.dense(inputs=h, units=4, activation=None, name="mid")
        y = L.dense(inputs=h, units=1, activation=None)
    L.dense(x, 2, use_bias=False)
    assert names(v1.global_variables()) == [
        "net/dense/kernel", "net/dense/bias", "net/mid/kernel", "net/mid/bias", "net/dense_1/kernel", "net/dense_1/bias",
        "dense/kernel",
    ]  # fmt: skip
    assert (y.name, y.shape.as_list()) == ("net/dense_1/BiasAdd:0", [None, 1])


def test_variables_are_shared_where_the_scope_reuses(v1, x):
    def net(reuse):
        with v1.variable_scope("net", reuse=reuse):
            return L.dense(L.dense(x, 4, tf.nn.tanh), 1)

    one, other = net(None), net(True)
    assert len(v1.global_variables()) == 4
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        a, b = sess.run([one, other], {x: VALUES})
    assert a.tolist() == b.tolist()


def test_names_that_are_taken_are_refused_or_shared(v1, x):
    L.dense(x, 2, name="a")
    with pytest.raises(ValueError, match="already exists"):
        L.dense(x, 2, name="a")
    L.dense(x, 2, name="a", reuse=True)
    L.dense(x, 2, name="a", reuse=tf.compat.v1.AUTO_REUSE)
    assert names(v1.global_variables()) == ["a/kernel", "a/bias"]
    with pytest.raises(ValueError, match="does not exist"):
        L.dense(x, 2, name="b", reuse=True)


def test_dense_is_its_formula(v1, x):
    k, b = np.array([[1.0], [2.0], [3.0]], np.float32), 0.5
    y = L.dense(x, 1, tf.nn.tanh, kernel_initializer=v1.constant_initializer(k), bias_initializer=v1.constant_initializer(b))
    three = L.dense(tf.reshape(x, [2, 2, 3]), 1, kernel_initializer=v1.constant_initializer(k))
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        np.testing.assert_allclose(sess.run(y, {x: VALUES / 20}), np.tanh(VALUES / 20 @ k + b), rtol=1e-6)
        np.testing.assert_allclose(sess.run(three, {x: VALUES}), (VALUES @ k).reshape(2, 2, 1), rtol=1e-6)


def test_a_layer_makes_its_variables_once(v1, x):
    layer = L.Dense(2, activation=tf.nn.relu, name="out")
    layer(x)
    y = layer.apply(x)
    assert (names(layer.variables), layer.name, layer.scope_name, layer.built) == (["out/kernel", "out/bias"], "out", "out", True)
    assert y.shape.as_list() == [None, 2]
    assert names(v1.trainable_variables()) == ["out/kernel", "out/bias"]
    frozen = L.Dense(2, trainable=False, name="frozen")
    frozen(x)
    assert frozen.trainable_variables == []
    assert names(frozen.non_trainable_variables) == ["frozen/kernel", "frozen/bias"]


def test_what_weights_add_to_the_loss(v1, x):
    L.dense(x, 1, kernel_initializer=v1.ones_initializer(), kernel_regularizer=C.l2_regularizer(0.5), name="a",
            activity_regularizer=tf.reduce_sum)  # fmt: skip
    L.dense(x, 1, kernel_regularizer=C.l2_regularizer(0.5), name="a", reuse=True)
    losses = v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        assert sess.run(losses, {x: VALUES}) == [0.75, VALUES.sum()]


def test_columns_must_be_known(v1, graph):
    with pytest.raises(ValueError, match="last dimension"):
        L.dense(v1.placeholder(tf.float32, [None, None]), 2)


def test_convolutions_and_flatten(v1, graph):
    y = L.conv2d(v1.placeholder(tf.float32, [None, 8, 8, 3]), 5, 3, padding="same", activation=tf.nn.relu)
    z = L.conv1d(v1.placeholder(tf.float32, [None, 8, 3]), filters=5, kernel_size=3, strides=2)
    assert (y.shape.as_list(), z.shape.as_list()) == ([None, 8, 8, 5], [None, 3, 5])
    assert L.flatten(y).shape.as_list() == [None, 320]
    assert [(v.name, v.shape.as_list()) for v in v1.global_variables()] == [
        ("conv2d/kernel:0", [3, 3, 3, 5]), ("conv2d/bias:0", [5]), ("conv1d/kernel:0", [3, 3, 5]), ("conv1d/bias:0", [5]),
    ]  # fmt: skip


def test_dropout_in_training_only(v1, x):
    training = v1.placeholder(tf.bool, [])
    y = L.dropout(x, 0.5, training=training)
    assert L.dropout(x, 0.5).op.type == "Identity"
    ones = np.ones([400, 3])
    with v1.Session() as sess:
        assert sess.run(y, {x: ones, training: False}).min() == 1.0
        drawn = sess.run(y, {x: ones, training: True})
    assert set(drawn.ravel()) == {0.0, 2.0}
    assert 0.4 < (drawn == 0).mean() < 0.6


def test_batch_normalization(v1, x):
    training = v1.placeholder(tf.bool, [])
    y = L.batch_normalization(x, training=training, momentum=0.9)
    updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    moving = v1.global_variables()[2:]
    assert names(v1.global_variables()) == [
        f"batch_normalization/{n}" for n in ("gamma", "beta", "moving_mean", "moving_variance")
    ]
    assert names(v1.trainable_variables()) == ["batch_normalization/gamma", "batch_normalization/beta"]
    mean, variance = VALUES.mean(0), VALUES.var(0)
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        found = sess.run(y, {x: VALUES, training: True})
        np.testing.assert_allclose(found, (VALUES - mean) / np.sqrt(variance + 1e-3), rtol=1e-5)
        sess.run(updates, {x: VALUES, training: False})
        assert [v.tolist() for v in sess.run(moving)] == [[0.0] * 3, [1.0] * 3]
        sess.run(updates, {x: VALUES, training: True})
        np.testing.assert_allclose(sess.run(moving), [0.1 * mean, 0.9 + 0.1 * variance], rtol=1e-6)
        found = sess.run(y, {x: VALUES, training: False})
        np.testing.assert_allclose(found, (VALUES - 0.1 * mean) / np.sqrt(0.9 + 0.1 * variance + 1e-3), rtol=1e-5)


# --- contrib ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "spread"),
    [
        (lambda: C.xavier_initializer(), (2 / 500) ** 0.5),
        (lambda: C.xavier_initializer(uniform=False), (1.3 * 2 / 500) ** 0.5 * 0.87962566),
        (lambda: C.xavier_initializer_conv2d(seed=3), (2 / 500) ** 0.5),
        (lambda: C.variance_scaling_initializer(), (1.3 * 2 / 200) ** 0.5 * 0.87962566),
        (lambda: C.variance_scaling_initializer(1.0, "FAN_OUT", True), (1 / 300) ** 0.5),
    ],
)
def test_initializers_have_their_spread(made, spread: float):
    drawn = made()([200, 300]).numpy()
    assert abs(drawn.mean()) < spread / 50
    assert abs(drawn.std() / spread - 1) < 0.02
    with pytest.raises(ValueError, match="mode"):
        C.variance_scaling_initializer(mode="fan_in")
    with pytest.raises(TypeError, match="non-floating"):
        C.xavier_initializer(dtype=tf.int32)


def test_xavier_as_scripts_call_it(v1, graph):
    w = tf.Variable(C.xavier_initializer()([20, 20]))
    v = v1.get_variable("v", shape=[20, 20], initializer=C.xavier_initializer())
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        limit = (6 / 40) ** 0.5
        for drawn in sess.run([w, v]):
            assert 0.8 * limit < np.abs(drawn).max() < limit


def test_regularizers(v1, graph):
    w = v1.get_variable("w", initializer=[1.0, -2.0])
    losses = [C.l1_regularizer(0.5)(w), C.l2_regularizer(0.5)(w), C.l1_l2_regularizer(0.5, 0.5)(w)]
    total = C.apply_regularization(C.l2_regularizer(0.5), [w, w])
    assert v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES) == [total]
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        assert sess.run([*losses, total]) == [1.5, 1.25, 2.75, 2.5]
    assert C.l1_regularizer(0.0)(w) is None
    for wrong in (-1.0, 1):
        with pytest.raises(ValueError, match="scale"):
            C.l2_regularizer(wrong)
    with pytest.raises(ValueError, match="No weights"):
        C.apply_regularization(C.l2_regularizer(0.5))


def test_fully_connected_and_arg_scope(v1, x):
    framework = v1.contrib.framework
    with framework.arg_scope([C.fully_connected], activation_fn=tf.nn.tanh, biases_initializer=v1.ones_initializer()):
        y = C.fully_connected(x, 2, weights_initializer=v1.zeros_initializer())
        z = C.fully_connected(y, 2, activation_fn=None, scope="out", normalizer_fn=C.batch_norm)
    assert names(v1.global_variables()) == [
        "fully_connected/weights", "fully_connected/biases", "out/weights", "out/BatchNorm/beta", "out/BatchNorm/moving_mean",
        "out/BatchNorm/moving_variance",
    ]  # fmt: skip
    assert names(framework.get_variables("out", suffix="weights")) == ["out/weights"]
    assert names(framework.get_variables_by_name("biases")) == ["fully_connected/biases"]
    assert len(v1.model_variables()) == 6
    assert z.shape.as_list() == [None, 2]
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        np.testing.assert_allclose(sess.run(y, {x: VALUES}), np.full([4, 2], np.tanh(1.0)), rtol=1e-6)
    with pytest.raises(ValueError, match="add_arg_scope"), framework.arg_scope([len], x=1):
        pass


def test_batch_norm_notes_the_unbiased_variance(v1, x):
    y = C.batch_norm(x, decay=0.5, updates_collections=None)
    assert v1.get_collection(v1.GraphKeys.UPDATE_OPS) == []
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        sess.run(y, {x: VALUES})
        mean, variance = sess.run(v1.global_variables()[1:])
    np.testing.assert_allclose([mean, variance], [VALUES.mean(0) / 2, 0.5 + VALUES.var(0, ddof=1) / 2], rtol=1e-6)


def test_what_contrib_has_not_names_what_it_has(v1):
    with pytest.raises(AttributeError, match=r"tf\.contrib\.slim .* autograph, eager, framework, layers and opt"):
        _ = v1.contrib.slim
    with pytest.raises(AttributeError, match=r"tf\.contrib\.opt\.Other .* ScipyOptimizerInterface"):
        _ = v1.contrib.opt.Other
    assert v1.contrib.eager.gradients_function(lambda x: x * x)(3.0)[0].numpy() == 6.0
    assert v1.contrib.autograph is tf.autograph


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pooling_and_convolutions_of_three_axes(rank):
    x = np.cos(np.arange(4.0**rank)).reshape(1, *[4] * rank, 1)
    halves = x.reshape(1, *[2] * (2 * rank), 1)
    axes = tuple(2 * i + 2 for i in range(rank))
    for kind, how in (("max", np.max), ("average", np.mean)):
        found = getattr(L, f"{kind}_pooling{rank}d")(x, 2, 2)
        np.testing.assert_allclose(found.numpy(), how(halves, axis=axes), rtol=1e-12)
    if rank == 3:
        with tf.Graph().as_default():
            y = L.conv3d(tf.compat.v1.placeholder(tf.float32, [None, 4, 4, 4, 2]), 5, 3)
            assert y.shape.as_list() == [None, 2, 2, 2, 5]
            assert [v.shape.as_list() for v in tf.compat.v1.global_variables()] == [[3, 3, 3, 2, 5], [5]]
