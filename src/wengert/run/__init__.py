"""Running a TensorFlow script, and what scripts that were published years ago need, mended in the process that runs them."""

from wengert.run.script import run_script, serve, style_of

__all__ = ["run_script", "serve", "style_of"]
