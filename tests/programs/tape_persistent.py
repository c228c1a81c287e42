"""Persistent and one-shot tapes, several targets, recording paused and reset, gradients taken inside the tape."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


x = tf.constant([0.5, -1.25, 2.0], tf.float64)
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    y = x * x * x
    z = tf.exp(y / 8.0)
    s = tf.reduce_sum(z) + tf.reduce_mean(y)
show("dy/dx", tape.gradient(y, x))
show("dz/dx", tape.gradient(z, x))
show("dz/dy", tape.gradient(z, y))
show("ds/dy", tape.gradient(s, y))
show("ds/d(x,y)", tape.gradient(s, x))
show("sum of targets", tape.gradient([y, z], x))
print("list of sources", [g.shape.as_list() for g in tape.gradient(s, [x, y, z])])
del tape

tape = tf.GradientTape()
with tape:
    tape.watch(x)
    y = tf.sin(x)
show("first", tape.gradient(y, x))
try:
    tape.gradient(y, x)
except RuntimeError as error:
    print("second:", type(error).__name__, "non-persistent" in str(error))

with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    a = x ** 2
    with tape.stop_recording():
        b = x ** 3
    c = a + b
show("paused: through a only", tape.gradient(c, x))
show("paused: b", tape.gradient(b, x))

with tf.GradientTape() as tape:
    tape.watch(x)
    a = x * 7.0
    tape.reset()
    tape.watch(x)
    b = x * 3.0
show("reset", tape.gradient(a + b, x))

with tf.GradientTape() as tape:
    tape.watch(x)
    a = x * 7.0
    tape.reset()
    tape.watch(x)
    b = a + x * 3.0
show("reset, later sum", tape.gradient(b, x))

with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    y = x ** 4
    g = tape.gradient(y, x)
    h = tape.gradient(g, x)
show("inside: first", g)
show("inside: second", h)
show("inside: third", tape.gradient(h, x))

t1, t2 = tf.GradientTape(), tf.GradientTape()
u = tf.constant(2.0)
v = tf.constant(3.0)
with t1:
    t1.watch(u)
    with t2:
        t2.watch(v)
        w = u * u * v
show("t1", t1.gradient(w, u))
show("t2", t2.gradient(w, v))
