"""TensorFlow's ``tf.test``: a test case that compares tensors, and derivatives checked by differences."""

from __future__ import annotations

import contextlib
import difflib
import operator
import os
import re
import sys
import tempfile
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock as mock  # public, as tf.test.mock

import numpy as np

from wengert.ground import nest
from wengert.ground.context import state
from wengert.ground.errors import OpError
from wengert.ground.shapes import TensorShape
from wengert.modes.session import Session, get_default_session, reset_default_graph
from wengert.modes.slices import IndexedSlices
from wengert.modes.variable import Variable
from wengert.tensor.tensor import EagerTensor, Tensor

_folders: list[tempfile.TemporaryDirectory[str]] = []


def get_temp_dir() -> str:
    """Return a folder for the files of this process's tests, which is removed at its end."""
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="wengert-test-"))
    return _folders[0].name


def test_src_dir_path(relative_path: str) -> str:
    """Return a path below the folder of the script that runs."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[0] or ".")), relative_path)


def main(argv: Any = None) -> None:
    """Run the tests of the script that runs."""
    unittest.main(argv=argv)


def gpu_device_name() -> str:
    """Return the empty string: there is no GPU."""
    return ""


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Return False."""
    return False


def is_built_with_cuda() -> bool:
    """Return False."""
    return False


is_built_with_rocm = is_built_with_gpu_support = is_built_with_cuda


def is_built_with_xla() -> bool:
    """Return True: XLA comes with JAX, where that is installed."""
    return True


def benchmark_config() -> None:
    """Return None: no settings are needed."""
    return None


def create_local_cluster(*arguments: Any, **keywords: Any) -> Any:
    """Refuse: there are no servers."""
    raise NotImplementedError("test.create_local_cluster: there are no servers here.")


def assert_equal_graph_def(expected: Any, actual: Any) -> None:
    """Refuse: graphs are not written as protocol buffers."""
    raise NotImplementedError("test.assert_equal_graph_def: graphs are not written as protocol buffers here.")


def with_eager_op_as_function(cls: Any = None, only_as_function: bool = False) -> Any:
    """Return the class: there is one way of running eagerly."""
    return cls if cls is not None else lambda c: c


def disable_with_predicate(pred: Callable[[], bool], skip_message: str) -> Callable[[Any], Any]:
    """Return a decorator that skips a test where the predicate holds."""
    return lambda f: unittest.skip(skip_message)(f) if pred() else f


class experimental:
    """TensorFlow's ``tf.test.experimental``."""

    @staticmethod
    def sync_devices() -> None:
        """Do nothing: each operation is done when its call returns."""


class _ErrorRaised:
    """The context of assertRaisesWithPredicateMatch."""

    def __init__(self, test: Any, kind: Any, predicate: Callable[[Any], bool]) -> None:
        self.test, self.kind, self.predicate = test, kind, predicate

    def __enter__(self) -> _ErrorRaised:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if error is None:
            self.test.fail(f"{getattr(self.kind, '__name__', self.kind)} not raised")
        if not isinstance(error, self.kind):
            return False
        if not self.predicate(error):
            raise AssertionError(f"Exception of type {type(error)}: {error}") from error
        return True


class _EagerSession:
    """What stands for a session where none is needed: tests that run in both modes call its `run`."""

    def __init__(self, case: TestCase) -> None:
        self._case = case

    def run(self, fetches: Any, feed_dict: Any = None) -> Any:
        """Return the values of eager tensors.

        Raises:
            RuntimeError: if something is fed.
        """
        if feed_dict:
            raise RuntimeError("feed_dict is not supported when eager execution is enabled: there are no placeholders.")
        return self._case.evaluate(fetches)


