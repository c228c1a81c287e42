"""Tables that a pipe reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
