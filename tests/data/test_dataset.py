"""What each method gives: the elements, what is known of them, and how many there are, as TensorFlow 2.21 has them."""

import collections

import numpy as np
import pytest

import wengert as tf

D = tf.data.Dataset
Pair = collections.namedtuple("Pair", "x y")


def listed(dataset):
    return [tf.nest.map_structure(plain, e) for e in dataset.as_numpy_iterator()]


def plain(leaf):
    return leaf if isinstance(leaf, bytes) else leaf.tolist()


def ragged(stop=4):
    return D.range(1, stop).map(lambda x: tf.fill([x], x))


ELEMENTS = {
    "range": (lambda: D.range(2, 9, 3), [2, 5, 8], 3),
    "range down": (lambda: D.range(5, 1, -2), [5, 3], 2),
    "range dtype": (lambda: D.range(2, output_type=tf.float32), [0.0, 1.0], 2),
    "from_tensors": (lambda: D.from_tensors(([1, 2], {"a": 3.0})), [([1, 2], {"a": 3.0})], 1),
    "rows": (lambda: D.from_tensor_slices(([1, 2], [[3.0], [4.0]])), [(1, [3.0]), (2, [4.0])], 2),
    "rows of dict": (lambda: D.from_tensor_slices({"b": [1, 2], "a": [3, 4]}), [{"b": 1, "a": 3}, {"b": 2, "a": 4}], 2),
    "rows of list": (lambda: D.from_tensor_slices([[1, 2], [3, 4]]), [[1, 2], [3, 4]], 2),
    "text": (lambda: D.from_tensor_slices(["a", "b"]), [b"a", b"b"], 2),
    "counter": (lambda: D.counter(1, 2).take(3), [1, 3, 5], 3),
    "batch": (lambda: D.range(7).batch(3), [[0, 1, 2], [3, 4, 5], [6]], 3),
    "batch whole": (lambda: D.range(7).batch(3, drop_remainder=True), [[0, 1, 2], [3, 4, 5]], 2),
    "batch text": (lambda: D.from_tensor_slices(["a", "b", "c"]).batch(2), [[b"a", b"b"], [b"c"]], 2),
    "padded": (lambda: ragged().padded_batch(2), [[[1, 0], [2, 2]], [[3, 3, 3]]], 2),
    "padded to": (
        lambda: ragged().padded_batch(2, padded_shapes=[4], padding_values=np.int64(-1)),
        [[[1, -1, -1, -1], [2, 2, -1, -1]], [[3, 3, 3, -1]]],
        2,
    ),
    "padded tuple": (
        lambda: ragged().map(lambda x: (x, x[0])).padded_batch(2, ([None], []), (np.int64(7), np.int64(0))),
        [([[1, 7], [2, 2]], [1, 2]), ([[3, 3, 3]], [3])],
        2,
    ),
    "unbatch": (lambda: D.from_tensors([[1, 2], [3, 4]]).unbatch(), [[1, 2], [3, 4]], 2),
    "unbatch unknown": (lambda: D.range(5).batch(2).unbatch(), [0, 1, 2, 3, 4], -2),
    "rebatch": (lambda: D.range(8).batch(4).rebatch(3), [[0, 1, 2], [3, 4, 5], [6, 7]], -2),
    "map": (lambda: D.range(3).map(lambda x: (x, {"a": 2 * x})), [(0, {"a": 0}), (1, {"a": 2}), (2, {"a": 4})], 3),
    "map list": (lambda: D.range(2).map(lambda x: [x, x + 1]), [(0, 1), (1, 2)], 2),
    "map several": (lambda: D.zip((D.range(3), D.range(4, 7))).map(lambda a, b: a * b), [0, 5, 12], 3),
    "map dict": (lambda: D.from_tensor_slices({"a": [1, 2]}).map(lambda d: d["a"] + 1), [2, 3], 2),
    "map text": (lambda: D.from_tensor_slices(["a", "b"]).map(lambda s: s + "!"), [b"a!", b"b!"], 2),
    "map branch": (lambda: D.range(4).map(lambda x: x if x > 2 else -x), [0, -1, -2, 3], 4),
    "filter": (lambda: D.range(6).filter(lambda x: x % 2 == 0), [0, 2, 4], -2),
    "filter pairs": (lambda: D.zip(D.range(3), D.range(3)).filter(lambda a, b: a > 0), [(1, 1), (2, 2)], -2),
    "take_while": (lambda: D.range(9).take_while(lambda x: x < 3), [0, 1, 2], -2),
    "flat_map": (lambda: D.range(4).flat_map(lambda x: D.range(x)), [0, 0, 1, 0, 1, 2], -2),
    "flat_map within": (lambda: D.range(3).flat_map(lambda x: D.range(2).map(lambda y: 10 * x + y)), [0, 1, 10, 11, 20, 21], -2),
    "interleave": (
        lambda: D.range(1, 5).interleave(lambda x: D.from_tensors(x).repeat(3), cycle_length=2, block_length=2),
        [1, 1, 2, 2, 1, 2, 3, 3, 4, 4, 3, 4],
        -2,
    ),
    "interleave uneven": (
        lambda: D.range(1, 6).interleave(lambda x: D.from_tensors(x).repeat(x), cycle_length=3, block_length=2),
        [1, 2, 2, 3, 3, 4, 4, 3, 4, 4, 5, 5, 5, 5, 5],
        -2,
    ),
    "interleave alone": (lambda: D.range(1, 4).interleave(lambda x: D.from_tensors(x).repeat(x)), [1, 2, 2, 3, 3, 3], -2),
    "window": (lambda: D.range(7).window(3).flat_map(lambda w: w.batch(3)), [[0, 1, 2], [3, 4, 5], [6]], -2),
    "window stride": (
        lambda: D.range(7).window(3, 1, 2, True).flat_map(lambda w: w.batch(3)),
        [[0, 2, 4], [1, 3, 5], [2, 4, 6]],
        -2,
    ),
    "window overlap": (
        lambda: D.range(7).window(3, 2).flat_map(lambda w: w.batch(3)),
        [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6]],
        -2,
    ),
    "window apart": (lambda: D.range(7).window(2, 3).flat_map(lambda w: w.batch(2)), [[0, 1], [3, 4], [6]], -2),
    "window pairs": (
        lambda: D.zip(D.range(4), D.range(4, 8)).window(2).flat_map(lambda a, b: D.zip(a.batch(2), b.batch(2))),
        [([0, 1], [4, 5]), ([2, 3], [6, 7])],
        -2,
    ),
    "repeat": (lambda: D.range(2).repeat(2), [0, 1, 0, 1], 4),
    "repeat none": (lambda: D.range(2).repeat(0), [], 0),
    "repeat empty": (lambda: D.range(0).repeat(), [], 0),
    "repeat endless": (lambda: D.range(2).repeat().take(5), [0, 1, 0, 1, 0], 5),
    "take all": (lambda: D.range(3).take(-1), [0, 1, 2], 3),
    "skip": (lambda: D.range(5).skip(2), [2, 3, 4], 3),
    "skip all": (lambda: D.range(5).skip(-1), [], 0),
    "shard": (lambda: D.range(10).shard(3, 1), [1, 4, 7], 3),
    "concatenate": (lambda: D.range(2).concatenate(D.range(3)), [0, 1, 0, 1, 2], 5),
    "zip": (lambda: D.zip((D.range(3), (D.range(2), D.range(4)))), [(0, (0, 0)), (1, (1, 1))], 2),
    "zip dict": (lambda: D.zip({"a": D.range(2)}), [{"a": 0}, {"a": 1}], 2),
    "enumerate": (lambda: D.from_tensor_slices(["a", "b"]).enumerate(5), [(5, b"a"), (6, b"b")], 2),
    "scan": (lambda: D.range(5).scan(np.int64(0), lambda s, x: (s + x, s * x)), [0, 0, 2, 9, 24], 5),
    "cache": (lambda: D.range(2).cache().prefetch(tf.data.AUTOTUNE), [0, 1], 2),
    "apply": (lambda: D.range(9).apply(lambda d: d.take(2)), [0, 1], 2),
    "unique": (lambda: D.from_tensor_slices([1, 37, 2, 37, 2, 1]).unique(), [1, 37, 2], -2),
    "groups": (
        lambda: D.range(10).group_by_window(lambda x: x % 2, lambda k, d: d.batch(3), window_size=3),
        [[0, 2, 4], [1, 3, 5], [6, 8], [7, 9]],
        -2,
    ),
    "buckets": (
        lambda: ragged(6).bucket_by_sequence_length(lambda e: tf.shape(e)[0], [3, 5], [2, 2, 2]),
        [[[1, 0], [2, 2]], [[3, 3, 3, 0], [4, 4, 4, 4]], [[5, 5, 5, 5, 5]]],
        -2,
    ),
    "choose": (
        lambda: D.choose_from_datasets([D.from_tensors(0).repeat(), D.from_tensors(1).repeat()], D.range(2).repeat(2)),
        [0, 1, 0, 1],
        -2,
    ),
    "generator": (lambda: D.from_generator(lambda n: iter(range(n)), args=[3], output_types=tf.int64), [0, 1, 2], -2),
    "generator pairs": (
        lambda: D.from_generator(lambda: iter([(1, [2.0])]), (tf.int32, tf.float32), ([], [1])),
        [(1, [2.0])],
        -2,
    ),
    "ignore_errors": (
        lambda: D.range(4).map(lambda x: tf.debugging.check_numerics(1.0 / tf.cast(x % 2, tf.float32), "")).ignore_errors(),
        [1.0, 1.0],
        -2,
    ),
    "parallel": (lambda: D.range(3).map(lambda x: x, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False), [0, 1, 2], 3),
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTS)
def test_elements(name):
    make, wanted, count = ELEMENTS[name]
    dataset = make()
    for _ in range(2):  # a dataset can be read again
        assert listed(dataset) == wanted
    assert int(dataset.cardinality()) == count
    if count >= 0:
        assert len(dataset) == count
    for element in dataset:
        tf.nest.map_structure(fits, element, dataset.element_spec)


