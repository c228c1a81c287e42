"""A decaying rate, a counter of steps, and optimisers over parts of the variables, over one loss."""
import numpy as np
import tensorflow as tf

np.random.seed(2)
X = np.random.rand(30, 2)
w = tf.Variable(np.array([[0.3], [-0.2]]), dtype=tf.float32)
b = tf.Variable(np.zeros([1, 1]), dtype=tf.float32, trainable=True)
fixed = tf.Variable(2.0, trainable=False)
named = tf.Variable(0.5, name="named")
X_tf = tf.placeholder(tf.float32)
y_tf = tf.placeholder(tf.float32, [None, 1])
z_tf = tf.placeholder(tf.float32, shape=[None, 1], name="z")
loss = tf.reduce_mean(tf.square(fixed * tf.tanh(tf.matmul(X_tf, w) + b) + named - y_tf)) + tf.reduce_mean(z_tf)

global_step = tf.Variable(0, trainable=False)
starter_learning_rate = 1e-1
learning_rate = tf.train.exponential_decay(starter_learning_rate, global_step, 3, 0.5, staircase=True)
smooth = tf.train.exponential_decay(starter_learning_rate, global_step, 3, 0.5, staircase=False)
train_op = tf.train.AdamOptimizer(learning_rate).minimize(loss, global_step=global_step)
train_b = tf.train.AdamOptimizer(learning_rate=0.01).minimize(loss, global_step=global_step, var_list=[b])
train_w = tf.train.AdamOptimizer(learning_rate=0.01, beta1=0.8, beta2=0.9, epsilon=1e-6).minimize(loss, var_list=[w])
plain = tf.train.GradientDescentOptimizer(0.05).minimize(loss)

sess = tf.Session()
sess.run(tf.global_variables_initializer())
feed = {X_tf: X, y_tf: np.sin(X[:, :1]), z_tf: 0 * X[:, :1]}
for it in range(7):
    print(sess.run(train_op, feed_dict=feed))
    print('%d %.4f %.5f' % tuple(sess.run([global_step, learning_rate, smooth])))
for op in (train_b, train_w, plain):
    before = sess.run([w, b, named, fixed])
    sess.run(op, feed)
    after = sess.run([w, b, named, fixed])
    print([not np.array_equal(p, q) for p, q in zip(before, after)], sess.run(global_step))
print('%.5f' % (sess.run(loss, feed)), sess.run(w).round(4).tolist())
