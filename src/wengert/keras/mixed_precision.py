"""``keras.mixed_precision``: computing in short floats, with weights and losses that bear it."""

from __future__ import annotations

from wengert.keras.dtype_policies import DTypePolicy as Policy
from wengert.keras.dtype_policies import dtype_policy, global_policy, set_dtype_policy, set_global_policy
from wengert.keras.optimizers.loss_scale import LossScaleOptimizer

__all__ = ["LossScaleOptimizer", "Policy", "dtype_policy", "global_policy", "set_dtype_policy", "set_global_policy"]
