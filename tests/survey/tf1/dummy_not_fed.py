"""The same derivative forward, asked for without feeding the placeholder that it does not depend on."""
import numpy as np
import tensorflow as tf

x = tf.placeholder(tf.float32, shape=[None, 1])
dummy = tf.placeholder(tf.float32, shape=[None, 2])
U = tf.concat([tf.sin(x), x**3], 1)
g = tf.gradients(U, x, grad_ys=dummy)[0]
U_x = tf.gradients(g, dummy)[0]
sess = tf.Session()
points = np.array([[0.0], [0.5], [1.0]])
print(np.round(sess.run(U_x, {x: points}), 4))
print(sess.run(U_x, {x: points}).shape)
