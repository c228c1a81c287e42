"""Records what Keras answers: `python tests/keras/record_scores.py > tests/keras/scores-keras-3.15.json` where it is installed.

Metrics after two batches, and after a reset and one; losses and their gradients by y_pred.
"""

import json
import sys

import numpy as np

r = np.random.RandomState(3)
p = r.rand(40).astype("float32")
t = (r.rand(40) < 0.3 + 0.4 * p).astype("float32")
w = r.rand(40).astype("float32")
P, T = r.rand(12, 4).astype("float32"), (r.rand(12, 4) < 0.5).astype("float32")
W, CLASSES = r.rand(12).astype("float32"), r.randint(0, 4, 12)
HOT, S = np.eye(4, dtype="float32")[CLASSES], P / P.sum(1, keepdims=True)
UNIT = P / np.linalg.norm(P, axis=1, keepdims=True)
LABELS, SAID = r.randint(0, 4, (3, 5)), r.randint(0, 4, (3, 5))
SEQUENCES, LOGITS = np.array([[1, 2, 2, 0], [3, 1, 0, 0], [2, 0, 0, 0]]), r.randn(3, 7, 4).astype("float32")


def metrics():
    """Yield name, arguments, y_true, y_pred and weights."""
    for curve in ("ROC", "PR", "PRGAIN"):
        for method in ("interpolation", "minoring", "majoring"):
            yield "AUC", {"curve": curve, "summation_method": method}, t, p, None
            yield "AUC", {"curve": curve, "summation_method": method, "num_thresholds": 7}, t, p, w
    yield "AUC", {}, t[:, None], p[:, None], w[:, None]
    yield "AUC", {"multi_label": True}, T, P, None
    yield "AUC", {"multi_label": True, "num_labels": 4, "label_weights": [0.1, 0.2, 0.3, 0.4]}, T, P, W[:, None]
    yield "AUC", {"from_logits": True}, t, 4 * p - 2, None
    yield "AUC", {"thresholds": [0.2, 0.5, 0.8]}, t, p, None
    for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives", "Precision", "Recall"):
        yield name, {}, t, p, None
        yield name, {}, t, p, w
        yield name, {"thresholds": [0.2, 0.5, 0.9]}, T, P, W[:, None]
    for name in ("Precision", "Recall"):
        for keywords in ({"top_k": 2}, {"class_id": 2}, {"top_k": 1, "class_id": 1}):
            yield name, keywords, T, P, None
    bounds = {"SensitivityAtSpecificity": "specificity", "SpecificityAtSensitivity": "sensitivity", "PrecisionAtRecall": "recall",
              "RecallAtPrecision": "precision"}  # fmt: skip
    for name, bound in bounds.items():
        yield name, {bound: 0.55}, t, p, w
        yield name, {bound: 0.4, "num_thresholds": 1}, t, p, None
        yield name, {bound: 0.6, "class_id": 1}, T, P, None
        yield name, {bound: 1.0}, t, p, None
    for average in (None, "micro", "macro", "weighted"):
        yield "F1Score", {"average": average}, HOT, S, None
        yield "F1Score", {"average": average, "threshold": 0.4}, T, P, None
        yield "FBetaScore", {"average": average, "beta": 2.0}, HOT, S, W
    yield "IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, LABELS, SAID, None
    yield "IoU", {"num_classes": 4, "target_class_ids": [0, 2], "ignore_class": 1}, LABELS, SAID, None
    yield "IoU", {"num_classes": 4, "target_class_ids": [0, 3]}, LABELS, SAID, np.arange(15.0).reshape(3, 5)
    yield "MeanIoU", {"num_classes": 6}, LABELS, SAID, None
    yield "MeanIoU", {"num_classes": 4, "sparse_y_true": False}, np.eye(4)[LABELS], SAID, None
    yield "BinaryIoU", {"threshold": 0.3, "target_class_ids": [1]}, t, p, None
    yield "OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 2]}, HOT, S, None
    yield "OneHotMeanIoU", {"num_classes": 4}, HOT, S, None
    yield "OneHotMeanIoU", {"num_classes": 4, "sparse_y_pred": True}, HOT, CLASSES[::-1], None
    for k in (1, 2, 3):
        yield "TopKCategoricalAccuracy", {"k": k}, HOT, S, None
        yield "SparseTopKCategoricalAccuracy", {"k": k}, CLASSES, S, W
    yield "SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, CLASSES, np.argsort(-S, axis=1), None
    yield "SparseTopKCategoricalAccuracy", {"k": 2}, CLASSES[:, None], S, None
    for name in ("PearsonCorrelation", "ConcordanceCorrelation"):
        yield name, {}, T + P[::-1], P, None
        yield name, {"axis": 0}, T + P[::-1], P, None
        yield name, {}, T, P, W
    for aggregation in ("uniform_average", "variance_weighted_average", None):
        yield "R2Score", {"class_aggregation": aggregation}, T, P, None
        yield "R2Score", {"class_aggregation": aggregation, "num_regressors": 2}, T, P, W[:, None]


