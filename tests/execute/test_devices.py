"""Rows that are spread over devices: the numbers of one device, one collective a step, and where nothing is spread.

The number of devices stands before JAX starts, so what is computed is computed by processes of their own: `programs.py` beside
this file. What is expected is what NumPy computes there, in the same list on one device.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jax")
pytestmark = pytest.mark.timeout(300)

PROGRAMS = Path(__file__).parent / "devices" / "programs.py"


def ended(name: str, devices: str, *arguments: str, processes: int = 1, port: int = 0) -> list[tuple[int, str, str]]:
    """Return the statuses with which the processes of a program end, and what they print."""
    running = []
    for k in range(processes):
        environment = {**os.environ, "WENGERT_DEVICES": devices}
        environment.pop("WENGERT_EXECUTOR", None)
        if processes > 1:
            environment |= {
                "WENGERT_PROCESSES": str(processes), "WENGERT_PROCESS_ID": str(k), "WENGERT_COORDINATOR": f"127.0.0.1:{port}",
            }  # fmt: skip
        command = [sys.executable, str(PROGRAMS), name, *arguments]
        running.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    told = [process.communicate(timeout=240) for process in running]
    return [(process.returncode, *both) for process, both in zip(running, told, strict=True)]


def found(name: str, devices: str, *arguments: str, processes: int = 1, port: int = 0) -> list[Any]:
    """Return what a program prints in the end, by each of the processes."""
    results = []
    for status, out, err in ended(name, devices, *arguments, processes=processes, port=port):
        assert status == 0, out + err
        results.append(json.loads(out.splitlines()[-1]))
    return results


@pytest.fixture
def port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_numbers_of_one_device() -> None:
    """Of a training step, whatever it sums: sums, means, products over rows, maxima, weights of rows; rows that do not divide."""
    (results,) = found("training", "3")
    for name, (spread, numpy) in results.items():
        assert spread == pytest.approx(numpy, rel=1e-10), name


def test_rows_of_every_operation() -> None:
    """Whatever is row-wise of the operations that are sampled is what NumPy computes, in rows that do not divide."""
    (result,) = found("operations", "3")
    assert result["wrong"] == [] and result["spread"] > 50


def test_one_collective_a_step() -> None:
    (results,) = found("collectives", "4")
    weights = 3 * 16 + 16 + 16 * 16 + 16 + 16 + 1
    kinds, bytes_ = results["training"]
    assert kinds == ["all-reduce"]
    assert 8 * (weights + 1) <= bytes_ <= 8 * (weights + 1 + 4 * 16)  # the first layer's columns come apart
    assert results["weights of points"][0] == ["all-reduce"]
    assert results["residual alone"] == [[], 0]
    assert results["no rows"] == [[], 0]
    assert "spread by their 1000 rows" in results["training, told"]
    assert "nothing has rows" in results["no rows, told"]


def test_two_processes_have_the_same_numbers(port: int) -> None:
    one, other = found("training", "2", "means", processes=2, port=port)
    assert one == other
    for name, (spread, numpy) in one.items():
        assert spread == pytest.approx(numpy, rel=1e-10), name


def test_two_processes_feed_their_own_rows(port: int) -> None:
    one, other = found("local", "2", processes=2, port=port)
    assert one == other
    for rows, (spread, formula) in one.items():
        assert spread == pytest.approx(formula, rel=1e-12), rows


def test_numbers_of_rows_change_in_all_processes(port: int) -> None:
    one, other = found("turns", "2", processes=2, port=port)
    assert one == other == pytest.approx([0.0] * 12, abs=1e-12)


@pytest.mark.parametrize("how", ["new", "known", "end"])
def test_numbers_of_rows_that_change_in_one_process_alone(port: int, how: str) -> None:
    """Each process ends, and says how many rows each has fed and on which line; nobody waits, or has a wrong number."""
    both = ended("alone", "1", how, processes=2, port=port)
    again = f"rocess 0 feeds 500 rows again ({PROGRAMS}:"
    for status, out, err in both:
        assert status != 0 and ("went on" in out) == (how == "end" and status == 1) and again in err, out + err
        if how == "end":
            assert "; process 1 has come to its end: all processes take the same steps" in err
        else:
            assert f"; process 1 feeds {400 if how == 'new' else 600} rows after 500 rows ({PROGRAMS}:" in err
    assert ("InvalidArgumentError" in both[1][2]) == (how != "end")


def test_a_dataset_is_divided_among_processes(port: int) -> None:
    one, other = found("split", "1", processes=2, port=port)
    assert one == other and one["refused"]
    assert one["found"] == one["want"]


def test_what_comes_again_is_not_sent_again() -> None:
    (result,) = found("resident", "3")
    assert result["sent"] == [2, 2, 0, 0, 1, 1]
    for value, formula in result["values"]:
        assert value == pytest.approx(formula, rel=1e-12)


def test_chunks_on_each_device() -> None:
    (result,) = found("chunks", "2")
    assert result["chunks"] and result["values"][0] == pytest.approx(result["values"][1], rel=1e-10)


def test_after_xla_has_started_it_is_refused() -> None:
    (result,) = found("late", "1")
    assert "JAX has started" in result["ours"] and result["devices"] == 1


def test_after_the_programs_own_jax_has_started_it_is_refused() -> None:
    (result,) = found("theirs", "1")
    assert "JAX has started" in result["error"] and result["devices"] == 1


def test_more_devices_than_there_are() -> None:
    (result,) = found("wrong", "1")
    assert result == ["at least one device", "different devices", "must be one of"]
