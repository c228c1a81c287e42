"""What the end of a script owes is paid whatever happened before, each debt apart from the others, by the process that began."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wengert.train import files, summary

TRAIN = """
import tensorflow as tf
v = tf.Variable(0.0)
v.assign_add(1.0)
print("trained")
"""
FIGURE = """
import matplotlib.pyplot as plt
plt.plot([1.0, 2.0])
"""
# The same for what writes the figures, without the second that matplotlib takes.
DRAWN = """
import sys, types
class Figure:
    def savefig(self, file, format): file.write(b"drawn")
plt = sys.modules["matplotlib.pyplot"] = types.ModuleType("matplotlib.pyplot")
figures = []
plt.get_fignums = lambda: range(1, 1 + len(figures))
plt.gcf = lambda: figures[-1]
plt.figure = lambda n=None: figures.append(Figure()) if n is None else figures[n - 1]
plt.figure()
"""
RUN = [sys.executable, "-m", "wengert", "run", "--checkpoint", "c", "--save-figures", "figures"]
QUIET = {k: v for k, v in os.environ.items() if k not in ("PYTHONUNBUFFERED", "DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")}


@pytest.fixture
def folder(tmp_path):
    QUIET["MPLCONFIGDIR"] = str(tmp_path / "matplotlib")
    return tmp_path


def run(folder: Path, source: str, shell: str = '"$@"', command: list[str] = RUN) -> tuple[int, str, str]:
    """Run a script as a shell's words say, such as ``"$@" >&-``; return status, standard output, standard error."""
    (folder / "script.py").write_text(source)
    done = subprocess.run(["bash", "-c", shell, "bash", *command, "script.py"], cwd=folder, env=QUIET, capture_output=True,
                          text=True, timeout=100, check=False)  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def kept(folder: Path) -> dict[str, float]:
    return {name: float(v) for name, v in files.read(folder / "c").items()}


STREAMS = {
    "as it is": ("", '"$@"', 0),
    "reader gone": ("", '"$@" | true; exit ${PIPESTATUS[0]}', 120),
    "both readers gone": ("", '"$@" 2>&1 | true; exit ${PIPESTATUS[0]}', 120),
    "disk full": ("", '"$@" > /dev/full', 120),
    "standard output closed": ("", '"$@" >&-', 0),
    "standard error closed": ("", '"$@" 2>&-', 0),
    "both closed": ("", '"$@" >&- 2>&-', 0),
    "standard error full": ("raise ValueError('told to nobody')", '"$@" 2> /dev/full', 120),
    "no flush": ("import sys\nclass Tee:\n    def write(self, s): sys.__stdout__.write(s)\nsys.stdout = Tee()", '"$@"', 120),
    "closed by the script": ("import sys\nsys.stdout.close()", '"$@"', 0),
    "standard error is nothing": ("import sys\nsys.stderr = None", '"$@"', 0),
    "standard error cannot be written": ("import sys\nsys.stderr = 3", '"$@"', 120),
    "an exit from within": ("import sys\ndef f():\n    try: sys.exit(3)\n    finally: v.assign_add(0.0)\nf()", '"$@"', 3),
    "an error": ("1 / 0", '"$@"', 1),
    "an error of another base": ("raise BaseException('odd')", '"$@"', 1),
    "a hook that fails": ("import sys\nsys.excepthook = None\n1 / 0", '"$@"', 1),
}


@pytest.mark.parametrize("case", STREAMS)
def test_checkpoint_and_figures_are_written_whatever_becomes_of_the_streams(folder, case):
    more, shell, status = STREAMS[case]
    done = run(folder, (FIGURE if case == "as it is" else DRAWN) + TRAIN + more + "\n", shell)
    assert (done[0], kept(folder)) == (status, {"variable-0/Variable": 1.0}), done
    assert (folder / "figures" / "figure-1.png").is_file(), done
    assert case not in ("reader gone", "both readers gone") or "Exception ignored" not in done[2]
    if "nothing" not in case and "cannot" not in case:
        # Python, on the same script without what is ours, has the same status; but a pipe that nobody reads it complains of.
        plain = run(folder, "v = type('V', (), {'assign_add': abs})\nprint('trained')\n" + more + "\n", shell, [sys.executable])
        assert plain[0] == status, plain


