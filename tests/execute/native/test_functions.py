"""Each elementary function in machine code against mpmath, over the whole range of its arguments, in units in the last place.

``WENGERT_SWEEP=50`` measures fifty times as many arguments.
"""

import ctypes
import os
import platform
from collections.abc import Callable
from functools import cache

import mpmath
import numpy as np
import pytest
import scipy.special

llvm = pytest.importorskip("llvmlite.binding")

from wengert.execute.native.code import Code, NoForm, Vector  # noqa: E402
from wengert.execute.native.functions import Functions, bound  # noqa: E402

LANES = 8
MORE = int(os.environ.get("WENGERT_SWEEP", "1"))

mp = mpmath.mp.clone()
mp.prec = 130

ENGINES: list[object] = []  # an engine that is dropped frees its code


@cache
def machine_code(name: str, dtype: str, operands: int) -> Callable[..., np.ndarray]:
    return compiled(getattr(Functions, name), dtype, operands)


@cache
def known_power(p: float, dtype: str) -> Callable[..., np.ndarray]:
    return compiled(lambda x: Functions.power(x, p), dtype, 1)


def compiled(form: Callable[..., Vector], dtype: str, operands: int, lanes: int = LANES) -> Callable[..., np.ndarray]:
    """The function over arrays, as a loop over vectors; denormals are flushed, as in a pass, where the processor is an x86."""
    code, kind = Code(lanes), np.dtype(dtype)
    code.block = "loop"
    y = form(*(Vector(code, f"%x{k}", kind) for k in range(operands)))
    number, vector = {4: "float", 8: "double"}[kind.itemsize], code.type(kind)
    flush = platform.machine() in ("x86_64", "AMD64")
    loads = [
        f"  %a{k} = getelementptr {number}, ptr %p{k}, i64 %i\n  %x{k} = load {vector}, ptr %a{k}, align {kind.itemsize}"
        for k in range(operands)
    ]
    text = "\n".join(
        [
            *code.declared,
            *code.helpers.values(),
            "declare void @llvm.x86.sse.stmxcsr(ptr)\ndeclare void @llvm.x86.sse.ldmxcsr(ptr)" if flush else "",
            f"define void @f({', '.join(f'ptr %p{k}' for k in range(operands))}, ptr %out, i64 %n) {{\nstart:",
            "  %old = alloca i32\n  %new = alloca i32\n  call void @llvm.x86.sse.stmxcsr(ptr %old)\n  %w = load i32, ptr %old\n"
            "  %z = or i32 %w, 32832\n  store i32 %z, ptr %new\n  call void @llvm.x86.sse.ldmxcsr(ptr %new)"
            if flush
            else "",
            "  br label %loop\nloop:\n  %i = phi i64 [ 0, %start ], [ %next, %last ]",
            *loads,
            *code.lines,
            "  br label %last\nlast:",
            f"  %b = getelementptr {number}, ptr %out, i64 %i\n  store {vector} {y.name}, ptr %b, align {kind.itemsize}",
            f"  %next = add i64 %i, {lanes}\n  %more = icmp ult i64 %next, %n\n  br i1 %more, label %loop, label %end\nend:",
            "  call void @llvm.x86.sse.ldmxcsr(ptr %old)" if flush else "",
            '  ret void\n}\n!0 = !{!"branch_weights", i32 1, i32 100000}\n',
        ]
    )
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(text)
    module.verify()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    engine = llvm.create_mcjit_compiler(
        module, target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=2)
    )
    engine.finalize_object()
    ENGINES.append(engine)
    f = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (operands + 1), ctypes.c_int64)(engine.get_function_address("f"))

    def over(*xs: np.ndarray) -> np.ndarray:
        size = xs[0].size
        padded = [np.append(x, np.ones(-size % lanes)).astype(kind) for x in xs]
        out = np.empty_like(padded[0])
        f(*(p.ctypes.data for p in padded), out.ctypes.data, out.size)
        return out[:size]

    return over


def bits(rng: np.random.Generator, dtype: str, count: int) -> np.ndarray:
    """Numbers of every exponent."""
    x = np.frombuffer(rng.bytes(count * np.dtype(dtype).itemsize), dtype)
    return x[np.isfinite(x)]


