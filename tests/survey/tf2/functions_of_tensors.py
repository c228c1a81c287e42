"""Functions that these programs call here and there, with the forms in which they call them."""
import numpy as np
import tensorflow as tf

tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
print(tf.executing_eagerly(), tf.test.is_gpu_available(), tf.keras.__version__.split('.')[0], tf.compat.v1.Dimension(4).value)
A = tf.constant([[4.0, 1.0], [2.0, 3.0]])
v = tf.constant([1.0, -2.0, 0.5], dtype=tf.float32, name="v")
i = tf.constant([0, 2])
results = {
    "abs": tf.abs(v, "gap"), "add_n": tf.add_n([A, A]), "boolean_mask": tf.boolean_mask(v, v > 0), "divide": tf.divide(A, 2.0),
    "equal": tf.equal(v, 1.0), "heaviside": tf.experimental.numpy.heaviside(v, tf.constant(0.5)), "gather": tf.gather(v, i),
    "mabs": tf.math.abs(v), "cos": tf.math.cos(v), "cosh": tf.math.cosh(v), "exp": tf.math.exp(v), "is_nan": tf.math.is_nan(v / 0.0),
    "log": tf.math.log(A), "minimum": tf.math.minimum(v, 0.0), "mpow": tf.math.pow(A, 2.0), "rmax": tf.math.reduce_max(A),
    "rmax0": tf.math.reduce_max(A, axis=0), "rmean": tf.math.reduce_mean(A, axis=1), "rstd": tf.math.reduce_std(A, axis=0),
    "rsum": tf.math.reduce_sum(A), "rvar": tf.math.reduce_variance(A, axis=0), "sig": tf.math.sigmoid(v), "msin": tf.math.sin(v),
    "sinh": tf.math.sinh(v), "softplus": tf.math.softplus(v), "msqrt": tf.math.sqrt(A), "sqd": tf.math.squared_difference(A, 1.0),
    "sub": tf.math.subtract(A, 1.0), "topk": tf.math.top_k(v, k=2)[0], "topi": tf.math.top_k(v, k=2).indices, "max": tf.maximum(v, 0.0),
    "min": tf.minimum(v, 0.0), "relu": tf.nn.relu(v), "ntanh": tf.nn.tanh(v), "onehot": tf.one_hot(i, 3), "ones": tf.ones([2]),
    "pad": tf.pad(tensor=A, paddings=[[1, 0], [0, 1]]), "pow": tf.pow(v, 2), "rank": tf.rank(A),
    "redmax": tf.reduce_max(A, 1, keepdims=True), "redmaxk": tf.reduce_max(A, axis=0, keepdims=True), "prod": tf.reduce_prod(A),
    "redmean": tf.reduce_mean(A, axis=0), "redmin": tf.reduce_min(A, 1, keepdims=True), "redsum": tf.reduce_sum(A, axis=1),
    "redsumk": tf.reduce_sum(A, axis=1, keepdims=True), "redsum0": tf.reduce_sum(A, 0, keepdims=True), "repeat": tf.repeat(v, 2),
    "sqrt": tf.sqrt(A), "stack": tf.stack([v, v]), "stack1": tf.stack([v, v], 1), "tensordot": tf.tensordot(A, A, axes=1),
    "tensordot2": tf.tensordot(A, A, 2), "transpose": tf.transpose(A), "where": tf.where(v > 0), "where3": tf.where(v > 0, v, 0.0 * v),
    "zeros": tf.zeros([2], dtype=tf.float64), "zeros_like": tf.zeros_like(A), "zeros_like64": tf.zeros_like(A, dtype=tf.float64),
    "lnorm": tf.linalg.norm(A, 2), "linspace": tf.linspace(start=0.0, stop=1.0, num=3), "convert": tf.convert_to_tensor([1.0, 2.0]),
    "newaxis": v[:, tf.newaxis], "kadd": tf.keras.ops.add(A, A), "kmatmul": tf.keras.ops.matmul(A, A), "identity": tf.identity(A),
    "nsoftplus": tf.nn.softplus(v),
}
for name, value in results.items():
    print(name, value.dtype.name, tuple(value.shape), np.round(np.asarray(value) * 1.0, 4).tolist())
X, Y = tf.meshgrid(*[tf.linspace(0.0, 1.0, 3), tf.linspace(0.0, 2.0, 2)])
print(X.shape, Y[1].numpy().tolist())
for array in (tf.concat([v, v], 0).numpy(), tf.exp(v).numpy(), tf.math.abs(v).numpy(), tf.math.exp(v).numpy(), tf.math.log(A).numpy(),
              tf.math.sqrt(A).numpy(), tf.nn.tanh(v).numpy(), tf.reduce_max(A).numpy(), tf.reduce_mean(A).numpy(), tf.sqrt(A).numpy(),
              tf.reduce_prod(A).numpy(), tf.convert_to_tensor([1.0]).numpy(), tf.eye(2, dtype=tf.float32).numpy(),
              tf.reshape(v, (3, 1)).numpy(), tf.cast(v, dtype=tf.float64).numpy(), tf.concat([v], axis=0).numpy()):
    print(array.dtype, array.sum().round(4))
blocks = tf.linalg.LinearOperatorBlockDiag([tf.linalg.LinearOperatorFullMatrix(A), tf.linalg.LinearOperatorFullMatrix(A)], is_non_singular=True)
print(blocks.to_dense().numpy().tolist())
shape = tf.TensorShape([None, 3])
print(shape.merge_with([2, None]), shape.concatenate([4]), shape)


def ragged(x):
    y = tf.concat([x, x], 0)
    y.set_shape([6])
    return y


print(tf.function(ragged)(v).shape)


@tf.autograph.experimental.do_not_convert
def kept(x):
    return x * 2.0


print(tf.function(kept)(v).numpy().tolist())
a, b = tf.Variable([1.0, 2.0], trainable=False), tf.Variable(3.0, True)
print(a.trainable, b.trainable, (a.assign(a * 2.0)).numpy().tolist(), a.numpy().tolist())
