"""`tf.function`: derivatives of x^4 to order 5, of sin(3x) exp(-t) by variables joined inside, and Python's while."""

import numpy as np
import tensorflow as tf


@tf.function
def powers(x):
    found = [x**4]
    for _ in range(4):
        found.append(tf.gradients(found[-1], x)[0])
    return found


values = [float(v) for v in powers(tf.constant(2.0))]
print("x^4", values)
assert values == [16.0, 32.0, 48.0, 48.0, 24.0]


@tf.function(input_signature=[tf.TensorSpec([None, 1]), tf.TensorSpec([None, 1])])
def heat_residual(x, t):
    """Return u and u_t - u_xx / 9, which is zero for this u."""
    X = tf.concat([x, t], 1)
    u = tf.sin(3.0 * X[:, 0:1]) * tf.exp(-X[:, 1:2])
    u_xx = tf.gradients(tf.gradients(u, x)[0], x)[0]
    u_t = tf.gradients(u, t)[0]
    return u, u_t - u_xx / 9.0


points = np.linspace(0.0, 1.0, 5).reshape(5, 1)
u, residual = heat_residual(points, points)
print("u", np.round(u.numpy().ravel(), 4))
print("largest residual below 1e-6:", bool(tf.reduce_max(tf.abs(residual)) < 1e-6))
assert np.allclose(u, np.sin(3 * points) * np.exp(-points), atol=1e-6)
assert np.all(np.abs(residual) < 1e-6)


@tf.function
def root(c):
    """Return c^(1/4) by Newton's method; the while is Python's, on tensors."""
    x = tf.ones_like(c)
    while tf.abs(x**4 - c) > 1e-10:
        x = x - (x**4 - c) / (4.0 * x**3)
    return x


c = tf.constant(5.0, tf.float64)
with tf.GradientTape() as tape:
    tape.watch(c)
    x = root(c)
slope = tape.gradient(x, c)
print(f"5^(1/4) {float(x):.9f}, its derivative {float(slope):.9f}")
assert np.isclose(x, 5**0.25, rtol=1e-12)
assert np.isclose(slope, 0.25 * 5**-0.75, rtol=1e-6)
