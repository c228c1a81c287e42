"""Strings inside functions: TensorFlow 2.21's values, at once and traced."""

import pytest

import wengert as tf

# What is called, its values, and its dtype: TensorFlow's, for a = ["one", "three"] and b = ["X", "YZ"].
CASES = {
    "join": (lambda a, b: tf.strings.join([a, b], separator="-"), [b"one-X", b"three-YZ"], tf.string),
    "join with a scalar": (lambda a, b: tf.strings.join(["k", a]), [b"kone", b"kthree"], tf.string),
    "length": (lambda a, b: tf.strings.length(a), [3, 5], tf.int32),
    "upper": (lambda a, b: tf.strings.upper(a), [b"ONE", b"THREE"], tf.string),
    "lower": (lambda a, b: tf.strings.lower(b), [b"x", b"yz"], tf.string),
    "as_string": (lambda a, b: tf.strings.as_string(tf.strings.length(b)), [b"1", b"2"], tf.string),
    "regex_replace": (lambda a, b: tf.strings.regex_replace(a, "e", "E"), [b"onE", b"thrEE"], tf.string),
    "strip": (lambda a, b: tf.strings.strip(tf.strings.join([" ", a, " "])), [b"one", b"three"], tf.string),
}


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "traced"])
@pytest.mark.parametrize("name", CASES)
def test_values(name, wrap):
    call, values, dtype = CASES[name]
    found = wrap(call)(tf.constant(["one", "three"]), tf.constant(["X", "YZ"]))
    assert found.dtype == dtype and found.shape == (2,)
    assert found.numpy().tolist() == values


def test_a_traced_number_read_from_text_and_a_trace_that_runs_again():
    read = tf.function(lambda a: tf.strings.to_number(tf.strings.join(["1.", a])))
    assert [float(read(tf.constant(t))) for t in ("5", "25")] == [1.5, 1.25]
