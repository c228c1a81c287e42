"""Write the files of this folder with TensorFlow, which tests then read without it.

python record.py keras3 (TensorFlow 2.21 with Keras 3.15), TF_USE_LEGACY_KERAS=1 python record.py keras2 (tf_keras 2.21),
python record.py tf1, python record.py module, python record.py iterator. HDF5 files are packed: they are long and mostly empty.
"""

import gzip
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from models import functional, points, sequential, subclass

HERE = Path(__file__).parent


def packed(source: Path, target: Path) -> None:
    target.write_bytes(gzip.compress(source.read_bytes(), mtime=0))


def keras(folder: Path) -> None:
    x, y = points()
    tf.keras.utils.set_random_seed(1)
    for name, make in (("seq", sequential), ("func", functional), ("sub", subclass)):
        model = make(tf.keras)
        model(x)
        model.compile("adam", "mse")
        model.fit(x, y, epochs=2, verbose=0)
        own = Path(tempfile.mkdtemp())
        for file in (f"{name}.weights.h5", f"{name}.keras", f"{name}.h5"):
            if name == "sub" and file != "sub.weights.h5":
                continue
            (model.save_weights if "weights" in file else model.save)(own / file)
            packed(own / file, folder / f"{file}.gz")
        tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(str(folder / name))
        if name == "seq":
            tf.train.Checkpoint(model).write(str(folder / "root"))
        arrays = {f"w{i}": w for i, w in enumerate(model.get_weights())}
        arrays |= {f"o{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
        np.savez(folder / f"{name}.npz", pred=model.predict(x, verbose=0), **arrays)


def tf1(folder: Path) -> None:
    from tensorflow.core.protobuf import saver_pb2

    one = tf.compat.v1
    one.disable_resource_variables()
    with tf.Graph().as_default():
        w = one.get_variable("net/w", initializer=np.arange(6, dtype="f").reshape(2, 3))
        one.get_variable("net/b", initializer=np.array([1, 2], "i8"))
        step = one.train.get_or_create_global_step()
        part = one.get_variable("part", shape=[200, 2], partitioner=one.fixed_size_partitioner(3))
        train = one.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(w * w), global_step=step)
        kinds = {"flag": [True, False], "h": np.array([1.5, 2], "f2"), "d": 0.25 + np.zeros(()),
                 "c": np.array([1 + 2j], "complex64"),
                 "i8": np.array([-3, 4], "int8")}  # fmt: skip
        for name, value in kinds.items():
            one.get_variable(name, initializer=np.array(value))
        with one.Session() as session:
            session.run(one.global_variables_initializer())
            session.run(train)
            np.savez(folder / "part.npz", part=session.run(tf.convert_to_tensor(part)))
            one.train.Saver().save(session, str(folder / "two"), global_step=1, write_meta_graph=False)
            one.train.Saver(write_version=saver_pb2.SaverDef.V1).save(session, str(folder / "one"), write_meta_graph=False)


def module(folder: Path) -> None:
    class Held(tf.Module):
        def __init__(self):
            super().__init__(name="m")
            self.w = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="w")
            self.parts = [tf.Variable(5, dtype=tf.int64, name="n"), tf.Variable([True, False], name="b")]
            self.d = {"a/b": tf.Variable(1.5, dtype=tf.float64, name="x.y")}
            self.c = tf.Variable([1 + 2j], dtype=tf.complex128, name="c")
            self.short = tf.Variable([1.5, -2], dtype=tf.bfloat16, name="short")
            self.text = tf.Variable(["one", "zwei"], name="text")

    tf.train.Checkpoint(m=Held()).save(str(folder / "ckpt"))


def iterator(folder: Path) -> None:
    elements = iter(tf.data.Dataset.range(5))
    next(elements)
    tf.train.Checkpoint(v=tf.Variable([1.5, -2.0]), step=tf.Variable(7), iterator=elements).write(str(folder / "ckpt"))


globals()[sys.argv[1][:5] if sys.argv[1].startswith("keras") else sys.argv[1]](HERE / sys.argv[1])
