"""Checkpoints of objects: what is made later gets its saved value, and what could not be restored is said.

What TensorFlow 2.21 does in these programs is what is right here, unless a test says otherwise.
"""

import gc
import json
import logging
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.modes import variable as state
from wengert.train import files

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def nothing_waits():
    yield
    gc.collect()
    assert not state.awaited


@pytest.fixture
def told(caplog):
    """Return what was said in warnings since the last time."""
    caplog.set_level(logging.WARNING, "wengert")

    def texts() -> str:
        gc.collect()
        text = "\n".join(r.getMessage() for r in caplog.records)
        caplog.clear()
        return text

    return texts


class Lazy(tf.Module):
    """Makes its variable when it is first called."""

    def __init__(self, size: int = 2):
        super().__init__()
        self.size, self.w = size, None

    def __call__(self, x):
        if self.w is None:
            self.w = tf.Variable(tf.zeros([self.size]))
        return x * self.w


def saved(tmp_path: Path, **objects) -> str:
    return tf.train.Checkpoint(**objects).write(str(tmp_path / "saved"))


def lazy_saved(tmp_path: Path, **more) -> str:
    one = Lazy()
    one(1.0)
    one.w.assign([3.0, 4.0])
    return saved(tmp_path, model=one, **more)


# --- later --------------------------------------------------------------------------------------------------------------


def test_a_variable_made_in_the_first_call(tmp_path: Path):
    two = Lazy()
    status = tf.train.Checkpoint(model=two).restore(lazy_saved(tmp_path))
    with pytest.raises(AssertionError, match="model/w"):
        status.assert_consumed()
    assert two(1.0).numpy().tolist() == [3.0, 4.0]
    status.assert_consumed().assert_existing_objects_matched().assert_nontrivial_match()


def test_a_variable_made_in_the_first_trace(tmp_path: Path):
    two = Lazy()
    status = tf.train.Checkpoint(model=two).restore(lazy_saved(tmp_path))
    f = tf.function(lambda x: two(x))
    assert f(2.0).numpy().tolist() == [6.0, 8.0]
    two.w.assign([1.0, 1.0])
    assert f(2.0).numpy().tolist() == [2.0, 2.0]  # once only
    status.assert_consumed()


def test_the_first_step_starts_from_the_saved_value(tmp_path: Path):
    for how in ("assign_add", "assign"):
        two = Lazy()
        tf.train.Checkpoint(model=two).restore(lazy_saved(tmp_path))
        two.w = tf.Variable([0.0, 0.0])
        getattr(two.w, how)([1.0, 1.0])
        assert two.w.numpy().tolist() == ([4.0, 5.0] if how == "assign_add" else [1.0, 1.0])


def test_lists_and_dictionaries_in_part_and_later(tmp_path: Path):
    one = tf.train.Checkpoint()
    one.listed = [tf.Variable(1.0)]
    one.listed.append(tf.Variable(2.0))
    one.mapped = {"one": one.listed[0], "two": one.listed[1]}
    path = one.write(str(tmp_path / "c"))
    two = tf.train.Checkpoint()
    first, second, third = tf.Variable(0.0), tf.Variable(0.0), tf.Variable(0.0)
    two.mapped = {"two": second}
    status = two.restore(path)
    assert (second.numpy(), first.numpy()) == (2.0, 0.0)
    two.listed = []
    two.listed.append(first)  # made before it was restored
    assert first.numpy() == 1.0
    two.mapped["three"] = third
    assert third.numpy() == 0.0
    status.expect_partial()


def test_nested_at_any_depth(tmp_path: Path):
    def tree(value):
        inner = tf.Module()
        inner.parts = {"a/b.c": [[tf.Variable(value)]]}
        outer = tf.Module()
        outer.stack = (inner, [tf.Variable(value + 1.0)])
        return outer

    path = saved(tmp_path, tree=tree(5.0))
    holder = tf.train.Checkpoint()
    status = holder.restore(path)
    late = tf.Module()
    late.stack = (tf.Module(), [])
    holder.tree = late
    late.stack[0].parts = {}
    late.stack[0].parts["a/b.c"] = []
    late.stack[0].parts["a/b.c"].append([tf.Variable(0.0)])
    late.stack[1].append(tf.Variable(0.0))
    assert (late.stack[0].parts["a/b.c"][0][0].numpy(), late.stack[1][0].numpy()) == (5.0, 6.0)
    status.assert_consumed()


