"""Functions of arrays that these programs use here and there, with the forms in which they call them."""
import numpy as np
import tensorflow as tf

A = np.array([[2.0, 1.0], [1.0, 3.0]])
c = tf.constant(A, dtype=tf.float32)
flat = tf.constant([1.0, 2.0, 3.0, 4.0])
shaped = tf.constant(0.5, shape=[2, 2])
typed = tf.constant(1.5, dtype=tf.float32, shape=[1, 2])
t = tf.convert_to_tensor(A, dtype=tf.float32)
plain = tf.convert_to_tensor([1.0, -2.0])
values, vectors = tf.linalg.eigh(c)
z = tf.complex(c, shaped)
fetches = [
    tf.norm(c, ord=2), tf.norm(c, ord='euclidean'), tf.norm(c, axis=1), tf.norm(c, axis=0, keepdims=True),
    tf.ones_like(c), tf.ones_like(c, dtype=tf.float64, optimize=False), tf.zeros_like(c), tf.ones([2]), tf.ones([2], dtype=tf.float64),
    tf.zeros([2, 1]), tf.zeros([1], dtype=tf.float32), tf.zeros(shape=[2]), tf.sqrt(c), tf.reduce_sum(c, 0, keepdims=True),
    tf.reduce_sum(c, axis=1), tf.reduce_sum(c, axis=0, keepdims=True), tf.log(c), tf.exp(c), tf.sin(c), tf.cos(c), tf.sign(plain),
    tf.abs(plain), tf.reshape(flat, [2, 2]), tf.reshape(flat, shape=[-1, 1]), tf.stack([c, t]), tf.stack([c, t], axis=1),
    tf.concat([c, t], axis=-1), tf.transpose(c), tf.multiply(c, c), tf.subtract(c, t), tf.math.subtract(c, 1.0), tf.nn.relu(plain),
    tf.nn.sigmoid(plain), tf.nn.tanh(plain), tf.sigmoid(plain), tf.expand_dims(flat, 1), tf.tile(typed, [2, 1]),
    tf.squeeze(typed), tf.squeeze(typed, axis=0), tf.squeeze(typed, [0]), tf.matrix_diag(plain), tf.eye(2, 3), values,
    tf.abs(tf.matmul(c, vectors) - vectors * values) < 1e-4, tf.stop_gradient(c), tf.nn.l2_loss(c), tf.add_n([c, t, c]),
    tf.range(4), tf.shape(c), tf.repeat(flat, 2), tf.to_double(plain), tf.cast(z, tf.complex64), tf.cast(flat, tf.float64),
    tf.reduce_max(c), tf.gradients(tf.nn.l2_loss(c) + tf.reduce_sum(tf.stop_gradient(c)), c)[0],
    tf.gradients(tf.reduce_sum(c), [c, flat], unconnected_gradients=tf.UnconnectedGradients.ZERO)[1], tf.cast(z, z.dtype),
]
with tf.Session() as sess:
    for value in sess.run(fetches):
        print(value.dtype, np.asarray(value).shape, np.round(value * 1.0, 4).tolist())
    print(sess.run(tf.add(c, t)).flatten().tolist(), sess.run(tf.concat([c, t], 0)).max())
