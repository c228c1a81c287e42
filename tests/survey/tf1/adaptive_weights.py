"""Weights of a loss from the statistics of its gradients, by layers; the Adam of the rest in a scope."""
import numpy as np
import tensorflow as tf

np.random.seed(8)
layers = [2, 8, 8, 1]
weights = [tf.Variable(np.random.randn(a, b) / np.sqrt(a), dtype=tf.float32) for a, b in zip(layers, layers[1:])]
biases = [tf.Variable(tf.zeros(shape=[1, b]), dtype=tf.float32) for b in layers[1:]]
x_tf = tf.placeholder(tf.float32, shape=(None, 2))
u_tf = tf.placeholder(tf.float32, shape=(None, 1))
adaptive_constant_tf = tf.placeholder(tf.float32, shape=())


def forward_pass(H):
    for W, b in zip(weights[:-1], biases[:-1]):
        H = tf.nn.tanh(tf.add(tf.matmul(H, W), b))
    return tf.add(tf.matmul(H, weights[-1]), biases[-1])


u = forward_pass(x_tf)
u_x = tf.gradients(u, x_tf, colocate_gradients_with_ops=True)[0]
f = tf.reduce_sum(u_x, axis=1, keepdims=True) + u
loss_res = tf.reduce_mean(tf.square(f))
loss_bcs = tf.reduce_mean(tf.abs(u_tf - u) ** 2)
loss = loss_res + adaptive_constant_tf * loss_bcs
grad_res, grad_bcs = [], []
for i in range(len(layers) - 1):
    grad_res.append(tf.gradients(loss_res, weights[i])[0])
    grad_bcs.append(tf.gradients(loss_bcs, weights[i])[0])
max_grad_res_list, mean_grad_bcs_list = [], []
for i in range(len(layers) - 1):
    max_grad_res_list.append(tf.reduce_max(tf.abs(grad_res[i])))
    mean_grad_bcs_list.append(tf.reduce_mean(tf.abs(grad_bcs[i])))
max_grad_res = tf.reduce_max(tf.stack(max_grad_res_list))
mean_grad_bcs = tf.reduce_mean(tf.stack(mean_grad_bcs_list))
adaptive_constant = max_grad_res / mean_grad_bcs
products = tf.map_fn(lambda row: tf.reduce_sum(tf.matmul(row[None, :], weights[0])), x_tf, dtype=tf.float32)
doubled = tf.map_fn(lambda r: 2.0 * r, x_tf, tf.float32)
train_op = tf.train.AdamOptimizer(1e-2).minimize(loss)
sess = tf.Session(config=tf.ConfigProto(log_device_placement=False))
sess.run(tf.global_variables_initializer())
X = np.random.rand(20, 2)
value = 1.0
for it in range(6):
    feed = {x_tf: X, u_tf: np.cos(X[:, :1]), adaptive_constant_tf: value}
    sess.run(train_op, feed)
    if it % 2 == 0:
        value = 0.9 * value + 0.1 * sess.run(adaptive_constant, feed)
        print('it %d loss %.4e weight %.4f' % (it, sess.run(loss, feed), value))
print('%.4f' % sess.run(tf.reduce_sum(products), feed), np.abs(sess.run(doubled, feed) - 2 * X).max() < 1e-6)
