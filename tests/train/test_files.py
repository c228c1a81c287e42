"""Files of arrays: whole or not at all, found damaged where they are, and nothing left behind."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.ground import replacing
from wengert.train import archive, files, latest

from . import damage

ARRAYS = {
    "v": np.arange(2, dtype=np.float32),
    "w": np.arange(100, dtype=np.float32),
    "x": np.arange(100, 200, dtype=np.float32).reshape(10, 10),
    "flag": np.array([True, False]),
    "z": np.array([1 + 2j, 3 - 4j]),
    "scalar": np.float64(7.0),
    "none": np.zeros((0, 3), np.int8),
}


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """A file of arrays and a text."""
    files.write(tmp_path / "whole", ARRAYS, {"text": "a text"})
    return (tmp_path / "whole.safetensors").read_bytes()


def same(found: dict, wanted: dict) -> bool:
    return found.keys() == wanted.keys() and all(
        np.asarray(found[k]).dtype == np.asarray(w).dtype and np.array_equal(found[k], w) for k, w in wanted.items()
    )


# --- damage ---------------------------------------------------------------------------------------------------------------


def test_arrays_of_all_kinds_come_back(tmp_path: Path):
    big = {"big": np.arange(3, dtype=">f8"), "columns": np.asfortranarray(np.arange(6).reshape(2, 3))}
    files.write(tmp_path / "a", {**ARRAYS, **big}, {"text": "a text"})
    values, texts = files.load(tmp_path / "a")
    assert same({k: v for k, v in values.items() if k not in big}, ARRAYS)
    assert all(np.array_equal(values[k], v) for k, v in big.items())
    assert texts == {"format": "np", "text": "a text"}


@pytest.mark.parametrize("kind", ["truncations", "flips", "several flips", "rewritten", "swapped"])
def test_damage_is_found(kind: str, whole: bytes, tmp_path: Path):
    rng = np.random.default_rng(0)
    made = {
        "truncations": lambda: damage.truncations(whole, rng, 30),
        "flips": lambda: damage.flips(whole, rng, 150),
        "several flips": lambda: damage.flips(whole, rng, 50, 5),
        "rewritten": lambda: damage.rewritten(whole, rng, 60),
        "swapped": lambda: damage.swapped(whole),
    }[kind]()
    path = tmp_path / "damaged.safetensors"
    found = 0
    for blob in made:
        path.write_bytes(blob)
        try:
            values, texts = files.load(path)
        except tf.errors.DataLossError as error:
            assert str(path) in str(error)
            found += 1
        else:  # such as a space that has become a tabulator: what the file says is as it was
            assert same(values, ARRAYS) and texts["text"] == "a text", kind
    assert found >= 2


def test_each_bit_of_a_small_file(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    files.write(path, {"v": ARRAYS["v"]})
    whole, found = path.read_bytes(), 0
    for at in range(8 * len(whole)):
        blob = bytearray(whole)
        blob[at // 8] ^= 1 << at % 8
        path.write_bytes(blob)
        try:
            assert same(files.read(path), {"v": ARRAYS["v"]})
        except tf.errors.DataLossError:
            found += 1
    assert found > 0.5 * 8 * len(whole)


def test_the_array_that_has_changed_is_named(whole: bytes, tmp_path: Path):
    at = whole.index(ARRAYS["w"].tobytes()) + 50
    path = tmp_path / "a.safetensors"
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(tf.errors.DataLossError, match=r"a\.safetensors.*checksum of w is wrong"):
        files.read(path)


@pytest.mark.parametrize("what", damage.headers())
def test_headers_that_lie(what: str, tmp_path: Path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(damage.headers()[what])
    v = tf.Variable([1.0, 2.0], name="v")
    for read in (
        files.read,
        tf.train.load_checkpoint,
        tf.train.Checkpoint(v=v).read,
        lambda p: tf.compat.v1.train.Saver([v]).restore(None, p),
    ):
        with pytest.raises(tf.errors.DataLossError) as caught:
            read(str(path))
        assert str(path) in str(caught.value) and len(str(caught.value)) < 1000
    model = tf.keras.Sequential([tf.keras.layers.Input((1,)), tf.keras.layers.Dense(2, name="v")])
    before = model.get_weights()
    for read in (model.load_weights, tf.keras.models.load_model):
        with pytest.raises(ValueError, match=r"a\.safetensors"):
            read(str(path))
    assert v.numpy().tolist() == [1.0, 2.0]
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_files_without_checksums_are_read(tmp_path: Path):
    v = tf.Variable(np.zeros(2, np.float32), name="v")
    path = tmp_path / "other.safetensors"
    header = {"v": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    path.write_bytes(damage.safetensors(header, ARRAYS["v"].tobytes()))
    tf.compat.v1.train.Saver([v]).restore(None, str(path))
    assert v.numpy().tolist() == [0.0, 1.0]


def nodes(*parts):
    return json.dumps(list(parts))


@pytest.mark.parametrize(
    "picture",
    [
        damage.DEEP, "null", "[]", "{}", "[1]", nodes({}), nodes({"children": []}), nodes({"children": {"v": 1}}),
        nodes({"children": {"v": -1}}), nodes({"children": {"v": True}}), nodes({"children": {"v": [0]}}),
        nodes({"children": {}, "value": "w"}), nodes({"children": {}, "value": 3}), nodes({"children": {}, "name": 3}),
        nodes({"children": {}, "slots": [[0, "m", 7]]}), nodes({"children": {}, "slots": [[0, 1, 0]]}),
        nodes({"children": {}, "slots": 3}),
    ],
)  # fmt: skip
def test_pictures_of_objects_that_lie(picture: str, tmp_path: Path):
    files.write(tmp_path / "a", {"v": ARRAYS["v"]}, {"wengert.objects": picture})
    v = tf.Variable([5.0, 6.0], name="v")
    with pytest.raises(tf.errors.DataLossError, match=r"/a is damaged.*Nothing has been restored"):
        tf.train.Checkpoint(v=v).read(tmp_path / "a")
    assert v.numpy().tolist() == [5.0, 6.0]


def test_paths_that_lead_to_no_file(tmp_path: Path):
    (tmp_path / "folder.safetensors").mkdir()
    os.mkfifo(tmp_path / "pipe.safetensors")
    for name in ("nothing", "folder", "pipe", "a\0b", "x" * 300):
        with pytest.raises(tf.errors.NotFoundError, match=r"There is no checkpoint"):
            files.read(tmp_path / name)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), tf.errors.PermissionDeniedError),
        (OSError(errno.EIO, "Input/output error"), tf.errors.DataLossError),
        (FileNotFoundError(errno.ENOENT, "gone"), tf.errors.NotFoundError),
        (MemoryError(), tf.errors.ResourceExhaustedError),
    ],
)
def test_errors_while_reading_name_the_file(error, wanted, tmp_path: Path, monkeypatch):
    files.write(tmp_path / "a", ARRAYS)

    def refuse(*arguments, **keywords):
        raise error

    monkeypatch.setattr("safetensors.safe_open", refuse)
    with pytest.raises(wanted, match=r"a\.safetensors"):
        files.read(tmp_path / "a")


def panic() -> type[BaseException]:
    """A class as the one that the library's own code raises when it gives up, which is no Exception."""
    return type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})


