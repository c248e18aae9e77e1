"""The files with which a network comes with DeepColor."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from deepcolor.data.manifest import read_manifest
from deepcolor.errors import DeepColorError
from deepcolor.export.formats import luminances
from deepcolor.files import replacing_folder, sha256, write_text
from deepcolor.imaging.color_classes import DecodeClasses
from deepcolor.models.named_weights import load_weights, save_weights

MAX_ONNX_BYTES = 8_000_000
MAX_WEIGHTS_BYTES = 6_000_000
# What the card of a bundled network says besides.
MORE = """
## As the bundled network of DeepColor

`docs/bundled-network.md` has pictures, scores on old photographs, what it is bad at, and how to train it
again.
`LICENSE`, next to this card, has its terms. `SHA256SUMS` has the checksums of the files here.
"""
# What pictures may differ by in the mean with weights in float16: a level of 8 bits.
TOLERANCE = 1 / 255


@dataclass(frozen=True)
class Bundle:
    """What a bundle is like.

    Attributes:
        sizes: Sizes in bytes of its files, by name.
        greatest_difference: Greatest difference of a value of RGB, in [0, 1], that float16 makes.
        mean_difference: Mean difference, likewise.
    """

    sizes: dict[str, int]
    greatest_difference: float
    mean_difference: float


def bundle(network: keras.Model, exported: Path, manifests: Sequence[Path], folder: Path) -> Bundle:
    """Gather the files into a folder: all of them, or nothing.

    - deepcolor.onnx: the exported network, for colorizing
    - deepcolor.safetensors: its weights, for trainings that begin with them
    - MODEL_CARD.md: its card
    - photographs.npy: perceptual hashes of the photographs that it was trained on, sorted, uint64
    - SHA256SUMS: checksums of the others

    Args:
        network: Trained network, from luminance to RGB.
        exported: Folder that `formats.export` has written of it.
        manifests: Manifests of the data sets that it was trained on.
        folder: Folder to write; replaced.

    Raises:
        DeepColorError: A file is too large, or float16 is too coarse for the weights.
    """
    with replacing_folder(folder) as parts:
        shutil.copyfile(exported / "model.onnx", parts / "deepcolor.onnx")
        card = (exported / "MODEL_CARD.md").read_text("utf-8")
        write_text(parts / "MODEL_CARD.md", card + MORE)
        np.save(parts / "photographs.npy", training_hashes(manifests))
        weights = parts / "deepcolor.safetensors"
        layers = [layer for layer in network.layers if not isinstance(layer, DecodeClasses)]
        save_weights(weights, layers)
        luminance = luminances(network.input_shape[1])
        exact = keras.ops.convert_to_numpy(network(luminance, training=False))
        load_weights(weights, layers)
        rounded = keras.ops.convert_to_numpy(network(luminance, training=False))
        differences = np.abs(rounded - exact)
        if not differences.mean() <= TOLERANCE:
            raise DeepColorError(
                f"{folder}: with weights in float16 pictures differ by {differences.mean():.2g} in the "
                f"mean, and {TOLERANCE:.2g} is allowed; train the network with a weight decay (adamw)"
            )
        sizes = {file.name: file.stat().st_size for file in sorted(parts.iterdir())}
        for name, most in (("deepcolor.onnx", MAX_ONNX_BYTES), (weights.name, MAX_WEIGHTS_BYTES)):
            if sizes[name] > most:
                raise DeepColorError(
                    f"{folder}: {name} has {sizes[name]:,} bytes, and {most:,} are allowed; bundle a "
                    "smaller network"
                )
        sums = "".join(f"{sha256(parts / name)}  {name}\n" for name in sizes)
        write_text(parts / "SHA256SUMS", sums)
    return Bundle(sizes, float(differences.max()), float(differences.mean()))


def training_hashes(manifests: Sequence[Path]) -> np.ndarray:
    """Return the perceptual hashes of the training photographs of data sets, sorted, uint64."""
    found = {
        int(phash, 16)
        for manifest in manifests
        for phash in read_manifest(manifest, ["phash"], "training")["phash"]
        if phash
    }
    return np.array(sorted(found), np.uint64)
