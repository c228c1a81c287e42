"""TensorFlow 1's monitored sessions: they set their variables, or go on from a checkpoint, and call hooks about runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.functions.program import group
from wengert.graph.graph import WengertList
from wengert.graph.node import Node
from wengert.ground.errors import OutOfRangeError
from wengert.modes.session import Session, default_graph
from wengert.surface.v1 import hooks as every
from wengert.surface.v1.graphs import GraphKeys, get_collection
from wengert.surface.v1.hooks import Feeds, SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from wengert.surface.v1.saver import Saver
from wengert.surface.v1.steps import get_global_step
from wengert.surface.v1.variables import global_variables_initializer, local_variables_initializer
from wengert.tensor.tensor import Nested, TensorLike
from wengert.train import files

__all__ = [
    "ChiefSessionCreator",
    "MonitoredSession",
    "MonitoredTrainingSession",
    "Scaffold",
    "SessionCreator",
    "SingularMonitoredSession",
    "WorkerSessionCreator",
]

_UNSAID = -1


class Scaffold:
    """What a monitored session needs of its graph: how variables are set, the saver, the summaries."""

    def __init__(
        self,
        init_op: Node | None = None,
        init_feed_dict: Feeds | None = None,
        init_fn: Callable[[Scaffold, Session], None] | None = None,
        ready_op: TensorLike | None = None,
        ready_for_local_init_op: TensorLike | None = None,
        local_init_op: Node | None = None,
        summary_op: Nested | None = None,
        saver: Saver | None = None,
        copy_from_scaffold: Scaffold | None = None,
        local_init_feed_dict: Feeds | None = None,
    ) -> None:
        """Take what is other than by default; ``init_fn(scaffold, session)`` is called after ``init_op``."""
        before = copy_from_scaffold

        def other(given: Node | Saver | Nested | None, name: str) -> Any:
            return given if before is None or given is not None else getattr(before, name)

        self.init_op: Any = other(init_op, "init_op")
        self.local_init_op: Any = other(local_init_op, "local_init_op")
        self.summary_op: Any = other(summary_op, "summary_op")
        self.saver: Any = other(saver, "saver")
        self.init_feed_dict, self.local_init_feed_dict = init_feed_dict, local_init_feed_dict
        self.init_fn = None if init_fn is None else lambda session: init_fn(self, session)
        self.ready_op, self.ready_for_local_init_op = ready_op, ready_for_local_init_op

    def finalize(self) -> Scaffold:
        """Make what is missing, and let the graph grow no more."""
        graph = default_graph()
        if self.init_op is None:
            self.init_op = group(global_variables_initializer(), *get_collection("resources"))
        if self.local_init_op is None:
            self.local_init_op = self.default_local_init_op()
        if self.summary_op is None:
            self.summary_op = every.default_summaries()
        if self.saver is None:
            savers = get_collection(GraphKeys.SAVERS)
            self.saver = savers[0] if savers else Saver(allow_empty=True)
        graph.finalize()
        return self

    @staticmethod
    def default_local_init_op() -> Any:
        """Return the operation that sets local variables and tables."""
        return group(local_variables_initializer(), *get_collection(GraphKeys.TABLE_INITIALIZERS))


class SessionCreator:
    """What makes a monitored session's session."""

    def create_session(self) -> Session:
        """Return a session whose variables have values."""
        raise NotImplementedError(f"create_session is not implemented for {self}.")


class ChiefSessionCreator(SessionCreator):
    """Makes a session, and sets its variables: from the latest checkpoint of a folder, or to their initial values."""

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Mapping[str, Any] | None = None,
        checkpoint_dir: str | None = None,
        checkpoint_filename_with_path: str | None = None,
    ) -> None:
        """Take the scaffold, and where checkpoints are."""
        self._scaffold, self._config = scaffold or Scaffold(), config
        self._folder, self._file = checkpoint_dir, checkpoint_filename_with_path

    def create_session(self) -> Session:
        """Return the session."""
        scaffold = self._scaffold.finalize()
        session = Session(config=self._config)
        found = self._file or (None if self._folder is None else files.latest_checkpoint(self._folder))
        if found is not None:
            scaffold.saver.restore(session, found)
        else:
            session.run(scaffold.init_op, feed_dict=scaffold.init_feed_dict)
            if scaffold.init_fn is not None:
                scaffold.init_fn(session)
        session.run(scaffold.local_init_op, feed_dict=scaffold.local_init_feed_dict)
        return session


class WorkerSessionCreator(ChiefSessionCreator):
    """There is one worker here, which is the chief."""

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Mapping[str, Any] | None = None,
        max_wait_secs: int = 1800,
    ) -> None:
        """Take the scaffold."""
        super().__init__(scaffold, master, config)


class StepContext:
    """What a function of `MonitoredSession.run_step_fn` is given."""

    def __init__(self, session: Session, run_with_hooks: Callable[..., Any]) -> None:
        """Take the session, and what runs with hooks."""
        self.session, self.run_with_hooks = session, run_with_hooks

    def request_stop(self) -> None:
        """Let no further step follow.

        Raises:
            StopIteration: always; the session's block ends there.
        """
        raise StopIteration("step_fn has requested the iterations to stop.")


