"""Several variables that get values at once: all of them or none, whatever comes in between."""

import itertools
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.modes.storage import Storage
from wengert.train import archive, placing

v1 = tf.compat.v1


class Case:
    """What sets several variables: to 1 by ``one``, to 2 by ``two``; ``values`` are what they have now."""

    def __init__(self, one: Callable[[], Any], two: Callable[[], Any], values: Callable[[], set[float]]):
        self.one, self.two, self.values = one, two, values


def checkpoint(tmp_path: Path) -> Case:
    vs = [tf.Variable(np.zeros(3)) for _ in range(4)]
    c = tf.train.Checkpoint(vs=vs)
    paths = []
    for k in (1.0, 2.0):
        for v in vs:
            v.assign(np.full(3, k))
        paths.append(c.write(tmp_path / f"{k}"))
    return Case(lambda: c.read(paths[0]), lambda: c.read(paths[1]), lambda: {float(x) for v in vs for x in v.numpy()})


def saver(tmp_path: Path) -> Case:
    vs = [tf.Variable(np.zeros(3), name=f"v{i}") for i in range(4)]
    s = v1.train.Saver(vs)
    paths = []
    for k in (1.0, 2.0):
        for v in vs:
            v.assign(np.full(3, k))
        paths.append(s.save(None, str(tmp_path / f"{k}")))
    return Case(
        lambda: s.restore(None, paths[0]), lambda: s.restore(None, paths[1]), lambda: {float(x) for v in vs for x in v.numpy()}
    )


def trained() -> Any:
    """A model with an optimizer that has slots."""
    model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(2)])
    model.compile(tf.keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def all_of(model: Any) -> list[Any]:
    return [*model.weights, *(v for v in model.optimizer.variables if v.sizes)]


def weights(tmp_path: Path) -> Case:
    model = trained()
    for k in (1.0, 2.0):
        for v in all_of(model):
            v.assign(np.full(v.sizes, k, np.float32))
        model.save_weights(tmp_path / f"{k}")
    values = lambda: {float(x) for v in all_of(model) for x in v.numpy().ravel()}  # noqa: E731
    return Case(lambda: model.load_weights(tmp_path / "1.0"), lambda: model.load_weights(tmp_path / "2.0"), values)


def set_weights(tmp_path: Path) -> Case:
    model = trained()
    one, two = ([np.full(w.shape, k) for w in model.get_weights()] for k in (1.0, 2.0))
    values = lambda: {float(x) for w in model.get_weights() for x in w.ravel()}  # noqa: E731
    return Case(lambda: model.set_weights(one), lambda: model.set_weights(two), values)


def optimizer(tmp_path: Path) -> Case:
    made = trained().optimizer
    one, two = ([np.full(w.shape, k) for w in made.get_weights()] for k in (1, 2))
    values = lambda: {float(x) for w in made.get_weights() for x in np.ravel(w)}  # noqa: E731
    return Case(lambda: made.set_weights(one), lambda: made.set_weights(two), values)


def averages(tmp_path: Path) -> Case:
    vs = [tf.Variable(np.zeros(3, np.float32)) for _ in range(3)]
    made = tf.keras.optimizers.SGD(0.0, use_ema=True)
    made.build(vs)

    def set_all(k: float) -> None:
        for v in vs:
            v.assign(np.full(3, k, np.float32))

    set_all(2.0)
    made.apply_gradients([(tf.zeros([3]), v) for v in vs])  # from here on the averages are 2
    return Case(
        lambda: set_all(1.0), lambda: made.finalize_variable_values(vs), lambda: {float(x) for v in vs for x in v.numpy()}
    )


def in_a_session(tmp_path: Path) -> Case:
    with tf.Graph().as_default():
        vs = [v1.Variable(np.zeros(3), name=f"v{i}") for i in range(4)]
        s, sess = v1.train.Saver(), v1.Session()
        for k in (1.0, 2.0):
            for v in vs:
                v.load(np.full(3, k), sess)
            s.save(sess, str(tmp_path / f"{k}"))
    values = lambda: {float(x) for v in vs for x in sess.run(v)}  # noqa: E731
    return Case(lambda: s.restore(sess, str(tmp_path / "1.0")), lambda: s.restore(sess, str(tmp_path / "2.0")), values)


CASES = [checkpoint, saver, weights, set_weights, optimizer, averages, in_a_session]
MODULES = ("wengert.train.", "wengert.keras.", "wengert.modes.storage")


def struck_at(line: int, call: Callable[[], Any]) -> bool:
    """Call with Ctrl-C before the so-manieth line that runs in these modules; return whether there was one."""
    count = 0

    def each(frame, event, argument):
        nonlocal count
        if event == "line":
            count += 1
            if count == line:
                signal.raise_signal(signal.SIGINT)
        return each

    def enter(frame, event, argument):
        return each if str(frame.f_globals.get("__name__")).startswith(MODULES) else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    assert count < line, "Ctrl-C is lost"
    return False


# A file that was just opened is closed by Python itself, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("make", CASES)
def test_ctrl_c_at_every_line(make: Callable[[Path], Case], tmp_path: Path):
    case = make(tmp_path)
    seen = set()
    case.one()
    for line in itertools.count(1):
        struck = struck_at(line, case.two)
        found = case.values()
        assert len(found) == 1, f"half of each after Ctrl-C at line {line}"
        seen |= found
        if not struck:
            break
        case.one()
    assert seen == {1.0, 2.0} and line > 10


@pytest.mark.parametrize("make", CASES)
def test_an_error_in_the_midst(make: Callable[[Path], Case], tmp_path: Path, monkeypatch):
    """Without memory at any of the conversions, and an error at any of the settings: all have the values that they had."""
    case = make(tmp_path)
    case.one()
    convert, setter = placing.ready, Storage.array.fset
    struck = 0
    for name in ("ready", "array"):
        for at in range(2):
            count = itertools.count()

            def failing(*arguments, count=count, at=at, name=name):
                if next(count) == at:
                    raise MemoryError(name)
                return (convert if name == "ready" else setter)(*arguments)

            with monkeypatch.context() as patch:
                if name == "ready":
                    for module in (
                        "train.checkpoint",
                        "train.restoration",
                        "keras.weights",
                        "keras.layers.tracking",
                        "keras.optimizers.state",
                        "keras.optimizers.step",
                    ):
                        patch.setattr(f"wengert.{module}.ready", failing)
                else:
                    patch.setattr(Storage, "array", Storage.array.setter(failing))
                with pytest.raises(MemoryError, match=name):
                    case.two()
            assert case.values() == {1.0}
            struck += 1
    assert struck == 4
    case.two()
    assert case.values() == {2.0}


def test_a_slot_that_does_not_fit(tmp_path: Path):
    """The weights are not set either."""
    one, two = trained(), trained()
    for v in one.optimizer.variables[2:]:
        v.assign(np.ones(v.sizes, np.float32))
    one.save_weights(tmp_path / "w")
    arrays, texts = archive.load(str(tmp_path / "w"))
    name = sorted(n for n in arrays if n.endswith(":momentum"))[-1]
    archive.dump(str(tmp_path / "w"), {**arrays, name: np.zeros((7, 7), np.float32)}, texts)
    before = [v.numpy() for v in all_of(two)]
    with pytest.raises(ValueError, match=r"holds .*momentum with shape \(7, 7\).*Nothing has been restored"):
        two.load_weights(tmp_path / "w")
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, all_of(two), strict=True))


