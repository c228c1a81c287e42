"""Matplotlib without a screen and without LaTeX, and figures written instead of shown."""

from __future__ import annotations

import functools
import io
import os
import shutil
import sys
import weakref
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from wengert.ground import replacing
from wengert.ground.options import options
from wengert.ground.terminal import tell
from wengert.run.debts import Debt
from wengert.run.dropped import Dropped
from wengert.run.notice import Program, note
from wengert.tensor.tensor import TensorLike

__all__ = ["Drawing", "Figures", "has_latex", "has_screen"]

WINDOWED = ("tk", "qt", "gtk", "wx", "macosx")
"""What the names of backends begin with that draw into windows."""

SILENT = ("agg", "pdf", "svg", "ps", "cairo", "pgf")
"""What the names of backends end with that draw into files alone."""

PREAMBLES = ("text.latex.preamble", "pgf.preamble")

GONE = frozenset(
    """
    text.latex.unicode text.latex.preview pgf.debug savefig.frameon savefig.jpeg_quality axes.hold verbose.level verbose.fileo
    examples.directory
    """.split()
)
"""Parameters that matplotlib has no more and that have no effect on a picture now."""


def has_screen() -> bool:
    """Return whether windows can be opened: anywhere but on a Linux without DISPLAY and WAYLAND_DISPLAY."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def has_latex() -> bool:
    """Return whether matplotlib can have text set by LaTeX."""
    return bool(shutil.which("latex") and shutil.which("dvipng"))


class Figures:
    """Figures, written to files as they are shown or left open: figure-1.png, figure-2.png, ..."""

    def __init__(self, folder: str) -> None:
        """Make the folder.

        Raises:
            OSError: if that cannot be done.
            ValueError: if it has no name.
        """
        if not folder:
            raise ValueError("the folder of the figures has no name")
        try:
            self.folder, self.shown = os.path.abspath(folder), folder
            if options.writes:
                os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise OSError(f"the folder {folder} cannot be made: {error.strerror or error}") from None
        self.count = 0
        self._written: weakref.WeakSet[Any] = weakref.WeakSet()

    def write(self, figure: Any) -> None:
        """Write a figure, and print the file's name to standard error."""
        if figure in self._written or not options.writes:
            return
        name = f"figure-{self.count + 1}.png"
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        replacing.replace(os.path.join(self.folder, name), [picture.getbuffer()], durable=False)
        self.count += 1
        self._written.add(figure)
        tell(f"wengert run: {os.path.join(self.shown, name)}")

    def debts(self) -> list[Debt]:
        """Return what writes the figures that are open still, each apart."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None or not hasattr(pyplot, "get_fignums"):  # nothing is drawn, or by a stand-in
            return []
        return [(f"figure {n}", lambda n=n: self.write(pyplot.figure(n))) for n in pyplot.get_fignums()]  # type: ignore[misc]


class Drawing:
    """What is done to matplotlib's modules; ``modules``: by name, each to be called when the module is there."""

    def __init__(
        self, program: Program, strict: bool, figures: Figures | None, undo: Callable[..., Any], screenless: str = "agg"
    ) -> None:
        """Take the program; whether only figures are kept; what is told how to undo; and the backend without a screen."""
        self.screenless = screenless
        self.strict, self.figures, self.undo = strict, figures, undo
        self.screen, self.latex = has_screen(), has_latex()
        self.plain = False
        """Whether text that was meant for LaTeX is set without it."""
        mends: list[tuple[str, Callable[[ModuleType], None]]] = []
        if not strict:
            mends += [("matplotlib", self._matplotlib), ("matplotlib.mathtext", self._mathtext)]
            mends += Dropped(program, self._replace, undo).modules
        mends += [("matplotlib.pyplot", self._pyplot)]
        self.modules: dict[str, Callable[[ModuleType], None]] = {}
        """By module, what is done to it when it is there."""
        for name in dict(mends):
            self.modules[name] = _mending([m for n, m in mends if n == name])

    def _replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute by what is made of it."""
        before = getattr(owner, name)
        setattr(owner, name, functools.wraps(before)(make(before)))  # pyplot reads names and signatures
        self.undo(setattr, owner, name, before)

    # --- what the machine lacks -------------------------------------------------------------------------------------

    def _backend(self, wanted: Any) -> Any:
        """Return the backend to take for the one wanted."""
        name = wanted.lower() if isinstance(wanted, str) else ""
        if not self.screen and name.startswith(WINDOWED):
            note(
                "backend",
                f"matplotlib's backend {wanted} needs a screen, and there is none: {self.screenless.split('_')[-1]} draws",
            )
            return self.screenless
        if name == "pgf":
            system = sys.modules["matplotlib"].rcParams["pgf.texsystem"]
            if shutil.which(system) is None:
                self.plain = True
                note("pgf", f"matplotlib's backend pgf needs {system}, which is not on PATH: agg draws, and mathtext sets text")
                return "agg"
        return wanted

    def _matplotlib(self, matplotlib: ModuleType) -> None:
        self._replace(matplotlib.RcParams, "__setitem__", self._parameter)
        parameters = matplotlib.rcParams
        backend = dict.get(parameters, "backend")  # as it stands: rcParams[...] would try windows
        if not self.screen and (not isinstance(backend, str) or backend.lower().startswith(WINDOWED)):
            before = dict(backend=backend)
            self.undo(lambda: dict.update(parameters, before))
            dict.update(parameters, backend=self.screenless)
        if parameters["text.usetex"]:
            parameters["text.usetex"] = True  # as the user's own settings say; goes through what is set above

    def _parameter(self, before: Any) -> Any:
        def __setitem__(parameters: Any, key: str, value: TensorLike) -> None:
            if key == "backend":
                value = self._backend(value)
            elif key == "text.usetex" and not self.latex and value not in (False, "False", "false", 0, "no", "off"):
                note("usetex", "text.usetex asks for latex and dvipng, which are not on PATH: mathtext sets text")
                self.plain, value = True, False
            elif key in PREAMBLES and isinstance(value, list | tuple):
                note(key, f"{key} is one string now: the lines of the list are joined")
                value = "\n".join(value)
            elif key in GONE:
                note(key, f"matplotlib has no parameter {key} any more: it is passed over")
                return
            before(parameters, key, value)

        return __setitem__

    def _mathtext(self, mathtext: ModuleType) -> None:
        def make(before: Any) -> Any:
            def parse(parser: Any, s: str, *given: Any, **keywords: Any) -> Any:
                try:
                    return before(parser, s, *given, **keywords)
                except ValueError:
                    if not self.plain:
                        raise
                    note("mathtext", f"mathtext cannot set all that LaTeX can: such text stands as written ({_short(s)})")
                    return before(parser, s.replace("$", r"\$"), *given, **keywords)

            return parse

        self._replace(mathtext.MathTextParser, "parse", make)

    def _pyplot(self, pyplot: ModuleType) -> None:
        if not self.strict:
            self._replace(pyplot, "switch_backend", lambda before: lambda newbackend: before(self._backend(newbackend)))
        if self.figures is not None or not (self.strict or self.screen):
            self._replace(pyplot, "show", lambda before: self._show(pyplot, before))

    def _show(self, pyplot: ModuleType, before: Any) -> Any:
        def show(*given: Any, **keywords: Any) -> Any:
            block = keywords.get("block", given[0] if given else None)
            blocks = not pyplot.isinteractive() if block is None else bool(block)
            numbers = pyplot.get_fignums()
            if self.figures is not None and blocks:
                for number in numbers:
                    self.figures.write(pyplot.figure(number))
            if self.strict or self.screen or not str(pyplot.get_backend()).lower().endswith(SILENT):
                return before(*given, **keywords)
            if self.figures is None:
                note("show", "there is no screen, and plt.show() returns at once; --save-figures DIR writes what it is to show")
            if blocks:  # as where somebody has closed the windows
                for number in numbers:
                    pyplot.close(number)
            return None

        return show


def _mending(mends: Sequence[Callable[[ModuleType], None]]) -> Callable[[ModuleType], None]:
    """Return what does all this to a module, if it is matplotlib's own and no stand-in for it."""

    def mend(module: ModuleType) -> None:
        parameters = getattr(sys.modules.get("matplotlib"), "RcParams", None)
        if isinstance(parameters, type) and issubclass(parameters, dict):
            for one in mends:
                one(module)

    return mend


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
