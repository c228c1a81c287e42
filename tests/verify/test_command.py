"""`wengert check`: of functions and of scripts."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wengert.verify.command import Trouble, value_of

FUNCTIONS = """
import tensorflow as tf

def f(x, t):
    return tf.sin(3.0 * x) * tf.exp(-t)

@tf.custom_gradient
def bad(x):
    return x * x, lambda g: g * x
"""

STATIC = """
import tensorflow as tf

x = tf.placeholder(tf.float32, [None, 1])
t = tf.placeholder(tf.float32, [None, 1])
X = tf.concat([x, t], 1)
w = tf.Variable([[0.5], [0.25]])
u = tf.tanh(tf.matmul(X, w)){custom}
u_x = tf.gradients(u, x)[0]
u_xx = tf.gradients(u_x, x)[0]
u_X = tf.gradients(u, X)[0]
loss = tf.reduce_mean(tf.square(u_xx + u))
g = tf.gradients(loss, w)[0]
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(3):
        sess.run([g, u_X], {{x: [[0.1], [0.2]], t: [[0.3], [0.4]]}})
print("done")
"""

EAGER = """
import tensorflow as tf

w = tf.Variable([[0.5], [0.25]])
X = tf.constant([[0.1, 0.3], [0.2, 0.4]])

for step in range(3):
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(X)
            u = tf.tanh(X @ w)
        u_x = inner.gradient(u, X)[:, 0:1]
        loss = tf.reduce_mean(tf.square(u_x + u))
    g = tape.gradient(loss, w)

@tf.function
def traced(x):
    return tf.gradients(tf.gradients(x ** 3, x)[0], x)[0]

print(traced(tf.constant(2.0)).numpy())
"""


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "wengert", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110, check=False)


def test_a_function_at_a_point(tmp_path: Path) -> None:
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    done = run(
        tmp_path, "functions:f", "--at", "x=0.5", "--at", "t=1", "--order", "3", "--html", "page.html", "--json", "all.json"
    )
    assert done.returncode == 0, done.stderr
    assert "∂³/∂x²∂t" in done.stdout
    assert "right" in done.stdout
    data = json.loads((tmp_path / "all.json").read_text())
    assert data["verdict"] == "right"
    assert {row["order"] for row in data["rows"]} == {1, 2, 3}
    assert "<html" in (tmp_path / "page.html").read_text()


def test_a_wrong_function_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    done = run(tmp_path, "functions.py:bad", "--at", "x=random(3)", "--order", "1", "--json")
    assert done.returncode == 1, done.stderr
    data = json.loads(done.stdout)
    assert data["verdict"] == "wrong"
    assert data["faults"][0]["kind"] == "custom gradient"


@pytest.mark.parametrize("custom", ["", " + bad(x)"])
def test_a_static_script(tmp_path: Path, custom: str) -> None:
    text = STATIC.format(custom=custom)
    if custom:
        text = text.replace("u = tf.tanh", "bad = tf.custom_gradient(lambda x: (x * x, lambda g: g * x))\nu = tf.tanh")
    (tmp_path / "script.py").write_text(text)
    done = run(tmp_path, "script.py", "--json")
    assert done.returncode == bool(custom), done.stderr
    assert "done" in done.stderr  # stdout is JSON alone
    data = json.loads(done.stdout)
    assert data["verdict"] == ("wrong" if custom else "right")
    lines = {row["function"].rpartition(":")[2] for row in data["rows"]}
    assert len(lines) == 4
    assert any("took 12" in note for note in data["notes"])
    if custom:
        assert {fault["kind"] for fault in data["faults"]} == {"custom gradient"}
        assert data["faults"][0]["where"].endswith("script.py:9")


def test_an_eager_script(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(EAGER)
    done = run(tmp_path, "script.py", "--json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["verdict"] == "right", data
    assert {row["function"].rpartition(":")[2] for row in data["rows"]} == {"12", "14", "18", "18 (2)"}


def test_a_script_with_much_data_is_checked_in_double_precision(tmp_path: Path) -> None:
    text = STATIC.format(custom="").replace("{x: [[0.1], [0.2]], t: [[0.3], [0.4]]}", "{x: many, t: many}")
    (tmp_path / "script.py").write_text("import numpy as np\nmany = np.linspace(0, 1, 5000)[:, None]\n" + text)
    done = run(tmp_path, "script.py", "--json")
    data = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr + done.stdout
    assert data["verdict"] == "right"
    assert any("double precision" in row["note"] for row in data["rows"])


def test_a_script_that_fails(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(EAGER + "\nraise ValueError('over')\n")
    done = run(tmp_path, "script.py")
    assert done.returncode == 1
    assert "over" in done.stderr
    assert "what it differentiated until then was checked" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "name a script"),
        (["nothing.py"], "there is no script"),
        (["functions:f"], "say at which point"),
        (["functions:g", "--at", "x=1"], "has no function g"),
        (["nowhere:f", "--at", "x=1"], "cannot import nowhere"),
        (["functions:f", "--at", "x"], "NAME=VALUE"),
        (["functions:f", "--at", "x=__import__('os')"], "is no value"),
        (["functions:f", "--at", "x=@none.npy"], "none.npy"),
        (["functions:f", "--at", "x=1", "--at", "t=1", "--html", "no/where.html"], "cannot write"),
        (["functions:f", "--at", "x=1", "--at", "t='a'"], "no array of numbers"),
        (["functions:f", "--at", "y=1"], "argument"),
        (["functions.py", "--order", "3"], "--order goes with"),
        (["broken:f", "--at", "x=1"], "fails when it is imported: ZeroDivisionError"),
    ],
)
def test_what_cannot_be_carried_out_ends_with_2(tmp_path: Path, arguments: list[str], text: str) -> None:
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    done = run(tmp_path, *arguments)
    assert done.returncode == 2, done.stdout
    assert text in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", 1.0), ("[1, 2]", [1.0, 2.0]), ("-0.5", -0.5), ("[[1.5], [2]]", [[1.5], [2.0]]), ("1+2j", 1 + 2j), ("True", True)],
)
def test_values(text: str, expected: Any) -> None:
    assert np.array_equal(value_of(text, np.random.default_rng(0)), expected)


def test_values_that_are_drawn_or_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    assert value_of("random(2, 3)", rng).shape == (2, 3)
    assert value_of("random()", rng).shape == ()
    np.save(tmp_path / "x.npy", np.arange(3.0))
    assert value_of(f"@{tmp_path / 'x.npy'}", rng).tolist() == [0.0, 1.0, 2.0]
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(Trouble, match="not an array that can be read"):
        value_of(f"@{tmp_path / 'o.npy'}", rng)


def test_without_mpmath_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import tensorflow as tf\n")
    code = "import sys; sys.modules['mpmath'] = None; from wengert.cli import main; sys.exit(main(['check', 'script.py']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("wengert check: The verifier needs mpmath")
    assert "Traceback" not in done.stderr
