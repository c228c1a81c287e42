"""The nonlinear Schroedinger equation i h_t + h_xx / 2 + |h|^2 h = 0, h(0, x) = 2 / cosh x, periodic, in TensorFlow 1's manner.

h = u + i v is two outputs of one network, and the equation two residuals. Both outputs are u = start(x) + t N_1, v = t N_2,
with N a function of t and of cos(k pi x / 5), k up to 3: even in x, as the solution is, periodic over -5 < x < 5, and right
at t = 0 by their form, so N is trained on the residuals alone. Periodic, 2 / cosh x has a kink at x = 5: start is its Fourier
series up to cos(16 pi x / 5), which differs from it by 2e-4. The height |h| grows from 2 to 4 at t = pi/4: points are graded
towards x = 0.

Adam begins and SciPy's BFGS ends, in float64. BFGS minimises the logarithm of the loss. The reference is Fourier's method in x
and a Runge-Kutta method of order 8 in t. Expect a relative error of |h| (L2) near 1e-3.

    wengert run examples/schroedinger.py [--small] [--data NLS.mat] [--picture schroedinger.png]
"""

import argparse

import numpy as np
import tensorflow as tf
from scipy.integrate import solve_ivp

parser = argparse.ArgumentParser()
parser.add_argument("--small", action="store_true", help="few points and steps: seconds, and a rough solution")
parser.add_argument("--data", metavar="MAT", help="state the error against this file's x, tt and uu")
parser.add_argument("--picture", metavar="PNG", help="draw the solution and its error (needs matplotlib)")
options = parser.parse_args()

GRADE = 0.5  # the distance from x = 0 at which points begin to thin out
POINTS, ADAM, BFGS = (500, 100, 300) if options.small else (3000, 300, 2000)
WAVES, MODES = np.pi / 5.0 * np.arange(1.0, 4.0), np.pi / 5.0 * np.arange(17.0)  # those of the network, and of the start
rng = np.random.default_rng(0)


def spectral(ts, n=256):
    """Return h at n points, a row for each time: for w = exp(i k^2 t / 2) h^, w' = i exp(i k^2 t / 2) (|h|^2 h)^."""
    k = 2.0 * np.pi / 10.0 * np.fft.fftfreq(n, 1.0 / n)

    def slope(t, w):
        turn = np.exp(-0.5j * k**2 * t)
        h = np.fft.ifft(w * turn)
        return 1j * np.fft.fft(abs(h) ** 2 * h) / turn

    first = np.fft.fft(2.0 / np.cosh(np.linspace(-5.0, 5.0, n, endpoint=False)))
    w = solve_ivp(slope, (0.0, ts[-1]), first, "DOP853", ts, rtol=1e-9, atol=1e-9).y
    return np.fft.ifft(w.T * np.exp(-0.5j * np.outer(ts, k**2)))


def network(t, x):
    layer = tf.concat([4.0 / np.pi * t - 1.0, tf.cos(WAVES * x)], 1)
    for k in range(4):
        layer = tf.layers.dense(layer, 12, tf.tanh, kernel_initializer=tf.glorot_normal_initializer(seed=k))
    return tf.split(tf.layers.dense(layer, 2, kernel_initializer=tf.glorot_normal_initializer(seed=4)), 2, axis=1)


def error(found, true):
    return np.linalg.norm(found - true) / np.linalg.norm(true)


xs, ts = np.linspace(-5.0, 5.0, 256, endpoint=False), np.linspace(0.0, np.pi / 2.0, 201)
true = spectral(ts)
if options.data:
    from scipy.io import loadmat

    data = loadmat(options.data)
    assert np.allclose(data["x"].ravel(), xs) and np.allclose(data["tt"].ravel(), ts)
    print(f"reference: Fourier's method and {options.data} differ by {error(true, data['uu'].T):.1e}")
    true = data["uu"].T

series = np.fft.rfft(2.0 / np.cosh(xs))[: len(MODES)].real * (-1.0) ** np.arange(len(MODES)) * 2.0 / len(xs)  # x begins at -5
series[0] /= 2.0

t, x = tf.placeholder(tf.float64, [None, 1]), tf.placeholder(tf.float64, [None, 1])
first, second = network(t, x)
u = tf.matmul(tf.cos(MODES * x), series.reshape(-1, 1)) + t * first
v = t * second
u_t, v_t = tf.gradients(u, t)[0], tf.gradients(v, t)[0]
u_xx = tf.gradients(tf.gradients(u, x)[0], x)[0]
v_xx = tf.gradients(tf.gradients(v, x)[0], x)[0]
f_u = u_t + 0.5 * v_xx + (u**2 + v**2) * v
f_v = v_t - 0.5 * u_xx - (u**2 + v**2) * u
loss = tf.reduce_mean(tf.sqrt(x**2 + GRADE**2) * (f_u**2 + f_v**2))  # the root undoes that points are denser near x = 0

adam = tf.train.AdamOptimizer(2e-3).minimize(loss)
bfgs = tf.contrib.opt.ScipyOptimizerInterface(tf.log(loss), method="BFGS", options={"maxiter": BFGS, "gtol": 1e-9})
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    where = GRADE * np.sinh(rng.uniform(0.0, 1.0, (POINTS, 1)) * np.arcsinh(5.0 / GRADE))
    feed = {t: rng.uniform(0.0, ts[-1], (POINTS, 1)), x: where}
    for _ in range(ADAM):
        sess.run(adam, feed)
    bfgs.minimize(sess, feed)
    grid_t, grid_x = (c.reshape(-1, 1) for c in np.meshgrid(ts, xs, indexing="ij"))
    found_u, found_v = (part.reshape(len(ts), -1) for part in sess.run([u, v], {t: grid_t, x: grid_x}))
found = found_u + 1j * found_v
print(f"h: relative error {error(found, true):.2e}")
print(f"|h|: relative error {error(abs(found), abs(true)):.2e}")

if options.picture:
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
    shown = left.pcolormesh(ts, xs, abs(found).T, rasterized=True)
    figure.colorbar(shown, ax=left)
    left.set(title="|h|", xlabel="t", ylabel="x")
    for row, colour in zip((0, 50, 75, 100), ("tab:gray", "tab:blue", "tab:orange", "tab:red")):
        middle.plot(xs, abs(true[row]), color=colour, label=f"t = {ts[row]:.2f}")
        middle.plot(xs[::4], abs(found[row][::4]), ".", color=colour)
    middle.set(title="|h|: reference (lines), found (dots)", xlabel="x", xlim=(-3.0, 3.0))
    middle.legend(fontsize="small")
    shown = right.pcolormesh(ts, xs, np.log10(abs(found - true) + 1e-9).T, vmin=-7, vmax=-1)
    figure.colorbar(shown, ax=right)
    right.set(title="log10 of the error of h", xlabel="t")
    figure.savefig(options.picture, dpi=72)
