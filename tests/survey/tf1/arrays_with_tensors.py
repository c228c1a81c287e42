"""float64 arrays of NumPy and float32 tensors, in either order; and what a tensor tells of itself."""
import numpy as np
import tensorflow as tf

x = tf.placeholder(tf.float32, shape=[None, 3], name="x")
w = tf.Variable(np.ones((3, 2)), dtype=tf.float32)
scale = np.array([[1.0, 2.0, 3.0]])
outcomes = [scale * x, x * scale, scale + x, x - scale, scale - x, x / scale, scale / (1.0 + x * x), x**2, 2.0**x,
            np.float64(0.5) * x, x * np.pi, np.ones((2, 3)) * w[:2, 0:1], tf.matmul(x, scale.T), -x + 1]
for y in outcomes:
    assert isinstance(y, tf.Tensor) and y.dtype == tf.float32, y
print(x.name, x.shape.as_list(), x.get_shape().as_list(), w.shape[1].value, int(w.get_shape()[0]))
y = tf.matmul(x, w)
y.set_shape([4, 2])
print(y.shape, len(tf.split(y, num_or_size_splits=y.shape[1], axis=1)), y.get_shape().as_list(), w.dtype.base_dtype.name)
feed = {x: np.arange(12.0).reshape(4, 3)}
with tf.Session().as_default() as sess:
    sess.run(tf.global_variables_initializer())
    print(y.eval(feed_dict=feed).tolist(), w.eval().sum())
    feed = {x: np.arange(6.0).reshape(2, 3) + 1}
    for value in sess.run(outcomes, feed):
        print(value.dtype, np.round(value, 4).tolist())
    op, (p, q), d = sess.run([tf.global_variables_initializer(), (w, outcomes[0]), {"x": outcomes[1]}], feed)
    print(op, p.shape, q.shape, sorted(d))
