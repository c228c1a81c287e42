"""Session.run: structures of fetches, names, operations, repeated fetches, feeding intermediate tensors, partial feeds, errors."""
import collections
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

Pair = collections.namedtuple("Pair", "first second")
x = tf.placeholder(tf.float32, [None, 2], name="x")
k = tf.placeholder(tf.float32, [], name="k")
h = tf.multiply(x, 3.0, name="h")
y = tf.add(h, 1.0, name="y")
s = tf.reduce_sum(y * k, name="s")
n = tf.shape(x)[0]
default = tf.placeholder_with_default(5.0, [], name="default")
out = default * 2.0
feed = {x: [[1.0, 2.0]]}
with tf.Session() as sess:
    print("tensor", sess.run(y, feed).tolist(), type(sess.run(n, feed)).__name__, sess.run(n, feed))
    print("list", [type(v).__name__ for v in sess.run([y, n], feed)])
    print("tuple", type(sess.run((y, n), feed)).__name__)
    print("dict", sess.run({"a": n, "b": [n, {"c": n}]}, feed))
    print("namedtuple", sess.run(Pair(n, n), feed))
    print("operation", sess.run(y.op, feed), sess.run([tf.no_op(), n], feed))
    print("names", sess.run("h:0", feed).tolist(), sess.run(["y:0", "s"], {"x:0": [[0.0, 0.0]], k: 1.0}))
    print("repeated", sess.run([n, n, n], feed))
    print("empty", sess.run([]), sess.run({}))
    print("intermediate", sess.run(y, {h: [[10.0, 20.0]]}).tolist())
    print("intermediate wins", sess.run(s, {x: [[1.0, 1.0]], h: np.zeros((3, 2)), k: 2.0}))
    print("constant fed", sess.run(tf.constant(1.0, name="c") + 1.0), sess.run("add:0", {"c:0": 41.0}))
    print("default", sess.run(out), sess.run(out, {default: 1.0}))
    print("partial", sess.run(h, {x: [[1.0, 1.0]]}).tolist(), "unused feed", sess.run(n, {x: np.ones((4, 2)), k: 3.0}))
    print("numpy f64 in", sess.run(h, {x: np.ones((1, 2), np.float64)}).dtype, "int in", sess.run(h, {x: [[1, 2]]}).dtype)
    print("eval", y.eval(feed).tolist(), n.eval(feed_dict=feed, session=sess))
    call = sess.make_callable([h, n], feed_list=[x])
    print("callable", [np.asarray(v).tolist() for v in call([[2.0, 2.0]])])
    print("callable without feeds", sess.make_callable(out)())
    print("string", sess.run(tf.constant("abc")), sess.run(tf.constant(["a"])).dtype, sess.run(tf.constant(True)), type(sess.run(tf.constant(2))).__name__)
    for label, f in {
        "not fed": lambda: sess.run(y), "shape": lambda: sess.run(y, {x: [1.0, 2.0]}), "dtype": lambda: sess.run(y, {x: [["a", "b"]]}),
        "fetch None": lambda: sess.run(None), "fetch int": lambda: sess.run(1), "no such name": lambda: sess.run("nothing:0"), "fetch list with None": lambda: sess.run([y, None], feed),
        "feed key": lambda: sess.run(y, {"zzz:0": 1.0}), "feed int key": lambda: sess.run(y, {1: 1.0}), "feed tensor": lambda: sess.run(y, {x: tf.ones([1, 2])}),
        "feed None": lambda: sess.run(y, {x: None}), "bad float for int": lambda: sess.run(n, {n: 1.5}), "unfeedable": lambda: sess.run(y, [1]),
    }.items():
        try:
            print(label, "gives", f())
        except Exception as error:
            print(label, type(error).__name__)
print("closed")
for f in (lambda: sess.run(out), lambda: y.eval(feed)):
    try:
        f()
    except Exception as error:
        print(type(error).__name__)
interactive = tf.InteractiveSession()
print("interactive", out.eval(), tf.get_default_session() is interactive)
interactive.close()
