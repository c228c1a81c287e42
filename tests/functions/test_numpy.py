"""`tf.experimental.numpy` against NumPy itself, over a table of arguments: values, dtypes and shapes."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.experimental import numpy as tnp

NAMES = {
    "b": np.array([True, False, True]), "i8": np.array([3, -2, 7], "int8"), "u8": np.array([3, 2, 200], "uint8"),
    "i": np.array([3, -2, 7], "int32"), "j": np.array([3, -2, 7]), "h": np.array([0.5, -1.25, 2.0], "float16"),
    "f": np.array([0.5, -1.25, 2.0], "float32"), "d": np.array([0.5, -1.25, 2.0]), "q": np.array([1.5, 2.5, 7.0], "float32"),
    "z": np.array([1 + 2j, -0.5j, 3.0], "complex64"), "one": np.array(2.0, "float32"), "none": np.zeros(0, "float32"),
    "I": np.array([[1, 2, 3], [4, 5, 7]], "int32"), "B": np.array([[True, False, True], [False, False, True]]),
    "F": np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -7.0]], "float32"), "D": np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -7.0]]),
    "C": np.arange(12.0, dtype="float32").reshape(2, 3, 2) ** 1.5 - 7.0, "N": np.array([[1.0, np.nan, 3.0], [0.0, 5.0, -7.0]]),
    "E": np.zeros((0, 3)), "ties": np.array([[1.0, 3.0, 3.0], [3.0, 0.0, 1.0]]),
}  # fmt: skip
FLOATS = "sin cos tan sinh cosh tanh exp exp2 expm1 log:q log1p:q sqrt:q"
ANY = (
    "abs absolute square sign zeros_like ones_like transpose squeeze sum prod mean max min std var cumsum argmax argmin array "
    "asarray floor:f ceil:f"
)
PAIRS = "add subtract multiply divide maximum minimum power heaviside matmul:1"
MIXED = """
    b,b b,i b,f i8,i8 i8,u8 i8,i i,i i,j i,f f,j i,h h,f f,d d,i i8,h f,f d,d f,z j,z F,f I,f i,2 i,2.5 f,2 f,2.5 d,0.1 2,f
    2.5,i b,2 b,2.5 1,2 1,2.5 h,2.5 i8,3 [1,2],2.5   True,2 z,2.0 f,np.float64(0.1) i,np.float32(2.5)
    one,d 1.5,2j