class TestCase(unittest.TestCase):
    """A test case whose assertions take tensors, arrays, numbers and structures of them.

    A test method that builds a graph evaluates by ``self.evaluate`` or in ``self.session()``.
    """

    def __init__(self, methodName: str = "runTest") -> None:
        """Take the name of the test's method."""
        super().__init__(methodName)
        self._folder: str | None = None
        self._cached: Any = None

    @classmethod
    def setUpClass(cls) -> None:
        """Prepare nothing."""
        super().setUpClass()

    def run(self, result: Any = None) -> Any:
        """Run the test; the context manager ``test_session`` has a test's name, and is skipped."""
        if self._testMethodName == "test_session" and type(self).test_session is TestCase.test_session:
            result = result if result is not None else self.defaultTestResult()
            result.startTest(self)
            result.addSkip(self, "not a test")
            result.stopTest(self)
            return result
        return super().run(result)

    def setUp(self) -> None:
        """Start from a fresh default graph, and from the same random numbers."""
        super().setUp()
        from wengert.functions.random import set_seed

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

    def id(self) -> str:
        """Return the name of the test."""
        return super().id()

    def get_temp_dir(self) -> str:
        """Return a folder for this test's files, made when first asked for."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(dir=get_temp_dir())
        return self._folder

    create_tempdir = get_temp_dir

    # --- running -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def session(self, graph: Any = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False) -> Iterator[Any]:
        """Enter a new session; eagerly what stands for one."""
        if state.graph is None and graph is None:
            yield _EagerSession(self)
            return
        with Session(graph=graph, config=config) as session:
            yield session

    @contextlib.contextmanager
    def cached_session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False
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
    def test_session(self, graph: Any = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False) -> Iterator[Any]:
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

    # --- comparing ---------------------------------------------------------------------------------------------

    def _GetNdArray(self, a: Any) -> Any:
        if isinstance(a, np.ndarray):
            return a
        if isinstance(a, EagerTensor):
            return a.numpy()  # it has its value, whatever graph is the default
        if isinstance(a, Tensor | Variable) or hasattr(a, "_as_tensor"):
            a = self.evaluate(a)
        if isinstance(a, list | tuple) and any(isinstance(v, Tensor | Variable) for v in nest.flatten(a)):
            a = self.evaluate(list(a))
        return np.array(a) if not isinstance(a, np.ndarray) else a

    def assertAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Assert that two arrays have the same shape and elements; NaN equals NaN."""
        msg = msg or ""
        x, y = self._GetNdArray(a), self._GetNdArray(b)
        if x.dtype.kind in "OSU" or y.dtype.kind in "OSU":
            x, y = _as_bytes(x), _as_bytes(y)
        if y.ndim <= 3 or y.size < 500:
            self.assertEqual(x.shape, y.shape, f"Shape mismatch: expected {x.shape}, got {y.shape}. Contents: {y}. {msg}")
        else:
            self.assertEqual(x.shape, y.shape, f"Shape mismatch: expected {x.shape}, got {y.shape}. {msg}")
        same = x == y
        if x.dtype.kind in "fc" and y.dtype.kind in "fc":
            same = np.logical_or(same, np.logical_and(np.isnan(x), np.isnan(y)))
        if not np.all(same):
            where = np.where(np.logical_not(same))
            raise AssertionError(
                f"Arrays are not equal (mismatch {np.mean(np.logical_not(same)) * 100:.4g}%): they differ at {where}: "
                f"{x[where] if x.ndim else x} not equal to {y[where] if y.ndim else y}. {msg}"
            )

    def assertNotAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Assert that two arrays differ."""
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        raise AssertionError(f"The two values are equal at all elements. {msg or ''}")

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """Assert that two arrays, or structures of arrays, have the same shapes and nearly the same elements.

        Raises:
            ValueError: if the structures differ in kind.
        """
        self._close(a, b, rtol, atol, [], msg)

    def _close(self, a: Any, b: Any, rtol: float, atol: float, path: list[Any], msg: Any) -> None:
        a, b = _as_parts(a), _as_parts(b)
        where = f" at {path}" if path else ""
        if isinstance(a, Mapping) != isinstance(b, Mapping):
            raise ValueError(f"Can't compare dict to non-dict, {a} vs {b}{where}. {msg or ''}")
        if isinstance(a, Mapping):
            self.assertCountEqual(a.keys(), b.keys(), msg=f"mismatched keys{where}. {msg or ''}")
            for k in a:
                self._close(a[k], b[k], rtol, atol, [*path, k], msg)
        elif isinstance(a, list | tuple) or isinstance(b, list | tuple):
            try:
                x, y = self._GetNdArray(a), self._GetNdArray(b)
                if x.dtype.kind == "O" or y.dtype.kind == "O":
                    raise TypeError("a structure")
            except (TypeError, ValueError):
                if not isinstance(a, list | tuple) or not isinstance(b, list | tuple) or len(a) != len(b):
                    raise ValueError(f"Mismatched structures{where}: {a} and {b}. {msg or ''}") from None
                for i, (one, other) in enumerate(zip(a, b, strict=True)):
                    self._close(one, other, rtol, atol, [*path, i], msg)
            else:
                self._arrays_close(x, y, rtol, atol, where, msg)
        else:
            self._arrays_close(self._GetNdArray(a), self._GetNdArray(b), rtol, atol, where, msg)

    def _arrays_close(self, a: Any, b: Any, rtol: float, atol: float, where: str, msg: Any) -> None:
        if a.shape != b.shape:
            raise AssertionError(f"Shape mismatch{where}: expected {a.shape}, got {b.shape} with contents {b}. {msg or ''}")
        if np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True):
            return
        wrong = np.logical_not(np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True))
        x, y = np.asarray(a)[wrong], np.asarray(b)[wrong]
        with np.errstate(all="ignore"):
            raise AssertionError(
                f"Values are not close{where}: rtol {rtol}, atol {atol}; {wrong.sum()} of {wrong.size} differ.\n"
                f"not close where = {np.where(np.atleast_1d(wrong))}\nnot close lhs = {x}\nnot close rhs = {y}\n"
                f"not close dif = {np.abs(x - y)}\n{msg or ''}"
            )

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """Assert that two arrays differ, or are not close."""
        try:
            self.assertAllClose(a, b, rtol, atol)
        except AssertionError:
            return
        raise AssertionError(f"The two values are close at all elements. {msg or ''}")

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: Any = None,
    ) -> None:
        """Assert closeness, within what the coarser of the dtypes allows."""
        x, y = self._GetNdArray(a), self._GetNdArray(b)
        names = {x.dtype.name, y.dtype.name}
        if names & {"float32", "complex64"}:
            rtol, atol = max(rtol, float_rtol), max(atol, float_atol)
        if "float16" in names:
            rtol, atol = max(rtol, half_rtol), max(atol, half_atol)
        self.assertAllClose(x, y, rtol=rtol, atol=atol, msg=msg)

    def assertNear(self, f1: Any, f2: Any, err: Any, msg: Any = None) -> None:
        """Assert that two numbers differ by at most err."""
        self.assertTrue(
            f1 == f2 or np.fabs(f1 - f2) <= err,
            f"{f1} != {f2} +/- {err}{' (' + msg + ')' if msg is not None else ''}",
        )

    def assertArrayNear(self, farray1: Any, farray2: Any, err: Any, msg: Any = None) -> None:
        """Assert that the elements of two sequences differ by at most err."""
        self.assertEqual(len(farray1), len(farray2), msg=msg)
        for one, other in zip(farray1, farray2, strict=True):
            self.assertNear(float(one), float(other), err, msg=msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: Any, msg: Any = None) -> None:
        """Assert that the norm of the difference of two arrays is less than err."""
        self.assertTrue(self._NDArrayNear(ndarray1, ndarray2, err), msg=msg)

    def _NDArrayNear(self, a: Any, b: Any, err: Any) -> bool:
        return bool(np.linalg.norm(np.asarray(a) - np.asarray(b)) < err)

    def assertShapeEqual(self, input_a: Any, input_b: Any, msg: Any = None) -> None:
        """Assert that two tensors or arrays have the same static shape."""
        for one in (input_a, input_b):
            if not isinstance(one, np.ndarray | np.generic | Tensor | Variable):
                raise TypeError(f"Each input must be a tensor or an array, not {type(one)}.")
        self.assertEqual(_static(input_a), _static(input_b), msg=msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """Assert that a tensor or array, or each of a list, has a dtype."""
        for one in target if isinstance(target, list) else [target]:
            actual = one.dtype if hasattr(one, "dtype") else self._GetNdArray(one).dtype
            name = getattr(actual, "as_numpy_dtype", actual)
            self.assertEqual(np.dtype(name), np.dtype(getattr(expected_dtype, "as_numpy_dtype", expected_dtype)))

    def _compare(self, a: Any, b: Any, relation: Callable[[Any, Any], Any], words: str) -> None:
        x = self._GetNdArray(a)
        if not np.all(relation(x, self._GetNdArray(b))):
            raise AssertionError(f"Not all elements are {words} {b}: {x}")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Assert that all elements are greater than a number."""
        self._compare(a, comparison_target, operator.gt, "greater than")

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Assert that no element is less than a number."""
        self._compare(a, comparison_target, operator.ge, "greater than or equal to")

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Assert that all elements are less than a number."""
        self._compare(a, comparison_target, operator.lt, "less than")

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Assert that no element is greater than a number."""
        self._compare(a, comparison_target, operator.le, "less than or equal to")

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """Assert that all elements lie within bounds, which belong to the range unless it is open there; NaN does not."""
        x = self._GetNdArray(target)
        if x.dtype.kind not in "fiu":
            raise AssertionError(f"The value of dtype {x.dtype} is not numeric.")
        low = x > lower_bound if open_lower_bound else x >= lower_bound
        high = x < upper_bound if open_upper_bound else x <= upper_bound
        if not np.all(low & high):
            raise AssertionError(f"Some elements are not in the range from {lower_bound} to {upper_bound}: {x}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        """Assert that all elements are among those of a set."""
        x = self._GetNdArray(target)
        rest = [v for v in x.ravel().tolist() if v not in set(expected_set)]
        if rest:
            raise AssertionError(f"{len(rest)} of {x.size} elements are not in the set {expected_set}: {rest[:10]}")

    def assertRaisesWithPredicateMatch(self, exception_type: Any, expected_err_re_or_predicate: Any) -> Any:
        """Return a context that expects an error for which a predicate holds, or whose text a pattern finds."""
        if callable(expected_err_re_or_predicate):
            predicate = expected_err_re_or_predicate
        else:

            def predicate(error: Any) -> bool:
                text = error.message if isinstance(error, OpError) else str(error)
                return bool(re.search(expected_err_re_or_predicate, text))

        return _ErrorRaised(self, exception_type, predicate)

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """Return a context that expects an operation's error."""
        return self.assertRaisesWithPredicateMatch(OpError, expected_err_re_or_predicate)

    def assertRaisesIncompatibleShapesError(
        self, exception_type: Any = OpError, expected_message: str = "Incompatible shapes|Dimensions must be equal"
    ) -> Any:
        """Return a context that expects an error about shapes."""
        return self.assertRaisesWithPredicateMatch(exception_type, expected_message)

    def assertStartsWith(self, actual: str, expected_start: str, msg: Any = None) -> None:
        """Assert how a string begins."""
        if not actual.startswith(expected_start):
            self.fail(f"{actual!r} does not start with {expected_start!r}. {msg or ''}")

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: Any, msg: Any = None, **options: Any) -> None:
        """Assert that the fields of a configuration are those of another one, or of a text of lines ``field: value``."""
        wanted = expected_message_maybe_ascii
        if isinstance(wanted, str):
            fields = dict(re.findall(r"(\w+)\s*:\s*(\S+)", wanted))
            for name, text in fields.items():
                self.assertEqual(text.strip("\"'").lower(), str(getattr(message, name)).lower(), msg)
        else:
            self.assertEqual(wanted, message, msg)

    # --- what absl's test case has -----------------------------------------------------------------------------

    def assertLen(self, container: Any, expected_len: int, msg: Any = None) -> None:
        """Assert the number of elements."""
        if len(container) != expected_len:
            self.fail(f"{container!r} has length of {len(container)}, expected {expected_len}. {msg or ''}")

    def assertEmpty(self, container: Any, msg: Any = None) -> None:
        """Assert that there are no elements."""
        if len(container):
            self.fail(f"{container!r} has length of {len(container)}, expected 0. {msg or ''}")

    def assertNotEmpty(self, container: Any, msg: Any = None) -> None:
        """Assert that there are elements."""
        if not len(container):
            self.fail(f"{container!r} is empty. {msg or ''}")

    def assertBetween(self, value: Any, minv: Any, maxv: Any, msg: Any = None) -> None:
        """Assert minv <= value <= maxv."""
        if not minv <= value <= maxv:
            self.fail(f"{value!r} unexpectedly not between {minv!r} and {maxv!r}. {msg or ''}")

    def assertSameElements(self, expected_seq: Any, actual_seq: Any, msg: Any = None) -> None:
        """Assert that two sequences have the same set of elements."""
        self.assertEqual(set(expected_seq), set(actual_seq), msg)

    def assertItemsEqual(self, expected_seq: Any, actual_seq: Any, msg: Any = None) -> None:
        """Assert that two sequences have the same elements, in any order."""
        self.assertCountEqual(expected_seq, actual_seq, msg)

    def assertSequenceAlmostEqual(
        self, expected_seq: Any, actual_seq: Any, places: Any = None, msg: Any = None, delta: Any = None
    ) -> None:
        """Assert that the elements of two sequences are almost equal."""
        self.assertEqual(len(expected_seq), len(actual_seq), msg)
        for one, other in zip(expected_seq, actual_seq, strict=True):
            self.assertAlmostEqual(one, other, places=places, msg=msg, delta=delta)

    def assertContainsInOrder(self, strings: Any, target: str, msg: Any = None) -> None:
        """Assert that strings occur in a text, one after the other."""
        at = 0
        for string in [strings] if isinstance(strings, str) else strings:
            found = target.find(string, at)
            if found < 0:
                self.fail(f"{string!r} does not follow in {target!r}. {msg or ''}")
            at = found + len(string)

    def assertContainsSubsequence(self, container: Any, subsequence: Any, msg: Any = None) -> None:
        """Assert that elements occur in this order."""
        rest = iter(container)
        if not all(any(one == item for item in rest) for one in subsequence):
            self.fail(f"{subsequence!r} is no subsequence of {container!r}. {msg or ''}")

    def assertMultiLineEqual(self, first: str, second: str, msg: Any = None) -> None:
        """Assert that two texts are equal; show their difference."""
        if first != second:
            shown = "".join(difflib.ndiff(first.splitlines(True), second.splitlines(True)))
            self.fail(f"{msg or 'the texts differ'}:\n{shown}")

    @contextlib.contextmanager
    def captureWritesToStream(self, stream: Any) -> Iterator[Any]:
        """Catch what is written to a stream; the value of the context has a method ``contents()``."""
        captured = _Captured(stream)
        captured.flush()
        descriptor = stream.fileno()
        kept = os.dup(descriptor)
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), descriptor)
            captured.file = file
            try:
                yield captured
            finally:
                captured.flush()
                captured.text = captured.contents()
                captured.file = None
                os.dup2(kept, descriptor)
                os.close(kept)

    def checkedThread(self, target: Any, args: Any = None, kwargs: Any = None) -> Any:
        """Return a thread whose failure is the test's when it is joined."""
        return _CheckedThread(target, args or (), kwargs or {})

    @contextlib.contextmanager
    def assertErrorLoggedWithin(self, *arguments: Any) -> Iterator[None]:
        """Accept whatever is logged."""
        yield


