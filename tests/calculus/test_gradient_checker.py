"""compute_gradient: Jacobians by the tape and by differences, eagerly and where a graph is the default.

What is expected is written out by hand, or is what TensorFlow 2.21 answered.
"""

import numpy as np
import pytest

import wengert as tf
from wengert.calculus.gradient_checker import max_error
from wengert.compat import v1

A = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]])
Z = np.array([[1.0 + 2.0j, 0.5 - 1.0j]])
TRANSPOSED = np.eye(6)[[0, 3, 1, 4, 2, 5]]


@pytest.fixture(params=["eager", "graph"])
def jacobians(request):
    """compute_gradient, in a mode; both of its answers as the lists of their Jacobians."""
    if request.param == "eager":
        yield tf.test.compute_gradient
    else:
        with tf.Graph().as_default(), v1.Session():
            yield tf.test.compute_gradient


def blocks(*parts):
    """A matrix with matrices along its diagonal."""
    size = sum(p.shape[0] for p in map(np.asarray, parts)), sum(p.shape[1] for p in map(np.asarray, parts))
    table, row, column = np.zeros(size), 0, 0
    for p in map(np.asarray, parts):
        table[row : row + p.shape[0], column : column + p.shape[1]] = p
        row, column = row + p.shape[0], column + p.shape[1]
    return table


def times(z):
    """Multiplication by a complex number, as TensorFlow lays it out: row = part of the result's cotangent."""
    return [[z.real, -z.imag], [z.imag, z.real]]


@pytest.mark.parametrize(
    ("f", "xs", "expected"),
    [
        (lambda x: tf.transpose(x), [A], [TRANSPOSED]),
        (lambda x: tf.transpose(x) * 3.0, [A], [3.0 * TRANSPOSED]),
        (lambda x: x * x, [np.asfortranarray(A)], [np.diag(2.0 * A.ravel())]),
        (lambda x: x * x, [A.T], [np.diag(2.0 * A.T.ravel())]),
        (lambda x: tf.reverse(x, [0]), [A], [np.eye(6)[[3, 4, 5, 0, 1, 2]]]),
        (lambda x: tf.broadcast_to(x, [2, 2, 3]), [A], [np.concatenate([np.eye(6), np.eye(6)])]),
        (lambda x: tf.gather(x, [1, 1, 0]), [A], [np.eye(6)[[3, 4, 5, 3, 4, 5, 0, 1, 2]]]),
        (lambda x, y: x * y, [[1.0, 2.0], [3.0, 4.0]], [np.diag([3.0, 4.0]), np.diag([1.0, 2.0])]),
        (lambda x: x * x, [3.0], [[[6.0]]]),
        (lambda x: tf.cast(x, tf.float64) ** 2, [np.float32([1.0, 2.0])], [np.diag([2.0, 4.0])]),
        (lambda x, y: 2.0 * x, [A, A], [2.0 * np.eye(6), np.zeros((6, 6))]),
        (lambda x: 2.0 * x, [np.zeros((0, 2))], [np.zeros((0, 0))]),
        (lambda x: x[:0], [A], [np.zeros((0, 6))]),
        (lambda z: tf.math.real(z), [Z], [[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]]),
        (lambda x: tf.complex(x, 3.0 * x), [A[0, :2]], [[[1.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 3.0]]]),
        (lambda z: tf.gather(z, [0, 0]), [Z], [np.concatenate([np.eye(4), np.eye(4)])]),
    ],
    ids=lambda v: None,
)  # fmt: skip
def test_both_ways_give_the_jacobian(jacobians, f, xs, expected):
    theory, numeric = jacobians(f, xs)
    assert len(theory) == len(numeric) == len(xs)
    for t, n, e in zip(theory, numeric, expected, strict=True):
        np.testing.assert_allclose(t, e, atol=1e-9)
        np.testing.assert_allclose(n, e, atol=1e-3)


def test_complex_numbers_count_as_pairs_and_a_row_is_a_cotangent(jacobians):
    # Of z*z = (a + ib)**2, in parts; the gradient is conj(2z) g, and TensorFlow's row for g = 1 is its parts.
    (theory,), (numeric,) = jacobians(lambda z: z * z, [Z])
    np.testing.assert_allclose(theory, blocks(*[times(2.0 * z) for z in Z.ravel()]), atol=1e-12)
    np.testing.assert_allclose(numeric, theory, atol=1e-9)


