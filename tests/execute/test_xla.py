"""The executor over XLA against the one over NumPy, and the one that chooses between them."""

from __future__ import annotations

import importlib.util
import logging
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.calculus.gradients import gradients
from wengert.config import get_executor, get_rewrites, rewrites, set_executor, set_rewrites, set_threads
from wengert.errors import FailedPreconditionError, InvalidArgumentError, ResourceExhaustedError
from wengert.execute import auto, xla
from wengert.execute import program as choose
from wengert.execute.auto import AutoProgram
from wengert.execute.numpy import NumPyProgram
from wengert.execute.xla import arrays as of_jax
from wengert.execute.xla.arrays import Unsupported, arrays
from wengert.execute.xla.falling import Falling
from wengert.execute.xla.program import XlaProgram
from wengert.execute.xla.values import variant
from wengert.execute.xla.walk import Walk
from wengert.ground.options import options
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.op import table
from wengert.tensor.tensor import EagerTensor, Graph, append, apply

jax = pytest.importorskip("jax", reason="the executor over XLA needs jax: pip install 'wengert[xla]'")

spec = importlib.util.spec_from_file_location("cases", Path(__file__).parents[1] / "ops" / "cases.py")
assert spec is not None and spec.loader is not None
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")
v1 = tf.compat.v1


@pytest.fixture
def on_xla():
    with options.set(executor="xla"):
        yield


# --- operations -------------------------------------------------------------------------------------------------------

# Operations that XLA does not run for values that come when it runs, and why not (they do run where all is constant).
NEVER = {
    **dict.fromkeys("nonzero unique partition segment_table repeat_index bincount range".split(), "the shape is a value"),
    "isotonic_blocks": "how far it pools is a value",
    **dict.fromkeys("broadcast_shape transpose_by".split(), "a shape comes of values"),
    **dict.fromkeys("random_gamma random_poisson random_shuffle categorical".split(), "NumPy draws before the run"),
    **dict.fromkeys("bessel_j0 bessel_j1 bessel_y0 bessel_y1 bessel_k0 bessel_k1 bessel_k0e bessel_k1e".split(), "not in JAX"),
    **dict.fromkeys("spherical_bessel logm igamma_by betainc_by igammainv igammacinv betaincinv".split(), "not in JAX"),
}

# Cases of other operations: here a shape is given as a tensor, which must be a constant; or JAX lacks a member of a family.
SOME = {
    "fill[tensor]", "broadcast_to[tensor]", "reshape[tensor]", "tile[tensor]", "tile_transpose[tensor]",
    "pad[constant, tensor]", "pad[reflect, tensor]", "pad[symmetric, tensor]", "pad_transpose[constant, tensor]",
    "pad_transpose[reflect, tensor]", "pad_transpose[symmetric, tensor]", "getitem[dynamic]", "getitem_transpose[dynamic]",
    "scatter_nd[tensor]", "segment_sum[open]", "one_hot[tensor]", "write_row[grows]", "random_uniform[tensor]",
    "random_uniform_int[tensor]", "random_normal[tensor]", "truncated_normal[tensor]",
}  # fmt: skip
CONSTANT_SHAPE = SOME | {"range[int64]", "range[empty]", "broadcast_shape"}

# Operations that run, but whose first derivative is one of the above, or is not stated.
NO_GRADIENT = {"sinc_unnormalised", "bessel_i1", "bessel_i1e", "igamma", "igammac", "betainc", "random_gamma"}


def label(case: Any) -> str:
    return f"{case.op}[{case.note}]" if case.note else case.op


def numeric(a: Any) -> bool:
    return a.dtype.kind in "fc"


def build(graph: Any, case: Any, integers: bool, slope: bool) -> tuple[list[Any], list[Any], list[Any]]:
    """Append a case to a graph; return its feeds, their arrays, and what to fetch: values, or the first gradients."""
    op = table[case.op]
    with graph.as_default():
        feeds, given, inputs = [], [], []
        for a in case.inputs:
            if a.dtype.kind == "O" or not (numeric(a) or integers):
                inputs.append(EagerTensor(a))
                continue
            t = append(graph, PLACEHOLDER, (), {"dtype": a.dtype, "shape": a.shape})
            feeds.append(t)
            given.append(a)
            inputs.append(t)
        entered = [case.enter(x) if case.enter and numeric(a) else x for x, a in zip(inputs, case.inputs, strict=True)]
        ys = apply(op, entered, case.attrs)
        ys = list(ys) if isinstance(ys, tuple | list) else [ys]
        if not slope:
            return feeds, given, ys
        at = [i for i, a in enumerate(case.inputs) if numeric(a) and i not in op.constant_inputs]
        chosen = [ys[k] for k in (range(len(ys)) if case.outputs is None else case.outputs)]
        chosen = [y for y in chosen if y.nptype.kind in "fc" and y.sizes is not None and None not in y.sizes]
        if not at or not chosen:
            return feeds, given, []
        rng = np.random.default_rng(5)
        weights = [EagerTensor(np.asarray(rng.standard_normal(y.sizes), y.nptype)) for y in chosen]
        gs = gradients(chosen, [inputs[i] for i in at], grad_ys=weights)
        return feeds, given, [g._as_tensor() if hasattr(g, "indices") else g for g in gs if g is not None]


