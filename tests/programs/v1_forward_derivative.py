"""Static graph: forward derivatives by reverse mode twice with fed dummies, Jacobian columns, and hessians of several sources."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1

rng = np.random.RandomState(7)
W = [tf.constant(rng.randn(1, 6) * 0.7), tf.constant(rng.randn(6, 3) * 0.5)]
x = v1.placeholder(tf.float64, shape=[None, 1])
dummy_u = v1.placeholder(tf.float64, shape=(None, 3))
dummy_2 = v1.placeholder(tf.float64, shape=(None, 3))


def net(v):
    return tf.matmul(tf.tanh(tf.matmul(v, W[0])), W[1])


def forward(U, v, dummy):
    g = tf.gradients(U, v, grad_ys=dummy)[0]
    return tf.gradients(g, dummy)[0]


U = net(x)
U_x = forward(U, x, dummy_u)
U_xx = forward(U_x, x, dummy_2)
columns = [tf.gradients(U[:, i:i + 1], x)[0] for i in range(3)]
second = [tf.gradients(c, x)[0] for c in columns]
points = np.linspace(-1, 1, 4)[:, None]
feed = {x: points, dummy_u: np.ones((4, 3)), dummy_2: np.ones((4, 3))}
with v1.Session() as sess:
    a, b = sess.run([U_x, U_xx], feed)
    c, d = sess.run([tf.concat(columns, 1), tf.concat(second, 1)], feed_dict={x: points})
    print("first", np.round(a, 5).tolist())
    print("agree", bool(np.allclose(a, c)), bool(np.allclose(b, d)), U_x.shape, U_xx.get_shape().as_list())
    other = sess.run(U_x, {x: points, dummy_u: np.full((4, 3), 17.0)})
    print("does not depend on the dummy", bool(np.allclose(a, other)))
    try:
        sess.run(U_x, {x: points})
        print("not fed: answered")
    except tf.errors.InvalidArgumentError:
        print("not fed: InvalidArgumentError")
    p = tf.constant([1.0, 2.0], tf.float64)
    q = tf.constant([[0.5], [-1.0]], tf.float64)
    f = tf.reduce_sum(p ** 3) * tf.reduce_sum(tf.exp(q))
    hp, hq = tf.hessians(f, [p, q])
    print("hessians", np.round(sess.run(hp), 4).tolist(), hq.shape, np.round(sess.run(hq), 4).ravel().tolist())
    for bad in (lambda: tf.hessians(p, p), lambda: tf.hessians(tf.constant(1.0), p)):
        try:
            print("gives", sess.run(bad()[0]).tolist())
        except Exception as error:
            print("raises", type(error).__name__)
