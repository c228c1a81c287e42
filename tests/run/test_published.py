"""`wengert run` on scripts as they were published: what is mended, and what long runs want."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wengert.run import arrays
from wengert.run.bar import Bar
from wengert.run.experiments import lhs
from wengert.run.names import MODULES
from wengert.run.notice import Program
from wengert.run.pictures import GONE, PREAMBLES
from wengert.train import files

TF1 = "import tensorflow as tf\nx = tf.placeholder(tf.float32)\n"
HEADLESS = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")}


def run(tmp_path, source, *options, stdin=None, **environment):
    script = tmp_path / "script.py"
    script.write_text(source)
    command = [sys.executable, "-m", "wengert", "run", *options, str(script)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path, input=stdin,
        env={**HEADLESS, "MPLCONFIGDIR": str(tmp_path), **environment},
    )  # fmt: skip


NAMES = {
    "np.asscalar(np.array([2.5]))": "2.5",
    "np.float(1), np.int(2.5), np.object is object": "1.0 2 True",
    "np.product([2, 3]), np.math.factorial(3)": "6 6",
    "np.in1d([1, 2], [2]).tolist()": "[False, True]",
    "np.trapz([1.0, 3.0]), np.Inf, np.NaN": "2.0 inf nan",
    "np.NAN, np.VisibleDeprecationWarning.__name__": "nan VisibleDeprecationWarning",
    "'%.2f %s' % (np.array([0.5]), np.array([1.0]))": "0.50 [1.]",
    "'%.1e' % np.array([[0.5]])": "5.0e-01",
    "float(np.array([2.0])), int(np.array([[3]]))": "2.0 3",
    "7 % 4, '%d' % 3, '%(a)s' % {'a': 1}": "3 3 1",
}


@pytest.mark.parametrize("expression", NAMES)
def test_what_numpy_has_dropped(tmp_path, expression):
    source = TF1 + f"import numpy as np\nfor _ in range(2):\n    v = {expression}\n    print(*(v if type(v) is tuple else [v]))\n"
    done = run(tmp_path, source)
    assert (done.returncode, done.stdout) == (0, 2 * (NAMES[expression] + "\n")), done.stderr
    told = done.stderr.splitlines()
    assert len(told) == len(set(told)) and all(line.startswith("wengert run: ") for line in told)


def test_names_are_imported_too(tmp_path):
    imports = "from numpy import asscalar\nfrom collections import Iterable\nfrom time import clock\n"
    imports += "from scipy.misc import factorial\nimport scipy.signal, scipy.integrate\n"
    source = "print(asscalar([2]), isinstance([], Iterable), clock() <= clock(), factorial(3))\n"
    source += "print(scipy.signal.hann(3), scipy.integrate.simps([1, 2, 3]))\n"
    done = run(tmp_path, TF1 + imports + source)
    assert done.stdout == "2 True True 6.0\n[0. 1. 0.] 4.0\n", done.stderr
    for told in ("np.asscalar", "collections.Iterable", "time.clock", "scipy.misc.factorial", "scipy.signal.hann", "simps"):
        assert told in done.stderr


def test_a_script_may_go_to_another_folder(tmp_path):
    (tmp_path / "script.py").write_text(TF1 + "import os, numpy as np\nos.chdir('/')\nprint(np.asscalar(np.array([1.0])))\n")
    command = [sys.executable, "-m", "wengert", "run", "script.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=100)
    assert done.stdout == "1.0\n", done.stderr


def test_modules_beside_what_a_link_leads_to(tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "mine.py").write_text("import numpy as np\nprint(np.asscalar(np.array([1.0])))\n")
    (folder / "real.py").write_text(TF1 + "import mine, numpy as np\nprint(np.float(2))\n")
    (tmp_path / "link.py").symlink_to(folder / "real.py")
    command = [sys.executable, "-m", "wengert", "run", "link.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=100)
    assert done.stdout == "1.0\n2.0\n", done.stderr


def test_a_file_named_tensorflow_beside_the_script_does_not_serve_it(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise SystemError('this one')\n")
    source = TF1 + "import numpy as np\nprint(np.asscalar(np.array([1.0])), tf.__version__[:2])\n"
    assert run(tmp_path, source).stdout == "1.0 2.\n"


def test_the_same_seeds_give_the_same_numbers(tmp_path):
    source = (
        TF1
        + """
