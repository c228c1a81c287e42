"""TensorFlow 1's control flow, scopes, Python calls and gradients, with its arguments."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.functions import array, program
from wengert.ground import nest
from wengert.modes import control as two
from wengert.surface.keywords import renamed
from wengert.tensor.tensor import TensorLike


def cond(
    pred: TensorLike,
    true_fn: Callable[..., Any] | None = None,
    false_fn: Callable[..., Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Any = None,
    fn2: Any = None,
) -> Any:
    """Return ``true_fn()`` if pred holds, else ``false_fn()``; a list of one result is taken out unless ``strict``.

    Raises:
        TypeError: if one of the functions is missing, or given twice.
    """
    try:
        true_fn = renamed("true_fn", true_fn, "fn1", fn1)
        false_fn = renamed("false_fn", false_fn, "fn2", fn2)
    except ValueError as error:
        raise TypeError(str(error)) from None
    if true_fn is None or false_fn is None:
        raise TypeError("cond(): 'true_fn' and 'false_fn' arguments are required.")
    result = two.cond(pred, true_fn, false_fn, name)
    return result if strict else _taken_out(result)


def _taken_out(result: Any) -> Any:
    if isinstance(result, list) and len(result) == 1:
        return result[0]
    return result


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Repeat the body while the condition holds; one loop variable is returned as itself rather than in a list."""
    result = two.while_loop(cond, body, loop_vars, shape_invariants, maximum_iterations=maximum_iterations)
    if not back_prop:
        result = nest.map_structure(array.stop_gradient, result)
    if not return_same_structure and isinstance(result, Sequence) and len(result) == 1:
        return result[0]
    return result


@contextlib.contextmanager
def op_scope(values: TensorLike, name: str | None, default_name: str | None = None) -> Iterator[Any]:
    """Enter a name scope: an older order of arguments."""
    with program.name_scope(name if name is not None else default_name) as scope:
        yield scope


@contextlib.contextmanager
def container(container_name: str) -> Iterator[None]:
    """Accept a container's name, without effect."""
    yield


def Print(
    input_: Any, data: Any, message: str | None = None, first_n: int | None = None, summarize: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return the input; print the data to standard error when it is computed."""
    x = input_._as_tensor() if hasattr(input_, "_as_tensor") else array.convert_to_tensor(input_)
    printed = program.print_tensors(message or "", *data, output_stream=sys.stderr, summarize=summarize, sep="")
    with program.control_dependencies([printed] if printed is not None else []):
        return array.identity(x, name=name or "Print")


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """Return a tensor that is there when operations have run."""
    with program.control_dependencies(dependencies):
        return array.identity(output_tensor, name=name)


def add_check_numerics_ops() -> Any:
    """Return an operation that fails where a floating tensor of the default graph is not finite."""
    from wengert.functions.debugging import check_numerics
    from wengert.modes.session import default_graph

    checks = [
        check_numerics(t, f"{t.name}")
        for node in list(default_graph().nodes)
        for t in node.outputs
        if t.nptype.kind == "f" and node.op.kind != "control" and node.op.name not in ("placeholder", "variable_handle")
    ]
    return program.group(*checks) if checks else program.no_op()
