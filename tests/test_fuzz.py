"""Malformed calls of every public function: only Wengert's own exceptions come out, and nothing hangs.

An exception is our own if its class is one of `wengert.errors`, or if a ``raise`` of the package (or Python's check of
the call's signature) made it: a NumPy error, an AttributeError of None and their like are defects.

FUZZ_EXAMPLES in the environment sets the number of calls of each function; `make fuzz` makes many.
"""

import dis
import inspect
import os
import types
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wengert as tf
from wengert import errors
from wengert.ground.context import ROOT

OWN = (errors.OpError, errors.OperatorNotAllowedInGraphError, errors.InaccessibleTensorError)

# Not called with rubbish, each for its reason.
LEFT_OUT = {
    "while_loop": "a condition that never becomes false is a program that never ends",
    "print": "writes to standard error",
    "function": "a decorator: what it wraps is the user's code",
    "recompute_grad": "a decorator",
    "custom_gradient": "a decorator",
    "grad_pass_through": "a decorator",
    "py_function": "runs the user's code",
    "numpy_function": "runs the user's code",
    "py_func": "runs the user's code",
    "Print": "writes to standard error",
    "main": "runs a test program and exits",
    "disable_eager_execution": "changes the process",
    "enable_eager_execution": "changes the process",
    "disable_v2_behavior": "changes the process",
    "enable_v2_behavior": "changes the process",
    "disable_tensor_equality": "changes the process",
    "enable_tensor_equality": "changes the process",
    "disable_v2_tensorshape": "changes the process",
    "enable_v2_tensorshape": "changes the process",
    "enable_check_numerics": "changes the thread",
    "reset_default_graph": "changes the process",
    "run_functions_eagerly": "changes the process",
}


def public():
    """Return every public function and class constructor by its dotted name."""
    found = {}
    roots = [("tf", tf), ("tf.compat.v1", tf.compat.v1)]
    for name in ("math", "linalg", "nn", "random", "debugging", "autodiff", "bitwise", "nest"):
        roots.append((f"tf.{name}", getattr(tf, name)))
    seen = set()
    for prefix, module in roots:
        for name in dir(module):
            value = getattr(module, name)
            if name.startswith("_") or name in LEFT_OUT or isinstance(value, types.ModuleType):
                continue
            if inspect.isfunction(value) and id(value) not in seen and value.__module__.startswith("wengert"):
                seen.add(id(value))
                found[f"{prefix}.{name}"] = value
    return found


FUNCTIONS = public()


def values():
    """Return rubbish of many kinds, and some sound values among it."""
    array = st.sampled_from(
        [
            np.ones((2, 3), np.float32),
            np.array([1.0, -2.0, np.nan]),
            np.zeros((0, 3)),
            np.array([[1, 2], [3, 4]]),
            np.array(True),
            np.array([1 + 2j, 0]),
            np.float64(np.inf),
            np.array(["a", "b"]),
            np.ones((1, 2, 3, 1, 2)),
        ]
    )
    scalar = st.sampled_from([None, 0, 1, -1, 3, 2.5, -0.0, float("nan"), 2**40, -(2**70), True, 1j, "x", b"y", ..., slice(1)])
    tensor = st.sampled_from(["f2", "f23", "i3", "b2", "c", "v", "empty"]).map(made)
    leaf = st.one_of(scalar, array, tensor, st.sampled_from([tf.float32, tf.int32, "float32", "int64", object(), {}, [], ()]))
    return st.one_of(
        leaf, tensor, array, st.lists(leaf, max_size=3), st.lists(tensor, min_size=1, max_size=3),
        st.lists(st.integers(-3, 4), max_size=4), st.dictionaries(st.sampled_from("ab"), leaf, max_size=2),
    )  # fmt: skip


def made(kind):
    return {
        "f2": lambda: tf.constant([1.0, 2.0]),
        "f23": lambda: tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        "i3": lambda: tf.constant([0, 1, 2]),
        "b2": lambda: tf.constant([True, False]),
        "c": lambda: tf.constant(1.0 + 1.0j),
        "v": lambda: tf.Variable([[1.0, 2.0], [3.0, 4.0]]),
        "empty": lambda: tf.constant(np.zeros((0, 2), np.float32)),
    }[kind]()


def ours(error):
    """Whether an exception is one that the package means."""
    if isinstance(error, OWN):
        return True
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    if code.co_filename == __file__:
        return isinstance(error, TypeError)  # the call did not fit the signature
    if isinstance(error, TypeError) and ("argument" in str(error) and ("takes" in str(error) or "missing" in str(error))):
        return True
    if not code.co_filename.startswith(ROOT):
        return False
    return dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory):
    """Work in a folder of its own: write_file writes."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("fuzz"))
    yield
    os.chdir(before)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", 5)), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_malformed_calls(name, data):
    function = FUNCTIONS[name]
    parameters = [
        p for p in inspect.signature(function).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name != "name"
    ]  # fmt: skip
    needed = sum(p.default is p.empty for p in parameters)
    count = data.draw(st.integers(needed, min(len(parameters), needed + 2)), label="arguments")
    drawn = {p.name: data.draw(values(), label=p.name) for p in parameters[:count]}
    arguments = [drawn[p.name] for p in parameters[:count] if p.kind is p.POSITIONAL_ONLY]
    keywords = {p.name: drawn[p.name] for p in parameters[:count] if p.kind is not p.POSITIONAL_ONLY}
    symbolic = data.draw(st.booleans(), label="in a graph")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if symbolic:
                with tf.Graph().as_default():
                    function(*arguments, **keywords)
            else:
                result = function(*arguments, **keywords)
                if inspect.isgenerator(result):
                    result.close()
        except Exception as error:
            if not ours(error):
                raise


@pytest.mark.parametrize(
    "call",
    [
        lambda n: tf.zeros([n]), lambda n: tf.ones([n]), lambda n: tf.zeros([n], tf.string), lambda n: tf.eye(n),
        lambda n: tf.constant(1, shape=[n]), lambda n: tf.range(n), lambda n: tf.one_hot([1], n), lambda n: tf.tile([1], [n]),
        lambda n: tf.repeat([1], n), lambda n: tf.random.normal([n]), lambda n: tf.scatter_nd([[0]], [1], [n]),
        lambda n: tf.split([], n), lambda n: tf.dynamic_partition([1], [0], n), lambda n: tf.TensorArray(tf.int32, n),
        lambda n: tf.linspace(0.0, 1.0, n), lambda n: tf.pad([1], [[n, n]]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [2**50, 2**60])
def test_what_no_memory_holds_is_refused_at_once(call, size):
    with pytest.raises((errors.ResourceExhaustedError, errors.DTypeError)):
        call(size)
