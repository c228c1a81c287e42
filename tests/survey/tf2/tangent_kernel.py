"""A Jacobian of the script's own over TensorFlow's internals, in a function."""
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import array_ops
from tensorflow.python.ops import gradients_impl as gradient_ops
from tensorflow.python.ops.parallel_for import control_flow_ops
from tensorflow.python.util import nest


def jacobian(output, inputs, use_pfor=True, parallel_iterations=None):
    flat_inputs = nest.flatten(inputs)
    output_shape = array_ops.shape(output)
    output_size = output.shape[0]
    output = array_ops.reshape(output, [-1])
    assert isinstance(output, ops.Tensor)

    def loop_fn(i):
        return gradient_ops.gradients(array_ops.gather(output, i), flat_inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    if use_pfor:
        outputs = control_flow_ops.pfor(loop_fn, output_size, parallel_iterations=parallel_iterations)
    else:
        outputs = control_flow_ops.for_loop(loop_fn, [x.dtype for x in flat_inputs], output_size, parallel_iterations=parallel_iterations)
    for i, out in enumerate(outputs):
        out = array_ops.reshape(out, array_ops.concat([output_shape, array_ops.shape(out)[1:]], axis=0))
        out.set_shape(output.shape.as_list()[:1] + [1] + flat_inputs[i].shape.as_list())
        outputs[i] = out
    return nest.pack_sequence_as(inputs, outputs)


rng = np.random.RandomState(4)
x = tf.constant(rng.rand(4, 1), dtype=tf.float32)
W = tf.constant(rng.randn(1, 5), dtype=tf.float32)
v = tf.constant(rng.randn(5, 1), dtype=tf.float32)


@tf.function
def kernels(W, v):
    u = tf.matmul(tf.tanh(tf.matmul(x, W)), v)
    a, b = jacobian(u, [W, v]), jacobian(u, [W, v], use_pfor=False)
    return [sum(tf.matmul(j, j, transpose_b=True) for j in (tf.reshape(g, [4, -1]) for g in js)) for js in (a, b)]


K, L = kernels(W, v)
print(np.round(K, 4).tolist(), np.allclose(K, L, atol=1e-5))
