"""Bijectors: there and back, and the log-determinant of the Jacobian that a tape finds."""

import numpy as np
import pytest
import scipy.special

import wengert as wg
from wengert.compat import probability as tfp

tfb, tfd = tfp.bijectors, tfp.distributions
F = np.float64
ALL = np.array([-2.3, -0.4, 0.1, 1.7])
POSITIVE = np.array([0.2, 0.9, 1.3, 4.0])

ELEMENTWISE = {
    "Exp": (tfb.Exp(), ALL, np.exp), "Log": (tfb.Log(), POSITIVE, np.log),
    "Softplus": (tfb.Softplus(), ALL, lambda x: np.log1p(np.exp(x))),
    "Softplus, bent": (tfb.Softplus(hinge_softness=F(0.5), low=1.5), ALL, lambda x: 1.5 + 0.5 * np.log1p(np.exp(2 * x))),
    "Softplus, downwards": (tfb.Softplus(hinge_softness=F(-0.5)), ALL, lambda x: -0.5 * np.log1p(np.exp(-2 * x))),
    "Sigmoid": (tfb.Sigmoid(), ALL, lambda x: 1 / (1 + np.exp(-x))),
    "Sigmoid, between": (tfb.Sigmoid(F(2.0), 5.0), ALL, lambda x: 2 + 3 / (1 + np.exp(-x))),
    "Tanh": (tfb.Tanh(), ALL, np.tanh), "Square": (tfb.Square(), POSITIVE, np.square),
    "Power": (tfb.Power(F(2.5)), POSITIVE, lambda x: x**2.5), "Reciprocal": (tfb.Reciprocal(), POSITIVE, lambda x: 1 / x),
    "NormalCDF": (tfb.NormalCDF(), ALL, scipy.special.ndtr),
    "Shift": (tfb.Shift(F(2.0)), ALL, lambda x: x + 2), "Scale": (tfb.Scale(F(-2.0)), ALL, lambda x: -2 * x),
    "Scale of a logarithm": (tfb.Scale(log_scale=np.log(F(2.0))), ALL, lambda x: 2 * x),
    "Identity": (tfb.Identity(), ALL, lambda x: x),
    "Chain": (tfb.Chain([tfb.Shift(F(1.0)), tfb.Exp(), tfb.Scale(F(0.5))]), ALL, lambda x: 1 + np.exp(x / 2)),
    "Chain of none": (tfb.Chain([]), ALL, lambda x: x), "Invert": (tfb.Invert(tfb.Tanh()), ALL / 3, np.arctanh),
    # TensorFlow Probability 0.25
    "SoftClip": (
        tfb.SoftClip(F(0.0), 3.0, 0.5), ALL,
        lambda x: np.array([0.0049863415460684735, 0.18491883060329206, 0.39739770401075836, 1.6799841878510142]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name):
    b, x, exact = ELEMENTWISE[name]
    y = b.forward(x)
    np.testing.assert_allclose(y, exact(x), rtol=1e-13)
    np.testing.assert_allclose(b.inverse(y), x, rtol=1e-12)
    point = wg.constant(x)
    with wg.GradientTape() as tape:
        tape.watch(point)
        mapped = b.forward(point) + 0.0
    expected = np.log(np.abs(np.asarray(tape.gradient(mapped, point))))
    np.testing.assert_allclose(b.forward_log_det_jacobian(x) + np.zeros(4), expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(b.inverse_log_det_jacobian(y) + np.zeros(4), -expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(b.forward_log_det_jacobian(x, 1), expected.sum(), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(b.inverse_log_det_jacobian(y, event_ndims=1), -expected.sum(), rtol=1e-10, atol=1e-12)
    assert b.forward(np.ones((2, 3))).shape == [2, 3] and b.forward_event_shape([4]) == [4]


def test_softplus_keeps_its_digits_at_both_ends():
    b, x = tfb.Softplus(), np.array([-700.0, -40.0, -1e-3, 40.0, 700.0])
    y = b.forward(x)
    np.testing.assert_allclose(b.inverse(y), x, rtol=1e-12)
    np.testing.assert_allclose(b.inverse_log_det_jacobian(y), np.log1p(np.exp(-x)), rtol=1e-12)
    np.testing.assert_allclose(tfb.Tanh().forward_log_det_jacobian(F(400.0)), 2 * np.log(2) - 800.0, rtol=1e-14)


@pytest.mark.parametrize("upper", [False, True])
def test_triangles(upper):
    b = tfb.FillTriangular(upper=upper)
    # TensorFlow Probability 0.25
    expected = [[1, 2, 3], [0, 5, 6], [0, 0, 4]] if upper else [[4, 0, 0], [6, 5, 0], [3, 2, 1]]
    x = np.arange(1.0, 7.0)
    np.testing.assert_array_equal(b.forward(x), expected)
    np.testing.assert_array_equal(b.inverse(np.asarray(expected, float)), x)
    many = np.random.default_rng(0).normal(size=(2, 3, 10))
    np.testing.assert_array_equal(b.inverse(b.forward(many)), many)
    assert (b.forward_min_event_ndims, b.inverse_min_event_ndims) == (1, 2)
    assert b.forward_event_shape([7, 10]) == [7, 4, 4] and b.inverse_event_shape([7, 4, 4]) == [7, 10]
    assert float(b.forward_log_det_jacobian(x)) == 0.0
    with pytest.raises(ValueError, match="does not correspond to a triangular matrix"):
        b.forward([1.0, 2.0])
    traced = wg.function(lambda v: b.inverse(b.forward(v)), input_signature=[wg.TensorSpec([None, 10], wg.float64)])
    np.testing.assert_array_equal(traced(many[0]), many[0])


def test_a_chain_through_matrices_counts_axes():
    b = tfb.Chain([tfb.Exp(), tfb.FillTriangular(), tfb.Scale(F(2.0))])
    assert (b.forward_min_event_ndims, b.inverse_min_event_ndims, b.forward_event_ndims(2)) == (1, 2, 3)
    x = np.arange(3.0)
    expected = 3 * np.log(2.0) + np.sum(np.asarray(tfb.FillTriangular().forward(2 * x)))
    np.testing.assert_allclose(b.forward_log_det_jacobian(x), expected)
    back = tfb.Invert(b)
    assert (back.forward_min_event_ndims, back.forward_event_ndims(3)) == (2, 2)
    np.testing.assert_allclose(back.forward(b.forward(x)), x, atol=1e-15)
    d = tfb.FillTriangular()(tfd.Normal(np.zeros((5, 3)), 1.0))
    assert d.batch_shape == [5] and d.event_shape == [2, 2] and d.sample(4, seed=(1, 2)).shape == [4, 5, 2, 2]
    assert d.log_prob(np.zeros((2, 2))).shape == [5]


def test_what_a_call_makes():
    chain = tfb.Exp()(tfb.Shift(1.0))
    assert (
        isinstance(chain, tfb.Chain)
        and chain.name == "chain_of_exp_of_shift"
        and [type(b) for b in chain.bijectors] == [tfb.Exp, tfb.Shift]
    )
    assert float(tfb.Exp()(0.0)) == 1.0
    d = tfb.Exp()(tfd.Normal(0.0, 1.0))
    assert isinstance(d, tfd.TransformedDistribution) and d.name == "expNormal"
    assert (
        repr(tfb.Exp())
        == "<tfp.bijectors.Exp 'exp' batch_shape=[] forward_min_event_ndims=0 inverse_min_event_ndims=0 dtype_x=? dtype_y=?>"
    )
    assert bool(tfb.Chain([tfb.Scale(-1.0), tfb.Scale(-2.0)]).is_increasing()) and not bool(tfb.Scale(-2.0).is_increasing())


def test_parameters_that_are_variables():
    scale = wg.Variable(2.0, dtype=wg.float64)
    b = tfb.Chain([tfb.Shift(F(1.0)), tfb.Scale(scale)])
    assert [v is scale for v in b.trainable_variables] == [True]

    @wg.function
    def slope():
        with wg.GradientTape() as tape:
            y = b.forward(F(3.0)) + b.forward_log_det_jacobian(F(0.0))
        return tape.gradient(y, scale)

    assert float(slope()) == pytest.approx(3.5)
    scale.assign(4.0)
    assert float(slope()) == pytest.approx(3.25) and float(b.inverse(F(9.0))) == 2.0


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: tfb.Exp().forward_log_det_jacobian([[1.0, 2.0]], 3), ValueError, "rank at least 3. Saw: 2"),
        (lambda: tfb.FillTriangular().forward_log_det_jacobian([1.0], 0), ValueError, "at least 1"),
        (lambda: tfb.Scale(), ValueError, "one of `scale` and `log_scale`"),
        (lambda: tfb.Sigmoid(low=0.0), ValueError, "both"),
        (lambda: tfb.Chain([np.exp]), TypeError, "takes bijectors"),
        (lambda: tfb.Bijector(), ValueError, "Must specify"),
        (lambda: tfb.Bijector(forward_min_event_ndims=0).forward(1.0), NotImplementedError, "Bijector has no `forward`"),
        (lambda: tfb.FillTriangular().is_increasing(), NotImplementedError, "neither"),
    ],
)
def test_errors(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_bijector_of_ones_own():
    class Cube(tfb.Bijector):
        def __init__(self):
            super().__init__(forward_min_event_ndims=0, name="cube")

        def _forward(self, x):
            return x**3

        def _inverse(self, y):
            return wg.pow(y, 1 / 3)

        def _inverse_log_det_jacobian(self, y):
            return -wg.math.log(3.0) - 2 / 3 * wg.math.log(y)

    assert float(Cube().forward_log_det_jacobian(2.0)) == pytest.approx(np.log(12.0))
    assert float(tfd.TransformedDistribution(tfd.Exponential(1.0), Cube()).log_prob(8.0)) == pytest.approx(-2 - np.log(12.0))


@pytest.mark.parametrize("upper", [False, True])
def test_triangles_of_a_size_that_the_graph_learns_when_it_runs(upper):
    fill = tfp.math.fill_triangular
    dynamic = wg.function(lambda x: fill(x, upper), input_signature=[wg.TensorSpec([None, None], wg.float64)])
    for count in (1, 3, 10, 28):
        x = np.arange(2.0 * count).reshape(2, count)
        np.testing.assert_array_equal(dynamic(x), fill(x, upper))
