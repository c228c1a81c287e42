"""One contender's process: answers "prepare", "run" and "drop", one line of JSON each, until its standard input ends."""

import gc
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

answers = os.fdopen(os.dup(1), "w")  # what libraries print must not come between
os.dup2(2, 1)
sys.path[0] = str(Path(__file__).resolve().parents[1])


def memory(what: str) -> float | None:
    """Return a line of /proc/self/status in MB."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith(what))
    except (OSError, StopIteration):
        return None


def forget_peak() -> bool:
    """Let the peak of resident memory start anew; False where the system cannot."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="utf-8") as file:
            file.write("5")
    except OSError:
        return False
    return True


def measure(run: Any, n: int) -> dict[str, Any]:
    """Run n times, after once to wake threads and fill caches; return the times, the peak of memory and the page faults."""
    if n > 1:
        run()
    anew = forget_peak()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    times = []
    for _ in range(n):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    peak = memory("VmHWM") if anew else usage.ru_maxrss / 1024
    return {"times": times, "peak_mb": peak, "faults": (usage.ru_minflt - faults) / n}


def main() -> None:
    """Serve."""
    library, form, cores = sys.argv[1:]
    if cores != "all":
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: int(cores)]))

    def answer(**fields: Any) -> None:
        print(json.dumps(fields), file=answers, flush=True)

    def guarded(function: Any, *arguments: Any) -> None:
        try:
            answer(**function(*arguments))
        except BaseException as exception:
            answer(error=f"{type(exception).__name__}: {(str(exception).strip() or ' ').splitlines()[0][:160]}")
            if not isinstance(exception, Exception):
                raise

    contender: Any = None
    run: Any = None

    def begin() -> dict[str, Any]:
        nonlocal contender
        contender = importlib.import_module(f"contenders.with_{library}")
        return {"versions": contender.versions(form), "idle_mb": memory("VmRSS")}

    def prepare(order: dict[str, Any]) -> dict[str, Any]:
        nonlocal run
        import numpy as np
        from contenders.problems import Work, data

        work = Work(**order["work"])
        layers, points = data(work)
        start = time.perf_counter()
        run, temporary = contender.prepare(form, work, layers, points)
        found = run()
        seconds = time.perf_counter() - start
        np.savez(order["out"], *[np.asarray(value) for value in found])
        start = time.perf_counter()
        run()
        return {"compile_s": seconds, "again_s": time.perf_counter() - start, "temp": temporary()}

    guarded(begin)
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "prepare":
            guarded(prepare, order)
        elif order["do"] == "run":
            guarded(measure, run, order["n"])
        else:
            run = None
            gc.collect()
            answer()


if __name__ == "__main__":
    main()
