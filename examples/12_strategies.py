"""A custom training loop as TensorFlow's guides write it for several replicas: u'' = -pi^2 sin(pi x), u(-1) = u(1) = 0.

The strategy's one replica sees each batch whole, so the loss that is divided by the size of the global batch, and the sum over
replicas, mean what they say. Run it by `wengert run --devices 4` and the rows of a batch lie on four devices.
"""

import numpy as np
import tensorflow as tf

strategy = tf.distribute.MirroredStrategy()
points = np.random.default_rng(1).uniform(-1.0, 1.0, (512, 1)).astype("float32")
BATCH = 128 * strategy.num_replicas_in_sync
dataset = tf.data.Dataset.from_tensor_slices(points).shuffle(512, seed=1).batch(BATCH)
dataset = strategy.experimental_distribute_dataset(dataset)

tf.random.set_seed(1)
with strategy.scope():
    model = tf.keras.Sequential([tf.keras.Input((1,)), *[tf.keras.layers.Dense(24, "tanh") for _ in range(3)]])
    model.add(tf.keras.layers.Dense(1))
    optimizer = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.ExponentialDecay(0.005, 200, 0.7))


def u(x):
    return (1.0 - x * x) * model(x)  # zero at both ends


def step(x):
    with tf.GradientTape() as tape:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = u(x)
            u_x = inner.gradient(y, x)
        u_xx = outer.gradient(u_x, x)
        squares = tf.reduce_sum((u_xx + np.pi**2 * tf.sin(np.pi * x)) ** 2, axis=1)
        loss = tf.nn.compute_average_loss(squares, global_batch_size=BATCH)
    weights = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


@tf.function
def train(x):
    return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(step, args=(x,)), axis=None)


print("replicas", strategy.num_replicas_in_sync, "batches of", dataset.element_spec.shape)
for epoch in range(200):
    for x in dataset:
        loss = train(x)
    if epoch % 50 == 49:
        print(f"epoch {epoch + 1:3d} loss {float(loss):.2e}")

x = np.linspace(-1.0, 1.0, 101, dtype="float32")[:, None]
print("largest error", f"{np.abs(u(tf.constant(x)).numpy() - np.sin(np.pi * x)).max():.4f}")
