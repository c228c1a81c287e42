"""``keras.datasets``: small data sets, fetched once and kept where Keras keeps them.

Those whose files hold Python's objects (the texts of IMDb and Reuters, CIFAR's pictures) are not there: such a file can execute
anything that it wants.
"""

from wengert.keras.datasets import boston_housing as boston_housing
from wengert.keras.datasets import california_housing as california_housing
from wengert.keras.datasets import fashion_mnist as fashion_mnist
from wengert.keras.datasets import mnist as mnist

__all__ = ["boston_housing", "california_housing", "fashion_mnist", "mnist"]
