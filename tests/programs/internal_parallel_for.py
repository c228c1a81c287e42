"""tensorflow.python.ops.parallel_for: pfor, for_loop, vectorized_map, jacobian of its gradients module; control_flow_ops, nest."""
import numpy as np
from tensorflow.python.framework import constant_op
from tensorflow.python.framework import dtypes
from tensorflow.python.framework import ops
from tensorflow.python.client import session
from tensorflow.python.ops import array_ops
from tensorflow.python.ops import control_flow_ops
from tensorflow.python.ops import gradients_impl
from tensorflow.python.ops import linalg_ops
from tensorflow.python.ops import math_ops
from tensorflow.python.ops import while_loop
from tensorflow.python.ops import cond
from tensorflow.python.ops.parallel_for import control_flow_ops as pfor_ops
from tensorflow.python.ops.parallel_for import gradients as pfor_gradients
from tensorflow.python.ops.parallel_for.control_flow_ops import for_loop, pfor
from tensorflow.python.util import nest

x = constant_op.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
print(pfor(lambda i: math_ops.reduce_sum(array_ops.gather(x, i) ** 2), 3).numpy().tolist())
print(for_loop(lambda i: array_ops.gather(x, i) * 2.0, dtypes.float32, 3).numpy().tolist())
print(pfor_ops.vectorized_map(lambda r: math_ops.tensordot(r, r, 1), x).numpy().tolist())
print([t.numpy().tolist() for t in pfor_ops.vectorized_map(lambda r: (r[0], r[1] * 10.0), x)])
with ops.Graph().as_default():
    v = constant_op.constant([0.5, -1.0], dtypes.float64)
    y = math_ops.sin(v) * v[::-1]
    jac = pfor_gradients.jacobian(y, v)
    X = array_ops.placeholder(dtypes.float64, [2, 2])
    Y = math_ops.tanh(math_ops.matmul(X, constant_op.constant([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]], dtypes.float64)))
    inner = gradients_impl.gradients(math_ops.reduce_sum(Y), X)[0]
    flag = array_ops.placeholder(dtypes.bool, [])
    branch = cond.cond(flag, lambda: v * 2.0, lambda: v + 1.0)
    loop = while_loop.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s * v), (0, v))[1]
    after = control_flow_ops.with_dependencies([control_flow_ops.no_op()], v)
    group = control_flow_ops.group(branch, loop)
    inverse = gradients_impl.gradients(linalg_ops.matrix_inverse(array_ops.diag(v)), v)[0]
    slope = gradients_impl.gradients(loop, v)[0]
    with session.Session() as sess:
        print(np.round(sess.run(jac), 4).tolist(), jac.shape)
        print(np.round(sess.run(inner, {X: [[0.1, 0.2], [0.0, -0.5]]}), 4).tolist(), inner.shape)
        print(sess.run(branch, {flag: True}).tolist(), sess.run(branch, {flag: False}).tolist(), np.round(sess.run(loop), 4).tolist())
        print(sess.run(after).tolist(), sess.run(group, {flag: True}), np.round(sess.run(inverse), 4).tolist())
        print(inner.op.type, sess.run(slope).tolist())
print(nest.pack_sequence_as({"a": 0, "b": (0, 0)}, [1, 2, 3]), nest.is_nested([1]), nest.flatten_up_to([0, 0], [1, [2, 3]]))
