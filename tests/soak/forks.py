"""Children: of forks while threads are at work, of pools, and of scripts under ``wengert run``. They compute, or say why not."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import wengert as tf

from .trial import Fault, forked, same

v1 = tf.compat.v1
PATIENCE = 15.0
XS = np.linspace(0.0, 1.0, 5)
WANT = float(np.sin(XS).sum())


@functools.cache
def functions() -> Any:
    f = tf.function(lambda x: tf.reduce_sum(tf.sin(x)))
    v = tf.Variable(0.0)

    @tf.function
    def up() -> None:
        v.assign_add(1.0)

    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [None])
        y = tf.reduce_sum(tf.sin(x))
    session = v1.Session(graph=graph)
    compute = {
        "known": lambda: f(XS), "new shape": lambda: f(np.concatenate([XS, np.zeros(3)])),
        "new function": lambda: tf.function(lambda a: tf.reduce_sum(tf.sin(a)))(XS), "session": lambda: session.run(y, {x: XS}),
        "eager": lambda: tf.reduce_sum(tf.sin(XS)), "assigning": lambda: float(up() is None) * WANT,
    }  # fmt: skip
    for one in compute.values():
        one()
    return compute


def compute(name: str) -> float:
    return float(functions()[name]())


def told(name: str) -> float:
    """Compute in a child: the number, or what counts as one where it is said plainly why there is none."""
    try:
        return compute(name)
    except (RuntimeError, tf.errors.OpError) as error:
        if "fork" in str(error):
            return WANT
        raise


def right(values: Any) -> None:
    if not np.allclose(values, WANT, rtol=1e-5):
        raise Fault("lost", f"children gave {values}, want {WANT}")


def from_threads(random: Random) -> int:
    """Fork while other threads compute, trace and save."""
    names, stop = list(functions()), threading.Event()

    def work() -> None:
        while not stop.is_set():
            for name in names:
                compute(name)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            time.sleep(random.uniform(0.0, 0.01))
            name = random.choice(names)
            right([forked(lambda name=name: told(name), PATIENCE)])
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
    return 4


def alone(random: Random) -> None:
    name = random.choice(list(functions()))
    right([forked(lambda: told(name), PATIENCE), compute(name)])


def pool(random: Random) -> None:
    name = random.choice(list(functions()))
    with multiprocessing.get_context("fork").Pool(2) as workers:
        try:
            right(workers.map_async(told, [name] * 4).get(PATIENCE))
        except multiprocessing.TimeoutError:
            raise Fault("hung", f"a pool of forks, {name}") from None
    right([compute(name)])


SCRIPT = """
import multiprocessing, concurrent.futures, sys
import tensorflow as tf
f = tf.function(lambda x: tf.reduce_sum(tf.sin(x)))
def job(i):
    return float(f(tf.constant([0.0, 0.25, 0.5, 0.75, 1.0], tf.float64)))
if __name__ == "__main__":
    context = multiprocessing.get_context({start!r})
    if {futures}:
        with concurrent.futures.ProcessPoolExecutor(2, context) as pool:
            print(*pool.map(job, range(3)))
    else:
        with context.Pool(2) as pool:
            print(*pool.map(job, range(3)))
"""


def script(start: str, random: Random) -> None:
    """Run a script with a pool; whatever it has started is ended with it."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "script.py"
        path.write_text(SCRIPT.format(start=start, futures=random.random() < 0.5))
        options = random.choice([[], ["--checkpoint", f"{home}/c"], ["--quiet"]])
        child = subprocess.Popen(
            [sys.executable, "-m", "wengert", "run", *options, str(path)], start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            out, errors = child.communicate(timeout=2 * PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            raise Fault("hung", f"{start}: {child.communicate()[1][-600:]}") from None
        if child.returncode:
            raise Fault("crashed", f"{start}: status {child.returncode}: {errors[-600:]}")
        right([float(word) for word in out.split()])
        same("lost", "how many results came", len(out.split()), 3)


MAKERS: dict[str, Any] = {
    "fork": alone, "forks among threads": from_threads, "Pool": pool, "run: spawn": functools.partial(script, "spawn"),
    "run: forkserver": functools.partial(script, "forkserver"), "run: fork": functools.partial(script, "fork"),
}  # fmt: skip
EVERY = ("fork", "forks among threads", "Pool")
SUBJECTS = (*EVERY * 3, "run: spawn", *EVERY * 3, "run: forkserver", *EVERY * 3, "run: fork")
SHORT = len(SUBJECTS)


def trial(subject: str, random: Random) -> int:
    return int(MAKERS[subject](random) or 1)
