"""Array functions against NumPy: values eagerly and in graphs of known and unknown sizes, derivatives, refusals."""

import numpy as np
import pytest

import wengert as tf
from wengert import errors
from wengert.execute.numpy import NumPyProgram
from wengert.functions import array as A
from wengert.ground import shapes as S
from wengert.modes.slices import IndexedSlices
from wengert.modes.tape import GradientTape
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import Graph, apply, convert

rng = np.random.default_rng(7)
x1, x2, x3 = rng.normal(size=4), rng.normal(size=(3, 4)), rng.normal(size=(2, 3, 4))
mask2 = np.array([[True, False, True, True], [False, False, True, False], [True, True, False, False]])


def nd_update(t, index, updates, how):
    result = np.array(t)
    getattr(np, how).at(result, tuple(np.moveaxis(np.asarray(index), -1, 0)), updates)
    return result


def stitched(indices, data):
    result = np.zeros((max(np.max(i) for i in indices) + 1, *data[0].shape[np.ndim(indices[0]) :]))
    for i, d in zip(indices, data, strict=True):
        result[np.asarray(i)] = d
    return result


def reversed_rows(x, lengths):
    return np.stack([np.concatenate([r[:n][::-1], r[n:]]) for r, n in zip(x, lengths, strict=True)])


