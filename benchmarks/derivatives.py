"""Derivatives of high order of networks: values, training steps, mixed derivatives, Laplacians; peers in the same run.

    .venv/bin/python benchmarks/derivatives.py --jax PYTHON --torch PYTHON --tensorflow PYTHON [--works 'A/float32/*'] ...

Each contender is a process of its own that stays alive; within one run they take turns, and every result is checked against
a float64 reference before it is timed.
"""

import argparse
import dataclasses
import fnmatch
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from contenders.problems import Work, works
from contenders.reference import TOLERANCE, error, expected
from machine import describe

PLANE = ("forward", "dx", "burgers", "kdv", "ks", "xxyy")
SPACE = ("laplacian", "laplacian-train", "biharmonic")
# Name, library, form, kinds of work.
CONTENDERS = [
    ("Wengert", "wengert", "native", PLANE + SPACE),
    ("Wengert numpy", "wengert", "numpy", PLANE + SPACE),
    ("Wengert xla", "wengert", "xla", PLANE + SPACE),
    ("JAX grad", "jax", "grad", PLANE + SPACE),
    ("JAX jvp", "jax", "jvp", PLANE + SPACE),
    ("JAX jet", "jax", "jet", PLANE + SPACE),
    ("JAX hessian", "jax", "hessian", SPACE),
    ("JAX folx", "jax", "folx", SPACE),
    ("PyTorch", "torch", "grad", PLANE + SPACE),
    ("TensorFlow", "tensorflow", "graph", PLANE + SPACE),
    ("TensorFlow XLA", "tensorflow", "xla", PLANE + SPACE),
]
LARGE = str(1 << 32)
ALLOCATORS = {
    "plain": {},
    # Freed pages are kept by the process. MMAP_MAX is for C libraries that refuse a threshold above 32 MB; with more than
    # one arena, threads would map whatever exceeds 64 MB anew each time.
    "tuned": {
        "MALLOC_TRIM_THRESHOLD_": LARGE,
        "MALLOC_TOP_PAD_": str(1 << 28),
        "MALLOC_MMAP_THRESHOLD_": LARGE,
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_ARENA_MAX": "1",
    },
}


class Stopped(Exception):
    """A contender was stopped: it did not answer in time, or took too much memory."""


def resident(process: int) -> float:
    """Return the resident memory of a process in MB, 0 where the system does not tell."""
    try:
        with open(f"/proc/{process}/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


@dataclasses.dataclass
class Contender:
    """A process, and how it is talked to."""

    name: str
    library: str
    form: str
    kinds: tuple[str, ...]
    interpreter: str
    allocator: str
    cores: str
    limit_mb: float
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    versions: str = ""
    idle_mb: float = 0.0
    broken: str = ""  # why it cannot start
    late: dict[tuple[str, str], tuple[int, str]] = dataclasses.field(default_factory=dict)  # the order that took too long

    @property
    def label(self) -> str:
        """Return its name and its allocator."""
        return f"{self.name} {self.allocator}"

    def start(self) -> None:
        """Start the process if it is not there."""
        if self.process is not None or self.broken:
            return
        environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3")
        environment.update(ALLOCATORS[self.allocator])
        if self.library == "wengert":
            environment["WENGERT_EXECUTOR"] = self.form
        worker = Path(__file__).resolve().parent / "contenders" / "worker.py"
        with open(self.folder / f"{self.label}.log".replace(" ", "-"), "ab") as log:
            self.process = subprocess.Popen(
                [self.interpreter, str(worker), self.library, self.form, self.cores],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                bufsize=0,
            )
        try:
            found = self.read(120)
        except Stopped as reason:
            found = {"error": f"{reason} to start"}
        if "error" in found:
            self.broken = found["error"]
            self.stop()
        else:
            self.versions, self.idle_mb = found["versions"], found["idle_mb"] or 0.0

    def read(self, seconds: float) -> dict[str, Any]:
        """Read one answer; stop the process if it takes too long."""
        assert self.process is not None and self.process.stdout is not None
        end, text = time.monotonic() + seconds, b""
        number = self.process.pid
        while not text.endswith(b"\n"):
            left = end - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(min(left, 0.5), 0.0))
            if not ready and left <= 0.0:
                self.stop()
                raise Stopped(f"over {seconds:g} s")
            if not ready and resident(number) > self.limit_mb:
                self.stop()
                raise Stopped(f"over {self.limit_mb:g} MB")
            if not ready:
                continue
            piece = self.process.stdout.read(65536)
            if not piece:
                self.stop()
                return {"error": "the process ended"}
            text += piece
        return json.loads(text)

    def ask(self, seconds: float, **fields: Any) -> dict[str, Any]:
        """Send one order and return the answer."""
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(json.dumps(fields).encode() + b"\n")
        return self.read(seconds)

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def prepare(contender: Contender, work: Work, right: dict[str, Any], given: argparse.Namespace) -> dict[str, Any]:
    """Let a contender compile a work, check its result, and return a row of the table, with a note if it takes no part."""
    row: dict[str, Any] = {"contender": contender.name, "allocator": contender.allocator, "times": [], "note": ""}
    family = (work.network + work.dtype, work.kind)
    if family in contender.late and work.order > contender.late[family][0]:
        return row | {"note": f"skipped: order {contender.late[family][0]} was {contender.late[family][1]}"}
    contender.start()
    if contender.broken:
        return row | {"note": contender.broken}
    out = contender.folder / "result.npz"
    try:
        found = contender.ask(given.compile_limit, do="prepare", work=dataclasses.asdict(work), out=str(out))
    except Stopped as reason:
        note = f"{reason} to compile and run twice"
        contender.late[family] = work.order, note
        return row | {"note": note}
    if "error" in found:
        return row | {"note": found["error"]}
    row |= found
    with np.load(out) as arrays:
        row["error"] = error([arrays[name] for name in arrays.files], right)
    out.unlink()
    if not row["error"] <= TOLERANCE[work.dtype]:
        return row | {"note": "WRONG"}
    if row["again_s"] > given.run_limit:
        note = f"over {given.run_limit:g} s a run ({row['again_s']:.1f} s)"
        contender.late[family] = work.order, note
        return row | {"note": note}
    return row


