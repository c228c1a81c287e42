"""`tf.experimental.numpy` against TensorFlow 2.21: values, dtypes, shapes of a table of calls; tensors in NumPy's manner."""

import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.experimental import numpy as tnp

TABLE = json.loads((Path(__file__).parent.parent / "tables/numpy_names.json").read_text())
"""What TensorFlow 2.21 answers, with numpy behaviour enabled: the dtype, shape and elements of each result."""

NAMES = {
    "b": np.array([True, False, True]), "i8": np.array([3, -2, 7], "int8"), "u8": np.array([3, 2, 200], "uint8"),
    "i": np.array([3, -2, 7], "int32"), "j": np.array([3, -2, 7]), "h": np.array([0.5, -1.25, 2.0], "float16"),
    "f": np.array([0.5, -1.25, 2.0], "float32"), "d": np.array([0.5, -1.25, 2.0]), "q": np.array([0.5, 0.25, 0.75], "float32"),
    "p": np.array([1.5, 2.5, 7.0], "float32"), "z": np.array([1 + 2j, -0.5j, 3.0], "complex64"),
    "I": np.array([[1, 2, 3], [4, 5, 7]], "int32"), "B": np.array([[True, False, True], [False, False, True]]),
    "F": np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -7.0]], "float32"), "D": np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -7.0]]),
    "C": (np.arange(12.0).reshape(2, 3, 2) ** 1.5 - 7.0).astype("float32"),
    "N": np.array([[1.0, np.nan, 3.0], [0.0, np.inf, -np.inf]]), "W": np.arange(16.0).reshape(4, 4),
    "X": np.arange(24.0).reshape(4, 2, 3), "o": np.array(2.0, "float32"),
}  # fmt: skip


@pytest.fixture
def behavior():
    yield tnp.experimental_enable_numpy_behavior
    tnp.experimental_enable_numpy_behavior(dtype_conversion_mode="off")


def elements(text: str) -> np.ndarray:
    words = text.strip("[]").split(", ") if text != "[]" else []
    return np.array([{"True": 1, "False": 0}.get(w) if w in ("True", "False") else complex(w) for w in words])


def differs(found: object, wanted: object) -> str | None:
    if isinstance(wanted, list):
        _, parts = wanted
        if len(found) != len(parts):
            return f"{len(found)} parts and not {len(parts)}"
        return next((d for a, b in zip(found, parts, strict=True) if (d := differs(a, b))), None)
    head, _, rest = wanted.removeprefix("np ").partition(" [")
    if isinstance(found, tf.Tensor) and rest:
        shape, _, values = rest.partition("] ")
        sizes = [int(s) for s in shape.split(", ")] if shape else []
        if (found.dtype.name, found.shape.as_list()) != (head, sizes):
            return f"{found.dtype.name} {found.shape} and not {head} {sizes}"
        digits = 2e-3 if head == "float16" else 2e-5 if head in ("float32", "complex64") else 1e-9
        mine = np.asarray(found).ravel().astype(complex)
        same = np.allclose(mine, elements(values), rtol=digits, atol=digits * 0.05, equal_nan=True)
        return None if same else f"{mine} and not {values}"
    if wanted.startswith("shape "):
        return None if str(tuple(found.as_list())) == wanted[6:] else f"{found} and not {wanted}"
    if isinstance(found, tf.DType):
        return None if found.name == wanted else f"{found} and not {wanted}"
    mine = f"np.dtype {found.name}" if isinstance(found, np.dtype) else f"{type(found).__name__} {found!r}"
    return None if mine == wanted else f"{mine} and not {wanted}"


@pytest.mark.parametrize("function", sorted({row.partition("(")[0].split(".")[0] for row in TABLE}))
def test_answers_are_those_of_tensorflow(function, behavior):
    behavior()
    names = {name: tf.constant(value) for name, value in NAMES.items()}
    wrong = []
    for row, wanted in TABLE.items():
        if row.partition("(")[0].split(".")[0] == function:
            found = differs(eval(f"m.{row}", {"m": tnp, "np": np, **names}), wanted)
            wrong += [f"{row}: {found}"] if found else []
    assert wrong == []


def test_all_of_numpys_names_are_there():
    """dir(tensorflow.experimental.numpy) of TensorFlow 2.21."""
    names = {row.partition("(")[0].split(".")[0] for row in TABLE}
    assert names - set(dir(tnp)) == set() and len(tnp.__all__) >= 229
    assert {"divide", "isclose", "log10", "log2", "logspace", "ptp", "reciprocal", "nan", "iinfo"} <= set(dir(tnp))
    assert {"randn", "rand", "seed", "poisson", "randint", "random", "standard_normal", "uniform"} <= set(dir(tnp.random))