def test_each_debt_is_apart(folder):
    source = DRAWN + "plt.figure()\nfigure = plt.gcf()\nfigure.savefig = lambda *a, **k: 1 / 0\nplt.figure()\n" + TRAIN
    source += "writer = tf.summary.create_file_writer('log')\nwith writer.as_default(): tf.summary.scalar('x', 1.0, step=1)\n"
    source += "gone = tf.summary.create_file_writer('gone')\nwith gone.as_default(): tf.summary.scalar('x', 1.0, step=1)\n"
    source += "read = tf.summary.create_file_writer('read')\nwith read.as_default(): tf.summary.scalar('x', 1.0, step=1)\n"
    source += "read._record.add({'tag': 'waits'}), gone._record.add({'tag': 'waits'})\n"
    source += "import os, shutil\nshutil.rmtree('read')\n"  # who removes it wants no more of it
    source += "path = gone._record.path\nos.remove(path)\nos.mkdir(path)\n"
    status, _, told = run(folder, source)
    assert status == 1 and "wengert run: gone/" in told and "figure 2 is not written: ZeroDivisionError" in told
    assert "read/" not in told
    assert sorted(p.name for p in (folder / "figures").iterdir()) == ["figure-1.png", "figure-2.png"]
    assert kept(folder) == {"variable-0/Variable": 1.0}
    assert [event["tag"] for event in summary.read(folder / "log")] == ["x"]


def test_a_checkpoint_that_cannot_be_written_in_the_end_changes_the_status(folder):
    source = TRAIN + "import os\nos.mkdir('c.safetensors')\n" + DRAWN
    status, out, told = run(folder, source)
    assert (status, out) == (1, "trained\n") and "c.safetensors is not written: IsADirectoryError" in told
    assert (folder / "figures" / "figure-1.png").is_file()


def test_a_checkpoint_that_can_never_be_written_is_refused_before_there_is_something_to_lose(folder):
    (folder / "file").write_text("")
    (folder / "there.safetensors").mkdir()
    for name in ("file/c", "there", "", "/proc/c"):
        command = [*RUN[:4], "--checkpoint", name]
        status, out, told = run(folder, TRAIN, command=command)
        assert (status, out, len(told.splitlines())) == (2, "", 1), told


def test_a_script_may_go_to_another_folder(folder):
    (folder / "elsewhere").mkdir()
    status, _, told = run(folder, "import os\nos.chdir('elsewhere')\n" + DRAWN + TRAIN)
    assert (status, kept(folder)) == (0, {"variable-0/Variable": 1.0}), told
    assert (folder / "figures" / "figure-1.png").is_file()


def test_what_a_thread_does_after_the_last_line_is_kept(folder):
    source = TRAIN + "import threading, time\ndef late():\n    time.sleep(1)\n    v.assign(7.0)\n"
    status, _, told = run(folder, source + "threading.Thread(target=late).start()\n")
    assert (status, kept(folder)) == (0, {"variable-0/Variable": 7.0}), told


# --- signals ----------------------------------------------------------------------------------------------------------

LOOP = TRAIN.replace('print("trained")', "") + "import time\nprint('begun', flush=True)\n"
EAGER = LOOP + "while True:\n    with tf.GradientTape() as tape: y = v * v\n    v.assign_sub(tape.gradient(y, v) * 0.0)\n"
SESSION = """
import tensorflow as tf
v = tf.Variable(1.0)
w = tf.Variable(1.0)
step = tf.group(v.assign_add(1.0), w.assign_add(1.0))
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    print("begun", flush=True)
    while True:
        s.run(step)
"""
SIGNALS = {
    "SIGTERM, eager": (EAGER, [signal.SIGTERM], 143),
    "SIGHUP, a session": (SESSION, [signal.SIGHUP], 129),
    "SIGTERM, a session": (SESSION, [signal.SIGTERM], 143),
    "SIGTERM while it sleeps": (LOOP + "time.sleep(1000)\n", [signal.SIGTERM], 143),
    "SIGTERM twice": (LOOP + "time.sleep(1000)\n", [signal.SIGTERM, signal.SIGTERM], 143),
    "its own answer": (LOOP.replace("print", "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\nprint")
                       + "time.sleep(1000)\n", [signal.SIGTERM], 5),
    "an except that takes all": (LOOP + "try: time.sleep(1000)\nexcept: pass\n", [signal.SIGTERM], 143),
    "Ctrl-C twice": (SESSION, [signal.SIGINT, signal.SIGINT], 130),
}  # fmt: skip


