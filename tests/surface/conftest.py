import pytest

import wengert as tf


@pytest.fixture
def v1():
    return tf.compat.v1


@pytest.fixture
def graph():
    """A fresh graph that the test builds in."""
    with tf.Graph().as_default() as made:
        yield made
