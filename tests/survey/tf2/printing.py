"""tf.print in functions and outside, and rates that fall."""
import sys

import tensorflow as tf

x = tf.constant([1.0, 2.0])
tf.print("one")
tf.print("It:", tf.constant(3), sep=" ")
tf.print("a", x, tf.reduce_sum(x))
tf.print("epoch", 1, "loss", tf.constant(0.5))
tf.print("epoch", 2, "loss", tf.constant(0.25), "end")


@tf.function
def step(i):
    tf.print("step", i)
    return i + 1


print(int(step(tf.constant(1))))
schedules = [tf.keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5),
             tf.keras.optimizers.schedules.ExponentialDecay(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.9),
             tf.keras.optimizers.schedules.PiecewiseConstantDecay([5, 10], [0.1, 0.01, 0.001])]
print([round(float(s(k)), 6) for s in schedules for k in (0, 7, 20)])
optimizers = [tf.keras.optimizers.Adam(0.1, 0.9, 0.99, epsilon=1e-7),
              tf.keras.optimizers.Adam(learning_rate=0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-6),
              tf.keras.optimizers.Adam(schedules[0], epsilon=1e-6), tf.keras.optimizers.Adam(learning_rate=schedules[1]),
              tf.keras.optimizers.Adam(beta_1=0.7, epsilon=1e-6, learning_rate=0.1), tf.keras.optimizers.Adam(learning_rate=schedules[2])]
for optimizer in optimizers:
    w = tf.Variable([1.0, -1.0])
    for _ in range(8):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(w) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, [w]), [w]))
    print(w.numpy().round(5).tolist(), int(optimizer.iterations.numpy()))
