"""TensorFlow's test case."""

from __future__ import annotations

from wengert.surface.testing.arrays import Arrays
from wengert.surface.testing.containers import Containers
from wengert.surface.testing.errors import Errors


class TestCase(Arrays, Errors, Containers):
    """A test case whose assertions take tensors, arrays, numbers and structures of them.

    A test method that builds a graph evaluates by ``self.evaluate`` or in ``self.session()``.
    """