def near(rng: np.random.Generator, points: list[float], dtype: str, count: int) -> np.ndarray:
    """Some units around each point, and a little farther."""
    x = np.repeat(np.array(points, dtype), count)
    x = x + np.spacing(x) * rng.integers(-6, 7, x.size).astype(dtype)
    return np.append(x, x * (1 + rng.normal(0, 1e-3, x.size)).astype(dtype)).astype(dtype)


def turns(rng: np.random.Generator, dtype: str, count: int) -> np.ndarray:
    """The numbers next to multiples of π/2 of every size."""
    largest = 120 if dtype == "float32" else 1000
    found = []
    for _ in range(count):
        with mpmath.workprec(1200):
            n = mpmath.floor(mpmath.mpf(2) ** rng.uniform(0, largest))
            found.append(float(n * mpmath.pi / 2))
    return np.array(found).astype(dtype)


def arguments(name: str, dtype: str, count: int) -> np.ndarray:
    """Arguments of one operand: of every exponent, of usual sizes, and where the function's form or its result changes."""
    rng = np.random.default_rng(len(name))
    tiny = float(np.finfo(dtype).tiny)
    points = [
        tiny,
        1e-5,
        2.0**-12,
        0.25,
        0.34657359,
        0.5,
        0.70710678,
        1.0,
        1.4142135,
        2.0,
        3.0,
        6.0,
        10.0,
        20.0,
        44.3,
        88.0,
        354.9,
    ]
    points += [44.3, 88.0, 354.9, 87.3365, 88.7228, 89.4159, 103.9, 127.0, 708.3, 709.78, 710.47, 1023.0, *POINTS.get(name, [])]
    x = np.concatenate(
        [
            bits(rng, dtype, count),
            rng.uniform(-2, 2, count),
            rng.uniform(-20, 20, count),
            10 ** rng.uniform(-6, 3, count) * rng.choice([-1, 1], count),
            near(rng, [*points, *(-p for p in points)], dtype, 6 * MORE),
            1 + rng.normal(0, 1, count) * 10 ** rng.uniform(-7, -1, count),
            *([turns(rng, dtype, count // 2)] if name in WAVES else []),
        ]
    ).astype(dtype)
    with np.errstate(invalid="ignore"):
        return x[(np.abs(x) >= tiny) & np.isfinite(x)]


WAVES = ("sin", "cos", "tan")

POINTS: dict[str, list[float]] = {
    "arccosh": [1.0, 1.0001, 2.0**28, 2.0**60],
    "arcsinh": [2.0**28, 2.0**60],
    "erf": [3.9, 3.95, 5.9, 5.95],
    "erfc": [9.19, 9.3, 26.54, 26.6],
    "ndtr": [12.9, 13.1, 37.51, 37.6],
    "ceil": [2.5, 3.5, 2.0**23, 2.0**52],
    "floor": [2.5, 3.5, 2.0**23, 2.0**52],
    "round": [2.5, 3.5, 2.0**23, 2.0**52],
    "trunc": [2.5, 3.5, 2.0**23, 2.0**52],
}
"""Where else a function's form changes."""

ORACLES: dict[str, Callable[..., mpmath.mpf]] = {
    "arccos": mp.acos,
    "arccosh": mp.acosh,
    "arcsin": mp.asin,
    "arcsinh": mp.asinh,
    "arctan": mp.atan,
    "arctanh": mp.atanh,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "ceil": mp.ceil,
    "cos": mp.cos,
    "cosh": mp.cosh,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "exp": mp.exp,
    "exp2": lambda x: mp.mpf(2) ** x,
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "expm1": mp.expm1,
    "floor": mp.floor,
    "log": mp.log,
    "log10": lambda x: mp.log(x) / mp.ln10,
    "log1p": mp.log1p,
    "log2": lambda x: mp.log(x) / mp.ln2,
    "ndtr": lambda x: mp.erfc(-x / mp.sqrt(2)) / 2,
    "round": mp.nint,
    "sech_squared": lambda x: 1 / mp.cosh(x) ** 2,
    "sin": mp.sin,
    "sinh": mp.sinh,
    "sqrt": mp.sqrt,
    "tan": mp.tan,
    "tanh": mp.tanh,
    "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
}
DOMAINS: dict[str, tuple[float, float]] = {
    "arccos": (-1, 1),
    "arccosh": (1, np.inf),
    "arcsin": (-1, 1),
    "arctanh": (-1, 1),
    "log": (0, np.inf),
    "log10": (0, np.inf),
    "log1p": (-1, np.inf),
    "log2": (0, np.inf),
    "sqrt": (0, np.inf),
}
"""Between which a function is finite."""

LIMITED = ("cosh", "erf", "erfc", "exp", "exp2", "expit", "expm1", "ndtr", "sech_squared", "sinh")
"""Functions that are at their limit long before 5,000."""

PAIRS: dict[str, Callable[..., mpmath.mpf]] = {
    "arctan2": lambda y, x: mp.atan2(y, x),
    "hypot": lambda x, y: mp.sqrt(x * x + y * y),
    "logaddexp": lambda x, y: max(x, y) + mp.log1p(mp.exp(-abs(x - y))),
    "power": lambda x, y: mp.exp(y * mp.log(x)),
}

FUNCTIONS = [name for name in vars(Functions) if not name.startswith("_")]


def error(y: np.number, exact: mpmath.mpf, dtype: str) -> float:
    """How far a result is off, in units in the last place; what is no normal number may be zero, or infinite."""
    info = np.finfo(dtype)
    if not np.isfinite(y):
        return 0.0 if abs(exact) > info.max and (y > 0) == (exact > 0) else np.inf
    _, exponent = mp.frexp(exact) if exact else (0, -(10**6))
    if exponent < info.minexp + 1:
        return 0.0 if abs(y) <= info.tiny and (y == 0 or (y > 0) == (exact > 0)) else np.inf
    return abs(float((mp.mpf(float(y)) - exact) * mp.mpf(2) ** (info.nmant + 1 - exponent)))


def exact(name: str, *xs: float) -> mpmath.mpf:
    if name in LIMITED and abs(xs[0]) > 5000:
        xs = (5000.0 if xs[0] > 0 else -5000.0,)
    return (ORACLES if len(xs) == 1 else PAIRS)[name](*map(mp.mpf, xs))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ORACLES)
def test_it_is_within_its_bound_of_the_exact_result(name: str, dtype: str):
    low, high = DOMAINS.get(name, (-np.inf, np.inf))
    x = arguments(name, dtype, 500 * MORE)
    x = x[(x > low) & (x < high)]
    y = machine_code(name, dtype, 1)(x)
    errors = [error(b, exact(name, float(a)), dtype) for a, b in zip(x, y, strict=True)]
    worst = int(np.argmax(errors))
    limit = bound(getattr(Functions, name))[dtype == "float64"]
    assert len(errors) > 500
    assert errors[worst] <= limit, f"{name}({x[worst]!r}) = {y[worst]!r}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PAIRS)
def test_a_function_of_two_is_within_its_bound_of_the_exact_result(name: str, dtype: str):
    rng = np.random.default_rng(len(name))
    count = 700 * MORE
    x, y = bits(rng, dtype, count), bits(rng, dtype, count)
    size = min(x.size, y.size)
    x, y = x[:size], y[:size]
    if name == "power":
        # Results of every size: y as large as the logarithm of x allows; and x next to 1, whose powers take all digits.
        x = np.abs(np.concatenate([x, rng.uniform(0.2, 5, count), 1 + rng.normal(0, 1e-4, count)]).astype(dtype))
        largest = {"float32": 89.0, "float64": 711.0}[dtype]
        with np.errstate(divide="ignore", over="ignore"):
            y = (rng.uniform(-largest, largest, x.size) / np.log(x.astype(np.float64))).astype(dtype)
    else:
        scale = 10 ** rng.uniform(-3, 3, count)
        x = np.concatenate([x, rng.normal(0, 3, count), rng.normal(0, 1, count) * scale]).astype(dtype)
        y = np.concatenate([y, rng.normal(0, 3, count), rng.normal(0, 1, count) * scale]).astype(dtype)
    tiny = np.finfo(dtype).tiny
    kept = np.isfinite(x) & np.isfinite(y) & (np.abs(x) >= tiny) & (np.abs(y) >= tiny)
    x, y = x[kept], y[kept]
    found = machine_code(name, dtype, 2)(x, y)
    limit = bound(getattr(Functions, name))[dtype == "float64"]
    for a, b, c in zip(x, y, found, strict=True):
        true = exact(name, float(a), float(b))
        off = error(c, true, dtype)
        if name == "logaddexp" and true:  # its bound is one in units of the larger of the two; the smaller may be flushed
            rest = mp.log1p(mp.exp(-abs(mp.mpf(float(a)) - mp.mpf(float(b)))))
            off *= 2.0 ** min(0, mp.frexp(true)[1] - mp.frexp(rest)[1])
            off = off if rest > tiny else float(abs(mp.mpf(float(c)) - true) / tiny)
        assert off <= limit, f"{name}({a!r}, {b!r}) = {c!r}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [k / 2 for k in range(-10, 20)] + [0.3, 31.0])
def test_a_power_that_is_known_is_within_the_bound(p: float, dtype: str):
    rng = np.random.default_rng(1)
    x = np.concatenate([10 ** rng.uniform(-30, 30, 150), rng.uniform(0.1, 4, 150), [1.0, 4.0, 3e38]]).astype(dtype)
    code = Code(LANES)
    assert isinstance(Functions.power(Vector(code, "%x", np.dtype(dtype)), p), Vector)
    found = known_power(p, dtype)(x)
    for a, c in zip(x, found, strict=True):
        assert (
            error(c, PAIRS["power"](mp.mpf(float(a)), mp.mpf(float(np.dtype(dtype).type(p)))), dtype)
            <= bound(Functions.power)[dtype == "float64"]
        )


SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1.0, -1.0, 2.0, -2.0, 1e4, -1e4, 1e30, -1e30, 0.5, -0.5, 3.0, -3.0]

REFERENCES: dict[str, Callable[..., np.ndarray]] = {
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "expit": scipy.special.expit,
    "ndtr": scipy.special.ndtr,
    "sech_squared": lambda x: (1 / np.cosh(x)) ** 2,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*ORACLES, *PAIRS])
