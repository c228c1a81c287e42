"""Mutants of bodies, of what bodies take from the world, and of custom gradients; `mutants.py` plants them with all others.

A mutant of a body is a change of what a choice's or a loop's rule is given, of what it gives, or of what an opened operation
keeps for it: a capture's cotangent left out, another turn's row, the branches swapped, the state of another turn. So it says what
such a derivative has to satisfy, and little of how it is found. Where the rules change their form, what has to follow is this:
`RULES` (what is broken), `Parts` (which inputs and outputs are carried, sequences, rows, captures), and `KEPT` (where the states
and the branches come from).

What comes from the world is broken in whole runs: the value of one run and the derivative of a second, in which numbers were
drawn anew, a variable was read after it changed, or a Python function was called again; or the record of a loop, its rows being
those of other turns. `wengert check` of a script has to see it.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import wengert as tf
from wengert.derive import structure
from wengert.derive.lowered import Lowered
from wengert.execute.numpy import NumPyProgram
from wengert.ground.options import options
from wengert.modes.tracing import tracing
from wengert.ops import control
from wengert.ops.op import table
from wengert.tensor.tensor import Tensor
from wengert.verify.judge import check_question, in_double, probes
from wengert.verify.lists import Question
from wengert.verify.locate import wrong_rules
from wengert.verify.roads import LISTS
from wengert.verify.script import check_script

RULES = ("vjp", "kept", "series")
"""What is broken: the statements of a control operation's record, and what the first of them keeps."""

# --- forms: functions with bodies, of a vector x and of a vector c that the bodies take in -------------------------------------


def _sum(x: Any) -> Any:
    return tf.reduce_sum(x)


FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "cond, true": lambda x, c: tf.cond(_sum(x) < 9.0, lambda: tf.sin(x * c) * c, lambda: tf.exp(x) + c * x),
    "cond, false": lambda x, c: tf.cond(_sum(x) > 9.0, lambda: tf.sin(x * c) * c, lambda: tf.exp(x) + c * x),
    "while": lambda x, c: tf.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, tf.sin(z * c) + 0.5 * z), [0, x])[1],
    "while, by values": lambda x, c: tf.while_loop(lambda z: _sum(z * z) < 9.0, lambda z: [1.5 * z + 0.1 * c * z * z], [x])[0],
    "while, two carried": lambda x, c: sum(
        tf.while_loop(lambda i, z, w: i < 3, lambda i, z, w: (i + 1, tf.sin(w) * c, z * w), [0, x, 0.5 * c])[1:]
    ),
    "scan": lambda x, c: tf.scan(lambda a, e: tf.sin(a * e) + c * a, x, initializer=c),
    "foldr": lambda x, c: tf.foldr(lambda a, e: tf.sin(a) * e + c, x, initializer=c),
    "map_fn": lambda x, c: tf.map_fn(lambda e: tf.sin(e * c) * e, x),
    "cond in while": lambda x, c: tf.while_loop(
        lambda i, z: i < 3, lambda i, z: (i + 1, tf.cond(i < 1, lambda: tf.sin(z * c), lambda: z * z * c)), [0, x]
    )[1],
    "while in cond": lambda x, c: tf.cond(
        _sum(x) < 9.0, lambda: tf.while_loop(lambda i, z: i < 2, lambda i, z: (i + 1, tf.sin(z * c)), [0, x])[1], lambda: x
    ),
    "while in while": lambda x, c: tf.while_loop(
        lambda i, z: i < 2,
        lambda i, z: (i + 1, tf.while_loop(lambda k, w: k < 2, lambda k, w: (k + 1, tf.sin(w * c)), [0, z])[1] * c),
        [0, x],
    )[1],
}


def question_of(form: str) -> Question:
    """Return the question of a form among other operations."""
    rng = np.random.default_rng(1)
    question = Question()
    with tracing(question.graph):
        x, c = question.place(rng.uniform(0.4, 0.9, 3)), question.place(rng.uniform(0.6, 1.2, 3))
        y = FORMS[form](tf.identity(x), tf.identity(c))
        question.ys = [y * (0.5 * y + 1.0)]
    question.xs, question.names = [x, c], ["x", "c"]
    return question


