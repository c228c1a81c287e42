"""The midpoint rule for the Lotka-Volterra system: sensitivities by reverse mode, by forward mode, by jacobian and by finite differences."""
import numpy as np
import tensorflow as tf

y0 = tf.constant([10.0, 5.0], tf.float64)
theta = tf.constant([1.1, 0.4, 0.1, 0.4], tf.float64)


def field(y, p):
    prey, predator = tf.unstack(y)
    return tf.stack([p[0] * prey - p[1] * prey * predator, p[2] * prey * predator - p[3] * predator])


def midpoint(y, p, h):
    middle = y + 0.5 * h * field(y, p)
    return y + h * field(middle, p)


def unrolled(y, p):
    for _ in range(3):
        y = midpoint(y, p, 0.5)
    return y


@tf.function
def solve(y, p, steps=tf.constant(40), h=0.05):
    for _ in tf.range(steps):
        y = midpoint(y, p, h)
    return y


with tf.GradientTape(persistent=True) as tape:
    tape.watch([y0, theta])
    end = solve(y0, theta)
    s = tf.reduce_sum(end)
print("end", np.round(end.numpy(), 6).tolist())
g = tape.gradient(s, {"y0": y0, "theta": theta})
print("reverse", np.round(g["y0"].numpy(), 5).tolist(), np.round(g["theta"].numpy(), 5).tolist())
J = tf.stack([tape.gradient(end, theta, output_gradients=row) for row in tf.eye(2, dtype=tf.float64)])
print("jacobian", np.round(J.numpy(), 5).tolist())
with tf.autodiff.ForwardAccumulator(theta, tf.constant([0.0, 1.0, 0.0, 0.0], tf.float64)) as acc:
    rate = field(y0, theta)
print("forward", np.round(acc.jvp(rate).numpy(), 5).tolist())
step = 1e-5
e1 = tf.one_hot(1, 4, dtype=tf.float64) * step
print("difference", np.round(((unrolled(y0, theta + e1) - unrolled(y0, theta - e1)) / (2 * step)).numpy(), 4).tolist())


@tf.function
def harmonic(omega):
    q, v = tf.constant(1.0, tf.float64), tf.constant(0.0, tf.float64)
    i = 0
    while i < 40:
        v = v - 0.025 * omega ** 2 * q
        q = q + 0.025 * v
        i += 1
    return q


w = tf.constant(2.0, tf.float64)
with tf.GradientTape() as tape:
    tape.watch(w)
    q = harmonic(w)
print("q %.5f dq %.5f" % (q, tape.gradient(q, w)))
