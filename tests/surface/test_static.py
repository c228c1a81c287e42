"""Static tools see every public name, where a user asks for it: mypy reads a file that imports them all."""

import ast
import importlib.util
from pathlib import Path

import pytest

import wengert
from wengert.surface.table import TABLE, stubs

NAMES = (Path(__file__).parents[1] / "tables" / "public_names.txt").read_text().split()


def owner(name: str) -> tuple[str, str]:
    """The module that a public name is imported from, and the name there."""
    module, _, last = name.rpartition(".")
    while importlib.util.find_spec(module) is None:
        module, _, head = module.rpartition(".")
        last = f"{head}.{last}"
    return module, last


def test_the_stubs_are_of_the_modules_that_are_served():
    root = Path(wengert.__file__).parent
    files = (str(p.relative_to(root).with_suffix("")) for p in root.rglob("*.pyi"))
    found = {file.replace("__init__", "").strip("/").replace("/", ".") for file in files}
    assert found == {name for name, row in TABLE.items() if name != row}


def test_stubs_are_python_and_those_of_other_modules_go(tmp_path: Path):
    old = tmp_path / "compat" / "old.pyi"
    old.parent.mkdir()
    old.write_text("")
    written = stubs(tmp_path)
    assert sorted(tmp_path.rglob("*.pyi")) == sorted(written) and old not in written
    for file in written:
        ast.parse(file.read_text())
    assert "def reduce_sum(input_tensor: _Any, axis: _Any = ..., " in (tmp_path / "compat" / "v1" / "__init__.pyi").read_text()


@pytest.mark.timeout(600)
def test_mypy_sees_every_public_name(tmp_path: Path):
    api = pytest.importorskip("mypy.api")
    lines, count = [], 0
    for name in NAMES:
        module, last = owner(name)
        if "." in last:
            continue
        lines.append(f"from {module} import {last} as n{count}")
        count += 1
    assert count > 1300
    file = tmp_path / "every.py"
    file.write_text("\n".join(lines) + "\n")
    ast.parse(file.read_text())
    out, err, status = api.run(["--no-error-summary", "--follow-imports=silent", "--cache-dir", str(tmp_path), str(file)])
    assert (out, err, status) == ("", "", 0)
