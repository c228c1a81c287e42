"""Elementary functions of vectors, in straight code: no tables, no loops, and a branch where an argument is rarely large alone.

For float32 and float64, over the whole range of their arguments; each states by `within` how far it may be from the exact
result, in units in the last place. NaN, infinities and the signs of zeros are NumPy's. A result that is no normal number may be
zero, and so may be taken an argument, since passes flush denormals.

The polynomials err least in units of what they stand for (Remez' exchange, in 50 digits); each file says of which function, on
which interval, and by how much.
"""

from wengert.execute.native.functions.errors import erf, erfc, ndtr
from wengert.execute.native.functions.exponential import cosh, exp, exp2, expit, expm1, sech_squared, sinh, tanh
from wengert.execute.native.functions.forms import bound
from wengert.execute.native.functions.inverse import arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh
from wengert.execute.native.functions.logarithm import log, log1p, log2, log10, logaddexp
from wengert.execute.native.functions.powers import cbrt, hypot, power, sqrt
from wengert.execute.native.functions.rounding import ceil, floor, round, trunc
from wengert.execute.native.functions.trigonometric import cos, sin, tan

__all__ = ["Functions", "bound"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Functions:
    """The functions by their names in the array API, and those that `wengert.ground.arrays` adds."""

    arccos = staticmethod(arccos)
    arccosh = staticmethod(arccosh)
    arcsin = staticmethod(arcsin)
    arcsinh = staticmethod(arcsinh)
    arctan = staticmethod(arctan)
    arctan2 = staticmethod(arctan2)
    arctanh = staticmethod(arctanh)
    cbrt = staticmethod(cbrt)
    ceil = staticmethod(ceil)
    cos = staticmethod(cos)
    cosh = staticmethod(cosh)
    erf = staticmethod(erf)
    erfc = staticmethod(erfc)
    exp = staticmethod(exp)
    exp2 = staticmethod(exp2)
    expit = staticmethod(expit)
    expm1 = staticmethod(expm1)
    floor = staticmethod(floor)
    hypot = staticmethod(hypot)
    log = staticmethod(log)
    log10 = staticmethod(log10)
    log1p = staticmethod(log1p)
    log2 = staticmethod(log2)
    logaddexp = staticmethod(logaddexp)
    ndtr = staticmethod(ndtr)
    power = staticmethod(power)
    round = staticmethod(round)
    sech_squared = staticmethod(sech_squared)
    sin = staticmethod(sin)
    sinh = staticmethod(sinh)
    sqrt = staticmethod(sqrt)
    tan = staticmethod(tan)
    tanh = staticmethod(tanh)
    trunc = staticmethod(trunc)
