"""What TensorFlow answers of tapes (its guides and corners), and how errors are told."""

import contextlib
import gc
import sys
import threading
import warnings
import weakref

import numpy as np
import pytest

import wengert as tf
from wengert.errors import NoGradientWarning
from wengert.tensor.tensor import EagerTensor, SymbolicTensor

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


def taped(f, x, **keywords):
    with tf.GradientTape(**keywords) as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def test_power():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x**2
    g = tape.gradient(y, x)
    assert repr(g) == "<tf.Tensor: shape=(), dtype=float32, numpy=6.0>"


def test_a_number_is_told_as_python_tells_it_as_in_tensorflow():
    x = tf.constant(27.3)
    assert repr(x) == "<tf.Tensor: shape=(), dtype=float32, numpy=27.299999237060547>"
    assert str(x) == "tf.Tensor(27.3, shape=(), dtype=float32)"
    assert repr(tf.constant(2350344.0)).endswith("numpy=2350344.0>")
    assert repr(tf.Variable(0.1, dtype="float16")) == "<tf.Variable 'Variable:0' shape=() dtype=float16, numpy=0.0999755859375>"
    assert repr(tf.constant(1 + 2.1j, "complex64")).endswith("numpy=(1+2.0999999046325684j)>")


def test_structures_of_sources():
    w, b = tf.Variable([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), tf.Variable([0.0, 0.0])
    x = tf.constant([[1.0, 2.0, 3.0]])
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum((x @ w + b) * 1.0)
    d = tape.gradient(loss, {"w": w, "b": b})
    assert isinstance(d, dict) and d["w"].shape == (3, 2) and d["b"].shape == (2,)
    nested = tape.gradient(loss, {"a": [w, (b,)]})
    assert isinstance(nested["a"], list) and isinstance(nested["a"][1], tuple)


def test_what_is_watched():
    x0, x1 = tf.Variable(3.0, name="x0"), tf.Variable(3.0, name="x1", trainable=False)
    x2, x3 = tf.Variable(2.0, name="x2") + 1.0, tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = (x0**2) + (x1**2) + (x2**2) + x3**2
    found = tape.gradient(y, [x0, x1, x2, x3])
    assert found[0].numpy() == 6.0 and found[1:] == [None, None, None]
    assert [v.name for v in tape.watched_variables()] == ["x0:0"]


def test_watched_variables_come_in_the_order_in_which_they_were_made():
    first, second, third = tf.Variable(1.0), tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        tape.watch(third)
        second * second + first * first
    assert [v is w for v, w in zip(tape.watched_variables(), [first, second, third], strict=True)] == [True] * 3


def test_not_watching_variables():
    x0, x1 = tf.Variable(0.0), tf.Variable(10.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x1)
        ys = tf.reduce_sum(tf.math.softplus(x0 + x1))
    g = tape.gradient(ys, {"x0": x0, "x1": x1})
    assert g["x0"] is None and g["x1"].numpy() == pytest.approx(0.9999546)


def test_intermediate():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert tape.gradient(z, y).numpy() == 18.0


def test_persistent_and_not():
    x = tf.constant([1.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    np.testing.assert_array_equal(tape.gradient(z, x), [4.0, 108.0])
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 6.0])
    with tf.GradientTape() as once:
        once.watch(x)
        y = x * x
    once.gradient(y, x)
    with pytest.raises(RuntimeError, match="non-persistent GradientTape can only be used"):
        once.gradient(y, x)


def test_several_targets():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y0, y1 = x**2, 1 / x
    assert tape.gradient({"y0": y0, "y1": y1}, x).numpy() == 3.75
    with tf.GradientTape() as tape:
        y = x * [3.0, 4.0]
    assert tape.gradient(y, x).numpy() == 7.0


def test_python_control_flow():
    x, v0, v1 = tf.constant(1.0), tf.Variable(2.0), tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        result = v0 if x > 0.0 else v1**2
    assert tape.gradient(result, v0).numpy() == 1.0
    assert tape.gradient(result, v1) is None
    assert tape.gradient(result, x) is None


def test_a_replaced_variable_is_a_tensor():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x + 1
    assert tape.gradient(y, x).numpy() == 1.0
    x = x + 1
    with tf.GradientTape() as tape:
        y = x + 1
    assert tape.gradient(y, x) is None


def test_integers_and_state():
    x = tf.constant(10)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x) is None
    x0, x1 = tf.Variable(3.0), tf.Variable(0.0)
    with tf.GradientTape() as tape:
        x1.assign_add(x0)
        y = x1**2
    assert tape.gradient(y, x0) is None


