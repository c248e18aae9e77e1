"""Networks that travel: as ONNX and, where it converts, as TensorFlow Lite, checked against Keras.

It needs Keras on TensorFlow, which is what both formats are converted from, and no photographs: what is
compared are luminances made from a seed.
"""

import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx

from deepcolor.compute.startup import without_messages
from deepcolor.errors import DeepColorError, first_line, is_out_of_memory
from deepcolor.export import onnx_runtime
from deepcolor.export.onnx_graph import INPUT, OPSET, OUTPUT, inference, to_onnx
from deepcolor.files import read_json, replacing_folder, sha256, write_json
from deepcolor.models.heads import class_decoder

# What an exported network may differ from Keras at most: a fortieth of a level of 8 bits.
TOLERANCE = 1e-4
SEED = 0
PACKAGES = ("keras", "tensorflow", "onnx", "tf2onnx", "onnxruntime")


def export(
    network: keras.Model, folder: Path, *, run: str, card: Path, markdown: Path, checksum: str
) -> dict[str, Any]:
    """Write a network as ONNX and TensorFlow Lite, with its card, into a folder: all of it, or nothing.

    Equal networks give equal bytes, with the same packages.

    Args:
        network: From luminance, `(batch, size, size, 1)` in [0, 1], to RGB.
        folder: To write model.onnx, model.tflite, MODEL_CARD.md and export.json to; replaced.
        run: Its name.
        card: The run's model_card.json, of which model.onnx carries a copy.
        markdown: The run's MODEL_CARD.md.
        checksum: SHA-256 of the file that the network was loaded from.

    Returns:
        The content of export.json.

    Raises:
        DeepColorError: The network cannot be converted to ONNX, or the copy differs from it.
    """
    luminance = luminances(network.input_shape[1])
    expected = np.concatenate(
        [keras.ops.convert_to_numpy(network(each[None], training=False)) for each in luminance]
    )
    with replacing_folder(folder) as parts:
        content = _onnx_model(network, run)
        properties = {
            "deepcolor.run": run,
            "deepcolor.model_sha256": checksum,
            "deepcolor.card": json.dumps(read_json(card), ensure_ascii=False),
        }
        if decoder := class_decoder(network):
            settings = keras.ops.convert_to_numpy(decoder.settings).tolist()
            properties["deepcolor.decoding"] = json.dumps(settings)
        onnx.helper.set_model_props(content, properties)
        onnx_file = parts / "model.onnx"
        onnx_file.write_bytes(content.SerializeToString(deterministic=True))
        differences = {"onnx": greatest(expected, run_onnx(onnx_file, luminance))}
        if not differences["onnx"] <= TOLERANCE:
            raise DeepColorError(
                f"{run} as ONNX differs from Keras by {differences['onnx']:.2g}, and {TOLERANCE:g} is "
                "allowed; see that its layers do the same at every call, and train it anew"
            )
        lite_file, reason = parts / "model.tflite", ""
        with without_messages():
            try:
                lite_file.write_bytes(to_tflite(network))
                differences["tflite"] = greatest(expected, run_tflite(lite_file, luminance))
            except Exception as error:  # Whatever the converter, or the interpreter, has not got.
                if is_out_of_memory(error):
                    raise
                reason = f"it does not convert: {first_line(error)}"
        if not differences.get("tflite", 0) <= TOLERANCE:
            reason = f"it differs from Keras by {differences.pop('tflite'):.2g}"
        if reason:
            lite_file.unlink(missing_ok=True)
        shutil.copyfile(markdown, parts / "MODEL_CARD.md")
        found = {
            "run": run,
            "model_sha256": checksum,
            "input": {"name": INPUT, "shape": ["batch", *network.input_shape[1:]], "range": [0, 1]},
            "output": {"name": OUTPUT, "shape": ["batch", *network.output_shape[1:]], "range": [0, 1]},
            "opset": OPSET,
            "checked": {
                "images": len(luminance),
                "seed": SEED,
                "tolerance": TOLERANCE,
                "greatest_difference": differences,
            },
            "no_tflite": reason or None,
            "files": {
                file.name: {"bytes": file.stat().st_size, "sha256": sha256(file)}
                for file in sorted(parts.iterdir())
            },
            "versions": {name: version(name) for name in PACKAGES},
        }
        write_json(parts / "export.json", found)
    return found


