"""``tf.contrib.eager``: eager execution as TensorFlow 1 tried it out."""

from wengert.functions.program import custom_gradient, executing_eagerly, py_function
from wengert.modes.function import function as defun
from wengert.modes.session import enable_eager_execution
from wengert.modes.tape import GradientTape
from wengert.modes.variable import Variable
from wengert.surface.internal import gradients_function, implicit_grad, implicit_val_and_grad, val_and_grad_function
from wengert.surface.v1.saver import Saver
from wengert.surface.v1.variables import make_template
from wengert.train import Checkpoint

__all__ = [
    "Checkpoint",
    "GradientTape",
    "Saver",
    "Variable",
    "custom_gradient",
    "defun",
    "enable_eager_execution",
    "executing_eagerly",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "make_template",
    "py_func",
    "value_and_gradients_function",
]

implicit_gradients = implicit_grad
implicit_value_and_gradients = implicit_val_and_grad
value_and_gradients_function = val_and_grad_function
py_func = py_function
