"""Copying and pickling: values go by value, what is shared stays shared, and what is part of a graph or a process refuses."""

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import wengert as tf

keras, v1 = tf.keras, tf.compat.v1


def pickled(protocol: int) -> Callable:
    def through(thing):
        return pickle.loads(pickle.dumps(thing, protocol))

    return through


def out_of_band(thing):
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(thing, 5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytearray(b.raw()) for b in buffers])


WAYS = {"deepcopy": copy.deepcopy, "pickle 2": pickled(2), "pickle 5": pickled(5), "buffers": out_of_band}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


class Pair(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable([1.0, 2.0], name="w")
        self.also = [self.w]

    @tf.function
    def scaled(self, x):
        return self.w * x


class Sub(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(1)

    def call(self, x):
        return self.inner(x)


X = np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(8, 3)
Y = X.sum(1, keepdims=True)


def sequential():
    return keras.Sequential([keras.layers.Dense(4, "tanh", input_shape=(3,)), keras.layers.Dense(1, kernel_regularizer="l2")])


def functional():
    x = keras.layers.Input((3,))
    shared = keras.layers.Dense(3)
    h = shared(x)
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.Add()([h, shared(2.0 * x)])))


def of_the_middle():
    return keras.Model((h := keras.layers.Dense(3)(keras.layers.Input((2,)))), keras.layers.Dense(1)(h))


MODELS = [sequential, functional, of_the_middle, Sub]


# --- values ---------------------------------------------------------------------------------------------------------------


@ways
@pytest.mark.parametrize("value", [1.5, [[1, 2], [3, 4]], True, [b"a", b"bc"], [1.0 + 2.0j]], ids=str)
def test_a_tensor_goes_by_value(way, value):
    t = tf.constant(value)
    found = way(t)
    assert found.dtype is t.dtype and found.shape == t.shape
    np.testing.assert_array_equal(found.numpy(), t.numpy())


@ways
def test_what_describes_tensors_is_equal_and_dtypes_are_the_same(way):
    assert way(tf.float32) is tf.float32
    for one in (tf.TensorSpec([None, 2], tf.int32, "n"), tf.TensorShape([None, 3]), tf.TensorShape(None).rank, v1.Dimension(3)):
        assert way(one) == one
    rows = way(tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([1]), tf.constant([3, 1])))
    np.testing.assert_array_equal(tf.convert_to_tensor(rows).numpy(), [[0.0], [1.0], [0.0]])


@ways
def test_a_variable_has_its_own_memory_and_keeps_what_it_is(way):
    v = tf.Variable([1.0, 2.0], name="w", trainable=False, constraint=tf.nn.relu, shape=[None])
    w = way(v)
    assert (w.name, w.trainable, w.shape.as_list(), w.dtype) == (v.name, False, [None], v.dtype)
    assert w.constraint is tf.nn.relu and w.ref() != v.ref()
    w.assign([5.0])
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
    v.assign_add([1.0, 1.0])
    np.testing.assert_array_equal(w.numpy(), [5.0])
    with tf.GradientTape() as tape:
        tape.watch(w)
        y = w * w
    assert tape.gradient(y, w).numpy() == [10.0]
    assert tf.function(lambda: w + 1.0)().numpy() == [6.0]


@ways
def test_a_copy_is_a_constant_to_a_tape_that_saw_the_original(way):
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = way(x) * 2.0
    with pytest.warns(tf.errors.NoGradientWarning):
        assert tape.gradient(y, x) is None


def test_a_shallow_copy_of_a_variable_is_the_variable():
    v = tf.Variable(1.0)
    assert copy.copy(v) is v


@ways
def test_what_is_shared_stays_shared(way):
    pair = way(Pair())
    pair.w.assign([3.0, 4.0])
    assert pair.also[0] is pair.w
    np.testing.assert_array_equal(pair.scaled(2.0).numpy(), [6.0, 8.0])


@ways
def test_an_eager_variable_comes_out_eager_while_a_graph_is_built(way):
    v = tf.Variable(2.0)
    with tf.Graph().as_default():
        w = way(v)
        doubled = w * 2.0
        with v1.Session() as session:
            assert session.run(doubled) == 4.0
    assert w.numpy() == 2.0


