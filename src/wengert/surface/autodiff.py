"""Forward mode, and derivatives of Python functions (TensorFlow's ``tf.autodiff`` and more)."""

from wengert.gradients import ForwardAccumulator, hessian, hvp, jacobian, jvp, vjp
from wengert.partials import partial, taylor
from wengert.tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape", "hessian", "hvp", "jacobian", "jvp", "partial", "taylor", "vjp"]
