"""Weights of the points are trained up while the network is trained down; then L-BFGS over flat weights."""
import time

import numpy as np
import scipy.optimize
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, activations

np.random.seed(1234)
tf.random.set_seed(1234)
layer_sizes = [2, 10, 10, 1]


def neural_net(layer_sizes):
    model = keras.Sequential()
    model.add(layers.InputLayer(input_shape=(layer_sizes[0],)))
    for width in layer_sizes[1:-1]:
        model.add(layers.Dense(width, activation=tf.nn.tanh, kernel_initializer="glorot_normal"))
    model.add(layers.Dense(layer_sizes[-1], activation=None, kernel_initializer="glorot_normal"))
    return model


def get_weights(model):
    return np.concatenate([w.flatten() for w in model.get_weights()])


def set_weights(model, flat):
    parts, at = [], 0
    for w in model.get_weights():
        parts.append(np.reshape(flat[at:at + w.size], w.shape))
        at += w.size
    model.set_weights(parts)


u_model = neural_net(layer_sizes)
rng = np.random.RandomState(0)
set_weights(u_model, 0.4 * rng.randn(get_weights(u_model).size))
print(get_weights(u_model).size)
N_f = 30
x_f = tf.convert_to_tensor(np.random.rand(N_f, 1) * 2 - 1, dtype=tf.float32)
t_f = tf.convert_to_tensor(np.random.rand(N_f, 1), dtype=tf.float32)
x0 = tf.cast(np.linspace(-1, 1, 15)[:, None], dtype=tf.float32)
u0 = tf.cast(x0**2 * tf.cos(np.pi * x0), tf.float32)
col_weights = tf.Variable(np.random.rand(N_f, 1), dtype=tf.float32)
u_weights = tf.Variable(100 * np.random.rand(15, 1), dtype=tf.float32)


@tf.function
def f_model(x, t):
    u = u_model(tf.concat([x, t], 1))
    u_x = tf.gradients(u, x)
    u_xx = tf.gradients(u_x, x)
    u_t = tf.gradients(u, t)
    return u_t - 0.0001 * u_xx[0] + 5.0 * u**3 - 5.0 * u


def loss(weighted=True):
    f = f_model(x_f, t_f)
    u = u_model(tf.concat([x0, 0 * x0], 1))
    if weighted:
        return tf.reduce_mean(tf.square(u_weights * (u - u0))) + tf.reduce_mean(tf.square(col_weights * f[0]))
    return tf.reduce_mean(tf.square(u - u0)) + tf.reduce_mean(tf.square(f))


def grad():
    with tf.GradientTape(persistent=True) as tape:
        loss_value = loss()
    grads = tape.gradient(loss_value, u_model.trainable_variables)
    grads_col = tape.gradient(loss_value, col_weights)
    grads_u = tape.gradient(loss_value, u_weights)
    return loss_value, grads, grads_col, grads_u


tf_optimizer = tf.keras.optimizers.Adam(lr=0.005, beta_1=.99)
tf_optimizer_weights = tf.keras.optimizers.Adam(lr=0.005, beta_1=.99)
start_time = time.time()
for epoch in range(6):
    loss_value, grads, grads_col, grads_u = grad()
    tf_optimizer.apply_gradients(zip(grads, u_model.trainable_variables))
    tf_optimizer_weights.apply_gradients(zip([-grads_col, -grads_u], [col_weights, u_weights]))
    if epoch % 5 == 0:
        print('It: %d, Time: %d' % (epoch, (time.time() - start_time) // 100))
        tf.print("loss", tf.round(100.0 * loss_value) / 100.0)


def loss_and_flat_grad(w):
    set_weights(u_model, w)
    with tf.GradientTape() as tape:
        loss_value = loss(False)
    grads = tape.gradient(loss_value, u_model.trainable_variables)
    return float(loss_value), np.concatenate([tf.reshape(g, [-1]).numpy() for g in grads]).astype(np.float64)


before = loss(False)
result = scipy.optimize.minimize(loss_and_flat_grad, get_weights(u_model), jac=True, method="L-BFGS-B", options={"maxiter": 5})
print(result.fun < float(before), activations.get("tanh") is not None, u_model(tf.concat([x_f, t_f], 1)).shape)
