"""The wheel in an empty environment: `make wheel-test`. What it holds, and a newcomer's first steps with nothing else."""

import email
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
DOCTESTED = ["modes.tape", "modes.function", "calculus.gradients", "functions.math", "train.schedules", "calculus.fields"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WENGERT", "VIRTUAL"))}
DOCTEST = (
    "import doctest, importlib, sys\n"
    "done = doctest.testmod(importlib.import_module(sys.argv[1]), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)\n"
    "sys.exit(bool(done.failed) or not done.attempted)"
)

pytestmark = pytest.mark.timeout(900)  # packages are fetched


class Installed(NamedTuple):
    """A wheel, and an environment that has it and what it requires, and nothing else."""

    wheel: Path
    bin: Path
    folder: Path
    """An empty one, in which commands are run."""

    def __call__(self, command: str, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, which is to end with a status."""
        done = subprocess.run(
            [self.bin / command, *arguments], cwd=self.folder, env=CLEAN, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    pip = ["pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", *pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    [wheel] = folder.glob("wengert-*.whl")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([scripts / "python", "-m", *pip, "install", wheel], env=CLEAN, check=True)
    (folder / "empty").mkdir()
    return Installed(wheel, scripts, folder / "empty")


def test_it_holds_the_package_and_nothing_else(installed: Installed):
    package = ROOT / "src"
    sources = {file.relative_to(package).as_posix() for file in package.glob("wengert/**/*") if file.is_file()}
    sources = {file for file in sources if "__pycache__" not in file}
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert {name for name in names if ".dist-info/" not in name} == sources
    assert {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"} == {
        name.partition(".dist-info/")[2] for name in names if ".dist-info/" in name
    }


def test_its_description_renders(installed: Installed):
    markdown = pytest.importorskip("readme_renderer.markdown")
    archive = zipfile.ZipFile(installed.wheel)
    [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    told = email.message_from_bytes(archive.read(name))
    assert told["Description-Content-Type"] == "text/markdown" and told["License-Expression"] == "Apache-2.0"
    page = markdown.render(told.get_payload(decode=True).decode())
    assert page is not None and page.count("<pre") >= 2 * len(EXAMPLES) and "<table>" in page and page.count("<h2") > 4


def test_it_is_what_is_imported(installed: Installed):
    told = installed(
        "python", "-c", "import sys, wengert; print(wengert.__file__, sys.prefix, wengert.__version__)"
    ).stdout.split()
    assert told[0].startswith(told[1]) and told[2] in installed.wheel.name


def test_the_first_derivative(installed: Installed):
    [code] = re.findall(r'^ {4}python -c "(.*)"$', README, re.MULTILINE)
    assert "48" in installed("python", "-c", code).stdout  # x^4 twice: 12 x^2 at 2


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_of_the_readme(installed: Installed, code: str, output: str):
    (installed.folder / "script.py").write_text(code, encoding="utf-8")
    assert installed("wengert", "run", "script.py").stdout == output


@pytest.mark.parametrize("name", DOCTESTED)
def test_doctests(installed: Installed, name: str):
    installed("python", "-c", DOCTEST, f"wengert.{name}")


def test_the_commands(installed: Installed):
    told = installed("wengert", "doctor").stdout
    assert "executor: " in told and "pip install 'wengert[xla]'" in told
    assert "shape" in installed("wengert", "help", "ShapeError").stdout
    assert "tanh" in installed("wengert", "demo").stdout


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("check", "model.py:f", "--at", "x=1"), "verify"),
        (("run", "book.ipynb"), "notebook"),
        (("kernel", "install"), "notebook"),
        (("run", "--executor", "xla", "model.py"), "xla"),
    ],
)
def test_what_is_not_installed_is_told_in_a_line(installed: Installed, arguments: tuple[str, ...], extra: str):
    (installed.folder / "model.py").write_text("import tensorflow as tf\ndef f(x): return tf.sin(x)\n")
    (installed.folder / "book.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    told = installed("wengert", *arguments, status=2).stderr
    assert f"wengert[{extra}]" in told and told.count("\n") == 1
