"""What `wengert doctor` says of objects: each program is read, and run, and what it lacks is what Python then misses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def programs(text: str) -> dict[str, str]:
    """Return the programs after the lines that name them."""
    found = (one.partition("\n") for one in text.split("#: ")[1:])
    return {name: f"import tensorflow as tf\n{program}" for name, _, program in found}


LACKING = programs("""
#: self in a layer
class L(tf.keras.layers.Layer):
    def call(self, x):
        return self.nosuch(x)
L()(tf.ones(3))
#: self within a function of a method
class L(tf.keras.layers.Layer):
    def call(self, x):
        def f():
            return self.nosuch
        return f()
L()(tf.ones(3))
#: super
class L(tf.keras.layers.Layer):
    def call(self, x):
        return super().nosuch(x)
L()(tf.ones(3))
#: an alias of the class
Base = tf.keras.Model
class A(Base):
    pass
class B(A):
    def call(self, x):
        return self.nosuch
B()(tf.ones(3))
#: a class beside
import base
class B(base.Net):
    def f(self):
        return self.nosuch
B().f()
#: a class from beside
from base import Net as N
n = N()
n.nosuch
#: a class from beside, with all names
from base import *
Net().nosuch
#: a registered class
@tf.keras.utils.register_keras_serializable()
class B(tf.keras.Model):
    def f(self):
        return self.nosuch
B().f()
#: a model
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.nosuch()
#: a functional model
i = tf.keras.Input((2,))
model = tf.keras.Model(i, i + 1.0)
model.nosuch
#: a variable
v = tf.Variable(1.0)
print(v.nosuch)
#: an optimizer at once
tf.keras.optimizers.Adam().nosuch
#: an optimizer by its module
from tensorflow.keras import optimizers as o
opt = o.Adam()
opt.nosuch
#: a tape
with tf.GradientTape() as tape:
    pass
tape.nosuch
#: a dataset that is made of itself
d = tf.data.Dataset.range(3)
for _ in range(2):
    d = d.batch(2)
d.nosuch()
#: what a function of the program returns
def make():
    model = tf.keras.Sequential()
    return model
made = make()
made.nosuch
#: an attribute that is given once
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.net = tf.keras.Sequential()
    def f(self):
        return self.net.nosuch
Net().f()
#: the last that is bound
m = print
m = tf.keras.Sequential()
m.nosuch
m = print
#: either of two
import sys
if sys.argv:
    m = tf.Variable(1.0)
else:
    m = tf.keras.Sequential()
m.nosuch
#: a tensor, by its annotation
import tensorflow.array_api as xp
x = xp.asarray(1.0)
x.nosuch
#: within a class of TensorFlow 1
with tf.compat.v1.Session() as session:
    pass
session.nosuch
#: in a loop
for k in range(2):
    v = tf.Variable(1.0)
    v.nosuch
""")

THERE = programs("""
#: given in another method
class L(tf.keras.layers.Layer):
    def build(self, s):
        self.given = 1
    def call(self, x):
        return x * self.given
L()(tf.ones(3))
#: given from outside
m = tf.keras.Sequential()
m.given = 1
m.given
#: given to the class
tf.keras.Model.given = 1
m = tf.keras.Sequential()
m.given
#: of the class
class L(tf.keras.layers.Layer):
    size = 3
    other: int
    def f(self):
        return self.size
L().f()
#: of a class derived from it
class L(tf.keras.layers.Layer):
    def f(self):
        return self.g()
class M(L):
    def g(self):
        return 1
M().f()
#: of a class beside it
class Mixed:
    def g(self):
        return 1
class L(Mixed, tf.keras.layers.Layer):
    def f(self):
        return self.g()
L().f()
#: told to setattr
m = tf.keras.Sequential()
setattr(m, 'given', 1)
m.given
#: computed
class L(tf.keras.layers.Layer):
    def f(self):
        for n in 'ab':
            setattr(self, n + 'c', 1)
        return self.ac
L().f()
#: computed from outside
m = tf.keras.Sequential()
for n in 'ab':
    setattr(m, n + 'c', 1)
m.ac
#: in the dictionary
class L(tf.keras.layers.Layer):
    def f(self):
        self.__dict__.update(given=1)
        return self.given
L().f()
#: in the dictionary, by vars
class L(tf.keras.layers.Layer):
    def f(self):
        vars(self)['given'] = 1
        return self.given
L().f()
#: of a class that answers for any
class L(tf.keras.layers.Layer):
    def __getattr__(self, name):
        return 1
    def f(self):
        return self.given
L().f()
#: asked for
class L(tf.keras.layers.Layer):
    def f(self):
        return self.given if hasattr(self, 'given') else 1
L().f()
#: tried
class L(tf.keras.layers.Layer):
    def f(self):
        try:
            return self.given
        except AttributeError:
            return 1
L().f()
#: of another object of the name
m = tf.keras.Sequential()
def f(m):
    return m.upper()
