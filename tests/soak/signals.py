"""Ctrl-C and SIGTERM at random moments: they arrive, what a step changes is changed whole, and nothing is left in force.

A subject is made once; each trial lets one signal fall into a loop of its steps, then looks whether what it holds is that of
whole steps, and whether one more step gives the right number. Three ways to strike, in turn: SIGINT from another process, with
Python's own handler; SIGALRM with the same handler; SIGTERM with one that raises SystemExit.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import wengert as tf

from .savers import Checkpoint, Saver, Weights
from .trial import Fault, nothing_left

v1 = tf.compat.v1
XS = np.linspace(0.1, 1.0, 8)


def close(what: str, got: Any, want: Any) -> None:
    """Raise a Fault unless numbers are equal up to rounding."""
    if not np.allclose(np.asarray(got), want, rtol=1e-5, atol=1e-6):
        raise Fault("lost", f"{what}: got {got}, want {want}")


class Subject:
    """A step that is done over and over; `check` looks at what is held, and does one more."""

    def step(self) -> Any:
        raise NotImplementedError

    def check(self) -> None:
        """Raise a Fault if something is not as it should be."""


class Value(Subject):
    """A step that gives a number and changes nothing."""

    def __init__(self, step: Callable[[], Any], want: Any) -> None:
        self.step, self.want = step, want  # type: ignore[method-assign]

    def check(self) -> None:
        close("the next run", self.step(), self.want)


def nested() -> Subject:
    x = tf.constant(XS)

    def step() -> Any:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(tf.sin(x))
            first = inner.gradient(y, x)
        return outer.gradient(first, x).numpy()

    return Value(step, -np.sin(XS))


def persistent() -> Subject:
    v = tf.Variable(XS)

    def step() -> Any:
        with tf.GradientTape(persistent=True) as tape:
            y = tf.reduce_sum(v * v * v)
            with tape.stop_recording():
                tf.exp(v)
        return tape.gradient(y, v).numpy() + tape.gradient(y, v).numpy()

    return Value(step, 6 * XS**2)


def forward() -> Subject:
    x = tf.constant(XS)

    def step() -> Any:
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
            y = tf.sin(x)
        return accumulator.jvp(y).numpy()

    return Value(step, np.cos(XS))


def taylor() -> Subject:
    x = tf.constant(XS)
    return Value(lambda: tf.taylor(tf.sin, x, order=3)[3].numpy(), -np.cos(XS))


def fields() -> Subject:
    u = tf.field(lambda x, t: tf.sin(x) * tf.exp(-t), "x t")
    x = tf.constant(XS[:, None])
    return Value(lambda: u.xxt(x, x).numpy(), (np.sin(XS) * np.exp(-XS))[:, None])


def plain() -> Subject:
    f = tf.function(lambda x: tf.reduce_sum(tf.sin(x) * tf.exp(x)))
    x = tf.constant(XS)
    return Value(lambda: f(x).numpy(), np.sum(np.sin(XS) * np.exp(XS)))


def callbacks() -> Subject:
    f = tf.function(lambda x: tf.numpy_function(lambda a: a * 2.0, [tf.sin(x)], tf.float64) + 1.0)
    x = tf.constant(XS)
    return Value(lambda: f(x).numpy(), 2.0 * np.sin(XS) + 1.0)


def tracing() -> Subject:
    v = tf.Variable(2.0, dtype=tf.float64)
    x = tf.constant(XS)

    def step() -> Any:
        @tf.function
        def f(x: Any) -> Any:
            with tf.GradientTape() as tape:
                if tf.reduce_sum(x) > 0.0:
                    y = x * v * v
                else:
                    y = -x
            return tape.gradient(y, v)

        return f(x).numpy()

    return Value(step, 4.0 * XS.sum())


def building() -> Subject:
    def step() -> Any:
        with tf.Graph().as_default(), v1.variable_scope("a"), tf.name_scope("b"):
            v = v1.get_variable("v", initializer=XS)
            y = tf.gradients(tf.reduce_sum(tf.sin(v)), v)[0]
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                return session.run(y)

    return Value(step, np.cos(XS))


def running() -> Subject:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [8])
        y = tf.gradients(tf.reduce_sum(tf.sin(x)), x)[0]
    session = v1.Session(graph=graph)
    return Value(lambda: session.run(y, {x: XS}), np.cos(XS))


class Counting(Subject):
    """A step adds one to two variables, by whatever way: they agree, and one more step counts on."""

    def __init__(self, step: Callable[[], Any], read: Callable[[], list[Any]], by: float = 1.0) -> None:
        self.step, self.read, self.by = step, read, by  # type: ignore[method-assign]

    def counts(self) -> float:
        found = {float(x) for value in self.read() for x in np.unique(value)}
        if len(found) != 1:
            raise Fault("half", f"what a step changes together is {sorted(found)}")
        return found.pop()

    def check(self) -> None:
        before = self.counts()
        self.step()
        close("the count after one more step", self.counts(), before + self.by)


def assigning() -> Subject:
    a, b = tf.Variable(np.zeros(50)), tf.Variable(np.zeros(50))

    @tf.function
    def step() -> None:
        a.assign_add(tf.ones_like(a) + 0.0 * tf.sin(b))
        b.assign_add(tf.ones_like(b))

    return Counting(step, lambda: [a.numpy(), b.numpy()])


def looping() -> Subject:
    a, b = tf.Variable(np.zeros(5)), tf.Variable(np.zeros(5))

    @tf.function
    def step() -> None:
        for _ in tf.range(4):
            a.assign_add(tf.ones_like(a) * 0.25)
            b.assign_add(tf.ones_like(b) * 0.25)

    return Counting(step, lambda: [a.numpy(), b.numpy()])


class Drawing(Counting):
    """A session counts, and keeps the last number drawn: it is the one of that count, as in a session that nobody disturbed."""

    def __init__(self) -> None:
        self.drawn: list[float] = []
        self.quiet = self.session()
        run, a, b, last = self.session()
        self.last = last
        super().__init__(run, lambda: [a(), b()])

    def session(self) -> Any:
        with tf.Graph().as_default() as graph:
            a, b, last = (v1.get_variable(n, initializer=np.zeros(())) for n in ("a", "b", "last"))
            ups = [a.assign_add(1.0).op, last.assign(v1.random_uniform([], dtype=tf.float64, seed=3)).op, b.assign_add(1.0).op]
            session = v1.Session(graph=graph)
            session.run(v1.global_variables_initializer())
        return (lambda: session.run(ups)), *(lambda v=v: session.run(v) for v in (a, b, last))

    def check(self) -> None:
        super().check()
        count = int(self.counts())
        while len(self.drawn) < count:
            self.quiet[0]()
            self.drawn.append(float(self.quiet[3]()))
        if count:
            close(f"draw {count}", self.last(), self.drawn[count - 1])


class Optimizing(Counting):
    """Two variables of one loss under an optimizer that has a state: they stay equal, and the counter of steps agrees."""

    def __init__(self) -> None:
        with tf.Graph().as_default() as graph:
            a, b = (v1.get_variable(n, initializer=np.zeros(4)) for n in "ab")
            loss = tf.reduce_sum((a - 1.0) ** 2 + (b - 1.0) ** 2)
            step = v1.train.get_or_create_global_step()
            train = v1.train.GradientDescentOptimizer(0.05).minimize(loss, step)
            self.session = v1.Session(graph=graph)
            self.session.run(v1.global_variables_initializer())
        self.all, self.count = [a, b], step
        super().__init__(lambda: self.session.run(train), lambda: self.session.run(self.all))

    def check(self) -> None:
        at, steps = self.counts(), int(self.session.run(self.count))
        close(f"the variables after {steps} steps", at, 1.0 - 0.9**steps)
        self.step()
        close("the variables after one more", self.counts(), 1.0 - 0.9 ** (steps + 1))


class Slope(tf.keras.layers.Layer):
    """Two weights whose slope is always 1."""

    def build(self, shape: Any) -> None:
        self.a = self.add_weight(shape=(), initializer="zeros", name="a")
        self.b = self.add_weight(shape=(), initializer="zeros", name="b")

    def call(self, x: Any) -> Any:
        return 0.0 * x + self.a + self.b


class Fitting(Counting):
    """A fit counts both weights down and its iterations up."""

    def __init__(self) -> None:
        model = tf.keras.Sequential([tf.keras.layers.Input((1,)), Slope()])
        model.compile(tf.keras.optimizers.SGD(1.0), loss=lambda y, p: tf.reduce_mean(p))
        xs = np.ones((4, 1), "f4")
        read = lambda: [*(-w for w in model.get_weights()), np.asarray(model.optimizer.iterations)]  # noqa: E731
        super().__init__(lambda: model.fit(xs, xs, batch_size=2, verbose=0), read, by=2.0)


class Scipy(Subject):
    """SciPy's optimizer: whatever it is broken off at, the session can go on, and finds the same optimum."""

    def __init__(self) -> None:
        with tf.Graph().as_default() as graph:
            self.v = v1.get_variable("v", initializer=np.zeros(4))
            loss = tf.reduce_sum((self.v - XS[:4]) ** 2 * (1.0 + self.v**2))
            self.optimizer = v1.contrib.opt.ScipyOptimizerInterface(loss, options={"maxiter": 100})
            self.session = v1.Session(graph=graph)
            self.session.run(v1.global_variables_initializer())
            self.start = self.v.initializer

    def step(self) -> Any:
        self.session.run(self.start)
        self.optimizer.minimize(self.session)

    def check(self) -> None:
        if not np.isfinite(self.session.run(self.v)).all():
            raise Fault("half", "the variables are not numbers")
        self.step()
        got = self.session.run(self.v)
        if np.abs(got - XS[:4]).max() > 1e-3:
            raise Fault("lost", f"the optimum found after it was broken off is {got}")


