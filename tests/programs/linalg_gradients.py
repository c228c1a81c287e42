"""Gradients of inverse, solve, Cholesky, determinants, eigenvalues, singular values, triangular solve, matrix functions."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


A = tf.constant([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]], tf.float64)
N = tf.constant([[1.0, 2.0, 0.0], [-1.0, 3.0, 1.0], [0.5, 0.0, 2.0]], tf.float64)
b = tf.constant([[1.0], [2.0], [-1.0]], tf.float64)
W = tf.constant(np.arange(1.0, 10.0).reshape(3, 3))


def grad(label, f, *args):
    with tf.GradientTape() as tape:
        tape.watch(args)
        y = f(*args)
    show(label, y)
    for i, g in enumerate(tape.gradient(y, args)):
        show(f"{label} d{i}", g)


grad("inv", lambda m: tf.reduce_sum(tf.linalg.inv(m) * W), N)
grad("inv adjoint", lambda m: tf.reduce_sum(tf.linalg.inv(m, adjoint=True) * W), N)
grad("det", tf.linalg.det, N)
grad("logdet", tf.linalg.logdet, A)
grad("slogdet", lambda m: tf.linalg.slogdet(m)[1], N)
grad("solve", lambda m, r: tf.reduce_sum(tf.linalg.solve(m, r) ** 2), N, b)
grad("solve adjoint", lambda m, r: tf.reduce_sum(tf.linalg.solve(m, r, adjoint=True) ** 2), N, b)
grad("triangular", lambda m, r: tf.reduce_sum(tf.linalg.triangular_solve(m, r) ** 2), tf.linalg.band_part(N, -1, 0), b)
grad("cholesky", lambda m: tf.reduce_sum(tf.linalg.cholesky(m) * W), A)
grad("cholesky_solve", lambda m, r: tf.reduce_sum(tf.linalg.cholesky_solve(tf.linalg.cholesky(m), r) ** 2), A, b)
grad("eigh values", lambda m: tf.reduce_sum(tf.linalg.eigvalsh(m) ** 3), A)
grad("eigh vectors", lambda m: tf.reduce_sum(tf.linalg.eigh(m)[1] ** 4), A)
grad("svd", lambda m: tf.reduce_sum(tf.linalg.svd(m, compute_uv=False) ** 3), N)
grad("svd u v", lambda m: tf.reduce_sum(tf.linalg.svd(m)[1][:, 0] ** 2 * tf.linalg.svd(m)[2][:, 0] ** 2), N)
grad("qr", lambda m: tf.reduce_sum(tf.abs(tf.linalg.qr(m)[1]) * tf.linalg.band_part(W, 0, -1)), N)
grad("trace", tf.linalg.trace, N)
grad("expm", lambda m: tf.reduce_sum(tf.linalg.expm(m * 0.1) * W), N)
grad("lstsq", lambda m, r: tf.reduce_sum(tf.linalg.lstsq(m, r, fast=True) ** 2), N, b)
grad("matvec", lambda m, r: tf.reduce_sum(tf.linalg.matvec(m, r[:, 0]) ** 2), N, b)
grad("transpose_a", lambda m: tf.reduce_sum(tf.matmul(m, m, transpose_a=True) * W), N)
grad("batch", lambda m: tf.reduce_sum(tf.linalg.inv(tf.stack([m, 2.0 * m]))), N)
grad("norm fro", lambda m: tf.norm(m), N)
grad("norm 1", lambda m: tf.reduce_sum(tf.norm(m, ord=1, axis=1)), N)
grad("norm inf", lambda m: tf.norm(m, ord=np.inf), N)
with tf.GradientTape() as outer:
    outer.watch(A)
    with tf.GradientTape() as inner:
        inner.watch(A)
        y = tf.linalg.logdet(A)
    g = inner.gradient(y, A)
    s = tf.reduce_sum(g * W)
show("second logdet", outer.gradient(s, A))
for bad in (lambda: tf.linalg.inv(tf.zeros([2, 2])), lambda: tf.reduce_any(tf.math.is_nan(tf.linalg.cholesky(-A))), lambda: tf.linalg.det(b), lambda: tf.matmul(A, tf.ones([2, 2], tf.float64))):
    try:
        print("ok", np.asarray(bad()).tolist())
    except tf.errors.OpError as error:
        print("raises", type(error).__name__)
