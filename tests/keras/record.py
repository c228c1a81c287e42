"""Records what Keras answers: `python tests/keras/record.py > tests/keras/keras-3.15.json` where TensorFlow is installed.

The functions below use nothing but names that both have; the tests call them with `wengert.keras` in Keras's place.
"""

import json
import sys

import numpy as np

rng = np.random.RandomState(7)
X = rng.randn(6, 3).astype("float32")
T = rng.rand(6, 3).astype("float32")
P = rng.rand(6, 3).astype("float32")
W = rng.rand(6).astype("float32")
LABELS = np.array([0, 2, 1, 1, 0, 2])
BINARY = (T > 0.5).astype("float32")
HOT = np.eye(3, dtype="float32")[LABELS]
IMAGE = rng.randn(2, 6, 5, 2).astype("float32")

ACTIVATIONS = (
    "celu elu exponential gelu hard_sigmoid hard_silu hard_tanh hard_shrink leaky_relu linear log_sigmoid log_softmax mish relu "
    "relu6 selu sigmoid silu soft_shrink softmax softplus softsign squareplus swish tanh tanh_shrink"
).split()
LOSSES = {
    "MeanSquaredError": {}, "MeanAbsoluteError": {}, "MeanAbsolutePercentageError": {}, "MeanSquaredLogarithmicError": {},
    "Huber": {"delta": 0.3}, "LogCosh": {}, "Poisson": {}, "KLDivergence": {}, "CosineSimilarity": {}, "Hinge": {},
    "SquaredHinge": {},
}  # fmt: skip
FUNCTIONS = "mean_squared_error mean_absolute_error huber log_cosh mean_absolute_percentage_error poisson kl_divergence".split()


def fixed(shape, dtype=None):
    """A deterministic initializer."""
    n = int(np.prod(shape))
    return (np.cos(1.0 + 0.7 * np.arange(n)) * 0.6).reshape(shape).astype("float32")


def layers(keras):
    k, L = keras, keras.layers
    made = {
        "dense": L.Dense(4, activation="tanh", kernel_initializer=fixed, bias_initializer=fixed),
        "dense_rank3": None,
        "dense_no_bias": L.Dense(2, use_bias=False, kernel_initializer=fixed),
        "layer_normalization": L.LayerNormalization(gamma_initializer=fixed, beta_initializer=fixed),
        "batch_normalization": L.BatchNormalization(
            gamma_initializer=fixed, beta_initializer=fixed, moving_mean_initializer=fixed),
        "leaky": L.LeakyReLU(negative_slope=0.1), "relu": L.ReLU(max_value=0.5, negative_slope=0.2, threshold=0.1),
        "elu": L.ELU(alpha=0.7), "softmax": L.Softmax(), "prelu": L.PReLU(alpha_initializer=fixed), "repeat": L.RepeatVector(2),
        "reshape": L.Reshape((3, 1)), "activation": L.Activation("selu"), "rescaling": L.Rescaling(2.0, offset=-1.0),
        "unit": L.UnitNormalization(), "dropout": L.Dropout(0.5), "noise": L.GaussianNoise(0.5),
        "normalization": L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
    }  # fmt: skip
    del made["dense_rank3"]
    found = {name: np.asarray(layer(X)) for name, layer in made.items()}
    found["dense_rank3"] = np.asarray(L.Dense(2, kernel_initializer=fixed)(X.reshape(2, 3, 3)))
    train = L.BatchNormalization(momentum=0.8)
    found["batch_normalization_training"] = np.asarray(train(X, training=True))
    found["batch_normalization_mean"], found["batch_normalization_variance"] = (np.asarray(w) for w in train.get_weights()[2:])
    found["batch_normalization_after"] = np.asarray(train(X))
    found["flatten"] = np.asarray(L.Flatten()(IMAGE))
    found["permute"] = np.asarray(L.Permute((2, 1, 3))(IMAGE))
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        found[name] = np.asarray(getattr(L, name)()([X, T]))
    found["dot"] = np.asarray(L.Dot(axes=1)([X, T]))
    found["embedding"] = np.asarray(L.Embedding(5, 2, embeddings_initializer=fixed)(LABELS))
    adapted = L.Normalization()
    adapted.adapt(X)
    found["normalization_adapted"] = np.asarray(adapted(X))
    del k
    return found