def fits(tensor, spec):
    assert spec.is_compatible_with(tensor)


SPECS = {
    "TensorSpec(shape=(), dtype=tf.int64, name=None)": lambda: D.range(3),
    "TensorSpec(shape=(None,), dtype=tf.int64, name=None)": lambda: D.range(3).batch(2),
    "TensorSpec(shape=(2,), dtype=tf.int64, name=None)": lambda: D.range(3).batch(2, drop_remainder=True),
    "TensorSpec(shape=(None, 4), dtype=tf.int64, name=None)": lambda: ragged().padded_batch(2, [4]),
    "TensorSpec(shape=<unknown>, dtype=tf.int32, name=None)": lambda: D.from_generator(lambda: iter([1]), output_types=tf.int32),
    "TensorSpec(shape=(), dtype=tf.float32, name=None)": lambda: D.range(3).map(lambda x: 1.5),
    "TensorSpec(shape=(2,), dtype=tf.float64, name=None)": lambda: D.range(3).map(lambda x: np.ones(2)),
    "TensorSpec(shape=(None,), dtype=tf.int32, name=None)": lambda: D.from_tensors([1, 2]).concatenate(D.from_tensors([1])),
    "DatasetSpec(TensorSpec(shape=(), dtype=tf.int64, name=None), TensorShape([]))": lambda: D.range(3).window(2),
    "(TensorSpec(shape=(), dtype=tf.int32, name=None), NoneTensorSpec())": lambda: D.from_tensor_slices(([1, 2], None)),
}  # fmt: skip


