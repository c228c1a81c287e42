"""`wengert run --checkpoint`: a search of SciPy's that is broken off goes on as if it had not been."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wengert.ground.searches import Search

SLOW = pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE", "dev") == "dev", reason="many runs: in the profile ci")

SCRIPT = """
import sys
import numpy as np
import tensorflow as tf

kind, until = sys.argv[1], int(sys.argv[2])
method, steps = kind.split(",")
tf.set_random_seed(1)
x = np.random.RandomState(int(sys.argv[3])).rand(50, 2)
hidden = tf.layers.dense(tf.constant(x), 8, tf.tanh, name="a")
loss = tf.reduce_mean(tf.square(tf.layers.dense(hidden, 1, name="b") - np.sin(3.0 * x.sum(1, keepdims=True))))
asked, count = 0, 0

def evaluated(_):
    global asked
    asked += 1

def stepped(_):
    global count
    count += 1
    if count == until:
        raise SystemExit(3)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(2):
        search = tf.contrib.opt.ScipyOptimizerInterface(loss, method=method, options={"maxiter": int(steps)})
        search.minimize(session, fetches=[loss], loss_callback=evaluated, step_callback=stepped)
    weights = np.concatenate([np.ravel(w) for w in session.run(tf.trainable_variables())])
    print(asked, weights.tobytes().hex())
"""


def ran(folder: Path, kind: str, until: int, *options: str, seed: int = 0) -> tuple[int, int, bytes]:
    command = [sys.executable, "-m", "wengert", "run", *options, "script.py", kind, str(until), str(seed)]
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=os.environ | {"WENGERT_EXECUTOR": "numpy"}, timeout=100
    )
    assert done.returncode in (0, 3), done.stderr
    asked, weights = done.stdout.split() if done.stdout else ("0", "")
    return done.returncode, int(asked), bytes.fromhex(weights)


@pytest.mark.parametrize("kind", ["L-BFGS-B,12", pytest.param("BFGS,12", marks=SLOW)])
def test_a_search_goes_on_as_it_was(tmp_path: Path, kind: str):
    kept = ("--checkpoint", "kept", "--checkpoint-every", "0")
    status, every, unbroken = ran(tmp_path, kind, 0)
    assert status == 0 and every > 24
    assert ran(tmp_path, kind, 7, *kept)[0] == 3  # in the first search
    assert ran(tmp_path, kind, 20, *kept)[0] == 3  # in the second
    status, asked, weights = ran(tmp_path, kind, 0, *kept)
    assert status == 0 and weights == unbroken
    assert asked <= 12  # what was answered before is not computed again
    status, asked, weights = ran(tmp_path, kind, 0, *kept)  # a run that came to its end trains further
    assert status == 0 and asked > 20 and weights != unbroken


def test_a_search_of_other_data_starts_from_where_it_was(tmp_path: Path):
    kept = ("--checkpoint", "kept")
    assert ran(tmp_path, "L-BFGS-B,12", 7, *kept)[0] == 3
    status, asked, _ = ran(tmp_path, "L-BFGS-B,12", 0, *kept, seed=1)
    assert status == 0 and asked > 24


def quadratic(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(x @ x), 2.0 * x


def test_what_is_kept_of_a_search():
    search = Search({})
    start = np.array([1.0, 2.0])
    assert np.array_equal(search.start(start, quadratic), start) and search.arrays() == {}
    points = [start, start / 2.0, start / 3.0]
    for x in points:
        search.answer(x, quadratic)
    again = Search(search.arrays())
    assert np.array_equal(again.start(points[-1], quadratic), start)

    def never(x: np.ndarray) -> tuple[float, np.ndarray]:
        raise AssertionError(x)

    for x in points[:2]:
        value, gradient = again.answer(x, never)
        assert value == x @ x and np.array_equal(gradient, 2.0 * x)
    other = np.array([5.0, 6.0])  # it goes another way: the rest is forgotten
    assert again.answer(other, quadratic)[0] == 61.0
    assert len(again.arrays()["losses"]) == 3 and np.array_equal(again.arrays()["last"], other)
    again.end()
    assert Search(again.arrays()).finished


def test_a_search_whose_loss_is_another_one_starts_anew():
    search = Search({})
    search.start(np.ones(2), quadratic)
    search.answer(np.ones(2), quadratic)
    again = Search(search.arrays())
    now = np.full(2, 3.0)
    assert again.start(now, lambda x: (0.5, x)) is now
    assert again.answer(np.ones(2), lambda x: (0.5, x))[0] == 0.5
