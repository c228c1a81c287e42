"""Runs the soak: ``python -m soak``, from the folder of the tests. See docs/design/soak.md."""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import importlib.util
import json
import os
import platform
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from . import KINDS

HANG = 150.0
"""Seconds after which a process that says nothing is ended; children of trials are given up earlier."""
MANY = 900.0
"""The same for trials of memory: one makes ten thousand models."""
LIFE = 3000
"""Trials after which a process is started anew."""
EXAMPLES = 5
"""How many examples of each sort of fault are told, a subject."""
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def work(kind: str, seed: int, first: int, count: int, until: float) -> None:
    """Make trials, and print a line of JSON before and after each. What trials print goes nowhere."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    say = os.fdopen(os.dup(1), "w")
    os.set_inheritable(say.fileno(), False)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    module = importlib.import_module(f".{KINDS[kind].module}", __package__)
    from .trial import Fault

    for number in range(first, first + count):
        if time.time() > until:
            break
        subject = module.SUBJECTS[number % len(module.SUBJECTS)]
        print(json.dumps({"begin": number, "subject": subject}), file=say, flush=True)
        said: dict[str, Any] = {"number": number, "subject": subject, "trials": 1}
        try:
            said["trials"] = module.trial(subject, Random(f"{seed}/{kind}/{number}")) or 1
        except Fault as fault:
            said["fault"] = [fault.sort, fault.text]
        except BaseException:
            said["fault"] = ["crashed", traceback.format_exc(limit=-8)]
        print(json.dumps(said), file=say, flush=True)
        if said.get("fault", [""])[0] == "hung":
            break  # its threads may wait still
    os._exit(0)


class Worker:
    """One process that makes trials of a kind, with what it says."""

    def __init__(self, *what: Any) -> None:
        self.said: queue.Queue[str | None] = queue.Queue()
        self.errors = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "soak", "--work", json.dumps(what)], cwd=HERE.parent, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors,
            env={**os.environ, "WENGERT_EXECUTOR": KINDS[what[0]].executor},
        )  # fmt: skip
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(line)
        self.said.put(None)

    def end(self) -> str:
        """End it with all its children; return the last that it wrote to standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGABRT)  # faulthandler tells where it is
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                pass  # killed now
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # no child is left
        self.process.wait()
        self.errors.seek(0)
        return self.errors.read()[-3000:]


