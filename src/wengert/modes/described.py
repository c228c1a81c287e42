"""A trace in words: its arguments and results, as `ConcreteFunction.function_type` and `pretty_printed_signature` have them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Literal

from wengert.ground import nest
from wengert.tensor.tensor import Tensor

__all__ = ["FunctionType", "printed", "type_of"]


class FunctionType(inspect.Signature):
    """The parameters and the result of a trace, each with its specification."""

    @property
    def output(self) -> Any:
        """The specification of the result."""
        return self.return_annotation

    def __repr__(self) -> str:
        return str(self)


def type_of(arguments: tuple[Any, Any], signature: inspect.Signature | None, outputs: Any, spec: Any) -> FunctionType:
    """Return what a trace takes and returns. ``spec``: makes a specification of a tensor, or of none."""
    positional, keywords = arguments

    def described(value: Any) -> Any:
        return nest.map_structure(lambda leaf: spec(leaf) if isinstance(leaf, type(spec(None))) else Literal[leaf], value)

    if signature is not None:
        bound = signature.bind(*positional, **keywords).arguments
        parameters = [p.replace(annotation=described(bound[p.name])) for p in signature.parameters.values() if p.name in bound]
    else:
        kind = inspect.Parameter.POSITIONAL_ONLY
        parameters = [inspect.Parameter(f"input_{i}", kind, annotation=described(a)) for i, a in enumerate(positional)]
    result = nest.map_structure(lambda t: spec(t) if isinstance(t, Tensor) else Literal[t], outputs)
    return FunctionType(parameters, return_annotation=result)


def printed(kind: FunctionType, captures: Sequence[str], verbose: bool) -> str:
    """Return the type over several lines; in one where it is not to be verbose."""
    if not verbose:
        return str(kind)
    lines = ["Input Parameters:"]
    for name, p in kind.parameters.items():
        lines.append(f"  {name} ({p.kind.name}): {_shown(p.annotation)}")
    if not kind.parameters:
        lines.append("  None")
    return "\n".join([*lines, "Output Type:", f"  {_shown(kind.output)}", "Captures:", *[f"  {c}" for c in captures or ["None"]]])


def _shown(annotation: Any) -> str:
    return inspect.formatannotation(annotation)
