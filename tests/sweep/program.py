"""Programs as trees of statements, and how they are printed as Python.

A statement names what it makes; every name is made once, wherever it stands, so that a name tells a value. Bodies of choices
and loops are lists of statements that may use every name made before them around them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

__all__ = [
    "Accumulate",
    "Ask",
    "Assign",
    "Body",
    "Call",
    "Choice",
    "Custom",
    "Draw",
    "Gradients",
    "Input",
    "Jvp",
    "Loop",
    "Map",
    "Op",
    "Program",
    "Reset",
    "Scan",
    "Some",
    "Statement",
    "Stop",
    "Tape",
    "Variable",
    "Watch",
    "bodies",
    "printed",
    "script",
    "walk",
]


@dataclass
class Input:
    """A tensor that the program is given."""

    name: str
    value: Any
    """float64, in numbers that float32 holds too."""


@dataclass
class Variable:
    """A variable, made before the program runs."""

    name: str
    value: Any
    trainable: bool = True


class Statement:
    """What a program does in one step."""


@dataclass
class Body:
    """Statements with parameters and results, as of a function."""

    params: list[str]
    statements: list[Statement]
    results: list[str]


@dataclass
class Op(Statement):
    """``out = operation(args)``; ``text`` and ``jax`` are formats of the arguments."""

    out: str
    op: str
    args: list[str]
    text: str
    jax: str | None
    shape: tuple[int, ...]


@dataclass
class Draw(Statement):
    """Random numbers; ``how`` is the expression. ``site`` names the record of what was drawn, which the program returns."""

    out: str
    site: str
    shape: tuple[int, ...]
    how: str
    args: list[str] = field(default_factory=list)


@dataclass
class Assign(Statement):
    """``variable.assign(arg)``, or assign_add, or assign_sub."""

    variable: str
    how: str
    arg: str


@dataclass
class Tape(Statement):
    """``with GradientTape() as name``."""

    name: str
    body: list[Statement]
    persistent: bool = False
    accessed: bool = True


@dataclass
class Watch(Statement):
    """``tape.watch(what)``: a tensor or a variable."""

    tape: str
    what: str


@dataclass
class Stop(Statement):
    """``with tape.stop_recording()``."""

    tape: str
    body: list[Statement]


@dataclass
class Reset(Statement):
    """``tape.reset()``."""

    tape: str


@dataclass
class Ask(Statement):
    """``outs = tape.gradient(targets, sources)``, or its jacobian (one target, one source)."""

    outs: list[str]
    tape: str
    targets: list[str]
    sources: list[str]
    weight: str | None = None
    """The output_gradients of the first target."""
    zero: bool = False
    """Whether zeros are asked for where there is no gradient."""
    kind: str = "gradient"


@dataclass
class Gradients(Statement):
    """``outs = gradients(targets, sources)``."""

    outs: list[str]
    targets: list[str]
    sources: list[str]
    weight: str | None = None
    zero: bool = False


@dataclass
class Some(Statement):
    """``out = zeros_like(like) if g is None else g``."""

    out: str
    g: str
    like: str


@dataclass
class Accumulate(Statement):
    """``with ForwardAccumulator(primals, tangents) as name``."""

    name: str
    primals: list[str]
    tangents: list[str]
    body: list[Statement]


@dataclass
class Jvp(Statement):
    """``out = accumulator.jvp(target)``."""

    out: str
    accumulator: str
    target: str


@dataclass
class Choice(Statement):
    """One body or the other, by whether the sum of ``on`` is above ``above``. ``style``: cond, if, case or switch_case."""

    outs: list[str]
    on: str
    above: float
    then: Body
    other: Body
    style: str


@dataclass
class Loop(Statement):
    """Some turns of a body, whose first parameter is the turn, as a float. ``style``: while_loop, for, while or foldl.

    With ``until``, a loop of style while_loop or while ends also once the sum of the absolute values of its first carried
    value exceeds that.
    """

    outs: list[str]
    turns: int
    starts: list[str]
    body: Body
    style: str
    until: float | None = None


@dataclass
class Scan(Statement):
    """``scan``; the body's last parameter is the element, those before are what is carried."""

    outs: list[str]
    elements: str
    starts: list[str]
    body: Body


