"""Several processes that run one script: what they tell each other, and how they end."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from wengert.execute import processes
from wengert.ground.options import Processes

pytest.importorskip("jax")

SLOW = pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE", "dev") == "dev", reason="starts JAX often: in the profile ci")

BEGIN = "import numpy as np, sys\nfrom wengert.execute import processes as p\n"


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(
    folder: Path, body: str, count: int = 2, only: tuple[int, ...] = (), seconds: float = 60.0
) -> list[subprocess.Popen[str]]:
    script = folder / "script.py"
    script.write_text(BEGIN + textwrap.dedent(body))
    where = f"127.0.0.1:{port()}"
    return [
        subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
            env=os.environ | {
                "WENGERT_PROCESSES": str(count), "WENGERT_PROCESS_ID": str(i), "WENGERT_COORDINATOR": where,
                "WENGERT_JOIN_SECONDS": str(seconds),
            },
        )
        for i in only or range(count)
    ]  # fmt: skip


def ended(many: list[subprocess.Popen[str]], seconds: float = 60.0) -> list[tuple[int, str, str]]:
    try:
        told = [process.communicate(timeout=seconds) for process in many]
    finally:
        for process in many:
            process.kill()
    return [(process.returncode, out, err) for process, (out, err) in zip(many, told, strict=True)]


def test_a_script_that_runs_alone_is_the_first_and_needs_no_jax():
    body = """
    assert (p.count(), p.index(), p.is_first()) == (1, 0, True)
    assert p.gather(np.arange(3)).tolist() == [[0, 1, 2]] and p.broadcast(np.ones(2)).tolist() == [1.0, 1.0]
    assert p.broadcast_bytes(b"x") == b"x"
    p.barrier("here")
    assert "jax" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", BEGIN + textwrap.dedent(body)], check=True)


def test_what_is_told(tmp_path: Path):
    body = """
    i = p.index()
    x = np.array([1.0 / 3.0, i])
    every = p.gather(x)
    assert every.dtype == np.float64 and np.array_equal(every, [[1.0 / 3.0, 0.0], [1.0 / 3.0, 1.0]])
    assert p.gather(np.int64(2**62 + i)).tolist() == [2**62, 2**62 + 1]
    assert p.gather(np.zeros((2, 0))).shape == (2, 2, 0)
    assert p.gather(np.array([1j * i], np.complex64)).dtype == np.complex64
    assert p.broadcast(np.arange(2 + i)).tolist() == [0, 1]  # the shape is the first's too
    assert p.broadcast_bytes(bytes([i]) * 3) == bytes(3)
    assert p.broadcast_bytes(b"" if i == 0 else b"x") == b""
    for _ in range(50):
        p.gather(x)
    p.barrier("end")
    left = p.join()._client.key_value_dir_get_bytes("wengert/")
    assert len(left) < 12, left  # what all have read is not kept
    try:
        p.gather(np.zeros(2 + i))
    except ValueError as error:
        print(error)
    print(p.count(), i, p.is_first())
    """
    differ = "Arrays of 2 processes are gathered, which differ: (2,) float64, (3,) float64\n"
    assert ended(started(tmp_path, body)) == [(0, f"{differ}2 0 True\n", ""), (0, f"{differ}2 1 False\n", "")]


@SLOW
@pytest.mark.parametrize("bad", [0, 1])
def test_one_that_fails_has_the_others_end(tmp_path: Path, bad: int):
    body = f"""
    print("begun")
    p.barrier("here")
    if p.index() == {bad}:
        raise ValueError("the reason")
    p.barrier("never")
    """
    before = time.monotonic()
    told = ended(started(tmp_path, body))
    assert time.monotonic() - before < 30.0
    assert told[bad][0] == 1 and told[bad][2].endswith("ValueError: the reason\n")
    status, out, err = told[1 - bad]
    assert (status, out) == (143, "begun\n")
    assert err == f"wengert: process {bad} has failed (ValueError), so process {1 - bad} ends\n"


@SLOW
def test_those_that_come_to_different_places_say_so(tmp_path: Path):
    told = ended(started(tmp_path, "p.barrier('x' if p.is_first() else 'y')"))
    statuses = {status for status, _, _ in told}
    assert 1 in statuses and statuses <= {1, 143}  # one that has failed may end the other before that one says so itself
    assert all("at different places: 0: x, 1: y." in err for status, _, err in told if status == 1)


@SLOW
def test_one_that_is_killed_is_missed_by_those_that_nobody_watches_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WENGERT_HEARTBEAT_SECONDS", "3")
    one, other = started(tmp_path, "import time\np.barrier('here')\nprint('begun', flush=True)\ntime.sleep(90)")
    assert one.stdout is not None and other.stdout is not None
    assert one.stdout.readline() == other.stdout.readline() == "begun\n"
    before = time.monotonic()
    other.kill()
    (status, _, err), _ = ended([one, other])
    assert status == -signal.SIGABRT and "stopped sending heartbeats" in err
    assert time.monotonic() - before < 20.0


