"""``keras.datasets.boston_housing``: prices of houses; one of the columns counts people by their skin, and is of no use."""

from __future__ import annotations

from wengert.keras.datasets.reading import ADDRESS, Pair, arrays, divided

__all__ = ["load_data"]


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Pair:
    """Return 13 numbers of each of 506 places and the price of its houses, a share of them apart."""
    held = arrays(path, ADDRESS + "boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5")
    return divided(held["x"], held["y"], test_split, seed)
