"""Sessions: running parts of a static graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.execute.program import compile
from wengert.execute.protocol import Program
from wengert.execute.variables import trains
from wengert.graph.node import Node
from wengert.ground import nest, progress, shapes
from wengert.ground.blocks import Block, Leaving, Raised
from wengert.ground.context import current, default_session, known, state
from wengert.ground.copies import Uncopied
from wengert.ground.locks import lock
from wengert.ground.options import options as switches
from wengert.ground.types import Array
from wengert.modes.slices import IndexedSlices
from wengert.modes.storage import Storage
from wengert.tensor.exchange import is_foreign, valued
from wengert.tensor.tensor import EagerTensor, Graph, SymbolicTensor, Tensor, TensorLike, as_array

__all__ = ["InteractiveSession", "Session", "default_graph", "default_session"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


observers: list[Any] = []
"""Told of each run: ``before(session, training)``, where ``training()`` says whether it is a step of training, and
``after(session)``. Empty as a rule."""
_global_graph: list[Graph] = []


def default_graph() -> Graph:
    """Return the graph that operations are appended to, or the one that they would be without eager execution."""
    if state.graph is not None:
        return state.graph  # type: ignore[no-any-return]
    if not _global_graph:
        _global_graph.append(Graph())
    return _global_graph[0]


def reset_default_graph() -> None:
    """Start a new default graph."""
    fresh = Graph()
    old = _global_graph[0] if _global_graph else None
    _global_graph[:] = [fresh]
    if old is not None and state.default("graph") is old:
        state.set_default("graph", fresh)
        if known(state).get("graph") is old:
            del known(state)["graph"]


def disable_eager_execution() -> None:
    """Build graphs by default, in every thread of this process, from now on; open tapes see none of it."""
    state.set_default("graph", default_graph())
    state.observers = ()
    known(state).pop("graph", None)


def enable_eager_execution() -> None:
    """Run operations at once by default."""
    state.set_default("graph", None)
    known(state).pop("graph", None)


def get_default_session() -> Any:
    """Return the innermost session entered, or None."""
    return state.sessions[-1] if state.sessions else None


class Session(Block, Uncopied):
    """Runs what is asked for of a graph, and holds the values of its variables. Threads may share one.

    >>> import wengert as tf
    >>> with tf.Graph().as_default():
    ...     x = tf.compat.v1.placeholder(tf.float32, [None])
    ...     y = x * x
    ...     with tf.compat.v1.Session() as sess:
    ...         print(sess.run(y, {x: [1.0, 3.0]}))
    [1. 9.]
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Mapping[str, Any] | None = None) -> None:
        """Take the graph, the current one by default; ``target`` and ``config`` are accepted."""
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f"Argument `graph` must be a tf.Graph, but got {type(graph).__name__!r}")
        self._graph = default_graph() if graph is None else graph
        self._closed = False
        self._programs: dict[Any, Program] = {}
        self._storages: dict[int, Storage] = {}
        self._counters: dict[Any, Any] = {}
        self._training: dict[int, bool] = {}
        """Which programs (kept above, so that identities last) are steps of training; filled while somebody watches."""
        self._lock = lock()
        self._managers: list[Any] = []
        self.sess_str = target

    @property
    def graph(self) -> Graph:
        """The graph."""
        return self._graph

    @property
    def graph_def(self) -> Any:
        """Not here: graphs are not written as protocol buffers."""
        return self._graph.as_graph_def()

    def _instead(self) -> str:
        return (
            "A session is neither copied nor pickled: make another of the same graph, and carry the values of its variables by a "
            "Saver, or by sess.run(variables)."
        )

    def storage_of(self, variable: Any) -> Storage:
        """Return this session's memory of a variable."""
        storage = self._storages.get(variable.n)
        if storage is None:
            with self._lock:
                storage = self._storages.setdefault(variable.n, Storage(variable._name, variable.sizes, variable.nptype))
        return storage

    # --- running -----------------------------------------------------------------------------------------------

    def run(
        self, fetches: Sequence[Tensor], feed_dict: Mapping[str, Any] | None = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Return the values of fetches (tensors, variables, names; None for operations) in their structure.

        Only what they need is run. ``feed_dict`` gives the values of any tensors, which are then not computed.

        Raises:
            RuntimeError: if the session is closed.
            TypeError: for a fetch or a feed that is None or of a wrong type.
            ValueError: for a fed value that does not fit, or a tensor of another graph.
            InvalidArgumentError: for a placeholder that is needed and not fed.
            FailedPreconditionError: for a variable that is not initialised.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if not self._graph.nodes:
            raise RuntimeError("The Session graph is empty. Add operations to the graph before calling run().")
        elements = [self._element(f) for f in nest.flatten(fetches)]
        feeds = self._feeds(feed_dict)
        tensors = [t for e in elements for t in e if isinstance(t, SymbolicTensor)]
        nodes = [n for e in elements for n in e if isinstance(n, Node)]
        order = sorted(feeds, key=lambda t: t.n)
        key = (tuple(t.n for t in tensors), tuple(id(n) for n in nodes), tuple(t.n for t in order), switches.key())
        program = self._programs.get(key)
        if program is None:
            with self._lock:
                program = self._programs[key] = compile(self._graph, tensors, order, nodes)
        for observer in observers:
            observer.before(self, lambda program=program: self._trains(program))
        before = state.session, state.counters
        state.session, state.counters = self, self._counters
        try:
            arrays = iter(program(*[feeds[t] for t in order]))
        finally:
            state.session, state.counters = before
        for observer in observers:
            observer.after(self)
        results = []
        for element in elements:
            if len(element) == 1:
                results.append(_value(next(arrays)) if isinstance(element[0], SymbolicTensor) else None)
            else:
                results.append(IndexedSlicesValue(*[next(arrays) for _ in element]))
        if progress.watchers:
            self._tell(program, elements, results)
        return nest.pack_sequence_as(fetches, results)

    def _tell(self, program: Program, elements: Sequence[Any], results: Sequence[Any]) -> None:
        """Tell of a step, if this was one, and of the loss: the first scalar of floating point among what was fetched."""
        training = self._trains(program)
        scalars = [r for e, r in zip(elements, results, strict=True) if len(e) == 1 and isinstance(r, np.floating)]
        if training or scalars:
            progress.step(scalars[0] if scalars else None, int(training))

    def _trains(self, program: Program) -> bool:
        training = self._training.get(id(program))
        if training is None:
            training = self._training[id(program)] = trains(program.request)
        return training

    def _element(self, fetch: Any) -> tuple[Any, ...]:
        if fetch is None:
            raise TypeError('Argument `fetch` = None has invalid type "NoneType". Cannot be None')
        if isinstance(fetch, str):
            try:
                return (self._graph.as_graph_element(fetch),)
            except (KeyError, ValueError) as error:
                raise ValueError(f"Argument `fetch` = {fetch} cannot be interpreted as a Tensor. ({error})") from None
        if isinstance(fetch, IndexedSlices):
            parts = (fetch.values, fetch.indices)
            return parts if fetch.dense_shape is None else (*parts, fetch.dense_shape)
        if hasattr(fetch, "_as_graph_element"):
            element = fetch._as_graph_element()
            if element is None:
                element = fetch._as_tensor() if state.graph is self._graph else self._outside(fetch)
            fetch = element
        if isinstance(fetch, Node | SymbolicTensor):
            if fetch.graph is not self._graph:
                raise ValueError(
                    f"Argument `fetch` = {fetch!r} cannot be interpreted as a Tensor. (It is not an element of this session's "
                    "graph.)"
                )
            return (fetch,)
        if isinstance(fetch, EagerTensor):
            raise TypeError(
                f'Argument `fetch` = {fetch!r} has invalid type "EagerTensor": it has its value already; call numpy().'
            )
        raise TypeError(
            f'Argument `fetch` = {fetch} has invalid type "{type(fetch).__name__}" must be a string or Tensor. '
            f"(Can not convert a {type(fetch).__name__} into a Tensor or Operation.)"
        )

    def _outside(self, variable: Any) -> Any:
        with self._graph.as_default():
            return variable._as_tensor()

    def _feeds(self, feed_dict: Mapping[str, Any] | None) -> dict[Any, Any]:
        feeds: dict[Any, Any] = {}
        if not feed_dict:
            return feeds
        if not isinstance(feed_dict, Mapping):
            raise TypeError(f"feed_dict must be a dictionary, not {type(feed_dict).__name__}.")
        for key, value in feed_dict.items():
            keys = nest.children(key) if isinstance(key, tuple | nest.Composite) else None
            values = nest.children(value) if isinstance(value, nest.Composite) else value
            pairs = [(key, value)] if keys is None else zip(keys, values, strict=True)
            for one, v in pairs:
                t = self._fed_tensor(one)
                feeds[t] = self._fed_value(t, v)
        return feeds

    def _fed_tensor(self, key: Any) -> SymbolicTensor:
        if hasattr(key, "deref"):
            key = key.deref()
        try:
            element = self._graph.as_graph_element(key, allow_operation=False)
        except (KeyError, ValueError, TypeError) as error:
            raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error}") from None
        if isinstance(element, Node):
            raise TypeError(f"Cannot interpret feed_dict key as Tensor: {element!r} is an operation.")
        return element  # type: ignore[no-any-return]

    def _fed_value(self, t: SymbolicTensor, value: Tensor) -> Any:
        if isinstance(value, SymbolicTensor):
            raise TypeError(
                "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, "
                f"lists, numpy ndarrays. For reference, the tensor object was {value!r}, passed for {t.name}."
            )
        if isinstance(value, Tensor):
            value = value.array
        if value is None:
            raise ValueError(f"Cannot feed None for Tensor {t.name}.")
        given = valued(value) if is_foreign(value) else value
        try:
            if t.nptype.kind == "O":
                array = as_array(given, t.nptype)
            else:
                array = np.array(given, dtype=t.nptype)
        except (ValueError, TypeError, OverflowError) as error:
            if isinstance(value, np.ndarray) and value.dtype.kind == "c" and t.nptype.kind == "f":
                raise
            raise ValueError(f"Cannot feed {value!r} for Tensor {t.name}, which has dtype {t.dtype.name}: {error}") from None
        if isinstance(value, int) and t.nptype.kind in "iu" and int(array) != value:
            raise TypeError(f"Type of feed value {value} is not compatible with Tensor type {t.dtype.name}.")
        if not shapes.fits(t.sizes, array.shape):
            raise ValueError(
                f"Cannot feed value of shape {shapes.text(array.shape)} for Tensor {t.name}, "
                f"which has shape {shapes.text(t.sizes)}"
            )
        return array

    def make_callable(
        self, fetches: Sequence[Tensor], feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """Return a function of the values of feed_list that runs the fetches."""
        keys = list(feed_list or ())

        def call(*values: TensorLike) -> Any:
            if len(values) != len(keys):
                raise TypeError(f"The callable takes {len(keys)} values, and {len(values)} were given.")
            return self.run(fetches, dict(zip([k.ref() if hasattr(k, "ref") else k for k in keys], values, strict=True)))

        return call

    def list_devices(self) -> list[str]:
        """Return the one device."""
        return ["/job:localhost/replica:0/task:0/device:CPU:0"]

    # --- as a context -------------------------------------------------------------------------------------------

    def as_default(self) -> current[Session]:
        """Return a context in which eval() and run() use this session."""
        return current(self, sessions=(*state.sessions, self))

    def __enter__(self) -> Session:
        """Make this the default session, and its graph the current one."""
        graph = self._graph.as_default([self])
        graph.guard = self.guard
        graph.__enter__()
        self._managers.append(graph)
        return self

    def _leave(self, *exception: Raised) -> None:
        self._managers[-1]._leave(*exception)  # held until it has been left
        self._managers.pop()
        self.close()

    __exit__ = Leaving(_leave)

    def close(self) -> None:
        """Free what the session holds; it cannot run any more."""
        self._closed = True
        self._programs.clear()

    @staticmethod
    def reset(target: str, containers: Any = None, config: Mapping[str, Any] | None = None) -> None:
        """Accept: there are no servers."""


class InteractiveSession(Session):
    """A session that is the default one from the start."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Mapping[str, Any] | None = None) -> None:
        """Enter."""
        super().__init__(target, graph, config)
        state.sessions = (*state.sessions, self)

    def close(self) -> None:
        """Leave and close."""
        state.sessions = tuple(s for s in state.sessions if s is not self)
        super().close()


class IndexedSlicesValue(NamedTuple):
    """The value of `IndexedSlices`, as arrays."""

    values: Any
    indices: Any
    dense_shape: Any = None


def _value(array: Array) -> Any:
    if array.ndim:
        return array
    value = array[()]
    return value.encode() if isinstance(value, str) else value
