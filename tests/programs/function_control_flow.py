"""cond, case, switch_case, while_loop: eagerly and in a function, with gradients of both orders."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


def power(x):
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), [tf.constant(0), x])[1]


def branch(x):
    return tf.cond(tf.reduce_sum(x) > 0.0, lambda: tf.square(x), lambda: -x)


def case(x):
    s = tf.reduce_sum(x)
    return tf.case([(s < 0.0, lambda: x), (s < 10.0, lambda: x * 10.0)], default=lambda: x * 100.0)


def switch(x):
    return tf.switch_case(tf.cast(tf.reduce_sum(x), tf.int32), [lambda: x, lambda: x ** 2, lambda: x ** 3], default=lambda: x * 0.5)


def pairs(x):
    a, b = tf.while_loop(lambda a, b: tf.reduce_sum(a) < 20.0, lambda a, b: [a * 1.5, b + a], (x, tf.zeros_like(x)))
    return a, b


x = tf.constant([1.5, -0.25, 2.0], tf.float64)
for function in (power, branch, case, switch, pairs):
    for label, f in (("eager", function), ("function", tf.function(function))):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = f(x)
                s = tf.add_n([tf.reduce_sum(v * v) for v in tf.nest.flatten(y)])
            g = inner.gradient(s, x)
        name = f"{function.__name__} {label}"
        print(name, np.round([np.sum(v) for v in tf.nest.flatten(tf.nest.map_structure(lambda t: t.numpy(), y))], 5).tolist())
        show(name + " g", g)
        show(name + " gg", outer.gradient(g, x))
print("maximum_iterations", int(tf.while_loop(lambda i: True, lambda i: (i + 1,), (0,), maximum_iterations=4)[0]))
grown = tf.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, tf.concat([v, v], 0)), [0, tf.ones([1])], shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])])
print("shape_invariants", grown[1].numpy().tolist())