def functions(keras):
    found = {
        f"activation {name}": np.asarray(keras.activations.get(name)(keras.ops.convert_to_tensor(X))) for name in ACTIVATIONS
    }
    for name, keywords in LOSSES.items():
        loss = getattr(keras.losses, name)
        found[f"loss {name}"] = np.asarray(loss(**keywords)(T, P))
        found[f"loss {name} weighted"] = np.asarray(loss(**keywords)(T, P, sample_weight=W))
        for reduction in ("sum", "none", "mean_with_sample_weight"):
            found[f"loss {name} {reduction}"] = np.asarray(loss(reduction=reduction, **keywords)(T, P, sample_weight=W))
    for name in FUNCTIONS:
        found[f"loss function {name}"] = np.asarray(getattr(keras.losses, name)(T, P))
    found["column against row"] = np.asarray(keras.losses.MeanSquaredError()(T[:, :1], P[:, 0]))
    losses = keras.losses
    for logits in (False, True):
        found[f"binary crossentropy {logits}"] = np.asarray(
            losses.BinaryCrossentropy(from_logits=logits, label_smoothing=0.1)(BINARY, P)
        )
        found[f"categorical crossentropy {logits}"] = np.asarray(losses.CategoricalCrossentropy(from_logits=logits)(HOT, P))
        found[f"sparse crossentropy {logits}"] = np.asarray(losses.SparseCategoricalCrossentropy(from_logits=logits)(LABELS, P))
    found["categorical hinge"] = np.asarray(losses.CategoricalHinge()(HOT, P))
    for name in ("L1", "L2", "L1L2", "OrthogonalRegularizer"):
        square = np.stack([X[0], X[1], X[2]])
        keywords = {"l1": 0.1, "l2": 0.2} if name == "L1L2" else {}
        found[f"regularizer {name}"] = np.asarray(getattr(keras.regularizers, name)(**keywords)(square))
    for name in ("NonNeg", "MaxNorm", "UnitNorm", "MinMaxNorm"):
        found[f"constraint {name}"] = np.asarray(getattr(keras.constraints, name)()(keras.ops.convert_to_tensor(3.0 * X)))
    return found


def metrics(keras):
    found = {}
    for name in ("MeanSquaredError MeanAbsoluteError RootMeanSquaredError MeanAbsolutePercentageError LogCoshError "
                 "CosineSimilarity MeanSquaredLogarithmicError KLDivergence Poisson").split():  # fmt: skip
        metric = getattr(keras.metrics, name)()
        metric.update_state(T, P)
        metric.update_state(T[:2], P[2:4], sample_weight=W[:2])
        found[name] = np.asarray(metric.result())
        found[name + " name"] = metric.name
        metric.reset_state()
        metric.update_state(T[:1], P[:1])
        found[name + " anew"] = np.asarray(metric.result())
    mean = keras.metrics.Mean()
    mean.update_state([1.0, 5.0], sample_weight=[3.0, 1.0])
    found["Mean"] = np.asarray(mean.result())
    r2 = keras.metrics.R2Score()
    r2.update_state(T[:, :1], P[:, :1])
    found["R2Score"] = np.asarray(r2.result())
    for name, labels in (("BinaryAccuracy", BINARY), ("CategoricalAccuracy", HOT), ("SparseCategoricalAccuracy", LABELS)):
        found[name] = np.asarray(getattr(keras.metrics, name)()(labels, P))
    return found


def training(keras, optimizer):
    """Two epochs of three batches, unshuffled; the same in both."""
    L = keras.layers
    model = keras.Sequential([
        L.Input((3,)),
        L.Dense(4, activation="tanh", kernel_initializer=fixed, kernel_regularizer=keras.regularizers.L2(0.01)),
        L.BatchNormalization(),
        L.Dense(1, kernel_initializer=fixed),
    ])  # fmt: skip
    model.compile(optimizer=optimizer, loss="mse", metrics=["mae"])
    history = model.fit(
        X, T[:, :1], epochs=2, batch_size=2, shuffle=False, verbose=0, validation_data=(X[:4], P[:4, :1]), sample_weight=W
    )
    found = {f"history {k}": np.asarray(v) for k, v in history.history.items()}
    found |= {f"weight {i}": w for i, w in enumerate(model.get_weights())}
    found["evaluate"] = np.asarray(model.evaluate(X, T[:, :1], verbose=0, batch_size=4))
    found["predict"] = model.predict(X, verbose=0)
    found["on batch"] = np.asarray(model.train_on_batch(X, T[:, :1]))
    a, b = L.Input((1,), name="a"), L.Input((2,), name="b")
    h = L.Dense(3, activation="tanh", kernel_initializer=fixed, name="h")(L.Concatenate()([a, b]))
    two = keras.Model(
        [a, b], [L.Dense(1, kernel_initializer=fixed, name="u")(h), L.Dense(2, kernel_initializer=fixed, name="v")(h)]
    )
    two.compile(optimizer=optimizer.__class__(0.1), loss=["mse", "mae"], loss_weights=[1.0, 0.5])
    two.fit([X[:, :1], X[:, 1:]], [T[:, :1], T[:, 1:]], epochs=1, batch_size=6, verbose=0)
    found |= {f"two outputs {i}": np.asarray(p) for i, p in enumerate(two.predict([X[:, :1], X[:, 1:]], verbose=0))}
    return found


