"""The namespace of the array API standard: its names, signatures and dtypes, NumPy's values, derivatives; exchange."""

import inspect
import warnings

import numpy as np
import pytest

import wengert as tf
from wengert import array_api as xp
from wengert.errors import LostDerivativeWarning
from wengert.tensor.exchange import recorded_functions

RNG = np.random.default_rng(0)
X = RNG.uniform(0.2, 0.9, 6)
M = RNG.normal(size=(3, 3))
SPD = M @ M.T + 3.0 * np.eye(3)

# The names of the standard, version 2024.12, by its sections.
NAMES = """
    e inf nan newaxis pi bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128
    arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like tril triu zeros zeros_like
    astype can_cast finfo iinfo isdtype result_type
    abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or bitwise_right_shift
    bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater greater_equal hypot imag
    isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not logical_or logical_xor maximum
    minimum multiply negative nextafter not_equal positive pow real reciprocal remainder round sign signbit sin sinh square sqrt
    subtract tan tanh trunc take take_along_axis matmul matrix_transpose tensordot vecdot
    broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack
    argmax argmin count_nonzero nonzero searchsorted where unique_all unique_counts unique_inverse unique_values argsort sort
    cumulative_prod cumulative_sum max mean min prod std sum var all any diff linalg fft
    __array_api_version__ __array_namespace_info__
""".split()
LINALG = """
    cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer pinv qr
    slogdet solve svd svdvals tensordot trace vecdot vector_norm
""".split()
FFT = "fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift".split()


def test_the_names_are_those_of_the_standard():
    assert sorted(xp.__all__) == sorted(NAMES)
    assert sorted(xp.linalg.__all__) == sorted(LINALG)
    assert sorted(xp.fft.__all__) == sorted(FFT)
    assert xp.__array_api_version__ == "2024.12"


@pytest.mark.parametrize(
    "name, keywords",
    [
        ("sum", "axis dtype keepdims"), ("var", "axis correction keepdims"), ("max", "axis keepdims"),
        ("argmax", "axis keepdims"),
        ("sort", "axis descending stable"), ("diff", "axis n prepend append"), ("cumulative_sum", "axis dtype include_initial"),
        ("searchsorted", "side sorter"), ("asarray", "dtype device copy"), ("linspace", "dtype device endpoint"),
        ("astype", "copy device"), ("concat", "axis"), ("reshape", "copy"), ("take_along_axis", "axis"),
    ],
)  # fmt: skip
def test_what_the_standard_names_is_a_keyword(name, keywords):
    parameters = inspect.signature(getattr(xp, name)).parameters
    assert [n for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY] == keywords.split()


def test_a_tensor_tells_its_namespace():
    x = tf.constant([1.0])
    assert x.__array_namespace__() is xp and x.__array_namespace__(api_version="2022.12") is xp
    assert tf.Variable([1.0]).__array_namespace__() is xp
    with pytest.raises(ValueError, match=r"2020\.01"):
        x.__array_namespace__(api_version="2020.01")
    found = []
    tf.function(lambda x: found.append(x.__array_namespace__()) or xp.sin(x))(x)
    assert found == [xp]


# --- dtypes -----------------------------------------------------------------------------------------------------------

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float32", "float64", "complex64", "complex128")


@pytest.mark.parametrize("group", [INTEGERS, FLOATS])
def test_dtypes_promote_by_the_tables_of_the_standard(group):
    for a in group:
        for b in group:
            x, y = xp.ones(2, dtype=a), xp.ones(2, dtype=b)
            wanted = np.promote_types(a, b)
            if wanted.kind == "f" and a in INTEGERS:  # uint64 with signed integers: the standard says nothing
                with pytest.raises(TypeError):
                    xp.result_type(x, y)
                with pytest.raises(TypeError):
                    _ = x + y
                continue
            assert xp.result_type(x, y) == xp.add(x, y).dtype == (x * y).dtype == (x - y).dtype == wanted.name, (a, b)
            assert (x == y).dtype == "bool"


