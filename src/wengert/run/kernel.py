"""``%load_ext wengert``: ``import tensorflow`` in a kernel, or in a terminal's IPython, finds Wengert.

What `wengert run` does for a script is done for the cells of a notebook, cell by cell: the style is read from them, what
libraries have dropped is mended, tracebacks are folded. Nothing depends on who has started the kernel, or how.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import wengert
from wengert.ground.context import state
from wengert.modes.recording import recording
from wengert.run.cells import Notebook, Shell, folded, numbered, saying_cells
from wengert.run.children import Settings, serving
from wengert.run.explain import Explanation
from wengert.run.mending import Mending
from wengert.run.notice import note, speak_as
from wengert.run.reading import Source
from wengert.run.served import Served, serve, serve_no_more
from wengert.run.source import NAMES, ease
from wengert.run.started import BESIDE, Chosen, chosen, set_up
from wengert.run.style import cell_names_gradients, cell_uses_v1
from wengert.surface.config import get_executor
from wengert.tensor.tensor import _number as next_number

if TYPE_CHECKING:
    from wengert.verify.report import Report

__all__ = ["load", "unload"]

USAGE = "%wengert tf1 | tf2 | off | status | frames on | frames off; %%wengert explain | check at the head of a cell"
SERVED = {"tf1": "TensorFlow 1's names, in graph mode", "tf2": "TensorFlow 2's names, eagerly"}

_loaded: dict[int, Extension] = {}
"""By the number of the shell."""


def load(shell: Shell) -> None:
    """Serve TensorFlow in a shell of IPython's."""
    if id(shell) not in _loaded:
        _loaded[id(shell)] = Extension(shell, chosen())


def unload(shell: Shell) -> None:
    """Serve it no more, and put everything back."""
    extension = _loaded.pop(id(shell), None)
    if extension is not None:
        extension.close()


