"""Eigenvalues of the tangent kernel of a network, by a Jacobian of the script's own over TensorFlow's internals."""
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import array_ops
from tensorflow.python.ops import gradients_impl as gradient_ops
from tensorflow.python.ops.parallel_for import control_flow_ops
from tensorflow.python.util import nest

np.random.seed(1)


def jacobian(output, inputs, use_pfor=True, parallel_iterations=None):
    flat_inputs = nest.flatten(inputs)
    output_shape = array_ops.shape(output)
    output = array_ops.reshape(output, [-1])
    assert isinstance(output, ops.Tensor)

    def loop_fn(i):
        y = array_ops.gather(output, i)
        return gradient_ops.gradients(y, flat_inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    output_size = output.shape[0] if output.shape[0].value is not None else array_ops.shape(output)[0]
    if use_pfor:
        pfor_outputs = control_flow_ops.pfor(loop_fn, output_size, parallel_iterations=parallel_iterations)
    else:
        pfor_outputs = control_flow_ops.for_loop(loop_fn, [x.dtype for x in flat_inputs], output_size,
                                                 parallel_iterations=parallel_iterations)
    for i, out in enumerate(pfor_outputs):
        new_shape = array_ops.concat([output_shape, array_ops.shape(out)[1:]], axis=0)
        out = array_ops.reshape(out, new_shape)
        out.set_shape([None, 1] + flat_inputs[i].shape.as_list())
        pfor_outputs[i] = out
    return nest.pack_sequence_as(inputs, pfor_outputs)


class NTK:
    def __init__(self, layers, n):
        self.weights = [tf.Variable(np.random.randn(a, b), dtype=tf.float32) for a, b in zip(layers, layers[1:])]
        self.biases = [tf.Variable(np.random.randn(1, b), dtype=tf.float32) for b in layers[1:]]
        self.n = n
        self.x_tf = tf.placeholder(tf.float32, shape=(None, 1))
        self.u_pred = self.net_u(self.x_tf)
        self.r_pred = tf.gradients(tf.gradients(self.u_pred, self.x_tf)[0], self.x_tf)[0]
        self.lam = tf.Variable(1.0, dtype=tf.float32, trainable=False)
        self.lam_tf = tf.placeholder(tf.float32, shape=())
        self.assign = tf.assign(self.lam, self.lam_tf)
        self.K_u, self.K_r = self.compute_ntk(self.u_pred, True), self.compute_ntk(self.r_pred, False)
        self.sess = tf.Session()
        self.sess.run(tf.global_variables_initializer())

    def net_u(self, x):
        H = x
        for k, (W, b) in enumerate(zip(self.weights, self.biases)):
            H = tf.add(tf.matmul(H, W) / np.sqrt(W.shape[0].value), b)
            H = tf.tanh(H) if k + 1 < len(self.weights) else H
        return H

    def compute_ntk(self, y, use_pfor):
        Ker = tf.zeros((self.n, self.n))
        for J in jacobian(y, self.weights + self.biases, use_pfor):
            J = tf.reshape(J, shape=(self.n, -1))
            Ker = Ker + tf.matmul(J, tf.transpose(J))
        return Ker


x = np.linspace(0, 1, 5)[:, None]
model = NTK([1, 20, 1], 5)
K_u, K_r = model.sess.run([model.K_u, model.K_r], {model.x_tf: x})
print(np.round(np.linalg.eigvalsh(K_u)[::-1][:2], 4), K_r.shape)
print('%.4f %.4f' % (np.trace(K_u), np.trace(K_r)))
lam_value = np.trace(K_u + K_r) / np.trace(K_u)
model.sess.run(model.assign, feed_dict={model.lam_tf: lam_value})
print('%.4f' % model.sess.run(model.lam))
