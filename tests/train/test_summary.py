"""The record of summaries: whole lines, each once, whatever breaks off the writing."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.train import summary

from . import damage


def scalars(folder: Path) -> list[float]:
    return [event["scalar"] for event in tf.summary.read(folder)]


@pytest.fixture
def record(tmp_path: Path) -> summary.Record:
    """A record with ten events in its file."""
    made = summary.Record(tmp_path / "logs")
    for k in range(10):
        made.add({"step": k, "tag": "a", "scalar": float(k)})
    made.flush()
    return made


def content(record: summary.Record) -> bytes:
    return Path(record.path).read_bytes()


# --- damage ---------------------------------------------------------------------------------------------------------------


def test_a_last_line_that_is_torn_is_left_out(record):
    whole = content(record)
    for size in range(len(whole)):
        Path(record.path).write_bytes(whole[:size])
        lines = whole[:size].split(b"\n")
        complete = len(lines) - 1 + lines[-1].endswith(b"}")
        assert scalars(Path(record.path).parent) == [float(k) for k in range(complete)]


@pytest.mark.parametrize("torn", [b'{"wall_time": 1.0, "st', b'{"wall_time": 1', b"\0" * 20, b"\xff\xfe", b"{"])
def test_what_comes_behind_a_torn_line_is_read(torn: bytes, record):
    """As where a disk was full, and the writing went on."""
    whole = content(record)
    lines = whole.splitlines(keepends=True)
    Path(record.path).write_bytes(b"".join(lines[:5]) + torn + b"".join(lines[5:]))
    with pytest.warns(UserWarning, match=r"damaged.*jsonl:6\."):
        assert scalars(record.path) == [float(k) for k in range(10)]


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"\0" * 50,
        b"\xff\xfe\x00",
        damage.DEEP.encode(),
        b"[1, 2]",
        b"3",
        b"{}",
        b'{"wall_time": "x"}',
        b"9" * 10_000,
    ],
    ids=range(9),
)
def test_a_damaged_line_is_named_and_costs_no_other(line: bytes, record):
    lines = content(record).splitlines(keepends=True)
    Path(record.path).write_bytes(b"".join([*lines[:3], line + b"\n", *lines[3:]]))
    with pytest.warns(UserWarning, match=rf"damaged were left out: {record.path}:4\."):
        assert scalars(Path(record.path).parent) == [float(k) for k in range(10)]


@pytest.mark.filterwarnings("ignore:Lines that are damaged")
def test_flips_and_what_else_is_damaged(record):
    whole, rng = content(record), np.random.default_rng(0)
    for blob in (*damage.flips(whole, rng, 100), *damage.rewritten(whole, rng, 100)):
        Path(record.path).write_bytes(blob)
        assert len(tf.summary.read(record.path)) >= 6 or blob.count(b"\n") < 9


# --- a full disk, Ctrl-C ----------------------------------------------------------------------------------------------------


def in_process(text: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_disk_that_is_full_repeats_and_damages_nothing(tmp_path: Path):
    text = """
        import resource, signal, sys
        import wengert as tf
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        writer = tf.summary.create_file_writer(sys.argv[1])
        failed = 0
        for most in (500, 1200, 1201, 5000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
            try:
                with writer.as_default():
                    for i in range(10):
                        tf.summary.scalar("a", float(i), step=i)
            except OSError as error:
                assert sys.argv[1] in error.filename
                failed += 1
            assert all(e["step"] == i % 10 for i, e in enumerate(tf.summary.read(sys.argv[1])))
        assert failed >= 2, failed
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        writer.flush()
    """
    in_process(text, str(tmp_path))
    assert scalars(tmp_path) == [float(i) for i in range(10)] * 4


def test_an_error_in_the_block_is_told_where_the_disk_is_full_too(tmp_path: Path, monkeypatch):
    def full(handle, content):
        raise OSError(28, "No space left on device")

    writer = tf.summary.create_file_writer(str(tmp_path))
    monkeypatch.setattr(summary, "append", full)
    with pytest.raises(OSError, match="No space") as caught, writer.as_default(step=3):
        tf.summary.scalar("a", 1.0)
        raise KeyError("the program's own")
    assert isinstance(caught.value.__cause__ or caught.value.__context__, KeyError)
    assert not tf.summary.should_record_summaries()  # the block has ended
    monkeypatch.undo()
    writer.flush()
    assert scalars(tmp_path) == [1.0]


def test_ctrl_c_at_every_line_of_a_flush(tmp_path: Path):
    for line in range(1, 60):
        record = summary.Record(tmp_path / str(line))
        for k in range(3):
            record.add({"step": k, "tag": "a", "scalar": float(k)})
        count = 0

        def each(frame, event, argument, line=line):
            nonlocal count
            count += event == "line"
            if event == "line" and count == line:
                signal.raise_signal(signal.SIGINT)
            return each

        def enter(frame, event, argument):
            return each if frame.f_globals.get("__name__") in ("wengert.train.summary", "wengert.ground.replacing") else None

        before = sys.gettrace()
        sys.settrace(enter)
        try:
            record.flush()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        record.add({"step": 3, "tag": "a", "scalar": 3.0})
        record.flush()
        assert scalars(tmp_path / str(line)) == [0.0, 1.0, 2.0, 3.0], line
        if count < line:
            break
    assert 10 < line < 59


# --- several writers --------------------------------------------------------------------------------------------------------


def test_threads(tmp_path: Path):
    record, other = (summary.Record(tmp_path) for _ in range(2))

    def work(k):
        for i in range(200):
            one = record if i % 2 else other
            one.add({"step": i, "tag": str(k), "scalar": float(i)})
            if i % 10 == 0:
                one.flush()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    record.flush()
    other.flush()
    events = tf.summary.read(tmp_path)
    for k in range(4):
        assert sorted(e["step"] for e in events if e["tag"] == str(k)) == list(range(200))


def test_a_process_that_was_forked_begins_a_file_of_its_own(tmp_path: Path):
    text = """
        import os, sys
        from wengert.train import summary
        record = summary.Record(sys.argv[1])
        record.add({"step": 0, "tag": "both", "scalar": 0.0})
        child = os.fork()
        record.add({"step": 1, "tag": "parent" if child else "child", "scalar": 1.0})
        if not child:
            sys.exit()
        os.waitpid(child, 0)
    """
    in_process(text, str(tmp_path))
    assert sorted(event["tag"] for event in tf.summary.read(tmp_path)) == ["both", "child", "parent"]
    assert len(os.listdir(tmp_path)) == 2


def test_two_machines_with_one_number_of_a_process(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(summary.time, "time", lambda: 1.0)
    monkeypatch.setattr(summary, "_number", iter([0, 0, 1]))
    one, two = summary.Record(tmp_path), summary.Record(tmp_path)
    assert one.path != two.path


# --- numbers that JSON has not ------------------------------------------------------------------------------------------------


def strict(line: bytes):
    def refuse(name):
        raise ValueError(name)

    return json.loads(line, parse_constant=refuse)


def test_numbers_that_json_has_not(tmp_path: Path):
    given = [math.nan, math.inf, -math.inf, 1.5]
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        for step, value in enumerate(given):
            tf.summary.scalar("a", value, step=step)
        tf.summary.histogram("h", given, step=9)
        tf.summary.text("t", "NaN", step=10)
    (file,) = tmp_path.iterdir()
    assert [strict(line)["scalar"] for line in file.read_bytes().splitlines()[:4]] == ["NaN", "Infinity", "-Infinity", 1.5]
    assert all(strict(line) for line in file.read_bytes().splitlines())
    *events, histogram, text = tf.summary.read(tmp_path)
    assert np.array_equal([e["scalar"] for e in events], given, equal_nan=True)
    assert (histogram["histogram"]["num"], sum(histogram["histogram"]["bucket"])) == (4, 1)
    assert math.isnan(histogram["histogram"]["sum"]) and math.isnan(histogram["histogram"]["max"])
    assert text["text"] == "NaN"


def test_numbers_that_json_has_not_in_tensorflow_1(tmp_path: Path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as sess:
        made = sess.run(v1.summary.scalar("a", float("nan")))
    assert strict(made) == [{"tag": "a", "scalar": "NaN"}]
    assert math.isnan(v1.Summary.FromString(made).value[0].simple_value)
    own = v1.Summary(value=[v1.Summary.Value(tag="own", simple_value=float("-inf"))])
    with v1.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_summary(made, 1)
        writer.add_summary(own, 2)
    assert np.array_equal(scalars(tmp_path), [math.nan, -math.inf], equal_nan=True)
    (file,) = tmp_path.iterdir()
    assert [e.summary.value[0].simple_value for e in v1.train.summary_iterator(str(file))][1] == -math.inf
