"""Networks that travel: every architecture as ONNX and TensorFlow Lite gives what Keras gives."""

import json
import pkgutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from deepcolor.config import dependencies
from deepcolor.config.registry import ARCHITECTURES
from deepcolor.errors import DeepColorError
from deepcolor.export import formats
from deepcolor.files import sha256
from deepcolor.models import heads, loading
from support import tiny_encoders

SMALL: dict[str, dict[str, Any]] = {
    "unet": {"filters": [4, 8]},
    "mobilenet": {"weights": "none", "alpha": 0.25, "filters": [4] * 5, "skip_connections": True},
    "densenet": {"weights": "none", "filters": [4] * 4},
    "denseunet": {"weights": "none", "filters": [4] * 5, "dropout": 0.5},
    "koalarization": {"weights": "none", "freeze_encoder": False},
    "lite": {"weights": "none", "filters": [4] * 3},
}
CASES = [
    ("unet", "rgb"),
    ("unet", "lab"),
    *(
        pytest.param(architecture, target, marks=pytest.mark.slow)
        for architecture, target in (
            ("mobilenet", "rgb"),
            ("densenet", "rgb"),
            ("denseunet", "lab"),
            ("koalarization", "lab"),
            ("lite", "classes"),
            ("denseunet", "classes"),
        )  # fmt: skip
    ),
]
# To convert DenseNet121 takes TensorFlow Lite twenty seconds; it was tried by hand.
SLOW = {"densenet", "denseunet"}


def saved(folder: Path, architecture: str, target: str) -> Path:
    """A network as a training leaves it: batch normalization has averages of its own."""
    with pytest.MonkeyPatch.context() as patch:
        if architecture == "koalarization":
            tiny_encoders.use_small(patch)
        options = {**SMALL[architecture], "target": target}
        network = pkgutil.resolve_name(ARCHITECTURES[architecture])(32, **options)
    random = np.random.default_rng(0)
    for variable in network.weights:
        if "moving_mean" in variable.path:
            variable.assign(random.normal(0, 0.05, variable.shape))
        if "moving_variance" in variable.path:
            variable.assign(random.uniform(0.8, 1.2, variable.shape))
    folder.mkdir(exist_ok=True)
    heads.with_rgb_output(network).save(folder / "model.keras")
    (folder / "model_card.json").write_text('{\n  "run": "it_1",\n  "name": "ö|<b>"\n}\n', "utf-8")
    (folder / "MODEL_CARD.md").write_text("# it_1\n", "utf-8")
    return folder