"""
ALONG = "sum prod mean max min std var"
OTHERS = """
    argmax(F) argmax(F,axis=1) argmax(F,0) argmin(F,-1) argmax(ties) argmin(ties,1) argmax(N,1) argmax(I) cumsum(F)
    cumsum(F,axis=1) cumsum(I,0) cumsum(I,dtype="float32") cumsum(b) cumsum(f,dtype=float) sum(f,dtype=int)
    sum(i,dtype="float32") mean(f,dtype="float64") prod(i,dtype="float64") sum(b,dtype=bool) var(F,ddof=1)
    var(F,axis=0,ddof=1) var(I,ddof=1) var(f,dtype="float64") mean(N) max(N) sum(E) sum(E,axis=0) prod(E,axis=0) max(B) min(B)
    max(B,axis=0) mean(B) mean(b) reshape(F,(3,2)) reshape(F,-1) reshape(F,(3,-1),order="F") reshape([1,2,3,4],(2,2))
    transpose(C) transpose(C,(1,0,2)) transpose(C,(-1,0,1)) concatenate([f,q]) concatenate([F,I],axis=1)
    concatenate([F,F],axis=None) concatenate([[1],[2.5]]) concatenate([i,j]) stack([f,q])
    stack([f,i],axis=1) stack([1,2.5]) stack([f,q],-1) expand_dims(f,0) expand_dims(f,-1) expand_dims(F,(0,2)) squeeze(F[:1])
    squeeze(F[:1],0) squeeze(F[:1],(0,)) tile(f,2) tile(f,(2,2)) tile(F,2) tile(F,(2,1)) tile(F,(1,2,1)) tile(2,2) zeros(3)
    zeros((2,3)) zeros(2,dtype=int) ones((2,)) ones((2,),dtype="float32") eye(2) eye(2,3) eye(3,k=1) eye(3,2,k=-1)
    eye(2,dtype=int) zeros_like(f,dtype=int) ones_like(i,dtype=float) arange(3) arange(3.0) arange(1,7,2) arange(0,1,0.25)
    arange(5,1,-2) arange(3,dtype="float32") arange(0.0,1.0,0.1) arange(2,2) arange(3,1) linspace(0,1) linspace(0,10,5)
    linspace(0,1,4,endpoint=False) linspace(0,1,3,retstep=True) linspace(d,d+1,3) linspace(d,d+1,3,axis=1)
    linspace(0,10,4,dtype=int) linspace(0,1,1) linspace(0,1,3,dtype="float32") linspace(3,1,3) linspace(0,1,0) where(b,f,q)
    where(b,f,i) where(b,1,2.5) where(b,f,0) where(b,d,1) where(i8,i8,3) where(b,h,f) where(B,F,f) where([True,False],1,2)
    where(B) where(b) meshgrid(f,q) meshgrid(f,q,indexing="ij") meshgrid([1,2],[3.5]) matmul(F,f) matmul(f,F.T) matmul(F,F.T)
    matmul(C,C[0].T) matmul(C,f[:2]) matmul(f,C) matmul(I,I.T) matmul(I,F.T) matmul(F,D.T) matmul(B,B.T)
    matmul([[1,2]],[[1.0],[2.0]]) tensordot(F,F) tensordot(F,F.T,1) tensordot(F,f,axes=1) tensordot(C,F,axes=[[1],[1]])
    tensordot(C,F,axes=(1,1)) tensordot(f,q,axes=0) tensordot(I,F) einsum("ij,kj->ik",F,F) einsum("ij->ji",F)
    einsum("ij,j",F,f) einsum("ij,kj->ik",I,F) einsum("i,i",[1,2],[1.5,2.0]) einsum("i,i->",f,d) heaviside(N,0.5)
    heaviside([0.0,-1.0],[0.25,1.0]) power(i,3) power(f,2) power(f,0.5*q) power(2,3) maximum(N,2.0) minimum(N,2.0) sign(N)
    abs(-1) square(3) array([1.5]) array(1) array([1,2]) array([1,2.5]) array(f,ndmin=3) array([1,2],dtype=float)
    array([1.7,2.2],dtype=int) asarray(True) asarray([]) asarray([np.float32(1.5)]) asarray(f,dtype=int) sum([1.5,2.0])
    mean([1,2]) max([1,2]) std([1.0,2.0]) prod([2,3]) cumsum([1.0,2.0])
