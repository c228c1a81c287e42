"""`summary` shows the cells that Keras 3.15's shows for the same models; the widths are its own."""

import re

import numpy as np
import pytest

import wengert as tf

L = tf.keras.layers


def shown(model, **how):
    """The cells of the table by rows, lines of one row joined, and the lines below it."""
    lines = []
    model.summary(print_fn=lines.append, line_length=120, **how)
    rows, below = [], []
    for line in lines:
        if line[:1] in ("┃", "│"):
            rows.append([cell.strip() for cell in re.split("[┃│]", line)[1:-1]])
        elif line.startswith(" "):
            below.append(line.strip())
    return rows, below


@pytest.fixture(autouse=True)
def fresh():
    tf.keras.backend.clear_session()


def branched():
    x = tf.keras.Input((3,), name="xin")
    return tf.keras.Model(x, L.Add()([L.Dense(4)(x), L.Dense(4, name="bb")(x)]))


def test_layers_one_after_another():
    model = tf.keras.Sequential([L.Input((3,)), L.Dense(4, name="first"), L.BatchNormalization(), L.Dense(1)])
    rows, below = shown(model)
    assert rows == [
        ["Layer (type)", "Output Shape", "Param #"], ["first (Dense)", "(None, 4)", "16"],
        ["batch_normalization (BatchNormalization)", "(None, 4)", "16"], ["dense (Dense)", "(None, 1)", "5"],
    ]  # fmt: skip
    assert below == ["Total params: 37 (148.00 B)", "Trainable params: 29 (116.00 B)", "Non-trainable params: 8 (32.00 B)"]


def test_branches_say_what_is_connected():
    assert shown(branched())[0] == [
        ["Layer (type)", "Output Shape", "Param #", "Connected to"], ["xin (InputLayer)", "(None, 3)", "0", "-"],
        ["dense (Dense)", "(None, 4)", "16", "xin[0][0]"], ["bb (Dense)", "(None, 4)", "16", "xin[0][0]"],
        ["add (Add)", "(None, 4)", "0", "dense[0][0], bb[0][0]"],
    ]  # fmt: skip


def test_a_shared_layer_tells_each_of_its_calls():
    x, z = tf.keras.Input((3,), name="x"), tf.keras.Input((3,), name="z")
    shared = L.Dense(2, name="shared")
    rows, _ = shown(tf.keras.Model([x, z], L.Concatenate(name="both")([shared(x), shared(z)])))
    assert [row[3] for row in rows[3:]] == ["x[0][0], z[0][0]", "shared[0][0], shared[1][0]"]


def test_what_is_trained_and_what_the_optimizer_keeps():
    model = branched()
    model.layers[1].trainable = False
    model.compile("adam", "mse")
    model.fit(np.ones((2, 3)), np.ones((2, 4)), verbose=0)
    rows, below = shown(model, show_trainable=True)
    assert [row[4] for row in rows] == ["Trainable", "-", "N", "Y", "-"]
    assert below == [
        "Total params: 66 (268.00 B)", "Trainable params: 16 (64.00 B)", "Non-trainable params: 16 (64.00 B)",
        "Optimizer params: 34 (140.00 B)",
    ]  # fmt: skip


def test_models_within_models_and_layers_without_weights_yet():
    assert shown(tf.keras.Sequential([L.Dense(2)]))[0][1] == ["dense (Dense)", "?", "0 (unbuilt)"]
    x = tf.keras.Input((3,), name="xin")
    model = tf.keras.Model(x, tf.keras.Sequential([L.Dense(2)], name="inner")(x))
    rows, _ = shown(model, expand_nested=True)
    assert rows[1:] == [
        ["xin (InputLayer)", "(None, 3)", "0"], ["inner (Sequential)", "(None, 2)", "8"], ["└ dense_1 (Dense)", "(None, 2)", "8"]
    ]  # fmt: skip


def test_operations_and_a_range_of_layers():
    x = tf.keras.Input((3,), name="xin")
    model = tf.keras.Model(x, L.Dense(2, name="end")(2.0 * x))
    rows, _ = shown(model)
    assert [row[0].partition(" ")[0] for row in rows[1:]] == ["xin", "mul", "end"] and len(rows[0]) == 3
    assert len(shown(model, layer_range=["xin", "mul"])[0]) == 3
    with pytest.raises(ValueError, match="do not match"):
        model.summary(layer_range=["nothing", "end"])
