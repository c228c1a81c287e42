"""`wengert launch`, and `wengert run --processes`."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wengert.run.launching import _Marked

pytest.importorskip("jax")

SLOW = pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE", "dev") == "dev", reason="starts JAX often: in the profile ci")


def begun(folder: Path, script: str, *options: str, **keywords: str) -> subprocess.Popen[str]:
    (folder / "script.py").write_text(script)
    command = [sys.executable, "-m", "wengert", "launch", "-n", "2", *options, "script.py", "one", "-n", "3"]
    return subprocess.Popen(
        command, cwd=folder, text=True, errors="replace", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | keywords, start_new_session=True,
    )  # fmt: skip


def launched(folder: Path, script: str, *options: str, given: str = "") -> tuple[int, str, str]:
    process = begun(folder, script, *options)
    out, err = process.communicate(given, timeout=90)
    return process.returncode, out, err


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(alive, pids))


def test_lines_are_marked_and_whole():
    out, err = io.BytesIO(), io.BytesIO()
    marked = _Marked()
    marked.take(0, out, b"one\ntw")
    marked.take(1, out, b"un\n")
    marked.take(0, err, b"error\n")
    assert out.getvalue() == b"[0] one\n[1] un\n" and marked.waits()
    marked.take(0, out, b"o\n\n\xff\x00\r\n50%\r60%\r")
    assert out.getvalue() == b"[0] one\n[1] un\n[0] two\n[0] \n[0] \xff\x00\r\n[0] 50%\r"
    marked.pause()
    assert out.getvalue().endswith(b"\r[0] 60%\r") and not marked.waits()
    assert err.getvalue() == b"[0] error\n"


def test_a_line_that_waits_is_shown_and_goes_on():
    out = io.BytesIO()
    marked = _Marked()
    marked.take(0, out, b"name? ")
    assert out.getvalue() == b""
    marked.pause()
    assert out.getvalue() == b"[0] name? "
    marked.take(0, out, b"Ada")
    marked.pause()
    marked.take(1, out, b"other\n")  # stands on a line of its own
    marked.take(0, out, b"!\nlast")
    marked.pause(ended=True)
    assert out.getvalue() == b"[0] name? Ada\n[1] other\n[0] !\n[0] last\n"


FILES = """
import os, random, sys
import numpy as np, tensorflow as tf
from wengert.execute import processes
i = processes.index()
print(sys.argv[1:], sys.stdin.read() if i == 0 else "", os.environ["PYTHONHASHSEED"] != "")
os.makedirs(f"own{i}"); os.chdir(f"own{i}")  # as where no disk is shared
drawn = [random.random(), np.random.rand(), np.random.default_rng().random(), *tf.random.normal((2,)).numpy()]
drawn += list(tf.data.Dataset.range(50).shuffle(50).as_numpy_iterator())
model = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(2,)), tf.keras.layers.Dropout(0.5), tf.keras.layers.Dense(1)])
model.compile("adam", "mse")
x = np.random.rand(32, 2)
kept = tf.keras.callbacks
model.fit(x, x.sum(1), epochs=3, verbose=0, callbacks=[
    kept.ModelCheckpoint("best.weights.h5", save_weights_only=True),
    kept.TensorBoard("logs"), kept.CSVLogger("log.csv"), kept.BackupAndRestore("backup"),
])
trained = [w.copy() for w in model.get_weights()]
model.load_weights("best.weights.h5")
assert all(np.array_equal(a, b) for a, b in zip(trained, model.get_weights()))
model.save("model.keras")
tf.keras.models.load_model("model.keras")
manager = tf.train.CheckpointManager(tf.train.Checkpoint(model=model), "ck", max_to_keep=1)
manager.save(), manager.save()
assert tf.train.latest_checkpoint("ck").endswith("ckpt-2")
tf.train.Checkpoint(model=model).restore(tf.train.latest_checkpoint("ck")).assert_consumed()
with tf.Graph().as_default():
    v = tf.compat.v1.get_variable("v", initializer=tf.compat.v1.random_normal((2,)))
    saver = tf.compat.v1.train.Saver(max_to_keep=1)
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        saver.save(session, "./m", global_step=1), saver.save(session, "./m", global_step=2)
        drawn += list(session.run(v))
        session.run(v.assign([0.0, 0.0]))
        saver.restore(session, tf.train.latest_checkpoint("."))
        assert list(session.run(v)) == drawn[-2:]
try:
    tf.train.load_checkpoint("nothing")
