"""TensorFlow 1's ``tf.train.Saver``: the values that a session has of some variables, in files.

``saver.save(sess, "runs/model", global_step=3)`` writes ``runs/model-3.safetensors`` (arrays by the names of variables, without
":0") and the text ``runs/checkpoint``, which says which is the latest. Scripts that look whether there is a checkpoint ask for
``runs/model-3.index`` or ``runs/model-3.meta``, as often as they call ``tf.train.latest_checkpoint``: so these two are written
too, as texts that say where the values are. One that TensorFlow wrote is not overwritten.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ground.context import state
from wengert.ground.errors import NotFoundError
from wengert.ground.options import options
from wengert.ground.replacing import remove, replace
from wengert.modes.session import Session, default_graph
from wengert.modes.variable import Variable
from wengert.surface.v1.graphs import GraphKeys
from wengert.surface.v1.steps import global_step as value_of_step
from wengert.tensor.tensor import TensorLike
from wengert.train import files, latest
from wengert.train.checkpoint import by_names, restored, storage_of

MARK = "Wengert checkpoint"


class Saver:
    """Saves and restores variables: those of the graph by default, or those of a list, or of a dictionary by name.

    >>> import tempfile, wengert as tf
    >>> v1 = tf.compat.v1
    >>> with tf.Graph().as_default():
    ...     w = v1.get_variable("w", initializer=[1.0, 2.0])
    ...     saver = v1.train.Saver()
    ...     with v1.Session() as sess:
    ...         _ = sess.run(v1.global_variables_initializer())
    ...         path = saver.save(sess, tempfile.mkdtemp() + "/model")
    ...     with v1.Session() as sess:
    ...         saver.restore(sess, path)
    ...         print(sess.run(w))
    [1. 2.]
    """

    def __init__(
        self, var_list: Sequence[Any] | None = None, reshape: bool = False, sharded: bool = False, max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0, name: str | None = None, restore_sequentially: bool = False,
        saver_def: Any = None, builder: Any = None, defer_build: bool = False, allow_empty: bool = False, write_version: int = 2,
        pad_step_number: bool = False, save_relative_paths: bool = False, filename: str | None = None,
    ) -> None:  # fmt: skip
        """Take the variables, how many checkpoints to keep (None or 0: all), and how often one is kept for good.

        Raises:
            ValueError: if there is no variable, and for two of one name.
            TypeError: for what is no variable, and no list or dictionary of them.
            RuntimeError: eagerly, without variables.
            NotImplementedError: with a ``saver_def`` or a ``builder``.
        """
        if saver_def is not None or builder is not None:
            raise NotImplementedError("Saver: saver_def and builder are protocol buffers' and graphs' business; give var_list.")
        if state.graph is None and var_list is None:
            raise RuntimeError("When eager execution is enabled, `var_list` must specify a list or dict of variables to save")
        self._given, self._reshape, self._empty_allowed = var_list, reshape, allow_empty
        self._most, self._pad = max_to_keep or 0, pad_step_number
        self._every = 3600.0 * keep_checkpoint_every_n_hours
        self._preserve_from = time.time() + self._every
        self._kept: dict[str, float] = {}
        self._begun = False
        self._variables: list[tuple[str, Variable]] | None = None
        if not defer_build:
            self.build()

    def build(self) -> None:
        """Choose the variables: those that the graph has now, unless they were given."""
        given = self._given
        if given is None:
            graph = default_graph()
            given = [*graph.get_collection(GraphKeys.GLOBAL_VARIABLES), *graph.get_collection(GraphKeys.SAVEABLE_OBJECTS)]
        self._variables = _named(given)
        if not self._variables and not self._empty_allowed:
            raise ValueError("No variables to save: make them before the Saver, or give var_list.")

    def _built(self, who: str) -> list[tuple[str, Variable]]:
        if self._variables is None:
            raise RuntimeError(f"`build()` should be called before {who} if defer_build==True")
        return self._variables

    # --- saving ---------------------------------------------------------------------------------------------------------

    def save(
        self, sess: Any, save_path: Any, global_step: TensorLike | None = None, latest_filename: str | None = None,
        meta_graph_suffix: str = "meta", write_meta_graph: bool = True, write_state: bool = True,
        strip_default_attrs: bool = False, save_debug_info: bool = False,
    ) -> str:  # fmt: skip
        """Write the values of a session under save_path, with "-" and the step after it where one is given; return that prefix.

        With ``write_state`` the checkpoint becomes the latest of its folder, and the oldest beyond those to keep is removed.

        Raises:
            ValueError: without a path or its folder, and for a latest_filename with a folder in it.
            TypeError: for what is no session.
            FailedPreconditionError: for a variable that is not initialised. Then nothing has been written.
        """
        variables = self._built("save")
        if latest_filename is not None and os.path.split(latest_filename)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        path = _text(save_path)
        if global_step is not None:
            number = global_step if isinstance(global_step, int | np.integer) else value_of_step(sess, global_step)
            path = f"{path}-{number:08d}" if self._pad else f"{path}-{number}"
        folder = os.path.dirname(path)
        if folder and not os.path.isdir(folder):
            raise ValueError(f"Parent directory of {path} doesn't exist, can't save. Make it first: os.makedirs({folder!r}).")
        session = _session(sess, variables, "save")
        values = {name: storage_of(v, session).read() for name, v in variables}
        files.write(path, values)
        _announce(path, meta_graph_suffix if write_meta_graph and state.graph is not None else None)
        if write_state:
            self._kept.pop(path, None)
            self._kept[path] = time.time()
            dropped = [*self._left(folder, latest_filename), *self._surplus()]
            latest.enter(folder, path, self.last_checkpoints, dropped, latest_filename)
            for old in dropped:
                _remove(old, meta_graph_suffix)
        return path

    def _left(self, folder: str, latest_filename: str | None) -> list[str]:
        """Return what a kill has left, if this is the first save: checkpoints that an earlier program was about to remove."""
        if self._begun or not options.writes:
            return []
        self._begun = True
        return [p for p in latest.pending(folder, latest_filename) if p not in self._kept and files.files_of(p)]

    def _surplus(self) -> list[str]:
        """Forget the oldest checkpoints beyond those to keep; return those whose files are to go."""
        dropped = []
        while self._most > 0 and len(self._kept) > self._most:
            oldest = next(iter(self._kept))
            if self._kept.pop(oldest) > self._preserve_from:
                self._preserve_from += self._every
            else:
                dropped.append(oldest)
        return dropped

    @property
    def last_checkpoints(self) -> list[str]:
        """The prefixes of those that are kept, oldest first."""
        return list(self._kept)

    def set_last_checkpoints(self, last_checkpoints: Sequence[str]) -> None:
        """Say which checkpoints are there."""
        self._kept = dict.fromkeys(last_checkpoints, float("inf"))

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: Sequence[tuple[str, float]]) -> None:
        """Say which checkpoints are there, and when they were written."""
        self._kept = dict(last_checkpoints_with_time)

    def recover_last_checkpoints(self, checkpoint_paths: Sequence[str]) -> None:
        """Say which checkpoints are there; those that are not are left out."""
        there = [p for p in checkpoint_paths if files.checkpoint_exists(p)]
        self._kept = dict(zip(there, files.get_checkpoint_mtimes(there), strict=True))

    # --- restoring ------------------------------------------------------------------------------------------------------

    def restore(self, sess: Any, save_path: Any) -> None:
        """Set the variables of a session to the values of a checkpoint: all of them or, if one does not fit, none.

        They need no initialisation then.

        Raises:
            ValueError: without a path, and if there is no such checkpoint.
            NotFoundError: if it has no value for a variable.
            ShapeError: if a value has another shape than its variable (with ``reshape``: another number of elements).
            DTypeError: if it has another dtype.
        """
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        variables = self._built("restore")
        path = _text(save_path)
        if not variables:
            return
        try:
            values, texts = files.load(path)
        except NotFoundError as error:
            raise ValueError(f"The passed save_path is not a valid checkpoint: {path}. {error}") from None
        session = _session(sess, variables, "restore")
        if any(name not in values for name, _ in variables):
            values = dict(by_names(path, values, texts))
        if self._reshape:
            for name, v in variables:
                value = values.get(name)
                if value is not None and v.sizes is not None and value.size == int(np.prod([s or 1 for s in v.sizes])):
                    values[name] = value.reshape(v.sizes)
        restored(variables, values, path, session)

    # --- protocol buffers -----------------------------------------------------------------------------------------------

    def as_saver_def(self) -> Any:
        """Refuse: nothing is a protocol buffer here."""
        raise NotImplementedError("Saver.as_saver_def: savers are not protocol buffers here; make one with Saver(var_list).")

    def to_proto(self, export_scope: Any = None) -> Any:
        """Refuse: nothing is a protocol buffer here."""
        return self.as_saver_def()

    @staticmethod
    def from_proto(saver_def: Any, import_scope: Any = None) -> Any:
        """Refuse: nothing is a protocol buffer here."""
        raise NotImplementedError("Saver.from_proto: savers are not protocol buffers here; make one with Saver(var_list).")

    def export_meta_graph(self, filename: str | os.PathLike[str] | None = None, *arguments: Any, **keywords: Any) -> Any:
        """Refuse: graphs are not written."""
        return export_meta_graph(filename, *arguments, **keywords)


def export_meta_graph(filename: str | os.PathLike[str] | None = None, *arguments: Any, **keywords: Any) -> Any:
    """Refuse: graphs are not written.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(
        "export_meta_graph: graphs are not written as protocol buffers here. Save the values with Saver().save, and build the "
        "graph by running its code."
    )


