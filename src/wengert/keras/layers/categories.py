"""Categories as numbers and as vectors: CategoryEncoding, Discretization, Hashing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, ClassVar, Unpack

import numpy as np

from wengert.data.dataset import Dataset
from wengert.functions import array, hashing, strings
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.types import NumPyArray
from wengert.keras.configuration import floatx
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.tensor.tensor import EagerTensor, Tensor, TensorLike, convert

__all__ = ["CategoryEncoding", "Discretization", "Encoded", "Hashing", "batches"]


def batches(data: Any, steps: int | None = None) -> Iterable[NumPyArray]:
    """Return the arrays that data is made of: a dataset's or an iterator's batches, or what was given, as one."""
    if isinstance(data, Dataset) or hasattr(data, "__next__"):
        return (np.asarray(one) for one in islice(data, steps))
    return [data.array if isinstance(data, EagerTensor) else np.asarray(data)]


class Encoded(Layer):
    """A layer of whole numbers: as they are ("int"), or as vectors with 1 at their places, or with how often each occurs."""

    supports_masking = False
    _modes: ClassVar[tuple[str, ...]] = ("int", "one_hot", "multi_hot", "count")
    output_mode: str

    def _choose(self, output_mode: str, sparse: bool) -> None:
        """Take the mode.

        Raises:
            ValueError: for one that there is not.
            NotImplementedError: for sparse vectors.
        """
        self.output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        if self.output_mode not in self._modes:
            raise ValueError(
                f"Invalid value for argument `output_mode`. Expected one of {self._modes}. Received: output_mode={output_mode}"
            )
        if sparse:
            raise NotImplementedError(f"{type(self).__name__}: sparse results are not there.")
        self.sparse, self.autocast = False, False
        self._built = True

    def _encoded(self, numbers: Tensor, depth: int, kind: DtypeLike, counted: Tensor | None = None) -> Any:
        """Return the vectors of numbers in the mode."""
        if self.output_mode == "int":
            return array.cast(numbers, kind)
        if len(numbers.sizes) == 0:
            numbers = array.expand_dims(numbers, -1)
        if self.output_mode == "one_hot":
            if len(numbers.sizes) > 1 and numbers.sizes[-1] == 1:
                numbers = array.squeeze(numbers, -1)
            return array.one_hot(numbers, depth, dtype=kind)
        axis = 1 if len(numbers.sizes) > 1 else 0
        if self.output_mode == "multi_hot":
            return elementary.reduce_max(array.one_hot(numbers, depth, dtype=kind), axis)
        each = array.one_hot(numbers, depth, dtype=kind if counted is None else counted.dtype)
        return elementary.reduce_sum(each if counted is None else each * array.expand_dims(counted, -1), axis)


class CategoryEncoding(Encoded):
    """Whole numbers below ``num_tokens`` as vectors of that length.

    >>> CategoryEncoding(4, "count")([[0, 1], [2, 2]]).numpy()
    array([[1., 1., 0., 0.],
           [0., 0., 2., 0.]], dtype=float32)
    """

    _arguments = ("num_tokens", "output_mode", "sparse")
    _modes = ("one_hot", "multi_hot", "count")

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False,
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how many categories there are, and "one_hot", "multi_hot" or "count".

        Raises:
            ValueError: without a positive number of categories.
        """
        super().__init__(**keywords)
        if num_tokens is None or num_tokens < 1:
            raise ValueError(f"`num_tokens` must be set, and >= 1. Received: num_tokens={num_tokens}.")
        self._choose(output_mode, sparse)
        self.num_tokens = int(num_tokens)

    def call(self, inputs: Tensor, count_weights: TensorLike | None = None) -> Any:
        """Return the vectors; ``count_weights`` says how much each of the numbers counts.

        Raises:
            ValueError: for weights in another mode than "count", and for numbers that are no categories.
        """
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"`count_weights` is not used when `output_mode` is not `'count'`. Received `count_weights={count_weights!r}`."
            )
        if isinstance(inputs, EagerTensor) and inputs.array.size:
            low, high = inputs.array.min(), inputs.array.max()
            if low < 0 or high >= self.num_tokens:
                raise ValueError(
                    f"Input values must be in the range 0 <= values < num_tokens with num_tokens={self.num_tokens}. "
                    f"Received: {low} to {high}."
                )
        counted = None if count_weights is None else array.cast(count_weights, self.compute_dtype)
        return self._encoded(array.cast(inputs, "int32"), self.num_tokens, self.compute_dtype, counted)


