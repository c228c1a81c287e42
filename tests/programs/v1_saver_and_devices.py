"""Saver in a temporary folder, device and name scopes, ConfigProto and RunOptions, local variables, tf.Print free checks, math on fed arrays."""
import os
import tempfile
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1

w = tf.Variable([1.0, 2.0], name="w")
n = tf.Variable(5, name="n", trainable=False)
local = v1.get_variable("local", initializer=0.5, collections=[v1.GraphKeys.LOCAL_VARIABLES])
saver = v1.train.Saver()
some = v1.train.Saver({"renamed": w}, max_to_keep=2)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.ckpt")
    with v1.Session() as sess:
        sess.run([v1.global_variables_initializer(), v1.local_variables_initializer()])
        sess.run([w.assign([7.0, 8.0]), v1.assign(n, 9)])
        print(os.path.basename(saver.save(sess, path)), os.path.basename(saver.save(sess, path, global_step=3)))
        some.save(sess, os.path.join(folder, "some"))
        print(os.path.basename(v1.train.latest_checkpoint(folder)), sess.run(local))
    with v1.Session() as sess:
        saver.restore(sess, path)
        print(sess.run(w).tolist(), sess.run(n))
        try:
            sess.run(local)
        except tf.errors.FailedPreconditionError:
            print("local is not saved")
    with v1.Session() as sess:
        some.restore(sess, os.path.join(folder, "some"))
        print(sess.run(w).tolist())
        try:
            saver.restore(sess, os.path.join(folder, "nothing"))
        except ValueError as error:
            print("ValueError")
    print(sorted(name for name, _ in tf.train.list_variables(path)), tf.train.load_variable(path, "w").tolist())
with tf.device("/cpu:0"):
    c = tf.constant(1.0, name="on_cpu")
print(c.device, c.op.device)
config = v1.ConfigProto(allow_soft_placement=True, intra_op_parallelism_threads=1)
config.gpu_options.allow_growth = True
with v1.Session(config=config) as sess:
    print(sess.run(c, options=v1.RunOptions(trace_level=0)), sess.run(c + 1.0))
print([v.name for v in v1.local_variables()])
print(v1.to_float(3).dtype.name, v1.to_double(c).dtype.name, v1.to_int32(2.7).dtype.name, v1.matrix_inverse(tf.eye(2)).shape, v1.log(c).name, v1.div(7, 2).dtype.name)
with v1.Session() as sess:
    print(sess.run([v1.to_int32(2.7), v1.div(7, 2), v1.div(7.0, 2.0), v1.reduce_sum([[1.0, 2.0], [3.0, 4.0]], reduction_indices=1), v1.reduce_max([[1, 2]], keep_dims=True), v1.squeeze([[1]], squeeze_dims=[0]), v1.expand_dims([1], dim=0), v1.argmax([1, 3, 2], dimension=0)]))