class Restoring(Subject):
    """Two files, restored in turn: all is of the one or of the other."""

    def __init__(self, make: Callable[[Path], Any]) -> None:
        home = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, home, True)
        self.saver, self.turn, self.paths = make(Path(home)), 0, []
        for k in (1, 2):
            self.saver.save(k)
            self.paths.append(self.kept(Path(home), k))
        self.step()

    def kept(self, home: Path, k: int) -> str:
        if isinstance(self.saver, Saver):
            return str(home / f"model-{k}")
        name = Path(self.saver.path).name if isinstance(self.saver, Weights) else "one.safetensors"
        return os.fspath(shutil.copy(home / name, home / f"{k}.{name}"))

    def step(self) -> Any:
        self.turn = 1 - self.turn
        match self.saver:
            case Saver() as s:
                s.saver.restore(s.session, self.paths[self.turn])
            case Weights() as w:
                w.model.load_weights(self.paths[self.turn])
            case Checkpoint() as c:
                c.checkpoint.read(self.paths[self.turn])

    def values(self) -> list[Any]:
        match self.saver:
            case Saver() as s:
                return s.session.run(s.variables)  # type: ignore[no-any-return]
            case Weights() as w:
                return w.model.get_weights()  # type: ignore[no-any-return]
        return [v.numpy() for v in self.saver.variables]

    def check(self) -> None:
        for want in (None, True):
            found = {float(x) for value in self.values() for x in np.unique(value)}
            if len(found) != 1:
                raise Fault("half", f"the variables hold values of the files {sorted(found)}")
            if want:
                close("what is restored next", found.pop(), self.turn + 1.0)
            self.step() if not want else None