@ways
def test_generators_go_on_from_where_they_were(way):
    g = tf.random.Generator.from_seed(3)
    g.normal([2])
    h = way(g)
    np.testing.assert_array_equal(g.normal([3]).numpy(), h.normal([3]).numpy())
    s = keras.random.SeedGenerator(4)
    s.next()
    np.testing.assert_array_equal(way(s).next().numpy(), s.next().numpy())


@ways
def test_an_error_crosses_without_its_operation(way):
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [], "fed")
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            session.run(x * 2.0)
    found = way(caught.value)
    assert type(found) is type(caught.value) and str(found) == str(caught.value) and found.op is None
    assert isinstance(found, tf.errors.InvalidArgumentError) and found.error_code == caught.value.error_code


# --- Keras and optimizers -------------------------------------------------------------------------------------------------


def trained(make):
    model = make()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    return model


@ways
@pytest.mark.parametrize("make", MODELS)
def test_a_model_goes_whole_and_trains_on_as_the_original_would(way, make):
    model = trained(make)
    before = model.get_weights()
    other = way(model)
    assert other.compiled and [w.name for w in other.weights] == [w.name for w in model.weights]
    other.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for kept, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert model.evaluate(X, Y, verbose=0) == other.evaluate(X, Y, verbose=0)
    assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]


def test_a_model_of_many_layers_is_no_recursion():
    x = y = keras.layers.Input((2,))
    for _ in range(600):
        y = keras.layers.Activation("tanh")(y)
    model = keras.Model(x, y)
    for way in WAYS.values():
        np.testing.assert_array_equal(way(model)(X[:, :2]).numpy(), model(X[:, :2]).numpy())


def test_where_a_layer_stands_in_a_copy_is_the_copy_s():
    model = functional()
    other = copy.deepcopy(model)
    assert other.layers[-1].output is other.outputs[0] and other.outputs[0] is not model.outputs[0]
    assert other.layers[0].output is other.inputs[0] and model.layers[0].output is model.inputs[0]
    assert keras.Model(other.inputs, other.layers[-1].output)(X).shape == (8, 1)


@ways
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "Ftrl", "Nadam"])
def test_an_optimizer_goes_with_its_slots_and_its_variables(way, name):
    v, rate = tf.Variable([1.0, -2.0]), tf.Variable(0.1)
    optimizer = getattr(keras.optimizers, name)(rate)
    optimizer.apply_gradients([(tf.constant([0.5, 1.0]), v)])
    w, other, its_rate = way((v, optimizer, rate))
    for one, at in ((optimizer, v), (other, w)):
        one.apply_gradients([(tf.constant([1.0, 0.25]), at)])
    np.testing.assert_array_equal(v.numpy(), w.numpy())
    assert int(other.iterations) == 2 and len(other.variables) == len(optimizer.variables)
    its_rate.assign(0.0)
    assert float(other.learning_rate) == 0.0 and float(optimizer.learning_rate) == np.float32(0.1)


@ways
def test_what_weight_decay_leaves_out_stays_left_out(way):
    v, w = tf.Variable(1.0), tf.Variable(1.0)
    optimizer = keras.optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay([w])
    v, w, optimizer = way((v, w, optimizer))
    optimizer.apply_gradients([(tf.constant(0.0), v), (tf.constant(0.0), w)])
    assert (float(v), float(w)) == (0.75, 1.0)


@ways
@pytest.mark.parametrize("make", [lambda: v1.train.AdamOptimizer(0.1), lambda: v1.train.MomentumOptimizer(0.1, 0.9)])
def test_an_optimizer_of_tensorflow_1_goes_with_its_slots(way, make):
    v, optimizer = tf.Variable([1.0, -2.0]), make()
    optimizer.apply_gradients([(tf.constant([0.5, 1.0]), v)])
    w, other = way((v, optimizer))
    for name in optimizer.get_slot_names():
        np.testing.assert_array_equal(other.get_slot(w, name).numpy(), optimizer.get_slot(v, name).numpy())
        assert other.get_slot(v, name) is None
    for one, at in ((optimizer, v), (other, w)):
        one.apply_gradients([(tf.constant([1.0, 0.25]), at)])
    np.testing.assert_array_equal(v.numpy(), w.numpy())


