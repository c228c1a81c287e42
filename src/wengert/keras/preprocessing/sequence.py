"""``keras.preprocessing.sequence``: sequences of different lengths as one array."""

from wengert.keras.sequences import pad_sequences

__all__ = ["pad_sequences"]