MAKERS: dict[str, Callable[[], Subject]] = {
    "nested tapes": nested, "persistent tape": persistent, "forward accumulator": forward, "taylor": taylor, "field": fields,
    "function": plain, "function, callback": callbacks, "function, assigning": assigning, "function, loop assigning": looping,
    "tracing": tracing, "building a graph": building, "session": running, "session, assigning and drawing": Drawing,
    "v1 optimizer": Optimizing, "fit": Fitting, "SciPy": Scipy, "restore: Saver": functools.partial(Restoring, Saver),
    "restore: Checkpoint": functools.partial(Restoring, Checkpoint),
    "restore: load_weights": functools.partial(Restoring, Weights),
}  # fmt: skip
WAYS = ("SIGINT", "SIGALRM", "SIGTERM")
SUBJECTS = tuple(f"{subject}: {way}" for subject in MAKERS for way in WAYS)
SHORT = 5 * len(SUBJECTS)
LATE = 4.0
"""Seconds after which a signal that was sent must have arrived."""
PRESS = struct.Struct("d")
made: dict[str, Subject] = {}


class Presser:
    """Another process, which presses Ctrl-C when it is told to, after so many seconds."""

    def __init__(self) -> None:
        source, self.sink = os.pipe()
        parent = os.getpid()
        if os.fork() == 0:
            os.close(self.sink)
            while text := os.read(source, PRESS.size):
                time.sleep(PRESS.unpack(text)[0])
                os.kill(parent, signal.SIGINT)
            os._exit(0)
        os.close(source)

    def press(self, seconds: float) -> None:
        os.write(self.sink, PRESS.pack(seconds))