# --- mutants of rules -----------------------------------------------------------------------------------------------------------


class Parts(NamedTuple):
    """Which inputs of a choice or a loop are what, and which outputs."""

    carried: range
    sequences: range
    captures: range

    @classmethod
    def of(cls, op: str, inputs: Any, attrs: Any) -> "Parts":
        """Read them off."""
        if op == "cond":
            return cls(range(0), range(0), range(1, len(inputs)))
        a, b, c = attrs["counts"]
        return cls(range(a), range(a, a + b), range(a + b, a + b + c))


Call = dict[str, Any]
"""What a vjp is called with: g, inputs, outputs, attrs, wanted; after it, `found`."""


def _set(values: Any, changes: dict[int, Any]) -> list[Any]:
    return [changes.get(k, v) for k, v in enumerate(values)]


def _floats(values: Any, at: Any) -> list[int]:
    return [k for k in at if values[k].dtype.kind in "fc"] if values else []


def _kind(t: Any) -> str:
    return str(t.nptype.kind if isinstance(t, Tensor) else t.dtype.kind)


def _moving(call: Call, at: range) -> list[int]:
    """Return the positions in `found` of the inputs in a range that got a cotangent."""
    return [k for k, i in enumerate(call["wanted"]) if i in at and call["found"][k] is not None]


def _of_found(which: str, change: Callable[[Any, Any], Any], last: bool = True) -> Callable[[str, Any, Call], Any]:
    """Return a mutant of what is given for the inputs of a sort: for the last of them, or for all."""

    def broken(op: str, xp: Any, call: Call) -> bool:
        parts = Parts.of(op, call["inputs"], call["attrs"])
        at = _moving(call, range(len(call["inputs"])) if which == "all" else getattr(parts, which))
        chosen = at[-1:] if last else at
        call["found"] = _set(call["found"], {k: change(xp, call["found"][k]) for k in chosen})
        return bool(chosen)

    broken.after = True  # type: ignore[attr-defined]
    return broken


def _of_given(change: Callable[[str, Any, Call, Parts], dict[str, Any]]) -> Callable[[str, Any, Call], Any]:
    """Return a mutant of what the rule is given."""

    def broken(op: str, xp: Any, call: Call) -> bool:
        changes = change(op, xp, call, Parts.of(op, call["inputs"], call["attrs"]))
        call.update(changes)
        return bool(changes)

    broken.after = False  # type: ignore[attr-defined]
    return broken


def _reversed(xp: Any, x: Any) -> Any:
    return xp.reverse(x, axis=(0,))


def _no_cotangents(rows: bool) -> Callable[..., dict[str, Any]]:
    def change(op: str, xp: Any, call: Call, parts: Parts) -> dict[str, Any]:
        n = len(parts.carried)
        at = [k for k, one in enumerate(call["g"]) if one is not None and (k >= n) is rows]
        if op != "loop" or not at or len(at) == sum(one is not None for one in call["g"]):
            return {}  # with no other cotangent there would be no derivative at all
        return {"g": _set(call["g"], dict.fromkeys(at))}

    return change


def _other_rows(op: str, xp: Any, call: Call, parts: Parts) -> dict[str, Any]:
    changes = {k: _reversed(xp, call["inputs"][k]) for k in parts.sequences}
    return {"inputs": _set(call["inputs"], changes)} if changes else {}


def _wrong_way(op: str, xp: Any, call: Call, parts: Parts) -> dict[str, Any]:
    attrs = call["attrs"]
    return {"attrs": {**attrs, "reverse": not attrs["reverse"]}} if op == "loop" and parts.sequences else {}


def _captures_swapped(op: str, xp: Any, call: Call, parts: Parts) -> dict[str, Any]:
    at = [k for k in parts.captures if _kind(call["inputs"][k]) in "fc" and tuple(call["inputs"][k].shape) == (3,)]
    if len(at) < 2:
        return {}
    i, k = at[0], at[-1]
    return {"inputs": _set(call["inputs"], {i: call["inputs"][k], k: call["inputs"][i]})}


