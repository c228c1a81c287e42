"""What there is in TensorFlow and is not here: servers that hold variables, TPUs behind a service. Each says so."""

from __future__ import annotations

from collections.abc import Hashable

from wengert.surface.distribute.strategies import Strategy
from wengert.tensor.tensor import Nested

__all__ = [
    "ClusterCoordinator",
    "ParameterServerStrategy",
    "PerWorkerValue",
    "PerWorkerValues",
    "PreemptionCheckpointHandler",
    "PreemptionWatcher",
    "RemoteValue",
    "Server",
    "TPUStrategy",
    "TerminationConfig",
]


class _Refused:
    """A class of which no object is made."""

    why = ""

    def __init__(self, *arguments: Hashable | Nested, **keywords: Hashable | Nested) -> None:
        """Refuse.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"distribute.{type(self).__name__}: {self.why}")


_SERVERS = (
    "there are no servers of variables here. tf.distribute.MultiWorkerMirroredStrategy takes the same steps in every "
    "process, and `wengert launch` or `wengert run --processes` starts them."
)
_CHECKPOINTS = "`wengert run --checkpoint FILE` keeps what a run has reached, and goes on from there."


class ParameterServerStrategy(_Refused, Strategy):
    """Refused."""

    why = _SERVERS


class ClusterCoordinator(_Refused):
    """Refused."""

    why = _SERVERS


class PerWorkerValue(_Refused):
    """Refused."""

    why = _SERVERS


PerWorkerValues = PerWorkerValue


class RemoteValue(_Refused):
    """Refused."""

    why = _SERVERS


class Server(_Refused):
    """Refused."""

    why = _SERVERS


class TPUStrategy(_Refused, Strategy):
    """Refused."""

    why = (
        "TPUs are not reached through TensorFlow's service. Where JAX finds TPUs, wengert.config.set_devices takes them, and "
        "tf.distribute.MirroredStrategy runs over them."
    )


class PreemptionCheckpointHandler(_Refused):
    """Refused."""

    why = _CHECKPOINTS


class PreemptionWatcher(_Refused):
    """Refused."""

    why = _CHECKPOINTS


class TerminationConfig(_Refused):
    """Refused."""

    why = _CHECKPOINTS
