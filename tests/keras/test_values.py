"""Against numbers that Keras 3.15 printed: see record.py beside this file."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "keras-3.15.json").read_text())


def recorder():
    spec = importlib.util.spec_from_file_location("keras_record", HERE / "record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare(ours: dict, theirs: dict, absolute: float) -> list[str]:
    wrong = [f"{key}: {ours.keys() ^ theirs.keys()}" for key in ["names"] if ours.keys() != theirs.keys()]
    for key in theirs.keys() & ours.keys():
        if isinstance(theirs[key], str):
            same = ours[key] == theirs[key]
        else:
            a, b = np.asarray(ours[key], dtype=float), np.asarray(theirs[key], dtype=float)
            same = a.shape == b.shape and np.allclose(a, b, rtol=3e-6, atol=absolute, equal_nan=True)
        if not same:
            wrong.append(f"{key}: {np.asarray(ours[key]).tolist()} and not {theirs[key]}")
    return wrong


@pytest.mark.parametrize("part", ["layers", "functions", "metrics"])
def test_numbers_are_those_of_keras(part: str):
    assert compare(getattr(recorder(), part)(tf.keras), RECORDED[part], 1e-6) == []


def test_optimizers_and_schedules_are_those_of_keras():
    """5e-6: Keras's Nadam subtracts its betas from one in float32, where we do it in double precision."""
    assert compare(recorder().optimizers(tf.keras), RECORDED["optimizers"], 5e-6) == []


def test_training_is_that_of_keras(sgd):
    """Losses, weights, moving averages, validation and metrics, over two epochs of three batches."""
    assert compare(recorder().training(tf.keras, sgd(0.1)), RECORDED["training"], 3e-6) == []
