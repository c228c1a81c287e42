import pytest

import wengert as tf


class SGD:
    """w - rate g: as little as an optimizer can be."""

    built = True

    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate
        self.variables = []

    def apply_gradients(self, pairs):
        for g, v in pairs:
            if g is not None:
                v.assign_sub(self.learning_rate * g)


@pytest.fixture
def sgd():
    return SGD


@pytest.fixture(autouse=True)
def settings():
    """Each test begins with Keras's own settings, names and seeds."""
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(0)
    yield
    tf.keras.backend.set_floatx("float32")
