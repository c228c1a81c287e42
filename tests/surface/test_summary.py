"""``tf.summary`` of both TensorFlows: tags are TensorFlow 2.21's, the record is our own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import wengert as tf


def events(folder):
    return [{k: v for k, v in e.items() if k != "wall_time"} for e in tf.summary.read(folder)]


# --- TensorFlow 1's -------------------------------------------------------------------------------------------------------


def test_tags_and_names(v1, graph):
    S = v1.summary
    made = [S.scalar("loss", 2.0), S.scalar("loss", 3.0)]
    with tf.name_scope("s"):
        made += [S.scalar("my loss", 4.0, family="fam"), S.histogram("h", [1.0, 2.0, 2.5])]
    assert [m.name for m in made] == ["loss:0", "loss_1:0", "s/fam/my_loss:0", "s/h:0"]
    assert S.merge_all("nothing") is None
    with v1.Session() as sess:
        whole = v1.Summary.FromString(sess.run(S.merge_all()))
        part = v1.Summary.FromString(sess.run(S.merge_all(scope="s/")))
    assert [v.tag for v in whole.value] == ["loss", "loss_1", "fam/s/fam/my_loss", "s/h"]
    assert [v.simple_value for v in whole.value] == [2.0, 3.0, 4.0, 0.0]
    assert [v.WhichOneof("value") for v in part.value] == ["simple_value", "histo"]
    histogram = part.value[1].histo
    assert {k: histogram[k] for k in ("min", "max", "num", "sum", "sum_squares")} == {
        "min": 1.0, "max": 2.5, "num": 3, "sum": 5.5, "sum_squares": 11.25,
    }  # fmt: skip
    assert sum(histogram["bucket"]) == 3


def test_a_writer(v1, graph, tmp_path: Path):
    x = v1.placeholder(tf.float32, [], name="x")
    v1.summary.scalar("loss", x)
    merged = v1.summary.merge_all()
    with v1.Session() as sess:
        writer = v1.summary.FileWriter(str(tmp_path / "logs"), sess.graph)
        for step in range(3):
            writer.add_summary(sess.run(merged, {x: step / 4}), step)
        own = v1.Summary(value=[v1.Summary.Value(tag="own", simple_value=np.float32(0.5))])
        own.value.add(tag="more", simple_value=1)
        writer.add_summary(own, np.int64(7))
        writer.close()
    first, *rest = events(tmp_path / "logs")
    assert first["graph"][0] == {"name": "x", "type": "Placeholder", "input": []}
    assert rest == [
        *({"step": k, "tag": "loss", "scalar": k / 4} for k in range(3)),
        {"step": 7, "tag": "own", "scalar": 0.5},
        {"step": 7, "tag": "more", "scalar": 1.0},
    ]
    (path,) = (tmp_path / "logs").iterdir()
    read = list(v1.train.summary_iterator(str(path)))
    assert [(e.step, v.tag, v.simple_value) for e in read for v in e.summary.value][-2:] == [(7, "own", 0.5), (7, "more", 1.0)]


def test_a_closed_writer_drops_until_it_is_reopened(v1, tmp_path: Path, caplog):
    writer = v1.summary.FileWriter(tmp_path)
    summary = v1.Summary(value=[v1.Summary.Value(tag="a", simple_value=1.0)])
    writer.close()
    writer.add_summary(summary, 1)
    assert "closed FileWriter" in caplog.text
    writer.reopen()
    writer.add_summary(summary, 2)
    writer.flush()
    assert [e["step"] for e in events(tmp_path)] == [2]
    assert writer.get_logdir() == tmp_path


def test_what_is_no_summary(v1, graph, tmp_path: Path):
    with pytest.raises(ValueError, match="scalar"):
        v1.summary.scalar("x", [1.0])
    with pytest.raises(ValueError, match="no bytes of a summary"):
        v1.summary.FileWriter(tmp_path).add_summary(b"\x0a\x01", 1)
    with pytest.raises(ValueError, match="no field 'other'"):
        v1.Summary.Value(tag="a", other=1)
    with pytest.raises(ValueError, match="empty"):
        v1.summary.merge([])


def test_what_waits_is_written_when_the_program_ends(tmp_path: Path):
    code = (
        "import sys, wengert.compat.v1 as tf\n"
        "w = tf.summary.FileWriter(sys.argv[1])\n"
        "w.add_summary(tf.Summary(value=[tf.Summary.Value(tag='a', simple_value=1.0)]), 3)\n"
        "assert not next(__import__('pathlib').Path(sys.argv[1]).iterdir()).read_text()\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert events(tmp_path) == [{"step": 3, "tag": "a", "scalar": 1.0}]


# --- TensorFlow 2's -------------------------------------------------------------------------------------------------------


def test_eagerly_and_in_a_function(tmp_path: Path):
    writer = tf.summary.create_file_writer(tmp_path)
    step = tf.Variable(0, dtype=tf.int64)

    @tf.function
    def train(x):
        tf.summary.scalar("loss", tf.reduce_sum(x), step=step)
        return x * 2

    assert not tf.summary.scalar("nowhere", 1.0, step=0)
    with writer.as_default():
        assert tf.summary.scalar("a", 1.5, step=1)
        for k in range(3):
            step.assign(k)
            train(tf.ones([2]) * float(k))
        with tf.name_scope("inner"):
            tf.summary.text("t", ["one", "two"], step=4)
        with tf.summary.record_if(False):
            assert not tf.summary.scalar("left out", 1.0, step=5)
        tf.summary.image("i", np.zeros([5, 2, 2, 1], np.float32), step=6, max_outputs=2)
    with writer.as_default(step=9):
        tf.summary.histogram("h", [1.0, 1.0, 3.0])
    writer.close()
    found = events(tmp_path)
    assert found[:5] == [
        {"step": 1, "tag": "a", "scalar": 1.5},
        *({"step": k, "tag": "loss", "scalar": 2.0 * k} for k in range(3)),
        {"step": 4, "tag": "inner/t", "text": ["one", "two"]},
    ]
    assert (found[5]["image"]["shape"], found[5]["image"]["dtype"]) == ([2, 2, 2, 1], "float32")
    assert (found[6]["step"], found[6]["histogram"]["bucket"][0], found[6]["histogram"]["bucket"][-1]) == (9, 2, 1)


def test_a_step_and_a_scalar_are_needed(tmp_path: Path):
    with tf.summary.create_file_writer(tmp_path).as_default():
        with pytest.raises(ValueError, match="No step set"):
            tf.summary.scalar("a", 1.0)
        with pytest.raises(ValueError, match="scalar"):
            tf.summary.scalar("a", [1.0], step=1)
        tf.summary.experimental.set_step(3)
        tf.summary.scalar("a", 1.0)
        tf.summary.experimental.set_step(None)
    assert events(tmp_path) == [{"step": 3, "tag": "a", "scalar": 1.0}]


def test_a_closed_writer_takes_nothing(tmp_path: Path):
    writer = tf.summary.create_file_writer(tmp_path)
    writer.close()
    with writer.as_default(), pytest.raises(RuntimeError, match="closed"):
        tf.summary.scalar("a", 1.0, step=1)


def test_each_line_is_json(tmp_path: Path):
    with tf.summary.create_file_writer(tmp_path, filename_suffix=".mine").as_default():
        tf.summary.scalar("a", 1.0, step=1)
    (path,) = tmp_path.iterdir()
    assert path.name.endswith(".mine.jsonl")
    assert set(json.loads(path.read_text())) == {"wall_time", "step", "tag", "scalar"}
