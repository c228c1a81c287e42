"""Graphs: nesting as_default, unique names, lookups by name, operations, finalize, mixing graphs, seeds, devices, metagraph-free copies."""
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
v1 = tf.compat.v1

outer = v1.get_default_graph()
a = tf.constant(1.0, name="a")
g = tf.Graph()
with g.as_default():
    a2 = tf.constant(2.0, name="a")
    print(v1.get_default_graph() is g, a2.graph is g, a2.name)
    with outer.as_default():
        a3 = tf.constant(3.0, name="a")
        print(a3.name, a3.graph is outer)
    x = v1.placeholder(tf.float32, [2], name="x")
    with tf.name_scope("block"):
        y = tf.multiply(x, 2.0, name="y")
        z = tf.add(y, 1.0)
    with tf.name_scope("block"):
        y2 = tf.multiply(x, 3.0, name="y")
    d = tf.gradients(y2, x)[0]
print(v1.get_default_graph() is outer, y.name, z.name, y2.name)
print([op.name for op in g.get_operations()])
print([op.type for op in g.get_operations()])
print(g.get_tensor_by_name("block/y:0") is y, g.get_operation_by_name("block_1/y") is y2.op, g.as_graph_element("x") is x.op, g.as_graph_element("x:0") is x)
for name in ("block/y", "missing:0", "x:1"):
    try:
        g.get_tensor_by_name(name)
    except Exception as error:
        print(name, type(error).__name__)
try:
    g.get_operation_by_name("missing")
except KeyError as error:
    print("KeyError")
for f in (lambda: a + a2, lambda: tf.concat([a[None], a2[None]], 0)):
    try:
        f()
        print("passes")
    except ValueError as error:
        print("ValueError", "graph" in str(error))
with v1.Session(graph=g) as sess:
    print(sess.run("block/Add:0", {"x:0": [1.0, 2.0]}).tolist(), sess.run(d).tolist(), sess.graph is g, v1.get_default_graph() is g)
    try:
        sess.run(a)
    except Exception as error:
        print(type(error).__name__)
with v1.Session() as sess:
    print(sess.run([a, a3]), sess.graph is outer)
    with v1.Session(graph=g) as inner:
        print(inner.run(a2), v1.get_default_session() is inner)
    print(v1.get_default_session() is sess)
g.finalize()
with g.as_default():
    try:
        tf.constant(1.0)
    except RuntimeError as error:
        print("finalized", g.finalized)
print(outer.is_fetchable(a), outer.unique_name("a"), outer.unique_name("fresh"), outer.version > 0, outer.seed)
v1.set_random_seed(3)
print(outer.seed, tf.executing_eagerly())
v1.reset_default_graph()
print(v1.get_default_graph() is outer, len(v1.get_default_graph().get_operations()))
b = tf.constant(1.0, name="a/b")
c = tf.identity(b, name="a/b")
e = tf.add(b, c, name="A/B")
print(b.name, c.name, e.name, (b + c).name, (b + c).name, tf.constant(0.0).name, tf.constant(0.0).name)
for bad in ("two words", "-x", "x:0"):
    try:
        tf.constant(0.0, name=bad)
        print("passes")
    except ValueError:
        print("ValueError", repr(bad))
