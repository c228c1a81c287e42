"""Two coefficients found from data, with a stream function and a pressure from one network."""
import numpy as np
import tensorflow as tf

np.random.seed(3)
tf.set_random_seed(3)


class PhysicsInformedNN:
    def __init__(self, x, y, t, u, v, layers):
        self.X = np.concatenate([x, y, t], 1)
        self.lb, self.ub = self.X.min(0), self.X.max(0)
        self.data = [x, y, t, u, v]
        self.weights = [tf.Variable(np.random.randn(a, b) / np.sqrt(a), dtype=tf.float32) for a, b in zip(layers, layers[1:])]
        self.biases = [tf.Variable(tf.zeros([1, b], dtype=tf.float32), dtype=tf.float32) for b in layers[1:]]
        self.lambda_1 = tf.Variable([0.0], dtype=tf.float32)
        self.lambda_2 = tf.Variable([-2.0], dtype=tf.float32)
        config = tf.ConfigProto(allow_soft_placement=True, log_device_placement=True)
        config.log_device_placement = False
        config.gpu_options.allow_growth = True
        self.sess = tf.Session(config=config)
        self.places = [tf.placeholder(tf.float32, shape=[None, a.shape[1]]) for a in self.data]
        x_tf, y_tf, t_tf, u_tf, v_tf = self.places
        self.u_pred, self.v_pred, self.p_pred, self.f_u, self.f_v = self.net_NS(x_tf, y_tf, t_tf)
        self.loss = tf.reduce_sum(tf.square(u_tf - self.u_pred)) + tf.reduce_sum(tf.square(v_tf - self.v_pred)) + \
            tf.reduce_sum(tf.square(self.f_u)) + tf.reduce_sum(tf.square(self.f_v))
        self.optimizer = tf.contrib.opt.ScipyOptimizerInterface(
            self.loss, method='L-BFGS-B', options={'maxiter': 4, 'maxfun': 4, 'maxcor': 50, 'maxls': 50, 'ftol': 1e-16})
        self.train_op_Adam = tf.train.AdamOptimizer(0.002).minimize(self.loss)
        self.sess.run(tf.global_variables_initializer())

    def neural_net(self, X):
        H = 2.0 * (X - self.lb) / (self.ub - self.lb) - 1.0
        for W, b in zip(self.weights[:-1], self.biases[:-1]):
            H = tf.tanh(tf.add(tf.matmul(H, W), b))
        return tf.add(tf.matmul(H, self.weights[-1]), self.biases[-1])

    def net_NS(self, x, y, t):
        nu = tf.exp(self.lambda_2)
        psi_and_p = self.neural_net(tf.concat([x, y, t], 1))
        psi, p = psi_and_p[:, 0:1], psi_and_p[:, 1:2]
        u = tf.gradients(psi, y)[0]
        v = -tf.gradients(psi, x)[0]
        u_t, u_x, u_y = tf.gradients(u, [t, x, y])
        u_xx, u_yy = tf.gradients(u_x, x)[0], tf.gradients(u_y, y)[0]
        v_t, v_x, v_y = [tf.gradients(v, z)[0] for z in (t, x, y)]
        v_xx, v_yy = tf.gradients(v_x, x)[0], tf.gradients(v_y, y)[0]
        p_x, p_y = tf.gradients(p, x)[0], tf.gradients(p, y)[0]
        f_u = u_t + self.lambda_1 * (u * u_x + v * u_y) + p_x - nu * (u_xx + u_yy)
        f_v = v_t + self.lambda_1 * (u * v_x + v * v_y) + p_y - nu * (v_xx + v_yy)
        return u, v, p, f_u, f_v

    def callback(self, loss, lambda_1, lambda_2):
        print('Loss: %.2e' % (loss), lambda_1.shape, lambda_2.shape)

    def train(self, nIter):
        tf_dict = dict(zip(self.places, self.data))
        for it in range(nIter):
            self.sess.run(self.train_op_Adam, tf_dict)
        loss, l1, l2 = self.sess.run([self.loss, self.lambda_1, self.lambda_2], tf_dict)
        print('Loss: %.3e, l1: %.3f, l2: %.4f' % (loss, l1[0], np.exp(l2[0])))
        seen = []
        self.optimizer.minimize(self.sess, feed_dict=tf_dict, fetches=[self.loss, self.lambda_1, self.lambda_2],
                                loss_callback=lambda *a: seen.append(a))
        self.callback(*seen[0])
        print(self.sess.run(self.loss, tf_dict) < loss)

    def predict(self):
        return self.sess.run([self.u_pred, self.v_pred, self.p_pred], dict(zip(self.places[:3], self.data[:3])))


N = 25
x, y, t = (np.random.rand(N, 1) for _ in range(3))
u, v = np.sin(x) * np.cos(y) * np.exp(-t), -np.cos(x) * np.sin(y) * np.exp(-t)
model = PhysicsInformedNN(x, y, t, u, v, [3, 8, 8, 2])
model.train(5)
print([a.shape for a in model.predict()])