def refusal(graph: Any, fetches: Any, feeds: Any, given: Any) -> str:
    """Return why XLA cannot run it, or nothing; nothing is compiled."""
    xp = arrays()
    plan = variant(NumPyProgram(graph, fetches, feeds), given).plan
    specs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in given]
    try:
        with xp.scope():
            jax.eval_shape(lambda xs: [o for o in Walk(xp, [], None, None)(plan, xs, []) if type(o) is not np.ndarray], specs)
    except Unsupported as error:
        return error.message
    return ""


def refused(integers: bool, slope: bool) -> set[str]:
    found = set()
    for case in cases.CASES:
        graph = Graph()
        try:
            feeds, given, fetches = build(graph, case, integers, slope)
        except NotImplementedError:  # states no derivative
            continue
        if fetches and refusal(graph, fetches, feeds, given):
            found.add(label(case))
    return found


BESSEL = {label(c) for c in cases.CASES if c.op == "bessel"}
BESSEL_VALUES = {name for name in BESSEL if name not in ("bessel[i0]", "bessel[i1]", "bessel[ie0]", "bessel[ie1]")}


def test_what_xla_does_not_run_is_listed() -> None:
    never = {label(c) for c in cases.CASES if c.op in NEVER and label(c) not in ("nonzero[constant]",)}
    assert refused(integers=True, slope=False) == never | SOME | BESSEL_VALUES


def test_constant_shapes_do_run() -> None:
    """With integers that are constants what remains is what JAX lacks, and draws by parameters that are fed."""
    lacking = refused(integers=False, slope=False)
    of_floats = {"random_gamma", "random_poisson", "random_shuffle", "categorical", "segment_table", "range", "isotonic_blocks"}
    expected = {label(c) for c in cases.CASES if c.op in NEVER and NEVER[c.op] == "not in JAX"} | BESSEL_VALUES
    assert {name for name in lacking if name.partition("[")[0] not in of_floats} == expected
    assert not lacking & CONSTANT_SHAPE


def test_which_gradients_do_not_run_is_listed() -> None:
    found = {name.partition("[")[0] for name in refused(integers=False, slope=True)}
    without = {op for op, why in NEVER.items() if why == "not in JAX"}
    assert found - {"bessel"} == without | NO_GRADIENT


def close(found: Any, expected: Any, name: str, floor: float = 0.0) -> None:
    assert found.dtype == expected.dtype, name
    assert found.shape == expected.shape, name
    if found.dtype.kind not in "fc":
        assert found.tolist() == expected.tolist(), name
        return
    tolerance = {"float16": 2e-3, "float32": 2e-5, "complex64": 2e-5}.get(found.dtype.name, 1e-10)
    finite = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    least = np.finfo(expected.dtype).tiny  # XLA has no numbers below
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=max(tolerance * 1e-3 * finite, least, floor), err_msg=name)


@pytest.fixture
def hasty(monkeypatch: Any) -> None:
    """Compile quickly rather than well: some hundred operations stand in one list."""
    compile_ = jax.stages.Lowered.compile

    def compile(self: Any) -> Any:
        try:
            return compile_(self, HASTY)
        except Exception:  # another XLA may not know these
            return compile_(self)

    monkeypatch.setattr(jax.stages.Lowered, "compile", compile)


HASTY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
if jax.default_backend() == "cpu":
    HASTY["xla_cpu_use_fusion_emitters"] = False


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("slope", [False, True], ids=["values", "gradients"])
def test_operations(part: int, slope: bool, hasty: None) -> None:
    graph = Graph()
    feeds: list[Any] = []
    given: list[Any] = []
    fetches: list[Any] = []
    names: list[tuple[str, float]] = []
    # On GPUs JAX has no Schur form, and singular and eigenvectors have other signs or phases.
    apart = () if jax.default_backend() == "cpu" else ("sqrtm", "svd", "eigh")
    for case in [c for c in cases.CASES[part::4] if c.op not in apart]:
        for integers in (True, False):
            alone = Graph()
            try:
                f, a, ys = build(alone, case, integers, slope)
            except NotImplementedError:
                break
            if not ys:
                break
            if not refusal(alone, ys, f, a):
                f, a, ys = build(graph, case, integers, slope)
                feeds, given, fetches, names = feeds + f, given + a, fetches + ys, names + [(label(case), case.atol)] * len(ys)
                break
    assert len(set(names)) > 100
    expected = NumPyProgram(graph, fetches, feeds)(*given)
    for (name, floor), found, value in zip(names, XlaProgram(graph, fetches, feeds)(*given), expected, strict=True):
        close(found, value, name, floor)


@pytest.mark.parametrize("index", ["several", "outside", "rows", "none"])
def test_accelerators_let_the_last_of_several_values_stay(index: str, monkeypatch: Any) -> None:
    """NumPy's rule; an accelerator writes in any order, so there it is kept by numbers."""
    places = {"several": [[2, 2, 0, 2], [1, 1, 1, 1]], "outside": [[2, -1, 0], [1, 2, 7]], "rows": [[1, 0, 1]], "none": [[]]}
    at = tuple([np.array(one, int) for one in places[index]])
    x = np.arange(12.0).reshape(3, 4)
    value = np.arange(20.0, 20.0 + 4 * at[0].size).reshape(-1, 4) if len(at) == 1 else np.arange(20.0, 20.0 + at[0].size)
    expected = x.copy()
    inside = np.array([max(p, default=0) < 4 for p in zip(*at, strict=True)], bool)
    expected[tuple([one[inside] for one in at])] = value[inside]
    xp = arrays()
    for distant in (False, True):
        monkeypatch.setitem(xp.__dict__, "distant", distant)
        with xp.scope():
            found = [xp.index_set(x, at if len(at) > 1 else at[0], value), jax.jit(xp.index_set)(x, at, value)]
        for one in found if distant or index != "several" else []:
            assert one.dtype == x.dtype
            np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "uint8", "complex64", "complex128"])
