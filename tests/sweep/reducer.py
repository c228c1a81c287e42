"""Programs made smaller while they still disagree: one change after the other, kept where the disagreement stays.

A change removes a statement and lets something in sight stand for what it made, puts a body in its statement's place, or makes
an option, a style or a number plain. Whatever a change breaks shows as another disagreement, or none, and is not kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from .differences import WORDS, names_in
from .program import (
    Accumulate,
    Ask,
    Assign,
    Body,
    Call,
    Choice,
    Draw,
    Gradients,
    Loop,
    Op,
    Program,
    Statement,
    Stop,
    Tape,
    bodies,
)

__all__ = ["reduced"]


def renamed(value: Any, old: str, new: str) -> Any:
    """Return a statement, or what a field holds, with one name in place of another."""
    if isinstance(value, str):
        return new if value == old else value
    if isinstance(value, list):
        return [renamed(v, old, new) for v in value]
    if isinstance(value, Statement | Body):
        for f in fields(value):  # type: ignore[arg-type]
            if f.name not in WORDS:
                setattr(value, f.name, renamed(getattr(value, f.name), old, new))
    return value


def blocks(program: Program) -> list[list[Statement]]:
    """Return every list of statements, outer ones first."""
    found, rest = [], [program.statements]
    while rest:
        block = rest.pop(0)
        found.append(block)
        for s in block:
            rest += bodies(s)
    return found


def outs(s: Statement) -> list[str]:
    """Return the names that a statement makes for those after it."""
    if isinstance(s, Tape | Accumulate | Stop):
        return []
    found = getattr(s, "outs", None) or getattr(s, "out", None) or []
    return [found] if isinstance(found, str) else list(found)


def without_dead(program: Program) -> Program:
    """Drop what nothing uses."""
    while True:
        used: dict[str, int] = {}
        for n in [*program.results, *[record for _, record in program.draws]]:
            used[n] = 2
        for block in blocks(program):
            for s in block:
                for n in names_in(s) if not bodies(s) else shallow(s):
                    used[n] = used.get(n, 0) + 1
        changed = False
        for block in blocks(program):
            for s in list(block):
                made = outs(s)
                if made and all(used.get(n, 0) < 2 for n in made) and not effects(s):
                    block.remove(s)
                    changed = True
        if not changed:
            break
    text = {n for s in program.statements for n in names_in(s)}
    inputs = [x for x in program.inputs if x.name in text]
    program.inputs = inputs or program.inputs[:1]
    program.variables = [v for v in program.variables if v.name in text]
    return program


def shallow(s: Statement) -> set[str]:
    """Return the names of a statement with bodies, but for what stands in its bodies' statements."""
    found: set[str] = set()
    for f in fields(s):  # type: ignore[arg-type]
        value = getattr(s, f.name)
        if isinstance(value, Body):
            found.update([*value.params, *value.results])
        elif f.name not in WORDS and isinstance(value, str):
            found.add(value)
        elif f.name not in WORDS and isinstance(value, list):
            found.update(v for v in value if isinstance(v, str))
    return found


def effects(s: Statement) -> bool:
    """Say whether a statement does more than give its results."""
    return isinstance(s, Assign | Draw) or any(effects(inner) for block in bodies(s) for inner in block)


def removed(program: Program, where: int, at: int, stand_in: str | None) -> Program:
    """Return a copy without a statement; ``stand_in`` stands for what it made."""
    copy = program.copy()
    block = blocks(copy)[where]
    s = block.pop(at)
    if stand_in is not None:
        for made in outs(s):
            renamed(copy.statements, made, stand_in)
    return copy


def inlined(program: Program, where: int, at: int, body: Body | list[Statement], args: list[str]) -> Program:
    """Put a body in its statement's place."""
    block = blocks(program)[where]
    s = block[at]
    if isinstance(body, list):
        block[at : at + 1] = body
        return program
    block[at : at + 1] = body.statements
    for param, arg in zip(body.params, args, strict=False):
        renamed(program.statements, param, arg)
        body.results = renamed(body.results, param, arg)
    for made, result in zip(outs(s), body.results, strict=True):
        renamed(program.statements, made, result)
    return program


def changes(program: Program, result: str) -> Iterator[Callable[[], Program]]:
    """Give changes, bold ones first; each makes a smaller program."""
    if result in program.results:
        if len(program.results) > 1:
            yield lambda: _set(program, results=[result])
    elif len(program.results) > 1:  # the whole program: a part of its results may do
        for n in program.results:
            yield lambda n=n: _set(program, results=[n])  # type: ignore[misc]
        for n in program.results:
            yield lambda n=n: _set(program, results=[r for r in program.results if r != n])  # type: ignore[misc]
    for where, block in enumerate(blocks(program)):
        for at in reversed(range(len(block))):
            s = block[at]
            made = outs(s)
            if result in made and where == 0:
                continue
            yield lambda where=where, at=at: removed(program, where, at, None)  # type: ignore[misc]
            if made:
                args = [n for n in (getattr(s, "args", None) or getattr(s, "starts", None) or getattr(s, "sources", None) or [])]
                args += [n for n in (getattr(s, "arg", None), getattr(s, "like", None), getattr(s, "elements", None)) if n]
                for n in dict.fromkeys([*args, *[x.name for x in program.inputs]]):
                    yield lambda where=where, at=at, n=n: removed(program, where, at, n)  # type: ignore[misc]
            yield from _inlines(program, where, at, s)
    for where, block in enumerate(blocks(program)):
        for at, s in enumerate(block):
            for name, value in plainer(s):
                yield lambda where=where, at=at, name=name, value=value: _with(program, where, at, name, value)  # type: ignore[misc]
    yield from _numbers(program)


