"""Control flow as functions: cond, case, while_loop, scan, map_fn. Eagerly they are Python's; in a graph, operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from wengert.graph.node import Node
from wengert.ground import checks, nest, shapes
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import DTypeError, InvalidArgumentError, ShapeError
from wengert.ground.types import Array
from wengert.modes.slices import IndexedSlices
from wengert.modes.tracing import Body, FuncGraph, close, tracing, unify
from wengert.ops import elementwise, linear
from wengert.ops.control import COND, LOOP
from wengert.tensor.exchange import is_foreign, valued
from wengert.tensor.tensor import SymbolicTensor, Tensor, TensorLike, append, apply, cast, convert, is_tensor_like, lift

__all__ = ["case", "cond", "foldl", "foldr", "map_fn", "scan", "switch_case", "vectorized_map", "while_loop"]


def _tensor(value: Any, like: Any = None) -> Any:
    if hasattr(value, "_as_carry"):
        return value._as_carry()
    return convert(value, like=like)


def _symbolic(value: Array | None) -> bool:
    if isinstance(value, SymbolicTensor):
        return True
    return state.graph is not None and (is_tensor_like(value))


# --- choice -------------------------------------------------------------------------------------------------------


def cond(
    pred: Any,
    true_fn: Callable[..., Any] | None = None,
    false_fn: Callable[..., Any] | None = None,
    name: str | None = None,
    strict: bool = False,
) -> Any:
    """Return ``true_fn()`` if pred holds, else ``false_fn()``; in a graph both are traced, and one runs.

    Raises:
        TypeError: if a branch is not callable, or the branches return different structures or dtypes.

    >>> import wengert as tf
    >>> tf.cond(tf.constant(True), lambda: 1.0, lambda: 2.0)
    1.0
    """
    if not callable(true_fn):
        raise TypeError("'true_fn' must be callable.")
    if not callable(false_fn):
        raise TypeError("'false_fn' must be callable.")
    if not _symbolic(pred):
        pred = pred.array if isinstance(pred, Tensor) else valued(pred) if is_foreign(pred) else pred
        if np.size(pred) != 1:
            raise InvalidArgumentError(f"cond: pred must be a scalar, or of one element, and has shape {np.shape(pred)}.")
        return true_fn() if np.reshape(pred, ()) else false_fn()
    return _graph_cond(pred, true_fn, false_fn, None)


def _scalar(truth: Any, told: str) -> Any:
    """Return a truth value without axes, of one that has a single element: where that is not known, it must turn out so."""
    if truth.sizes == ():
        return truth
    if shapes.is_full(truth.sizes) and np.prod(truth.sizes) != 1:
        raise ShapeError(f"{told} shape {shapes.text(truth.sizes)}.")
    return apply(linear.RESHAPE, (truth,), {"shape": ()})


def _graph_cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], merge: Any) -> Any:
    outer = state.graph if state.graph is not None else pred.graph
    with outer.as_default() if state.graph is None else nullcontext():
        pred = _scalar(lift(outer, _tensor(pred)), "cond: pred must be a scalar, or of one element, and has")
    yes, no = FuncGraph(outer, "cond_true", False), FuncGraph(outer, "cond_false", False)
    with tracing(yes, True):
        a = true_fn()
    with tracing(no, True):
        b = false_fn()
    if merge is None:
        left, right, pack = _same_structure(a, b)
    else:
        left, right = merge(a, b)
        pack = tuple
    outs_a, outs_b = [], []
    arrays: dict[int, Any] = {}
    for x, y in zip(left, right, strict=True):
        like_a = y if isinstance(y, Tensor) and not isinstance(x, Tensor) else None
        like_b = x if isinstance(x, Tensor) and not isinstance(y, Tensor) else None
        with tracing(yes, True):
            p = lift(yes, _tensor(x, like_a))
        with tracing(no, True):
            q = lift(no, _tensor(y, like_b))
        if p.nptype != q.nptype:
            if p.nptype.kind in "iufc" and q.nptype.kind in "iufc" and merge is not None:
                common = np.promote_types(p.nptype, q.nptype)
                with tracing(yes, True):
                    p = cast(p, common)
                with tracing(no, True):
                    q = cast(q, common)
            else:
                raise DTypeError(f"cond: true_fn returns dtype {p.dtype.name} where false_fn returns {q.dtype.name}.")
        outs_a.append(p)
        outs_b.append(q)
        if hasattr(x, "_of_carry"):
            arrays[len(outs_a) - 1] = x
    close([yes, no])
    captures, (row_a, row_b) = unify([yes, no])
    bodies = {"yes": Body(yes, outs_a, row_a), "no": Body(no, outs_b, row_b)}
    results = append(outer, COND, (pred, *captures), bodies)
    return pack([arrays[i]._of_carry(r) if i in arrays else r for i, r in enumerate(results)])


def apart(fn: Callable[[], Any], name: str) -> Any:
    """Return ``fn()``, computed in a graph by an operation of its own: for derivatives it is computed again.

    It is a choice whose branches are the same.
    """
    outer = state.graph
    inner = FuncGraph(outer, name, False)
    with tracing(inner, True):
        result = fn()
    flat, _, pack = _same_structure(result, result)
    with tracing(inner, True):
        outputs = [lift(inner, _tensor(t)) for t in flat]
    close([inner])
    captures, (row,) = unify([inner])
    body = Body(inner, outputs, row)
    return pack(append(outer, COND, (convert(True), *captures), {"yes": body, "no": body}))


def _same_structure(a: Tensor, b: Tensor) -> tuple[list[Any], list[Any], Callable[[Any], Any]]:
    """Return the tensors of both results, and how to make the first's structure of as many others."""
    a, b = _no_ops(a), _no_ops(b)
    flat_a, flat_b = nest.flatten(a), nest.flatten(b)
    try:
        nest.assert_same_structure(a, b, check_types=False)
    except (ValueError, TypeError) as error:
        raise TypeError(f"true_fn and false_fn must return the same structure: {error}") from None
    for x, y in zip(flat_a, flat_b, strict=True):
        if (x is None) != (y is None):
            raise TypeError("true_fn and false_fn arguments to tf.cond must have the same number, type, and overall structure "
                            "of return values: one returns None where the other does not.")  # fmt: skip
    kept = [i for i, x in enumerate(flat_a) if x is not None]

    def pack(results: Sequence[Tensor]) -> Any:
        leaves: list[Any] = [None] * len(flat_a)
        for i, r in zip(kept, results, strict=True):
            leaves[i] = r
        return nest.pack_sequence_as(a, leaves)

    return [flat_a[i] for i in kept], [flat_b[i] for i in kept], pack


