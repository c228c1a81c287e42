"""The oracles, against exact formulas."""

import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from wengert.verify import numbers
from wengert.verify.numeric import derivative
from wengert.verify.oracle import Oracle, indices


def of(f: Any, seeds: int = 1, order: int = 4) -> Oracle:
    return Oracle(lambda e: [np.asarray(f(*e), dtype=object)], seeds, order)


def test_indices_are_all_counts_up_to_an_order() -> None:
    assert indices(1, 3) == [(1,), (2,), (3,)]
    assert len(indices(2, 4)) == 2 + 3 + 4 + 5
    assert len(set(indices(3, 4))) == 3 + 6 + 10 + 15


@pytest.mark.parametrize("order", range(1, 7))
def test_derivatives_to_twenty_digits_and_within_the_bound(order: int) -> None:
    oracle = of(lambda e: mp.exp(3 * e) * mp.cos(e), order=order)
    answer = oracle((order,))
    with mp.workdps(60):
        exact = mp.re((3 + mp.j) ** order)
        gap = abs(answer.values[0].item() - exact)
        assert answer.kind == "smooth"
        assert gap <= answer.errors[0].item()
        assert gap <= 1e-18 * abs(exact)


def test_mixed_derivatives_of_arrays() -> None:
    def f(a: Any, b: Any) -> Any:
        return [mp.sin(a + 2 * b + k) for k in range(3)]

    answer = of(f, 2)((3, 1))
    with mp.workdps(60):
        for k, (value, error) in enumerate(zip(answer.values[0], answer.errors[0], strict=True)):
            gap = abs(value - 2 * mp.sin(k))
            assert gap <= error
            assert gap < 1e-18


@pytest.mark.parametrize(
    ("f", "order", "kind"),
    [
        (abs, 1, "kink"),
        (lambda e: max(e, mp.mpf(0)), 1, "kink"),
        (lambda e: max(e, mp.mpf(0)), 3, "kink"),  # beside the kink there is nothing to see: the lower order tells
        (lambda e: e * abs(e), 1, "smooth"),
        (lambda e: e * abs(e), 2, "kink"),
        (lambda e: e * e * abs(e), 2, "smooth"),
        (lambda e: e * e * abs(e), 3, "kink"),
        (mp.floor, 1, "jump"),
        (lambda e: mp.sign(e), 1, "jump"),
        (lambda e: mp.log(e + 0), 1, "undefined"),
        (lambda e: e**2, 1, "smooth"),
        (lambda e: e**2, 3, "smooth"),
        (lambda e: mp.mpf(5), 2, "smooth"),
    ],
)
def test_what_is_not_smooth_is_told(f: Any, order: int, kind: str) -> None:
    assert of(f, order=order)((order,)).kind == kind


def test_a_kink_in_one_direction_is_one_in_a_mixed_derivative() -> None:
    oracle = of(lambda a, b: abs(a) * b, 2)
    assert oracle((1, 1)).kind == "kink"
    assert oracle((0, 1)).kind == "smooth"


def test_one_sided_derivatives() -> None:
    right, left = of(lambda e: max(e, 3 * e))((1,)), of(lambda e: max(e, 3 * e)).one_sided((1,))
    assert right.kind == "kink"
    assert left is not None
    assert [float(x[0].item()) for x in left] == [3.0, 1.0]


def test_each_value_is_computed_once() -> None:
    seen = []

    def f(e: Any) -> Any:
        seen.append(e[0])
        return [np.array(e[0] ** 2, dtype=object)]

    oracle = Oracle(f, 1, 4)
    for k in range(1, 5):
        oracle((k,))
    assert len(seen) == len(set(seen)) <= 17


@pytest.mark.parametrize("order", range(1, 5))
@pytest.mark.parametrize("complex_", [True, False])
def test_double_precision_knows_its_error(order: int, complex_: bool) -> None:
    f = (lambda e: np.tanh(2 * e[0] + 0.3)) if complex_ else (lambda e: math.tanh(2 * e[0] + 0.3))
    found = derivative(f, [order])
    exact = float(mp.diff(lambda t: mp.tanh(2 * t + mp.mpf(0.3)), 0, order))
    assert abs(found.value - exact) <= found.error < 1e-5 * abs(exact)
    if complex_:
        assert found.how == ("complex step" if order == 1 else "Cauchy's integral")
        assert found.error < 1e-10 * abs(exact)


def test_a_function_that_is_not_analytic_is_not_believed() -> None:
    found = derivative(lambda e: np.abs(1.0 + e[0]) ** 2, [1])  # of complex numbers its modulus
    assert found.value == pytest.approx(2.0, rel=1e-9)
    assert derivative(lambda e: np.real(np.exp(1j * e[0])), [2]).value == pytest.approx(-1.0, rel=1e-7)


def test_double_precision_of_mixed_orders_and_kinks() -> None:
    found = derivative(lambda e: math.exp(e[0] * e[1] + e[0]), [2, 1])
    assert abs(found.value - 2.0) <= found.error < 1e-6
    assert derivative(lambda e: abs(e[0]), [1]).kind == "kink"
    assert derivative(lambda e: float(e[0] > 0), [1]).kind == "jump"
    assert derivative(lambda e: e[0] ** 2, [1]).kind == "smooth"


def test_single_precision_is_told() -> None:
    found = derivative(lambda e: np.float32(np.sin(np.float32(e[0] + 0.5))), [1], eps=2.0**-23)
    assert abs(found.value - math.cos(0.5)) <= found.error < 1e-2


def test_what_is_remembered_is_of_one_precision_and_one_type():
    zeta = numbers.zeta_by(1)
    with mp.workdps(15):
        few = zeta(mp.mpf(3), mp.mpf(2))
    with mp.workdps(40):
        many = zeta(mp.mpf(3), mp.mpf(2))
        right = mp.zeta(mp.mpf(3), 2, 1)
        of_complex = zeta(mp.mpc(3), mp.mpf(2))
    assert abs(many - right) <= mp.mpf(10) ** -38 < abs(few - right)
    assert isinstance(of_complex, mp.mpc) and not isinstance(many, mp.mpc)


@pytest.mark.parametrize("enough", [1e-4, 1e-7, 1e-10])
def test_nothing_finer_is_looked_for_than_what_is_enough(enough: float) -> None:
    asked: list[float] = []

    def f(e: Any) -> float:
        asked.append(e[0])
        return float(np.exp(3.0 * e[0]))

    finest = derivative(f, [1], start=0.1)
    count = len(asked)
    found = derivative(f, [1], start=0.1, enough=enough)
    assert abs(found.value - 3.0) <= found.error <= 3.0 * enough
    assert finest.error < found.error
    assert len(asked) - count < count - 12
    assert derivative(lambda e: abs(e[0] + 0.0), [1], enough=enough).kind == "kink"
