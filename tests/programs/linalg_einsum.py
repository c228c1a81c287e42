"""einsum, tensordot, matmul with batches, outer products, cross, normalize: values, gradients and shapes."""
import numpy as np
import tensorflow as tf

rng = np.random.RandomState(11)


def grad(label, f, *shapes):
    args = [tf.constant(rng.randn(*s)) for s in shapes]
    with tf.GradientTape() as tape:
        tape.watch(args)
        y = f(*args)
        s = tf.reduce_sum(tf.sin(y))
    gs = tape.gradient(s, args)
    print(label, y.shape, round(float(s), 5), [(g.shape.as_list(), round(float(tf.norm(g)), 5)) for g in gs])


grad("matmul", lambda a, b: tf.matmul(a, b), (2, 3), (3, 4))
grad("matmul batch", lambda a, b: tf.matmul(a, b), (5, 2, 3), (5, 3, 4))
grad("matmul broadcast", lambda a, b: tf.matmul(a, b), (5, 1, 2, 3), (4, 3, 2))
grad("matmul transposed", lambda a, b: tf.matmul(a, b, transpose_a=True, transpose_b=True), (3, 2), (4, 3))
grad("matmul adjoint", lambda a, b: tf.matmul(a, b, adjoint_b=True), (3, 2), (4, 2))
grad("operator", lambda a, b: a @ b, (3, 2), (2, 2))
grad("matvec", lambda a, b: tf.linalg.matvec(a, b), (5, 3, 2), (2,))
grad("tensordot 1", lambda a, b: tf.tensordot(a, b, 1), (2, 3), (3, 4))
grad("tensordot 0", lambda a, b: tf.tensordot(a, b, 0), (2,), (3,))
grad("tensordot axes", lambda a, b: tf.tensordot(a, b, [[0, 2], [1, 0]]), (2, 3, 4), (4, 2, 5))
grad("einsum mm", lambda a, b: tf.einsum("ij,jk->ik", a, b), (2, 3), (3, 4))
grad("einsum implicit", lambda a, b: tf.einsum("ij,jk", a, b), (2, 3), (3, 4))
grad("einsum bilinear", lambda a, w, b: tf.einsum("bi,ij,bj->b", a, w, b), (4, 2), (2, 3), (4, 3))
grad("einsum trace", lambda a: tf.einsum("ii->", a), (3, 3))
grad("einsum diagonal", lambda a: tf.einsum("bii->bi", a), (2, 3, 3))
grad("einsum sum", lambda a: tf.einsum("ijk->j", a), (2, 3, 4))
grad("einsum transpose", lambda a: tf.einsum("ijk->kji", a), (2, 3, 4))
grad("einsum ellipsis", lambda a, b: tf.einsum("...ij,...jk->...ik", a, b), (5, 2, 3), (3, 4))
grad("einsum outer", lambda a, b: tf.einsum("i,j->ij", a, b), (2,), (3,))
grad("outer", lambda a, b: a[:, None] * b, (2,), (3,))
grad("cross", tf.linalg.cross, (2, 3), (2, 3))
grad("norm", lambda a: tf.norm(a, axis=-1), (2, 3))
grad("norm keep", lambda a: a / tf.norm(a, ord=2, axis=1, keepdims=True), (2, 3))
grad("l2_normalize", lambda a: tf.math.l2_normalize(a, axis=1), (2, 3))
grad("normalize", lambda a: tf.linalg.normalize(a, axis=0)[0], (2, 3))
grad("l2_loss", lambda a: tf.nn.l2_loss(a), (2, 3))
grad("eye", lambda a: a * tf.eye(3, dtype=tf.float64) + tf.linalg.diag(tf.linalg.diag_part(a)), (3, 3))
grad("bias_add", lambda a, b: tf.nn.bias_add(a, b), (2, 3), (3,))
grad("cosine", lambda a, b: tf.reduce_sum(tf.math.l2_normalize(a) * tf.math.l2_normalize(b)), (4,), (4,))
