"""Random numbers: their distributions against SciPy, what seeds decide, eagerly and in graphs."""

import numpy as np
import pytest
import scipy.stats

from wengert import errors
from wengert.execute.numpy import NumPyProgram
from wengert.functions import array as A
from wengert.functions import random as R
from wengert.ground.context import state
from wengert.modes.tape import GradientTape
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import Graph, apply, convert, tensors


@pytest.fixture(autouse=True)
def no_seed():
    R.set_seed(None)
    yield
    R.set_seed(None)


N = [20000]
DISTRIBUTIONS = [
    ("uniform", lambda s: R.uniform(N, seed=s), scipy.stats.uniform(0, 1)),
    ("uniform bounds", lambda s: R.uniform(N, -2, 3.0, seed=s), scipy.stats.uniform(-2, 5)),
    ("normal", lambda s: R.normal(N, seed=s), scipy.stats.norm()),
    ("normal moments", lambda s: R.normal(N, 1.5, 0.5, "float64", seed=s), scipy.stats.norm(1.5, 0.5)),
    ("truncated", lambda s: R.truncated_normal(N, seed=s), scipy.stats.truncnorm(-2, 2)),
    ("truncated moments", lambda s: R.truncated_normal(N, 1.0, 3.0, seed=s), scipy.stats.truncnorm(-2, 2, 1, 3)),
    ("gamma", lambda s: R.gamma(N, 2.5, seed=s), scipy.stats.gamma(2.5)),
    ("gamma scale", lambda s: R.gamma(N, 2.5, 4.0, seed=s), scipy.stats.gamma(2.5, scale=0.25)),
    ("stateless uniform", lambda s: R.stateless_uniform(N, [s, 1], 0, 2), scipy.stats.uniform(0, 2)),
    ("stateless normal", lambda s: R.stateless_normal(N, (s, 1)), scipy.stats.norm()),
    ("stateless truncated", lambda s: R.stateless_truncated_normal(N, (s, 1)), scipy.stats.truncnorm(-2, 2)),
    ("generator normal", lambda s: R.Generator.from_seed(s).normal(N), scipy.stats.norm()),
    ("generator uniform", lambda s: R.Generator.from_seed(s).uniform(N), scipy.stats.uniform(0, 1)),
    ("generator truncated", lambda s: R.Generator.from_seed(s).truncated_normal(N), scipy.stats.truncnorm(-2, 2)),
]
IDS = [row[0] for row in DISTRIBUTIONS]


@pytest.mark.parametrize(("label", "f", "law"), DISTRIBUTIONS, ids=IDS)
def test_distribution(label, f, law):
    x = f(5)
    assert x.shape == N
    assert scipy.stats.kstest(np.asarray(x), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize(("label", "f", "law"), [r for r in DISTRIBUTIONS if "generator" not in r[0]])
def test_distribution_in_graph(label, f, law):
    graph = Graph()
    with graph.as_default():
        out = f(5)
    (x,) = NumPyProgram(graph, [out], [])()
    assert x.dtype == out.nptype and out.shape == N
    assert scipy.stats.kstest(x, law.cdf).pvalue > 1e-3


def test_integers():
    x = np.asarray(R.uniform([6000], 2, 8, "int32", seed=1))
    assert x.dtype == np.int32
    assert scipy.stats.chisquare(np.bincount(x, minlength=8)[2:]).pvalue > 1e-3
    assert (np.asarray(R.uniform([10], maxval=1, dtype="int64")) == 0).all()
    assert np.asarray(R.uniform([1000], 0, 2**8, "uint8")).max() > 200


def test_poisson_and_categorical():
    x = np.asarray(R.poisson([8000], [2.0, 30.0], seed=4))
    assert x.shape == (8000, 2)
    np.testing.assert_allclose(x.mean(0), [2, 30], rtol=0.05)
    np.testing.assert_allclose(x.var(0), [2, 30], rtol=0.1)
    p = np.array([[0.1, 0.2, 0.7], [0.6, 0.0, 0.4]])
    with np.errstate(divide="ignore"):
        drawn = np.asarray(R.categorical(np.log(p), 10000, seed=3))
    assert drawn.dtype == np.int64 and drawn.shape == (2, 10000)
    for row, expected in zip(drawn, p, strict=True):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / 10000, expected, atol=0.02)
    assert R.categorical([[0.0, 1.0]], 3, "int32").dtype == "int32"


def test_shapes_of_parameters():
    assert R.gamma([2], [[1.0], [2.0]], [3.0, 4.0, 5.0]).shape == (2, 2, 3)
    assert R.gamma([], 1.0).shape == ()
    assert R.normal([3, 2], mean=[0.0, 100.0]).shape == (3, 2)
    assert R.uniform([2.0, 3.0]).shape == (2, 3)
    assert R.uniform(A.constant([2, 3])).shape == (2, 3)


def test_shuffle_permutes_rows():
    x = np.arange(40).reshape(20, 2)
    y = np.asarray(R.shuffle(x, seed=2))
    assert not (y == x).all()
    assert (y[np.argsort(y[:, 0])] == x).all()


