"""SciPy's functions that follow the array API standard: values and derivatives of tensors, against formulas in NumPy.

SciPy looks at its setting when it is imported, so that the functions run in a process of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

X = np.array([0.3, 0.8, 0.5, 0.9])


def central(x, k):
    return np.mean((x - np.mean(x)) ** k)


def variance(x):
    return np.sum((x - np.mean(x)) ** 2) / (len(x) - 1)


FORMULAS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "softmax": ("scipy.special.softmax(x)[0]", lambda x: np.exp(x[0]) / np.sum(np.exp(x))),
    "xlogy": ("scipy.special.xlogy(x, x)", lambda x: np.sum(x * np.log(x))),
    "gmean": ("scipy.stats.gmean(x)", lambda x: np.exp(np.mean(np.log(x)))),
    "hmean": ("scipy.stats.hmean(x)", lambda x: len(x) / np.sum(1.0 / x)),
    "pmean": ("scipy.stats.pmean(x, 3)", lambda x: np.mean(x**3) ** (1.0 / 3.0)),
    "skew": ("scipy.stats.skew(x)", lambda x: central(x, 3) / central(x, 2) ** 1.5),
    "kurtosis": ("scipy.stats.kurtosis(x)", lambda x: central(x, 4) / central(x, 2) ** 2 - 3.0),
    "moment": ("scipy.stats.moment(x, 3)", lambda x: central(x, 3)),
    "sem": ("scipy.stats.sem(x)", lambda x: np.sqrt(variance(x) / len(x))),
    "describe": ("scipy.stats.describe(x).variance", variance),
    "kstat": ("scipy.stats.kstat(x, 2)", variance),
    "ttest": ("scipy.stats.ttest_1samp(x, 0.1).statistic", lambda x: (np.mean(x) - 0.1) / np.sqrt(variance(x) / len(x))),
    "fftconvolve": ("scipy.signal.fftconvolve(x, x) ** 2", lambda x: np.sum(np.convolve(x, x) ** 2)),
    "trapezoid": ("scipy.integrate.trapezoid(x**2)", lambda x: np.sum((x[1:] ** 2 + x[:-1] ** 2) / 2.0)),
    "cumulative_trapezoid": (
        "scipy.integrate.cumulative_trapezoid(x**2)", lambda x: np.sum(np.cumsum((x[1:] ** 2 + x[:-1] ** 2) / 2.0))
    ),
    "rfft": ("abs(scipy.fft.rfft(x)) ** 2", lambda x: np.sum(x) ** 2 + (x[0] - x[2]) ** 2 + (x[1] - x[3]) ** 2
             + (x[0] - x[1] + x[2] - x[3]) ** 2),
    "rosen": ("scipy.optimize.rosen(x)", lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)),
}  # fmt: skip
REFUSED = {
    "erf": "scipy.special.erf(x)", "dct": "scipy.fft.dct(x)", "logsumexp": "scipy.special.logsumexp(x)",
    "zscore": "scipy.stats.zscore(x)", "detrend": "scipy.signal.detrend(x)",
}  # fmt: skip
"""What leaves for NumPy, or writes into parts of an array: an error or a warning, and never a number that is wrong."""

PROGRAM = """
import json, sys, warnings
import scipy.fft, scipy.integrate, scipy.optimize, scipy.signal, scipy.special, scipy.stats
import wengert as tf
found = {}
for name, code in json.loads(sys.argv[1]).items():
    x = tf.constant(%r, tf.float64)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.reduce_sum(eval(code))
            g = tape.gradient(y, x)
        lost = any("Gradient" in w.category.__name__ or "Derivative" in w.category.__name__ for w in said)
        found[name] = [float(y), None if g is None else g.numpy().tolist(), lost]
    except TypeError as error:
        found[name] = str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found():
    pytest.importorskip("scipy")
    asked = {name: code for name, (code, _) in FORMULAS.items()} | REFUSED
    program = PROGRAM % X.tolist()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, json.dumps(asked)], env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_derivatives_are_those_of_the_formula(found, name):
    formula = FORMULAS[name][1]
    value, gradient, _ = found[name]
    np.testing.assert_allclose(value, formula(X), rtol=1e-12, atol=1e-14)
    # The derivative by a complex step is exact but for rounding: the formulas are analytic.
    step = 1e-30
    wanted = [formula(X + 1j * step * np.eye(len(X))[k]).imag / step for k in range(len(X))]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_says_so(found, name):
    answer = found[name]
    assert isinstance(answer, str) or (answer[1] is None and answer[2])
