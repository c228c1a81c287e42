from wengert.execute.native.code import NoForm
def _i(name):
    def f(x): return x.code.call("llvm."+name, x.dtype, x)
    return staticmethod(f)
class Functions:
    exp=_i("exp"); log=_i("log"); sin=_i("sin"); cos=_i("cos"); tanh=_i("tanh"); sqrt=_i("sqrt"); cosh=_i("cosh")
    @staticmethod
    def sech_squared(x):
        c=1.0/Functions.cosh(x); return c*c