def test_a_wrong_gradient_is_seen(jacobians):
    @tf.custom_gradient
    def f(x):
        return tf.transpose(x), lambda g: 3.0 * tf.transpose(g)

    (theory,), (numeric,) = jacobians(f, [A])
    np.testing.assert_allclose(theory, 3.0 * TRANSPOSED)
    np.testing.assert_allclose(numeric, TRANSPOSED, atol=1e-9)


def test_the_difference_is_taken_in_the_type_of_the_value(jacobians):
    # In float32 1e6 + x would lose the step.
    (_,), (numeric,) = jacobians(lambda x: tf.cast(x, tf.float64) + 1e6, [np.float32([1.0])])
    np.testing.assert_allclose(numeric, [[1.0]], atol=1e-6)
    assert numeric.dtype == np.float32


def test_delta_is_the_step(jacobians):
    (_,), (numeric,) = jacobians(lambda x: x**3, [np.float64([1.0])], 0.5)
    np.testing.assert_allclose(numeric, [[3.25]])  # ((1 + h)^3 - (1 - h)^3) / 2h = 3 + h^2


@pytest.mark.parametrize(
    ("f", "x", "text"), [(lambda x: 2 * x, [1, 2], "int32 of argument 0"), (lambda x: tf.cast(x, tf.int32), [1.0], "int32 of y")]
)
def test_what_is_no_number_of_the_reals_is_refused(jacobians, f, x, text):
    with pytest.raises(AssertionError, match=text):
        jacobians(f, [x])


def test_a_graph_needs_a_session():
    with tf.Graph().as_default(), pytest.raises(ValueError, match="no default session"):
        tf.test.compute_gradient(tf.square, [A])
    with pytest.raises(ValueError, match="must be a list or tuple"):
        tf.test.compute_gradient(tf.square, A)


def test_a_graph_may_read_its_own_variables_and_tensors():
    with tf.Graph().as_default(), v1.Session() as session:
        v = v1.Variable(np.float64([2.0, 3.0]))
        session.run(v.initializer)
        (theory,), (numeric,) = tf.test.compute_gradient(lambda x: v * x, [tf.constant([1.0, 1.0], tf.float64)])
    np.testing.assert_allclose(theory, np.diag([2.0, 3.0]))
    np.testing.assert_allclose(numeric, np.diag([2.0, 3.0]), atol=1e-9)


# --- TensorFlow 1's ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def graph():
    with tf.Graph().as_default(), v1.Session() as session:
        yield session


def test_of_a_graph_a_row_is_an_element_of_x(graph):
    x = v1.placeholder(tf.float64, [2, 3])
    y = tf.transpose(x)[:2] * 2.0
    theory, numeric = v1.test.compute_gradient(x, [2, 3], y, [2, 2], x_init_value=A)
    expected = 2.0 * TRANSPOSED[:4].T
    np.testing.assert_allclose(theory, expected)
    np.testing.assert_allclose(numeric, expected, atol=1e-9)
    error = v1.test.compute_gradient_error(x, [2, 3], y, [2, 2], x_init_value=A)
    assert isinstance(error, float) and error < 1e-9


@pytest.mark.parametrize("said", [[1], [], [1, 1]])
def test_of_a_graph_a_scalar_may_be_said_to_have_axes_of_one(graph, said):
    x = tf.constant(A)
    theory, numeric = v1.test.compute_gradient(x, [2, 3], tf.reduce_sum(x * x), said, x_init_value=A)
    np.testing.assert_allclose(theory, 2.0 * A.reshape(6, 1))
    np.testing.assert_allclose(numeric, theory, atol=1e-9)


def test_of_a_list_each_has_a_pair_while_the_others_keep_their_values(graph):
    x = tf.constant(A)
    w = x * x
    y = x * w  # by x as a whole 3 x^2, by w alone x
    pairs = v1.test.compute_gradient([x, w], [[2, 3], [2, 3]], y, [2, 3], x_init_value=[A, A * A])
    for pair, expected in zip(pairs, (np.diag(3.0 * A.ravel() ** 2), np.diag(A.ravel())), strict=True):
        np.testing.assert_allclose(pair[0], expected)
        np.testing.assert_allclose(pair[1], expected, atol=1e-5)
    assert v1.test.compute_gradient_error([x, w], [[2, 3], [2, 3]], y, [2, 3]) < 1e-5


