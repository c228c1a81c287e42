"""TensorFlow 1's variables: scopes that share them by name, collections of them, operations that set them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions.program import control_dependencies, group, name_scope, no_op
from wengert.ground import checks, shapes
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike, as_dtype, float32
from wengert.ground.shapes import ShapeLike
from wengert.modes.session import default_graph
from wengert.modes.slices import IndexedSlices
from wengert.modes.tracing import FuncGraph
from wengert.modes.variable import Variable, VariableAggregation, VariableSynchronization
from wengert.surface.v1.graphs import GraphKeys, get_collection
from wengert.surface.v1.initializers import Initializer, glorot_uniform_initializer, zeros_initializer
from wengert.tensor.tensor import Tensor, TensorLike, assigned_by, convert


class _Reuse:
    """Whether variables are made or found: as it comes."""

    def __repr__(self) -> str:
        return "<_ReuseMode.AUTO_REUSE: 1>"


AUTO_REUSE = _Reuse()


# --- scopes -------------------------------------------------------------------------------------------------------------

_SETTINGS = ("initializer", "regularizer", "caching_device", "partitioner", "custom_getter", "dtype", "use_resource",
             "constraint")  # fmt: skip


class VariableScope:
    """A prefix for the names of variables, and what `get_variable` takes where it is told nothing."""

    def __init__(self, reuse: bool | None, name: str = "", name_scope: str = "", **settings: Any) -> None:
        self._reuse, self._name, self._name_scope = reuse, name, name_scope
        self._settings: dict[str, Any] = {key: settings.get(key) for key in _SETTINGS}
        if self._settings["dtype"] is None:
            self._settings["dtype"] = float32

    @property
    def name(self) -> str:
        """The prefix."""
        return self._name

    @property
    def original_name_scope(self) -> str:
        """The scope of operations' names that was entered with it."""
        return self._name_scope

    @property
    def reuse(self) -> Any:
        """Whether variables must exist (True), must not (False), or either (AUTO_REUSE)."""
        return self._reuse

    def reuse_variables(self) -> None:
        """Reuse variables from here on."""
        self._reuse = True

    def __getattr__(self, name: str) -> Any:
        """Return a setting."""
        settings = self.__dict__.get("_settings", {})
        if name in settings:
            return settings[name]
        for prefix in ("set_",):
            key = name.removeprefix(prefix)
            if name.startswith(prefix) and key in settings:
                return functools.partial(settings.__setitem__, key)
        raise AttributeError(name)

    def get_collection(self, name: str) -> list[Any]:
        """Return what of a collection lies in this scope."""
        return get_collection(name, f"{self._name}/" if self._name else "")

    def trainable_variables(self) -> list[Any]:
        """Return the trainable variables in this scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        """Return the variables in this scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Any]:
        """Return the local variables in this scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(self, *arguments: Any, **keywords: Any) -> Any:
        """Return a variable of this scope."""
        with variable_scope(self, auxiliary_name_scope=False):
            return get_variable(*arguments, **keywords)


class _Store:
    """The variables of a graph that `get_variable` made, and the scopes that are entered."""

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}
        self.scopes: list[VariableScope] = [VariableScope(False)]
        self.counts: dict[str, int] = {}


def _store() -> _Store:
    """Return the store of the current graph. It belongs to the graph, whose variables it holds, and goes with it."""
    graph = default_graph()
    while isinstance(graph, FuncGraph) and graph.outer is not None:
        graph = graph.outer
    if graph.variable_scope is None:
        graph.variable_scope = _Store()
    store: _Store = graph.variable_scope
    return store


def get_variable_scope() -> VariableScope:
    """Return the scope that is entered."""
    return _store().scopes[-1]


class variable_scope:
    """Put a prefix before the names of variables, and of operations, made in a with block; share variables by name.

    ``reuse=True``: `get_variable` finds what exists. ``tf.AUTO_REUSE``: it finds or makes. Inside of a reusing scope
    all scopes reuse.

    Raises:
        ValueError: without a name and a default name, and with reuse and a default name only.
    """

    def __init__(
        self,
        name_or_scope: Any,
        default_name: str | None = None,
        values: TensorLike | None = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: DtypeLike | None = None,
        use_resource: Any = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if name_or_scope is None and default_name is None:
            raise ValueError("If default_name is None then name_or_scope is required")
        if name_or_scope is not None and not isinstance(name_or_scope, str | VariableScope):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        if reuse is not None and reuse not in (True, False) and reuse is not AUTO_REUSE:
            raise ValueError(f"The reuse parameter must be True, False, tf.AUTO_REUSE or None, not {reuse!r}.")
        if reuse is True and name_or_scope is None:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        self._what, self._default, self._reuse, self._aux = name_or_scope, default_name, reuse, auxiliary_name_scope
        self._settings = {
            "initializer": initializer, "regularizer": regularizer, "caching_device": caching_device,
            "partitioner": partitioner, "custom_getter": custom_getter, "dtype": dtype, "use_resource": use_resource,
            "constraint": constraint,
        }  # fmt: skip
        self._entered: list[Any] = []

    def __enter__(self) -> VariableScope:
        store = _store()
        outer = store.scopes[-1]
        counts = dict(store.counts)
        if isinstance(self._what, VariableScope):
            base, name = self._what, self._what.name
            label = name.rpartition("/")[2]
            reuse = self._what.reuse if self._reuse is None else self._reuse
            # Names of scopes below a reopened one start over.
            store.counts = {k: v for k, v in counts.items() if not k.startswith(name + "/")}
        else:
            base = outer
            label = self._what if self._what is not None else self._unique(store, outer)
            name = f"{outer.name}/{label}" if outer.name else label
            store.counts[name] = store.counts.get(name, 0) + 1
            store.counts = {k: v for k, v in store.counts.items() if not k.startswith(name + "/")}
            reuse = outer.reuse if not self._reuse else self._reuse
        if reuse is False and outer.reuse and not isinstance(self._what, VariableScope):
            reuse = outer.reuse
        scope_manager: Any = contextlib.nullcontext("")
        if self._aux and label:
            scope_manager = name_scope(label)
        entered = scope_manager.__enter__()
        settings = {k: base._settings[k] if v is None else v for k, v in self._settings.items()}
        getter, inner = self._settings["custom_getter"], base._settings["custom_getter"]
        if getter is not None and inner is not None:
            settings["custom_getter"] = _chained(getter, inner)
        scope = VariableScope(reuse, name, entered or base._name_scope, **settings)
        store.scopes.append(scope)
        self._entered.append((store, scope_manager, counts if isinstance(self._what, VariableScope) else None))
        return scope

    def _unique(self, store: _Store, outer: VariableScope) -> str:
        base = f"{outer.name}/{self._default}" if outer.name else str(self._default)
        number = 0
        while (base if not number else f"{base}_{number}") in store.counts:
            number += 1
        return str(self._default) if not number else f"{self._default}_{number}"

    def __exit__(self, *exception: Any) -> None:
        store, manager, counts = self._entered.pop()
        store.scopes.pop()
        if counts is not None:
            store.counts = counts
        manager.__exit__(*exception)


def _chained(getter: Any, inner: Any) -> Any:
    def chained(next_getter: Any, *arguments: Any, **keywords: Any) -> Any:
        return getter(functools.partial(inner, next_getter), *arguments, **keywords)

    return chained


@contextlib.contextmanager
def variable_op_scope(values: TensorLike, name_or_scope: Any, default_name: str | None = None, **keywords: Any) -> Iterator[Any]:
    """Enter a variable scope: an older order of arguments."""
    with variable_scope(name_or_scope, default_name, values, **keywords) as scope:
        yield scope


@contextlib.contextmanager
def variable_creator_scope(variable_creator: Callable[..., Any]) -> Iterator[None]:
    """Refuse: variables are made by their class alone."""
    raise NotImplementedError("variable_creator_scope: variables are made by their class alone here.")
    yield


# --- making and finding -------------------------------------------------------------------------------------------------


def get_variable(
    name: str,
    shape: ShapeLike | None = None,
    dtype: DtypeLike | None = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Sequence[Any] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """Return the variable of a name in the current scope: make it, or find it where the scope reuses.

    The initializer is one of `initializers`, a function, or a value; by default glorot_uniform for floats, else zeros.

    Raises:
        ValueError: if it exists and the scope does not reuse; if it does not and the scope does; if shape or dtype
            differ from those it was made with; if the shape is not known.
    """
    scope = get_variable_scope()
    if not isinstance(name, str) or not name:
        raise ValueError("get_variable: a variable needs a name.")
    full = f"{scope.name}/{name}" if scope.name else name
    settings = {
        "shape": shape,
        "dtype": dtype,
        "initializer": scope.initializer if initializer is None else initializer,
        "regularizer": scope.regularizer if regularizer is None else regularizer,
        "reuse": scope.reuse,
        "trainable": trainable,
        "collections": collections,
        "validate_shape": validate_shape,
        "constraint": scope.constraint if constraint is None else constraint,
        "synchronization": synchronization,
        "aggregation": aggregation,
    }
    getter = custom_getter if custom_getter is not None else scope.custom_getter
    if getter is not None and custom_getter is not None and scope.custom_getter is not None:
        getter = _chained(custom_getter, scope.custom_getter)
    if getter is None:
        return _get(full, **settings)
    extra = {"caching_device": caching_device, "partitioner": partitioner, "use_resource": use_resource}
    return getter(_get, full, **settings, **extra)


def _get(
    name: str,
    shape: ShapeLike | None = None,
    dtype: DtypeLike | None = None,
    initializer: Any = None,
    regularizer: Any = None,
    reuse: bool | None = None,
    trainable: bool | None = None,
    collections: Sequence[Any] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    store = _store()
    keep = state.graph is not None or _templates.active
    found = (_templates.active[-1] if _templates.active and state.graph is None else store.variables).get(name)
    if found is not None:
        if not reuse:
            raise ValueError(f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE "
                             "in VarScope?")  # fmt: skip
        if shape is not None and not shapes.fits(found.sizes, shapes.as_shape(shape)):
            raise ValueError(f"Trying to share variable {name}, but specified shape {shapes.text(shapes.as_shape(shape))} and "
                             f"found shape {found.shape}.")  # fmt: skip
        if dtype is not None and as_dtype(dtype) != found.dtype:
            raise ValueError(f"Trying to share variable {name}, but specified dtype {as_dtype(dtype).name} and found dtype "
                             f"{found.dtype.name}.")  # fmt: skip
        return found
    if reuse is True and keep:
        raise ValueError(f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
                         "reuse=tf.AUTO_REUSE in VarScope?")  # fmt: skip
    value, kind = _starting_value(name, shape, dtype, initializer)
    if trainable is None:
        trainable = synchronization != VariableSynchronization.ON_READ
    graph = state.graph
    scope = None
    if graph is not None:
        scope, graph.scope = graph.scope, ""
    try:
        made = Variable(
            value, trainable=trainable, validate_shape=validate_shape, name=name, dtype=kind, constraint=constraint,
            synchronization=synchronization, aggregation=aggregation,
            collections=[GraphKeys.GLOBAL_VARIABLES] if collections is None else list(collections),
        )  # fmt: skip
    finally:
        if graph is not None:
            graph.scope = scope
    if _templates.active and state.graph is None:
        _templates.active[-1][name] = made
    elif keep:
        store.variables[name] = made
    if regularizer is not None:
        with name_scope(""):
            loss = regularizer(made)
        if loss is not None and state.graph is not None:
            state.graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
    return made


def _starting_value(name: str, shape: ShapeLike | None, dtype: DtypeLike | None, initializer: Any) -> tuple[Any, Any]:
    """Return the initial value of a variable, or a function that gives it, and the dtype."""
    kind = float32 if dtype is None else as_dtype(dtype)
    if isinstance(initializer, type):
        initializer = initializer()
    if callable(initializer) and not isinstance(initializer, Tensor | Variable):
        sizes = shapes.as_shape(shape)
        if shape is None and not isinstance(initializer, Initializer):
            return initializer, dtype
        if not shapes.is_full(sizes):
            raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was {shapes.text(sizes)}.")
        return lambda: _called(initializer, list(sizes or ()), kind), kind
    if initializer is not None:
        if shape is not None:
            raise ValueError("If initializer is a constant, do not specify shape.")
        return initializer, dtype if dtype is not None or isinstance(initializer, Tensor | Variable) else None
    sizes = shapes.as_shape(shape)
    if not shapes.is_full(sizes):
        raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was {shapes.text(sizes)}.")
    if kind.is_floating:
        return lambda: glorot_uniform_initializer()(sizes, dtype=kind), kind
    if kind.is_integer or kind.is_bool or kind.is_complex:
        return lambda: zeros_initializer()(sizes, dtype=kind), kind
    raise ValueError(f"An initializer for variable {name} of {kind} is required")


def _called(initializer: Any, sizes: list[Any], kind: Any) -> Any:
    try:
        return initializer(sizes, dtype=kind)
    except TypeError:
        return initializer(sizes)


def get_local_variable(name: str, *arguments: Any, **keywords: Any) -> Any:
    """Return a variable that is not trained and belongs to the local ones."""
    keywords["trainable"] = False
    keywords["collections"] = [*(keywords.get("collections") or ()), GraphKeys.LOCAL_VARIABLES]
    return get_variable(name, *arguments, **keywords)


class _Templates:
    """The variables of eager templates that are being called."""

    def __init__(self) -> None:
        self.active: list[dict[str, Variable]] = []


_templates = _Templates()


def make_template(
    name_: str, func_: Callable[..., Any], create_scope_now_: bool = False, unique_name_: str | None = None,
    custom_getter_: Any = None, **kwargs: Any,
) -> Callable[..., Any]:  # fmt: skip
    """Return a function that makes its variables in the first call and shares them in all others.

    Raises:
        TypeError: unless ``func_`` is callable.
    """
    scopes: list[VariableScope] = []
    own: dict[str, Variable] = {}

    def enter() -> Any:
        return variable_scope(unique_name_, name_) if unique_name_ is None else variable_scope(unique_name_)

    checks.function(func_, "make_template", "func_")
    if checks.flag(create_scope_now_, "make_template", "create_scope_now_"):
        with enter() as scope:
            scopes.append(scope)

    def template(*arguments: Any, **keywords: Any) -> Any:
        first = not scopes
        manager = enter() if first else variable_scope(scopes[0], reuse=AUTO_REUSE)
        if state.graph is None:
            _templates.active.append(own)
        try:
            with manager as scope:
                if first:
                    scopes.append(scope)
                return func_(*arguments, **{**kwargs, **keywords})
        finally:
            if state.graph is None:
                _templates.active.pop()

    return template


def no_regularizer(_: Any) -> None:
    """Return None: no penalty."""


def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Any:
    """Return None: variables are not cut into parts."""


min_max_variable_partitioner = variable_axis_size_partitioner = fixed_size_partitioner


# --- collections --------------------------------------------------------------------------------------------------------


def global_variables(scope: str | None = None) -> list[Any]:
    """Return the variables of the default graph."""
    return get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


all_variables = global_variables


def local_variables(scope: str | None = None) -> list[Any]:
    """Return the local variables of the default graph."""
    return get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Any]:
    """Return the variables entered as the model's."""
    return get_collection(GraphKeys.MODEL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    """Return the trainable variables of the default graph."""
    return get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Any]:
    """Return the variables with a moving average."""
    return get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def _variables(values: TensorLike, who: str) -> list[Any]:
    """Return a list of variables.

    Raises:
        TypeError: for anything else.
    """
    found = checks.listed(values, who, "the list of variables")
    for v in found:
        if not isinstance(v, Variable):
            raise TypeError(f"{who}: a variable is needed, not {v!r}.")
    return found


