"""Tensors and NumPy: conversions, functions of NumPy on tensors, operators both ways, formatting, copies, iteration, comparisons."""
import copy
import numpy as np
import tensorflow as tf

t = tf.constant([[1.0, 2.0], [3.0, 4.0]])
a = np.array([[1.0, -1.0], [0.5, 2.0]])
v = tf.Variable([1.0, 2.0])
print(np.asarray(t).dtype, np.array(t).tolist(), t.numpy() is t.numpy(), np.sum(t), np.mean(t, axis=0).tolist(), np.sin(t).dtype, type(np.sin(t)).__name__)
print(np.concatenate([t, a]).dtype, np.stack([t[0], t[1]]).shape, np.max(v), np.allclose(t, a), np.dot(t, a).tolist(), np.linalg.norm(t).round(5))
for label, value in {"t + a": t + a, "a + t": a + t, "t @ a": t @ a, "a @ t": a @ t, "a * v": a * v, "v - a": v - a, "t / 2": t / 2, "2 / t": 2 / t, "t == a": t == a, "a > t": a > t, "np scalar": np.float32(2) ** t, "-v": -v, "abs": abs(t - 3), "divmod": t // 2 + t % 2}.items():
    print(label, type(value).__name__, value.dtype, (np.asarray(value) if value.dtype == tf.bool else np.round(np.asarray(value), 5)).tolist())
print(isinstance(t, tf.Tensor), isinstance(t.numpy(), np.ndarray), tf.constant(a).dtype, tf.Variable(a).dtype, tf.convert_to_tensor(a, dtype=tf.float32).dtype)
print([r.numpy().tolist() for r in t], len(t), t.ndim, t.shape[0], t.shape.as_list(), list(zip(tf.constant([1, 2]), [3, 4]))[0][0].numpy())
print("%s|%.3f|%d|%5.1f" % (t[0, 0], t[0, 1], tf.constant(3), v[1]), "{:.2f} {:>6}".format(t[1, 1], tf.constant("x").numpy().decode()), f"{tf.constant(2.5):.3e}", round(float(t[1, 0]), 2))
print(int(tf.constant(3.7)), float(tf.constant(2)), bool(tf.constant(0.0)), range(tf.constant(3))[-1], [10, 20, 30][tf.constant(1)], complex(tf.constant(1 + 1j)))
print(copy.copy(t).numpy().tolist(), copy.deepcopy(v).numpy().tolist(), t.device.endswith("CPU:0"), t.get_shape(), tf.size(t).numpy(), tf.rank(t).numpy())
n = t.numpy()
try:
    n[0, 0] = 9.0
    print("written", t.numpy()[0, 0])
except ValueError:
    print("read only")
b = np.ones(3)
c = tf.constant(b)
b[0] = 5.0
print(c.numpy().tolist(), tf.convert_to_tensor(b).numpy().tolist())
print(tf.make_ndarray(tf.make_tensor_proto([1, 2])).tolist(), tf.get_static_value(tf.constant([1, 2])).tolist(), tf.io.parse_tensor(tf.io.serialize_tensor(t), tf.float32).numpy().tolist())
x = tf.constant([1.0, 2.0])
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    y = np.array([3.0, 4.0]) * x
    z = np.float64(2.0) * x + np.ones(2) - x * np.int64(5)
    lost = np.square(x)
print(tape.gradient(y, x).numpy().tolist(), tape.gradient(z, x).numpy().tolist(), type(lost).__name__)
print(sorted({x.ref(): 1}.values()), x.ref().deref() is x, (x == x).numpy().tolist(), x is not None, [1.0, 2.0] == x.numpy().tolist())
print(sum([tf.constant(1.0), tf.constant(2.0)]).numpy(), max(tf.constant(1.0), tf.constant(2.0)).numpy(), sorted([tf.constant(3), tf.constant(1)])[0].numpy(), np.arange(4)[tf.constant([1, 2])].tolist(), tf.reduce_sum(np.arange(4)).dtype)
