"""Forward mode, and derivatives of Python functions (TensorFlow's ``tf.autodiff`` and more)."""

from wengert.calculus.gradients import ForwardAccumulator, hessian, hvp, jacobian, jvp, vjp
from wengert.calculus.partials import partial, taylor
from wengert.modes.tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape", "hessian", "hvp", "jacobian", "jvp", "partial", "taylor", "vjp"]
