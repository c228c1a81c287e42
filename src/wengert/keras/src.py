"""``keras.src``: where Keras keeps its own modules; the same names as `wengert.keras`."""

from wengert.keras import activations as activations
from wengert.keras import backend as backend
from wengert.keras import callbacks as callbacks
from wengert.keras import constraints as constraints
from wengert.keras import initializers as initializers
from wengert.keras import layers as layers
from wengert.keras import losses as losses
from wengert.keras import metrics as metrics
from wengert.keras import models as models
from wengert.keras import ops as ops
from wengert.keras import random as random
from wengert.keras import regularizers as regularizers
from wengert.keras import saving as saving
from wengert.keras import utils as utils

__all__ = [
    "activations",
    "backend",
    "callbacks",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "random",
    "regularizers",
    "saving",
    "utils",
]
