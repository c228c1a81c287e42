"""custom_gradient whose function reads variables: grad(*dys, variables=...), keyword arguments, recompute_grad."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


w = tf.Variable([1.0, -2.0], name="w")
c = tf.Variable(0.5, name="c")


@tf.custom_gradient
def scaled(x):
    y = x * w + c

    def grad(dy, variables=None):
        print("variables", sorted(v.name for v in variables))
        values = {"w:0": dy * x * 10.0, "c:0": tf.reduce_sum(dy) * 100.0}
        return dy * w, [values[v.name] for v in variables]

    return y, grad


x = tf.constant([3.0, 4.0])
with tf.GradientTape() as tape:
    tape.watch(x)
    y = tf.reduce_sum(scaled(x))
gx, gw, gc = tape.gradient(y, [x, w, c])
show("x", gx)
show("w", gw)
show("c", gc)


@tf.custom_gradient
def forgot(x):
    return x * w, lambda dy: dy * w


try:
    with tf.GradientTape() as tape:
        tape.watch(x)
        forgot(x)
except TypeError as error:
    print("TypeError", "variables" in str(error))


class Layer(tf.Module):
    def __init__(self):
        super().__init__(name="layer")
        self.k = tf.Variable(np.float32([[0.5, -0.5], [1.0, 2.0]]), name="k")
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return tf.tanh(x @ self.k)


layer = Layer()
inputs = tf.constant([[1.0, 0.5]])
with tf.GradientTape() as tape:
    tape.watch(inputs)
    plain = tf.reduce_sum(layer(inputs))
ga = tape.gradient(plain, [inputs, layer.k])
again = tf.recompute_grad(layer)
layer.calls = 0
with tf.GradientTape() as tape:
    tape.watch(inputs)
    value = tf.reduce_sum(again(inputs))
gb = tape.gradient(value, [inputs, layer.k])
show("recomputed value", value - plain)
show("same", [tf.reduce_max(tf.abs(p - q)) for p, q in zip(ga, gb)])
print("forward calls", layer.calls)
show("k", gb[1])
