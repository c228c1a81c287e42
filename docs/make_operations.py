"""Write docs/operations.md from the table of operations: `python docs/make_operations.py`."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import wengert  # noqa: F401  the import fills the table
from wengert.ops.op import Op, operations

LETTERS = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex", "O": "string"}
FAMILIES = "elementwise linear contraction reduction linalg random control state".split()
ELSEWHERE = set("call cond custom_gradient fed gradient linked loop passed py_function read_variable taylor".split())
HEAD = """# Table of operations

This page is generated from the operations themselves. An operation is what a list holds; TensorFlow's functions are made
of one or several of them. Some have no function of their own: they stand in derivatives (`sech_squared`, `sum_like`).

- *TensorFlow's type* is what `tensor.op.type` shows in a graph.
- *Kind* is the form of the stated derivative; see [Operations](design/operations.md).
- *Orders* are those at which `tests/ops` compares the derivative with differences of values, in reverse and forward mode;
  the values are compared with mpmath or NumPy. "none": there is no derivative. "elsewhere": what holds lists of its own,
  reads a variable or calls a user's function has tests of its own. Higher orders follow from the same statement.
- *Types* are the kinds of element that are accepted.
"""


def has_derivative(op: Op) -> bool:
    """Whether any input of the operation has a derivative."""
    return op.kind != "constant" and (not op.partials or any(p is not None for p in op.partials))


def family(op: Op) -> str:
    """The file that states the operation."""
    for part in (op.infer, op.kernel, op.transpose, op.vjp, op.tangent, *op.partials):
        name = getattr(part, "__module__", "") or ""
        if name.startswith("wengert.ops.") and not name.endswith("signature"):
            return name.rpartition(".")[2]
    return "elementwise"


def page() -> str:
    """The text of the page."""
    groups: dict[str, list[Op]] = defaultdict(list)
    for op in operations():
        groups[family(op)].append(op)
    lines = [HEAD]
    every = [op for ops in groups.values() for op in ops]
    counts = [f"{count} {kind}" for kind, count in Counter(op.kind for op in every).most_common()]
    lines.append(f"There are {len(every)} operations: {', '.join(counts)}.\n")
    for name in [*FAMILIES, *sorted(set(groups) - set(FAMILIES))]:
        if not groups[name]:
            continue
        lines += [
            f"## {name.replace('_', ' ').capitalize()}\n",
            "| operation | TensorFlow's type | kind | orders | types |",
            "|---|---|---|---|---|",
        ]
        for op in groups[name]:
            types = ", ".join(LETTERS[letter] for letter in op.kinds)
            orders = "none" if not has_derivative(op) else "elsewhere" if op.name in ELSEWHERE else "1, 2"
            lines.append(f"| `{op.name}` | {op.type} | {op.kind} | {orders} | {'any' if len(op.kinds) == 6 else types} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    Path(__file__).with_name("operations.md").write_text(page(), encoding="utf-8")