def _no_ops(result: Tensor) -> Any:
    return nest.map_structure(lambda r: None if isinstance(r, Node) else r, result)


def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: str | None = "case"
) -> Any:
    """Return the result of the first function whose predicate holds, or of the default.

    Raises:
        InvalidArgumentError: if none holds and there is no default, or several with ``exclusive``.
    """
    pairs = pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs
    pairs = checks.listed(pairs, "case", "pred_fn_pairs")
    if not pairs:
        raise ValueError("case: at least one (predicate, function) pair is needed.")
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not callable(pair[1]):
            raise TypeError("case: each element is a pair (predicate, callable).")
    pairs = [(p.deref() if hasattr(p, "deref") else p, f) for p, f in pairs]
    if exclusive and not any(_symbolic(p) for p, _ in pairs) and sum(bool(p) for p, _ in pairs) > 1:
        raise InvalidArgumentError("case: more than one predicate holds, and exclusive=True.")

    def from_(i: int) -> Any:
        if i == len(pairs):
            if default is None:
                raise InvalidArgumentError("case: none of the predicates holds, and there is no default.")
            return default()
        pred, function = pairs[i]
        if i == len(pairs) - 1 and default is None and _symbolic(pred):
            return function()
        return cond(pred, function, lambda: from_(i + 1))

    return from_(0)


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: str | None = "switch_case") -> Any:
    """Return the result of the function numbered branch_index, or of the default (the last) if there is none."""
    if isinstance(branch_fns, dict):
        pairs = dict(branch_fns)
    else:
        pairs = dict(enumerate(checks.listed(branch_fns, "switch_case", "branch_fns")))
    if pairs and isinstance(next(iter(pairs.values())), tuple):
        pairs = dict(pairs.values())
    if not pairs:
        raise ValueError("switch_case: branch_fns is empty.")
    last = default if default is not None else pairs[max(pairs)]
    index = _tensor(branch_index)
    if index.nptype.kind not in "iu":
        raise DTypeError(f"switch_case: branch_index must be an integer, not {index.dtype.name}.")

    def chosen(i: int) -> Any:
        return apply(elementwise.EQUAL, (index, convert(i, like=index)))

    return case([(chosen(i), f) for i, f in sorted(pairs.items())], last)


