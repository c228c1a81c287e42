"""Gradients of gathers are IndexedSlices: rows, where they stand, what optimizers make of them; dense where anything else is used."""
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

START = np.array([[1.0, 2.0], [3.0, -4.0], [0.5, 0.25]], np.float32)
makers = {
    "GradientDescent": lambda: tf.train.GradientDescentOptimizer(0.1),
    "Momentum": lambda: tf.train.MomentumOptimizer(0.1, 0.9),
    "Nesterov": lambda: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "Adam": lambda: tf.train.AdamOptimizer(0.1),
    "RMSProp": lambda: tf.train.RMSPropOptimizer(0.1, momentum=0.5),
    "CenteredRMSProp": lambda: tf.train.RMSPropOptimizer(0.1, momentum=0.5, centered=True),
    "Adagrad": lambda: tf.train.AdagradOptimizer(0.1),
    "Adadelta": lambda: tf.train.AdadeltaOptimizer(1.0),
    "Ftrl": lambda: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.01),
    "ProximalGradientDescent": lambda: tf.train.ProximalGradientDescentOptimizer(0.1, 0.01, 0.01),
    "ProximalAdagrad": lambda: tf.train.ProximalAdagradOptimizer(0.1, 0.1, 0.01, 0.01),
}
for name, make in makers.items():
    with tf.Graph().as_default(), tf.Session() as sess:
        p = tf.get_variable("p", initializer=START)
        i = tf.placeholder(tf.int32, [None])
        rows = tf.gather(p, i)
        train = make().minimize(tf.reduce_sum(rows * rows * [[1.0, 0.5]]))
        sess.run(tf.global_variables_initializer())
        for batch in ([0, 2, 0], [1, 2], [2], [0]):
            sess.run(train, {i: batch})
        print(name, sess.run(p).ravel())

with tf.Graph().as_default(), tf.Session() as sess:
    p = tf.get_variable("p", initializer=START)
    c = tf.constant(START)
    sess.run(tf.global_variables_initializer())

    def show(label, y, x):
        g = tf.gradients(y, x)[0]
        print(label, isinstance(g, tf.IndexedSlices), isinstance(g, tf.Tensor))
        if isinstance(g, tf.IndexedSlices):
            v = sess.run(g)
            print(type(v).__name__, v.values.tolist(), v.indices.tolist(), v.dense_shape.tolist())
        print(sess.run(tf.convert_to_tensor(g)).tolist())

    show("one", tf.square(tf.gather(p, [0, 2, 0])), p)
    show("constant", tf.square(tf.gather(c, [1])), c)
    show("scalar index", tf.square(tf.gather(p, 1)), p)
    show("matrix of indices", tf.square(tf.gather(p, [[0, 1], [2, 2]])), p)
    show("lookup", tf.square(tf.nn.embedding_lookup(p, [1, 1])), p)
    show("and dense", tf.reduce_sum(tf.gather(p, [1])) + tf.reduce_sum(p * p), p)
    show("axis 1", tf.square(tf.gather(p, [1, 1], axis=1)), p)
    show("second", tf.convert_to_tensor(tf.gradients(tf.gather(p, [1]) ** 3, p)[0]) ** 2, p)
    g = tf.gradients(tf.gather(p, [0, 0]) ** 2, p)
    clipped, norm = tf.clip_by_global_norm(g, 1.0)
    print(type(clipped[0]).__name__, sess.run(norm), sess.run(clipped[0].values).tolist())
    print(type(tf.clip_by_norm(g[0], 1.0)).__name__)
