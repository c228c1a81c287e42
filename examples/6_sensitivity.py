"""How the solution of y' = r y (1 - y), y(0) = y0, at time T depends on r and y0, to order 2.

A Runge-Kutta method is differentiated through its loop. logit y = logit y0 + r T gives the exact derivatives.
"""

import numpy as np
import tensorflow as tf

T, STEPS = 2.0, 100


@tf.function
def solve(p):
    """Return y(T) for p = (r, y0)."""
    r, y, h = p[0], p[1], T / STEPS

    def slope(y):
        return r * y * (1.0 - y)

    for _ in tf.range(STEPS):
        k1 = slope(y)
        k2 = slope(y + 0.5 * h * k1)
        k3 = slope(y + 0.5 * h * k2)
        k4 = slope(y + h * k3)
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return y


p = tf.constant([1.3, 0.2], tf.float64)

with tf.GradientTape() as outer:
    outer.watch(p)
    with tf.GradientTape() as inner:
        inner.watch(p)
        y = solve(p)
    gradient = inner.gradient(y, p)
hessian = outer.jacobian(gradient, p)

r, y0 = 1.3, 0.2
exact = 1.0 / (1.0 + (1.0 / y0 - 1.0) * np.exp(-r * T))
s, s0 = exact * (1.0 - exact), y0 * (1.0 - y0)
first = np.array([T * s, s / s0])
d2 = s * (1.0 - 2.0 * exact)
second = np.array([[T * T * d2, T * d2 / s0], [T * d2 / s0, (d2 - s * (1.0 - 2.0 * y0)) / s0**2]])

print(f"y(T)        {float(y):.9f}  exact {exact:.9f}")
print("gradient   ", np.round(gradient.numpy(), 7))
print("hessian    ", np.round(hessian.numpy(), 6).tolist())
np.testing.assert_allclose(y, exact, rtol=1e-8)
np.testing.assert_allclose(gradient, first, rtol=1e-7)
np.testing.assert_allclose(hessian, second, rtol=1e-6)

# The product of the Hessian with a vector, without the Hessian: forward mode over a tape.
v = tf.constant([1.0, -2.0], tf.float64)
with tf.autodiff.ForwardAccumulator(p, v) as accumulator:
    with tf.GradientTape() as tape:
        tape.watch(p)
        y = solve(p)
    gradient = tape.gradient(y, p)
product = accumulator.jvp(gradient)
print("hessian @ v", np.round(product.numpy(), 6))
np.testing.assert_allclose(product, second @ v.numpy(), rtol=1e-6)

# Newton's method for the rate at which y(T) = 1/2: the derivative with respect to r alone.
r = tf.Variable(1.0, dtype=tf.float64)
for _ in range(8):
    with tf.GradientTape() as tape:
        gap = solve(tf.stack([r, tf.constant(0.2, tf.float64)])) - 0.5
    r.assign_sub(gap / tape.gradient(gap, r))
print(f"y(T) = 1/2 for r = {r.numpy():.9f}, exact {np.log(4.0) / T:.9f}")
assert abs(r.numpy() - np.log(4.0) / T) < 1e-7
