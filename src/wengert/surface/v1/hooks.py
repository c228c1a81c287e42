"""TensorFlow 1's hooks: what is called before and after each run of a monitored session, and at its beginning and end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wengert.ground import nest
from wengert.ground.errors import helped
from wengert.modes.session import Session
from wengert.surface.v1 import logging
from wengert.surface.v1.graphs import GraphKeys, get_collection
from wengert.surface.v1.saver import Saver
from wengert.surface.v1.steps import get_global_step
from wengert.surface.v1.summary import FileWriter, Summary, merge_all
from wengert.tensor.tensor import Nested, TensorLike

if TYPE_CHECKING:
    from wengert.surface.v1.monitored import Scaffold

__all__ = [
    "CheckpointSaverHook",
    "CheckpointSaverListener",
    "FeedFnHook",
    "FinalOpsHook",
    "LoggingTensorHook",
    "NanLossDuringTrainingError",
    "NanTensorHook",
    "SecondOrStepTimer",
    "SessionRunArgs",
    "SessionRunContext",
    "SessionRunHook",
    "SessionRunValues",
    "StepCounterHook",
    "StopAtStepHook",
    "SummarySaverHook",
]


Feeds = Mapping[Any, Any]
"""What is fed, by tensors or their names."""


class SessionRunArgs(NamedTuple):
    """What a hook wants of a run: fetches, and what is fed for them."""

    fetches: Nested | None
    feed_dict: Feeds | None = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a hook gets of a run: the values of its fetches."""

    results: Any
    options: Any = None
    run_metadata: Any = None


class SessionRunContext:
    """A run: what was asked for, the session, and whether it is to be the last."""

    def __init__(self, original_args: SessionRunArgs, session: Session) -> None:
        """Take what was asked for, and the session."""
        self.original_args, self.session, self.stop_requested = original_args, session, False

    def request_stop(self) -> None:
        """Let no further run follow."""
        self.stop_requested = True


class SessionRunHook:
    """What is called around the runs of a monitored session; a subclass says what happens."""

    def begin(self) -> None:
        """Be called before the session is made: the last time that the graph may grow."""

    def after_create_session(self, session: Session, coord: None) -> None:
        """Be called when the session is there, and its variables have values."""

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Return what is to be fetched with a run, or None."""
        return None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Be called with the values of what was to be fetched."""

    def end(self, session: Session) -> None:
        """Be called in the end, unless an error ended it."""


def _step() -> Any:
    step = get_global_step()
    if step is None:
        raise RuntimeError("Global step should be created: call tf.train.get_or_create_global_step() before the session is made.")
    return step


class SecondOrStepTimer:
    """Says when something is due: every so many seconds, or every so many steps.

    >>> timer = SecondOrStepTimer(every_steps=2)
    >>> [timer.should_trigger_for_step(k) and timer.update_last_triggered_step(k) is not None for k in range(4)]
    [True, False, True, False]
    """

    def __init__(self, every_secs: float | None = None, every_steps: int | None = None) -> None:
        """Take one of the two."""
        if (every_secs is None) == (every_steps is None):
            raise ValueError("exactly one of every_secs and every_steps should be provided.")
        self._seconds, self._steps = every_secs, every_steps
        self.reset()

    def reset(self) -> None:
        """Be due at the next step."""
        self._at: float | None = None
        self._last: int | None = None

    def should_trigger_for_step(self, step: int) -> bool:
        """Return whether it is due at a step."""
        if self._last is None or self._at is None:
            return True
        if step == self._last:
            return False
        if self._seconds is not None:
            return time.monotonic() >= self._at + self._seconds
        assert self._steps is not None
        return step >= self._last + self._steps

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        """Take note that it is done; return the seconds and steps since it was before, None the first time."""
        now = time.monotonic()
        passed = (None, None) if self._at is None or self._last is None else (now - self._at, step - self._last)
        self._at, self._last = now, step
        return passed

    def last_triggered_step(self) -> int | None:
        """Return the step at which it was done last."""
        return self._last


class StopAtStepHook(SessionRunHook):
    """Stops after so many steps of this session, or at a step counted from the beginning of training."""

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        """Take one of the two."""
        if (num_steps is None) == (last_step is None):
            raise ValueError("One of num_steps or last_step must be specified, and only one.")
        self._count, self._last = num_steps, last_step

    def begin(self) -> None:
        """Find the global step."""
        self._global_step = _step()

    def after_create_session(self, session: Session, coord: None) -> None:
        """Count from where training is."""
        if self._last is None:
            assert self._count is not None
            self._last = int(session.run(self._global_step)) + self._count

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Fetch the step."""
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Look at the step that the run led to: what was fetched may be that of before."""
        assert self._last is not None
        if run_values.results + 1 >= self._last and int(run_context.session.run(self._global_step)) >= self._last:
            run_context.request_stop()


