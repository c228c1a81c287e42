"""Newton's method for a minimum and for a system, and Gauss-Newton for a fit, with derivatives from jacobian."""
import numpy as np
import tensorflow as tf


def rosenbrock(p):
    return (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2


p = tf.Variable([-1.2, 1.0], dtype=tf.float64)
for k in range(5):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = rosenbrock(p)
        g = inner.gradient(y, p)
    H = outer.jacobian(g, p)
    p.assign_sub(tf.linalg.solve(H, g[:, None])[:, 0])
    print(k, "%.6e" % y.numpy(), np.round(p.numpy(), 6).tolist())


@tf.function
def system(z):
    return tf.stack([z[0] ** 2 + z[1] ** 2 - 4.0, tf.exp(z[0]) + z[1] - 1.0])


@tf.function
def newton_step(z):
    with tf.GradientTape() as tape:
        tape.watch(z)
        F = system(z)
    J = tape.jacobian(F, z)
    return z - tf.squeeze(tf.linalg.solve(J, F[:, tf.newaxis]), axis=1), tf.norm(F)


z = tf.constant([1.0, -1.5], tf.float64)
for k in range(6):
    z, size = newton_step(z)
    print("system", k, "%.3e" % size.numpy() if size > 1e-12 else "small", np.round(z.numpy(), 8).tolist())

t = tf.linspace(tf.constant(0.0, tf.float64), 2.0, 15)
data = 2.5 * tf.exp(-1.3 * t) + 0.5
theta = tf.Variable([1.0, 1.0, 0.0], dtype=tf.float64)
for k in range(8):
    with tf.GradientTape(persistent=True) as tape:
        r = theta[0] * tf.exp(-theta[1] * t) + theta[2] - data
    J = tape.jacobian(r, theta, experimental_use_pfor=False)
    delta = tf.linalg.lstsq(J, r[:, None], fast=True)
    theta.assign(theta - tf.reshape(delta, [-1]))
print("fit", np.round(theta.numpy(), 6).tolist())
lam = tf.Variable(0.1, dtype=tf.float64)
x = tf.Variable(3.0, dtype=tf.float64)
for k in range(30):
    with tf.GradientTape() as tape:
        loss = tf.cosh(x - 1.0) + lam * x ** 2
    x.assign_sub(0.3 * tape.gradient(loss, x))
print("descent %.6f" % x.numpy())