def test_the_last_of_thirty_does_not_fit(tmp_path: Path):
    vs = [tf.Variable([1.0, 1.0], name=f"v{i:02}") for i in range(30)]
    path = tf.train.Checkpoint(vs=vs).write(tmp_path / "c")
    others = [tf.Variable(tf.zeros([2 if i < 29 else 3]), name=f"v{i:02}") for i in range(30)]
    by_names = v1.train.Saver(vs).save(None, str(tmp_path / "s"))
    for restore in (lambda: tf.train.Checkpoint(vs=others).read(path), lambda: v1.train.Saver(others).restore(None, by_names)):
        with pytest.raises(ValueError, match=r"shape \(2,\).*shape \(3,\).*Nothing has been restored"):
            restore()
        assert not any(v.numpy().any() for v in others)


def test_what_is_made_later_gets_its_value_for_all_ctrl_c(tmp_path: Path):
    """A value that has been found its variable is not lost on the way to it."""

    class Lazy(tf.Module):
        w = None

        def make(self):
            self.w = [tf.Variable(0.0), tf.Variable(0.0)]

    whole = Lazy()
    whole.make()
    for v in whole.w:
        v.assign(3.0)
    path = tf.train.Checkpoint(m=whole).write(tmp_path / "c")
    for line in itertools.count(1):
        one = Lazy()
        status = tf.train.Checkpoint(m=one).read(path)
        one.make()
        struck = struck_at(line, one.w[0].read_value)
        assert [v.numpy() for v in one.w] == [3.0, 3.0], line
        status.assert_consumed()
        if not struck:
            break
    assert line > 10
