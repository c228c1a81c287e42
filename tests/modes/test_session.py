"""What TensorFlow answers of static graphs and sessions, and how errors are told."""

import threading

import numpy as np
import pytest

import wengert as tf
from wengert import errors

v1 = tf.compat.v1
pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


@pytest.fixture
def graph():
    with tf.Graph().as_default() as g:
        yield g


def column(name="x"):
    return v1.placeholder(tf.float32, [None, 1], name=name)


def test_a_graph_tells_its_nodes(graph):
    a = v1.placeholder(tf.float32, [2], name="a")
    b = tf.constant(2.0, name="b")
    halves = tf.split(a, 2, name="halves")
    with tf.control_dependencies([b, a]):
        tf.add(halves[1], b, name="c")
    told = graph.as_graph_def()
    assert [(n.name, n.op, list(n.input)) for n in told.node] == [
        ("a", "Placeholder", []), ("b", "Const", []), ("halves", "Split", ["a"]), ("c", "AddV2", ["halves:1", "b", "^a"])
    ]  # fmt: skip
    assert 'node {\n  name: "halves"\n  op: "Split"\n  input: "a"\n}\n' in str(told)
    with pytest.raises(NotImplementedError, match="not written as protocol buffers"):
        told.SerializeToString()


def test_shows_as_tensorflow_does(graph):
    x = column()
    assert str(x) == 'Tensor("x:0", shape=(None, 1), dtype=float32)'
    assert repr(x) == "<tf.Tensor 'x:0' shape=(None, 1) dtype=float32>"
    assert (x + 1.0).name == "add:0" and (x + 2.0).name == "add_1:0"
    assert repr(v1.Variable([1.0])) == "<tf.Variable 'Variable:0' shape=(1,) dtype=float32>"


def test_fetch_structures(graph):
    x = column()
    with v1.Session() as sess:
        feed = {x: [[1.0]]}
        found = sess.run([x + 1.0, {"k": tf.reduce_sum(x - 1.0, axis=0)}], feed)
        np.testing.assert_array_equal(found[0], [[2.0]])
        np.testing.assert_array_equal(found[1]["k"], [0.0])
        assert sess.run([], feed) == []
        scalar = sess.run(tf.reduce_sum(x), feed)
        assert isinstance(scalar, np.float32)
        assert sess.run("x:0", feed).dtype == np.float32
        assert sess.run(tf.no_op(), feed) is None


def test_only_what_is_needed(graph):
    x, unfed = column(), v1.placeholder(tf.float32, [])
    y = x * 2.0
    z = tf.gradients(y * unfed, unfed)[0]
    with v1.Session() as sess:
        assert sess.run(z, {x: [[3.0]]}) == 6.0