def test_nan_infinities_and_the_signs_of_zeros_are_those_of_numpy(name: str, dtype: str):
    xs = [np.array(SPECIAL, dtype)]
    if name in PAIRS:
        xs = [x.ravel() for x in np.meshgrid(xs[0], xs[0])]
    reference = REFERENCES.get(name) or getattr(np, name)
    expected = reference(*xs)
    if dtype == "float32":  # denormals
        expected = np.where(np.abs(expected) < np.finfo(dtype).tiny, np.copysign(0, expected), expected).astype(dtype)
    y = machine_code(name, dtype, len(xs))(*xs)
    np.testing.assert_allclose(y, expected, rtol=8 * np.finfo(dtype).eps)
    settled = np.isin(np.abs(expected), [0.0, 1.0, np.inf])
    np.testing.assert_array_equal(y[settled], expected[settled])
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(y)[number], np.signbit(expected)[number])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", WAVES)
def test_large_arguments_change_no_other_lane_and_lanes_change_no_bit(name: str, dtype: str):
    rng = np.random.default_rng(5)
    x = rng.uniform(-10, 10, 320).astype(dtype)
    mixed = x.copy()
    mixed[::5] = bits(rng, dtype, 1000)[:64]
    expected, found = machine_code(name, dtype, 1)(x), machine_code(name, dtype, 1)(mixed)
    np.testing.assert_array_equal(np.delete(found, np.s_[::5]), np.delete(expected, np.s_[::5]))
    for lanes in (4, 16):
        np.testing.assert_array_equal(compiled(getattr(Functions, name), dtype, 1, lanes)(mixed), found)


def test_a_nan_s_payload_makes_no_number_of_it():
    payloads = (np.uint32(0x7FC00000) + np.arange(1, 2000, 7, dtype=np.uint32)).view(np.float32)
    for name in ORACLES:
        assert np.isnan(machine_code(name, "float32", 1)(payloads)).all(), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "low", "high"), [("sin", -1, 1), ("cos", -1, 1), ("tanh", -1, 1), ("expit", 0, 1)])
def test_it_never_leaves_its_range(name: str, low: float, high: float, dtype: str):
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.uniform(-50, 50, 200_000), np.pi / 2 * rng.integers(-99, 99, 50_000) + rng.normal(0, 1e-3, 50_000)])
    y = machine_code(name, dtype, 1)(x.astype(dtype))
    assert y.min() >= low
    assert y.max() <= high


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_neither_float32_nor_float64_has_no_form(name: str):
    x = Vector(Code(LANES), "%x", np.dtype(np.float16))
    with pytest.raises(NoForm):
        getattr(Functions, name)(*[x] * (2 if name in PAIRS else 1))


def test_every_function_is_measured():
    assert set(FUNCTIONS) == {*ORACLES, *PAIRS}
