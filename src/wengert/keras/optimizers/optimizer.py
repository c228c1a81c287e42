"""``keras.optimizers``: first-order optimizers. Their formulas stand in `wengert.train.rules`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypedDict, Unpack

import numpy as np

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.keras import registry
from wengert.keras.configuration import floatx
from wengert.keras.optimizers import schedules
from wengert.keras.optimizers.state import Rate
from wengert.keras.optimizers.step import Step
from wengert.modes.variable import Variable
from wengert.tensor.tensor import Tensor
from wengert.train import rules

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "Optimizer", "RMSprop", "power"]

_COMMON = {
    "weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None, "use_ema": False, "ema_momentum": 0.99,
    "ema_overwrite_frequency": None, "loss_scale_factor": None, "gradient_accumulation_steps": None, "name": None,
}  # fmt: skip
"""What all optimizers take after their own arguments, in order, with the defaults."""
Common = float | str | None


class OtherKeywords(TypedDict, total=False):
    """What all optimizers take but for the weight decay, and what they took in Keras 2."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None
    lr: float
    decay: float | None
    jit_compile: bool | str
    is_legacy_optimizer: bool


class OptimizerKeywords(OtherKeywords, total=False):
    """What all optimizers take."""

    weight_decay: float | None


class Optimizer(Step, registry.Stated):
    """What all optimizers have: a learning rate, clipping, weight decay, averages of the variables, and slots.

    One's own overrides `update_step`, which assigns to a variable, and `build`, which makes what that needs with
    `add_variable_from_reference`.

    Learning rates are a number, a schedule, or a function without arguments.
    """

    __signature__: ClassVar[inspect.Signature]
    _label: ClassVar[str | None] = None
    """The name by default; None: the class's."""

    def __init__(self, learning_rate: Rate = 0.001, *common: Common, **keywords: Unpack[OptimizerKeywords]) -> None:
        """Take the learning rate and what is done to gradients and variables; also ``lr`` and ``decay``, of Keras 2.

        In order: weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
        loss_scale_factor, gradient_accumulation_steps, name.

        Raises:
            ValueError: for more than one kind of clipping, and for numbers out of range.
            TypeError: for an unknown argument.
        """
        given: dict[str, Any] = {**keywords}
        self._decay = float(given.pop("decay", None) or 0.0)
        learning_rate = given.pop("lr", learning_rate)
        given.pop("is_legacy_optimizer", None)
        if isinstance(learning_rate, str) and not type(self).__module__.startswith("wengert."):
            # Keras 2's base class takes its name first, and so call it classes that others derive from it.
            given["name"], learning_rate = learning_rate, 0.001
        given.pop("jit_compile", None)
        named = dict(zip(_COMMON, common, strict=False))
        wrong = [*(k for k in given if k not in _COMMON or k in named), *map(repr, common[len(_COMMON) :])]
        if wrong:
            raise TypeError(f"{type(self).__name__}: unrecognized arguments: {', '.join(wrong)}.")
        said = {**_COMMON, "name": self._label, **named, **given}
        self.weight_decay, self.loss_scale_factor = said["weight_decay"], said["loss_scale_factor"]
        self.clipnorm, self.clipvalue, self.global_clipnorm = said["clipnorm"], said["clipvalue"], said["global_clipnorm"]
        self.use_ema, self.ema_momentum = said["use_ema"], said["ema_momentum"]
        self.ema_overwrite_frequency = said["ema_overwrite_frequency"]
        self.gradient_accumulation_steps, self.name = said["gradient_accumulation_steps"], said["name"]
        self.name = self.name or registry.auto_name(registry.snake_case(type(self).__name__))
        self._check()
        self._keep(learning_rate)

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Show what all optimizers take in the signature, by name and default."""
        super().__init_subclass__(**keywords)
        own = list(inspect.signature(cls.__init__).parameters.values())[1:]
        at = [k for k, p in enumerate(own) if p.name == "common"]
        if at:
            named = {p.name for p in own}
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            common = [inspect.Parameter(n, kind, default=d) for n, d in {**_COMMON, "name": cls._label}.items() if n not in named]
            cls.__signature__ = inspect.Signature([*own[: at[0]], *common, *own[at[0] + 1 :]])

    def _check(self) -> None:
        kinds = ("clipnorm", "clipvalue", "global_clipnorm")
        if sum(getattr(self, label) is not None for label in kinds) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={self.clipnorm}, clipvalue={self.clipvalue}, global_clipnorm={self.global_clipnorm}"
            )
        for label in kinds:
            value = getattr(self, label)
            if value is not None and not value > 0:
                raise ValueError(f"{type(self).__name__}: {label} must be positive, not {value}.")
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={self.ema_momentum}")
        for label, least in (("ema_overwrite_frequency", 1), ("gradient_accumulation_steps", 2)):
            count = getattr(self, label)
            if count is not None and not (isinstance(count, int) and count >= least):
                raise ValueError(f"`{label}` must be an integer >= {least} or None. Received: {count}")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        rate = self._rate
        if isinstance(rate, Variable):
            rate = float(np.asarray(rate.array))
        elif isinstance(rate, schedules.LearningRateSchedule):
            rate = schedules.serialize(rate)
        return {"learning_rate": rate, **{n: getattr(self, n) for n in _COMMON}, **super().get_config()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one from its arguments."""
        given = dict(config)
        if isinstance(given.get("learning_rate"), Mapping):
            given["learning_rate"] = schedules.deserialize(given["learning_rate"], custom_objects)
        return cls(**given)


