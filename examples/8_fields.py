"""Fields: equations written as they are printed, checked on known solutions, and a viscosity found from data.

`tf.field` makes a function of coordinates, whose derivatives are attributes. `tf.taylor` differentiates along a direction.
"""

import numpy as np

import wengert as tf

rng = np.random.default_rng(0)


# Burgers' equation u_t + u u_x = nu u_xx. By Cole and Hopf: if phi_t = nu phi_xx, then u = -2 nu phi_x / phi solves it.

nu = 0.1


def two_shocks(x, t):
    return 1.0 + tf.exp(nu * t - x) + tf.exp(4.0 * nu * t - 2.0 * (x - 3.0))


phi = tf.field(two_shocks, "x t")
u = -2.0 * nu * phi.x / phi
residual = u.t + u * u.x - nu * u.xx

x, t = rng.uniform(-2.0, 6.0, (200, 1)), rng.uniform(0.0, 5.0, (200, 1))
values = tf.fields.evaluate({"heat": phi.t - nu * phi.xx, "u": u, "burgers": residual}, x, t)
print(f"Burgers: u between {values['u'].numpy().min():.3f} and {values['u'].numpy().max():.3f}")
print("  greatest residual below 1e-12:", bool(abs(values["burgers"].numpy()).max() < 1e-12))
assert abs(values["heat"].numpy()).max() < 1e-11
assert abs(values["burgers"].numpy()).max() < 1e-12


# The viscosity as an unknown: the residual of the solution is linear in it, so one step of Newton's method finds it.

guess = tf.Variable(1.0, dtype=tf.float64)
unknown = u.t + u * u.x - guess * u.xx
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(unknown(x, t) ** 2)
slope = tape.gradient(loss, guess)
guess.assign_sub(2.0 * loss / slope)  # the loss is c (guess - nu)^2
print(f"viscosity found: {guess.numpy():.9f}, exact {nu}")
assert abs(guess.numpy() - nu) < 1e-9


# A plate under a load: the biharmonic of the deflection is the load. Simply supported, w = sin(pi x) sin(2 pi y).

w = tf.field(lambda x, y: tf.sin(np.pi * x) * tf.sin(2.0 * np.pi * y), "x y")
x, y = w.coordinates
load = 25.0 * np.pi**4 * w
poisson = 0.3
moment = -(w.xx + poisson * w.yy)
X = rng.uniform(0.0, 1.0, (200, 2))
plate, scale = tf.fields.evaluate([w.biharmonic() - load, load], X)
error = abs(plate.numpy()).max() / abs(scale.numpy()).max()
print("plate: greatest relative residual below 1e-12:", bool(error < 1e-12))
assert error < 1e-12

edge = np.concatenate([np.ones((50, 1)), rng.uniform(0.0, 1.0, (50, 1))], 1)
assert abs(w(edge).numpy()).max() < 1e-12 and abs(moment(edge).numpy()).max() < 1e-10

# A manufactured solution of another kind: any field has its load, here one with coordinates in it, in three dimensions.

r = tf.field(lambda X: tf.exp(-tf.reduce_sum(X * X, 1, keepdims=True)), "x y z")
a, b, c = r.coordinates
laplacian = (a**2 * r).laplacian()
exact = (2.0 - 14.0 * a**2 + 4.0 * a**2 * (a**2 + b**2 + c**2)) * r
points = rng.normal(size=(200, 3))
assert abs((laplacian - exact)(points).numpy()).max() < 1e-12

# Along a direction, rows coupled or not: the determinant of A + e D is a polynomial of degree 3 in e.

A, D = rng.normal(size=(2, 3, 3))
found = [float(v) for v in tf.taylor(tf.linalg.det, tf.constant(A), tf.constant(D), order=4, scaled=True)]
print("det(A + e D):", " ".join(f"{v:+.4f} e^{k}" for k, v in enumerate(found)))
exact = np.linalg.solve(np.vander(range(5), increasing=True), [np.linalg.det(A + e * D) for e in range(5)])
np.testing.assert_allclose(found, exact, atol=1e-9)
