"""Exceptions that programs catch: their classes in eager code, and a few attributes."""
import numpy as np
import tensorflow as tf


def caught(label, function):
    try:
        function()
        print(label, "passes")
    except Exception as error:
        bases = [c.__name__ for c in type(error).__mro__ if c in (ValueError, TypeError, RuntimeError, tf.errors.OpError, LookupError, AttributeError, NotImplementedError)]
        print(label, type(error).__name__, bases)


x = tf.constant([1.0, 2.0, 3.0])
v = tf.Variable([1.0, 2.0])
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    y = x * 2.0
caught("add shapes", lambda: x + tf.ones([2]))
caught("matmul shapes", lambda: tf.matmul(tf.ones([2, 3]), tf.ones([2, 3])))
caught("matmul rank", lambda: tf.matmul(x, x))
caught("reshape", lambda: tf.reshape(x, [2, 2]))
caught("concat", lambda: tf.concat([tf.ones([1, 2]), tf.ones([1, 3])], 0))
caught("stack", lambda: tf.stack([tf.ones([2]), tf.ones([3])]))
caught("squeeze", lambda: tf.squeeze(x, 0))
caught("expand_dims", lambda: tf.expand_dims(x, 5))
caught("axis", lambda: tf.reduce_sum(x, axis=3))
caught("transpose", lambda: tf.transpose(x, [0, 1]))
caught("split", lambda: tf.split(x, 2))
caught("mixed dtypes", lambda: x + tf.constant([1, 2, 3]))
caught("string + float", lambda: x + "a")
caught("sin of int", lambda: tf.sin(tf.constant(1)))
caught("bool of vector", lambda: bool(x))
caught("float of vector", lambda: float(x))
caught("item assignment", lambda: x.__setitem__(0, 1.0))
caught("no such method", lambda: x.assign(x))
caught("hash", lambda: hash(x))
caught("iterate scalar", lambda: list(tf.constant(1.0)))
caught("len scalar", lambda: len(tf.constant(1.0)))
caught("assign shape", lambda: v.assign([1.0]))
caught("assign dtype", lambda: v.assign(tf.constant([1, 2])))
caught("variable without value", lambda: tf.Variable())
caught("tape.watch string", lambda: tape.watch("x"))
caught("tape.watch list of floats", lambda: tape.watch([1.0]))
caught("gradient(None)", lambda: tape.gradient(None, x))
caught("gradient source float", lambda: tape.gradient(y, 1.0))
caught("gradient target float", lambda: tape.gradient(1.0, x))
caught("gradient before any recording", lambda: tf.GradientTape().gradient(y, x))
caught("gradient source None", lambda: tape.gradient(y, None))
caught("gradient of a string source", lambda: tape.gradient(y, ["x"]))
caught("output_gradients shape", lambda: tape.gradient(y, x, output_gradients=tf.ones([2])))
caught("reentered", lambda: tape.__enter__() and tape.__enter__())
tape = None
caught("tf.gradients", lambda: tf.gradients(x, x))
caught("tf.hessians", lambda: tf.hessians(x, x))
caught("placeholder", lambda: tf.compat.v1.placeholder(tf.float32))
caught("session", lambda: tf.compat.v1.Session().run(x))
caught("division by zero int", lambda: tf.constant(1) // tf.constant(0))
caught("division by zero float", lambda: tf.constant(1.0) / 0.0)
caught("check_numerics", lambda: tf.debugging.check_numerics(x / 0.0, "bad"))
caught("assert_equal", lambda: tf.debugging.assert_equal(x, 1.0))
caught("assert_shapes", lambda: tf.debugging.assert_shapes([(x, ("N", 2))]))
caught("assert_rank", lambda: tf.debugging.assert_rank(x, 2))
caught("Assert", lambda: tf.Assert(False, ["no"]))
caught("ensure_shape", lambda: tf.ensure_shape(x, [2]))
caught("cond needs scalar", lambda: tf.cond(x > 0.0, lambda: 1, lambda: 2))
caught("one function argument missing", lambda: tf.function(lambda a: a)())
caught("negative dimension", lambda: tf.zeros([-1]))
caught("while shape", lambda: tf.while_loop(lambda i: i < 3, lambda i: (i + 1, i), [0]))
caught("einsum", lambda: tf.einsum("ij,jk->ik", x, x))
caught("nest", lambda: tf.nest.assert_same_structure([1, 2], [1, (2, 3)]))
caught("unknown dtype", lambda: tf.as_dtype("float33"))
caught("numpy object", lambda: tf.constant(object()))
caught("eval eager", lambda: x.eval())
caught("op eager", lambda: x.op)
caught("graph eager", lambda: x.graph)
caught("name eager", lambda: x.name)
try:
    tf.reshape(x, [7])
except tf.errors.InvalidArgumentError as error:
    print(error.error_code == tf.errors.INVALID_ARGUMENT, isinstance(error.message, str), error.op, error.node_def)
print([tf.errors.InvalidArgumentError(None, None, "m").message, tf.errors.NotFoundError.__name__, tf.errors.OutOfRangeError.__mro__[1].__name__])
