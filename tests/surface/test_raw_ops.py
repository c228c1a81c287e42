"""Raw operations that stand nowhere else: updates of slices, and the derivatives that TensorFlow gives names to."""

import numpy as np
import pytest

import wengert as tf

R = tf.raw_ops
rng = np.random.default_rng(9)
WINDOW = {"ksize": [1, 2, 2, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}


def everywhere(f, *arrays):
    """Return what f gives eagerly, in a function and in a static graph, as one array: they are equal."""
    found = [np.asarray(f(*map(tf.constant, arrays))), np.asarray(tf.function(f)(*map(tf.constant, arrays)))]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        found.append(session.run(f(*map(tf.constant, arrays))))
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-14)
    return found[0]


def check_gradient(f, *arrays, step=1e-6):
    """Compare the gradient of the sum of squares with central differences along a direction."""
    xs = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch(xs)
        y = tf.reduce_sum(f(*xs) ** 2)
    along = [rng.normal(size=a.shape) for a in arrays]
    ends = [np.sum(np.asarray(f(*(a + s * d for a, d in zip(arrays, along, strict=True)))) ** 2) for s in (step, -step)]
    slope = sum(np.sum(np.asarray(g) * d) for g, d in zip(tape.gradient(y, xs), along, strict=True))
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    ("name", "f", "derivative"),
    [
        ("ReciprocalGrad", lambda x: 1 / x, lambda x: -1 / x**2),
        ("InvGrad", lambda x: 1 / x, lambda x: -1 / x**2),
        ("RsqrtGrad", lambda x: x**-0.5, lambda x: -0.5 * x**-1.5),
        ("SqrtGrad", np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        ("SigmoidGrad", lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        ("TanhGrad", np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    ],
)
def test_derivatives_through_the_output(name, f, derivative):
    x, dy = rng.uniform(0.3, 2.0, 5), rng.normal(size=5)
    op = getattr(R, name)
    np.testing.assert_allclose(everywhere(lambda y, dy: op(y=y, dy=dy), f(x), dy), derivative(x) * dy, rtol=1e-12)
    check_gradient(lambda y, dy: op(y=y, dy=dy), f(x), dy)
    z, dz = x + 0.5j, dy - 1.0j
    factor = derivative(z) if name in ("SigmoidGrad", "TanhGrad") else np.conj(derivative(z))
    np.testing.assert_allclose(op(y=f(z), dy=dz), factor * dz, rtol=1e-12)


@pytest.mark.parametrize("mode", ["REFLECT", "SYMMETRIC"])
def test_mirror_pad_grad_adds_what_shows_one_place(mode):
    paddings = [[1, 0], [2, 1]]
    g = rng.normal(size=(4, 7))
    expected = np.zeros((3, 4))
    source = np.pad(np.arange(12).reshape(3, 4), paddings, mode=mode.lower())
    np.add.at(expected.reshape(-1), source.ravel(), g.ravel())
    found = everywhere(lambda g: R.MirrorPadGrad(input=g, paddings=paddings, mode=mode), g)
    np.testing.assert_allclose(found, expected)
    check_gradient(lambda g: R.MirrorPadGrad(input=g, paddings=paddings, mode=mode), g)


@pytest.mark.parametrize(
    ("index", "call", "size"),
    [
        (np.s_[1:4:2, :3], {"begin": [1, 0], "end": [4, 3], "strides": [2, 1]}, (2, 3)),
        (np.s_[::-2, 3], {"begin": [0, 3], "end": [0, 0], "strides": [-2, 1], "begin_mask": 1, "end_mask": 1,
                           "shrink_axis_mask": 2}, (2,)),
        (np.s_[..., 1:2], {"begin": [0, 1], "end": [0, 2], "strides": [1, 1], "ellipsis_mask": 1}, (1,)),
    ],
)  # fmt: skip
def test_strided_slice_update(index, call, size):
    x, value = rng.normal(size=(4, 4)), rng.normal(size=size)
    expected = x.copy()
    expected[index] = value

    def f(x, value):
        return R.TensorStridedSliceUpdate(input=x, value=value, **call)

    np.testing.assert_array_equal(everywhere(f, x, value), expected)
    check_gradient(f, x, value)


def first_greatest(x):
    """The flat number of the first greatest element of each window of WINDOW."""
    numbers = np.arange(x.size).reshape(x.shape)
    places = np.empty((x.shape[0], x.shape[1] - 1, x.shape[2] // 2, x.shape[3]), np.int64)
    for b, i, j, c in np.ndindex(*places.shape):
        window = np.s_[b, i : i + 2, 2 * j : 2 * j + 2, c]
        places[b, i, j, c] = numbers[window].ravel()[np.argmax(x[window])]
    return places


def test_max_pool_and_its_derivatives():
    x = rng.integers(0, 3, (2, 3, 4, 2)).astype(float)
    at = first_greatest(x)
    g, h = rng.normal(size=at.shape), rng.normal(size=x.shape)
    y = x.ravel()[at]
    np.testing.assert_array_equal(everywhere(lambda x: R.MaxPool(input=x, **WINDOW), x), y)
    np.testing.assert_array_equal(everywhere(lambda x: R.MaxPoolV2(input=x, **WINDOW), x), y)
    expected = np.zeros(x.shape)
    np.add.at(expected.reshape(-1), at.ravel(), g.ravel())
    for op in (R.MaxPoolGrad, R.MaxPoolGradV2):
        found = everywhere(lambda x, y, g, op=op: op(orig_input=x, orig_output=y, grad=g, **WINDOW), x, y, g)
        np.testing.assert_allclose(found, expected)
    found = everywhere(lambda x, y, h: R.MaxPoolGradGrad(orig_input=x, orig_output=y, grad=h, **WINDOW), x, y, h)
    np.testing.assert_array_equal(found, h.ravel()[at])

    def with_argmax(x, g, **more):
        return R.MaxPoolGradWithArgmax(input=x, grad=g, **more, **WINDOW)

    found = everywhere(lambda x, g: with_argmax(x, g, argmax=at, include_batch_in_index=True), x, g)
    np.testing.assert_allclose(found, expected)
    inside = at - np.arange(2).reshape(-1, 1, 1, 1) * x[0].size
    np.testing.assert_allclose(everywhere(lambda x, g: with_argmax(x, g, argmax=inside), x, g), expected)
    check_gradient(lambda g: with_argmax(x, g, argmax=inside), g)
    check_gradient(lambda g: R.MaxPoolGrad(orig_input=x, orig_output=y, grad=g, **WINDOW), g)


def test_max_pool_derivatives_refuse_other_shapes():
    x, y, wrong = np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 2))
    one = {"ksize": [1] * 4, "strides": [1] * 4, "padding": "VALID"}
    for op in (R.MaxPoolGrad, R.MaxPoolGradGrad):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"orig_output shape to be \[1,1,1,1\], but got \[1,1,1,2\]"):
            op(orig_input=x, orig_output=wrong, grad=y, **one)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"grad shape to be \[1,1,1,1\], but got \[1,1,1,2\]"):
            op(orig_input=x, orig_output=y, grad=wrong, **one)
    with pytest.raises(tf.errors.InvalidArgumentError, match="argmax shape"):
        R.MaxPoolGradWithArgmax(input=x, grad=y, argmax=np.zeros((1, 1, 1, 2), np.int64), **one)


