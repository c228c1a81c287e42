"""Horovod: two processes with half of the data each take the steps of one with all of it."""

import json
import os
import socket
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax")

SLOW = pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE", "dev") == "dev", reason="starts JAX often: in the profile ci")

HEAD = """
import json, sys
import numpy as np
import tensorflow as tf
import horovod.tensorflow as hvd
import horovod.tensorflow.keras as hk
hvd.init()
n, r = hvd.size(), hvd.rank()
out = {}
"""
TAIL = "\nprint('FOUND', json.dumps(out))\n"


def run(folder: Path, body: str, count: int, *arguments: str, head: str = HEAD, **environment: str) -> list[dict]:
    """What each of so many processes has put into `out`."""
    (folder / "script.py").write_text(head + textwrap.dedent(body) + TAIL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    many = []
    for i in range(count):
        where = {"WENGERT_PROCESSES": str(count), "WENGERT_PROCESS_ID": str(i), "WENGERT_COORDINATOR": f"127.0.0.1:{port}"}
        command = [sys.executable, "-m", "wengert", "run", *arguments, "script.py"]
        many.append(
            subprocess.Popen(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=os.environ | (where if count > 1 else {}) | environment,
            )
        )  # fmt: skip
    try:
        told = [p.communicate(timeout=90) for p in many]
    finally:
        for p in many:
            p.kill()
    found = [[line[6:] for line in out.splitlines() if line.startswith("FOUND ")] for out, _ in told]
    assert all(len(f) == 1 for f in found), told
    return [json.loads(f[0]) for f in found]


def flat(value):
    return [leaf for v in value for leaf in flat(v)] if isinstance(value, list) else [value]


EXCHANGES = """
x = tf.constant([1.0 + r, 2.0])
out["names"] = [n, r, hvd.local_size(), hvd.local_rank(), hvd.cross_size(), hvd.cross_rank()]
out["names"] += [hvd.is_homogeneous(), hvd.is_initialized()]
ops = {"average": hvd.Average, "sum": hvd.Sum, "min": hvd.Min, "max": hvd.Max, "product": hvd.Product}
out["reduced"] = {k: hvd.allreduce(x, op=op).numpy().tolist() for k, op in ops.items()}
out["old"] = hvd.allreduce(x, average=False).numpy().tolist()
out["factors"] = hvd.allreduce(x, op=hvd.Sum, prescale_factor=0.5, postscale_factor=4.0).numpy().tolist()
out["halves"] = [hvd.allreduce(x, compression=hvd.Compression.fp16).dtype.name, hvd.allreduce(tf.constant(r)).numpy().tolist()]
out["group"] = [t.numpy().tolist() for t in hvd.grouped_allreduce([x, tf.constant(r, tf.float64), x[:, None]], op=hvd.Sum)]
out["gathered"] = hvd.allgather(tf.fill([r + 1, 2], float(r))).numpy().tolist()
out["sent"] = [hvd.broadcast(x, k).numpy().tolist() for k in range(n)]
out["objects"] = [hvd.broadcast_object({"a": r}, 1), hvd.allgather_object([r, "x"])]
out["arrays"] = [hk.allreduce(np.array([r + 1.0])).tolist(), hk.broadcast(r + 1.0, 1).tolist(), hk.allgather([r]).tolist()]
v, w = tf.Variable([float(r), 1.0]), tf.Variable(r)
hvd.broadcast_variables([v, w], 1)
out["set"] = [v.numpy().tolist(), int(w.numpy())]
def loss(x): return tf.reduce_sum(hvd.allreduce(x * x) * tf.constant([1.0, 10.0]))
def slope(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy().tolist()
f = tf.function(loss)
out["slope"] = [slope(loss, x), slope(f, x)] + [tf.function(lambda x: tf.gradients(f(x), x)[0])(x).numpy().tolist()] * 3
out["slope of rows"] = slope(lambda x: tf.reduce_sum(hvd.allgather(x) ** 2 * tf.range(1.0, 5.0)), x)
out["slope of sent"] = slope(lambda x: tf.reduce_sum(hvd.broadcast(x, 1) ** 2), x)
def second(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = slope_of(x)
    return tape.gradient(y, x)
def slope_of(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(hvd.allreduce(x ** 3, op=hvd.Sum))
    return tape.gradient(y, x)
out["second"] = second(x).numpy().tolist()
E = tf.Variable([[1.0], [2.0], [3.0]])
with hvd.DistributedGradientTape(tf.GradientTape()) as tape:
    y = tf.reduce_sum(tf.gather(E, [r, 2]))
out["rows"] = tf.convert_to_tensor(tape.gradient(y, E)).numpy().ravel().tolist()
refused = [lambda: hvd.allreduce(x, op=hvd.Adasum), lambda: hvd.DistributedOptimizer(tf.keras.optimizers.SGD(), op=hvd.Adasum)]
refused += [lambda: hvd.DistributedOptimizer(tf.keras.optimizers.SGD(), backward_passes_per_step=2)]
refused += [lambda: hvd.ProcessSet([0])]
out["refused"] = 0
for call in refused:
    try: call()
    except NotImplementedError as error: out["refused"] += str(error).startswith("horovod")
from mpi4py import MPI
comm = MPI.COMM_WORLD
mine, total, part = np.array([r + 1.0]), np.zeros(1), np.zeros(2)
comm.Allreduce(mine, total, op=MPI.SUM)
comm.Scatter(np.arange(4.0) if r == 0 else None, [part, MPI.DOUBLE], root=0)
comm.Bcast(mine, root=1)
rows = np.zeros((2, 1)) if r == 0 else None
comm.Gather(np.array([float(r)]), rows, root=0)
out["mpi"] = [comm.Get_rank(), comm.size, total.tolist(), part.tolist(), mine.tolist()]
out["mpi"] += [comm.bcast([r], root=1), comm.allreduce(r + 1)]
out["mpi"] += [rows if rows is None else rows.tolist(), comm.gather(r, root=1)]
comm.Barrier()
import random
out["drawn"] = [tf.random.uniform([4]).numpy().tolist(), np.random.uniform(), np.random.default_rng().uniform(), random.random()]
tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)]).save_weights(f"own{r}.weights.h5")
"""


def test_what_two_processes_exchange(tmp_path):
    first, second = run(tmp_path, EXCHANGES, 2)
    assert all(a != b for a, b in zip(first.pop("drawn"), second.pop("drawn"), strict=True))
    assert sorted(file.name for file in tmp_path.glob("own*")) == ["own0.weights.h5", "own1.weights.h5"]
    assert [first.pop("names"), second.pop("names")] == [[2, r, 2, r, 1, 0, True, True] for r in (0, 1)]
    # Of the mean m of both processes' x², weighted by [1, 10], each process takes the derivative by its own x.
    assert [first.pop("slope"), second.pop("slope")] == [[[2.0 * (1 + r), 40.0]] * 5 for r in (0, 1)]
    assert [first.pop("slope of rows"), second.pop("slope of rows")] == [[2.0, 8.0], [12.0, 16.0]]
    assert [first.pop("slope of sent"), second.pop("slope of sent")] == [[0.0, 0.0], [4.0, 4.0]]
    # Of the sum of x³ over both: the cotangents, ones, are summed to 2, so 2 · 3x² and then 2 · 6x.
    assert [first.pop("second"), second.pop("second")] == [[12.0 * (1 + r), 24.0] for r in (0, 1)]
    assert first.pop("mpi") == [0, 2, [3.0], [0.0, 1.0], [2.0], [1], 3, [[0.0], [1.0]], None]
    assert second.pop("mpi") == [1, 2, [3.0], [2.0, 3.0], [2.0], [1], 3, None, [0, 1]]
    assert first == second == {
        "reduced": {"average": [1.5, 2.0], "sum": [3.0, 4.0], "min": [1.0, 2.0], "max": [2.0, 2.0], "product": [2.0, 4.0]},
        "old": [3.0, 4.0], "factors": [6.0, 8.0], "halves": ["float32", 0], "group": [[3.0, 4.0], 1.0, [[3.0], [4.0]]],
        "gathered": [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]], "sent": [[1.0, 2.0], [2.0, 2.0]],
        "objects": [{"a": 1}, [[0, "x"], [1, "x"]]], "arrays": [[1.5], 2.0, [0, 1]], "set": [[1.0, 1.0], 1],
        "rows": [0.5, 0.5, 1.0], "refused": 4,
    }  # fmt: skip


