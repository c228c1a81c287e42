"""The functions of `keras.ops` over a table of arguments: dtypes, shapes and values that Keras 3.15 answers (record_ops.py).

A function with NumPy's name has NumPy's meaning: where Keras's TensorFlow backend departs from NumPy, the row stands
below with what NumPy says.
"""

import importlib.util
import itertools
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.keras import ops

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "ops-keras-3.15.json").read_text())["ops"]
spec = importlib.util.spec_from_file_location("keras_record_ops", HERE / "record_ops.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)

# Python's numbers are weak in all functions here; in some of Keras's they are float32 and int32 tensors first.
WEAK = {
    "float16": "arctan2(h, 2.5) hypot(h, 2.5) heaviside(h, 2.5) logaddexp(h, 2.5) logaddexp2(h, 2.5) mod(h, 2.5) fmod(h, 2.5) "
    "outer(h, 2.5) nextafter(h, 2.5) append(h, 2.5) dot(h, 2.5) inner(h, 2.5)",
    "int8": "mod(i8, 3) fmod(i8, 3) outer(i8, 3) append(i8, 3) dot(i8, 3) inner(i8, 3) bitwise_and(i8,3)",
}
WEAK = {f"ops.{row}": dtype for dtype, rows in WEAK.items() for row in re.findall(r"\w+\([^)]*\)", rows)}
# What NumPy answers where Keras on TensorFlow answers something else; None: NumPy raises.
NUMPY = {
    "ops.logical_not(z)": "np.logical_not(z)",  # Keras drops the imaginary part
    "ops.all(z)": "np.all(z)",
    "ops.logical_and(f, z)": "np.logical_and(f, z)",
    "ops.logical_and(i, z)": "np.logical_and(i, z)",
    "ops.logical_and(z, 2.0)": "np.logical_and(z, 2.0)",
    "ops.logical_xor(f, z)": "np.logical_xor(f, z)",
    "ops.logical_xor(i, z)": "np.logical_xor(i, z)",
    "ops.logical_xor(z, 2.0)": "np.logical_xor(z, 2.0)",
    "ops.nanmean(z)": "np.nanmean(z)",
    "ops.var(z)": "np.var(z)",  # a real number
    "ops.norm(z)": "np.linalg.norm(z)",
    "ops.ptp(none)": None,
    "ops.nanmax(none)": None,
    "ops.nanmin(none)": None,
    "ops.argmax(bad)": "np.int32(np.argmax(bad))",  # the first NaN
    "ops.argmin(bad)": "np.int32(np.argmin(bad))",
    'ops.prod(I,dtype="float32")': 'np.prod(I,dtype="float32")',  # Keras forgets the dtype
    'ops.prod(i8,dtype="float32")': 'np.prod(i8,dtype="float32")',
    "ops.isclose(bad,bad)": "np.isclose(bad,bad)",  # infinities are close to themselves
    "ops.isclose(bad,bad,equal_nan=True)": "np.isclose(bad,bad,equal_nan=True)",
    "ops.isclose(np.array([1000000]),np.array([1000001]))": "np.isclose(1000000,np.array([1000001]))",  # of integers, too
    "ops.rot90(F,2)": "np.rot90(F,2)",  # Keras mixes up the elements of a matrix that is not square
    "ops.corrcoef(I)": "np.corrcoef(I)",  # Keras cuts the means to integers
    "keras.activations.sparsemax(V)": "nearest(V, 1)",  # Keras's rows do not have sum 1
    "keras.activations.sparsemax(V,axis=0)": "nearest(V, 0)",
}


def nearest(x: np.ndarray, axis: int) -> np.ndarray:
    """The nearest point whose elements are not negative and have sum 1: max(x - t, 0), t found by halving."""
    low, high = x.min(axis, keepdims=True) - 1.0, x.max(axis, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - high, 0).astype(x.dtype)


def ours(row: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return record.answer(eval(row, record.scope(tf.keras, tf.keras.backend)))
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def expected(row: str):
    if row in NUMPY:
        with np.errstate(all="ignore"):
            return NUMPY[row] and record.answer(eval(NUMPY[row], {"nearest": nearest, **record.names}))
    if row in WEAK:
        return (
            [WEAK[row], *RECORDED[row][1:]]
            if "nextafter" not in row
            else record.answer(np.nextafter(record.names["h"], np.float16(2.5)))
        )
    return RECORDED[row]


def same(found, wanted) -> bool:
    if isinstance(wanted, list) and len(wanted) == 3 and isinstance(wanted[0], str):
        if not isinstance(found, list) or found[:2] != wanted[:2] or len(found[2]) != len(wanted[2]):
            return False
        digits = 2e-3 if wanted[0] == "float16" else 1e-5
        a, b = ([float(x) for x in values] for values in (found[2], wanted[2]))
        return bool(np.allclose(a, b, rtol=digits, atol=digits if digits > 1e-4 else 2e-6, equal_nan=True))
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(same, found, wanted))
    return found == wanted


def test_the_table_is_the_one_that_was_recorded():
    assert list(dict.fromkeys(record.expressions())) == list(RECORDED) and len(RECORDED) > 4000
    assert [row for row in {**WEAK, **NUMPY} if row not in RECORDED or same(expected(row), RECORDED[row])] == []


@pytest.mark.parametrize("function", sorted({row.partition("(")[0] for row in RECORDED}))
def test_answers_are_those_of_keras(function: str):
    wrong = []
    for row in (row for row in RECORDED if row.partition("(")[0] == function):
        wanted = expected(row)
        found = ours(row)
        if row in NUMPY and wanted is None:
            good = isinstance(found, str)
        else:
            good = wanted is None or same(found, wanted)
        if not good:
            wrong.append(f"{row}: {found} and not {wanted}")
    assert wrong == []


# What cannot be said of tensors whose sizes nobody knows, or answers with something other than tensors.
STATIC = re.compile(
    r"ops\.(ndim|shape|dtype|is_tensor|vander|array_split|unstack|cross|matrix_rank|correlate|rfft|irfft)\b"
    r"|\.shape|np\.|\.T|astype|[A-Z]\.transpose"
)
ARRAYS = "f d q p w F D G C N I ties S Q halves bad b i B".split()


def traced(row: str, used: list[str]):
    """A row's answer in a function that knows only how many axes its arguments have."""
    given = [record.names[name] for name in used]
    specs = [tf.TensorSpec([None] * a.ndim, a.dtype) for a in given]

    @tf.function(input_signature=specs)
    def function(*arguments):
        return eval(row, {**record.names, **dict(zip(used, arguments, strict=True)), "ops": ops})

    return function(*map(tf.constant, given))


def test_a_traced_function_gives_the_same_whatever_it_knows_of_the_sizes():
    """Every fifth row whose arguments are arrays, with all sizes unknown."""
    wrong = []
    rows = [row for row in RECORDED if row.startswith("ops.") and not STATIC.search(row) and not row.startswith("ops.jvp")]
    rows = [(row, used) for row in rows if (used := sorted(set(re.findall(r"\b\w+\b", row)) & set(ARRAYS)))]
    for row, used in itertools.islice(rows, 0, None, 5):
        wanted = ours(row)
        if isinstance(wanted, str):
            continue
        try:
            found = record.answer(traced(row, used))
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if not same(found, wanted):
            wrong.append(f"{row}: {found} and not {wanted}")
    assert wrong == []


def test_what_is_made_of_kept_digits():
    """Python's floats, alone and in lists, have all digits that float64 has room for."""
    x = tf.constant([1.0, 2.0], tf.float64)
    assert ops.multiply(x, 0.1).numpy().tolist() == [0.1, 0.2]
    assert ops.multiply(x, [0.1, 0.1]).numpy().tolist() == [0.1, 0.2]
    assert ops.where([True, False], x, 0.1).numpy().tolist() == [1.0, 0.1]
    assert ops.equal(x * 0.1, 0.1).numpy().tolist() == [True, False]
    assert ops.add(tf.constant(1 + 2j, tf.complex128), 1).dtype == tf.complex128


def test_the_first_vector_of_a_vdot_is_conjugated():
    z = np.array([1 + 2j, 3j])
    assert complex(ops.vdot(z, z)) == np.vdot(z, z) == 14


def test_floatx_decides_what_integers_become():
    tf.keras.backend.set_floatx("float64")
    assert ops.sqrt(np.array([4])).dtype == ops.add(np.array([1]), 0.5).dtype == tf.float64
    assert ops.mean(tf.constant([1.0, 2.0], tf.float32)).dtype == tf.float32
    assert ops.cast(tf.constant([1.0]), tf.float32).dtype == tf.float32


def test_nothing_comes_out_of_what_a_triangle_leaves_out():
    x = np.array([[1.0, np.nan], [2.0, np.inf]])
    assert ops.tril(x, -1).numpy().tolist() == [[0, 0], [2, 0]]


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="Cholesky"):
        ops.cholesky([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match="no max of no elements"):
        ops.max(np.zeros((0, 2)), axis=0)
    with pytest.raises(ValueError, match="one axis"):
        ops.searchsorted([[1.0, 2.0]], 1.0)
    with pytest.raises(TypeError, match="integers"):
        ops.gcd([1.5], [2.0])


@pytest.mark.parametrize(("ours", "scipys"), [("nearest", "nearest"), ("wrap", "grid-wrap"), ("mirror", "mirror"),
                                              ("reflect", "reflect"), ("constant", "grid-constant")])  # fmt: skip
@pytest.mark.parametrize("order", [0, 1])
def test_places_beyond_the_ends_are_scipys(ours: str, scipys: str, order: int):
    ndimage = pytest.importorskip("scipy.ndimage", reason="the oracle")
    x = np.arange(12.0).reshape(3, 4) ** 1.5
    places = np.array([[0.2, -2.4, 7.3, 1.1, -5.7], [0.1, 1.9, 5.3, -4.4, 9.2]])
    wanted = ndimage.map_coordinates(x, places, order=order, mode=scipys, cval=2.0)
    np.testing.assert_allclose(ops.image.map_coordinates(x, places, order, ours, 2.0).numpy(), wanted, rtol=1e-12)


def test_images_have_derivatives():
    x = tf.Variable(np.random.RandomState(0).rand(1, 4, 5, 2))
    places = tf.constant([[0.3, 1.6], [2.2, 0.4]], tf.float64)
    functions = {
        "resize": lambda: ops.image.resize(x * x, (3, 7), "bicubic"),
        "places": lambda: ops.image.map_coordinates((x * x)[0, :, :, 0], places, 1),
        "patches": lambda: ops.image.extract_patches(x * x, 2),
        "unfold": lambda: ops.fold(ops.unfold(x * x, 2), (5, 2), 2),
        "pool": lambda: ops.adaptive_average_pool(x * x, (3, 2)),
        "scan": lambda: ops.associative_scan(lambda a, b: a * b, x * x, axis=1),
    }  # fmt: skip
    along = np.random.RandomState(1).rand(*x.shape)
    start = x.numpy()
    for name, function in functions.items():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(function() ** 2)
        found = float(np.sum(tape.gradient(total, x).numpy() * along))
        sides = []
        for h in (1e-5, -1e-5):
            x.assign(start + h * along)
            sides.append(float(tf.reduce_sum(function() ** 2)))
        x.assign(start)
        np.testing.assert_allclose(found, (sides[0] - sides[1]) / 2e-5, rtol=1e-6, err_msg=name)