SMOOTH = {
    "cross": lambda x: tnp.cross(x, [1.0, 2.0, 3.0]),
    "kron": lambda x: tnp.kron(x, x),
    "diff": tnp.diff,
    "sinc": tnp.sinc,
    "outer": lambda x: tnp.outer(x, x),
    "vander": tnp.vander,
    "trace": lambda x: tnp.trace(tnp.outer(x, x), 1),
    "logaddexp": lambda x: tnp.logaddexp(x, 2 * x),
    "logaddexp2": lambda x: tnp.logaddexp2(x, x * x),
    "rot90": lambda x: tnp.rot90(tnp.outer(x, x)),
    "take": lambda x: tnp.take(x, [2, 5]) ** 3,
    "polyval": lambda x: tnp.polyval(x, 2.0 * x),
    "average": lambda x: tnp.average(x, weights=x * x),
    "tril": lambda x: tnp.tril(tnp.outer(x, x)),
    "hypot": lambda x: tnp.hypot(x, 1.0),
    "cumprod": tnp.cumprod,
    "diagonal": lambda x: tnp.diagonal(tnp.outer(x, x * x), -1),
    "cbrt": tnp.cbrt,
    "take_along_axis": lambda x: tnp.take_along_axis(x * x, tnp.argsort(x), 0),
    "geomspace": lambda x: tnp.geomspace(x, 2 * x, 3),
    "var": lambda x: tnp.var(x, ddof=1),
}  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_pass_twice_and_functions_agree(name, behavior):
    behavior()
    f, x = SMOOTH[name], np.array([0.7, 1.3, 2.1])
    weights = np.cos(np.arange(float(np.asarray(f(tf.constant(x))).size)))

    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.reshape(f(x), [-1]) * weights)
        return tape.gradient(y, x)

    def second(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(slope(x) * [1.0, 2.0, -1.0])
        return tape.gradient(y, x, unconnected_gradients="zero")

    def differences(g):
        steps = 1e-5 * np.eye(3)
        return np.array([(np.asarray(g(tf.constant(x + s))) - np.asarray(g(tf.constant(x - s)))) / 2e-5 for s in steps])

    value = lambda x: np.sum(np.asarray(f(x)).ravel() * weights)  # noqa: E731
    np.testing.assert_allclose(slope(tf.constant(x)), differences(value), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(second(tf.constant(x)), differences(slope) @ [1.0, 2.0, -1.0], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(tf.function(second)(tf.constant(x)), second(tf.constant(x)), rtol=1e-9, atol=1e-12)


KEYS = [
    np.s_[[0, 2]], np.s_[:, [1, 0]], np.s_[[0, 1], [1, 0]], np.s_[0, :, [1, 0, 1]], np.s_[..., [2, 0]], np.s_[[[0, 1], [1, 2]]],
    np.s_[:, [0, 1], [2, 0]], np.s_[[-1], None, ..., 1:], np.s_[[True, False, True, False]], np.s_[1, (0, 0, 1), [0, 1, 1]],
    np.s_[:, (True, False)], np.s_[[0, 3], :, ::-1], np.s_[1], np.s_[1:, ..., 0], np.s_[np.array([], int)],
    np.s_[[1, 2], 1:, [0, 2]],
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_indices_are_numpys(key, behavior):
    behavior()
    array = np.arange(24.0).reshape(4, 2, 3)
    np.testing.assert_array_equal(tf.constant(array)[key], array[key])
    np.testing.assert_array_equal(tf.function(lambda x: x[key])(tf.constant(array)), array[key])
    np.testing.assert_array_equal(tf.constant(array)[tf.constant(array) > 5], array[array > 5])


def test_tensors_have_numpys_methods(behavior):
    assert not hasattr(tf.constant(1.0), "astype") or "astype" in vars(tf.Tensor)
    behavior()
    x, array = tf.constant([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    for mine, numpys in [
        (x.reshape(-1), array.reshape(-1)), (x.reshape(4, 1), array.reshape(4, 1)), (x.reshape([1, 4]), array.reshape([1, 4])),
        (x.reshape((4,), order="F"), array.reshape(4, order="F")), (x.ravel(), array.ravel()), (x.flatten(), array.flatten()),
        (x.T, array.T), (x.transpose(), array.T), (x.transpose([1, 0]), array.T), (x.clip(1.5, 3), array.clip(1.5, 3)),
        (x.max(), array.max()), (x.max(axis=1, keepdims=True), array.max(axis=1, keepdims=True)), (x.min(0), array.min(0)),
        (x.mean(0), array.mean(0)), (x.astype(tnp.int64), array.astype("int64")), (x.data, array), (x.size, 4), (x.ndim, 2),
    ]:  # fmt: skip
        np.testing.assert_array_equal(mine, numpys)
        assert np.asarray(mine).dtype == np.asarray(numpys).dtype
    assert not hasattr(x, "dot")


def kind(expression: str) -> str:
    i, f, h = tf.constant(3, tf.int32), tf.constant(2.5, tf.float32), tf.constant(1.5, tf.float16)
    given = {"i": i, "f": f, "h": h, "d": tf.constant(1.5, tf.float64), "k": tf.constant(3, tf.int8), "b": tf.constant(True),
             "u": tf.constant(5, tf.uint32), "U": tf.constant(5, tf.uint64),
             "j": tf.constant(5, tf.int64), "tf": tf, "np": np}  # fmt: skip
    try:
        found = eval(expression, given)
    except tf.errors.InvalidArgumentError:
        return "-"
    return found.dtype.name + ("*" if "weak=True" in repr(found) else "")


PROMOTIONS = """
i+f:float64,float32,- i+2.5:float64,float64*,- 2.5+i:float64,float64*,- f+2:float32,float32,float32
f+k:float32,float32,float32 k+1:int8,int8,int8 h+1.0:float16,float16,float16 h+f:float32,float32,float32
h+np.float64(2.0):float64,float64,float64 i/2:float64,float64,float64 i/f:float64,float32,- k/k:float32,float32,float32
i//2.5:float64,float64*,- i**2:int32,int32,int32 i**2.0:float64,float64*,- f**i:float64,float32,-
2.0**i:float64,float64*,- i<2:bool,bool,bool b+i:int32,int32,int32 k+u:int64,int64,- U+j:float64,float64*,-
j+h:float64,float16,- tf.constant(5):int32,int32*,int32* tf.constant([1,2.5]):float32,float32*,float32*
tf.constant(5)+tf.constant(2.5):float64,float32*,float32* tf.constant(5)+k:int32,int8,int8
tf.constant(2.5)+h:float32,float16,float16 tf.constant(2.5)+f:float32,float32,float32
tf.constant(2.5)+i:float64,float64*,- -tf.constant(5):int32,int32*,int32* tf.abs([100.0,4.0]):float32,float32*,float32*
tf.add(i,f):-,float32,- tf.constant(k,tf.float32):-,float32,float32 tf.Variable(2)+2.5:float64,float64*,-
tf.maximum(i,f):-,float32,- tf.add(tf.constant(5),f):-,float32,float32 tf.cast(2,tf.int32):int32,int32,int32
tf.ones([2]):float32,float32,float32 tf.reshape([1.0],[1,1]):float32,float32*,float32*
"""


@pytest.mark.parametrize("at, mode", list(enumerate(["legacy", "all", "safe"])))
def test_dtypes_are_tensorflows_in_each_mode(at, mode, behavior):
    """TensorFlow 2.21's dtypes; ``*``: one that gives way; ``-``: refused."""
    behavior(dtype_conversion_mode=mode)
    rows = [row.rpartition(":") for row in PROMOTIONS.split()]
    wrong = {e: (kind(e), w.split(",")[at]) for e, _, w in rows if kind(e) != w.split(",")[at]}
    assert wrong == {}


def test_functions_keep_the_weakness_of_arguments(behavior):
    behavior(dtype_conversion_mode="all")
    f = tf.function(lambda x, y: x + y)
    h = tf.constant(1.5, tf.float16)
    assert f(tf.constant(2.5), h).dtype == tf.float16 and f(tf.constant(2.5, tf.float32), h).dtype == tf.float32
    v = tf.Variable(10)
    v.assign_add(tf.constant(5, tf.int16))
    assert v.numpy() == 15


def test_off_is_tensorflows_own(behavior):
    behavior(dtype_conversion_mode="all")
    behavior(dtype_conversion_mode="off")
    with pytest.raises(TypeError):
        tf.constant(1) + tf.constant(2.0)
    with pytest.raises(ValueError, match="dtype_conversion_mode"):
        behavior(dtype_conversion_mode="numpy")
