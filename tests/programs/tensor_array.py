"""TensorArray: write, read, stack, unstack, gather, scatter, concat, split, gradients through it, eagerly and in loops of a function."""
import numpy as np
import tensorflow as tf


def use(x):
    ta = tf.TensorArray(tf.float32, size=3, clear_after_read=False)
    for i in range(3):
        ta = ta.write(i, x * float(i + 1) ** 2)
    return ta.stack(), ta.read(1), ta.gather([2, 0]), ta.size()


@tf.function
def recurrence(x, n):
    ta = tf.TensorArray(tf.float32, size=n, element_shape=[])
    state = x
    for i in tf.range(n):
        state = state * 0.5 + tf.sin(state)
        ta = ta.write(i, state)
    return ta.stack()


@tf.function
def euler(a, steps):
    h = 0.1
    ta = tf.TensorArray(tf.float32, 0, dynamic_size=True)
    y = tf.constant(1.0)
    for i in tf.range(steps):
        y = y + h * a * y
        ta = ta.write(ta.size(), y)
    return ta.stack()


x = tf.constant([1.0, 2.0])
for f in (use, tf.function(use)):
    with tf.GradientTape() as tape:
        tape.watch(x)
        stacked, read, gathered, size = f(x)
        s = tf.reduce_sum(stacked ** 2) + tf.reduce_sum(read) + tf.reduce_sum(gathered[0] * 3.0)
    print(stacked.numpy().tolist(), read.numpy().tolist(), gathered.numpy().tolist(), int(size), tape.gradient(s, x).numpy().tolist())
v = tf.constant(0.75)
with tf.GradientTape(persistent=True) as tape:
    tape.watch(v)
    r = recurrence(v, tf.constant(4))
    last = r[-1]
print(np.round(r.numpy(), 5).tolist(), "%.5f" % tape.gradient(last, v), "%.5f" % tape.gradient(r, v))
a = tf.constant(-0.5)
with tf.GradientTape() as tape:
    tape.watch(a)
    path = euler(a, 5)
print(np.round(path.numpy(), 5).tolist(), "%.5f" % tape.gradient(path, a))
ta = tf.TensorArray(tf.float32, size=2).unstack(tf.constant([[1.0, 2.0], [3.0, 4.0]]))
print(ta.read(1).numpy().tolist(), int(ta.size()), ta.dtype.name)
ta = tf.TensorArray(tf.float32, size=2, infer_shape=False).split(tf.constant([1.0, 2.0, 3.0]), [1, 2])
print(ta.concat().numpy().tolist())
ta = tf.TensorArray(tf.int32, size=3).scatter([2, 0], tf.constant([20, 5]))
print(ta.stack().numpy().tolist())
for bad in (lambda: tf.TensorArray(tf.float32, 2).read(5), lambda: tf.TensorArray(tf.float32, 2).write(7, 1.0), lambda: tf.TensorArray(tf.float32, 2).write(0, 1)):
    try:
        bad()
        print("passes")
    except Exception as error:
        print(type(error).__name__)
