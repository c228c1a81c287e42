"""Optimizers that look at a variable as a whole: at its length, or at the rows and columns of a matrix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Unpack

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.keras.optimizers.optimizer import Common, Optimizer, OptimizerKeywords, OtherKeywords, power
from wengert.keras.optimizers.state import Rate
from wengert.modes.slices import IndexedSlices
from wengert.modes.variable import Variable
from wengert.tensor.tensor import Tensor, convert
from wengert.train import rules

__all__ = ["Adafactor", "Lamb", "Muon"]


class Lamb(Optimizer):
    """Adam's steps, as long as the variable is: Y. You and others (2019).

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = Lamb(0.1).minimize(lambda: x * x, [x])
    >>> round(float(x), 4)
    3.6
    """

    rule = staticmethod(rules.lamb)
    _label = "lamb"
    _arguments = ("beta_1", "beta_2", "epsilon")
    slots = ("momentum", "velocity")

    def __init__(
        self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        *common: Common, **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the factors of the two averages, and what all optimizers take."""
        super().__init__(learning_rate, *common, **keywords)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {
            "rate": rate, "beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon,
            "power1": power(self.beta_1, step), "power2": power(self.beta_2, step),
        }  # fmt: skip


class Adafactor(Optimizer):
    """Steps over the root of an average of the squared gradients, of matrices its margins alone: N. Shazeer, M. Stern (2018).

    The learning rate of step t is at most 1 / √t; as in Keras, whatever ``relative_step`` says.

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = Adafactor(0.1).minimize(lambda: x * x, [x])
    >>> round(float(x), 4)
    3.6
    """

    rule = staticmethod(rules.adafactor)
    _label = "adafactor"
    _arguments = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
    slots = ("rows", "columns", "velocity")

    def __init__(
        self, learning_rate: Rate = 0.001, beta_2_decay: float = -0.8, epsilon_1: float = 1e-30, epsilon_2: float = 0.001,
        clip_threshold: float = 1.0, relative_step: bool = True, *common: Common, **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, how the average keeps, what keeps squares and steps from 0, how long a step is at most."""
        super().__init__(learning_rate, *common, **keywords)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def _slot(self, variable: Variable, name: str) -> Any:
        sizes = tuple(variable.shape)
        if name == "velocity":
            return super()._slot(variable, name)
        margin = () if len(sizes) < 2 else sizes[:-1] if name == "rows" else (*sizes[:-2], sizes[-1])
        return self.add_variable_from_reference(variable, name, shape=margin)

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {
            "rate": elementary.minimum(rate, elementary.rsqrt(step)),
            "keep": 1.0 - elementary.pow(step, array.cast(self.beta_2_decay, step.dtype)),
            "epsilon1": self.epsilon_1, "epsilon2": self.epsilon_2, "threshold": self.clip_threshold,
        }  # fmt: skip


class Muon(Optimizer):
    """Orthogonal steps for matrices, Adam's for all else: K. Jordan and others (2024).

    Embeddings, and variables whose paths one of ``exclude_layers`` is found in, go by Adam too.

    >>> import wengert as tf
    >>> x = tf.Variable([[4.0, 0.0], [0.0, 2.0]])
    >>> _ = Muon(0.1, weight_decay=0.0, rms_rate=None).minimize(lambda: tf.reduce_sum(x * x), [x])
    >>> [round(value, 1) for row in x.numpy().tolist() for value in row]
    [3.9, 0.0, 0.0, 1.9]
    """

    _label = "muon"
    _arguments = ("adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon", "exclude_layers", "exclude_embeddings", "muon_a",
                  "muon_b", "muon_c", "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "rms_rate")  # fmt: skip
    slots = ("momentum", "velocity")
    rule = staticmethod(rules.adam)

    def __init__(
        self, learning_rate: Rate = 0.001, adam_beta_1: float = 0.9, adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004, epsilon: float = 1e-7, weight_decay: float | None = 0.004, *common: Common,
        exclude_layers: Sequence[str] | None = None, exclude_embeddings: bool = True, muon_a: float = 3.4445,
        muon_b: float = -4.775, muon_c: float = 2.0315, adam_lr_ratio: float = 1, momentum: float = 0.95, ns_steps: int = 5,
        nesterov: bool = True, rms_rate: float | None = 0.2, **keywords: Unpack[OtherKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, what Adam takes, what goes by Adam, and the numbers of the orthogonal steps."""
        super().__init__(learning_rate, weight_decay, *common, **keywords)
        self.adam_beta_1, self.adam_beta_2, self.adam_weight_decay = adam_beta_1, adam_beta_2, adam_weight_decay
        self.epsilon, self.exclude_layers, self.exclude_embeddings = epsilon, list(exclude_layers or []), exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c, self.adam_lr_ratio = muon_a, muon_b, muon_c, adam_lr_ratio
        self.momentum, self.ns_steps, self.nesterov, self.rms_rate = momentum, ns_steps, nesterov, rms_rate

    def _by_adam(self, variable: Variable) -> bool:
        path = str(getattr(variable, "path", variable.name))
        return (
            len(variable.shape) != 2
            or (self.exclude_embeddings and "embedding" in path.lower())
            or any(re.search(word, path) for word in self.exclude_layers)
        )

    def _slot(self, variable: Variable, name: str) -> Any:
        return None if name == "velocity" and not self._by_adam(variable) else super()._slot(variable, name)

    def _decay_of(self, variable: Variable) -> float | None:
        return self.adam_weight_decay if self._by_adam(variable) else self.weight_decay

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of Adam's rule."""
        rate = rules.corrected(rate * self.adam_lr_ratio, power(self.adam_beta_1, step), power(self.adam_beta_2, step))
        return {"rate": rate, "beta1": self.adam_beta_1, "beta2": self.adam_beta_2, "epsilon": self.epsilon}

    def update_step(self, gradient: Tensor | IndexedSlices, variable: Variable, learning_rate: Tensor) -> Any:
        """Assign to a variable and its slots."""
        if self._by_adam(variable):
            return super().update_step(gradient, variable, learning_rate)
        rows, columns = variable.shape
        scale = 1.0 if self.rms_rate is None else self.rms_rate * max(rows, columns) ** 0.5
        slots = self._slots_of(variable)
        new = rules.muon(
            convert(variable), convert(gradient), *map(convert, slots), rate=array.cast(learning_rate, variable.dtype) * scale,
            decay=self.momentum, nesterov=self.nesterov, factors=(self.muon_a, self.muon_b, self.muon_c), steps=self.ns_steps,
        )  # fmt: skip
        return [v.assign(value) for v, value in zip((variable, *slots), new, strict=True)]
