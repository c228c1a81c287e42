"""A checkpoint of a model, written and restored."""
import os
import shutil
import tempfile

import numpy as np
import tensorflow as tf

folder = tempfile.mkdtemp()
model = tf.keras.Sequential([tf.keras.layers.InputLayer(input_shape=(2,), dtype="float32", name="in"), tf.keras.layers.Dense(3)])
rng = np.random.RandomState(0)
model.set_weights([rng.randn(*w.shape) for w in model.get_weights()])
y = model(np.ones((1, 2))).numpy()
checkpoint = tf.train.Checkpoint(model=model)
path = checkpoint.write(os.path.join(folder, 'ckpt'))
print(len(tf.train.list_variables(path)) >= 2)
model.set_weights([0 * w for w in model.get_weights()])
print(np.abs(model(np.ones((1, 2)))).max())
tf.train.Checkpoint(model=model).restore(path)
print(np.array_equal(model(np.ones((1, 2))), y))
shutil.rmtree(folder)
