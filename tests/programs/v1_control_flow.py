"""cond, case, while_loop, scan, map_fn, TensorArray and foldl in a static graph, with gradients, both kinds of control flow."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1


def build(x, n):
    flag = tf.reduce_sum(x) > 1.0
    outs = {}
    outs["cond"] = tf.cond(flag, lambda: x ** 2, lambda: -x)
    outs["nested"] = tf.cond(flag, lambda: tf.cond(n > 2, lambda: x * 3.0, lambda: x * 4.0), lambda: tf.zeros_like(x))
    outs["while"] = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * x), [tf.constant(0), tf.ones_like(x)])[1]
    outs["case"] = tf.case([(n < 1, lambda: x), (n < 3, lambda: x * 10.0)], default=lambda: x ** 3)
    outs["switch"] = tf.switch_case(n, [lambda: x, lambda: x * 2.0], default=lambda: tf.exp(x))
    outs["scan"] = tf.scan(lambda acc, e: acc + e ** 2, x)
    outs["map"] = tf.map_fn(lambda e: tf.sin(e) * e, x)
    outs["foldl"] = tf.foldl(lambda acc, e: acc * 0.5 + e, x)
    ta = tf.TensorArray(tf.float64, size=n)
    _, ta = tf.while_loop(lambda i, t: i < n, lambda i, t: (i + 1, t.write(i, x[0] * tf.cast(i, tf.float64) ** 2)), [0, ta])
    outs["array"] = ta.stack()
    return outs


for v2 in (True, False):
    (v1.enable_control_flow_v2 if v2 else v1.disable_control_flow_v2)()
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [2])
        n = v1.placeholder(tf.int32, [])
        outs = build(x, n)
        first = {k: tf.gradients(v, x)[0] for k, v in outs.items()}
        second = {k: tf.gradients(first[k], x)[0] for k in ("cond", "while", "map") if v2} if v2 else {}
        with v1.Session() as sess:
            for values in ([1.5, 0.5], [-1.0, 0.25]):
                feed = {x: values, n: 3}
                for title, part in (("value", outs), ("first", first), ("second", second)):
                    for k, v in sess.run(part, feed).items():
                        print(int(v2), title, k, (np.round(v, 5) + 0.0).tolist())
