"""Variables: tensors that a program changes."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.ground import shapes
from wengert.ground.context import default_session, recent, state
from wengert.ground.displayed import displayed
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import helped
from wengert.ground.shapes import Shape
from wengert.modes.handles import Handled
from wengert.modes.storage import Storage
from wengert.ops.state import ASSIGN, IS_INITIALIZED, READ
from wengert.tensor.tensor import (
    EagerTensor,
    Graph,
    Reference,
    SymbolicTensor,
    Tensor,
    TensorLike,
    append,
    cast,
    convert,
    elementwise_equality,
    read_as,
    value_of,
)
from wengert.tensor.tensor import _number as next_number

__all__ = ["Storage", "Variable", "VariableAggregation", "VariableSynchronization"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

_names = itertools.count()

made: list[Callable[[Variable], None]] = []
"""Called with each variable that is made eagerly, when it has its first value. Empty as a rule."""

awaited: list[Any] = []
"""Saved values that wait for variables to be made: their ``look()`` is called before one is read or set. Empty as a rule."""


class VariableSynchronization:
    """How replicas of a variable are kept together; there is one replica here."""

    AUTO, NONE, ON_WRITE, ON_READ = range(4)


class VariableAggregation:
    """How replicas of a variable are joined; there is one replica here."""

    NONE, SUM, MEAN, ONLY_FIRST_REPLICA = range(4)


class Variable(Handled):
    """A tensor that can be assigned to. Its value is the same for eager code, functions and sessions.

    >>> import wengert as tf
    >>> v = tf.Variable([1.0, 2.0])
    >>> v.assign_add([1.0, 1.0]).numpy()
    array([2., 3.], dtype=float32)
    """

    def __init__(
        self,
        initial_value: TensorLike | None = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: DtypeLike | None = None,
        import_scope: Any = None,
        constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        shape: Shape | None = None,
        collections: Sequence[str] | None = None,
        expected_shape: Any = None,
        use_resource: bool | None = None,
        experimental_enable_variable_lifting: bool | None = None,
    ) -> None:
        """Make a variable of an initial value: a value, a tensor, or a function that returns one.

        In a graph its value is set by running its initializer. The dtype is the initial value's unless given.

        Raises:
            ValueError: without an initial value.
        """
        if initial_value is None:
            raise ValueError("The `initial_value` arg to `tf.Variable` must be specified.")
        self._trainable = True if trainable is None else bool(trainable)
        self.constraint, self.synchronization, self.aggregation = constraint, synchronization, aggregation
        graph = state.graph
        lifted = graph is not None and graph.building_function
        self._graph: Graph | None = None if lifted else graph
        label = name or "Variable"
        if callable(initial_value):
            initial_value = initial_value() if not lifted else _eagerly(initial_value)
        if lifted and isinstance(initial_value, SymbolicTensor):
            initial_value = graph.value_for_variable(initial_value)
        if graph is None or lifted:
            before = state.graph, state.observers
            state.graph = None
            try:
                value = _initial(initial_value, dtype)
            finally:
                state.graph, state.observers = before
            scope = graph.scope if graph is not None else state.scope
            self._name = f"{scope}{label}"
            self._initial: Any = value
            self._prepare(value.array.shape if shape is None else shapes.as_shape(shape), value.array.dtype)
            self.storage.write(value.array)
            if lifted:
                graph.created.append(self)
            for told in made:
                told(self)
        else:
            self._name = graph.unique_name(label)
            scope, graph.scope = graph.scope, self._name + "/"
            try:
                if isinstance(initial_value, Tensor) and initial_value.__class__ is SymbolicTensor:
                    value = initial_value
                    if dtype is not None:
                        value = cast(value, as_dtype(dtype).numpy)
                else:
                    value = _initial(initial_value, dtype)
                if value.__class__ is EagerTensor:
                    value = convert(value.array, name="initial_value")
                self._initial = value
                sizes = value.sizes if shape is None else shapes.as_shape(shape)
                self._prepare(sizes if validate_shape else None, value.nptype)
                controls, graph.controls = graph.controls, ()
                try:
                    self._initializer = append(graph, ASSIGN, (self.handle_in(graph), value), {"how": "update"}, "Assign").op
                    self._snapshot = self._read_in(graph)
                finally:
                    graph.controls = controls
            finally:
                graph.scope = scope
            keys = list(collections) if collections is not None else ["variables"]
            if self._trainable and "trainable_variables" not in keys:
                keys.append("trainable_variables")
            for key in keys:
                graph.add_to_collection(key, self)
            graph.variables[self._name] = self

    def _prepare(self, sizes: shapes.Shape, nptype: np.dtype[Any]) -> None:
        self.n = next_number()
        self.sizes, self.nptype = sizes, nptype
        self._storage = Storage(self._name, sizes, nptype)
        self._current: EagerTensor | None = None
        self._readings: list[weakref.ref[Any]] = []

    @property
    def storage(self) -> Storage:
        """The memory: one for eager code and functions, one for each session where the variable belongs to a graph."""
        if awaited:
            for values in tuple(awaited):
                values.look()
        session = state.session
        if self._graph is None or session is None:
            return self._storage
        return session.storage_of(self)  # type: ignore[no-any-return]

    # --- reading -----------------------------------------------------------------------------------------------

    @property
    def array(self) -> Any:
        """The value as an array that nobody may change."""
        return self.storage.read()

    def current(self) -> EagerTensor:
        """Return the value as an eager tensor, the same one until it is assigned to; no tape is told."""
        tensor = self._current
        array = self.storage.read()
        if tensor is None or tensor.array is not array:
            tensor = self._current = EagerTensor(array, (READ, [self.n], None, {}))
            recent.append((tensor.n, tensor.made))
            read_as[tensor.n] = self
        return tensor

    def readings(self) -> list[EagerTensor]:
        """Return the eager tensors that its present value was read as."""
        return [self._current] if self._current is not None and self._current.array is self.storage.array else []

    def _as_tensor(self) -> Any:
        graph = state.graph
        if graph is None:
            if self._graph is not None and self.storage.array is None:
                return self._read_in(self._graph)
            tensor = self.current()
            if state.memory is not None:
                tensor = state.memory.take(tensor)
            for observer in state.observers:
                observer.read(self, tensor)
            return tensor
        return self._read_in(graph)

    def value(self) -> Any:
        """Return the value as a tensor."""
        return self._as_tensor()

    def read_value(self) -> Any:
        """Return the value as a tensor, read now."""
        graph = state.graph
        if graph is not None:
            graph.reads.pop(self.handle_in(graph).n, None)
        return self._as_tensor()

    def numpy(self) -> Any:
        """Return the value as a new NumPy array.

        Raises:
            NotImplementedError: while a graph is built.
        """
        if state.graph is not None:
            raise NotImplementedError("numpy() is only available when eager execution is enabled.")
        return self.current().numpy()

    def eval(self, session: Any = None) -> Any:
        """Return the value in the given or the default session."""
        return default_session(session).run(self)

    def initialized_value(self) -> Any:
        """Return the value, or the initial value where it is not set."""
        return self._initial if self._graph is not None else self.value()

    def is_initialized(self, name: str | None = None) -> Any:
        """Return whether there is a value."""
        if state.graph is None:
            return EagerTensor(np.asarray(self.storage.array is not None))
        return append(state.graph, IS_INITIALIZED, (self.handle_in(state.graph),), {}, name)

    def __array__(self, dtype: DtypeLike | None = None, copy: bool | None = None) -> Any:
        return self.current().__array__(dtype, copy)

    # --- what it is --------------------------------------------------------------------------------------------

    @property
    def shape(self) -> shapes.TensorShape:
        """The shape."""
        return shapes.TensorShape(self.sizes)

    def get_shape(self) -> shapes.TensorShape:
        """Return the shape."""
        return self.shape

    def set_shape(self, shape: Shape) -> None:
        """Add to what is known of the shape."""
        self.sizes = shapes.merge(self.sizes, shapes.as_shape(shape))

    @property
    def _unique_id(self) -> str:
        """A text that no other variable has: libraries key dictionaries by it."""
        return f"{self._name}_{self.n}"

    @property
    def trainable(self) -> bool:
        """Whether tapes watch it by themselves."""
        return self._trainable

    @property
    def device(self) -> str:
        """Where it is."""
        return "/job:localhost/replica:0/task:0/device:CPU:0" if self._graph is None else ""

    @property
    def initializer(self) -> Any:
        """The operation that sets the initial value."""
        return None if self._graph is None else self._initializer

    @property
    def initial_value(self) -> Any:
        """The initial value."""
        if self._graph is None:
            raise RuntimeError("This property is not supported when eager execution is enabled.")
        return self._initial

    def _as_graph_element(self) -> Any:
        return self._snapshot if self._graph is not None else None

    def ref(self) -> Reference:
        """Return a hashable reference to this very variable."""
        return Reference(self)

    experimental_ref = ref

    def __hash__(self) -> int:
        """Hash by identity, in TensorFlow 1's manner; refuse otherwise."""
        if self._graph is None and state.graph is None:
            raise TypeError("Variable is unhashable. Instead, use variable.ref() as the key.")
        return id(self)

    def __eq__(self, other: object) -> Any:
        """Compare elementwise; in a TensorFlow 1 graph, whether it is the same variable."""
        if self._graph is not None or other is None or not elementwise_equality():
            return self is other
        return self._as_tensor() == other

    def __ne__(self, other: object) -> Any:
        """Compare elementwise; in a TensorFlow 1 graph, whether it is another variable."""
        if self._graph is not None or other is None or not elementwise_equality():
            return self is not other
        return self._as_tensor() != other

    def __repr__(self) -> str:
        head = f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}"
        if self._graph is not None or state.graph is not None:
            return head + ">"
        return f"{head}, numpy={repr(self.current()).partition('numpy=')[2]}"

    @displayed
    def _repr_html_(self) -> str:
        from wengert.modes.displays import valued

        return valued(self)

    def __copy__(self) -> Variable:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return what makes a copy, in this process or another: the value, and all that is known of the variable beside it.

        Raises:
            TypeError: for a variable of a TensorFlow 1 graph.
        """
        if self._graph is not None:
            raise GraphVariableError(
                f"The variable {self.name} belongs to a graph: __deepcopy__() is only available when eager execution is enabled. "
                "Pickle its value, sess.run(variable), or save it by a Saver."
            )
        kept = {name: value for name, value in vars(self).items() if name not in _OWN}
        return {**kept, "value": self.current()}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        """Become a variable of this value, with a memory of its own: an eager one, whatever graph is being built."""
        value = kept.pop("value")
        vars(self).update(kept)
        self._initial = value
        self._prepare(self.sizes, self.nptype)
        self._storage.array = value.array
        for told in made:
            told(self)

    def __format__(self, spec: str) -> str:
        return format(self.current(), spec) if spec else str(self)

    @property
    def ndim(self) -> Any:
        """The number of axes."""
        return self.shape.rank


@helped
class GraphVariableError(NotImplementedError, TypeError):
    """A variable of a TensorFlow 1 graph was to be copied or pickled, whose values are those of sessions."""


_OWN = ("n", "_storage", "_current", "_readings", "_initial")
"""What a variable does not share with a copy."""


def _eagerly(function: Callable[..., Any]) -> Any:
    """Call an initializer outside of the function that is being traced."""
    graph, observers = state.graph, state.observers
    state.graph, state.observers = None, ()
    try:
        return function()
    finally:
        state.graph, state.observers = graph, observers


def _initial(value: TensorLike, dtype: DtypeLike | None) -> Any:
    value = value_of(value)
    if isinstance(value, Tensor):
        return value if dtype is None or value.dtype == as_dtype(dtype) else cast(value, as_dtype(dtype).numpy)
    return convert(value, dtype)
