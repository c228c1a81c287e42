"""Sparse tensors: against dense arrays of NumPy and JAX, on every road, to the third derivative; and TensorFlow's own answers."""

import functools

import numpy as np
import pytest

import wengert as tf
from wengert import compat

v1 = compat.v1
PLACES, SIZES = np.array([[0, 0], [0, 2], [2, 1], [2, 2]]), (3, 4)
VALUES = np.array([0.5, -1.25, 2.0, 0.75])
DENSE = np.random.default_rng(3).normal(size=(4, 2))


def whole(values, places=PLACES, sizes=SIZES):
    found = np.zeros(sizes, np.asarray(values).dtype)
    np.add.at(found, tuple(places.T), values)
    return found


def some(values=VALUES):
    return tf.SparseTensor(PLACES, values, SIZES)


def same(found: tf.SparseTensor, array: np.ndarray):
    assert isinstance(found, tf.SparseTensor)
    np.testing.assert_allclose(whole(found.values.numpy(), found.indices.numpy(), found.dense_shape.numpy()), array)
    assert found.indices.numpy().tolist() == sorted(found.indices.numpy().tolist())


def loss(values, dense):
    a = some(values)
    product = tf.sparse.sparse_dense_matmul(a, dense)
    back = tf.sparse.sparse_dense_matmul(a, product, adjoint_a=True)
    more = tf.sparse.reduce_sum(tf.sparse.transpose(a), 0) * tf.sparse.to_dense(a)[:, 1]
    return tf.reduce_sum(product**3) + tf.reduce_sum(tf.sin(back)) + tf.reduce_sum(more)


def loss_in_jax(values, dense):
    import jax.numpy as jnp

    a = jnp.zeros(SIZES).at[tuple(PLACES.T)].add(values)
    product = a @ dense
    more = a.sum(1) * a[:, 1]
    return (product**3).sum() + jnp.sin(a.T @ product).sum() + more.sum()


def thrice(f, gradients):
    """A function's value, its gradients, the sum of those squared once more, and again."""

    def of(values, dense):
        y = f(values, dense)
        first = gradients(y, [values, dense])
        second = gradients(sum(tf.reduce_sum(g**2) for g in first), [values, dense])
        third = gradients(sum(tf.reduce_sum(g**2) for g in second), [values, dense])
        return [y, *first, *second, *third]

    return of


def squares(jax, f):
    return lambda *xs: sum((g**2).sum() for g in jax.grad(f, (0, 1))(*xs))


@functools.cache
def expected():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        once = squares(jax, loss_in_jax)
        twice = squares(jax, once)
        found = [loss_in_jax(VALUES, DENSE)]
        for f in (loss_in_jax, once, twice):
            found += jax.jit(jax.grad(f, (0, 1)))(VALUES, DENSE)
        return [np.asarray(g) for g in found]


def nested(*xs):
    tapes = [tf.GradientTape() for _ in range(3)]
    with tapes[2] as third:
        third.watch(xs)
        with tapes[1] as second:
            second.watch(xs)
            with tapes[0] as first:
                first.watch(xs)
                y = loss(*xs)
            once = first.gradient(y, xs)
            total = sum(tf.reduce_sum(g**2) for g in once)
        twice = second.gradient(total, xs)
        total = sum(tf.reduce_sum(g**2) for g in twice)
    return [y, *once, *twice, *third.gradient(total, xs)]


def in_a_session():
    with tf.Graph().as_default(), v1.Session() as session:
        xs = [v1.placeholder("float64", [4]), v1.placeholder("float64", [4, 2])]
        return session.run(thrice(loss, tf.gradients)(*xs), dict(zip(xs, [VALUES, DENSE], strict=True)))


@pytest.mark.parametrize("executor", ["eager", "numpy", "native", "xla", "session"])
def test_derivatives_of_three_orders_are_those_of_the_dense_formula(executor):
    wanted = expected()
    before = tf.config.get_executor()
    try:
        if executor == "session":
            found = in_a_session()
        elif executor == "eager":
            found = nested(tf.constant(VALUES), tf.constant(DENSE))
        else:
            tf.config.set_executor(executor, **({"after": 0} if executor == "native" else {}))
            found = tf.function(nested)(tf.constant(VALUES), tf.constant(DENSE))
    finally:
        tf.config.set_executor(before)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_forward_mode_passes():
    direction = np.array([1.0, 0.5, -1.0, 2.0])
    values = tf.constant(VALUES)
    with tf.ForwardAccumulator(values, tf.constant(direction)) as accumulator:
        y = loss(values, tf.constant(DENSE))
    gradient = nested(values, tf.constant(DENSE))[1].numpy()
    np.testing.assert_allclose(accumulator.jvp(y), gradient @ direction, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int32"])
@pytest.mark.parametrize("adjoint_a", [False, True])
@pytest.mark.parametrize("adjoint_b", [False, True])
def test_products_are_those_of_matrices(dtype, adjoint_a, adjoint_b):
    random = np.random.default_rng(5)
    values = (random.normal(size=4) * 9).astype(dtype) * (1j if dtype == "complex128" else 1)
    rows = 3 if adjoint_a else 4
    dense = (random.normal(size=(2, rows) if adjoint_b else (rows, 2)) * 9).astype(dtype)
    a = whole(values)
    left = a.conj().T if adjoint_a else a
    right = dense.conj().T if adjoint_b else dense
    found = tf.sparse.sparse_dense_matmul(some(values), tf.constant(dense), adjoint_a, adjoint_b)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, left @ right, rtol=1e-5)
    other = tf.sparse.sparse_dense_matmul(tf.constant(right.conj().T), some(values), False, not adjoint_a)
    np.testing.assert_allclose(other, (left @ right).conj().T, rtol=1e-5)


