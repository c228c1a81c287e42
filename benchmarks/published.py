"""A published program, unchanged, on Wengert and on TensorFlow: Burgers' equation, 100 iterations of L-BFGS.

    .venv/bin/python benchmarks/published.py DATA.mat --tensorflow PYTHON [--rounds 5] [--adam 100]

The program is `published/burgers.py`. Wengert runs it by `wengert run`; TensorFlow through `published/on_tensorflow.py`, whose
environment needs SciPy and pyDOE 0.3.8. Contenders are processes of their own, which take turns. Each first makes iterations
that are not counted (compilation, first touches of memory); `whole s` is the time of the process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe

HERE = Path(__file__).resolve().parent / "published"
COLUMNS = ["seconds", "evaluation ms", "adam step ms", "whole s"]


def run(command, environment, options):
    """Run the program once and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "found.json")
        begin = time.perf_counter()
        done = subprocess.run(
            [*command, *options, "--json", str(found)], capture_output=True, text=True, check=False,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        )  # fmt: skip
        whole = time.perf_counter() - begin
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        return {**json.loads(found.read_text()), "whole s": whole}


def main():
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="burgers_shock.mat of the PINNs repository")
    parser.add_argument("--tensorflow", help="interpreter of an environment with TensorFlow, SciPy and pyDOE 0.3.8")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=100, help="of L-BFGS")
    parser.add_argument("--adam", type=int, default=100, help="steps of Adam before them")
    parser.add_argument("--warm", type=int, default=10, help="iterations of L-BFGS that are not counted")
    given = parser.parse_args()
    script = str(HERE / "burgers.py")
    wengert = [sys.executable, "-m", "wengert", "run", script]
    contenders = {"Wengert": (wengert, {})}  # as users have it: machine code
    contenders |= {f"Wengert {name}": (wengert, {"WENGERT_EXECUTOR": name}) for name in ("numpy", "xla")}
    if given.tensorflow:
        contenders["TensorFlow"] = ([given.tensorflow, str(HERE / "on_tensorflow.py"), script], {})
    options = [given.data, f"--iterations={given.iterations}", f"--adam={given.adam}", f"--warm={given.warm}"]
    print(describe())
    found = {name: [] for name in contenders}
    for _ in range(given.rounds):
        for name, (command, environment) in contenders.items():
            found[name].append(run(command, environment, options))
    last = found[next(reversed(found))]
    print(f"{'':16}" + "".join(f"{c:>18}{'ratio':>8}" for c in COLUMNS) + f"{'evaluations':>14}")
    for name, rounds in found.items():
        line = f"{name:16}"
        for column in COLUMNS:
            if column in rounds[0]:
                mine, base = (statistics.median(r[column] for r in rr) for rr in (rounds, last))
                line += f"{mine:18.4g}{base / mine:8.2f}"
            else:
                line += " " * 26
        print(line + f"{statistics.median(r['evaluations'] for r in rounds):14.0f}")


if __name__ == "__main__":
    main()
