"""A physics-informed network in the TensorFlow 1 manner: a class with placeholders, tf.gradients twice, descent written with assign."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1
np.random.seed(1234)


class Burgers:
    def __init__(self, X_u, u, X_f, layers, lb, ub, nu):
        self.lb, self.ub, self.nu = lb, ub, nu
        self.x_u, self.t_u, self.u = X_u[:, 0:1], X_u[:, 1:2], u
        self.x_f, self.t_f = X_f[:, 0:1], X_f[:, 1:2]
        self.weights, self.biases = self.initialize(layers)
        self.lambda_1 = tf.Variable([0.5], dtype=tf.float32)
        self.sess = v1.Session(config=v1.ConfigProto(allow_soft_placement=True, log_device_placement=False))
        self.x_u_tf = v1.placeholder(tf.float32, shape=[None, self.x_u.shape[1]])
        self.t_u_tf = v1.placeholder(tf.float32, shape=[None, self.t_u.shape[1]])
        self.u_tf = v1.placeholder(tf.float32, shape=[None, self.u.shape[1]])
        self.x_f_tf = v1.placeholder(tf.float32, shape=[None, 1])
        self.t_f_tf = v1.placeholder(tf.float32, shape=[None, 1])
        self.u_pred = self.net_u(self.x_u_tf, self.t_u_tf)
        self.f_pred = self.net_f(self.x_f_tf, self.t_f_tf)
        self.loss = tf.reduce_mean(tf.square(self.u_tf - self.u_pred)) + tf.reduce_mean(tf.square(self.f_pred))
        variables = self.weights + self.biases + [self.lambda_1]
        rate = v1.placeholder_with_default(0.05, shape=[])
        self.train_op = tf.group(*[v1.assign_sub(v, rate * g) for v, g in zip(variables, tf.gradients(self.loss, variables))])
        self.sess.run(v1.global_variables_initializer())

    def initialize(self, layers):
        weights, biases = [], []
        for l in range(len(layers) - 1):
            weights.append(self.xavier([layers[l], layers[l + 1]]))
            biases.append(tf.Variable(tf.zeros([1, layers[l + 1]], dtype=tf.float32), dtype=tf.float32))
        return weights, biases

    def xavier(self, size):
        std = np.sqrt(2.0 / (size[0] + size[1]))
        values = np.clip(np.random.randn(*size), -2, 2) * std
        return tf.Variable(tf.constant(values, dtype=tf.float32), dtype=tf.float32)

    def net_u(self, x, t):
        H = 2.0 * (tf.concat([x, t], 1) - self.lb) / (self.ub - self.lb) - 1.0
        for W, b in zip(self.weights[:-1], self.biases[:-1]):
            H = tf.tanh(tf.add(tf.matmul(H, W), b))
        return tf.add(tf.matmul(H, self.weights[-1]), self.biases[-1])

    def net_f(self, x, t):
        u = self.net_u(x, t)
        u_t = tf.gradients(u, t)[0]
        u_x = tf.gradients(u, x)[0]
        u_xx = tf.gradients(u_x, x)[0]
        return u_t + self.lambda_1 * u * u_x - self.nu * u_xx

    def train(self, n):
        feed = {self.x_u_tf: self.x_u, self.t_u_tf: self.t_u, self.u_tf: self.u, self.x_f_tf: self.x_f, self.t_f_tf: self.t_f}
        for it in range(n):
            self.sess.run(self.train_op, feed)
            if it % 10 == 0:
                loss, lam = self.sess.run([self.loss, self.lambda_1], feed)
                print("It: %d, Loss: %.4e, lambda: %.4f" % (it, loss, lam[0]))

    def predict(self, X):
        return self.sess.run(self.u_pred, {self.x_u_tf: X[:, 0:1], self.t_u_tf: X[:, 1:2]}), self.sess.run(self.f_pred, {self.x_f_tf: X[:, 0:1], self.t_f_tf: X[:, 1:2]})


lb, ub = np.array([-1.0, 0.0]), np.array([1.0, 1.0])
X_u = lb + (ub - lb) * np.random.rand(20, 2)
u = -np.sin(np.pi * X_u[:, 0:1]) * np.exp(-X_u[:, 1:2])
X_f = np.vstack((lb + (ub - lb) * np.random.rand(30, 2), X_u))
model = Burgers(X_u, u, X_f, [2, 8, 8, 1], lb, ub, 0.01 / np.pi)
model.train(51)
p, f = model.predict(np.array([[0.25, 0.5], [-0.5, 0.1]]))
print(np.round(p, 3).tolist(), np.round(f, 3).tolist(), p.dtype, p.shape)