def variables_initializer(var_list: Sequence[Any], name: str = "init") -> Any:
    """Return an operation that sets the initial values of variables; eagerly they are set already."""
    if state.graph is None:
        return no_op(name)
    made = [v.initializer for v in _variables(var_list, "variables_initializer") if v.initializer is not None]
    return group(*made, name=name) if made else no_op(name)


initialize_variables = variables_initializer


def global_variables_initializer() -> Any:
    """Return an operation that sets the initial values of all variables made so far."""
    return variables_initializer(global_variables() if state.graph is not None else [])


initialize_all_variables = global_variables_initializer


def local_variables_initializer() -> Any:
    """Return an operation that sets the initial values of all local variables made so far."""
    return variables_initializer(local_variables() if state.graph is not None else [])


initialize_local_variables = local_variables_initializer


def is_variable_initialized(variable: Any) -> Any:
    """Return whether a variable has a value."""
    if not isinstance(variable, Variable):
        raise ValueError(f"is_variable_initialized: a variable is needed, not {variable!r}.")
    return variable.is_initialized()


def assert_variables_initialized(var_list: Sequence[Any] | None = None) -> Any:
    """Return an operation that fails unless the variables have values."""
    chosen = global_variables() + local_variables() if var_list is None else _variables(var_list, "assert_variables_initialized")
    return group(*[array.identity(v) for v in chosen]) if chosen else None


