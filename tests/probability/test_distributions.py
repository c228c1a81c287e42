"""Distributions: densities, distribution functions and moments against SciPy; derivatives against mpmath; draws by their law."""

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from scipy.special import expit

import wengert as wg
from wengert.compat import probability as tfp

tfd, tfb = tfp.distributions, tfp.bijectors
F = np.float64
AT = np.array([-3.0, -0.7, 0.2, 0.9, 4.0])
ABOVE = np.array([0.05, 0.4, 1.0, 2.5, 9.0])
WITHIN = np.array([0.02, 0.3, 0.5, 0.81, 0.97])

CONTINUOUS = {
    "Normal": (tfd.Normal(F(0.5), 2.0), scipy.stats.norm(0.5, 2.0), AT),
    "Laplace": (tfd.Laplace(F(0.5), 2.0), scipy.stats.laplace(0.5, 2.0), AT),
    "Cauchy": (tfd.Cauchy(F(0.5), 2.0), scipy.stats.cauchy(0.5, 2.0), AT),
    "StudentT": (tfd.StudentT(F(5.0), 0.5, 2.0), scipy.stats.t(5.0, 0.5, 2.0), AT),
    "Uniform": (tfd.Uniform(F(-1.0), 3.0), scipy.stats.uniform(-1.0, 4.0), AT),
    "HalfNormal": (tfd.HalfNormal(F(2.0)), scipy.stats.halfnorm(scale=2.0), ABOVE),
    "HalfCauchy": (tfd.HalfCauchy(F(0.0), 2.0), scipy.stats.halfcauchy(scale=2.0), ABOVE),
    "LogNormal": (tfd.LogNormal(F(0.5), 0.7), scipy.stats.lognorm(0.7, scale=np.exp(0.5)), ABOVE),
    "Gamma": (tfd.Gamma(F(2.5), 3.0), scipy.stats.gamma(2.5, scale=1 / 3), ABOVE),
    "Gamma of a logarithm": (tfd.Gamma(F(2.5), log_rate=np.log(3.0)), scipy.stats.gamma(2.5, scale=1 / 3), ABOVE),
    "Exponential": (tfd.Exponential(F(3.0)), scipy.stats.expon(scale=1 / 3), ABOVE),
    "InverseGamma": (tfd.InverseGamma(F(3.5), 2.0), scipy.stats.invgamma(3.5, scale=2.0), ABOVE),
    "Beta": (tfd.Beta(F(2.5), 1.5), scipy.stats.beta(2.5, 1.5), WITHIN),
    "mapped down": (tfb.Scale(F(-2.0))(tfd.Gamma(F(2.5), 3.0)), None, -ABOVE),
}
DISCRETE = {
    "Bernoulli": (tfd.Bernoulli(probs=F(0.3)), scipy.stats.bernoulli(0.3), [0, 1]),
    "Bernoulli of a logit": (tfd.Bernoulli(logits=F(0.8)), scipy.stats.bernoulli(expit(0.8)), [0, 1]),
    "Poisson": (tfd.Poisson(F(2.5)), scipy.stats.poisson(2.5), [0, 1, 4, 9]),
    "Poisson of a logarithm": (tfd.Poisson(log_rate=np.log(F(2.5))), scipy.stats.poisson(2.5), [0, 1, 4, 9]),
    "Categorical": (
        tfd.Categorical(probs=[F(0.2), 0.5, 0.3]), scipy.stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])), [0, 1, 2],
    ),
    "Categorical of logits": (
        tfd.Categorical(logits=np.log([0.2, 0.5, 0.3]) + 1.0),
        scipy.stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])), [0, 1, 2],
    ),
}  # fmt: skip
WITH_SCIPY = [name for name, row in CONTINUOUS.items() if row[1] is not None]


def close(found, expected, rtol=1e-12):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("name", [*WITH_SCIPY, *DISCRETE])
def test_density_and_distribution_function_are_scipys(name):
    ours, theirs, at = {**CONTINUOUS, **DISCRETE}[name]
    log_density = theirs.logpdf if name in CONTINUOUS else theirs.logpmf
    close(ours.log_prob(at), log_density(at))
    close(ours.prob(at), np.exp(log_density(at)))
    close(ours.cdf(at), theirs.cdf(at), 1e-11)
    close(ours.survival_function(at), theirs.sf(at), 1e-10)
    inside = np.asarray(at)[(theirs.cdf(at) > 0) & (theirs.cdf(at) < 1 - 1e-12)]
    close(ours.log_cdf(inside), theirs.logcdf(inside), 1e-10)
    close(ours.log_survival_function(inside), np.log(theirs.sf(inside)), 1e-10)
    if name in CONTINUOUS:
        close(ours.quantile(WITHIN), theirs.ppf(WITHIN), 1e-11)