@pytest.mark.parametrize("error", [MemoryError(), panic()("out of memory")])
def test_reading_without_memory(error, tmp_path: Path, monkeypatch):
    files.write(tmp_path / "a", ARRAYS)

    def refuse(*arguments, **keywords):
        raise error

    monkeypatch.setattr("safetensors.safe_open", refuse)
    with pytest.raises(tf.errors.ResourceExhaustedError, match=r"a\.safetensors was not read"):
        files.read(tmp_path / "a")


def test_writing_without_memory_leaves_the_file(tmp_path: Path, monkeypatch):
    files.write(tmp_path / "a", ARRAYS)

    def refuse(*arguments, **keywords):
        raise MemoryError

    monkeypatch.setattr(np, "stack", refuse)
    with pytest.raises(tf.errors.ResourceExhaustedError, match=r"a\.safetensors was not written"):
        files.write(tmp_path / "a", {"other": np.ones(3, complex)})
    monkeypatch.undo()
    assert same(files.read(tmp_path / "a"), ARRAYS) and os.listdir(tmp_path) == ["a.safetensors"]


# --- whole or not at all --------------------------------------------------------------------------------------------------


def in_process(text: str, *arguments: str, kill: bool = False) -> str:
    """Run a program in a process of its own and return what it printed."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == (-signal.SIGKILL if kill else 0), done.stderr
    return done.stdout


FULL = """
    import os, resource, signal, sys
    import numpy as np
    from wengert.train import files
    folder = sys.argv[1]
    files.write(folder + "/a", {"v": np.zeros(1000)})
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for most in (0, 10, 500, 4000, 8000, 8100):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        try:
            files.write(folder + "/a", {"v": np.ones(1000)})
        except OSError as error:
            assert error.filename == folder + "/a.safetensors", error
        else:
            raise AssertionError(most)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert os.listdir(folder) == ["a.safetensors"]
    assert not files.read(folder + "/a")["v"].any()
"""


def test_a_disk_that_is_full_leaves_the_file(tmp_path: Path):
    in_process(FULL, str(tmp_path))


KILLED = """
    import os, signal, sys
    from wengert.ground import replacing
    def content():
        yield b"half"
        os.kill(os.getpid(), signal.SIGKILL)
    replacing.replace(sys.argv[1] + "/a", content())
