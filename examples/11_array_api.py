"""Code for arrays of any kind: the array API standard, NumPy's functions under a tape, and memory that is shared.

A library writes against the standard, and knows nothing of tensors; a tape sees through it, to any order.
"""

import numpy as np

import wengert as wg
from wengert import array_api as xp


def rosenbrock(x):
    """As a library writes it: the functions are those of whatever x is."""
    xp = x.__array_namespace__()
    return xp.sum(100.0 * xp.square(x[1:] - xp.square(x[:-1])) + xp.square(1.0 - x[:-1]))


x = xp.asarray([1.2, 0.9, 1.1])
print("Newton's steps on Rosenbrock's function:", end="")
for _ in range(9):
    x = x - xp.linalg.solve(wg.hessian(rosenbrock, x), wg.jacobian(rosenbrock, x))
    print(f" {float(rosenbrock(x)):.1e}", end="")
print()
assert float(rosenbrock(x)) < 1e-20


# NumPy's functions of what a tape watches are recorded.

with wg.GradientTape() as tape:
    tape.watch(x)
    y = np.mean(np.sin(np.concatenate([x, 2.0 * x])))
found = tape.gradient(y, x)
print("By NumPy's functions:", np.round(found, 4).tolist())
assert np.allclose(found, (np.cos(x) + 2.0 * np.cos(2.0 * np.asarray(x))) / 6.0)


# Memory is shared with arrays of other libraries.

a = np.arange(3.0)
t = xp.from_dlpack(a)
print("Shared:", np.shares_memory(np.from_dlpack(t), a))
