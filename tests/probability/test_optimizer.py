"""The optimizers of TensorFlow Probability: known minima, its tests of convergence, its results."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

import wengert as wg
from wengert.compat import probability as tfp

MINIMIZE = {"lbfgs": tfp.optimizer.lbfgs_minimize, "bfgs": tfp.optimizer.bfgs_minimize}
A = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
B = np.array([1.0, -2.0, 0.5])


def quadratic(x):
    x = wg.convert_to_tensor(x)
    return wg.reduce_sum(x * wg.linalg.matvec(A, x)) / 2.0 - wg.reduce_sum(B * x), wg.linalg.matvec(A, x) - B


def banana(x):
    return rosen(x.numpy()), rosen_der(x.numpy())


@pytest.mark.parametrize("name", MINIMIZE)
def test_minimum_of_a_quadratic_form(name):
    found = MINIMIZE[name](quadratic, initial_position=np.zeros(3), tolerance=1e-9)
    assert bool(found.converged) and not bool(found.failed)
    np.testing.assert_allclose(found.position, np.linalg.solve(A, B), atol=1e-8)
    assert np.max(np.abs(found.objective_gradient)) <= 1e-9
    np.testing.assert_allclose(found.objective_value, -B @ np.linalg.solve(A, B) / 2)
    assert 1 <= int(found.num_iterations) <= int(found.num_objective_evaluations) < 30


@pytest.mark.parametrize("name", MINIMIZE)
def test_banana_valley(name):
    found = MINIMIZE[name](banana, wg.constant([-1.2, 1.0, -0.5, 0.8], wg.float64), max_iterations=200)
    assert bool(found.converged)
    np.testing.assert_allclose(found.position, 1.0, atol=1e-6)


@pytest.mark.parametrize("name", MINIMIZE)
def test_each_tolerance_ends_the_search(name):
    start = wg.constant([-1.2, 1.0], wg.float64)
    whole = MINIMIZE[name](banana, start, max_iterations=200)
    for loose in ({"tolerance": 1.0}, {"x_tolerance": 0.1}, {"f_relative_tolerance": 0.5}, {"f_absolute_tolerance": 0.5}):
        found = MINIMIZE[name](banana, start, max_iterations=200, **loose)
        assert bool(found.converged) and int(found.num_iterations) < int(whole.num_iterations), loose


@pytest.mark.parametrize("name", MINIMIZE)
def test_limit_of_iterations_and_a_condition_of_ones_own(name):
    start = wg.constant([-1.2, 1.0], wg.float64)
    found = MINIMIZE[name](banana, start, max_iterations=3)
    assert (bool(found.converged), bool(found.failed), int(found.num_iterations)) == (False, False, 3)
    calls = []
    found = MINIMIZE[name](banana, start, stopping_condition=lambda converged, failed: calls.append(converged) or len(calls) > 5)
    assert int(found.num_iterations) == 5
    at_minimum = MINIMIZE[name](banana, wg.constant([1.0, 1.0], wg.float64))
    assert bool(at_minimum.converged) and int(at_minimum.num_iterations) == 0


def test_pairs_are_differences_of_the_last_iterations():
    found = tfp.optimizer.lbfgs_minimize(quadratic, np.array([1.0, 1.0, 1.0]), num_correction_pairs=20)
    steps, falls = found.position_deltas.numpy(), found.gradient_deltas.numpy()
    assert steps.shape == falls.shape == (20, 3)
    np.testing.assert_allclose(steps.sum(0) + 1.0, found.position, atol=1e-12)
    np.testing.assert_allclose(falls, steps @ A, atol=1e-10)  # a quadratic form's gradient is linear
    assert not steps[: 20 - int(found.num_iterations)].any()


def test_an_earlier_search_goes_on():
    first = tfp.optimizer.lbfgs_minimize(banana, np.array([-1.2, 1.0]), max_iterations=5)
    second = tfp.optimizer.lbfgs_minimize(banana, previous_optimizer_results=first, max_iterations=200)
    assert bool(second.converged) and int(second.num_iterations) > 5
    assert int(second.num_objective_evaluations) > int(first.num_objective_evaluations)
    np.testing.assert_allclose(second.position, 1.0, atol=1e-6)


@pytest.mark.parametrize("name", MINIMIZE)
def test_the_inverse_hessian_makes_the_first_step_newtons(name):
    found = MINIMIZE[name](
        quadratic, np.array([5.0, -3.0, 2.0]), initial_inverse_hessian_estimate=np.linalg.inv(A), tolerance=1e-6
    )
    np.testing.assert_allclose(found.position, np.linalg.solve(A, B), atol=1e-8)
    plain = MINIMIZE[name](quadratic, np.array([5.0, -3.0, 2.0]), tolerance=1e-6)
    assert int(found.num_iterations) <= 3 < int(plain.num_iterations)


def test_in_a_function_of_float32():
    @wg.function
    def solve(start):
        return tfp.optimizer.lbfgs_minimize(
            lambda x: tfp.math.value_and_gradient(lambda x: wg.reduce_sum((x - [1.0, 2.0]) ** 4 + (x - [1.0, 2.0]) ** 2), x),
            start,
        )

    found = solve(wg.zeros(2))
    assert found.position.dtype == wg.float32 and found.position_deltas.shape == (10, 2)
    np.testing.assert_allclose(found.position, [1.0, 2.0], atol=1e-3)


def valleys(x):
    return tfp.math.value_and_gradient(lambda x: 100 * (x[..., 1] - x[..., 0] ** 2) ** 2 + (1 - x[..., 0]) ** 2, x)


# The evaluations and the iterations are TensorFlow Probability's, on TensorFlow 2.21; BFGS may take a few others.
@pytest.mark.parametrize("wrap", [lambda f: f, wg.function], ids=["eager", "traced"])
@pytest.mark.parametrize(("name", "evaluations", "iterations", "slack"), [("bfgs", 113, 37, 4), ("lbfgs", 84, 29, 0)])
def test_many_starts_at_once(name, evaluations, iterations, slack, wrap):
    starts = wg.constant([[-1.2, 1.0], [0.5, 0.8], [1.0, 1.0]], wg.float64)
    found = wrap(lambda x: MINIMIZE[name](valleys, x, max_iterations=200))(starts)
    assert found.converged.numpy().all() and not found.failed.numpy().any()
    np.testing.assert_allclose(found.position, np.ones((3, 2)), atol=1e-8)
    assert abs(int(found.num_objective_evaluations) - evaluations) <= slack
    assert abs(int(found.num_iterations) - iterations) <= slack


def test_rows_of_an_own_quadratic_form_each_and_a_row_that_fails():
    factor, centre = wg.constant([[1.0, 9.0], [4.0, 2.0]], wg.float64), wg.constant([[1.0, -2.0], [3.0, 0.5]], wg.float64)
    for name, minimize in MINIMIZE.items():
        found = minimize(lambda x: (wg.reduce_sum(factor * (x - centre) ** 2, -1), 2 * factor * (x - centre)), 0 * centre)
        np.testing.assert_allclose(found.position, centre, atol=1e-8, err_msg=name)
        nan = minimize(lambda x: (wg.reduce_sum(x**2, -1) * [1.0, np.nan], 2 * x), wg.ones((2, 2)))
        assert (nan.converged.numpy().tolist(), nan.failed.numpy().tolist()) == ([True, False], [False, True]), name
        np.testing.assert_allclose(nan.position[0], [0.0, 0.0], atol=1e-6)


def test_errors():
    lbfgs = tfp.optimizer.lbfgs_minimize
    with pytest.raises(ValueError, match="exactly one"):
        lbfgs(quadratic)
    with pytest.raises(ValueError, match="known size along the last axis"):
        lbfgs(quadratic, np.zeros(()))
    with pytest.raises(TypeError, match="int"):
        lbfgs(quadratic, [1, 2, 3])
    with pytest.raises(ValueError, match="gradient"):
        lbfgs(lambda x: (wg.reduce_sum(x), wg.reduce_sum(x)), np.zeros(3))
    with pytest.raises(ValueError, match="positive definite"):
        lbfgs(quadratic, np.zeros(3), initial_inverse_hessian_estimate=-np.eye(3))


def test_value_and_gradient():
    value, (by_x, by_y) = tfp.math.value_and_gradient(lambda x, y: x**2 * y, 3.0, 2.0)
    assert (float(value), float(by_x), float(by_y)) == (18.0, 12.0, 9.0)
    (value, more), slope = tfp.math.value_and_gradient(lambda x: (x**2, "more"), 3.0, has_aux=True)
    assert (float(value), more, float(slope)) == (9.0, "more", 6.0)
    value, slopes = tfp.math.value_and_gradient(lambda x, k: x * k, 3.0, k=4.0)
    assert (float(value), float(slopes[0]), float(slopes[1]["k"])) == (12.0, 4.0, 3.0)
    assert [float(s) for s in tfp.math.value_and_gradient(wg.sin, 0.0, auto_unpack_single_arg=False)[1]] == [1.0]


@pytest.mark.parametrize("style", ["--tf1", "--tf2"])
def test_scripts_import_it(tmp_path, style):
    script = tmp_path / "script.py"
    script.write_text(
        "import tensorflow as tf\nimport tensorflow_probability as tfp\nfrom tensorflow_probability import optimizer\n"
        "print(tfp.optimizer.lbfgs_minimize is optimizer.lbfgs_minimize, tfp.__version__ > '0')\ntfp.sts\n"
    )
    command = [sys.executable, "-m", "wengert", "run", style, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout == "True True\n"
    assert done.returncode == 1 and "script.py:5" in done.stderr and "tensorflow_probability.sts" in done.stderr
