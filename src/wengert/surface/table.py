"""Every public name: in which namespace it is found, and which module makes it. This is the one place where that is written.

The finder that serves the public modules reads it (`wengert.surface.serve`), so does `wengert run`, and from it are written the
stubs by which static tools see every name. It is read where nothing else of the package can be, so it imports nothing of it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["TABLE", "Argument", "Names", "Source", "arguments", "names", "parts", "stubs"]


class Names(NamedTuple):
    """A namespace that is made of names of several modules.

    Args:
        about: what its docstring says.
        like: the namespace whose names and modules it has too, where it says nothing else of them.
        without: the names and modules of that one which it does not have.
        rows: the names by the modules below `wengert` that make them; ``public=inner`` where a name is another there.
        known: TensorFlow's name of it, where an error lists all that there is of it.
        calls: the arguments of functions that take them by other names, by modules; see `Argument`. ``*`` is all the rest.
    """

    about: str
    rows: Mapping[str, str]
    like: str | None = None
    without: str = ""
    known: str = ""
    calls: Mapping[str, Mapping[str, str]] = {}


class Source(NamedTuple):
    """Where a public name comes from: a name in a module, called with these arguments where they have other names."""

    module: str
    name: str
    call: str | None


class Argument(NamedTuple):
    """An argument of a function that is another function with other names or another order of arguments.

    As it is written: ``x`` must be given, ``x?`` may be left out, and is where it is None; ``old=new?`` is passed as ``new``,
    which must not be given too; ``x=?`` is accepted without effect. ``**`` in the end is any other argument; all are given by
    keyword then.
    """

    name: str
    inner: str  # empty: it is not passed
    optional: bool


OLD = {
    "calculus.gradients": {
        "gradients": (
            "ys xs grad_ys? name? "
            "colocate_gradients_with_ops? gate_gradients? aggregation_method? stop_gradients? unconnected_gradients?"
        ),
    },
    "functions.array": {
        "boolean_mask": "tensor mask name? axis?",
        "convert_to_tensor": "value dtype? name? preferred_dtype=dtype_hint? dtype_hint?",
        "gather": "params indices validate_indices? name? axis? batch_dims?",
        "gather_nd": "params indices name? batch_dims?",
        "ones_like zeros_like": "tensor=input dtype? name? optimize=?",
        "pad": "tensor paddings mode? name? constant_values?",
        "reverse_sequence": "input seq_lengths seq_axis? batch_axis? name? seq_dim=seq_axis? batch_dim=batch_axis?",
        "shape size": "input name? out_type?",
        "squeeze": "input axis? name? squeeze_dims=axis?",
        "transpose": "a perm? name? conjugate?",
    },
    "functions.blocks": {
        "batch_to_space": "input crops block_size=block_shape? name? block_shape?",
        "depth_to_space space_to_depth": "input block_size name? data_format?",
        "space_to_batch": "input paddings block_size=block_shape? name? block_shape?",
    },
    "functions.debugging": {
        "assert_equal assert_none_equal assert_less assert_less_equal assert_greater assert_greater_equal": (
            "x y data=? summarize? message? name?"
        ),
        "assert_positive assert_negative assert_non_positive assert_non_negative": "x data=? summarize? message? name?",
        "assert_near": "x y rtol? atol? data=? summarize? message? name?",
        "assert_rank assert_rank_at_least": "x rank data=? summarize=? message? name?",
        "assert_rank_in": "x ranks data=? summarize=? message? name?",
        "assert_scalar": "tensor name? message?",
    },
    "functions.linalg": {
        "l2_normalize": "x axis? epsilon? name? dim=axis?",
        "norm": "tensor ord? axis? keepdims? name? keep_dims=keepdims?",
    },
    "functions.math": {
        "arg_max arg_min": "input dimension=axis output_type? name?",
        "argmax argmin": "input axis? name? dimension=axis? output_type?",
        "count_nonzero": "input_tensor=input? axis? keepdims? dtype? name? reduction_indices=axis? keep_dims=keepdims? input?",
        "l2_normalize": "x axis? epsilon? name? dim=axis?",
        "log_softmax softmax": "logits axis? name? dim=axis?",
        "reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_all reduce_any reduce_logsumexp": (
            "input_tensor axis? keepdims? name? reduction_indices=axis? keep_dims=keepdims?"
        ),
    },
    "functions.nn": {
        "avg_pool max_pool": "value=input? ksize? strides? padding? data_format? name? input?",
        "conv1d": "value=input? filters? stride? padding? use_cudnn_on_gpu=? data_format? name? input? dilations?",
        "conv2d": "input filter=filters? strides? padding? use_cudnn_on_gpu=? data_format? dilations? name? filters?",
        "conv2d_transpose": (
            "value=input? filter=filters? output_shape? strides? padding? data_format? name? input? filters? dilations?"
        ),
        "conv3d": "input filter=filters? strides? padding? data_format? dilations? name? filters?",
        "crelu": "features name? axis?",
        "depthwise_conv2d": "input filter strides padding rate=dilations? name? data_format? dilations?",
        "extract_image_patches": "images ksizes=sizes? strides? rates? padding? name? sizes?",
        "moments": "x axes shift? name? keep_dims=keepdims? keepdims?",
        "pool": "input window_shape pooling_type padding dilation_rate=dilations? strides? name? data_format? dilations?",
        "separable_conv2d": (
            "input depthwise_filter pointwise_filter strides padding rate=dilations? name? data_format? dilations?"
        ),
        "softmax_cross_entropy_with_logits_v2": "labels logits axis? name? dim=axis?",
        "weighted_cross_entropy_with_logits": "labels? logits? pos_weight? name? targets=labels?",
        "weighted_moments": "x axes frequency_weights name? keep_dims=keepdims? keepdims?",
    },
    "functions.random": {
        "multinomial": "logits num_samples seed? name? output_dtype=dtype?",
        "poisson random_poisson": "lam shape dtype? seed? name?",
    },
    "functions.sparse": {
        "sparse_add add": "a b threshold? thresh=threshold?",
        "sparse_concat concat": (
            "axis sp_inputs name? expand_nonconcat_dim=expand_nonconcat_dims? concat_dim=axis? expand_nonconcat_dims?"
        ),
        "sparse_reduce_max sparse_reduce_sum reduce_max reduce_sum": (
            "sp_input axis? keepdims? reduction_axes=axis? keep_dims=keepdims?"
        ),
        "sparse_segment_mean sparse_segment_sqrt_n sparse_segment_sum": "data indices segment_ids name? num_segments?",
        "sparse_split split": "sp_input? num_split? axis? name? split_dim=axis?",
    },
}
"""Functions of TensorFlow 1 that are TensorFlow 2's with other arguments."""

