"""A program counted with the TensorFlow 1 ones that runs eagerly: a layer, a model and a tape."""
import numpy as np
import tensorflow as tf


class Scaling(tf.keras.layers.Layer):
    def __init__(self, lb, ub):
        super(Scaling, self).__init__()
        self.lb, self.ub = lb, ub

    def call(self, x):
        return 2.0 * (x - self.lb) / (self.ub - self.lb) - 1.0


class PINN(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.scaling = Scaling(0.0, 2.0)
        self.dense = tf.keras.layers.Dense(8, activation="tanh", kernel_initializer=tf.keras.initializers.Constant(0.3))
        self.out = tf.keras.layers.Dense(1, kernel_initializer=tf.keras.initializers.Constant(0.1))

    def call(self, x):
        return self.out(self.dense(self.scaling(x)))


model = tf.keras.models.Sequential()
model.add(tf.keras.layers.InputLayer(input_shape=(1,)))
model.add(PINN())
optimizer = tf.keras.optimizers.Adam(learning_rate=0.05)
x = tf.constant(np.linspace(0, 2, 9)[:, None], dtype=tf.float32)
k = tf.Variable(1.0)


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x) - k * tf.sin(x)))
    variables = model.trainable_variables + [k]
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


for _ in range(5):
    loss = train_step(x)
    tf.print("loss", tf.round(1e4 * loss) / 1e4)
print("%.4f %.4f" % (k.numpy(), float(loss)), len(model.trainable_variables))
