"""Runs a TensorFlow 1 program on TensorFlow 2: `python on_tensorflow.py SCRIPT ARGS`, in TensorFlow's environment.

``import tensorflow`` gives ``tensorflow.compat.v1``, and ``tf.contrib.opt`` a stand-in for the interface to SciPy that went
away with TensorFlow 1.
"""

import runpy
import sys
import types

import numpy as np
import scipy.optimize
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class ScipyOptimizerInterface:
    """What TensorFlow 1's did: the gradient by the graph, the variables fed."""

    def __init__(self, loss, var_list=None, method="L-BFGS-B", options=None):
        """Take a loss, and SciPy's method and options."""
        self.variables = var_list or tf.trainable_variables()
        self.loss, self.method, self.options = loss, method, options
        self.gradient = tf.concat([tf.reshape(g, [-1]) for g in tf.gradients(loss, self.variables)], 0)
        self.shapes = [v.shape.as_list() for v in self.variables]
        self.places = [tf.placeholder(v.dtype, v.shape) for v in self.variables]
        self.updates = [v.assign(p) for v, p in zip(self.variables, self.places)]

    def minimize(self, session, feed_dict=None, fetches=(), loss_callback=None):
        """Minimise."""
        ends = np.cumsum([0] + [int(np.prod(s)) for s in self.shapes])

        def parts(x):
            return [x[a:b].reshape(s) for a, b, s in zip(ends, ends[1:], self.shapes)]

        def evaluate(x):
            feeds = {**(feed_dict or {}), **dict(zip(self.variables, parts(x)))}
            loss, gradient, *others = session.run([self.loss, self.gradient, *fetches], feeds)
            if loss_callback:
                loss_callback(*others)
            return loss, gradient.astype("float64")

        start = np.concatenate([v.ravel() for v in session.run(self.variables)])
        found = scipy.optimize.minimize(evaluate, start, jac=True, method=self.method, options=self.options)
        session.run(self.updates, dict(zip(self.places, parts(found.x))))


tf.contrib = types.SimpleNamespace(opt=types.SimpleNamespace(ScipyOptimizerInterface=ScipyOptimizerInterface))
sys.modules["tensorflow"] = tf
script = sys.argv[1]
sys.argv = sys.argv[1:]
runpy.run_path(script, run_name="__main__")