def report_uninitialized_variables(var_list: Sequence[Any] | None = None, name: str = "report") -> Any:
    """Return the names of the variables that have no value, as a string tensor."""
    if var_list is None:
        chosen = global_variables() + local_variables()
    else:
        chosen = _variables(var_list, "report_uninitialized_variables")
    names = np.array([v._name.encode() for v in chosen] or [b""], object)[: len(chosen)]
    if not chosen:
        return convert(np.array([], object))
    missing = array.stack([array.cast(v.is_initialized(), "int32") for v in chosen])
    return array.boolean_mask(convert(names), missing < 1)


# --- setting ------------------------------------------------------------------------------------------------------------


def _assigned(how: str, ref: TensorLike, value: TensorLike, name: str | None) -> Any:
    if not isinstance(ref, Variable | Tensor):
        raise ValueError(f"A variable is needed here, or a part of one, not {ref!r}.")
    return getattr(ref, how)(value, name=name)


def assign(
    ref: TensorLike, value: TensorLike, validate_shape: Any = None, use_locking: Any = None, name: str | None = None
) -> Any:
    """Set a variable; return its new value."""
    return _assigned("assign", ref, value, name)


def assign_add(ref: TensorLike, value: TensorLike, use_locking: Any = None, name: str | None = None) -> Any:
    """Add to a variable; return its new value."""
    return _assigned("assign_add", ref, value, name)