def test_the_gradient_by_a_dense_matrix_is_dense():
    x = tf.Variable(DENSE)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.sparse.sparse_dense_matmul(some(), x))
    gradient = tape.gradient(y, x)
    assert isinstance(gradient, tf.Tensor)
    np.testing.assert_allclose(gradient, np.outer(whole(VALUES).sum(0), [1, 1]))


def test_arrangement_is_that_of_arrays():
    a, array = some(), whole(VALUES)
    same(a, array)
    same(tf.sparse.from_dense(array), array)
    same(tf.sparse.reorder(tf.SparseTensor(PLACES[::-1], VALUES[::-1], SIZES)), array)
    same(tf.sparse.transpose(a), array.T)
    same(tf.sparse.transpose(tf.sparse.expand_dims(a, 0), [2, 0, 1]), array.T[:, None])
    same(tf.sparse.expand_dims(a), array[..., None])
    same(tf.sparse.reshape(a, [2, -1]), array.reshape(2, 6))
    same(tf.sparse.concat(1, [a, a]), np.concatenate([array, array], 1))
    same(tf.sparse.slice(a, [0, 1], [2, 9]), array[:2, 1:])
    for part, rows in zip(tf.sparse.split(a, 2, 0), np.array_split(array, 2), strict=True):
        same(part, rows)
    same(tf.sparse.eye(2, 3), np.eye(2, 3))
    same(tf.sparse.retain(a, [True, False, True, True]), whole(VALUES * [1, 0, 1, 1]))
    same(tf.sparse.map_values(tf.square, a), array**2)
    same(tf.abs(a), abs(array))
    same(a * 2.0, 2 * array)
    same(a / tf.constant([[1.0], [2.0], [4.0]], "float64"), array / [[1], [2], [4]])
    assert tf.cast(a, "float32").dtype == tf.float32
    assert (tf.shape(a).numpy().tolist(), tf.size(a).numpy(), tf.rank(a).numpy()) == ([3, 4], 12, 2)


def test_sums_are_those_of_arrays():
    a, array = some(), whole(VALUES)
    other = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 3.0], [0.0, -2.0, 0.0, 0.0]])
    b = tf.sparse.from_dense(other)
    same(tf.sparse.add(a, b), array + other)
    assert tf.sparse.add(a, b, 0.6).values.numpy().tolist() == [1.0, -1.25, 3.0, 0.75]
    np.testing.assert_allclose(tf.sparse.add(a, tf.constant(other)), array + other)
    np.testing.assert_allclose(tf.sparse.add(tf.constant(other), a), array + other)
    same(tf.sparse.maximum(a, b), np.maximum(array, other))
    same(tf.sparse.minimum(a, b), np.minimum(array, other))
    for axis in (None, 0, 1, [-1], [0, 1]):
        numpys = tuple(axis) if isinstance(axis, list) else axis
        for keepdims in (False, True):
            np.testing.assert_allclose(tf.sparse.reduce_sum(a, axis, keepdims), array.sum(numpys, keepdims=keepdims))
    same(tf.sparse.reduce_sum(a, 0, output_is_sparse=True), array.sum(0))


def test_what_is_not_written_down_does_not_count_for_the_greatest_nor_in_softmax():
    """TensorFlow 2.21's answers."""
    a = tf.SparseTensor([[0, 0], [0, 2], [2, 2]], [-1.0, -5.0, 3.0], [4, 3])
    assert tf.sparse.reduce_max(a, 1).numpy().tolist() == [-1, 0, 3, 0]
    assert tf.sparse.reduce_max(a, 0).numpy().tolist() == [-1, 0, 3]
    np.testing.assert_allclose(tf.sparse.softmax(a).values, [0.98201376, 0.01798621, 1.0], rtol=1e-6)
    filled, empty = tf.sparse.fill_empty_rows(a, 9.0)
    assert filled.values.numpy().tolist() == [-1, -5, 9, 3, 9] and empty.numpy().tolist() == [False, True, False, True]
    assert tf.sparse.reset_shape(a).shape == [3, 3] and tf.sparse.reset_shape(a, [5, 5]).shape == [5, 5]
    assert tf.sparse.to_dense(a, 7).numpy().tolist() == [[-1, 7, -5], [7, 7, 7], [7, 7, 3], [7, 7, 7]]
    assert tf.sparse.to_indicator(tf.SparseTensor([[0, 0], [1, 0]], [1, 0], [2, 1]), 3).numpy().tolist() == [
        [False, True, False], [True, False, False]]  # fmt: skip


