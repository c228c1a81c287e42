"""What the figures were measured on."""

import os
import platform
import statistics
import subprocess
import sys


def describe() -> str:
    """Return processor, cores, Python and NumPy in one line."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    import numpy

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return f"{name}, {os.cpu_count()} cores, load {load:.1f}; Python {platform.python_version()}, NumPy {numpy.__version__}"


def run(interpreter: str, code: str, argument: str = "") -> list[float]:
    """Run code in an interpreter and return the numbers that it prints."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    done = subprocess.run([interpreter, "-c", code, argument], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{interpreter}: {done.stderr}")
    return [float(word) for word in done.stdout.split()]


def table(rows: dict[str, list[list[float]]], columns: list[str], unit: str) -> None:
    """Print medians over rounds for each contender, and their ratio to the first."""
    first = next(iter(rows.values()))
    print(f"{'':14}" + "".join(f"{c + ' ' + unit:>26}{'ratio':>8}" for c in columns))
    for name, rounds in rows.items():
        line = f"{name:14}"
        for k in range(len(columns)):
            mine = statistics.median(r[k] for r in rounds)
            base = statistics.median(r[k] for r in first)
            line += f"{mine:26.4g}{mine / base:8.2f}"
        print(line)
