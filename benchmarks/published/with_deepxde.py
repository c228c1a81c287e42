"""Three equations as users of DeepXDE write them: `with_deepxde.py NAME --json FILE [--adam 1000] [--iterations 30]`.

Burgers' equation, the Allen-Cahn equation with hard conditions, and the heat equation; Adam, then L-BFGS. The second half of Adam's
steps is timed, and all of L-BFGS but its first iterations.
"""

import argparse
import json
import time

import deepxde as dde
import numpy as np

if dde.backend.backend_name == "tensorflow.compat.v1":
    from deepxde.backend import tf
else:
    import tensorflow as tf


def burgers():
    """u_t + u u_x = 0.01/π u_xx on (-1, 1), from -sin πx."""

    def residual(x, u):
        u_x, u_t = dde.grad.jacobian(u, x, j=0), dde.grad.jacobian(u, x, j=1)
        return u_t + u * u_x - 0.01 / np.pi * dde.grad.hessian(u, x, i=0, j=0)

    place = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 0.99))
    edge = dde.icbc.DirichletBC(place, lambda x: 0, lambda _, on: on)
    start = dde.icbc.IC(place, lambda x: -np.sin(np.pi * x[:, 0:1]), lambda _, on: on)
    data = dde.data.TimePDE(place, residual, [edge, start], num_domain=2540, num_boundary=80, num_initial=160)
    return data, dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal")


def allen_cahn():
    """u_t = 0.001 u_xx + 5 (u - u³) on (-1, 1), conditions met by the form of the solution."""

    def residual(x, u):
        u_t, u_xx = dde.grad.jacobian(u, x, j=1), dde.grad.hessian(u, x, i=0, j=0)
        return u_t - 0.001 * u_xx - 5 * (u - u**3)

    place = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1))
    data = dde.data.TimePDE(place, residual, [], num_domain=8000, num_boundary=400, num_initial=800)
    net = dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal")
    net.apply_output_transform(
        lambda x, u: x[:, 0:1] ** 2 * tf.cos(np.pi * x[:, 0:1]) + x[:, 1:2] * (1 - x[:, 0:1] ** 2) * u
    )
    return data, net


def heat():
    """u_t = 0.4 u_xx on (0, 1), from sin πx."""

    def residual(x, u):
        return dde.grad.jacobian(u, x, j=1) - 0.4 * dde.grad.hessian(u, x, i=0, j=0)

    place = dde.geometry.GeometryXTime(dde.geometry.Interval(0, 1), dde.geometry.TimeDomain(0, 1))
    edge = dde.icbc.DirichletBC(place, lambda x: 0, lambda _, on: on)
    start = dde.icbc.IC(place, lambda x: np.sin(np.pi * x[:, 0:1]), lambda _, on: on)
    data = dde.data.TimePDE(place, residual, [edge, start], num_domain=2540, num_boundary=80, num_initial=160)
    return data, dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal")


def main():
    """Train one, and write the seconds of a step and the losses."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["burgers", "allen_cahn", "heat"])
    parser.add_argument("--json", required=True)
    parser.add_argument("--adam", type=int, default=1000)
    parser.add_argument("--iterations", type=int, default=30)
    given = parser.parse_args()
    dde.config.set_random_seed(1)
    data, net = {"burgers": burgers, "allen_cahn": allen_cahn, "heat": heat}[given.name]()
    model = dde.Model(data, net)
    begun = time.perf_counter()
    model.compile("adam", lr=1e-3)
    half = given.adam // 2
    model.train(iterations=half, display_every=half)
    timed = time.perf_counter()
    model.train(iterations=half, display_every=half)
    adam = time.perf_counter() - timed
    dde.optimizers.set_LBFGS_options(maxiter=given.iterations)
    model.compile("L-BFGS")
    timed = time.perf_counter()
    history, _ = model.train(display_every=given.iterations)
    ended = time.perf_counter()
    losses = [float(np.sum(loss)) for loss in history.loss_train]
    figures = {"adam step ms": adam / half * 1e3, "L-BFGS s": ended - timed, "training s": ended - begun, "losses": losses}
    with open(given.json, "w", encoding="utf-8") as file:
        json.dump(figures, file)


if __name__ == "__main__":
    main()