class Soak:
    """Counts by kind and subject, and the faults."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.faults: dict[tuple[str, str, str], list[str]] = defaultdict(list)

    def add(self, kind: str, number: int, subject: str, trials: int, fault: list[str] | None, seconds: float) -> None:
        """Take what came of a trial."""
        counts = self.counts[kind, subject]
        counts["trials"] += trials
        counts["milliseconds"] += round(1000 * seconds)
        if fault is not None:
            counts[fault[0]] += 1
            found = self.faults[kind, subject, fault[0]]
            if len(found) < EXAMPLES:
                found.append(f"--seed {self.seed} --only {kind} --first {number} --count 1\n{fault[1]}")
            print(f"{kind}, {subject}, {number}: {fault[0]}: {fault[1].strip().splitlines()[-1][:200]}", flush=True)

    def run(self, kind: str, first: int, count: int, until: float) -> None:
        """Make trials of a kind, in as many processes one after another as it takes."""
        last = first + count
        patience = MANY if KINDS[kind].module == "memory" else HANG
        while first < last and time.time() < until:
            worker = Worker(kind, self.seed, first, min(LIFE, last - first), until)
            begun, start, hung = None, time.monotonic(), False
            while True:
                try:
                    line = worker.said.get(timeout=patience)
                except queue.Empty:
                    hung = True
                    break
                if line is None:
                    break
                told = json.loads(line)
                if "begin" in told:
                    begun, start = told, time.monotonic()
                else:
                    seconds = time.monotonic() - start
                    self.add(kind, told["number"], told["subject"], told["trials"], told.get("fault"), seconds)
                    first, begun = told["number"] + 1, None
            errors = worker.end()
            if begun is not None or hung or worker.process.returncode:
                number, subject = (first, "start") if begun is None else (begun["begin"], begun["subject"])
                text = f"{errors}\nsilent for {patience:.0f} s" if hung else f"{errors}\nstatus {worker.process.returncode}"
                self.add(kind, number, subject, 1, ["hung" if hung else "crashed", text], time.monotonic() - start)
                first = number + 1
                if begun is None:
                    return  # it does not even begin


def count_of(kind: str, short: bool, given: int | None) -> int:
    """Return how many trials of a kind there are to be."""
    if given is not None or not short:
        return given or 10**9
    return int(importlib.import_module(f".{KINDS[kind].module}", __package__).SHORT)


def machine() -> str:
    """Return where this ran."""
    import importlib.metadata as installed

    versions = [f"{name} {installed.version(name)}" for name in ("numpy", "scipy", "safetensors", "jax") if has(name)]
    return ", ".join([platform.platform(), f"{os.cpu_count()} cores", f"Python {platform.python_version()}", *versions])


def has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def report(soak: Soak, seconds: float, file: Path) -> int:
    """Print a table and write it with the examples; return how many faults there are."""
    from rich.console import Console
    from rich.table import Table

    from .trial import SORTS

    columns = ["trials", *SORTS]
    rows = [[kind, subject, *(str(counts[c]) for c in columns)] for (kind, subject), counts in sorted(soak.counts.items())]
    total = [str(sum(counts[c] for counts in soak.counts.values())) for c in columns]
    head = ["kind", "subject", *columns]
    table = Table(title=f"Soak, seed {soak.seed}, {seconds / 60:.1f} minutes")
    for name in head:
        table.add_column(name, justify="right" if name in columns else "left", no_wrap=True)
    for row in [*rows, ["all", "", *total]]:
        table.add_row(*row)
    faults = sum(map(int, total[1:]))
    verdict = f"{total[0]} trials, {faults or 'none'} with a fault." if faults else f"{total[0]} trials, nothing lost."
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table, verdict, machine())
    lines = [f"# Soak, seed {soak.seed}", "", f"{verdict} {seconds / 60:.1f} minutes. {machine()}", ""]
    lines += [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows, ["all", "", *total]]]
    for (kind, subject, sort), texts in sorted(soak.faults.items()):
        lines += ["", f"## {kind}, {subject}: {sort}"] + [f"\n```\n{text}\n```" for text in texts]
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return faults


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="soak", description="Kills, signals, damaged files, full disks, threads, forks.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=list(KINDS), help="a kind; may be given several times")
    parser.add_argument("--first", type=int, default=0, help="the number of the first trial")
    parser.add_argument("--count", type=int, help="how many trials of each kind; as many as there is time for otherwise")
    parser.add_argument("--short", action="store_true", help="as many trials of each kind as the tests make")
    parser.add_argument("--processes", type=int, default=2, help="how many kinds go on at once")
    parser.add_argument("--folder", type=Path, default=ROOT / ".soak")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts this in the background has it ignored
    if given.work:
        work(*json.loads(given.work))
    kinds = [k for k in given.only or KINDS if KINDS[k].executor == "numpy" or has("jax")]
    if given.short:
        os.environ["SOAK_ROUNDS"] = "80"
    soak, start = Soak(given.seed), time.time()
    each = 60.0 * given.minutes * min(given.processes, len(kinds)) / sum(KINDS[k].weight for k in kinds)

    def one(kind: str) -> None:
        until = time.time() + each * KINDS[kind].weight
        soak.run(kind, given.first, count_of(kind, given.short, given.count), until)

    kinds.sort(key=lambda k: -KINDS[k].weight)  # the long ones first: they end together
    with ThreadPoolExecutor(given.processes) as pool:
        list(pool.map(one, kinds))
    faults = report(soak, time.time() - start, given.folder / f"{given.seed}.md")
    empty = [kind for kind in kinds if not any(k == kind for k, _ in soak.counts)]
    if empty:
        print(f"not a single trial of {', '.join(empty)}")
    return 1 if faults or empty else 0


if __name__ == "__main__":
    sys.exit(main())