import numpy as np
from pyDOE import lhs
np.random.seed(1234)
tf.set_random_seed(1234)
points = lhs(2, 60)
h = tf.layers.dense(tf.placeholder(tf.float32, [None, 2], "points"), 7, tf.tanh)
w = tf.Variable(tf.truncated_normal([7, 1], stddev=0.3))
loss = tf.reduce_mean(tf.square(tf.matmul(tf.layers.dropout(h, 0.1, training=True), w) - 1.0))
adam = tf.train.AdamOptimizer(1e-2).minimize(loss)
lbfgs = tf.contrib.opt.ScipyOptimizerInterface(loss, options={"maxiter": 3})
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(5):
        print(sess.run([adam, loss], {"points:0": points})[1])
    lbfgs.minimize(sess, {"points:0": points})
    print(sess.run(w).tolist(), np.random.rand(3))
"""
    )
    first, second = run(tmp_path, source), run(tmp_path, source)
    assert first.returncode == 0, first.stderr
    assert len(set(first.stdout.splitlines())) > 5
    assert first.stdout == second.stdout


def test_functions_for_a_compiler_stay_as_they_are(tmp_path):
    source = "def jit(**options):\n    return lambda f: print(f.__code__.co_names) or f\n"
    source += "@jit(nopython=True)\ndef f(n):\n    return int(n % 2)\nprint(f(3))\n"
    assert run(tmp_path, TF1 + source).stdout == "('int',)\n1\n"


def test_long_sums(tmp_path):
    done = run(tmp_path, TF1 + "print(" + " + ".join(["7 % 4"] * 800) + ")\n")
    assert done.stdout == "2400\n", done.stderr


LIBRARY = """
import numpy as np
def tried(f):
    try:
        return f()
    except (AttributeError, TypeError, ImportError) as error:
        return type(error).__name__
def doe():
    import pyDOE
print(tried(lambda: np.asscalar(np.array([1.0]))), tried(lambda: '%f' % np.array([1.0])), tried(doe))
"""


def test_what_is_installed_is_not_mended(tmp_path):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "library.py").write_text(LIBRARY)
    alone = subprocess.run([sys.executable, folder / "library.py"], capture_output=True, text=True, check=True, timeout=100)
    for beside in ("", "import sys\nsys.path.insert(0, 'site-packages')\n"):
        done = run(tmp_path, TF1 + beside + "import library\n", PYTHONPATH=os.pathsep.join([str(folder), *sys.path]))
        assert (done.stdout, done.stderr) == (alone.stdout, "")


def test_what_is_not_used_is_not_told(tmp_path):
    done = run(tmp_path, TF1 + "import numpy as np\nprint('%d' % 3, float('1'), 5 % 3)\n")
    assert (done.stdout, done.stderr) == ("3 1.0 2\n", "")


ONE = """
import math
import numpy as np
a, b, one = np.zeros((2, 2)), np.zeros(2, int), np.array([2.5])
lines = {
    "asscalar": lambda: np.asscalar(one),
    "format": lambda: "%.1f" % one,
    "float": lambda: float(one),
    "math": lambda: (math.sqrt(np.array([6.25])), math.pow(2.0, one)),
    "item": lambda: a.__class__ and put(),
    "table": lambda: (np.asarray([[1.0, one[None]], [one, 2.0]]).tolist(), np.array([1, one], dtype="float32").dtype.name),
}
def put():
    a[0, 1], _ = one, 0
    a[1, 1] += one
    a[0][0] = one[None]
    b[1] = one
    for a[1, 0] in (one, 2 * one):
        pass
    return a.tolist(), b.tolist()
for name, line in lines.items():
    try:
        print(name, line())
    except Exception as error:
        print(name, type(error).__name__)