def test_dtypes(dtype: str) -> None:
    x = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    graph = Graph()
    with graph.as_default():
        p = v1.placeholder(dtype, [None, 3])
        q = tf.reduce_sum(p * p + 3, axis=0)
        fetches = [q, p - 1, tf.transpose(p), tf.concat([p, p], 0), tf.cast(p, tf.float64 if x.dtype.kind != "c" else p.dtype)]
        fetches.append(tf.equal(p, 2))
    for found, expected in zip(XlaProgram(graph, fetches, [p])(x), NumPyProgram(graph, fetches, [p])(x), strict=True):
        close(found, expected, dtype)


# --- the user's own JAX -----------------------------------------------------------------------------------------------


def test_64_bits_leave_jax_as_it_was() -> None:
    before = jax.config.jax_enable_x64
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float64, [2])
        n = v1.placeholder(tf.int64, [])
        y, m = tf.exp(x) / 3.0, n + 1
    program = XlaProgram(graph, [y, m], [x, n])
    for _ in range(2):
        a, b = program(np.array([0.1, 0.2]), np.int64(2**40))
        np.testing.assert_allclose(a, np.exp([0.1, 0.2]) / 3.0, rtol=1e-15)
        assert (a.dtype, int(b), b.dtype) == (np.float64, 2**40 + 1, np.int64)
    assert jax.config.jax_enable_x64 == before is False
    assert jax.numpy.zeros(3).dtype == np.float32
    assert jax.numpy.asarray(np.float64(0.1)).dtype == np.float32


def test_what_comes_back_is_the_callers() -> None:
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [3])
        fetches = [x + 1.0, x, tf.constant([1.0, 2.0]), tf.shape(x)]
    program = XlaProgram(graph, fetches, [x])
    given = np.ones(3, np.float32)
    for array in program(given):
        assert array.flags.writeable and array.flags.owndata
        array[...] = 7
    assert given.tolist() == [1, 1, 1]
    assert [a.tolist() for a in program(given)] == [[2, 2, 2], [1, 1, 1], [1, 2], [3]]


def test_feeds_are_cast_and_one_program_serves_several_shapes() -> None:
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None])
        y = tf.reduce_sum(x) / tf.cast(tf.size(x), tf.float32)
        z = tf.reshape(x, tf.concat([tf.shape(x), [1]], 0))
    program = XlaProgram(graph, [y, z], [x])
    assert program([1, 2, 6])[0] == 3
    assert program(np.arange(4.0))[1].shape == (4, 1)
    assert program.compile_seconds > 0


def test_a_large_constant_is_an_argument() -> None:
    table_ = np.arange(40_000, dtype=np.float32)
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [40_000])
        y = x * tf.constant(table_) + tf.constant(table_[:1])
        with_noise = y + tf.random.stateless_uniform([40_000], [1, 2])
    program = XlaProgram(graph, [y], [x])
    (found,) = program(np.ones(40_000, np.float32))
    np.testing.assert_array_equal(found, table_)
    told = program.analysis(np.ones(40_000, np.float32))
    assert told["argument_bytes"] >= 2 * table_.nbytes
    assert told["flops"] > 0 and told["bytes"] > 0 and told["compile_seconds"] > 0 and "temp_bytes" in told
    given = np.ones(40_000, np.float32)
    np.testing.assert_array_equal(
        XlaProgram(graph, [with_noise], [x])(given)[0], NumPyProgram(graph, [with_noise], [x])(given)[0]
    )


# --- errors -----------------------------------------------------------------------------------------------------------


def test_a_refusal_names_the_operation_and_the_line() -> None:
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None])
        y = tf.where(x > 0)
    program = XlaProgram(graph, [y], [x])
    for _ in range(2):
        with pytest.raises(Unsupported, match=r"xla cannot run nonzero at .*test_xla\.py:\d+: the shape"):
            program(np.ones(3, np.float32))


@pytest.mark.parametrize("what", ["print", "assert", "py_function"])
def test_what_acts_on_the_world_is_refused(what: str) -> None:
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [2])
        y, controls = x + 1.0, []
        if what == "print":
            controls = [tf.print(x)]
        elif what == "assert":
            controls = [v1.assert_positive(x)]
        else:
            y = tf.py_function(lambda a: a, [x], tf.float32)
    with pytest.raises(Unsupported, match="xla cannot run"):
        XlaProgram(graph, [y], [x], [c for c in controls if c is not None])(np.ones(2, np.float32))


