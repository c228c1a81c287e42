"""Static graph: tf.gradients of orders one to four, lists, None, grad_ys, stop_gradients, aggregation, unconnected, a weighted loss."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()

x = tf.compat.v1.placeholder(tf.float64, [None], name="x")
y = tf.constant([1.0, -2.0], tf.float64)
u = tf.sin(x) * y
v = x ** 3 + y
d = [u]
for _ in range(4):
    d.append(tf.gradients(d[-1], x)[0])
both = tf.gradients([u, v], [x, y])
weighted = tf.gradients([u, v], [x], grad_ys=[tf.constant([1.0, 0.0], tf.float64), tf.fill([2], tf.constant(10.0, tf.float64))])
w = x * 2.0
z = w * x
full, = tf.gradients(z, x)
part, = tf.gradients(z, x, stop_gradients=[w])
inner = tf.gradients(z, [w, x], stop_gradients=[w])
feed = {x: [0.5, -1.0]}
with tf.compat.v1.Session() as sess:
    for k, value in enumerate(sess.run(d, feed)):
        print("order", k, np.round(value, 5).tolist())
    print("both", [np.round(g, 5).tolist() for g in sess.run(both, feed)])
    print("grad_ys", np.round(sess.run(weighted, feed), 5).tolist())
    print("stop", sess.run([full, part], feed)[0].tolist(), sess.run(part, feed).tolist(), [g.tolist() for g in sess.run(inner, feed)])
    for name in ("ADD_N", "EXPERIMENTAL_TREE", "EXPERIMENTAL_ACCUMULATE_N", "DEFAULT"):
        g = tf.gradients(x * x + x + tf.exp(x), x, aggregation_method=getattr(tf.AggregationMethod, name))
        print(name, np.round(sess.run(g[0], feed), 5).tolist())
    print("none", tf.gradients(y, x), tf.gradients(tf.stop_gradient(x), x), tf.gradients(tf.cast(x, tf.int32), x))
    print("zero", sess.run(tf.gradients(y, x, unconnected_gradients=tf.UnconnectedGradients.ZERO), feed)[0].tolist())
    print("gate, names", sess.run(tf.gradients(x * y, x, name="mine", gate_gradients=True)[0], feed).tolist(), tf.gradients(x * y, x, name="mine")[0].name.startswith("mine"))
    scalar = tf.reduce_mean(tf.square(u - 0.5))
    print("loss %.5f" % sess.run(scalar, feed), np.round(sess.run(tf.gradients(scalar, x)[0], feed), 5).tolist())
    intermediate = tf.gradients(scalar, u)[0]
    print("by intermediate", np.round(sess.run(intermediate, feed), 5).tolist())
    print("itself", sess.run(tf.gradients(x, x), feed)[0].tolist())
    linear = tf.gradients(tf.gradients(3.0 * x + 1.0, x), x)
    print("linear twice", linear)
    dummy = tf.ones_like(x)
    g = tf.gradients(x ** 2, x, grad_ys=dummy)[0]
    print("forward", sess.run(tf.gradients(g, dummy)[0], feed).tolist())
for bad in (lambda: tf.gradients(u, None), lambda: tf.gradients(u, x, grad_ys=[1.0, 2.0]), lambda: tf.gradients(u, "x"), lambda: tf.gradients(tf.argmax(x), x),
            lambda: tf.gradients(u, x, unconnected_gradients="bad"), lambda: tf.gradients([], x), lambda: tf.gradients(u, [])):
    try:
        print("gives", bad())
    except Exception as error:
        print("raises", type(error).__name__)
