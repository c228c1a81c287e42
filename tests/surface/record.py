"""What TensorFlow and Wengert are both asked for; ``python record.py > tensorflow-2.21.json`` records TensorFlow's answers."""

import json

STEPS = [0, 1, 3, 4, 5, 7, 10, 11, 23, 40]


def decays(train, step, whole):
    """Learning rates, by name, at a step; `whole` makes an int32 of it."""
    return {
        "exponential": train.exponential_decay(0.1, step, 5, 0.7),
        "exponential stairs": train.exponential_decay(0.1, step, 5, 0.7, staircase=True),
        "natural": train.natural_exp_decay(0.1, step, 5, 0.7),
        "natural stairs": train.natural_exp_decay(0.1, step, 5, 0.7, True),
        "inverse": train.inverse_time_decay(0.1, step, 5, 0.7),
        "inverse stairs": train.inverse_time_decay(0.1, step, 5, 0.7, staircase=True),
        "polynomial": train.polynomial_decay(0.1, step, 10, 0.01, 2.0),
        "polynomial cycle": train.polynomial_decay(0.1, step, 10, power=0.5, cycle=True),
        "piecewise": train.piecewise_constant(whole(step), [3, 10], [0.1, 0.05, 0.01]),
        "piecewise of int64": train.piecewise_constant_decay(step, [3, 10], [0.1, 0.05, 0.01]),
        "cosine": train.cosine_decay(0.1, step, 10, 0.1),
        "restarts": train.cosine_decay_restarts(0.1, step, 4, 1.5, 0.5, 0.1),
        "restarts of one length": train.cosine_decay_restarts(0.1, step, 4, 1.0, 0.9),
        "linear": train.linear_cosine_decay(0.1, step, 10, 1.5, 0.1, 0.01),
        "noisy without noise": train.noisy_linear_cosine_decay(0.1, step, 10, 0.0, beta=0.1),
    }


def averages(v1):
    """The names and values of moving averages of a variable and of a tensor, over four steps."""
    w = v1.get_variable("w", initializer=[1.0, 2.0])
    count = v1.train.get_or_create_global_step()
    t = v1.square(w)
    made = [
        v1.train.ExponentialMovingAverage(0.9, num_updates=count),
        v1.train.ExponentialMovingAverage(0.9),
        v1.train.ExponentialMovingAverage(0.9, zero_debias=True),
    ]
    updates = [made[0].apply([w, t]), made[1].apply(), made[2].apply([t])]
    shadows = [made[0].average(w), made[0].average(t), made[1].average(w), made[2].average(t)]
    new = v1.placeholder(v1.float32, [2])
    assign, more = w.assign(new), v1.assign_add(count, 5)
    values = []
    with v1.Session() as sess:
        sess.run(v1.global_variables_initializer())
        for k in range(4):
            sess.run(assign, {new: [k * 2.0, 1.0 - k]})
            for update in updates:
                sess.run(update)
            sess.run(more)
            values.append([sess.run(s).tolist() for s in shadows])
    return {
        "values": values,
        "names": [s.name for s in shadows],
        "operation": [updates[0].name, updates[0].type],
        "restored": sorted(made[0].variables_to_restore()),
        "kept": [v.name for v in v1.moving_average_variables()],
    }


def losses(v1):
    """Losses, by function and reduction."""
    truth, guess = [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], [[0.1, 0.6, 0.9], [0.4, 0.2, 0.3]]
    weights = {"all": 1.0, "rows": [[2.0], [0.0]], "none": 0.0}
    F = v1.losses
    made = {}
    for reduction in F.Reduction.all():
        for name, w in weights.items():
            key = f"{reduction} {name}"
            made[f"squares {key}"] = F.mean_squared_error(truth, guess, w, loss_collection=None, reduction=reduction)
            made[f"absolute {key}"] = F.absolute_difference(
                truth, guess, weights=w, loss_collection="others", reduction=reduction
            )
    made["huber"] = F.huber_loss(truth, guess, delta=0.3)
    made["log"] = F.log_loss(truth, guess)
    made["sigmoid"] = F.sigmoid_cross_entropy(truth, guess, label_smoothing=0.1)
    made["softmax"] = F.softmax_cross_entropy([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], guess, label_smoothing=0.1)
    made["sparse"] = F.sparse_softmax_cross_entropy([1, 0], guess, weights=[1.0, 3.0])
    made["total"] = F.get_total_loss()
    with v1.Session() as sess:
        values = sess.run(made)
    return {"values": {k: v.tolist() for k, v in values.items()}, "noted": len(F.get_losses())}


def main():
    import tensorflow as tf

    v1 = tf.compat.v1
    v1.disable_eager_execution()
    found = {}
    with tf.Graph().as_default():
        step = v1.placeholder(tf.int64, [])
        made = decays(v1.train, step, lambda t: tf.cast(t, tf.int32))
        with v1.Session() as sess:
            found["decays"] = {k: [float(sess.run(v, {step: t})) for t in STEPS] for k, v in made.items()}
    with tf.Graph().as_default():
        found["averages"] = averages(v1)
    with tf.Graph().as_default():
        found["losses"] = losses(v1)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
