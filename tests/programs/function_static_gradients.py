"""tf.gradients and tf.hessians inside tf.function: orders, grad_ys, stop_gradients, None, ZERO, tape and gradients mixed."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, tf.nest.map_structure(lambda v: v if v is None else (np.round(v.numpy(), 5) + 0.0).tolist(), value))


x = tf.constant([0.5, -1.0], tf.float64)
w = tf.Variable([2.0, 3.0], dtype=tf.float64)


@tf.function
def orders(x):
    y = tf.exp(2.0 * x)
    out = [y]
    for _ in range(4):
        out.append(tf.gradients(out[-1], x)[0])
    return out


@tf.function
def options(x):
    y = x ** 2
    z = y * w
    return {
        "xs list": tf.gradients(z, [x, y]),
        "variable": tf.gradients(z, w),
        "grad_ys": tf.gradients(z, x, grad_ys=[tf.constant([1.0, 10.0], tf.float64)]),
        "stop": tf.gradients(z, [x, y], stop_gradients=[y]),
        "stop z": tf.gradients(z + x, x, stop_gradients=z),
        "two ys": tf.gradients([z, y], x),
        "zero": tf.gradients(z, x[0], unconnected_gradients="zero"),
    }


@tf.function
def none_inside(x):
    g = tf.gradients(tf.constant(1.0), x)
    h = tf.gradients(tf.gradients(3.0 * x, x), x)
    print("tracing", g, h)
    return x


@tf.function
def mixed(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sin(x) * x
        g = tf.gradients(y, x)[0]
    return g, tape.gradient(g, x)


@tf.function
def hess(x):
    return tf.hessians(tf.reduce_sum(x ** 3) * x[0], x)


def outer_tape(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        g, _ = mixed(x)
    return tape.gradient(g, x)


show("orders", orders(x))
for key, value in sorted(options(x).items()):
    show(key, value)
none_inside(x)
show("mixed", mixed(x))
show("outer tape", outer_tape(x))
show("hessians", hess(x))


@tf.function
def through_calls(x):
    inner = tf.function(lambda v: tf.tanh(v) ** 2)
    y = inner(inner(x))
    g = tf.gradients(y, x)[0]
    return g, tf.gradients(g, x)[0]


show("through calls", through_calls(x))
outside = tf.concat([x, x], 0)


@tf.function
def of_outside():
    return tf.gradients(outside * 2.0, x), tf.gradients(outside * 2.0, outside)


print("outside", [[None if v is None else v.shape.as_list() for v in part] for part in of_outside()])
