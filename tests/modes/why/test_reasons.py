"""Why a gradient is None: for each situation, that the reason is the true one, names the line, and that its cure helps.

A situation is a program whose gradient is None and the same program as the reason says to write it, whose gradient is known. The
line that the reason has to name ends with a mark.
"""

import inspect
import re
import warnings

import numpy as np
import pytest

import wengert as tf
from wengert.errors import NoGradientWarning

v1 = tf.compat.v1
MARK = "# <-"
SITUATIONS = {}
EAGER, FUNCTION, GRAPH = "eager", "function", "graph"


def situation(says, value, modes=(EAGER, FUNCTION)):
    """Enter a class with `none` and, where there is a cure, `cured`."""

    def enter(case):
        for mode in modes:
            SITUATIONS[f"{case.__name__}-{mode}"] = case, says, value, mode
        return case

    return enter


def run(program, mode):
    """Return a program's gradient, run as the mode says, and the warnings about gradients that are None."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NoGradientWarning)
        if mode == EAGER:
            found = program()
        elif mode == FUNCTION:
            found = tf.function(program, autograph=False)()
        else:
            with tf.Graph().as_default(), v1.Session() as session:
                g = program()
                session.run(v1.global_variables_initializer())
                found = None if g is None else session.run(g)
    return found, [w for w in caught if issubclass(w.category, NoGradientWarning)]


def marked(program):
    lines, start = inspect.getsourcelines(program)
    return [f"{__file__}:{start + k}" for k, line in enumerate(lines) if line.rstrip().endswith(MARK)]


# What is said of some kinds, and must not be said of others.
BLAMES = {"NumPy": r"NumPy", "linear": r"linear", "constant piece by piece": r"piece by piece"}


# --- where and when the tape recorded --------------------------------------------------------------------------------------


@situation(["gradient that was taken at", "ended", "take that gradient inside of the with block"], 12.0)
class TheInnerGradientOutsideOfTheOuterBlock:
    def none():
        x = tf.constant(2.0)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x**3
        dy = inner.gradient(y, x)  # <-
        return outer.gradient(dy, x)

    def cured():
        x = tf.constant(2.0)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x**3
            dy = inner.gradient(y, x)
        return outer.gradient(dy, x)


@situation(["gradient that was taken at", "take that gradient inside of the with block"], 24.0)
class TheInnerGradientOutsideWithMoreBehindIt:
    def none():
        v = tf.constant(2.0)
        with tf.GradientTape() as outer:
            outer.watch(v)
            with tf.GradientTape() as inner:
                inner.watch(v)
                y = tf.reduce_sum(v * v * v)
        dy = inner.gradient(y, v)  # <-
        loss = dy * 2.0
        return outer.gradient(loss, v)

    def cured():
        v = tf.constant(2.0)
        with tf.GradientTape() as outer:
            outer.watch(v)
            with tf.GradientTape() as inner:
                inner.watch(v)
                y = tf.reduce_sum(v * v * v)
            loss = inner.gradient(y, v) * 2.0
        return outer.gradient(loss, v)


@situation(["gradient that was taken at", "ended", "inside of the with block"], 18.0)
class ASecondGradientOfOnePersistentTape:
    def none():
        x = tf.constant(3.0)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x**3
        g = tape.gradient(y, x)  # <-
        return tape.gradient(g, x)

    def cured():
        x = tf.constant(3.0)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x**3
            g = tape.gradient(y, x)
        return tape.gradient(g, x)


@situation(["linear", "same for all values"], None, modes=(EAGER,))
class TheOuterGradientOfSomethingLinear:
    # Moving it inside of the block would not help: so that is not what is said.
    def none():
        x = tf.constant(2.0)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x * 3.0 / 2.0 - x
        dy = inner.gradient(y, x)  # <-
        return outer.gradient(dy, x)


@situation(["gradient that was taken at"], 1.0)
class TheMixedGradientOfSomethingBilinear:
    # By x alone y is linear, and by w too; its mixed derivative is not zero.
    def none():
        x, w = tf.constant(2.0), tf.constant(3.0)
        with tf.GradientTape() as outer:
            outer.watch(w)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x * w
        dy = inner.gradient(y, x)  # <-
        return outer.gradient(dy, w)

    def cured():
        x, w = tf.constant(2.0), tf.constant(3.0)
        with tf.GradientTape() as outer:
            outer.watch(w)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x * w
            dy = inner.gradient(y, x)
        return outer.gradient(dy, w)


@situation(["linear", "same for all values"], None)
class TheSecondDerivativeOfSomethingLinear:
    def none():
        x = tf.constant(2.0)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = 3.0 * x
            g = inner.gradient(y, x)  # <-
        return outer.gradient(g, x)


@situation(["linear", "same for all values"], None, modes=(GRAPH,))
class TheThirdDerivativeOfASquare:
    def none():
        x = tf.constant(2.0)
        second = tf.gradients(tf.gradients(x * x, x)[0], x)[0]  # <-
        return tf.gradients(second, x)[0]


@situation(["computed before the tape's with block began", "move that line into the with block"], 12.0)
class ComputedBeforeTheBlock:
    def none():
        x = tf.constant(3.0)
        y = x * x  # <-
        with tf.GradientTape() as tape:
            tape.watch(x)
            z = y * 2.0
        return tape.gradient(z, x)

    def cured():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            z = y * 2.0
        return tape.gradient(z, x)


@situation(["after the tape's with block had ended", "move that line into the with block"], 12.0)
class ComputedAfterTheBlock:
    def none():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        z = y * 2.0  # <-
        return tape.gradient(z, x)

    def cured():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            z = y * 2.0
        return tape.gradient(z, x)


@situation(["stop_recording", "move that line"], 6.0)
class ComputedWhileNotRecording:
    def none():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            with tape.stop_recording():
                y = x * x  # <-
            z = y * 1.0
        return tape.gradient(z, x)

    def cured():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            z = y * 1.0
        return tape.gradient(z, x)


@situation(["reset", "reset only before"], 6.0, (EAGER,))
class ForgottenByReset:
    def none():
        x = tf.Variable(3.0)
        with tf.GradientTape(persistent=True) as tape:
            y = x * x  # <-
            tape.reset()
            x * 1.0
        return tape.gradient(y, x)

    def cured():
        x = tf.Variable(3.0)
        with tf.GradientTape(persistent=True) as tape:
            tape.reset()
            y = x * x
        return tape.gradient(y, x)


@situation(["before the tape's with block began", "watch"], 6.0)
class AnotherTapeWasAsked:
    def none():
        x = tf.constant(3.0)
        with tf.GradientTape() as first:
            first.watch(x)
            y = x * x  # <-
        with tf.GradientTape() as second:
            second.watch(x)
            x * 2.0
        return second.gradient(y, x)

    def cured():
        x = tf.constant(3.0)
        with tf.GradientTape() as first:
            first.watch(x)
            x * 2.0
        with tf.GradientTape() as second:
            second.watch(x)
            y = x * x
        return second.gradient(y, x)


@situation(["read of variable", "inside of the block"], 6.0, modes=(EAGER,))
class AVariableReadBeforeTheBlock:
    def none():
        v = tf.Variable(3.0)
        value = v.read_value()
        v.assign(3.0)
        with tf.GradientTape() as tape:
            y = value * value  # <-
        return tape.gradient(y, v)

    def cured():
        v = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            value = v.read_value()
            y = value * value
        return tape.gradient(y, v)


# --- what the tape watched ---------------------------------------------------------------------------------------------------


@situation(["never watched the source", "Mul at", r"call tape.watch\(source\) before that line"], 6.0)
class NeverWatched:
    def none():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            y = x * x  # <-
        return tape.gradient(y, x)

    def cured():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)


@situation(["before the tape watched it", r"call tape.watch\(source\) before that line"], 6.0)
class WatchedTooLate:
    def none():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            y = x * x  # <-
            tape.watch(x)
            z = y + 0.0
        return tape.gradient(z, x)

    def cured():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            z = y + 0.0
        return tape.gradient(z, x)


@situation(["never watched the source", "It watches another tensor, which Identity at"], 6.0)
class ACopyIsWatched:
    def none():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(tf.identity(x))
            y = x * x  # <-
        return tape.gradient(y, x)

    def cured():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)


@situation(["used by ConcatV2", "before the tape watched its result", "Watch the source itself"], [[6.0], [12.0]])
class TheResultIsWatched:
    def none():
        x = tf.constant([[1.0], [2.0]])
        X = tf.concat([x, 2.0 * x], 1)  # <-
        with tf.GradientTape() as tape:
            tape.watch(X)
            y = X[:, 0:1] * X[:, 1:2] * 1.5
        return tape.gradient(y, x)

    def cured():
        x = tf.constant([[1.0], [2.0]])
        with tf.GradientTape() as tape:
            tape.watch(x)
            X = tf.concat([x, 2.0 * x], 1)
            y = X[:, 0:1] * X[:, 1:2] * 1.5
        return tape.gradient(y, x)


@situation(["never watched the source, which Mul at", "watch_accessed_variables=False", "tape.watch"], 6.0, modes=(EAGER,))
class VariablesAreNotWatchedByThemselves:
    def none():
        v = tf.Variable(3.0)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            y = v * v  # <-
        return tape.gradient(y, v)

    def cured():
        v = tf.Variable(3.0)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(v)
            y = v * v
        return tape.gradient(y, v)


@situation(["never watched the source, which Mul at", "trainable=False", "tape.watch"], 6.0, modes=(EAGER,))
class NotTrainable:
    def none():
        v = tf.Variable(3.0, trainable=False, name="counts")
        with tf.GradientTape() as tape:
            y = v * v  # <-
        return tape.gradient(y, v)

    def cured():
        v = tf.Variable(3.0, trainable=False, name="counts")
        with tf.GradientTape() as tape:
            tape.watch(v)
            y = v * v
        return tape.gradient(y, v)


def layer(trainable):
    dense = tf.keras.layers.Dense(1, kernel_initializer="ones", name="frozen")
    dense.build((None, 2))
    dense.trainable = trainable
    return dense


@situation(["never watched the source", "frozen", "trainable=False", "tape.watch"], [[4.0], [6.0]], modes=(EAGER,))
class AFrozenLayer:
    def none():
        dense = layer(False)
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(dense(tf.constant([[1.0, 2.0], [3.0, 4.0]])))  # <-
        return tape.gradient(y, dense.kernel)

    def cured():
        dense = layer(False)
        with tf.GradientTape() as tape:
            tape.watch(dense.kernel)
            y = tf.reduce_sum(dense(tf.constant([[1.0, 2.0], [3.0, 4.0]])))
        return tape.gradient(y, dense.kernel)


@situation(["never watched the source, which Mul at", "no variable", "AddV2 at", "assign"], 6.0, modes=(EAGER,))
class AVariableReplacedByATensor:
    def none():
        x = tf.Variable(2.0)
        x = x + 1.0
        with tf.GradientTape() as tape:
            y = x * x  # <-
        return tape.gradient(y, x)

    def cured():
        x = tf.Variable(2.0)
        x.assign(x + 1.0)
        with tf.GradientTape() as tape:
            y = x * x
        return tape.gradient(y, x)


# --- operations that no derivative passes through ------------------------------------------------------------------------------


def through(f):
    """Return the gradient of f by x, on a tape that watches it; in a static graph by `gradients`."""
    x = tf.constant([1.2, 2.7])
    if tf.executing_eagerly() or tf.inside_function():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)
    return tf.gradients(f(x), x)[0]


EVERYWHERE = (EAGER, FUNCTION, GRAPH)


@situation(["stop_gradient at", "leave it out"], [2.0, 2.0], EVERYWHERE)
class StopGradient:
    def none():
        return through(lambda x: tf.stop_gradient(x) * 2.0)  # <-

    def cured():
        return through(lambda x: x * 2.0)


@situation(["Round has no derivative", "constant piece by piece"], None, EVERYWHERE)
class Rounding:
    def none():
        return through(lambda x: tf.round(x) * 2.0)  # <-


@situation(["ArgMax at", "positions", "gather or reduce_max"], [0.0, 1.0], EVERYWHERE)
class AnArgument:
    def none():
        return through(lambda x: tf.cast(tf.argmax(x), tf.float32))  # <-

    def cured():
        return through(lambda x: tf.gather(x, tf.argmax(x)))


@situation(["Greater at", "Booleans", r"where\(condition, a, b\)", "constant piece by piece"], [0.0, 5.4], EVERYWHERE)
class AComparison:
    def none():
        return through(lambda x: tf.cast(x > 2.0, tf.float32))  # <-

    def cured():
        return through(lambda x: tf.where(x > 2.0, x * x, tf.zeros_like(x)))


@situation(["Cast at", "goes through an integer or Boolean", "int32"], [1.0, 1.0], EVERYWHERE)
class ACast:
    def none():
        return through(lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32))  # <-

    def cured():
        return through(lambda x: tf.cast(tf.cast(x, tf.float64), tf.float32))


@situation(["Bitcast at", "reads bits", "use cast"], [1.0, 1.0], EVERYWHERE)
class Bits:
    def none():
        return through(lambda x: tf.cast(tf.bitcast(x, tf.int32), tf.float32))  # <-

    def cured():
        return through(lambda x: tf.cast(tf.cast(x, tf.float64), tf.float32))


@situation(["SearchSorted at", "positions"], None, EVERYWHERE)
class Searching:
    def none():
        return through(lambda x: tf.cast(tf.searchsorted([1.0, 2.0], x), tf.float32))  # <-


@situation(["no derivative", "constant piece by piece"], None, EVERYWHERE)
class AHistogram:
    def none():
        return through(lambda x: tf.cast(tf.histogram_fixed_width(x, [0.0, 3.0], 3), tf.float32))  # <-


@situation(["Greater at", "Booleans", "constant piece by piece"], None, (EAGER,))
class WhereItIs:
    def none():
        return through(lambda x: tf.cast(tf.where(x > 1.0), tf.float32))  # <-


@situation(["Where at", "positions"], None, (EAGER,))
class WhereItIsNotZero:
    def none():
        return through(lambda x: tf.cast(tf.where(x), tf.float32))  # <-


@situation([r"strings.as_string at", "text", "cast"], [1.0, 1.0], (EAGER,))
class Text:
    def none():
        return through(lambda x: tf.strings.to_number(tf.strings.as_string(x)))  # <-

    def cured():
        return through(lambda x: tf.cast(tf.cast(x, tf.float64), tf.float32))


@situation(["Shape at", "uses only the shape"], None, (EAGER,))
class AShape:
    def none():
        return through(lambda x: tf.cast(tf.shape(x)[0], tf.float32))  # <-


@situation(["does not depend on the source", "shape alone"], None, (FUNCTION, GRAPH))
class AShapeInAGraph:
    def none():
        return through(lambda x: tf.cast(tf.shape(x)[0], tf.float32))

    marked = False


@situation(["ZerosLike at", "uses only the shape"], None, EVERYWHERE)
class Zeros:
    def none():
        return through(lambda x: tf.zeros_like(x))  # <-


@situation(["was read as a shape", "no derivative"], None, (EAGER,))
class RandomNumbersOfAShape:
    def none():
        return through(lambda x: tf.random.uniform(tf.shape(x)))  # <-


@situation(["NumPy", "numpy_function at", "py_function"], np.cos([1.2, 2.7]), EVERYWHERE)
class ANumpyFunction:
    def none():
        return through(lambda x: tf.numpy_function(np.sin, [x], tf.float32))  # <-

    def cured():
        return through(lambda x: tf.py_function(tf.sin, [x], tf.float32))


@situation(["custom gradient of", "returns None"], None, (EAGER,))
class ACustomGradientThatGivesNone:
    def none():
        @tf.custom_gradient
        def mine(x, w):
            return x * w, lambda g: (g * w, None)

        x, w = tf.constant(2.0), tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(w)
            y = mine(x, w)  # <-
        return tape.gradient(y, w)


# --- out of the tensors' world and back --------------------------------------------------------------------------------------


@situation(["NumPy", r"numpy\(\) at", "Compute with tensors"], np.cos([1.2, 2.7]), (EAGER,))
class ThroughNumpy:
    def none():
        return through(lambda x: tf.constant(np.sin(x.numpy())))  # <-

    def cured():
        return through(lambda x: tf.sin(x))


@situation(
    ["NumPy", "a function of NumPy at", "the target depends on numbers that came in at"], [[1.0, 2.0], [3.0, 4.0]], (EAGER,)
)
class ThroughAFunctionOfNumpy:
    def none():
        x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        with tf.GradientTape() as tape:
            x2 = x**2
            y = np.asarray(x2).mean(axis=0)  # <-
            y = tf.reduce_sum(y)
        return tape.gradient(y, x)

    def cured():
        x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        with tf.GradientTape() as tape:
            x2 = x**2
            y = tf.reduce_mean(x2, axis=0)
            y = tf.reduce_sum(y)
        return tape.gradient(y, x)


@situation(["NumPy or Python", r"float\(\) at"], [2.4, 0.0], (EAGER,))
class ThroughAPythonNumber:
    def none():
        return through(lambda x: tf.constant(float(x[0]) ** 2) * 1.0)  # <-

    def cured():
        return through(lambda x: x[0] ** 2 * 1.0)


def model():
    return tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="ones")])


@situation(["does not depend on the source", "came in from NumPy at", "give the source itself"], [[1.0, 1.0]], (EAGER,))
class AModelOfTheArray:
    def none():
        array = np.ones((1, 2), np.float32)
        x, net = tf.constant(array), model()
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = net(array)  # <-
        return tape.gradient(y, x)

    def cured():
        array = np.ones((1, 2), np.float32)
        x, net = tf.constant(array), model()
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = net(x)
        return tape.gradient(y, x)


@situation(["NumPy"], [[1.0, 1.0]], (EAGER,))
class Predicting:
    def none():
        x, net = tf.constant([[1.0, 2.0]]), model()
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.constant(net.predict(x, verbose=0))  # <-
        return tape.gradient(y, x)

    def cured():
        x, net = tf.constant([[1.0, 2.0]]), model()
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = net(x)
        return tape.gradient(y, x)


@situation(["The source has dtype int32", r"constant\(10.0\) for constant\(10\)"], 20.0, EVERYWHERE)
class AnInteger:
    def none():
        x = tf.constant(10)
        if not tf.executing_eagerly() and not tf.inside_function():
            return tf.gradients(x * x, x)[0]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)

    def cured():
        x = tf.constant(10.0)
        if not tf.executing_eagerly() and not tf.inside_function():
            return tf.gradients(x * x, x)[0]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)

    marked = False


@situation(["assign_add at", "into variable total", "no past", "from the tensor that is assigned"], 6.0, (EAGER,))
class StateOfAVariable:
    def none():
        x, total = tf.Variable(3.0), tf.Variable(0.0, name="total")
        with tf.GradientTape() as tape:
            total.assign_add(x)  # <-
            y = total**2
        return tape.gradient(y, x)

    def cured():
        x, total = tf.Variable(3.0), tf.Variable(0.0, name="total")
        with tf.GradientTape() as tape:
            value = total + x
            y = value**2
        total.assign(value)
        return tape.gradient(y, x)


# --- beside the path -----------------------------------------------------------------------------------------------------------


@situation(["not computed from the source", "StridedSlice at", "from the source, or take the gradient by"], [[1.0], [1.0]])
class ASliceBesideThePath:
    def none():
        X = tf.constant([[0.0, 2.0], [0.0, 4.0]])
        with tf.GradientTape() as tape:
            tape.watch(X)
            u = tf.sin(X)
            x = X[:, 0:1]  # <-
        return tape.gradient(u, x)

    def cured():
        X = tf.constant([[0.0, 2.0], [0.0, 4.0]])
        with tf.GradientTape() as tape:
            tape.watch(X)
            u = tf.sin(X)
        return tape.gradient(u, X)[:, 0:1]


@situation(["not computed from the source", "StridedSlice at"], [[1.0], [1.0]], (GRAPH,))
class ASliceBesideThePathInAGraph:
    def none():
        X = tf.constant([[0.0, 2.0], [0.0, 4.0]])
        return tf.gradients(tf.sin(X), X[:, 0:1])[0]  # <-

    def cured():
        X = tf.constant([[0.0, 2.0], [0.0, 4.0]])
        x, t = X[:, 0:1], X[:, 1:2]
        return tf.gradients(tf.sin(tf.concat([x, t], 1)), x)[0]


@situation(["both come from the variable", "StridedSlice at", "by the variable and then the same part"], 7.0, (EAGER,))
class APartOfAVariableMadeAnew:
    def none():
        v = tf.Variable([3.0, 7.0])
        with tf.GradientTape() as tape:
            y = v[0] * v[1]
        return tape.gradient(y, v[0])  # <-

    def cured():
        v = tf.Variable([3.0, 7.0])
        with tf.GradientTape() as tape:
            y = v[0] * v[1]
        return tape.gradient(y, v)[0]


@situation(["does not depend on the source", "not connected by any operation"], 1.0, (EAGER,))
class AnotherTensor:
    def none():
        a, b = tf.constant(1.0), tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            y = tf.add_n([b, b * b])
        return tape.gradient(y, a)

    def cured():
        a, b = tf.constant(1.0), tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            y = tf.add_n([a, b * b])
        return tape.gradient(y, a)

    marked = False
    numpy = True


@situation(["does not depend on the source", "no operation of the graph"], None, (GRAPH,))
class AnotherTensorOfAGraph:
    def none():
        a, b = tf.constant(1.0), tf.constant(2.0)
        return tf.gradients(b * b, a)[0]

    marked = False


# --- across the border of a graph ----------------------------------------------------------------------------------------------


OUTSIDE = {}


@situation(["ConcatV2 at", "computed outside of the graph or function", "compute it inside"], [[2.0], [4.0]], (FUNCTION,))
class ComputedOutsideOfTheFunction:
    def none():
        with tf.init_scope():
            x = tf.constant([[1.0], [2.0]])
            X = tf.concat([x, x], 1)  # <-
        return tf.gradients(X[:, 0:1] * X[:, 0:1], x)[0]

    def cured():
        with tf.init_scope():
            x = tf.constant([[1.0], [2.0]])
        X = tf.concat([x, x], 1)
        return tf.gradients(X[:, 0:1] * X[:, 0:1], x)[0]


@situation(["stop_gradient at", "blocks the path"], 6.0, (GRAPH,))
class AnEagerTensorInAGraph:
    def none():
        x = OUTSIDE["x"]
        y = tf.stop_gradient(x) * 2.0  # <-
        return tf.gradients(y, x)[0]

    def cured():
        x = OUTSIDE["x"]
        y = x * x
        return tf.gradients(y, x)[0]


@situation(["assign at", "into variable total", "no past"], 24.0, (GRAPH,))
class StateOfAGraphsVariable:
    def none():
        x = tf.constant(3.0)
        total = v1.get_variable("total", [], initializer=v1.zeros_initializer())
        with tf.control_dependencies([v1.assign(total, 2.0 * x)]):  # <-
            y = total.read_value() ** 2
        return tf.gradients(y, x)[0]

    def cured():
        x = tf.constant(3.0)
        total = v1.get_variable("total", [], initializer=v1.zeros_initializer())
        value = 2.0 * x
        with tf.control_dependencies([v1.assign(total, value)]):
            y = value**2
        return tf.gradients(y, x)[0]


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation(name):
    case, says, value, mode = SITUATIONS[name]
    OUTSIDE["x"] = tf.constant(3.0)
    found, told = run(case.none, mode)
    assert found is None and len(told) == 1, told
    text = str(told[0].message)
    for words in says:
        assert re.search(words, text), text
    for about, words in BLAMES.items():
        if not any(about in s for s in says) and not getattr(case, "numpy", False):
            assert not re.search(words, text), text
    assert told[0].filename == __file__
    lines = marked(case.none)
    assert (len(lines) == 1) == getattr(case, "marked", True)
    assert all(re.search(rf"{re.escape(line)}\b", text) for line in lines), (lines, text)
    if hasattr(case, "cured"):
        found, told = run(case.cured, mode)
        assert not told
        np.testing.assert_allclose(found, value, rtol=1e-6)


def test_a_way_without_a_flaw():
    x = tf.constant(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.sin(x)
    assert "not None" in tf.why(y, x, tape)
    assert "a tape gives the gradient that watches the source" in tf.why(tf.cos(x), x)


def test_without_a_tape():
    x = tf.constant(2.5)
    y = tf.floor(x * 2.0) + 1.0  # <-
    (line,) = marked(test_without_a_tape)[:1]
    assert re.search(rf"Floor has no derivative.*{re.escape(line)}", tf.why(y, x))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3
    assert "while nothing recorded it" in tf.why(tape.gradient(y, x), x)


def test_the_gradient_of_none():
    assert "itself a gradient that is not there" in tf.why(None, tf.constant(2.0))


def test_an_integer_target():
    x = tf.constant(2.5)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        n = tf.argmax([x, x])
    assert re.search(r"The target has dtype int64, made by ArgMax at .*test_reasons.py", tf.why(n, x, tape))


def test_two_things_that_are_wrong():
    x = tf.constant(2.5)
    with tf.GradientTape(persistent=True) as tape:
        y = tf.floor(x)
    text = tf.why(y, x, tape)
    assert "Floor has no derivative" in text and "Besides: The tape never watched the source" in text


def test_more_operations_than_are_remembered():
    x = tf.constant(2.0)
    y = x * x
    for _ in range(5000):
        y = y + 1.0
    with tf.GradientTape() as tape:
        tape.watch(x)
        z = y * 1.0
    assert "only the latest 4096 operations are remembered" in tf.why(z, x, tape)


def test_reasons_of_long_programs():
    x = y = tf.constant(2.0)
    with tf.GradientTape() as tape:
        for _ in range(10_000):
            y = -y
        with pytest.warns(NoGradientWarning, match="never watched the source.*only the latest 4096 operations"):
            assert tape.gradient(y, x) is None
