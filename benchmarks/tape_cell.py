"""The eager partial-derivative cell: two nested tapes over tanh(X w), 2×2, sliced and differentiated again; and order 4."""

import argparse
import sys

from machine import describe, run, table

TIME = """
import timeit
def best(f, number):
    f()
    return min(timeit.repeat(f, number=number, repeat=5)) / number * 1e6
print(best(cell, NUMBER), best(order4, NUMBER))
"""
TAPES = """
x = tf.constant([[4.0], [1.0]]); t = x * 2.0; X = tf.concat([x, t], 1)
def fun(X):
    return tf.tanh(tf.matmul(X, tf.constant([[2.0], [1.0]])))
def cell():
    with tf.GradientTape() as tape1:
        tape1.watch(X)
        with tf.GradientTape() as tape2:
            tape2.watch(X)
            y = fun(X)
            g1 = tape2.gradient(y, X)
        g1_t = g1[:, 1:2]
        return tape1.gradient(g1_t, X)
def nested(k):
    if k == 0:
        return fun(X)
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = nested(k - 1)
    return tape.gradient(y, X)
def order4():
    return nested(4)
"""
TORCH = """
import torch
torch.set_num_threads(1)
x = torch.tensor([[4.0], [1.0]]); t = x * 2.0; X0 = torch.cat([x, t], 1)
def fun(X):
    return torch.tanh(torch.matmul(X, torch.tensor([[2.0], [1.0]])))
def cell():
    X = X0.clone().requires_grad_(True)
    g1 = torch.autograd.grad(fun(X).sum(), X, create_graph=True)[0]
    return torch.autograd.grad(g1[:, 1:2].sum(), X)[0]
def order4():
    X = X0.clone().requires_grad_(True)
    y = fun(X)
    for k in range(4):
        y = torch.autograd.grad(y.sum(), X, create_graph=k < 3)[0]
    return y
"""


def main() -> None:
    """Take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", help="interpreter of an environment with PyTorch")
    parser.add_argument("--tensorflow", help="interpreter of an environment with TensorFlow")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    contenders = {"Wengert": (sys.executable, "import wengert as tf" + TAPES, 1000)}
    if given.torch:
        contenders["PyTorch"] = (given.torch, TORCH, 500)
    if given.tensorflow:
        contenders["TensorFlow"] = (given.tensorflow, "import tensorflow as tf" + TAPES, 50)
    rows: dict[str, list[list[float]]] = {name: [] for name in contenders}
    for _ in range(given.rounds):
        for name, (interpreter, code, number) in contenders.items():
            rows[name].append(run(interpreter, code + TIME.replace("NUMBER", str(number))))
    print(describe())
    table(rows, ["partial derivative", "order 4"], "µs")


if __name__ == "__main__":
    main()
