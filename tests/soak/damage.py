"""Damaged files of every kind that is read: an error of ours that names the file, or what was written; never half of it.

What damage cannot be told from another content (a digit in a text without a checksum) need not be told: see `Reader.exact`.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import pickle
import resource
import struct
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import wengert as tf
from wengert.run.script import run_script

from .savers import TRAINING, Checkpoint, Model, Saver, Summary, Weights, one_step
from .trial import Fault, same

v1 = tf.compat.v1
OURS = (tf.errors.OpError, ValueError, OSError)
OLD, NEW = 7, 3
"""What the variables hold before a file is read, and what the file held when it was whole."""


class Reader:
    """What writes a file whole, and reads it back: the step that is found, or None for nothing."""

    exact = True
    """Whether what is read without an error must be what was written."""
    named = True
    """Whether errors name the file."""

    def __init__(self, make: Callable[[Path], Any], name: str) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.folder = Path(self.home.name)
        self.saver = make(self.folder)
        self.saver.save(NEW)
        self.path = next(self.folder.glob(name))
        self.whole = self.path.read_bytes()

    def before(self) -> None:
        """Give the variables their old values."""

    def read(self) -> int | None:
        return self.saver.read()  # type: ignore[no-any-return]

    def after(self) -> int:
        """Return the step of the variables where reading failed."""
        return OLD


class CheckpointReader(Reader):
    """`Checkpoint.read`."""

    def before(self) -> None:
        self.saver.fill(OLD)

    def after(self) -> int:
        return one_step([v.numpy() for v in self.saver.variables], "the variables")


class SaverReader(Reader):
    """`Saver.restore`."""

    def before(self) -> None:
        for v in self.saver.variables:
            v.load(np.full(v.shape, float(OLD)), self.saver.session)

    def after(self) -> int:
        return one_step(self.saver.session.run(self.saver.variables), "the variables")


class StateReader(SaverReader):
    """The text that says which checkpoint is the latest: damage may well hide it."""

    def read(self) -> int | None:
        found = super().read()
        return NEW if found is None else found


class WeightsReader(Reader):
    """`load_weights`."""

    def before(self) -> None:
        self.saver.model.set_weights([np.full(w.shape, OLD, "f4") for w in self.saver.model.get_weights()])

    def after(self) -> int:
        return one_step(self.saver.model.get_weights(), "the weights")


class RecordReader(Reader):
    """`summary.read`: lines without checksums, so that only errors are looked at."""

    exact = False

    def read(self) -> int | None:
        return len(tf.summary.read(str(self.folder)))


class ResumptionReader(Reader):
    """``wengert run --checkpoint``, which starts from the file: it refuses, or has what was written."""

    def __init__(self) -> None:
        super().__init__(lambda folder: self, "c.safetensors")

    def save(self, k: int) -> None:
        self.script = self.folder / "script.py"
        self.script.write_text(TRAINING.partition("for _")[0] + "assert float(sys.argv[2]) == a.numpy()[0] == b.numpy()[-1]\n")
        self.trained = self.folder / "train.py"
        self.trained.write_text(TRAINING)
        self.run(self.trained, str(k))

    def run(self, script: Path, *arguments: str) -> tuple[int, str]:
        with contextlib.redirect_stderr(io.StringIO()) as told:
            status = run_script(str(script), arguments, checkpoint=str(self.folder / "c"))
        return status, told.getvalue()

    def read(self) -> int | None:
        status, told = self.run(self.script, "0", str(float(NEW)))
        if "Traceback" in told:
            raise Fault("unnamed", f"the script's variables are wrong, or an error came as a traceback: {told[-800:]}")
        if status:
            raise OSError(told)
        return NEW


class Bytes:
    """What saves and reads a tensor's bytes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tensor"

    def save(self, k: int) -> None:
        tf.io.write_file(str(self.path), tf.io.serialize_tensor(tf.fill([50], float(k))))

    def read(self) -> int | None:
        tf.io.parse_tensor(tf.io.read_file(str(self.path)), tf.float32)
        return NEW


class BytesReader(Reader):
    """`parse_tensor`: bytes without a name or a checksum."""

    exact, named = False, False


READERS: dict[str, Callable[[], Reader]] = {
    "Checkpoint": lambda: CheckpointReader(Checkpoint, "*.safetensors"), "Saver": lambda: SaverReader(Saver, "*.safetensors"),
    "state file": lambda: StateReader(Saver, "checkpoint"), "load_weights": lambda: WeightsReader(Weights, "*.h5"),
    "load_model": lambda: Reader(Model, "*.keras"), "summary": lambda: RecordReader(Summary, "events*"),
    "run --checkpoint": ResumptionReader, "parse_tensor": lambda: BytesReader(Bytes, "tensor"),
}  # fmt: skip
SUBJECTS = tuple(READERS)
SHORT = 50 * len(SUBJECTS)


class Evil:
    """What a pickle would run, if one were loaded."""

    def __reduce__(self) -> Any:
        return os._exit, (3,)


