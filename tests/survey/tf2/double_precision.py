"""Everything in float64: a subclassed model with scaling, a schedule of rates, and errors with norms."""
import numpy as np
import tensorflow as tf

DTYPE = 'float64'
tf.keras.backend.set_floatx(DTYPE)
tf.keras.utils.set_random_seed(7)


class PINN_NeuralNet(tf.keras.Model):
    """A network after a layer that scales its inputs."""

    def __init__(self, lb, ub, output_dim=1, hidden=2, width=8, activation='tanh', **kwargs):
        super().__init__(**kwargs)
        self.lb, self.ub = lb, ub
        self.scale = tf.keras.layers.Lambda(lambda x: 2.0 * (x - lb) / (ub - lb) - 1.0)
        initializer = tf.keras.initializers.Constant(0.2)
        self.hidden = [tf.keras.layers.Dense(width, activation=tf.keras.activations.get(activation),
                                             kernel_initializer=tf.constant_initializer(0.1 + 0.2 * k), bias_initializer=initializer)
                       for k in range(hidden)]
        self.out = tf.keras.layers.Dense(output_dim)

    def call(self, X):
        Z = self.scale(X)
        for layer in self.hidden:
            Z = layer(Z)
        return self.out(Z)


lb, ub = tf.constant([0.0, -1.0], dtype=DTYPE), tf.constant([1.0, 1.0], dtype=DTYPE)
model = PINN_NeuralNet(lb, ub)
model(tf.zeros((1, 2), dtype=DTYPE))
model.out.set_weights([np.full((8, 1), 0.3), np.zeros(1)])
X = tf.reshape(tf.cast(tf.linspace(0.0, 1.0, 20), tf.float64), [10, 2])
lr = tf.keras.optimizers.schedules.PiecewiseConstantDecay([2, 4], [1e-2, 1e-3, 5e-4])
optim = tf.keras.optimizers.Adam(learning_rate=lr)
target = tf.sin(X[:, :1]) * tf.cos(X[:, 1:])


def residual(X):
    with tf.GradientTape(persistent=True) as tape:
        t, x = X[:, 0:1], X[:, 1:2]
        tape.watch(t)
        tape.watch(x)
        u = model(tf.stack([t[:, 0], x[:, 0]], axis=1))
        u_x = tape.gradient(u, x)
    u_t = tape.gradient(u, t)
    u_xx = tape.gradient(u_x, x)
    del tape
    return u_t + u * u_x - 0.01 * u_xx


@tf.function
def train_step():
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(tf.square(residual(X))) + tf.reduce_mean(tf.square(model(X) - target))
    theta = model.trainable_variables
    optim.apply_gradients(zip(tape.gradient(loss, theta), theta))
    return loss


for i in range(6):
    print('It %05d: loss = %10.8e' % (i, train_step()))
error = tf.norm(model(X) - target, ord=2) / tf.norm(target, ord='euclidean')
print('%.8f' % error.numpy(), tf.norm(model(X), axis=0).dtype.name, tf.double == tf.float64)
print(tf.math.reduce_max(tf.abs(model(X)), axis=0).shape, X.dtype, tf.eye(3, dtype=tf.float64).numpy().trace())
