"""Monitored sessions and their hooks, and variables that begin with a checkpoint's values; the numbers are TensorFlow 2.21's."""

import os

import numpy as np
import pytest

import wengert as tf

v1 = tf.compat.v1


class Noted(v1.train.SessionRunHook):
    """Notes what is called, and the loss of each run."""

    def __init__(self):
        self.notes = []

    def begin(self):
        self.notes.append("begin")

    def after_create_session(self, session, coord):
        self.notes.append("created")

    def before_run(self, run_context):
        return v1.train.SessionRunArgs({"loss": "loss:0"})

    def after_run(self, run_context, run_values):
        self.notes.append(float(run_values.results["loss"]))

    def end(self, session):
        self.notes.append("end")


def train(folder, last):
    """Train until a step is reached; go on from where the folder's checkpoint is."""
    noted = Noted()
    with tf.Graph().as_default():
        fed, w = v1.placeholder(tf.float32, [], name="fed"), v1.get_variable("w", initializer=4.0)
        loss = tf.identity(w * w * fed, name="loss")
        step = v1.train.get_or_create_global_step()
        move = v1.train.GradientDescentOptimizer(0.25).minimize(loss, global_step=step)
        hooks = [noted, v1.train.StopAtStepHook(last_step=last), v1.train.NanTensorHook(loss)]
        with v1.train.MonitoredTrainingSession(checkpoint_dir=folder, hooks=hooks, save_checkpoint_steps=2) as session:
            while not session.should_stop():
                session.run(move, {fed: 1.0})
    return noted.notes


@pytest.fixture
def trained(tmp_path):
    folder = str(tmp_path / "kept")
    assert train(folder, 3) == ["begin", "created", 16.0, 4.0, 1.0, "end"]
    assert train(folder, 5) == ["begin", "created", 0.25, 0.0625, "end"]
    return folder


def test_training_goes_on_from_a_checkpoint(trained):
    steps = sorted(name for name in os.listdir(trained) if name.endswith(".index"))
    assert steps == [f"model.ckpt-{k}.index" for k in (0, 2, 3, 5)]


def test_variables_begin_with_the_values_of_a_checkpoint(trained):
    with tf.Graph().as_default(), v1.Session() as session:
        with v1.variable_scope("new"):
            w = v1.get_variable("w", initializer=0.0)
        u, m = v1.get_variable("u", initializer=1.0), v1.get_variable("m", initializer=[1.0, 2.0])
        v1.train.init_from_checkpoint(trained, {"/": "new/"})
        v1.train.init_from_checkpoint(trained, [("w", "u")])
        refused = (({"zz": u}, "zz is not found"), ({"w": m}, r"Shape of variable m:0 \(\(2,\)\)"), ({"w": "new/"}, "scope"))
        for wrong, told in refused:
            with pytest.raises(ValueError, match=told):
                v1.train.init_from_checkpoint(trained, wrong)
        session.run(v1.global_variables_initializer())
        assert session.run([w, u]) == [0.125, 0.125]


def test_when_something_is_due():
    timer = v1.train.SecondOrStepTimer(every_steps=3)
    due = []
    for k in range(8):
        due.append(timer.should_trigger_for_step(k))
        if due[-1]:
            timer.update_last_triggered_step(k)
    assert due == [True, False, False, True, False, False, True, False]
    with pytest.raises(ValueError, match="exactly one"):
        v1.train.SecondOrStepTimer(1.0, 1)


def test_the_end_of_the_data_is_no_error():
    noted = Noted()
    with tf.Graph().as_default():
        tf.constant(1.0, name="loss")
        with v1.train.MonitoredSession(hooks=[noted]) as session:
            raise tf.errors.OutOfRangeError(None, None, "no more")
        assert session.should_stop() and noted.notes == ["begin", "created", "end"]
        with pytest.raises(RuntimeError, match="closed session"):
            session.run([])
    noted = Noted()
    with pytest.raises(ZeroDivisionError), tf.Graph().as_default():
        tf.constant(1.0, name="loss")
        with v1.train.SingularMonitoredSession([noted]) as session:
            session.run([])
            raise ZeroDivisionError
    assert noted.notes == ["begin", "created", 1.0]


def test_a_loss_that_is_no_number(caplog):
    for fails in (True, False):
        with tf.Graph().as_default():
            loss = tf.constant(np.nan)
            final = v1.train.FinalOpsHook(tf.constant(7.0))
            hooks = [v1.train.NanTensorHook(loss, fails), final, v1.train.LoggingTensorHook({"l": loss}, every_n_iter=1)]
            with v1.train.MonitoredSession(hooks=hooks) as session:
                if fails:
                    with pytest.raises(v1.train.NanLossDuringTrainingError, match="NaN loss during training"):
                        session.run([])
                else:
                    session.run([])
                    assert session.should_stop()
                    with pytest.raises(RuntimeError, match="even after should_stop"):
                        session.run([])
            assert final.final_ops_values == 7.0


def test_hooks_feed_and_steps_run_with_them():
    with tf.Graph().as_default():
        fed = v1.placeholder(tf.float32, [])
        twice = 2.0 * fed
        with v1.train.MonitoredSession(hooks=[v1.train.FeedFnHook(lambda: {fed: 3.0})]) as session:
            assert session.run(twice) == 6.0
            assert session.run_step_fn(lambda context: context.run_with_hooks(twice)) == 6.0
            assert session.run_step_fn(lambda context: context.session.run(twice, {fed: 1.0})) == 2.0
            with pytest.raises(RuntimeError, match="fed by two"):
                session.run(twice, {fed: 1.0})