def losses():
    """Yield name, arguments, y_true, y_pred and weights."""
    for keywords in ({}, {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}, {"label_smoothing": 0.1}, {"axis": 0}):
        yield "BinaryFocalCrossentropy", keywords, T, P, None
    yield "BinaryFocalCrossentropy", {"from_logits": True, "apply_class_balancing": True}, T, 4 * P - 2, W
    for keywords in ({}, {"alpha": 0.4, "gamma": 1.5}, {"label_smoothing": 0.1}, {"reduction": "none"}):
        yield "CategoricalFocalCrossentropy", keywords, HOT, P, None
    yield "CategoricalFocalCrossentropy", {"from_logits": True}, HOT, 4 * P - 2, W
    for keywords in ({}, {"q": 0.3, "reduction": "sum"}):
        yield "CategoricalGeneralizedCrossEntropy", keywords, CLASSES, S, None
    for keywords in ({}, {"axis": 1}, {"axis": (0, 1)}, {"axis": 0, "reduction": "none"}):
        yield "Dice", keywords, T, P, None
        yield "Tversky", {**keywords, "alpha": 0.3, "beta": 0.9}, T, P, None
    for keywords in ({"gamma": 5.0, "margin": 0.2}, {"remove_diagonal": False}, {"reduction": "none", "gamma": 3.0}):
        yield "Circle", keywords, CLASSES, UNIT, None
    yield "SparseCategoricalCrossentropy", {"ignore_class": 1}, CLASSES, S, None
    yield "SparseCategoricalCrossentropy", {"ignore_class": 1, "from_logits": True, "reduction": "sum"}, CLASSES, S, None
    yield "SparseCategoricalCrossentropy", {"ignore_class": 1}, CLASSES, S, W
    yield "SparseCategoricalCrossentropy", {"ignore_class": -1}, np.where(CLASSES == 1, -1, CLASSES), S, None
    yield "CTC", {}, SEQUENCES, LOGITS, None
    yield "CTC", {"reduction": "none"}, SEQUENCES, LOGITS, None


def of_metric(tf, name, keywords, y_true, y_pred, weights):
    metric = getattr(tf.keras.metrics, name)(**keywords)
    half = len(y_true) // 2
    for rows in (slice(None, half), slice(half, None)):
        metric.update_state(y_true[rows], y_pred[rows], sample_weight=None if weights is None else weights[rows])
    found = np.asarray(metric.result())
    metric.reset_state()
    metric.update_state(y_true, y_pred)
    return [found.tolist(), np.asarray(metric.result()).tolist(), str(found.dtype)]


def of_loss(tf, name, keywords, y_true, y_pred, weights):
    x = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = getattr(tf.keras.losses, name)(**keywords)(y_true, x, sample_weight=weights)
    slope = np.asarray(tape.gradient(found, x))
    return [np.asarray(found).tolist(), slope.tolist(), str(slope.dtype)]


def key(number, case):
    return f"{number} {case[0]} {case[1]}"


if __name__ == "__main__":
    import tensorflow

    for part, of in ((metrics, of_metric), (losses, of_loss)):
        answers = {key(i, case): of(tensorflow, *case) for i, case in enumerate(part())}
        sys.stdout.write(json.dumps({part.__name__: answers}) + "\n")
