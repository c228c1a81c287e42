"""A test case over static graphs: session contexts, eval, assertions on gradients, compute_gradient_error, expected operation errors."""
import unittest
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()


class Graphs(tf.test.TestCase):
    def test_session(self):
        with self.session() as sess:
            x = tf.constant([1.0, 2.0])
            y = tf.square(x)
            g, = tf.gradients(y, x)
            self.assertAllClose([2.0, 4.0], g.eval())
            self.assertAllClose([2.0, 4.0], sess.run(g))
            self.assertAllEqual([1.0, 4.0], self.evaluate(y))
            self.assertEqual(g.op.type, "Mul")

    def test_cached_session(self):
        with self.cached_session():
            v = tf.Variable(2.0)
            tf.global_variables_initializer().run()
            self.assertEqual(2.0, v.eval())
            self.evaluate(v.assign(5.0))
            self.assertEqual(5.0, self.evaluate(v))

    def test_errors(self):
        with self.session() as sess:
            p = tf.placeholder(tf.float32, [None])
            q = p + tf.constant([1.0, 2.0, 3.0])
            with self.assertRaisesOpError("must feed|Incompatible"):
                sess.run(q)
            with self.assertRaises(tf.errors.InvalidArgumentError):
                sess.run(q, {p: [1.0, 2.0]})
            with self.assertRaisesWithPredicateMatch(ValueError, "shape"):
                sess.run(q, {p: [[1.0]]})
            with self.assertRaisesRegex(ValueError, "[Dd]imensions"):
                tf.ones([2]) + tf.ones([3])

    def test_gradient_error(self):
        with self.session():
            x = tf.constant([[0.5, 1.0], [2.0, -1.0]], tf.float64)
            w = tf.constant(np.ones((2, 3)))
            y = tf.tanh(tf.matmul(x, w))
            self.assertLess(tf.test.compute_gradient_error(x, [2, 2], y, [2, 3]), 1e-6)
            theory, numeric = tf.test.compute_gradient(x, [2, 2], y, [2, 3], x_init_value=np.full((2, 2), 0.25))
            self.assertEqual((4, 6), theory.shape)
            self.assertAllClose(theory, numeric, atol=1e-5)
            pairs = tf.test.compute_gradient([x, w], [[2, 2], [2, 3]], y, [2, 3])
            self.assertLen(pairs, 2)

    def test_graph_is_fresh(self):
        self.assertEqual(tf.get_default_graph().get_operations(), [])
        with tf.Graph().as_default() as g:
            c = tf.constant(1.0)
            self.assertIs(c.graph, g)
        with self.session(graph=g) as sess:
            self.assertEqual(sess.run(c), 1.0)

    def test_not_connected(self):
        x, y = tf.constant(1.0), tf.constant(2.0)
        self.assertEqual([None], tf.gradients(x, y))
        self.assertIsNone(tf.gradients(tf.stop_gradient(y), y)[0])

    def test_proto(self):
        self.assertProtoEquals("allow_soft_placement: true", tf.ConfigProto(allow_soft_placement=True))


result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(Graphs).run(result)
print("ran", result.testsRun, "failures", [t.id().split(".")[-1] for t, _ in result.failures], "errors", [t.id().split(".")[-1] for t, _ in result.errors])
for _, text in result.failures + result.errors:
    print(text.strip().splitlines()[-1][:60])
