"""What TensorFlow and Wengert are both asked of strategies.

`python tests/surface/record_distribute.py > tests/surface/distribute-tensorflow-2.21.json` records TensorFlow's answers, where it
is installed.
"""

import builtins
import json

import numpy as np

QUESTIONS = """
tf.distribute.get_strategy().num_replicas_in_sync, tf.distribute.has_strategy(), tf.distribute.in_cross_replica_context()
tf.distribute.get_replica_context().replica_id_in_sync_group, tf.distribute.get_replica_context().num_replicas_in_sync
tf.distribute.get_replica_context().strategy is tf.distribute.get_strategy()
tf.distribute.get_replica_context().devices
s.num_replicas_in_sync, s.cluster_resolver
inside(lambda: (tf.distribute.get_strategy() is s, tf.distribute.has_strategy(), tf.distribute.in_cross_replica_context()))
inside(lambda: tf.distribute.get_replica_context() is None)
s.run(lambda: (tf.distribute.get_strategy() is s, tf.distribute.has_strategy(), tf.distribute.in_cross_replica_context()))
s.run(lambda: tf.distribute.get_replica_context().replica_id_in_sync_group)
s.run(lambda: tf.distribute.get_replica_context().num_replicas_in_sync)
s.run(lambda x: x + 1, (tf.constant(2.0),))
s.run(lambda x: x + 1, args=(2.0,))
s.run(lambda x, y=1: (x, y), args=[2.0], kwargs={"y": 3})
s.run(lambda x: x, args=(np.array([1.0, 2.0]),))
s.run(lambda x: x + 1, args=2)
s.run(lambda: None)
s.run(lambda: {"a": tf.constant(1), "b": [tf.constant(2), "x"]})
s.run(3)
inside(lambda: s.run(lambda: tf.constant(1.0)))
s.run(lambda: s.run(lambda: tf.constant(1.0)))
s.reduce("SUM", tf.constant([1.0, 2.0]), axis=None)
s.reduce("MEAN", tf.constant([1.0, 2.0]), axis=None)
s.reduce("SUM", tf.constant([[1.0, 2.0], [3.0, 5.0]]), axis=0)
s.reduce("MEAN", tf.constant([[1.0, 2.0], [3.0, 5.0]]), axis=0)
s.reduce("MEAN", tf.constant([[1, 2], [3, 6]]), axis=0)
s.reduce("SUM", tf.constant([[1, 2], [3, 6]]), axis=1)
s.reduce("MEAN", tf.constant([[1.0, 2.0], [3.0, 6.0]]), axis=1)
s.reduce("MEAN", tf.constant([[1.0, 2.0], [3.0, 6.0]]), axis=-1)
s.reduce("MEAN", tf.constant([[1.0, 2.0], [3.0, 6.0]]), axis=(0, 1))
s.reduce("SUM", tf.constant(3.0), axis=0)
s.reduce("SUM", tf.constant([3.0]), axis=5)
s.reduce(tf.distribute.ReduceOp.SUM, 3.0, axis=None)
s.reduce(tf.distribute.ReduceOp.MEAN, [1.0, 2.0], axis=None)
s.reduce(tf.distribute.ReduceOp.SUM, {"a": tf.constant(1.0), "b": (tf.constant(2.0),)}, axis=None)
s.reduce("sum", tf.constant(1.0), axis=None)
s.reduce("MAX", tf.constant(1.0), axis=None)
s.reduce("SUM", None, axis=None)
s.reduce("SUM", tf.constant(1.0))
s.reduce("SUM", np.array([1.0, 2.0]), axis=0)
s.reduce("SUM", tf.Variable([1.0, 2.0]), axis=0)
s.reduce("SUM", "text", axis=None)
s.run(lambda: s.reduce("SUM", tf.constant(1.0), axis=None))
s.gather(tf.constant([[1.0, 2.0]]), axis=0)
s.gather(tf.constant(1.0), axis=0)
s.run(lambda: s.gather(tf.constant([1.0, 2.0]), axis=0))
s.run(lambda: tf.distribute.get_replica_context().all_reduce("SUM", tf.constant([1.0, 2.0])))
s.run(lambda: tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, {"a": tf.constant([1.0])}))
s.run(lambda: tf.distribute.get_replica_context().all_reduce("max", tf.constant([1.0, 2.0])))
s.run(lambda: tf.distribute.get_replica_context().all_gather(tf.constant([[1.0, 2.0]]), axis=0))
s.run(lambda: merged(lambda t, x: (t is s, tf.distribute.in_cross_replica_context(), x), tf.constant(1.0)))
s.run(lambda: merged(lambda t, x: t.reduce("SUM", x, axis=None) + 1, tf.constant(1.0)))
tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(1.0))
s.experimental_local_results(tf.constant(1.0))
s.experimental_local_results([1, 2])
s.experimental_local_results(None)
s.experimental_local_results(own(lambda c: tf.constant([c.replica_id_in_sync_group, c.num_replicas_in_sync])))
s.run(lambda x: x, args=(own(lambda c: tf.constant(4.0)),))
tf.function(lambda x: s.run(lambda y: 2.0 * y, args=(x,)))(own(lambda c: tf.constant(4.0)))
inside(lambda: inside(lambda: tf.distribute.get_strategy() is s))
inside(lambda: other())
s.run(lambda: inside(lambda: 1))
inside(lambda: tf.Variable([1.0, 2.0]) + 1)
inside(lambda: isinstance(tf.Variable(1.0), tf.Variable))
inside(lambda: s.extended.variable_created_in_scope(tf.Variable(1.0)))
s.extended.experimental_require_static_shapes
s.extended.reduce_to("SUM", tf.constant(2.0), destinations="CPU:0")
s.extended.batch_reduce_to("MEAN", [(tf.constant(2.0), "CPU:0"), (tf.constant(3.0), "CPU:0")])
updated()
s.extended.call_for_each_replica(lambda x: x + 1, args=(tf.constant(1.0),))
[x.numpy().tolist() for x in s.experimental_distribute_dataset(tf.data.Dataset.range(5).batch(2))]
batches().element_spec
iter(batches()).get_next()
[next(it) for it in [iter(batches())] for _ in range(4)]
[it.get_next() for it in [iter(batches())] for _ in range(4)]
iter(batches()).get_next_as_optional().get_value()
batches().reduce(np.int64(0), lambda a, x: a + tf.reduce_sum(x))
[x.numpy().tolist() for x in s.distribute_datasets_from_function(made)]
s.distribute_datasets_from_function(lambda c: tf.data.Dataset.range(6).batch(c.get_per_replica_batch_size(4))).element_spec
in_function_over_dataset()
in_function_over_iterator()
in_function_with_branch()
gradient_in_function()
trained("fit")
trained("loop")
s.run(lambda: tf.nn.compute_average_loss(tf.constant([1.0, 3.0, 5.0])))
s.run(lambda: tf.nn.compute_average_loss(tf.constant([1.0, 3.0, 5.0]), global_batch_size=6))
s.run(lambda: tf.nn.scale_regularization_loss(tf.constant([1.0, 2.0])))
inside(lambda: tf.nn.compute_average_loss(tf.constant([1.0, 3.0])))
inside(lambda: tf.nn.scale_regularization_loss(tf.constant([1.0, 3.0])))
tf.nn.compute_average_loss([1.0, 3.0], [0.5, 1.0], 4)
tf.nn.compute_average_loss([[1.0, 3.0], [2.0, 5.0]], [[0.5], [1.0]])
tf.nn.compute_average_loss([[1.0, 3.0], [2.0, 5.0]], [0.5, 1.0])
tf.nn.compute_average_loss([1, 3])
tf.nn.compute_average_loss(tf.constant([1.0, 3.0]), global_batch_size=4.0)
tf.nn.compute_average_loss(tf.constant(1.0))
set_for_all()
tf.distribute.MirroredStrategy("CPU:0")
tf.distribute.MirroredStrategy(["CPU:0", "CPU:0"])
tf.distribute.MirroredStrategy(["CPU:0"], tf.distribute.ReductionToOneDevice()).num_replicas_in_sync
tf.distribute.MirroredStrategy(cross_device_ops=tf.distribute.HierarchicalCopyAllReduce(num_packs=-1))
tf.distribute.NcclAllReduce(num_packs=-1)
tf.distribute.OneDeviceStrategy()
str(tf.distribute.ReduceOp.SUM), tf.distribute.ReduceOp("MEAN").value
tf.distribute.ReduceOp("sum")
tf.distribute.ReduceOp.from_variable_aggregation(tf.VariableAggregation.MEAN).value
tf.distribute.ReduceOp.from_variable_aggregation(tf.VariableAggregation.NONE)
tf.distribute.InputContext(2, 1, 4).get_per_replica_batch_size(8), str(tf.distribute.InputContext(2, 1, 4))
tf.distribute.InputContext(2, 1, 4).get_per_replica_batch_size(7)
str(tf.distribute.experimental.ValueContext(1, 2))
tf.distribute.experimental.CommunicationOptions(implementation="ring").implementation.value
tf.distribute.experimental.CommunicationOptions(bytes_per_pack=-1)
tf.distribute.experimental.CommunicationOptions(implementation="foo")
tf.distribute.InputOptions()._asdict()["experimental_fetch_to_device"], list(tf.distribute.RunOptions())
resolved("TFConfigClusterResolver", TF_CONFIG=CONFIG)
resolved("TFConfigClusterResolver")
resolved("SlurmClusterResolver", **SLURM)
resolved("SlurmClusterResolver")
resolved("SlurmClusterResolver", {"jobs": {"ps": 1, "worker": 4}, **GPUS}, **SLURM)
told_cluster({"worker": ["a:1", "b:2"], "ps": {3: "c:1"}})
told_cluster({"worker": {0: "a:1", 1: "b:2"}})
tf.train.ClusterSpec({"worker": ["a:1"]}).task_address("worker", 1)
tf.train.ClusterSpec({"worker": ["a:1"]}).num_tasks("ps")
tf.train.ClusterSpec({"worker": 3})
simple(task_type="worker", task_id=1, rpc_layer="grpc").master()
simple().master("worker", 1), simple().master("worker", 1, "grpc"), simple(num_accelerators={"GPU": 2}).num_accelerators()
"""

