"""Files of data sets as arrays."""

from __future__ import annotations

import gzip
import os

import numpy as np

from wengert.ground.types import NumPyArray
from wengert.keras.fetching import get_file

__all__ = ["ADDRESS", "Pair", "arrays", "divided", "numbers"]

ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where Keras fetches its data sets."""
Pair = tuple[tuple[NumPyArray, NumPyArray], tuple[NumPyArray, NumPyArray]]
"""What a model is trained with, and what it is tried with: inputs and answers each."""


def arrays(path: str, origin: str, file_hash: str) -> dict[str, NumPyArray]:
    """Return the arrays of a file of NumPy's; ``path``: where it is, or its name below Keras's folder."""
    found = path if os.path.isabs(path) else get_file(path, origin=origin, file_hash=file_hash)
    with np.load(found, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def divided(x: NumPyArray, y: NumPyArray, test_split: float, seed: int) -> Pair:
    """Return rows in another order, a share of them apart."""
    if not 0 <= test_split < 1:
        raise ValueError(f"The test_split lies in [0, 1), and is {test_split}.")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    kept = int(len(x) * (1 - test_split))
    return (x[:kept], y[:kept]), (x[kept:], y[kept:])


def numbers(path: str, offset: int) -> NumPyArray:
    """Return the bytes of a packed file after its head."""
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)
