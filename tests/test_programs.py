"""Whole programs, as TensorFlow users write them, must print what TensorFlow printed for them.

Words must be equal and numbers close. The name of an exception may be that of a finer class than TensorFlow's.

Where Wengert differs on purpose, the program stands in DIFFERENT with the reason, and NAME.wengert.txt beside it is
what it prints instead; `python tests/test_programs.py NAME` prints that file anew.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import wengert  # noqa: F401  (its modules are looked into by name)

PROGRAMS = Path(__file__).parent / "programs"
REFERENCE = "tensorflow-2.21.txt"

MIXED = "float32 with float64, and int32 with int64, promote as in the array API standard; whole floats are sizes"
ONE_NODE = "a gradient in a graph is one node until the graph is compiled"
CLASS = "there is one class of variables, called Variable"

DIFFERENT = {
    "array_gather_scatter": "derivatives by the values of one_hot are there",
    "array_where_clip_pad": "the derivative by pad's constant_values is there",
    "dtype_conversion": f"{MIXED}; a number that does not fit its dtype raises rather than being cut",
    "errors_eager": "the error classes are also Python's own; gradients answer eagerly; an assignment says what to do",
    "forward_accumulator": "a tangent of another shape than its primal is refused",
    "internal_backprop": "the error classes live in wengert.errors",
    "internal_parallel_for": ONE_NODE,
    "repr_eager": f"{CLASS}; constants of a reduction are attributes rather than nodes",
    "tape_none_cases": "what TensorFlow has no gradient registered for has its derivative, or none",
    "tape_variables": CLASS,
    "v1_dtype_rules": f"{MIXED}; a number that does not fit its dtype raises rather than being cut",
    "v1_forward_derivative": "what a derivative does not depend on need not be fed",
    "v1_gradients_basic": "a string is no x to differentiate by",
    "v1_graphs": f"{ONE_NODE}; constants are named Const",
    "v1_names_and_types": f"{ONE_NODE}; some functions are made of other operations than TensorFlow's",
    "v1_testcase": ONE_NODE,
    "v1_variables": CLASS,
}

TOKEN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf|[^\W\d]\w*|\S")


def run(script: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "wengert", "run", "--quiet", script.name]
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return subprocess.run(
        command, cwd=script.parent, capture_output=True, text=True, timeout=110, env={**os.environ, **threads}, check=False
    )


def is_finer(word: str, expected: str) -> bool:
    """Whether the word names one of our exceptions that is also the expected one."""
    for module in [m for name, m in sys.modules.items() if name.startswith("wengert.")]:
        found = vars(module).get(word)
        if isinstance(found, type) and issubclass(found, Exception):
            return expected in {base.__name__ for base in found.__mro__}
    return False


def agree(printed: str, expected: str, relative: float, absolute: float) -> bool:
    if printed == expected:
        return True
    try:
        a, b = float(printed), float(expected)
    except ValueError:
        return is_finer(printed, expected)
    return a == b or (a != a and b != b) or abs(a - b) <= absolute + relative * max(abs(a), abs(b))


def differences(printed: str, expected: str, relative: float = 3e-4, absolute: float = 2e-5) -> list[str]:
    """The lines that differ, with their numbers."""
    ours, theirs = printed.splitlines(), expected.splitlines()
    found = []
    for i in range(max(len(ours), len(theirs))):
        one = ours[i] if i < len(ours) else "(nothing)"
        other = theirs[i] if i < len(theirs) else "(nothing)"
        a, b = TOKEN.findall(one), TOKEN.findall(other)
        if len(a) != len(b) or not all(agree(x, y, relative, absolute) for x, y in zip(a, b, strict=True)):
            found.append(f"line {i + 1}: printed  {one}\n{' ' * len(f'line {i + 1}')}  expected {other}")
    return found


def names() -> list[str]:
    return sorted(path.stem for path in PROGRAMS.glob("*.py"))


@pytest.mark.parametrize("name", names())
def test_program(name: str):
    end = "wengert.txt" if name in DIFFERENT else REFERENCE
    done = run(PROGRAMS / f"{name}.py")
    assert done.returncode == 0, done.stderr
    assert differences(done.stdout, (PROGRAMS / f"{name}.{end}").read_text()) == []


def test_differences_are_differences_and_have_reasons():
    for name, reason in DIFFERENT.items():
        ours, theirs = (PROGRAMS / f"{name}.{end}" for end in ("wengert.txt", REFERENCE))
        assert reason and differences(ours.read_text(), theirs.read_text()), name
    assert {path.name.split(".")[0] for path in PROGRAMS.glob("*.wengert.txt")} == set(DIFFERENT)
    assert set(DIFFERENT) <= set(names())


@pytest.mark.parametrize("name", ["1_static_gradients", "2_tape_in_static_graph", "3_eager_tape", "4_function_gradients"])
def test_post(name: str, shared: Path):
    script = shared / "acceptance" / "post" / f"{name}.py"
    if not script.is_file():
        pytest.skip(f"{script} is not there")
    done = run(script)
    assert done.returncode == 0, done.stderr
    expected = script.with_name(f"{name}.{REFERENCE}").read_text()
    assert differences(done.stdout, expected, absolute=1e-7) == []


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("x 1.00001", "x 1.0", True),
        ("x 1.01", "x 1.0", False),
        ("[1. 2.]", "[1.0 2.0]", True),
        ("nan inf", "nan inf", True),
        ("raises ShapeError", "raises InvalidArgumentError", True),
        ("raises ShapeError", "raises TypeError", False),
        ("one", "one two", False),
        ("None", "0.0", False),
    ],
)
def test_comparison(printed: str, expected: str, same: bool):
    assert (differences(printed, expected) == []) is same


if __name__ == "__main__":
    for chosen in sys.argv[1:]:
        (PROGRAMS / f"{chosen}.wengert.txt").write_text(run(PROGRAMS / f"{chosen}.py").stdout)
