"""The library's own operations: each is looked at, and none is wrong."""

import pytest

from wengert.ops.op import operations, table
from wengert.verify.operations import CASES, check_operation, check_operations, excluded

SLOW = {"bessel_k0", "bessel_k0e", "bessel_k1", "bessel_k1e", "bessel_y0", "bessel_y1", "bessel", "logm", "sqrtm", "zeta", "expm",
        "igammainv", "igammacinv", "betaincinv"}  # fmt: skip
"""Functions for which mpmath takes long: they are looked at to order 2 alone here, to order 4 by `make selfcheck`."""


def test_every_operation_with_a_derivative_has_a_case_or_a_reason() -> None:
    assert set(CASES) == {op.name for op in operations() if not excluded(op)}


# By their parameters, no higher derivatives are stated.
STATED = {"betainc": 2, "betainc_by": 1}


@pytest.mark.parametrize("name", sorted(CASES))
def test_no_operation_is_wrong(name: str) -> None:
    order = 2 if name in SLOW or table[name].kind in ("implicit", "control") else STATED.get(name, 3)
    rows = check_operation(name, order, 2)
    assert not [r for r in rows if r.status == "wrong"]
    decided = {r.order for r in rows if r.status == "right"}
    assert decided == set(range(1, order + 1))


def test_processes_share_the_work() -> None:
    seen = []
    report = check_operations(2, 2, ["tanh", "matmul"], lambda name, done, count: seen.append((name, done, count)))
    assert report.verdict == "right"
    assert {r.function for r in report.rows} == {"tanh", "matmul"}
    assert sorted(n for n, _, _ in seen) == ["matmul", "tanh"]
    with pytest.raises(KeyError, match="nothing"):
        check_operations(names=["nothing"])