def test_scatter_without_aliasing():
    def f(x, u):
        return R.ScatterNdNonAliasingAdd(input=x, indices=[[2], [0], [2]], updates=u)

    assert everywhere(f, np.ones(3), np.arange(3.0)).tolist() == [2.0, 1.0, 3.0]
    check_gradient(f, np.ones(3), np.arange(3.0))


@pytest.mark.parametrize(("name", "power"), [("Sum", 0.0), ("Mean", 1.0), ("SqrtN", 0.5)])
def test_sparse_segments_and_their_derivatives(name, power):
    indices, ids = np.array([3, 0, 3, 1]), np.array([0, 0, 1, 2])
    matrix = np.zeros((3, 5))
    np.add.at(matrix, (ids, indices), np.bincount(ids)[ids] ** -power)
    x, g = rng.normal(size=(5, 2)), rng.normal(size=(3, 2))
    rows = {"indices": indices, "segment_ids": ids}
    for op, more in ((f"SparseSegment{name}", {}), (f"SparseSegment{name}WithNumSegments", {"num_segments": 3})):
        np.testing.assert_allclose(everywhere(lambda x, o=op, m=more: getattr(R, o)(data=x, **rows, **m), x), matrix @ x)

    def back(g):
        return getattr(R, f"SparseSegment{name}Grad")(grad=g, output_dim0=5, **rows)

    np.testing.assert_allclose(everywhere(back, g), matrix.T @ g)
    check_gradient(back, g)


