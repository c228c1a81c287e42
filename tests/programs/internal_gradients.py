"""The modules that unit tests import: constant_op, array_ops, math_ops, gradients_impl, in a graph and by test_util decorators."""
import numpy as np
from tensorflow.python.framework import constant_op
from tensorflow.python.framework import dtypes
from tensorflow.python.framework import ops
from tensorflow.python.framework import tensor
from tensorflow.python.framework import test_util
from tensorflow.python.ops import array_ops
from tensorflow.python.ops import gradients_impl
from tensorflow.python.ops import gradients
from tensorflow.python.ops import math_ops
from tensorflow.python.ops import nn_ops
from tensorflow.python.ops import unconnected_gradients
from tensorflow.python.ops import variables
from tensorflow.python.platform import test


class GradientsCase(test_util.TensorFlowTestCase):
    def test_chain(self):
        with ops.Graph().as_default():
            a = constant_op.constant([[1.0, 2.0]], name="a")
            b = constant_op.constant([[3.0], [4.0]], dtype=dtypes.float32)
            c = math_ops.matmul(a, b)
            d = nn_ops.relu(c) + math_ops.reduce_sum(array_ops.reshape(a, [-1]))
            grads = gradients.gradients(d, [a, b])
            with self.cached_session() as sess:
                self.assertAllEqual([[4.0, 5.0]], sess.run(grads[0]))
                self.assertAllEqual([[1.0], [2.0]], grads[1].eval())
            self.assertEqual("gradients", grads[1].op.name.split("/")[0])

    def test_unconnected(self):
        with ops.Graph().as_default():
            x, y = constant_op.constant(1.0), constant_op.constant(1.0)
            self.assertEqual([None], gradients_impl.gradients([y], [x]))
            zero, = gradients_impl.gradients([y], [x], unconnected_gradients=unconnected_gradients.UnconnectedGradients.ZERO)
            self.assertEqual(0.0, self.evaluate(zero))
            with self.assertRaisesRegex(ValueError, "Unknown value for unconnected_gradients: 'other'"):
                gradients_impl.gradients([y], [x], unconnected_gradients="other")

    @test_util.run_in_graph_and_eager_modes
    def test_both_modes(self):
        v = constant_op.constant([1.0, -2.0, 3.0], dtypes.float64)
        self.assertAllClose(self.evaluate(math_ops.cumsum(v)), [1.0, -1.0, 2.0])
        self.assertAllEqual(self.evaluate(array_ops.where_v2(v > 0, v, -v)), [1.0, 2.0, 3.0])
        w = variables.Variable([1.0])
        self.evaluate(variables.global_variables_initializer())
        self.assertAllEqual(self.evaluate(w + 1.0), [2.0])

    @test_util.run_v1_only("uses a session")
    def test_v1(self):
        with self.session():
            x = array_ops.placeholder(dtypes.float32, [None])
            y = math_ops.reduce_prod(x)
            h = gradients_impl.hessians(y, x)[0]
            self.assertAllClose(h.eval(feed_dict={x: [2.0, 3.0, 4.0]}), [[0.0, 4.0, 3.0], [4.0, 0.0, 2.0], [3.0, 2.0, 0.0]])

    @test_util.run_deprecated_v1
    def test_stop(self):
        x = constant_op.constant(2.0)
        y = x * 3.0
        z = y * x
        self.assertAllClose(self.evaluate(gradients.gradients(z, [x, y], stop_gradients=[y])), [6.0, 2.0])

    def test_eager_context(self):
        self.assertTrue(ops.executing_eagerly_outside_functions())
        x = ops.convert_to_tensor([1.0, 2.0])
        self.assertIsInstance(x, tensor.Tensor)
        self.assertEqual(x.dtype, dtypes.float32)
        self.assertEqual(dtypes.as_dtype(np.float64).base_dtype, dtypes.float64)
        with ops.name_scope("scope"), ops.Graph().as_default():
            self.assertFalse(constant_op.constant(1.0).name.startswith("scope"))


if __name__ == "__main__":
    import unittest
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(GradientsCase).run(result)
    print("ran", result.testsRun, "failures", len(result.failures), "errors", len(result.errors), isinstance(GradientsCase(), test.TestCase))
    for case, text in result.failures + result.errors:
        print(case.id().split(".")[-1], text.strip().splitlines()[-1][:60])
