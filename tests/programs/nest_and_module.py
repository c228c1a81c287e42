"""tf.nest and tf.Module: flattening order, mapping, packing, variable collection, name scopes; training a module by hand."""
import collections
import numpy as np
import tensorflow as tf

Point = collections.namedtuple("Point", "y x")
data = {"b": [1, (2, 3)], "a": Point(4, {"z": 5}), "c": None}
print(tf.nest.flatten(data), tf.nest.flatten(7), tf.nest.flatten([]))
print(tf.nest.map_structure(lambda v: v if v is None else v * 10, data))
print(tf.nest.map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)]))
print(tf.nest.pack_sequence_as(data, list("uvwxyz")))
print(tf.nest.is_nested([1]), tf.nest.is_nested("ab"), tf.nest.is_nested({}), tf.nest.is_nested(tf.constant([1])), tf.nest.is_nested(np.ones(2)))
for bad in (lambda: tf.nest.pack_sequence_as([1, 2], [1]), lambda: tf.nest.assert_same_structure([1], (1,)), lambda: tf.nest.map_structure(max, [1], [1, 2])):
    try:
        bad()
        print("passes")
    except (ValueError, TypeError) as error:
        print(type(error).__name__)


class Dense(tf.Module):
    def __init__(self, inputs, outputs, name=None):
        super().__init__(name=name)
        rng = np.random.RandomState(inputs + outputs)
        with self.name_scope:
            self.w = tf.Variable(rng.randn(inputs, outputs), name="w")
            self.b = tf.Variable(np.zeros(outputs), name="b")

    @tf.Module.with_name_scope
    def __call__(self, x):
        return x @ self.w + self.b


class Net(tf.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [Dense(m, n, name=f"dense_{i}") for i, (m, n) in enumerate(zip(sizes, sizes[1:]))]
        self.scale = tf.Variable(1.0, dtype=tf.float64, trainable=False, name="scale")
        self.table = {"k": tf.Variable(2.0, dtype=tf.float64, name="k")}

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = tf.tanh(layer(x))
        return self.layers[-1](x) * self.scale * self.table["k"]


net = Net([2, 3, 1])
print(net.name, net.layers[0].name, [v.name for v in net.variables], [v.name for v in net.trainable_variables])
print([m.name for m in net.submodules], len(net.layers[1].trainable_variables))
x = tf.constant(np.linspace(-1, 1, 8).reshape(4, 2))
y = tf.reduce_sum(x, 1, keepdims=True)
for step in range(4):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((net(x) - y) ** 2)
    for v, g in zip(net.trainable_variables, tape.gradient(loss, net.trainable_variables)):
        v.assign_sub(0.05 * g)
    print(step, round(float(loss), 6))
with tf.name_scope("outer"):
    with tf.name_scope("inner") as scope:
        print(scope, tf.Variable(1.0, name="q").name)
