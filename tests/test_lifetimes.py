"""What ends: graphs, functions, models, tapes and sessions go when nobody holds them, though what was used in them lives on."""

import gc
import weakref

import numpy as np
import pytest

import wengert as tf
from wengert import keras
from wengert.tensor.tensor import Graph

v1 = tf.compat.v1


class Lasting:
    """What lives on in the tests below."""

    def __init__(self):
        self.variable = tf.Variable(2.0)
        self.generator = tf.random.Generator.from_seed(1)
        self.optimizer = keras.optimizers.Adam(0.1)
        self.inner = tf.function(lambda x: x * 2.0)
        self.applied = tf.function(lambda module, x: module.v * x)
        self.reader = tf.function(lambda: self.held * 2.0)


class Branching(tf.Module):
    def __init__(self):
        super().__init__()
        self.v = tf.Variable(1.0)

    @tf.function
    def straight(self, x):
        return x * self.v

    @tf.function
    def converted(self, x):
        if x > 0.0:
            return x * self.v
        return x


def _placeholder():
    return v1.placeholder(tf.float32, [None, 3])


def _session(lasting):
    v = v1.get_variable("v", initializer=1.0)
    loss = v * v * lasting.variable
    step = v1.train.AdamOptimizer(0.1).minimize(loss)
    v1.train.Saver()
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        sess.run([tf.gradients(loss, v), step])


def _interactive(lasting):
    sess = v1.InteractiveSession()
    v = v1.get_variable("v", initializer=1.0)
    sess.run(v.initializer)
    sess.close()


def _template(lasting):
    template = v1.make_template("t", lambda: v1.get_variable("w", initializer=1.0))
    template()
    template()


def _scope(lasting):
    with v1.variable_scope("a"), v1.variable_scope("b", reuse=v1.AUTO_REUSE):
        v1.get_variable("v", initializer=1.0)


def _capturing(lasting):
    lasting.held = _placeholder()
    lasting.reader()
    lasting.held = None


IN_A_GRAPH = {
    "get_variable": lambda lasting: v1.get_variable("v", initializer=1.0),
    "layers": lambda lasting: v1.layers.dense(_placeholder(), 4),
    "keras": lambda lasting: keras.Sequential([keras.layers.Dense(2)])(_placeholder()),
    "global step": lambda lasting: v1.train.get_or_create_global_step(),
    "averages": lambda lasting: v1.train.ExponentialMovingAverage(0.9).apply([v1.get_variable("v", initializer=1.0)]),
    "an eager variable": lambda lasting: lasting.variable * 2.0,
    "an eager variable assigned": lambda lasting: lasting.variable.assign_add(2.0),
    "an eager generator": lambda lasting: lasting.generator.normal([2]),
    "a function": lambda lasting: lasting.inner(1.0),
    "a function that captures": _capturing,
    "scopes": _scope,
    "templates": _template,
    "sessions": _session,
    "interactive sessions": _interactive,
}


@pytest.mark.parametrize("use", IN_A_GRAPH.values(), ids=IN_A_GRAPH)
def test_a_graph_goes(use):
    lasting = Lasting()
    graph = tf.Graph()
    gone = weakref.ref(graph)
    with graph.as_default():
        use(lasting)
    del graph
    gc.collect()
    assert gone() is None


def _function(lasting):
    function = tf.function(lambda x: x * lasting.variable + lasting.generator.normal([]))
    function(tf.constant(1.0))
    function(tf.constant([1.0]))
    return function


def _loop(lasting):
    @tf.function
    def function(x):
        for _ in tf.range(3):
            x = x * lasting.variable
        if x > 0.0:
            x = x + 1.0
        return tf.gradients(x, lasting.variable)[0]

    function(tf.constant(1.0))
    return function


def _step(lasting):
    @tf.function
    def function():
        with tf.GradientTape() as tape:
            y = lasting.variable * lasting.variable
        lasting.optimizer.apply([tape.gradient(y, lasting.variable)], [lasting.variable])

    lasting.optimizer.build([lasting.variable])
    function()
    return function


def _methods(lasting):
    module = Branching()
    module.straight(tf.constant(1.0))
    module.converted(tf.constant(1.0))
    return module


def _concrete(lasting):
    return _function(lasting).get_concrete_function(tf.constant(1.0))


def _model(lasting):
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(2,))])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((4, 2)), np.ones((4, 2)), verbose=0)
    model.predict(np.ones((4, 2)), verbose=0)
    return model


def _tape(lasting):
    with tf.GradientTape(persistent=True) as tape:
        y = lasting.variable * lasting.variable
    tape.gradient(y, lasting.variable)
    return tape


def _accumulator(lasting):
    with tf.autodiff.ForwardAccumulator(lasting.variable, tf.constant(1.0)) as accumulator:
        lasting.variable * lasting.variable
    return accumulator


def _optimizer(lasting):
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.minimize(lambda: lasting.variable * lasting.variable, [lasting.variable])
    return optimizer


def _argument(lasting):
    module = Branching()
    lasting.applied(module, tf.constant(1.0))
    return module


MADE = [_function, _concrete, _loop, _step, _methods, _model, _tape, _accumulator, _optimizer, _argument]


@pytest.mark.parametrize("make", MADE, ids=lambda f: f.__name__[1:])
def test_what_is_made_goes(make):
    lasting = Lasting()
    make(lasting)  # what is made once, and stays
    gc.collect()
    before = sum(isinstance(o, Graph) for o in gc.get_objects())
    gone = weakref.ref(make(lasting))
    gc.collect()
    assert gone() is None
    assert sum(isinstance(o, Graph) for o in gc.get_objects()) <= before


def test_methods_keep_their_traces_as_long_as_the_instance_lives():
    module = Branching()
    for method in (module.straight, module.converted):
        assert [float(method(tf.constant(x))) for x in (2.0, 3.0)] == [2.0, 3.0]
    assert module.straight.experimental_get_tracing_count() == 1
    module.v.assign(5.0)
    assert float(module.converted(tf.constant(2.0))) == 10.0


def _converted(x):
    if tf.reduce_sum(x) > 0.0:
        return x * 2.0
    return x


def _by_tape(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.gradient(y, x)


def _called_back(x):
    return tf.numpy_function(lambda a: a * 2.0, [x], tf.float64)


@pytest.mark.parametrize("executor", ["numpy", "xla", "auto"])
@pytest.mark.parametrize("kind", [_converted, _by_tape, _called_back])
def test_a_trace_keeps_no_array_of_its_calls(kind, executor):
    if executor == "xla":
        pytest.importorskip("jax")
    before = tf.config.get_executor()
    tf.config.set_executor(executor)
    try:
        function = tf.function(kind)
        array, tensor = np.ones(50), tf.constant(np.ones(50))
        function(array), function(tensor)
        trace = function.get_concrete_function(tensor)
        assert trace.structured_input_signature == ((tf.TensorSpec([50], tf.float64, "x"),), {})
        gone = [weakref.ref(array), weakref.ref(tensor), weakref.ref(tensor.array)]
        del array, tensor
        gc.collect()
        assert [g() for g in gone] == [None] * 3
    finally:
        tf.config.set_executor(before)


def test_a_function_keeps_no_graph_in_which_it_was_first_traced():
    inner = tf.function(lambda x: x * 2.0)
    outer = tf.function(lambda x: inner(x) + 1.0)
    gone = weakref.ref(outer.get_concrete_function(tf.constant(1.0)).graph)
    del outer
    gc.collect()
    assert gone() is None and len(inner._traces) == 1
