"""`wengert kernel install` and `remove`: a kernel for notebooks in which Wengert is loaded from the start.

A kernel spec is a folder with a file kernel.json, which says by which command a kernel is started: here the running Python's
ipykernel, told to load the extension. No variable of the environment is set.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

from wengert.ground.terminal import tell

__all__ = ["NAME", "folder_of", "install", "remove", "write"]

NAME = "wengert"
MARK = "wengert"
"""The entry of the metadata by which a spec is known as ours."""


def write(folder: str, title: str) -> None:
    """Write a spec into a folder.

    Raises:
        ImportError: without ipykernel.
    """
    from ipykernel.kernelspec import get_kernel_dict

    spec: dict[str, Any] = get_kernel_dict(extra_arguments=["--InteractiveShellApp.extra_extensions=wengert"])
    spec["display_name"] = title
    spec["metadata"] = {**spec.get("metadata", {}), MARK: True}
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "kernel.json"), "w", encoding="utf-8") as file:
        json.dump(spec, file, indent=1)


def folder_of(name: str, user: bool, prefix: str | None) -> str:
    """Return where the spec of a name lies: the user's, a prefix's, else that of the running Python's environment."""
    from jupyter_core.paths import jupyter_data_dir

    if user or (prefix is None and sys.prefix == sys.base_prefix):
        return os.path.join(jupyter_data_dir(), "kernels", name)
    return os.path.join(os.path.abspath(prefix or sys.prefix), "share", "jupyter", "kernels", name)


def install(name: str, user: bool, prefix: str | None) -> int:
    """Write the kernel's spec; return the status."""
    try:
        folder = folder_of(name, user, prefix)
        if os.path.exists(folder) and not _ours(folder):
            tell(f"wengert kernel: {folder} is another kernel's; say --name")
            return 2
        write(folder, "Python 3 (Wengert)" if name == NAME else f"Python 3 (Wengert: {name})")
    except ImportError as error:
        return _lacking(error)
    except OSError as error:
        tell(f"wengert kernel: {error}")
        return 1
    print(f"kernel {name}: {folder}")
    return 0


def remove(name: str, user: bool, prefix: str | None) -> int:
    """Delete the kernel's spec; return the status."""
    try:
        folder = folder_of(name, user, prefix)
    except ImportError as error:
        return _lacking(error)
    if not _ours(folder):
        tell(f"wengert kernel: there is no kernel of ours in {folder}")
        return 2
    shutil.rmtree(folder)
    print(f"removed: {folder}")
    return 0


def _lacking(error: ImportError) -> int:
    tell(f"wengert kernel: {error}: {sys.executable} -m pip install 'wengert[notebook]'")
    return 2


def _ours(folder: str) -> bool:
    try:
        with open(os.path.join(folder, "kernel.json"), encoding="utf-8") as file:
            return bool(json.load(file).get("metadata", {}).get(MARK))
    except (OSError, ValueError, AttributeError):  # none there, or none that can be read: not ours
        return False