class MonitoredSession:
    """A session that calls hooks around each run.

    >>> import wengert as tf
    >>> v1 = tf.compat.v1
    >>> with tf.Graph().as_default():
    ...     step = v1.train.get_or_create_global_step()
    ...     more = v1.assign_add(step, 1)
    ...     with v1.train.MonitoredSession(hooks=[v1.train.StopAtStepHook(last_step=3)]) as sess:
    ...         while not sess.should_stop():
    ...             print(sess.run(more))
    1
    2
    3
    """

    def __init__(
        self,
        session_creator: SessionCreator | None = None,
        hooks: Sequence[SessionRunHook] | None = None,
        stop_grace_period_secs: int = 120,
    ) -> None:
        """Begin the hooks, make the session, and tell them."""
        self._hooks = list(hooks or ())
        for hook in self._hooks:
            hook.begin()
        self._session: Session | None = (session_creator or ChiefSessionCreator()).create_session()
        self._stopped = False
        for hook in self._hooks:
            hook.after_create_session(self._session, None)

    @property
    def graph(self) -> WengertList | None:
        """The graph; None when it is closed."""
        return None if self._session is None else self._session.graph

    def run(self, fetches: Nested, feed_dict: Feeds | None = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Return the values of fetches, as `Session.run`; the hooks are called before and after.

        Raises:
            RuntimeError: when it is closed, and after a hook has asked to stop.
        """
        session = self._open()
        if self._stopped:
            raise RuntimeError("Run called even after should_stop requested.")
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict), session)
        asked: dict[int, SessionRunArgs] = {}
        feeds: dict[Any, Any] = dict(feed_dict or {})
        for i, hook in enumerate(self._hooks):
            request = hook.before_run(context)
            if request is None:
                continue
            asked[i] = request
            twice = [k for k in request.feed_dict or {} if any(k is known for known in feeds)]
            if twice:
                raise RuntimeError(f"The same tensor is fed by two hooks, or by a hook and the run: {twice}.")
            feeds.update(request.feed_dict or {})
        wanted: Any = {i: request.fetches for i, request in asked.items() if request.fetches is not None}
        both: Any = [fetches, wanted]
        outcome, results = session.run(both, feeds, options, run_metadata)
        for i, hook in enumerate(self._hooks):
            hook.after_run(context, SessionRunValues(results.get(i), options, run_metadata))
        self._stopped = self._stopped or context.stop_requested
        return outcome

    def run_step_fn(self, step_fn: Callable[..., Any]) -> Any:
        """Return ``step_fn(step_context)``, whose ``run_with_hooks`` is this session's run."""
        return step_fn(StepContext(self._open(), self.run))

    def should_stop(self) -> bool:
        """Return whether a hook has asked to stop, or it is closed."""
        return self._stopped or self._session is None

    def close(self) -> None:
        """End the hooks and close."""
        self._close(ended=True)

    def _open(self) -> Session:
        if self._session is None:
            raise RuntimeError("Attempted to use a closed session.")
        return self._session

    def _close(self, ended: bool) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        try:
            for hook in self._hooks if ended else ():
                hook.end(session)
        finally:
            session.close()

    def __enter__(self) -> MonitoredSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, frames: object) -> bool:
        """Close; that the data has come to its end is no error."""
        ended = kind is None or issubclass(kind, OutOfRangeError | StopIteration)
        self._close(ended)
        return kind is not None and ended


class SingularMonitoredSession(MonitoredSession):
    """A monitored session of which the session is to be had."""

    def __init__(
        self,
        hooks: Sequence[SessionRunHook] | None = None,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Mapping[str, Any] | None = None,
        checkpoint_dir: str | None = None,
        stop_grace_period_secs: int = 120,
        checkpoint_filename_with_path: str | None = None,
    ) -> None:
        """Take the hooks, and what its variables are set by."""
        maker = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(maker, hooks)

    def raw_session(self) -> Session:
        """Return the session, which calls no hooks."""
        return self._open()


def MonitoredTrainingSession(
    master: str = "",
    is_chief: bool = True,
    checkpoint_dir: str | None = None,
    scaffold: Scaffold | None = None,
    hooks: Sequence[SessionRunHook] | None = None,
    chief_only_hooks: Sequence[SessionRunHook] | None = None,
    save_checkpoint_secs: float | None = _UNSAID,
    save_summaries_steps: int | None = _UNSAID,
    save_summaries_secs: float | None = _UNSAID,
    config: Mapping[str, Any] | None = None,
    stop_grace_period_secs: int = 120,
    log_step_count_steps: int | None = 100,
    max_wait_secs: int = 7200,
    save_checkpoint_steps: int | None = _UNSAID,
    summary_dir: str | None = None,
    save_graph_def: bool = True,
) -> MonitoredSession:
    """Return a monitored session that saves checkpoints (every 600 seconds), summaries (every 100 steps) and logs its pace."""
    if save_checkpoint_secs == _UNSAID and save_checkpoint_steps == _UNSAID:
        save_checkpoint_secs = 600
    if save_summaries_steps == _UNSAID and save_summaries_secs == _UNSAID:
        save_summaries_steps = 100
    said: list[Any] = [
        None if v == _UNSAID else v
        for v in (save_checkpoint_secs, save_checkpoint_steps, save_summaries_secs, save_summaries_steps)
    ]
    scaffold = scaffold or Scaffold()
    found = [*(hooks or ()), *(chief_only_hooks or () if is_chief else ())]
    folder = summary_dir or checkpoint_dir
    if folder and get_global_step() is not None and log_step_count_steps:
        found.append(every.StepCounterHook(log_step_count_steps, output_dir=folder))
    if folder and (said[2] or said[3]):
        found.append(every.SummarySaverHook(said[3] or None, None if said[3] else said[2], folder, scaffold=scaffold))
    if checkpoint_dir and (said[0] or said[1]):
        found.append(every.CheckpointSaverHook(checkpoint_dir, None if said[1] else said[0], said[1] or None, scaffold=scaffold))
    return MonitoredSession(ChiefSessionCreator(scaffold, master, config, checkpoint_dir), found)
