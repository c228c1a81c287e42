"""`check` and `assert_gradients`: right, wrong, or undecided; to which digit; and whose fault."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ground import checks
from wengert.ground.errors import InvalidArgumentError, OpError
from wengert.tensor.drawn import boxes
from wengert.tensor.tensor import Tensor
from wengert.verify.findings import Fault, Row
from wengert.verify.judge import check_question, function_question, probes, quiet
from wengert.verify.lists import Question, Unanswerable
from wengert.verify.report import Report

__all__ = ["assert_gradients", "check", "judged"]

MOST = 2048
"""Numbers in the inputs above which the oracle of many digits would take minutes."""


def check(
    f: Callable[..., Any],
    x: Any,
    order: int = 2,
    *,
    gradient: Callable[..., Any] | None = None,
    hessian: Callable[..., Any] | None = None,
    dtypes: Iterable[str] | None = None,
    executors: bool = True,
    seed: int = 0,
) -> Report:
    """Check the derivatives of a function at a point, of all orders up to the given one, mixed ones too.

    The function may be written with Wengert, JAX or PyTorch; or with NumPy, and its gradient given beside it. What is judged are
    the derivatives as that library gives them. For Wengert's functions the oracle works with 60 digits and more, and every road
    is taken: nested reverse, forward and Taylor mode, tapes, both executors. For others the value of f is all that is known, in
    double precision, and the oracle says how far it can tell.

    Args:
        f: A function of one array or several, returning an array or a structure of arrays.
        x: The point: an array, a list or tuple of arrays (the arguments of f), or a dict (its keyword arguments). Arrays are
            NumPy's, Wengert's, JAX's or PyTorch's; integers are passed on as they are.
        order: The greatest order, 1 to 8.
        gradient: For a NumPy function: the gradient of the sum of f, called as f is, giving an array for each argument.
        hessian: For a NumPy function of one array: the second derivatives of the sum of f, of shape x.shape + x.shape.
        dtypes: In which types Wengert's functions are run: by default "float64" and "float32", or the one that f insists on.
        executors: Whether runs in these types are compared too, or the rules alone.
        seed: Of the random directions and weights.

    Returns:
        A `Report`. It is true if nothing is wrong; ``report.show()`` prints it, ``report.faults`` says whose fault it is.

    Raises:
        TypeError: if f is no function, or returns nothing that can be differentiated.
        ValueError: for an order that is not between 1 and 8, and for a point that is not finite.

    >>> import wengert as tf
    >>> from wengert.verify import check
    >>> report = check(lambda x, t: tf.sin(3.0 * x) * tf.exp(-t), {"x": 0.5, "t": 1.0}, order=3)
    >>> report.verdict
    'right'
    >>> @tf.custom_gradient
    ... def cube(x):
    ...     return x * x * x, lambda g: g * 2.0 * x * x
    >>> report = check(cube, 2.0, order=1)
    >>> report.verdict, report.faults[0].kind
    ('wrong', 'custom gradient')
    """
    checks.function(f, "check", "f")
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or not 1 <= order <= 8:
        raise InvalidArgumentError(f"check: the order must be a whole number from 1 to 8, not {order!r}.")
    names, values, call = _arguments(f, x)
    for name, value in zip(names, values, strict=True):
        shown = _as_numpy(value)
        if shown.dtype.kind in "fc" and not np.isfinite(shown).all():
            raise InvalidArgumentError(f"check: {name} is not finite: {shown}.")
    from wengert.verify import foreign

    library = foreign.library_of(f, call, values, gradient)
    if library != "wengert":
        return foreign.check(library, call, names, values, order, gradient, hessian, seed)
    if gradient is not None or hessian is not None:
        raise TypeError("check: gradient= and hessian= are for functions of NumPy arrays; f returns Wengert's tensors.")
    arrays = [_as_numpy(v) for v in values]
    moving = [k for k, a in enumerate(arrays) if a.dtype.kind in "fc"]
    if not moving:
        raise TypeError(
            f"check: none of the arguments ({', '.join(names)}) is real or complex; there is nothing to differentiate by."
        )
    if sum(arrays[k].size for k in moving) > MOST:
        count = sum(arrays[k].size for k in moving)
        raise InvalidArgumentError(
            f"check: the inputs have {count} numbers, and more than {MOST} take the oracle minutes. Take a smaller point: "
            "some rows tell as much as all."
        )

    def of_moving(*tensors: Any) -> Any:
        given: list[Any] = list(arrays)
        for k, t in zip(moving, tensors, strict=True):
            given[k] = t
        return call(*given)

    rows: list[Row] = []
    faults: list[Fault] = []
    notes: list[str] = []
    graph = None
    kinds = list(dtypes) if dtypes is not None else ["float64", "float32"]
    ruled = False
    for dtype in kinds:
        rng = np.random.default_rng(seed)
        point = [_in_dtype(arrays[k], dtype) for k in moving]
        try:
            question = function_question(of_moving, point, [names[k] for k in moving])
        except Unanswerable as error:
            raise TypeError(f"check: {error}.") from None
        except (TypeError, ValueError) as error:
            if dtypes is None and len(kinds) > 1:
                notes.append(f"not in {dtype}: {error}")
                continue
            raise
        # The rules are judged once; in a second type only its runs are.
        only = None if not ruled else ("tape", "numpy", "xla")
        found, blamed = judged(question, order, rng, only=only, executors=executors)
        rows += found
        faults += [b for b in blamed if all(b[:3] != o[:3] or b.kind == "saturation" for o in faults)]
        graph = graph if graph is not None else drawn(question)
        ruled = True
    if not ruled:
        raise TypeError("check: f can be traced in none of the types: " + "; ".join(notes))
    return Report(rows, faults, notes, graph)


def judged(
    question: Question, order: int, rng: np.random.Generator, *, only: Sequence[str] | None = None, executors: bool = True,
    label: str = "",
) -> tuple[list[Row], list[Fault]]:  # fmt: skip
    """Return what was found about a question, and whose fault it is."""
    from wengert.verify import locate, roughness

    rows = check_question(question, order, rng, executors=executors, only=only, label=label)
    faults = locate.wrong_rules(question, rows, rng)
    bends = [r for r in rows if r.status == "undecided"]
    dull = [r for r in rows if r.status == "inaccurate"]
    if not bends and not dull:
        return rows, faults
    worst = max((r.order for r in dull), default=0)
    found: list[Fault | None] = []
    for probe in probes(question, order, np.random.default_rng(0)):
        if bends:
            found.append(next(filter(None, (roughness.kinked(question, probe, c) for c in probe.counts)), None))
        if dull:
            road = "taylor" if probe.by_argument and question.ys[0].nptype.kind != "c" else "series"
            with (
                quiet(),
                contextlib.suppress(NotImplementedError, OpError),
            ):  # a road that states no such derivative loses no digits
                found += [roughness.lossy(question, probe, c, road) for c in probe.counts if sum(c) == worst][:1]
    for fault in found:
        if fault is not None and all((fault.kind, fault.operation, fault.where) != o[:3] for o in faults):
            faults.append(fault)
    return rows, faults


def drawn(question: Question) -> list[tuple[int, str, str, list[int]]]:
    """Return the list for a picture: (number, operation, where, numbers of what it reads), without constants."""
    listing = question.listing(question.ys, False)
    found = boxes(step.node for step in listing.plan.steps)
    return [(box.number, box.operation, box.where, list(box.reads)) for box in itertools.islice(found, 200)]


def assert_gradients(f: Callable[..., Any], *inputs: Any, order: int = 2, **keywords: Any) -> None:
    """Raise AssertionError, with the summary, if a derivative of f at the inputs is wrong or cannot be decided.

    Keywords are those of `check`. With Wengert installed, pytest has it as a fixture of the same name, too.

    >>> import wengert as tf
    >>> assert_gradients(tf.tanh, 0.5, order=3)
    """
    report = check(f, list(inputs), order, **keywords)
    if report.verdict != "right":
        raise AssertionError(f"the derivatives of {getattr(f, '__name__', f)} are not right\n{report.summary()}")


# --- arguments --------------------------------------------------------------------------------------------------------------


def _arguments(f: Callable[..., Any], x: Any) -> tuple[list[str], list[Any], Callable[..., Any]]:
    """Return the names of the arguments, their values, and f as a function of them by position."""
    if isinstance(x, Mapping):
        keys = [str(k) for k in x]
        try:
            given = inspect.signature(f).bind(**{k: k for k in keys})
        except (TypeError, ValueError):
            return keys, list(x.values()), lambda *values: f(**dict(zip(keys, values, strict=True)))
        if given.kwargs:
            return keys, list(x.values()), lambda *values: f(**dict(zip(keys, values, strict=True)))
        order = [keys.index(k) for k in given.args]  # by position, as a custom gradient wants its arguments
        return keys, list(x.values()), lambda *values: f(*(values[k] for k in order))
    values = list(x) if isinstance(x, list | tuple) and not _is_numbers(x) else [x]
    try:
        parameters = [
            p.name for p in inspect.signature(f).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        parameters = []
    names = parameters[: len(values)] if len(parameters) >= len(values) else [f"x{k}" for k in range(len(values))]
    return names, values, f


def _is_numbers(x: Sequence[Any]) -> bool:
    """Whether a list is one array written as numbers: `[[1.0, 2.0]]` is, `[array, array]` and `[1.0, 2.0]` are arguments."""
    return bool(x) and all(isinstance(v, list) and v for v in x)


def _as_numpy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if hasattr(value, "_as_tensor"):
        return np.asarray(value.numpy())
    array = np.asarray(value)
    if array.dtype.kind not in "biufcSUO":
        array = array.astype(np.float64)  # a narrow float of an extension type
    return array


def _in_dtype(array: Any, dtype: str) -> Any:
    if array.dtype.kind == "c":
        return array.astype({"float32": np.complex64}.get(dtype, np.complex128))
    return array.astype(dtype)
