"""Records what Keras's short-time transforms answer.

`python tests/keras/record_spectra.py > tests/keras/spectra-keras-3.15.json` where Keras is installed.
"""

import json
import sys

import numpy as np

rng = np.random.RandomState(3)
SOUND, SINGLE = rng.randn(2, 37), rng.randn(40).astype("float32")
BELL, Q = np.linspace(0.1, 1.0, 6), rng.randn(3, 3)
ROWS = (
    "stft(SOUND, 8, 3, 8)", "stft(SINGLE, 6, 4, 16)", "stft(SOUND, 7, 2, 9, 'hamming')", "stft(SOUND, 6, 2, 8, None, False)",
    "stft(SOUND, 6, 3, 11, BELL)", "istft(stft(SOUND, 8, 3, 8), 8, 3, 8)", "istft(stft(SINGLE, 8, 2, 16), 8, 2, 16, length=40)",
    "istft(stft(SOUND, 7, 2, 9, 'hamming'), 7, 2, 9, window='hamming')",
    "istft(stft(SOUND, 6, 2, 8, None), 6, 2, 8, window=None)",
    "istft(stft(SOUND, 6, 2, 8, BELL, False), 6, 2, 8, 36, BELL, False)", "lu_factor(Q)",
    "view(SINGLE, 'int32')", "view(SINGLE, 'int8')", "view(view(SINGLE, 'int8'), 'float32')", "view(SINGLE, 'float64')",
    "nn.polar(np.abs(SINGLE), SINGLE)",
)  # fmt: skip


def answers(keras):
    """[dtype, numbers] of each result of each row, a complex number as two."""
    found = {}
    for row in ROWS:
        value = eval(row, {**globals(), **{n: getattr(keras.ops, n) for n in ("stft", "istft", "lu_factor", "nn")},
                           "view": keras.ops.numpy.view})  # fmt: skip
        parts = [np.asarray(v) for v in (value if isinstance(value, list | tuple) else [value])]
        parts = [np.stack([v.real, v.imag], -1) if v.dtype.kind == "c" else v for v in parts]
        found[row] = [[str(v.dtype), np.round(v.astype("float64"), 6).tolist()] for v in parts]
    return found


if __name__ == "__main__":
    import keras

    json.dump(answers(keras), sys.stdout)
