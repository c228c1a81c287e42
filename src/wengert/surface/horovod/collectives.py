"""What processes exchange of tensors: sums and means, rows, one process's values.

Each is an operation of the list that the host runs, in the order in which the program made it, so that all processes meet at the
same one. Tensors that are reduced together are one array on the way. The derivative is that which Horovod states: the cotangents
are reduced as the values were.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from wengert.data.iterators import called
from wengert.execute import processes
from wengert.functions.array import cast, constant
from wengert.functions.program import custom_gradient, group
from wengert.ground.context import current, state
from wengert.ground.dtypes import DType, float16
from wengert.ground.types import NumPyArray
from wengert.modes.session import Session
from wengert.modes.slices import IndexedSlices
from wengert.modes.variable import Variable
from wengert.surface.horovod.world import ProcessSet, global_process_set, local_rank, local_size, rank, size, uneven, world
from wengert.surface.v1.hooks import SessionRunHook
from wengert.surface.v1.variables import global_variables
from wengert.tensor.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, convert

__all__ = [
    "Adasum",
    "Average",
    "BroadcastGlobalVariablesHook",
    "Compression",
    "Max",
    "Min",
    "Product",
    "Sum",
    "allgather",
    "allreduce",
    "broadcast",
    "broadcast_global_variables",
    "broadcast_variables",
    "grouped_allgather",
    "grouped_allreduce",
    "local_rank_op",
    "local_size_op",
    "rank_op",
    "reduced",
    "size_op",
]

Average, Sum, Adasum, Min, Max, Product = range(6)

_FOLDED = {Min: np.minimum, Max: np.maximum, Product: np.multiply}
Given = TensorLike | IndexedSlices | None
Arrays = Sequence[NumPyArray]


class NoneCompressor:
    """Sends values as they are."""

    @staticmethod
    def compress(tensor: Tensor) -> tuple[Any, Any]:
        """Return what is sent, and what `decompress` needs to know."""
        return tensor, None

    @staticmethod
    def decompress(tensor: Tensor, ctx: DType | None) -> Any:
        """Return the value."""
        return tensor


class FP16Compressor(NoneCompressor):
    """Sends floats with 16 bits."""

    @staticmethod
    def compress(tensor: Tensor) -> tuple[Any, Any]:
        """Return what is sent, and what `decompress` needs to know."""
        return (cast(tensor, float16) if tensor.dtype.is_floating else tensor), tensor.dtype

    @staticmethod
    def decompress(tensor: Tensor, ctx: DType | None) -> Any:
        """Return the value."""
        return cast(tensor, ctx) if ctx is not None and ctx.is_floating else tensor


class Compression:
    """How values are sent."""

    none = NoneCompressor
    fp16 = FP16Compressor


# --- the kernels -------------------------------------------------------------------------------------------------------------


def _together(arrays: Arrays, exchange: Callable[[NumPyArray], NumPyArray]) -> list[NumPyArray]:
    """Return arrays after an exchange of all of one dtype as one vector."""
    found: dict[int, NumPyArray] = {}
    for kind in dict.fromkeys(a.dtype for a in arrays):
        chosen = [i for i, a in enumerate(arrays) if a.dtype == kind]
        vector = exchange(np.concatenate([arrays[i].ravel() for i in chosen]))
        parts = np.split(vector, np.cumsum([arrays[i].size for i in chosen])[:-1])
        found.update((i, part.reshape(arrays[i].shape)) for i, part in zip(chosen, parts, strict=True))
    return [found[i] for i in range(len(arrays))]


def _reduce(op: int, before: float, after: float) -> Callable[[NumPyArray], NumPyArray]:
    """Return the reduction of a vector over the processes, in their order, so that all get the same bits."""

    def exchange(mine: NumPyArray) -> NumPyArray:
        every = processes.gather(mine if before == 1.0 else (mine * before).astype(mine.dtype))
        wide = every.astype(np.float32) if every.dtype == np.float16 else every
        total = wide[0]
        for other in wide[1:]:
            total = _FOLDED.get(op, np.add)(total, other)
        factor = after / len(wide) if op == Average else after
        found: NumPyArray = (total if factor == 1.0 else total * factor).astype(mine.dtype)
        return found

    return exchange


def _run(call: Callable[..., list[NumPyArray]], tensors: Sequence[Tensor], specs: Sequence[Any], name: str) -> list[Any]:
    """Return the results of an exchange: now, or as an operation of the graph."""
    world()
    if state.graph is None and not any(isinstance(t, SymbolicTensor) for t in tensors):
        with current(observers=()):
            return [EagerTensor(a) for a in call(*[np.asarray(t.array) for t in tensors])]
    return list(called(call, tensors, specs, name))  # type: ignore[arg-type]


def _all_reduced(tensors: Sequence[Tensor], op: int, before: float, after: float) -> list[Any]:
    @custom_gradient
    def exchanged(*given: Tensor) -> Any:
        def gradient(*cotangents: Tensor) -> Any:
            if op not in (Average, Sum):
                raise NotImplementedError("horovod: the derivative of a minimum, maximum or product over processes.")
            return _all_reduced([convert(g) for g in cotangents], op, before, after)

        exchange = _reduce(op, before, after)
        specs = [(t.sizes, t.nptype) for t in given]
        return tuple(_run(lambda *arrays: _together(arrays, exchange), given, specs, "HorovodAllreduce")), gradient

    found: Any = exchanged(*tensors)
    return list(found)


# --- for users ---------------------------------------------------------------------------------------------------------------


def _asked(op: int | None, average: bool | None, process_set: ProcessSet) -> int:
    if process_set is not global_process_set:
        raise NotImplementedError("horovod: all processes exchange what they have; there are no sets of some of them here.")
    if average is not None:
        if op is not None:
            raise ValueError("The op parameter supersedes average. Please provide only one of them.")
        return Average if average else Sum
    if op == Adasum:
        raise NotImplementedError("horovod: Adasum, which weighs gradients by their angles, is not here; op=hvd.Average is.")
    if op is not None and op not in (Average, Sum, *_FOLDED):
        raise ValueError(f"op is one of hvd.Average, Sum, Min, Max and Product, not {op!r}")
    return Average if op is None else op


def reduced(
    gradients: Sequence[Given], op: int = Average, compression: type[NoneCompressor] = Compression.none,
    sparse_as_dense: bool = False, before: float = 1.0, after: float = 1.0,
) -> list[Any]:  # fmt: skip
    """Return tensors, reduced over the processes in one exchange; None stays, and rows are gathered from all processes."""
    found: dict[int, Any] = {}
    dense: dict[int, Tensor] = {}
    for i, gradient in enumerate(gradients):
        if isinstance(gradient, IndexedSlices) and not sparse_as_dense:
            found[i] = _rows(gradient, op, before, after)
        elif gradient is not None:
            dense[i] = convert(gradient)
    if dense:
        sent = {i: compression.compress(t) for i, t in dense.items()}
        results = _all_reduced([t for t, _ in sent.values()], op, before, after)
        found.update({i: compression.decompress(t, ctx) for (i, (_, ctx)), t in zip(sent.items(), results, strict=True)})
    return [found.get(i) for i in range(len(gradients))]


def _rows(slices: IndexedSlices, op: int, before: float, after: float) -> IndexedSlices:
    if op not in (Average, Sum) or before != 1.0 or after != 1.0:
        raise NotImplementedError("horovod: of tf.IndexedSlices there are sums and means, without factors.")
    values = allgather(slices.values)
    if op == Average:
        values = values / cast(constant(size()), values.dtype)
    return IndexedSlices(values, allgather(slices.indices), slices.dense_shape)


def allreduce(
    tensor: TensorLike | IndexedSlices, average: bool | None = None, device_dense: str = "", device_sparse: str = "",
    compression: type[NoneCompressor] = Compression.none, op: int | None = None, prescale_factor: float = 1.0,
    postscale_factor: float = 1.0, name: str | None = None, process_set: ProcessSet = global_process_set,
    ignore_name_scope: bool = False,
) -> Any:  # fmt: skip
    """Return the mean of a tensor over the processes, or what ``op`` says: Sum, Min, Max or Product; of one shape in all.

    Raises:
        NotImplementedError: for Adasum, and for some of the processes.
        ValueError: before `init`.
    """
    chosen = _asked(op, average, process_set)
    given: Any = tensor if isinstance(tensor, IndexedSlices) else convert(tensor)
    return reduced([given], chosen, compression, before=prescale_factor, after=postscale_factor)[0]


def grouped_allreduce(
    tensors: Sequence[TensorLike], average: bool | None = None, device_dense: str = "", device_sparse: str = "",
    compression: type[NoneCompressor] = Compression.none, op: int | None = None, prescale_factor: float = 1.0,
    postscale_factor: float = 1.0, name: str | None = None, process_set: ProcessSet = global_process_set,
    ignore_name_scope: bool = False,
) -> list[Any]:  # fmt: skip
    """Return tensors, each reduced over the processes as by `allreduce`, in one exchange."""
    chosen = _asked(op, average, process_set)
    return reduced([convert(t) for t in tensors], chosen, compression, before=prescale_factor, after=postscale_factor)


def allgather(
    tensor: TensorLike, name: str | None = None, ignore_name_scope: bool = False, process_set: ProcessSet = global_process_set
) -> Any:
    """Return the rows of a tensor of all processes, in their order; each may have another number of them.

    Raises:
        ValueError: for a scalar, and before `init`.
    """
    _asked(None, None, process_set)

    @custom_gradient
    def gathered(given: Tensor) -> Any:
        def own(cotangent: NumPyArray, rows: NumPyArray) -> list[NumPyArray]:
            counts = processes.gather(np.array(len(rows)))
            first = int(counts[: rank()].sum())
            return [_reduce(Average, 1.0, 1.0)(cotangent)[first : first + len(rows)]]

        def gradient(cotangent: Tensor) -> Any:
            return _run(own, [convert(cotangent), given], [(given.sizes, cotangent.nptype)], "HorovodAllgatherGrad")[0]

        sizes = None if given.sizes is None else (None, *given.sizes[1:])
        call = lambda array: [np.concatenate(uneven(array))]  # noqa: E731
        return _run(call, [given], [(sizes, given.nptype)], "HorovodAllgather")[0], gradient

    given = convert(tensor)
    if given.sizes == ():
        raise ValueError("horovod.allgather: a scalar has no rows; reshape it to [1].")
    return gathered(given)


def grouped_allgather(
    tensors: Sequence[TensorLike], name: str | None = None, ignore_name_scope: bool = False,
    process_set: ProcessSet = global_process_set,
) -> list[Any]:  # fmt: skip
    """Return the rows of tensors of all processes."""
    return [allgather(t, name, ignore_name_scope, process_set) for t in tensors]


def _of_root(root: int) -> Callable[[NumPyArray], NumPyArray]:
    def exchange(mine: NumPyArray) -> NumPyArray:
        if not 0 <= root < size():
            raise ValueError(f"horovod: there is no process {root} among {size()}.")
        return np.array(processes.broadcast(mine) if root == 0 else processes.gather(mine)[root])

    return exchange


def broadcast(
    tensor: TensorLike, root_rank: int, name: str | None = None, ignore_name_scope: bool = False,
    process_set: ProcessSet = global_process_set,
) -> Any:  # fmt: skip
    """Return one process's tensor, of one shape in all, in every process.

    Raises:
        ValueError: before `init`, and where there is no such process.
    """
    _asked(None, None, process_set)

    @custom_gradient
    def sent(given: Tensor) -> Any:
        def gradient(cotangent: Tensor) -> Any:
            mean = _all_reduced([convert(cotangent)], Average, 1.0, 1.0)[0]
            return mean if rank() == root_rank else mean * 0

        call = lambda *arrays: _together(arrays, _of_root(root_rank))  # noqa: E731
        return _run(call, [given], [(given.sizes, given.nptype)], "HorovodBroadcast")[0], gradient

    return sent(convert(tensor))


def broadcast_variables(
    variables: Sequence[Variable], root_rank: int, process_set: ProcessSet = global_process_set, inplace: bool = False
) -> Any:
    """Set variables to one process's values in every process, in one exchange; in a graph, return the operation that does.

    Raises:
        ValueError: before `init`, and where there is no such process.
    """
    _asked(None, None, process_set)
    chosen = list(variables)
    if not chosen:
        return group()
    values = [convert(v) for v in chosen]
    call = lambda *arrays: _together(arrays, _of_root(root_rank))  # noqa: E731
    found = _run(call, values, [(t.sizes, t.nptype) for t in values], "HorovodBroadcast")
    done = [v.assign(value) for v, value in zip(chosen, found, strict=True)]
    return None if state.graph is None else group(*done)


def broadcast_global_variables(root_rank: int) -> Any:
    """Return the operation that sets all variables of the graph to one process's values.

    Raises:
        RuntimeError: eagerly.
    """
    if state.graph is None:
        raise RuntimeError(
            "hvd.broadcast_global_variables() does not support eager execution. Please use "
            "`hvd.broadcast_variables(<model/optimizer variables>)` instead."
        )
    return broadcast_variables(global_variables(), root_rank)


class BroadcastGlobalVariablesHook(SessionRunHook):
    """Has a monitored session begin with one process's variables."""

    def __init__(self, root_rank: int, device: str = "") -> None:
        """Take which process's; the device is accepted."""
        super().__init__()
        self.root_rank, self.device = root_rank, device
        self.bcast_op: Any = None

    def begin(self) -> None:
        """Make the operation."""
        self.bcast_op = broadcast_global_variables(self.root_rank)

    def after_create_session(self, session: Session, coord: Hashable) -> None:
        """Run it."""
        session.run(self.bcast_op)


def size_op(process_set_id: int = 0, name: str | None = None) -> Any:
    """Return how many processes there are, a scalar int32."""
    return constant(size())


def rank_op(name: str | None = None) -> Any:
    """Return which of them this is, a scalar int32."""
    return constant(rank())


def local_size_op(name: str | None = None) -> Any:
    """Return how many processes there are on this machine, a scalar int32."""
    return constant(local_size())


def local_rank_op(name: str | None = None) -> Any:
    """Return which of them this is, a scalar int32."""
    return constant(local_rank())