LINEAR = {
    "a product with a number": (lambda x: 3.0 * x, [3.0, 3.0, 3.0]),
    "a mean": (lambda x: tf.reduce_mean(x), [1 / 3, 1 / 3, 1 / 3]),
    "a sum": (lambda x: tf.reduce_sum(tf.reshape(x, [3, 1]), 0), [1.0, 1.0, 1.0]),
    "a slice": (lambda x: x[1:], [0.0, 1.0, 1.0]),
    "one of several parts": (lambda x: tf.unstack(x)[1] + tf.split(x, 3)[2], [0.0, 1.0, 1.0]),
    "a padded value": (lambda x: tf.pad(tf.pad(x, [[0, 2]]), [[1, 0]])[2:4], [0.0, 1.0, 1.0]),
    "tiles": (lambda x: tf.tile(x, [2]) * [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [5.0, 7.0, 9.0]),
    "a diagonal": (lambda x: tf.linalg.diag_part(tf.linalg.diag(x)), [1.0, 1.0, 1.0]),
    "a convolution": (lambda x: tf.nn.conv1d(tf.reshape(x, [1, 3, 1]), tf.ones([2, 1, 1]), 1, "VALID"), [1.0, 2.0, 1.0]),
    "a second derivative": (lambda x: tf.gradients(tf.reduce_mean(x) ** 2, x)[0], [2 / 3, 2 / 3, 2 / 3]),
}


@pytest.mark.parametrize("name", LINEAR)
def test_where_a_derivative_needs_a_shape_alone_nothing_is_fed(graph, name):
    f, expected = LINEAR[name]
    x = v1.placeholder(tf.float32, [3])
    with v1.Session() as sess:
        np.testing.assert_allclose(sess.run(tf.gradients(f(x), x)[0]), expected, rtol=1e-6)
        with pytest.raises(errors.InvalidArgumentError, match="You must feed"):
            sess.run(tf.gradients(f(x) * f(x), x)[0])


def test_what_a_derivative_does_not_read_is_not_fed(graph):
    x, p = v1.placeholder(tf.float32, [1, 2]), v1.placeholder(tf.float32, [1, 2])
    second = tf.gradients(tf.gradients(x * x * p + p * p, x)[0], x)[0]
    with v1.Session() as sess:
        assert sess.run(tf.gradients(x * x + p, x)[0], {x: [[1.0, 2.0]]}).tolist() == [[2.0, 4.0]]
        assert sess.run(second, {p: [[1.0, 2.0]]}).tolist() == [[2.0, 4.0]]
        twice = v1.assign_add(v1.get_variable("v", initializer=1.0), tf.reduce_sum(p))
        sess.run(v1.global_variables_initializer())
        with pytest.raises(errors.InvalidArgumentError, match="You must feed"):
            sess.run([tf.gradients(tf.reduce_mean(tf.ones([3]) * p[0, 0]), p)[0], twice])


def test_feeding_any_tensor(graph):
    x = column()
    y = x * 2.0
    z = y * y
    g = tf.gradients(z, x)[0]
    with v1.Session() as sess:
        np.testing.assert_array_equal(sess.run(z, {y: [[5.0]]}), [[25.0]])
        # The derivative passes through the fed tensor, at its fed value: 2 y * 2.
        np.testing.assert_array_equal(sess.run(g, {y: [[5.0]]}), [[20.0]])
        assert sess.run(x, {"x:0": [[1.0]]}) == [[1.0]]


def test_forward_derivative_by_reverse_twice(graph):
    X, dummy = v1.placeholder(tf.float32, [None, 2]), column("dummy")
    U = tf.reduce_sum(X**3, axis=1, keepdims=True)
    g = tf.gradients(U, X, grad_ys=dummy)[0]
    forward = tf.gradients(g[:, 0:1], dummy)[0]
    with v1.Session() as sess:
        # It does not depend on the dummy's value, so nobody need feed it.
        np.testing.assert_allclose(sess.run(forward, {X: [[2.0, 3.0]]}), [[12.0]])
    Y = X * X
    ones = tf.ones_like(Y)
    both = tf.gradients(tf.gradients(Y, X, grad_ys=ones)[0], ones)[0]
    with v1.Session() as sess:
        np.testing.assert_allclose(sess.run(both, {X: [[2.0, 3.0]]}), [[4.0, 6.0]])


def test_none_zero_and_stop(graph):
    x, t = column(), column("t")
    assert tf.gradients(x * 2.0, t) == [None]
    assert tf.gradients([x * 2.0], [x])[0].shape.as_list() == [None, 1]
    zero = tf.gradients(x, t, unconnected_gradients="zero")[0]
    y = x * x
    z = y * x
    with v1.Session() as sess:
        feed = {x: [[3.0]], t: [[1.0]]}
        np.testing.assert_array_equal(sess.run(zero, feed), [[0.0]])
        np.testing.assert_array_equal(sess.run(tf.gradients(z, x, stop_gradients=[y])[0], feed), [[9.0]])
        np.testing.assert_array_equal(sess.run(tf.gradients(z, [x, y], stop_gradients=[x, y])[1], feed), [[3.0]])
    assert tf.gradients(tf.gradients(2.0 * x, x), x) == [None]


def test_gradients_of_two_equal_constants(graph):
    # x and t hold the same values, and are different variables.
    x, t = tf.ones([4, 1]), tf.ones([4, 1])
    y = x * x * t
    with v1.Session() as sess:
        gx, gt = sess.run(tf.gradients(y, [x, t]))
    assert (gx[0, 0], gt[0, 0]) == (2.0, 1.0)


def test_variables(graph):
    v = v1.Variable([1.0, 2.0], name="v")
    double = v.assign(v * 2.0)
    more = v.assign_add([1.0, 1.0])
    with v1.Session() as sess:
        with pytest.raises(errors.FailedPreconditionError, match="uninitialized"):
            sess.run(v)
        sess.run(v1.global_variables_initializer())
        np.testing.assert_array_equal(sess.run(double), [2.0, 4.0])
        np.testing.assert_array_equal(sess.run(more), [3.0, 5.0])
        np.testing.assert_array_equal(v.eval(), [3.0, 5.0])
        assert sess.run(double.op) is None
    with v1.Session() as other, pytest.raises(errors.FailedPreconditionError):
        other.run(v)


def test_order_of_effects(graph):
    v = v1.Variable(1.0)
    first = v.assign(10.0)
    with tf.control_dependencies([first]):
        after = v.read_value() + 1.0
    with tf.control_dependencies([v.assign_add(1.0)]):
        again = tf.identity(v.read_value())
    both = tf.group(v.assign_add(1.0), v.assign_add(1.0))
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        assert sess.run(after) == 11.0
        assert sess.run(again) == 11.0
        assert sess.run(both) is None
        assert sess.run(v) == 13.0


def test_gradient_descent(graph):
    w = v1.Variable([2.0, -3.0])
    loss = tf.reduce_sum(w * w)
    step = w.assign(w - 0.25 * tf.gradients(loss, w)[0])
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        for _ in range(3):
            sess.run(step)
        np.testing.assert_allclose(sess.run(w), [0.25, -0.375])


ERRORS = {
    "unfed": (errors.InvalidArgumentError, "must feed a value for placeholder tensor 'x' with dtype float32", "run(x)"),
    "shape": (ValueError, r"Cannot feed value of shape \(2, 2\) for Tensor x:0", "run(x, {x: [[1, 2], [3, 4]]})"),
    "dtype": (ValueError, "Cannot feed", "run(x, {x: [['a']]})"),
    "fetch None": (TypeError, "Argument `fetch` = None has invalid type", "run(None)"),
    "fetch None in a list": (TypeError, "Argument `fetch` = None has invalid type", "run([x, None], {x: [[1.0]]})"),
    "fetch an int": (TypeError, "Argument `fetch` = 3", "run(3)"),
    "fetch an unknown name": (ValueError, "nothing", "run('nothing:0')"),
    "feed a number": (TypeError, "feed_dict key", "run(x, {3: 1.0})"),
    "feed a tensor": (TypeError, "cannot be a tf.Tensor", "run(x, {x: x})"),
    "feed None": (ValueError, "Cannot feed None", "run(x, {x: None})"),
    "closed": (RuntimeError, "closed Session", "close() or sess.run(x)"),
    "another graph": (ValueError, "graph", "run(other)"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(graph, case):
    kind, text, call = ERRORS[case]
    x = column()
    with tf.Graph().as_default():
        other = tf.constant(1.0)
    with v1.Session() as sess, pytest.raises(kind, match=text):
        eval("sess." + call, {"sess": sess, "x": x, "other": other})


def test_errors_while_building(graph):
    x = column()
    with pytest.raises(ValueError, match=r"\(None, 1\).*\(2, 3\)") as caught:
        tf.matmul(x, tf.ones([2, 3]))
    assert "test_session.py:" in str(caught.value)
    with pytest.raises(TypeError, match="int32"):
        x + tf.constant(1)
    with pytest.raises(errors.OperatorNotAllowedInGraphError):
        bool(x)
    with pytest.raises(errors.OperatorNotAllowedInGraphError):
        list(x)
    with pytest.raises(TypeError):
        len(x)
    with pytest.raises(NotImplementedError):
        np.asarray(x)
    with pytest.raises(AttributeError):
        x.numpy()
    with tf.Graph().as_default():
        y = tf.constant(1.0)
    with pytest.raises(ValueError, match="graph"):
        x + y
    graph.finalize()
    with pytest.raises(RuntimeError, match="finalized"):
        x + 1.0


def test_a_run_names_the_line(graph):
    x = v1.placeholder(tf.float32, [None, None])
    y = tf.linalg.inv(x)
    with v1.Session() as sess, pytest.raises(errors.InvalidArgumentError, match=r"test_session\.py:"):
        sess.run(y, {x: [[0.0, 0.0], [0.0, 0.0]]})
    z = x @ x
    with v1.Session() as sess, pytest.raises(errors.InvalidArgumentError, match=r"\(2, 3\)"):
        sess.run(z, {x: np.ones((2, 3))})


def test_threads_share_a_session(graph):
    x = column()
    v = v1.Variable(0.0)
    add, y = v.assign_add(1.0), tf.reduce_sum(tf.gradients(x**3, x)[0])
    found = []
    with v1.Session() as sess:
        sess.run(v.initializer)

        def work(k):
            for _ in range(20):
                found.append(sess.run(y, {x: [[float(k)]]}) == 3.0 * k * k)
                sess.run(add)

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert all(found) and len(found) == 80
        assert sess.run(v) == 80.0


def test_a_long_chain(graph):
    x = v1.placeholder(tf.float64, [])
    y = x
    for _ in range(20_000):
        y = y * 1.00001
    g = tf.gradients(y, x)[0]
    with v1.Session() as sess:
        value, slope = sess.run([y, g], {x: 2.0})
    assert slope == pytest.approx(1.00001**20_000, rel=1e-9)
    assert value == pytest.approx(2 * 1.00001**20_000, rel=1e-9)


def test_large_arrays_are_not_overwritten(graph):
    # Buffers are reused where a value dies; what is fetched, fed or kept must stay.
    x = v1.placeholder(tf.float64, [None])
    a = x * 2.0
    b = tf.reshape(a, [-1, 10])
    c = a + 1.0
    d = tf.tanh(c)
    e = d * 3.0
    f = tf.reduce_sum(b, axis=1)
    feed = np.linspace(-1.0, 1.0, 100_000)
    kept = feed.copy()
    with v1.Session() as sess:
        va, ve, vf, vx = sess.run([a, e, f, x], {x: feed})
        again = sess.run(e, {x: feed})
    np.testing.assert_array_equal(feed, kept)
    np.testing.assert_array_equal(vx, kept)
    np.testing.assert_allclose(va, 2 * kept)
    np.testing.assert_allclose(ve, 3 * np.tanh(2 * kept + 1))
    np.testing.assert_allclose(vf, (2 * kept).reshape(-1, 10).sum(1))
    np.testing.assert_array_equal(again, ve)
    ve[:] = 0.0
    vx[:] = 7.0
    np.testing.assert_array_equal(feed, kept)


# The derivative is known without x: of x its shape alone is read. A run asks for no feed, as TensorFlow does not.
WITHOUT_ITS_VALUE = {
    "sum": (lambda x: tf.reduce_sum(x, 0), np.ones((3, 4))),
    "mean": (tf.reduce_mean, np.full((3, 4), 1 / 12)),
    "pad": (lambda x: tf.pad(x, [[1, 1], [0, 2]]), np.ones((3, 4))),
    "slice": (lambda x: x[1:, ::2], [[0, 0, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]]),
    "reshape": (lambda x: tf.reshape(x, [12]) * 2.0, np.full((3, 4), 2.0)),
    "tile": (lambda x: tf.tile(x, [2, 1]), np.full((3, 4), 2.0)),
    "gather": (lambda x: tf.gather(x, [2, 2], axis=1), [[0, 0, 2, 0]] * 3),
    "broadcast": (lambda x: tf.broadcast_to(x, [5, 3, 4]), np.full((3, 4), 5.0)),
    "matmul": (lambda x: tf.reshape(x, [4, 3]) @ [[1.0], [2.0], [3.0]], np.tile([1.0, 2.0, 3.0], 4).reshape(3, 4)),
    "conv2d": (
        lambda x: tf.nn.conv2d(tf.reshape(x, [1, 3, 4, 1]), tf.ones([1, 2, 1, 1]), 1, "SAME"),
        np.tile([1.0, 2.0, 2.0, 2.0], (3, 1)),
    ),
}


@pytest.mark.parametrize("case", WITHOUT_ITS_VALUE)
def test_a_placeholder_of_which_the_shape_alone_is_read_needs_no_feed(graph, case):
    f, wanted = WITHOUT_ITS_VALUE[case]
    x = v1.placeholder(tf.float32, [3, 4])
    g = tf.gradients(f(x), x)[0]
    with v1.Session() as session:
        np.testing.assert_allclose(session.run(g), wanted, rtol=1e-6)
        np.testing.assert_allclose(session.run(g, {x: np.ones((3, 4))}), wanted, rtol=1e-6)
        with pytest.raises(errors.InvalidArgumentError, match="must feed"):
            session.run([g, f(x)])
    unknown = v1.placeholder(tf.float32, [None, 4])
    with v1.Session() as session, pytest.raises(errors.InvalidArgumentError, match="must feed"):
        session.run(tf.gradients(tf.reduce_sum(unknown), unknown)[0])


def test_rows_as_grad_ys_that_do_not_say_of_which_shape_are_rows_of_y(graph):
    x = v1.placeholder(tf.float32, [3, 2])
    rows = tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), tf.constant([0, 2, 0]))
    g = tf.gradients(2.0 * x, x, grad_ys=rows)[0]
    with v1.Session() as session:
        assert session.run(g, {x: np.zeros((3, 2))}).tolist() == [[12.0, 16.0], [0.0, 0.0], [6.0, 8.0]]


def test_grad_ys_may_be_lists_of_numbers_and_one_element_of_any_shape(graph):
    x = tf.constant([1.0, 2.0])
    y, z = x * x, tf.reduce_sum(x)
    with v1.Session() as sess:
        assert sess.run(tf.gradients([y, z], x, grad_ys=[[1.0, 2.0], 3.0]))[0].tolist() == [5.0, 11.0]
        assert sess.run(tf.gradients(y, x, grad_ys=[[1.0, 2.0]]))[0].tolist() == [2.0, 8.0]
        assert sess.run(tf.gradients(z, x, grad_ys=tf.constant([2.0])))[0].tolist() == [2.0, 2.0]
        assert sess.run(tf.gradients([y, z], x, grad_ys=[None, tf.constant(1.0)]))[0].tolist() == [3.0, 5.0]
    with pytest.raises(ValueError, match="does not fit"):
        tf.gradients(y, x, grad_ys=tf.ones([3]))
