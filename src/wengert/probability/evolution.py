"""``tfp.optimizer``: differential evolution, which asks for no derivatives and looks in many places at once.

R. Storn and K. Price, "Differential evolution, a simple and efficient heuristic for global optimization over continuous
spaces" (1997): their rand/1/bin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.functions import array, linalg, random
from wengert.functions import math as functions
from wengert.functions.array import convert_to_tensor, where
from wengert.ground.dtypes import int32
from wengert.modes.control import while_loop
from wengert.probability import draws
from wengert.probability.draws import Seed
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["DifferentialEvolutionOptimizerResults", "differential_evolution_minimize", "differential_evolution_one_step"]

Objective = Callable[..., TensorLike]
Parts = TensorLike | Sequence[TensorLike]
"""What the function takes: one argument, or a list of them."""


class DifferentialEvolutionOptimizerResults(NamedTuple):
    """What `differential_evolution_minimize` returns."""

    converged: Any
    failed: Any
    position: Any
    objective_value: Any
    final_population: Any
    final_objective_values: Any
    initial_population: Any
    initial_objective_values: Any
    num_iterations: Any


def _parts(given: Parts) -> list[Any]:
    return [convert_to_tensor(x) for x in (given if isinstance(given, list | tuple) else [given])]


def _pair(seed: Seed) -> Any:
    """Return a seed that is a pair: of it others are made in a graph's loop, too."""
    if seed is None:
        limits = np.iinfo(np.int32)
        return random.uniform([2], int(limits.min), int(limits.max), int32)
    return array.constant([seed, 0], int32) if isinstance(seed, int) else convert_to_tensor(seed)


def _candidates(parts: list[Any], weight: TensorLike, probability: TensorLike, seed: Seed) -> list[Any]:
    """Return for each member a + weight (b - c), of three other members; of each coordinate that, or the member's own."""
    of_three, of_coins, of_one = draws.split(seed, 3)
    size = array.shape(parts[0])[0]
    order = draws.uniform([size, size], "float64", of_three)
    others = array.argsort(linalg.set_diag(order, array.ones_like(order[0]) + 1.0))  # oneself comes last
    rows = [array.reshape(x, [size, -1]) for x in parts]
    counts = [array.shape(x)[1] for x in rows]
    coins = draws.uniform([size, functions.add_n(counts)], "float64", of_coins)
    # One coordinate at least is taken.
    first = functions.argmin(draws.uniform(array.shape(coins), "float64", of_one), axis=1)
    taken = (coins < array.cast(probability, "float64")) | array.one_hot(first, array.shape(coins)[1], True, False)
    new = []
    for part, row, chosen in zip(parts, rows, array.split(taken, counts, axis=1) if len(rows) > 1 else [taken], strict=True):
        a, b, c = (array.gather(row, others[:, i]) for i in range(3))
        new.append(array.reshape(where(chosen, a + array.cast(weight, row.dtype) * (b - c), row), array.shape(part)))
    return new


def differential_evolution_one_step(
    objective_function: Objective, population: Parts, population_values: TensorLike | None = None,
    differential_weight: TensorLike = 0.5, crossover_prob: TensorLike = 0.9, seed: Seed = None, name: str | None = None,
) -> tuple[list[Any], Any]:  # fmt: skip
    """Return the next population, a list of its parts, and the values there; the arguments are those of the minimizer.

    >>> parts, values = differential_evolution_one_step(lambda x: x**2, [[4.0, 3.0, 2.0, 1.0]], seed=1)
    >>> parts[0].shape, bool(max(values) <= 16.0)
    (TensorShape([4]), True)
    """
    parts = _parts(population)
    values = convert_to_tensor(objective_function(*parts) if population_values is None else population_values)
    new = _candidates(parts, differential_weight, crossover_prob, _pair(seed))
    found = convert_to_tensor(objective_function(*new))
    better = found < values
    wide = [array.reshape(better, array.concat([array.shape(better), array.ones([x.shape.rank - 1], int32)], 0)) for x in parts]
    return [where(w, x, y) for w, x, y in zip(wide, new, parts, strict=True)], where(better, found, values)


