"""TensorFlow's ``tf.data``: elements one after another, read when they are asked for; changed, joined and divided on the way."""

from wengert.data import experimental
from wengert.data.dataset import AUTOTUNE, Dataset, TextLineDataset
from wengert.data.elements import DatasetSpec
from wengert.data.iterators import IteratorBase as Iterator
from wengert.data.iterators import NumpyIterator
from wengert.data.options import Options, ThreadingOptions
from wengert.data.stage import INFINITE as INFINITE_CARDINALITY
from wengert.data.stage import UNKNOWN as UNKNOWN_CARDINALITY

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "Dataset",
    "DatasetSpec",
    "Iterator",
    "NumpyIterator",
    "Options",
    "TextLineDataset",
    "ThreadingOptions",
    "experimental",
]
