"""TensorFlow 1's ``tf.train.init_from_checkpoint``: variables whose initial values are those of a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wengert.ground import shapes
from wengert.modes.variable import Variable
from wengert.ops.state import ASSIGN
from wengert.surface.v1.variables import global_variables
from wengert.tensor.tensor import TensorLike, append, convert
from wengert.train import files

__all__ = ["init_from_checkpoint"]


def init_from_checkpoint(
    ckpt_dir_or_file: str | os.PathLike[str], assignment_map: Mapping[str, Any] | Sequence[tuple[str, Any]]
) -> None:
    """Have the initializers of variables set values of a checkpoint, when they are run.

    Args:
        ckpt_dir_or_file: a checkpoint, or a folder of which the latest is taken.
        assignment_map: by names in the checkpoint, or as pairs with them: a variable, its name, or its parts in a list; and by
            scopes there, which end in "/", scopes of variables here.

    Raises:
        ValueError: where one of the two has nothing of a name, and for another shape.
    """
    reader = files.load_checkpoint(ckpt_dir_or_file)
    there = reader.get_variable_to_shape_map()
    pairs = assignment_map.items() if isinstance(assignment_map, Mapping) else assignment_map
    for key, target in pairs:
        for name, variable in _pairs(key, target, there, ckpt_dir_or_file):
            if name not in there:
                raise ValueError(f"Tensor {name} is not found in {ckpt_dir_or_file} checkpoint {sorted(there)}")
            if not shapes.fits(variable.sizes, tuple(there[name])):
                raise ValueError(
                    f"Shape of variable {variable.name} ({variable.shape}) doesn't match with shape of tensor {name} "
                    f"({list(there[name])}) from checkpoint reader."
                )
            _initialize(variable, reader.get_tensor(name))


def _initialize(variable: Variable, value: TensorLike) -> None:
    """Have the variable's initializer set this value; eagerly, set it."""
    graph = variable._graph
    if graph is None:
        variable.assign(value)
        return
    controls, graph.controls = graph.controls, ()
    try:
        with graph.as_default():
            variable._initial = convert(value, variable.dtype)
            inputs = (variable.handle_in(graph), variable._initial)
            variable._initializer = append(graph, ASSIGN, inputs, {"how": "update"}, "Assign").op
    finally:
        graph.controls = controls


def _pairs(
    key: str, target: Variable | str | Sequence[Variable], there: Mapping[str, Sequence[int]], where: str | os.PathLike[str]
) -> Iterator[tuple[str, Variable]]:
    """Iterate over names in the checkpoint and the variables that they are for."""
    if isinstance(target, Variable):
        yield key, target
        return
    known = {v._name: v for v in global_variables()}
    if isinstance(target, str) and not target.endswith("/"):
        if target not in known:
            raise ValueError(f"Variable {target} is not found in the graph: {sorted(known)}")
        yield key, known[target]
        return
    if not isinstance(target, str):
        raise NotImplementedError("init_from_checkpoint: variables in parts are one here; give the variable or its name.")
    if not key.endswith("/"):
        raise ValueError(
            f"Assignment map with scope only name {target} should map to scope only {key}. Should be 'scope/': 'other_scope/'."
        )
    outer, inner = key.removesuffix("/"), target.removesuffix("/")
    for name, variable in known.items():
        if inner and not name.startswith(inner + "/"):
            continue
        rest = name[len(inner) + 1 :] if inner else name
        full = f"{outer}/{rest}" if outer else rest
        if full not in there:
            raise ValueError(f"Tensor {full} (for {name}) is not found in {where} checkpoint")
        yield full, variable
