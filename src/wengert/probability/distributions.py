"""``tfp.distributions``: densities, draws, moments and divergences."""

from __future__ import annotations

from wengert.probability.continuous import Cauchy, HalfCauchy, HalfNormal, Laplace, LogNormal, Normal, StudentT, Uniform
from wengert.probability.discrete import Bernoulli, Categorical, Poisson
from wengert.probability.distribution import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    Distribution,
    RegisterKL,
    ReparameterizationType,
    TransformedDistribution,
    kl_divergence,
)
from wengert.probability.multivariate import (
    Independent,
    MultivariateNormalDiag,
    MultivariateNormalFullCovariance,
    MultivariateNormalTriL,
)
from wengert.probability.positive import Beta, Dirichlet, Exponential, Gamma, InverseGamma

__all__ = [
    "FULLY_REPARAMETERIZED", "NOT_REPARAMETERIZED", "Bernoulli", "Beta", "Categorical", "Cauchy", "Dirichlet", "Distribution",
    "Exponential", "Gamma", "HalfCauchy", "HalfNormal", "Independent", "InverseGamma", "Laplace", "LogNormal",
    "MultivariateNormalDiag", "MultivariateNormalFullCovariance", "MultivariateNormalTriL", "Normal", "Poisson", "RegisterKL",
    "ReparameterizationType", "StudentT", "TransformedDistribution", "Uniform", "kl_divergence",
]  # fmt: skip
