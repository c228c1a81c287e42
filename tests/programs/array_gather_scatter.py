"""gather with axes and batch dimensions, gather_nd, scatter_nd, tensor_scatter_nd_*, boolean_mask, dynamic_partition and stitch, one_hot."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


def grad(label, function, *args):
    args = [tf.constant(a) for a in args]
    with tf.GradientTape() as tape:
        tape.watch(args)
        y = function(*args)
        s = tf.reduce_sum(y * tf.reshape(tf.range(1.0, tf.cast(tf.size(y), tf.float32) + 1.0), tf.shape(y)))
    show(label, y)
    for i, g in enumerate(tape.gradient(s, args)):
        show(f"{label} d{i}", None if g is None else tf.convert_to_tensor(g))


m = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
grad("gather", lambda v: tf.gather(v, [1, 0, 1]), m)
grad("gather axis", lambda v: tf.gather(v, [[2, 0], [0, 0]], axis=1), m)
grad("gather batch", lambda v: tf.gather(v, [[2, 2], [0, 1]], batch_dims=1), m)
grad("gather_nd", lambda v: tf.gather_nd(v, [[0, 1], [1, 2], [0, 1]]), m)
grad("gather_nd rows", lambda v: tf.gather_nd(v, [[1], [1]]), m)
grad("gather_nd batch", lambda v: tf.gather_nd(v, [[2], [0]], batch_dims=1), m)
grad("scatter_nd", lambda u: tf.scatter_nd([[1], [3], [1]], u, [4]), [10.0, 20.0, 30.0])
grad("update", lambda t, u: tf.tensor_scatter_nd_update(t, [[0], [2]], u), [1.0, 2.0, 3.0], [8.0, 9.0])
grad("add", lambda t, u: tf.tensor_scatter_nd_add(t, [[0], [0]], u), [1.0, 2.0, 3.0], [8.0, 9.0])
grad("sub", lambda t, u: tf.tensor_scatter_nd_sub(t, [[1]], u), [1.0, 2.0, 3.0], [8.0])
grad("max", lambda t, u: tf.tensor_scatter_nd_max(t, [[1], [2]], u), [1.0, 2.0, 3.0], [8.0, -8.0])
grad("boolean_mask", lambda v: tf.boolean_mask(v, [[True, False, True], [False, False, True]]), m)
grad("boolean_mask axis", lambda v: tf.boolean_mask(v, [True, False, True], axis=1), m)
grad("partition", lambda v: tf.dynamic_partition(v, [0, 1, 0], 2)[0], [1.0, 2.0, 3.0])
grad("stitch", lambda a, b: tf.dynamic_stitch([[0, 2], [1]], [a, b]), [1.0, 2.0], [3.0])
grad("reverse_sequence", lambda v: tf.reverse_sequence(v, [2, 3], seq_axis=1, batch_axis=0), m)
grad("matrix_band_part", lambda v: tf.linalg.band_part(v, 0, 1), m)
grad("diag", lambda v: tf.linalg.diag(v), [1.0, 2.0])
grad("set_diag", lambda v, d: tf.linalg.set_diag(v, d), m, [7.0, 8.0])
show("one_hot", tf.one_hot([0, 2, -1, 3], 3))
show("one_hot axis", tf.one_hot([1, 0], 2, on_value=5.0, off_value=-1.0, axis=0))
grad("one_hot values", lambda a, b: tf.one_hot([1, 0], 3, a, b), 2.0, 1.0)
print("where indices", tf.where([[True, False], [True, True]]).numpy().tolist(), tf.where([0, 3, 0]).dtype.name)
u, idx, count = tf.unique_with_counts([4, 4, 2, 4, 7])
print("unique", u.numpy().tolist(), idx.numpy().tolist(), count.numpy().tolist())
print("searchsorted", tf.searchsorted([1.0, 3.0, 5.0], [0.0, 3.0, 9.0]).numpy().tolist(), tf.searchsorted([1.0, 3.0, 5.0], [3.0], side="right").numpy().tolist())
for bad in (lambda: tf.gather(m, [5]), lambda: tf.gather_nd(m, [[0, 9]]), lambda: tf.scatter_nd([[9]], [1.0], [2])):
    try:
        print("ok", np.asarray(bad()).tolist())
    except tf.errors.OpError as error:
        print("raises", type(error).__name__)
