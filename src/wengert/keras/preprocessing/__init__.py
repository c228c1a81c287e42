"""``keras.preprocessing``: rows of one length from rows of several, and images as arrays."""

from wengert.keras.preprocessing import image as image
from wengert.keras.preprocessing import sequence as sequence

__all__ = ["image", "sequence"]
