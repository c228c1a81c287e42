"""Weights saved and restored, all or some."""
import os
import shutil
import tempfile

import numpy as np
import tensorflow as tf

folder = tempfile.mkdtemp()
W = tf.Variable(np.arange(6.0).reshape(2, 3), dtype=tf.float32, name="W")
b = tf.Variable(tf.ones([1, 3]), dtype=tf.float32, name="b", trainable=True)
x = tf.placeholder(tf.float32, shape=[None, 2])
y = tf.add(tf.matmul(x, W), b)
loss = tf.reduce_mean(tf.square(y))
train_op = tf.train.AdamOptimizer(learning_rate=0.1).minimize(loss)
saver = tf.train.Saver()
weights_saver = tf.train.Saver([W])
sess = tf.Session()
sess.run(tf.global_variables_initializer())
feed = {x: np.ones((4, 2))}
for _ in range(3):
    sess.run(train_op, feed)
path = saver.save(sess, os.path.join(folder, 'model.ckpt'))
print(os.path.basename(path), '%.5f' % sess.run(loss, feed))
weights_saver.save(sess, os.path.join(folder, 'weights'))
kept = sess.run([W, b])
for _ in range(5):
    sess.run(train_op, feed)
print('%.5f' % sess.run(loss, feed))
later = sess.run(b)
weights_saver.restore(sess, os.path.join(folder, 'weights'))
print(np.array_equal(sess.run(W), kept[0]), np.array_equal(sess.run(b), later))
saver.restore(sess, path)
print(np.array_equal(sess.run(b), kept[1]), '%.5f' % sess.run(loss, feed))
sess.run(train_op, feed)
print('%.5f' % sess.run(loss, feed))
shutil.rmtree(folder)