def test_strings() -> None:
    graph = Graph()
    with graph.as_default():
        fixed, fed = tf.constant(["a", "b"]), v1.placeholder(tf.string, [None])
        program = XlaProgram(graph, [fixed, tf.shape(fixed)], [])
        assert program()[0].tolist() == [b"a", b"b"] and program()[1].tolist() == [2]
        with pytest.raises(Unsupported, match="strings"):
            XlaProgram(graph, [tf.equal(fed, fixed)], [fed])(np.array(["a"], object))


def test_a_placeholder_that_is_not_fed() -> None:
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [2], name="here")
        y = x + 1.0
    with pytest.raises(InvalidArgumentError, match="You must feed a value for placeholder tensor 'here'"):
        XlaProgram(graph, [y], [])()


def test_shapes_that_do_not_fit_are_told_by_numpy(on_xla: None, caplog: Any) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        x, y = v1.placeholder(tf.float32), v1.placeholder(tf.float32)
        z = x + y
        with pytest.raises(InvalidArgumentError, match="test_xla"):
            session.run(z, {x: [1.0, 2.0], y: [1.0, 2.0, 3.0]})
        assert session.run(z, {x: 1.0, y: 2.0}) == 3


def test_without_jax_the_message_says_what_to_install(monkeypatch: Any) -> None:
    monkeypatch.setattr(of_jax, "_made", [])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'wengert\[xla\]'"):
        arrays()
    with pytest.raises(ImportError, match=r"pip install 'wengert\[xla\]'"):
        set_executor("xla")


def test_one_file_imports_jax() -> None:
    root = Path(xla.__file__).parents[2]
    words = ("import jax", "from jax", 'import_module("jax')
    found = [p for p in root.rglob("*.py") if any(w in p.read_text() for w in words)]
    assert [p.name for p in found if p.parent.name != "frameworks"] == ["arrays.py"]  # the models of JAX's are read beside it


# --- variables --------------------------------------------------------------------------------------------------------


def counter() -> Any:
    graph = tf.Graph()
    with graph.as_default():
        v = v1.Variable(np.array([1.0, 2.0], np.float32), name="v")
        x = v1.placeholder(tf.float32, [2])
        before = v.read_value()
        with tf.control_dependencies([before]):
            add = v.assign_add(x)
        with tf.control_dependencies([add]):
            after = v.read_value() * 1.0
        return graph, v, x, before, add, after, v.assign([5.0, 6.0]), v.assign_sub(x), v1.global_variables_initializer()


def test_variables(on_xla: None) -> None:
    graph, v, x, before, add, after, put, sub, init = counter()
    with v1.Session(graph=graph) as one, v1.Session(graph=graph) as two:
        with pytest.raises(FailedPreconditionError, match="uninitialized value v") as told:
            one.run(v)
        assert "test_xla" in str(told.value)
        assert not one.run(v1.is_variable_initialized(v))
        one.run(init)
        assert one.run(v1.is_variable_initialized(v))
        with pytest.raises(FailedPreconditionError):
            two.run(add, {x: [1.0, 1.0]})
        for k in range(1, 4):
            a, b, c = one.run([before, add, after], {x: [1.0, 1.0]})
            assert (a.tolist(), b.tolist(), c.tolist()) == ([k, k + 1], [k + 1, k + 2], [k + 1, k + 2])
        two.run(init)
        assert two.run(v).tolist() == [1, 2]
        assert one.run(put).tolist() == [5, 6]
        assert one.run(sub, {x: [1.0, 2.0]}).tolist() == [4, 4]
        assert one.run(v).tolist() == [4, 4]
        assert two.run(v).tolist() == [1, 2]
        # What an eager reader saw stays as it was, and what NumPy writes XLA reads.
        storage = one.storage_of(v)
        seen = storage.read()
        one.run(add, {x: [1.0, 1.0]})
        assert seen.tolist() == [4, 4] and storage.read().tolist() == [5, 5]
        with options.set(executor="numpy"):
            one.run(add, {x: [1.0, 1.0]})
        assert storage.device is None and one.run(v).tolist() == [6, 6]


def test_values_stay_on_the_device_and_are_given_away(on_xla: None) -> None:
    graph, v, x, _, add, *_, init = counter()
    with v1.Session(graph=graph) as session:
        session.run(init)
        session.run(add, {x: [1.0, 1.0]})
        storage = session.storage_of(v)
        held = storage.device
        assert storage._array is None and not held.is_deleted()
        session.run(add.op, {x: [1.0, 1.0]})
        assert held.is_deleted() and storage.device is not held
        assert storage.array.tolist() == [3, 4] and storage.shape == (2,) and storage.ndim == 1 and storage.size == 2


def test_variables_that_take_each_others_values(on_xla: None) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        a, b, c = (v1.Variable(np.full(3, k, np.float32)) for k in (1.0, 2.0, 3.0))
        x = v1.placeholder(tf.float32, [3])
        ra, rb, rc = a.read_value(), b.read_value(), c.read_value()
        with tf.control_dependencies([ra, rb, rc]):
            swap = [a.assign(rb), b.assign(ra)]
            same = [a.assign(rc), b.assign(rc)]
            fed = [a.assign(x), b.assign(x)]
            add = [a.assign_add(x), b.assign_add(x)]
        session.run(v1.global_variables_initializer())
        ones = {x: np.ones(3, np.float32)}
        session.run(swap)
        assert [k[0] for k in session.run([a, b, c])] == [2, 1, 3]
        session.run(same)
        session.run(add, ones)
        assert [k[0] for k in session.run([a, b, c])] == [4, 4, 3]
        session.run(fed, ones)
        session.run(a.assign_add(x), ones)
        assert [k[0] for k in session.run([a, b, c])] == [2, 1, 3]