DEEP = ("[" * 100000 + "]" * 100000, '{"a":' * 50000 + "1" + "}" * 50000)


def damaged(whole: bytes, random: Random) -> bytes:
    """Return a file's content with one kind of damage or another."""
    size = len(whole)
    at = random.randrange(size)
    match random.randrange(10):
        case 0:
            return whole[:at]
        case 1:  # bits
            content = bytearray(whole)
            for _ in range(random.choice([1, 1, 3])):
                content[random.randrange(size)] ^= 1 << random.randrange(8)
            return bytes(content)
        case 2:  # a bit near the beginning, where the headers are
            content = bytearray(whole)
            content[random.randrange(min(size, 400))] ^= 1 << random.randrange(8)
            return bytes(content)
        case 3:  # a block
            block = random.choice([b"\0", b"\xff", b'"', b"["]) * random.choice([1, 8, 512])
            return whole[:at] + block + whole[at + len(block) :]
        case 4:
            return whole[:at] + random.randbytes(random.choice([1, 7, 4096])) + whole[at:]
        case 5:
            return whole[:at] + whole[at + random.choice([1, 8, 512]) :]
        case 6:
            return random.choice(
                [b"", b"\0" * size, random.randbytes(size), pickle.dumps(Evil()), npy("|O", (1,), pickle.dumps(Evil()))]
            )
        case 7:
            shape = random.choice([(2**40,), (-1,), (2**62, 4), (0,), (50,)])
            return npy(random.choice(["<f4", "|O", "<f99", "<U9", "[", "V8"]), shape, whole[:200])
        case 8:
            return random.choice(DEEP).encode() + b"\n" + whole
        case _:
            return crafted(whole, random)


def npy(kind: str, shape: tuple[int, ...], content: bytes) -> bytes:
    """Return an array's file with a header of one's own."""
    header = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def crafted(whole: bytes, random: Random) -> bytes:
    """Return a file of safetensors with a header that says something else; another file with a long line in front."""
    length = int.from_bytes(whole[:8], "little")
    if length > len(whole):
        return b'{"wall_time": "x", "step": {}}\n"line"\nnull\n' + whole
    header = json.loads(whole[8 : 8 + length])
    texts = header.setdefault("__metadata__", {})
    key = random.choice([k for k in header if k != "__metadata__"])
    match random.randrange(8):
        case 0:
            texts[random.choice([*texts, "wengert.dtypes"])] = random.choice([*DEEP, "", "null", "[1]", "{}", '{"a": 1}', "\0"])
        case 1:
            header[key]["dtype"] = random.choice(["F8_E4M3", "BF16", "I8", "F64", "U64", "X"])
        case 2:
            header[key]["shape"] = random.choice([[2**62], [-1], [], [1, 2, 3], ["a"], None])
        case 3:
            header[key]["data_offsets"] = random.choice([[0, 2**60], [8, 0], [-8, 8], [0], None])
        case 4:
            header[random.choice(["", "\u202e", "a\nb", "x" * 5000])] = header.pop(key)
        case 5:
            del header[key]
        case 6:
            header[key] = random.choice([None, [], "x", 3])
        case _:
            text = whole[8 : 8 + length]
            return struct.pack("<Q", random.choice([0, 2**63, 2**31, length + 1, length - 1])) + text + whole[8 + length :]
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + whole[8 + length :]


@functools.cache
def reader(subject: str) -> Reader:
    """Return the reader, in a process that cannot take all of the machine's memory."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, hard))
    return READERS[subject]()


def trial(subject: str, random: Random) -> None:
    one = reader(subject)
    content = damaged(one.whole, random)
    one.path.write_bytes(content)
    try:
        one.before()
        _looked_at(one, content)
    except Fault as fault:
        raise Fault(fault.sort, f"{len(content)} bytes, {content[:60]!r}...\n{fault.text}") from None
    finally:
        one.path.write_bytes(one.whole)
    one.before()
    if one.exact:
        same("lost", "the step of the whole file", one.read(), NEW)


def _looked_at(one: Reader, content: bytes) -> None:
    try:
        found = one.read()
    except OURS as error:
        text = str(error)
        if isinstance(error, UnicodeError | json.JSONDecodeError) or type(error) is KeyError:
            raise Fault("unnamed", traceback.format_exc(limit=-3)) from None
        if one.named and one.path.name not in text and one.path.stem not in text:
            raise Fault("unnamed", f"the file is not named: {type(error).__name__}: {text[:500]}") from None
        same("half", f"the variables after {type(error).__name__}", one.after(), OLD)
    except Fault as fault:
        raise Fault("unnamed" if fault.sort == "unnamed" else "lost", f"damage was not noticed: {fault.text}") from None
    except BaseException as error:
        raise Fault("unnamed", f"{type(error).__name__}\n{traceback.format_exc(limit=-4)[-1500:]}") from None
    else:
        if one.exact and content != one.whole:
            same("lost", "the step that was read without an error", found, NEW)
