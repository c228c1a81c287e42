"""A loop of one's own that reports through Keras' bar, and a callback of one's own."""
import numpy as np
import tensorflow as tf


class Recorder(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print('epoch', epoch, sorted(logs))


progbar = tf.keras.callbacks.ProgbarLogger(count_mode='steps', stateful_metrics=['lr'])
progbar.set_params({'verbose': 1, 'epochs': 1, 'steps': 3})
w = tf.Variable([2.0])
optimizer = tf.keras.optimizers.Adam(learning_rate=0.1, epsilon=1e-8)
progbar.on_train_begin()
progbar.on_epoch_begin(1)
for step in range(3):
    progbar.on_batch_begin(step)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w**2)
    optimizer.apply_gradients([(tape.gradient(loss, w), w)])
    progbar.on_batch_end(step, logs={'loss': float(loss)})
progbar.on_epoch_end(1)
progbar.on_train_end()
print('')
print('%.4f' % w.numpy()[0])
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile(optimizer='sgd', loss='mse')
model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[Recorder()])
