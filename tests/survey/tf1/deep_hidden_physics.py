"""One network for the solution, one for the equation behind it, two losses, two L-BFGS optimisers by lists of variables."""
import numpy as np
import tensorflow as tf

np.random.seed(5)
tf.set_random_seed(5)


def initialize_NN(layers):
    weights, biases = [], []
    for a, b in zip(layers[:-1], layers[1:]):
        weights.append(tf.Variable(np.random.normal(0, np.sqrt(2.0 / (a + b)), [a, b]), dtype=tf.float32))
        biases.append(tf.Variable(tf.zeros([1, b], dtype=tf.float32), dtype=tf.float32))
    return weights, biases


def neural_net(X, weights, biases):
    H = X
    for W, b in zip(weights[:-1], biases[:-1]):
        H = tf.sin(tf.add(tf.matmul(H, W), b))
    return tf.add(tf.matmul(H, weights[-1]), biases[-1])


class DeepHPM:
    def __init__(self, t, x, u, u_layers, pde_layers):
        self.t, self.x, self.u = t, x, u
        self.u_weights, self.u_biases = initialize_NN(u_layers)
        self.pde_weights, self.pde_biases = initialize_NN(pde_layers)
        self.sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True, log_device_placement=False))
        self.t_tf = tf.placeholder(tf.float32, shape=[None, 1])
        self.u_tf = tf.placeholder(tf.float32, shape=[None, 1])
        self.x_tf = tf.placeholder(tf.float32, shape=[None, 1])
        self.terms_tf = tf.placeholder(tf.float32, shape=[None, pde_layers[0]])
        self.idn_u_pred = self.idn_net_u(self.t_tf, self.x_tf)
        self.pde_pred = self.net_pde(self.terms_tf)
        self.idn_f_pred = self.idn_net_f(self.t_tf, self.x_tf)
        self.idn_u_loss = tf.reduce_sum(tf.square(self.idn_u_pred - self.u_tf))
        self.idn_f_loss = tf.reduce_sum(tf.square(self.idn_f_pred))
        options = {'maxiter': 5, 'maxfun': 5, 'maxcor': 50, 'maxls': 50, 'ftol': 1.0 * np.finfo(float).eps}
        self.idn_u_optimizer = tf.contrib.opt.ScipyOptimizerInterface(
            self.idn_u_loss, var_list=self.u_weights + self.u_biases, method='L-BFGS-B', options=options)
        self.idn_f_optimizer = tf.contrib.opt.ScipyOptimizerInterface(
            self.idn_f_loss, var_list=self.pde_weights + self.pde_biases, method='L-BFGS-B', options=options)
        self.adam = tf.train.AdamOptimizer()
        self.idn_u_train_op = self.adam.minimize(self.idn_u_loss, var_list=self.u_weights + self.u_biases)
        self.idn_f_train_op = tf.train.AdamOptimizer(learning_rate=0.01).minimize(
            self.idn_f_loss, var_list=self.pde_weights + self.pde_biases)
        self.sess.run(tf.global_variables_initializer())

    def idn_net_u(self, t, x):
        return neural_net(2.0 * tf.concat([t, x], 1) - 1.0, self.u_weights, self.u_biases)

    def net_pde(self, terms):
        return neural_net(terms, self.pde_weights, self.pde_biases)

    def idn_net_f(self, t, x):
        u = self.idn_net_u(t, x)
        u_t = tf.gradients(u, t)[0]
        u_x = tf.gradients(u, x)[0]
        u_xx = tf.gradients(u_x, x)[0]
        return u_t - self.net_pde(tf.concat([u, u_x, u_xx], 1))

    def train(self, steps):
        feed = {self.t_tf: self.t, self.x_tf: self.x, self.u_tf: self.u}
        for _ in range(steps):
            self.sess.run(self.idn_u_train_op, feed)
            self.sess.run(self.idn_f_train_op, feed)
        print('%.3e %.3e' % tuple(self.sess.run([self.idn_u_loss, self.idn_f_loss], feed)))
        before = self.sess.run(self.pde_weights[0])
        self.idn_u_optimizer.minimize(self.sess, feed_dict=feed, fetches=[self.idn_u_loss], loss_callback=lambda loss: None)
        print('untouched', np.array_equal(before, self.sess.run(self.pde_weights[0])))
        self.idn_f_optimizer.minimize(self.sess, feed_dict=feed, fetches=[self.idn_f_loss], loss_callback=lambda loss: None)
        print('%.1e' % self.sess.run(self.idn_u_loss, feed), np.isfinite(self.sess.run(self.idn_f_loss, feed)))


t, x = np.random.rand(40, 1), np.random.rand(40, 1)
model = DeepHPM(t, x, np.exp(-t) * np.sin(np.pi * x), [2, 12, 1], [3, 10, 1])
model.train(10)
print(model.sess.run(model.pde_pred, {model.terms_tf: np.ones((2, 3))}).shape)
