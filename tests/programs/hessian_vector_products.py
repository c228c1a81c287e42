"""Hessian-vector products four ways, the Hessian, a Gauss-Newton product, a Laplacian, and a divergence by one-hot directions."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


rng = np.random.RandomState(5)
A = tf.constant(rng.randn(4, 3))
x = tf.constant(rng.randn(3))
v = tf.constant([1.0, -1.0, 0.5], tf.float64)


def f(p):
    return tf.reduce_sum(tf.math.softplus(tf.linalg.matvec(A, p)) ** 2) + tf.reduce_prod(p)


def back_over_back(p, d):
    with tf.GradientTape() as outer:
        outer.watch(p)
        with tf.GradientTape() as inner:
            inner.watch(p)
            y = f(p)
        g = inner.gradient(y, p)
        s = tf.reduce_sum(g * tf.stop_gradient(d))
    return outer.gradient(s, p)


def back_with_seed(p, d):
    with tf.GradientTape() as outer:
        outer.watch(p)
        with tf.GradientTape() as inner:
            inner.watch(p)
            y = f(p)
        g = inner.gradient(y, p)
    return outer.gradient(g, p, output_gradients=d)


def forward_over_back(p, d):
    with tf.autodiff.ForwardAccumulator(p, d) as acc:
        with tf.GradientTape() as tape:
            tape.watch(p)
            y = f(p)
        g = tape.gradient(y, p)
    return acc.jvp(g)


@tf.function
def static(p, d):
    g = tf.gradients(f(p), p)[0]
    return tf.gradients(g, p, grad_ys=d)[0]


for function in (back_over_back, back_with_seed, forward_over_back, static):
    show(function.__name__, function(x, v))


@tf.function
def hessian(p):
    return tf.hessians(f(p), p)[0]


H = hessian(x)
show("H", H)
show("H v", tf.linalg.matvec(H, v))
with tf.GradientTape() as tape:
    tape.watch(x)
    r = tf.sin(tf.linalg.matvec(A, x))
J = tape.jacobian(r, x)
show("Gauss-Newton", tf.linalg.matvec(tf.matmul(J, J, transpose_a=True), v))


def laplacian(u, points):
    columns = [points[:, i] for i in range(points.shape[1])]
    total = 0.0
    for i in range(len(columns)):
        with tf.GradientTape() as outer:
            outer.watch(columns[i])
            with tf.GradientTape() as inner:
                inner.watch(columns[i])
                value = u(tf.stack(columns, 1))
            g = inner.gradient(value, columns[i])
        total += outer.gradient(g, columns[i])
    return total


points = tf.constant(rng.randn(3, 2))
show("laplacian", laplacian(lambda q: tf.sin(2.0 * q[:, 0]) * tf.cos(q[:, 1]), points) + 5.0 * tf.sin(2.0 * points[:, 0]) * tf.cos(points[:, 1]))


def divergence(field, q):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(q)
        parts = tf.unstack(field(q), axis=1)
    return tf.add_n([tape.gradient(p, q)[:, i] for i, p in enumerate(parts)])


show("divergence", divergence(lambda q: tf.stack([q[:, 0] ** 2 * q[:, 1], tf.sin(q[:, 1])], 1), points))