VJPS: dict[str, Callable[[str, Any, Call], Any]] = {
    "capture dropped": _of_found("captures", lambda xp, g: None),
    "capture counted twice": _of_found("captures", lambda xp, g: g + g),
    "carry dropped": _of_found("carried", lambda xp, g: None),
    "sequence dropped": _of_found("sequences", lambda xp, g: None),
    "sequence's rows the wrong way round": _of_found("sequences", _reversed),
    "sign": _of_found("all", lambda xp, g: -g, last=False),
    "factor 1.001": _of_found("all", lambda xp, g: 1.001 * g, last=False),
    "order 2 on": _of_found("all", lambda xp, g: xp.stop_gradient(g), last=False),
    "rows' cotangent dropped": _of_given(_no_cotangents(True)),
    "carry's cotangent dropped": _of_given(_no_cotangents(False)),
    "another turn's row": _of_given(_other_rows),
    "turns the wrong way round": _of_given(_wrong_way),
    "captures swapped": _of_given(_captures_swapped),
}
KEPT: dict[str, tuple[str, Any, str, Callable[[Any, Any], Any]]] = {
    "branches swapped": ("cond", control, "_purely", lambda found, _: ({**found[0], "yes": found[0]["no"], "no": found[0]["yes"]},
                                                                       *found[1:])),
    "another turn's state": ("loop", control.Opened, "parts", lambda found, _: (*found[:2], [s[::-1] for s in found[2]])),
    "the first state for all": ("loop", control.Opened, "parts",
                                lambda found, _: (*found[:2], [tf.zeros_like(s) + s[:1] for s in found[2]])),
}  # fmt: skip
"""Mutants of what is kept: the operation, whose attribute it is, its name, and what becomes of what it gives."""
SERIES = ("capture's coefficients dropped", "first coefficients dropped", "sign", "factor 1.001")


class Planted:
    """A control operation's rule, broken for a with block; `hits` counts what it changed."""

    def __init__(self, op: str, rule: str, kind: str) -> None:
        """Take the operation, the statement, and the mutant's name."""
        self.op, self.rule, self.kind, self.hits = op, rule, kind, 0

    def __enter__(self) -> "Planted":
        """Break it."""
        self.owner, self.name = (KEPT[self.kind][1:3]) if self.rule == "kept" else (table[self.op], self.rule)
        self.original = getattr(self.owner, self.name)
        setattr(self.owner, self.name, {"vjp": self._vjp, "series": self._series, "kept": self._kept()}[self.rule])
        structure._partials.clear()
        return self

    def __exit__(self, *exception: Any) -> None:
        """Mend it."""
        setattr(self.owner, self.name, self.original)
        structure._partials.clear()

    def _kept(self) -> Any:
        def broken(*arguments: Any) -> Any:
            found = self.original(*arguments)
            if self.op == "cond" and "yes" not in found[0]:
                return found  # a loop's
            if self.op == "loop" and not any(_kind(s) in "fc" for s in found[2]):
                return found
            self.hits += 1
            return KEPT[self.kind][3](found, arguments)

        return broken

    def _vjp(self, xp: Any, g: Any, inputs: Any, outputs: Any, attrs: Any, wanted: Any) -> Any:
        mutant = VJPS[self.kind]
        call: Call = {"g": g, "inputs": list(inputs), "outputs": outputs, "attrs": attrs, "wanted": wanted}
        if not mutant.after:  # type: ignore[attr-defined]
            self.hits += mutant(self.op, xp, call)
        call["found"] = self.original(xp, *[call[k] for k in ("g", "inputs", "outputs", "attrs", "wanted")])
        if mutant.after:  # type: ignore[attr-defined]
            self.hits += mutant(self.op, xp, call)
        return call["found"]

    def _series(self, xp: Any, moved: Any, indices: Any, node: Any) -> Any:
        parts = Parts.of(self.op, node.inputs, node.attrs)
        rows = [list(row) for row in moved]
        dropped = {"capture's coefficients dropped": parts.captures, "first coefficients dropped": parts.carried}
        at = [k for k in dropped.get(self.kind, ()) if any(c is not None for c in rows[k][1:])]
        if at:
            rows[at[-1]][1:] = [None] * (len(rows[at[-1]]) - 1)
            self.hits += 1
        found = self.original(xp, rows, indices, node)
        if self.kind in ("sign", "factor 1.001"):
            self.hits += bool(found)
            found = {key: -c if self.kind == "sign" else 1.001 * c for key, c in found.items()}
        return found


