"""TensorFlow's ``tf.version``: the version of TensorFlow whose names and behaviour are served."""

__all__ = ["COMPILER_VERSION", "GIT_VERSION", "GRAPH_DEF_VERSION", "GRAPH_DEF_VERSION_MIN_CONSUMER",
           "GRAPH_DEF_VERSION_MIN_PRODUCER", "VERSION"]  # fmt: skip

VERSION = "2.21.0"
GIT_VERSION = "wengert"
COMPILER_VERSION = "none"
GRAPH_DEF_VERSION = GRAPH_DEF_VERSION_MIN_CONSUMER = GRAPH_DEF_VERSION_MIN_PRODUCER = 0
