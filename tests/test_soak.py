"""A minute of the soak (`make soak`), and that each promise of docs/reliability.md names a test that is there."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
KINDS = runpy.run_path(str(TESTS / "soak/__init__.py"))["KINDS"]
PROMISE = re.compile(r"^\| (?P<what>.+?) \| (?P<tests>.+?) \| *<!-- promise -->$", re.MULTILINE)


@pytest.mark.timeout(400)  # a fault that is a hang is told by the soak itself
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost(kind: str, tmp_path: Path):
    if KINDS[kind].executor != "numpy":
        pytest.importorskip("jax")
    command = [sys.executable, "-m", "soak", "--short", "--only", kind, "--folder", str(tmp_path), "--minutes", "4"]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True)
    report = tmp_path / "1.md"
    assert done.returncode == 0, (report.read_text() if report.exists() else "") + done.stdout[-5000:] + done.stderr[-5000:]


def there(name: str) -> bool:
    """Whether a test is there: ``path.py``, ``path.py::name``, or ``soak: kind``."""
    if name.startswith("soak: "):
        return name.removeprefix("soak: ") in KINDS
    path, _, function = name.partition("::")
    file = TESTS.parent / path
    if not file.is_file():
        return False
    names = {node.name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)}
    return not function or function in names


def test_each_promise_names_a_test_that_is_there():
    page = (TESTS.parent / "docs/reliability.md").read_text(encoding="utf-8")
    promises = PROMISE.findall(page)
    assert len(promises) == page.count("<!-- promise -->") > 20
    named = {what: re.findall(r"`([^`]+)`", tests) for what, tests in promises}
    assert not [what for what, tests in named.items() if not tests]
    assert not [name for tests in named.values() for name in tests if not there(name)]
