"""The grayscale conversion that the networks see, for what needs no Keras."""

# Rec. 601 luma, as published (the weights of TensorFlow's and Pillow's grayscale conversion).
LUMA = (0.299, 0.587, 0.114)
