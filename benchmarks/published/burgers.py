"""Burgers' equation by a physics-informed network, in the manner of the published TensorFlow 1 programs.

    wengert run benchmarks/published/burgers.py DATA.mat [--iterations N] [--adam N] [--json FILE]

Network 2-20x8-1, 100 points of the initial and boundary values, 10,000 collocation points, L-BFGS.
"""

import argparse
import json
import time

import numpy as np
import scipy.io
import tensorflow as tf
from pyDOE import lhs

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("--iterations", type=int, default=50000)
parser.add_argument("--adam", type=int, default=0)
parser.add_argument("--warm", type=int, default=0, help="L-BFGS iterations that are not counted, before those that are")
parser.add_argument("--seed", type=int, default=1234, help="of the initial weights")
parser.add_argument("--json")
arguments = parser.parse_args()

np.random.seed(1234)
tf.set_random_seed(arguments.seed)


class PhysicsInformedNN:
    def __init__(self, X_u, u, X_f, layers, lb, ub, nu):
        self.lb, self.ub, self.nu = lb, ub, nu
        self.X_u, self.u, self.X_f = X_u, u, X_f
        self.weights, self.biases = self.initialize_NN(layers)
        self.sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True, log_device_placement=False))
        self.x_u_tf = tf.placeholder(tf.float32, shape=[None, 1])
        self.t_u_tf = tf.placeholder(tf.float32, shape=[None, 1])
        self.u_tf = tf.placeholder(tf.float32, shape=[None, 1])
        self.x_f_tf = tf.placeholder(tf.float32, shape=[None, 1])
        self.t_f_tf = tf.placeholder(tf.float32, shape=[None, 1])
        self.u_pred = self.net_u(self.x_u_tf, self.t_u_tf)
        self.f_pred = self.net_f(self.x_f_tf, self.t_f_tf)
        self.loss = tf.reduce_mean(tf.square(self.u_tf - self.u_pred)) + tf.reduce_mean(tf.square(self.f_pred))
        self.losses, self.times = [], []
        self.optimizers = {
            n: tf.contrib.opt.ScipyOptimizerInterface(
                self.loss,
                method="L-BFGS-B",
                options={"maxiter": n, "maxfun": 4 * n, "maxcor": 50, "maxls": 50, "ftol": 1.0 * np.finfo(float).eps},
            )
            for n in {arguments.warm, arguments.iterations}
            if n
        }
        self.train_op_Adam = tf.train.AdamOptimizer().minimize(self.loss)
        self.sess.run(tf.global_variables_initializer())
        self.feed = {
            self.x_u_tf: self.X_u[:, 0:1],
            self.t_u_tf: self.X_u[:, 1:2],
            self.u_tf: self.u,
            self.x_f_tf: self.X_f[:, 0:1],
            self.t_f_tf: self.X_f[:, 1:2],
        }

    def initialize_NN(self, layers):
        weights, biases = [], []
        for m, n in zip(layers, layers[1:]):
            deviation = np.sqrt(2.0 / (m + n))
            weights.append(tf.Variable(tf.truncated_normal([m, n], stddev=deviation), dtype=tf.float32))
            biases.append(tf.Variable(tf.zeros([1, n], dtype=tf.float32), dtype=tf.float32))
        return weights, biases

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
        return u_t + u * u_x - self.nu * u_xx

    def callback(self, loss):
        self.losses.append(float(loss))
        self.times.append(time.perf_counter())

    def train(self, n):
        self.optimizers[n].minimize(self.sess, feed_dict=self.feed, fetches=[self.loss], loss_callback=self.callback)

    def train_adam(self, n):
        for _ in range(n):
            self.sess.run(self.train_op_Adam, self.feed)

    def predict(self, X):
        return self.sess.run(self.u_pred, {self.x_u_tf: X[:, 0:1], self.t_u_tf: X[:, 1:2]})


data = scipy.io.loadmat(arguments.data)
t, x, exact = data["t"].flatten()[:, None], data["x"].flatten()[:, None], np.real(data["usol"]).T
X, T = np.meshgrid(x, t)
X_star, u_star = np.hstack((X.flatten()[:, None], T.flatten()[:, None])), exact.flatten()[:, None]
lb, ub = X_star.min(0), X_star.max(0)
edges = [
    (np.hstack((X[0:1, :].T, T[0:1, :].T)), exact[0:1, :].T),
    (np.hstack((X[:, 0:1], T[:, 0:1])), exact[:, 0:1]),
    (np.hstack((X[:, -1:], T[:, -1:])), exact[:, -1:]),
]
X_edge, u_edge = np.vstack([e[0] for e in edges]), np.vstack([e[1] for e in edges])
X_f = np.vstack((lb + (ub - lb) * lhs(2, 10000), X_edge))
chosen = np.random.choice(X_edge.shape[0], 100, replace=False)

model = PhysicsInformedNN(X_edge[chosen], u_edge[chosen], X_f, [2, 20, 20, 20, 20, 20, 20, 20, 20, 1], lb, ub, 0.01 / np.pi)
found = {}
if arguments.adam:
    model.train_adam(20)
    begin = time.perf_counter()
    model.train_adam(arguments.adam)
    found["adam step ms"] = (time.perf_counter() - begin) / arguments.adam * 1e3
if arguments.warm:
    model.train(arguments.warm)
    model.losses.clear()
    model.times.clear()
if arguments.iterations:
    begin = time.perf_counter()
    model.train(arguments.iterations)
    found["seconds"] = time.perf_counter() - begin
    found["evaluations"] = len(model.losses)
    found["evaluation ms"] = float(np.median(np.diff(model.times))) * 1e3
    found["loss"] = model.losses[-1]
found["relative L2 error"] = float(np.linalg.norm(u_star - model.predict(X_star)) / np.linalg.norm(u_star))
print(found)
if arguments.json:
    with open(arguments.json, "w") as file:
        json.dump(found, file)
