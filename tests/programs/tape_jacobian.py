"""jacobian and batch_jacobian: shapes, values, structures of sources, Hessians, while_loop instead of vectorisation, errors."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


rng = np.random.RandomState(3)
A = tf.constant(rng.randn(3, 2))
x = tf.constant(rng.randn(2))
b = tf.constant(rng.randn(3))
with tf.GradientTape(persistent=True) as tape:
    tape.watch([A, x, b])
    y = tf.tanh(tf.linalg.matvec(A, x) + b)
    s = tf.reduce_sum(y)
    unrelated = b * 2.0
show("dy/dx", tape.jacobian(y, x))
print("dy/dA", tape.jacobian(y, A).shape)
show("dy/db", tape.jacobian(y, b))
J = tape.jacobian(y, {"A": A, "rest": [x, b]})
print("structure", sorted(J), J["A"].shape, [j.shape.as_list() for j in J["rest"]])
show("scalar target", tape.jacobian(s, x))
show("unrelated", tape.jacobian(unrelated, x))
show("unrelated zero", tape.jacobian(unrelated, x, unconnected_gradients=tf.UnconnectedGradients.ZERO))
show("pfor off", tape.jacobian(y, x, experimental_use_pfor=False))

with tf.GradientTape() as outer:
    outer.watch(x)
    with tf.GradientTape() as inner:
        inner.watch(x)
        f = tf.reduce_sum(tf.exp(x) * tf.reverse(x, [0]))
    g = inner.gradient(f, x)
show("hessian", outer.jacobian(g, x))

X = tf.constant(rng.randn(4, 2))
W = tf.constant(rng.randn(2, 3))
with tf.GradientTape(persistent=True) as tape:
    tape.watch(X)
    Y = tf.sin(X @ W)
B = tape.batch_jacobian(Y, X)
print("batch", B.shape)
show("batch[1]", B[1])
full = tape.jacobian(Y, X)
print("full", full.shape)
show("diagonal blocks agree", tf.reduce_max(tf.abs(tf.einsum("bibj->bij", full) - B)))
show("batch, pfor off", tf.reduce_max(tf.abs(tape.batch_jacobian(Y, X, experimental_use_pfor=False) - B)))
try:
    tape.batch_jacobian(Y[:3], X)
except ValueError as error:
    print("ValueError", "first dimension" in str(error))
try:
    tape.jacobian([Y, Y], X)
except AttributeError as error:
    print("list target", type(error).__name__)


@tf.function
def jac(v):
    with tf.GradientTape() as tape:
        tape.watch(v)
        out = tf.stack([v[0] * v[1], v[0] ** 2, tf.reduce_sum(v)])
    return tape.jacobian(out, v)


show("in a function", jac(tf.constant([2.0, -3.0])))
