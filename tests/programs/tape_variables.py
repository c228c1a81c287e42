"""Variables under a tape: trainable or not, assignments inside it, watched_variables, replaced objects, and state left behind."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


w = tf.Variable([1.0, 2.0], name="w")
f = tf.Variable(3.0, trainable=False, name="frozen")
with tf.GradientTape(persistent=True) as tape:
    y = tf.reduce_sum(w ** 2) * f
show("w", tape.gradient(y, w))
show("frozen", tape.gradient(y, f))
print("watched", [v.name for v in tape.watched_variables()])

with tf.GradientTape(watch_accessed_variables=False, persistent=True) as tape:
    tape.watch(f)
    y = tf.reduce_sum(w ** 2) * f
show("unwatched w", tape.gradient(y, w))
show("watched frozen", tape.gradient(y, f))
print("watched", [v.name for v in tape.watched_variables()])

with tf.GradientTape() as tape:
    before = tf.reduce_sum(w * w)
    w.assign_add([10.0, 10.0])
    after = tf.reduce_sum(w * w)
    total = before + after
show("across an assignment", tape.gradient(total, w))
show("now", w)

x = tf.Variable(2.0)
y = tf.Variable(5.0)
with tf.GradientTape() as tape:
    x.assign_add(y)
    z = x ** 2
show("state blocks y", tape.gradient(z, y))

x = tf.Variable(2.0)
for step in range(2):
    with tf.GradientTape() as tape:
        out = x + 1.0
    print(type(x).__name__, tape.gradient(out, x))
    x = x + 1.0

v = tf.Variable(np.arange(4, dtype=np.float64), name="v")
print(v.dtype, v.shape, v.trainable, v.name, v.numpy().tolist())
v.assign(v * 2.0)
v.assign_sub(tf.ones(4, tf.float64))
v[1].assign(100.0)
v.scatter_nd_update([[3]], [-1.0])
show("v", v)
show("v[1:3]", v[1:3])
show("read_value", v.read_value())
print("assign returns", type(v.assign([0.0, 0.0, 0.0, 0.0])).__name__, float(tf.reduce_sum(v)))
try:
    v.assign([1.0])
except ValueError as error:
    print("ValueError", "shape" in str(error).lower())
i = tf.Variable(7, name="counter", dtype=tf.int64)
i.assign_add(3)
print(i.numpy(), i.dtype.name, (i + 1).numpy(), tf.Variable("text").dtype.name, tf.Variable(True).dtype.name)
m = tf.Variable([[0.0]], shape=tf.TensorShape([None, 1]))
m.assign([[1.0], [2.0]])
print(m.shape, m.numpy().tolist())
