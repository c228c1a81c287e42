"""Programs in the manner of the surveyed ones: together they use every name and call form of names.json, and all run.

What TensorFlow 2.21 printed for them (with_tensorflow.py) is what they must print: words equal, numbers close.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NAMES = json.loads((HERE / "names.json").read_text())
PROGRAMS = sorted(f"{path.parent.name}/{path.stem}" for path in HERE.glob("tf?/*.py"))
ROOTS = {"tensorflow": "tf", "keras": "tf.keras", "tensorflow_probability": "tensorflow_probability"}

# What no TensorFlow has: the survey's reader took it from programs that fail there too.
NOWHERE = {("tf.softplus", ""), ("tf.tensordot", "_,_")}  # it is tf.nn.softplus; tensordot must be told the axes

# Programs that TensorFlow 2.21 cannot run, and what they must print.
WITHOUT_TENSORFLOW = {
    # sin x and x^3; TensorFlow insists on the placeholder
    "tf1/dummy_not_fed": "[[1. 0.]\n [0.8776 0.75]\n [0.5403 3.]]\n(3, 2)\n",
    # Keras 3's ProgbarLogger takes no arguments; the time of a step is Keras' own text and not compared
    "tf2/progress_bar": "1.7006\nepoch 0 ['loss']\nepoch 1 ['loss']\n",
}

TOKEN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf|[^\W\d]\w*|\S")


def normal(name: str) -> str:
    """A dotted name with the survey's root: ``tensorflow.compat.v1.log`` -> ``tf.log``."""
    root, _, rest = name.partition(".")
    rest = re.sub(r"^compat\.v[12](\.|$)", "", rest)
    return ROOTS.get(root, root) + ("." + rest if rest else "")


class Reader(ast.NodeVisitor):
    """Collects names and call forms. The first reading learns what variables hold, the second counts with that."""

    def __init__(self) -> None:
        self.aliases: dict[str, str] = {}
        self.made_by: dict[str, set[str]] = {}  # the last part of a variable's name -> what it was made by: "tf.Session()"
        self.names: set[str] = set()
        self.forms: set[tuple[str, str]] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.partition(".")[0] in ROOTS:
                bound = alias.name if alias.asname else alias.name.partition(".")[0]
                self.aliases[alias.asname or bound] = bound
                self.names.add(normal(alias.name))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if (node.module or "").partition(".")[0] in ROOTS:
            for alias in node.names:
                self.aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def resolve(self, node: ast.AST) -> set[str]:
        """What an expression may name: dotted names, with ``()`` after one for what calling it returns."""
        if isinstance(node, ast.Name):
            return self.made_by.get(node.id, set()) | ({self.aliases[node.id]} if node.id in self.aliases else set())
        if isinstance(node, ast.Attribute):
            held = self.made_by.get(node.attr, set()) if isinstance(node.value, ast.Name) else set()
            return {f"{base}.{node.attr}" for base in self.resolve(node.value)} | held
        if isinstance(node, ast.Call):
            return {f"{name}()" for name in self.resolve(node.func) if "()" not in name}
        return set()

    def hold(self, target: ast.AST, value: ast.AST) -> None:
        name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else None
        if name is not None and isinstance(value, ast.Call):
            self.made_by.setdefault(name, set()).update(self.resolve(value))

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.hold(target, node.value)
        self.generic_visit(node)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                self.hold(item.optional_vars, item.context_expr)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.names |= {normal(name) for name in self.resolve(node)}

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.names |= {normal(name) for name in self.resolve(node)}
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        form = ",".join(["_"] * len(node.args) + sorted(f"{k.arg}=" for k in node.keywords if k.arg))
        self.forms |= {(normal(name), form) for name in self.resolve(node.func)}
        self.generic_visit(node)


def used(sources: list[str]) -> tuple[set[str], set[tuple[str, str]]]:
    """The names, and the names with call forms, that programs use."""
    names, forms = set(), set()
    for source in sources:
        reader, tree = Reader(), ast.parse(source)
        reader.visit(tree)
        reader.visit(tree)
        names |= reader.names
        forms |= reader.forms
    return names, forms


@pytest.mark.parametrize("style", NAMES)
def test_every_name_and_call_form_is_used(style: str):
    names, forms = used([path.read_text() for path in (HERE / style).glob("*.py")])
    wanted = {name: row["forms"] for name, row in NAMES[style].items() if "chance" not in row and (name, "") not in NOWHERE}
    assert sorted(set(wanted) - names) == []
    assert sorted({(n, f) for n, fs in wanted.items() for f in fs} - forms - NOWHERE) == []


