"""Records what Keras's published architectures answer.

`python tests/keras/record_applications.py > tests/keras/applications-keras-3.15.json` where Keras is installed.

Of each: how many weights there are, their names and shapes as one number, and what a small image gives with weights that are
decided by their shapes.
"""

import json
import sys
import zlib

import numpy as np

MADE = {
    "Xception": {"include_top": False, "input_shape": (71, 71, 3), "pooling": "avg"},
    "VGG16": {"include_top": False, "input_shape": (32, 32, 3)}, "VGG19": {"include_top": False, "input_shape": (32, 32, 3)},
    "ResNet50": {"input_shape": (40, 40, 3), "classes": 7},
    "MobileNetV2": {"input_shape": (47, 64, 3), "alpha": 0.5, "classes": 5},
}  # fmt: skip


def weight(path, shape):
    """Weights that keep the size of what goes through: drawn by the name of each."""
    rng = np.random.RandomState(zlib.crc32("/".join(path.split("/")[-2:]).encode()))
    if path.endswith("variance"):
        return rng.uniform(0.5, 1.5, shape).astype("float32")
    if len(shape) == 1:
        return (rng.uniform(0.8, 1.2, shape) if path.endswith("gamma") else 0.1 * rng.randn(*shape)).astype("float32")
    inside = int(np.prod(shape[:-1])) if "depthwise" not in path else int(np.prod(shape[:2]))
    return (rng.randn(*shape) * np.sqrt(1.6 / inside)).astype("float32")


def values(keras, name):
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(weights=None, **MADE[name])
    model.set_weights([weight(w.path, tuple(w.shape)) for w in model.weights])
    h, w, _ = MADE[name]["input_shape"]
    x = np.sin(np.arange(h * w * 3) ** 1.1).reshape(1, h, w, 3).astype("float32")
    y = np.asarray(model(x, training=False)).ravel()
    names = [[w.path, list(w.shape)] for w in model.weights]
    told = [model.count_params(), len(names), zlib.crc32(json.dumps(names).encode())]
    return told, [layer.name for layer in model.layers], y[:: max(1, len(y) // 12)].tolist()


if __name__ == "__main__":
    import keras

    json.dump({name: values(keras, name) for name in MADE}, sys.stdout)
