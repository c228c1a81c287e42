"""Burgers' equation u_t + u u_x = nu u_xx, u(0, x) = -sin(pi x), forward and inverse, in TensorFlow 1's manner.

Forward: u = -sin(pi x) + t (1 - x^2) N(t, x) is right at t = 0 and at both ends by its form, and the network N is trained
until the residual is zero at points inside. From t = 1/pi on there is a shock at x = 0, whose width is about nu = 0.01 / pi:
coordinates and points are graded towards it, as a mesh would be.

Inverse: u is measured at 2000 scattered points, and both coefficients of u_t + a u u_x = b u_xx are unknown. Network, a and
b are trained together, on the residual and the measurements.

Adam begins and SciPy's BFGS ends, in float64. The reference is the formula of Cole and Hopf by Gauss and Hermite's
quadrature, good to 14 digits. Expect a relative error (L2) below 1e-3, and coefficients right within 1 %.

    wengert run examples/burgers.py [--small] [--data burgers_shock.mat] [--picture burgers.png]
"""

import argparse

import numpy as np
import tensorflow as tf

parser = argparse.ArgumentParser()
parser.add_argument("--small", action="store_true", help="few points and steps: seconds, and a rough solution")
parser.add_argument("--data", metavar="MAT", help="state the error against this file's x, t and usol")
parser.add_argument("--picture", metavar="PNG", help="draw the solution and its error (needs matplotlib)")
options = parser.parse_args()

NU = 0.01 / np.pi
GRADE = 0.02  # the distance from the shock at which coordinates and points begin to thin out
POINTS, ADAM, BFGS = (500, 100, 300) if options.small else (3000, 300, 4000)
rng = np.random.default_rng(0)


def exact(t, x):
    """Return the solution by Cole and Hopf: a quotient of two integrals over z with the weight exp(-z^2)."""
    z, weights = np.polynomial.hermite.hermgauss(100)
    y = x - np.sqrt(4.0 * NU * t) * z
    weights = weights * np.exp(-np.cos(np.pi * y) / (2.0 * np.pi * NU))
    return -np.sum(weights * np.sin(np.pi * y), 1, keepdims=True) / np.sum(weights, 1, keepdims=True)


def network(t, x):
    h = tf.concat([2.0 * t - 1.0, tf.asinh(x / GRADE) / np.arcsinh(1.0 / GRADE)], 1)
    for k in range(4):
        h = tf.layers.dense(h, 10, tf.tanh, kernel_initializer=tf.glorot_normal_initializer(seed=k))
    return tf.layers.dense(h, 1, kernel_initializer=tf.glorot_normal_initializer(seed=4))


def residual(u, t, x, a, b):
    """Return the mean of the squared residual over x; the root undoes that points are denser near the shock."""
    u_t, u_x = tf.gradients(u, t)[0], tf.gradients(u, x)[0]
    u_xx = tf.gradients(u_x, x)[0]
    return tf.reduce_mean(tf.sqrt(x**2 + GRADE**2) * tf.square(u_t + a * u * u_x - b * u_xx))


def train(sess, loss, feed):
    adam = tf.train.AdamOptimizer(2e-3).minimize(loss)
    bfgs = tf.contrib.opt.ScipyOptimizerInterface(loss, method="BFGS", options={"maxiter": BFGS, "gtol": 1e-9})
    sess.run(tf.global_variables_initializer())
    for _ in range(ADAM):
        sess.run(adam, feed)
    bfgs.minimize(sess, feed)


def points(n):
    return rng.uniform(0.0, 1.0, (n, 1)), GRADE * np.sinh(rng.uniform(-1.0, 1.0, (n, 1)) * np.arcsinh(1.0 / GRADE))


def error(found, true):
    return np.linalg.norm(found - true) / np.linalg.norm(true)


# What the solutions are compared with: 100 times 256 points.

ts, xs = np.linspace(0.0, 0.99, 100), np.linspace(-1.0, 1.0, 256)
if options.data:
    from scipy.io import loadmat

    data = loadmat(options.data)
    ts, xs = data["t"].ravel(), data["x"].ravel()
grid_t, grid_x = (c.reshape(-1, 1) for c in np.meshgrid(ts, xs, indexing="ij"))
true = exact(grid_t, grid_x)
if options.data:
    print(f"reference: the formula and {options.data} differ by {error(true, data['usol'].T.reshape(-1, 1)):.1e}")
    true = data["usol"].T.reshape(-1, 1)

with tf.Graph().as_default(), tf.Session() as sess:
    t, x = tf.placeholder(tf.float64, [None, 1]), tf.placeholder(tf.float64, [None, 1])
    u = -tf.sin(np.pi * x) + t * (1.0 - x**2) * network(t, x)
    train(sess, residual(u, t, x, 1.0, NU), dict(zip((t, x), points(POINTS))))
    forward = sess.run(u, {t: grid_t, x: grid_x})
print(f"forward: relative error {error(forward, true):.2e}", flush=True)

with tf.Graph().as_default(), tf.Session() as sess:
    t, x = tf.placeholder(tf.float64, [None, 1]), tf.placeholder(tf.float64, [None, 1])
    measured = tf.placeholder(tf.float64, [None, 1])
    a, log_b = tf.Variable(0.0, dtype=tf.float64), tf.Variable(-3.0, dtype=tf.float64)
    u = network(t, x)
    loss = residual(u, t, x, a, tf.exp(log_b)) + tf.reduce_mean(tf.square(u - measured))
    where = rng.uniform(0.0, 1.0, (2000, 1)), rng.uniform(-1.0, 1.0, (2000, 1))
    train(sess, loss, {t: where[0], x: where[1], measured: exact(*where)})
    inverse, a, b = sess.run([u, a, tf.exp(log_b)], {t: grid_t, x: grid_x})
print(f"inverse: relative error {error(inverse, true):.2e}")
print(f"  a = {a:.5f}, exact 1, off by {100.0 * abs(a - 1.0):.3f} %")
print(f"  b = {b:.7f}, exact {NU:.7f}, off by {100.0 * abs(b / NU - 1.0):.3f} %")

if options.picture:
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
    shown = left.pcolormesh(ts, xs, forward.reshape(len(ts), -1).T, cmap="RdBu_r", rasterized=True)
    figure.colorbar(shown, ax=left)
    left.plot(*where, "k.", markersize=0.6)
    left.set(title="u, and where it is measured", xlabel="t", ylabel="x")
    for k, colour in zip((0, 25, 50, 75), ("tab:gray", "tab:blue", "tab:orange", "tab:red")):
        rows = slice(k * len(xs), (k + 1) * len(xs))
        middle.plot(xs, true[rows], color=colour, label=f"t = {ts[k]:.2f}")
        middle.plot(xs[::8], forward[rows][::8], ".", color=colour)
    middle.set(title="exact (lines), found (dots)", xlabel="x")
    middle.legend(fontsize="small")
    shown = right.pcolormesh(ts, xs, np.log10(abs(forward - true) + 1e-9).reshape(len(ts), -1).T, vmin=-7, vmax=-1)
    figure.colorbar(shown, ax=right)
    right.set(title="log10 of the error, forward", xlabel="t")
    figure.savefig(options.picture, dpi=72)