def test_a_checkpoint_that_is_gone_has_left_the_values_with_its_objects(tmp_path: Path, told):
    path = lazy_saved(tmp_path)
    two = Lazy()
    tf.train.Checkpoint(model=two).restore(path)
    root = Lazy()
    tf.train.Checkpoint(root).restore(saved(tmp_path, w=tf.Variable([5.0, 6.0])))
    gc.collect()
    assert two(1.0).numpy().tolist() == [3.0, 4.0]
    assert root(1.0).numpy().tolist() == [5.0, 6.0]
    assert told() == ""


def test_what_is_set_again_is_the_programs(tmp_path: Path):
    two = Lazy()
    tf.train.Checkpoint(model=two).restore(lazy_saved(tmp_path))
    two(1.0)
    assert two.w.numpy().tolist() == [3.0, 4.0]
    two.w = tf.Variable([0.0, 0.0])
    assert two.w.numpy().tolist() == [0.0, 0.0]


def test_the_later_restoration_wins(tmp_path: Path, told):
    early = saved(tmp_path / "1", model=_with_w([1.0, 1.0]))
    late = saved(tmp_path / "2", model=_with_w([2.0, 2.0]))
    two = Lazy()
    for path in (early, late):
        tf.train.Checkpoint(model=two).restore(path)
    assert len(state.awaited) == 1
    assert two(1.0).numpy().tolist() == [2.0, 2.0]
    assert told() == ""


def _with_w(values):
    made = tf.Module()
    made.w = tf.Variable(values)
    return made


def test_lists_that_hold_themselves(tmp_path: Path):
    def knot(value):
        held = [tf.Variable(value)]
        held.append(held)
        return held

    path = saved(tmp_path, knot=knot(2.0))
    other = knot(0.0)
    tf.train.Checkpoint(knot=other).restore(path).assert_existing_objects_matched()
    assert other[0].numpy() == 2.0


def test_layers_that_are_built_in_the_first_call(tmp_path: Path):
    class Net(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = [tf.keras.layers.Dense(3, bias_initializer="ones")]
            self.norm = tf.keras.layers.BatchNormalization()

        def call(self, x):
            return self.norm(self.hidden[0](x))

    x = np.arange(6.0).reshape(3, 2).astype("float32")
    one, two = Net(), Net()
    one(x)
    for weight in one.weights:
        weight.assign(np.random.default_rng(1).uniform(0.5, 1.0, weight.shape))
    status = tf.train.Checkpoint(net=two).restore(saved(tmp_path, net=one))
    np.testing.assert_array_equal(two(x), one(x))
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    status.assert_consumed()


# --- what is said --------------------------------------------------------------------------------------------------------


def test_values_that_nothing_took_are_said_in_the_end(tmp_path: Path, told):
    path = lazy_saved(tmp_path, extra=tf.Variable(5.0))
    two = Lazy()
    status = tf.train.Checkpoint(model=two).restore(path)
    two(1.0)
    with pytest.raises(AssertionError, match="extra"):
        status.assert_consumed()
    status.assert_existing_objects_matched()
    assert told() == ""
    del status
    text = told()
    assert "extra" in text and "model/w" not in text and "expect_partial" in text
    # as long as an object might still take one, nothing is said
    three = Lazy()
    tf.train.Checkpoint(model=three).restore(path)
    assert told() == ""
    del three
    assert "extra, model/w" in told()


def test_nothing_is_said_of_what_was_expected(tmp_path: Path, told):
    status = tf.train.Checkpoint(model=Lazy()).restore(lazy_saved(tmp_path, extra=tf.Variable(5.0))).expect_partial()
    del status
    assert told() == ""


def test_variables_without_a_value_are_named(tmp_path: Path):
    two = Lazy()
    two.other = tf.Variable(1.0)
    status = tf.train.Checkpoint(model=two).restore(lazy_saved(tmp_path))
    with pytest.raises(AssertionError, match=r"no value for model/other"):
        status.assert_existing_objects_matched()
    two(1.0)
    two.third = tf.Variable(2.0)  # it is the truth of now
    with pytest.raises(AssertionError, match=r"model/other.*model/third"):
        status.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="Nothing in the checkpoint"):
        tf.train.Checkpoint(v=tf.Variable(1.0)).read(lazy_saved(tmp_path)).expect_partial().assert_nontrivial_match()