except tf.errors.NotFoundError as error:
    print(error)
every = processes.gather(np.concatenate([np.ravel(a) for a in [drawn, *trained]]).astype(float))
assert np.array_equal(every[0], every[1]), every
print(*sorted(os.path.join(at, name) for at, _, names in os.walk(".") for name in names))
"""


def test_the_first_writes_files_and_all_read_them_and_draw_alike(tmp_path: Path):
    status, out, err = launched(tmp_path, FILES, given="typed")
    assert status == 0 and not err, err
    told = [[line[4:] for line in out.splitlines() if line.startswith(f"[{i}]")] for i in range(2)]
    assert told[0][0] == "['one', '-n', '3'] typed True" and told[1][0] == "['one', '-n', '3']  True"
    assert told[0][1] == told[1][1] == "There is no checkpoint nothing: the file nothing.safetensors does not exist."
    files = re.sub(r"events\.[^ ]*", "events", told[0][2])
    assert files == (
        "./best.weights.h5 ./checkpoint ./ck/checkpoint ./ck/ckpt-2.safetensors ./log.csv ./logs/train/events ./m-2.index "
        "./m-2.meta ./m-2.safetensors ./model.keras"
    )
    assert told[1][2] == ""


BAD = """
import os, sys, time
from wengert.execute import processes
print("begun", os.getpid())
processes.barrier("here")
if processes.index() == {who}:
    {what}
processes.barrier("never")
"""


@pytest.mark.parametrize(
    ("who", "what", "status", "said"),
    [
        (1, "raise ValueError('the reason')", 1, "wengert launch: process 1 has failed with status 1"),
        pytest.param(0, "sys.exit(7)", 7, "wengert launch: process 0 has failed with status 7", marks=SLOW),
        pytest.param(0, "os.kill(os.getpid(), 9)", 137, "wengert launch: process 0 was ended by SIGKILL", marks=SLOW),
        pytest.param(1, "os.kill(os.getpid(), 9)", 137, "wengert launch: process 1 was ended by SIGKILL", marks=SLOW),
    ],
)
def test_the_first_failure_ends_all(tmp_path: Path, who: int, what: str, status: int, said: str):
    before = time.monotonic()
    got, out, err = launched(tmp_path, BAD.format(who=who, what=what))
    assert got == status and err.rstrip().endswith(said)
    assert time.monotonic() - before < 40.0
    if "raise" in what:
        assert "[1] ValueError: the reason" in err and f"[0] wengert: process {who} has failed (ValueError)" in err
    assert gone([int(line.split()[-1]) for line in out.splitlines()], 0.0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGKILL, -signal.SIGKILL),
        pytest.param(signal.SIGTERM, 143, marks=SLOW),
        pytest.param(signal.SIGINT, 130, marks=SLOW),
    ],
)
def test_no_orphan_is_left(tmp_path: Path, number: int, status: int):
    process = begun(tmp_path, "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(100)")
    assert process.stdout is not None
    pids = [int(process.stdout.readline().split()[-1]) for _ in range(2)]
    assert all(map(alive, pids))
    process.send_signal(number)
    process.wait(30)
    assert process.returncode == status
    assert gone(pids, 5.0)
    process.kill()
    process.communicate()


@SLOW
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["scipy"])  # the others by `python benchmarks/killed.py`
def test_a_training_that_is_killed_ends_as_an_unbroken_one(kind: str):
    script = Path(__file__).parents[2] / "benchmarks" / "killed.py"
    command = [sys.executable, str(script), "--kills", "2", "--steps", "30", "--only", kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.stdout.endswith(f"{kind}: 2 kills, 30 steps, the weights of an unbroken run\n"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["launch", "-n", "0", "s.py"], "1 or more"),
        (["launch", "-n", "2"], "name a script"),
        (["launch", "s.py"], "-n"),
        (["run", "--processes", "2", "s.py"], "number is missing"),
        (["run", "--processes", "2", "--process-id", "0", "s.py"], "coordinator, HOST:PORT"),
        (["run", "--process-id", "0", "s.py"], "go with --processes"),
        (["run", "--processes", "2", "--process-id", "0", "--coordinator", "h:1", "--executor", "auto", "s.py"], "by the clock"),
        (["run", "--processes", "2", "--process-id", "0", "--coordinator", "h:1", "book.ipynb"], "notebook"),
    ],
)
def test_what_is_refused(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    from wengert.cli import main
    from wengert.ground.options import options

    with options.set(processes=None), pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2 and said in capsys.readouterr().err