@pytest.mark.parametrize("value", ["zero", tf.UnconnectedGradients.ZERO])
def test_zeros_where_unconnected(value):
    x, z = tf.Variable([2.0, 2.0]), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = z**2
    np.testing.assert_array_equal(tape.gradient(y, x, unconnected_gradients=value), [0.0, 0.0])


def test_bad_arguments():
    x = tf.constant(1.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients"):
        tape.gradient(y, x, unconnected_gradients="nonsense")
    with pytest.raises(TypeError):
        tape.gradient(None, x)
    with pytest.raises(TypeError):
        tape.gradient(y, None)
    with pytest.raises(ValueError, match=r"Passed in object 3\.0 of type"):
        tape.watch(3.0)
    with pytest.raises((ValueError, TypeError, AttributeError)):
        tape.gradient(y, 3.0)
    with pytest.raises(ValueError, match="still recording"), tape, tape:
        pass


def test_stop_recording_and_reset():
    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        x_sq = x * x
        with tape.stop_recording():
            y_sq = y * y
        z = x_sq + y_sq
    found = tape.gradient(z, {"x": x, "y": y})
    assert found["x"].numpy() == 4.0 and found["y"] is None
    with tf.GradientTape() as tape:
        y_sq = y * y
        tape.reset()
        z = x * x + y_sq
    found = tape.gradient(z, {"x": x, "y": y})
    assert found["x"].numpy() == 4.0 and found["y"] is None
    with pytest.raises(ValueError, match="not recording"), tape.stop_recording():
        pass


def test_orders_of_a_cube():
    x = tf.Variable(1.0)
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = x * x * x
        dy = t1.gradient(y, x)
    assert (dy.numpy(), t2.gradient(dy, x).numpy()) == (3.0, 6.0)


def test_gradient_inside_of_its_own_tape():
    x = tf.constant(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**3
        g = tape.gradient(y, x)
    assert (g.numpy(), tape.gradient(g, x).numpy()) == (12.0, 12.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        g = tape.gradient(x**3, x)
    with pytest.raises(RuntimeError):
        tape.gradient(g, x)


def test_what_was_computed_elsewhere():
    x = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        g = x * x
    assert tape.gradient(g[:, 0:1], x) is None  # the slice was taken after the tape closed
    column = x[:, 0:1]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, column) is None


def test_second_derivative_of_a_line_is_none():
    x = tf.constant(2.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = 3.0 * x
        g = inner.gradient(y, x)
    assert g.numpy() == 3.0 and outer.gradient(g, x) is None


def test_output_gradients():
    x = tf.constant([2.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=tf.constant([5.0, 1.0])), [20.0, 4.0])


def test_gather_gives_slices():
    v = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        y = tf.gather(v, [0, 2, 0])
    g = tape.gradient(y, v)
    assert type(g).__name__ == "IndexedSlices"
    np.testing.assert_array_equal(tf.convert_to_tensor(g), [2.0, 0.0, 1.0])


def test_complex():
    z = tf.constant(1.0 + 2.0j)
    assert taped(lambda z: z * z, z).numpy() == 2 - 4j


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (tf.sqrt, 0.0, np.inf),
        (tf.nn.relu, 0.0, 0.0),
        (tf.abs, 0.0, 0.0),
        (lambda x: tf.maximum(x, 1.0), 1.0, 1.0),
        (lambda x: tf.maximum(1.0, x), 1.0, 0.0),
        (tf.reduce_max, [1.0, 1.0], [0.5, 0.5]),
        (tf.norm, [0.0, 0.0], [np.nan, np.nan]),
        (lambda x: tf.where(x > 0, tf.sqrt(x), 0.0), 0.0, 0.0),
    ],
)
def test_kinks_and_ties(f, at, expected):
    np.testing.assert_array_equal(taped(f, tf.constant(at)), expected)


def test_jacobians():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.stack([x[:, 0] * x[:, 1], x[:, 0] ** 2, x[:, 1]], 1)
    whole, rows = tape.jacobian(y, x), tape.batch_jacobian(y, x)
    assert whole.shape == (3, 3, 3, 2) and rows.shape == (3, 3, 2)
    np.testing.assert_allclose(np.einsum("abac->abc", whole.numpy()), rows.numpy())
    np.testing.assert_allclose(rows[1].numpy(), [[4.0, 3.0], [6.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="Need first dimension"):
        tape.batch_jacobian(y, tf.ones([2, 2]))
    with pytest.raises(AttributeError):
        tape.jacobian([y], x)


def test_a_tape_belongs_to_its_thread():
    x = tf.constant(2.0)
    seen = []

    def other():
        seen.append(x * 3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        seen.append(tape.gradient(y, x).numpy())

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        y = x * x
    assert tape.gradient(seen[0], x) is None
    assert seen[1] == 12.0 and tape.gradient(y, x).numpy() == 4.0


def test_a_tape_frees_what_it_recorded():
    x = tf.constant(np.ones(1000))
    tape = tf.GradientTape(persistent=True)
    with tape:
        tape.watch(x)
        inner = x * 2.0
        y = inner * 3.0
    kept = weakref.ref(inner)
    del inner
    assert kept() is not None
    del tape, y
    gc.collect()
    assert kept() is None


def test_a_used_tape_frees_what_it_recorded():
    x = tf.constant(np.ones(1000))
    with tf.GradientTape() as tape:
        tape.watch(x)
        inner = x * 2.0
        y = inner * 3.0
    kept = weakref.ref(inner)
    del inner
    tape.gradient(y, x)
    gc.collect()
    assert kept() is None


def test_operations_leave_nothing_behind():
    def work():
        y = tf.constant(np.ones(10))
        for _ in range(20_000):
            y = y * 1.0001
        return y

    work()
    gc.collect()
    before = len(gc.get_objects())
    work()
    gc.collect()
    assert len(gc.get_objects()) - before < 500


@pytest.mark.parametrize("length", [100_000])
def test_a_long_chain(length):
    x = tf.constant(0.5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in range(length):
            y = y * 1.00001
    assert tape.gradient(y, x).numpy() == pytest.approx(1.00001**length, rel=1e-2)


def test_eager_gradients():
    with pytest.raises(RuntimeError, match="recording"):
        tf.gradients(tf.constant(1.0), tf.constant(2.0))
    with tf.recording():
        x, t = tf.constant([[1.0], [0.5]], dtype=tf.float64), tf.constant([[0.25], [2.0]], dtype=tf.float64)
        X = tf.concat([x, t], 1)
        u = tf.sin(2.0 * X[:, 0:1]) * X[:, 1:2] ** 2
        u_x = tf.gradients(u, x)[0]
        u_xt = tf.gradients(u_x, t)[0]
        u_xxx = tf.gradients(tf.gradients(u_x, x)[0], x)[0]
    np.testing.assert_allclose(u_xt, 4 * t.numpy() * np.cos(2 * x.numpy()), rtol=1e-14)
    np.testing.assert_allclose(u_xxx, -8 * t.numpy() ** 2 * np.cos(2 * x.numpy()), rtol=1e-14)


EARLIER = tf.constant(2.0)
REASONS = {
    "before the tape": ("before the tape watched", lambda: _before()),
    "never watched": ("never watched the source", lambda: _unwatched()),
    "integer": ("goes through an integer", lambda: _through(lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32))),
    "numpy": ("NumPy", lambda: _through(lambda x: tf.constant(np.sin(x.numpy())) * 2.0)),
    "stop_gradient": ("stop_gradient at", lambda: _through(lambda x: tf.stop_gradient(x * 2.0) * 3.0)),
    "floor": ("no derivative", lambda: _through(lambda x: tf.floor(x * 2.0) * 3.0)),
    "unconnected": ("not connected|not depend", lambda: _through(lambda x: EARLIER * 2.0)),
}


def _before():
    x = tf.constant(2.0)
    z = x * 3.0
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = z * z
    return tape.gradient(y, x)


def _unwatched():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


def _through(f):
    x = tf.constant(2.5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


@pytest.mark.parametrize("case", REASONS)
def test_why_none(case):
    pattern, run = REASONS[case]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NoGradientWarning)
        assert run() is None
    assert len(caught) == 1
    text = str(caught[0].message)
    assert caught[0].filename == __file__
    import re

    assert re.search(pattern, text), text
    if case not in ("unconnected", "numpy"):
        assert "test_tape.py:" in text, text


def test_a_forward_accumulator_keeps_nothing_alive():
    def steps(acc, kept):
        value = kept
        for _ in range(3):
            value = tf.sin(value)
            seen.append(weakref.ref(value))
        return value

    seen, x = [], tf.ones([100])
    seen.append(weakref.ref(x))
    with tf.autodiff.ForwardAccumulator(x, tf.ones([100])) as acc:
        y = steps(acc, x)
        # The tangent of a tensor that is gone is gone; what lives has its own.
        inner = np.sin(1.0), np.sin(np.sin(1.0))
        np.testing.assert_allclose(acc.jvp(y), np.full(100, np.cos(1.0) * np.cos(inner[0]) * np.cos(inner[1])), rtol=1e-6)
        del x
        assert [one() is None for one in seen] == [True, True, True, False]
        assert len(acc._tangents) == 1
    gone = weakref.ref(acc)
    del acc
    assert gone() is None


def test_a_forward_accumulator_follows_a_variable_through_assignments():
    v = tf.Variable(2.0)
    with tf.autodiff.ForwardAccumulator(v, tf.constant(1.0)) as acc:
        y = v * v
        v.assign(5.0)
        z = v * v
    assert acc.jvp(y).numpy() == 4.0 and acc.jvp(z).numpy() == 10.0


@pytest.mark.parametrize("x, g", [(3, 5), (3.0, 5.0), ([1, 2], [4, 5]), ([1.0, 2.0], [4.0, 5.0])])
@pytest.mark.parametrize("watched", [True, False])
def test_the_derivative_of_a_tensor_by_itself_is_its_weight(x, g, watched):
    # As TensorFlow 2.21 answers, of whole numbers and of what was not watched too.
    x, g = tf.constant(x), tf.constant(g)

    def by_itself(x, g):
        with tf.GradientTape(persistent=True) as t:
            if watched:
                t.watch(x)
        return t.gradient(x, x), t.gradient(x, x, output_gradients=g), t.gradient([x, x], [x])

    def in_graph(x, g):
        return tf.gradients(x, x)[0], tf.gradients(x, x, grad_ys=g)[0], tf.gradients([x, x], [x])

    for f in (by_itself, tf.function(by_itself), tf.function(in_graph)):
        one, weighted, (two,) = f(x, g)
        assert one.dtype == x.dtype and np.all(one.numpy() == 1)
        assert weighted.dtype == x.dtype and np.all(weighted.numpy() == g.numpy())
        assert np.all(two.numpy() == 2)


def test_whole_numbers_have_no_other_derivatives():
    x = tf.constant(3)

    def f(x):
        with tf.GradientTape() as t:
            t.watch(x)
            y = tf.identity(x)
        return t.gradient(y, x)

    assert f(x) is None and tf.function(f)(x) is None
    with tf.Graph().as_default():
        x = tf.constant(3)
        assert tf.gradients(x + 1, x) == [None]


def test_recompute_grad_of_a_tensor_given_twice():
    # By hand: d/dx of x y is 2 x where y is x; of x y², 3 x².
    f = tf.recompute_grad(lambda x, y: x * y)
    g = tf.recompute_grad(lambda x, y: (x * y * y, x))
    x = tf.constant([2.0, 3.0])
    for call in (lambda h: taped(h, x), lambda h: tf.function(lambda x: taped(h, x))(x)):
        assert call(lambda x: f(x, x)).numpy().tolist() == [4.0, 6.0]
        assert call(lambda x: g(x, x)[0]).numpy().tolist() == [12.0, 27.0]
        assert call(lambda x: g(x, x)).numpy().tolist() == [13.0, 28.0]


def test_forward_mode_by_a_tensor_given_twice():
    x = tf.constant([2.0, 3.0])
    one, two = tf.constant([1.0, 0.0]), tf.constant([0.0, 1.0])
    with pytest.raises(ValueError, match="multiple times"):
        tf.autodiff.ForwardAccumulator([x, x], [one, two])
    # By hand, of f(a, b) = a b² at a = b = x: by a it is x², by b 2 x².
    f = lambda a, b: a * b * b  # noqa: E731
    assert tf.autodiff.jvp(f, [x, x], [one, two])[1].numpy().tolist() == [4.0, 18.0]
    by_a, by_b = tf.autodiff.vjp(f, [x, x])[1](tf.ones(2))
    assert by_a.numpy().tolist() == [4.0, 9.0] and by_b.numpy().tolist() == [8.0, 18.0]
    by_a, by_b = tf.autodiff.jacobian(f, [x, x])
    assert by_a.numpy().tolist() == [[4.0, 0.0], [0.0, 9.0]] and by_b.numpy().tolist() == [[8.0, 0.0], [0.0, 18.0]]


def python_calls(f):
    """Return how many functions in Python run for a call of f, which ran before."""
    f()
    count = 0

    def seen(frame, event, argument):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        f()
    finally:
        sys.setprofile(before)
    return count


def test_an_operation_on_a_tape_takes_few_calls_in_python():
    # Counted with a chain: what one link more costs, recorded and on the way back, alone and with another tape around.
    x = tf.constant([[1.0, 2.0]])

    def chain(links, tapes):
        y = x
        with contextlib.ExitStack() as stack:
            inner = [stack.enter_context(tf.GradientTape()) for _ in range(tapes)]
            inner[-1].watch(x)
            for _ in range(links):
                y = y * y
            return inner[-1].gradient(y, x)

    for tapes, limit in ((1, 14), (2, 24)):
        more = [python_calls(lambda n=n, tapes=tapes: chain(n, tapes)) for n in (2, 12)]
        assert more[1] - more[0] <= 10 * limit, (tapes, more)


def test_what_a_tensor_of_one_kind_does_not_have_is_told_without_a_getattr():
    # A __getattr__ takes the place of the reading of slots for every attribute that there is, too.
    x = tf.constant([1.0, 2.0])
    assert not hasattr(EagerTensor, "__getattr__") and not hasattr(SymbolicTensor, "__getattr__")
    for name in ("op", "graph", "name", "value_index", "consumers"):
        with pytest.raises(AttributeError, match=rf"Tensor\.{name} is undefined when eager execution is enabled"):
            getattr(x, name)
        assert not hasattr(x, name) and not hasattr(EagerTensor, name)
    with tf.Graph().as_default():
        place = tf.compat.v1.placeholder(tf.float32, [2], name="place")
    for name in ("numpy", "array", "item", "tolist"):
        with pytest.raises(AttributeError, match=rf"'{name}': place:0 has no value while its graph is built \(.*test_tape\.py"):
            getattr(place, name)
        assert not hasattr(place, name)
    for t in (x, place):
        for name in ("assign", "assign_add", "assign_sub", "unheard_of"):
            with pytest.raises(AttributeError, match=f"'{type(t).__name__}' object has no attribute '{name}'"):
                getattr(t, name)


def test_a_number_beside_a_tensor_takes_its_dtype_as_numpy_casts():
    for dtype in ("float16", "float32", "float64", "complex64"):
        x = tf.constant([2.0], dtype)
        for number in (0.1, 1e300, float("inf"), float("nan"), -0.0):
            with np.errstate(all="ignore"):
                wanted = x.numpy() * np.array(number).astype(dtype)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = (x * number).numpy()
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted)
            assert np.signbit(found.real).tolist() == np.signbit(wanted.real).tolist()
