"""How long until a program starts: the import, and the first run of the static graph of tanh(X w) with six derivatives."""

import argparse
import sys

from machine import describe, run, table

CODE = """
import time
t0 = time.perf_counter()
import LIBRARY as tf
t1 = time.perf_counter()
with tf.Graph().as_default():
    x = tf.ones([4, 1]); t = tf.ones([4, 1])
    X = tf.concat([x, t], 1)
    y = tf.tanh(tf.matmul(X, tf.constant([[2.0], [1.0]])))
    g1 = tf.gradients(y, x); g2 = tf.gradients(y, t); both = tf.gradients(y, [x, t])
    gg1 = tf.gradients(g1, x); ggg1 = tf.gradients(gg1, x); gggg1 = tf.gradients(ggg1, x); g1t = tf.gradients(g1, t)
    with tf.compat.v1.Session() as sess:
        sess.run([g1, g2, both, gg1, ggg1, gggg1, g1t])
print(t1 - t0, time.perf_counter() - t0)
"""
IMPORT = "import time; t0 = time.perf_counter(); import LIBRARY; t = time.perf_counter() - t0; print(t, t)"


def main() -> None:
    """Take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", help="interpreter of an environment with PyTorch")
    parser.add_argument("--tensorflow", help="interpreter of an environment with TensorFlow")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    contenders = {
        "Wengert": (sys.executable, CODE.replace("LIBRARY", "wengert")),
        "NumPy": (sys.executable, IMPORT.replace("LIBRARY", "numpy")),
    }
    if given.torch:
        contenders["PyTorch"] = (given.torch, IMPORT.replace("LIBRARY", "torch"))
    if given.tensorflow:
        contenders["TensorFlow"] = (given.tensorflow, CODE.replace("LIBRARY", "tensorflow"))
    rows: dict[str, list[list[float]]] = {name: [] for name in contenders}
    for _ in range(given.rounds):
        for name, (interpreter, code) in contenders.items():
            rows[name].append(run(interpreter, code))
    print(describe())
    print("(NumPy and PyTorch: the import alone, in both columns)")
    table(rows, ["import", "with first run"], "s")


if __name__ == "__main__":
    main()
