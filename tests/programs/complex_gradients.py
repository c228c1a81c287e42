"""Complex numbers: construction, parts, and gradients of real and holomorphic functions with TensorFlow's conjugate convention."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else np.round(np.asarray(value).astype(np.complex128), 5).tolist())


z = tf.constant([1.0 + 2.0j, -0.5 + 0.25j], tf.complex128)
w = tf.constant([0.5 - 1.0j, 2.0 + 0.0j], tf.complex128)


def grad(label, f, *args):
    with tf.GradientTape() as tape:
        tape.watch(args)
        y = f(*args)
    show(label, y)
    for i, g in enumerate(tape.gradient(y, args)):
        show(f"{label} d{i}", g)


grad("abs", tf.abs, z)
grad("real", tf.math.real, z)
grad("imag", tf.math.imag, z)
grad("angle", tf.math.angle, z)
grad("conj", tf.math.conj, z)
grad("abs2", lambda a: tf.math.real(a * tf.math.conj(a)), z)
grad("square", tf.square, z)
grad("product", lambda a, b: a * b, z, w)
grad("quotient", lambda a, b: a / b, z, w)
grad("exp", tf.exp, z)
grad("log", tf.math.log, z)
grad("sqrt", tf.sqrt, z)
grad("sin", tf.sin, z)
grad("tanh", tf.tanh, z)
grad("pow", lambda a: a ** 3, z)
grad("complex", lambda a, b: tf.abs(tf.complex(a, b)) ** 2, tf.constant([1.0, 2.0]), tf.constant([3.0, -4.0]))
grad("cast up", lambda a: tf.math.real(tf.cast(a, tf.complex64) * (2.0 + 1.0j)), tf.constant([1.0, 2.0]))
grad("cast down", lambda a: tf.cast(a, tf.float64) * 3.0, z)
grad("matmul", lambda a: tf.math.real(tf.matmul(a[:, None], a[None, :], adjoint_b=False)), z)
grad("fft", lambda a: tf.abs(tf.signal.fft(tf.cast(a, tf.complex64))), tf.constant([1.0, 2.0, 0.5, -1.0]))
grad("sum of conj", lambda a, b: tf.reduce_sum(tf.math.conj(a) * b), z, w)
print(z.dtype.name, tf.abs(z).dtype.name, tf.math.real(z).dtype.name, tf.complex(1.0, 2.0).dtype.name, z.dtype.real_dtype.name, z.dtype.is_complex)
print(tf.constant(1j).dtype.name, tf.constant(np.complex64(1j)).dtype.name)
