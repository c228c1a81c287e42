"""Static graph: which dtypes result or refuse, from Python numbers, NumPy arrays, placeholders, and error classes while building."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1

f32, f64 = v1.placeholder(tf.float32, [2]), v1.placeholder(tf.float64, [2])
i32, i64, boolean = v1.placeholder(tf.int32, [2]), v1.placeholder(tf.int64, [2]), v1.placeholder(tf.bool, [2])
feed = {f32: [1.5, 2.0], f64: [1.5, 2.0], i32: [1, 2], i64: [1, 2], boolean: [True, False]}
with v1.Session() as sess:
    for label, f in {
        "f32 + 1": lambda: f32 + 1, "1 + f32": lambda: 1 + f32, "f32 + 1.5": lambda: f32 + 1.5, "i32 + 1": lambda: i32 + 1, "i32 + 1.5": lambda: i32 + 1.5, "i32 * 2.0": lambda: i32 * 2.0, "i32 / 2": lambda: i32 / 2, "i64 / i64": lambda: i64 / i64,
        "f32 + f64": lambda: f32 + f64, "f32 + i32": lambda: f32 + i32, "i32 + i64": lambda: i32 + i64, "f32 + numpy f64": lambda: f32 + np.array([1.0, 2.0]), "numpy f64 * f32": lambda: np.array([1.0, 2.0]) * f32, "f32 - numpy i64": lambda: f32 - np.array([1, 2]),
        "i32 + numpy f64": lambda: i32 + np.array([1.5, 1.0]), "np.float64 * f32": lambda: np.float64(2) * f32, "f32 + True": lambda: f32 + True, "f32 + None": lambda: f32 + None, "f32 + str": lambda: f32 + "a", "tf.add(f32, f64)": lambda: tf.add(f32, f64),
        "tf.matmul mixed": lambda: tf.matmul(f32[None], f64[:, None]), "tf.concat mixed": lambda: tf.concat([f32, f64], 0), "tf.stack mixed": lambda: tf.stack([f32, f64]), "tf.stack python": lambda: tf.stack([f32, [1, 2]]), "tf.maximum(f32, 1)": lambda: tf.maximum(f32, 1),
        "tf.where(b, f32, 0)": lambda: tf.where(boolean, f32, 0.0), "tf.where int cond": lambda: tf.where(i32, f32, f32), "tf.sqrt(i32)": lambda: tf.sqrt(i32), "tf.exp(1)": lambda: tf.exp(1), "tf.exp(1.0)": lambda: tf.exp(1.0), "tf.reduce_mean(i32)": lambda: tf.reduce_mean(i32),
        "tf.cast": lambda: tf.cast(f32, tf.int64), "tf.multiply(2, f64)": lambda: tf.multiply(2, f64), "tf.pow(f32, 2)": lambda: tf.pow(f32, 2), "f32 ** i32": lambda: f32 ** i32, "f32 == 1.5": lambda: tf.equal(f32, 1.5), "f32 == operator": lambda: f32 == f32, "f32 < f64": lambda: f32 < f64,
        "~b": lambda: ~boolean, "b & b": lambda: boolean & boolean, "-b": lambda: -boolean, "tf.ones whole floats": lambda: tf.ones([4.0, 1.0]), "tf.zeros np shape": lambda: tf.zeros(np.array([2, 1])), "tf.fill": lambda: tf.fill([2], 1), "tf.constant f": lambda: tf.constant([1.0], tf.float64),
        "tf.constant 1.5 int": lambda: tf.constant(1.5, tf.int32), "convert f32 as f64": lambda: tf.convert_to_tensor(f32, tf.float64), "tf.range(3.0)": lambda: tf.range(3.0), "tf.reshape float": lambda: tf.reshape(f32, [2.0, 1.0]), "tf.gather float": lambda: tf.gather(f32, [0.0]),
        "tf.reduce_sum(axis float)": lambda: tf.reduce_sum(f32, axis=0.0), "f32[1.0]": lambda: f32[1.0], "f32[i32[0]]": lambda: f32[i32[0]], "tf.tile float": lambda: tf.tile(f32, [2.0]), "assign dtype": lambda: v1.assign(tf.Variable([1.0, 2.0]), f64), "complex": lambda: tf.complex(f32, f32),
        "placeholder not fed": lambda: v1.placeholder("float32"), "variable from numpy": lambda: tf.Variable(np.ones(2)), "variable int": lambda: tf.Variable([1, 2], dtype=tf.float32), "variable of f64": lambda: tf.Variable(tf.zeros([2], tf.float64), dtype=tf.float32),
    }.items():
        try:
            t = f()
            print(label, t.dtype.name, t.shape, end=" ")
            try:
                print(np.asarray(sess.run(t, feed)).tolist())
            except tf.errors.OpError as error:
                print(type(error).__name__)
        except Exception as error:
            print(label, type(error).__name__)
