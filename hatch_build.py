"""What is done when the package is built: the stubs of its public modules are written, which static tools read."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Stubs(BuildHookInterface):
    """Writes a stub for each public module of the table."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them into the sources, where an editable installation has them too; Git ignores them."""
        package = Path(self.root) / "src" / "wengert"
        runpy.run_path(str(package / "surface" / "table.py"))["stubs"](package)