def test_rows_of_a_variable(on_xla: None) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        v = v1.Variable(np.zeros((3, 2), np.float32))
        i = v1.placeholder(tf.int32, [2])
        ops = [v1.scatter_add(v, i, np.ones((2, 2), np.float32)), v1.scatter_update(v, i, np.full((2, 2), 5, np.float32))]
        session.run(v1.global_variables_initializer())
        assert session.run(ops[0], {i: [0, 0]}).tolist() == [[2, 2], [0, 0], [0, 0]]
        assert session.run(ops[1], {i: [1, 2]}).tolist() == [[2, 2], [5, 5], [5, 5]]


def test_a_variable_that_changes_its_shape(on_xla: None) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        v = v1.Variable(np.zeros(2, np.float32), shape=[None])
        x = v1.placeholder(tf.float32, [None])
        put, add = v.assign(x), v.assign_add(v + 1.0)
        session.run(v1.global_variables_initializer())
        for n in (2, 3, 3, 1):
            assert session.run(put, {x: np.ones(n, np.float32)}).shape == (n,)
            assert session.run(add).tolist() == [3] * n


def test_a_failed_run_loses_nothing(on_xla: None, monkeypatch: Any) -> None:
    graph, v, x, _, add, *_, init = counter()
    with v1.Session(graph=graph) as session:
        session.run(init)
        session.run(add, {x: [1.0, 1.0]})
        program = next(p for k, p in session._programs.items() if len(k[2]) == 1)
        assert isinstance(program, Falling)
        (entry,) = program._known.values()
        call, storage = entry.call, session.storage_of(v)

        class Failing(Exception):
            pass

        def before(*arguments: Any) -> Any:
            raise Failing

        entry.call = before
        with pytest.raises(Failing):
            session.run(add, {x: [1.0, 1.0]})
        assert storage.array.tolist() == [2, 3]

        def meanwhile(*arguments: Any) -> Any:
            call(*arguments)
            raise Failing

        # A run that breaks off when XLA has the value already: there is a copy of it where somebody has read it, ...
        entry.call = meanwhile
        with pytest.raises(Failing):
            session.run(add, {x: [1.0, 1.0]})
        assert session.run(v).tolist() == [2, 3]
        # ... and where the run asks for much memory, which is when it may fail.
        entry.call = call
        session.run(add, {x: [1.0, 1.0]})
        entry.call, entry.roomy = meanwhile, True
        with pytest.raises(Failing):
            session.run(add, {x: [1.0, 1.0]})
        assert session.run(v).tolist() == [3, 4]
        entry.call, entry.roomy = call, False
        session.run(add, {x: [1.0, 1.0]})
        entry.call = meanwhile
        with pytest.raises(ResourceExhaustedError, match="the values of v went with it"):
            session.run(add, {x: [1.0, 1.0]})


def test_threads_share_a_session(on_xla: None) -> None:
    graph, v, x, _, add, *_, init = counter()
    with v1.Session(graph=graph) as session:
        session.run(init)
        session.run([add, v], {x: [1.0, 1.0]})
        failed: list[BaseException] = []

        def work() -> None:
            try:
                for k in range(50):
                    session.run(add if k % 2 else v, {x: [1.0, 1.0]} if k % 2 else None)
                    if not k % 10:
                        session.storage_of(v).read()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not failed
        assert session.run(v).tolist() == [1 + 1 + 100, 2 + 1 + 100]


