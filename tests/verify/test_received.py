"""The number that a script received is the number that is judged: given what its run did, whatever an executor made of it.

Expected values are written out as formulas. Faults are injected, so that these tests hold however derivatives are found.
"""

import math
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as tf
import wengert.verify.script as script_module
from wengert.compat import v1
from wengert.execute.numpy import NumPyProgram
from wengert.execute.xla.program import XlaProgram
from wengert.ground.options import options
from wengert.modes.tape import GradientTape
from wengert.modes.tracing import tracing
from wengert.ops.op import table
from wengert.verify.lists import Listing, Question
from wengert.verify.report import Report
from wengert.verify.script import check_script


@pytest.fixture(autouse=True)
def numpy() -> Iterator[None]:
    """Its programs are what is spoiled."""
    with options.set(executor="numpy"):
        yield


def judge(script: Callable[[], Any], status: str | None = None) -> tuple[Report, list[Any], Any]:
    """Return the report, what was found of the numbers received, and what the script returned."""
    kept: list[Any] = []

    def run() -> int:
        kept.append(script())
        return 0

    _, report = check_script(run)
    rows = [r for r in report.rows if r.road == "received"]
    assert rows, report.notes
    if status is not None:
        assert {r.status for r in rows} == {status}, report
    return report, rows, kept[0]


