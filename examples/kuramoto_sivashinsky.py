"""The Kuramoto-Sivashinsky equation u_t + a u u_x + b u_xx + c u_xxxx = 0, discovered from data, in TensorFlow 2's manner.

u is measured at 2000 scattered points of the whole window, one period -1 < x < 1 and 0 < t < 1: first exactly, then with 1 %
of noise. The three coefficients are unknown and start at zero. Adam fits a network to the measurements. Then SciPy's BFGS
trains network and coefficients together, on the measurements and the residual at the same points. Nested tapes inside of
`tf.function` take the four derivatives by x, in float64.

The truth is v_s + v v_y + v_yy + v_yyyy = 0 on a period of 6 pi, for 15 units of time, in x = y / (3 pi) and t = s / 15:
a = 5 / pi, b = a / (3 pi), c = b^3 / a^2. The reference is a Fourier series from -sin(pi x) on, good to 9 digits.

Expect coefficients right within 1 %, and a relative error (L2) of u below 1e-2.

    wengert run examples/kuramoto_sivashinsky.py [--small] [--data KS.mat] [--picture kuramoto_sivashinsky.png]
"""

import argparse

import numpy as np
import tensorflow as tf
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

parser = argparse.ArgumentParser()
parser.add_argument("--small", action="store_true", help="few points and steps: seconds, and rough coefficients")
parser.add_argument("--data", metavar="MAT", help="measure this file's uu, and state the error against it")
parser.add_argument("--picture", metavar="PNG", help="draw the solution and the coefficients (needs matplotlib)")
options = parser.parse_args()

TRUE = np.array([5.0 / np.pi, 5.0 / (3.0 * np.pi**2), 5.0 / (27.0 * np.pi**4)])
UNITS = np.array([1.0, np.pi**-2, np.pi**-4])  # the unknowns are the coefficients for derivatives by the angle pi x
POINTS, ADAM, BFGS = (500, 800, 300) if options.small else (2000, 2000, 3000)
rng = np.random.default_rng(0)
tf.keras.utils.set_random_seed(0)
tf.keras.backend.set_floatx("float64")