def bodies_trial(form: str) -> list[dict[str, Any]]:
    """Plant each mutant in the operations of a form; return what was found."""
    rows = []
    held = {node.op.name for node in question_of(form).graph.nodes if node.op.name in ("cond", "loop")}
    held |= {"cond", "loop"} if " in " in form else set()
    intact = numbers(form)
    for op in sorted(held):
        kinds = {"vjp": list(VJPS), "kept": [k for k, one in KEPT.items() if one[0] == op], "series": list(SERIES)}
        for rule, kind in [(r, k) for r in RULES for k in kinds[r]]:
            said: Any = (False, False)
            with Planted(op, rule, kind) as planted:
                try:
                    said = _asked(question_of(form), op)
                except Exception:  # a broken rule raises whatever it likes
                    said = (True, False)
                    raised = True
                else:
                    raised = False
                same = planted.hits and not said[0] and np.allclose(numbers(form), intact, rtol=1e-13, atol=0.0)
            if planted.hits:
                rows.append({"op": form, "family": "bodies", "kind": kind, "field": f"{op}.{rule}", "detected": said[0],
                             "named": said[1], "raised": raised,
                             "equivalent": "the derivatives are the same numbers" if same else ""})  # fmt: skip
    return rows


def numbers(form: str) -> list[float]:
    """Return the derivatives of a form by reverse mode, to order 2."""
    question = question_of(form)
    found: list[float] = []
    for probe in probes(question, 2, np.random.default_rng(0)):
        for one in LISTS["reverse"][0](question, probe).values():
            if one is not None:
                found.append(in_double(question.values(one.tensors), one.weights))
    return found


def _asked(question: Question, name: str) -> tuple[bool, bool]:
    """Return whether something is wrong, and whether the first fault names the operation: at order 1, else at order 2."""
    for order in (1, 2):  # lists in lists grow fast with the order
        rng = np.random.default_rng(0)
        rows = check_question(question, order, rng, executors=False, only=("reverse", "forward", "series"))
        if any(r.status == "wrong" for r in rows):
            faults = wrong_rules(question, rows, rng)
            return True, bool(faults) and faults[0].operation == name
    return False, False


# --- mutants of what comes from the world ---------------------------------------------------------------------------------------

HELD = tf.Variable(np.float64(0.7), trainable=False)


def _python() -> Any:
    return tf.reshape(tf.numpy_function(lambda: np.random.rand() + 0.5, [], tf.float64), [])


SOURCES: dict[str, tuple[Callable[[], Any], str]] = {
    "numbers drawn anew": (lambda: tf.random.uniform([], 0.5, 1.5, tf.float64), "random_uniform"),
    "variable read anew": (lambda: HELD * 1.0, "read_variable"),
    "Python called anew": (_python, "py_function"),
}
WORLDS: dict[str, Callable[[Any, Callable[[], Any]], Any]] = {
    "straight": lambda x, w: tf.sin(x * w()),
    "cond": lambda x, w: tf.cond(x > 0.0, lambda: tf.sin(x * w()), lambda: x),
    "while": lambda x, w: tf.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, tf.sin(z * w())), [0, x])[1],
    "scan": lambda x, w: tf.scan(lambda a, e: tf.sin(a * w()), tf.zeros([3], tf.float64), initializer=x)[-1],
    "map_fn": lambda x, w: tf.reduce_sum(tf.map_fn(lambda e: tf.sin(e * w()), tf.stack([x, 2.0 * x]))),
}


