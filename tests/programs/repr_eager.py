"""str and repr of eager tensors, variables, shapes, dtypes, IndexedSlices, specs, and of tensors inside a function."""
import numpy as np
import tensorflow as tf

for value in (tf.constant(1.5), tf.constant([1, 2]), tf.constant([[1.0, 2.0], [3.0, 4.0]], tf.float64), tf.constant(True), tf.constant("ab"),
              tf.constant(["a", "bc"]), tf.constant(1 + 2j), tf.zeros([0, 3]), tf.constant(7, tf.uint8), tf.constant(0.1), tf.constant([1e-8, 1e8])):
    print(str(value))
    print(repr(value))
    print(f"{value}" if value.shape.rank == 0 else value.shape)
v = tf.Variable([1.0, 2.0], name="v")
print(v)
print([v])
print(tf.Variable(3, name="n"))
print(v.name, v.shape, v.dtype, v.device != "", v.trainable)
for shape in (tf.TensorShape([]), tf.TensorShape([2]), tf.TensorShape([None, 3]), tf.TensorShape(None), v.shape, tf.zeros([2, 0]).shape):
    print(str(shape), repr(shape), shape.rank, None if shape.rank is None else shape.as_list(), shape.is_fully_defined(), shape.num_elements())
s = tf.TensorShape([None, 3])
print(s[0], s[1], s[1:], len(s), list(s), s.concatenate([4]), s.merge_with([5, None]), s.is_compatible_with([2, 3]), s == [None, 3], tf.TensorShape([2]) == (2,))
print(tf.TensorShape([2, 3]) + [4], tf.TensorShape([2, 3]).assert_has_rank(2), tf.TensorShape([2, 3]).with_rank(2), tf.broadcast_static_shape(tf.TensorShape([2, 1]), tf.TensorShape([3])))
try:
    tf.TensorShape([2]).merge_with([3])
except ValueError as error:
    print("ValueError", error)
for dtype in (tf.float32, tf.int64, tf.bool, tf.string, tf.complex64, tf.bfloat16, tf.float16, tf.uint8):
    print(str(dtype), repr(dtype), dtype.name, dtype.as_numpy_dtype.__name__)
slices = tf.IndexedSlices(tf.constant([1.0]), tf.constant([2]), tf.constant([4]))
print(slices)
print(tf.TensorSpec([None, 2], tf.float32, name="x"), tf.TensorSpec.from_tensor(v.read_value()))
print(type(tf.constant(1)).__name__, type(v).__name__, isinstance(tf.constant(1), tf.Tensor), isinstance(v, tf.Tensor), tf.is_tensor(v), tf.is_tensor([1]))


@tf.function
def inside(a, b):
    print(a)
    print(repr(b))
    print(a + b, tf.reduce_sum(a), a.shape, b.name)
    print(a.op.type, (a * b).op.type, type(a).__name__)
    return a


inside(tf.ones([2]), tf.constant(2.0))
concrete = inside.get_concrete_function(tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.float32))
print([t.name for t in concrete.inputs], [o.shape for o in concrete.outputs], [op.type for op in concrete.graph.get_operations()])
print(tf.UnconnectedGradients.ZERO, repr(tf.UnconnectedGradients.NONE), tf.executing_eagerly())
print({"loss": tf.constant(0.5)}, (tf.constant(1),))
print("%s %r" % (tf.constant(2), tf.constant(2)))
print(tf.constant([[1.0]]).numpy(), type(tf.constant(1.0).numpy()).__name__, tf.constant("x").numpy(), tf.constant([1, 2]).numpy().dtype)