@pytest.mark.parametrize("name", [*WITH_SCIPY, *DISCRETE])
def test_moments_and_entropy_are_scipys(name):
    ours, theirs, _ = {**CONTINUOUS, **DISCRETE}[name]
    if "Cauchy" in name:  # which has no mean; SciPy says infinite for the half
        assert np.isnan(ours.mean()) and np.isnan(ours.stddev())
    else:
        close(ours.mean(), theirs.mean(), 1e-10)
        close(ours.variance(), theirs.var(), 1e-9)
        close(ours.stddev(), theirs.std(), 1e-9)
    if "Poisson" in name:
        with pytest.raises(NotImplementedError, match="Poisson has no `entropy`"):
            ours.entropy()
    else:
        close(ours.entropy(), theirs.entropy(), 1e-10)


@pytest.mark.parametrize("name", [n for n in CONTINUOUS if n != "Uniform"])
def test_the_mode_has_the_greatest_density(name):
    ours, _, at = CONTINUOUS[name]
    if name in ("mapped down", "Exponential"):
        pytest.skip("has no mode")
    mode = float(ours.mode())
    assert np.all(np.asarray(ours.log_prob(at)) <= float(ours.log_prob(mode)) + 1e-12)


def test_a_decreasing_map_turns_the_distribution_function():
    ours, theirs = CONTINUOUS["mapped down"][0], scipy.stats.gamma(2.5, scale=1 / 3)
    y = -ABOVE
    close(ours.log_prob(y), theirs.logpdf(y / -2) - np.log(2))
    close(ours.cdf(y), theirs.sf(y / -2), 1e-10)
    close(ours.survival_function(y), theirs.cdf(y / -2), 1e-10)


def test_tails_keep_their_digits():
    n = tfd.Normal(F(0.0), 1.0)
    z = np.array([-300.0, -40.0, -10.001, -9.999, -1.0, 4.999, 5.001, 9.0])
    with mpmath.workdps(60):
        expected = [float(mpmath.log(mpmath.erfc(-mpmath.mpf(v) / mpmath.sqrt(2)) / 2)) for v in z]
    close(n.log_cdf(z), expected, 1e-13)
    close(n.log_survival_function(-z), expected, 1e-13)
    single = tfd.Normal(np.float32(0.0), 1.0)
    close(single.log_cdf(z.astype(np.float32)), expected, 1e-5)
    assert float(tfd.Laplace(F(0.0), 1.0).log_cdf(-900.0)) == -900.0 - np.log(2.0)


# --- derivatives -----------------------------------------------------------------------------------------------------------


def normal(x, loc, scale):
    return -(((x - loc) / scale) ** 2) / 2 - mpmath.log(scale) - mpmath.log(2 * mpmath.pi) / 2


def student(x, df, loc, scale):
    z, h = (x - loc) / scale, (df + 1) / 2
    return (
        mpmath.loggamma(h)
        - mpmath.loggamma(df / 2)
        - mpmath.log(mpmath.pi * df) / 2
        - mpmath.log(scale)
        - h * mpmath.log1p(z * z / df)
    )


def log_cdf(x, loc, scale):
    return mpmath.log(mpmath.erfc(-(x - loc) / scale / mpmath.sqrt(2)) / 2)


def student_cdf(x, df, loc, scale):
    c = mpmath.gamma((df + 1) / 2) / mpmath.gamma(df / 2) / mpmath.sqrt(mpmath.pi * df)
    z = (x - loc) / scale
    return mpmath.mpf(1) / 2 + z * c * mpmath.hyp2f1(mpmath.mpf(1) / 2, (df + 1) / 2, mpmath.mpf(3) / 2, -z * z / df)


