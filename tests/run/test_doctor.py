"""`wengert doctor`: what a program would miss, read without running it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wengert.run import doctor as doctors

WENGERT = [sys.executable, "-m", "wengert"]


def doctor(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run([*WENGERT, "doctor", *arguments], capture_output=True, text=True, check=False, env=environment)


def notebook(path: Path, *cells: str) -> str:
    made = [{"cell_type": "code", "source": text.splitlines(keepends=True), "metadata": {}, "outputs": []} for text in cells]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return str(path)


def told(tmp_path: Path, text: str) -> list[str]:
    """Return the lines on a script, but for the first, which names the style."""
    script = tmp_path / "script.py"
    script.write_text(text)
    done = doctor(str(script))
    lines = done.stdout.splitlines()[1:]
    assert done.stderr == "" and done.returncode == int(not lines[-1].startswith("Every name") or len(lines) > 1)
    return lines


def test_the_machine_is_described():
    found = doctor()
    assert found.returncode == 0
    for word in ("Wengert", "numpy", "executor: ", "threads: ", "import tensorflow: "):
        assert word in found.stdout
    numpy = doctor(WENGERT_EXECUTOR="numpy")
    assert "executor: numpy (WENGERT_EXECUTOR says so)" in numpy.stdout


def test_what_pip_is_to_be_told_is_told_whole(monkeypatch, capsys):
    monkeypatch.setattr(doctors, "PARTS", {"nosuchdistribution": ("nothing", "'wengert[xla]'")})
    assert doctors.doctor() == 0
    assert "nothing: pip install 'wengert[xla]'" in capsys.readouterr().out


def test_names_that_are_not_there_are_told_with_their_lines(tmp_path):
    lines = told(tmp_path, """