def luminances(size: int) -> np.ndarray:
    """Grayscale pictures to try networks on, the same every time.

    Args:
        size: Side in pixels.

    Returns:
        `(8, size, size, 1)` float32 in [0, 1]: black, white, a ramp, two of noise, and three of smooth
        shapes.
    """
    random = np.random.default_rng(SEED)
    plain = [np.zeros((size, size)), np.ones((size, size))]
    ramp = np.broadcast_to(np.linspace(0, 1, size), (size, size))
    noise = random.random((2, size, size))
    y, x = np.meshgrid(*[np.linspace(0, 1, size)] * 2, indexing="ij")
    smooth = []
    for _ in range(3):
        across, down, phase = random.uniform(0.5, 3, 3)
        smooth.append(0.5 + 0.5 * np.sin(2 * np.pi * (across * x + down * y + phase)))
    return np.stack([*plain, ramp, *noise, *smooth])[..., None].astype("float32")


def greatest(expected: np.ndarray, found: np.ndarray) -> float:
    """The greatest absolute difference of two arrays; infinite where one of them is no number."""
    difference = float(np.max(np.abs(expected - found)))
    return difference if np.isfinite(difference) else float("inf")


def _onnx_model(network: keras.Model, run: str) -> onnx.ModelProto:
    """`to_onnx`, with what is wrong in one line."""
    with without_messages():
        try:
            return to_onnx(network)
        except Exception as error:  # tf2onnx and onnx raise many kinds.
            if is_out_of_memory(error):
                raise
            said = first_line(error)
    raise DeepColorError(
        f"{run} cannot be converted to ONNX ({said}); build its architecture of layers and operations "
        "that tf2onnx knows"
    )


def to_tflite(network: keras.Model) -> bytes:
    """Convert a network to TensorFlow Lite, in 32-bit floats, for one picture at a time.

    TensorFlow Lite's own operations are used alone: an interpreter without TensorFlow runs it.
    """
    import tensorflow as tf

    shape = (1, *network.input_shape[1:])
    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint(
        "serve",
        inference(network),
        input_signature=[keras.InputSpec(shape=shape, dtype="float32", name=INPUT)],
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        return bytes(converter.convert())


def run_onnx(file: Path, luminance: np.ndarray) -> np.ndarray:
    """Run an exported network with onnxruntime on the CPU.

    Args:
        file: Of `to_onnx`.
        luminance: `(n, size, size, 1)` float32 in [0, 1].

    Returns:
        `(n, size, size, 3)` float32.
    """
    session = onnx_runtime.load().InferenceSession(file, providers=["CPUExecutionProvider"])
    # One by one, and all at once but for the first: the size of the batch must not matter.
    parts = [luminance[:1], luminance[1:]]
    return np.concatenate([session.run([OUTPUT], {INPUT: part})[0] for part in parts])


def run_tflite(file: Path, luminance: np.ndarray) -> np.ndarray:
    """Run an exported network with TensorFlow Lite, picture by picture; see `run_onnx`."""
    import tensorflow as tf

    with warnings.catch_warnings():  # That LiteRT will take its place.
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(str(file))
    runner = interpreter.get_signature_runner()
    return np.concatenate([runner(**{INPUT: each[None]})[OUTPUT] for each in luminance])


def describe(found: Mapping[str, Any]) -> Iterator[str]:
    """What an export has given, in lines."""
    checked = found["checked"]
    for kind, name in {"onnx": "model.onnx", "tflite": "model.tflite"}.items():
        if kind not in checked["greatest_difference"]:
            yield f"no {name}: {found['no_tflite']}"
            continue
        size = found["files"][name]["bytes"] / 1e6
        yield (
            f"{name}, {size:.1f} MB, within {checked['greatest_difference'][kind]:.1g} of Keras on "
            f"{checked['images']} pictures"
        )
