"""What `test_devices.py` has computed, by the name of a function; each prints JSON."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import wengert as tf
from wengert.execute.numpy import NumPyProgram
from wengert.execute.xla import executable, parts
from wengert.execute.xla.arrays import arrays
from wengert.execute.xla.executable import Executable
from wengert.execute.xla.mesh import Mesh, Placed
from wengert.execute.xla.program import XlaProgram
from wengert.ground.options import options

v1 = tf.compat.v1
ROWS = 1000


def network(rng: np.random.RandomState, *widths: int) -> tuple[list[Any], Callable[[Any], Any]]:
    """Return the weights of a network, and the network."""
    weights = [tf.Variable(rng.randn(a, b) / np.sqrt(a)) for a, b in itertools.pairwise(widths)]
    biases = [tf.Variable(np.zeros(b)) for b in widths[1:]]

    def u(x: Any) -> Any:
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = tf.tanh(x @ w + b)
        return x @ weights[-1] + biases[-1]

    return [*weights, *biases], u


LOSSES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "means": lambda f, u, w: (
        tf.reduce_mean((u - tf.reduce_mean(u)) ** 2) + tf.reduce_mean(f**2) / tf.reduce_sum(u**2)
        + tf.reduce_sum(tf.matmul(f, u, transpose_a=True) ** 2) * 1e-6
    ),
    "orders": lambda f, u, w: (
        tf.reduce_sum(f**2) / 500.0 + 0.1 * tf.reduce_max(tf.abs(u)) + tf.reduce_prod(1.0 + 1e-4 * f) - 0.01 * tf.reduce_min(f)
        + tf.reduce_mean(tf.cumsum(f) ** 2) * 1e-4 + tf.reduce_mean(tf.reverse(u, [0]) * f)
    ),
    "weights of points": lambda f, u, w: tf.reduce_mean(w * f**2),
}  # fmt: skip


def trained(loss: str, rows: int, optimizer: Callable[[], Any]) -> list[float]:
    """Return what a few steps come to."""
    with tf.Graph().as_default():
        rng = np.random.RandomState(0)
        x, t = (v1.placeholder(tf.float64, [None, 1]) for _ in "xt")
        weights, network_ = network(rng, 2, 16, 16, 1)
        points = tf.Variable(np.ones((rows, 1)))
        u = network_(tf.concat([x, t], 1))
        u_x, u_t = tf.gradients(u, [x, t])
        f = u_t + u * u_x - 0.01 * tf.gradients(u_x, x)[0]
        value = LOSSES[loss](f, u, points)
        variables = [*weights, points] if loss == "weights of points" else weights
        step = optimizer().minimize(value, var_list=variables)
        noise = v1.random_normal([rows, 1], seed=3, dtype=tf.float64)
        feed = {x: rng.rand(rows, 1), t: rng.rand(rows, 1)}
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            found = [session.run([step, value], feed)[1] for _ in range(4)]
            drawn = session.run(tf.reduce_sum(noise * f), feed)
            every = [np.abs(w).sum() for w in session.run([*weights, points])]
            residual = session.run(f, feed)
        assert residual.shape == (rows, 1)
        return [float(v) for v in (*found, drawn, *every, residual[0, 0], residual[-1, 0], np.abs(residual).sum())]


def training(*losses: str) -> dict[str, Any]:
    results = {}
    for name in losses or LOSSES:
        rows = ROWS if name == "weights of points" else ROWS + 1
        make = lambda: v1.train.AdamOptimizer(1e-2)  # noqa: E731
        spread = trained(name, rows, make)
        with options.set(executor="numpy"):
            results[name] = spread, trained(name, rows, make)
    return results


def operations() -> dict[str, Any]:
    import importlib.util

    import wengert.execute.tiles.cut

    wengert.execute.tiles.cut.LEAST_ROWS = 3
    arrays()  # before that module starts JAX
    walked: list[int] = []
    plain = executable.in_parts
    executable.in_parts = lambda *a: walked.append(1) or plain(*a)  # type: ignore[assignment]
    tests = Path(__file__).parents[1]
    sys.path[:0] = [str(tests), str(tests.parent)]
    spec = importlib.util.spec_from_file_location("test_xla", tests / "test_xla.py")
    assert spec is not None and spec.loader is not None
    sampled: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sampled)
    wrong, spread = [], 0
    for case in sampled.cases.CASES[::5]:
        alone = tf.Graph()
        try:
            feeds, given, fetches = sampled.build(alone, case, False, True)
        except NotImplementedError:
            continue
        if not fetches or sampled.refusal(alone, fetches, feeds, given):
            continue
        walked.clear()
        want = NumPyProgram(alone, fetches, feeds)(*given)
        try:
            for a, b in zip(XlaProgram(alone, fetches, feeds)(*given), want, strict=True):
                sampled.close(a, b, sampled.label(case), case.atol)
        except AssertionError as error:
            wrong.append(f"{sampled.label(case)}: {error}")
        spread += bool(walked)
    return {"wrong": wrong, "spread": spread}


def collectives() -> dict[str, Any]:
    results: dict[str, Any] = {}

    def sent(name: str, graph: Any, fetches: list[Any], feeds: dict[Any, Any], controls: list[Any], session: Any) -> None:
        program = XlaProgram(graph, fetches, list(feeds), controls)
        with session.as_default():
            from wengert.ground.context import state

            state.session, before = session, state.session
            program.analysis(*feeds.values())
            state.session = before
        (entry,) = program._known.values()
        assert isinstance(entry, Executable) and isinstance(entry.call, Placed)
        found = entry.call.collectives()
        results[name] = [kind for kind, _ in found], sum(size for _, size in found)
        results[f"{name}, told"] = program.decision

    rng = np.random.RandomState(0)
    with tf.Graph().as_default() as graph:
        x, y, t = (v1.placeholder(tf.float64, [None, 1]) for _ in "xyt")
        _, u = network(rng, 3, 16, 16, 1)
        points = tf.Variable(np.ones((ROWS, 1)))
        value = u(tf.concat([x, y, t], 1))
        u_x, u_y, u_t = tf.gradients(value, [x, y, t])
        f = u_t - tf.gradients(u_x, x)[0] - tf.gradients(u_y, y)[0]
        loss = tf.reduce_mean(f**2) + tf.reduce_mean((value - 1.0) ** 2)
        weighted = tf.reduce_mean(points * f**2)
        steps = [v1.train.AdamOptimizer(1e-3).minimize(v) for v in (loss, weighted)]
        matrix = tf.Variable(np.eye(4) * 2.0)
        feeds = {place: rng.rand(ROWS, 1) for place in (x, y, t)}
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            sent("training", graph, [loss], feeds, [steps[0]], session)
            sent("weights of points", graph, [weighted], feeds, [steps[1]], session)
            sent("residual alone", graph, [f], feeds, [], session)
            sent("no rows", graph, [tf.linalg.inv(matrix)], {}, [], session)
    return results


def local() -> dict[str, Any]:
    """Each process feeds its part of the rows: to a session and to a function."""
    from wengert.execute import processes

    tf.config.set_executor("xla")
    tf.config.set_feeds("local")
    assert tf.config.get_feeds() == "local"
    results = {}
    for counts in ((600, 600), (601, 601), (700, 501), (4, 1000), (1200, 0)):  # which two devices share out evenly, or not
        rows = sum(counts)
        rng = np.random.RandomState(0)
        whole, mine = rng.rand(rows, 1), slice(processes.index() * counts[0], counts[0] + processes.index() * counts[1])
        with tf.Graph().as_default():
            x = v1.placeholder(tf.float64, [None, 1])
            w = tf.Variable(np.ones((1, 8)))
            y = tf.tanh(x @ w)
            loss = tf.reduce_mean(tf.gradients(y, x)[0] ** 2) + 1e-3 * tf.reduce_mean(tf.cumsum(y))
            step = v1.train.GradientDescentOptimizer(0.125).minimize(loss)
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                found = [float(session.run([step, loss], {x: whole[mine]})[1]) for _ in range(3)]
                last = session.run(y, {x: whole[mine]})
        f = tf.function(lambda x, k: tf.reduce_sum(tf.sin(x) * k))
        found += [float(last.sum()), float(last[-1, 0]), float(f(whole[mine], 2.0))]
        z, v, want = whole, np.ones((1, 8)), []
        for _ in range(3):
            y, d = np.tanh(z @ v), v * (1 - np.tanh(z @ v) ** 2)
            slope = d.sum(1, keepdims=True)
            want.append(float(np.mean(slope**2) + 1e-3 * np.mean(np.cumsum(y, 0))))
            back = np.cumsum(np.ones((rows, 1)), 0)[::-1] * 1e-3 / y.size
            s = 1 - y**2
            by = 2.0 * slope * (s - 2.0 * v * y * s * z) / rows + back * s * z
            v = v - 0.125 * by.sum(0, keepdims=True)
        y = np.tanh(z @ v)
        results[str(counts)] = found, [*want, float(y.sum()), float(y[-1, 0]), float(2.0 * np.sin(whole).sum())]
    return results


def turns() -> list[float]:
    """Rows change in number in all processes at once, to and fro, in a session and in a function; shapes that do not fit."""
    from wengert.execute import processes

    tf.config.set_executor("xla")
    tf.config.set_feeds("local")
    i, found = processes.index(), []
    f = tf.function(lambda x: tf.reduce_mean(x))
    v = tf.Variable(2.0)
    if i == 0:  # what has no rows need not be run by all
        assert float(tf.function(lambda: v * 3.0)()) == 6.0
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [None, 1])
        total = tf.reduce_sum(x)
        with v1.Session() as session:
            for counts in ((600, 600), (600, 600), (500, 700), (600, 600), (700, 3), (0, 0), (1, 600)):
                found.append(float(session.run(total, {x: np.full((counts[i], 1), i + 1.0)})) - counts[0] - 2.0 * counts[1])
    for counts in ((600, 600), (500, 700), (600, 600), (700, 3)):
        found.append(float(f(np.full((counts[i], 1), i + 1.0))) - (counts[0] + 2.0 * counts[1]) / sum(counts))
    assert f.experimental_get_tracing_count() == 1
    for wrong in (np.ones((600, 1 + i)), np.ones((600, 1))):
        try:
            found.append(float(f(wrong)) - 1.0)
        except tf.errors.InvalidArgumentError as error:
            assert "in the number of rows alone, and the shapes are: process 0 (600, 1); process 1 (600, 2)." in str(error)
    assert len(found) == 12
    return found


def alone(how: str) -> None:
    """One process changes the number of its rows, or comes to its end, and the other takes the step as before."""
    from wengert.execute import processes

    tf.config.set_executor("xla")
    tf.config.set_feeds("local")
    f = tf.function(lambda x: tf.reduce_mean(tf.sin(x)))
    for counts in ((600, 600), (600, 600), (500, 500), *{"new": [(500, 400)], "known": [(500, 600)], "end": []}[how]):
        f(np.ones((counts[processes.index()], 1)))
    if how == "end" and processes.index() == 0:
        f(np.ones((500, 1)))
    print("went on")


def split() -> dict[str, Any]:
    """A dataset is divided among processes that feed their own rows; a step sees all of them."""
    from wengert.execute import processes

    tf.config.set_executor("xla")
    tf.config.set_feeds("local")
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    x, y = np.arange(24.0).reshape(12, 2), np.arange(12.0)
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    total = tf.function(
        lambda x, y: (tf.reduce_sum(x * tf.cast(tf.range(tf.shape(x)[0])[:, None] + 1, x.dtype)), tf.reduce_sum(y))
    )
    found, mine = [], []
    for batch in strategy.experimental_distribute_dataset(data):
        mine.append(batch[1].numpy().tolist())
        found.append([float(v) for v in strategy.run(total, batch)])
    made = strategy.distribute_datasets_from_function(
        lambda context: (
            tf.data.Dataset.range(8)
            .shard(context.num_input_pipelines, context.input_pipeline_id)
            .batch(context.get_per_replica_batch_size(4))
        )
    )
    i = processes.index()
    assert mine == [[4.0 * k + 2 * i, 4.0 * k + 2 * i + 1] for k in range(3)], mine
    assert [b.numpy().tolist() for b in made] == [[i, 2 + i], [4 + i, 6 + i]]
    try:
        next(iter(strategy.experimental_distribute_dataset(tf.data.Dataset.range(3).batch(3))))
    except tf.errors.InvalidArgumentError:
        refused = True
    weights = np.arange(1.0, 5.0)[:, None]
    want = [[float((x[k : k + 4] * weights).sum()), float(y[k : k + 4].sum())] for k in (0, 4, 8)]
    return {"found": found, "want": want, "refused": refused}


def resident() -> dict[str, Any]:
    """Tensors that a function is given again, or captures, are sent twice at most; arrays that change are sent each time."""
    sent: list[tuple[int, ...]] = []
    plain = Mesh.put

    def put(self: Any, x: Any, axis: int | None = None) -> Any:
        if isinstance(x, np.ndarray) and x.size > 100:
            sent.append(x.shape)
        return plain(self, x, axis)

    Mesh.put = put  # type: ignore[method-assign]
    rng = np.random.RandomState(0)
    x, c, w = rng.rand(1001, 2), rng.rand(1001, 1), np.ones((2, 1))
    given, captured, v = tf.constant(x), tf.constant(c), tf.Variable(w)

    @tf.function
    def step(x: Any) -> Any:
        v.assign_add(tf.matmul(x, x @ v - captured, transpose_a=True) * -1e-4)
        return tf.reduce_sum((x @ v - captured) ** 2)

    results: dict[str, Any] = {"sent": [], "values": []}
    for k in range(6):
        if k > 3:
            x[:] = rng.rand(1001, 2)
        sent.clear()
        found = float(step(given if k < 4 else x))
        w = w - 1e-4 * x.T @ (x @ w - c)
        results["values"].append([found, float(((x @ w - c) ** 2).sum())])
        results["sent"].append(len(sent))
    return results


def chunks() -> dict[str, Any]:
    seen: list[float] = []
    plain = parts._chunks

    def watched(walk: Any, pass_: Any, shared: Any, given: Any, room: float, share: Any) -> Any:
        seen.append(room)
        return plain(walk, pass_, shared, given, room, share)

    parts._chunks = watched
    executable.LARGE, executable.TEMPORARY, executable.CHUNK = 1 << 18, 1 << 17, 1 << 17
    found = trained("means", 4099, lambda: v1.train.GradientDescentOptimizer(1e-2))
    with options.set(executor="numpy"):
        want = trained("means", 4099, lambda: v1.train.GradientDescentOptimizer(1e-2))
    return {"chunks": max(seen) > 1.0, "values": [found, want]}


def late() -> dict[str, Any]:
    tf.config.set_executor("xla")
    tf.function(lambda x: x + 1.0)(tf.constant(1.0))
    try:
        tf.config.set_devices(2)
    except RuntimeError as error:
        return {"ours": str(error), "devices": tf.config.get_devices()}
    return {}


def theirs() -> dict[str, Any]:
    import jax

    jax.numpy.zeros(2).block_until_ready()
    try:
        tf.config.set_devices(2)
    except RuntimeError as error:
        return {"error": str(error), "devices": tf.config.get_devices()}
    return {}


def wrong() -> list[str]:
    told = []
    for given, text in ((0, "at least one device"), ([1, 1], "different devices"), ("some", "must be one of")):
        try:
            tf.config.set_devices(given)
        except ValueError as error:
            told.append(text if text in str(error) else str(error))
    return told


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