@SLOW
@pytest.mark.parametrize("first", ["p.is_first()", "not p.is_first()"])
def test_one_that_waits_for_another_that_has_come_to_its_end(tmp_path: Path, first: str):
    told = ended(started(tmp_path, f"p.join()\nif {first}:\n    p.gather(np.eye(2))"))
    failed = int(first.startswith("not"))
    assert told[failed][0] == 1
    assert f"Process {1 - failed} has come to its end, and process {failed} waits for it." in told[failed][2]


@SLOW
@pytest.mark.parametrize("index", [0, 1])
def test_one_whose_others_do_not_come_gives_up(tmp_path: Path, index: int):
    [(status, _, err)] = ended(started(tmp_path, "p.join()", only=(index,), seconds=1.5))
    assert status == 1
    assert f"DeadlineExceededError: Process {index} of 2 has waited 1.5 s, and not all others have come." in err


SLURM = {"SLURM_JOB_ID": "77", "SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": "2"}
OPEN_MPI = {"OMPI_COMM_WORLD_SIZE": "2"}
OPEN_MPI_4 = OPEN_MPI | {"OMPI_MCA_orte_hnp_uri": "1531641856.0;tcp://127.0.0.1:37833;tcp6://[::1]:49851"}
OPEN_MPI_5 = OPEN_MPI | {"PMIX_NAMESPACE": "prterun-localhost-13865@1"}
SLURM_NUMBERS = "SLURM_PROCID", "SLURM_LOCALID"
OPEN_MPI_NUMBERS = "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK"


@SLOW
@pytest.mark.parametrize(
    ("told", "numbers"),
    [
        pytest.param(SLURM, SLURM_NUMBERS, id="Slurm"),
        pytest.param(OPEN_MPI_4, OPEN_MPI_NUMBERS, id="Open MPI 4"),
        pytest.param(OPEN_MPI_5, OPEN_MPI_NUMBERS, id="Open MPI 5"),
        pytest.param(  # as it starts its processes within an allocation of Slurm's: both are that of one task on one machine
            OPEN_MPI_5 | SLURM | {"SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}, OPEN_MPI_NUMBERS,
            id="mpirun within Slurm",
        ),
    ],
)  # fmt: skip
def test_processes_that_somebody_has_started_find_each_other(tmp_path: Path, told: dict[str, str], numbers: tuple[str, ...]):
    """With the variables of the environment that these set, as they were seen under them; the test stands for the machine."""
    (tmp_path / "script.py").write_text(f"{BEGIN}print(p.count(), p.index(), p.gather(np.array([p.index()])).ravel().tolist())")
    every = told | {"JAX_COORDINATOR_PORT": str(port()), "WENGERT_JOIN_SECONDS": "30"}
    many = [
        subprocess.Popen(
            [sys.executable, "-m", "wengert", "run", "--processes", "auto", "script.py"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=os.environ | every | {name: str(i) for name in numbers},
        )
        for i in range(2)
    ]  # fmt: skip
    assert ended(many) == [(0, "2 0 [0, 1]\n", ""), (0, "2 1 [0, 1]\n", "")]


@SLOW
def test_the_command_waits_as_long_as_the_environment_says(tmp_path: Path):
    (tmp_path / "script.py").write_text("print('never')")
    which = ["--processes", "2", "--process-id", "1", "--coordinator", f"127.0.0.1:{port()}"]
    done = subprocess.run(
        [sys.executable, "-m", "wengert", "run", *which, "script.py"], env=os.environ | {"WENGERT_JOIN_SECONDS": "1.5"},
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1 and "has waited 1.5 s" in done.stderr and not done.stdout


@SLOW
def test_what_is_not_recognised(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(BEGIN + "p.count()")
    done = subprocess.run(
        [sys.executable, str(script)], env=os.environ | {"WENGERT_PROCESSES": "auto"}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and "is not recognised (Slurm, Open MPI and Kubernetes are)" in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("two",), "'two'"),
        (("0",), "'0'"),
        (("2",), "number is missing"),
        (("2", "2", "h:1"), "number is '2'"),
        (("2", "0"), "coordinator, HOST:PORT .* is missing"),
        (("2", "0", "host"), "it is 'host'"),
        (("auto", "0"), "leave them out"),
        (("2", "0", "h:1", "no"), "number of seconds"),
        (("2", "0", "h:1", "9", "0"), "number of seconds"),
    ],
)
def test_what_processes_are_not(given: tuple[str, ...], said: str):
    with pytest.raises(ValueError, match=said):
        Processes.named(*given)


def test_what_processes_are():
    assert Processes.named("3", "2", "[::1]:99") == Processes(3, 2, "[::1]:99")
    assert Processes.named("1") == Processes(1)
    assert Processes.named("auto").recognised and not Processes.named("1").recognised
    assert Processes.of({}) is None
    assert Processes.of({"WENGERT_PROCESSES": "2", "WENGERT_PROCESS_ID": "1", "WENGERT_COORDINATOR": "h:1"}) == Processes(
        2, 1, "h:1"
    )
    some = Processes.of({"WENGERT_PROCESSES": "auto", "WENGERT_JOIN_SECONDS": "7", "WENGERT_HEARTBEAT_SECONDS": "2.5"})
    assert some == Processes(patience=7.0, heartbeat=2.5)
    assert np.array_equal(processes.gather(np.eye(2)), np.eye(2)[None])