@contextlib.contextmanager
def run_again() -> Iterator[None]:
    """Give the value of one run, and the derivative of a second one, in which the world is another."""
    original = NumPyProgram.__call__

    def wrong(self: Any, *arrays: Any) -> Any:
        y, _ = original(self, *arrays)
        before = HELD.storage.array
        HELD.storage.array = np.asarray(before + 0.25)
        try:
            _, g = original(self, *arrays)
        finally:
            HELD.storage.array = before
        return [y, g]

    NumPyProgram.__call__ = wrong  # type: ignore[method-assign]
    try:
        yield
    finally:
        NumPyProgram.__call__ = original  # type: ignore[method-assign]


@contextlib.contextmanager
def other_turns() -> Iterator[None]:
    """Give the derivative of a loop the record of its turns the wrong way round."""
    original = Lowered.record_of

    def wrong(self: Any, node: Any) -> Any:
        found = original(self, node)
        return [t if t.sizes == () else t[::-1] for t in found] if node.op.name == "loop" else found

    Lowered.record_of = wrong  # type: ignore[method-assign]
    try:
        yield
    finally:
        Lowered.record_of = original  # type: ignore[method-assign]


def _script(form: str, source: str, spoil: Any) -> Any:
    draw = SOURCES[source][0]

    def f(x: Any) -> Any:
        y = WORLDS[form](x, draw)
        return y, tf.gradients(y, x)[0]

    def run() -> int:
        with spoil, options.set(executor="numpy"):  # whose programs are spoiled
            tf.function(f)(tf.constant(0.8, tf.float64))
        return 0

    return check_script(run)[1]


def worlds_trial(form: str) -> list[dict[str, Any]]:
    """Run a form's script with each mutant; return what was found."""
    rows = []
    for source, (_, reads) in SOURCES.items():
        intact = _script(form, source, contextlib.nullcontext())
        spoils = [(source, run_again())]
        if form in ("while", "scan", "map_fn") and "variable" not in source:
            spoils.append((f"{source.split()[0]} of another turn", other_turns()))
        for kind, spoil in spoils:
            report = _script(form, source, spoil)
            wrong = [r for r in report.rows if r.road == "received" and r.status == "wrong"]
            # In a body, what it reads from the world is named; in straight code there is nothing that could be run again.
            named = any(f.kind == "received" and os.path.basename(__file__) in f.where and (form == "straight" or reads in f.text)
                        for f in report.faults)  # fmt: skip
            rows.append({"op": form, "family": "world", "kind": kind, "field": "run", "detected": bool(wrong), "named": named,
                         "equivalent": "" if intact.ok else "the intact program is wrong itself"})  # fmt: skip
    return rows


# --- mutants of custom gradients ------------------------------------------------------------------------------------------------


class Custom(NamedTuple):
    """A function, and its cotangents as functions of (g, arguments)."""

    value: Callable[..., Any]
    rules: tuple[Callable[..., Any], ...]
    point: tuple[Any, ...]


def _matrix(*sizes: int) -> Any:
    return np.random.default_rng(5).uniform(0.4, 1.1, sizes)


CUSTOM: dict[str, Custom] = {
    "cube": Custom(lambda x: x**3, (lambda g, x: g * 3.0 * x * x,), (0.7,)),
    "log1pexp": Custom(lambda x: tf.math.log(1.0 + tf.exp(x)), (lambda g, x: g / (1.0 + tf.exp(-x)),), (_matrix(3),)),
    "product": Custom(lambda x, y: tf.sin(x) * y * y,
                      (lambda g, x, y: g * tf.cos(x) * y * y, lambda g, x, y: g * 2.0 * tf.sin(x) * y),
                      (_matrix(3), 0.5 + _matrix(3))),
    "matmul": Custom(lambda a, b: a @ b, (lambda g, a, b: g @ tf.transpose(b), lambda g, a, b: tf.transpose(a) @ g),
                     (_matrix(2, 3), _matrix(3, 2))),
    "norm": Custom(lambda x: tf.sqrt(tf.reduce_sum(x * x)), (lambda g, x: g * x / tf.sqrt(tf.reduce_sum(x * x)),), (_matrix(3),)),
    "scan in it": Custom(lambda x: tf.foldl(lambda a, e: a * e, x), (lambda g, x: g * tf.reduce_prod(x) / x,), (_matrix(3),)),
}  # fmt: skip

