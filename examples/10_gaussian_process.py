"""A Gaussian process in TensorFlow Probability's names: what the data say of it, of its slope, and how sure they are.

The parameters are positive, so each is the softplus of a variable. They are fitted to noisy points, by L-BFGS; then the mean of
the process and its derivative are compared with what the points were made of, and the second derivative of the loss says how
well the parameters are known (Laplace's approximation). `wengert run` finds the same under `import tensorflow_probability`.
"""

import numpy as np

import wengert as tf
from wengert.compat import probability as tfp

tfb, tfd = tfp.bijectors, tfp.distributions
rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0.0, 1.0, 40))
y = np.sin(6.0 * x) + 0.1 * rng.normal(size=40)


class Process(tf.Module):
    """A process of squared exponential covariance, and noise."""

    def __init__(self):
        super().__init__()
        self.amplitude, self.length, self.noise = (
            tfp.util.TransformedVariable(start, tfb.Softplus(), dtype=tf.float64, name=name)
            for name, start in (("amplitude", 1.0), ("length", 0.5), ("noise", 0.5))
        )
        self.prior = tfd.LogNormal(np.float64(0.0), 2.0)

    def covariance(self, a, b):
        squares = ((tf.expand_dims(a, 1) - tf.expand_dims(b, 0)) / self.length) ** 2
        return self.amplitude**2 * tf.exp(-0.5 * squares)

    def factor(self):
        return tf.linalg.cholesky(self.covariance(x, x) + self.noise**2 * tf.eye(len(x), dtype=tf.float64))

    def loss(self):
        evidence = tfd.MultivariateNormalTriL(np.zeros_like(x), self.factor()).log_prob(y)
        return -evidence - sum(self.prior.log_prob(p) for p in (self.amplitude, self.length, self.noise))

    def mean(self, at):
        weights = tf.linalg.cholesky_solve(self.factor(), y[:, None])
        return tf.matmul(self.covariance(at, tf.constant(x)), weights)[:, 0]


process = Process()
variables = process.trainable_variables


@tf.function
def value_and_slopes(z):
    for variable, value in zip(variables, tf.unstack(z), strict=True):
        variable.assign(value)
    with tf.GradientTape() as tape:
        loss = process.loss()
    return loss, tf.stack(tape.gradient(loss, variables))


found = tfp.optimizer.lbfgs_minimize(value_and_slopes, tf.stack(variables), tolerance=1e-6)
value_and_slopes(found.position)
print(f"converged: {bool(found.converged)}, loss {float(found.objective_value):.4f}")

with tf.GradientTape(persistent=True) as outer:
    with tf.GradientTape() as tape:
        loss = process.loss()
    slopes = tf.stack(tape.gradient(loss, variables))
hessian = np.stack([np.asarray(c) for c in outer.jacobian(slopes, variables)], 1)
spread = np.sqrt(np.diag(np.linalg.inv(hessian)))
for p, variable, deviation in zip((process.amplitude, process.length, process.noise), variables, spread, strict=True):
    posterior = tfb.Softplus()(tfd.Normal(variable, deviation))
    low, high = np.asarray(posterior.quantile(np.array([0.025, 0.975])))
    print(f"{p.name:9} {float(p + 0.0):.3f}, between {low:.3f} and {high:.3f}")

at = tf.constant(np.linspace(0.1, 0.9, 5))
with tf.GradientTape() as tape:
    tape.watch(at)
    mean = process.mean(at)
slope = np.asarray(tape.gradient(mean, at))
errors = np.max(np.abs(mean - np.sin(6.0 * at))), np.max(np.abs(slope - 6.0 * np.cos(6.0 * at)))
print("greatest error of the mean {:.2f}, of its slope {:.2f}".format(*errors))
