"""Variables inside tf.function: order of assignments, state between calls, gradients through reads, lists of tensors, modules, py_function."""
import numpy as np
import tensorflow as tf

log = []
v = tf.Variable(1.0, name="v")
w = tf.Variable([1.0, 2.0], name="w")


@tf.function
def ordered(x):
    a = v * x
    v.assign_add(10.0)
    b = v * x
    v.assign(v * 2.0)
    log.append("traced")
    return a, b, v.read_value()


print([t.numpy() for t in ordered(tf.constant(1.0))], [t.numpy() for t in ordered(tf.constant(1.0))], v.numpy(), log)
v.assign(2.0)


@tf.function
def loss(x):
    return tf.reduce_sum(w * x) * v ** 2


with tf.GradientTape() as tape:
    y = loss(tf.constant([3.0, 4.0]))
print(y.numpy(), [g.numpy().tolist() for g in tape.gradient(y, [w, v])])


@tf.function
def inner_tape(x):
    with tf.GradientTape() as tape:
        y = loss(x)
    return tape.gradient(y, {"w": w, "v": v})


print({k: g.numpy().tolist() for k, g in inner_tape(tf.constant([1.0, 1.0])).items()})


@tf.function
def conditional(flag):
    if flag:
        v.assign(100.0)
    else:
        v.assign_sub(1.0)
    return v.value()


print(conditional(tf.constant(False)).numpy(), conditional(tf.constant(True)).numpy(), v.numpy())


@tf.function
def train(n):
    for i in tf.range(n):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum((w - [5.0, -5.0]) ** 2)
        w.assign_sub(0.25 * tape.gradient(y, w))
    return y


print(train(tf.constant(3)).numpy(), w.numpy().tolist())


@tf.function
def with_python(x):
    doubled = tf.py_function(lambda t: t.numpy() * 2.0, [x], tf.float32)
    plain = tf.numpy_function(lambda t: t + np.float32(1), [x], tf.float32)
    return doubled, plain


print([t.numpy().tolist() for t in with_python(tf.constant([1.0, 2.0]))])
x = tf.constant(3.0)
with tf.GradientTape() as tape:
    tape.watch(x)
    y = tf.py_function(lambda t: t ** 2 * 5.0, [x], tf.float32)
print("py_function gradient", tape.gradient(y, x).numpy())


class Counter(tf.Module):
    def __init__(self):
        super().__init__()
        self.n = None

    @tf.function
    def __call__(self, x):
        if self.n is None:
            self.n = tf.Variable(0, dtype=tf.int32)
        self.n.assign_add(1)
        return tf.cast(self.n, tf.float32) * x


c = Counter()
print([c(tf.constant(1.0)).numpy() for _ in range(3)], len(c.variables), c.trainable_variables[0].dtype.name)
f = tf.function(lambda *args, **kw: sum(args) + kw["k"])
print(f(tf.constant(1.0), tf.constant(2.0), k=tf.constant(3.0)).numpy(), f.python_function(1, 2, k=3))
g = tf.function(lambda: (tf.constant(1), [tf.constant(2.0), {"a": None}]))
print(g())
