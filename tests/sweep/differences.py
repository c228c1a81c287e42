"""Differences that are meant: each is known by its cause in the program, and listed with its reason in docs/differences.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from .program import Body, Choice, Loop, Map, Op, Program, Scan, Some, Statement, bodies, walk
from .roads import TOTALS, Difference, Run, attempt, noise

__all__ = ["KNOWN", "causes", "known", "names_in", "structures"]

WORDS = frozenset(["op", "text", "jax", "how", "style", "kind", "value", "slope", "jax_value", "jax_slope", "site"])
"""Fields of statements that hold no names."""


def names_in(s: Statement) -> set[str]:
    """Return every name that a statement makes or uses, also within it."""
    found: set[str] = set()

    def take(value: Any) -> None:
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, Body):
            found.update([*value.params, *value.results])
            for inner in value.statements:
                found.update(names_in(inner))
        elif isinstance(value, list):
            for v in value:
                if isinstance(v, Statement):
                    found.update(names_in(v))
                else:
                    take(v)

    for f in fields(s):  # type: ignore[arg-type]
        if f.name not in WORDS:
            take(getattr(s, f.name))
    return found


def causes(program: Program, name: str) -> list[Statement]:
    """Return the outermost statements that a result may depend on."""
    wanted, found = {name}, []
    for s in reversed(program.statements):
        names = names_in(s)
        if names & wanted:
            wanted |= names
            found.append(s)
    return found


NUMBER = re.compile(r"nan|[-+]?inf|[-+]?[\d.]+(?:e[-+]?\d+)?")
Look = Callable[[Program, str], list[Difference]]
"""Gives the differences that a program has on a road."""


def _untaken(program: Program, d: Difference, look: Look) -> bool:
    if d.kind != "zeros for none" or d.road in ("eager", "oracle"):
        return False
    within = walk(causes(program, d.name))
    return any(isinstance(s, Choice | Loop | Scan | Map) for s in within)


def _passed_on(program: Program, d: Difference, look: Look) -> bool:
    if d.road == "eager":
        return False
    if not any(isinstance(s, Choice | Loop) for s in walk(program.statements)):
        return False
    changed = handed(program)
    return not any(other.name in (d.name, "") for other in look(changed, d.road))


def handed(program: Program) -> Program:
    """Return a program whose branches and loops give tensors of their own: what they pass on goes through identity."""
    changed = program.copy()
    made = 0

    def same(names: list[str]) -> tuple[list[Statement], list[str]]:
        nonlocal made
        outs = [f"h{made + k}" for k in range(len(names))]
        made += len(names)
        return [Op(out, "identity", [n], "tf.identity({0})", "{0}", ()) for out, n in zip(outs, names, strict=True)], outs

    def change(statements: list[Statement]) -> None:
        for s in list(statements):
            for inner in bodies(s):
                change(inner)
            if isinstance(s, Choice):
                for body in (s.then, s.other):
                    more, body.results = same(body.results)
                    body.statements.extend(more)
            elif isinstance(s, Loop):
                more, s.starts = same(s.starts)
                at = next(k for k, other in enumerate(statements) if other is s)
                statements[at:at] = more
                more, s.body.results = same(s.body.results)
                s.body.statements.extend(more)

    change(changed.statements)
    return changed


def _infinite(program: Program, d: Difference, look: Look) -> bool:
    return program.singular and d.road.startswith("forward") and d.kind == "nan" and d.want in ("inf", "-inf")


def _untaken_error(program: Program, d: Difference, look: Look) -> bool:
    if d.kind != "error" or d.road == "eager":
        return False
    for k, s in enumerate(walk(program.statements)):
        if isinstance(s, Choice):
            changed = program.copy()
            choice = next(other for j, other in enumerate(walk(changed.statements)) if j == k)
            choice.then, choice.other = choice.other, choice.then  # type: ignore[attr-defined]
            run = Run(changed)
            try:
                if attempt(run.eager).error == d.got.partition(":")[0]:
                    return True
            finally:
                run.close()
    return False


def _rounding(program: Program, d: Difference, look: Look) -> bool:
    if d.kind not in ("value", "nan") or not d.name:
        return False
    got, want = (np.array([float(x) for x in NUMBER.findall(text)]) for text in (d.got, d.want))
    off = np.abs(got - want) if got.shape == want.shape else np.array([np.inf])
    run = Run(program)
    try:
        eager = (lambda: run.total("reverse", "float64")) if d.road in TOTALS else (lambda: run.eager("float64"))
        clean = attempt(eager)
        for seed in range(4):
            with noise(seed, {"float32": 1e-6, "float64": 1e-14}[program.dtype]):
                moved = attempt(eager)
            a, b = clean.values.get(d.name), moved.values.get(d.name)
            if a is not None and b is not None and (d.kind == "nan" or np.nanmax(np.abs(a - b)) >= 0.1 * np.nanmax(off)):
                return d.kind != "nan" or bool(np.any(np.isnan(a) != np.isnan(b)))
    finally:
        run.close()
    return False


def _constant_slope(program: Program, d: Difference, look: Look) -> bool:
    if d.kind not in ("not none", "value") or d.road == "eager":
        return False
    changed = program.copy()
    every = " + ".join(f"tf.reduce_sum({x.name})" for x in program.inputs)

    def change(statements: list[Statement]) -> None:
        for s in list(statements):
            for inner in bodies(s):
                change(inner)
            if isinstance(s, Some):
                at = next(k for k, other in enumerate(statements) if other is s)
                out, s.out = s.out, f"{s.out}_"
                statements.insert(at + 1, Op(out, "add", [s.out], f"{{0}} + 0.0 * ({every})", None, ()))

    change(changed.statements)
    return not any(other.name in (d.name, "") for other in look(changed, d.road))


def _fewer(program: Program, d: Difference, look: Look) -> bool:
    return program.singular and d.kind == "fewer nan"


KNOWN: list[tuple[str, Callable[[Program, Difference, Look], bool]]] = [
    ("zero for what only an untaken path connects", _untaken),
    ("NaN of zero times infinity where a rewrite multiplies nothing", _fewer),
    ("an error in a branch that is not taken", _untaken_error),
    ("a rounding decides", _rounding),
    ("a derivative that is a constant, as a source", _constant_slope),
    ("infinite slopes of opposite signs in forward mode", _infinite),
    ("what a branch or a loop passes on as it is", _passed_on),
]
"""What may differ: the reason, and whether it is the cause of a difference of a program."""


def known(program: Program, d: Difference, look: Look) -> str:
    """Return the reason for which a difference is meant; nothing if it is not."""
    return next((reason for reason, cause in KNOWN if cause(program, d, look)), "")


def structures(program: Program) -> set[str]:
    """Return what a program is made of, for the report."""
    found: set[str] = set()
    depth = 0

    def look(statements: list[Statement], tapes: int, inside: int) -> None:
        nonlocal depth
        for s in statements:
            kind = type(s).__name__.lower()
            if kind in ("choice", "loop", "call", "map"):
                found.add(str(s.style))  # type: ignore[attr-defined]
                if inside:
                    found.add("nested bodies")
            elif kind in ("scan", "assign", "draw", "custom", "accumulate", "stop", "reset", "gradients"):
                found.add(kind)
            elif kind == "tape":
                found.add("nested tapes" if tapes else "tape")
                found.update(n for n, on in (("persistent", s.persistent), ("watched by hand", not s.accessed),  # type: ignore[attr-defined]
                                             ("tape in a body", inside > 0)) if on)  # fmt: skip
            if kind in ("ask", "gradients"):
                found.update(n for n, on in (("several sources", len(s.sources) > 1), ("weights", s.weight is not None),  # type: ignore[attr-defined]
                                             ("intermediate source", any(x[0] not in "xv" for x in s.sources))) if on)  # type: ignore[attr-defined]  # fmt: skip
                if getattr(s, "kind", "") == "jacobian":
                    found.add("jacobian")
            more = kind in ("choice", "loop", "scan", "map", "call")
            for body in bodies(s):
                look(body, tapes + (kind == "tape"), inside + more)

    look(program.statements, 0, 0)
    if program.variables:
        found.add("variables")
    shapes = [x.value.shape for x in program.inputs]
    rows = shapes[0][0] if shapes[0] else None
    found.update(n for n, on in (("singular", program.singular), ("unknown rows", program.unknown), (program.dtype, True),
                                 ("0 rows", rows == 0), ("1 row", rows == 1),
                                 ("grid", len(shapes) > 1 and any(len(s) == 2 and s[0] == 1 and rows != 1 for s in shapes[1:])))
                 if on)  # fmt: skip
    if not found & {"cond", "if", "case", "switch_case", "while_loop", "for", "while", "foldl", "map_fn", "vectorized_map", "scan",
                    "function", "recompute", "plain", "draw"}:  # fmt: skip
        found.add("straight")
    return found
