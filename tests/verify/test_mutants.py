"""Broken rules are found and named: a few of those that `benchmarks/mutants.py` plants."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wengert.ops.op import table

PATH = Path(__file__).parents[2] / "benchmarks" / "mutants.py"
if not PATH.is_file():
    pytest.skip(f"{PATH} is not there", allow_module_level=True)
sys.path.insert(0, str(PATH.parent))
try:
    spec = importlib.util.spec_from_file_location("mutants", PATH)
    assert spec is not None and spec.loader is not None
    mutants = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutants)
finally:
    sys.path.remove(str(PATH.parent))

CHOSEN = [
    ("tanh", "sign"), ("sinh", "order 2 on"), ("divide", "missing input"), ("atan2", "sign, input 1"),
    ("power", "inputs swapped"),
    ("multiply", "factor 1.001"), ("add", "broadcast axes"), ("matmul", "one input only"), ("matmul", "reversed"),
    ("einsum", "sign"), ("concat", "factor 2"), ("take", "sign"), ("transpose", "sign"), ("cumsum", "reversed"), ("mean", "sign"),
    ("max", "factor 1.001"), ("relu", "sign"), ("where", "sign"), ("cholesky", "factor 1.001"),
    ("solve", "one input only"), ("inverse", "sign"), ("cond", "sign"), ("square", "factor 1.001"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), CHOSEN, ids=[f"{n}: {k}" for n, k in CHOSEN])
def test_a_broken_rule_is_found_and_named(name: str, kind: str) -> None:
    found = [m for m in mutants.mutants_of(name) if m.kind == kind or m.kind.startswith(f"{kind}, ")]
    assert found
    for mutant in found[:1]:
        said: Any = (False, False)
        for number in range(len(mutants.CASES[name])):
            with mutants.planted(mutant):
                question = mutants.function_of(name, number, np.random.default_rng(number))
                said = mutants.by_wengert(question, name)
            if said[0]:
                break
        assert said == (True, True)


def test_nothing_is_left_broken() -> None:
    before = {name: (op.partials, op.transpose, op.tangent, op.taylor, op.series) for name, op in table.items()}
    for mutant in mutants.mutants_of("tanh"):
        with mutants.planted(mutant):
            pass
    assert {name: (op.partials, op.transpose, op.tangent, op.taylor, op.series) for name, op in table.items()} == before
    assert mutants.by_wengert(mutants.function_of("tanh", 0, np.random.default_rng(0)), "tanh") == (False, False)


# --- bodies, the world, and custom gradients ------------------------------------------------------------------------------------

bodies = mutants.broken_bodies
BODIES = [
    ("cond, true", "cond", "kept", "branches swapped"), ("cond, false", "cond", "vjp", "capture dropped"),
    ("while", "loop", "kept", "another turn's state"), ("scan", "loop", "kept", "the first state for all"),
    ("scan", "loop", "vjp", "another turn's row"), ("scan", "loop", "vjp", "turns the wrong way round"),
    ("map_fn", "loop", "vjp", "capture counted twice"), ("foldr", "loop", "vjp", "sequence's rows the wrong way round"),
    ("cond in while", "cond", "kept", "branches swapped"), ("while", "loop", "series", "capture's coefficients dropped"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "op", "rule", "kind"), BODIES, ids=[f"{b[0]}: {b[3]}" for b in BODIES])
def test_a_broken_body_is_found(form: str, op: str, rule: str, kind: str) -> None:
    with bodies.Planted(op, rule, kind) as planted:
        detected, named = bodies._asked(bodies.question_of(form), op)
    assert planted.hits
    assert detected and named


def test_intact_bodies_are_right() -> None:
    for form in ("cond, false", "while", "scan"):
        assert bodies._asked(bodies.question_of(form), "loop") == (False, False)


@pytest.mark.parametrize("form", ["straight", "while"])
def test_another_world_is_seen(form: str) -> None:
    rows = bodies.worlds_trial(form)
    assert {r["kind"] for r in rows} >= set(bodies.SOURCES)
    for row in rows:
        assert not row["equivalent"]
        assert row["detected"] and row["named"], row


@pytest.mark.parametrize(
    "kind", ["sign", "factor 1.001", "cotangent ignored", "held: the cotangent", "second rule: factor 1.001"]
)
def test_a_broken_custom_gradient_is_found_and_named(kind: str) -> None:
    rows = bodies.customs_trial("norm", {})
    (row,) = [r for r in rows if r["kind"] == kind]
    assert row["detected"] and row["named"]
    question, _ = bodies.custom_question("norm", "")
    found = bodies.check_question(question, 3, np.random.default_rng(0), executors=False, only=("reverse",))
    assert {r.status for r in found} == {"right"}