class Discretization(Encoded):
    """Numbers as the numbers of the intervals that they are in, whose ends are given or found by `adapt`.

    >>> Discretization([0.0, 1.0])([[-2.0, 0.5, 3.0]]).numpy()
    array([[0, 1, 2]], dtype=int32)
    """

    _arguments = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse")

    def __init__(
        self, bin_boundaries: Sequence[float] | None = None, num_bins: int | None = None, epsilon: float = 0.01,
        output_mode: str = "int", sparse: bool = False, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the ends, or how many intervals are to be found, to what share of the data.

        Raises:
            ValueError: without either, and with both.
        """
        super().__init__(**keywords)
        # What was adapted has both: its configuration has the ends that were found.
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`")
        self._choose(output_mode, sparse)
        self.bin_boundaries = None if bin_boundaries is None else list(bin_boundaries)
        self.num_bins, self.epsilon = num_bins, epsilon
        self._summary = np.zeros((2, 0), np.float32)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find the ends of intervals that hold equal shares of data: an array, or a dataset's batches.

        Raises:
            ValueError: for a layer whose ends were given.
        """
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` instead."
            )
        self.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: TensorLike) -> None:
        """Take a batch into account: a number for each ``epsilon`` of it, with the weight of those that it stands for."""
        values = np.sort(np.asarray(data, np.float32).ravel())
        step = max(values.size * self.epsilon, 1)
        found = values[int(step - 1) :: int(step)]
        both = np.concatenate([np.stack([found, np.full_like(found, step)]), self._summary], axis=1)
        self._summary = _compressed(both[:, np.argsort(both[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Let the intervals be those of the batches so far."""
        if self.num_bins is not None:
            self.bin_boundaries = _compressed(self._summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget the batches so far."""
        self._summary = np.zeros((2, 0), np.float32)

    def call(self, inputs: Tensor) -> Any:
        """Return the numbers of the intervals.

        Raises:
            ValueError: before there are any.
        """
        if self.bin_boundaries is None:
            raise ValueError(
                "You need to either pass the `bin_boundaries` argument at construction time or call `adapt(dataset)` before "
                "you can start using the `Discretization` layer."
            )
        x = inputs if inputs.nptype.kind == "f" else array.cast(inputs, "float32")
        ends = array.constant(np.asarray(self.bin_boundaries), x.dtype)
        flat = array.searchsorted(ends, array.reshape(x, [-1]), side="right")
        numbers = array.reshape(flat, array.shape(x))
        kind = "int32" if self.output_mode == "int" and as_dtype(self.compute_dtype).is_floating else self.compute_dtype
        return self._encoded(numbers, len(self.bin_boundaries) + 1, kind)


def _compressed(summary: NumPyArray, epsilon: float) -> NumPyArray:
    """Return numbers and their weights with no more than one number for each ``epsilon`` of the weight."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    total = summary[1].cumsum()
    values, weights = (np.interp(shares, total / total[-1], v) for v in (summary[0], total))
    return np.stack([values, np.diff(weights, prepend=0)]).astype(np.float32)


class Hashing(Encoded):
    """Strings or whole numbers spread over bins by a hash: FarmHash's, or with ``salt`` SipHash's.

    >>> Hashing(3)([["A"], ["B"], ["C"], ["D"], ["E"]]).numpy().ravel()
    array([1, 0, 1, 1, 2])
    """

    _arguments = ("num_bins", "mask_value", "salt", "output_mode", "sparse")

    def __init__(
        self, num_bins: int, mask_value: str | int | None = None, salt: int | Sequence[int] | None = None,
        output_mode: str = "int", sparse: bool = False, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how many bins there are, what goes to bin 0 alone, and the key.

        Raises:
            ValueError: for a number of bins or a key that there is not.
        """
        if keywords.get("dtype") is None:
            keywords["dtype"] = "int64" if output_mode == "int" else floatx()
        super().__init__(**keywords)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                f"The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: num_bins={num_bins}."
            )
        self._choose(output_mode, sparse)
        self.num_bins, self.mask_value = int(num_bins), mask_value
        self.salt = [salt, salt] if isinstance(salt, int) else None if salt is None else list(salt)
        if self.salt is not None and len(self.salt) != 2:
            raise ValueError(
                "The `salt` argument for `Hashing` can only be a tuple of size 2 integers, or a single integer. "
                f"Received: salt={salt}."
            )

    def call(self, inputs: TensorLike) -> Any:
        """Return the bins."""
        x = convert(inputs)
        texts = x if x.nptype.kind == "O" else strings.as_string(x)
        count = self.num_bins
        if self.mask_value is not None and count > 1:
            count -= 1
        hashed: Callable[..., Tensor] = hashing.to_hash_bucket_fast
        bins: Any = hashed(texts, count) if self.salt is None else hashing.to_hash_bucket_strong(texts, count, self.salt)
        if self.mask_value is not None:
            masked = elementary.equal(x, array.constant(self.mask_value, x.dtype))
            bins = array.where(masked, array.zeros_like(bins), bins + 1)
        if self.output_mode == "one_hot" and bins.sizes[-1:] == (1,):
            bins = array.squeeze(bins, -1)
        return self._encoded(bins, self.num_bins, self.compute_dtype)
