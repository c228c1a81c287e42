"""Nested structures of targets and sources, output_gradients, unconnected gradients, and sources that repeat."""
import collections
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, tf.nest.map_structure(lambda v: (np.round(v.numpy(), 5) + 0.0).tolist(), value))


Pair = collections.namedtuple("Pair", "left right")
p = Pair(tf.constant([1.0, 2.0]), tf.constant(3.0))
d = {"b": tf.constant(0.5), "a": [tf.constant(1.5), (tf.constant(-1.0),)]}
with tf.GradientTape(persistent=True) as tape:
    tape.watch([p, d])
    y = tf.reduce_sum(p.left ** 2) * p.right + d["b"] * d["a"][0] * d["a"][1][0]
    z = {"one": p.left * 2.0, "two": p.right * d["b"]}
g = tape.gradient(y, p)
print(type(g).__name__)
show("pair", g)
show("dict", tape.gradient(y, d))
show("target dict", tape.gradient(z, p))
show("repeated source", tape.gradient(y, [p.right, p.right]))
show("tuple source", tape.gradient(y, (p.right, d["b"])))
print("type of tuple answer", type(tape.gradient(y, (p.right, d["b"]))).__name__)
show("empty source list", tape.gradient(y, []))

x = tf.constant([1.0, 2.0, 3.0])
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    u = x ** 2
    v = x[0] * x[2]
show("output_gradients", tape.gradient(u, x, output_gradients=tf.constant([1.0, 10.0, 100.0])))
show("list of them", tape.gradient([u, v], x, output_gradients=[tf.constant([1.0, 0.0, 0.0]), tf.constant(5.0)]))
show("one-hot seed", tape.gradient(u, x, output_gradients=tf.constant([0.0, 1.0, 0.0])))

w = tf.Variable([[1.0, 2.0]])
k = tf.Variable(4.0)
with tf.GradientTape(persistent=True) as tape:
    out = tf.reduce_sum(w * 3.0)
print("none", tape.gradient(out, [w, k])[1])
show("zero", tape.gradient(out, [w, k], unconnected_gradients=tf.UnconnectedGradients.ZERO))
show("'zero'", tape.gradient(out, {"k": k}, unconnected_gradients="zero"))
try:
    tape.gradient(out, k, unconnected_gradients="nothing")
except ValueError as error:
    print("ValueError", "nothing" in str(error))
print("is it the source?", tape.gradient(w, w).numpy().tolist())
