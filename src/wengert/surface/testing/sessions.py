"""How the assertions of a test case get values: in a session where there is a graph, at once where there is none."""

from __future__ import annotations

import contextlib
import tempfile
import unittest
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from wengert.functions.random import set_seed
from wengert.graph.graph import WengertList
from wengert.ground import nest
from wengert.ground.context import state
from wengert.modes.session import IndexedSlicesValue, Session, get_default_session, reset_default_graph
from wengert.modes.slices import IndexedSlices
from wengert.modes.variable import Variable
from wengert.surface.testing.process import get_temp_dir
from wengert.tensor.tensor import EagerTensor, Tensor, TensorLike


class _EagerSession:
    """What stands for a session where none is needed: tests that run in both modes call its `run`."""

    def __init__(self, case: Sessions) -> None:
        self._case = case

    def run(self, fetches: Any, feed_dict: Mapping[str, Any] | None = None) -> Any:
        """Return the values of eager tensors.

        Raises:
            RuntimeError: if something is fed.
        """
        if feed_dict:
            raise RuntimeError("feed_dict is not supported when eager execution is enabled: there are no placeholders.")
        return self._case.evaluate(fetches)


class Sessions(unittest.TestCase):
    """A test that evaluates tensors, by ``self.evaluate`` or in ``self.session()``."""

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self._folder: str | None = None
        self._cached: Any = None

    def run(self, result: Any = None) -> Any:
        """Run the test; the context manager ``test_session`` has a test's name, and is skipped."""
        if self._testMethodName == "test_session" and type(self).test_session is Sessions.test_session:
            result = result if result is not None else self.defaultTestResult()
            result.startTest(self)
            result.addSkip(self, "not a test")
            result.stopTest(self)
            return result
        return super().run(result)

    def setUp(self) -> None:
        """Start from a fresh default graph, and from the same random numbers."""
        super().setUp()
        reset_default_graph()
        if state.graph is not None and not state.graph.building_function:
            state.graph.seed = 87654321
        else:
            set_seed(87654321)
        np.random.seed(87654321)
        self._folder = None
        self._cached = None

    def tearDown(self) -> None:
        """Close the cached session."""
        if self._cached is not None:
            self._cached.close()
            self._cached = None
        super().tearDown()

    def get_temp_dir(self) -> str:
        """Return a folder for this test's files, made when first asked for."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(dir=get_temp_dir())
        return self._folder

    create_tempdir = get_temp_dir

    @contextlib.contextmanager
    def session(
        self, graph: Any = None, config: dict[str, Any] | None = None, use_gpu: bool = True, force_gpu: bool = False
    ) -> Iterator[Any]:
        """Enter a new session; eagerly what stands for one."""
        if state.graph is None and graph is None:
            yield _EagerSession(self)
            return
        with Session(graph=graph, config=config) as session:
            yield session

    @contextlib.contextmanager
    def cached_session(
        self, graph: Any = None, config: Mapping[Any, Any] | None = None, use_gpu: bool = True, force_gpu: bool = False
    ) -> Iterator[Any]:
        """Enter the session that the test's calls share; eagerly what stands for one."""
        if state.graph is None and graph is None:
            yield _EagerSession(self)
            return
        if self._cached is None or self._cached._closed or (graph is not None and self._cached.graph is not graph):
            self._cached = Session(graph=graph, config=config)
        with self._cached.graph.as_default(), self._cached.as_default():
            yield self._cached

    @contextlib.contextmanager
    def test_session(
        self,
        graph: WengertList | None = None,
        config: Mapping[str, Any] | None = None,
        use_gpu: bool = True,
        force_gpu: bool = False,
    ) -> Iterator[Any]:
        """Enter the shared session."""
        with self.cached_session(graph, config) as session:
            yield session

    def evaluate(self, tensors: Any) -> Any:
        """Return the values of tensors and variables in their structure, in the default session where there is a graph."""
        if state.graph is None and not any(_needs_session(t) for t in nest.flatten(tensors)):
            return nest.map_structure(_value, tensors)
        session = get_default_session()
        if session is not None:
            return session.run(tensors)
        graph = state.graph
        if graph is None:
            graph = next(t.graph for t in nest.flatten(tensors) if _needs_session(t))
        with self.cached_session(graph) as session:
            return session.run(tensors)


def _needs_session(t: TensorLike) -> bool:
    if isinstance(t, Variable):
        return t._graph is not None
    return (isinstance(t, Tensor) and not isinstance(t, EagerTensor)) or type(t).__name__ == "Node"


def _value(t: TensorLike) -> Any:
    if t is None or isinstance(t, np.ndarray):
        return t
    if isinstance(t, IndexedSlices):
        shape = None if t.dense_shape is None else _value(t.dense_shape)
        return IndexedSlicesValue(_value(t.values), _value(t.indices), shape)
    return t.numpy() if hasattr(t, "numpy") else t() if callable(t) else t