@functools.cache
def presser() -> Presser:
    return Presser()


def _terminate(number: int, frame: Any) -> None:
    raise SystemExit(143)


HANDLERS = {signal.SIGINT: signal.default_int_handler, signal.SIGALRM: signal.default_int_handler, signal.SIGTERM: _terminate}


def trial(name: str, random: Random) -> None:
    subject, way = name.rsplit(": ", 1)
    delay = random.uniform(0.0001, 0.004)
    for number, handler in HANDLERS.items():
        signal.signal(number, handler)
    press = presser().press
    if subject not in made:
        made[subject] = MAKERS[subject]()
        made[subject].check()
    one = made[subject]
    try:
        for k in range(1, 11):
            try:
                _strike(one, way, k * delay, press)
                break
            except Elsewhere:
                continue
        else:
            raise Fault("lost", f"ten times {way} fell into JAX's callback of the collector")
        nothing_left(dict(HANDLERS))
        one.check()
        nothing_left(dict(HANDLERS))
    except BaseException:
        del made[subject]
        raise


swallowed: list[str] = []
"""Where Python passed over an exception, since nobody was there to take it: in a finalizer, in a callback of a weak reference."""


class Elsewhere(Exception):
    """A signal fell into JAX's own callback of the collector, where Python passes over what is raised: no law of ours."""


def _unraisable(args: Any) -> None:
    if (getattr(args.object, "__module__", None) or "").startswith("jax."):
        swallowed.append("")
        return
    swallowed.append("".join(traceback.format_exception(args.exc_value, limit=-4)) + f"in {args.object!r}")


def _strike(one: Subject, way: str, delay: float, press: Callable[[float], None]) -> None:
    """Do steps until a signal breaks them off.

    Raises:
        Fault: if none does, or it comes out as something else.
        Elsewhere: if it fell where nothing of ours could let it through.
    """
    want = SystemExit if way == "SIGTERM" else KeyboardInterrupt
    sys.unraisablehook = _unraisable
    swallowed.clear()
    end = time.monotonic() + delay + LATE
    try:
        if way == "SIGINT":
            press(delay)
        else:
            if way == "SIGTERM":  # a timer sends no other signal: its handler does
                signal.signal(signal.SIGALRM, lambda number, frame: signal.raise_signal(signal.SIGTERM))
            signal.setitimer(signal.ITIMER_REAL, delay)
        while not swallowed and time.monotonic() < end:
            one.step()
    except BaseException as error:
        signal.signal(signal.SIGALRM, HANDLERS[signal.SIGALRM])
        if type(error) is not want:
            text = "".join(traceback.format_exception(error, limit=-6))
            raise Fault("crashed", f"{way} came out as another error\n{text}") from None
        return
    signal.signal(signal.SIGALRM, HANDLERS[signal.SIGALRM])
    if swallowed and not any(swallowed):
        raise Elsewhere
    raise Fault("lost", "\n".join([*swallowed, f"{way} did not arrive within {LATE:.0f} s"]))
