"""Concrete functions: a call is with all arguments, those that are no tensors as they were traced, or with the tensors alone.

What is accepted, and what is not, is what TensorFlow 2.21 accepts.
"""

import gc
import weakref

import pytest

import wengert as tf


def _concrete():
    @tf.function
    def f(a, b=1, *, c=3.0):
        return a * b + c

    return f.get_concrete_function(tf.constant(1.0), 2)


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [((5.0,), {}), ((), {"a": 5.0}), ((5.0, 2), {"c": 3.0}), ((), {"a": 5.0, "b": 2, "c": 3.0})],
)
def test_a_trace_takes_all_arguments_or_its_tensors(arguments, keywords):
    arguments = [tf.constant(v) if isinstance(v, float) else v for v in arguments]
    keywords = {k: tf.constant(v) if k == "a" else v for k, v in keywords.items()}
    assert _concrete()(*arguments, **keywords).numpy() == 13.0


@pytest.mark.parametrize(
    ("arguments", "keywords", "why"),
    [
        ((1.0, 3), {"c": 3.0}, "traced with 2, and is called with 3"),
        ((1.0,), {"b": 3, "c": 3.0}, "traced with 2, and is called with 3"),
        ((1.0, 2), {"c": 4.0}, "traced with 3.0, and is called with 4.0"),
        ((1.0, 2.0), {"c": 3.0}, "traced with 2, and is called with 2.0"),
        ((1.0, True), {"c": 3.0}, "traced with 2, and is called with True"),
        ((1.0, 2), {}, "missing a required argument: 'c'"),
        ((1.0,), {"b": 3}, "missing a required argument: 'c'.*no tensor 'b'"),
        ((1.0,), {"c": 4.0}, "missing a required argument: 'b'"),
        ((1.0, 2, 3), {}, "too many positional arguments"),
        ((), {}, "missing a required argument: 'a'.*tensors a are missing"),
        ((1.0,), {"z": 1}, "no tensor 'z'"),
        ((1.0,), {"a": 1.0}, "multiple values.*given twice|given twice"),
    ],
    ids=repr,
)
def test_a_trace_refuses_what_it_was_not_traced_with(arguments, keywords, why):
    tensors = [tf.constant(v) if isinstance(v, float) and i == 0 else v for i, v in enumerate(arguments)]
    keywords = {k: tf.constant(v) if k == "a" else v for k, v in keywords.items()}
    with pytest.raises(TypeError, match=why):
        _concrete()(*tensors, **keywords)


def test_a_trace_takes_tensors_by_their_names():
    two = tf.function(lambda x, y: x - y).get_concrete_function(tf.constant(0.0), tf.constant(0.0))
    x, y = tf.constant(5.0), tf.constant(1.0)
    assert [float(v) for v in (two(x, y), two(y=y, x=x), two(x, y=y))] == [4.0] * 3


def test_a_trace_of_structures_methods_and_objects():
    @tf.function
    def f(d, flag):
        return d["x"] + d["y"][0] * 2.0 if flag else d["x"]

    t = tf.constant(1.0)
    nested = f.get_concrete_function({"x": t, "y": [3.0]}, True)
    assert [float(v) for v in (nested({"x": t, "y": [3.0]}, True), nested(t))] == [7.0] * 2
    for d, flag in (({"x": t, "y": [4.0]}, True), ({"x": t, "y": [3.0]}, False), ({"x": t}, True), ({"x": t, "y": (t, t)}, True)):
        with pytest.raises(TypeError, match="traced"):
            nested(d, flag)

    class Thing:
        @tf.function
        def scaled(self, x, k=2):
            return x * k

    thing = Thing()
    scaled = thing.scaled.get_concrete_function(t)
    assert [float(v) for v in (scaled(t), scaled(t, 2), scaled(t, k=2))] == [2.0] * 3
    with pytest.raises(TypeError, match="traced with 2, and is called with 3"):
        scaled(t, 3)
    other = tf.function(lambda a, o: a).get_concrete_function(t, thing)
    assert float(other(t, thing)) == float(other(t)) == 1.0
    with pytest.raises(TypeError, match="traced"):
        other(t, Thing())


def test_a_trace_describes_its_arguments_without_holding_them():
    f = tf.function(lambda a, b: a * b)
    t = tf.constant(1.0)
    (a, b), _ = f.get_concrete_function(t, 2).structured_input_signature
    assert (a, b) == (tf.TensorSpec((), "float32", "a"), 2)
    gone = weakref.ref(t)
    del t
    gc.collect()
    assert gone() is None