"""


def test_what_a_kill_has_left_is_removed(tmp_path: Path):
    for _ in range(3):
        in_process(KILLED, str(tmp_path), kill=True)
        assert len(os.listdir(tmp_path)) == 1  # each has removed what the one before left
    (tmp_path / "other.part").write_bytes(b"of another program")
    files.write(tmp_path / "b", ARRAYS)
    assert sorted(os.listdir(tmp_path)) == ["b.safetensors", "other.part"]


WAITING = """
    import sys
    from wengert.ground import replacing
    def content():
        yield b"who"
        print("half", flush=True)
        sys.stdin.readline()
        yield b"le"
    replacing.replace(sys.argv[1] + "/a", content())
"""


def test_what_another_process_is_writing_stays(tmp_path: Path):
    command = [sys.executable, "-c", textwrap.dedent(WAITING), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "half\n"
        replacing.replace(str(tmp_path / "b"), [b"b"])
        assert len(list(tmp_path.glob(f"*{replacing.PART}"))) == 1
        other.communicate("\n", timeout=60)
    assert (tmp_path / "a").read_bytes() == b"whole" and sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_part_that_was_taken_for_left_behind_is_made_again(tmp_path: Path, monkeypatch):
    locked = replacing.fcntl.flock

    def late(handle, operation):
        monkeypatch.undo()
        replacing._tidy(str(tmp_path))  # as another process does before the lock
        locked(handle, operation)

    monkeypatch.setattr(replacing.fcntl, "flock", late)
    replacing.replace(str(tmp_path / "a"), [b"content"])
    assert (tmp_path / "a").read_bytes() == b"content" and os.listdir(tmp_path) == ["a"]


def test_where_there_are_no_locks_age_tells(tmp_path: Path, monkeypatch):
    def refuse(handle, operation):
        raise OSError(errno.ENOTSUP, "no locks")

    monkeypatch.setattr(replacing.fcntl, "flock", refuse)
    young, old = tmp_path / f"young{replacing.PART}", tmp_path / f"old{replacing.PART}"
    for part in (young, old):
        part.write_bytes(b"half")
    os.utime(old, (1.0, 1.0))
    replacing.replace(str(tmp_path / "a"), [b"content"])
    assert sorted(os.listdir(tmp_path)) == ["a", young.name]


def test_the_permissions_are_the_users(tmp_path: Path):
    before = os.umask(0o027)
    try:
        files.write(tmp_path / "a", ARRAYS)
    finally:
        os.umask(before)
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o777 == 0o640


def test_errors_of_writing_name_the_file(tmp_path: Path):
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for name, path in (
        ("folder", "folder.safetensors"),
        ("file/a", "file/a.safetensors"),
        ("x" * 300, "x" * 300 + ".safetensors"),
    ):
        with pytest.raises(OSError) as caught:
            files.write(tmp_path / name, ARRAYS)
        assert str(caught.value).endswith(f": '{tmp_path / path}'"), caught.value
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.safetensors"]


def test_a_long_name_and_one_that_is_no_text(tmp_path: Path):
    for name in ("n" * 243, os.fsdecode(b"caf\xe9\xff")):
        files.write(tmp_path / name, ARRAYS)
        assert same(files.read(tmp_path / name), ARRAYS)


def test_memory_of_writing_and_reading(tmp_path: Path):
    """Neither holds the file a second time: the arrays are written from where they are, and read one by one."""
    text = """
        import resource, sys
        import numpy as np
        from wengert.train import files
        files.write(sys.argv[1] + "/small", {"v": np.ones(10)})
        files.read(sys.argv[1] + "/small")
        values = {f"v{i}": np.ones(5_000_000) for i in range(4)}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        files.write(sys.argv[1] + "/a", values)
        written = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print((written - before) * 1024 / 160e6)
    """
    assert float(in_process(text, str(tmp_path))) < 0.5


# --- which is the latest --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b'model_checkpoint_path: "m-3"\n', "m-3"),
        (b'model_checkpoint_path: "caf\\303\\251-3"\n', "caf\u00e9-3"),
        ('model_checkpoint_path: "caf\u00e9-3"\n'.encode(), "caf\u00e9-3"),
        (b'model_checkpoint_path: "caf\\u00e9 \\ud83d\\ude00"\n', "caf\u00e9 \U0001f600"),
        (b'model_checkpoint_path: "\\U0001f600"\n', "\U0001f600"),
        (b'model_checkpoint_path: "a\\"b\\\\c\\\'d\\ne\\x41\\101"\n', "a\"b\\c'd\neAA"),
        (b"model_checkpoint_path: 'm-3' # the latest\n", "m-3"),
        (b'# a comment\nmodel_checkpoint_path: "m"\n  "-3"; all_model_checkpoint_paths: "m-2"', "m-3"),
        (b'model_checkpoint_path: "\\377"', os.fsdecode(b"\xff")),
        (b'all_model_checkpoint_timestamps: 1.7e9\nlast_preserved_timestamp: 1e9\nmodel_checkpoint_path: "m"', "m"),
    ],
)
def test_the_state_as_tensorflow_writes_it(text: bytes, path: str, tmp_path: Path):
    (tmp_path / "checkpoint").write_bytes(text)
    assert tf.train.get_checkpoint_state(tmp_path).model_checkpoint_path == str(tmp_path / path)


@pytest.mark.parametrize("path", ["m-3", "caf\u00e9-3", 'a"b\\c\nd', "\U0001f600", os.fsdecode(b"\xff\xfe"), "../beside"])
def test_the_state_comes_back(path: str, tmp_path: Path):
    latest.update_checkpoint_state(tmp_path, str(tmp_path / path), [str(tmp_path / "m-1")])
    state = tf.train.get_checkpoint_state(tmp_path)
    assert os.path.normpath(state.model_checkpoint_path) == os.path.normpath(tmp_path / path)
    assert (tmp_path / "checkpoint").read_bytes().isascii()


@pytest.mark.parametrize(
    "text",
    [b"nonsense", b'model_checkpoint_path: "m', b"\xff\xfe\x00", b"\0" * 100, b'model_checkpoint_path: "\\q"', b"x: 3",
     b'model_checkpoint_path: "\\ud800"', b'model_checkpoint_path: "\\Uffffffff"', b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_state_is_named(text: bytes, tmp_path: Path):
    (tmp_path / "checkpoint").write_bytes(text)
    with pytest.raises(tf.errors.DataLossError, match=r"/checkpoint does not say") as caught:
        tf.train.latest_checkpoint(tmp_path)
    assert len(str(caught.value)) < 500


def test_a_state_that_is_empty_says_nothing(tmp_path: Path):
    (tmp_path / "checkpoint").write_bytes(b"")
    assert tf.train.latest_checkpoint(tmp_path) is None


MANAGER = """
    import os, signal, sys
    import wengert as tf
    from wengert.train import files, latest
    folder, when, numbers = sys.argv[1], int(sys.argv[2]), [int(n) for n in sys.argv[3].split()]
    v = tf.Variable(0.0)
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=v), folder, max_to_keep=2)
    calls = 0
    def killing(module, name):
        function = getattr(module, name)
        def call(*arguments, **keywords):
            global calls
            calls += 1
            if calls == when:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **keywords)
        setattr(module, name, call)
    for module, name in ((files, "write"), (latest, "enter"), (files, "remove_checkpoint")):
        killing(module, name)
    for number in numbers:
        v.assign(float(number))
        manager.save(number)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", range(1, 19))