def spoiled(change: Callable[[Any], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator of what gives a list of arrays or tensors: each of them is changed."""

    def decorate(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*arguments: Any, **keywords: Any) -> Any:
            return [None if one is None else change(one) for one in original(*arguments, **keywords)]

        return wrong

    return decorate


def by_tape() -> Any:
    x = tf.constant([0.5, -1.0], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sin(x) * x
    return tape.gradient(y, x)


def by_function() -> Any:
    return tf.function(lambda x: tf.gradients(tf.sin(x) * x, x)[0])(tf.constant([0.5, -1.0], tf.float64))


def by_session() -> Any:
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float64, [2])
        return session.run(v1.gradients(tf.sin(x) * x, x)[0], {x: [0.5, -1.0]})


def by_loop() -> Any:
    @tf.function
    def f(x: Any) -> Any:
        y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.sin(y) * y), [0, x])[1]
        return tf.gradients(y, x)[0]

    return f(tf.constant([0.5, -1.0], tf.float64))


# --- what is wrong is found -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2.0, -1.0, 1.0 + 1e-6])
@pytest.mark.parametrize(
    ("script", "owner", "name"),
    [
        (by_tape, GradientTape, "_eager"),
        (by_function, NumPyProgram, "__call__"),
        (by_session, NumPyProgram, "__call__"),
        (by_loop, NumPyProgram, "__call__"),
    ],
)
def test_another_number_is_wrong_though_the_list_is_right(
    monkeypatch: pytest.MonkeyPatch, script: Any, owner: Any, name: str, factor: float
) -> None:
    judge(script, "right")
    original = getattr(owner, name)
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, spoiled(lambda v: v * factor)(original))
        executed: list[Any] = []

        def run() -> int:
            executed.append(script())
            # The verifier's own programs are not to be spoiled.
            setattr(owner, name, original)
            return 0

        _, report = check_script(run)
    rows = [r for r in report.rows if r.road == "received"]
    assert report.verdict == "wrong", report
    assert [r.status for r in rows] == ["wrong"]
    assert {r.status for r in report.rows if r.road != "received"} == {"right"}
    worst = rows[0]
    assert worst.value == pytest.approx(factor * worst.expected, rel=1e-12)
    assert {f.kind for f in report.faults} == {"received"}
    line = script.__code__.co_firstlineno
    assert any(f"{__file__}:{line + k}" in report.faults[0].where for k in range(8))


def test_expected_is_the_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    original = GradientTape._eager
    monkeypatch.setattr(GradientTape, "_eager", spoiled(lambda v: v + 1.0)(original))

    def script() -> Any:
        x = tf.constant(0.5, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.sin(x) * x
        found = tape.gradient(y, x)
        monkeypatch.undo()
        return found

    report, rows, _ = judge(script, "wrong")
    assert rows[0].expected == pytest.approx(math.sin(0.5) + 0.5 * math.cos(0.5), rel=1e-14)
    assert f"received {rows[0].value:.9g}" in report.faults[0].text


@pytest.mark.parametrize("value", [np.nan, np.inf, None])
def test_no_number_is_wrong_where_there_is_one(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    original = GradientTape._eager
    change = (lambda v: None) if value is None else (lambda v: v * value)
    monkeypatch.setattr(GradientTape, "_eager", spoiled(change)(original))

    def script() -> Any:
        found = by_tape()
        monkeypatch.undo()
        return found

    with pytest.warns(tf.errors.NoGradientWarning) if value is None else np.errstate(all="ignore"):
        judge(script, "wrong")


def test_a_loop_with_a_wrong_derivative_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    op = table["loop"]
    original = op.vjp
    assert original is not None

    def doubled(xp: Any, g: Any, *rest: Any) -> Any:
        return original(xp, [None if one is None else one + one for one in g], *rest)

    monkeypatch.setattr(op, "vjp", doubled)
    with options.set(taylor=False):  # so that this rule is what is used
        report, rows, _ = judge(by_loop)
    assert [r.status for r in rows] == ["wrong"]
    assert [(f.kind, f.operation) for f in report.faults] == [("wrong rule", "loop")]
    assert report.faults[0].where.startswith(__file__)


def test_each_power_of_two_of_a_line_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    original = NumPyProgram.__call__
    calls = [0]

    def wrong(self: Any, *arguments: Any, **keywords: Any) -> Any:
        calls[0] += 1
        found = original(self, *arguments, **keywords)
        return [v * 2.0 for v in found] if calls[0] == 4 else found

    monkeypatch.setattr(NumPyProgram, "__call__", wrong)

    def script() -> Any:
        f = tf.function(lambda x: tf.gradients(x**3, x)[0])
        for k in range(6):
            f(tf.constant(float(k + 1), tf.float64))
        monkeypatch.undo()

    _, rows, _ = judge(script)
    assert [r.status for r in rows] == ["right", "right", "wrong"]
    assert (rows[2].value, rows[2].expected, rows[2].note) == (96.0, 48.0, "call 4")  # 3 x^2 at x = 4


def test_what_derivatives_are_part_of_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> Any:
        f = tf.function(lambda x: tf.reduce_sum(tf.gradients(tf.sin(x), x)[0] ** 2) + 1.0)
        return f(tf.constant([0.5, 1.0], tf.float64))

    _, rows, _ = judge(script, "right")
    assert rows[0].expected == pytest.approx(math.cos(0.5) ** 2 + math.cos(1.0) ** 2 + 1.0, rel=1e-14)


def test_a_large_list_is_judged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> Any:
        x = tf.constant(np.linspace(0.0, 1.0, 25_000).reshape(-1, 1), tf.float32)
        found = tf.function(lambda x: tf.gradients(tf.sin(x) * x, x)[0])(x)
        monkeypatch.undo()
        return found

    judge(script, "right")
    original = NumPyProgram.__call__
    spoil = spoiled(lambda v: v * np.where(np.arange(25_000)[:, None] == 20_000, 1.1, 1.0))
    monkeypatch.setattr(NumPyProgram, "__call__", spoil(original))
    judge(script, "wrong")


@pytest.mark.parametrize("count", [7, 25_000])
@pytest.mark.parametrize("narrow", [tf.float32, tf.float16])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "right"), (3.0, "wrong")])
def test_a_number_has_the_digits_of_the_narrowest_type_on_the_way(
    count: int, narrow: Any, order: int, factor: float, verdict: str
) -> None:
    @tf.custom_gradient
    def sine(x: Any) -> Any:
        return tf.sin(x), lambda g: g * tf.cos(x) * factor

    def f(x: Any) -> Any:
        y = sine(tf.cast(x, narrow) * 1.3)
        for _ in range(order):
            y = tf.gradients(y, x)[0]
        return y

    report, _, found = judge(lambda: tf.function(f)(tf.constant(np.linspace(0.1, 1.0, count), tf.float64)))
    assert found.dtype == tf.float64
    assert report.verdict == verdict, report


@pytest.mark.parametrize(("factor", "status"), [(1.0, "right"), (1.01, "wrong")])
def test_a_direction_along_which_a_large_list_cancels_is_drawn_anew(
    monkeypatch: pytest.MonkeyPatch, factor: float, status: str
) -> None:
    signs, calls = script_module._signs, [0]

    def ones_at_first(shape: Any, rng: Any) -> Any:
        calls[0] += 1
        return np.ones(shape) if calls[0] <= 2 else signs(shape, rng)

    monkeypatch.setattr(script_module, "_signs", ones_at_first)
    x = np.repeat(np.linspace(0.1, 1.4, 15_000), 2)
    x[1::2] += 1e-6
    c = np.tile([1.0, -1.0], 15_000)  # so that along (1, 1, ...) the derivatives of c sin(x) cancel but for a millionth

    @tf.custom_gradient
    def sine(x: Any) -> Any:
        return tf.sin(x), lambda g: g * tf.cos(x) * factor

    def script() -> Any:
        return tf.function(lambda x: tf.gradients(c.astype(np.float32) * sine(x), x)[0])(tf.constant(x, tf.float32))

    _, report = check_script(lambda: 0 if script() is not None else 1)
    (row,) = [r for r in report.rows if r.road == "reverse"]
    assert row.status == status, row
    assert abs(row.value) > 1.0  # and not what is left of the cosines: 0.01
    assert calls[0] == 4


def test_a_walk_holds_what_is_still_read_and_no_more() -> None:
    question = Question()
    y = question.place(np.linspace(0.0, 1.0, 100_000))
    with tracing(question.graph):
        for _ in range(40):
            y = tf.sin(y)
    listing = Listing(question, [y], False)
    tracemalloc.start()
    try:
        listing.run(question.arrays)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 800_000


# --- what the run did is what is judged by ----------------------------------------------------------------------------------


def around(value: float, x: Any, s: Callable[[Any, Any], Any], k: Any) -> Any:
    """Differentiate with k at a value, which is another one as soon as the derivative is asked for."""
    k.assign(value)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = s(x, k)
    k.assign(100.0)
    return tape.gradient(y, x)


def in_a_loop(x: Any, k: Any) -> Any:
    s = x
    for _ in tf.range(2):
        s = tf.sin(s * k)
    return s


def in_a_branch(x: Any, k: Any) -> Any:
    return tf.cond(x > 0.0, lambda: tf.sin(x * k), lambda: x)


def in_a_map(x: Any, k: Any) -> Any:
    return tf.map_fn(lambda e: tf.sin(e * k), tf.stack([x, 2.0 * x]))


@pytest.mark.parametrize("mode", [lambda f: f, tf.function])
@pytest.mark.parametrize(
    ("s", "expected"),
    [
        (in_a_loop, 2.0 * math.cos(2.0 * math.sin(2.0)) * 2.0 * math.cos(2.0)),
        (in_a_branch, 2.0 * math.cos(2.0)),
        (in_a_map, 2.0 * math.cos(2.0) + 4.0 * math.cos(4.0)),
    ],
)
def test_a_variable_has_the_value_that_it_had_when_it_was_read(mode: Any, s: Any, expected: float) -> None:
    k, x = tf.Variable(np.float64(3.0)), tf.constant(1.0, tf.float64)
    f = mode(lambda x: around(2.0, x, s, k))
    _, rows, received = judge(lambda: f(x))
    assert len(rows) == 1
    assert (rows[0].status == "right") == bool(np.isclose(float(received), expected, rtol=1e-12))
    if rows[0].expected is not None:
        assert rows[0].expected == pytest.approx(expected, rel=1e-13)


def test_a_variable_that_changes_between_its_reads_moves_all_of_them() -> None:
    a, x = tf.Variable(np.float64(1.0)), tf.constant(1.0, tf.float64)

    def f(x: Any) -> Any:
        a.assign(1.0)
        with tf.GradientTape() as tape:
            s = a * x
            for _ in range(3):
                a.assign_add(1.0)
                s = s * a
        return tape.gradient(s, a)  # of the product of all reads: 24 (1 + 1/2 + 1/3 + 1/4)

    for run in (f, tf.function(f)):
        _, rows, _ = judge(lambda run=run: run(x), "right")
        assert rows[0].expected == pytest.approx(50.0, rel=1e-13)


@pytest.mark.parametrize("form", ["straight", "loop", "branch", "scan", "python"])
def test_random_numbers_are_those_that_were_drawn(form: str) -> None:
    def draw() -> Any:
        return tf.random.uniform([], 0.5, 1.5, tf.float64)

    def python() -> Any:
        return tf.reshape(tf.numpy_function(lambda: np.random.rand() + 0.5, [], tf.float64), [])

    forms: dict[str, Callable[[Any], Any]] = {
        "straight": lambda x: x * draw() * draw(),
        "loop": lambda x: tf.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, z * draw()), [0, x])[1],
        "branch": lambda x: tf.cond(x > 0.0, lambda: x * draw(), lambda: x),
        "scan": lambda x: tf.scan(lambda a, e: a * draw(), tf.zeros([3]), initializer=x)[-1],
        "python": lambda x: tf.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, z * python()), [0, x])[1],
    }

    @tf.function
    def f(x: Any) -> Any:
        y = forms[form](x)
        return y, tf.gradients(y, x)[0]

    _, rows, (y, g) = judge(lambda: f(tf.constant(2.0, tf.float64)))
    (row,) = rows
    # The derivative of a product of x and of numbers that were drawn is that product over x.
    assert (row.status == "right") == bool(np.isclose(float(g), float(y) / 2.0, rtol=1e-12))
    assert row.expected == pytest.approx(float(y) / 2.0, rel=1e-13)


def test_drawing_anew_for_the_derivative_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the reverse pass ran the body once more: the gradient belongs to other numbers than the value.
    original = NumPyProgram.__call__

    def wrong(self: Any, *arguments: Any, **keywords: Any) -> Any:
        y, _ = original(self, *arguments, **keywords)
        _, g = original(self, *arguments, **keywords)
        return [y, g]

    monkeypatch.setattr(NumPyProgram, "__call__", wrong)

    def script() -> Any:
        @tf.function
        def f(x: Any) -> Any:
            y = x * tf.random.uniform([], 0.5, 1.5, tf.float64)
            return y, tf.gradients(y, x)[0]

        found = f(tf.constant(2.0, tf.float64))
        monkeypatch.undo()
        return found

    _, rows, (y, _) = judge(script, "wrong")
    assert rows[0].expected == pytest.approx(float(y) / 2.0, rel=1e-13)


def test_what_a_tape_did_not_record_is_a_constant() -> None:
    @tf.function
    def f(x: Any) -> Any:
        before = x * x
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.sin(before) * x
        return tape.gradient(y, x)

    report, _, g = judge(lambda: f(tf.constant(0.7, tf.float64)), "right")
    assert float(g) == pytest.approx(math.sin(0.49), rel=1e-13)
    assert report.verdict == "right"


def test_sources_that_depend_on_each_other() -> None:
    def eagerly() -> Any:
        x = tf.constant(0.7, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(x)
            u = x * x
            y = tf.sin(u) * x
        return tape.gradient(y, [x, u])

    def in_a_graph() -> Any:
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float64, [])
            u = x * x
            return session.run(v1.gradients(tf.sin(u) * x, [x, u]), {x: 0.7})

    for script in (eagerly, in_a_graph):
        report, _, (by_x, by_u) = judge(script, "right")
        assert report.verdict == "right", report
        assert float(by_x) == pytest.approx(math.sin(0.49) + 2 * 0.49 * math.cos(0.49), rel=1e-13)
        assert float(by_u) == pytest.approx(0.7 * math.cos(0.49), rel=1e-13)


def test_a_fed_value_and_rows_that_were_gathered() -> None:
    def script() -> Any:
        with tf.Graph().as_default(), v1.Session() as session:
            v = v1.Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
            x = v1.placeholder(tf.float64, [])
            y = tf.reduce_sum(tf.gather(v, [1, 1]) ** 2) * tf.sin(x)
            session.run(v.initializer)
            rows = v1.gradients(y, v)[0]
            return session.run([rows, v1.gradients(y, x)[0]], {x: 0.5})

    report, _, _ = judge(script, "right")
    assert report.verdict == "right", report


FED = np.array([0.3, 0.7])


@pytest.mark.parametrize(
    ("made", "by_x", "by_w"),
    # Of y = sum(sin(t) x w) where t is fed: t moves with what it is made of, by the derivative at what that holds.
    [
        (lambda x, w: w, lambda x, w, c, s: s * FED, lambda x, w, c, s: s * x + c * x * FED),
        (lambda x, w: tf.identity(w), lambda x, w, c, s: s * w, lambda x, w, c, s: s * x + c * x * w),
        (lambda x, w: x * w, lambda x, w, c, s: s * w + c * x * w * w, lambda x, w, c, s: s * x + c * x * w * x),
        (lambda x, w: tf.stop_gradient(x * w), lambda x, w, c, s: s * w, lambda x, w, c, s: s * x),
        (lambda x, w: v1.py_func(lambda: FED, [], tf.float64), lambda x, w, c, s: s * w, lambda x, w, c, s: s * x),
        (lambda x, w: v1.assign_add(w, x), lambda x, w, c, s: s * w, lambda x, w, c, s: s * x),
        (
            lambda x, w: v1.gradients(tf.sin(x) * w, x)[0],
            lambda x, w, c, s: s * w - c * x * w * w * np.sin(x),
            lambda x, w, c, s: s * x + c * x * w * np.cos(x),
        ),
        (
            lambda x, w: tf.cond(x[0] > 0.0, lambda: x * w, lambda: x),
            lambda x, w, c, s: s * w + c * x * w * w,
            lambda x, w, c, s: s * x + c * x * w * x,
        ),
        (
            lambda x, w: tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a * w), [0, x])[1],
            lambda x, w, c, s: s * w + c * x * w * w * w,
            lambda x, w, c, s: s * x + c * x * w * 2 * w * x,
        ),
    ],
    ids=["variable", "identity", "product", "stopped", "called", "assigned", "derivative", "choice", "loop"],
)
def test_whatever_is_fed_moves_with_what_it_is_made_of(made: Any, by_x: Any, by_w: Any) -> None:
    def script() -> Any:
        with tf.Graph().as_default(), v1.Session() as session:
            x, w = v1.placeholder(tf.float64, [2]), v1.Variable(np.array([1.5, 2.5]))
            t = made(x, w)
            gradients = v1.gradients(tf.reduce_sum(tf.sin(t) * x * w), [x, w])
            session.run(v1.global_variables_initializer())
            return session.run([gradients, x, w], {x: [0.5, -1.0], t: FED})

    report, _, (found, x, w) = judge(script, "right")
    assert report.verdict == "right", report
    for got, expected in zip(found, (by_x, by_w), strict=True):
        np.testing.assert_allclose(got, expected(x, w, np.cos(FED), np.sin(FED)), rtol=1e-12)


def test_a_step_of_training_and_the_state_that_it_leaves() -> None:
    def script() -> Any:
        with tf.Graph().as_default(), v1.Session() as session:
            w = v1.Variable(np.float64(2.0))
            loss = w * w
            g = v1.gradients(loss, w)[0]
            step = v1.train.GradientDescentOptimizer(0.25).minimize(loss)
            session.run(v1.global_variables_initializer())
            return [session.run([g, step])[0] for _ in range(4)]

    _, rows, found = judge(script, "right")
    assert found == [4.0, 2.0, 1.0, 0.5]
    assert [r.expected for r in rows] == [4.0, 2.0, 0.5]  # the first, second and fourth


def test_xla_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax")

    def script() -> Any:
        with options.set(executor="xla"):
            found = by_loop()
        monkeypatch.undo()
        return found

    judge(script, "right")
    monkeypatch.setattr(XlaProgram, "run", spoiled(lambda v: v * 1.01)(XlaProgram.run))
    judge(script, "wrong")


def test_what_xla_drew_is_not_known() -> None:
    pytest.importorskip("jax")

    def run() -> int:
        with options.set(executor="xla"):
            f = tf.function(lambda x: tf.gradients(tf.sin(x * tf.random.uniform([], 0.5, 1.5)), x)[0])
            f(tf.constant(0.5))
        return 0

    _, report = check_script(run)
    assert report.verdict == "undecided"
    assert any("random_uniform gave in the run is not known" in note for note in report.notes)


# --- custom gradients -------------------------------------------------------------------------------------------------------


def test_custom_gradients_on_tapes() -> None:
    @tf.custom_gradient
    def good(x: Any) -> Any:
        e = tf.exp(tf.stop_gradient(x))
        return tf.math.log(1.0 + e), lambda g: g * (1.0 - 1.0 / (1.0 + tf.exp(x)))

    @tf.custom_gradient
    def bad(x: Any) -> Any:
        return x * x, lambda g: g * 3.0 * x

    def take(f: Any) -> Any:
        x = tf.constant(0.5, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(tf.sin(x))
        return tape.gradient(y, x)

    report, _, _ = judge(lambda: take(good), "right")
    assert report.verdict == "right", report
    report, _, _ = judge(lambda: take(bad))
    assert [f.kind for f in report.faults] == ["custom gradient"]
    assert f"bad ({__file__}:" in report.faults[0].text


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_a_second_derivative_that_is_not_that_of_the_first(mode: str) -> None:
    @tf.custom_gradient
    def square(x: Any) -> Any:
        return x * x, lambda g: g * 2.0 * tf.stop_gradient(x)

    def f(x: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.sin(square(x))
            g = tape.gradient(y, x)
        return outer.gradient(g, x)

    report, _, _ = judge(lambda: (tf.function(f) if mode == "function" else f)(tf.constant(1.5, tf.float64)))
    assert report.verdict == "wrong"
    (fault,) = report.faults
    assert (fault.kind, fault.operation) == ("custom gradient", "custom_gradient")
    assert f"square ({__file__}:" in fault.text and "order 2" in fault.text
