"""Tensors: their operators, what becomes one, and the door through which operations are applied."""
