"""Records what TensorFlow's functions of images answer.

`python tests/functions/record_image.py > tests/functions/image-tensorflow-2.21.json` where TensorFlow is installed. The tests
evaluate the same expressions with `wengert` in TensorFlow's place.
"""

import json
import sys

import numpy as np

rng = np.random.RandomState(5)
FLOATS, OTHERS = rng.rand(2, 5, 6, 3).astype("float32"), rng.rand(2, 5, 6, 3).astype("float32")
GREYS, BYTES = np.repeat(rng.rand(1, 3, 3, 1), 3, -1).astype("float32"), rng.randint(0, 256, (4, 5, 3)).astype("uint8")
LARGE = rng.rand(2, 25, 31, 2).astype("float32")
NEAR, WHOLE = np.clip(LARGE + 0.1 * rng.randn(*LARGE.shape), 0, 1).astype("float32"), (255 * LARGE).astype("uint8")
HUGE = rng.rand(1, 180, 177, 1).astype("float32")
ROWS = """
    rgb_to_yuv(FLOATS) yuv_to_rgb(FLOATS) rgb_to_yiq(FLOATS) yiq_to_rgb(FLOATS) rgb_to_hsv(FLOATS) hsv_to_rgb(FLOATS)
    rgb_to_hsv(GREYS) hsv_to_rgb(rgb_to_hsv(FLOATS)) adjust_hue(FLOATS,0.3) adjust_hue(FLOATS,-0.7) adjust_hue(BYTES,0.2)
    adjust_saturation(FLOATS,0.4) adjust_saturation(FLOATS,3.0) adjust_saturation(BYTES,2.0) adjust_brightness(FLOATS,0.25)
    adjust_brightness(BYTES,0.1) adjust_brightness(BYTES,-0.4) adjust_contrast(FLOATS,0.5) adjust_contrast(BYTES,1.7)
    convert_image_dtype(BYTES,"float32") convert_image_dtype(BYTES,"float64") convert_image_dtype(BYTES,"uint16")
    convert_image_dtype(BYTES,"int8") convert_image_dtype(FLOATS,"uint8")
    convert_image_dtype(2*FLOATS,"uint8",saturate=True) convert_image_dtype(FLOATS,"int32")
    convert_image_dtype(FLOATS,"float64") convert_image_dtype(BYTES.astype("int32"),"int16")
    sobel_edges(tf.constant(FLOATS)) ssim(LARGE,NEAR,1.0) ssim(LARGE,LARGE,1.0) ssim(LARGE[0],NEAR[0],1.0)
    ssim(WHOLE,WHOLE[::-1],255) ssim(LARGE,NEAR,2.0,filter_size=7,filter_sigma=2.5,k1=0.02,k2=0.1)
    ssim(LARGE,NEAR,1.0,return_index_map=True) ssim_multiscale(HUGE,HUGE**1.1,1.0)
    ssim_multiscale(LARGE,NEAR,1.0,power_factors=(0.3,0.7)) psnr(LARGE,NEAR,1.0) psnr(WHOLE,WHOLE[::-1],255)
"""


def rows():
    """The expressions, each one with its bracket closed."""
    found, open_ = [], ""
    for word in ROWS.split():
        open_ += word
        if open_.count("(") == open_.count(")"):
            found.append(open_)
            open_ = ""
    return found


def answer(tf, row):
    """[dtype, shape, numbers]."""
    scope = {name: getattr(tf.image, name) for name in dir(tf.image) if name[0] != "_"}
    y = np.asarray(eval(row, {**globals(), **scope, "tf": tf}))
    return [str(y.dtype), list(y.shape), np.round(y.astype("float64"), 5).ravel().tolist()]


if __name__ == "__main__":
    import tensorflow

    json.dump({row: answer(tensorflow, row) for row in rows()}, sys.stdout)
