"""Nadam of tf.contrib on two parts of the variables, with a writer of summaries."""
import os
import shutil
import tempfile

import numpy as np
import tensorflow as tf

np.random.seed(9)
x = tf.placeholder(tf.float64, shape=[None, 1])
w = tf.Variable(np.random.randn(1, 6), dtype=tf.float64, name="w")
v = tf.Variable(np.random.randn(6, 1), dtype=tf.float64, name="v")
a = tf.Variable(np.ones((6,)), dtype=tf.float64, trainable=True)
u = tf.matmul(tf.tanh(a * tf.matmul(x, w)), v)
u_x = tf.gradients(u, x)[0]
loss = tf.reduce_mean(tf.math.multiply(u_x - tf.cos(x), u_x - tf.cos(x))) + tf.math.sqrt(0.01 + tf.reduce_sum(tf.square(u[0] - tf.sin(x[0]))))
train_w = tf.contrib.opt.NadamOptimizer(learning_rate=0.01).minimize(loss, var_list=[w, v])
train_a = tf.contrib.opt.NadamOptimizer(learning_rate=0.02)
train_a_op = train_a.minimize(loss, var_list=[a])
folder = tempfile.mkdtemp()
merged = tf.summary.merge_all()
sess = tf.Session()
writer = tf.summary.FileWriter(os.path.join(folder, 'logs'), sess.graph)
sess.run(tf.global_variables_initializer())
X = np.linspace(0, 1, 12)[:, None]
for it in range(6):
    sess.run(train_w, {x: X})
    sess.run(train_a_op, {x: X})
    print('%.6f' % sess.run(loss, {x: X}))
print(merged is None, sess.run(a).round(5).tolist())
writer.close()
shutil.rmtree(folder)