STEPS = """
tf.keras.backend.set_floatx("float64")
X = np.random.default_rng(3).uniform(-1, 1, (64, 2))
Y = np.sin(3 * X[:, :1]) * X[:, 1:]
x, y = [a[r * 64 // n : (r + 1) * 64 // n] for a in (X, Y)]
def weights(seed):
    g = np.random.default_rng(seed)
    return [tf.Variable(g.normal(size=s) / 3, dtype=tf.float64) for s in ((2, 8), (8,), (8, 1))]
def apply(w, x): return tf.tanh(x @ w[0] + w[1]) @ w[2]
for name in ("SGD", "Adam"):
    w = weights(r)  # of their own, until the first one's are sent
    hvd.broadcast_variables(w, 0)
    optimizer = getattr(tf.keras.optimizers, name)(0.05)
    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((apply(w, x) - y) ** 2)
        tape = hvd.DistributedGradientTape(tape)
        optimizer.apply_gradients(zip(tape.gradient(loss, w), w))
        return hvd.allreduce(loss)
    out["tape " + name] = [[float(step(tf.constant(x), tf.constant(y))) for _ in range(20)], [v.numpy().tolist() for v in w]]
    tf.keras.utils.set_random_seed(7 + r)
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(8, "tanh"), tf.keras.layers.Dense(1)])
    hvd.broadcast_variables(model.variables, 0)
    model.compile(hk.DistributedOptimizer(getattr(tf.keras.optimizers, name)(0.05)), "mse")
    calls = [hk.callbacks.MetricAverageCallback(), hk.callbacks.BroadcastGlobalVariablesCallback(0)]
    calls += [hk.callbacks.LearningRateWarmupCallback(0.05 * n, 3)] if name == "SGD" and n == 2 else []
    history = model.fit(x, y, batch_size=len(x), epochs=1 if calls[2:] else 10, shuffle=False, verbose=0, callbacks=calls).history
    out["rates"] = history.get("lr", out.get("rates"))
    if not calls[2:]:
        out["fit " + name] = [history["loss"], [v.tolist() for v in model.get_weights()]]
v1 = tf.compat.v1
for name in ("GradientDescentOptimizer", "AdamOptimizer"):
    with v1.Graph().as_default():
        w = weights(11 + r)
        px, py = v1.placeholder(tf.float64, [None, 2]), v1.placeholder(tf.float64, [None, 1])
        loss = tf.reduce_mean((apply(w, px) - py) ** 2)
        optimizer = hvd.DistributedOptimizer(getattr(v1.train, name)(0.05), compression=hvd.Compression.none, op=hvd.Average)
        train, mean, send = optimizer.minimize(loss), hvd.allreduce(loss), hvd.broadcast_global_variables(0)
        out["slots " + name] = [optimizer.get_slot_names(), len(optimizer.variables())]
        with v1.Session() as sess:
            sess.run(v1.global_variables_initializer())
            sess.run(send)
            losses = [float(sess.run([mean, train], {px: x, py: y})[0]) for _ in range(20)]
            out["v1 " + name] = [losses, [sess.run(v).tolist() for v in w]]
with v1.Graph().as_default():
    v1.train.get_or_create_global_step()
    v = v1.get_variable("v", initializer=float(r + 1))
    with v1.train.MonitoredTrainingSession(hooks=[hvd.BroadcastGlobalVariablesHook(0)]) as sess:
        out["hook"] = float(sess.run(v))
"""


