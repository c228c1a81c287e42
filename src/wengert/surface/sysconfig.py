"""TensorFlow's ``tf.sysconfig``: there is nothing to compile against, and no CUDA in this build."""

from __future__ import annotations

import os
from typing import Any

from wengert.ground.context import ROOT

__all__ = ["CXX11_ABI_FLAG", "MONOLITHIC_BUILD", "get_build_info", "get_compile_flags", "get_include", "get_lib",
           "get_link_flags"]  # fmt: skip

CXX11_ABI_FLAG = 1
MONOLITHIC_BUILD = 0


def get_build_info() -> dict[str, Any]:
    """Return what the build is for: the CPU."""
    return {"is_cuda_build": False, "is_rocm_build": False, "is_tensorrt_build": False, "cpu_compiler": "none"}


def get_include() -> str:
    """Return the package's folder: there are no headers."""
    return ROOT.rstrip(os.sep)


def get_lib() -> str:
    """Return the package's folder."""
    return ROOT.rstrip(os.sep)


def get_compile_flags() -> list[str]:
    """Return none."""
    return []


def get_link_flags() -> list[str]:
    """Return none."""
    return []
