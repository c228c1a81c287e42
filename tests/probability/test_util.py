"""What is computed from a variable at each reading: as GPflow holds its parameters."""

import copy

import numpy as np
import pytest

import wengert as wg
from wengert.compat import probability as tfp

tfb, util = tfp.bijectors, tfp.util


def test_a_transformed_variable_is_its_bijectors_map():
    p = util.TransformedVariable(2.0, tfb.Exp(), dtype=wg.float64, trainable=True, name="variance")
    assert isinstance(p, wg.Module) and isinstance(p, util.DeferredTensor)
    assert p.dtype == wg.float64 and p.shape == [] and p.name == "variance" and p.bijector.name == "exp"
    assert float(p.pretransformed_input) == pytest.approx(np.log(2.0))
    assert [v is p.pretransformed_input for v in p.trainable_variables] == [True]
    returned = p.assign(3.0)
    assert float(returned) == pytest.approx(np.log(3.0)) and float(p.numpy()) == pytest.approx(3.0)
    p.assign_add(1.0)
    p.assign_sub(0.5)
    assert np.asarray(p).dtype == np.float64 and float(wg.convert_to_tensor(p)) == pytest.approx(3.5)
    assert repr(p).startswith('<TransformedVariable: name=variance, dtype=float64, shape=[], fn="exp", numpy=3.5')
    assert isinstance(hash(p), int) and p == p and not p == 3.5


def test_it_stands_for_a_tensor():
    p = util.TransformedVariable([1.0, 4.0], tfb.Softplus())
    for f, expected in (
        (lambda: p + 1.0, [2.0, 5.0]), (lambda: 1.0 - p, [0.0, -3.0]), (lambda: p * p, [1.0, 16.0]),
        (lambda: wg.sqrt(p), [1.0, 2.0]),
        (lambda: p[1:], [4.0]), (lambda: np.array([1.0, 1.0]) * p, [1.0, 4.0]), (lambda: wg.stack([p, p])[0], [1.0, 4.0]),
        (lambda: wg.cast(p, wg.float64), [1.0, 4.0]), (lambda: [float(v) for v in p], [1.0, 4.0]), (lambda: p > 2.0, [0.0, 1.0]),
    ):  # fmt: skip
        np.testing.assert_allclose(np.asarray(f(), float), expected, rtol=1e-6)
    assert len(p) == 2 and wg.shape(p).numpy().tolist() == [2]


def test_derivatives_of_any_order_go_to_the_variable():
    p = util.TransformedVariable(2.0, tfb.Exp(), dtype=wg.float64)
    v = p.pretransformed_input

    def orders():
        with wg.GradientTape() as second:
            with wg.GradientTape() as first:
                y = p * p
            g = first.gradient(y, v)
        return g, second.gradient(g, v)

    for found in (orders(), wg.function(orders)()):
        np.testing.assert_allclose([float(g) for g in found], [8.0, 16.0])
    p.assign(3.0)
    np.testing.assert_allclose([float(g) for g in wg.function(orders)()], [18.0, 36.0])


def test_assigned_to_and_watched_in_a_traced_function():
    p = util.TransformedVariable(2.0, tfb.Softplus(), dtype=wg.float64)
    v = p.pretransformed_input

    @wg.function
    def step(x):
        v.assign(x)
        with wg.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v])
            y = p**2
        return y, tape.gradient(y, v)

    for x in (0.3, -1.2):
        y, g = step(wg.constant(x, wg.float64))
        soft = np.log1p(np.exp(x))
        np.testing.assert_allclose([float(y), float(g)], [soft**2, 2 * soft / (1 + np.exp(-x))])


def test_a_deferred_tensor():
    v = wg.Variable([1.0, 2.0], name="v")
    d = util.DeferredTensor(v, lambda x: wg.reduce_sum(x * x), shape=[])
    assert float(d) == 5.0 if hasattr(d, "__float__") else float(d + 0.0) == 5.0
    assert d.shape == [] and d.dtype == wg.float32 and d.transform_fn is not None
    v.assign([3.0, 4.0])
    assert float(d + 0.0) == 25.0
    tril = util.DeferredTensor(wg.Variable(np.arange(3.0)), tfb.FillTriangular())
    assert tril.shape == [2, 2] and tril.dtype == wg.float64
    other = wg.Variable(2.0)
    both = util.DeferredTensor(1.0, lambda x: x * other, also_track=other)
    assert [w is other for w in both.variables] == [True] and float(both * 1.0) == 2.0
    with pytest.raises(TypeError, match="transform_fn is a function"):
        util.DeferredTensor(1.0, 3)
    with pytest.raises(NotImplementedError, match="eager"):
        wg.function(lambda: d.numpy())()


def test_a_copy_has_a_variable_of_its_own():
    p = util.TransformedVariable(2.0, tfb.Chain([tfb.Shift(0.5), tfb.Softplus()]))
    q = copy.deepcopy(p)
    q.assign(4.0)
    assert (round(float(p + 0.0), 5), round(float(q + 0.0), 5)) == (2.0, 4.0)


def test_a_checkpoint_saves_it(tmp_path):
    class Model(wg.Module):
        def __init__(self, value):
            super().__init__()
            self.scale = util.TransformedVariable(value, tfb.Exp())

    path = wg.train.Checkpoint(model=Model(2.0)).save(str(tmp_path / "c"))
    other = Model(1.0)
    wg.train.Checkpoint(model=other).restore(path)
    assert float(other.scale + 0.0) == pytest.approx(2.0)


def test_a_model_has_its_variables_in_tensorflows_order():
    """TensorFlow 2.21: what stands for variables comes in its place, a module after all that is not one."""

    class Kernel(wg.Module):
        def __init__(self, inner=None):
            super().__init__()
            self.a_inner = inner
            self.variance = util.TransformedVariable(1.0, tfb.Exp(), name="inner" if inner is None else "outer")

    model = Kernel(Kernel())
    assert [v.name for v in model.trainable_variables] == ["outer:0", "inner:0"]
    found = list(model._flatten(predicate=lambda leaf: isinstance(leaf, util.TransformedVariable)))
    assert [p.name for p in found] == ["outer", "inner"]


def test_covariance_is_numpys():
    x = np.random.default_rng(0).normal(size=(5, 4, 3))
    y = np.random.default_rng(1).normal(size=(5, 4, 3))
    np.testing.assert_allclose(tfp.stats.covariance(x[:, 0]), np.cov(x[:, 0].T, bias=True))
    expected = np.einsum("nba,nbc->bac", x - x.mean(0), y - y.mean(0)) / 5
    np.testing.assert_allclose(tfp.stats.covariance(x, y), expected)
    np.testing.assert_allclose(tfp.stats.covariance(x, sample_axis=[0, 1]), np.cov(x.reshape(-1, 3).T, bias=True))
    np.testing.assert_allclose(tfp.stats.covariance(x, sample_axis=None), np.cov(x.reshape(-1, 3).T, bias=True))
    np.testing.assert_allclose(tfp.stats.variance(x), x.var(0))
    np.testing.assert_allclose(tfp.stats.stddev(x, sample_axis=1), x.std(1))
    np.testing.assert_allclose(tfp.stats.correlation(x[:, 0]), np.corrcoef(x[:, 0].T))
    with pytest.raises(ValueError, match="one event_axis"):
        tfp.stats.covariance(x, sample_axis=-1)
