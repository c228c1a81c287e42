import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# A shell that starts the tests in the background has Ctrl-C ignored, and every process below would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Nothing is taken from what the user's own programs have compiled, and nothing is added to it.
os.environ["WENGERT_CACHE"] = "off"

# Times vary on a busy machine, so no example has a deadline. `ci` draws the same examples in every run.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# Whole programs, run by their own test: importing them to look for doctests would run them.
collect_ignore = ["programs", "survey/tf1", "survey/tf2", "survey/with_tensorflow.py", "train/published/record.py"]

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the repository: reference data that is too large, or not ours, to be kept in it."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the reference data in {SHARED}, which is not there")
    return SHARED


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """Fail a test that leaves a graph, a tape or a site in force in its thread."""
    yield
    from wengert.ground.context import state

    assert state.graph is None and state.observers == () and state.site is None


@pytest.fixture(scope="module", autouse=True)
def collected():
    """Let a collection of garbage look at what a module's own tests made alone: that of a worker's whole heap takes seconds."""
    gc.collect()
    gc.freeze()
