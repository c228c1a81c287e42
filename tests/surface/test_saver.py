"""``tf.train.Saver``: files, names and errors are TensorFlow 2.21's, but for the format inside."""

import os
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

T = tf.compat.v1.train


@pytest.fixture
def session(v1, graph):
    """A session with w = [1, 2] and n = 5."""
    v1.get_variable("w", initializer=[1.0, 2.0])
    v1.get_variable("n", initializer=5, trainable=False)
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        yield sess


def base(paths):
    return [os.path.basename(p) for p in paths]


def value(v1, sess, name):
    return sess.run(next(v for v in v1.global_variables() if v.name == name)).tolist()


def test_the_latest_few_are_kept(session, tmp_path: Path):
    saver = T.Saver(max_to_keep=2)
    names = base(saver.save(session, str(tmp_path / "m"), global_step=k) for k in (1, 2, np.int64(3)))
    assert (names, base(saver.last_checkpoints)) == (["m-1", "m-2", "m-3"], ["m-2", "m-3"])
    wanted = [f"m-{k}.{end}" for k in (2, 3) for end in ("index", "meta", "safetensors")]
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", *wanted]
    state = T.get_checkpoint_state(tmp_path)
    assert (base([state.model_checkpoint_path]), base(state.all_model_checkpoint_paths)) == (["m-3"], ["m-2", "m-3"])
    assert T.latest_checkpoint(tmp_path) == str(tmp_path / "m-3")


@pytest.mark.parametrize("most", [None, 0])
def test_all_are_kept(most, session, tmp_path: Path):
    saver = T.Saver(max_to_keep=most)
    for k in range(7):
        saver.save(session, str(tmp_path / "m"), global_step=k)
    assert len(saver.last_checkpoints) == 7
    assert len(list(tmp_path.glob("*.safetensors"))) == 7


def test_one_is_kept_for_good_now_and_then(session, tmp_path: Path):
    saver = T.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=0.0)
    for k in range(3):
        saver.save(session, str(tmp_path / "m"), global_step=k)
    assert base(saver.last_checkpoints) == ["m-2"]
    assert len(list(tmp_path.glob("*.safetensors"))) == 3


def test_the_step_is_a_variable_or_padded(v1, session, tmp_path: Path):
    step = next(v for v in v1.global_variables() if v.name == "n:0")
    assert base([T.Saver().save(session, str(tmp_path / "m"), global_step=step)]) == ["m-5"]
    assert base([T.Saver(pad_step_number=True).save(session, str(tmp_path / "m"), 7)]) == ["m-00000007"]


def test_what_another_session_had_comes_back(v1, session, tmp_path: Path):
    saver = T.Saver()
    w = v1.trainable_variables()[0]
    session.run(w.assign([7.0, 8.0]))
    path = saver.save(session, str(tmp_path / "m"))
    session.run(w.assign([0.0, 0.0]))
    with v1.Session() as other:
        saver.restore(other, path)  # nothing was initialised
        assert (other.run(w).tolist(), value(v1, other, "n:0")) == ([7.0, 8.0], 5)
    assert session.run(w).tolist() == [0.0, 0.0]
    assert T.list_variables(path) == [("n", []), ("w", [2])]


def test_a_dictionary_gives_names(v1, session, tmp_path: Path):
    w = v1.trainable_variables()[0]
    path = T.Saver({"other": w}).save(session, str(tmp_path / "m"))
    assert T.list_variables(path) == [("other", [2])]
    with v1.Session() as sess:
        T.Saver({"other": w}).restore(sess, path)
        assert sess.run(w).tolist() == [1.0, 2.0]


def test_without_state_nothing_is_noted(session, tmp_path: Path):
    saver = T.Saver()
    saver.save(session, str(tmp_path / "m"), write_state=False, write_meta_graph=False)
    assert (saver.last_checkpoints, sorted(os.listdir(tmp_path))) == ([], ["m.index", "m.safetensors"])


def test_an_index_that_tensorflow_wrote_stays(session, tmp_path: Path):
    (tmp_path / "m.index").write_bytes(b"\x00\x01TensorFlow's")
    T.Saver().save(session, str(tmp_path / "m"))
    assert (tmp_path / "m.index").read_bytes() == b"\x00\x01TensorFlow's"


def test_missing_values_restore_nothing(v1, session, tmp_path: Path):
    everything, w = T.Saver(), v1.trainable_variables()[0]
    path = T.Saver([w]).save(session, str(tmp_path / "m"))
    with v1.Session() as sess:
        with pytest.raises(tf.errors.NotFoundError, match="Key n not found"):
            everything.restore(sess, path)
        with pytest.raises(tf.errors.FailedPreconditionError):
            sess.run(w)