OPTIMIZERS = {
    "SGD": [{}, {"learning_rate": 0.1, "momentum": 0.9}, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
            {"learning_rate": 0.1, "weight_decay": 0.2}, {"learning_rate": 0.1, "clipnorm": 0.5},
            {"learning_rate": 0.1, "clipvalue": 0.2}, {"learning_rate": 0.1, "global_clipnorm": 0.5},
            {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2},
            {"learning_rate": 0.1, "gradient_accumulation_steps": 2},
            {"learning_rate": 0.1, "loss_scale_factor": 4.0}],
    "RMSprop": [{}, {"learning_rate": 0.05, "rho": 0.8, "momentum": 0.5}, {"learning_rate": 0.05, "centered": True}],
    "Adam": [{}, {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}, {"learning_rate": 0.1, "amsgrad": True},
             {"learning_rate": 0.1, "weight_decay": 0.1}],
    "AdamW": [{"learning_rate": 0.1}], "Adadelta": [{"learning_rate": 1.0}], "Adagrad": [{"learning_rate": 0.3}],
    "Adamax": [{"learning_rate": 0.1}], "Nadam": [{"learning_rate": 0.1}],
    "Ftrl": [{"learning_rate": 0.3}, {"learning_rate": 0.3, "l1_regularization_strength": 0.1, "beta": 0.2,
             "l2_regularization_strength": 0.2, "l2_shrinkage_regularization_strength": 0.05, "learning_rate_power": -0.6}],
    "Lion": [{"learning_rate": 0.05}],
    "Lamb": [{"learning_rate": 0.1}, {"learning_rate": 0.05, "beta_1": 0.8, "epsilon": 1e-3, "weight_decay": 0.1}],
    "Adafactor": [{}, {"learning_rate": 0.5}, {"learning_rate": 0.9, "beta_2_decay": -0.5, "clip_threshold": 0.5,
                  "epsilon_1": 1e-3, "epsilon_2": 2.0, "weight_decay": 0.1}, {"learning_rate": 0.9, "relative_step": False}],
    "Muon": [{}, {"learning_rate": 0.1}, {"learning_rate": 0.1, "rms_rate": None, "nesterov": False, "momentum": 0.8,
             "ns_steps": 3, "adam_lr_ratio": 2, "weight_decay": 0.1, "adam_weight_decay": 0.2},
             {"learning_rate": 0.1, "exclude_layers": [""], "muon_a": 3.0}],
}  # fmt: skip
FLOATX = ("Adafactor", "Lamb", "Muon")
"""Those that Keras runs in the dtype of `floatx` alone."""
SCHEDULES = {
    "ExponentialDecay": [(0.1, 10, 0.5), (0.1, 10, 0.5, True)], "InverseTimeDecay": [(0.1, 10, 0.5), (0.1, 10, 0.5, True)],
    "PiecewiseConstantDecay": [([5, 20], [0.1, 0.05, 0.01])],
    "PolynomialDecay": [(0.1, 20, 0.01), (0.1, 20, 0.01, 2.0), (0.1, 8, 0.01, 0.5, True)],
    "CosineDecay": [(0.1, 20), (0.1, 20, 0.1), (0.0, 20, 0.1, "c", 0.2, 6)],
    "CosineDecayRestarts": [(0.1, 6), (0.1, 6, 1.0, 0.5), (0.1, 6, 1.5, 0.8, 0.1)],
}  # fmt: skip


def trajectory(optimizer, make, wrap=None, dtype="float32", steps=5):
    """Where two variables go in five steps; `make` makes a variable."""
    w, b = make(X.astype(dtype)), make(T[0].astype(dtype))

    def step(i):
        slope = np.cos(np.arange(18).reshape(6, 3) + i).astype(dtype)
        optimizer.apply_gradients([(w * 0.5 + slope, w), (b - slope[0], b)])

    take = wrap(step) if wrap else step
    found = []
    for i in range(steps):
        take(i)
        found += [np.asarray(w), np.asarray(b)]
    return [float(x) for a in found for x in a.ravel()[:5]]


def optimizers(keras):
    found = {}
    for name, cases in OPTIMIZERS.items():
        for keywords in cases:
            for dtype in ("float32", "float64"):
                if name in FLOATX:
                    keras.config.set_floatx(dtype)
                made = getattr(keras.optimizers, name)(**keywords)
                found[f"{name} {keywords} {dtype}"] = trajectory(
                    made, lambda a, dtype=dtype: keras.Variable(a, dtype=dtype), dtype=dtype
                )
                keras.config.set_floatx("float32")
                found[f"{name} {keywords} variables"] = [float(len(made.variables))]
    for name, cases in SCHEDULES.items():
        for arguments in cases:
            schedule = getattr(keras.optimizers.schedules, name)(*arguments)
            found[f"{name} {arguments}"] = [float(schedule(step)) for step in range(45)]
    return found


if __name__ == "__main__":
    import keras

    answers = {
        "keras": keras.__version__, "layers": layers(keras), "functions": functions(keras), "metrics": metrics(keras),
        "training": training(keras, keras.optimizers.SGD(0.1)), "optimizers": optimizers(keras),
    }  # fmt: skip
    json.dump(answers, sys.stdout, default=lambda a: np.asarray(a, dtype=float).round(7).tolist(), separators=(",", ":"))