def test_a_value_that_does_not_fit(tmp_path: Path, told):
    path = lazy_saved(tmp_path, v=tf.Variable(7.0))
    two, v = Lazy(3), tf.Variable(0.0)
    two(1.0)
    with pytest.raises(ValueError, match=r"shape \(2,\).*shape \(3,\).*Nothing has been restored"):
        tf.train.Checkpoint(v=v, model=two).restore(path)
    assert v.numpy() == 0.0
    late = Lazy(3)
    status = tf.train.Checkpoint(v=v, model=late).restore(path)
    late.w = tf.Variable([1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"shape \(2,\).*shape \(3,\).*keeps"):
        late.w.numpy()
    assert late.w.numpy().tolist() == [1.0, 1.0, 1.0]  # it has been said
    with pytest.raises(AssertionError, match="model/w"):
        status.assert_existing_objects_matched()
    with pytest.raises(TypeError, match="float32"):
        tf.train.Checkpoint(v=tf.Variable(0.0, dtype=tf.float64)).restore(path)


def test_one_variable_where_the_program_has_two(tmp_path: Path, told):
    v = tf.Variable(3.0)
    path = saved(tmp_path, a=v, b=v)
    a, b = tf.Variable(0.0), tf.Variable(0.0)
    status = tf.train.Checkpoint(a=a, b=b).restore(path)
    assert (a.numpy(), b.numpy()) == (3.0, 0.0)
    assert "two" in told()
    with pytest.raises(AssertionError, match="no value for b"):
        status.assert_existing_objects_matched()


@pytest.mark.parametrize("thing", [3, None, np.ones(2), object(), tf.constant(1.0)], ids=lambda v: type(v).__name__)
def test_what_holds_no_variables_is_refused(thing):
    with pytest.raises(ValueError, match="x to be a trackable object"):
        tf.train.Checkpoint(x=thing)


# --- optimizers ----------------------------------------------------------------------------------------------------------


def steps(optimizer, variables, count=3):
    """Take steps of a loss whose gradients differ by far between the variables."""
    for _ in range(count):
        with tf.GradientTape() as tape:
            loss = tf.add_n([100.0**i * v * v for i, v in enumerate(variables)])
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))