FIRST = ("sign", "factor 2", "factor 1.001", "argument dropped", "arguments swapped", "cotangent ignored")
SECOND = ("held: all of it", "held: an argument", "held: the cotangent", "second rule: factor 1.001", "second rule: sign")


def broken_custom(one: Custom, kind: str) -> tuple[Any, bool]:
    """Return the function with its custom gradient, broken, and whether that changes anything; intact for no kind."""
    count = len(one.rules)

    def cotangents(g: Any, xs: Any) -> list[Any]:
        stop = tf.stop_gradient
        if kind == "cotangent ignored":
            g = tf.ones_like(g)
        if kind == "held: the cotangent":
            g = stop(g)
        given = [stop(x) if kind == "held: an argument" and k == 0 else x for k, x in enumerate(xs)]
        found = [rule(g, *given) for rule in one.rules]
        if kind == "arguments swapped":
            found.reverse()
        if kind == "argument dropped":
            found[-1] = tf.zeros_like(found[-1])
        change = {"sign": -1.0, "factor 2": 2.0, "factor 1.001": 1.001}.get(kind, 1.0)
        found = [change * f for f in found] if change != 1.0 else found
        return [stop(f) for f in found] if kind == "held: all of it" else found

    @tf.custom_gradient
    def passing(y: Any) -> Any:
        """The same value, whose derivative is broken: it stands behind the first rule."""
        return tf.identity(y), lambda h: (-1.0 if kind.endswith("sign") else 1.001) * h

    def f(*xs: Any) -> Any:
        def grad(g: Any) -> Any:
            found = cotangents(g, xs)
            if kind.startswith("second rule"):
                found = [passing(one) for one in found]
            return found if count > 1 else found[0]

        return one.value(*xs), grad

    applies = count > 1 or kind not in ("argument dropped", "arguments swapped")
    return tf.custom_gradient(f), applies


def custom_question(name: str, kind: str) -> tuple[Question, bool]:
    """Return the question of a function with a broken custom gradient among other operations."""
    one = CUSTOM[name]
    f, applies = broken_custom(one, kind)
    question = Question()
    with tracing(question.graph):
        places = [question.place(np.asarray(p, np.float64)) for p in one.point]
        y = f(*map(tf.identity, places))
        question.ys = [y * (0.5 * y + 1.0)]
    question.xs, question.names = places, [f"x{k}" for k in range(len(places))]
    return question, applies


def customs_trial(name: str, others: dict[str, Callable[[Question], Any]]) -> list[dict[str, Any]]:
    """Break a custom gradient in each way; return what each checker said (``others`` by their names)."""
    rows = []
    for kind in (*FIRST, *SECOND):
        question, applies = custom_question(name, kind)
        if not applies:
            continue
        rng = np.random.default_rng(0)
        found = check_question(question, 3, rng, executors=False, only=("reverse",))
        detected = any(r.status == "wrong" for r in found)
        faults = wrong_rules(question, found, rng) if detected else []
        raised = not detected and any(r.status == "skipped" for r in found)  # shapes that do not fit, say
        family = f"custom gradients, {'first' if kind in FIRST else 'second'} rule"
        row: dict[str, Any] = {"op": name, "family": family, "kind": kind, "field": "custom", "detected": detected or raised,
                               "named": bool(faults) and faults[0].kind == "custom gradient", "raised": raised,
                               "equivalent": ""}  # fmt: skip
        for checker, ask in others.items():
            if not ask(custom_question(name, "")[0]):
                row[checker] = bool(ask(custom_question(name, kind)[0]))
        rows.append(row)
    return rows
