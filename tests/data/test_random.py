"""What is random in datasets: the order of `shuffle`, the numbers that functions draw, choices."""

import numpy as np
import pytest

import wengert as tf

D = tf.data.Dataset


@pytest.fixture(autouse=True)
def no_seed_is_left():
    yield
    tf.random.set_seed(None)


def listed(dataset):
    return [v.tolist() for v in dataset.as_numpy_iterator()]


def test_each_element_once_in_another_order():
    orders = {tuple(listed(D.range(20).shuffle(20))) for _ in range(4)}
    assert len(orders) > 1 and all(sorted(order) == list(range(20)) for order in orders)


def test_a_buffer_keeps_elements_near():
    for _ in range(5):
        order = listed(D.range(100).shuffle(5))
        assert sorted(order) == list(range(100))
        assert all(value <= place + 4 for place, value in enumerate(order))
    assert listed(D.range(5).shuffle(1)) == [0, 1, 2, 3, 4]


def test_every_order_is_as_likely():
    tf.random.set_seed(0)
    dataset = D.range(3).shuffle(3)
    orders = [tuple(listed(dataset)) for _ in range(600)]
    counts = [orders.count(order) for order in set(orders)]
    # Six orders, 100 of each expected; the chi-squared statistic with 5 degrees of freedom is above 20.5 once in 1000.
    assert len(counts) == 6 and sum((n - 100) ** 2 / 100 for n in counts) < 20.5


def test_each_pass_has_an_order_of_its_own_which_a_seed_decides():
    first, second = ([listed(d) for _ in range(3)] for d in (D.range(10).shuffle(10, seed=3) for _ in range(2)))
    assert first == second and len({tuple(o) for o in first}) == 3
    # Repeated, the passes are the same ones.
    assert listed(D.range(10).shuffle(10, seed=3).repeat(3)) == [x for order in first for x in order]
    assert listed(D.range(10).shuffle(10, seed=4)) != first[0]


def test_the_same_order_in_each_pass_if_wanted():
    dataset = D.range(10).shuffle(10, reshuffle_each_iteration=False)
    once = listed(dataset)
    assert listed(dataset) == once and listed(dataset.repeat(2)) == once * 2


def test_the_global_seed_begins_all_anew():
    def program():
        tf.random.set_seed(7)
        a, b = D.range(8).shuffle(8), D.range(8).shuffle(8)
        return listed(a), listed(b), listed(a), listed(D.random().take(3)), [float(x) for x in noise()]

    def noise():
        return D.range(3).map(lambda x: tf.random.uniform([]))

    first = program()
    assert program() == first and first[0] != first[1] != first[2]


def test_a_function_draws_the_same_numbers_in_each_pass():
    # As in TensorFlow: the numbers of a function's random operations begin anew with each iterator.
    tf.random.set_seed(5)
    dataset = D.range(3).map(lambda x: tf.random.uniform([]))
    once = listed(dataset)
    assert len(set(once)) == 3 and listed(dataset) == once
    seeded = D.range(3).map(lambda x: tf.random.uniform([], seed=4))
    assert listed(seeded) == listed(seeded)


def test_a_shuffled_cache_and_a_cached_shuffle():
    kept = D.range(10).shuffle(10, seed=1).cache()
    assert listed(kept) == listed(kept)
    fresh = D.range(10).cache().shuffle(10, seed=1)
    assert listed(fresh) != listed(fresh)


def test_choices_have_their_weights():
    zeros, ones = D.from_tensors(0).repeat(), D.from_tensors(1).repeat()
    drawn = listed(D.sample_from_datasets([zeros, ones], weights=[0.25, 0.75], seed=1).take(2000))
    # The standard deviation of the mean is 0.0097.
    assert abs(np.mean(drawn) - 0.75) < 0.05
    short = D.sample_from_datasets([D.range(3), D.range(3)], seed=1)
    assert sorted(listed(short)) == [0, 0, 1, 1, 2, 2]


def test_shuffled_datasets_within_a_function_go_on():
    dataset = D.range(3).flat_map(lambda x: D.range(10).shuffle(10, seed=2))
    order = listed(dataset)
    blocks = [tuple(order[i : i + 10]) for i in (0, 10, 20)]
    assert len(set(blocks)) == 3 and all(sorted(b) == list(range(10)) for b in blocks)
    assert listed(D.range(3).flat_map(lambda x: D.range(10).shuffle(10, seed=2))) == order
