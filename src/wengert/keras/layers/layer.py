"""`Layer`: weights, and a function of tensors that uses them. `Input`: what functional models begin with."""

from __future__ import annotations

import inspect
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.functions import array
from wengert.ground import nest, shapes
from wengert.ground.context import default_session, state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike
from wengert.keras import constraints, dtype_policies, initializers, registry, regularizers, symbolic
from wengert.keras.configuration import standardize_dtype
from wengert.keras.variable import Variable
from wengert.modes.module import Module
from wengert.modes.variable import Variable as AnyVariable
from wengert.tensor.tensor import Nested, SymbolicTensor, Tensor, TensorLike, cast, convert

__all__ = ["Input", "InputLayer", "InputSpec", "Layer", "calls"]


class _Calls(threading.local):
    """The calls of layers that are going on in a thread."""

    training: Any = None
    outermost: Any = None


calls = _Calls()


class InputSpec:
    """What a layer needs to be true of its input: its number of axes, and the sizes of some."""

    def __init__(
        self, dtype: DtypeLike | None = None, shape: Any = None, ndim: int | None = None, max_ndim: int | None = None,
        min_ndim: int | None = None, axes: Mapping[int, int] | None = None, allow_last_axis_squeeze: bool = False,
        name: str | None = None, optional: bool = False,
    ) -> None:  # fmt: skip
        """Take the conditions."""
        self.dtype, self.shape, self.name = dtype, shape, name
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        if shape is not None:
            self.axes |= {i: s for i, s in enumerate(shape) if s is not None}

    def check(self, x: Any, layer: Any) -> None:
        """Raise ValueError for an input that does not fit."""
        sizes = x.sizes
        if sizes is None:
            return
        rank, why = len(sizes), ""
        if self.ndim is not None and rank != self.ndim:
            why = f"expected ndim={self.ndim}, found ndim={rank}"
        elif self.min_ndim is not None and rank < self.min_ndim:
            why = f"expected min_ndim={self.min_ndim}, found ndim={rank}"
        elif self.max_ndim is not None and rank > self.max_ndim:
            why = f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        else:
            for axis, size in self.axes.items():
                if -rank <= axis < rank and sizes[axis] is not None and size is not None and sizes[axis] != size:
                    why = f"expected axis {axis} of input shape to have value {size}"
        if why:
            raise ValueError(
                f'Input 0 of layer "{layer.name}" is incompatible with the layer: {why}, but received an input of shape '
                f"{shapes.text(sizes)}."
            )


_PLAIN = (str, int, float, bool, bytes, type(None), np.ndarray, Tensor)


