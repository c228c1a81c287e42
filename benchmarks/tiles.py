"""Training steps of physics-informed networks on NumPy: whole lists, and lists run tile by tile.

    .venv/bin/python benchmarks/tiles.py [--torch PYTHON] [--works burgers/A/float32,...] [--sizes 128,256,512] [--rounds 5]

A step is the mean square of the residual and its gradient by all weights and biases. First stands the limit: the time that the
products of matrices take at the rate that NumPy reaches on one core for a tile, and that the elementwise steps take at the rate
of a product in the cache. Contenders take turns; figures are medians over the rounds of the least of some runs.
"""

import argparse
import itertools
import math
import os
import statistics
import time
import warnings

import numpy as np
from machine import describe, run

import wengert as tf
from wengert.execute.numpy import NumPyProgram
from wengert.execute.tiles.run import cut
from wengert.ground.blas import blas
from wengert.ground.context import state
from wengert.ground.options import options

v1 = tf.compat.v1
NETWORKS = {"A": ((2, 64, 64, 64, 64, 1), 4096), "B": ((2, *[20] * 8, 1), 10_000)}
EQUATIONS = ("burgers", "kdv", "fourth")
RUNS = 5

TORCH = """
import sys, time, torch
threads, equation, dtype, n, *sizes = sys.argv[1].split()
torch.set_num_threads(int(threads))
dtype, n, sizes = getattr(torch, dtype), int(n), [int(s) for s in sizes]
weights = []
for a, b in zip(sizes, sizes[1:]):
    weights += [(torch.randn(a, b, dtype=dtype) * (2 / (a + b)) ** 0.5).requires_grad_()]
    weights += [(torch.randn(b, dtype=dtype) * 0.1).requires_grad_()]
x, t = (torch.randn(n, 1, dtype=dtype).requires_grad_() for _ in range(2))
D = lambda u, x: torch.autograd.grad(u.sum(), x, create_graph=True)[0]
def step():
    h = torch.cat([x, t], 1)
    for k in range(0, len(weights) - 2, 2):
        h = torch.tanh(h @ weights[k] + weights[k + 1])
    u = h @ weights[-2] + weights[-1]
    if equation == "fourth":
        f = D(D(D(D(u, x), x), x), x)
    else:
        u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
        f = u_t + u * u_x - 0.01 * D(u_x, x) if equation == "burgers" else u_t + 6.0 * u * u_x + D(D(u_x, x), x)
    return torch.autograd.grad((f * f).mean(), weights, allow_unused=True)
step()
found = []
for _ in range(5):
    begin = time.perf_counter()
    step()
    found.append(time.perf_counter() - begin)
print(1e3 * min(found))
"""


def build(equation, sizes, n, dtype):
    """Return a program for the step, its session, and the feeds' arrays."""
    rng = np.random.default_rng(0)
    with tf.Graph().as_default() as graph:
        weights = []
        for a, b in itertools.pairwise(sizes):
            weights.append(tf.Variable(rng.normal(size=(a, b)) * math.sqrt(2 / (a + b)), dtype=dtype))
            weights.append(tf.Variable(rng.normal(size=(b,)) * 0.1, dtype=dtype))
        x, t = v1.placeholder(dtype, [None, 1]), v1.placeholder(dtype, [None, 1])
        h = tf.concat([x, t], 1)
        for k in range(0, len(weights) - 2, 2):
            h = tf.tanh(tf.matmul(h, weights[k]) + weights[k + 1])
        u = tf.matmul(h, weights[-2]) + weights[-1]
        u_x, u_t = tf.gradients(u, [x, t])
        (u_xx,) = tf.gradients(u_x, x)
        (u_xxx,) = tf.gradients(u_xx, x)
        if equation == "burgers":
            f = u_t + u * u_x - 0.01 * u_xx
        else:
            f = u_t + 6.0 * u * u_x + u_xxx if equation == "kdv" else tf.gradients(u_xxx, x)[0]
        loss = tf.reduce_mean(tf.square(f))
        gradients = [g for g in tf.gradients(loss, weights) if g is not None]
        session = v1.Session(graph=graph)
        session.run(v1.global_variables_initializer())
        arrays = [rng.normal(size=(n, 1)).astype(dtype.as_numpy_dtype) for _ in range(2)]
        return NumPyProgram(graph, [loss, *gradients], [x, t]), session, arrays


def least(call, runs=RUNS):
    """Return the least time of some runs in milliseconds."""
    found = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return 1e3 * min(found)


