"""The works as a user of TensorFlow writes them, with nested `tf.gradients`; for TensorFlow and for Wengert alike."""

from typing import Any

from contenders.problems import NU, Work


def build(tf: Any, work: Work, inputs: list[Any], variables: list[Any]) -> list[Any]:
    """Return the tensors to fetch: one of values, or the loss and its gradients by all variables."""
    several = {"tanh": tf.tanh, "sin": tf.sin, "swish": tf.nn.silu, "gelu": tf.nn.gelu, "softplus": tf.nn.softplus}
    activate = several[work.activation]
    X = tf.concat(inputs, 1) if work.columns else inputs[0]
    h = X
    for k in range(0, len(variables) - 2, 2):
        h = activate(tf.matmul(h, variables[k]) + variables[k + 1])
    u = tf.matmul(h, variables[-2]) + variables[-1]

    def by(y: Any, x: Any, times: int = 1) -> Any:
        for _ in range(times):
            y = tf.gradients(y, x)[0]
        return y

    def laplacian(y: Any) -> Any:
        g = by(y, X)
        return sum(by(g[:, i : i + 1], X)[:, i : i + 1] for i in range(X.shape[1]))

    if work.kind == "forward":
        return [u]
    if work.kind == "dx":
        return [by(u, inputs[0], work.order)]
    if work.kind == "xxyy":
        return [by(by(u, inputs[0], 2), inputs[1], 2)]
    if work.kind == "laplacian":
        return [laplacian(u)]
    if work.kind == "biharmonic":
        return [laplacian(laplacian(u))]
    if work.kind == "laplacian-train":
        residual = laplacian(u) - 1.0
    else:
        x, t = inputs
        u_t, u_x = by(u, t), by(u, x)
        u_xx = by(u_x, x)
        if work.kind == "burgers":
            residual = u_t + u * u_x - NU * u_xx
        elif work.kind == "kdv":
            residual = u_t + 6.0 * u * u_x + by(u_xx, x)
        else:
            residual = u_t + u * u_x + u_xx + by(u_xx, x, 2)
    loss = tf.reduce_mean(tf.square(residual))
    gradients = tf.gradients(loss, variables)  # None where a bias does not count
    return [loss, *(tf.zeros_like(v) if g is None else g for g, v in zip(gradients, variables, strict=True))]
