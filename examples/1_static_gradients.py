"""Static graph: partial derivatives of u(x, t) = sin(3x) exp(-t) up to order 4, by `tf.gradients`.

x and t are joined to X before u is computed from X, and u is still differentiated by x and by t.
"""

import math

import numpy as np
import tensorflow as tf

tf.compat.v1.disable_eager_execution()

x = tf.compat.v1.placeholder(tf.float32, [None, 1], name="x")
t = tf.compat.v1.placeholder(tf.float32, [None, 1], name="t")
X = tf.concat([x, t], 1)
u = tf.sin(3.0 * X[:, 0:1]) * tf.exp(-X[:, 1:2])

u_x = tf.gradients(u, x)[0]
u_xx = tf.gradients(u_x, x)[0]
u_xxx = tf.gradients(u_xx, x)[0]
u_xxxx = tf.gradients(u_xxx, x)[0]
u_t = tf.gradients(u, t)[0]
u_xt = tf.gradients(u_x, t)[0]

at_x, at_t = 0.4, 0.5
sin, cos, decay = math.sin(3 * at_x), math.cos(3 * at_x), math.exp(-at_t)
exact = {
    "u": sin * decay,
    "u_x": 3 * cos * decay,
    "u_xx": -9 * sin * decay,
    "u_xxx": -27 * cos * decay,
    "u_xxxx": 81 * sin * decay,
    "u_t": -sin * decay,
    "u_xt": -3 * cos * decay,
}

with tf.compat.v1.Session() as sess:
    found = sess.run([u, u_x, u_xx, u_xxx, u_xxxx, u_t, u_xt], {x: [[at_x]], t: [[at_t]]})

print("derivative    found    exact")
for (name, value), array in zip(exact.items(), found):
    print(f"{name:8s} {array[0, 0]:10.5f} {value:8.5f}")
    assert np.isclose(array[0, 0], value, rtol=2e-5), name

# The derivative by all columns at once, and by X, which is not an input of the graph.
with tf.compat.v1.Session() as sess:
    by_both, by_X = sess.run([tf.gradients(u, [x, t]), tf.gradients(u, X)[0]], {x: [[at_x]], t: [[at_t]]})
print("by X        ", by_X[0])
assert np.allclose(np.concatenate(by_both, 1), by_X)

# A linear function has no second derivative: None, not zeros.
y = 2.0 * x + t
print("linear      ", tf.gradients(tf.gradients(y, x)[0], x))
