"""tf.test.TestCase as programs use it: comparisons, failures that are caught, evaluate, subtests, temporary folders, parameter loops."""
import os
import sys
import unittest
import numpy as np
import tensorflow as tf


class Asserts(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.x = tf.constant([1.0, 2.0])

    def test_all_close(self):
        self.assertAllClose(self.x, [1.0, 2.0 + 1e-7])
        self.assertAllClose({"a": self.x, "b": [1]}, {"a": np.array([1.0, 2.0]), "b": [1]})
        self.assertAllClose((self.x, 3.0), (self.x, 3.0))
        with self.assertRaises(AssertionError):
            self.assertAllClose(self.x, [1.0, 2.1])
        with self.assertRaises(AssertionError):
            self.assertAllClose(self.x, [1.0, 2.0, 3.0])
        self.assertNotAllClose(self.x, [1.0, 3.0])
        self.assertAllClose(self.x, [1.01, 2.01], rtol=0.0, atol=0.02)
        self.assertAllClose([np.nan], [np.nan])

    def test_equal(self):
        self.assertAllEqual(self.x, [1.0, 2.0])
        self.assertAllEqual([b"a"], tf.constant(["a"]))
        self.assertNotAllEqual(self.x, [1.0, 2.5])
        with self.assertRaisesRegex(AssertionError, "not equal|differ|mismatch"):
            self.assertAllEqual(self.x, [1.0, 5.0])
        self.assertShapeEqual(np.zeros([2]), self.x)
        self.assertDTypeEqual(self.x, np.float32)
        self.assertEqual(self.x.shape, (2,))

    def test_more(self):
        self.assertNear(1.0, 1.0 + 1e-6, 1e-5)
        self.assertArrayNear([1.0, 2.0], [1.0, 2.0], 1e-5)
        self.assertAllGreater(self.x, 0.5)
        self.assertAllLessEqual(self.x, 2.0)
        self.assertAllInRange(self.x, 1.0, 2.0)
        self.assertAllInSet([1, 2], {1, 2, 3})
        self.assertAllCloseAccordingToType(tf.constant([1.0], tf.float16), [1.001])
        self.assertLen([1, 2], 2)
        self.assertEmpty([])
        self.assertBetween(2, 1, 3)
        self.assertIn("a", "abc")

    def test_evaluate(self):
        value = self.evaluate(self.x * 2.0)
        self.assertIsInstance(value, np.ndarray)
        self.assertEqual(self.evaluate({"k": self.x[0]}), {"k": 1.0})
        v = tf.Variable(3.0)
        self.evaluate(tf.compat.v1.global_variables_initializer())
        self.assertEqual(self.evaluate(v), 3.0)

    def test_errors(self):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "Incompatible shapes"):
            self.x + tf.ones([3])
        with self.assertRaisesOpError("Incompatible shapes"):
            self.x + tf.ones([3])
        with self.assertRaises((ValueError, tf.errors.InvalidArgumentError)):
            tf.reshape(self.x, [3])

    def test_folder_and_session(self):
        self.assertTrue(os.path.isdir(self.get_temp_dir()))
        with tf.Graph().as_default(), self.session() as sess:
            self.assertAllEqual(sess.run(tf.constant([1, 2]) + 1), [2, 3])
            self.assertEqual(self.evaluate(tf.constant(4)), 4)

    def test_subtests(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertAllEqual(tf.range(n), list(range(n)))

    def test_fails(self):
        self.assertAllClose(self.x, [0.0, 0.0])

    @unittest.skip("not today")
    def test_skipped(self):
        self.fail()


suite = unittest.defaultTestLoader.loadTestsFromTestCase(Asserts)
result = unittest.TestResult()
suite.run(result)
print("ran", result.testsRun, "failures", [t.id().split(".")[-1] for t, _ in result.failures], "errors", [t.id().split(".")[-1] for t, _ in result.errors], "skipped", len(result.skipped))
