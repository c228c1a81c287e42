"""Choices and loops: values and derivatives of several orders, eagerly, in a graph, and in a traced function."""

import numpy as np
import pytest

import wengert as tf
from wengert.compat import python

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


def nested(y, x, orders):
    found = [y]
    for _ in range(orders):
        found.append(tf.gradients(found[-1], x)[0])
    return found


def everywhere(f, at, orders):
    """Return f and its derivatives by each road: static graph, function, function under nested tapes, recording."""
    rows = {}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float64, np.shape(at))
        rows["graph"] = session.run(nested(f(x), x, orders), {x: at})
    rows["function"] = [v.numpy() for v in tf.function(lambda x: nested(f(x), x, orders))(tf.constant(at, tf.float64))]
    with tf.recording():
        x = tf.constant(at, tf.float64)
        rows["recording"] = [v.numpy() for v in nested(f(x), x, orders)]
    traced = tf.function(f)

    def tapes(k):
        if k == 0:
            return traced(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tapes(k - 1)
        return tape.gradient(y, x)

    rows["tapes over a function"] = [tapes(k).numpy() for k in range(orders + 1)]
    return rows


def agree(f, at, expected):
    for road, found in everywhere(f, at, len(expected) - 1).items():
        for k, (a, b) in enumerate(zip(found, expected, strict=True)):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12, err_msg=f"{road}, order {k}")


SINES = [np.sin(0.5), np.cos(0.5), -np.sin(0.5), -np.cos(0.5)]


@pytest.mark.parametrize(("at", "expected"), [(2.0, [8, 12, 12, 6]), (0.5, SINES)])
def test_cond(at, expected):
    agree(lambda x: tf.cond(x > 1.0, lambda: x * x * x, lambda: tf.sin(x)), at, expected)


def test_while_loop():
    def power(x):
        return tf.while_loop(lambda i, z: i < 5, lambda i, z: (i + 1, z * x), [tf.constant(0), tf.ones_like(x)])[1]

    agree(power, 2.0, [32, 80, 160, 240])


def test_a_loop_whose_length_depends_on_the_data():
    def halve(x):
        return tf.while_loop(lambda z: z > 1.0, lambda z: z * z * 0.5, [x])[0]

    # 1.9 -> 1.805 -> 1.629 -> 1.3268 -> 0.8802: four times, so x**16 / 2**15.
    agree(halve, 1.9, [1.9**16 / 2**15, 16 * 1.9**15 / 2**15, 240 * 1.9**14 / 2**15])


def test_scan_and_map():
    def series(x):
        e = tf.constant([1.0, 2.0, 3.0], dtype=tf.float64)
        return tf.reduce_sum(tf.scan(lambda a, b: a * x + b, e, tf.constant(0.0, tf.float64)))

    # 1 + (x + 2) + (x² + 2x + 3) = x² + 3x + 6
    agree(series, 2.0, [16, 7, 2])
    agree(lambda x: tf.reduce_sum(tf.map_fn(lambda t: t * x * x, tf.constant([1.0, 2.0], tf.float64))), 3.0, [27, 18, 6])


def test_by_the_elements_of_a_sequence():
    agree(lambda x: tf.reduce_sum(tf.map_fn(lambda t: t**3, x)), [1.0, 2.0], [9, [3, 12], [6, 12], [6, 6]])
    agree(lambda x: tf.scan(lambda a, b: a * b, x)[-1], [2.0, 3.0, 4.0], [24, [12, 8, 6]])


def test_python_control_flow():
    def f(x):
        y = x
        i = tf.constant(0)
        while i < 3:
            if y > 2.0:
                y = y * 0.5 * x
            else:
                y = y * x
            i += 1
        return y

    traced = tf.function(f)
    for at in (1.2, 1.7, 2.5):
        x = tf.constant(at, tf.float64)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            plain, staged = f(x), traced(x)
        np.testing.assert_allclose(staged, plain)
        np.testing.assert_allclose(tape.gradient(staged, x), tape.gradient(plain, x))


def test_a_variable_in_a_branch_and_in_a_loop():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        v = tf.compat.v1.Variable(np.float64(3.0))
        x = tf.compat.v1.placeholder(tf.float64, [])
        y = tf.cond(x > 0.0, lambda: v * v * x, lambda: x)
        z = tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a * v), [0, x])[1]
        gy, gz = tf.gradients(y, v)[0], tf.gradients(z, v)[0]
        session.run(v.initializer)
        assert session.run([gy, gz], {x: 2.0}) == [12.0, 12.0]
        assert session.run(gy, {x: -2.0}) == 0.0


