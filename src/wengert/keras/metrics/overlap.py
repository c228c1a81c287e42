"""The overlap of what is one class with what y_pred says is: intersection over union, of a matrix that counts pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras.configuration import epsilon
from wengert.keras.losses.loss import tensor_of
from wengert.keras.metrics.metric import Metric
from wengert.tensor.tensor import TensorLike

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """The mean, over some classes, of what is one and said to be over what is or is said to be.

    >>> float(IoU(2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]))  # doctest: +ELLIPSIS
    0.333...
    """

    def __init__(
        self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: DtypeLike | None = None,
        ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:  # fmt: skip
        """Take how many classes there are and those that count; a class that is left out; along which axis classes stand.

        Raises:
            ValueError: for a class that there is not.
        """
        super().__init__(dtype, name)
        if target_class_ids and max(target_class_ids) >= num_classes:
            raise ValueError(f"Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes}).")
        self.num_classes, self.target_class_ids, self.ignore_class = num_classes, list(target_class_ids), ignore_class
        self.sparse_y_true, self.sparse_y_pred, self.axis = sparse_y_true, sparse_y_pred, axis
        self.total_cm = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Count pairs."""
        pair = zip((y_true, y_pred), (self.sparse_y_true, self.sparse_y_pred), strict=True)
        classes = [v if sparse else elementary.argmax(tensor_of(v), axis=self.axis) for v, sparse in pair]
        t, y = (array.reshape(array.cast(v, "int64"), [-1]) for v in classes)
        if sample_weight is None:
            w = array.ones_like(y, self._dtype)
        else:
            w = array.cast(sample_weight, self._dtype)
            w = array.reshape(array.broadcast_to(w, array.shape(classes[1])), [-1])
        if self.ignore_class is not None:  # counts as the pair (0, 0), with no weight
            left = elementary.not_equal(t, self.ignore_class)
            w = w * array.cast(left, w.dtype)
            t, y = (array.where(left, v, array.zeros_like(v)) for v in (t, y))
        pairs = array.scatter_nd(array.stack([t, y], axis=1), w, [self.num_classes, self.num_classes])
        self.total_cm.assign_add(pairs)

    def result(self) -> Any:
        """Return the mean over the classes that occur."""
        counts = self.total_cm.read_value()
        hits = linalg.diag_part(counts)
        union = elementary.reduce_sum(counts, axis=0) + elementary.reduce_sum(counts, axis=1) - hits
        hits, union = (array.gather(v, self.target_class_ids) for v in (hits, union))
        occur = elementary.reduce_sum(array.cast(union > 1e-9, counts.dtype))
        return elementary.reduce_sum(hits / (union + epsilon())) / (occur + epsilon())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        names = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class BinaryIoU(IoU):
    """The mean overlap of the classes 0 and 1, y_pred being 1 from a threshold on."""

    def __init__(
        self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None,
        dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the classes that count, the threshold, a name and a dtype."""
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Count pairs."""
        super().update_state(y_true, array.cast(tensor_of(y_pred) >= self.threshold, "int64"), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**Metric.get_config(self), "target_class_ids": self.target_class_ids, "threshold": self.threshold}


class MeanIoU(IoU):
    """The mean overlap of all classes."""

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: DtypeLike | None = None, ignore_class: int | None = None,
        sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:  # fmt: skip
        """Take how many classes there are; a class that is left out; along which axis classes stand."""
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = super().get_config()
        del config["target_class_ids"]
        return config


class OneHotIoU(IoU):
    """The mean overlap of some classes, y_true having a 1 where the class stands."""

    def __init__(
        self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: DtypeLike | None = None,
        ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:  # fmt: skip
        """Take how many classes there are and those that count; a class that is left out; along which axis classes stand."""
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config


class OneHotMeanIoU(MeanIoU):
    """The mean overlap of all classes, y_true having a 1 where the class stands."""

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: DtypeLike | None = None, ignore_class: int | None = None,
        sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:  # fmt: skip
        """Take how many classes there are; a class that is left out; along which axis classes stand."""
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config
