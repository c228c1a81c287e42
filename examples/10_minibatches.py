"""A heat equation by minibatches of points that a dataset gives: u_t = u_xx / 9, u = sin(3x) at t = 0.

Points in the domain, and on its edges, each with the value there, are two datasets, shuffled and put into batches of their own
sizes; zipped, they give a step of training. One function trains for a whole epoch: its loop over the dataset is one of the graph.
A checkpoint keeps the position in the data, so that another process goes on with the very points that would have come. The
solution is sin(3x) exp(-t).
"""

import tempfile

import numpy as np
import tensorflow as tf

tf.random.set_seed(1)
tf.keras.utils.set_random_seed(1)
rng = np.random.default_rng(1)
EPOCHS = 100


def column(high, count):
    return rng.uniform(0.0, high, (count, 1)).astype(np.float32)


x, t = column(np.pi, 1024), column(1.0, 1024)
begin = np.concatenate([column(np.pi, 128), np.zeros((128, 1), np.float32)], 1)
ends = np.concatenate([rng.choice([0.0, np.pi], (128, 1)).astype(np.float32), column(1.0, 128)], 1)
edge = np.concatenate([begin, ends])
value = np.concatenate([np.sin(3.0 * begin[:, :1]), np.zeros((128, 1), np.float32)])

inside = tf.data.Dataset.from_tensor_slices((x, t)).shuffle(1024).batch(128)
edges = tf.data.Dataset.from_tensor_slices((edge, value)).shuffle(256).batch(64).repeat()
data = tf.data.Dataset.zip((inside, edges))
print("a step has", data.element_spec[0][0].shape, "points inside;", len(inside), "steps make an epoch")

layers = [tf.keras.layers.Dense(24, "tanh") for _ in range(2)]
network = tf.keras.Sequential([tf.keras.Input([2]), *layers, tf.keras.layers.Dense(1)])
rate = tf.keras.optimizers.schedules.CosineDecay(2e-2, len(inside) * EPOCHS)
optimizer = tf.keras.optimizers.Adam(rate)
optimizer.build(network.trainable_variables)


def solution(x, t):
    return network(tf.concat([2.0 * x - np.pi, 2.0 * t - 1.0], 1))


def residual(x, t):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch([x, t])
            u = solution(x, t)
        u_x, u_t = inner.gradient(u, x), inner.gradient(u, t)
    return u_t - outer.gradient(u_x, x) / 9.0


@tf.function
def epoch():
    loss = 0.0
    for (x, t), (edge, value) in data:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(residual(x, t) ** 2) + tf.reduce_mean((solution(edge[:, :1], edge[:, 1:]) - value) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, network.trainable_variables), network.trainable_variables))
    return loss


for k in range(1, EPOCHS + 1):
    loss = float(epoch())
    if k in (1, EPOCHS):
        print(f"epoch {k:3d} loss {loss:.5f}")

points = iter(inside.repeat())
print("a batch by hand", [part.shape.as_list() for part in next(points)])
with tempfile.TemporaryDirectory() as folder:
    path = tf.train.Checkpoint(points=points).save(folder + "/ckpt")
    ahead = [next(points)[0].numpy() for _ in range(10)]
    again = iter(inside.repeat())
    tf.train.Checkpoint(points=again).restore(path).assert_consumed()
    print("the same points again:", all(np.array_equal(a, next(again)[0]) for a in ahead))

x, t = column(np.pi, 500), column(1.0, 500)
error = float(np.max(np.abs(solution(x, t) - np.sin(3.0 * x) * np.exp(-t))))
print(f"largest error at new points {error:.3f}")
