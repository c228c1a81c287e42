"""Static shape inference with unknown dimensions, set_shape, dynamic shapes at run time, Dimension in TF1 behaviour, and errors while building."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1

u = v1.placeholder(tf.float32)
a = v1.placeholder(tf.float32, [None, 3])
b = v1.placeholder(tf.float32, [4, 3])
c = v1.placeholder(tf.float32, [None, None])
n = v1.placeholder(tf.int32, [])
for label, t in {
    "u": u, "a": a, "a+b": a + b, "a+1": a + 1.0, "u+a": u + a, "c+b": c + b, "matmul": tf.matmul(b, a, transpose_b=True), "matmul c": tf.matmul(c, tf.transpose(a)), "sum": tf.reduce_sum(a), "sum0": tf.reduce_sum(a, 0),
    "sum keep": tf.reduce_sum(a, 1, keepdims=True), "sum u": tf.reduce_sum(u, 0), "mean list": tf.reduce_mean(a, [0, 1]), "reshape": tf.reshape(a, [-1, 1]), "reshape b": tf.reshape(b, [-1, 2]), "reshape dyn": tf.reshape(a, [n, -1]),
    "reshape like": tf.reshape(a, tf.shape(b)), "concat": tf.concat([a, b], 0), "concat 1": tf.concat([a, b], 1), "stack": tf.stack([a, b], 1), "slice": a[:, 1:], "slice row": a[0], "slice step": b[::2], "slice dyn": b[:n],
    "newaxis": a[:, None, :], "ellipsis": a[..., 0], "expand": tf.expand_dims(a, -1), "squeeze": tf.squeeze(a[:, :1]), "squeeze 1": tf.squeeze(a[:, :1], 1), "tile": tf.tile(a, [2, 2]), "transpose": tf.transpose(a), "gather": tf.gather(a, [0, 1]),
    "gather dyn": tf.gather(b, n), "shape": tf.shape(a), "range": tf.range(n), "zeros dyn": tf.zeros([n, 2]), "fill": tf.fill([n, 3], 1.0), "zeros_like": tf.zeros_like(a), "one_hot": tf.one_hot(n, 5), "eye": tf.eye(n),
    "pad": tf.pad(a, [[1, 1], [0, 2]]), "where": tf.where(a > 0.0), "boolean_mask": tf.boolean_mask(a, a[:, 0] > 0.0), "split": tf.split(b, 2)[0], "unstack": tf.unstack(b)[0], "argmax": tf.argmax(a, 1), "einsum": tf.einsum("ij,kj->ik", a, b),
    "tensordot": tf.tensordot(a, b, [[1], [1]]), "grad": tf.gradients(tf.reduce_sum(a ** 2), a)[0], "grad u": tf.gradients(tf.reduce_sum(u ** 2), u)[0], "cond": tf.cond(n > 0, lambda: a, lambda: b), "broadcast_to": tf.broadcast_to(a, [n, 3]),
    "while": tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 2.0), [0, b])[1], "cumsum": tf.cumsum(a), "top_k": tf.math.top_k(a, 2).values, "map_fn": tf.map_fn(lambda r: tf.reduce_sum(r), a),
}.items():
    print(label, t.shape, t.get_shape().ndims)
s = v1.placeholder(tf.float32)
s.set_shape([None, 5])
print(s.shape, s.get_shape().as_list(), s.shape[1], s.shape.dims)
s.set_shape([2, None])
print(s.shape)
for label, f in {"set_shape": lambda: s.set_shape([3, 5]), "add": lambda: b + tf.ones([4, 2]), "matmul": lambda: tf.matmul(b, b), "reshape": lambda: tf.reshape(b, [5, 5]), "concat": lambda: tf.concat([b, tf.ones([1, 2])], 0),
                 "axis": lambda: tf.reduce_sum(b, 2), "as_list of unknown": lambda: u.shape.as_list(), "len": lambda: len(u.shape), "bool": lambda: bool(a), "iterate": lambda: list(a), "len t": lambda: len(a), "dtype": lambda: b + tf.constant(1),
                 "squeeze": lambda: tf.squeeze(b, 0), "slice": lambda: b[0, 0, 0], "index": lambda: b[9], "numpy": lambda: a.numpy(), "np.array": lambda: np.array(a), "float": lambda: float(n), "array of tensors": lambda: tf.constant([a])}.items():
    try:
        print(label, "gives", f())
    except Exception as error:
        print(label, type(error).__name__)
with v1.Session() as sess:
    print(sess.run([tf.shape(a), tf.rank(u), tf.size(a)], {a: np.ones((2, 3)), u: 1.0})[0].tolist(), sess.run(tf.shape(tf.zeros([n, 2])), {n: 6}).tolist())
    rows = tf.shape(a)[0]
    tiled = tf.tile(tf.reshape(tf.range(3), [1, 3]), [rows, 1])
    print(tiled.shape, sess.run(tiled, {a: np.zeros((2, 3))}).tolist())
    print(sess.run(tf.reduce_sum(a) / tf.cast(rows, tf.float32), {a: np.ones((5, 3))}), sess.run(tf.zeros(tf.shape(a)), {a: np.ones((1, 3))}).tolist())
    try:
        sess.run(a + b, {a: np.ones((2, 3)), b: np.ones((4, 3))})
    except tf.errors.InvalidArgumentError as error:
        print("at run time", type(error).__name__)