import tensorflow as tf
from tensorflow.keras import layers as L, nosuch
from tensorflow.nowhere import thing
keras = tf.keras
L.Dence(3)
tf.sin(1.0).nothing_is_known_of_this
keras.optimizers.Adamm(1e-3)
tf.GradientTape.gradientz
""")  # fmt: skip
    assert [line.partition(" ")[0] for line in lines] == [f"script.py:{n}:" for n in (3, 4, 6, 8, 9)]
    for line, name in zip(lines, ["keras.nosuch", "nowhere", "keras.layers.Dence", "keras.optimizers.Adamm",
                                  "GradientTape.gradientz"], strict=True):  # fmt: skip
        assert f"tensorflow.{name}" in line
    assert "keras.layers.Dense" in lines[2]


@pytest.mark.parametrize("text", [
    "if hasattr(tf, 'nosuch'):\n    tf.nosuch()\n",
    "try:\n    f = tf.nosuch\nexcept AttributeError:\n    f = None\n",
    "def f(tf):\n    return tf.nosuch\n",
    "if tf.__version__ < '2':\n    tf.nosuch()\n",
    "import numpy\nnumpy.nosuch\n",
])  # fmt: skip
def test_what_is_asked_for_or_is_another_is_not_missed(tmp_path, text):
    assert told(tmp_path, f"import tensorflow as tf\n{text}") == [
        "Every name of TensorFlow's that it says is here, and every package that it imports."
    ]


def test_what_is_foretold_is_missing_and_what_is_not_is_there(tmp_path):
    names = [
        "tf.math.sin",
        "tf.math.sinn",
        "tf.linalg.solve",
        "tf.linalg.solves",
        "tf.keras.layers.Dense",
        "tf.keras.layers.Dens",
    ]
    foretold = [line.partition(": ")[2].split()[0] for line in told(tmp_path, "import tensorflow as tf\n" + "\n".join(names))]
    missing = []
    for name in names:
        script = tmp_path / "one.py"
        script.write_text(f"import tensorflow as tf\n{name}\n")
        if subprocess.run([*WENGERT, "run", str(script)], capture_output=True, check=False).returncode:
            missing.append(name.replace("tf.", "tensorflow."))
    assert foretold == missing == [n.replace("tf.", "tensorflow.") for n in names[1::2]]


def test_packages_and_modules_beside_the_script(tmp_path):
    (tmp_path / "beside.py").write_text("import tensorflow as tf\ntf.nosuch\n")
    lines = told(tmp_path, "import beside, nosuchpackage, seaborn_of_nobody\nfrom tensorflow import keras\n")
    assert lines[0].startswith("script.py:1: there is no module nosuchpackage")
    assert lines[1].startswith("script.py:1: there is no module seaborn_of_nobody")
    assert lines[2].startswith("beside.py:2: tensorflow.nosuch is not in Wengert")


def test_modules_are_found_as_the_program_finds_them(tmp_path):
    for file, text in {
        "lib/__init__.py": "", "lib/net.py": "from .layer import f\nimport tensorflow as tf\ntf.nosuch_a\n",
        "lib/layer.py": "import tensorflow as tf\ntf.nosuch_b\n", "lib/deep/__init__.py": "from ..up import g\n",
        "lib/up.py": "from tensorflow import keras as K\nK.nosuch_c\n", "other/told.py": "import tensorflow as tf\ntf.nosuch_d\n",
    }.items():  # fmt: skip
        (tmp_path / file).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / file).write_text(text)
    text = "import os, sys\nwhere = '/other'\nsys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + where)\n"
    lines = told(tmp_path, text + "from lib import net\nimport lib.deep\nimport told, pyDOE\n")
    assert sorted(line.partition(" is not")[0].rpartition(".")[2] for line in lines[:4]) == [f"nosuch_{n}" for n in "abcd"]
    assert len(lines) == 4


def test_aliases_come_from_modules_beside_the_script(tmp_path):
    (tmp_path / "base.py").write_text("import tensorflow as tf\nlayers = tf.keras.layers\n")
    (tmp_path / "common.py").write_text("from base import *\n")
    lines = told(
        tmp_path, "from common import *\nfrom base import layers as L\ntf1 = tf\ntf1.nosuch\nL.nosuch\nlayers.Dence(3)\n"
    )
    assert [line.partition(" is not")[0] for line in lines] == [
        "script.py:4: tensorflow.nosuch", "script.py:5: tensorflow.keras.layers.nosuch",
        "script.py:6: tensorflow.keras.layers.Dence",
    ]  # fmt: skip


def test_a_script_of_tensorflow_1(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import tensorflow as tf\nx = tf.placeholder(tf.float32)\nwith tf.Session() as s:\n    pass\n")
    found = doctor(str(script))
    assert found.returncode == 0 and "TensorFlow 1's names" in found.stdout


def test_a_notebook_is_read_cell_by_cell(tmp_path):
    path = notebook(
        tmp_path / "book.ipynb",
        "%matplotlib inline\n!pip install x\nimport tensorflow as tf\nprint?\n",
        "for k in range(3):\n    !ls {k}\ntf.nosuch\n", "%%bash\necho tf.other\n", "%%time\ntf.third\n",
    )  # fmt: skip
    lines = doctor(path).stdout.splitlines()[1:]
    assert [line.partition(": ")[0] for line in lines] == ["cell 2, line 3", "cell 4, line 2"]


def test_lines_that_only_look_like_magics_are_read(tmp_path):
    path = notebook(
        tmp_path / "book.ipynb",
        "import tensorflow as tf\nprint('%d'\n      % tf.nosuch_a(\n      ))\n",
        'x = tf.nosuch_b  # why?\nwhat = """is\n!it"""\n',
        "files = !ls \\\n -l\n%timeit -n 3 -r 2 tf.nosuch_c(1)\ntf.constant?\n%pip install \\\n  y\n%time tf.nosuch_d\n",
    )
    lines = doctor(path).stdout.splitlines()[1:]
    assert [line.partition(" is not")[0] for line in lines] == [
        "cell 1, line 3: tensorflow.nosuch_a", "cell 2, line 1: tensorflow.nosuch_b",
        "cell 3, line 3: tensorflow.nosuch_c", "cell 3, line 7: tensorflow.nosuch_d",
    ]  # fmt: skip


def test_a_cell_that_is_indented_is_read_as_ipython_does(tmp_path):
    path = notebook(tmp_path / "book.ipynb", "  import tensorflow as tf\n  for k in range(3):\n    tf.nosuch\n")
    assert [line.partition(": ")[0] for line in doctor(path).stdout.splitlines()[1:]] == ["cell 1, line 3"]


@pytest.mark.parametrize(("name", "text", "words"), [
    ("a.py", "import tensorflow as tf\nprint 'x'\n", "Python 2"), ("a.py", "x = (\n", "a.py:1: "),
    ("a.ipynb", "{}", "no notebook"), ("a.ipynb", "no json", "no notebook"), ("a.ipynb", '{"cells": [3]}', "no notebook"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_in_a_line(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    found = doctor(str(tmp_path / name))
    assert found.returncode == 2 and words in found.stderr and found.stderr.count("\n") == 1


def test_a_file_that_is_not_there(tmp_path):
    found = doctor(str(tmp_path / "nosuch.py"))
    assert found.returncode == 2 and found.stderr.count("\n") == 1
