"""TensorFlow 1's ``tf.test``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.calculus.gradient_checker import graph_jacobians, max_error
from wengert.modes.session import Session, default_session, get_default_session
from wengert.tensor.tensor import TensorLike


def _jacobians(
    x: Any, x_shape: Any, y: Any, y_shape: Any, x_init_value: Any, delta: float, init_targets: Any, extra_feed_dict: Any
) -> list[tuple[Any, Any]]:
    several = isinstance(x, list)
    xs = list(x) if several else [x]
    sizes = list(x_shape) if several else [x_shape]
    values = None if x_init_value is None else (list(x_init_value) if several else [x_init_value])
    session = get_default_session()
    if session is None:
        with Session(graph=y.graph) as opened:
            return _run(opened, xs, sizes, y, y_shape, values, delta, init_targets, extra_feed_dict)
    return _run(default_session(), xs, sizes, y, y_shape, values, delta, init_targets, extra_feed_dict)


def _run(
    session: Any, xs: Any, sizes: Any, y: Any, y_shape: Any, values: Any, delta: float, targets: TensorLike, feeds: Any
) -> list[tuple[Any, Any]]:
    for target in targets if isinstance(targets, Sequence) else [targets]:
        if target is not None:
            session.run(target)
    return graph_jacobians(xs, sizes, y, y_shape, values, delta, dict(feeds or {}), session)


def compute_gradient(
    x: TensorLike,
    x_shape: Any,
    y: TensorLike,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> Any:
    """Return the Jacobians of a graph's tensor y by x (or each of a list): pairs (by the graph, by differences).

    A row for each element of x, a column for each of y. x is set to ``x_init_value``, or to random numbers.
    """
    pairs = _jacobians(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    return pairs if isinstance(x, list) else pairs[0]


def compute_gradient_error(
    x: TensorLike,
    x_shape: Any,
    y: TensorLike,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> float:
    """Return the greatest difference between the derivative by the graph and the one by differences."""
    pairs = _jacobians(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    return max_error(*zip(*pairs, strict=True))