@pytest.mark.parametrize("name", INTEGERS + FLOATS)
def test_a_python_number_takes_the_dtype_of_the_tensor(name):
    x = xp.ones(2, dtype=name)
    assert (x + 1).dtype == (2 * x).dtype == xp.multiply(x, 3).dtype == xp.result_type(x, 1) == name
    if name in FLOATS:
        assert (x + 1.5).dtype == xp.pow(x, 0.5).dtype == name
    assert xp.result_type(xp.float32, 1j) == xp.complex64


def test_limits_kinds_and_casts():
    assert xp.finfo(xp.float32).max == float(np.finfo(np.float32).max) and type(xp.finfo(xp.float64).eps) is float
    assert xp.finfo(xp.ones(1, dtype=xp.complex128)).dtype == xp.float64
    assert (xp.iinfo(xp.int8).min, xp.iinfo(xp.uint16).max, xp.iinfo(xp.int64).bits) == (-128, 65535, 64)
    assert xp.isdtype(xp.uint8, "integral") and not xp.isdtype(xp.uint8, "signed integer")
    assert xp.can_cast(xp.int8, xp.int64) and not xp.can_cast(xp.int64, xp.int8) and not xp.can_cast(xp.uint64, xp.int64)
    with pytest.raises(ValueError, match="kind"):
        xp.isdtype(xp.int8, "whole")
    info = xp.__array_namespace_info__()
    assert info.default_device() in info.devices() and info.default_dtypes()["real floating"] == xp.asarray(0.5).dtype
    assert sorted(info.dtypes(kind="integral")) == sorted(INTEGERS) and info.capabilities()["boolean indexing"]
    x = xp.ones(2)
    assert x.to_device(x.device) is x
    with pytest.raises(ValueError, match="cuda"):
        xp.ones(2, device="cuda:0")


# --- values: NumPy's --------------------------------------------------------------------------------------------------

