"""A model with losses by components, identity wherever nothing scales, and the best weights kept."""
import numpy as np
import tensorflow as tf
from tensorflow.keras import Model, layers, losses, optimizers

np.random.seed(10)
mse = losses.MeanSquaredError()


class ResNet(Model):
    def __init__(self, width=6, blocks=2, act="softplus", scale=tf.identity):
        super(ResNet, self).__init__()
        self.blocks = [layers.Dense(width, activation=act, bias_initializer="zeros", kernel_initializer=tf.constant_initializer(0.2 * k + 0.1))
                       for k in range(blocks)]
        self.act, self.scale = self.init_act_func(act), scale
        self.out = layers.Dense(1, kernel_initializer=tf.constant_initializer(0.5))
        self.first = layers.Dense(width, kernel_initializer=tf.constant_initializer(0.3))

    def init_act_func(self, act):
        return {"softplus": tf.math.softplus, "tanh": tf.math.tanh, "sigmoid": tf.math.sigmoid, "exp": tf.exp}[act]

    def call(self, X):
        z = self.act(self.first(self.scale(X)))
        for block in self.blocks:
            z = z + block(z)
        return self.out(z)

    @tf.function
    def derivatives(self, x, y):
        with tf.GradientTape(persistent=True) as second:
            second.watch(x), second.watch(y)
            with tf.GradientTape(persistent=True) as first:
                first.watch(x), first.watch(y)
                p = self(tf.concat([x, y], axis=-1))
            p_x, p_y = first.gradient(p, x), first.gradient(p, y)
        return p, second.gradient(p_x, x) + second.gradient(p_y, y)


x = tf.cast(np.random.rand(16, 1), dtype=tf.float32)
y = tf.cast(np.random.rand(16, 1), dtype=tf.float32)
q = -2.0 * np.pi**2 * tf.sin(np.pi * x) * tf.sin(np.pi * y)
model = ResNet()
model(tf.concat([x, y], 1))
optimizer = optimizers.Adam(learning_rate=optimizers.schedules.ExponentialDecay(1e-2, 3, 0.9))
best, kept = np.inf, None


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        p, lap = model.derivatives(x, y)
        loss = mse(lap, q) + tf.reduce_mean(tf.square(p), axis=None)
    grads = tape.gradient(loss, model.trainable_variables)
    grads = [tf.where(tf.math.is_nan(g), tf.zeros_like(g), g) for g in grads]
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(6):
    loss = train_step(x, y)
    if loss < best:
        best, kept = loss, model.get_weights()
    print("%d %.3f" % (epoch, loss.numpy()))
model.set_weights(kept)
print(len(kept), model.derivatives(x, y)[1].shape)
