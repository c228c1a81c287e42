"""A heat equation solved by a network, in TensorFlow 2's names: u_t = u_xx / 9, u = sin(3x) at t = 0.

Nested tapes inside of `tf.function` give the residual and the gradient by the weights. Adam is written by hand. The
network is N in u = sin(3x) + t x (pi - x) N(x, t), so that u is right at t = 0 and at both ends, and only the
residual is to be trained. The solution is sin(3x) exp(-t).
"""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(1)
WIDTHS, STEPS, RATE = [2, 24, 24, 1], 600, 1e-2


class Network(tf.Module):
    def __init__(self, widths):
        super().__init__()
        self.w = [
            tf.Variable(rng.normal(0.0, np.sqrt(2.0 / (m + n)), (m, n)), dtype=tf.float32) for m, n in zip(widths, widths[1:])
        ]
        self.b = [tf.Variable(tf.zeros([n])) for n in widths[1:]]

    def __call__(self, x, t):
        h = tf.concat([2.0 * x - np.pi, 2.0 * t - 1.0], 1)
        for w, b in zip(self.w[:-1], self.b[:-1]):
            h = tf.tanh(h @ w + b)
        return tf.sin(3.0 * x) + t * x * (np.pi - x) * (h @ self.w[-1] + self.b[-1])


network = Network(WIDTHS)
weights = network.trainable_variables
mean = [tf.Variable(tf.zeros_like(w), trainable=False) for w in weights]
power = [tf.Variable(tf.zeros_like(w), trainable=False) for w in weights]
count = tf.Variable(0.0, trainable=False)


def residual(x, t):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch([x, t])
            u = network(x, t)
        u_x = inner.gradient(u, x)
        u_t = inner.gradient(u, t)
    return u_t - outer.gradient(u_x, x) / 9.0


@tf.function
def train(x, t):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(residual(x, t)))
    gradients = tape.gradient(loss, weights)
    count.assign_add(1.0)
    for w, g, m, v in zip(weights, gradients, mean, power):
        m.assign(0.9 * m + 0.1 * g)
        v.assign(0.999 * v + 0.001 * tf.square(g))
        m_hat, v_hat = m / (1.0 - 0.9**count), v / (1.0 - 0.999**count)
        w.assign_sub(RATE * m_hat / (tf.sqrt(v_hat) + 1e-7))
    return loss


x = tf.constant(rng.uniform(0.0, np.pi, (256, 1)), tf.float32)
t = tf.constant(rng.uniform(0.0, 1.0, (256, 1)), tf.float32)
first = float(train(x, t))
print(f"step    1 loss {first:.6f}")
for k in range(2, STEPS + 1):
    last = float(train(x, t))
    if k % 150 == 0:
        print(f"step {k:4d} loss {last:.6f}")

x, t = (tf.constant(rng.uniform(0.0, high, (500, 1)), tf.float32) for high in (np.pi, 1.0))
error = float(tf.reduce_max(tf.abs(network(x, t) - tf.sin(3.0 * x) * tf.exp(-t))))
print(f"largest error at new points {error:.3f}")
assert last < first / 20
assert error < 0.1
