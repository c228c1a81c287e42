"""Architectures as Keras writes them, JSON of layers by name: models of layers that exist here are made of it, and it of them.

Only classes that are known by their names, or that the program has registered, are made; no module that a file names is imported.
"""

from __future__ import annotations

import inspect
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from wengert.ground import nest
from wengert.keras import constraints, initializers, losses, metrics, optimizers, registry, regularizers, symbolic
from wengert.keras.compiled import BY_SHAPE
from wengert.keras.layers.layer import InputLayer, Layer

__all__ = ["compiled", "compiling", "described", "made"]

Config = Mapping[str, Any]
"""What JSON holds of an object."""
Key = tuple[str, int, int]
"""Which tensor is meant: a layer by its name, which of its calls, which of the results."""
PASSED = {
    "aggregation", "autocast", "batch_input_shape", "batch_shape", "bias_quantizer", "dynamic", "implementation",
    "input_dim", "input_shape", "is_legacy_optimizer", "jit_compile", "kernel_quantizer", "lora_alpha", "lora_rank",
    "optional", "quantization_config", "ragged", "renorm_momentum", "sparse", "synchronized", "time_major", "use_cudnn",
    "use_legacy_config",
}  # fmt: skip
"""Arguments of Keras' that change no result of a model here; `Layer` takes some of them."""
KNOWN = {
    "keras.initializers": initializers, "keras.regularizers": regularizers, "keras.constraints": constraints,
    "keras.optimizers.schedules": optimizers.schedules, "keras.optimizers": optimizers, "keras.losses": losses,
    "keras.metrics": metrics,
}  # fmt: skip
"""Where the objects that layers and training are configured with come from."""


# --- reading ----------------------------------------------------------------------------------------------------------------


def made(config: Config, table: registry.Registry) -> Any:
    """Return the layer or model of a configuration of Keras 2 or 3; ``table`` has the layers by name.

    Raises:
        ValueError: for a class that is not known, and for an argument that is not served here.
    """
    inner = config["config"]
    cls = _class(config, table)
    if isinstance(inner, Sequence) and not isinstance(inner, str):  # an old Sequential
        inner = {"layers": inner}
    if "layers" in inner and "input_layers" in inner:
        return _functional(inner, cls, table)
    if "layers" in inner and hasattr(cls, "add"):
        return _sequential(inner, cls, table)
    layer = cls.from_config(_arguments(cls, inner, table))
    shape = (config.get("build_config") or {}).get("input_shape")
    if shape is not None and not layer.built and hasattr(layer, "get_layer"):
        layer.build(shape)
    return layer


def _class(config: Config, table: registry.Registry) -> Any:
    for name in (config.get("registered_name"), str(config["class_name"])):
        found = registry.get_registered_object(name) if isinstance(name, str) else None
        if found is not None:
            return found
    if "ops" in str(config.get("module")).split("."):
        raise ValueError(f"the operation {config['class_name']} stands between its layers, which is not read here")
    return table.named(str(config["class_name"]).rpartition(">")[2])


def _accepted(cls: type) -> set[str]:
    """Return the names of the arguments that a class takes, with those that it passes on to the classes that it is made of."""
    found: set[str] = set()
    for one in inspect.getmro(cls):
        made: Any = vars(one).get("__init__")
        if inspect.isfunction(made):
            for name, parameter in inspect.signature(made).parameters.items():
                found.add(name)
                passed = str(parameter.annotation).removeprefix("Unpack[").removesuffix("]")  # a dictionary of keywords
                found |= getattr(made.__globals__.get(passed), "__annotations__", {}).keys()
    return found


def _arguments(cls: type[Any], config: Config, table: registry.Registry) -> dict[str, Any]:
    """Return the arguments of a class, as it takes them.

    Raises:
        ValueError: for one that it does not take, unless it says nothing.
    """
    given = {key: _value(key, value, table) for key, value in config.items()}
    if not str(getattr(cls, "__module__", "")).startswith("wengert."):
        return given  # the program's own
    accepted = _accepted(cls)
    for key in [key for key in given if key not in accepted]:
        value = given.pop(key)
        if value and key not in PASSED:
            raise ValueError(f'{cls.__name__} "{config.get("name", "")}" has {key}={value!r:.80}, which is not served here')
    return given


def _value(key: str, value: Any, table: registry.Registry) -> Any:
    """Return an argument as the classes here take it."""
    if isinstance(value, Mapping):
        kind, inner = value.get("class_name"), value.get("config")
        if kind == "function":
            return str(value.get("registered_name") if isinstance(inner, Mapping) else inner)
        if kind in ("DTypePolicy", "Policy") and isinstance(inner, Mapping):
            return inner["name"]
        if isinstance(kind, str) and isinstance(inner, Mapping):
            cls = next((vars(home)[kind] for home in KNOWN.values() if kind in vars(home)), None) or table.table.get(kind)
            name = value.get("registered_name") or kind
            return {"class_name": name, "config": inner if cls is None else _arguments(cls, inner, table)}
        return {name: _value(name, one, table) for name, one in value.items()}
    if isinstance(value, list):
        return value[0] if key == "axis" and len(value) == 1 else [_value("", one, table) for one in value]
    return value