# --- loops --------------------------------------------------------------------------------------------------------


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeat ``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)``; return the last loop_vars.

    In a graph a shape that changes from step to step is taken as unknown.

    Raises:
        TypeError: if cond or body are not callable, or a dtype changes.
        ValueError: if loop_vars is empty, or the body returns another structure.
    """
    if not callable(cond) or not callable(body):
        raise TypeError("'cond' and 'body' must be callable.")
    if not isinstance(loop_vars, list | tuple | dict) or len(loop_vars) == 0:
        raise ValueError("'loop_vars' must be a non-empty list or tuple.")
    if state.graph is None and not any(isinstance(v, SymbolicTensor) for v in nest.flatten(loop_vars)):
        return _eager_while(cond, body, loop_vars, maximum_iterations)
    structure = loop_vars
    if state.graph is None:
        graph = next(v.graph for v in nest.flatten(loop_vars) if isinstance(v, SymbolicTensor))
        with graph.as_default():
            return while_loop(cond, body, loop_vars, shape_invariants, maximum_iterations=maximum_iterations)
    if isinstance(maximum_iterations, Tensor):
        if isinstance(maximum_iterations, SymbolicTensor):
            return _counted_while(cond, body, loop_vars, shape_invariants, maximum_iterations)
        maximum_iterations = int(maximum_iterations)  # type: ignore[call-overload]
    sparse = [isinstance(v, IndexedSlices) for v in nest.flatten(loop_vars)]
    flat = _opened(nest.flatten(loop_vars), sparse)
    invariants = None
    if shape_invariants is not None:
        invariants = [shapes.as_shape(s.shape if hasattr(s, "dtype") else s) for s in _invariants(shape_invariants)]
        invariants = [part for s, rows in zip(invariants, sparse, strict=True) for part in (_of_slices(s) if rows else [s])]

    def joined(leaves: Sequence[Any]) -> Any:
        rest = iter(leaves)
        whole = [IndexedSlices(next(rest), next(rest), next(rest)) if rows else next(rest) for rows in sparse]
        return nest.pack_sequence_as(structure, whole)

    def spread(leaves: Sequence[Any]) -> Any:
        packed = joined(leaves)
        return packed.values() if isinstance(packed, dict) else packed

    def flat_cond(*leaves: Any) -> Any:
        return cond(*spread(leaves))

    def flat_body(*leaves: Any) -> list[Any]:
        result = body(*spread(leaves))
        if not isinstance(result, list | tuple | dict):
            result = [result]
        result = _no_ops(result)
        found = nest.flatten(result)
        if len(found) != len(sparse) or len(result) != len(structure):
            raise ValueError(
                "The two structures don't have the same nested structure: "
                f"the body returns {len(found)} values for {len(sparse)} loop_vars."
            )
        return _opened(found, sparse)

    return joined(graph_loop(flat_cond, flat_body, flat, maximum_iterations, invariants))


def _opened(leaves: Sequence[Any], sparse: Sequence[bool]) -> list[Any]:
    """Return what a loop carries for its variables: of `IndexedSlices` the rows, where they stand, and the whole's shape."""
    carried: list[Any] = []
    for v, rows in zip(leaves, sparse, strict=True):
        if rows and (not isinstance(v, IndexedSlices) or v.dense_shape is None):
            raise TypeError(f"A loop variable that begins as IndexedSlices with a dense_shape stays so: {v!r} does not.")
        parts = (v.values, v.indices, v.dense_shape) if rows else (v,)
        carried += [p if hasattr(p, "_as_carry") else _tensor(p) for p in parts]
    return carried


def _of_slices(whole: shapes.Shape) -> list[shapes.Shape]:
    """Return what is known of the parts of slices of a shape: the number of rows may change."""
    return [None if whole is None else (None, *whole[1:]), (None,), None if whole is None else (len(whole),)]


def _invariants(structure: Any) -> list[Any]:
    found: list[Any] = []
    for s in structure.values() if isinstance(structure, dict) else structure:
        if isinstance(s, shapes.TensorShape) or hasattr(s, "shape"):
            found.append(s)
        else:
            found.extend(_invariants(s))
    return found