class SGD(Optimizer):
    """Gradient descent, with ``momentum`` and ``nesterov`` if asked for.

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = SGD(0.25).minimize(lambda: x * x, [x])
    >>> float(x)
    2.0
    """

    _label = "SGD"
    _arguments = ("momentum", "nesterov")

    def __init__(
        self, learning_rate: Rate = 0.01, momentum: float = 0.0, nesterov: bool = False, *common: Common,
        **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the momentum, and what all optimizers take.

        Raises:
            ValueError: unless the momentum is in [0, 1].
        """
        super().__init__(learning_rate, *common, **keywords)
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. Received: momentum={momentum}")
        self.momentum, self.nesterov = momentum, nesterov
        self.slots, self.rule = (("momentum",), rules.velocity) if momentum else ((), rules.descent)

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "decay": self.momentum, "nesterov": self.nesterov} if self.momentum else {"rate": rate}


class RMSprop(Optimizer):
    """Steps over the root of an average of the squared gradients.

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = RMSprop(0.1).minimize(lambda: x * x, [x])
    >>> round(float(x), 3)
    3.684
    """

    _label = "rmsprop"
    _arguments = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self, learning_rate: Rate = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
        centered: bool = False, *common: Common, **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the factor of the average, the momentum, and what all optimizers take."""
        super().__init__(learning_rate, *common, **keywords)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        self.slots = ("velocity", *(["average"] if centered else []), *(["momentum"] if momentum else []))
        self.rule = rules.rmsprop_centered if centered else rules.rmsprop

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "rho": self.rho, "epsilon": self.epsilon, "decay": self.momentum}


class Adam(Optimizer):
    """Averages of the gradients and of their squares: D. P. Kingma, J. Ba (2014).

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = Adam(0.1).minimize(lambda: x * x, [x])
    >>> round(float(x), 4)
    3.9
    """

    _label = "adam"
    _arguments = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        amsgrad: bool = False, *common: Common, **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the factors of the two averages, and what all optimizers take."""
        super().__init__(learning_rate, *common, **keywords)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, 1e-7 if epsilon is None else epsilon, amsgrad
        self.slots = ("momentum", "velocity", "velocity_hat") if amsgrad else ("momentum", "velocity")
        self.rule = rules.amsgrad if amsgrad else rules.adam

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        rate = rules.corrected(rate, power(self.beta_1, step), power(self.beta_2, step))
        return {"rate": rate, "beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon}


class AdamW(Adam):
    """`Adam` with weight decay beside it: I. Loshchilov, F. Hutter (2017).

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = AdamW(0.1, weight_decay=0.5).minimize(lambda: x * x, [x])
    >>> round(float(x), 4)
    3.7
    """

    _label = "adamw"

    def __init__(
        self, learning_rate: Rate = 0.001, weight_decay: float | None = 0.004, beta_1: float = 0.9,
        beta_2: float = 0.999, epsilon: float = 1e-7, amsgrad: bool = False, *common: Common, **keywords: Unpack[OtherKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the weight decay, and what all optimizers take.

        Raises:
            ValueError: without a weight decay.
        """
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *common, **keywords)
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")


class Adadelta(Optimizer):
    """Steps in the units of the variable: M. D. Zeiler (2012)."""

    rule = staticmethod(rules.adadelta)
    _label = "adadelta"
    _arguments = ("rho", "epsilon")
    slots = ("accumulated_grad", "accumulated_delta_var")

    def __init__(
        self, learning_rate: Rate = 0.001, rho: float = 0.95, epsilon: float = 1e-7, *common: Common,
        **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the factor of the averages, and what all optimizers take."""
        super().__init__(learning_rate, *common, **keywords)
        self.rho, self.epsilon = rho, epsilon

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "rho": self.rho, "epsilon": self.epsilon}


class Adagrad(Optimizer):
    """Steps over the root of the sum of the squared gradients: J. Duchi, E. Hazan, Y. Singer (2011)."""

    rule = staticmethod(rules.adagrad)
    _label = "adagrad"
    _arguments = ("initial_accumulator_value", "epsilon")
    slots = ("accumulator",)

    def __init__(
        self, learning_rate: Rate = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, *common: Common,
        **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, what the sums begin with, and what all optimizers take."""
        super().__init__(learning_rate, *common, **keywords)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def _first(self, slot: str) -> Any:
        return self.initial_accumulator_value

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "epsilon": self.epsilon}


