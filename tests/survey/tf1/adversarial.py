"""A generator and a discriminator: layers in scopes used twice, and two optimisers."""
import numpy as np
import tensorflow as tf

np.random.seed(4)
tf.set_random_seed(4)


def generator(z, reuse=False):
    with tf.variable_scope("generator", reuse=reuse):
        h = tf.layers.dense(inputs=z, units=8, activation=tf.nn.tanh)
        h = tf.layers.dense(inputs=h, units=8, activation=tf.nn.relu)
        return tf.layers.dense(inputs=h, units=1, activation=None)


def discriminator(y, reuse=None):
    with tf.variable_scope("discriminator", reuse=reuse):
        h = tf.layers.dense(inputs=y, units=8, activation=tf.nn.relu)
        return tf.layers.dense(inputs=h, units=1, activation=tf.nn.sigmoid)


with tf.variable_scope("coefficient"):
    k = tf.Variable(tf.contrib.layers.xavier_initializer()([1, 1]), name="k")
z_tf = tf.placeholder(tf.float32, shape=[None, 2])
y_tf = tf.placeholder(tf.float32, shape=[None, 1])
fake = generator(z_tf)
again = generator(z_tf, reuse=True)
real_logit, fake_logit = discriminator(y_tf), discriminator(fake, reuse=True)
D_loss = -tf.reduce_mean(tf.log(real_logit + 1e-8) + tf.log(1.0 - fake_logit + 1e-8))
G_loss = tf.reduce_mean(-tf.log(fake_logit + 1e-8)) + 1e-3 * tf.reduce_sum(k * k)
G_vars = [v for v in tf.trainable_variables() if v.name.startswith("generator")]
D_vars = [v for v in tf.trainable_variables() if v.name.startswith("discriminator")]
print(len(G_vars), len(D_vars), sorted(v.name for v in D_vars))
train_D = tf.train.AdamOptimizer(learning_rate=1e-3).minimize(D_loss, var_list=D_vars)
train_G = tf.train.AdamOptimizer(learning_rate=1e-3).minimize(G_loss, var_list=G_vars)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    z, y = np.random.randn(30, 2), np.random.randn(30, 1)
    feed = {z_tf: z, y_tf: y}
    one, two = sess.run([fake, again], feed)
    print(one.shape, np.array_equal(one, two))
    for _ in range(3):
        before = sess.run([G_vars[0], D_vars[0]])
        sess.run(train_D, feed)
        sess.run(train_G, feed)
    after = sess.run([G_vars[0], D_vars[0]])
    print([not np.array_equal(p, q) for p, q in zip(before, after)], np.isfinite(sess.run([D_loss, G_loss], feed)))
    p = sess.run(real_logit, feed)
    print(p.min() > 0, p.max() < 1)
