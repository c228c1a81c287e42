"""tensorflow.python.eager: backprop.GradientTape and the functional helpers, context, def_function, forwardprop, resource variables."""
import numpy as np
from tensorflow.python.eager import backprop
from tensorflow.python.eager import context
from tensorflow.python.eager import def_function
from tensorflow.python.eager import forwardprop
from tensorflow.python.framework import constant_op
from tensorflow.python.framework import dtypes
from tensorflow.python.framework import errors_impl
from tensorflow.python.framework import indexed_slices
from tensorflow.python.framework import ops
from tensorflow.python.framework import tensor_shape
from tensorflow.python.framework import tensor_spec
from tensorflow.python.ops import array_ops
from tensorflow.python.ops import custom_gradient
from tensorflow.python.ops import embedding_ops
from tensorflow.python.ops import math_ops
from tensorflow.python.ops import nn_ops
from tensorflow.python.ops import random_ops
from tensorflow.python.ops import resource_variable_ops
from tensorflow.python.ops import variables
from tensorflow.python.util import nest


def f(a, b):
    return math_ops.reduce_sum(math_ops.sin(a) * b)


a = constant_op.constant([0.5, 1.0])
b = constant_op.constant([2.0, -1.0])
print([np.round(g.numpy(), 4).tolist() for g in backprop.gradients_function(f, [0, 1])(a, b)])
print([np.round(g.numpy(), 4).tolist() for g in backprop.gradients_function(f, ["b"])(a, b)])
value, grads = backprop.val_and_grad_function(f)(a, b)
print("%.4f" % value, len(grads))
value, vjp = backprop.make_vjp(lambda t: math_ops.square(t))(a)
print(value.numpy().tolist(), [g.numpy().tolist() for g in vjp(constant_op.constant([1.0, 10.0]))])
v = resource_variable_ops.ResourceVariable(initial_value=3.0, name="v")
print([(float(g), x.name) for g, x in backprop.implicit_grad(lambda: v * v)()])
with backprop.GradientTape(persistent=True) as tape:
    y = v * v + nn_ops.relu(v)
    e = embedding_ops.embedding_lookup(v[None, None] * array_ops.ones([2, 1]), constant_op.constant([0, 0]))
print(float(tape.gradient(y, v)), float(tape.gradient(e, v)), context.executing_eagerly())
with context.graph_mode():
    print(context.executing_eagerly(), constant_op.constant(1.0).op.type)
with forwardprop.ForwardAccumulator(a, array_ops.ones_like(a)) as acc:
    y = math_ops.exp(a)
print(np.round(acc.jvp(y).numpy(), 4).tolist())


@def_function.function(input_signature=[tensor_spec.TensorSpec([None], dtypes.float32)])
def traced(x):
    return math_ops.cumsum(x) if context.executing_eagerly() else math_ops.reduce_max(x)


print(float(traced(a)), tensor_shape.TensorShape([None, 2]).as_list(), tensor_shape.as_shape([1]).rank, tensor_shape.dimension_value(tensor_shape.Dimension(4)))


@custom_gradient.custom_gradient
def triple(x):
    return x * 3.0, lambda dy: dy * 33.0


print(backprop.gradients_function(lambda t: triple(t))(a)[0].numpy().tolist())
try:
    math_ops.matmul(a, b)
except errors_impl.InvalidArgumentError as error:
    print(type(error).__module__, type(error).__name__)
s = indexed_slices.IndexedSlices(a, constant_op.constant([1, 3]), constant_op.constant([4]))
print(ops.convert_to_tensor(s).numpy().tolist(), isinstance(s, indexed_slices.IndexedSlices))
print(nest.flatten({"b": 1, "a": [2]}), nest.map_structure(str, (1, [2])), random_ops.random_normal([2, 3]).shape, isinstance(v, variables.Variable))
with backprop.GradientTape() as t2:
    with backprop.GradientTape() as t1:
        t1.watch(a)
        t2.watch(a)
        y = math_ops.pow(a, 3.0)
    d = t1.jacobian(y, a)
print(np.round(d.numpy(), 3).tolist(), np.round(t2.gradient(d, a).numpy(), 3).tolist())
