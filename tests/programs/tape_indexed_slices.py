"""IndexedSlices: from gather, added up, through dense ops, from variables and lookups, into updates."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


w = tf.Variable(np.arange(8.0).reshape(4, 2))
with tf.GradientTape(persistent=True) as tape:
    rows = tf.gather(w, [2, 0, 2])
    y = tf.reduce_sum(rows ** 2)
    dense = tf.reduce_sum(w * 3.0)
    both = y + dense
    twice = y + tf.reduce_sum(tf.gather(w, [3]))
    axis1 = tf.reduce_sum(tf.gather(w, [1], axis=1) ** 2)
g = tape.gradient(y, w)
print(type(g).__name__, g.dtype.name, g.shape)
show("values", g.values)
show("indices", g.indices)
show("dense_shape", g.dense_shape)
show("to dense", tf.convert_to_tensor(g))
print("with a dense term", type(tape.gradient(both, w)).__name__)
show("with a dense term", tape.gradient(both, w))
g2 = tape.gradient(twice, w)
print("two gathers", type(g2).__name__)
show("two gathers", tf.convert_to_tensor(g2))
print("axis 1", type(tape.gradient(axis1, w)).__name__)
show("axis 1", tape.gradient(axis1, w))

e = tf.Variable(np.eye(3, dtype=np.float32))
with tf.GradientTape() as tape:
    out = tf.reduce_sum(tf.nn.embedding_lookup(e, [0, 0, 1]) * [1.0, 2.0, 3.0])
g = tape.gradient(out, e)
print("embedding", type(g).__name__)
show("embedding", tf.convert_to_tensor(g))
e.scatter_sub(tf.IndexedSlices(g.values, g.indices))
show("after scatter_sub", e)

c = tf.constant([1.0, 2.0, 3.0])
with tf.GradientTape() as tape:
    tape.watch(c)
    out = tf.gather(c, [1, 1])
g = tape.gradient(out, c)
print("constant", type(g).__name__)
show("constant", tf.convert_to_tensor(g))
show("negated", tf.convert_to_tensor(-g))
show("scaled", tf.convert_to_tensor(tf.math.scalar_mul(3.0, g)))
show("global norm", tf.linalg.global_norm([g]))
clipped, norm = tf.clip_by_global_norm([g], 1.0)
show("clipped", [norm, tf.reduce_sum(clipped[0].values)])
s = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([1]), dense_shape=tf.constant([3, 2]))
show("made by hand", tf.convert_to_tensor(s))
try:
    tf.convert_to_tensor(tf.IndexedSlices(tf.constant([1.0]), tf.constant([1])))
except ValueError as error:
    print("no dense_shape", type(error).__name__)
