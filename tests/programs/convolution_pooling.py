"""conv1d, conv2d, depthwise, transposed convolution, pooling, normalisation, losses: values and gradients on small inputs."""
import numpy as np
import tensorflow as tf


def grad(label, f, *shapes):
    args = [tf.constant(np.sin(np.arange(1, 1 + np.prod(s)) * (k + 1.0)).reshape(s)) for k, s in enumerate(shapes)]
    with tf.GradientTape() as tape:
        tape.watch(args)
        y = f(*args)
        s = tf.reduce_sum(y ** 2)
    gs = tape.gradient(s, args)
    print(label, y.shape, "%.5f" % s, [("%.5f" % tf.norm(g)) for g in gs], np.round(gs[-1].numpy().ravel()[:4], 4).tolist())


for padding in ("VALID", "SAME"):
    for stride in (1, 2):
        grad(f"conv1d {padding} {stride}", lambda x, k: tf.nn.conv1d(x, k, stride=stride, padding=padding), (2, 7, 3), (3, 3, 2))
        grad(f"conv2d {padding} {stride}", lambda x, k: tf.nn.conv2d(x, k, strides=stride, padding=padding), (1, 5, 6, 2), (3, 2, 2, 3))
print("dilated", tf.nn.conv2d(tf.reshape(tf.range(25.0), [1, 5, 5, 1]), tf.ones([2, 2, 1, 1]), strides=1, padding="VALID", dilations=2)[0, :, :, 0].numpy().tolist())
grad("conv2d explicit", lambda x, k: tf.nn.conv2d(x, k, strides=1, padding=[[0, 0], [1, 0], [2, 1], [0, 0]]), (1, 3, 3, 1), (2, 2, 1, 1))
grad("conv2d transpose", lambda x, k: tf.nn.conv2d_transpose(x, k, output_shape=[1, 6, 6, 2], strides=2), (1, 3, 3, 1), (2, 2, 2, 1))
grad("depthwise", lambda x, k: tf.nn.depthwise_conv2d(x, k, strides=[1, 1, 1, 1], padding="SAME"), (1, 4, 4, 2), (3, 3, 2, 2))
grad("avg_pool", lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID"), (1, 4, 4, 1))
grad("max_pool", lambda x: tf.nn.max_pool2d(x, 2, 1, "SAME"), (1, 3, 3, 2))
grad("moments", lambda x: tf.stack(tf.nn.moments(x, [0])), (4, 2))
grad("batch_normalization", lambda x, m, s, g: tf.nn.batch_normalization(x, m, tf.exp(s), s, g, 1e-3), (4, 2), (2,), (2,), (2,))
grad("softmax cross entropy", lambda x, t: tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(t), logits=x), (3, 4), (3, 4))
grad("sparse cross entropy", lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1, 0, 3], logits=x), (3, 4))
grad("sigmoid cross entropy", lambda x, t: tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=x), (3, 4), (3, 4))
grad("weighted", lambda x: tf.nn.weighted_cross_entropy_with_logits(labels=tf.ones([3, 4], tf.float64), logits=x, pos_weight=2.0), (3, 4))
grad("log_poisson", lambda x: tf.nn.log_poisson_loss(tf.ones([3], tf.float64) * 2.0, x), (3,))
for name in ("relu", "elu", "selu", "gelu", "softplus", "softsign", "swish", "crelu", "leaky_relu", "tanh", "sigmoid"):
    grad(name, getattr(tf.nn, name), (2, 3))
