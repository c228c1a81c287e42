"""A model of inputs and outputs, with layers of several kinds."""
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Concatenate, Dense, Input, Lambda, RepeatVector
from tensorflow.keras.models import Model

tf.keras.backend.clear_session()
x_in, t_in = Input(shape=(1,)), Input((1,))
both = Concatenate(axis=1)([x_in, t_in])
h = Dense(6, activation="tanh", use_bias=False, kernel_initializer=tf.keras.initializers.RandomNormal(mean=0.0, stddev=0.05))(both)
h = Dense(units=6, activation=tf.nn.tanh, use_bias=True)(h)
h = tf.keras.layers.Activation("sigmoid")(h)
h = tf.keras.layers.LeakyReLU(alpha=0.2)(h)
h = tf.keras.layers.ReLU()(h)
out = Lambda(lambda z: z * 2.0)(Dense(1, kernel_initializer=tf.keras.initializers.GlorotUniform())(h))
model = Model(inputs=[x_in, t_in], outputs=out)
rng = np.random.RandomState(0)
model.set_weights([0.3 * rng.randn(*w.shape) for w in model.get_weights()])
x, t = tf.constant(rng.rand(4, 1), tf.float32), tf.constant(rng.rand(4, 1), tf.float32)
with tf.GradientTape(persistent=True) as tape:
    tape.watch([x, t])
    u = model([x, t])
print(np.round(u, 5).tolist(), np.round(tape.gradient(u, x), 5).tolist(), np.round(tape.gradient(u, t), 5).tolist())
repeated = Model(inputs=x_in, outputs=RepeatVector(3)(x_in))
print(repeated(x).shape, len(model.trainable_variables))
one = tf.keras.Input((2,))
norm = tf.keras.layers.BatchNormalization(epsilon=1e-3)(one)
norm = tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, beta_initializer="zeros", gamma_initializer="ones")(norm)
net = tf.keras.models.Model(inputs=one, outputs=norm)
X = tf.constant([[1.0, 2.0], [3.0, 6.0]])
print(np.round(net(X), 4).tolist(), np.round(net(X, training=True), 3).tolist())