class Extension:
    """What is done in a kernel, from the loading of the extension on."""

    def __init__(self, shell: Shell, how: Chosen) -> None:
        """Begin."""
        self.shell, self.how = shell, how
        self.frames = [how.frames]
        self.style: str | None = None
        self.said = how.style is not None
        """Whether the user has said which TensorFlow is meant."""
        self._mark = 0
        self._recorded = False
        self._serving = contextlib.ExitStack()
        """What is left when another style is served."""
        self._held = contextlib.ExitStack()
        set_up(how)
        speak_as("wengert")
        self._held.callback(speak_as, "wengert run")
        self._held.enter_context(numbered(shell))
        self._held.enter_context(saying_cells())
        self._held.enter_context(folded(shell, self.frames))
        for name, magic in (("wengert", self.magic), ("tensorflow_version", self.version)):
            shell.register_magic_function(magic, "line", name)
            self._held.callback(shell.magics_manager.magics["line"].pop, name, None)
        shell.register_magic_function(self.cell_magic, "cell", "wengert")
        self._held.callback(shell.magics_manager.magics["cell"].pop, "wengert", None)
        shell.ast_transformers.append(self)
        self._held.callback(self._leave_cells)
        self.serve(how.style or "tf2")

    def _leave_cells(self) -> None:
        if self in self.shell.ast_transformers:  # IPython takes one out that has failed
            self.shell.ast_transformers.remove(self)

    def close(self) -> None:
        """End it."""
        self.off()
        self._held.close()

    # --- serving --------------------------------------------------------------------------------------------------------

    def serve(self, style: str) -> None:
        """Serve a style, from a clean slate."""
        self._serving.close()
        serve(style)
        self.style, self._recorded = style, False
        source = Source("", "", os.getcwd(), b"")
        children = serving(Settings(source, style, self.how.strict, False, unpickled=self.how.unpickled))
        inline = "module://matplotlib_inline.backend_inline"
        mending = Mending(Notebook(), self.how.strict, None, children, self.how.unpickled, screenless=inline)
        self._serving.enter_context(mending)
        vars(builtins).update(NAMES)  # not among the user's names, which %reset deletes
        self._serving.callback(_take_back_names)
        self._mark = next_number()
        if self.how.recorded:
            self._record()

    def off(self) -> None:
        """Serve nothing."""
        self._serving.close()
        serve_no_more()
        self.style = None

    def _record(self) -> None:
        if not self._recorded and state.graph is None:
            self._recorded = True
            self._serving.enter_context(recording())

    def _unused(self) -> bool:
        """Return whether nothing was computed since the style was served: no tensor has taken a number."""
        unused = next_number() == self._mark + 1
        self._mark += unused
        return unused

    def visit(self, tree: ast.AST) -> ast.AST:
        """Read a cell's syntax tree before it is compiled, and change it as `wengert.run.source` says."""
        if self.style is None:
            return tree
        folder = os.getcwd()
        known = [n for n, value in self.shell.user_ns.items() if isinstance(value, Served) and value.__name__ == "tensorflow"]
        if self.style == "tf2" and cell_uses_v1(tree, folder, known):
            self._version_1()
        if self.style == "tf2" and cell_names_gradients(tree, folder, known):
            self._record()
        if not self.how.strict:
            ease(tree)
        return tree

    def _version_1(self) -> None:
        if not self.said and self._unused():
            self.serve("tf1")
            note("style", f"this cell uses names that only TensorFlow 1 has: {SERVED['tf1']}. For version 2: %wengert tf2")
        else:
            note("style", "this cell uses names that only TensorFlow 1 has. For version 1, from a clean slate: %wengert tf1")

    # --- magics ---------------------------------------------------------------------------------------------------------

    def magic(self, line: str) -> None:
        """Say which TensorFlow is served here: ``%wengert tf1 | tf2 | off | status | frames on | frames off``."""
        match line.split():
            case [("tf1" | "tf2") as style]:
                self.said = True
                self.serve(style)
                print(f"import tensorflow: {SERVED[style]}; the slate is clean.")
            case ["off"]:
                self.off()
                sys.path[:] = [folder for folder in sys.path if folder != BESIDE]
                print("import tensorflow is served no more.")
            case ["frames", ("on" | "off") as shown]:
                self.frames[0] = shown == "on"
            case [] | ["status"]:
                self._status()
            case _:
                self._refuse(f"{line.strip()!r} is none of these: {USAGE}")

    def version(self, line: str) -> None:
        """Serve the version that a notebook asks for, as Colab has it: ``%tensorflow_version 1.x``."""
        if line.strip()[:1] not in ("1", "2"):
            self._refuse("%tensorflow_version takes 1.x or 2.x")
        self.magic(f"tf{line.strip()[0]}")

    def cell_magic(self, line: str, cell: str) -> None:
        """Run a cell and tell of its derivatives: ``%%wengert explain`` how they were found, ``check`` if they are right."""
        match line.split():
            case ["explain"]:
                self._explain(cell)
            case ["check"]:
                self._check(cell)
            case _:
                self._refuse(f"%%wengert takes explain or check, not {line.strip()!r}")

    def _refuse(self, why: str) -> NoReturn:
        raise importlib.import_module("IPython.core.error").UsageError(why)

    def _status(self) -> None:
        mended = "nothing" if self.how.strict or self.style is None else "what libraries have dropped"
        print(f"Wengert {wengert.__version__}")
        print(f"import tensorflow: {'not served' if self.style is None else SERVED[self.style]}")
        print(f"recorded, for tf.gradients eagerly: {'yes' if self._recorded else 'no'}")
        print(f"executor: {get_executor()}")
        print(f"mended: {mended}")
        print(f"our frames in tracebacks: {'shown' if self.frames[0] else 'folded'}")
        print(USAGE)

    # --- cells of which more is told --------------------------------------------------------------------------------------

    def _explain(self, cell: str) -> None:
        with Explanation() as explanation:
            try:
                self._run(cell)
            finally:
                _display(explanation)

    def _check(self, cell: str) -> None:
        try:
            from wengert.verify.script import check_script
        except ImportError as error:
            self._refuse(f"{error}: the verifier needs mpmath: %pip install 'wengert[verify]'")
        failed: list[BaseException] = []

        def run() -> int:
            try:
                self._run(cell)
            except BaseException as error:  # what it differentiated until then is checked, and then the error told
                failed.append(error)
            return 0

        _display(check_script(run)[1])
        if failed:
            raise failed[0]

    def _run(self, cell: str) -> None:
        """Run the lines of a cell as the shell does, and show what the last of them gives."""
        shell = self.shell
        text = shell.transform_cell(cell)
        name = shell.compile.cache(text, shell.compile.number, cell)
        tree = shell.transform_ast(shell.compile.ast_parse(text, name))
        last = [tree.body.pop()] if tree.body and isinstance(tree.body[-1], ast.Expr) else []
        exec(shell.compile(tree, name, "exec"), shell.user_global_ns, shell.user_ns)
        if last:
            exec(shell.compile(ast.Interactive(last), name, "single"), shell.user_global_ns, shell.user_ns)


def _take_back_names() -> None:
    for name in NAMES:
        vars(builtins).pop(name, None)


def _display(shown: Explanation | Report) -> None:
    """Show a thing as a page where it has that form, else as text."""
    if hasattr(shown, "_repr_html_"):
        display: Any = importlib.import_module("IPython.display").display
        display(shown)
    else:
        shown.show()
