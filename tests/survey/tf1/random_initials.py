"""Initial values at random: no two libraries draw the same, so shapes and bounds are printed."""
import numpy as np
import tensorflow as tf

tf.set_random_seed(1234)
tf.random.set_random_seed(1234)


def xavier_init(size):
    in_dim, out_dim = size
    xavier_stddev = np.sqrt(2 / (in_dim + out_dim))
    return tf.Variable(tf.truncated_normal([in_dim, out_dim], stddev=xavier_stddev), dtype=tf.float32)


def xavier_init_typed(size):
    return tf.Variable(tf.truncated_normal(size, stddev=0.1, dtype=tf.float32), dtype=tf.float32, name="W", trainable=True)


W1, W2 = xavier_init([40, 50]), xavier_init_typed([40, 50])
b = tf.Variable(tf.random_normal([1, 50], dtype=tf.float32), dtype=tf.float32, name="b")
c = tf.Variable(tf.random_normal([30, 30], stddev=0.5), name="c")
d = tf.Variable(tf.random_normal(mean=3.0, shape=[40, 40], stddev=0.1))
x = tf.random_uniform([20, 1], minval=-1.0, maxval=2.0, dtype=tf.float32)
n = tf.random.normal([50, 2], dtype=tf.float32)
u = tf.random.uniform([50, 2])
xavier = tf.contrib.layers.xavier_initializer()
G = tf.Variable(xavier([20, 30]))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    w1, w2, cc, dd, g = sess.run([W1, W2, c, d, G])
    print(w1.shape, w1.dtype, abs(w1).max() < 2.001 * np.sqrt(2 / 90), w1.std() > 0.1)
    print(w2.shape, abs(w2).max() < 0.2001, 0.07 < w2.std() < 0.1)
    print(sess.run(b).shape, abs(cc.std() - 0.5) < 0.05, abs(dd.mean() - 3.0) < 0.05)
    xs = sess.run(x)
    print(xs.shape, xs.min() >= -1, xs.max() < 2)
    print(sess.run(n).shape, sess.run(u).shape, g.shape, abs(g).max() <= np.sqrt(6 / 50))
    print(np.array_equal(sess.run(x), sess.run(x)), np.array_equal(sess.run(W1), w1))
