"""Errors: TensorFlow 2.21's classes, at the user's line where there is one."""

import numpy as np
import pytest

import wengert as tf

D = tf.data.Dataset
INT = tf.TensorSpec([], tf.int32)


def ragged():
    return D.range(1, 4).map(lambda x: tf.fill([x], x))


def boom():
    yield 1
    raise KeyError("boom")


WHEN_MADE = {
    "range by 0": (lambda: D.range(1, 5, 0), tf.errors.InvalidArgumentError, "non-zero"),
    "range of none": (lambda: D.range(), ValueError, "one to three"),
    "rows of a number": (lambda: D.from_tensor_slices(3), ValueError, "rank >= 1"),
    "rows of nothing": (lambda: D.from_tensor_slices(()), ValueError, "should not be empty"),
    "rows differ": (lambda: D.from_tensor_slices(([1, 2], [3])), ValueError, "Dimensions 2 and 1 are not compatible"),
    "batch of 0": (lambda: D.range(3).batch(0), tf.errors.InvalidArgumentError, "greater than zero"),
    "batch of 2.5": (lambda: D.range(3).batch(2.5), TypeError, "batch_size must be a whole number"),
    "batch of windows": (lambda: D.range(3).window(2).batch(2), tf.errors.UnimplementedError, "flat_map"),
    "padded of unknown": (
        lambda: D.from_generator(lambda: iter([[1]]), output_types=tf.int32).padded_batch(2), ValueError, "padded_shapes"),
    "padding of another dtype": (lambda: ragged().padded_batch(2, [None], tf.constant(0.0)), TypeError, "Mismatched type"),
    "unbatch numbers": (lambda: D.range(3).unbatch(), ValueError, "scalar components"),
    "window of 0": (lambda: D.range(3).window(0), tf.errors.InvalidArgumentError, "Window size"),
    "map to nothing": (lambda: D.range(3).map(lambda x: None), tf.errors.InvalidArgumentError, "must return something"),
    "map of wrong arity": (lambda: D.zip(D.range(2), D.range(2)).map(lambda a: a), TypeError, "2 were given"),
    "map what is no function": (lambda: D.range(2).map(3), TypeError, "callable"),
    "filter by numbers": (lambda: D.range(3).filter(lambda x: x), ValueError, "tf.bool"),
    "flat_map to no dataset": (lambda: D.range(3).flat_map(lambda x: x), TypeError, "tf.data.Dataset"),
    "shuffle 0": (lambda: D.range(3).shuffle(0), tf.errors.InvalidArgumentError, "buffer_size must be greater"),
    "shard 3 of 3": (lambda: D.range(3).shard(3, 3), tf.errors.InvalidArgumentError, "between 0 and 2"),
    "concatenate others": (lambda: D.range(2).concatenate(D.from_tensors(1.0)), TypeError, "Incompatible dataset elements"),
    "zip a list": (lambda: D.zip([D.range(2), D.range(3)]), TypeError, "`list` is not supported"),
    "reduce to others": (lambda: D.range(3).reduce(np.int64(0), lambda s, x: 1.5), TypeError, "initial state"),
    "scan without a pair": (lambda: D.range(3).scan(np.int64(0), lambda s, x: s), TypeError, "pair"),
    "apply to no dataset": (lambda: D.range(3).apply(lambda d: 3), TypeError, "must return a `tf.data.Dataset`"),
    "generator of nothing known": (lambda: D.from_generator(lambda: iter([1])), TypeError, "output signature"),
    "generator no function": (lambda: D.from_generator([1], output_types=tf.int32), TypeError, "Python callable"),
    "no length": (lambda: len(D.range(3).filter(lambda x: x > 1)), TypeError, "The dataset length is unknown"),
    "endless": (lambda: len(D.range(3).repeat()), TypeError, "The dataset is infinite"),
    "no index": (lambda: D.range(3)[0], TypeError, "not subscriptable"),
    "windows as arrays": (lambda: D.range(3).window(2).as_numpy_iterator(), TypeError, "not supported for datasets"),
    "two single elements": (lambda: D.range(3).get_single_element(), tf.errors.InvalidArgumentError, "more than one element"),
    "no single element": (lambda: D.range(0).get_single_element(), tf.errors.InvalidArgumentError, "was empty"),
    "a missing name": (lambda: tf.data.TFRecordDataset, AttributeError, "TFRecordDataset"),
}  # fmt: skip

WHEN_READ = {
    "batch of shapes": (lambda: ragged().batch(2), tf.errors.InvalidArgumentError, r"element 1 had shape \[2\]"),
    "padded too short": (lambda: ragged().padded_batch(2, padded_shapes=[1]), tf.errors.DataLossError, "smaller size"),
    "generator's dtype": (
        lambda: D.from_generator(lambda: iter(["a"]), output_signature=INT), tf.errors.InvalidArgumentError, "was int32"),
    "generator's shape": (
        lambda: D.from_generator(lambda: iter([[1, 2]]), output_signature=tf.TensorSpec([3], tf.int32)),
        tf.errors.InvalidArgumentError, r"shape \(2,\) where"),
    "generator's structure": (
        lambda: D.from_generator(lambda: iter([(1, 2, 3)]), output_signature=(INT, INT)),
        tf.errors.InvalidArgumentError, "expected structure"),
    "generator's error": (lambda: D.from_generator(boom, output_signature=INT), tf.errors.UnknownError, "KeyError: 'boom'"),
    "generator of no iterator": (
        lambda: D.from_generator(lambda: 3, output_signature=INT), tf.errors.InvalidArgumentError, "not iterable"),
    "in a function": (
        lambda: D.range(3).map(lambda x: tf.debugging.check_numerics(1.0 / tf.cast(x, tf.float32), "bad")),
        tf.errors.InvalidArgumentError, "bad.*test_errors.py"),
}  # fmt: skip


@pytest.mark.parametrize("name", WHEN_MADE)
def test_when_it_is_made(name):
    make, kind, text = WHEN_MADE[name]
    with pytest.raises(kind, match=text):
        make()


@pytest.mark.parametrize("name", WHEN_READ)
def test_when_it_is_read(name):
    make, kind, text = WHEN_READ[name]
    dataset = make()
    with pytest.raises(kind, match=f"(?s){text}"):
        list(dataset)


def test_after_an_error_it_goes_on_with_the_next_element():
    inverse = D.range(4).map(lambda x: tf.debugging.check_numerics(1.0 / tf.cast(x % 2, tf.float32), "bad"))
    iterator = iter(inverse)
    found = []
    for _ in range(4):
        try:
            found.append(float(next(iterator)))
        except tf.errors.InvalidArgumentError:
            found.append(None)
    assert found == [None, 1.0, None, 1.0]
    with pytest.raises(StopIteration):
        next(iterator)


def test_the_error_of_a_generator_has_its_cause():
    with pytest.raises(tf.errors.UnknownError) as caught:
        list(D.from_generator(boom, output_signature=INT))
    assert isinstance(caught.value.__cause__, KeyError)
