"""``keras.preprocessing``."""

from wengert.keras import sequences as sequence

__all__ = ["sequence"]