@ways
def test_metrics_keep_what_they_have_seen(way):
    metric = keras.metrics.Mean()
    metric.update_state([1.0, 2.0])
    other = way(metric)
    other.update_state(6.0)
    assert (float(metric.result()), float(other.result())) == (1.5, 3.0)


STATED = {
    "schedule": lambda: keras.optimizers.schedules.CosineDecay(0.1, 10),
    "initializer": lambda: keras.initializers.GlorotUniform(seed=3),
    "loss": keras.losses.Huber,
    "regularizer": lambda: keras.regularizers.L2(0.5),
    "constraint": lambda: keras.constraints.MaxNorm(2.0),
    "layer": lambda: keras.layers.Dense(2, name="d"),
}


@ways
@pytest.mark.parametrize("make", STATED.values(), ids=STATED)
def test_what_arguments_make_goes_with_them(way, make):
    assert way(make()).get_config() == make().get_config()


# --- what refuses ---------------------------------------------------------------------------------------------------------


def of_graph(what):
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [2], "x") * 2.0
        return {"symbolic": x, "op": x.op, "graph": x.graph, "variable": v1.Variable(1.0)}.get(what)


def doubled(x):
    return 2.0 * x


REFUSED = {
    "graph": (lambda tmp: of_graph("graph"), "build it again"),
    "op": (lambda tmp: of_graph("op"), r"sess\.run\(\)"),
    "session": (lambda tmp: v1.Session(graph=tf.Graph()), "Saver"),
    "function": (lambda tmp: tf.function(doubled), "plain Python function"),
    "method": (lambda tmp: Pair().scaled, "the object that it belongs to"),
    "trace": (lambda tmp: tf.function(doubled).get_concrete_function(tf.TensorSpec([])), "get_concrete_function"),
    "tape": (lambda tmp: tf.GradientTape(), "gradients"),
    "accumulator": (lambda tmp: tf.autodiff.ForwardAccumulator(tf.constant(1.0), tf.constant(1.0)), "jvp"),
    "field": (lambda tmp: tf.field(doubled, "x"), r"field\(\)"),
    "derivative": (lambda tmp: tf.field(doubled, "x").x, r"field\(\)"),
    "writer": (lambda tmp: tf.summary.create_file_writer(str(tmp)), "make another"),
    "file writer": (lambda tmp: v1.summary.FileWriter(str(tmp)), "make another"),
    "graph's variable": (lambda tmp: of_graph("variable"), "Saver"),
}
HOW = {"deepcopy": copy.deepcopy, "pickle": pickle.dumps}


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
@pytest.mark.parametrize(("make", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_part_of_a_graph_or_a_process_refuses_and_says_what_to_do(make, says, how, tmp_path):
    thing = make(tmp_path)
    with pytest.raises(TypeError, match=says):
        how(thing)


def test_a_tensor_of_a_graph_is_not_pickled_and_the_same_in_a_copy():
    x = of_graph("symbolic")
    with pytest.raises(TypeError, match=r"mul:0 \(made at .*sess\.run\(\)"):
        pickle.dumps([x])
    assert copy.deepcopy([x])[0] is x


def test_a_function_that_an_object_holds_goes_with_its_copy():
    class Held(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(2.0)
            self.step = tf.function(self.scaled)
            self.twice = tf.function(doubled)
            self.again = self.traced

        def scaled(self, x):
            return self.w * x

        @tf.function
        def traced(self, x):
            return self.w * x

    one = Held()
    assert (float(one.step(1.0)), float(one.twice(1.0))) == (2.0, 2.0)
    two = copy.deepcopy(one)
    two.w.assign(5.0)
    assert (float(one.step(1.0)), float(two.step(1.0)), float(two.twice(1.0))) == (2.0, 5.0, 2.0)
    assert (float(one.again(1.0)), float(two.again(1.0))) == (2.0, 5.0)
