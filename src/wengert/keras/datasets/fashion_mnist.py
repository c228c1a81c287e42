"""``keras.datasets.fashion_mnist``: pictures of clothes."""

from __future__ import annotations

import os

from wengert.keras.datasets.reading import ADDRESS, Pair, numbers
from wengert.keras.fetching import get_file

__all__ = ["load_data"]


def load_data() -> Pair:
    """Return 60,000 pictures of 28 by 28 pixels (uint8) and which of ten pieces of clothing they show, and 10,000 others."""
    found = []
    for part in ("train", "t10k"):
        names = [f"{part}-labels-idx1-ubyte.gz", f"{part}-images-idx3-ubyte.gz"]
        folder = os.path.join("datasets", "fashion-mnist")
        labels, images = (get_file(name, origin=ADDRESS + name, cache_subdir=folder) for name in names)
        y = numbers(labels, 8)
        found.append((numbers(images, 16).reshape(len(y), 28, 28), y))
    return found[0], found[1]
