"""Tables whose entries go with what they hold, and the collector that is set going again."""

import gc
import signal
import sys

import pytest

from wengert.ground.context import uncollected
from wengert.ground.weakly import Weakly, WeakValues, lapse


class Thing:
    pass


def test_what_is_gone_is_not_there():
    there, things = Weakly[Thing](), [Thing(), Thing()]
    for thing in things:
        there.add(thing)
    assert set(there) == set(things)
    del thing, things[0]
    assert list(there) == things
    things.clear()
    assert list(there) == []
    assert there._references == set()


def test_values_go_with_those_who_hold_them():
    table, held = WeakValues[Thing](), Thing()
    table[3] = held
    assert (table.get(3), table.get(4)) == (held, None)
    del held
    assert table.get(3) is None
    assert table._references == {}


def test_an_entry_lapses_with_a_thing():
    table, thing = {1: "of the thing", 2: "another's"}, Thing()
    reference = lapse(thing, table, 1)
    assert table[1] == "of the thing"
    del thing
    assert (reference(), table) == (None, {2: "another's"})


def test_no_python_runs_where_an_exception_would_be_lost():
    """As the interpreter's trace shows: a handler that raises has no place to raise in vain."""
    there, table, values, thing = Weakly[Thing](), {1: 1}, WeakValues[Thing](), Thing()
    there.add(thing)
    values[1] = thing
    kept = lapse(thing, table, 1)
    calls = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        del thing
    finally:
        sys.setprofile(before)
    assert (list(there), table, values.get(1), kept()) == ([], {}, None, None)
    assert calls == []


def test_jax_is_called_by_the_collector_without_python():
    jax = pytest.importorskip("jax")
    from wengert.execute.xla.arrays import arrays

    arrays()
    assert jax.numpy.ones(2).sum() == 2.0
    ours = [c for c in gc.callbacks if getattr(c, "func", None) is getattr]
    assert not [c for c in gc.callbacks if getattr(c, "__name__", "") == "_xla_gc_callback"]
    assert len(ours) == 1
    calls = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.append(frame.f_code.co_filename) if event == "call" else None)
    try:
        ours[0]("start", {})
        ours[0]("stop", {})
    finally:
        sys.setprofile(before)
    assert calls == []


def test_the_collector_goes_on_after_what_was_broken_off():
    def broken() -> None:
        assert not gc.isenabled()
        signal.raise_signal(signal.SIGINT)

    assert gc.isenabled()
    with pytest.raises(KeyboardInterrupt):
        uncollected(broken)
    assert gc.isenabled()
    assert uncollected(lambda a, b: a + b, 1, 2) == 3
    gc.disable()
    try:
        uncollected(lambda: None)
        assert not gc.isenabled()
    finally:
        gc.enable()
