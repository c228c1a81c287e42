"""The command line with what nobody should type: a sentence of ours and status 2, never a traceback."""

import subprocess
import sys
import time

import numpy as np
import pytest

from wengert import cli
from wengert.ground.terminal import shown

FUNCTION = "import tensorflow as tf\ndef f(x): return x * x\n"
ODD = "\x1b[31m\u202eä\ud8ff\n"
RUNS = [
    [], ["--checkpoint-every", "nan"], ["--checkpoint-every", "inf"], ["--checkpoint-every", "-inf"],
    ["--checkpoint-every", "-1"], ["--checkpoint-every", ""], ["--checkpoint-every", "soon"], ["--checkpoint-every", "1e999"],
    ["--checkpoint", ""],
    ["--checkpoint", "script.py/c"], ["--checkpoint", "folder.safetensors"], ["--checkpoint", "broken"], ["--save-figures", ""],
    ["--save-figures", "script.py"], ["--save-figures", "script.py/f"], ["--executor", ""], ["--executor", ODD],
    ["--tf1", "--tf2"],
    ["--" + ODD],
]  # fmt: skip
SCRIPTS = ["", "none.py", "folder.safetensors", "unreadable", ODD, "a" * 300, "script.py/x", "/dev/none", "-x"]
POINTS = [
    "random(1000000,1000000)", "random(10000000000000000000000)", "random(" + "9" * 5000 + ")", "random(0,9999999999999)",
    "random(" + ",".join(["1"] * 100) + ")", "random(3,", "random(-1)", "", " ", "x", "'a'", "b'a'", "{}", "{[]: 1}", "{1}",
    "[[1], [1, 2]]",
    "1" * 5000, "10**10", "[" * 5000, "(" * 300 + "1" + ")" * 300, "None", "...", "[None]", "1e5000j'", "2**99", str(2**99), "@",
    "@none.npy",
    "@script.py", "@folder.safetensors", "@empty.npy", "@huge.npy", "@several.npz", "@objects.npy", "@torn.npz", "@" + ODD, ODD,
]  # fmt: skip
CHECKS = [
    [], ["--order", "0"], ["--order", "9"], ["--order", "²"], ["--order", "1e3"], ["--order", "9" * 5000], ["--points", "-1"],
    ["--points", "0"], ["--points", "many"], ["--points", "9" * 5000], ["--seed", "-1"], ["--seed", "x"], ["--at", "x"],
    ["--at", "=1"],
    ["--at", ""], ["--at", "y=1"], ["--operations"], ["--json", "folder.safetensors"], ["--html", "none/x.html"], ["--html", ""],
    ["--html", ODD + "/" + ODD],
]  # fmt: skip
TARGETS = ["", ":", ":f", "script.py:", "script.py:g", "script.py:f.g", "none.py:f", "none:f", "folder.safetensors:f", ODD,
           ODD + ":f",
           ODD + ".py:f", "none.py", "folder.safetensors", "sys:path", "..:f", ".:f", "a..b:f"]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.py").write_text(FUNCTION)
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 30)
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 torn")
    np.savez(tmp_path / "several.npz", a=[1.0], b=[2.0])
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000), }".ljust(117) + "\n"
    (tmp_path / "huge.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    (tmp_path / "unreadable").symlink_to("unreadable")
    return tmp_path


def refused(capsys, *arguments):
    """Run the command; return the last line that it says, of the one that it says besides the usage."""
    try:
        status = cli.main(arguments)
    except SystemExit as error:  # argparse's
        status = error.code
    out, told = capsys.readouterr()
    lines = [line for line in told.splitlines() if not line.startswith(("usage: ", " "))]
    assert (status, out, len(lines)) == (2, "", 1), told
    assert "Traceback" not in told and "\x1b" not in told and "\u202e" not in told and "\ud8ff" not in told
    return lines[0]


@pytest.mark.parametrize("options", RUNS, ids=repr)
def test_options_of_run(folder, capsys, options):
    line = refused(capsys, "run", *options, *(["script.py"] if options else []))
    assert line.startswith("wengert")


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("command", ["run", "explain"])
def test_scripts_that_are_none(folder, capsys, command, script):
    if command == "explain":  # which shows what was found until then, in any case
        assert cli.main([command, "--", script]) == 2
        assert "Traceback" not in capsys.readouterr().err
    else:
        refused(capsys, command, *(["--"] if script.startswith("--") else []), script)


@pytest.mark.parametrize("value", POINTS)
def test_points_of_check(folder, capsys, value):
    begun = time.monotonic()
    line = refused(capsys, "check", "script.py:f", "--at", "x=" + value)
    assert line.startswith("wengert check: ") and len(line) < 600 + len(shown(value))
    assert time.monotonic() - begun < 30.0


@pytest.mark.parametrize("options", CHECKS, ids=lambda o: ascii(o)[:40])
def test_options_of_check(folder, capsys, options):
    point = [] if "--at" in options else ["--at", "x=1"]
    if not options:
        point = []
    refused(capsys, "check", *(["none"] if options == ["--operations"] else ["script.py:f"]), *point, *options)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: ascii(t)[:40])
def test_targets_of_check(folder, capsys, target):
    line = refused(capsys, "check", target, *(["--at", "x=1"] if ":" in target else []))
    assert line.startswith("wengert check: ")


@pytest.mark.parametrize("arguments", [["demo"], ["explain", "script.py"], ["check", "script.py:f", "--at", "x=1"]])
def test_a_disk_that_is_full_and_a_pipe_that_nobody_reads(folder, arguments):
    for shell, status in (('"$@" > /dev/full', (0, 1, 120)), ('"$@" | true; exit ${PIPESTATUS[0]}', (120,))):
        command = ["bash", "-c", shell, "bash", sys.executable, "-m", "wengert", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode in status and "Traceback" not in done.stderr, (shell, done)
        assert status != (120,) or done.stderr == "", done.stderr


def test_names_in_brackets_are_shown_as_they_are(tmp_path):
    source = "import tensorflow as tf\n@tf.function\ndef f(x):\n    return tf.gradients(x * x, x)\nf(tf.constant(2.0))\n"
    source += "tf.keras.Sequential([tf.keras.Input((2,))], name='[red]m').summary()\n"
    (tmp_path / "[bold]x.py").write_text(source)
    command = [sys.executable, "-m", "wengert", "explain", "[bold]x.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path)
    assert done.returncode == 0 and "[bold]x.py:4" in done.stdout and 'Model: "[red]m"' in done.stdout, done.stderr