def export(folder: Path) -> dict[str, Any]:
    return formats.export(
        loading.load_network(folder / "model.keras"),
        folder / "export",
        run="it_1",
        card=folder / "model_card.json",
        markdown=folder / "MODEL_CARD.md",
        checksum=sha256(folder / "model.keras"),
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small network."""
    return saved(tmp_path_factory.mktemp("small") / "it_1", "unet", "rgb")


def test_every_architecture_is_tried() -> None:
    cases = [getattr(case, "values", case) for case in CASES]
    assert {architecture for architecture, _ in cases} == set(ARCHITECTURES)


@pytest.mark.parametrize(("architecture", "target"), CASES)
def test_it_gives_what_keras_gives(
    architecture: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "it_1", architecture, target)
    if architecture in SLOW:
        monkeypatch.setattr(formats, "to_tflite", refuse)
    found = export(folder)
    at = folder / "export"
    luminance = np.random.default_rng(1).random((3, 32, 32, 1), np.float32)
    network = keras.saving.load_model(folder / "model.keras", compile=False)
    expected = keras.ops.convert_to_numpy(network(luminance, training=False))
    assert expected.std() > 0.001
    session = onnxruntime.InferenceSession(at / "model.onnx", providers=["CPUExecutionProvider"])
    (given,), (got,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("luminance", ["batch", 32, 32, 1], "tensor(float)")
    assert (got.name, got.shape) == ("rgb", ["batch", 32, 32, 3])
    assert np.allclose(session.run(None, {"luminance": luminance})[0], expected, rtol=0, atol=5e-5)
    decoding = (
        {"deepcolor.decoding": "[[1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]"} if target == "classes" else {}
    )
    assert session.get_modelmeta().custom_metadata_map == {
        "deepcolor.run": "it_1",
        "deepcolor.model_sha256": sha256(folder / "model.keras"),
        "deepcolor.card": '{"run": "it_1", "name": "ö|<b>"}',
        **decoding,
    }
    differences = found["checked"]["greatest_difference"]
    files = {"MODEL_CARD.md", "model.onnx", "model.tflite", "export.json"}
    if architecture in SLOW:
        files.remove("model.tflite")
        assert found["no_tflite"] == "it does not convert: no such operation" and len(differences) == 1
    else:
        assert found["no_tflite"] is None and differences["tflite"] < 5e-5
        again = formats.run_tflite(at / "model.tflite", luminance)
        assert np.allclose(again, expected, rtol=0, atol=5e-5)
    assert differences["onnx"] < 5e-5
    assert {file.name for file in at.iterdir()} == files
    assert found["files"] == {
        name: {"bytes": (at / name).stat().st_size, "sha256": sha256(at / name)}
        for name in files - {"export.json"}
    }
    assert json.loads((at / "export.json").read_text("utf-8")) == found
    assert len(list(formats.describe(found))) == 2


def refuse(network: keras.Model) -> bytes:
    raise ValueError("no such operation\nand much more")


def test_the_opset_is_the_one_that_is_stated(small: Path) -> None:
    assert export(small)["opset"] == formats.OPSET
    model = onnx.load(small / "export" / "model.onnx")
    assert [(each.domain, each.version) for each in model.opset_import] == [("", formats.OPSET)]
    assert {each.data_type for each in model.graph.initializer} <= {
        onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.INT32,
    }  # fmt: skip


def test_equal_networks_give_equal_bytes(small: Path) -> None:
    first = export(small)
    left = small / "export" / "of-before"
    left.touch()
    # The names that TensorFlow gives depend on what it has named before.
    keras.layers.Conv2D(1, 1)(keras.Input((4, 4, 1)))
    assert export(small) == first
    assert not left.exists()


def test_luminances_are_the_same_every_time_and_of_all_kinds() -> None:
    found = formats.luminances(64)
    assert found.shape == (8, 64, 64, 1) and found.dtype == np.float32
    assert found.min() == 0 and found.max() == 1
    assert np.array_equal(found, formats.luminances(64))
    assert len(np.unique(found.reshape(8, -1), axis=0)) == 8


@pytest.mark.parametrize("wrong", [0.5, float("nan")])
def test_a_copy_that_differs_is_an_error_and_leaves_nothing(
    wrong: float, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_onnx = formats.run_onnx
    monkeypatch.setattr(formats, "run_onnx", lambda *given: run_onnx(*given) + wrong)
    (folder := tmp_path / "it_1").mkdir()
    for file in ("model.keras", "model_card.json", "MODEL_CARD.md"):
        (folder / file).write_bytes((small / file).read_bytes())
    said = (
        rf"^it_1 as ONNX differs from Keras by {'inf' if wrong != wrong else 0.5}, and 0.0001 is allowed"
    )
    with pytest.raises(DeepColorError, match=said):
        export(folder)
    assert {file.name for file in folder.iterdir()} == {
        "model.keras",
        "model_card.json",
        "MODEL_CARD.md",
    }


def test_tensorflow_lite_that_differs_is_left_out(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_tflite = formats.run_tflite
    monkeypatch.setattr(formats, "run_tflite", lambda *given: run_tflite(*given) + 0.25)
    found = export(small)
    assert found["no_tflite"] == "it differs from Keras by 0.25"
    assert "model.tflite" not in found["files"] and not (small / "export" / "model.tflite").exists()
    assert list(formats.describe(found))[1] == "no model.tflite: it differs from Keras by 0.25"


def test_what_onnx_has_not_got_is_one_line(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "to_onnx", refuse)
    with pytest.raises(
        DeepColorError, match=r"^it_1 cannot be converted to ONNX \(no such operation\); "
    ):
        export(small)


def test_memory_that_is_used_up_is_no_fault_of_the_network(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(network: keras.Model) -> Any:
        raise MemoryError

    for name in ("to_onnx", "to_tflite"):
        with monkeypatch.context() as patch, pytest.raises(MemoryError):
            patch.setattr(formats, name, exhausted)
            export(small)


def test_exporting_needs_neither_photographs_nor_tables() -> None:
    sources = dependencies.sources_of("export_model")
    packages = {Path(source).parent.name for source in sources}
    assert packages == {"scripts", "deepcolor", "compute", "export", "imaging", "models"}
    assert not [source for source in sources if "decoding" in source or "frames" in source]