@pytest.mark.parametrize("text", SPECS)
def test_element_spec(text):
    assert repr(SPECS[text]().element_spec) == text


KINDS = {
    "_RangeDataset": lambda: D.range(2),
    "_TensorSliceDataset": lambda: D.from_tensor_slices(np.arange(2)),
    "_BatchDataset": lambda: D.range(2).map(lambda x: x[tf.newaxis]).unbatch().batch(1).batch(1).unbatch().unbatch().batch(2),
    "_MapDataset": lambda: D.range(2).map(lambda x: x),
    "_OptionsDataset": lambda: D.range(2).with_options(tf.data.Options()),
    "CacheDataset": lambda: D.range(2).cache(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_shows_as_tensorflow_does(kind):
    dataset = KINDS[kind]()
    assert repr(dataset) == f"<{kind} element_spec={dataset.element_spec!r}>"
    assert isinstance(dataset, tf.data.Dataset) and bool(dataset)


def test_structures_are_kept():
    dataset = D.from_tensor_slices(Pair([1, 2], [3, 4]))
    element = next(iter(dataset))
    assert isinstance(element, Pair) and int(element.y) == 3
    # A namedtuple is one argument, a tuple is several.
    assert listed(dataset.map(lambda p: p.x + p.y)) == [4, 6]
    x, nothing = next(iter(D.from_tensor_slices(([1, 2], None)).batch(2)))
    assert x.numpy().tolist() == [1, 2] and nothing is None


def test_windows_are_datasets():
    windows = list(D.range(5).window(2))
    assert all(isinstance(w, tf.data.Dataset) for w in windows)
    assert [listed(w) for w in windows] == [[0, 1], [2, 3], [4]]
    assert [listed(d) for d in D.range(3).map(lambda x: D.range(x))] == [[], [0], [0, 1]]


def test_reduce_and_a_single_element():
    total, count = D.range(5).reduce((np.int64(0), 0.0), lambda s, x: (s[0] + x, s[1] + 1))
    assert (int(total), float(count)) == (10, 5.0)
    rows = D.range(3).reduce(tf.zeros([0], tf.int64), lambda s, x: tf.concat([s, x[tf.newaxis]], 0))
    assert rows.numpy().tolist() == [0, 1, 2]
    assert int(D.from_tensors(3).get_single_element()) == 3


def test_nothing_is_computed_before_it_is_asked_for():
    read = []

    def count():
        for i in range(100):
            read.append(i)
            yield i

    dataset = D.from_generator(count, output_signature=tf.TensorSpec([], tf.int32)).map(lambda x: 2 * x).batch(2).prefetch(5)
    assert not read
    iterator = iter(dataset)
    assert next(iterator).numpy().tolist() == [0, 2]
    assert read == [0, 1]


def test_the_source_is_copied_once_and_read_in_rows():
    array = np.arange(4.0)
    dataset = D.from_tensor_slices(array)
    array[:] = 0.0
    first = next(dataset.as_numpy_iterator())
    assert listed(dataset) == [0.0, 1.0, 2.0, 3.0] and first == 0.0
    rows = D.from_tensor_slices(np.zeros((2, 2)))
    for row in rows.as_numpy_iterator():
        row += 1.0
    assert listed(rows) == [[0.0, 0.0], [0.0, 0.0]]


def test_a_cache_is_filled_by_a_whole_pass():
    read = []

    def count():
        for i in range(3):
            read.append(i)
            yield i

    dataset = D.from_generator(count, output_types=tf.int32).cache()
    next(iter(dataset))
    assert listed(dataset) == listed(dataset) == [0, 1, 2]
    assert read == [0, 0, 1, 2]


def test_options_are_kept_and_checked():
    options = tf.data.Options()
    options.deterministic = False
    options.threading.private_threadpool_size = 2
    other = tf.data.Options()
    other.experimental_optimization.map_fusion = True
    found = D.range(2).with_options(options).map(lambda x: x).with_options(other).options()
    assert found.deterministic is False and found.threading.private_threadpool_size == 2
    assert found.experimental_optimization.map_fusion is True
    with pytest.raises(AttributeError, match="Cannot set the property foo"):
        options.foo = 3


def test_a_class_of_datasets():
    class Squares(tf.data.Dataset):
        def __new__(cls, n):
            return tf.data.Dataset.range(n).map(lambda x: x * x)

    assert listed(Squares(4)) == [0, 1, 4, 9]


def test_lines_and_files(tmp_path):
    for name, text in {"a.txt": "one\ntwo\r\n", "b.txt": "three"}.items():
        (tmp_path / name).write_text(text, newline="")
    files = D.list_files(str(tmp_path / "*.txt"), shuffle=False)
    assert [n.rpartition(b"/")[2] for n in listed(files)] == [b"a.txt", b"b.txt"]
    assert listed(tf.data.TextLineDataset([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]).map(tf.identity)) == [
        b"one", b"two", b"three"]  # fmt: skip
    with pytest.raises(tf.errors.InvalidArgumentError, match="No files matched"):
        D.list_files(str(tmp_path / "*.csv"))


def test_a_derivative_through_elements():
    w = tf.Variable(2.0)
    points = D.from_tensor_slices(np.array([1.0, 2.0, 3.0, 4.0], np.float32)).batch(2)
    for x in points:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = w * x**3
            slope = inner.gradient(y, x)
        assert np.allclose(slope, 6.0 * x.numpy() ** 2) and np.allclose(outer.gradient(slope, x), 12.0 * x.numpy())


def test_no_derivative_goes_through_a_dataset():
    w = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        (y,) = list(D.from_tensors(2.0).map(lambda x: w * x))
    assert float(y) == 6.0
    with pytest.warns(tf.errors.NoGradientWarning):
        assert tape.gradient(y, w) is None


EXPERIMENTAL = {
    "enumerate": (lambda e: D.range(2).apply(e.enumerate_dataset(1)), [(1, 0), (2, 1)]),
    "unbatch": (lambda e: D.range(4).batch(2).apply(e.unbatch()), [0, 1, 2, 3]),
    "unique": (lambda e: D.from_tensor_slices([1, 1]).apply(e.unique()), [1]),
    "scan": (lambda e: D.range(3).apply(e.scan(np.int64(1), lambda s, x: (s * 2, s + x))), [1, 3, 6]),
    "take_while": (lambda e: D.range(5).apply(e.take_while(lambda x: x < 2)), [0, 1]),
    "map_and_batch": (lambda e: D.range(3).apply(e.map_and_batch(lambda x: x + 1, 2)), [[1, 2], [3]]),
    "assert": (lambda e: D.range(3).filter(lambda x: x > 0).apply(e.assert_cardinality(2)), [1, 2]),
    "from_list": (lambda e: e.from_list([(1, "a"), (2, "b")]), [(1, b"a"), (2, b"b")]),
    "groups": (
        lambda e: D.range(4).apply(e.group_by_window(lambda x: x % 2, lambda k, d: d.batch(2), 2)), [[0, 2], [1, 3]]),
    "choose": (lambda e: e.choose_from_datasets([D.range(2), D.range(5, 7)], D.from_tensor_slices(np.int64([1, 0]))), [5, 0]),
    "counter": (lambda e: e.Counter(3).take(2), [3, 4]),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPERIMENTAL)
def test_experimental(name):
    make, wanted = EXPERIMENTAL[name]
    assert listed(make(tf.data.experimental)) == wanted


def test_an_asserted_cardinality_is_checked():
    dataset = D.range(3).apply(tf.data.experimental.assert_cardinality(2))
    assert len(dataset) == 2
    with pytest.raises(tf.errors.FailedPreconditionError, match="expected to contain 2 elements"):
        list(dataset)
