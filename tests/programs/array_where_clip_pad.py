"""where and its NaN trap, clipping by value, norm and global norm, pad modes, and their gradients."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


def grad(label, function, *args):
    args = [tf.constant(a) for a in args]
    with tf.GradientTape() as tape:
        tape.watch(args)
        y = function(*args)
    show(label, y)
    for i, g in enumerate(tape.gradient(y, args)):
        show(f"{label} d{i}", g)


v = [-4.0, 0.0, 0.25, 9.0]
grad("trap", lambda x: tf.where(x > 0.0, tf.sqrt(x), 0.0)[2:], v)
with tf.GradientTape() as tape:
    x = tf.constant(v)
    tape.watch(x)
    y = tf.where(x > 0.0, tf.sqrt(x), tf.zeros_like(x))
print("trap", np.isnan(tape.gradient(y, x).numpy()).tolist())
grad("safe", lambda x: tf.where(x > 0.0, tf.sqrt(tf.where(x > 0.0, x, 1.0)), 0.0), v)
grad("broadcast", lambda a, b: tf.where([[True], [False]], a, b), [1.0, 2.0], 5.0)
grad("value", lambda x: tf.clip_by_value(x, 0.0, 1.0), v)
grad("value, tensor bounds", lambda x, lo, hi: tf.clip_by_value(x, lo, hi), v, [-1.0, 0.0, 1.0, 1.0], 5.0)
grad("norm", lambda x: tf.clip_by_norm(x, 2.0), [3.0, 4.0])
grad("norm below", lambda x: tf.clip_by_norm(x, 20.0), [3.0, 4.0])
grad("norm axis", lambda x: tf.clip_by_norm(x, 1.0, axes=[1]), [[3.0, 4.0], [0.3, 0.4]])
grad("norm of zero", lambda x: tf.clip_by_norm(x, 1.0), [0.0, 0.0])
grad("global", lambda a, b: tf.clip_by_global_norm([a, b], 2.5)[0][0], [3.0, 0.0], [4.0])
pieces, norm = tf.clip_by_global_norm([tf.constant([3.0, 0.0]), None, tf.constant([4.0])], 10.0)
print("global", [None if p is None else p.numpy().tolist() for p in pieces], float(norm))
show("global_norm", tf.linalg.global_norm([[3.0], [4.0], [12.0]]))
m = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
w = tf.constant(np.arange(1, 29, dtype=np.float32).reshape(4, 7))
for mode in ("CONSTANT", "REFLECT", "SYMMETRIC"):
    grad(mode, lambda x: tf.pad(x, [[1, 1], [2, 2]], mode=mode) * w, m)
grad("pad value", lambda x: tf.pad(x, [[0, 0], [1, 0]], constant_values=-7.0), m)
grad("constant_values tensor", lambda x, c: tf.pad(x, [[1, 0]], constant_values=c), [1.0], 3.0)
grad("square difference", tf.math.squared_difference, [1.0, 2.0], 3.0)
grad("divide_no_nan", tf.math.divide_no_nan, [1.0, 2.0], [0.0, 4.0])
grad("xlogy", tf.math.xlogy, [0.0, 2.0], [0.0, 4.0])
grad("atan2", tf.math.atan2, [1.0, -1.0], [-1.0, 2.0])
grad("lerp", lambda a, b, t: a + t * (b - a), [1.0, 2.0], [3.0, 5.0], 0.25)