@pytest.mark.parametrize(
    ("shape", "dtype", "error"),
    [([3], tf.float32, tf.errors.InvalidArgumentError), ([2], tf.float64, tf.errors.InvalidArgumentError)],
)
def test_values_that_do_not_fit(shape, dtype, error, v1, session, tmp_path: Path):
    path = T.Saver().save(session, str(tmp_path / "m"))
    with tf.Graph().as_default():
        w = v1.get_variable("w", shape, dtype)
        with v1.Session() as sess, pytest.raises(error, match="Nothing has been restored"):
            T.Saver([w]).restore(sess, path)


def test_values_are_reshaped_where_that_is_wanted(v1, session, tmp_path: Path):
    path = T.Saver().save(session, str(tmp_path / "m"))
    with tf.Graph().as_default():
        w, wrong = v1.get_variable("w", [2, 1]), v1.get_variable("wrong", [3])
        with v1.Session() as sess:
            T.Saver([w], reshape=True).restore(sess, path)
            assert sess.run(w).tolist() == [[1.0], [2.0]]
            with pytest.raises(tf.errors.InvalidArgumentError):
                T.Saver({"w": wrong}, reshape=True).restore(sess, path)


def test_uninitialised_variables_are_not_saved(v1, graph, tmp_path: Path):
    v1.get_variable("w", [2])
    with v1.Session() as sess, pytest.raises(tf.errors.FailedPreconditionError):
        T.Saver().save(sess, str(tmp_path / "m"))
    assert os.listdir(tmp_path) == []


def test_paths_that_do_not_do(session, tmp_path: Path):
    saver = T.Saver()
    for path, error in [(str(tmp_path / "a" / "m"), ValueError), ("", ValueError), (None, TypeError)]:
        with pytest.raises(error):
            saver.save(session, path)
    with pytest.raises(ValueError, match="latest_filename"):
        saver.save(session, str(tmp_path / "m"), latest_filename="a/b")
    with pytest.raises(ValueError, match="not a valid checkpoint"):
        saver.restore(session, str(tmp_path / "m"))
    with pytest.raises(ValueError, match="None"):
        saver.restore(session, None)
    with pytest.raises(TypeError, match="Session"):
        saver.save(None, str(tmp_path / "m"))


def test_variables_that_do_not_do(v1, session):
    w = v1.trainable_variables()[0]
    t = tf.square(w)
    for given, error in [
        ([], ValueError), ([t], TypeError), ({"t": t}, TypeError), ([w, w], ValueError), ("w", TypeError), (w, TypeError),
        ({1: w}, TypeError), ({"x": w, "y": w}, ValueError),
    ]:  # fmt: skip
        with pytest.raises(error):
            T.Saver(given)
    assert T.Saver([], allow_empty=True).last_checkpoints == []


def test_a_saver_that_is_built_later(v1, session, tmp_path: Path):
    saver = T.Saver(defer_build=True)
    with pytest.raises(RuntimeError, match="build"):
        saver.save(session, str(tmp_path / "m"))
    saver.build()
    saver.save(session, str(tmp_path / "m"))


def test_a_saver_takes_the_variables_that_there_are(v1, session, tmp_path: Path):
    saver = T.Saver()
    v1.get_variable("later", [1])
    assert [n for n, _ in T.list_variables(saver.save(session, str(tmp_path / "m")))] == ["n", "w"]


def test_checkpoints_that_another_run_left(session, tmp_path: Path):
    path = T.Saver().save(session, str(tmp_path / "m"))
    saver = T.Saver()
    saver.recover_last_checkpoints([path, str(tmp_path / "gone")])
    assert saver.last_checkpoints == [path]
    saver.set_last_checkpoints_with_time([("a", 1.0)])
    assert saver.last_checkpoints == ["a"]
    saver.set_last_checkpoints(["b", "c"])
    assert saver.last_checkpoints == ["b", "c"]


def test_eagerly(tmp_path: Path):
    v = tf.Variable([1.0, 2.0], name="v")
    with pytest.raises(RuntimeError, match="var_list"):
        T.Saver()
    saver = T.Saver([v])
    path = saver.save(None, str(tmp_path / "m"), global_step=tf.constant(3))
    v.assign([0.0, 0.0])
    saver.restore(None, path)
    assert (base([path]), v.numpy().tolist()) == (["m-3"], [1.0, 2.0])


def test_protocol_buffers_are_refused(session, tmp_path: Path):
    with pytest.raises(NotImplementedError, match=r"Saver\(\)\.restore"):
        T.import_meta_graph(str(tmp_path / "m.meta"))
    for refused in (T.Saver().as_saver_def, T.Saver().export_meta_graph, T.export_meta_graph):
        with pytest.raises(NotImplementedError):
            refused()
