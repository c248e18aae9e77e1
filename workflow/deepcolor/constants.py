"""Constants that several packages share; needs no Keras."""

import numpy as np

# sRGB primaries to CIE XYZ, the D65 white point of the 2 degree observer, and the thresholds of sRGB's
# and CIELAB's straight pieces, with the digits that scikit-image uses (IEC 61966-2-1; CIE 15).
XYZ_OF_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])

# Rec. 601 luma, as published (the weights of TensorFlow's and Pillow's grayscale conversion).
LUMA = (0.299, 0.587, 0.114)

# Identical pictures have an infinite PSNR. It is capped, so that means stay finite.
MAX_DECIBELS = 100.0

# Work of validating on an image, of that of training on it: the forward pass without the two of the
# gradients.
VALIDATION_COST = 1 / 3

# Settings of the decoding of color classes, in this order; see `imaging.color_classes.decode`.
DECODING = ("temperature", "prior", "gain")
