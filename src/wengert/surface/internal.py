"""``tensorflow.python.<...>``: the internal modules that TensorFlow's own tests, and scripts that copy them, import.

A module answers for the names in its table here, and else for whatever name of TensorFlow 1 or 2 it is asked for.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.calculus import gradient_checker
from wengert.calculus.gradients import gradients
from wengert.data.iterators import IteratorBase, OwnedIterator
from wengert.derive.request import request
from wengert.functions import array, bitwise, initializers, linalg, nn, program, random, registry, sparse
from wengert.functions import math as elementary
from wengert.graph.graph import WengertList
from wengert.graph.node import Node
from wengert.graph.static import static_value
from wengert.ground import dtypes, errors, nest, shapes
from wengert.ground.context import current
from wengert.ground.context import state as now
from wengert.ground.errors import NoGradientWarning
from wengert.modes import control, session, slices, tape
from wengert.modes import variable as state
from wengert.modes.function import ConcreteFunction, Function, TensorSpec, function
from wengert.modes.jacobians import batch_jacobian_of, jacobian_of
from wengert.modes.tape import GradientTape
from wengert.surface import identity, serve
from wengert.surface.v1 import decorators as test_util
from wengert.surface.v1 import flags, logging
from wengert.surface.v1.control import with_dependencies
from wengert.tensor import tensor as tensors
from wengert.tensor.tensor import EagerTensor, Graph, SymbolicTensor, Tensor, TensorLike, convert

__all__ = ["module"]

one, two, test_one = (serve.module(name) for name in ("compat.v1", "compat.v2", "compat.v1.test"))


# --- derivatives of Python functions, as eager.backprop has them -----------------------------------------------------------


def _positions(f: Callable[..., Any], params: Any, count: int) -> list[int]:
    """Return the positions of the parameters named, all by default."""
    if params is None:
        return list(range(count))
    names = list(inspect.signature(f).parameters)
    if all(isinstance(p, str) for p in params):
        return [names.index(p) for p in params]
    if all(isinstance(p, int) for p in params):
        return list(params)
    raise ValueError("params must be all strings or all integers")


def val_and_grad_function(f: Callable[..., Any], params: TensorLike | None = None) -> Callable[..., Any]:
    """Return a function that gives (f's value, its derivatives by the arguments)."""
    if inspect.isfunction(f) and params is not None:
        _positions(f, params, 0)

    @functools.wraps(f)
    def call(*arguments: Any, **keywords: Any) -> Any:
        weights = keywords.pop("dy", None)
        result, vjp = make_vjp(f, params)(*arguments, **keywords)
        return result, vjp(dy=weights)

    return call


def gradients_function(f: Callable[..., Any], params: TensorLike | None = None) -> Callable[..., Any]:
    """Return a function that gives f's derivatives by the arguments."""

    @functools.wraps(f)
    def call(*arguments: Any, **keywords: Any) -> Any:
        return val_and_grad_function(f, params)(*arguments, **keywords)[1]

    return call


def make_vjp(f: Callable[..., Any], params: TensorLike | None = None, persistent: bool = True) -> Callable[..., Any]:
    """Return a function that gives (f's value, a function from a cotangent to the arguments' cotangents)."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        chosen = _positions(f, params, len(arguments))
        given = [convert(a) if i in chosen and not hasattr(a, "_as_tensor") else a for i, a in enumerate(arguments)]
        sources = [array.identity(given[i]) for i in chosen]
        for i, s in zip(chosen, sources, strict=True):
            given[i] = s
        with GradientTape(persistent=True) as recorder:
            recorder.watch(sources)
            result = f(*given, **keywords)
            if result is None:
                raise ValueError("Cannot differentiate a function that returns None; did you forget to return a value?")
            result = nest.map_structure(array.identity, result)

        def vjp(dy: Any = None) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NoGradientWarning)
                return recorder.gradient(result, sources, output_gradients=dy)

        return result, vjp

    return call


def implicit_val_and_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives (f's value, pairs of derivative and variable)."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        with GradientTape() as recorder:
            value = f(*arguments, **keywords)
            if value is None:
                raise ValueError("Cannot differentiate a function that returns None; did you forget to return a value?")
        used = list(recorder.watched_variables())
        if not used:
            raise ValueError("No trainable variables were accessed while the function was being computed.")
        return value, list(zip(recorder.gradient(value, used), used, strict=True))

    return call


def implicit_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives pairs of f's derivative and variable."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        return implicit_val_and_grad(f)(*arguments, **keywords)[1]

    return call


def aggregate_indexed_slices_gradients(grads: Sequence[Any]) -> Any:
    """Return the sum of gradients, rows or whole."""
    kept = [g for g in grads if g is not None]
    return None if not kept else kept[0] if len(kept) == 1 else elementary.add_n(kept)


# --- graphs, modes and devices ---------------------------------------------------------------------------------------------


def graph_mode() -> current[WengertList]:
    """Build a graph in a with block."""
    return Graph().as_default()


def eager_mode() -> current[None]:
    """Run at once in a with block."""
    return current(graph=None, observers=now.observers)


def get_gradient_function(op: Node | None) -> Any:
    """Return a function (op, cotangents of its outputs) -> cotangents of its inputs."""
    if op is None:
        return None

    def gradient(node: Node, *cotangents: Any) -> Any:
        with node.graph.as_default():
            return request(list(node.outputs), list(node.inputs), [convert(c) for c in cotangents])

    gradient.__name__ = f"_{op.type.removesuffix('V2')}Grad"
    return gradient


def name_from_scope_name(name: str) -> str:
    """Return a scope's name without its last slash."""
    return name[:-1] if name.endswith("/") else name


class _Context:
    """What ``context.context()`` returns."""

    executing_eagerly = staticmethod(program.executing_eagerly)
    num_gpus = staticmethod(lambda: 0)
    ensure_initialized = staticmethod(lambda: None)
    list_physical_devices = staticmethod(two.config.list_physical_devices)
    list_logical_devices = staticmethod(two.config.list_logical_devices)
    device_name = None
    scope_name = ""


class LocalDevice:
    """What ``device_lib.list_local_devices`` lists."""

    name, device_type, memory_limit, physical_device_desc = "/device:CPU:0", "CPU", 0, ""


def _no_cache() -> None:
    """Do nothing: there is nothing to clear."""


# --- parallel for ----------------------------------------------------------------------------------------------------------


def pfor(
    loop_fn: Callable[..., Any], iters: Any, fallback_to_while_loop: bool = True, parallel_iterations: int | None = None,
    warn: bool = False,
) -> Any:  # fmt: skip
    """Return loop_fn(0), loop_fn(1), ... stacked."""
    return _each(loop_fn, iters)


def for_loop(loop_fn: Callable[..., Any], loop_fn_dtypes: Any, iters: Any, parallel_iterations: int | None = None) -> Any:
    """Return loop_fn(0), loop_fn(1), ... stacked."""
    return _each(loop_fn, iters)


def _each(loop_fn: Callable[..., Any], iters: Any) -> Any:
    results: list[Any] = []

    def there(i: TensorLike) -> list[Any]:
        results[:] = [loop_fn(i)]
        return [t for t in nest.flatten(results[0]) if t is not None]

    rows = iter(control.map_fn(there, array.range(iters)))
    return nest.pack_sequence_as(results[0], [None if t is None else next(rows) for t in nest.flatten(results[0])])


def jacobian(output: Any, inputs: TensorLike, use_pfor: bool = True, parallel_iterations: int | None = None) -> Any:
    """Return the derivative of each element of a graph's tensor by each element of the inputs."""
    sources = nest.flatten(inputs)
    flat = array.reshape(output, [-1])

    def element(i: int) -> list[Any]:
        return gradients(flat[i], sources)

    found = jacobian_of(output, sources, lambda g: gradients(output, sources, g), element)
    return nest.pack_sequence_as(inputs, found)


def batch_jacobian(output: Any, inp: Any, use_pfor: bool = True, parallel_iterations: int | None = None) -> Any:
    """Return, for each row, the derivative of the output's row by the input's."""
    return batch_jacobian_of(output, inp, lambda g: gradients(output, inp, g))


def _hessian_vector_product(ys: Any, xs: Any, v: Any) -> list[Any]:
    """Return the Hessian of ys by xs, applied to vectors of their shapes."""
    if len(xs) != len(v):
        raise ValueError("xs and v must have the same length.")
    pairs = zip(gradients(ys, xs), v, strict=True)
    return gradients([g * array.stop_gradient(w) for g, w in pairs if g is not None], xs)


def unknown_shape(rank: int | None = None, **keywords: Any) -> shapes.TensorShape:
    """Return the shape of which nothing, or the rank alone, is known."""
    rank = keywords.get("ndims", rank)
    return shapes.TensorShape(None if rank is None else [None] * rank)


def flatten_up_to(shallow_tree: Any, input_tree: Any, **keywords: Any) -> list[Any]:
    """Return the parts of a structure at the leaves of a shallower one."""
    if not nest.is_nested(shallow_tree):
        return [input_tree]
    if isinstance(shallow_tree, dict):
        return [leaf for k in sorted(shallow_tree) for leaf in flatten_up_to(shallow_tree[k], input_tree[k])]
    if len(shallow_tree) != len(input_tree):
        raise ValueError(f"The two structures don't have the same sequence length: {shallow_tree!r} and {input_tree!r}.")
    return [leaf for s, i in zip(shallow_tree, input_tree, strict=True) for leaf in flatten_up_to(s, i)]


def map_structure_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: TensorLike, **keywords: Any) -> Any:
    """Return the results of a function at the leaves of a shallower structure."""
    flat = [flatten_up_to(shallow_tree, i) for i in inputs]
    return nest.pack_sequence_as(shallow_tree, [func(*parts) for parts in zip(*flat, strict=True)])