def _counted_while(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, invariants: Any, limit: Any) -> Any:
    limit = cast(limit, np.dtype(np.int64))
    more = None if invariants is None else (shapes.TensorShape([]), invariants)
    start = convert(np.int64(0))

    def inner_cond(i: Array, values: Sequence[Tensor | None]) -> Any:
        verdict = _scalar(_tensor(cond(*values)), "while_loop: cond must return a scalar, or one element, and returns")
        return apply(elementwise.LOGICAL_AND, (i < limit, verdict))

    return while_loop(inner_cond, lambda i, values: (i + 1, _like(values, body(*values))), (start, loop_vars), more)[1]


def _like(structure: Any, result: Tensor) -> Any:
    return result if nest.is_nested(result) else type(structure)([result])


_PLAIN = (int, float, bool, np.ndarray, np.generic)


def _started(value: Tensor) -> Any:
    return convert(value) if isinstance(value, _PLAIN) or is_foreign(value) else value


def _eager_while(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, limit: Any) -> Any:
    steps = None if limit is None else int(limit)
    structure = loop_vars
    flat = [_started(v) for v in nest.flatten(loop_vars)]
    values = nest.pack_sequence_as(structure, flat)
    while (steps is None or steps > 0) and bool(cond(*values)):
        result = body(*values)
        if not isinstance(result, list | tuple):
            result = (result,)
        if len(nest.flatten(result)) != len(flat):
            raise ValueError("The two structures don't have the same nested structure: the body returns "
                             f"{len(nest.flatten(result))} values for {len(flat)} loop_vars.")  # fmt: skip
        values = nest.pack_sequence_as(structure, [_started(v) for v in nest.flatten(result)])
        if steps is not None:
            steps -= 1
    return values


def graph_loop(
    cond: Callable[..., Any] | None,
    body: Callable[..., Sequence[Any]],
    start: Sequence[Any],
    limit: int | None = None,
    invariants: Sequence[Any] | None = None,
    sequences: Sequence[Any] = (),
    reverse: bool = False,
    rows: bool = False,
    numbers: Sequence[bool] | None = None,
) -> list[Any]:
    """Append a loop: carry is the flat list ``start``; ``sequences`` are given slice by slice.

    ``body(*carry, *slices)`` returns the next carry, and with ``rows`` the pair (carry, rows to be stacked). ``numbers``:
    which of the start values came from Python numbers, whose dtype may follow the body's.
    """
    outer = state.graph
    if any(hasattr(v, "_of_carry") for v in start):
        return _loop_of_arrays(cond, body, start, limit, invariants, sequences, reverse, rows, numbers)
    carry = [lift(outer, t) for t in start]
    given = [lift(outer, t) for t in sequences]
    specs = [(t.sizes if invariants is None else invariants[i], t.nptype) for i, t in enumerate(carry)]
    for _ in range(2 * len(carry) + 8):
        within = FuncGraph(outer, "while_body", False)
        places = [within.add_input(*s) for s in specs]
        slices = [within.add_input(None if t.sizes is None else t.sizes[1:], t.nptype) for t in given]
        with tracing(within, True):
            for observer in state.observers:
                observer.turning([*places, *slices])
            found = body(*places, *slices)
            following, extra = found if rows else (found, [])
            outs = [lift(within, _tensor(v, p)) for v, p in zip(following, places, strict=True)]
            extra = [lift(within, _tensor(v)) for v in extra]
        changed = False
        for i, (out, (sizes, nptype)) in enumerate(zip(outs, specs, strict=True)):
            if out.nptype != nptype:
                common = np.promote_types(out.nptype, nptype) if {out.nptype.kind, nptype.kind} <= set("iufc") else None
                if numbers is None or not numbers[i] or common is None:
                    raise DTypeError(
                        f"while_loop: loop variable {i} enters with dtype {carry[i].dtype.name} and has dtype {out.dtype.name} "
                        "after one iteration."
                    )
                if common == nptype:
                    with tracing(within, True):
                        outs[i] = cast(out, common)
                else:
                    carry[i], specs[i], changed = cast(carry[i], common), (sizes, common), True
            if sizes is not None and out.sizes != sizes:
                if invariants is not None:
                    if not shapes.fits(sizes, out.sizes):
                        raise ShapeError(
                            f"while_loop: loop variable {i} has shape {shapes.text(out.sizes)} after one iteration, which its "
                            f"shape invariant {shapes.text(sizes)} does not allow."
                        )
                elif out.sizes is None or len(out.sizes) != len(sizes):
                    specs[i], changed = (None, specs[i][1]), True
                else:
                    merged = tuple(a if a == b else None for a, b in zip(sizes, out.sizes, strict=True))
                    if merged != sizes:
                        specs[i], changed = (merged, specs[i][1]), True
        if not changed:
            break
    graphs = [within]
    checks: list[Any] = []
    if cond is not None:
        testing = FuncGraph(outer, "while_cond", False)
        checks = [testing.add_input(*s) for s in specs]
        with tracing(testing, True):
            for observer in state.observers:
                observer.turning(checks)
            verdict = lift(testing, _tensor(cond(*checks)))
            verdict = _scalar(verdict, "while_loop: cond must return a scalar, or one element, and returns")
        if verdict.nptype.kind != "b":
            raise DTypeError(f"while_loop: cond must return a Boolean, and returns {verdict.dtype.name}.")
        graphs.append(testing)
    close(graphs)
    captures, places_of = unify(graphs)
    attrs = {
        "body": Body(within, [*outs, *extra], [*places, *slices, *places_of[0]]),
        "test": None if cond is None else Body(testing, [verdict], [*checks, *places_of[1]]),
        "counts": (len(carry), len(given), len(captures)),
        "carry_specs": tuple(specs),
        "limit": None if limit is None else int(limit),
        "reverse": reverse,
    }
    return list(append(outer, LOOP, (*carry, *given, *captures), attrs))