f('a')
#: bound to something else in the end
v = tf.Variable([1.0])
v = v.numpy()
v.tolist()
#: bound to something else by a function
v = tf.Variable(1.0)
def f():
    global v
    v = 'a'
f()
v.upper()
#: bound to something else by a loop
v = tf.Variable(1.0)
for v in 'ab':
    v.upper()
v.upper()
#: bound to something else in a branch
v = tf.Variable(1.0)
if v > 0:
    v = 'a'
v.upper()
#: bound to something else where it is used
v = tf.Variable(1.0)
print((v := 'a').upper(), v.upper())
#: of a comprehension
v = tf.Variable(1.0)
[v.upper() for v in 'ab']
#: of a name of another function
def f():
    m = tf.keras.Sequential()
def g():
    m = 'a'
    return m.upper()
g()
#: seen by a function before it is bound anew
v = tf.Variable(1.0)
def f():
    return v.upper()
v = 'a'
f()
#: of what a decorator makes of the class
def more(cls):
    cls.f = cls.given = lambda self: 1
    return cls
def any(cls):
    globals()['n'] = 'gi'
    setattr(cls, n + 'ven2', 1)
    return cls
@any
class L(tf.keras.layers.Layer):
    def f(self):
        return self.given2
L().f()
#: of a class with a base that is not known
import ctypes
Base = type('Base', (), {'given': 1})
class L(Base, tf.keras.layers.Layer):
    def f(self):
        return self.given
L().f()
#: of a class that a function makes
def made():
    return tf.keras.layers.Layer
class L(made()):
    def f(self):
        return self.weights
L().f()
#: what a model has after it is fitted
import numpy as np
m = tf.keras.Sequential([tf.keras.layers.Dense(1)])
m.compile('sgd', 'mse')
h = m.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0)
h.history, m.history, m.optimizer, m.stop_training, m.loss, m.metrics
m.layers[0].kernel, m.inputs, m.output_shape, m._layers
#: what has any
u = tf.keras.callbacks.LambdaCallback(on_epoch_end=print)
u.on_epoch_end
c = tf.train.Checkpoint(net=tf.Variable(1.0))
c.net
#: of a class with slots
class L(tf.keras.layers.Layer):
    def __init__(self):
        object.__setattr__(self, 'given', 1)
    def f(self):
        return self.given
L.__new__(L)
#: of a static method
class L(tf.keras.layers.Layer):
    @staticmethod
    def f(x):
        return x.upper()
L.f('a')
#: of a class method
class L(tf.keras.layers.Layer):
    @classmethod
    def f(cls):
        return cls.__name__, cls.mro()
L.f()
#: of a generator
def f():
    yield 1
    return tf.keras.Sequential()
g = f()
g.send(None)
#: of what a decorated function gives
import functools
def texts(f):
    return lambda: 'a'
@texts
def f():
    return tf.keras.Sequential()
x = f()
x.upper()
#: bound by a match
v = tf.Variable(1.0)
match 'a':
    case v:
        v.upper()
#: bound by an error
v = tf.Variable(1.0)
try:
    1 / 0
except ZeroDivisionError as v:
    v.args
#: given to an attribute twice
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.net = tf.keras.Sequential()
        self.net = 'a'
    def f(self):
        return self.net.upper()
Net().f()
""")

DRIVER = """
import json, sys
from wengert.run import doctor
found = {}
for case, path in json.load(sys.stdin).items():
    read = doctor.diagnosis(path)
    try:
        exec(compile(open(path).read(), path, "exec"), {"__name__": "__main__"})
        missed = None
    except AttributeError as error:
        missed = error.name
    for name in ("base", "script"):
        sys.modules.pop(name, None)
    found[case] = [one.name for one in read.names], [one.what for one in read.names], missed
json.dump(found, sys.stdout)
"""

ATTRIBUTES = """
import json, sys
import numpy as np
import wengert.run
wengert.run.serve("tf2")
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow import keras
from wengert.run.instances import attributes

i = keras.Input((4,))
h = keras.layers.Dense(3, activation="tanh")(i)
functional = keras.Model(i, keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(h)))
sequential = keras.Sequential([keras.layers.Embedding(5, 3, mask_zero=True), keras.layers.LSTM(3), keras.layers.Dense(1)])
class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
    def call(self, x):
        self.add_loss(0.0)
        return self.dense(x)
own_model = Own()
x, y = np.ones((8, 4), "float32"), np.ones((8, 3), "float32")
optimizers = [keras.optimizers.Adam(), keras.optimizers.SGD(momentum=0.9, use_ema=True), keras.optimizers.RMSprop(clipnorm=1.0)]
histories = []
for model, optimizer in zip([functional, own_model, sequential], optimizers):
    model.compile(optimizer, "mse", metrics=["mae"])
    given = (x, y) if model is not sequential else (np.ones((8, 4), "int32"), y[:, :1])
    histories.append(model.fit(*given, validation_split=0.5, callbacks=[keras.callbacks.EarlyStopping()], verbose=0))
    model.evaluate(*given, verbose=0), model.predict(given[0], verbose=0), model.summary(print_fn=str)