A = RNG.normal(size=(2, 3))
WHOLE = np.array([[5, -3, 0], [7, 2, -8]], dtype=np.int16)
CALLS = {
    "sum of integers": lambda m, x, i: m.sum(i, axis=1),
    "prod": lambda m, x, i: m.prod(x, axis=0, keepdims=True),
    "var": lambda m, x, i: m.var(x, axis=1, correction=1),
    "std": lambda m, x, i: m.std(x, correction=0.5),
    "max": lambda m, x, i: m.max(x, axis=(0, 1)),
    "argmin": lambda m, x, i: m.argmin(x, axis=1, keepdims=True),
    "cumulative_sum": lambda m, x, i: m.cumulative_sum(x, axis=1, include_initial=True),
    "cumulative_prod": lambda m, x, i: m.cumulative_prod(i, axis=0),
    "sort": lambda m, x, i: -m.sort(-x, axis=0),
    "argsort": lambda m, x, i: m.argsort(x, axis=-1),
    "unique_all": lambda m, x, i: m.unique_all(m.asarray([3, 1, 3, 2, 1]))[3],
    "unique_inverse": lambda m, x, i: m.unique_inverse(m.asarray([3, 1, 3, 2, 1])).inverse_indices,
    "take": lambda m, x, i: m.take(x, m.asarray([2, -1]), axis=1),
    "take_along_axis": lambda m, x, i: m.take_along_axis(x, m.argsort(x, axis=1), axis=1),
    "searchsorted": lambda m, x, i: m.searchsorted(m.asarray([1.0, 2.0]), x, side="right"),
    "where": lambda m, x, i: m.where(x > 0, x, 0.0),
    "nonzero": lambda m, x, i: m.nonzero(i)[1],
    "places": lambda m, x, i: x[m.asarray([1, 0]), m.asarray([2, -1])],
    "mask": lambda m, x, i: x[x > 0],
    "diff": lambda m, x, i: m.diff(x, axis=1, prepend=m.zeros((2, 1))),
    "roll": lambda m, x, i: m.roll(x, (1, 2), axis=(0, 1)),
    "repeat": lambda m, x, i: m.repeat(x, 2, axis=0),
    "tile": lambda m, x, i: m.tile(x, (2, 1)),
    "concat": lambda m, x, i: m.concat([x, m.astype(i, m.float64)], axis=None),
    "matrix_transpose": lambda m, x, i: m.matrix_transpose(x) @ x,
    "mT": lambda m, x, i: x.mT,
    "matmul of vectors": lambda m, x, i: x[0] @ x[1] + x @ x[0] @ x,
    "vecdot": lambda m, x, i: m.vecdot(x + 1j, x),
    "tensordot": lambda m, x, i: m.tensordot(x, x, axes=((1,), (1,))),
    "signbit": lambda m, x, i: m.signbit(m.asarray([-0.0, 0.0, -3.0, float("inf")])),
    "copysign": lambda m, x, i: m.copysign(m.asarray([1.0, -2.0, 0.0]), m.asarray(-0.0)),
    "clip": lambda m, x, i: m.clip(i, -2, 3),
    "remainder": lambda m, x, i: m.remainder(i, 3),
    "floor of integers": lambda m, x, i: m.floor(i),
    "round of complex": lambda m, x, i: m.round(x + 2.5j),
    "logical": lambda m, x, i: m.logical_xor(x > 0, i > 0),
    "shift": lambda m, x, i: m.bitwise_left_shift(i, 2),
    "linspace": lambda m, x, i: m.linspace(0.0, 1.0, 7, endpoint=False),
    "arange": lambda m, x, i: m.arange(5, 1, -2),
    "eye": lambda m, x, i: m.eye(2, 3, k=1),
    "triu": lambda m, x, i: m.triu(x, k=1),
    "meshgrid": lambda m, x, i: m.meshgrid(x[0], x[1], indexing="ij")[1],
    "fft": lambda m, x, i: m.fft.fft(x, n=5, axis=0, norm="ortho"),
    "ifftn": lambda m, x, i: m.fft.ifftn(x + 0j, norm="forward"),
    "rfftn": lambda m, x, i: m.fft.rfftn(x, s=(2, 4), axes=(0, 1)),
    "irfftn": lambda m, x, i: m.fft.irfftn(m.fft.rfftn(x), s=(2, 3), axes=(0, 1)),
    "hfft": lambda m, x, i: m.fft.hfft(x[0] + 1j * x[1], norm="ortho"),
    "ihfft": lambda m, x, i: m.fft.ihfft(x[0], n=4, norm="forward"),
    "rfftfreq": lambda m, x, i: m.fft.rfftfreq(5, d=0.1),
    "fftshift": lambda m, x, i: m.fft.fftshift(x, axes=1),
    "matrix_norm": lambda m, x, i: m.linalg.matrix_norm(x, ord="nuc"),
    "matrix_norm -1": lambda m, x, i: m.linalg.matrix_norm(x, ord=-1, keepdims=True),
    "vector_norm": lambda m, x, i: m.linalg.vector_norm(x, axis=1, ord=3),
    "matrix_rank": lambda m, x, i: m.linalg.matrix_rank(m.matrix_transpose(x) @ x),
    "pinv": lambda m, x, i: m.linalg.pinv(x),
    "matrix_power": lambda m, x, i: m.linalg.matrix_power(x @ m.matrix_transpose(x), -2),
    "solve": lambda m, x, i: m.linalg.solve(x @ m.matrix_transpose(x), m.asarray([1.0, 2.0])),
    "slogdet": lambda m, x, i: m.linalg.slogdet(x @ m.matrix_transpose(x)).logabsdet,
    "cholesky": lambda m, x, i: m.linalg.cholesky(x @ m.matrix_transpose(x), upper=True),
    "svd": lambda m, x, i: m.linalg.svd(x, full_matrices=False).S,
    "trace": lambda m, x, i: m.linalg.trace(i, offset=1),
    "cross": lambda m, x, i: m.linalg.cross(x[0], x[1]),
    "outer": lambda m, x, i: m.linalg.outer(x[0], x[1]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_values_and_dtypes_are_numpys(name):
    expected = np.asarray(CALLS[name](np, A, WHOLE))
    found = CALLS[name](xp, xp.asarray(A), xp.asarray(WHOLE))
    assert found.dtype == expected.dtype.name and tuple(found.shape) == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["sum of integers", "var", "cumulative_sum", "where", "vecdot", "fft", "matrix_norm", "solve"])
def test_a_traced_function_gives_the_same(name):
    eager = CALLS[name](xp, xp.asarray(A), xp.asarray(WHOLE))
    traced = tf.function(lambda x, i: CALLS[name](x.__array_namespace__(), x, i))(xp.asarray(A), xp.asarray(WHOLE))
    np.testing.assert_allclose(traced.numpy(), eager.numpy(), rtol=1e-12)


def test_nan_is_distinct_and_a_scalar_mask_adds_an_axis():
    found = xp.unique_all(xp.asarray([np.nan, 1.0, np.nan]))
    assert found.counts.numpy().tolist() == [1, 1, 1] and found.inverse_indices.numpy().tolist() == [1, 0, 2]
    assert xp.asarray(2.0)[xp.asarray(True)].numpy().tolist() == [2.0]
    with pytest.raises(IndexError, match="mask"):
        _ = xp.ones(3)[xp.asarray([True, False])]


def test_assignment_is_refused_with_what_to_do():
    x = xp.ones(3)
    with pytest.raises(TypeError, match=r"a tensor does not change.*where"):
        x[0] = 2.0
    y = x
    y += 1.0
    assert x.numpy().tolist() == [1.0] * 3 and y.numpy().tolist() == [2.0] * 3


# --- derivatives ------------------------------------------------------------------------------------------------------

DERIVED = {
    "logaddexp": lambda m, x: m.logaddexp(x, x * x),
    "hypot": lambda m, x: m.hypot(x, m.sin(x)),
    "copysign": lambda m, x: m.copysign(x * x, x - 0.5),
    "log2": lambda m, x: m.log2(x),
    "log10": lambda m, x: m.log10(1.0 + x),
    "pow": lambda m, x: m.pow(x, x),
    "clip": lambda m, x: m.clip(x * x, 0.1, 0.5),
    "std": lambda m, x: m.std(x, correction=1) * x,
    "cumulative_prod": lambda m, x: m.cumulative_prod(x),
    "sort": lambda m, x: m.sort(m.sin(3 * x)) * x,
    "take": lambda m, x: m.take(x * x, m.asarray([0, 3, 3])),
    "places": lambda m, x: (x * x)[m.asarray([0, 2, 2])],
    "diff": lambda m, x: m.diff(x**3, n=2),
    "fft": lambda m, x: m.abs(m.fft.fft(x)) ** 2 * m.abs(m.fft.fft(x)),
    "irfft": lambda m, x: m.fft.irfft(m.fft.rfft(x) ** 2),
    "vector_norm": lambda m, x: m.linalg.vector_norm(x, ord=3),
    "matrix_norm": lambda m, x: m.linalg.matrix_norm(m.reshape(x, (2, 3)), ord="fro"),
    "det": lambda m, x: m.linalg.det(m.reshape(x, (2, 3)) @ m.matrix_transpose(m.reshape(x, (2, 3)))),
    "solve": lambda m, x: m.linalg.solve(m.reshape(x[:4], (2, 2)) + 2.0 * m.eye(2), x[4:]),
    "matrix_power": lambda m, x: m.linalg.matrix_power(m.reshape(x[:4], (2, 2)), 3),
    "trace": lambda m, x: m.linalg.trace(m.linalg.outer(x, m.sin(x))),
    "vector products": lambda m, x: (x @ m.sin(x)) * x,
    "cross": lambda m, x: m.linalg.cross(x[:3], x[3:] ** 2),
}  # fmt: skip


@pytest.mark.parametrize("name", DERIVED)
def test_derivatives_of_order_1_and_2_are_jaxs(name):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        value = lambda x: DERIVED[name](jax.numpy, x).sum()  # noqa: E731
        gradient = jax.grad(value)
        expected = gradient(X), jax.grad(lambda x: (gradient(x) * X).sum())(X)
        first, second = (np.asarray(e) for e in expected)
    x = xp.asarray(X)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = xp.sum(DERIVED[name](xp, x))
        g = inner.gradient(y, x)
        z = xp.sum(g * xp.asarray(X))
    np.testing.assert_allclose(g.numpy(), first, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(outer.gradient(z, x, unconnected_gradients="zero").numpy(), second, rtol=1e-9, atol=1e-10)


def test_what_is_distinct_has_its_derivative():
    x = xp.asarray([0.5, 0.2, 0.5])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = xp.unique_values(x) ** 2
    assert tape.gradient(y, x).numpy().tolist() == [1.0, 0.4, 0.0]  # of equals, the first


# --- NumPy's functions ------------------------------------------------------------------------------------------------

RECORDED = {
    "sin": (lambda x: np.sin(x), np.cos(X)),
    "mean": (lambda x: np.mean(x), np.full(6, 1 / 6)),
    "sum": (lambda x: np.sum(x * x, axis=0, keepdims=True), 2 * X),
    "concatenate": (lambda x: np.concatenate([x, 2.0 * x]), np.full(6, 3.0)),
    "stack": (lambda x: np.stack([x, x**2], axis=1), 1 + 2 * X),
    "array @": (lambda x: np.arange(6.0) @ x, np.arange(6.0)),
    "array *": (lambda x: np.arange(6.0) * x, np.arange(6.0)),
    "array -": (lambda x: np.arange(6.0) - x, np.full(6, -1.0)),
    "array **": (lambda x: np.full(6, 2.0) ** x, np.log(2.0) * 2.0**X),
    "scalar /": (lambda x: np.float64(2.0) / x, -2.0 / X**2),
    "norm": (lambda x: np.linalg.norm(x), X / np.linalg.norm(X)),
    "where": (lambda x: np.where(X > 0.5, x, 0.0), (X > 0.5) * 1.0),
    "dot": (lambda x: np.dot(x, x), 2 * X),
    "var": (lambda x: np.var(x, ddof=1), 2 * (X - X.mean()) / 5),
    "reduce": (lambda x: np.multiply.reduce(x), np.prod(X) / X),
    "accumulate": (lambda x: np.add.accumulate(x), np.arange(6.0, 0.0, -1.0)),
    "maximum": (lambda x: np.maximum(x, 0.5), (X > 0.5) * 1.0),
    "einsum": (lambda x: np.einsum("i,i->", x, x), 2 * X),
    "reshape": (lambda x: np.reshape(x, (2, 3)), np.ones(6)),
}  # fmt: skip


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("name", RECORDED)
def test_numpys_functions_of_what_a_tape_watches_are_recorded(name, traced):
    function, expected = RECORDED[name]
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = (tf.function(function) if traced else function)(x)
    assert isinstance(y, tf.Tensor)
    np.testing.assert_allclose(y.numpy(), np.asarray(function(X)), rtol=1e-12)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-10)


def test_numpys_functions_of_other_tensors_give_arrays():
    x = tf.constant(X)
    assert isinstance(np.sin(x), np.ndarray) and isinstance(np.mean(x), np.float64)
    with tf.GradientTape() as tape:
        tape.watch(tf.constant(1.0))
        assert isinstance(np.sin(x), np.ndarray) and isinstance(np.concatenate([x, x]), np.ndarray)
        tape.watch(x)
        assert isinstance(np.argmax(x), np.integer) and isinstance(np.isnan(x), np.ndarray) and np.shape(x) == (6,)
        assert isinstance(np.sum(x), tf.Tensor)


def test_an_array_on_the_left_leaves_the_operator_to_the_tensor():
    x = tf.constant(X)
    total = np.zeros(6)
    kept = total
    total += x
    assert isinstance(total, tf.Tensor) and not kept.any()
    assert (np.full(6, 0.5) < x).dtype == "bool" and isinstance(np.ones(6) == x, tf.Tensor)


def test_what_cannot_be_recorded_is_said():
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with pytest.warns(LostDerivativeWarning, match="interp is not recorded") as told:
            y = np.interp(x, [0.0, 1.0], [0.0, 2.0])
        with pytest.warns(LostDerivativeWarning, match="sin is not recorded"):
            np.sin(x, out=np.empty(6))
    assert isinstance(y, np.ndarray) and told[0].filename == __file__
    with pytest.raises(NotImplementedError, match="symbolic"):
        tf.function(lambda x: np.interp(x, [0.0, 1.0], [0.0, 2.0]))(x)
    with pytest.raises(TypeError, match="does not change"):
        np.sin(X, out=x)


def test_a_variable_and_an_accumulator_record_too():
    v = tf.Variable(X)
    with tf.GradientTape() as tape:
        y = np.sum(np.exp(v))
    np.testing.assert_allclose(tape.gradient(y, v).numpy(), np.exp(X), rtol=1e-12)
    x = tf.constant(X)
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        y = np.cos(x)
    np.testing.assert_allclose(accumulator.jvp(y).numpy(), -np.sin(X), rtol=1e-12)


def test_under_tensorflows_names_numpys_functions_take_values():
    x = tf.constant(X)
    recorded_functions(False)
    try:
        with tf.GradientTape() as tape:
            tape.watch(x)
            assert isinstance(np.sin(x), np.ndarray) and isinstance(np.multiply(X, x), np.ndarray)
            assert isinstance(X * x, tf.Tensor) and isinstance(X @ x[:, None], tf.Tensor)
    finally:
        recorded_functions(True)


# --- exchange ---------------------------------------------------------------------------------------------------------


def test_dlpack_shares_memory_that_may_not_be_written():
    a = np.arange(3.0)
    x = xp.from_dlpack(a)
    assert np.shares_memory(x.array, a)
    back = np.from_dlpack(x)
    assert np.shares_memory(back, a) and not back.flags.writeable
    assert not np.shares_memory(xp.from_dlpack(a, copy=True).array, a)
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError, match="may not be written"):
        x.__dlpack__(copy=False)
    x.__dlpack__()  # of the old protocol: a copy
    with pytest.raises(NotImplementedError, match="symbolic"):
        tf.function(lambda x: np.from_dlpack(x))(x)


