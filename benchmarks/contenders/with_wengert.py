"""Wengert: a static graph, run by a session; points are fed as NumPy arrays in every run. Forms: the executors."""

import logging
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
from contenders.graphs import build
from contenders.problems import Layers, Prepared, Work

try:
    import wengert as tf
except ModuleNotFoundError:  # another environment, which has JAX
    sys.path.append(str(Path(__file__).resolve().parents[2] / "src"))
    import wengert as tf

fallen: list[str] = []  # what Wengert said of lists that XLA could not run


class Listener(logging.Handler):
    """Hears that NumPy runs what XLA could not."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        if "NumPy runs it" in record.getMessage():
            fallen.append(record.getMessage())


def versions(form: str) -> str:
    """Choose the executor, and return what runs."""
    choose = getattr(tf.config, "set_executor", None)
    if choose is not None:
        choose(form)
    elif form != "numpy":
        raise RuntimeError("this Wengert has no config.set_executor")
    logging.getLogger("wengert").addHandler(Listener())
    found = f"wengert {tf.__version__}, NumPy {np.__version__}"
    if form == "xla":
        import jax

        found += f", jax {jax.__version__}"
    return f"{found}, Python {platform.python_version()}"


def temporary(session: Any) -> int | None:
    """Return the bytes that XLA planned for the largest of the session's lists, the others being initializers."""
    found = []
    for program in getattr(session, "_programs", {}).values():
        for entry in getattr(program, "_known", {}).values():
            if getattr(entry, "call", None) is not None:
                found.append(int(entry.call.memory_analysis().temp_size_in_bytes))
    return max(found, default=None)


def prepare(form: str, work: Work, layers: Layers, points: np.ndarray) -> Prepared:
    """Return a function that runs the work, and one that says what bytes XLA planned for temporaries."""
    v1: Any = tf.compat.v1
    with tf.Graph().as_default() as graph:
        variables = [tf.Variable(array) for layer in layers for array in layer]
        columns = [points[:, :1].copy(), points[:, 1:].copy()] if work.columns else [points]
        inputs = [v1.placeholder(work.dtype, [None, column.shape[1]]) for column in columns]
        fetches = build(tf, work, inputs, variables)
        start = v1.global_variables_initializer()
    session = v1.Session(graph=graph)
    session.run(start)
    feeds = dict(zip(inputs, columns, strict=True))
    getattr(sys.modules.get("wengert.execute.xla.falling"), "_told", set()).clear()  # each message is logged once otherwise
    fallen.clear()

    def compute() -> list[np.ndarray]:
        found = session.run(fetches, feeds)
        if fallen:
            raise RuntimeError(fallen[0])
        return found

    return compute, lambda: temporary(session)
