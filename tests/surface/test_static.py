"""Static tools see every public name, where a user asks for it: mypy reads a file that imports them all."""

import ast
import importlib.util
from pathlib import Path

import pytest

import wengert
from wengert.surface.serve import PLACES

NAMES = (Path(__file__).parents[1] / "tables" / "public_names.txt").read_text().split()
MADE = {"wengert.raw_ops", "wengert.compat.v1.raw_ops"}
"""Modules whose functions are made from a table when they are imported, which no static tool can follow."""


def owner(name: str) -> tuple[str, str]:
    """The module that a public name is imported from, and the name there."""
    module, _, last = name.rpartition(".")
    while importlib.util.find_spec(module) is None:
        module, _, head = module.rpartition(".")
        last = f"{head}.{last}"
    return module, last


def test_the_stubs_are_of_the_modules_that_are_served():
    root = Path(wengert.__file__).parent
    found = {str(p.relative_to(root).with_suffix("")).replace("/__init__", "").replace("/", ".") for p in root.rglob("*.pyi")}
    assert found == set(PLACES)


@pytest.mark.timeout(600)
def test_mypy_sees_every_public_name(tmp_path: Path):
    api = pytest.importorskip("mypy.api")
    lines, count = [], 0
    for name in NAMES:
        module, last = owner(name)
        if "." in last or module in MADE or name in MADE:
            continue
        lines.append(f"from {module} import {last} as n{count}")
        count += 1
    assert count > 900
    file = tmp_path / "every.py"
    file.write_text("\n".join(lines) + "\n")
    ast.parse(file.read_text())
    out, err, status = api.run(["--no-error-summary", "--follow-imports=silent", "--cache-dir", str(tmp_path), str(file)])
    assert (out, err, status) == ("", "", 0)
