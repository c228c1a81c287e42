"""Records what Keras's layers of images, of categories and of fields answer.

`python tests/keras/record_images.py > tests/keras/images-keras-3.15.json`. The functions below use nothing but names that both
have; the tests call them with `wengert.keras` in Keras's place.
"""

import json
import sys

import numpy as np

rng = np.random.RandomState(7)
IMAGES = (255 * rng.rand(2, 5, 6, 3)).astype("float32")
SEQUENCE, FILMS = rng.randn(2, 5, 4).astype("float32"), rng.randn(2, 3, 5, 4, 2).astype("float32")
MASK = np.array([[True, True, False, True, False], [False, True, True, True, True]])


class Fixed:
    """Deterministic weights, which differ from layer to layer by nothing but their shape."""

    def __call__(self, shape, dtype=None):
        n = int(np.prod(shape))
        return (np.cos(1.0 + 0.7 * np.arange(n)) * 0.6).reshape(shape).astype("float32")

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()


def images(keras):
    """Layers whose factors leave nothing to chance."""
    L = keras.layers
    return {
        "resizing": L.Resizing(7, 4), "nearest": L.Resizing(3, 9, "nearest"), "bicubic": L.Resizing(7, 9, "bicubic"),
        "antialias": L.Resizing(3, 2, antialias=True), "cropped": L.Resizing(4, 3, crop_to_aspect_ratio=True),
        "padded": L.Resizing(4, 9, pad_to_aspect_ratio=True, fill_value=3.0), "middle": L.CenterCrop(3, 4),
        "middle_of_small": L.CenterCrop(7, 8), "scaled": L.Rescaling(1 / 255, offset=-0.5),
        "rotated": L.RandomRotation((0.1, 0.1)), "rotated_plain": L.RandomRotation((-0.2, -0.2), "reflect", "nearest"),
        "rotated_constant": L.RandomRotation((0.3, 0.3), "constant", fill_value=2.0),
        "rotated_nearest": L.RandomRotation((0.07, 0.07), "nearest"), "zoomed": L.RandomZoom((0.3, 0.3)),
        "zoomed_apart": L.RandomZoom((-0.3, -0.3), (0.2, 0.2), "constant"),
        "moved": L.RandomTranslation((0.25, 0.25), (-0.1, -0.1)), "moved_far": L.RandomTranslation((-0.4, -0.4), (0.3, 0.3)),
        "brighter": L.RandomBrightness((0.2, 0.2)), "darker": L.RandomBrightness((-0.3, -0.3), (0, 128)),
        "grey": L.RandomGrayscale(1.0), "not_grey": L.RandomGrayscale(0.0), "still": L.RandomContrast(0.0),
        "cut_of_small": L.RandomCrop(5, 3), "cut_of_smaller": L.RandomCrop(7, 9),
        "up_bicubic": L.UpSampling2D((2, 3), interpolation="bicubic"), "up_lanczos": L.UpSampling2D(2, interpolation="lanczos3"),
        "up_bilinear": L.UpSampling2D((3, 2), interpolation="bilinear"), "adaptive_average": L.AdaptiveAveragePooling2D((3, 2)),
        "adaptive_max": L.AdaptiveMaxPooling2D(4),
    }  # fmt: skip


def both(name, layer):
    """The values of a batch, and of an image alone where a layer takes one."""
    return [layer(IMAGES)] if name.startswith(("up", "adaptive")) else [layer(IMAGES), layer(IMAGES[0])]


