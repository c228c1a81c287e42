"""What a program's own classes say to Wengert, and what it says of itself: tensors, trace types, modules, variables, traces."""

import numpy as np
import pytest

import wengert as tf
from wengert.errors import InvalidArgumentError


class Said:
    """Says by ``__tf_tensor__`` which tensor it is, and notes the dtypes that it is asked for."""

    def __init__(self, value=4.0):
        self.value, self.asked = value, []

    def __tf_tensor__(self, dtype=None, name=None):
        self.asked.append(dtype)
        return tf.constant(self.value, dtype)


class Registered(Said):
    """The same by a function that is registered, for this class and those below it."""

    __tf_tensor__ = None


class Below(Registered):
    """A class below."""


tf.register_tensor_conversion_function(
    Registered, lambda v, dtype=None, name=None, as_ref=False: v.asked.append(dtype) or tf.constant(v.value, dtype)
)

USES = {
    "a function": (lambda x: tf.add(x, 1.0), 5.0, "float32"),
    "an operator": (lambda x: tf.constant(1.0) + x, 5.0, "float32"),
    "reflected": (lambda x: x - tf.constant(1.0), 3.0, "float32"),
    "another dtype": (lambda x: tf.constant(2.0, tf.float64) * x, 8.0, "float64"),
    "converted": (lambda x: tf.convert_to_tensor(x, tf.float64), 4.0, "float64"),
    "cast": (lambda x: tf.cast(x, tf.int32), 4, "int32"),
    "stacked": (lambda x: tf.reduce_sum(tf.stack([x, 1.0])), 5.0, "float32"),
    "in a list": (lambda x: tf.reduce_sum(tf.convert_to_tensor([1.0, x])), 5.0, "float32"),
    "a variable": (lambda x: tf.Variable(x).read_value(), 4.0, "float32"),
    "assigned": (lambda x: tf.Variable(0.0, dtype=tf.float64).assign(x).read_value(), 4.0, "float64"),
    "captured": (lambda x: tf.function(lambda: tf.square(x))(), 16.0, "float32"),
    "an argument": (lambda x: tf.function(lambda a: a if isinstance(a, Said) else tf.constant(0.0))(x), 4.0, "float32"),
}


@pytest.mark.parametrize("kind", [Said, Registered, Below])
@pytest.mark.parametrize("use", USES)
def test_objects_that_are_tensors(kind, use):
    function, value, dtype = USES[use]
    result = function(kind())
    assert (result.numpy(), result.dtype.name) == (value, dtype)


def test_objects_that_are_tensors_are_asked_for_a_dtype():
    x = Said()
    tf.constant(1.0, tf.float64) * x
    assert x.asked == [tf.float64]
    assert not tf.is_tensor(x)
    with pytest.raises((TypeError, InvalidArgumentError), match="int32"):
        tf.convert_to_tensor(x, tf.int32)

    class Wrong:
        def __tf_tensor__(self, dtype=None, name=None):
            return NotImplemented

    with pytest.raises(InvalidArgumentError, match="unsupported type"):
        tf.add(Wrong(), 1.0)


def test_a_derivative_passes_through_them():
    v = tf.Variable(3.0)

    class Square:
        def __tf_tensor__(self, dtype=None, name=None):
            return v * v

    for read in (lambda: tf.constant(2.0) * Square(), tf.function(lambda: tf.multiply(Square(), 2.0))):
        with tf.GradientTape() as tape:
            y = read()
        assert float(tape.gradient(y, v)) == 12.0


def test_objects_that_say_of_which_type_they_are_share_a_trace():
    class Kind(tf.types.experimental.TraceType):
        def __init__(self, fruit):
            self.fruit = fruit

        def is_subtype_of(self, other):
            return self == other

        def most_specific_common_supertype(self, others):
            return self if all(self == other for other in others) else None

        def placeholder_value(self, placeholder_context=None):
            return self.fruit

        def __eq__(self, other):
            return type(other) is Kind and other.fruit.name == self.fruit.name

        def __hash__(self):
            return hash(self.fruit.name)

    class Fruit:
        def __init__(self, name):
            self.name = name

        def __tf_tracing_type__(self, context):
            return Kind(self)

    traced = []

    @tf.function
    def size(fruit, x):
        traced.append(fruit.name)
        return x * len(fruit.name)

    assert [float(size(Fruit(n), tf.constant(2.0))) for n in ("fig", "fig", "apple", "fig")] == [6.0, 6.0, 10.0, 6.0]
    assert traced == ["fig", "apple"]