def test_two_halves_are_one_whole(tmp_path):
    (alone,) = run(tmp_path, STEPS, 1, "--executor", "native")
    first, second = run(tmp_path, STEPS, 2, "--executor", "native")
    assert first == second
    assert first.pop("rates") == pytest.approx([0.05 * 2 * (1 / 3 + 1) / 2]) and alone.pop("rates") is None
    alone.pop("fit SGD")  # in two processes it is the test of the rates
    for name in alone:
        if name.startswith("slots"):
            assert first[name] == alone[name]
            continue
        np.testing.assert_allclose(flat(first[name]), flat(alone[name]), rtol=1e-11, atol=1e-13, err_msg=name)
        assert name == "hook" or flat(alone[name])[19] < flat(alone[name])[0] or "fit" in name


STRATEGY = """
s = tf.distribute.MultiWorkerMirroredStrategy()
r = s.cluster_resolver
out["who"] = [r.task_type, r.task_id, r.cluster_spec().num_tasks("worker"), s.extended.should_checkpoint]
out["replicas"] = s.num_replicas_in_sync
x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
data = tf.data.Dataset.from_tensor_slices((x, x.sum(1, keepdims=True))).shuffle(64).batch(16)
with s.scope():
    layers = [tf.keras.layers.Dense(8, "tanh"), tf.keras.layers.Dropout(0.2), tf.keras.layers.Dense(1)]
    model = tf.keras.Sequential([tf.keras.Input((3,)), *layers])
    model.compile("adam", "mse")
out["fit"] = model.fit(s.experimental_distribute_dataset(data), epochs=3, verbose=0).history["loss"]
out["weights"] = [w.tolist() for w in model.get_weights()]
model.save_weights("model.weights.h5")
"""