# (label, function, NumPy's answer, inputs that vary)
TABLE = [
    ("identity", A.identity, lambda x: x, [x2]),
    ("identity_n", lambda x, y: A.identity_n([x, y]), lambda x, y: [x, y], [x1, x2]),
    ("guarantee_const", A.guarantee_const, lambda x: x, [x2]),
    ("cast", lambda x: A.cast(A.cast(x, "float64"), "float64"), lambda x: x, [x2]),
    ("saturate", lambda x: A.saturate_cast(x, "float32"), lambda x: x.astype(np.float32), [x2]),
    ("fill", lambda x: A.fill([2, 3], x[0]), lambda x: np.full((2, 3), x[0]), [x1]),
    ("linspace", lambda x: A.linspace(x[0], x[1], 5), lambda x: np.linspace(x[0], x[1], 5), [x1]),
    ("linspace vectors", lambda x, y: A.linspace(x, y, 4, axis=1), lambda x, y: np.linspace(x, y, 4, axis=1),
     [x1, x1 + 1]),
    ("linspace one", lambda x: A.linspace(x[0], x[1], 1), lambda x: np.linspace(x[0], x[1], 1), [x1]),
    ("reshape", lambda x: A.reshape(x, [2, -1]), lambda x: x.reshape(2, -1), [x2]),
    ("reshape floats", lambda x: A.reshape(x, [2.0, 6.0]), lambda x: x.reshape(2, 6), [x2]),
    ("reshape like", lambda x, y: A.reshape(x, A.shape(y)), lambda x, y: x.reshape(y.shape), [x3, x3.reshape(4, 6)]),
    ("reshape mixed", lambda x: A.reshape(x, [A.shape(x)[0], -1, 2]), lambda x: x.reshape(x.shape[0], -1, 2), [x2]),
    ("squeeze", lambda x: A.squeeze(A.reshape(x, [1, 3, 1, 4])), lambda x: x, [x2]),
    ("squeeze axis", lambda x: A.squeeze(A.expand_dims(x, 1), 1), lambda x: x, [x2]),
    ("squeeze axes", lambda x: A.squeeze(x[None, :, None], [0, -1]), lambda x: x, [x1]),
    ("expand_dims", lambda x: A.expand_dims(x, -1), lambda x: x[..., None], [x2]),
    ("transpose", lambda x: A.transpose(x, [2, 0, 1]), lambda x: x.transpose(2, 0, 1), [x3]),
    ("transpose reversed", A.transpose, lambda x: x.T, [x3]),
    ("tile", lambda x: A.tile(x, [2, 3]), lambda x: np.tile(x, (2, 3)), [x2]),
    ("tile dynamic", lambda x: A.tile(x, [A.shape(x)[0], 1]), lambda x: np.tile(x, (3, 1)), [x2]),
    ("broadcast_to", lambda x: A.broadcast_to(x, [3, 4]), lambda x: np.broadcast_to(x, (3, 4)), [x1]),
    ("broadcast_to dynamic", lambda x, y: A.broadcast_to(x, A.shape(y)), lambda x, y: np.broadcast_to(x, y.shape),
     [x1, x3]),
    ("ensure_shape", lambda x: A.ensure_shape(x, [None, 4]), lambda x: x, [x2]),
    ("concat", lambda x, y: A.concat([x, y, x], 1), lambda x, y: np.concatenate([x, y, x], 1), [x2, x2[:, :2]]),
    ("concat negative", lambda x, y: A.concat([x, y], -2), lambda x, y: np.concatenate([x, y], 0), [x2, x2[:1]]),
    ("concat one", lambda x: A.concat(x, 0), lambda x: x, [x2]),
    ("stack", lambda x, y: A.stack([x, y], -1), lambda x, y: np.stack([x, y], -1), [x2, x2 * 2]),
    ("parallel_stack", lambda x, y: A.parallel_stack([x, y]), lambda x, y: np.stack([x, y]), [x2, x2 * 2]),
    ("unstack", lambda x: A.unstack(x, 4, axis=1), lambda x: list(x.T), [x2]),
    ("unstack one used", lambda x: A.unstack(x, 3)[1] ** 2, lambda x: x[1] ** 2, [x2]),
    ("split", lambda x: A.split(x, 2, 1), lambda x: np.split(x, 2, 1), [x2]),
    ("split sizes", lambda x: A.split(x, [1, -1, 1], axis=-1), lambda x: np.split(x, [1, 3], 1), [x2]),
    ("split many", lambda x: A.split(A.tile(x, [60]), [50] * 12)[7], lambda x: np.tile(x, 60)[350:400], [np.arange(10.0)]),
    ("split Dimension", lambda x: A.split(x, S.Dimension(3)), lambda x: np.split(x, 3), [x2]),
    ("pad", lambda x: A.pad(x, [[1, 0], [2, 3]]), lambda x: np.pad(x, ((1, 0), (2, 3))), [x2]),
    ("pad value", lambda x: A.pad(x, [[1, 1]], constant_values=-7), lambda x: np.pad(x, 1, constant_values=-7), [x1]),
    ("pad reflect", lambda x: A.pad(x, [[2, 2], [1, 3]], "REFLECT"), lambda x: np.pad(x, ((2, 2), (1, 3)), "reflect"),
     [x2]),
    ("pad symmetric", lambda x: A.pad(x, [[3, 1], [4, 0]], mode="symmetric"),
     lambda x: np.pad(x, ((3, 1), (4, 0)), "symmetric"), [x2]),
    ("pad dynamic", lambda x: A.pad(x, [[0, A.shape(x)[1]], [1, 0]]), lambda x: np.pad(x, ((0, 4), (1, 0))), [x2]),
    ("pad dynamic reflect", lambda x: A.pad(x, [[0, A.shape(x)[0] - 1], [1, 0]], "REFLECT"),
     lambda x: np.pad(x, ((0, 2), (1, 0)), "reflect"), [x2]),
    ("reverse", lambda x: A.reverse(x, [0, -1]), lambda x: x[::-1, ..., ::-1], [x3]),
    ("roll", lambda x: A.roll(x, [1, -2], [0, 1]), lambda x: np.roll(x, [1, -2], [0, 1]), [x2]),
    ("roll one", lambda x: A.roll(x, shift=2, axis=-1), lambda x: np.roll(x, 2, -1), [x2]),
    ("reverse_sequence", lambda x: A.reverse_sequence(x, [2, 0, 4], seq_axis=1), lambda x: reversed_rows(x, [2, 0, 4]),
     [x2]),
    ("reverse_sequence 0", lambda x: A.reverse_sequence(x, [1, 2, 3, 3], 0, 1),
     lambda x: reversed_rows(x.T, [1, 2, 3, 3]).T, [x2]),
    ("repeat", lambda x: A.repeat(x, [2, 0, 1], 0), lambda x: np.repeat(x, [2, 0, 1], 0), [x2]),
    ("repeat one", lambda x: A.repeat(x, 3, axis=-1), lambda x: np.repeat(x, 3, -1), [x2]),
    ("repeat flat", lambda x: A.repeat(x, 2), lambda x: np.repeat(x, 2), [x2]),
    ("repeat dynamic", lambda x: A.repeat(x, A.shape(x)[0], axis=1), lambda x: np.repeat(x, 3, 1), [x2]),
    ("meshgrid", lambda x, y: A.meshgrid(x, y), lambda x, y: np.meshgrid(x, y), [x1, x1[:3]]),
    ("meshgrid ij", lambda x, y: A.meshgrid(x, y, x, indexing="ij"), lambda x, y: np.meshgrid(x, y, x, indexing="ij"),
     [x1, x1[:3]]),
    ("slice", lambda x: A.slice(x, [0, 1, 0], [2, 1, -1]), lambda x: x[0:2, 1:2], [x3]),
    ("slice dynamic", lambda x: A.slice(x, [A.shape(x)[0] - 2, 0], [A.shape(x)[0] - 1, 2]), lambda x: x[1:3, :2], [x2]),
    ("strided_slice", lambda x: A.strided_slice(x, [0, 1], [3, 4], [2, 2]), lambda x: x[0:3:2, 1:4:2], [x2]),
    ("strided_slice back", lambda x: A.strided_slice(x, [-1, 2], [-3, 0], [-1, -1]), lambda x: x[-1:-3:-1, 2:0:-1],
     [x2]),
    ("strided_slice masks",
     lambda x: A.strided_slice(x, [1, 0, 9], [9, 9, 2], begin_mask=4, end_mask=2, shrink_axis_mask=1),
     lambda x: x[1, 0:, :2], [x3]),
    ("strided_slice axes", lambda x: A.strided_slice(x, [0, 0, 1], [0, 0, 2], ellipsis_mask=1, new_axis_mask=2),
     lambda x: x[..., None, 1:2], [x3]),
    ("gather", lambda x: A.gather(x, [1, 0, 1]), lambda x: x[[1, 0, 1]], [x2]),
    ("gather axis", lambda x: A.gather(x, [[2, 0], [0, 0]], axis=-1), lambda x: x[..., [[2, 0], [0, 0]]], [x3]),
    ("gather batch", lambda x: A.gather(x, [[2, 1], [0, 3], [3, 3]], batch_dims=1),
     lambda x: np.take_along_axis(x, np.array([[2, 1], [0, 3], [3, 3]]), 1), [x2]),
    ("gather batch axis", lambda x: A.gather(x, [[3, 0], [1, 1]], axis=2, batch_dims=-1),
     lambda x: np.stack([x[0][:, [3, 0]], x[1][:, [1, 1]]]), [x3]),
    ("gather_nd", lambda x: A.gather_nd(x, [[0, 1], [2, 3], [0, 1]]), lambda x: x[[0, 2, 0], [1, 3, 1]], [x2]),
    ("gather_nd rows", lambda x: A.gather_nd(x, [[[1]], [[1]]]), lambda x: x[[[1], [1]]], [x2]),
    ("gather_nd batch", lambda x: A.gather_nd(x, [[2], [0], [1]], batch_dims=1), lambda x: x[[0, 1, 2], [2, 0, 1]],
     [x2]),
    ("scatter_nd", lambda x: A.scatter_nd([[1], [0], [1]], x, [5, 4]),
     lambda x: nd_update(np.zeros((5, 4)), [[1], [0], [1]], x, "add"), [x2]),
    ("scatter_nd dynamic", lambda x: A.scatter_nd([[1], [0], [1]], x, A.shape(x)),
     lambda x: nd_update(np.zeros((3, 4)), [[1], [0], [1]], x, "add"), [x2]),
    ("scatter update", lambda x, u: A.tensor_scatter_nd_update(x, [[2], [0]], u),
     lambda x, u: np.stack([u[1], x[1], u[0]]), [x2, x2[:2] + 1]),
    ("scatter update twice", lambda x, u: A.tensor_scatter_nd_update(x, [[2], [2]], u),
     lambda x, u: np.stack([x[0], x[1], u[1]]), [x2, x2[:2] + 1]),
    ("scatter add", lambda x, u: A.tensor_scatter_nd_add(x, [[0], [0]], u),
     lambda x, u: nd_update(x, [[0], [0]], u, "add"), [x2, x2[:2] + 1]),
    ("scatter sub", lambda x, u: A.tensor_scatter_nd_sub(x, [[1, 1]], u),
     lambda x, u: nd_update(x, [[1, 1]], u, "subtract"), [x2, x1[:1]]),
    ("scatter max", lambda x, u: A.tensor_scatter_nd_max(x, [[0], [0]], u),
     lambda x, u: nd_update(x, [[0], [0]], u, "maximum"), [x2, x2[1:]]),
    ("scatter min", lambda x, u: A.tensor_scatter_nd_min(x, [[1], [2]], u),
     lambda x, u: nd_update(x, [[1], [2]], u, "minimum"), [x2, x2[:2] + 0.1]),
    ("boolean_mask", lambda x: A.boolean_mask(x, mask2), lambda x: x[mask2], [x2]),
    ("boolean_mask rows", lambda x: A.boolean_mask(x, [True, False, True]), lambda x: x[[0, 2]], [x2]),
    ("boolean_mask axis", lambda x: A.boolean_mask(x, mask2, axis=1), lambda x: x[:, mask2], [x3]),
    ("boolean_mask last", lambda x: A.boolean_mask(x, [True, False, False, True], axis=-1), lambda x: x[..., [0, 3]],
     [x3]),
    ("boolean_mask computed", lambda x: A.boolean_mask(x, x > 0.0), lambda x: x[x > 0], [x2]),
    ("where", lambda x, y: A.where(x > 0.0, x, y), lambda x, y: np.where(x > 0, x, y), [x2, x2 * x2]),
    ("where broadcast", lambda x, y: A.where([[True], [False], [True]], x, y),
     lambda x, y: np.where([[True], [False], [True]], x, y), [x1, x2]),
    ("where number", lambda x: A.where(x > 0.0, x, 1), lambda x: np.where(x > 0, x, 1), [x2]),
    ("dynamic_partition", lambda x: A.dynamic_partition(x, [1, 0, 1], 3), lambda x: [x[[1]], x[[0, 2]], x[:0]], [x2]),
    ("dynamic_partition 2", lambda x: A.dynamic_partition(x, mask2.astype(int), 2), lambda x: [x[~mask2], x[mask2]],
     [x2]),
    ("dynamic_stitch", lambda x, y: A.dynamic_stitch([[0, 3, 1], [2, 4]], [x, y]),
     lambda x, y: stitched([[0, 3, 1], [2, 4]], [x, y]), [x2, x2[:2] * 2]),
    ("dynamic_stitch twice", lambda x, y: A.dynamic_stitch([[0, 1, 2], [1, 1]], [x, y]),
     lambda x, y: stitched([[0, 1, 2], [1, 1]], [x, y]), [x2, x2[:2] * 2]),
    ("dynamic_stitch scalar", lambda x: A.dynamic_stitch([0, [2, 1]], [x[0], x[1:]]), lambda x: x[[0, 2, 1]], [x2]),
    ("sort", lambda x: A.sort(x), lambda x: np.sort(x), [x2]),
    ("sort down", lambda x: A.sort(x, axis=0, direction="DESCENDING"), lambda x: -np.sort(-x, 0), [x2]),
]  # fmt: skip
IDS = [row[0] for row in TABLE]