def draws(n, seed=None):
    return [np.asarray(R.normal([4], seed=seed)) for _ in range(n)]


def distinct(arrays):
    return len({a.tobytes() for a in arrays}) == len(arrays)


def test_without_a_seed_numbers_are_fresh():
    assert distinct(draws(4))


def test_a_global_seed_decides_the_sequence():
    R.set_seed(5)
    first = draws(3)
    R.set_seed(5)
    again = draws(3)
    R.set_seed(6)
    other = draws(3)
    np.testing.assert_array_equal(first, again)
    assert distinct(first + other)


def test_an_operation_seed_gives_a_sequence_of_its_own():
    R.set_seed(1)
    a, b = draws(2, seed=7)
    R.set_seed(1)
    draws(3)
    c, d = draws(2, seed=7)
    np.testing.assert_array_equal([a, b], [c, d])
    assert distinct([a, b, *draws(1, seed=8)])
    R.set_seed(2)
    assert distinct([a, b, *draws(2, seed=7)])


def test_an_operation_seed_alone_is_repeatable_after_set_seed():
    first = draws(2, seed=7)
    R.set_seed(None)
    np.testing.assert_array_equal(first, draws(2, seed=7))


def runs(program, n, counters):
    before = state.counters
    state.counters = counters
    try:
        return [program()[0] for _ in range(n)]
    finally:
        state.counters = before


@pytest.mark.parametrize(("whole", "own", "repeats"), [(None, None, False), (3, None, True), (None, 3, True), (3, 4, True)])
def test_a_session_runs_through_the_sequence_and_a_new_one_starts_it_again(whole, own, repeats):
    graph = Graph()
    with graph.as_default():
        if whole is not None:
            R.set_seed(whole)
        outputs = [R.normal([4], seed=own), R.normal([4], seed=own)]
    programs = [NumPyProgram(graph, [o], []) for o in outputs]
    first, again = (runs(programs[0], 3, {}) for _ in range(2))
    assert distinct(first)
    assert np.array_equal(first, again) == repeats
    assert np.array_equal(runs(programs[1], 3, {}), first) == (own is not None)


def test_seeds_of_a_graph_depend_on_the_place():
    def build(extra):
        graph = Graph()
        with graph.as_default():
            R.set_seed(3)
            for _ in range(extra):
                A.constant(1.0)
            out = R.uniform([4])
        return NumPyProgram(graph, [out], [])()[0]

    np.testing.assert_array_equal(build(0), build(0))
    assert not np.array_equal(build(0), build(1))


def test_a_graph_seed_leaves_the_eager_one_alone():
    R.set_seed(5)
    first = draws(1)
    R.set_seed(5)
    with Graph().as_default():
        R.set_seed(9)
    np.testing.assert_array_equal(first, draws(1))


def test_stateless_numbers_depend_on_the_pair_alone():
    a = R.stateless_normal([4], [1, 2])
    R.normal([3])
    np.testing.assert_array_equal(a, R.stateless_normal([4], A.constant([1, 2])))
    assert distinct([np.asarray(R.stateless_normal([4], s)) for s in ([1, 2], [2, 1], [1, 3], [-1, 2])])
    graph = Graph()
    with graph.as_default():
        place = apply(PLACEHOLDER, (), {"dtype": np.dtype(np.int32), "shape": (2,)})
        outputs = [R.stateless_normal([4], place), R.stateless_normal(A.reshape(place[1] + 2, [1]), place)]
    for found in NumPyProgram(graph, outputs, [place])(np.array([1, 2], np.int32)):
        np.testing.assert_array_equal(found, a)


def test_generators():
    a, b = R.Generator.from_seed(1), R.Generator.from_seed(1)
    first = [np.asarray(a.normal([3])) for _ in range(3)]
    np.testing.assert_array_equal(first, [np.asarray(b.normal([3])) for _ in range(3)])
    assert distinct(first)
    a.reset_from_seed(1)
    np.testing.assert_array_equal(first[0], a.normal([3]))
    assert distinct([np.asarray(g.normal([3])) for g in (*a.split(2), R.Generator.from_non_deterministic_state())])
    assert R.get_global_generator() is R.get_global_generator()
    R.set_global_generator(a)
    assert R.get_global_generator() is a


def test_sizes_that_a_graph_decides():
    graph = Graph()
    with graph.as_default():
        n = apply(PLACEHOLDER, (), {"dtype": np.dtype(np.int32), "shape": ()})
        outputs = [R.uniform([n, 2]), R.normal([n]), R.truncated_normal([n]), R.gamma([n], [1.0, 2.0]), R.poisson([n], 3.0),
                   R.uniform([n], 0, 9, "int32"), R.uniform([3], 0, n, "int32"), R.categorical([[0.0, 1.0]], n)]  # fmt: skip
    assert [o.sizes for o in outputs] == [(None, 2), (None,), (None,), (None, 2), (None,), (None,), (3,), (1, None)]
    found = NumPyProgram(graph, outputs, [n])(np.int32(3))
    assert [v.shape for v in found] == [(3, 2), (3,), (3,), (3, 2), (3,), (3,), (3,), (1, 3)]
    assert (found[6] < 3).all() and found[6].dtype == np.int32


