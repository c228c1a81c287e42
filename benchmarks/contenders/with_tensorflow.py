"""TensorFlow: `tf.gradients`, nested, in a `tf.function`. Forms: graph, and xla (`jit_compile=True`)."""

import platform

import numpy as np
import tensorflow as tf
from contenders.graphs import build
from contenders.problems import Layers, Prepared, Work


def versions(form: str) -> str:
    """Return what runs."""
    return f"tensorflow {tf.__version__}, Python {platform.python_version()}"


def prepare(form: str, work: Work, layers: Layers, points: np.ndarray) -> Prepared:
    """Return a function that runs the work; TensorFlow does not say what XLA planned."""
    variables = [tf.Variable(array) for layer in layers for array in layer]
    inputs = [tf.constant(c) for c in ([points[:, :1], points[:, 1:]] if work.columns else [points])]

    @tf.function(jit_compile=form == "xla")
    def compute(*given):
        return build(tf, work, list(given), variables)

    return lambda: [value.numpy() for value in compute(*inputs)], lambda: None
