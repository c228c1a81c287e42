"""Rows of derivatives at once, of outputs of several columns, and a tangent kernel by Jacobians of the weights."""
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(5)
W1 = tf.Variable(rng.standard_normal((2, 6)), dtype=tf.float32, trainable=True)
W2 = tf.Variable(rng.standard_normal((6, 3)).astype(np.float32))
x = tf.Variable(rng.random((5, 2)), dtype=tf.float32, name="x")


def net(x):
    return tf.matmul(tf.tanh(tf.matmul(x, W1)), W2)


with tf.GradientTape(persistent=True, watch_accessed_variables=False) as outer:
    outer.watch(x)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as inner:
        inner.watch(x)
        y = net(x)
    J = inner.batch_jacobian(y, x)
H = outer.batch_jacobian(J, x)
print(J.shape, H.shape, np.round(J[0], 4).tolist())
print(np.round(tf.linalg.trace(H[0]), 4).tolist())
with tf.GradientTape(persistent=True) as tape:
    u = net(x)[:, 0]
jac = tape.jacobian(u, [W1, W2])
K = sum(tf.matmul(a, a, transpose_b=True) for a in (tf.reshape(g, shape=[5, -1]) for g in jac))
values = tf.linalg.eigvalsh(K)
print(K.shape, np.round(values[-1], 3), bool(tf.reduce_max(values) > 0), np.round(tf.linalg.eigvals(K).numpy().real.max(), 3))
with tf.GradientTape() as tape:
    z = net(x)
g = tape.gradient(z, x, output_gradients=tf.ones_like(z) * 2.0)
print(np.round(g, 4).tolist())
with tf.GradientTape() as tape:
    z = net(x)
unused = tf.Variable([1.0])
print(tape.gradient(z, unused, unconnected_gradients=tf.UnconnectedGradients.ZERO).numpy())
