"""variable_scope and get_variable: names, reuse, sharing, initialisers, regularisers, collections by scope, custom getters, name_scope."""
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()


def dense(x, units, name):
    with tf.variable_scope(name):
        w = tf.get_variable("w", [x.shape[1], units], initializer=tf.constant_initializer(0.5))
        b = tf.get_variable("b", [units], initializer=tf.zeros_initializer())
        return tf.nn.tanh(tf.matmul(x, w) + b, name="act")


x = tf.placeholder(tf.float32, [None, 2], "x")
with tf.variable_scope("net"):
    h = dense(x, 3, "first")
    y = dense(h, 1, "second")
with tf.variable_scope("net", reuse=True):
    again = dense(dense(x, 3, "first"), 1, "second")
print([v.name for v in tf.trainable_variables()])
print(h.name, y.name, again.name)
for label, f in {
    "again without reuse": lambda: tf.get_variable("net/first/w", [2, 3]),
    "reuse of nothing": lambda: tf.variable_scope("net", reuse=True).__enter__() and tf.get_variable("nothing", [1]),
    "other shape": lambda: dense(tf.ones([1, 5]), 3, "first"),
    "no shape": lambda: tf.get_variable("noshape"),
}.items():
    try:
        with tf.Graph().as_default() if label == "no shape" else tf.get_default_graph().as_default():
            f()
        print(label, "passes")
    except ValueError as error:
        print(label, "ValueError")
    except Exception as error:
        print(label, type(error).__name__)
graph = tf.Graph()
with graph.as_default():
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE) as scope:
        v = tf.get_variable("v", initializer=tf.constant([1.0, 2.0]))
        same = tf.get_variable("v", initializer=tf.constant([1.0, 2.0]))
    with tf.variable_scope(scope):
        third = tf.get_variable("v")
        op = tf.constant(1.0, name="c")
    print(v is same, v is third, scope.name, op.name)
    with tf.variable_scope("a"):
        print(tf.constant(1.0, name="c").name, tf.get_variable_scope().name, tf.get_variable_scope().reuse)
    with tf.name_scope("n"):
        print(tf.Variable(1.0, name="p").name, tf.get_variable("q", [1]).name, tf.constant(2.0).name)
    with tf.name_scope("n"):
        print(tf.constant(2.0).name)
    with tf.name_scope("n/"):
        print(tf.constant(2.0, name="exact").name)
    with tf.variable_scope("init", initializer=tf.ones_initializer()):
        ones = tf.get_variable("ones", [2], regularizer=lambda t: 0.1 * tf.reduce_sum(t))
        ints = tf.get_variable("ints", [1], tf.int32, initializer=tf.zeros_initializer(), trainable=False)
        numpy_made = tf.get_variable("np", initializer=np.float64([3.0]), collections=["mine", tf.GraphKeys.GLOBAL_VARIABLES])
    tf.add_to_collection("losses", tf.reduce_sum(ones))
    tf.add_to_collection("losses", 5)
    print([t if isinstance(t, int) else t.name for t in tf.get_collection("losses")], [v.name for v in tf.get_collection("mine")])
    print([v.name for v in tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope="init")], tf.get_collection("none"))
    print([v.name for v in tf.trainable_variables("a")], len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print([sess.run(t).tolist() for t in (v, ones, ints, numpy_made)], "%.2f" % sess.run(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)[0]))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    a, b = sess.run([y, again], {x: [[1.0, 2.0]]})
    print(np.round(a, 5).tolist(), bool((a == b).all()), [None if g is None else g.shape.as_list() for g in tf.gradients(y, tf.trainable_variables())])