RAW = {
    "functions.array": {
        "Cast": "DstT=dtype? SrcT=? Truncate=? T=? **",
        "Concat": "concat_dim=axis? T=? **",
        "Pad PadV2 ScatterNdNonAliasingAdd": "input=tensor? T=? **",
        "Reshape": "Tshape=? T=? **",
        "Select SelectV2": "t=x? e=y? T=? **",
        "Split": "num_split=num_or_size_splits? T=? **",
        "Squeeze": "squeeze_dims=axis? T=? **",
        "Transpose": "x=a? Tperm=? T=? **",
        "*": "T=? **",
    },
    "functions.linalg": {
        "*": "T=? **",
    },
    "functions.math": {
        "ArgMax ArgMin": "dimension=axis? T=? **",
        "BatchMatMul BatchMatMulV2": "x=a? y=b? adj_x=adjoint_a? adj_y=adjoint_b? T=? **",
        "Sum Mean Max Min Prod All Any": "input=input_tensor? keep_dims=keepdims? T=? **",
        "*": "T=? **",
    },
    "functions.nn": {
        "AvgPool": "value=input? T=? **",
        "*": "T=? **",
    },
    "functions.sparse": {
        "*": "T=? **",
    },
}
"""Operations by the names of their kernels."""

TABLE: dict[str, str | Names] = {
    # Modules that are served as they are: where each is made, below `wengert`.
    "array_api": "surface.array_api",
    "autograph": "surface.autograph",
    "bitwise": "functions.bitwise",
    "compat.contrib.autograph": "surface.autograph",
    "compat.contrib.framework": "surface.contrib.framework",
    "compat.contrib.layers": "surface.contrib.layers",
    "compat.probability": "probability",
    "compat.python": "surface.internal",
    "compat.v1.app": "surface.v1.app",
    "compat.v1.contrib": "compat.contrib",
    "compat.v1.data.experimental": "data.experimental",
    "compat.v1.flags": "surface.v1.flags",
    "compat.v1.gfile": "surface.v1.gfile",
    "compat.v1.image": "surface.v1.image",
    "compat.v1.initializers": "surface.v1.initializers",
    "compat.v1.layers": "surface.v1.layers",
    "compat.v1.logging": "surface.v1.logging",
    "compat.v1.losses": "surface.v1.losses",
    "compat.v1.saved_model": "surface.v1.saved_model",
    "compat.v1.summary": "surface.v1.summary",
    "config": "surface.config",
    "context": "ground.context",
    "data": "data",
    "data.experimental": "data.experimental",
    "errors": "ground.errors",
    "experimental": "surface.experimental",
    "experimental.numpy": "functions.numpy",
    "fields": "calculus.fields",
    "image": "functions.image",
    "initializers": "keras.initializers",
    "interrupt": "ground.interrupt",
    "io": "functions.io",
    "jax": "surface.frameworks.jax",
    "keras": "keras",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "nest": "ground.nest",
    "optimizers": "keras.optimizers",
    "saved_model": "train.saved",
    "signal": "functions.signal",
    "strings": "functions.strings",
    "summary": "train.summary",
    "sysconfig": "surface.sysconfig",
    "train": "train",
    "torch": "surface.frameworks.torch",
    "types": "surface.types",
    "profiler": "surface.profiler",
    "xla": "surface.xla",
    "version": "ground.version",
    # Namespaces that are made of names.
    "": Names(
        "TensorFlow 2's names at the top, and Wengert's own.",
        rows={
            "calculus.fields": "field",
            "calculus.gradients": "AggregationMethod ForwardAccumulator gradients hessian hessians hvp jacobian jvp vjp",
            "calculus.partials": "partial taylor",
            "functions.array": """
                argsort bitcast boolean_mask broadcast_dynamic_shape broadcast_static_shape broadcast_to cast concat constant
                convert_to_tensor dynamic_partition dynamic_stitch ensure_shape expand_dims eye fill gather gather_nd
                get_static_value guarantee_const histogram_fixed_width identity identity_n is_tensor linspace meshgrid newaxis
                one_hot ones ones_like pad parallel_stack range rank repeat reshape reverse reverse_sequence roll saturate_cast
                scatter_nd searchsorted sequence_mask shape shape_n size slice sort split squeeze stack stop_gradient
                strided_slice tensor_scatter_nd_add tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub
                tensor_scatter_nd_update tile transpose unique unique_with_counts unstack where zeros zeros_like
            """,
            "functions.blocks": "batch_to_space space_to_batch space_to_batch_nd=space_to_batch",
            "functions.debugging": "Assert assert_equal assert_greater assert_less assert_rank",
            "functions.initializers": """
                constant_initializer ones_initializer random_normal_initializer random_uniform_initializer zeros_initializer
            """,
            "functions.linalg": "eig eigvals norm",
            "functions.math": """
                abs acos acosh add add_n argmax argmin asin asinh atan atan2 atanh clip_by_global_norm clip_by_norm
                clip_by_value complex cos cosh cumsum divide einsum equal exp floor greater greater_equal less less_equal
                logical_and logical_not logical_or matmul maximum minimum multiply negative not_equal pow realdiv reduce_all
                reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum round scalar_mul sigmoid
                sign sin sinh sqrt square subtract tan tanh tensordot truediv truncatediv truncatemod
            """,
            "functions.program": """
                control_dependencies custom_gradient device executing_eagerly grad_pass_through group init_scope name_scope
                no_op numpy_function print=print_tensors py_function recompute_grad tuple=tuple_of
            """,
            "functions.registry": """
                get_current_name_scope get_logger inside_function is_symbolic_tensor load_library load_op_library make_ndarray
                make_tensor_proto no_gradient NoGradient register_tensor_conversion_function RegisterGradient timestamp
                type_spec_from_value variable_creator_scope
            """,
            "functions.tensor_array": "TensorArray",
            "graph.node": "Operation=Node",
            "ground.dtypes": """
                as_dtype bfloat16 bool=bool_ complex128 complex64 double DType float16 float32 float64 half int16 int32 int64
                int8 string uint16 uint32 uint64 uint8
            """,
            "ground.shapes": "TensorShape",
            "modes.control": "case cond foldl foldr map_fn scan switch_case vectorized_map while_loop",
            "modes.function": "Function function TensorSpec",
            "modes.module": "Module",
            "modes.recording": "recording",
            "modes.slices": "IndexedSlices",
            "modes.sparse": "SparseTensor SparseTensorSpec",
            "modes.tape": "GradientTape UnconnectedGradients",
            "modes.variable": "Variable VariableAggregation VariableSynchronization",
            "modes.why": "why",
            "tensor.tensor": "Graph Tensor",
        },
    ),
    "distribute": Names(
        "TensorFlow's ``tf.distribute``: one replica, whose rows are spread over the devices there are.",
        rows={
            "surface.distribute.contexts": "InputContext ReplicaContext",
            "surface.distribute.refused": "ParameterServerStrategy Server TPUStrategy",
            "surface.distribute.settings": """
                CrossDeviceOps HierarchicalCopyAllReduce InputOptions InputReplicationMode NcclAllReduce ReduceOp
                ReductionToOneDevice RunOptions
            """,
            "surface.distribute.strategies": """
                experimental_set_strategy get_replica_context get_strategy has_strategy in_cross_replica_context MirroredStrategy
                MultiWorkerMirroredStrategy OneDeviceStrategy Strategy StrategyExtended
            """,
            "surface.distribute.values": "DistributedDataset DistributedIterator DistributedValues",
        },
        known="tf.distribute",
    ),
    "distribute.cluster_resolver": Names(
        "TensorFlow's ``tf.distribute.cluster_resolver``: who knows which machines there are.",
        rows={
            "surface.distribute.resolvers": """
                ClusterResolver GCEClusterResolver KubernetesClusterResolver SimpleClusterResolver SlurmClusterResolver
                TFConfigClusterResolver TPUClusterResolver
            """,
        },
        known="tf.distribute.cluster_resolver",
    ),
    "distribute.coordinator": Names(
        "TensorFlow's ``tf.distribute.coordinator``, which says that it is not here.",
        rows={"surface.distribute.refused": "ClusterCoordinator PerWorkerValue RemoteValue"},
    ),
    "distribute.experimental": Names(
        "TensorFlow's ``tf.distribute.experimental``: older names.",
        rows={
            "surface.distribute.contexts": "ValueContext",
            "surface.distribute.refused": """
                ParameterServerStrategy PreemptionCheckpointHandler PreemptionWatcher TerminationConfig TPUStrategy
            """,
            "surface.distribute.settings": """
                CollectiveCommunication=CommunicationImplementation CollectiveHints CommunicationImplementation
                CommunicationOptions
            """,
            "surface.distribute.strategies": "CentralStorageStrategy MultiWorkerMirroredStrategy",
        },
        known="tf.distribute.experimental",
    ),
    "distribute.experimental.coordinator": Names(
        "The older place of ``tf.distribute.coordinator``.",
        rows={"surface.distribute.refused": "ClusterCoordinator PerWorkerValues RemoteValue"},
    ),
    "compat.v1.distribute": Names(
        "TensorFlow 1's ``tf.distribute``.",
        like="distribute",
        without="DistributedDataset DistributedIterator DistributedValues MultiWorkerMirroredStrategy ParameterServerStrategy",
        rows={"surface.distribute.strategies": "get_loss_reduction"},
    ),
    "math": Names(
        "TensorFlow's ``tf.math``.",
        rows={
            "functions.array": "argsort sort",
            "functions.math": """
                abs accumulate_n acos acosh add add_n angle approximate_equal argmax argmin asin asinh atan atan2 atanh
                bessel_i0 bessel_i0e bessel_i1 bessel_i1e betainc bincount ceil clip_by_average_norm clip_by_global_norm
                clip_by_norm clip_by_value complex confusion_matrix conj cos cosh count_nonzero cumprod cumsum
                cumulative_logsumexp digamma divide divide_no_nan einsum equal erf erfc erfcinv erfinv exp expm1 floor floordiv
                floormod global_norm greater greater_equal igamma igammac imag in_top_k is_finite is_inf is_nan
                is_non_decreasing is_strictly_increasing l2_normalize lbeta less less_equal lgamma log log1p log_sigmoid
                log_softmax logical_and logical_not logical_or logical_xor matmul matvec maximum minimum mod multiply
                multiply_no_nan ndtri negative nextafter not_equal polygamma polyval pow real realdiv reciprocal
                reciprocal_no_nan reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean reduce_min
                reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt scalar_mul segment_max segment_mean
                segment_min segment_prod segment_sum sigmoid sign sin sinh softmax softplus softsign special sqrt square
                squared_difference subtract tan tanh tensordot top_k truediv truncatediv truncatemod unsorted_segment_max
                unsorted_segment_mean unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum
                xdivy xlog1py xlogy zero_fraction zeta
            """,
        },
    ),
    "dtypes": Names(
        "TensorFlow's ``tf.dtypes``.",
        rows={
            "functions.array": "cast saturate_cast",
            "functions.math": "complex",
            "ground.dtypes": """
                ALL as_dtype bfloat16 bool=bool_ bool_ complex128 complex64 double DType DtypeLike float16 float32 float64 half
                int16 int32 int64 int8 of promote string uint16 uint32 uint64 uint8
            """,
        },
    ),
    "nn": Names(
        "TensorFlow's ``tf.nn``.",
        rows={
            "functions.blocks": "depth_to_space space_to_batch space_to_depth",
            "surface.distribute.losses": "compute_average_loss scale_regularization_loss",
            "functions.math": """
                in_top_k l2_normalize log_sigmoid log_softmax sigmoid softmax softplus softsign tanh top_k zero_fraction
            """,
            "functions.nn": """
                atrous_conv2d avg_pool avg_pool1d avg_pool2d avg_pool3d batch_normalization bias_add conv1d conv1d_transpose
                conv2d conv2d_transpose conv3d conv3d_transpose conv_transpose convolution crelu depthwise_conv2d dropout elu
                embedding_lookup gelu isotonic_regression l2_loss leaky_relu local_response_normalization log_poisson_loss lrn
                max_pool max_pool1d max_pool2d max_pool3d moments pool relu relu6 relu_layer selu separable_conv2d
                sigmoid_cross_entropy_with_logits silu softmax_cross_entropy_with_logits
                sparse_softmax_cross_entropy_with_logits swish weighted_cross_entropy_with_logits weighted_moments xw_plus_b
            """,
        },
    ),
    "linalg": Names(
        "TensorFlow's ``tf.linalg``.",
        rows={
            "functions.array": "eye",
            "functions.linalg": """
                adjoint band_part cholesky cholesky_solve cross det diag diag_part eig eigh eigvals eigvalsh expm global_norm
                inv l2_normalize LinearOperator LinearOperatorBlockDiag LinearOperatorDiag LinearOperatorFullMatrix
                LinearOperatorIdentity LinearOperatorLowerTriangular logdet logm lstsq lu lu_matrix_inverse lu_reconstruct
                lu_solve matrix_rank matrix_transpose norm normalize pinv qr set_diag slogdet solve sqrtm
                svd tensor_diag tensor_diag_part trace triangular_solve tridiagonal_matmul tridiagonal_solve
            """,
            "functions.math": "einsum matmul matvec tensordot",
        },
    ),
    "random": Names(
        "TensorFlow's ``tf.random``.",
        rows={
            "functions.random": """
                categorical gamma Generator get_global_generator normal poisson set_global_generator set_seed shuffle
                stateless_categorical stateless_gamma stateless_normal stateless_poisson stateless_truncated_normal
                stateless_uniform truncated_normal uniform
            """,
        },
    ),
    "compat.v1.data": Names(
        "TensorFlow 1's ``tf.data``: its iterators are nodes of the graph.",
        rows={
            "data.dataset": "AUTOTUNE TextLineDataset",
            "data.elements": "DatasetSpec",
            "data.iterators": "NumpyIterator",
            "data.options": "Options ThreadingOptions",
            "data.sessions": """
                Dataset=DatasetV1 get_output_classes get_output_shapes get_output_types Iterator make_initializable_iterator
                make_one_shot_iterator
            """,
            "data.stage": "INFINITE_CARDINALITY=INFINITE UNKNOWN_CARDINALITY=UNKNOWN",
        },
        known="tf.data",
    ),
    "debugging": Names(
        "TensorFlow's ``tf.debugging``.",
        rows={
            "functions.debugging": """
                Assert assert_all_finite assert_equal assert_greater assert_greater_equal assert_integer assert_less
                assert_less_equal assert_near assert_negative assert_non_negative assert_non_positive assert_none_equal
                assert_positive assert_proper_iterable assert_rank assert_rank_at_least assert_rank_in assert_same_float_dtype
                assert_scalar assert_shapes assert_type check_numerics disable_check_numerics disable_traceback_filtering
                enable_check_numerics enable_traceback_filtering get_log_device_placement is_numeric_tensor
                is_traceback_filtering_enabled set_log_device_placement
            """,
        },
    ),
    "autodiff": Names(
        "Forward mode, and derivatives of Python functions (TensorFlow's ``tf.autodiff`` and more).",
        rows={
            "calculus.gradients": "ForwardAccumulator hessian hvp jacobian jvp vjp",
            "calculus.partials": "partial taylor",
            "modes.tape": "GradientTape",
        },
    ),
    "test": Names(
        "TensorFlow's ``tf.test``: a test case that compares tensors, and derivatives checked by differences.",
        rows={
            "calculus.gradient_checker": "compute_gradient",
            "surface.testing.case": "TestCase",
            "surface.testing.process": """
                assert_equal_graph_def benchmark_config create_local_cluster disable_with_predicate experimental get_temp_dir
                gpu_device_name is_built_with_cuda is_built_with_gpu_support is_built_with_rocm is_built_with_xla
                is_gpu_available main mock test_src_dir_path with_eager_op_as_function
            """,
        },
    ),
    "raw_ops": Names(
        "TensorFlow's ``tf.raw_ops``: operations by the names of their kernels, called with keywords.",
        calls=RAW,
        rows={
            "functions.array": """
                BroadcastTo=broadcast_to Cast=cast Concat=concat ConcatV2=concat ExpandDims=expand_dims Fill=fill Gather=gather
                GatherNd=gather_nd GatherV2=gather Identity=identity IdentityN=identity_n InvertPermutation=invert_permutation
                OneHot=one_hot OnesLike=ones_like Pack=stack Pad=pad PadV2=pad Range=range Rank=rank Reshape=reshape
                ReverseV2=reverse Roll=roll ScatterNd=scatter_nd ScatterNdNonAliasingAdd=tensor_scatter_nd_add Select=where
                SelectV2=where Shape=shape Size=size Slice=slice Split=split Squeeze=squeeze StopGradient=stop_gradient
                TensorScatterAdd=tensor_scatter_nd_add TensorScatterUpdate=tensor_scatter_nd_update Tile=tile
                Transpose=transpose Unpack=unstack Where=where ZerosLike=zeros_like
            """,
            "functions.linalg": """
                Cholesky=cholesky MatrixDeterminant=det MatrixInverse=inv MatrixSolve=solve
                MatrixTriangularSolve=triangular_solve
            """,
            "functions.math": """
                Abs=abs Acos=acos Acosh=acosh Add=add AddN=add_n AddV2=add All=reduce_all Any=reduce_any ArgMax=argmax
                ArgMin=argmin Asin=asin Asinh=asinh Atan2=atan2 Atan=atan Atanh=atanh BatchMatMul=matmul BatchMatMulV2=matmul
                Bincount=bincount Ceil=ceil ClipByValue=clip_by_value Complex=complex Conj=conj Cos=cos Cosh=cosh
                Cumprod=cumprod Cumsum=cumsum Digamma=digamma Div=divide DivNoNan=divide_no_nan Equal=equal Erf=erf Erfc=erfc
                Exp=exp Expm1=expm1 Floor=floor FloorDiv=floordiv FloorMod=floormod Greater=greater GreaterEqual=greater_equal
                Imag=imag Inv=reciprocal IsFinite=is_finite IsInf=is_inf IsNan=is_nan Less=less LessEqual=less_equal
                Lgamma=lgamma Log1p=log1p Log=log LogicalAnd=logical_and LogicalNot=logical_not LogicalOr=logical_or
                LogSoftmax=log_softmax MatMul=matmul Max=reduce_max Maximum=maximum Mean=reduce_mean Min=reduce_min
                Minimum=minimum Mul=multiply Neg=negative NotEqual=not_equal Pow=pow Prod=reduce_prod Real=real RealDiv=divide
                Reciprocal=reciprocal Rint=rint Round=round Rsqrt=rsqrt SegmentSum=segment_sum Sigmoid=sigmoid Sign=sign Sin=sin
                Sinh=sinh Softmax=softmax Softplus=softplus Softsign=softsign Sqrt=sqrt Square=square
                SquaredDifference=squared_difference Sub=subtract Sum=reduce_sum Tan=tan Tanh=tanh TopKV2=top_k
                UnsortedSegmentSum=unsorted_segment_sum Xdivy=xdivy Xlogy=xlogy
            """,
            "functions.nn": """
                AvgPool=avg_pool BiasAdd=bias_add Elu=elu L2Loss=l2_loss LeakyRelu=leaky_relu LRN=local_response_normalization
                MaxPoolV2=max_pool Relu6=relu6 Relu=relu Selu=selu
            """,
            "functions.sparse": """
                SparseSegmentMean=segment_mean SparseSegmentMeanWithNumSegments=segment_mean SparseSegmentSqrtN=segment_sqrt_n
                SparseSegmentSqrtNWithNumSegments=segment_sqrt_n SparseSegmentSum=segment_sum
                SparseSegmentSumWithNumSegments=segment_sum
            """,
            "surface.raw_ops": """
                BroadcastArgs BroadcastGradientArgs Const Einsum InvGrad MaxPool MaxPoolGrad MaxPoolGradGrad MaxPoolGradV2
                MaxPoolGradWithArgmax MirrorPadGrad PreventGradient ReciprocalGrad RsqrtGrad SigmoidGrad SparseSegmentMeanGrad
                SparseSegmentSqrtNGrad SparseSegmentSumGrad SqrtGrad TanhGrad TensorStridedSliceUpdate
            """,
        },
    ),
    "compat": Names(
        "TensorFlow's ``tf.compat``: TensorFlow 1's and 2's names, and strings of both kinds.",
        rows={
            "ground.shapes": "dimension_at_index dimension_value",
            "surface.compat": """
                as_bytes as_str as_str_any as_text bytes_or_text_types complex_types forward_compatibility_horizon
                forward_compatible integral_types path_to_str real_types
            """,
        },
    ),
    "compat.contrib": Names(
        "TensorFlow 1's ``tf.contrib``, the parts that scientific programs call.",
        known="tf.contrib",
        rows={},
    ),
    "compat.contrib.eager": Names(
        "``tf.contrib.eager``: eager execution as TensorFlow 1 tried it out.",
        rows={
            "functions.program": "custom_gradient executing_eagerly py_func=py_function",
            "modes.function": "defun=function",
            "modes.session": "enable_eager_execution",
            "modes.tape": "GradientTape",
            "modes.variable": "Variable",
            "surface.internal": """
                gradients_function implicit_gradients=implicit_grad implicit_value_and_gradients=implicit_val_and_grad
                value_and_gradients_function=val_and_grad_function
            """,
            "surface.v1.saver": "Saver",
            "surface.v1.variables": "make_template",
            "train.checkpoint": "Checkpoint",
        },
    ),
    "compat.contrib.opt": Names(
        "``tf.contrib.opt``: SciPy's minimisers as optimizers, and more optimizers.",
        known="tf.contrib.opt",
        rows={
            "surface.v1.external": "ExternalOptimizerInterface ScipyOptimizerInterface",
            "surface.v1.optimizers": "AdaMaxOptimizer AdamWOptimizer MomentumWOptimizer NadamOptimizer",
        },
    ),
    "compat.v2": Names(
        "TensorFlow's ``tf.compat.v2``: the names of TensorFlow 2.",
        like="",
        rows={
            "ground.version": "__version__=VERSION",
            "surface.v1.graphs": "enable_v2_behavior",
        },
    ),
    "compat.v1": Names(
        "TensorFlow 1's names: ``tf.compat.v1``, and the root where a script is written for TensorFlow 1.",
        like="",
        calls=OLD,
        without="context field fields interrupt metrics optimizers partial taylor",
        rows={
            "functions.blocks": "batch_to_space_nd=batch_to_space depth_to_space space_to_depth",
            "functions.array": """
                invert_permutation lin_space tensor_scatter_add=tensor_scatter_nd_add tensor_scatter_sub=tensor_scatter_nd_sub
                tensor_scatter_update=tensor_scatter_nd_update
            """,
            "functions.debugging": """
                assert_greater_equal assert_integer assert_less_equal assert_near assert_negative assert_non_negative
                assert_non_positive assert_none_equal assert_positive assert_proper_iterable assert_rank_at_least assert_rank_in
                assert_same_float_dtype assert_scalar assert_type check_numerics is_numeric_tensor
            """,
            "functions.io": "parse_tensor read_file serialize_tensor write_file",
            "functions.linalg": """
                cholesky cholesky_solve cross diag=tensor_diag diag_part=tensor_diag_part matrix_band_part=band_part
                matrix_determinant=det matrix_diag=diag matrix_diag_part=diag_part matrix_inverse=inv matrix_set_diag=set_diag
                matrix_solve=solve matrix_solve_ls=lstsq matrix_transpose matrix_triangular_solve=triangular_solve qr
                self_adjoint_eig=eigh self_adjoint_eigvals=eigvalsh svd trace
            """,
            "functions.math": """
                accumulate_n angle arg_max=argmax arg_min=argmin betainc bincount ceil clip_by_average_norm confusion_matrix
                conj count_nonzero cumprod digamma div_no_nan=divide_no_nan erf erfc expm1 floor_div=floordiv floordiv floormod
                global_norm igamma igammac imag is_finite is_inf is_nan is_non_decreasing is_strictly_increasing lbeta lgamma
                log log1p log_sigmoid logical_xor mod polygamma real reciprocal rint rsqrt segment_max segment_mean segment_min
                segment_prod segment_sum squared_difference unsorted_segment_max unsorted_segment_mean unsorted_segment_min
                unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum zeta
            """,
            "functions.nn": "extract_image_patches=extract_patches",
            "functions.program": "py_func=numpy_function",
            "functions.random": """
                multinomial=categorical random_gamma=gamma random_normal=normal random_poisson=poisson random_shuffle=shuffle
                random_uniform=uniform truncated_normal
            """,
            "functions.registry": "NotDifferentiable TensorProto",
            "functions.signal": "fft fft2d fft3d ifft ifft2d ifft3d",
            "functions.strings": "as_string string_to_number=to_number",
            "ground.shapes": "Dimension=make_dimension dimension_at_index dimension_value",
            "modes.session": """
                disable_eager_execution enable_eager_execution get_default_session InteractiveSession reset_default_graph
                Session
            """,
            "surface.v1.array": "batch_gather constant expand_dims setdiff1d sparse_to_dense where",
            "surface.v1.configuration": """
                ConfigProto Event GPUOptions GraphDef GraphOptions HistogramProto MetaGraphDef NameAttrList NodeDef
                OptimizerOptions RunMetadata RunOptions SessionLog SummaryMetadata
            """,
            "surface.v1.control": "add_check_numerics_ops cond container op_scope Print while_loop",
            "surface.v1.debugging": "verify_tensor_all_finite",
            "surface.v1.graphs": """
                add_to_collection add_to_collections control_flow_v2_enabled disable_control_flow_v2 disable_resource_variables
                disable_tensor_equality disable_v2_behavior disable_v2_tensorshape enable_control_flow_v2
                enable_resource_variables enable_tensor_equality enable_v2_behavior enable_v2_tensorshape
                executing_eagerly_outside_functions get_collection get_collection_ref get_default_graph get_seed GraphKeys
                placeholder placeholder_with_default resource_variables_enabled set_random_seed v2_behavior_enabled
            """,
            "surface.v1.initializers": """
                constant_initializer glorot_normal_initializer glorot_uniform_initializer identity_initializer ones_initializer
                orthogonal_initializer random_normal_initializer random_uniform_initializer truncated_normal_initializer
                uniform_unit_scaling_initializer variance_scaling_initializer zeros_initializer
            """,
            "functions.sparse": """
                sparse_add=add sparse_concat=concat sparse_fill_empty_rows=fill_empty_rows sparse_maximum=maximum
                sparse_minimum=minimum sparse_reduce_max=reduce_max sparse_reduce_sum=reduce_sum sparse_reorder=reorder
                sparse_reset_shape=reset_shape sparse_reshape=reshape sparse_retain=retain sparse_segment_mean=segment_mean
                sparse_segment_sqrt_n=segment_sqrt_n sparse_segment_sum=segment_sum sparse_slice=slice sparse_softmax=softmax
                sparse_split=split sparse_tensor_dense_matmul=sparse_dense_matmul sparse_tensor_to_dense=to_dense
                sparse_to_indicator=to_indicator sparse_transpose=transpose
            """,
            "modes.sparse": "SparseTensorValue",
            "surface.v1.math": "div to_bfloat16 to_complex128 to_complex64 to_double to_float to_int32 to_int64",
            "surface.v1.random": "random_crop",
            "surface.v1.sparse": "sparse_placeholder",
            "surface.v1.summary": "Summary",
            "surface.v1.variables": """
                all_variables assert_variables_initialized assign assign_add assign_sub AUTO_REUSE fixed_size_partitioner
                get_local_variable get_variable get_variable_scope global_variables global_variables_initializer
                initialize_all_variables initialize_local_variables initialize_variables is_variable_initialized local_variables
                local_variables_initializer make_template min_max_variable_partitioner model_variables moving_average_variables
                no_regularizer report_uninitialized_variables scatter_add scatter_sub scatter_update trainable_variables
                variable_axis_size_partitioner variable_creator_scope variable_op_scope variable_scope variables_initializer
                VariableScope
            """,
            "ground.version": "__version__=VERSION COMPILER_VERSION GIT_VERSION VERSION",
        },
    ),
    "sparse": Names(
        "TensorFlow's ``tf.sparse``: sparse tensors, and sums over segments of chosen rows.",
        rows={
            "functions.sparse": """
                add concat expand_dims eye fill_empty_rows from_dense map_values maximum minimum reduce_max reduce_sum reorder
                reset_shape reshape retain segment_mean segment_sqrt_n segment_sum slice softmax sparse_dense_matmul split
                to_dense to_indicator transpose
            """,
            "modes.sparse": "SparseTensor",
        },
    ),
    "compat.v1.sparse": Names(
        "TensorFlow 1's ``tf.sparse``.",
        like="sparse",
        calls=OLD,
        rows={
            "functions.sparse": "matmul=sparse_dense_matmul",
            "surface.v1.sparse": "placeholder=sparse_placeholder",
        },
    ),
    "compat.v1.math": Names(
        "TensorFlow 1's ``tf.math``.",
        like="math",
        calls=OLD,
        without="argsort sort",
        rows={
            "functions.linalg": "norm",
            "functions.math": "arg_max=argmax arg_min=argmin",
            "functions.sparse": """
                sparse_segment_mean=segment_mean sparse_segment_sqrt_n=segment_sqrt_n sparse_segment_sum=segment_sum
            """,
            "surface.v1.math": "div to_bfloat16 to_complex128 to_complex64 to_double to_float to_int32 to_int64",
        },
    ),
    "compat.v1.nn": Names(
        "TensorFlow 1's ``tf.nn``.",
        like="nn",
        calls=OLD,
        rows={
            "functions.nn": """
                depthwise_conv2d_native=depthwise_conv2d softmax_cross_entropy_with_logits_v2=softmax_cross_entropy_with_logits
            """,
            "surface.v1.nn": """
                dropout embedding_lookup fused_batch_norm sigmoid_cross_entropy_with_logits softmax_cross_entropy_with_logits
                sparse_softmax_cross_entropy_with_logits
            """,
        },
    ),
    "compat.v1.linalg": Names(
        "TensorFlow 1's ``tf.linalg``, and its older names.",
        like="linalg",
        calls=OLD,
        rows={
            "functions.linalg": "matrix_solve_ls=lstsq self_adjoint_eig=eigh self_adjoint_eigvals=eigvalsh",
        },
    ),
    "compat.v1.random": Names(
        "TensorFlow 1's ``tf.random``.",
        like="random",
        calls=OLD,
        rows={
            "functions.random": """
                multinomial=categorical random_gamma=gamma random_normal=normal random_poisson=poisson random_shuffle=shuffle
                random_uniform=uniform
            """,
            "surface.v1.graphs": "get_seed set_random_seed",
            "surface.v1.random": "random_crop",
        },
    ),
    "compat.v1.debugging": Names(
        "TensorFlow 1's ``tf.debugging``: assertions take the data to print, and the message after it.",
        like="debugging",
        calls=OLD,
        rows={
            "surface.v1.debugging": "verify_tensor_all_finite",
        },
    ),
    "compat.v1.train": Names(
        "TensorFlow 1's ``tf.train``: optimizers, learning rates, savers, the global step, moving averages.",
        rows={
            "surface.v1.averages": "ExponentialMovingAverage",
            "surface.v1.decays": """
                cosine_decay cosine_decay_restarts exponential_decay inverse_time_decay linear_cosine_decay natural_exp_decay
                noisy_linear_cosine_decay piecewise_constant piecewise_constant_decay polynomial_decay
            """,
            "surface.v1.optimizers": """
                AdadeltaOptimizer AdagradOptimizer AdamOptimizer FtrlOptimizer GradientDescentOptimizer MomentumOptimizer
                Optimizer ProximalAdagradOptimizer ProximalGradientDescentOptimizer RMSPropOptimizer
            """,
            "surface.v1.hooks": """
                CheckpointSaverHook CheckpointSaverListener FeedFnHook FinalOpsHook LoggingTensorHook
                NanLossDuringTrainingError NanTensorHook
                SecondOrStepTimer SessionRunArgs SessionRunContext SessionRunHook SessionRunValues StepCounterHook StopAtStepHook
                SummarySaverHook
            """,
            "surface.v1.monitored": """
                ChiefSessionCreator MonitoredSession MonitoredTrainingSession Scaffold SessionCreator SingularMonitoredSession
                WorkerSessionCreator
            """,
            "surface.v1.saver": "export_meta_graph import_meta_graph Saver write_graph",
            "surface.v1.steps": """
                assert_global_step create_global_step get_global_step get_or_create_global_step global_step
            """,
            "surface.v1.summary": "summary_iterator",
            "surface.v1.warm": "init_from_checkpoint",
            "surface.distribute.refused": "Server",
            "train.checkpoint": "Checkpoint CheckpointManager CheckpointOptions checkpoints_iterator",
            "train.cluster": "ClusterSpec",
            "train.files": """
                checkpoint_exists CheckpointReader CheckpointState get_checkpoint_mtimes get_checkpoint_state latest_checkpoint
                list_variables load_checkpoint load_variable NewCheckpointReader=CheckpointReader remove_checkpoint
                update_checkpoint_state
            """,
        },
    ),
    "compat.v1.test": Names(
        "TensorFlow 1's ``tf.test``.",
        like="test",
        rows={
            "surface.v1.test": "compute_gradient compute_gradient_error",
        },
    ),
}
"""Each public module below `wengert`, and `wengert` itself as the empty name."""


