"""``keras.Model``: of inputs and outputs, or a subclass with ``call``. ``keras.Sequential``: layers one after another."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.ground import nest
from wengert.ground.displayed import displayed
from wengert.ground.dtypes import DtypeLike
from wengert.ground.interrupt import undivided
from wengert.ground.shapes import ShapeLike
from wengert.keras import architecture, layers, masks, registry, symbolic, weights
from wengert.keras.compiled import Compiled
from wengert.keras.inserted import Inserted
from wengert.keras.layers.calling import as_sizes, calls, converted, shape_of
from wengert.keras.layers.given import as_made
from wengert.keras.layers.layer import InputLayer, Layer
from wengert.keras.summaries import layer_rows, show, summarized
from wengert.modes.function import TensorSpec
from wengert.modes.tracing import FuncGraph, tracing
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import Nested, Tensor, TensorLike
from wengert.train.saved import model as saved_model
from wengert.train.saved.objects import Loaded

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


class Model(Inserted):
    """A network: of what `Input` returned and what it became, or of a subclass's ``call``.

    >>> from wengert.keras.layers import Dense, Input
    >>> x = Input((2,))
    >>> model = Model(inputs=x, outputs=Dense(1, kernel_initializer="ones")(2.0 * x))
    >>> model([[1.0, 2.0]]).numpy()
    array([[6.]], dtype=float32)
    """

    _UNTRACKED: tuple[str, ...] = ("_called_as", "_called_with", "_compiled", "_path", "_named", "history")
    _OWN_LAST = True
    _called_with: Any = None  # the shape of what a subclass was called with first
    _layers: list[Any]

    def __new__(cls, *arguments: Any, **keywords: Any) -> Any:
        """Make what training needs, before a subclass sets its first attribute."""
        self = super().__new__(cls, *arguments, **keywords)
        self._compiled = Compiled()
        self._path = None
        self.stop_training = False
        return self

    def __init__(
        self,
        *arguments: Any,
        inputs: Nested | None = None,
        outputs: Nested | None = None,
        trainable: bool = True,
        dtype: DtypeLike | None = None,
        name: str | None = None,
        **keywords: Any,
    ) -> None:
        """Take inputs and outputs for a functional model, nothing in a subclass.

        Raises:
            ValueError: for inputs without outputs, and for what `Input` did not return.
        """
        if len(arguments) > 3:
            raise TypeError(f"Model: {len(arguments)} arguments by position are too many.")
        given = dict(zip(("inputs", "outputs", "name"), arguments, strict=False))
        inputs, outputs, name = given.get("inputs", inputs), given.get("outputs", outputs), given.get("name", name)
        if name is None and type(self) is Model and inputs is not None:
            name = registry.auto_name("functional")
        super().__init__(trainable=trainable, dtype=dtype, name=name, **keywords)
        if (inputs is None) != (outputs is None):
            raise ValueError("Model: give both inputs and outputs, or neither and state call() in a subclass.")
        if inputs is not None:
            self._set_path(inputs, outputs)
        self.autocast = False

    # --- what it is --------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Any]:
        """The layers, those of a functional model in the order of their calls."""
        if self._path is not None:
            return list(self._layers)
        return self._flatten_layers(include_self=False, recursive=False)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return a layer by its name or its place.

        Raises:
            ValueError: if there is none.
        """
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"There is no layer {index}: the model has {len(self.layers)} layers.")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}.")

    def _needed(self) -> Any:
        if self._path is None:
            raise AttributeError(f'The model "{self.name}" has no symbolic inputs: it was not made of what Input() returned.')
        return self._path

    @property
    def inputs(self) -> list[Any]:
        """The symbolic inputs."""
        return list(self._needed().sources)

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs."""
        return list(self._needed().targets)

    @property
    def input(self) -> Any:
        """The symbolic inputs, as they were given."""
        return self._needed().inputs

    @property
    def output(self) -> Any:
        """The symbolic outputs, as they were given."""
        return self._needed().outputs

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [t.node.name for t in self.inputs]

    @property
    def output_names(self) -> list[str] | None:
        """The names of the outputs: of the layers that give them. None for a subclass."""
        if self._path is None:
            return None
        if isinstance(self._path.outputs, Mapping):
            return sorted(self._path.outputs)
        names = [t.node.attrs["layer"].name if "layer" in t.node.attrs else t.node.name for t in self._path.targets]
        return [n if names.count(n) == 1 else f"{n}_{names[:i].count(n)}" for i, n in enumerate(names)]

    # --- calling -----------------------------------------------------------------------------------------------

    def _states_call(self) -> bool:
        return self._path is not None or type(self).call is not Model.call

    def call(self, inputs: Nested, training: bool | None = None, mask: TensorLike | None = None) -> Any:
        """Return the model's value; subclasses say what it is."""
        if self._path is None:
            raise NotImplementedError(
                f"Model {type(self).__name__} does not have a `call()` method implemented, and was given no inputs and outputs."
            )
        return self._path.run(self._values(masks.attach(inputs, mask)))

    def _values(self, inputs: Nested) -> list[Any]:
        """Return what is given for each input, in order and with as many axes as it has."""
        sources = self._path.sources
        if isinstance(inputs, Mapping) and not isinstance(self._path.inputs, Mapping):
            try:
                values = [inputs[t.node.name] for t in sources]
            except KeyError as error:
                raise ValueError(f"The model has the inputs {self.input_names}; {error} is not among what is given.") from None
        else:
            values = [inputs] if isinstance(inputs, Tensor) else nest.flatten(inputs)
        if len(values) != len(sources):
            raise ValueError(f'The model "{self.name}" has {len(sources)} inputs, and {len(values)} are given.')
        for i, (value, source) in enumerate(zip(values, sources, strict=True)):
            if not isinstance(value, Tensor):
                value = values[i] = converted(value, self._nptype if self.autocast else None, True)
            if value.nptype is not source.nptype:
                value = values[i] = array.cast(value, source.dtype)
            if value.sizes is not None and source.sizes is not None:
                if len(value.sizes) == len(source.sizes) - 1 and source.sizes[-1] == 1:
                    values[i] = array.expand_dims(value, -1)
                elif len(value.sizes) != len(source.sizes) or any(
                    a is not None and b is not None and a != b for a, b in zip(value.sizes[1:], source.sizes[1:], strict=True)
                ):
                    raise ValueError(
                        f'Input {i} of model "{self.name}" is incompatible: expected shape {source.shape}, found {value.shape}.'
                    )
        return values

    def build(self, input_shape: ShapeLike | None = None) -> None:
        """Make the weights for inputs of a shape: by calling the model symbolically."""
        if self._built and self._path is not None:
            return
        if type(self).call is not Model.call and input_shape is not None and not _incomplete(input_shape):
            given = _inputs_for(input_shape, self._nptype)
            scratch = FuncGraph(None, "build")
            with tracing(scratch):
                places = nest.map_structure(lambda t: scratch.add_input(t.sizes, t.nptype), given)
                self.call(places)
        self._built = True

    def _build_for(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        if self._path is None and len(arguments) == 1:  # a subclass's layers make their weights when its call comes to them
            self._called_with = shape_of(arguments[0])
            if keywords.keys() <= {"training", "mask"} and all(isinstance(v, Tensor) for v in nest.flatten(arguments[0])):
                specs = [TensorSpec(v.sizes, v.nptype, f"input_{i + 1}") for i, v in enumerate(nest.flatten(arguments[0]))]
                self._called_as = nest.pack_sequence_as(arguments[0], specs)
        if type(self).build is not Model.build and self._path is None:
            super()._build_for(arguments, keywords)
        self._built = True

    def _trackable_children(self) -> dict[str, Any]:
        found = {name: item for name, item in vars(self).items() if name not in self._UNTRACKED}
        return found if self.optimizer is None else {**found, "optimizer": self.optimizer}

    # --- configuration -----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the layers, and how each call of one follows from others.

        Raises:
            TypeError: for a subclass, and where an operation stands between the layers.
        """
        if self._path is None:
            if self._own_arguments is not None:
                return as_made(self, self._own_arguments, {"name": self.name, "trainable": self.trainable})
            raise TypeError(f"{type(self).__name__} says in its program what it is: it has no get_config() of its own.")
        numbers: dict[int, int] = {t.n: i for i, t in enumerate(self._path.sources)}
        steps: list[Any] = []
        places = {id(layer): i for i, layer in enumerate(self._layers)}
        for node in self._path.nodes:
            if node.op is not symbolic.LAYER:
                raise TypeError(
                    f"The operation {node.type} (made at {node.where}) stands between the layers; a file has layers "
                    "alone. Put it into a layer of its own."
                )
            arguments, keywords = node.attrs["structure"]
            if keywords or any(not symbolic.is_keras_tensor(v) for v in node.attrs["leaves"]):
                raise TypeError(f'The layer "{node.attrs["layer"].name}" is called with more than tensors.')
            start = len(numbers)
            steps.append(
                [places[id(node.attrs["layer"])], [nest.map_structure(lambda t: numbers[t.n], a) for a in arguments], start]
            )
            for t in node.outputs:
                numbers[t.n] = len(numbers)
        return {
            "name": self.name,
            "layers": [registry.serialize(layer) for layer in self._layers],
            "inputs": nest.map_structure(lambda t: places[id(t.node.attrs["layer"])], self._path.inputs),
            "calls": steps,
            "outputs": nest.map_structure(lambda t: numbers[t.n], self._path.outputs),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make a functional model of what `get_config` returned."""
        if "calls" not in config:
            return cls(**config)
        made = [_LAYERS.deserialize(one, custom_objects) for one in config["layers"]]
        inputs = nest.map_structure(lambda i: made[i].tensor, config["inputs"])
        numbers: dict[int, Any] = dict(enumerate(nest.flatten(inputs)))
        for place, arguments, start in config["calls"]:
            given = [nest.map_structure(lambda n: numbers[n], a) for a in arguments]
            for i, t in enumerate(nest.flatten(made[place](*given))):
                numbers[start + i] = t
        return cls(inputs=inputs, outputs=nest.map_structure(lambda n: numbers[n], config["outputs"]), name=config.get("name"))

    def to_json(self, **keywords: Any) -> str:
        """Return the architecture as JSON."""
        return json.dumps(registry.serialize(self), **keywords)

    # --- a table -----------------------------------------------------------------------------------------------

    @displayed
    def _repr_html_(self) -> str:
        return summarized(self)

    def summary(
        self, line_length: int | None = None, positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None, expand_nested: bool = False, show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        """Print a table of the layers: their classes, the shapes of what they return, and how many weights they have.

        With branches it also says which tensors each layer is called with; with ``expand_nested`` it shows layers of layers, with
        ``show_trainable`` which are trained. ``layer_range`` names the first and the last.

        Raises:
            ValueError: for a range that names no layers.
        """
        show(self, layer_rows(self, expand_nested, show_trainable, layer_range), show_trainable, line_length, print_fn)


def _incomplete(shape: ShapeLike) -> bool:
    return isinstance(shape, list | tuple) and any(isinstance(s, str) for s in shape)


def _inputs_for(shape: ShapeLike, nptype: np.dtype[Any]) -> Any:
    """Return symbolic inputs for a shape, or for a structure of shapes."""
    if isinstance(shape, Mapping):
        return {k: _inputs_for(v, nptype) for k, v in shape.items()}
    if isinstance(shape, list | tuple) and shape and isinstance(shape[0], list | tuple):
        return [_inputs_for(s, nptype) for s in shape]
    return symbolic.place(as_sizes(shape), nptype, None, "input")


class Sequential(Model):
    """Layers one after another.

    >>> from wengert.keras.layers import Dense
    >>> model = Sequential([Dense(3, activation="tanh", input_shape=(2,)), Dense(1)])
    >>> [w.shape.as_list() for w in model.weights]
    [[2, 3], [3], [3, 1], [1]]
    """

    def __init__(
        self, layers: Sequence[Layer | Tensor] | None = None, trainable: bool = True, name: str | None = None, **keywords: Any
    ) -> None:
        """Take layers, more of which `add` appends."""
        super().__init__(trainable=trainable, name=name or registry.auto_name("sequential"), **keywords)
        self._start: Any = None
        self._layers = []
        for layer in layers if isinstance(layers, list | tuple) else [] if layers is None else [layers]:
            self._append(layer)
        self._rebuild()

    def add(self, layer: Layer | Tensor, rebuild: bool = True) -> None:
        """Append a layer, or first of all what `Input` returned.

        Raises:
            ValueError: for anything else, and for an input that is not the first.
        """
        self._append(layer)
        self._rebuild()

    def _append(self, layer: Any) -> None:
        if symbolic.is_keras_tensor(layer):
            node = layer.node
            layer = node.attrs.get("layer") if node.op is PLACEHOLDER else None
        if isinstance(layer, InputLayer):
            if self._layers or self._start is not None:
                raise ValueError(f'Sequential model "{self.name}" has begun already: an input must come first.')
            self._start = layer
            return
        if isinstance(layer, type) or not isinstance(layer, Layer):
            hint = ": put the function into a Lambda layer" if callable(layer) and not isinstance(layer, type) else ""
            raise ValueError(f"Only layers can be added to a Sequential model, not {layer!r}{hint}.")
        if any(one is layer for one in self._layers):
            raise ValueError(f'The layer "{layer.name}" is in this Sequential model already. Make another.')
        if not self._layers and self._start is None and layer._given_sizes is not None:
            self._start = InputLayer(batch_shape=layer._given_sizes, dtype=layer.compute_dtype)
        elif not self._layers and self._start is None and isinstance(layer, Model) and layer._path and len(layer.inputs) == 1:
            first = layer.inputs[0]
            self._start = InputLayer(batch_shape=first.sizes, dtype=first.dtype.name)
        self._layers.append(layer)

    def _rebuild(self) -> None:
        """Make the weights and the symbolic outputs, where the input is known."""
        self._path = None
        self._compiled.steps = {}
        if self._start is not None and self._layers:
            x = self._start.tensor
            for layer in self._layers:
                x = layer(x)
            self._path = symbolic.Path(self._start.tensor, x)
            self._built = True
        else:
            self._built = False

    def pop(self, rebuild: bool = True) -> Any:
        """Remove the last layer and return it."""
        layer = self._layers.pop()
        self._rebuild()
        return layer

    @property
    def layers(self) -> list[Any]:
        """The layers, without the input."""
        return list(self._layers)

    def build(self, input_shape: ShapeLike | None = None) -> None:
        """Make the weights for an input of this shape, its first axis included."""
        if self._start is None and input_shape is not None:
            sizes = as_sizes(input_shape)
            dtype = self._layers[0].compute_dtype if self._layers else None
            self._start = InputLayer(batch_shape=(None, *sizes[1:]), dtype=dtype)
        self._rebuild()

    def _build_for(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        x = arguments[0] if arguments else None
        if self._start is None and self._layers and isinstance(x, Tensor) and x.sizes is not None and x.nptype.kind in "fiu":
            kind = x.dtype.name if x.nptype.kind in "iu" else self._layers[0].compute_dtype
            self._start = InputLayer(batch_shape=(None, *x.sizes[1:]), dtype=kind)
            try:
                self._rebuild()
            except Exception:
                self._start = None
                raise
        self._built = True

    def call(self, inputs: Nested, training: bool | None = None, mask: TensorLike | None = None) -> Any:
        """Return the last layer's value.

        Raises:
            ValueError: for several inputs, where the shape of one is known.
        """
        x = masks.attach(inputs, mask)
        start = self._start
        if start is not None and nest.is_nested(x):
            given = nest.flatten(x)
            if len(given) != 1:
                raise ValueError(f'The model "{self.name}" has one input, and {len(given)} are given.')
            x = given[0]
        if start is not None and isinstance(x, Tensor) and x.sizes is not None and len(x.sizes) == len(start._sizes) - 1:
            if start._sizes[-1] == 1:
                x = array.expand_dims(x, -1)
        for layer in self._layers:
            x = layer(x)
        return x

    def get_config(self) -> dict[str, Any]:
        """Return the name, the shape of the input, and the layers."""
        config: dict[str, Any] = {"name": self.name, "layers": [registry.serialize(layer) for layer in self._layers]}
        if self._start is not None:
            config["input"] = self._start.get_config()
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one of what `get_config` returned."""
        first = [InputLayer.from_config(config["input"])] if "input" in config else []
        return cls(
            [*first, *(_LAYERS.deserialize(one, custom_objects) for one in config["layers"])],
            name=config.get("name"),
        )


_LAYERS = registry.Registry("layer", {**vars(layers), "Sequential": Sequential, "Functional": Model, "Model": Model})


def clone_model(
    model: Model,
    input_tensors: Nested | None = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    **keywords: Any,
) -> Any:
    """Return a model of the same architecture with new weights."""
    if input_tensors is not None or clone_function is not None:
        raise NotImplementedError("clone_model: input_tensors and clone_function are not served.")
    config = copy.deepcopy(model.get_config())
    return type(model).from_config(config)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model whose architecture `Model.to_json` gave."""
    return _LAYERS.deserialize(json.loads(json_string), custom_objects)


def _known(text: str | None) -> bool:
    """Return whether there is an architecture, of a class that is known by its name."""
    if text is None:
        return False
    name = str(json.loads(text)["class_name"])
    return name in _LAYERS.table or registry.get_registered_object(name) is not None


def _said(error: Exception) -> str:
    """Return what an error says: its kind too, unless it is a sentence already."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error) if isinstance(error, ValueError) and not isinstance(error, json.JSONDecodeError) else repr(error)


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    options: saved_model.LoadOptions | None = None,
) -> Any:
    """Make the model that `save_model` or Keras wrote, of layers that are known by name.

    It is compiled as the file says: with the optimizer and its state, the losses and the metrics. What of these is the program's
    own has to be registered, or to stand in ``custom_objects``; else a warning says so, and the model is not compiled.

    Raises:
        ValueError: where the file is damaged, holds no architecture, or names a class that is not registered.
    """
    return undivided(_loaded, os.fspath(filepath), custom_objects, compile)  # h5py loses signals


class Revived(Model):
    """A model out of a folder whose class this program does not know: what was traced of its call."""

    def __init__(self, found: Loaded, name: str) -> None:
        """Take what was loaded."""
        super().__init__(name=name)
        vars(found).pop("optimizer", None)  # whose variables are none of the model's
        self.found = found

    def call(self, inputs: Nested, training: bool | None = None, mask: TensorLike | None = None) -> Any:
        """Call what was traced."""
        return self.found(inputs, training=bool(training))


def _revived(stored: weights.Stored, compile: bool) -> Any:
    """Return a model out of a folder whose class is not known."""
    told = json.loads(stored.texts[weights.KERAS])
    kind = type(str(told["class"]), (Revived,), {})
    model = kind(saved_model.load(os.path.dirname(stored.path)), str(told["name"]))
    if compile:
        architecture.compiling(model, told.get("compile"), _LAYERS, stored.path)
    return model


def _loaded(path: str, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    with weights.opened(path, "load_model") as stored, registry.custom_object_scope(custom_objects or {}):
        if weights.KERAS in stored.texts and not _known(stored.texts.get("architecture")):
            return _revived(stored, compile)
        if saved_model.TOLD in stored.texts and weights.KERAS not in stored.texts:
            raise ValueError(
                f"Unable to create a Keras model from SavedModel at {path}. This SavedModel was exported with "
                "`tf.saved_model.save`, and lacks what Keras has of a model. Please save your Keras model by calling "
                "`model.save`. Note that you can still load this SavedModel with `tf.saved_model.load`."
            )
        if "architecture" not in stored.texts and stored.architecture is None:
            raise ValueError(f"load_model: {path} holds weights alone: make the model by its program, then load_weights().")
        calls.room = stored.elements()
        try:
            if "architecture" in stored.texts:
                told = json.loads(stored.texts["architecture"])
                model = _LAYERS.deserialize(told)
                if told.get("called_with") is not None and isinstance(model, Model) and not model.built:
                    model.build(told["called_with"])
            else:
                model = architecture.made(stored.architecture or {}, _LAYERS)
            known = isinstance(model, Layer)
            if not known:
                raise ValueError(f"{model!r} is no model")
        except (LookupError, TypeError, AttributeError, ArithmeticError, MemoryError, RecursionError, ValueError) as error:
            raise ValueError(f"load_model: no model can be made of the architecture in {path}: {_said(error)}") from error
        finally:
            calls.room = None
        if compile:
            told = json.loads(stored.texts["architecture"]).get("compile") if "architecture" in stored.texts else stored.compile
            architecture.compiling(model, told, _LAYERS, path)
        weights.place(model, stored.given(model), path)
    return model


save_model = weights.save_model
