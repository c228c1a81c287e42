"""The graph that is built: names, operation types, shapes and representations of tensors made by common functions and operators."""
import numpy as np
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1

x = v1.placeholder(tf.float32, [None, 3])
y = v1.placeholder(tf.float32, [None, 3], name="y")
w = tf.Variable(np.ones((3, 2), np.float32))
made = {
    "add": x + y, "radd": 1.0 + x, "sub": x - y, "rsub": 1.0 - x, "mul": x * y, "truediv": x / y, "floordiv": x // y, "mod": x % y, "pow": x ** 2, "neg": -x, "abs": abs(x),
    "matmul": x @ w, "tf.add": tf.add(x, y), "tf.subtract": tf.subtract(x, y), "tf.multiply": tf.multiply(x, y), "tf.divide": tf.divide(x, y), "tf.matmul": tf.matmul(x, w),
    "tf.pow": tf.pow(x, 2.0), "square": tf.square(x), "sqrt": tf.sqrt(x), "exp": tf.exp(x), "log": tf.math.log(x), "sin": tf.sin(x), "tanh": tf.tanh(x), "nn.tanh": tf.nn.tanh(x),
    "sigmoid": tf.sigmoid(x), "nn.sigmoid": tf.nn.sigmoid(x), "relu": tf.nn.relu(x), "softplus": tf.nn.softplus(x), "softmax": tf.nn.softmax(x), "abs": tf.abs(x), "sign": tf.sign(x), "floor": tf.floor(x),
    "maximum": tf.maximum(x, y), "less": x < y, "greater_equal": x >= y, "equal": tf.equal(x, y), "logical": tf.logical_and(x < y, x > y), "invert": ~(x < y), "where": tf.where(x < y, x, y),
    "reduce_sum": tf.reduce_sum(x), "reduce_mean": tf.reduce_mean(x, 0), "reduce_max": tf.reduce_max(x), "reduce_prod": tf.reduce_prod(x), "reduce_all": tf.reduce_all(x < y), "norm": tf.norm(x),
    "reshape": tf.reshape(x, [-1]), "transpose": tf.transpose(x), "concat": tf.concat([x, y], 1), "stack": tf.stack([x, y]), "unstack": tf.unstack(x, axis=1)[0], "split": tf.split(x, 3, 1)[2],
    "slice": x[:, 0:1], "index": x[0], "tf.slice": tf.slice(x, [0, 0], [1, 1]), "gather": tf.gather(x, [0]), "expand_dims": tf.expand_dims(x, 0), "squeeze": tf.squeeze(x[:, 0:1], 1), "tile": tf.tile(x, [1, 2]),
    "pad": tf.pad(x, [[0, 0], [1, 1]]), "cast": tf.cast(x, tf.int32), "shape": tf.shape(x), "size": tf.size(x), "rank": tf.rank(x), "zeros": tf.zeros([2]), "ones": tf.ones([2]), "fill": tf.fill([2], 1.0),
    "zeros_like": tf.zeros_like(x), "ones_like": tf.ones_like(x), "constant": tf.constant(1.0), "range": tf.range(3), "linspace": tf.linspace(0.0, 1.0, 3), "eye": tf.eye(2), "one_hot": tf.one_hot([1], 2),
    "identity": tf.identity(x), "stop_gradient": tf.stop_gradient(x), "cumsum": tf.cumsum(x), "argmax": tf.argmax(x, 1), "clip": tf.clip_by_value(x, 0.0, 1.0), "add_n": tf.add_n([x, y]), "addn one": tf.add_n([x]),
    "einsum": tf.einsum("ij,jk->ik", x, w), "tensordot": tf.tensordot(x, w, 1), "inv": tf.linalg.inv(tf.eye(2)), "solve": tf.linalg.solve(tf.eye(2), tf.ones([2, 1])), "cholesky": tf.linalg.cholesky(tf.eye(2)),
    "det": tf.linalg.det(tf.eye(2)), "squared_difference": tf.math.squared_difference(x, y), "atan2": tf.atan2(x, y), "bias_add": tf.nn.bias_add(x, [1.0, 2.0, 3.0]), "l2_loss": tf.nn.l2_loss(x), "top_k": tf.math.top_k(x).values,
    "gather_nd": tf.gather_nd(x, [[0, 0]]), "scatter_nd": tf.scatter_nd([[0]], [1.0], [2]), "reverse": tf.reverse(x, [0]), "random": tf.random.normal([2]), "v1 random": v1.random_normal([2]), "truncated": v1.truncated_normal([2]),
    "placeholder_with_default": v1.placeholder_with_default(1.0, []), "print": v1.Print(x, [x]), "read": w + 0.0, "value": w.value(), "gradient": tf.gradients(tf.tanh(x) ** 2, x)[0],
}
for label, t in made.items():
    print(label, "|", t.op.type, "|", t.name, "|", t.shape, "|", t.dtype.name)
print(x, y, [made["add"]], w)
print(x.op.name, x.device == "", x.graph is v1.get_default_graph(), x.value_index, len(x.consumers()) > 10, made["add"].op.inputs[0] is x, [i.name for i in made["matmul"].op.inputs][0])
print(made["concat"].op.get_attr("N"), made["matmul"].op.get_attr("transpose_a"), made["unstack"].op.outputs[2].name, type(x.op).__name__)