@functools.cache
def names(namespace: str) -> Mapping[str, Source]:
    """Return what a namespace has of its own and of the one that it is like, but for modules: where each name comes from."""
    row = TABLE[namespace]
    assert isinstance(row, Names)
    found: dict[str, Source] = {}
    if row.like is not None:
        gone = set(row.without.split())
        found = {public: source for public, source in names(row.like).items() if public not in gone}
    for module, text in row.rows.items():
        for entry in text.split():
            public, _, inner = entry.partition("=")
            found[public] = Source(module, inner or public, None)
    calls = {(module, name): call for module, rows in row.calls.items() for key, call in rows.items() for name in key.split()}
    for public, (module, inner, _) in found.items():
        call = calls.get((module, public), calls.get((module, "*")))
        if call is not None:
            found[public] = Source(module, inner, call)
    return found


@functools.cache
def parts(namespace: str) -> Mapping[str, str]:
    """Return the modules in a namespace, each by its public name below `wengert`."""
    row = TABLE[namespace]
    found: dict[str, str] = {}
    if isinstance(row, Names) and row.like is not None:
        gone = set(row.without.split())
        found = {name: place for name, place in parts(row.like).items() if name not in gone}
    for place in TABLE:
        above, _, name = place.rpartition(".")
        if above == namespace and name:
            found[name] = place
    return found


