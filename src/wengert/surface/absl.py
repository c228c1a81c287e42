"""The package absl, as far as scripts on TensorFlow use it: `app`, `flags` and `logging`, which TensorFlow 1 has too."""

from __future__ import annotations

from wengert.surface.v1 import app, flags, logging

__all__ = ["app", "flags", "logging"]
