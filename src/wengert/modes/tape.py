"""Gradient tapes: what was computed in a with block, and its derivatives."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.derive.questions import GRADIENT
from wengert.derive.request import itself
from wengert.derive.reverse import Slices, reach_of, sweep
from wengert.derive.structure import ancestors
from wengert.ground import nest
from wengert.ground.blocks import Leaving, Raised
from wengert.ground.context import here, quietly, recent, slopes, state
from wengert.ground.errors import InvalidArgumentError, UnimplementedError
from wengert.ground.interrupt import between
from wengert.ground.shapes import fits
from wengert.modes.called import unfold
from wengert.modes.jacobians import tape_batch_jacobian, tape_jacobian
from wengert.modes.listed import taken
from wengert.modes.record import Record
from wengert.modes.slices import IndexedSlices, request_within
from wengert.modes.why import warn_none
from wengert.ops.linear import RESHAPE, ZEROS_LIKE
from wengert.ops.op import values
from wengert.ops.state import READ
from wengert.tensor.tensor import (
    EagerTensor,
    SymbolicTensor,
    Tensor,
    TensorLike,
    apply,
    cast,
    convert,
    innermost,
    is_tensor_like,
    lift,
    tensors,
)

__all__ = ["GradientTape", "UnconnectedGradients"]

NESTED = 2
"""Outer tapes from which a derivative may be handed to the planner of lists."""
watchers: list[Any] = []
"""Called with each tape that gave a derivative, the ys, xs and weights, and what it gave: how `wengert check` learns of them."""


class UnconnectedGradients:
    """What stands where there is no gradient: None, or zeros."""

    class _Choice(str):
        @property
        def value(self) -> str:
            return str.__str__(self)

        def __str__(self) -> str:
            return f"UnconnectedGradients.{self.value.upper()}"

        def __repr__(self) -> str:
            return f"<{self}: {self.value!r}>"

    NONE = _Choice("none")
    ZERO = _Choice("zero")

    def __new__(cls, value: Tensor) -> Any:
        """Return the choice of a name.

        Raises:
            ValueError: for any other.
        """
        for choice in (cls.NONE, cls.ZERO):
            if value == choice:
                return choice
        raise ValueError(f"Unknown value for unconnected_gradients: {value!r}")


class GradientTape(Record):
    """Records operations on watched tensors, so that they can be differentiated.

    >>> import wengert as tf
    >>> x = tf.constant(3.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x)
    <tf.Tensor: shape=(), dtype=float32, numpy=6.0>
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        """Make a tape.

        ``persistent``: more than one gradient may be asked of it. ``watch_accessed_variables``: trainable variables
        are watched when they are read.
        """
        self._persistent = bool(persistent)
        self._used = False
        self._started = False
        super().__init__(watch_accessed_variables)

    def __enter__(self) -> GradientTape:
        """Start recording."""
        if self._recording:
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        if self._used and not self._persistent:
            self._clear()
            self._used = False
        if between and state.graph is None and all(getattr(o, "_watch_all", False) for o in state.observers):
            for function in between:
                function()
        self._started = True
        self._start(sys._getframe(1))
        return self

    def _leave(self, *exception: Raised) -> None:
        if self._recording:
            self._stop()

    __exit__ = Leaving(_leave)

    def continued(self) -> GradientTape:
        """Return a persistent tape that has recorded what this one has, and goes on."""
        other = GradientTape(persistent=True, watch_accessed_variables=self._watch_accessed)
        other.entries, other.live = list(self.entries), set(self.live)
        other._held, other._variables = dict(self._held), dict(self._variables)
        other.times, other.forgot = self.times, self.forgot
        return other

    def reset(self) -> None:
        """Forget everything, as if the tape began here."""
        super().reset()
        self._used = False

    # --- derivatives -------------------------------------------------------------------------------------------

    def _use(self) -> None:
        if not self._started:
            raise RuntimeError("The tape has recorded nothing: compute in a `with tape:` block first.")
        if self._used and not self._persistent:
            raise RuntimeError("A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)")
        if self._recording and not self._persistent:
            self._stop()

    def gradient(
        self,
        target: TensorLike,
        sources: Any,
        output_gradients: TensorLike | None = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """Return the derivative of the sum of the target(s) by each source, in the structure of the sources.

        ``output_gradients``: weights for the targets instead of ones. None stands where there is no derivative (and a
        warning says why), or zeros with ``unconnected_gradients="zero"``.

        Raises:
            TypeError: if target or sources are None.
            RuntimeError: if a tape that is not persistent was used before.
            ValueError: for another value of ``unconnected_gradients``.
        """
        choice = unconnected_gradients
        if choice is not UnconnectedGradients.NONE:
            choice = UnconnectedGradients(unconnected_gradients)
        if target is None:
            raise TypeError("Argument `target` should be a list or nested structure of Tensors, Variables or "
                            "CompositeTensors to be differentiated, but received None.")  # fmt: skip
        if sources is None:
            raise TypeError("Argument `sources` should be a list or nested structure of Tensors or Variables, "
                            "but received None.")  # fmt: skip
        self._use()
        ys = [target] if target.__class__ is EagerTensor else [self._target(t) for t in nest.flatten(target)]
        single = sources.__class__ is EagerTensor
        xs = [sources] if single else nest.flatten(sources)
        if not single:
            for x in xs:
                if not is_tensor_like(x):
                    raise _not_a_source(x)
        gs: list[Any] = [None] * len(ys)
        if output_gradients is not None:
            given = nest.flatten(output_gradients)
            if len(given) != len(ys):
                raise InvalidArgumentError(f"{len(given)} output_gradients were given for {len(ys)} targets.")
            gs = [None if g is None else convert(g, like=y) for g, y in zip(given, ys, strict=True)]
            for g, y in zip(gs, ys, strict=True):
                if g is not None and not fits(g.sizes, y.sizes):
                    raise InvalidArgumentError(f"output_gradients of shape {g.shape} do not fit a target of shape {y.shape}.")
        if not self._persistent:
            self._used = True
        results = self._gradient(ys, xs, gs)
        if any([r is None for r in results]):
            results = [itself(x, ys, gs) if r is None else r for r, x in zip(results, xs, strict=True)]
            missing = [x for x, r in zip(xs, results, strict=True) if r is None]
            if missing and choice == UnconnectedGradients.ZERO:
                results = [_zeros(x) if r is None else r for r, x in zip(results, xs, strict=True)]
            elif missing:
                warn_none(ys, missing, self, self.history(ys))
        if not self._persistent and not self._recording:
            self.entries = []
        return results[0] if single else nest.pack_sequence_as(sources, results)

    def _target(self, target: Tensor) -> Any:
        if isinstance(target, Tensor):
            return target
        if isinstance(target, IndexedSlices):  # what was recorded is its rows, and their sum is that of the whole
            return target.values
        if hasattr(target, "current") and state.graph is None:
            tensor = target.current()
            self.read(target, tensor)
            return tensor
        if hasattr(target, "_as_tensor"):
            return target._as_tensor()
        raise NotATensor(f"The target of a gradient must be a tensor or a variable, not {target!r}.")

    def _gradient(self, ys: list[Any], xs: list[Any], gs: list[Any]) -> list[Any]:
        for y in ys:
            if y.__class__ is SymbolicTensor:
                return self._symbolic(ys, xs, gs)
        found = self._eager(ys, xs, gs)
        for watcher in watchers:
            watcher(self, ys, xs, gs, found)
        return found

    def _eager(self, ys: list[Any], xs: list[Any], gs: list[Any]) -> list[Any]:
        sources = {x.n for x in xs}
        live = self.live if not self._watch_all else None
        seeds: dict[int, Any] = {}
        weights: tuple[int, ...] = ()
        raw = not state.observers
        unfold(self, xs)
        if not raw and len(state.observers) >= NESTED:
            planned = taken(self, ys, xs, gs)
            if planned is not None:
                return planned
        for y, g in zip(ys, gs, strict=True):
            if y.array.dtype.kind not in "fc" or (live is not None and y.n not in live):
                continue
            if g is None:
                ones = np.empty(y.array.shape, y.array.dtype)
                ones.fill(1)  # a third of what np.ones takes
                g = ones if raw else EagerTensor(ones)
            else:
                weights = (*weights, g.n)
                if g.array.dtype != y.array.dtype:
                    g = cast(g, y.array.dtype)
                g = g.array if raw else g
            seeds[y.n] = g if y.n not in seeds else seeds[y.n] + g
        if not seeds:
            return [None] * len(xs)
        entries = self.history(ys) if self._watch_all else self.entries
        # Where all that is watched is asked for, what is live is what is to be reached.
        if live is not None and self._all_asked(sources):
            reach: set[int] = live
        else:
            reach = reach_of(entries, sources)
        if not raw:
            entries = list(entries)
        sparse = sources | {e[2].n for e in entries if e[0] is READ and e[1][0].n in sources} if self._variables else sources
        site, at = state.site, here()
        state.site = at = (at[0], at[1], True)
        made = (GRADIENT, [*seeds, *weights], at, sources)
        try:
            if raw:
                found = quietly(sweep, values, entries, seeds, reach, sources, True, sparse)
            else:
                found = quietly(sweep, tensors, entries, seeds, reach, sources, False, sparse)
        finally:
            state.site = site
        results = [self._result(found.get(x.n), x, made if raw else None, live) for x in xs]
        told = recent if raw else slopes
        for r in results:
            if r.__class__ is EagerTensor:
                told.append((r.n, made))
        return results

    def _all_asked(self, sources: set[int]) -> bool:
        return sources.issuperset(self._held) and sources.issuperset(self._variables)

    def _result(self, g: Any, x: Any, made: Any, live: Any) -> Any:
        if g is None or (live is not None and x.n not in live) or x.nptype.kind not in "fc":
            return None
        if g.__class__ is Slices:
            indices, values_ = g.indices, g.values
            if made is not None:
                indices, values_ = EagerTensor(indices), EagerTensor(np.asarray(values_), made)
            rows = indices.array.size
            flat = EagerTensor(indices.array.reshape(-1))
            rest = values_.array.shape[indices.array.ndim :]
            if values_.array.shape != (rows, *rest):
                values_ = apply(RESHAPE, (values_,), {"shape": (rows, *rest)})
            return IndexedSlices(values_, flat, EagerTensor(np.array(x.sizes, np.int32)))
        if made is not None:
            return EagerTensor(g if isinstance(g, np.ndarray) else np.asarray(g), made)
        return g

    def _symbolic(self, ys: list[Any], xs: list[Any], gs: list[Any]) -> list[Any]:
        """In a graph: a Gradient node, through nothing but what this tape recorded.

        What the tape recorded are nodes; where its record begins, at tensors that no entry gives, the derivative stops.
        """
        graph = innermost([t for t in (*ys, *gs) if t.__class__ is SymbolicTensor])
        made = {o.n for op, _, output, _ in self.entries for o in ((output,) if op.outputs == 1 else output)}
        handles = [x.handle_in(graph) if hasattr(x, "handle_in") else x for x in xs]
        known = [x.n in self.live or h.n in self.live for x, h in zip(xs, handles, strict=True)]
        inside = [x for x, k in zip(xs, known, strict=True) if k]
        live = [(y, g) for y, g in zip(ys, gs, strict=True) if y.n in self.live]
        if not live or not inside:
            return [None] * len(xs)
        ends: dict[int, Any] = {}
        for t in [*(t for _, inputs, _, _ in self.entries for t in inputs), *(y for y, _ in live)]:
            if t.n not in made and t.__class__ is SymbolicTensor:
                ends[t.n] = t
        stops = {n: t for n, t in ends.items() if t.graph is graph and t.node.inputs}
        targets = [lift(graph, y) for y, _ in live]
        if self._turning:
            _check_turning(self._turning, targets, {x.n for x in inside}, frozenset(stops))
        weights = [None if g is None else lift(graph, g) for _, g in live]
        found = iter(request_within(graph, targets, inside, weights, list(stops.values()), made.__contains__))
        return [next(found) if k else None for k in known]

    def jacobian(
        self,
        target: Tensor,
        sources: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the derivative of each element of the target by each element of each source.

        The shapes are target's followed by the source's; None where there is no derivative.

        Raises:
            AttributeError: if the target is not one tensor (as in TensorFlow).
            RuntimeError: eagerly, if the tape is not persistent and ``experimental_use_pfor`` is False (as in TensorFlow).
        """
        choice = UnconnectedGradients(unconnected_gradients)
        if not experimental_use_pfor and state.graph is None:
            self._use_again("jacobian with eager execution enabled and with experimental_use_pfor set to False")
        self._use()
        if not self._persistent:
            self._used = True
        return tape_jacobian(self, target, sources, choice)

    def batch_jacobian(
        self,
        target: Tensor,
        source: Tensor,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return, for each row, the derivative of the target's row by the source's: shape (rows, m..., n...).

        Rows must not depend on each other. Zeros stand where there is no derivative, whatever ``unconnected_gradients`` says
        (as in TensorFlow).

        Raises:
            ValueError: if target and source have different numbers of rows, or less than two axes.
            RuntimeError: if the tape is not persistent, and ``parallel_iterations`` is given, or ``experimental_use_pfor`` is
                False (as in TensorFlow).
        """
        UnconnectedGradients(unconnected_gradients)
        if parallel_iterations is not None:
            self._use_again("batch_jacobian with parallel_iterations")
        if not experimental_use_pfor and state.graph is None:
            self._use_again("batch_jacobian with experimental_use_pfor=False")
        self._use()
        if not self._persistent:
            self._used = True
        return tape_batch_jacobian(self, target, source)

    def _use_again(self, what: str) -> None:
        if not self._persistent:
            raise RuntimeError(f"GradientTape must be created with persistent=True to compute the {what}.")


def _check_turning(turning: set[int], ys: Sequence[Any], own: set[int], stops: frozenset[int]) -> None:
    """Raise UnimplementedError where a derivative would have to lead through the earlier turns of a loop."""
    for node in ancestors(ys, stops):
        if any(t.n in turning and t.n not in own for t in node.outputs):
            raise UnimplementedError(
                "GradientTape.gradient in the body of a loop: the target depends on what the loop carries from turn to turn, "
                "and the tape was opened outside of the loop. Open a tape inside of the body, or take the gradient after the "
                "loop."
            )


class NotATensor(InvalidArgumentError, AttributeError, TypeError):
    """Something that cannot be differentiated was given: a Python number, say."""


def _not_a_source(x: TensorLike | None) -> Exception:
    return NotATensor(f"Passed in object {x!r} of type {type(x).__name__!r}, not tf.Tensor or tf.Variable.")


def _zeros(x: Tensor) -> Any:
    return apply(ZEROS_LIKE, (convert(x),))
