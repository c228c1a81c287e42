"""What ``==`` compares: values in eager code and its functions; identity wherever a static graph is around, as in TensorFlow."""

import pytest

import wengert as wg


def compared(x):
    return [type(x == 0.0), type(x != 0.0)]


def in_loop(x):
    found = []
    wg.while_loop(lambda i, v: i < 3, lambda i, v: found.extend(compared(v)) or (i + 1, v), (wg.constant(0), x))
    return found


def in_branch(x):
    found = []
    wg.cond(x > 0.0, lambda: found.extend(compared(x * 2.0)) or x, lambda: x)
    return found


def in_function(x):
    found = []
    wg.function(lambda v: found.extend(compared(v)) or v)(x)
    return found


def in_map(x):
    found = []
    wg.map_fn(lambda v: found.extend(compared(v)) or v, wg.stack([x, x]))
    return found


@pytest.mark.parametrize("within", [compared, in_loop, in_branch, in_function, in_map])
def test_a_static_graph_compares_identity_in_all_that_is_within_it(within):
    with wg.Graph().as_default():
        assert set(within(wg.constant(2.0))) == {bool}


@pytest.mark.parametrize("within", [compared, in_loop, in_branch, in_function, in_map])
def test_eager_code_and_its_functions_compare_values(within):
    assert bool not in within(wg.constant(2.0))


def test_eager_tensors_and_variables_in_a_static_graph():
    x = wg.constant(2.0)
    with wg.Graph().as_default():
        v = wg.Variable(2.0)
        assert (x == x) is True and (x == 2.0) is False and (x != 2.0) is True
        assert (v == v) is True and (v == 2.0) is False
    assert bool(x == 2.0)