class Adamax(Optimizer):
    """`Adam` with the maximum norm."""

    rule = staticmethod(rules.adamax)
    _label = "adamax"
    _arguments = ("beta_1", "beta_2", "epsilon")
    slots = ("momentum", "norm")

    def __init__(
        self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        *common: Common, **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the factors of the average and of the norm, and what all optimizers take."""
        super().__init__(learning_rate, *common, **keywords)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        rate = rate / (1.0 - power(self.beta_1, step))
        return {"rate": rate, "beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon}


class Nadam(Optimizer):
    """`Adam` with Nesterov's momentum: T. Dozat (2016)."""

    rule = staticmethod(rules.nadam)
    _label = "nadam"
    _arguments = ("beta_1", "beta_2", "epsilon")
    slots = ("momentum", "velocity")

    def __init__(
        self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        *common: Common, **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the factors of the two averages, and what all optimizers take."""
        super().__init__(learning_rate, *common, **keywords)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self._product: Any = None

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots, and the product of all momenta so far."""
        if self._product is None:
            self._product = self.add_variable((), "ones", floatx(), name="momentum_product")
        super().build(variables)

    def _momentum(self, step: Tensor) -> Any:
        return self.beta_1 * (1.0 - 0.5 * power(0.96, step))

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        now, ahead = self._momentum(step), self._momentum(step + 1.0)
        return {
            "rate": rate, "beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon, "now": now, "ahead": ahead,
            "product": array.cast(self._product, step.dtype) * now, "power2": power(self.beta_2, step),
        }  # fmt: skip

    def _after_step(self) -> list[Any]:
        step = array.cast(self._iterations + 1, self._product.dtype)
        return [self._product.assign(self._product * self._momentum(step))]


class Ftrl(Optimizer):
    """Follow the regularised leader: H. B. McMahan et al. (2013)."""

    rule = staticmethod(rules.ftrl)
    _label = "ftrl"
    _arguments = ("learning_rate_power", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
                  "l2_shrinkage_regularization_strength", "beta")  # fmt: skip
    slots = ("accumulator", "linear")

    def __init__(
        self, learning_rate: Rate = 0.001, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0, beta: float = 0.0, *common: Common,
        **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, its power, the strengths of the regularisations, and what all optimizers take.

        Raises:
            ValueError: for a negative number, and a positive power.
        """
        super().__init__(learning_rate, *common, **keywords)
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength, self.l2_regularization_strength = l1_regularization_strength, l2_regularization_strength
        self.l2_shrinkage_regularization_strength, self.beta = l2_shrinkage_regularization_strength, beta
        for label in self._arguments[1:5]:
            if getattr(self, label) < 0:
                raise ValueError(f"`{label}` needs to be positive or zero. Received: {label}={getattr(self, label)}.")
        if learning_rate_power > 0:
            raise ValueError(f"`learning_rate_power` needs to be negative or zero. Received: {learning_rate_power}.")

    def _first(self, slot: str) -> Any:
        return self.initial_accumulator_value if slot == "accumulator" else 0.0

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        l2 = self.l2_regularization_strength + self.beta / (2.0 * rate) if self.beta else self.l2_regularization_strength
        return {
            "rate": rate, "power": self.learning_rate_power, "l1": self.l1_regularization_strength, "l2": l2,
            "shrinkage": self.l2_shrinkage_regularization_strength,
        }  # fmt: skip


class Lion(Optimizer):
    """Steps of one size, in the direction of an average's signs: X. Chen et al. (2023)."""

    rule = staticmethod(rules.lion)
    _label = "lion"
    _arguments = ("beta_1", "beta_2")
    slots = ("momentum",)

    def __init__(
        self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, *common: Common,
        **keywords: Unpack[OptimizerKeywords],
    ) -> None:  # fmt: skip
        """Take the learning rate, the factors of the averages, and what all optimizers take.

        Raises:
            ValueError: for a beta_1 outside of (0, 1].
        """
        super().__init__(learning_rate, *common, **keywords)
        if not 0 < beta_1 <= 1:
            raise ValueError(
                f"Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates. Received: {beta_1}."
            )
        self.beta_1, self.beta_2 = beta_1, beta_2

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "beta1": self.beta_1, "beta2": self.beta_2}


def power(base: float, step: Tensor) -> Any:
    """Return a factor to the power of a step."""
    return elementary.pow(array.cast(base, step.dtype), step)
