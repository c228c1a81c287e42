"""TensorFlow 1's ``tf.flags``: values from the command line, in the manner of absl."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.ground.errors import helped
from wengert.tensor.tensor import TensorLike

__all__ = [
    "DEFINE",
    "FLAGS",
    "DEFINE_bool",
    "DEFINE_boolean",
    "DEFINE_enum",
    "DEFINE_float",
    "DEFINE_integer",
    "DEFINE_list",
    "DEFINE_multi_string",
    "DEFINE_string",
    "Error",
    "FlagValues",
    "mark_flag_as_required",
    "mark_flags_as_required",
]


@helped
class Error(Exception):
    """A flag that is not there, or whose value cannot be read."""


class _Flag:
    def __init__(self, default: Any, help: Any, read: Callable[[str], Any], switch: bool = False) -> None:
        self.default, self.help, self.read, self.switch = default, help, read, switch
        self.value = default
        self.present = 0


class FlagValues:
    """The flags and their values: attributes, once the command line is read."""

    def __init__(self) -> None:
        self.__dict__["_flags"] = {}
        self.__dict__["_required"] = []

    def _define(self, name: str, flag: _Flag) -> None:
        self.__dict__["_flags"][name] = flag

    def __getattr__(self, name: str) -> Any:
        """Return a flag's value."""
        flags = self.__dict__["_flags"]
        if name not in flags:
            raise AttributeError(name)
        return flags[name].value

    def __setattr__(self, name: str, value: TensorLike) -> None:
        if name not in self.__dict__["_flags"]:
            raise AttributeError(name)
        self.__dict__["_flags"][name].value = value

    def __delattr__(self, name: str) -> None:
        del self.__dict__["_flags"][name]

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__["_flags"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__["_flags"])

    def __getitem__(self, name: str) -> Any:
        """Return the flag itself, with ``value`` and ``default``."""
        return self.__dict__["_flags"][name]

    def flag_values_dict(self) -> dict[str, Any]:
        """Return names and values."""
        return {k: f.value for k, f in self.__dict__["_flags"].items()}

    def __call__(self, argv: Sequence[str], known_only: bool = False) -> list[str]:
        """Read a command line; return what is no flag.

        Raises:
            Error: for an unknown flag, a missing value, or one that cannot be read.
        """
        flags = self.__dict__["_flags"]
        rest, words = list(argv[:1]), list(argv[1:])
        while words:
            word = words.pop(0)
            if word == "--":
                rest += words
                break
            if not word.startswith("-") or word == "-":
                rest.append(word)
                continue
            name, equals, text = word.lstrip("-").partition("=")
            flag = flags.get(name)
            if flag is None and name.startswith("no") and name[2:] in flags and flags[name[2:]].switch:
                flags[name[2:]].value = False
                continue
            if flag is None:
                if known_only:
                    rest.append(word)
                    continue
                raise Error(f"Unknown command line flag {name!r}")
            if flag.switch and not equals:
                flag.value = True
                continue
            if not equals:
                if not words:
                    raise Error(f"Missing value for flag --{name}")
                text = words.pop(0)
            try:
                flag.value = flag.read(text)
            except ValueError as error:
                raise Error(f"flag --{name}={text}: {error}") from None
            flag.present += 1
        for name in self.__dict__["_required"]:
            if flags[name].value is None:
                raise Error(f"Flag --{name} must have a value other than None.")
        return rest

    def parse(self) -> list[str]:
        """Read the command line of the process."""
        return self(sys.argv, known_only=True)


FLAGS = FlagValues()


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "t", "1", "yes", "y"):
        return True
    if text.lower() in ("false", "f", "0", "no", "n"):
        return False
    raise ValueError(f"non-boolean argument {text!r}")


def _definer(read: Callable[[str], Any], switch: bool = False) -> Callable[..., None]:
    def define(name: str, default: Any = None, help: Any = None, *arguments: Any, **keywords: Any) -> None:
        """Define a flag: name, default value, help."""
        FLAGS._define(name, _Flag(default, help, read, switch))

    return define


def DEFINE(parser: Callable[[str], Any], name: str, default: Any, help: Any, **keywords: Any) -> None:
    """Define a flag whose text a function reads."""
    FLAGS._define(name, _Flag(default, help, parser))


DEFINE_string = _definer(str)
DEFINE_integer = _definer(int)
DEFINE_float = _definer(float)
DEFINE_bool = DEFINE_boolean = _definer(_boolean, True)
DEFINE_list = _definer(lambda text: [part.strip() for part in text.split(",")] if text else [])
DEFINE_multi_string = _definer(lambda text: [text])


def DEFINE_enum(name: str, default: Any, enum_values: Sequence[str], help: Any = None, **keywords: Any) -> None:
    """Define a flag that takes one of a few words."""

    def read(text: str) -> str:
        if text not in enum_values:
            raise ValueError(f"value should be one of {list(enum_values)}")
        return text

    FLAGS._define(name, _Flag(default, help, read))


def mark_flag_as_required(flag_name: str, flag_values: Any = None) -> None:
    """Require that a flag is given."""
    FLAGS.__dict__["_required"].append(flag_name)


def mark_flags_as_required(flag_names: Sequence[str], flag_values: Any = None) -> None:
    """Require that flags are given."""
    for name in flag_names:
        mark_flag_as_required(name)
