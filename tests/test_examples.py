"""The examples, and the code of the documentation, run as a reader would run them."""

import ast
import doctest
import importlib
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ELLIPSES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

EXAMPLES = {
    "1_static_gradients.py": ["u_xxxx     45.79", "u_xt", "linear       [None]"],
    "2_tapes.py": ["jacobian (3, 1, 3, 2) blocks (3, 1, 2)", "weights 30.0 10.0"],
    "3_function.py": ["x^4 [16.0, 32.0, 48.0, 48.0, 24.0]", "5^(1/4) 1.495348781, its derivative 0.074767439"],
    "4_pinn_heat_tf1.py": ["step    0 loss", "step  600 loss", "largest error at new points 0."],
    "5_pinn_heat_tf2.py": ["step    1 loss", "step  600 loss", "largest error at new points 0.0"],
    "7_high_order.py": ["two solitons: greatest height 1.142", "plate: greatest residual"],
    "8_fields.py": ["viscosity found: 0.100000000, exact 0.1", "plate: greatest relative residual below 1e-12: True"],
    "10_saving.py": ["the same residual: True", "a derivative that nobody saved: u_xx =", "training: 6 variables"],
    "11_array_api.py": ["Newton's steps on Rosenbrock's function:", "By NumPy's functions:", "Shared: True"],
    "9_machine_code.py": ["u_xxxx  NumPy", "step    NumPy", "the same to 4 digits: True"],
    "10_minibatches.py": ["a step has (None, 1) points inside; 8 steps make an epoch", "the same points again: True"],
    "12_strategies.py": ["replicas 1 batches of (None, 1)", "epoch 200 loss", "largest error 0.0"],
    "10_gaussian_process.py": ["length    0.240, between 0.149 and 0.376", "greatest error of the mean 0.09, of its slope 0.83"],
    "6_sensitivity.py": ["y(T)", "y(T) = 1/2 for r = 0.693147181, exact 0.693147181"],
    "burgers.py": ["forward: relative error", "inverse: relative error"],
    "kuramoto_sivashinsky.py": ["noise 0%: relative error", "noise 1%: relative error"],
    "poisson.py": ["step   300: loss"],
    "kdv.py": ["t = 0.50: relative error", "to that time: relative error"],
    "schroedinger.py": ["h: relative error", "|h|: relative error"],
}
WORKED = ("burgers.py", "kdv.py", "kuramoto_sivashinsky.py", "poisson.py", "schroedinger.py")
ARGUMENTS = {name: ["--small"] for name in WORKED}
BOUNDS = {
    "burgers.py": {r"forward: relative error (\S+)": 0.1, r"inverse: relative error (\S+)": 0.1, r"a = .* off by (\S+) %": 10},
    "kuramoto_sivashinsky.py": {
        r"noise 0%: relative error (\S+)": 0.1,
        r"noise 1%: relative error (\S+)": 0.1,
        r"a = .* off by (\S+) %": 25,
        r"b = .* off by (\S+) %": 25,
        r"c = .* off by (\S+) %": 25,
    },
    "10_minibatches.py": {r"largest error at new points (\S+)": 0.15},
    "poisson.py": {r"step   300: .* relative error (\S+)": 0.4},
    "kdv.py": {r"t = 0.25: relative error (\S+)": 0.02, r"to that time: relative error (\S+)": 0.05},
    "schroedinger.py": {r"(?m)^h: relative error (\S+)": 0.6, r"\|h\|: relative error (\S+)": 0.1},
}
"""What the numbers in an example's output are to stay below."""


def run(script: Path, cwd: Path, arguments: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wengert", "run", str(script), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=100)


def test_every_example_is_here():
    assert sorted(path.name for path in ROOT.glob("examples/*.py")) == sorted(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, tmp_path: Path):
    done = run(ROOT / "examples" / name, tmp_path, ARGUMENTS.get(name, ()))
    assert done.returncode == 0, done.stderr
    assert [text for text in EXAMPLES[name] if text not in done.stdout] == [], done.stdout
    for pattern, bound in BOUNDS.get(name, {}).items():
        found = re.search(pattern, done.stdout)
        assert found is not None and float(found[1]) < bound, (pattern, done.stdout)


def streams(cell: dict[str, list[dict[str, list[str]]]]) -> str:
    return "".join(line for output in cell.get("outputs", []) for line in output.get("text", []))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_notebook_says_and_prints_what_its_script_does(name: str):
    script = ROOT / "examples" / name
    text = script.with_suffix(".ipynb").read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    written = ast.parse(script.read_text(encoding="utf-8")).body[1:]
    assert codes[0].startswith("%load_ext wengert")
    assert ast.dump(ast.parse("\n".join(codes[1:]))) == ast.dump(ast.Module(written, [])), "make notebooks"
    assert [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"] == list(range(1, len(codes) + 1))
    printed = "".join(map(streams, cells))
    assert [told for told in EXAMPLES[name] if told not in printed] == []
    kinds = [output["output_type"] for cell in cells for output in cell.get("outputs", [])]
    assert "error" not in kinds and ("image/png" in text) == (name in WORKED) and len(text) < 100_000


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_notebook_is_what_is_made_from_its_script(name: str, monkeypatch: pytest.MonkeyPatch):
    for needed in ("jupytext", "nbclient", "PIL"):
        pytest.importorskip(needed)
    monkeypatch.syspath_prepend(ROOT / "docs")
    script = ROOT / "examples" / name
    cells = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    made = importlib.import_module("make_notebooks").notebook(script).cells
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in cells] == [(cell.cell_type, cell.source) for cell in made]


def blocks() -> list[tuple[str, str, str, str]]:
    """Return (page and number, language, code, what stands in the text block behind it) of the Python blocks."""
    found = []
    for page in PAGES:
        fences = FENCE.findall(page.read_text(encoding="utf-8"))
        for number, (language, code) in enumerate(fences):
            follows = fences[number + 1] if number + 1 < len(fences) else ("", "")
            if language == "python":
                name = f"{page.relative_to(ROOT)}[{number}]"
                found.append((name, language, code, follows[1] if follows[0] == "text" else ""))
    return found


SESSIONS = [(name, code) for name, _, code, _ in blocks() if code.startswith(">>> ")]
SCRIPTS = [(name, code, output) for name, _, code, output in blocks() if not code.startswith(">>> ")]


@pytest.mark.parametrize(("name", "code"), SESSIONS, ids=[name for name, _ in SESSIONS])
def test_session_in_the_documentation(name: str, code: str):
    test = doctest.DocTestParser().get_doctest(code, {}, name, name, 0)
    report: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        failed, tried = doctest.DocTestRunner(optionflags=ELLIPSES, verbose=False).run(test, out=report.append)
    assert tried and not failed, "".join(report)


@pytest.mark.parametrize(("name", "code", "output"), SCRIPTS, ids=[name for name, _, _ in SCRIPTS])
def test_script_in_the_documentation(name: str, code: str, output: str, tmp_path: Path):
    (tmp_path / "script.py").write_text(code, encoding="utf-8")
    done = run(Path("script.py"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == output