class _Captured:
    """What is being written to a stream."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.text = stream, ""
        self.file: Any = None

    def flush(self) -> None:
        with contextlib.suppress(ValueError):
            self.stream.flush()

    def contents(self) -> str:
        if self.file is None:
            return self.text
        self.flush()
        self.file.seek(0)
        return bytes(self.file.read()).decode()


class _CheckedThread:
    """A thread that keeps what its target raises."""

    def __init__(self, target: Any, args: Any, kwargs: Any) -> None:
        import threading

        self._error: BaseException | None = None

        def run() -> None:
            try:
                target(*args, **kwargs)
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=run)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def join(self) -> None:
        """Wait, and raise what the target raised."""
        self._thread.join()
        if self._error is not None:
            raise AssertionError(f"Error in checkedThread: {self._error}") from self._error

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()


def _needs_session(t: Any) -> bool:
    if isinstance(t, Variable):
        return t._graph is not None
    return (isinstance(t, Tensor) and not isinstance(t, EagerTensor)) or type(t).__name__ == "Node"


def _value(t: Any) -> Any:
    if t is None or isinstance(t, np.ndarray):
        return t
    if isinstance(t, IndexedSlices):
        from wengert.modes.session import IndexedSlicesValue

        shape = None if t.dense_shape is None else _value(t.dense_shape)
        return IndexedSlicesValue(_value(t.values), _value(t.indices), shape)
    return t.numpy() if hasattr(t, "numpy") else t() if callable(t) else t


def _as_bytes(a: Any) -> Any:
    return np.array([v.encode() if isinstance(v, str) else v for v in a.ravel().tolist()], object).reshape(a.shape)


def _as_parts(value: Any) -> Any:
    if isinstance(value, IndexedSlices):
        return value._as_tensor()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    return value


def _static(value: Any) -> list[Any] | None:
    shape = TensorShape(value.shape)
    return None if shape.rank is None else shape.as_list()
