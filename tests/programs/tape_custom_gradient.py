"""custom_gradient: one and several arguments and results, second order, nesting, and use within jacobians and functions."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


@tf.custom_gradient
def stable_log1pexp(x):
    e = tf.exp(x)

    def grad(upstream):
        return upstream * (1.0 - 1.0 / (1.0 + e))

    return tf.math.log(1.0 + e), grad


@tf.custom_gradient
def two_in_two_out(a, b):
    def grad(da, db):
        return da * 100.0 + db, db * 7.0

    return (a * b, a + b), grad


@tf.custom_gradient
def clipped(x):
    def grad(dy):
        return tf.clip_by_value(dy, -1.0, 1.0)

    return tf.identity(x), grad


x = tf.constant([100.0, 0.0, -2.0])
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    y = stable_log1pexp(x)
    z = clipped(x) * tf.constant([5.0, 0.25, -9.0])
show("log1pexp", tape.gradient(y, x)[0])
show("log1pexp", tape.gradient(y, x)[1:])
show("clipped", tape.gradient(z, x))

a, b = tf.constant(2.0), tf.constant(3.0)
with tf.GradientTape(persistent=True) as tape:
    tape.watch([a, b])
    p, q = two_in_two_out(a, b)
    both = p + q
show("both", tape.gradient(both, [a, b]))
show("p", tape.gradient(p, [a, b]))
show("q", tape.gradient(q, [a, b]))


@tf.custom_gradient
def cube_with_own_rule(v):
    v3 = v * v * v

    @tf.custom_gradient
    def first(dy, w):
        def second(ddy):
            return ddy * 3.0 * w * w, ddy * dy * 1000.0

        return dy * 3.0 * w * w, second

    return v3, lambda dy: first(dy, v)


v = tf.constant(2.0)
with tf.GradientTape() as outer:
    outer.watch(v)
    with tf.GradientTape() as inner:
        inner.watch(v)
        c = cube_with_own_rule(v)
    g = inner.gradient(c, v)
show("own first", g)
show("own second", outer.gradient(g, v))

t = tf.constant(0.5)
with tf.GradientTape() as outer:
    outer.watch(t)
    with tf.GradientTape() as inner:
        inner.watch(t)
        y = stable_log1pexp(t)
    g = inner.gradient(y, t)
show("second through the rule", [g, outer.gradient(g, t)])


@tf.function
def in_function(u):
    with tf.GradientTape() as tape:
        tape.watch(u)
        r = tf.reduce_sum(clipped(u) ** 2)
    return tape.gradient(r, u)


show("in a function", in_function(tf.constant([0.25, 3.0, -3.0])))


@tf.custom_gradient
def no_gradient_for_second(a, b):
    return a * b, lambda dy: (dy * b, None)


with tf.GradientTape() as tape:
    tape.watch([a, b])
    r = no_gradient_for_second(a, b)
print([None if g is None else float(g) for g in tape.gradient(r, [a, b])])