class LoggingTensorHook(SessionRunHook):
    """Logs tensors: every so many runs, every so many seconds, or in the end."""

    def __init__(
        self,
        tensors: Sequence[TensorLike] | Mapping[str, TensorLike],
        every_n_iter: int | None = None,
        every_n_secs: float | None = None,
        at_end: bool = False,
        formatter: Callable[[Mapping[str, float]], str] | None = None,
    ) -> None:
        """Take tensors or their names, in a list or by what they are called in the log."""
        only_at_end = at_end and every_n_iter is None and every_n_secs is None
        if not only_at_end and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError("either at_end and/or exactly one of every_n_iter and every_n_secs must be provided.")
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        named: Any = tensors if isinstance(tensors, Mapping) else {getattr(t, "name", t): t for t in tensors}
        self._tensors: Any = dict(named)
        self._timer = None if only_at_end else SecondOrStepTimer(every_n_secs, every_n_iter)
        self._at_end, self._formatter = at_end, formatter

    def begin(self) -> None:
        """Begin to count."""
        self._runs, self._due = 0, False
        if self._timer is not None:
            self._timer.reset()

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Fetch the tensors where they are due."""
        self._due = self._timer is not None and self._timer.should_trigger_for_step(self._runs)
        return SessionRunArgs(self._tensors) if self._due else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Log them."""
        if self._due:
            self._log(run_values.results)
        self._runs += 1

    def end(self, session: Session) -> None:
        """Log them once more."""
        if self._at_end:
            self._log(session.run(self._tensors))

    def _log(self, values: Mapping[str, float]) -> None:
        passed = None if self._timer is None else self._timer.update_last_triggered_step(self._runs)[0]
        if self._formatter is not None:
            logging.info(self._formatter(values))
            return
        text = ", ".join(f"{name} = {value}" for name, value in values.items())
        logging.info(text if passed is None else f"{text} ({passed:.3f} sec)")


@helped
class NanLossDuringTrainingError(RuntimeError):
    """The loss is no number."""

    def __str__(self) -> str:
        return "NaN loss during training."


class NanTensorHook(SessionRunHook):
    """Ends training where the loss is no number: by an error, or without."""

    def __init__(self, loss_tensor: TensorLike, fail_on_nan_loss: bool = True) -> None:
        """Take the loss."""
        self._loss, self._fail = loss_tensor, fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Fetch the loss."""
        return SessionRunArgs(self._loss)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Look at it.

        Raises:
            NanLossDuringTrainingError: if it is no number, and that is to be an error.
        """
        if not np.isnan(run_values.results):
            return
        logging.error("Model diverged with loss = NaN.")
        if self._fail:
            raise NanLossDuringTrainingError
        run_context.request_stop()


class _AtSteps(SessionRunHook):
    """What is done every so many steps or seconds."""

    def __init__(self, every_secs: float | None, every_steps: int | None) -> None:
        self._timer = SecondOrStepTimer(every_secs, every_steps)

    def begin(self) -> None:
        """Find the global step."""
        self._global_step = _step()

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Fetch the step."""
        return SessionRunArgs(self._global_step)


class CheckpointSaverListener:
    """What is called around the savings of a `CheckpointSaverHook`; a subclass says what happens."""

    def begin(self) -> None:
        """Be called before the session is made."""

    def before_save(self, session: Session, global_step_value: int) -> None:
        """Be called before the variables are saved."""

    def after_save(self, session: Session, global_step_value: int) -> bool | None:
        """Be called after; return whether training is to stop."""
        return None

    def end(self, session: Session, global_step_value: int) -> None:
        """Be called in the end."""


class CheckpointSaverHook(_AtSteps):
    """Saves the variables: when the session is made, every so many steps or seconds, and in the end."""

    def __init__(
        self,
        checkpoint_dir: str,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: Saver | None = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: Scaffold | None = None,
        listeners: Sequence[CheckpointSaverListener] | None = None,
        save_graph_def: bool = True,
    ) -> None:
        """Take the folder, when to save, and a saver or a scaffold that has one."""
        super().__init__(save_secs, save_steps)
        self._path = os.path.join(checkpoint_dir, checkpoint_basename)
        self._saver, self._scaffold, self._listeners = saver, scaffold, list(listeners or ())

    def begin(self) -> None:
        """Tell those that listen."""
        super().begin()
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session: Session, coord: None) -> None:
        """Save what training begins with."""
        self._save(session, int(session.run(self._global_step)))

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Save where it is due."""
        if self._timer.should_trigger_for_step(run_values.results + 1):
            step = int(run_context.session.run(self._global_step))
            if self._timer.should_trigger_for_step(step) and self._save(run_context.session, step):
                run_context.request_stop()

    def end(self, session: Session) -> None:
        """Save what training led to."""
        step = int(session.run(self._global_step))
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)

    def _save(self, session: Session, step: int) -> bool:
        """Save; return whether one that listens wants to stop."""
        for listener in self._listeners:
            listener.before_save(session, step)
        saver = self._saver or getattr(self._scaffold, "saver", None)
        if saver is None:
            savers = get_collection(GraphKeys.SAVERS)
            saver = self._saver = savers[0] if savers else Saver()
        saver.save(session, self._path, global_step=step)
        self._timer.update_last_triggered_step(step)
        return any([listener.after_save(session, step) for listener in self._listeners])


