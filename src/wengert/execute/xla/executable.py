"""How a list becomes an executable for one signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.execute.numpy import NumPyProgram, unfed
from wengert.execute.plan import Plan
from wengert.execute.tiles.run import cut
from wengert.execute.xla.arrays import Unsupported, XlaArrays, brief
from wengert.execute.xla.mesh import Compiled, Placed
from wengert.execute.xla.parts import Alone, Among, in_parts
from wengert.execute.xla.placing import Places, Spreading
from wengert.execute.xla.state import SMALL
from wengert.execute.xla.values import Env, Ref, variant
from wengert.execute.xla.walk import Draw, Walk, sample
from wengert.ground.context import quietly
from wengert.ground.errors import OpError
from wengert.ground.options import options
from wengert.ground.types import Array, Dtype, NumPyArray
from wengert.ops.linear import CONSTANT

__all__ = ["Executable", "compiled"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

ROOMY = 1 << 28
"""Bytes that a run may ask for, beside its arguments, with the only copy of the variables given away."""
TEMPORARY = 14 << 20
"""Bytes of temporaries, as tiles count them, from which it is asked whether XLA counts more than `LARGE`."""
LARGE = 30 << 20
"""Bytes of temporaries above which a list runs in chunks on CPUs: the C library gives blocks above 32 MB back after each run."""
CHUNK = 18 << 20
"""Bytes of temporaries that a chunk is to have on CPUs, or less: its rows are a power of 2."""


class Executable:
    """What was compiled for one signature."""

    __slots__ = ("call", "constants", "distant", "draws", "fixed", "order", "places", "roomy", "seconds")

    def __init__(
        self, call: Compiled | None, constants: Sequence[Array], draws: Sequence[Draw],
        fixed: Sequence[NumPyArray | None], order: Sequence[int], roomy: bool, distant: bool, places: Places,
    ) -> None:  # fmt: skip
        """Take JAX's function, the large constants, the draws, the fetches that are constants, and where the others come.

        ``roomy``: a run may ask for more memory than there is; ``distant``: results come from a memory of the device's own;
        ``places``: what is spread over devices.
        """
        self.call, self.constants, self.draws, self.fixed, self.order = call, constants, draws, fixed, order
        self.roomy, self.distant, self.places, self.seconds = roomy, distant, places, 0.0

    def drawn(self) -> Sequence[NumPyArray]:
        """Return random numbers for a run."""
        return [np.asarray(quietly(partial(kernel, *values, **attrs))) for kernel, values, attrs in self.draws]

    def fetched(self, found: Sequence[Any], copy: bool, there: bool = False) -> list[Any]:
        """Return the fetches from what a run gave; ``copy``: as arrays that nobody else has; ``there``: where they are."""
        if there:
            if not self.distant and found:  # who reads the clock finds that it has run
                found[0].block_until_ready()  # all come at once
            return [found[at] if at >= 0 else np.array(fixed) for at, fixed in zip(self.order, self.fixed, strict=True)]
        results: list[Any] = []
        if self.distant:
            for one in found:  # all set out before the first is waited for
                one.copy_to_host_async()
        for at, fixed in zip(self.order, self.fixed, strict=True):
            if at >= 0:
                results.append(np.array(found[at]) if copy else np.asarray(found[at]))
            else:
                results.append(np.array(fixed) if copy else np.asarray(fixed))
        return results


def compiled(
    xp: XlaArrays, program: NumPyProgram, variables: Sequence[Any], assigned: int, types: Sequence[Dtype], shapes: Sequence[Any],
    forms: Sequence[Any], held: Callable[[NumPyArray, int | None], Array],
) -> Executable:  # fmt: skip
    """Return the executable of a program for feeds of some shapes and dtypes and variables of some shapes.

    ``variables``: those that it may assign to first, ``assigned`` of them. ``held`` puts a large constant on the
    device, or its rows, which lie along an axis, on all devices.

    Raises:
        Unsupported: if there can be none.
    """
    build = _Build(xp, program, variables, assigned, types, shapes, forms)
    build.look()
    call = build.compile()
    roomy = call is not None and bool(build.given) and _is_roomy(call, build.variables[:assigned])
    large = [held(v, build.places.constants.get(k)) for k, v in enumerate(build.constants)]
    return Executable(call, large, build.draws, build.fixed, build.order, roomy, xp.distant, build.places)


class _Build:
    """A list on its way to an executable."""

    def __init__(
        self, xp: XlaArrays, program: NumPyProgram, variables: Sequence[Any], assigned: int, types: Sequence[Dtype],
        shapes: Sequence[Any], forms: Sequence[Any],
    ) -> None:  # fmt: skip
        """Take the request."""
        if any([t.kind == "O" for t in types]):
            raise Unsupported(None, None, "xla cannot take strings as feeds")
        self.xp, self.handles, self.assigned, self.spec = xp, variables, assigned, xp.jax.ShapeDtypeStruct
        self.variables = [None if f is None else self.spec(f, v.nptype) for f, v in zip(forms, variables, strict=True)]
        self.feeds = [self.spec(s, t) for s, t in zip(shapes, types, strict=True)]
        self.chosen = variant(program, self.feeds)
        if self.chosen.plan.unfed:
            raise unfed(self.chosen.plan.unfed[0])
        kind = None if xp.mesh is None else Spreading
        self.tiling = cut(self.chosen.plan, [(f.shape, f.dtype) for f in self.feeds], kind=kind) if options.tiles else None
        self.places = Places(self.tiling, xp.mesh, variables, len(self.feeds))
        self.share: Alone = Alone(xp.jax)
        """What a device has of the rows, as the list is walked."""
        self.spread: dict[int, int] = {}
        """The results of which each device has its own rows, and along which axis."""
        self.pieces = 1.0
        """By how much the temporaries exceed those that a chunk is to have."""
        self.constants: list[NumPyArray] = []
        self.draws: list[Draw] = []
        self.fixed: list[NumPyArray | None] = []
        """The fetches that are constants."""
        self.order: list[int] = []
        """Which of the results a fetch is; -1 for a constant."""
        # A variable of one shape alone: the room of its value is the room of the next.
        self.given = [i for i, v in enumerate(variables[:assigned]) if v.sizes is not None and None not in v.sizes]

    def look(self) -> None:
        """See which large constants and random numbers there are, which become arguments."""
        if _has_more(self.chosen.plan):
            walk = Walk(self.xp, self.handles, None, None)
            self.xp.jax.eval_shape(lambda inputs, given: self.walk(walk, inputs, given), self.variables, self.feeds)
            self.constants, self.draws = [value for _, value in walk.constants.values()], walk.draws

    def walk(self, walk: Walk, inputs: Sequence[Array | None], given: Sequence[Array]) -> tuple[Env, list[Array]]:
        """Return the values of the variables that may be assigned to, after a walk, and the fetches that are no constants."""
        env = list(inputs)
        spread: dict[int, int] = {}
        if self.tiling is not None and (self.pieces > 1.0 or self.xp.mesh is not None):
            walk.spread = {at for at, axis in enumerate(self.places.variables) if axis is not None}
            found, spread = in_parts(walk, self.tiling, given, env, self.pieces, self.share, self.places)
        else:
            found = walk(self.chosen.plan, given, env)
        self.fixed, self.order, self.spread = [], [], {}
        results: list[Array] = []
        for k, (value, t) in enumerate(zip(found, self.chosen.outputs, strict=True)):
            if value.__class__ is Ref:
                raise Unsupported(None, None, f"xla cannot fetch the handle {t.name}")
            known = value.__class__ is np.ndarray
            self.fixed.append(value if known else None)
            self.order.append(-1 if known else len(results))
            if not known:
                if k in spread:
                    self.spread[len(results)] = spread[k]
                results.append(value)
        n = self.assigned
        if any([new is not old for new, old in zip(env[n:], inputs[n:], strict=True)]):
            raise Unsupported(None, None, "xla cannot tell which variables this list assigns to")
        return env[:n], results

    def main(self, *arguments: Array | None) -> tuple[Array | None, ...]:
        """Compute the new values of variables, and the results, from the variables, large constants, draws and feeds."""
        nv, nc, nd = len(self.variables), len(self.constants), len(self.draws)
        inputs, rest = arguments[:nv], arguments[nv:]
        walk = Walk(self.xp, self.handles, rest[:nc], rest[nc : nc + nd])  # type: ignore[arg-type]
        after, results = self.walk(walk, inputs, rest[nc + nd :])  # type: ignore[arg-type]
        # A value that is another's argument would be shared with whoever holds that argument.
        foreign = {id(a) for a in arguments if a is not None}
        kept = [
            self.xp.array(new, copy=True) if new is not None and new is not old and id(new) in foreign else new
            for new, old in zip(after, inputs, strict=False)
        ]
        return (*kept, *results)

    def compile(self) -> Compiled | None:
        """Return JAX's function, in chunks of rows where its temporaries are large; None where all is known beforehand."""
        try:
            first = self.lowered()
            if not self.assigned and all(at < 0 for at in self.order):
                return None
            call: Compiled = first.compile()
            room = 0.0 if self.tiling is None else sum(p.per_row * self.share.rows(p.n) for p in self.tiling.passes)
            large, chunk = _limits(self.xp)
            if room > TEMPORARY and _temporary(call) > large:
                self.pieces = _temporary(call) / chunk
                call = self.lowered().compile()
        except OpError:
            raise
        except Exception as error:
            raise Unsupported(None, None, f"xla cannot compile this list: {brief(error)}") from error
        return call if self.xp.mesh is None else Placed(call, self.xp.mesh, self.axes())

    def numbers(self) -> list[Any]:
        """Return what the large constants and the draws are like."""
        return [self.spec(x.shape, x.dtype) for x in [*self.constants, *map(sample, self.draws)]]

    def axes(self) -> list[int | None]:
        """Return along which axis each argument is spread."""
        places = self.places
        numbers = [places.constants.get(k) for k in range(len(self.constants))]
        draws = [places.draws.get(k) for k in range(len(self.draws))]
        return [*places.variables, *numbers, *draws, *places.feeds]

    def lowered(self) -> Any:
        """Return the function that JAX is to compile."""
        jax, mesh = self.xp.jax, self.xp.mesh
        arguments = [*self.variables, *self.numbers(), *self.feeds]
        donated = tuple(self.given)

        def main(*given: Array | None) -> Any:  # a new one to JAX
            return self.main(*given)

        if mesh is None:
            return jax.jit(main, donate_argnums=donated).lower(*arguments)
        axes = self.axes()
        self.share = Alone(jax)
        jax.eval_shape(lambda *given: self.main(*given), *arguments)  # which results there are, and how they lie
        self.share = Among(mesh)
        placed = [None if a is None else mesh.like(a, axis) for a, axis in zip(arguments, axes, strict=True)]
        if self.tiling is None:  # all devices do the same
            return jax.jit(main, donate_argnums=donated, out_shardings=mesh.sharding(None)).lower(*placed)
        results = [mesh.spec(self.spread.get(k)) for k in range(max(self.order, default=-1) + 1)]
        outer = (*[mesh.spec(a) for a in self.places.variables[: self.assigned]], *results)
        return jax.jit(mesh.mapped(main, axes, outer), donate_argnums=donated).lower(*placed)