@pytest.mark.parametrize("make, error, text", [
    (lambda: tf.SparseTensor([[0, 0]], [1.0, 2.0], [2, 2]), ValueError, "Dimensions 2 and 1"),
    (lambda: tf.SparseTensor([0, 0], [1.0], [2, 2]), ValueError, "rank 2"),
    (lambda: tf.SparseTensor(tf.constant([[0, 0]]), [1.0], [2, 2]), ValueError, "dtype int64"),
    (lambda: tf.sparse.to_dense(tf.SparseTensor([[0, 5]], [1.0], [2, 2])), tf.errors.InvalidArgumentError, "out of bounds"),
    (lambda: tf.sparse.to_dense(tf.SparseTensor([[1, 1], [0, 0]], [1.0, 2.0], [2, 2])), tf.errors.InvalidArgumentError,
     "out of order"),
    (lambda: tf.sparse.to_dense(tf.SparseTensor([[0, 0], [0, 0]], [1.0, 2.0], [2, 2])), tf.errors.InvalidArgumentError,
     "repeated"),
    (lambda: tf.sparse.sparse_dense_matmul(some(), tf.ones([3, 1], "float64")), tf.errors.InvalidArgumentError, "4 vs. 3"),
    (lambda: tf.sparse.add(tf.ones([1]), tf.ones([1])), TypeError, "At least one"),
    (lambda: tf.sparse.add(some(), tf.ones([3, 3], "float64")), tf.errors.InvalidArgumentError, "do not match"),
    (lambda: some() + some(), TypeError, "unsupported operand"),
    (lambda: some() * some(), TypeError, "unsupported operand"),
    (lambda: tf.convert_to_tensor(some()), ValueError, "unsupported type"),
    (lambda: tf.sparse.from_dense(1.0) and tf.sparse.to_dense(tf.ones(1)), TypeError, "SparseTensor"),
])  # fmt: skip
def test_what_does_not_fit_raises(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_repeated_elements_add_up_in_products_and_the_last_stays_in_the_whole():
    a = tf.SparseTensor([[0, 0], [0, 0]], [1.0, 2.0], [2, 2])
    assert tf.sparse.sparse_dense_matmul(a, tf.ones([2, 1])).numpy().tolist() == [[3.0], [0.0]]
    assert tf.sparse.to_dense(a, validate_indices=False).numpy().tolist() == [[2.0, 0.0], [0.0, 0.0]]


def test_functions_take_and_return_them():
    traces = []

    @tf.function
    def f(a, dense):
        traces.append(1)
        return tf.sparse.sparse_dense_matmul(a, dense), {"half": a / 2.0}

    product, rest = f(some(), DENSE)
    np.testing.assert_allclose(product, whole(VALUES) @ DENSE)
    same(rest["half"], whole(VALUES) / 2)
    f(some(VALUES * 2), DENSE)
    assert len(traces) == 1

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 4], tf.float64)])
    def g(a):
        return tf.sparse.reduce_sum(a, 1)

    assert g(some()).numpy().tolist() == whole(VALUES).sum(1).tolist()
    assert tf.type_spec_from_value(some()) == tf.SparseTensorSpec([3, 4], tf.float64)
    concrete = g.get_concrete_function()
    assert concrete(some()).numpy().tolist() == whole(VALUES).sum(1).tolist()


def test_loops_carry_them():
    a, _ = tf.while_loop(lambda a, n: n < 3, lambda a, n: (a * 2.0, n + 1), (some(), 0))
    same(a, whole(VALUES) * 8)


def test_a_session_is_fed_them_and_fetches_them():
    with tf.Graph().as_default(), v1.Session() as session:
        a = v1.sparse_placeholder("float64", [3, 4], name="a")
        free = v1.sparse_placeholder(tf.float64)
        assert (a.shape.as_list(), a.indices.name, free.shape.rank) == ([3, 4], "a/indices:0", None)
        total = v1.sparse_reduce_sum(a, reduction_axes=1)
        slope = tf.gradients(v1.sparse_tensor_dense_matmul(a, DENSE) ** 2, a.values)
        value = v1.SparseTensorValue(PLACES, VALUES, SIZES)
        found = session.run([a, total, slope], {a: value})
        assert isinstance(found[0], v1.SparseTensorValue)
        np.testing.assert_allclose(found[0].values, VALUES)
        np.testing.assert_allclose(found[1], whole(VALUES).sum(1))
        product = whole(VALUES) @ DENSE
        np.testing.assert_allclose(found[2][0], [2 * product[i] @ DENSE[j] for i, j in PLACES])
        np.testing.assert_allclose(session.run(tf.sparse.to_dense(free), {free: (PLACES, VALUES, (3, 5))}),
                                   whole(VALUES, sizes=(3, 5)))  # fmt: skip
        np.testing.assert_allclose(free.eval({free: value}).values, VALUES)
        with pytest.raises(tf.errors.InvalidArgumentError, match="out of order"):
            session.run(tf.sparse.to_dense(free), {free: (PLACES[::-1], VALUES, SIZES)})
