"""tf.test.compute_gradient: theoretical and numerical Jacobians, several arguments, delta, and the error between them."""
import numpy as np
import tensorflow as tf


def report(label, f, args, tolerance=1e-4, **kw):
    theory, numeric = tf.test.compute_gradient(f, args, **kw)
    print(label, type(theory).__name__, [t.shape for t in theory], max(float(np.max(np.abs(t - n))) if t.size else 0.0 for t, n in zip(theory, numeric)) < tolerance)
    return theory


x = tf.constant([[0.5, -1.0], [2.0, 0.25]], tf.float64)
w = tf.constant([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]], tf.float64)
print(np.round(report("matmul", tf.matmul, [x, w])[0], 5).tolist())
print(np.round(report("sin", tf.sin, [x])[0], 5).tolist())
report("exp f32", tf.exp, [tf.constant([0.5, 1.0])], 1e-2)
report("numpy argument", lambda v: v ** 2, [np.array([1.0, 2.0])])
report("reduce", lambda v: tf.reduce_sum(v ** 3, 1), [x])
report("delta", tf.tanh, [x], delta=1e-5)
report("empty", lambda v: v * 2.0, [tf.zeros([0, 2], tf.float64)])
report("logsumexp", lambda v: tf.reduce_logsumexp(v, 0), [x])
report("broadcast", lambda a, b: a / (b + 5.0), [x, tf.constant([1.0, -1.0], tf.float64)])
print(np.round(report("complex", lambda z: z * z, [tf.constant([1.0 + 2.0j], tf.complex128)])[0], 4).tolist())
print(np.round(report("gather", lambda v: tf.gather(v, [1, 1]), [x])[0], 4).tolist())


@tf.custom_gradient
def wrong(v):
    return v ** 2, lambda dy: dy * 3.0


theory, numeric = tf.test.compute_gradient(wrong, [tf.constant([1.0], tf.float64)])
print("wrong rule", float(theory[0][0, 0]), round(float(numeric[0][0, 0]), 4))
grad_of = lambda f: lambda v: gradient(f, v)


def gradient(f, v):
    with tf.GradientTape() as tape:
        tape.watch(v)
        y = f(v)
    return tape.gradient(y, v)


for name in ("sigmoid", "softplus", "tanh", "atan", "erf", "lgamma", "rsqrt", "log1p", "expm1", "sinh", "asinh"):
    f = getattr(tf.math, name)
    report("first " + name, f, [tf.constant([0.4, 1.3], tf.float64)])
    report("second " + name, grad_of(f), [tf.constant([0.4, 1.3], tf.float64)])
for bad in (lambda: tf.test.compute_gradient(tf.sin, x), lambda: tf.test.compute_gradient(lambda v: tf.cast(v, tf.int32), [x])):
    try:
        bad()
        print("passes")
    except Exception as error:
        print(type(error).__name__)
