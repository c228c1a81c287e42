"""``tf.saved_model.save`` and ``load``: objects with their functions, variables and signatures, in one file of a folder."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.execute.processes import file_of_first, of_first
from wengert.functions.program import init_scope
from wengert.ground import nest
from wengert.ground.errors import DataLossError, NotFoundError, OpError
from wengert.ground.types import NumPyArray
from wengert.ground.version import VERSION
from wengert.modes.function import ConcreteFunction, Function, TensorSpec
from wengert.modes.session import Session
from wengert.modes.variable import Variable
from wengert.tensor.tensor import Tensor
from wengert.train import archive
from wengert.train.objects import trackable
from wengert.train.saved.lists import Unwritten
from wengert.train.saved.objects import Loaded, Reading, Writing, dumps, functions, traces

__all__ = [
    "DEFAULT_SERVING_SIGNATURE_DEF_KEY",
    "SERVING",
    "LoadOptions",
    "SaveOptions",
    "contains_saved_model",
    "load",
    "save",
]

DEFAULT_SERVING_SIGNATURE_DEF_KEY = "serving_default"
SERVING = "serve"
FILE = "saved_model.safetensors"
TOLD = "wengert.saved_model"
"""The entry of the file's texts that tells of objects and lists."""
NameOf = Callable[[Variable], str | None]
Signed = Function | ConcreteFunction
Signatures = Signed | Mapping[str, Signed] | None
"""What is given as signatures."""
FORMAT = 1
"""The version of the format: a file of a later one is refused."""


class SaveOptions:
    """Accepted: there is one way of saving."""

    def __init__(self, **options: Any) -> None:
        """Take whatever options."""
        self.__dict__.update(options)


class LoadOptions(SaveOptions):
    """Accepted: there is one way of loading."""


def save(obj: Any, export_dir: str | os.PathLike[str], signatures: Signatures = None, options: SaveOptions | None = None) -> None:
    """Save an object with the functions that it has been traced for, and its variables.

    ``signatures``: a function with an input_signature, a trace of one, or several by name; what has none given gets the one
    that there is no doubt of, as "serving_default".

    >>> import tempfile, wengert as tf
    >>> class Line(tf.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.w = tf.Variable(2.0)
    ...
    ...     @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    ...     def __call__(self, x):
    ...         return self.w * x**3
    >>> folder = tempfile.mkdtemp()
    >>> tf.saved_model.save(Line(), folder)
    >>> line, x = tf.saved_model.load(folder), tf.constant(2.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = line(x)
    >>> tape.gradient(y, x).numpy()
    np.float32(24.0)

    Raises:
        ValueError: for what is no object of this kind, for a signature that is none, and for a function that calls Python, or was
            traced with Python objects: what these are, only a program can say.
    """
    if isinstance(obj, Function) or not trackable(obj):
        raise ValueError(
            "Expected an object of type `Trackable`, such as `tf.Module` or a subclass of the `Trackable` class, for export. "
            f"Got {obj!r} with type {type(obj)}."
        )
    arrays, texts, _ = prepared(obj, os.fspath(export_dir), signatures)
    archive.dump(os.path.join(export_dir, FILE), arrays, texts)


def prepared(obj: Any, folder: str, signatures: Signatures) -> tuple[dict[str, NumPyArray], dict[str, str], NameOf]:
    """Return what `save` is to write, and how the array of a variable is called there.

    Raises:
        ValueError: for what cannot be written.
    """
    chosen = _default(obj) if signatures is None else _named(signatures)
    with init_scope():
        return _told(obj, folder, {name: _signature(one) for name, one in chosen.items()}, None)


def write(obj: Any, folder: str, signatures: Mapping[str, ConcreteFunction], session: Session | None = None) -> None:
    """Write an object and signatures.

    Raises:
        ValueError: for what cannot be written.
    """
    arrays, texts, _ = _told(obj, folder, signatures, session)
    archive.dump(os.path.join(folder, FILE), arrays, texts)


def _told(
    obj: Any, folder: str, signatures: Mapping[str, ConcreteFunction], session: Session | None
) -> tuple[dict[str, NumPyArray], dict[str, str], NameOf]:
    try:
        writing = Writing(obj, session)
        numbers = {name: writing.trace(one) for name, one in signatures.items()}
        writing.lists.finish()
        writing.grow()
    except Unwritten as error:
        raise ValueError(f"saved_model.save: {folder} was not written: {error}. Only lists of operations are saved.") from None
    told = {
        "format": FORMAT, "wengert": VERSION, "objects": writing.nodes, "lists": writing.lists.lists, "traces": writing.traces,
        "signatures": numbers,
    }  # fmt: skip
    return writing.lists.arrays, {"format": "np", TOLD: dumps(told)}, writing.array_of


