"""Run one of these programs on TensorFlow 2.21, with stand-ins for what was taken out of it since the programs' time.

    python tests/survey/with_tensorflow.py tests/survey/tf1/burgers.py > tests/survey/tf1/burgers.tensorflow-2.21.txt

with a Python that has tensorflow 2.21 and SciPy. The tests read what it printed and never run it.
"""

import runpy
import sys
import types
from pathlib import Path

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf
from tensorflow.python.framework import ops

v1 = tf.compat.v1
BY_NAME = {"keras_and_tape", "compat_v1_as_tf", "compat_v1_names"}  # ask for TensorFlow 1 by name, or not at all


class ScipyOptimizerInterface:
    """tf.contrib.opt's, without constraints."""

    def __init__(self, loss, var_list=None, method="L-BFGS-B", options=None):
        self.loss, self.method, self.options = loss, method, options
        self.variables = list(var_list or v1.trainable_variables())
        found = v1.gradients(loss, self.variables)
        self.gradients = [tf.zeros_like(v) if g is None else g for g, v in zip(found, self.variables, strict=True)]
        self.given = [v1.placeholder(v.dtype.base_dtype, v.shape) for v in self.variables]
        self.assign = [v1.assign(v, p) for v, p in zip(self.variables, self.given, strict=True)]

    def minimize(self, session, feed_dict=None, fetches=(), loss_callback=None):
        sizes = [v.shape.num_elements() for v in self.variables]

        def put(flat):
            parts = np.split(flat, np.cumsum(sizes)[:-1])
            session.run(self.assign, {p: a.reshape(p.shape) for p, a in zip(self.given, parts, strict=True)})

        def f(flat):
            put(flat)
            value, slopes, fetched = session.run([self.loss, self.gradients, list(fetches)], feed_dict)
            if loss_callback is not None:
                loss_callback(*fetched)
            return float(value), np.concatenate([np.ravel(s) for s in slopes]).astype(np.float64)

        start = np.concatenate([np.ravel(v) for v in session.run(self.variables)]).astype(np.float64)
        put(scipy.optimize.minimize(f, start, jac=True, method=self.method, options=self.options).x)


class NadamOptimizer(v1.train.AdamOptimizer):
    """tf.contrib.opt's: Adam's kernel with Nesterov's momentum."""

    def _apply_dense(self, grad, var):
        one, two = self._get_beta_accumulators()
        hyper = [tf.cast(t, grad.dtype) for t in (one, two, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)]
        names = ["beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon"]
        state = {"var": var, "m": self.get_slot(var, "m"), "v": self.get_slot(var, "v")}
        references = {name: v._ref() for name, v in state.items()}
        return tf.raw_ops.ApplyAdam(**references, **dict(zip(names, hyper, strict=True)), grad=grad, use_nesterov=True).op


def dense(inputs, units, activation=None):
    """tf.layers'."""
    with v1.variable_scope(None, default_name="dense"):
        kernel = v1.get_variable("kernel", [inputs.shape[-1], units])
        bias = v1.get_variable("bias", [units], initializer=v1.zeros_initializer())
    y = tf.matmul(inputs, kernel) + bias
    return y if activation is None else activation(y)


def lbfgs_minimize(value_and_gradients_function, initial_position, max_iterations=50, **keywords):
    """tensorflow_probability.optimizer's."""

    def f(x):
        value, slope = value_and_gradients_function(tf.constant(x, initial_position.dtype))
        return float(value), slope.numpy().astype(np.float64)

    found = scipy.optimize.minimize(
        f, initial_position.numpy(), jac=True, method="L-BFGS-B", options={"maxiter": max_iterations, "ftol": 0, "gtol": 1e-7}
    )
    names = "converged failed num_iterations position objective_value objective_gradient".split()
    values = found.success, False, found.nit, tf.constant(found.x), found.fun, tf.constant(found.jac)
    return types.SimpleNamespace(**dict(zip(names, values, strict=True)))


class Adam(tf.keras.optimizers.Adam):
    """Keras' with the name that Keras 2 had for the rate, or for the schedule of rates."""

    def __init__(self, *arguments, **keywords):
        if "lr" in keywords:
            keywords["learning_rate"] = keywords.pop("lr")
        super().__init__(*arguments, **keywords)
        self.lr = self._learning_rate


def main() -> None:
    script = Path(sys.argv[1])
    sys.argv = sys.argv[1:]
    ops.Tensor = tf.Tensor
    if script.parent.name == "tf1" and script.stem not in BY_NAME:
        v1.disable_v2_behavior()
        v1.contrib = types.SimpleNamespace(
            opt=types.SimpleNamespace(ScipyOptimizerInterface=ScipyOptimizerInterface, NadamOptimizer=NadamOptimizer),
            layers=types.SimpleNamespace(xavier_initializer=v1.glorot_uniform_initializer),
        )
        v1.layers = types.SimpleNamespace(dense=dense)
        sys.modules["tensorflow"] = v1
    else:
        tf.keras.optimizers.Adam = Adam
        keras.optimizers.Adam = Adam
        probability = types.ModuleType("tensorflow_probability")
        probability.optimizer = types.SimpleNamespace(lbfgs_minimize=lbfgs_minimize)
        sys.modules["tensorflow_probability"] = probability
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
