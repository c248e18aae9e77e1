"""What a user has set for Keras and its backends elsewhere, kept from changing results.

Keras reads a file in the home folder, `keras.json`, when it is imported; backends read variables.
Keras is imported inside the functions: some of this must be said before it is.
"""

import os

from deepcolor.errors import DeepColorError, first_line

# Variables that change what is computed. Those that say where things are, which device is used or
# how much is printed are a user's own, as is KERAS_BACKEND.
UNSET = (
    "JAX_DEFAULT_DTYPE_BITS",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_DISABLE_JIT",
    "JAX_ENABLE_X64",
    "JAX_NUMPY_DTYPE_PROMOTION",
    "KERAS_MAX_EPOCHS",
    "KERAS_MAX_STEPS_PER_EPOCH",
    "KERAS_NNX_ENABLED",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "TF_USE_LEGACY_KERAS",
    "TF_XLA_FLAGS",
)

# On processors without instructions for neural networks, such as those with AVX2 alone, TensorFlow
# leaves oneDNN off (release notes of 2.9), whose convolutions are faster there, too: see docs/speed.md.
SET = {"TF_ENABLE_ONEDNN_OPTS": "1"}

# What networks depend on of Keras's settings.
SETTINGS = {"floatx": "float32", "image_data_format": "channels_last", "epsilon": 1e-7}


def set_environment() -> None:
    """Set the variables that Keras and the backends read when they are imported."""
    for variable in UNSET:
        os.environ.pop(variable, None)
    os.environ.update(SET)
    # Whatever keras.json says.
    os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"


def load() -> None:
    """Import Keras.

    Raises:
        DeepColorError: keras.json is broken.
    """
    try:
        import keras  # noqa: F401
    except (AttributeError, ValueError) as error:
        if "configuration" not in str(error) and "has no attribute 'get'" not in str(error):
            raise
        raise DeepColorError(
            f"keras.json in ~/.keras or $KERAS_HOME is broken ({first_line(error)}); correct it, "
            "or delete it"
        ) from error


def apply() -> None:
    """Give Keras the settings that networks depend on."""
    import keras

    for name, value in SETTINGS.items():
        getattr(keras.config, f"set_{name}")(value)


def check() -> None:
    """Make sure that Keras has these settings, where nothing has called `apply`, as in a notebook.

    Raises:
        DeepColorError: It has others.
    """
    import keras

    for name, needed in SETTINGS.items():
        value = getattr(keras.config, name)()
        if value != needed:
            raise DeepColorError(
                f"Keras's {name} is {value}, and networks need {needed}; call "
                f"keras.config.set_{name}({needed!r}), or correct keras.json in ~/.keras or "
                "$KERAS_HOME"
            )
