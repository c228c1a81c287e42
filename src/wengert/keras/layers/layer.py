"""`Layer`: weights, and a function of tensors that uses them. `Input`: what functional models begin with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Unpack

from wengert.functions import array
from wengert.ground import nest, shapes
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike
from wengert.keras import constraints, dtype_policies, initializers, masks, registry, regularizers, symbolic
from wengert.keras.configuration import standardize_dtype
from wengert.keras.dtype_policies import PolicyLike
from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.calling import as_sizes, calls, converted, shape_of, told, training_parameter
from wengert.keras.layers.given import Given, as_made
from wengert.keras.layers.keywords import FirstKeywords
from wengert.keras.layers.measured import Measured
from wengert.keras.layers.placed import Placed
from wengert.keras.registry import Identifier
from wengert.keras.variable import Variable
from wengert.modes.function import TensorSpec
from wengert.tensor.tensor import Nested, SymbolicTensor, Tensor, TensorLike

__all__ = ["Input", "InputLayer", "InputSpec", "Layer"]


class InputSpec:
    """What a layer needs to be true of its input: its number of axes, and the sizes of some."""

    def __init__(
        self, dtype: DtypeLike | None = None, shape: Sequence[int | None] | None = None, ndim: int | None = None,
        max_ndim: int | None = None, min_ndim: int | None = None, axes: Mapping[int, int] | None = None,
        allow_last_axis_squeeze: bool = False, name: str | None = None, optional: bool = False,
    ) -> None:  # fmt: skip
        """Take the conditions."""
        self.dtype, self.shape, self.name = dtype, shape, name
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        if shape is not None:
            self.axes |= {i: s for i, s in enumerate(shape) if s is not None}

    def check(self, x: Tensor, layer: Layer) -> None:
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


def _check(layer: Layer, x: Nested) -> None:
    specs = layer.input_spec if isinstance(layer.input_spec, list | tuple) else [layer.input_spec]
    for spec, one in zip(specs, nest.flatten(x), strict=False):
        if isinstance(spec, InputSpec) and isinstance(one, Tensor):
            spec.check(one, layer)


_NAME_FIRST = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
_NAME_LAST = ("shape", "initializer", "dtype", "trainable", "autocast", "regularizer", "constraint", "aggregation", "name")
_IGNORED = {"aggregation", "autocast", "collections", "experimental_autocast", "layout", "overwrite_with_gradient", "partitioner",
            "synchronization", "use_resource"}  # fmt: skip


def _coming(keywords: FirstKeywords) -> Any:
    """Take out of the keywords, and return, the shape of what comes in; None where none of them says it."""
    sizes = None
    if "input_dim" in keywords:
        keywords["input_shape"] = (keywords.pop("input_dim"),)
    if "input_shape" in keywords:
        given = keywords.pop("input_shape")
        sizes = None if given is None else (None, *as_sizes(given))
    for key in ("batch_input_shape", "batch_shape"):
        if key in keywords:
            sizes = as_sizes(keywords.pop(key))
    return sizes


class Layer(Measured, Placed, registry.Stated):
    """Weights, and a function of tensors (``call``) that uses them.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...
    ...     def call(self, x):
    ...         return self.factor * x
    >>> layer = Scale()
    >>> layer([[1.0, 2.0]]).numpy(), [w.name for w in layer.weights]
    (array([[1., 2.]], dtype=float32), ['factor'])
    """

    _arguments: ClassVar[tuple[str, ...] | None] = ()
    supports_masking = False
    input_spec: Any = None
    activity_regularizer: Any = None
    _lost_in: Any
    _given_weights: Any
    _given_sizes: Any
    _own_arguments: Given | None

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
        self._own_arguments = None if cls.__module__.startswith("wengert.") else Given(arguments, keywords)
        if cls.compute_mask is not Layer.compute_mask:
            self.supports_masking = True
        return self

    def __init__(
        self,
        *,
        activity_regularizer: Identifier = None,
        trainable: bool = True,
        dtype: PolicyLike = None,
        autocast: bool = True,
        name: str | None = None,
        **keywords: Unpack[FirstKeywords],
    ) -> None:
        """Take what all layers take; ``input_shape``, ``input_dim`` and ``batch_input_shape`` say what comes in.

        Raises:
            TypeError: for another keyword.
        """
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{type(self).__name__}: the name must be a string, not {name!r}.")
        self._given_sizes = _coming(keywords)
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
    def dtype_policy(self, value: PolicyLike) -> None:
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

    def __getstate__(self) -> dict[str, Any]:
        # Where it stands in a functional model is that model's to say; what a call has lost is the call's.
        lost = [one for one in self._losses if callable(one)]
        return {**vars(self), "_node": None, "_losses": lost, "_lost_in": None}

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
        return self._add_weight(**{k: v for k, v in keywords.items() if k not in _IGNORED})

    def _add_weight(
        self, shape: ShapeLike | None = None, initializer: InitializerLike = None, dtype: DtypeLike | None = None,
        trainable: bool | None = None, regularizer: Identifier = None, constraint: Identifier = None, name: str | None = None,
    ) -> Variable:  # fmt: skip
        kind = standardize_dtype(dtype) if dtype is not None else self.dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in kind else "zeros"
        sizes = () if shape is None else as_sizes(shape)
        calls.take(sizes)
        label = name or f"variable_{len(self._weights)}" if self._weights or name else "variable"
        variable = Variable(
            initializers.get(initializer), shape=sizes, dtype=kind,
            trainable=self._trainable if trainable is None else bool(trainable), name=label,
            regularizer=regularizers.get(regularizer), constraint=constraints.get(constraint),
            path=f"{calls.path.removesuffix(self.name + '/')}{self.name}/{label}".replace(" ", "_"),
        )  # fmt: skip
        variable._declared = trainable is None or bool(trainable)
        variable._trainable = variable._declared and self._trainable
        self._weights.append(variable)
        return variable

    add_variable = add_weight

    def _computed(self, weight: Variable) -> Any:
        """Return the value of a weight in the dtype that the layer computes in."""
        return converted(weight, self._nptype)

    # --- losses ------------------------------------------------------------------------------------------------

    def add_loss(self, losses: Nested | Callable[[], Any], inputs: Nested | None = None) -> None:
        """Add to the loss of the model that this call is a part of: a tensor or several, or a function that returns one."""
        if self._lost_in is not calls.outermost:
            self._losses = [one for one in self._losses if callable(one)]
            self._lost_in = calls.outermost
        self._losses.extend(losses if isinstance(losses, list | tuple) else [losses])

    # --- calling -----------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for an input of this shape."""
        self._built = True

    def call(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the layer's value; subclasses say what it is."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Build the weights if there are none yet, cast floats to the layer's dtype, and call."""
        given = arguments
        try:
            symbolically = False
            if len(arguments) == 1 and isinstance(arguments[0], Tensor):
                x = arguments[0]
                if self.autocast and x.nptype is not self._nptype and x.nptype.kind == "f":
                    arguments = (converted(x, self._nptype),)
                symbolically = x.__class__ is SymbolicTensor and x.node.graph.__class__ is symbolic.KerasGraph
            elif arguments or keywords:
                kind = self._nptype if self.autocast else None
                arguments = tuple([converted(a, kind, i == 0) for i, a in enumerate(arguments)])
            if keywords:
                kind = self._nptype if self.autocast else None
                keywords = {k: v if k == "training" else converted(v, kind) for k, v in keywords.items()}
            if not symbolically and (len(arguments) != 1 or keywords or nest.is_nested(arguments[0])):
                symbolically = any(symbolic.is_keras_tensor(v) for v in nest.flatten([list(arguments), keywords]))
            if not self._built:
                self._build_for(arguments, keywords)
            if self.input_spec is not None and arguments:
                _check(self, arguments[0])
            if symbolically:
                result = symbolic.enter(self, arguments, keywords)
                self._hand_on(arguments, result)
                return result
            first = arguments[:1]
            if masks.takes_masks(type(self).call):
                keywords = {**masks.filled(type(self).call, arguments, keywords)}
            before, outermost = calls.training, calls.outermost
            position, default = training_parameter(type(self).call)
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
            self._hand_on(first, result)
            return result
        except Exception as error:
            error.add_note(told(self.name, type(self).__name__, given, keywords))
            raise

    def _hand_on(self, arguments: tuple[Nested, ...], result: Nested) -> None:
        """Let the results carry masks."""
        x = arguments[0] if arguments else None
        if isinstance(x, Tensor) and masks.mask_of(x) is None and type(self).compute_mask is Layer.compute_mask:
            return
        masks.hand_on(self, x, result)

    def _build_for(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        wanted = masks.parameters(type(self).build)
        if len(wanted) > 1 and all(name.endswith("_shape") for name in wanted):
            given = {**dict(zip(masks.parameters(type(self).call), arguments, strict=False)), **keywords}
            found = {name: shape_of(given.get(name.removesuffix("_shape"))) for name in wanted}
            self._build_once(**{name: shape for name, shape in found.items() if shape is not None})
        else:
            first = arguments[0] if arguments else next(iter(keywords.values()), None)
            self._build_once(shape_of(first))

    def _build_once(self, *shapes: ShapeLike | None, **named: ShapeLike | None) -> None:
        """Make the weights, outside of whatever tape is open."""
        observers, state.observers = state.observers, ()
        around, calls.path = calls.path, f"{calls.path}{self.name}/"
        try:
            self.build(*shapes, **named)
        finally:
            state.observers, calls.path = observers, around
        self._built = True
        if self._given_weights is not None:
            given, self._given_weights = self._given_weights, None
            self.set_weights(given)

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return the masks of the results, given those of the inputs: by default the same."""
        return previous_mask

    def compute_output_shape(self, input_shape: ShapeLike) -> Any:
        """Return the shape of the result for an input of this shape."""
        if isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], list | tuple):
            given: Any = [symbolic.place(as_sizes(s), self._nptype, None, "input") for s in input_shape]
        else:
            given = symbolic.place(as_sizes(input_shape), self._nptype, None, "input")
        return shape_of(self(given))

    # --- configuration -----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it: name, trainable and dtype; subclasses add theirs.

        Of a program's own class that says nothing of its configuration, these are the arguments that it was made with.
        """
        own = {"name": self.name, "trainable": self._trainable, "dtype": self._policy.name, **super().get_config()}
        return as_made(self, self._own_arguments, own) if type(self).get_config is Layer.get_config else own

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self._built}>"


class InputLayer(Layer):
    """What a model begins with: it holds the shape and dtype of an input."""

    def __init__(
        self,
        shape: ShapeLike | None = None,
        batch_size: int | None = None,
        dtype: DtypeLike | None = None,
        sparse: bool | None = None,
        batch_shape: ShapeLike | None = None,
        input_tensor: Tensor | None = None,
        optional: bool = False,
        name: str | None = None,
        input_shape: ShapeLike | None = None,
        batch_input_shape: ShapeLike | None = None,
        ragged: bool | None = None,
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

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_tensor": None}

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
    sparse: bool | None = None,
    batch_shape: ShapeLike | None = None,
    name: str | None = None,
    tensor: Tensor | None = None,
    optional: bool = False,
    ragged: bool | None = None,
    type_spec: TensorSpec | None = None,
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
