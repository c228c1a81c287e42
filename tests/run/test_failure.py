"""Errors of a script are told as Python tells them, without frames of ours."""

import subprocess
import sys

import pytest

SCRIPTS = {
    "a cause": """
def f():
    try: open("no-such-file")
    except OSError as e: raise ValueError("bad configuration") from e
f()""",
    "a context": "try: {}['a']\nexcept KeyError: int('b')",
    "a context that is suppressed": "try: {}['a']\nexcept KeyError: raise ValueError('b') from None",
    "causes of causes": """
try:
    try: 1 / 0
    except ZeroDivisionError as e: raise KeyError('one') from e
except KeyError as e:
    try: [][0]
    except IndexError: raise RuntimeError('two') from e""",
    "a group": """
def made(n):
    try: raise ValueError(n)
    except ValueError as e:
        e.add_note('a note on %d' % n)
        return e
raise ExceptionGroup('outer', [made(1), ExceptionGroup('inner', [made(2), KeyError(3)])])""",
    "notes": "e = ValueError('said')\ne.add_note('one\\ntwo')\ne.__notes__.append(3)\nraise e",
    "no text": "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    "a recursion": "def f(n): return f(n + 1)\nf(0)",
    "a module that is no Python": "import broken",
    "a module that fails": "import failing",
    "source that is compiled late": "compile('a = (', 'there.py', 'exec')",
    "a hook": "import sys\ndef hook(kind, value, tb): print('MY HOOK', kind, value, tb.tb_lineno, file=sys.stderr)\n"
              "sys.excepthook = hook\n1 / 0",
    "a hook that raises": "import sys\ndef hook(*error): raise KeyError('hook')\nsys.excepthook = hook\n1 / 0",
    "a hook that exits": "import sys\nsys.excepthook = lambda *error: sys.exit('left')\n1 / 0",
    "no hook": "import sys\ndel sys.excepthook\n1 / 0",
    "nothing for a hook": "import sys\nsys.excepthook = None\n1 / 0",
    "what was last": "import atexit, sys\natexit.register(lambda: print(sys.last_type, sys.last_value, file=sys.stderr))\n1 / 0",
    "a thread": "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='T')\nt.start()\nt.join()",
    "a thread's hook": "import threading\nthreading.excepthook = lambda a: print('HOOK', a.exc_value)\n"
                       "t = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()",
    "an exit with a text": "import sys\nsys.exit('to be told')",
    "an exit with a list": "raise SystemExit([1, 2])",
    "an exit with too many": "import sys\nsys.exit(259)",
    "an exit with less than nothing": "import sys\nsys.exit(-1)",
    "no Python": "x = 1\ny = (x\nprint(y)",
    "an odd indent": "if 1:\n    x = 1\n  y = 2",
    "nul": "print(1)\nprint(\0)",
    "too many parentheses": "x = " + "(" * 300 + "1" + ")" * 300,
    "a coding line that nobody knows": "# -*- coding: nowhere -*-\nprint(1)",
}  # fmt: skip


def lines(told: str) -> list[str]:
    """What is told, without the marks below a line, which differ between the traceback module and the interpreter's own."""
    return [line.replace("|", " ").strip() for line in told.splitlines() if line.replace("|", " ").strip(" ~^")]


# Of TensorFlow 1, whose source is rewritten, those that depend on how it is compiled.
REWRITTEN = ("a cause", "a module that is no Python", "too many parentheses", "no Python", "nul")


@pytest.mark.parametrize(("case", "style"), [(c, "--tf2") for c in SCRIPTS] + [(c, "--tf1") for c in REWRITTEN])
def test_as_python_tells_it(tmp_path, case, style):
    (tmp_path / "broken.py").write_text("x = 1\ny = = 2\n")
    (tmp_path / "failing.py").write_text("def f(): raise ValueError('f')\nf()\n")
    (tmp_path / "script.py").write_text(SCRIPTS[case] + "\n")
    ours, pythons = [
        subprocess.run(
            [sys.executable, *command, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
        )
        for command in (["-m", "wengert", "run", style], [])
    ]
    assert (ours.returncode, ours.stdout) == (pythons.returncode, pythons.stdout)
    if case == "a recursion":  # how many frames fit is not the same
        assert lines(ours.stderr)[:3] == lines(pythons.stderr)[:3] and lines(ours.stderr)[-1] == lines(pythons.stderr)[-1]
    elif case in ("a hook that raises", "nothing for a hook"):
        assert ours.stderr.count("Error in sys.excepthook:") == 1 and lines(ours.stderr)[-1] == lines(pythons.stderr)[-1]
        assert lines(ours.stderr) == lines(pythons.stderr)
    elif case == "a coding line that nobody knows":
        assert "unknown encoding: nowhere" in ours.stderr and "unknown encoding" not in ours.stdout
    else:
        assert lines(ours.stderr) == lines(pythons.stderr)


def test_frames_of_ours_are_folded_out_of_each_error(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("""
import tensorflow as tf
def f():
    try: tf.matmul(tf.ones([2, 3]), tf.ones([2, 3]))
    except Exception as e: raise ExceptionGroup("both", [e]) from e
f()
""")
    command = [sys.executable, "-m", "wengert", "run", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1 and done.stderr.count("(2, 3)") == 2 * done.stderr.split("direct cause")[0].count("(2, 3)")
    assert "wengert/" not in done.stderr and done.stderr.count('script.py", line 4, in f') == 2


def test_ctrl_c_goes_to_the_scripts_hook(tmp_path):
    script = tmp_path / "script.py"
    hook = "import os, signal, sys, time\nsys.excepthook = lambda kind, *_: print('MY', kind.__name__)\n"
    script.write_text(hook + "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(10)\n")
    command = [sys.executable, "-m", "wengert", "run", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "MY KeyboardInterrupt\n", "")


@pytest.mark.parametrize(("line", "told"), [
    ("from tensorflow.keras.layers import Dence",
     "tensorflow.keras.layers.Dence is not in Wengert; the nearest is tensorflow.keras.layers.Dense."),
    ("import tensorflow.keras.layerz", "tensorflow.keras.layerz is not in Wengert; the nearest is tensorflow.keras.layers."),
    ("from tensorflow.nowhere.deep import x", "tensorflow.nowhere is not in Wengert; the nearest is tensorflow.where."),
    ("from keras import nothing_like_it", "keras.nothing_like_it is not in Wengert"),
])  # fmt: skip
def test_a_name_that_cannot_be_imported_is_told_as_one_that_is_missing(tmp_path, line, told):
    script = tmp_path / "script.py"
    script.write_text(f"import tensorflow\n{line}\n")
    done = subprocess.run([sys.executable, "-m", "wengert", "run", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{script}:2: {told}") and done.stderr.count("\n") == 1
