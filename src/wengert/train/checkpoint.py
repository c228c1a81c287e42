"""Checkpoints of objects: the values of all variables reached from one, by the names of the attributes that lead there."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.functions.program import init_scope
from wengert.ground.context import default_session
from wengert.ground.errors import DataLossError, NotFoundError
from wengert.modes.storage import Storage
from wengert.modes.variable import Variable, awaited
from wengert.train import files, latest
from wengert.train.objects import OBJECTS, VALUE, checked, children, picture, picture_of_keys, trackable, walk
from wengert.train.placing import place, ready
from wengert.train.restoration import ByNames, Restoration, fitting

__all__ = ["Checkpoint", "CheckpointManager", "CheckpointOptions", "checkpoints_iterator", "nodes_of", "restored", "storage_of"]


def storage_of(variable: Variable, session: Any = None) -> Storage:
    """Return where a variable's value is: with it, or for one of a graph, in the given or the default session."""
    for waiting in tuple(awaited):
        waiting.look()
    if variable._graph is None:
        return variable._storage
    return default_session(session).storage_of(variable)  # type: ignore[no-any-return]


def restored(wanted: Sequence[tuple[str, Variable]], values: Mapping[str, Any], source: str, session: Any = None) -> None:
    """Set variables to the values of these names, all of them or, if one does not fit, none.

    Raises:
        NotFoundError: if there is no value of a name.
        ShapeError: if a value has another shape than its variable.
        DTypeError: if it has another dtype.
    """
    placements = []
    for name, variable in wanted:
        if name not in values:
            raise NotFoundError(
                f"Key {name} not found in checkpoint {source}, which holds {', '.join(sorted(values)) or 'nothing'}. "
                "Nothing has been restored."
            )
        placements.append(ready(storage_of(variable, session), fitting(source, name, values[name], variable)))
    place(placements)