def arguments(call: str) -> tuple[list[Argument], bool]:
    """Return the arguments that a row names, and whether there may be others."""
    words = call.split()
    others = words[-1] == "**"
    found = []
    for word in words[: len(words) - others]:
        name, renamed, inner = word.rstrip("?").partition("=")
        found.append(Argument(name, inner if renamed else name, word.endswith("?")))
    return found, others


# --- what static tools read ------------------------------------------------------------------------------------------------


def stubs(root: Path) -> list[Path]:
    """Write a stub for each public module into a folder that stands for the package, and nothing else; return the files."""
    packages = {name.rpartition(".")[0] for name in TABLE}
    written = []
    for name, row in TABLE.items():
        if name == row:
            continue  # it lies there
        stem = root / name.replace(".", "/")
        file = stem / "__init__.pyi" if name in packages else stem.with_suffix(".pyi")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"from wengert.{row} import *\n" if isinstance(row, str) else _stub(name))
        written.append(file)
    for other in {*root.rglob("*.pyi")} - {*written}:
        other.unlink()  # of a module that is public no more
    return written


def _stub(namespace: str) -> str:
    every = sorted({*names(namespace), *parts(namespace)})
    lines = ["from typing import Any as _Any", ""]
    for public, (module, inner, call) in names(namespace).items():
        if call is None:
            lines.append(f"from wengert.{module} import {inner} as {public}")
        else:
            lines.append(f"def {public}({_signature(call)}) -> _Any: ...")
    for name, place in parts(namespace).items():
        made = TABLE[place]
        above, _, last = (made if isinstance(made, str) else place).rpartition(".")
        lines.append(f"from {'.'.join(['wengert', above]).rstrip('.')} import {last} as {name}")
    lines += [] if namespace else ["__version__: str"]
    return "\n".join([*lines, "", f"__all__ = {every}"]) + "\n"


def _signature(call: str) -> str:
    every, others = arguments(call)
    words = [f"{a.name}: _Any = ..." if a.optional else f"{a.name}: _Any" for a in every]
    return ", ".join(["*", *words, "**others: _Any"] if others else words)
