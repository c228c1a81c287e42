"""Strategies: TensorFlow's answers, recorded, against ours; and what TensorFlow was not asked."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.ground.context import state

sys.path.insert(0, str(Path(__file__).parent))
import record_distribute as record

RECORDED = json.loads((Path(__file__).parent / "distribute-tensorflow-2.21.json").read_text())
ENDED = "[it.get_next() for it in [iter(batches())] for _ in range(4)]"


@pytest.mark.parametrize("strategy", record.STRATEGIES)
def test_what_tensorflow_answers(strategy):
    found = json.loads(json.dumps(record.answers(tf, strategy)))
    wanted = {**RECORDED["common"], **RECORDED[strategy], ENDED: "raises IndexError"}  # OutOfRangeError is one here
    assert len(wanted) == len(found) > 100
    assert {q: (found[q], a) for q, a in wanted.items() if found[q] != a} == {}
    assert state.distribution is None


def test_the_end_of_a_distributed_dataset_is_out_of_range():
    it = iter(tf.distribute.MirroredStrategy().experimental_distribute_dataset(tf.data.Dataset.range(1)))
    assert isinstance(it, tf.distribute.DistributedIterator)
    it.get_next()
    with pytest.raises(tf.errors.OutOfRangeError):
        it.get_next()


def test_errors_leave_nothing_behind():
    s = tf.distribute.MirroredStrategy()

    def fails():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), s.scope():
        s.run(fails)
    with pytest.raises(ZeroDivisionError):
        s.run(lambda: tf.distribute.get_replica_context().merge_call(lambda t: 1 // 0))
    assert not tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context()
    with pytest.raises(RuntimeError, match="in replica context"), s.scope():
        tf.distribute.ReplicaContext(s).all_reduce("SUM", 1.0)


def test_what_is_told_of_a_strategy_that_is_mixed_or_nested():
    s, other = tf.distribute.MirroredStrategy(), tf.distribute.OneDeviceStrategy("/cpu:0")
    with pytest.raises(RuntimeError, match=r"Mixing different tf.distribute.Strategy objects: .*MirroredStrategy.*OneDevice"):
        with s.scope():
            other.scope().__enter__()
    with pytest.raises(RuntimeError, match=r"use get_replica_context\(\).merge_call\(\)"):
        s.run(lambda: s.reduce("SUM", 1.0, None))
    with pytest.raises(RuntimeError, match="Must not nest"), s.scope():
        tf.distribute.ReplicaContext(s)
        type(tf.distribute.get_strategy())
        OUTERMOST.scope().__enter__()


OUTERMOST = tf.distribute.get_strategy()


def test_rows_and_gradients_of_them_pass():
    s = tf.distribute.MirroredStrategy()
    table = tf.Variable([[1.0], [2.0], [3.0]])

    def step(rows):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.gather(table, rows) ** 2)
        return tf.distribute.get_replica_context().all_reduce("SUM", tape.gradient(y, table))

    found = s.run(step, (tf.constant([0, 2]),))
    assert isinstance(found, tf.IndexedSlices)
    np.testing.assert_array_equal(tf.convert_to_tensor(found), [[2.0], [0.0], [6.0]])


def test_second_derivatives_pass_through_a_strategy():
    s = tf.distribute.MirroredStrategy()
    x = tf.constant([0.3, 0.7])

    @tf.function
    def second(x):
        def inner(x):
            return tf.distribute.get_replica_context().all_reduce("SUM", tf.sin(x))

        y = s.run(inner, (x,))
        return tf.gradients(tf.gradients(y, x)[0], x)[0]

    np.testing.assert_allclose(second(x), -np.sin([0.3, 0.7]), rtol=1e-6)


def test_a_session_takes_a_strategy():
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        s = v1.distribute.MirroredStrategy()
        x = v1.placeholder(tf.float32, [None])
        with s.scope():
            w = v1.get_variable("w", initializer=2.0)
        loss = s.reduce(v1.distribute.ReduceOp.MEAN, s.run(lambda x: w * x, (x,)), axis=0)
        slope = tf.gradients(loss, [w])[0]
        with v1.Session() as sess:
            sess.run(v1.global_variables_initializer())
            assert [float(v) for v in sess.run([loss, slope], {x: [1.0, 3.0]})] == [4.0, 2.0]
        assert v1.distribute.get_loss_reduction() is v1.distribute.ReduceOp.SUM


def test_threads_have_contexts_of_their_own():
    import threading

    seen = []
    with tf.distribute.MirroredStrategy().scope():
        thread = threading.Thread(target=lambda: seen.append(tf.distribute.has_strategy()))
        thread.start()
        thread.join()
        assert tf.distribute.has_strategy() and seen == [False]


def test_an_iterator_of_global_batches_is_saved(tmp_path):
    s = tf.distribute.MirroredStrategy()
    it = iter(s.experimental_distribute_dataset(tf.data.Dataset.range(6).batch(2)))
    next(it)
    path = tf.train.Checkpoint(it=it).save(str(tmp_path / "c"))
    next(it)
    tf.train.Checkpoint(it=it).restore(path)
    assert next(it).numpy().tolist() == [2, 3]


@pytest.mark.parametrize(
    "make",
    [
        lambda d: d.TPUStrategy(),
        lambda d: d.experimental.TPUStrategy(None),
        lambda d: d.ParameterServerStrategy(d.cluster_resolver.TFConfigClusterResolver()),
        lambda d: d.coordinator.ClusterCoordinator(None),
        lambda d: d.experimental.coordinator.RemoteValue(),
        lambda d: d.experimental.PreemptionCheckpointHandler(None, None),
        lambda d: d.Server({"worker": ["a:1"]}),
        lambda d: d.cluster_resolver.GCEClusterResolver("p", "z", "g", 1),
    ],
)
def test_what_is_not_here_says_so(make):
    with pytest.raises(NotImplementedError, match=r"distribute\.(cluster_resolver\.)?\w+: .{40}"):
        make(tf.distribute)


def test_a_cluster_of_one_process_is_tf_configs(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", record.CONFIG)
    s = tf.distribute.experimental.MultiWorkerMirroredStrategy(tf.distribute.cluster_resolver.TFConfigClusterResolver())
    r = s.cluster_resolver
    assert (r.task_type, r.task_id, r.cluster_spec().num_tasks("worker")) == ("worker", 1, 2)
    assert s.extended.should_checkpoint and s.extended.should_save_summary


def test_nodes_and_counts_of_slurms():
    from wengert.surface.distribute.resolvers import _counts, _nodes

    assert _nodes("a[1-2,7]b[03-04],c") == ["a1b03", "a1b04", "a2b03", "a2b04", "a7b03", "a7b04", "c"]
    assert _counts("3(x2),12,1") == [3, 3, 12, 1]
