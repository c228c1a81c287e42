"""The threads of NumPy's BLAS: products run on one but for the large, and the process keeps its number."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import wengert as tf
from wengert.ground.blas import LARGE, LARGE_FOR_TWO, SINGLE, blas

USERS = 2


def of(work):
    """Return what the products see of two matrices whose product takes so many multiplications: nobody allocates them."""
    kind = np.dtype("float32")
    return SimpleNamespace(shape=(work // 4, 2), size=work // 2, ndim=2, dtype=kind), SimpleNamespace(shape=(2, 2), dtype=kind)


@pytest.fixture
def count():
    """Give the user two threads, and return how many there are."""
    calls = blas.found()
    if not calls:
        pytest.skip("NumPy's BLAS is not OpenBLAS")
    with threadpool_limits(USERS, "blas"):
        yield calls[0]


def seen(count, work):
    found = []
    result = blas.product(lambda a, b: found.append(count()) or "product", *of(work))
    assert result == "product"
    return found


@pytest.mark.parametrize(
    ("work", "threads"), [(SINGLE, USERS), (2 * SINGLE, 1), (LARGE, 1), (LARGE_FOR_TWO - 4, 1), (LARGE_FOR_TWO, USERS)]
)
def test_the_middle_runs_on_one_thread_and_the_large_on_the_users(count, work, threads):
    assert seen(count, work) == [threads]
    assert count() == USERS


def test_with_more_threads_large_is_less(count):
    with threadpool_limits(4, "blas"):
        assert seen(count, LARGE) == [4]
        assert seen(count, LARGE - 4) == [1]
        assert count() == 4


def test_a_user_who_has_one_thread_keeps_it(count):
    with threadpool_limits(1, "blas"):
        assert seen(count, LARGE_FOR_TWO) == seen(count, SINGLE * 2) == [1]
        assert count() == 1


@pytest.mark.parametrize("error", [ValueError, MemoryError, KeyboardInterrupt])
def test_what_a_product_raises_leaves_the_number(count, error):
    def product(a, b):
        raise error

    with pytest.raises(error):
        blas.product(product, *of(2 * SINGLE))
    assert count() == USERS


def test_threads_at_once_leave_the_number(count):
    a, b = np.ones((300, 20), np.float32), np.ones((20, 20), np.float32)
    wrong = []

    def work():
        for _ in range(300):
            if (tf.matmul(a, b).numpy() != 20).any():
                wrong.append("product")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert count() == USERS


def test_tiles_at_work_keep_the_one_that_they_asked_for(count):
    with blas.alone():
        assert seen(count, 2 * SINGLE) == [1]
        assert count() == 1
    assert count() == USERS


def test_another_blas_is_left_alone(monkeypatch):
    monkeypatch.setattr(blas, "calls", ())
    assert blas.product(lambda a, b: "product", *of(2 * SINGLE)) == "product"
    with blas.alone():
        assert tf.matmul(np.ones((300, 20)), np.ones((20, 20))).shape == (300, 20)


def test_every_product_goes_this_way(monkeypatch):
    told = []
    x, w = tf.constant(np.ones((500, 30), np.float32)), tf.Variable(np.ones((30, 20), np.float32))
    stack = tf.constant(np.ones((4, 50, 30), np.float32))
    traced = tf.function(lambda: tf.matmul(x, w))
    wanted = traced().numpy()
    monkeypatch.setattr(blas, "calls", (lambda: USERS, told.append))

    def asked():
        found = told[:]
        told.clear()
        return found

    with tf.GradientTape() as tape:
        y = x @ w
    assert asked() == [1, USERS]
    tape.gradient(y, w)
    assert asked() == [1, USERS]
    tf.matmul(stack, w)
    assert asked() == [1, USERS]
    tf.matmul(stack, stack, transpose_b=True)
    assert asked() == [1, USERS]
    tf.einsum("aij,kj->aik", stack, x)
    assert asked() == [1, USERS]
    assert (traced().numpy() == wanted).all()
    assert asked() == [1, USERS]


def test_floats_of_16_bits_are_summed_as_floats_of_32():
    """A sum in 16 bits would stop at 2048: there a 1 is less than half of a last digit."""
    a, b = np.ones((2, 5000), np.float16), np.ones((5000, 3), np.float16)
    for function in (np.ndarray.dot, np.matmul):
        found = blas.product(function, a, b)
        assert found.dtype == np.float16 and (found == 5000).all()
    assert np.isinf(blas.product(np.matmul, a * 60.0, b * 60.0)).all()  # beyond 65504, without a warning