@dataclass
class Map(Statement):
    """``map_fn`` or ``vectorized_map`` over the rows of one tensor."""

    outs: list[str]
    elements: str
    body: Body
    style: str


@dataclass
class Call(Statement):
    """A body called. ``style``: plain (a Python function), function (of wengert), recompute (recompute_grad)."""

    outs: list[str]
    args: list[str]
    body: Body
    style: str


@dataclass
class Custom(Statement):
    """``custom_gradient``: a value and a stated derivative, both expressions of x."""

    out: str
    arg: str
    value: str
    slope: str
    jax_value: str
    jax_slope: str


@dataclass
class Program:
    """A program, how it came about, and what it returns."""

    inputs: list[Input]
    variables: list[Variable]
    statements: list[Statement]
    results: list[str]
    draws: list[tuple[str, str]] = field(default_factory=list)
    """For each site, the name of the record of what was drawn there: one row for each draw, NaN where none was made."""
    dtype: str = "float64"
    unknown: bool = False
    """Whether functions and placeholders are told that the rows are not known."""
    singular: bool = False
    """Whether inputs stand at singular points or ties, where only the modes can be compared."""
    tags: set[str] = field(default_factory=set)
    order: int = 0

    def copy(self) -> Program:
        """Return a copy that shares no statement."""
        return copy.deepcopy(self)


def bodies(s: Statement) -> list[list[Statement]]:
    """Return the lists of statements within a statement."""
    found = []
    for f in fields(s):  # type: ignore[arg-type]
        value = getattr(s, f.name)
        if isinstance(value, Body):
            found.append(value.statements)
        elif f.name == "body":
            found.append(value)
    return found


def walk(statements: list[Statement]) -> Iterator[Statement]:
    """Give every statement, outer ones first."""
    for s in statements:
        yield s
        for body in bodies(s):
            yield from walk(body)


# --- printing -----------------------------------------------------------------------------------------------------------------


