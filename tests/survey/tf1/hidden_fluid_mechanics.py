"""Weight normalisation, minibatches, derivatives forward by reverse mode twice, in modules of functions."""
import numpy as np
import tensorflow as tf

np.random.seed(7)


def tf_session():
    config = tf.ConfigProto(log_device_placement=False)
    config.gpu_options.force_gpu_compatible = True
    sess = tf.Session(config=config)
    init = tf.global_variables_initializer()
    sess.run(init)
    return sess


def mean_squared_error(pred, exact):
    if type(pred) is np.ndarray:
        return np.mean(np.square(pred - exact))
    return tf.reduce_mean(tf.square(pred - exact))


def fwd_gradients(Y, x):
    dummy = tf.ones_like(Y)
    G = tf.gradients(Y, x, grad_ys=dummy, colocate_gradients_with_ops=True)[0]
    Y_x = tf.gradients(G, dummy, colocate_gradients_with_ops=True)[0]
    return Y_x


class neural_net(object):
    def __init__(self, *inputs, layers):
        X = np.concatenate(inputs, 1)
        self.X_mean, self.X_std = X.mean(0, keepdims=True), X.std(0, keepdims=True)
        self.weights, self.biases, self.gammas = [], [], []
        for l in range(len(layers) - 1):
            W = np.random.normal(size=[layers[l], layers[l + 1]])
            self.weights.append(tf.Variable(W, dtype=tf.float32, trainable=True))
            self.biases.append(tf.Variable(np.zeros([1, layers[l + 1]]), dtype=tf.float32, trainable=True))
            self.gammas.append(tf.Variable(np.ones([1, layers[l + 1]]), dtype=tf.float32, trainable=True))

    def __call__(self, *inputs):
        H = (tf.concat(inputs, 1) - self.X_mean) / self.X_std
        for l, (W, b, g) in enumerate(zip(self.weights, self.biases, self.gammas)):
            V = W / tf.norm(W, axis=0, keepdims=True)
            H = g * tf.matmul(H, V) + b
            if l < len(self.weights) - 1:
                H = H * tf.sigmoid(H)
        return tf.split(H, num_or_size_splits=H.shape[1], axis=1)


class HFM(object):
    def __init__(self, t, x, c, layers, batch):
        self.t, self.x, self.c, self.batch = t, x, c, batch
        [self.t_tf, self.x_tf, self.c_tf] = [tf.placeholder(tf.float32, shape=[None, 1]) for _ in range(3)]
        self.net = neural_net(t, x, layers=layers)
        [self.c_pred, self.u_pred] = self.net(self.t_tf, self.x_tf)
        Y = tf.concat([self.c_pred, self.u_pred], 1)
        Y_t, Y_x = fwd_gradients(Y, self.t_tf), fwd_gradients(Y, self.x_tf)
        Y_xx = fwd_gradients(Y_x, self.x_tf)
        c_t, c_x, c_xx, u = Y_t[:, 0:1], Y_x[:, 0:1], Y_xx[:, 0:1], Y[:, 1:2]
        self.e = c_t + u * c_x - 0.1 * c_xx
        self.loss = mean_squared_error(self.c_pred, self.c_tf) + mean_squared_error(self.e, 0.0)
        self.learning_rate = tf.placeholder(tf.float32, shape=[])
        self.optimizer = tf.train.AdamOptimizer(learning_rate=self.learning_rate)
        self.train_op = self.optimizer.minimize(self.loss)
        self.sess = tf_session()

    def train(self, steps, learning_rate):
        for it in range(steps):
            idx = np.random.choice(len(self.t), min(self.batch, len(self.t)))
            feed = {self.t_tf: self.t[idx], self.x_tf: self.x[idx], self.c_tf: self.c[idx], self.learning_rate: learning_rate}
            self.sess.run([self.train_op], feed)
            if it % 10 == 0:
                loss_value, rate = self.sess.run([self.loss, self.learning_rate], feed)
                print('It: %d, Loss: %.3e, Learning Rate: %.1e' % (it, loss_value, rate))

    def predict(self, t, x):
        return self.sess.run([self.c_pred, self.u_pred], {self.t_tf: t, self.x_tf: x})


t, x = np.random.rand(200, 1), np.random.rand(200, 1)
c = np.sin(np.pi * (x - t))
model = HFM(t, x, c, [2] + 2 * [12] + [2], 64)
model.train(21, 1e-3)
c_pred, u_pred = model.predict(t, x)
print('Error c: %.3e' % mean_squared_error(c_pred, c), u_pred.shape)