def test_derivatives_flow_through_the_parameters():
    low, high, mean, scale, beta = (convert(v) for v in (0.5, 2.0, 1.0, 3.0, 4.0))
    with GradientTape(persistent=True) as tape:
        tape.watch([low, high, mean, scale, beta])
        u = R.uniform([5], low, high, seed=1)
        z = R.normal([5], mean, scale, seed=1)
        g = R.gamma([5], 2.0, beta, seed=1)
    standard = (np.asarray(z) - 1) / 3
    np.testing.assert_allclose(tape.gradient(z, mean), 5)
    np.testing.assert_allclose(tape.gradient(z, scale), standard.sum(), rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(u, high), ((np.asarray(u) - 0.5) / 1.5).sum(), rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(u, low), (1 - (np.asarray(u) - 0.5) / 1.5).sum(), rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(g, beta), -np.asarray(g).sum() / 4, rtol=1e-5)
    with pytest.warns(UserWarning):
        assert tape.gradient(tensors.sum(z, axis=None, keepdims=False), low) is None


def test_half_precision_stays_below_one():
    x = np.asarray(R.uniform([100000], dtype="float16", seed=1))
    assert x.dtype == np.float16 and x.max() < 1


def test_names():
    with Graph().as_default():
        made = [R.normal([2]), R.uniform([2]), R.truncated_normal([2]), R.normal([2], name="mine")]
    assert [t.name for t in made] == ["random_normal:0", "random_uniform:0", "truncated_normal:0", "mine:0"]


@pytest.mark.parametrize(
    ("label", "f", "kind"),
    [
        ("int without maxval", lambda: R.uniform([2], dtype="int32"), ValueError),
        ("empty range", lambda: R.uniform([2], 3, 3, "int32"), errors.InvalidArgumentError),
        ("range of the dtype", lambda: R.uniform([2], 0, 300, "uint8"), errors.InvalidArgumentError),
        ("negative", lambda: R.normal([-1]), errors.InvalidArgumentError),
        ("huge", lambda: R.normal([2**50]), errors.ResourceExhaustedError),
        ("None", lambda: R.normal(None), errors.InvalidArgumentError),
        ("ragged", lambda: R.normal([[1], [2, 3]]), errors.InvalidArgumentError),
        ("string", lambda: R.normal("ab"), errors.InvalidArgumentError),
        ("dtype", lambda: R.normal([2], dtype="int32"), TypeError),
        ("complex", lambda: R.uniform([2], dtype="complex64"), TypeError),
        ("mean", lambda: R.normal([2], mean=[1.0, 2.0, 3.0]), errors.InvalidArgumentError),
        ("mean string", lambda: R.normal([2], mean="a"), errors.InvalidArgumentError),
        ("seed", lambda: R.normal([2], seed="a"), errors.InvalidArgumentError),
        ("half a seed", lambda: R.normal([2], seed=1.5), errors.InvalidArgumentError),
        ("stateless seed", lambda: R.stateless_normal([2], 1), errors.InvalidArgumentError),
        ("logits", lambda: R.categorical([0.0, 1.0], 2), errors.InvalidArgumentError),
        ("logits ints", lambda: R.categorical([[0, 1]], 2), TypeError),
        ("from_seed", lambda: R.Generator.from_seed(None), errors.InvalidArgumentError),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_refuses(label, f, kind):
    with pytest.raises(kind):
        f()
    with pytest.raises(kind), Graph().as_default():
        f()


def test_a_negative_rate_is_refused():
    with pytest.raises(errors.InvalidArgumentError):
        R.poisson([2], -1.0)


def test_stateless_gamma_and_poisson_take_the_whole_shape():
    """TensorFlow 2.21's shapes: that given, which ends in what the parameters broadcast to."""
    draw = R.stateless_gamma
    assert draw([3, 2], [1, 2], [1.0, 2.0]).shape == [3, 2] and draw([2, 2], [1, 2], [1.0, 2.0], [[1.0], [2.0]]).shape == [2, 2]
    assert R.stateless_poisson([3, 2], [1, 2], [1.0, 2.0]).dtype == "int32"
    for f in (draw, R.stateless_poisson):
        with pytest.raises(ValueError):
            f([3], [1, 2], [1.0, 2.0])
        np.testing.assert_array_equal(f([5], [1, 2], 4.0), f([5], [1, 2], 4.0))
    x = np.asarray(draw([20_000], [3, 4], 2.5, 2.0, "float64"))
    np.testing.assert_allclose([x.mean(), x.var()], [1.25, 0.625], rtol=0.05)
    k = np.asarray(R.stateless_poisson([20_000], [3, 4], 2.5))
    np.testing.assert_allclose([k.mean(), k.var()], [2.5, 2.5], rtol=0.05)
