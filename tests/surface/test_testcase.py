"""Test cases that run in both modes: where no session is needed, something stands for one."""

import pytest

import wengert as tf


class Both(tf.test.TestCase):
    def runTest(self):
        for session in (self.session(), self.cached_session()):
            with session as entered:
                x = tf.constant(3.0)
                assert entered.run([x, {"square": x * x}]) == [3.0, {"square": 9.0}]


def test_a_session_runs_in_both_modes():
    case = Both()
    case.runTest()
    with tf.Graph().as_default():
        case.runTest()


def test_nothing_is_fed_eagerly():
    case = Both()
    with case.cached_session() as session, pytest.raises(RuntimeError, match="feed_dict"):
        session.run(tf.constant(1.0), feed_dict={"x": 2.0})