def make_all(module_name: str, doc_string_modules: Sequence[Any] | None = None) -> list[str]:
    """Return the public names of a module: those that its documentation, and that of others, names after an @@."""
    import sys

    there = dir(sys.modules[module_name])
    texts = [m.__doc__ or "" for m in doc_string_modules or [sys.modules[module_name]]]
    named = {word[2:] for text in texts for word in text.split() if word.startswith("@@")}
    return sorted(named & set(there)) if named else [name for name in there if not name.startswith("_")]


def renamed(new_name: str, new_value: Any, old_name: str, old_value: Any) -> Any:
    """Return the value of an argument that has two names, of which one may be given."""
    if old_value is None:
        return new_value
    if new_value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
    return old_value


def _stop_recording() -> current[None]:
    return current(observers=())


# --- the table: what a module has beside (and before) the names of TensorFlow 1 and 2 ---------------------------------------

_NO_EAGER = {"executing_eagerly_outside_functions": one.executing_eagerly_outside_functions}

_TABLE: dict[str, dict[str, Any]] = {
    "framework.ops": {
        "EagerTensor": EagerTensor, "SymbolicTensor": SymbolicTensor, "Tensor": Tensor, "Graph": Graph, "Operation": Node,
        "_EagerTensorBase": EagerTensor, "IndexedSlices": slices.IndexedSlices, "get_gradient_function": get_gradient_function,
        "name_from_scope_name": name_from_scope_name, "name_scope": program.name_scope, "name_scope_v1": program.name_scope,
        "name_scope_v2": program.name_scope, "convert_to_tensor_v2": array.convert_to_tensor, "uid": tensors._number,
        "executing_eagerly": program.executing_eagerly, "NotDifferentiable": registry.no_gradient,
        "convert_to_tensor_or_indexed_slices": lambda v, dtype=None, name=None: (
            v if isinstance(v, slices.IndexedSlices) else convert(v, dtype)),
        "convert_n_to_tensor": lambda vs, dtype=None, name=None: [convert(v, dtype) for v in vs],
        "is_dense_tensor_like": array.is_tensor, "enable_eager_execution": one.enable_eager_execution,
        "colocate_with": lambda *a, **k: contextlib.nullcontext(), "get_name_scope": registry.get_current_name_scope,
        "inside_function": registry.inside_function, 
        "prepend_name_scope": lambda name, scope: f"{scope}/{name}" if scope else name,
        "_get_graph_from_inputs": lambda inputs, graph=None: graph or next(
            (i.graph for i in inputs if isinstance(i, SymbolicTensor)), None) or one.get_default_graph(), **_NO_EAGER,
    },
    "framework.dtypes": {
        **{d.name: d for d in dtypes.ALL}, "half": dtypes.half, "double": dtypes.double, "DType": dtypes.DType,
        "as_dtype": dtypes.as_dtype,
        **{f"{d.name}_ref": dtypes.DType(f"{d.name}_ref", d.numpy, d.enum + 100) for d in dtypes.ALL},
    },
    "framework.constant_op": {"constant": array.constant, "constant_v1": one.constant},
    "framework.tensor": {"Tensor": Tensor, "TensorSpec": TensorSpec, "DenseSpec": TensorSpec},
    "framework.tensor_spec": {"TensorSpec": TensorSpec, "DenseSpec": TensorSpec},
    "framework.tensor_shape": {
        "TensorShape": shapes.TensorShape, "TensorShapeV1": shapes.TensorShape, "Dimension": shapes.make_dimension,
        "as_shape": shapes.TensorShape, "unknown_shape": unknown_shape, "dimension_value": shapes.dimension_value,
        "dimension_at_index": shapes.dimension_at_index, "as_dimension": shapes.make_dimension,
        "scalar": lambda: shapes.TensorShape([]), "vector": lambda n: shapes.TensorShape([n]),
        "matrix": lambda m, n: shapes.TensorShape([m, n]),
    },
    "framework.errors": {**vars(errors)},
    "framework.tensor_util": {
        "constant_value": array.get_static_value, "is_tensor": array.is_tensor, "is_tf_type": array.is_tensor,
        "make_tensor_proto": registry.make_tensor_proto, "MakeNdarray": registry.make_ndarray,
        "constant_value_as_shape": lambda t: shapes.TensorShape(static_value(convert(t))),
        "shape_tensor": lambda s: convert(np.asarray(s, np.int32)),
    },
    "framework.function": {"Defun": lambda *types, **keywords: function},
    "framework.random_seed": {"set_random_seed": one.set_random_seed, "set_seed": random.set_seed, "get_seed": one.get_seed,
                              "DEFAULT_GRAPH_SEED": random.DEFAULT_SEED},
    "framework.indexed_slices": {"IndexedSlices": slices.IndexedSlices, "IndexedSlicesValue": session.IndexedSlicesValue,
                                 "internal_convert_to_tensor_or_indexed_slices": lambda v, dtype=None, name=None, **k: v},
    "framework.test_util": dict(vars(test_util)),
    "framework.config": dict(vars(two.config)),
    "framework.device": {},
    "framework.combinations": {},
    "framework.func_graph": {"FuncGraph": Graph},
    "framework.versions": dict(vars(two.version)),
    "framework.sparse_tensor": {},
    "framework.type_spec": {"TypeSpec": TensorSpec},
    "framework.composite_tensor": {"CompositeTensor": slices.IndexedSlices},
    "framework.graph_util": {},
    "framework.auto_control_deps": {},
    "framework.op_callbacks": {},
    "framework.importer": {},
    "framework.load_library": {},
    "ops.array_ops": {"where": one.where, "where_v2": array.where, "gather": one.gather, "gather_v2": array.gather,
                      "rank_internal": lambda i, name=None, optimize=True: array.rank(i),
                      "size_internal": lambda i, name=None, optimize=True, out_type=dtypes.int32: array.size(i, out_type),
                      "shape_internal": lambda i, name=None, optimize=True, out_type=dtypes.int32: array.shape(i, out_type),
                      "matrix_diag": linalg.diag, "matrix_band_part": linalg.band_part, "fill": array.fill,
                      "check_numerics": two.debugging.check_numerics, "newaxis": None,
                      "squeeze_v2": array.squeeze, "expand_dims_v2": array.expand_dims, "zeros_like_v2": array.zeros_like,
                      "zeros_like_impl": lambda t, dtype=None, name=None, optimize=True: array.zeros_like(t, dtype)},
    "ops.array_ops_stack": {"stack": array.stack, "unstack": array.unstack},
    "ops.math_ops": {"reduce_sum_v1": one.reduce_sum, "reduce_mean_v1": one.reduce_mean, "mat_mul": elementary.matmul,
                     "neg": elementary.negative, "mul": elementary.multiply, "sub": elementary.subtract,
                     "reduce_euclidean_norm": elementary.reduce_euclidean_norm, "reduce_std": elementary.reduce_std,
                     "reduce_variance": elementary.reduce_variance, "argmax_v2": elementary.argmax, "conj": elementary.conj,
                     "sigmoid": elementary.sigmoid, "range": array.range, "cast": array.cast, "linspace_nd": array.linspace,
                     "top_k": elementary.top_k, "batch_mat_mul": elementary.matmul},
    "ops.special_math_ops": {"einsum": elementary.einsum, "lbeta": elementary.lbeta},
    "ops.nn_ops": {**{k: v for k, v in dict(vars(one.nn)).items() if not k.startswith("_")},
                   "softmax_v2": elementary.softmax, "conv2d_v2": nn.conv2d, "log_softmax_v2": elementary.log_softmax,
                   "softmax_cross_entropy_with_logits_v2": nn.softmax_cross_entropy_with_logits,
                   "tanh": elementary.tanh, "max_pool_v2": nn.max_pool, "avg_pool_v2": nn.avg_pool},
    "ops.nn": {k: v for k, v in dict(vars(one.nn)).items() if not k.startswith("_")},
    "ops.nn_impl": {k: v for k, v in dict(vars(one.nn)).items() if not k.startswith("_")},
    "ops.linalg_ops": {"matrix_inverse": linalg.inv, "matrix_determinant": linalg.det, "matrix_solve": linalg.solve,
                       "cholesky": linalg.cholesky, "self_adjoint_eig": linalg.eigh, "norm": linalg.norm, "qr": linalg.qr,
                       "eye": array.eye, "norm_v2": linalg.norm, "log_matrix_determinant": linalg.slogdet,
                       "matrix_exponential": linalg.expm, "matrix_logarithm": None},
    "ops.linalg.linalg_impl": {k: v for k, v in dict(vars(two.linalg)).items() if not k.startswith("_")},
    "ops.linalg.linalg": {k: v for k, v in dict(vars(two.linalg)).items() if not k.startswith("_")},
    "ops.gradients": {"gradients": one.gradients, "gradients_v2": two.gradients, "hessians": one.hessians,
                      "HessiansV2": two.hessians, "AggregationMethod": two.AggregationMethod, "GradientTape": GradientTape},
    "ops.gradients_impl": {"_hessian_vector_product": _hessian_vector_product,
                           "gradients": one.gradients, "gradients_v2": two.gradients, "hessians": one.hessians,
                           "HessiansV2": two.hessians, "AggregationMethod": two.AggregationMethod},
    "ops.gradients_util": {"AggregationMethod": two.AggregationMethod},
    "ops.gradient_checker": {"compute_gradient": test_one.compute_gradient,
                             "compute_gradient_error": test_one.compute_gradient_error},
    "ops.gradient_checker_v2": {"compute_gradient": gradient_checker.compute_gradient, "max_error": gradient_checker.max_error},
    "ops.unconnected_gradients": {"UnconnectedGradients": tape.UnconnectedGradients},
    "ops.custom_gradient": {"custom_gradient": program.custom_gradient, "recompute_grad": program.recompute_grad,
                            "grad_pass_through": program.grad_pass_through},
    "ops.variables": {"Variable": state.Variable, "VariableV1": state.Variable, "VariableSynchronization":
                      state.VariableSynchronization, "VariableAggregation": state.VariableAggregation,
                      "RefVariable": state.Variable},
    "ops.variable_v1": {"VariableV1": state.Variable},
    "ops.ref_variable": {"RefVariable": state.Variable},
    "ops.resource_variable_ops": {"ResourceVariable": state.Variable, "BaseResourceVariable": state.Variable,
                                  "UninitializedVariable": state.Variable,
                                  "is_resource_variable": lambda v: isinstance(v, state.Variable)},
    "ops.control_flow_ops": {"with_dependencies": with_dependencies, "group": program.group,
                             "no_op": program.no_op, "tuple": program.tuple_of, "tuple_v2": program.tuple_of,
                             "while_loop_v2": control.while_loop},
    "ops.control_flow_assert": {"Assert": two.debugging.Assert},
    "ops.control_flow_case": {"case": one.case, "case_v2": control.case},
    "ops.control_flow_switch_case": {"switch_case": control.switch_case},
    "ops.control_flow_util": {"EnableControlFlowV2": lambda graph=None: True, "ENABLE_CONTROL_FLOW_V2": True},
    "ops.cond": {"cond": one.cond, "cond_for_tf_v2": control.cond},
    "ops.cond_v2": {"cond_v2": control.cond},
    "ops.while_loop": {"while_loop": one.while_loop, "while_loop_v2": control.while_loop},
    "ops.while_v2": {"while_loop": control.while_loop},
    "ops.functional_ops": {"foldl": one.foldl, "foldr": one.foldr, "scan": control.scan, "scan_v2": control.scan,
                           "foldl_v2": control.foldl, "foldr_v2": control.foldr},
    "ops.map_fn": {"map_fn": control.map_fn, "map_fn_v2": control.map_fn},
    "ops.map_ops": {},
    "ops.random_ops": {"random_normal": random.normal, "random_uniform": random.uniform},
    "ops.stateless_random_ops": {"stateless_random_uniform": random.stateless_uniform,
                                 "stateless_random_normal": random.stateless_normal},
    "ops.stateful_random_ops": {"Generator": random.Generator},
    "ops.state_ops": {}, "ops.check_ops": {"assert_equal_v2": two.debugging.assert_equal},
    "ops.init_ops": {**{k: v for k, v in dict(vars(one.initializers)).items() if not k.startswith("_")},
                     "RandomNormal": one.random_normal_initializer, "RandomUniform": one.random_uniform_initializer,
                     "TruncatedNormal": one.truncated_normal_initializer, "Orthogonal": one.orthogonal_initializer,
                     "VarianceScaling": one.variance_scaling_initializer, "Identity": one.initializers.identity_initializer,
                     "GlorotUniform": one.glorot_uniform_initializer, "GlorotNormal": one.glorot_normal_initializer},
    "ops.init_ops_v2": {k: getattr(initializers, k) for k in initializers.__all__},
    "ops.clip_ops": {}, "ops.sort_ops": {"sort": array.sort, "argsort": array.argsort},
    "ops.script_ops": {"py_func": one.py_func, "py_func_common": one.py_func, "eager_py_func": program.py_function,
                       "numpy_function": program.numpy_function},
    "ops.variable_scope": {}, "ops.tensor_array_ops": {}, "ops.template": {}, "ops.logging_ops": {}, "ops.standard_ops": {},
    "ops.embedding_ops": {"embedding_lookup": one.nn.embedding_lookup, "embedding_lookup_v2": nn.embedding_lookup},
    "ops.bitwise_ops": dict(vars(bitwise)), "ops.confusion_matrix": {}, "ops.histogram_ops": {}, "ops.manip_ops": {},
    "ops.signal.fft_ops": dict(vars(two.signal)), "ops.spectral_ops": dict(vars(two.signal)),
    "ops.string_ops": dict(vars(two.strings)),
    "ops.sparse_ops": dict(vars(sparse)), "ops.array_grad": {}, "ops.math_grad": {}, "ops.nn_grad": {}, "ops.numpy_ops": {},
    "ops.numpy_ops.np_config": {"enable_numpy_behavior": lambda *a, **k: None}, "ops.nn_fused_batch_norm_grad": {},
    "ops.data_flow_ops": {}, "ops.io_ops": dict(vars(two.io)), "ops.session_ops": {}, "ops.shape_util": {},
    "ops.partitioned_variables": {},
    "ops.batch_norm_benchmark": {}, "ops.ragged": {}, "ops.losses.losses": {}, "ops.inplace_ops": {}, "ops.list_ops": {},
    "ops.parallel_for.control_flow_ops": {"pfor": pfor, "for_loop": for_loop, "vectorized_map": control.vectorized_map},
    "ops.parallel_for.gradients": {"jacobian": jacobian, "batch_jacobian": batch_jacobian},
    "ops.parallel_for.test_util": {"PForTestCase": test_util.TensorFlowTestCase},
    "eager.backprop": {
        "GradientTape": GradientTape, "gradients_function": gradients_function, "val_and_grad_function": val_and_grad_function,
        "make_vjp": make_vjp, "implicit_grad": implicit_grad, "implicit_val_and_grad": implicit_val_and_grad,
        "aggregate_indexed_slices_gradients": aggregate_indexed_slices_gradients,
    },
    "eager.backprop_util": {"IsTrainable": lambda t: t.dtype.is_floating or t.dtype.is_complex},
    "eager.context": {
        "executing_eagerly": program.executing_eagerly, "graph_mode": graph_mode, "eager_mode": eager_mode,
        "context": _Context, "num_gpus": lambda: 0, "device": program.device, "_reset_context": _no_cache,
        "run_eager_op_as_function_enabled": lambda: False, "ensure_initialized": _no_cache, "DEVICE_PLACEMENT_SILENT": 2,
        "clear_caches": _no_cache, "EAGER_MODE": 1, "GRAPH_MODE": 0, "async_wait": _no_cache, "SYNC": 0, "ASYNC": 1,
        "in_eager_mode": program.executing_eagerly,
    },
    "eager.def_function": {"function": function, "Function": Function, "run_functions_eagerly": two.config.run_functions_eagerly},
    "eager.polymorphic_function.polymorphic_function": {
        "function": function, "Function": Function, "run_functions_eagerly": two.config.run_functions_eagerly,
        "functions_run_eagerly": two.config.functions_run_eagerly},
    "eager.function": {"defun": function, "ConcreteFunction": ConcreteFunction},
    "eager.forwardprop": {"ForwardAccumulator": two.ForwardAccumulator},
    "eager.forwardprop_util": {"push_forwardprop_state": contextlib.nullcontext},
    "eager.test": {"main": two.test.main},
    "eager.tape": {"stop_recording": _stop_recording},
    "eager.record": {"stop_recording": _stop_recording},
    "eager.wrap_function": {}, "eager.execute": {}, "eager.core": {}, "eager.monitoring": {}, "eager.imperative_grad": {},
    "platform.test": dict(vars(test_one)), "platform.googletest": {**vars(test_one)},
    "platform.tf_logging": dict(vars(logging)), "platform.flags": dict(vars(flags)), "platform.app": dict(vars(one.app)),
    "platform.gfile": dict(vars(two.io.gfile)), "platform.resource_loader": {}, "platform.sysconfig": dict(vars(two.sysconfig)),
    "platform.benchmark": {},
    "client.session": {"Session": session.Session, "InteractiveSession": session.InteractiveSession,
                       "BaseSession": session.Session},
    "client.device_lib": {"list_local_devices": lambda session_config=None: [LocalDevice()]},
    "util.nest": {**vars(nest), "flatten_up_to": flatten_up_to, "map_structure_up_to": map_structure_up_to,
                  "is_nested_or_composite": nest.is_nested, "is_mapping": lambda v: isinstance(v, dict),
                  "flatten_with_joined_string_paths": lambda s: list(enumerate(nest.flatten(s)))},
    "util.tf_export": {"tf_export": lambda *a, **k: lambda f: f, "keras_export": lambda *a, **k: lambda f: f},
    "util.compat": dict(vars(two)) , "util.deprecation": {
        "deprecated": lambda *a, **k: lambda f: f, "deprecated_args": lambda *a, **k: lambda f: f,
        "deprecated_arg_values": lambda *a, **k: lambda f: f, "deprecated_endpoints": lambda *a: lambda f: f,
        "deprecated_alias": lambda deprecated_name, name, func_or_class, warn_once=True: func_or_class,
        "deprecated_argument_lookup": renamed, "silence": contextlib.nullcontext},
    "util.tf_inspect": dict(vars(inspect)), "util.tf_contextlib": {"contextmanager": contextlib.contextmanager},
    "util.tf_decorator": {"make_decorator": lambda target, f, *a, **k: functools.wraps(target)(f)},
    "util.dispatch": {"add_dispatch_support": lambda f=None, *a, **k: f if f is not None else lambda g: g},
    "util.nest_util": {}, "util.object_identity": {k: getattr(identity, k) for k in identity.__all__},
    "util.all_util": {"make_all": make_all, "reveal_undocumented": lambda *a, **k: None,
                      "remove_undocumented": lambda *a, **k: None}, "util.variable_utils": {}, "util.numpy_compat": {},
    "util._pywrap_utils": {},
    "module.module": {"Module": two.Module},
    "autograph.impl.api": {"do_not_convert": two.autograph.experimental.do_not_convert, "convert": two.autograph.to_graph},
    "autograph.core.ag_ctx": {}, "autograph.lang.directives": {"set_loop_options": two.autograph.experimental.set_loop_options},
    "types.core": {"Tensor": Tensor, "Value": EagerTensor, "Symbol": SymbolicTensor},
    "data.util.nest": dict(vars(nest)),
    "distribute.strategy_combinations": {},
    "tf2": {"enabled": one.v2_behavior_enabled},
    "debug.lib.check_numerics_callback": {}, "trackable.base": {}, "trackable.autotrackable": {"AutoTrackable": two.Module},
    "trackable.data_structures": {"List": list, "Mapping": dict, "ListWrapper": list, "NoDependency": lambda value: value,
                                  "wrap_or_unwrap": lambda value: value, "sticky_attribute_assignment": lambda **k: k["value"]},
    "data.ops.iterator_ops": {"OwnedIterator": OwnedIterator, "IteratorBase": IteratorBase, "Iterator": two.data.Iterator},
    "data.ops.dataset_ops": {"Dataset": two.data.Dataset, "DatasetV2": two.data.Dataset, "DatasetV1": two.data.Dataset},
    "saved_model.loader": {},
    "pywrap_tensorflow": {"NewCheckpointReader": one.train.NewCheckpointReader},
    "lib.io.file_io": {"file_exists": one.gfile.Exists, "is_directory": one.gfile.IsDirectory, "FileIO": one.gfile.GFile,
                       "list_directory": one.gfile.ListDirectory, "recursive_create_dir": one.gfile.MakeDirs,
                       "create_dir": one.gfile.MkDir, "delete_file": one.gfile.Remove, "copy": one.gfile.Copy,
                       "rename": one.gfile.Rename, "get_matching_files": one.gfile.Glob, "stat": one.gfile.Stat,
                       "delete_recursively": one.gfile.DeleteRecursively},
}  # fmt: skip
_TABLE["framework.errors_impl"] = _TABLE["framework.errors"]
_TABLE["util.compat"] = {}
for _family in ("array", "math", "nn", "linalg", "state", "random", "logging", "control_flow", "bitwise", "data_flow"):
    _TABLE[f"ops.gen_{_family}_ops"] = {}
