"""Kills processes of a training at random steps, starts it again, and compares its end with that of an unbroken one.

    python benchmarks/killed.py --kills 20
    python benchmarks/killed.py --kills 2 --only session --steps 40 --seed 3

Two processes train on this machine (`wengert launch -n 2 --checkpoint FILE --checkpoint-every 0`). At a random step, and a random
moment in it, one of them, or the launcher, gets SIGKILL. All processes must be gone then. After the last kill the run ends by
itself. The weights must be those of a run that nobody killed, in every bit.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BEGIN = """
import hashlib, os, sys, time
import numpy as np
import tensorflow as tf
from wengert.execute import processes

steps = int(sys.argv[1])
print("pid", processes.index(), os.getpid(), flush=True)
x = np.random.RandomState(1).rand(200, 2)
y = np.sin(3.0 * x.sum(1, keepdims=True))

def reached(step):
    print("step", int(step), flush=True)
    time.sleep(0.02)

def told(weights):
    print("result", hashlib.sha256(b"".join([np.ascontiguousarray(w).tobytes() for w in weights])).hexdigest(), flush=True)
"""

GRAPH = """
tf.set_random_seed(1)
with tf.variable_scope("net"):
    hidden = tf.layers.dense(tf.constant(x), 20, tf.tanh, name="a")
    output = tf.layers.dense(hidden, 1, name="b")
loss = tf.reduce_mean(tf.square(output - y))
"""

SCRIPTS = {
    "session": GRAPH + """
step = tf.train.get_or_create_global_step()
train = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=step)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    while session.run(step) < steps:
        session.run(train)
        reached(session.run(step))
    told(session.run(tf.trainable_variables()))
""",
    "keras": """
tf.random.set_seed(1)
model = tf.keras.Sequential([
    tf.keras.layers.Dense(20, "tanh", input_shape=(2,), dtype="float64"), tf.keras.layers.Dense(1, dtype="float64")
])
optimizer = tf.keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)

@tf.function
def train():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x) - y))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))

while int(optimizer.iterations) < steps:
    train()
    reached(optimizer.iterations)
told(model.get_weights())
""",
    "scipy": GRAPH + """
count = 0

def shown(_):
    global count
    count += 1
    reached(count)

search = tf.contrib.opt.ScipyOptimizerInterface(loss, options={"maxiter": steps, "ftol": 0.0, "gtol": 0.0})
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    search.minimize(session, step_callback=shown)
    told(session.run(tf.trainable_variables()))
""",
}  # fmt: skip


class Run:
    """One run of a training, whose output is read as it comes."""

    def __init__(self, folder: Path, steps: int, *options: str) -> None:
        command = [sys.executable, "-m", "wengert", "launch", "-n", "2", *options, "script.py", str(steps)]
        self.process = subprocess.Popen(
            command, cwd=folder, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.pids: dict[int, int] = {}
        self.results: dict[int, str] = {}
        self.said: list[str] = []
        self.step = 0

    def read(self, until: int | None = None) -> bool:
        """Read until a step is there, or to the end; return whether the step is there."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            match line.split():
                case [_, "pid", index, pid]:
                    self.pids[int(index)] = int(pid)
                case [_, "step", number]:
                    self.step = max(self.step, int(number))
                case [mark, "result", digest]:
                    self.results[int(mark[1:-1])] = digest
            if until is not None and self.step >= until and len(self.pids) == 2:
                return True
        self.process.wait()
        return False

    def kill(self, whom: int) -> None:
        """Kill a process, or the launcher; see that all end."""
        pid = self.pids.get(whom, self.process.pid)
        os.kill(pid, signal.SIGKILL)
        self.read()
        until = time.monotonic() + 5.0
        while left := [p for p in self.pids.values() if _alive(p)]:
            if time.monotonic() > until:
                raise SystemExit(f"processes {left} live on after {'the launcher' if whom > 1 else f'process {whom}'} was killed")
            time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _finished(run: Run) -> str:
    run.read()
    digests = set(run.results.values())
    if run.process.returncode or len(run.results) != 2 or len(digests) != 1:
        raise SystemExit(f"the run ended with status {run.process.returncode}:\n{''.join(run.said[-30:])}")
    return digests.pop()


def trial(kind: str, kills: int, steps: int, chance: random.Random) -> int:
    """Train unbroken, then with kills; return how many fell before the end."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "script.py").write_text(BEGIN + SCRIPTS[kind])
        unbroken = _finished(Run(folder, steps))
        reached, done, kept = 0, 0, ("--checkpoint", "kept", "--checkpoint-every", "0")
        for number in range(kills):
            run = Run(folder, steps, *kept)
            ahead = max(1, 2 * (steps - reached) // (kills - number + 1))
            if not run.read(min(reached + chance.randint(1, ahead), steps - 1)):
                raise SystemExit(f"the run came to its end early:\n{''.join(run.said[-30:])}")
            time.sleep(chance.uniform(0.0, 0.02))
            whom = chance.randrange(3)
            run.kill(whom)
            if run.results:
                break
            before, reached, done = reached, run.step, done + 1
            print(
                f"{kind}: kill {done} of {('process 0', 'process 1', 'the launcher')[whom]} at step {reached}, from {before}",
                flush=True,
            )
        if _finished(Run(folder, steps, *kept)) != unbroken:
            raise SystemExit(f"{kind}: the weights are others than those of an unbroken run")
    return done


def main() -> None:
    """Try each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=SCRIPTS, action="append")
    given = parser.parse_args()
    for kind in given.only or SCRIPTS:
        done = trial(kind, given.kills, given.steps, random.Random(f"{given.seed}/{kind}"))
        print(f"{kind}: {done} kills, {given.steps} steps, the weights of an unbroken run", flush=True)


if __name__ == "__main__":
    main()
