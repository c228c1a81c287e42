"""`wengert run NOTEBOOK.ipynb`: a notebook is run as it stands, cell by cell, in a kernel of the running Python's.

nbclient runs it over ipykernel: magics and shell lines are IPython's. What the cells print is printed as it comes.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib
import os
import re
import signal
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from wengert.ground import replacing
from wengert.ground.terminal import shown, tell
from wengert.run import spec
from wengert.run.program import serving_started
from wengert.run.reading import Source
from wengert.run.started import Chosen
from wengert.run.style import style_of, wants_recording

if TYPE_CHECKING:
    from nbformat import NotebookNode as Node

__all__ = ["run_notebook"]

VERSION = re.compile(r"^\s*%tensorflow_version\s+([12])", re.MULTILINE)
BEFORE = "before the first cell"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run_notebook(path: str, how: Chosen, into: str | None = None, figures: str | None = None) -> int:
    """Run a notebook; return the status: 1 if a cell fails, 2 if it was not started.

    Args:
        path: the notebook's file.
        how: as options say.
        into: the file that the notebook is written to with what its cells gave, as far as it came.
        figures: a folder for the pictures among that.
    """
    try:
        import ipykernel  # noqa: F401
        import nbclient  # noqa: F401

        nbformat: Any = importlib.import_module("nbformat")
    except ImportError as error:
        return _refused(f"to run a notebook, {error.name} is needed: {sys.executable} -m pip install 'wengert[notebook]'")
    try:
        with open(path, encoding="utf-8") as file:
            notebook: Any = nbformat.read(file, as_version=4)
    except FileNotFoundError:
        return _refused(f"there is no notebook {path}")
    except OSError as error:
        return _refused(f"the notebook {path} cannot be read: {error.strerror or error}")
    except Exception as error:  # nbformat has an error of its own for each thing that may be amiss, and Python's besides
        return _refused(f"{path} is no notebook: {str(error).partition(chr(10))[0]}")
    language = notebook.metadata.get("kernelspec", {}).get("language") or notebook.metadata.get("language_info", {}).get("name")
    if language not in (None, "python"):
        return _refused(f"{path} is a notebook of another language: {language}")
    try:
        if figures is not None:
            os.makedirs(figures, exist_ok=True)
        status = _run(notebook, os.path.abspath(path), _as_read(notebook, path, how), figures)
        if into is not None:
            replacing.replace(os.path.abspath(into), [nbformat.writes(notebook).encode()], durable=False)
    except OSError as error:
        tell(f"wengert run: {error}")
        return 1
    return status


def _refused(why: str) -> int:
    tell(f"wengert run: {why}")
    return 2


def _as_read(notebook: Node, path: str, how: Chosen) -> Chosen:
    """Return how to run it: what is not said is read from all cells together."""
    translate = importlib.import_module("IPython.core.inputtransformer2").TransformerManager
    texts = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            with contextlib.suppress(SyntaxError, ValueError):  # the cell will say so itself
                text = translate().transform_cell(cell.source)
                compile(text, "<cell>", "exec", dont_inherit=True, flags=0x2000)  # await outside of functions, as cells have it
                texts.append(text)
    source = Source(path, path, os.path.dirname(os.path.realpath(path)), "\n".join(texts).encode())
    asked = [found[1] for cell in notebook.cells if cell.cell_type == "code" for found in VERSION.finditer(cell.source)]
    style = how.style or (f"tf{asked[-1]}" if asked else style_of(source))
    return how._replace(style=style, recorded=style == "tf2" and wants_recording(source))


def _run(notebook: Node, path: str, how: Chosen, figures: str | None) -> int:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    with tempfile.TemporaryDirectory(prefix="wengert-") as folder, serving_started(how):
        spec.write(os.path.join(folder, spec.NAME), "Wengert")
        manager = AsyncKernelManager(
            kernel_name=spec.NAME, kernel_spec_manager=KernelSpecManager(kernel_dirs=[folder]),
            connection_file=os.path.join(folder, "connection.json"), transport="tcp" if os.name == "nt" else "ipc",
        )  # fmt: skip
        client = _client()(
            notebook, km=manager, timeout=None, coalesce_streams=True, resources={"metadata": {"path": os.path.dirname(path)}}
        )
        client.figures, client.owns_km = figures, True  # so that it ends the kernel
        try:
            client.execute()
        except CellExecutionError:
            return 130 if client.interrupted else 1
        except asyncio.CancelledError:
            return 130 if client.interrupted else 143
        except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
            if client.interrupted or client.ended:
                return 130 if client.interrupted else 143
            tell(f"wengert run: {client.cell}: {error}")
            return 1
    return 0


def _client() -> Any:
    """Return nbclient's class of runners, one that prints what comes."""
    from nbclient import NotebookClient

    class Printing(NotebookClient):
        """Prints what cells give, and shows the one that fails."""

        figures: str | None = None
        interrupted = ended = False
        cell = BEFORE
        count = 0
        all: asyncio.Task[Any] | None = None

        async def async_start_new_kernel(self, **keywords: str) -> None:
            """Start the kernel; from then on Ctrl-C interrupts a cell, and before the first one, as SIGTERM always, ends all."""
            self.all = asyncio.current_task()
            loop = asyncio.get_running_loop()
            with contextlib.suppress(NotImplementedError, RuntimeError):  # on Windows, and outside of the main thread
                loop.add_signal_handler(signal.SIGINT, self._interrupt)
                loop.add_signal_handler(signal.SIGTERM, self._end)
            await super().async_start_new_kernel(**keywords)

        def _interrupt(self) -> None:
            manager: Any = self.km
            if self.cell == BEFORE:
                self._end()
            elif self.interrupted:  # a second time: the cell goes on
                self._ending = asyncio.ensure_future(manager.shutdown_kernel(now=True))
            else:
                self._ending = asyncio.ensure_future(manager.interrupt_kernel())
            self.interrupted = True

        def _end(self) -> None:
            self.ended = True
            if self.all is not None:
                self.all.cancel()

        def process_message(self, msg: dict[str, Any], cell: Node, cell_index: int) -> Any:
            """Take note of what comes from the kernel."""
            kind, content = msg["msg_type"], msg["content"]
            if kind == "execute_input":
                self.cell = f"cell {content['execution_count']}"
            elif kind == "stream":
                print(content["text"], end="", flush=True, file=sys.stdout if content["name"] == "stdout" else sys.stderr)
            elif kind in ("execute_result", "display_data"):
                self._print(content["data"])
            elif kind == "error":
                self._failed(content, cell)
            return super().process_message(msg, cell, cell_index)

        def _print(self, data: dict[str, Any]) -> None:
            picture = data.get("image/png")
            if picture is not None and self.figures is not None:
                self.count += 1
                file = os.path.join(self.figures, f"figure-{self.count}.png")
                replacing.replace(os.path.abspath(file), [base64.b64decode(picture)], durable=False)
                tell(f"wengert run: {file}")
            elif "text/plain" in data:
                print(data["text/plain"], flush=True)

        def _failed(self, content: dict[str, Any], cell: Node) -> None:
            lines = "\n".join(f"    {shown(line)}" for line in cell.source.splitlines())
            told = "\n".join(content["traceback"])
            told = told if sys.stderr.isatty() else COLOURS.sub("", told)
            print(f"wengert run: {self.cell} fails:\n\n{lines}\n\n{told}", file=sys.stderr, flush=True)

    return Printing