@pytest.mark.parametrize(
    ("n", "indices", "ids", "said"),
    [
        (3, [8, 3, 0, 10], [0, 1, 2, 2], r"Index 10 out of range \[0, 10\)"),
        (3, [8, 3, -1, 9], [0, 1, 2, 2], r"Index -1 out of range \[0, 10\)"),
        (3, [8, 3, 0, 9], [0, 1, 1, 4], "Invalid number of segments"),
        (1, [8, 3, 0, 9], [0, 1, 2, 0], r"Segment id 1 out of range \[0, 1\)"),
        (2, [8, 3, 0, 9], [-1, 0, 1, 1], r"Segment id -1 out of range \[0, 2\)"),
    ],
)
def test_sparse_segments_refuse_what_is_out_of_range(n, indices, ids, said):
    def f():
        return R.SparseSegmentSumGrad(grad=tf.ones([n, 2]), indices=indices, segment_ids=ids, output_dim0=10)

    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        f()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        made = f()
        with pytest.raises(tf.errors.InvalidArgumentError, match=said):
            session.run(made)


# --- PreventGradient ---

X = tf.constant([1.0, 2.0])


def guarded(x):
    return tf.raw_ops.PreventGradient(input=x, message="frozen on purpose")


def backward(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = 2.0 * guarded(x)
    return tape.gradient(y, x)


def forward(x):
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        y = guarded(x)
    return accumulator.jvp(y)


def in_a_graph(x):
    with tf.Graph().as_default():
        place = tf.compat.v1.placeholder(x.dtype, x.shape)
        return tf.gradients(guarded(place), place)


@pytest.mark.parametrize(
    "ask", [backward, tf.function(backward), forward, in_a_graph], ids=["tape", "function", "forward", "graph"]
)
def test_prevent_gradient_says_why(ask):
    with pytest.raises(LookupError, match=r"explicitly disabled\. Reason: 'frozen on purpose'"):
        ask(X)


def test_prevent_gradient_passes_the_value_and_other_paths():
    np.testing.assert_array_equal(guarded(X), X)
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = guarded(tf.stop_gradient(X)) * X
    np.testing.assert_array_equal(tape.gradient(y, X), X)


# --- broadcast shapes ---


@pytest.mark.parametrize(
    ("first", "second", "over"),
    [
        ([2, 3, 5], [1], ([], [0, 1, 2])),
        ([2, 1, 5], [3, 1], ([1], [0, 2])),
        ([], [2], ([0], [])),
        ([0, 1], [1], ([1], [0, 1])),
        ([1, 3], [1, 3], ([], [])),
        ([1, 1], [1], ([0, 1], [0, 1])),
    ],
)
def test_axes_over_which_gradients_of_broadcast_tensors_are_summed(first, second, over):
    first, second = np.array(first, np.int32), np.array(second, np.int32)

    def axes(a, b):
        return R.BroadcastGradientArgs(s0=a, s1=b)

    for found in (axes(first, second), tf.function(axes)(tf.constant(first), tf.constant(second))):
        assert tuple(one.numpy().tolist() for one in found) == over
    np.testing.assert_array_equal(R.BroadcastArgs(s0=first, s1=second), np.broadcast_shapes(tuple(first), tuple(second)))


def test_shapes_that_do_not_fit_have_no_axes():
    with pytest.raises(tf.errors.InvalidArgumentError):
        R.BroadcastGradientArgs(s0=[2, 3], s1=[4])