raising = ("a[0, 1] = np.ones(2)", "float(np.ones(2))", "'%f' % np.ones(2)", "math.sqrt(np.ones(2))", "a['x'] = one")
for wrong in (*raising, "np.array([1.0, np.ones(2)])"):
    try:
        exec(wrong)
        print("not reached")
    except (TypeError, ValueError, IndexError):
        pass
"""


@pytest.mark.parametrize("head", ["import tensorflow as tf\n", TF1, ""], ids=["2", "1", "none"])
def test_one_element_is_a_number_in_scripts_of_either_tensorflow(tmp_path, head):
    done = run(tmp_path, head + ONE)
    wanted = "asscalar 2.5\nformat 2.5\nfloat 2.5\nmath (2.5, 5.656854249492381)\nitem ([[2.5, 2.5], [5.0, 2.5]], [0, 2])\n"
    wanted += "table ([[1.0, 2.5], [2.5, 2.0]], 'float32')\n"
    assert (done.returncode, done.stdout) == (0, wanted), done.stderr
    alone = subprocess.run([sys.executable, "-c", ONE], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert alone.stdout != wanted, "this NumPy does it yet: what is mended?"
    assert run(tmp_path, head + ONE, "--strict").stdout == alone.stdout


CALLS = """
import matplotlib.pyplot as plt
import numpy as np
axes = plt.figure().add_subplot()
counts, _, _ = axes.hist([1.0, 1.0, 2.0], bins=2, normed=True)
print(counts.tolist())
picture = axes.imshow(np.eye(3))
before = axes.get_subplotspec()
bar = plt.colorbar(picture, ax=axes)
axes.clear()
bar.remove()
print(len(axes.figure.axes), axes.get_subplotspec() == before)
contours = axes.contourf(np.eye(3))
for part in contours.collections:
    part.remove()
