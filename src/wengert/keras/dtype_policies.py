"""``keras.dtype_policies``: what a layer computes in, and what its weights are kept in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wengert.ground.dtypes import DtypeLike
from wengert.keras import configuration

__all__ = ["DTypePolicy", "FloatDTypePolicy", "dtype_policy", "get", "global_policy", "set_dtype_policy", "set_global_policy"]


class DTypePolicy:
    """A dtype, or "mixed_float16" and "mixed_bfloat16": computing in the short dtype, weights in float32.

    >>> DTypePolicy("mixed_float16").compute_dtype, DTypePolicy("float64").variable_dtype
    ('float16', 'float64')
    """

    def __init__(self, name: DtypeLike | None = None) -> None:
        """Take the name; that of `floatx` by default."""
        if name in ("mixed_float16", "mixed_bfloat16"):
            self.name = str(name)
            self.compute_dtype, self.variable_dtype = self.name.removeprefix("mixed_"), "float32"
        else:
            self.name = configuration.standardize_dtype(name)
            self.compute_dtype = self.variable_dtype = self.name

    def get_config(self) -> dict[str, Any]:
        """Return the name."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Make one from its name."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy
PolicyLike = DTypePolicy | DtypeLike | Mapping[str, Any] | None
"""What a policy may be given by: a dtype, a name, a configuration, the policy itself; None for the global one."""
_chosen: list[DTypePolicy] = []


def global_policy() -> DTypePolicy:
    """Return the policy of layers that are given none."""
    return _chosen[-1] if _chosen else DTypePolicy()


def set_global_policy(policy: PolicyLike) -> None:
    """Set the policy of layers that are given none."""
    _chosen[:] = [] if policy is None else [get(policy)]


def get(identifier: PolicyLike) -> DTypePolicy:
    """Return the policy of a dtype, a name or a policy; the global one for None."""
    if identifier is None:
        return global_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, Mapping):
        return DTypePolicy(**identifier.get("config", identifier))
    return DTypePolicy(identifier)


dtype_policy, set_dtype_policy = global_policy, set_global_policy