def measure(contenders: list[Contender], work: Work, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows of a work's table: prepare all contenders, then let them take turns."""
    right = expected(work)
    taking_part = [c for c in contenders if work.kind in c.kinds]
    rows = [prepare(contender, work, right, given) for contender in taking_part]
    turns = [(c, r) for c, r in zip(taking_part, rows, strict=True) if not r["note"]]
    for k in range(given.rounds):
        for contender, row in turns[k % max(len(turns), 1) :] + turns[: k % max(len(turns), 1)]:
            if row["note"]:
                continue
            time.sleep(0.02)  # threads of the one before may still be spinning
            n = int(min(max(given.turn / row["again_s"], 1), 200))
            try:
                found = contender.ask(60 + 10 * n * row["again_s"], do="run", n=n)
            except Stopped as reason:
                found = {"error": f"{reason} for {n} runs"}
            if "error" in found:
                row["note"] = found["error"]
                continue
            row["times"] += found["times"]
            row["peak_mb"] = max(row.get("peak_mb", 0.0), found["peak_mb"])
            row["faults"] = found["faults"]
    for contender, row in zip(taking_part, rows, strict=True):
        if contender.process is not None:
            contender.ask(60, do="drop")
            if resident(contender.process.pid) > contender.idle_mb + 1000:
                contender.stop()  # what it keeps would stand in the next work's figures, and in others' way
        if row["times"] and not row["note"]:
            row["median_ms"] = 1e3 * statistics.median(row["times"])
            row["p10_ms"] = 1e3 * float(np.percentile(row["times"], 10))
            row["extra_mb"] = row["peak_mb"] - contender.idle_mb
    for row in rows:
        peers = [r for r in rows if "median_ms" in r and not r["contender"].startswith("Wengert")]
        peers = [r for r in peers if r["allocator"] == row["allocator"]] or peers
        if "median_ms" in row and peers:
            row["ratio"] = row["median_ms"] / min(r["median_ms"] for r in peers)
            row["p10_ratio"] = row["p10_ms"] / min(r["p10_ms"] for r in peers)
    return rows


def show(work: Work, rows: list[dict[str, Any]], allocators: int) -> None:
    """Print a work's table."""
    print(f"\n{work.name}, {work.points} points")
    head = ["compile s", "p10 ms", "ratio", "median ms", "ratio", "temp MB", "peak MB", "error"]
    print(f"  {'contender':22}" + "".join(f"{h:>11}" for h in head))

    def cell(value: float | None, form: str) -> str:
        return f"{'' if value is None else format(value, form):>11}"

    for row in rows:
        name = row["contender"] + (f" {row['allocator']}" if allocators > 1 else "")
        if row["note"] and row["note"] != "WRONG":
            print(f"  {name:22}  {row['note']}")
            continue
        temp = None if row.get("temp") is None else row["temp"] / 2**20
        cells = [(row["compile_s"], ".2f"), (row.get("p10_ms"), ".3f"), (row.get("p10_ratio"), ".2f")]
        cells += [(row.get("median_ms"), ".3f"), (row.get("ratio"), ".2f")]
        cells += [(temp, ".1f"), (row.get("extra_mb"), ".0f"), (row["error"], ".0e")]
        print(f"  {name:22}" + "".join(cell(*c) for c in cells) + (f"  {row['note']}" if row["note"] else ""))
    sys.stdout.flush()


def show_orders(done: list[tuple[Work, list[dict[str, Any]]]], allocators: int) -> None:
    """Print what the k-th derivative costs over the contender's own forward pass, by medians."""
    for network, dtype in dict.fromkeys((work.network, work.dtype) for work, _ in done if work.kind == "dx"):
        cost: dict[tuple[str, str], dict[int, float]] = {}
        for work, rows in done:
            if (work.network, work.dtype) == (network, dtype) and work.kind in ("forward", "dx"):
                for row in rows:
                    if "median_ms" in row:
                        cost.setdefault((row["contender"], row["allocator"]), {})[work.order] = row["median_ms"]
        cost = {name: costs for name, costs in cost.items() if 0 in costs}
        if not cost:
            continue
        orders = sorted({k for costs in cost.values() for k in costs if k})
        print(f"\n{network}/{dtype}: the k-th derivative over the contender's own forward pass")
        print(f"  {'contender':22}{'forward ms':>11}" + "".join(f"{f'k = {k}':>9}" for k in orders))
        for (name, allocator), costs in cost.items():
            label = name + (f" {allocator}" if allocators > 1 else "")
            ratios = "".join(f"{costs[k] / costs[0]:9.1f}" if k in costs else f"{'':9}" for k in orders)
            print(f"  {label:22}{costs[0]:11.3f}" + ratios)


def main() -> None:
    """Take turns and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jax", help="interpreter of an environment with JAX (and folx)")
    parser.add_argument("--torch", help="interpreter of an environment with PyTorch")
    parser.add_argument("--tensorflow", help="interpreter of an environment with TensorFlow")
    parser.add_argument("--wengert", default=sys.executable, help="interpreter for Wengert; its default is this one")
    parser.add_argument("--wengert-xla", help="interpreter for Wengert's XLA executor; its default is that of --wengert")
    parser.add_argument("--works", default="*", help="patterns such as 'A/float32/*,C*', separated by commas")
    parser.add_argument("--contenders", default="*", help="patterns such as 'Wengert*,JAX*', separated by commas")
    parser.add_argument("--allocator", choices=["plain", "tuned", "both"], default="plain", help="tuned keeps freed pages")
    parser.add_argument("--cores", default="all", help="how many cores each contender may use")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--turn", type=float, default=0.3, help="seconds of a contender's turn in a round")
    parser.add_argument("--compile-limit", type=float, default=60.0, help="seconds to build, compile and run twice")
    parser.add_argument("--run-limit", type=float, default=10.0, help="seconds of one run")
    parser.add_argument("--memory-limit", type=float, default=6000.0, help="MB of one contender's process")
    parser.add_argument("--quick", action="store_true", help="an eighth of the points, three short rounds")
    parser.add_argument("--list", action="store_true", help="print the names of the works and end")
    parser.add_argument("--json", help="file for all times")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if given.quick:
        given.rounds, given.turn = min(given.rounds, 3), min(given.turn, 0.05)

    def wanted(name: str, patterns: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern.strip()) for pattern in patterns.split(","))

    chosen = [work for work in works(8 if given.quick else 1) if wanted(work.name, given.works)]
    if given.list or not chosen:
        print("\n".join(work.name for work in (chosen or works())))
        return
    interpreters = {"wengert": given.wengert, "jax": given.jax, "torch": given.torch, "tensorflow": given.tensorflow}
    allocators = ["plain", "tuned"] if given.allocator == "both" else [given.allocator]
    print(describe())
    print(f"cores for each contender: {given.cores}; allocator: {given.allocator}; {given.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        contenders = []
        for name, library, form, kinds in CONTENDERS:
            interpreter = (library == "wengert" and form == "xla" and given.wengert_xla) or interpreters[library]
            if interpreter and wanted(name, given.contenders):
                for allocator in allocators:
                    contenders.append(
                        Contender(
                            name, library, form, kinds, interpreter, allocator, given.cores, given.memory_limit, Path(folder)
                        )
                    )
        for library, interpreter in interpreters.items():
            if not interpreter:
                print(f"{library} takes no part: no --{library}")
        done: list[tuple[Work, list[dict[str, Any]]]] = []
        said: set[str] = set()
        try:
            for work in chosen:
                rows = measure(contenders, work, given)
                done.append((work, rows))
                for contender in contenders:
                    if contender.versions and contender.name not in said:
                        said.add(contender.name)
                        print(f"{contender.name}: {contender.versions}")
                show(work, rows, len(allocators))
                if given.json:
                    report = {
                        "machine": describe(),
                        "versions": {c.name: c.versions for c in contenders},
                        "options": {k: getattr(given, k) for k in ("allocator", "cores", "rounds", "turn", "quick")},
                        "works": [dataclasses.asdict(w) | {"name": w.name, "rows": r} for w, r in done],
                    }
                    Path(given.json).write_text(json.dumps(report, indent=1), encoding="utf-8")
        except KeyboardInterrupt:
            print("\ninterrupted")
        finally:
            for contender in contenders:
                contender.stop()
        show_orders(done, len(allocators))


if __name__ == "__main__":
    main()
