"""Nelder and Mead's search and differential evolution: TensorFlow Probability 0.25's results, known minima, graphs."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen

import wengert as tf
from wengert.compat import probability as tfp

nelder_mead, evolution = tfp.optimizer.nelder_mead_minimize, tfp.optimizer.differential_evolution_minimize


def double(x):
    return tf.constant(x, tf.float64)


def bowl(x):
    return tf.reduce_sum((x - double([1.0, 2.0])) ** 2, axis=-1)


def banana(x):
    return 100 * (x[..., 1] - x[..., 0] ** 2) ** 2 + (1 - x[..., 0]) ** 2


def quartic(x):
    return tf.reduce_sum((x - double([1.0, -2.0, 3.0, 0.5])) ** 4) + tf.reduce_prod(x) * 0.01


def ellipsoid(x):
    return tf.reduce_sum((x - double([1.0, -2.0, 3.0])) ** 2 * double([1.0, 2.0, 5.0]))


SIMPLEX = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
FACTORS = {"reflection": 1.1, "expansion": 2.2, "contraction": 0.45, "shrinkage": 0.4}


# Converged or not, evaluations, steps, and the best vertex: TensorFlow Probability's, on TensorFlow 2.21.
@pytest.mark.parametrize(
    ("objective", "how", "ended", "evaluations", "steps", "position"),
    [
        (bowl, {"initial_vertex": [0.0, 0.0]}, True, 124, 64, [1.0000397736, 1.9999633171]),
        (bowl, {"initial_vertex": [0.0, 0.0], "batch_evaluate_objective": True}, True, 124, 64, [1.0000397736, 1.9999633171]),
        (bowl, {"initial_vertex": [0.5, -1.0], "step_sizes": 0.5}, True, 71, 37, [0.9999640283674562, 1.999961914693066]),
        (bowl, {"initial_simplex": SIMPLEX}, True, 9, 4, [1.5, 1.5]),
        (bowl, {"initial_vertex": [0.0, 0.0], "max_iterations": 7}, False, 17, 7, [0.0031816406249999983, 0.013623046875]),
        (bowl, {"initial_vertex": [1.0, 2.0], "max_iterations": 0}, False, 3, 0, [1.0, 2.0]),
        (bowl, {"initial_vertex": [3.0, 4.0], "position_tolerance": 1.0}, True, 4, 1, [3.0, 4.0]),
        (bowl, {"initial_vertex": [3.0, 4.0], **FACTORS}, True, 74, 37, [0.9999837025904152, 2.0000091532423414]),
        (banana, {"initial_vertex": [-1.2, 1.0]}, True, 156, 83, [0.999975885789708, 0.9999540990355131]),
        (ellipsoid, {"initial_vertex": [0.0, 0.1, 0.0]}, True, 347, 194, [1.0000340063, -1.9999916825, 2.9999802955]),
    ],
)  # fmt: skip
def test_simplex_moves_as_tensorflow_probabilitys(objective, how, ended, evaluations, steps, position):
    how = {k: double(v) if k.startswith("initial") else v for k, v in how.items()}
    found = nelder_mead(objective, **how)
    assert bool(found.converged) is ended
    assert (int(found.num_objective_evaluations), int(found.num_iterations)) == (evaluations, steps)
    np.testing.assert_allclose(found.position, position, rtol=1e-7)
    np.testing.assert_allclose(found.objective_value, np.min(found.final_objective_values))


def test_simplex_shrinks_where_nothing_helps():
    def pit(x):
        corner = tf.reduce_any([tf.reduce_all(tf.equal(x, p)) for p in ([1.0, 0.0], [0.0, 1.0])])
        return tf.where(tf.reduce_all(tf.equal(x, 0.0)), double(0.0), tf.where(corner, double(1.0), 9.0 - x[1] * x[0]))

    found = nelder_mead(pit, initial_simplex=double(SIMPLEX), max_iterations=1)
    np.testing.assert_array_equal(found.final_simplex, [[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]])
    assert found.final_objective_values.numpy().tolist() == [0.0, 9.0, 9.0] and int(found.num_objective_evaluations) == 7


def test_simplex_finds_what_scipy_finds_from_the_same_start():
    start = np.array([[-1.2, 1.0], [-1.0, 1.0], [-1.2, 1.3]])
    wanted = minimize(rosen, start[0], method="Nelder-Mead", options={"initial_simplex": start, "xatol": 1e-6, "fatol": 1e-12})
    found = nelder_mead(banana, initial_simplex=start, func_tolerance=1e-14)
    np.testing.assert_allclose(found.position, wanted.x, atol=1e-5)


def test_known_values_are_not_asked_for_again():
    whole = nelder_mead(bowl, initial_vertex=double([0.0, 0.0]), max_iterations=3)
    less = nelder_mead(bowl, initial_vertex=double([0.0, 0.0]), objective_at_initial_vertex=double(5.0), max_iterations=3)
    none = nelder_mead(
        bowl, initial_simplex=whole.initial_simplex, objective_at_initial_simplex=whole.initial_objective_values, max_iterations=3
    )
    counts = [int(r.num_objective_evaluations) for r in (whole, less, none)]
    assert counts == [counts[0], counts[0] - 1, counts[0] - 3]
    np.testing.assert_array_equal(whole.final_simplex, none.final_simplex)


def test_simplex_in_a_function():
    solve = tf.function(lambda x: nelder_mead(bowl, initial_vertex=x))
    found, wanted = solve(double([0.0, 0.0])), nelder_mead(bowl, initial_vertex=double([0.0, 0.0]))
    np.testing.assert_allclose(found.final_simplex, wanted.final_simplex, rtol=1e-12)
    assert int(found.num_objective_evaluations) == 124 and found.position.dtype == tf.float64


def test_simplex_needs_one_start():
    for how in ({}, {"initial_vertex": [0.0], "initial_simplex": [[0.0], [1.0]]}):
        with pytest.raises(ValueError, match="exactly one"):
            nelder_mead(bowl, **how)
    with pytest.raises(ValueError, match="step_sizes"):
        nelder_mead(bowl, initial_simplex=double(SIMPLEX), step_sizes=1.0)


def himmelblau(x, y):
    return (x**2 + y - 11.0) ** 2 + (x + y**2 - 7.0) ** 2


ROOTS = np.array([[3.0, 2.0], [-2.805118, 3.131312], [-3.779310, -3.283186], [3.584428, -1.848126]])


def test_evolution_finds_a_minimum_of_two_arguments():
    found = evolution(himmelblau, initial_position=(double(0.0), double(0.5)), population_stddev=3.0, max_iterations=150, seed=3)
    assert bool(found.converged) and not bool(found.failed)
    assert np.min(np.linalg.norm(ROOTS - np.array(found.position), axis=1)) < 1e-5
    assert found.final_population[1].shape == (50,) and float(found.initial_population[1][0]) == 0.5
    np.testing.assert_allclose(found.objective_value, 0.0, atol=1e-10)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "traced"])
def test_evolution_of_vectors_is_the_same_again_by_a_seed(wrap):
    solve = wrap(lambda x, seed: evolution(bowl, initial_position=x, population_size=20, max_iterations=60, seed=seed))
    first, again = (solve(double([0.0, 0.0]), tf.constant([4, 2])) for _ in range(2))
    np.testing.assert_allclose(first.position, [1.0, 2.0], atol=1e-3)
    np.testing.assert_array_equal(first.final_population, again.final_population)
    assert first.final_population.shape == (20, 2)


def test_a_step_takes_members_of_others_and_keeps_the_better():
    population = tf.reshape(tf.range(20.0), [10, 2])
    (new,), values = tfp.optimizer.differential_evolution_one_step(bowl_of_ones, population, crossover_prob=1.0, seed=3)
    steps = (new - population).numpy()
    np.testing.assert_array_equal(steps[:, 0], steps[:, 1])  # the two coordinates of every member differ by one
    np.testing.assert_allclose(values, bowl_of_ones(new))
    assert (values <= bowl_of_ones(population)).numpy().all() and steps.any()
    (same,), _ = tfp.optimizer.differential_evolution_one_step(lambda x: x[:, 0] * 0.0, population, seed=3)
    np.testing.assert_array_equal(same, population)


def bowl_of_ones(x):
    return tf.reduce_sum((x - 1.0) ** 2, axis=-1)


def test_evolution_stops_where_no_value_is_finite_and_needs_one_start():
    found = evolution(lambda x: x * np.nan, initial_position=0.0, seed=1)
    assert bool(found.failed) and not bool(found.converged) and int(found.num_iterations) == 0
    for how in ({}, {"initial_position": [0.0], "initial_population": [[0.0], [1.0]]}):
        with pytest.raises(ValueError, match="exactly one"):
            evolution(bowl_of_ones, **how)