def flat(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def same(found, expected):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        b = np.asarray(b)
        assert np.shape(a) == b.shape
        np.testing.assert_array_equal(np.asarray(a), b) if b.dtype.kind != "f" else np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize(("label", "f", "reference", "arrays"), TABLE, ids=IDS)
def test_value(label, f, reference, arrays):
    same(f(*map(convert, arrays)), reference(*arrays))


@pytest.mark.parametrize("sizes", ["known", "unknown"])
@pytest.mark.parametrize(("label", "f", "reference", "arrays"), TABLE, ids=IDS)
def test_value_in_graph(label, f, reference, arrays, sizes, static):
    same(static(f, arrays, sizes), reference(*arrays))


@pytest.mark.parametrize(("label", "f", "reference", "arrays"), TABLE[:4] + TABLE[5:], ids=IDS[:4] + IDS[5:])  # in float64
def test_derivatives(label, f, reference, arrays, derivatives):
    derivatives(f, arrays)


RANKLESS = [
    ("reshape", lambda x: A.reshape(x, [-1]), lambda x: x.reshape(-1)),
    ("shape", A.shape, lambda x: np.array(x.shape, np.int32)),
    ("rank", A.rank, lambda x: np.int32(x.ndim)),
    ("size", A.size, lambda x: np.int32(x.size)),
    ("transpose", A.transpose, lambda x: x.T),
    ("zeros_like", A.zeros_like, np.zeros_like),
    ("squeeze", A.squeeze, np.squeeze),
    ("gather", lambda x: A.gather(x, [1]), lambda x: x[[1]]),
    ("concat", lambda x: A.concat([x, x], 0), lambda x: np.concatenate([x, x])),
    ("stack", lambda x: A.stack([x, x], 1), lambda x: np.stack([x, x], 1)),
    ("split", lambda x: A.split(x, 3), lambda x: np.split(x, 3)),
    ("pad", lambda x: A.pad(x, [[1, 0], [0, 1]]), lambda x: np.pad(x, ((1, 0), (0, 1)))),
    ("tile", lambda x: A.tile(x, [2, 1]), lambda x: np.tile(x, (2, 1))),
    ("where", A.where, lambda x: np.argwhere(x)),
    ("zeros of shape", lambda x: A.zeros(A.shape(x)), lambda x: np.zeros(x.shape, np.float32)),
    ("slice", lambda x: A.slice(x, [0, 0], [1, 2]), lambda x: x[:1, :2]),
    ("ensure_shape", lambda x: A.ensure_shape(x, [3, None]), lambda x: x),
    ("broadcast shape", lambda x: A.broadcast_dynamic_shape(A.shape(x), [5, 1, 4]),
     lambda x: np.array([5, 3, 4], np.int32)),
]  # fmt: skip


@pytest.mark.parametrize(("label", "f", "reference"), RANKLESS, ids=[r[0] for r in RANKLESS])
def test_value_of_unknown_rank(label, f, reference, static):
    same(static(f, [x2], "rankless"), reference(x2))


@pytest.mark.parametrize(
    ("label", "f", "expected"),
    [
        ("constant", lambda: A.constant([[1, 2]]), np.array([[1, 2]], np.int32)),
        ("constant float", lambda: A.constant(1.5), np.float32(1.5)),
        ("constant dtype", lambda: A.constant(1, "float64"), np.float64(1)),
        ("constant filled", lambda: A.constant(3, shape=[2, 2]), np.full((2, 2), 3, np.int32)),
        ("constant shaped", lambda: A.constant([1, 2, 3, 4], shape=(2, 2)), np.array([[1, 2], [3, 4]], np.int32)),
        ("convert hint", lambda: A.convert_to_tensor([1], dtype_hint="float64"), np.array([1.0])),
        ("convert bad hint", lambda: A.convert_to_tensor([1.5], dtype_hint="int32"), np.array([1.5], np.float32)),
        ("zeros", lambda: A.zeros([2, 3]), np.zeros((2, 3), np.float32)),
        ("zeros floats", lambda: A.zeros([2.0, 3.0], "int64"), np.zeros((2, 3), np.int64)),
        ("zeros scalar", lambda: A.zeros([]), np.float32(0)),
        ("ones tensor", lambda: A.ones(A.constant([2, 1])), np.ones((2, 1), np.float32)),
        ("ones list of tensors", lambda: A.ones([A.constant(2), 3]), np.ones((2, 3), np.float32)),
        ("ones TensorShape", lambda: A.ones(S.TensorShape([2]), bool), np.ones(2, bool)),
        ("ones Dimension", lambda: A.ones([S.Dimension(2)]), np.ones(2, np.float32)),
        ("ones large", lambda: A.ones([50, 50]), np.ones((50, 50), np.float32)),
        ("fill", lambda: A.fill([2], 7), np.full(2, 7, np.int32)),
        ("zeros_like dtype", lambda: A.zeros_like([1, 2], "float32"), np.zeros(2, np.float32)),
        ("ones_like", lambda: A.ones_like([[1.0]]), np.ones((1, 1), np.float32)),
        ("eye", lambda: A.eye(3), np.eye(3, dtype=np.float32)),
        ("eye wide batch", lambda: A.eye(2, 3, [2], "float64"), np.broadcast_to(np.eye(2, 3), (2, 2, 3))),
        ("range", lambda: A.range(5), np.arange(5, dtype=np.int32)),
        ("range down", lambda: A.range(5, 0, -2), np.array([5, 3, 1], np.int32)),
        ("range float", lambda: A.range(0, 1, 0.25), np.arange(0, 1, 0.25, np.float32)),
        ("range dtype", lambda: A.range(3, dtype="float64"), np.arange(3.0)),
        ("range int64", lambda: A.range(np.int64(3)), np.arange(3)),
        ("range tensors", lambda: A.range(A.constant(2), A.constant(4)), np.array([2, 3], np.int32)),
        ("linspace", lambda: A.lin_space(0.0, 1.0, 3), np.array([0, 0.5, 1], np.float32)),
        ("linspace ints", lambda: A.linspace(0, 1, 3), np.array([0, 0.5, 1], np.float32)),
        ("linspace f64", lambda: A.linspace(np.float64(0), 1, 3), np.array([0, 0.5, 1])),
        ("cast ints", lambda: A.cast([1.9, -1.9], "int32"), np.array([1, -1], np.int32)),
        ("cast bool", lambda: A.cast([0.0, 2.0], bool), np.array([False, True])),
        ("cast complex", lambda: A.cast(A.constant(1 + 2j), "float32"), np.float32(1)),
        ("saturate", lambda: A.saturate_cast([300.0, -5.0, 3.7], "uint8"), np.array([255, 0, 3], np.uint8)),
        ("saturate int32", lambda: A.saturate_cast([3e9, -3e9], "int32"),
         np.array([2147483520, -2147483648], np.int32)),
        ("saturate ints", lambda: A.saturate_cast(A.constant([300, -3]), "int8"), np.array([127, -3], np.int8)),
        ("saturate up", lambda: A.saturate_cast(A.constant([300, -3]), "int64"), np.array([300, -3])),
        ("bitcast", lambda: A.bitcast(A.constant(1.0), "int32"), np.int32(1065353216)),
        ("bitcast narrow", lambda: A.bitcast(A.constant([1.0], "float64"), "int32"),
         np.array([[0, 1072693248]], np.int32)),
        ("bitcast wide", lambda: A.bitcast(A.constant([[0, 1072693248]]), "float64"), np.array([1.0])),
        ("shape", lambda: A.shape([[1, 2]], "int64"), np.array([1, 2])),
        ("size", lambda: A.size([[1, 2]]), np.int32(2)),
        ("rank", lambda: A.rank([[1, 2]]), np.int32(2)),
        ("shape_n", lambda: A.shape_n([[1], 2]), [np.array([1], np.int32), np.zeros(0, np.int32)]),
        ("one_hot", lambda: A.one_hot([0, 2, -1, 3], 3),
         np.eye(3, dtype=np.float32)[[0, 2, 0, 0]] * [[1], [1], [0], [0]]),
        ("one_hot axis", lambda: A.one_hot([1, 0], 2, on_value=5.0, off_value=-1.0, axis=0),
         np.array([[-1, 5], [5, -1]], np.float32)),
        ("one_hot ints", lambda: A.one_hot(1, 3, dtype="int32"), np.array([0, 1, 0], np.int32)),
        ("where one", lambda: A.where([[True, False], [True, True]]), np.array([[0, 0], [1, 0], [1, 1]])),
        ("where numbers", lambda: A.where([0, 3, 0]), np.array([[1]])),
        ("searchsorted", lambda: A.searchsorted([1.0, 3.0, 5.0], [0.0, 3.0, 9.0]), np.array([0, 1, 3], np.int32)),
        ("searchsorted right", lambda: A.searchsorted([1.0, 3.0, 5.0], [3.0], side="right", out_type="int64"),
         np.array([2])),
        ("searchsorted rows", lambda: A.searchsorted([[1, 3], [5, 7]], [[2, 9, 0], [6, 7, 1]]),
         np.array([[1, 2, 0], [1, 1, 0]], np.int32)),
        ("unique", lambda: A.unique([4, 4, 2, 4, 7]),
         [np.array([4, 2, 7], np.int32), np.array([0, 0, 1, 0, 2], np.int32)]),
        ("unique counts", lambda: A.unique_with_counts([4, 4, 2], "int64")[1:],
         [np.array([0, 0, 1]), np.array([2, 1])]),
        ("sequence_mask", lambda: A.sequence_mask([1, 3, 0]), np.arange(3) < np.array([[1], [3], [0]])),
        ("sequence_mask float", lambda: A.sequence_mask([[1], [2]], 2, "float32"),
         np.array([[[1, 0]], [[1, 1]]], np.float32)),
        ("invert_permutation", lambda: A.invert_permutation([2, 0, 1]), np.array([1, 2, 0], np.int32)),
        ("argsort", lambda: A.argsort([3.0, 1.0, 3.0, 2.0]), np.array([1, 3, 0, 2], np.int32)),
        ("argsort down", lambda: A.argsort([3.0, 1.0, 3.0, 2.0], direction="DESCENDING"),
         np.array([0, 2, 3, 1], np.int32)),
        ("sort ints", lambda: A.sort([[2, 1], [0, 5]], 0), np.array([[0, 1], [2, 5]], np.int32)),
        ("histogram", lambda: A.histogram_fixed_width([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0], [0.0, 5.0], 5),
         np.array([2, 1, 1, 0, 2], np.int32)),
        ("broadcast_dynamic_shape", lambda: A.broadcast_dynamic_shape([3, 1], [2]), np.array([3, 2], np.int32)),
        ("stack python", lambda: A.stack([1, 2.5]), np.array([1, 2.5], np.float32)),
        ("concat promotes", lambda: A.concat([A.constant([1.0]), A.constant([2.0], "float64")], 0),
         np.array([1.0, 2.0])),
        ("concat numpy", lambda: A.concat([A.constant([1.0]), np.array([2.0])], 0), np.array([1, 2], np.float32)),
        ("where mixed", lambda: A.where([True, False], A.constant([1.0, 2.0]), 0), np.array([1, 0], np.float32)),
        ("where promotes", lambda: A.where([True, False], A.constant([1.0, 2.0]), A.constant(0.5, "float64")),
         np.array([1, 0.5])),
        ("reshape empty", lambda: A.reshape(A.zeros([0, 3]), [3, 0]), np.zeros((3, 0), np.float32)),
        ("pad none", lambda: A.pad(A.constant(2.0), np.zeros((0, 2), int)), np.float32(2)),
        ("gather empty", lambda: A.gather([1, 2], []), np.zeros(0, np.int32)),
        ("strings", lambda: A.concat([A.constant(["a"]), A.constant(["b"])], 0), np.array([b"a", b"b"], object)),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_known_answer(label, f, expected):
    same(f(), expected)
    for a, b in zip(flat(f()), flat(expected), strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype or label in ("one_hot",)
    graph = Graph()
    with graph.as_default():
        outputs = flat(f())
    same(NumPyProgram(graph, outputs, [])(), expected)


def one():
    return A.constant([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("label", "f", "kind"),
    [
        ("constant None", lambda: A.constant(None), ValueError),
        ("constant ragged", lambda: A.constant([[1], [2, 3]]), ValueError),
        ("constant float as int", lambda: A.constant(1.5, "int32"), TypeError),
        ("constant shape", lambda: A.constant([1, 2, 3], shape=[2]), TypeError),
        ("convert dtype", lambda: A.convert_to_tensor(one(), "float64"), ValueError),
        ("zeros negative", lambda: A.zeros([-1]), errors.InvalidArgumentError),
        ("zeros None", lambda: A.zeros(None), errors.InvalidArgumentError),
        ("zeros [None]", lambda: A.zeros([None, 2]), errors.InvalidArgumentError),
        ("zeros half", lambda: A.zeros([1.5]), errors.InvalidArgumentError),
        ("zeros NaN", lambda: A.zeros([float("nan")]), errors.InvalidArgumentError),
        ("zeros string", lambda: A.zeros("ab"), errors.InvalidArgumentError),
        ("zeros ragged", lambda: A.zeros([[1], [2, 3]]), errors.InvalidArgumentError),
        ("zeros huge", lambda: A.zeros([2**21, 2**21]), errors.ResourceExhaustedError),
        ("fill huge", lambda: A.fill([2**62, 4], 1.0), errors.ResourceExhaustedError),
        ("fill vector", lambda: A.fill([2], [1.0, 2.0]), errors.InvalidArgumentError),
        ("tile huge", lambda: A.tile(one(), [2**40, 1]), errors.ResourceExhaustedError),
        ("tile rank", lambda: A.tile(one(), [2]), errors.InvalidArgumentError),
        ("broadcast huge", lambda: A.broadcast_to(1.0, [2**41]), errors.ResourceExhaustedError),
        ("broadcast", lambda: A.broadcast_to(one(), [3, 3]), errors.InvalidArgumentError),
        ("range zero", lambda: A.range(0, 3, 0), errors.InvalidArgumentError),
        ("range away", lambda: A.range(3, 0), errors.InvalidArgumentError),
        ("range huge", lambda: A.range(2**50), errors.ResourceExhaustedError),
        ("range string", lambda: A.range("a"), errors.InvalidArgumentError),
        ("range bool", lambda: A.range(True), TypeError),
        ("linspace none", lambda: A.linspace(0.0, 1.0, 0), errors.InvalidArgumentError),
        ("reshape", lambda: A.reshape(one(), [3, -1]), errors.InvalidArgumentError),
        ("reshape two -1", lambda: A.reshape(one(), [-1, -1]), errors.InvalidArgumentError),
        ("reshape -2", lambda: A.reshape(one(), [-2, 2]), errors.InvalidArgumentError),
        ("reshape None", lambda: A.reshape(one(), None), errors.InvalidArgumentError),
        ("squeeze", lambda: A.squeeze(one(), 0), errors.InvalidArgumentError),
        ("squeeze axis", lambda: A.squeeze(one(), 5), errors.InvalidArgumentError),
        ("expand_dims", lambda: A.expand_dims(one(), 5), errors.InvalidArgumentError),
        ("expand_dims None", lambda: A.expand_dims(one(), None), errors.InvalidArgumentError),
        ("transpose", lambda: A.transpose(one(), [0]), errors.InvalidArgumentError),
        ("transpose twice", lambda: A.transpose(one(), [0, 0]), errors.InvalidArgumentError),
        ("concat", lambda: A.concat([one(), A.ones([1, 3])], 0), errors.InvalidArgumentError),
        ("concat axis", lambda: A.concat([one(), one()], 2), errors.InvalidArgumentError),
        ("concat axis None", lambda: A.concat([one(), one()], None), errors.InvalidArgumentError),
        ("concat scalars", lambda: A.concat([1.0, 2.0], 0), errors.InvalidArgumentError),
        ("concat nothing", lambda: A.concat([], 0), errors.InvalidArgumentError),
        ("concat dtypes", lambda: A.concat([one(), A.constant([[1, 2]])], 0), errors.InvalidArgumentError),
        ("stack", lambda: A.stack([one(), one()[0]]), errors.InvalidArgumentError),
        ("stack axis", lambda: A.stack([one(), one()], 4), errors.InvalidArgumentError),
        ("unstack", lambda: A.unstack(one(), 3), ValueError),
        ("unstack axis", lambda: A.unstack(one(), axis=2), ValueError),
        ("split", lambda: A.split(one(), 3), errors.InvalidArgumentError),
        ("split sizes", lambda: A.split(one(), [1, 2]), errors.InvalidArgumentError),
        ("split -1 twice", lambda: A.split(one(), [-1, -1]), errors.InvalidArgumentError),
        ("split negative", lambda: A.split(one(), [-2, 3]), errors.InvalidArgumentError),
        ("split none", lambda: A.split(one(), 0), errors.InvalidArgumentError),
        ("pad", lambda: A.pad(one(), [[1, 1]]), errors.InvalidArgumentError),
        ("pad negative", lambda: A.pad(one(), [[-1, 1], [0, 0]]), errors.InvalidArgumentError),
        ("pad reflect", lambda: A.pad(one(), [[2, 0], [0, 0]], "REFLECT"), errors.InvalidArgumentError),
        ("pad symmetric", lambda: A.pad(one(), [[3, 0], [0, 0]], "SYMMETRIC"), errors.InvalidArgumentError),
        ("pad mode", lambda: A.pad(one(), [[1, 0], [0, 0]], "EDGE"), ValueError),
        ("pad huge", lambda: A.pad(one(), [[2**41, 0], [0, 0]]), errors.ResourceExhaustedError),
        ("reverse", lambda: A.reverse(one(), [2]), errors.InvalidArgumentError),
        ("roll", lambda: A.roll(one(), 1, 3), errors.InvalidArgumentError),
        ("roll lengths", lambda: A.roll(one(), [1, 2], 0), errors.InvalidArgumentError),
        ("repeat negative", lambda: A.repeat(one(), -1, 0), errors.InvalidArgumentError),
        ("repeat lengths", lambda: A.repeat(one(), [1, 2, 3], 0), errors.InvalidArgumentError),
        ("repeat huge", lambda: A.repeat(one(), np.int64(2**45), 0), errors.ResourceExhaustedError),
        ("slice", lambda: A.slice(one(), [0, 1], [1, 2]), errors.InvalidArgumentError),
        ("slice rank", lambda: A.slice(one(), [0], [1]), errors.InvalidArgumentError),
        ("gather", lambda: A.gather(one(), [2]), errors.InvalidArgumentError),
        ("gather negative", lambda: A.gather(one(), [-1]), errors.InvalidArgumentError),
        ("gather floats", lambda: A.gather(one(), [0.0]), TypeError),
        ("gather scalar", lambda: A.gather(1.0, [0]), errors.InvalidArgumentError),
        ("gather batch", lambda: A.gather(one(), [0], batch_dims=2), errors.InvalidArgumentError),
        ("gather_nd", lambda: A.gather_nd(one(), [[0, 9]]), errors.InvalidArgumentError),
        ("gather_nd deep", lambda: A.gather_nd(one(), [[0, 0, 0]]), errors.InvalidArgumentError),
        ("scatter_nd", lambda: A.scatter_nd([[9]], [1.0], [2]), errors.InvalidArgumentError),
        ("scatter_nd updates", lambda: A.scatter_nd([[0], [1]], [1.0], [2]), errors.InvalidArgumentError),
        ("scatter_nd huge", lambda: A.scatter_nd([[0]], [1.0], [2**50]), errors.ResourceExhaustedError),
        ("scatter update", lambda: A.tensor_scatter_nd_update(one(), [[0]], [[1.0]]), errors.InvalidArgumentError),
        ("mask scalar", lambda: A.boolean_mask(one(), True), ValueError),
        ("mask shape", lambda: A.boolean_mask(one(), [True]), ValueError),
        ("mask dtype", lambda: A.boolean_mask(one(), [1, 0]), TypeError),
        ("where one branch", lambda: A.where([True], 1.0), ValueError),
        ("where shapes", lambda: A.where([True, False], [1.0, 2.0, 3.0], 0.0), errors.InvalidArgumentError),
        ("where condition", lambda: A.where([1.0], 1.0, 2.0), TypeError),
        ("one_hot depth", lambda: A.one_hot([1], -1), errors.InvalidArgumentError),
        ("one_hot huge", lambda: A.one_hot([1], 2**50), errors.ResourceExhaustedError),
        ("one_hot floats", lambda: A.one_hot([1.0], 2), TypeError),
        ("one_hot axis", lambda: A.one_hot([1], 2, axis=3), errors.InvalidArgumentError),
        ("meshgrid", lambda: A.meshgrid([1], [2], indexing="ab"), ValueError),
        ("unique matrix", lambda: A.unique(one()), errors.InvalidArgumentError),
        ("partition range", lambda: A.dynamic_partition([1.0], [2], 2), errors.InvalidArgumentError),
        ("partition shape", lambda: A.dynamic_partition([1.0], [0, 1], 2), errors.InvalidArgumentError),
        ("stitch shape", lambda: A.dynamic_stitch([[0, 1]], [[1.0]]), errors.InvalidArgumentError),
        ("permutation", lambda: A.invert_permutation([0, 0]), errors.InvalidArgumentError),
        ("ensure_shape", lambda: A.ensure_shape(one(), [None, 3]), ValueError),
        ("sort scalar", lambda: A.sort(1.0), errors.InvalidArgumentError),
        ("sort axis", lambda: A.sort(one(), 2), errors.InvalidArgumentError),
        ("sort direction", lambda: A.sort(one(), direction="UP"), ValueError),
        ("cast string", lambda: A.cast("a", "float32"), errors.UnimplementedError),
        ("bitcast", lambda: A.bitcast(A.constant([1, 2, 3]), "float64"), errors.InvalidArgumentError),
        ("reverse_sequence", lambda: A.reverse_sequence(one(), [1, 3], 1), errors.InvalidArgumentError),
        ("searchsorted", lambda: A.searchsorted([[1.0]], [1.0]), errors.InvalidArgumentError),
        ("searchsorted side", lambda: A.searchsorted([1.0], [1.0], "middle"), ValueError),
        ("histogram", lambda: A.histogram_fixed_width([1.0], [1.0, 1.0]), errors.InvalidArgumentError),
        ("static shapes", lambda: A.broadcast_static_shape([2], [3]), ValueError),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_refuses(label, f, kind):
    with pytest.raises(kind):
        f()
    graph = Graph()
    with pytest.raises(kind), graph.as_default():
        outputs = flat(f())
        NumPyProgram(graph, outputs, [])()


def placeholder(nptype, shape):
    return apply(PLACEHOLDER, (), {"dtype": np.dtype(nptype), "shape": shape})


DYNAMIC = [
    ("zeros", lambda n: A.zeros([n, 2]), 3, np.zeros((3, 2), np.float32), (None, 2)),
    ("ones floats", lambda n: A.ones([n, 2.0]), 3, np.ones((3, 2), np.float32), (None, 2)),
    ("fill", lambda n: A.fill([n], 2.5), 2, np.full(2, 2.5, np.float32), (None,)),
    ("fill vector", lambda n: A.fill(A.stack([n, n]), 2.5), 2, np.full((2, 2), 2.5, np.float32), (None, None)),
    ("eye", lambda n: A.eye(n), 3, np.eye(3, dtype=np.float32), (None, None)),
    ("eye batch", lambda n: A.eye(n, 2, [2]), 3, np.broadcast_to(np.eye(3, 2, dtype=np.float32), (2, 3, 2)),
     (2, None, 2)),
    ("eye batch n", lambda n: A.eye(2, batch_shape=[n]), 3, np.broadcast_to(np.eye(2, dtype=np.float32), (3, 2, 2)),
     (None, 2, 2)),
    ("range", lambda n: A.range(n), 4, np.arange(4, dtype=np.int32), (None,)),
    ("linspace", lambda n: A.linspace(0.0, 1.0, n), 3, np.array([0, 0.5, 1], np.float32), (None,)),
    ("reshape", lambda n: A.reshape(A.range(6), [n, -1]), 2, np.arange(6, dtype=np.int32).reshape(2, 3), (None, None)),
    ("tile", lambda n: A.tile([1, 2], [n]), 2, np.array([1, 2, 1, 2], np.int32), (None,)),
    ("broadcast_to", lambda n: A.broadcast_to([1, 2], [n, 2]), 2, np.array([[1, 2]] * 2, np.int32), (None, 2)),
    ("one_hot", lambda n: A.one_hot([1], n), 3, np.array([[0, 1, 0]], np.float32), (1, None)),
    ("one_hot value", lambda n: A.one_hot([1], 2, n, 0), 3, np.array([[0, 3]], np.int32), (1, 2)),
    ("pad", lambda n: A.pad([1.0], [[n, 0]]), 2, np.array([0, 0, 1], np.float32), (None,)),
    ("pad value", lambda n: A.pad([1], [[1, 0]], constant_values=n), 7, np.array([7, 1], np.int32), (2,)),
    ("slice", lambda n: A.slice([1, 2, 3, 4], [n], [2]), 1, np.array([2, 3], np.int32), (None,)),
    ("slice size", lambda n: A.slice([1, 2, 3, 4], [0], [n]), 3, np.array([1, 2, 3], np.int32), (None,)),
    ("strided_slice", lambda n: A.strided_slice([1, 2, 3, 4], [0], [n]), 3, np.array([1, 2, 3], np.int32), (None,)),
    ("split", lambda n: A.split([1, 2, 3], [n, 3 - n])[1], 1, np.array([2, 3], np.int32), (None,)),
    ("gather", lambda n: A.gather([5, 6, 7], n), 2, np.int32(7), ()),
    ("repeat", lambda n: A.repeat([5, 6], n), 2, np.array([5, 5, 6, 6], np.int32), (None,)),
    ("sequence_mask", lambda n: A.sequence_mask([1, 2], n), 2, np.array([[True, False], [True, True]]), (2, None)),
    ("scatter_nd", lambda n: A.scatter_nd([[1]], [5], [n]), 3, np.array([0, 5, 0], np.int32), (None,)),
]  # fmt: skip


@pytest.mark.parametrize(("label", "f", "n", "expected", "shape"), DYNAMIC, ids=[r[0] for r in DYNAMIC])
def test_arguments_that_a_graph_decides(label, f, n, expected, shape):
    graph = Graph()
    with graph.as_default():
        place = placeholder(np.int32, ())
        out = f(place)
    assert out.sizes == shape
    same(NumPyProgram(graph, [out], [place])(np.int32(n)), [expected])
    same(f(convert(np.int32(n))), expected)


@pytest.mark.parametrize("n", [-1, 2**31 - 1])
def test_a_bad_size_in_a_run(n):
    graph = Graph()
    with graph.as_default():
        place = placeholder(np.int32, ())
        out = A.zeros([place, place])
    with pytest.raises(errors.InvalidArgumentError if n < 0 else errors.ResourceExhaustedError):
        NumPyProgram(graph, [out], [place])(np.int32(n))


def test_constant_refuses_a_symbolic_tensor():
    with Graph().as_default():
        place = placeholder(np.float32, ())
        with pytest.raises(TypeError):
            A.constant(place)
        with pytest.raises(NotImplementedError):
            A.constant([place])


def test_names_of_nodes():
    with Graph().as_default():
        x = placeholder(np.float32, (None, 3))
        made = {
            "Reshape": A.reshape(x, [-1]), "transpose": A.transpose(x), "concat": A.concat([x, x], 1), "stack": A.stack([x, x]),
            "zeros": A.zeros([2]), "ones": A.ones([2]), "Const": A.constant(1.0), "GatherV2": A.gather(x, [0]),
            "ExpandDims": A.expand_dims(x, 0), "Tile": A.tile(x, [1, 2]), "Pad": A.pad(x, [[0, 0], [1, 1]]),
            "Cast": A.cast(x, "int32"), "Shape": A.shape(x), "Fill": A.fill([2], 1.0), "range": A.range(3),
            "Slice": A.slice(x, [0, 0], [1, 1]), "mine": A.identity(x, name="mine"),
        }  # fmt: skip
        assert [t.op.name for t in made.values()] == list(made)


def test_no_derivative_passes():
    x = convert(x2)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        ys = [A.stop_gradient(x), A.zeros_like(x), A.cast(A.cast(x, "int32"), "float64"), A.bitcast(x, "float64")]
        ys.append(A.constant(np.asarray(x)))
    with pytest.warns(UserWarning):
        assert [tape.gradient(y, x) for y in ys] == [None] * len(ys)


def test_cast_of_a_tensor_of_the_dtype_is_the_tensor():
    x = convert(x2)
    assert A.cast(x, "float64") is x
    assert A.is_tensor(x) and not A.is_tensor(x2) and A.newaxis is None


def test_cast_of_slices_is_dense():
    rows = IndexedSlices(A.constant([[1.0]]), A.constant([1]), A.constant([2, 1]))
    same(A.cast(rows, "float64"), np.array([[0.0], [1.0]]))


# --- rows, and sequences that hold themselves -------------------------------------------------------------------------


def own() -> list:
    sequence: list = []
    sequence += [sequence, sequence]
    return sequence


@pytest.mark.parametrize("f", [tf.constant, tf.convert_to_tensor, tf.stack, tf.reduce_sum, tf.nest.flatten, tf.function(len)])
@pytest.mark.parametrize("first", [True, False])
def test_a_sequence_that_holds_itself_is_refused_at_once(f, first):
    for sequence in (own(), [tf.constant(1.0), own()] if first else [own(), tf.constant(1.0)]):
        with pytest.raises(ValueError, match="itself"):
            f(sequence)


def test_deep_but_finite_structures_are_taken():
    deep: tuple = ()
    for _ in range(20_000):
        deep = (deep, 1)
    assert tf.nest.flatten(deep) == [1] * 20_000
    shared = [1.0]
    assert tf.nest.flatten([[shared] * 30_000]) == [1.0] * 30_000
    assert tf.constant([[shared] * 3]).shape == [1, 3, 1]


def test_many_rows_one_by_one():
    n = 200_000  # work that is quadratic would take minutes
    x = tf.constant(np.arange(n, dtype=np.float32))
    assert sum(1 for _ in x) == n
    rows = tf.unstack(x)
    assert float(rows[-1]) == n - 1
    with tf.GradientTape() as tape:
        tape.watch(x)
        third, *_ = list(x)[3:4]
        y = third * third
    g = tape.gradient(y, x).numpy()
    assert g[3] == 6.0 and np.count_nonzero(g) == 1


def test_rows_are_derived_through():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as acc, tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.add_n([tf.reduce_sum(row**3) * (k + 1.0) for k, row in enumerate(x)])
        g = tape.gradient(y, x)
    np.testing.assert_allclose(g, [[3.0, 12.0], [54.0, 96.0]])
    np.testing.assert_allclose(outer.gradient(g, x), [[6.0, 12.0], [36.0, 48.0]])
    np.testing.assert_allclose(acc.jvp(y), 3.0 + 12.0 + 54.0 + 96.0)
    assert [float(v) for v in x[0]] == [1.0, 2.0]


def test_rows_by_one_coordinate_have_a_sparse_gradient():
    def gathered(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.gather_nd(x, [[2], [0], [2]]) * 3.0
        return tape.gradient(y, x)

    x = tf.constant([[1.0], [2.0], [3.0]])
    found = gathered(x)
    assert isinstance(found, tf.IndexedSlices)
    assert found.numpy().tolist() == [[3.0], [0.0], [6.0]]
    with Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.constant([[1.0], [2.0], [3.0]])
        g = tf.gradients(tf.gather_nd(x, [[2], [0], [2]]), x)[0]
        assert isinstance(g, tf.IndexedSlices)
        assert session.run(tf.convert_to_tensor(g)).tolist() == [[1.0], [0.0], [2.0]]


def test_integers_have_a_gradient_by_themselves_alone():
    x, z = tf.constant([3, 4]), tf.constant(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        y = tf.cast(x, tf.float32) * z
    assert tape.gradient(x, x).numpy().tolist() == [1, 1]
    with pytest.warns(errors.NoGradientWarning):
        by_x, by_z = tape.gradient(y, [x, z])
    assert by_x is None and float(by_z) == 7.0
    with Graph().as_default(), tf.compat.v1.Session() as session:
        n, w = tf.constant(3), tf.constant(2.0)
        by_n, by_w = tf.gradients([n, w * w], [n, w])
        assert session.run([by_n, by_w]) == [1, 4.0]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_numpys_floats_become_integers_where_nothing_is_lost(kind):
    """TensorFlow takes them, and cuts others off without a word."""
    assert tf.add(tf.constant(1), kind(2)).dtype == "int32" and int(tf.add(tf.constant(1), np.array(2, kind))) == 3
    assert tf.constant(np.array([2, -3], kind), tf.int64).numpy().tolist() == [2, -3]
    for value, wanted in ((1.5, "int32"), (np.nan, "int64"), (np.inf, "int32"), (-1, "uint8"), (2.0**9, "int8")):
        with pytest.raises(TypeError, match="Cannot convert"):
            tf.constant(kind(value), wanted)
    with pytest.raises(TypeError, match="Cannot convert"):
        tf.constant(np.float64(2.0**63), tf.int64)
