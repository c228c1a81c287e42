"""Functions that take their arguments by other names than the function that they call: the mechanism, and every row of it."""

import importlib
import inspect

import numpy as np
import pytest

import wengert.compat.v1 as v1
from wengert.surface.keywords import called
from wengert.surface.table import TABLE, Names, arguments, names


def power(base, exponent=2, *, offset=0, name="power"):
    return base**exponent + offset, name


old = called("old_power", power, "number=base power=exponent? exponent? name? plus=offset? optimize=?")


@pytest.mark.parametrize(
    ("given", "keywords", "found"),
    [
        ((3,), {}, (9, "power")),
        ((3, 4), {}, (81, "power")),
        ((3, None, 3, "cube"), {}, (27, "cube")),
        ((3,), {"power": 3, "plus": 1}, (28, "power")),
        ((), {"number": 3, "exponent": 1, "name": None, "optimize": True}, (3, "power")),
    ],
)
def test_arguments_are_passed_on_by_the_names_of_the_function(given, keywords, found):
    assert old(*given, **keywords) == found


@pytest.mark.parametrize(
    ("given", "keywords", "error", "told"),
    [
        ((), {}, TypeError, r"old_power\(\) missing a required argument: 'number'"),
        ((1, 2, 3, 4, 5, 6, 7), {}, TypeError, r"old_power\(\) too many positional arguments"),
        ((1,), {"number": 2}, TypeError, r"old_power\(\) multiple values for argument 'number'"),
        ((1,), {"base": 2}, TypeError, r"old_power\(\) got an unexpected keyword argument 'base'"),
        ((1,), {"power": 2, "exponent": 2}, ValueError, "Cannot specify both 'power' and 'exponent'"),
    ],
)
def test_arguments_that_do_not_fit(given, keywords, error, told):
    with pytest.raises(error, match=told):
        old(*given, **keywords)


def test_it_says_what_it_takes():
    assert str(inspect.signature(old)) == "(number, power=None, exponent=2, name='power', plus=None, optimize=None)"
    assert old.__name__ == "old_power" and "power" in old.__doc__


def test_any_other_argument_is_passed_on_where_the_row_says_so():
    raw = called("Raw", power, "number=base? T=? **")
    assert raw(number=3, T="float", offset=1, exponent=None) == (10, "power")
    with pytest.raises(TypeError, match=r"Raw\(\) too many positional arguments"):
        raw(3)


ROWS = [
    pytest.param(namespace, public, source, id=f"{namespace}.{public}")
    for namespace, row in TABLE.items()
    if isinstance(row, Names)
    for public, source in names(namespace).items()
    if source.call is not None
]


@pytest.mark.parametrize(("namespace", "public", "source"), ROWS)
def test_every_row_passes_arguments_that_there_are(namespace, public, source):
    function = getattr(importlib.import_module(f"wengert.{source.module}"), source.name)
    taken = inspect.signature(function).parameters
    every, others = arguments(source.call)
    assert {a.inner for a in every} - {""} <= taken.keys()
    if not others:
        given = {a.inner for a in every}
        assert [p.name for p in taken.values() if p.default is p.empty and p.name not in given] == []


@pytest.mark.parametrize("namespace", [name for name, row in TABLE.items() if isinstance(row, Names)])
def test_every_row_is_used_and_says_something(namespace):
    row = TABLE[namespace]
    assert isinstance(row, Names)
    like = {} if row.like is None else names(row.like)
    stated = [entry.partition("=")[0] for text in row.rows.values() for entry in text.split()]
    assert sorted(set(stated)) == sorted(stated), "stated twice"
    for module, text in row.rows.items():
        for entry in text.split():
            public, _, inner = entry.partition("=")
            assert inner != public and like.get(public, None) != (module, inner or public, None), "as in the other namespace"


@pytest.mark.parametrize(
    ("name", "given", "keywords", "found"),
    [
        ("reduce_sum", ([[1.0, 2.0], [3.0, 4.0]],), {"reduction_indices": 1, "keep_dims": True}, [[3.0], [7.0]]),
        ("count_nonzero", (), {"input": [0, 1, 2]}, 2),
        ("argmax", ([[1.0, 5.0], [7.0, 2.0]],), {"dimension": 1}, [1, 0]),
        ("arg_min", ([[1.0, 5.0], [7.0, 2.0]], 1), {}, [0, 1]),
        ("squeeze", ([[1.0, 2.0]],), {"squeeze_dims": [0]}, [1.0, 2.0]),
        ("transpose", ([[1 + 1j, 2.0]], [1, 0], None, True), {}, [[1 - 1j], [2.0]]),
        ("boolean_mask", ([1, 2, 3], [True, False, True], "mask"), {}, [1, 3]),
        ("gather", ([[1, 2], [3, 4]], [1], None, "rows", 1), {}, [[2], [4]]),
        ("zeros_like", (), {"tensor": [1.0, 2.0], "optimize": False}, [0.0, 0.0]),
        ("sparse_segment_sum", ([[1.0], [2.0], [3.0]], [0, 2], [0, 0]), {"num_segments": 2}, [[4.0], [0.0]]),
        ("norm", ([[3.0, 4.0]],), {"axis": 1, "keep_dims": True}, [[5.0]]),
    ],
)
def test_old_names_at_the_top(name, given, keywords, found):
    np.testing.assert_allclose(getattr(v1, name)(*given, **keywords), found)


def test_old_names_in_namespaces():
    x = np.arange(8.0, dtype=np.float32).reshape(1, 2, 4, 1)
    np.testing.assert_allclose(v1.nn.max_pool(value=x, ksize=2, strides=2, padding="VALID"), [[[[5.0], [7.0]]]])
    np.testing.assert_allclose(v1.nn.moments([1.0, 3.0], [0], keep_dims=True), [[2.0], [1.0]])
    np.testing.assert_allclose(v1.linalg.l2_normalize([[3.0, 4.0]], dim=1), [[0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(v1.math.softmax([[0.0, 0.0]], dim=0), [[1.0, 1.0]])
    v1.debugging.assert_equal([1], [1], ["shown"], 3, "message", "name")
    with pytest.raises(v1.errors.InvalidArgumentError, match="not increasing"):
        v1.sparse_segment_mean([[1.0], [2.0]], [0, 1], [1, 0])
    with pytest.raises(v1.errors.InvalidArgumentError, match="told"):
        v1.debugging.assert_less([2.0], [1.0], data=[1], message="told")