def by_names(source: str, values: Mapping[str, Any], texts: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the values of a file by the names of variables, where it holds them by the names of objects."""
    nodes = nodes_of(source, values, texts)
    names = [node["name"] for node in nodes or () if "name" in node and "value" in node]
    if not names:
        return values
    known = {n["name"]: n["value"] for n in nodes or () if "name" in n and "value" in n and names.count(n["name"]) == 1}
    return {**values, **{name: values[key] for name, key in known.items() if key in values}}


def nodes_of(source: str, values: Mapping[str, Any], texts: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """Return the picture of the objects that a file holds, None if it holds none.

    Raises:
        DataLossError: if it is none.
    """
    text = texts.get(OBJECTS)
    if text is None:
        return None
    try:
        return checked(json.loads(text), values)
    except (ValueError, RecursionError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise DataLossError(f"{source} is damaged, its picture of objects is none: {what}. Nothing has been restored.") from None


# --- checkpoints ----------------------------------------------------------------------------------------------------------


class CheckpointOptions:
    """Accepted: files are written at once, on this machine."""

    def __init__(self, **options: Any) -> None:
        """Take whatever options."""
        self.__dict__.update(options)


class Status:
    """What came of a restoration so far, and assertions about it. What was made since has its value."""

    def __init__(self, root: Any, values: Sequence[str], restoration: Restoration | ByNames | None) -> None:
        """Take what was restored, the keys of the file's values, and what gives them to variables (None: nothing does)."""
        self._root, self._keys, self._restoration = root, values, restoration

    def _looked(self) -> Restoration | ByNames | None:
        if self._restoration is not None:
            self._restoration.look()
        return self._restoration

    def assert_consumed(self) -> Status:
        """Return self if all values have gone to variables, and all variables have got one.

        From a file by the names of variables (a Saver's) it is enough that all variables have got one.

        Raises:
            AssertionError: if not.
        """
        self.assert_existing_objects_matched()
        found = self._looked()
        if isinstance(found, Restoration) and found.left.values:
            unused = ", ".join(sorted(found.left.values))
            raise AssertionError(f"Unresolved objects in checkpoint {found.source}: {unused}")
        return self

    def assert_existing_objects_matched(self) -> Status:
        """Return self if all variables that there are have got a value.

        Raises:
            AssertionError: if not.
        """
        found = self._looked()
        if found is None:
            return self
        # The counter of `save` is the checkpoint's own, and a file that `write` wrote has none.
        counter = None if f"save_counter{VALUE}" in self._keys else getattr(self._root, "_counter", None)
        missing = [
            f"{path} ('{item.name}')"
            for path, item in walk(self._root)
            if isinstance(item, Variable) and item is not counter and not found.took(item)
        ]
        if missing:
            raise AssertionError(f"The checkpoint {found.source} has no value for {', '.join(missing)}")
        return self

    def assert_nontrivial_match(self) -> Status:
        """Return self if anything has got a value.

        Raises:
            AssertionError: if not.
        """
        found = self._looked()
        if found is not None and not found.taken:
            raise AssertionError(f"Nothing in the checkpoint {found.source} belongs to what was to be restored.")
        return self

    def expect_partial(self) -> Status:
        """Return self: what is left over in the end is not spoken of."""
        if self._restoration is not None:
            self._restoration.left.silent = True
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Set the variables of a graph in a session, the default one if none is given; others are set already."""
        found = self._looked()
        if found is not None and found.postponed:
            found.in_session(default_session(session))

    def initialize_or_restore(self, session: Any = None) -> None:
        """Set the variables of a graph in a session: those that have no value in the file to their initial values."""
        self.run_restore_ops(session)
        left = [
            item
            for _, item in walk(self._root)
            if isinstance(item, Variable)
            and item._graph is not None
            and (self._restoration is None or not self._restoration.took(item))
        ]
        if left:
            default_session(session).run([item.initializer for item in left])


class Checkpoint:
    """Saves and restores the variables of modules, models, optimizers, lists, dictionaries, and variables themselves.

    What is made after `restore`, and held by what was restored, has its saved value from then on.

    >>> import tempfile, wengert as tf
    >>> v = tf.Variable(1.0)
    >>> path = tf.train.Checkpoint(v=v).save(tempfile.mkdtemp() + "/ckpt")
    >>> _ = v.assign(2.0)
    >>> _ = tf.train.Checkpoint(v=v).restore(path).assert_consumed()
    >>> v.numpy()
    np.float32(1.0)
    """

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        """Take an object, and objects by name.

        Raises:
            ValueError: for one that holds no variables, and never will.
        """
        for name, item in {"root": root, **kwargs}.items():
            if not (trackable(item) or (name == "root" and item is None)):
                raise ValueError(
                    f"`Checkpoint` was expecting {name} to be a trackable object (a variable, or what holds some: a module, a "
                    f"model, an optimizer, a metric, a generator, a list or a dictionary), got {item!r}."
                )
        self._trackable_root = root
        self._counter: Variable | None = None
        for name, item in kwargs.items():
            setattr(self, name, item)

    def _trackable_children(self) -> dict[str, Any]:
        found = {} if self._trackable_root is None else children(self._trackable_root)
        found |= {k: v for k, v in vars(self).items() if not k.startswith("_")}
        return found if self._counter is None else found | {"save_counter": self._counter}

    @property
    def save_counter(self) -> Variable:
        """How often `save` was called."""
        if self._counter is None:
            with init_scope():
                self._counter = Variable(np.int64(0), trainable=False, name="save_counter")
        return self._counter

    def write(self, file_prefix: Any, options: Any = None, session: Any = None) -> str:
        """Write the values under this very prefix; return it."""
        for waiting in tuple(awaited):
            waiting.look()
        variables, nodes = picture(self)
        values = {key: storage_of(v, session).read() for key, v in variables.items()}
        files.write(file_prefix, values, {OBJECTS: json.dumps(nodes)})
        return str(os.fspath(file_prefix))

    def save(self, file_prefix: Any, session: Any = None, options: Any = None) -> str:
        """Write the values under a numbered prefix, and enter it as the latest of its folder; return it."""
        storage = storage_of(self.save_counter, session)
        number = int(storage.array or 0) + 1
        storage.write(np.int64(number))
        path = self.write(f"{os.fspath(file_prefix)}-{number}", session=session)
        files.update_checkpoint_state(os.path.dirname(path) or ".", path)
        return path

    def read(self, save_path: Any, options: Any = None, session: Any = None) -> Status:
        """Set the variables to the values of a checkpoint, those that are made later when they are.

        A Saver's file is read by the names of variables. Values that nothing has taken are spoken of in a warning, when neither
        the status that is returned nor an object that could take them is left, unless its `Status.expect_partial` is called.

        Raises:
            NotFoundError: if there is no such checkpoint.
            DataLossError: if it cannot be read.
            ValueError: if a value does not fit its variable. In each case nothing has been set.
        """
        source = os.fsdecode(save_path)
        values, texts = files.load(save_path)
        nodes = nodes_of(source, values, texts)
        if nodes is None and values and not any(key.endswith(VALUE) for key in values):
            return Status(self, list(values), ByNames(source, values, self, session))
        found = Restoration(source, values, picture_of_keys(values) if nodes is None else nodes, self, session)
        return Status(self, list(values), found)

    def restore(self, save_path: Any, options: Any = None, session: Any = None) -> Any:
        """Set the variables to the values of a checkpoint; without a path (None) do nothing. See `read`."""
        if save_path is None:
            return Status(self, (), None)
        _ = self.save_counter  # made now, so that it is restored too
        return self.read(save_path, options, session)


class CheckpointManager:
    """Keeps the latest few of the checkpoints in a folder."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: str | os.PathLike[str],
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: Any = None,
        checkpoint_name: str = "ckpt",
        step_counter: Any = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None,
        last_checkpoint_step: Any = None,
    ) -> None:
        """Take a checkpoint, a folder, and how many to keep (None: all).

        Raises:
            ValueError: unless ``max_to_keep`` is positive or None, and for an interval without a counter of steps.
        """
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected a positive integer or `None` for `max_to_keep`, got {max_to_keep}.")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("`step_counter` should be passed if `checkpoint_interval` is not None.")
        self._checkpoint, self._folder, self._most = checkpoint, os.fspath(directory), max_to_keep
        self._every = None if keep_checkpoint_every_n_hours is None else 3600.0 * keep_checkpoint_every_n_hours
        self._prefix = os.path.join(self._folder, checkpoint_name)
        self._steps, self._interval, self._init = step_counter, checkpoint_interval, init_fn
        self._last = last_checkpoint_step
        self._preserved = time.time()
        found = files.get_checkpoint_state(self._folder)
        kept = [] if found is None else found.all_model_checkpoint_paths
        self._kept = {p: files.get_checkpoint_mtimes([p])[0] for p in kept if files.checkpoint_exists(p)}
        own = re.compile(re.escape(self._prefix) + r"-\d+")
        self._left = [p for p in latest.pending(self._folder) if own.fullmatch(p) and p not in self._kept]
        """What a kill has left: checkpoints that were being written, and are none yet, or were about to be removed."""

    @property
    def directory(self) -> str:
        """The folder."""
        return str(self._folder)

    @property
    def checkpoint(self) -> Checkpoint:
        """What is saved."""
        return self._checkpoint

    @property
    def checkpoint_interval(self) -> int | None:
        """How many steps lie between two checkpoints."""
        return self._interval

    @property
    def checkpoints(self) -> list[str]:
        """The prefixes of those that are kept, oldest first."""
        return list(self._kept)

    @property
    def latest_checkpoint(self) -> str | None:
        """The prefix of the latest."""
        return next(reversed(self._kept), None)

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None) -> str | None:
        """Save, and remove the oldest beyond those to keep; None if it is not time yet."""
        if self._interval is not None and check_interval:
            step = int(self._steps)
            if self._last is not None and step < self._last + self._interval:
                return None
            self._last = step
        counter = storage_of(self._checkpoint.save_counter)
        number = int(counter.array or 0) + 1
        counter.write(np.int64(number))
        chosen = number if checkpoint_number is None else int(checkpoint_number)
        path = f"{self._prefix}-{chosen}"
        before = [p for p in self._kept if p != path]
        latest.enter(self._folder, self.latest_checkpoint, list(self._kept), [*self._left, path], durable=False)
        self._checkpoint.write(path)
        self._kept = {**{p: self._kept[p] for p in before}, path: time.time()}
        kept, preserved = dict(self._kept), self._preserved
        dropped = [p for p in self._left if p != path]
        while self._most is not None and len(kept) > self._most:
            oldest = next(iter(kept))
            written = kept.pop(oldest)
            if self._every is not None and written - preserved >= self._every:
                preserved = written
            else:
                dropped.append(oldest)
        latest.enter(self._folder, path, list(kept), dropped)
        self._kept, self._preserved, self._left = kept, preserved, dropped
        for one in dropped:
            files.remove_checkpoint(one)
        if dropped:
            latest.enter(self._folder, path, list(kept), durable=False)
            self._left = []
        return path

    def restore_or_initialize(self) -> str | None:
        """Restore the latest checkpoint and return its prefix; without one, call ``init_fn`` and return None."""
        path = self.latest_checkpoint
        if path is not None:
            self._checkpoint.restore(path)
            if self._steps is not None:
                self._last = int(self._steps)
            return path
        if self._init is not None:
            self._init()
        return None


def checkpoints_iterator(
    checkpoint_dir: Any, min_interval_secs: float = 0, timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:  # fmt: skip
    """Iterate over checkpoints of a folder as they come; end if none comes within ``timeout`` seconds.

    ``timeout_fn``: asked then whether to end; without one, it ends.
    """
    last: str | None = None
    while True:
        begin = time.monotonic()
        while (found := files.latest_checkpoint(checkpoint_dir)) == last:
            if timeout is not None and time.monotonic() - begin > timeout:
                break
            time.sleep(0.1)
        if found == last or found is None:
            if timeout_fn is None or timeout_fn():
                return
            continue
        last, start = found, time.monotonic()
        yield found
        time.sleep(max(0.0, start + min_interval_secs - time.monotonic()))