STRATEGIES = ("mirrored", "one", "default")
CONFIG = json.dumps({"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}})
SLURM = {
    "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "5", "SLURM_STEP_NODELIST": "n[01-02],m5",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2),1",
}  # fmt: skip
GPUS = {"auto_set_gpu": False, "gpus_per_node": 2, "gpus_per_task": 1}


class Space:
    """What the questions are asked with."""

    def __init__(self, tf, strategy):
        self.tf = tf
        self.s = {
            "mirrored": lambda: tf.distribute.MirroredStrategy(["CPU:0"]),
            "one": lambda: tf.distribute.OneDeviceStrategy("/cpu:0"),
            "default": tf.distribute.get_strategy,
        }[strategy]()

    def names(self):
        own = {n: getattr(self, n) for n in dir(self) if not n.startswith("_")}
        return {**own, "np": np, "CONFIG": CONFIG, "SLURM": SLURM, "GPUS": GPUS}

    def inside(self, f):
        with self.s.scope():
            return f()

    def other(self):
        with self.tf.distribute.OneDeviceStrategy("/cpu:0").scope():
            return 1

    def merged(self, f, *values):
        return self.tf.distribute.get_replica_context().merge_call(f, args=values)

    def own(self, f):
        return self.s.experimental_distribute_values_from_function(f)

    def updated(self):
        with self.s.scope():
            v = self.tf.Variable(1.0)
            self.s.extended.update(v, lambda v, x: v.assign_add(x), args=(2.0,))
        return v.numpy()

    def batches(self):
        return self.s.experimental_distribute_dataset(self.tf.data.Dataset.range(5).batch(2))

    def made(self, c):
        told = [c.num_input_pipelines, c.input_pipeline_id, c.num_replicas_in_sync, c.get_per_replica_batch_size(8)]
        return self.tf.data.Dataset.from_tensors(told)

    def in_function_over_dataset(self):
        tf, s = self.tf, self.s

        @tf.function
        def f(d):
            t = tf.constant(0, tf.int64)
            for x in d:
                t += s.reduce("SUM", s.run(lambda x: tf.reduce_sum(x), args=(x,)), axis=None)
            return t

        return f(self.batches())

    def in_function_over_iterator(self):
        tf, s = self.tf, self.s
        it = iter(s.experimental_distribute_dataset(tf.data.Dataset.range(6).batch(2)))

        @tf.function
        def f(it):
            t = tf.constant(0, tf.int64)
            for _ in tf.range(3):
                t += s.reduce("SUM", s.run(lambda x: x, args=(next(it),)), axis=0)
            return t

        return f(it)

    def in_function_with_branch(self):
        tf, s = self.tf, self.s

        def step(x):
            if tf.reduce_sum(x) > 1.0:
                y = x * 2.0
            else:
                y = x * 3.0
            return y

        f = tf.function(lambda x: s.run(step, args=(x,)))
        g = tf.function(lambda x: s.run(fn=step, kwargs={"x": x}))
        return f(tf.constant(1.0)), f(tf.constant(2.0)), g(tf.constant(1.0))

    def gradient_in_function(self):
        tf, s = self.tf, self.s
        with s.scope():
            v = tf.Variable(3.0)

        def gradient(x):
            with tf.GradientTape() as t:
                y = tf.distribute.get_replica_context().all_reduce("SUM", v * v * x)
            return t.gradient(y, v)

        return tf.function(lambda x: s.run(gradient, args=(x,)))(tf.constant(2.0))

    def trained(self, how):
        tf, s = self.tf, self.s
        x = np.linspace(0, 1, 8)[:, None].astype("f")
        with s.scope():
            layer = tf.keras.layers.Dense(1, kernel_initializer="ones")
            model = tf.keras.Sequential([tf.keras.Input((1,)), layer])
            optimizer = tf.keras.optimizers.SGD(0.1)
            model.compile(optimizer, "mse")
        data = s.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((x, 3 * x)).batch(4))
        if how == "fit":
            losses = model.fit(data, epochs=2, verbose=0).history["loss"]
            found = [*losses, model.evaluate(data, verbose=0), *model.predict(data, verbose=0).ravel()]
        else:

            def step(batch):
                with tf.GradientTape() as tape:
                    loss = tf.nn.compute_average_loss(tf.reduce_mean((model(batch[0]) - batch[1]) ** 2, 1))
                weights = model.trainable_variables
                optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
                return loss

            f = tf.function(lambda batch: s.reduce("SUM", s.run(step, args=(batch,)), axis=None))
            found = [f(batch).numpy() for _ in range(2) for batch in data]
        return [round(float(v), 5) for v in found]

    def set_for_all(self):
        d = self.tf.distribute
        d.experimental_set_strategy(self.s)
        try:
            return d.get_strategy() is self.s, d.has_strategy(), d.in_cross_replica_context()
        finally:
            d.experimental_set_strategy(None)

    def resolved(self, name, given=(), **environment):
        import os

        before = dict(os.environ)
        os.environ.update(environment)
        if name.startswith("Slurm") and not given:
            given = GPUS
        try:
            r = getattr(self.tf.distribute.cluster_resolver, name)(**dict(given))
            cluster = r.cluster_spec().as_dict()
            return cluster, r.task_type, r.task_id, r.master() if cluster else None
        finally:
            os.environ.clear()
            os.environ.update(before)

    def told_cluster(self, jobs):
        c = self.tf.train.ClusterSpec(jobs)
        every = [[c.num_tasks(j), c.task_indices(j), c.job_tasks(j)] for j in jobs]
        return c.as_dict(), sorted(c.jobs), every, bool(c), c == self.tf.train.ClusterSpec(c)

    def simple(self, **keywords):
        cluster = self.tf.train.ClusterSpec({"worker": ["a:1", "b:2"]})
        return self.tf.distribute.cluster_resolver.SimpleClusterResolver(cluster, **keywords)


def told(value):
    """What is told of a value."""
    if isinstance(value, dict):
        return {str(k): told(v) for k, v in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, list | tuple):
        return [told(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if type(value).__name__ == "TensorSpec":
        return ["spec", None if value.shape.rank is None else value.shape.as_list(), value.dtype.name]
    if hasattr(value, "numpy"):
        value = value.numpy()
        kind = "tensor"
    else:
        kind = "array"
    array = np.asarray(value)
    return [kind, str(array.dtype), array.astype(str).tolist() if array.dtype.kind in "SUO" else array.tolist()]


def answer(question, space):
    """A question's answer, or the built-in error that it raises."""
    try:
        return told(eval(question, space.names()))
    except Exception as error:
        return "raises " + next(c.__name__ for c in type(error).__mro__ if hasattr(builtins, c.__name__))


def answers(tf, strategy):
    return {q: answer(q, Space(tf, strategy)) for q in QUESTIONS.strip().splitlines()}


if __name__ == "__main__":
    import tensorflow

    recorded = {name: answers(tensorflow, name) for name in STRATEGIES}
    common = {q: a for q, a in recorded["mirrored"].items() if all(recorded[n][q] == a for n in STRATEGIES)}
    own = {n: {q: a for q, a in recorded[n].items() if q not in common} for n in STRATEGIES}
    print(json.dumps({"common": common, **own}, indent=1))