OPTIMIZERS = {
    "keras": lambda: tf.keras.optimizers.Adam(0.1),
    "nadam": lambda: tf.keras.optimizers.Nadam(0.1, use_ema=True),
    "v1": lambda: v1.train.AdamOptimizer(0.1),
    "v1 momentum": lambda: v1.train.MomentumOptimizer(0.01, 0.9),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("early", [False, True], ids=["before the slots are made", "after"])
def test_slots_belong_to_their_variables(make, early, tmp_path: Path):
    a, b, optimizer = tf.Variable(1.0), tf.Variable(2.0), make()
    steps(optimizer, [a, b])
    path = saved(tmp_path, a=a, b=b, optimizer=optimizer)
    steps(optimizer, [a, b])
    c, d, other = tf.Variable(0.0), tf.Variable(0.0), make()
    if early:
        steps(other, [d, c], 1)
    status = tf.train.Checkpoint(a=c, b=d, optimizer=other).restore(path)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = c * c + 100.0 * d * d
        other.apply_gradients(zip(tape.gradient(loss, [d, c]), [d, c], strict=True))  # in another order
    np.testing.assert_allclose([c.numpy(), d.numpy()], [a.numpy(), b.numpy()], rtol=1e-6)
    status.assert_consumed()


def test_an_optimizer_alone_goes_by_names(tmp_path: Path):
    def pair():
        return tf.Variable(1.0, name="a"), tf.Variable(1.0, name="b"), tf.keras.optimizers.Adam(0.1)

    a, b, optimizer = pair()
    steps(optimizer, [a, b])
    c, d, other = pair()
    tf.train.Checkpoint(optimizer=other).restore(saved(tmp_path, optimizer=optimizer))
    other.build([d, c])
    assert other.variables[2].numpy() == optimizer.variables[4].numpy() != 0.0


def test_slots_that_differ_in_number_are_said(tmp_path: Path, told):
    a, b, optimizer = tf.Variable(1.0), tf.Variable(2.0), tf.keras.optimizers.SGD(0.1, momentum=0.9)
    steps(optimizer, [a, b])
    path = saved(tmp_path, a=a, b=b, optimizer=optimizer)
    other = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    status = tf.train.Checkpoint(a=a, b=b, optimizer=other).restore(path)
    steps(other, [a], 1)
    with pytest.raises(AssertionError, match=r"b/\.OPTIMIZER_SLOT/optimizer/momentum"):
        status.assert_consumed()
    c = tf.Variable(0.0)
    other.build([c])
    with pytest.raises(AssertionError, match="no value for"):
        status.assert_existing_objects_matched()
    del status, other
    assert "b/.OPTIMIZER_SLOT/optimizer/momentum" in told()


def older(tmp_path: Path, shapes) -> str:
    """Write a file that knows places alone, as they were written once: counter, rate, then the slots."""
    values = {"optimizer/variables/0": np.int64(3), "optimizer/variables/1": np.float32(0.25)}
    for i, shape in enumerate(shapes):
        values |= {f"optimizer/variables/{2 + 2 * i + k}": np.full(shape, 10.0 * i + k, "float32") for k in (0, 1)}
    path = str(tmp_path / "older")
    files.write(path, {f"{k}/.ATTRIBUTES/VARIABLE_VALUE": v for k, v in values.items()})
    return path


def test_an_older_file_is_read_where_there_is_no_doubt(tmp_path: Path, told):
    optimizer = tf.keras.optimizers.Adam(0.1)
    tf.train.Checkpoint(optimizer=optimizer).read(older(tmp_path, [(2,), (3,)]))
    optimizer.build([tf.Variable([0.0, 0.0]), tf.Variable([0.0, 0.0, 0.0])])
    found = [v.numpy().ravel()[0] for v in optimizer.variables]
    assert found == [3, 0.25, 0.0, 1.0, 10.0, 11.0]
    assert told() == ""
    doubtful = tf.keras.optimizers.Adam(0.1)
    tf.train.Checkpoint(optimizer=doubtful).read(older(tmp_path, [(2,), (2,)]))
    doubtful.build([tf.Variable([0.0, 0.0]), tf.Variable([0.0, 0.0])])
    assert [v.numpy().ravel()[0] for v in doubtful.variables] == [3, 0.25, 0.0, 0.0, 0.0, 0.0]
    del doubtful
    assert "optimizer/variables/2" in told()


def test_the_step_of_a_schedule_goes_on(tmp_path: Path):
    def make():
        return tf.keras.optimizers.SGD(tf.keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5))

    a, optimizer = tf.Variable(0.0), make()
    for _ in range(3):
        optimizer.apply([tf.constant(1.0)], [a])
    path = saved(tmp_path, optimizer=optimizer)
    b, other = tf.Variable(0.0), make()
    tf.train.Checkpoint(optimizer=other).restore(path)
    other.apply([tf.constant(1.0)], [b])
    assert b.numpy() == -0.125


# --- generators, metrics ---------------------------------------------------------------------------------------------------


def test_metrics(tmp_path: Path):
    one, two = tf.keras.metrics.Mean(), tf.keras.metrics.Mean()
    one.update_state([1.0, 2.0, 6.0])
    tf.train.Checkpoint(m=two).restore(saved(tmp_path, m=one)).assert_consumed()
    assert float(two.result()) == 3.0


