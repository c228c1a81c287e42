"""`wengert run`: which TensorFlow a script means, what it is given, and how its errors are told."""

import subprocess
import sys

import pytest

from wengert.run.script import style_of, wants_recording

TF1 = "import tensorflow as tf\nx = tf.placeholder(tf.float32)\n"
STYLES = {
    "placeholder": (TF1, "tf1"),
    "session": ("import tensorflow\nwith tensorflow.Session() as s:\n    pass\n", "tf1"),
    "from": ("from tensorflow import placeholder\n", "tf1"),
    "tape": ("import tensorflow as tf\nwith tf.GradientTape() as t:\n    pass\n", "tf2"),
    "compat": (
        "import tensorflow as tf\ntf.compat.v1.disable_eager_execution()\nx = tf.compat.v1.placeholder(tf.float32)\n",
        "tf2",
    ),
    "compat as tf": ("import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\nx = tf.placeholder(tf.float32)\n", "tf2"),
    "behind the version": (
        "import tensorflow as tf\ndef f(v, x):\n    if tf.__version__.startswith('1.'):\n        return tf.assign(v, x)\n"
        "    return v.assign(x)\n",
        "tf2",
    ),
    "after the version": (
        "import tensorflow as tf\ndef f(v, x):\n    if int(tf.__version__[0]) >= 2:\n        return v.assign(x)\n"
        "    return tf.assign(v, x)\n",
        "tf2",
    ),
    "behind a flag": (
        "import tensorflow as tf\nOLD = tf.__version__ < '2'\nsession = tf.Session() if OLD else None\n",
        "tf2",
    ),
    "behind a name": ("import tensorflow as tf\nif hasattr(tf, 'placeholder'):\n    x = tf.placeholder(tf.float32)\n", "tf2"),
    "behind an error": (
        "import tensorflow as tf\ntry:\n    tf.enable_eager_execution()\nexcept AttributeError:\n    pass\n",
        "tf2",
    ),
    "behind the mode": (
        "import tensorflow as tf\nif not tf.executing_eagerly():\n    x = tf.placeholder(tf.float32)\nelse:\n    x = None\n",
        "tf2",
    ),
    "behind an and": ("import tensorflow as tf\nx = hasattr(tf, 'Session') and tf.Session()\n", "tf2"),
    "beside the version": ("import tensorflow as tf\nprint(tf.__version__)\nx = tf.placeholder(tf.float32)\n", "tf1"),
    "after a warning": (
        "import tensorflow as tf\nif tf.__version__ >= '2':\n    print('old')\nx = tf.placeholder(tf.float32)\n",
        "tf1",
    ),
    "in a try for other errors": (
        "import tensorflow as tf\ntry:\n    x = tf.placeholder(tf.float32)\nexcept Exception:\n    raise\n",
        "tf1",
    ),
    "another's name": ("import mine\nmine.placeholder()\n", "tf2"),
    "not Python": ("def (:\n", "tf2"),
}


@pytest.mark.parametrize("case", STYLES)
def test_style(tmp_path, case):
    source, style = STYLES[case]
    script = tmp_path / "script.py"
    script.write_text(source)
    assert style_of(str(script)) == style


def test_style_of_a_local_import(tmp_path):
    (tmp_path / "model.py").write_text(TF1)
    script = tmp_path / "script.py"
    script.write_text("import model\n")
    assert style_of(str(script)) == "tf1"


HEAD = "import tensorflow as tf\n"
NAMING = {
    "a call": (HEAD + "tf.gradients(y, x)\n", True),
    "version 1's": (HEAD + "def f():\n    return tf.compat.v1.gradients(y, x)\n", True),
    "another name": ("import tensorflow.compat.v1 as one\none.gradients(y, x)\n", True),
    "from": ("from tensorflow import gradients as slope\n", True),
    "a module from": ("from tensorflow.compat import v1\nprint(v1.hessians(y, x))\n", True),
    "passed on": (HEAD + "slope = tf.gradients\n", True),
    "in a function": (HEAD + "@tf.function\ndef f(x):\n    return tf.gradients(x * x, x)\n", False),
    "in a compiled function": (HEAD + "@tf.function(jit_compile=True)\ndef f(x):\n    return tf.gradients(x * x, x)\n", False),
    "in a graph": (HEAD + "with tf.Graph().as_default() as g:\n    tf.gradients(y, x)\n", False),
    "a tape's": (HEAD + "with tf.GradientTape() as t:\n    t.gradient(y, x)\n", False),
    "another's": ("import mine\nmine.gradients(y, x)\n", False),
    "no Python": ("def (:\n", False),
}


@pytest.mark.parametrize("case", NAMING)
def test_scripts_that_want_a_recording(tmp_path, case):
    source, wanted = NAMING[case]
    script = tmp_path / "script.py"
    script.write_text(source)
    assert wants_recording(str(script)) is wanted
    (tmp_path / "module.py").write_text(source)
    script.write_text("import module\n")
    assert wants_recording(str(script)) is wanted