def _default(obj: Any) -> dict[str, Signed]:
    """Return the signature of what has one: the call, or else the one function with an input_signature or with one trace."""
    found = {name: held for name, held in functions(obj) if traces(held)}
    if "__call__" in found:
        return {DEFAULT_SERVING_SIGNATURE_DEF_KEY: traces(found["__call__"])[0]}
    signed = [held for held in found.values() if getattr(held, "input_signature", None) is not None]
    for several in (signed, list(found.values())):
        if len(several) == 1 and len(traces(several[0])) == 1:
            return {DEFAULT_SERVING_SIGNATURE_DEF_KEY: traces(several[0])[0]}
    return {}


def _named(signatures: Signed | Mapping[str, Signed]) -> dict[str, Signed]:
    """Return signatures by name."""
    if isinstance(signatures, Mapping):
        return dict(signatures)
    return {DEFAULT_SERVING_SIGNATURE_DEF_KEY: signatures}


def _signature(given: Signed) -> ConcreteFunction:
    """Return a trace as a signature: it takes its tensors by name, and returns tensors by name.

    Raises:
        ValueError: for a function that is not known to have one trace.
    """
    one = given
    if isinstance(one, Function):
        if one.input_signature is None:
            raise ValueError(
                f"Expected a TensorFlow function for which to generate a signature, but got {given!r}. Only `tf.functions` with "
                "an input signature or concrete functions can be used as a signature."
            )
        one = traces(one)[0]
    if not isinstance(one, ConcreteFunction):
        raise ValueError(f"Expected a TensorFlow function for which to generate a signature, but got {given!r}.")
    returned = one.structured_outputs
    named = isinstance(returned, Mapping) and all(isinstance(v, Tensor) for v in returned.values())
    flat = [t for t in nest.flatten(returned) if t is not None]
    outputs: Any = dict(returned) if named else {f"output_{i}": t for i, t in enumerate(flat)}
    labels = _labels(one)
    places = dict(zip(labels, one._inputs, strict=True))
    specs = {name: TensorSpec(t.sizes, t.nptype, name) for name, t in sorted(places.items())}
    order = [places[name] for name in specs]
    parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in specs]
    signature = inspect.Signature(parameters)
    return ConcreteFunction(one.graph, f"signature_{one.name}", order, outputs, ((), specs), list(specs), signature)


def _labels(one: ConcreteFunction) -> list[str]:
    """Return the names of the inputs, each another."""
    found: list[str] = []
    for label in one._labels:
        name = label if label.isidentifier() else f"input_{len(found)}"
        count = 1
        while name in found:
            name, count = f"{label}_{count}", count + 1
        found.append(name)
    return found


def load(export_dir: str | os.PathLike[str], tags: str | Sequence[str] | None = None, options: LoadOptions | None = None) -> Any:
    """Return what `save` saved: its variables, its functions, and what it held, as attributes; ``signatures`` by name.

    Nothing is executed; functions are lists of operations that this library has. They are differentiable, to any order.

    Raises:
        OSError: if there is none.
        DataLossError: if the file is damaged, or tells what is none; it names the file.
    """
    folder = os.fspath(export_dir)
    path = os.path.join(folder, FILE)
    if not of_first(os.path.isfile(path)):
        other = os.path.join(folder, "saved_model.pb")
        more = (
            f" There is {other}, which TensorFlow wrote: its functions are not read, and its variables are by "
            f"tf.train.load_checkpoint({os.path.join(folder, 'variables', 'variables')!r})."
        )
        raise OSError(f"SavedModel file does not exist at: {path}.{more if os.path.isfile(other) else ''}")
    try:
        with file_of_first(path) as here:
            arrays, texts = archive.load(here)
    except NotFoundError as error:
        raise OSError(f"SavedModel file does not exist at: {error}") from None
    try:
        told = json.loads(texts[TOLD])
        if told["format"] != FORMAT:
            raise ValueError(f"it is of version {told['format']!r:.20} of the format, and this Wengert knows version {FORMAT}")
        with init_scope():
            reading = Reading(told, arrays)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, OpError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else f"{type(error).__name__}: {error}"
        raise DataLossError(f"{path} is no saved model, or it is damaged: {what}") from None
    root = reading.root
    if not isinstance(root, Loaded):
        holder = Loaded(type(root).__name__)
        holder.root = root
        root = holder
    root.signatures = reading.signatures
    return root


def contains_saved_model(export_dir: str | os.PathLike[str]) -> bool:
    """Return whether a folder holds what `save` saved."""
    return os.path.isfile(os.path.join(os.fspath(export_dir), FILE))