def _sequential(config: Config, cls: type[Any], table: registry.Registry) -> Any:
    model = cls([made(one, table) for one in config["layers"]], name=config.get("name"))
    if not model.built and config.get("build_input_shape") is not None:
        model.build(config["build_input_shape"])
    return model


class _Call:
    """A call of a layer: the tensors that it waits for."""

    def __init__(self, name: str, number: int, node: Any) -> None:
        self.name, self.number = name, number
        if isinstance(node, Mapping):  # Keras 3
            self.arguments, self.keywords = _keyed(list(node["args"])), _keyed(node.get("kwargs") or {})
        else:
            keys = [(str(one[0]), int(one[1]), int(one[2])) for one in node]
            self.arguments, self.keywords = [_Place(keys[0]) if len(keys) == 1 else [_Place(key) for key in keys]], {}
            extra = node[0][3] if node and len(node[0]) > 3 else {}
            if extra:
                raise ValueError(f'the layer "{name}" is called with {", ".join(extra)}, which is not read here')
        leaves = nest.flatten([self.arguments, self.keywords])
        self.needs = {one.key for one in leaves if isinstance(one, _Place)}

    def filled(self, values: Mapping[Key, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments with the tensors in their places."""
        given, named = nest.map_structure(
            lambda one: values[one.key] if isinstance(one, _Place) else one, [self.arguments, self.keywords]
        )
        return given, named


class _Place:
    """Where a tensor is to stand."""

    def __init__(self, key: Key) -> None:
        self.key = key


def _keyed(value: Any) -> Any:
    """Return arguments with places where a file tells of tensors."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return _Place(_key(value["config"]["keras_history"]))
        return {name: _keyed(one) for name, one in value.items()}
    return [_keyed(one) for one in value] if isinstance(value, list) else value


def _key(told: Sequence[Any]) -> Key:
    return str(told[0]), int(told[1]), int(told[2])


def _functional(config: Config, cls: type[Any], table: registry.Registry) -> Any:
    """Return a model of calls of layers, each made when the tensors are there that it is called with."""
    layers: dict[str, Any] = {}
    values: dict[Key, Any] = {}
    calls: list[_Call] = []
    for one in config["layers"]:
        name = str(one.get("name") or one["config"]["name"])
        layers[name] = layer = made(one, table)
        if isinstance(layer, InputLayer):
            values[name, 0, 0] = layer.tensor
        calls += [_Call(name, i, node) for i, node in enumerate(one.get("inbound_nodes") or ())]
    old = any(isinstance(node, list) for one in config["layers"] for node in one.get("inbound_nodes") or ())
    waiting: dict[Key, list[_Call]] = {}
    left = {id(call): len(call.needs - values.keys()) for call in calls}
    for call in calls:
        for key in call.needs - values.keys():
            waiting.setdefault(key, []).append(call)
    pending = deque(call for call in calls if not left[id(call)])
    while pending:
        call = pending.popleft()
        arguments, keywords = call.filled(values)
        for i, tensor in enumerate(nest.flatten(layers[call.name](*arguments, **keywords))):
            key = (call.name, call.number, i)
            values[key] = tensor
            for other in waiting.pop(key, ()):
                left[id(other)] -= 1
                if not left[id(other)]:
                    pending.append(other)
    ends = {what: _ends(config[f"{what}_layers"], values, old) for what in ("input", "output")}
    return cls(inputs=ends["input"], outputs=ends["output"], name=config.get("name"))


def _ends(told: Any, values: Mapping[Key, Any], old: bool) -> Any:
    """Return a model's inputs or outputs; of Keras 2 one alone stands in a list, too."""
    if isinstance(told, Mapping):
        return {name: _ends(one, values, old) for name, one in told.items()}
    if isinstance(told[0], str):
        key = _key(told)
        if key not in values:
            raise ValueError(f"{key[0]} gives no tensor")
        return values[key]
    found = [_ends(one, values, old) for one in told]
    return found[0] if old and len(found) == 1 else found


def compiling(model: Any, config: Config | None, table: registry.Registry, path: str) -> None:
    """Compile a model as a file says, where what it says exists here; say it where not."""
    if not config:
        return
    try:
        homes = {"loss": losses, "loss_weights": losses, "metrics": metrics, "weighted_metrics": metrics}
        given = {key: _object(config.get(key), table, home) for key, home in homes.items()}
        given |= {key: config[key] for key in ("run_eagerly", "jit_compile") if config.get(key) is not None}
        chosen = config.get("optimizer") or config.get("optimizer_config")
        if isinstance(chosen, Mapping):
            chosen = _value(
                "", {**chosen, "class_name": str(chosen["class_name"]).rpartition(">")[2], "registered_name": None}, table
            )
        model.compile(optimizers.get(chosen), **given)
    except (ValueError, TypeError, LookupError, AttributeError, NotImplementedError) as error:
        warnings.warn(f"{path}: the model is not compiled, as its file says what is not here: {error}", stacklevel=4)


def _object(value: Any, table: registry.Registry, home: ModuleType) -> Any:
    """Return losses or metrics, of names and configurations in any structure; the program's own in place of their names."""
    if isinstance(value, Mapping) and "class_name" in value:
        value = _value("", value, table)
        if not isinstance(value, str):
            return home.deserialize(value)
    if isinstance(value, str):
        own = registry.get_registered_object(value)
        if own is None and not (home is metrics and value in BY_SHAPE):
            home.get(value)  # which says what is not known
        return own or value
    if isinstance(value, Mapping):
        return {name: _object(one, table, home) for name, one in value.items()}
    return [_object(one, table, home) for one in value] if isinstance(value, list) else value


# --- writing ----------------------------------------------------------------------------------------------------------------


def described(model: Any) -> dict[str, Any]:
    """Return what Keras 3 makes the model of.

    Raises:
        TypeError: for a subclass, and where an operation stands between the layers.
    """
    path, name = model._path, model.name
    if hasattr(model, "_start"):
        inputs = [] if model._start is None else [model._start]
        inner = {"name": name, "trainable": model.trainable, "layers": [_described(layer) for layer in (*inputs, *model.layers)]}
        told = {"module": "keras", "class_name": "Sequential", "config": inner, "registered_name": None}
        return told if model._start is None else {**told, "build_config": {"input_shape": list(model._start.batch_shape)}}
    if path is None:
        told = _own(model)
        return told if model._called_with is None else {**told, "build_config": {"input_shape": model._called_with}}
    model.get_config()  # which says what stands in the way
    keys: dict[int, Key] = {t.n: (_input(t), 0, 0) for t in path.sources}
    nodes: dict[str, list[Any]] = {}
    for node in path.nodes:
        layer = node.attrs["layer"]
        there = nodes.setdefault(layer.name, [])
        arguments, keywords = node.attrs["structure"]
        there.append({"args": _told(list(arguments), keys), "kwargs": _told(dict(keywords), keys)})
        keys |= {t.n: (layer.name, len(there) - 1, i) for i, t in enumerate(node.outputs)}
    layers = [{**_described(one), "name": one.name, "inbound_nodes": nodes.get(one.name, [])} for one in model.layers]
    ends = {f"{what}_layers": nest.map_structure(lambda t: list(keys[t.n]), tensors) for what, tensors in
            (("input", path.inputs), ("output", path.outputs))}  # fmt: skip
    inner = {"name": name, "trainable": model.trainable, "layers": layers, **ends}
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": inner, "registered_name": "Functional"}


def _input(tensor: Any) -> str:
    return str(tensor.node.attrs["layer"].name)


def _told(value: Any, keys: Mapping[int, Key]) -> Any:
    """Return arguments as JSON can hold them."""
    if symbolic.is_keras_tensor(value):
        config = {"shape": list(value.sizes), "dtype": value.dtype.name, "keras_history": list(keys[value.n])}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, Mapping):
        return {name: _told(one, keys) for name, one in value.items()}
    return [_told(one, keys) for one in value] if isinstance(value, list | tuple) else value


def _described(layer: Layer) -> dict[str, Any]:
    """Return what Keras 3 makes a layer of."""
    if hasattr(layer, "_path"):
        return described(layer)
    return _own(layer)


def _own(layer: Layer) -> dict[str, Any]:
    """Return what makes a layer, or a subclass of a model, by its class and its configuration."""
    cls, registered = type(layer), registry.get_registered_name(type(layer))
    own = str(cls.__module__).startswith("wengert.")
    return {
        "module": "keras.layers" if own else cls.__module__, "class_name": cls.__name__,
        "config": {key: _named(value) for key, value in layer.get_config().items()},
        "registered_name": None if own else registered,
    }  # fmt: skip


def _named(value: Any) -> Any:
    """Return an argument with the modules that Keras knows its objects by."""
    if isinstance(value, Mapping):
        found = {name: _named(one) for name, one in value.items()}
        if "class_name" in value and "config" in value:
            homes = [name for name, home in KNOWN.items() if value["class_name"] in vars(home)]
            return {"module": homes[0] if homes else "keras.layers", **found, "registered_name": None}
        return found
    return [_named(one) for one in value] if isinstance(value, list | tuple) else value


def compiled(model: Any) -> dict[str, Any] | None:
    """Return what a model was compiled with, None where JSON cannot hold it."""
    held = model._compiled
    if held.optimizer is None:
        return None
    measured = {"metrics": None, "weighted_metrics": None} if held.together is None else held.together.given
    given = {"optimizer": held.optimizer, "loss": held.loss, "loss_weights": held.loss_weights, **measured}
    try:
        told = {key: _named(registry.serialize(value)) for key, value in given.items()}
    except TypeError:  # a function without a name
        return None
    return {**told, "run_eagerly": held.run_eagerly, "jit_compile": held.jit_compile}
