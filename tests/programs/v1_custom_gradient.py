"""Static graph: custom_gradient, gradient_override_map with RegisterGradient, py_func, stop_gradient tricks, IndexedSlices, a tape in the graph."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1


@tf.custom_gradient
def sign_through(x):
    return tf.sign(x), lambda dy: tf.where(tf.abs(x) <= 1.0, dy, tf.zeros_like(dy))


@tf.custom_gradient
def scaled_cube(x):
    def grad(dy):
        return dy * 30.0 * x ** 2
    return x ** 3, grad


@tf.RegisterGradient("TenTimes")
def _ten_times(op, grad):
    return grad * 10.0 * op.inputs[0]


x = v1.placeholder(tf.float32, [3])
y = sign_through(x)
z = scaled_cube(x)
g = tf.gradients(z, x)[0]
gg = tf.gradients(g, x)[0]
with v1.get_default_graph().gradient_override_map({"Identity": "TenTimes"}):
    overridden = tf.identity(x)
straight = x + tf.stop_gradient(tf.round(x) - x)
table = tf.Variable(np.arange(6, dtype=np.float32).reshape(3, 2))
rows = tf.gather(table, [2, 0, 2])
slices = tf.gradients(tf.reduce_sum(rows ** 2), table)[0]
mixed = tf.gradients(tf.reduce_sum(rows) + tf.reduce_sum(table), table)[0]
called = v1.py_func(lambda v: (v * 2.0).astype(np.float32), [x], tf.float32)
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    t = tf.exp(x) * x
    dt = tape.gradient(t, x)
ddt = tape.gradient(dt, x)
feed = {x: [0.5, -2.0, 1.6]}
with v1.Session() as sess:
    sess.run(v1.global_variables_initializer())
    print("sign", sess.run([y, tf.gradients(y, x)[0]], feed)[1].tolist())
    print("cube", np.round(sess.run([z, g, gg], feed), 4).tolist())
    print("override", np.round(sess.run(tf.gradients(overridden, x)[0], feed), 4).tolist())
    print("straight", sess.run([straight, tf.gradients(straight, x)[0]], feed)[0].tolist(), sess.run(tf.gradients(straight, x)[0], feed).tolist())
    print("slices", type(slices).__name__, type(mixed).__name__, slices.shape, slices.dtype.name)
    value = sess.run(slices)
    print(type(value).__name__, value.values.tolist(), value.indices.tolist(), value.dense_shape.tolist())
    print(sess.run(tf.convert_to_tensor(slices)).tolist(), sess.run(tf.convert_to_tensor(mixed)).tolist())
    print("py_func", sess.run(called, feed).tolist(), called.shape)
    try:
        print(tf.gradients(called, x))
    except LookupError as error:
        print("LookupError")
    print("tape", np.round(sess.run([dt, ddt], feed), 4).tolist(), isinstance(dt, tf.Tensor))
    w = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        loss = w ** 2
    dw = tape.gradient(loss, w)
    sess.run(w.initializer)
    print("variable in a tape", sess.run(dw), dw.shape)
    numpy = tf.numpy_function(lambda v: v + 1.0, [x], tf.float32)
    numpy.set_shape([3])
    print("numpy_function", sess.run(numpy, feed).tolist())