class Printer:
    """Prints statements; ``given``: draws are taken from a function of that name."""

    def __init__(self, given: bool = False) -> None:
        self.given = given
        self.lines: list[str] = []
        self.depth = 0
        self.count = 0

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def block(self, statements: list[Statement]) -> None:
        self.depth += 1
        for s in statements:
            self.statement(s)
        if not statements:
            self.line("pass")
        self.depth -= 1

    def function(self, name: str, params: list[str], body: Body, results: str | None = None, decorator: str = "") -> None:
        if decorator:
            self.line(decorator)
        self.line(f"def {name}({', '.join(params)}):")
        self.depth += 1
        for s in body.statements:
            self.statement(s)
        self.line(f"return {results if results is not None else joined(body.results)}")
        self.depth -= 1

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def statement(self, s: Statement) -> None:
        getattr(self, f"_{type(s).__name__.lower()}")(s)

    def _op(self, s: Op) -> None:
        self.line(f"{s.out} = {s.text.format(*s.args)}")

    def _draw(self, s: Draw) -> None:
        text = f"tf.cast(given({s.site!r}, {s.shape!r}), F)" if self.given else s.how.format(*s.args)
        self.line(f"{s.out} = {text}")

    def _assign(self, s: Assign) -> None:
        self.line(f"{s.variable}.{s.how}({s.arg})")

    def _tape(self, s: Tape) -> None:
        options = [*(["persistent=True"] if s.persistent else []), *([] if s.accessed else ["watch_accessed_variables=False"])]
        self.line(f"with tf.GradientTape({', '.join(options)}) as {s.name}:")
        self.block(s.body)

    def _watch(self, s: Watch) -> None:
        self.line(f"{s.tape}.watch({s.what})")

    def _stop(self, s: Stop) -> None:
        self.line(f"with {s.tape}.stop_recording():")
        self.block(s.body)

    def _reset(self, s: Reset) -> None:
        self.line(f"{s.tape}.reset()")

    def _asked(self, s: Ask | Gradients, how: str, weight: str, listed: bool) -> None:
        targets = s.targets[0] if len(s.targets) == 1 else f"[{', '.join(s.targets)}]"
        single = len(s.sources) == 1
        sources = s.sources[0] if single else f"[{', '.join(s.sources)}]"
        extra = ""
        if s.weight is not None:
            weights = s.weight if len(s.targets) == 1 else f"[{s.weight}{', None' * (len(s.targets) - 1)}]"
            extra += f", {weight}={weights}"
        if s.zero:
            extra += ', unconnected_gradients="zero"'
        left = f"{s.outs[0]},"[: None if single and listed else -1] if single else ", ".join(s.outs)
        self.line(f"{left} = {how}({targets}, {sources}{extra})")

    def _ask(self, s: Ask) -> None:
        self._asked(s, f"{s.tape}.{s.kind}", "output_gradients", False)

    def _gradients(self, s: Gradients) -> None:
        self._asked(s, "tf.gradients", "grad_ys", True)

    def _some(self, s: Some) -> None:
        self.line(f"{s.out} = tf.zeros_like({s.like}) if {s.g} is None else tf.convert_to_tensor({s.g})")

    def _accumulate(self, s: Accumulate) -> None:
        primals, tangents = (x[0] if len(x) == 1 else f"[{', '.join(x)}]" for x in (s.primals, s.tangents))
        self.line(f"with tf.autodiff.ForwardAccumulator({primals}, {tangents}) as {s.name}:")
        self.block(s.body)

    def _jvp(self, s: Jvp) -> None:
        self.line(f"{s.out} = {s.accumulator}.jvp({s.target})")

    def _choice(self, s: Choice) -> None:
        test = f"tf.reduce_sum({s.on}) > {s.above!r}"
        if s.style == "if":
            for head, body in ((f"if {test}:", s.then), ("else:", s.other)):
                self.line(head)
                self.block(body.statements)
                self.depth += 1
                for out, result in zip(s.outs, body.results, strict=True):
                    self.line(f"{out} = {result}")
                self.depth -= 1
            return
        then, other = self.fresh("then"), self.fresh("other")
        self.function(then, [], s.then)
        self.function(other, [], s.other)
        outs = joined(s.outs)
        if s.style == "case":
            self.line(f"{outs} = tf.case([({test}, {then})], default={other})")
        elif s.style == "switch_case":
            self.line(f"{outs} = tf.switch_case(tf.cast({test}, tf.int32), [{other}, {then}])")
        else:
            self.line(f"{outs} = tf.cond({test}, {then}, {other})")

    def _loop(self, s: Loop) -> None:
        turn, *carried = s.body.params
        i = self.fresh("i")
        if s.style in ("for", "while"):
            for name, start in zip(carried, s.starts, strict=True):
                self.line(f"{name} = {start}")
            if s.style == "while":
                self.line(f"{i} = tf.constant(0)")
                more = f" and tf.reduce_sum(tf.abs({carried[0]})) < {s.until!r}" if s.until is not None else ""
                self.line(f"while {i} < {s.turns}{more}:")
            else:
                self.line(f"for {i} in tf.range({s.turns}):")
            self.depth += 1
            self.line(f"{turn} = tf.cast({i}, F)")
            for inner in s.body.statements:
                self.statement(inner)
            self.line(f"{joined(carried)} = {joined(s.body.results)}")
            if s.style == "while":
                self.line(f"{i} += 1")
            self.depth -= 1
            self.line(f"{joined(s.outs)} = {joined(carried)}")
            return
        name = self.fresh("body")
        cast = Op(turn, "cast", [i], "tf.cast({0}, F)", None, ())
        body = Body([], [cast, *s.body.statements], s.body.results)
        if s.style == "foldl":
            self.function(name, [carried[0] if len(carried) == 1 else "carried", i], _unpacked(carried, body))
            starts = joined(s.starts) if len(s.starts) == 1 else f"({joined(s.starts)})"
            self.line(f"{joined(s.outs)} = tf.foldl({name}, tf.range({s.turns}), {starts})")
            return
        self.function(name, [i, *carried], body, f"{i} + 1, {joined(s.body.results)}")
        more = ""
        if s.until is not None:
            more = f"tf.logical_and({i} < {s.turns}, tf.reduce_sum(tf.abs({carried[0]})) < {s.until!r})"
        self.line(f"_, {joined(s.outs)} = tf.while_loop(lambda {i}, {joined(carried)}: {more or f'{i} < {s.turns}'}, {name}, "
                  f"[tf.constant(0), {joined(s.starts)}])")  # fmt: skip

    def _scan(self, s: Scan) -> None:
        name = self.fresh("step")
        *carried, element = s.body.params
        self.function(name, [carried[0] if len(carried) == 1 else "carried", element], _unpacked(carried, s.body))
        starts = joined(s.starts) if len(s.starts) == 1 else f"({joined(s.starts)})"
        self.line(f"{joined(s.outs)} = tf.scan({name}, {s.elements}, {starts})")

    def _map(self, s: Map) -> None:
        name = self.fresh("each")
        self.function(name, s.body.params, s.body)
        kind = "F" if len(s.outs) == 1 else f"({', '.join('F' for _ in s.outs)})"
        extra = f", fn_output_signature={kind}" if s.style == "map_fn" else ""
        self.line(f"{joined(s.outs)} = tf.{s.style}({name}, {s.elements}{extra})")

    def _call(self, s: Call) -> None:
        name = self.fresh("inner")
        decorator = {"plain": "", "function": "@tf.function", "recompute": "@tf.recompute_grad"}[s.style]
        self.function(name, s.body.params, s.body, decorator=decorator)
        self.line(f"{joined(s.outs)} = {name}({', '.join(s.args)})")

    def _custom(self, s: Custom) -> None:
        name = self.fresh("stated")
        self.line("@tf.custom_gradient")
        self.line(f"def {name}(x):")
        self.line(f"    return {s.value}, lambda dy: dy * {s.slope}")
        self.line(f"{s.out} = {name}({s.arg})")


