"""`check`: right, wrong, or undecided; and whose fault."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.derive import structure
from wengert.ops.op import table
from wengert.verify import assert_gradients, check

rng = np.random.default_rng(3)
MATRIX = rng.normal(size=(3, 3))


@contextlib.contextmanager
def broken(name: str, **statements: Any) -> Iterator[None]:
    """Replace statements of an operation for a block; what is derived from them is forgotten."""
    op = table[name]
    kept = {key: getattr(op, key) for key in ("vjp", "jvp", *statements)}
    for key in ("vjp", "jvp"):
        setattr(op, key, statements.get(key, op.vjp if key == "vjp" and op.stated else None))
    for key, value in statements.items():
        setattr(op, key, value)
    structure.forget()
    try:
        yield
    finally:
        for key, value in kept.items():
            setattr(op, key, value)
        structure.forget()


def net(x: Any, t: Any) -> Any:
    h = tf.concat([x, t], 1)
    for w in WEIGHTS[:-1]:
        h = tf.tanh(h @ tf.cast(w, h.dtype))
    return h @ tf.cast(WEIGHTS[-1], h.dtype)


WEIGHTS = [tf.constant(rng.normal(size=s)) for s in [(2, 4), (4, 4), (4, 1)]]

RIGHT = {
    "of two numbers": (lambda x, t: tf.sin(3.0 * x) * tf.exp(-t), {"x": 0.5, "t": 1.0}, 4),
    "a network": (net, [rng.normal(size=(2, 1)), rng.normal(size=(2, 1))], 3),
    "a solve": (lambda a: tf.linalg.solve(a + 3.0 * tf.eye(3, dtype=a.dtype), tf.ones([3, 1], a.dtype)), MATRIX, 2),
    "cholesky": (
        lambda a: tf.linalg.cholesky(tf.matmul(a, a, transpose_b=True) + 2.0 * tf.eye(3, dtype=a.dtype)), MATRIX, 2),
    "a loop": (lambda x: tf.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, tf.sin(y) * x), (0, x))[1], 0.7, 3),
    "a choice": (lambda x: tf.cond(x > 0, lambda: tf.sin(x), lambda: x**2), 0.7, 3),
    "a scan": (lambda x: tf.scan(lambda c, a: tf.sin(c) * a + x, tf.ones([4], x.dtype) * 0.5, x), 0.7, 2),
    "rows coupled": (lambda x: tf.nn.softmax(x, 0) * tf.reduce_mean(x * x), rng.normal(size=(3, 2)), 3),
    "complex": (lambda z: tf.abs(tf.exp(z) * z), np.array([0.3 + 0.4j, -1.0 + 0.2j]), 2),
    "several outputs": (lambda x: (tf.sin(x), {"a": x * x}, None), [0.3], 3),
    "an integer beside": (lambda x, n: x ** tf.cast(n, x.dtype) * x, [1.3, 3], 2),
    "zero derivatives": (lambda x: x * x, 3.0, 4),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right(name: str) -> None:
    f, x, order = RIGHT[name]
    report = check(f, x, order)
    assert report.verdict == "right", report.summary()
    assert not report.faults
    assert {r.order for r in report.rows if r.status == "right"} == set(range(1, order + 1))
    assert {"reverse", "forward", "series", "tape", "numpy"} <= {r.road for r in report.rows if r.status == "right"}
    assert not [r for r in report.rows if r.status not in ("right", "skipped")], report.rows


def test_all_mixed_orders_of_the_arguments() -> None:
    report = check(lambda x, t: x**3 * t**2, [1.5, 2.0], 3)
    by = {r.derivative for r in report.rows}
    assert {"x", "t", "x x", "x t", "t t", "x x x", "x x t", "x t t", "t t t", "d", "d d", "d d d"} == by
    value = next(r for r in report.rows if r.derivative == "x x t" and r.road == "series")
    assert value.expected is not None
    assert abs(value.expected) / (6 * 1.5 * 2 * 2.0) in {k / 64 for k in range(32, 96)}  # but for the output's weight


def test_digits_are_those_of_the_arithmetic() -> None:
    report = check(tf.tanh, 0.4, 3)
    assert report.digits("float64") > 14
    assert 5.5 < report.digits("float32", 1) < 10


def test_a_wrong_rule_is_named_with_its_line() -> None:
    def f(x: Any) -> Any:
        y = tf.exp(tf.sin(x))
        return tf.sinh(y) * tf.cos(x)  # this line

    with broken("sinh", partials=(lambda xp, x, v: 1.01 * xp.cosh(x),)):
        report = check(f, np.array([0.3, 0.4]), 2)
    assert report.verdict == "wrong"
    assert [(fault.kind, fault.operation) for fault in report.faults] == [("wrong rule", "sinh")]
    line = f.__code__.co_firstlineno + 2
    assert report.faults[0].where.endswith(f"test_check.py:{line}")
    assert check(f, np.array([0.3, 0.4]), 2).verdict == "right"


def test_a_rule_that_is_wrong_from_order_two_on() -> None:
    with broken("sinh", partials=(lambda xp, x, v: xp.stop_gradient(xp.cosh(x)),)):
        report = check(lambda x: tf.sinh(x) * x, 0.3, 3)
    assert report.verdict == "wrong"
    assert {r.order for r in report.rows if r.status == "wrong"} == {2, 3}
    assert [fault.operation for fault in report.faults] == ["sinh"]


def test_a_wrong_rule_inside_of_a_loop_is_named() -> None:
    def f(x: Any) -> Any:
        return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.sinh(y) * x), (0, x))[1]

    with broken("sinh", partials=(lambda xp, x, v: -xp.cosh(x),)):
        report = check(f, 0.4, 1, executors=False)
    assert report.verdict == "wrong"
    assert [fault.operation for fault in report.faults] == ["sinh"]


def square_with(held: Any) -> Any:
    @tf.custom_gradient
    def square(x: Any) -> Any:
        return x * x, lambda g: held(g, x)

    return square


@pytest.mark.parametrize("where", ["alone", "cond", "while"])
@pytest.mark.parametrize(
    "held",
    [
        lambda g, x: g * 2.0 * tf.stop_gradient(x),
        lambda g, x: tf.stop_gradient(g) * 2.0 * x,
        lambda g, x: tf.stop_gradient(g * 2.0 * x),
    ],
)
def test_a_custom_gradient_whose_derivative_is_wrong_is_named(where: str, held: Any) -> None:
    square = square_with(held)
    forms: dict[str, Any] = {
        "alone": lambda x: tf.sin(square(x)),
        "cond": lambda x: tf.cond(x > 0.0, lambda: tf.sin(square(x)), lambda: x),
        "while": lambda x: tf.while_loop(lambda i, z: i < 2, lambda i, z: (i + 1, tf.sin(square(z))), [0, x])[1],
    }
    report = check(forms[where], 0.7, order=2)
    assert report.verdict == "wrong"
    assert {r.order for r in report.rows if r.status == "wrong" and r.road == "reverse"} == {2}
    assert [f.kind for f in report.faults if f.kind not in ("saturation", "cancellation")] == ["custom gradient"]
    assert f"that of square ({__file__}:" in report.faults[0].text
    assert "its first derivative is right" in report.faults[0].text


def exponential(a: Any) -> Any:
    w, u = tf.linalg.eigh(0.5 * (a + tf.transpose(a)))
    return tf.matmul(u * tf.exp(w)[None, :], u, transpose_b=True)


def vectors(a: Any) -> Any:
    return tf.linalg.eigh(0.5 * (a + tf.transpose(a)))[1]


def singular(a: Any) -> Any:
    return tf.linalg.svd(a)[1]


@pytest.mark.parametrize(
    ("f", "a", "operation", "values"),
    [
        (exponential, np.eye(2), "eigh", "the eigenvalues 1 and 1"),
        (vectors, np.diag([3.0, 0.5, 0.5]), "eigh", "the eigenvalues 0.5 and 0.5"),
        (singular, np.diag([2.0, -2.0]), "svd", "the singular values 2 and 2"),
    ],
)
def test_equal_eigenvalues_are_said(f: Any, a: Any, operation: str, values: str) -> None:
    report = check(f, a, order=1, dtypes=["float64"])
    assert report.verdict != "right"
    assert {(fault.kind, fault.operation) for fault in report.faults} == {("undefined", operation)}
    assert values in report.faults[0].text
    assert report.faults[0].where.startswith(__file__)


def test_kinks_that_cancel_are_not_blamed_on_the_lowering() -> None:
    report = check(lambda x: tf.nn.relu(x) - tf.nn.relu(-x), 0.0, order=1, dtypes=["float64"])  # x, and its slope is 1
    for fault in report.faults:
        assert (fault.kind, fault.operation) == ("kink", "relu")
    assert (report.verdict == "right") != bool(report.faults)


def test_a_custom_gradient_is_compared_with_the_function() -> None:
    @tf.custom_gradient
    def cube(x: Any) -> Any:
        return x * x * x, lambda g: g * 2.0 * x * x

    @tf.custom_gradient
    def square(x: Any) -> Any:
        return x * x, lambda g: g * 2.0 * x

    report = check(lambda x: square(x) + cube(x), 2.0, 1)
    assert report.verdict == "wrong"
    assert [fault.kind for fault in report.faults] == ["custom gradient"]
    assert check(square, 2.0, 2).verdict == "right"


def test_an_executor_that_computes_something_else() -> None:
    op = table["sinh"]
    kept = op.eager
    op.eager = lambda x: np.sinh(x) * 1.001
    try:
        report = check(lambda x: tf.cosh(tf.sinh(x)), 0.5, 1, dtypes=["float64"])
    finally:
        op.eager = kept
    assert report.verdict == "wrong"
    assert {r.arithmetic for r in report.rows if r.status == "wrong"} == {"float64"}
    assert report.faults[0].kind == "executor"


@pytest.mark.parametrize(
    ("f", "x", "kind", "operation"),
    [
        (lambda x: tf.nn.relu(x) * x + tf.exp(x), 0.0, None, None),  # x relu(x) has a derivative at 0, and a kink in the next
        (lambda x: tf.abs(tf.sin(x)), 0.0, "kink", "abs"),
        (lambda x, y: tf.maximum(x, y), [1.0, 1.0], "kink", "maximum"),
        (lambda x: tf.reduce_max(x), [[2.0], [2.0]], "kink", "max"),
        (lambda x: tf.floor(x) * x, 2.0, "jump", "floor"),
        (lambda x: tf.sqrt(x), 0.0, "undefined", ""),
        (lambda x: tf.clip_by_value(x, 0.0, 1.0), 1.0, "kink", None),
    ],
)
def test_what_cannot_be_decided_is_told_apart(f: Any, x: Any, kind: str | None, operation: str | None) -> None:
    report = check(f, x, 1)
    if kind is None:
        assert report.verdict == "right"
        assert check(f, x, 2).faults[0].operation == "relu"
        return
    assert report.verdict == "undecided", report.rows
    assert report.ok
    assert report.faults[0].kind == kind
    if operation is not None:
        assert report.faults[0].operation == operation


def test_saturation_is_told_apart_from_a_wrong_rule() -> None:
    def f(x: Any) -> Any:
        v = tf.tanh(x)
        return tf.math.log(1.0 - v * v + tf.cast(1e-30, x.dtype))

    report = check(f, 12.0, 1)
    assert report.verdict == "right"
    bad = [r for r in report.rows if r.status == "inaccurate"]
    assert {r.arithmetic for r in bad} >= {"float32"}
    told = [fault for fault in report.faults if fault.kind == "saturation"]
    assert told
    assert "tanh is saturated here: float32 keeps 0 digits" in told[-1].text


def test_cancellation_is_told_apart_from_a_wrong_rule() -> None:
    report = check(lambda x: tf.math.log(tf.exp(x) + 1e-3) - x, 20.0, 1)
    assert report.verdict == "right"
    assert {fault.kind for fault in report.faults} == {"cancellation"}
    assert report.digits("float64") < 8


def test_what_is_stopped_is_held() -> None:
    assert check(lambda x: x * tf.stop_gradient(x * x), 2.0, 2).verdict == "right"


def test_random_numbers_are_held() -> None:
    assert check(lambda x: tf.reduce_sum(tf.sin(x) * tf.random.normal([3], dtype=x.dtype)), 0.4, 2).verdict == "right"


def test_variables_are_read() -> None:
    w = tf.Variable([[0.5, -0.25]], dtype=tf.float64)
    report = check(lambda x: tf.tanh(x @ w), [rng.normal(size=(2, 1))], 2)
    assert report.verdict == "right"
    assert any(note.startswith("not in float32") for note in report.notes) or report.digits("float32") is not None


def test_a_derivative_inside_of_the_function() -> None:
    def residual(x: Any) -> Any:
        u = tf.sin(2.0 * x) * x
        return tf.gradients(tf.gradients(u, x)[0], x)[0] + u**3

    assert check(residual, [rng.normal(size=(3, 1))], 2).verdict == "right"


def test_a_python_function_is_held_at_its_value() -> None:
    report = check(lambda x: x * tf.py_function(lambda v: v * 2.0, [3.0], tf.float32), 2.0, 1, dtypes=["float32"])
    assert report.verdict == "right"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: check(3.0, 1.0), TypeError, "must be a function"),
        (lambda: check(tf.sin, 1.0, order=0), ValueError, "1 to 8"),
        (lambda: check(tf.sin, 1.0, order=True), ValueError, "1 to 8"),
        (lambda: check(tf.sin, np.nan), ValueError, "not finite"),
        (lambda: check(tf.sin, np.arange(3)), TypeError, "none of the arguments"),
        (lambda: check(lambda x: tf.argmax(x), [[1.0, 2.0]]), TypeError, "real or complex"),
        (lambda: check(lambda x: np.sin(x), 1.0), TypeError, "gradient="),
        (lambda: check(tf.sin, np.zeros(5000)), ValueError, "more than"),
        (lambda: check(lambda x: tf.py_function(tf.sin, [x], x.dtype), 1.0), TypeError, "Python function is on the way"),
    ],
)
def test_bad_input_is_refused(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_report_is_shown_and_given_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    report = check(lambda x: tf.abs(x) * x**2 + tf.abs(x), [0.0], 2)
    report.show()
    shown = capsys.readouterr().out
    assert "undecided" in shown
    assert "kink abs" in shown
    data = json.loads(report.json())
    assert data["verdict"] == "undecided"
    assert len(data["rows"]) == len(report.rows)
    assert bool(report) is True


def test_assert_gradients() -> None:
    assert_gradients(lambda x, t: tf.sin(x) * t, 0.3, 0.4, order=3)
    with (
        broken("sinh", partials=(lambda xp, x, v: 2.0 * xp.cosh(x),)),
        pytest.raises(AssertionError, match=r"(?s)not right.*wrong rule: sinh"),
    ):
        assert_gradients(tf.sinh, 0.3, order=1)
    with pytest.raises(AssertionError, match="undecided"):
        assert_gradients(tf.abs, 0.0)


def test_the_fixture_of_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import wengert as tf\n"
        "def test_right(assert_gradients):\n"
        "    assert_gradients(tf.tanh, 0.3, order=2)\n"
        "def test_wrong(assert_gradients):\n"
        "    assert_gradients(tf.custom_gradient(lambda x: (x * x, lambda g: g * x)), 0.3, order=1)\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "custom gradient" in done.stdout


@pytest.mark.parametrize(
    "f",
    [
        lambda x, v: tf.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, tf.sin(z * tf.cast(v, z.dtype))), [0, x])[1],
        lambda x, v: tf.cond(x > 0.0, lambda: tf.sin(x * tf.cast(v, x.dtype)), lambda: x),
    ],
)
def test_a_body_may_read_a_variable(f: Any) -> None:
    v = tf.Variable(np.float64(0.7))
    report = check(lambda x: f(x, v), 0.5, order=2)
    assert report.verdict == "right", report
