"""Every kind of file that is written: how step ``k`` is saved in a folder, and which step the folder holds.

A saver holds arrays that are all ``k`` at step ``k``, so that a file of two steps is known.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

import wengert as tf
from wengert.run.script import run_script

from .trial import Fault, same

v1 = tf.compat.v1
WIDTH = 3000
"""Numbers in each array: a file of some ten kilobytes."""
KEPT = 3
"""How many checkpoints are kept where some are."""


def one_step(values: Iterable[Any], what: Any) -> int:
    """Return the step that arrays are of.

    Raises:
        Fault: if they are of several.
    """
    steps = {float(x) for value in values for x in np.unique(np.asarray(value))}
    if len(steps) != 1:
        raise Fault("half", f"{what} holds values of the steps {sorted(steps)[:5]}")
    return int(steps.pop())


class Saver:
    """TensorFlow 1's Saver, going on from what is there, as a program that is started again does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.graph = folder, tf.Graph()
        with self.graph.as_default():
            self.variables = [v1.get_variable(f"v{i}", initializer=np.zeros(WIDTH)) for i in range(3)]
            self.saver = v1.train.Saver(max_to_keep=KEPT)
            self.session = v1.Session(graph=self.graph)
            self.session.run(v1.global_variables_initializer())
        state = v1.train.get_checkpoint_state(str(folder))
        if state is not None:
            self.saver.recover_last_checkpoints(state.all_model_checkpoint_paths)

    def save(self, k: int) -> None:
        for v in self.variables:
            v.load(np.full(WIDTH, float(k)), self.session)
        self.saver.save(self.session, str(self.folder / "model"), global_step=k)

    def read(self) -> int | None:
        latest = v1.train.latest_checkpoint(str(self.folder))
        if latest is None:
            return None
        self.saver.restore(self.session, latest)
        return one_step(self.session.run(self.variables), latest)


class Checkpoint:
    """``tf.train.Checkpoint``, written over and over under one name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = [tf.Variable(np.zeros(WIDTH)) for _ in range(3)]
        self.checkpoint = tf.train.Checkpoint(variables=self.variables)

    def fill(self, k: int) -> None:
        for v in self.variables:
            v.assign(np.full(WIDTH, float(k)))

    def save(self, k: int) -> None:
        self.fill(k)
        self.checkpoint.write(str(self.folder / "one"))

    def read(self) -> int | None:
        path = str(self.folder / "one")
        if not v1.train.checkpoint_exists(path):
            return None
        self.checkpoint.read(path)
        return one_step([v.numpy() for v in self.variables], path)


class Manager(Checkpoint):
    """``tf.train.CheckpointManager``, which goes on from the latest."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.manager = tf.train.CheckpointManager(self.checkpoint, str(folder), KEPT)

    def save(self, k: int) -> None:
        self.fill(k)
        self.manager.save()

    def read(self) -> int | None:
        latest = tf.train.latest_checkpoint(str(self.folder))
        if latest is None:
            return None
        self.checkpoint.restore(latest)
        return one_step([v.numpy() for v in self.variables], latest)


class Weights:
    """``save_weights``."""

    name = "model.weights.h5"

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / self.name)
        self.model = tf.keras.Sequential([tf.keras.layers.Input((50,)), tf.keras.layers.Dense(60), tf.keras.layers.Dense(50)])

    def save(self, k: int) -> None:
        self.model.set_weights([np.full(w.shape, k, "f4") for w in self.model.get_weights()])
        self.write()

    def write(self) -> None:
        self.model.save_weights(self.path)

    def load(self) -> Any:
        self.model.load_weights(self.path)
        return self.model

    def read(self) -> int | None:
        return one_step(self.load().get_weights(), self.path) if os.path.exists(self.path) else None


class Model(Weights):
    """``model.save``: the architecture too."""

    name = "model.keras"

    def write(self) -> None:
        self.model.save(self.path)

    def load(self) -> Any:
        return tf.keras.models.load_model(self.path)


