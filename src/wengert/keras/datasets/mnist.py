"""``keras.datasets.mnist``: handwritten digits."""

from __future__ import annotations

from wengert.keras.datasets.reading import ADDRESS, Pair, arrays

__all__ = ["load_data"]


def load_data(path: str = "mnist.npz") -> Pair:
    """Return 60,000 digits of 28 by 28 pixels (uint8) and what they are, and 10,000 others."""
    held = arrays(path, ADDRESS + "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1")
    return (held["x_train"], held["y_train"]), (held["x_test"], held["y_test"])
