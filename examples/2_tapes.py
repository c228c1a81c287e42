"""Eager mode: nested gradient tapes, partial derivatives by slicing, and a Jacobian.

u(x, t) = tanh(2x + t), x and t in the columns of X. The tapes watch X, so derivatives are by X and slices of it.
"""

import numpy as np
import tensorflow as tf

X = tf.constant([[0.1, 0.2], [-0.3, 0.4], [0.5, -0.6]], dtype=tf.float64)
w = tf.constant([[2.0], [1.0]], dtype=tf.float64)

with tf.GradientTape() as tape3:
    tape3.watch(X)
    with tf.GradientTape(persistent=True) as tape2:
        tape2.watch(X)
        with tf.GradientTape() as tape1:
            tape1.watch(X)
            u = tf.tanh(tf.matmul(X, w))
        g = tape1.gradient(u, X)
        u_x, u_t = g[:, 0:1], g[:, 1:2]  # taken inside of tape2, which is to see them
    u_xx = tape2.gradient(u_x, X)[:, 0:1]
    u_tt = tape2.gradient(u_t, X)[:, 1:2]
u_xxx = tape3.gradient(u_xx, X)[:, 0:1]

v = np.tanh(X.numpy() @ [[2.0], [1.0]])
s = 1 - v**2
exact = {"u_x": 2 * s, "u_t": s, "u_xx": -8 * v * s, "u_tt": -2 * v * s, "u_xxx": 16 * s * (3 * v**2 - 1)}
for name, found in zip(exact, (u_x, u_t, u_xx, u_tt, u_xxx)):
    print(f"{name:6s}", np.round(found.numpy().ravel(), 6))
    np.testing.assert_allclose(found, exact[name], rtol=1e-12)

# Each row of u depends on its own row of X: the Jacobian is block diagonal, and batch_jacobian gives the blocks.
with tf.GradientTape(persistent=True) as tape:
    tape.watch(X)
    u = tf.tanh(tf.matmul(X, w))
full = tape.jacobian(u, X)
blocks = tape.batch_jacobian(u, X)
print("jacobian", full.shape, "blocks", blocks.shape)
assert all(np.allclose(full[i, :, i], blocks[i]) for i in range(3))

# A variable is watched by itself. Weights' gradients come in the structure of the sources.
a, b = tf.Variable(2.0), tf.Variable(-1.0)
with tf.GradientTape() as tape:
    loss = tf.square(a * 3.0 + b)
found = tape.gradient(loss, {"a": a, "b": b})
print("weights", float(found["a"]), float(found["b"]))
assert (float(found["a"]), float(found["b"])) == (30.0, 10.0)