def test_training(on_xla: None) -> None:
    """A network is trained to the same weights on both."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((64, 2))
    results = []
    for executor in ("numpy", "xla"):
        with options.set(executor=executor), tf.Graph().as_default(), v1.Session() as session:
            rng = np.random.default_rng(1)
            w = [v1.Variable(rng.standard_normal(s)) for s in ((2, 8), (8, 8), (8, 1))]
            x = v1.placeholder(tf.float64, [None, 2])
            h = tf.tanh(tf.tanh(x @ w[0]) @ w[1]) @ w[2]
            loss = tf.reduce_mean(tf.square(h - tf.sin(x[:, :1])))
            step = tf.group(*[v.assign_sub(0.05 * g) for v, g in zip(w, tf.gradients(loss, w), strict=True)])
            session.run(v1.global_variables_initializer())
            for _ in range(20):
                session.run(step, {x: points})
            results.append(session.run([loss, *w], {x: points}))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


# --- choices and loops ------------------------------------------------------------------------------------------------


def both(make: Any, *given: Any) -> None:
    """Compare the two executors on what a function of placeholders returns."""
    graph = Graph()
    with graph.as_default():
        feeds = [v1.placeholder(a.dtype.name, a.shape) for a in given]
        fetches = make(*feeds)
    expected = NumPyProgram(graph, fetches, feeds)(*given)
    for found, value in zip(XlaProgram(graph, fetches, feeds)(*given), expected, strict=True):
        close(found, value, make.__name__)


X = np.array([0.3, -0.7, 1.1])


def with_slopes(y: Any, x: Any) -> list[Any]:
    (g,) = tf.gradients(y, x)
    return [y, g, *tf.gradients(g, x)]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_choice(sign: float) -> None:
    def choice(x: Any, s: Any) -> Any:
        return with_slopes(tf.cond(s > 0, lambda: tf.sin(x) * s, lambda: x * x * x), x)

    both(choice, X, np.array(sign))


def test_loop_of_known_length() -> None:
    def known(x: Any) -> Any:
        y = tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, tf.sin(y) * x), [0, x])[1]
        return with_slopes(y, x)

    both(known, X)


def test_loop_of_known_length_over_rows() -> None:
    def rows(x: Any) -> Any:
        y = tf.scan(lambda a, row: a * tf.cos(row), x, initializer=tf.constant(1.0, tf.float64))
        z = tf.map_fn(lambda row: row * row, x)
        return [y, *tf.gradients(y, x), z, *tf.gradients(z, x)]

    both(rows, X)


def test_loop_that_ends_by_a_value() -> None:
    def ends(x: Any) -> Any:
        n, y = tf.while_loop(lambda i, y: tf.reduce_sum(y) < 100.0, lambda i, y: (i + 1, y * 2.0 + 1.0), [0, x])
        return [n, y]

    both(ends, X)


def test_the_derivative_of_a_loop_that_ends_by_a_value_is_refused() -> None:
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float64, [3])
        y = tf.while_loop(lambda y: tf.reduce_sum(y) < 100.0, lambda y: (y * y + 2.0,), [x])
        fetches = tf.gradients(y, x)
    with pytest.raises(Unsupported, match=r"loop at .*: how many rows it gives depends on values"):
        XlaProgram(graph, fetches, [x])(X)


def test_loop_that_writes_and_indexes() -> None:
    def writes(x: Any) -> Any:
        array = tf.TensorArray(tf.float64, 3, element_shape=[])
        out = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a.write(i, x[i] * x[2 - i])), [0, array])[1].stack()
        return [out, *tf.gradients(out, x)]

    both(writes, X)


def test_loop_whose_carry_grows() -> None:
    def grows(x: Any) -> Any:
        return [
            tf.while_loop(
                lambda i, y: i < 3, lambda i, y: (i + 1, tf.concat([y, y[-1:] * 2.0], 0)), [0, x],
                shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
            )[1]
        ]  # fmt: skip

    both(grows, X)


def test_choices_in_loops() -> None:
    def nested(x: Any) -> Any:
        def turn(i: Any, y: Any) -> Any:
            return i + 1, tf.cond(
                i % 2 > 0, lambda: y * x, lambda: tf.while_loop(lambda z: z[0] < 1.0, lambda z: (z + 1.0,), [y])[0]
            )

        return [tf.while_loop(lambda i, y: i < 4, turn, [0, x])[1]]

    both(nested, X)


def test_variables_in_choices_and_loops(on_xla: None) -> None:
    v = tf.Variable(1.0)
    total = tf.Variable(0.0)

    @tf.function
    def f(x, n):
        if x > 0:
            v.assign_add(x)
        else:
            v.assign(-x)
        for _ in tf.range(3):
            total.assign_add(v)
        while total < n:
            total.assign_add(1.0)
        while total < 100.0:
            total.assign(total * 2.0)
        return v * 1.0

    assert float(f(tf.constant(2.0), tf.constant(3.0))) == 3 and float(v) == 3 and float(total) == 144
    total.assign(0.0)
    assert float(f(tf.constant(-4.0), tf.constant(20.0))) == 4 and float(v) == 4 and float(total) == 160
    compiled = next(iter(f._traces.values())).compiled
    assert isinstance(compiled, Falling) and compiled.compile_seconds > 0


# --- random numbers ---------------------------------------------------------------------------------------------------


def test_random_numbers_are_the_same() -> None:
    found = []
    for executor in ("numpy", "xla"):
        with options.set(executor=executor), tf.Graph().as_default(), v1.Session() as session:
            v1.set_random_seed(7)
            x = v1.placeholder(tf.float32, [None, 2])
            noise = tf.random.normal(tf.shape(x)) + x
            other = tf.random.uniform([3], maxval=10, dtype=tf.int32)
            v = v1.Variable(tf.random.truncated_normal([2, 2]))
            init = v1.global_variables_initializer()
            session.run(init)
            runs = [session.run([noise, other, v], {x: np.ones((n, 2), np.float32)}) for n in (2, 3, 2)]
            found.append([a for run in runs for a in run])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
    assert found[0][0].tolist() != found[0][6].tolist()


def test_random_numbers_of_a_loop_are_refused() -> None:
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [2])
        y = tf.while_loop(lambda y: tf.reduce_sum(y) < 9.0, lambda y: (y + tf.random.uniform([2]),), [x])[0]
    with pytest.raises(Unsupported, match=r"random_uniform at .*: how often it draws"):
        XlaProgram(graph, [y], [x])(np.ones(2, np.float32))


# --- who runs ---------------------------------------------------------------------------------------------------------


def test_the_executor_is_chosen() -> None:
    before = get_executor()
    graph = Graph()
    with graph.as_default():
        y = tf.constant(1.0) + 1.0
    try:
        for name, kind in (("numpy", NumPyProgram), ("xla", XlaProgram), ("auto", AutoProgram)):
            set_executor(name)
            assert get_executor() == name
            program = choose.compile(graph, [y], [])
            assert isinstance(program, kind)
            assert program()[0] == 2 == program.inside()[0]
            assert program.numpy.plan.steps and program.numpy.lowered.nodes and len(program.numpy.outputs) == 1
        for wrong in ("tpu", None, 3):
            with pytest.raises(ValueError, match="set_executor"):
                set_executor(wrong)
    finally:
        set_executor(before)
    with options.set(executor="cuda"), pytest.raises(ValueError, match="WENGERT_EXECUTOR"):
        choose.compile(graph, [y], [])


def test_a_change_takes_effect_at_once() -> None:
    @tf.function
    def f(x):
        return tf.gradients(x * x, x)[0]

    with tf.Graph().as_default(), v1.Session() as session:
        y = tf.constant(1.0) + 1.0
        kinds = []
        for name in ("numpy", "xla", "auto", "numpy"):
            with options.set(executor=name):
                assert session.run(y) == 2
                kinds.append(type(list(session._programs.values())[-1]).__name__)
    assert kinds == ["NumPyProgram", "Falling", "AutoProgram", "AutoProgram"]
    for name in ("numpy", "xla", "auto"):
        with options.set(executor=name):
            assert float(f(tf.constant(3.0))) == 6
            (trace,) = f._traces.values()
            assert isinstance(trace.program, NumPyProgram)
            with tf.GradientTape() as tape:
                x = tf.constant(3.0)
                tape.watch(x)
                y = f(x)
            assert float(tape.gradient(y, x)) == 2
    assert len(trace._programs) == 3


def test_what_xla_cannot_run_numpy_does(on_xla: None, caplog: Any) -> None:
    with tf.Graph().as_default(), v1.Session() as session, caplog.at_level(logging.WARNING, "wengert"):
        x = v1.placeholder(tf.float32, [None])
        y = tf.where(x > 0)
        for _ in range(3):
            assert session.run(y, {x: [1.0, -1.0]}).tolist() == [[0]]
        assert session.run(y, {x: [1.0]}).tolist() == [[0]]
    (record,) = caplog.records
    assert "xla cannot run nonzero at" in record.message and "NumPy runs it" in record.message


def test_rewrites() -> None:
    before = get_rewrites()
    assert all(before.values())
    with rewrites(taylor=False, tiles=False):
        assert not get_rewrites()["taylor"] and get_rewrites()["batch"]
    assert get_rewrites() == before
    set_rewrites(collapse=False)
    assert not options.collapse
    set_rewrites(**before)
    for call in (set_rewrites, rewrites):
        with pytest.raises(ValueError, match="no rewrite 'taylr'"), options.set():
            result = call(taylr=True)
            if result is not None:
                result.__enter__()
        with pytest.raises(TypeError, match="taylor must be True or False"):
            result = call(taylor=1)
            if result is not None:
                result.__enter__()
    with pytest.raises(TypeError):
        tf.config.compare_rewrites(1)
    for wrong, error in ((0, ValueError), (-1, ValueError), ("many", TypeError), (None, TypeError)):
        with pytest.raises(error, match="set_threads"):
            set_threads(wrong)
    threads = options.threads
    set_threads(3)
    assert options.threads == 3
    set_threads(threads)


def test_run_with_an_executor(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import tensorflow as tf\nfrom wengert.config import get_executor\nx = tf.placeholder(tf.float32)\n"
        "with tf.Session() as s:\n    print(get_executor(), s.run(tf.gradients(x ** 2, x), {x: 3.0}))\n"
    )
    for name in ("xla", "auto"):
        command = [sys.executable, "-m", "wengert", "run", "--executor", name, str(script)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{name} [np.float32(6.0)]\n", "")


# --- the one that chooses ---------------------------------------------------------------------------------------------


def slow(monkeypatch: Any, seconds: float) -> None:
    """Make NumPy's programs slow."""
    run = NumPyProgram.run

    def slowly(self: Any, arrays: Any, copy: bool = True, tiling_of: Any = None) -> Any:
        time.sleep(seconds)
        return run(self, arrays, copy, tiling_of)

    monkeypatch.setattr(NumPyProgram, "run", slowly)


