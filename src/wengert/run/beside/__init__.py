"""Packages that stand first on the path of what `wengert run` starts: see `wengert.run.started`."""
