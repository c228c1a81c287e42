"""What a sweep found: programs by road, structure and order; disagreements by kind, with scripts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import Any

__all__ = ["Report", "show"]


class Report:
    """Adds up what the processes say."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder = seed, folder
        self.count = 0
        self.seconds = 0.0
        self.roads: Counter[str] = Counter()
        self.structures: Counter[str] = Counter()
        self.orders: Counter[int] = Counter()
        self.notes: Counter[str] = Counter()
        self.listed: Counter[str] = Counter()
        self.wrong: dict[str, Counter[str]] = {"roads": Counter(), "structures": Counter(), "orders": Counter()}
        self.bad: list[dict[str, Any]] = []
        self.groups: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, said: dict[str, Any]) -> None:
        """Take what was said of one program."""
        self.count += 1
        self.seconds += said.get("seconds", 0.0)
        self.roads.update(said.get("roads", ()))
        self.structures.update(said.get("structures", ()))
        self.orders[said.get("order", -1)] += 1
        self.notes.update(said.get("notes", ()))
        self.listed.update(set(said.get("listed", ())))
        found = said.get("differences", ())
        trouble = next((k for k in ("late", "broken", "died") if k in said), "")
        if found or trouble:
            self.bad.append(said)
            self.wrong["structures"].update(said.get("structures", ()))
            self.wrong["orders"][str(said.get("order", -1))] += 1
            self.wrong["roads"].update({d["road"] if d["against"] == "eager" else "oracle" for d in found})
            kind = trouble or said.get("kinds") or "not cut down: " + kind_of(found)
            self.groups[kind].append(said)
            with (self.folder / f"{self.seed}.jsonl").open("a") as file:
                file.write(json.dumps(said) + "\n")

    def write(self, seconds: float, processes: int) -> None:
        """Write and print the report, and a script for each kind of disagreement."""
        lines = [f"# Sweep of {self.count} programs, seed {self.seed}", "",
                 f"{seconds:.0f} s in {processes} processes; {1000 * self.seconds / max(self.count, 1):.0f} ms a program. "
                 f"{len(self.bad)} disagree.", ""]  # fmt: skip
        for title, counts in (("road", self.roads), ("structure", self.structures), ("order", self.orders)):
            wrong = self.wrong[f"{title}s"]
            lines += [f"| {title} | programs | disagree |", "|---|---|---|"]
            lines += [f"| {k} | {n} | {wrong.get(str(k), 0)} |" for k, n in sorted(counts.items(), key=lambda i: str(i[0]))]
            if title == "road":
                lines.append(f"| against the oracle | {self.notes['oracle']} | {wrong['oracle']} |")
            lines.append("")
        lines += ["| listed difference | programs |", "|---|---|", *[f"| {k} | {n} |" for k, n in self.listed.most_common()], ""]
        lines += ["| not given to the oracle, because of | programs |", "|---|---|"]
        lines += [f"| {k} | {n} |" for k, n in self.notes.most_common() if k != "oracle"]
        lines += ["", "| disagreement | programs | numbers |", "|---|---|---|"]
        groups = sorted(self.groups.items(), key=lambda item: -len(item[1]))
        for k, group in groups:
            lines.append(f"| {k} | {len(group)} | {', '.join(str(s['number']) for s in group[:8])} |")
        text = "\n".join(lines) + "\n"
        (self.folder / f"{self.seed}.md").write_text(text)
        for k, group in groups:
            scripts = [s["script"] for s in group if "script" in s]
            if scripts:
                shortest = min(scripts, key=len)
                (self.folder / f"{self.seed}-{group[0]['number']}.py").write_text(f"# {k}\n{shortest}")
        print(text)


def kind_of(differences: list[dict[str, Any]]) -> str:
    """Return a short name of differences: by road and kind."""
    roads = sorted({d["road"].split(",")[0] for d in differences})
    kinds = sorted({d["kind"] for d in differences})
    short = roads if len(roads) < 3 else [*roads[:2], "..."]
    return f"{', '.join(kinds)} ({', '.join(short)})"


def show(seed: int, number: int) -> int:
    """Print a program, check it along every road, and cut down its first disagreement."""
    from . import check
    from .generator import draw
    from .program import script
    from .roads import ROADS, TOTALS

    program = draw(seed, number)
    print(script(program))
    checked = check.check(program, Random(f"{seed}/{number}/roads"), [r for r in ROADS if not program.draws or r not in TOTALS])
    for d in checked.differences:
        print(f"{d.road}: {d.kind} of {d.name or 'the whole'}, against {d.against}\n  got  {d.got}\n  want {d.want}")
    for reason, d in checked.listed:
        print(f"listed: {reason} ({d.road}, {d.name})")
    if checked.differences:
        d = next((d for d in checked.differences if d.against == "oracle"), checked.differences[0])
        print("\n" + check.told(check.smaller(program, d), d))
    return 1 if checked.differences else 0
