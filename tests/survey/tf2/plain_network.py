"""A network of plain variables, with derivatives by tapes that watch their inputs, and what it says about devices."""
import datetime
import os

import numpy as np
import tensorflow as tf
from tensorflow.python.client import device_lib

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
tf.get_logger().setLevel('ERROR')
tf.debugging.set_log_device_placement(False)
print([d.device_type for d in device_lib.list_local_devices()][:1], datetime.datetime.now() is not None)
gpus = tf.config.experimental.list_physical_devices("GPU")
if gpus:
    tf.config.experimental.set_visible_devices(gpus[0], "GPU")
    tf.config.experimental.set_memory_growth(gpus[0], True)
print(len(gpus), len(tf.config.experimental.list_logical_devices("GPU")), tf.__version__.split('.')[0])


class PINN(tf.Module):
    def __init__(self, f_in, f_out, width, depth, lr, seed):
        super().__init__()
        np.random.seed(seed)
        tf.random.set_seed(seed)
        self.f_in = f_in
        sizes = [f_in] + (depth - 1) * [width] + [f_out]
        self.weights, self.biases = [], []
        for l, (a, b) in enumerate(zip(sizes, sizes[1:])):
            drawn = tf.random.truncated_normal(shape=[a, b], mean=0.0, stddev=np.sqrt(2.0 / (a + b)), dtype=tf.float32)
            assert drawn.shape == (a, b)
            w = tf.Variable(np.random.normal(0, np.sqrt(2.0 / (a + b)), (a, b)), dtype=tf.float32, name="w" + str(l))
            self.weights.append(w)
            self.biases.append(tf.Variable(tf.zeros(shape=[1, b], dtype=tf.float32), dtype=tf.float32, name="b" + str(l)))
        self.params = self.weights + self.biases
        self.slope = tf.Variable(tf.constant(1.0, dtype=tf.float32), name="slope", trainable=True)
        self.rate = tf.constant(0.1, dtype=tf.float32, name="rate")
        self.gamma = tf.Variable(1.0, dtype=tf.float32, trainable=False)
        self.optimizer = tf.keras.optimizers.Adam(learning_rate=lr)

    def forward_pass(self, x):
        z = self.slope * x
        for w, b in zip(self.weights[:-1], self.biases[:-1]):
            u = tf.math.add(tf.linalg.matmul(z, w), b)
            z = tf.math.tanh(u)
        return tf.math.add(tf.linalg.matmul(z, self.weights[-1]), self.biases[-1])

    def compute_pde(self, t, x):
        with tf.GradientTape(persistent=True) as tp1:
            tp1.watch(t)
            tp1.watch(x)
            with tf.GradientTape(persistent=True) as tp2:
                tp2.watch(t)
                tp2.watch(x)
                u = self.forward_pass(tf.concat([t, x], axis=1))
            u_x = tp2.gradient(u, x)
            u_t = tp2.gradient(u, t)
            del tp2
        u_xx = tp1.gradient(u_x, x)
        del tp1
        return u, u_t + tf.multiply(u, u_x) - self.rate * u_xx

    def loss_pde(self, t, x):
        return tf.reduce_mean(tf.square(self.compute_pde(t, x)[1]))

    def loss_bc(self, t, x, u):
        return tf.reduce_mean(tf.square(u - self.forward_pass(tf.concat([t, x], 1))))

    @tf.function(jit_compile=True)
    def train_step(self, t, x, u):
        with tf.GradientTape(persistent=False) as tp:
            loss = self.loss_pde(t, x) + self.gamma * self.loss_bc(t, x, u)
        grad = tp.gradient(loss, self.params)
        self.optimizer.apply_gradients(zip(grad, self.params))
        return loss


t = tf.convert_to_tensor(np.random.RandomState(1).rand(24, 1), dtype=tf.float32)
x = tf.cast(np.random.RandomState(2).rand(24, 1), dtype=tf.float32)
u = tf.exp(-t) * tf.sin(np.pi * x)
model = PINN(2, 1, 8, 3, 5e-3, 42)
for epoch in range(6):
    loss = model.train_step(t, x, u)
    print("epoch: %d loss: %.4f" % (epoch, loss))
    model.gamma.assign(0.9 * model.gamma + 0.1)
for act in (tf.identity, tf.math.softplus, tf.math.sigmoid, tf.exp):
    print(act(tf.ones(shape=[2], dtype=tf.float32)).numpy().round(5).tolist())
print(tf.ones([1, 2], dtype=tf.float32).shape, tf.zeros(shape=(3,)).shape, tf.zeros([2]).dtype, len(model.trainable_variables))
print(tf.add(tf.constant([1.0, 2.0]), tf.constant(1, tf.float32)).numpy().tolist(), tf.size(t).numpy(), tf.shape(t).numpy().tolist())