def until(program: AutoProgram, done: Any, *given: Any) -> int:
    """Run until the comparison is over; return how many runs that took."""
    runs, end = 0, time.monotonic() + 60
    while not done() and time.monotonic() < end:
        program(*given)
        runs += 1
        time.sleep(0.001)
    assert done(), program.decision
    return runs


def adder() -> Any:
    graph = Graph()
    with graph.as_default():
        v = tf.compat.v1.Variable(np.zeros(2, np.float32))
        x = v1.placeholder(tf.float32, [None])
        add = v.assign_add(tf.reduce_sum(x) * tf.ones([2]))
    v.storage.write(np.zeros(2, np.float32))
    return graph, v, x, add


def test_auto_takes_xla_where_it_is_faster(monkeypatch: Any) -> None:
    slow(monkeypatch, 0.01)
    graph, v, x, add = adder()
    program = AutoProgram(graph, [add], [x])
    assert program.decision == "numpy: it has not run yet"
    one = np.ones(1, np.float32)
    runs = until(program, lambda: program.decision.startswith("xla: "), one)
    assert re.match(r"xla: \S+ [um]s against \S+ [um]s over 4 runs", program.decision)
    program(one)
    assert v.storage.array.tolist() == [runs + 1] * 2  # each run was made once
    # Another signature is another matter.
    program(np.ones(2, np.float32))
    assert program.decision.startswith("numpy: ")


