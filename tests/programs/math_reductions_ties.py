"""Reductions and their gradients, the ties of max, min, maximum, clip and sort, and empty reductions."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


def grad(label, function, *args):
    args = [tf.constant(a, tf.float64) for a in args]
    with tf.GradientTape() as tape:
        tape.watch(args)
        y = function(*args)
    for i, g in enumerate(tape.gradient(y, args)):
        show(f"{label} d{i}", g)


m = [[1.0, 3.0, 3.0], [2.0, 2.0, -1.0]]
for name in ["sum", "mean", "max", "min", "prod", "logsumexp", "variance", "std", "euclidean_norm"]:
    f = getattr(tf.math, "reduce_" + name)
    show(name, f(tf.constant(m, tf.float64), axis=1))
    grad(name, f, m)
    grad(name + " axis 0 keep", lambda v: f(v, axis=0, keepdims=True), m)
grad("max axis -1", lambda v: tf.reduce_max(v, -1), m)
grad("max both axes", lambda v: tf.reduce_max(v, [0, 1]), [[5.0, 5.0], [1.0, 5.0]])
grad("prod with a zero", tf.reduce_prod, [0.0, 2.0, 3.0])
grad("prod with two zeros", tf.reduce_prod, [0.0, 0.0, 3.0])
grad("maximum tie", tf.maximum, [1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
grad("minimum tie", tf.minimum, [1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
grad("maximum broadcast", tf.maximum, [[1.0, 2.0], [3.0, 2.0]], 2.0)
grad("clip bounds", lambda v: tf.clip_by_value(v, -1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0])
grad("relu at 0", tf.nn.relu, [-1.0, 0.0, 1.0])
grad("relu6 bounds", tf.nn.relu6, [-1.0, 0.0, 3.0, 6.0, 7.0])
grad("leaky at 0", lambda v: tf.nn.leaky_relu(v, 0.25), [-1.0, 0.0, 1.0])
grad("elu at 0", tf.nn.elu, [-1.0, 0.0, 1.0])
grad("abs at 0", tf.abs, [-1.0, 0.0, 1.0])
grad("sort ties", lambda v: tf.sort(v) * tf.constant([1.0, 10.0, 100.0], tf.float64), [2.0, 2.0, 1.0])
grad("sort down", lambda v: tf.sort(v, direction="DESCENDING") * tf.constant([1.0, 10.0, 100.0], tf.float64), [2.0, 2.0, 1.0])
grad("top_k ties", lambda v: tf.math.top_k(v, 2).values * tf.constant([1.0, 10.0], tf.float64), [2.0, 1.0, 2.0, 2.0])
print("top_k", [v.numpy().tolist() for v in tf.math.top_k([2.0, 1.0, 2.0, 2.0], 3)])
print("argsort", tf.argsort([3, 1, 2, 1]).numpy().tolist(), tf.argmax([1, 5, 5]).numpy(), tf.argmin([[2, 1], [0, 3]], axis=1).numpy().tolist())
print("all any", bool(tf.reduce_all([True, False])), bool(tf.reduce_any([True, False])), tf.math.count_nonzero([0, 1, 2]).numpy())
e = tf.zeros([0, 2])
print("empty", tf.reduce_sum(e).numpy(), tf.reduce_prod(e).numpy(), tf.reduce_max(e, 0).numpy().tolist(), np.isnan(tf.reduce_mean(e).numpy()))
print("int mean", tf.reduce_mean([1, 2, 4]).numpy(), "int sum", tf.reduce_sum([[1, 2], [3, 4]], 0).numpy().tolist())
