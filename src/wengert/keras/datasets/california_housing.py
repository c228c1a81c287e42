"""``keras.datasets.california_housing``: prices of houses."""

from __future__ import annotations

from wengert.keras.datasets.reading import ADDRESS, Pair, arrays, divided

__all__ = ["load_data"]


def load_data(version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113) -> Pair:
    """Return 8 numbers of each of 20,640 places (version "small": 600) and the price of its houses, a share of them apart.

    Raises:
        ValueError: for another version.
    """
    if version not in ("large", "small"):
        raise ValueError(f"The version is 'large' or 'small', not {version!r}.")
    kept = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
    held = arrays(path, ADDRESS + "california_housing.npz", kept)
    x, y = held["x"], held["y"]
    if version == "small":
        x, y = x[:600], y[:600]
    return divided(x, y, test_split, seed)
