"""compile, fit and predict; weights taken, put back, saved and loaded."""
import contextlib
import io
import os
import shutil
import tempfile

import numpy as np
import tensorflow as tf

folder = tempfile.mkdtemp()
rng = np.random.RandomState(6)
model = tf.keras.Sequential()
model.add(tf.keras.layers.Dense(8, activation='tanh'))
model.add(tf.keras.layers.Dense(1))
model.build(input_shape=(None, 2))
model.set_weights([0.5 * rng.randn(*w.shape) for w in model.get_weights()])
model.compile(optimizer=tf.keras.optimizers.Adam(1e-2), loss='mse')
X = rng.rand(32, 2)
Y = X[:, :1] * X[:, 1:]
print('%.6f' % np.mean((model.predict(X, verbose=0) - Y) ** 2))
history = model.fit(X, Y, epochs=4, verbose=0, shuffle=False)
print(np.round(history.history['loss'], 5).tolist())
with contextlib.redirect_stdout(io.StringIO()) as text:
    model.summary()
    Y_pred = model.predict(X)
print('%.6f' % np.mean((Y_pred - Y) ** 2), 'Total params' in text.getvalue())
model.fit(X, Y, epochs=2, verbose=0)
path = os.path.join(folder, 'net.weights.h5')
model.save_weights(path)
kept = model.get_weights()
model.set_weights([0 * w for w in kept])
print(float(tf.reduce_max(tf.abs(model(X)))))
model.load_weights(path)
print(all(np.array_equal(a, b) for a, b in zip(kept, model.get_weights())))
print('%.6f %.6f' % (tf.reduce_mean(tf.keras.losses.mse(Y, 0 * Y)), tf.reduce_mean(tf.keras.losses.logcosh(Y, 0 * Y))))
stack = tf.keras.models.Sequential()
stack.add(tf.keras.layers.InputLayer((2,)))
stack.add(tf.keras.layers.Dense(3, kernel_initializer=tf.keras.initializers.VarianceScaling(scale=2.0, mode='fan_in', distribution='uniform')))
stack.add(tf.keras.layers.Dense(2, kernel_initializer=tf.keras.initializers.GlorotNormal()))
print(stack(X).shape)
shutil.rmtree(folder)
