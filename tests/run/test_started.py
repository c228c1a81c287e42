"""`wengert run` of notebooks, modules and programs: what is started finds TensorFlow served."""

import os
import signal
import subprocess
import sys
import time

import pytest

HEAD = "import tensorflow as tf\n"
WRONG = HEAD + "def f(a):\n    return tf.matmul(a, a)\nf(tf.zeros([2, 3]))\n"


def run(folder, *arguments):
    command = [sys.executable, "-m", "wengert", "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, cwd=folder)


def test_a_module_is_run_as_python_runs_it(tmp_path):
    source = HEAD + "import sys\nfrom . import other\nprint(__name__, __package__, __spec__.name, sys.argv[1:])\n"
    source += "print(tf.square(3.0).numpy(), other.N, __file__.endswith('tool.py'))\n"
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "__init__.py").write_text("")
    (tmp_path / "kit" / "other.py").write_text("N = 4\n")
    (tmp_path / "kit" / "tool.py").write_text(source)
    done = run(tmp_path, "-m", "kit.tool", "-x", "--frames", "y")
    told = "__main__ kit kit.tool ['-x', '--frames', 'y']\n9.0 4 True\n"
    assert (done.returncode, done.stdout) == (0, told), done.stderr
    (tmp_path / "kit" / "__main__.py").write_text(HEAD + "raise SystemExit(7 + int(tf.constant(1)))\n")
    assert run(tmp_path, "-m", "kit").returncode == 8


@pytest.mark.parametrize("arguments", [["-m"], ["-m", "none_such"], ["-m", "json"], []])
def test_what_cannot_be_run(tmp_path, arguments):
    done = run(tmp_path, *arguments)
    assert done.returncode == 2 and "Traceback" not in done.stderr and "wengert run: " in done.stderr


def test_what_a_module_starts_is_served(tmp_path):
    child = "import keras, tensorflow_probability as tfp, tensorflow.keras.layers as l, tensorflow as tf, sys\n"
    child += "print(tf.__version__[0], keras.__name__, tfp.__name__, l is keras.layers or l.Dense is keras.layers.Dense)\n"
    (tmp_path / "child.py").write_text(child + "print(type(sys.modules['tensorflow']).__name__)\n")
    parent = HEAD + "import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], check=True)\n"
    (tmp_path / "parent.py").write_text(parent)
    done = run(tmp_path, "-m", "parent")
    assert (done.returncode, done.stdout) == (0, "2 keras tensorflow_probability True\nServed\n"), done.stderr


def test_a_program_on_the_path(tmp_path):
    (tmp_path / "test_one.py").write_text(HEAD + "def test(): assert tf.square(3.0).numpy() == 9.0\n")
    done = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "test_one.py")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stderr
    old = HEAD + "import numpy as np\nx = tf.placeholder(tf.float32)\nprint(tf.Session().run(x * x, {x: np.product([3.0])}))\n"
    (tmp_path / "old.py").write_text(old + "raise SystemExit(5)\n")
    done = run(tmp_path, "python", "old.py")
    assert (done.returncode, done.stdout) == (5, "9.0\n") and "np.product is gone" in done.stderr, done.stderr
    assert run(tmp_path, "--checkpoint", "c", "python", "old.py").returncode == 2
    assert run(tmp_path, "python", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)").returncode == 143


def test_our_frames_are_folded(tmp_path):
    (tmp_path / "wrong.py").write_text(WRONG)
    done = run(tmp_path, "wrong.py")
    assert "frames of Wengert: --frames shows them]" in done.stderr and "tensor.py" not in done.stderr
    assert done.stderr.index("return tf.matmul") < done.stderr.index("frames of Wengert") < done.stderr.index("ShapeError: ")
    done = run(tmp_path, "--frames", "wrong.py")
    assert "frames of Wengert" not in done.stderr and "tensor.py" in done.stderr


# --- notebooks ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def notebook(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="notebooks are read by nbformat")
    pytest.importorskip("nbclient", reason="notebooks are run by nbclient")
    pytest.importorskip("ipykernel", reason="the kernel is ipykernel's")

    def write(*cells):
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        nbformat.write(made, tmp_path / "book.ipynb")
        return "book.ipynb"

    yield write


def test_a_notebook_is_run_as_it_stands(tmp_path, notebook):
    import nbformat

    cells = [
        HEAD + "import numpy as np\nv = tf.constant(1.0)",
        "%%capture said\nprint('kept')",
        "!echo from the shell\nnp.product([2, 3])",
        "x = tf.placeholder(tf.float32)\ng = tf.gradients(x * x, x)",
        "with tf.Session() as s: print(s.run(g, {x: 3.0}))",
        "x.zzz",
        "print('not reached')",
    ]
    done = run(tmp_path, "--execute-into", "out.ipynb", notebook(*cells))
    assert done.returncode == 1 and "not reached" not in done.stdout
    assert "from the shell\n" in done.stdout and "np.int64(6)\n" in done.stdout and "[np.float32(6.0)]\n" in done.stdout
    assert "np.product is gone, np.prod serves it (cell 3, line 2)" in done.stderr
    assert "wengert run: cell 6 fails:\n\n    x.zzz\n\n" in done.stderr and "AttributeError" in done.stderr
    kept = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert kept[4].outputs[0].text == "[np.float32(6.0)]\n" and kept[5].outputs[-1].ename and not kept[6].outputs


@pytest.mark.skipif(os.name == "nt", reason="POSIX's signals")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("begun", [True, False])
def test_a_notebook_that_is_ended_leaves_no_kernel(tmp_path, notebook, number, status, begun):
    cell = "import os, time\nprint(os.getpid(), flush=True)\nwhile True: time.sleep(1.0)"
    psutil = pytest.importorskip("psutil", reason="ipykernel brings it")
    command = [sys.executable, "-m", "wengert", "run", notebook(cell, "print('not reached')")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    kernels: list[psutil.Process] = []
    until = time.monotonic() + 60.0
    while not kernels and time.monotonic() < until:
        time.sleep(0.02)
        kernels = psutil.Process(process.pid).children()
    assert kernels
    if begun:
        assert int(process.stdout.readline()) in [kernel.pid for kernel in kernels]
    process.send_signal(number)
    out, told = process.communicate(timeout=60)
    assert process.returncode == status and "not reached" not in out and "AssertionError" not in told, told
    _, left = psutil.wait_procs(kernels, timeout=30)
    assert [kernel for kernel in left if kernel.status() != psutil.STATUS_ZOMBIE] == []


def test_what_is_no_notebook(tmp_path, notebook):
    (tmp_path / "torn.ipynb").write_text("{")
    for arguments in (
        ["none.ipynb"],
        ["torn.ipynb"],
        [notebook("1"), "x"],
        ["-i", "book.ipynb"],
        ["--execute-into", "o", "x.py"],
    ):
        done = run(tmp_path, *arguments)
        assert done.returncode == 2 and "Traceback" not in done.stderr and "wengert run: " in done.stderr, arguments