print(len(axes.collections))
axes.figure.canvas.set_window_title("t")
axes.figure.savefig("f.png", frameon=False, papertype="a4")
print(plt.cm.get_cmap("jet").name)
"""


def test_the_legend_that_seaborn_has_dropped(tmp_path):
    """Seaborn drew one for a label until 0.10, and programs of that time take it away again."""
    package = tmp_path / "seaborn"
    package.mkdir()
    (package / "__init__.py").write_text("from seaborn.distributions import *\n")
    (package / "distributions.py").write_text(
        "import matplotlib.pyplot as plt\n"
        "def distplot(values, label=None):\n    axes = plt.gca()\n    axes.plot(values, label=label)\n    return axes\n"
    )
    program = (
        "import matplotlib.pyplot as plt, seaborn as sns\nsns.distplot([1, 2], label='a')\nplt.gca().get_legend().remove()\n"
    )
    done = run(tmp_path, TF1 + program)
    assert done.returncode == 0, done.stderr
    assert "distplot(label=...) draws no legend any more" in done.stderr
    assert run(tmp_path, program.replace(", label='a'", "").partition("plt.gca()")[0]).returncode == 0


@pytest.mark.parametrize("head", ["import tensorflow as tf\n", TF1], ids=["2", "1"])
def test_calls_that_matplotlib_has_dropped(tmp_path, head):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    done = run(tmp_path, head + CALLS)
    assert (done.returncode, done.stdout) == (0, "[1.3333333333333333, 0.6666666666666666]\n1 True\n0\njet\n"), done.stderr
    for told in ("hist(normed", "colorbar.remove", "collections", "set_window_title", "frameon", "papertype", "get_cmap"):
        assert told in done.stderr
    assert run(tmp_path, head + CALLS, "--strict").returncode == 1


STAND_INS = {
    "a package": ("def use(*a, **k): pass\n", "def plot(*a, **k): pass\nshow = plot\n"),
    "all attributes": (
        "import sys\nfrom unittest.mock import MagicMock\nsys.modules['matplotlib'] = MagicMock()\n"
        "sys.modules['matplotlib.pyplot'] = sys.modules['matplotlib'].pyplot\n",
        "",
    ),
    "parameters of another kind": ("class RcParams: pass\nrcParams = RcParams()\n", "def plot(*a): pass\nshow = plot\n"),
}


@pytest.mark.parametrize("kind", STAND_INS)
@pytest.mark.parametrize("options", [(), ("--save-figures", "out")])
def test_a_stand_in_for_matplotlib(tmp_path, kind, options):
    (tmp_path / "matplotlib").mkdir()
    for name, text in zip(("__init__", "pyplot"), STAND_INS[kind], strict=True):
        (tmp_path / "matplotlib" / f"{name}.py").write_text(text)
    source = (
        "import tensorflow as tf\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()\nprint(float(tf.constant(3.0)))\n"
    )
    done = run(tmp_path, source, *options)
    assert (done.returncode, done.stdout) == (0, "3.0\n"), done.stderr


def test_a_cross_product_in_the_plane(monkeypatch, tmp_path):
    """NumPy 2.4 has it yet, and warns; a later one that has none is put in its place."""

    def three_alone(a, b):
        raise ValueError("Both input arrays must be (arrays of) 3-dimensional vectors")

    monkeypatch.setattr(np, "cross", three_alone)
    program = Program(__file__, os.path.dirname(__file__))
    undo = arrays.crossing(np, program)
    assert np.cross([1.0, 2.0], [3.0, 4.0]) == 1.0 * 4.0 - 2.0 * 3.0
    assert np.cross(np.ones((3, 2)), [3.0, 4.0]).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="3-dimensional"):
        np.cross([1.0], [3.0, 4.0])
    undo()
    assert np.cross is three_alone


def test_pickled_objects_are_loaded_from_files_that_are_named(tmp_path):
    held = np.empty(1, object)
    held[0] = {"t": 1.5}
    np.save(tmp_path / "a.npy", held)
    np.savez(tmp_path / "b.npz", held=held)
    source = "import numpy as np\nprint(np.load('a.npy')[0], np.load('b.npz')['held'][0])\n"
    done = run(tmp_path, source)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "wengert run --unpickle FILE" in done.stderr
    assert "script.py:2: this file holds pickled objects" in done.stderr
    assert run(tmp_path, source, "--unpickle", "a.npy").returncode == 1
    done = run(tmp_path, source, "--unpickle", "a.npy", "--unpickle", str(tmp_path / "b.npz"))
    assert (done.returncode, done.stdout) == (0, "{'t': 1.5} {'t': 1.5}\n"), done.stderr


def test_modules_of_the_script_are_mended_and_errors_name_their_lines(tmp_path):
    (tmp_path / "tables.py").write_text("import numpy as np\n\ndef row(v):\n    return '%.1f' % v\n\nx = '%d' % 'a'\n")
    done = run(tmp_path, TF1 + "import tables\n")
    assert 'tables.py", line 6' in done.stderr and "published" not in done.stderr
    (tmp_path / "tables.py").write_text("import numpy as np\n\ndef row(v):\n    return '%.1f' % v\n")
    done = run(tmp_path, TF1 + "import tables, numpy as np\nprint(tables.row(np.array([0.5])), tables.np.float(2))\n")
    assert done.stdout == "0.5 2.0\n" and "tables.py:4" in done.stderr, done.stderr


def test_pydoe(tmp_path):
    source = TF1 + "import numpy as np\nfrom pyDOE import lhs\nnp.random.seed(1234)\nprint(lhs(2, 3).tolist())\n"
    first, second = run(tmp_path, source), run(tmp_path, source)
    assert first.returncode == 0 and first.stdout == second.stdout
    done = run(tmp_path, source, "--strict")
    assert done.returncode in (0, 1) and (done.returncode == 0 or "pip install pydoe" in done.stderr)


@pytest.mark.parametrize("criterion", [None, "c", "m", "cm", "corr"])
def test_each_interval_has_one_point(criterion):
    np.random.seed(0)
    points = lhs(3, 8, criterion)
    assert all(sorted((points[:, j] * 8).astype(int)) == list(range(8)) for j in range(3))
    if criterion in ("c", "cm"):
        np.testing.assert_allclose((points * 8) % 1, 0.5)
    np.random.seed(0)
    np.testing.assert_array_equal(points, lhs(3, 8, criterion))


# pyDOE 0.3.8, after np.random.seed(1234): lhs(2, 4, criterion), then np.random.rand().
POINTS = {
    None: (
        [
            [0.3594319347517786, 0.44633964592844233],
            [0.6949939520297008, 0.15552719275995797],
            [0.8191160637857742, 0.9504680443837548],
            [0.04787986259472307, 0.5681481513206604],
        ],
        0.5009951255234587,
    ),
    "center": ([[0.375, 0.375], [0.625, 0.125], [0.875, 0.875], [0.125, 0.625]], 0.5009951255234587),
    "maximin": (
        [
            [0.7534421123976706, 0.6257707913269525],
            [0.428175506745725, 0.34256268869759876],
            [0.12524878138086468, 0.17086573379303407],
            [0.6402990465164062, 0.9432066554030936],
        ],
        0.9920814661883615,
    ),
    "centermaximin": ([[0.375, 0.375], [0.625, 0.125], [0.875, 0.875], [0.125, 0.625]], 0.9920814661883615),
}


@pytest.mark.parametrize("criterion", POINTS)
def test_points_are_those_of_pydoe(criterion):
    np.random.seed(1234)
    points, after = POINTS[criterion]
    np.testing.assert_allclose(lhs(2, 4, criterion), points, rtol=1e-15)
    assert np.random.rand() == after


def test_reasons_why_a_script_does_not_start(tmp_path):
    done = run(tmp_path, "import tensorflow\nprint 'x'\n")
    assert done.returncode == 1 and "script.py:2: this is Python 2" in done.stderr and "Traceback" not in done.stderr
    done = run(tmp_path, "import nowhere_at_all\n")
    assert "script.py:1: there is no module nowhere_at_all" in done.stderr and "pip" not in done.stderr
    try:
        import skimage  # noqa: F401
    except ImportError:
        done = run(tmp_path, "import skimage.io\n")
        assert "script.py:1:" in done.stderr and "-m pip install scikit-image" in done.stderr
    (tmp_path / "mine.py").write_text("\nimport hdf5storage\n")
    done = run(tmp_path, TF1 + "import mine\n")
    assert "mine.py:2: the module hdf5storage is not installed here: " in done.stderr and "Traceback" not in done.stderr


DRAWING = (
    TF1
    + r"""