def import_meta_graph(meta_graph_or_file: Any, *arguments: Any, **keywords: Any) -> Any:
    """Refuse: graphs are not read.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(
        f"import_meta_graph: graphs are not read from files here, and {meta_graph_or_file} holds none. Build the graph by "
        "running its code, then call Saver().restore."
    )


def write_graph(graph_or_graph_def: Any, logdir: str | os.PathLike[str], name: str, as_text: bool = True) -> str:
    """Refuse: graphs are not written.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(
        "write_graph: graphs are not written as protocol buffers here. `wengert explain SCRIPT` shows how derivatives are found."
    )


def _named(given: Any) -> list[tuple[str, Variable]]:
    """Return variables by the names that they have in a file."""
    if isinstance(given, Mapping):
        for name, item in given.items():
            if not isinstance(name, str):
                raise TypeError(f"Saver: the keys of var_list are names in the file, strings; {name!r} is none.")
            if not isinstance(item, Variable):
                raise TypeError(f"Saver: var_list names variables, and under {name!r} is no variable: {item!r}")
        pairs = list(given.items())
    elif isinstance(given, list | tuple | set):
        for item in given:
            if not isinstance(item, Variable):
                raise TypeError(f"Variable to save is not a Variable: {item!r}")
        pairs = [(v._name, v) for v in given]
    else:
        raise TypeError(f"Variables to save should be passed in a dict or a list. Got {given!r}")
    names: set[str] = set()
    seen: set[int] = set()
    for name, v in pairs:
        if name in names:
            raise ValueError(f"At least two variables have the same name: {name}. Give a dictionary with other names.")
        if id(v) in seen:
            raise ValueError(f"The same saveable will be restored with two names: {name}")
        names.add(name)
        seen.add(id(v))
    return sorted(pairs, key=lambda pair: pair[0])