def test_case_and_switch():
    def f(x):
        return tf.switch_case(tf.cast(x, tf.int32), [lambda: x * x, lambda: x * x * x], default=lambda: 1.0 / x)

    agree(f, 0.5, [0.25, 1.0])
    agree(f, 1.5, [1.5**3, 3 * 1.5**2])
    agree(f, 2.5, [0.4, -0.16])


ERRORS = {
    "not callable": (TypeError, "callable", lambda: tf.cond(tf.constant(True), 1.0, lambda: 2.0)),
    "structures": (TypeError, "same", lambda: tf.function(lambda x: tf.cond(x > 0, lambda: (x, x), lambda: x))(tf.constant(1.0))),
    "dtypes": (TypeError, "dtype", lambda: tf.function(
        lambda x: tf.cond(x > 0, lambda: x, lambda: tf.constant(1)))(tf.constant(1.0))),
    "empty": (ValueError, "loop_vars", lambda: tf.while_loop(lambda: True, lambda: (), [])),
    "lost variable": (ValueError, "structure", lambda: tf.function(
        lambda x: tf.while_loop(lambda a, b: a < 3.0, lambda a, b: (a + 1.0,), [x, x]))(tf.constant(1.0))),
    "changed dtype": (TypeError, "dtype", lambda: tf.function(
        lambda x: tf.while_loop(lambda a: a < 3.0, lambda a: (tf.cast(a, tf.float64),), [x]))(tf.constant(1.0))),
    "vector condition": (ValueError, "scalar", lambda: tf.function(
        lambda x: tf.while_loop(lambda a: a < 3.0, lambda a: (a,), [x]))(tf.constant([1.0, 2.0]))),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    kind, text, call = ERRORS[case]
    with pytest.raises(kind, match=text):
        call()


def _internal_loops():
    return python.module(["ops", "parallel_for", "control_flow_ops"])


@pytest.mark.parametrize("known", [True, False])
def test_parallel_for_differentiates_by_what_is_outside_of_it(known):
    v1 = tf.compat.v1
    with v1.Graph().as_default():
        x = v1.placeholder(tf.float64, [3 if known else None, 1])
        W = v1.get_variable("W", initializer=np.array([[0.5, -1.0]]))
        u = tf.reduce_sum(tf.tanh(x * W), 1)
        (u_x,) = v1.gradients(u, x)
        rows = tf.reshape(u_x, [-1])
        noise = v1.random_normal([1, 2], dtype=tf.float64)

        def row(i):
            return [v1.gradients(tf.gather(rows, i), W)[0] * noise, noise, v1.gradients(tf.gather(rows, i), noise)[0]]

        count = 3 if known else tf.shape(x)[0]
        by_weight, drawn, none = _internal_loops().pfor(row, count)
        assert none is None
        with v1.Session() as sess:
            sess.run(v1.global_variables_initializer())
            at = np.array([[0.3], [-0.2], [1.0]])
            found, noises = sess.run([by_weight, drawn], {x: at})
    w = np.array([[0.5, -1.0]])
    t = np.tanh(at * w)
    slope = (1 - t**2) * (1 - 2 * t * at * w)  # of w (1 - tanh(x w)^2) by w
    np.testing.assert_allclose(found[:, 0], slope * noises[0], rtol=1e-12)
    assert (noises == noises[0]).all()


def test_parallel_for_that_assigns_runs_each_time():
    total = tf.Variable(0.0)

    @tf.function
    def run(x):
        def add(i):
            total.assign_add(x[i])
            return 2.0 * x[i]

        return _internal_loops().for_loop(add, tf.float32, 3)

    assert run(tf.constant([1.0, 2.0, 3.0])).numpy().tolist() == [2.0, 4.0, 6.0]
    assert float(total) == 6.0


def slices_doubled(values, **more):
    """Rows 0 and 3 of ten, doubled five times in a loop that carries them as slices."""
    start = tf.IndexedSlices(values, tf.constant([0, 3]), tf.constant([10]))

    def body(i, s):
        return i + 1, tf.IndexedSlices(s.values * 2.0, s.indices, s.dense_shape)

    return tf.while_loop(lambda i, s: i < 5, body, (tf.constant(0), start), **more)[1]


@pytest.mark.parametrize(
    "more", [{}, {"maximum_iterations": 3}, {"shape_invariants": (tf.TensorShape([]), tf.TensorShape([10]))}]
)
def test_loops_carry_slices(more):
    factor = 8.0 if "maximum_iterations" in more else 32.0
    whole = np.zeros(10)
    whole[[0, 3]] = [2 * factor, 4 * factor]

    def all_of(values):
        s = slices_doubled(values, **more)
        assert isinstance(s, tf.IndexedSlices)
        return s.values, tf.convert_to_tensor(s), tf.gradients(s.values, values)[0]

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        found = {"graph": session.run(all_of(tf.constant([2.0, 4.0])))}
    found["function"] = [v.numpy() for v in tf.function(all_of)(tf.constant([2.0, 4.0]))]
    with tf.recording():
        found["eager"] = [v.numpy() for v in all_of(tf.constant([2.0, 4.0]))]
    for road, (rows, dense, slope) in found.items():
        assert rows.tolist() == [2 * factor, 4 * factor], road
        assert dense.tolist() == whole.tolist(), road
        assert slope.tolist() == [factor, factor], road


def test_slices_in_a_loop_stay_slices():
    with tf.Graph().as_default(), pytest.raises(TypeError, match="IndexedSlices"):
        start = tf.IndexedSlices(tf.constant([1.0]), tf.constant([0]), tf.constant([3]))
        tf.while_loop(lambda s: True, lambda s: tf.convert_to_tensor(s), [start])


def _if(x):
    if x > 0.0:
        return 1.0
    return 2.0


def _not(x):
    y = 1.0
    if not tf.math.is_nan(x):
        y = 2.0
    return y


def _both(x):
    if x > 0.0 and x < 3.0:
        return 1.0
    return 2.0


def _while(x):
    while x < 4.0:
        x = x + x
    return x


ONE_ELEMENT = {
    "cond": (lambda x: tf.cond(x > 0.0, lambda: 1.0, lambda: 2.0), 1.0, 2.0),
    "case": (lambda x: tf.case([(x > 0.0, lambda: 1.0)], default=lambda: 2.0), 1.0, 2.0),
    "if": (_if, 1.0, 2.0),
    "not": (_not, 2.0, 2.0),
    "and": (_both, 1.0, 2.0),
    "while": (_while, 4.0, None),
    "while_loop": (lambda x: tf.while_loop(lambda v: v < 4.0, lambda v: [v + v], [x])[0], 4.0, None),
    "counted": (
        lambda x: tf.while_loop(lambda v: v < 4.0, lambda v: [v + v], [x], maximum_iterations=tf.constant(9))[0],
        4.0,
        None,
    ),
    "a choice": (lambda x: 1.0 if x > 0.0 else 2.0, 1.0, 2.0),
}


@pytest.mark.parametrize("case", ONE_ELEMENT)
@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_a_condition_of_one_element_is_a_truth_value(case, shape):
    """As in TensorFlow 2.21, whatever is known of its shape when the function is traced."""
    function, yes, no = ONE_ELEMENT[case]
    for value, wanted in ((1.0, yes), (-1.0, no)):
        if wanted is None:
            continue
        x = tf.fill(shape, value)
        roads = [function, tf.function(function)]
        roads += [tf.function(function, input_signature=[tf.TensorSpec(s)]) for s in ([None] * len(shape), None)]
        for road in roads:
            assert np.ravel(road(x)).tolist() == [wanted]


@pytest.mark.parametrize("case", ["cond", "if", "while_loop", "and"])
@pytest.mark.parametrize("count", [0, 2])
def test_a_condition_of_more_or_no_elements_is_refused(case, count):
    function = ONE_ELEMENT[case][0]
    x = tf.ones([count])
    for road in (
        function,
        tf.function(function),
        *(tf.function(function, input_signature=[tf.TensorSpec(s)]) for s in ([None], None)),
    ):
        with pytest.raises(ValueError, match=r"element|scalar|ambiguous"):
            road(x)


def test_functions_of_python_as_decorators():
    @tf.py_function(Tout=tf.float32)
    def doubled(x):
        return 2.0 * x

    @tf.numpy_function(Tout=[tf.float32, tf.int32])
    def two(x, y):
        return x * y, np.int32(3)

    x = tf.constant(3.0)
    for road in (lambda x: doubled(x) * x, tf.function(lambda x: doubled(x) * x)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = road(x)
        assert (float(y), float(tape.gradient(y, x))) == (18.0, 12.0)
    assert doubled.__name__ == "doubled"
    assert [float(t) for t in tf.function(lambda x: two(x, x))(x)] == [9.0, 3.0]


def test_map_fn_takes_numpys_types_as_the_signature():
    found = tf.map_fn(lambda x: (x, 2 * x), np.arange(3.0), fn_output_signature=(np.float64, tf.TensorSpec([], tf.float64)))
    assert [f.numpy().tolist() for f in found] == [[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]]