def fields(keras):
    """Values of layers of sequences of fields, of attention and of what wraps layers."""
    L, k, found, tensor = keras.layers, Fixed(), {}, keras.ops.convert_to_tensor
    made = {"kernel_initializer": k, "recurrent_initializer": k, "bias_initializer": k}
    for name, layer in {
        "film": L.ConvLSTM2D(3, 2, **made), "film_same": L.ConvLSTM2D(2, (3, 2), padding="same", return_sequences=True, **made),
        "film_strides": L.ConvLSTM2D(2, 2, strides=(2, 1), return_state=True, unit_forget_bias=False, **made),
        "film_back": L.ConvLSTM2D(2, 2, dilation_rate=2, padding="same", go_backwards=True, use_bias=False,
                                  activation="relu", recurrent_activation="hard_sigmoid", **made),
    }.items():  # fmt: skip
        found[name] = layer(FILMS)
    found["film_mask"] = L.ConvLSTM2D(2, 2, return_sequences=True, **made)(FILMS, mask=tensor(MASK[:, :3]))
    found["line"] = L.ConvLSTM1D(3, 2, **made)(FILMS[:, :, 0])
    found["volume"] = L.ConvLSTM3D(2, 2, padding="same", **made)(FILMS[..., None, :])
    found["adaptive1"] = [L.AdaptiveAveragePooling1D(3)(SEQUENCE), L.AdaptiveMaxPooling1D(4)(SEQUENCE)]
    found["adaptive3"] = [L.AdaptiveAveragePooling3D((2, 3, 1))(FILMS), L.AdaptiveMaxPooling3D(2)(FILMS)]
    query, value, key = SEQUENCE[:, :3], SEQUENCE, np.cos(SEQUENCE)
    few = {"kernel_initializer": k, "bias_initializer": k}
    ways = {
        "": {}, "_causal": {"use_causal_mask": True},
        "_mask": {"query_mask": tensor(MASK[:, :3]), "value_mask": tensor(MASK), "return_attention_scores": True},
        "_pairs": {"attention_mask": tensor(np.broadcast_to(MASK[:, None], (2, 3, 5)))},
        "_scores": {"return_attention_scores": True},
    }  # fmt: skip
    for way, given in ways.items():
        for name, chosen in {"": {}, "_gate": {"use_gate": True}, "_window": {"sliding_window": 2}}.items():
            found[f"groups{name}{way}"] = L.GroupQueryAttention(3, 4, 2, **few, **chosen)(query, value, key, **given)
            if name and "mask" not in way:
                found[f"heads{name}{way}"] = L.MultiHeadAttention(2, 3, **few, **chosen)(query, value, key, **given)
    found["heads_both"] = L.MultiHeadAttention(2, 3, use_gate=True, sliding_window=1, value_dim=2, **few)(query, value, key)
    layer = L.SpectralNormalization(L.Conv1D(3, 2, **few), power_iterations=3)
    layer.build(SEQUENCE.shape)
    layer.vector_u.assign(np.array([[0.5, -0.2, 0.1]], "float32"))
    found["spectral"] = [layer(SEQUENCE), layer(SEQUENCE, training=True), layer.kernel, layer.vector_u, layer(SEQUENCE)]
    layer = L.TimeDistributed(L.BatchNormalization(momentum=0.5))
    found["steps"] = [layer(SEQUENCE, training=True), *layer.get_weights(), layer(SEQUENCE)]
    return {name: v if isinstance(v, list | tuple) else [v] for name, v in found.items()}


def paths(keras):
    """The weights of layers: their names, and their shapes."""
    keras.backend.clear_session()
    L, found = keras.layers, {}
    for layer, given in (
        (L.ConvLSTM2D(3, 2), (FILMS,)), (L.GroupQueryAttention(3, 4, 2, use_gate=True), (SEQUENCE, SEQUENCE)),
        (L.MultiHeadAttention(2, 3, use_gate=True), (SEQUENCE, SEQUENCE)), (L.SpectralNormalization(L.Dense(2)), (SEQUENCE,)),
    ):  # fmt: skip
        layer(*given)
        found[layer.name] = [[w.path, list(w.shape)] for w in layer.weights]
    return found


def arguments(keras):
    """The names of the arguments that make a layer again."""
    L = keras.layers
    made = [*images(keras).values(), L.ConvLSTM2D(2, 2), L.GroupQueryAttention(3, 4, 2), L.SpectralNormalization(L.Dense(2)),
            L.RandomFlip(), L.RandomShear(0.1, 0.2), L.CategoryEncoding(3), L.Discretization([1.0]), L.Hashing(3),
            L.StringLookup(), L.IntegerLookup(), L.TextVectorization()]  # fmt: skip
    return {type(layer).__name__: sorted(layer.get_config()) for layer in made}


WORDS = np.array([["a", "b"], ["zz", "a"], ["", "q"]])
TEXTS = [
    "The Brain is wider than the Sky",
    "For put them side by side",
    "The one the other will contain!",
    "With ease, and you beside",
]