def test_auto_stays_where_xla_is_not_faster(monkeypatch: Any) -> None:
    slow(monkeypatch, 0.001)
    run = XlaProgram.run

    def slowly(self: Any, arrays: Any, copy: bool = True, there: bool = False) -> Any:
        time.sleep(0.05)
        return run(self, arrays, copy, there)

    monkeypatch.setattr(XlaProgram, "run", slowly)
    graph, v, x, add = adder()
    program = AutoProgram(graph, [add], [x])
    runs = until(program, lambda: " of XLA over 4 runs" in program.decision, np.ones(1, np.float32))
    assert program.decision.startswith("numpy: ")
    assert v.storage.array.tolist() == [runs] * 2


def test_auto_compiles_nothing_for_short_runs(monkeypatch: Any) -> None:
    monkeypatch.setattr(auto, "SHORT", 60.0)  # however busy the machine is
    graph, _, x, add = adder()
    program = AutoProgram(graph, [add], [x])
    for _ in range(30):
        program(np.ones(1, np.float32))
    assert re.fullmatch(r"numpy: \S+ [um]?s, not worth a compilation", program.decision)


def test_auto_says_why_xla_cannot(monkeypatch: Any) -> None:
    slow(monkeypatch, 0.006)
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [2])
        y = tf.where(x > 0)
    program = AutoProgram(graph, [y], [x])
    until(program, lambda: "cannot" in program.decision, np.ones(2, np.float32))
    assert program.decision.startswith("numpy: xla cannot run nonzero at ")


def test_auto_tells_what_breaks(monkeypatch: Any) -> None:
    slow(monkeypatch, 0.006)

    def broken(self: Any, key: Any) -> Any:
        raise MemoryError("no more")

    monkeypatch.setattr(XlaProgram, "compile", broken)
    graph, _, x, add = adder()
    program = AutoProgram(graph, [add], [x])
    until(program, lambda: "MemoryError" in program.decision, np.ones(1, np.float32))
    assert program.decision == "numpy: XLA cannot compile it: MemoryError: no more"


def test_auto_goes_back_when_xla_fails(monkeypatch: Any) -> None:
    slow(monkeypatch, 0.006)
    graph, v, x, add = adder()
    program = AutoProgram(graph, [add], [x])
    one = np.ones(1, np.float32)
    runs = until(program, lambda: program.decision.startswith("xla: "), one)

    def broken(self: Any, arrays: Any, copy: bool = True, there: bool = False) -> Any:
        raise MemoryError("no more")

    monkeypatch.setattr(XlaProgram, "run", broken)
    program(one)
    assert program.decision == "numpy: XLA failed: MemoryError: no more"
    assert v.storage.array.tolist() == [runs + 1] * 2


def test_auto_stops_compiling_for_ever_new_shapes() -> None:
    graph, _, x, add = adder()
    program = AutoProgram(graph, [add], [x])
    for n in range(1, auto.SIGNATURES + 3):
        program(np.ones(n, np.float32))
    assert "more than 8 signatures" in program.decision


def test_auto_without_jax(monkeypatch: Any) -> None:
    slow(monkeypatch, 0.006)
    monkeypatch.setattr(of_jax, "_made", [])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    graph, _, x, add = adder()
    program = AutoProgram(graph, [add], [x])
    until(program, lambda: "jax" in program.decision.lower(), np.ones(1, np.float32))
    assert "pip install 'wengert[xla]'" in program.decision


def test_auto_ends_quietly() -> None:
    """The interpreter ends while something is being compiled."""
    code = """
import numpy as np, wengert as tf
from wengert.config import set_executor
set_executor("auto")
@tf.function
def f(x):
    for _ in range(200):
        x = tf.tanh(x @ x) + tf.cos(x)
    return x
for _ in range({}):
    f(tf.constant(np.ones((100, 100), "float32")))
"""
    for runs in (1, 3):
        command = [sys.executable, "-W", "error", "-c", code.format(runs)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_numpys_global_generator_is_left_alone(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\nimport wengert as tf\nnp.random.seed(1)\ntf.config.set_executor('xla')\n"
        "f = tf.function(lambda x: tf.matmul(x, x) + 1.0)\nprint(f(tf.ones([2, 2])).numpy().tolist())\n"
        "found = np.random.rand(3)\nnp.random.seed(1)\nprint(np.array_equal(found, np.random.rand(3)), np.random.rand.__module__)"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout.splitlines() == ["[[3.0, 3.0], [3.0, 3.0]]", "True numpy.random"], done.stderr


@pytest.mark.parametrize("rows", [3, None])
def test_a_loop_over_a_variable_and_rows_of_unknown_number(on_xla, rows):
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [rows, 2])
        w = tf.Variable([1.0, 2.0])
        found = tf.map_fn(lambda i: tf.reduce_sum(x * w) + i, tf.constant([0.0, 1.0]))
        session.run(v1.global_variables_initializer())
        assert session.run(found, {x: np.ones((3, 2))}).tolist() == [9.0, 10.0]
