"""TensorFlow 1's iterators: nodes of a graph, of which each session holds its own position. TensorFlow 2.21's answers."""

import numpy as np
import pytest

import wengert as tf

v1 = tf.compat.v1
D = v1.data.Dataset


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def drained(session, tensor):
    found = []
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        while True:
            found.append(session.run(tensor).tolist())
    return found


def test_one_shot():
    following = D.range(3).make_one_shot_iterator().get_next()
    assert (following.name, following.dtype, following.shape) == ("IteratorGetNext:0", tf.int64, ())
    for _ in range(2):  # each session begins
        with v1.Session() as session:
            assert drained(session, following) == [0, 1, 2]
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run(following)


def test_one_element_in_a_run_and_two_nodes():
    iterator = v1.data.make_one_shot_iterator(D.range(5))
    a, b = iterator.get_next(), iterator.get_next()
    with v1.Session() as session:
        assert session.run([a, 2 * a]) == [0, 0]
        assert sorted(session.run([a, b])) == [1, 2]
        assert session.run(a) == 3


def test_initializable_with_what_is_fed():
    fed = v1.placeholder(tf.float32, [None, 2])
    iterator = D.from_tensor_slices(fed).batch(2).make_initializable_iterator()
    following = iterator.get_next()
    assert following.shape.as_list() == [None, 2]
    with v1.Session() as session:
        with pytest.raises(tf.errors.FailedPreconditionError, match="has not been initialized"):
            session.run(following)
        for rows in (3, 1):
            x = np.arange(2.0 * rows).reshape(rows, 2)
            session.run(iterator.initializer, {fed: x})
            assert np.concatenate(drained(session, following)).tolist() == x.tolist()
        with pytest.raises(tf.errors.InvalidArgumentError, match="must feed a value"):
            session.run(iterator.initializer)


def test_one_shot_of_what_is_fed_is_refused():
    dataset = D.from_tensor_slices(v1.placeholder(tf.float32, [None]))
    with pytest.raises(ValueError, match="Cannot capture a placeholder"):
        dataset.make_one_shot_iterator()


def test_from_structure():
    iterator = v1.data.Iterator.from_structure(tf.int64, [])
    one, other = iterator.make_initializer(D.range(2)), iterator.make_initializer(D.range(10, 12))
    following = iterator.get_next()
    with v1.Session() as session:
        session.run(one)
        assert session.run(following) == 0
        session.run(other)
        assert drained(session, following) == [10, 11]
    with pytest.raises(ValueError, match="does not have an initializer"):
        _ = iterator.initializer
    with pytest.raises(TypeError, match="Expected output types"):
        iterator.make_initializer(D.from_tensors(1.0))
    with pytest.raises(TypeError, match="Expected output shapes"):
        iterator.make_initializer(D.from_tensors(np.int64([1])))


def test_by_a_handle_that_is_fed():
    handle = v1.placeholder(tf.string, [])
    following = v1.data.Iterator.from_string_handle(handle, tf.int64, []).get_next()
    one, other = D.range(3).make_one_shot_iterator(), D.range(5, 8).make_initializable_iterator()
    with v1.Session() as session:
        first, second = session.run([one.string_handle(), other.string_handle()])
        session.run(other.initializer)
        assert [session.run(following, {handle: h}) for h in (first, second, first)] == [0, 5, 1]
        with pytest.raises(tf.errors.FailedPreconditionError, match="no iterator of the handle"):
            session.run(following, {handle: "another"})


def test_structures_and_what_is_said_of_them():
    dataset = D.from_tensor_slices({"x": np.zeros((4, 2)), "n": [1, 2, 3, 4]}).batch(2)
    assert dataset.output_types == {"x": tf.float64, "n": tf.int32} == v1.data.get_output_types(dataset)
    assert dataset.output_shapes["x"].as_list() == [None, 2]
    assert dataset.output_classes == {"x": tf.Tensor, "n": tf.Tensor}
    element = dataset.make_one_shot_iterator().get_next()
    with v1.Session() as session:
        found = session.run(element)
    assert found["x"].shape == (2, 2) and found["n"].tolist() == [1, 2]


def test_a_function_reads_the_session_s_variables():
    w = v1.get_variable("w", [], initializer=v1.constant_initializer(3.0))
    iterator = D.range(1, 3).map(lambda x: tf.cast(x, tf.float32) * w).make_initializable_iterator()
    following = iterator.get_next()
    with v1.Session() as session:
        session.run([w.initializer, iterator.initializer])
        assert session.run(following) == 3.0
        session.run(w.assign(5.0))
        # TensorFlow may have computed this one before: it reads ahead.
        assert session.run(following) == 10.0


def test_the_order_begins_anew_with_each_initialization():
    v1.set_random_seed(3)
    iterator = D.range(8).shuffle(8).repeat(2).make_initializable_iterator()
    following = iterator.get_next()
    orders = []
    for _ in range(2):
        with v1.Session() as session:
            for _ in range(2):
                session.run(iterator.initializer)
                orders.append(drained(session, following))
    assert all(order == orders[0] for order in orders)
    assert sorted(orders[0][:8]) == list(range(8)) and orders[0][:8] != orders[0][8:]


def test_derivatives_through_what_comes_out():
    x, y = D.from_tensor_slices((np.float32([1.0, 2.0]), np.float32([3.0, 5.0]))).make_one_shot_iterator().get_next()
    w = v1.get_variable("w", [], initializer=v1.constant_initializer(2.0))
    u = w * x**3
    (slope,) = v1.gradients(u, x)
    (second,) = v1.gradients(slope, x)
    (by_w,) = v1.gradients((second - y) ** 2, w)
    with v1.Session() as session:
        session.run(w.initializer)
        for a, b in ((1.0, 3.0), (2.0, 5.0)):
            assert np.allclose(session.run([slope, second, by_w]), [6 * a**2, 12 * a, 2 * (12 * a - b) * 6 * a])


def test_training_to_the_end_of_the_data():
    x = np.linspace(0.0, 1.0, 20, dtype=np.float32)
    a, y = D.from_tensor_slices((x, 4.0 * x)).shuffle(20, seed=2).repeat(30).batch(5).make_one_shot_iterator().get_next()
    w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
    step = v1.train.GradientDescentOptimizer(0.5).minimize(tf.reduce_mean((w * a - y) ** 2))
    steps = 0
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        try:
            while True:
                session.run(step)
                steps += 1
        except tf.errors.OutOfRangeError:
            assert steps == 120
        assert np.isclose(session.run(w), 4.0, rtol=1e-4)


def test_no_python_loop_over_a_graph_s_dataset():
    with pytest.raises(RuntimeError, match=r"eager mode or within tf\.function"):
        iter(D.range(3))
    with pytest.raises(RuntimeError, match="eager mode"):
        D.range(3).as_numpy_iterator()