def _unpacked(carried: list[str], body: Body) -> Body:
    if len(carried) == 1:
        return body
    line = Op(", ".join(carried), "unpack", [], "carried", None, ())
    return Body([], [line, *body.statements], body.results)


def joined(names: list[str]) -> str:
    """Return names as they stand in a tuple."""
    return ", ".join(names)


def printed(program: Program, given: bool = False) -> str:
    """Return ``def program(inputs): ...``, which returns a dictionary of its results.

    ``given``: draws are taken from a function of that name.
    """
    printer = Printer(given)
    printer.line(f"def program({', '.join(x.name for x in program.inputs)}):")
    printer.depth += 1
    for s in program.statements:
        printer.statement(s)
    returned = [*program.results, *[record for _, record in program.draws]]
    printer.line("return {" + ", ".join(f'"{n}": {n}' for n in returned) + "}")
    return "\n".join(printer.lines) + "\n"


def array(value: Any) -> str:
    """Return an array as Python."""
    value = np.asarray(value)
    if value.size == 0:
        return f"np.zeros({value.shape}, N)"
    return f"np.array({value.tolist()!r}, N)"


def preamble(program: Program) -> str:
    """Return what stands before a program: its module, dtype and variables."""
    lines = ["import numpy as np", "import wengert as tf", "", f"F, N = tf.{program.dtype}, np.{program.dtype}"]
    for v in program.variables:
        extra = "" if v.trainable else ", trainable=False"
        lines.append(f"{v.name} = tf.Variable({array(v.value)}{extra})")
    return "\n".join(lines) + "\n"


def script(program: Program, run: Callable[[Program], str] | None = None) -> str:
    """Return a script that stands alone; ``run`` gives the lines that run the program."""
    given = ", ".join(f"tf.constant({array(x.value)})" for x in program.inputs)
    lines = run(program) if run is not None else f"print(program({given}))\n"
    return f"{preamble(program)}\n\n{printed(program)}\n\n{lines}"