def _inlines(program: Program, where: int, at: int, s: Statement) -> Iterator[Callable[[], Program]]:
    def put(pick: Callable[[Any], tuple[Any, list[str]]]) -> Callable[[], Program]:
        def make() -> Program:
            copy = program.copy()
            body, args = pick(blocks(copy)[where][at])
            return inlined(copy, where, at, body, args)

        return make

    if isinstance(s, Choice):
        yield put(lambda s: (s.then, []))
        yield put(lambda s: (s.other, []))
    elif isinstance(s, Call):
        yield put(lambda s: (s.body, s.args))
    elif isinstance(s, Tape | Stop | Accumulate):
        yield put(lambda s: (s.body, []))
    elif isinstance(s, Loop):

        def once(s: Any) -> Any:
            turn = Op(s.body.params[0], "plain", [], "tf.constant(0.0, F)", "jnp.zeros(())", ())
            return Body(s.body.params[1:], [turn, *s.body.statements], s.body.results), s.starts

        yield put(once)


def plainer(s: Statement) -> Iterator[tuple[str, Any]]:
    """Give plainer values of a statement's fields."""
    if isinstance(s, Loop):
        yield from [("turns", n) for n in (1, 2) if n < s.turns]
        if s.until is not None:
            yield "until", None
        yield from [("style", n) for n in ("while_loop",) if s.style != n]
    elif isinstance(s, Choice) and s.style != "cond":
        yield "style", "cond"
    elif isinstance(s, Tape):
        if s.persistent:
            yield "persistent", False
        if not s.accessed:
            yield "accessed", True
    elif isinstance(s, Call) and s.style != "plain":
        yield "style", "plain"
    elif isinstance(s, Ask | Gradients):
        if s.weight is not None:
            yield "weight", None
        if s.zero:
            yield "zero", False
        if len(s.targets) > 1:
            yield from [("targets", [t]) for t in s.targets]
        if isinstance(s, Ask) and s.kind != "gradient":
            yield "kind", "gradient"
    elif isinstance(s, Draw) and s.how != "tf.ones":
        yield "how", f"tf.random.uniform({list(s.shape)!r}, 0.5, 1.5, F)"
    elif isinstance(s, Op) and s.op not in ("sin", "record") and len(s.args) == 1 and "tanh" in s.text:
        yield "text", "tf.sin({0})"
    if isinstance(s, Op) and len(s.args) == 2 and s.args[0] != s.args[1]:
        yield "args", [s.args[0]] * 2
        yield "args", [s.args[1]] * 2


def _with(program: Program, where: int, at: int, name: str, value: Any) -> Program:
    copy = program.copy()
    s = blocks(copy)[where][at]
    setattr(s, name, value)
    if name == "text":
        s.op, s.jax = "sin", "jnp.sin({0})"  # type: ignore[attr-defined]
    return copy


def _set(program: Program, **changed: Any) -> Program:
    copy = program.copy()
    for name, value in changed.items():
        setattr(copy, name, value)
    return copy


def _numbers(program: Program) -> Iterator[Callable[[], Program]]:
    if program.dtype != "float64":
        yield lambda: _set(program, dtype="float64")
    if program.unknown:
        yield lambda: _set(program, unknown=False)
    for kind in ("inputs", "variables"):
        for k, x in enumerate(getattr(program, kind)):
            plain = np.round(x.value * 2) / 2
            for value in (np.where(plain == 0, 0.5, plain), plain):
                if not np.array_equal(value, x.value):

                    def change(kind: str = kind, k: int = k, value: Any = value) -> Program:
                        copy = program.copy()
                        getattr(copy, kind)[k].value = value
                        return copy

                    yield change
    rows = {x.value.shape[0] for x in program.inputs if x.value.ndim}
    for n in (1, 2):
        if rows and max(rows) > n:

            def fewer(n: int = n) -> Program:
                copy = program.copy()
                for x in copy.inputs:
                    x.value = x.value[:n] if x.value.ndim and x.value.shape[0] == max(rows) else x.value
                return copy

            yield fewer


def size(program: Program) -> int:
    """Return about how long a program is."""
    return sum(len(b) for b in blocks(program))


def reduced(program: Program, result: str, still: Callable[[Program], bool], seconds: float = 20.0) -> Program:
    """Return a small program that still disagrees in a result."""
    end = time.monotonic() + seconds
    changed = True
    while changed and time.monotonic() < end:
        changed = False
        for make in changes(program, result):
            if time.monotonic() > end:
                break
            try:
                smaller = without_dead(make())
            except (ValueError, IndexError, KeyError):
                continue  # the change does not suit the program
            if still(smaller):
                program, changed = smaller, True
                break
    return program
