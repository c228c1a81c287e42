"""tf.print to stdout and to strings of its formats, assertions of tf.debugging, check_numerics, and prints inside a function."""
import sys
import numpy as np
import tensorflow as tf

out = sys.stdout
tf.print("hello", 1, 2.5, None, True, output_stream=out)
tf.print(tf.constant(1.5), tf.constant([1, 2]), tf.constant("text"), output_stream=out)
tf.print(tf.constant([[1.0, 2.0], [3.0, 4.5]]), output_stream=out)
tf.print("a", "b", sep="-", end="|\n", output_stream=out)
tf.print({"k": tf.constant(1), "l": [tf.constant(2.0), (3,)]}, output_stream=out)
tf.print(tf.range(10), output_stream=out)
tf.print(tf.range(10), summarize=-1, output_stream=out)
tf.print(tf.range(10), summarize=2, output_stream=out)
tf.print(tf.constant(1e-8), tf.constant(1e8), tf.constant(0.1), tf.constant(0.1, tf.float64), tf.constant(1.0 / 3.0, tf.float64), tf.constant(True), output_stream=out)
tf.print(tf.constant(np.inf), tf.constant(np.nan), tf.constant([]), output_stream=out)
tf.print(tf.Variable([1.0, 2.0]), output_stream=out)
tf.print("loss:", tf.constant(0.125), "\titer", 3, output_stream=out)


@tf.function
def f(x):
    tf.print("in the graph", x, output_stream=out)
    print("while tracing", x.shape)
    tf.debugging.assert_less(x, 10.0, message="too big")
    return x + 1.0


print(f(tf.constant(1.0)).numpy())
print(f(tf.constant(2.0)).numpy())
try:
    f(tf.constant(20.0))
except tf.errors.InvalidArgumentError as error:
    print("InvalidArgumentError", "too big" in str(error))
a = tf.constant([1.0, 2.0])
d = tf.debugging
for name, call in {
    "equal": lambda: d.assert_equal(a, [1.0, 2.0]), "equal no": lambda: d.assert_equal(a, 1.0), "none_equal": lambda: d.assert_none_equal(a, 3.0),
    "less": lambda: d.assert_less(a, 3.0), "less no": lambda: d.assert_less(a, 2.0), "less_equal": lambda: d.assert_less_equal(a, 2.0),
    "greater": lambda: d.assert_greater(a, 1.0), "positive": lambda: d.assert_positive(a), "negative": lambda: d.assert_negative(a),
    "non_negative": lambda: d.assert_non_negative(a), "near": lambda: d.assert_near(a, a + 1e-9), "near no": lambda: d.assert_near(a, a + 1.0),
    "rank": lambda: d.assert_rank(a, 1), "rank no": lambda: d.assert_rank(a, 2), "at_least": lambda: d.assert_rank_at_least(a, 1), "rank_in": lambda: d.assert_rank_in(a, [0, 1]),
    "scalar": lambda: d.assert_scalar(a), "type": lambda: d.assert_type(a, tf.float32), "type no": lambda: d.assert_type(a, tf.int32), "same_dtype": lambda: d.assert_same_float_dtype([a, a]),
    "shapes": lambda: d.assert_shapes([(a, ("N",)), (tf.ones([2, 3]), ("N", "M"))]), "numerics": lambda: d.assert_all_finite(a / 0.0, "inf"), "integer": lambda: d.assert_integer(a),
}.items():
    try:
        answer = call()
        print(name, "None" if answer is None else type(answer).__name__)
    except Exception as error:
        print(name, type(error).__name__)
tf.get_logger().setLevel("ERROR")
print(tf.__version__.split(".")[0], tf.config.list_physical_devices("GPU"), tf.version.VERSION == tf.__version__)