def series(ts, n=128):
    """Return u at the times ts and at n points x from -1 on: a Fourier series, whose rates LSODA integrates."""
    (a, b, c), k = TRUE, 1j * np.pi * np.arange(n // 2 + 1)

    def rate(t, u):
        return np.fft.irfft(-0.5 * a * k * np.fft.rfft(u**2) - (b * k**2 + c * k**4) * np.fft.rfft(u))

    start = -np.sin(np.pi * np.linspace(-1.0, 1.0, n, endpoint=False))
    return solve_ivp(rate, (0.0, 1.0), start, "LSODA", ts, rtol=1e-12, atol=1e-12).y.T


def features(t, x):
    angles = np.pi * tf.concat([x, 2.0 * x], 1)  # u is periodic by its form
    return tf.concat([2.0 * t - 1.0, tf.sin(angles), tf.cos(angles)], 1)


def derivatives(net, t, x):
    """Return u, u_t, u_x, u_xx and u_xxxx."""
    with tf.GradientTape() as d4:
        d4.watch(x)
        with tf.GradientTape() as d3:
            d3.watch(x)
            with tf.GradientTape() as d2:
                d2.watch(x)
                with tf.GradientTape(persistent=True) as d1:
                    d1.watch([t, x])
                    u = net(features(t, x))
                u_t, u_x = d1.gradient(u, t), d1.gradient(u, x)
            u_xx = d2.gradient(u_x, x)
        u_xxx = d3.gradient(u_xx, x)
    return u, u_t, u_x, u_xx, d4.gradient(u_xxx, x)


def train(t, x, measured):
    """Return the net, the coefficients, and what they were at each iteration of BFGS."""
    layers = [tf.keras.layers.Dense(12, activation="tanh") for _ in range(3)]
    net = tf.keras.Sequential([tf.keras.Input((5,)), *layers, tf.keras.layers.Dense(1)])
    scaled = tf.Variable(np.zeros(3))
    weights = [scaled, *net.trainable_variables]
    ends = np.cumsum([np.prod(w.shape) for w in weights])[:-1]
    t, x = tf.constant(t), tf.constant(x)

    @tf.function
    def value_and_gradients():
        with tf.GradientTape() as tape:
            u, u_t, u_x, u_xx, u_xxxx = derivatives(net, t, x)
            a, b, c = tf.unstack(UNITS * scaled)
            residual = u_t + a * u * u_x + b * u_xx + c * u_xxxx
            loss = tf.reduce_mean(tf.square(u - measured)) + 0.01 * tf.reduce_mean(tf.square(residual))
        return loss, tape.gradient(loss, weights)

    def flat(tensors):
        return np.concatenate([v.numpy().ravel() for v in tensors])

    def objective(vector):
        for w, part in zip(weights, np.split(vector, ends)):
            w.assign(part.reshape(w.shape))
        loss, gradients = value_and_gradients()
        return float(loss), flat(gradients)

    net.compile(tf.keras.optimizers.Adam(1e-2), "mse")
    net.fit(features(t, x), measured, batch_size=POINTS, epochs=ADAM, verbose=0)
    seen, limits = [], {"maxiter": BFGS, "gtol": 1e-9}
    best = minimize(objective, flat(weights), jac=True, method="BFGS", options=limits, callback=lambda v: seen.append(v[:3]))
    objective(best.x)  # it may have ended a search along a line elsewhere
    return net, UNITS * scaled.numpy(), UNITS * np.array(seen)


def error(found, true):
    return np.linalg.norm(found - true) / np.linalg.norm(true)


ts, xs = np.linspace(0.0, 1.0, 201), np.linspace(-1.0, 1.0, 128, endpoint=False)
true = series(ts)
if options.data:
    from scipy.io import loadmat

    published = loadmat(options.data)["uu"][:-1:4].T
    print(f"reference: the series and {options.data} differ by {error(true, published):.1e}")
    true = published
grid_t, grid_x = (c.reshape(-1, 1) for c in np.meshgrid(ts, xs, indexing="ij"))
where = rng.choice(true.size, POINTS, replace=False)

for noise in (0.0, 0.01):
    measured = true.reshape(-1, 1)[where] + noise * true.std() * rng.normal(size=(POINTS, 1))
    net, coefficients, history = train(grid_t[where], grid_x[where], measured)
    u = net(features(grid_t, grid_x)).numpy().reshape(true.shape)
    print(f"noise {noise:.0%}: relative error {error(u, true):.2e}")
    for name, value, exact in zip("abc", coefficients, TRUE):
        print(f"  {name} = {value:.7f}, exact {exact:.7f}, off by {100.0 * abs(value / exact - 1.0):.3f} %", flush=True)

if options.picture:
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
    shown = left.pcolormesh(ts, xs, u.T, cmap="RdBu_r", rasterized=True)
    figure.colorbar(shown, ax=left)
    left.plot(grid_t[where], grid_x[where], "k.", markersize=0.6)
    left.set(title="u, and where it is measured", xlabel="t", ylabel="x")
    for k, colour in zip((0, 80, 140, 200), ("tab:gray", "tab:blue", "tab:orange", "tab:red")):
        middle.plot(xs, true[k], color=colour, label=f"t = {ts[k]:.1f}")
        middle.plot(xs[::4], u[k, ::4], ".", color=colour)
    middle.set(title="exact (lines), found (dots)", xlabel="x")
    middle.legend(fontsize="x-small", loc="upper left")
    right.semilogy(100.0 * abs(history / TRUE - 1.0), label=["a", "b", "c"])
    right.set(title="error of the coefficients, in %", xlabel="iteration of BFGS")
    right.legend()
    figure.savefig(options.picture, dpi=72)
