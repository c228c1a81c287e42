"""`wengert doctor`: what is installed, who will run what and why, and what a script or a notebook would miss here.

A program is read, and not run.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from typing import NamedTuple

from wengert.ground import terminal
from wengert.ground.options import options
from wengert.ground.terminal import tell
from wengert.run.needs import Missing, missing, parts_of, style_of_parts
from wengert.run.packages import python_2, remedy
from wengert.run.served import serve

__all__ = ["doctor"]

PARTS = {
    "numpy": ("the executor that is always there", "numpy"),
    "scipy": ("special functions, optimizers", "scipy"),
    "llvmlite": ("machine code for many rows", "llvmlite"),
    "diastatic-malt": ("if, while and for over tensors in functions", "diastatic-malt"),
    "safetensors": ("checkpoints", "safetensors"),
    "jax": ("the executor over XLA", "'wengert[xla]'"),
    "mpmath": ("the oracle of wengert check", "'wengert[verify]'"),
    "h5py": ("Keras' files .h5 and .keras", "'wengert[weights]'"),
    "matplotlib": ("figures", "'wengert[plot]'"),
    "ipykernel": ("notebooks", "'wengert[notebook]'"),
    "nbclient": ("notebooks run from the shell", "'wengert[notebook]'"),
}
"""By distribution: what it is for, and what pip is told to install it."""


class Diagnosis(NamedTuple):
    """What a program would miss here."""

    style: str
    names: list[Missing]
    packages: list[Missing]


def diagnosis(path: str) -> Diagnosis:
    """Read a script or a notebook, and return what it would miss. From then on ``import tensorflow`` is served in this process.

    Raises:
        OSError: if it cannot be read.
        SyntaxError: if it is no Python.
        ValueError: if it is no notebook though its name says so.
    """
    parts = parts_of(path)
    style = style_of_parts(parts)
    serve(style)
    return Diagnosis(style, *missing(parts, os.path.dirname(os.path.realpath(path))))


def doctor(path: str | None = None) -> int:
    """Print what is here, or what a program would miss; return 1 if it would miss something, 2 if it cannot be read."""
    if path is None:
        _machine()
        return 0
    try:
        found = diagnosis(path)
    except SyntaxError as error:
        place = f"{error.filename}:{error.lineno}"
        tell(f"wengert doctor: {place}: {python_2(error) or error.msg}")
        return 2
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        tell(f"wengert doctor: {path} cannot be read: {getattr(error, 'strerror', None) or error}")
        return 2
    console = terminal.console()
    names = "TensorFlow 1's names, in graph mode" if found.style == "tf1" else "TensorFlow 2's names, eagerly"
    console.print(f"{path}: {names} (--tf1 and --tf2 of `wengert run` say otherwise)", markup=False, soft_wrap=True)
    for one in found.packages:
        console.print(f"{one.place}: {remedy(one.name)}", markup=False, soft_wrap=True)
    for one in found.names:
        console.print(f"{one.place}: {one.what}", markup=False, soft_wrap=True)
    if not found.names and not found.packages:
        console.print("Every name of TensorFlow's that it says is here, and every package that it imports.", soft_wrap=True)
    elif not found.names:
        console.print("Every name of TensorFlow's that it says is here.", soft_wrap=True)
    return int(bool(found.names or found.packages))


def _machine() -> None:
    """Print what is installed, and who runs what."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    import wengert

    console = terminal.console()
    console.print(
        f"Wengert {wengert.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, {_cores()}"
    )
    console.print(f"  at {os.path.dirname(os.path.dirname(__file__))}, run by {sys.executable}", markup=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("package", "version", "what for"):
        table.add_column(column)
    for name, (what, install) in PARTS.items():
        try:
            version, note = importlib.metadata.version(name), what
        except importlib.metadata.PackageNotFoundError:
            version, note = "-", f"{what}: pip install {install}"
        table.add_row(name, version, escape(note))
    console.print(table)
    for line in (_executor(), _threads(), _tensorflow()):
        console.print(line, markup=False, soft_wrap=True)


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{usable} core{'s' * (usable > 1)}"


def _executor() -> str:
    """Return who runs graphs and functions, and why."""
    chosen = options.executor
    said = "WENGERT_EXECUTOR says so" if os.environ.get("WENGERT_EXECUTOR") else "nothing else was said"
    why = ""
    if chosen in ("native", "auto"):
        from wengert.execute.native import engine

        reason = engine.available()
        why = (
            f"; there is none here, so NumPy runs them: {reason}" if reason
            else f"; machine code is made for vectors of {engine.target().bytes} bytes, from the {_ordinal()} run of a list on"
        )  # fmt: skip
    if chosen == "xla" and importlib.util.find_spec("jax") is None:
        why = "; JAX is not installed, so they will not run: pip install 'wengert[xla]'"
    return f"executor: {chosen} ({said}){why}"


def _ordinal() -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(options.after + 1, f"{options.after + 1}th")


def _threads() -> str:
    set_by = [f"{n}={os.environ[n]}" for n in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS") if n in os.environ]
    return f"threads: {int(options.threads)} for tiles" + (f"; products of matrices: {', '.join(set_by)}" if set_by else "")


def _tensorflow() -> str:
    """Return what an import of TensorFlow would find outside of `wengert run`."""
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-macos"):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return f"import tensorflow: TensorFlow {version}, which is installed here; under `wengert run`, Wengert"
    found = importlib.util.find_spec("tensorflow")
    if found is not None and found.origin:
        return f"import tensorflow: {found.origin}; under `wengert run`, Wengert"
    return "import tensorflow: nothing, as none is installed; under `wengert run` and after `%load_ext wengert`, Wengert"
