"""What a script starts with multiprocessing finds `import tensorflow` too, in the style and with the mending of its parent."""

import multiprocessing
import os
import subprocess
import sys

import pytest

HEAD = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import tensorflow as tf
"""
TF1 = (
    HEAD
    + """
x = tf.placeholder(tf.float32)
y = tf.square(x)
class Found:
    def __init__(self, value): self.value = value
def job(i):
    with tf.Session() as s:
        value = float(s.run(y, {x: float(i)}))
    return Found((value, int(np.product([i, 2])), "%d" % np.array([i]), __name__, sys.argv[1:]))
"""
)
TF2 = (
    HEAD
    + """
def job(i):
    x = tf.constant(float(i))
    return float(tf.gradients(x * x, x)[0]), tf.executing_eagerly(), tf.config.get_executor()
"""
)
MAIN = """
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
"""
METHODS = [m for m in ("spawn", "forkserver", "fork") if m in multiprocessing.get_all_start_methods()]


def run(folder, source, *options, arguments=(), script="script.py", **environment):
    (folder / "script.py").write_text(source)
    command = [sys.executable, "-m", "wengert", "run", *options, script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, cwd=folder,
                          env=os.environ | environment)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_a_script_of_tensorflow_1(tmp_path, method):
    (tmp_path / "tensorflow.py").write_text("raise SystemError('this one')\n")  # a real one would not be taken either
    source = TF1 + MAIN + "    os.chdir('/')\n    with context.Pool(2) as pool:\n"
    source += "        print(*[found.value for found in pool.map(job, range(3))], sep='\\n')\n"
    source += "    with ProcessPoolExecutor(1, mp_context=context) as pool: print(pool.submit(job, 3).result().value)\n"
    options = ["--checkpoint", "kept", "--save-figures", "figures", "--progress"]
    done = run(tmp_path, source, *options, arguments=[method])
    name = "__main__" if method == "fork" else "__mp_main__"
    wanted = [str((float(i * i), 2 * i, str(i), name, [method])) for i in range(4)]
    assert (done.returncode, done.stdout.splitlines()) == (0, wanted), done.stderr
    assert os.listdir(tmp_path / "figures") == []
    assert "tensorflow.py" not in done.stderr and "holds" not in done.stderr


@pytest.mark.parametrize("method", METHODS)
def test_a_child_of_a_child_and_one_that_is_recorded(tmp_path, method):
    source = TF2 + "def outer(queue, method):\n    context = multiprocessing.get_context(method)\n"
    source += "    with context.Pool(1) as pool: queue.put(pool.map(job, [3]))\n"
    source += MAIN + "    queue = context.SimpleQueue()\n"
    source += "    p = context.Process(target=outer, args=(queue, sys.argv[1]))\n    p.start()\n"
    source += "    print(queue.get())\n    p.join()\n    print(p.exitcode)\n"
    done = run(tmp_path, source, "--executor", "auto", arguments=[method])
    assert (done.returncode, done.stdout) == (0, "[(6.0, True, 'auto')]\n0\n"), done.stderr


def test_strict_children_and_their_modules(tmp_path):
    (tmp_path / "mine.py").write_text("import numpy as np\ndef job(i): return hasattr(np, 'product')\n")
    source = (
        "import mine\n"
        + TF1
        + MAIN
        + "    with context.Pool(1) as pool: print(pool.map(mine.job, [1]), hasattr(np, 'product'))\n"
    )
    for options in ((), ("--strict",)):
        done = run(tmp_path, source, *options, arguments=["spawn"])
        wanted = f"[{not options}] {not options}\n"
        assert (done.returncode, done.stdout) == (0, wanted), done.stderr


def test_what_has_been_told_is_not_told_again(tmp_path):
    source = "import numpy as np\nnp.product([1])\n" + TF1 + MAIN + "    with context.Pool(2) as pool: pool.map(job, [1])\n"
    done = run(tmp_path, source.replace("int(np.product([i, 2]))", "2 * i"), arguments=["spawn"])
    assert done.stderr.count("np.product is gone") == 1, done.stderr


def test_an_error_in_a_child_is_told_as_the_parents(tmp_path):
    source = TF1 + MAIN + "    p = context.Process(target=job, args=(1,))\n    p.start()\n    p.join()\n    print(p.exitcode)\n"
    done = run(tmp_path, source + "else:\n    raise ValueError('in a child')\n", arguments=["spawn"])
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert done.stderr.splitlines()[0] == "Traceback (most recent call last):"
    assert done.stderr.splitlines()[-1] == "ValueError: in a child" and "children.py" not in done.stderr


def test_a_script_without_a_guard_is_told_what_python_tells(tmp_path):
    source = (
        TF2 + "p = multiprocessing.get_context('spawn').Process(target=job, args=(1,))\np.start()\np.join()\nprint(p.exitcode)\n"
    )
    done = run(tmp_path, source)
    assert done.stdout == "1\n" and "if __name__ == '__main__':" in done.stderr, done.stderr


def test_all_is_as_before_afterwards(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import multiprocessing.spawn\nprint(multiprocessing.spawn.get_preparation_data.__module__)\n")
    source = "import multiprocessing.spawn as s, sys\nfrom wengert.run import run_script\nbefore = s.get_preparation_data\n"
    source += "main = sys.modules['__main__']\n"
    source += "print(run_script(sys.argv[1]), s.get_preparation_data is before, sys.modules['__mp_main__'] is main)\n"
    done = subprocess.run([sys.executable, "-c", source, str(script)], capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout == "wengert.run.children\n0 True True\n", done.stderr


def test_joblibs_processes_are_served(tmp_path):
    pytest.importorskip("joblib")
    source = "from joblib import Parallel, delayed\nimport tensorflow as tf\ndef job(i):\n    with tf.Session() as s:\n"
    source += "        return float(s.run(tf.square(float(i))))\n"
    source += "if __name__ == '__main__': print(Parallel(n_jobs=2)(delayed(job)(i) for i in range(3)))\n"
    done = run(tmp_path, source)
    assert (done.returncode, done.stdout) == (0, "[0.0, 1.0, 4.0]\n"), done.stderr
