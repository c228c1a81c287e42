"""The soak: what happens to a program from outside, over and over: is anything lost, half done, hung, unnamed or left behind?

A *kind* of trials is a module here with `SUBJECTS`, the names of what is tried in turn, `SHORT`, how many trials `make test`
makes, and ``trial(subject, random)``, which makes one and returns how many it counts as. What breaks a law is raised as a
`trial.Fault`. `__main__` gives each kind processes of its own, counts, and tells. See docs/design/soak.md.

Laws:

- What is right is said by the trial from outside: by numbers that it knows, never by what the library gave before.
- A trial is known by ``(seed, kind, number)``: what is tried follows from these; when a signal falls does not.
- A trial that fails leaves nothing to the next: what it used is made anew.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """Where the trials of a kind are, who executes, and which part of the time they get."""

    module: str
    executor: str
    weight: float


KINDS = {
    "kills": Kind("kills", "numpy", 4),
    "signals": Kind("signals", "numpy", 5),
    "signals-auto": Kind("signals", "auto", 2),
    "signals-xla": Kind("signals", "xla", 2),
    "damage": Kind("damage", "numpy", 2),
    "disks": Kind("disks", "numpy", 2),
    "threads": Kind("threads", "numpy", 2),
    "threads-xla": Kind("threads", "xla", 1),
    "forks": Kind("forks", "numpy", 1),
    "forks-xla": Kind("forks", "xla", 1),
    "memory": Kind("memory", "numpy", 6),
    "ends": Kind("ends", "numpy", 2),
}
