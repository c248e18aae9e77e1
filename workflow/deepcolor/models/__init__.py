"""Colorization networks: one file per architecture, named in `deepcolor.config.registry`.

Each file has one public function that builds the network with Keras 3 alone:

    build(image_size, *, batch_norm_momentum=0.99, **options) -> keras.Model

The model maps a luminance, `(batch, image_size, image_size, 1)` float in [0, 1], to what the option
`target` says, with a last layer of that name in 32-bit floats (see `deepcolor.models.heads`): RGB,
`(batch, image_size, image_size, 3)` in [0, 1], or chroma, `(batch, image_size, image_size, 2)` in
[-1, 1]. Whatever else an encoder wants for its input, the model does itself. The keyword arguments are
the options that an entry under `models:` in config.yaml may set; their defaults are literals.
"""