EAGERLY = (
    HEAD
    + """
from slopes import slope
x, t = tf.constant([[1.0]]), tf.constant([[0.25]])
X = tf.concat([x, t], 1)
u = X[:, 0:1] ** 2 * X[:, 1:2] ** 3
print([d.numpy().item() for d in (slope(u, x), slope(slope(u, x), t), slope(slope(u, x), x))])
w = tf.Variable(3.0)
w.assign_sub(0.5 * slope(w * w, w))
print(w.numpy(), tf.executing_eagerly())
"""
)


def test_gradients_eagerly(tmp_path):
    (tmp_path / "slopes.py").write_text(HEAD + "def slope(y, x):\n    return tf.gradients(y, x)[0]\n")
    done = run(tmp_path, EAGERLY)
    # u = x² t³ at (1, 1/4): u_x = 2 x t³, u_xt = 6 x t², u_xx = 2 t³
    assert (done.returncode, done.stdout) == (0, "[0.03125, 0.375, 0.03125]\n0.0 True\n"), done.stderr


def test_gradients_in_a_graph_that_a_script_turns_to(tmp_path):
    source = HEAD + "tf.compat.v1.disable_eager_execution()\nv = tf.Variable(3.0)\ny = v * v\ng = tf.gradients(y + v, v)\n"
    source += "with tf.compat.v1.Session() as s:\n    s.run(v.initializer)\n    print(s.run(g))\n"
    source += "print(sum(o.type == 'ReadVariableOp' for o in tf.compat.v1.get_default_graph().get_operations()))\n"
    done = run(tmp_path, source)
    assert (done.returncode, done.stdout) == (0, "[np.float32(7.0)]\n1\n"), done.stderr


def run(tmp_path, source, *arguments, options=()):
    script = tmp_path / "script.py"
    script.write_text(source)
    command = [sys.executable, "-m", "wengert", "run", *options, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_tensorflow_1_starts_with_a_graph(tmp_path):
    done = run(tmp_path, TF1 + "with tf.Session() as s:\n    print(s.run(tf.gradients(x ** 2, x), {x: 3.0}))\n")
    assert (done.returncode, done.stdout) == (0, "[np.float32(6.0)]\n"), done.stderr


def test_tensorflow_2_starts_eagerly(tmp_path):
    done = run(tmp_path, "import tensorflow as tf\nprint(tf.executing_eagerly(), tf.__version__.split('.')[0])\n")
    assert (done.returncode, done.stdout) == (0, "True 2\n"), done.stderr


def test_the_style_can_be_told(tmp_path):
    source = "import tensorflow as tf\nprint(tf.executing_eagerly())\n"
    assert run(tmp_path, source, options=["--tf1"]).stdout == "False\n"
    assert run(tmp_path, source, options=["--tf2"]).stdout == "True\n"


def test_arguments_and_exit_status(tmp_path):
    done = run(tmp_path, "import sys\nprint(__name__, sys.argv[1:])\nsys.exit(3)\n", "--steps", "5")
    assert (done.returncode, done.stdout) == (3, "__main__ ['--steps', '5']\n")


def test_a_missing_name_is_told_in_one_line(tmp_path):
    done = run(tmp_path, "import tensorflow as tf\n\ntf.constnat(1.0)\n")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "script.py:3:" in line and "tensorflow.constnat" in line and "tensorflow.constant" in line
    done = run(tmp_path, "import tensorflow.nowhere\n")
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and "script.py:1:" in line and "tensorflow.nowhere" in line


def test_an_error_shows_the_users_lines_alone(tmp_path):
    done = run(tmp_path, "import tensorflow as tf\ndef f(x):\n    return tf.matmul(x, x)\nf(tf.ones([2, 3]))\n")
    assert done.returncode == 1
    assert 'script.py", line 4' in done.stderr and 'script.py", line 3' in done.stderr
    assert "tensor.py" not in done.stderr and "(2, 3)" in done.stderr


def test_what_is_no_script(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "wengert", "run", str(tmp_path / "none.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "no script" in done.stderr
    done = run(tmp_path, "def (:\n")
    assert done.returncode == 1 and 'script.py", line 1' in done.stderr


def test_a_star_brings_every_public_name(tmp_path):
    source = """
from tensorflow.math import *
from tensorflow.linalg import *
import tensorflow as tf
for module in (tf.math, tf.linalg):
    print(sorted(n for n in dir(module) if n not in globals()))
print(sin(0.0).numpy(), trace([[1.0]]).numpy())
"""
    done = run(tmp_path, source)
    assert done.stdout.split("\n") == ["[]", "[]", "0.0 1.0", ""], done.stdout + done.stderr
