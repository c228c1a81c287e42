"""The discrete Fourier transform along the last axis: Y_k = Σ_n x_n exp(-2πi kn/N).

It is linear, and its matrix F is symmetric, so the adjoint, the conjugate transposed matrix, takes g to conj(F conj(g)).
"""

from __future__ import annotations

from wengert.ops import rows
from wengert.ops.derivative import Linear
from wengert.ops.op import Op
from wengert.ops.signature import first
from wengert.ops.slopes import Columns

__all__ = ["FFT", "IFFT"]

FFT = Op(
    "fft", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.conj(xp.fft(xp.conj(g)))),
    lambda xp, x: xp.astype(xp.fft.fft(x), x.dtype.name), first, kinds="c", type="FFT", label="FFT", rows=rows.last,
    columns=Columns.MIXED,
)
IFFT = Op(
    "ifft", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.conj(xp.ifft(xp.conj(g)))),
    lambda xp, x: xp.astype(xp.fft.ifft(x), x.dtype.name), first, kinds="c", type="IFFT", label="IFFT", rows=rows.last,
    columns=Columns.MIXED,
)
