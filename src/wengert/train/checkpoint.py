"""Checkpoints of objects: the values of all variables reached from one, by the names of the attributes that lead there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wengert import shapes
from wengert.errors import DTypeError, NotFoundError, ShapeError
from wengert.functions.program import init_scope
from wengert.graph import Graph
from wengert.module import Module
from wengert.state import Storage, Variable
from wengert.train import files

__all__ = ["Checkpoint", "CheckpointManager", "CheckpointOptions", "checkpoints_iterator", "restored", "storage_of"]

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
"""What TensorFlow's names of values end in."""


def storage_of(variable: Variable, session: Any = None) -> Storage:
    """Return where a variable's value is: with it, or for one of a graph, in the given or the default session."""
    if variable._graph is None:
        return variable._storage
    return Graph.default_session(session).storage_of(variable)  # type: ignore[no-any-return]


def restored(wanted: Sequence[tuple[str, Variable]], values: Mapping[str, Any], source: str, session: Any = None) -> None:
    """Set variables to the values of these names, all of them or, if one does not fit, none.

    Raises:
        NotFoundError: if there is no value of a name.
        ShapeError: if a value has another shape than its variable.
        DTypeError: if it has another dtype.
    """
    writes = []
    for name, variable in wanted:
        if name not in values:
            raise NotFoundError(
                f"Key {name} not found in checkpoint {source}, which holds {', '.join(sorted(values)) or 'nothing'}. "
                "Nothing has been restored."
            )
        value = values[name]
        if not shapes.fits(variable.sizes, value.shape):
            raise ShapeError(
                f"{source} holds {name} with shape {shapes.text(value.shape)}, and the variable '{variable.name}' has shape "
                f"{shapes.text(variable.sizes)}. Nothing has been restored."
            )
        if value.dtype != variable.nptype:
            raise DTypeError(
                f"{source} holds {name} as {value.dtype}, and the variable '{variable.name}' is of dtype "
                f"{variable.dtype.name}. Nothing has been restored."
            )
        writes.append((storage_of(variable, session), value))
    for storage, value in writes:
        storage.write(value)


# --- what is reached from an object ---------------------------------------------------------------------------------------


def _children(item: Any) -> dict[str, Any]:
    """Return what an object holds, by name."""
    own = getattr(item, "_trackable_children", None)
    if own is not None and not isinstance(item, type):
        return dict(own())
    if isinstance(item, Mapping):
        return {str(k): v for k, v in item.items()}
    if isinstance(item, list | tuple):
        return {str(i): v for i, v in enumerate(item)}
    return dict(vars(item)) if isinstance(item, Module) else {}


def _escaped(name: str) -> str:
    return name.replace(".", "..").replace("/", ".S")


def _walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over (path, object), nearest first, each object once."""
    seen = {id(root)}
    level: list[tuple[str, Any]] = [("", root)]
    while level:
        following = []
        for path, item in level:
            yield path, item
            if isinstance(item, Variable):
                continue
            for name, child in sorted(_children(item).items()):
                if id(child) not in seen and (isinstance(child, Variable) or hasattr(child, "__dict__") or _is_nest(child)):
                    seen.add(id(child))
                    following.append((f"{path}/{_escaped(name)}" if path else _escaped(name), child))
        level = following


def _is_nest(item: Any) -> bool:
    return isinstance(item, Mapping | list | tuple)


def _variables(root: Any) -> dict[str, Variable]:
    return {path + VALUE: item for path, item in _walk(root) if isinstance(item, Variable)}


# --- checkpoints ----------------------------------------------------------------------------------------------------------


class CheckpointOptions:
    """Accepted: files are written at once, on this machine."""

    def __init__(self, **options: Any) -> None:
        """Take whatever options."""
        self.__dict__.update(options)


class Status:
    """What came of a restoration, and assertions about it."""

    def __init__(self, source: str, used: set[str], unused: set[str], missing: list[str]) -> None:
        """Take the names that were used, those that were not, and the variables that the file has no value for."""
        self._source, self._used, self._unused, self._missing = source, used, unused, missing

    def assert_consumed(self) -> Status:
        """Return self if all values have gone to variables, and all variables have got one.

        Raises:
            AssertionError: if not.
        """
        self.assert_existing_objects_matched()
        if self._unused:
            raise AssertionError(f"Unresolved objects in checkpoint {self._source}: {', '.join(sorted(self._unused))}")
        return self

    def assert_existing_objects_matched(self) -> Status:
        """Return self if all variables that there were have got a value.

        Raises:
            AssertionError: if not.
        """
        if self._missing:
            raise AssertionError(f"The checkpoint {self._source} has no value for {', '.join(self._missing)}")
        return self

    def assert_nontrivial_match(self) -> Status:
        """Return self if anything has got a value.

        Raises:
            AssertionError: if not.
        """
        if not self._used:
            raise AssertionError(f"Nothing in the checkpoint {self._source} belongs to what was to be restored.")
        return self

    def expect_partial(self) -> Status:
        """Return self: what is left over is not complained about."""
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Do nothing: the values are set."""

    initialize_or_restore = run_restore_ops