def test_a_kill_leaves_no_checkpoint_beyond_those_to_keep(when: int, tmp_path: Path):
    in_process(MANAGER, str(tmp_path), str(when), "10 20 30 40", kill=True)
    found = tf.train.latest_checkpoint(tmp_path)
    v = tf.Variable(0.0)
    checkpoint = tf.train.Checkpoint(v=v)
    if found is not None:
        checkpoint.read(found).expect_partial()
        assert v.numpy() == float(found.rpartition("-")[2])
    manager = tf.train.CheckpointManager(checkpoint, tmp_path, max_to_keep=2)
    assert manager.latest_checkpoint == found and (found is not None or when <= 3)
    for number in (100, 101):  # other numbers than before, as a save by time has
        manager.save(number)
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", "ckpt-100.safetensors", "ckpt-101.safetensors"]
    assert latest.pending(tmp_path) == []


def test_a_save_that_fails_forgets_nothing(tmp_path: Path, monkeypatch):
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=tf.Variable(1.0)), tmp_path, max_to_keep=1)
    first = manager.save()

    def full(*arguments, **keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "replace", full)
    with pytest.raises(OSError, match="No space"):
        manager.save()
    monkeypatch.undo()
    assert (manager.checkpoints, tf.train.latest_checkpoint(tmp_path)) == ([first], first)
    second = manager.save()
    assert manager.checkpoints == [second]
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", os.path.basename(second) + ".safetensors"]


def test_the_texts_beside_a_savers_file_that_a_full_disk_left_empty(tmp_path: Path):
    v1 = tf.compat.v1
    (tmp_path / "m.index").write_bytes(b"")
    (tmp_path / "m.meta").write_bytes(b"Wengert ch")
    with tf.Graph().as_default(), v1.Session() as sess:
        v1.get_variable("w", initializer=[1.0])
        sess.run(v1.global_variables_initializer())
        v1.train.Saver().save(sess, str(tmp_path / "m"))
    assert all((tmp_path / f"m.{end}").read_text().startswith("Wengert checkpoint") for end in ("index", "meta"))
