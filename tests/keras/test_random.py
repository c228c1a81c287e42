"""``keras.random``: a generator of seeds is a variable, with one meaning in each mode; a whole seed gives the same numbers."""

from pathlib import Path

import numpy as np
import pytest
import scipy.stats

import wengert as tf
from wengert import keras

R = keras.random
DRAWS = {
    "uniform": lambda seed: R.uniform((4,), seed=seed),
    "normal": lambda seed: R.normal((4,), seed=seed),
    "truncated_normal": lambda seed: R.truncated_normal((4,), seed=seed),
    "randint": lambda seed: R.randint((8,), 0, 1000, seed=seed),
    "shuffle": lambda seed: R.shuffle(np.arange(50), seed=seed),
    "categorical": lambda seed: R.categorical(np.zeros((1, 1000), np.float32), 8, seed=seed),
    "dropout": lambda seed: R.dropout(np.ones(50, np.float32), 0.5, seed=seed),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_generator_of_seeds_goes_on_in_each_mode(draw):
    one, two = R.SeedGenerator(3), R.SeedGenerator(3)
    traced = tf.function(lambda: draw(two))
    wanted = [draw(one).numpy().tolist() for _ in range(4)]
    assert len({str(w) for w in wanted}) == 4
    assert [f().numpy().tolist() for f in (traced, traced, lambda: draw(two), traced)] == wanted
    two.state.assign([3, 0])
    assert traced().numpy().tolist() == wanted[0]
    assert draw(7).numpy().tolist() == draw(7).numpy().tolist()


def test_what_is_drawn():
    seed = R.SeedGenerator(1)
    assert sorted(R.shuffle(np.arange(50), seed=seed).numpy()) == list(range(50))
    kept = R.dropout(np.ones(20000, np.float32), 0.25, seed=seed).numpy()
    assert set(kept.tolist()) == {0.0, float(np.float32(1.0) / np.float32(0.75))}
    assert scipy.stats.binomtest(int((kept == 0.0).sum()), 20000, 0.25).pvalue > 1e-3
    rows = R.dropout(np.ones((4, 5), np.float32), 0.5, noise_shape=(4, 1), seed=seed).numpy()
    assert (rows == rows[:, :1]).all()
    drawn = R.categorical(np.log([[0.2, 0.8]]), 20000, seed=seed).numpy()
    assert drawn.shape == (1, 20000)
    assert scipy.stats.binomtest(int(drawn.sum()), 20000, 0.8).pvalue > 1e-3


def test_a_checkpoint_restores_it(tmp_path: Path):
    one, two = R.SeedGenerator(3), R.SeedGenerator(4)
    R.normal((2,), seed=one)
    path = tf.train.Checkpoint(seeds=one).write(str(tmp_path / "c"))
    tf.train.Checkpoint(seeds=two).restore(path).assert_consumed()
    assert R.normal((2,), seed=two).numpy().tolist() == R.normal((2,), seed=one).numpy().tolist()