import matplotlib as mpl
mpl.use("pgf", warn=False)
mpl.rcParams.update({"text.usetex": True, "pgf.preamble": ["a", "b"], "text.latex.unicode": True})
import matplotlib.pyplot as plt
from mpl_toolkits.mplot3d import Axes3D
print(mpl.rcParams["text.usetex"], repr(mpl.rcParams["pgf.preamble"]))
plt.style.use("seaborn-white")
ax = plt.figure().gca(projection="3d")
assert ax.name == "3d" and plt.gca(projection="3d") is ax and ax.w_xaxis is ax.xaxis
plt.show()
fig, ax = plt.subplots()
ax.text(0.1, 0.5, r"$\begin{tabular}{|c|} a \end{tabular}$")
ax.plot([1, 2], color=plt.cm.get_cmap("jet")(0.5))
plt.grid(b=True)
fig.savefig("own.pdf")
axes = Axes3D(plt.figure())
assert axes.figure.axes == [axes]
axes = Axes3D(plt.figure(), auto_add_to_figure=False)
assert not axes.figure.axes and axes.figure.add_axes(axes) is axes
"""
)


def test_drawing_without_a_screen_and_without_latex(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    done = run(tmp_path, DRAWING, "--save-figures", "shown", PATH="")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "False 'a\\nb'\n"
    names = [f"figure-{i}.png" for i in range(1, 5)]
    assert sorted(p.name for p in (tmp_path / "shown").iterdir()) == names
    assert (tmp_path / "own.pdf").read_bytes().startswith(b"%PDF")
    assert [os.path.basename(n) for n in re.findall(r"\S+figure-\d\.png", done.stderr)] == names
    for told in ("pgf", "usetex", "seaborn-v0_8-white", "gca", "w_xaxis", "get_cmap", "grid", "Axes3D", "mathtext"):
        assert told in done.stderr
    # what is called by way of pyplot is told with the script's line too
    assert f"script.py:{DRAWING.splitlines().index('plt.grid(b=True)') + 1}" in done.stderr
    assert run(tmp_path, DRAWING, "--strict", PATH="").returncode == 1


@pytest.mark.parametrize("options", [(), ("--save-figures", "out")])
def test_show_without_a_screen_is_as_if_windows_were_closed(tmp_path, options):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    source = "import tensorflow as tf\nimport matplotlib\nmatplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\n"
    source += "for k in range(2):\n    plt.plot([k, 1])\n    plt.show()\nprint(plt.get_fignums(), matplotlib.get_backend())\n"
    done = run(tmp_path, source, *options)
    assert done.stdout == "[] agg\n", done.stderr
    assert done.stderr.count("TkAgg needs a screen") == 1
    assert done.stderr.count("plt.show() returns at once") == (not options)
    if options:
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["figure-1.png", "figure-2.png"]


def test_prompt(tmp_path):
    done = run(tmp_path, "import tensorflow as tf\nv = tf.Variable(2.0)\n", "-i", stdin="print(v.numpy() + 1)\n")
    assert done.returncode == 0 and "3.0" in done.stdout
    done = run(tmp_path, "v = 5\nraise KeyboardInterrupt\n", "-i", stdin="print(v + 1)\n")
    assert done.returncode == 130 and "6" in done.stdout
    assert run(tmp_path, "v = 5\n1 / 0\n", "-i", stdin="exit(v)\n").returncode == 5


GRAPH = """
import tensorflow as tf
w = tf.Variable(tf.ones([{n}]), name="w")
step = tf.assign_add(w, tf.ones([{n}]))
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for _ in range(3):
        s.run(step)
    print(s.run(w).tolist())
