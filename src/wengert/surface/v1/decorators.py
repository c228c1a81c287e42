"""The decorators of ``tensorflow.python.framework.test_util``: in which modes a test runs."""

from __future__ import annotations

import contextlib
import functools
import gc
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wengert.ground.context import current, state
from wengert.surface.testing.case import TestCase
from wengert.surface.testing.process import gpu_device_name, is_built_with_cuda, is_gpu_available
from wengert.tensor.tensor import Graph

__all__ = [
    "TensorFlowTestCase",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_gpu_available",
    "run_in_graph_and_eager_modes",
    "run_v1_only",
]

TensorFlowTestCase = TestCase


def _eager() -> current[None]:
    return current(graph=None, observers=state.observers)


def _call(f: Callable[..., Any], self: Any, arguments: Any, keywords: Any) -> None:
    f(self, *arguments, **keywords)


def _in_graph(f: Callable[..., Any], self: Any, arguments: Any, keywords: Any) -> None:
    graph = Graph()
    graph.seed = 87654321
    before = self._cached
    self._cached = None
    with graph.as_default(), self.test_session(graph=graph):
        f(self, *arguments, **keywords)
    self._cached = before


def _optional(decorate: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a decorator that works with and without arguments, on methods and on classes."""

    def decorator(func: Callable[..., Any] | None = None, *arguments: Any, **keywords: Any) -> Any:
        if callable(func):
            return decorate(func)
        return decorate

    return decorator


def _each_test(decorate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator of classes that decorates each test method."""

    def decorator(cls: Any) -> Any:
        if not isinstance(cls, type):
            return decorate(cls)
        for name in dir(cls):
            method = getattr(cls, name)
            if name.startswith(unittest.TestLoader.testMethodPrefix) and callable(method) and name != "test_session":
                setattr(cls, name, decorate(method))
        return cls

    return decorator


def _both(f: Callable[..., Any]) -> Any:
    if isinstance(f, type):
        raise ValueError("`run_in_graph_and_eager_modes` only supports test methods; decorate each of them.")

    @functools.wraps(f)
    def decorated(self: Any, *arguments: Any, **keywords: Any) -> None:
        with _eager():
            _call(f, self, arguments, keywords)
        self.tearDown()
        self.setUp()
        _in_graph(f, self, arguments, keywords)

    return decorated


def _graph_only(f: Callable[..., Any]) -> Any:
    @functools.wraps(f)
    def decorated(self: Any, *arguments: Any, **keywords: Any) -> None:
        if state.graph is not None:
            f(self, *arguments, **keywords)
        else:
            graph = Graph()
            graph.seed = 87654321
            with graph.as_default():
                f(self, *arguments, **keywords)

    return decorated


def _skip_outside_v1(f: Callable[..., Any]) -> Any:
    @functools.wraps(f)
    def decorated(self: Any, *arguments: Any, **keywords: Any) -> None:
        if state.default("graph") is None:
            self.skipTest("only for TensorFlow 1")
        f(self, *arguments, **keywords)

    return decorated


def _skip_outside_v2(f: Callable[..., Any]) -> Any:
    @functools.wraps(f)
    def decorated(self: Any, *arguments: Any, **keywords: Any) -> None:
        if state.default("graph") is not None:
            self.skipTest("only for TensorFlow 2")
        f(self, *arguments, **keywords)

    return decorated


def _same(f: Callable[..., Any]) -> Any:
    return f


def run_in_graph_and_eager_modes(
    func: Callable[..., Any] | None = None,
    config: Mapping[str, Any] | None = None,
    use_gpu: bool = True,
    assert_no_eager_garbage: bool = False,
) -> Any:
    """Run a test twice: eagerly, and in a graph with a session."""
    return _both(func) if func is not None else _both


def run_all_in_graph_and_eager_modes(cls: Any) -> Any:
    """Run each test of a class twice."""
    return _each_test(_both)(cls)


run_deprecated_v1 = deprecated_graph_mode_only = _optional(_each_test(_graph_only))
run_all_in_deprecated_graph_mode_only = _each_test(_graph_only)
build_as_function_and_v1_graph = build_as_function_and_v2_graph = _optional(_both)


def run_v1_only(reason: Any = None, func: Callable[..., Any] | None = None) -> Any:
    """Skip a test where TensorFlow 2's behaviour is in force."""
    if callable(reason):
        return _each_test(_skip_outside_v1)(reason)
    return _each_test(_skip_outside_v1) if func is None else _each_test(_skip_outside_v1)(func)


run_v2_only = _optional(_each_test(_skip_outside_v2))


def _no_new_tensors(f: Callable[..., Any]) -> Any:
    @functools.wraps(f)
    def decorated(self: Any, *arguments: Any, **keywords: Any) -> Any:
        gc.collect()
        return f(self, *arguments, **keywords)

    return decorated


assert_no_new_tensors = assert_no_garbage_created = _no_new_tensors
assert_no_new_pyobjects_executing_eagerly = _optional(_no_new_tensors)


def _accepting(*given: Any, **keywords: Any) -> Any:
    """Return a decorator that changes nothing, called with arguments or without."""
    if len(given) == 1 and callable(given[0]) and not keywords:
        return given[0]
    return _same


disable_xla = enable_control_flow_v2 = disable_control_flow_v2 = enable_tf_xla_constant_folding = _accepting
no_xla_auto_jit = xla_allow_fallback = run_gpu_only = run_cuda_only = disable_tfrt = disable_mlir_bridge = _accepting
enable_eager_op_as_function = disable_eager_op_as_function = disable_asan = with_eager_op_as_function = _accepting
with_control_flow_v2 = with_forward_compatibility_horizons = disable_cudnn_autotune = _accepting
run_without_tensor_float_32 = run_all_without_tensor_float_32 = set_xla_env_flag = enable_output_all_intermediates = _accepting


def run_gpu_or_tpu(func: Any = None) -> Any:
    """Skip a test that needs an accelerator."""
    return unittest.skip("needs an accelerator")(func)


@contextlib.contextmanager
def use_gpu() -> Iterator[None]:
    """Enter nothing: there is one device."""
    yield


force_gpu = force_cpu = use_gpu


@contextlib.contextmanager
def device(use_gpu: bool = False) -> Iterator[None]:
    """Enter nothing: there is one device."""
    yield


def IsBuiltWithROCm() -> bool:
    """Return False."""
    return False


def IsMklEnabled() -> bool:
    """Return False."""
    return False


def is_xla_enabled() -> bool:
    """Return False: tests run on NumPy."""
    return False


def GpuSupportsHalfMatMulAndConv() -> bool:
    """Return False."""
    return False


def gpu_device_type() -> str:
    """Return "GPU"."""
    return "GPU"


def assert_ops_in_graph(expected_ops: dict[str, str], graph: Graph) -> dict[str, Any]:
    """Assert that a graph has operations of these names and types; return them."""
    found = {node.name: node for node in graph.get_operations() if node.name in expected_ops}
    for name, kind in expected_ops.items():
        if name not in found:
            raise ValueError(f"The operation {name} is not in the graph.")
        if found[name].type != kind:
            raise ValueError(f"The operation {name} has type {found[name].type}, not {kind}.")
    return found


def create_local_cluster(*arguments: Any, **keywords: Any) -> Any:
    """Refuse: there are no servers."""
    raise NotImplementedError("create_local_cluster: there are no servers here.")
