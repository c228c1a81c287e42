"""``tf.keras``: layers, models, losses, metrics, callbacks, and training, as scientific programs use them."""

from __future__ import annotations

from wengert.keras import activations as activations
from wengert.keras import applications as applications
from wengert.keras import backend as backend
from wengert.keras import callbacks as callbacks
from wengert.keras import config as config
from wengert.keras import constraints as constraints
from wengert.keras import datasets as datasets
from wengert.keras import dtype_policies as dtype_policies
from wengert.keras import initializers as initializers
from wengert.keras import layers as layers
from wengert.keras import losses as losses
from wengert.keras import metrics as metrics
from wengert.keras import mixed_precision as mixed_precision
from wengert.keras import models as models
from wengert.keras import ops as ops
from wengert.keras import optimizers as optimizers
from wengert.keras import preprocessing as preprocessing
from wengert.keras import random as random
from wengert.keras import regularizers as regularizers
from wengert.keras import saving as saving
from wengert.keras import src as src
from wengert.keras import tree as tree
from wengert.keras import utils as utils
from wengert.keras.backend import name_scope
from wengert.keras.dtype_policies import DTypePolicy, FloatDTypePolicy
from wengert.keras.initializers import Initializer
from wengert.keras.layers.layer import Input, InputSpec, Layer
from wengert.keras.losses import Loss
from wengert.keras.metrics import Metric
from wengert.keras.models import Model, Sequential
from wengert.keras.optimizers import Optimizer
from wengert.keras.regularizers import Regularizer
from wengert.keras.variable import Variable
from wengert.tensor.tensor import SymbolicTensor as KerasTensor

__version__ = "3.15.1"

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "src",
    "tree",
    "utils",
]


def version() -> str:
    """Return the version of Keras whose names these are."""
    return __version__
