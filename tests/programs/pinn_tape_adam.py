"""A small physics-informed network in eager style: u'' = -sin(x), u(0) = u(pi) = 0; hand-written Adam in a tf.function."""
import numpy as np
import tensorflow as tf

tf.keras  # the attribute is there; nothing of it is used
rng = np.random.RandomState(1234)
sizes = [1, 8, 8, 1]
weights, biases = [], []
for m, n in zip(sizes, sizes[1:]):
    weights.append(tf.Variable(rng.randn(m, n) * np.sqrt(2.0 / (m + n)), dtype=tf.float64))
    biases.append(tf.Variable(tf.zeros([1, n], tf.float64)))
parameters = weights + biases


def net(x):
    h = 2.0 * x / np.pi - 1.0
    for w, b in zip(weights[:-1], biases[:-1]):
        h = tf.tanh(tf.add(tf.matmul(h, w), b))
    return tf.matmul(h, weights[-1]) + biases[-1]


def residual(x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            u = net(x)
        u_x = inner.gradient(u, x)
    u_xx = outer.gradient(u_x, x)
    return u_xx + tf.sin(x)


class Adam:
    def __init__(self, variables, rate=1e-2, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.variables, self.rate, self.b1, self.b2, self.epsilon = variables, rate, beta1, beta2, epsilon
        self.m = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self.v = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self.t = tf.Variable(0, dtype=tf.int64, trainable=False)

    def apply(self, gradients):
        self.t.assign_add(1)
        t = tf.cast(self.t, tf.float64)
        rate = self.rate * tf.sqrt(1.0 - self.b2 ** t) / (1.0 - self.b1 ** t)
        for p, g, m, v in zip(self.variables, gradients, self.m, self.v):
            m.assign(self.b1 * m + (1.0 - self.b1) * g)
            v.assign(self.b2 * v + (1.0 - self.b2) * tf.square(g))
            p.assign_sub(rate * m / (tf.sqrt(v) + self.epsilon))


adam = Adam(parameters)
collocation = tf.constant(np.linspace(0, np.pi, 20)[:, None])
boundary = tf.constant([[0.0], [np.pi]], tf.float64)


@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(residual(collocation))) + tf.reduce_mean(tf.square(net(boundary)))
    adam.apply(tape.gradient(loss, parameters))
    return loss


for i in range(101):
    loss = step()
    if i % 20 == 0:
        tf.print("step", i, "positive", loss > 0.0)
        print("loss %.5e" % loss.numpy())
print("t", adam.t.numpy(), [p.shape.as_list() for p in parameters])
print("u(pi/2) %.4f" % net(tf.constant([[np.pi / 2]], tf.float64)).numpy()[0, 0])