def test_rows_of_a_variable_are_added_up(graph):
    v = v1.Variable(A)
    y = tf.gather(v, [1, 1, 0])
    theory, numeric = v1.test.compute_gradient(v, [2, 3], y, [3, 3], x_init_value=A, init_targets=[v.initializer])
    expected = np.eye(6)[[3, 4, 5, 3, 4, 5, 0, 1, 2]].T
    np.testing.assert_allclose(theory, expected)
    np.testing.assert_allclose(numeric, expected, atol=1e-9)


def test_other_feeds_and_no_value_for_x(graph):
    np.random.seed(3)
    drawn = np.random.random_sample((2, 3))
    np.random.seed(3)
    x, k = v1.placeholder(tf.float64, [2, 3]), v1.placeholder(tf.float64, [])
    theory, _ = v1.test.compute_gradient(x, (2, 3), x * x * k, (2, 3), extra_feed_dict={k: 5.0})
    np.testing.assert_allclose(theory, np.diag(10.0 * drawn.ravel()))


def test_of_complex_and_of_empty_tensors(graph):
    x = tf.constant(Z)
    theory, numeric = v1.test.compute_gradient(x, [1, 2], tf.transpose(x * x), [2, 1], x_init_value=Z)
    np.testing.assert_allclose(theory, blocks(*[times(2.0 * z) for z in Z.ravel()]).T, atol=1e-12)
    np.testing.assert_allclose(numeric, theory, atol=1e-9)
    empty = tf.constant(np.zeros((0, 2)))
    assert v1.test.compute_gradient(empty, [0, 2], empty * 2.0, [0, 2])[0].shape == (0, 0)
    assert v1.test.compute_gradient_error(empty, [0, 2], empty * 2.0, [0, 2]) == 0.0


def test_what_cannot_be_asked_of_a_graph(graph):
    x = tf.constant(A)
    with pytest.raises(AssertionError, match="init_data shape"):
        v1.test.compute_gradient(x, [2, 3], x * x, [2, 3], x_init_value=A.T)
    with pytest.raises(AssertionError, match="dx = None"), pytest.warns(tf.errors.NoGradientWarning):
        v1.test.compute_gradient(x, [2, 3], tf.constant(A), [2, 3])
    k = tf.constant([1, 2])
    with pytest.raises(AssertionError, match="type int32 for x"):
        v1.test.compute_gradient(k, [2], k * 2, [2])


def test_nan_is_the_greatest_difference():
    table, other = np.array([[1.0, 2.0]]), np.array([[1.0, np.nan]])
    assert np.isnan(max_error([table], [other])) and np.isnan(max_error([other, table], [table, table]))


def test_a_derivative_that_is_nan_is_not_right():
    @tf.custom_gradient
    def f(x):
        return tf.identity(x), lambda g: g * np.nan

    with tf.Graph().as_default(), v1.Session():
        x, z = v1.placeholder(tf.float32), v1.placeholder(tf.float32)
        assert np.isnan(v1.test.compute_gradient_error(x, (), f(x), ()))
        assert np.isnan(v1.test.compute_gradient_error([z, x], [(), ()], z + f(x), ()))


def test_broadcast_along_leading_axes_in_a_graph():
    # By hand: (l - r)² has the derivative -2 (l - r) by r, summed over what r is broadcast to.
    left, right = np.arange(12.0).reshape(1, 2, 3, 2) / 4, np.arange(6.0).reshape(3, 2)
    with tf.Graph().as_default(), v1.Session() as session:
        r = tf.constant(right)
        w = v1.placeholder_with_default(np.ones((1, 2, 3, 2)), [1, 2, 3, 2])
        g = tf.gradients(tf.math.squared_difference(tf.constant(left), r), r, grad_ys=w)[0]
        np.testing.assert_allclose(session.run(g), -2.0 * (left - right).sum((0, 1)))
        np.testing.assert_allclose(session.run(tf.gradients(g, r)[0]), np.full((3, 2), 4.0))
