"""TensorFlow 2 imported, and TensorFlow 1's names taken from tf.compat.v1 one by one."""
import numpy as np
import tensorflow as tf

tf.compat.v1.disable_eager_execution()
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
tf.compat.v1.set_random_seed(0)
x = tf.compat.v1.placeholder(tf.float32, shape=[None, 1])
w = tf.Variable(np.full((1, 4), 0.7), dtype=tf.float32)
u = tf.reduce_sum(tf.sin(x * w), axis=1, keepdims=True)
u_xx = tf.gradients(tf.gradients(u, x)[0], x)[0]
loss = tf.reduce_mean(tf.square(u_xx + u))
optimizer = tf.compat.v1.train.AdamOptimizer(learning_rate=0.05)
train = optimizer.minimize(loss)
config = tf.compat.v1.ConfigProto(allow_soft_placement=True, log_device_placement=False)
with tf.compat.v1.Session(config=config) as sess:
    sess.run(tf.compat.v1.global_variables_initializer())
    feed = {x: np.linspace(0, 1, 6)[:, None]}
    for _ in range(5):
        sess.run(train, feed)
    print('%.5f' % sess.run(loss, feed), sess.run(w).round(4).tolist(), optimizer.get_slot(w, 'm') is not None)
print(tf.compat.v1.Dimension(3).value)
