"""Calls that matplotlib and seaborn have dropped, and serve again while a script runs: each with a line that says so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from wengert.run.notice import Program, note
from wengert.tensor.tensor import AxisLike, TensorLike

__all__ = ["Dropped"]

IGNORED = ("frameon", "papertype")
"""Arguments of savefig that are no more, and have no effect on a picture of today."""


class Dropped:
    """What is done to matplotlib's modules; ``modules``: pairs of a name and what is done to that module."""

    def __init__(
        self, program: Program, replace: Callable[[Any, str, Callable[[Any], Any]], None], undo: Callable[..., Any]
    ) -> None:  # fmt: skip
        """Take the program, what replaces an attribute for as long as it runs, and what is told how to undo the rest."""
        self.program, self._replace, self.undo = program, replace, undo
        self.modules: list[tuple[str, Callable[[ModuleType], None]]] = [
            ("matplotlib", self._matplotlib),
            ("matplotlib.pyplot", self._pyplot),
            ("matplotlib.figure", self._figure),
            ("matplotlib.axes", self._axes),
            ("matplotlib.colorbar", self._colorbar),
            ("matplotlib.contour", self._contour),
            ("matplotlib.backend_bases", self._canvas),
            ("matplotlib.style", self._style),
            ("mpl_toolkits.mplot3d.axes3d", self._axes3d),
            ("seaborn.distributions", self._distributions),
        ]

    def _matplotlib(self, matplotlib: ModuleType) -> None:
        self._replace(matplotlib, "use", self._use)

    def _pyplot(self, pyplot: ModuleType) -> None:
        self._replace(pyplot, "gca", lambda before: self._gca(lambda: pyplot.gcf(), before))

    def _use(self, before: Callable[..., Any]) -> Any:
        def use(backend: str, *given: Any, **keywords: Any) -> None:
            if "warn" in keywords or given:
                note("warn", "matplotlib.use takes no argument `warn` any more: it is passed over")
                keywords.pop("warn", None)
            before(backend, **keywords)

        return use

    def _told(self, text: str) -> None:
        line = self.program.line()
        note(text, text if line is None else f"{text} ({line})")

    def _gca(self, figure_of: Callable[[], Any], before: Callable[..., Any]) -> Any:
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

        def make(before: Callable[..., Any]) -> Any:
            def gca(figure: Any, **keywords: Any) -> Any:
                return self._gca(lambda: figure, lambda: before(figure))(**keywords)

            return gca

        self._replace(owner, "gca", make)
        self._replace(module.Figure, "savefig", self._savefig)

    def _savefig(self, before: Callable[..., Any]) -> Any:
        def savefig(figure: Any, *given: Any, **keywords: Any) -> Any:
            for name in IGNORED:
                if name in keywords:
                    self._told(f"savefig takes no argument {name} any more: it is passed over")
                    del keywords[name]
            return before(figure, *given, **keywords)

        return savefig

    def _colorbar(self, module: ModuleType) -> None:
        def make(before: Callable[..., Any]) -> Any:
            def remove(bar: Any) -> Any:
                try:
                    return before(bar)
                except (AttributeError, KeyError, ValueError):
                    if self.program.line() is None:
                        raise
                    self._told("colorbar.remove() fails where the picture it is of has gone before: its axes are taken away")
                    _taken_away(bar.ax)
                    return None

            return remove

        self._replace(module.Colorbar, "remove", make)

    def _contour(self, module: ModuleType) -> None:
        def collections(contours: Any) -> Any:
            self._told("contours have no list `collections` any more: they are one object, of which the list is made")
            return [contours]

        if not hasattr(module.ContourSet, "collections"):
            module.ContourSet.collections = property(collections)
            self.undo(delattr, module.ContourSet, "collections")

    def _canvas(self, module: ModuleType) -> None:
        def set_window_title(canvas: Any, title: str) -> None:
            self._told("canvas.set_window_title is canvas.manager.set_window_title now")
            if canvas.manager is not None:
                canvas.manager.set_window_title(title)

        if not hasattr(module.FigureCanvasBase, "set_window_title"):
            module.FigureCanvasBase.set_window_title = set_window_title
            self.undo(delattr, module.FigureCanvasBase, "set_window_title")

    def _axes(self, module: ModuleType) -> None:
        owner = next(c for c in module.Axes.__mro__ if "grid" in vars(c))

        def make(before: Callable[..., Any]) -> Any:
            def grid(axes: AxisLike, visible: Any = None, *given: Any, **keywords: Any) -> Any:
                if "b" in keywords:
                    self._told("grid(b=...) is grid(visible=...) now")
                    visible = keywords.pop("b")
                return before(axes, visible, *given, **keywords)

            return grid

        self._replace(owner, "grid", make)
        self._replace(module.Axes, "hist", self._hist)

    def _hist(self, before: Callable[..., Any]) -> Any:
        def hist(axes: AxisLike, *given: Any, **keywords: Any) -> Any:
            if "normed" in keywords:
                self._told("hist(normed=...) is hist(density=...) now")
                keywords.setdefault("density", keywords.pop("normed"))
            return before(axes, *given, **keywords)

        return hist

    def _style(self, module: ModuleType) -> None:
        def named(one: Any) -> Any:
            if not isinstance(one, str) or not one.startswith("seaborn") or one in module.available:
                return one
            new = "seaborn-v0_8" + one.removeprefix("seaborn")
            if new not in module.available:
                return one
            note(one, f"matplotlib's style {one} is named {new} now")
            return new

        def make(before: Callable[..., Any]) -> Any:
            def use(style: Any, *given: Any, **keywords: Any) -> Any:
                return before([named(s) for s in style] if isinstance(style, list | tuple) else named(style), *given, **keywords)

            return use

        self._replace(module, "use", make)
        self._replace(module, "context", make)

    def _axes3d(self, module: ModuleType) -> None:
        def make(before: Callable[..., Any]) -> Any:
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

    def _distributions(self, module: ModuleType) -> None:
        def make(before: Callable[..., Any]) -> Any:
            def distplot(*given: TensorLike, **keywords: TensorLike) -> Any:
                axes = before(*given, **keywords)
                if keywords.get("label") is not None and axes.get_legend() is None:
                    self._told("seaborn's distplot(label=...) draws no legend any more: axes.legend() draws it")
                    axes.legend(loc="best")
                return axes

            return distplot

        if hasattr(module, "distplot"):
            self._replace(module, "distplot", make)

    def _axis(self, letter: str) -> Callable[[Any], Any]:
        def axis(axes: AxisLike) -> Any:
            self._told(f"Axes3D.w_{letter}axis is {letter}axis now")
            return getattr(axes, f"{letter}axis")

        return axis


def _taken_away(axes: Any) -> None:
    """Remove a colorbar's axes, if they are there still, and give the room to those beside which they were."""
    figure, place = axes.figure, axes.get_subplotspec()
    if figure is not None and axes in figure.axes:
        axes.remove()
    grid = None if place is None else place.get_gridspec()
    if hasattr(grid, "get_topmost_subplotspec") and figure is not None:
        for other in figure.axes:
            spec = other.get_subplotspec()
            if spec is not None and spec.get_gridspec() is grid:
                other.set_subplotspec(grid.get_topmost_subplotspec())
