"""The pages of errors and warnings: each class has one, its program raises it, and the message leads to it."""

from __future__ import annotations

import copy
import importlib
import json
import pickle
import pkgutil
import re
import subprocess
import sys
import tomllib
import traceback
import warnings
from pathlib import Path

import pytest

import wengert
import wengert as tf
from wengert.cli import main
from wengert.run.help import sections

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = sections()
WITHIN = {
    "Mismatch", "NoForm", "Refusal", "Refused", "Trouble", "Unanswerable", "Unavailable", "Unfit", "Unsupported", "Unwritten",
}  # fmt: skip
"""Classes that are raised and caught within: none of them reaches a program."""

DRIVER = """
import json, runpy, sys, traceback, warnings
from wengert.run.served import serve

serve("tf2")
found = {}
for name in json.loads(sys.argv[1]):
    try:
        with warnings.catch_warnings():
            runpy.run_path(name, run_name="__main__")
        found[name] = ["", "", ""]
    except BaseException as error:
        found[name] = [type(error).__name__, str(error), "".join(traceback.format_exception_only(error))]
print("FOUND" + json.dumps(found))
"""


def classes() -> dict[str, type[BaseException]]:
    """Return every class of errors and warnings that Wengert defines."""
    for module in pkgutil.walk_packages(wengert.__path__, "wengert."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:  # of what is not installed
                assert not (error.name or "").startswith("wengert"), error
    found, pending = {}, [BaseException]
    while pending:
        for kind in pending.pop().__subclasses__():
            pending.append(kind)
            if kind.__module__.partition(".")[0] == "wengert" and "<locals>" not in kind.__qualname__:
                found[kind.__name__] = kind
    return found


def test_every_class_has_a_page_and_every_page_a_class():
    assert sorted(classes()) == sorted({*PAGES, *WITHIN})


def test_a_page_has_a_cause_a_program_and_a_cure():
    for name, page in PAGES.items():
        assert 1 <= len(PROGRAM.findall(page)) <= 2 and "**Cure**" in page, name
        assert max(map(len, page.splitlines())) <= 160, name


def test_what_a_page_says_of_its_bases_is_so():
    kinds = classes()
    for name, page in PAGES.items():
        said = re.search(r"^\*An? (.*?)\.\*", page, re.MULTILINE)
        for base in re.findall(r"\w+(?:Error|Warning)\b", said[1] if said else ""):
            assert base in {one.__name__ for one in kinds[name].__mro__}, (name, base)


def test_the_first_program_raises_it_and_the_second_does_not(tmp_path: Path):
    files = {}
    for name, page in PAGES.items():
        for k, text in enumerate(PROGRAM.findall(page)):
            file = tmp_path / f"{name}_{k}.py"
            file.write_text(text)
            files[str(file)] = (name, k)
    found = {}
    for named in ("tensorflow", ""):  # under TensorFlow's name, and there alone, NumPy's functions take values
        some = [file for file in files if ("import tensorflow" in Path(file).read_text()) == bool(named)]
        done = subprocess.run([sys.executable, "-c", DRIVER, json.dumps(some)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found |= json.loads(done.stdout.rpartition("FOUND")[2])
    for file, (name, k) in files.items():
        kind, text, told = found[file]
        assert kind == (name if k == 0 else ""), (name, k, text)
        if k == 0:
            assert told.count(f"wengert help {name}: ") == 1, told


def test_the_note_is_no_part_of_the_message_and_stands_once():
    error = tf.errors.ShapeError(None, None, "text")
    again = type(error)(None, None, error.message)
    for one in (error, again, pickle.loads(pickle.dumps(error)), copy.copy(error), pickle.loads(pickle.dumps(again))):
        assert str(one) == "text"
        told = "".join(traceback.format_exception_only(one))
        assert told == "wengert.errors.ShapeError: text\nwengert help ShapeError: what it means, and what to do\n"
    error.add_note("mine")
    assert error.__notes__ == ["wengert help ShapeError: what it means, and what to do", "mine"]
    assert len(tf.errors.ShapeError("other").__notes__) == 1
    assert pickle.loads(pickle.dumps(error)).__notes__ == error.__notes__


def test_a_class_of_a_program_leads_to_the_page_of_its_base():
    class Mine(tf.errors.InvalidArgumentError):
        pass

    assert Mine("text").__notes__ == ["wengert help InvalidArgumentError: what it means, and what to do"]


def test_nothing_is_made_before_the_note_is_asked_for():
    assert "__notes__" not in tf.errors.OutOfRangeError("text").__dict__


def test_the_warning_ends_with_its_page():
    x = tf.constant(2.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with tf.GradientTape() as tape:
            y = x * x
        tape.gradient(y, x)
    assert [str(one.message).endswith("(wengert help NoGradientWarning: what it means, and what to do)") for one in caught] == [
        True
    ]


@pytest.mark.parametrize("name", ["ShapeError", "wengert.errors.ShapeError", "shapeerror"])
def test_help_prints_a_page(name: str, capsys: pytest.CaptureFixture[str]):
    assert main(["help", name]) == 0
    out, told = capsys.readouterr()
    assert "The shapes of the inputs do not fit." in out and "tf.matmul(tf.ones([2, 3])" in out and told == ""
    assert max(map(len, out.splitlines())) <= 160  # no blanks up to a width that a pipe has not


def test_help_lists_all(capsys: pytest.CaptureFixture[str]):
    assert main(["help"]) == 0
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[1:]] == list(PAGES)


def test_help_names_what_is_near(capsys: pytest.CaptureFixture[str]):
    assert main(["help", "ShapesError"]) == 1
    assert "near: ShapeError" in capsys.readouterr().err
    assert main(["help", "\x1b[31m"]) == 1
    told = capsys.readouterr().err
    assert "near" not in told and "\x1b" not in told and told.count("\n") == 1


def test_the_documentation_shows_the_same_pages():
    said = re.findall(r'^--8<-- "(.*)"$', (ROOT / "docs/errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert said == ["src/wengert/run/errors.md"] and (ROOT / said[0]).is_file()
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["src/wengert"]}  # all files of the package, Markdown too