def members(thing: Any, skip: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    """Iterate over the variables and modules among an object's attributes, containers too, in the order they were set."""
    for key, value in vars(thing).items():
        if not isinstance(value, _PLAIN) and key not in skip:
            yield from _leaves(key, value)


def _leaves(path: str, value: TensorLike) -> Iterator[tuple[str, Any]]:
    if isinstance(value, AnyVariable | Module):
        if not hasattr(value, "apply_gradients"):
            yield path, value
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            if not isinstance(item, _PLAIN):
                yield from _leaves(f"{path}.{i}", item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(item, _PLAIN):
                yield from _leaves(f"{path}.{key}", item)


def shape_of(value: TensorLike | None) -> Any:
    """Return the shape of a tensor as a tuple, and of tensors in a structure, a structure of them."""
    if isinstance(value, Tensor | AnyVariable):
        return value.sizes
    if isinstance(value, list | tuple):
        return [shape_of(v) for v in value]
    if isinstance(value, Mapping):
        return {k: shape_of(v) for k, v in value.items()}
    return None


def as_sizes(shape: Any) -> tuple[int | None, ...]:
    """Return a shape given as an integer, a sequence or a TensorShape as a tuple."""
    if isinstance(shape, int | np.integer):
        return (int(shape),)
    sizes = shapes.as_shape(shape)
    if sizes is None:
        raise ValueError(f"The number of axes must be known; the shape given is {shape!r}.")
    return tuple(sizes)


_NAME_FIRST = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
_NAME_LAST = ("shape", "initializer", "dtype", "trainable", "autocast", "regularizer", "constraint", "aggregation", "name")


class Layer(Module):
    """Weights, and a function of tensors (``call``) that uses them.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...
    ...     def call(self, x):
    ...         return self.factor * x
    >>> layer = Scale()
    >>> layer(np.array([[1.0, 2.0]])).numpy(), [w.name for w in layer.weights]
    (array([[1., 2.]], dtype=float32), ['factor'])
    """

    _UNTRACKED: tuple[str, ...] = ()
    supports_masking = False
    input_spec: Any = None
    activity_regularizer: Any = None
    _parameters: ClassVar[dict[type, tuple[int | None, Any]]] = {}
    _weights: list[Any]
    _losses: list[Any]
    _lost_in: Any
    _node: Any
    _given_weights: Any
    _given_sizes: Any

    def __new__(cls, *arguments: Any, **keywords: Any) -> Any:
        """Make the lists that weights are entered in, before a subclass sets its first attribute."""
        self = super().__new__(cls)
        self._weights = []
        self._losses = []
        self._lost_in = None
        self._built = False
        self._trainable = True
        self._node = None
        self._given_weights = None
        self._given_sizes = None
        self._name = ""
        self._policy = dtype_policies.get(None)
        self._nptype = as_dtype(self._policy.compute_dtype).numpy
        self.autocast = True
        return self

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **keywords: Any,
    ) -> None:
        """Take what all layers take; ``input_shape``, ``input_dim`` and ``batch_input_shape`` say what comes in.

        Raises:
            TypeError: for another keyword.
        """
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{type(self).__name__}: the name must be a string, not {name!r}.")
        if "input_dim" in keywords:
            keywords["input_shape"] = (keywords.pop("input_dim"),)
        if "input_shape" in keywords:
            given = keywords.pop("input_shape")
            self._given_sizes = None if given is None else (None, *as_sizes(given))
        for key in ("batch_input_shape", "batch_shape"):
            if key in keywords:
                self._given_sizes = as_sizes(keywords.pop(key))
        self._given_weights = keywords.pop("weights", None)
        keywords.pop("dynamic", None)
        if keywords:
            raise TypeError(f"{type(self).__name__}: unrecognized keyword arguments: {', '.join(map(repr, keywords))}.")
        self._name = name or registry.auto_name(registry.snake_case(type(self).__name__))
        self._trainable = bool(trainable)
        self.dtype_policy = dtype
        self.autocast = bool(autocast)
        self.activity_regularizer = regularizers.get(activity_regularizer)

    # --- what it is --------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name: the class's in lower case by default, with a number where it is taken."""
        if not self._name:
            self._name = registry.auto_name(registry.snake_case(type(self).__name__))
        return self._name

    @property
    def path(self) -> str:
        """The name."""
        return self.name

    @property
    def dtype_policy(self) -> Any:
        """What the layer computes in, and keeps its weights in."""
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, value: TensorLike) -> None:
        self._policy = dtype_policies.get(value)
        self._nptype = as_dtype(self._policy.compute_dtype).numpy

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return str(self._policy.variable_dtype)

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that inputs are cast to."""
        return str(self._policy.compute_dtype)

    input_dtype = compute_dtype

    @property
    def built(self) -> bool:
        """Whether the weights are made; may be set."""
        return self._built

    @built.setter
    def built(self, value: bool) -> None:
        self._built = bool(value)

    @property
    def trainable(self) -> bool:
        """Whether the weights are given to optimizers; may be set, for all layers within too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._weights:
            if getattr(variable, "_declared", False):
                variable._trainable = self._trainable
        for _, item in members(self, self._UNTRACKED):
            if isinstance(item, Layer):
                item.trainable = value

    # --- weights -----------------------------------------------------------------------------------------------

    def add_weight(self, *arguments: Any, **keywords: Any) -> Any:
        """Make a weight: ``add_weight(shape, initializer, dtype, trainable, ..., name)``, or the name first.

        Keywords: shape, initializer ("glorot_uniform" for floats, else zeros), dtype, trainable, autocast, regularizer,
        constraint, aggregation, synchronization, name.
        """
        # Keras 2 has the name first, Keras 3 last.
        named = bool(arguments) and (arguments[0] is None or isinstance(arguments[0], str))
        order = _NAME_FIRST if named else _NAME_LAST
        if len(arguments) > len(order):
            raise TypeError(f"add_weight: {len(arguments)} arguments by position are too many.")
        for key, value in zip(order, arguments, strict=False):
            if key in keywords:
                raise TypeError(f"add_weight: {key} is given twice.")
            keywords[key] = value
        return self._add_weight(**keywords)

    def _add_weight(
        self,
        shape: ShapeLike | None = None,
        initializer: Any = None,
        dtype: DtypeLike | None = None,
        trainable: bool | None = None,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: Any = None,
        synchronization: Any = None,
        name: str | None = None,
        overwrite_with_gradient: bool = False,
        layout: Any = None,
        use_resource: Any = None,
        experimental_autocast: Any = None,
        collections: Any = None,
        partitioner: Any = None,
    ) -> Any:
        kind = standardize_dtype(dtype) if dtype is not None else self.dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in kind else "zeros"
        label = name or f"variable_{len(self._weights)}" if self._weights or name else "variable"
        variable = Variable(
            initializers.get(initializer),
            shape=() if shape is None else as_sizes(shape),
            dtype=kind,
            trainable=self._trainable if trainable is None else bool(trainable),
            name=label,
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
            path=f"{self.name}/{label}".replace(" ", "_"),
        )
        variable._declared = trainable is None or bool(trainable)
        variable._trainable = variable._declared and self._trainable
        self._weights.append(variable)
        return variable

    add_variable = add_weight

    def _own(self) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
        """Return the variables and the modules among the attributes."""
        variables: list[tuple[str, Any]] = []
        modules: list[tuple[str, Any]] = []
        for path, item in members(self, self._UNTRACKED):
            (variables if isinstance(item, AnyVariable) else modules).append((path, item))
        return variables, modules

    def _named_weights(self) -> Iterator[tuple[str, Any, bool]]:
        """Iterate over (path, variable, whether all layers around it are trainable): own ones first, each once."""
        seen: set[int] = set()
        pending: list[tuple[str, Any, bool]] = [("", self, True)]
        while pending:
            prefix, thing, free = pending.pop()
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if not isinstance(thing, Layer):
                for i, v in enumerate(thing.variables):
                    if id(v) not in seen:
                        seen.add(id(v))
                        yield f"{prefix}{i}", v, free
                continue
            free = free and thing._trainable
            variables, modules = thing._own()
            labels = {id(v): path for path, v in reversed(variables) if not path.startswith("_weights.")}
            for trainable in (True, False):
                for path, v in variables:
                    if getattr(v, "_declared", v.trainable) is trainable and id(v) not in seen:
                        seen.add(id(v))
                        yield f"{prefix}{labels.get(id(v), path)}", v, free
            pending += [(f"{prefix}{path.removeprefix('_')}.", module, free) for path, module in reversed(modules)]

    @property
    def weights(self) -> list[Any]:
        """All variables: for each layer its own, the trainable ones first, then those of the layers within."""
        return [v for _, v, _ in self._named_weights()]

    @property
    def variables(self) -> Any:
        """All variables."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that optimizers are given."""
        return [v for _, v, free in self._named_weights() if free and v.trainable]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other variables."""
        return [v for _, v, free in self._named_weights() if not (free and v.trainable)]

    @property
    def trainable_variables(self) -> Any:
        """The variables that optimizers are given."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> Any:
        """The other variables."""
        return self.non_trainable_weights

    def get_weights(self) -> list[Any]:
        """Return the values of all variables as NumPy arrays."""
        if state.graph is not None and not state.graph.building_function:
            return list(default_session(None).run(self.weights))
        return [np.array(v.array) for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set the values of all variables.

        Raises:
            ValueError: where their number or a shape does not fit; nothing is changed then.
        """
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f'Layer "{self.name}": set_weights() was given {len(weights)} arrays, and there are {len(variables)} weights.'
            )
        values = [np.asarray(w) for w in weights]
        for variable, value in zip(variables, values, strict=True):
            if not shapes.fits(variable.sizes, value.shape):
                raise ValueError(
                    f'Layer "{self.name}": the weight {variable.name} has shape {shapes.text(variable.sizes)}, and the array '
                    f"given for it has shape {value.shape}."
                )
        for variable, value in zip(variables, values, strict=True):
            put(variable, value)

    def count_params(self) -> int:
        """Return how many numbers all weights hold.

        Raises:
            ValueError: before they are made.
        """
        if not self._built and not self.weights:
            raise ValueError(f'Layer "{self.name}" has no weights yet: build it, or call it with something.')
        return sum(math.prod(v.sizes) for v in self.weights)

    # --- layers within -----------------------------------------------------------------------------------------

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """Return the layers within, each once."""
        found: dict[int, Any] = {id(self): self}
        pending: list[Any] = [self]
        while pending:
            layer = pending.pop(0)
            for _, item in members(layer, getattr(layer, "_UNTRACKED", ())):
                if isinstance(item, Module) and id(item) not in found:
                    found[id(item)] = item
                    if recursive:
                        pending.append(item)
        return [m for m in found.values() if isinstance(m, Layer) and (include_self or m is not self)]

    @property
    def submodules(self) -> Any:
        """All layers within."""
        return tuple(self._flatten_layers(include_self=False))

    def _walk(self) -> Iterator[Any]:
        yield from self.weights
        yield from self._flatten_layers(include_self=False)

    # --- losses ------------------------------------------------------------------------------------------------

    def add_loss(self, losses: Any, inputs: Nested | None = None) -> None:
        """Add to the loss of the model that this call is a part of: a tensor or several, or a function that returns one."""
        if self._lost_in is not calls.outermost:
            self._losses = [one for one in self._losses if callable(one)]
            self._lost_in = calls.outermost
        self._losses.extend(losses if isinstance(losses, list | tuple) else [losses])

    @property
    def losses(self) -> list[Any]:
        """What regularizers and `add_loss` add to the loss, of this layer and those within."""
        found: list[Any] = []
        for layer in self._flatten_layers():
            found.extend(one() if callable(one) else one for one in layer._losses)
        for variable in self.trainable_weights:
            if getattr(variable, "regularizer", None) is not None:
                found.append(variable.regularizer(variable))
        return found

    # --- calling -----------------------------------------------------------------------------------------------

    def build(self, input_shape: ShapeLike) -> None:
        """Make the weights for an input of this shape."""
        self._built = True

    def call(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the layer's value; subclasses say what it is."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

    def _training_parameter(self) -> tuple[int | None, Any]:
        """Return the position of call's parameter ``training`` (-1: by keyword alone, None: it has none) and its default."""
        known = Layer._parameters.get(type(self))
        if known is None:
            position, default = None, None
            parameters = list(inspect.signature(type(self).call).parameters.values())[1:]
            for i, parameter in enumerate(parameters):
                if parameter.name == "training":
                    position = -1 if parameter.kind is parameter.KEYWORD_ONLY else i
                    default = None if parameter.default is parameter.empty else parameter.default
            known = Layer._parameters[type(self)] = (position, default)
        return known

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Build the weights if there are none yet, cast floats to the layer's dtype, and call."""
        symbolically = False
        if len(arguments) == 1 and isinstance(arguments[0], Tensor):
            x = arguments[0]
            if self.autocast and x.nptype is not self._nptype and x.nptype.kind == "f":
                arguments = (cast(x, self._nptype),)
            symbolically = x.__class__ is SymbolicTensor and x.node.graph.__class__ is symbolic.KerasGraph
        elif arguments or keywords:
            arguments = tuple([self._converted(a, i == 0) for i, a in enumerate(arguments)])
        if keywords:
            keywords = {k: v if k == "training" else self._converted(v) for k, v in keywords.items()}
        if not symbolically and (len(arguments) != 1 or keywords or nest.is_nested(arguments[0])):
            symbolically = any(symbolic.is_keras_tensor(v) for v in nest.flatten([list(arguments), keywords]))
        if not self._built:
            self._build_for(arguments, keywords)
        if self.input_spec is not None and arguments:
            self._check(arguments[0])
        if symbolically:
            return symbolic.enter(self, arguments, keywords)
        before, outermost = calls.training, calls.outermost
        position, default = self._training_parameter()
        if "training" in keywords:
            training = keywords.pop("training")
        elif position is not None and 0 <= position < len(arguments):
            training, arguments = arguments[position], (*arguments[:position], *arguments[position + 1 :])
        else:
            training = None
        if training is None:
            training = default if before is None else before
        if position is not None:
            keywords["training"] = training
        calls.training = training
        if outermost is None:
            calls.outermost = object()
        try:
            result = self.call(*arguments, **keywords)
            if self.activity_regularizer is not None:
                for one in nest.flatten(result):
                    rows = array.cast(array.shape(one)[0], one.dtype)
                    self.add_loss(self.activity_regularizer(one) / rows)
        finally:
            calls.training, calls.outermost = before, outermost
        return result

    def _converted(self, value: Nested, first: bool = False) -> Any:
        """Return arrays (and, as the first argument, lists of numbers) as tensors, and floats in the layer's dtype."""
        if isinstance(value, Tensor):
            return cast(value, self._nptype) if self.autocast and value.nptype.kind == "f" else value
        if isinstance(value, AnyVariable):
            return self._converted(value._as_tensor())
        if isinstance(value, np.ndarray | np.generic):
            value = np.asarray(value)
            if value.dtype.kind == "O":
                return value
            tensor = convert(value)
            return cast(tensor, self._nptype) if self.autocast and tensor.nptype.kind == "f" else tensor
        if isinstance(value, list | tuple) and first and value and _numbers(value):
            return self._converted(np.asarray(value))
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            return type(value)([self._converted(v) for v in value])
        if isinstance(value, dict):
            return {k: self._converted(v) for k, v in value.items()}
        return value

    def _check(self, x: TensorLike) -> None:
        specs = self.input_spec if isinstance(self.input_spec, list | tuple) else [self.input_spec]
        for spec, one in zip(specs, nest.flatten(x), strict=False):
            if isinstance(spec, InputSpec) and isinstance(one, Tensor):
                spec.check(one, self)

    def _build_for(self, arguments: Any, keywords: Any) -> None:
        first = arguments[0] if arguments else next(iter(keywords.values()), None)
        self._build_once(shape_of(first))

    def _build_once(self, input_shape: ShapeLike) -> None:
        """Make the weights, outside of whatever tape is open."""
        observers, state.observers = state.observers, ()
        try:
            self.build(input_shape)
        finally:
            state.observers = observers
        self._built = True
        if self._given_weights is not None:
            given, self._given_weights = self._given_weights, None
            self.set_weights(given)

    def compute_output_shape(self, input_shape: ShapeLike) -> Any:
        """Return the shape of the result for an input of this shape."""
        if isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], list | tuple):
            given: Any = [symbolic.place(as_sizes(s), self._nptype, None, "input") for s in input_shape]
        else:
            given = symbolic.place(as_sizes(input_shape), self._nptype, None, "input")
        return shape_of(self(given))

    # --- where it stands in a functional model -----------------------------------------------------------------

    def _called(self) -> Any:
        if self._node is None:
            raise AttributeError(f'The layer "{self.name}" has not been called with what Input() returns.')
        return self._node

    @property
    def input(self) -> Any:
        """What it was called with in a functional model, the last time."""
        inputs = self._called().inputs
        return inputs[0] if len(inputs) == 1 else list(inputs)

    @property
    def output(self) -> Any:
        """What it returned in a functional model, the last time."""
        outputs = self._called().outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    @property
    def input_shape(self) -> Any:
        """The shape of `input`."""
        return shape_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of `output`."""
        return shape_of(self.output)

    # --- configuration -----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it: name, trainable and dtype; subclasses add theirs."""
        return {"name": self.name, "trainable": self._trainable, "dtype": self._policy.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make one from its arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        """Show class and name."""
        return f"<{type(self).__name__} name={self.name}, built={self._built}>"


def _numbers(value: TensorLike) -> bool:
    """Whether a nested list holds plain numbers: its first leaf tells."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, int | float | np.generic) and not isinstance(value, bool)


def put(variable: Any, value: TensorLike) -> None:
    """Set a variable's value: at once, in the session at work where it belongs to a TensorFlow 1 graph."""
    if variable._graph is not None:
        variable.load(value)
    else:
        before, state.graph = state.graph, None
        try:
            variable.assign(np.asarray(value).astype(variable.nptype))
        finally:
            state.graph = before


class InputLayer(Layer):
    """What a model begins with: it holds the shape and dtype of an input."""

    def __init__(
        self,
        shape: ShapeLike | Tensor | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: Any = None,
        batch_shape: ShapeLike | Tensor | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        input_shape: ShapeLike | None = None,
        batch_input_shape: Any = None,
        ragged: Any = None,
        **keywords: Any,
    ) -> None:
        """Take a shape without its first axis (``shape`` or ``input_shape``), or with it (``batch_shape``).

        Raises:
            ValueError: without any shape, and for sparse inputs.
        """
        if sparse or ragged:
            raise ValueError("Input: sparse and ragged tensors are not served.")
        super().__init__(name=name or registry.auto_name("input_layer"), **keywords)
        shape = input_shape if shape is None else shape
        batch_shape = batch_input_shape if batch_shape is None else batch_shape
        if input_tensor is not None and shape is None and batch_shape is None:
            batch_shape = input_tensor.shape
            dtype = input_tensor.dtype if dtype is None else dtype
        if batch_shape is None and shape is None:
            raise ValueError("Input: pass a `shape`, the sizes of one row, for instance Input(shape=(2,)).")
        self._sizes = as_sizes(batch_shape) if batch_shape is not None else (batch_size, *as_sizes(shape))
        self._input_dtype = standardize_dtype(dtype)
        self._tensor: Any = None
        self._built = True

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape with its first axis."""
        return self._sizes

    @property
    def dtype(self) -> str:
        """The dtype of the input."""
        return self._input_dtype

    @property
    def tensor(self) -> Any:
        """The symbolic input."""
        if self._tensor is None:
            self._tensor = symbolic.place(self._sizes, as_dtype(self._input_dtype).numpy, self, self.name)
        return self._tensor

    input = output = tensor

    @property
    def output_shape(self) -> Any:
        """The shape."""
        return self._sizes

    input_shape = output_shape

    def call(self, x: TensorLike) -> Any:
        """Return the input."""
        return x

    def get_config(self) -> dict[str, Any]:
        """Return shape, dtype and name."""
        return {"batch_shape": list(self._sizes), "dtype": self._input_dtype, "name": self.name}


def Input(
    shape: ShapeLike | None = None,
    batch_size: int | None = None,
    dtype: DtypeLike | None = None,
    sparse: Any = None,
    batch_shape: ShapeLike | None = None,
    name: str | None = None,
    tensor: TensorLike | None = None,
    optional: bool = False,
    ragged: Any = None,
    type_spec: Any = None,
) -> Any:
    """Return a symbolic input, which functional models begin with: of rows of a shape.

    >>> x = Input((2,))
    >>> x.shape, (2.0 * x).dtype
    (TensorShape([None, 2]), tf.float32)
    """
    if type_spec is not None:
        batch_shape, dtype = type_spec.shape, type_spec.dtype
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, batch_shape=batch_shape, input_tensor=tensor,
        name=name, ragged=ragged,
    )  # fmt: skip
    return layer.tensor
