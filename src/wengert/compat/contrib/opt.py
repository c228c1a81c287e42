"""``tf.contrib.opt``: SciPy's minimisers as optimizers, and more optimizers; they are those of `wengert.compat.optimizers`."""

from typing import Any

NAMES = ("AdaMaxOptimizer", "AdamWOptimizer", "ExternalOptimizerInterface", "MomentumWOptimizer", "NadamOptimizer",
         "ScipyOptimizerInterface")  # fmt: skip
"""What is here, if it is there: imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    """Return an optimizer; name what there is for any other name."""
    if name in NAMES:
        from wengert.compat.train import optimizer_class

        found = optimizer_class(name)
        if found is not None:
            return found
    raise AttributeError(f"tf.contrib.opt.{name} is not in Wengert; of tf.contrib.opt there are {', '.join(NAMES)}.")


def __dir__() -> list[str]:
    """List the optimizers."""
    return list(NAMES)