def test_a_model_with_its_optimizer(tmp_path: Path):
    def make():
        model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
        model.compile("adam", "mse")
        return model

    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    one, two = make(), make()
    one.fit(x, y, epochs=3, verbose=0)
    status = tf.train.Checkpoint(model=two).restore(saved(tmp_path, model=one))
    for model in (one, two):
        model.fit(x, y, epochs=2, verbose=0)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    status.assert_consumed()


# --- names ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def by_names(tmp_path: Path) -> str:
    """A Saver's file with a = 3, b = 4."""
    with tf.Graph().as_default():
        v1.get_variable("a", initializer=3.0)
        v1.get_variable("b", initializer=4.0)
        with v1.Session() as sess:
            sess.run(v1.global_variables_initializer())
            return v1.train.Saver().save(sess, str(tmp_path / "names"))


def test_a_savers_file_is_read_by_names(by_names, told):
    a = tf.Variable(0.0, name="a")
    checkpoint = tf.train.Checkpoint(x=a)
    status = checkpoint.restore(by_names)
    assert a.numpy() == 3.0
    status.assert_consumed().assert_existing_objects_matched().assert_nontrivial_match()
    checkpoint.y = tf.Variable(0.0, name="b")
    assert checkpoint.y.numpy() == 4.0
    c = tf.Variable(0.0, name="c")
    with pytest.raises(AssertionError, match="'c:0'"):
        tf.train.Checkpoint(x=c).restore(by_names).assert_existing_objects_matched()
    del checkpoint, status
    assert "a, b" in told()  # what c did not take
    assert tf.train.list_variables(by_names) == [("a", []), ("b", [])]
    assert tf.train.load_checkpoint(by_names).get_tensor("b") == 4.0
    with pytest.raises(ValueError, match="shape"):
        tf.train.Checkpoint(x=tf.Variable([0.0], name="a")).restore(by_names)


def test_a_saver_reads_a_file_of_objects_by_names(tmp_path: Path):
    path = saved(
        tmp_path, inner={"x": tf.Variable(8.0, name="a")}, twice=[tf.Variable(1.0, name="c"), tf.Variable(2.0, name="c")]
    )
    with tf.Graph().as_default():
        a = v1.get_variable("a", initializer=0.0)
        with v1.Session() as sess:
            v1.train.Saver().restore(sess, path)
            assert sess.run(a) == 8.0
        v1.get_variable("c", initializer=0.0)
        with v1.Session() as sess, pytest.raises(tf.errors.NotFoundError, match="Key c not found"):
            v1.train.Saver().restore(sess, path)


# --- graphs of TensorFlow 1 ----------------------------------------------------------------------------------------------


def test_variables_of_a_graph_are_set_in_a_session(tmp_path: Path):
    path = saved(tmp_path, a=tf.Variable(5.0), later=[tf.Variable(6.0)])
    with tf.Graph().as_default():
        a, extra = tf.Variable(0.0), tf.Variable(9.0)
        checkpoint = tf.train.Checkpoint(a=a, extra=extra, later=[])
        status = checkpoint.restore(path)
        with v1.Session() as sess:
            status.initialize_or_restore(sess)
            assert sess.run([a, extra]) == [5.0, 9.0]
            checkpoint.later.append(tf.Variable(0.0))
            assert sess.run(checkpoint.later[0]) == 6.0  # nothing has initialised it
            sess.run(checkpoint.later[0].assign_add(1.0))
            assert sess.run(checkpoint.later[0]) == 7.0


def test_the_picture_of_objects_is_in_the_file(tmp_path: Path):
    v = tf.Variable(1.0, name="v")
    path = saved(tmp_path, a=[v], b=v)
    nodes = json.loads(files.load(path)[1]["wengert.objects"])
    assert nodes[0]["children"].keys() == {"a", "b"}
    assert nodes[nodes[0]["children"]["a"]]["children"]["0"] == nodes[0]["children"]["b"]
    assert nodes[nodes[0]["children"]["b"]] == {"children": {}, "value": "b/.ATTRIBUTES/VARIABLE_VALUE", "name": "v"}
