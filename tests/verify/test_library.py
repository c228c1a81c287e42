"""Derivatives that a library takes on behalf of a script: found, judged, and named by the line of the script.

The lines are counted in the texts below; values are written out as formulas.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wengert.ground.context import Site
from wengert.verify.report import Report, Row

LIBRARY = """\
import tensorflow as tf

def slope(y, x):
    return tf.gradients(y, x)[0]

def slope_on_tape(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)
"""

GRAPH = """\
import tensorflow as tf
from physics import grads

x = tf.placeholder(tf.float64, [None, 1])
u = tf.sin(3.0 * x)
u_x = grads.slope(u, x)
u_xx = grads.slope(u_x, x)
with tf.Session() as sess:
    print(sess.run(u_x + u_xx, {x: [[0.5]]}))
"""

TRACED = """\
import tensorflow as tf
from physics import grads

def residual(x):
    u = tf.sin(3.0 * x)
    u_x = grads.slope(u, x)
    return u_x + grads.slope(u_x, x)

@tf.function
def loss(x):
    return tf.reduce_sum(residual(x))

print(loss(tf.constant([[0.5]], tf.float64)).numpy())
"""

EAGER = """\
import tensorflow as tf
from physics import grads

print(grads.slope_on_tape(tf.sin, tf.constant(0.5)).numpy())
"""

KINK = """\
import tensorflow as tf
from physics import grads

grads.slope_on_tape(tf.sin, tf.constant(0.5))
grads.slope_on_tape(tf.abs, tf.constant(0.0))
"""

WRONG = """\
import tensorflow as tf
from physics import grads

@tf.custom_gradient
def square(x):
    return x * x, lambda g: g * x

grads.slope_on_tape(square, tf.constant(0.5))
grads.slope_on_tape(tf.sin, tf.constant(0.5))
"""


def command(folder: Path, *arguments: str, script: str) -> subprocess.CompletedProcess[str]:
    library = folder / "site-packages" / "physics"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text("")
    (library / "grads.py").write_text(LIBRARY)
    (folder / "script.py").write_text(f"import sys; sys.path.insert(0, {str(library.parent)!r}); {script}")
    return subprocess.run([sys.executable, "-m", "wengert", *arguments, "script.py"], cwd=folder, capture_output=True, text=True,
                          timeout=110, check=False, env=os.environ | {"COLUMNS": "200"})  # fmt: skip


@pytest.mark.parametrize(("script", "lines"), [(GRAPH, (6, 7)), (TRACED, (6, 7)), (EAGER, (4,))])
def test_a_derivative_is_named_by_the_line_of_the_script_that_had_a_library_take_it(
    tmp_path: Path, script: str, lines: tuple[int, ...]
) -> None:
    done = command(tmp_path, "check", "--json=-", script=script)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == "right", found
    by = 10 if script is EAGER else 4
    names = {row["function"] for row in found["rows"] if row["road"] == "reverse"}
    assert names == {f"script.py:{line} (grads.py:{by})" for line in lines}, names
    many = "1 derivative: right" if len(lines) == 1 else f"{len(lines)} derivatives: all right"
    assert found["tally"] == many


@pytest.mark.parametrize(("script", "tally", "status"), [
    (KINK, "2 derivatives: 1 right, 1 undecided", 0), (WRONG, "2 derivatives: 1 right, 1 wrong", 1),
])  # fmt: skip
def test_the_last_line_tells_how_many_derivatives_are_right(tmp_path: Path, script: str, tally: str, status: int) -> None:
    done = command(tmp_path, "check", script=script)
    assert done.returncode == status, done.stderr
    assert done.stdout.rstrip().endswith(tally), done.stdout


def test_explain_names_the_line_of_the_script(tmp_path: Path) -> None:
    done = command(tmp_path, "explain", script=GRAPH)
    assert done.returncode == 0, done.stderr
    assert "script.py:6 (grads.py:4)" in done.stdout, done.stdout
    assert "script.py:7 (grads.py:4)" in done.stdout, done.stdout


def test_a_place_in_an_installed_library_is_shown_from_the_library_on() -> None:
    def name(path: str) -> Any:
        return Report([Row(path, "x", 1, "reverse", "exact", "right", 1.0, 1.0, None, "")]).lines()[0][0]

    assert name("/home/me/lib/python3/site-packages/physics/grads.py:4") == "physics/grads.py:4"
    assert name(r"C:\lib\site-packages\physics\grads.py:4") == r"physics\grads.py:4"
    assert name("/home/me/physics/grads.py:4") == "/home/me/physics/grads.py:4"


def test_a_place_in_a_library_says_the_scripts_line_first() -> None:
    def here() -> None:
        """Stand for a library's function."""

    code, script = here.__code__, test_a_place_in_a_library_says_the_scripts_line_first.__code__
    assert str(Site(code, 0, False, (script, 0))) == f"{Site(script, 0)} (test_library.py:{Site(code, 0).lineno})"
