"""The assertions about tensors, arrays, numbers and structures of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.ground import nest
from wengert.ground.shapes import TensorShape
from wengert.ground.types import Array
from wengert.modes.slices import IndexedSlices
from wengert.modes.variable import Variable
from wengert.surface.testing.sessions import Sessions
from wengert.tensor.tensor import EagerTensor, Tensor, TensorLike


class Arrays(Sessions):
    """A test that compares what it evaluates."""

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

    def assertAllEqual(self, a: TensorLike, b: TensorLike, msg: str | None = None) -> None:
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

    def assertNotAllEqual(self, a: TensorLike, b: TensorLike, msg: str | None = None) -> None:
        """Assert that two arrays differ."""
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        raise AssertionError(f"The two values are equal at all elements. {msg or ''}")

    def assertAllClose(
        self, a: TensorLike, b: TensorLike, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None
    ) -> None:
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

    def assertNotAllClose(
        self, a: TensorLike, b: TensorLike, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None
    ) -> None:
        """Assert that two arrays differ, or are not close."""
        try:
            self.assertAllClose(a, b, rtol, atol)
        except AssertionError:
            return
        raise AssertionError(f"The two values are close at all elements. {msg or ''}")

    def assertAllCloseAccordingToType(
        self,
        a: TensorLike,
        b: TensorLike,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: str | None = None,
    ) -> None:
        """Assert closeness, within what the coarser of the dtypes allows."""
        x, y = self._GetNdArray(a), self._GetNdArray(b)
        names = {x.dtype.name, y.dtype.name}
        if names & {"float32", "complex64"}:
            rtol, atol = max(rtol, float_rtol), max(atol, float_atol)
        if "float16" in names:
            rtol, atol = max(rtol, half_rtol), max(atol, half_atol)
        self.assertAllClose(x, y, rtol=rtol, atol=atol, msg=msg)

    def assertNear(self, f1: Any, f2: Any, err: Any, msg: str | None = None) -> None:
        """Assert that two numbers differ by at most err."""
        self.assertTrue(
            f1 == f2 or np.fabs(f1 - f2) <= err,
            f"{f1} != {f2} +/- {err}{' (' + msg + ')' if msg is not None else ''}",
        )

    def assertArrayNear(self, farray1: Any, farray2: Any, err: Any, msg: str | None = None) -> None:
        """Assert that the elements of two sequences differ by at most err."""
        self.assertEqual(len(farray1), len(farray2), msg=msg)
        for one, other in zip(farray1, farray2, strict=True):
            self.assertNear(float(one), float(other), err, msg=msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: Any, msg: str | None = None) -> None:
        """Assert that the norm of the difference of two arrays is less than err."""
        self.assertTrue(self._NDArrayNear(ndarray1, ndarray2, err), msg=msg)

    def _NDArrayNear(self, a: TensorLike, b: TensorLike, err: Any) -> bool:
        return bool(np.linalg.norm(np.asarray(a) - np.asarray(b)) < err)

    def assertShapeEqual(self, input_a: Any, input_b: Any, msg: str | None = None) -> None:
        """Assert that two tensors or arrays have the same static shape."""
        for one in (input_a, input_b):
            if not isinstance(one, np.ndarray | np.generic | Tensor | Variable):
                raise TypeError(f"Each input must be a tensor or an array, not {type(one)}.")
        self.assertEqual(_static(input_a), _static(input_b), msg=msg)

    def assertDTypeEqual(self, target: Array, expected_dtype: Any) -> None:
        """Assert that a tensor or array, or each of a list, has a dtype."""
        for one in target if isinstance(target, list) else [target]:
            actual = one.dtype if hasattr(one, "dtype") else self._GetNdArray(one).dtype
            name = getattr(actual, "as_numpy_dtype", actual)
            self.assertEqual(np.dtype(name), np.dtype(getattr(expected_dtype, "as_numpy_dtype", expected_dtype)))

    def _compare(self, a: TensorLike, b: TensorLike | None, relation: Callable[[Any, Any], Any], words: str) -> None:
        x = self._GetNdArray(a)
        if not np.all(relation(x, self._GetNdArray(b))):
            raise AssertionError(f"Not all elements are {words} {b}: {x}")

    def assertAllGreater(self, a: TensorLike, comparison_target: Any) -> None:
        """Assert that all elements are greater than a number."""
        self._compare(a, comparison_target, operator.gt, "greater than")

    def assertAllGreaterEqual(self, a: TensorLike, comparison_target: Any) -> None:
        """Assert that no element is less than a number."""
        self._compare(a, comparison_target, operator.ge, "greater than or equal to")

    def assertAllLess(self, a: TensorLike, comparison_target: Any) -> None:
        """Assert that all elements are less than a number."""
        self._compare(a, comparison_target, operator.lt, "less than")

    def assertAllLessEqual(self, a: TensorLike, comparison_target: Any) -> None:
        """Assert that no element is greater than a number."""
        self._compare(a, comparison_target, operator.le, "less than or equal to")

    def assertAllInRange(
        self,
        target: TensorLike,
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

    def assertAllInSet(self, target: TensorLike, expected_set: Any) -> None:
        """Assert that all elements are among those of a set."""
        x = self._GetNdArray(target)
        rest = [v for v in x.ravel().tolist() if v not in set(expected_set)]
        if rest:
            raise AssertionError(f"{len(rest)} of {x.size} elements are not in the set {expected_set}: {rest[:10]}")


def _as_bytes(a: Any) -> Any:
    return np.array([v.encode() if isinstance(v, str) else v for v in a.ravel().tolist()], object).reshape(a.shape)


def _as_parts(value: Array | None) -> Any:
    if isinstance(value, IndexedSlices):
        return value._as_tensor()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    return value


def _static(value: Array) -> list[Any] | None:
    shape = TensorShape(value.shape)
    return None if shape.rank is None else shape.as_list()
