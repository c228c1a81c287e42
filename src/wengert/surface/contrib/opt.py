"""``tf.contrib.opt``: SciPy's minimisers as optimizers, and more optimizers."""

from typing import Any

from wengert.surface.v1.external import ExternalOptimizerInterface, ScipyOptimizerInterface
from wengert.surface.v1.optimizers import AdaMaxOptimizer, AdamWOptimizer, MomentumWOptimizer, NadamOptimizer

__all__ = [
    "AdaMaxOptimizer",
    "AdamWOptimizer",
    "ExternalOptimizerInterface",
    "MomentumWOptimizer",
    "NadamOptimizer",
    "ScipyOptimizerInterface",
]


def __getattr__(name: str) -> Any:
    """Name what there is, for any other name."""
    raise AttributeError(f"tf.contrib.opt.{name} is not in Wengert; of tf.contrib.opt there are {', '.join(__all__)}.")
