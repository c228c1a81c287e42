"""The functions of TensorFlow's ``tf.test``: files, what this machine has, running tests and leaving them out."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from collections.abc import Callable
from typing import Any
from unittest import mock as mock  # public, as tf.test.mock

_folders: list[tempfile.TemporaryDirectory[str]] = []


def get_temp_dir() -> str:
    """Return a folder for the files of this process's tests, which is removed at its end."""
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="wengert-test-"))
    return _folders[0].name


def test_src_dir_path(relative_path: str) -> str:
    """Return a path below the folder of the script that runs."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[0] or ".")), relative_path)


def main(argv: Any = None) -> None:
    """Run the tests of the script that runs."""
    unittest.main(argv=argv)


def gpu_device_name() -> str:
    """Return the empty string: there is no GPU."""
    return ""


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Return False."""
    return False


def is_built_with_cuda() -> bool:
    """Return False."""
    return False


is_built_with_rocm = is_built_with_gpu_support = is_built_with_cuda


def is_built_with_xla() -> bool:
    """Return True: XLA comes with JAX, where that is installed."""
    return True


def benchmark_config() -> None:
    """Return None: no settings are needed."""
    return None


def create_local_cluster(*arguments: Any, **keywords: Any) -> Any:
    """Refuse: there are no servers."""
    raise NotImplementedError("test.create_local_cluster: there are no servers here.")


def assert_equal_graph_def(expected: Any, actual: Any) -> None:
    """Refuse: graphs are not written as protocol buffers."""
    raise NotImplementedError("test.assert_equal_graph_def: graphs are not written as protocol buffers here.")


def with_eager_op_as_function(cls: Any = None, only_as_function: bool = False) -> Any:
    """Return the class: there is one way of running eagerly."""
    return cls if cls is not None else lambda c: c


def disable_with_predicate(pred: Callable[[], bool], skip_message: str) -> Callable[[Any], Any]:
    """Return a decorator that skips a test where the predicate holds."""
    return lambda f: unittest.skip(skip_message)(f) if pred() else f


class experimental:
    """TensorFlow's ``tf.test.experimental``."""

    @staticmethod
    def sync_devices() -> None:
        """Do nothing: each operation is done when its call returns."""
