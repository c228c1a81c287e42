"""Models of Keras 3 on PyTorch as fields: they are modules of PyTorch's."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

import wengert
from wengert.errors import UnimplementedError

torch = pytest.importorskip("torch", reason="wengert.torch needs PyTorch: pip install 'wengert[torch]'")
pytest.importorskip("array_api_compat", reason="wengert.torch needs array-api-compat: pip install 'wengert[torch]'")
if "keras" not in sys.modules:
    os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="needs Keras 3")
if getattr(keras, "config", None) is None or keras.config.backend() != "torch":
    pytest.skip("needs Keras 3 on PyTorch", allow_module_level=True)
L = keras.layers


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


def branched():
    start = keras.Input((2,))
    a, b = L.Dense(8, activation=keras.ops.sin)(start), L.Dense(8, activation="sigmoid")(start)
    return keras.Model(start, L.Dense(1)(L.Concatenate()([L.Multiply()([a, b]), L.Add()([a, b])])))


MODELS = {
    "sequential": lambda: keras.Sequential(
        [keras.Input((2,)), L.Dense(16, activation="tanh"), L.Dense(16, activation="swish"), L.Dense(1)]
    ),
    "functional": branched,
    "inference": lambda: keras.Sequential(
        [keras.Input((2,)), L.Dense(8, activation="gelu"), L.BatchNormalization(), L.Dropout(0.5), L.Dense(1)]
    ),
}


def D(y, x):
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def points(n=6):
    rng = np.random.default_rng(0)
    return [torch.tensor(rng.uniform(-1.0, 1.0, (n, 1)), dtype=torch.float32, requires_grad=True) for _ in range(2)]


def close(a, b):  # Keras's products over PyTorch are float32's, whatever the dtype
    b = b.detach()
    np.testing.assert_allclose(a.detach(), b, rtol=0, atol=1e-5 * max(1.0, float(b.abs().max())))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_derivatives_and_gradients_are_those_of_nested_autograd(name):
    model, (x, t) = MODELS[name](), points()
    u = wengert.torch.field(model, "x t")
    y = model(torch.cat([x, t], 1), training=False)
    y_x = D(y, x)
    y_xx = D(y_x, x)
    close(u(x, t), y)
    close(u.xxx(x, t), D(y_xx, x))
    held = [v.value for v in model.trainable_variables[:-1]]
    found = torch.autograd.grad(((u.t + u * u.x - 0.1 * u.xx)(x, t) ** 2).mean(), held)
    wanted = torch.autograd.grad(((D(y, t) + y * y_x - 0.1 * y_xx) ** 2).mean(), held)
    for a, b in zip(found, wanted, strict=True):
        close(a, b)


@pytest.mark.filterwarnings("ignore")
def test_steps_of_an_optimizer_of_keras_are_seen():
    model, (x, t) = MODELS["sequential"](), points(32)
    u = wengert.torch.field(model, "x t")
    optimizer = keras.optimizers.Adam(1e-2)
    held = model.trainable_variables[:-1]
    losses = []
    for _ in range(20):
        loss = ((u.t - 0.1 * u.xx + u)(x, t) ** 2).mean()
        gradients = torch.autograd.grad(loss, [v.value for v in held])
        with torch.no_grad():
            optimizer.apply(gradients, held)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.filterwarnings("ignore")
def test_training_mode_is_refused_before_anything_is_changed():
    model, (x, t) = MODELS["inference"](), points()
    before = [np.array(v.numpy()) for v in model.variables]
    with pytest.raises(UnimplementedError):
        wengert.torch.field(lambda X: model(X, training=True), "x t", stacked=True).x(x, t)
    for a, b in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(a.numpy(), b)
    dropped = keras.Sequential([keras.Input((2,)), L.Dense(4), L.Dropout(0.5), L.Dense(1)])
    with pytest.raises(UnimplementedError):
        wengert.torch.field(lambda X: dropped(X, training=True), "x t", stacked=True).x(x, t)