for _empty in ("framework.device", "framework.combinations", "framework.sparse_tensor", "framework.importer",
               "framework.graph_util", "ops.ragged", "ops.data_flow_ops", "distribute.strategy_combinations",
               "saved_model.loader", "trackable.base", "ops.losses.losses", "ops.list_ops", "ops.map_ops",
               "eager.monitoring", "platform.benchmark"):  # fmt: skip
    del _TABLE[_empty]

_WHOLE: dict[str, Any] = {
    **dict.fromkeys(["layers.base", "layers.convolutional", "layers.core", "layers.layers", "layers.normalization"], one.layers),
    **dict.fromkeys(["ops.losses", "ops.losses.losses", "ops.losses.losses_impl"], one.losses),
    **dict.fromkeys(["summary", "summary.summary", "summary.summary_iterator", "summary.writer", "summary.writer.writer",
                     "summary.writer.writer_cache"], one.summary),
    **{(name and f"training.{name}") or "training": one.train for name in (
        "", "adadelta", "adagrad", "adam", "checkpoint_management", "checkpoint_utils", "ftrl", "gradient_descent",
        "learning_rate_decay", "momentum", "moving_averages", "optimizer", "proximal_adagrad", "proximal_gradient_descent",
        "rmsprop", "saver", "training", "training_util")},
}  # fmt: skip
"""Modules that are another as a whole."""