def categories(keras):
    """Values of layers of categories and words: each has its dtype."""
    L, found = keras.layers, {}
    numbers = np.array([[1, 3], [0, 0], [3, 5]])
    for mode in ("one_hot", "multi_hot", "count"):
        found[f"encoding_{mode}"] = L.CategoryEncoding(7, mode)(numbers[:, :1] if mode == "one_hot" else numbers)
        found[f"encoding_{mode}_row"] = L.CategoryEncoding(7, mode)(numbers[0])
        found[f"cut_{mode}"] = L.Discretization([-1.0, 0.0, 0.5], output_mode=mode)(SEQUENCE[0])
        found[f"hashed_{mode}"] = L.Hashing(5, output_mode=mode)(WORDS)
        found[f"strings_{mode}"] = L.StringLookup(vocabulary=["a", "b", "c"], output_mode=mode)(WORDS)
        found[f"integers_{mode}"] = L.IntegerLookup(vocabulary=[3, 1, 7], output_mode=mode, mask_token=0)(numbers)
    found["weighted"] = L.CategoryEncoding(7, "count")(numbers, count_weights=np.array([[0.5, 1.0], [2.0, 3.0], [1.0, 1.0]]))
    found["cut"] = L.Discretization([-1.0, 0.0, 0.5])(np.array([[-2.0, -1.0], [0.25, 7.0]], "float32"))
    for count in (3, 4):
        layer = L.Discretization(num_bins=count)
        layer.adapt(np.sort(SEQUENCE.ravel()))
        found[f"found_{count}"], found[f"ends_{count}"] = layer(SEQUENCE), np.array(layer.bin_boundaries)
    found["hashed"], found["hashed_numbers"] = L.Hashing(50)(WORDS), L.Hashing(50)(numbers)
    found["salted"] = [L.Hashing(50, salt=133)(WORDS), L.Hashing(50, salt=[1, 7])(numbers), L.Hashing(50, mask_value="a")(WORDS)]
    for name, keywords in {"": {}, "_mask": {"mask_token": "a"}, "_several": {"num_oov_indices": 3},
                           "_both": {"num_oov_indices": 2, "mask_token": ""}}.items():  # fmt: skip
        layer = L.StringLookup(vocabulary=["b", "c", "q"], **keywords)
        found[f"strings{name}"], found[f"words{name}"] = layer(WORDS), layer.get_vocabulary()
    found["back"] = L.StringLookup(vocabulary=["b", "c"], invert=True, mask_token="")(np.array([[2, 0], [1, 9]]))
    layer = L.StringLookup(max_tokens=4)
    layer.adapt(np.array(["b", "c", "b", "a", "c", "b", "d"]))
    found["adapted"] = [layer.get_vocabulary(), layer(WORDS)]
    for keywords in ({}, {"num_oov_indices": 2}, {"num_oov_indices": 2, "oov_method": "farmhash"}, {"mask_token": 0}):
        layer = L.IntegerLookup(**keywords)
        layer.adapt(np.array([3, 3, 5, 7, 5, 3]))
        found[f"integers{sorted(keywords)}"] = [np.array(layer.get_vocabulary()), layer(numbers)]
    layer = L.IntegerLookup(vocabulary=[10, 20], output_mode="tf_idf", idf_weights=[0.25, 2.0])
    found["idf"] = layer(np.array([[10, 10, 20], [5, 20, 5]]))
    layer = L.StringLookup(output_mode="tf_idf", max_tokens=6, pad_to_max_tokens=True)
    layer.adapt(np.array([["a", "b"], ["a", "a"], ["c", "a"]]))
    found["idf_adapted"] = [layer.get_vocabulary(), layer(WORDS)]
    for name, keywords in {
        "": {}, "_long": {"output_sequence_length": 9}, "_short": {"output_sequence_length": 3},
        "_few": {"max_tokens": 5}, "_lower": {"standardize": "lower"}, "_none": {"standardize": None},
        "_letters": {"split": "character"}, "_pairs": {"ngrams": 2}, "_threes": {"ngrams": (3,)},
        "_hot": {"output_mode": "multi_hot"}, "_count": {"output_mode": "count", "ngrams": 2, "max_tokens": 9},
        "_idf": {"output_mode": "tf-idf"}, "_padded": {"output_mode": "multi_hot", "max_tokens": 40, "pad_to_max_tokens": True},
    }.items():  # fmt: skip
        layer = L.TextVectorization(**keywords)
        layer.adapt(TEXTS)
        found[f"text{name}"] = [layer.get_vocabulary(), layer(["the sky, beside you", "Brain?"]), layer("the one")]
    layer = L.TextVectorization(vocabulary=["sky", "brain"])
    found["text_given"] = [layer(np.array([["sky brain x"], ["brain"]])), layer.get_vocabulary(include_special_tokens=False)]
    return {name: v if isinstance(v, list) and not isinstance(v[0], str) else [v] for name, v in found.items()}


def told(value):
    """A value as [dtype, numbers or words]."""
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        words = [w.decode() if isinstance(w, bytes) else str(w) for w in array.ravel().tolist()]
        return ["string", np.array(words, object).reshape(array.shape).tolist()]
    return [str(array.dtype), np.round(array.astype("float64"), 6).tolist()]


if __name__ == "__main__":
    import keras

    def rounded(values):
        return [np.round(np.asarray(v).astype("float64"), 5).tolist() for v in values]

    recorded = {
        "keras": keras.__version__,
        "images": {name: rounded(both(name, layer)) for name, layer in images(keras).items()},
        "fields": {name: rounded(values) for name, values in fields(keras).items()},
        "categories": {name: [told(v) for v in values] for name, values in categories(keras).items()},
        "paths": paths(keras), "arguments": arguments(keras),
    }  # fmt: skip
    json.dump(recorded, sys.stdout)