class Summary:
    """``tf.summary``: the numbers of the steps, one after another, whole lines of one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer: Any = None

    def save(self, k: int) -> None:
        self.writer = self.writer or tf.summary.create_file_writer(str(self.folder))
        with self.writer.as_default():
            for name in ("a", "b"):
                tf.summary.text(name, f"{k} " * 200, step=k)

    def read(self) -> int | None:
        events = tf.summary.read(str(self.folder))
        steps = [int(event["step"]) for event in events]
        if not steps:
            return None
        want = [s for s in range(1, max(steps) + 1) for _ in "ab"]
        if steps not in (want, want[:-1]):
            raise Fault("half", f"the events read are of the steps {steps[:3]} ... {steps[-9:]}")
        if any(event["text"] != f"{event['step']} " * 200 for event in events):
            raise Fault("half", "an event has another text than was written")
        return steps[-1]


TRAINING = """
import sys
import tensorflow as tf
k = float(sys.argv[1])
a, b = tf.Variable(tf.zeros([3000])), tf.Variable(tf.zeros([3000]))
@tf.function
def step():
    a.assign(tf.fill([3000], k))
    b.assign(tf.fill([3000], k))
for _ in range(3):
    step()
"""
DRAWING = """
import sys
import matplotlib.pyplot as plt
plt.close("all")
plt.figure(figsize=(1, 1), dpi=100 + int(sys.argv[1]))
plt.plot([0, 1])
"""


class Run:
    """``wengert run --checkpoint``: written after every step, and in the end."""

    name, script = "c.safetensors", TRAINING

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / self.name
        self.program = folder.parent / f"{type(self).__name__}.py"
        self.program.write_text(self.script)

    def options(self) -> dict[str, Any]:
        return {"checkpoint": str(self.folder / "c"), "every": 0.0}

    def save(self, k: int) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as told:
            status = run_script(str(self.program), [str(k)], **self.options())
        if " not written" in told.getvalue():
            raise OSError(told.getvalue())
        same("crashed", f"the status of the run, which said {told.getvalue()}", status, 0)

    def read(self) -> int | None:
        if not self.path.exists():
            return None
        reader = tf.train.load_checkpoint(str(self.path))
        return one_step(map(reader.get_tensor, reader.get_variable_to_shape_map()), self.path)


class Figures(Run):
    """``wengert run --save-figures``."""

    name, script = "figure-1.png", DRAWING

    def options(self) -> dict[str, Any]:
        return {"figures": str(self.folder)}

    def read(self) -> int | None:
        if not self.path.exists():
            return None
        data = self.path.read_bytes()
        at = 8
        while at + 12 <= len(data):  # a PNG is chunks: length, name, content, checksum
            length = int.from_bytes(data[at : at + 4])
            content = data[at + 4 : at + 8 + length]
            if zlib.crc32(content) != int.from_bytes(data[at + 8 + length : at + 12 + length] or b"\0"):
                break
            if content == b"IEND":
                return int.from_bytes(data[16:20]) - 100
            at += 12 + length
        raise Fault("half", f"{self.path.name} is torn: {len(data)} bytes")


SAVERS: dict[str, Callable[[Path], Any]] = {
    "Saver": Saver, "Checkpoint": Checkpoint, "CheckpointManager": Manager, "save_weights": Weights, "model.save": Model,
    "summary": Summary, "run --checkpoint": Run, "run --save-figures": Figures,
}  # fmt: skip


def debris(folder: Path) -> None:
    """Raise a Fault if there are temporary files, or more checkpoints than are to be kept."""
    names = sorted(os.listdir(folder))
    parts = [n for n in names if ".part" in n or n.endswith((".tmp", "~"))]
    if parts:
        raise Fault("left", f"temporary files are left after the next save: {parts}")
    kept = [n for n in names if n.endswith(".safetensors")]
    if len(kept) > KEPT:
        raise Fault("left", f"{len(kept)} checkpoints are there, and {KEPT} are to be kept: {json.dumps(kept)}")
