"""Static graph variables: initialisers, assignments, control dependencies, groups, counters, uninitialised reads, loads, collections."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1

w = tf.Variable([1.0, 2.0], name="w")
b = tf.Variable([10.0, 20.0], name="b", trainable=False)
counter = tf.Variable(0, name="counter", trainable=False, dtype=tf.int64)
up = v1.assign_add(counter, 1)
double = v1.assign(w, w * 2.0)
down = w.assign_sub([0.5, 0.5])
with tf.control_dependencies([double]):
    after = w.read_value()
    both = tf.identity(w + 0.0)
step = tf.group(up, double, name="step")
with v1.Session() as sess:
    try:
        sess.run(w)
    except tf.errors.FailedPreconditionError as error:
        print("uninitialised", type(error).__name__)
    print("report", sess.run(v1.report_uninitialized_variables()).tolist())
    print("init", sess.run(v1.variables_initializer([w])), sess.run(v1.is_variable_initialized(w)))
    print("init", sess.run(v1.global_variables_initializer()), sess.run(b).tolist())
    print("read", sess.run(w).tolist(), sess.run(w + 1.0).tolist(), w.eval(sess).tolist())
    print("assign returns", np.asarray(sess.run(double)).tolist(), "again", np.asarray(sess.run(double)).tolist())
    print("after", sess.run(after).tolist(), sess.run(both).tolist())
    print("group", sess.run(step), sess.run([counter, w])[0], sess.run(w).tolist())
    print("down", np.asarray(sess.run(down)).tolist())
    w.load([7.0, 8.0], sess)
    print("load", sess.run(w).tolist())
    for _ in range(3):
        sess.run(up)
    print("counter", sess.run(counter), sess.run(up))
    sess.run(w.initializer)
    print("re-initialised", sess.run(w).tolist())
    g = tf.gradients(tf.reduce_sum(w ** 2), w)[0]
    train = w.assign(w - 0.25 * g)
    for _ in range(3):
        sess.run(train)
    print("descent", sess.run(w).tolist())
    print("fed", sess.run(w * 1.0, {w: [100.0, 200.0]}).tolist())
    print("slices", sess.run(w[1]), sess.run(tf.gather(w, [1, 0])).tolist(), sess.run(tf.cast(w, tf.int32)).tolist())
    sess.run(v1.scatter_update(w, [0], [55.0]))
    print("scatter", sess.run(w).tolist())
    with tf.control_dependencies([v1.assign(b, [0.0, 0.0])]):
        nothing = tf.no_op(name="nothing")
    print("no_op", sess.run(nothing), sess.run(b).tolist())
with v1.Session() as sess:
    sess.run(v1.global_variables_initializer())
    print("a new session", sess.run(w).tolist(), sess.run(counter))
print([v.name for v in v1.global_variables()], [v.name for v in v1.trainable_variables()], v1.local_variables())
print(w.op.type, w.name, w.shape, w.dtype, w.op.name, w.initializer.type, type(w).__name__)
print(repr(w), str(w))
print(v1.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES) == v1.trainable_variables(), v1.GraphKeys.GLOBAL_VARIABLES)
with v1.variable_scope("old", use_resource=False):
    r = v1.get_variable("r", initializer=[1.0], use_resource=False)
print(type(r).__name__, r.op.type, repr(r), r.dtype)
