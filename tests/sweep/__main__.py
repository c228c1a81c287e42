"""Runs the sweep: ``python -m sweep``, from the folder of the tests. See docs/design/sweep.md.

The programs are shared out among processes, which are started anew after some hundreds of programs each, so that memory stays
flat, and when one hangs or dies: then its program is written down, and the next one is taken.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
import traceback
import warnings
from pathlib import Path
from random import Random
from typing import Any

LIMIT = 20.0
"""Seconds that a program may take, by its own clock."""
HANG = 90.0
"""Seconds after which a process that says nothing is ended."""
LIFE = 400
"""Programs after which a process is started anew."""
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def work(seed: int, numbers: list[int], reduce: int) -> None:
    """Check programs and print a line of JSON for each; ``reduce``: how many differences are reduced."""
    import logging

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    from . import check
    from .differences import structures
    from .generator import draw
    from .roads import TimeLimit

    for number in numbers:
        print(json.dumps({"begin": number}), flush=True)
        start = time.monotonic()
        program = draw(seed, number)
        said: dict[str, Any] = {"number": number, "order": program.order, "structures": sorted(structures(program))}
        try:
            with check.time_limit(LIMIT):
                checked = check.check(program, Random(f"{seed}/{number}/roads"), thorough=reduce > 0)
        except TimeLimit:
            said["late"] = True
        except Exception:
            said["broken"] = traceback.format_exc(limit=-4)
        else:
            said |= {"roads": checked.roads, "notes": checked.notes, "listed": [r for r, _ in checked.listed]}
            said["differences"] = [d._asdict() for d in checked.differences]
            if checked.differences and reduce > 0:
                reduce -= 1
                d = next((d for d in checked.differences if d.against == "oracle"), checked.differences[0])
                small = check.smaller(program, d)
                said["script"], said["kinds"] = check.told(small, d), check.kinds(small, d)
        said["seconds"] = round(time.monotonic() - start, 3)
        print(json.dumps(said), flush=True)


class Worker:
    """One process, and the numbers that it has still to do."""

    def __init__(self, seed: int, numbers: list[int], reduce: int, said: queue.Queue[Any]) -> None:
        self.numbers, self.seed, self.reduce, self.said = numbers, seed, reduce, said
        self.heard = time.monotonic()
        self.at: int | None = None
        self.lot = numbers[:LIFE]
        arguments = [sys.executable, "-m", "sweep", "--work", json.dumps([seed, self.lot, reduce])]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=HERE.parent)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put((self, line))
        self.said.put((self, None))


def sweep(seed: int, count: int, first: int, processes: int, reduce: int, folder: Path) -> int:
    """Check programs in processes; return how many disagreed."""
    from .report import Report

    folder.mkdir(exist_ok=True)
    report = Report(seed, folder)
    said: queue.Queue[Any] = queue.Queue()
    shares = [list(range(first + k, first + count, processes)) for k in range(processes)]
    each = -(-reduce // processes)
    workers = [Worker(seed, share, each, said) for share in shares if share]
    start = shown = time.monotonic()
    try:
        while workers:
            with contextlib.suppress(queue.Empty):
                worker, line = said.get(timeout=5)
                if line is None:
                    worker.process.wait()
                    workers.remove(worker)
                    if worker.at is not None:
                        report.add({"number": worker.at, "died": worker.process.returncode})
                        worker.numbers.remove(worker.at)
                    if worker.numbers and worker.process.returncode != 75:
                        workers.append(Worker(seed, worker.numbers, worker.reduce, said))
                    continue
                worker.heard = time.monotonic()
                told = json.loads(line)
                if "begin" in told:
                    worker.at = told["begin"]
                else:
                    worker.at = None
                    worker.numbers.remove(told["number"])
                    worker.reduce -= "script" in told
                    report.add(told)
            now = time.monotonic()
            for worker in workers:
                if now - worker.heard > HANG:
                    worker.process.kill()
                    worker.heard = now
            if now - shown > 10:
                shown = now
                rate = report.count / (now - start)
                print(f"{report.count} of {count} programs, {rate:.1f} a second; {len(report.bad)} disagree", flush=True)
    finally:
        for worker in workers:
            worker.process.kill()
    report.write(time.monotonic() - start, processes)
    return len(report.bad)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="sweep", description="Random programs along many roads.")
    parser.add_argument("--programs", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first program")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--reduce", type=int, default=60, help="how many disagreements are cut down")
    parser.add_argument("--folder", type=Path, default=ROOT / ".sweep")
    parser.add_argument("--show", type=int, help="print one program, check it along every road, and cut it down")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if given.work:
        work(*json.loads(given.work))
        return 0
    if given.show is not None:
        from .report import show

        return show(given.seed, given.show)
    return 1 if sweep(given.seed, given.programs, given.first, given.processes, given.reduce, given.folder) else 0


if __name__ == "__main__":
    sys.exit(main())
