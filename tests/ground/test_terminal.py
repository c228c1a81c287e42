"""Tables that a pipe reads."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import wengert
from wengert.ground import terminal

SCRIPT = """
import tensorflow as tf

@tf.function
def a_function_of_x(x):
    return tf.gradients(tf.gradients(tf.sin(x) * tf.exp(x), x)[0], x)[0]

print(a_function_of_x(tf.constant([[0.5], [1.0]], tf.float64)).shape)
"""


@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_table_is_not_folded_where_nothing_tells_a_width(tmp_path: Path, command: str) -> None:
    folder = tmp_path / ("a_folder_with_a_name_that_is_longer_than_a_column_of_a_table" * 2)
    folder.mkdir()
    script = folder / "script.py"
    script.write_text(SCRIPT)
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    done = subprocess.run(
        [sys.executable, "-m", "wengert", command, str(script)], capture_output=True, text=True, timeout=110, check=False,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "script.py:6" in line]
    assert lines
    for line in lines:
        assert {"check": f"{script}:6", "explain": "script.py:6"}[command] in line
        assert "∂" in line and "right" in line if command == "check" else "taylor" in line
    narrow = subprocess.run(
        [sys.executable, "-m", "wengert", command, str(script)], capture_output=True, text=True, timeout=110, check=False,
        env=environment | {"COLUMNS": "60"},
    )  # fmt: skip
    table = [line for line in narrow.stdout.splitlines() if line.startswith("  ")]
    assert table and max(map(len, table)) <= 60


# Characters that colour, move, hide or reorder what stands beside them, and what is shown in their place.
HOSTILE = {
    "\x1b": r"\x1b", "\x07": r"\x07", "\x00": r"\x00", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\x7f": r"\x7f", "\x9b": r"\x9b",
    "\u200b": r"\u200b", "\u200d": r"\u200d", "\u200e": r"\u200e", "\u200f": r"\u200f", "\u202a": r"\u202a", "\u202e": r"\u202e",
    "\u2028": r"\u2028", "\u2029": r"\u2029", "\u2066": r"\u2066", "\u2069": r"\u2069", "\u061c": r"\u061c", "\ufeff": r"\ufeff",
    "\xad": r"\xad", "\ud800": r"\ud800", "\ufffe": r"\ufffe", "\u05d0": r"\u05d0", "\u0627": r"\u0627",
    "\U000e0041": r"\U000e0041", "\u0661": r"\u0661",
}  # fmt: skip
NAME = "x" + "".join(HOSTILE) + "[bold]y"


@pytest.mark.parametrize("character", HOSTILE)
def test_what_would_change_what_is_read_is_shown_as_an_escape(character: str) -> None:
    assert terminal.shown(f"a{character}b") == f"a{HOSTILE[character]}b"


def test_what_can_be_read_is_shown_as_it_is() -> None:
    text = "∂²u/∂x² of ψ_αβ, naïve, Ω̂ 变量 x\\y [bold] <b>"
    assert terminal.shown(text) == text


def is_clean(text: str) -> bool:
    return not any(character in text.replace("\n", "") for character in HOSTILE if character != "\n")


def test_tables_titles_and_lines_go_through_one_place() -> None:
    from rich.table import Table
    from rich.text import Text

    printed = io.StringIO()
    console = terminal.console(printed)
    table = Table(NAME.replace("[", "("), title=NAME.replace("[", "("))
    table.add_row(NAME.replace("[", "("))
    console.print(NAME, markup=False)
    console.print(table)
    assert is_clean(printed.getvalue()) and printed.getvalue().count(r"\u202e") == 4
    assert not is_clean(Text(NAME).plain)


def test_names_on_the_page_and_in_the_report() -> None:
    from wengert.verify.findings import Fault, Row
    from wengert.verify.report import Report

    rows = [Row(NAME, NAME.replace(" ", ""), 1, NAME, NAME, status, 1.0, 2.0, 3.0, NAME) for status in ("wrong", "undecided")]
    report = Report(rows, [Fault(NAME, NAME, NAME, NAME, NAME)], [NAME])
    printed = io.StringIO()
    report.show(terminal.console(printed))
    assert is_clean(printed.getvalue()) and r"\u202e" in printed.getvalue()
    page = report.html(NAME)
    assert is_clean(page) and page.count(r"\u202e") > 10
    page.encode()


def test_a_models_table(capsys: pytest.CaptureFixture[str]) -> None:
    model = wengert.keras.Sequential([wengert.keras.layers.Flatten(name="a\x1b[31m\u202e")], name="m\u2066\x9b")
    model.build([None, 2])
    model.summary()
    printed = capsys.readouterr().out
    assert is_clean(printed) and r"\u202e" in printed and r"\u2066" in printed


@pytest.mark.parametrize("command", ["explain", "check", "run"])
def test_a_file_with_such_a_name(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "a\x1b[31m\u202e"
    folder.mkdir()
    script = folder / "\u2066x.py"
    script.write_text(SCRIPT + "tf.constnat(1.0)\n")
    done = subprocess.run(
        [sys.executable, "-m", "wengert", command, str(script)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 1 and "tf.constnat" not in done.stdout
    assert is_clean(done.stdout) and is_clean(done.stderr) and r"\u2066x.py" in done.stdout + done.stderr


@pytest.mark.parametrize("stream", [None, 3, "closed", "full"])
def test_what_cannot_be_told_stops_nothing(monkeypatch: pytest.MonkeyPatch, stream: object) -> None:
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    elif stream == "full":
        stream = open("/dev/full", "w")
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", printed)
    terminal.tell("a line")
    assert printed.getvalue() == ""
    monkeypatch.undo()
    if isinstance(stream, io.TextIOWrapper):
        with contextlib.suppress(OSError):
            stream.close()
