"""A discrete-time network: float64 arrays of a table of Runge-Kutta in products with float32 tensors, and
derivatives forward through a placeholder that nobody feeds once the result does not depend on it."""
import numpy as np
import tensorflow as tf

np.random.seed(11)
q = 4
A = np.linspace(0.0, 1.0, (q + 1) * q).reshape(q + 1, q)


class PhysicsInformedNN:
    def __init__(self, x0, u0, x1, layers, dt):
        self.x0, self.u0, self.x1, self.dt = x0, u0, x1, dt
        self.weights = [tf.Variable(np.random.randn(a, b) / np.sqrt(a), dtype=tf.float32) for a, b in zip(layers, layers[1:])]
        self.biases = [tf.Variable(tf.zeros([1, b], dtype=tf.float32), dtype=tf.float32) for b in layers[1:]]
        self.sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True, log_device_placement=False))
        self.x0_tf = tf.placeholder(tf.float32, shape=(None, x0.shape[1]))
        self.x1_tf = tf.placeholder(tf.float32, shape=(None, x1.shape[1]))
        self.u0_tf = tf.placeholder(tf.float32, shape=(None, u0.shape[1]))
        self.dummy_x0_tf = tf.placeholder(tf.float32, shape=(None, q))
        self.dummy_x1_tf = tf.placeholder(tf.float32, shape=(None, q + 1))
        self.U0_pred = self.net_U0(self.x0_tf)
        self.U1_pred, self.U1_x_pred = self.net_U1(self.x1_tf)
        self.loss = tf.reduce_sum(tf.square(self.u0_tf - self.U0_pred)) + tf.reduce_sum(tf.square(self.U1_pred)) + \
            tf.reduce_sum(tf.square(self.U1_x_pred))
        self.train_op_Adam = tf.train.AdamOptimizer().minimize(self.loss)
        self.sess.run(tf.global_variables_initializer())

    def fwd_gradients_0(self, U, x):
        g = tf.gradients(U, x, grad_ys=self.dummy_x0_tf)[0]
        return tf.gradients(g, self.dummy_x0_tf)[0]

    def fwd_gradients_1(self, U, x):
        g = tf.gradients(U, x, grad_ys=self.dummy_x1_tf)[0]
        return tf.gradients(g, self.dummy_x1_tf)[0]

    def neural_net(self, X):
        H = X
        for W, b in zip(self.weights[:-1], self.biases[:-1]):
            H = tf.tanh(tf.add(tf.matmul(H, W), b))
        return tf.add(tf.matmul(H, self.weights[-1]), self.biases[-1])

    def net_U0(self, x):
        U1 = self.neural_net(x)
        U = U1[:, :-1]
        U_x = self.fwd_gradients_0(U, x)
        U_xx = self.fwd_gradients_0(U_x, x)
        F = 5.0 * U - 5.0 * U**3 + 0.0001 * U_xx
        return U1 - self.dt * tf.matmul(F, A.T)

    def net_U1(self, x):
        U1 = self.neural_net(x)
        return U1, self.fwd_gradients_1(U1, x)

    def train(self, nIter):
        tf_dict = {self.x0_tf: self.x0, self.u0_tf: self.u0, self.x1_tf: self.x1,
                   self.dummy_x0_tf: np.ones((self.x0.shape[0], q)), self.dummy_x1_tf: np.ones((self.x1.shape[0], q + 1))}
        for it in range(nIter):
            self.sess.run(self.train_op_Adam, tf_dict)
            if it % 10 == 0:
                print('It: %d, Loss: %.3e' % (it, self.sess.run(self.loss, tf_dict)))

    def predict(self, x_star):
        return self.sess.run(self.U1_pred, {self.x1_tf: x_star})


x0 = np.linspace(-1, 1, 30)[:, None]
model = PhysicsInformedNN(x0, x0**2 * np.cos(np.pi * x0), np.array([[-1.0], [1.0]]), [1, 16, q + 1], 0.4)
model.train(21)
print('%.4f' % np.linalg.norm(model.predict(x0)[:, -1:]))