def _loop_of_arrays(cond: Callable[..., Any] | None, body: Callable[..., Any], start: Sequence[Any], *rest: Any) -> list[Any]:
    """Append a loop in whose carry tensor arrays are: the loop carries their rows."""
    arrays = list(start)

    def opened(leaves: Sequence[Any]) -> list[Any]:
        pairs = zip(leaves, arrays, strict=False)
        return [a._of_carry(v) if hasattr(a, "_of_carry") else v for v, a in pairs] + list(leaves[len(arrays) :])

    def traced(*leaves: Any) -> Any:
        return body(*opened(leaves))

    if not all(a._knows_elements() for a in arrays if hasattr(a, "_of_carry")):
        # The body, into a graph that is thrown away: what it writes tells the elements' shape.
        with tracing(FuncGraph(state.graph, "abstract", False)):
            place = state.graph.placeholder
            held = [a if hasattr(a, "_of_carry") else place(_tensor(a).sizes, _tensor(a).nptype) for a in arrays]
            body(*held, *[place(None if t.sizes is None else t.sizes[1:], t.nptype) for t in rest[2]])
    carry = [a._as_carry() if hasattr(a, "_as_carry") else a for a in arrays]
    check = None if cond is None else lambda *leaves: cond(*opened(leaves))
    results = graph_loop(check, traced, carry, *rest)
    return opened(results)


def _elements(elems: TensorLike) -> tuple[list[Any], Any]:
    flat = [_tensor(e) for e in nest.flatten(elems)]
    if not flat:
        raise ValueError("elems must be a Tensor or (possibly nested) sequence of Tensors.")
    for t in flat:
        if t.sizes == ():
            raise ShapeError("elements in elems must be 1+ dimensional Tensors, not scalars")
    sizes = {t.sizes[0] for t in flat if t.sizes} - {None}
    if len(sizes) > 1:
        raise ShapeError(f"elems have first axes of different sizes: {sorted(sizes)}.")
    return flat, elems


def _any_symbolic(flat: Sequence[Any]) -> bool:
    return state.graph is not None or any(isinstance(t, SymbolicTensor) for t in flat)


