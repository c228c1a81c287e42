"""How ``wengert run`` ends: whatever becomes of its output and of the process, the checkpoint and the figures are there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from .savers import Figures, Run
from .trial import Fault

SCRIPT = """
{head}
import tensorflow as tf
import os, sys, threading, time
a, b = tf.Variable(tf.zeros([9])), tf.Variable(tf.zeros([9]))
@tf.function
def step():
    a.assign_add(tf.ones([9]))
    b.assign_add(tf.ones([9]))
for _ in range(5):
    step()
print("trained" * {words})
{tail}
"""
TEE = "import sys\nclass Tee:\n    def write(self, text): sys.__stdout__.write(text)\nsys.stdout = Tee()"
FORKED = "if os.fork() == 0:\n    step(); step()\n    sys.exit(0)\nos.wait()"
STEPS = "sys.stdout.flush()\nopen('ready', 'w').close()\nwhile True:\n    step()"
SLEEP = "sys.stdout.flush()\nopen('ready', 'w').close()\ntime.sleep(60)"
DRAW = "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1), dpi=101)\nplt.plot([0, 1])"


class End:
    """A way to end: the script's first and last lines, where its output goes, and which signal it gets when it is ready."""

    def __init__(self, tail: str = "", head: str = "", shell: str = "{}", press: Any = None, figures: bool = False) -> None:
        self.tail, self.head, self.shell, self.press, self.figures = tail, head, shell, press, figures


ENDS = {
    "plain": End(),
    "reader gone": End(shell="{} | true"),
    "reader gone, both outputs": End(shell="{} 2>&1 | true"),
    "stdout full": End(shell="{} > /dev/full"),
    "both outputs full": End(shell="{} > /dev/full 2> /dev/full"),
    "stdout closed": End(shell="{} >&-"),
    "all closed": End(shell="{} <&- >&- 2>&-"),
    "stdout without flush": End(head=TEE),
    "script closes stdout": End("sys.stdout.close()"),
    "script closes stderr": End("sys.stderr.close()"),
    "stdout is None": End("sys.stdout = sys.stderr = None"),
    "error": End("1 / 0"),
    "error, reader gone": End("1 / 0", shell="{} 2>&1 | true"),
    "exit": End("sys.exit(3)"),
    "exit with a text, stderr full": End("sys.exit('text')", shell="{} 2> /dev/full"),
    "SIGTERM, in steps": End(STEPS, press=signal.SIGTERM),
    "SIGTERM, asleep": End(SLEEP, press=signal.SIGTERM),
    "SIGINT, in steps": End(STEPS, press=signal.SIGINT),
    "SIGHUP, in steps": End(STEPS, press=signal.SIGHUP),
    "fork that exits": End(FORKED),
    "fork that exits, error": End(FORKED + "\n1 / 0"),
    "thread at work": End("threading.Thread(target=time.sleep, args=(0.3,)).start()"),
    "working directory gone": End("os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')"),
    "figures": End(DRAW, figures=True),
    "figures, stdout full": End("", DRAW, shell="{} > /dev/full", figures=True),
    "figures, SIGTERM": End(DRAW + "\n" + SLEEP, press=signal.SIGTERM, figures=True),
}
SUBJECTS = (*list(ENDS)[1::2], *list(ENDS)[::2])
SHORT = 9
PATIENCE = 40.0


def trial(subject: str, random: Random) -> None:
    end = ENDS[subject]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "script.py").write_text(SCRIPT.format(head=end.head, tail=end.tail, words=random.choice([1, 20000])))
        options = "--checkpoint c" + (" --save-figures figures" if end.figures else "")
        command = end.shell.format(f"{sys.executable} -m wengert run {options} script.py")
        errors = _ended(end, ("exec " if end.press else "") + command, folder, random)
        step = Run(folder).read()
        wrong = step is None or (step < 5 if end.press else step != 5)
        if wrong:
            raise Fault("lost", f"the checkpoint holds step {step}\n{errors[-1500:]}")
        if end.figures:
            (folder / "figures").mkdir(exist_ok=True)
            if Figures(folder / "figures").read() != 1:
                raise Fault("lost", f"the figure is not there\n{errors[-1500:]}")
        parts = [n for n in os.listdir(folder) if n.endswith(".part")]
        if parts:
            raise Fault("left", f"temporary files are left: {parts}")


def _ended(end: End, command: str, folder: Path, random: Random) -> str:
    """Run a command until it ends, by itself or by the signal; return what it wrote to standard error."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    with open(folder / "errors", "w+") as errors:
        child = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=errors
        )
        late = time.monotonic() + PATIENCE
        try:
            if end.press:
                while not (folder / "ready").exists() and child.poll() is None and time.monotonic() < late:
                    time.sleep(0.01)
                time.sleep(random.uniform(0.0, 0.05))
                child.send_signal(end.press)
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGABRT)
            child.wait()
            errors.seek(0)
            raise Fault("hung", f"{errors.read()[-1500:]}\n{command} did not end within {PATIENCE:.0f} s") from None
        errors.seek(0)
        return errors.read()
