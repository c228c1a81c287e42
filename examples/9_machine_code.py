"""Machine code: what works on many rows is compiled behind the first runs, and nothing has to be said for it.

A network's fourth derivative at 4096 points, and a training step of the heat equation. The first two runs are NumPy's, the
third moves over. `wengert explain examples/9_machine_code.py` says who ran what; `tf.config.set_executor("numpy")` stays with
NumPy, and `set_executor("native", after=0)` compiles before the first run.
"""

import time

import numpy as np

import wengert as tf

v1 = tf.compat.v1
v1.disable_eager_execution()
rng = np.random.default_rng(0)

sizes = [2, 64, 64, 64, 64, 1]
weights = [tf.Variable(rng.normal(size=s) / np.sqrt(s[0]), dtype=tf.float32) for s in zip(sizes, sizes[1:], strict=False)]
x, t = (v1.placeholder(tf.float32, [None, 1]) for _ in range(2))
u = tf.concat([x, t], 1)
for w in weights[:-1]:
    u = tf.tanh(tf.matmul(u, w))
u = tf.matmul(u, weights[-1])


def D(y, *xs):
    for x in xs:
        y = tf.gradients(y, x)[0]
    return y


u_xxxx = D(u, x, x, x, x)
loss = tf.reduce_mean(tf.square(D(u, t) - D(u, x, x)))
step = [loss, *tf.gradients(loss, weights)]
points = {p: rng.uniform(-1.0, 1.0, (4096, 1)).astype(np.float32) for p in (x, t)}

with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    for name, fetches in (("u_xxxx", [u_xxxx]), ("step", step)):
        times, found = [], []
        for _ in range(6):
            start = time.perf_counter()
            found.append(session.run(fetches, points))
            times.append(time.perf_counter() - start)
        scale = max(float(np.abs(a).max()) for a in found[0])
        apart = max(float(np.abs(a - b).max()) for a, b in zip(found[0], found[-1], strict=True))
        before, after = 1e3 * times[1], 1e3 * min(times[3:])
        print(f"{name:7} NumPy {before:5.1f} ms, then {after:5.1f} ms; the same to 4 digits: {apart < 1e-4 * scale}")
