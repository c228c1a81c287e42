"""Containers that say themselves what they hold: attrs classes, TensorFlow's protocol, mappings of their own."""

import collections
import dataclasses

import pytest

import wengert as tf


@dataclasses.dataclass
class Tagged:
    """Says by TensorFlow's protocol that it holds two parts, and a tag beside them."""

    a: object
    b: object
    tag: str

    def __tf_flatten__(self):
        return (self.tag,), (self.a, self.b)

    @classmethod
    def __tf_unflatten__(cls, metadata, components):
        return cls(*components, *metadata)


class Attribute:
    """An entry of ``__attrs_attrs__``."""

    def __init__(self, name):
        self.name = name


class Pair:
    """As attrs makes classes: their attributes in order, which its __init__ takes."""

    __attrs_attrs__ = (Attribute("second"), Attribute("first"))

    def __init__(self, second, first):
        self.second, self.first = second, first

    def __eq__(self, other):
        return (self.second, self.first) == (other.second, other.first)


def test_attrs_classes_and_those_of_the_protocol():
    pair = Pair([1, 2], {"z": 3, "y": 4})
    assert tf.nest.is_nested(pair) and tf.nest.flatten(pair) == [1, 2, 4, 3]
    assert tf.nest.map_structure(lambda x: 2 * x, pair) == Pair([2, 4], {"z": 6, "y": 8})
    tagged = Tagged(1, [2, 3], "t")
    assert tf.nest.is_nested(tagged) and tf.nest.flatten(tagged) == [1, 2, 3]
    assert tf.nest.map_structure(lambda x: x + 1, tagged) == Tagged(2, [3, 4], "t")
    assert not tf.nest.is_nested(dataclasses.make_dataclass("Plain", ["a"])(1))
    with pytest.raises(TypeError, match="sequence type"):
        tf.nest.assert_same_structure(pair, Tagged([1, 2], {"z": 3, "y": 4}, "t"))
    tf.nest.assert_same_structure(pair, Tagged([1, 2], {"z": 3, "y": 4}, "t"), check_types=False)


def test_attrs_of_the_library_itself():
    attr = pytest.importorskip("attr", reason="attrs is not installed")
    made = attr.make_class("Made", ["b", "a"])
    assert tf.nest.map_structure(lambda x: x + 1, made([1], 2)) == made([2], 3)


def test_a_mapping_keeps_its_kind():
    counts = collections.defaultdict(list, b=1, a=2)
    result = tf.nest.map_structure(lambda x: x + 1, counts)
    assert result == {"a": 3, "b": 2} and result["new"] == []


def test_they_go_through_functions_and_control_flow():
    @tf.function
    def swapped(pair):
        return Pair(pair.first, pair.second)

    one, two = tf.constant(1.0), tf.constant(2.0)
    result = swapped(Pair(one, two))
    assert (float(result.second), float(result.first)) == (2.0, 1.0)
    swapped(Pair(two, one))
    assert swapped.experimental_get_tracing_count() == 1
    traces = tf.function(lambda tagged: tagged.a)
    for tag in ("t", "t", "u"):
        traces(Tagged(one, two, tag))
    assert traces.experimental_get_tracing_count() == 2
    chosen = tf.function(lambda x: tf.cond(x > 0.0, lambda: Pair(x, 2.0), lambda: Pair(-x, 4.0)))(tf.constant(-3.0))
    assert (float(chosen.second), float(chosen.first)) == (3.0, 4.0)
    (last,) = tf.while_loop(lambda p: p.second < 4.0, lambda p: (Pair(p.second + 1.0, p.first * 2.0),), (Pair(one, one),))
    assert (float(last.second), float(last.first)) == (4.0, 8.0)
