"""``tfp.stats``: moments of samples."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike, convert

__all__ = ["correlation", "covariance", "stddev", "variance"]


def covariance(
    x: TensorLike, y: TensorLike | None = None, sample_axis: AxisLike | None = 0, event_axis: AxisLike | None = -1,
    keepdims: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Return the covariance of events: the mean over ``sample_axis`` of products of what differs from the mean.

    Args:
        x: samples.
        y: samples whose covariance with those of x is asked for; x by default.
        sample_axis: the axis (or axes) of samples; None for all but ``event_axis``.
        event_axis: the axis of an event, of which each pair of elements is asked for; None for each element with its own.
        keepdims: whether the axes of samples stay, of size 1.
        name: not used.

    >>> covariance([[1.0, 2.0], [3.0, 6.0]]).numpy().tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    x = convert(x)
    y = x if y is None else convert(y, like=x)
    if event_axis is None:
        return elementary.reduce_mean(_centred(x, sample_axis) * _centred(y, sample_axis), sample_axis, keepdims)
    rank = len(x.shape)
    events = [a % rank for a in array.integers_of(event_axis, "event_axis")]
    chosen = [a for a in range(rank) if a not in events] if sample_axis is None else sample_axis
    samples = [a % rank for a in array.integers_of(chosen, "sample_axis")]
    if len(events) != 1 or set(events) & set(samples):
        raise ValueError(f"covariance takes one event_axis, which is no sample_axis: {event_axis} and {sample_axis}.")
    first = array.expand_dims(_centred(x, samples), events[0] + 1)
    second = array.expand_dims(_centred(y, samples), events[0])
    return elementary.reduce_mean(first * second, [a + (a > events[0]) for a in samples], keepdims)


def variance(x: TensorLike, sample_axis: AxisLike | None = 0, keepdims: bool = False, name: str | None = None) -> Any:
    """Return the variance of samples."""
    return covariance(x, None, sample_axis, None, keepdims)


def stddev(x: TensorLike, sample_axis: AxisLike | None = 0, keepdims: bool = False, name: str | None = None) -> Any:
    """Return the standard deviation of samples."""
    return elementary.sqrt(variance(x, sample_axis, keepdims))


def correlation(
    x: TensorLike, y: TensorLike | None = None, sample_axis: AxisLike | None = 0, event_axis: AxisLike | None = -1,
    keepdims: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Return the covariance of samples divided by their standard deviations; the arguments are those of `covariance`."""
    x = convert(x)
    y = x if y is None else convert(y, like=x)
    x, y = (v / stddev(v, sample_axis, keepdims=True) for v in (x, y))
    return covariance(x, y, sample_axis, event_axis, keepdims)


def _centred(x: Tensor, axis: AxisLike | None) -> Any:
    return x - elementary.reduce_mean(x, axis, keepdims=True)