def _has_more(plan: Plan) -> bool:
    """Whether there may be large constants or random numbers, which become arguments."""
    for step in plan.steps:
        node = step.node
        if node.op.kind == "control" or node.op.draws:
            return True
        if node.op is CONSTANT and node.attrs["value"].dtype.kind != "O" and node.attrs["value"].nbytes > SMALL:
            return True
    return False


def _limits(xp: XlaArrays) -> tuple[float, float]:
    """Return the bytes of temporaries above which a list runs in chunks on a device, and those that a chunk is to have.

    An accelerator wants many rows at once: it cuts only what would not fit beside everything else in its memory.
    """
    if not xp.distant:
        return LARGE, CHUNK
    room = (xp.jax.local_devices()[0].memory_stats() or {}).get("bytes_limit", float("inf"))
    return room / 2, room / 4


def _temporary(call: Compiled) -> float:
    """Return the bytes of temporaries of an executable."""
    return float(getattr(call.memory_analysis(), "temp_size_in_bytes", 0))


def _is_roomy(call: Compiled, variables: Sequence[Any]) -> bool:
    """Whether a run asks for much memory beside what the variables take, so that asking may fail."""
    memory = call.memory_analysis()
    temporary = getattr(memory, "temp_size_in_bytes", 0) + getattr(memory, "output_size_in_bytes", 0)
    asked = temporary - getattr(memory, "alias_size_in_bytes", 0)
    held = sum(int(np.prod(v.shape)) * v.dtype.itemsize for v in variables if v is not None)
    return bool(asked > ROOMY and held < asked)