def rates(width, nptype, rows):
    """Return NumPy's rates on one core for tiles: flops of a product of matrices, bytes of a product of elements."""
    y, w = np.random.rand(rows, width).astype(nptype), np.random.rand(width, width).astype(nptype)
    out = np.empty_like(y)

    def measured(call):
        return min(least(lambda: [call() for _ in range(200)], 3) / 200e3 for _ in range(5))

    with blas.alone():
        dot = measured(lambda: np.dot(y, w, out))
    product = measured(lambda: np.multiply(y, y, out))
    return 2 * rows * width * width / dot, 3 * y.nbytes / product


def work_of(tiling):
    """Return the flops of the products of matrices in the passes, and the bytes that elementwise steps read and write."""
    flops = moved = 0
    for pass_ in tiling.passes:
        for item in pass_.items:
            specs = [tiling.specs[s] for s in item.step.inputs]
            out = tiling.specs[item.step.output]
            if item.step.node.op.name == "matmul":
                flops += 2 * math.prod(specs[0].sizes) * specs[1].sizes[0 if item.step.node.attrs.get("tb") else 1]
            elif item.role == "row":
                moved += sum(math.prod(s.sizes) * s.nptype.itemsize for s in (*specs, out))
    return flops, moved


def measure(name, rounds, sizes_of_tiles, torch):
    """Print one line of the table."""
    equation, network, dtype = name.split("/")
    sizes, n = NETWORKS[network]
    program, session, arrays = build(equation, sizes, n, getattr(tf, dtype))
    cores = os.cpu_count() or 1
    state.session = session

    def runner(on, threads, tiling):
        def call():
            with options.set(tiles=on, threads=threads):
                if tiling is not None:
                    program.tilings[key] = tiling
                program(*arrays)

        call()
        return call

    runner(True, 1, None)()
    (key,) = program.variants
    chosen = program.tilings[key]
    variant = program.variants[key]
    contenders = {"whole": runner(False, 1, None), "1 thread": runner(True, 1, chosen)}
    if cores > 1:
        contenders[f"{cores} threads"] = runner(True, cores, chosen)
    for m in sizes_of_tiles:
        tiling = cut(variant.plan, variant.feeds, m)
        contenders[f"{m} rows, 1"] = runner(True, 1, tiling)
        if cores > 1:
            contenders[f"{m} rows, {cores}"] = runner(True, cores, tiling)
    found = {label: [] for label in contenders}
    for threads in (1, cores) if torch else ():
        found[f"torch, {threads}"] = []
    for _ in range(rounds):
        for label, call in contenders.items():
            call()
            found[label].append(least(call))
        if torch:
            for threads in (1, cores):
                argument = f"{threads} {equation} {dtype} {n} {' '.join(map(str, sizes))}"
                found[f"torch, {threads}"] += run(torch, TORCH, argument)
    state.session = None
    flops, moved = work_of(chosen)
    rows = chosen.passes[0].rows
    flop_rate, byte_rate = rates(sizes[1], np.dtype(dtype), rows)
    limit = 1e3 * (flops / flop_rate + moved / byte_rate)
    times = {label: statistics.median(several) for label, several in found.items()}
    print(f"{name}: {len(chosen.items)} steps, {len(chosen.passes)} passes, {chosen.passes[0].tiles} tiles of {rows} rows, "
          f"{len(chosen.passes[0].buffers)} buffers of {sum(chosen.passes[0].buffers) / 2**20:.1f} MiB in all")  # fmt: skip
    print(f"  limit on one core {limit:7.1f} ms: {flops / 1e9:.2f} Gflop at {flop_rate / 1e9:.0f} Gflop/s, "
          f"{moved / 1e9:.2f} GB at {byte_rate / 1e9:.0f} GB/s; reached {limit / times['1 thread']:.0%}")  # fmt: skip
    for label, value in times.items():
        print(f"  {label:>20} {value:9.1f} ms   {times['whole'] / value:6.2f} times as fast as whole")


def main():
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    every = [f"{e}/{n}/{d}" for n in NETWORKS for d in ("float32", "float64") for e in EQUATIONS]
    parser.add_argument("--torch", help="an interpreter with PyTorch")
    parser.add_argument("--works", default=",".join(every))
    parser.add_argument("--sizes", default="", help="numbers of rows to try beside the one that is chosen")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(describe())
    warnings.simplefilter("ignore")
    for name in given.works.split(","):
        measure(name, given.rounds, [int(m) for m in given.sizes.split(",") if m], given.torch)


if __name__ == "__main__":
    main()
