"""A heat equation solved by a network, in TensorFlow 1's names: u_t = u_xx, 0 < x < pi, u = sin(x) at t = 0.

The network is trained on the residual u_t - u_xx at points inside, and on the values at t = 0 and at both ends.
Gradient descent with momentum is written out with `tf.assign`. The solution is sin(x) exp(-t).
"""

import numpy as np
import tensorflow as tf

WIDTHS, STEPS, RATE, MOMENTUM = [2, 16, 16, 1], 600, 5e-3, 0.9
rng = np.random.default_rng(0)


def points(n, x=(0.0, np.pi), t=(0.0, 1.0)):
    return rng.uniform(*x, (n, 1)).astype("float32"), rng.uniform(*t, (n, 1)).astype("float32")


weights = []
for i, (m, n) in enumerate(zip(WIDTHS, WIDTHS[1:])):
    start = rng.normal(0.0, np.sqrt(2.0 / (m + n)), (m, n)).astype("float32")
    weights += [tf.Variable(start, name=f"w{i}"), tf.Variable(tf.zeros([n]), name=f"b{i}")]


def network(x, t):
    h = tf.concat([2.0 * x / np.pi - 1.0, 2.0 * t - 1.0], 1)
    for i in range(0, len(weights) - 2, 2):
        h = tf.tanh(tf.matmul(h, weights[i]) + weights[i + 1])
    return tf.matmul(h, weights[-2]) + weights[-1]


x = tf.placeholder(tf.float32, [None, 1])
t = tf.placeholder(tf.float32, [None, 1])
x_known = tf.placeholder(tf.float32, [None, 1])
t_known = tf.placeholder(tf.float32, [None, 1])
u_known = tf.placeholder(tf.float32, [None, 1])

u = network(x, t)
u_t = tf.gradients(u, t)[0]
u_xx = tf.gradients(tf.gradients(u, x)[0], x)[0]
residual = u_t - u_xx
loss = tf.reduce_mean(tf.square(residual)) + 5.0 * tf.reduce_mean(tf.square(network(x_known, t_known) - u_known))

updates = []
for variable, gradient in zip(weights, tf.gradients(loss, weights)):
    velocity = tf.Variable(tf.zeros(variable.shape), trainable=False)
    faster = tf.assign(velocity, MOMENTUM * velocity - RATE * gradient)
    updates.append(tf.assign_add(variable, faster))
step = tf.group(*updates)

inside = points(128)
start, ends = points(32, t=(0.0, 0.0)), points(32)
ends[0][:] = np.pi * (ends[0] > np.pi / 2)
known = [np.concatenate(pair) for pair in zip(start, ends)]
feeds = {x: inside[0], t: inside[1], x_known: known[0], t_known: known[1]}
feeds[u_known] = np.sin(known[0]) * np.exp(-known[1])

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    first = sess.run(loss, feeds)
    print(f"step    0 loss {first:.5f}")
    for k in range(1, STEPS + 1):
        sess.run(step, feeds)
        if k % 150 == 0:
            last = sess.run(loss, feeds)
            print(f"step {k:4d} loss {last:.5f}")
    grid = points(500)
    error = np.abs(sess.run(u, {x: grid[0], t: grid[1]}) - np.sin(grid[0]) * np.exp(-grid[1])).max()
print(f"largest error at new points {error:.3f}")
assert last < first / 10
assert error < 0.3