"""
EAGER = """
import tensorflow as tf
v, n = tf.Variable([1.0] * {n}, name="v"), tf.Variable(0, name="n")
for _ in range(3):
    v.assign_add([1.0] * {n})
    n.assign_add(1)
print(v.numpy().tolist())
"""


@pytest.mark.parametrize("source", [GRAPH, EAGER], ids=["graph", "eager"])
def test_a_checkpoint_is_gone_on_from(tmp_path, source):
    first = run(tmp_path, source.format(n=2), "--checkpoint", "kept")
    assert first.stdout == "[4.0, 4.0]\n" and "kept.safetensors holds" in first.stderr, first.stderr
    second = run(tmp_path, source.format(n=2), "--checkpoint", "kept")
    assert second.stdout == "[7.0, 7.0]\n" and second.stderr.count("variables start with their values") == 1
    before = (tmp_path / "kept.safetensors").read_bytes()
    for other in (source.format(n=3), source.format(n=2).replace('name="v"', 'name="u"').replace('name="w"', 'name="u"')):
        done = run(tmp_path, other, "--checkpoint", "kept")
        assert done.returncode == 1 and done.stdout == "" and "kept.safetensors" in done.stderr, done.stderr
        assert "to start anew, remove it" in done.stderr and "script.py" in done.stderr
        assert (tmp_path / "kept.safetensors").read_bytes() == before


def test_a_value_that_no_variable_takes_is_an_error_before_training(tmp_path):
    run(tmp_path, GRAPH.format(n=2).replace("step =", "more = tf.Variable(1.0, name='more')\nstep ="), "--checkpoint", "kept")
    done = run(tmp_path, GRAPH.format(n=2), "--checkpoint", "kept")
    assert done.returncode == 1 and "session-0/more" in done.stderr and "s.run(step)" in done.stderr
    assert len(files.read(tmp_path / "kept")) == 2


def test_what_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "kept.safetensors").write_bytes(b"not this")
    done = run(tmp_path, "print('ran')\n", "--checkpoint", "kept")
    assert (done.returncode, done.stdout) == (2, "") and "damaged" in done.stderr


@pytest.mark.parametrize("source", [GRAPH, EAGER], ids=["graph", "eager"])
def test_a_checkpoint_holds_what_ctrl_c_left(tmp_path, source):
    endless = source.format(n=2).replace("range(3):", "__import__('itertools').count():\n        print('on', flush=True)", 1)
    (tmp_path / "script.py").write_text(endless.replace("        print", "    print") if source is EAGER else endless)
    command = [sys.executable, "-m", "wengert", "run", "--checkpoint", "kept", "--checkpoint-every", "0", "script.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as child:
        assert child.stdout is not None
        for _ in range(20):
            assert child.stdout.readline() == "on\n"
        if source is GRAPH:  # written between the steps already
            assert files.read(tmp_path / "kept")["session-0/w"][0] >= 15
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        assert child.returncode == 130
    values = files.read(tmp_path / "kept")
    assert min(v.ravel()[0] for v in values.values()) >= 15


def test_a_line_with_loss_and_rate():
    bar = Bar()
    bar._marks.append((0.0, 0))
    bar.steps, bar.loss = 30, np.float32(0.25)
    assert bar.line(2.0) == "step 30  loss 2.5000e-01  15.0 steps/s"


def on_a_terminal(command, tmp_path, until=None):
    """Return what a command prints to a terminal, stopped by Ctrl-C when it has printed something; and its status."""
    ours, theirs = pty.openpty()
    environment = {**HEADLESS, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    seen = ""
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, cwd=tmp_path, env=environment) as child:
        os.close(theirs)
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:  # the other end is closed: on Linux an error
                break
            if not read:
                break
            seen += read.decode()
            if until is not None and re.search(until, seen):
                child.send_signal(signal.SIGINT)
                until = None
    os.close(ours)
    return seen, child.returncode


def test_progress_is_for_terminals(tmp_path):
    assert run(tmp_path, GRAPH.format(n=1) + "print('[/b] :smile:', end='', flush=True)\n", "--progress").stderr == ""
    command = [sys.executable, "-m", "wengert", "run", "--progress", "script.py"]
    seen, status = on_a_terminal(command, tmp_path)
    assert status == 0 and "[4.0]" in seen and "[/b] :smile:" in seen and re.search(r"step 3  [\d.]+ steps/s", seen), seen


def test_ctrl_c_leaves_the_terminal_whole(tmp_path):
    (tmp_path / "script.py").write_text(GRAPH.format(n=1).replace("range(3)", "__import__('itertools').count()"))
    command = [sys.executable, "-m", "wengert", "run", "--progress", "--checkpoint", "kept", "script.py"]
    seen, status = on_a_terminal(command, tmp_path, r"step \d+")
    assert status == 130 and "interrupted" in seen and "Traceback" not in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")  # the cursor is shown again
    told = int(re.findall(r"step (\d+)", seen)[-1])
    assert files.read(tmp_path / "kept")["session-0/w"][0] - 1 in (told, told + 1)


def test_children_that_are_forked_draw_no_line(tmp_path):
    source = GRAPH.format(n=1) + "import os, sys\npid = os.fork()\nif not pid:\n"
    source += "    s = tf.Session()\n    s.run(tf.global_variables_initializer())\n    for _ in range(50): s.run(step)\n"
    source += "    print('in the child', type(sys.stdout).__name__)\n    sys.exit(3)\n"
    source += "print('ended', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    (tmp_path / "script.py").write_text(source)
    seen, status = on_a_terminal([sys.executable, "-m", "wengert", "run", "--progress", "script.py"], tmp_path)
    assert status == 0 and "in the child TextIOWrapper" in seen and "ended 3" in seen, seen
    assert seen.count("\x1b[?25h") == 1 and re.findall(r"step (\d+)", seen)[-1] == "3", seen


def test_the_page_names_all_that_is_mended():
    page = (Path(__file__).resolve().parents[2] / "docs" / "published.md").read_text()
    for module, table in MODULES.items():
        if module != "collections":  # named together there
            assert [name for name in table if not re.search(rf"\b{name}\b", page)] == []
    assert [name for name in (*GONE, *PREAMBLES) if f'"{name}"' not in page] == []
