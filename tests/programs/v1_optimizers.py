"""tf.train optimisers: minimize, compute_gradients, apply_gradients, global_step, slots, learning-rate schedules, several losses."""
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()


def run(label, make, steps=4):
    with tf.Graph().as_default():
        w = tf.Variable([1.0, -2.0], name="w")
        fixed = tf.Variable(3.0, trainable=False, name="fixed")
        loss = tf.reduce_sum(tf.square(w) * [1.0, 0.5]) * fixed
        step = tf.train.get_or_create_global_step()
        optimizer = make(step)
        train = optimizer.minimize(loss, global_step=step)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            out = []
            for _ in range(steps):
                _, value = sess.run([train, loss])
                out.append(sess.run(w))
            print(label, np.round(out, 5).tolist(), sess.run(step), sorted(optimizer.get_slot_names()), len(tf.global_variables()))


T = tf.train
run("sgd", lambda s: T.GradientDescentOptimizer(0.1))
run("momentum", lambda s: T.MomentumOptimizer(0.05, 0.9))
run("nesterov", lambda s: T.MomentumOptimizer(0.05, 0.9, use_nesterov=True))
run("adam", lambda s: T.AdamOptimizer())
run("adam 0.1", lambda s: T.AdamOptimizer(learning_rate=0.1, beta1=0.8, beta2=0.99, epsilon=1e-4))
run("rmsprop", lambda s: T.RMSPropOptimizer(0.1))
run("rmsprop centred", lambda s: T.RMSPropOptimizer(0.1, momentum=0.5, centered=True))
run("adagrad", lambda s: T.AdagradOptimizer(0.5))
run("adadelta", lambda s: T.AdadeltaOptimizer(1.0))
run("ftrl", lambda s: T.FtrlOptimizer(0.5))
run("decay", lambda s: T.GradientDescentOptimizer(T.exponential_decay(0.1, s, 2, 0.5)))
run("staircase", lambda s: T.GradientDescentOptimizer(T.exponential_decay(0.1, s, 2, 0.5, staircase=True)))
run("piecewise", lambda s: T.GradientDescentOptimizer(T.piecewise_constant(s, [1, 2], [0.1, 0.05, 0.01])))
run("polynomial", lambda s: T.GradientDescentOptimizer(T.polynomial_decay(0.1, s, 3, 0.01)))
run("inverse time", lambda s: T.GradientDescentOptimizer(T.inverse_time_decay(0.1, s, 1, 0.5)))

x = tf.placeholder(tf.float32, [])
a, b, unused = tf.Variable(2.0, name="a"), tf.Variable(5.0, name="b"), tf.Variable(1.0, name="unused")
loss = (a * x - b) ** 2
optimizer = T.AdamOptimizer(0.01)
pairs = optimizer.compute_gradients(loss)
print([(None if g is None else g.shape.as_list(), v.name) for g, v in pairs])
clipped = [(tf.clip_by_norm(g, 1.0), v) for g, v in pairs if g is not None]
train = optimizer.apply_gradients(clipped)
only_b = T.GradientDescentOptimizer(0.1).minimize(loss, var_list=[b])
print([v.name for v in tf.global_variables()], optimizer.get_slot(a, "m").name, train.name, train.type)
for bad in (lambda: T.AdamOptimizer().minimize(tf.constant(1.0)), lambda: T.AdamOptimizer().minimize(loss, var_list=[]), lambda: T.AdamOptimizer().apply_gradients([]), lambda: T.AdamOptimizer().apply_gradients([(None, a)])):
    try:
        bad()
        print("passes")
    except ValueError as error:
        print("ValueError")
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train, {x: 1.0})
    print(np.round(sess.run([a, b, unused, optimizer.get_slot(a, "m"), optimizer.get_slot(a, "v")]), 6).tolist())
    sess.run(only_b, {x: 1.0})
    print(np.round(sess.run([a, b]), 5).tolist())