@pytest.mark.parametrize(
    ("source", "name", "form"),
    [
        ("import tensorflow as tf\ntf.norm(x, axis=1, keepdims=True)", "tf.norm", "_,axis=,keepdims="),
        ("import tensorflow.compat.v1 as tf\ntf.log(x)", "tf.log", "_"),
        ("import tensorflow as tf\ns = tf.compat.v1.Session()\ns.run(a, b)", "tf.Session().run", "_,_"),
        ("from tensorflow.keras.layers import Dense as D\nD(3)", "tf.keras.layers.Dense", "_"),
        ("import tensorflow as tf\nself.sess = tf.Session()\ndef f(): self.sess.run(a)", "tf.Session().run", "_"),
        ("import tensorflow as tf\nwith tf.GradientTape() as t:\n  t.watch(x)", "tf.GradientTape().watch", "_"),
    ],
)
def test_the_reader_of_programs(source: str, name: str, form: str):
    names, forms = used([source])
    assert name in names
    assert (name, form) in forms
    assert used(["import numpy as tf\ntf.norm(x)"]) == (set(), set())


def close(printed: str, expected: str, relative: float) -> bool:
    if printed == expected:
        return True
    try:
        a, b = float(printed), float(expected)
    except ValueError:
        return False
    return abs(a - b) <= 2e-5 + relative * max(abs(a), abs(b))


def differences(printed: str, expected: str, relative: float) -> list[str]:
    """The lines that differ."""
    ours, theirs = printed.splitlines(), expected.splitlines()
    found = [] if len(ours) == len(theirs) else [f"{len(ours)} lines printed, {len(theirs)} expected"]
    for i, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        a, b = TOKEN.findall(one), TOKEN.findall(other)
        if len(a) != len(b) or not all(close(x, y, relative) for x, y in zip(a, b, strict=True)):
            found.append(f"line {i + 1}: printed {one!r}, expected {other!r}")
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_runs_and_prints_what_tensorflow_printed(program: str):
    script = HERE / f"{program}.py"
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    done = subprocess.run(
        [sys.executable, "-m", "wengert", "run", "--quiet", script.name], cwd=script.parent, capture_output=True, text=True,
        timeout=110, env={**os.environ, **threads}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" not in done.stderr
    words = TOKEN.findall(done.stdout)
    assert "nan" not in words and "inf" not in words
    assert any(any(c.isdigit() for c in word) for word in words)
    if program in WITHOUT_TENSORFLOW:
        expected = WITHOUT_TENSORFLOW[program]  # the end of what is printed
        printed = "".join(done.stdout.splitlines(keepends=True)[-len(expected.splitlines()) :])
    else:
        expected, printed = (HERE / f"{program}.tensorflow-2.21.txt").read_text(), done.stdout
    assert differences(printed, expected, 1e-3) == []


SEEDED = """
import tensorflow as tf
tf.set_random_seed(1234)
x = tf.random_uniform([8, 1], minval=-1.0, maxval=1.0)
w = tf.Variable(tf.truncated_normal([1, 5], stddev=0.5))
v = tf.Variable(tf.contrib.layers.xavier_initializer()([5, 1]))
u = tf.matmul(tf.tanh(tf.matmul(x, w)), v)
loss = tf.reduce_mean(tf.square(tf.gradients(u, x)[0] - 1.0))
train = tf.train.AdamOptimizer().minimize(loss)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(5):
        print(sess.run([loss, train, tf.random_normal([2])]))
    print(sess.run([w, v]))
"""


def test_a_seeded_program_prints_the_same_twice(tmp_path: Path):
    script = tmp_path / "seeded.py"
    script.write_text(SEEDED)
    command = [sys.executable, "-m", "wengert", "run", str(script)]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=False, timeout=100) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert len(set(first.stdout.splitlines()[:5])) == 5


def test_tables_name_programs_that_are_there():
    assert set(WITHOUT_TENSORFLOW) <= set(PROGRAMS)
    recorded = {f"{path.parent.name}/{path.name.removesuffix('.tensorflow-2.21.txt')}" for path in HERE.glob("tf?/*.txt")}
    assert recorded == set(PROGRAMS) - set(WITHOUT_TENSORFLOW)
