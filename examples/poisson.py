"""A Poisson problem in ten dimensions, with fields: -Δu = f in the unit ball, u = 0 on its surface.

u = (1 - |x|²) N(x) is zero on the surface by its form, so the network N is trained on the residual alone, by Adam, at points
drawn anew for each step. `u.laplacian()` is one Taylor sweep that carries the sum of the ten second derivatives, not each.
The load f is worked out by hand for the solution u = (1 - |x|²) (sin 2 x₁x₂ + sin 2 x₃x₄ + ... + sin 2 x₉x₁₀).
Expect a relative error (L2) below 1 %.

    wengert run examples/poisson.py [--small] [--picture poisson.png]
"""

import argparse

import numpy as np

import wengert as tf

parser = argparse.ArgumentParser()
parser.add_argument("--small", action="store_true", help="few steps: seconds, and a rough solution")
parser.add_argument("--picture", metavar="PNG", help="draw the solution and the error (needs matplotlib)")
options = parser.parse_args()

D, POINTS, STEPS = 10, 500, 300 if options.small else 15000
NAMES = " ".join(f"x{k}" for k in range(1, D + 1))
tf.keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)


def ball(n):
    """Return n points, evenly spread over the unit ball."""
    X = rng.normal(size=(n, D))
    radius = rng.uniform(size=(n, 1)) ** (1.0 / D)
    return tf.constant(radius * X / np.linalg.norm(X, axis=1, keepdims=True), tf.float32)


def solution(X):
    g = tf.reduce_sum(tf.sin(2.0 * X[:, 0::2] * X[:, 1::2]), 1, keepdims=True)
    return (1.0 - tf.reduce_sum(X**2, 1, keepdims=True)) * g


def load(X):
    """Return -Δ((1 - q) g) = 2 D g + 4 x·∇g - (1 - q) Δg with q = |x|² and g = Σ sin 2ab."""
    a, b = X[:, 0::2], X[:, 1::2]
    g, cos, q = tf.sin(2.0 * a * b), tf.cos(2.0 * a * b), tf.reduce_sum(X**2, 1, keepdims=True)
    return tf.reduce_sum(2.0 * D * g + 16.0 * a * b * cos + 4.0 * (1.0 - q) * (a**2 + b**2) * g, 1, keepdims=True)


layers = [tf.keras.layers.Dense(64, activation="tanh") for _ in range(2)]
net = tf.keras.Sequential([tf.keras.Input((D,)), *layers, tf.keras.layers.Dense(1)])
N = tf.field(net, NAMES)
u = (1.0 - sum(x**2 for x in N.coordinates)) * N
residual = u.laplacian() + tf.field(load, NAMES)

adam = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(5e-3, STEPS))


@tf.function
def step(X):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(residual(X) ** 2)
    adam.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss


X = ball(5000)  # where the error is measured, and nothing is trained
true = solution(X).numpy()
history = []
for k in range(1, STEPS + 1):
    loss = step(ball(POINTS))
    if k % (STEPS // 10) == 0:
        found = u(X).numpy()
        history.append((k, float(loss), np.linalg.norm(found - true) / np.linalg.norm(true)))
        print("step {:5d}: loss {:7.4f}, relative error {:.4f}".format(*history[-1]), flush=True)

if options.picture:
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    left.plot(true, found, ".", markersize=1.5)
    left.plot([true.min(), true.max()], [true.min(), true.max()], "k", linewidth=0.8)
    left.set(title="5000 points of the ball", xlabel="u, exact", ylabel="u, found")
    steps, losses, errors = zip(*history)
    right.semilogy(steps, losses, label="loss")
    right.semilogy(steps, errors, label="relative error")
    right.set(title="training", xlabel="step")
    right.legend()
    figure.savefig(options.picture, dpi=80)
