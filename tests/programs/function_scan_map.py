"""scan, foldl, foldr, map_fn, vectorized_map: eagerly and in a function, with gradients of both orders."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


def scanned(x):
    return tf.scan(lambda a, e: a * 0.5 + e ** 2, x, initializer=tf.constant(1.0, tf.float64))


def scan_without(x):
    return tf.scan(lambda a, e: a * e, x)


def folded(x):
    return tf.foldl(lambda a, e: a * 2.0 + e, x), tf.foldr(lambda a, e: a * 2.0 + e, x)


def mapped(x):
    return tf.map_fn(lambda e: e ** 3 + 1.0, x)


def mapped_two(x):
    return tf.map_fn(lambda t: (t[0] * t[1], t[0] - t[1]), (x, x[::-1]), fn_output_signature=(tf.float64, tf.float64))


def vectorized(x):
    return tf.vectorized_map(lambda e: tf.sin(e) * e, x)


x = tf.constant([1.5, -0.25, 2.0], tf.float64)
for function in (scanned, scan_without, folded, mapped, mapped_two, vectorized):
    for label, f in (("eager", function), ("function", tf.function(function))):
        if f is not function and function is vectorized:
            continue
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
print("map_fn dtype", tf.map_fn(lambda e: tf.cast(e, tf.int32), x, fn_output_signature=tf.int32).numpy().tolist())
