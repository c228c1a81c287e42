"""Framework modules: dtypes, tensor_shape, tensor_util, ops registries, sparse and type checks, and array_ops helpers of unit tests."""
import numpy as np
from tensorflow.python.framework import constant_op
from tensorflow.python.framework import dtypes
from tensorflow.python.framework import ops
from tensorflow.python.framework import tensor
from tensorflow.python.framework import tensor_shape
from tensorflow.python.framework import tensor_util
from tensorflow.python.ops import array_ops
from tensorflow.python.ops import clip_ops
from tensorflow.python.ops import gradient_checker
from tensorflow.python.ops import gradient_checker_v2
from tensorflow.python.ops import init_ops
from tensorflow.python.ops import math_ops
from tensorflow.python.ops import nn
from tensorflow.python.ops import sort_ops
from tensorflow.python.ops import special_math_ops
from tensorflow.python.ops import state_ops
from tensorflow.python.ops import variable_scope
from tensorflow.python.ops import variable_v1
from tensorflow.python.ops import variables
from tensorflow.python.client import session
from tensorflow.python.platform import tf_logging as logging

print(dtypes.float32.is_floating, dtypes.int8.is_integer, dtypes.float32.as_datatype_enum, dtypes.as_dtype("int32") is dtypes.int32, dtypes.float32_ref)
print(tensor_shape.TensorShape([1, None]).merge_with([None, 2]), tensor_shape.unknown_shape(rank=2), tensor_shape.Dimension(3) + 2, tensor_shape.Dimension(None) + 2, tensor_shape.Dimension(3) == 3)
print(tensor_util.constant_value(constant_op.constant([1, 2])).tolist(), tensor_util.is_tf_type(constant_op.constant(1)), tensor_util.make_tensor_proto([1.0]).dtype, isinstance(constant_op.constant(1), tensor.Tensor))
x = constant_op.constant([3.0, 1.0, 2.0])
print(clip_ops.clip_by_value(x, 1.5, 2.5).numpy().tolist(), sort_ops.argsort(x).numpy().tolist(), special_math_ops.einsum("i,i->", x, x).numpy(), nn.relu(-x).numpy().tolist())
theory, numeric = gradient_checker_v2.compute_gradient(math_ops.square, [constant_op.constant([1.0, 2.0], dtypes.float64)])
print(theory[0].tolist(), gradient_checker_v2.max_error(theory, numeric) < 1e-6)
with ops.Graph().as_default() as g:
    p = array_ops.placeholder(dtypes.float32, shape=[None, 2], name="p")
    w = variable_scope.get_variable("w", [2, 1], initializer=init_ops.constant_initializer(2.0))
    u = variable_v1.VariableV1(1.0, name="u")
    y = math_ops.matmul(p, w) + u
    up = state_ops.assign_add(u, 1.0)
    print(tensor_util.constant_value(array_ops.shape(p)), tensor_util.constant_value(constant_op.constant([2, 2])).tolist())
    print(y.shape, y.op.type, [t.name for t in g.get_collection(ops.GraphKeys.GLOBAL_VARIABLES)])
    with session.Session(graph=g) as sess:
        sess.run(variables.global_variables_initializer())
        print(sess.run(y, {p: [[1.0, 2.0]]}).tolist(), sess.run(up), gradient_checker.compute_gradient_error(p, [1, 2], y, [1, 1], x_init_value=np.ones((1, 2), np.float32)) < 1e-2)
    print(ops.get_default_graph() is g, ops.get_gradient_function(y.op).__name__, ops.get_collection(ops.GraphKeys.TRAINABLE_VARIABLES)[0].name)
logging.set_verbosity(logging.ERROR)
logging.info("not shown")
print(ops.get_default_graph() is g, ops.name_from_scope_name("a/b/"))