_PACKAGES = {"", *(".".join(key.split(".")[:n]) for key in (*_TABLE, *_WHOLE) for n in range(1, key.count(".") + 1))}


class _Internal(types.ModuleType):
    """A module of TensorFlow's own: its table first, then TensorFlow 1, TensorFlow 2 and its submodules."""

    def __init__(self, name: str, table: dict[str, Any]) -> None:
        super().__init__(f"tensorflow.python.{name}".rstrip("."), "Names of TensorFlow's internal module of this name.")
        self.__dict__["_table"] = table

    def __getattr__(self, name: str) -> Any:
        own = self.__name__.removeprefix("tensorflow.python").lstrip(".")
        inner = f"{own}.{name}" if own else name
        if name.startswith("__") or inner in _TABLE or inner in _WHOLE or inner in _PACKAGES or inner == "keras":
            raise AttributeError(name)  # a submodule: the import that follows finds it
        table = self.__dict__["_table"]
        if name in table:
            return table[name]
        for part in (one, two, one.math, one.nn, one.linalg, one.random, one.debugging, two.bitwise, two.signal):
            if hasattr(part, name):
                return getattr(part, name)
        if name.endswith("_v2") and hasattr(two, name[:-3]):
            return getattr(two, name[:-3])
        if name.endswith("_v1") and hasattr(one, name[:-3]):
            return getattr(one, name[:-3])
        camel = "".join(part.capitalize() for part in name.split("_"))
        if hasattr(two.raw_ops, camel):
            return _positional(getattr(two.raw_ops, camel), name)
        raise AttributeError(name)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__["_table"], *dir(one)})