class Inner(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(1.0, name="w")
        self.parts = [tf.Variable(2.0), {"k": tf.Variable(3.0)}]


class Outer(tf.Module):
    _TF_MODULE_IGNORED_PROPERTIES = frozenset({"left_out", *tf.Module._TF_MODULE_IGNORED_PROPERTIES})

    def __init__(self):
        super().__init__()
        self.inner = Inner()
        self.again = self.inner
        self.left_out = tf.Variable(9.0)
        self.z = tf.Variable(8.0)


def test_what_a_module_holds():
    """The order is TensorFlow 2.21's: a module's own by name, then that of each module below it in full."""
    outer = Outer()
    assert [float(v) for v in outer.variables] == [8.0, 2.0, 3.0, 1.0]
    found = outer._flatten(predicate=lambda o: isinstance(o, tf.Variable), with_path=True)
    below = [("parts", 0), ("parts", 1, "k"), ("w",)]
    assert [path for path, _ in found] == [("z",), *[("again", *p) for p in below], *[("inner", *p) for p in below]]
    only = outer._flatten(recursive=False, predicate=lambda o: isinstance(o, tf.Variable))
    assert [float(v) for v in only] == [8.0]
    backwards = outer._flatten(
        attribute_traversal_key=lambda name: [-ord(c) for c in name], predicate=lambda o: isinstance(o, Inner)
    )
    assert list(backwards) == [outer.inner]
    deep = [tf.Module() for _ in range(4)]
    deep[0].a, deep[0].b, deep[1].c = deep[1], deep[2], deep[3]
    deep[1].v, deep[2].v, deep[3].v = (tf.Variable(float(k)) for k in (1, 2, 3))
    assert [float(v) for v in deep[0].variables] == [1.0, 3.0, 2.0]
    deep[3].d = deep[0]  # a circle ends
    assert len(list(deep[0]._flatten(with_path=True, predicate=lambda o: isinstance(o, tf.Variable)))) == 3


def test_each_variable_has_a_text_of_its_own():
    variables = [tf.Variable(1.0), tf.Variable(1.0)]
    assert len({v._unique_id for v in variables}) == 2 and all(v._unique_id.startswith("Variable_") for v in variables)


def test_a_trace_in_words():
    trace = tf.function(lambda a, b: a * 2.0).get_concrete_function(tf.constant(1.0), b=3)
    spec = "TensorSpec(shape=(), dtype=tf.float32, name=None)"
    assert str(trace.function_type) == repr(trace.function_type) == f"(a: {spec}, b: Literal[3]) -> {spec}"
    assert repr(trace.function_type.output) == spec and list(trace.function_type.parameters) == ["a", "b"]
    assert trace.pretty_printed_signature() == (
        f"Input Parameters:\n  a (POSITIONAL_OR_KEYWORD): {spec}\n  b (POSITIONAL_OR_KEYWORD): Literal[3]\n"
        f"Output Type:\n  {spec}\nCaptures:\n  None"
    )
    assert trace.pretty_printed_signature(verbose=False) == str(trace.function_type)
    assert float(trace.inference_fn(tf.constant(2.0))) == 4.0


def test_a_permutation_that_is_computed():
    """Its rank is kept, and its values where they follow from shapes."""
    x = tf.reshape(tf.range(24.0), [2, 4, 3])
    shapes = {}

    def turned(x, perm):
        result = tf.transpose(x, perm(tf.rank(x)))
        shapes["static"] = result.shape
        return result

    perms = {
        "to the front": (lambda n: tf.concat([[n - 1], tf.range(n - 1)], 0), (2, 0, 1)),
        "swapped": (lambda n: tf.concat([tf.range(n - 2), [n - 1, n - 2]], 0), (0, 2, 1)),
        "reversed": (lambda n: tf.range(n)[::-1], (2, 1, 0)),
        "by difference": (lambda n: n - 1 - tf.range(n), (2, 1, 0)),
    }
    for perm, axes in perms.values():
        wanted = np.transpose(x.numpy(), axes)
        assert np.array_equal(tf.function(lambda x, perm=perm: turned(x, perm))(x), wanted)
        assert shapes["static"] == wanted.shape
        unknown = tf.function(lambda x, perm=perm: turned(x, perm), input_signature=[tf.TensorSpec(None)])
        assert np.array_equal(unknown(x), wanted) and shapes["static"].rank is None
    given = tf.function(lambda x, perm: turned(x, lambda _: perm))
    for order in ([2, 0, 1], [-1, 0, 1]):
        assert np.array_equal(given(x, tf.constant(order)), np.transpose(x.numpy(), order))
        assert shapes["static"].as_list() == [None, None, None]
    with pytest.raises(InvalidArgumentError, match="each axis"):
        given(x, tf.constant([2, 0, 0]))
    with pytest.raises(ValueError, match="perm names 2 axes"):
        given(x, tf.constant([1, 0]))