def map_fn(
    fn: Callable[..., Any],
    elems: TensorLike,
    dtype: DtypeLike | None = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """Return fn's results for each slice of elems along the first axis, stacked.

    Raises:
        TypeError: if fn is not callable, or returns another dtype than ``fn_output_signature`` says.
    """
    if not callable(fn):
        raise TypeError("fn must be callable.")
    flat, structure = _elements(elems)
    signature = fn_output_signature if fn_output_signature is not None else dtype
    box: list[Any] = []

    def one(*slices: Any) -> list[Any]:
        result = fn(nest.pack_sequence_as(structure, slices))
        box[:] = [result]
        leaves = [_tensor(r) for r in nest.flatten(result)]
        if signature is not None:
            wanted = [
                as_dtype(s.dtype if hasattr(s, "dtype") and not isinstance(s, type) else s) for s in nest.flatten(signature)
            ]
            for r, w in zip(leaves, wanted, strict=False):
                if r.dtype != w:
                    raise DTypeError(f"map_fn: fn returns dtype {r.dtype.name}, and fn_output_signature says {w.name}.")
        return leaves

    if _any_symbolic(flat):
        with _graph_of(flat):
            rows = graph_loop(None, lambda *slices: ([], one(*slices)), [], sequences=flat, rows=True)
    else:
        found = [one(*(t[i] for t in flat)) for i in range(flat[0].sizes[0])]
        if not found:
            raise InvalidArgumentError("map_fn: elems has no elements, so the results' shapes are unknown eagerly.")
        rows = [apply(linear.STACK, column, {"axis": 0}) for column in zip(*found, strict=True)]
    return nest.pack_sequence_as(box[0], rows)


class _graph_of:
    """The graph of symbolic tensors as the current one, if none is."""

    def __init__(self, flat: Sequence[Any]) -> None:
        self.manager = None
        if state.graph is None:
            self.manager = next(t.graph for t in flat if isinstance(t, SymbolicTensor)).as_default()

    def __enter__(self) -> None:
        if self.manager is not None:
            self.manager.__enter__()

    def __exit__(self, *exception: Any) -> None:
        if self.manager is not None:
            self.manager.__exit__(*exception)


def vectorized_map(fn: Callable[..., Any], elems: TensorLike, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """Return fn's results for each slice of elems along the first axis, stacked."""
    return map_fn(fn, elems)


def scan(
    fn: Callable[..., Any],
    elems: TensorLike,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Return all values of ``a = fn(a, element)`` along the first axis, stacked.

    Without an initializer the first element is the first value.
    """
    return _fold(fn, elems, initializer, reverse, True)


def _fold(fn: Callable[..., Any], elems: TensorLike, initializer: Any, reverse: bool, all_values: bool) -> Any:
    """Return all values of ``a = fn(a, element)``, stacked; or the last one."""
    if not callable(fn):
        raise TypeError("fn must be callable.")
    flat, structure = _elements(elems)
    with _graph_of(flat) if _any_symbolic(flat) else nullcontext():
        first: list[Any] = []
        if initializer is None:
            at = -1 if reverse else 0
            first = [t[at] for t in flat]
            rest = [t[:-1] if reverse else t[1:] for t in flat]
            carry, shape = first, structure
        else:
            carry, shape = [_tensor(v) for v in nest.flatten(initializer)], initializer
            rest = flat
        n = len(carry)

        def step(*leaves: Any) -> list[Any]:
            a = nest.pack_sequence_as(shape, leaves[:n])
            result = fn(a, nest.pack_sequence_as(structure, leaves[n:]))
            found = nest.flatten(result)
            if len(found) != n:
                raise ValueError(f"scan: fn returns {len(found)} values, and the initializer has {n}.")
            return [_tensor(v, c) for v, c in zip(found, carry, strict=True)]

        def both(*leaves: Any) -> Any:
            values = step(*leaves)
            return values, values if all_values else []

        kept = []
        if _any_symbolic(flat):
            results = graph_loop(None, both, carry, sequences=rest, rows=True, reverse=reverse)
            last, rows = results[:n], results[n:]
        else:
            order = range(rest[0].sizes[0])
            last = carry
            for i in reversed(order) if reverse else order:
                last = step(*last, *(t[i] for t in rest))
                kept.append(last)
        if not all_values:
            return nest.pack_sequence_as(shape, last)
        if not _any_symbolic(flat):
            if reverse:
                kept.reverse()
            if kept:
                rows = [apply(linear.STACK, column, {"axis": 0}) for column in zip(*kept, strict=True)]
            else:
                rows = [apply(linear.EXPAND_DIMS, (c,), {"axis": 0})[:0] for c in carry]
        if initializer is None:
            heads = [apply(linear.EXPAND_DIMS, (f,), {"axis": 0}) for f in first]
            pairs = [(r, h) if reverse else (h, r) for h, r in zip(heads, rows, strict=True)]
            rows = [apply(linear.CONCAT, pair, {"axis": 0}) for pair in pairs]
    return nest.pack_sequence_as(shape, rows)


def foldl(fn: Callable[..., Any], elems: TensorLike, initializer: Any = None, *arguments: Any, **keywords: Any) -> Any:
    """Return the last value of ``a = fn(a, element)`` from the first element to the last."""
    return _fold(fn, elems, initializer, False, False)


def foldr(fn: Callable[..., Any], elems: TensorLike, initializer: Any = None, *arguments: Any, **keywords: Any) -> Any:
    """Return the last value of ``a = fn(a, element)`` from the last element to the first."""
    return _fold(fn, elems, initializer, True, False)
