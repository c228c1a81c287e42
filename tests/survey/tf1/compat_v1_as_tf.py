"""TensorFlow 1 asked for by name, as programs ported by one line do."""
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 1])
with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
    w = tf.get_variable("w", [1, 3], initializer=tf.constant_initializer(0.5))
    again = tf.get_variable("w", [1, 3])
u = tf.reduce_sum(tf.tanh(x * w), 1, keepdims=True)
loss = tf.reduce_mean(tf.square(tf.gradients(u, x)[0] - 1.0))
train = tf.train.AdamOptimizer(0.1).minimize(loss)
sess = tf.Session()
sess.run(tf.global_variables_initializer())
for _ in range(4):
    sess.run(train, {x: np.linspace(0, 1, 5)[:, None]})
print(w is again, '%.5f' % sess.run(loss, {x: [[0.0], [1.0]]}), sess.run(w).round(4).tolist())
