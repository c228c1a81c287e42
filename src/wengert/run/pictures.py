"""Matplotlib without a screen and without LaTeX, the calls that it has dropped, and figures written instead of shown."""

from __future__ import annotations

import functools
import io
import os
import shutil
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from wengert.ground import replacing
from wengert.ground.terminal import tell
from wengert.run.debts import Debt
from wengert.run.notice import Program, note
from wengert.tensor.tensor import AxisLike, TensorLike

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
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise OSError(f"the folder {folder} cannot be made: {error.strerror or error}") from None
        self.count = 0
        self._written: weakref.WeakSet[Any] = weakref.WeakSet()

    def write(self, figure: Any) -> None:
        """Write a figure, and print the file's name to standard error."""
        if figure in self._written:
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
        if pyplot is None:
            return []
        return [(f"figure {n}", lambda n=n: self.write(pyplot.figure(n))) for n in pyplot.get_fignums()]  # type: ignore[misc]


class Drawing:
    """What is done to matplotlib's modules; ``modules``: by name, each to be called when the module is there."""

    def __init__(
        self, program: Program, old: bool, strict: bool, figures: Figures | None, undo: Callable[..., Any]
    ) -> None:  # fmt: skip
        """Take the program; whether dropped calls are served; whether only figures are kept; and what is told how to undo."""
        self.program, self.old, self.strict, self.figures, self.undo = program, old, strict, figures, undo
        self.screen, self.latex = has_screen(), has_latex()
        self.plain = False
        """Whether text that was meant for LaTeX is set without it."""
        self.modules: dict[str, Callable[[ModuleType], None]] = {"matplotlib.pyplot": self._pyplot}
        if not strict:
            self.modules |= {"matplotlib": self._matplotlib, "matplotlib.mathtext": self._mathtext}
        if old:
            self.modules |= {
                "matplotlib.figure": self._figure,
                "matplotlib.axes": self._axes,
                "matplotlib.style": self._style,
                "mpl_toolkits.mplot3d.axes3d": self._axes3d,
            }

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
            note("backend", f"matplotlib's backend {wanted} needs a screen, and there is none: agg draws")
            return "agg"
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
            dict.update(parameters, backend="agg")
        if self.old:
            self._replace(matplotlib, "use", self._use)
        if parameters["text.usetex"]:
            parameters["text.usetex"] = True  # as the user's own settings say; goes through what is set above

    def _parameter(self, before: Any) -> Any:
        def __setitem__(parameters: Any, key: str, value: TensorLike) -> None:
            if key == "backend":
                value = self._backend(value)
            elif key == "text.usetex" and not self.latex and value not in (False, "False", "false", 0, "no", "off"):
                note("usetex", "text.usetex asks for latex and dvipng, which are not on PATH: mathtext sets text")
                self.plain, value = True, False
            elif self.old and key in PREAMBLES and isinstance(value, list | tuple):
                note(key, f"{key} is one string now: the lines of the list are joined")
                value = "\n".join(value)
            elif self.old and key in GONE:
                note(key, f"matplotlib has no parameter {key} any more: it is passed over")
                return
            before(parameters, key, value)

        return __setitem__

    def _use(self, before: Any) -> Any:
        def use(backend: str, *given: Any, **keywords: Any) -> None:
            if "warn" in keywords or given:
                note("warn", "matplotlib.use takes no argument `warn` any more: it is passed over")
                keywords.pop("warn", None)
            before(backend, **keywords)

        return use

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
        if self.old:
            self._replace(pyplot, "gca", lambda before: self._gca(lambda: pyplot.gcf(), before))

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

    # --- what matplotlib has dropped ----------------------------------------------------------------------------------

    def _told(self, text: str) -> None:
        line = self.program.line()
        note(text, text if line is None else f"{text} ({line})")

    def _gca(self, figure_of: Callable[[], Any], before: Any) -> Any:
        def gca(**keywords: Any) -> Any:
            if not keywords:
                return before()
            figure = figure_of()
            current = figure.axes and before()
            if current and set(keywords) == {"projection"} and current.name == (keywords["projection"] or "rectilinear"):
                return current
            self._told("gca(...) takes no arguments any more: add_subplot(...) makes the axes")
            return figure.add_subplot(**keywords)

        return gca

    def _figure(self, module: ModuleType) -> None:
        owner = next(c for c in module.Figure.__mro__ if "gca" in vars(c))

        def make(before: Any) -> Any:
            def gca(figure: Any, **keywords: Any) -> Any:
                return self._gca(lambda: figure, lambda: before(figure))(**keywords)

            return gca

        self._replace(owner, "gca", make)

    def _axes(self, module: ModuleType) -> None:
        owner = next(c for c in module.Axes.__mro__ if "grid" in vars(c))

        def make(before: Any) -> Any:
            def grid(axes: AxisLike, visible: Any = None, *given: Any, **keywords: Any) -> Any:
                if "b" in keywords:
                    self._told("grid(b=...) is grid(visible=...) now")
                    visible = keywords.pop("b")
                return before(axes, visible, *given, **keywords)

            return grid

        self._replace(owner, "grid", make)

    def _style(self, module: ModuleType) -> None:
        def named(one: Any) -> Any:
            if not isinstance(one, str) or not one.startswith("seaborn") or one in module.available:
                return one
            new = "seaborn-v0_8" + one.removeprefix("seaborn")
            if new not in module.available:
                return one
            note(one, f"matplotlib's style {one} is named {new} now")
            return new

        def make(before: Any) -> Any:
            def use(style: Any, *given: Any, **keywords: Any) -> Any:
                return before([named(s) for s in style] if isinstance(style, list | tuple) else named(style), *given, **keywords)

            return use

        self._replace(module, "use", make)
        self._replace(module, "context", make)

    def _axes3d(self, module: ModuleType) -> None:
        def make(before: Any) -> Any:
            def __init__(axes: AxisLike, figure: Any, *given: Any, **keywords: Any) -> None:
                own = self.program.calls(sys._getframe(1))
                alone = own and keywords.get("auto_add_to_figure") is False
                if own:
                    keywords.pop("auto_add_to_figure", None)
                before(axes, figure, *given, **keywords)
                if own and not alone and axes not in figure.axes:
                    self._told("Axes3D(figure) does not enter itself into the figure any more: it is added")
                    figure.add_axes(axes)

            return __init__

        self._replace(module.Axes3D, "__init__", make)
        for letter in "xyz":
            old = f"w_{letter}axis"
            if not hasattr(module.Axes3D, old):
                setattr(module.Axes3D, old, property(self._axis(letter)))
                self.undo(delattr, module.Axes3D, old)

    def _axis(self, letter: str) -> Callable[[Any], Any]:
        def axis(axes: AxisLike) -> Any:
            self._told(f"Axes3D.w_{letter}axis is {letter}axis now")
            return getattr(axes, f"{letter}axis")

        return axis


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
