"""Write the examples as notebooks, each beside its script, with what its cells give: `python docs/make_notebooks.py [NAME ...]`.

A paragraph of the script is a cell (Jupytext's light format), and its docstring the text at the head. The notebook runs in any
kernel: the cell that is put before the script's loads Wengert, and says what the command line would.
"""

from __future__ import annotations

import ast
import base64
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbclient
import nbformat
from PIL import Image

from wengert.run.style import style_of

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook(script: Path) -> Any:
    """Return the notebook of a script, not run."""
    text = script.read_text(encoding="utf-8")
    tree = ast.parse(text)
    head = (ast.get_docstring(tree) or "").split("\n")
    title, body = "\n".join(f"# {line}".rstrip() for line in head), "\n".join(text.split("\n")[tree.body[0].end_lineno :])
    cells: list[Any] = []
    for cell in jupytext.reads(f"{title}\n{body}", "py:light").cells:
        if cells and imports(cell) and imports(cells[-1]):
            cells[-1].source += f"\n\n{cell.source}"
        else:
            cells.append(cell)
    cells[0].source = f"# {script.stem}\n\n{cells[0].source}"
    cells.insert(1, nbformat.v4.new_code_cell(first(script)))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # the same each time
        cell.metadata = {}
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def imports(cell: Any) -> bool:
    """Return whether a cell does nothing but import."""
    return cell.cell_type == "code" and all(isinstance(s, ast.Import | ast.ImportFrom) for s in ast.parse(cell.source).body)


def first(script: Path) -> str:
    """Return the first cell: it serves TensorFlow, and gives a script that takes arguments few steps and a picture to draw."""
    lines = ["%load_ext wengert"]
    if style_of(str(script)) == "tf1":
        lines.append("%wengert tf1")
    if "ArgumentParser" in script.read_text(encoding="utf-8"):
        lines += ["import sys", "", f'sys.argv = ["{script.name}", "--small", "--picture", "{script.stem}.png"]']
    return "\n".join(lines)


def smaller(picture: str) -> str:
    """Return a picture of 128 colours: a fourth of the bytes."""
    drawn = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB").quantize(128).save(drawn, "png", optimize=True)
    return base64.b64encode(drawn.getvalue()).decode()


def write(script: Path) -> None:
    """Run the notebook of a script, and write it.

    Raises:
        CellExecutionError: if a cell fails.
    """
    made = notebook(script)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        nbclient.NotebookClient(made, timeout=600, record_timing=False, coalesce_streams=True, resources=resources).execute()
    for cell in made.cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller(output.data["image/png"])
    made.metadata = METADATA
    nbformat.write(made, script.with_suffix(".ipynb"))


def main(names: list[str]) -> None:
    """Write the notebooks of the examples of these names, or of all."""
    for script in sorted(EXAMPLES.glob("*.py")):
        if not names or script.stem in names:
            print(script.with_suffix(".ipynb").name, flush=True)
            write(script)


if __name__ == "__main__":
    main(sys.argv[1:])