class Checkpoint:
    """Saves and restores the variables of modules, models, optimizers, lists, dictionaries, and variables themselves.

    Values that belong to an optimizer or a model whose variables are not made yet wait until they are.

    >>> import tempfile, wengert as tf
    >>> v = tf.Variable(1.0)
    >>> path = tf.train.Checkpoint(v=v).save(tempfile.mkdtemp() + "/ckpt")
    >>> _ = v.assign(2.0)
    >>> _ = tf.train.Checkpoint(v=v).restore(path).assert_consumed()
    >>> v.numpy()
    np.float32(1.0)
    """

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        """Take an object, and objects by name."""
        self._root = root
        self._counter: Variable | None = None
        for name, item in kwargs.items():
            setattr(self, name, item)

    def _trackable_children(self) -> dict[str, Any]:
        found = {} if self._root is None else _children(self._root)
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
        values = {key: storage_of(v, session).read() for key, v in _variables(self).items()}
        files.write(file_prefix, values)
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
        """Set the variables to the values of a checkpoint.

        Raises:
            NotFoundError: if there is no such checkpoint.
            DataLossError: if it cannot be read.
            ValueError: if a value does not fit its variable. In each case nothing has been set.
        """
        values = files.read(save_path)
        variables = _variables(self)
        matched = [(key, v) for key, v in variables.items() if key in values]
        restored(matched, values, os.fspath(save_path), session)
        left = {key: v for key, v in values.items() if key not in variables}
        waiting = self._handed_on(left)
        missing = [v.name for key, v in variables.items() if key not in values]
        return Status(os.fspath(save_path), {key for key, _ in matched}, set(left) - waiting, missing)

    def _handed_on(self, left: Mapping[str, Any]) -> set[str]:
        """Give values of variables that are not made yet to the objects that will make them; return their names."""
        taken: set[str] = set()
        for path, item in _walk(self):
            later: Callable[[dict[str, Any]], None] | None = getattr(item, "_restore_later", None)
            if later is None or isinstance(item, type):
                continue
            head = path + "/"
            own = {key: v for key, v in left.items() if key.startswith(head)}
            if own:
                later({key.removeprefix(head).removesuffix(VALUE): v for key, v in own.items()})
                taken |= set(own)
        return taken

    def restore(self, save_path: Any, options: Any = None, session: Any = None) -> Any:
        """Set the variables to the values of a checkpoint; without a path (None) do nothing. See `read`."""
        if save_path is None:
            return Status("None", set(), set(), [])
        counter = self.save_counter
        status = self.read(save_path, options, session)
        if counter.name in status._missing:  # written by `write`, which does not count
            status._missing.remove(counter.name)
        return status


class CheckpointManager:
    """Keeps the latest few of the checkpoints in a folder."""

    def __init__(
        self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None, keep_checkpoint_every_n_hours: Any = None,
        checkpoint_name: str = "ckpt", step_counter: Any = None, checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None, last_checkpoint_step: Any = None,
    ) -> None:  # fmt: skip
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
        self._kept: dict[str, float] = {}
        for path in [] if found is None else found.all_model_checkpoint_paths:
            if files.checkpoint_exists(path):
                self._kept[path] = os.path.getmtime(files.path_of(path))

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
        path = self._checkpoint.write(f"{self._prefix}-{chosen}")
        self._kept.pop(path, None)
        self._kept[path] = time.time()
        dropped = []
        while self._most is not None and len(self._kept) > self._most:
            oldest = next(iter(self._kept))
            written = self._kept.pop(oldest)
            if self._every is not None and written - self._preserved >= self._every:
                self._preserved = written
            else:
                dropped.append(oldest)
        files.update_checkpoint_state(self._folder, path, list(self._kept))
        for one in dropped:
            files.remove_checkpoint(one)
        return path

    def restore_or_initialize(self) -> str | None:
        """Restore the latest checkpoint and return its prefix; without one, call ``init_fn`` and return None."""
        latest = self.latest_checkpoint
        if latest is not None:
            self._checkpoint.restore(latest)
            if self._steps is not None:
                self._last = int(self._steps)
            return latest
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
