"""Where the gradient is None, where it is zeros, and what breaks the chain."""
import numpy as np
import tensorflow as tf

x = tf.constant([1.5, -0.5, 2.0])


def grad(label, function, source=x):
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = function(source)
    try:
        g = tape.gradient(y, source)
        print(label, None if g is None else (np.asarray(g) + 0.0).tolist())
    except Exception as error:
        print(label, "raises", type(error).__name__)


grad("stop_gradient", lambda v: tf.stop_gradient(v) * 2.0)
grad("partly stopped", lambda v: v * tf.stop_gradient(v))
grad("numpy", lambda v: tf.constant(v.numpy() ** 2))
grad("cast to int", lambda v: tf.cast(v, tf.int32))
grad("cast to int and back", lambda v: tf.cast(tf.cast(v, tf.int32), tf.float32) * v)
grad("argmax", lambda v: tf.argmax(v))
grad("constant", lambda v: tf.constant(3.0))
grad("ones_like", lambda v: tf.ones_like(v))
grad("zeros_like", lambda v: tf.zeros_like(v))
grad("shape", lambda v: tf.cast(tf.shape(v), tf.float32))
grad("greater", lambda v: tf.cast(v > 0.0, tf.float32))
grad("sign", tf.sign)
grad("floor", tf.floor)
grad("ceil", tf.math.ceil)
grad("round", tf.round)
grad("rint", tf.math.rint)
grad("floordiv", lambda v: v // 2.0)
grad("mod", lambda v: v % 2.0)
grad("relu", tf.nn.relu)
grad("identity", tf.identity)
grad("where cond", lambda v: tf.where(v > 0.0, 1.0, 2.0))
grad("where value", lambda v: tf.where(v > 0.0, v * 2.0, -v))
grad("multiply by zero", lambda v: v * 0.0)
grad("multiply_no_nan", lambda v: tf.math.multiply_no_nan(v, tf.zeros(3)))
grad("python float", lambda v: float(v[0]) * 2.0)
grad("itself", lambda v: v)
grad("assert only", lambda v: tf.debugging.check_numerics(v, "ok"))
grad("histogram", lambda v: tf.histogram_fixed_width(v, [0.0, 2.0], 2))
grad("adjust_contrast", lambda v: tf.image.adjust_contrast(tf.reshape(v, [1, 3, 1]), 2.0))
grad("nextafter", lambda v: tf.math.nextafter(v, v + 1.0))
grad("int source", lambda v: v * 2, tf.constant([1, 2]))

y_outside = x * 3.0
with tf.GradientTape() as tape:
    tape.watch(x)
    z = x * 5.0
print("target made outside", tape.gradient(y_outside, x))
with tf.GradientTape() as tape:
    z = x * 5.0
    tape.watch(x)
print("watched late", tape.gradient(z, x))
with tf.GradientTape() as tape:
    tape.watch(x)
    z = tf.reduce_sum(x[1:] ** 2)
print("slice taken again", tape.gradient(z, x[1:]))
