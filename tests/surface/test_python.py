"""TensorFlow's internal modules, and contrib's, in the forms in which published scripts import them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
import wengert.compat.python as python

MODULES = """
ops.gradients_impl ops.gradients ops.array_ops ops.math_ops ops.control_flow_ops ops.variable_scope ops.init_ops ops.nn_ops
ops.state_ops ops.variables ops.random_ops ops.linalg_ops ops.parallel_for.control_flow_ops ops.parallel_for.gradients
ops.losses.losses_impl util.nest util.compat framework.ops framework.dtypes framework.tensor_shape framework.constant_op
client.device_lib client.session platform.tf_logging platform.gfile platform.flags eager.context eager.backprop
training.training training.training_util training.saver training.learning_rate_decay training.moving_averages
training.checkpoint_management layers.core layers.base summary.summary lib.io.file_io pywrap_tensorflow
util.object_identity util.all_util util.deprecation data.ops.iterator_ops trackable.data_structures
keras.engine.data_adapter keras.engine.compile_utils
keras keras.layers keras.models keras.backend keras.initializers keras.engine keras.engine.base_layer keras.layers.core
""".split()
NAMES = """
ops.gradients_impl gradients
ops.array_ops reshape shape gather concat
ops.parallel_for.control_flow_ops for_loop pfor
ops.init_ops VarianceScaling GlorotUniform glorot_uniform_initializer
ops.losses.losses_impl mean_squared_error
util.nest flatten pack_sequence_as
framework.ops Tensor GraphKeys convert_to_tensor
client.device_lib list_local_devices
training.training_util get_or_create_global_step
training.saver Saver
training.learning_rate_decay exponential_decay
training.moving_averages ExponentialMovingAverage
layers.core Dense dense
summary.summary scalar merge_all
pywrap_tensorflow NewCheckpointReader
keras.layers Dense Layer Input Lambda
keras.models Model Sequential
keras.engine.base_layer Layer
keras.layers.core Activation
util.object_identity ObjectIdentityDictionary ObjectIdentitySet ObjectIdentityWeakKeyDictionary Reference
util.all_util make_all remove_undocumented
util.deprecation deprecated deprecated_args deprecated_alias deprecated_argument_lookup
trackable.data_structures ListWrapper NoDependency
keras.engine.data_adapter unpack_x_y_sample_weight
keras.engine.compile_utils match_dtype_and_rank
""".strip().splitlines()
CONTRIB = """
import tensorflow.contrib.layers as layers
import tensorflow.contrib.eager as tfe
from tensorflow.contrib import layers, opt, framework
from tensorflow.contrib.layers import xavier_initializer, fully_connected
from tensorflow.contrib.framework import nest, arg_scope
from tensorflow.layers import dense
from tensorflow.train import exponential_decay
""".strip().splitlines()


@pytest.mark.parametrize("style", ["--tf1", "--tf2"])
def test_imports(style: str, tmp_path: Path):
    lines = []
    for name in MODULES:
        package, _, last = name.rpartition(".")
        lines += [f"import tensorflow.python.{name}", f"from tensorflow.python{'.' if package else ''}{package} import {last}"]
    for line in NAMES:
        module, *names = line.split()
        lines.append(f"from tensorflow.python.{module} import {', '.join(names)}")
    script = tmp_path / "script.py"
    script.write_text("\n".join([*lines, *(CONTRIB if style == "--tf1" else []), "print('done')"]))
    run = subprocess.run(
        [sys.executable, "-m", "wengert", "run", style, str(script)], capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("done\n", "")


def test_jacobians_by_for_loop_and_pfor(v1, graph):
    loops, impl, ops = (
        python.module(["ops", *n]) for n in (["parallel_for", "control_flow_ops"], ["gradients_impl"], ["array_ops"])
    )
    nest = python.module(["util", "nest"])
    x = tf.constant(np.arange(1.0, 7.0).reshape(3, 2), tf.float32)
    flat = ops.reshape(x**3, [-1])

    def row(i):
        y = ops.gather(flat, i)
        return impl.gradients(y, nest.flatten(x), unconnected_gradients=tf.UnconnectedGradients.ZERO)

    count = ops.shape(flat)[0]
    one = loops.for_loop(row, [x.dtype] * len(nest.flatten(x)), count, parallel_iterations=None)
    other = loops.pfor(row, count, parallel_iterations=3)
    with v1.Session() as sess:
        (a,), (b,) = sess.run([one, other])
    wanted = np.diag(3.0 * np.arange(1.0, 7.0) ** 2).reshape(6, 3, 2)
    np.testing.assert_allclose(a, wanted, rtol=1e-6)
    np.testing.assert_allclose(b, wanted, rtol=1e-6)


def test_gradients_in_a_loop_by_what_lies_outside_of_it(v1, graph):
    """Of a residual with derivatives in it, by weights and by points, in nested loops too: the Jacobian by rows."""
    loops = python.module(["ops", "parallel_for", "control_flow_ops"])
    rng = np.random.default_rng(0)
    x = v1.placeholder(tf.float32, [None, 2])
    w = v1.get_variable("w", initializer=rng.normal(size=[2, 1]).astype(np.float32))
    z = 2.0 * x - 1.0
    u = tf.tanh(tf.matmul(z, w))
    residual = tf.reshape(u * v1.gradients(u, x)[0][:, 0:1], [-1])
    count = tf.shape(residual)[0]

    def row(i):
        return v1.gradients(v1.gather(residual, i), [w, x, z])

    def nested(j):
        scale = tf.cast(j + 1, tf.float32)
        return loops.for_loop(lambda i: v1.gradients(scale * v1.gather(residual, i), w)[0], tf.float32, count)

    by_loop = [loops.for_loop(row, [tf.float32] * 3, count), loops.for_loop(nested, tf.float32, 2)]
    one_by_one = [v1.gradients(residual[i], [w, x, z]) for i in range(3)]
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        feed = {x: rng.normal(size=[3, 2])}
        (found, twice), wanted = sess.run([by_loop, one_by_one], feed)
    for k in range(3):
        rows = np.stack([row[k] for row in wanted])
        np.testing.assert_allclose(found[k], rows, rtol=1e-5, atol=1e-6)
        assert np.abs(rows).max() > 1e-2
    np.testing.assert_allclose(twice, np.stack([found[0], 2 * found[0]]), rtol=1e-5, atol=1e-6)


def test_hessian_vector_products(v1, graph):
    x = tf.constant([1.0, 2.0])
    found = python.module(["ops", "gradients_impl"])._hessian_vector_product(tf.reduce_sum(x**3), [x], [tf.constant([1.0, 10.0])])
    with v1.Session() as sess:
        assert sess.run(found)[0].tolist() == [6.0, 120.0]


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("/cpu:0", "/device:CPU:0"), ("gpu:1", "/device:GPU:1"), ("/device:GPU:0", "/device:GPU:0"), ("GPU", "/device:GPU:*"),
        ("/CPU:*", "/device:CPU:*"), ("/job:ps/task:1", "/job:ps/task:1"), ("", ""), (None, ""),
    ],
)  # fmt: skip
def test_devices_by_their_full_names(name, full: str, graph):
    with tf.device(name):
        assert tf.constant(1.0).device == full
    with tf.device("/job:w"), tf.device(name):
        assert tf.constant(1.0).device == (full if "job" in full or name is None else f"/job:w{full}")


@pytest.mark.parametrize("name", ["bad", "/bad:0", "/GPU:x", "/gpu:0/cpu:1", 3])
def test_what_is_no_device(name):
    with pytest.raises(ValueError, match="device"), tf.device(name):
        pass
    with tf.Graph().as_default(), pytest.raises(ValueError, match="device"), tf.device(name):
        pass


def test_objects_that_go_by_identity():
    from wengert.surface import identity

    one, same = [1], [1]
    kept = identity.ObjectIdentityDictionary()
    kept[one], kept[same] = "a", "b"
    assert [kept[one], kept[same], len(kept)] == ["a", "b", 2] and [1] not in kept
    del kept[one]
    assert list(kept) == [same] and next(iter(kept)) is same
    members = identity.ObjectIdentitySet([one, one, same])
    assert len(members) == 2 and one in members and [1] not in members
    members.discard(one)
    assert [m is same for m in members] == [True]
    assert identity.Reference(one) == identity.Reference(one) != identity.Reference(same)
    variable = tf.Variable(1.0)
    weak = identity.ObjectIdentityWeakKeyDictionary()
    weak[variable] = 1
    assert weak[variable] == 1 and len(weak) == 1
    del variable
    assert len(weak) == 0 and list(weak) == []


def test_what_keras_engine_had():
    from wengert.surface.fitting import match_dtype_and_rank, unpack_x_y_sample_weight

    y, p, w = match_dtype_and_rank(tf.constant([1.0, 2.0], tf.float64), tf.ones([2, 1]), tf.constant([1, 2]))
    assert (y.shape, y.dtype, p.shape, w.shape, w.dtype) == ((2, 1), tf.float32, (2, 1), (2, 1), tf.float32)
    assert match_dtype_and_rank(tf.constant([1, 2]), tf.ones([2]), None)[0].dtype == tf.int32
    assert unpack_x_y_sample_weight((1, 2)) == (1, 2, None)