v = tf.Variable(np.ones(3, "float32"), name="v")
with tf.GradientTape(persistent=True) as tape:
    z = tf.reduce_sum(v * v)
tape.gradient(z, v)
@tf.function
def square(x):
    return x * x
square(v)
with tf.Graph().as_default() as graph:
    p = tf.compat.v1.placeholder(tf.float32)
    w = tf.compat.v1.get_variable("w", [2])
    loss = tf.reduce_sum(w * w)
    old = tf.compat.v1.train.AdamOptimizer()
    step = old.minimize(loss)
    saver = tf.compat.v1.train.Saver()
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(step)
mean = keras.metrics.Mean()
mean.update_state(1.0)
recall = keras.metrics.Recall()
recall.update_state([1.0], [1.0])
dataset = tf.data.Dataset.from_tensor_slices(x).shuffle(3).batch(2)
generator = tf.random.Generator.from_seed(1)
checkpoint = tf.train.Checkpoint(v=v)
array = tf.TensorArray(tf.float32, 2).write(0, 1.0)
normal = tfp.distributions.Normal(0.0, 1.0)
normal.sample(2), normal.log_prob(1.0)
objects = [
    functional, sequential, own_model, *functional.layers, *sequential.layers, own_model.dense, *optimizers, *histories,
    *functional.weights, v, tape, z, square, graph, p, w, old, step, saver, session, mean, recall,
    dataset, iter(dataset), generator, checkpoint, array,
    normal, functional.loss, keras.losses.MeanSquaredError(), keras.callbacks.ModelCheckpoint("a"),
    keras.initializers.Zeros(),
    keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5), keras.regularizers.L2(), tf.sparse.from_dense([1.0]), tf.Module(),
    tf.constant(1.0), tf.TensorSpec([1]), v.dtype, v.shape, tf.constant(1.0).shape, tf.IndexedSlices(z, 0),
]
told = []
for one in objects:
    known = attributes(type(one))
    own = {"dense"} if one is own_model else set()
    told.append((type(one).__name__, known is not None, sorted(set(dir(one)) - known - own) if known is not None else []))
json.dump(told, sys.stdout)
"""


def run(code: str, given: str = "", folder: Path | None = None) -> str:
    done = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    (folder / "base.py").write_text("import tensorflow as tf\nclass Net(tf.keras.Model):\n    pass\n")
    paths = {}
    for number, (case, text) in enumerate({**LACKING, **THERE}.items()):
        paths[case] = str(folder / f"script{number}.py")
        Path(paths[case]).write_text(text)
    return json.loads(run(f"import sys; sys.path.insert(0, {str(folder)!r})\n{DRIVER}", json.dumps(paths), folder))


@pytest.mark.parametrize("case", LACKING)
def test_what_an_object_lacks_is_foretold(found, case):
    names, words, missed = found[case]
    assert missed == "nosuch"
    assert len(names) == 1 and names[0].startswith("tensorflow.") and names[0].endswith(".nosuch"), names
    assert "has no nosuch in Wengert" in words[0]


@pytest.mark.parametrize("case", THERE)
def test_what_an_object_has_or_may_have_is_not(found, case):
    names, _, missed = found[case]
    assert missed is None and names == []


def test_objects_have_nothing_that_is_not_known_of_their_classes():
    told = json.loads(run(ATTRIBUTES))
    assert [(name, more) for name, _, more in told if more] == []
    closed = {name for name, known, _ in told if known}
    assert closed >= {
        "Model", "Sequential", "Own", "Dense", "Dropout", "Adam", "SGD", "RMSprop", "History",
        "GradientTape", "EagerTensor", "SymbolicTensor", "Session", "Saver", "AdamOptimizer", "Mean", "Generator", "Graph",
        "Variable", "Dataset",
    }, sorted(closed)  # fmt: skip


def test_a_near_name_and_the_line_are_told(tmp_path):
    (tmp_path / "a.py").write_text(LACKING["self in a layer"].replace("nosuch", "add_weights"))
    done = subprocess.run(
        [sys.executable, "-m", "wengert", "doctor", "a.py"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "a.py:4: self.add_weights: tensorflow.keras.layers.Layer has no add_weights in Wengert; the nearest is add_weight.",
    ]


def test_names_of_a_notebook_go_on_from_cell_to_cell(tmp_path):
    cells = ["import tensorflow as tf\nm = print\n", "m = tf.keras.Sequential()\n", "m.nosuch\n", "m = print\nm.other\n"]
    made = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in cells]
    (tmp_path / "b.ipynb").write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    done = subprocess.run(
        [sys.executable, "-m", "wengert", "doctor", "b.ipynb"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()[1:]] == ["cell 3, line 1"]