@pytest.mark.parametrize("case", SIGNALS)
def test_signals_that_end_a_script_have_it_pay(folder, case):
    source, signals, status = SIGNALS[case]
    if any(signal.getsignal(number) is signal.SIG_IGN for number in signals):
        pytest.skip("the signal is ignored here, as under nohup, and so it is in what is started")
    (folder / "script.py").write_text(source)
    with subprocess.Popen([*RUN, "script.py"], cwd=folder, env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"begun\n", process.stderr.read()
        time.sleep(0.2)
        for number in signals:
            process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == status, told
    assert b"Traceback" not in told, told
    values = list(kept(folder).values())
    assert values[0] >= 1.0 and len(set(values)) == 1


def test_nothing_owed_and_sigterm_is_pythons(folder):
    (folder / "script.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    done = subprocess.run([*RUN[:4], "script.py"], cwd=folder, env=QUIET, check=False, timeout=100)
    assert done.returncode == -signal.SIGTERM


def test_a_signal_that_is_ignored_stays_so(folder):
    source = DRAWN + TRAIN + "import os, signal\nos.kill(os.getpid(), signal.SIGHUP)\nprint('goes on')\n"
    assert run(folder, source, 'trap "" HUP; "$@"')[:2] == (0, "trained\ngoes on\n")


# While a debt is paid the first Ctrl-C waits, and the second breaks off what is being written; SIGTERM waits.
SLOW = """
import os, signal, time
figure = plt.gcf()
def slow(*_, **__):
    for number in NUMBERS:
        os.kill(os.getpid(), number)
    time.sleep(0.01)
    print("drawn")
figure.savefig = slow
"""


@pytest.mark.parametrize(("numbers", "status", "drawn"), [
    ("[signal.SIGINT]", 130, True), ("[signal.SIGINT] * 2", 130, False), ("[signal.SIGTERM] * 3", 143, True)
])  # fmt: skip
def test_signals_while_debts_are_paid(folder, numbers, status, drawn):
    done = run(folder, DRAWN + SLOW.replace("NUMBERS", numbers) + TRAIN)
    assert (done[0], "drawn" in done[1]) == (status, drawn), done
    assert ("figure 1 is not written: broken off by Ctrl-C" in done[2]) is not drawn
    assert "Traceback" not in done[2] and kept(folder) == {"variable-0/Variable": 1.0}


# --- children that are forked -------------------------------------------------------------------------------------------

CHILDREN = {
    "sys.exit": "import sys\nsys.exit(3)",
    "an error": "raise ValueError('in the child')",
    "a signal": "import signal\nos.kill(os.getpid(), signal.SIGTERM)",
    "the end of the script": "pass",
    "an exit at once": "os._exit(4)",
    "a thread's": "import threading\nt = threading.Thread(target=lambda: v.assign(9.0)); t.start()",
}


@pytest.mark.parametrize("case", CHILDREN)
def test_a_child_that_is_forked_pays_nothing(folder, case):
    child = "\n    ".join(["v.assign(5.0)", "plt.figure()", *CHILDREN[case].split("\n")])
    source = DRAWN + TRAIN + f"import os\npid = os.fork()\nif pid == 0:\n    {child}\n"
    source += "else:\n    print('ended', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), os.listdir('.'))\n    v.assign(2.0)\n"
    status, out, told = run(folder, source, command=[*RUN[:-2], "--checkpoint-every", "0", *RUN[-2:]])
    assert status == 0, told
    ended = {"sys.exit": 3, "an error": 1, "a signal": -signal.SIGTERM, "an exit at once": 4}.get(case, 0)
    assert f"ended {ended} " in out
    assert kept(folder) == {"variable-0/Variable": 2.0}
    assert [p.name for p in (folder / "figures").iterdir()] == ["figure-1.png"]
    assert told.count("holds 1 variables") == 1 and told.count("figure-1.png") == 1


STEP = """
def step():
    v.assign_add(100.0)
    with tf.GradientTape() as tape: y = v * v
    tape.gradient(y, v)
"""


def test_what_children_do_is_not_written_now_and_then(folder):
    source = (
        "import multiprocessing, sys\n" + TRAIN + STEP + "step()\ndef job():\n    for _ in range(20): step()\n    sys.exit(3)\n"
    )
    source += "p = multiprocessing.get_context('fork').Process(target=job)\np.start()\np.join()\nprint(p.exitcode)\n"
    source += "from wengert.train import files\nprint({n: float(x) for n, x in files.read('c').items()})\n"
    status, out, told = run(folder, source, command=[*RUN[:4], "--checkpoint", "c", "--checkpoint-every", "0"])
    assert (status, out) == (0, "trained\n3\n{'variable-0/Variable': 101.0}\n"), told


@pytest.mark.parametrize("command", [["explain"], ["check", "--json=-"]])
def test_a_child_that_is_forked_prints_no_table(folder, command):
    source = "import os\nimport tensorflow as tf\n@tf.function\ndef f(x): return tf.gradients(x * x, x)[0]\nf(tf.constant(1.0))\n"
    _, out, told = run(folder, source + "if os.fork(): os.wait()\n", command=[*RUN[:3], *command])
    assert out.count("reverse") == 1 if command == ["explain"] else out.count('"verdict"') == 1, (out, told)
