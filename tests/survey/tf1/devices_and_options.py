"""What a program says about devices, threads and memory: to be accepted."""
import numpy as np
import tensorflow as tf

run_options = tf.RunOptions(report_tensor_allocations_upon_oom=True)
config = tf.ConfigProto()
config.gpu_options.allow_growth = True
config.gpu_options.per_process_gpu_memory_fraction = 0.5
config.allow_soft_placement = True
cpu = tf.ConfigProto(device_count={'GPU': 0})
cpu.allow_soft_placement = True
threads = tf.ConfigProto(intra_op_parallelism_threads=2, inter_op_parallelism_threads=2, allow_soft_placement=True,
                         device_count={'CPU': 2}, log_device_placement=False)
with tf.device('/device:CPU:0'):
    x = tf.placeholder(tf.float32, shape=[None, 2])
    v = tf.Variable([1.0, 2.0])
with tf.device('/gpu:0'):
    y = tf.multiply(x, v)
train = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(y))
for c in (config, cpu, threads):
    with tf.Session(config=c) as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(y, {x: np.ones((2, 2))}, options=run_options).tolist())
        print(sess.run([y, train], feed_dict={x: np.ones((1, 2))}, options=run_options)[1])
        print(sess.run(v).round(4), sess.run([v, y, tf.reduce_sum(v)], {x: [[0.0, 1.0]]})[2].round(4))