"""


def rows():
    for item in FLOATS.split():
        name, _, positive = item.partition(":")
        for x in "i j h f d z one none 1 0.5 [1,2] [0.5,2.0]".split():
            yield f"{name}(m.absolute({x}))" if positive else f"{name}({x})"
    for item in ANY.split():
        name, _, floats = item.partition(":")
        for x in "i j h f d z one none I F D C [1,2] [1.5,2.0] 3 -2.5 b i8 u8 True".split():
            small = x in ("b", "i8", "u8", "True") and name in ("std", "var", "square", "sign", "mean")
            unordered = x == "z" and name in ("sign", "argmax", "argmin", "max", "min", "floor", "ceil")
            if not (small or unordered or (floats and x in "i j I [1,2] 3 b i8 u8 True".split())):
                yield f"{name}({x})"
    for item in PAIRS.split():
        name, _, limited = item.partition(":")
        for pair in MIXED.split():
            a, _, c = pair.partition("],") if pair.startswith("[") else pair.partition(",")
            a = a + "]" if pair.startswith("[") else a
            if limited and ("I" in pair or a[0] not in "bijhfdz" or c not in NAMES):
                continue
            if name in ("maximum", "minimum", "heaviside") and ("z" in pair or "j" in c[-1:]):
                continue
            if name == "heaviside" and ("8" in pair or pair == "b,b"):
                continue  # NumPy has float16 for 8 bits
            yield f"{name}({a}, {f'm.absolute({c})' if name == 'power' else c})"
    for name in ALONG.split():
        for rest in "axis=0 axis=-1 axis=(0,2) axis=1,keepdims=True keepdims=True".split():
            yield f"{name}(C, {rest})"
        yield f"{name}(I, axis=1)"
        yield f"{name}(D, axis=0, keepdims=True)"
    yield from OTHERS.split()


def value_of(row: str, module: object, names: dict) -> object:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return eval(f"m.{row}", {"m": module, "np": np, **names})


def differs(row: str, names: dict) -> str | None:
    try:
        wanted = value_of(row, np, NAMES)
    except Exception:
        return None
    try:
        found = value_of(row, tnp, names)
    except Exception as error:
        return f"{row}: {type(error).__name__}: {error}"
    several = isinstance(wanted, list | tuple)
    for a, b in zip(found if several else [found], wanted if several else [wanted], strict=True):
        a, b = np.asarray(a), np.asarray(b)
        digits = 2e-3 if b.dtype == "float16" else 1e-5 if b.dtype.char in "fF" else 1e-12
        if (a.dtype, a.shape) != (b.dtype, b.shape) or not np.allclose(a, b, rtol=digits, atol=digits, equal_nan=True):
            return f"{row}: {a.dtype} {a.shape} {a.tolist()} and not {b.dtype} {b.shape} {b.tolist()}"
    return None


ROWS = list(dict.fromkeys(rows()))


@pytest.mark.parametrize("function", sorted({row.partition("(")[0] for row in ROWS}))
@pytest.mark.parametrize("of", ["arrays", "tensors"])
def test_answers_are_those_of_numpy(function: str, of: str):
    names = NAMES if of == "arrays" else {name: tf.constant(value) for name, value in NAMES.items()}
    mine = [row for row in ROWS if row.partition("(")[0] == function]
    assert [d for row in mine if (d := differs(row, names))] == []


def test_the_table_reaches_every_function():
    functions = {name for name in tnp.__all__ if callable(getattr(tnp, name)) and not isinstance(getattr(tnp, name), type)}
    table = json.loads((Path(__file__).parent.parent / "tables/numpy_names.json").read_text())  # test_numpy_names.py
    beside = {row.partition("(")[0] for row in table} | {"logspace", "log2", "log10", "logaddexp2", "issubdtype", "finfo"}
    assert functions - {row.partition("(")[0] for row in ROWS} - beside == {"experimental_enable_numpy_behavior"}
    assert len(ROWS) > 700


def test_small_integers_become_float64_in_functions_of_floats():
    """TensorFlow's rule; NumPy has float16 and float32 for them, and leaves integers alone in floor and ceil."""
    for function in (tnp.sin, tnp.sqrt, tnp.mean, tnp.std, tnp.floor, tnp.ceil):
        assert function(tf.constant([1, 4], tf.int8)).dtype == tf.float64


def test_pythons_floats_may_be_float32():
    try:
        tnp.experimental_enable_numpy_behavior(prefer_float32=True)
        assert {x.dtype.name for x in (tnp.array(1.5), tnp.zeros(2), tnp.sin(1), tnp.random.randn(2), tnp.mean([1, 2]))} == {
            "float32"
        }
        assert tnp.array(np.array([1.5])).dtype == tf.float64
    finally:
        tnp.experimental_enable_numpy_behavior(dtype_conversion_mode="off")
    assert tnp.random.rand(3).dtype == tf.float64


def test_derivatives_pass():
    x = tf.constant(np.array([[0.3, 1.2], [2.0, 0.7]]))
    for function, slope in [(tnp.cumsum, [[4, 3], [2, 1]]), (tnp.mean, 0.25), (lambda t: tnp.power(t, 2), 2 * x.numpy()),
                            (lambda t: tnp.matmul(t, [1.0, 2.0]), [[1, 2], [1, 2]]), (tnp.max, [[0, 0], [1, 0]])]:  # fmt: skip
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        np.testing.assert_allclose(tape.gradient(y, x), slope * np.ones((2, 2)), rtol=1e-12)
