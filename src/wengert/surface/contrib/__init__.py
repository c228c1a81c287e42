"""TensorFlow 1's ``tf.contrib``, the parts that scientific programs call: layers, framework, opt, eager, autograph."""

from typing import Any

from wengert.surface import autograph as autograph
from wengert.surface.contrib import framework as framework
from wengert.surface.contrib import layers as layers

__all__ = ["autograph", "eager", "framework", "layers", "opt"]

_LATE = ("eager", "opt")


def __getattr__(name: str) -> Any:
    """Return ``eager`` or ``opt``, imported when it is first asked for; name what there is for any other name."""
    if name in _LATE:
        import importlib

        return importlib.import_module(f"wengert.surface.contrib.{name}")
    raise AttributeError(
        f"tf.contrib.{name} is not in Wengert; of tf.contrib there are {', '.join(__all__[:-1])} and {__all__[-1]}."
    )


def __dir__() -> list[str]:
    """List the public names, those that are imported late among them."""
    return sorted({*globals(), *_LATE})
