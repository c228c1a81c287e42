"""TensorFlow 1's ``tf.saved_model``: a session's graph between some inputs and outputs, with its variables, saved.

What is saved is read by TensorFlow 2's `wengert.saved_model.load`, as signatures.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wengert.derive.lowered import needed
from wengert.modes.function import ConcreteFunction, TensorSpec
from wengert.modes.module import Module
from wengert.modes.session import Session
from wengert.modes.tracing import FuncGraph, inline, tracing
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import SymbolicTensor
from wengert.train.saved.model import DEFAULT_SERVING_SIGNATURE_DEF_KEY, SERVING, contains_saved_model, load, write

__all__ = [
    "DEFAULT_SERVING_SIGNATURE_DEF_KEY", "PREDICT_INPUTS", "PREDICT_METHOD_NAME", "PREDICT_OUTPUTS", "SERVING", "Builder",
    "SignatureDef", "build_signature_def", "build_tensor_info", "contains_saved_model", "load", "predict_signature_def",
    "simple_save",
]  # fmt: skip

PREDICT_INPUTS, PREDICT_OUTPUTS, PREDICT_METHOD_NAME = "inputs", "outputs", "tensorflow/serving/predict"
Tensors = Mapping[str, SymbolicTensor]
"""Tensors of a graph, by name."""


class SignatureDef(NamedTuple):
    """The inputs and outputs of a graph that are to be saved, by name."""

    inputs: Tensors
    outputs: Tensors
    method_name: str = PREDICT_METHOD_NAME


def build_signature_def(
    inputs: Tensors | None = None, outputs: Tensors | None = None, method_name: str | None = None
) -> SignatureDef:  # fmt: skip
    """Return a signature of tensors by name."""
    return SignatureDef(dict(inputs or {}), dict(outputs or {}), method_name or PREDICT_METHOD_NAME)


def predict_signature_def(inputs: Tensors, outputs: Tensors) -> SignatureDef:
    """Return a signature of tensors by name."""
    return build_signature_def(inputs, outputs)


def build_tensor_info(tensor: SymbolicTensor) -> SymbolicTensor:
    """Return the tensor: there are no protocol buffers here."""
    return tensor


def _trace(signature: SignatureDef, name: str) -> ConcreteFunction:
    """Return the graph between inputs and outputs, as a trace.

    Raises:
        ValueError: where the outputs depend on a placeholder that is not among the inputs.
    """
    graph = FuncGraph(None, name)
    names = sorted(signature.inputs)
    given = {signature.inputs[one].n for one in names}
    for node in needed(list(signature.outputs.values()), ()):
        if node.op is PLACEHOLDER and not any(t.n in given for t in node.outputs):
            raise ValueError(f"The outputs depend on the placeholder {node.name} (made at {node.where}), which is not an input.")
    with tracing(graph):
        places = {one: graph.add_input(signature.inputs[one].sizes, signature.inputs[one].nptype, one) for one in names}
        source: Any = next(iter(signature.outputs.values())).graph
        outputs, _ = inline(source, list(signature.outputs.values()), {signature.inputs[one].n: places[one] for one in names})
    specs = {one: TensorSpec(t.sizes, t.nptype, one) for one, t in places.items()}
    parameters = [inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY) for one in names]
    returned: Any = dict(zip(signature.outputs, outputs, strict=True))
    return ConcreteFunction(graph, name, list(places.values()), returned, ((), specs), names, inspect.Signature(parameters))


class Builder:
    """Saves a session's graph and variables in a folder."""

    def __init__(self, export_dir: str | os.PathLike[str]) -> None:
        """Take the folder.

        Raises:
            AssertionError: if it is there already, and has something in it.
        """
        self._folder = os.fspath(export_dir)
        if os.path.isdir(self._folder) and os.listdir(self._folder):
            raise AssertionError(
                f"Export directory {self._folder} already exists, and isn't empty. Please choose a different export directory."
            )
        self._session: Session | None = None
        self._signatures: dict[str, SignatureDef] = {}

    def add_meta_graph_and_variables(
        self, sess: Session, tags: Sequence[str], signature_def_map: Mapping[str, SignatureDef] | None = None, **ignored: object
    ) -> None:  # fmt: skip
        """Take the session, and the signatures by name."""
        self._session, self._signatures = sess, dict(signature_def_map or {})

    def save(self, as_text: bool = False) -> str:
        """Write; return the path of the folder.

        Raises:
            AssertionError: without a session.
        """
        if self._session is None:
            raise AssertionError("Graphs and variables have not been added: call add_meta_graph_and_variables first.")
        with self._session.graph.as_default():
            traces = {name: _trace(one, name) for name, one in self._signatures.items()}
        write(Module("simple_save"), self._folder, traces, self._session)
        return self._folder


def simple_save(
    session: Session, export_dir: str | os.PathLike[str], inputs: Tensors, outputs: Tensors, legacy_init_op: None = None
) -> None:  # fmt: skip
    """Save the graph between inputs and outputs, with its variables, as the signature "serving_default"."""
    builder = Builder(export_dir)
    signature = predict_signature_def(inputs, outputs)
    builder.add_meta_graph_and_variables(session, [SERVING], {DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature})
    builder.save()
