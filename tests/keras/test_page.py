"""The page on Keras names what is there, and what it says is left out is not there."""

from pathlib import Path

import pytest

from wengert import keras

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "keras.md").read_text(encoding="utf-8")
KINDS = {
    "layers": keras.layers.Layer,
    "optimizers": keras.optimizers.Optimizer,
    "optimizers.schedules": keras.optimizers.schedules.LearningRateSchedule,
    "callbacks": keras.callbacks.Callback,
}


@pytest.mark.parametrize("room", KINDS)
def test_the_page_names_what_is_there(room):
    module, kind = keras, KINDS[room]
    for part in room.split("."):
        module = getattr(module, part)
    classes = [getattr(module, name) for name in module.__all__]
    classes = [c for c in classes if isinstance(c, type) and issubclass(c, kind) and c is not kind]
    assert len(classes) > 5 and [c.__name__ for c in classes if f"`{c.__name__}`" not in PAGE] == []


def test_what_is_left_out_is_not_there():
    for name in ("layers.STFTSpectrogram", "layers.HashedCrossing", "layers.RandomHue",
                 "optimizers.ScheduleFreeAdamW", "callbacks.SwapEMAWeights",
                 "ops.ctc_decode"):  # fmt: skip
        room, one = name.split(".")
        assert not hasattr(getattr(keras, room), one), name
    assert [name for name in ("cifar10", "imdb", "reuters") if hasattr(keras.datasets, name)] == []
    assert [name for name in ("EfficientNetB0", "DenseNet121", "InceptionV3") if hasattr(keras.applications, name)] == []