class StepCounterHook(_AtSteps):
    """Counts steps per second, for the log and a summary."""

    def __init__(
        self,
        every_n_steps: int | None = 100,
        every_n_secs: float | None = None,
        output_dir: str | None = None,
        summary_writer: FileWriter | None = None,
    ) -> None:
        """Take how often, and a folder or a writer for the summaries."""
        super().__init__(every_n_secs, every_n_steps)
        self._writer = summary_writer or (None if output_dir is None else FileWriter(output_dir))

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Tell how many there were, where it is due."""
        if self._timer.should_trigger_for_step(run_values.results + 1):
            step = int(run_context.session.run(self._global_step))
            seconds, steps = self._timer.update_last_triggered_step(step)
            if not seconds or not steps:
                return
            if self._writer is not None:
                value = Summary.Value(tag="global_step/sec", simple_value=steps / seconds)
                self._writer.add_summary(Summary(value=[value]), step)
            logging.info("global_step/sec: %g", steps / seconds)


class SummarySaverHook(_AtSteps):
    """Writes summaries every so many steps or seconds."""

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: str | None = None,
        summary_writer: FileWriter | None = None,
        scaffold: Scaffold | None = None,
        summary_op: Nested | None = None,
    ) -> None:
        """Take how often, a folder or a writer, and the summaries or a scaffold that has them."""
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        super().__init__(save_secs, save_steps)
        self._scaffold = scaffold
        self._summary: Any = summary_op
        self._writer = summary_writer or (None if output_dir is None else FileWriter(output_dir))

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Fetch the step, and the summaries where they are due."""
        chosen = self._summary if self._scaffold is None else self._scaffold.summary_op
        last = self._timer.last_triggered_step()
        self._due = chosen is not None and (last is None or self._timer.should_trigger_for_step(last + self._passed + 1))
        return SessionRunArgs({"step": self._global_step, **({"summary": chosen} if self._due else {})})

    _passed = 0

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Write them."""
        step = int(run_context.session.run(self._global_step))
        if self._due:
            self._timer.update_last_triggered_step(step)
            writer = self._writer
            if writer is not None:
                for summary in nest.flatten(run_values.results["summary"]):
                    writer.add_summary(summary, step)
        self._passed = step - (self._timer.last_triggered_step() or 0)

    def end(self, session: Session | None = None) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.flush()


class FinalOpsHook(SessionRunHook):
    """Fetches something in the end."""

    def __init__(self, final_ops: Nested | None, final_ops_feed_dict: Feeds | None = None) -> None:
        """Take what is fetched."""
        self._fetches: Any = final_ops
        self._feed = final_ops_feed_dict
        self.final_ops_values: Any = None

    def end(self, session: Session) -> None:
        """Fetch it."""
        if self._fetches is not None:
            self.final_ops_values = session.run(self._fetches, feed_dict=self._feed)


class FeedFnHook(SessionRunHook):
    """Feeds what a function returns."""

    def __init__(self, feed_fn: Callable[[], Feeds]) -> None:
        """Take the function."""
        self.feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Feed what it returns now."""
        return SessionRunArgs(None, self.feed_fn())


def default_summaries() -> Any:
    """Return all summaries of the graph as one, None if there is none."""
    found = get_collection(GraphKeys.SUMMARY_OP)
    return found[0] if found else merge_all()