DERIVED = {
    "Normal": (lambda x, a, b: tfd.Normal(a, b).log_prob(x), normal, (0.7, 0.5, 2.0)),
    "Normal's tail": (lambda x, a, b: tfd.Normal(a, b).log_cdf(x), log_cdf, (-31.0, 0.5, 2.0)),
    "Normal, middle": (lambda x, a, b: tfd.Normal(a, b).log_cdf(x), log_cdf, (-3.0, 0.5, 2.0)),
    "Normal, above": (lambda x, a, b: tfd.Normal(a, b).log_cdf(x), log_cdf, (11.0, 0.5, 2.0)),
    "StudentT": (lambda x, n, a, b: tfd.StudentT(n, a, b).log_prob(x), student, (0.7, 4.5, 0.5, 2.0)),
    "StudentT's cdf at its centre": (lambda x, n, a, b: tfd.StudentT(n, a, b).cdf(x), student_cdf, (0.5, 4.5, 0.5, 2.0)),
    "Gamma": (
        lambda x, a, r: tfd.Gamma(a, r).log_prob(x),
        lambda x, a, r: a * mpmath.log(r) + (a - 1) * mpmath.log(x) - r * x - mpmath.loggamma(a), (0.7, 2.5, 1.5),
    ),
    "Beta": (
        lambda x, a, b: tfd.Beta(a, b).log_prob(x),
        lambda x, a, b: (a - 1) * mpmath.log(x) + (b - 1) * mpmath.log1p(-x) - mpmath.log(mpmath.beta(a, b)), (0.7, 2.5, 1.5),
    ),
    "Poisson": (
        lambda r: tfd.Poisson(r).log_prob(3.0), lambda r: 3 * mpmath.log(r) - r - mpmath.log(6), (2.5,),
    ),
    "Bernoulli": (lambda q: tfd.Bernoulli(logits=q).log_prob(0), lambda q: -mpmath.log1p(mpmath.exp(q)), (0.7,)),
    "LogNormal": (
        lambda x, a, b: tfd.LogNormal(a, b).log_prob(x),
        lambda x, a, b: normal(mpmath.log(x), a, b) - mpmath.log(x), (0.7, 0.5, 2.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DERIVED)
def test_derivatives_of_orders_one_to_three(name):
    ours, exact, at = DERIVED[name]
    for k in range(len(at)):
        x = wg.constant(at[k], wg.float64)
        with wg.GradientTape() as third:
            third.watch(x)
            with wg.GradientTape() as second:
                second.watch(x)
                with wg.GradientTape() as first:
                    first.watch(x)
                    y = ours(*[x if i == k else wg.constant(v, wg.float64) for i, v in enumerate(at)])
                d1 = first.gradient(y, x)
            d2 = second.gradient(d1, x, unconnected_gradients="zero")
        found = [d1, d2, third.gradient(d2, x, unconnected_gradients="zero")]
        with mpmath.workdps(40):
            truth = [
                mpmath.diff(lambda v, k=k: exact(*[v if i == k else mpmath.mpf(w) for i, w in enumerate(at)]), at[k], n)
                for n in (1, 2, 3)
            ]
        for order, (f, t) in enumerate(zip(found, truth, strict=True), 1):
            assert float(f) == pytest.approx(float(t), rel=1e-8, abs=1e-11), (name, k, order)


@pytest.mark.parametrize("name", ["Normal", "Gamma", "Categorical", "MultivariateNormalTriL"])
def test_a_variable_is_read_at_each_use_and_a_traced_function_agrees(name):
    v = wg.Variable([0.5, 1.5], dtype=wg.float64)
    made = {
        "Normal": lambda: (tfd.Normal(v, F(2.0)), [0.1, 0.2]), "Gamma": lambda: (tfd.Gamma(v, F(2.0)), [0.1, 0.2]),
        "Categorical": lambda: (tfd.Categorical(logits=v), 1),
        "MultivariateNormalTriL": lambda: (tfd.MultivariateNormalTriL(v, [[F(1.0), 0.0], [0.5, 2.0]]), [0.1, 0.2]),
    }[name]  # fmt: skip
    d, x = made()
    assert [w is v for w in d.trainable_variables] == [True]

    def slope():
        with wg.GradientTape() as tape:
            y = wg.reduce_sum(d.log_prob(x))
        return y, tape.gradient(y, v)

    traced = wg.function(slope)
    for value in ([0.5, 1.5], [2.0, 3.0]):
        v.assign(value)
        for eager, graph in zip(slope(), traced(), strict=True):
            close(graph, np.asarray(eager))
        again = type(d)(
            **{
                **d.parameters,
                "logits" if name == "Categorical" else "loc" if "Normal" in name else "concentration": np.array(value),
            }
        )
        close(d.log_prob(x), np.asarray(again.log_prob(x)))


# --- draws -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_draws_follow_the_distribution(name):
    ours, theirs, _ = {**CONTINUOUS, **DISCRETE}[name]
    drawn = np.asarray(ours.sample(4000, seed=(3, 5)))
    assert drawn.shape == (4000,) and drawn.dtype == ours.dtype.as_numpy_dtype
    np.testing.assert_array_equal(drawn, ours.sample(4000, seed=(3, 5)))
    assert not np.array_equal(drawn, ours.sample(4000, seed=(3, 6)))
    if name in CONTINUOUS:
        law = theirs.cdf if theirs is not None else lambda y: np.asarray(ours.cdf(y))
        assert scipy.stats.kstest(drawn, law).pvalue > 1e-4
    else:
        counts = np.array([np.sum(drawn == k) for k in range(12)])
        expected = 4000 * theirs.pmf(np.arange(12))
        large = expected > 5
        assert np.all(np.abs(counts - expected)[large] < 5 * np.sqrt(expected[large]))


def test_a_seed_goes_on_and_set_seed_begins_again():
    d = tfd.StudentT(3.0, [0.0, 1.0], 1.0)
    wg.random.set_seed(4)
    first, second = d.sample(3, seed=1), d.sample(3, seed=1)
    assert not np.array_equal(first, second)
    wg.random.set_seed(4)
    np.testing.assert_array_equal(first, d.sample(3, seed=1))
    pair = wg.constant([1, 2])
    np.testing.assert_array_equal(d.sample(3, seed=pair), wg.function(lambda s: d.sample(3, seed=s))(pair))


SHAPED = {
    "Normal": lambda: tfd.Normal([[0.0], [1.0]], [1.0, 2.0, 3.0]), "Gamma": lambda: tfd.Gamma([[1.0], [2.0]], [1.0, 2.0, 3.0]),
    "Beta": lambda: tfd.Beta([[1.0], [2.0]], [1.0, 2.0, 3.0]),
    "StudentT": lambda: tfd.StudentT([[3.0], [4.0]], 0.0, [1.0, 2.0, 3.0]),
    "Poisson": lambda: tfd.Poisson([[1.0, 2.0, 3.0]] * 2), "Bernoulli": lambda: tfd.Bernoulli(probs=[[0.1, 0.2, 0.3]] * 2),
    "Categorical": lambda: tfd.Categorical(logits=np.zeros((2, 3, 4), np.float32)),
    "Exponential": lambda: tfd.Exponential([[1.0, 2.0, 3.0]] * 2),
    "MultivariateNormalDiag": lambda: tfd.MultivariateNormalDiag(np.zeros((2, 1, 4), np.float32), np.ones((3, 4), np.float32)),
    "MultivariateNormalTriL": lambda: tfd.MultivariateNormalTriL(
        np.zeros((2, 1, 4), np.float32), np.eye(4, dtype=np.float32) * np.ones((3, 1, 1), np.float32)
    ),
    "Independent": lambda: tfd.Independent(tfd.Normal(np.zeros((2, 3, 4), np.float32), 1.0), 1),
    "Dirichlet": lambda: tfd.Dirichlet(np.ones((2, 3, 4), np.float32)),
    "mapped": lambda: tfb.Exp()(tfd.Normal([[0.0], [1.0]], [1.0, 2.0, 3.0])),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_shapes(name):
    d = SHAPED[name]()
    assert d.batch_shape == [2, 3] and d.batch_shape_tensor().numpy().tolist() == [2, 3]
    event = d.event_shape.as_list()
    assert event == ([4] if name in ("Independent", "Dirichlet") or "Multi" in name else [])
    assert d.event_shape_tensor().numpy().tolist() == event
    for given, sizes in (((), []), (5, [5]), ((5, 6), [5, 6]), (wg.constant([5, 6]), [5, 6])):
        drawn = d.sample(given, seed=(1, 2))
        assert drawn.shape == [*sizes, 2, 3, *event]
        assert d.log_prob(drawn).shape == [*sizes, 2, 3]
    traced = wg.function(lambda n: d.sample(n, seed=(1, 2)))(wg.constant([5, 6]))
    np.testing.assert_allclose(traced, drawn, rtol=1e-6)
    assert name == "mapped" or (d.mean().shape == [2, 3, *event] and d.variance().shape == [2, 3, *event])


def test_batches_that_a_graph_decides():
    @wg.function(input_signature=[wg.TensorSpec([None], wg.float64), wg.TensorSpec([None, None], wg.float64)])
    def both(loc, logits):
        n, c = tfd.Normal(loc, F(1.0)), tfd.Categorical(logits=logits)
        return n.batch_shape_tensor(), n.sample(4, seed=(1, 2)), c.batch_shape_tensor(), c.sample(4, seed=(1, 2)), c.log_prob(0)

    shape, x, batch, k, p = both(np.zeros(3), np.zeros((2, 5)))
    assert shape.numpy().tolist() == [3] and batch.numpy().tolist() == [2] and x.shape == [4, 3] and k.shape == [4, 2]
    close(p, np.log([0.2, 0.2]))


PATHS = {
    "Normal": (lambda a, b: tfd.Normal(a, b), (0.5, 2.0)), "Laplace": (lambda a, b: tfd.Laplace(a, b), (0.5, 2.0)),
    "Uniform": (lambda a, b: tfd.Uniform(a, b), (0.5, 2.0)), "LogNormal": (lambda a, b: tfd.LogNormal(a, b), (0.5, 0.7)),
    "Gamma": (lambda a, b: tfd.Gamma(a, b), (2.5, 3.0)), "Beta": (lambda a, b: tfd.Beta(a, b), (2.5, 1.5)),
    "StudentT": (lambda n, a, b: tfd.StudentT(n, a, b), (4.5, 0.5, 2.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_draws_move_with_their_parameters(name):
    """At a fixed probability: dx/da = -(∂F/∂a) / f, of the distribution function and the density."""
    make, at = PATHS[name]
    theirs = {"Beta": scipy.stats.beta, "Gamma": lambda a, b: scipy.stats.gamma(a, scale=1 / b)}
    parameters = [wg.constant(v, wg.float64) for v in at]
    with wg.GradientTape(persistent=True) as tape:
        tape.watch(parameters)
        x = make(*parameters).sample(seed=(7, 8))
    slopes = [float(g) for g in tape.gradient(x, parameters)]
    if name in ("Beta", "StudentT"):  # made of two draws, of which the mean of the slopes is fixed: E x = a / (a + b), E x = loc
        with wg.GradientTape() as tape:
            tape.watch(parameters)
            mean = wg.reduce_mean(make(*parameters).sample(200_000, seed=(7, 8)))
        found = [float(g) for g in tape.gradient(mean, parameters)]
        expected = [1.5 / 16, -2.5 / 16] if name == "Beta" else [0.0, 1.0, 0.0]
        np.testing.assert_allclose(found, expected, atol=0.02)
        return
    point = float(x)
    density = float(make(*parameters).prob(point))
    for k, slope in enumerate(slopes):
        h = 1e-5
        up, down = ([v + (s if i == k else 0.0) for i, v in enumerate(at)] for s in (h, -h))
        law = theirs.get(name, lambda *p: None)
        cdf = [float(make(*map(F, p)).cdf(point)) if law(*p) is None else law(*p).cdf(point) for p in (up, down)]
        assert slope == pytest.approx(-(cdf[0] - cdf[1]) / (2 * h) / density, rel=1e-6)


# --- divergences -----------------------------------------------------------------------------------------------------------

PAIRS = {
    "Normal": (tfd.Normal(F(0.5), 2.0), tfd.Normal(F(-0.3), 1.2), (-np.inf, np.inf)),
    "Laplace": (tfd.Laplace(F(0.5), 2.0), tfd.Laplace(F(-0.3), 1.2), (-60.0, 60.0)),
    "Cauchy": (tfd.Cauchy(F(0.5), 2.0), tfd.Cauchy(F(-0.3), 1.2), (-np.inf, np.inf)),
    "Uniform": (tfd.Uniform(F(0.5), 2.0), tfd.Uniform(F(-0.3), 2.2), (0.5, 2.0)),
    "HalfNormal": (tfd.HalfNormal(F(0.5)), tfd.HalfNormal(F(1.2)), (0.0, np.inf)),
    "Gamma": (tfd.Gamma(F(2.5), 2.0), tfd.Gamma(F(1.3), 1.2), (0.0, np.inf)),
    "Gamma, Exponential": (tfd.Gamma(F(2.5), 2.0), tfd.Exponential(F(1.2)), (0.0, np.inf)),
    "Beta": (tfd.Beta(F(2.5), 2.0), tfd.Beta(F(1.3), 1.2), (0.0, 1.0)),
    "LogNormal": (tfd.LogNormal(F(0.5), 0.7), tfb.Exp()(tfd.Normal(F(0.2), 1.1)), (0.0, np.inf)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_divergences_are_their_integrals(name):
    a, b, limits = PAIRS[name]

    def integrand(x):
        p = float(a.log_prob(x))
        return np.exp(p) * (p - float(b.log_prob(x))) if np.isfinite(p) else 0.0

    points = {"points": [-0.3, 0.5]} if name == "Laplace" else {}
    expected = scipy.integrate.quad(integrand, *limits, limit=200, **points)[0]
    assert float(a.kl_divergence(b)) == pytest.approx(expected, rel=1e-6)
    assert float(tfd.kl_divergence(a, a)) == pytest.approx(0.0, abs=1e-15)


def test_divergences_of_whole_numbers_are_their_sums():
    for a, b in (
        (tfd.Bernoulli(probs=F(0.3)), tfd.Bernoulli(logits=F(1.2))), (tfd.Poisson(F(2.5)), tfd.Poisson(F(1.7))),
        (tfd.Categorical(probs=[F(0.2), 0.5, 0.3]), tfd.Categorical(logits=[F(0.1), 0.5, 0.4])),
    ):  # fmt: skip
        top = {"Bernoulli": 2, "Poisson": 60, "Categorical": 3}[type(a).__name__]
        p, q = (np.asarray(d.log_prob(np.arange(top, dtype=float))) for d in (a, b))
        assert float(a.kl_divergence(b)) == pytest.approx(np.sum(np.exp(p) * (p - q)), rel=1e-12)
    certain = tfd.Bernoulli(probs=F(1.0))
    assert float(certain.entropy()) == 0.0 and float(certain.log_prob(1)) == 0.0 and float(certain.prob(0)) == 0.0
    assert float(tfd.Uniform(0.0, 2.0).kl_divergence(tfd.Uniform(0.5, 2.0))) == np.inf


def test_a_pair_without_a_divergence_says_so_and_one_may_be_registered():
    class Own(tfd.Normal):
        pass

    with pytest.raises(NotImplementedError, match="distribution_a type Normal and distribution_b type Gamma"):
        tfd.kl_divergence(tfd.Normal(0.0, 1.0), tfd.Gamma(1.0, 1.0))

    @tfd.RegisterKL(Own, tfd.Gamma)
    def divergence(a, b, name=None):
        return 7.0

    assert tfd.kl_divergence(Own(0.0, 1.0), tfd.Gamma(1.0, 1.0)) == 7.0
    with pytest.raises(ValueError, match="already been registered"):
        tfd.RegisterKL(Own, tfd.Gamma)(divergence)


# --- vectors ---------------------------------------------------------------------------------------------------------------

LOWER = np.array([[1.5, 0.0, 0.0], [0.4, 0.8, 0.0], [-0.3, 0.2, 2.0]])
MEAN = np.array([0.5, -1.0, 2.0])


@pytest.mark.parametrize("kind", ["Diag", "TriL", "FullCovariance"])
def test_normal_vectors(kind):
    scale = np.diag(np.diag(LOWER)) if kind == "Diag" else LOWER
    cov = scale @ scale.T
    ours = {
        "Diag": lambda: tfd.MultivariateNormalDiag(MEAN, np.diag(LOWER)), "TriL": lambda: tfd.MultivariateNormalTriL(MEAN, LOWER),
        "FullCovariance": lambda: tfd.MultivariateNormalFullCovariance(MEAN, cov),
    }[kind]()  # fmt: skip
    theirs = scipy.stats.multivariate_normal(MEAN, cov)
    x = np.random.default_rng(0).normal(size=(4, 2, 3))
    close(ours.log_prob(x), theirs.logpdf(x))
    close(ours.mean(), MEAN)
    close(ours.mode(), MEAN)
    close(ours.covariance(), cov)
    close(ours.variance(), np.diag(cov))
    close(ours.entropy(), theirs.entropy())
    drawn = np.asarray(ours.sample(20_000, seed=(1, 2)))
    np.testing.assert_allclose(np.cov(drawn.T), cov, atol=0.12)
    np.testing.assert_allclose(drawn.mean(0), MEAN, atol=0.06)
    close(ours.scale.to_dense(), scale)


def test_the_divergence_of_normal_vectors():
    a, b = tfd.MultivariateNormalTriL(MEAN, LOWER), tfd.MultivariateNormalDiag([F(0.0), 0.0, 1.0], [1.0, 2.0, 1.5])
    for p, q in ((a, b), (b, a), (a, tfd.MultivariateNormalFullCovariance(-MEAN, LOWER.T @ LOWER))):
        (m, s), (n, t) = ((np.asarray(d.mean()), np.asarray(d.covariance())) for d in (p, q))
        other = np.linalg.inv(t)
        expected = 0.5 * (np.trace(other @ s) + (n - m) @ other @ (n - m) - 3 + np.linalg.slogdet(t)[1] - np.linalg.slogdet(s)[1])
        close(p.kl_divergence(q), expected)


def test_derivatives_of_a_normal_vector_by_its_factor():
    x = np.array([0.3, 0.4, -0.2])
    lower = wg.constant(LOWER)
    with wg.GradientTape() as outer:
        outer.watch(lower)
        with wg.GradientTape() as tape:
            tape.watch(lower)
            y = tfd.MultivariateNormalTriL(MEAN, lower).log_prob(x)
        first = tape.gradient(y, lower)
    z = np.linalg.solve(LOWER, x - MEAN)
    expected = np.tril(np.outer(np.linalg.solve(LOWER.T, z), z) - np.diag(1 / np.diag(LOWER)))
    close(first, expected, 1e-11)
    second = np.asarray(outer.jacobian(first, lower))[1, 0]

    def moved(h):
        moved_lower = LOWER.copy()
        moved_lower[1, 0] += h
        w = np.linalg.solve(moved_lower, x - MEAN)
        return np.tril(np.outer(np.linalg.solve(moved_lower.T, w), w) - np.diag(1 / np.diag(moved_lower)))

    np.testing.assert_allclose(second, (moved(1e-6) - moved(-1e-6)) / 2e-6, atol=1e-8)


def test_dirichlet_and_independent():
    a = np.array([1.5, 2.0, 3.5])
    ours, theirs = tfd.Dirichlet(a), scipy.stats.dirichlet(a)
    close(ours.log_prob([0.2, 0.3, 0.5]), theirs.logpdf([0.2, 0.3, 0.5]))
    close(ours.mean(), theirs.mean())
    close(ours.variance(), theirs.var())
    close(ours.covariance(), theirs.cov())
    close(ours.entropy(), theirs.entropy())
    close(ours.mode(), (a - 1) / (a.sum() - 3))
    inner = tfd.Laplace([F(0.0), 1.0, 2.0], [1.0, 2.0, 3.0])
    whole = tfd.Independent(inner, 1)
    close(whole.log_prob(MEAN), np.sum(np.asarray(inner.log_prob(MEAN))))
    close(whole.entropy(), np.sum(np.asarray(inner.entropy())))
    close(whole.kl_divergence(tfd.Independent(tfd.Laplace(F(0.0), [1.0, 1.0, 1.0]), 1)),
          np.sum(np.asarray(inner.kl_divergence(tfd.Laplace(F(0.0), [1.0, 1.0, 1.0])))))  # fmt: skip
    assert whole.name == "IndependentLaplace"
    with pytest.raises(ValueError, match="cannot exceed"):
        tfd.Independent(inner, 2)


# --- what is wrong is said -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: tfd.Normal(F(0.0), np.float32(1.0)), TypeError, "float64 and float32"),
        (lambda: tfd.Normal([0.0, 1.0], [1.0, 2.0, 3.0]), ValueError, r"loc.shape=\(2,\), scale.shape=\(3,\)"),
        (lambda: tfd.Normal(0.0, -1.0, validate_args=True), wg.errors.InvalidArgumentError, "`scale` must be positive"),
        (lambda: tfd.Uniform(1.0, 0.0, validate_args=True), wg.errors.InvalidArgumentError, "low"),
        (lambda: tfd.Bernoulli(), ValueError, "probs or logits"),
        (lambda: tfd.Categorical(probs=[0.5, 0.5], logits=[0.0, 0.0]), ValueError, "probs or logits"),
        (lambda: tfd.Gamma(1.0), ValueError, "`rate` or `log_rate`"),
        (lambda: tfd.Poisson(), ValueError, "`rate` and `log_rate`"),
        (lambda: tfd.MultivariateNormalDiag(), ValueError, "`loc` or `scale_diag`"),
        (lambda: tfd.MultivariateNormalTriL([0.0, 0.0], np.eye(3, dtype=np.float32)), ValueError, "3"),
        (lambda: tfd.StudentT(1.0, 0.0, 1.0, allow_nan_stats=False).mean(), wg.errors.InvalidArgumentError, "mean is not"),
        (lambda: tfd.Uniform().mode(), NotImplementedError, "Uniform has no `mode`"),
        (lambda: tfd.MultivariateNormalDiag([0.0]).cdf([0.0]), NotImplementedError, "has no `cdf`"),
        (lambda: tfb.Exp()(tfd.Normal(0.0, 1.0))[0], NotImplementedError, "has no parts"),
        (lambda: tfd.Independent(tfd.Normal([0.0], 1.0), 1)[0], NotImplementedError, "has no parts"),
    ],
)
def test_errors(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_outside_of_the_support():
    close(tfd.Uniform(0.0, 2.0).log_prob([-1.0, 3.0]), [-np.inf] * 2)
    close(tfd.Gamma(1.5, 1.0, force_probs_to_zero_outside_support=True).log_prob(-1.0), -np.inf)
    close(tfd.Poisson(2.0, force_probs_to_zero_outside_support=True).log_prob([-1.0, 0.5]), [-np.inf] * 2)
    close(tfd.Categorical(logits=[0.0, 1.0]).log_prob([-1, 2]), [-np.inf] * 2)
    close(tfd.HalfNormal(1.0).prob(-1.0), 0.0)
    close(tfd.Exponential(1.0).cdf(-1.0), 0.0)
    zero = wg.constant([0.0, 1.0])
    with wg.GradientTape() as tape:
        tape.watch(zero)
        y = tfd.Categorical(probs=zero).log_prob(1)
    close(tape.gradient(y, zero), [0.0, 1.0])


def test_parts_of_a_batch_copies_and_words():
    d = tfd.Normal([[0.0], [1.0]], [1.0, 2.0, 3.0], name="Prior")
    assert d[1].batch_shape == [3] and d[..., 0].batch_shape == [2] and d[:, 1:].batch_shape == [2, 2]
    close(d[1, 2].log_prob(0.5), np.asarray(d.log_prob(0.5))[1, 2])
    m = tfd.MultivariateNormalTriL(np.zeros((2, 3)), LOWER)
    assert m[0].batch_shape == [] and m[..., 1:].batch_shape == [1] and m[0].event_shape == [3]
    assert d.copy(loc=1.0).batch_shape == [3] and d.copy(loc=1.0).name == "Prior"
    assert repr(d) == "<tfp.distributions.Normal 'Prior' batch_shape=[2, 3] event_shape=[] dtype=float32>"
    assert (
        str(tfd.Normal(0.0, [1.0, 2.0])) == 'tfp.distributions.Normal("Normal", batch_shape=[2], event_shape=[], dtype=float32)'
    )
    assert tfd.Poisson(1.0).reparameterization_type is tfd.NOT_REPARAMETERIZED
    assert tfd.Normal(0, np.float32(1)).dtype == wg.float32 and float(tfd.Normal(0.0, 1.0).log_prob(1)) == pytest.approx(
        -1.4189385
    )


def test_a_distribution_of_ones_own():
    class Triangle(tfd.Distribution):
        def __init__(self):
            super().__init__(wg.float32, tfd.NOT_REPARAMETERIZED, False, True, parameters=dict(locals()))

        def _batch_shape(self):
            return wg.TensorShape([])

        def _event_shape(self):
            return wg.TensorShape([])

        def _prob(self, x):
            return wg.maximum(1.0 - wg.abs(x), 0.0)

        def _sample_n(self, n, seed=None):
            return wg.zeros([n])

    d = Triangle()
    assert float(d.log_prob(0.5)) == pytest.approx(np.log(0.5)) and d.sample((2, 3)).shape == [2, 3]
    assert d.copy().name == "Triangle"


@pytest.mark.parametrize("df", [0.05, 1.0, 2.5, 30.0])
def test_students_quantile_is_smooth_at_the_median(df):
    p = 0.5 + np.array([-0.05, -1e-3, 0.0, 1e-9, 0.04])
    found = tfd.StudentT(F(df), F(0.0), F(1.0)).quantile(p)
    close(tfd.StudentT(F(df), F(0.0), F(1.0)).cdf(found), p, 1e-13)

    x, a = wg.constant(F(0.51)), wg.constant(F(df))
    with wg.GradientTape() as outer:
        outer.watch([x, a])
        with wg.GradientTape() as tape:
            tape.watch([x, a])
            z = tfd.StudentT(a, F(0.0), F(1.0)).quantile(x)
        slopes = tape.gradient(z, [x, a])
        sum_of_both = slopes[0] + slopes[1]
    mixed = outer.gradient(sum_of_both, x)
    with mpmath.workdps(30):
        z, df = mpmath.mpf(float(z)), mpmath.mpf(df)
        height = lambda a: mpmath.gamma((a + 1) / 2) / mpmath.gamma(a / 2) / mpmath.sqrt(mpmath.pi * a)  # noqa: E731
        density = lambda z: height(df) * (1 + z * z / df) ** (-(df + 1) / 2)  # noqa: E731
        below = lambda z, a: z * height(a) * mpmath.hyp2f1(0.5, (a + 1) / 2, 1.5, -z * z / a)  # noqa: E731
        by_df = lambda z: -mpmath.diff(lambda a: below(z, a), df) / density(z)  # noqa: E731
        close(slopes, [float(1 / density(z)), float(by_df(z))], 1e-10)
        close(mixed, float((mpmath.diff(lambda z: 1 / density(z), z) + mpmath.diff(by_df, z)) / density(z)), 1e-9)


def test_quantiles_move_with_the_parameters_as_tensorflow_probabilitys_do():
    # TensorFlow Probability 0.25, by the probability and by the parameters.
    x, a, b = wg.constant(F(0.3)), wg.constant(F(2.5)), wg.constant(F(1.5))
    for made, by, expected in (
        (lambda: tfd.Beta(a, b), [x, a, b], [0.7708968384731123, 0.12790997903611434, -0.1774098148747401]),
        (lambda: tfd.Gamma(a, F(3.0)), [x, a], [1.0809852787058383, 0.27259333725867196]),
        (lambda: tfd.StudentT(a, F(0.0), F(1.0)), [x, a], [3.490675056186017, 0.03134376794224433]),
    ):
        with wg.GradientTape() as tape:
            tape.watch(by)
            y = made().quantile(x)
        close(tape.gradient(y, by), expected, 1e-10)
