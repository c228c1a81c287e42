"""Points and initial values at random: no two libraries draw the same, so shapes and bounds are printed."""
import numpy as np
import tensorflow as tf
from tensorflow.keras import backend, initializers

tf.random.set_seed(12)
tf.keras.utils.set_random_seed(12)
u1 = tf.random.uniform((30, 1), -1.0, 2.0, dtype=tf.float32)
u2 = tf.random.uniform([30, 1], 0, 0.5, dtype="float64", seed=3)
u3, u4 = tf.random.uniform([4]), tf.random.uniform((4, 2), dtype=tf.float64)
n1, n2 = tf.random.normal([200], dtype=tf.float32), tf.random.normal(shape=[3, 2], dtype=tf.float64)
t1 = tf.random.truncated_normal(shape=[100], mean=1.0, stddev=0.1, dtype=tf.float32)
print(u1.shape, bool(tf.reduce_max(u1) < 2.0), bool(tf.reduce_min(u1) >= -1.0), u2.dtype.name, bool(tf.reduce_max(u2) < 0.5))
print(u3.shape, u4.dtype.name, n1.shape, n2.dtype.name, bool(tf.reduce_max(tf.abs(t1 - 1.0)) < 0.2001))
mask = backend.random_bernoulli((50,), 0.3, dtype="float32")
print(mask.shape, set(np.unique(mask)) == {0.0, 1.0})
for make in (tf.random_normal_initializer(0.0, stddev=0.1), tf.random_uniform_initializer(-0.1, 0.1), tf.zeros_initializer(),
             tf.ones_initializer(), tf.constant_initializer(0.3), initializers.GlorotUniform(), initializers.GlorotNormal(),
             initializers.Constant(2.0), initializers.RandomNormal(mean=0.0, stddev=0.1),
             initializers.VarianceScaling(scale=1.0, mode="fan_avg", distribution="truncated_normal")):
    value = make((20, 10), dtype="float32")
    print(value.shape, bool(tf.reduce_max(tf.abs(value)) < 2.5), make(shape=(3,), dtype="float32").shape)
tf.random.set_seed(1)
first = tf.random.uniform([3]).numpy()
tf.random.set_seed(1)
print(np.array_equal(first, tf.random.uniform([3]).numpy()))