def test_jaxs_arrays_are_taken_where_tensors_are():
    jax = pytest.importorskip("jax")
    a = jax.numpy.arange(3.0)
    x = xp.from_dlpack(a)
    assert x.numpy().tolist() == [0.0, 1.0, 2.0] and x.dtype == "float32"
    assert jax.numpy.from_dlpack(tf.constant([1.0, 2.0])).tolist() == [1.0, 2.0]
    w = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(w)
        y = tf.reduce_sum(w * a) + a @ w
    assert tape.gradient(y, w).numpy().tolist() == [0.0, 2.0, 4.0]
    assert tf.convert_to_tensor(a).dtype == "float32"


def test_torchs_tensors_are_taken_where_tensors_are():
    torch = pytest.importorskip("torch")
    a = torch.arange(3.0)
    x = xp.from_dlpack(a)
    a[0] = 5.0
    assert x.numpy().tolist() == [5.0, 1.0, 2.0]
    assert tf.reduce_sum(tf.constant([1.0, 1.0, 1.0]) * a).numpy() == 8.0
    assert torch.from_dlpack(tf.constant([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_array_copies_unless_told():
    x = tf.constant([1.0, 2.0])
    assert np.asarray(x) is not x.array and np.shares_memory(np.asarray(x, copy=False), x.array)
    assert np.array(x, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copied"):
        xp.asarray(x, dtype=xp.float64, copy=False)


# --- what others write against the standard ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, function",
    [
        ("softmax", lambda m, x: m.exp(x - m.max(x)) / m.sum(m.exp(x - m.max(x)))),
        ("gmean", lambda m, x: m.exp(m.mean(m.log(x)))),
        ("standardised", lambda m, x: ((x - m.mean(x)) / m.std(x)) ** 3),
    ],
)
def test_a_function_of_a_namespace_differentiates(name, function):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        expected = np.asarray(jax.grad(lambda x: (function(jax.numpy, x) * 2.0).sum())(X))
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = xp.sum(function(x.__array_namespace__(), x) * 2.0)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-9, atol=1e-12)


def test_no_warning_where_nothing_is_lost():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            assert np.allclose(x, X) and np.argmax(x) == np.argmax(X) and np.interp(X, X, X).shape == (6,)
