"""A function of one flat vector made of a model's variables, for lbfgs_minimize of TensorFlow Probability."""
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp


def function_factory(model, loss, train_x, train_y):
    shapes = tf.shape_n(model.trainable_variables)
    n_tensors = len(shapes)
    count, idx, part = 0, [], []
    for i, shape in enumerate(shapes):
        n = np.prod(shape)
        idx.append(tf.reshape(tf.range(count, count + n, dtype=tf.int32), shape))
        part.extend([i] * n)
        count += n
    part = tf.constant(part)

    @tf.function
    def assign_new_model_parameters(params_1d):
        params = tf.dynamic_partition(params_1d, part, n_tensors)
        for i, (shape, param) in enumerate(zip(shapes, params)):
            model.trainable_variables[i].assign(tf.reshape(param, shape))

    @tf.function
    def f(params_1d):
        with tf.GradientTape() as tape:
            assign_new_model_parameters(params_1d)
            loss_value = loss(model(train_x), train_y)
        grads = tape.gradient(loss_value, model.trainable_variables)
        grads = tf.dynamic_stitch(idx, grads)
        f.iter.assign_add(1)
        f.history.append(1)
        return loss_value, grads

    f.iter = tf.Variable(0)
    f.idx, f.part, f.shapes = idx, part, shapes
    f.assign_new_model_parameters = assign_new_model_parameters
    f.history = []
    return f


tf.keras.backend.set_floatx("float64")
pred_model = tf.keras.Sequential(
    [tf.keras.Input(shape=[2, ]), tf.keras.layers.Dense(8, "tanh"), tf.keras.layers.Dense(1)])
rng = np.random.RandomState(3)
for v in pred_model.trainable_variables:
    v.assign(0.5 * rng.randn(*v.shape))
inps = tf.constant(rng.rand(40, 2))
outs = tf.reshape(inps[:, 0]**2 + inps[:, 1], (40, 1))
func = function_factory(pred_model, tf.keras.losses.MeanSquaredError(), inps, outs)
init_params = tf.dynamic_stitch(func.idx, pred_model.trainable_variables)
first, slope = func(init_params)
print('%.8f %.8f' % (first, tf.norm(slope)), tf.dynamic_stitch(func.idx, pred_model.trainable_variables).numpy().shape)
results = tfp.optimizer.lbfgs_minimize(
    func, initial_position=init_params, previous_optimizer_results=None, num_correction_pairs=50, tolerance=1e-8, x_tolerance=0,
    f_relative_tolerance=1e-12, parallel_iterations=1, max_iterations=300, max_line_search_iterations=50)
func.assign_new_model_parameters(results.position)
print(bool(results.objective_value < 1e-3), results.position.shape, bool(results.failed), func.iter.numpy() > 3)
print(bool(tf.reduce_max(tf.abs(pred_model(inps) - outs)) < 0.1))


def quadratic(x):
    return tf.reduce_sum((x - 1.0) ** 2 * [1.0, 2.0, 3.0]), 2.0 * (x - 1.0) * [1.0, 2.0, 3.0]


again = tfp.optimizer.lbfgs_minimize(
    quadratic, tf.zeros(3), num_correction_pairs=10, tolerance=1e-6, x_tolerance=0, f_relative_tolerance=0,
    parallel_iterations=1, max_iterations=50, max_line_search_iterations=50)
print(bool(again.converged), np.round(again.position, 4).tolist(), again.objective_gradient.shape, int(again.num_iterations) > 0)