def _start(population: Parts | None, position: Parts | None, size: int, deviation: TensorLike, seed: Seed) -> list[Any]:
    """Return the parts of the first population: a position, and others about it."""
    if (population is None) == (position is None):
        raise ValueError("differential_evolution_minimize: exactly one of initial_population and initial_position must be given.")
    if population is not None:
        return _parts(population)
    parts = _parts(position)  # type: ignore[arg-type]
    seeds = draws.split(seed, len(parts))
    about = [draws.normal(array.concat([[size - 1], array.shape(x)], 0), x.dtype, s) for x, s in zip(parts, seeds, strict=True)]
    wide = [array.cast(deviation, x.dtype) * d for x, d in zip(parts, about, strict=True)]
    return [array.concat([x[None], x + d], 0) for x, d in zip(parts, wide, strict=True)]


def _extent(x: Tensor) -> Any:
    return functions.reduce_max(functions.reduce_max(x, 0) - functions.reduce_min(x, 0))


def differential_evolution_minimize(
    objective_function: Objective, initial_population: Parts | None = None, initial_position: Parts | None = None,
    population_size: int = 50, population_stddev: TensorLike = 1.0, max_iterations: TensorLike = 100,
    func_tolerance: TensorLike = 0, position_tolerance: TensorLike = 1e-8, differential_weight: TensorLike = 0.5,
    crossover_prob: TensorLike = 0.9, seed: Seed = None, name: str | None = None,
) -> DifferentialEvolutionOptimizerResults:  # fmt: skip
    """Minimize a function by differential evolution.

    Args:
        objective_function: from a population, one argument for each part of a position and a row for each member, to its values.
        initial_population: the first population: a tensor, or a list of tensors, with a row for each member; four at least.
        initial_position: a position in place of it; the other members lie about it, with the normal distribution.
        population_size: how many, with the position.
        population_stddev: the standard deviation of these.
        max_iterations: at most so many.
        func_tolerance: converged where the values differ by no more.
        position_tolerance: converged where no coordinate of two members differs by more.
        differential_weight: how much of the difference of two members is added to a third.
        crossover_prob: how often a coordinate of that takes the place of the member's own.
        seed: a whole number, or a pair of them.
        name: not used.

    Raises:
        ValueError: unless one of the two starts is given.

    >>> found = differential_evolution_minimize(lambda x: (x - 2.0) ** 2, initial_position=0.0, seed=1)
    >>> round(float(found.position), 3)
    2.0
    """
    of_start, of_steps = draws.split(_pair(seed))
    start = _start(initial_population, initial_position, population_size, population_stddev, of_start)
    values = convert_to_tensor(objective_function(*start))

    def converged(parts: list[Any], values: Tensor) -> Any:
        near = functions.reduce_all([_extent(x) <= array.cast(position_tolerance, x.dtype) for x in parts])
        return near | (_extent(values) <= array.cast(func_tolerance, values.dtype))

    def failed(values: Tensor) -> Any:
        return ~functions.reduce_any(functions.is_finite(values))

    def body(parts: list[Any], values: Tensor, seed: Tensor, steps: Tensor) -> tuple[Any, ...]:
        now, later = draws.split(seed)  # type: ignore[arg-type]
        parts, values = differential_evolution_one_step(
            objective_function, parts, values, differential_weight, crossover_prob, now
        )  # fmt: skip
        return parts, values, later, steps + 1

    def going(parts: list[Any], values: Tensor, *_: Tensor) -> Any:
        return ~(converged(parts, values) | failed(values))

    parts, final, _, steps = while_loop(
        going, body, (start, values, of_steps, array.constant(0, int32)), maximum_iterations=max_iterations
    )
    best = functions.argmin(final)
    given = initial_position if initial_population is None else initial_population

    def one(xs: list[Any]) -> Any:
        return xs if isinstance(given, list | tuple) else xs[0]

    return DifferentialEvolutionOptimizerResults(
        converged(parts, final),
        failed(final),
        one([x[best] for x in parts]),
        final[best],
        one(parts),
        final,
        start,
        values,
        steps,
    )
