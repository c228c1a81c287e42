"""When tf.function traces again: shapes, dtypes, Python values, input_signature, instances, keyword and default arguments, None."""
import tensorflow as tf

traces = []


@tf.function
def f(x, n=2):
    traces.append((x.shape.as_list() if hasattr(x, "shape") else x, n))
    return x * n


f(tf.constant([1.0, 2.0]))
f(tf.constant([3.0, 4.0]))
print("same shape", len(traces))
f(tf.constant([1.0, 2.0, 3.0]))
print("new shape", len(traces))
f(tf.constant([1, 2]))
print("new dtype", len(traces))
f(1)
f(2)
f(1)
print("python values", len(traces), traces[-2:])
f(tf.constant([1.0, 2.0]), n=3)
f(tf.constant([1.0, 2.0]), 3)
print("keyword", len(traces))
f(tf.constant([1.0, 2.0]), n=tf.constant(3.0))
print("tensor for n", len(traces), f.experimental_get_tracing_count())

count = 0


@tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
def g(x):
    global count
    count += 1
    return tf.reduce_sum(x, 0), x.shape.as_list()[1]


print(g(tf.ones([3, 2]))[0].numpy().tolist(), g(tf.ones([5, 2]))[0].numpy().tolist(), "traces", count)
print("python int returned", type(g(tf.ones([1, 2]))[1]).__name__)
for bad in (tf.ones([2, 3]), tf.ones([2]), tf.ones([1, 2], tf.int32)):
    try:
        g(bad)
    except (TypeError, ValueError) as error:
        print(type(error).__name__)
print(g([[1.0, 2.0]])[0].numpy().tolist(), count)


class Model:
    def __init__(self, k):
        self.k = k
        self.traces = 0

    @tf.function
    def step(self, x):
        self.traces += 1
        return x * self.k


a, b = Model(2.0), Model(5.0)
print(a.step(tf.constant(1.0)).numpy(), b.step(tf.constant(1.0)).numpy(), a.step(tf.constant(2.0)).numpy(), a.traces, b.traces)
a.k = 100.0
print("attribute frozen", a.step(tf.constant(1.0)).numpy())


@tf.function
def counted(x):
    if not hasattr(counted, "v"):
        counted.v = tf.Variable(0.0)
    counted.v.assign_add(x)
    return counted.v.read_value()


print([counted(tf.constant(float(i))).numpy().tolist() for i in range(4)])


@tf.function
def makes_a_variable_each_time(x):
    return tf.Variable(1.0) * x


try:
    makes_a_variable_each_time(tf.constant(1.0))
except ValueError as error:
    print("ValueError", "variable" in str(error).lower())

w = tf.Variable(1.0)
h = tf.function(lambda: w * 2.0)
print(h().numpy(), w.assign(7.0).numpy(), h().numpy())
concrete = f.get_concrete_function(tf.TensorSpec([None], tf.float32), 4)
print(concrete(tf.constant([1.0, 2.0, 3.0])).numpy().tolist(), concrete.structured_outputs.shape)
tf.config.run_functions_eagerly(True)
before = len(traces)
f(tf.constant([1.0, 2.0]))
f(tf.constant([1.0, 2.0]))
print("eagerly", len(traces) - before)
tf.config.run_functions_eagerly(False)
nested = tf.function(lambda d: {"out": d["a"] + d["b"][0], "none": None, "s": "text"})
print(sorted(nested({"a": tf.constant(1.0), "b": [tf.constant(2.0)]}).items(), key=str))
