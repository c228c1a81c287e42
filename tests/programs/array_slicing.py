"""Indexing with integers, strides, newaxis, ellipsis, tensors; slice, strided_slice, split, unstack: values and gradients."""
import numpy as np
import tensorflow as tf

x = tf.reshape(tf.range(24.0), [2, 3, 4])


def both(label, f):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        s = tf.add_n([tf.reduce_sum(v * v) for v in tf.nest.flatten(y)])
    g = tape.gradient(s, x)
    shapes = [v.shape.as_list() for v in tf.nest.flatten(y)]
    print(label, shapes, float(s), tf.reduce_sum(g, [0, 1]).numpy().tolist(), int(tf.math.count_nonzero(g)))


both("[0]", lambda v: v[0])
both("[-1]", lambda v: v[-1])
both("[:, 1]", lambda v: v[:, 1])
both("[..., 2]", lambda v: v[..., 2])
both("[1:, ::2, 1:3]", lambda v: v[1:, ::2, 1:3])
both("[:, ::-1]", lambda v: v[:, ::-1])
both("[..., ::-2]", lambda v: v[..., ::-2])
both("newaxis", lambda v: v[:, tf.newaxis, 0, ..., None])
both("empty", lambda v: v[:, 3:])
both("beyond the end", lambda v: v[:, 1:100, -2:])
i = tf.constant(1)
both("[i]", lambda v: v[i])
both("[i:, :i+1]", lambda v: v[i:, : i + 1])
both("slice", lambda v: tf.slice(v, [0, 1, 2], [2, 1, -1]))
both("strided_slice", lambda v: tf.strided_slice(v, [0, 0, 0], [2, 3, 4], [1, 2, 3]))
both("strided_slice shrink", lambda v: tf.strided_slice(v, [1, 0, 0], [2, 3, 4], shrink_axis_mask=1, end_mask=2))
both("split 2", lambda v: tf.split(v, 2, axis=2))
both("split sizes", lambda v: tf.split(v, [1, -1], axis=1)[1])
both("unstack", lambda v: tf.unstack(v, axis=1)[2])
both("iterate", lambda v: [row for row in v][1])
both("transpose", lambda v: tf.transpose(v, [2, 0, 1])[1])
both("expand squeeze", lambda v: tf.squeeze(tf.expand_dims(v, 1), 1)[0, 0])
both("tile", lambda v: tf.tile(v, [1, 2, 1]))
both("broadcast_to", lambda v: tf.broadcast_to(v[:, :1], [2, 5, 4]))
both("stack concat", lambda v: tf.concat([tf.stack([v[0], v[1]], axis=1), v[0][:, None]], 1))
both("diag", lambda v: tf.linalg.diag_part(v))
both("meshgrid", lambda v: tf.meshgrid(v[0, 0], v[1, :, 0], indexing="ij"))
for bad in (lambda: x[2], lambda: x[0, 0, 0, 0], lambda: x[1.5], lambda: x["a"], lambda: x[[0, 1]], lambda: x[::0]):
    try:
        print("ok", bad().shape)
    except Exception as error:
        print("raises", type(error).__name__)
