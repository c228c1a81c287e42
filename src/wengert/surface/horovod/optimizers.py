"""Optimizers and tapes whose gradients are means over the processes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from wengert.ground import nest
from wengert.ground.blocks import Raised
from wengert.keras.optimizers import Optimizer as KerasOptimizer
from wengert.modes.tape import GradientTape
from wengert.modes.variable import Variable
from wengert.surface.horovod.collectives import Adasum, Average, Compression, Given, NoneCompressor, reduced
from wengert.surface.horovod.world import ProcessSet, global_process_set
from wengert.surface.v1.optimizers import Optimizer
from wengert.tensor.tensor import Nested, TensorLike

__all__ = ["DistributedGradientTape", "DistributedOptimizer"]


class How(NamedTuple):
    """How gradients are reduced."""

    op: int
    compression: type[NoneCompressor]
    sparse_as_dense: bool
    divided: float
    """By what gradients are divided before the sum, and multiplied after it."""

    def reduce(self, gradients: Sequence[Given]) -> list[Any]:
        """Return gradients, reduced over the processes."""
        return reduced(gradients, self.op, self.compression, self.sparse_as_dense, 1.0 / self.divided, self.divided)


def _how(op: int, compression: type[NoneCompressor], sparse_as_dense: bool, divided: float, process_set: ProcessSet) -> How:
    if op == Adasum:
        raise NotImplementedError("horovod: Adasum, which weighs gradients by their angles, is not here; op=hvd.Average is.")
    if divided != 1.0 and op != Average:
        raise ValueError("gradient_predivide_factor not supported with op != Average")
    if process_set is not global_process_set:
        raise NotImplementedError("horovod: all processes exchange what they have; there are no sets of some of them here.")
    return How(op, compression, sparse_as_dense, divided)


class _Distributed(Optimizer):
    """One of TensorFlow 1's optimizers, with gradients that are reduced."""

    def __init__(self, optimizer: Optimizer, how: How, name: str | None, use_locking: bool) -> None:
        super().__init__(use_locking, name or f"Distributed{type(optimizer).__name__}")
        self._optimizer, self._how = optimizer, how

    def compute_gradients(
        self,
        loss: TensorLike | None,
        var_list: Sequence[Any] | None = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: Hashable = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: TensorLike | None = None,
    ) -> list[tuple[Any, Any]]:
        """Return pairs of a gradient, reduced over the processes, and its variable."""
        given = (loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss)
        pairs = self._optimizer.compute_gradients(*given)
        return list(zip(self._how.reduce([g for g, _ in pairs]), [v for _, v in pairs], strict=True))

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Any, Any]], global_step: Variable | None = None, name: str | None = None
    ) -> Any:
        """Return the operation that applies gradients."""
        return self._optimizer.apply_gradients(grads_and_vars, global_step, name)

    def get_slot(self, var: TensorLike, name: str) -> Any:
        """Return what is kept for a variable under a name."""
        return self._optimizer.get_slot(var, name)

    def get_slot_names(self) -> list[str]:
        """Return the names of what is kept."""
        return self._optimizer.get_slot_names()

    def variables(self) -> list[Any]:
        """Return all variables of the optimizer."""
        return self._optimizer.variables()

    def _trackable_children(self) -> dict[str, Any]:
        return self._optimizer._trackable_children()

    def _trackable_slots(self) -> list[tuple[Any, str, Any]]:
        return self._optimizer._trackable_slots()


class _Reducing(KerasOptimizer):
    """What an optimizer of Keras' becomes: one whose gradients are reduced before each step."""

    _reduced_how: How

    def apply(self, grads: Sequence[Given], trainable_variables: Sequence[Variable] | None = None) -> Any:
        """Take one step."""
        return super().apply(self._reduced_how.reduce(grads), trainable_variables)


def DistributedOptimizer(
    optimizer: Optimizer | KerasOptimizer, name: str | None = None, use_locking: bool = False, device_dense: str = "",
    device_sparse: str = "", compression: type[NoneCompressor] = Compression.none, sparse_as_dense: bool = False,
    backward_passes_per_step: int = 1, op: int = Average, gradient_predivide_factor: float = 1.0,
    average_aggregated_gradients: bool = False, num_groups: int = 0, groups: Nested | None = None,
    process_set: ProcessSet = global_process_set, scale_local_gradients: bool = True,
) -> Any:  # fmt: skip
    """Return an optimizer, of TensorFlow 1's or of Keras', that takes its steps by the mean of all processes' gradients.

    ``device_dense``, ``device_sparse`` and ``groups`` are accepted: all gradients of a step are one exchange.

    Raises:
        NotImplementedError: for Adasum, and for steps of several passes: take larger batches.
    """
    how = _how(op, compression, sparse_as_dense, gradient_predivide_factor, process_set)
    if backward_passes_per_step != 1:
        raise NotImplementedError(
            f"horovod: backward_passes_per_step={backward_passes_per_step}: a step takes one pass here, over a batch that is "
            "as many times larger; or gradient_accumulation_steps of Keras' optimizers."
        )
    if isinstance(optimizer, Optimizer):
        return _Distributed(optimizer, how, name, use_locking)
    kind = type(optimizer)
    members: dict[str, Any] = {"_reduced_how": how, "__module__": kind.__module__, "__init__": kind.__init__}
    made: type[KerasOptimizer] = type(kind.__name__, (_Reducing, kind), members)
    return made.from_config(optimizer.get_config())


class _Tape:
    """A tape whose gradients are reduced."""

    def __init__(self, tape: GradientTape, how: How) -> None:
        self._tape, self._how = tape, how

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tape, name)

    def __enter__(self) -> _Tape:
        self._tape.__enter__()
        return self

    def __exit__(self, *exception: Raised) -> None:
        self._tape.__exit__(*exception)

    def gradient(
        self, target: TensorLike, sources: Nested, output_gradients: TensorLike | None = None, use_generic_names: bool = False
    ) -> Any:
        """Return the gradient by each source, reduced over the processes."""
        found = self._tape.gradient(target, sources, output_gradients)
        return nest.pack_sequence_as(found, self._how.reduce(nest.flatten(found)))


def DistributedGradientTape(
    gradtape: GradientTape, device_dense: str = "", device_sparse: str = "",
    compression: type[NoneCompressor] = Compression.none, sparse_as_dense: bool = False, op: int = Average,
    gradient_predivide_factor: float = 1.0, num_groups: int = 0, groups: Nested | None = None,
    process_set: ProcessSet = global_process_set, scale_local_gradients: bool = True,
) -> Any:  # fmt: skip
    """Return a tape that gives the mean of all processes' gradients.

    Raises:
        NotImplementedError: for Adasum.
    """
    return _Tape(gradtape, _how(op, compression, sparse_as_dense, gradient_predivide_factor, process_set))