def _session(sess: Any, variables: Sequence[tuple[str, Variable]], who: str) -> Any:
    """Return the session, checked, or None where no variable belongs to a graph."""
    if all(v._graph is None for _, v in variables):
        return None
    if not isinstance(sess, Session):
        raise TypeError(f"Saver.{who}: 'sess' must be a Session; {sess!r}")
    for name, v in variables:
        if v._graph is not None and v._graph is not sess.graph:
            raise ValueError(f"Saver.{who}: the variable '{name}' belongs to another graph than the session.")
    return sess


def _text(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path) if hasattr(path, "__fspath__") else path
    text = text.decode() if isinstance(text, bytes) else text
    if not isinstance(text, str):
        raise TypeError(f"Expected binary or unicode string, got {path!r}")
    if not text:
        raise ValueError("Saver: the path of a checkpoint is empty.")
    return text


def _own(path: str) -> bool:
    """Return whether there is no such file, or one of ours: a disk that was full may have left its beginning."""
    if not os.path.exists(path):
        return True
    with open(path, "rb") as file:
        return MARK.encode().startswith(file.read(len(MARK)))


def _announce(prefix: str, meta: str | None) -> None:
    """Write the texts that scripts look for beside a checkpoint."""
    where = os.path.basename(files.path_of(prefix))
    for suffix, says in (("index", "the values are in"), (meta, "no graph is kept; the values are in")):
        path = f"{prefix}.{suffix}"
        if suffix is not None and _own(path):
            replace(path, [f"{MARK}: {says} {where}\n".encode("utf-8", "surrogateescape")], durable=False)


def _remove(prefix: str, meta: str) -> None:
    """Remove a checkpoint and the texts beside it."""
    files.remove_checkpoint(prefix)
    for suffix in ("index", meta):
        path = f"{prefix}.{suffix}"
        if _own(path):
            remove(path)
