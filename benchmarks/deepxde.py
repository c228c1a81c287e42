"""Trainings with DeepXDE, on Wengert and on TensorFlow: 1000 steps of Adam, 30 iterations of L-BFGS.

    .venv/bin/python benchmarks/deepxde.py --wengert PYTHON --tensorflow PYTHON [--backend tensorflow.compat.v1] [--rounds 3]

The program is `published/with_deepxde.py`. Wengert runs it by `wengert run`, in an environment with DeepXDE, without TensorFlow;
that of TensorFlow has DeepXDE and tf_keras. Contenders are processes of their own, which take turns. A step's time is that of the
second half of Adam; that of L-BFGS and of the training holds compilation too.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import describe

PROGRAM = Path(__file__).resolve().parent / "published" / "with_deepxde.py"
COLUMNS = ["adam step ms", "L-BFGS s", "training s"]


def run(command, name, backend):
    """Run a training once and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "found.json")
        environment = {**os.environ, "DDE_BACKEND": backend, "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment["TF_USE_LEGACY_KERAS"] = "1"  # of which DeepXDE's layers for TensorFlow 1 are
        done = subprocess.run(
            [*command, str(PROGRAM), name, "--json", str(found)], capture_output=True, text=True, check=False, env=environment
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        return json.loads(found.read_text())


def main():
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wengert", default=sys.executable, help="interpreter of an environment with Wengert and DeepXDE")
    parser.add_argument("--tensorflow", required=True, help="interpreter of an environment with TensorFlow and DeepXDE")
    parser.add_argument("--backend", default="tensorflow.compat.v1", choices=["tensorflow.compat.v1", "tensorflow"])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    contenders = {"Wengert": [given.wengert, "-m", "wengert", "run"], "TensorFlow": [given.tensorflow]}
    print(describe())
    print(f"{'':24}" + "".join(f"{c:>16}{'ratio':>8}" for c in COLUMNS) + "   losses: the first, the last")
    for name in ("burgers", "allen_cahn", "heat"):
        found = {contender: [] for contender in contenders}
        for _ in range(given.rounds):
            for contender, command in contenders.items():
                found[contender].append(run(command, name, given.backend))
        for contender, rounds in found.items():
            line = f"{name:12}{contender:12}"
            for column in COLUMNS:
                mine, base = (statistics.median(r[column] for r in rr) for rr in (rounds, found["TensorFlow"]))
                line += f"{mine:16.4g}{base / mine:8.2f}"
            print(f"{line}   {rounds[0]['losses'][0]:.6g}, {rounds[0]['losses'][-1]:.6g}", flush=True)


if __name__ == "__main__":
    main()