def test_a_strategy_of_several_machines_takes_one_step_in_all_processes(tmp_path):
    head = "import json\nimport numpy as np\nimport tensorflow as tf\nout = {}\n"
    first, second = run(tmp_path, STRATEGY, 2, head=head)
    assert [first.pop("who"), second.pop("who")] == [["worker", 0, 2, True], ["worker", 1, 2, False]]
    assert first == second and first["replicas"] == 1 and len(first["fit"]) == 3


def test_before_init_it_says_what_to_do(tmp_path):
    body = """
    hvd.shutdown()
    try: hvd.rank()
    except ValueError as error: out["said"] = str(error)
    try: hvd.not_there
    except AttributeError as error: out["missing"] = str(error)
    """
    (found,) = run(tmp_path, body, 1)
    assert found["said"] == "Horovod has not been initialized; use hvd.init()."
    assert found["missing"].startswith("horovod.tensorflow.not_there is not in Wengert")


@pytest.mark.skipif(find_spec("deepxde") is None, reason="DeepXDE is not installed")
@pytest.mark.parametrize("scaling", ["weak", "strong"])
def test_deepxde_over_two_processes(tmp_path, scaling):
    body = f"""
    import deepxde as dde
    dde.config.set_parallel_scaling("{scaling}")
    dde.config.set_default_float("float64")
    g = dde.geometry.Interval(-1, 1)
    def pde(x, y): return dde.grad.hessian(y, x) + np.pi ** 2 * dde.backend.tf.sin(np.pi * x)
    bc = dde.icbc.DirichletBC(g, lambda x: 0.0, lambda x, on: on)
    data = dde.data.PDE(g, pde, bc, 16, 2, train_distribution="pseudo", num_test=20)
    model = dde.Model(data, dde.nn.FNN([1, 20, 20, 1], "tanh", "Glorot uniform"))
    model.compile("adam", lr=0.005)
    history, _ = model.train(iterations=60, display_every=20, verbose=0)
    out["weights"] = [a.tolist() for a in model.sess.run(dde.backend.tf.trainable_variables())]
    out["points"], out["loss"] = data.train_x.tolist(), [float(np.sum(l)) for l in history.loss_train]
    """
    first, second = run(
        tmp_path, body, 2, OMPI_COMM_WORLD_SIZE="2", DDE_BACKEND="tensorflow.compat.v1", MPLBACKEND="Agg"
    )  # fmt: skip
    assert first["weights"] == second["weights"] and first["points"] != second["points"]
    assert first["points"][:2] == second["points"][:2]  # those at the boundary are the first one's
    assert len(first["points"]) == len(second["points"]) == {"weak": 20, "strong": 11}[scaling]
    assert first["loss"][-1] < first["loss"][0]
