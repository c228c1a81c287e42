"""Wengert: partial derivatives of any order, of any variable, in static graphs and eagerly, with TensorFlow's names.

>>> import wengert as tf
>>> x = tf.constant(3.0)
>>> with tf.GradientTape() as tape:
...     tape.watch(x)
...     y = x**2
>>> tape.gradient(y, x)
<tf.Tensor: shape=(), dtype=float32, numpy=6.0>

Which names there are, and where each is made, stands in one table: `wengert.surface.table`.
"""

from typing import Any

from wengert.surface import serve as _serve

__version__ = "0.1.0"

_serve.lay()

globals().update(_serve.values(""))
__all__ = _serve.listed("")


def __getattr__(name: str) -> Any:
    """Return a module in this one, imported when it is first asked for; and what IPython asks an extension for."""
    if name in ("load_ipython_extension", "unload_ipython_extension"):
        from wengert.run import kernel

        return kernel.load if name.startswith("load") else kernel.unload
    return _serve.part("", name)


def __dir__() -> list[str]:
    """List the public names, those that are imported late among them."""
    return sorted({*globals(), *__all__})