def _positional(raw: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a raw operation that takes its first arguments by position, as gen_*_ops do."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        if arguments and not keywords and hasattr(elementary, name):
            return getattr(elementary, name)(*arguments)
        names = ("x", "y") if len(arguments) == 2 else ("input",)
        if raw.__name__ == "MatMul":
            names = ("a", "b")
        try:
            return raw(**dict(zip(names, arguments, strict=False)), **keywords)
        except TypeError:
            return raw(**dict(zip(("x",), arguments, strict=False)), **keywords)

    call.__name__ = name
    return call


def module(parts: Sequence[str]) -> Any:
    """Return the module ``tensorflow.python.<parts>``, or None if nothing is known of it."""
    name = ".".join(parts)
    if name in _TABLE:
        return _Internal(name, _TABLE[name])
    if name in _WHOLE:
        return _WHOLE[name]
    if name in _PACKAGES:
        return _Internal(name, {})
    return _keras(parts[1:]) if parts[0] == "keras" else None


def _keras(parts: Sequence[str]) -> Any:
    """Return the module of `wengert.keras` that has what ``tensorflow.python.keras.<parts>`` had."""
    import wengert.keras

    if parts[:1] == ["engine"] and parts[1:] in (["data_adapter"], ["compile_utils"]):
        from wengert.surface import fitting

        return fitting
    if not parts or parts[0] in ("engine", "api"):
        return wengert.keras
    first = "optimizers" if parts[0].startswith("optimizer") else parts[0]
    return getattr(wengert.keras, first, None)
