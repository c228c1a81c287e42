"""The Korteweg-de Vries equation u_t + u u_x + 0.0025 u_xxx = 0, u(0, x) = cos(pi x), periodic, in TensorFlow 2's manner.

The cosine steepens, and breaks up into solitons. The time 0 < t < 1 is marched through in four windows, with a network N for
each: u = start(x) + s N(s, cos(k pi x), sin(k pi x), ...), k up to 4, s = 0 to 1 in the window. Such a u is periodic and right
at s = 0 by its form, so N is trained on the residual alone. Where a window ends, the values' Fourier series is the next start.

Adam begins and SciPy's BFGS ends, in float64. BFGS minimises the logarithm of the loss. The reference is Fourier's method in x
and a Runge-Kutta method of order 8 in t. Expect a relative error (L2) below 1e-3.

    wengert run examples/kdv.py [--small] [--data KdV.mat] [--picture kdv.png]
"""

import argparse

import numpy as np
import tensorflow as tf
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

parser = argparse.ArgumentParser()
parser.add_argument("--small", action="store_true", help="two windows, few points and steps: seconds, and a rough solution")
parser.add_argument("--data", metavar="MAT", help="state the error against this file's x, tt and uu")
parser.add_argument("--picture", metavar="PNG", help="draw the solution and its error (needs matplotlib)")
options = parser.parse_args()

DISPERSION = 0.0025
WINDOW = 0.25  # the length of a window in time
WINDOWS, POINTS, ADAM, BFGS = (2, 500, 100, 150) if options.small else (4, 1500, 200, 1500)
WAVES = np.pi * np.arange(1.0, 5.0)  # those that the network is given
MODES = np.arange(48)  # of a start
tf.keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)


def spectral(ts, n=512):
    """Return the solution at n points, a row for each time: for v = exp(-i c k^3 t) u^, v' = -exp(-i c k^3 t) (u^2 / 2)_x^."""
    k = np.pi * np.arange(n // 2 + 1)
    low = k < 2.0 / 3.0 * k[-1]  # the square has no room for the others

    def slope(t, v):
        turn = np.exp(1j * DISPERSION * k**3 * t)
        return -0.5j * k * low * np.fft.rfft(np.fft.irfft(v * turn) ** 2) / turn

    first = np.fft.rfft(np.cos(np.pi * np.linspace(-1.0, 1.0, n, endpoint=False)))
    v = solve_ivp(slope, (0.0, ts[-1]), first, "DOP853", ts, rtol=1e-9, atol=1e-9).y
    return np.fft.irfft(v.T * np.exp(1j * DISPERSION * np.outer(ts, k**3)))


def derivative(f, by):
    """Return the partial derivative of a function of (s, x) by one of them, 0 or 1."""

    def slope(*point):
        with tf.GradientTape() as tape:
            tape.watch(point[by])
            value = f(*point)
        return tape.gradient(value, point[by])

    return slope


def solve(series):
    """Return u of a window, a function of s and x, trained: series (modes, 2) has the start's cosines and sines."""
    layers = [tf.keras.layers.Dense(12, activation="tanh", dtype="float64") for _ in range(3)]
    inputs = tf.keras.Input((1 + 2 * len(WAVES),), dtype="float64")
    net = tf.keras.Sequential([inputs, *layers, tf.keras.layers.Dense(1, dtype="float64")])
    weights = net.trainable_variables

    def u(s, x):
        start = tf.cos(np.pi * MODES * x) @ series[:, :1] + tf.sin(np.pi * MODES * x) @ series[:, 1:]
        return start + s * net(tf.concat([2.0 * s - 1.0, tf.cos(WAVES * x), tf.sin(WAVES * x)], 1))

    u_s, u_x = derivative(u, 0), derivative(u, 1)
    u_xxx = derivative(derivative(u_x, 1), 1)
    s, x = (tf.constant(rng.uniform(low, 1.0, (POINTS, 1))) for low in (0.0, -1.0))

    @tf.function
    def loss_and_gradients():
        with tf.GradientTape() as tape:
            residual = u_s(s, x) / WINDOW + u(s, x) * u_x(s, x) + DISPERSION * u_xxx(s, x)
            loss = tf.reduce_mean(residual**2)
        return loss, tape.gradient(loss, weights)

    adam = tf.keras.optimizers.Adam(2e-3)
    for _ in range(ADAM):
        adam.apply_gradients(zip(loss_and_gradients()[1], weights))

    def assign(flat):
        for w, part in zip(weights, np.split(flat, np.cumsum([np.size(w) for w in weights])[:-1])):
            w.assign(part.reshape(w.shape))

    def log_loss(flat):
        assign(flat)
        loss, gradients = loss_and_gradients()
        return np.log(loss), np.concatenate([np.ravel(g) for g in gradients]) / loss

    flat = np.concatenate([np.ravel(w) for w in weights])
    assign(minimize(log_loss, flat, jac=True, method="BFGS", options={"maxiter": BFGS, "gtol": 1e-9}).x)
    return u


def error(found, true):
    return np.linalg.norm(found - true) / np.linalg.norm(true)


xs, per_window = np.linspace(-1.0, 1.0, 512, endpoint=False), 50
ts = np.linspace(0.0, 1.0, 4 * per_window + 1)
true = spectral(ts)
if options.data:
    from scipy.io import loadmat

    data = loadmat(options.data)
    assert np.allclose(data["x"].ravel(), xs) and np.allclose(data["tt"].ravel(), ts)
    print(f"reference: Fourier's method and {options.data} differ by {error(true, data['uu'].T):.1e}")
    true = data["uu"].T

found = np.cos(np.pi * xs)[None]
for k in range(1, WINDOWS + 1):
    modes = np.fft.rfft(found[-1])[: len(MODES)] * (-1.0) ** MODES / len(xs)  # the sign: x begins at -1
    modes[1:] *= 2.0
    u = solve(np.stack([modes.real, -modes.imag], 1))
    s, x = (c.reshape(-1, 1) for c in np.meshgrid(np.linspace(0.0, 1.0, per_window + 1)[1:], xs, indexing="ij"))
    found = np.concatenate([found, u(tf.constant(s), tf.constant(x)).numpy().reshape(per_window, -1)])
    print(f"t = {k * WINDOW:.2f}: relative error {error(found[-1], true[k * per_window]):.2e}", flush=True)
true = true[: len(found)]
print(f"to that time: relative error {error(found, true):.2e}")

if options.picture:
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
    shown = left.pcolormesh(ts[: len(found)], xs, found.T, cmap="RdBu_r", vmin=-2.3, vmax=2.3, rasterized=True)
    figure.colorbar(shown, ax=left)
    left.set(title="u", xlabel="t", ylabel="x")
    for row, colour in zip(range(0, len(found), per_window), ("tab:gray", "tab:blue", "tab:green", "tab:orange", "tab:red")):
        middle.plot(xs, true[row], color=colour, label=f"t = {ts[row]:.2f}")
        middle.plot(xs[::8], found[row][::8], ".", color=colour)
    middle.set(title="reference (lines), found (dots)", xlabel="x")
    middle.legend(fontsize="small")
    shown = right.pcolormesh(ts[: len(found)], xs, np.log10(abs(found - true) + 1e-9).T, vmin=-7, vmax=-1)
    figure.colorbar(shown, ax=right)
    right.set(title="log10 of the error", xlabel="t")
    figure.savefig(options.picture, dpi=72)