def assign_sub(ref: TensorLike, value: TensorLike, use_locking: Any = None, name: str | None = None) -> Any:
    """Subtract from a variable; return its new value."""
    return _assigned("assign_sub", ref, value, name)


def _scattered(how: str, ref: TensorLike, indices: TensorLike, updates: TensorLike) -> Any:
    variable, after = (ref, ()) if isinstance(ref, Variable) else assigned_by(ref) or (None, ())
    if variable is None:
        raise ValueError(f"A variable is needed to set rows of, not {ref!r}.")
    with control_dependencies(after):
        rows = IndexedSlices(convert(updates, like=variable._as_tensor()), convert(indices))
        return getattr(variable, how)(rows)


def scatter_update(
    ref: TensorLike, indices: TensorLike, updates: TensorLike, use_locking: bool = True, name: str | None = None
) -> Any:
    """Set rows of a variable; return its new value."""
    return _scattered("scatter_update", ref, indices, updates)


def scatter_add(
    ref: TensorLike, indices: TensorLike, updates: TensorLike, use_locking: bool = False, name: str | None = None
) -> Any:
    """Add to rows of a variable; return its new value."""
    return _scattered("scatter_add", ref, indices, updates)


def scatter_sub(
    ref: TensorLike, indices: TensorLike, updates: TensorLike, use_locking: bool = False, name: str | None = None
) -> Any:
    """Subtract from rows of a variable; return its new value."""
    return _scattered("scatter_sub", ref, indices, updates)
