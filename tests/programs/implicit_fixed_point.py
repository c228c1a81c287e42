"""Implicit differentiation by custom_gradient: a fixed point, a linear solve with its own adjoint, a root; checked against unrolling."""
import numpy as np
import tensorflow as tf


def iterate(a, n=60):
    z = tf.zeros_like(a)
    for _ in range(n):
        z = tf.tanh(0.5 * z + a)
    return z


@tf.custom_gradient
def fixed_point(a):
    z = iterate(tf.stop_gradient(a))

    def grad(dz):
        slope = 1.0 - z ** 2
        return dz * slope / (1.0 - 0.5 * slope)

    return z, grad


@tf.custom_gradient
def solve(A, b):
    x = tf.linalg.solve(A, b)

    def grad(dx):
        adjoint = tf.linalg.solve(A, dx, adjoint=True)
        return -tf.matmul(adjoint, x, transpose_b=True), adjoint

    return x, grad


@tf.custom_gradient
def root(c):
    r = tf.pow(c, 1.0 / 3.0)
    return r, lambda upstream: upstream / (3.0 * r ** 2)


a = tf.constant([0.3, -1.2, 2.0], tf.float64)
with tf.GradientTape(persistent=True) as tape:
    tape.watch(a)
    implicit = fixed_point(a)
    unrolled = iterate(a)
print(np.round(implicit.numpy(), 6).tolist())
print(np.round(tape.gradient(implicit, a).numpy(), 6).tolist(), np.round(tape.gradient(unrolled, a).numpy(), 6).tolist())
A = tf.constant([[3.0, 1.0], [-1.0, 2.0]], tf.float64)
b = tf.constant([[1.0], [4.0]], tf.float64)
with tf.GradientTape(persistent=True) as tape:
    tape.watch([A, b])
    mine = tf.reduce_sum(solve(A, b) ** 3)
    theirs = tf.reduce_sum(tf.linalg.solve(A, b) ** 3)
for own, ref in zip(tape.gradient(mine, [A, b]), tape.gradient(theirs, [A, b])):
    print(np.round(own.numpy(), 6).tolist(), np.allclose(own, ref))
c = tf.constant(8.0, tf.float64)
with tf.GradientTape() as t2:
    t2.watch(c)
    with tf.GradientTape() as t1:
        t1.watch(c)
        r = root(c)
    d = t1.gradient(r, c)
print("%.6f %.6f %.6f" % (r, d, t2.gradient(d, c)))


@tf.function
def loss(p):
    z = fixed_point(p)
    return tf.reduce_sum(z * tf.constant([1.0, 2.0, 3.0], tf.float64))


with tf.GradientTape() as tape:
    tape.watch(a)
    value = loss(a)
print("%.6f" % value, np.round(tape.gradient(value, a).numpy(), 6).tolist())
with tf.GradientTape() as tape:
    tape.watch(a)
    z = fixed_point(a)
print(np.round(tape.jacobian(z, a).numpy(), 6).tolist())
